"""How requests are decoded: whatever road is taken, the law is the same, and what cannot be is said."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from decode_strategies import flat
from oracle import potentials_lines, probabilities
from rule_strategies import price
from scipy.stats import chisquare

from symgen.decode.draw import check_plain_laws, draw_line
from symgen.decode.plan import is_possible, plan_line
from symgen.errors import InfeasibleError
from symgen.potentials import LinePotentials
from theory.key import Key
from theory.meter import Meter
from theory.rules import (
    Contour,
    Event,
    InKey,
    LargestLeap,
    Lock,
    Moment,
    RepeatedNotes,
    Rule,
    RuleWithMemory,
    SameBars,
)

N_DRAWS = 3000


def in_c(n_steps: int) -> list[Moment]:
    """Return bars of two quarters."""
    key, meter = Key.parse("C"), Meter(2, 4)
    return [
        Moment(1 + step // 2, Fraction(1 + step % 2), step % 2 * 2, key, None, meter, Fraction(1))
        for step in range(n_steps)
    ]


def potentials(n_steps: int) -> LinePotentials:
    request = flat(60, 61, n_steps)
    step = np.random.default_rng(3).normal(0, 0.7, request.step.shape)
    return LinePotentials(request.alphabet, step, request.arcs)


def exact_law(request: LinePotentials, moments: list[Moment], rules: list[Rule]) -> dict[tuple[int, ...], float]:
    lines = potentials_lines(request)
    charged = {
        line: weight - price(request.alphabet, line, moments, rules) if weight > -math.inf else weight
        for line, weight in lines.items()
    }
    return probabilities(charged)


RULES: list[tuple[list[Rule], int]] = [
    ([RepeatedNotes(1), LargestLeap(1)], 1),
    ([RepeatedNotes(2, cost=1.0), Contour("rising", cost=0.5)], 2),
    ([SameBars(2, 1)], 0),
    ([SameBars(2, 1), RepeatedNotes(2, cost=0.7)], 1),
]


@pytest.mark.parametrize(("rules", "n_judged"), RULES)
@pytest.mark.parametrize("max_moves", [1, 10_000])
def test_every_road_leads_to_the_law(rules: list[Rule], n_judged: int, max_moves: int) -> None:
    request, moments = potentials(4), in_c(4)
    plan = plan_line(request, moments, rules, max_moves=max_moves)
    assert len(plan.judged) == (n_judged if max_moves == 1 else 0)
    law = exact_law(request, moments, rules)
    rng = np.random.default_rng(1)
    drawn = Counter(tuple(draw_line(plan, rng).tolist()) for _ in range(N_DRAWS))
    assert set(drawn) <= set(law)
    likely = [line for line, p in law.items() if p * N_DRAWS >= 5]
    rest = 1 - sum(law[line] for line in likely)
    observed = [drawn[line] for line in likely]
    expected = [law[line] * N_DRAWS for line in likely]
    if rest * N_DRAWS >= 1:
        observed, expected = [*observed, N_DRAWS - sum(observed)], [*expected, rest * N_DRAWS]
    else:
        expected = [e * sum(observed) / sum(expected) for e in expected]
    assert chisquare(observed, expected).pvalue > 1e-4


def test_no_note_is_held_into_bars_that_come_back() -> None:
    request, moments, rule = potentials(6), in_c(6), SameBars(3, 2)
    plan = plan_line(request, moments, [rule])
    rng = np.random.default_rng(5)
    for _ in range(200):
        line = draw_line(plan, rng).tolist()
        assert line[2] == line[4] != 1
        assert line[3] == line[5]


def test_bars_that_cannot_come_back_are_explained() -> None:
    moments = in_c(4)
    laws: list[Rule] = [SameBars(2, 1), Lock(1, Fraction(1), 60), Lock(2, Fraction(1), 61)]
    assert not is_possible(potentials(4), moments, laws)
    with pytest.raises(InfeasibleError, match=r"^bar 2 beat 1: bar 2 like bar 1 contradicts lock") as caught:
        draw_line(plan_line(potentials(4), moments, laws), np.random.default_rng(0))
    assert len(caught.value.blame) == 3
    assert caught.value.possible_without == caught.value.blame


def test_a_rule_without_its_place_is_named() -> None:
    laws: list[Rule] = [InKey(), SameBars(9, 1), RepeatedNotes(1)]
    with pytest.raises(InfeasibleError, match="bar 9 like bar 1 cannot be met"):
        draw_line(plan_line(potentials(4), in_c(4), laws), np.random.default_rng(0))


def test_what_the_plain_laws_forbid_is_said_before_anything_is_compiled() -> None:
    laws: list[Rule] = [InKey(), Lock(1, Fraction(1), 61), RepeatedNotes(1)]
    with pytest.raises(InfeasibleError, match="in key contradicts lock"):
        check_plain_laws(potentials(4), in_c(4), laws)
    check_plain_laws(potentials(4), in_c(4), [InKey(), RepeatedNotes(1)])


def test_where_preferences_are_too_dear_a_line_that_keeps_the_laws_is_taken() -> None:
    request, moments = potentials(14), in_c(14)
    rules: list[Rule] = [RepeatedNotes(1), LargestLeap(1), Dear(cost=50.0)]
    plan = plan_line(request, moments, rules)
    assert [type(rule) for rule in plan.judged] == [Dear]
    line = draw_line(plan, np.random.default_rng(0)).tolist()
    assert price(request.alphabet, line, moments, rules[:2]) == 0


@dataclass(frozen=True)
class Dear(RuleWithMemory):
    """A user's own rule that remembers everything and finds fault with it."""

    def start(self, moments: Sequence[Moment]) -> tuple[Event, ...]:
        return ()

    def after(self, memory: tuple[Event, ...], event: Event, moment: Moment) -> tuple[tuple[Event, ...], int]:
        return (*memory, event), 1
