"""Functions of chords, and the triads and weights of modes."""

import numpy as np
import pytest

from theory.chord import NO_CHORD, Chord
from theory.function import Function, applied_to, degree_chords, function_of, succession_weights
from theory.key import Key

FUNCTIONS = {
    "C": {
        "tonic": "C Cmaj7 C/E Am Am7 Em Em7 C6 C7",
        "predominant": "Dm Dm7/F F Fm Fm6 Fmaj7 D7 D F#dim7 F#m7b5 Db/F Ab7 Ab A7 C#dim7 A",
        "dominant": "G G7 G7/B Gsus4 Bdim Bm7b5 Bdim7 G#dim7 C/G Cm/G Db7 Gm Bb7",
    },
    "A minor": {
        "tonic": "Am Am7 Am/C F C Fmaj7",
        "predominant": "Dm Bdim Bm7b5/D Bb/D F7 B7 D D#dim7 F#dim",
        "dominant": "E E7 G#dim7 G#dim Em G G7 Am/E Caug",
    },
}
CASES = [(key, name, chord) for key, rows in FUNCTIONS.items() for name, row in rows.items() for chord in row.split()]


@pytest.mark.parametrize(("key", "name", "chord"), CASES)
def test_functions(key, name, chord):
    assert function_of(Chord.parse(chord), Key.parse(key)) == name


def test_functions_move_with_the_key_and_every_chord_has_one():
    chords = [Chord.parse(symbol) for _, _, symbol in CASES]
    for shift in range(12):
        for key in (Key.parse("C"), Key.parse("A minor")):
            moved = Key(Chord(key.tonic).transposed(shift).root, key.mode)
            for chord in chords:
                assert function_of(chord, key) is function_of(chord.transposed(shift), moved) is not None
    assert function_of(NO_CHORD, Key.parse("C")) is None
    assert Function.TONIC == "tonic"


@pytest.mark.parametrize(
    ("chord", "key", "goal"),
    [
        *(("D7", "C", "G"), ("A7/C#", "C", "D"), ("E", "C", "A"), ("B7", "C", "E"), ("C7", "C", "F")),
        *(("F#dim7", "C", "G"), ("C#dim", "C", "D"), ("G#dim7", "C", "A"), ("C7", "A minor", "F")),
        *(("G7", "C", None), ("F", "C", None), ("Ab", "C", None), ("Eb7", "C", None), ("Bdim7", "C", None)),
        *(("E7", "A minor", None), ("G7", "A minor", None), ("Fm", "C", None), ("Cmaj7", "G", None)),
        ("N.C.", "C", None),
    ],
)
def test_dominants_of_other_degrees(chord, key, goal):
    found = applied_to(Chord.parse(chord), Key.parse(key))
    assert (found and str(found)) == goal


def test_modes_have_their_own_triads():
    assert [str(c) for c in degree_chords(Key.parse("D dorian"))] == ["Dm", "Em", "F", "G", "Am", "Bdim", "C"]
    assert degree_chords(Key.parse("C blues")) == degree_chords(Key.parse("C minor"))


def test_weights_are_those_of_the_mode_and_spare_diminished_chords():
    weights = succession_weights(Key.parse("C"))
    assert weights.shape == (7, 7)
    assert weights[4].argmax() == 0
    assert weights[3, 6] == pytest.approx(0.01)
    assert np.array_equal(weights, succession_weights(Key.parse("F#")))
