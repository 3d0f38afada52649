"""A performance played by the synthesiser, and its tail; all in one, or every part into an output of its own.

A voice's first 64 frames depend a little on what was played with it before, so parts played one after the other do not
add up to the mix. Played together into separate outputs, each with a reverb and a chorus of its own, they do, but for
the rounding of floats: both effects are linear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symgen.errors import RenderError
from symgen.render.finish import peak_of
from symgen.render.library import Library, load_library
from symgen.render.performance import Message, Performance
from symgen.render.synth import BLOCK, MAX_GROUPS, SAMPLE_RATES, Synth

__all__ = ["Playing", "Progress", "ended", "kept", "play", "play_apart", "trimmed"]

Progress = Callable[[float, float], None]
"""Called with the seconds rendered so far and the seconds there will be before the tail."""

_SILENCE = 1e-4  # -80 dB
_QUIET_SECONDS = 0.25
_FADE_SECONDS = 0.05
_REPORT_BLOCKS = 512  # at most so many in one call, so that progress and Ctrl-C are heard
_TAIL_BLOCKS = 16


@dataclass(frozen=True, slots=True)
class Playing:
    """How a performance is played.

    Parameters
    ----------
    sample_rate
        8000 to 96000 frames a second.
    reverb, chorus
        Whether FluidSynth's effects are on.
    tail_max_seconds
        How long notes may ring out after the last message, 0 to 60.
    """

    sample_rate: int = 44100
    reverb: bool = True
    chorus: bool = True
    tail_max_seconds: float = 10.0

    def __post_init__(self) -> None:
        low, high = SAMPLE_RATES
        if not low <= self.sample_rate <= high:
            msg = f"sample rate {self.sample_rate}: expected {low} to {high} frames a second"
            raise RenderError(msg)
        if not 0 <= self.tail_max_seconds <= 60:
            msg = f"tail of {self.tail_max_seconds:g} seconds: expected 0 to 60"
            raise RenderError(msg)

    @property
    def tail_frames(self) -> int:
        """The longest tail, in whole blocks."""
        return -(-int(self.tail_max_seconds * self.sample_rate) // BLOCK) * BLOCK

    def end_frame(self, performance: Performance) -> int:
        """Return where the last message acts."""
        return int(self.blocks(performance)[-1]) * BLOCK

    def blocks(self, performance: Performance) -> NDArray[np.int64]:
        """Return the block at whose start each message acts."""
        return np.rint(performance.seconds * (self.sample_rate / BLOCK)).astype(np.int64)


def play(
    library: Library,
    soundfont: Path,
    performance: Performance,
    how: Playing,
    *,
    parts: Set[int] | None = None,
    progress: Progress | None = None,
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Play a performance, or some of its parts.

    Parameters
    ----------
    library, soundfont
        What plays.
    performance
        What is played; all of it says when it ends, and how the work is cut, also where only some parts sound.
    how
        Rate, effects and tail.
    parts
        Those that sound; all if left out.
    progress
        Told how far it is.

    Returns
    -------
    samples, warnings
        Float32, shape (n_frames, 2), at the synthesiser's own level; and what the library complained about.
    """
    end, rate = how.end_frame(performance), how.sample_rate
    samples = np.zeros((end + how.tail_frames, 2), dtype=np.float32)
    with Synth(library, soundfont, rate, performance, reverb=how.reverb, chorus=how.chorus) as synth:
        for start, stop in _steps(synth, performance, how, parts):
            synth.write(samples, start, stop)
            if progress:
                progress(stop / rate, end / rate)
        stop = _ring_out(synth, samples, end, rate)
        return samples[:stop], synth.warnings()


