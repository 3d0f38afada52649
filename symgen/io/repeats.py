"""The order in which measures sound, given their repeat signs and endings.

A reader of real scores meets endings whose brackets stop too early, skip a number or stand without a
repeat; what is clear is kept and the rest is played straight on.

>>> Signs(starts={0}, ends={3: 2}, endings=(Ending(3, 3, {1}), Ending(4, 4, {2}))).order(6)
[0, 1, 2, 3, 0, 1, 2, 4, 5]
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

__all__ = ["Ending", "Signs"]

_MOST_TIMES = 8


@dataclass(frozen=True, slots=True)
class Ending:
    """A bracket over measures ``first`` to ``last``, sounding only in the passes of ``numbers``."""

    first: int
    last: int
    numbers: Collection[int]


@dataclass(frozen=True, slots=True)
class Signs:
    """Repeat signs, by the index of their measure.

    Parameters
    ----------
    starts
        Measures that open with a repeat sign.
    ends
        Measures that close with one, and how often the section sounds, at most eight times.
    endings
        The brackets.
    """

    starts: Collection[int] = ()
    ends: Mapping[int, int] = field(default_factory=dict)
    endings: tuple[Ending, ...] = ()

    def order(self, n_measures: int) -> list[int]:
        """Return the measures in the order they sound."""
        ending_at = {m: (e, group) for group in self._groups() for e in group for m in range(e.first, e.last + 1)}
        sounding = []
        place, opening, turn = 0, 0, 1  # every jump back makes turn larger, every new section opening: it must end
        while place < n_measures:
            ending, group = ending_at.get(place, (None, ()))
            is_past_endings = place - 1 in ending_at and ending_at[place - 1][1] is not group
            if place > opening and (is_past_endings or (place in self.starts and ending in (None, *group[:1]))):
                opening, turn = place, 1
            if ending is not None and turn not in ending.numbers:
                place = ending.last + 1
                continue
            sounding.append(place)
            if place in self.ends and turn < self._times(place, group):
                place, turn = opening, turn + 1
                continue
            place += 1
            if place - 1 in self.ends and place not in ending_at:
                opening, turn = place, 1
        return sounding

    def _times(self, place: int, group: tuple[Ending, ...]) -> int:
        """Return how often the section that closes here sounds."""
        return min(_MOST_TIMES, max([self.ends[place], *(max(ending.numbers) for ending in group)]))

    def _groups(self) -> list[tuple[Ending, ...]]:
        """Return the brackets in groups that can be played: adjacent ones, the first with a repeat at its end."""
        groups: list[list[Ending]] = []
        for ending in sorted(self.endings, key=lambda e: (e.first, e.last)):
            previous = groups[-1][-1] if groups else None
            if previous is not None and ending.first <= previous.last + 1:
                if ending.first > previous.last:
                    groups[-1].append(self._closed(ending, ending.last))
                continue
            first = self._closed(ending, max(self._next_start(ending) - 1, ending.last))
            if first.last in self.ends:
                groups.append([first])
        return [_numbered(group) for group in groups]

    def _next_start(self, ending: Ending) -> int:
        return min((e.first for e in self.endings if e.first > ending.first), default=ending.last + 1)

    def _closed(self, ending: Ending, limit: int) -> Ending:
        """End a bracket at the first repeat sign up to a limit, if there is one."""
        closing = [measure for measure in self.ends if ending.first <= measure <= limit]
        return replace(ending, last=min(closing, default=ending.last))


def _numbered(group: list[Ending]) -> tuple[Ending, ...]:
    """Give endings their place as number, unless their own numbers are 1, 2, 3 and so on."""
    numbers = [n for ending in group for n in ending.numbers]
    if numbers == list(range(1, len(numbers) + 1)):
        return tuple(group)
    return tuple(replace(ending, numbers={i + 1}) for i, ending in enumerate(group))
