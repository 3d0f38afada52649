"""The grid: the only place where units of time are converted.

*Steps* are integers on a grid of ``steps_per_quarter``; *ticks* are what a MIDI file counts, at its
``ticks_per_quarter`` (PPQ); *seconds* follow from the tempo. Bars and beats are counted from 1 for
people and from 0 in arrays.

>>> steps_to_ticks(3, steps_per_quarter=12, ticks_per_quarter=480)
120
>>> bars = BarMap.build([(0, Meter(3, 4)), (24, Meter(4, 4))], steps_per_quarter=4, end_steps=56)
>>> bars.starts.tolist(), bars.place(30)
([0, 12, 24, 40, 56], 'bar 3 beat 2.5')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symgen.errors import GridError
from theory.meter import Meter

__all__ = [
    "TICKS_PER_QUARTER",
    "BarMap",
    "TempoMap",
    "check_steps_per_quarter",
    "steps_to_ticks",
    "ticks_to_steps",
]

TICKS_PER_QUARTER = 480
"""The resolution of the files we write: a multiple of every grid."""


def check_steps_per_quarter(steps_per_quarter: int) -> None:
    """Refuse a grid that does not divide a quarter note into whole ticks.

    Raises
    ------
    GridError
        If ``steps_per_quarter`` does not divide 480.
    """
    if steps_per_quarter < 1 or TICKS_PER_QUARTER % steps_per_quarter:
        msg = f"steps per quarter: {steps_per_quarter}: expected a divisor of {TICKS_PER_QUARTER}, such as 4, 12 or 24"
        raise GridError(msg)


def steps_to_ticks(steps: int, *, steps_per_quarter: int, ticks_per_quarter: int = TICKS_PER_QUARTER) -> int:
    """Return the tick of a step; exact, or an error.

    Raises
    ------
    GridError
        If the step falls between two ticks.
    """
    ticks, rest = divmod(steps * ticks_per_quarter, steps_per_quarter)
    if rest:
        msg = f"step {steps} at {steps_per_quarter} steps a quarter is no whole tick at {ticks_per_quarter} a quarter"
        raise GridError(msg)
    return ticks


def ticks_to_steps(ticks: ArrayLike, *, steps_per_quarter: int, ticks_per_quarter: int) -> NDArray[np.int64]:
    """Return the nearest step of each tick; halves go to the later step.

    The inverse of :func:`steps_to_ticks` on every tick that lies on the grid; other ticks move by at
    most half a step.
    """
    doubled = 2 * np.asarray(ticks, dtype=np.int64) * steps_per_quarter + ticks_per_quarter
    return doubled // (2 * ticks_per_quarter)


@dataclass(frozen=True, slots=True)
class TempoMap:
    """When each step sounds, in seconds.

    Parameters
    ----------
    steps
        Where each tempo starts, ascending from 0.
    bpm
        Quarter notes a minute from there on.
    steps_per_quarter
        The grid.
    """

    steps: tuple[int, ...]
    bpm: tuple[float, ...]
    steps_per_quarter: int

    def seconds(self, steps: ArrayLike) -> NDArray[np.float64]:
        """Return the time of each step, in seconds from step 0."""
        starts = np.asarray(self.steps, dtype=np.float64)
        seconds_per_step = 60.0 / (np.asarray(self.bpm) * self.steps_per_quarter)
        at_start = np.concatenate([[0.0], np.cumsum(np.diff(starts) * seconds_per_step[:-1])])
        wanted = np.asarray(steps, dtype=np.float64)
        section = np.maximum(np.searchsorted(starts, wanted, side="right") - 1, 0)
        result: NDArray[np.float64] = at_start[section] + (wanted - starts[section]) * seconds_per_step[section]
        return result


@dataclass(frozen=True, slots=True)
class BarMap:
    """Where the bars lie.

    Parameters
    ----------
    starts
        First step of every bar, and the end of the last one; shape (n_bars + 1,), ascending.
    meters
        The metre of every bar.
    steps_per_quarter
        The grid.
    """

    starts: NDArray[np.int64]
    meters: tuple[Meter, ...]
    steps_per_quarter: int

    @classmethod
    def build(cls, changes: Sequence[tuple[int, Meter]], *, steps_per_quarter: int, end_steps: int) -> BarMap:
        """Lay out whole bars until they cover ``end_steps``.

        A metre that changes inside a bar cuts that bar short there.

        Parameters
        ----------
        changes
            The step and the metre of each change, ascending; the first is at step 0.
        steps_per_quarter
            The grid.
        end_steps
            What the bars must cover.
        """
        starts, meters = [0], []
        for index, (step, meter) in enumerate(changes):
            following = changes[index + 1][0] if index + 1 < len(changes) else None
            length = meter.bar_steps(steps_per_quarter)
            limit = end_steps if following is None else following
            n_bars = -(-(limit - step) // length)
            bar_ends = [step + length * (i + 1) for i in range(n_bars)]
            if following is not None and bar_ends:
                bar_ends[-1] = following
            starts += bar_ends
            meters += [meter] * n_bars
        edges = np.array(starts, dtype=np.int64)
        edges.setflags(write=False)
        return cls(edges, tuple(meters), steps_per_quarter)

    @property
    def n_bars(self) -> int:
        """How many bars there are."""
        return len(self.meters)

    @property
    def end_steps(self) -> int:
        """The step after the last bar."""
        return int(self.starts[-1])

    def bar_of(self, steps: ArrayLike) -> NDArray[np.int64]:
        """Return the bar of each step, counted from 0; steps past the end are in the last bar."""
        found = np.searchsorted(self.starts, np.asarray(steps), side="right") - 1
        return np.minimum(found, self.n_bars - 1).astype(np.int64)

    def levels(self) -> NDArray[np.int64]:
        """Return the metrical level of every step, shape (end_steps,); see :meth:`theory.meter.Meter.levels`."""
        by_meter = {meter: meter.levels(self.steps_per_quarter) for meter in set(self.meters)}
        lengths = np.diff(self.starts)
        parts = [by_meter[m][:length] for m, length in zip(self.meters, lengths, strict=True)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def step_at(self, bar: int, beat: Fraction | int = 1) -> int:
        """Return the step of a beat in a bar, both counted from 1; a beat is a count of the metre.

        Raises
        ------
        GridError
            If the bar or the beat is not there, or the place falls between two steps.
        """
        if not 1 <= bar <= self.n_bars:
            msg = f"bar {bar}: expected a bar from 1 to {self.n_bars}"
            raise GridError(msg)
        meter = self.meters[bar - 1]
        offset = (Fraction(beat) - 1) * Fraction(4 * self.steps_per_quarter, meter.denominator)
        if not 0 <= offset < self.starts[bar] - self.starts[bar - 1]:
            msg = f"bar {bar} beat {float(beat):g}: expected a beat from 1 to below {meter.numerator + 1} in {meter}"
            raise GridError(msg)
        if offset.denominator != 1:
            grid = f"a grid of {self.steps_per_quarter} a quarter"
            msg = f"bar {bar} beat {float(beat):g} falls between two steps of {grid}"
            raise GridError(msg)
        return int(self.starts[bar - 1]) + int(offset)

    def place(self, step: int) -> str:
        """Return a step as people count it, such as ``bar 3 beat 2.5``."""
        bar = int(self.bar_of(step))
        beat = 1 + Fraction(step - int(self.starts[bar]), self.steps_per_quarter) * self.meters[bar].denominator / 4
        return f"bar {bar + 1} beat {float(beat):.4g}"
