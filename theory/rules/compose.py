"""Rules made of rules: all of some, any of some, not one, and in some bars only.

A rule is a statement about a line, so rules join as statements do. As one of several parts each is asked
only whether the line keeps it; the price of such a part does not count, that of the whole does.

>>> from theory.rules.melody import LargestLeap, RepeatedNotes
>>> print(AnyOf((LargestLeap(4), Not(RepeatedNotes(2)))))
(largest leap 4 semitones, or not (at most 2 times the same note in a row))
>>> print(InBars(LargestLeap(4), 3, 4))
largest leap 4 semitones, in bars 3 to 4
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import Any

from theory.errors import TheoryError
from theory.rules.base import Event, LineNote, Moment, Rule, RuleWithMemory, Watch

__all__ = ["AllOf", "AnyOf", "InBars", "Not"]

_ANYTHING = Rule()


class _Fate(Enum):
    """What is settled about a part; no memory that a part has itself."""

    BROKEN = "the line has broken it"
    DONE = "it was to be broken, and is"


_BROKEN, _DONE = _Fate.BROKEN, _Fate.DONE


def _widest(watched: Sequence[Watch]) -> Watch:
    """Return what must be watched to watch all of these."""
    kinds = set(watched) - {"rhythm"}
    if not kinds:
        return "rhythm"
    return "all" if len(kinds) > 1 else kinds.pop()


def _take_price(whole: Rule, part: Rule) -> None:
    """Give a law made of a preference the price of that, so that no preference becomes a law by being confined."""
    if whole.is_law:
        object.__setattr__(whole, "cost", part.cost)
    object.__setattr__(whole, "rule", _without_price(part))


def _without_price(part: Rule) -> Rule:
    """Return a rule as a law: as a part of another its price does not count."""
    if part.is_law:
        return part
    law = copy(part)
    object.__setattr__(law, "cost", math.inf)
    return law


def _kept_so_far(rule: Rule, moments: Sequence[Moment]) -> Any:
    return rule.start(moments) if rule.has_place(moments) else _BROKEN


def _next(rule: Rule, memory: Any, event: Event, moment: Moment) -> Any:
    """Return the memory of a part after an event."""
    if memory == _BROKEN:
        return _BROKEN
    memory, broken = rule.after(memory, event, moment)
    return _BROKEN if broken else memory


def _is_broken_at_end(rule: Rule, memory: Any, last: int | None, moment: Moment) -> bool:
    return bool(memory == _BROKEN or rule.at_end(memory, last, moment))


def _first_breach(rule: Rule, notes: Sequence[LineNote], moments: Sequence[Moment]) -> tuple[int, str] | None:
    """Return where a line first breaks a rule, if it does."""
    if not rule.has_place(moments):
        return len(moments) - 1, "a piece without that place"
    return min(rule.breaches(notes, moments), default=None, key=lambda breach: breach[0])


@dataclass(frozen=True)
class _Joined(RuleWithMemory):
    """Several rules in one.

    Parameters
    ----------
    rules
        At least two.
    """

    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(_without_price(rule) for rule in self.rules))
        if len(self.rules) < 2:
            msg = f"{type(self).__name__}: expected at least two rules"
            raise TheoryError(msg)
        super().__post_init__()

    @property
    def watches(self) -> Watch:
        """All that any part watches."""
        return _widest([rule.watches for rule in self.rules])

    def sees(self, moment: Moment) -> Hashable:
        """Return all that any part sees."""
        return tuple(rule.sees(moment) for rule in self.rules)

    def start(self, moments: Sequence[Moment]) -> tuple[Any, ...]:
        """Return the memories of the parts."""
        return tuple(_kept_so_far(rule, moments) for rule in self.rules)

    def _step(self, memory: tuple[Any, ...], event: Event, moment: Moment) -> tuple[Any, ...]:
        return tuple(_next(rule, part, event, moment) for rule, part in zip(self.rules, memory, strict=True))

    def _broken_at_end(self, memory: tuple[Any, ...], last: int | None, moment: Moment) -> list[bool]:
        parts = zip(self.rules, memory, strict=True)
        return [_is_broken_at_end(rule, part, last, moment) for rule, part in parts]


@dataclass(frozen=True)
class AllOf(_Joined):
    """The line keeps every one of some rules; if not, that is one violation, where the first of them is broken."""

    def after(
        self, memory: tuple[Any, ...] | _Fate, event: Event, moment: Moment
    ) -> tuple[tuple[Any, ...] | _Fate, int]:
        """Ask every part, until one is broken."""
        if isinstance(memory, _Fate):
            return memory, 0
        if _BROKEN in memory:  # from the start, for want of a place
            return _BROKEN, 1
        now = self._step(memory, event, moment)
        return (_BROKEN, 1) if _BROKEN in now else (now, 0)

    def at_end(self, memory: tuple[Any, ...] | _Fate, last: int | None, moment: Moment) -> int:
        """Ask every part about the end."""
        return 0 if isinstance(memory, _Fate) else int(any(self._broken_at_end(memory, last, moment)))

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield where the first part is broken."""
        found = [breach for rule in self.rules if (breach := _first_breach(rule, notes, moments)) is not None]
        yield from sorted(found)[:1]

    def words(self) -> str:
        """Return the parts, joined by ``and``."""
        return f"({', and '.join(rule.words() for rule in self.rules)})"


