"""Lines drawn from the model's law given the rules: what a request comes to in the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgen.decode.ask import Asker
from symgen.decode.explain import explain_infeasible
from symgen.decode.infer import lines_at, log_backward
from symgen.decode.judge import LineJudge
from symgen.decode.memory import TooMuchToRememberError
from symgen.decode.mixture import plans_of_cases
from symgen.decode.particles import draw_by_particles
from symgen.decode.plan import LinePlan, is_among, is_possible, plan_in_need, plan_line
from symgen.errors import RequestError
from symgen.potentials import LinePotentials
from theory.rules import Moment, Rule, SameBars

__all__ = ["check_plain_laws", "draw_line", "try_line"]

_N_AT_ONCE, _N_DRAWS = 64, 512
_N_STEPS_UNDER_TIES = 1 << 15
"""How many lines are drawn at once and in all; under ties they are drawn one by one, and fewer the longer they are."""

_PARTICLES = ((128, 1.0), (512, 1.0), (512, 8.0))
"""How many are tried, and with what temperature: where the model is nearly sure of what a law forbids, it is heated."""

_Line = NDArray[np.int64]
_Chance = Callable[[np.random.Generator], NDArray[np.float64]]


def check_plain_laws(potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule]) -> None:
    """Refuse at once what the laws without a memory make impossible: the others are dear to compile.

    Raises
    ------
    InfeasibleError
        If there is no line.
    """
    plain = [rule for rule in rules if rule.is_law and not rule.remembers]
    if len(plain) < len(rules) and not is_possible(potentials, moments, plain):
        raise explain_infeasible(potentials, moments, rules)


def draw_line(plan: LinePlan, rng: np.random.Generator, uniform: _Chance | None = None) -> _Line:
    """Draw a line from the model's law given all the rules.

    Parameters
    ----------
    plan
        Of the request.
    rng
        Source of chance.
    uniform
        Returns a number for each step of one draw, shape (n_steps,); independent ones if left out. Not used where
        segments are tied.

    Returns
    -------
    ndarray of shape (n_steps,)
        Symbols.

    Raises
    ------
    InfeasibleError
        If there is no line; it says why.
    RequestError
        If none was accepted in many draws, nor found by particles, and a solver cannot tell if there is one.

    Notes
    -----
    The law is exact as long as a line is accepted. Where none is in many draws, nor from a larger lattice, nor from the
    cases of the rules (:mod:`symgen.decode.mixture`), one of the lines drawn that keep all laws is taken, by the price
    of the preferences it breaks; where there is none, particles find one (:mod:`symgen.decode.particles`), and if they
    all get stuck a solver does (:mod:`symgen.decode.satisfy`). Such a line keeps every law, but the preferences only as
    well as so many draws or particles can, and the solver not at all.
    """
    _refuse_the_impossible(plan)
    line, lawful = _drawn([plan], rng, uniform)
    if line is None:
        line = _drawn_in_need(plan, lawful, rng, uniform)
    return line


def try_line(plan: LinePlan, rng: np.random.Generator) -> _Line | None:
    """Draw a line from the model's law given all the rules; none if there is none, or none is accepted in many draws.

    Parameters
    ----------
    plan, rng
        As for :func:`draw_line`.
    """
    laws = [rule for rule in plan.rules if rule.is_law]
    if not all(law.has_place(plan.moments) for law in laws) or not plan.is_possible:
        return None
    return _drawn([plan], rng, None)[0]


def _refuse_the_impossible(plan: LinePlan) -> None:
    """Raise the reason if a law lacks its place, or those that are compiled leave no line."""
    laws = [rule for rule in plan.rules if rule.is_law]
    if not all(law.has_place(plan.moments) for law in laws) or not plan.is_possible:
        asked = [rule for rule in laws if not rule.has_place(plan.moments)][:1] or plan.compiled
        raise explain_infeasible(plan.potentials, plan.moments, asked)


def _drawn(
    plans: Sequence[LinePlan], rng: np.random.Generator, uniform: _Chance | None
) -> tuple[_Line | None, list[tuple[_Line, float]]]:
    """Return the first line that is accepted, drawn by the lattices and their ties; none if none is in many draws.

    And all that keep the laws but were not accepted, with what they are charged. Several plans are the cases of one.
    """
    sources: dict[int, _Source] = {}  # made when a case is drawn: most of many never are
    share = _shares(plans) if len(plans) > 1 else None
    n_at_once = 1 if len(plans) > 1 or plans[0].ties else _N_AT_ONCE  # lines under ties are drawn one by one anyway
    n_steps = plans[0].lattice.n_steps
    n_draws = min(_N_DRAWS, max(1, _N_STEPS_UNDER_TIES // n_steps)) if plans[0].ties else _N_DRAWS
    lawful: list[tuple[_Line, float]] = []
    for _ in range(n_draws // n_at_once):
        case = 0 if share is None else int(rng.choice(len(plans), p=share))
        if case not in sources:
            sources[case] = _Source.of(plans[case], uniform)
        source = sources[case]
        for line in source.draw(rng, n_at_once if source.judges else 1):
            price = _price(source.judges, line)
            if not source.judges or rng.random() < math.exp(-price):
                return line, lawful
            if price < math.inf:
                lawful.append((line, price))
    return None, lawful


@dataclass(frozen=True, slots=True)
class _Source:
    """What draws a number of lines from a lattice and its ties, and what judges them."""

    draw: Callable[[np.random.Generator, int], _Line]
    judges: Sequence[LineJudge]

    @classmethod
    def of(cls, plan: LinePlan, uniform: _Chance | None) -> _Source:
        draw = _source_of_lines(plan, uniform or (lambda source: source.random(plan.lattice.n_steps)))
        return cls(draw, [LineJudge.of(rule, plan.moments, plan.potentials.alphabet.low) for rule in plan.judged])


def _shares(plans: Sequence[LinePlan]) -> NDArray[np.float64]:
    """Return how likely each plan is by what its lines weigh."""
    totals = np.array([plan.log_total for plan in plans])
    weight = np.exp(totals - totals.max())
    return np.asarray(weight / weight.sum())


def _drawn_in_need(
    plan: LinePlan,
    lawful: Sequence[tuple[_Line, float]],
    rng: np.random.Generator,
    uniform: _Chance | None,
) -> _Line:
    """Draw from a lattice that may take seconds, among lines that keep the laws, by particles, or have one found."""
    larger = plan_in_need(plan.potentials, plan.moments, plan.rules)
    _refuse_the_impossible(larger)
    line: _Line | None = None
    if len(larger.judged) < len(plan.judged):
        line, more = _drawn([larger], rng, uniform)
        lawful = more or lawful
    cases = plans_of_cases(plan.potentials, plan.moments, plan.rules) if line is None else None
    if cases is not None:
        if not cases:
            laws = [rule for rule in plan.rules if rule.is_law]
            raise explain_infeasible(plan.potentials, plan.moments, laws)
        line, more = _drawn(cases, rng, uniform)
        lawful = more or lawful
    if line is None:
        found = None if lawful else _some_lawful_line(larger, rng)  # or the reason why there is none
        line = _by_price(lawful, rng) if lawful else _drawn_by_particles(larger, rng)
        line = found if line is None else line
    if line is None:
        names = "; ".join(map(str, larger.judged))
        msg = f"{names}: no line in {_N_DRAWS} keeps this too: the rules together remember too much to find one"
        raise RequestError(msg)
    return line


def _by_price(lawful: Sequence[tuple[_Line, float]], rng: np.random.Generator) -> _Line:
    """Draw one of some lines, each as likely as the price of what it breaks makes it."""
    price = np.array([price for _, price in lawful])
    weight = np.exp(price.min() - price)
    return lawful[int(rng.choice(len(lawful), p=weight / weight.sum()))][0]


def _drawn_by_particles(plan: LinePlan, rng: np.random.Generator) -> _Line | None:
    """Draw by particles that watch over ties too, since a lattice that is tied holds less besides."""
    tied = [rule for rule in plan.rules if isinstance(rule, SameBars) and rule.is_law]  # those are the plan's ties
    loose = [rule for rule in plan.rules if not is_among(rule, tied)]
    for n, temperature in _PARTICLES:
        heated = plan_line(plan.potentials.at_temperature(temperature), plan.moments, loose)
        _refuse_the_impossible(heated)
        low = plan.potentials.alphabet.low
        line = draw_by_particles(heated.lattice, low, plan.moments, heated.judged, rng, n, plan.ties)
        if line is not None:
            return line
    return None


def _source_of_lines(plan: LinePlan, chance: _Chance) -> Callable[[np.random.Generator, int], _Line]:
    """Return what draws a number of lines from the lattice and its ties."""
    if plan.sums is not None:
        return plan.sums.sample
    table = log_backward(plan.lattice)
    return lambda rng, n: lines_at(plan.lattice, table, np.stack([chance(rng) for _ in range(n)], axis=1))


def _price(judges: Sequence[LineJudge], line: _Line) -> float:
    """Return what the rules left to be judged charge a line."""
    symbols = line.tolist()
    total = 0.0
    for judge in judges:
        total += judge.price(symbols)
        if math.isinf(total):
            break
    return total


def _some_lawful_line(plan: LinePlan, rng: np.random.Generator) -> _Line | None:
    """Return a line that keeps all laws and is else like one that was drawn; none if it cannot be told if there is one.

    Raises
    ------
    InfeasibleError
        If there is none.
    """
    laws = [rule for rule in plan.rules if rule.is_law]
    like = _source_of_lines(plan, lambda source: source.random(plan.lattice.n_steps))(rng, 1)[0]
    asker = Asker(plan.potentials, plan.moments, laws)
    try:
        line = asker.answer(like=like).line
    except TooMuchToRememberError:
        with suppress(TooMuchToRememberError):
            if not asker.is_possible(laws):
                raise explain_infeasible(plan.potentials, plan.moments, laws, asker) from None
        return None
    if line is None:
        raise explain_infeasible(plan.potentials, plan.moments, laws, asker)
    return line
