"""A FluidSynth synthesiser that plays messages into float samples, 64 frames at a time.

FluidSynth lets a message act at the next boundary of its internal blocks, and the length of what is
asked for decides where those lie. So every length here is a whole number of blocks: then a render depends
on the messages alone. How it is cut into calls may still change the last bit of a float now and then,
because voices that ended are taken out of the sum between calls; so the cuts follow from the messages too.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from symgen.errors import RenderError
from symgen.io.smf import (
    CHANNEL_PRESSURE,
    CONTROL,
    KEY_PRESSURE,
    NOTE_OFF,
    NOTE_ON,
    PITCH_BEND,
    PROGRAM,
)
from symgen.render.library import Library
from symgen.render.performance import Message, Performance
from symgen.render.soundfont import is_compressed

__all__ = ["BLOCK", "MAX_GROUPS", "SAMPLE_RATES", "Synth"]

BLOCK = 64
"""Frames in a block of FluidSynth's."""

SAMPLE_RATES = (8000, 96000)
"""The lowest and the highest frame rate FluidSynth renders."""

MAX_GROUPS = 128
"""As many outputs as FluidSynth has."""

_OK = 0
_EFFECTS = ("reverb", "chorus")
_WARNING = 2
_DRUM_TYPE = 1
_MAX_VOICES = 1024
_INT, _FLOAT, _POINTER = ctypes.c_int, ctypes.c_double, ctypes.c_void_p

_MORE_FUNCTIONS = {  # those pyfluidsynth has no bindings for: name -> arguments after the synthesiser
    "fluid_synth_channel_pressure": (_INT, _INT),
    "fluid_synth_key_pressure": (_INT, _INT, _INT),
    "fluid_synth_set_channel_type": (_INT, _INT),
    "fluid_synth_write_float": (_INT, _POINTER, _INT, _INT, _POINTER, _INT, _INT),
    "fluid_synth_process": (_INT, _INT, _POINTER, _INT, _POINTER),
}


