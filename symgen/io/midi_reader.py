"""A score from a MIDI file.

The structure of the file is checked in Python and its notes are read by symusic, which is fast.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from symgen.errors import FileFormatError
from symgen.grid import check_steps_per_quarter
from symgen.io.optional import require
from symgen.io.smf import Opening, read_openings
from symgen.io.ticks import TickScore, TickTrack
from symgen.io.words import recipe_of
from symgen.score import Score

__all__ = ["read_midi", "tick_score"]


def read_midi(source: bytes | Path, *, steps_per_quarter: int, name: str = "") -> Score:
    """Return the score of a MIDI file.

    Parameters
    ----------
    source
        The file, or its bytes.
    steps_per_quarter
        The grid; times go to its nearest step.
    name
        What to call the file in errors; its own name by default.

    Raises
    ------
    FileFormatError
        If it is no MIDI file, damaged, or says something impossible; the error names it and what was expected.
    GridError
        If a bar of one of its metres is no whole number of steps.

    Notes
    -----
    Lost: controllers, pitch bends, lyrics and other texts, tracks without notes (but for those of our
    own files), and key signatures that are none. Two notes of one pitch and onset in a track become
    the longer one, and no note gets shorter than a step. A marker that reads as a chord symbol is a
    chord. The score ends on a bar line.
    """
    check_steps_per_quarter(steps_per_quarter)
    data = source.read_bytes() if isinstance(source, Path) else bytes(source)
    name = name or (source.name if isinstance(source, Path) else "MIDI data")
    data, openings = read_openings(data, name)
    try:
        midi = require("symusic").Score.from_midi(data)
    except (RuntimeError, ValueError) as error:
        msg = f"{name}: damaged: {str(error).partition(': iostream')[0]}"
        raise FileFormatError(msg) from error
    ticks = tick_score(midi, openings)
    return ticks.to_score(steps_per_quarter=steps_per_quarter, name=name)


def tick_score(midi: Any, openings: list[Opening] | None = None) -> TickScore:
    """Return the music of a ``symusic.Score`` in ticks, with what the openings of its file's tracks add."""
    tracks = [TickTrack(t.name, t.program, t.is_drum, _columns(t.notes)) for t in midi.tracks]
    texts = [text for opening in openings or () for text in opening.texts]
    is_ours = any(recipe_of(text) is not None for _, text in texts)
    return TickScore(
        ticks_per_quarter=midi.ticks_per_quarter,
        tracks=_with_names(tracks, openings, is_ours) if openings else tracks,
        tempos=[(tempo.time, tempo.mspq) for tempo in midi.tempos],
        meters=[(meter.time, meter.numerator, meter.denominator) for meter in midi.time_signatures],
        keys=[(key.time, key.key, bool(key.tonality)) for key in midi.key_signatures],
        markers=[(marker.time, marker.text) for marker in midi.markers],
        texts=texts,
        end_ticks=max((o.end_ticks for o in openings or () if not o.has_notes), default=0),
    )


def _columns(notes: Any) -> Any:
    arrays = notes.numpy()
    return np.stack([arrays[name].astype(np.int64) for name in ("time", "duration", "pitch", "velocity")], axis=1)


def _with_names(tracks: list[TickTrack], openings: list[Opening], is_ours: bool) -> list[TickTrack]:
    """Return the tracks with their names as the file has them, and in our own files those without notes too.

    The library drops tracks without notes and splits those on several channels; only where it has split
    none can its tracks be told from the file's.
    """
    if len(tracks) != sum(opening.has_notes for opening in openings):
        return tracks
    read = iter(tracks)
    found = []
    for opening in openings[1:] if is_ours else openings:
        if opening.has_notes:
            track = next(read)
            found.append(TickTrack(opening.name, track.program, track.is_drum, track.notes))
        elif is_ours:
            found.append(TickTrack(opening.name, opening.program, opening.is_drum, np.zeros((0, 4), dtype=np.int64)))
    return found
