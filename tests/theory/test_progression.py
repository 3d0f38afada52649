"""Progressions: text round trips, repeats, and where chords lie in a bar."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import meters, progressions, read_or_error, section_names

from theory.chord import Chord
from theory.errors import ParseError, TheoryError
from theory.key import Key
from theory.meter import Meter
from theory.progression import ChordSpan, Progression


def spelled(progression: Progression) -> list[list[str]]:
    return [[str(span.chord) for span in bar] for bar in progression.bars]


@given(progressions())
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
        ("| Am |\n| F |\n\n| C |", [["Am"], ["F"], ["C"]]),
        ("|: Am | F :|", [["Am"], ["F"], ["Am"], ["F"]]),
        ("||: Am F :||", [["Am", "F"], ["Am", "F"]]),
        ("|:Am|F:|G", [["Am"], ["F"], ["Am"], ["F"], ["G"]]),
        ("Am | F :| G", [["Am"], ["F"], ["Am"], ["F"], ["G"]]),
        ("C |: Am :| F :| G", [["C"], ["Am"], ["Am"], ["F"], ["F"], ["G"]]),
        ("|: Am :| x3", [["Am"], ["Am"], ["Am"]]),
        ("|: Am :|x1 F", [["Am"], ["F"]]),
        ("|: Am :||: F :| ×3", [["Am"], ["Am"], ["F"], ["F"], ["F"]]),
        ("|: Am :|:F:|", [["Am"], ["Am"], ["F"], ["F"]]),
        ("C | |: Am :| | G |", [["C"], ["Am"], ["Am"], ["G"]]),
        ("|: C | % :| %", [["C"], ["C"], ["C"], ["C"], ["C"]]),
        ("C |: % G :|", [["C"], ["C", "G"], ["C", "G"]]),
        ("Dm7[dorian] G7[half whole]:2 |", [["Dm7[dorian]", "G7[half-whole]"]]),
    ],
)
def test_bars_and_repeats(text: str, bars: list[list[str]]) -> None:
    assert spelled(Progression.parse(text)) == bars


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("[A] Am | F", "[A] Am | F"),
        ("[Verse] Am F [Chorus] C G", "[Verse] Am | F | [Chorus] C | G"),
        ("[Verse  1] Am F | C G\n[Chorus] F", "[Verse 1] Am F | C G | [Chorus] F"),
        ("| [A] Am | [B]F |", "[A] Am | [B] F"),
        ("[A] | Am | F", "[A] Am | F"),
        ("C | [A] | Am", "C | [A] Am"),
        ("[A] |: Am | F :| [B] G", "[A] Am | F | Am | F | [B] G"),
        ("|: [A] Am | [B] F :| G", "[A] Am | [B] F | [A] Am | [B] F | G"),
        ("[A] Am | [B] F :| G", "[A] Am | [B] F | Am | [B] F | G"),
        ("[Dm7] Dm7", "[Dm7] Dm7"),
        ("Dm7[dorian] [D] G", "Dm7[dorian] | [D] G"),
    ],
)
def test_sections_start_with_their_first_chord(text: str, printed: str) -> None:
    assert str(Progression.parse(text)) == printed


_blocks = st.lists(
    st.tuples(
        st.lists(st.tuples(st.none() | section_names, st.sampled_from(["C", "G Am", "F:2 C"])), min_size=1, max_size=3),
        st.integers(1, 4),
    ),
    min_size=1,
    max_size=4,
)


@given(_blocks, st.booleans())
def test_repeats_are_what_is_written_out(blocks: list[tuple[list[tuple[str | None, str]], int]], named: bool) -> None:
    def bar(name: str | None, chords: str) -> str:
        return f"[{name}] {chords}" if name and named else chords

    short, long = [], []
    for bars, times in blocks:
        text = " | ".join(bar(*one) for one in bars)
        short.append(f"|: {text} :|" + (f" x{times}" if times != 2 else ""))
        long += [text] * times
    assert Progression.parse(" ".join(short)) == Progression.parse(" | ".join(long) + " |")


@pytest.mark.parametrize(
    ("text", "syntax", "printed"),
    [
        ("I V6 | vi IV", None, "G D/F# | Em C"),
        ("I:3 V7:1 | N N6 | V6/5:2 I", None, "G:3 D7:1 | Ab/C Ab/C | D7/F#:2 G"),
        ("ii7[dorian] | V7[no5] | %", None, "Am7[dorian] | D7(omit5) | D7(omit5)"),
        ("1 5/7 | 6- 4:2", None, "G D/F# | Em C:2"),
        ("G:maj D:7 | E:min7/b3 N", None, "G D7 | Em7/G N.C."),
        ("G:maj:3 D:7:1 | E:min", None, "G:3 D7:1 | Em"),
        ("G:maj D:7/3 | E:2", None, "G D7/F# | E:2"),
        ("G:7 D:7/3 |", None, "G:7 D:7/3 |"),
        ("G:7 D:7/3 |", "harte", "G7 D7/F# |"),
        ("N C | X:2", "harte", "N.C. C | N.C.:2"),
        ("N | I", "roman", "Ab/C | G"),
        ("N.C. I | NC", None, "N.C. G | N.C."),
        ("C | F", "lead-sheet", "C | F"),
    ],
)
def test_all_syntaxes_are_read(text: str, syntax: str | None, printed: str) -> None:
    assert str(Progression.parse(text, key=Key.parse("G"), syntax=syntax)) == printed


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


@given(progressions(), st.integers(0, 20), meters)
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
        ("| |", "bar line", "|", 3),
        ("C |\n| | G", "bar line", "|", 7),
        ("C |: G | F", "repeat", "|:", 3),
        ("|: C |: G :|", "repeat", "|:", 6),
        ("C :||: G", "repeat", ":||:", 3),
        ("C | |: :| G", "repeat", ":|", 8),
        (":| C", "repeat", ":|", 1),
        ("|: C :| :|", "repeat", ":|", 9),
        ("C :| x0", "repeat", ":| x0", 3),
        ("C :| x100", "repeat", ":| x100", 3),
        ("C | x3", "chord", "x3", 5),
        ("C :| x3y", "chord", "x3y", 6),
        ("C | [A]", "section", "[A]", 5),
        ("C | [A] [B] G", "section", "[A]", 5),
        ("|: C | [A] :| G", "section", "[A]", 8),
        ("[] C", "section", "[]", 1),
        ("Dm7 [dorian] G", "section", "[dorian]", 5),
        ("C [Verse", "chord", "[Verse", 3),
        ("Dm7[dorain] G", "scale", "dorain", 5),
        ("Am F | ii", "chord", "ii", 8),
        ("Am F:2 | C:min:2", "chord", "C:min", 10),
        ("I | V", "chord", "I", 1),
        ("N | N.C.", "chord", "N", 1),
    ],
)
def test_what_is_no_progression_is_named_where_it_stands(text: str, what: str, token: str, column: int) -> None:
    with pytest.raises(ParseError) as caught:
        Progression.parse(text)
    error = caught.value
    assert (error.what, error.token, error.column) == (what, token, column)
    assert str(error).startswith(f"{what} {token!r} at column {column}: expected ")


@given(st.text("ACG#bm7/:|% 0123[]x\n", max_size=14))
def test_any_text_is_read_or_named_where_it_stands(text: str) -> None:
    found = read_or_error(Progression.parse, text)
    if isinstance(found, ParseError):
        assert text.startswith(found.token, found.column - 1)
    else:
        assert Progression.parse(str(found)) == found


def test_a_syntax_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ParseError, match=r"^Roman numeral 'Am' at column 5: expected a Roman numeral"):
        Progression.parse("I | Am", key=Key.parse("C"), syntax="roman")
    with pytest.raises(ParseError, match=r"^chord syntax 'jazz' at column 1: expected one of lead-sheet"):
        Progression.parse("I | Am", syntax="jazz")


@pytest.mark.parametrize("sections", [((1, "A"),), ((-1, "A"),), ((0, "A"), (0, "B"))])
def test_sections_that_are_nowhere_are_refused(sections: tuple[tuple[int, str], ...]) -> None:
    with pytest.raises(ParseError, match="expected bars from 0 to 0, ascending"):
        Progression(((ChordSpan(Chord.parse("C")),),), sections)


@pytest.mark.parametrize("name", ["", " A", "A  B", "A|B", "A]", "dorian", "half-whole", "{0,1}"])
def test_names_that_would_not_read_back_are_refused(name: str) -> None:
    with pytest.raises(ParseError, match=r"^section "):
        Progression(((ChordSpan(Chord.parse("C")),),), ((0, name),))


def test_a_bar_without_chords_is_refused() -> None:
    with pytest.raises(ParseError, match="expected at least one chord in every bar"):
        Progression(((ChordSpan(Chord.parse("C")),), ()))
