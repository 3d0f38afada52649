"""Form: which bars are like which.

A bar is what starts in it: onsets within the bar, durations up to the bar line, pitches. Bars without any note are
like each other, and count neither as repeating nor as repeated.

>>> from symgen.score import Note, Score, Track
>>> notes = [Note(0, 4, 60), Note(16, 4, 62), Note(32, 4, 60), Note(48, 2, 60)]
>>> melody = melody_of(Score(4, (Track("Melody", tuple(notes)),), end_steps=64))
>>> repeated_bars(melody), repeated_rhythms(melody), transposed_bars(melody)
(0.25, 0.5, 0.5)
>>> self_similarity(melody).astype(int).tolist()
[[1, 0, 1, 1], [0, 1, 0, 0], [1, 0, 1, 1], [1, 0, 1, 1]]
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from symgen.evaluate.melody import Melody, melody_of

__all__ = [
    "LAGS",
    "form_of",
    "lag_profile",
    "melody_of",
    "phrase_repetition",
    "repeated_bars",
    "repeated_rhythms",
    "self_similarity",
    "transposed_bars",
]

LAGS = (1, 2, 4, 8, 16)
"""Distances in bars at which pieces are held against themselves."""

Bar = tuple[tuple[int, ...], ...]  # rows of onset, duration, pitch


def _bars(melody: Melody) -> list[Bar]:
    return [tuple(map(tuple, melody.notes_of_bar(bar).tolist())) for bar in range(melody.n_bars)]


def _rhythm(bar: Bar) -> Bar:
    return tuple(row[:2] for row in bar)


def _shape(bar: Bar) -> Bar:
    """Return a bar with pitches counted from its first one."""
    return tuple((onset, duration, pitch - bar[0][2]) for onset, duration, pitch in bar)


def self_similarity(melody: Melody) -> NDArray[np.float64]:
    """Return how alike bars i and j are, shape (n_bars, n_bars), 0 to 1.

    Twice the number of notes they share (same place in the bar, same pitch) over the number they have: 1 on the
    diagonal, and for two bars without notes.
    """
    sets = [{(onset, pitch) for onset, _, pitch in bar} for bar in _bars(melody)]
    n = len(sets)
    similar = np.ones((n, n))
    for i in range(n):
        for j in range(i):
            total = len(sets[i]) + len(sets[j])
            similar[i, j] = similar[j, i] = 2 * len(sets[i] & sets[j]) / total if total else 1.0
    return similar


def lag_profile(melody: Melody, lags: Sequence[int] = LAGS) -> NDArray[np.float64]:
    """Return the mean similarity of bars so many bars apart, shape (len(lags),); NaN where the piece is too short."""
    similar = self_similarity(melody)
    return np.array([np.diag(similar, lag).mean() if lag < len(similar) else np.nan for lag in lags])


def _share_repeated(bars: Sequence[Bar], view: Callable[[Bar], Hashable]) -> float:
    """Return the share of the bars with notes that look like an earlier one; NaN of none."""
    seen: set[Hashable] = set()
    found = []
    for bar in bars:
        if bar:
            found.append(view(bar) in seen)
            seen.add(view(bar))
    return float(np.mean(found)) if found else float("nan")


def repeated_bars(melody: Melody) -> float:
    """Return the share of bars with notes that repeat an earlier one note for note."""
    return _share_repeated(_bars(melody), lambda bar: bar)


def repeated_rhythms(melody: Melody) -> float:
    """Return the share of bars with notes that have the onsets and durations of an earlier one."""
    return _share_repeated(_bars(melody), _rhythm)


def transposed_bars(melody: Melody) -> float:
    """Return the share of bars with notes that repeat an earlier one at any pitch: same rhythm, same intervals."""
    return _share_repeated(_bars(melody), _shape)


def phrase_repetition(melody: Melody, n_bars: int = 4) -> float:
    """Return the share of bars that belong to a phrase which returns or is itself a return, note for note.

    A phrase is a run of ``n_bars`` bars with at least one note; it returns where an equal run starts at least
    ``n_bars`` bars later. NaN of pieces shorter than two phrases.
    """
    bars = _bars(melody)
    if len(bars) < 2 * n_bars:
        return float("nan")
    part_of = np.zeros(len(bars), dtype=bool)
    places: dict[tuple[Bar, ...], int] = {}
    for start in range(len(bars) - n_bars + 1):
        phrase = tuple(bars[start : start + n_bars])
        first = places.setdefault(phrase, start)
        if any(phrase) and start - first >= n_bars:
            part_of[first : first + n_bars] = part_of[start : start + n_bars] = True
    return float(part_of.mean())


def form_of(melody: Melody) -> dict[str, float]:
    """Return all of these of a melody by name."""
    lags = {f"similarity at {lag} bars": float(v) for lag, v in zip(LAGS, lag_profile(melody), strict=True)}
    return {
        "bars repeated": repeated_bars(melody),
        "bars repeated, transposed": transposed_bars(melody),
        "rhythms repeated": repeated_rhythms(melody),
        "phrases of 4 bars repeated": phrase_repetition(melody),
        "phrases of 2 bars repeated": phrase_repetition(melody, 2),
        **lags,
    }
