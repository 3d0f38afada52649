"""Samples against the exact law, and the proof that the test would see a sampler that is one step off."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from decode_strategies import SEEDS, automaton_of, lattices, random_lattice
from hypothesis import assume, given, settings
from numpy.typing import NDArray
from oracle import Line, lattice_lines, probabilities

from symgen.decode.automaton import DEAD
from symgen.decode.infer import has_line, log_backward, log_weight_of, sample_lines
from symgen.decode.lattice import Lattice

N_SAMPLES = 20_000


def z_score(lines: NDArray[np.int64], law: dict[Line, float]) -> float:
    """Return how many standard deviations Pearson's chi-square lies above its mean; ``inf`` for an impossible line.

    Lines expected fewer than ten times share one cell.
    """
    counts = Counter(map(tuple, lines.tolist()))
    if not counts.keys() <= law.keys():
        return np.inf
    often = [line for line in law if law[line] * len(lines) >= 10]
    expected = np.array([law[line] for line in often]) * len(lines)
    observed = np.array([counts[line] for line in often], dtype=np.float64)
    if len(often) < len(law):
        expected = np.append(expected, len(lines) - expected.sum())
        observed = np.append(observed, len(lines) - observed.sum())
    freedom = len(expected) - 1
    return float((((observed - expected) ** 2 / expected).sum() - freedom) / np.sqrt(2 * freedom))


def dense_lattice(seed: int) -> Lattice:
    """Return a lattice of 243 lines, all possible, that changes at every step."""
    return random_lattice(np.random.default_rng(seed), (3, 4, 3), 5, p_dead=0.0, p_zero=0.0)


def one_step_late(lattice: Lattice, field: str) -> Lattice:
    """Return the lattice with one of its arrays read a step late."""
    return replace(lattice, **{field: np.roll(getattr(lattice, field), 1, axis=0)})


@pytest.mark.parametrize("seed", range(6))
def test_samples_follow_the_law(seed: int) -> None:
    lattice = dense_lattice(seed)
    drawn = sample_lines(lattice, log_backward(lattice), np.random.default_rng(seed), N_SAMPLES)
    assert z_score(drawn, probabilities(lattice_lines(lattice))) < 6


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("field", ["kind", "log_symbol", "log_state"])
def test_a_sampler_that_is_one_step_off_is_caught(field: str, seed: int) -> None:
    """Shifted in the walk forward alone, in the sums backward alone, or in both."""
    lattice = dense_lattice(seed)
    late = one_step_late(lattice, field)
    assert not np.array_equal(getattr(late, field), getattr(lattice, field))
    law = probabilities(lattice_lines(lattice))
    for walked, summed in [(late, lattice), (lattice, late), (late, late)]:
        drawn = sample_lines(walked, log_backward(summed), np.random.default_rng(seed), N_SAMPLES)
        assert z_score(drawn, law) > 50


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5])
def test_samples_with_exact_zeros_follow_the_law(seed: int) -> None:
    lattice = random_lattice(np.random.default_rng([seed, 1]), (2, 4, 3), 5, p_dead=0.3, p_zero=0.05)
    law = probabilities(lattice_lines(lattice))
    assert 1 < len(law) < 3**5
    drawn = sample_lines(lattice, log_backward(lattice), np.random.default_rng(seed), N_SAMPLES)
    assert z_score(drawn, law) < 6


@settings(max_examples=60)
@given(lattices(), SEEDS)
def test_no_sample_is_impossible(lattice: Lattice, seed: int) -> None:
    assume(has_line(lattice))
    drawn = sample_lines(lattice, log_backward(lattice), np.random.default_rng(seed), 20)
    assert drawn.shape == (20, lattice.n_steps)
    assert all(log_weight_of(lattice, line) > -np.inf for line in drawn)


def test_samples_repeat_with_the_seed_alone() -> None:
    lattice = dense_lattice(0)
    table = log_backward(lattice)
    first, again, other = (sample_lines(lattice, table, np.random.default_rng(seed), 50) for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("closed_for_all", [True, False])
def test_the_ends_of_the_unit_interval_hit_no_zero(closed_for_all: bool) -> None:
    """Symbols of weight zero before and after the possible ones are never drawn, not even at a height of 0.

    Their potential is zero, or only the state that is never reached has moves for them.
    """

    class Ends(np.random.Generator):
        def random(self, size: Any = None, *_: Any, **__: Any) -> Any:
            heights = np.empty(size)
            heights[:, 0], heights[:, 1] = 0.0, np.nextafter(1.0, 0.0)
            return heights

    next_state, log_weight = np.zeros((1, 2, 5)), np.zeros((1, 2, 5))
    next_state[0, 1] = 1
    log_symbol = np.zeros((6, 5))
    if closed_for_all:
        log_symbol[:, [0, 4]] = -np.inf
    else:
        next_state[0, 0, [0, 4]], log_weight[0, 0, [0, 4]] = DEAD, -np.inf
    lattice = Lattice.build(automaton_of(next_state, log_weight, [0.0, 0.0]), log_symbol)
    drawn = sample_lines(lattice, log_backward(lattice), Ends(np.random.PCG64(0)), 2)
    assert drawn.tolist() == [[1] * 6, [3] * 6]
