"""Rules with a memory as integer tables, and their product with the line.

A rule's table says, for a kind of step, a memory and a letter, the memory after it and the violations it
is. A *letter* is what the rule watches of an event; a line automaton's state and symbol spell it. The
product numbers the states that some line can reach, (state of the line, memory of each rule).

Tables and products depend on rules, pitches and what the rules see of the steps, not on weights. Of the
rules of :mod:`theory.rules`, which are plain values, they are kept; rules of one's own are read anew each
time, since two that look alike need not judge alike.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, REST
from symgen.decode.automaton import DEAD
from symgen.errors import RequestError
from theory.rules import Event, Moment, Rule

__all__ = [
    "MAX_MOVES_OF_A_STEP",
    "MAX_MOVES_OF_A_TABLE",
    "Memories",
    "RuleTable",
    "TooMuchToRememberError",
    "is_plain",
    "join_memories",
    "last_pitches",
    "table_of",
]

MAX_MOVES_OF_A_STEP = 2**18
"""The most moves that a product may have at one step, if nothing else is said."""

MAX_MOVES_OF_A_TABLE = 2**22
"""The most moves of one rule alone, where it has no product to share them with: seconds to read it."""

_STEPS_FOR_ALL_KINDS = 32
"""Over all kinds of step there may be so many times the moves of one step; each takes 12 bytes."""

_MOVES_FOR_AN_ANSWER = 2
"""Moves of a step for each time that a rule may be asked about a memory and a letter, which takes microseconds."""

_Ints = NDArray[np.int32]
_Counts = NDArray[np.integer[Any]]
"""Numbers of violations, as small as they fit."""


class TooMuchToRememberError(RequestError):
    """Rules whose memories together have too many states.

    Parameters
    ----------
    rules
        All of them, those that remember the most first.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        names = "; ".join(map(str, rules[:2]))
        super().__init__(f"{names}: the rules together remember too much: leave one out, or narrow the range")


@dataclass(frozen=True, slots=True)
class Memories:
    """The product of the line with the memories of some rules.

    Parameters
    ----------
    next_state
        Shape (kinds, states, symbols); ``DEAD`` where a law forbids the move.
    line_state
        State of the line automaton in each state; shape (states,).
    violations
        For each rule those of each move, shape (kinds, states, symbols); of a law, or where there are none, shape (0,).
    final
        For each rule, also a law, the violations of ending in each state; shape (states,).
    kind
        Kind of each step; shape (n_steps,).
    """

    next_state: _Ints
    line_state: _Ints
    violations: tuple[_Counts, ...]
    final: tuple[_Counts, ...]
    kind: NDArray[np.int64]


def join_memories(
    line_next: _Ints,
    pitches: Mapping[int, int],
    moments: Sequence[Moment],
    rules: Sequence[Rule],
    max_moves: int = MAX_MOVES_OF_A_STEP,
) -> Memories:
    """Return the product of a line automaton with rules that remember.

    Parameters
    ----------
    line_next
        Moves of the line, shape (states, symbols), as :func:`symgen.decode.automaton.line_automaton` numbers them.
    pitches
        The symbols that start a note, each with its MIDI pitch, in the order of the line's states.
    moments
        One for each step.
    rules
        Each with a memory.
    max_moves
        The most moves at one step.

    Raises
    ------
    TooMuchToRememberError
        If there would be too many moves.
    """
    views = [_view(rule, moments) for rule in rules]
    columns = np.stack([column for column, _ in views] or [np.zeros(len(moments), dtype=np.int64)], axis=1)
    kinds, kind = np.unique(columns, axis=0, return_inverse=True)
    kind = kind.reshape(-1).astype(np.int64)
    seen = tuple(moment for _, moment in views)
    starts = tuple(rule.start(moments) for rule in rules)
    build = _kept_product if all(is_plain(rule) for rule in rules) else _product
    shape = (line_next.shape, line_next.tobytes())
    rows: _Kinds = tuple(tuple(row) for row in kinds.tolist())
    letters = tuple(pitches.items())
    product = build(shape, letters, tuple(rules), seen, starts, moments[-1], rows, tuple(kind.tolist()), max_moves)
    return Memories(*product, kind)


def _view(rule: Rule, moments: Sequence[Moment]) -> tuple[NDArray[np.int64], tuple[Moment, ...]]:
    """Return the number of what a rule sees at each step, and a moment for each number."""
    number: dict[Hashable, int] = {}
    found: list[Moment] = []
    column = np.empty(len(moments), dtype=np.int64)
    for step, moment in enumerate(moments):
        seen = rule.sees(moment)
        if seen not in number:
            number[seen] = len(found)
            found.append(moment)
        column[step] = number[seen]
    return column, tuple(found)


