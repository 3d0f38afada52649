r"""Reader of RomanText: harmonic analyses as Roman numerals on the beats of a piece.

A file is a header of ``Name: value`` lines and one line a measure: ``m12 b1 I6 b2.5 C: V7/V b3 V ||``. A numeral
stands on the last beat named before it, a key (``Ab:`` major, ``c#:`` minor) holds until the next one, and
``m5-8 = m1-4`` takes the lines of other measures up again, in the key that then holds. Two numerals on one beat with
a key between them are a pivot: one chord, heard in both keys. Other lines are prose and are passed over. What is read
follows music21's ``romanText``; variant readings (``m3var1``) are left out, as there.

>>> [(a.measure, str(a.beat), str(a.key), a.numeral) for a in parse_romantext("m1 C: I b3 V65/V\nm2 V G: I")]
[(1, '1', 'C major', 'I'), (1, '3', 'C major', 'V65/V'), (2, '1', 'C major', 'V'), (2, '1', 'G major', 'I')]

References
----------
Tymoczko, Gotham, Cuthbert and Ariza, "The RomanText format", ISMIR 2019.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType

from symgen.errors import CorpusError
from theory.chord import NO_CHORD, Chord
from theory.errors import ParseError, TheoryError
from theory.key import Key
from theory.meter import Meter
from theory.roman import parse_roman

__all__ = ["Analysed", "parse_romantext", "read_romantext"]

_MEASURE = re.compile(  # a bare number is a measure where a beat, a key or a numeral follows: the m was forgotten
    r"(?:m|(?=\d+\s+(?:b\d|[A-Ga-g][#b]*:|[#b]*[IViv]+[o+ø\d]*(?:\s|$))))"
    r"(?P<first>\d+)(?P<ending>[a-h]?)(?:-m?(?P<last>\d+)[a-h]?)?(?P<variant>var\w+)?:?(?=[\s=|]|$)"
)
_COPY = re.compile(r"=?\s*m?\s*(?P<first>\d+)(?P<ending>[a-h]?)(?:\s*-\s*m?(?P<last>\d+)[a-h]?)?\s*(?P<marks>[|:]*)")
_METER_LINE = re.compile(r"time ?signature\s*:\s*(?P<tempo>slow|fast)?\s*(?P<meter>\S+)", re.IGNORECASE)
_NEARLY_MEASURE = re.compile(r"[mM]\s*\d|\d+(?:-\d+)?\s*=")
_BEAT = re.compile(r"b(?=[\d.])(?P<beat>\d*)(?:\.(?P<part>\d+))?(?:\.(?P<of_part>\d+))?:?")
_KEY = re.compile(r"(?P<key>[A-Ga-g](?:[#b]{0,2}|-{0,2})):")
_MARKS = re.compile(r"\|*:?\|\|:?\|*|:?\|\|?:?")
_NUMERAL = re.compile(r"[#b\-]*(?:[IViv]|It|Ger|Fr|Sw|N|Cad)")
_NO_CHORDS = frozenset({"NC", "N.C.", "nc"})
_METER_NAMES = MappingProxyType({"C": "4/4", "Cut": "2/2"})
_COMMON_TIME = Meter(4, 4)
_ROUNDED = MappingProxyType(
    {"3": Fraction(1, 3), "33": Fraction(1, 3), "6": Fraction(2, 3), "66": Fraction(2, 3), "67": Fraction(2, 3)}
    | {"16": Fraction(1, 6), "17": Fraction(1, 6), "83": Fraction(5, 6)}
)
"""Parts of a beat that decimals only come near."""

_EXPECTED_LINE = "a measure such as 'm12 b1 I6 b3 V', a copy such as 'm5-8 = m1-4' or a 'Name: value' line"


@dataclass(frozen=True, slots=True)
class Analysed:
    """A chord as an analyst heard it.

    Parameters
    ----------
    measure
        The number in the file; 0 is a pickup.
    beat
        Counted from 1, in the beats of the metre.
    key
        The local key.
    numeral
        As it is written; ``N.C.`` for no chord.
    line
        Where in the file it stands; for a copied measure the line of the copy.
    ending
        The letter of a first or second ending (``a``, ``b``), else empty.
    meter
        The metre of the measure.
    beats_per_bar
        How many beats the analyst counts in it.
    is_pivot
        Whether this is the chord before it, heard again in the key to come.
    closes_phrase
        Whether a phrase mark (``||``) follows.
    """

    measure: int
    beat: Fraction
    key: Key
    numeral: str
    line: int = 0
    ending: str = ""
    meter: Meter = _COMMON_TIME
    beats_per_bar: int = 4
    is_pivot: bool = False
    closes_phrase: bool = False

    @property
    def chord(self) -> Chord:
        """The chord that the numeral means in the key.

        Raises
        ------
        ParseError
            If it means none: analysts mistype.
        """
        return _chord(self.numeral, self.key)

    @property
    def bars(self) -> Fraction:
        """How far after the bar line it starts, as a part of the bar."""
        return (self.beat - 1) / self.beats_per_bar


@dataclass(slots=True)
class _State:
    """What holds while a file is read; ``tokens`` are the words of each measure, for copies."""

    key: Key = field(default_factory=lambda: Key.parse("C"))
    meter: Meter = _COMMON_TIME
    beats_per_bar: int = 4
    tokens: dict[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)
    read: list[Analysed] = field(default_factory=list)
    line: int = 0


def read_romantext(path: Path) -> list[Analysed]:
    """Read an analysis.

    Parameters
    ----------
    path
        A text file in RomanText.

    Returns
    -------
    list of Analysed
        In the order of the file, each only where it starts; copied measures are written out.

    Raises
    ------
    CorpusError
        Naming the file, the line and what could not be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: expected a readable text in UTF-8: {error}"
        raise CorpusError(msg) from None
    return parse_romantext(text, name=str(path))


