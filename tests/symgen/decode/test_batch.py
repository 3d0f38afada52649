"""Lattices side by side against the same lattices one by one, and the tables they share."""

from __future__ import annotations

import numpy as np
import pytest
from decode_strategies import SEEDS, automaton_of, random_lattice, weights
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import lattice_lines, log_sum

from symgen.decode import moves
from symgen.decode.automaton import DEAD, Automaton
from symgen.decode.infer import (
    backward,
    best_line,
    lines_at,
    lines_at_batch,
    log_backward,
    log_backward_batch,
    log_weight_of,
    marginals,
    sample_batch,
    sample_lines,
)
from symgen.decode.lattice import Lattice
from symgen.decode.linear import Batch
from symgen.decode.semiring import LOG


def siblings(lattice: Lattice, rng: np.random.Generator, n: int, *, scale: float, p_zero: float) -> list[Lattice]:
    """Return lattices of the same automaton and kinds with potentials of their own; the first is the one given."""
    others = [
        Lattice.build(
            lattice.automaton,
            weights(rng, lattice.log_symbol.shape, scale=scale, p_zero=p_zero),
            kind=lattice.kind,
            log_state=weights(rng, lattice.log_state.shape, scale=scale, p_zero=p_zero),
            log_final=weights(rng, lattice.log_final.shape, scale=scale, p_zero=p_zero),
        )
        for _ in range(n - 1)
    ]
    return [lattice, *others]


def assert_same_sums(left: np.ndarray, right: np.ndarray) -> None:
    impossible = np.isneginf(right)
    assert (np.isneginf(left) == impossible).all()
    np.testing.assert_allclose(left[~impossible], right[~impossible], rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1000.0])
@settings(max_examples=20)
@given(seed=SEEDS, n=st.integers(1, 4))
def test_sums_of_a_batch_are_the_sums_of_each(scale: float, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    lattice = random_lattice(rng, (2, 5, 4), 30, scale=scale)
    batch = siblings(lattice, rng, n, scale=scale, p_zero=0.1)
    tables = log_backward_batch(batch)
    assert tables.shape == (n, 31, 5)
    for table, each in zip(tables, batch, strict=True):
        assert_same_sums(table, log_backward(each))
        assert_same_sums(table, backward(each, LOG))


@settings(max_examples=20)
@given(seed=SEEDS)
def test_sums_of_a_batch_against_enumeration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    batch = siblings(random_lattice(rng, (2, 3, 3), 4), rng, 3, scale=1.0, p_zero=0.2)
    for table, each in zip(log_backward_batch(batch), batch, strict=True):
        assert table[0, 0] == pytest.approx(log_sum(lattice_lines(each).values()), abs=1e-12)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1000.0])
def test_a_batch_draws_what_each_draws_alone(scale: float) -> None:
    rng = np.random.default_rng(5)
    lattice = random_lattice(rng, (2, 6, 5), 40, scale=scale, p_dead=0.2, p_zero=0.05)
    batch = siblings(lattice, rng, 4, scale=scale, p_zero=0.05)
    tables = log_backward_batch(batch)
    chance = rng.random((4, 40, 7))
    drawn = lines_at_batch(batch, tables, chance)
    assert drawn.shape == (4, 7, 40)
    for lines, each, uniform in zip(drawn, batch, chance, strict=True):
        assert (lines == lines_at(each, log_backward(each), uniform)).all()
        assert all(log_weight_of(each, line) > -np.inf for line in lines)
    one_rng = np.random.default_rng(9)
    alone = [sample_lines(each, log_backward(each), one_rng, 3) for each in batch]
    assert (sample_batch(batch, tables, np.random.default_rng(9), 3) == np.stack(alone)).all()


def test_lattices_that_do_not_belong_together() -> None:
    rng = np.random.default_rng(0)
    lattice, other = (random_lattice(rng, (2, 3, 3), 6) for _ in range(2))
    with pytest.raises(ValueError, match="a batch of 0 lattices: expected at least one"):
        log_backward_batch([])
    with pytest.raises(ValueError, match="lattice 1 of a batch: expected the automaton and the kinds of step"):
        log_backward_batch([lattice, other])
    shifted = Lattice.build(lattice.automaton, lattice.log_symbol, kind=1 - lattice.kind)
    with pytest.raises(ValueError, match="lattice 2 of a batch"):
        log_backward_batch([lattice, lattice, shifted])


