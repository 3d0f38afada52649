"""Moves of an automaton made ready for sums and draws: in linear scale, and without symbols that are closed.

A step's *pattern* is its kind and the set of its open symbols, those whose potential is above zero. Steps that
share a pattern share a :class:`MoveTable`. For sums symbols lie along the first axis and states along the last,
for draws the other way round: what is read together lies together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD, Automaton

__all__ = ["MoveTable", "Pattern", "Sums", "peaks_and_lows", "step_patterns"]

_Array = NDArray[np.float64]
_Index = NDArray[np.intp]

Pattern = tuple[int, bytes]
"""A kind of step, and which symbols are open: one byte for each, 0 or 1."""

_MAX_TABLE_ENTRIES = 1 << 22
"""What the tables of a lattice may hold together; where patterns are too many for it, all symbols count as open."""

_MIN_STEPS_FOR_PRODUCT, _MAX_TARGETS_FOR_PRODUCT = 32, 4
"""A symbol that leads to so few states is summed by a matrix product, quicker than gathering a state for each;
to make the product ready pays off after so many steps."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over the moves of each state: some symbols by gathering what follows, some by a matrix product.

    Parameters
    ----------
    row, target, weight
        The gathered symbols: their places among the open ones, where they lead from each state, and the weights;
        shapes (g,), (g, states) and (g, states).
    product_row, product_target, product_weight
        The others, an entry for each state such a symbol leads to: the symbol's place, the state, and the weights of
        the moves there, 0 from where it leads elsewhere; shapes (p,), (p,) and (p, states).
    """

    row: _Index
    target: _Index
    weight: _Array
    product_row: _Index
    product_target: _Index
    product_weight: _Array

    @classmethod
    def build(cls, target: _Index, weight: _Array, *, n_steps: int) -> Sums:
        """Return the sums of a table of moves, shape (m, states), that serves so many steps."""
        n_rows, n_states = target.shape
        leads_to = np.zeros((n_rows, n_states + 1), dtype=np.bool_)
        if n_steps >= _MIN_STEPS_FOR_PRODUCT:
            leads_to[np.arange(n_rows)[:, None], target] = True
        leads_to = leads_to[:, :-1]  # the last column is where there is no move
        n_targets = leads_to.sum(axis=1)
        is_product = (n_targets > 0) & (n_targets <= _MAX_TARGETS_FOR_PRODUCT)
        if not is_product.any():
            nothing = np.zeros(0, dtype=np.intp)
            return cls(np.arange(n_rows), target, weight, nothing, nothing, np.zeros((0, n_states)))
        row, to = np.nonzero(leads_to & is_product[:, None])
        product_weight = np.where(target[row] == to[:, None], weight[row], 0.0)
        others = np.flatnonzero(~is_product)
        return cls(others, target[others], weight[others], row, to, product_weight)

    def of(self, onward: _Array, symbol: _Array) -> _Array:
        """Return for each state the summed weight of its moves and what follows them, shape (batch, states).

        Parameters
        ----------
        onward
            What follows from each state, shape (batch, states + 1); the last is 0.
        symbol
            Factors of the open symbols, shape (batch, m).
        """
        if not len(self.product_row):
            return self._of_gathered(onward, symbol)
        total: _Array = (symbol[:, self.product_row] * onward[:, self.product_target]) @ self.product_weight
        return total + self._of_gathered(onward, symbol[:, self.row]) if len(self.row) else total

    def _of_gathered(self, onward: _Array, symbol: _Array) -> _Array:
        following = onward.take(self.target, axis=1)  # (batch, g, states)
        following *= self.weight
        total: _Array = (symbol[:, None] @ following)[:, 0]
        return total


@dataclass(frozen=True, slots=True)
class MoveTable:
    """The moves at the steps of one pattern.

    Parameters
    ----------
    symbols
        The open symbols that some state has a move for, rising; shape (m,).
    target
        Where symbol ``symbols[i]`` leads from state s, shape (states, m); ``n_states`` where there is no move.
    weight
        ``exp(log_weight - log_peak)``, same shape; 0 where there is no move.
    log_peak
        The largest log weight of these moves.
    log_low
        The smallest, less the largest: at most 0.
    sums
        The ways to sum them.
    """

    symbols: _Index
    target: _Index
    weight: _Array
    log_peak: float
    log_low: float
    sums: Sums

    @classmethod
    def build(cls, automaton: Automaton, pattern: Pattern, *, n_steps: int) -> MoveTable:
        """Return the table of a pattern that so many steps share."""
        kind, is_open = pattern
        next_state = automaton.next_state[kind]
        symbols = np.flatnonzero(np.frombuffer(is_open, dtype=np.bool_) & (next_state != DEAD).any(axis=0))
        target = next_state.take(symbols, axis=1).astype(np.intp)
        target[target == DEAD] = automaton.n_states
        log_weight = automaton.log_weight[kind].take(symbols, axis=1)
        (log_peak,), (log_low,) = peaks_and_lows(log_weight.reshape(1, -1))
        weight = np.exp(log_weight - log_peak)
        sums = Sums.build(np.ascontiguousarray(target.T), np.ascontiguousarray(weight.T), n_steps=n_steps)
        return cls(symbols, target, weight, float(log_peak), float(log_low), sums)


def step_patterns(automaton: Automaton, kind: NDArray[np.int64], log_symbol: _Array) -> list[Pattern]:
    """Return the pattern of each step."""
    is_open = ~np.isneginf(log_symbol)
    patterns = list(zip(kind.tolist(), (row.tobytes() for row in is_open), strict=True))
    if sum(opened.count(1) for _, opened in set(patterns)) * automaton.n_states <= _MAX_TABLE_ENTRIES:
        return patterns
    return [(k, b"\x01" * automaton.n_symbols) for k, _ in patterns]


def peaks_and_lows(log_values: _Array) -> tuple[_Array, _Array]:
    """Return the largest of each row (0 if all are ``-inf``), and the smallest finite one less it, at most 0."""
    peak = log_values.max(axis=1, initial=-np.inf)
    peak[np.isneginf(peak)] = 0.0
    low = log_values.min(axis=1, initial=np.inf)
    if np.isneginf(low).any():
        low = np.where(np.isneginf(log_values), np.inf, log_values).min(axis=1, initial=np.inf)
    return peak, np.where(np.isposinf(low), 0.0, low - peak)
