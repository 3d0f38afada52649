"""Chord scales and avoid notes: what textbooks say, and what holds for every chord in every key."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import keys, scaled_chords

from theory.chord import NO_CHORD, Chord
from theory.chordscale import avoid_notes, chord_scale, named_scale
from theory.key import Key
from theory.pitch import Spelling
from theory.scale import scale_semitones

plain_chords = scaled_chords.map(lambda chord: replace(chord, scale=None))


@pytest.mark.parametrize(
    ("key", "symbol", "scale"),
    [
        ("C", "Cmaj7", "C major"),
        ("C", "Dm7", "D dorian"),
        ("C", "Em", "E phrygian"),
        ("C", "Fmaj7", "F lydian"),
        ("C", "G7", "G mixolydian"),
        ("C", "Am", "A minor"),
        ("C", "Bm7b5", "B locrian"),
        ("C", "C7", "C mixolydian"),  # V7/IV
        ("C", "D7", "D mixolydian"),  # V7/V
        ("C", "A7", "A mixolydian b6"),  # V7/ii
        ("C", "E7", "E phrygian dominant"),  # V7/vi
        ("C", "B7", "B phrygian dominant"),  # V7/iii
        ("C", "Bb7", "Bb lydian dominant"),
        ("C", "Db7", "Db lydian dominant"),
        ("C", "Ab7", "Ab lydian dominant"),
        ("C", "G7b9", "G phrygian dominant"),
        ("C", "G7#9", "G half whole"),
        ("C", "G7b9add13", "G half whole"),
        ("C", "G7#5#9", "G altered"),
        ("C", "G9#5", "G whole tone"),
        ("C", "G7b5", "G lydian dominant"),
        ("C", "G7b9b5", "G half whole"),
        ("C", "G7#11", "G lydian dominant"),
        ("C", "G7b13", "G mixolydian b6"),
        ("C", "G7alt", "G altered"),
        ("C", "Gaug7", "G whole tone"),
        ("C", "Abmaj7", "Ab lydian"),
        ("C", "Dbmaj7", "Db lydian"),
        ("C", "Fm6", "F melodic minor"),
        ("C", "Fm7", "F dorian"),
        ("C", "Cm7", "C dorian"),
        ("C", "F#m7b5", "F# locrian"),
        ("C", "F#dim7", "F# octatonic"),
        ("C", "Caug", "C whole tone"),
        ("C", "Cmaj7#5", "C lydian augmented"),
        ("C", "Cmaj7#11(#5)", "C lydian augmented"),
        ("C", "G7b5#5", "G whole tone"),
        ("C", "Cmaj7addb9", "C {0,1,4,5,7,9,11}"),  # in no usual scale: D flat takes the place of D
        ("C", "Cmaj7(omit1)addb9", "C {0,1,4,5,7,9,11}"),
        ("C", "Cm7add#11", "C dorian #4"),
        ("C", "Cmmaj7", "C melodic minor"),
        ("C", "Bb7sus4", "Bb mixolydian"),
        ("C", "Dm7b5", "D locrian #2"),
        ("A minor", "F#m7b5", "F# locrian #2"),
        ("A minor", "E7", "E phrygian dominant"),
        ("A minor", "G#dim7", "G# altered diminished"),  # of A harmonic minor
        ("A minor", "D7", "D lydian dominant"),  # of A melodic minor
        ("A minor", "G7", "G mixolydian"),
        ("A minor pentatonic", "Am7", "A minor pentatonic"),
        ("A minor pentatonic", "F", "F major"),
        ("D {0,2,3,7,8}", "Dm", "D {0,2,3,7,8}"),
        ("C", "Dm7[phrygian]", "D phrygian"),
        ("C", "C7[major]", "C major"),  # what is named is meant, the B flat or no
        ("Bb", "N.C.", "Bb major"),
    ],
)
def test_scales_by_the_book(key: str, symbol: str, scale: str) -> None:
    assert named_scale(Chord.parse(symbol), Key.parse(key)) == scale
    assert chord_scale(Chord.parse(symbol), Key.parse(key)) == Key.parse(scale).pitch_classes


@pytest.mark.parametrize(
    ("key", "symbol", "notes"),
    [
        ("C", "C", "F"),  # the fourth above a major third
        ("C", "Cmaj7", "F"),
        ("C", "Dm7", ""),
        ("C", "Em7", "C F"),
        ("C", "Fmaj7", ""),
        ("C", "G7", "C"),
        ("C", "G7sus4", ""),
        ("C", "Am7", "F"),
        ("C", "Bm7b5", "C"),
        ("C", "E7", "A"),  # its b9 and b13 are tensions
        ("C", "G7alt", ""),
        ("C", "F#dim7", ""),
        ("C", "Bb7", ""),
        ("C", "Cmaj7[lydian]", ""),
        ("C", "G7[half whole]", ""),
        ("C", "G7[major]", "C"),
        ("C", "N.C.", ""),
        ("C", "C/D", "F"),
        ("C", "Am/E", "F"),
        ("C", "G/A", "C"),
        ("C", "C/B", "F"),
    ],
)
def test_avoid_notes_by_the_book(key: str, symbol: str, notes: str) -> None:
    expected = {Spelling.parse(note).pitch_class for note in notes.split()}
    assert avoid_notes(Chord.parse(symbol), Key.parse(key)) == expected


@given(plain_chords, keys)
def test_a_scale_holds_its_chord(chord: Chord, key: Key) -> None:
    scale = chord_scale(chord, key)
    assert chord.pitch_classes <= scale
    if chord.pitch_classes <= key.pitch_classes:
        assert scale == key.pitch_classes


@given(scaled_chords.filter(lambda chord: chord.scale is not None), keys)
def test_a_named_scale_is_meant(chord: Chord, key: Key) -> None:
    assert chord.scale is not None
    assert chord.root is not None
    above = {(note - chord.root.pitch_class) % 12 for note in chord_scale(chord, key)}
    assert above == set(scale_semitones(chord.scale))


@given(scaled_chords, keys)
def test_a_name_is_that_of_the_scale_and_the_root(chord: Chord, key: Key) -> None:
    root = chord.root or key.tonic
    assert Key.parse(named_scale(chord, key)).pitch_classes == chord_scale(chord, key) | {root.pitch_class}


@given(scaled_chords, keys, st.integers(1, 11))
def test_scales_and_avoid_notes_move_with_chord_and_key(chord: Chord, key: Key, semitones: int) -> None:
    moved = chord.transposed(semitones), key.transposed(semitones)
    for function in (chord_scale, avoid_notes):
        assert function(*moved) == {(note + semitones) % 12 for note in function(chord, key)}


@given(scaled_chords, keys)
def test_avoid_notes_are_a_semitone_above_a_member(chord: Chord, key: Key) -> None:
    avoided = avoid_notes(chord, key)
    assert avoided <= chord_scale(chord, key) - chord.pitch_classes
    assert all((note - 1) % 12 in chord.pitch_classes for note in avoided)
    assert avoid_notes(NO_CHORD, key) == frozenset()
    sounding = {(note - chord.root.pitch_class) % 12 for note in chord.pitch_classes} if chord.root else set()
    if not chord.is_none and not (10 in chord.semitones and (4 in sounding or 3 not in sounding)):
        clashing = {(note + 1) % 12 for note in chord.pitch_classes}
        assert avoided == (chord_scale(chord, key) & clashing) - chord.pitch_classes