class Synth:
    """A synthesiser with one soundfont, for one performance; close it, or use it in a ``with``.

    Parameters
    ----------
    library
        The loaded library.
    soundfont
        The file to play with.
    sample_rate
        Frames a second.
    performance
        Says how many parts there are, and which are drums.
    reverb, chorus
        Whether these effects are on.
    n_groups
        How many outputs of their own, effects included, there are for :meth:`write_groups`; a part plays into that of
        its number modulo this. At most :data:`MAX_GROUPS`.

    Raises
    ------
    RenderError
        If the library refuses the soundfont.
    """

    def __init__(
        self,
        library: Library,
        soundfont: Path,
        sample_rate: int,
        performance: Performance,
        *,
        reverb: bool = True,
        chorus: bool = True,
        n_groups: int = 1,
    ) -> None:
        self._library = library
        self._n_groups = n_groups
        self._api = library.api
        self._settings: int | None = library.api.new_fluid_settings()
        self._synth: int | None = None
        self._functions = {name: _function(library.api, name, kinds) for name, kinds in _MORE_FUNCTIONS.items()}
        library.log.clear()
        try:
            effects = {"synth.reverb.active": reverb, "synth.chorus.active": chorus}
            # Unpacks only what is played: the same sound in half the time, but not the same for SF2 files.
            loading = {"synth.dynamic-sample-loading": is_compressed(soundfont)}
            names = ("synth.audio-channels", "synth.audio-groups", "synth.effects-groups")
            groups = dict.fromkeys(names, n_groups)
            self._open(sample_rate, performance.n_parts, effects | loading | groups)
            self._load(soundfont)
        except BaseException:
            self.close()
            raise
        for part in range(self._n_channels):
            self._functions["fluid_synth_set_channel_type"](self._synth, part, int(part in performance.drum_parts))
        self._actions = self._make_actions()

    def _open(self, sample_rate: int, n_parts: int, more: dict[str, int]) -> None:
        self._n_channels = 16 * max(1, -(-n_parts // 16))  # FluidSynth has them by sixteens
        whole = {"synth.midi-channels": self._n_channels, "synth.polyphony": _MAX_VOICES, "synth.lock-memory": 0}
        for name, value in (whole | more).items():
            self._api.fluid_settings_setint(self._settings, name.encode(), int(value))
        self._api.fluid_settings_setnum(self._settings, b"synth.sample-rate", float(sample_rate))
        self._synth = self._api.new_fluid_synth(self._settings)
        if not self._synth:
            msg = (
                f"FluidSynth {self._library.version} could not start: {'; '.join(self.warnings()) or 'no reason given'}"
            )
            raise RenderError(msg)

    def _load(self, soundfont: Path) -> None:
        if self._api.fluid_synth_sfload(self._synth, str(soundfont).encode(), 1) < 0:
            reason = "; ".join(self.warnings()) or "no reason given"
            msg = (
                f"soundfont {soundfont}: FluidSynth {self._library.version} cannot load it ({reason}); use another file"
            )
            raise RenderError(msg)

    def _make_actions(self) -> dict[int, Callable[[int, int, int], object]]:
        api, more, synth = self._api, self._functions, self._synth
        return {
            NOTE_ON: lambda part, key, velocity: api.fluid_synth_noteon(synth, part, key, velocity),
            NOTE_OFF: lambda part, key, _: api.fluid_synth_noteoff(synth, part, key),
            KEY_PRESSURE: lambda part, key, value: more["fluid_synth_key_pressure"](synth, part, key, value),
            CONTROL: lambda part, control, value: api.fluid_synth_cc(synth, part, control, value),
            PROGRAM: lambda part, program, _: api.fluid_synth_program_change(synth, part, program),
            CHANNEL_PRESSURE: lambda part, value, _: more["fluid_synth_channel_pressure"](synth, part, value),
            PITCH_BEND: lambda part, low, high: api.fluid_synth_pitch_bend(synth, part, high << 7 | low),
        }

    def play(self, message: Message) -> None:
        """Do what a message says, from the next block on."""
        self._actions[message.kind](message.part, message.first, message.second)

    def write(self, samples: NDArray[np.float32], start: int, stop: int) -> None:
        """Fill ``samples[start:stop]`` with what sounds next.

        Parameters
        ----------
        samples
            Shape (n, 2), contiguous.
        start, stop
            Frames; ``stop - start`` is a multiple of :data:`BLOCK`.
        """
        n_frames = stop - start
        assert n_frames % BLOCK == 0, n_frames
        left = samples.ctypes.data + start * samples.strides[0]
        right = left + samples.strides[1]
        if self._functions["fluid_synth_write_float"](self._synth, n_frames, left, 0, 2, right, 0, 2) != _OK:
            msg = f"FluidSynth stopped rendering: {'; '.join(self.warnings()) or 'no reason given'}"
            raise RenderError(msg)

    def write_groups(self, work: NDArray[np.float32]) -> None:
        """Add what sounds next to one array for each group: its parts, with their effects.

        Parameters
        ----------
        work
            Shape (n_groups, 2, n_frames), contiguous; ``n_frames`` is a multiple of :data:`BLOCK`.
        """
        n_frames = work.shape[2]
        assert n_frames % BLOCK == 0, n_frames
        places = [work.ctypes.data + i * work.strides[1] for i in range(2 * self._n_groups)]
        dry = (_POINTER * len(places))(*places)
        both = [places[2 * group : 2 * group + 2] for group in range(self._n_groups)]
        effects = [place for pair in both for _ in _EFFECTS for place in pair]  # each effect joins the dry sound
        wet = (_POINTER * len(effects))(*effects)
        if self._functions["fluid_synth_process"](self._synth, n_frames, len(wet), wet, len(dry), dry) != _OK:
            msg = f"FluidSynth stopped rendering: {'; '.join(self.warnings()) or 'no reason given'}"
            raise RenderError(msg)

    @property
    def n_voices(self) -> int:
        """How many voices sound or ring out."""
        return int(self._api.fluid_synth_get_active_voice_count(self._synth))

    def warnings(self) -> tuple[str, ...]:
        """Return what the library complained about since this synthesiser was made, each thing once."""
        return tuple(dict.fromkeys(text for level, text in self._library.log if level <= _WARNING))

    def close(self) -> None:
        """Give the library's memory back."""
        synth, settings = self._synth, self._settings
        self._synth = self._settings = None
        if synth:
            self._api.delete_fluid_synth(synth)
        if settings:
            self._api.delete_fluid_settings(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _function(api: Any, name: str, arguments: tuple[Any, ...]) -> Any:
    """Bind a function that takes the synthesiser and ``arguments``, and returns a status."""
    every = (_POINTER, *arguments)
    return api.cfunc(name, _INT, *((f"argument_{i}", kind, 1) for i, kind in enumerate(every)))
