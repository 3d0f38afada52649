"""Merged lattices against lines, and against classes made finer one pair of states at a time."""

from __future__ import annotations

import numpy as np
import pytest
from decode_strategies import SEEDS, lattices, random_lattice
from hypothesis import given
from hypothesis import strategies as st
from oracle import lattice_lines

from symgen.decode import merge
from symgen.decode.infer import has_line
from symgen.decode.lattice import Lattice
from symgen.decode.merge import merged


def doubled(lattice: Lattice, rng: np.random.Generator) -> Lattice:
    """Return a lattice in which each state but the first has a twin, and moves lead to either."""
    n = lattice.automaton.n_states
    twin = np.concatenate([np.arange(n), np.arange(1, n)])
    moves = lattice.automaton.next_state[:, twin].copy()
    to_twin = (moves > 0) & (rng.random(moves.shape) < 0.5)
    moves[to_twin] += n - 1
    automaton = type(lattice.automaton)(
        moves, lattice.automaton.log_weight[:, twin], lattice.automaton.log_final[twin], lattice.automaton.label[twin]
    )
    return Lattice(automaton, lattice.kind, lattice.log_symbol, lattice.log_state[:, twin], lattice.log_final[twin])


def coarsest(lattice: Lattice) -> set[frozenset[int]]:
    """Return the states that no line can tell apart: pairs are told apart until nothing changes."""
    moves, n = lattice.automaton.next_state, lattice.automaton.n_states
    shut = np.isneginf(np.vstack([lattice.log_state, lattice.log_final]))
    apart = {(i, j) for i in range(n) for j in range(n) if (shut[:, i] != shut[:, j]).any()}
    while True:
        more = {
            (i, j)
            for i in range(n)
            for j in range(n)
            for to, other in zip(moves[:, i].ravel().tolist(), moves[:, j].ravel().tolist(), strict=True)
            if (to < 0) != (other < 0) or (to >= 0 and (to, other) in apart)
        }
        if more <= apart:
            return {frozenset(j for j in range(n) if (i, j) not in apart) for i in range(n)}
        apart |= more


@given(lattices())
def test_a_merged_lattice_has_a_line_where_the_lattice_has_one(lattice: Lattice) -> None:
    assert has_line(merged(lattice)) == any(weight > -np.inf for weight in lattice_lines(lattice).values())


@given(SEEDS, st.sampled_from([0.0, 0.3]))
def test_states_are_merged_where_no_line_tells_them_apart_and_nowhere_else(seed: int, p_dead: float) -> None:
    rng = np.random.default_rng(seed)
    lattice = doubled(random_lattice(rng, (2, 4, 3), 3, p_dead=p_dead, p_zero=p_dead / 2), rng)
    smaller = merged(lattice)
    assert smaller.automaton.n_states == len(coarsest(lattice)) <= 4
    again = merged(smaller)
    assert again.automaton.next_state.shape == smaller.automaton.next_state.shape


def test_where_hashes_fail_nothing_is_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    lattice = random_lattice(np.random.default_rng(0), (1, 4, 3), 3, p_dead=0.2)
    monkeypatch.setattr(merge, "_refined", lambda moves, _: np.zeros(moves.shape[1], dtype=np.int64))
    assert merged(lattice) is lattice
