"""Nashville numbers: what they mean, that they read back, and what is said of what is no number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import keys, read_or_error, scaled_chords

from theory.chord import Chord
from theory.errors import ParseError
from theory.key import Key
from theory.nashville import nashville_of, parse_nashville


@pytest.mark.parametrize(
    ("key", "numbers", "symbols"),
    [
        ("C", "1 2 3 4 5 6 7", "C D E F G A B"),
        ("C", "2- 3m 6-7 2m7 7o 7° 7ø 5+", "Dm Em Am7 Dm7 Bdim Bdim Bm7b5 Gaug"),
        ("C", "57 5/7 1/3 4/1 1/b7 1maj7 4△7 16/9 16/9/5", "G7 G/B C/E F/C C/Bb Cmaj7 Fmaj7 C6/9 C6/9/G"),
        ("G", "b7 ♯4o b3 b6maj7 4sus4 5sus 1add9 15", "F C#dim Bb Ebmaj7 Csus4 Dsus4 Gadd9 G5"),
        ("E minor", "1- b6 b3 b7 4- 57 2-7b5", "Em C G D Am B7 F#m7b5"),  # degrees of the major scale
        ("C", "7b5 7(b5) 57b9 ♭7 N.C.", "B(b5) B(b5) G7b9 Bb N.C."),
        ("C", "2-7[dorian] 1-/maj7 57/9 5/7[bebop]", "Dm7[dorian] Cmmaj7 G9 G/B[bebop-dominant]"),
    ],
)
def test_numbers_mean_what_a_chart_says(key: str, numbers: str, symbols: str) -> None:
    read = [parse_nashville(number, Key.parse(key)) for number in numbers.split()]
    assert [str(chord) for chord in read] == symbols.split()


@given(scaled_chords, keys)
def test_a_printed_number_reads_back(chord: Chord, key: Key) -> None:
    assert parse_nashville(nashville_of(chord, key), key) == chord


@pytest.mark.parametrize(
    ("symbol", "number"),
    [
        ("Am", "6-"),
        ("Am7", "6-7"),
        ("Cmaj7", "1maj7"),
        ("G/B", "5/7"),
        ("Bb", "b7"),
        ("Bm7b5", "7-7b5"),
        ("N.C.", "N.C."),
    ],
)
def test_chords_print_as_on_a_chart(symbol: str, number: str) -> None:
    assert nashville_of(Chord.parse(symbol), Key.parse("C")) == number


@pytest.mark.parametrize(
    ("text", "what", "token", "column"),
    [
        ("", "Nashville number", "", 1),
        (" 8", "Nashville number", "8", 2),
        ("x", "Nashville number", "x", 1),
        ("b", "Nashville number", "b", 1),
        ("2-7[dorain]", "scale", "dorain", 5),
        ("6-q", "chord quality", "q", 3),
        ("  5maj7z", "chord quality", "z", 8),
        ("5/8", "bass", "8", 3),
        ("5/", "bass", "", 3),
        ("1/E", "bass", "E", 3),
    ],
)
def test_what_is_no_number_is_named_where_it_stands(text: str, what: str, token: str, column: int) -> None:
    with pytest.raises(ParseError) as caught:
        parse_nashville(text, Key.parse("C"))
    error = caught.value
    assert (error.what, error.token, error.column) == (what, token, column)
    assert str(error).startswith(f"{what} {token!r} at column {column}: expected ")


@given(st.text("1234567890#b♭/-mo+()dgjsua 9[]{,", max_size=8) | st.text(max_size=5), keys)
def test_any_text_is_read_or_named_where_it_stands(text: str, key: Key) -> None:
    found = read_or_error(lambda number: parse_nashville(number, key), text)
    if isinstance(found, ParseError):
        assert text.startswith(found.token, found.column - 1)
    else:
        assert parse_nashville(nashville_of(found, key), key) == found
