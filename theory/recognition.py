"""Chord recognition: a chord for every beat of notes.

``chroma[t, c]`` is how long pitch class ``c`` sounds within beat ``t``, in beats, summed over the notes.
The chords are the states of a chain: the notes of a beat are scored by the chord's template and its
bass by another, and a change of chord by what is usual in the key and after the chord before it. The
best path is exact (Viterbi).

The same model has two settings: one for full textures, where the notes spell the chord, and one for
bare melodies, where what is usual has to speak for what does not sound.

>>> import numpy as np
>>> chroma = np.zeros((8, 12))
>>> chroma[:4, [9, 0, 4]] = chroma[4:, [5, 9, 0]] = 1.0  # A C E for four beats, then F A C
>>> [str(chord) for chord in recognise_chords(chroma)]
['Am', 'Am', 'Am', 'Am', 'F', 'F', 'F', 'F']
>>> tune = np.eye(12)[[0, 0, 7, 7, 9, 9, 7, 7, 5, 5, 4, 4, 2, 2, 0, 0]]  # a beat each
>>> chords = recognise_chords(tune, strong=[1, 0, 0.5, 0] * 4, melody_only=True)
>>> " ".join(str(chord) for chord in chords[::2])
'C C F C F C G C'
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.chord import NO_CHORD, QUALITIES, Chord
from theory.errors import TheoryError
from theory.key import Key
from theory.paths import best_path
from theory.profiles import find_key

__all__ = ["VOCABULARY", "recognise_chords"]

_FloatArray = NDArray[np.float64]

_HOW_USUAL = MappingProxyType(
    {"": 0.5, "m": 0.3, "7": 0.05, "m7": 0.05, "maj7": 0.04, "sus4": 0.03, "sus2": 0.03}
    | {"dim": 0.01, "m7b5": 0.01, "dim7": 0.005, "aug": 0.005}
)  # how usual each quality is in a full texture; no chord at all is as usual as _NONE
_NONE = 0.02

VOCABULARY = tuple(_HOW_USUAL)
"""The qualities that are told apart, by their suffix."""

# How usual each chord is below a melody: the root in semitones above the tonic, the quality, and parts
# of a thousand; first in major, then in minor, then in the two modes that folk tunes have beside them.
_BELOW_MELODY = MappingProxyType(
    {
        "major": (
            (0, "", 320), (7, "7", 160), (5, "", 130), (7, "", 90), (2, "m", 50), (9, "m", 50), (2, "m7", 30),
            (2, "7", 30), (9, "7", 20), (0, "7", 15), (4, "m", 12), (4, "7", 10), (9, "m7", 10), (10, "", 10),
            (5, "m", 5), (2, "", 5), (11, "dim", 2),
        ),
        "minor": (
            (0, "m", 300), (7, "7", 130), (10, "", 110), (5, "m", 100), (3, "", 90), (8, "", 50), (7, "", 40),
            (7, "m", 40), (10, "7", 30), (5, "", 25), (2, "m7b5", 10), (2, "dim", 10), (0, "", 10), (0, "7", 10),
            (2, "7", 10), (5, "m7", 10),
        ),
        "mixolydian": (
            (0, "", 380), (10, "", 240), (5, "", 130), (7, "m", 50), (2, "m", 40), (9, "m", 40), (7, "", 40),
            (7, "7", 20), (10, "7", 10), (0, "7", 10), (3, "", 5),
        ),
        "dorian": (
            (0, "m", 380), (10, "", 240), (5, "", 80), (3, "", 70), (7, "m", 60), (7, "", 30), (2, "m", 20),
            (5, "m", 20), (7, "7", 20), (8, "", 10), (10, "7", 10),
        ),
    }
)  # fmt: skip

# How often the root moves up by each number of semitones when the chord changes: mostly by a fourth.
_ROOT_MOTION = (0.08, 0.02, 0.09, 0.03, 0.04, 0.41, 0.02, 0.17, 0.02, 0.06, 0.04, 0.03)

_SEVENTHS = frozenset({9, 10, 11})


@dataclass(frozen=True, slots=True)
class _Settings:
    """The numbers of the model; logs are natural."""

    concentration: float  # how much a beat full of notes counts
    power: float  # the durations are raised to it, so that a doubled note need not count twice
    accent: float  # how much more the notes on a strong beat count than those on a weak one
    chord_tones: float  # the part of a beat that is expected to belong to the chord
    scale_tones: float  # of the rest, the part that is expected to lie in the key
    root: float  # the parts of the root, the third (or what stands for it) and the seventh; the fifth has 1
    third: float
    seventh: float
    usual: float  # how much it counts what is usual, and what the root does
    motion: float
    change_strong: float  # log cost of a change on a strong beat, and on a weak one
    change_weak: float
    close: float  # log gain of closing on the tonic chord


# Found by coordinate search: full textures against the labels of POP909, melodies against the chord
# symbols of OpenEWLD's lead sheets and of Nottingham's folk tunes, on half of each.
_FULL = _Settings(
    concentration=6.0, power=0.5, accent=0.3, chord_tones=0.75, scale_tones=0.8, root=1.15, third=0.85, seventh=0.85,
    usual=1.0, motion=0.0, change_strong=0.5, change_weak=3.0, close=0.0,
)  # fmt: skip
_MELODY = _Settings(
    concentration=4.0, power=1.0, accent=0.6, chord_tones=0.8, scale_tones=0.8, root=1.15, third=1.0, seventh=0.5,
    usual=1.2, motion=1.0, change_strong=-1.0, change_weak=3.0, close=1.0,
)  # fmt: skip
_SILENCE = 0.8  # how much a silent beat of a full texture speaks for no chord, in units of the concentration
_IN_KEY = 1.0  # log gain of a change to a chord of the key, in a full texture
_BASS = (0.55, 0.7, 0.05, 0.02)  # how much the bass counts; its chance to be the root, another chord tone, another note


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
        Shape (n_beats,): the lowest pitch class of each beat, -1 where nothing sounds or it is not
        known. Not used for a melody.
    key
        Favours the chords that are usual there, and spells them. Left out, it is what
        :func:`theory.profiles.find_key` gives, and a full texture is read without a preference.
    strong
        Shape (n_beats,): 1 where a chord is likely to change, 0 where it is not, and anything between; the
        settings were tuned with 1 on downbeats, 0.5 on other strong beats and 0 elsewhere. Left out, every
        beat is as good as another.
    melody_only
        Whether the notes are a bare melody, whose chords are only implied. Its rests have chords too.

    Returns
    -------
    list of Chord
        One per beat, of the qualities in :data:`VOCABULARY`, without a bass; ``N.C.`` where a full
        texture is silent, and everywhere if nothing sounds at all.

    Raises
    ------
    TheoryError
        If a shape does not fit, or a value is out of its range.

    Notes
    -----
    The time grows with the beats times the square of the states: 133 for a full texture, at most 17 for
    a melody.
    """
    durations = _check_chroma(chroma)
    n_beats = len(durations)
    lowest = _check_row("bass", bass, n_beats, -1, 11, default=-1).astype(np.int64)
    strength = _check_row("strong", strong, n_beats, 0, 1, default=0.5)
    total = durations.sum(axis=0)
    if not total.any():
        return [NO_CHORD] * n_beats
    found = key or (find_key(total) if total.max() > total.min() else Key.parse("C"))
    settings = _MELODY if melody_only else _FULL
    model = _melody_model(found) if melody_only else _full_model(key)
    log_emission = _log_emission(model, settings, durations, strength)
    if not melody_only:
        log_emission += model.log_bass[:, lowest].T
    path = best_path(
        log_emission + model.log_ends(n_beats),
        model.log_change,
        settings.change_weak + strength * (settings.change_strong - settings.change_weak),
    )
    chords = {state: model.chord(state, found) for state in set(path.tolist())}
    return [chords[state] for state in path.tolist()]


