"""Rules for a part of a line whose other notes are given: only what is new is judged.

Music a user brings may break any rule. So where some steps are drawn anew, a rule judges what sounds at these steps,
the moves into them and out of them to the first note after, and the last note of the piece if it is among them; never
what stands outside.

>>> from fractions import Fraction
>>> from theory.rules import LargestLeap, Range
>>> moments = [Moment(bar, Fraction(beat), 0) for bar in (1, 2) for beat in (1, 2)]
>>> rule = JudgedInside(rule=Range(60, 72), first=moments[2], last=moments[3])
>>> rule.permits_note(90, moments[0], is_onset=True), rule.permits_note(90, moments[2], is_onset=True)
(True, False)
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from theory.rules import Event, Moment, Rule, SameBars
from theory.rules.base import Watch

__all__ = ["JudgedInside", "judged_inside"]

_ANYTHING = Rule()
_NOWHERE = Moment(0, Fraction(1), 0)


@dataclass(frozen=True)
class JudgedInside(Rule):
    """A rule that judges some steps of a line.

    Parameters
    ----------
    rule
        What it asks; its price is that of the whole.
    first, last
        The moments of the first and the last step that are judged.
    reaches_end
        Whether the last note of the piece is judged.
    by_step
        Whether moves are judged step by step: needed where the lattice holds more of the line than the steps judged
        and the given notes next to them.
    after_last
        Moment of the first note after, the move to which is judged; none if there is none.
    is_placed
        Whether the whole piece has the places that the rule names.
    """

    rule: Rule = _ANYTHING
    first: Moment = _NOWHERE
    last: Moment = _NOWHERE
    reaches_end: bool = False
    by_step: bool = False
    after_last: Moment | None = None
    is_placed: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "cost", self.rule.cost)
        super().__post_init__()

    @property
    def remembers(self) -> bool:
        """Where the part does, or judges moves and these are judged step by step."""
        return self.rule.remembers or (self.by_step and type(self.rule).permits_move is not Rule.permits_move)

    @property
    def watches(self) -> Watch:
        """What the part watches."""
        return self.rule.watches

    def _is_inside(self, moment: Moment) -> bool:
        return self.first[:2] <= moment[:2] <= self.last[:2]

    def _is_after(self, moment: Moment) -> bool:
        return self.after_last is not None and moment[:2] == self.after_last[:2]

    def sees(self, moment: Moment) -> Hashable:
        """Return what the part sees, and whether it judges."""
        return self.rule.sees(moment), self._is_inside(moment), self._is_after(moment)

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether this is given, or permitted by the part."""
        return not self._is_inside(moment) or self.rule.permits_note(pitch, moment, is_onset=is_onset)

    def permits_rest(self, moment: Moment) -> bool:
        """Whether this is given, or permitted by the part."""
        return not self._is_inside(moment) or self.rule.permits_rest(moment)

    def permits_move(self, previous: int, following: int) -> bool:
        """Ask the part."""
        return self.rule.permits_move(previous, following)

    def permits_last(self, pitch: int, moment: Moment) -> bool:
        """Whether the end is given, or permitted by the part."""
        return not self.reaches_end or self.rule.permits_last(pitch, moment)

    def permits_no_notes(self) -> bool:
        """Whether the end is given, or the part permits silence."""
        return not self.reaches_end or self.rule.permits_no_notes()

    def has_place(self, moments: Sequence[Moment]) -> bool:
        """Whether the whole piece has the places, whatever these moments are."""
        return self.is_placed

    def start(self, moments: Sequence[Moment]) -> Any:
        """Return the memory of the part."""
        return self.rule.start(moments)

    def after(self, memory: Any, event: Event, moment: Moment) -> tuple[Any, int]:
        """Tell the part everything, and count what is judged."""
        now, broken = self.rule.after(memory, event, moment)
        if self._is_inside(moment):
            return now, broken
        if not self._is_after(moment):
            return now, 0
        if self.rule.remembers:  # what it looks at besides intervals may be wrong with the given note itself
            return now, broken if self.rule.watches == "interval" else 0
        previous, pitch = event.previous, event.pitch
        is_move = event.interval is not None and previous is not None and pitch is not None
        return now, int(is_move and not self.rule.permits_move(previous, pitch))  # type: ignore[arg-type]  # see is_move

    def at_end(self, memory: Any, last: int | None, moment: Moment) -> int:
        """Ask the part about the end where that is judged."""
        return self.rule.at_end(memory, last, moment) if self.reaches_end else 0

    def words(self) -> str:
        """Return the words of the part."""
        return self.rule.words()


def judged_inside(
    rules: Sequence[Rule], moments: Sequence[Moment], first: int, end: int, following: int | None, *, by_step: bool
) -> list[Rule]:
    """Return rules that judge the steps ``first`` to ``end`` of a piece, where they say anything of them.

    Parameters
    ----------
    rules
        On a line.
    moments
        Of the whole piece.
    first, end
        The steps that are drawn, the first and the one after the last.
    following
        Step of the first given note after them; ``None`` if the last note of the piece is among them.
    by_step
        See :class:`JudgedInside`.
    """
    last, after_last = moments[end - 1], None if following is None else moments[following]
    found: list[Rule] = []
    for rule in rules:
        if isinstance(rule, SameBars) and rule.is_law and rule.has_place(moments):
            # A tie of the lattice, which is not to be hidden; and no tie at all where it binds only given bars.
            if any(part.start < end and first < part.stop for part in rule.passages(moments)):
                found.append(rule)
        else:
            is_placed = rule.has_place(moments)
            found.append(JudgedInside(rule, moments[first], last, following is None, by_step, after_last, is_placed))
    return found
