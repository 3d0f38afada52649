"""Rules with a memory as integer tables, and their product with the line.

A rule's table says, for a kind of step, a memory and a letter, the memory after it and the violations it
is. A *letter* is what the rule watches of an event; a line automaton's state and symbol spell it. The
product numbers the states that some line can reach, (state of the line, memory of each rule).

Tables and products depend on rules, pitches and what the rules see of the steps, not on weights. Of the
rules of :mod:`theory.rules`, which are plain values, they are kept; rules of one's own are read anew each
time, since two that look alike need not judge alike.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, REST
from symgen.decode.automaton import DEAD
from symgen.errors import RequestError
from theory.rules import Event, Moment, Rule

__all__ = ["MAX_MOVES", "Memories", "join_memories"]

MAX_MOVES = 2**25
"""The most moves, over all kinds of step, that a product may have; each takes 12 bytes."""

_Ints = NDArray[np.int32]


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
        Of each preference; shape (rules, kinds, states, symbols), 0 for laws.
    final
        Violations of ending in each state, laws and preferences; shape (rules, states).
    kind
        Kind of each step; shape (n_steps,).
    """

    next_state: _Ints
    line_state: _Ints
    violations: NDArray[np.int8]
    final: NDArray[np.int8]
    kind: NDArray[np.int64]


def join_memories(
    line_next: _Ints, pitches: Mapping[int, int], moments: Sequence[Moment], rules: Sequence[Rule]
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

    Raises
    ------
    RequestError
        If there would be more than :data:`MAX_MOVES` moves; it names the rules that remember the most.
    """
    views = [_view(rule, moments) for rule in rules]
    columns = np.stack([column for column, _ in views] or [np.zeros(len(moments), dtype=np.int64)], axis=1)
    kinds, kind = np.unique(columns, axis=0, return_inverse=True)
    kind = kind.reshape(-1).astype(np.int64)
    seen = tuple(moment for _, moment in views)
    starts = tuple(rule.start(moments) for rule in rules)
    build = _kept_product if all(_is_plain(rule) for rule in rules) else _product
    shape = (line_next.shape, line_next.tobytes())
    rows: _Kinds = tuple(tuple(row) for row in kinds.tolist())
    letters = tuple(pitches.items())
    product = build(shape, letters, tuple(rules), seen, starts, moments[-1], rows, tuple(kind.tolist()))
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


def _is_plain(rule: Rule) -> bool:
    """Whether a rule and all its parts are values of this project's own types, so that equal ones judge alike."""
    if not type(rule).__module__.startswith("theory.rules."):
        return False
    parts: list[object] = []
    for field in fields(rule):
        value = getattr(rule, field.name)
        parts += value if isinstance(value, tuple) else [value]
    return all(_is_plain(part) for part in parts if isinstance(part, Rule))


_Product = tuple[_Ints, _Ints, NDArray[np.int8], NDArray[np.int8]]
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
) -> _Product:
    """Build tables and walk through their product."""
    line_next = np.frombuffer(line[1], dtype=np.int32).reshape(line[0])
    tables = [
        _read_rule(rule, moments, [kinds[k][row] for k in kind], start, _letters(line_next, pitches, rule.watches))
        for row, (rule, moments, start) in enumerate(zip(rules, seen, starts, strict=True))
    ]
    states, next_state = _walk(line_next, tables, kinds, kind, rules)
    violations = np.zeros((len(rules), *next_state.shape), dtype=np.int8)
    final = np.zeros((len(rules), len(states)), dtype=np.int8)
    lasts = _lasts(pitches)
    for row, (rule, table) in enumerate(zip(rules, tables, strict=True)):
        if not rule.is_law:
            for k, kind in enumerate(kinds):
                letter = table.letter[states[:, 0]]
                violations[row, k] = table.violations[kind[row]][states[:, row + 1, None], letter]
        pairs = [(lasts[line_state], memory) for line_state, memory in states[:, [0, row + 1]].tolist()]
        ends = {pair: rule.at_end(table.memories[pair[1]], pair[0], last) for pair in set(pairs)}
        final[row] = [ends[pair] for pair in pairs]
    violations[:, next_state == DEAD] = 0
    for array in (next_state, violations, final):
        array.setflags(write=False)
    return next_state, states[:, 0].astype(np.int32), violations, final


_kept_product = lru_cache(maxsize=32)(_product)


