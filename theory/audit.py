"""The audit: which rules finished music breaks, and where.

It asks each rule itself about whole notes (:meth:`theory.rules.Rule.breaches`): the decoder's automata,
masks and tables play no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from theory.rules.base import LineNote, Moment, Rule

__all__ = ["LineNote", "Violation", "audit_line"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of one rule.

    Parameters
    ----------
    rule
        The rule that is broken.
    moment
        Where.
    what
        What sounds there, in words.
    """

    rule: Rule
    moment: Moment
    what: str

    def __str__(self) -> str:
        """Return a line such as ``bar 3 beat 1: C#5 breaks in key``."""
        return f"{self.moment}: {self.what} breaks {self.rule}"


def audit_line(notes: Sequence[LineNote], moments: Sequence[Moment], rules: Sequence[Rule]) -> list[Violation]:
    """Return every violation in one voice.

    Parameters
    ----------
    notes
        In order, none overlapping another.
    moments
        One for each step of the piece.
    rules
        What to judge by.

    Returns
    -------
    list of Violation
        By rule, then by place. A note is judged at every step it sounds, so a held one may be found more
        than once; the decoder charges a preference just as often. A rule whose place the piece has not is
        broken at the end.
    """
    found: list[Violation] = []
    for rule in rules:
        if not moments:
            continue
        if rule.has_place(moments):
            by_place = sorted(rule.breaches(notes, moments), key=itemgetter(0))
        else:
            by_place = [*sorted(rule.breaches(notes, moments), key=itemgetter(0)), (len(moments) - 1, _NO_PLACE)]
        found += [Violation(rule, moments[step], what) for step, what in by_place]
    return found


_NO_PLACE = "a piece without that place"
