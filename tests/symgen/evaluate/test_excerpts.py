"""Excerpts and vectors: pieces of one length and key, and what stays the same in the feature space."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from measure_strategies import melodies, melody
from score_strategies import scores

from symgen.evaluate.excerpt import first_bars, in_c, only_track
from symgen.evaluate.vectors import axis_names, roll_of, rows_of, standardised, vector_of
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, Track
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter


def lead(*notes, **more):
    return Score(4, (Track("Melody", tuple(Note(*note) for note in notes)),), **more)


def test_a_pickup_is_left_out():
    assert first_bars(lead((8, 4, 60), (16, 4, 62), end_steps=48), 2).tracks[0].notes == (Note(0, 4, 62),)
    assert first_bars(lead((7, 4, 60), (16, 4, 62), end_steps=48), 2).tracks[0].notes[0] == Note(7, 4, 60)
    # a piece that starts with a whole silent bar has no pickup
    assert first_bars(lead((16, 4, 62), end_steps=48), 2).tracks[0].notes == (Note(16, 4, 62),)
    short = (MeterChange(0, Meter(1, 4)), MeterChange(4, Meter(3, 4)))
    assert first_bars(lead((0, 4, 60), (4, 12, 62), meters=short), 1).tracks[0].notes == (Note(0, 12, 62),)


def test_too_short_a_piece():
    assert first_bars(lead((0, 4, 60), end_steps=32), 3) is None
    assert first_bars(lead((8, 4, 60), end_steps=32), 2) is None
    assert first_bars(lead((0, 4, 60), end_steps=32), 2) is not None


def test_notes_and_changes_are_cut():
    keys = (KeyChange(0, Key.parse("C")), KeyChange(8, Key.parse("G")), KeyChange(40, Key.parse("D")))
    chords = (ChordChange(4, Chord.parse("C")), ChordChange(20, Chord.parse("G")))
    score = lead((12, 8, 60), (30, 9, 62), (33, 2, 64), keys=keys, chords=chords, end_steps=64)
    part = first_bars(score, 1)
    assert part.tracks[0].notes == (Note(14, 2, 62),)
    assert [(c.onset_steps, str(c.key.tonic)) for c in part.keys] == [(0, "G")]
    assert [(c.onset_steps, str(c.chord)) for c in part.chords] == [(0, "C"), (4, "G")]
    assert part.end_steps == 16


@given(scores())
def test_an_excerpt_has_the_bars_of_the_piece(score):
    n_bars = score.bars.n_bars
    part = first_bars(score, n_bars) if n_bars else None
    if part is not None:
        assert np.diff(part.bars.starts).tolist()[:-1] == np.diff(score.bars.starts).tolist()[:-1]
        assert part.n_notes == score.n_notes


@pytest.mark.parametrize("tonic", ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"])
def test_the_tonic_becomes_c(tonic):
    key = Key.parse(tonic)
    pitch = 60 + key.tonic.pitch_class
    kit = Track("Kit", (Note(0, 1, 36),), is_drum=True)
    score = lead((0, 4, pitch), keys=(KeyChange(0, key),), chords=(ChordChange(0, Chord.parse(tonic)),))
    moved = in_c(replace(score, tracks=(*score.tracks, kit)))
    note = moved.tracks[0].notes[0]
    assert note.pitch % 12 == 0
    assert abs(note.pitch - pitch) <= 6
    assert (str(moved.keys[0].key.tonic), str(moved.chords[0].chord)) == ("C", "C")
    assert moved.tracks[1] == kit


def test_no_key_no_move_and_the_range_holds():
    score = lead((0, 4, 61))
    assert in_c(score) == score
    edges = lead((0, 4, 127), (4, 4, 2), keys=(KeyChange(0, Key.parse("G")),))
    assert [note.pitch for note in in_c(edges).tracks[0].notes] == [120, 7]


def test_the_melody_alone():
    score = Score(4, (Track("Kit", (Note(0, 1, 36),), is_drum=True), Track("a", (Note(0, 1, 60),)), Track("b")))
    assert [t.name for t in only_track(score).tracks] == ["a"]
    assert [t.name for t in only_track(score, "b").tracks] == ["b"]


@given(melodies())
def test_vectors_are_finite_and_named(tune):
    vector = vector_of(tune)
    assert np.isfinite(vector).all()
    assert len(vector) == len(axis_names()) == len(set(axis_names()))
    axes = dict(zip(axis_names(), vector, strict=True))
    assert sum(v for name, v in axes.items() if name.startswith("interval")) == pytest.approx(float(tune.n_notes > 1))
    assert axes["notes a quarter"] * tune.n_bars * 2 == pytest.approx(tune.n_notes)


def test_axes_by_hand():
    axes = dict(zip(axis_names(), vector_of(melody((0, 4, 60), (4, 2, 76), (6, 2, 64))), strict=True))
    assert (axes["interval 24"], axes["interval 0"], axes["interval 12"]) == (0.5, 0.5, 0)
    assert (axes["place in the quarter 0"], axes["place in the quarter 6"]) == pytest.approx((2 / 3, 1 / 3))
    assert (axes["share of sound"], axes["mean pitch"], axes["empty beats"]) == (0.5, pytest.approx(200 / 3), 0.5)


def test_standardised_by_the_reference():
    like = np.array([[0.0, 5], [2, 5], [4, 5]])
    found = standardised(np.array([[2.0, 6]]), like)
    assert found.tolist() == [[0, 1]]
    assert standardised(like, like).std(axis=0).tolist() == pytest.approx([1, 0])
    assert rows_of([melody((0, 4, 60))] * 3).shape == (3, len(axis_names()))


def test_rolls_show_onsets_and_sound():
    roll = roll_of(melody((0, 2, 42), (4, 4, 89), (12, 4, 60)), 3)
    assert roll.shape == (2, 36, 48)
    assert np.argwhere(roll[0]).tolist() == [[0, 0], [12, 47]]
    assert roll[1, :, 0].tolist() == [1] * 6 + [0] * 30
    assert roll[1, :, 47].tolist() == [0] * 12 + [1] * 12 + [0] * 12
    outside = roll_of(melody((0, 4, 41), (4, 4, 90), (8, 4, 24), (12, 4, 108)), 4)
    rows = np.argwhere(outside[0])[:, 1] + 42
    assert (rows % 12).tolist() == [41 % 12, 90 % 12, 0, 0]
