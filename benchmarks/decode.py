"""Exact decoding beside one-step masking, on the same potentials and rules: 64 lines of 8 bars.

One-step masking looks at each step's law and no further: it is what generators without a lattice do, and
it runs into dead ends. Only time is compared here; what masks do to the law is in :mod:`benchmarks.law`. A second
table has pieces of several lengths, to show how time and memory grow.
"""

from __future__ import annotations

import tracemalloc
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Measurement, Table, compare, make_rows, timed
from benchmarks.music import whole_bars
from symgen.alphabet import HOLD, REST, LineAlphabet
from symgen.decode import memory
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
LENGTHS = (2, 4, 8, 16)
"""Bars of the pieces that show how memory grows."""
EXACT, MASKED = "exact: compile, sum backward, draw", "one-step masks: compile, draw"


def add_options(parser: ArgumentParser) -> None:
    """Take nothing of its own."""


def tables(options: Namespace) -> list[Table]:
    return [_beside_masks(options.rounds * 2), _by_length(options.rounds)]


def _beside_masks(n_turns: int) -> Table:
    rules = _rules(N_BARS)
    potentials, moments = _potentials(np.random.default_rng(0), N_BARS), _moments(N_BARS)
    ready = compile_line(potentials, moments, rules)
    table = log_backward(ready)

    def exact(seed: int) -> object:
        return _draw_exactly(potentials, moments, rules, seed)

    def masked(seed: int) -> object:
        lattice = compile_line(potentials, moments, rules)
        return draw_by_masks(lattice, np.random.default_rng(seed), N_LINES)

    def draw(seed: int) -> object:
        return sample_lines(ready, table, np.random.default_rng(seed), N_LINES)

    compile_again = timed(lambda _: compile_line(potentials, moments, rules))

    def compile_first(seed: int) -> Measurement:
        _forget_rules()
        return compile_again(seed)

    contenders: dict[str, Callable[[int], Measurement]] = {
        MASKED: timed(masked),
        EXACT: timed(exact),
        "of that, compile": compile_again,
        "of that, sum backward": timed(lambda _: log_backward(ready)),
        f"of that, draw {N_LINES}": timed(draw),
        "compile rules not met before": compile_first,
    }
    samples = compare(contenders, range(n_turns), n_rounds=1)
    n_steps, n_pitches = potentials.n_steps, potentials.alphabet.n_pitches
    title = f"Decode: {N_LINES} lines of {N_BARS} bars, {n_steps} steps, {n_pitches} pitches"
    notes = (
        f"rules: {'; '.join(map(str, rules))}",
        "weights are random",
        "the structure of the rules is kept, but for the last row",
    )
    return Table(title, MASKED, make_rows(samples, MASKED), notes)


def _by_length(n_turns: int) -> Table:
    contenders: dict[str, Callable[[int], Measurement]] = {}
    for n_bars in LENGTHS:
        potentials, moments = _potentials(np.random.default_rng(0), n_bars), _moments(n_bars)
        contenders[f"{potentials.n_steps} steps"] = _time_and_memory(potentials, moments, _rules(n_bars))
    samples = compare(contenders, range(n_turns), n_rounds=1)
    shortest = next(iter(contenders))
    notes = (
        "cadences at the middle and the end",
        "times: rules kept; memory: what Python and numpy allocate, rules compiled anew",
    )
    return Table(f"Decode: {N_LINES} lines by length", shortest, make_rows(samples, shortest), notes)


def _time_and_memory(
    potentials: LinePotentials, moments: list[Moment], rules: Sequence[Rule]
) -> Callable[[int], Measurement]:
    def draw(seed: int) -> object:
        return _draw_exactly(potentials, moments, rules, seed)

    time = timed(draw)

    def measure(seed: int) -> Measurement:
        _forget_rules()
        tracemalloc.start()
        try:
            draw(seed)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        return replace(time(seed), peak_bytes=peak)

    return measure


def _draw_exactly(
    potentials: LinePotentials, moments: list[Moment], rules: Sequence[Rule], seed: int
) -> NDArray[np.int64]:
    lattice = compile_line(potentials, moments, rules)
    return sample_lines(lattice, log_backward(lattice), np.random.default_rng(seed), N_LINES)


def _forget_rules() -> None:
    """Make the next compilation the first."""
    memory._kept_product.cache_clear()


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


def _rules(n_bars: int) -> tuple[Rule, ...]:
    """Return the rules of a piece, with a cadence at its middle and one at its end."""
    return (
        InKey(),
        ChordTonesOnStrongBeats(),
        Range(57, 81),
        LargestLeap(9),
        RepeatedNotes(3),
        Cadence(n_bars // 2, "half"),
        Cadence(n_bars, "imperfect"),
    )


def _potentials(rng: np.random.Generator, n_bars: int) -> LinePotentials:
    """Return random weights of a piano's range in which notes last a while."""
    alphabet = LineAlphabet(21, 108)
    step = rng.standard_normal((whole_bars(n_bars, STEPS_PER_QUARTER).end_steps, alphabet.n_symbols))
    step[:, [HOLD, REST]] += 5.0, 2.0
    pitch = np.arange(alphabet.n_pitches)
    nearness = -0.2 * np.abs(pitch[:, None] - pitch)
    return LinePotentials(alphabet, step, LineArcs(nearness, np.zeros(alphabet.n_pitches)))


def _moments(n_bars: int) -> list[Moment]:
    bars = whole_bars(n_bars, STEPS_PER_QUARTER)
    return moments_of(bars, Key.parse("A minor"), chord_changes(Progression.parse("Am F | C G"), bars))
