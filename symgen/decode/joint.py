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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD
from symgen.decode.lattice import Lattice
from symgen.decode.tieparts import Block, Part
from symgen.errors import RequestError

__all__ = ["Level", "check_work", "joint_log_moves", "levels_of"]

_Index = NDArray[np.int64]

_MAX_MOVES = 1 << 23
"""Moves of all joint states of a block: about a second; 8 bytes each are kept."""

_MAX_MARKS = 1 << 22
"""If there could be no more joint states after a step, they are numbered by marks; else by sorting."""


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
    target: _Index
    shared_target: _Index
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


def levels_of(lattice: Lattice, live: Sequence[_Index], block: Block, one_in: int) -> tuple[list[Level], _Index]:
    """Return the joint states of a block step by step, and the guesses, shape (guesses, copies).

    Parameters
    ----------
    lattice
        Of the line.
    live
        The states that some line without ties is in before each step.
    block
        A source and its copies.
    one_in
        A joint state is shared if one guess in so many, and more than one, leads to it.

    Raises
    ------
    RequestError
        If there are too many moves.
    """
    firsts, *columns = (live[start] for start in block.starts)
    n_guesses = prod(len(states) for states in columns)
    check_work(len(firsts) * n_guesses, _MAX_MOVES, block)
    guesses = np.stack([grid.reshape(-1) for grid in np.meshgrid(*columns, indexing="ij")], axis=1)
    states = np.hstack([np.repeat(firsts, n_guesses)[:, None], np.tile(guesses, (len(firsts), 1))])
    guess = np.tile(np.arange(n_guesses), len(firsts))
    shared = np.zeros((0, len(block.starts)), dtype=np.int64)
    levels, n_moves, fewest = [], 0, max(2, -(-n_guesses // one_in))
    for offset in range(block.n_steps):
        step = _Step.of(lattice, live, block, offset, np.vstack([states, shared]))
        n_moves += (len(states) + len(shared)) * len(step.symbols)
        check_work(n_moves, _MAX_MOVES, block)
        code, shared_code = step.codes(states), step.codes(shared)
        shared_next = _shared(code, shared_code, step.n_joint, fewest)
        place = _place_among(shared_next, code, step.n_joint)
        is_own = (code >= 0) & (place == len(shared_next))
        codes, numbers = np.unique((code + guess[:, None] * step.n_joint)[is_own], return_inverse=True)
        target = len(codes) + place
        target[is_own] = numbers.reshape(-1)
        n_next = len(codes), len(shared_next)
        shared_target = _place_among(shared_next, shared_code, step.n_joint)
        levels.append(Level(states, guess, shared, step.symbols, target, shared_target, n_next))
        guess, own_code = np.divmod(codes, step.n_joint)
        states, shared = step.states_of(own_code), step.states_of(shared_next)
    none = np.zeros(0, dtype=np.int64)
    nowhere, shared_nowhere = (np.zeros((len(some), 0), dtype=np.int64) for some in (states, shared))
    return [*levels, Level(states, guess, shared, none, nowhere, shared_nowhere, (0, 0))], guesses


@dataclass(frozen=True, slots=True)
class _Step:
    """What each symbol that is open in source and copies does at one step.

    ``target[i][s]`` are the places, among the states ``after[i]`` that source or copy i can get to, of where its
    symbols lead from state s; -1 for no move.
    """

    symbols: _Index
    target: list[_Index]
    after: list[_Index]

    @classmethod
    def of(cls, lattice: Lattice, live: Sequence[_Index], block: Block, offset: int, states: _Index) -> _Step:
        """Return the moves from some joint states."""
        steps = [start + offset for start in block.starts]
        symbols = np.flatnonzero(~np.isneginf(lattice.log_symbol[steps]).any(axis=0))
        n_states = lattice.automaton.n_states
        targets, afters = [], []
        for step, column in zip(steps, states.T, strict=True):
            from_states = np.unique(column)
            found = lattice.automaton.next_state[lattice.kind[step]][from_states].take(symbols, axis=1)
            is_live = _flags(live[step + 1], n_states)[found] & (found != DEAD)
            afters.append(np.flatnonzero(_flags(found[is_live], n_states)[:-1]))
            target = np.full((n_states, len(symbols)), -1)
            target[from_states] = np.where(is_live, _places(_flags(afters[-1], n_states))[found], -1)
            targets.append(target)
        is_used = np.all([(target != -1).any(axis=0) for target in targets], axis=0)
        return cls(symbols[is_used], [target[:, is_used] for target in targets], afters)

    @property
    def n_joint(self) -> int:
        """How many joint states there could be after it."""
        return prod(len(after) for after in self.after)

    def codes(self, states: _Index) -> _Index:
        """Return the joint state each symbol leads to from each, read as one number; -1 for none."""
        code = np.zeros((len(states), len(self.symbols)), dtype=np.int64)
        is_open = np.ones(code.shape, dtype=np.bool_)
        for target, column, after in zip(self.target, states.T, self.after, strict=True):
            picked = target[column]
            is_open &= picked != -1
            code *= len(after)
            code += picked
        return np.where(is_open, code, -1)

    def states_of(self, codes: _Index) -> _Index:
        """Return the joint states of codes, shape (n, 1 + copies)."""
        parts = []
        for after in self.after[::-1]:
            codes, part = np.divmod(codes, max(len(after), 1))
            parts.append(after[part])
        return np.stack(parts[::-1], axis=1)


def _shared(code: _Index, shared_code: _Index, n_joint: int, fewest: int) -> _Index:
    """Return the codes, rising, to which enough moves lead, or one from a joint state that is shared."""
    # A guess may come to a joint state in several ways, and count as several: it is only a matter of speed.
    found, shared_code = code[code >= 0], shared_code[shared_code >= 0]
    if n_joint <= _MAX_MARKS:
        flags = np.bincount(found, minlength=n_joint) >= fewest
        flags[shared_code] = True
        return np.flatnonzero(flags)
    codes, count = np.unique(found, return_counts=True)
    return np.union1d(codes[count >= fewest], shared_code)


def _place_among(codes: _Index, code: _Index, n_joint: int) -> _Index:
    """Return the place of each code among some, rising; past them for others, and for -1."""
    if n_joint <= _MAX_MARKS:
        place = np.full(n_joint + 1, len(codes))  # -1, no move, finds the last entry
        place[codes] = np.arange(len(codes))
        return place[code]
    place = np.searchsorted(codes, code)
    if len(codes):
        place[codes[np.minimum(place, len(codes) - 1)] != code] = len(codes)
    return place


def _flags(places: NDArray[np.integer[Any]], n: int) -> NDArray[np.bool_]:
    """Return what is among some places, with an entry more for ``DEAD``."""
    flags = np.zeros(n + 1, dtype=np.bool_)
    flags[places] = True
    return flags


def _places(flags: NDArray[np.bool_]) -> _Index:
    """Return for each flag that is set its number among these."""
    places: _Index = np.cumsum(flags) - 1
    return places


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
