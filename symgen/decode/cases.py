"""Laws with a memory taken apart: the lines that keep one are those of its *cases*, each of which needs little memory.

What a rule remembers is mostly of use only because nobody knows yet how the line will end. Once it is settled that the
climax is an A, it is enough to know of each note whether it is lower, and whether the A has come: two memories in the
place of a hundred. So there is a case for each memory in which a line may leave the rule; memories from which all that
may follow leads there alike are one. A product of automata that is too large for a lattice falls into many small ones.

References
----------
Hopcroft and Ullman, "Introduction to Automata Theory, Languages, and Computation", 1979, section 3.4, on states that
cannot be told apart; here those before each step, since the steps differ.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import N_SPECIAL, LineAlphabet
from symgen.decode.automaton import DEAD, line_automaton
from symgen.decode.memory import MAX_MOVES_OF_A_TABLE, RuleTable, TooMuchToRememberError, table_of
from symgen.decode.merge import numbered
from symgen.potentials import LineArcs
from theory.rules import AllOf, AnyOf, Event, Moment, Not, Rule, RuleWithMemory, SameBars

__all__ = ["Case", "Splitter", "cases_of"]

_MAX_ENDS = 256
"""More cases than this take longer than they are worth."""

_LEAST_GAIN = 2
"""How many times fewer memories the cases of a law must have, for it to be taken apart."""

_Ints = NDArray[np.int64]
_Place = tuple[int, int, int]


def _place_of(moment: Moment) -> _Place:
    """Return the place of a moment: quick to look up, which a moment is not."""
    return moment.bar, moment.beat.numerator, moment.beat.denominator


@dataclass(frozen=True, slots=True)
class _View:
    """What a case knows of a kind of step: a memory for each class before it, and the class of each memory after it."""

    number: int
    before: tuple[Hashable, ...]
    after: Mapping[Hashable, int]


@dataclass(frozen=True, eq=False)
class Case(RuleWithMemory):
    """The lines that keep a law and leave it with one memory in the end; its own memory is a class of the law's.

    Parameters
    ----------
    rule
        The law.
    end
        Its memory in the end.
    views
        What can be remembered at each place.
    """

    rule: Rule
    end: Hashable
    views: Mapping[_Place, _View]

    @property
    def n_memories(self) -> int:
        """The most classes that there are before any step."""
        return max(len(view.before) for view in self.views.values())

    @property
    def watches(self) -> str:  # type: ignore[override]
        """What the law watches."""
        return self.rule.watches

    def sees(self, moment: Moment) -> Hashable:
        """Return the number of what is known here: it also says what the law sees."""
        return self.views[_place_of(moment)].number

    def start(self, moments: Sequence[Moment]) -> int:
        """Return the only class there is before the first step."""
        return 0

    def after(self, memory: int, event: Event, moment: Moment) -> tuple[int, int]:
        """Follow the law; what cannot lead to the end any more is broken."""
        view = self.views[_place_of(moment)]
        following, broken = self.rule.after(view.before[memory], event, moment)
        return (0, 1) if broken or following not in view.after else (view.after[following], 0)

    def at_end(self, memory: int, last: int | None, moment: Moment) -> int:
        """Ask the law."""
        return self.rule.at_end(self.end, last, moment)

    def words(self) -> str:
        """Return the words of the law."""
        return str(self.rule)


def cases_of(rule: Rule, alphabet: LineAlphabet, moments: Sequence[Moment]) -> list[Case]:
    """Return the cases of a law with a memory: each line that keeps it keeps one of them, and any of them keeps it.

    Parameters
    ----------
    rule
        The law.
    alphabet
        Of the line.
    moments
        One for each step.

    Raises
    ------
    TooMuchToRememberError
        If it remembers too much, also in the end.
    """
    return _cases_of(rule, _read(rule, alphabet, moments), alphabet, moments)


@dataclass(frozen=True, slots=True)
class Splitter:
    """Takes rules apart; what it knows of a law serves wherever that law comes again.

    Parameters
    ----------
    alphabet, moments
        As for :func:`cases_of`.
    """

    alphabet: LineAlphabet
    moments: Sequence[Moment]
    _known: dict[int, tuple[Rule, list[Case] | None, float]] = field(default_factory=dict)

    def split(self, rules: Sequence[Rule], *, are_apart: bool = False) -> list[list[Rule]] | None:
        """Return lists of rules: a line keeps the laws of some of these lists if and only if it keeps those given.

        What is made of other laws by *or* is taken apart first, then the law whose cases need the fewest of its
        memories.

        Parameters
        ----------
        rules
            Some of them cases already, maybe; preferences stay as they are.
        are_apart
            Whether no line may keep the laws of more than one list.

        Returns
        -------
        list of list, or None
            Nothing where nothing is gained; an empty list where there is no such line.
        """
        flat = _flat(rules)
        for place, law in enumerate(flat):
            if isinstance(law, AnyOf) and law.is_law:
                parts = [part for part in law.rules if part.has_place(self.moments)]
                others = [[Not(part) for part in parts[:number]] if are_apart else [] for number in range(len(parts))]
                rest = flat[:place] + flat[place + 1 :]
                return [_flat([part, *other, *rest]) for part, other in zip(parts, others, strict=True)]
        best_gain, found = float(_LEAST_GAIN), None
        for place, law in enumerate(flat):
            if not law.remembers or not law.is_law or isinstance(law, Case | SameBars):
                continue
            cases, gain = self._cases_and_gain(law)
            if cases == []:
                return []
            if cases is not None and gain >= best_gain:
                best_gain, found = gain, [[case, *flat[:place], *flat[place + 1 :]] for case in cases]
        return found

    def _cases_and_gain(self, law: Rule) -> tuple[list[Case] | None, float]:
        """Return the cases of a law, none if it remembers too much, and how many times fewer memories they have."""
        if id(law) not in self._known:
            try:
                read = _read(law, self.alphabet, self.moments)
                cases = _cases_of(law, read, self.alphabet, self.moments)
            except TooMuchToRememberError:
                self._known[id(law)] = law, None, 0.0
            else:
                most = max((case.n_memories for case in cases), default=1)
                self._known[id(law)] = law, cases, read.n_memories / most
        return self._known[id(law)][1:]


def _flat(rules: Sequence[Rule]) -> list[Rule]:
    """Return rules, and in the place of laws made of others by *and* what they are made of."""
    return [
        part for rule in rules for part in (_flat(rule.rules) if isinstance(rule, AllOf) and rule.is_law else [rule])
    ]


@dataclass(frozen=True, slots=True)
class _Read:
    """The table of a law, the kind of each step, and whether each memory may be met before each; one row more."""

    table: RuleTable
    column: _Ints
    met: NDArray[np.bool_]

    @property
    def n_memories(self) -> int:
        return int(self.met.sum(axis=1).max())


def _read(rule: Rule, alphabet: LineAlphabet, moments: Sequence[Moment]) -> _Read:
    line_next = line_automaton(LineArcs.flat(alphabet.n_pitches)).next_state[0]
    pitches = {N_SPECIAL + place: alphabet.low + place for place in range(alphabet.n_pitches)}
    table, column = table_of(line_next, pitches, moments, rule, MAX_MOVES_OF_A_TABLE)
    met = np.zeros((len(column) + 1, len(table.memories)), dtype=np.bool_)
    met[0, 0] = True
    for step, kind in enumerate(column):
        following = table.next_memory[kind, met[step]]
        met[step + 1, following[following != DEAD]] = True
    return _Read(table, column, met)


def _cases_of(rule: Rule, read: _Read, alphabet: LineAlphabet, moments: Sequence[Moment]) -> list[Case]:
    lasts = [None, *range(alphabet.low, alphabet.high + 1)]
    memories = read.table.memories
    ends = [
        end
        for end in np.flatnonzero(read.met[-1]).tolist()
        if any(not rule.at_end(memories[end], last, moments[-1]) for last in lasts)
    ]
    if len(ends) > _MAX_ENDS:
        raise TooMuchToRememberError([rule])
    letters = [np.unique(after, axis=1) for after in read.table.next_memory]  # those that all take alike are one
    return [
        Case(rule, memories[end], _views(read, classes, moments))
        for end in ends
        if (classes := _classes(read, letters, end))[0][0] != DEAD
    ]


def _classes(read: _Read, letters: Sequence[_Ints], end: int) -> list[_Ints]:
    """Return the class of each memory before each step, and after the last; ``DEAD`` if it cannot lead to the end.

    Classes are numbered in the order of their first memories, so that equal ones have equal numbers.
    """
    last = np.full(read.met.shape[1], DEAD)
    last[end] = 0
    classes = [last]
    known: dict[tuple[int, bytes, bytes], _Ints] = {}
    for step in range(len(read.column) - 1, -1, -1):
        kind, met, after = int(read.column[step]), read.met[step], classes[-1]
        key = kind, met.tobytes(), after.tobytes()
        if key not in known:
            known[key] = _classes_before(np.append(after, DEAD)[letters[kind]], met)
        classes.append(known[key])
    return classes[::-1]


def _classes_before(following: _Ints, met: NDArray[np.bool_]) -> _Ints:
    """Return the class of each memory, given those to which the letters lead it; shape (memories, letters)."""
    found = np.full(len(met), DEAD)
    alive = np.flatnonzero(met & (following != DEAD).any(axis=1))
    found[alive] = numbered(following[alive])
    return found


def _views(read: _Read, classes: Sequence[_Ints], moments: Sequence[Moment]) -> dict[_Place, _View]:
    """Return what can be remembered at each place; alike at steps that are."""
    memories = read.table.memories
    found: dict[tuple[int, bytes, bytes], _View] = {}
    views = {}
    for step, moment in enumerate(moments):
        before, after = classes[step], classes[step + 1]
        key = int(read.column[step]), before.tobytes(), after.tobytes()
        if key not in found:
            of_class = {number: memories[place] for place, number in reversed(list(_alive(before)))}
            stands_for = tuple(of_class[number] for number in range(len(of_class)))
            found[key] = _View(len(found), stands_for, {memories[place]: number for place, number in _alive(after)})
        views[_place_of(moment)] = found[key]
    return views


def _alive(classes: _Ints) -> Iterator[tuple[int, int]]:
    """Yield the place and the class of each memory that has one."""
    return ((place, number) for place, number in enumerate(classes.tolist()) if number != DEAD)
