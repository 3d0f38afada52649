"""The feature space: a melody as one vector, for distances between pieces and for telling real from generated.

The axes, in :func:`axis_names`: pitch classes; intervals up to an octave, larger ones at the ends; note lengths; onsets
by place in the quarter note, in twelfths; note density, range, mean pitch, gaps and entropies; grooves, repetition and
similarity by lag. Shares and rates throughout, so that pieces of different lengths can stand side by side.

>>> import numpy as np
>>> tune = Melody(np.arange(8) * 4, np.full(8, 4), 60 + np.arange(8), np.array([0, 16, 32]), 4)
>>> vector = vector_of(tune)
>>> len(vector) == len(axis_names()), bool(np.isfinite(vector).all())
(True, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from symgen.evaluate.features import LENGTH_CLASSES, length_class
from symgen.evaluate.form import form_of
from symgen.evaluate.melody import Melody
from symgen.evaluate.statistics import Notes, empty_beat_rate, groove_consistency, pitch_class_entropy, pitch_entropy

__all__ = ["axis_names", "roll_of", "rows_of", "standardised", "vector_of"]

_OCTAVE = 12
_PLACES = 12  # of a quarter note: straight sixteenths and triplets both fall on them

Array = NDArray[np.float64]


def _shares(classes: NDArray[np.int64], n: int) -> Array:
    return np.asarray(np.bincount(classes, minlength=n) / max(len(classes), 1))


def _histograms(melody: Melody) -> dict[str, Array]:
    interval = np.clip(np.diff(melody.pitch), -_OCTAVE, _OCTAVE) + _OCTAVE
    place = np.round(melody.onset_quarters % 1 * _PLACES).astype(np.int64) % _PLACES
    return {
        "pitch class": _shares(melody.pitch % 12, 12),
        "interval": _shares(interval, 2 * _OCTAVE + 1),
        "length": _shares(length_class(melody.duration_quarters), len(LENGTH_CLASSES)),
        "place in the quarter": _shares(place, _PLACES),
    }


def _scalars(melody: Melody) -> dict[str, float]:
    n_steps = int(melody.bar_starts[-1])
    notes = Notes(melody.onset_steps, melody.duration_steps, melody.pitch, n_steps)
    gaps = np.diff(melody.onset_quarters)
    quarters = max(n_steps / melody.steps_per_quarter, 1e-9)
    return {
        "notes a quarter": melody.n_notes / quarters,
        "pitch range": float(np.ptp(melody.pitch)) if melody.n_notes else 0.0,
        "mean pitch": float(melody.pitch.mean()) if melody.n_notes else 60.0,
        "mean interval": float(np.abs(np.diff(melody.pitch)).mean()) if melody.n_notes > 1 else 0.0,
        "spread of gaps": float(gaps.std()) if len(gaps) else 0.0,
        "share of sound": float(melody.duration_steps.sum() / max(n_steps, 1)),
        "pitch entropy": pitch_entropy(notes),
        "pitch-class entropy": pitch_class_entropy(notes),
        "empty beats": empty_beat_rate(notes, melody.steps_per_quarter),
        "groove consistency": groove_consistency(notes, melody.bar_starts),
        **form_of(melody),
    }


def _axes(melody: Melody) -> dict[str, float]:
    named = {f"{name} {i}": float(v) for name, values in _histograms(melody).items() for i, v in enumerate(values)}
    return named | _scalars(melody)


@cache
def axis_names() -> tuple[str, ...]:
    """Return what the axes are, in order."""
    nothing = np.zeros(0, dtype=np.int64)
    return tuple(_axes(Melody(nothing, nothing, nothing, np.array([0, 4]), 1)))


def vector_of(melody: Melody) -> Array:
    """Return the vector of a melody, shape (len(axis_names()),); what a piece is too short for is 0."""
    return np.asarray(np.nan_to_num(np.array(list(_axes(melody).values()))))


def standardised(rows: Array, like: Array) -> Array:
    """Return rows (n, d) with each axis less the mean and over the deviation that it has in ``like`` (m, d).

    An axis on which ``like`` does not vary keeps its own scale.
    """
    spread = like.std(axis=0)
    scaled: Array = (rows - like.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return scaled


def rows_of(melodies: Sequence[Melody]) -> Array:
    """Return the vectors of melodies, shape (n, len(axis_names()))."""
    return np.stack([vector_of(melody) for melody in melodies])


def roll_of(melody: Melody, n_quarters: int) -> NDArray[np.uint8]:
    """Return a small picture of a melody for a network: onsets and sounding notes.

    Shape (2, 12 n_quarters, 48), 0 or 1: twelve places a quarter note; pitches 42 to 89, those outside brought in by
    octaves; what lies after ``n_quarters`` is left out.
    """
    low, n_pitches, n_steps = 42, 48, _PLACES * n_quarters
    roll = np.zeros((2, n_steps, n_pitches), dtype=np.uint8)
    onset = np.round(melody.onset_quarters * _PLACES).astype(np.int64)
    end = np.round((melody.onset_quarters + melody.duration_quarters) * _PLACES).astype(np.int64)
    row = melody.pitch - low
    row = np.where(row < 0, row % 12, np.where(row >= n_pitches, n_pitches - 12 + row % 12, row))
    for first, last, pitch in zip(onset.tolist(), end.tolist(), row.tolist(), strict=True):
        roll[0, first : first + 1, pitch] = 1
        roll[1, first:last, pitch] = 1
    return roll