def few_targets(rng: np.random.Generator, n_states: int, most_targets: list[int]) -> Automaton:
    """Return an automaton in which the symbols lead to so many different states at most."""
    log_weight = weights(rng, (1, n_states, len(most_targets)), scale=1.0, p_zero=0.2)
    next_state = np.stack([rng.choice(n_states, n)[rng.integers(0, n, n_states)] for n in most_targets], axis=1)[None]
    return automaton_of(np.where(np.isneginf(log_weight), DEAD, next_state), log_weight, np.zeros(n_states))


@pytest.mark.parametrize("n_steps", [31, 32, 90])
@settings(max_examples=15)
@given(
    seed=SEEDS, most_targets=st.lists(st.sampled_from([1, 2, 3, 4, 5, 9]), min_size=1, max_size=6), masks=st.booleans()
)
def test_sums_by_products_and_by_gathering(n_steps: int, seed: int, most_targets: list[int], masks: bool) -> None:
    """Symbols that lead to few states are summed another way, in lattices long enough."""
    rng = np.random.default_rng(seed)
    automaton = few_targets(rng, 9, most_targets)
    log_symbol = weights(rng, (n_steps, len(most_targets)), scale=1.0, p_zero=0.0)
    if masks:
        log_symbol[:, : len(most_targets) // 2] = -np.inf
    log_state = weights(rng, (n_steps, 9), scale=1.0, p_zero=0.1)
    lattice = Lattice.build(automaton, log_symbol, log_state=log_state)
    assert_same_sums(log_backward(lattice), backward(lattice, LOG))


def test_too_many_patterns_for_a_table_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "_MAX_TABLE_ENTRIES", 50)
    lattice = random_lattice(np.random.default_rng(1), (2, 6, 5), 80, p_dead=0.2, p_zero=0.1)
    assert len({id(table) for table in lattice.move_tables()}) == 2
    table = log_backward(lattice)
    assert_same_sums(table, backward(lattice, LOG))
    drawn = sample_lines(lattice, table, np.random.default_rng(0), 20)
    assert all(log_weight_of(lattice, line) > -np.inf for line in drawn)


@pytest.mark.parametrize("n", [1, 50])
def test_draws_from_states_that_hardly_count(n: int) -> None:
    """The state that the only lines lead through weighs e^-900 less than its neighbour, which they do not reach."""
    automaton = automaton_of(
        [[[0, 0, 0], [1, 1, 1]]], [[[0.0, np.log(2.0), -900.0], [900.0, 900.0, 900.0]]], [0.0, 900.0]
    )
    lattice = Lattice.build(automaton, np.zeros((40, 3)))
    table = log_backward(lattice)
    assert table[0, 0] == pytest.approx(40 * np.log(3.0))
    drawn = sample_lines(lattice, table, np.random.default_rng(3), n)
    assert (drawn == 1).mean() == pytest.approx(2 / 3, abs=0.2 if n == 1 else 0.03)
    assert (drawn < 2).all()


def test_weights_that_fall_behind_step_by_step() -> None:
    """What the start leads to loses 50 nats a step against what it does not: soon more than a float64 can hold."""
    automaton = automaton_of([[[0, 0], [1, 1]]], [[[-50.0, -51.0], [0.0, 0.0]]], [0.0, 0.0])
    lattice = Lattice.build(automaton, np.zeros((60, 2)))
    table = log_backward(lattice)
    assert table[0, 0] == pytest.approx(60 * (np.log1p(np.exp(-1.0)) - 50.0))
    assert_same_sums(table, backward(lattice, LOG))
    drawn = sample_lines(lattice, table, np.random.default_rng(3), 50)
    assert (drawn == 0).mean() == pytest.approx(1 / (1 + np.exp(-1.0)), abs=0.03)


@settings(max_examples=40)
@given(seed=SEEDS, coarse=st.booleans())
def test_best_lines_and_posteriors_of_a_batch(seed: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    batch = siblings(random_lattice(rng, (2, 3, 3), 4, coarse=coarse), rng, 3, scale=1.0, p_zero=0.2)
    together = Batch.of(batch)
    lines, log_weights = together.heaviest()
    symbols, states = together.marginals(together.log_backward())
    for number, each in enumerate(batch):
        table = log_backward(each)
        if np.isneginf(table[0, 0]):
            assert np.isneginf(log_weights[number])
            assert not symbols[:, number].any()
            continue
        line, weight = best_line(each)
        assert (lines[number] == line).all()
        assert log_weights[number] == weight
        posterior = marginals(each, table)
        np.testing.assert_allclose(symbols[:, number], posterior.symbol, atol=1e-12)
        np.testing.assert_allclose(states[:, number], posterior.state, atol=1e-12)
