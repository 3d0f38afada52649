"""Regions: some steps of a line are drawn anew, everything outside them is a condition.

What lies before a region decides the state it starts in, what lies after it decides what it may end in and how
much that weighs. So the law of a region given the rest of the line is again a lattice, no longer than the region,
and its lines put into the old one are draws from the whole lattice given all that lies outside.

>>> import numpy as np
>>> from symgen.decode.automaton import Automaton
>>> from symgen.decode.infer import log_backward, sample_lines
>>> one_state = Automaton(np.zeros((1, 1, 9), np.int32), np.zeros((1, 1, 9)), np.zeros(1), np.zeros((1, 1), np.int32))
>>> region = region_of(Lattice.build(one_state, np.zeros((6, 9))), np.array([3, 1, 4, 1, 5, 2]), 2, 4)
>>> drawn = sample_lines(region.lattice, log_backward(region.lattice), np.random.default_rng(0), 2)
>>> region.full(drawn)[:, [0, 1, 4, 5]].tolist()
[[3, 1, 5, 2], [3, 1, 5, 2]]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD, Automaton
from symgen.decode.lattice import Lattice
from symgen.errors import InfeasibleError, RequestError

__all__ = ["Region", "region_of"]


@dataclass(frozen=True, slots=True)
class Region:
    """Steps of a line that are free while the others are not.

    Parameters
    ----------
    lattice
        Of the steps in the region; what the rest of the line makes of each of its lines is part of its weights. Its
        states are those of the whole lattice, save that state 0 has changed places with the one the region starts in.
    line
        The whole line, shape (n_steps,).
    start, end
        First step of the region, and the first after it.
    log_before
        Log weight of the steps before the region.
    """

    lattice: Lattice
    line: NDArray[np.int64]
    start: int
    end: int
    log_before: float

    def full(self, lines: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return whole lines, shape (n, n_steps), with these symbols, shape (n, end - start), in the region."""
        whole = np.repeat(self.line[None], len(lines), axis=0)
        whole[:, self.start : self.end] = lines
        return whole


def region_of(lattice: Lattice, line: NDArray[np.int64], start: int, end: int) -> Region:
    """Return the law of some steps of a line given all its other steps.

    Parameters
    ----------
    lattice
        The law of whole lines.
    line
        Symbols, shape (n_steps,); what stands in the region does not matter.
    start, end
        First step of the region, and the first after it.

    Raises
    ------
    RequestError
        If the region does not lie within the line, or the line is not one of this lattice's length.
    InfeasibleError
        If what lies before the region is itself forbidden. If what lies after it is, or no line of the region joins
        the two, the region's lattice has no line.

    Notes
    -----
    Takes ``O(n_steps * states)`` beside a copy of the automaton's tables.
    """
    if len(line) != lattice.n_steps:
        msg = f"a line of {len(line)} steps: expected {lattice.n_steps}"
        raise RequestError(msg)
    if not 0 <= start < end <= lattice.n_steps:
        msg = f"region from step {start} to {end}: expected 0 <= start < end <= {lattice.n_steps}"
        raise RequestError(msg)
    state, log_before = _walk(lattice, line, start)
    order = np.arange(lattice.automaton.n_states)
    order[[0, state]] = state, 0  # an exchange: its own inverse
    region = Lattice(
        _renumbered(lattice.automaton, order),
        lattice.kind[start:end],
        lattice.log_symbol[start:end],
        lattice.log_state[start:end, order],
        _log_after(lattice, line, end)[order],
    )
    return Region(region, line.copy(), start, end, log_before)


def _walk(lattice: Lattice, line: NDArray[np.int64], end: int) -> tuple[int, float]:
    """Return the state before step ``end``, and what the steps before it weigh."""
    state, total = 0, 0.0
    for step, symbol in enumerate(line[:end].tolist()):
        kind = lattice.kind[step]
        target = int(lattice.automaton.next_state[kind, state, symbol])
        if target != DEAD:
            total += float(lattice.automaton.log_weight[kind, state, symbol])
            total += float(lattice.log_symbol[step, symbol] + lattice.log_state[step, target])
        if target == DEAD or np.isneginf(total):
            msg = f"step {step}: symbol {symbol} is forbidden there, before the region from step {end}"
            raise InfeasibleError(msg, where=f"step {step}")
        state = target
    return state, total


def _log_after(lattice: Lattice, line: NDArray[np.int64], start: int) -> NDArray[np.float64]:
    """Return for each state before step ``start`` what the rest of the line weighs from there; shape (states,)."""
    after = lattice.log_final
    for step in range(lattice.n_steps - 1, start - 1, -1):
        kind, symbol = lattice.kind[step], line[step]
        target = lattice.automaton.next_state[kind, :, symbol]
        arriving = np.append(after + lattice.log_state[step], -np.inf)  # DEAD, -1, finds the last entry
        log_move = lattice.automaton.log_weight[kind, :, symbol] + lattice.log_symbol[step, symbol]
        after = log_move + arriving[target]
    return after


def _renumbered(automaton: Automaton, order: NDArray[np.int64]) -> Automaton:
    """Return the automaton in which state i is what was ``order[i]``; the order is its own inverse."""
    numbers = np.append(order, DEAD).astype(np.int32)  # DEAD, -1, finds the last entry
    return Automaton(
        numbers[automaton.next_state[:, order]],
        automaton.log_weight[:, order],
        automaton.log_final[order],
        automaton.label[order],
    )
