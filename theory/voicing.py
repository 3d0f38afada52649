"""Voicings: which pitches a chord is played with.

>>> from theory.chord import Chord
>>> voicings([Chord.parse("C"), Chord.parse("F"), Chord.parse("G7")], low=52, high=72)
[(60, 64, 67), (60, 65, 69), (59, 62, 65, 67)]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from theory.chord import Chord

__all__ = ["MAX_NOTES", "bass_pitch", "voicings"]

MAX_NOTES = 4
"""Notes a voicing has at most, besides the bass."""

_EXPENDABLE = (7, 0, 2, 9)  # semitones above the root left out first when a chord has too many notes


def voicings(chords: Sequence[Chord], *, low: int = 50, high: int = 69) -> list[tuple[int, ...]]:
    """Return close voicings that move as little as they can from each to the next.

    Parameters
    ----------
    chords
        In their order.
    low, high
        Where the pitches lie; at least 17 semitones apart, so that every chord has a close position.

    Returns
    -------
    list of tuple of int
        Pitches from low to high; empty for no chord.
    """
    found: list[tuple[int, ...]] = []
    centre = (low + high) / 2
    previous: tuple[int, ...] = ()
    for chord in chords:
        candidates = _close_positions(chord, low, high)
        if not candidates:
            found.append(())
            continue
        previous = min(candidates, key=lambda c: (_movement(previous, c) + abs(sum(c) / len(c) - centre) / 2, c))
        found.append(previous)
    return found


def bass_pitch(chord: Chord, previous: int | None, *, low: int = 36, high: int = 52) -> int | None:
    """Return the chord's bass note nearest to the bass before it; ``None`` for no chord."""
    pitch_class = chord.bass_pitch_class
    if pitch_class is None:
        return None
    around = (low + high) // 2 if previous is None else previous
    candidates = [pitch for pitch in range(low, high + 1) if pitch % 12 == pitch_class]
    return min(candidates, key=lambda pitch: (abs(pitch - around), pitch))


def _chosen_notes(chord: Chord) -> list[int]:
    """Return the pitch classes played: all, or what is left after the expendable ones."""
    assert chord.root is not None
    notes = list(chord.semitones)
    for expendable in _EXPENDABLE:
        if len(notes) > MAX_NOTES and expendable in notes:
            notes.remove(expendable)
    return [(chord.root.pitch_class + note) % 12 for note in notes[-MAX_NOTES:]]


def _close_positions(chord: Chord, low: int, high: int) -> list[tuple[int, ...]]:
    """Return every inversion within an octave, at every height in the range."""
    if chord.is_none:
        return []
    notes = sorted(_chosen_notes(chord))
    found = []
    for rotation, octave in product(range(len(notes)), range(11)):
        turned = notes[rotation:] + [note + 12 for note in notes[:rotation]]
        pitches = tuple(12 * octave + note for note in turned)
        if low <= pitches[0] and pitches[-1] <= high:
            found.append(pitches)
    return found


def _movement(before: tuple[int, ...], after: tuple[int, ...]) -> float:
    """Return how far the voices travel: each note to the nearest one of the other chord, both ways."""
    if not before:
        return 0.0
    there = sum(min(abs(a - b) for b in before) for a in after)
    back = sum(min(abs(a - b) for a in after) for b in before)
    return float(there + back)
