"""Scales, against the ones music21 builds."""

import pytest
from hypothesis import given
from theory_strategies import own_scales

from theory.errors import ParseError
from theory.key import Key
from theory.scale import MODE_FIFTHS, SCALES, is_scale, scale_named, scale_semitones, signature_fifths


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


_ACCIDENTALS = {
    "harmonic minor": {11},
    "melodic minor": {9, 11},
    "blues": {6},
    "bebop dominant": {11},
    "bebop major": {8},
    "bebop dorian": {4},
    "bebop melodic minor": {9, 11},
    "bebop harmonic minor": {11},
    "dorian b2": {9},
    "lydian augmented": {8},
    "lydian dominant": {10},
    "mixolydian b6": {8},
    "locrian #2": {2},
    "altered": {4},
    "locrian #6": {9},
    "ionian #5": {8},
    "dorian #4": {6},
    "phrygian dominant": {4},
    "lydian #2": {3},
    "altered diminished": {4, 9},
    "harmonic major": {8},
    "double harmonic": {1, 8},
    "hungarian minor": {6, 11},
    "neapolitan minor": {1, 11},
    "neapolitan major": {1, 9, 11},
    "major blues": {3},
}
"""The notes of each scale that its signature has not."""


@pytest.mark.parametrize("name", sorted(MODE_FIFTHS))
def test_a_signature_holds_the_plain_notes_of_the_scale(name: str) -> None:
    # The seven notes of a signature that has s sharps more than C's are s - 1 to s + 5 fifths from C.
    signature = {7 * fifths % 12 for fifths in range(MODE_FIFTHS[name] - 1, MODE_FIFTHS[name] + 6)}
    assert set(SCALES[name]) - signature == _ACCIDENTALS.get(name, set())


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
    ("parent", "modes"),
    [
        (
            "melodic minor",
            [
                "melodic minor",
                "dorian b2",
                "lydian augmented",
                "lydian dominant",
                "mixolydian b6",
                "locrian #2",
                "altered",
            ],
        ),
        (
            "harmonic minor",
            [
                "harmonic minor",
                "locrian #6",
                "ionian #5",
                "dorian #4",
                "phrygian dominant",
                "lydian #2",
                "altered diminished",
            ],
        ),
        ("double harmonic", ["double harmonic", None, None, "hungarian minor", None, None, None]),
        ("octatonic", ["octatonic", "half whole", "octatonic", "half whole"]),
        ("major pentatonic", ["major pentatonic", None, None, None, "minor pentatonic"]),
        ("major blues", ["major blues", None, None, None, None, "blues"]),
        ("augmented", ["augmented", None, "augmented"]),
    ],
)
def test_modes_are_rotations_of_their_parents(parent: str, modes: list[str | None]) -> None:
    for start, name in zip(SCALES[parent], modes, strict=False):
        assert name is None or {(degree - start) % 12 for degree in SCALES[parent]} == set(SCALES[name])


@pytest.mark.parametrize(
    ("name", "plain", "passing"),
    [
        ("bebop dominant", "mixolydian", 11),
        ("bebop major", "major", 8),
        ("bebop dorian", "dorian", 4),
        ("bebop melodic minor", "melodic minor", 8),
        ("bebop harmonic minor", "minor", 11),
    ],
)
def test_bebop_scales_add_a_passing_note(name: str, plain: str, passing: int) -> None:
    assert set(SCALES[name]) == {*SCALES[plain], passing}
    assert passing not in SCALES[plain]


def test_scales_of_one_mode_or_another_differ() -> None:
    assert len(set(SCALES.values())) == len(SCALES)


@given(own_scales)
def test_a_scale_of_ones_own_has_one_name(name: str) -> None:
    assert scale_named(name) == name
    assert is_scale(name)
    spaced = name.replace(",", " ") if name.startswith("{") else name.upper()
    assert scale_semitones(spaced) == scale_semitones(name)
    # Its signature is a church mode's, and no other has more of its notes.
    notes, fifths = set(scale_semitones(name)), signature_fifths(name)
    held = {offset: len(notes & {7 * f % 12 for f in range(offset - 1, offset + 6)}) for offset in range(-5, 2)}
    assert name in SCALES or held[fifths] == max(held.values())


def test_the_notes_of_a_row_are_called_by_its_name() -> None:
    for name, semitones in SCALES.items():
        text = "{" + " , ".join(map(str, reversed(semitones))) + "}"
        assert scale_named(text) == name
        assert not is_scale(text.replace(" ", ""))


@pytest.mark.parametrize("text", ["{}", "{1,3}", "{0,12}", "{0,a}", "{0", "{0,-1}", "{0.5}"])
def test_what_is_no_set_of_semitones_is_named(text: str) -> None:
    with pytest.raises(ParseError, match=r"expected semitones from 0, the tonic, to 11 in braces") as caught:
        scale_named(text)
    assert caught.value.token == text
    assert not is_scale(text)


def test_a_key_has_the_signature_of_its_scale() -> None:
    for written in ("D {0,2,3,7,8}", "D hirajoshi", "D {8 7,3 2 0}"):
        key = Key.parse(written)
        assert (str(key), key.signature) == ("D {0,2,3,7,8}", Key.parse("D minor").signature)
        assert sorted(key.pitch_classes) == [2, 4, 5, 9, 10]
    assert Key.from_signature(-1, "{0,2,3,7,8}") == Key.parse("D hirajoshi")
    assert signature_fifths("half whole") == signature_fifths("whole tone") == 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ionian", "major"),
        ("AEOLIAN", "minor"),
        ("natural-minor", "minor"),
        ("harmonic_minor", "harmonic minor"),
        ("Lydian ♭7", "lydian dominant"),
        ("half-whole", "half whole"),
        ("whole-half", "octatonic"),
        ("super locrian", "altered"),
        ("bebop", "bebop dominant"),
        ("bebop minor", "bebop dorian"),
    ],
)
def test_aliases(text: str, name: str) -> None:
    assert scale_named(text) == name
    assert scale_semitones(text) == SCALES[name]


def test_an_unknown_scale_is_named_with_a_near_one() -> None:
    with pytest.raises(
        ParseError, match=r"^scale 'dorain' at column 1: expected one of major, .*did you mean 'dorian'"
    ):
        scale_named("dorain")
