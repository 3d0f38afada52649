"""Sums, best lines, posteriors and supports against the enumeration of every sequence."""

from __future__ import annotations

import numpy as np
import pytest
from decode_strategies import SEEDS, automaton_of, lattices, random_lattice
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import (
    backward_table,
    entropy_of,
    lattice_lines,
    log_sum,
    probabilities,
    reached_states,
    state_marginals,
    symbol_marginals,
)

from symgen.decode.automaton import DEAD
from symgen.decode.infer import (
    backward,
    best_line,
    count_lines,
    entropy,
    forward_support,
    has_line,
    log_backward,
    log_probability,
    log_weight_of,
    marginals,
    sample_lines,
)
from symgen.decode.lattice import Lattice
from symgen.decode.semiring import BOOL, COUNT, LOG, MAX, logsumexp

SCALES = [1.0, 100.0, 1000.0]


@settings(max_examples=60)
@given(lattices())
def test_weights_of_single_lines(lattice: Lattice) -> None:
    for line, weight in lattice_lines(lattice).items():
        assert log_weight_of(lattice, np.array(line)) == pytest.approx(weight, abs=1e-12)


@settings(max_examples=80)
@given(lattices())
def test_questions_about_all_lines(lattice: Lattice) -> None:
    lines = lattice_lines(lattice)
    possible = {line: weight for line, weight in lines.items() if weight > -np.inf}
    assert count_lines(lattice) == len(possible)
    assert has_line(lattice) == bool(possible) == backward(lattice, BOOL)[0, 0]
    assert backward(lattice, MAX)[0, 0] == pytest.approx(max(lines.values()), abs=1e-12)
    assert log_backward(lattice)[0, 0] == pytest.approx(log_sum(lines.values()), abs=1e-12)


@pytest.mark.parametrize("scale", SCALES)
@settings(max_examples=25)
@given(data=st.data())
def test_backward_sums_from_every_state(scale: float, data: st.DataObject) -> None:
    lattice = data.draw(lattices(scale=scale))
    expected = backward_table(lattice)
    impossible = np.isneginf(expected)
    for table in (log_backward(lattice), backward(lattice, LOG)):
        assert (np.isneginf(table) == impossible).all()
        np.testing.assert_allclose(table[~impossible], expected[~impossible], rtol=1e-12, atol=1e-9)
    assert (backward(lattice, BOOL) == ~impossible).all()
    assert ((backward(lattice, COUNT) > 0) == ~impossible).all()


@pytest.mark.parametrize("scale", SCALES)
@settings(max_examples=25)
@given(seed=SEEDS)
def test_fast_and_plain_sums_agree(scale: float, seed: int) -> None:
    lattice = random_lattice(np.random.default_rng(seed), (3, 8, 6), 40, scale=scale)
    fast, plain = log_backward(lattice), backward(lattice, LOG)
    assert (np.isneginf(fast) == np.isneginf(plain)).all()
    possible = ~np.isneginf(plain)
    np.testing.assert_allclose(fast[possible], plain[possible], rtol=1e-12, atol=1e-9)


def test_what_is_very_unlikely_stays_possible() -> None:
    """The only line weighs e^-2000 less than the heaviest symbol, far below what a float64 can hold."""
    automaton = automaton_of([[[0, 1], [DEAD, 1]]], [[[0.0, -1000.0], [-np.inf, -1000.0]]], [-np.inf, 0.0])
    lattice = Lattice.build(automaton, np.zeros((2, 2)))
    assert log_backward(lattice)[0, 0] == pytest.approx(-1000.0)
    only_two = Lattice.build(automaton, np.array([[-np.inf, 0.0], [0.0, 0.0]]))
    assert log_backward(only_two)[0, 0] == -2000.0
    assert sample_lines(only_two, log_backward(only_two), np.random.default_rng(0))[0].tolist() == [1, 1]


@settings(max_examples=60)
@given(lattices(coarse=True))
def test_best_line_is_the_first_of_the_heaviest(lattice: Lattice) -> None:
    """Whole-number weights add exactly, so that ties are ties."""
    lines = lattice_lines(lattice)
    heaviest = max(lines.values())
    assume(heaviest > -np.inf)
    line, weight = best_line(lattice)
    assert weight == heaviest
    assert tuple(line.tolist()) == min(line for line, weight in lines.items() if weight == heaviest)


