"""A MIDI file as its events' bytes, which can be written back: nothing in it is lost, whatever it means.

>>> from symgen.io.midi_writer import write_midi
>>> from symgen.score import Note, Score, Track
>>> file = RawFile.read(write_midi(Score(4, (Track("T", (Note(0, 4, 60),)),))), "song.mid")
>>> [(note.onset, note.end, note.pitch) for note in file.notes]
[(0, 480, 60)]
>>> RawFile.read(midi_file(480, file.tracks, file.ends), "copy.mid").tracks == file.tracks
True
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from symgen.io.limits import Limits, limits_in_force
from symgen.io.smf import CHANNEL_PRESSURE, NOTE_OFF, NOTE_ON, PROGRAM, read_chunks, read_smf

__all__ = ["PORT", "PlayedNote", "Raw", "RawFile", "meta", "midi_file"]

PORT = 0x21
_META, _END_OF_TRACK = 0xFF, 0x2F
_LONGEST_DELTA = 2**28 - 1


class Raw(NamedTuple):
    """An event.

    Parameters
    ----------
    tick
        When, from the start of the file.
    data
        Its bytes, running status written out.
    channel
        0 to 15, plus 16 for every port after the first; -1 for what is on no channel.
    """

    tick: int
    data: bytes
    channel: int = -1

    @property
    def kind(self) -> int:
        """The status without its channel, a start without velocity being an end; 0 for what is on no channel."""
        if self.channel < 0:
            return 0
        status = self.data[0] & 0xF0
        return NOTE_OFF if status == NOTE_ON and self.data[2] == 0 else status

    @property
    def meta_kind(self) -> int:
        """The kind of a meta event; -1 for all others."""
        return self.data[1] if self.data[0] == _META else -1

    @property
    def payload(self) -> bytes:
        """What a meta event says."""
        _, start = _number(self.data, 2)
        return self.data[start:]


class PlayedNote(NamedTuple):
    """A note by its ticks and events; ``off_place`` is -1 where it never ends, ``track`` counts from 0."""

    onset: int
    end: int
    pitch: int
    velocity: int
    channel: int
    track: int
    on_place: int
    off_place: int
    off_velocity: int


@dataclass(frozen=True, slots=True, eq=False)
class RawFile:
    """A file.

    Parameters
    ----------
    format_number, ticks_per_quarter
        From its header.
    tracks
        The events of each track in their order, without the ends of track.
    ends
        The last tick of every track.
    notes
        In the order of their tracks, then of their starts: the first to start is the first to end.
    stray_ends
        Track and tick of every end that no note has.
    warnings
        What was odd in the structure.
    """

    format_number: int
    ticks_per_quarter: int
    tracks: tuple[tuple[Raw, ...], ...]
    ends: tuple[int, ...]
    notes: tuple[PlayedNote, ...]
    stray_ends: tuple[tuple[int, int], ...]
    warnings: tuple[str, ...]

    @classmethod
    def read(cls, data: bytes, name: str, limits: Limits | None = None) -> RawFile:
        """Read a file.

        Raises
        ------
        FileFormatError
            As :func:`symgen.io.smf.read_smf`, and for ticks that are parts of SMPTE frames.
        """
        limits = limits or limits_in_force()
        smf = read_smf(data, name, limits, needs_beats=True)
        chunks = read_chunks(data, name, limits)
        tracks = tuple(tuple(_events(chunks.data, start, end)) for start, end in chunks.tracks)
        notes: list[PlayedNote] = []
        strays: list[tuple[int, int]] = []
        for index, track in enumerate(tracks):
            found, lost = _notes(index, track, smf.track_ends[index])
            notes += found
            strays += [(index, tick) for tick in lost]
        ppq = smf.ticks_per_quarter
        return cls(chunks.format_number, ppq, tracks, smf.track_ends, tuple(notes), tuple(strays), smf.warnings)


def meta(tick: int, kind: int, payload: bytes) -> Raw:
    """Return a meta event."""
    return Raw(tick, bytes([_META, kind]) + _variable(len(payload)) + payload)


def midi_file(
    ticks_per_quarter: int, tracks: Iterable[Iterable[Raw]], ends: Iterable[int], format_number: int = 1
) -> bytes:
    """Return the bytes of a file; the events of each track stand in order of time already."""
    chunks = [_chunk(b"MTrk", _track_bytes(track, end)) for track, end in zip(tracks, ends, strict=True)]
    header = b"".join(number.to_bytes(2, "big") for number in (format_number, len(chunks), ticks_per_quarter))
    return _chunk(b"MThd", header) + b"".join(chunks)


def _events(data: bytes, position: int, end: int) -> Iterator[Raw]:
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
            if is_meta and data[start + 1] == PORT and length == 1:
                port = data[after] & 0x7F
            yield Raw(tick, data[start:position])
            continue
        if data[position] >= 0x80:
            status, position = data[position], position + 1
        n_bytes = 1 if status & 0xF0 in (PROGRAM, CHANNEL_PRESSURE) else 2
        yield Raw(tick, bytes([status]) + data[position : position + n_bytes], 16 * port + (status & 0x0F))
        position += n_bytes


def _notes(index: int, track: Sequence[Raw], track_end: int) -> tuple[list[PlayedNote], list[int]]:
    """Return the notes of a track, and the ticks of ends without one."""
    found: list[PlayedNote] = []
    sounding: dict[tuple[int, int], deque[int]] = defaultdict(deque)
    strays: list[int] = []
    for place, raw in enumerate(track):
        kind = raw.kind
        if kind == NOTE_ON:
            sounding[raw.channel, raw.data[1]].append(len(found))
            found.append(PlayedNote(raw.tick, track_end, raw.data[1], raw.data[2], raw.channel, index, place, -1, 0))
        elif kind == NOTE_OFF and sounding[raw.channel, raw.data[1]]:
            number = sounding[raw.channel, raw.data[1]].popleft()
            velocity = raw.data[2] if raw.data[0] & 0xF0 == NOTE_OFF else 0
            found[number] = found[number]._replace(end=raw.tick, off_place=place, off_velocity=velocity)
        elif kind == NOTE_OFF:
            strays.append(raw.tick)
    return found, strays


def _number(data: bytes, position: int) -> tuple[int, int]:
    """Return a number of variable length and where it ends."""
    value = 0
    while True:
        value = value << 7 | data[position] & 0x7F
        position += 1
        if data[position - 1] < 0x80:
            return value, position


def _variable(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "big") + data


def _track_bytes(events: Iterable[Raw], end: int) -> bytes:
    parts, now = [], 0
    for raw in events:
        parts += [_variable(min(raw.tick - now, _LONGEST_DELTA)), raw.data]
        now = raw.tick
    return b"".join([*parts, _variable(min(max(end - now, 0), _LONGEST_DELTA)), bytes([_META, _END_OF_TRACK, 0])])
