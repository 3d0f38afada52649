"""Automata over the symbols of a line: deterministic, weighted, compiled to integer tables.

``next_state[k, s, a]`` is the state reached from ``s`` by symbol ``a`` at a step of kind ``k``, or
:data:`DEAD`; ``log_weight[k, s, a]`` is what that move adds. *Kinds* let the same rules read
differently at different steps. :func:`intersect` numbers states in the order in which a breadth-first
walk from the start meets them, so equal automata come out of it with equal tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, N_SPECIAL, REST
from symgen.potentials import LineArcs

__all__ = ["DEAD", "Automaton", "intersect", "line_automaton", "reachable"]

DEAD = -1
"""No such move."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """A deterministic weighted automaton; state 0 is the start.

    Parameters
    ----------
    next_state
        Shape (kinds, states, symbols), int32; :data:`DEAD` where there is no move.
    log_weight
        Same shape; finite wherever there is a move, ``-inf`` elsewhere.
    log_final
        Weight of ending in each state, shape (states,); ``-inf`` where no line may end.
    label
        What each state remembers, for those who build masks over states; shape (states, n_labels).
    """

    next_state: NDArray[np.int32]
    log_weight: NDArray[np.float64]
    log_final: NDArray[np.float64]
    label: NDArray[np.int32]

    def __post_init__(self) -> None:
        assert self.next_state.shape == self.log_weight.shape
        assert self.log_final.shape == self.next_state.shape[1:2]
        is_move = self.next_state != DEAD
        assert np.isfinite(self.log_weight[is_move]).all()
        assert np.isneginf(self.log_weight[~is_move]).all()
        for array in (self.next_state, self.log_weight, self.log_final, self.label):
            array.setflags(write=False)

    @property
    def n_kinds(self) -> int:
        """Kinds of step."""
        return int(self.next_state.shape[0])

    @property
    def n_states(self) -> int:
        """States."""
        return int(self.next_state.shape[1])

    @property
    def n_symbols(self) -> int:
        """Symbols."""
        return int(self.next_state.shape[2])


def line_automaton(
    arcs: LineArcs, log_move: NDArray[np.float64] | None = None, *, kept: NDArray[np.int64] | None = None
) -> Automaton:
    """Return the automaton of a line: it remembers the last pitch and whether it still sounds.

    Parameters
    ----------
    arcs
        Weights of the moves.
    log_move
        Added to the weight of each move from pitch to pitch, ``-inf`` forbidding it; shape (kept pitches, kept
        pitches).
    kept
        The pitches that can be sung at all, as numbers of the alphabet, ascending; all of them if left out. No
        symbol starts another one.

    Returns
    -------
    Automaton
        One kind. States, for n kept pitches: 0 before the first note, ``1 + i`` while kept pitch i sounds,
        ``1 + n + i`` in a rest after it. Labels: the pitch (-1 before the first note) and whether it sounds.
    """
    kept = np.arange(len(arcs.first)) if kept is None else kept
    n, onsets = len(kept), N_SPECIAL + kept
    onset = arcs.onset[np.ix_(kept, kept)] + (0.0 if log_move is None else log_move)
    next_state = np.full((2 * n + 1, N_SPECIAL + len(arcs.first)), DEAD, dtype=np.int32)
    log_weight = np.full(next_state.shape, -np.inf)
    number = np.arange(n)
    sounding, resting = slice(1, n + 1), slice(n + 1, 2 * n + 1)
    next_state[:, onsets] = 1 + number
    next_state[0, REST] = 0
    next_state[sounding, REST] = next_state[resting, REST] = n + 1 + number
    next_state[sounding, HOLD] = 1 + number
    log_weight[0, onsets] = arcs.first[kept]
    log_weight[sounding, onsets] = onset
    log_weight[resting, onsets] = onset + arcs.rest_to_onset
    log_weight[0, REST] = arcs.rest_to_rest
    log_weight[sounding, REST] = arcs.note_to_rest
    log_weight[resting, REST] = arcs.rest_to_rest
    log_weight[sounding, HOLD] = 0.0
    next_state[np.isneginf(log_weight)] = DEAD
    label = np.zeros((2 * n + 1, 2), dtype=np.int32)
    label[0] = -1, 0
    label[sounding, 0] = label[resting, 0] = kept
    label[sounding, 1] = 1
    return Automaton(next_state[None], log_weight[None], np.zeros(2 * n + 1), label)


def intersect(*automata: Automaton) -> Automaton:
    """Return the automaton of the lines all of these accept; weights add, labels are joined.

    Automata of one kind of step fit any number of kinds. Only states that can be reached are made.
    """
    return reduce(_intersect_two, automata)


def _intersect_two(left: Automaton, right: Automaton) -> Automaton:
    assert left.n_symbols == right.n_symbols
    n_kinds = max(left.n_kinds, right.n_kinds)
    assert {left.n_kinds, right.n_kinds} <= {1, n_kinds}
    left_next, right_next = (np.broadcast_to(a.next_state, (n_kinds, *a.next_state.shape[1:])) for a in (left, right))
    pairs = np.zeros((1, 2), dtype=np.int64)
    number = {0: 0}  # left * right.n_states + right -> its number
    targets: list[NDArray[np.int64]] = []
    fresh = pairs
    while len(fresh):
        to_left, to_right = left_next[:, fresh[:, 0]], right_next[:, fresh[:, 1]]  # (kinds, fresh, symbols)
        alive = (to_left != DEAD) & (to_right != DEAD)
        code = np.where(alive, to_left.astype(np.int64) * right.n_states + to_right, DEAD)
        found = [c for c in dict.fromkeys(code[alive].tolist()) if c not in number]
        number.update({c: len(number) + i for i, c in enumerate(found)})
        targets.append(code)
        fresh = np.array([divmod(c, right.n_states) for c in found], dtype=np.int64).reshape(-1, 2)
        pairs = np.concatenate([pairs, fresh])
    codes = np.concatenate(targets, axis=1)
    known = np.array(list(number), dtype=np.int64)
    order = np.argsort(known)
    place = np.searchsorted(known[order], np.maximum(codes, 0))
    next_state = np.where(codes == DEAD, DEAD, order[np.minimum(place, len(order) - 1)]).astype(np.int32)
    log_weight = left.log_weight[:, pairs[:, 0]] + right.log_weight[:, pairs[:, 1]]
    log_weight = np.where(next_state == DEAD, -np.inf, np.broadcast_to(log_weight, next_state.shape))
    label = np.hstack([left.label[pairs[:, 0]], right.label[pairs[:, 1]]])
    return Automaton(next_state, log_weight, left.log_final[pairs[:, 0]] + right.log_final[pairs[:, 1]], label)


def reachable(automaton: Automaton) -> NDArray[np.bool_]:
    """Return which states some line leads to, at steps of any kind; shape (states,)."""
    seen = np.zeros(automaton.n_states, dtype=np.bool_)
    seen[0] = True
    while True:
        targets = automaton.next_state[:, seen]
        grown = seen.copy()
        grown[targets[targets != DEAD]] = True
        if (grown == seen).all():
            return seen
        seen = grown
