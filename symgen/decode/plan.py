"""How a request is decoded: by the lattice alone where it can hold all the rules, else by more.

Bars that must come back (:class:`theory.rules.SameBars`, as a law) are ties of the lattice
(:mod:`symgen.decode.ties`). Each other rule with a memory multiplies the states of the lattice. Where the product
gets too large, the rules that remember the most are left out of it, and lines drawn from the lattice are accepted
as those rules say: never where a law is broken, with probability ``exp(-cost)`` for each violation of a
preference. An accepted line has exactly the law that the whole product would give it; only the number of draws is
not known beforehand.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD
from symgen.decode.compile import compile_line
from symgen.decode.infer import has_line
from symgen.decode.lattice import Lattice
from symgen.decode.memory import MAX_MOVES_OF_A_STEP, TooMuchToRememberError, is_plain
from symgen.decode.satisfy import Answer, Riddle
from symgen.decode.ties import Tie, TiedSums, has_tied_line
from symgen.errors import RequestError
from symgen.potentials import LinePotentials
from theory.rules import Moment, Rule, SameBars

__all__ = [
    "MAX_MOVES_IN_NEED",
    "Asker",
    "LinePlan",
    "is_among",
    "is_possible",
    "plan_in_need",
    "plan_line",
    "untied_lattice",
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
    ties = tuple(_tie(rule, moments) for rule in tied)
    apart = _without_holds_into(potentials, ties)
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


@dataclass(slots=True)
class Asker:
    """What can be said of some of the laws of a request, though it takes seconds.

    What is built for one question serves the next. Where no lattice can hold the laws together, a solver is asked.

    Parameters
    ----------
    potentials, moments, laws
        The request.
    """

    potentials: LinePotentials
    moments: Sequence[Moment]
    laws: Sequence[Rule]
    _riddles: dict[tuple[int, ...], Riddle] = field(default_factory=dict)

    def is_possible(self, some: Sequence[Rule]) -> bool:
        """Whether any line keeps some of the laws.

        Raises
        ------
        TooMuchToRememberError
            If it cannot be told.
        """
        for max_moves in (MAX_MOVES_OF_A_STEP, MAX_MOVES_IN_NEED):
            with suppress(TooMuchToRememberError):
                return is_possible(self.potentials, self.moments, some, max_moves=max_moves)
        return self.answer(some).line is not None

    def answer(self, some: Sequence[Rule] | None = None, *, like: NDArray[np.int64] | None = None) -> Answer:
        """Look for any line that keeps some of the laws, which must have their places; all of them if left out.

        Parameters
        ----------
        some
            Of the laws.
        like
            Symbols of a line that should be followed as far as possible.

        Raises
        ------
        TooMuchToRememberError
            If it cannot be told.
        """
        asked = self.laws if some is None else some
        ties, watching = _ties_and_watching(asked, self.moments)
        base = [law for law in asked if not law.remembers or isinstance(law, SameBars)]
        key = tuple(map(id, base))
        if key not in self._riddles:
            all_watching = _ties_and_watching(self.laws, self.moments)[1]
            lattice = _plain_lattice(self.potentials, self.moments, asked, ties)
            self._riddles[key] = Riddle(lattice, ties, all_watching, self.moments, self.potentials.alphabet.low)
        riddle = self._riddles[key]
        named = [law for law in riddle.laws if any(law is one or (is_plain(law) and law == one) for one in watching)]
        return riddle.answer(named, like=like)

    def first_impossible_step(self) -> int:
        """Return the first step that no line through all before it can pass; the last one if only the end is barred.

        Raises
        ------
        TooMuchToRememberError
            If it cannot be told.
        """
        ties, watching = _ties_and_watching(self.laws, self.moments)
        lattice, low = _plain_lattice(self.potentials, self.moments, self.laws, ties), self.potentials.alphabet.low

        def is_barred(n_steps: int) -> bool:
            return Riddle(lattice, ties, watching, self.moments, low, n_steps).answer().line is None

        return min(bisect_left(range(len(self.moments)), x=True, lo=1, key=is_barred), len(self.moments)) - 1


def _plain_lattice(
    potentials: LinePotentials, moments: Sequence[Moment], laws: Sequence[Rule], ties: Sequence[Tie]
) -> Lattice:
    """Return the lattice of the laws without a memory."""
    return compile_line(_without_holds_into(potentials, ties), moments, [law for law in laws if not law.remembers])


def _ties_and_watching(laws: Sequence[Rule], moments: Sequence[Moment]) -> tuple[tuple[Tie, ...], list[Rule]]:
    """Return the ties among laws, and those that remember something else; what is said twice is said once."""
    ties = tuple(_tie(law, moments) for law in laws if isinstance(law, SameBars))
    watching = [law for law in laws if law.remembers and not isinstance(law, SameBars)]
    return ties, [law for i, law in enumerate(watching) if not (is_plain(law) and law in watching[:i])]


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


def _tie(rule: SameBars, moments: Sequence[Moment]) -> Tie:
    like, again = rule.passages(moments)
    return Tie(like.start, again.start, len(like))


def _without_holds_into(potentials: LinePotentials, ties: Sequence[Tie]) -> LinePotentials:
    """Forbid to hold a note into a tied segment: what is held there would be another note in each."""
    step = potentials.step.copy()
    step[[start for tie in ties for start in (tie.source_start, tie.target_start)], HOLD] = -np.inf
    return replace(potentials, step=step)
