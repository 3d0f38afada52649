"""How a request is decoded: by the lattice alone where it can hold all the rules, else by more.

Bars that must come back (:class:`theory.rules.SameBars`, as a law) are ties of the lattice
(:mod:`symgen.decode.ties`). Each other rule with a memory multiplies the states of the lattice. Where the product
gets too large, the rules that remember the most are left out of it, and lines drawn from the lattice are accepted
as those rules say: never where a law is broken, with probability ``exp(-cost)`` for each violation of a
preference. An accepted line has exactly the law that the whole product would give it; only the number of draws is
not known beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from symgen.alphabet import HOLD
from symgen.decode.compile import compile_line
from symgen.decode.infer import has_line, log_backward
from symgen.decode.lattice import Lattice
from symgen.decode.memory import MAX_MOVES_OF_A_STEP, TooMuchToRememberError
from symgen.decode.ties import Tie, TiedSums, has_tied_line
from symgen.errors import RequestError
from symgen.potentials import LinePotentials
from theory.rules import Moment, Rule, SameBars

__all__ = [
    "MAX_MOVES_IN_NEED",
    "LinePlan",
    "is_among",
    "is_possible",
    "plan_in_need",
    "plan_line",
    "tie_of",
    "untied_lattice",
    "without_holds_into",
]

MAX_MOVES_IN_NEED = 2**20
"""The most moves of one step in a lattice that may take seconds."""


_Sums = TypeVar("_Sums")
_Tied = Callable[[Lattice, Sequence[Tie]], _Sums]


@dataclass(frozen=True, slots=True)
class LinePlan:
    """What is compiled, and what is left to be judged.

    Parameters
    ----------
    potentials, moments, rules
        The request.
    lattice
        Of all the rules but those that are ties, and ``judged``.
    ties, sums
        The segments that must be equal, and the law of the lines in which they are; no sums where there are no ties, or
        no line even without them.
    judged
        The rules that drawn lines are accepted by; none where the lattice holds them all.
    """

    potentials: LinePotentials
    moments: Sequence[Moment]
    rules: tuple[Rule, ...]
    lattice: Lattice
    ties: tuple[Tie, ...]
    sums: TiedSums | None
    judged: tuple[Rule, ...]

    @property
    def is_possible(self) -> bool:
        """Whether any line keeps the laws among the rules that are compiled."""
        if self.sums is not None:
            return not np.isneginf(self.sums.log_total)
        return has_line(self.lattice)

    @property
    def log_total(self) -> float:
        """What all lines weigh that keep the rules that are compiled; ``-inf`` if there are none."""
        if self.sums is not None:
            return self.sums.log_total
        return float(log_backward(self.lattice)[0, 0])

    @property
    def compiled(self) -> list[Rule]:
        """The rules that the lattice and its ties keep."""
        return [rule for rule in self.rules if not is_among(rule, self.judged)]


def plan_line(
    potentials: LinePotentials,
    moments: Sequence[Moment],
    rules: Sequence[Rule],
    *,
    max_moves: int = MAX_MOVES_OF_A_STEP,
) -> LinePlan:
    """Compile as many of the rules as the lattice can hold.

    Parameters
    ----------
    potentials, moments, rules, max_moves
        As for :func:`symgen.decode.compile.compile_line`.

    Raises
    ------
    RequestError
        If bars that must come back overlap or cross each other, or take too much work on their own.
    """
    lattice, ties, sums, judged = _planned(potentials, moments, rules, max_moves, TiedSums.of)
    return LinePlan(potentials, moments, tuple(rules), lattice, ties, sums, judged)


def _planned(
    potentials: LinePotentials,
    moments: Sequence[Moment],
    rules: Sequence[Rule],
    max_moves: int,
    tied_sums: _Tied[_Sums],
) -> tuple[Lattice, tuple[Tie, ...], _Sums | None, tuple[Rule, ...]]:
    """Return the lattice, its ties, what is asked of both if there is any line without the ties, and what is judged."""
    tied = [rule for rule in rules if isinstance(rule, SameBars) and rule.is_law and rule.has_place(moments)]
    ties = tuple(tie_of(rule, moments) for rule in tied)
    apart = without_holds_into(potentials, ties)
    compiled = [rule for rule in rules if not is_among(rule, tied)]
    judged: list[Rule] = []
    while True:
        try:
            lattice = compile_line(apart, moments, compiled, max_moves=max_moves)
            sums = tied_sums(lattice, ties) if ties and has_line(lattice) else None
        except TooMuchToRememberError as error:
            judged.append(error.rules[0])
        except RequestError:
            remembering = [rule for rule in compiled if rule.remembers]
            if not ties or not remembering:
                raise
            judged.append(remembering[-1])
        else:
            return lattice, ties, sums, tuple(judged)
        compiled = [rule for rule in compiled if rule is not judged[-1]]


def plan_in_need(potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule]) -> LinePlan:
    """Plan as :func:`plan_line` does, with a larger lattice where the usual one cannot hold all the rules.

    Under ties it stays as it is: sums would be too much work in a larger one.
    """
    plan = plan_line(potentials, moments, rules)
    if not plan.judged or plan.ties:
        return plan
    return plan_line(potentials, moments, rules, max_moves=MAX_MOVES_IN_NEED)


def is_possible(
    potentials: LinePotentials,
    moments: Sequence[Moment],
    laws: Sequence[Rule],
    *,
    max_moves: int = MAX_MOVES_OF_A_STEP,
) -> bool:
    """Whether any line keeps the laws.

    Parameters
    ----------
    potentials, moments, laws, max_moves
        As for :func:`symgen.decode.compile.compile_line`.

    Raises
    ------
    TooMuchToRememberError
        If the lattice cannot hold them, and those it can hold are possible.
    """
    if not all(law.has_place(moments) for law in laws):
        return False
    lattice, _, tied, judged = _planned(potentials, moments, laws, max_moves, has_tied_line)
    possible = has_line(lattice) if tied is None else tied
    if possible and judged:
        raise TooMuchToRememberError(judged)
    return possible


def untied_lattice(
    potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule]
) -> tuple[Lattice, tuple[Tie, ...], tuple[Rule, ...]]:
    """Return the lattice of as many rules as one can hold that may take seconds, the ties it lacks, and the rest."""
    for max_moves in (MAX_MOVES_OF_A_STEP, MAX_MOVES_IN_NEED):
        lattice, ties, _, judged = _planned(potentials, moments, rules, max_moves, lambda *_: None)
        if not judged:
            break
    return lattice, ties, judged


def is_among(rule: Rule, rules: Sequence[Rule]) -> bool:
    """Whether this very rule is one of some; of rules of one's own, equal ones need not judge alike."""
    return any(rule is one for one in rules)


def tie_of(rule: SameBars, moments: Sequence[Moment]) -> Tie:
    """Return the tie that a law on bars that come back is."""
    like, again = rule.passages(moments)
    return Tie(like.start, again.start, len(like))


def without_holds_into(potentials: LinePotentials, ties: Sequence[Tie]) -> LinePotentials:
    """Forbid to hold a note into a tied segment: what is held there would be another note in each."""
    step = potentials.step.copy()
    step[[start for tie in ties for start in (tie.source_start, tie.target_start)], HOLD] = -np.inf
    return replace(potentials, step=step)
