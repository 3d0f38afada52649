"""Why a request is impossible: the first step nothing can pass, whom to blame, and what would mend it.

The blame is irreducible: without any one of the rules in it, the others leave at least one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import combinations

import numpy as np

from symgen.decode.ask import Asker
from symgen.decode.blame import irreducible, quarrel, remedy
from symgen.decode.infer import forward_support
from symgen.decode.memory import TooMuchToRememberError
from symgen.decode.plan import is_among, is_possible, untied_lattice
from symgen.errors import InfeasibleError
from symgen.potentials import LinePotentials
from theory.rules import Moment, Rule, SameBars

__all__ = ["explain_infeasible", "first_impossible_step", "irreducible_blame", "sole_obstacles"]


def explain_infeasible(
    potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule], asker: Asker | None = None
) -> InfeasibleError:
    """Return the error that says why no line keeps the laws among the rules.

    Parameters
    ----------
    potentials, moments, rules
        What was asked for, and is impossible.
    asker
        Of the laws among the rules, if there is one already.
    """
    laws = [rule for rule in rules if rule.is_law]
    asker = asker or Asker(potentials, moments, laws)
    blame = irreducible_blame(potentials, moments, laws, asker)
    obstacles = sole_obstacles(potentials, moments, laws, blame, asker)
    # Seen with the blamed alone: other laws may clash elsewhere, and the place must fit the names.
    where = moments[first_impossible_step(potentials, moments, blame)]
    words, mended = tuple(map(str, blame)), tuple(map(str, obstacles))
    key = f" ({where.key})" if where.key else ""
    message = f"{where}: {quarrel(words, 'the model allows nothing here')}{key}{remedy(words, mended)}"
    if blame and _is_possible_between_slots(potentials, moments, blame):
        message += "; the model's notes start and end at some places of a beat only, and none of these will do"
    return InfeasibleError(message, str(where), words, mended)


def _is_possible_between_slots(potentials: LinePotentials, moments: Sequence[Moment], blame: Sequence[Rule]) -> bool:
    """Whether some line would keep the laws if notes could start and end at every step."""
    if potentials.closed is None or not potentials.closed.any():
        return False
    try:
        return is_possible(replace(potentials, closed=None), moments, blame)
    except TooMuchToRememberError:
        return False


def first_impossible_step(potentials: LinePotentials, moments: Sequence[Moment], laws: Sequence[Rule]) -> int:
    """Return the first step that no line through all steps before it can pass.

    Where only the end of the line is impossible, that is the last step; where bars that must come back can be sung but
    not come back, the first step of the repeat.
    """
    lattice, ties, judged = untied_lattice(potentials, moments, laws)
    if judged:
        with suppress(TooMuchToRememberError):  # then what the lattice knows
            return Asker(potentials, moments, laws).first_impossible_step()
    support = forward_support(lattice)
    passed = support[1:].any(axis=1)
    if not passed.all():
        return int(np.argmin(passed))
    return min((tie.target_start for tie in ties), default=len(moments) - 1)


def irreducible_blame(
    potentials: LinePotentials, moments: Sequence[Moment], laws: Sequence[Rule], asker: Asker | None = None
) -> tuple[Rule, ...]:
    """Return laws that contradict each other, none of which can be spared; none if the potentials allow no line.

    Parameters
    ----------
    potentials, moments
        Of the request.
    laws
        Which no line keeps all of.
    asker
        Of the request, if there is one already.

    Notes
    -----
    Quarrels among few laws are looked for first, since laws with a memory are dear to compile: among those without
    one, then with one of the others, then with two, as far as a lattice can tell. If none is found, the solver names
    laws that are enough, if it is quick or has done so already. See :func:`symgen.decode.blame.irreducible`.
    """
    asker = asker or Asker(potentials, moments, laws)

    def is_impossible(some: Sequence[Rule]) -> bool:
        return not asker.is_possible(some)

    remembering = [law for law in laws if law.remembers]
    for n in range(min(3, len(remembering))):
        for few in combinations(remembering, n):
            some = [law for law in laws if not law.remembers or is_among(law, few)]
            try:
                possible = is_possible(potentials, moments, some)
            except TooMuchToRememberError:
                continue
            if not possible:
                return tuple(irreducible(some, is_impossible))
    some = list(laws)
    if all(law.has_place(moments) for law in laws):
        with suppress(TooMuchToRememberError):
            enough = asker.answer(laws, is_patient=False).blamed
            some = [law for law in laws if not law.remembers or isinstance(law, SameBars) or is_among(law, enough)]
        some = _fewer(some, asker)
    return tuple(irreducible(some, is_impossible))


def _fewer(laws: Sequence[Rule], asker: Asker) -> list[Rule]:
    """Return some of a few laws, which are impossible too, if two of those with a memory, or all of them, are.

    Each law that need not be spared one by one saves a question that may be hard.
    """
    remembering = [law for law in laws if law.remembers]
    for few in [*combinations(remembering, 2), remembering]:
        with suppress(TooMuchToRememberError):
            if not asker.is_possible(few):
                return list(few)
    return list(laws)


def sole_obstacles(
    potentials: LinePotentials,
    moments: Sequence[Moment],
    laws: Sequence[Rule],
    blame: Sequence[Rule],
    asker: Asker | None = None,
) -> tuple[Rule, ...]:
    """Return the laws any one of which, left out alone, would make the request possible.

    Parameters
    ----------
    potentials, moments, laws
        The request.
    blame
        Its irreducible blame: no other law can be a sole obstacle, for the blamed would still contradict each other.
    asker
        Of the request, if there is one already.
    """
    asker = asker or Asker(potentials, moments, laws)
    found = []
    for law in blame:
        rest = [other for other in laws if str(other) != str(law)]  # the same rule given twice is one
        try:  # what is quick to tell first
            plain = [other for other in rest if not other.remembers]
            possible = is_possible(potentials, moments, plain) and asker.is_possible(rest)
        except TooMuchToRememberError:  # left unsaid: it cannot be told
            continue
        if possible:
            found.append(law)
    return tuple(found)
