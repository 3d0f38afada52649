"""Pitches and their spelling.

A *pitch* is a MIDI number (60 is middle C, written ``C4``). A *pitch class* is a pitch modulo 12.
A *spelling* is a place on the line of fifths, so that F sharp and G flat stay apart:

    ... Bb  F  C  G  D  A  E  B  F#  C# ...
        -2 -1  0  1  2  3  4  5   6   7

>>> Spelling.parse("F#").pitch_class == Spelling.parse("Gb").pitch_class
True
>>> Spelling.parse("F#") == Spelling.parse("Gb")
False
>>> parse_pitch("C4"), pitch_name(61), pitch_name(61, flats=True)
(60, 'C#4', 'Db4')
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from theory.errors import ParseError

__all__ = ["Spelling", "parse_pitch", "pitch_name", "spell"]

_LETTERS_BY_FIFTHS = "FCGDAEB"
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1, "##": 2, "x": 2, "bb": -2, "♭♭": -2, "♯♯": 2}
_SPELLING = re.compile(r"([A-Ga-g])(##|♯♯|bb|♭♭|[#♯b♭x]?)")
_OCTAVE = re.compile(r"-?\d+")


@dataclass(frozen=True, slots=True, order=True)
class Spelling:
    """A note name without an octave, held as its place on the line of fifths.

    Parameters
    ----------
    fifths
        Steps from C along the line of fifths; sharps lie to the right (positive).
    """

    fifths: int

    @classmethod
    def parse(cls, text: str) -> Spelling:
        """Read a name such as ``C``, ``F#``, ``Bb`` or ``E♭``.

        Raises
        ------
        ParseError
            If the text is not exactly one note name.
        """
        match = _SPELLING.fullmatch(text)
        if match is None:
            raise ParseError("note name", text, "a letter A to G with #, b, ## or bb, such as F# or Bb")
        return cls.from_letter(match[1].upper(), _ACCIDENTALS[match[2]])

    @classmethod
    def from_letter(cls, letter: str, alteration: int) -> Spelling:
        """Return the spelling of a letter raised by ``alteration`` semitones (negative for flats)."""
        return cls(_LETTERS_BY_FIFTHS.index(letter) - 1 + 7 * alteration)

    @property
    def letter(self) -> str:
        """The letter, ``A`` to ``G``."""
        return _LETTERS_BY_FIFTHS[(self.fifths + 1) % 7]

    @property
    def alteration(self) -> int:
        """Semitones above the plain letter; negative for flats."""
        return (self.fifths + 1) // 7

    @property
    def pitch_class(self) -> int:
        """The pitch class, 0 (C) to 11 (B)."""
        return 7 * self.fifths % 12

    def __str__(self) -> str:
        """Return the name in ASCII, such as ``Bb``."""
        sign = "#" if self.alteration > 0 else "b"
        return self.letter + sign * abs(self.alteration)


def spell(pitch_class: int, near: int = 0) -> Spelling:
    """Return the spelling of a pitch class that lies nearest to a place on the line of fifths.

    Parameters
    ----------
    pitch_class
        0 to 11; larger numbers are taken modulo 12.
    near
        The centre in fifths. A major key with ``s`` sharps has its seven notes around ``s + 2``.

    Examples
    --------
    >>> str(spell(10, near=-1)), str(spell(10, near=8))
    ('Bb', 'A#')
    """
    base = 7 * pitch_class % 12  # 7 is its own inverse modulo 12
    return Spelling(base + 12 * round((near - base) / 12))


def pitch_name(pitch: int, *, flats: bool = False) -> str:
    """Return the name of a MIDI pitch with its octave, such as ``C#4`` for 61; black keys are all sharp or all flat."""
    return f"{spell(pitch, near=-1 if flats else 4)}{pitch // 12 - 1}"


def parse_pitch(text: str) -> int:
    """Read a pitch such as ``C4``, ``F#3``, ``Bb-1`` or a bare MIDI number.

    Returns
    -------
    int
        The MIDI pitch, 0 to 127.

    Raises
    ------
    ParseError
        If the text is no pitch or lies outside the MIDI range.
    """
    if text.isdecimal():
        pitch = int(text)
    else:
        match = _SPELLING.match(text)
        octave = text[match.end() :] if match else ""
        if match is None or not _OCTAVE.fullmatch(octave):
            raise ParseError("pitch", text, "a name with an octave such as C4 or F#3, or a MIDI number")
        name = Spelling.parse(match[0])
        # C flat belongs to the octave of its letter, so count from the letter and add the accidental.
        plain = Spelling.from_letter(name.letter, 0).pitch_class
        pitch = 12 * (int(octave) + 1) + plain + name.alteration
    if not 0 <= pitch <= 127:
        raise ParseError("pitch", text, "a pitch between C-1 (0) and G9 (127)")
    return pitch
