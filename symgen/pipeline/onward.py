"""Which chords a piece goes on with after its end: those that are named, its own once more, or composed ones.

>>> from symgen.pipeline.generate import generate
>>> from symgen.pipeline.ideas import read_idea
>>> idea = read_idea(generate(key="C", chords="C | F | G | C", bars=4, seed=1))
>>> changes, said = chords_onward(idea, 2, None, None, np.random.default_rng(0))
>>> said, [f"{change.onset_steps} {change.chord}" for change in changes]
('new chords: those of the piece again', ['0 C', '48 F', '96 G', '144 C', '240 F'])
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from symgen.grid import BarMap
from symgen.pipeline.harmony import chord_changes, compose_progression
from symgen.pipeline.ideas import Idea
from symgen.score import ChordChange, chord_at_steps
from theory.chord import Chord
from theory.harmony import STYLES
from theory.progression import Progression

__all__ = ["chords_onward"]


def chords_onward(
    idea: Idea, n_bars: int, chords: Progression | str | None, syntax: str | None, rng: np.random.Generator
) -> tuple[tuple[ChordChange, ...], str]:
    """Return the chords of a piece and of new bars after it, and where the new ones come from, in words.

    Parameters
    ----------
    idea
        The piece.
    n_bars
        How many bars are new.
    chords, syntax
        Those that are asked for, if any.
    rng
        Source of chance where chords are composed.
    """
    if chords is None and _has_chords(idea):
        return _joined(idea, _again(idea, n_bars)), "new chords: those of the piece again"
    key = idea.keys[-1].key
    if chords is None:
        progression = compose_progression(key, n_bars, rng, style=idea.style if idea.style in STYLES else "pop")
    else:
        progression = Progression.parse(chords, key=key, syntax=syntax) if isinstance(chords, str) else chords
    meter, grid = idea.bars.meters[-1], idea.bars.steps_per_quarter
    bars = BarMap.build([(0, meter)], steps_per_quarter=grid, end_steps=n_bars * meter.bar_steps(grid))
    new = [replace(c, onset_steps=c.onset_steps + idea.bars.end_steps) for c in chord_changes(progression, bars)]
    return _joined(idea, new), "" if chords is not None else f"new chords, composed: {progression}"


def _has_chords(idea: Idea) -> bool:
    """Whether a piece names its chords, or has more than a melody to find them in."""
    sounding = [track for track in idea.score.tracks if track.notes and not track.is_drum]
    return bool(idea.score.chords) or len(sounding) > 1


def _joined(idea: Idea, new: list[ChordChange]) -> tuple[ChordChange, ...]:
    """Return the chords of the piece and the new ones, without one that only goes on."""
    changes = list(idea.chords)
    for change in new:
        if not changes or changes[-1].chord != change.chord:
            changes.append(change)
    return tuple(changes)


def _again(idea: Idea, n_bars: int) -> list[ChordChange]:
    """Return the chords of the piece from its first full bar on, over and over, put after its end."""
    bars = idea.bars
    sounding = chord_at_steps(idea.chords, bars.end_steps)
    length = bars.meters[-1].bar_steps(bars.steps_per_quarter)
    alike = [bar for bar in range(bars.n_bars) if bars.starts[bar + 1] - bars.starts[bar] == length]
    changes: list[ChordChange] = []
    last: Chord | None = None
    for number in range(n_bars):
        source = alike[number % len(alike)] if alike else bars.n_bars - 1
        for step, chord in enumerate(sounding[int(bars.starts[source]) : int(bars.starts[source]) + length]):
            if chord is not None and chord != last:
                changes.append(ChordChange(bars.end_steps + number * length + step, chord))
                last = chord
    return changes
