"""Rolls: the way there and back, and drawing against a plain loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from symgen.roll import note_arrays, roll_to_score, score_to_roll
from symgen.score import Note, Score, Track


@st.composite
def voices(draw, n_steps=24):
    """Notes of a few pitches, none overlapping another of its pitch."""
    notes = []
    for pitch in draw(st.sets(st.integers(0, 127), max_size=4)):
        edges = sorted(draw(st.sets(st.integers(0, n_steps), max_size=6)))
        notes += [
            Note(a, b - a, pitch, draw(st.integers(1, 127))) for a, b in zip(edges[::2], edges[1::2], strict=False)
        ]
        # Notes that touch: where one ends the next of the same pitch starts.
        notes += [Note(b, 1, pitch) for b in edges[1::2][-1:] if b < n_steps and len(edges) % 2 == 0]
    return tuple(notes)


@st.composite
def scores_on_grid(draw):
    steps_per_quarter = draw(st.sampled_from([4, 8, 12, 24]))
    tracks = tuple(Track(f"part {i}", notes) for i, notes in enumerate(draw(st.lists(voices(), max_size=3))))
    return Score(steps_per_quarter, tracks, end_steps=draw(st.integers(0, 30)))


@given(scores_on_grid())
def test_score_to_roll_and_back_is_the_identity(score):
    assert roll_to_score(score_to_roll(score), like=score) == score


@given(scores_on_grid())
def test_roll_is_what_a_plain_loop_draws(score):
    roll = score_to_roll(score)
    onset = np.zeros_like(roll.onset)
    sustain = np.zeros_like(roll.sustain)
    for k, track in enumerate(score.tracks):
        for note in track.notes:
            onset[k, note.onset_steps, note.pitch] = note.velocity
            for step in range(note.onset_steps, note.end_steps):
                sustain[k, step, note.pitch] = True
    assert (roll.onset == onset).all()
    assert (roll.sustain == sustain).all()


def test_roll_covers_whole_bars_and_is_read_only():
    roll = score_to_roll(Score(4, (Track("Melody", (Note(0, 1, 60),)),)))
    assert roll.onset.shape == (1, 16, 128)
    assert not roll.onset.flags.writeable
    assert not roll.sustain.flags.writeable


def test_an_overlap_of_one_pitch_is_cut_at_the_later_onset():
    score = Score(4, (Track("Melody", (Note(0, 6, 60), Note(2, 2, 60, 50))),), end_steps=16)
    back = roll_to_score(score_to_roll(score), like=score)
    assert back.tracks[0].notes == (Note(0, 2, 60), Note(2, 4, 60, 50))


def test_note_arrays_of_nothing_are_empty():
    assert note_arrays(Score(4)).pitch.shape == (0,)