@dataclass(frozen=True)
class AnyOf(_Joined):
    """The line keeps at least one of some rules; if not, that is one violation, where the last of them is broken."""

    def after(
        self, memory: tuple[Any, ...] | _Fate, event: Event, moment: Moment
    ) -> tuple[tuple[Any, ...] | _Fate, int]:
        """Ask every part that is not broken yet."""
        if isinstance(memory, _Fate):
            return memory, 0
        now = self._step(memory, event, moment)
        return (_BROKEN, 1) if all(part == _BROKEN for part in now) else (now, 0)

    def at_end(self, memory: tuple[Any, ...] | _Fate, last: int | None, moment: Moment) -> int:
        """Ask what is left about the end."""
        return 0 if isinstance(memory, _Fate) else int(all(self._broken_at_end(memory, last, moment)))

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield where the last part is broken, if all are."""
        found = [_first_breach(rule, notes, moments) for rule in self.rules]
        if moments and all(breach is not None for breach in found):
            yield max(breach for breach in found if breach is not None)

    def words(self) -> str:
        """Return the parts, joined by ``or``."""
        return f"({', or '.join(rule.words() for rule in self.rules)})"


@dataclass(frozen=True)
class Not(RuleWithMemory):
    """The line breaks a rule somewhere, at least once.

    Parameters
    ----------
    rule
        The rule to break. Its price is that of the whole, unless the whole has one.
    """

    rule: Rule = _ANYTHING

    def __post_init__(self) -> None:
        _take_price(self, self.rule)
        super().__post_init__()

    @property
    def watches(self) -> Watch:
        """What the part watches."""
        return self.rule.watches

    def sees(self, moment: Moment) -> Hashable:
        """Return what the part sees."""
        return self.rule.sees(moment)

    def start(self, moments: Sequence[Moment]) -> Any:
        """Return the memory of the part."""
        return self._settled(_kept_so_far(self.rule, moments))

    def _settled(self, memory: Any) -> Any:
        # A part that is broken is what this rule asks for: not to be taken for this rule's being broken. What the
        # part remembers is wrapped, since it may be made of such rules itself.
        return _DONE if memory == _BROKEN else (memory,)

    def after(self, memory: Any, event: Event, moment: Moment) -> tuple[Any, int]:
        """Ask the part until it is broken."""
        return memory if memory == _DONE else self._settled(_next(self.rule, memory[0], event, moment)), 0

    def at_end(self, memory: Any, last: int | None, moment: Moment) -> int:
        """Judge whether the part was ever broken."""
        return int(memory != _DONE and not _is_broken_at_end(self.rule, memory[0], last, moment))

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield the last step if nothing breaks the part."""
        if moments and _first_breach(self.rule, notes, moments) is None:
            yield len(moments) - 1, f"a line that keeps {self.rule.words()}"

    def words(self) -> str:
        """Return such as ``not (in key)``."""
        return f"not ({self.rule.words()})"


