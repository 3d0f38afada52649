"""Chord progressions as text.

Bars are separated by ``|`` (or ``||``, which means no more than that); the chords of a bar share it;
``C:2`` lasts two counts of the metre;
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

_TOKEN = re.compile(r"\|+|[^\s|]+")
_COUNTS = re.compile(r"(.+):(\d+(?:\.\d+|/[1-9]\d*)?)")
_SAME = Chord(None)  # while reading: the chord before, to be told from NO_CHORD by identity


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
            if match[0][0] != "|":
                bars[-1].append(_read_token(match, has_before=any(bars)))
            elif bars[-1] or len(bars) == 1:
                bars.append([])
            else:
                raise ParseError(
                    "bar line", match[0], "a chord before it; N.C. is a bar without one", match.start() + 1
                )
        if not any(bars):
            raise ParseError("progression", text, "at least one chord")
        # A bar line before the first chord and one after the last are only punctuation.
        written = [bar for bar in bars if bar] if "|" in text else [[span] for span in bars[0]]
        return cls(_repeat(written))

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
        text = " | ".join(" ".join(_span_text(span) for span in bar) for bar in self.bars)
        return text if self.n_bars > 1 or len(self.bars[0]) == 1 else f"{text} |"


def _read_token(match: re.Match[str], *, has_before: bool) -> ChordSpan:
    """Read one chord, where ``%`` means the chord before it."""
    token, column = match[0], match.start()
    counts_match = _COUNTS.fullmatch(token)
    text, counts = (counts_match[1], Fraction(counts_match[2])) if counts_match else (token, None)
    if counts is not None and counts <= 0:
        raise ParseError("chord length", token, "a positive number of counts after the colon", column + 1)
    if text == "%":
        if not has_before:
            raise ParseError("repeat", token, "a chord before it", column + 1)
        return ChordSpan(_SAME, counts)
    try:
        return ChordSpan(Chord.parse(text), counts)
    except ParseError as error:
        raise error.shifted(column) from None


def _repeat(bars: list[list[ChordSpan]]) -> tuple[tuple[ChordSpan, ...], ...]:
    """Replace each ``%``: alone and without a length it is the bar before, else the chord before."""
    done: list[tuple[ChordSpan, ...]] = []
    before = NO_CHORD
    for bar in bars:
        if done and len(bar) == 1 and bar[0].chord is _SAME and bar[0].counts is None:
            done.append(done[-1])
            continue
        spans = []
        for span in bar:
            before = before if span.chord is _SAME else span.chord
            spans.append(ChordSpan(before, span.counts))
        done.append(tuple(spans))
    return tuple(done)


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
    if span.counts is None:
        return str(span.chord)
    decimals = f"{float(span.counts):.3f}".rstrip("0").rstrip(".")
    return f"{span.chord}:{decimals if Fraction(decimals) == span.counts else span.counts}"
