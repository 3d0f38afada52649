"""Tied segments against the enumeration of all lines in which they are equal."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from decode_strategies import SEEDS, automaton_of, flat, random_lattice
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import log_sum, probabilities, tied_lines
from test_samples import z_score

from symgen.decode import joint
from symgen.decode import ties as ties_module
from symgen.decode.automaton import DEAD, line_automaton
from symgen.decode.infer import count_lines, log_backward, log_weight_of
from symgen.decode.lattice import Lattice
from symgen.decode.ties import Tie, TiedSums, best_tied, count_tied, has_tied_line
from symgen.errors import RequestError

FORMS = {
    "none": [],
    "A A": [(0, 3, 3)],
    "A b A": [(0, 4, 2)],
    "b A A": [(2, 4, 2)],
    "A b A c": [(1, 4, 2)],
    "A A b A": [(0, 2, 2), (0, 5, 2)],
    "A A b A, copied from the copy": [(0, 2, 2), (2, 5, 2)],
    "A A A": [(0, 2, 2), (2, 4, 2)],
    "A A B B": [(0, 2, 2), (4, 5, 1)],
    "A B B A, nested": [(0, 5, 1), (1, 3, 2)],
    "A b C C d A, nested": [(0, 6, 1), (2, 3, 1)],
    "A A B b B A, nested in the second gap": [(0, 1, 1), (0, 6, 1), (2, 4, 1)],
    "A B c A B, bar by bar": [(0, 4, 1), (1, 5, 1), (2, 6, 1)],
}


def as_ties(form: list[tuple[int, int, int]]) -> list[Tie]:
    return [Tie(*each) for each in form]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@settings(max_examples=15)
@given(seed=SEEDS, p_dead=st.sampled_from([0.0, 0.2, 0.4]), scale=st.sampled_from([1.0, 200.0]))
def test_sums_counts_and_best(form: list[tuple[int, int, int]], seed: int, p_dead: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    lattice = random_lattice(rng, (2, 3, 2), 7, p_dead=p_dead, p_zero=p_dead / 4, scale=scale)
    expected = tied_lines(lattice, form)
    sums = TiedSums.of(lattice, as_ties(form))
    assert count_tied(lattice, as_ties(form)) == len(expected)
    assert has_tied_line(lattice, as_ties(form)) == bool(expected)
    assert sums.log_total == pytest.approx(log_sum(expected.values()), rel=1e-12, abs=1e-10)
    assume(expected)
    line, weight = best_tied(lattice, as_ties(form))
    assert weight == pytest.approx(max(expected.values()), rel=1e-12, abs=1e-10)
    assert expected[tuple(line.tolist())] == pytest.approx(weight, rel=1e-12, abs=1e-10)
    assert all(tuple(each) in expected for each in sums.sample(rng, 5).tolist())


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_samples_follow_the_law(form: list[tuple[int, int, int]]) -> None:
    rng = np.random.default_rng(3)
    lattice = random_lattice(rng, (2, 3, 2), 7, p_dead=0.1, p_zero=0.02)
    drawn = TiedSums.of(lattice, as_ties(form)).sample(rng, 3_000)
    assert z_score(drawn, probabilities(tied_lines(lattice, form))) < 6


@pytest.mark.parametrize("marks", [0, 1 << 22])
@pytest.mark.parametrize("one_in", [1, 3, 1000])
def test_what_is_shared_among_guesses_changes_nothing(one_in: int, marks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lattice = random_lattice(np.random.default_rng(8), (2, 4, 3), 12, p_dead=0.1, p_zero=0.0)
    ties = [Tie(1, 4, 2), Tie(1, 8, 2)]
    usual = TiedSums.of(lattice, ties), count_tied(lattice, ties)
    monkeypatch.setattr(ties_module, "_SHARED_SUMS", one_in)
    monkeypatch.setattr(joint, "_MAX_MARKS", marks)
    monkeypatch.setattr(ties_module, "_SHARED_TRUTHS", one_in)
    assert TiedSums.of(lattice, ties).log_total == pytest.approx(usual[0].log_total, rel=1e-12)
    assert count_tied(lattice, ties) == usual[1] > 0
    assert has_tied_line(lattice, ties)


def test_without_ties_a_lattice_is_what_it_was() -> None:
    lattice = random_lattice(np.random.default_rng(1), (2, 5, 4), 50, p_dead=0.2)
    assert TiedSums.of(lattice, []).log_total == pytest.approx(log_backward(lattice)[0, 0], rel=1e-12)
    assert count_tied(lattice, []) == count_lines(lattice)


def test_a_melody_of_eight_bars_in_period_form() -> None:
    """Bars 5 and 6 have the symbols of bars 1 and 2, drawn from weights that change at every step."""
    rng = np.random.default_rng(5)
    potentials = flat(60, 71, 32)
    lattice = Lattice.build(line_automaton(potentials.arcs), rng.standard_normal((32, 14)))
    sums = TiedSums.of(lattice, [Tie(0, 16, 8)])
    drawn = sums.sample(rng, 20)
    assert (drawn[:, :8] == drawn[:, 16:24]).all()
    assert len(np.unique(drawn, axis=0)) == 20
    best, weight = best_tied(lattice, [Tie(0, 16, 8)])
    weights = [log_weight_of(lattice, line) for line in drawn]
    assert -np.inf < max(weights) <= weight < sums.log_total < log_backward(lattice)[0, 0]
    assert log_weight_of(lattice, best) == pytest.approx(weight, rel=1e-12)


def test_no_line_has_equal_segments() -> None:
    """Symbols must alternate, so that segments of one step, three apart, differ."""
    automaton = automaton_of(
        [[[1, 2], [DEAD, 2], [1, DEAD]]], [[[0.0, 0.0], [-np.inf, 0.0], [0.0, -np.inf]]], [0.0] * 3
    )
    lattice = Lattice.build(automaton, np.zeros((5, 2)))
    assert TiedSums.of(lattice, [Tie(0, 3, 1)]).log_total == -np.inf
    assert count_tied(lattice, [Tie(0, 3, 1)]) == 0
    assert count_tied(lattice, [Tie(0, 2, 1)]) == 2
    for ask in (TiedSums.of(lattice, [Tie(0, 3, 1)]).sample, lambda _: best_tied(lattice, [Tie(0, 3, 1)])):
        with pytest.raises(AssertionError):
            ask(np.random.default_rng(0))
    never = Lattice.build(automaton, np.full((5, 2), -np.inf))
    assert TiedSums.of(never, [Tie(0, 3, 1)]).log_total == -np.inf
    assert count_tied(never, [Tie(0, 3, 1)]) == 0


@pytest.mark.parametrize("bad", [(0, 1, 2), (3, 1, 1), (-1, 4, 2), (0, 4, 0)])
def test_ties_that_are_none(bad: tuple[int, int, int]) -> None:
    with pytest.raises(RequestError, match="expected a copy of at least one step that starts after"):
        Tie(*bad)


@pytest.mark.parametrize(
    "form", [[(0, 4, 2), (3, 7, 1)], [(0, 3, 2), (1, 6, 2)], [(0, 3, 2), (0, 4, 2)], [(0, 4, 2), (2, 5, 1)]]
)
def test_ties_that_cross_are_refused(form: list[tuple[int, int, int]]) -> None:
    lattice = random_lattice(np.random.default_rng(0), (1, 2, 2), 8)
    with pytest.raises(RequestError, match="tied segments overlap or cross others"):
        TiedSums.of(lattice, as_ties(form))


def test_ties_past_the_end() -> None:
    lattice = random_lattice(np.random.default_rng(0), (1, 2, 2), 8)
    with pytest.raises(RequestError, match="expected it to end by step 8"):
        TiedSums.of(lattice, [Tie(0, 6, 3)])


@pytest.mark.parametrize(
    ("module", "bound", "most", "ties"),
    [
        (ties_module, "_MAX_PRODUCTS", 200, [Tie(2, 5, 2)]),
        (ties_module, "_MAX_PRODUCTS", 5_000, [Tie(2, 4, 2), Tie(2, 7, 2)]),
        (joint, "_MAX_MOVES", 300, [Tie(2, 6, 2)]),
    ],
)
def test_ties_that_take_too_much_work(
    module: ModuleType, bound: str, most: int, ties: list[Tie], monkeypatch: pytest.MonkeyPatch
) -> None:
    lattice = random_lattice(np.random.default_rng(0), (1, 20, 3), 12, p_dead=0.0, p_zero=0.0)
    assert np.isfinite(TiedSums.of(lattice, ties).log_total)
    monkeypatch.setattr(module, bound, most)
    with pytest.raises(RequestError, match=f"moves to keep in mind: expected at most {most}"):
        TiedSums.of(lattice, ties)
