"""The n heaviest lines of a lattice, exactly and in order.

Before each step and for each state there is a ranking of all that may follow, the heaviest first. Only as much
of it is made as is asked for: the next of a ranking is either another symbol, or the same symbol with the next
of the ranking it leads to. The first line costs a recursion over the lattice, each further one a walk
along it.

>>> import numpy as np
>>> from symgen.decode.automaton import Automaton
>>> one_state = Automaton(np.zeros((1, 1, 2), np.int32), np.zeros((1, 1, 2)), np.zeros(1), np.zeros((1, 1), np.int32))
>>> lines, log_weights = n_best(Lattice.build(one_state, np.array([[0.0, -1.0], [0.0, -3.0]])), 3)
>>> lines.tolist(), log_weights.tolist()
([[0, 0], [1, 0], [0, 1]], [0.0, -1.0, -3.0])

References
----------
L. Huang and D. Chiang, "Better k-best parsing", IWPT 2005, algorithm 3; of a chain here, and without recursion.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD
from symgen.decode.infer import backward
from symgen.decode.lattice import Lattice
from symgen.decode.semiring import MAX

__all__ = ["n_best"]

_Entry = tuple[float, int, int]


def n_best(lattice: Lattice, n: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the heaviest lines, the heaviest first; of equals, the one with the lowest symbols first.

    Parameters
    ----------
    lattice
        With any number of lines, none included.
    n
        How many are asked for, at least 0.

    Returns
    -------
    lines : ndarray of shape (m, n_steps)
        Symbols; no line twice. ``m`` is ``n``, or the number of lines if there are fewer.
    log_weights : ndarray of shape (m,)
        Their log weights, falling.

    Raises
    ------
    ValueError
        If ``n`` is negative.

    Notes
    -----
    After the recursion, each line takes ``O(n_steps * (symbols + log n))`` time at most, and memory.
    """
    if n < 0:
        msg = f"n {n}: expected at least 0"
        raise ValueError(msg)
    rankings = _Rankings(lattice)
    while rankings.n_lines < n and rankings.extend():
        pass
    n_lines = min(n, rankings.n_lines)
    lines = np.array([rankings.line(rank) for rank in range(n_lines)], dtype=np.int64)
    log_weights = np.array([rankings.log_weight(rank) for rank in range(n_lines)], dtype=np.float64)
    return lines.reshape(n_lines, lattice.n_steps), log_weights


@dataclass(slots=True)
class _Ranking:
    """All that may follow from one state before one step.

    Entries are (minus the log weight, symbol, rank in what the symbol leads to). They compare as tuples, so
    that of equal weights the one with the lowest symbols comes first.
    """

    log_move: list[float]  # of each symbol, without what follows
    target: list[int]
    ranked: list[_Entry]
    waiting: list[_Entry]  # a heap


class _Rankings:
    """The rankings that were needed so far."""

    def __init__(self, lattice: Lattice) -> None:
        self._lattice = lattice
        self._table = backward(lattice, MAX)
        self._made: dict[tuple[int, int], _Ranking] = {}
        self._is_possible = not np.isneginf(self._table[0, 0])

    @property
    def n_lines(self) -> int:
        """How many lines are ranked."""
        if not self._is_possible:
            return 0
        return len(self._at(0, 0).ranked) if self._lattice.n_steps else 1

    def log_weight(self, rank: int) -> float:
        """Return what a ranked line weighs."""
        return -self._at(0, 0).ranked[rank][0] if self._lattice.n_steps else float(self._table[0, 0])

    def line(self, rank: int) -> list[int]:
        """Return the symbols of a ranked line."""
        symbols, state = [], 0
        for step in range(self._lattice.n_steps):
            ranking = self._at(step, state)
            _, symbol, rank = ranking.ranked[rank]
            symbols.append(symbol)
            state = ranking.target[symbol]
        return symbols

    def extend(self) -> bool:
        """Rank one line more; return whether there was one.

        The successor of a ranking's last entry is the same symbol with the next rank of what it leads to: where
        that is not made yet, it is made first.
        """
        before = self.n_lines
        if self._is_possible and self._lattice.n_steps:
            path = [self._at(0, 0)]
            while (below := self._below(len(path), path[-1])) is not None and not below[1]:
                path.append(below[0])
            for step in range(len(path), 0, -1):
                self._take_next(step, path[step - 1])
        return self.n_lines > before

    def _below(self, step: int, ranking: _Ranking) -> tuple[_Ranking, bool] | None:
        """Return the ranking that the last entry leads to, and whether it holds one rank more than that uses."""
        if step == self._lattice.n_steps:
            return None
        _, symbol, rank = ranking.ranked[-1]
        below = self._at(step, ranking.target[symbol])
        return below, len(below.ranked) > rank + 1

    def _take_next(self, step: int, ranking: _Ranking) -> None:
        """Move the heaviest that waits, the successor of the last entry now among it, to the end of a ranking."""
        below = self._below(step, ranking)
        if below is not None and below[1]:
            _, symbol, rank = ranking.ranked[-1]
            arriving = -below[0].ranked[rank + 1][0] + self._lattice.log_state[step - 1, ranking.target[symbol]]
            heappush(ranking.waiting, (-float(ranking.log_move[symbol] + arriving), symbol, rank + 1))
        if ranking.waiting:
            ranking.ranked.append(heappop(ranking.waiting))

    def _at(self, step: int, state: int) -> _Ranking:
        """Return the ranking of a state from which some line goes on, its heaviest entry ranked."""
        if (step, state) not in self._made:
            lattice, kind = self._lattice, self._lattice.kind[step]
            target = lattice.automaton.next_state[kind, state]
            log_move = lattice.automaton.log_weight[kind, state] + lattice.log_symbol[step]
            arriving = self._table[step + 1] + lattice.log_state[step]
            total = np.where(target == DEAD, -np.inf, log_move + arriving[target])
            waiting = [(-float(total[symbol]), int(symbol), 0) for symbol in np.flatnonzero(~np.isneginf(total))]
            heapify(waiting)
            self._made[step, state] = _Ranking(log_move.tolist(), target.tolist(), [heappop(waiting)], waiting)
        return self._made[step, state]
