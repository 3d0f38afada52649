"""Lines drawn by particles: never against a law, and by the law of all the rules where there are many particles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from decode_strategies import flat, potentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import potentials_lines, probabilities
from rule_strategies import moments, place, price, rule_lists
from scipy.stats import chisquare

from symgen.decode.compile import compile_line
from symgen.decode.draw import draw_line
from symgen.decode.infer import has_line
from symgen.decode.particles import draw_by_particles
from symgen.decode.plan import plan_line
from symgen.decode.tieparts import Tie
from symgen.errors import RequestError
from symgen.potentials import LinePotentials
from theory.key import Key
from theory.meter import Meter
from theory.rules import Contour, EndOn, Event, LargestLeap, Moment, RepeatedNotes, Rule, RuleWithMemory, SameBars

N_DRAWS = 600
MEETABLE = settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


def in_c(n_steps: int) -> list[Moment]:
    return [Moment(*place(step), 2 * (step % 3 > 0), Key.parse("C"), None, Meter(3, 4)) for step in range(n_steps)]


@MEETABLE
@given(st.data())
def test_no_law_is_broken_whatever_is_judged(data: st.DataObject) -> None:
    request = data.draw(potentials(pitches=(1, 3), steps=(1, 6), p_zero=0.1))
    given_moments = data.draw(moments(request.n_steps))
    rules = data.draw(rule_lists(request.alphabet, request.n_steps, min_size=1, max_size=4))
    compiled, judged = rules[: len(rules) // 2], [r for r in rules[len(rules) // 2 :] if r.has_place(given_moments)]
    lattice = compile_line(request, given_moments, compiled)
    if not has_line(lattice):
        return
    low = request.alphabet.low
    line = draw_by_particles(lattice, low, given_moments, judged, np.random.default_rng(0), 16)
    if line is None:
        return
    assert potentials_lines(request)[tuple(line.tolist())] > -math.inf
    laws = [rule for rule in (*compiled, *judged) if rule.is_law]
    assert price(request.alphabet, line.tolist(), given_moments, laws) == 0


JUDGED: list[list[Rule]] = [
    [RepeatedNotes(1), Contour("rising")],
    [RepeatedNotes(2, cost=1.0), EndOn(frozenset({1}), cost=2.0)],
    [SameBars(2, 1)],
]


@pytest.mark.parametrize("judged", JUDGED)
def test_many_particles_draw_from_the_law(judged: list[Rule]) -> None:
    request, given_moments = flat(60, 61, 6), in_c(6)
    step = np.random.default_rng(3).normal(0, 0.7, request.step.shape)
    request = replace(request, step=step)
    lattice = compile_line(request, given_moments, [LargestLeap(1, cost=0.5)])
    weights = potentials_lines(request)
    rules = [*judged, LargestLeap(1, cost=0.5)]
    law = probabilities(
        {
            line: weight - price(request.alphabet, line, given_moments, rules) if weight > -math.inf else weight
            for line, weight in weights.items()
        }
    )
    rng = np.random.default_rng(1)
    lines = (draw_by_particles(lattice, 60, given_moments, judged, rng, 60) for _ in range(N_DRAWS))
    drawn = Counter(tuple(line.tolist()) for line in lines if line is not None)
    likely = [line for line, p in law.items() if p * N_DRAWS >= 5]
    assert len(likely) > 5
    observed = [*(drawn[line] for line in likely), drawn.total() - sum(drawn[line] for line in likely)]
    expected = [*(law[line] for line in likely), 1 - sum(law[line] for line in likely)]
    expected = [max(e, 1e-9) * sum(observed) / sum(max(e, 1e-9) for e in expected) for e in expected]
    assert drawn.total() == N_DRAWS
    assert chisquare(observed, expected).pvalue > 1e-4


def test_particles_keep_ties_and_hold_nothing_into_them() -> None:
    request, given_moments, rules = request_of(9), in_c(9), [SameBars(3, 1), RepeatedNotes(2)]
    lattice = compile_line(request, given_moments, [])
    ties, rng = [Tie(0, 6, 3)], np.random.default_rng(2)
    lines = [draw_by_particles(lattice, 60, given_moments, rules[1:], rng, 32, ties) for _ in range(50)]
    found = [line.tolist() for line in lines if line is not None]
    assert len(found) > 40
    assert all(price(request.alphabet, line, given_moments, rules) == 0 for line in found)


@dataclass(frozen=True)
class Echo(RuleWithMemory):
    """A user's own rule that remembers more than any lattice can hold: each event is that of ten steps before."""

    n_steps: int = 10

    def start(self, moments: Sequence[Moment]) -> tuple[Event, ...]:
        return ()

    def after(self, memory: tuple[Event, ...], event: Event, moment: Moment) -> tuple[tuple[Event, ...], int]:
        heard = Event(event.pitch, event.is_onset, None)
        if len(memory) < self.n_steps:
            return (*memory, heard), 0
        return (*memory[1:], heard), int(memory[0] != heard)


def request_of(n_steps: int) -> LinePotentials:
    request = flat(60, 63, n_steps)
    return replace(request, step=np.random.default_rng(3).normal(0, 0.7, request.step.shape))


def test_a_rule_too_large_for_any_lattice_is_kept_all_the_same() -> None:
    request, given_moments, echo = request_of(24), in_c(24), Echo()
    plan = plan_line(request, given_moments, [LargestLeap(2), echo])
    assert plan.judged == (echo,)
    line = draw_line(plan, np.random.default_rng(0)).tolist()
    assert line[10:] == line[:-10]


def test_what_no_particle_can_keep_is_refused() -> None:
    plan = plan_line(request_of(13), in_c(13), [Echo(), Never()])
    with pytest.raises(RequestError, match="remember too much to find one"):
        draw_line(plan, np.random.default_rng(0))


@dataclass(frozen=True)
class Never(Echo):
    """One that besides can never be kept."""

    def at_end(self, memory: object, last: int | None, moment: Moment) -> int:
        return 1
