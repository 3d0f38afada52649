"""Songs of an ensemble: laws kept by every track, the same bytes for a seed, and what stays stays."""

from __future__ import annotations

import itertools

import pytest
import torch

import symgen
from symgen.decode.texture import fits
from symgen.errors import CheckpointError, InfeasibleError, RequestError
from symgen.model.checkpoint import save_checkpoint
from symgen.model.ensemble.config import POP, EnsembleConfig
from symgen.model.ensemble.network import EnsembleDecoder
from symgen.pipeline.ensemble import play, play_between, play_many
from symgen.pipeline.ensemble_draw import HAND
from symgen.pipeline.ensemble_takes import redraw_tracks, redraw_tracks_many
from symgen.score import Note, Score, Track
from theory.rules import ChordTonesOnStrongBeats, InKey, LargestLeap, Range


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """A small generator that has learned nothing: the laws must hold whatever it prefers."""
    torch.manual_seed(1)
    sizes = POP.as_dict() | {"width": 8, "track_width": 8, "embedding": 4, "phrase": 2, "bar": 2}
    decoder = EnsembleDecoder(EnsembleConfig(**sizes))
    with torch.no_grad():
        for branch in decoder.branches:
            branch.level.fill_(0.0)
    folder = tmp_path_factory.mktemp("model")
    save_checkpoint(folder, decoder, styles=("pop",), training={})
    return folder


CHORDS = "Am F | C G | E7 | Am"


@pytest.mark.parametrize(("meter", "key"), [("4/4", "A minor"), ("3/4", "Eb"), ("7/8", "D:dorian"), ("6/8", "F#")])
def test_every_track_keeps_its_laws(untrained, meter, key):
    chords = CHORDS if key == "A minor" else None
    take = play(key=key, chords=chords, meter=meter, bars=4, seed=3, checkpoint=untrained)
    score = take.score
    assert [track.name for track in score.tracks] == list(POP.tracks)
    laws = [InKey(), ChordTonesOnStrongBeats(), LargestLeap(12)]
    for name, span in (("Melody", Range(60, 81)), ("Counter-melody", Range(55, 84)), ("Bass", Range(28, 55))):
        assert score.track(name).notes
        assert symgen.audit(score, [*laws, span], track=name) == []
    chord_notes = score.track("Chords").notes
    assert chord_notes
    changes = [*score.chords, None]
    for note in chord_notes:
        assert note.duration_steps >= 1
        for change, after in itertools.pairwise(changes):
            end = score.end_steps if after is None else after.onset_steps
            if change.onset_steps < note.end_steps and note.onset_steps < end:
                assert note.pitch % 12 in change.chord.pitch_classes
    for step in range(score.end_steps):
        assert fits([n.pitch for n in chord_notes if n.onset_steps <= step < n.end_steps], HAND)


def test_without_rules_nothing_binds(untrained):
    takes = play_many(4, key="C", chords="C", bars=2, rules=[], seed=1, checkpoint=untrained)
    pitches = {n.pitch % 12 for take in takes for n in take.score.track("Chords").notes}
    assert len(pitches) > 7


def test_a_lock_is_there_and_an_impossible_one_is_refused(untrained):
    take = play(key="C", chords="C", bars=2, locks=["bar 2 beat 1 = G4"], seed=1, checkpoint=untrained)
    assert 67 in {n.pitch for n in take.score.track("Melody").notes if n.onset_steps == 16}
    with pytest.raises(InfeasibleError, match="in key contradicts lock"):
        play(key="C", chords="C", bars=2, locks=["bar 2 beat 1 = C#5"], seed=1, checkpoint=untrained)


def test_takes_follow_from_the_seed_and_differ(untrained):
    one, other = (play_many(3, key="C", bars=2, seed=5, checkpoint=untrained) for _ in range(2))
    assert [t.score for t in one] == [t.score for t in other]
    assert len({t.score.tracks for t in one}) == 3
    likely = [t.log_probability for t in one]
    assert likely == sorted(likely, reverse=True)


