"""Source and copies of a tied segment side by side: the joint states they can be in, step by step.

A joint state is the state of the source and that of each copy; it comes from a *guess*, the states in which the
copies started. Before the first common onset, what a copy is in depends on its guess, so pairs of both are numbered.
Afterwards most joint states come from most guesses: such *shared* ones are numbered once for all of them, and what is
summed there has a column for each guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD
from symgen.decode.lattice import Lattice
from symgen.decode.tieparts import Block, Part
from symgen.errors import RequestError

__all__ = ["Level", "check_work", "joint_log_moves", "levels_of", "place_of_states"]

_Index = NDArray[np.int64]

_MAX_MOVES = 1 << 23
"""Moves of all joint states of a block: less than a second; 4 bytes each are kept."""

_MAX_MARKS = 1 << 24
"""Codes are numbered by marking, if there are no more; by sorting otherwise."""

_SHARED = 8
"""A joint state is shared if one guess in so many, and more than one, leads to it."""


@dataclass(frozen=True, slots=True)
class Level:
    """Joint states before one step of a source, and where its symbols lead.

    Parameters
    ----------
    states, guess
        States in source and copies, shape (n, 1 + copies), and the guess they come from, shape (n,).
    shared
        Joint states of whatever guess, shape (k, 1 + copies).
    symbols
        The symbols that are open in source and copies, shape (m,); none after the last step.
    target
        Where they lead from ``states``, shape (n, m): numbers of the next level's ``states``, then those of its
        ``shared``; past both where there is no move.
    shared_target
        Where they lead from ``shared``, shape (k, m): numbers of the next level's ``shared``; past them for no move.
    n_next
        How many ``states`` and ``shared`` the next level has.
    """

    states: _Index
    guess: _Index
    shared: _Index
    symbols: _Index
    target: NDArray[np.int32]
    shared_target: NDArray[np.int32]
    n_next: tuple[int, int]


def check_work(work: int, most: int, part: Part) -> None:
    """Refuse too much work.

    Raises
    ------
    RequestError
        If ``work`` is more than ``most``.
    """
    if work > most:
        where = f"source at {part.starts[0]}" if isinstance(part, Block) else f"steps {part.start} to {part.end}"
        msg = f"ties, {where}: {work} moves to keep in mind: expected at most {most}; tie shorter or fewer segments"
        raise RequestError(msg)


def levels_of(lattice: Lattice, live: Sequence[_Index], block: Block) -> tuple[list[Level], _Index]:
    """Return the joint states of a block step by step, and the guesses, shape (guesses, copies).

    Parameters
    ----------
    lattice
        Of the line.
    live
        The states that some line without ties is in before each step.
    block
        A source and its copies.

    Raises
    ------
    RequestError
        If there are too many moves.
    """
    firsts, *columns = (live[start] for start in block.starts)
    n_guesses, n_states = prod(len(states) for states in columns), lattice.automaton.n_states
    check_work(len(firsts) * n_guesses, _MAX_MOVES, block)
    guesses = np.stack([grid.reshape(-1) for grid in np.meshgrid(*columns, indexing="ij")], axis=1)
    states = np.hstack([np.repeat(firsts, n_guesses)[:, None], np.tile(guesses, (len(firsts), 1))])
    guess = np.tile(np.arange(n_guesses), len(firsts))
    shared = np.zeros((0, len(block.starts)), dtype=np.int64)
    levels, n_moves = [], 0
    n_joint = n_states ** len(block.starts)
    for offset in range(block.n_steps):
        step = _Step.of(lattice, live, block, offset, np.vstack([states, shared]))
        n_moves += (len(states) + len(shared)) * len(step.symbols)
        check_work(n_moves, _MAX_MOVES, block)
        code, shared_code = step.codes(states), step.codes(shared)
        is_shared, shared_next = _shared(code, guess, shared_code, n_joint, n_guesses)
        own = np.where((code >= 0) & ~is_shared, code + guess[:, None] * n_joint, -1)
        codes, target = _numbered(own, n_guesses * n_joint)
        target[is_shared] = len(codes) + np.searchsorted(shared_next, code[is_shared])
        target[code < 0] = len(codes) + len(shared_next)
        shared_target = np.where(shared_code < 0, len(shared_next), np.searchsorted(shared_next, shared_code))
        n_next = len(codes), len(shared_next)
        levels.append(Level(states, guess, shared, step.symbols, target, shared_target.astype(np.int32), n_next))
        guess, own_code = np.divmod(codes, n_joint)
        states, shared = (_split(c, n_states, len(block.starts)) for c in (own_code, shared_next))
    none = np.zeros(0, dtype=np.int64)
    last = [np.zeros((len(some), 0), dtype=np.int32) for some in (states, shared)]
    return [*levels, Level(states, guess, shared, none, *last, (0, 0))], guesses


@dataclass(frozen=True, slots=True)
class _Step:
    """What each symbol that is open in source and copies does at one step; ``target[i][s]`` is -1 for no move."""

    symbols: _Index
    target: list[_Index]
    n_states: int

    @classmethod
    def of(cls, lattice: Lattice, live: Sequence[_Index], block: Block, offset: int, states: _Index) -> _Step:
        """Return the moves from some joint states."""
        steps = [start + offset for start in block.starts]
        symbols = np.flatnonzero(~np.isneginf(lattice.log_symbol[steps]).any(axis=0))
        targets = []
        for step in steps:
            to = place_of_states(live[step + 1], lattice.automaton.n_states)
            found = lattice.automaton.next_state[lattice.kind[step]].take(symbols, axis=1).astype(np.int64)
            targets.append(np.where(to[found] < len(live[step + 1]), found, DEAD))
        pairs = zip(targets, states.T, strict=True)
        is_used = np.all([(target[np.unique(column)] != DEAD).any(axis=0) for target, column in pairs], axis=0)
        return cls(symbols[is_used], [target[:, is_used] for target in targets], lattice.automaton.n_states)

    def codes(self, states: _Index) -> _Index:
        """Return the joint state each symbol leads to from each, read as one number; -1 for none."""
        code = np.zeros((len(states), len(self.symbols)), dtype=np.int64)
        is_open = np.ones(code.shape, dtype=np.bool_)
        for target, column in zip(self.target[::-1], states.T[::-1], strict=True):
            picked = target[column]
            is_open &= picked != DEAD
            code *= self.n_states
            code += picked
        return np.where(is_open, code, -1)


def _shared(
    code: _Index, guess: _Index, shared_code: _Index, n_joint: int, n_guesses: int
) -> tuple[NDArray[np.bool_], _Index]:
    """Return which moves lead to joint states that are shared, and the codes of these, rising."""
    fewest = max(2, -(-n_guesses // _SHARED))
    pairs, _ = _numbered(np.where(code >= 0, code + guess[:, None] * n_joint, -1), n_guesses * n_joint)
    joint, n_from = np.unique(pairs % n_joint, return_counts=True)
    shared = np.unique(np.concatenate([joint[n_from >= fewest], shared_code[shared_code >= 0]]))
    return np.isin(code, shared), shared


def place_of_states(states: _Index, n_states: int) -> _Index:
    """Return the place of each state among some, rising; past them for all others, and for ``DEAD``, -1."""
    place = np.full(n_states + 1, len(states))
    place[states] = np.arange(len(states))
    return place


def joint_log_moves(
    lattice: Lattice, block: Block, offset: int, states: _Index, symbols: _Index
) -> NDArray[np.float64]:
    """Return what each symbol weighs in source and copies together, from some joint states; shape (n, m)."""
    total = np.zeros((len(states), len(symbols)))
    for start, column in zip(block.starts, states.T, strict=True):
        step, automaton = start + offset, lattice.automaton
        kind = lattice.kind[step]
        single, place = np.unique(column, return_inverse=True)  # where joint states are many, single ones are few
        target = automaton.next_state[kind, single].take(symbols, axis=1)
        arriving = np.append(lattice.log_state[step], -np.inf)[target]  # DEAD, -1, finds the last entry
        log_move = automaton.log_weight[kind, single].take(symbols, axis=1) + lattice.log_symbol[step, symbols]
        total += (log_move + arriving)[place.reshape(-1)]
    return total


def _split(codes: _Index, size: int, n: int) -> _Index:
    parts = []
    for _ in range(n):
        codes, part = np.divmod(codes, size)
        parts.append(part)
    return np.stack(parts, axis=1)


def _numbered(code: _Index, n_codes: int) -> tuple[_Index, NDArray[np.int32]]:
    """Return the codes that occur, rising, and in place of each code its number; -1 becomes their number."""
    if n_codes > _MAX_MARKS:
        codes = np.unique(code)
        codes = codes[codes >= 0]
        numbers = np.searchsorted(codes, code)
    else:
        marks = np.zeros(n_codes, dtype=np.int32)
        marks[code[code >= 0]] = 1
        codes = np.flatnonzero(marks)
        marks[codes] = np.arange(len(codes))
        numbers = marks[code].astype(np.int64)
    return codes, np.where(code < 0, len(codes), numbers).astype(np.int32)
