"""How far masking ends up from the law.

On small random requests everything can be enumerated. The exact law of the lines that keep the rules is compared
with what three ways of drawing give, each worked out exactly: masks that look at one step only, masks that look
ahead for a lawful end but give it no weight, and the lattice.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import LineAlphabet
from symgen.decode.automaton import DEAD
from symgen.decode.compile import compile_line
from symgen.decode.infer import backward, has_line, log_backward
from symgen.decode.lattice import Lattice
from symgen.decode.semiring import BOOL
from symgen.potentials import LineArcs, LinePotentials
from theory.key import Key
from theory.meter import Meter
from theory.rules import Cadence, EndOn, LargestLeap, Lock, Moment, Range, RepeatedNotes, Rule

__all__ = ["Distances", "add_options", "distances", "exact_law", "law_of", "random_lattice", "tables"]

N_STEPS, LOW, HIGH = 6, 60, 62
ROWS = (
    "one-step masks: share lost in dead ends",
    "one-step masks: the lines that get to the end",
    "exact look-ahead of support",
    "lattice",
)
_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Distances:
    """A table: name, mean and worst of each row."""

    n_requests: int
    rows: tuple[tuple[str, float, float], ...]

    def lines(self) -> list[str]:
        """Return it as lines of Markdown."""
        title = f"### Law: total variation from it, {self.n_requests} small requests"
        rows = [f"| {name} | {mean:.3g} | {worst:.3g} |" for name, mean, worst in self.rows]
        return [title, "", "| | mean | worst |", "| :-- | --: | --: |", *rows, ""]


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=200, help="law: how many (default: 200)")


def random_lattice(rng: np.random.Generator) -> Lattice:
    """Return a lattice of three pitches over two bars of three quarters, under a few laws."""
    alphabet = LineAlphabet(LOW, HIGH)
    n = alphabet.n_pitches
    step = rng.normal(0, 1, (N_STEPS, alphabet.n_symbols))
    potentials = LinePotentials(alphabet, step, LineArcs(rng.normal(0, 1, (n, n)), np.zeros(n)))
    key, meter = Key.parse("C"), Meter(3, 4)
    moments = [
        Moment(1 + i // 3, Fraction(1 + i % 3), 2 * min(i % 3, 1), key, None, meter, Fraction(1))
        for i in range(N_STEPS)
    ]
    laws: list[Rule] = [
        LargestLeap(int(rng.integers(1, 3))),
        EndOn(frozenset({int(rng.integers(0, 3))})),
        RepeatedNotes(int(rng.integers(1, 3))),
        Cadence(2, "open"),
        Lock(1, Fraction(3), int(rng.integers(LOW, HIGH + 1))),
        [Range(LOW, HIGH - 1), Range(LOW + 1, HIGH)][int(rng.integers(0, 2))],
    ]
    chosen = rng.permutation(len(laws))[: int(rng.integers(2, 5))]
    return compile_line(potentials, moments, [laws[i] for i in chosen])


def law_of(lattice: Lattice, ahead: _Array) -> _Array:
    """Return the chance that each line is drawn and may end, if a move weighs its own weight times that of its target.

    Parameters
    ----------
    lattice
        A small one.
    ahead
        Log weight of each state before each step and after the last, shape (n_steps + 1, states); ``-inf`` forbids.

    Returns
    -------
    ndarray of shape (n_symbols ** n_steps,)
        What is lacking to a sum of 1 was lost in dead ends.
    """
    chance, state = np.ones(1), np.zeros(1, dtype=np.int64)
    for step in range(lattice.n_steps):
        log_move, target = _moves(lattice, step, state)
        log_move = log_move + np.append(ahead[step + 1], -np.inf)[target]  # DEAD, -1, finds the last entry
        peak = log_move.max(axis=1, keepdims=True)
        share = np.exp(log_move - np.where(np.isneginf(peak), 0.0, peak))
        whole = share.sum(axis=1, keepdims=True)
        chance = (chance[:, None] * share / np.where(whole > 0, whole, 1.0)).reshape(-1)
        state = target.reshape(-1)
    return np.where(np.isneginf(np.append(lattice.log_final, -np.inf)[state]), 0.0, chance)


def exact_law(lattice: Lattice) -> _Array:
    """Return the chance of each line, in the same order: its weight, over that of all lines together."""
    log_weight, state = np.zeros(1), np.zeros(1, dtype=np.int64)
    for step in range(lattice.n_steps):
        log_move, target = _moves(lattice, step, state)
        log_weight, state = (log_weight[:, None] + log_move).reshape(-1), target.reshape(-1)
    log_weight = log_weight + np.append(lattice.log_final, -np.inf)[state]
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())


def distances(lattice: Lattice) -> tuple[float, float, float, float]:
    """Return the share that masks lose, and how far masks, look-ahead of support and the lattice are from the law.

    Distances are in total variation; that of masks is of the lines they finish.
    """
    exact, table = exact_law(lattice), log_backward(lattice)
    support = np.where(backward(lattice, BOOL), 0.0, -np.inf)
    blind = np.zeros_like(support)
    blind[-1] = support[-1]  # where the end is the next thing, a mask sees it
    masked = law_of(lattice, blind)
    finished = float(masked.sum())
    found = (masked / finished, law_of(lattice, support), law_of(lattice, table))
    by_masks, by_support, ours = (float(np.abs(law - exact).sum()) / 2 for law in found)
    return max(0.0, 1.0 - finished), by_masks, by_support, ours


def tables(options: Namespace) -> list[Distances]:
    rng = np.random.default_rng(0)
    found: list[tuple[float, ...]] = []
    while len(found) < options.requests:
        lattice = random_lattice(rng)
        if has_line(lattice):
            found.append(distances(lattice))
    columns = zip(ROWS, zip(*found, strict=True), strict=True)
    return [Distances(len(found), tuple((name, fmean(column), max(column)) for name, column in columns))]


def _moves(lattice: Lattice, step: int, state: NDArray[np.int64]) -> tuple[_Array, NDArray[np.int64]]:
    """Return log weight and target of each move from each state, which may be ``DEAD`` already."""
    automaton, kind = lattice.automaton, lattice.kind[step]
    is_dead = (state == DEAD)[:, None]
    target = np.where(is_dead, DEAD, automaton.next_state[kind, state])
    log_move = np.where(is_dead, -np.inf, automaton.log_weight[kind, state]) + lattice.log_symbol[step]
    return log_move + np.append(lattice.log_state[step], -np.inf)[target], target.astype(np.int64)
