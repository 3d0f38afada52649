"""Swing: where the off-beats fall when they come late.

Metres stay straight; swing is a map of places. Notes of one length, eighths or sixteenths, go in pairs from
every beat on, and the first of a pair takes more than half of its time: twice as much as the second at 2:1. All
places in between move along, evenly, so the map is one to one and keeps the order; :meth:`Swing.straight`
undoes it.

>>> swing = Swing.parse("2:1 eighths")
>>> [str(swing.swung(Fraction(place, 4), Meter())) for place in range(5)]  # sixteenths of 4/4, in quarter notes
['0', '1/3', '2/3', '5/6', '1']
>>> str(swing.straight(Fraction(2, 3), Meter()))
'1/2'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from theory.errors import ParseError, TheoryError
from theory.meter import Meter

__all__ = ["Swing"]

_EXPECTED = "a ratio or percentage and a note value, such as 2:1, 3:2 sixteenths, 66% eighths or swing"
_SWING = re.compile(
    r"\s*(?:swing\b)?\s*(?:(?P<long>\d{1,3}):(?P<short>\d{1,3})|(?P<percent>\d{1,2}(?:\.\d{1,6})?)\s*%)?"
    r"\s*(?P<value>[a-z0-9]*)\s*"
)
_DIVISIONS = MappingProxyType({"eighths": Fraction(1, 2), "sixteenths": Fraction(1, 4)})
_VALUES = _DIVISIONS | {"8ths": Fraction(1, 2), "16ths": Fraction(1, 4), "": Fraction(1, 2)}


@dataclass(frozen=True, slots=True)
class Swing:
    """How late the second note of each pair comes.

    Parameters
    ----------
    ratio
        How many times as long the first note is as the second; 1 is straight, less than 1 is a Scotch snap.
    division
        The length of a straight note of the pair in quarter notes: 1/2 for eighths, 1/4 for sixteenths.

    References
    ----------
    Friberg and Sundström, "Swing ratios and ensemble timing in jazz performance", Music Perception 19, 2002,
    find ratios from 3.5:1 at slow tempi to nearly 1:1 at fast ones.
    """

    ratio: Fraction = Fraction(2)
    division: Fraction = Fraction(1, 2)

    def __post_init__(self) -> None:
        if self.ratio <= 0 or self.division not in _DIVISIONS.values():
            msg = f"swing {self.ratio} of {self.division} quarters: expected a ratio above 0 of eighths or sixteenths"
            raise TheoryError(msg)

    @classmethod
    def parse(cls, text: str) -> Swing:
        """Read a swing such as ``2:1``, ``swing 3:2 sixteenths`` or ``66% 16ths``; ``swing`` alone is 2:1 eighths.

        A percentage is the part of the pair that its first note takes, as on drum machines: 50% is straight.

        Raises
        ------
        ParseError
            If the text is no swing, or one of the notes would have no length.
        """
        match = _SWING.fullmatch(text)
        if match is None or not text.strip() or match["value"] not in _VALUES:
            raise ParseError("swing", text, _EXPECTED)
        long, short = Fraction(match["long"] or 2), Fraction(match["short"] or 1)
        if match["percent"]:
            long, short = Fraction(match["percent"]), 100 - Fraction(match["percent"])
        if not (long and short):
            raise ParseError("swing", text, _EXPECTED)
        return cls(long / short, _VALUES[match["value"]])

    def swung(self, place: Fraction, meter: Meter) -> Fraction:
        """Return where a straight place falls.

        Parameters
        ----------
        place
            In quarter notes from a bar line, from 0; it may lie in a later bar.
        meter
            Pairs are counted from each of its beats; a last note without a partner stays straight.
        """
        start, inside = self._pair(place, meter)
        return start + _bent(inside, self.division, self._long)

    def straight(self, place: Fraction, meter: Meter) -> Fraction:
        """Return the straight place that falls on ``place``: the inverse of :meth:`swung`."""
        start, inside = self._pair(place, meter)
        return start + _bent(inside, self._long, self.division)

    @property
    def _long(self) -> Fraction:
        """How long the first note of a pair is, in quarter notes."""
        return 2 * self.division * self.ratio / (self.ratio + 1)

    def _pair(self, place: Fraction, meter: Meter) -> tuple[Fraction, tuple[Fraction, Fraction]]:
        """Return where a place's pair starts; and how far in it lies, with the pair's length, 0 outside pairs."""
        bars, in_bar = divmod(Fraction(place), meter.bar_quarters)
        starts = meter.beat_starts
        index = max(i for i, start in enumerate(starts) if start <= in_bar)
        end = (*starts, meter.bar_quarters)[index + 1]
        pairs, inside = divmod(in_bar - starts[index], 2 * self.division)
        start = starts[index] + pairs * 2 * self.division
        length = 2 * self.division if start + 2 * self.division <= end else Fraction(0)
        return bars * meter.bar_quarters + start, (inside, length)

    def __str__(self) -> str:
        """Return the form that :meth:`parse` reads, such as ``2:1 eighths``."""
        value = next(name for name, division in _DIVISIONS.items() if division == self.division)
        return f"{self.ratio.numerator}:{self.ratio.denominator} {value}"


def _bent(inside: tuple[Fraction, Fraction], first: Fraction, bent: Fraction) -> Fraction:
    """Return a place in a pair after its first note changes from one length to another; outside pairs the same."""
    place, length = inside
    if not length:
        return place
    if place <= first:
        return place * bent / first
    return bent + (place - first) * (length - bent) / (length - first)