@dataclass(frozen=True, slots=True)
class _Table:
    """One rule, as integers.

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
    violations: NDArray[np.int8]


def _lasts(pitches: Sequence[tuple[int, int]]) -> list[int | None]:
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
    for state, last in enumerate(_lasts(pitches)):
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
) -> _Table:
    """Ask a rule about every memory it can have at each step, for each letter.

    ``column`` is the kind of each step and ``moments`` has one for each kind. Steps are taken in their order: a
    memory that no step of a kind can meet is not asked about there, and need not make sense.
    """
    letter, events = letters
    number = {start: 0}
    rows: dict[tuple[int, int], list[tuple[int, int]]] = {}
    known: dict[tuple[int, frozenset[int]], frozenset[int]] = {}
    met = frozenset({0})
    for kind in column:
        if (kind, met) not in known:
            memories = list(number)
            for memory in sorted(met):
                if (kind, memory) not in rows:
                    answers = [rule.after(memories[memory], event, moments[kind]) for event in events]
                    rows[kind, memory] = [_numbered(after, broken, rule, number) for after, broken in answers]
                    _check_size(len(number) * len(events), [rule])
            known[kind, met] = frozenset(after for m in met for after, _ in rows[kind, m]) - {DEAD}
        met = known[kind, met]
    table = np.full((len(moments), len(number), len(events), 2), (DEAD, 0), dtype=np.int64)
    for (kind, memory), row in rows.items():
        table[kind, memory] = row
    return _Table(list(number), letter, table[..., 0], table[..., 1].astype(np.int8))


def _numbered(after: Hashable, broken: int, rule: Rule, number: dict[Hashable, int]) -> tuple[int, int]:
    """Return the number of a memory, given it one if it is new; nothing comes after a broken law."""
    return (DEAD, 0) if broken and rule.is_law else (number.setdefault(after, len(number)), broken)


def _walk(
    line_next: _Ints, tables: Sequence[_Table], kinds: _Kinds, kind: Sequence[int], rules: Sequence[Rule]
) -> tuple[NDArray[np.int64], _Ints]:
    """Return the states that can be reached, a row of numbers each, and where each symbol leads from them."""
    sizes = [len(line_next), *(len(table.memories) for table in tables)]
    targets: dict[tuple[int, bytes], tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
    met = known = np.zeros(1, dtype=np.int64)  # codes of states, sorted; the start is the first of all
    for k in kind:
        place = (k, met.tobytes())
        if place not in targets:
            states = np.stack(np.unravel_index(met, sizes), axis=1)
            targets[place] = met, _targets(line_next, tables, kinds[k], states, sizes)
            known = np.union1d(known, targets[place][1])
            _check_size(len(kinds) * len(known) * line_next.shape[1], rules, tables)
        met = np.unique(targets[place][1])
        met = met[met != DEAD]
    known = known[known != DEAD]
    next_state = np.full((len(kinds), len(known), line_next.shape[1]), DEAD, dtype=np.int32)
    for (k, _), (met, codes) in targets.items():
        numbers = np.where(codes == DEAD, DEAD, np.searchsorted(known, codes))
        next_state[k, np.searchsorted(known, met)] = numbers
    return np.stack(np.unravel_index(known, sizes), axis=1), next_state


def _targets(
    line_next: _Ints, tables: Sequence[_Table], kind: tuple[int, ...], states: NDArray[np.int64], sizes: Sequence[int]
) -> NDArray[np.int64]:
    """Return the code of the state that each symbol leads to from each state."""
    parts = [line_next[states[:, 0]].astype(np.int64)]
    for row, table in enumerate(tables):
        letter = table.letter[states[:, 0]]
        parts.append(table.next_memory[kind[row]][states[:, row + 1, None], letter])
    is_move = reduce(np.logical_and, [part != DEAD for part in parts])
    code = np.ravel_multi_index(tuple(np.where(is_move, part, 0) for part in parts), sizes)
    return np.where(is_move, code, DEAD)


def _check_size(n_moves: int, rules: Sequence[Rule], tables: Sequence[_Table] = ()) -> None:
    if n_moves > MAX_MOVES:
        sizes = [len(table.memories) for table in tables] or [0] * len(rules)
        heaviest = [rule for _, rule in sorted(zip(sizes, rules, strict=True), key=lambda pair: -pair[0])][:2]
        msg = (
            f"{'; '.join(map(str, heaviest))}: the rules together remember too much: leave one out, or narrow the range"
        )
        raise RequestError(msg)
