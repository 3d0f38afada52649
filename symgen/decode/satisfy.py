"""Whether any line keeps all laws, and one that does: by a solver of Boolean satisfiability, where no lattice can tell.

The law of the model is not kept here, only that of the rules: the line that is found follows one that the model likes,
and differs from it where it must. So this is asked last.

References
----------
Audemard and Simon, "Predicting learnt clauses quality in modern SAT solvers", IJCAI 2009, whose solver is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from pysat.solvers import Solver

from symgen.decode.clauses import Clauses, clauses_of
from symgen.decode.lattice import Lattice
from symgen.decode.memory import TooMuchToRememberError
from symgen.decode.tieparts import Tie
from theory.rules import Moment, Rule

__all__ = ["Answer", "Riddle"]

_FEW_CONFLICTS, _MAX_CONFLICTS = 5_000, 60_000
"""About a second, and ten; counts, not times, so that the answer is always the same."""

_FEW_ENDS, _MAX_ENDS = 64, 256

_Line = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the solver found.

    Parameters
    ----------
    line
        Symbols that keep all laws; none if nothing does.
    blamed
        Laws with a memory that cannot be kept together with the rest, where nothing does; maybe more than is needed.
    """

    line: _Line | None
    blamed: tuple[Rule, ...] = ()


@dataclass(slots=True)
class Riddle:
    """A lattice, its ties and laws with a memory, of which some are asked for at a time.

    What is built for one question serves the next.

    Parameters
    ----------
    lattice, ties, laws, moments, low, n_steps
        As for :func:`symgen.decode.clauses.clauses_of`.
    """

    lattice: Lattice
    ties: Sequence[Tie]
    laws: Sequence[Rule]
    moments: Sequence[Moment]
    low: int
    n_steps: int | None = None
    _built: dict[bool, _Built | None] = field(default_factory=dict)

    def answer(
        self, some: Sequence[Rule] | None = None, *, like: _Line | None = None, is_patient: bool = True
    ) -> Answer:
        """Find a line that keeps some of the laws.

        Parameters
        ----------
        some
            Which; all of them if left out.
        like
            Symbols of a line that should be followed as far as possible.
        is_patient
            Whether to go on after about a second.

        Raises
        ------
        TooMuchToRememberError
            If the solver cannot tell either.
        """
        asked = self.laws if some is None else some
        poor = self._with_clauses(is_rich=False)
        if poor is None:
            return Answer(None)
        answer = poor.asked(asked, _FEW_CONFLICTS, like)
        if answer is not None:
            return answer
        if not is_patient:
            raise TooMuchToRememberError(asked)
        rich = self._with_clauses(is_rich=True)
        if rich is not None:
            return _pressed(rich, asked, like)
        fewer = asked if len(asked) < len(self.laws) else [law for law in asked if poor.n_ends(law) <= _FEW_ENDS]
        if len(fewer) < len(self.laws):  # there may be room for those, and they may be enough to contradict each other
            with suppress(TooMuchToRememberError):
                answer = replace(self, laws=fewer, _built={}).answer(like=like)
                if answer.line is None or fewer is asked:
                    return answer
        return _pressed(poor, asked, like)

    def _with_clauses(self, *, is_rich: bool) -> _Built | None:
        """Return a solver that knows the clauses; none where the lattice has no line, or there is no room for them."""
        if is_rich not in self._built:
            try:
                clauses = clauses_of(self.lattice, self.ties, self.laws, self.moments, self.low,
                                     n_steps=self.n_steps, is_rich=is_rich)  # fmt: skip
            except TooMuchToRememberError:
                if not is_rich:
                    raise
                clauses = None
            self._built[is_rich] = None if clauses is None else _Built.of(self.laws, clauses)
        return self._built[is_rich]


def _pressed(built: _Built, laws: Sequence[Rule], like: _Line | None) -> Answer:
    """Ask as long as it makes sense."""
    answer = built.asked(laws, _FEW_CONFLICTS, like)
    if answer is not None:
        return answer
    for law in sorted(laws, key=built.n_ends, reverse=True):
        if 1 < built.n_ends(law) <= _MAX_ENDS:
            answer = built.asked_by_ends(law, laws, like)
            if answer is not None:
                return answer
    answer = built.asked(laws, _MAX_CONFLICTS, like)
    if answer is None:
        raise TooMuchToRememberError(laws)
    return answer


