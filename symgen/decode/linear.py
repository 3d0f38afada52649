"""LOG sums and draws of lattices that share an automaton, in linear scale wherever that is exact.

Products of weights are quick and logarithms are slow, but a product may underflow to zero, and zero means
impossible here. So every sum and draw in this module knows when nothing can have been lost, and where it cannot
be sure the log domain does the work.

Axes are (steps, batch, states or symbols).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD, Automaton
from symgen.decode.lattice import Lattice
from symgen.decode.moves import MoveTable, peaks_and_lows
from symgen.decode.semiring import logsumexp

__all__ = ["Batch"]

_Array = NDArray[np.float64]

_SAFE_LOG_RANGE = 600.0
"""Sums of products that span less than this many nats cannot underflow in float64."""

_SAFE_SUM = 1e-200
"""What was lost of a sum of at least this, below 1e-307 each, is far less than its rounding."""

_CHUNK_STEPS = 64


@dataclass(frozen=True, slots=True)
class Batch:
    """Lattices of one automaton and the same kinds of step, side by side.

    Parameters
    ----------
    automaton, kind
        As of each lattice.
    moves
        Of each step, with all symbols that are open in any lattice.
    log_symbol, log_state
        Shapes (n_steps, batch, symbols) and (n_steps, batch, states).
    log_final
        Shape (batch, states).
    """

    automaton: Automaton
    kind: NDArray[np.int64]
    moves: list[MoveTable]
    log_symbol: _Array
    log_state: _Array
    log_final: _Array

    @classmethod
    def of(cls, lattices: Sequence[Lattice]) -> Batch:
        """Lay lattices side by side.

        Raises
        ------
        ValueError
            If there is none, or they differ in automaton or kinds of step.
        """
        if not lattices:
            msg = "a batch of 0 lattices: expected at least one"
            raise ValueError(msg)
        first = lattices[0]
        for number, other in enumerate(lattices):
            if other.automaton is not first.automaton or not np.array_equal(other.kind, first.kind):
                msg = f"lattice {number} of a batch: expected the automaton and the kinds of step of lattice 0"
                raise ValueError(msg)
        log_symbol = np.stack([lattice.log_symbol for lattice in lattices], axis=1)
        log_state = np.stack([lattice.log_state for lattice in lattices], axis=1)
        log_final = np.stack([lattice.log_final for lattice in lattices])
        moves = first.move_tables(log_symbol.max(axis=1))
        return cls(first.automaton, first.kind, moves, log_symbol, log_state, log_final)

    @property
    def n_steps(self) -> int:
        """Steps of each."""
        return len(self.kind)

    def log_backward(self) -> _Array:
        """Return the backward sums, shape (n_steps + 1, batch, states)."""
        factors = _Factors.of(self)
        table = np.empty((self.n_steps + 1, *self.log_final.shape))
        table[-1] = self.log_final
        step = self.n_steps
        while step > 0:
            step = self._sum_in_linear_scale(factors, table, step)
            if step > 0:
                step -= 1
                table[step] = self._sum_in_log_scale(table, step)
        return table

    def _sum_in_linear_scale(self, factors: _Factors, table: _Array, end: int) -> int:
        """Fill the rows before ``end`` as far as nothing can underflow; return the first one filled.

        Rows are normalised to a largest entry of 1; ``low`` never lies above the log of the smallest positive one.
        """
        log_scale, lows = peaks_and_lows(table[end])
        low = float(lows.min())
        row = np.exp(table[end] - log_scale[:, None])
        onward = np.zeros((row.shape[0], row.shape[1] + 1))
        log_scales = np.empty((end, len(row)))
        step = end
        while step > 0 and low >= -_SAFE_LOG_RANGE:
            moves, needed = self.moves[step - 1], factors.low[step - 1]
            if low + needed < -_SAFE_LOG_RANGE:
                low = _log_smallest(row)
                if low + needed < -_SAFE_LOG_RANGE:
                    break
            step -= 1
            np.multiply(row, factors.state[step], out=onward[:, :-1])
            row = moves.sums.of(onward, factors.symbol[step][:, moves.symbols])
            peak = row.max(axis=1, initial=0.0)
            peak[peak == 0.0] = 1.0
            row /= peak[:, None]
            log_scale = log_scale + (np.log(peak) + factors.log_peak[step])
            low += needed - float(np.log(peak.max()))
            table[step], log_scales[step] = row, log_scale
        filled = table[step:end]
        with np.errstate(divide="ignore"):
            np.log(filled, out=filled)
        filled += log_scales[step:, :, None]
        return step

    def _sum_in_log_scale(self, table: _Array, step: int) -> _Array:
        return logsumexp(self._log_moves(table[step + 1], step))

    def _log_moves(self, after: _Array, step: int) -> _Array:
        """Return what each move at a step and all after it weigh, shape (batch, states, symbols)."""
        arriving = after + self.log_state[step]
        never = np.full((len(arriving), 1), -np.inf)  # DEAD, -1, finds the last entry
        onward = np.hstack([arriving, never])[:, self.automaton.next_state[self.kind[step]]]
        log_weight = self.automaton.log_weight[self.kind[step]]
        log_moves: _Array = log_weight + self.log_symbol[step][:, None] + onward
        return log_moves

    def heaviest(self) -> tuple[NDArray[np.int64], _Array]:
        """Return the heaviest lines, of equals the lowest symbols, and their log weights.

        Shapes (batch, n_steps) and (batch,); where the weight is ``-inf`` the symbols mean nothing.
        """
        after = self.log_final
        choice = np.empty((self.n_steps, *after.shape), dtype=np.int32)
        for step in range(self.n_steps - 1, -1, -1):
            log_moves = self._log_moves(after, step)
            choice[step] = log_moves.argmax(axis=2)
            after = log_moves.max(axis=2)
        lines = np.empty((len(after), self.n_steps), dtype=np.int64)
        number, state = np.arange(len(after)), np.zeros(len(after), dtype=np.int64)
        for step in range(self.n_steps):
            lines[:, step] = choice[step, number, state]
            state = self.automaton.next_state[self.kind[step], state, lines[:, step]]
        return lines, after[:, 0]

    def marginals(self, table: _Array) -> tuple[_Array, _Array]:
        """Return the posteriors of symbols and of states, given the backward sums.

        Shapes (n_steps, batch, symbols) and (n_steps + 1, batch, states); zeros where there is no line.
        """
        chance = np.zeros_like(table)
        symbol_chance = np.zeros_like(self.log_symbol)
        chance[0, ~np.isneginf(table[0, :, 0]), 0] = 1.0
        n_states = table.shape[2]
        for step in range(self.n_steps):
            number, state = np.nonzero(chance[step])
            kind = self.kind[step]
            target = self.automaton.next_state[kind, state]
            arriving = np.append(table[step + 1] + self.log_state[step], np.full((len(table[0]), 1), -np.inf), axis=1)
            log_move = self.automaton.log_weight[kind, state] + self.log_symbol[step, number]
            log_move += arriving[number[:, None], target] - table[step, number, state, None]
            share = np.exp(log_move) * chance[step, number, state, None]
            np.add.at(symbol_chance[step], number, share)
            reached = target != DEAD
            place = (number[:, None] * n_states + target)[reached]
            chance[step + 1] = np.bincount(place, share[reached], table[0].size).reshape(-1, n_states)
        return symbol_chance, chance

    def lines_at(self, table: _Array, uniform: _Array) -> NDArray[np.int64]:
        """Return the lines that given chance draws, shape (batch, n, n_steps).

        Parameters
        ----------
        table
            The backward sums, shape (n_steps + 1, batch, states).
        uniform
            Numbers from 0 to below 1, shape (n_steps, batch, n).
        """
        n_steps, n_batch, n = uniform.shape
        lines = np.empty((n_batch, n, n_steps), dtype=np.int64)
        state = np.zeros((n_batch, n), dtype=np.intp)
        place_of_line = np.arange(n_batch * n).reshape(n_batch, n)
        for step, (onward, factor) in enumerate(self._onward(table)):
            moves = self.moves[step]
            target = moves.target.take(state, axis=0)  # (batch, n, m)
            weight = _of_own_row(onward, target)
            weight *= moves.weight.take(state, axis=0)
            weight *= factor.take(moves.symbols, axis=1)[:, None]
            heights = weight.cumsum(axis=2)
            total = heights[:, :, -1]
            if total.min() < _SAFE_SUM:
                self._mend(heights, table, step, state)
            # Strictly above the drawn height: a symbol of weight zero has no height to hit.
            place = (heights > (uniform[step] * total)[:, :, None]).argmax(axis=2)
            lines[:, :, step] = moves.symbols.take(place)
            state = target.take(place + place_of_line * target.shape[2])
        return lines

    def _mend(self, heights: _Array, table: _Array, step: int, state: NDArray[np.intp]) -> None:
        """Make heights anew, in place, where weights are so small that some may be lost."""
        for b, i in np.argwhere(heights[:, :, -1] < _SAFE_SUM):
            heights[b, i] = np.cumsum(self._log_scale_weights(table, step, b, state[b, i]))

    def _onward(self, table: _Array) -> Iterator[tuple[_Array, _Array]]:
        """Yield for each step the weights of arriving in each state, 0 for nowhere, and of its symbols, scaled."""
        for start in range(0, self.n_steps, _CHUNK_STEPS):
            steps = slice(start, start + _CHUNK_STEPS)
            log_arriving = table[1:][steps] + self.log_state[steps]
            arriving = np.zeros((*log_arriving.shape[:2], log_arriving.shape[2] + 1))
            _exp_of_rows(log_arriving, out=arriving[:, :, :-1])
            yield from zip(arriving, _exp_of_rows(self.log_symbol[steps]), strict=True)

    def _log_scale_weights(self, table: _Array, step: int, batch: int, state: int) -> _Array:
        """Return the weights of a state's moves relative to the heaviest, however little they weigh."""
        kind, symbols = self.kind[step], self.moves[step].symbols
        target = self.automaton.next_state[kind, state, symbols]
        arriving = np.append(table[step + 1, batch] + self.log_state[step, batch], -np.inf)
        log_move = self.automaton.log_weight[kind, state, symbols] + self.log_symbol[step, batch, symbols]
        log_move = log_move + arriving[target]
        weight: _Array = np.exp(log_move - log_move.max())
        return weight


