"""Training windows: whole bars of a melody, with what is known about them, relative to the tonic.

A window is a run of full bars of one metre, at the model's slots. Pieces are cut where the metre changes; a bar with
notes between the slots, or with a pitch outside the model's range, ends a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, N_SPECIAL, LineAlphabet
from symgen.conditions import PHRASE_BARS, Conditions, tonic_shift
from symgen.errors import CorpusError
from symgen.grid import BarMap
from symgen.score import ChordChange, Note, Score
from symgen.slots import SlotGrid
from theory.key import Key
from theory.meter import Meter

__all__ = ["Batch", "BatchSampler", "LineRun", "line_runs", "opened", "stack", "windows"]

_MIN_BARS = 4


@dataclass(frozen=True, slots=True)
class LineRun:
    """A run of full bars of one metre.

    Parameters
    ----------
    line
        Symbols at the slots, relative to the tonic, shape (n_bars, bar_slots), int16.
    features
        Conditions of every slot, shape (n_bars, bar_slots, N_FEATURES), float16.
    """

    line: NDArray[np.int16]
    features: NDArray[np.float16]

    @property
    def n_bars(self) -> int:
        """Bars in the run."""
        return len(self.line)

    @property
    def bar_slots(self) -> int:
        """Slots of a bar."""
        return int(self.line.shape[1])


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of equal length, stacked.

    Parameters
    ----------
    line
        Shape (batch, n_bars, bar_slots).
    features
        Shape (batch, n_bars, bar_slots, N_FEATURES).
    """

    line: NDArray[np.int16]
    features: NDArray[np.float16]


def line_runs(pieces: Iterable[tuple[Score, str]], alphabet: LineAlphabet, grid: SlotGrid) -> Iterator[LineRun]:
    """Cut the melodies of pieces into runs.

    Parameters
    ----------
    pieces
        Scores with their styles; the first track is the melody, and there is a key.
    alphabet
        Of the model: pitches relative to the tonic (see :func:`symgen.conditions.tonic_shift`).
    grid
        The model's, which divides that of the pieces.

    Raises
    ------
    CorpusError
        If it does not.
    """
    for score, style in pieces:
        if score.steps_per_quarter % grid.steps_per_quarter:
            found = f"{score.steps_per_quarter} steps a quarter"
            msg = f"training data at {found}: expected a multiple of {grid.steps_per_quarter}"
            raise CorpusError(msg)
        for key, section in _sections(score):
            yield from _runs_of_section(score, key, section, style, alphabet, grid)


@dataclass(frozen=True, slots=True)
class _Section:
    """Bars ``first`` up to ``end`` of a score, of one metre and in one key; ``origin`` is where phrases count from."""

    first: int
    end: int
    meter: Meter
    origin: int


def _sections(score: Score) -> Iterator[tuple[Key, _Section]]:
    bars = score.bars
    key_steps = [change.onset_steps for change in score.keys]
    keys = [score.keys[max(int(np.searchsorted(key_steps, s, side="right")) - 1, 0)].key for s in bars.starts[:-1]]
    lengths = np.diff(bars.starts)
    full = [n == m.bar_steps(score.steps_per_quarter) for n, m in zip(lengths, bars.meters, strict=True)]
    origin = _first_full_bar(score)
    first = 0
    for bar in range(bars.n_bars + 1):
        is_cut = (
            bar == bars.n_bars or not full[bar] or (bars.meters[bar], keys[bar]) != (bars.meters[first], keys[first])
        )
        if is_cut:
            if bar - first >= _MIN_BARS:
                yield keys[first], _Section(first, bar, bars.meters[first], origin)
            first = bar if bar < bars.n_bars and full[bar] else bar + 1
            origin = max(origin, first)


def _first_full_bar(score: Score) -> int:
    """Return 1 where the first bar holds only a pickup: silence in its first half."""
    first_note = min((note.onset_steps for note in score.tracks[0].notes), default=0)
    return int(first_note >= score.bars.starts[1] / 2)


def _runs_of_section(
    score: Score, key: Key, section: _Section, style: str, alphabet: LineAlphabet, grid: SlotGrid
) -> Iterator[LineRun]:
    length = section.meter.bar_quarters * grid.steps_per_quarter
    if length.denominator != 1:
        return
    bar_steps, n_bars = int(length), section.end - section.first
    notes, bad_bars = _on_grid(score, section, tonic_shift(key), alphabet, grid)
    line = alphabet.encode(notes, n_bars * bar_steps).reshape(n_bars, bar_steps)
    ratio = score.steps_per_quarter // grid.steps_per_quarter
    edges = BarMap.build([(0, section.meter)], steps_per_quarter=grid.steps_per_quarter, end_steps=line.size)
    conditions = Conditions(
        edges,
        key,
        _chords_from(score, int(score.bars.starts[section.first]), line.size, ratio),
        style,
        first_bar=(section.first - section.origin) % PHRASE_BARS,
        is_end=section.end == score.bars.n_bars,
    )
    slots = grid.slots(bar_steps)
    line, features = line[:, slots], conditions.features().reshape(n_bars, bar_steps, -1)[:, slots]
    edges_of_runs = [-1, *sorted(bad_bars), n_bars]
    for before, after in pairwise(edges_of_runs):
        if after - before - 1 >= _MIN_BARS:
            part = opened(line, before + 1, after)
            yield LineRun(part.astype(np.int16), features[before + 1 : after].astype(np.float16))