def parse_romantext(text: str, *, name: str = "RomanText") -> list[Analysed]:
    """Read an analysis from text; ``name`` stands in errors.

    Raises
    ------
    CorpusError
        Naming the line and what could not be read, or if the text has no measure.
    """
    state = _State()
    for number, line in enumerate(text.splitlines(), 1):
        state.line = number
        try:
            _read_line(state, line.strip())
        except TheoryError as error:
            msg = f"{name}: line {number}: {error}"
            raise CorpusError(msg) from None
    if not state.read:
        msg = f"{name}: expected at least one measure such as 'm1 C: I'"
        raise CorpusError(msg)
    return state.read


def _read_line(state: _State, line: str) -> None:
    measure = _MEASURE.match(line)
    if measure is not None:
        if not measure["variant"]:
            _read_measure(state, measure, line[measure.end() :].strip())
    elif meter := _METER_LINE.match(line):
        _set_meter(state, meter)
    elif _NEARLY_MEASURE.match(line):
        raise ParseError(what="line", token=line, expected=_EXPECTED_LINE)


def _set_meter(state: _State, match: re.Match[str]) -> None:
    """Set the metre; numerators divisible by three are compound, but 3 over a half or a quarter and slow ones."""
    written = match["meter"].rstrip("?")
    state.meter = Meter.parse(_METER_NAMES.get(written, written))
    counts = state.meter.numerator
    is_simple_three = counts == 3 and state.meter.denominator < 8
    is_compound = counts % 3 == 0 and not is_simple_three and (match["tempo"] or "").lower() != "slow"
    state.beats_per_bar = counts // 3 if is_compound else counts


def _read_measure(state: _State, match: re.Match[str], rest: str) -> None:
    first, last = int(match["first"]), int(match["last"] or match["first"])
    copy = _COPY.fullmatch(rest)
    if copy is not None:
        _copy_measures(state, range(first, last + 1), match["ending"], copy)
        return
    if last != first or rest.startswith("="):
        raise ParseError(what="measures", token=f"{match[0]} {rest}".strip(), expected="a copy, as in m5-8 = m1-4")
    _read_tokens(state, first, match["ending"], tuple(rest.split()))


def _copy_measures(state: _State, targets: range, ending: str, copy: re.Match[str]) -> None:
    """Read the words of earlier measures again; a measure without a line goes on with the chord before it."""
    first, last = int(copy["first"]), int(copy["last"] or copy["first"])
    sources = range(first, last + 1)
    earliest = min((number for number, _ in state.tokens), default=targets[0])
    if len(sources) != len(targets) or not earliest <= first < targets[0]:
        raise ParseError(
            what="copy", token=copy[0], expected=f"{len(targets)} of the measures before measure {targets[0]}"
        )
    for target, source in zip(targets, sources, strict=True):
        words = state.tokens.get((source, copy["ending"])) or state.tokens.get((source, "")) or ()
        words = words or state.tokens.get((source, "a"), ())
        _read_tokens(state, target, ending, words)
    if copy["marks"]:
        _mark(state, copy["marks"])


def _read_tokens(state: _State, measure: int, ending: str, words: tuple[str, ...]) -> None:
    state.tokens[measure, ending] = words
    beat, on_this_beat = Fraction(1), 0
    for word in words:
        if match := _BEAT.fullmatch(word):
            beat, on_this_beat = _beat(match), 0
        elif match := _KEY.fullmatch(word):
            state.key = Key.parse(match["key"].replace("-", "b"))
        elif _MARKS.fullmatch(word):
            _mark(state, word)
        else:
            _add(state, measure, ending, beat, word, is_again=on_this_beat > 0)
            on_this_beat += 1


def _beat(match: re.Match[str]) -> Fraction:
    """Return a beat; ``1.66.5`` is two thirds and then half of a third more."""
    beat = Fraction(int(match["beat"] or 1))
    if match["part"] is None:
        return beat
    written = match["part"]
    part = _ROUNDED.get(written[:2] if set(written[1:]) <= {*"367"} else written)
    part = part if part is not None else Fraction(f"0.{written}").limit_denominator(32)
    of_part = Fraction(f"0.{match['of_part']}") if match["of_part"] else Fraction(0)
    return beat + part + of_part / part.denominator


def _mark(state: _State, word: str) -> None:
    """Note the end of a phrase at the chord before it; a mark before the first chord says nothing."""
    if state.read and not (word.endswith(":") and not word.startswith(":")):
        state.read[-1] = replace(state.read[-1], closes_phrase=True)


def _add(state: _State, measure: int, ending: str, beat: Fraction, word: str, *, is_again: bool) -> None:
    """Add a chord; a second numeral on one beat is a pivot where the key has changed, else it replaces nothing."""
    numeral = "N.C." if word in _NO_CHORDS else word
    if not _NUMERAL.match(numeral):
        expected = "a Roman numeral, a beat (b2.5), a key (Ab:) or a phrase mark (||)"
        raise ParseError(what="word", token=word, expected=expected)
    is_pivot = is_again and state.read[-1].key != state.key
    state.read.append(
        Analysed(
            measure, beat, state.key, numeral, state.line, ending, state.meter, state.beats_per_bar, is_pivot=is_pivot
        )
    )


@cache
def _chord(numeral: str, key: Key) -> Chord:
    return NO_CHORD if numeral == "N.C." else parse_roman(numeral, key)
