"""Key finding: a slow twin, music21's analysis, and the signed keys of the Bach chorales."""

import zipfile
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from theory.errors import TheoryError
from theory.key import Key
from theory.profiles import PROFILES, find_key, key_correlations

Weights = np.ndarray[tuple[int], np.dtype[np.float64]]

weights_of_pitch_classes = arrays(np.float64, 12, elements=st.integers(0, 1000).map(float))


def correlations_one_by_one(weights: Weights, profile: str) -> list[float]:
    """Return the twin of ``key_correlations``: numpy's own coefficient, key by key."""
    found = []
    for table in PROFILES[profile]:
        for tonic in range(12):
            expected = [table[(pitch_class - tonic) % 12] for pitch_class in range(12)]
            found.append(float(np.corrcoef(weights, expected)[0, 1]))
    return found


@given(weights_of_pitch_classes, st.sampled_from(sorted(PROFILES)))
def test_the_slow_twin_agrees(weights: Weights, profile: str) -> None:
    assume(weights.max() > weights.min())
    np.testing.assert_allclose(key_correlations(weights, profile), correlations_one_by_one(weights, profile), atol=1e-9)


@given(weights_of_pitch_classes, st.integers(0, 11), st.floats(0.01, 100))
def test_transposing_rolls_the_keys_and_scaling_changes_nothing(weights: Weights, steps: int, factor: float) -> None:
    plain = key_correlations(weights).reshape(2, 12)
    moved = key_correlations(np.roll(weights, steps) * factor).reshape(2, 12)
    np.testing.assert_allclose(moved, np.roll(plain, steps, axis=1), atol=1e-9)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_profile_is_in_its_own_key(profile: str) -> None:
    for mode, table in zip(("major", "minor"), PROFILES[profile], strict=True):
        for tonic in range(12):
            assert find_key(np.roll(table, tonic), profile=profile) == Key.from_pitch_class(tonic, mode)


def test_keys_have_the_fewest_signs() -> None:
    major, minor = PROFILES["albrecht-shanahan"]
    majors = " ".join(str(find_key(np.roll(major, tonic)).tonic) for tonic in range(12))
    minors = " ".join(str(find_key(np.roll(minor, tonic)).tonic) for tonic in range(12))
    assert majors == "C Db D Eb E F F# G Ab A Bb B"
    assert minors == "C C# D D# E F F# G G# A Bb B"


def test_equal_weights_have_no_key() -> None:
    assert not key_correlations(np.full(12, 0.1)).any()
    for weights in (np.zeros(12), np.full(12, 0.1)):
        with pytest.raises(TheoryError, match="all equal have no key: expected some pitch classes to sound longer"):
            find_key(weights)


@pytest.mark.parametrize(
    ("weights", "profile", "message"),
    [
        (np.ones(11), "temperley", r"weights of shape \(11,\): expected twelve"),
        (np.ones((1, 12)), "temperley", r"weights of shape \(1, 12\): expected twelve"),
        (-np.arange(12), "temperley", r"-11\.0\]: expected finite durations from 0"),
        (np.full(12, np.nan), "temperley", r"expected finite durations from 0"),
        (
            np.arange(12),
            "krumhansl",
            r"key profile 'krumhansl': expected one of krumhansl-kessler, temperley, ",
        ),
    ],
)
def test_what_is_no_weight_is_named(weights: Weights, profile: str, message: str) -> None:
    with pytest.raises(TheoryError, match=message):
        find_key(weights, profile=profile)


@pytest.mark.parametrize(
    "name",
    [
        *("bach/bwv66.6", "bach/bwv7.7", "bach/bwv269", "bach/bwv281", "bach/bwv346", "bach/bwv244.10"),
        *("palestrina/agnus_01", "schoenberg/opus19/movement2", "leadSheet/fosterBrownHair"),
    ],
)
def test_music21_hears_the_same_key_with_the_same_profile(name: str) -> None:
    import music21.corpus

    piece = music21.corpus.parse(name)
    theirs = piece.analyze("key.krumhansl")
    weights = np.zeros(12)
    for chord in piece.flatten().notes:
        for pitch in chord.pitches:
            weights[pitch.pitchClass] += chord.quarterLength
    ours = key_correlations(weights, "krumhansl-kessler")
    assert find_key(weights, profile="krumhansl-kessler") == Key.parse(
        f"{theirs.tonic.name.replace('-', 'b')} {theirs.mode}"
    )
    for key in [theirs, *theirs.alternateInterpretations]:
        place = key.tonic.pitchClass + 12 * (key.mode == "minor")
        assert ours[place] == pytest.approx(key.correlationCoefficient, abs=1e-9)


_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@cache
def chorales() -> list[tuple[Weights, tuple[int, str]]]:
    """Return the weights and the signed key of every other chorale, if in four parts with a mode that is named.

    Read from the MusicXML itself, since music21 takes minutes to parse them.
    """
    import music21

    found = []
    for path in sorted((Path(music21.__file__).parent / "corpus" / "bach").glob("*.mxl"))[::2]:
        with zipfile.ZipFile(path) as archive:
            name = next(n for n in archive.namelist() if n.endswith("xml") and "META-INF" not in n)
            root = ET.fromstring(archive.read(name))
        signed = root.find(".//key")
        assert signed is not None
        mode = signed.findtext("mode")
        if len(root.findall("part")) == 4 and mode:
            found.append((_durations(root), (int(signed.findtext("fifths") or 0), mode)))
    return found


def _durations(root: ET.Element) -> Weights:
    weights = np.zeros(12)
    for part in root.findall("part"):
        divisions = 1
        for element in part.iter():
            if element.tag == "divisions":
                divisions = int(element.text or 1)
            elif element.tag == "note" and (step := element.findtext("pitch/step")):
                pitch_class = (_STEPS[step] + int(element.findtext("pitch/alter") or 0)) % 12
                weights[pitch_class] += float(element.findtext("duration") or 0) / divisions
    return weights


@pytest.mark.parametrize(
    ("profile", "signatures", "keys"),
    [("krumhansl-kessler", 129, 122), ("temperley", 152, 136), ("albrecht-shanahan", 152, 142)],
)
def test_the_figures_of_the_notes(profile: str, signatures: int, keys: int) -> None:
    assert len(chorales()) == 177
    found = [(find_key(weights, profile=profile), signed) for weights, signed in chorales()]
    assert sum(key.signature == signed[0] for key, signed in found) == signatures
    assert sum((key.signature, key.mode) == signed for key, signed in found) == keys
    assert all(str(number) in (find_key.__doc__ or "") for number in (177, signatures, keys))
