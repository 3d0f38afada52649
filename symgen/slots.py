"""Slots: the places of a grid at which a model lets notes start and end.

A grid of 12 steps a quarter holds sixteenths and triplets of eighths exactly, and much that nobody plays: of its
twelve places in a quarter, sixteenths and triplets use six. A model has a row of numbers for each *slot*, one of the
places in use; the other steps of the grid are *closed*: nothing starts or ends there.

>>> MAIN.slots(24).tolist()
[0, 3, 4, 6, 8, 9, 12, 15, 16, 18, 20, 21]
>>> LIGHT.slots(6).tolist()
[0, 1, 2, 3, 4, 5]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgen.errors import GridError

__all__ = ["LIGHT", "MAIN", "SlotGrid"]


@dataclass(frozen=True, slots=True)
class SlotGrid:
    """A grid, and its places in use.

    Parameters
    ----------
    steps_per_quarter
        Of the grid.
    places
        Steps of a quarter at which notes may start and end, ascending from 0; as many in either half of the quarter.

    Raises
    ------
    GridError
        If the places are no such steps.
    """

    steps_per_quarter: int
    places: tuple[int, ...]

    def __post_init__(self) -> None:
        half = self.steps_per_quarter / 2
        halves = [sum(place < half for place in self.places), sum(place >= half for place in self.places)]
        is_rising = list(self.places) == sorted(set(self.places)) and self.places[:1] == (0,)
        if not is_rising or self.places[-1] >= self.steps_per_quarter or halves[0] != halves[1]:
            where = f"places {self.places} of {self.steps_per_quarter} steps a quarter"
            msg = f"{where}: expected rising steps from 0, as many in either half"
            raise GridError(msg)

    @property
    def slots_of_eighth(self) -> int:
        """Slots of half a quarter."""
        return len(self.places) // 2

    def slots(self, bar_steps: int) -> NDArray[np.int64]:
        """Return the steps of a bar that are slots."""
        steps = np.arange(bar_steps)
        return steps[np.isin(steps % self.steps_per_quarter, self.places)]


MAIN = SlotGrid(12, (0, 3, 4, 6, 8, 9))
"""Sixteenths and triplets of eighths."""

LIGHT = SlotGrid(4, (0, 1, 2, 3))
"""Sixteenths alone."""
