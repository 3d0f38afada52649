"""How chords fit a melody: what each note costs over each chord, slot by slot.

A note that is in the chord costs nothing. One that is foreign to it costs by how long it sounds in the slot, in nats
per quarter note (two quarters at most are counted), and by how it is excused:

==============================================  ====  ==========================
a foreign note                                  nats  and a semitone above a
                                                      tone of the chord
==============================================  ====  ==========================
on a weak place, left by step or repeated       0.6   the same
on a strong beat (or held over), left by step   1.5   the same
on a weak place, left by leap or at the end     2.5   3.5
on a strong beat, left by leap or at the end    never
==============================================  ====  ==========================

Where *never* leaves no chords at all, it is 8 instead.

>>> notes = [LineNote(0, 4, 62), LineNote(4, 16, 60)]
>>> C, F = Chord.parse("C"), Chord.parse("F")
>>> costs(notes, [True] + [False] * 3 + [True] * 12, [(0, 16)], [C, F], steps_per_quarter=4).tolist()
[[1.5, 1.5]]
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.chord import Chord
from theory.rules import LineNote

__all__ = ["costs"]

_STEP = 2
_MOST_QUARTERS, _LEAST_QUARTERS = 2.0, 0.25
_WEAK_EXCUSED, _STRONG_EXCUSED, _WEAK, _CLASH = 0.6, 1.5, 2.5, 1.0
_STRONG_NATS = 8.0


@dataclass(frozen=True, slots=True)
class _Portion:
    """What of a note sounds in a slot: its pitch class and what it costs where it is foreign, clashing or not."""

    pitch_class: int
    foreign: float
    clashing: float


def costs(
    notes: Sequence[LineNote],
    is_strong: Sequence[bool],
    slots: Sequence[tuple[int, int]],
    chords: Sequence[Chord],
    *,
    steps_per_quarter: int,
    strict: bool = True,
) -> NDArray[np.float64]:
    """Return what a melody costs over chords, shape (slots, chords), in nats; ``inf`` is never.

    Parameters
    ----------
    notes
        The melody, in order, none overlapping another.
    is_strong
        Whether each step is a strong beat.
    slots
        First step of each, and the step after its last.
    chords
        The columns.
    steps_per_quarter
        The grid.
    strict
        Whether a foreign note on a strong beat that is not left by step is never to be, or only dear.
    """
    tones = np.array([[pc in chord.pitch_classes for chord in chords] for pc in range(12)])
    clashes = ~tones & np.roll(tones, 1, axis=0)  # a semitone above a tone
    total = np.zeros((len(slots), len(chords)))
    for number, (start, end) in enumerate(slots):
        for portion in _portions(notes, is_strong, start, end, steps_per_quarter, strict=strict):
            foreign = ~tones[portion.pitch_class]
            total[number, foreign] += portion.foreign
            total[number, clashes[portion.pitch_class]] += portion.clashing - portion.foreign if _differ(portion) else 0
    return total


def _differ(portion: _Portion) -> bool:
    return portion.clashing != portion.foreign  # infinite both, or excused both


def _portions(
    notes: Sequence[LineNote], is_strong: Sequence[bool], start: int, end: int, steps_per_quarter: int, *, strict: bool
) -> list[_Portion]:
    portions = []
    first = bisect_right(notes, start, key=lambda note: note.end)
    for index in range(first, bisect_left(notes, end, key=lambda note: note.onset)):
        note = notes[index]
        begins = max(note.onset, start)
        quarters = (min(note.end, end) - begins) / steps_per_quarter
        length = min(max(quarters, _LEAST_QUARTERS), _MOST_QUARTERS)
        after = notes[index + 1].pitch - note.pitch if index + 1 < len(notes) else None
        foreign, clashing = _nats(after, heavy=is_strong[begins], is_held=note.onset < start, strict=strict)
        portions.append(_Portion(note.pitch % 12, foreign * length, clashing * length))
    return portions


def _nats(after: int | None, *, heavy: bool, is_held: bool, strict: bool) -> tuple[float, float]:
    """Return what a foreign note costs a quarter, and one that clashes; ``after`` is the interval it is left by."""
    by_step = after is not None and 1 <= abs(after) <= _STEP
    if heavy or is_held:
        if by_step:
            return _STRONG_EXCUSED, _STRONG_EXCUSED
        if heavy and not is_held:
            dear = math.inf if strict else _STRONG_NATS
            return dear, dear
    elif by_step or after == 0:
        return _WEAK_EXCUSED, _WEAK_EXCUSED
    return _WEAK, _WEAK + _CLASH
