"""The walking bass: a note on every beat, drawn exactly from a simple prior under laws.

The laws: the chord's bass note where a chord starts; chord tones on strong beats; elsewhere chord tones, notes of the
chord's scale, or on the last beat before another chord a semitone from its bass note; what is foreign to the chord
goes on by step; no leap beyond an octave. The prior, in nats: a semitone of a move costs 0.25 and a repeated note 2,
a foreign note 0.6, and on the last beat before another chord being further than a step from its bass note 1.5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from symgen.band.frame import Span
from symgen.decode.trellis import Factor, Trellis, log_backward, sample_paths
from symgen.grid import BarMap
from symgen.score import KeyChange
from theory.chord import Chord
from theory.chordscale import chord_scale
from theory.meter import STRONG_LEVEL

__all__ = ["HIGHEST", "LOWEST", "walking_pitches"]

LOWEST, HIGHEST = 28, 48
"""From the lowest string of a double bass up to where the chords begin."""

_PER_SEMITONE, _REPEATED, _FOREIGN, _FAR = 0.25, 2.0, 0.6, 1.5
_STEP, _OCTAVE = 2, 12
_PITCHES = np.arange(LOWEST, HIGHEST + 1)


def walking_pitches(
    beats: Sequence[tuple[Span, int]], bars: BarMap, keys: Sequence[KeyChange], rng: np.random.Generator
) -> list[int]:
    """Return a pitch for each beat.

    Parameters
    ----------
    beats
        The span of each beat and the step it starts at, ascending.
    bars
        The bars of the piece.
    keys
        Key changes; without any the line keeps to the chords, but for chromatic approaches.
    rng
        Source of chance.
    """
    if not beats:
        return []
    levels = bars.levels()
    last = [i + 1 == len(beats) or beats[i + 1][0] is not span for i, (span, _) in enumerate(beats)]
    is_foreign = [~np.isin(_PITCHES % 12, sorted(span.chord.pitch_classes)) for span, _ in beats]
    rows = []
    for (span, step), is_last, foreign in zip(beats, last, is_foreign, strict=True):
        target = span.following if is_last and step > span.start else None
        rows.append(_slot(span, step, int(levels[step]), _key_at(keys, step), foreign, target))
    moves = tuple((_move(before, span.chord),) for before, (span, _) in zip(is_foreign, beats[1:], strict=False))
    trellis = Trellis(tuple(rows), moves)
    path = sample_paths(trellis, log_backward(trellis), rng)[0]
    return [int(_PITCHES[i]) for i in path]


def _key_at(keys: Sequence[KeyChange], step: int) -> KeyChange | None:
    return next((change for change in reversed(keys) if change.onset_steps <= step), None)


def _slot(
    span: Span,
    step: int,
    level: int,
    key: KeyChange | None,
    foreign: NDArray[np.bool_],
    target: Chord | None,
) -> NDArray[np.float64]:
    """Return the log weight of each pitch on a beat; ``target`` is the chord after it, if this is the last beat."""
    row = np.where(foreign, -np.inf, 0.0)
    if step == span.start:
        return np.where(span.chord.bass_pitch_class == _PITCHES % 12, 0.0, -np.inf)
    if level > STRONG_LEVEL and key is not None:
        row[foreign & np.isin(_PITCHES % 12, sorted(chord_scale(span.chord, key.key)))] = -_FOREIGN
    if target is not None and target.bass_pitch_class is not None:
        away = (_PITCHES - target.bass_pitch_class) % 12
        away = np.minimum(away, 12 - away)
        if level > STRONG_LEVEL:
            row[(away == 1) & foreign] = -_FOREIGN
        row[(away > _STEP) | (away == 0)] -= _FAR
    return row


def _move(foreign: NDArray[np.bool_], chord: Chord) -> Factor:
    """Return the weights of moves from a beat, some of whose pitches are foreign to its chord."""
    n = len(_PITCHES)
    size = np.abs(_PITCHES[:, None] - _PITCHES)
    table = -_PER_SEMITONE * size - _REPEATED * (size == 0)
    table[size > _OCTAVE] = -np.inf
    by_step = np.where((size > _STEP) | (size == 0), -np.inf, table)
    return Factor(np.arange(n) + n * foreign, np.arange(n), np.concatenate([table, by_step]))
