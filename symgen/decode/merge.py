"""States and symbols that no line can tell apart, made one: a smaller lattice that has a line if the other has one.

Whether there is a line is asked of many lattices, and most of them look at little: a law on the highest pitch knows
three kinds of pitch. Segments that are tied stay so: symbols are one only where they lead alike from every state.

>>> from symgen.decode.automaton import line_automaton
>>> from symgen.potentials import LineArcs
>>> lattice = Lattice.build(line_automaton(LineArcs.flat(40)), np.zeros((8, 42)))
>>> smaller = merged(lattice)  # silence, and a note; a rest, a hold, and an onset
>>> smaller.automaton.n_states, smaller.automaton.n_symbols
(2, 3)

References
----------
Hopcroft, "An n log n algorithm for minimizing states in a finite automaton", 1971. Here all classes are refined at
once, each state known by a hash of where it leads, and what comes of it is checked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD, Automaton
from symgen.decode.lattice import Lattice

__all__ = ["merged", "numbered"]

_Ints = NDArray[np.int64]

_SEED = 20_240_229
"""Of the hashes; any will do."""


def merged(lattice: Lattice) -> Lattice:
    """Return a lattice with a line if and only if the given one has one, of no more states and symbols.

    Its weights say no more than whether they are ``-inf``.

    Parameters
    ----------
    lattice
        Any.
    """
    automaton = lattice.automaton
    of_state = _refined(
        automaton.next_state, numbered(np.isneginf(np.vstack([lattice.log_state, lattice.log_final]).T))
    )
    state = np.unique(of_state, return_index=True)[1]
    leads = np.append(of_state, DEAD)[automaton.next_state]
    if not np.array_equal(leads, leads[:, state][:, of_state]):
        return lattice  # two classes came to one hash
    leads = leads[:, state]
    of_symbol = numbered(np.vstack([leads.reshape(-1, automaton.n_symbols), np.isneginf(lattice.log_symbol)]).T)
    symbol = np.unique(of_symbol, return_index=True)[1]
    next_state = leads[:, :, symbol].astype(np.int32)
    log_weight = np.where(next_state == DEAD, -np.inf, 0.0)
    smaller = Automaton(next_state, log_weight, automaton.log_final[state], automaton.label[state])
    return Lattice(
        smaller, lattice.kind, lattice.log_symbol[:, symbol], lattice.log_state[:, state], lattice.log_final[state]
    )


def _refined(next_state: NDArray[np.int32], classes: _Ints) -> _Ints:
    """Return classes of states, made finer until all states of one lead to the same classes, or a hash fails."""
    rng = np.random.default_rng(_SEED)
    factor = rng.integers(1 << 63, size=(len(next_state), 1, next_state.shape[2]), dtype=np.uint64) * 2 + 1
    hashes = np.append(rng.integers(1 << 63, size=next_state.shape[1], dtype=np.uint64), np.uint64(0))  # DEAD is last
    while True:
        led = (factor * np.append(hashes[classes], hashes[DEAD])[next_state]).sum(axis=(0, 2), dtype=np.uint64)
        _, first, place = np.unique(led + hashes[classes], return_index=True, return_inverse=True)
        finer = np.argsort(np.argsort(first))[place.reshape(-1)]  # numbered in the order of their first states
        if len(first) == classes.max() + 1:
            return classes
        classes = finer


def numbered(rows: NDArray[np.generic]) -> _Ints:
    """Return a number for each row, equal for equal rows, in the order in which they come first."""
    number: dict[bytes, int] = {}
    found = [number.setdefault(row.tobytes(), len(number)) for row in np.ascontiguousarray(rows)]
    return np.array(found, dtype=np.int64)
