"""The trellis: a row of slots, each with candidates of its own, and a weight on every move from slot to slot.

The index convention, once for all. A *path* takes candidate ``i[t]`` in slot ``t`` and weighs

    sum_t log_slot[t][i[t]]  +  sum_(t > 0) log_move[t - 1][i[t - 1], i[t]]

A table of moves may be large and is never stored: it is a sum of *factors*, small tables of which each sees only
some feature of a candidate, such as the pitches of two voices. Blocks of it are made where they are needed.

>>> stay = Factor(np.array([0, 1]), np.array([0, 1]), np.array([[0.0, -np.inf], [-1.0, 0.0]]))
>>> trellis = Trellis((np.zeros(2), np.zeros(2)), ((stay,),))
>>> count_paths(trellis), best_path(trellis)
(3, (array([0, 0]), 0.0))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgen.decode.semiring import logsumexp

__all__ = [
    "Factor",
    "Trellis",
    "best_path",
    "count_paths",
    "entropy",
    "first_impossible_slot",
    "log_backward",
    "log_total",
    "log_weight_of",
    "marginals",
    "paths_at",
    "sample_paths",
]

_Array = NDArray[np.float64]
_Index = NDArray[np.int64]

_BLOCK_CELLS = 1 << 20
"""Moves looked at together; bounds the memory, whatever the number of candidates."""
_LIMB_BITS = 24
"""Exact counts are split into limbs of so many bits, so that sums over 2**29 candidates are exact in float64."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A part of the weight of a move that depends on features of the two candidates.

    Parameters
    ----------
    before
        Feature of each candidate of the slot, shape (candidates,).
    after
        Feature of each candidate of the next slot.
    table
        ``table[before[i], after[j]]`` is what it adds to the move from i to j; below infinity.
    """

    before: _Index
    after: _Index
    table: _Array

    def __post_init__(self) -> None:
        if np.isnan(self.table).any() or np.isposinf(self.table).any():
            msg = "log weights of moves: expected numbers below infinity, found NaN or +inf"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Trellis:
    """What the module says.

    Parameters
    ----------
    log_slot
        Weights of the candidates of each slot; ``-inf`` forbids one.
    factors
        Of the moves from each slot to the next: one row fewer than there are slots.
    """

    log_slot: tuple[_Array, ...]
    factors: tuple[tuple[Factor, ...], ...]

    def __post_init__(self) -> None:
        assert len(self.log_slot) == len(self.factors) + 1
        for row in self.log_slot:
            if np.isnan(row).any() or np.isposinf(row).any():
                msg = "log weights of candidates: expected numbers below infinity, found NaN or +inf"
                raise ValueError(msg)

    @property
    def n_slots(self) -> int:
        """How many slots there are, at least 1."""
        return len(self.log_slot)

    def log_move(self, slot: int, rows: _Index | slice) -> _Array:
        """Return the weights of moves from some candidates of a slot to all of the next one.

        Parameters
        ----------
        slot
            All but the last.
        rows
            Candidates of the slot.

        Returns
        -------
        ndarray of shape (rows, candidates of the next slot)
        """
        n_rows = len(self.log_slot[slot][rows])
        total = np.zeros((n_rows, len(self.log_slot[slot + 1])))
        for factor in self.factors[slot]:
            total += factor.table[factor.before[rows]].take(factor.after, axis=1)
        return total

    def blocks(self, slot: int) -> Iterator[tuple[slice, _Array]]:
        """Yield all moves from a slot: some candidates at a time, and the weights of their moves."""
        n_before, n_after = len(self.log_slot[slot]), len(self.log_slot[slot + 1])
        height = max(1, _BLOCK_CELLS // max(1, n_after))
        for start in range(0, n_before, height):
            rows = slice(start, min(start + height, n_before))
            yield rows, self.log_move(slot, rows)


def log_backward(trellis: Trellis) -> list[_Array]:
    """Return for each candidate of each slot the log of the summed weight of all that may follow it.

    Notes
    -----
    ``O(slots * candidates^2)`` time, and one block of moves in memory.
    """
    table = [np.zeros(len(trellis.log_slot[-1]))]
    for slot in range(trellis.n_slots - 2, -1, -1):
        onward = trellis.log_slot[slot + 1] + table[-1]
        parts = [logsumexp(block + onward) for _, block in trellis.blocks(slot)]
        table.append(np.concatenate([np.empty(0), *parts]))
    return table[::-1]


def log_total(trellis: Trellis, table: list[_Array]) -> float:
    """Return the log of the summed weight of all paths; ``table`` is :func:`log_backward`."""
    return float(logsumexp(trellis.log_slot[0] + table[0]))


def sample_paths(trellis: Trellis, table: list[_Array], rng: np.random.Generator, n: int = 1) -> _Index:
    """Draw paths from the law of the trellis.

    Parameters
    ----------
    trellis
        With at least one path.
    table
        Its :func:`log_backward`.
    rng
        Source of chance; one uniform number is used for each slot and sample.
    n
        How many.

    Returns
    -------
    ndarray of shape (n, n_slots)
        Candidates.
    """
    return paths_at(trellis, table, rng.random((trellis.n_slots, n)))


def paths_at(trellis: Trellis, table: list[_Array], uniform: _Array) -> _Index:
    """Return the paths that given chance draws.

    Parameters
    ----------
    trellis, table
        As for :func:`sample_paths`.
    uniform
        Numbers from 0 to below 1, shape (n_slots, n): one for each slot and path.
    """
    assert log_total(trellis, table) > -np.inf
    n = uniform.shape[1]
    paths = np.empty((n, trellis.n_slots), dtype=np.int64)
    for slot in range(trellis.n_slots):
        log_weight = np.broadcast_to(trellis.log_slot[slot] + table[slot], (n, len(table[slot])))
        if slot:
            log_weight = log_weight + trellis.log_move(slot - 1, paths[:, slot - 1])
        heights = np.exp(log_weight - log_weight.max(axis=1, keepdims=True)).cumsum(axis=1)
        # Strictly above the drawn height: a candidate of weight zero has no height to hit.
        paths[:, slot] = (heights <= uniform[slot, :, None] * heights[:, -1:]).sum(axis=1)
    return paths


def best_path(trellis: Trellis) -> tuple[_Index, float]:
    """Return the heaviest path and its log weight; of equals, the one with the lowest candidates.

    Parameters
    ----------
    trellis
        With at least one path.
    """
    table = [np.zeros(len(trellis.log_slot[-1]))]
    for slot in range(trellis.n_slots - 2, -1, -1):
        onward = trellis.log_slot[slot + 1] + table[-1]
        parts = [(block + onward).max(axis=1, initial=-np.inf) for _, block in trellis.blocks(slot)]
        table.append(np.concatenate([np.empty(0), *parts]))
    after = table[::-1]
    path = np.empty(trellis.n_slots, dtype=np.int64)
    weight = float((trellis.log_slot[0] + after[0]).max(initial=-np.inf))
    assert weight > -np.inf
    for slot in range(trellis.n_slots):
        log_weight = trellis.log_slot[slot] + after[slot]
        if slot:
            log_weight = log_weight + trellis.log_move(slot - 1, path[slot - 1 : slot])[0]
        path[slot] = np.argmax(log_weight)
    return path, weight


def count_paths(trellis: Trellis) -> int:
    """Return exactly how many paths have a weight above zero.

    Notes
    -----
    Counts are split into limbs, and each limb is summed by a matrix product of whole numbers in float64.
    """
    counts = [int(is_open) for is_open in (trellis.log_slot[-1] > -np.inf)]
    for slot in range(trellis.n_slots - 2, -1, -1):
        limbs = _limbs(counts)
        sums = np.concatenate(
            [np.empty((0, limbs.shape[1])), *((b > -np.inf) @ limbs for _, b in trellis.blocks(slot))]
        )
        weights = [1 << (_LIMB_BITS * place) for place in range(limbs.shape[1])]
        counts = [sum(int(limb) * w for limb, w in zip(row, weights, strict=True)) for row in sums.tolist()]
        counts = [
            count * bool(is_open) for count, is_open in zip(counts, trellis.log_slot[slot] > -np.inf, strict=True)
        ]
    return sum(counts)


def _limbs(counts: list[int]) -> _Array:
    """Split whole numbers into limbs, the lowest first; shape (counts, limbs)."""
    n_limbs = max(1, -(-max(counts, default=0).bit_length() // _LIMB_BITS))
    mask = (1 << _LIMB_BITS) - 1
    rows = [[(count >> (_LIMB_BITS * place)) & mask for place in range(n_limbs)] for count in counts]
    return np.array(rows, dtype=np.float64).reshape(len(counts), n_limbs)


def log_weight_of(trellis: Trellis, path: _Index) -> float:
    """Return the log weight of one path; ``-inf`` if the trellis forbids it.

    Minus :func:`log_total` it is the path's log-probability.
    """
    total = sum(float(row[i]) for row, i in zip(trellis.log_slot, path.tolist(), strict=True))
    for slot in range(trellis.n_slots - 1):
        total += float(trellis.log_move(slot, path[slot : slot + 1])[0, path[slot + 1]])
    return total


def marginals(trellis: Trellis, table: list[_Array]) -> list[_Array]:
    """Return the posterior of every candidate; each row sums to 1.

    Parameters
    ----------
    trellis
        With at least one path.
    table
        Its :func:`log_backward`.
    """
    posterior = [np.exp(trellis.log_slot[0] + table[0] - log_total(trellis, table))]
    for slot in range(trellis.n_slots - 1):
        row = np.zeros(len(trellis.log_slot[slot + 1]))
        for rows, step in _posterior_moves(trellis, table, slot):
            row += posterior[-1][rows] @ step
        posterior.append(row)
    return posterior


def entropy(trellis: Trellis, table: list[_Array]) -> float:
    """Return the entropy of the law of the paths, in nats: that of the first slot, then of each move given the last.

    Parameters
    ----------
    trellis
        With at least one path.
    table
        Its :func:`log_backward`.
    """
    posterior = marginals(trellis, table)
    total = float(_surprise(posterior[0]).sum())
    for slot in range(trellis.n_slots - 1):
        for rows, step in _posterior_moves(trellis, table, slot):
            total += float(posterior[slot][rows] @ _surprise(step).sum(axis=1))
    return total


def _surprise(probability: _Array) -> _Array:
    """Return ``-p log p``, 0 where p is 0."""
    return -probability * np.log(np.where(probability > 0, probability, 1.0))


def _posterior_moves(trellis: Trellis, table: list[_Array], slot: int) -> Iterator[tuple[slice, _Array]]:
    """Yield the probability of each move given its start; zeros from where nothing follows."""
    onward = trellis.log_slot[slot + 1] + table[slot + 1]
    for rows, block in trellis.blocks(slot):
        total = table[slot][rows, None]
        yield rows, np.exp(block + onward - np.where(np.isneginf(total), 0.0, total))


def first_impossible_slot(trellis: Trellis) -> int | None:
    """Return the first slot that no path through all slots before it can reach; ``None`` if there is a path."""
    reached = trellis.log_slot[0] > -np.inf
    if not reached.any():
        return 0
    for slot in range(trellis.n_slots - 1):
        is_open = trellis.log_slot[slot + 1] > -np.inf
        reached = _reached_next(trellis, slot, np.flatnonzero(reached), is_open)
        if not reached.any():
            return slot + 1
    return None


def _reached_next(trellis: Trellis, slot: int, starts: _Index, is_open: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which open candidates of the next slot some start leads to; stops as soon as all are found."""
    found = np.zeros(len(is_open), dtype=np.bool_)
    done, height = 0, 16
    while done < len(starts) and (found != is_open).any():
        found |= (trellis.log_move(slot, starts[done : done + height]) > -np.inf).any(axis=0) & is_open
        done += height
        height = min(2 * height, max(1, _BLOCK_CELLS // max(1, len(is_open))))
    return found
