"""Cadences: how two chords close a phrase in a key.

Each predicate looks at the last two chords. Where the soprano is known its degree (1 is the tonic) tells a perfect
authentic cadence from an imperfect one; where it is not, root position alone decides.

>>> key = Key.parse("A minor")
>>> [str(cadence_of(Chord.parse(a), Chord.parse(b), key)) for a, b in (("E7", "Am"), ("Dm/F", "E"), ("E", "F"))]
['perfect authentic', 'phrygian half', 'deceptive']
>>> str(cadence_of(Chord.parse("E7"), Chord.parse("Am"), key, soprano=3))
'imperfect authentic'

References
----------
Caplin, "The Classical Cadence: Conceptions and Misconceptions", JAMS 57, 2004; Aldwell, Schachter and Cadwallader,
"Harmony and Voice Leading".
"""

from __future__ import annotations

from enum import StrEnum

from theory.chord import Chord
from theory.key import Key

__all__ = [
    "Cadence",
    "cadence_of",
    "is_authentic",
    "is_deceptive",
    "is_half",
    "is_perfect_authentic",
    "is_phrygian_half",
    "is_plagal",
]

_SEVENTHS = frozenset({9, 10, 11})


class Cadence(StrEnum):
    """How a phrase closes."""

    PERFECT_AUTHENTIC = "perfect authentic"
    IMPERFECT_AUTHENTIC = "imperfect authentic"
    PHRYGIAN_HALF = "phrygian half"
    HALF = "half"
    PLAGAL = "plagal"
    DECEPTIVE = "deceptive"


def cadence_of(before: Chord, last: Chord, key: Key, *, soprano: int | None = None) -> Cadence | None:
    """Return the cadence that two chords make, the most particular one; ``None`` if they make none.

    Parameters
    ----------
    before, last
        The last two chords of a phrase.
    key
        The local key.
    soprano
        Degree of the highest note of the last chord, 1 to 7, if known.
    """
    if is_perfect_authentic(before, last, key, soprano=soprano):
        return Cadence.PERFECT_AUTHENTIC
    tests = (
        (is_authentic, Cadence.IMPERFECT_AUTHENTIC),
        (is_phrygian_half, Cadence.PHRYGIAN_HALF),
        (is_half, Cadence.HALF),
        (is_plagal, Cadence.PLAGAL),
        (is_deceptive, Cadence.DECEPTIVE),
    )
    return next((cadence for test, cadence in tests if test(before, last, key)), None)


def is_authentic(before: Chord, last: Chord, key: Key) -> bool:
    """Whether a dominant with the leading tone (V or vii, any inversion) goes to the tonic triad, not on its fifth."""
    return _is_dominant(before, key) and _is_tonic(last, key) and _bass(last, key) != 7


def is_perfect_authentic(before: Chord, last: Chord, key: Key, *, soprano: int | None = None) -> bool:
    """Whether V or V7 goes to I, both in root position, with the tonic on top where the soprano is known."""
    roots = _is_on(before, key, 7) and _is_dominant(before, key) and _is_on(last, key, 0) and _is_tonic(last, key)
    return roots and soprano in {None, 1}


def is_half(before: Chord, last: Chord, key: Key) -> bool:
    """Whether a phrase comes to rest on V in root position, from a chord on another root.

    V7 is admitted: textbooks ask for the triad, lead sheets and folk tunes write the seventh.
    """
    return _is_on(last, key, 7) and _is_dominant(last, key) and before.root is not None and _root(before, key) != 7


def is_phrygian_half(before: Chord, last: Chord, key: Key) -> bool:
    """Whether, in minor, iv on its third goes to the triad on V: the bass falls a semitone."""
    is_subdominant = _root(before, key) == 5 and 3 in before.semitones and _bass(before, key) == 8
    return key.is_minor and is_subdominant and is_half(before, last, key) and not _SEVENTHS & set(last.semitones)


def is_plagal(before: Chord, last: Chord, key: Key) -> bool:
    """Whether the chord on the fourth degree, major or minor, goes to the tonic in root position."""
    has_fifth = 7 in before.semitones
    return _root(before, key) == 5 and has_fifth and _is_on(last, key, 0) and _is_tonic(last, key)


def is_deceptive(before: Chord, last: Chord, key: Key) -> bool:
    """Whether V goes up a step instead: to vi, or to the lowered VI of minor."""
    goes_up = (_root(last, key) == 9 and 3 in last.semitones) or (_root(last, key) == 8 and 4 in last.semitones)
    is_bare = bool({7} & set(last.semitones)) and _bass(last, key) == _root(last, key)
    return _is_on(before, key, 7) and _is_dominant(before, key) and goes_up and is_bare


def _root(chord: Chord, key: Key) -> int | None:
    """Return how far the root lies above the tonic, in semitones."""
    return None if chord.root is None else (chord.root.pitch_class - key.tonic.pitch_class) % 12


def _bass(chord: Chord, key: Key) -> int | None:
    bass = chord.bass_pitch_class
    return None if bass is None else (bass - key.tonic.pitch_class) % 12


def _is_on(chord: Chord, key: Key, semitones: int) -> bool:
    """Whether a chord stands in root position so far above the tonic."""
    return _root(chord, key) == semitones and _bass(chord, key) == semitones


def _is_tonic(chord: Chord, key: Key) -> bool:
    """Whether a chord is the tonic, major or minor; a sixth or a major seventh may stand on it, as in lead sheets."""
    above = set(chord.semitones)
    return _root(chord, key) == 0 and bool({3, 4} & above) and 7 in above and 10 not in above


def _is_dominant(chord: Chord, key: Key) -> bool:
    """Whether a chord has the leading tone on V (a major third, no major seventh) or is the diminished one on vii."""
    above = set(chord.semitones)
    if _root(chord, key) == 7:
        return 4 in above and 11 not in above
    return _root(chord, key) == 11 and {3, 6} <= above
