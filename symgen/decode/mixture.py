"""The law of a request as a mixture: that of each of its cases, as often as the lines of the case weigh together.

Where rules remember too much for one lattice, the lines that keep them fall into cases (:mod:`symgen.decode.cases`),
and no line into two. A line drawn from a case, the case drawn by what all its lines weigh, has exactly the law that one
lattice would give it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from symgen.decode.cases import Splitter
from symgen.decode.memory import TooMuchToRememberError
from symgen.decode.plan import LinePlan, is_possible, plan_line
from symgen.errors import RequestError
from symgen.potentials import LinePotentials
from theory.rules import Moment, Rule

__all__ = ["plans_of_cases"]

_MAX_PLANS = 128
"""How many cases may be looked at."""

_MAX_MOVES = 1 << 29
"""Moves of all steps of all cases that are summed: about ten seconds."""


def plans_of_cases(
    potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule]
) -> list[LinePlan] | None:
    """Return a plan for each case of a request that leaves any line; none, if there are too many, or no cases.

    Parameters
    ----------
    potentials, moments, rules
        As for :func:`symgen.decode.plan.plan_line`.

    Notes
    -----
    Cases are taken apart until a lattice holds each, or nothing more is gained: the plan of such a case has rules that
    are left to be judged.
    """
    splitter = Splitter(potentials.alphabet, moments)
    waiting = splitter.split(rules, are_apart=True)
    if waiting is None:
        return None
    plans: list[LinePlan] = []
    n_moves = 0
    for n_seen in range(_MAX_PLANS):
        if not waiting:
            return plans
        if n_seen + len(waiting) > _MAX_PLANS or n_moves > _MAX_MOVES:
            return None
        case = waiting.pop()
        try:
            with suppress(TooMuchToRememberError):  # this takes less than sums
                if not is_possible(potentials, moments, [rule for rule in case if rule.is_law]):
                    continue
            plan = plan_line(potentials, moments, case)
        except RequestError:  # ties that cross others, or alone take too much work
            return None
        n_moves += plan.lattice.automaton.next_state[0].size * plan.lattice.n_steps
        if not plan.is_possible:
            continue
        smaller = splitter.split(case, are_apart=True) if plan.judged else None
        if smaller is None:
            plans.append(plan)
        else:
            waiting += smaller
    return None
