"""Chord progressions as text.

Bars are separated by ``|``; the chords of a bar share it; ``C:2`` lasts two counts of the metre;
``%`` repeats the chord before it, or the whole bar before it when it stands alone. Without any bar
line every chord has a bar of its own.

>>> progression = Progression.parse("Am F | C:3 G:1 | %")
>>> [[str(span.chord) for span in bar] for bar in progression.bars]
[['Am', 'F'], ['C', 'G'], ['C', 'G']]
>>> [(float(start), str(chord)) for start, chord in progression.bar_layout(0, Meter(3, 4))]
[(0.0, 'Am'), (2.0, 'F')]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from theory.chord import NO_CHORD, Chord
from theory.errors import ParseError, TheoryError
from theory.meter import Meter

__all__ = ["ChordSpan", "Progression"]

_TOKEN = re.compile(r"\||[^\s|]+")
_COUNTS = re.compile(r"(.+):(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord and how many counts it lasts; ``None`` shares what is left of the bar."""

    chord: Chord
    counts: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Progression:
    """Chords, bar by bar.

    Parameters
    ----------
    bars
        The chords of each bar; at least one bar with at least one chord.
    """

    bars: tuple[tuple[ChordSpan, ...], ...]

    def __post_init__(self) -> None:
        if not self.bars or not all(self.bars):
            raise ParseError("progression", "", "at least one chord in every bar; N.C. is a bar without one")

    @classmethod
    def parse(cls, text: str) -> Progression:
        """Read a progression.

        Parameters
        ----------
        text
            Such as ``"Am F | C G"`` (two bars) or ``"Am F C G"`` (four).

        Raises
        ------
        ParseError
            Naming the token that could not be read, and its column in ``text``.
        """
        bars: list[list[ChordSpan]] = [[]]
        for match in _TOKEN.finditer(text):
            if match[0] == "|":
                bars.append([])
            else:
                bars[-1].append(_read_token(match, bars))
        if "|" not in text:
            return cls(tuple((span,) for span in bars[0]))
        # A bar line before the first chord and one after the last are only punctuation.
        inner = bars[0 if bars[0] else 1 :]
        inner = inner if inner and inner[-1] else inner[:-1]
        return cls(tuple(_repeat_whole_bars(inner)))

    @property
    def n_bars(self) -> int:
        """How many bars the progression has."""
        return len(self.bars)

    def bar_layout(self, bar: int, meter: Meter) -> list[tuple[Fraction, Chord]]:
        """Return where each chord of a bar starts, in quarter notes from the bar line.

        Chords without a count share the counts the others leave, the earlier ones getting the larger
        part; in an even split each gets a whole number of beats wherever there are enough beats.

        Parameters
        ----------
        bar
            Counted from 0; the progression repeats past its end.
        meter
            The metre of that bar.

        Raises
        ------
        TheoryError
            If the chords do not fit into the bar.
        """
        spans = self.bars[bar % self.n_bars]
        count_quarters = Fraction(4, meter.denominator)
        lengths = [None if span.counts is None else span.counts * count_quarters for span in spans]
        fixed = sum((length for length in lengths if length is not None), Fraction(0))
        n_open = lengths.count(None)
        left = meter.bar_quarters - fixed
        if left < 0 or (left == 0) != (n_open == 0):
            msg = f"bar {bar % self.n_bars + 1} of the chords: expected {meter.numerator} counts in {meter}"
            raise TheoryError(msg)
        shares = iter(_share(left, n_open, meter))
        layout, start = [], Fraction(0)
        for span, length in zip(spans, lengths, strict=True):
            layout.append((start, span.chord))
            start += next(shares) if length is None else length
        return layout

    def __str__(self) -> str:
        """Return the progression as text that reads back to an equal one."""
        return " | ".join(" ".join(_span_text(span) for span in bar) for bar in self.bars)


def _read_token(match: re.Match[str], bars: list[list[ChordSpan]]) -> ChordSpan:
    """Read one chord, where ``%`` means the chord before it."""
    token, column = match[0], match.start()
    counts_match = _COUNTS.fullmatch(token)
    text, counts = (counts_match[1], Fraction(counts_match[2])) if counts_match else (token, None)
    if counts is not None and counts <= 0:
        raise ParseError("chord length", token, "a positive number of counts after the colon", column + 1)
    if text == "%":
        before = [span for bar in bars for span in bar]
        if not before:
            raise ParseError("repeat", token, "a chord before it", column + 1)
        return ChordSpan(before[-1].chord, counts) if counts or bars[-1] else _WHOLE_BAR
    try:
        return ChordSpan(Chord.parse(text), counts)
    except ParseError as error:
        raise error.shifted(column) from None


_WHOLE_BAR = ChordSpan(NO_CHORD, Fraction(-1))  # a mark while reading: a % that opens its bar


def _repeat_whole_bars(bars: list[list[ChordSpan]]) -> list[tuple[ChordSpan, ...]]:
    """Replace each ``%`` that opens a bar: alone it is the bar before, else the chord before."""
    done: list[tuple[ChordSpan, ...]] = []
    for bar in bars:
        if bar and bar[0] is _WHOLE_BAR:
            bar = list(done[-1]) if len(bar) == 1 else [ChordSpan(done[-1][-1].chord), *bar[1:]]
        done.append(tuple(bar))
    return done


def _share(quarters: Fraction, parts: int, meter: Meter) -> list[Fraction]:
    """Split a length into parts of whole beats, or of equal length when there are too few beats."""
    beats = quarters / meter.beat_quarters
    if parts == 0:
        return []
    if beats.denominator != 1 or beats < parts:
        return [quarters / parts] * parts
    size, rest = divmod(int(beats), parts)
    return [(size + (i < rest)) * meter.beat_quarters for i in range(parts)]


def _span_text(span: ChordSpan) -> str:
    return str(span.chord) if span.counts is None else f"{span.chord}:{float(span.counts):g}"
