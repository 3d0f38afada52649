"""What chords do in a key, and which degree tends to follow which in modes that have no table of their own.

Every chord is *tonic* (rest, or its substitutes vi and iii), *predominant* (leads to the dominant: ii, IV, the
Neapolitan, augmented sixths, dominants of the dominant) or *dominant* (has the leading tone, or the seventh degree in
its place: V, vii, the cadential six-four, in minor and pop also VII).

>>> key = Key.parse("C")
>>> [str(function_of(Chord.parse(symbol), key)) for symbol in "Am Fm6 D7 C/G Bdim Db7".split()]
['tonic', 'predominant', 'predominant', 'dominant', 'dominant', 'dominant']
>>> str(applied_to(Chord.parse("A7"), key)), applied_to(Chord.parse("G7"), key)
('D', None)
>>> [str(chord) for chord in degree_chords(Key.parse("A minor"))]
['Am', 'Bdim', 'C', 'Dm', 'E', 'F', 'G']

References
----------
Riemann, "Vereinfachte Harmonielehre", 1893, for the three functions; Aldwell, Schachter and Cadwallader, "Harmony and
Voice Leading", for the cadential six-four as a dominant and for augmented sixths.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from theory.chord import Chord
from theory.key import Key
from theory.pitch import Spelling

__all__ = ["CADENTIAL_DEGREES", "Function", "applied_to", "degree_chords", "function_of", "succession_weights"]


class Function(StrEnum):
    """What a chord does in a key."""

    TONIC = "tonic"
    PREDOMINANT = "predominant"
    DOMINANT = "dominant"


CADENTIAL_DEGREES = (4, 3)
"""Degrees from which a phrase may close on the tonic: dominant (authentic), subdominant (plagal)."""

_MAJOR = (  # from I ii iii IV V vi vii; columns the same
    (1.0, 1.5, 0.5, 3.0, 3.0, 2.5, 0.0),
    (0.5, 0.3, 0.2, 0.6, 5.0, 0.6, 0.2),
    (0.3, 0.6, 0.1, 2.0, 0.4, 3.0, 0.0),
    (2.5, 1.2, 0.3, 0.5, 4.0, 0.8, 0.1),
    (5.0, 0.2, 0.3, 0.9, 0.6, 2.0, 0.0),
    (0.6, 2.2, 0.6, 3.0, 2.0, 0.3, 0.0),
    (3.0, 0.0, 1.0, 0.0, 0.5, 0.5, 0.0),
)
_MINOR = (  # from i ii III iv V VI VII; columns the same
    (1.0, 0.4, 1.0, 2.8, 2.2, 2.6, 2.4),
    (0.3, 0.1, 0.1, 0.2, 4.0, 0.2, 0.3),
    (0.8, 0.2, 0.2, 1.4, 0.6, 2.4, 1.6),
    (2.2, 0.5, 0.5, 0.4, 3.2, 0.8, 1.4),
    (5.0, 0.0, 0.2, 0.6, 0.5, 1.5, 0.1),
    (0.6, 0.5, 1.8, 1.6, 1.6, 0.3, 2.6),
    (2.8, 0.0, 2.2, 0.4, 0.5, 1.2, 0.3),
)
_T, _P, _D = Function.TONIC, Function.PREDOMINANT, Function.DOMINANT
_ROOT_FUNCTION = (_T, _P, _P, _T, _T, _P, _P, _D, _P, _T, _D, _D)  # by semitones from the tonic to the root
_MIXED = MappingProxyType({(3, 8): _D, (9, 4): _P, (9, 6): _P, (11, 7): _T})
"""Exceptions by root and by a note above it: III+, VI as the dominant of ii, vi dim, and v of iii on the seventh."""
_LEADING = 11
_TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))


def function_of(chord: Chord, key: Key) -> Function | None:
    """Return what a chord does in a key; ``None`` for no chord.

    Notes
    -----
    The root decides, with these exceptions. A tonic triad on its fifth is the cadential six-four, a dominant (a passing
    one looks the same). Diminished sevenths go by their notes: the one with the leading tone is the dominant, the other
    two lead to it. A dominant seventh on the lowered second degree replaces V7; major and diminished chords on the
    sixth degree lead to ii; in minor VI stands for the tonic.
    """
    if chord.root is None or chord.bass_pitch_class is None:
        return None
    root, bass = _above_tonic(chord.root, key), (chord.bass_pitch_class - key.tonic.pitch_class) % 12
    above = set(chord.semitones)
    if {0, 3, 6, 9} <= above:
        return _D if (_LEADING - root) % 3 == 0 else _P
    if (root == 0 and bass == 7 and above <= {0, 3, 4, 7}) or (root == 1 and {4, 10} <= above):
        return _D
    if root == 8 and key.is_minor and 10 not in above:
        return _T
    return next((f for (place, note), f in _MIXED.items() if place == root and note in above), _ROOT_FUNCTION[root])


def applied_to(chord: Chord, key: Key) -> Spelling | None:
    """Return the root that a chord is the dominant of, if that is not the key's own tonic.

    Dominants of other degrees have a note outside of the key: a major third, alone or under a minor seventh, a fifth
    above their goal, or a diminished chord a semitone below it. ``None`` for all other chords.
    """
    if chord.root is None or _is_of_key(chord, key):
        return None
    above = set(chord.semitones)
    if {0, 4, 7} <= above and 11 not in above:
        fifths = -1
    elif {0, 3, 6} <= above:
        fifths = -5
    else:
        return None
    goal = Spelling(chord.root.fifths + fifths)
    # In C, Eb and Ab are chords of mixture, not dominants of Ab and Db: their goal has to be a degree of the key.
    is_degree = goal.pitch_class in key.pitch_classes and goal.pitch_class != key.tonic.pitch_class
    return goal if is_degree else None


def _above_tonic(note: Spelling, key: Key) -> int:
    return (note.pitch_class - key.tonic.pitch_class) % 12


def _is_of_key(chord: Chord, key: Key) -> bool:
    """Whether a chord has only notes of the key, in minor the leading tone among them."""
    raised = {(key.tonic.pitch_class + _LEADING) % 12} if key.is_minor else set()
    return chord.pitch_classes <= key.pitch_classes | raised


def degree_chords(key: Key) -> tuple[Chord, ...]:
    """Return the triads on the seven degrees of a key.

    In minor the triad on the fifth degree is major, with the leading tone. Scales that have not
    seven notes lend the triads of the major or minor key on their tonic.
    """
    home = key if len(key.semitones) == 7 else Key(key.tonic, "minor" if key.is_minor else "major")
    chords = [_triad(home, degree) for degree in range(7)]
    if home.mode == "minor":
        chords[4] = Chord(chords[4].root, (0, 4, 7))
    return tuple(chords)


def succession_weights(key: Key) -> NDArray[np.float64]:
    """Return how readily each degree follows each other, shape (7, 7); only ratios within a row matter.

    Degrees whose triad is diminished or augmented are weighed at a tenth.
    """
    weights = np.array(_MINOR if key.is_minor else _MAJOR)
    plain = np.array([chord.semitones in {(0, 4, 7), (0, 3, 7)} for chord in degree_chords(key)])
    scaled: NDArray[np.float64] = weights * np.where(plain, 1.0, 0.1)
    return scaled


def _triad(key: Key, degree: int) -> Chord:
    """Stack two thirds of the scale on a degree; an unusual stack becomes the nearest usual triad."""
    notes = [key.semitones[(degree + step) % 7] for step in (0, 2, 4)]
    above = tuple((note - notes[0]) % 12 for note in notes)
    root = key.spell((key.tonic.pitch_class + notes[0]) % 12)
    nearest = min(_TRIADS, key=lambda triad: sum(abs(a - b) for a, b in zip(triad, above, strict=True)))
    return Chord(root, nearest)