@dataclass(frozen=True, slots=True)
class _Built:
    """A solver that knows clauses, and the number of each law among them by its identity."""

    laws: Sequence[Rule]
    clauses: Clauses
    solver: Solver
    number: dict[int, int]

    @classmethod
    def of(cls, laws: Sequence[Rule], clauses: Clauses) -> _Built:
        solver = Solver(name="glucose42")
        for part in clauses.parts:
            solver.append_formula(part)
        return cls(laws, clauses, solver, {id(law): number for number, law in enumerate(laws)})

    def n_ends(self, law: Rule) -> int:
        """Return how many memories a law may have in the end."""
        return len(self.clauses.ends[self.number[id(law)]])

    def asked(self, laws: Sequence[Rule], n_conflicts: int, like: _Line | None) -> Answer | None:
        """Return the answer, if it is found before so many conflicts."""
        found = _asked(self.solver, self._switches(laws), n_conflicts)
        return None if found is None else self._answer(laws, like, self._core() if not found else None)

    def asked_by_ends(self, law: Rule, laws: Sequence[Rule], like: _Line | None) -> Answer | None:
        """Return the answer, asking for each memory that a law may have in the end, one after the other.

        To know where it comes to, as how high a climax, is often all that is needed.
        """
        core: set[int] = set()
        for end in self.clauses.ends[self.number[id(law)]]:
            found = _asked(self.solver, [*self._switches(laws), end], _FEW_CONFLICTS)
            if found is None:
                return None
            if found:
                return self._answer(laws, like, None)
            core |= self._core()
        return self._answer(laws, like, core)

    def _answer(self, laws: Sequence[Rule], like: _Line | None, core: set[int] | None) -> Answer:
        """Return the line that was found, or the laws of which the core speaks if there is one."""
        if core is not None:
            return Answer(None, tuple(law for law in laws if self._switches([law])[0] in core))
        line = _line_of(self.solver.get_model(), self.clauses)
        return Answer(line if like is None else _followed(self.solver, self.clauses, self._switches(laws), like, line))

    def _switches(self, laws: Sequence[Rule]) -> list[int]:
        return [self.clauses.switches[self.number[id(law)]] for law in laws]

    def _core(self) -> set[int]:
        return set(self.solver.get_core() or ())


def _followed(solver: Solver, clauses: Clauses, switches: Sequence[int], like: _Line, found: _Line) -> _Line:
    """Return a line with as many of the symbols of another as go together; ``found`` if that is too hard to tell.

    Symbols that cannot all stay are given up, as the solver names them, until the rest can.
    """
    wanted = {
        int(variables[symbols == symbol][0])
        for (symbols, variables), symbol in zip(clauses.symbols, like, strict=True)
        if symbol in symbols
    }
    while wanted:
        answer = _asked(solver, [*switches, *sorted(wanted)], _FEW_CONFLICTS)
        if answer is None:
            break
        if answer:
            return _line_of(solver.get_model(), clauses, like)
        wanted -= set(solver.get_core())
    return found


def _asked(solver: Solver, assumptions: Sequence[int], n_conflicts: int) -> bool | None:
    """Ask the solver; nothing is known after so many conflicts."""
    solver.conf_budget(n_conflicts)
    found: bool | None = solver.solve_limited(assumptions=list(assumptions))
    return found


def _line_of(model: Sequence[int], clauses: Clauses, like: _Line | None = None) -> _Line:
    """Return a symbol that is true at each step: that of another line where it is."""
    truth = np.array([0, *model]) > 0
    line = np.zeros(len(clauses.symbols), dtype=np.int64)
    for step, (symbols, variables) in enumerate(clauses.symbols):
        true = symbols[truth[variables]]
        line[step] = like[step] if like is not None and like[step] in true else true[0]
    return line
