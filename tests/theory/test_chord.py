"""Chord symbols: what they mean, that they read back, and what is said of what is no chord."""

from dataclasses import replace

import pytest
from chord_suffixes import ROOTS, SEMITONES
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import read_or_error, scaled_chords, semitone_sets, sounding_chords, spellings

from theory.chord import NO_CHORD, QUALITIES, Chord
from theory.errors import ParseError
from theory.pitch import Spelling


@pytest.mark.parametrize(("suffix", "semitones"), SEMITONES.items())
def test_a_suffix_means_the_same_on_every_root(suffix: str, semitones: tuple[int, ...]) -> None:
    for root in ROOTS:
        chord = Chord.parse(root + suffix)
        assert (str(chord.root), chord.semitones, chord.bass) == (root, semitones, None)


def test_every_set_of_semitones_prints_to_a_symbol_that_reads_back() -> None:
    for bits in range(1, 1 << 12, 2):  # the sets that have the root; the others are drawn below
        chord = Chord(Spelling(0), tuple(semitone for semitone in range(12) if bits >> semitone & 1))
        assert Chord.parse(str(chord)) == chord


@given(scaled_chords)
def test_a_chord_reads_back(chord: Chord) -> None:
    assert Chord.parse(str(chord)) == chord


@given(scaled_chords)
def test_a_symbol_is_one_word_without_bar_lines_and_colons(chord: Chord) -> None:
    # The grammar of progressions leans on it.
    assert not set(str(chord)) & set(" |:%")


@pytest.mark.parametrize(("suffix", "semitones"), QUALITIES.items())
def test_each_row_of_the_table_reads_as_itself(suffix: str, semitones: tuple[int, ...]) -> None:
    assert Chord.parse("G" + suffix).semitones == semitones
    assert Chord(Spelling(1), semitones).suffix == suffix


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("C△7", "Cmaj7"),
        ("F#-7b5", "F#m7b5"),
        ("Bb/D", "Bb/D"),
        ("C/C", "C"),
        ("D/F♯", "D/F#"),
        ("G7(b9)", "G7b9"),
        ("G7(b9)/B", "G7b9/B"),
        ("(C", None),
        ("Csus", "Csus4"),
        ("E7alt", "E7alt"),
        ("C6/9/E", "C6/9/E"),
        ("C6 9", "C6/9"),
        (" Am ", "Am"),
        ("N.C.", "N.C."),
        ("NC", "N.C."),
        ("Abm/Cb", "Abm/Cb"),
        ("Cm/maj7", "Cmmaj7"),
        ("Cm / M7", "Cmmaj7"),
        ("Cm/Δ7/G", "Cmmaj7/G"),
        ("Cm/ma7", "Cmmaj7"),
        ("C7/9", "C9"),
        ("C7/13", "C7(add13)"),
        ("C7/b9/E", "C7b9/E"),
        ("Cm7/11", "Cm7(add11)"),
        ("C7/#11", "C7#11"),
        ("C7+", "Caug7"),
        ("C9+", "Caug7(add9)"),
        ("Cmaj7+", "Caugmaj7"),
        ("Cm7+/G#", "Cm7(omit5)(addb13)/G#"),
        ("C6add7", "Cmaj7(add13)"),
        ("C7add6", "C7(add13)"),
        ("Dm7[dorian]", "Dm7[dorian]"),
        ("D/F# [Lydian b7]", "D/F#[lydian-dominant]"),
        ("G7[alt]", "G7[altered]"),
        ("Am[ 0 7 {", None),
        ("Am[{7 0}]", "Am[{0,7}]"),
        ("C6/9[major pentatonic]", "C6/9[major-pentatonic]"),
    ],
)
def test_symbols_print_in_one_way(text: str, printed: str | None) -> None:
    if printed is None:
        with pytest.raises(ParseError):
            Chord.parse(text)
    else:
        assert str(Chord.parse(text)) == printed


@given(sounding_chords)
def test_pitch_classes_are_the_members_and_the_bass(chord: Chord) -> None:
    assert chord.root is not None
    members = {(chord.root.pitch_class + semitone) % 12 for semitone in chord.semitones}
    assert chord.pitch_classes == members | ({chord.bass.pitch_class} if chord.bass else set())
    assert chord.bass_pitch_class == (chord.bass or chord.root).pitch_class


