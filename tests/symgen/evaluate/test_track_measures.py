"""MuseGAN's measures: by hand, and the geometry of tonal space."""

import math
from itertools import product

import numpy as np
import pytest

from symgen.evaluate.tracks import (
    drum_pattern_rate,
    empty_bars,
    qualified_notes,
    tonal_centroid,
    tonal_distance,
    track_measures,
    track_tonal_distance,
    used_pitch_classes,
)
from symgen.score import Note, Score, Track

LINE = Track("Line", (Note(0, 40, 60), Note(44, 1, 64), Note(44, 2, 76), Note(46, 2, 67)))
KIT = Track("Kit", (Note(0, 1, 36), Note(3, 1, 38), Note(4, 1, 36), Note(7, 1, 36), Note(9, 1, 36)), is_drum=True)
SCORE = Score(12, (LINE, KIT), end_steps=144)


def test_by_hand():
    # bars of 48 steps: C through the first, E and G in its last quarter; two bars are silent
    assert empty_bars(LINE, SCORE) == pytest.approx(2 / 3)
    assert used_pitch_classes(LINE, SCORE) == 1
    # a 32nd note is a step and a half: one step is too short, two are enough
    assert qualified_notes(LINE, 12) == 3 / 4
    # sixteenths lie every three steps
    assert drum_pattern_rate(KIT, 12) == 3 / 5


def test_a_note_over_the_line_sounds_in_both_bars_and_is_one_note():
    held = Track("Held", (Note(40, 20, 60),))
    score = Score(12, (held,), end_steps=144)
    assert (empty_bars(held, score), used_pitch_classes(held, score)) == pytest.approx((1 / 3, 2 / 3))
    ends_on_line = Track("Ends", (Note(0, 48, 60),))
    assert empty_bars(ends_on_line, score) == pytest.approx(2 / 3)
    # cut at the bar line it would be a fragment of one step and a note
    assert qualified_notes(Track("Tied", (Note(47, 13, 60),)), 12) == 1


def test_a_32nd_note_is_long_enough_on_every_grid():
    for grid in (4, 8, 12, 24):
        least = math.ceil(grid / 8)
        assert qualified_notes(Track("t", (Note(0, least, 60),)), grid) == 1
        if least > 1:
            assert qualified_notes(Track("t", (Note(0, least - 1, 60),)), grid) == 0


def test_tonal_space_is_three_circles():
    places = tonal_centroid(np.eye(12)).reshape(12, 3, 2)
    radii = np.linalg.norm(places, axis=2)
    assert radii == pytest.approx(np.tile([1, 1, 0.5], (12, 1)))
    for pitch in range(12):
        # in the circle of fifths a fifth is one step of twelve; minor and major thirds come round after four and three
        step = np.linalg.norm(places[pitch] - places[(pitch + 7) % 12], axis=1)
        assert step[0] == pytest.approx(2 * math.sin(math.pi / 12))
        assert places[pitch, 1] == pytest.approx(places[(pitch + 4) % 12, 1])
        assert places[pitch, 2] == pytest.approx(places[(pitch + 3) % 12, 2])
    distances = [float(tonal_distance(np.eye(12)[0], np.eye(12)[p])) for p in range(12)]
    assert max(distances[1:]) == pytest.approx(max(distances[p] for p in (1, 6, 11)))
    assert all(tonal_distance(a, b) == pytest.approx(tonal_distance(b, a)) for a, b in product(np.eye(12), repeat=2))


def test_loudness_of_chroma_does_not_matter():
    rng = np.random.default_rng(0)
    one, other = rng.random(12), rng.random(12)
    assert tonal_distance(3 * one, other) == pytest.approx(tonal_distance(one, 7 * other))


def test_distance_of_tracks_over_the_quarters_where_both_sound():
    one = Track("One", (Note(0, 8, 60), Note(12, 4, 62)))
    other = Track("Other", (Note(4, 4, 67), Note(8, 4, 60), Note(12, 4, 62)))
    score = Score(4, (one, other), end_steps=16)
    # quarters: C alone; C and G; C alone; D and D
    fifth = float(tonal_distance(np.eye(12)[0], np.eye(12)[7]))
    assert track_tonal_distance(one, other, score) == pytest.approx((fifth + 0) / 2)
    assert math.isnan(track_tonal_distance(one, Track("None"), score))


def test_all_by_name():
    score = Score(12, (LINE, KIT, Track("Low", (Note(0, 48, 36),))), end_steps=144)
    found = track_measures(score)
    assert list(found) == [
        "empty bars, Line",
        "pitch classes a bar, Line",
        "qualified notes, Line",
        "empty bars, Kit",
        "drum patterns, Kit",
        "empty bars, Low",
        "pitch classes a bar, Low",
        "qualified notes, Low",
        "tonal distance, Line to Low",
    ]
