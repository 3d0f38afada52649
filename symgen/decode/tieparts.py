"""The parts that steps fall into where segments are tied: runs of steps that are not, and blocks that are.

>>> parts_of([Tie(2, 6, 2)], 10)
(Run(start=0, end=2), Block(starts=(2, 6), n_steps=2, gaps=((Run(start=4, end=6),),)), Run(start=8, end=10))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from symgen.errors import RequestError

__all__ = ["Block", "Part", "Run", "Tie", "parts_of"]


@dataclass(frozen=True, slots=True, order=True)
class Tie:
    """A segment whose symbols are those of another before it.

    Parameters
    ----------
    source_start, target_start
        First steps of the two.
    n_steps
        Their length, at least 1.

    Raises
    ------
    RequestError
        If the copy does not lie after the source.
    """

    source_start: int
    target_start: int
    n_steps: int

    def __post_init__(self) -> None:
        if self.n_steps < 1 or self.source_start < 0 or self.target_start < self.source_start + self.n_steps:
            msg = f"{self}: expected a copy of at least one step that starts after its source has ended"
            raise RequestError(msg)


@dataclass(frozen=True, slots=True)
class Run:
    """Steps that are neither source nor copy."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A source and its copies, and the parts that lie between each and the next."""

    starts: tuple[int, ...]
    n_steps: int
    gaps: tuple[tuple[Part, ...], ...]


Part = Run | Block
"""Steps that are not tied, or all between the start of a source and the end of its last copy."""


def parts_of(ties: Iterable[Tie], n_steps: int) -> tuple[Part, ...]:
    """Return the parts that steps fall into.

    Raises
    ------
    RequestError
        If tied segments overlap or cross each other.
    """
    return _parts(_groups(ties), 0, n_steps)


def _parts(groups: list[tuple[tuple[int, ...], int]], start: int, end: int) -> tuple[Part, ...]:
    """Return the parts that steps fall into, given the starts and the length of each source with its copies."""
    parts: list[Part] = []
    position = start
    inside = sorted(group for group in groups if start <= group[0][0] < end)
    while inside:
        starts, n_steps = inside.pop(0)
        gap_ends = [(here + n_steps, there) for here, there in pairwise(starts)]
        within = [[g for g in inside if low <= g[0][0] and g[0][-1] + g[1] <= high] for low, high in gap_ends]
        inside = [group for group in inside if not any(group in held for held in within)]
        gaps = tuple(_parts(held, low, high) for held, (low, high) in zip(within, gap_ends, strict=True))
        if starts[0] < position or any(low > high for low, high in gap_ends):
            msg = f"segments of {n_steps} steps at {', '.join(map(str, starts))}: tied segments overlap or cross others"
            raise RequestError(msg)
        parts += [Run(position, starts[0])] * (position < starts[0]) + [Block(starts, n_steps, gaps)]
        position = starts[-1] + n_steps
    return (*parts, *[Run(position, end)] * (position < end))


def _groups(ties: Iterable[Tie]) -> list[tuple[tuple[int, ...], int]]:
    """Return each source with its copies: all their starts, rising, and the length.

    Ties that continue one another are one, and a copy's copies are its source's.
    """
    root: dict[tuple[int, int], int] = {}  # a copy's start and length -> where its source starts
    starts: dict[tuple[int, int], list[int]] = {}  # a source's start and length -> all starts
    for tie in sorted(_joined(ties), key=lambda tie: tie.target_start):
        source = root.get((tie.source_start, tie.n_steps), tie.source_start)
        group = starts.setdefault((source, tie.n_steps), [source])
        if tie.target_start not in group:
            group.append(tie.target_start)
        root[tie.target_start, tie.n_steps] = source
    return [(tuple(sorted(group)), n_steps) for (_, n_steps), group in starts.items()]


def _joined(ties: Iterable[Tie]) -> list[Tie]:
    """Join ties of which one goes on where the other ends, in source and copy."""
    joined: list[Tie] = []
    for tie in sorted(set(ties), key=lambda tie: (tie.target_start - tie.source_start, tie.source_start)):
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.source_start + last.n_steps == tie.source_start
            and last.target_start + last.n_steps == tie.target_start
            and tie.source_start + tie.n_steps <= last.target_start
        ):
            joined[-1] = Tie(last.source_start, last.target_start, last.n_steps + tie.n_steps)
        else:
            joined.append(tie)
    return joined
