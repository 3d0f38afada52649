"""Chord recognition: a chord for every beat of notes.

``chroma[t, c]`` is how long pitch class ``c`` sounds within beat ``t``, in beats, summed over the notes.
The chord of each beat is a state of a hidden Markov model: the notes of a beat are drawn from the
chord's template, the bass from its own, and a chord that changes is drawn from what is usual in the
key and after the chord before it. The best path is exact (Viterbi).

Two settings of the same model: one for full textures, where the notes spell the chord, and one for a
bare melody, where what is usual has to speak for what does not sound.

>>> import numpy as np
>>> chroma = np.zeros((8, 12))
>>> chroma[:4, [9, 0, 4]] = chroma[4:, [5, 9, 0]] = 1.0  # A C E for four beats, then F A C
>>> [str(chord) for chord in recognise_chords(chroma)]
['Am', 'Am', 'Am', 'Am', 'F', 'F', 'F', 'F']
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.chord import NO_CHORD, QUALITIES, Chord
from theory.errors import TheoryError
from theory.key import Key
from theory.profiles import find_key

__all__ = ["VOCABULARY", "recognise_chords"]

VOCABULARY = ("", "m", "7", "m7", "maj7", "sus4", "dim", "m7b5", "dim7", "aug")
"""The qualities that are told apart, by their suffix. A state is ``12 * quality + root``; the last one is no chord."""

_N_STATES = 12 * len(VOCABULARY) + 1
_FloatArray = NDArray[np.float64]

# How usual a chord is: the degrees of a major key and of a minor key, by semitones above the tonic and suffix.
_USUAL = MappingProxyType(
    {
        False: {
            (0, ""): 0.30, (7, ""): 0.14, (7, "7"): 0.12, (5, ""): 0.14, (9, "m"): 0.07, (2, "m"): 0.06,
            (2, "m7"): 0.02, (4, "m"): 0.02, (9, "m7"): 0.01, (2, "7"): 0.02, (2, ""): 0.01,
        },
        True: {
            (0, "m"): 0.30, (7, ""): 0.08, (7, "7"): 0.12, (5, "m"): 0.12, (3, ""): 0.08, (10, ""): 0.08,
            (8, ""): 0.06, (7, "m"): 0.03, (5, ""): 0.02, (10, "7"): 0.02, (2, "m7b5"): 0.01,
        },
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Settings:
    """The numbers of the model."""

    concentration: float  # how much a beat full of notes weighs
    chord_tone: float  # the part of a beat that belongs to the chord; the rest is spread over the others
    scale_tone: float  # of that rest, the part that lies in the key
    bass_weight: float
    usual_weight: float  # how much the key has to say
    change_strong: float  # log cost of a change on a strong beat, and on a weak one
    change_weak: float
    tonic_close: float  # log gain of closing on the tonic


_FULL = _Settings(
    concentration=8.0, chord_tone=0.85, scale_tone=0.8, bass_weight=1.0, usual_weight=0.5,
    change_strong=1.0, change_weak=3.0, tonic_close=0.0,
)  # fmt: skip
_MELODY = _Settings(
    concentration=3.0, chord_tone=0.85, scale_tone=0.9, bass_weight=0.0, usual_weight=1.0,
    change_strong=0.3, change_weak=3.0, tonic_close=2.0,
)  # fmt: skip


def recognise_chords(
    chroma: ArrayLike,
    *,
    bass: ArrayLike | None = None,
    key: Key | None = None,
    strong: ArrayLike | None = None,
    melody_only: bool = False,
) -> list[Chord]:
    """Return the chord of every beat.

    Parameters
    ----------
    chroma
        Shape (n_beats, 12): how long each pitch class sounds within each beat, in beats, not negative.
    bass
        Shape (n_beats,): the lowest pitch class of each beat, -1 where nothing sounds or it is not known.
    key
        Favours the chords that are usual there, and spells them. Left out, a full texture is read
        without such a preference and a melody in the key that :func:`theory.profiles.find_key` gives.
    strong
        Shape (n_beats,): 1 where a chord is likely to change, such as a bar line, 0 where it is not, and
        anything between; booleans will do. Left out, every beat is as good as another.
    melody_only
        Whether the notes are a bare melody, whose chords are only implied.

    Returns
    -------
    list of Chord
        One per beat; ``N.C.`` where nothing sounds for long enough.

    Raises
    ------
    TheoryError
        If a shape does not fit, or a duration is negative or not finite.

    Notes
    -----
    Time grows with the beats times the square of the 121 states.
    """
    durations = _check_chroma(chroma)
    n_beats = len(durations)
    lowest = _check_row("bass", bass, n_beats, -1, 11, default=-1).astype(np.int64)
    strength = _check_row("strong", strong, n_beats, 0, 1, default=1)
    if n_beats == 0:
        return []
    total = durations.sum(axis=0)
    found = key or (find_key(total) if total.max() > total.min() else Key.parse("C"))
    assumed = found if melody_only or key else None
    settings = _MELODY if melody_only else _FULL
    log_emission = _log_emission(durations, lowest, settings, assumed)
    log_change = _log_change(settings, assumed)
    change_cost = settings.change_weak + strength * (settings.change_strong - settings.change_weak)
    path = _viterbi(log_emission, log_change, change_cost)
    names = {state: _chord_of(state, found) for state in set(path.tolist())}
    return [names[state] for state in path.tolist()]


def _viterbi(log_emission: _FloatArray, log_change: _FloatArray, change_cost: _FloatArray) -> NDArray[np.int64]:
    """Return the best path ``state[t]``.

    Parameters
    ----------
    log_emission
        Shape (n_beats, n_states).
    log_change
        Shape (n_states, n_states): of the change from the first state to the second; 0 on the diagonal.
    change_cost
        Shape (n_beats,): what a change into that beat costs beside; of the first beat it is not used.
    """
    n_beats, n_states = log_emission.shape
    costs = 1.0 - np.eye(n_states)
    came_from = np.zeros((n_beats, n_states), dtype=np.int64)
    score = log_emission[0]
    states = np.arange(n_states)
    for beat in range(1, n_beats):
        candidates = score[:, None] + (log_change - change_cost[beat] * costs)
        came_from[beat] = candidates.argmax(axis=0)
        score = candidates[came_from[beat], states] + log_emission[beat]
    path = np.empty(n_beats, dtype=np.int64)
    path[-1] = score.argmax()
    for beat in range(n_beats - 1, 0, -1):
        path[beat - 1] = came_from[beat, path[beat]]
    return path


def _log_emission(durations: _FloatArray, bass: NDArray[np.int64], settings: _Settings, key: Key | None) -> _FloatArray:
    """Return how well each state explains each beat, shape (n_beats, n_states)."""
    totals = durations.sum(axis=1, keepdims=True)
    share = durations / np.maximum(totals, 1.0)  # a beat that is partly silent weighs less
    result = settings.concentration * share @ _log_templates(settings, key).T
    result[:, -1] += settings.concentration * (1 - share.sum(axis=1)) * 0.5
    result[bass >= 0] += settings.bass_weight * _log_bass()[:, bass[bass >= 0]].T
    if key is not None:
        result[-1] += settings.tonic_close * _is_tonic(key)
        result[0] += settings.usual_weight * _log_usual(key.tonic.pitch_class, key.is_minor)
    return result


def _log_templates(settings: _Settings, key: Key | None) -> _FloatArray:
    """Return the log weight of each pitch class in each state, shape (n_states, 12)."""
    in_chord = _members()
    in_key = np.isin(np.arange(12), list(key.pitch_classes)) if key else np.ones(12, dtype=bool)
    others = np.where(in_key, settings.scale_tone / 7, (1 - settings.scale_tone) / 5) if key else np.full(12, 1 / 12)
    outside = np.where(in_chord > 0, 0.0, others)
    outside /= outside.sum(axis=1, keepdims=True)
    weights = settings.chord_tone * in_chord + (1 - settings.chord_tone) * outside
    weights[-1] = 1 / 24
    result: _FloatArray = np.log(weights)
    return result


@cache
def _members() -> _FloatArray:
    """Return the share of each pitch class in each chord, shape (n_states, 12); the last row is 0."""
    shares = np.zeros((_N_STATES, 12))
    for index, suffix in enumerate(VOCABULARY):
        row = np.zeros(12)
        for semitone in QUALITIES[suffix]:
            row[semitone] = {0: 1.3, 9: 0.9, 10: 0.7, 11: 0.7}.get(semitone, 1.0)
        for root in range(12):
            shares[12 * index + root] = np.roll(row / row.sum(), root)
    return shares


@cache
def _log_bass() -> _FloatArray:
    """Return how well each pitch class serves as the bass of each state, shape (n_states, 12)."""
    weights = np.where(_members() > 0, 0.08, 0.02)
    states = np.arange(_N_STATES - 1)
    weights[states, states % 12] = 0.7
    weights[-1] = 0.05
    return np.log(weights)


def _is_tonic(key: Key) -> _FloatArray:
    marks = np.zeros(_N_STATES)
    marks[12 * VOCABULARY.index("m" if key.is_minor else "") + key.tonic.pitch_class] = 1.0
    return marks


@cache
def _log_usual(tonic: int, is_minor: bool) -> _FloatArray:
    """Return how usual each state is in a key, shape (n_states,)."""
    weights = np.full(_N_STATES, 0.0005)
    for (degree, suffix), weight in _USUAL[is_minor].items():
        weights[12 * VOCABULARY.index(suffix) + (tonic + degree) % 12] = weight
    result: _FloatArray = np.log(weights / weights.sum())
    return result


def _log_change(settings: _Settings, key: Key | None) -> _FloatArray:
    """Return the log weight of each change of chord, shape (n_states, n_states), 0 where nothing changes."""
    usual = np.zeros(_N_STATES)
    if key is not None:
        usual = settings.usual_weight * _log_usual(key.tonic.pitch_class, key.is_minor)
    result = np.tile(usual, (_N_STATES, 1))
    np.fill_diagonal(result, 0.0)
    return result


def _chord_of(state: int, key: Key) -> Chord:
    quality, root = divmod(state, 12)
    if quality == len(VOCABULARY):
        return NO_CHORD
    return Chord(key.spell(root), QUALITIES[VOCABULARY[quality]])


def _check_chroma(chroma: ArrayLike) -> _FloatArray:
    durations = np.asarray(chroma, dtype=np.float64)
    if durations.ndim != 2 or durations.shape[1] != 12:
        msg = f"chroma of shape {durations.shape}: expected (beats, 12)"
        raise TheoryError(msg)
    wrong = ~(np.isfinite(durations) & (durations >= 0))
    if wrong.any():
        beat, pitch_class = (int(i) for i in np.argwhere(wrong)[0])
        msg = f"chroma[{beat}, {pitch_class}] is {durations[beat, pitch_class]}: expected a finite duration from 0"
        raise TheoryError(msg)
    return durations


def _check_row(name: str, row: ArrayLike | None, n_beats: int, low: int, high: int, *, default: int) -> _FloatArray:
    """Return a value per beat, checked, or the default everywhere."""
    if row is None:
        return np.full(n_beats, float(default))
    values = np.asarray(row, dtype=np.float64)
    if values.shape != (n_beats,):
        msg = f"{name} of shape {values.shape}: expected ({n_beats},), a value for each beat"
        raise TheoryError(msg)
    wrong = ~((values >= low) & (values <= high))
    if wrong.any():
        beat = int(np.argmax(wrong))
        msg = f"{name}[{beat}] is {values[beat]:g}: expected {low} to {high}"
        raise TheoryError(msg)
    return values
