"""Harte's syntax: literal meanings, round trips, what is no symbol, and mir_eval's reading of what is printed."""

from dataclasses import replace

import pytest
from chord_suffixes import ROOTS, SEMITONES
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import read_or_error, scaled_chords

from theory.chord import Chord
from theory.errors import ParseError
from theory.harte import harte_of, parse_harte
from theory.pitch import Spelling


@given(scaled_chords)
def test_a_printed_symbol_reads_back(chord: Chord) -> None:
    assert parse_harte(harte_of(chord)) == chord


def test_every_set_of_semitones_prints_to_a_symbol_that_reads_back_and_mir_eval_reads_the_same() -> None:
    import mir_eval.chord

    for bits in range(1 << 12):
        chord = Chord(Spelling(0), tuple(semitone for semitone in range(12) if bits >> semitone & 1))
        symbol = harte_of(chord)
        assert parse_harte(symbol) == chord
        root, bitmap, bass = mir_eval.chord.encode(symbol, reduce_extended_chords=True)
        # mir_eval puts the bass, here the root, into every chord.
        assert {above for above in range(12) if bitmap[above] > 0} == {0, *chord.semitones}, symbol
        assert (root, bass) == (0, 0)


@given(scaled_chords.map(lambda chord: replace(chord, scale=None)))
def test_mir_eval_reads_the_same_root_notes_and_bass(chord: Chord) -> None:
    import mir_eval.chord

    root, bitmap, bass = mir_eval.chord.encode(harte_of(chord), reduce_extended_chords=True)
    if chord.root is None:
        assert root == -1
        return
    assert (root, (root + bass) % 12) == (chord.root.pitch_class, chord.bass_pitch_class)
    notes = {(root + above) % 12 for above in range(12) if bitmap[above] > 0}
    # An omitted root is in the bitmap all the same, unless a star of ours takes it away.
    assert notes - {root} == chord.pitch_classes - {root}


def test_lead_sheet_symbols_are_printed_with_few_degrees() -> None:
    for suffix, semitones in SEMITONES.items():
        symbols = [harte_of(Chord.parse(root + suffix)) for root in ROOTS]
        assert [parse_harte(symbol).semitones for symbol in symbols] == [semitones] * len(ROOTS)
        assert max(symbol.count(",") for symbol in symbols) <= 3, symbols[0]


@pytest.mark.parametrize(
    ("symbol", "printed"),
    [
        ("C", "C:maj"),
        ("Am7/G", "A:min7/b7"),
        ("Bb9sus4", "Bb:sus2(11,b7)"),
        ("G7sus4", "G:sus4(b7)"),
        ("Eb/F", "Eb:maj/2"),
        ("C7#9b13", "C:7(b3,b13)"),
        ("Cadd9", "C:maj(9)"),
        ("Abm/Cb", "Ab:min/b3"),
        ("F#/E", "F#:maj/b7"),
        ("C5(omit5)", "C:1"),
        ("C(omit5)", "C:1(3)"),
        ("Dm7[bebop minor]", "D:min7[bebop-dorian]"),
        ("N.C.", "N"),
    ],
)
def test_chords_print_as_annotators_write_them(symbol: str, printed: str) -> None:
    assert harte_of(Chord.parse(symbol)) == printed


@given(st.text("ABCGN:majindi7(3,b59#*)/[dor]x ", max_size=10) | st.text(max_size=6))
def test_any_text_is_read_or_named_where_it_stands(text: str) -> None:
    found = read_or_error(parse_harte, text)
    if isinstance(found, ParseError):
        assert text.startswith(found.token, found.column - 1)
    else:
        assert parse_harte(harte_of(found)) == found


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("C:maj7/3", "Cmaj7/E"),
        ("A:min(9)", "Amadd9"),
        ("N", "N.C."),
        ("X", "N.C."),
        ("G", "G"),
        ("G/3", "G/B"),
        ("Bb:sus4(b7)", "Bb7sus4"),
        ("D:maj(*5)", "D(omit5)"),
        ("E:(1,b3,5,b7)", "Em7"),
        ("F#:hdim7/b5", "F#m7b5/C"),
        ("C:maj/b7", "C/Bb"),
        ("C:maj(b7)/b7", "C7/Bb"),
        ("C:1", "C5(omit5)"),
        (" D:min7[dorian] ", "Dm7[dorian]"),
        ("Fb/b3[{0 5}]", "Fb/Abb[{0,5}]"),
        ("Cb:dim7/bb7", "Cbdim7/Ab"),
    ],
)
def test_harte_symbols(text: str, printed: str) -> None:
    assert str(parse_harte(text)) == printed


@pytest.mark.parametrize(
    ("text", "what", "token", "column"),
    [
        ("H:maj", "Harte chord", "H:maj", 1),
        ("C:", "Harte chord", "C:", 1),
        ("C:maj(", "Harte chord", "C:maj(", 1),
        ("C:maj/0", "Harte chord", "C:maj/0", 1),
        ("C###:maj", "root", "C###", 1),
        ("C:maj[dorain]", "scale", "dorain", 7),
        ("N[dorian]", "Harte chord", "N[dorian]", 1),
        ("C:xyz", "Harte shorthand", "xyz", 3),
        ("C:maj(14)", "Harte degree", "14", 7),
        ("C:maj(9,q)", "Harte degree", "q", 9),
    ],
)
def test_what_is_no_harte_symbol_is_named_where_it_stands(text: str, what: str, token: str, column: int) -> None:
    with pytest.raises(ParseError) as caught:
        parse_harte(text)
    error = caught.value
    assert (error.what, error.token, error.column) == (what, token, column)
    assert str(error).startswith(f"{what} {token!r} at column {column}: expected ")
