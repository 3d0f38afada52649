"""Played rather than typed: a score or a MIDI file with the small unevenness of players.

>>> from symgen.score import Note, Track
>>> score = Score(4, (Track("Melody", (Note(0, 2, 60), Note(2, 2, 62))),))
>>> humanize(score, groove="straight", timing=0, velocity=0) is score
True
>>> played = humanize(score, groove="swing", timing=0, velocity=0)
>>> [note.onset_steps for note in played.tracks[0].notes], played.steps_per_quarter
([0, 320], 480)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from symgen.errors import FileFormatError, GridError, RequestError
from symgen.files import write_whole
from symgen.grid import TICKS_PER_QUARTER
from symgen.io.files import load, read_bytes
from symgen.io.limits import limits_in_force
from symgen.io.midi_reader import read_midi
from symgen.io.retime import NoteFile
from symgen.pipeline.feel import Bars, Feel, Notes, felt
from symgen.pipeline.recipe import write_signed
from symgen.pipeline.request import checked_seed
from symgen.score import ChordChange, KeyChange, Marker, MeterChange, Note, Score, TempoChange, Track
from theory.errors import TheoryError

_Change = TypeVar("_Change", TempoChange, MeterChange, KeyChange, ChordChange, Marker)

__all__ = ["humanize", "humanize_file", "humanize_midi"]


def humanize(
    music: Score | str | Path,
    *,
    groove: str = "straight",
    amount: float = 1.0,
    timing: float = 0.3,
    velocity: float = 0.5,
    strum: float = 0.0,
    seed: int | None = None,
) -> Score:
    """Return music as players play it, on a grid of 480 steps a quarter note.

    Parameters
    ----------
    music
        A score, or a file by its path.
    groove, amount
        ``straight``, ``swing``, ``light-swing``, ``shuffle-16``, ``laid-back``, ``driving`` or a swing such as
        ``66% 16ths``, and how much of it, 0 to 1.
    timing
        How far notes stray, 0 to 1: at 1 about 18 ms either way, drifting as players do.
    velocity
        How much louder strong beats and high notes are, 0 to 1.
    strum
        How slowly chords are struck, 0 to 1: at 1 within 60 ms, upwards on beats and downwards between them.
    seed
        Same seed, same music.

    Returns
    -------
    Score
        The very score where nothing is asked for. Notes that start one after the other still do, none overlaps
        the next of its pitch, and the music ends where it did.

    Raises
    ------
    RequestError
        If a value is out of its range, or there is no such groove.
    """
    feel = Feel(groove, amount, timing, velocity, strum)
    score = music if isinstance(music, Score) else load(music, steps_per_quarter=TICKS_PER_QUARTER)
    chance = np.random.default_rng(checked_seed(seed))
    if feel.does_nothing or not score.n_notes:
        return score
    fine = _on_ticks(score)
    notes = _notes_of(fine)
    bars = Bars(tuple(c.onset_steps for c in fine.meters), tuple(c.meter for c in fine.meters), TICKS_PER_QUARTER)
    onset, end, loud, _ = felt(notes, bars, fine.tempo_map.seconds, feel, chance)
    end = np.minimum(end, np.maximum(fine.bars.end_steps, onset + 1))
    tracks = []
    for lane, track in enumerate(fine.tracks):
        own = np.flatnonzero(notes.lane == lane)
        columns = (onset[own], end[own] - onset[own], notes.pitch[own], loud[own])
        played = tuple(Note(*row) for row in np.stack(columns, axis=1).tolist())
        tracks.append(Track(track.name, played, track.program, track.is_drum))
    return replace(fine, tracks=tuple(tracks))


def humanize_file(source: str | Path, target: str | Path, *, feel: Feel, seed: int | None = None) -> int:
    """Write a MIDI file as players play it; return how many notes it has.

    Raises
    ------
    RequestError
        If the two are the same file.
    FileFormatError
        If the file is no MIDI file, or damaged.
    OutputError
        If the other cannot be written.
    """
    source, target = Path(source), Path(target)
    if target.exists() and source.exists() and target.samefile(source):
        msg = f"{target}: output and input are the same file; name another output"
        raise RequestError(msg)
    if target.suffix.lower() not in {".mid", ".midi"}:
        msg = f"output {str(target)!r}: expected a name ending in .mid or .midi"
        raise RequestError(msg)
    data = read_bytes(source, limits_in_force())
    made, n_notes = humanize_midi(data, name=str(source), feel=feel, seed=seed)
    if made == data:
        write_whole(target, made)
    else:
        write_signed(target, made)
    return n_notes


def humanize_midi(data: bytes, *, feel: Feel, seed: int | None = None, name: str = "MIDI data") -> tuple[bytes, int]:
    """Return a MIDI file as players play it, and how many notes it has.

    All that is no note stays: names, controllers, programs, tempos and signatures, and the order of what stands
    on one tick; controllers follow the swing. Where nothing is asked for, the bytes are the same.

    Raises
    ------
    FileFormatError
        If it is no MIDI file, or damaged, or its ticks are parts of SMPTE frames.
    """
    file = NoteFile.read(data, name)
    chance = np.random.default_rng(checked_seed(seed))
    if feel.does_nothing or not len(file.onset):
        return data, len(file.onset)
    lane = np.unique(np.stack([file.track, file.channel]), axis=1, return_inverse=True)[1].reshape(-1)
    sound = (file.pitch, file.velocity, lane, file.channel, file.is_drum)
    notes = Notes(file.onset, file.end, *sound, file.earliest, file.latest)
    onset, end, velocity, moved = felt(notes, _bars(data, file, name), file.smf.seconds, feel, chance)
    end = np.minimum(end, np.maximum(np.array(file.smf.track_ends)[file.track], onset))
    return file.rewritten(onset, end, velocity, moved), len(file.onset)


def _bars(data: bytes, file: NoteFile, name: str) -> Bars:
    """Return the metres of a file in its own ticks."""
    try:
        score = read_midi(data, steps_per_quarter=TICKS_PER_QUARTER, name=name)
    except (GridError, TheoryError) as error:
        msg = f"{name}: {error}"
        raise FileFormatError(msg) from error
    ratio = file.smf.ticks_per_quarter / TICKS_PER_QUARTER
    starts = tuple(round(change.onset_steps * ratio) for change in score.meters)
    return Bars(starts, tuple(change.meter for change in score.meters), file.smf.ticks_per_quarter)


def _on_ticks(score: Score) -> Score:
    """Return the same music on the finest grid."""
    ratio = TICKS_PER_QUARTER // score.steps_per_quarter

    def longer(note: Note) -> Note:
        return replace(note, onset_steps=note.onset_steps * ratio, duration_steps=note.duration_steps * ratio)

    def later(change: _Change) -> _Change:
        return replace(change, onset_steps=change.onset_steps * ratio)

    return replace(
        score,
        steps_per_quarter=TICKS_PER_QUARTER,
        tracks=tuple(replace(track, notes=tuple(longer(note) for note in track.notes)) for track in score.tracks),
        tempos=tuple(later(change) for change in score.tempos),
        meters=tuple(later(change) for change in score.meters),
        keys=tuple(later(change) for change in score.keys),
        chords=tuple(later(change) for change in score.chords),
        markers=tuple(later(change) for change in score.markers),
        end_steps=score.end_steps * ratio,
    )


def _notes_of(score: Score) -> Notes:
    """Return the notes of a score whose steps are ticks; every part has a channel of its own, but for drums."""
    rows = [
        (n.onset_steps, n.end_steps, n.pitch, n.velocity, lane, -1 if track.is_drum else lane, track.is_drum)
        for lane, track in enumerate(score.tracks)
        for n in track.notes
    ]
    table = np.array(rows, dtype=np.int64).reshape(-1, 7)
    onset, end, pitch, velocity, lane, channel, is_drum = (np.ascontiguousarray(column) for column in table.T)
    latest = np.maximum(onset, score.bars.end_steps - 1)
    earliest = np.zeros(len(rows), dtype=np.int64)
    return Notes(onset, end, pitch, velocity, lane, channel, is_drum.astype(np.bool_), earliest, latest)
