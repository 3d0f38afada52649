"""Progressions: text round trips, repeats, and where chords lie in a bar."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import meters, progressions, read_or_error

from theory.chord import Chord
from theory.errors import ParseError, TheoryError
from theory.meter import Meter
from theory.progression import ChordSpan, Progression


def spelled(progression: Progression) -> list[list[str]]:
    return [[str(span.chord) for span in bar] for bar in progression.bars]


@given(progressions)
def test_a_progression_reads_back(progression: Progression) -> None:
    assert Progression.parse(str(progression)) == progression


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("Am F C G", [["Am"], ["F"], ["C"], ["G"]]),
        ("Am F | C G", [["Am", "F"], ["C", "G"]]),
        ("| Am F | C G |", [["Am", "F"], ["C", "G"]]),
        ("|Am|F||", [["Am"], ["F"]]),
        ("Am F |", [["Am", "F"]]),
        ("C", [["C"]]),
        ("C % G %", [["C"], ["C"], ["G"], ["G"]]),
        ("C | % | G", [["C"], ["C"], ["G"]]),
        ("Am F | % | %", [["Am", "F"], ["Am", "F"], ["Am", "F"]]),
        ("Am F | % C", [["Am", "F"], ["F", "C"]]),
        ("C | % %", [["C"], ["C", "C"]]),
        ("C | % | %:2 G:2", [["C"], ["C"], ["C", "G"]]),
        ("N.C. | C", [["N.C."], ["C"]]),
    ],
)
def test_bars_and_repeats(text: str, bars: list[list[str]]) -> None:
    assert spelled(Progression.parse(text)) == bars


def test_counts_are_exact() -> None:
    spans = Progression.parse("C:3 G:0.25 F:1/3 Am").bars
    assert [bar[0].counts for bar in spans] == [Fraction(3), Fraction(1, 4), Fraction(1, 3), None]
    assert str(Progression((spans[1], spans[2]))) == "G:0.25 | F:1/3"


@pytest.mark.parametrize(
    ("text", "meter", "layout"),
    [
        ("C G |", "4/4", [(0, "C"), (2, "G")]),
        ("C G |", "3/4", [(0, "C"), (2, "G")]),
        ("C G F |", "4/4", [(0, "C"), (2, "G"), (3, "F")]),
        ("C:3 G |", "4/4", [(0, "C"), (3, "G")]),
        ("C G:1 |", "4/4", [(0, "C"), (3, "G")]),
        ("C G |", "6/8", [(0, "C"), (Fraction(3, 2), "G")]),
        ("C G F |", "2/4", [(0, "C"), (Fraction(2, 3), "G"), (Fraction(4, 3), "F")]),
        ("C:5 G |", "6/8", [(0, "C"), (Fraction(5, 2), "G")]),
    ],
)
def test_where_chords_start(text: str, meter: str, layout: list[tuple[Fraction, str]]) -> None:
    found = Progression.parse(text).bar_layout(0, Meter.parse(meter))
    assert found == [(start, Chord.parse(chord)) for start, chord in layout]


@given(progressions, st.integers(0, 20), meters)
def test_a_layout_fills_its_bar_or_is_refused(progression: Progression, bar: int, meter: Meter) -> None:
    spans = progression.bars[bar % progression.n_bars]
    fixed = sum((span.counts for span in spans if span.counts is not None), Fraction(0))
    has_open = any(span.counts is None for span in spans)
    if fixed > meter.numerator or (fixed == meter.numerator) == has_open:
        with pytest.raises(TheoryError, match=re.escape(f"expected {meter.numerator} counts in {meter}")):
            progression.bar_layout(bar, meter)
        return
    layout = progression.bar_layout(bar, meter)
    starts = [start for start, _ in layout]
    assert [chord for _, chord in layout] == [span.chord for span in spans]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    ends = [*starts[1:], meter.bar_quarters]
    for span, start, end in zip(spans, starts, ends, strict=True):
        assert end > start
        assert span.counts is None or (end - start) == span.counts * Fraction(4, meter.denominator)


@pytest.mark.parametrize(
    ("text", "what", "token", "column"),
    [
        ("", "progression", "", 1),
        (" | ", "progression", " | ", 1),
        ("% | C", "repeat", "%", 1),
        ("C | | G", "bar line", "|", 5),
        ("Am F | C H", "chord", "H", 10),
        ("Am F | Cxyz", "chord quality", "xyz", 9),
        ("Am | C/H", "bass note", "H", 8),
        ("C G:0", "chord length", "G:0", 3),
    ],
)
def test_what_is_no_progression_is_named_where_it_stands(text: str, what: str, token: str, column: int) -> None:
    with pytest.raises(ParseError) as caught:
        Progression.parse(text)
    error = caught.value
    assert (error.what, error.token, error.column) == (what, token, column)
    assert str(error).startswith(f"{what} {token!r} at column {column}: expected ")


@given(st.text("ACG#bm7/:|% 0123", max_size=14))
def test_any_text_is_read_or_named_where_it_stands(text: str) -> None:
    found = read_or_error(Progression.parse, text)
    if isinstance(found, ParseError):
        assert text.startswith(found.token, found.column - 1)
    else:
        assert Progression.parse(str(found)) == found


def test_a_bar_without_chords_is_refused() -> None:
    with pytest.raises(ParseError, match="expected at least one chord in every bar"):
        Progression(((ChordSpan(Chord.parse("C")),), ()))
