"""Steered particles: laws are always kept, and with many of them the law is the causal model's given the rules."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from decode_strategies import flat
from numpy.typing import NDArray
from oracle import Line, is_line, log_sum, sequences

from symgen.decode.compile import compile_line
from symgen.decode.steered import draw_steered
from symgen.grid import BarMap
from symgen.moments import moments_of
from symgen.potentials import LineArcs, LinePotentials
from theory.key import Key
from theory.meter import Meter
from theory.rules import InKey, LargestLeap, Lock, Moment, Rule
from theory.rules.text import parse_rule

REST, HOLD, ONSET = 0, 1, 2
N_PITCHES, N_STEPS = 3, 4
CLOSED = np.array([False, False, True, False])


class Table:
    """A causal model that looks a long way back: what comes depends on a number made of all that came."""

    def __init__(self, n: int) -> None:
        self.pasts: list[tuple[int, ...]] = [()] * n

    @staticmethod
    @cache
    def _log_probs(past: tuple[int, ...], salt: int, size: int) -> NDArray[np.float64]:
        rng = np.random.default_rng([salt, len(past), *past])
        logits = 1.5 * rng.normal(size=size)
        if salt == 1 and (not past or past[-1] == REST):
            logits[HOLD] = -np.inf
        return np.asarray(logits - np.logaddexp.reduce(logits))

    def kinds(self) -> NDArray[np.float64]:
        return np.stack([self._log_probs(past, 1, 3) for past in self.pasts])

    def pitches(self, lines: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.stack([self._log_probs(self.pasts[i], 2, N_PITCHES) for i in lines.tolist()])

    def take(self, symbols: NDArray[np.int64]) -> None:
        self.pasts = [(*past, symbol) for past, symbol in zip(self.pasts, symbols.tolist(), strict=True)]

    def keep(self, lines: NDArray[np.int64]) -> None:
        self.pasts = [self.pasts[i] for i in lines.tolist()]

    def log_probability(self, line: Line) -> float:
        """Return the log-probability of a line, closed steps left out."""
        total, past = 0.0, ()
        for symbol, closed in zip(line, CLOSED.tolist(), strict=True):
            if closed:
                continue
            kinds = self._log_probs(past, 1, 3)
            total += kinds[min(symbol, ONSET)]
            if symbol >= ONSET:
                total += self._log_probs(past, 2, N_PITCHES)[symbol - ONSET]
            past = (*past, symbol)
        return float(total)


def chain(seed: int) -> LinePotentials:
    """Return a chain that knows little of the causal model."""
    rng = np.random.default_rng(seed)
    arcs = LineArcs(rng.normal(size=(N_PITCHES, N_PITCHES)), rng.normal(size=N_PITCHES), 0.3, -0.4, 0.2)
    return LinePotentials(
        flat(60, 62, N_STEPS).alphabet,
        rng.normal(size=(N_STEPS, N_PITCHES + 2)),
        arcs,
        leave=rng.normal(size=(N_STEPS, N_PITCHES + 1)),
        closed=CLOSED,
    )


def moments() -> list[Moment]:
    bars = BarMap.build([(0, Meter.parse("2/4"))], steps_per_quarter=1, end_steps=N_STEPS)
    return moments_of(bars, Key.parse("C"), ())


def law(rules: Sequence[Rule]) -> dict[Line, float]:
    """Return the log weight of each line that keeps the rules: the causal model's, less the price of preferences."""
    ruled = compile_line(flat(60, 62, N_STEPS), moments(), rules)
    found = {}
    for line in sequences(N_PITCHES + 2, N_STEPS):
        sounds = [False, *(symbol != REST for symbol in line)]
        goes_on = all(s == (HOLD if sounds[t] else REST) for t, s in enumerate(line) if CLOSED[t])
        if is_line(line) and goes_on:
            found[line] = Table(1).log_probability(line) + weight_of(ruled, line)
    return {line: weight for line, weight in found.items() if weight > -math.inf}


def weight_of(lattice, line: Line) -> float:  # type: ignore[no-untyped-def]
    from oracle import suffix_weight

    return suffix_weight(lattice, 0, 0, line)


RULES: list[list[Rule]] = [
    [],
    [InKey(), LargestLeap(1)],
    [Lock.parse("bar 2 beat 2 = D4"), parse_rule("no-rests nowhere")],
    [parse_rule("repeated-notes 1"), LargestLeap(1, cost=1.3)],
]


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_with_many_particles_the_law_is_that_of_the_causal_model_given_the_rules(rules: list[Rule]) -> None:
    potentials = chain(3)
    lattice, free = compile_line(potentials, moments(), rules), compile_line(potentials, moments(), [])
    expected = law(rules)
    total = log_sum(expected.values())
    counts: Counter[Line] = Counter()
    n_draws, rng = 2000, np.random.default_rng(0)
    kept = []
    for _ in range(n_draws // 20):
        for made in draw_steered([lattice] * 20, [free] * 20, CLOSED, Table(20 * 200), rng, 200):
            counts[tuple(made.line.tolist())] += 1
            kept.append(math.exp(made.log_kept))
            # What preferences charge is in it, too.
            assert made.log_probability + made.log_kept == pytest.approx(expected[tuple(made.line.tolist())])
    assert set(counts) <= set(expected)
    distance = sum(abs(counts[line] / n_draws - math.exp(w - total)) for line, w in expected.items()) / 2
    assert distance < 0.09  # of two samples of the law itself it is about 0.05
    assert np.mean(kept) == pytest.approx(math.exp(total), rel=0.02)  # no bias, whatever the number of particles


def test_few_particles_keep_every_law_too_and_are_told_from_each_other() -> None:
    potentials = chain(4)
    rules = RULES[2]
    other = replace(chain(5), arcs=potentials.arcs)
    lattices = [compile_line(one, moments(), rules) for one in (potentials, other)]
    lattices[1] = replace(lattices[1], automaton=lattices[0].automaton)
    free = [compile_line(one, moments(), []) for one in (potentials, other)]
    free[1] = replace(free[1], automaton=free[0].automaton)
    for seed in range(50):
        made = draw_steered(lattices, free, CLOSED, Table(2), np.random.default_rng(seed), 1)
        assert len(made) == 2
        for one in made:
            assert tuple(one.line.tolist()) in law(rules)
            assert one.effective_share == 1.0


def test_where_the_chain_is_the_model_every_particle_counts() -> None:
    """With no rules the twist is one: the weights stay equal, and a line is as likely as it is alone."""
    lattice = compile_line(chain(1), moments(), [])
    (made,) = draw_steered([lattice], [lattice], CLOSED, Table(16), np.random.default_rng(0), 16)
    assert made.effective_share == pytest.approx(1.0)
    assert made.log_kept == pytest.approx(0.0, abs=1e-9)
    assert made.log_probability == pytest.approx(Table(1).log_probability(tuple(made.line.tolist())))