def is_plain(rule: Rule) -> bool:
    """Whether a rule and all its parts are values of this project's own types, so that equal ones judge alike."""
    if not type(rule).__module__.startswith("theory.rules."):
        return False
    parts: list[object] = []
    for field in fields(rule):
        value = getattr(rule, field.name)
        parts += value if isinstance(value, tuple) else [value]
    return all(is_plain(part) for part in parts if isinstance(part, Rule))


_Product = tuple[_Ints, _Ints, tuple[_Counts, ...], tuple[_Counts, ...]]
_Kinds = tuple[tuple[int, ...], ...]


def _product(
    line: tuple[tuple[int, int], bytes],
    pitches: tuple[tuple[int, int], ...],
    rules: tuple[Rule, ...],
    seen: tuple[tuple[Moment, ...], ...],
    starts: tuple[Hashable, ...],
    last: Moment,
    kinds: _Kinds,
    kind: tuple[int, ...],
    max_moves: int,
) -> _Product:
    """Build tables and walk through their product."""
    line_next = np.frombuffer(line[1], dtype=np.int32).reshape(line[0])
    tables = []
    for row, (rule, moments, start) in enumerate(zip(rules, seen, starts, strict=True)):
        column = tuple(kinds[k][row] for k in kind)
        tables.append(_read_once(rule, moments, column, start, line, pitches, max_moves))
    states, next_state = _walk(line_next, tables, kinds, kind, rules, max_moves)
    lasts = last_pitches(pitches)
    violations = [_violations_of(table, row, kinds, states) for row, table in enumerate(tables)]
    final = [
        _final_of(rule, table, row, states, lasts, last)
        for row, (rule, table) in enumerate(zip(rules, tables, strict=True))
    ]
    next_state.setflags(write=False)
    for array in (*violations, *final):
        array.setflags(write=False)
    return next_state, states[:, 0].astype(np.int32), tuple(violations), tuple(final)


def table_of(
    line_next: _Ints, pitches: Mapping[int, int], moments: Sequence[Moment], rule: Rule, max_moves: int
) -> tuple[RuleTable, NDArray[np.int64]]:
    """Return the table of one rule, and for each step the kind of step it has there.

    Parameters
    ----------
    line_next, pitches, moments, max_moves
        As for :func:`join_memories`; it may be asked about half as many pairs of a memory and a letter.
    rule
        With a memory.

    Raises
    ------
    TooMuchToRememberError
        If it has too many memories.
    """
    column, seen = _view(rule, moments)
    line, letters = (line_next.shape, line_next.tobytes()), tuple(pitches.items())
    kinds = tuple(column.tolist())
    return _read_once(rule, seen, kinds, rule.start(moments), line, letters, max_moves), column


def _read_once(
    rule: Rule,
    moments: tuple[Moment, ...],
    column: tuple[int, ...],
    start: Hashable,
    line: tuple[tuple[int, int], bytes],
    pitches: tuple[tuple[int, int], ...],
    max_moves: int,
) -> RuleTable:
    read = _kept_table if is_plain(rule) else _table
    table = read(rule, moments, column, start, line, pitches, max_moves)
    if isinstance(table, TooMuchToRememberError):
        raise TooMuchToRememberError([rule])  # the kept one names a rule that equals this, but is not it
    return table


def _violations_of(table: RuleTable, row: int, kinds: _Kinds, states: NDArray[np.int64]) -> _Counts:
    """Return the violations of each move, shape (kinds, states, symbols); none at all, shape (0,), if there is none."""
    if not table.violations.any():
        return np.zeros(0, dtype=np.int8)
    letter = table.letter[states[:, 0]]
    return np.stack([table.violations[kind[row]][states[:, row + 1, None], letter] for kind in kinds])


def _final_of(
    rule: Rule, table: RuleTable, row: int, states: NDArray[np.int64], lasts: Sequence[int | None], moment: Moment
) -> _Counts:
    """Return the violations of ending in each state."""
    pairs, place = np.unique(states[:, 0] * len(table.memories) + states[:, row + 1], return_inverse=True)
    ends = [divmod(pair, len(table.memories)) for pair in pairs.tolist()]
    found = [rule.at_end(table.memories[memory], lasts[state], moment) for state, memory in ends]
    final: _Counts = _counts(np.array(found))[place.reshape(-1)]
    return final


_kept_product = lru_cache(maxsize=8)(_product)


@dataclass(frozen=True, slots=True)
class RuleTable:
    """One rule, as integers: what it makes of a memory and a letter at each kind of step it sees.

    Parameters
    ----------
    memories
        What each number stands for; 0 is the start.
    letter
        Letter of each state and symbol of the line; shape (line states, symbols).
    next_memory, violations
        Shape (kinds, memories, letters); ``DEAD`` where a law is broken.
    """

    memories: list[Hashable]
    letter: NDArray[np.int64]
    next_memory: NDArray[np.int64]
    violations: _Counts


