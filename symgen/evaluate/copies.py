"""Copies: the longest run of melody that a piece shares with any piece of a corpus.

A *move* is the interval to the next note and the time to its onset, so runs are found in any key; a run of k moves has
k + 1 notes. Every place of the corpus that agrees in the first ``seed`` moves is looked up in a sorted table of hashes
and then followed as far as it agrees, move by move, so that the answer is exact and hashes only save time.

>>> from symgen.evaluate.melody import Melody
>>> import numpy as np
>>> tune = Melody(np.arange(20) * 2, np.full(20, 2), 60 + np.arange(20) % 7 * 2, np.array([0, 40]), 4)
>>> copy = Melody(np.arange(9) * 2, np.full(9, 2), 71 + np.arange(2, 11) % 7 * 2, np.array([0, 18]), 4)
>>> run = RunIndex.build([moves_of(tune)], seed=4).longest(moves_of(copy))
>>> run.length, run.piece, run.start, run.start_there
(8, 0, 0, 2)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgen.evaluate.melody import Melody
from symgen.grid import TICKS_PER_QUARTER

__all__ = ["SEED", "RunIndex", "SharedRun", "copy_threshold", "is_copy", "longest_shared_run", "moves_of", "run_hashes"]

SEED = 6
"""The shortest run that is looked for, in moves."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_INTERVALS = 256  # more than any difference of two pitches, either way
_BREAK = -1  # between two pieces: equal to no move

Moves = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SharedRun:
    """A run of moves that two pieces share.

    Parameters
    ----------
    length
        In moves; 0 if none of the index's least length is shared, and then the rest is -1.
    piece
        Which piece of the corpus.
    start, start_there
        Where the run starts, in moves, in the piece asked about and in that of the corpus.
    """

    length: int
    piece: int = -1
    start: int = -1
    start_there: int = -1


def moves_of(melody: Melody) -> Moves:
    """Return a whole number for each move from one note to the next: interval and ticks between the onsets."""
    ticks = np.diff(melody.onset_steps) * (TICKS_PER_QUARTER // melody.steps_per_quarter)
    moves: Moves = ticks * _INTERVALS + np.diff(melody.pitch) + _INTERVALS // 2
    return moves


@dataclass(frozen=True, slots=True)
class RunIndex:
    """The moves of a corpus, ready to be searched.

    Parameters
    ----------
    moves
        Of all pieces one after another, a break after each.
    starts
        Where each piece starts in them, and one past the end.
    seed
        The shortest run that is found.
    hashes, places
        Of all runs of that length: sorted, and where each starts.
    """

    moves: Moves
    starts: NDArray[np.int64]
    seed: int
    hashes: NDArray[np.uint64]
    places: NDArray[np.int64]

    @classmethod
    def build(cls, pieces: Sequence[Moves], *, seed: int = SEED) -> RunIndex:
        """Index pieces: n log n in all moves.

        Parameters
        ----------
        pieces
            Each from :func:`moves_of`.
        seed
            The shortest run to be found, at least 1.

        Raises
        ------
        ValueError
            If ``seed`` is less than 1.
        """
        if seed < 1:
            msg = f"seed {seed}: expected at least 1 move"
            raise ValueError(msg)
        parted = [np.zeros(0, dtype=np.int64), *(np.append(piece, _BREAK) for piece in pieces)]
        moves: Moves = np.concatenate(parted)
        starts = np.cumsum([0, *(len(piece) + 1 for piece in pieces)])
        hashes = _hashes(moves, seed)
        order = np.argsort(hashes, kind="stable")
        return cls(moves, starts, seed, hashes[order], order)

    def longest(self, moves: Moves, *, but: int | None = None) -> SharedRun:
        """Return the longest run that a piece shares with the corpus, the earliest such in the piece.

        Parameters
        ----------
        moves
            Of the piece, from :func:`moves_of`.
        but
            A piece of the corpus that does not count: the piece itself, where it belongs to the corpus.
        """
        here, there = self._candidates(moves)
        if but is not None:
            other = (there < self.starts[but]) | (there >= self.starts[but + 1])
            here, there = here[other], there[other]
        lengths = self._followed(moves, here, there)
        if not len(lengths) or lengths.max() < self.seed:
            return SharedRun(0)
        best = int(np.argmax(lengths))
        piece = int(np.searchsorted(self.starts, there[best], side="right")) - 1
        return SharedRun(int(lengths[best]), piece, int(here[best]), int(there[best] - self.starts[piece]))

    def _candidates(self, moves: Moves) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return places in the piece and in the corpus whose first moves have equal hashes, and start a run."""
        wanted = _hashes(moves, self.seed)
        low, high = (np.searchsorted(self.hashes, wanted, side=side) for side in ("left", "right"))
        n_each = high - low
        here = np.repeat(np.arange(len(wanted)), n_each)
        ends = np.cumsum(n_each)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - n_each, n_each)
        there = self.places[np.repeat(low, n_each) + within]
        # Where the move before agrees too, the run began earlier and is followed from there.
        first = (here == 0) | (there == 0) | (moves[here - 1] != self.moves[there - 1])
        return here[first], there[first]

    def _followed(self, moves: Moves, here: NDArray[np.int64], there: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many moves agree from each pair of places on."""
        mine, theirs = np.append(moves, _BREAK - 1), np.append(self.moves, _BREAK)
        lengths = np.zeros(len(here), dtype=np.int64)
        going = np.arange(len(here))
        while len(going):
            agree = mine[here[going] + lengths[going]] == theirs[there[going] + lengths[going]]
            going = going[agree]
            lengths[going] += 1
        return lengths


def longest_shared_run(melody: Melody, index: RunIndex, *, but: int | None = None) -> SharedRun:
    """Return the longest run of moves that a melody shares with a corpus; see :meth:`RunIndex.longest`."""
    return index.longest(moves_of(melody), but=but)


def copy_threshold(own_runs: Sequence[int], *, quantile: float = 0.75) -> int:
    """Return the length above which a run counts as copied: what real pieces share among themselves.

    Parameters
    ----------
    own_runs
        Longest runs of real pieces, each with a corpus it does not belong to.
    quantile
        Share of the real pieces that are to pass; of folk tunes a quarter is known under several names.

    Raises
    ------
    ValueError
        If there are no runs.
    """
    if not own_runs:
        msg = "copy threshold: expected the runs of at least one real piece"
        raise ValueError(msg)
    return int(np.quantile(np.asarray(own_runs), quantile, method="higher"))


def is_copy(run: SharedRun, threshold: int) -> bool:
    """Return whether a run is longer than real pieces share: more than ``threshold`` moves."""
    return run.length > threshold


def run_hashes(moves: Moves, length: int) -> NDArray[np.uint64]:
    """Return a hash of every run of so many moves, in their order; equal runs have equal hashes."""
    return _hashes(moves, length)


def _hashes(moves: Moves, length: int) -> NDArray[np.uint64]:
    """Return a hash of every run of so many moves; runs across a break are among them and agree with nothing."""
    n = max(len(moves) - length + 1, 0)
    hashes = np.zeros(n, dtype=np.uint64)
    words = moves.astype(np.uint64)
    for k in range(length):
        mixed = (hashes ^ words[k : k + n]) * _MULTIPLIER
        hashes = mixed ^ (mixed >> np.uint64(29))
    return hashes
