"""Scales, against the ones music21 builds."""

import pytest

from theory.errors import ParseError
from theory.scale import MODE_FIFTHS, SCALES, scale_named, scale_semitones


@pytest.mark.parametrize(("name", "row"), SCALES.items())
def test_rows_ascend_from_the_tonic(name: str, row: tuple[int, ...]) -> None:
    assert row[0] == 0
    assert list(row) == sorted(set(row))
    assert row[-1] < 12


def test_church_modes_are_rotations_of_major() -> None:
    names = ["major", "dorian", "phrygian", "lydian", "mixolydian", "minor", "locrian"]
    major = SCALES["major"]
    for start, name in zip(major, names, strict=True):
        assert {(degree - start) % 12 for degree in major} == set(SCALES[name])


@pytest.mark.parametrize("name", sorted(MODE_FIFTHS))
def test_a_signature_holds_the_plain_notes_of_the_scale(name: str) -> None:
    # The seven notes of a signature that has s sharps more than C's are s - 1 to s + 5 fifths from C.
    signature = {7 * fifths % 12 for fifths in range(MODE_FIFTHS[name] - 1, MODE_FIFTHS[name] + 6)}
    raised = {"harmonic minor": {11}, "melodic minor": {9, 11}, "blues": {6}}
    assert set(SCALES[name]) - signature == raised.get(name, set())


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("major", "MajorScale"),
        ("minor", "MinorScale"),
        ("dorian", "DorianScale"),
        ("phrygian", "PhrygianScale"),
        ("lydian", "LydianScale"),
        ("mixolydian", "MixolydianScale"),
        ("locrian", "LocrianScale"),
        ("harmonic minor", "HarmonicMinorScale"),
        ("melodic minor", "MelodicMinorScale"),
        ("whole tone", "WholeToneScale"),
        ("octatonic", "OctatonicScale"),
        ("chromatic", "ChromaticScale"),
    ],
)
def test_music21_builds_the_same_scale(name: str, theirs: str) -> None:
    import music21.scale

    scale = getattr(music21.scale, theirs)("C")
    pitches = scale.getPitches("C4", "C5", direction=music21.scale.Direction.ASCENDING)
    assert {pitch.pitchClass for pitch in pitches} == set(SCALES[name])


@pytest.mark.parametrize(
    ("text", "name"),
    [("Ionian", "major"), ("AEOLIAN", "minor"), ("natural-minor", "minor"), ("harmonic_minor", "harmonic minor")],
)
def test_aliases(text: str, name: str) -> None:
    assert scale_named(text) == name
    assert scale_semitones(text) == SCALES[name]


def test_an_unknown_scale_is_named_with_a_near_one() -> None:
    with pytest.raises(
        ParseError, match=r"^scale 'dorain' at column 1: expected one of major, .*did you mean 'dorian'"
    ):
        scale_named("dorain")