def _table(
    rule: Rule,
    moments: tuple[Moment, ...],
    column: tuple[int, ...],
    start: Hashable,
    line: tuple[tuple[int, int], bytes],
    pitches: tuple[tuple[int, int], ...],
    max_moves: int,
) -> RuleTable | TooMuchToRememberError:
    """Read a rule; of values only, so that it can be kept: the same rule is often asked about beside others.

    That it remembers too much is kept as well.
    """
    line_next = np.frombuffer(line[1], dtype=np.int32).reshape(line[0])
    try:
        return _read_rule(rule, moments, column, start, _letters(line_next, pitches, rule.watches), max_moves)
    except TooMuchToRememberError as error:
        return error


_kept_table = lru_cache(maxsize=64)(_table)


def last_pitches(pitches: Sequence[tuple[int, int]]) -> list[int | None]:
    """Return the last pitch in each state of the line."""
    return [None, *(pitch for _, pitch in pitches), *(pitch for _, pitch in pitches)]


def _letters(
    line_next: _Ints, pitches: Sequence[tuple[int, int]], watches: str
) -> tuple[NDArray[np.int64], list[Event]]:
    """Return the letter of each state and symbol, and an event that each letter stands for."""
    number: dict[Hashable, int] = {}
    events: list[Event] = []
    letter = np.zeros(line_next.shape, dtype=np.int64)
    symbol_pitch = dict(pitches)
    for state, last in enumerate(last_pitches(pitches)):
        for symbol in (REST, HOLD, *symbol_pitch):
            if line_next[state, symbol] == DEAD:
                continue
            event = _event(symbol, last, symbol_pitch)
            key = _watched(event, watches)
            if key not in number:
                number[key] = len(events)
                events.append(event)
            letter[state, symbol] = number[key]
    return letter, events


def _event(symbol: int, last: int | None, symbol_pitch: Mapping[int, int]) -> Event:
    if symbol == REST:
        return Event(None, False, last)
    if symbol == HOLD:
        return Event(last, False, last)
    return Event(symbol_pitch[symbol], True, last)


def _watched(event: Event, watches: str) -> Hashable:
    """Return what is watched of an event; see :attr:`theory.rules.Rule.watches`."""
    rhythm = (event.pitch is None, event.is_onset, event.previous is None)
    if watches == "rhythm":
        return rhythm
    if watches == "interval":
        return rhythm, event.interval
    return (rhythm, event.pitch) if watches == "pitch" else event


