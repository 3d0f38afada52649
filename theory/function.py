"""Chords on the degrees of a key, and which tends to follow which.

A succession is a table of relative weights between degrees (0 is the tonic). The tables follow the
common practice as textbooks teach it: tonic to predominant to dominant to tonic, falling fifths
before rising ones, the deceptive step from dominant to submediant; in minor also the natural seventh
degree of folk and pop.

>>> [str(chord) for chord in degree_chords(Key.parse("A minor"))]
['Am', 'Bdim', 'C', 'Dm', 'E', 'F', 'G']
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theory.chord import Chord
from theory.key import Key

__all__ = ["CADENTIAL_DEGREES", "degree_chords", "succession_weights"]

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
_TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))


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
