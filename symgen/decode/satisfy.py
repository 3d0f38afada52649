"""Whether any line keeps all laws, and one that does: by a solver of Boolean satisfiability, where no lattice can tell.

The law of the model is not kept here, only that of the rules: the solver is told a line that the model likes, and what
it finds differs from that where it must. So this is asked last.

References
----------
Audemard and Simon, "Predicting learnt clauses quality in modern SAT solvers", IJCAI 2009, whose solver is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pysat.solvers import Solver

from symgen.decode.clauses import Clauses, clauses_of
from symgen.decode.lattice import Lattice
from symgen.decode.memory import TooMuchToRememberError
from symgen.decode.tieparts import Tie
from theory.rules import Moment, Rule

__all__ = ["Answer", "beginning_is_possible", "solve_line"]

_FEW_CONFLICTS, _MAX_CONFLICTS = 5_000, 60_000
"""About a second, and ten; counts, not times, so that the answer is always the same."""

_MAX_ENDS = 256

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


def solve_line(
    lattice: Lattice,
    ties: Sequence[Tie],
    laws: Sequence[Rule],
    moments: Sequence[Moment],
    low: int,
    *,
    like: _Line | None = None,
) -> Answer:
    """Find a line of a lattice whose tied segments are equal, and that keeps laws with a memory.

    Parameters
    ----------
    lattice, ties, laws, moments, low
        As for :func:`symgen.decode.clauses.clauses_of`.
    like
        Symbols of a line that should be followed as far as possible.

    Raises
    ------
    TooMuchToRememberError
        If the solver cannot tell either.
    """
    clauses = _clauses(lattice, ties, laws, moments, low)
    if clauses is None:
        return Answer(None)
    with _solver(clauses) as solver:
        if like is not None:
            solver.set_phases([v if s == like[t] else -v for t, (symbols, variables) in enumerate(clauses.symbols)
                               for s, v in zip(symbols.tolist(), variables.tolist(), strict=True)])  # fmt: skip
        is_found, core = _solved(solver, clauses, laws)
        if is_found:
            return Answer(_line_of(solver.get_model(), clauses))
        return Answer(None, tuple(law for law, switch in zip(laws, clauses.switches, strict=True) if switch in core))


def beginning_is_possible(
    lattice: Lattice, ties: Sequence[Tie], laws: Sequence[Rule], moments: Sequence[Moment], low: int, n_steps: int
) -> bool:
    """Whether so many steps can be sung, whatever comes after them."""
    clauses = _clauses(lattice, ties, laws, moments, low, n_steps)
    if clauses is None:
        return False
    with _solver(clauses) as solver:
        return _solved(solver, clauses, laws)[0]


def _clauses(
    lattice: Lattice,
    ties: Sequence[Tie],
    laws: Sequence[Rule],
    moments: Sequence[Moment],
    low: int,
    n_steps: int | None = None,
) -> Clauses | None:
    """Return rich clauses if there is room for them, else the others."""
    try:
        return clauses_of(lattice, ties, laws, moments, low, n_steps=n_steps)
    except TooMuchToRememberError:
        return clauses_of(lattice, ties, laws, moments, low, n_steps=n_steps, is_rich=False)


def _solver(clauses: Clauses) -> Solver:
    solver = Solver(name="glucose42")
    for part in clauses.parts():
        solver.append_formula(part)
    return solver


def _solved(solver: Solver, clauses: Clauses, laws: Sequence[Rule]) -> tuple[bool, set[int]]:
    """Return whether the clauses can be satisfied, and if not the switches that are enough to see it.

    Where that is hard, it is asked for each memory that a law may have in the end, one after the other: to know where
    it comes to, as how high a climax, is often all that is needed. First of all for the law with the most of them.
    """
    found = _asked(solver, clauses.switches, _FEW_CONFLICTS)
    if found is not None:
        return found, set() if found else set(solver.get_core() or ())
    for ends in sorted(clauses.ends, key=len, reverse=True):
        if not 1 < len(ends) <= _MAX_ENDS:
            continue
        core: set[int] = set()
        for end in ends:
            found = _asked(solver, [*clauses.switches, end], _FEW_CONFLICTS)
            if found:
                return True, set()
            if found is None:
                break
            core |= set(solver.get_core() or ())
        else:
            return False, core
    found = _asked(solver, clauses.switches, _MAX_CONFLICTS)
    if found is None:
        raise TooMuchToRememberError(laws)
    return found, set() if found else set(solver.get_core() or ())


def _asked(solver: Solver, assumptions: Sequence[int], n_conflicts: int) -> bool | None:
    """Ask the solver; nothing is known after so many conflicts."""
    solver.conf_budget(n_conflicts)
    found: bool | None = solver.solve_limited(assumptions=list(assumptions))
    return found


def _line_of(model: Sequence[int], clauses: Clauses) -> _Line:
    """Return the symbol that is true at each step."""
    truth = np.array([0, *model]) > 0
    return np.array([symbols[truth[variables]][0] for symbols, variables in clauses.symbols], dtype=np.int64)
