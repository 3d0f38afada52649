"""A lattice, its ties and rules with a memory as clauses: a line for a solver of Boolean satisfiability to find.

A product of automata has as many states as the product of theirs; as clauses they lie side by side. At each step there
is a variable for each symbol, for each state of the line and for each memory of each rule, and a clause says where a
state and a symbol lead. What each rule, or each part of one, forbids holds only if its *switch* is on: which switches
cannot be on together says whom to blame.

These clauses say "if these, then that" or "never these together", so that more than one symbol may be true of a step:
whatever is true then keeps the laws, and any of them will do. *Rich* clauses also say what follows, so that a solver
sees it at once: that there is one symbol and one memory, and from which others it can come by a letter. They are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import N_SPECIAL
from symgen.decode.automaton import DEAD
from symgen.decode.infer import forward_support, two_way_support
from symgen.decode.lattice import Lattice
from symgen.decode.memory import MAX_MOVES_OF_A_TABLE, RuleTable, TooMuchToRememberError, last_pitches, table_of
from symgen.decode.tieparts import Tie
from theory.rules import AllOf, AnyOf, Moment, Rule

__all__ = ["Clauses", "clauses_of"]

_Ints = NDArray[np.int64]

_MAX_CLAUSES, _MAX_RICH_CLAUSES = 1 << 23, 3 << 20
"""More take too much memory, some hundred bytes each; and more of the rich ones too much time."""


@dataclass(frozen=True, slots=True)
class Clauses:
    """Clauses, and what their variables stand for.

    Parameters
    ----------
    symbols
        For each step its open symbols, ascending, each with its variable: arrays of equal shape.
    switches
        The variable of each rule's switch.
    ends
        The variables of each rule's memories in the end.
    parts
        The clauses, some at a time, each a list of variables; a negative one is negated.
    """

    symbols: list[tuple[_Ints, _Ints]]
    switches: list[int]
    ends: list[list[int]]
    parts: list[list[list[int]]]


@dataclass(slots=True)
class _Writer:
    """Clauses that are being written."""

    rules: Sequence[Rule]
    is_rich: bool
    n_variables: int = 0
    n_clauses: int = 0
    parts: list[list[list[int]]] = field(default_factory=list)

    def variables(self, n: int) -> _Ints:
        """Return new variables."""
        self.n_variables += n
        return np.arange(self.n_variables - n + 1, self.n_variables + 1)

    def add(self, *literals: _Ints | int) -> None:
        """Add a clause for each row of some columns of literals, which are broadcast to one length."""
        columns = np.broadcast_arrays(*(np.atleast_1d(literal) for literal in literals))
        self.add_lists(np.stack(columns, axis=1).tolist())

    def add_lists(self, clauses: list[list[int]]) -> None:
        """Add clauses of any lengths."""
        self.n_clauses += len(clauses)
        if self.n_clauses > (_MAX_RICH_CLAUSES if self.is_rich else _MAX_CLAUSES):
            raise TooMuchToRememberError(self.rules)
        self.parts.append(clauses)

    def at_most_one(self, variables: _Ints) -> None:
        """Say that no two of some variables are true."""
        i, j = np.triu_indices(len(variables), 1)
        self.add(-variables[i], -variables[j])

    def implies(self, left: _Ints, right: _Ints, values: _Ints, target: _Ints, *, unless: int | None = None) -> None:
        """Say where pairs lead: ``left[i]`` and ``right[j]`` together make ``target[values[i, j]]`` true.

        ``DEAD`` values are forbidden, where ``unless`` is not true; those below it can never come together. Where
        ``unless`` is true there may be nothing on the left at all.
        """
        i, j = np.nonzero(values == DEAD)
        or_else = [] if unless is None else [unless]
        self.add(-left[i], -right[j], *or_else)
        for column, one in enumerate(right):
            found = values[:, column]
            alive = found >= 0
            distinct = np.unique(found[alive])
            if len(distinct) == 1:  # whatever stands on the left: what is forbidden is so anyway
                self.add(-one, target[distinct[0]], *or_else)
            elif len(distinct):
                self.add(-left[alive], -one, target[found[alive]])

    def supports(self, left: _Ints, right: _Ints, values: _Ints, target: _Ints, unless: int) -> None:
        """Say what follows from :meth:`implies`: whence each target comes by each of the right, and where all lead."""
        clauses: list[list[int]] = []
        for one, found in [*zip(left.tolist(), values, strict=True), *zip(right.tolist(), values.T, strict=True)]:
            clauses.append([-one, *target[np.unique(found[found >= 0])].tolist(), unless])
        for column, one in enumerate(right.tolist()):
            sources: list[list[int]] = [[] for _ in target]
            for source, number in zip(left.tolist(), values[:, column].tolist(), strict=True):
                if number >= 0:
                    sources[number].append(source)
            clauses += [[-there, -one, *some] for there, some in zip(target.tolist(), sources, strict=True)]
        self.add_lists(clauses)


def clauses_of(
    lattice: Lattice,
    ties: Sequence[Tie],
    rules: Sequence[Rule],
    moments: Sequence[Moment],
    low: int,
    *,
    n_steps: int | None = None,
    is_rich: bool = True,
) -> Clauses | None:
    """Return the clauses of the lines of a lattice whose tied segments are equal, and that keep rules with a memory.

    Parameters
    ----------
    lattice
        Of a line under rules without a memory.
    ties
        Segments that must be equal.
    rules
        Laws with a memory, each with its place.
    moments
        One for each step.
    low
        MIDI pitch of the lowest pitch of the alphabet.
    n_steps
        Ask for the beginning of a line alone, of so many steps; for a whole line if left out.
    is_rich
        Whether to say what follows, too.

    Returns
    -------
    Clauses or None
        Nothing where the lattice itself has no such line.

    Raises
    ------
    TooMuchToRememberError
        If there are too many of them.
    """
    is_whole = n_steps is None
    live = two_way_support(lattice) if n_steps is None else forward_support(lattice)[: n_steps + 1]
    if not live.any(axis=1).all():
        return None
    writer = _Writer(rules, is_rich)
    steps = [_Step.of(lattice, step, live) for step in range(len(live) - 1)]
    states = [np.flatnonzero(row) for row in live]
    of_state = [writer.variables(len(states[0]))]
    for t, step in enumerate(steps):
        stays = step.goes_on and np.array_equal(states[t], states[t + 1])
        of_state.append(of_state[t] if stays else writer.variables(len(states[t + 1])))
    of_symbol = [writer.variables(len(step.symbols)) for step in steps]
    switches = writer.variables(len(rules)).tolist()
    writer.add(of_state[0])
    for t, step in enumerate(steps):
        writer.add_lists([of_symbol[t].tolist()])
        if is_rich:
            writer.at_most_one(of_symbol[t])
        if of_state[t] is of_state[t + 1]:
            is_move = step.target != DEAD
            writer.add(-of_state[t], of_symbol[t][is_move.argmax(axis=1)])
            i, j = np.nonzero(~is_move)
            writer.add(-of_state[t][i], -of_symbol[t][j])
        else:
            writer.implies(of_state[t], of_symbol[t], step.target, of_state[t + 1])
    _tie(writer, ties, steps, of_symbol)
    line = _Line(lattice, moments, low, steps, states, of_state, of_symbol, is_whole)
    all_ends = [_watch(writer, line, rule, switch) for rule, switch in zip(rules, switches, strict=True)]
    symbols = [(step.symbols, variables) for step, variables in zip(steps, of_symbol, strict=True)]
    return Clauses(symbols, switches, all_ends, writer.parts)


@dataclass(frozen=True, slots=True)
class _Step:
    """The moves of a step: ``target[i, j]`` is the number among the live states after it of where symbol j leads.

    From the live state i before it; ``DEAD`` where it leads nowhere.
    """

    symbols: _Ints
    target: _Ints

    @property
    def goes_on(self) -> bool:
        """Whether nothing can happen: one symbol in each state, which leads back to it."""
        is_move = self.target != DEAD
        return bool((is_move.sum(axis=1) == 1).all() and (self.target.max(axis=1) == np.arange(len(is_move))).all())

    @classmethod
    def of(cls, lattice: Lattice, step: int, live: NDArray[np.bool_]) -> _Step:
        symbols = np.flatnonzero(~np.isneginf(lattice.log_symbol[step]))
        before = np.flatnonzero(live[step])
        state = lattice.automaton.next_state[lattice.kind[step]][np.ix_(before, symbols)].astype(np.int64)
        place = np.cumsum(live[step + 1]) - 1
        target = np.where((state != DEAD) & live[step + 1][state], place[state], DEAD)
        used = (target != DEAD).any(axis=0)
        return cls(symbols[used], target[:, used])


@dataclass(frozen=True, slots=True)
class _Line:
    """What rules watch: the moves of each step, the live states before it and at the end, and the variables of both."""

    lattice: Lattice
    moments: Sequence[Moment]
    low: int
    steps: Sequence[_Step]
    states: Sequence[_Ints]
    of_state: Sequence[_Ints]
    of_symbol: Sequence[_Ints]
    is_whole: bool

    @property
    def pitches(self) -> dict[int, int]:
        """The MIDI pitch of each symbol that starts a note."""
        label = self.lattice.automaton.label
        return {N_SPECIAL + pitch: self.low + pitch for pitch in label[1 : (len(label) + 1) // 2, 0].tolist()}

    def table_of(self, rule: Rule) -> tuple[RuleTable, _Ints]:
        """Return the table of a rule, and the kind of each step."""
        line_next = self.lattice.automaton.next_state.max(axis=0)  # at steps of any kind
        return table_of(line_next, self.pitches, self.moments, rule, MAX_MOVES_OF_A_TABLE)


def _watch(writer: _Writer, line: _Line, rule: Rule, switch: int) -> list[int]:
    """Write what a rule forbids while its switch is on; return the variables of the memories it can have in the end.

    Rules that are made of others by *and* and *or* are taken apart: their product would remember what all of them do.
    """
    if isinstance(rule, AllOf | AnyOf):
        parts = writer.variables(len(rule.rules))
        if isinstance(rule, AllOf):
            writer.add(-switch, parts)
        else:
            writer.add_lists([[-switch, *parts.tolist()]])
        all_ends = []
        for part, own in zip(rule.rules, parts.tolist(), strict=True):
            if part.has_place(line.moments):
                all_ends.append(_watch(writer, line, part, own))
            else:
                writer.add(-own)
        return max(all_ends, key=len, default=[]) if isinstance(rule, AllOf) else []
    table, column = line.table_of(rule)
    memories, of_memory = _follow(writer, table, column, line, switch)
    if line.is_whole:
        last, moment = last_pitches(list(line.pitches.items())), line.moments[-1]
        forbidden = [
            [rule.at_end(table.memories[memory], last[state], moment) > 0 for memory in memories.tolist()]
            for state in line.states[-1].tolist()
        ]
        i, j = np.nonzero(np.array(forbidden))
        writer.add(-line.of_state[-1][i], -of_memory[j], -switch)
    ends: list[int] = of_memory.tolist()
    return ends


def _tie(writer: _Writer, ties: Sequence[Tie], steps: Sequence[_Step], of_symbol: Sequence[_Ints]) -> None:
    """Say that tied steps have the same symbols."""
    for tie in ties:
        for source in range(tie.source_start, tie.source_start + tie.n_steps):
            copy = source + tie.target_start - tie.source_start
            if copy >= len(steps):
                continue
            _, here, there = np.intersect1d(steps[source].symbols, steps[copy].symbols, return_indices=True)
            writer.add(-of_symbol[source][here], of_symbol[copy][there])
            writer.add(of_symbol[source][here], -of_symbol[copy][there])
            writer.add(-np.delete(of_symbol[source], here))
            writer.add(-np.delete(of_symbol[copy], there))


def _follow(writer: _Writer, table: RuleTable, column: _Ints, line: _Line, switch: int) -> tuple[_Ints, _Ints]:
    """Write what a rule makes of each step; return the memories it can have in the end, and their variables."""
    memories, of_memory = np.zeros(1, dtype=np.int64), writer.variables(1)
    writer.add(of_memory)
    for t, step in enumerate(line.steps):
        letters = table.letter[np.ix_(line.states[t], step.symbols)]
        is_move = step.target != DEAD
        met = np.unique(letters[is_move])
        after = table.next_memory[column[t]][np.ix_(memories, met)]
        # Letters that all memories take alike are one.
        columns, alike = np.unique(after, axis=1, return_inverse=True)
        number = np.zeros(int(met.max(initial=0)) + 1, dtype=np.int64)
        number[met] = alike.reshape(-1)
        if (columns == memories[:, None]).all():  # nothing the rule looks at can happen here
            continue
        following = np.unique(columns[columns != DEAD])
        of_following, of_letter = writer.variables(len(following)), writer.variables(columns.shape[1])
        heard = np.where(is_move, number[np.minimum(letters, len(number) - 1)], DEAD - 1)
        _hear(writer, heard, line.of_state[t], line.of_symbol[t], of_letter)
        place = np.where(columns == DEAD, DEAD, np.searchsorted(following, columns))
        writer.implies(of_memory, of_letter, place, of_following, unless=-switch)
        if writer.is_rich:
            writer.supports(of_memory, of_letter, place, of_following, -switch)
            writer.at_most_one(of_following)
        memories, of_memory = following, of_following
    return memories, of_memory


def _hear(writer: _Writer, heard: _Ints, of_state: _Ints, of_symbol: _Ints, of_letter: _Ints) -> None:
    """Say which letter a state and a symbol spell; equal rows, and then equal columns, are said once."""
    rows, row = np.unique(heard, axis=0, return_inverse=True)
    if len(rows) < len(heard):
        of_row = writer.variables(len(rows))
        writer.add(-of_state, of_row[row.reshape(-1)])
        heard, of_state = rows, of_row
    columns, column = np.unique(heard, axis=1, return_inverse=True)
    if columns.shape[1] < heard.shape[1]:
        of_column = writer.variables(columns.shape[1])
        writer.add(-of_symbol, of_column[column.reshape(-1)])
        heard, of_symbol = columns, of_column
    writer.implies(of_state, of_symbol, heard, of_letter)
