"""The same music on another grid.

>>> from symgen.score import Note, Track
>>> score = Score(4, (Track("Melody", (Note(2, 4, 60),)),), end_steps=16)
>>> finer = at_grid(score, 12)
>>> finer.tracks[0].notes[0].onset_steps, finer.end_steps, at_coarse_grid(finer, 2).steps_per_quarter
(6, 48, 2)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symgen.score import Score

__all__ = ["at_coarse_grid", "at_grid"]


def at_grid(score: Score, steps_per_quarter: int) -> Score:
    """Return a score on another grid, on which all of it lies.

    Raises
    ------
    AssertionError
        If some of it does not.
    """
    times, old = steps_per_quarter, score.steps_per_quarter

    def moved(step: int) -> int:
        scaled, rest = divmod(step * times, old)
        assert not rest
        return scaled

    tracks = [
        replace(
            track,
            notes=tuple(
                replace(n, onset_steps=moved(n.onset_steps), duration_steps=moved(n.duration_steps))
                for n in track.notes
            ),
        )
        for track in score.tracks
    ]
    return replace(
        score,
        steps_per_quarter=steps_per_quarter,
        tracks=tuple(tracks),
        tempos=tuple(replace(c, onset_steps=moved(c.onset_steps)) for c in score.tempos),
        meters=tuple(replace(c, onset_steps=moved(c.onset_steps)) for c in score.meters),
        keys=tuple(replace(c, onset_steps=moved(c.onset_steps)) for c in score.keys),
        chords=tuple(replace(c, onset_steps=moved(c.onset_steps)) for c in score.chords),
        markers=tuple(replace(c, onset_steps=moved(c.onset_steps)) for c in score.markers),
        end_steps=moved(score.end_steps),
    )


def at_coarse_grid(score: Score, steps_per_quarter: int) -> Score:
    """Return a score on the coarsest multiple of a grid of so many steps a quarter that all of it lies on."""
    fine = math.lcm(score.steps_per_quarter, steps_per_quarter)
    notes = [n for track in score.tracks for n in track.notes]
    lists: list[Sequence[Any]] = [score.tempos, score.meters, score.keys, score.chords, score.markers]
    times = [score.end_steps, *(change.onset_steps for changes in lists for change in changes)]
    times += [t for n in notes for t in (n.onset_steps, n.duration_steps)]
    common = math.gcd(fine // steps_per_quarter, *(t * (fine // score.steps_per_quarter) for t in times))
    return at_grid(score, fine // common)