@settings(max_examples=60)
@given(lattices())
def test_posteriors(lattice: Lattice) -> None:
    lines = lattice_lines(lattice)
    assume(max(lines.values()) > -np.inf)
    law = probabilities(lines)
    posterior = marginals(lattice, log_backward(lattice))
    np.testing.assert_allclose(posterior.symbol, symbol_marginals(law, lattice.automaton.n_symbols), atol=1e-12)
    np.testing.assert_allclose(posterior.state, state_marginals(lattice, law), atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 30.0])
@settings(max_examples=40)
@given(data=st.data())
def test_entropy_and_log_probabilities(scale: float, data: st.DataObject) -> None:
    lattice = data.draw(lattices(scale=scale))
    lines = lattice_lines(lattice)
    assume(max(lines.values()) > -np.inf)
    law = probabilities(lines)
    table = log_backward(lattice)
    assert entropy(lattice, table) == pytest.approx(entropy_of(law), abs=1e-12)
    for line, weight in lines.items():
        chance = log_probability(lattice, table, np.array(line))
        assert np.exp(chance) == pytest.approx(law.get(line, 0.0), abs=1e-12)
        assert np.isneginf(chance) == np.isneginf(weight)


def test_entropy_of_one_line_and_of_equal_lines() -> None:
    automaton = automaton_of(np.zeros((1, 1, 3)), np.zeros((1, 1, 3)), [0.0])
    equal = Lattice.build(automaton, np.full((50, 3), 1000.0))
    assert entropy(equal, log_backward(equal)) == pytest.approx(50 * np.log(3.0))
    single = Lattice.build(automaton, np.where(np.arange(3) == 1, 0.0, np.full((50, 3), -np.inf)))
    assert entropy(single, log_backward(single)) == 0.0


@settings(max_examples=60)
@given(lattices())
def test_forward_support(lattice: Lattice) -> None:
    assert (forward_support(lattice) == reached_states(lattice)).all()


def test_impossible_lattices_are_not_asked_for_a_line() -> None:
    automaton = automaton_of([[[DEAD]]], [[[-np.inf]]], [0.0])
    lattice = Lattice.build(automaton, np.zeros((3, 1)))
    assert not has_line(lattice)
    assert count_lines(lattice) == 0
    assert log_backward(lattice)[0, 0] == -np.inf
    with pytest.raises(AssertionError):
        best_line(lattice)
    with pytest.raises(AssertionError):
        sample_lines(lattice, log_backward(lattice), np.random.default_rng(0))


def test_ten_thousand_steps_stay_finite() -> None:
    rng = np.random.default_rng(11)
    lattice = random_lattice(rng, (3, 5, 4), 10_000, scale=100.0, p_dead=0.2, p_zero=0.02)
    table = log_backward(lattice)
    assert np.isfinite(table[0, 0])
    np.testing.assert_allclose(table[0, 0], backward(lattice, LOG)[0, 0], rtol=1e-12)
    line, weight = best_line(lattice)
    assert log_weight_of(lattice, line) == pytest.approx(weight, rel=1e-12)
    assert weight <= table[0, 0] <= weight + lattice.n_steps * np.log(4)
    drawn = sample_lines(lattice, table, rng, 3)
    assert np.isfinite([log_weight_of(lattice, line) for line in drawn]).all()
    posterior = marginals(lattice, table)
    np.testing.assert_allclose(posterior.symbol.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(posterior.state.sum(axis=1), 1.0, atol=1e-6)


def test_counts_are_whole_numbers_of_any_size() -> None:
    automaton = automaton_of(np.zeros((1, 1, 3)), np.zeros((1, 1, 3)), [0.0])
    assert count_lines(Lattice.build(automaton, np.zeros((200, 3)))) == 3**200


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_no_weight_is_infinite_or_unknown(bad: float) -> None:
    automaton = automaton_of(np.zeros((1, 1, 2)), np.zeros((1, 1, 2)), [0.0])
    with pytest.raises(ValueError, match="found NaN or"):
        Lattice.build(automaton, np.array([[0.0, bad]]))


def test_logsumexp_of_nothing_is_zero_weight() -> None:
    rows = np.array([[-np.inf, -np.inf], [0.0, -np.inf], [-1000.0, -1000.0]])
    np.testing.assert_allclose(logsumexp(rows), [-np.inf, 0.0, -1000.0 + np.log(2.0)])
    assert logsumexp(np.zeros((2, 0))).tolist() == [-np.inf, -np.inf]