def play_apart(
    library: Library,
    soundfont: Path,
    performance: Performance,
    how: Playing,
    *,
    parts: Set[int],
    wanted: Set[int],
    n_frames: int,
) -> dict[int, NDArray[np.float32]]:
    """Play parts together, and return the sound of some of them apart.

    Parameters
    ----------
    library, soundfont, performance, how, parts
        As for :func:`play`.
    wanted
        Those of the parts whose sound is kept.
    n_frames
        How many that gave.

    Returns
    -------
    dict
        For each part wanted what :func:`play` gives of it, shape (n_frames, 2).

    Raises
    ------
    RenderError
        If there are more parts than FluidSynth has outputs.
    """
    n_groups = _n_groups(parts)
    found = {part: np.zeros((n_frames, 2), dtype=np.float32) for part in sorted(wanted)}
    with Synth(
        library, soundfont, how.sample_rate, performance, reverb=how.reverb, chorus=how.chorus, n_groups=n_groups
    ) as synth:
        end = how.end_frame(performance)
        tail = ((start, min(start + _TAIL_BLOCKS * BLOCK, n_frames)) for start in _tail_starts(end, n_frames))
        for start, stop in chain(_steps(synth, performance, how, parts), tail):
            work = np.zeros((n_groups, 2, stop - start), dtype=np.float32)
            synth.write_groups(work)
            for part, samples in found.items():
                samples[start:stop] = work[part % n_groups].T
    return found


def kept(soundfont: Path) -> Synth:
    """Return a synthesiser that plays nothing: as long as it is there, the samples of its soundfont stay loaded."""
    silence = Performance(np.zeros(1), (), 1, frozenset(), 0, ())
    return Synth(load_library(), soundfont, SAMPLE_RATES[0], silence, reverb=False, chorus=False)


def _n_groups(parts: Set[int]) -> int:
    """Return the smallest number of outputs for which each part has one to itself."""
    fitting = (n for n in range(len(parts), MAX_GROUPS + 1) if len({part % n for part in parts}) == len(parts))
    n_groups = next(fitting, None)
    if n_groups is None:
        msg = f"stems of {len(parts)} parts: expected at most {MAX_GROUPS}"
        raise RenderError(msg)
    return n_groups


def _steps(synth: Synth, performance: Performance, how: Playing, parts: Set[int] | None) -> Iterator[tuple[int, int]]:
    """Play the messages of some parts in their time; yield the frames to be rendered between them."""
    done = 0
    for block, messages in _by_block(how.blocks(performance), performance.messages):
        for stop in _stops(done, block):
            yield done * BLOCK, stop * BLOCK
            done = stop
        for message in messages:
            if parts is None or message.part in parts:
                synth.play(message)


def _by_block(blocks: NDArray[np.int64], messages: tuple[Message, ...]) -> Iterator[tuple[int, list[Message]]]:
    pairs = zip(blocks.tolist(), messages, strict=True)
    for block, group in groupby(pairs, key=lambda pair: pair[0]):
        yield block, [message for _, message in group]


def _stops(start: int, stop: int) -> Iterator[int]:
    """Cut a run of blocks so that no call is long."""
    yield from range(start + _REPORT_BLOCKS, stop, _REPORT_BLOCKS)
    if stop > start:
        yield stop


def _ring_out(synth: Synth, samples: NDArray[np.float32], end: int, sample_rate: int) -> int:
    """Render the tail; return the frame after it: where all has been quiet for a while, or the last one."""
    threshold = _SILENCE * peak_of(samples[:end])
    last_loud = end
    for position in _tail_starts(end, len(samples)):
        stop = min(position + _TAIL_BLOCKS * BLOCK, len(samples))
        synth.write(samples, position, stop)
        peak = peak_of(samples[position:stop])
        threshold = max(threshold, _SILENCE * peak)
        if peak >= threshold or synth.n_voices:
            last_loud = stop
        elif stop - last_loud >= _QUIET_SECONDS * sample_rate:
            return stop
    return len(samples)


def _tail_starts(end: int, n_frames: int) -> range:
    return range(end, n_frames, _TAIL_BLOCKS * BLOCK)


def trimmed(samples: NDArray[np.float32], end: int, sample_rate: int) -> int:
    """Return how many frames to keep: to the last loud one, and a fade."""
    threshold = _SILENCE * peak_of(samples)
    loud = np.flatnonzero(np.abs(samples[end:]).max(axis=1, initial=0.0) >= threshold)
    last = end + (int(loud[-1]) + 1 if len(loud) else 0)
    return min(len(samples), last + int(_FADE_SECONDS * sample_rate))


def ended(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Fade the last 50 ms in place; return the samples."""
    n = min(int(_FADE_SECONDS * sample_rate), len(samples))
    samples[len(samples) - n :] *= np.linspace(1, 0, n, dtype=np.float32)[:, None]
    return samples