@dataclass(frozen=True, slots=True)
class _Model:
    """The states and their scores; the root of the state for no chord is -1."""

    roots: NDArray[np.int64]  # (n_states,)
    suffixes: tuple[str, ...]
    log_templates: _FloatArray  # (n_states, 12)
    log_bass: _FloatArray  # (n_states, 13); the last column is for a bass that is not known
    log_usual: _FloatArray  # (n_states,)
    log_change: _FloatArray  # (n_states, n_states)
    log_close: _FloatArray  # (n_states,)

    def log_ends(self, n_beats: int) -> _FloatArray:
        """Return what the first and the last beat add to the emissions, shape (n_beats, n_states)."""
        result = np.zeros((n_beats, len(self.roots)))
        result[0] += self.log_usual
        result[-1] += self.log_close
        return result

    def chord(self, state: int, key: Key) -> Chord:
        root = int(self.roots[state])
        return NO_CHORD if root < 0 else Chord(key.spell(root), QUALITIES[self.suffixes[state]])


@lru_cache(maxsize=64)
def _melody_model(key: Key) -> _Model:
    mode = key.mode if key.mode in _BELOW_MELODY else "minor" if key.is_minor else "major"
    rows = _BELOW_MELODY[mode]
    roots = np.array([(key.tonic.pitch_class + degree) % 12 for degree, _, _ in rows])
    weights = np.array([weight for _, _, weight in rows], dtype=np.float64)
    return _model(roots, tuple(suffix for _, suffix, _ in rows), np.log(weights / weights.sum()), _MELODY, key)


@lru_cache(maxsize=64)
def _full_model(key: Key | None) -> _Model:
    roots = np.array([*range(12)] * len(VOCABULARY) + [-1])
    suffixes = tuple(suffix for suffix in VOCABULARY for _ in range(12))
    log_usual = np.log([*(_HOW_USUAL[suffix] for suffix in suffixes), _NONE])
    if key is not None:
        scale = _scale_of(key)
        chords = zip(roots.tolist(), suffixes, strict=False)
        inside = [all((root + s) % 12 in scale for s in QUALITIES[suffix]) for root, suffix in chords]
        log_usual += _IN_KEY * np.array([*inside, False])
    return _model(roots, suffixes, log_usual, _FULL, key)