def _on_grid(
    score: Score, section: _Section, shift: int, alphabet: LineAlphabet, grid: SlotGrid
) -> tuple[list[Note], set[int]]:
    """Return the section's notes on the model's grid, and the bars that do not fit it."""
    ratio = score.steps_per_quarter // grid.steps_per_quarter
    starts = score.bars.starts
    start, end = int(starts[section.first]), int(starts[section.end])
    bar_steps = int(starts[section.first + 1]) - start
    kept: list[Note] = []
    bad: set[int] = set()
    for note in score.tracks[0].notes:
        if note.end_steps <= start or note.onset_steps >= end:
            continue
        onset, stop = max(note.onset_steps, start) - start, min(note.end_steps, end) - start
        pitch = note.pitch + shift
        place, off = divmod(onset % bar_steps, ratio)
        if off or place % grid.steps_per_quarter not in grid.places or not alphabet.low <= pitch <= alphabet.high:
            bad.add(int(onset // bar_steps))
            continue
        length = max(round((stop - onset) / ratio), 1)
        kept.append(replace(note, onset_steps=onset // ratio, duration_steps=length, pitch=pitch))
    return kept, bad


def _chords_from(score: Score, start: int, n_steps: int, ratio: int) -> tuple[ChordChange, ...]:
    """Return the chord changes from a step on, the one that sounds there first, on the coarser grid."""
    changes: dict[int, ChordChange] = {}
    for change in score.chords:
        step = max((change.onset_steps - start) // ratio, 0)
        if step < n_steps:
            changes[step] = ChordChange(step, change.chord)
    return tuple(changes[step] for step in sorted(changes))


def windows(runs: Sequence[LineRun], n_bars: int) -> dict[int, list[tuple[int, int]]]:
    """Return every window of ``n_bars``, as (run, first bar), by slots of a bar.

    Windows start at every second bar of a run, and at the place that ends with it.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    for index, run in enumerate(runs):
        starts = {*range(0, run.n_bars - n_bars + 1, 2), run.n_bars - n_bars} if run.n_bars >= n_bars else set()
        found.setdefault(run.bar_slots, []).extend((index, start) for start in sorted(starts))
    return {bar_slots: places for bar_slots, places in found.items() if places}


class BatchSampler:
    """Draws batches of windows; each has one length of bar and about ``batch_slots`` slots.

    Parameters
    ----------
    runs
        What to draw from.
    n_bars
        Lengths of window, each drawn equally often.
    batch_slots
        Size of a batch in slots.

    Raises
    ------
    CorpusError
        If the runs have no window of any of the lengths.
    """

    def __init__(self, runs: Sequence[LineRun], *, n_bars: Sequence[int], batch_slots: int) -> None:
        self.runs, self.batch_slots = runs, batch_slots
        self.tables = [(n, bar_slots, places) for n in n_bars for bar_slots, places in windows(runs, n).items()]
        if not self.tables:
            msg = f"training data: no melody of {min(n_bars)} bars in one metre and key among {len(runs)} runs"
            raise CorpusError(msg)
        weights = np.array([len(places) * n * bar_slots for n, bar_slots, places in self.tables], dtype=np.float64)
        for n in n_bars:  # every length equally often, whatever the number of its windows
            of_n = np.array([row[0] == n for row in self.tables])
            weights[of_n] /= max(weights[of_n].sum(), 1.0)
        self.weights = weights / weights.sum()

    def draw(self, rng: np.random.Generator) -> Batch:
        """Return a random batch."""
        n, bar_slots, places = self.tables[rng.choice(len(self.tables), p=self.weights)]
        size = min(max(self.batch_slots // (n * bar_slots), 1), len(places))
        chosen = rng.choice(len(places), size=size, replace=False)
        return stack([self.runs[places[i][0]] for i in chosen], [places[i][1] for i in chosen], n)

    def every(self, limit: int) -> Iterator[Batch]:
        """Yield up to ``limit`` batches in a fixed order, each window at most once, lengths of bar in turn."""
        cursors = [0] * len(self.tables)
        order = np.random.default_rng(0)
        shuffled = [order.permutation(len(places)) for _, _, places in self.tables]
        for count in range(limit):
            k = count % len(self.tables)
            n, bar_slots, places = self.tables[k]
            size = max(self.batch_slots // (n * bar_slots), 1)
            chosen = shuffled[k][cursors[k] : cursors[k] + size]
            cursors[k] += size
            if len(chosen):
                yield stack([self.runs[places[i][0]] for i in chosen], [places[i][1] for i in chosen], n)


def stack(runs: Sequence[LineRun], starts: Sequence[int], n_bars: int) -> Batch:
    """Stack windows of runs."""
    lines = np.stack([opened(run.line, start, start + n_bars) for run, start in zip(runs, starts, strict=True)])
    features = np.stack([run.features[start : start + n_bars] for run, start in zip(runs, starts, strict=True)])
    return Batch(lines, features)


def opened(line: NDArray[np.integer], first: int, end: int) -> NDArray[np.integer]:
    """Return bars ``first`` to ``end`` of a line, shape (n_bars, bar_slots), so that they can stand alone.

    A hold that opens them becomes the onset of the pitch it holds.
    """
    window = line[first:end].copy()
    if window[0, 0] == HOLD:
        before = line[:first].reshape(-1)
        window[0, 0] = before[before >= N_SPECIAL][-1]
    return window
