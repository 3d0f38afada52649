"""What a rule charges whole lines, many of them: its answers are kept, so that each is asked for once."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from symgen.alphabet import HOLD, N_SPECIAL, REST
from theory.rules import Event, Moment, Rule

__all__ = ["LineJudge", "event_of"]

_Answer = tuple[int, int]  # number of the memory after an event, and violations


@dataclass(frozen=True, slots=True)
class LineJudge:
    """A rule, and what it has answered.

    Parameters
    ----------
    rule
        That judges.
    moments
        One for each step.
    kinds
        For each step the number of what the rule sees there.
    low
        MIDI pitch of the lowest symbol that starts a note.
    has_place
        Whether the piece has the places that the rule names.
    """

    rule: Rule
    moments: Sequence[Moment]
    kinds: tuple[int, ...]
    low: int
    has_place: bool
    _memories: list[Hashable]
    _numbers: dict[Hashable, int]
    _known: dict[tuple[int, int, int, int | None], _Answer] = field(default_factory=dict)

    @classmethod
    def of(cls, rule: Rule, moments: Sequence[Moment], low: int) -> LineJudge:
        """Return the judge of the lines of a piece."""
        seen: dict[Hashable, int] = {}
        kinds = tuple(seen.setdefault(rule.sees(moment), len(seen)) for moment in moments)
        start = rule.start(moments)
        return cls(rule, moments, kinds, low, rule.has_place(moments), [start], {start: 0})

    def price(self, symbols: Sequence[int]) -> float:
        """Return what a line is charged; its symbols are those of a line of the alphabet."""
        memory, last = 0, None
        broken = int(not self.has_place)
        for step, (kind, symbol) in enumerate(zip(self.kinds, symbols, strict=True)):
            answer = self._known.get((kind, memory, symbol, last))
            if answer is None:
                answer = self._asked(step, memory, symbol, last)
            memory, more = answer
            if more:
                broken += more
                if self.rule.is_law:
                    return math.inf
            if symbol >= N_SPECIAL:
                last = self.low + symbol - N_SPECIAL
        broken += self.rule.at_end(self._memories[memory], last, self.moments[-1])
        return self.rule.cost * broken if broken else 0.0

    def _asked(self, step: int, memory: int, symbol: int, last: int | None) -> _Answer:
        event = event_of(symbol, last, self.low)
        after, broken = self.rule.after(self._memories[memory], event, self.moments[step])
        number = self._numbers.setdefault(after, len(self._numbers))
        if number == len(self._memories):
            self._memories.append(after)
        self._known[self.kinds[step], memory, symbol, last] = number, broken
        return number, broken


def event_of(symbol: int, last: int | None, low: int) -> Event:
    """Return what a symbol does after a last pitch; ``low`` is the MIDI pitch of the first symbol of a note."""
    if symbol == REST:
        return Event(None, False, last)
    if symbol == HOLD:
        return Event(last, False, last)
    return Event(low + symbol - N_SPECIAL, True, last)
