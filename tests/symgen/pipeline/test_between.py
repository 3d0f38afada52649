"""From one melody to another: the ends are the two, what lies between comes nearer to the second with every step."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from symgen.errors import RequestError
from symgen.pipeline.between import interpolate, slerp
from symgen.pipeline.generate import generate
from symgen.pipeline.ideas import read_idea
from symgen.score import Note, Score, Track
from theory.key import Key
from theory.rules import ChordTonesOnStrongBeats, InKey

ONE = generate(key="C", chords="C F | G C", bars=4, seed=1, temperature=0.6, bpm=97)
OTHER = generate(key="E minor", chords="Em Am | B7 Em", bars=5, seed=2, temperature=0.6)


def transposed(score, semitones):
    tracks = [replace(t, notes=tuple(replace(n, pitch=n.pitch + semitones) for n in t.notes)) for t in score.tracks]
    keys = tuple(replace(c, key=c.key.transposed(semitones)) for c in score.keys)
    return replace(
        score,
        tracks=tuple(tracks),
        keys=keys,
        chords=tuple(replace(c, chord=c.chord.transposed(semitones)) for c in score.chords),
    )


def test_the_ends_are_the_two_melodies_and_each_step_is_nearer_to_the_second():
    made = [read_idea(take.score).line for take in interpolate(ONE, OTHER, 5)]
    second = read_idea(transposed(OTHER, -4)).line[:192]
    assert np.mean(made[0] == read_idea(ONE).line) > 0.9
    assert np.mean(made[-1] == second) > 0.8
    slots = read_idea(ONE).slots[:-1]
    near = [np.mean((line == second)[slots]) for line in made]
    away = [np.mean((line == made[0])[slots]) for line in made]
    assert all(a < b + 0.05 for a, b in pairwise(near))
    assert all(a > b - 0.05 for a, b in pairwise(away))
    assert near[-1] > near[0] + 0.2


def test_chords_and_mode_are_the_seconds_from_the_middle_on():
    takes = interpolate(ONE, OTHER, 5)
    assert [str(take.score.keys[0].key) for take in takes] == ["C major"] * 2 + ["C minor"] * 3
    assert takes[1].score.chords == ONE.chords
    assert [str(c.chord) for c in takes[2].score.chords][:3] == ["Cm", "Fm", "G7"]
    for take in takes:
        assert take.score.audit([InKey(), ChordTonesOnStrongBeats()]) == []
        assert (take.score.bars.n_bars, take.score.tempos) == (4, ONE.tempos)
        assert [track.name for track in take.score.tracks] == ["Melody", "Chords", "Bass"]
    assert takes[0].said[-1] == "4 bars of 5"
    assert takes == interpolate(ONE, OTHER, 5)


def test_from_a_piece_to_itself_nothing_moves():
    lines = [take.score.tracks[0].notes for take in interpolate(ONE, transposed(ONE, 3), 3)]
    assert lines[0] == lines[1] == lines[2]


def test_the_arc_turns_and_grows_evenly():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 6, 32))
    ends = slerp(one, other, 0.0), slerp(one, other, 1.0)
    assert np.allclose(ends[0], one, atol=1e-6)
    assert np.allclose(ends[1], other, atol=1e-6)
    middle = slerp(one, other, 0.5)
    lengths = [np.linalg.norm(z, axis=1) for z in (one, middle, other)]
    assert np.allclose(lengths[1], (lengths[0] + lengths[2]) / 2, rtol=1e-5)
    cosines = [(middle * z).sum(axis=1) / n / lengths[1] for z, n in ((one, lengths[0]), (other, lengths[2]))]
    assert np.allclose(*cosines, atol=1e-5)
    assert np.allclose(slerp(one, 2 * one, 0.5), 1.5 * one, rtol=1e-5)
    assert np.allclose(slerp(one, np.zeros_like(one), 0.25), 0.75 * one, rtol=1e-5)


def test_what_cannot_be_is_said():
    waltz = generate(key="C", meter="3/4", bars=2, seed=1)
    with pytest.raises(RequestError, match="bar 1: 4/4 in one piece and 3/4 in the other"):
        interpolate(ONE, waltz)
    with pytest.raises(RequestError, match="steps 1: expected 2 to 1000"):
        interpolate(ONE, OTHER, 1)
    with pytest.raises(RequestError, match="no notes"):
        interpolate(ONE, Score(4, end_steps=16))


def test_a_lone_melody_stays_alone_and_a_high_note_stays_in_reach():
    line = Score(4, (Track("Lead", (Note(0, 8, 96), Note(8, 8, 84)), 73),), end_steps=16)
    high = read_idea(line, key="F#", chords="F#")
    assert high.key == Key.parse("F#")
    for take in interpolate(read_idea(ONE), high, 2):
        assert take.score.bars.n_bars == 1
    alone = interpolate(high, ONE, 2)[0].score
    assert [(track.name, track.program) for track in alone.tracks] == [("Lead", 73)]
