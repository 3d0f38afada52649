"""Laws taken apart into cases, against every line of small requests."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from decode_strategies import flat
from hypothesis import given
from hypothesis import strategies as st
from oracle import Line, is_line, log_sum, potentials_lines, probabilities, sequences
from rule_strategies import place, price
from test_samples import z_score
from test_satisfy import THOROUGH, Request, kept, requests, two_bars

from symgen.decode.ask import Asker
from symgen.decode.cases import Case, Splitter, cases_of
from symgen.decode.draw import _drawn
from symgen.decode.memory import MAX_MOVES_OF_A_STEP, TooMuchToRememberError
from symgen.decode.mixture import plans_of_cases
from theory.meter import Meter
from theory.rules import AllOf, AnyOf, ClimaxOnce, Contour, Lock, Moment, Range, Rule, SameBars


@THOROUGH
@given(requests())
def test_a_line_that_keeps_a_law_keeps_one_of_its_cases_and_any_other_none(drawn: Request) -> None:
    potentials, moments, laws = drawn
    alphabet = potentials.alphabet
    lines = [line for line in sequences(alphabet.n_symbols, len(moments)) if is_line(line)]
    for law in laws:
        if law.remembers and not isinstance(law, SameBars):
            cases = cases_of(law, alphabet, moments)
            for line in lines:
                n_kept = sum(not price(alphabet, line, moments, [case]) for case in cases)
                assert n_kept == (not price(alphabet, line, moments, [law])), (law, line)


@THOROUGH
@given(requests(), st.booleans())
def test_lists_of_laws_that_together_stand_for_some(drawn: Request, are_apart: bool) -> None:
    potentials, moments, laws = drawn
    lists = Splitter(potentials.alphabet, moments).split(laws, are_apart=are_apart)
    if lists is not None:
        found = [kept(drawn, some) for some in lists]
        assert set[Line]().union(*found) == kept(drawn, laws)
        assert not are_apart or sum(map(len, found)) == len(kept(drawn, laws))


@THOROUGH
@given(requests())
def test_case_by_case_a_line_is_found_where_there_is_one(drawn: Request) -> None:
    potentials, moments, laws = drawn
    asker = Asker(potentials, moments, laws)
    try:
        found = asker._case_by_case(laws, max_moves=MAX_MOVES_OF_A_STEP)
    except TooMuchToRememberError:  # nothing to take apart
        return
    assert found == bool(kept(drawn, laws))


@THOROUGH
@given(requests())
def test_the_cases_weigh_what_the_whole_weighs(drawn: Request) -> None:
    potentials, moments, laws = drawn
    plans = plans_of_cases(potentials, moments, laws)
    if plans is not None:
        lines, found = potentials_lines(potentials), kept(drawn, laws)
        assert not any(plan.judged for plan in plans)
        totals = [plan.log_total for plan in plans]
        assert log_sum(totals) == pytest.approx(log_sum(lines[line] for line in found), rel=1e-12, abs=1e-10)


@pytest.mark.parametrize("law", [AnyOf((ClimaxOnce(), Lock(*place(1), 60))), ClimaxOnce()], ids=str)
def test_lines_drawn_from_cases_have_the_law_of_the_whole(law: Rule) -> None:
    rng = np.random.default_rng(3)
    uneven = replace(flat(60, 62, 4), step=rng.normal(size=(4, 5)))
    moments = [Moment(*place(step), 0) for step in range(4)]
    rules = [law, Range(60, 61, cost=0.7)]
    plans = plans_of_cases(uneven, moments, rules)
    assert plans is not None
    assert len(plans) > 1
    charged = {line: w - price(uneven.alphabet, line, moments, rules) for line, w in potentials_lines(uneven).items()}
    expected = probabilities({line: weight for line, weight in charged.items() if weight > -math.inf})
    lines = np.stack([_drawn(plans, rng, None)[0] for _ in range(4_000)])
    assert z_score(lines, expected) < 6


def test_the_cases_of_a_climax_remember_little() -> None:
    moments = two_bars()
    cases = cases_of(ClimaxOnce(from_bar=2), flat(48, 84, 8).alphabet, moments)
    assert len(cases) == 38  # one for each pitch, and one for silence
    assert max(case.n_memories for case in cases) == 2
    assert str(cases[-1]) == str(ClimaxOnce(from_bar=2))


def test_laws_that_nothing_can_meet_have_no_cases() -> None:
    moments = two_bars()
    alphabet = flat(60, 62, 8).alphabet
    assert Splitter(alphabet, moments).split([AnyOf((Lock(9, 1, 60), Lock(9, 2, 60)))]) == []
    assert Splitter(flat(60, 60, 8).alphabet, moments).split([AllOf((Lock(1, 1, 60), Contour("rising")))]) == []
    assert Splitter(alphabet, moments).split([Lock(1, 1, 60), ClimaxOnce(cost=1.0)]) is None


def test_what_has_too_many_cases_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = two_bars()
    monkeypatch.setattr("symgen.decode.cases._MAX_ENDS", 3)
    with pytest.raises(TooMuchToRememberError, match="climax once"):
        cases_of(ClimaxOnce(), flat(60, 72, 8).alphabet, moments)
    assert Splitter(flat(60, 72, 8).alphabet, moments).split([ClimaxOnce()]) is None
    monkeypatch.undo()
    monkeypatch.setattr("symgen.decode.mixture._MAX_PLANS", 3)
    assert plans_of_cases(flat(60, 72, 8), moments, [ClimaxOnce()]) is None


def test_a_case_changes_nothing_that_can_be_seen_of_the_law() -> None:
    cases = cases_of(ClimaxOnce(), flat(60, 61, 8).alphabet, two_bars())
    assert all(isinstance(case, Case) and case.is_law and case.watches == "pitch" for case in cases)


def test_bars_that_would_cross_others_are_a_case_that_cannot_be_told() -> None:
    moments = [Moment(1 + step, Fraction(1), 0, None, None, Meter(1, 4), Fraction(1)) for step in range(5)]
    laws: list[Rule] = [SameBars(bar=4, like=1), AnyOf((Lock(1, 1, 70), SameBars(bar=5, like=3)))]
    potentials = flat(60, 61, 5)
    with pytest.raises(TooMuchToRememberError):
        Asker(potentials, moments, laws)._case_by_case(laws, max_moves=MAX_MOVES_OF_A_STEP)
    assert plans_of_cases(potentials, moments, laws) is None
    assert Asker(potentials, moments, laws).is_possible(laws)
