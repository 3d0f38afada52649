"""What masks do to the law: figures worked out by hand, and the lattice beside an enumeration."""

from itertools import product

import numpy as np
import pytest

from benchmarks.law import distances, exact_law, law_of, random_lattice
from symgen.decode.automaton import DEAD, Automaton
from symgen.decode.infer import has_line, log_backward, log_weight_of
from symgen.decode.lattice import Lattice


def two_doors() -> Lattice:
    """Return three steps of two symbols: of two doors one hides more weight, the other a dead end too.

    Only the lines 000 and 100 come to the end, with weights 3 and 1; 11 has no third step.
    """
    next_state = np.array([[[1, 2], [3, DEAD], [3, 4], [3, DEAD], [DEAD, DEAD]]], dtype=np.int32)
    log_weight = np.where(next_state == DEAD, -np.inf, 0.0)
    log_weight[0, 1, 0] = np.log(3)
    automaton = Automaton(next_state, log_weight, np.zeros(5), np.zeros((5, 0), dtype=np.int32))
    return Lattice.build(automaton, np.zeros((3, 2)))


def test_by_hand() -> None:
    lattice = two_doors()
    assert exact_law(lattice).tolist() == pytest.approx([0.75, 0, 0, 0, 0.25, 0, 0, 0])
    lost, masks, support, ours = distances(lattice)
    assert lost == pytest.approx(0.25)
    assert masks == pytest.approx(0.75 - 2 / 3)
    assert support == pytest.approx(0.25)
    assert ours == pytest.approx(0.0, abs=1e-15)


def test_the_lattice_draws_from_the_law() -> None:
    rng = np.random.default_rng(1)
    lattices = [lattice for lattice in (random_lattice(rng) for _ in range(12)) if has_line(lattice)]
    assert lattices
    for lattice in lattices:
        exact = exact_law(lattice)
        assert np.abs(law_of(lattice, log_backward(lattice)) - exact).sum() < 1e-13
        assert distances(lattice)[3] < 1e-13


def test_lines_are_in_their_order() -> None:
    rng = np.random.default_rng(2)
    lattice = next(found for found in (random_lattice(rng) for _ in range(50)) if has_line(found))
    exact, table = exact_law(lattice), log_backward(lattice)
    lines = list(product(range(lattice.automaton.n_symbols), repeat=lattice.n_steps))
    for number in range(0, len(lines), 97):
        chance = np.exp(log_weight_of(lattice, np.array(lines[number])) - table[0, 0])
        assert exact[number] == pytest.approx(chance, abs=1e-14)
