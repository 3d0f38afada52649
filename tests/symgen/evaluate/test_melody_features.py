"""The nine features: by hand on a short tune, and beside plain counting."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from measure_strategies import melodies, melody

from symgen.evaluate.features import FEATURES, LENGTH_CLASSES, feature_rows, length_class
from symgen.evaluate.melody import melody_of
from symgen.score import Note, Score, Track

# G A G C, a dotted quarter, an eighth, a half after a rest of a quarter, a whole
TUNE = melody((0, 6, 67), (6, 2, 69), (12, 8, 67), (20, 16, 60), n_bars=3)


def test_by_hand():
    found = {name: feature(TUNE) for name, feature in FEATURES.items()}
    assert found["pitch count"].tolist() == [3]
    assert found["pitch range"].tolist() == [9]
    assert found["note count"].tolist() == [4]
    assert found["mean interval"].tolist() == pytest.approx([(2 + 2 + 7) / 3])
    assert found["mean onset gap"].tolist() == pytest.approx([(1.5 + 1.5 + 2) / 3])
    classes = dict(enumerate(found["pitch classes"].tolist()))
    assert {k: v for k, v in classes.items() if v} == {7: 0.5, 9: 0.25, 0: 0.25}
    lengths = dict(zip(LENGTH_CLASSES, found["note lengths"].tolist(), strict=True))
    assert {k: v for k, v in lengths.items() if v} == {1.5: 0.25, 0.5: 0.25, 2: 0.25, 4: 0.25}
    moves = found["pitch-class moves"].reshape(12, 12)
    assert moves[7, 9] == moves[9, 7] == moves[7, 0] == pytest.approx(1 / 3)
    assert np.count_nonzero(moves) == 3
    of_lengths = found["note-length moves"].reshape(12, 12)
    assert of_lengths[LENGTH_CLASSES.index(1.5), LENGTH_CLASSES.index(0.5)] == pytest.approx(1 / 3)


def test_every_length_has_its_own_class_and_others_go_to_the_nearest():
    assert length_class(np.array(LENGTH_CLASSES)).tolist() == list(range(12))
    assert [LENGTH_CLASSES[k] for k in length_class(np.array([9.0, 0.01, 2.4, 0.7]))] == [4, 1 / 4, 2, 2 / 3]


@given(melodies(min_notes=2))
def test_transitions_beside_plain_counting(tune):
    counted = Counter(zip((tune.pitch % 12)[:-1].tolist(), (tune.pitch % 12)[1:].tolist(), strict=True))
    shares = FEATURES["pitch-class moves"](tune).reshape(12, 12)
    for (a, b), count in counted.items():
        assert shares[a, b] == pytest.approx(count / (tune.n_notes - 1))
    assert shares.sum() == pytest.approx(1)


@given(melodies())
def test_histograms_sum_to_one_or_are_empty(tune):
    for name in ("pitch classes", "note lengths"):
        assert FEATURES[name](tune).sum() == pytest.approx(1 if tune.n_notes else 0)


def test_rows_stack_the_melodies_in_order():
    rows = feature_rows([TUNE, melody((0, 4, 60), (4, 4, 62), (8, 4, 60))])
    assert rows["note count"].tolist() == [[4], [3]]
    assert rows["pitch-class moves"].shape == (2, 144)


def test_a_melody_is_the_upper_voice_of_the_first_track_that_sounds():
    tracks = (
        Track("Kit", (Note(0, 1, 36),), is_drum=True),
        Track("None"),
        Track("Lead", (Note(0, 8, 60), Note(0, 4, 72), Note(2, 4, 65))),
    )
    tune = melody_of(Score(4, tracks, end_steps=32))
    rows = [tune.onset_steps, tune.duration_steps, tune.pitch]
    assert [row.tolist() for row in rows] == [[0, 2], [2, 4], [72, 65]]
    assert tune.n_bars == 2


def test_notes_of_a_bar_are_cut_at_its_line():
    assert TUNE.notes_of_bar(0).tolist() == [[0, 6, 67], [6, 2, 69], [12, 4, 67]]
    assert TUNE.notes_of_bar(1).tolist() == [[4, 12, 60]]
    assert TUNE.notes_of_bar(2).tolist() == []
