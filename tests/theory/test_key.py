"""Keys, against music21's keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import keys

from theory.errors import ParseError
from theory.key import Key
from theory.pitch import Spelling
from theory.scale import MODE_FIFTHS, SCALES

_MODES = ["major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian"]


@given(keys)
def test_a_key_reads_back(key: Key) -> None:
    assert Key.parse(str(key)) == key


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("C", "C major"),
        ("Am", "A minor"),
        ("a", "A minor"),
        ("f#", "F# minor"),
        ("bb", "Bb minor"),
        ("Bb", "Bb major"),
        ("F#m", "F# minor"),
        ("CM", "C major"),
        ("Ebmaj", "Eb major"),
        ("Eb:dorian", "Eb dorian"),
        (" G  mixolydian ", "G mixolydian"),
        ("A natural minor", "A minor"),
        ("c harmonic-minor", "C harmonic minor"),
        ("B♭ min", "Bb minor"),
    ],
)
def test_ways_to_write_a_key(text: str, name: str) -> None:
    assert str(Key.parse(text)) == name


@given(st.sampled_from(_MODES), st.integers(-7, 7))
def test_music21_has_the_same_signature_and_scale(mode: str, sharps: int) -> None:
    import music21.key

    key = Key.from_signature(sharps, mode)
    theirs = music21.key.Key(str(key.tonic).replace("b", "-"), mode)
    assert theirs.sharps == key.signature == sharps
    assert {pitch.pitchClass for pitch in theirs.pitches} == key.pitch_classes
    for pitch in theirs.pitches:
        assert str(key.spell(pitch.pitchClass)) == pitch.name.replace("-", "b")


@given(keys, st.integers(-24, 24))
def test_transposing_moves_the_scale(key: Key, semitones: int) -> None:
    moved = key.transposed(semitones)
    assert moved.pitch_classes == {(pc + semitones) % 12 for pc in key.pitch_classes}
    assert moved.mode == key.mode


@pytest.mark.parametrize("mode", sorted(SCALES))
def test_a_pitch_class_gets_the_fewest_signs(mode: str) -> None:
    for pitch_class in range(12):
        key = Key.from_pitch_class(pitch_class, mode)
        rivals = [Key(Spelling(f), mode) for f in range(-15, 20) if 7 * f % 12 == pitch_class]
        assert key.tonic.pitch_class == pitch_class
        assert abs(key.signature) == min(abs(rival.signature) for rival in rivals)


def test_signatures_known_by_heart() -> None:
    written = {"C": 0, "G": 1, "D": 2, "F": -1, "Bb": -2, "Am": 0, "Em": 1, "Cm": -3, "F# minor": 3, "D dorian": 0}
    assert {name: Key.parse(name).signature for name in written} == written
    assert Key.parse("C harmonic minor").signature == Key.parse("C minor").signature
    assert set(MODE_FIFTHS) < set(SCALES)


def test_minor_is_said_of_the_third() -> None:
    minor = {mode for mode in SCALES if Key(Spelling(0), mode).is_minor}
    assert {
        "minor",
        "dorian",
        "blues",
        "octatonic",
        "dorian b2",
        "bebop dorian",
        "locrian #2",
        "hungarian minor",
    } < minor
    major = {"major", "lydian", "mixolydian", "major pentatonic", "whole tone", "chromatic", "harmonic major"}
    major |= {"altered", "half whole", "phrygian dominant", "bebop dominant", "major blues", "double harmonic"}
    assert not major & minor
    assert minor == {mode for mode, notes in SCALES.items() if 3 in notes and 4 not in notes} | {"bebop dorian"}


@pytest.mark.parametrize(
    ("key", "relative", "parallel", "dominant", "subdominant"),
    [
        ("C", "A minor", "C minor", "G major", "F major"),
        ("A minor", "C major", "A major", "E minor", "D minor"),
        ("F#", "D# minor", "F# minor", "C# major", "B major"),
        ("Eb minor", "Gb major", "Eb major", "Bb minor", "Ab minor"),
        ("D dorian", "C major", "D major", "A dorian", "G dorian"),
        ("G mixolydian", "A minor", "G minor", "D mixolydian", "C mixolydian"),
        ("C harmonic minor", "Eb major", "C major", "G harmonic minor", "F harmonic minor"),
    ],
)
def test_relations_by_heart(key: str, relative: str, parallel: str, dominant: str, subdominant: str) -> None:
    home = Key.parse(key)
    found = (home.relative, home.parallel, home.dominant, home.subdominant)
    assert [str(other) for other in found] == [relative, parallel, dominant, subdominant]


@given(st.sampled_from(["major", "minor"]), st.integers(-6, 6))
def test_music21_has_the_same_relative_and_parallel(mode: str, sharps: int) -> None:
    import music21.key

    key = Key.from_signature(sharps, mode)
    theirs = music21.key.Key(str(key.tonic).replace("b", "-"), mode)
    for ours, other in ((key.relative, theirs.relative), (key.parallel, theirs.parallel)):
        assert (str(ours.tonic), ours.mode) == (other.tonic.name.replace("-", "b"), other.mode)
    assert key.relative.pitch_classes == key.pitch_classes
    assert key.relative.relative == key.parallel.parallel == key.dominant.subdominant == key


@given(st.sampled_from(["major", "minor"]), st.integers(-6, 6))
def test_neighbours_are_the_keys_at_most_one_sharp_away(mode: str, sharps: int) -> None:
    key = Key.from_signature(sharps, mode)
    all_keys = {Key.from_signature(s, m) for s in range(-7, 8) for m in ("major", "minor")}
    assert set(key.neighbours) == {other for other in all_keys - {key} if abs(other.signature - sharps) <= 1}
    assert len(key.neighbours) == 5


@given(keys, keys)
def test_distance_is_the_way_round_the_circle(first: Key, second: Key) -> None:
    place, steps = first.signature % 12, 0
    while place != second.signature % 12 and (first.signature - steps) % 12 != second.signature % 12:
        place, steps = (place + 1) % 12, steps + 1
    assert first.distance(second) == second.distance(first) == steps <= 6


@pytest.mark.parametrize(("text", "blame"), [("H", "'H'"), ("C dorain", "scale 'dorain'"), ("", "''"), ("C#b", "'b'")])
def test_what_is_no_key_is_named(text: str, blame: str) -> None:
    with pytest.raises(ParseError, match=r"^key .* at column 1: expected a tonic and a mode") as caught:
        Key.parse(text)
    assert blame in str(caught.value)


def test_a_key_with_a_mode_of_no_table_is_refused() -> None:
    with pytest.raises(ParseError, match=r"^mode 'ionian' at column 1: expected one of major,"):
        Key(Spelling(0), "ionian")


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("C", "C C# D Eb E F F# G G# A Bb B"),
        ("A minor", "C C# D Eb E F F# G G# A Bb B"),
        ("E", "C C# D D# E E# F# G G# A A# B"),
        ("Ab", "C Db D Eb E F Gb G Ab A Bb Cb"),
    ],
)
def test_a_key_spells_the_twelve_notes(key: str, names: str) -> None:
    assert " ".join(str(Key.parse(key).spell(pitch_class)) for pitch_class in range(12)) == names
