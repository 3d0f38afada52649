"""What an ensemble hears of a score: tracks, codes, windows."""

from __future__ import annotations

import numpy as np
import pytest
from ensemble_music import TINY, song

from symgen.errors import CorpusError
from symgen.model.ensemble.config import POP
from symgen.model.ensemble.data import HELD, SILENT, STRUCK, RollSampler, encode_tracks, ensemble_runs, parts_of
from symgen.score import Note, Score, Track


def test_a_line_keeps_the_highest_of_notes_struck_together_and_cuts_at_the_next():
    codes = encode_tracks(
        [(Note(0, 8, 60), Note(0, 2, 64), Note(4, 2, 62)), (), ()], TINY, n_steps=8, shift=0
    )  # fmt: skip
    line = codes[:, 0]
    assert line[0, 64 - TINY.low] == STRUCK
    assert (line[0] != SILENT).sum() == 1
    assert line[1, 64 - TINY.low] == HELD
    assert (line[2:4] == SILENT).all()
    assert line[4, 62 - TINY.low] == STRUCK
    assert (line[6:] == SILENT).all()


def test_a_chordal_track_keeps_all_notes_and_a_repeated_pitch_is_struck_again():
    notes = (Note(0, 6, 48), Note(0, 4, 52), Note(2, 2, 48))
    codes = encode_tracks([(), notes, ()], TINY, n_steps=8, shift=0)[:, 1]
    assert codes[:, 48 - TINY.low].tolist() == [STRUCK, HELD, STRUCK, HELD, SILENT, SILENT, SILENT, SILENT]
    assert codes[:, 52 - TINY.low].tolist() == [STRUCK, HELD, HELD, HELD, SILENT, SILENT, SILENT, SILENT]


def test_the_bass_of_a_piano_is_its_lowest_note_where_nothing_lower_sounds():
    piano = (Note(0, 4, 40), Note(0, 4, 55), Note(2, 2, 45), Note(4, 4, 47), Note(8, 4, 60))
    tracks = (Track("MELODY", (Note(0, 4, 70),)), Track("BRIDGE", ()), Track("PIANO", piano))
    parts = parts_of(Score(4, tracks, end_steps=16), POP)
    assert parts is not None
    assert [(n.onset_steps, n.pitch) for n in parts[3]] == [(0, 40), (4, 47)]
    assert [(n.onset_steps, n.pitch) for n in parts[2]] == [(0, 55), (2, 45), (8, 60)]
    assert sum(map(len, parts)) == len(piano) + 1


def test_transposed_songs_are_one_and_the_same_relative_to_the_tonic():
    runs = list(ensemble_runs([(song(0), "pop"), (song(3), "pop")], TINY))
    assert [run.n_bars for run in runs] == [8, 8]
    assert np.array_equal(runs[0].codes, runs[1].codes)
    assert np.array_equal(runs[0].features, runs[1].features)


def test_scores_without_the_tracks_are_passed_over_and_other_grids_refused():
    assert list(ensemble_runs([(Score(4, (Track("Melody", (Note(0, 4, 60),)),), end_steps=64), "pop")], TINY)) == []
    with pytest.raises(CorpusError, match="3 steps a quarter: expected a multiple of 4"):
        list(ensemble_runs([(Score(3, (), end_steps=48), "pop")], TINY))


def test_windows_can_stand_alone():
    score = song(n_bars=9)
    long = Note(8, 40, 40)
    score = score.with_tracks([*score.tracks[:2], Track("Bass", (long,))])
    sampler = RollSampler(list(ensemble_runs([(score, "pop")], TINY)), n_bars=(4,), batch_bars=64)
    for seed in range(4):
        codes, features = sampler.draw(np.random.default_rng(seed))
        assert codes.shape[:3] == (16, 4, 16)
        assert features.shape[:3] == (16, 4, 16)
        assert not (codes[:, 0, 0] == HELD).any()
    with pytest.raises(CorpusError, match="no passage of 16 bars"):
        RollSampler(sampler.runs, n_bars=(16,), batch_bars=64)
