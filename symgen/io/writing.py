"""How files are to be written: one object for every command and function that writes music.

>>> with writing_as(Writing(MidiOptions(ticks_per_quarter=960))):
...     writing_in_force().midi.ticks_per_quarter
960
>>> writing_in_force().midi.ticks_per_quarter
480
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from symgen.errors import RequestError
from symgen.grid import TICKS_PER_QUARTER
from symgen.score import Score

__all__ = ["CHORD_NAMES", "MidiOptions", "Writing", "writing_as", "writing_in_force"]

CHORD_NAMES = ("markers", "lyrics", "text", "xf")
"""As what chord names can stand in a MIDI file."""


@dataclass(frozen=True, slots=True)
class MidiOptions:
    """How a MIDI file is written.

    Parameters
    ----------
    ticks_per_quarter
        The resolution, 1 to 32767; a multiple of the score's grid.
    format_number
        1, a track for each part, or 0, all in one track.
    programs
        Whether each part sets its General MIDI program.
    chord_names
        Some of :data:`CHORD_NAMES`: marker events, lyrics of the Chords track, text events such as ``%Bm7``, Yamaha
        XF events.
    """

    ticks_per_quarter: int = TICKS_PER_QUARTER
    format_number: int = 1
    programs: bool = True
    chord_names: tuple[str, ...] = ("markers",)

    def __post_init__(self) -> None:
        if not 1 <= self.ticks_per_quarter <= 0x7FFF:
            msg = f"resolution {self.ticks_per_quarter}: expected 1 to 32767 ticks a quarter note, such as 480 or 960"
            raise RequestError(msg)
        if self.format_number not in (0, 1):
            msg = f"MIDI format {self.format_number}: expected 0 or 1"
            raise RequestError(msg)
        object.__setattr__(self, "chord_names", tuple(self.chord_names))
        for name in self.chord_names:
            if name not in CHORD_NAMES:
                msg = f"chord names {name!r}: expected some of {', '.join(CHORD_NAMES)}"
                raise RequestError(msg)


def _as_it_is(score: Score) -> Score:
    return score


def _nothing(score: Score, path: Path, data: bytes) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Writing:
    """What is written for a score.

    Parameters
    ----------
    midi
        How MIDI files are.
    stems
        Whether each part is also written as a file of its own, with all tempos, metres, keys and markers.
    split
        Whether a score of more than fifteen programs becomes several files, which one would be too small for.
    signed
        Given each score, returns it with its recipe.
    wrote
        Told of each file: its score, its path and its bytes.
    """

    midi: MidiOptions = field(default_factory=MidiOptions)
    stems: bool = False
    split: bool = False
    signed: Callable[[Score], Score] = _as_it_is
    wrote: Callable[[Score, Path, bytes], None] = _nothing


_IN_FORCE: ContextVar[Writing | None] = ContextVar("writing", default=None)


def writing_in_force() -> Writing:
    """Return what holds here: that of the innermost :func:`writing_as`, else the usual."""
    return _IN_FORCE.get() or Writing()


@contextlib.contextmanager
def writing_as(writing: Writing) -> Iterator[None]:
    """Let files be written so inside the block."""
    token = _IN_FORCE.set(writing)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)
