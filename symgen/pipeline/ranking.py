"""Takes: pieces made from one request, the likeliest first, no two of them nearly the same.

The likelihood of a take is that of its new notes, given the latents they were drawn with, under the lattice of the
rules: the model's law given the rules. As all takes of a request have the same steps, ranking by the log-probability is
ranking by its mean over steps. (Latents differ from take to take, and how likely they are is left aside: a take is
ranked by how well its notes say what its own latents mean.)

The distance of two takes is the share of their notes that only one of them has, a note being an onset and a pitch: 0
for equals, 1 where no note is common (Jaccard's distance).

>>> distance([(0, 60), (4, 62), (8, 64)], [(0, 60), (4, 62), (8, 65)])
0.5
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from symgen.errors import RequestError
from symgen.score import Score

__all__ = ["MAX_TAKES", "NEAR_COPY", "Drawn", "Take", "checked_number", "distance", "ranked"]

MAX_TAKES = 256
"""The most takes made at once."""

NEAR_COPY = 0.2
"""Takes nearer to a likelier one than this are dropped: about one note in nine is another."""

_ROUNDS = 4
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Take:
    """A piece made from a request or from another piece.

    Parameters
    ----------
    score
        The piece.
    seed
        What decided the new notes.
    said
        Where key and chords come from, what was chosen and what rounded, in words.
    log_probability
        Of the new notes, in nats; see :mod:`symgen.pipeline.ranking`. None where nothing was drawn or ranked.
    rank
        Place among the takes of its request, counted from 1.
    """

    score: Score
    seed: int
    said: tuple[str, ...]
    log_probability: float | None = None
    rank: int = 1


@dataclass(frozen=True, slots=True)
class Drawn(Generic[_T]):
    """Something drawn, how likely it was, and its new notes as pairs of onset and pitch."""

    what: _T
    log_probability: float
    notes: frozenset[tuple[int, int]]


def distance(one: Iterable[tuple[int, int]], other: Iterable[tuple[int, int]]) -> float:
    """Return the share of notes that only one of two takes has, 0 to 1; notes are pairs of onset and pitch."""
    first, second = set(one), set(other)
    return len(first ^ second) / len(first | second) if first | second else 0.0


def ranked(draw: Callable[[int], Sequence[Drawn[_T]]], n: int) -> list[Drawn[_T]]:
    """Draw until there are so many that are no near-copies, or for some rounds; return them, the likeliest first.

    Parameters
    ----------
    draw
        Draws so many at once.
    n
        How many are asked for, 1 to :data:`MAX_TAKES`. Fewer are returned where the rest are near-copies.

    Raises
    ------
    RequestError
        If n is out of range.
    """
    checked_number(n)
    kept: list[Drawn[_T]] = []
    for _ in range(_ROUNDS):
        kept = _apart([*kept, *draw(n - len(kept))])
        if len(kept) == n:
            break
    return kept


def checked_number(n: int) -> int:
    """Return how many takes are asked for.

    Raises
    ------
    RequestError
        If it is no whole number from 1 to :data:`MAX_TAKES`.
    """
    if not isinstance(n, int) or not 1 <= n <= MAX_TAKES:
        msg = f"number of takes: {n}: expected a whole number from 1 to {MAX_TAKES}"
        raise RequestError(msg)
    return n


def _apart(drawn: Sequence[Drawn[_T]]) -> list[Drawn[_T]]:
    """Return what is left, the likeliest first, if each is dropped that nearly copies one before it."""
    kept: list[Drawn[_T]] = []
    for one in sorted(drawn, key=lambda one: -one.log_probability):
        if all(distance(one.notes, other.notes) >= NEAR_COPY for other in kept):
            kept.append(one)
    return kept