def _model(
    roots: NDArray[np.int64], suffixes: tuple[str, ...], log_usual: _FloatArray, settings: _Settings, key: Key | None
) -> _Model:
    """Score the states; ``roots`` may have one more entry than ``suffixes``, for no chord."""
    motion = np.log(np.array(_ROOT_MOTION) * 12)[(roots[None, :] - roots[:, None]) % 12]
    motion[(roots[:, None] < 0) | (roots[None, :] < 0)] = 0.0
    log_usual = settings.usual * log_usual
    tonic = (key.tonic.pitch_class, "m" if key.is_minor else "") if key else (None, "")
    closes = [pair == tonic for pair in zip(roots.tolist(), (*suffixes, "")[: len(roots)], strict=True)]
    return _Model(
        roots,
        suffixes,
        _log_templates(roots, suffixes, settings, key),
        _log_bass(roots, suffixes),
        log_usual,
        log_usual + settings.motion * motion,
        settings.close * np.array(closes, dtype=np.float64),
    )


def _log_templates(
    roots: NDArray[np.int64], suffixes: tuple[str, ...], settings: _Settings, key: Key | None
) -> _FloatArray:
    """Return the log weight of each pitch class in each state, shape (n_states, 12)."""
    scale = np.isin(np.arange(12), list(_scale_of(key)))
    n_scale = int(scale.sum())
    plain = np.where(scale, settings.scale_tones / n_scale, (1 - settings.scale_tones) / max(12 - n_scale, 1))
    rows = np.full((len(roots), 12), 1 / 24)  # no chord: half of what even weights would give
    for state, (root, suffix) in enumerate(zip(roots.tolist(), suffixes, strict=False)):
        inside = np.zeros(12)
        for semitone in QUALITIES[suffix]:
            inside[(root + semitone) % 12] = _member_weight(semitone, settings)
        outside = np.where(inside > 0, 0.0, plain)
        rows[state] = settings.chord_tones * inside / inside.sum()
        rows[state] += (1 - settings.chord_tones) * outside / outside.sum()
    result: _FloatArray = np.log(rows)
    return result


def _log_bass(roots: NDArray[np.int64], suffixes: tuple[str, ...]) -> _FloatArray:
    """Return the log weight of each bass in each state, shape (n_states, 13)."""
    weight, at_root, at_member, elsewhere = _BASS
    chances = np.full((len(roots), 13), elsewhere)
    for state, (root, suffix) in enumerate(zip(roots.tolist(), suffixes, strict=False)):
        chances[state, [(root + semitone) % 12 for semitone in QUALITIES[suffix]]] = at_member
        chances[state, root] = at_root
    chances[roots < 0] = at_member
    chances[:, -1] = 1.0
    result: _FloatArray = weight * np.log(chances)
    return result


def _member_weight(semitone: int, settings: _Settings) -> float:
    if semitone == 0:
        return settings.root
    if semitone in _SEVENTHS:
        return settings.seventh
    return settings.third if semitone < 6 else 1.0


def _scale_of(key: Key | None) -> frozenset[int]:
    """Return the pitch classes of the key, with the leading tone that minor keys borrow; all without a key."""
    if key is None:
        return frozenset(range(12))
    return key.pitch_classes | ({(key.tonic.pitch_class + 11) % 12} if key.is_minor else set())


def _log_emission(model: _Model, settings: _Settings, durations: _FloatArray, strength: _FloatArray) -> _FloatArray:
    """Return how well each state explains the notes of each beat, shape (n_beats, n_states)."""
    presence = durations**settings.power
    share = presence / np.maximum(presence.sum(axis=1, keepdims=True), 1.0)  # a beat half silent counts half
    result: _FloatArray = share @ model.log_templates.T
    result[:, model.roots < 0] += _SILENCE * (1 - share.sum(axis=1, keepdims=True))
    result *= settings.concentration * (1 + settings.accent * (strength[:, None] - 0.5))
    return result


def _check_chroma(chroma: ArrayLike) -> _FloatArray:
    durations = np.asarray(chroma, dtype=np.float64)
    if durations.ndim != 2 or durations.shape[1] != 12:
        msg = f"chroma of shape {durations.shape}: expected (beats, 12)"
        raise TheoryError(msg)
    wrong = ~(np.isfinite(durations) & (durations >= 0))
    if wrong.any():
        beat, pitch_class = (int(i) for i in np.argwhere(wrong)[0])
        msg = f"chroma[{beat}, {pitch_class}] is {durations[beat, pitch_class]:g}: expected a finite duration from 0"
        raise TheoryError(msg)
    return durations


def _check_row(name: str, row: ArrayLike | None, n_beats: int, low: int, high: int, *, default: float) -> _FloatArray:
    """Return a value per beat, checked, or the default everywhere."""
    if row is None:
        return np.full(n_beats, default)
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
