"""A MIDI file from a score.

A written file is of format 1, unless 0 is asked for, and imports cleanly into a DAW: tempo, metre and key in the first
track only, one named part on a channel of its own, drums and nothing else on channel 10, no two notes of one pitch
overlapping on a channel, and every track ending on the bar line after the music.

What MIDI has no word for travels as text events that other programs ignore: ``@symgen key=value ...``
is the recipe, ``@symgen:key D dorian`` and ``@symgen:meter 2+2+3/8`` say what the key signature and the
time signature that hold at their tick cannot. Section names that could be read as a chord stand in brackets.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from symgen.errors import ScoreError
from symgen.grid import steps_to_ticks
from symgen.io.optional import require
from symgen.io.smf import DRUM_CHANNEL
from symgen.io.words import (
    CHORD_SIGN,
    CONDUCTOR,
    KEY_SIGN,
    METER_SIGN,
    NAME_GAP,
    key_signature,
    microseconds,
    plain_key,
    protected,
    recipe_text,
)
from symgen.io.writing import MidiOptions
from symgen.io.xf import XF_VERSION, xf_chord
from symgen.score import Note, Score, Track
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter

__all__ = ["cut_overlaps", "split_by_programs", "write_midi"]

_Event = tuple[int, Any]
"""A step and its message."""

_PART_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)


def write_midi(score: Score, options: MidiOptions | None = None) -> bytes:
    """Return a score as a MIDI file; equal scores and options give equal bytes.

    Parameters
    ----------
    score
        The music.
    options
        How; format 1 with 480 ticks a quarter note, programs, and chords as markers, if left out.

    Raises
    ------
    ScoreError
        If the parts need more than fifteen different programs at once.
    GridError
        If a step is no whole tick.

    Notes
    -----
    :func:`symgen.io.midi_reader.read_midi` gives the score back. Changed on the way: a tempo becomes a whole number of
    microseconds (a tempo with one decimal place survives); drum tracks share channel 10, so they
    share the first one's program; a note that still sounds when its pitch starts again on its channel
    ends there; the end moves to the bar line. Format 0 has no tracks without notes, and no names of tracks that
    share a channel.
    """
    options = options or MidiOptions()
    resolution = options.ticks_per_quarter

    def tick(step: int) -> int:
        return steps_to_ticks(step, steps_per_quarter=score.steps_per_quarter, ticks_per_quarter=resolution)

    end = tick(max(score.bars.end_steps, *(change.onset_steps for change in _changes(score))))
    tracks = [_conductor_events(score, options), *_part_events(score, options)]
    if options.format_number == 0:
        tracks = [_merged(tracks, _names_by_channel(score))]
    file = require("mido").MidiFile(type=options.format_number, ticks_per_beat=resolution, charset="utf-8")
    file.tracks += [_timed(events, tick, end) for events in tracks]
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def split_by_programs(score: Score) -> list[Score]:
    """Return a score as several, none with more programs than there are channels; drums are in the first."""
    programs = list(dict.fromkeys(track.program for track in score.tracks if not track.is_drum))
    n = len(_PART_CHANNELS)
    groups = [set(programs[i : i + n]) for i in range(0, len(programs), n)] or [set()]
    return [
        score.with_tracks(t for t in score.tracks if (i == 0 if t.is_drum else t.program in group))
        for i, group in enumerate(groups)
    ]


def _changes(score: Score) -> Iterator[Any]:
    yield from (*score.tempos, *score.meters, *score.keys, *score.chords, *score.markers)


def _timed(events: Iterable[_Event], tick: Any, end: int) -> Any:
    """Return a track from events with their steps, in order, closed at a tick."""
    mido = require("mido")
    track, now = mido.MidiTrack(), 0
    for step, message in events:
        at = tick(step)
        message.time = at - now
        track.append(message)
        now = at
    track.append(mido.MetaMessage("end_of_track", time=end - now))
    return track


def _merged(tracks: Sequence[Sequence[_Event]], names: Sequence[str]) -> list[_Event]:
    """Return the events of all tracks in order of time, at one step ends of notes first, under the names of all."""
    ranks = {"note_off": 0, "note_on": 2}
    every = [(step, m) for events in tracks for step, m in events if m.type != "track_name"]
    name = require("mido").MetaMessage("track_name", name=NAME_GAP.join(names))
    return [(0, name), *sorted(every, key=lambda event: (event[0], ranks.get(event[1].type, 1)))]


def _names_by_channel(score: Score) -> list[str]:
    """Return the names of the tracks in the order of their channels, as a reader finds them in format 0."""
    named = zip(_channels(score.tracks), _track_names(score.tracks), strict=True)
    return [name for _, name in sorted(named, key=lambda pair: pair[0])]


def _track_names(tracks: Sequence[Track]) -> list[str]:
    return [track.name or f"Track {number}" for number, track in enumerate(tracks, start=1)]


def _conductor_events(score: Score, options: MidiOptions) -> list[_Event]:
    """Return all that is not notes, in the order of time; at one step tempo, metre, key, sections, chords."""
    meta = require("mido").MetaMessage
    events = [(0, meta("track_name", name=CONDUCTOR)), (0, meta("text", text=recipe_text(score.recipe)))]
    if "xf" in options.chord_names and score.chords:
        events.append((0, meta("sequencer_specific", data=tuple(XF_VERSION))))
    for tempo in score.tempos:
        events.append((tempo.onset_steps, meta("set_tempo", tempo=microseconds(tempo.bpm))))
    events += _signed((c.onset_steps, *_meter_messages(c.meter)) for c in score.meters)
    events += _signed((c.onset_steps, *_key_messages(c.key)) for c in score.keys)
    events += [(marker.onset_steps, meta("marker", text=protected(marker.text))) for marker in score.markers]
    kinds = [kind for kind in options.chord_names if kind != "lyrics" or _lyrics_track(score) is None]
    events += [(c.onset_steps, _chord_message(c.chord, kind)) for c in score.chords for kind in kinds]
    return sorted(events, key=lambda event: event[0])


def _part_events(score: Score, options: MidiOptions) -> Iterator[list[_Event]]:
    """Yield the events of each part."""
    mido = require("mido")
    channels = _channels(score.tracks)
    kit = next((track.program for track in score.tracks if track.is_drum), 0)
    sung = _lyrics_track(score) if "lyrics" in options.chord_names else None
    names = _track_names(score.tracks)
    parts = zip(score.tracks, names, channels, cut_overlaps(score.tracks, channels), strict=True)
    for index, (track, name, channel, notes) in enumerate(parts):
        events = [(0, mido.MetaMessage("track_name", name=name))]
        if options.programs:
            program = kit if track.is_drum else track.program
            events.append((0, mido.Message("program_change", channel=channel, program=program)))
        events += _note_events(notes, channel)
        if index == sung:
            events += [(c.onset_steps, _chord_message(c.chord, "lyrics")) for c in score.chords]
            events = _merged_track(events)
        yield events


def _merged_track(events: Sequence[_Event]) -> list[_Event]:
    """Return the events of a track with its lyrics before the notes that they belong to."""
    ranks = {"track_name": -1, "program_change": 0, "note_off": 1, "lyrics": 2, "note_on": 3}
    return sorted(events, key=lambda event: (event[0], ranks[event[1].type]))


def _lyrics_track(score: Score) -> int | None:
    """Return which track chord names are sung in: the one called Chords."""
    return next((i for i, track in enumerate(score.tracks) if track.name == "Chords"), None)


def _chord_message(chord: Chord, kind: str) -> Any:
    meta = require("mido").MetaMessage
    if kind == "xf":
        return meta("sequencer_specific", data=tuple(xf_chord(chord)))
    if kind == "text":
        return meta("text", text=f"{CHORD_SIGN}{chord}")
    return meta("marker" if kind == "markers" else "lyrics", text=str(chord))


def _signed(changes: Iterable[tuple[int, Any, Any, bool]]) -> Iterator[_Event]:
    """Yield signatures where they change, and texts where they don't tell all.

    Parameters
    ----------
    changes
        Step, signature and text of each change, and whether the signature tells all.
    """
    held = None
    for step, signature, text, is_told in changes:
        is_new = held is None or signature != held  # mido compares messages with messages only
        if is_new:
            yield step, signature
        if not is_new or not is_told:
            yield step, text
        held = signature


def _meter_messages(meter: Meter) -> tuple[Any, Any, bool]:
    meta = require("mido").MetaMessage
    plain = Meter(meter.numerator, meter.denominator)
    signature = meta("time_signature", numerator=meter.numerator, denominator=meter.denominator)
    return signature, meta("text", text=f"{METER_SIGN}{meter}"), meter == plain


def _key_messages(key: Key) -> tuple[Any, Any, bool]:
    meta = require("mido").MetaMessage
    plain = plain_key(*key_signature(key))
    signature = meta("key_signature", key=f"{plain.tonic}{'m' if plain.is_minor else ''}")
    return signature, meta("text", text=f"{KEY_SIGN}{key}"), key == plain


def _note_events(notes: Sequence[Note], channel: int) -> list[_Event]:
    """Return the note messages of a track; at one step the ends stand before the starts."""
    message = require("mido").Message
    places = [(note.end_steps, 0, note.pitch, 0) for note in notes]
    places += [(note.onset_steps, 1, note.pitch, note.velocity) for note in notes]
    kinds = ("note_off", "note_on")
    return [
        # A score's notes have been checked at birth, which takes half of the time here.
        (step, message(kinds[is_start], skip_checks=True, channel=channel, note=pitch, velocity=velocity))
        for step, is_start, pitch, velocity in sorted(places)
    ]


def _channels(tracks: Sequence[Track]) -> list[int]:
    """Give each track a channel of its own; when they run out, tracks of equal programs share."""
    parts = [track for track in tracks if not track.is_drum]
    wanted = {track.program for track in parts}
    if len(wanted) > len(_PART_CHANNELS):
        expected = f"expected at most {len(_PART_CHANNELS)}, one for each channel"
        msg = f"{len(wanted)} different programs: {expected}, or several files (--split)"
        raise ScoreError(msg)
    free = list(_PART_CHANNELS)
    owned: dict[int, list[int]] = defaultdict(list)  # program -> its channels, the one to share next first
    chosen = []
    for track in tracks:
        if track.is_drum:
            chosen.append(DRUM_CHANNEL)
            continue
        n_programs_to_come = len(wanted - owned.keys())
        if track.program not in owned or len(free) > n_programs_to_come:
            owned[track.program].append(free.pop(0))
            chosen.append(owned[track.program][-1])
        else:
            channels = owned[track.program]
            channels.append(channels.pop(0))
            chosen.append(channels[-1])
    return chosen


def cut_overlaps(tracks: Sequence[Track], channels: Sequence[int]) -> list[list[Note]]:
    """Return the notes of each track, none sounding past the next start of its pitch on its channel."""
    by_key: dict[tuple[int, int], list[tuple[int, Note]]] = defaultdict(list)
    for index, (track, channel) in enumerate(zip(tracks, channels, strict=True)):
        for note in track.notes:
            by_key[channel, note.pitch].append((index, note))
    kept: list[list[Note]] = [[] for _ in tracks]
    for entries in by_key.values():
        entries.sort(key=lambda entry: (entry[1].onset_steps, -entry[1].duration_steps, entry[0]))
        distinct = [e for i, e in enumerate(entries) if i == 0 or e[1].onset_steps > entries[i - 1][1].onset_steps]
        limits = [note.onset_steps for _, note in distinct[1:]] + [distinct[-1][1].end_steps]
        for (index, note), limit in zip(distinct, limits, strict=True):
            kept[index].append(replace(note, duration_steps=min(note.end_steps, limit) - note.onset_steps))
    return kept
