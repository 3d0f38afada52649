"""Inference on a lattice: one backward recursion, then whatever is asked of it.

``backward[t, s]`` sums (in some semiring) the weights of everything from step ``t`` to the end, given the
state ``s`` before step ``t``. With it, lines are drawn forward, step by step, each symbol with its exact
probability: a sample is the model's law conditioned on the rules, and no draw can run into a dead
end. The automaton is deterministic, so going backward needs only gathers, and several samples go
forward together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD
from symgen.decode.lattice import Lattice
from symgen.decode.linear import Batch
from symgen.decode.semiring import COUNT, MAX, Semiring

__all__ = [
    "Marginals",
    "backward",
    "best_line",
    "count_lines",
    "entropy",
    "forward_support",
    "has_line",
    "lines_at",
    "lines_at_batch",
    "log_backward",
    "log_backward_batch",
    "log_probability",
    "log_weight_of",
    "marginals",
    "sample_batch",
    "sample_lines",
    "two_way_support",
]


_FEW_SYMBOLS = 8
"""If no more are open, they are picked from all that a state has."""


def backward(lattice: Lattice, semiring: Semiring) -> NDArray[Any]:
    """Return the backward sums in a semiring, shape (n_steps + 1, states).

    Notes
    -----
    Every semiring takes this plain road, ``O(n_steps * states * symbols)``; :func:`log_backward` is the
    fast one for LOG.
    """
    automaton = lattice.automaton
    after = semiring.from_log(lattice.log_final)
    rows = [after]
    for step in range(lattice.n_steps - 1, -1, -1):
        kind = lattice.kind[step]
        target = automaton.next_state[kind]
        arriving = semiring.times(after, semiring.from_log(lattice.log_state[step]))
        move = semiring.from_log(automaton.log_weight[kind] + lattice.log_symbol[step])
        onward = np.where(target == DEAD, semiring.zero, arriving[target])
        after = semiring.sum_last(semiring.times(move, onward))
        rows.append(after)
    return np.stack(rows[::-1])


def log_backward(lattice: Lattice) -> NDArray[np.float64]:
    """Return the backward sums in LOG, shape (n_steps + 1, states).

    Notes
    -----
    Sums run in linear scale, normalised at every step, for as long as nothing can underflow: a lower bound of the
    smallest weight above zero is carried along. Where the bound gives out, a step is summed in the log domain, so
    that whatever is possible, however unlikely, never becomes impossible. Memory is linear in the steps.
    """
    return Batch.of([lattice]).log_backward()[:, 0]


def log_backward_batch(lattices: Sequence[Lattice]) -> NDArray[np.float64]:
    """Return the :func:`log_backward` of several lattices, shape (batch, n_steps + 1, states).

    Parameters
    ----------
    lattices
        At least one; of one automaton (the same object) and the same kinds of step.

    Raises
    ------
    ValueError
        If there is none, or they differ in automaton or kinds.
    """
    return Batch.of(lattices).log_backward().swapaxes(0, 1)


def sample_lines(
    lattice: Lattice, table: NDArray[np.float64], rng: np.random.Generator, n: int = 1
) -> NDArray[np.int64]:
    """Draw lines from the law of the lattice.

    Parameters
    ----------
    lattice
        With at least one line.
    table
        Its :func:`log_backward`.
    rng
        Source of chance; one uniform number is used for each step and sample.
    n
        How many.

    Returns
    -------
    ndarray of shape (n, n_steps)
        Symbols.
    """
    return lines_at(lattice, table, rng.random((lattice.n_steps, n)))


def lines_at(lattice: Lattice, table: NDArray[np.float64], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the lines that given chance draws: a function of it, so that equal chance can make equal bars.

    Parameters
    ----------
    lattice, table
        As for :func:`sample_lines`.
    uniform
        Numbers from 0 to below 1, shape (n_steps, n): one for each step and line.

    Returns
    -------
    ndarray of shape (n, n_steps)
        Symbols.
    """
    lines: NDArray[np.int64] = lines_at_batch([lattice], table[None], uniform[None])[0]
    return lines


