"""Music to measure with, where no corpus is needed or none is there."""

from __future__ import annotations

import numpy as np

from symgen.grid import BarMap
from symgen.score import Note, Score, TempoChange, Track
from theory.meter import Meter

__all__ = ["busy_score", "whole_bars"]

_PARTS = (("Melody", 400, 60, 84, 65), ("Bridge", 200, 55, 79, 24), ("Piano", 1000, 36, 84, 0))


def busy_score(rng: np.random.Generator, *, n_quarters: int = 300, steps_per_quarter: int = 12) -> Score:
    """Return a score the size of a pop song: three tracks, 1,600 notes, some three minutes.

    Parameters
    ----------
    rng
        Source of chance.
    n_quarters
        Length; the number of notes follows from it.
    steps_per_quarter
        The grid.
    """
    end = n_quarters * steps_per_quarter
    tracks = []
    for name, n_notes, low, high, program in _PARTS:
        n = n_notes * n_quarters // 300
        onsets = np.sort(rng.integers(0, end - 2 * steps_per_quarter, n))
        lengths, pitches = rng.integers(2, 2 * steps_per_quarter, n), rng.integers(low, high + 1, n)
        rows = zip(onsets.tolist(), lengths.tolist(), pitches.tolist(), rng.integers(50, 110, n).tolist(), strict=True)
        tracks.append(Track(name, tuple(Note(*row) for row in rows), program))
    return Score(steps_per_quarter, tuple(tracks), (TempoChange(0, 90.0),), end_steps=end)


def whole_bars(n_bars: int, steps_per_quarter: int) -> BarMap:
    """Return bars of common time."""
    meter = Meter(4, 4)
    end = n_bars * meter.bar_steps(steps_per_quarter)
    return BarMap.build([(0, meter)], steps_per_quarter=steps_per_quarter, end_steps=end)
