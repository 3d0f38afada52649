"""Intervals between spelled notes, held as places on the line of fifths.

An interval is a number of fifths, as a spelling is, and a number of octaves: fifths give it its name, so that
the augmented fourth (six fifths up) and the diminished fifth (six down) stay apart.

    ... m3  m7  P4  P1  P5  M2  M6  M3  M7  A4 ...
        -3  -2  -1   0   1   2   3   4   5   6

A name is a quality (``P`` perfect, ``M`` major, ``m`` minor, ``A`` augmented, ``d`` diminished; ``AA`` is doubly
augmented) and a number of letters, both ends counted: ``P5``, ``m3``, ``M10``. A minus before it means downward.
The quality is that of the interval's size whatever its direction.

>>> Interval.parse("m3").semitones, Interval.parse("A4").semitones, Interval.parse("M10").semitones
(3, 6, 16)
>>> Interval.between(Spelling.parse("C"), Spelling.parse("Gb")), Interval.parse("d5").inverted
(Interval('d5'), Interval('A4'))
>>> str(Interval.parse("m3").above(Spelling.parse("F#"))), Interval.parse("-M2") + Interval.parse("P5")
('A', Interval('P4'))
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from theory.errors import ParseError
from theory.pitch import Spelling

__all__ = ["Interval"]

_NAME = re.compile(r"(-?)(P|M|m|A+|d+)([1-9]\d*)")
_EXPECTED = "a quality (P M m A d) and a number, such as P5, m3, A4, d5 or M10"
_STEP_FIFTHS = (0, 2, 4, -1, 1, 3, 5)  # from the tonic to each degree of the major scale
_PERFECT = frozenset({0, 3, 4})  # the letters of unisons, fourths and fifths above the lower note


@dataclass(frozen=True, slots=True, repr=False)
class Interval:
    """A distance between two spelled notes.

    Parameters
    ----------
    fifths
        Steps along the line of fifths; sharps lie to the right (positive).
    octaves
        How many octaves are to be added. Together with ``7 * fifths`` semitones they make the size.
    """

    fifths: int
    octaves: int = 0

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read a name such as ``P5``, ``m3``, ``A4``, ``d5``, ``M10`` or ``-m2``.

        Raises
        ------
        ParseError
            If the text is no name, or the number has no such quality (``P3``, ``M5``).
        """
        match = _NAME.fullmatch(text.strip())
        if match is None:
            raise ParseError("interval", text, _EXPECTED)
        step = int(match[3]) - 1
        alteration = _alteration(match[2], is_perfect=step % 7 in _PERFECT)
        if alteration is None:
            raise ParseError("interval", text, _EXPECTED)
        upward = cls._of(step, alteration)
        return -upward if match[1] else upward

    @classmethod
    def _of(cls, step: int, alteration: int) -> Interval:
        """Return the interval so many letters up, so many semitones larger than the major scale has it."""
        fifths = _STEP_FIFTHS[step % 7] + 7 * alteration
        return cls(fifths, (step - 4 * fifths) // 7)

    @classmethod
    def between(cls, low: Spelling, high: Spelling) -> Interval:
        """Return the interval from a note up to the next place of another, less than an octave of letters.

        >>> Interval.between(Spelling.parse("B"), Spelling.parse("C")), Interval.between(Spelling(7), Spelling(0))
        (Interval('m2'), Interval('d1'))
        """
        fifths = high.fifths - low.fifths
        return cls(fifths, (4 * fifths % 7 - 4 * fifths) // 7)

    @property
    def steps(self) -> int:
        """Letters from one note to the other: 0 for a unison, 2 for a third, negative downward."""
        return 4 * self.fifths + 7 * self.octaves

    @property
    def semitones(self) -> int:
        """The size in semitones, negative downward."""
        return 7 * self.fifths + 12 * self.octaves

    @property
    def number(self) -> int:
        """What the interval is called by, both ends counted: 5 for a fifth, 10 for a compound third."""
        return abs(self.steps) + 1

    @property
    def is_compound(self) -> bool:
        """Whether it is larger than an octave by its number."""
        return self.number > 8

    @property
    def simple(self) -> Interval:
        """The interval without its whole octaves, in its own direction; an octave stays what it is.

        >>> Interval.parse("M10").simple, Interval.parse("P8").simple, Interval.parse("-P15").simple
        (Interval('M3'), Interval('P8'), Interval('-P8'))
        """
        if not self.is_compound:
            return self
        spare = (self.number - 2) // 7
        return Interval(self.fifths, self.octaves - (spare if self.steps > 0 else -spare))

    @property
    def inverted(self) -> Interval:
        """What completes the simple interval to an octave: ``M3`` for ``m6``, ``P1`` for ``P8``."""
        simple = self.simple
        octave = -1 if simple._is_downward else 1
        return Interval(-simple.fifths, octave - simple.octaves)

    def above(self, note: Spelling) -> Spelling:
        """Return the note this interval above another."""
        return Spelling(note.fifths + self.fifths)

    @property
    def _is_downward(self) -> bool:
        return self.steps < 0

    def __neg__(self) -> Interval:
        """Return the same interval in the other direction."""
        return Interval(-self.fifths, -self.octaves)

    def __add__(self, other: Interval) -> Interval:
        """Return one interval on top of another."""
        return Interval(self.fifths + other.fifths, self.octaves + other.octaves)

    def __sub__(self, other: Interval) -> Interval:
        """Return what is left of one interval when another is taken off it."""
        return self + -other

    def __str__(self) -> str:
        """Return the name, such as ``m3``; a downward one has a minus before it."""
        upward = -self if self._is_downward else self
        step = upward.steps
        alteration = (upward.fifths - _STEP_FIFTHS[step % 7]) // 7
        sign = "-" if self._is_downward else ""
        return f"{sign}{_quality(alteration, is_perfect=step % 7 in _PERFECT)}{step + 1}"

    def __repr__(self) -> str:
        """Return a short form for debugging."""
        return f"Interval({str(self)!r})"


def _alteration(quality: str, *, is_perfect: bool) -> int | None:
    """Return how many semitones larger a quality is than the major scale's, if the number has that quality."""
    if quality[0] == "A":
        return len(quality)
    if quality[0] == "d":
        return -len(quality) - (not is_perfect)
    if is_perfect:
        return 0 if quality == "P" else None
    return {"M": 0, "m": -1}.get(quality)


def _quality(alteration: int, *, is_perfect: bool) -> str:
    if alteration > 0:
        return "A" * alteration
    if is_perfect:
        return "d" * -alteration or "P"
    return {0: "M", -1: "m"}.get(alteration) or "d" * (-alteration - 1)
