"""Chord recognition: exact paths, small pieces written out, and music that music21 carries."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from theory import recognition
from theory.chord import NO_CHORD, QUALITIES, Chord
from theory.errors import TheoryError
from theory.key import Key
from theory.recognition import VOCABULARY, recognise_chords

Array = np.ndarray[Any, np.dtype[np.float64]]

_NAMES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
_COMMON_TIME = [1, 0, 0.5, 0]


def tune(text: str) -> Array:
    """Return the chroma of a melody: a note for every beat, ``-`` for a rest, ``C/D`` for half a beat each."""
    chroma = np.zeros((len(text.split()), 12))
    for beat, names in enumerate(text.split()):
        notes = [name for name in names.split("/") if name != "-"]
        for name in notes:
            chroma[beat, _NAMES.index(name)] += 1 / len(notes)
    return chroma


def block(*chords: str) -> tuple[Array, Array]:
    """Return the chroma and the bass of chords that last a beat each, every note of them sounding."""
    read = [Chord.parse(chord) for chord in chords]
    chroma = np.zeros((len(read), 12))
    for beat, chord in enumerate(read):
        chroma[beat, list(chord.pitch_classes)] = 1.0
    return chroma, np.array([-1 if chord.is_none else chord.bass_pitch_class for chord in read], dtype=np.float64)


def texts(chords: list[Chord]) -> list[str]:
    return [str(chord) for chord in chords]


@pytest.mark.parametrize("suffix", VOCABULARY)
@pytest.mark.parametrize("key", [None, "C", "F# minor"])
def test_every_chord_is_recognised_on_every_root(suffix: str, key: str | None) -> None:
    for root in _NAMES:
        chord = Chord.parse(root + suffix)
        chroma, bass = block(*[str(chord)] * 4)
        for found in recognise_chords(chroma, bass=bass, key=Key.parse(key) if key else None):
            assert found.root is not None
            assert (found.root.pitch_class, found.semitones) == (chord.root and chord.root.pitch_class, chord.semitones)


def test_a_progression_with_passing_notes() -> None:
    chroma, bass = block("Am", "Am", "F", "F", "C", "C", "G7", "G7")
    chroma[1, 11] = chroma[3, 7] = chroma[4, 2] = 0.5
    assert texts(recognise_chords(chroma, bass=bass)) == ["Am", "Am", "F", "F", "C", "C", "G7", "G7"]


def test_the_bass_tells_chords_of_the_same_notes_apart() -> None:
    chroma, _ = block("Am7", "Am7")
    assert texts(recognise_chords(chroma, bass=[9, 9])) == ["Am7", "Am7"]
    suspended, _ = block("Csus4", "Csus4")
    assert texts(recognise_chords(suspended, bass=[0, 0])) == ["Csus4", "Csus4"]
    assert texts(recognise_chords(suspended, bass=[5, 5])) == ["Fsus2", "Fsus2"]


def test_a_bass_that_is_not_known_says_nothing() -> None:
    assert not recognition._full_model(None).log_bass[:, -1].any()


def test_a_change_waits_for_the_strong_beat() -> None:
    chroma, _ = block("C", "C", "F", "F")
    chroma[1] = 0.0
    chroma[1, 0] = 1.0  # the note that C and F have in common
    assert texts(recognise_chords(chroma, strong=[1, 1, 0, 0])) == ["C", "F", "F", "F"]
    assert texts(recognise_chords(chroma, strong=[1, 0, 1, 0])) == ["C", "C", "F", "F"]


def test_silence_has_no_chord() -> None:
    chroma, bass = block("C", "C", "N.C.", "N.C.", "N.C.", "N.C.", "G", "G")
    found = texts(recognise_chords(chroma, bass=bass))
    assert found == ["C", "C", "N.C.", "N.C.", "N.C.", "N.C.", "G", "G"]
    for melody_only in (False, True):
        assert recognise_chords(np.zeros((3, 12)), melody_only=melody_only) == [NO_CHORD] * 3
        assert recognise_chords(np.zeros((0, 12)), melody_only=melody_only) == []


_ODE = "E E F G G F E D C C D E E/D D D D E E F G G F E D C C D E D/C C C C"
_TWINKLE = "C C G G A A G G F F E E D D C C"
_MINOR_TUNE = "A C E C D F E D C E B Ab A A A A"


@pytest.mark.parametrize(
    ("notes", "cadence"),
    [(_ODE, ["G", "C"]), (_TWINKLE, ["G", "C"]), (_MINOR_TUNE, ["E7", "Am"])],
)
def test_a_tune_starts_on_its_tonic_and_ends_with_a_cadence(notes: str, cadence: list[str]) -> None:
    chroma = tune(notes)
    found = texts(recognise_chords(chroma, strong=_COMMON_TIME * (len(chroma) // 4), melody_only=True))
    changes = [found[0], *(chord for before, chord in pairwise(found) if chord != before)]
    assert changes[0] == cadence[-1]
    assert [chord.removesuffix("7") for chord in changes[-2:]] == [chord.removesuffix("7") for chord in cadence]


def test_a_melody_gets_the_harmony_one_would_play() -> None:
    found = texts(recognise_chords(tune(_TWINKLE), strong=_COMMON_TIME * 4, melody_only=True))
    assert found == ["C"] * 4 + ["F", "F", "C", "C", "F", "F", "C", "C", "G", "G", "C", "C"]


def test_the_rests_of_a_melody_have_chords() -> None:
    found = recognise_chords(tune("C E G - - - G F E D C -"), melody_only=True)
    assert NO_CHORD not in found


def test_modes_have_their_own_usual_chords() -> None:
    mixolydian = recognise_chords(
        tune("D D A A C C G G D F# A D C C D D"), key=Key.parse("D mixolydian"), melody_only=True
    )
    dorian = recognise_chords(tune("D F A D C C G E D F A D C E D D"), key=Key.parse("D dorian"), melody_only=True)
    assert "C" in texts(mixolydian)
    assert str(mixolydian[-1]) == "D"
    assert "C" in texts(dorian)
    assert str(dorian[-1]) == "Dm"


_durations = arrays(np.float64, (6, 12), elements=st.sampled_from([0.0, 0.0, 0.0, 0.25, 0.5, 1.0]))


@settings(max_examples=40)
@given(_durations, st.integers(0, 11), st.sampled_from(["major", "minor", "dorian"]), st.booleans())
def test_transposing_the_notes_and_the_key_transposes_the_chords(
    chroma: Array, steps: int, mode: str, melody_only: bool
) -> None:
    chroma[:, 0] += np.linspace(0.01, 0.02, 6)  # no beat is silent, and few paths are equally good
    chroma += np.linspace(0, 0.004, 12)
    plain = recognise_chords(chroma, key=Key.from_pitch_class(0, mode), melody_only=melody_only)
    moved_key = Key.from_pitch_class(steps, mode)
    moved = recognise_chords(np.roll(chroma, steps, axis=1), key=moved_key, melody_only=melody_only)
    for before, after in zip(plain, moved, strict=True):
        assert before.semitones == after.semitones
        assert before.transposed(steps).pitch_classes == after.pitch_classes


@given(_durations, st.sampled_from([None, "C", "E minor"]), st.booleans())
@settings(max_examples=40)
def test_there_is_a_chord_of_the_vocabulary_for_every_beat(chroma: Array, key: str | None, melody_only: bool) -> None:
    found = recognise_chords(chroma, key=Key.parse(key) if key else None, melody_only=melody_only)
    assert len(found) == len(chroma)
    allowed = {QUALITIES[suffix] for suffix in VOCABULARY}
    assert all(chord.is_none or (chord.semitones in allowed and chord.bass is None) for chord in found)


def test_the_key_spells_the_chords() -> None:
    chroma, bass = block("Db", "Gb", "Ab", "Db")
    assert texts(recognise_chords(chroma, bass=bass, key=Key.parse("Db"))) == ["Db", "Gb", "Ab", "Db"]
    assert texts(recognise_chords(chroma, bass=bass, key=Key.parse("C#"))) == ["C#", "F#", "G#", "C#"]
    assert texts(recognise_chords(chroma, bass=bass)) == ["Db", "Gb", "Ab", "Db"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"chroma": np.zeros(12)}, r"chroma of shape \(12,\): expected \(beats, 12\)"),
        ({"chroma": np.zeros((4, 11))}, r"chroma of shape \(4, 11\): expected \(beats, 12\)"),
        ({"chroma": np.full((2, 12), -1)}, r"chroma\[0, 0\] is -1: expected a finite duration from 0"),
        ({"chroma": np.full((2, 12), np.inf)}, r"chroma\[0, 0\] is inf: expected a finite duration from 0"),
        ({"chroma": np.zeros((2, 12)), "bass": [0]}, r"bass of shape \(1,\): expected \(2,\), a value for each beat"),
        ({"chroma": np.zeros((2, 12)), "bass": [0, 12]}, r"bass\[1\] is 12: expected -1 to 11"),
        ({"chroma": np.zeros((2, 12)), "strong": [0, 2]}, r"strong\[1\] is 2: expected 0 to 1"),
        ({"chroma": np.zeros((2, 12)), "strong": [np.nan, 0]}, r"strong\[0\] is nan: expected 0 to 1"),
    ],
)
def test_what_does_not_fit_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TheoryError, match=message):
        recognise_chords(arguments.pop("chroma"), **arguments)


def beats_of(piece: Any) -> Array:
    """Return the chroma of a music21 stream, a quarter note for every beat."""
    chroma = np.zeros((int(piece.highestTime), 12))
    for chord in piece.flatten().notes:
        start, end = float(chord.offset), float(chord.offset + chord.quarterLength)
        for beat in range(int(start), min(len(chroma), int(np.ceil(end)))):
            for pitch in () if "ChordSymbol" in chord.classes else chord.pitches:
                chroma[beat, pitch.pitchClass] += max(0.0, min(end, beat + 1) - max(start, beat))
    return chroma


def test_chorales_have_the_roots_that_music21_finds() -> None:
    """Where a beat starts with a triad or a seventh chord, its root is mostly ours."""
    import music21.corpus

    agreed = []
    for name in ("bwv66.6", "bwv7.7", "bwv269", "bwv281", "bwv346"):
        piece = music21.corpus.parse(f"bach/{name}")
        chroma, bass = beats_of(piece), np.full(int(piece.highestTime), -1)
        on_beats = [c for c in piece.chordify().flatten().notes if c.offset == int(c.offset) and c.offset < len(bass)]
        for chord in on_beats:
            bass[int(chord.offset)] = chord.bass().pitchClass
        found = recognise_chords(chroma, bass=bass)
        usual = [chord for chord in on_beats if chord.isTriad() or chord.isSeventh()]
        roots = [(found[int(chord.offset)].root, chord.root().pitchClass) for chord in usual]
        agreed += [ours is not None and ours.pitch_class == theirs for ours, theirs in roots]
    assert len(agreed) > 200
    assert np.mean(agreed) > 0.8


def test_a_lead_sheet_is_harmonised_much_as_it_was_written() -> None:
    """Foster's song is in F: its chords are found from the tune more often than by staying on the tonic."""
    import music21.corpus

    piece = music21.corpus.parse("leadSheet/fosterBrownHair")
    chroma = beats_of(piece)
    strong = np.zeros(len(chroma))
    for bar in piece.parts[0].getElementsByClass("Measure"):
        strong[int(bar.offset)] = 1.0
        strong[int(bar.offset) + 2 : int(bar.offset) + 3] = 0.5
    found = recognise_chords(chroma, strong=strong, melody_only=True)
    in_order = piece.recurse().getElementsByClass("ChordSymbol")
    symbols = [(symbol.getOffsetInHierarchy(piece), symbol.root().pitchClass) for symbol in in_order]
    pairs = []
    for beat in range(int(symbols[0][0]), len(found)):
        _, written = max(symbol for symbol in symbols if symbol[0] <= beat)
        pairs.append((written, found[beat].root))
    agreed = np.mean([root is not None and root.pitch_class == written for written, root in pairs])
    assert agreed > 0.6 > np.mean([written == 5 for written, _ in pairs])
    assert str(found[-1]) == "F"
