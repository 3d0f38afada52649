"""Roman-numeral analysis: its laws, its text, and Bach's chorales as people analysed them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from theory_strategies import chords, keys, sounding_chords

from symgen.corpus.romantext import parse_romantext, read_romantext
from theory.analysis import analyse, inverted, romantext
from theory.chord import NO_CHORD, Chord
from theory.errors import TheoryError
from theory.key import Key
from theory.profiles import key_segments
from theory.recognition import recognise_chords
from theory.roman import parse_roman

_C, _G, _AM = Key.parse("C"), Key.parse("G"), Key.parse("A minor")
_places = st.lists(st.tuples(chords, keys), min_size=1, max_size=8)


def read(symbols: str) -> list[Chord]:
    return [Chord.parse(symbol) for symbol in symbols.split()]


@settings(max_examples=25)
@given(_places)
def test_each_numeral_reads_back_in_its_key(places: list[tuple[Chord, Key]]) -> None:
    found = analyse([chord for chord, _ in places], [(i, key) for i, (_, key) in enumerate(places)])
    assert [parse_roman(numeral, key) for numeral, (_, key) in zip(found, places, strict=True)] == [
        chord for chord, _ in places
    ]


def test_a_key_holds_until_the_next_one() -> None:
    keys_by_place = [(0, _C), (2, _G), (3, _AM)]
    assert analyse(read("G C C E7 Am"), keys_by_place) == ["V", "I", "IV", "V7", "i"]
    assert analyse(read("G C"), keys_by_place) == ["V", "I"]
    assert analyse([], keys_by_place) == analyse([], []) == []


@pytest.mark.parametrize("places", [[1], [], [0, 2, 2], [0, 3, 2]])
def test_keys_out_of_order_are_named(places: list[int]) -> None:
    with pytest.raises(TheoryError, match="expected places in order, the first of them 0"):
        analyse(read("C C C C"), [(place, _C) for place in places])


@given(sounding_chords, st.integers(-1, 11))
def test_a_bass_of_the_chord_inverts_it_and_another_does_not(chord: Chord, bass: int) -> None:
    (found,) = inverted([chord], [bass])
    assert chord.root is not None
    assert (found.root, found.semitones) == (chord.root, chord.semitones)
    members = {(chord.root.pitch_class + semitone) % 12 for semitone in chord.semitones}
    assert found.bass_pitch_class == (bass if bass in members else chord.root.pitch_class)


def test_basses_are_spelled_as_members() -> None:
    symbols = "Cdim7/Bbb Cdim/Gb Caug/G# Cm/Eb C7/Bb F#maj7/E# Am7b5/Eb Csus4/F C6/A Cm7/G"
    for chord in read(symbols):
        bass = chord.bass_pitch_class
        assert bass is not None
        upright = Chord(chord.root, chord.semitones)
        assert str(inverted([upright], [bass])[0].bass) == str(chord.bass)
    assert inverted([NO_CHORD], [3]) == [NO_CHORD]
    with pytest.raises(TheoryError, match="1 basses for 2 chords: expected as many"):
        inverted(read("C C"), [0])


def test_romantext_names_what_changes() -> None:
    text = romantext(read("C C F G G D7 D7 G G G C/E"), [(0, _C), (4, _G), (9, _AM)], 3, pickup=1)
    assert text == "m0 b3 C: I\nm1 b2 IV b3 V\nm2 G: I b2 V7\nm3 I b3 a: VII\nm4 III6"


@settings(max_examples=25)
@given(_places, st.integers(1, 5), st.data())
def test_romantext_reads_back(places: list[tuple[Chord, Key]], beats: int, data: st.DataObject) -> None:
    modern = [(c, Key(k.tonic, "minor" if k.is_minor else "major")) for c, k in places if abs(k.tonic.fifths) < 9]
    pickup = data.draw(st.integers(0, beats - 1))
    keys_by_place = [(i, key) for i, (_, key) in enumerate(modern)]
    text = romantext([chord for chord, _ in modern], keys_by_place, beats, pickup=pickup)
    if not modern:
        assert text == ""
        return
    found = parse_romantext(f"Time Signature: {beats}/4\n{text}")
    held: list[tuple[Chord, Key]] = []
    at = {(entry.measure - 1) * beats + int(entry.beat) - 1 + pickup: (entry.chord, entry.key) for entry in found}
    for place in range(len(modern)):
        held.append(at[place] if place in at else held[-1])
    assert held == modern


@pytest.mark.parametrize(("beats", "pickup"), [(0, 0), (3, 3), (3, -1)])
def test_a_pickup_that_is_no_part_of_a_bar_is_named(beats: int, pickup: int) -> None:
    with pytest.raises(TheoryError, match=f"a pickup of {pickup} beats: expected 0 to below the {beats} of a bar"):
        romantext(read("C"), [(0, _C)], beats, pickup=pickup)


def beats_of(piece: Any, lead: int) -> tuple[np.ndarray[Any, Any], list[int]]:
    """Return chroma and bass of every quarter of a chorale, after ``lead`` silent ones that fill the pickup's bar."""
    chroma = np.zeros((int(piece.highestTime) + lead, 12))
    lowest = [128] * len(chroma)
    for note in piece.flatten().notes:
        start, end = float(note.offset) + lead, float(note.offset + note.quarterLength) + lead
        for beat in range(int(start), int(np.ceil(end))):
            chroma[beat, note.pitch.pitchClass] += min(end, beat + 1) - max(start, beat)
            if start <= beat:
                lowest[beat] = min(lowest[beat], note.pitch.midi)
    return chroma, [-1 if pitch == 128 else pitch % 12 for pitch in lowest]


