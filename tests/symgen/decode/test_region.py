"""The law of a region given everything outside it, against the enumeration of all whole lines."""

from __future__ import annotations

import numpy as np
import pytest
from decode_strategies import SEEDS, automaton_of, lattices, random_lattice
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import Line, lattice_lines, log_sum, probabilities, symbol_marginals, walk
from test_samples import z_score

from symgen.decode.automaton import DEAD
from symgen.decode.infer import (
    best_line,
    count_lines,
    has_line,
    log_backward,
    log_weight_of,
    marginals,
    sample_lines,
)
from symgen.decode.lattice import Lattice
from symgen.decode.region import region_of
from symgen.errors import InfeasibleError, RequestError


def agreeing(lattice: Lattice, line: Line, start: int, end: int) -> dict[Line, float]:
    """Return the lines that agree with one outside a region, and are possible, with their log weights."""
    return {
        other: weight
        for other, weight in lattice_lines(lattice).items()
        if weight > -np.inf and other[:start] == line[:start] and other[end:] == line[end:]
    }


@settings(max_examples=150)
@given(lattices(), SEEDS, st.data())
def test_the_law_given_the_rest(lattice: Lattice, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    start = data.draw(st.integers(0, lattice.n_steps - 1))
    end = data.draw(st.integers(start + 1, lattice.n_steps))
    line = rng.integers(0, lattice.automaton.n_symbols, lattice.n_steps)
    symbols = tuple(line.tolist())
    if walk(lattice, 0, 0, symbols[:start])[1] == -np.inf:
        with pytest.raises(InfeasibleError, match="is forbidden there, before the region"):
            region_of(lattice, line, start, end)
        return
    region = region_of(lattice, line, start, end)
    expected = agreeing(lattice, symbols, start, end)
    table = log_backward(region.lattice)
    assert count_lines(region.lattice) == len(expected)
    assert has_line(region.lattice) == bool(expected)
    assert region.log_before + table[0, 0] == pytest.approx(log_sum(expected.values()), abs=1e-12)
    assume(expected)
    law = probabilities(expected)
    posterior = marginals(region.lattice, table).symbol
    np.testing.assert_allclose(posterior, symbol_marginals(law, lattice.automaton.n_symbols)[start:end], atol=1e-12)
    best, weight = best_line(region.lattice)
    (whole,) = region.full(best[None])
    assert region.log_before + weight == pytest.approx(max(expected.values()), abs=1e-12)
    assert log_weight_of(lattice, whole) == pytest.approx(max(expected.values()), abs=1e-12)
    drawn = region.full(sample_lines(region.lattice, table, rng, 5))
    assert all(tuple(each) in expected for each in drawn.tolist())


@pytest.mark.parametrize(("start", "end"), [(0, 3), (2, 4), (1, 6), (4, 6)])
def test_draws_follow_the_law_and_keep_what_lies_outside(start: int, end: int) -> None:
    rng = np.random.default_rng(7)
    lattice = random_lattice(rng, (2, 4, 3), 6, p_dead=0.15, p_zero=0.05)
    line = sample_lines(lattice, log_backward(lattice), rng)[0]
    before = line.copy()
    region = region_of(lattice, line, start, end)
    drawn = region.full(sample_lines(region.lattice, log_backward(region.lattice), rng, 20_000))
    outside = np.r_[:start, end:6]
    assert (drawn[:, outside] == line[outside]).all()
    assert (line == before).all()
    assert z_score(drawn, probabilities(agreeing(lattice, tuple(line.tolist()), start, end))) < 6


def test_regions_that_are_none() -> None:
    lattice = random_lattice(np.random.default_rng(0), (1, 2, 2), 4, p_dead=0.0, p_zero=0.0)
    line = np.zeros(4, dtype=np.int64)
    for start, end in [(-1, 2), (2, 2), (3, 1), (1, 5)]:
        with pytest.raises(RequestError, match=f"region from step {start} to {end}: expected 0 <= start < end <= 4"):
            region_of(lattice, line, start, end)
    with pytest.raises(RequestError, match="a line of 3 steps: expected 4"):
        region_of(lattice, line[:3], 1, 2)


def test_what_is_forbidden_before_a_region_is_named() -> None:
    automaton = automaton_of([[[0, DEAD]]], [[[0.0, -np.inf]]], [0.0])
    lattice = Lattice.build(automaton, np.zeros((4, 2)))
    with pytest.raises(InfeasibleError, match="step 1: symbol 1 is forbidden there") as caught:
        region_of(lattice, np.array([0, 1, 0, 0]), 2, 3)
    assert caught.value.where == "step 1"
    assert not has_line(region_of(lattice, np.array([0, 0, 0, 1]), 1, 2).lattice)