@dataclass(frozen=True, slots=True)
class _Factors:
    """What each step multiplies by, scaled to a largest factor of 1.

    Parameters
    ----------
    state, symbol
        Shapes (n_steps, batch, states) and (n_steps, batch, symbols).
    log_peak
        What the scaling took away, the moves' own included; shape (n_steps, batch).
    low
        For each step, the log of the smallest product of positive factors.
    """

    state: _Array
    symbol: _Array
    log_peak: _Array
    low: list[float]

    @classmethod
    def of(cls, batch: Batch) -> _Factors:
        state, state_peak, state_low = _scaled(batch.log_state)
        symbol, symbol_peak, symbol_low = _scaled(batch.log_symbol)
        move_peak = np.array([moves.log_peak for moves in batch.moves])[:, None]
        move_low = np.array([moves.log_low for moves in batch.moves])
        low = state_low.min(axis=1) + symbol_low.min(axis=1) + move_low
        return cls(state, symbol, state_peak + symbol_peak + move_peak, low.tolist())


def _scaled(log_values: _Array) -> tuple[_Array, _Array, _Array]:
    flat = log_values.reshape(-1, log_values.shape[-1])
    peak, low = (x.reshape(log_values.shape[:2]) for x in peaks_and_lows(flat))
    return np.exp(log_values - peak[:, :, None]), peak, low


def _of_own_row(values: _Array, index: NDArray[np.intp]) -> _Array:
    """Return ``values[b, index[b, ...]]``."""
    if len(values) > 1:
        index = index + (values.shape[1] * np.arange(len(values)))[:, None, None]
    return values.take(index)


def _exp_of_rows(log_values: _Array, out: _Array | None = None) -> _Array:
    peak = log_values.max(axis=-1, keepdims=True)
    scaled: _Array = np.exp(log_values - np.where(np.isneginf(peak), 0.0, peak), out=out)
    return scaled


def _log_smallest(row: _Array) -> float:
    """Return the log of the smallest positive entry; 0 if there is none."""
    positive = row[row > 0]
    return float(np.log(positive.min())) if len(positive) else 0.0
