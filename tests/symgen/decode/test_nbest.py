"""The n heaviest lines against the sorted enumeration of all."""

from __future__ import annotations

import numpy as np
import pytest
from decode_strategies import automaton_of, lattices, random_lattice
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import heaviest_lines

from symgen.decode.automaton import DEAD
from symgen.decode.infer import best_line, log_weight_of
from symgen.decode.lattice import Lattice
from symgen.decode.nbest import n_best


@settings(max_examples=150)
@given(lattices(coarse=True), st.integers(0, 90))
def test_heaviest_first_and_of_equals_the_lowest(lattice: Lattice, n: int) -> None:
    """Whole-number weights add exactly, so that ties are ties; fewer lines than asked for are all of them."""
    expected = heaviest_lines(lattice, n)
    lines, log_weights = n_best(lattice, n)
    assert [tuple(line) for line in lines.tolist()] == [line for line, _ in expected]
    assert log_weights.tolist() == [weight for _, weight in expected]


@settings(max_examples=60)
@given(lattices(), st.integers(1, 20))
def test_weights_that_do_not_tie(lattice: Lattice, n: int) -> None:
    expected = heaviest_lines(lattice, n)
    lines, log_weights = n_best(lattice, n)
    np.testing.assert_allclose(log_weights, [weight for _, weight in expected], atol=1e-12)
    assert {tuple(line) for line in lines.tolist()} == {line for line, _ in expected}


def test_a_long_lattice() -> None:
    """Ten thousand steps, far deeper than Python may recurse; the first line is the best line."""
    lattice = random_lattice(np.random.default_rng(2), (3, 6, 5), 10_000, scale=10.0, p_dead=0.1, p_zero=0.02)
    lines, log_weights = n_best(lattice, 12)
    best, weight = best_line(lattice)
    assert lines.shape == (12, 10_000)
    assert (lines[0] == best).all()
    assert log_weights[0] == weight
    assert (np.diff(log_weights) <= 0).all()
    assert len(np.unique(lines, axis=0)) == 12
    np.testing.assert_allclose(log_weights, [log_weight_of(lattice, line) for line in lines], rtol=1e-12)


def test_no_line_and_no_step() -> None:
    impossible = Lattice.build(automaton_of([[[DEAD]]], [[[-np.inf]]], [0.0]), np.zeros((3, 1)))
    lines, log_weights = n_best(impossible, 5)
    assert lines.shape == (0, 3)
    assert log_weights.shape == (0,)
    empty = Lattice.build(automaton_of([[[0]]], [[[0.0]]], [-2.0]), np.zeros((0, 1)))
    lines, log_weights = n_best(empty, 5)
    assert lines.shape == (1, 0)
    assert log_weights.tolist() == [-2.0]


def test_a_negative_number_of_lines() -> None:
    lattice = Lattice.build(automaton_of([[[0]]], [[[0.0]]], [0.0]), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="n -1: expected at least 0"):
        n_best(lattice, -1)
