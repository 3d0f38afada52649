"""The fast road from MIDI files to piano rolls, for whoever trains on rolls of many files.

The file's bytes become arrays of ticks, these become steps, and the steps are drawn into a roll; no note
is ever an object. The roll is the one that :func:`symgen.io.load` and
:func:`symgen.roll.score_to_roll` give, but for two things: it ends with the quarter of its last note
rather than with a bar, and a track without notes has no place in it.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from symgen.errors import FileFormatError
from symgen.grid import check_steps_per_quarter, ticks_to_steps
from symgen.io.limits import Limits
from symgen.io.optional import require
from symgen.io.smf import read_chunks
from symgen.roll import N_PITCHES, NoteArrays, Roll, roll_from_arrays

__all__ = ["midi_to_roll"]

_LIMITS = Limits()
_MAX_QUARTERS = 100_000
_MAX_CELLS = 2**31
_DURATION_BITS = 26  # no duration is longer: _MAX_QUARTERS at the finest grid
_COLUMNS = ("time", "duration", "pitch", "velocity")


def midi_to_roll(path: str | Path, *, steps_per_quarter: int = 12) -> Roll:
    """Return the piano roll of a MIDI file.

    Parameters
    ----------
    path
        The file.
    steps_per_quarter
        The grid; times go to its nearest step.

    Returns
    -------
    Roll
        One track for each of the file's that has notes (one of several channels or programs counts as
        several), and as many whole quarters as the notes need.

    Raises
    ------
    FileFormatError
        If there is no such file, it is no MIDI file, or it is damaged or impossibly long.

    Notes
    -----
    No note gets shorter than a step; of two notes of one pitch and onset in a track the longer stays.
    All that is not a note is lost.
    """
    check_steps_per_quarter(steps_per_quarter)
    path = Path(path)
    # Nothing native sees the file before its structure has been checked.
    data = read_chunks(_read(path), str(path), _LIMITS, needs_beats=True).data
    try:
        midi = require("symusic").Score.from_midi(data)
    except (RuntimeError, ValueError) as error:
        _fail(path, f"damaged: {error}", error)
    tracks = [track.notes.numpy() for track in midi.tracks if len(track.notes)]
    notes = _notes_in_ticks(tracks)
    _check(notes, midi.ticks_per_quarter, path)
    notes = _on_grid(notes, steps_per_quarter, midi.ticks_per_quarter)
    last = int((notes.onset_steps + notes.duration_steps).max(initial=0))
    n_steps = -(-last // steps_per_quarter) * steps_per_quarter
    if len(tracks) * n_steps * N_PITCHES > _MAX_CELLS:
        _fail(path, f"{len(tracks)} tracks of {n_steps:,} steps: expected a roll of at most {_MAX_CELLS:,} cells")
    return roll_from_arrays(
        _distinct(notes, n_steps), n_tracks=len(tracks), n_steps=n_steps, steps_per_quarter=steps_per_quarter
    )


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            _fail(path, "no regular file: expected a MIDI file")
        if status.st_size > _LIMITS.n_bytes:
            _fail(path, f"{status.st_size:,} bytes: expected a MIDI file of at most {_LIMITS.n_bytes:,}")
        return path.read_bytes()
    except FileNotFoundError as error:
        _fail(path, "no such file", error)
    except OSError as error:
        _fail(path, f"could not be read: {error.strerror or error}", error)


def _fail(path: Path, what: str, cause: Exception | None = None) -> NoReturn:
    msg = f"{path}: {what}"
    raise FileFormatError(msg) from cause


def _notes_in_ticks(tracks: list[dict[str, NDArray[Any]]]) -> NoteArrays:
    """Return the notes of all tracks; what the fields call steps are ticks still."""
    start = np.zeros(0, dtype=np.int64)  # makes every column int64, and holds where there are no tracks
    onset, duration, pitch, velocity = (np.concatenate([start, *(t[name] for t in tracks)]) for name in _COLUMNS)
    track = np.repeat(np.arange(len(tracks)), [len(t["time"]) for t in tracks])
    return NoteArrays(track, onset, duration, pitch, np.clip(velocity, 1, 127))


def _check(notes: NoteArrays, ticks_per_quarter: int, path: Path) -> None:
    """Refuse notes that only a damaged file can hold, and music of impossible length."""
    times = np.minimum(notes.onset_steps, notes.duration_steps)
    if times.min(initial=0) < 0 or notes.pitch.min(initial=0) < 0 or notes.pitch.max(initial=0) >= N_PITCHES:
        _fail(path, "damaged: a note before the start or outside the pitches 0 to 127")
    quarters = int((notes.onset_steps + notes.duration_steps).max(initial=0)) // ticks_per_quarter
    if quarters > _MAX_QUARTERS:
        _fail(path, f"{quarters:,} quarter notes long: expected at most {_MAX_QUARTERS:,}")


def _on_grid(notes: NoteArrays, steps_per_quarter: int, ticks_per_quarter: int) -> NoteArrays:
    ticks = np.stack([notes.onset_steps, notes.onset_steps + notes.duration_steps])
    onset, end = ticks_to_steps(ticks, steps_per_quarter=steps_per_quarter, ticks_per_quarter=ticks_per_quarter)
    return NoteArrays(notes.track, onset, np.maximum(end - onset, 1), notes.pitch, notes.velocity)


def _distinct(notes: NoteArrays, n_steps: int) -> NoteArrays:
    """Keep the longest of the notes that share track, onset and pitch; of equals the file's first."""
    cell = (notes.track * n_steps + notes.onset_steps) * N_PITCHES + notes.pitch
    # One number orders by cell, then the longest first. Files are nearly in this order, which a stable sort uses.
    order = np.argsort((cell << _DURATION_BITS) - notes.duration_steps, kind="stable")
    in_order = cell[order]
    is_new = np.ones(len(cell), dtype=np.bool_)
    np.not_equal(in_order[1:], in_order[:-1], out=is_new[1:])
    kept = order[is_new]
    columns = (notes.track, notes.onset_steps, notes.duration_steps, notes.pitch, notes.velocity)
    return NoteArrays(*(column[kept] for column in columns))
