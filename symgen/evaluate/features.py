"""The nine features that Yang and Lerch compare sets of melodies by.

Each takes a :class:`~symgen.evaluate.melody.Melody` and gives a vector: one number, a histogram or a transition matrix
laid out row by row. Times are quarter notes, pitches semitones.

>>> import numpy as np
>>> scale = np.array([60, 62, 64, 65])
>>> melody = Melody(np.arange(4) * 4, np.full(4, 4), scale, np.array([0, 16]), 4)
>>> [float(FEATURES[name](melody)[0]) for name in ("pitch count", "pitch range", "mean interval", "mean onset gap")]
[4.0, 5.0, 1.6666666666666667, 1.0]
>>> FEATURES["note lengths"](melody).tolist().index(1.0)  # the row of quarter notes
2

References
----------
Yang and Lerch, "On the evaluation of generative models in music", Neural Computing and Applications 32, 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from symgen.evaluate.melody import Melody

__all__ = ["FEATURES", "LENGTH_CLASSES", "feature_rows", "length_class"]

Vector = NDArray[np.float64]

LENGTH_CLASSES = (4, 2, 1, 1 / 2, 1 / 4, 3, 3 / 2, 3 / 4, 3 / 8, 4 / 3, 2 / 3, 1 / 3)
"""Note lengths in quarter notes: whole to sixteenth, dotted half to dotted sixteenth, triplets of half to eighth."""


def length_class(durations_quarters: Vector) -> NDArray[np.int64]:
    """Return for each duration in quarter notes the row of the nearest length; of two equally near the first."""
    distance = np.abs(np.asarray(durations_quarters)[:, None] - np.array(LENGTH_CLASSES)[None, :])
    return np.asarray(np.argmin(distance, axis=1))


def _scalar(value: float) -> Vector:
    return np.array([float(value)])


def _mean(values: NDArray[np.int64] | Vector) -> Vector:
    """Return the mean; NaN of nothing."""
    return _scalar(float(np.mean(values)) if len(values) else np.nan)


def _histogram(classes: NDArray[np.int64], n_classes: int) -> Vector:
    """Return shares, all zero of nothing."""
    counts = np.bincount(classes, minlength=n_classes).astype(np.float64)
    return np.asarray(counts / max(counts.sum(), 1.0))


def _transitions(classes: NDArray[np.int64], n_classes: int) -> Vector:
    """Return shares of moves from class i to class j, at place ``i * n_classes + j``; they sum to 1."""
    return _histogram(classes[:-1] * n_classes + classes[1:], n_classes**2)


def _lengths(melody: Melody) -> NDArray[np.int64]:
    return length_class(melody.duration_quarters)


FEATURES: Mapping[str, Callable[[Melody], Vector]] = MappingProxyType(
    {
        "pitch count": lambda m: _scalar(len(np.unique(m.pitch))),
        "pitch classes": lambda m: _histogram(m.pitch % 12, 12),
        "pitch-class moves": lambda m: _transitions(m.pitch % 12, 12),
        "pitch range": lambda m: _scalar(float(np.ptp(m.pitch)) if m.n_notes else np.nan),
        "mean interval": lambda m: _mean(np.abs(np.diff(m.pitch))),
        "note count": lambda m: _scalar(m.n_notes),
        "mean onset gap": lambda m: _mean(np.diff(m.onset_quarters)),
        "note lengths": lambda m: _histogram(_lengths(m), len(LENGTH_CLASSES)),
        "note-length moves": lambda m: _transitions(_lengths(m), len(LENGTH_CLASSES)),
    }
)
"""By name; the intervals are absolute, and an onset gap runs from one note's start to the next one's."""


def feature_rows(melodies: Sequence[Melody]) -> dict[str, NDArray[np.float64]]:
    """Return every feature of every melody: by name, shape (n_melodies, width)."""
    return {name: np.stack([feature(m) for m in melodies]) for name, feature in FEATURES.items()}
