"""Chord progressions as text.

Bars are separated by ``|`` (or ``||``, which means no more than that); the chords of a bar share it;
``C:2`` lasts two counts of the metre;
``%`` repeats the chord before it, or the whole bar before it when it stands alone. Without any bar
line every chord has a bar of its own.

``|: ... :|`` (or ``||: ... :||``) is played twice, ``:| x3`` three times; a repeat that nothing opens goes back to
the last one, or to the start. ``[Verse]``, with spaces around it, names the section that starts with the next
chord, which begins a bar; inside a repeat it is named each time. All four syntaxes of :mod:`theory.symbols` are
read; in Harte's, ``C:7`` is a chord, so that its counts need a quality before them: ``C:maj:2``.

>>> progression = Progression.parse("Am F | C:3 G:1 | %")
>>> [[str(span.chord) for span in bar] for bar in progression.bars]
[['Am', 'F'], ['C', 'G'], ['C', 'G']]
>>> [(float(start), str(chord)) for start, chord in progression.bar_layout(0, Meter(3, 4))]
[(0.0, 'Am'), (2.0, 'F')]
>>> print(Progression.parse("[Verse] |: I V6 | vi :| [Chorus] IV", key=Key.parse("G")))
[Verse] G D/F# | Em | G D/F# | Em | [Chorus] C
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from theory.chord import NO_CHORD, Chord
from theory.errors import ParseError, TheoryError
from theory.key import Key
from theory.meter import Meter
from theory.scale import scale_named
from theory.symbols import detect_syntax, parse_chord

__all__ = ["ChordSpan", "Progression"]

_TOKEN = re.compile(
    r"(?P<close>:\|+)(?:\s*[x×](?P<times>\d+)(?![^\s|]))?(?P<reopen>:)?"
    r"|(?P<line>\|+)(?P<open>:)?"
    r"|\[(?P<section>[^\[\]|]*)\]"
    r"|(?P<chord>(?:[^\s|\[\]:]|\[[^\[\]|]*\]|[\[\]]|:(?!\|))+)"
)
_COUNTS = re.compile(r"(.+):(\d+(?:\.\d+|/[1-9]\d*)?)")
_SAME = Chord(None)  # while reading: the chord before, to be told from NO_CHORD by identity
_MOST_TIMES = 99


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
    sections
        The bar, counted from 0, that each section starts with, and its name; ascending.
    """

    bars: tuple[tuple[ChordSpan, ...], ...]
    sections: tuple[tuple[int, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.bars or not all(self.bars):
            raise ParseError("progression", "", "at least one chord in every bar; N.C. is a bar without one")
        starts = [-1, *(bar for bar, _ in self.sections), len(self.bars)]
        if any(first >= second for first, second in pairwise(starts)):
            raise ParseError("sections", str(self.sections), f"bars from 0 to {len(self.bars) - 1}, ascending")
        for _, name in self.sections:
            _check_section(name, name, 1)

    @classmethod
    def parse(cls, text: str, *, key: Key | None = None, syntax: str | None = None) -> Progression:
        """Read a progression.

        Parameters
        ----------
        text
            Such as ``"Am F | C G"`` (two bars), ``"Am F C G"`` (four) or ``"[Verse] |: I V6 | vi IV :| x3"``.
        key
            What Roman numerals and Nashville numbers count in.
        syntax
            One of :data:`theory.symbols.SYNTAXES`; ``None`` to find it from all the chords of the text.

        Raises
        ------
        ParseError
            Naming the token that could not be read, and its column in ``text``.

        Examples
        --------
        >>> print(Progression.parse("||: 1 | 5/7 :|| x3", key=Key.parse("D")))
        D | A/C# | D | A/C# | D | A/C#
        """
        tokens = list(_TOKEN.finditer(text))
        syntax = syntax or _syntax_of(tokens)
        sheet = _Sheet(has_lines="|" in text)
        for token in tokens:
            if token["chord"]:
                sheet.add_chord(_read_chord(token, syntax, key, has_before=any(sheet.bars)))
            elif token["section"] is not None:
                sheet.add_section(token)
            else:
                sheet.add_line(token)
        sheet.finish(text)
        return cls(*sheet.played())

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
        """Return the progression as lead-sheet text that reads back to an equal one."""
        names = {bar: f"[{name}] " for bar, name in self.sections}
        bars = (names.get(i, "") + " ".join(_span_text(span) for span in bar) for i, bar in enumerate(self.bars))
        text = " | ".join(bars)
        return text if self.n_bars > 1 or len(self.bars[0]) == 1 else f"{text} |"


class _Sheet:
    """A progression as it is written: bars, the repeats around them, and the sections that start in them.

    The last bar is being written. ``repeats`` holds the first bar, the bar past the last, and how often; and
    ``sections`` the bar, the name, and whether a repeat opened before the name in that bar.
    """

    def __init__(self, *, has_lines: bool) -> None:
        self.has_lines = has_lines
        self.bars: list[list[ChordSpan]] = [[]]
        self.repeats: list[tuple[int, int, int]] = []
        self.sections: list[tuple[int, str, bool]] = []
        self._opening: re.Match[str] | None = None  # of the repeat that is open
        self._start = 0  # where the repeat that is open, or one that nothing opens, goes back to
        self._before: re.Match[str] | None = None  # the token before, if it is a plain bar line
        self._waiting: re.Match[str] | None = None  # the section that no chord has followed yet

    def add_chord(self, span: ChordSpan) -> None:
        if not self.has_lines:
            self._end_bar()
        self.bars[-1].append(span)
        self._before = self._waiting = None

    def add_section(self, token: re.Match[str]) -> None:
        self._end_bar()
        self._check_waiting()
        name = " ".join(token["section"].split())
        _check_section(name, token[0], token.start() + 1)
        self.sections.append((len(self.bars) - 1, name, self._opening is not None))
        self._before, self._waiting = None, token

    def add_line(self, token: re.Match[str]) -> None:
        is_plain = not (token["close"] or token["open"])
        before = self._before
        if before and is_plain and "\n" not in token.string[before.end() : token.start()]:
            raise _error("bar line", token, "a chord before it; N.C. is a bar without one")
        self._end_bar()
        if token["close"]:
            self._close(token)
        if token["open"] or token["reopen"]:
            self._open(token)
        self._before = token if is_plain else None

    def finish(self, text: str) -> None:
        """Check that nothing is left open."""
        self._end_bar()
        self._check_waiting()
        if self._opening is not None:
            raise _error("repeat", self._opening, "its end, :|, after it")
        if len(self.bars) == 1:
            raise ParseError("progression", text, "at least one chord")

    def played(self) -> tuple[tuple[tuple[ChordSpan, ...], ...], tuple[tuple[int, str], ...]]:
        """Return the bars as they are played, and where the sections start in them."""
        written = _without_percent(self.bars[:-1])
        passes = self._passes(len(written))
        bars = [bar for start, end, _ in passes for bar in written[start:end]]
        sections, n_before = [], 0
        for start, end, is_first in passes:
            for bar, name, is_inside in self.sections:
                if start <= bar < end and (is_first or bar > start or is_inside):
                    sections.append((n_before + bar - start, name))
            n_before += end - start
        return tuple(bars), tuple(sections)

    def _passes(self, n_bars: int) -> list[tuple[int, int, bool]]:
        """Return the stretches of bars in the order of playing, and whether each is played for the first time."""
        passes, done = [], 0
        for start, end, times in self.repeats:
            passes.append((done, start, True))
            passes += [(start, end, i == 0) for i in range(times)]
            done = end
        return [*passes, (done, n_bars, True)]

    def _end_bar(self) -> None:
        if self.bars[-1]:
            self.bars.append([])

    def _open(self, token: re.Match[str]) -> None:
        if self._opening is not None:
            column = self._opening.start() + 1
            raise _error("repeat", token, f"the end, :|, of the repeat that opens at column {column} before it")
        self._opening, self._start = token, len(self.bars) - 1

    def _close(self, token: re.Match[str]) -> None:
        end = len(self.bars) - 1
        times = int(token["times"] or 2)
        if self._start == end:
            raise _error("repeat", token, "a chord to repeat before it")
        if not 1 <= times <= _MOST_TIMES:
            raise _error("repeat", token, f"x1 to x{_MOST_TIMES} times")
        self._check_waiting()
        self.repeats.append((self._start, end, times))
        self._opening, self._start = None, end

    def _check_waiting(self) -> None:
        if self._waiting is not None:
            raise _error("section", self._waiting, "a chord after it")


def _error(what: str, token: re.Match[str], expected: str) -> ParseError:
    return ParseError(what, token[0], expected, token.start() + 1)


def _check_section(name: str, token: str, column: int) -> None:
    """Refuse names that would not read back, and those of scales, which stand without a space after a chord."""
    if not name or name != " ".join(name.split()) or set("[]|") & set(name):
        raise ParseError("section", token, "a name without brackets and bar lines", column)
    try:
        scale_named(name)
    except ParseError:
        return
    if len(name) > 2:
        raise ParseError("section", token, "a name that is no scale's; a chord's scale has no space before it", column)


def _syntax_of(tokens: Sequence[re.Match[str]]) -> str:
    """Return the syntax of all chords; a length is left out, for Harte's syntax writes qualities after a colon."""
    chords = [token for token in tokens if token["chord"]]
    plain = [counts[1] if (counts := _COUNTS.fullmatch(token[0])) else token[0] for token in chords]
    pairs = [(text, token.start() + 1) for text, token in zip(plain, chords, strict=True) if text != "%"]
    return detect_syntax([text for text, _ in pairs], [column for _, column in pairs])


def _read_chord(token: re.Match[str], syntax: str, key: Key | None, *, has_before: bool) -> ChordSpan:
    """Read one chord, where ``%`` means the chord before it."""
    column = token.start()
    text, counts = _split_counts(token[0], syntax)
    if counts is not None and counts <= 0:
        raise _error("chord length", token, "a positive number of counts after the colon")
    if text == "%":
        if not has_before:
            raise _error("repeat", token, "a chord before it")
        return ChordSpan(_SAME, counts)
    try:
        return ChordSpan(parse_chord(text, syntax=syntax, key=key), counts)
    except ParseError as error:
        raise error.shifted(column) from None


def _split_counts(token: str, syntax: str) -> tuple[str, Fraction | None]:
    """Split the length off a chord, unless Harte's syntax means a quality by it."""
    match = _COUNTS.fullmatch(token)
    if match is None or (syntax == "harte" and _is_harte(token)):
        return token, None
    return match[1], Fraction(match[2])


def _is_harte(token: str) -> bool:
    try:
        parse_chord(token, syntax="harte")
    except ParseError:
        return False
    return True


def _without_percent(bars: Sequence[Sequence[ChordSpan]]) -> list[tuple[ChordSpan, ...]]:
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
    if span.counts is None:
        return str(span.chord)
    decimals = f"{float(span.counts):.3f}".rstrip("0").rstrip(".")
    return f"{span.chord}:{decimals if Fraction(decimals) == span.counts else span.counts}"
