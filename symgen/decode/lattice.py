"""The lattice: an automaton unrolled over the steps of a piece, with a weight on every move.

The index convention, once for all. The state before step ``t`` is ``s[t]``; ``s[0]`` is state 0. Symbol ``a``
at step ``t`` leads to ``s[t+1] = next_state[kind[t], s[t], a]`` and its log weight is

    log_weight[kind[t], s[t], a] + log_symbol[t, a] + log_state[t, s[t+1]]

After the last step T, ``log_final[s[T]]`` is added. The weight of a line is the sum of these.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import Automaton
from symgen.decode.moves import MoveTable, Pattern, step_patterns

__all__ = ["Lattice"]


@dataclass(frozen=True, slots=True)
class Lattice:
    """What the module says.

    Parameters
    ----------
    automaton
        The moves.
    kind
        Kind of each step, shape (n_steps,).
    log_symbol
        Shape (n_steps, symbols).
    log_state
        Weight of arriving in each state after each step, shape (n_steps, states).
    log_final
        Weight of ending in each state, shape (states,); the automaton's own is part of it.
    """

    automaton: Automaton
    kind: NDArray[np.int64]
    log_symbol: NDArray[np.float64]
    log_state: NDArray[np.float64]
    log_final: NDArray[np.float64]
    _tables: dict[Pattern, MoveTable] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        n_steps, states, symbols = len(self.kind), self.automaton.n_states, self.automaton.n_symbols
        assert self.log_symbol.shape == (n_steps, symbols)
        assert self.log_state.shape == (n_steps, states)
        assert self.log_final.shape == (states,)
        for array in (self.log_symbol, self.log_state, self.log_final):
            if np.isnan(array).any() or np.isposinf(array).any():
                msg = "log potentials: expected numbers below infinity, found NaN or +inf"
                raise ValueError(msg)

    @classmethod
    def build(
        cls,
        automaton: Automaton,
        log_symbol: NDArray[np.float64],
        *,
        kind: NDArray[np.int64] | None = None,
        log_state: NDArray[np.float64] | None = None,
        log_final: NDArray[np.float64] | None = None,
    ) -> Lattice:
        """Return a lattice in which what is left out weighs nothing."""
        n_steps = len(log_symbol)
        return cls(
            automaton,
            np.zeros(n_steps, dtype=np.int64) if kind is None else kind,
            log_symbol,
            np.zeros((n_steps, automaton.n_states)) if log_state is None else log_state,
            automaton.log_final if log_final is None else automaton.log_final + log_final,
        )

    def reweighed(self, log_symbol: NDArray[np.float64], log_state: NDArray[np.float64] | None = None) -> Lattice:
        """Return the lattice with other weights of symbols, and of arriving; tables of moves are shared."""
        other = Lattice(
            self.automaton, self.kind, log_symbol, self.log_state if log_state is None else log_state, self.log_final
        )
        object.__setattr__(other, "_tables", self._tables)  # they depend on the automaton, and on what is open
        return other

    @property
    def n_steps(self) -> int:
        """Steps of the piece."""
        return len(self.kind)

    def move_tables(self, log_symbol: NDArray[np.float64] | None = None) -> list[MoveTable]:
        """Return the moves of each step, made ready for sums and draws; each table is made once and kept.

        Parameters
        ----------
        log_symbol
            Says which symbols are open, in place of the lattice's own; same shape.
        """
        patterns = step_patterns(self.automaton, self.kind, self.log_symbol if log_symbol is None else log_symbol)
        for pattern, n_steps in Counter(patterns).items():
            if pattern not in self._tables:
                self._tables[pattern] = MoveTable.build(self.automaton, pattern, n_steps=n_steps)
        return [self._tables[pattern] for pattern in patterns]
