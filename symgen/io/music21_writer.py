"""A music21 stream, and MusicXML, from a :class:`~symgen.score.Score`.

Measures are laid out here, from the score's own bars, because music21 would let a bar that a change of
metre cuts short run on.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from symgen.io.music21_chords import music21_name, to_symbol
from symgen.io.optional import require
from symgen.score import Note, Score, Track
from theory.key import Key

__all__ = ["to_music21", "write_musicxml"]

# The day of writing, and the characters that no XML may hold.
_UNWANTED = re.compile(rb"\s*<encoding-date>[^<]*</encoding-date>|[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
_CHURCH_MODES = frozenset({"major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian"})


def to_music21(score: Score) -> Any:
    """Return a ``music21.stream.Score`` of parts and measures.

    Tempos, section names and chord symbols stand in the first part. Notes that sound together from
    start to end are a chord, other overlaps are voices, and notes over a bar line are tied.

    Raises
    ------
    MissingDependencyError
        If music21 is not installed.

    Notes
    -----
    :func:`symgen.io.music21_reader.from_music21` gives the score back. Lost: changes to what holds
    already, empty section names, the recipe, all but the notes of a score without tracks, and of keys
    the modes that music21 does not know, which become major or minor.
    """
    music21 = require("music21")
    stream = music21.stream.Score()
    stream.metadata = music21.metadata.Metadata(
        movementName=dict(score.recipe).get("title", "symgen"), composer="symgen"
    )
    for index, track in enumerate(score.tracks):
        part = music21.stream.Part(id=f"P{index + 1}")
        part.partName = track.name
        part.atSoundingPitch = True
        part.insert(0, _instrument(track, index))
        part.append(_measures(score, track, is_first=index == 0))
        stream.insert(0, part)
    return stream


def write_musicxml(score: Score) -> bytes:
    """Return a score as a MusicXML file, with its chord symbols; equal scores give equal bytes."""
    exporter = require("music21").musicxml.m21ToXml.GeneralObjectExporter(to_music21(score))
    data: bytes = exporter.parse()
    return _UNWANTED.sub(b"", data)


def _instrument(track: Track, index: int) -> Any:
    instrument = require("music21").instrument.Instrument(track.name)
    instrument.partId, instrument.instrumentId = f"P{index + 1}", f"I{index + 1}"  # random ones otherwise
    instrument.midiProgram = track.program
    instrument.midiChannel = 9 if track.is_drum else None
    return instrument


def _measures(score: Score, track: Track, *, is_first: bool) -> list[Any]:
    """Return a measure for every bar, with all that starts in it."""
    stream = require("music21").stream
    bars = score.bars
    signs = _signs(score, is_first=is_first)
    pieces = _pieces(track.notes, bars.starts.tolist())
    measures = []
    for index, meter in enumerate(bars.meters):
        start, end = int(bars.starts[index]), int(bars.starts[index + 1])
        measure = stream.Measure(number=index + 1)
        for step in range(start, end):
            for sign in signs.get(step, ()):
                measure.insert(_quarters(step - start, score), sign)
        measure.paddingRight = float(meter.bar_quarters - _quarters(end - start, score))
        _fill(measure, pieces[index], end - start, score)
        measures.append(measure)
    return measures


def _quarters(steps: int, score: Score) -> Fraction:
    return Fraction(steps, score.steps_per_quarter)


def _signs(score: Score, *, is_first: bool) -> Mapping[int, list[Any]]:
    """Return metres, keys and, for the first part, tempos, section names and chords, by step."""
    music21 = require("music21")
    signs: dict[int, list[Any]] = defaultdict(list)
    for change in score.meters:
        signs[change.onset_steps].append(music21.meter.TimeSignature(str(change.meter)))
    for key_change in score.keys:
        signs[key_change.onset_steps].append(_key(key_change.key))
    if is_first:
        for tempo in score.tempos:
            signs[tempo.onset_steps].append(music21.tempo.MetronomeMark(number=tempo.bpm))
        for marker in score.markers:
            signs[marker.onset_steps].append(music21.expressions.RehearsalMark(marker.text))
        for chord in score.chords:
            signs[chord.onset_steps].append(to_symbol(chord.chord))
    return signs


def _key(key: Key) -> Any:
    mode = key.mode if key.mode in _CHURCH_MODES else "minor" if key.is_minor else "major"
    return require("music21").key.Key(music21_name(key.tonic), mode)


# Notes

_Piece = tuple[int, int, Note, str | None]
"""Offset in its bar, length, the note it is a piece of, and its tie."""


def _pieces(notes: Iterable[Note], starts: list[int]) -> list[list[_Piece]]:
    """Cut notes at bar lines, tying the pieces; one list for each bar."""
    pieces: list[list[_Piece]] = [[] for _ in starts[1:]]
    bar = 0
    for note in notes:
        while starts[bar + 1] <= note.onset_steps:
            bar += 1
        place, index = note.onset_steps, bar
        while place < note.end_steps:
            end = min(note.end_steps, starts[index + 1])
            opens, closes = place == note.onset_steps, end == note.end_steps
            tie = {(True, True): None, (True, False): "start", (False, True): "stop"}.get((opens, closes), "continue")
            pieces[index].append((place - starts[index], end - place, note, tie))
            place, index = end, index + 1
    return pieces


def _fill(measure: Any, pieces: list[_Piece], length: int, score: Score) -> None:
    """Put the pieces of a bar into a measure, in voices if they overlap, and rests between them."""
    chords: dict[tuple[int, int], list[_Piece]] = defaultdict(list)
    for piece in pieces:
        chords[piece[:2]].append(piece)
    voices: list[list[tuple[int, int]]] = []
    for onset, duration in sorted(chords):
        free = (voice for voice in voices if sum(voice[-1]) <= onset)
        chosen = next(free, None)
        if chosen is None:
            voices.append(chosen := [])
        chosen.append((onset, duration))
    for voice in voices or [[]]:
        home = measure
        if len(voices) > 1:
            home = require("music21").stream.Voice(id=str(voices.index(voice) + 1))
            measure.insert(0, home)
        for offset, element in _voice_elements(voice, chords, length, score):
            home.insert(_quarters(offset, score), element)


def _voice_elements(
    voice: list[tuple[int, int]], chords: Mapping[tuple[int, int], list[_Piece]], length: int, score: Score
) -> list[tuple[int, Any]]:
    """Return the notes, chords and rests of a voice with their offsets; they fill the bar."""
    note = require("music21").note
    elements, now = [], 0
    for onset, duration in [*voice, (length, 0)]:
        if onset > now:
            elements.append((now, note.Rest(quarterLength=_quarters(onset - now, score))))
        if duration:
            elements.append((onset, _sound(chords[onset, duration], score)))
        now = onset + duration
    return elements


def _sound(pieces: list[_Piece], score: Score) -> Any:
    music21 = require("music21")
    heads = [_head(note, tie, score) for _, _, note, tie in sorted(pieces, key=lambda piece: piece[2].pitch)]
    length = _quarters(pieces[0][1], score)
    if len(heads) == 1:
        heads[0].quarterLength = length
        return heads[0]
    return music21.chord.Chord(heads, quarterLength=length)


def _head(note: Note, tie: str | None, score: Score) -> Any:
    music21 = require("music21")
    key = next((c.key for c in reversed(score.keys) if c.onset_steps <= note.onset_steps), Key.parse("C"))
    spelling = key.spell(note.pitch % 12)
    # B sharp sounds in the octave above its letter's, C flat in the one below.
    octave = (note.pitch - spelling.alteration) // 12 - 1
    head = music21.note.Note(music21.pitch.Pitch(music21_name(spelling), octave=octave))
    head.volume.velocity = note.velocity
    if tie is not None:
        head.tie = music21.tie.Tie(tie)
    return head
