"""Judges of whole lines charge what the audit charges, whatever they were asked before."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from decode_strategies import flat
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import potentials_lines
from rule_strategies import moments, price, rule_lists

from symgen.alphabet import HOLD, N_SPECIAL, REST
from symgen.decode.judge import LineJudge, event_of
from theory.rules import Event, Lock, Moment


@settings(max_examples=40)
@given(st.data())
def test_a_judge_charges_what_the_audit_charges(data: st.DataObject) -> None:
    n_steps = data.draw(st.integers(1, 5))
    request, given_moments = flat(60, 61, n_steps), data.draw(moments(n_steps))
    lines = [line for line, weight in potentials_lines(request).items() if weight > -math.inf]
    for rule in data.draw(rule_lists(request.alphabet, n_steps, min_size=1, max_size=3)):
        if not rule.has_place(given_moments):
            continue
        judge = LineJudge.of(rule, given_moments, request.alphabet.low)
        for line in lines:
            assert judge.price(line) == pytest.approx(price(request.alphabet, line, given_moments, [rule]))


def test_a_rule_without_its_place_is_broken_by_every_line() -> None:
    piece = [Moment(1, Fraction(1), 0)]
    assert LineJudge.of(Lock(9, Fraction(1), 60), piece, 60).price([2]) == math.inf
    assert LineJudge.of(Lock(9, Fraction(1), 60, cost=2.0), piece, 60).price([2]) == 2.0


def test_what_symbols_do() -> None:
    assert event_of(REST, 62, 60) == Event(None, False, 62)
    assert event_of(HOLD, 62, 60) == Event(62, False, 62)
    assert event_of(N_SPECIAL + 3, None, 60) == Event(63, True, None)