def _read_rule(
    rule: Rule,
    moments: Sequence[Moment],
    column: Sequence[int],
    start: Hashable,
    letters: tuple[NDArray[np.int64], list[Event]],
    max_moves: int,
) -> RuleTable:
    """Ask a rule about every memory it can have at each step, for each letter.

    ``column`` is the kind of each step and ``moments`` has one for each kind. Steps are taken in their order: a
    memory that no step of a kind can meet is not asked about there, and need not make sense.
    """
    letter, events = letters
    number = {start: 0}
    rows: dict[tuple[int, int], list[tuple[int, int]]] = {}
    reached: dict[tuple[int, int], frozenset[int]] = {}
    known: dict[tuple[int, frozenset[int]], frozenset[int]] = {}
    met = frozenset({0})
    for kind in column:
        if (kind, met) not in known:
            memories = list(number)
            for memory in sorted(met):
                if (kind, memory) not in rows:
                    answers = [rule.after(memories[memory], event, moments[kind]) for event in events]
                    rows[kind, memory] = [_numbered(after, broken, rule, number) for after, broken in answers]
                    reached[kind, memory] = frozenset(after for after, _ in rows[kind, memory]) - {DEAD}
                    _check_size(1, len(number), len(events), max_moves, [rule])
                    _check_size(1, len(rows), len(events), max_moves // _MOVES_FOR_AN_ANSWER, [rule])
            known[kind, met] = frozenset().union(*(reached[kind, memory] for memory in met))
        met = known[kind, met]
    table = np.full((len(moments), len(number), len(events), 2), (DEAD, 0), dtype=np.int64)
    for (kind, memory), row in rows.items():
        table[kind, memory] = row
    return RuleTable(list(number), letter, table[..., 0], _counts(table[..., 1]))


def _counts(violations: NDArray[np.int64]) -> _Counts:
    """Return numbers of violations in as few bytes as hold the largest."""
    return violations.astype(np.min_scalar_type(violations.max(initial=0)))


def _numbered(after: Hashable, broken: int, rule: Rule, number: dict[Hashable, int]) -> tuple[int, int]:
    """Return the number of a memory, given it one if it is new; nothing comes after a broken law."""
    return (DEAD, 0) if broken and rule.is_law else (number.setdefault(after, len(number)), broken)


def _walk(
    line_next: _Ints,
    tables: Sequence[RuleTable],
    kinds: _Kinds,
    kind: Sequence[int],
    rules: Sequence[Rule],
    max_moves: int,
) -> tuple[NDArray[np.int64], _Ints]:
    """Return the states that can be reached, a row of numbers each, and where each symbol leads from them.

    A state has a code, its row read as one number; the start has code 0. At each step only states not met at a step
    of its kind before are worked out.
    """
    sizes = [len(line_next), *(len(table.memories) for table in tables)]
    live = np.flatnonzero((line_next != DEAD).any(axis=0))
    rows = [_Rows.empty(len(live)) for _ in kinds]
    met = known = np.zeros(1, dtype=np.int64)
    for k in kind:
        fresh = _missing(met, rows[k].codes)
        _check_size(len(kinds), len(known), len(live), max_moves, rules, sizes[1:])
        if len(fresh):
            states = np.stack(np.unravel_index(fresh, sizes), axis=1)
            rows[k] = rows[k].with_more(fresh, _targets(line_next, tables, kinds[k], states, sizes, live))
        met = _distinct(rows[k].targets[np.searchsorted(rows[k].codes, met)], math.prod(sizes))
        unknown = _missing(met, known)
        known = np.sort(np.concatenate([known, unknown])) if len(unknown) else known
    next_state = np.full((len(kinds), len(known), line_next.shape[1]), DEAD, dtype=np.int32)
    for k, found in enumerate(rows):
        numbers = np.where(found.targets == DEAD, DEAD, np.searchsorted(known, found.targets))
        next_state[k, np.searchsorted(known, found.codes)[:, None], live] = numbers
    return np.stack(np.unravel_index(known, sizes), axis=1), next_state


@dataclass(frozen=True, slots=True)
class _Rows:
    """Where each symbol leads, at steps of one kind: ``targets[i]`` from the state ``codes[i]``; codes ascend."""

    codes: NDArray[np.int64]
    targets: NDArray[np.int64]

    @classmethod
    def empty(cls, n_symbols: int) -> _Rows:
        return cls(np.zeros(0, dtype=np.int64), np.zeros((0, n_symbols), dtype=np.int64))

    def with_more(self, codes: NDArray[np.int64], targets: NDArray[np.int64]) -> _Rows:
        """Return these rows and others."""
        both = np.concatenate([self.codes, codes])
        order = np.argsort(both, kind="stable")
        return _Rows(both[order], np.concatenate([self.targets, targets])[order])


def _missing(codes: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the codes that are not among the known ones; both ascend."""
    if not len(known):
        return codes
    place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    missing: NDArray[np.int64] = codes[known[place] != codes]
    return missing


_SMALL = 2**24


def _distinct(codes: NDArray[np.int64], n_codes: int) -> NDArray[np.int64]:
    """Return the distinct codes, ascending, without ``DEAD``; all are below ``n_codes``."""
    if n_codes > _SMALL:
        found: NDArray[np.int64] = np.unique(codes)
        return np.asarray(found[found != DEAD])
    flags = np.zeros(n_codes + 1, dtype=np.bool_)
    flags[codes.reshape(-1)] = True  # DEAD, -1, marks the last one
    marked: NDArray[np.int64] = np.flatnonzero(flags[:-1])
    return marked


def _targets(
    line_next: _Ints,
    tables: Sequence[RuleTable],
    kind: tuple[int, ...],
    states: NDArray[np.int64],
    sizes: Sequence[int],
    live: NDArray[np.intp],
) -> NDArray[np.int64]:
    """Return the code of the state that each live symbol leads to from each state."""
    code = line_next[states[:, 0]][:, live].astype(np.int64)
    is_dead = code == DEAD
    for row, table in enumerate(tables):
        letter = table.letter[:, live][states[:, 0]]
        part = table.next_memory[kind[row]][states[:, row + 1, None], letter]
        is_dead |= part == DEAD
        code *= sizes[row + 1]
        code += part
    code[is_dead] = DEAD
    return code


def _check_size(
    n_kinds: int, n_states: int, n_symbols: int, max_moves: int, rules: Sequence[Rule], sizes: Sequence[int] = ()
) -> None:
    if n_states * n_symbols > max_moves or n_kinds * n_states * n_symbols > _STEPS_FOR_ALL_KINDS * max_moves:
        by_size = sorted(zip(sizes or [0] * len(rules), rules, strict=True), key=lambda pair: -pair[0])
        raise TooMuchToRememberError([rule for _, rule in by_size])
