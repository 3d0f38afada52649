"""What a model says beyond steps and moves, put into a line's lattice: closed steps, and the weight of leaving a pitch.

The states of a line, however many rules with a memory multiply them, are labelled with the last pitch and whether it
sounds (see :func:`symgen.decode.automaton.line_automaton`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, REST
from symgen.decode.automaton import DEAD, Automaton

__all__ = ["leaving_rows", "silent_rows", "with_closed_steps"]

_Array = NDArray[np.float64]


def with_closed_steps(
    automaton: Automaton, kind: NDArray[np.int64], closed: NDArray[np.bool_], rest_to_rest: float
) -> tuple[Automaton, NDArray[np.int64]]:
    """Return the automaton with kinds of their own for closed steps, and the kind of each step.

    Parameters
    ----------
    automaton
        Of a line under rules.
    kind
        Of each step, shape (n_steps,).
    closed
        Where nothing starts or ends, shape (n_steps,).
    rest_to_rest
        What the line's moves from rest to rest weigh, which is taken away there; ``-inf`` where there are none.
    """
    pairs, number = np.unique(np.stack([kind, closed], axis=1), axis=0, return_inverse=True)
    of_kind, is_closed = pairs[:, 0], pairs[:, 1].astype(np.bool_)
    next_state, log_weight = automaton.next_state[of_kind], automaton.log_weight[of_kind]
    sounds = automaton.label[:, 1] == 1
    goes_on = np.zeros(next_state.shape[1:], dtype=np.bool_)
    goes_on[sounds, HOLD] = goes_on[~sounds, REST] = True
    next_state[is_closed] = np.where(goes_on, next_state[is_closed], DEAD)
    if np.isfinite(rest_to_rest):
        log_weight[is_closed] -= np.where(goes_on & ~sounds[:, None], rest_to_rest, 0.0)
    log_weight[next_state == DEAD] = -np.inf
    both = Automaton(next_state, log_weight, automaton.log_final, automaton.label)
    return both, number.reshape(-1).astype(np.int64)


def leaving_rows(automaton: Automaton, leave: _Array) -> _Array:
    """Return what arriving in each state weighs so that, with ``leave[t, q]`` on each onset, pitches are left as said.

    Parameters
    ----------
    automaton
        Of a line under rules.
    leave
        Weight of any onset at each step after each pitch, shape (n_steps, n_pitches + 1); the last column is that of
        the first onset.

    Returns
    -------
    ndarray of shape (n_steps, states)

    Notes
    -----
    A lattice weighs where a move arrives, not what it leaves. But let every line pay ``leave[t + 1, p] - leave[t, p]``
    for having ``p`` as its last pitch after step t, and ``leave[t, q]`` for an onset of q at t. Over a stretch in which
    the last pitch stays, this adds up to what the next onset is to pay. What is paid before the first step, the
    same for all lines, is added to the rows of the first step.
    """
    after = np.concatenate([leave[1:], np.zeros((1, leave.shape[1]))])
    rows = after - leave
    rows[0] += leave[0, -1]
    rows_of_states: _Array = rows[:, automaton.label[:, 0]]  # -1, no note yet, finds the last column
    return rows_of_states


def silent_rows(automaton: Automaton, silent: _Array) -> _Array:
    """Return what arriving in each state weighs so that a step at which nothing sounds weighs ``silent[t]`` more.

    Parameters
    ----------
    automaton
        Of a line under rules.
    silent
        Weight of each step before which nothing sounds, shape (n_steps,); that of the first one, before which nothing
        ever does, is the same for all lines and left out.

    Returns
    -------
    ndarray of shape (n_steps, states)
    """
    following = np.append(silent[1:], 0.0)
    rows: _Array = following[:, None] * (automaton.label[:, 1] != 1)
    return rows
