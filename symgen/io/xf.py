"""Chord names as Yamaha's keyboards and some programs show them: XF events, by the XF format specification 2.01.

>>> from theory.chord import Chord
>>> xf_chord(Chord.parse("Bbm7/Ab")).hex(" ")
'43 7b 01 27 0a 26 7f'
"""

from __future__ import annotations

from theory.chord import Chord
from theory.pitch import Spelling

__all__ = ["XF_VERSION", "xf_chord"]

XF_VERSION = b"\x43\x7b\x00XF02\x00\x00"
"""What says, at the start of a file, that there are such events in it."""

_HEAD = b"\x43\x7b\x01"
_NONE, _NOTHING = 34, 0x7F
_LETTERS = "CDEFGAB"
# Semitones above the root of the types 0 to 33, in the specification's order; 30 and 31 are open octaves and fifths.
_TYPES = (
    (0, 4, 7), (0, 4, 7, 9), (0, 4, 7, 11), (0, 4, 6, 7, 11), (0, 2, 4, 7), (0, 2, 4, 7, 11), (0, 2, 4, 7, 9),
    (0, 4, 8), (0, 3, 7), (0, 3, 7, 9), (0, 3, 7, 10), (0, 3, 6, 10), (0, 2, 3, 7), (0, 2, 3, 7, 10),
    (0, 3, 5, 7, 10), (0, 3, 7, 11), (0, 2, 3, 7, 11), (0, 3, 6), (0, 3, 6, 9), (0, 4, 7, 10), (0, 5, 7, 10),
    (0, 4, 6, 10), (0, 2, 4, 7, 10), (0, 4, 6, 7, 10), (0, 4, 7, 9, 10), (0, 1, 4, 7, 10), (0, 4, 7, 8, 10),
    (0, 3, 4, 7, 10), (0, 4, 8, 11), (0, 4, 8, 10), (0,), (0, 7), (0, 5, 7), (0, 2, 7),
)  # fmt: skip


def xf_chord(chord: Chord) -> bytes:
    """Return the data of a chord's event.

    Parameters
    ----------
    chord
        One that XF has no type for is written as the largest type within it.
    """
    if chord.root is None:
        return _HEAD + bytes([_NOTHING, _NONE, _NOTHING, _NOTHING])
    bass = _NOTHING if chord.bass is None else _note(chord.bass)
    return _HEAD + bytes([_note(chord.root), _type(chord.semitones), bass, _NOTHING])


def _note(spelling: Spelling) -> int:
    """Return a note: alterations from three flats (0) to three sharps in the upper half, letters from 1 below."""
    alteration = max(-3, min(3, spelling.alteration))
    return (alteration + 3) << 4 | _LETTERS.index(spelling.letter) + 1


def _type(semitones: tuple[int, ...]) -> int:
    inside = [i for i, members in enumerate(_TYPES) if set(members) <= {0, *semitones}]
    return max(inside, key=lambda i: (len(_TYPES[i]), -i))
