"""Sums towards several ends at once: a column for each, over the states that are live.

A column's value before a step is what all moves from there to its own end come to; where columns share a step's
moves, one product sums them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symgen.decode.lattice import Lattice
from symgen.decode.semiring import BOOL, LOG, Semiring, logsumexp

__all__ = ["Moves", "Sums", "live_moves", "sums_of"]

_Array = NDArray[np.float64]
_Index = NDArray[np.int64]

_MAX_STATES_A_MOVE = 32
"""Where there are more states after a step for each move from a state, gathering is quicker than a matrix product."""

_SAFE_LOG_RANGE = 600.0
"""Numbers that span less than this many nats are all positive in linear scale."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Moves at a step from its live states to those of the next; ``target`` is past these for no move."""

    target: _Index
    log_weight: _Array
    n_after: int


def live_moves(lattice: Lattice, step: int, live: Sequence[_Index]) -> Moves:
    """Return the moves at a step, with the symbols that are open there; shape (live states, symbols)."""
    kind, automaton = lattice.kind[step], lattice.automaton
    symbols = np.flatnonzero(~np.isneginf(lattice.log_symbol[step]))
    place = np.full(automaton.n_states + 1, len(live[step + 1]))  # DEAD, -1, finds the last entry
    place[live[step + 1]] = np.arange(len(live[step + 1]))
    target = place[automaton.next_state[kind, live[step]].take(symbols, axis=1)]
    used = (target < len(live[step + 1])).any(axis=0)
    symbols, target = symbols[used], target[:, used]
    arriving = np.append(lattice.log_state[step, live[step + 1]], -np.inf)
    log_weight = automaton.log_weight[kind, live[step]].take(symbols, axis=1)
    return Moves(target, log_weight + lattice.log_symbol[step, symbols] + arriving[target], len(live[step + 1]))


class Sums(Protocol):
    """Values of columns, (columns, states), in some semiring."""

    @property
    def values(self) -> NDArray[Any]:
        """The values themselves."""

    def before(self, move: Moves) -> Sums:
        """Return the sums before some moves."""

    def at(self, column: _Index, state: _Index) -> NDArray[Any]:
        """Return single values, one for each column and state named."""


def sums_of(values: NDArray[Any], semiring: Semiring) -> Sums:
    """Return what sums columns of values the quickest way."""
    if semiring is LOG:
        return Columns.of(values)
    return Truths.of(values) if semiring is BOOL else Plain(values, semiring)


@dataclass(frozen=True, slots=True)
class Plain:
    """Sums as the semiring has them."""

    values: NDArray[Any]
    semiring: Semiring

    def before(self, move: Moves) -> Plain:
        """Return the sums before some moves."""
        never = np.full((len(self.values), 1), self.semiring.zero, dtype=self.values.dtype)
        onward = np.hstack([self.values, never])[:, move.target]
        log_weight = self.semiring.from_log(move.log_weight)
        return Plain(self.semiring.sum_last(self.semiring.times(log_weight, onward)), self.semiring)

    def at(self, column: _Index, state: _Index) -> NDArray[Any]:
        """Return single values."""
        found: NDArray[Any] = self.values[column, state]
        return found


@dataclass(frozen=True, slots=True)
class Truths:
    """Whether columns can be reached, eight of them to a byte; ``rows`` has shape (states, columns / 8)."""

    rows: NDArray[np.uint8]
    n_columns: int

    @classmethod
    def of(cls, values: NDArray[np.bool_]) -> Truths:
        """Return columns of truths, shape (columns, states)."""
        return cls(np.packbits(values, axis=0).T, len(values))

    @property
    def values(self) -> NDArray[np.bool_]:
        """The truths, shape (columns, states)."""
        return np.unpackbits(self.rows.T, axis=0, count=self.n_columns).astype(np.bool_)

    def before(self, move: Moves) -> Truths:
        """Return what moves can lead to."""
        onward = np.vstack([self.rows, np.zeros((1, self.rows.shape[1]), dtype=np.uint8)])
        rows = np.zeros((len(move.target), onward.shape[1]), dtype=np.uint8)
        for targets in move.target.T:
            rows |= onward[targets]
        return Truths(rows, self.n_columns)

    def at(self, column: _Index, state: _Index) -> NDArray[np.bool_]:
        """Return single truths."""
        truths: NDArray[np.bool_] = (self.rows[state, column >> 3] >> (7 - (column & 7)) & 1).astype(np.bool_)
        return truths


@dataclass(frozen=True, slots=True)
class Columns:
    """Sums in LOG of several columns: ``log(row) + log_scale``, and as they are where the row may have lost some.

    Parameters
    ----------
    row, log_scale
        Shapes (columns, states) and (columns, 1).
    logs
        The sums themselves, where they span too much for ``row``.
    """

    row: _Array
    log_scale: _Array
    logs: _Array | None = None

    @classmethod
    def of(cls, values: _Array) -> Columns:
        """Return columns of log sums, shape (columns, states)."""
        peak = values.max(axis=1, keepdims=True, initial=-np.inf)
        peak = np.where(np.isneginf(peak), 0.0, peak)
        relative = values - peak
        low = relative.min(initial=0.0, where=~np.isneginf(relative))
        return cls(np.exp(relative), peak, values if low < -_SAFE_LOG_RANGE else None)

    @property
    def values(self) -> _Array:
        """The log sums, shape (columns, states)."""
        if self.logs is not None:
            return self.logs
        with np.errstate(divide="ignore"):
            logs: _Array = np.log(self.row) + self.log_scale
        return logs

    def before(self, move: Moves) -> Columns:
        """Return the sums before some moves."""
        log_peak = float(move.log_weight.max(initial=-np.inf))
        if np.isneginf(log_peak):
            return Columns(np.zeros((len(self.row), len(move.target))), self.log_scale)
        low = _lowest(move.log_weight) - log_peak
        if self.logs is not None or low + np.log(_smallest(self.row)) < -_SAFE_LOG_RANGE:
            never = np.full((len(self.row), 1), -np.inf)
            return Columns.of(logsumexp(move.log_weight + np.hstack([self.values, never])[:, move.target]))
        weight = np.exp(move.log_weight - log_peak)
        if move.n_after <= _MAX_STATES_A_MOVE * weight.shape[1]:
            matrix = np.zeros((move.n_after + 1, len(weight)))
            np.add.at(matrix, (move.target, np.arange(len(weight))[:, None]), weight)
            row = self.row @ matrix[:-1]
        else:
            onward = np.hstack([self.row, np.zeros((len(self.row), 1))])
            row = np.zeros((len(onward), len(weight)))
            for targets, weights in zip(move.target.T, weight.T, strict=True):
                row += onward[:, targets] * weights
        peak = row.max(axis=1, keepdims=True, initial=0.0)
        peak[peak == 0.0] = 1.0
        return Columns(row / peak, self.log_scale + np.log(peak) + log_peak)

    def at(self, column: _Index, state: _Index) -> _Array:
        """Return single log sums."""
        if self.logs is not None:
            return self.logs[column, state]
        with np.errstate(divide="ignore"):
            found: _Array = np.log(self.row[column, state]) + self.log_scale[column, 0]
        return found


def _smallest(values: _Array) -> float:
    """Return the smallest positive value; 1 if there is none."""
    return float(values.min(initial=1.0, where=values > 0))


def _lowest(log_values: _Array) -> float:
    """Return the lowest finite value; there must be one."""
    return float(log_values.min(initial=np.inf, where=~np.isneginf(log_values)))
