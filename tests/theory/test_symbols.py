"""One door to four syntaxes: every chord through each of them, and which syntax a text is in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import keys, read_or_error, scaled_chords

from theory.chord import NO_CHORD, Chord
from theory.errors import ParseError
from theory.key import Key
from theory.symbols import SYNTAXES, detect_syntax, parse_chord, print_chord

C = Key.parse("C")


@given(scaled_chords, keys, st.sampled_from(SYNTAXES))
def test_every_chord_prints_and_reads_back_in_every_syntax(chord: Chord, key: Key, syntax: str) -> None:
    assert parse_chord(print_chord(chord, syntax, key), syntax=syntax, key=key) == chord


@given(st.lists(scaled_chords.filter(lambda chord: not chord.is_none), min_size=1, max_size=6), keys)
def test_what_is_printed_in_a_syntax_is_taken_for_it(chords: list[Chord], key: Key) -> None:
    for syntax in SYNTAXES:
        assert detect_syntax([print_chord(chord, syntax, key) for chord in chords]) == syntax


@pytest.mark.parametrize(
    ("text", "syntax"),
    [
        ("Am F C G", "lead-sheet"),
        ("C", "lead-sheet"),
        ("C G/B", "lead-sheet"),
        ("C G/3", "harte"),
        ("C G:min", "harte"),
        ("N C", "lead-sheet"),
        ("N C:maj", "harte"),
        ("I N V", "roman"),
        ("Cad64 V7 I", "roman"),
        ("N.C. ii7[dorian]", "roman"),
        ("b7 1", "nashville"),
        ("b7- 1[dorian]", "nashville"),
        ("bVII I", "roman"),
        ("X", "harte"),
        ("1 4 5 NC", "nashville"),
        ("N.C. NC", "lead-sheet"),
        ("", "lead-sheet"),
    ],
)
def test_the_syntax_is_found_from_the_whole_text(text: str, syntax: str) -> None:
    assert detect_syntax(text.split()) == syntax


@pytest.mark.parametrize(
    ("text", "what", "token", "column", "told"),
    [
        ("Am F ii V", "chord", "ii", 6, "lead-sheet symbols throughout, and this is one of roman"),
        ("I IV Am", "chord", "Am", 6, "roman symbols throughout, and this is one of lead-sheet"),
        ("I IV C", "chord", "C", 6, "this is one of lead-sheet or harte"),
        ("1 4 V", "chord", "V", 5, "nashville symbols throughout"),
        ("Am C/3", "chord", "C/3", 4, "lead-sheet symbols throughout, and this is one of harte"),
        ("Am C:min", "chord", "C:min", 4, "lead-sheet symbols throughout"),
        ("A:min C:maj Am", "chord", "Am", 13, "harte symbols throughout, and this is one of lead-sheet"),
        ("N", "chord", "N", 1, "one syntax, and lead-sheet and harte and roman read it differently"),
        ("N.C. N", "chord", "N", 6, "name the chord syntax: lead-sheet, harte, roman, nashville"),
        ("Am Cxyz", "chord quality", "xyz", 5, "b5"),
        ("Q", "chord", "Q", 1, "a chord symbol such as"),
        ("I Q", "Roman numeral", "Q", 3, "a Roman numeral such as"),
        ("I V7x", "Roman numeral", "x", 5, "figures such as"),
    ],
)
def test_a_text_of_no_one_syntax_is_named_where_it_parts(
    text: str, what: str, token: str, column: int, told: str
) -> None:
    with pytest.raises(ParseError) as caught:
        detect_syntax(text.split())
    assert (caught.value.what, caught.value.token, caught.value.column) == (what, token, column)
    assert told in caught.value.expected


def test_columns_are_those_of_the_whole_text() -> None:
    with pytest.raises(ParseError) as caught:
        detect_syntax(["Am", "Cxyz"], columns=[11, 21])
    assert caught.value.column == 22


@pytest.mark.parametrize("syntax", ["roman", "nashville"])
def test_degrees_need_a_key(syntax: str) -> None:
    symbol = print_chord(Chord.parse("Am"), syntax, C)
    with pytest.raises(ParseError, match=f"expected a key as well, for {syntax} symbols count its degrees"):
        parse_chord(symbol)
    with pytest.raises(ParseError, match="expected a key as well"):
        print_chord(Chord.parse("Am"), syntax)


def test_an_unknown_syntax_is_refused() -> None:
    for use in (lambda: parse_chord("C", syntax="jazz"), lambda: print_chord(NO_CHORD, "jazz")):
        with pytest.raises(ParseError, match=r"^chord syntax 'jazz' at column 1: expected one of lead-sheet, harte"):
            use()


@pytest.mark.parametrize("syntax", [None, *SYNTAXES])
def test_no_chord_is_written_alike_everywhere(syntax: str | None) -> None:
    for text in ("N.C.", "NC", " n.c. "):
        assert parse_chord(text, syntax=syntax) == NO_CHORD


def test_a_forced_syntax_is_kept() -> None:
    assert parse_chord("N", syntax="roman", key=C) == Chord.parse("Db/F")
    assert parse_chord("N", syntax="lead-sheet") == parse_chord("N", syntax="harte") == NO_CHORD
    with pytest.raises(ParseError, match="Roman numeral 'Am'"):
        parse_chord("Am", syntax="roman", key=C)


@given(st.text("ACGNIVivb#/:[]()dom7 312", max_size=8) | st.text(max_size=5), st.none() | keys)
def test_any_text_is_read_or_named_where_it_stands(text: str, key: Key | None) -> None:
    found = read_or_error(lambda written: parse_chord(written, key=key), text)
    if isinstance(found, ParseError):
        assert text.startswith(found.token, found.column - 1)
    else:
        assert parse_chord(str(found)) == found
