"""Standard MIDI files, read into plain events, in Python alone.

Native code never sees an untrusted file: every byte is checked here, and an error names the track
and the byte. Nothing is interpreted beyond the format: channels, running order and all the controllers
stay as they are in the file, which libraries that sort events into instruments cannot keep.

References
----------
MIDI Manufacturers Association, "Standard MIDI Files 1.0", RP-001, 1996.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symgen.errors import FileFormatError
from symgen.io.limits import Limits

__all__ = [
    "CHANNEL_PRESSURE",
    "CONTROL",
    "DRUM_CHANNEL",
    "KEY_PRESSURE",
    "KEY_SIGNATURE",
    "MARKER",
    "NOTE_OFF",
    "NOTE_ON",
    "PITCH_BEND",
    "PROGRAM",
    "TEMPO",
    "TEXT",
    "TIME_SIGNATURE",
    "TRACK_NAME",
    "Chunks",
    "Event",
    "Limits",
    "Meta",
    "Smf",
    "read_chunks",
    "read_smf",
]

NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROL, PROGRAM, CHANNEL_PRESSURE, PITCH_BEND = range(0x80, 0xF0, 0x10)
TEXT, TRACK_NAME, MARKER, TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x01, 0x03, 0x06, 0x51, 0x58, 0x59
DRUM_CHANNEL = 9
"""Channel 10 of every port, counted from 0."""

_ONE_DATA_BYTE = (PROGRAM, CHANNEL_PRESSURE)
_KEPT_METAS = frozenset({TEXT, TRACK_NAME, MARKER, TEMPO, TIME_SIGNATURE, KEY_SIGNATURE})
_META_PORT, _META_END = 0x21, 0x2F
_DEFAULT_TEMPO = 500_000
_FOREIGN = {
    b"RIFF": "another RIFF file, such as WAV",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"<?xml": "an XML file",
}


class Event(NamedTuple):
    """A channel message.

    Parameters
    ----------
    tick
        When, from the start of the file.
    track
        Counted from 0.
    channel
        0 to 15, plus 16 for every port after the first.
    kind
        The status without its channel: ``0x80`` to ``0xE0``.
    first, second
        The data bytes; ``second`` is 0 where there is only one.
    """

    tick: int
    track: int
    channel: int
    kind: int
    first: int
    second: int


class Meta(NamedTuple):
    """A meta event: a text, name, marker, tempo or signature; the others are skipped.

    Parameters
    ----------
    tick
        When, from the start of the file.
    track
        Counted from 0.
    kind
        ``TEXT``, ``TRACK_NAME``, ``MARKER``, ``TEMPO``, ``TIME_SIGNATURE`` or ``KEY_SIGNATURE``.
    payload
        Its bytes; those of a tempo have been checked.
    """

    tick: int
    track: int
    kind: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Chunks:
    """The header of a file, and where its tracks stand.

    Parameters
    ----------
    data
        The file, without a RIFF wrapper around it.
    format_number, n_declared, division
        The format (0 or 1), the number of tracks it should have, and what a tick is, as in the header.
    tracks
        Where the events of each track start and end, at least one.
    n_bytes_left
        Bytes after the last chunk that are none.
    n_header_bytes
        How long the header says it is; 6 in every usual file.
    """

    data: bytes
    format_number: int
    n_declared: int
    division: int
    tracks: tuple[tuple[int, int], ...]
    n_bytes_left: int
    n_header_bytes: int = 6

    @property
    def warnings(self) -> list[str]:
        """What is odd and will be mended."""
        found = [f"{self.n_bytes_left:,} bytes after the last track were left out"] if self.n_bytes_left else []
        if self.n_header_bytes != 6:
            found.append(f"a header of {self.n_header_bytes:,} bytes: all after the first 6 were left out")
        n_tracks = len(self.tracks)
        if self.format_number == 0 and n_tracks > 1:
            found.append(f"format 0 with {n_tracks} tracks: played together")
        elif self.n_declared != n_tracks:
            found.append(f"{self.n_declared} tracks declared, {n_tracks} found")
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Smf:
    """What a file says.

    Parameters
    ----------
    events, metas
        In the order of playing: by tick, then by track, then as in the file.
    track_ends
        The last tick of every track.
    ticks_per_quarter
        The resolution; 0 where ticks are parts of SMPTE frames, which know no beats.
    tempo_ticks, tempo_seconds, tempo_seconds_per_tick
        From each tick on, its time and how long a tick lasts; ascending from tick 0.
    warnings
        What was odd and mended.
    """

    events: tuple[Event, ...]
    metas: tuple[Meta, ...]
    track_ends: tuple[int, ...]
    ticks_per_quarter: int
    tempo_ticks: NDArray[np.float64]
    tempo_seconds: NDArray[np.float64]
    tempo_seconds_per_tick: NDArray[np.float64]
    warnings: tuple[str, ...]

    def seconds(self, ticks: ArrayLike) -> NDArray[np.float64]:
        """Return the time of each tick."""
        wanted = np.asarray(ticks, dtype=np.float64)
        section = np.searchsorted(self.tempo_ticks, wanted, side="right") - 1
        since = (wanted - self.tempo_ticks[section]) * self.tempo_seconds_per_tick[section]
        result: NDArray[np.float64] = self.tempo_seconds[section] + since
        return result


def read_smf(data: bytes, name: str, limits: Limits, *, needs_beats: bool = False) -> Smf:
    """Read a file of format 0 or 1.

    Parameters
    ----------
    data
        The whole file; a RIFF wrapper (RMID) is taken off.
    name
        What to call the file in errors.
    limits
        What the file may ask for.
    needs_beats
        Whether to refuse a file whose ticks are parts of SMPTE frames.

    Raises
    ------
    FileFormatError
        Naming the file, the track, the byte, and what was expected there.
    """
    chunks = read_chunks(data, name, limits, needs_beats=needs_beats)
    content = _Content(warnings=chunks.warnings)
    ends = tuple(
        _TrackReader(chunks.data, start, end, track, name, limits).read(content)
        for track, (start, end) in enumerate(chunks.tracks)
    )
    for timed in (content.events, content.metas):
        timed.sort(key=itemgetter(0))  # by tick; stable, so tracks and their order stay
    return Smf(
        tuple(content.events),
        tuple(content.metas),
        ends,
        0 if chunks.division & 0x8000 else chunks.division,
        *_tempo_map(content.metas, chunks.division, name),
        tuple(content.warnings),
    )


def read_chunks(data: bytes, name: str, limits: Limits, *, needs_beats: bool = False) -> Chunks:
    """Read a file's structure and leave its events unread; the parameters are those of :func:`read_smf`.

    Raises
    ------
    FileFormatError
        If the file is foreign, cut off, of another format or without tracks; the error says what was expected.
    """
    data = _unwrap(data, name, limits)
    position, format_number, n_declared, division = _read_header(data, name)
    n_header_bytes = position - 8
    if needs_beats and division & 0x8000:
        _fail(name, "byte 0xC: SMPTE time, which has no beats: expected ticks a quarter note, such as 480")
    tracks, position = _track_chunks(data, position, name, limits)
    if not tracks:
        _fail(name, "no track in it: expected at least one")
    n_left = max(len(data) - position, 0)
    return Chunks(data, format_number, n_declared, division, tuple(tracks), n_left, n_header_bytes)


@dataclass(slots=True)
class _Content:
    """What the tracks are read into."""

    warnings: list[str]
    events: list[Event] = field(default_factory=list)
    metas: list[Meta] = field(default_factory=list)
    n_notes: int = 0


def _fail(name: str, what: str) -> NoReturn:
    msg = f"{name}: {what}"
    raise FileFormatError(msg)


def _unwrap(data: bytes, name: str, limits: Limits) -> bytes:
    """Check the size and the first bytes, and return the MIDI file inside."""
    if len(data) > limits.n_bytes:
        _fail(name, f"{len(data):,} bytes: expected a MIDI file of at most {limits.n_bytes:,} (--max-bytes)")
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        data = data[20:] if data[12:16] == b"data" else b""
    if data[:4] == b"MThd":
        return data
    found = next((what for magic, what in _FOREIGN.items() if data.startswith(magic)), None)
    if data[128:132] == b"MThd":
        found = "128 bytes of MacBinary before one: cut them off"
    found = found or (f"one that starts with {data[:8]!r}" if data else "an empty one")
    _fail(name, f"expected a MIDI file, found {found}")


def _read_header(data: bytes, name: str) -> tuple[int, int, int, int]:
    """Return where the header ends, the format, the declared number of tracks, and the division."""
    length = int.from_bytes(data[4:8], "big")
    if length < 6 or len(data) < 8 + length:
        _fail(name, f"byte 0x4: a header of {length} bytes in a file of {len(data)}: expected 6, and tracks after it")
    format_number, n_tracks, division = (int.from_bytes(data[i : i + 2], "big") for i in (8, 10, 12))
    if format_number > 1:
        _fail(name, f"byte 0x8: format {format_number}: expected 0 or 1 (2 holds separate pieces: split it first)")
    smpte_without_ticks = division & 0x8000 and not division & 0xFF
    if division == 0 or smpte_without_ticks:
        _fail(name, "byte 0xC: no ticks in a quarter note or frame: expected 1 or more")
    return 8 + length, format_number, n_tracks, division


def _track_chunks(data: bytes, position: int, name: str, limits: Limits) -> tuple[list[tuple[int, int]], int]:
    """Return where the data of each track starts and ends, and where the chunks end; foreign ones are skipped."""
    tracks: list[tuple[int, int]] = []
    while position + 8 <= len(data):
        kind = data[position : position + 4]
        start = position + 8
        end = start + int.from_bytes(data[position + 4 : start], "big")
        if not kind.isalnum():
            break
        if kind == b"MTrk":
            if end > len(data):
                where = f"track {len(tracks) + 1}, byte {position:#x}"
                _fail(name, f"{where}: cut off: expected {end - start:,} bytes, found {len(data) - start:,}")
            tracks.append((start, end))
        if len(tracks) > limits.n_tracks:
            _fail(name, f"more than {limits.n_tracks:,} tracks: the limit is --max-tracks")
        position = end
    return tracks, position


def _tempo_map(
    metas: list[Meta], division: int, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return from which tick, from which second, and how many seconds a tick; ``metas`` ascend by tick."""
    if division & 0x8000:
        frames = 256 - (division >> 8)
        if frames not in (24, 25, 29, 30):
            _fail(name, f"byte 0xC: {frames} frames a second: expected 24, 25, 29 or 30")
        rate = 30000 / 1001 if frames == 29 else frames
        return np.zeros(1), np.zeros(1), np.array([1 / (rate * (division & 0xFF))])
    tempos = {meta.tick: int.from_bytes(meta.payload, "big") for meta in metas if meta.kind == TEMPO}
    by_tick = {0: _DEFAULT_TEMPO} | tempos
    ticks = np.array(list(by_tick), dtype=np.float64)
    seconds_per_tick = np.array(list(by_tick.values()), dtype=np.float64) / (1e6 * division)
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(ticks) * seconds_per_tick[:-1])])
    return ticks, seconds, seconds_per_tick


