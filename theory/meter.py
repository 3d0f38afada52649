"""Metres and the weight of every place in the bar.

The *level* of a place is 0 on the downbeat, 1 where a group of beats starts, 2 on the other beats,
3 on the first division of a beat and one more for each further halving. Places at level 0 and 1
are the *strong beats*:

>>> Meter.parse("4/4").levels(2).tolist()
[0, 3, 2, 3, 1, 3, 2, 3]
>>> Meter.parse("6/8").levels(2).tolist()
[0, 3, 3, 1, 3, 3]
>>> Meter.parse("2+2+3/8").levels(2).tolist()
[0, 3, 1, 3, 1, 3, 3]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from theory.errors import ParseError, TheoryError

__all__ = ["STRONG_LEVEL", "Meter"]

STRONG_LEVEL = 1
"""Places of this level and below are strong beats."""

_EXPECTED = "beats over a note value, such as 4/4, 6/8, 7/8 or 2+2+3/8 (note values: 1, 2, 4, 8, 16, 32)"
_METER = re.compile(r"\s*(\d+(?:\+\d+)*|\(\d+\))\s*/\s*(\d+)\s*")
_MAX_NUMERATOR = 64

_GROUPS = MappingProxyType(
    {(4, 4): (2, 2), (4, 2): (2, 2), (2, 2): (1, 1), (4, 8): (2, 2), (8, 8): (3, 3, 2), (6, 4): (3, 3)}
    | {(12, 8): (6, 6), (6, 8): (3, 3), (6, 16): (3, 3), (12, 16): (6, 6), (9, 8): (9,), (9, 16): (9,)}
    | {(5, 4): (3, 2), (5, 8): (3, 2), (7, 4): (4, 3), (7, 8): (2, 2, 3)}
)


def _default_groups(numerator: int, denominator: int) -> tuple[int, ...]:
    """Group the counts of a metre that names no groups: by a table, else in threes or twos and a rest."""
    if (numerator, denominator) in _GROUPS:
        return _GROUPS[numerator, denominator]
    if numerator <= 4:
        return (numerator,)
    if denominator >= 8 and numerator % 3 == 0:
        return (3,) * (numerator // 3)
    twos, odd = divmod(numerator, 2)
    return (2,) * (twos - odd) + (3,) * odd


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature, with the grouping of its counts.

    Parameters
    ----------
    numerator
        Counts in a bar, 1 to 64.
    denominator
        The note value of a count: a power of two up to 32.
    groups
        How the counts group; their sum is the numerator. Empty chooses the usual grouping.
    """

    numerator: int = 4
    denominator: int = 4
    groups: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.numerator <= _MAX_NUMERATOR or self.denominator not in (1, 2, 4, 8, 16, 32):
            raise ParseError("metre", f"{self.numerator}/{self.denominator}", _EXPECTED)
        if not self.groups:
            object.__setattr__(self, "groups", _default_groups(self.numerator, self.denominator))
        if sum(self.groups) != self.numerator or min(self.groups) < 1:
            msg = f"groups {self.groups} do not add up to the {self.numerator} counts of the bar"
            raise TheoryError(msg)

    @classmethod
    def parse(cls, text: str) -> Meter:
        """Read a metre such as ``4/4``, ``6/8`` or ``2+2+3/8``; ``(4)/4`` has one group of four.

        Raises
        ------
        ParseError
            If the text is no metre, or its note value is no power of two.
        """
        match = _METER.fullmatch(text)
        if match is None:
            raise ParseError("metre", text, _EXPECTED)
        counts = tuple(int(count) for count in match[1].strip("()").split("+"))
        is_grouped = len(counts) > 1 or match[1].startswith("(")
        try:
            return cls(sum(counts), int(match[2]), counts if is_grouped else ())
        except TheoryError:
            raise ParseError("metre", text, _EXPECTED) from None

    @property
    def bar_quarters(self) -> Fraction:
        """Length of the bar in quarter notes."""
        return Fraction(4 * self.numerator, self.denominator)

    @property
    def beat_quarters(self) -> Fraction:
        """Length of a beat in quarter notes: a count, or three of them in a compound metre."""
        counts = 3 if self.is_compound else 1
        return Fraction(4 * counts, self.denominator)

    @property
    def is_compound(self) -> bool:
        """Whether every beat is three counts, as in 6/8, 9/8 and 12/8."""
        return self.denominator >= 8 and self.numerator % 3 == 0 and all(g % 3 == 0 for g in self.groups)

    @property
    def beat_starts(self) -> tuple[Fraction, ...]:
        """Where the beats start, in quarter notes from the bar line; additive groups are beats."""
        count = Fraction(4, self.denominator)
        if self.is_compound:
            return tuple(3 * count * i for i in range(self.numerator // 3))
        if self.denominator >= 8:
            return self.group_starts
        return tuple(count * i for i in range(self.numerator))

    @property
    def group_starts(self) -> tuple[Fraction, ...]:
        """Where the groups start, in quarter notes from the bar line."""
        count = Fraction(4, self.denominator)
        return tuple(count * sum(self.groups[:i]) for i in range(len(self.groups)))

    def bar_steps(self, steps_per_quarter: int) -> int:
        """Return the length of a bar in steps of a grid.

        Raises
        ------
        TheoryError
            If the bar is no whole number of steps.
        """
        steps = self.bar_quarters * steps_per_quarter
        if steps.denominator != 1:
            msg = f"a bar of {self} is {steps} steps at {steps_per_quarter} steps a quarter: expected a whole number"
            raise TheoryError(msg)
        return int(steps)

    def levels(self, steps_per_quarter: int) -> NDArray[np.int64]:
        """Return the metrical level of every step in a bar.

        Parameters
        ----------
        steps_per_quarter
            The grid.

        Returns
        -------
        ndarray of shape (bar_steps,)
            0 on the downbeat, 1 on group starts, 2 on beats, 3 on counts (in compound and additive
            metres) or half beats, and one more for each further halving; steps on none of these
            places (triplets) have the deepest level plus one.
        """
        return _levels(self, steps_per_quarter)

    def __str__(self) -> str:
        """Return the plain form, or the additive one where the grouping is not the usual one."""
        if self.groups == _default_groups(self.numerator, self.denominator):
            return f"{self.numerator}/{self.denominator}"
        counts = "+".join(map(str, self.groups))
        return f"{counts if len(self.groups) > 1 else f'({counts})'}/{self.denominator}"


@cache
def _levels(meter: Meter, steps_per_quarter: int) -> NDArray[np.int64]:
    places = [Fraction(step, steps_per_quarter) for step in range(meter.bar_steps(steps_per_quarter))]
    groups, beats = set(meter.group_starts), set(meter.beat_starts)
    division = Fraction(4, meter.denominator)
    if beats >= {division * i for i in range(meter.numerator)}:
        division /= 2
    levels = np.array([_level(place, groups, beats, division) for place in places], dtype=np.int64)
    levels.setflags(write=False)  # shared by every caller
    return levels


def _level(place: Fraction, groups: set[Fraction], beats: set[Fraction], division: Fraction) -> int:
    if place == 0:
        return 0
    if place in groups:
        return 1
    if place in beats:
        return 2
    halvings = next((n for n in range(4) if (place * 2**n / division).denominator == 1), 4)
    return 3 + halvings
