"""Bar lines in ticks, from the time signatures of any file.

>>> lines = BarLines.build([(0, 3, 4)], ticks_per_quarter=480)
>>> lines.place(1440), lines.place(1500), lines.following(1441)
((2, 0), (2, 60), 2880)
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["BarLines"]


@dataclass(frozen=True, slots=True)
class BarLines:
    """Bars, a change of metre always starting one.

    Parameters
    ----------
    starts
        Ticks of the changes of metre, ascending from 0.
    lengths
        Ticks of a bar from each change on.
    first_bars
        Number of the bar that starts at each change, from 1.
    cut
        Ticks of the changes that cut a bar short.
    """

    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    first_bars: tuple[int, ...]
    cut: tuple[int, ...]

    @classmethod
    def build(cls, meters: Iterable[tuple[int, int, int]], *, ticks_per_quarter: int) -> BarLines:
        """Return the bar lines of metres: tick, numerator, denominator; 4/4 before the first."""
        changes = {0: (4, 4)} | {tick: (top, bottom) for tick, top, bottom in sorted(meters)}
        starts, lengths, bars, cut = [0], [_length(changes.pop(0), ticks_per_quarter)], [1], []
        for tick, meter in changes.items():
            n_bars, left = divmod(tick - starts[-1], lengths[-1])
            if left:
                cut.append(tick)
            starts.append(tick)
            bars.append(bars[-1] + n_bars + bool(left))
            lengths.append(_length(meter, ticks_per_quarter))
        return cls(tuple(starts), tuple(lengths), tuple(bars), tuple(cut))

    def place(self, tick: int) -> tuple[int, int]:
        """Return the bar of a tick, from 1, and the ticks into it."""
        section = bisect_right(self.starts, tick) - 1
        n_bars, left = divmod(tick - self.starts[section], self.lengths[section])
        return self.first_bars[section] + n_bars, left

    def following(self, tick: int) -> int:
        """Return the first bar line that is not before a tick."""
        section = bisect_right(self.starts, tick) - 1
        into = (tick - self.starts[section]) % self.lengths[section]
        if not into:
            return tick
        line = tick - into + self.lengths[section]
        return min(line, self.starts[section + 1]) if section + 1 < len(self.starts) else line


def _length(meter: tuple[int, int], ticks_per_quarter: int) -> int:
    """Return the ticks of a bar; at least one, where a resolution is too coarse for its metre."""
    numerator, denominator = meter
    return max(1, round(4 * ticks_per_quarter * numerator / denominator))
