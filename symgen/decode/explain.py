"""Why a request is impossible: the first step nothing can pass, and whom to blame.

The blame is irreducible: without any one of the rules in it, the others leave at least one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from symgen.decode.compile import compile_line
from symgen.decode.infer import forward_support, has_line
from symgen.errors import InfeasibleError
from symgen.potentials import LineArcs, LinePotentials
from theory.rules import Moment, Rule

__all__ = ["explain_infeasible", "first_impossible_step", "irreducible_blame"]


def explain_infeasible(potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule]) -> InfeasibleError:
    """Return the error that says why no line keeps the laws among the rules.

    Parameters
    ----------
    potentials, moments, rules
        What was asked for, and is impossible.
    """
    laws = [rule for rule in rules if rule.is_law]
    where = moments[first_impossible_step(potentials, moments, laws)]
    blame = irreducible_blame(potentials, moments, laws)
    words = tuple(str(rule) for rule in blame)
    key = f" ({where.key})" if where.key is not None else ""
    if len(words) == 1:
        message = f"{where}: {words[0]} cannot be met{key}"
    else:
        message = f"{where}: {' contradicts '.join([words[0], ' with '.join(words[1:])])}{key}"
    return InfeasibleError(message, str(where), words)


def first_impossible_step(potentials: LinePotentials, moments: Sequence[Moment], laws: Sequence[Rule]) -> int:
    """Return the first step that no line through all steps before it can pass.

    Where only the end of the line is impossible, that is the last step.
    """
    support = forward_support(compile_line(_without_taste(potentials), moments, laws))
    passed = support[1:].any(axis=1)
    return int(np.argmin(passed)) if not passed.all() else len(moments) - 1


def irreducible_blame(potentials: LinePotentials, moments: Sequence[Moment], laws: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return laws that contradict each other, none of which can be spared.

    Parameters
    ----------
    potentials, moments
        Of the request.
    laws
        Which no line keeps all of.

    Notes
    -----
    Each law is left out in turn, the last ones first, and for good if the rest is impossible all the
    same: one feasibility check for each law. So where there is a choice, the laws named first are blamed.
    """
    plain = _without_taste(potentials)
    blamed = list(laws)
    for law in reversed(laws):
        rest = [other for other in blamed if other is not law]
        if not has_line(compile_line(plain, moments, rest)):
            blamed = rest
    return tuple(blamed)


def _without_taste(potentials: LinePotentials) -> LinePotentials:
    """Return potentials that allow what these allow and prefer nothing."""
    flat = np.where(np.isneginf(potentials.step), -np.inf, 0.0)
    return replace(potentials, step=flat, arcs=LineArcs.flat(potentials.alphabet.n_pitches))
