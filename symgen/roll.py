"""Piano rolls: tensors with axes ``(tracks, steps, pitches)``.

``onset[k, t, p]`` is the velocity of the note of pitch ``p`` that track ``k`` starts at step ``t``, and 0
where none starts; ``sustain[k, t, p]`` says whether that pitch sounds during step ``t``, its first step
included. Two arrays are needed because a repeated note and a long one sound on the same steps.

What a roll cannot hold: two notes of one pitch that overlap within a track. The later onset cuts the
earlier note short; of two that start together, the longer one stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from symgen.score import Note, Score

__all__ = ["N_PITCHES", "NoteArrays", "Roll", "note_arrays", "roll_from_arrays", "roll_to_score", "score_to_roll"]

N_PITCHES = 128


@dataclass(frozen=True, slots=True)
class NoteArrays:
    """Notes as parallel integer arrays of shape (n_notes,).

    Parameters
    ----------
    track
        Index of each note's track.
    onset_steps, duration_steps
        Start and length.
    pitch
        0 to 127.
    velocity
        1 to 127.
    """

    track: NDArray[np.int64]
    onset_steps: NDArray[np.int64]
    duration_steps: NDArray[np.int64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Roll:
    """A piano roll and the grid it lies on.

    Parameters
    ----------
    onset
        Velocities of the notes that start, shape (tracks, steps, pitches), uint8.
    sustain
        Whether a pitch sounds, shape (tracks, steps, pitches).
    steps_per_quarter
        The grid.
    """

    onset: NDArray[np.uint8]
    sustain: NDArray[np.bool_]
    steps_per_quarter: int

    def __post_init__(self) -> None:
        assert self.onset.shape == self.sustain.shape
        assert self.onset.ndim == 3
        self.onset.setflags(write=False)
        self.sustain.setflags(write=False)


def note_arrays(score: Score) -> NoteArrays:
    """Return the notes of a score as arrays, track after track, each in its own order."""
    rows = [
        (k, note.onset_steps, note.duration_steps, note.pitch, note.velocity)
        for k, track in enumerate(score.tracks)
        for note in track.notes
    ]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    return NoteArrays(*columns)


def roll_from_arrays(notes: NoteArrays, *, n_tracks: int, n_steps: int, steps_per_quarter: int) -> Roll:
    """Draw notes into a roll.

    Parameters
    ----------
    notes
        In any order.
    n_tracks, n_steps
        The shape of the roll; every note must lie inside.
    steps_per_quarter
        The grid.

    Notes
    -----
    Linear in the number of steps that sound, besides the clearing of the arrays.
    """
    onset = np.zeros((n_tracks, n_steps, N_PITCHES), dtype=np.uint8)
    sustain = np.zeros((n_tracks, n_steps, N_PITCHES), dtype=np.bool_)
    durations = notes.duration_steps
    first_cell = (notes.track * n_steps + notes.onset_steps) * N_PITCHES + notes.pitch
    onset.reshape(-1)[first_cell] = notes.velocity
    # Every sounding cell: each note's first cell, repeated, plus 0, 1, 2, ... steps of the pitch axis.
    ends = np.cumsum(durations)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - durations, durations)
    sustain.reshape(-1)[np.repeat(first_cell, durations) + within * N_PITCHES] = True
    return Roll(onset, sustain, steps_per_quarter)


def score_to_roll(score: Score) -> Roll:
    """Return the roll of a score, as long as its whole bars."""
    return roll_from_arrays(
        note_arrays(score),
        n_tracks=len(score.tracks),
        n_steps=score.bars.end_steps,
        steps_per_quarter=score.steps_per_quarter,
    )


def roll_to_score(roll: Roll, like: Score) -> Score:
    """Return the score whose notes a roll shows.

    Parameters
    ----------
    roll
        With as many tracks as ``like``.
    like
        Gives all that a roll does not hold: names, programs, tempo, metre, keys, chords, markers.
    """
    tracks = []
    for k, track in enumerate(like.tracks):
        notes = _notes_of_track(roll.onset[k], roll.sustain[k])
        tracks.append(replace(track, notes=tuple(notes)))
    return replace(like, tracks=tuple(tracks))


def _notes_of_track(onset: NDArray[np.uint8], sustain: NDArray[np.bool_]) -> list[Note]:
    """Read the notes of one track: from each onset to the next onset or silence of that pitch."""
    n_steps = onset.shape[0]
    pitches, steps = np.nonzero(onset.T)
    # The note ends at the first later step that is silent or starts anew.
    stops = (~sustain) | (onset > 0)
    notes = []
    for pitch, step in zip(pitches.tolist(), steps.tolist(), strict=True):
        later = np.flatnonzero(stops[step + 1 :, pitch])
        end = step + 1 + int(later[0]) if len(later) else n_steps
        notes.append(Note(step, end - step, pitch, int(onset[step, pitch])))
    return notes
