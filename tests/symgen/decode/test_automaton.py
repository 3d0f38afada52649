"""Automata: one table written out, lines weighed from the table of moves, intersections by enumeration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decode_strategies import SEEDS, automata, automaton_of, potentials, random_automaton
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracle import lattice_lines, potentials_lines, sequences, states_after_any_walk, suffix_weight

from symgen.alphabet import HOLD, REST
from symgen.decode.automaton import DEAD, Automaton, intersect, line_automaton, reachable
from symgen.decode.infer import count_lines
from symgen.decode.lattice import Lattice
from symgen.potentials import LineArcs, LinePotentials

ONSET = 2
ACCEPTS_ALL = automaton_of(np.zeros((1, 1, 2)), np.zeros((1, 1, 2)), [0.0])


def unrolled(automaton: Automaton, kind: NDArray[np.int64]) -> Lattice:
    """Return the bare automaton over steps of given kinds."""
    return Lattice.build(automaton, np.zeros((len(kind), automaton.n_symbols)), kind=kind)


def renumbered(automaton: Automaton, order: NDArray[np.int64]) -> Automaton:
    """Return the same automaton with state ``order[i]`` called ``i``; ``order[0]`` is 0."""
    name = np.append(np.argsort(order), DEAD)  # DEAD finds the last entry
    return Automaton(
        name[automaton.next_state[:, order]].astype(np.int32),
        automaton.log_weight[:, order],
        automaton.log_final[order],
        automaton.label[order],
    )


def test_a_line_of_one_pitch_written_out() -> None:
    arcs = LineArcs(np.array([[5.0]]), np.array([3.0]), rest_to_onset=0.5, note_to_rest=-1.0, rest_to_rest=-2.0)
    automaton = line_automaton(arcs)
    no = -np.inf
    # columns:  REST   HOLD   ONSET
    assert automaton.next_state.tolist() == [[
        [0, DEAD, 1],  # before the first note
        [2, 1, 1],  # sounding
        [2, DEAD, 1],  # in a rest after it
    ]]  # fmt: skip
    assert automaton.log_weight.tolist() == [[[-2.0, no, 3.0], [-1.0, 0.0, 5.0], [-2.0, no, 5.5]]]
    assert automaton.log_final.tolist() == [0.0, 0.0, 0.0]
    assert automaton.label.tolist() == [[-1, 0], [0, 1], [0, 0]]


@settings(max_examples=50)
@given(potentials())
def test_lines_weigh_what_the_table_of_moves_says(given_potentials: LinePotentials) -> None:
    given_potentials = replace(given_potentials, leave=None, closed=None)
    lattice = Lattice.build(line_automaton(given_potentials.arcs), given_potentials.step)
    expected = potentials_lines(given_potentials)
    assert lattice_lines(lattice) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=30)
@given(potentials(pitches=(2, 3)), SEEDS)
def test_extra_weights_of_moves_are_added(given_potentials: LinePotentials, seed: int) -> None:
    given_potentials = replace(given_potentials, leave=None, closed=None)
    arcs = given_potentials.arcs
    rng = np.random.default_rng(seed)
    log_move = np.where(rng.random(arcs.onset.shape) < 0.3, -np.inf, rng.standard_normal(arcs.onset.shape))
    moved = replace(given_potentials, arcs=replace(arcs, onset=arcs.onset + log_move))
    lattice = Lattice.build(line_automaton(arcs, log_move), given_potentials.step)
    assert lattice_lines(lattice) == pytest.approx(potentials_lines(moved), abs=1e-9)


def test_a_hold_needs_a_note() -> None:
    lattice = unrolled(line_automaton(LineArcs.flat(1)), np.zeros(3, dtype=np.int64))
    lines = {line for line, weight in lattice_lines(lattice).items() if weight > -np.inf}
    assert (HOLD, REST, REST) not in lines
    assert (ONSET, REST, HOLD) not in lines
    assert (ONSET, HOLD, HOLD) in lines
    # Of three steps: 27 sequences, of which 9 start with a hold and 5 hold after a rest.
    assert len(lines) == 27 - 9 - 5 == count_lines(lattice)


@settings(max_examples=60)
@given(automata(), automata(), st.data())
def test_intersection_accepts_what_both_accept(left: Automaton, right: Automaton, data: st.DataObject) -> None:
    if left.n_kinds != right.n_kinds:
        right = Automaton(right.next_state[:1], right.log_weight[:1], right.log_final, right.label)
    both = intersect(left, right)
    kind = np.array(data.draw(st.lists(st.integers(0, both.n_kinds - 1), min_size=4, max_size=4)))
    lattices = [unrolled(a, kind if a.n_kinds > 1 else 0 * kind) for a in (left, right, both)]
    for line in sequences(2, 4):
        of_left, of_right, of_both = (suffix_weight(lattice, 0, 0, line) for lattice in lattices)
        assert of_both == pytest.approx(of_left + of_right, abs=1e-9)


@settings(max_examples=40)
@given(automata(), automata(), SEEDS)
def test_equal_automata_have_equal_tables(left: Automaton, right: Automaton, seed: int) -> None:
    """However the parts number their states, and whichever comes first."""
    right = Automaton(right.next_state[:1], right.log_weight[:1], right.log_final, right.label)
    both = intersect(left, right)
    rng = np.random.default_rng(seed)
    left_again, right_again = (
        renumbered(a, np.concatenate([[0], 1 + rng.permutation(a.n_states - 1)])) for a in (left, right)
    )
    for again in (intersect(left_again, right_again), intersect(right_again, left_again)):
        assert again.next_state.tolist() == both.next_state.tolist()
        assert again.log_weight.tolist() == both.log_weight.tolist()
        assert again.log_final.tolist() == both.log_final.tolist()


@settings(max_examples=40)
@given(automata(), automata(), automata())
def test_intersection_of_three(one: Automaton, two: Automaton, three: Automaton) -> None:
    parts = [Automaton(a.next_state[:1], a.log_weight[:1], a.log_final, a.label) for a in (one, two, three)]
    kind = np.zeros(3, dtype=np.int64)
    each = [lattice_lines(unrolled(part, kind)) for part in parts]
    together = {line: sum(lines[line] for lines in each) for line in each[0]}
    assert lattice_lines(unrolled(intersect(*parts), kind)) == pytest.approx(together, abs=1e-9)


@settings(max_examples=40)
@given(automata(), automata())
def test_intersection_makes_only_states_that_can_be_reached(left: Automaton, right: Automaton) -> None:
    right = Automaton(right.next_state[:1], right.log_weight[:1], right.log_final, right.label)
    both = intersect(left, right)
    assert reachable(both).all()
    assert len(np.unique(both.label, axis=0)) == both.n_states  # labels here are states: no pair is made twice


@settings(max_examples=60)
@given(automata(n_symbols=1))
def test_reachable_states(automaton: Automaton) -> None:
    assert set(np.flatnonzero(reachable(automaton)).tolist()) == states_after_any_walk(automaton)


def test_labels_are_joined() -> None:
    rng = np.random.default_rng(5)
    left, right = random_automaton(rng, (1, 3, 2), p_dead=0.0), random_automaton(rng, (1, 2, 2), p_dead=0.0)
    both = intersect(left, right)
    for state, (of_left, of_right) in enumerate(both.label.tolist()):
        for symbol in range(2):
            joined = both.label[both.next_state[0, state, symbol]].tolist()
            assert joined == [left.next_state[0, of_left, symbol], right.next_state[0, of_right, symbol]]


def test_tables_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ACCEPTS_ALL.next_state[0, 0, 0] = DEAD


@pytest.mark.parametrize(("target", "weight"), [(DEAD, 0.0), (0, -np.inf), (0, np.nan), (DEAD, np.nan), (DEAD, np.inf)])
def test_moves_and_weights_must_agree(target: int, weight: float) -> None:
    with pytest.raises(AssertionError):
        automaton_of([[[target]]], [[[weight]]], [0.0])
