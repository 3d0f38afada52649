"""What a model is told before it makes music: key, metre, chords, style and form, step by step.

Everything is relative to the tonic, so that a piece and its transpositions are one and the same to a
model. Each step has one row of numbers (:data:`N_FEATURES` of them); the groups of columns are listed
in :data:`FEATURE_GROUPS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from symgen.grid import BarMap
from symgen.score import ChordChange, KeyChange
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter

__all__ = ["FEATURE_COLUMNS", "FEATURE_GROUPS", "N_FEATURES", "PHRASE_BARS", "STYLES", "Conditions", "tonic_shift"]

STYLES = ("folk", "lead-sheet", "chorale", "pop")
"""Styles a model can be told, in the order of their columns."""

PHRASE_BARS = 8
"""Bars of a phrase: the cycle in which the place of a bar is told."""

_LEVELS, _BEATS, _QUARTER_PLACES = 7, 8, 12
FEATURE_GROUPS = MappingProxyType(
    {
        "level": _LEVELS,
        "beat": _BEATS,
        "place in quarter": _QUARTER_PLACES,
        "bar phase": 6,
        "bar length": 2,
        "phrase": PHRASE_BARS,
        "last bar": 1,
        "chord": 12,
        "chord root": 12,
        "chord bass": 12,
        "chord known": 2,
        "scale": 12,
        "style": len(STYLES),
    }
)
"""How many columns each group has, in their order."""

FEATURE_COLUMNS = MappingProxyType(
    {
        name: slice(end - size, end)
        for (name, size), end in zip(FEATURE_GROUPS.items(), accumulate(FEATURE_GROUPS.values()), strict=True)
    }
)
"""Which columns each group has."""

N_FEATURES = sum(FEATURE_GROUPS.values())
"""How many numbers describe a step."""


def tonic_shift(key: Key) -> int:
    """Return the semitones, -6 to 5, that bring a key's tonic to C."""
    return -key.tonic.pitch_class if key.tonic.pitch_class <= 6 else 12 - key.tonic.pitch_class


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is known of a stretch of music before its notes.

    Parameters
    ----------
    bars
        The bars; ``bars.starts[0]`` is 0.
    key
        One key for all of it.
    chords
        Chord changes, ascending from step 0; empty means unknown.
    style
        One of :data:`STYLES`, or empty for unknown.
    first_bar
        Place of the first bar in its phrase, counted from 0.
    is_end
        Whether the last bar ends the piece.
    keys
        Changes to other keys within it, ascending; everything stays relative to ``key``, only the scale changes.
    """

    bars: BarMap
    key: Key
    chords: tuple[ChordChange, ...] = ()
    style: str = ""
    first_bar: int = 0
    is_end: bool = True
    keys: tuple[KeyChange, ...] = ()

    def features(self) -> NDArray[np.float32]:
        """Return the rows for a model, shape (n_steps, N_FEATURES)."""
        columns = [*self._place_columns(), *self._form_columns(), *self._chord_columns(), *self._piece_columns()]
        rows = np.concatenate(columns, axis=1, dtype=np.float32)
        assert rows.shape == (self.bars.end_steps, N_FEATURES)
        return rows

    def _place_columns(self) -> list[NDArray[np.float64]]:
        """Describe the place of each step in its bar."""
        parts = {meter: _place_in_bar(meter, self.bars.steps_per_quarter) for meter in set(self.bars.meters)}
        lengths = np.diff(self.bars.starts)
        return [np.concatenate([parts[m][:n] for m, n in zip(self.bars.meters, lengths, strict=True)])]

    def _form_columns(self) -> list[NDArray[np.float64]]:
        """Describe the place of each bar in the phrase and the piece."""
        n_bars = self.bars.n_bars
        phrase = np.eye(PHRASE_BARS)[(self.first_bar + np.arange(n_bars)) % PHRASE_BARS]
        last = np.zeros((n_bars, 1))
        last[-1] = self.is_end
        return [np.repeat(np.hstack([phrase, last]), np.diff(self.bars.starts), axis=0)]

    def _chord_columns(self) -> list[NDArray[np.float64]]:
        table = np.zeros((self.bars.end_steps, 38))
        edges = [change.onset_steps for change in self.chords] + [self.bars.end_steps]
        for change, start, end in zip(self.chords, edges[:-1], edges[1:], strict=True):
            table[start:end] = _chord_row(change.chord, self.key)
        return [table]

    def _piece_columns(self) -> list[NDArray[np.float64]]:
        scale = np.tile(np.isin(np.arange(12), self.key.semitones), (self.bars.end_steps, 1))
        for change in self.keys:
            tonic = change.key.tonic.pitch_class - self.key.tonic.pitch_class
            scale[change.onset_steps :] = np.isin((np.arange(12) - tonic) % 12, change.key.semitones)
        style = np.array([float(self.style == name) for name in STYLES])
        return [scale.astype(np.float64), np.tile(style, (self.bars.end_steps, 1))]


def _place_in_bar(meter: Meter, steps_per_quarter: int) -> NDArray[np.float64]:
    n_steps = meter.bar_steps(steps_per_quarter)
    steps = np.arange(n_steps)
    level = np.eye(_LEVELS)[np.minimum(meter.levels(steps_per_quarter), _LEVELS - 1)]
    beat_starts = [int(quarters * steps_per_quarter) for quarters in meter.beat_starts]
    beat = np.eye(_BEATS)[np.minimum(np.searchsorted(beat_starts, steps, side="right") - 1, _BEATS - 1)]
    quarter = np.eye(_QUARTER_PLACES)[steps % steps_per_quarter * _QUARTER_PLACES // steps_per_quarter]
    phase = 2 * np.pi * np.outer(steps / n_steps, [1, 2, 3])
    length = np.tile([float(meter.bar_quarters) / 4, float(meter.is_compound)], (n_steps, 1))
    return np.hstack([level, beat, quarter, np.sin(phase), np.cos(phase), length])


def _chord_row(chord: Chord, key: Key) -> NDArray[np.float64]:
    """Return chroma, root, bass and what is known of a chord, relative to the tonic."""
    row = np.zeros(38)
    tonic = key.tonic.pitch_class
    row[[(pc - tonic) % 12 for pc in chord.pitch_classes]] = 1
    if chord.root is not None and chord.bass_pitch_class is not None:
        row[12 + (chord.root.pitch_class - tonic) % 12] = 1
        row[24 + (chord.bass_pitch_class - tonic) % 12] = 1
    row[36] = 1
    row[37] = chord.is_none
    return row
