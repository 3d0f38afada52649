"""Scores from and to the objects of other libraries, in memory.

Each function loads its library when it is called, so importing this module costs nothing. Times are
exact on the way out: a step is a whole number of ticks at 480 a quarter note, and of pretty_midi's
seconds each is one that it gives back as the same tick.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.grid import TICKS_PER_QUARTER, check_steps_per_quarter
from symgen.io.midi_writer import write_midi
from symgen.io.music21_reader import from_music21
from symgen.io.music21_writer import to_music21
from symgen.io.optional import require
from symgen.io.ticks import TickScore, TickTrack
from symgen.io.words import KEY_SIGN, METER_SIGN, key_signature, microseconds, protected, recipe_of, recipe_text
from symgen.score import Score
from theory.key import Key

__all__ = [
    "from_music21",
    "from_pretty_midi",
    "from_symusic",
    "named_places",
    "to_music21",
    "to_pretty_midi",
    "to_symusic",
]


def to_symusic(score: Score) -> Any:
    """Return a ``symusic.Score`` in ticks, 480 a quarter note.

    Raises
    ------
    MissingDependencyError
        If symusic is not installed.

    Notes
    -----
    Lost: the recipe, modes other than major and minor, the grouping of a metre's counts, and silent
    bars at the end.
    """
    symusic = require("symusic")
    ratio = TICKS_PER_QUARTER // score.steps_per_quarter
    midi = symusic.Score(TICKS_PER_QUARTER)
    for tempo in score.tempos:
        midi.tempos.append(symusic.Tempo(tempo.onset_steps * ratio, mspq=microseconds(tempo.bpm)))
    for c in score.meters:
        midi.time_signatures.append(
            symusic.TimeSignature(c.onset_steps * ratio, c.meter.numerator, c.meter.denominator)
        )
    for key_change in score.keys:
        sharps, is_minor = key_signature(key_change.key)
        midi.key_signatures.append(symusic.KeySignature(key_change.onset_steps * ratio, sharps, int(is_minor)))
    for step, text in named_places(score):
        midi.markers.append(symusic.TextMeta(step * ratio, text))
    for track in score.tracks:
        part = symusic.Track(track.name, track.program, track.is_drum)
        for n in track.notes:
            part.notes.append(symusic.Note(n.onset_steps * ratio, n.duration_steps * ratio, n.pitch, n.velocity))
        midi.tracks.append(part)
    return midi


def named_places(score: Score) -> list[tuple[int, str]]:
    """Return section names and chord symbols with their steps, as they stand in a file."""
    named = [(marker.onset_steps, protected(marker.text)) for marker in score.markers]
    named += [(change.onset_steps, str(change.chord)) for change in score.chords]
    return sorted(named, key=lambda place: place[0])


def from_symusic(midi: Any, *, steps_per_quarter: int) -> Score:
    """Return the score of a ``symusic.Score``; one in seconds or quarter notes is put into ticks first.

    Raises
    ------
    FileFormatError
        If it holds an impossible tempo, metre or note.
    GridError
        If a bar is no whole number of steps.
    """
    check_steps_per_quarter(steps_per_quarter)
    midi = midi.to("tick")
    ticks = TickScore(
        ticks_per_quarter=midi.ticks_per_quarter,
        tracks=[TickTrack(track.name, track.program, track.is_drum, _columns(track.notes)) for track in midi.tracks],
        tempos=[(tempo.time, tempo.mspq) for tempo in midi.tempos],
        meters=[(meter.time, meter.numerator, meter.denominator) for meter in midi.time_signatures],
        keys=[(key.time, key.key, bool(key.tonality)) for key in midi.key_signatures],
        markers=[(marker.time, marker.text) for marker in midi.markers],
    )
    return ticks.to_score(steps_per_quarter=steps_per_quarter, name="symusic score")


def _columns(notes: Any) -> NDArray[np.int64]:
    arrays = notes.numpy()
    return np.stack([arrays[name].astype(np.int64) for name in ("time", "duration", "pitch", "velocity")], axis=1)


def to_pretty_midi(score: Score) -> Any:
    """Return a ``pretty_midi.PrettyMIDI`` at 480 ticks a quarter note.

    Section names, chords, and what its key and time signatures cannot say, are among its text events.

    Raises
    ------
    MissingDependencyError
        If pretty_midi is not installed.

    Notes
    -----
    Lost: silent bars at the end, and all that :func:`symgen.io.midi_writer.write_midi` changes. Its own
    ``write`` cuts off fractions of a microsecond, so that a tempo may come out one microsecond short.
    """
    pretty_midi = require("pretty_midi")
    midi = pretty_midi.PrettyMIDI(io.BytesIO(write_midi(score)), charset="utf-8")
    ratio = TICKS_PER_QUARTER // score.steps_per_quarter
    midi.text_events = [pretty_midi.Text(text, midi.tick_to_time(step * ratio)) for step, text in _texts(score)]
    for index, track in enumerate(score.tracks):
        if not track.notes:  # these are dropped in reading
            midi.instruments.insert(index, pretty_midi.Instrument(track.program, track.is_drum, track.name))
    return midi


def _texts(score: Score) -> list[tuple[int, str]]:
    texts = [(0, recipe_text(score.recipe))]
    texts += [(change.onset_steps, f"{KEY_SIGN}{change.key}") for change in score.keys]
    texts += [(change.onset_steps, f"{METER_SIGN}{change.meter}") for change in score.meters]
    return sorted([*texts, *named_places(score)], key=lambda place: place[0])


def from_pretty_midi(midi: Any, *, steps_per_quarter: int) -> Score:
    """Return the score of a ``pretty_midi.PrettyMIDI``; its times go to the nearest tick, then step.

    Text events are section names and chords only if :func:`to_pretty_midi` has put them there. Keys
    are spelled with the fewest sharps or flats where no such text says otherwise.

    Raises
    ------
    FileFormatError
        If it holds an impossible tempo, metre or note.
    GridError
        If a bar is no whole number of steps.
    """
    check_steps_per_quarter(steps_per_quarter)
    tick = midi.time_to_tick
    texts = [(int(tick(event.time)), event.text) for event in midi.text_events]
    is_ours = any(recipe_of(text) is not None for _, text in texts)
    signs = [place for place in texts if place[1].startswith((KEY_SIGN, METER_SIGN)) or recipe_of(place[1]) is not None]
    ticks = TickScore(
        ticks_per_quarter=midi.resolution,
        tracks=[_tick_track(midi, instrument) for instrument in midi.instruments],
        tempos=[(int(tick(t)), microseconds(bpm)) for t, bpm in zip(*midi.get_tempo_changes(), strict=True)],
        meters=[(int(tick(c.time)), c.numerator, c.denominator) for c in midi.time_signature_changes],
        keys=[(int(tick(change.time)), *_signature(change.key_number)) for change in midi.key_signature_changes],
        markers=[place for place in texts if place not in signs] if is_ours else [],
        texts=signs,
    )
    return ticks.to_score(steps_per_quarter=steps_per_quarter, name="PrettyMIDI")


def _tick_track(midi: Any, instrument: Any) -> TickTrack:
    rows = []
    for note in instrument.notes:
        start, end = int(midi.time_to_tick(note.start)), int(midi.time_to_tick(note.end))
        rows.append((start, end - start, note.pitch, note.velocity))
    notes = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return TickTrack(instrument.name, instrument.program, instrument.is_drum, notes)


def _signature(key_number: int) -> tuple[int, bool]:
    """Return the signature of one of its 24 keys: majors from C up, then minors."""
    is_minor = key_number >= 12
    return key_signature(Key.from_pitch_class(key_number % 12, "minor" if is_minor else "major"))
