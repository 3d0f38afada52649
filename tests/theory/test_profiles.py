"""Key finding: a slow twin, music21's analysis, and the signed keys of the Bach chorales."""

import zipfile
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from theory.errors import TheoryError
from theory.key import Key
from theory.profiles import PROFILES, find_key, key_correlations, key_segments

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


def segments_one_by_one(windows: Weights, change_cost: float, profile: str) -> float:
    """Return the score of the best keys by place: a plain table of the best way to each key, window by window."""
    rows = [[t[(c - tonic) % 12] for c in range(12)] for t in PROFILES[profile] for tonic in range(12)]
    best = [0.0] * 24
    for number, window in enumerate(_normalised(windows)):
        before = [max(best[k], max(best) - change_cost) if number else 0.0 for k in range(24)]
        best = [before[k] + score_of(window, rows[k]) for k in range(24)]
    return max(best)


def score_of(window: Weights, row: list[float]) -> float:
    expected = np.array(row) - np.mean(row)
    return float(np.dot(window, expected / np.sqrt((expected**2).sum())))


def _normalised(windows: Weights) -> Weights:
    centred = np.array([window - np.mean(window) for window in windows])
    return centred / np.mean([np.sqrt((window**2).sum()) for window in centred])


@given(arrays(np.float64, st.tuples(st.integers(1, 9), st.just(12)), elements=st.integers(0, 9).map(float)), st.data())
def test_the_keys_by_place_are_the_best_there_are(windows: Weights, data: st.DataObject) -> None:
    assume(all(window.max() > window.min() for window in windows))
    change_cost = data.draw(st.sampled_from([0.0, 0.1, 0.5, 2.0]))
    profile = data.draw(st.sampled_from(sorted(PROFILES)))
    found = key_segments(windows, change_cost=change_cost, profile=profile)
    starts = [start for start, _ in found]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert all(before != after for (_, before), (_, after) in pairwise(found))
    total = -change_cost * (len(found) - 1)
    for (start, key), end in zip(found, [*starts[1:], len(windows)], strict=True):
        major_or_minor = PROFILES[profile][key.mode == "minor"]
        row = [major_or_minor[(c - key.tonic.pitch_class) % 12] for c in range(12)]
        total += sum(score_of(window, row) for window in _normalised(windows)[start:end])
    assert total == pytest.approx(segments_one_by_one(windows, change_cost, profile), abs=1e-9)


@given(arrays(np.float64, st.tuples(st.integers(1, 9), st.just(12)), elements=st.integers(0, 99).map(float)))
def test_with_an_infinite_cost_there_is_the_key_of_the_sum(windows: Weights) -> None:
    correlations = np.sort(key_correlations(windows.sum(axis=0)))
    assume(correlations[-1] > correlations[-2] + 1e-6)
    assert key_segments(windows, change_cost=np.inf) == [(0, find_key(windows.sum(axis=0)))]


def test_a_song_that_lifts_its_last_verse_has_two_keys() -> None:
    verse = [np.roll(PROFILES["pop"][0], 11)] * 12  # B major
    lifted = [*verse, np.zeros(12), *np.roll(verse, 1, axis=1), np.ones(12)]
    assert key_segments(lifted) == [(0, Key.parse("B")), (12, Key.parse("C"))]  # silence goes with what follows
    assert key_segments(np.array(lifted) * 40) == key_segments(lifted)
    assert key_segments(lifted[:14]) == [(0, Key.parse("B"))]  # a bar is not worth the change
    assert key_segments(lifted[:14], change_cost=0.1)[-1] == (12, Key.parse("C"))


def test_what_has_no_keys_by_place_is_named() -> None:
    assert key_segments([]) == key_segments(np.zeros((0, 12))) == []
    with pytest.raises(TheoryError, match="all equal have no key"):
        key_segments([np.full(12, 0.1), np.zeros(12)])
    with pytest.raises(TheoryError, match=r"weights of shape \(12,\): expected \(windows, 12\)"):
        key_segments(np.ones(12))
    with pytest.raises(TheoryError, match=r"weights \[0.0, -1.0, .*\]: expected finite durations from 0"):
        key_segments([np.ones(12), -np.arange(12)])
    with pytest.raises(TheoryError, match=r"change cost -1: expected 0 or more"):
        key_segments(np.eye(12), change_cost=-1)
    with pytest.raises(TheoryError, match=r"change cost nan: expected 0 or more"):
        key_segments(np.eye(12), change_cost=np.nan)


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