def _is_key_signature(payload: bytes) -> bool:
    """Whether it is one to seven sharps or flats (or none), major or minor."""
    return len(payload) == 2 and not 7 < payload[0] < 249 and payload[1] <= 1


class _TrackReader:
    """Reads one track, byte by byte; ``position`` is where an error would be."""

    def __init__(self, data: bytes, start: int, end: int, track: int, name: str, limits: Limits) -> None:
        self.data = data
        self.position = start
        self.end = end
        self.track = track
        self.name = name
        self.limits = limits
        self.port = 0

    def read(self, content: _Content) -> int:
        """Add the track to what was read, and return its last tick."""
        tick = status = 0
        while self.position < self.end:
            tick += self._variable_length()
            byte = self._byte("a status")
            if byte >= 0xF0:
                status = 0  # running status ends here
                if self._system(byte, tick, content):
                    return tick
            elif byte >= 0x80:
                status = byte
                self._channel(status, self._data_byte(), tick, content)
            elif status:
                self._channel(status, self._checked(byte), tick, content)
            else:
                self._fail(f"data byte {byte:#04x} without a status before it", back=1)
            if len(content.events) + len(content.metas) > self.limits.n_events:
                self._fail(f"more than {self.limits.n_events:,} events: the limit is --max-events")
        content.warnings.append(f"track {self.track + 1} has no end-of-track event")
        return tick

    def _channel(self, status: int, first: int, tick: int, content: _Content) -> None:
        kind = status & 0xF0
        second = 0 if kind in _ONE_DATA_BYTE else self._data_byte()
        content.n_notes += kind == NOTE_ON and second > 0
        content.events.append(Event(tick, self.track, 16 * self.port + (status & 0x0F), kind, first, second))
        if content.n_notes > self.limits.n_notes:
            self._fail(f"more than {self.limits.n_notes:,} notes: the limit is --max-notes")

    def _system(self, status: int, tick: int, content: _Content) -> bool:
        """Read a meta event or skip a system-exclusive one; return whether the track ends here."""
        if status not in (0xF0, 0xF7, 0xFF):
            self._fail(f"status {status:#04x} has no place in a file", back=1)
        kind = self._byte("a kind of meta event") if status == 0xFF else -1
        length = self._variable_length()
        start = self.position
        if start + length > self.end:
            self._fail(f"an event of {length:,} bytes where the track has {self.end - start:,} left")
        self.position += length
        if kind in _KEPT_METAS:
            meta = Meta(tick, self.track, kind, self.data[start : self.position])
            if kind == TEMPO:
                self._check_tempo(meta.payload)
            elif kind == KEY_SIGNATURE and not _is_key_signature(meta.payload):
                content.warnings.append(f"track {self.track + 1}, byte {start:#x}: no key signature: left out")
                return False
            content.metas.append(meta)
        elif kind == _META_PORT and length == 1:
            self.port = self.data[start] & 0x7F
        return kind == _META_END

    def _check_tempo(self, payload: bytes) -> None:
        if len(payload) != 3:
            self._fail(f"a tempo of {len(payload)} bytes: expected 3", back=len(payload))
        tempo = int.from_bytes(payload, "big")
        slow, fast = self.limits.min_bpm, self.limits.max_bpm
        if not 60e6 / fast <= tempo <= 60e6 / slow:
            what = f"a tempo of {tempo:,} microseconds a quarter note"
            bounds = f"{60e6 / fast:,.0f} to {60e6 / slow:,.0f} ({fast:g} to {slow:g} quarter notes a minute)"
            self._fail(f"{what}: expected {bounds}", back=3)

    def _variable_length(self) -> int:
        byte = self._byte("a time or length")
        value = byte & 0x7F
        n_bytes = 1
        while byte & 0x80:
            byte = self._byte("the rest of a time or length")
            value = value << 7 | byte & 0x7F
            n_bytes += 1
            if n_bytes > 4:
                self._fail("a time or length of more than 4 bytes", back=n_bytes)
        return value

    def _data_byte(self) -> int:
        return self._checked(self._byte("a data byte"))

    def _checked(self, byte: int) -> int:
        if byte > 127:
            self._fail(f"data byte {byte:#04x}: expected 0 to 127", back=1)
        return byte

    def _byte(self, expected: str) -> int:
        if self.position >= self.end:
            self._fail(f"the track ends where {expected} was expected")
        byte = self.data[self.position]
        self.position += 1
        return byte

    def _fail(self, what: str, back: int = 0) -> NoReturn:
        _fail(self.name, f"track {self.track + 1}, byte {self.position - back:#x}: {what}")
