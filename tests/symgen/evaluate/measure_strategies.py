"""Melodies for the tests of measures, made by hypothesis."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from symgen.evaluate.melody import Melody


@st.composite
def melodies(draw: st.DrawFn, min_notes: int = 0, n_pitches: int = 4, max_bars: int = 6) -> Melody:
    """Melodies of few pitches and lengths, so that they repeat themselves; bars of eight steps, four a quarter."""
    n_bars = draw(st.integers(1 if min_notes < 8 else 3, max_bars))
    onsets = sorted(draw(st.sets(st.integers(0, 8 * n_bars - 1), min_size=min_notes, max_size=24)))
    pitches = draw(st.lists(st.integers(60, 59 + n_pitches), min_size=len(onsets), max_size=len(onsets)))
    gaps = np.diff([*onsets, 8 * n_bars])
    durations = [draw(st.integers(1, int(gap))) for gap in gaps] if onsets else []
    as_array = [np.array(values, dtype=np.int64) for values in (onsets, durations, pitches)]
    return Melody(*as_array, np.arange(n_bars + 1) * 8, 4)


def melody(*notes: tuple[int, int, int], n_bars: int = 1, bar_steps: int = 16) -> Melody:
    """Return a melody of rows of onset, duration and pitch, at four steps a quarter."""
    onset, duration, pitch = np.array(notes, dtype=np.int64).reshape(-1, 3).T
    return Melody(onset, duration, pitch, np.arange(n_bars + 1) * bar_steps, 4)
