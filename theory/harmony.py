"""Graphs of progressions: which chord follows which in a style, how often, and when.

A graph is one style in one mode, its chords written in C (C minor). The counts are of real analyses
(:mod:`theory.harmony_tables` names them); a succession that they do not have often enough is not legal: its weight is
exactly zero. Where two chords say more than one about what comes next, the graph holds a row for the pair.

>>> graph = progression_graph("pop", "major")
>>> rows = graph.successions[graph.chords.index(Chord.parse("G7"))]
>>> str(graph.chords[rows.argmax()])
'C'
>>> str(in_key(Chord.parse("Fm6"), Key.parse("E"))), str(plain(Chord.parse("B9/D#"), Key.parse("E")))
('Am6', 'G7/B')
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from theory.chord import NO_CHORD, Chord
from theory.errors import TheoryError
from theory.harmony_tables import TABLES
from theory.key import Key
from theory.pitch import Spelling, spell

__all__ = ["PHRASE_SLOTS", "STYLES", "ProgressionGraph", "in_key", "plain", "progression_graph", "read_graph"]

PHRASE_SLOTS = 8
"""Half bars in a phrase of four bars: chords are counted where they change at one of these."""

STYLES = MappingProxyType(
    {"pop": "pop", "lead-sheet": "lead-sheet", "jazz": "lead-sheet", "folk": "folk"}
    | {"classical": "classical", "chorale": "chorale"}
)
"""Style -> its table. Jazz is what lead sheets of standards have."""

_C = Spelling(0)
_FIFTHS = (0, -5, 2, -3, 4, -1, -6, 1, 8, 3, -2, 5)  # of the usual spelling of each note above a root


@dataclass(frozen=True, slots=True, eq=False)
class ProgressionGraph:
    """Counts of one style in one mode.

    Parameters
    ----------
    chords
        As :func:`plain` writes them.
    starts
        How many pieces begin with each, shape (chords,).
    successions
        ``successions[a, b]``: how often b follows a, shape (chords, chords); nothing follows itself.
    pairs
        The pairs (before, last) that have a row of their own, as indices, shape (pairs, 2).
    pair_successions
        What follows each pair, shape (pairs, chords); the smaller counts are left out.
    bar_changes, middle_changes
        How often a chord gave way at a bar line and in the middle of a bar, and how often it could have; (chords, 2).
    slot_changes
        The same by half bar of a phrase of four bars, shape (PHRASE_SLOTS, 2).
    """

    chords: tuple[Chord, ...]
    starts: NDArray[np.int64]
    successions: NDArray[np.int64]
    pairs: NDArray[np.int64]
    pair_successions: NDArray[np.int64]
    bar_changes: NDArray[np.int64]
    middle_changes: NDArray[np.int64]
    slot_changes: NDArray[np.int64]

    def log_successions(self, *, smoothing: float = 50.0) -> NDArray[np.float64]:
        """Return log p(next | one or two chords), shape (chords + pairs, chords): chords first, then pairs.

        A pair's own counts are joined by ``smoothing`` counts in the proportions of its last chord alone.
        """
        first = self.successions / self.successions.sum(axis=1, keepdims=True)
        rows = self.pair_successions + smoothing * first[self.pairs[:, 1]]
        second = rows / rows.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            log_chances: NDArray[np.float64] = np.log(np.concatenate([first, second]))
        return log_chances

    def change_chances(self) -> NDArray[np.float64]:
        """Return how likely each chord is to give way at each half bar of a phrase, shape (PHRASE_SLOTS, chords).

        The odds of the place and the odds of the chord (smoothed towards those of all chords) are multiplied.
        """
        chances = np.empty((PHRASE_SLOTS, len(self.chords)))
        place = _odds(self.slot_changes)
        for slot in range(PHRASE_SLOTS):
            counts = self.middle_changes if slot % 2 else self.bar_changes
            total = counts.sum(axis=0)
            own = _odds(counts + 10 * total / max(total[1], 1)) / _odds(total[None])
            odds = place[slot] * own
            chances[slot] = odds / (1 + odds)
        return chances


def progression_graph(style: str, mode: str) -> ProgressionGraph:
    """Return the graph of a style in ``"major"`` or ``"minor"``.

    Raises
    ------
    TheoryError
        If the style or the mode has none.
    """
    name = f"{STYLES.get(style)}/{mode}"
    if name not in TABLES:
        msg = f"style {style!r} in {mode}: expected one of {', '.join(STYLES)} in major or minor"
        raise TheoryError(msg)
    return _graph_named(name)


@cache
def _graph_named(name: str) -> ProgressionGraph:
    return read_graph(TABLES[name])


def read_graph(text: str) -> ProgressionGraph:
    """Read a table of :mod:`theory.harmony_tables`, whose head says how it is written."""
    lines = [line.split("|") for line in text.strip().splitlines()]
    rows = [cells for cells in lines if len(cells) == 5]
    index = {cells[0].strip(): number for number, cells in enumerate(rows)}
    pairs = [cells for cells in lines if len(cells) == 2]
    return ProgressionGraph(
        tuple(Chord.parse(name) for name in index),
        np.array([int(cells[1]) for cells in rows]),
        np.array([_counts(cells[4], index) for cells in rows]),
        np.array([[index[name] for name in cells[0].split()] for cells in pairs], dtype=np.int64).reshape(-1, 2),
        np.array([_counts(cells[1], index) for cells in pairs], dtype=np.int64).reshape(-1, len(rows)),
        np.array([_fraction(cells[2]) for cells in rows]),
        np.array([_fraction(cells[3]) for cells in rows]),
        np.array([_fraction(word) for cells in lines if len(cells) == 1 for word in cells[0].split()]),
    )


def plain(chord: Chord, key: Key) -> Chord:
    """Return a chord as the graphs count it: moved to C, without tensions, spelled as is usual in C (C minor).

    Thirds, fourths in their place, fifths, sixths and sevenths are kept, and basses that are one of them. A chord
    without a third has the one of the key. A major chord over the note a tone above its root is the suspended seventh
    on that note (F/G is G7sus4); other basses are dropped.
    """
    if chord.root is None:
        return NO_CHORD
    root = (chord.root.pitch_class - key.tonic.pitch_class) % 12
    semitones = _without_tensions(set(chord.semitones), home_third=_home_third(root, key))
    bass = ((chord.bass_pitch_class or 0) - chord.root.pitch_class) % 12
    if bass == 2 and 4 in semitones:
        root, semitones, bass = (root + 2) % 12, (0, 5, 7, 10), 0
    return _spelled(root, semitones, bass if bass in semitones else 0, Key(_C, "minor" if key.is_minor else "major"))


def in_key(chord: Chord, key: Key) -> Chord:
    """Return a chord written in C (C minor) as it is in a key, spelled as is usual there."""
    if chord.root is None or chord.bass_pitch_class is None:
        return chord
    bass = (chord.bass_pitch_class - chord.root.pitch_class) % 12
    return _spelled(chord.root.pitch_class, chord.semitones, bass, key)


def _home_third(root: int, key: Key) -> int:
    """Return the third that the key has above a root, the leading tone in minor left aside."""
    return 3 if (key.tonic.pitch_class + root + 3) % 12 in key.pitch_classes else 4


def _without_tensions(above: set[int], *, home_third: int) -> tuple[int, ...]:
    third = next((note for note in (4, 3, 5) if note in above), home_third)
    altered = above & {6, 8}  # both: an altered dominant, whose fifth says nothing
    fifth = altered.pop() if len(altered) == 1 and 7 not in above else 7
    seventh = next((note for note in (10, 11, 9) if note in above), None)
    return tuple(note for note in (0, third, fifth, seventh) if note is not None)


def _spelled(root: int, semitones: tuple[int, ...], bass: int, key: Key) -> Chord:
    """Spell a chord so far above the tonic that its notes lie as near as can be to those of the key."""
    centre = key.tonic.fifths + (0 if key.is_minor else 1)
    fifths = [_fifths_above(note, semitones) for note in semitones]
    middle = round(Fraction(sum(fifths), len(fifths)))
    base = spell(key.tonic.pitch_class + root, near=centre - middle)
    spellings = [Spelling(base.fifths + shift) for shift in (-12, 0, 12)]
    name = min(spellings, key=lambda note: (abs(note.alteration) > 1, _strain(note, fifths, centre)))
    lowest = Spelling(name.fifths + _fifths_above(bass, semitones))
    if abs(lowest.alteration) > 1:
        lowest = spell(lowest.pitch_class, near=centre)
    return Chord(name, semitones, lowest)


def _strain(root: Spelling, fifths: list[int], centre: int) -> int:
    """Return how far the notes of a chord lie from the middle of the key, along the line of fifths."""
    return sum(abs(root.fifths + fifth - centre) for fifth in fifths)


def _fifths_above(note: int, semitones: tuple[int, ...]) -> int:
    """Return the place of a chord's note above its root: the seventh of a diminished chord is no sixth."""
    return -9 if note == 9 and {3, 6} <= set(semitones) else _FIFTHS[note]


def _odds(counts: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the odds of (happened, could have), half a count added to both sides."""
    odds: NDArray[np.float64] = (counts[:, 0] + 0.5) / (counts[:, 1] - counts[:, 0] + 0.5)
    return odds


def _counts(cell: str, index: dict[str, int]) -> list[int]:
    row = [0] * len(index)
    for name, count in _word_pairs(cell):
        row[index[name]] = int(count)
    return row


def _word_pairs(cell: str) -> Iterator[tuple[str, str]]:
    words = iter(cell.split())
    return zip(words, words, strict=True)


def _fraction(cell: str) -> list[int]:
    return [int(word) for word in cell.split("/")]