def test_on_the_way_from_one_seed_to_another(untrained):
    takes = play_between(3, seed=1, to_seed=2, key="C", chords="C G", bars=2, checkpoint=untrained)
    assert len({t.score.tracks for t in takes}) == 3
    same = play_between(2, seed=1, to_seed=1, key="C", chords="C G", bars=2, checkpoint=untrained)
    assert same[0].score.tracks == takes[0].score.tracks
    with pytest.raises(RequestError, match="expected 2 or more"):
        play_between(1, seed=1, to_seed=2, checkpoint=untrained)


@pytest.fixture
def tune():
    notes = tuple(Note(6 * i, 6, 60 + (2 * i) % 12) for i in range(32))
    odd = Track("Kazoo", (Note(0, 12, 70),))
    return Score(12, (Track("Lead", notes), odd, Track("Kit", (Note(0, 6, 38),), is_drum=True)), end_steps=192)


def test_tracks_are_drawn_beside_a_melody_that_stays(untrained, tune):
    take = redraw_tracks(tune, chords="C | Am", key="C", seed=2, checkpoint=untrained)
    names = [track.name for track in take.score.tracks]
    assert names == ["Melody", "Counter-melody", "Chords", "Bass", "Kit"]
    assert take.score.tracks[0].notes == tune.tracks[0].notes
    assert take.score.tracks[-1] == tune.tracks[-1]
    assert "left out: Kazoo" in take.said
    assert take.score.steps_per_quarter == 12
    assert all(take.score.track(name).notes for name in names[1:4])


def test_other_bars_and_tracks_stay(untrained, tune):
    whole = redraw_tracks(tune, chords="C | Am", key="C", seed=2, checkpoint=untrained).score
    takes = redraw_tracks_many(whole, 2, tracks=["Bass"], bars=(2, 3), seed=3, checkpoint=untrained)
    assert len(takes) == 2
    for take in takes:
        for name in ("Melody", "Counter-melody", "Chords"):
            assert take.score.track(name) == whole.track(name)
        old, new = whole.track("Bass").notes, take.score.track("Bass").notes
        assert [n for n in new if n.onset_steps >= 144] == [n for n in old if n.onset_steps >= 144]
        assert {n.onset_steps for n in new if n.onset_steps < 48} == {n.onset_steps for n in old if n.onset_steps < 48}
        assert all(n.end_steps <= 144 for n in new if n.onset_steps < 144)
    assert takes[0].score.track("Bass").notes != takes[1].score.track("Bass").notes


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"tracks": ["Tuba"]}, "tracks Tuba: expected some of Melody"),
        ({"tracks": []}, "tracks none"),
        ({"bars": (3, 9)}, "bars 3 to 9: expected bars from 1 to 4"),
        ({"style": "polka"}, "style 'polka': expected one of pop"),
        ({"temperature": 0}, "temperature"),
    ],
)
def test_bad_requests_are_one_line(untrained, tune, asked, words):
    with pytest.raises(RequestError, match=words):
        redraw_tracks(tune, **({"chords": "C", "key": "C", "checkpoint": untrained} | asked))


def test_what_no_ensemble_can_play_is_refused(untrained):
    with pytest.raises(RequestError, match="no pitched notes"):
        redraw_tracks(Score(4, (Track("Kit", (Note(0, 1, 36),), is_drum=True),), end_steps=16), checkpoint=untrained)
    long = Score(4, (Track("Long", (Note(0, 4, 60), Note(16 * 600, 4, 60))),))
    with pytest.raises(RequestError, match="at most 512"):
        redraw_tracks(long, checkpoint=untrained)
    with pytest.raises(RequestError, match="form 'A B': expected period or free"):
        play(form="A B", checkpoint=untrained)
    with pytest.raises(RequestError, match="metre 15/8: expected bars of at most 6 quarter notes"):
        play(meter="15/8", checkpoint=untrained)
    with pytest.raises(CheckpointError, match="'symgen ensemble gan'"):
        play(checkpoint="line-main")
