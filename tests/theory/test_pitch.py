"""Names of pitches, against literal tables and music21's pitches."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import spellings

from theory.errors import ParseError
from theory.pitch import Spelling, parse_pitch, pitch_name, spell

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@given(spellings)
def test_a_spelling_reads_back(spelling: Spelling) -> None:
    assert Spelling.parse(str(spelling)) == spelling


@given(spellings)
def test_a_name_means_its_letter_and_signs(spelling: Spelling) -> None:
    letter, signs = str(spelling)[0], str(spelling)[1:]
    assert spelling.letter == letter
    assert spelling.alteration == signs.count("#") - signs.count("b")
    assert spelling.pitch_class == (_STEPS[letter] + spelling.alteration) % 12


def test_the_line_of_fifths_is_as_written() -> None:
    flats = "Fbb Cbb Gbb Dbb Abb Ebb Bbb Fb Cb Gb Db Ab Eb Bb"
    sharps = "F# C# G# D# A# E# B# F## C## G## D## A## E## B##"
    assert " ".join(str(Spelling(fifths)) for fifths in range(-15, 20)) == f"{flats} F C G D A E B {sharps}"


def test_a_fifth_is_seven_semitones() -> None:
    line = [Spelling(fifths).pitch_class for fifths in range(-15, 20)]
    assert {(high - low) % 12 for low, high in pairwise(line)} == {7}


@pytest.mark.parametrize(("text", "name"), [("f♯", "F#"), ("B♭", "Bb"), ("Cx", "C##"), ("E♭♭", "Ebb"), ("a", "A")])
def test_other_signs_are_read(text: str, name: str) -> None:
    assert str(Spelling.parse(text)) == name


@given(st.integers(0, 11), st.integers(-12, 12))
def test_spell_gives_the_nearest_name(pitch_class: int, near: int) -> None:
    found = spell(pitch_class, near)
    rivals = [Spelling(f) for f in range(near - 12, near + 13) if 7 * f % 12 == pitch_class]
    assert found.pitch_class == pitch_class
    assert abs(found.fifths - near) == min(abs(rival.fifths - near) for rival in rivals)


@given(st.integers(0, 127), st.booleans())
def test_every_pitch_reads_back(pitch: int, flats: bool) -> None:
    assert parse_pitch(pitch_name(pitch, flats=flats)) == pitch
    assert parse_pitch(str(pitch)) == pitch


def test_black_keys_are_all_sharp_or_all_flat() -> None:
    octave = range(60, 72)
    assert " ".join(pitch_name(p) for p in octave) == "C4 C#4 D4 D#4 E4 F4 F#4 G4 G#4 A4 A#4 B4"
    assert " ".join(pitch_name(p, flats=True) for p in octave) == "C4 Db4 D4 Eb4 E4 F4 Gb4 G4 Ab4 A4 Bb4 B4"


@given(spellings, st.integers(0, 8))
def test_music21_reads_the_same_midi_number(spelling: Spelling, octave: int) -> None:
    from music21.pitch import Pitch

    theirs = Pitch(str(spelling).replace("b", "-") + str(octave)).midi
    assert parse_pitch(f"{spelling}{octave}") == theirs


@pytest.mark.parametrize("text", ["", "H4", "C", "C#", "4C", "C4.5", "128", "B-2", "A9", "-1", "C 4"])
def test_what_is_no_pitch_is_named(text: str) -> None:
    with pytest.raises(ParseError, match=r"^pitch .* at column 1: expected a ") as caught:
        parse_pitch(text)
    assert repr(text) in str(caught.value)
