"""What can be said of the laws of a request where no lattice can hold them all together.

Two more ways are tried, each good at what the other is not: laws are taken apart into cases, each of which a lattice
may hold (:mod:`symgen.decode.cases`), and a solver is asked about them as clauses (:mod:`symgen.decode.satisfy`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from symgen.decode.cases import Splitter
from symgen.decode.compile import compile_line
from symgen.decode.lattice import Lattice
from symgen.decode.memory import MAX_MOVES_OF_A_STEP, TooMuchToRememberError, is_plain
from symgen.decode.plan import MAX_MOVES_IN_NEED, is_among, is_possible, tie_of, without_holds_into
from symgen.decode.satisfy import Answer, Riddle
from symgen.decode.tieparts import Tie
from symgen.errors import RequestError
from symgen.potentials import LinePotentials
from theory.rules import Moment, Rule, SameBars

__all__ = ["Asker"]

_MAX_LATTICES = 256
"""How many cases may be looked at: seconds of work."""


@dataclass(slots=True)
class Asker:
    """What can be said of some of the laws of a request, though it takes seconds.

    What is built for one question serves the next.

    Parameters
    ----------
    potentials, moments, laws
        The request.
    """

    potentials: LinePotentials
    moments: Sequence[Moment]
    laws: Sequence[Rule]
    _riddles: dict[tuple[int, ...], Riddle] = field(default_factory=dict)
    _refusals: dict[frozenset[int], Answer] = field(default_factory=dict)

    def is_possible(self, some: Sequence[Rule]) -> bool:
        """Whether any line keeps some of the laws.

        Raises
        ------
        TooMuchToRememberError
            If it cannot be told.
        """
        ways = (
            partial(self._in_a_lattice, max_moves=MAX_MOVES_OF_A_STEP),
            self._quickly,
            partial(self._case_by_case, max_moves=MAX_MOVES_OF_A_STEP),
            partial(self._in_a_lattice, max_moves=MAX_MOVES_IN_NEED),
            self._patiently,
            partial(self._case_by_case, max_moves=MAX_MOVES_IN_NEED),
            self._pair_by_pair,
        )
        for ask in ways:
            with suppress(TooMuchToRememberError):
                return ask(some)
        raise TooMuchToRememberError(some)

    def _in_a_lattice(self, some: Sequence[Rule], *, max_moves: int) -> bool:
        return is_possible(self.potentials, self.moments, some, max_moves=max_moves)

    def _quickly(self, some: Sequence[Rule]) -> bool:
        return self.answer(some, is_patient=False).line is not None

    def _patiently(self, some: Sequence[Rule]) -> bool:
        return self.answer(some).line is not None

    def _pair_by_pair(self, some: Sequence[Rule]) -> bool:
        """Whether any line keeps some of the laws: none does where two with a memory contradict those without one."""
        for few in combinations([law for law in some if law.remembers], 2):
            with suppress(TooMuchToRememberError):
                one = [law for law in some if not law.remembers or is_among(law, few)]
                if not self._in_a_lattice(one, max_moves=MAX_MOVES_IN_NEED):
                    return False
        raise TooMuchToRememberError(some)

    def _case_by_case(self, some: Sequence[Rule], *, max_moves: int) -> bool:
        """Whether any line keeps some of the laws, asked of one case after the other."""
        splitter = Splitter(self.potentials.alphabet, self.moments)
        waiting = splitter.split(some)
        if waiting is None:
            raise TooMuchToRememberError(some)
        for _ in range(_MAX_LATTICES):
            if not waiting:
                return False
            case = waiting.pop()
            try:
                if self._in_a_lattice(case, max_moves=max_moves):
                    return True
            except RequestError:  # also of a case whose ties cross others
                smaller = splitter.split(case)
                if smaller is None:
                    raise TooMuchToRememberError(some) from None
                waiting += smaller
        raise TooMuchToRememberError(some)

    def answer(
        self,
        some: Sequence[Rule] | None = None,
        *,
        like: NDArray[np.int64] | None = None,
        is_patient: bool = True,
    ) -> Answer:
        """Look for any line that keeps some of the laws, which must have their places; all of them if left out.

        Parameters
        ----------
        some
            Of the laws.
        like
            Symbols of a line that should be followed as far as possible.
        is_patient
            Whether to go on after about a second.

        Raises
        ------
        TooMuchToRememberError
            If it cannot be told.
        """
        asked = self.laws if some is None else some
        question = frozenset(map(id, asked))
        if question in self._refusals:
            return self._refusals[question]
        ties, watching = _ties_and_watching(asked, self.moments)
        base = [law for law in asked if not law.remembers or isinstance(law, SameBars)]
        key = tuple(map(id, base))
        if key not in self._riddles:
            all_watching = _ties_and_watching(self.laws, self.moments)[1]
            lattice = _plain_lattice(self.potentials, self.moments, asked, ties)
            self._riddles[key] = Riddle(lattice, ties, all_watching, self.moments, self.potentials.alphabet.low)
        riddle = self._riddles[key]
        named = [law for law in riddle.laws if any(law is one or (is_plain(law) and law == one) for one in watching)]
        answer = riddle.answer(named, like=like, is_patient=is_patient)
        if answer.line is None:
            self._refusals[question] = answer
        return answer

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
    return compile_line(without_holds_into(potentials, ties), moments, [law for law in laws if not law.remembers])


def _ties_and_watching(laws: Sequence[Rule], moments: Sequence[Moment]) -> tuple[tuple[Tie, ...], list[Rule]]:
    """Return the ties among laws, and those that remember something else; what is said twice is said once."""
    ties = tuple(tie_of(law, moments) for law in laws if isinstance(law, SameBars))
    watching = [law for law in laws if law.remembers and not isinstance(law, SameBars)]
    return ties, [law for i, law in enumerate(watching) if not (is_plain(law) and law in watching[:i])]
