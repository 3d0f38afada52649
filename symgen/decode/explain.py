"""Why a request is impossible: the first step nothing can pass, and whom to blame.

The blame is irreducible: without any one of the rules in it, the others leave at least one line.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symgen.decode.compile import compile_line
from symgen.decode.infer import forward_support, has_line
from symgen.errors import InfeasibleError
from symgen.potentials import LinePotentials
from theory.rules import Moment, Rule

__all__ = ["explain_infeasible", "first_impossible_step", "irreducible_blame"]


def explain_infeasible(potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule]) -> InfeasibleError:
    """Return the error that says why no line keeps the laws among the rules.

    Parameters
    ----------
    potentials, moments, rules
        What was asked for, and is impossible.
    """
    blame = irreducible_blame(potentials, moments, [rule for rule in rules if rule.is_law])
    # Seen with the blamed alone: other laws may clash elsewhere, and the place must fit the names.
    where = moments[first_impossible_step(potentials, moments, blame)]
    words = tuple(str(rule) for rule in blame)
    return InfeasibleError(f"{where}: {_quarrel(words)}" + (f" ({where.key})" if where.key else ""), str(where), words)


def _quarrel(words: tuple[str, ...]) -> str:
    if not words:
        return "the model allows nothing here"
    if len(words) == 1:
        return f"{words[0]} cannot be met"
    return f"{words[0]} contradicts {' with '.join(words[1:])}"


def first_impossible_step(potentials: LinePotentials, moments: Sequence[Moment], laws: Sequence[Rule]) -> int:
    """Return the first step that no line through all steps before it can pass.

    Where only the end of the line is impossible, that is the last step.
    """
    support = forward_support(compile_line(potentials, moments, laws))
    passed = support[1:].any(axis=1)
    return int(np.argmin(passed)) if not passed.all() else len(moments) - 1


def irreducible_blame(potentials: LinePotentials, moments: Sequence[Moment], laws: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return laws that contradict each other, none of which can be spared; none if the potentials allow no line.

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
    blamed = list(laws)
    for place in reversed(range(len(blamed))):
        rest = blamed[:place] + blamed[place + 1 :]
        if not has_line(compile_line(potentials, moments, rest)):
            blamed = rest
    return tuple(blamed)