@given(sounding_chords, st.integers(-12, 12), st.integers(-6, 10))
def test_transposing_moves_every_note(chord: Chord, semitones: int, near: int) -> None:
    moved = chord.transposed(semitones, near)
    assert moved.pitch_classes == {(pc + semitones) % 12 for pc in chord.pitch_classes}
    assert chord.bass_pitch_class is not None
    assert moved.bass_pitch_class == (chord.bass_pitch_class + semitones) % 12
    assert moved.semitones == chord.semitones


@given(spellings, semitone_sets)
def test_a_bass_that_is_the_root_is_none(root: Spelling, semitones: tuple[int, ...]) -> None:
    assert Chord(root, semitones, root) == Chord(root, semitones)
    assert Chord(root, semitones, Spelling(root.fifths + 12)) == Chord(root, semitones)


def test_no_chord_has_no_notes() -> None:
    assert NO_CHORD.is_none
    assert NO_CHORD.pitch_classes == frozenset()
    assert NO_CHORD.bass_pitch_class is None
    assert NO_CHORD.transposed(5) == NO_CHORD == Chord(None, (0, 4, 7), Spelling(0))


@pytest.mark.parametrize(
    ("text", "what", "token", "column"),
    [
        ("H", "chord", "H", 1),
        ("", "chord", "", 1),
        ("c", "chord", "c", 1),
        ("/E", "chord", "/E", 1),
        ("Cxyz", "chord quality", "xyz", 2),
        ("  Cxyz", "chord quality", "xyz", 4),
        ("F#m7b5q", "chord quality", "q", 7),
        ("Add9", "chord quality", "dd9", 2),
        ("C6+", "chord quality", "+", 3),
        ("C7++", "chord quality", "+", 4),
        ("C/5", "bass note", "5", 3),
        ("C/9", "chord quality", "/9", 2),
        ("C7/8", "bass note", "8", 4),
        ("Dm7[dorain]", "scale", "dorain", 5),
        (" C[{1,2}]", "scale", "{1,2}", 4),
        ("C[]", "scale", "", 3),
        ("[dorian]", "chord", "[dorian]", 1),
        ("N.C.[dorian]", "chord", "N.C.[dorian]", 1),
        ("C[dorian][major]", "chord quality", "[dorian]", 2),
        ("C7b8", "chord quality", "b8", 3),
        ("Cmaj7/H", "bass note", "H", 7),
        ("C/ H", "bass note", "H", 4),
        ("Am/", "bass note", "", 4),
    ],
)
def test_what_is_no_chord_is_named_where_it_stands(text: str, what: str, token: str, column: int) -> None:
    with pytest.raises(ParseError) as caught:
        Chord.parse(text)
    error = caught.value
    assert (error.what, error.token, error.column) == (what, token, column)
    assert str(error).startswith(f"{what} {token!r} at column {column}: expected ")


@given(st.text("ABCDEFGHabcdefgijlmnorstu#♭0123456789/()+-^Δø %|:[]{,", max_size=9) | st.text(max_size=6))
def test_any_text_is_read_or_named_where_it_stands(text: str) -> None:
    found = read_or_error(Chord.parse, text)
    if isinstance(found, ParseError):
        assert text.startswith(found.token, found.column - 1)
    else:
        assert Chord.parse(str(found)) == found


@given(scaled_chords, st.integers(-12, 12))
def test_a_scale_goes_with_the_chord_and_is_none_of_its_notes(chord: Chord, semitones: int) -> None:
    plain = replace(chord, scale=None)
    assert chord.pitch_classes == plain.pitch_classes
    assert chord.transposed(semitones).scale == chord.scale
    assert (chord == plain) == (chord.scale is None)


def test_a_scale_has_one_name() -> None:
    assert Chord(Spelling(0), scale="ionian") == Chord(Spelling(0), scale="major") != Chord(Spelling(0))
    assert Chord(None, scale="major") == NO_CHORD
    with pytest.raises(ParseError, match="did you mean 'dorian'"):
        Chord(Spelling(0), scale="dorain")
