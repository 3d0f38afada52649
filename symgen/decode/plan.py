"""How a request is decoded: by the lattice alone where it can hold all the rules, else by more.

Bars that must come back (:class:`theory.rules.SameBars`, as a law) are ties of the lattice
(:mod:`symgen.decode.ties`). Each other rule with a memory multiplies the states of the lattice. Where the product
gets too large, the rules that remember the most are left out of it, and lines drawn from the lattice are accepted
as those rules say: never where a law is broken, with probability ``exp(-cost)`` for each violation of a
preference. An accepted line has exactly the law that the whole product would give it; only the number of draws is
not known beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from symgen.alphabet import HOLD
from symgen.decode.compile import compile_line
from symgen.decode.infer import has_line
from symgen.decode.lattice import Lattice
from symgen.decode.memory import TooMuchToRememberError
from symgen.decode.ties import Tie, TiedSums
from symgen.potentials import LinePotentials
from theory.rules import Moment, Rule, SameBars

__all__ = ["LinePlan", "is_possible", "plan_line"]


@dataclass(frozen=True, slots=True)
class LinePlan:
    """What is compiled, and what is left to be judged.

    Parameters
    ----------
    potentials, moments, rules
        The request.
    lattice
        Of all the rules but those that are ties, and ``judged``.
    ties
        The segments that must be equal.
    judged
        The rules that drawn lines are accepted by; none where the lattice holds them all.
    """

    potentials: LinePotentials
    moments: Sequence[Moment]
    rules: tuple[Rule, ...]
    lattice: Lattice
    ties: tuple[Tie, ...]
    judged: tuple[Rule, ...]

    @property
    def compiled(self) -> list[Rule]:
        """The rules that the lattice and its ties keep."""
        return [rule for rule in self.rules if not any(rule is judged for judged in self.judged)]


def plan_line(potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule]) -> LinePlan:
    """Compile as many of the rules as the lattice can hold.

    Parameters
    ----------
    potentials, moments, rules
        As for :func:`symgen.decode.compile.compile_line`.

    Raises
    ------
    RequestError
        If bars that must come back overlap or cross each other.
    """
    tied = [rule for rule in rules if isinstance(rule, SameBars) and rule.is_law and rule.has_place(moments)]
    ties = tuple(_tie(rule, moments) for rule in tied)
    compiled, judged = [rule for rule in rules if not any(rule is one for one in tied)], list[Rule]()
    while True:
        try:
            lattice = compile_line(_without_holds_into(potentials, ties), moments, compiled)
        except TooMuchToRememberError as error:
            judged.append(error.rules[0])
            compiled = [rule for rule in compiled if rule is not error.rules[0]]
        else:
            return LinePlan(potentials, moments, tuple(rules), lattice, ties, tuple(judged))


def is_possible(potentials: LinePotentials, moments: Sequence[Moment], laws: Sequence[Rule]) -> bool:
    """Whether any line keeps the laws.

    Raises
    ------
    TooMuchToRememberError
        If the lattice cannot hold them.
    """
    plan = plan_line(potentials, moments, laws)
    if plan.judged:
        raise TooMuchToRememberError(plan.judged)
    if not has_line(plan.lattice):
        return False
    return not plan.ties or not np.isneginf(TiedSums.of(plan.lattice, plan.ties).log_total)


def _tie(rule: SameBars, moments: Sequence[Moment]) -> Tie:
    like, again = rule.passages(moments)
    return Tie(like.start, again.start, len(like))


def _without_holds_into(potentials: LinePotentials, ties: Sequence[Tie]) -> LinePotentials:
    """Forbid to hold a note into a tied segment: what is held there would be another note in each."""
    step = potentials.step.copy()
    step[[start for tie in ties for start in (tie.source_start, tie.target_start)], HOLD] = -np.inf
    return replace(potentials, step=step)
