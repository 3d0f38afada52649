"""Scores are checked at birth and cannot be changed."""

import dataclasses

import pytest

from symgen.errors import GridError, ScoreError
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, TempoChange, Track
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter


@pytest.mark.parametrize("fields", [(-1, 1, 60), (0, 0, 60), (0, 1, 128), (0, 1, 60, 0), (0, 1, 60, 128)])
def test_impossible_notes_are_refused(fields):
    with pytest.raises(ScoreError, match="expected an onset from 0"):
        Note(*fields)


def test_a_score_is_frozen():
    score = Score(4, (Track("Melody", (Note(0, 1, 60),)),))
    with pytest.raises(dataclasses.FrozenInstanceError):
        score.end_steps = 3  # type: ignore[misc]


def test_tracks_sort_their_notes():
    assert Track("t", (Note(4, 1, 60), Note(0, 1, 64), Note(0, 1, 60))).notes[0] == Note(0, 1, 60)


def test_the_end_covers_the_last_note():
    assert Score(4, (Track("t", (Note(0, 9, 60),)),), end_steps=4).end_steps == 9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tempos": ()}, "expected the first one at step 0"),
        ({"meters": (MeterChange(4, Meter()),)}, "expected the first one at step 0"),
        ({"tempos": (TempoChange(0, 2000),)}, "tempo 2000: expected 4 to 1000"),
        ({"keys": (KeyChange(8, Key.parse("C")), KeyChange(0, Key.parse("G")))}, "ascending"),
        ({"chords": (ChordChange(0, Chord.parse("C")), ChordChange(0, Chord.parse("G")))}, "two of them at one step"),
    ],
)
def test_changes_must_be_in_order(changes, message):
    with pytest.raises(ScoreError, match=message):
        Score(4, **changes)


def test_grids_must_divide_the_quarter():
    with pytest.raises(GridError, match="expected a divisor of 480"):
        Score(7)


def test_a_missing_track_is_named_with_those_there_are():
    with pytest.raises(ScoreError, match="track 'Drums': expected one of 'Melody'"):
        Score(4, (Track("Melody"),)).track("Drums")


def test_duration_follows_the_tempos():
    score = Score(4, tempos=(TempoChange(0, 60), TempoChange(4, 120)), end_steps=8)
    assert score.duration_seconds == pytest.approx(1.5)
