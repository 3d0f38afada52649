"""The best path through states that mostly stay as they are.

``state[t]`` is what holds at place ``t``; a path gains what each state explains there, and pays where it changes.

>>> import numpy as np
>>> gains = np.array([[2.0, 0], [0, 1], [2, 0], [0, 3], [0, 3]])
>>> best_path(gains, np.zeros((2, 2)), np.full(5, 1.5)).tolist()  # the second place alone is not worth two changes
[0, 0, 0, 1, 1]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_path"]

_FloatArray = NDArray[np.float64]


def best_path(gains: _FloatArray, change_gains: _FloatArray, change_costs: _FloatArray) -> NDArray[np.int64]:
    """Return the path ``state[t]`` with the highest sum of its gains and changes; to stay costs nothing.

    Parameters
    ----------
    gains
        Shape (n_places, n_states), at least one place: what each state gains there, such as a log likelihood.
    change_gains
        Shape (n_states, n_states): of a change from the first state to the second; the diagonal is unused.
    change_costs
        Shape (n_places,): what any change into that place costs; the first one is unused.

    Returns
    -------
    ndarray of shape (n_places,)
        Exact (Viterbi); of equal paths one that changes early.

    Notes
    -----
    The time grows with the places times the square of the states.
    """
    n_places, n_states = gains.shape
    states = np.arange(n_states)
    into = change_gains.T.copy()  # rows are what is changed to, so that the maximum runs along memory
    np.fill_diagonal(into, -np.inf)
    came_from = np.empty((n_places, n_states), dtype=np.int64)
    score = gains[0]
    for place in range(1, n_places):
        candidates = into + score
        origin = candidates.argmax(axis=1)
        changed = candidates[states, origin] - change_costs[place]
        came_from[place] = np.where(changed > score, origin, states)
        score = np.maximum(changed, score) + gains[place]
    path = np.empty(n_places, dtype=np.int64)
    path[-1] = score.argmax()
    for place in range(n_places - 1, 0, -1):
        path[place - 1] = came_from[place, path[place]]
    return path
