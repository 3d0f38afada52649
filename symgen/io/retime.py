"""The notes of a MIDI file, to be moved and weighed anew while all else in the file stays.

>>> from symgen.io.midi_writer import write_midi
>>> from symgen.score import Note, Score, Track
>>> file = NoteFile.read(write_midi(Score(4, (Track("T", (Note(0, 4, 60),)),))), "song.mid")
>>> file.onset.tolist(), file.end.tolist(), file.pitch.tolist()
([0], [480], [60])
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symgen.io.limits import Limits, limits_in_force
from symgen.io.smf import CONTROL, DRUM_CHANNEL, NOTE_OFF, NOTE_ON, PROGRAM, Chunks, Smf, read_chunks, read_smf

__all__ = ["NEVER", "NoteFile"]

_Ticks = NDArray[np.int64]
_META, _END_OF_TRACK, _PORT = 0xFF, 0x2F, 0x21
_LONGEST_DELTA = 2**28 - 1
NEVER = int(np.iinfo(np.int64).max)
"""The tick of what does not come."""
_SOUND_CONTROLS = frozenset({0, 32, *range(120, 128)})
"""Banks and modes: a note that moved across one of these would sound of something else."""


class _Raw(NamedTuple):
    """An event as its bytes, running status written out; ``channel`` counts 16 for every port, -1 for none."""

    tick: int
    data: bytes
    channel: int


class _Note(NamedTuple):
    """A note by its events; ``off`` is -1 where it never ends."""

    track: int
    on: int
    off: int


@dataclass(frozen=True, slots=True, eq=False)
class NoteFile:
    """A MIDI file with its notes as arrays.

    Parameters
    ----------
    smf
        What the file says.
    onset, end, pitch, velocity, channel, track
        One entry a note; notes that never end stop with their track.
    earliest, latest
        Between which ticks each note may start, so as not to cross a change of program or bank, or the track's end.
    """

    smf: Smf
    onset: _Ticks
    end: _Ticks
    pitch: _Ticks
    velocity: _Ticks
    channel: _Ticks
    track: _Ticks
    earliest: _Ticks
    latest: _Ticks
    _chunks: Chunks
    _tracks: tuple[tuple[_Raw, ...], ...]
    _notes: tuple[_Note, ...]

    @classmethod
    def read(cls, data: bytes, name: str, limits: Limits | None = None) -> NoteFile:
        """Read a file.

        Raises
        ------
        FileFormatError
            As :func:`symgen.io.smf.read_smf`, and for ticks that are parts of SMPTE frames.
        """
        limits = limits or limits_in_force()
        smf = read_smf(data, name, limits, needs_beats=True)
        chunks = read_chunks(data, name, limits)
        tracks = tuple(tuple(_raw_events(chunks.data, start, end)) for start, end in chunks.tracks)
        by_track = [_notes(index, track) for index, track in enumerate(tracks)]
        notes = tuple(note for found in by_track for note in found)
        rows = [_row(note, tracks[note.track], smf.track_ends[note.track]) for note in notes]
        bounds = [bound for track, found in zip(tracks, by_track, strict=True) for bound in _bounds(track, found)]
        onset, end, pitch, velocity, channel, track = np.array(rows, dtype=np.int64).reshape(-1, 6).T
        earliest, latest = np.array(bounds, dtype=np.int64).reshape(-1, 2).T
        latest = np.minimum(latest, np.maximum(np.array(smf.track_ends)[track] - 1, onset))
        return cls(smf, onset, end, pitch, velocity, channel, track, earliest, latest, chunks, tracks, notes)

    @property
    def is_drum(self) -> NDArray[np.bool_]:
        """Whether each note is on channel 10 of its port."""
        return np.asarray(self.channel % 16 == DRUM_CHANNEL)

    def rewritten(
        self,
        onset: Sequence[int] | _Ticks,
        end: Sequence[int] | _Ticks,
        velocity: Sequence[int] | _Ticks,
        moved: Callable[[int], int],
    ) -> bytes:
        """Return the file with other onsets, ends and velocities.

        Parameters
        ----------
        onset, end, velocity
            One entry a note.
        moved
            Where the other messages of the channels go; names, tempos and signatures stay.

        Notes
        -----
        Lost: chunks that are no tracks, and bytes that are no chunks.
        """
        placed = [[(self._place(raw, moved), 1, raw.data) for raw in track] for track in self._tracks]
        for note, start, stop, loud in zip(self._notes, onset, end, velocity, strict=True):
            track = placed[note.track]
            status = track[note.on][2]
            track[note.on] = (int(start), 1, status[:2] + bytes([int(loud)]))
            if note.off >= 0:
                rank = 0 if stop > start else 1
                track[note.off] = (int(stop), rank, track[note.off][2])
        chunks = [_chunk(b"MTrk", _track(events, end)) for events, end in zip(placed, self.smf.track_ends, strict=True)]
        head = self._chunks
        format_number = 1 if len(chunks) > 1 else head.format_number
        header = b"".join(number.to_bytes(2, "big") for number in (format_number, len(chunks), head.division))
        return _chunk(b"MThd", header) + b"".join(chunks)

    @staticmethod
    def _place(raw: _Raw, moved: Callable[[int], int]) -> int:
        return raw.tick if raw.channel < 0 else moved(raw.tick)


def _raw_events(data: bytes, position: int, end: int) -> Iterator[_Raw]:
    """Yield the events of a track that has been checked."""
    tick = status = port = 0
    while position < end:
        delta, position = _number(data, position)
        tick += delta
        start = position
        if data[position] >= 0xF0:
            status, is_meta = 0, data[position] == _META
            length, after = _number(data, position + 1 + is_meta)
            position = after + length
            if is_meta and data[start + 1] == _END_OF_TRACK:
                return
            if is_meta and data[start + 1] == _PORT and length == 1:
                port = data[after] & 0x7F
            yield _Raw(tick, data[start:position], -1)
            continue
        if data[position] >= 0x80:
            status, position = data[position], position + 1
        n_bytes = 1 if status & 0xF0 in (PROGRAM, 0xD0) else 2
        yield _Raw(tick, bytes([status]) + data[position : position + n_bytes], 16 * port + (status & 0x0F))
        position += n_bytes


def _number(data: bytes, position: int) -> tuple[int, int]:
    """Return a number of variable length and where it ends."""
    value = 0
    while True:
        value = value << 7 | data[position] & 0x7F
        position += 1
        if data[position - 1] < 0x80:
            return value, position


def _kind(raw: _Raw) -> int:
    """Return the status without its channel, a start without velocity being an end; 0 for what is on no channel."""
    if raw.channel < 0:
        return 0
    kind = raw.data[0] & 0xF0
    return NOTE_OFF if kind == NOTE_ON and raw.data[2] == 0 else kind


def _notes(index: int, track: Sequence[_Raw]) -> list[_Note]:
    """Return the notes of a track in the order they start; the first to start is the first to end."""
    found: list[_Note] = []
    sounding: dict[tuple[int, int], deque[int]] = defaultdict(deque)
    for place, raw in enumerate(track):
        kind = _kind(raw)
        if kind == NOTE_ON:
            sounding[raw.channel, raw.data[1]].append(len(found))
            found.append(_Note(index, place, -1))
        elif kind == NOTE_OFF and sounding[raw.channel, raw.data[1]]:
            number = sounding[raw.channel, raw.data[1]].popleft()
            found[number] = found[number]._replace(off=place)
    return found


def _row(note: _Note, track: Sequence[_Raw], track_end: int) -> tuple[int, ...]:
    on = track[note.on]
    end = track[note.off].tick if note.off >= 0 else track_end
    return on.tick, end, on.data[1], on.data[2], on.channel, note.track


def _bounds(track: Sequence[_Raw], notes: Sequence[_Note]) -> Iterator[tuple[int, int]]:
    """Yield, for each note of a track, the ticks of the changes of its sound before and after it."""
    changes: dict[int, list[int]] = defaultdict(list)  # channel -> places in the track
    for place, raw in enumerate(track):
        kind = _kind(raw)
        if kind == PROGRAM or (kind == CONTROL and raw.data[1] in _SOUND_CONTROLS):
            changes[raw.channel].append(place)
    for note in notes:
        places = changes[track[note.on].channel]
        following = int(np.searchsorted(places, note.on))
        before = track[places[following - 1]].tick if following else 0
        yield before, track[places[following]].tick if following < len(places) else NEVER


def _track(events: list[tuple[int, int, bytes]], end: int) -> bytes:
    """Return a track's bytes: at one tick ends of notes first, then as the file had it."""
    parts, now = [], 0
    for tick, _, data in sorted(events, key=lambda event: event[:2]):
        parts += [_variable(min(tick - now, _LONGEST_DELTA)), data]
        now = tick
    return b"".join([*parts, _variable(min(max(end - now, 0), _LONGEST_DELTA)), bytes([_META, _END_OF_TRACK, 0])])


def _variable(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "big") + data
