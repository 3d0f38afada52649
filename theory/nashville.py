"""Nashville numbers: chords named by their degree in a major scale.

A symbol is ``[accidental] degree [lead-sheet quality] [/ [accidental] degree of the bass]``. Degrees count the
major scale on the tonic whatever the mode of the key, so that minor keys write ``1- b6 b7``; a bare
number is a major triad, a minus makes it minor. The quality is read as after the root of a lead-sheet
symbol, so ``57`` is the seventh chord on the fifth degree and ``5/7`` a triad over the seventh. The
scale of a chord may stand in brackets at the end: ``2-7[dorian]``.

>>> [str(parse_nashville(number, Key.parse("G"))) for number in "1 5/7 6- 4sus4 b7 2m7 57".split()]
['G', 'D/F#', 'Em', 'Csus4', 'F', 'Am7', 'D7']
>>> nashville_of(Chord.parse("Em7/D"), Key.parse("G"))
'6-7/5'
"""

from __future__ import annotations

import re

from theory.chord import NO_CHORD, Chord, scale_text, split_scale
from theory.errors import ParseError
from theory.key import Key
from theory.pitch import Spelling

__all__ = ["nashville_of", "parse_nashville"]

_DEGREE_FIFTHS = (0, 2, 4, -1, 1, 3, 5)  # from the tonic to each degree of the major scale
_DEGREE = r"([#♯b♭]*)([1-7])"
_START = re.compile(_DEGREE)
_BASS = re.compile(rf"/{_DEGREE}$")
_EXPECTED = "a number such as 1, 6-, b7, 57, 4sus4 or 5/7"


def parse_nashville(text: str, key: Key) -> Chord:
    """Read a Nashville number in a key.

    Parameters
    ----------
    text
        Such as ``6-``, ``4maj7``, ``b7`` or ``5/7``; ``N.C.`` is no chord.
    key
        Only its tonic counts.

    Raises
    ------
    ParseError
        Naming the part that could not be read and its column.
    """
    written, scale = split_scale(text)
    symbol, offset = written.strip(), len(text) - len(text.lstrip())
    if symbol == "N.C." and scale is None:
        return NO_CHORD
    start = _START.match(symbol)
    if start is None:
        raise ParseError("Nashville number", symbol, _EXPECTED, offset + 1)
    bass = _BASS.search(symbol, start.end())
    suffix = symbol[start.end() : bass.start() if bass else None]
    return Chord(
        _spelling(key, start[1], start[2]),
        _read_quality(suffix, offset + start.end()),
        _spelling(key, bass[1], bass[2]) if bass else None,
        scale,
    )


def nashville_of(chord: Chord, key: Key) -> str:
    """Return the Nashville number of a chord; :func:`parse_nashville` reads it as an equal one."""
    if chord.root is None:
        return "N.C."
    suffix = chord.suffix
    if suffix.startswith("m") and not suffix.startswith("maj"):
        suffix = f"-{suffix[1:]}"
    bass = f"/{_number(chord.bass, key)}" if chord.bass else ""
    return f"{_number(chord.root, key)}{suffix}{bass}{scale_text(chord)}"


def _spelling(key: Key, signs: str, degree: str) -> Spelling:
    alteration = sum(1 if sign in "#♯" else -1 for sign in signs)
    return Spelling(key.tonic.fifths + _DEGREE_FIFTHS[int(degree) - 1] + 7 * alteration)


def _read_quality(suffix: str, offset: int) -> tuple[int, ...]:
    """Read what follows the number as what follows a root; the parenthesis keeps ``b5`` off its letter."""
    slash = re.search(r"/(?!9|(?:maj|Maj|ma|M|△|Δ|\^)7)", suffix)
    if slash:
        raise ParseError("bass", suffix[slash.end() :], "a degree such as 3 or b7", offset + slash.end() + 1)
    try:
        return Chord.parse(f"C({suffix}").semitones
    except ParseError as error:
        raise error.shifted(offset - len("C(")) from None


def _number(note: Spelling, key: Key) -> str:
    """Write a note as a degree of the major scale on the tonic."""
    fifths = note.fifths - key.tonic.fifths
    alteration = (fifths + 1) // 7
    degree = _DEGREE_FIFTHS.index(fifths - 7 * alteration) + 1
    return ("#" * alteration if alteration > 0 else "b" * -alteration) + str(degree)
