"""Progressions: laid out over the bars of a piece, or composed when none is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from symgen.decode.automaton import DEAD, Automaton
from symgen.decode.infer import log_backward, sample_lines
from symgen.decode.lattice import Lattice
from symgen.errors import ScoreError
from symgen.grid import BarMap
from symgen.score import ChordChange
from theory.function import CADENTIAL_DEGREES, degree_chords, succession_weights
from theory.key import Key
from theory.progression import ChordSpan, Progression

__all__ = ["chord_changes", "compose_progression"]

_PHRASE_BARS = 4
_TONIC = 0


def compose_progression(
    key: Key, n_bars: int, rng: np.random.Generator, *, sources: Sequence[int] | None = None
) -> Progression:
    """Compose a chord for every bar: from the tonic, through the usual successions, to a cadence.

    Parameters
    ----------
    key
        The key; its triads are used.
    n_bars
        At least 1.
    rng
        Source of chance.
    sources
        For each bar the bar whose chord it has, itself where it is new; all new if left out.

    Notes
    -----
    The degrees are a line on a lattice of their own, drawn exactly given these laws: the first and the last
    bar are on the tonic, the bar before the last (of three or more) on the dominant or the subdominant, and
    a chord is not repeated into the last bar of a phrase of four. A bar that repeats another is fixed once
    that one is drawn, unless that breaks a law, and what follows it is drawn again given all before it.
    """
    sources = range(n_bars) if sources is None else sources
    fixed: dict[int, int] = {}
    repeats = [bar for bar in range(n_bars) if sources[bar] != bar]
    lattice = _degree_lattice(key, n_bars, fixed)
    degrees = sample_lines(lattice, log_backward(lattice), rng)[0]
    for bar in repeats:
        # What stands before the repeat is kept; the repeat itself, and all that follows, is drawn anew given it.
        fixed.update({b: int(degrees[b]) for b in range(bar)})
        fixed[bar] = int(degrees[sources[bar]])
        lattice = _degree_lattice(key, n_bars, fixed)
        table = log_backward(lattice)
        if np.isneginf(table[0, 0]):
            del fixed[bar]  # the repeat would break the cadence: this bar is new after all
            continue
        degrees = sample_lines(lattice, table, rng)[0]
    chords = degree_chords(key)
    return Progression(tuple((ChordSpan(chords[degree]),) for degree in degrees.tolist()))


def chord_changes(progression: Progression, bars: BarMap) -> tuple[ChordChange, ...]:
    """Return the chords of a piece, repeating the progression to its end.

    Raises
    ------
    ScoreError
        If a chord would start between two steps.
    """
    changes: list[ChordChange] = []
    for bar, meter in enumerate(bars.meters):
        for quarters, chord in progression.bar_layout(bar, meter):
            steps = quarters * bars.steps_per_quarter
            if steps.denominator != 1:
                msg = f"bar {bar + 1}: chord {chord} starts between two steps of {bars.steps_per_quarter} a quarter"
                raise ScoreError(msg)
            if not changes or changes[-1].chord != chord:
                changes.append(ChordChange(int(bars.starts[bar]) + int(steps), chord))
    return tuple(changes)


def _degree_lattice(key: Key, n_bars: int, fixed: Mapping[int, int]) -> Lattice:
    """Return the lattice of degrees, those in ``fixed`` as they are."""
    with np.errstate(divide="ignore"):
        log_succession = np.log(succession_weights(key))
    log_symbol = np.zeros((n_bars, 7))
    for bar in range(n_bars):
        allowed = np.ones(7, dtype=np.bool_)
        if bar in (0, n_bars - 1):
            allowed = np.arange(7) == _TONIC
        elif bar == n_bars - 2:
            allowed = np.isin(np.arange(7), CADENTIAL_DEGREES)
        if bar in fixed:
            allowed = allowed & (np.arange(7) == fixed[bar])
        log_symbol[bar, ~allowed] = -np.inf
    # Two kinds of step: within a phrase a chord may stay, into its last bar it must change.
    changing = log_succession.copy()
    np.fill_diagonal(changing, -np.inf)
    kind = np.array([int(bar % _PHRASE_BARS == _PHRASE_BARS - 1 and n_bars > 2) for bar in range(n_bars)])
    return Lattice.build(_markov_automaton([log_succession, changing]), log_symbol, kind=kind)


def _markov_automaton(log_tables: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]) -> Automaton:
    """Return the automaton that remembers the last symbol; one kind of step for each table."""
    n = len(log_tables[0])
    log_weight = np.stack([np.vstack([np.zeros(n), table]) for table in log_tables])
    next_state = np.broadcast_to(1 + np.arange(n, dtype=np.int32), log_weight.shape).copy()
    next_state[np.isneginf(log_weight)] = DEAD
    return Automaton(next_state, log_weight, np.zeros(n + 1), np.arange(-1, n, dtype=np.int32)[:, None])
