"""Exact decoding beside one-step masking, on the same potentials and rules: 64 lines of 8 bars.

One-step masking looks at each step's law and no further: it is what generators without a lattice do, and
it runs into dead ends. Only time is compared here.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Measurement, Table, compare, make_rows, timed
from benchmarks.music import whole_bars
from symgen.alphabet import HOLD, REST, LineAlphabet
from symgen.decode.automaton import DEAD
from symgen.decode.compile import compile_line
from symgen.decode.infer import log_backward, sample_lines
from symgen.decode.lattice import Lattice
from symgen.moments import moments_of
from symgen.pipeline.harmony import chord_changes
from symgen.potentials import LineArcs, LinePotentials
from theory.key import Key
from theory.progression import Progression
from theory.rules import Cadence, ChordTonesOnStrongBeats, InKey, LargestLeap, Moment, Range, RepeatedNotes, Rule

__all__ = ["add_options", "draw_by_masks", "tables"]

N_BARS, STEPS_PER_QUARTER, N_LINES = 8, 12, 64
RULES: tuple[Rule, ...] = (
    InKey(),
    ChordTonesOnStrongBeats(),
    Range(57, 81),
    LargestLeap(9),
    RepeatedNotes(3),
    Cadence(4, "half"),
    Cadence(8, "imperfect"),
)
EXACT, MASKED = "exact: compile, sum backward, draw", "one-step masks: compile, draw"


def add_options(parser: ArgumentParser) -> None:
    """Take nothing of its own."""


def tables(options: Namespace) -> list[Table]:
    potentials, moments = _potentials(np.random.default_rng(0)), _moments()
    ready = compile_line(potentials, moments, RULES)
    table = log_backward(ready)

    def exact(seed: int) -> object:
        lattice = compile_line(potentials, moments, RULES)
        return sample_lines(lattice, log_backward(lattice), np.random.default_rng(seed), N_LINES)

    def masked(seed: int) -> object:
        lattice = compile_line(potentials, moments, RULES)
        return draw_by_masks(lattice, np.random.default_rng(seed), N_LINES)

    def draw(seed: int) -> object:
        return sample_lines(ready, table, np.random.default_rng(seed), N_LINES)

    contenders: dict[str, Callable[[int], Measurement]] = {
        MASKED: timed(masked),
        EXACT: timed(exact),
        "of that, compile": timed(lambda _: compile_line(potentials, moments, RULES)),
        "of that, sum backward": timed(lambda _: log_backward(ready)),
        f"of that, draw {N_LINES}": timed(draw),
    }
    samples = compare(contenders, range(options.rounds * 2), n_rounds=1)
    n_steps, n_pitches = potentials.n_steps, potentials.alphabet.n_pitches
    title = f"Decode: {N_LINES} lines of {N_BARS} bars, {n_steps} steps, {n_pitches} pitches"
    rules = "; ".join(str(rule) for rule in RULES)
    return [Table(title, MASKED, make_rows(samples, MASKED), (f"rules: {rules}", "weights are random"))]


def draw_by_masks(lattice: Lattice, rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Draw lines step by step from what each step alone permits; a line that is stuck stays so.

    Returns
    -------
    ndarray of shape (n, n_steps)
        Symbols, -1 from where a line was stuck.
    """
    automaton = lattice.automaton
    uniform = rng.random((lattice.n_steps, n))
    lines = np.full((n, lattice.n_steps), -1, dtype=np.int64)
    state, alive = np.zeros(n, dtype=np.int64), np.arange(n)
    for step in range(lattice.n_steps):
        kind = lattice.kind[step]
        target = automaton.next_state[kind, state[alive]]
        arriving = np.append(lattice.log_state[step], -np.inf)  # DEAD, -1, finds the last entry
        log_move = automaton.log_weight[kind, state[alive]] + lattice.log_symbol[step] + arriving[target]
        peak = log_move.max(axis=1, keepdims=True)
        weight = np.exp(log_move - np.where(np.isneginf(peak), 0.0, peak))
        heights = np.cumsum(weight, axis=1)
        symbol = (heights <= uniform[step, alive, None] * heights[:, -1:]).sum(axis=1)
        moves = heights[:, -1] > 0
        alive, symbol, target = alive[moves], symbol[moves], target[moves]
        lines[alive, step] = symbol
        state[alive] = target[np.arange(len(alive)), symbol]
        assert DEAD not in state[alive]
    return lines


def _potentials(rng: np.random.Generator) -> LinePotentials:
    """Return random weights of a piano's range in which notes last a while."""
    alphabet = LineAlphabet(21, 108)
    step = rng.standard_normal((whole_bars(N_BARS, STEPS_PER_QUARTER).end_steps, alphabet.n_symbols))
    step[:, [HOLD, REST]] += 5.0, 2.0
    pitch = np.arange(alphabet.n_pitches)
    nearness = -0.2 * np.abs(pitch[:, None] - pitch)
    return LinePotentials(alphabet, step, LineArcs(nearness, np.zeros(alphabet.n_pitches)))


def _moments() -> list[Moment]:
    bars = whole_bars(N_BARS, STEPS_PER_QUARTER)
    return moments_of(bars, Key.parse("A minor"), chord_changes(Progression.parse("Am F | C G"), bars))
