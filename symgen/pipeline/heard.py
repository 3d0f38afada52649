"""What a model was trained on, so that what it makes can be held against it.

Beside a model's weights stand the hashes of all runs of twelve moves (thirteen notes; intervals and the times between
onsets, in any key) of its training melodies. A line with such a run is a near copy. Runs of at most two different
moves, such as one note struck over and over, are nobody's.

The hashes have 32 bits, and half a million are kept: one song in three hundred is taken for a copy that is none.

>>> tune = [Note(4 * i + i % 3, 2, 60 + (7 * i) % 12) for i in range(14)]
>>> up = [Note(n.onset_steps + 8, 2, n.pitch + 5) for n in tune]
>>> is_near_copy(up, 4, runs_of(tune, 4)), is_near_copy(up[::-1][:12], 4, runs_of(tune, 4))
(True, False)
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from symgen.errors import CheckpointError, RequestError
from symgen.evaluate.copies import moves_of, run_hashes
from symgen.evaluate.melody import Melody
from symgen.files import write_whole
from symgen.score import Note

__all__ = [
    "MELODIC_LINES",
    "RUN_MOVES",
    "heard_by",
    "heard_runs",
    "is_near_copy",
    "originals",
    "runs_of",
    "write_heard",
]

RUN_MOVES = 12
"""Moves of the shortest run that makes a near copy."""

MELODIC_LINES = 2
"""How many of an ensemble's lines, the highest, may be copies: a bass is everybody's."""

_FILE = "heard.npz"
_FEWEST_KINDS = 3
_ROUNDS = 8
_DAMAGE = (
    OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error
)  # fmt: skip
"""What reading a damaged archive may raise."""
_Runs = NDArray[np.uint32]
_T = TypeVar("_T")


def runs_of(notes: Sequence[Note], steps_per_quarter: int) -> _Runs:
    """Return the hashes of the runs of a line, ascending.

    Parameters
    ----------
    notes
        Of one voice.
    steps_per_quarter
        Their grid.
    """
    ordered = sorted(notes, key=lambda note: note.onset_steps)
    rows = np.array([(n.onset_steps, n.duration_steps, n.pitch) for n in ordered], dtype=np.int64).reshape(-1, 3)
    end = int(rows[-1, :2].sum()) if len(rows) else 0
    moves = moves_of(Melody(rows[:, 0], rows[:, 1], rows[:, 2], np.array([0, end]), steps_per_quarter))
    if len(moves) < RUN_MOVES:
        return np.zeros(0, dtype=np.uint32)
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(moves, RUN_MOVES), axis=1)
    n_kinds = 1 + (np.diff(windows, axis=1) != 0).sum(axis=1)
    hashes = run_hashes(moves, RUN_MOVES)[n_kinds >= _FEWEST_KINDS]
    return np.unique((hashes >> np.uint64(32)).astype(np.uint32))


def is_near_copy(notes: Sequence[Note], steps_per_quarter: int, heard: _Runs) -> bool:
    """Whether a line shares a run with what was heard, which ascends as :func:`runs_of` has it."""
    runs = runs_of(notes, steps_per_quarter)
    if not len(heard):
        return False
    near = np.searchsorted(heard, runs).clip(max=len(heard) - 1)
    return bool((heard[near] == runs).any())


def originals(draw: Callable[[int], Sequence[_T]], is_copy: Callable[[_T], bool], n: int) -> list[_T]:
    """Draw until there are so many that nearly copy nothing the model has heard, or for some rounds.

    Parameters
    ----------
    draw
        Draws so many at once.
    is_copy
        Whether what was drawn is a near copy.
    n
        How many are asked for.

    Raises
    ------
    RequestError
        If all that were drawn are.
    """
    kept: list[_T] = []
    for _ in range(_ROUNDS):
        kept += [one for one in draw(n - len(kept)) if not is_copy(one)]
        if len(kept) == n:
            return kept
    if not kept:
        msg = (
            "every song drawn has thirteen notes of one that the model has heard: expected another seed or other rules"
        )
        raise RequestError(msg)
    return kept


def write_heard(folder: Path, lines: Iterable[Sequence[Note]], steps_per_quarter: int, *more: _Runs | None) -> None:
    """Write the runs of training lines beside a checkpoint, and others: as gaps, which take little room."""
    runs = [runs_of(line, steps_per_quarter) for line in lines] + [some for some in more if some is not None]
    all_runs = np.unique(np.concatenate(runs)) if runs else np.zeros(0, dtype=np.uint32)
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, gaps=np.diff(all_runs, prepend=np.uint32(0)))
    write_whole(folder / _FILE, buffer.getvalue())


def heard_runs(folder: Path) -> _Runs | None:
    """Return the runs that a checkpoint's model has heard; none where it says nothing of them.

    Raises
    ------
    CheckpointError
        If their file is damaged.
    """
    path = folder / _FILE
    return _loaded(path, path.stat().st_mtime_ns) if path.is_file() else None


def heard_by(checkpoint: str | Path | None) -> _Runs | None:
    """Return what the model of a checkpoint may not copy: that of a folder, a bundled one by name, or the default.

    Raises
    ------
    CheckpointError
        If there is no such checkpoint, or its file is damaged.
    """
    from symgen.model.checkpoint import checkpoint_folder

    return heard_runs(checkpoint_folder(checkpoint))


@lru_cache(maxsize=4)
def _loaded(path: Path, written: int) -> _Runs:
    """Load runs once for each time they were written."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            gaps = held["gaps"]
    except _DAMAGE as error:
        msg = f"{path}: damaged ({type(error).__name__}): expected what the model has heard"
        raise CheckpointError(msg) from None
    if gaps.dtype != np.uint32 or gaps.ndim != 1:
        msg = f"{path}: {gaps.dtype} of {gaps.ndim} axes: expected what the model has heard"
        raise CheckpointError(msg)
    found: _Runs = np.cumsum(gaps, dtype=np.uint32)
    return found