def sample_batch(
    lattices: Sequence[Lattice], tables: NDArray[np.float64], rng: np.random.Generator, n: int = 1
) -> NDArray[np.int64]:
    """Draw n lines from each of several lattices, shape (batch, n, n_steps); see :func:`sample_lines`.

    Parameters
    ----------
    lattices
        As for :func:`log_backward_batch`, each with at least one line.
    tables
        Their :func:`log_backward_batch`.
    rng
        Source of chance; a lattice draws what it would draw alone, after those before it.
    n
        How many of each.
    """
    return lines_at_batch(lattices, tables, rng.random((len(lattices), lattices[0].n_steps, n)))


def lines_at_batch(
    lattices: Sequence[Lattice], tables: NDArray[np.float64], uniform: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the lines that given chance draws from each of several lattices, shape (batch, n, n_steps).

    Parameters
    ----------
    lattices, tables
        As for :func:`sample_batch`.
    uniform
        Numbers from 0 to below 1, shape (batch, n_steps, n).
    """
    assert not np.isneginf(tables[:, 0, 0]).any()
    return Batch.of(lattices).lines_at(tables.swapaxes(0, 1), uniform.swapaxes(0, 1))


def best_line(lattice: Lattice) -> tuple[NDArray[np.int64], float]:
    """Return the heaviest line and its log weight; of equals, the one with the lowest symbols.

    Parameters
    ----------
    lattice
        With at least one line.
    """
    table = backward(lattice, MAX)
    assert not np.isneginf(table[0, 0])
    line = np.empty(lattice.n_steps, dtype=np.int64)
    state = np.zeros(1, dtype=np.int64)
    for step in range(lattice.n_steps):
        target, log_move = _moves(lattice, table, step, state)
        line[step] = int(np.argmax(log_move[0]))
        state = target[:, line[step]]
    return line, float(table[0, 0])


def count_lines(lattice: Lattice) -> int:
    """Return exactly how many lines have a weight above zero."""
    return int(backward(lattice, COUNT)[0, 0])


def log_weight_of(lattice: Lattice, line: NDArray[np.int64]) -> float:
    """Return the log weight of one line; ``-inf`` if the lattice forbids it.

    Minus ``log_backward(lattice)[0, 0]`` it is the line's log-probability.
    """
    state, total = 0, 0.0
    for step, symbol in enumerate(line.tolist()):
        kind = lattice.kind[step]
        target = int(lattice.automaton.next_state[kind, state, symbol])
        if target == DEAD:
            return -np.inf
        total += float(lattice.automaton.log_weight[kind, state, symbol])
        total += float(lattice.log_symbol[step, symbol] + lattice.log_state[step, target])
        state = target
    return total + float(lattice.log_final[state])


def log_probability(lattice: Lattice, table: NDArray[np.float64], line: NDArray[np.int64]) -> float:
    """Return the log-probability of a line under the law of a lattice; ``-inf`` if the lattice forbids it.

    Parameters
    ----------
    lattice
        With at least one line.
    table
        Its :func:`log_backward`.
    line
        Symbols, shape (n_steps,).
    """
    assert not np.isneginf(table[0, 0])
    return log_weight_of(lattice, line) - float(table[0, 0])


@dataclass(frozen=True, slots=True)
class Marginals:
    """Posterior probabilities under the law of a lattice.

    Parameters
    ----------
    symbol
        Of each symbol at each step, shape (n_steps, symbols); rows sum to 1.
    state
        Of each state before each step and at the end, shape (n_steps + 1, states); rows sum to 1.
    """

    symbol: NDArray[np.float64]
    state: NDArray[np.float64]


def marginals(lattice: Lattice, table: NDArray[np.float64]) -> Marginals:
    """Return the posterior of every symbol at every step.

    Parameters
    ----------
    lattice
        With at least one line.
    table
        Its :func:`log_backward`.
    """
    symbol, state = Batch.of([lattice]).marginals(table[:, None])
    return Marginals(symbol[:, 0], state[:, 0])


def entropy(lattice: Lattice, table: NDArray[np.float64]) -> float:
    """Return the entropy of the law of a lattice in nats: 0 for a single line, ``log n`` for n equal ones.

    Parameters
    ----------
    lattice
        With at least one line.
    table
        Its :func:`log_backward`.

    Notes
    -----
    By the chain rule it is the sum, over steps and states, of the chance to be there times the entropy of the next
    symbol from there. No term is negative, so nothing cancels, as it would in ``log Z`` less the mean log weight.
    """
    reached = marginals(lattice, table).state
    total = 0.0
    for step in range(lattice.n_steps):
        alive = np.flatnonzero(reached[step])
        _, log_move = _moves(lattice, table, step, alive)
        log_chance = log_move - table[step, alive, None]
        chance = np.exp(log_chance)
        total -= float(reached[step, alive] @ (chance * np.where(chance > 0, log_chance, 0.0)).sum(axis=1))
    return total


def forward_support(lattice: Lattice) -> NDArray[np.bool_]:
    """Return which states some line leads to, whatever comes after; shape (n_steps + 1, states)."""
    reached = np.zeros((lattice.n_steps + 1, lattice.automaton.n_states + 1), dtype=np.bool_)
    reached[0, 0] = True
    for step in range(lattice.n_steps):
        reached[step + 1, _open_targets(lattice, step, np.flatnonzero(reached[step, :-1]))] = True
        reached[step + 1, -1] = False  # DEAD, -1, has marked the last entry
        reached[step + 1, :-1] &= ~np.isneginf(lattice.log_state[step])
    reached[-1, :-1] &= ~np.isneginf(lattice.log_final)
    return reached[:, :-1]


def two_way_support(lattice: Lattice) -> NDArray[np.bool_]:
    """Return which states some whole line is in before each step, and at the end; shape (n_steps + 1, states)."""
    support = np.hstack([forward_support(lattice), np.zeros((lattice.n_steps + 1, 1), dtype=np.bool_)])
    for step in range(lattice.n_steps - 1, -1, -1):
        states = np.flatnonzero(support[step])
        goes_on = support[step + 1][_open_targets(lattice, step, states)].any(axis=1)
        support[step, states[~goes_on]] = False
    return support[:, :-1]


def _open_targets(lattice: Lattice, step: int, states: NDArray[np.intp]) -> NDArray[np.int32]:
    """Return where the open symbols of a step lead from some states."""
    symbols = np.flatnonzero(~np.isneginf(lattice.log_symbol[step]))
    next_state = lattice.automaton.next_state[lattice.kind[step]]
    targets: NDArray[np.int32]
    if len(symbols) > _FEW_SYMBOLS:
        targets = next_state.take(states, axis=0).take(symbols, axis=1)
    else:
        targets = next_state.reshape(-1).take(states[:, None] * next_state.shape[1] + symbols)
    return targets


def has_line(lattice: Lattice) -> bool:
    """Whether any line has a weight above zero."""
    return bool(forward_support(lattice)[-1].any())


def _moves(
    lattice: Lattice, table: NDArray[np.float64], step: int, state: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return, for each given state, where each symbol leads and the weight of it and all after it."""
    kind = lattice.kind[step]
    target = lattice.automaton.next_state[kind, state]
    arriving = np.append(table[step + 1] + lattice.log_state[step], -np.inf)  # DEAD, -1, finds the last entry
    log_move = lattice.automaton.log_weight[kind, state] + lattice.log_symbol[step] + arriving[target]
    return target.astype(np.int64), log_move