@pytest.mark.parametrize(
    ("number", "name", "lead", "roots", "same_chords"), [(1, "bwv269", 2, 0.8, 0.7), (6, "bwv281", 3, 0.8, 0.7)]
)
def test_chorales_are_heard_much_as_they_were_analysed(
    number: int, name: str, lead: int, roots: float, same_chords: float
) -> None:
    """From the notes: chords, basses and keys by place, against Andrew Jones's numerals."""
    import music21

    folder = Path(music21.__file__).parent / "corpus" / "bach" / "choraleAnalyses"
    written = read_romantext(folder / f"riemenschneider{number:03}.rntxt")
    chroma, basses = beats_of(music21.corpus.parse(f"bach/{name}"), lead)
    beats = written[0].beats_per_bar
    found = inverted(recognise_chords(chroma, bass=basses), basses)
    numerals = analyse(found, key_segments(chroma, change_cost=2.0))
    assert len(numerals) == len(chroma)
    pairs = []
    for beat in range(lead, len(chroma)):
        at = max(i for i, entry in enumerate(written) if entry.measure * beats + entry.beat - 1 <= beat)
        pairs.append((written[at].chord, found[beat]))
    same_roots = [
        a.root is not None and b.root is not None and a.root.pitch_class == b.root.pitch_class for a, b in pairs
    ]
    assert np.mean(same_roots) > roots
    over_the_same_bass = [
        a.pitch_classes == b.pitch_classes and a.bass_pitch_class == b.bass_pitch_class for a, b in pairs
    ]
    assert np.mean(over_the_same_bass) > same_chords


def test_numerals_of_an_analysis_come_back_from_its_chords() -> None:
    """What the analyst wrote is what we print for the chords it means, but for ways of writing."""
    import music21

    folder = Path(music21.__file__).parent / "corpus" / "bach" / "choraleAnalyses"
    written = read_romantext(folder / "riemenschneider001.rntxt")
    found = analyse([entry.chord for entry in written], [(i, entry.key) for i, entry in enumerate(written)])
    same = [
        ours == entry.numeral.replace("6/", "6").replace("4/", "4") for ours, entry in zip(found, written, strict=True)
    ]
    assert all(same)
