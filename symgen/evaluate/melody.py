"""A melody as arrays: what most measures look at.

>>> from symgen.score import Note, Score, Track
>>> score = Score(4, (Track("Melody", (Note(0, 4, 60), Note(4, 8, 64), Note(16, 4, 60))),), end_steps=32)
>>> melody = melody_of(score)
>>> melody.n_notes, melody.n_bars, melody.onset_quarters.tolist()
(3, 2, [0.0, 1.0, 4.0])
>>> melody.notes_of_bar(1).tolist()
[[0, 4, 60]]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgen.moments import line_of, line_track
from symgen.score import Score

__all__ = ["Melody", "melody_of"]


@dataclass(frozen=True, slots=True)
class Melody:
    """One voice on a grid, and its bars.

    Parameters
    ----------
    onset_steps, duration_steps, pitch
        Of the notes in time, shape (n_notes,) each; no two sound at once.
    bar_starts
        First step of every bar and the end of the last, shape (n_bars + 1,).
    steps_per_quarter
        The grid.
    """

    onset_steps: NDArray[np.int64]
    duration_steps: NDArray[np.int64]
    pitch: NDArray[np.int64]
    bar_starts: NDArray[np.int64]
    steps_per_quarter: int

    @property
    def n_notes(self) -> int:
        """How many notes there are."""
        return len(self.pitch)

    @property
    def n_bars(self) -> int:
        """How many bars there are."""
        return len(self.bar_starts) - 1

    @property
    def onset_quarters(self) -> NDArray[np.float64]:
        """Where the notes start, in quarter notes."""
        return self.onset_steps / self.steps_per_quarter

    @property
    def duration_quarters(self) -> NDArray[np.float64]:
        """How long the notes are, in quarter notes."""
        return self.duration_steps / self.steps_per_quarter

    def notes_of_bar(self, bar: int) -> NDArray[np.int64]:
        """Return onset within the bar, duration (cut at the bar line) and pitch of the notes that start in it."""
        start, end = self.bar_starts[bar : bar + 2]
        inside = (self.onset_steps >= start) & (self.onset_steps < end)
        onset = self.onset_steps[inside]
        duration = np.minimum(self.duration_steps[inside], end - onset)
        return np.stack([onset - start, duration, self.pitch[inside]], axis=1)


def melody_of(score: Score, track: str | None = None) -> Melody:
    """Return the melody of a score.

    Parameters
    ----------
    score
        Any music.
    track
        Name of the track; the first that has notes and is no drums if left out. Of notes that start together the
        highest counts, and each is cut where the next one starts.

    Raises
    ------
    ScoreError
        If there is no such track, or none at all.
    """
    line = line_of(line_track(score, track).notes)
    onset, end, pitch = np.array([(n.onset, n.end, n.pitch) for n in line], dtype=np.int64).reshape(-1, 3).T
    return Melody(onset, end - onset, pitch, score.bars.starts, score.steps_per_quarter)