@dataclass(frozen=True)
class InBars(RuleWithMemory):
    """A rule that holds from one bar to another, as if these bars were the whole piece.

    A note held into the first bar counts as starting there; the last note of the last bar is the last one.

    Parameters
    ----------
    rule
        What holds. Its price is that of the whole, unless the whole has one.
    first, last
        Bars, counted from 1, both included.
    """

    rule: Rule = _ANYTHING
    first: int = 1
    last: int = 1

    def __post_init__(self) -> None:
        _take_price(self, self.rule)
        super().__post_init__()
        if not 1 <= self.first <= self.last:
            msg = f"from bar {self.first} to bar {self.last}: expected two bars from 1, in their order"
            raise TheoryError(msg)

    @property
    def remembers(self) -> bool:
        """Only where the part does, or judges more than single steps."""
        plain = (Rule.permits_move, Rule.permits_last, Rule.permits_no_notes)
        judged = (type(self.rule).permits_move, type(self.rule).permits_last, type(self.rule).permits_no_notes)
        return self.rule.remembers or judged != plain

    @property
    def watches(self) -> Watch:
        """What the part watches: that tells of a note held into the bars as well."""
        return self.rule.watches

    def _is_inside(self, moment: Moment) -> bool:
        return self.first <= moment.bar <= self.last

    def _is_start(self, moment: Moment) -> bool:
        return moment.bar == self.first and moment.is_bar_start

    def _is_end(self, moment: Moment) -> bool:
        return moment.bar == self.last and moment.is_bar_end

    def _passage(self, moments: Sequence[Moment]) -> range:
        """Return the steps of the passage."""
        inside = [step for step, moment in enumerate(moments) if self._is_inside(moment)]
        return range(inside[0], inside[-1] + 1) if inside else range(0)

    def has_place(self, moments: Sequence[Moment]) -> bool:
        """Whether the piece has these bars, and in them what the part asks for."""
        bars = {moment.bar for moment in moments}
        steps = self._passage(moments)
        return {self.first, self.last} <= bars and self.rule.has_place(moments[steps.start : steps.stop])

    def sees(self, moment: Moment) -> Hashable:
        """Return, inside the bars, what the part sees, and whether they begin or end."""
        if not self._is_inside(moment):
            return None
        # The end of the passage is judged by its last moment, whatever the part has seen of it before.
        end = moment if self._is_end(moment) else None
        return self.rule.sees(moment), self._is_start(moment), end

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether this is outside the bars, or permitted by the part."""
        starts = is_onset or self._is_start(moment)
        return not self._is_inside(moment) or self.rule.permits_note(pitch, moment, is_onset=starts)

    def permits_rest(self, moment: Moment) -> bool:
        """Whether this is outside the bars, or permitted by the part."""
        return not self._is_inside(moment) or self.rule.permits_rest(moment)

    def start(self, moments: Sequence[Moment]) -> Any:
        """Return the memory of the part, to be used when the bars begin; outside them nothing is remembered."""
        steps = self._passage(moments)
        return _Waiting(self.rule.start(moments[steps.start : steps.stop]))

    def after(self, memory: Any, event: Event, moment: Moment) -> tuple[Any, int]:
        """Pass on what happens inside the bars, and judge their end."""
        if not self.remembers:
            return super().after(memory, event, moment)
        if not self._is_inside(moment):
            return memory if isinstance(memory, _Waiting) else None, 0
        inner, has_notes = memory.memory, isinstance(memory, _Inside) and memory.has_notes
        is_onset = event.is_onset or (event.pitch is not None and self._is_start(moment))
        heard = Event(event.pitch, is_onset, event.previous if has_notes else None)
        inner, broken = self.rule.after(inner, heard, moment)
        has_notes = has_notes or is_onset
        if not self._is_end(moment):
            return _Inside(inner, has_notes), broken
        last = event.pitch if event.pitch is not None else event.previous
        return None, broken + self.rule.at_end(inner, last if has_notes else None, moment)

    def at_end(self, memory: Any, last: int | None, moment: Moment) -> int:
        """Judge bars that are cut short by the end of the piece."""
        if not self.remembers or not isinstance(memory, _Inside):
            return 0
        return self.rule.at_end(memory.memory, last if memory.has_notes else None, moment)

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield what breaks the part, in the bars cut out of the piece."""
        steps = self._passage(moments)
        if not steps:
            return
        inside = [
            LineNote(max(note.onset, steps.start) - steps.start, min(note.end, steps.stop) - steps.start, note.pitch)
            for note in notes
            if note.onset < steps.stop and note.end > steps.start
        ]
        for step, what in self.rule.breaches(inside, moments[steps.start : steps.stop]):
            yield steps.start + step, what

    def words(self) -> str:
        """Return such as ``largest leap 4 semitones, in bars 3 to 4``."""
        place = f"in bar {self.first}" if self.first == self.last else f"in bars {self.first} to {self.last}"
        return f"{self.rule.words()}, {place}"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The bars are still to come; the memory their rule will start with."""

    memory: Any


@dataclass(frozen=True, slots=True)
class _Inside:
    """In the bars: the memory of the rule, and whether a note has started in them."""

    memory: Any
    has_notes: bool
