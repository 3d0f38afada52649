"""Best paths: against every path there is, and one known by heart."""

from itertools import pairwise, product
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from theory.paths import best_path

Array = np.ndarray[Any, np.dtype[np.float64]]


def path_score(path: tuple[int, ...], gains: Array, change_gains: Array, change_costs: Array) -> float:
    """Score a path straight from the definition."""
    score = sum(gains[place, state] for place, state in enumerate(path))
    for place, (before, state) in enumerate(pairwise(path), start=1):
        if state != before:
            score += change_gains[before, state] - change_costs[place]
    return float(score)


_weights = st.integers(-8, 4).map(lambda eighths: eighths / 8)


@given(st.data(), st.integers(1, 4), st.integers(1, 4))
def test_the_path_is_the_best_of_all_paths(data: st.DataObject, n_places: int, n_states: int) -> None:
    gains = data.draw(arrays(np.float64, (n_places, n_states), elements=_weights))
    change_gains = data.draw(arrays(np.float64, (n_states, n_states), elements=_weights))
    change_costs = data.draw(arrays(np.float64, n_places, elements=_weights))
    found = tuple(best_path(gains, change_gains, change_costs).tolist())
    paths = product(range(n_states), repeat=n_places)
    best = max(path_score(path, gains, change_gains, change_costs) for path in paths)
    assert path_score(found, gains, change_gains, change_costs) == best


def test_a_path_of_three_states_known_by_heart() -> None:
    gains = np.array([[0.0, -1, -9], [-9, 0, -1], [-9, -1, 0], [-9, -1, 0]])
    change_gains = np.array([[0, -1, -5], [-1, 0, -2.0], [-1, -1, 0]])
    stay = best_path(gains, change_gains, np.ones(4))
    early = best_path(gains, change_gains, np.array([0, -1, 1.0, 1]))
    later = best_path(gains, change_gains, np.array([0, 1, -1.0, 1]))
    assert stay.tolist() == [1, 1, 1, 1]  # -3; to start at 0 costs 2 for the change: -4
    assert early.tolist() == [0, 1, 1, 1]  # where the change itself gains 1, it costs nothing: -2
    assert later.tolist() == [1, 1, 2, 2]  # a change that costs 1 and saves 2: -2
