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

__all__ = [
    "CHANNEL_PRESSURE",
    "CONTROL",
    "KEY_PRESSURE",
    "NOTE_OFF",
    "NOTE_ON",
    "PITCH_BEND",
    "PROGRAM",
    "Event",
    "Limits",
    "Smf",
    "read_smf",
]

NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROL, PROGRAM, CHANNEL_PRESSURE, PITCH_BEND = range(0x80, 0xF0, 0x10)
_ONE_DATA_BYTE = (PROGRAM, CHANNEL_PRESSURE)
_DEFAULT_TEMPO = 500_000
_FOREIGN = {b"RIFF": "another RIFF file, such as WAV", b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip file"}
_META_PORT, _META_END, _META_TEMPO = 0x21, 0x2F, 0x51


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask for; one that asks for more is refused in words before it costs much."""

    n_bytes: int = 16 * 2**20
    n_tracks: int = 256
    n_notes: int = 200_000
    n_events: int = 2_000_000
    seconds: float = 7200.0
    min_bpm: float = 4.0
    max_bpm: float = 1000.0


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


@dataclass(frozen=True, slots=True, eq=False)
class Smf:
    """The playable part of a file.

    Parameters
    ----------
    events
        In the order of playing: by tick, then by track, then as in the file.
    track_ends
        The last tick of every track.
    tempo_ticks, tempo_seconds, tempo_seconds_per_tick
        From each tick on, its time and how long a tick lasts; ascending from tick 0.
    warnings
        What was odd and mended.
    """

    events: tuple[Event, ...]
    track_ends: tuple[int, ...]
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


def read_smf(data: bytes, name: str, limits: Limits) -> Smf:
    """Read a file of format 0 or 1.

    Parameters
    ----------
    data
        The whole file; a RIFF wrapper (RMID) is taken off.
    name
        What to call the file in errors.
    limits
        What the file may ask for.

    Raises
    ------
    FileFormatError
        Naming the file, the track, the byte, and what was expected there.
    """
    data = _unwrap(data, name, limits)
    header_end, format_number, n_declared, division = _read_header(data, name)
    content = _Content()
    chunks = _track_chunks(data, header_end, name, limits, content.warnings)
    if not chunks:
        _fail(name, "no track in it: expected at least one")
    ends = tuple(_TrackReader(data, *chunk, i, name, limits).read(content) for i, chunk in enumerate(chunks))
    if format_number == 0 and len(ends) > 1:
        content.warnings.append(f"format 0 with {len(ends)} tracks: played together")
    elif n_declared != len(ends):
        content.warnings.append(f"{n_declared} tracks declared, {len(ends)} found")
    content.events.sort(key=itemgetter(0))  # by tick; stable, so tracks and their order stay
    return Smf(tuple(content.events), ends, *_tempo_map(content.tempos, division, name), tuple(content.warnings))


@dataclass(slots=True)
class _Content:
    """What the tracks are read into; tempos are (tick, microseconds a quarter note)."""

    events: list[Event] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    n_notes: int = 0


def _fail(name: str, what: str) -> NoReturn:
    msg = f"{name}: {what}"
    raise FileFormatError(msg)


def _unwrap(data: bytes, name: str, limits: Limits) -> bytes:
    """Check the size and the first bytes, and return the MIDI file inside."""
    if len(data) > limits.n_bytes:
        _fail(name, f"{len(data):,} bytes: expected a MIDI file of at most {limits.n_bytes:,}")
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


def _track_chunks(data: bytes, position: int, name: str, limits: Limits, warnings: list[str]) -> list[tuple[int, int]]:
    """Return where the data of each track starts and ends; other chunks are skipped."""
    chunks: list[tuple[int, int]] = []
    while position + 8 <= len(data):
        kind = data[position : position + 4]
        start = position + 8
        end = start + int.from_bytes(data[position + 4 : start], "big")
        if not kind.isalnum():
            break
        if kind == b"MTrk":
            if end > len(data):
                where = f"track {len(chunks) + 1}, byte {position:#x}"
                _fail(name, f"{where}: cut off: expected {end - start:,} bytes, found {len(data) - start:,}")
            chunks.append((start, end))
        if len(chunks) > limits.n_tracks:
            _fail(name, f"more than {limits.n_tracks} tracks")
        position = end
    if position < len(data):
        warnings.append(f"{len(data) - position:,} bytes after the last track were left out")
    return chunks


def _tempo_map(
    tempos: list[tuple[int, int]], division: int, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return from which tick, from which second, and how many seconds a tick."""
    if division & 0x8000:
        frames = 256 - (division >> 8)
        if frames not in (24, 25, 29, 30):
            _fail(name, f"byte 0xC: {frames} frames a second: expected 24, 25, 29 or 30")
        rate = 30000 / 1001 if frames == 29 else frames
        return np.zeros(1), np.zeros(1), np.array([1 / (rate * (division & 0xFF))])
    by_tick = {0: _DEFAULT_TEMPO} | dict(sorted(tempos, key=lambda tempo: tempo[0]))
    ticks = np.array(list(by_tick), dtype=np.float64)
    seconds_per_tick = np.array(list(by_tick.values()), dtype=np.float64) / (1e6 * division)
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(ticks) * seconds_per_tick[:-1])])
    return ticks, seconds, seconds_per_tick


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
                if self._system(byte, tick, content.tempos):
                    return tick
            elif byte >= 0x80:
                status = byte
                self._channel(status, self._data_byte(), tick, content)
            elif status:
                self._channel(status, self._checked(byte), tick, content)
            else:
                self._fail(f"data byte {byte:#04x} without a status before it", back=1)
        content.warnings.append(f"track {self.track + 1} has no end-of-track event")
        return tick

    def _channel(self, status: int, first: int, tick: int, content: _Content) -> None:
        kind = status & 0xF0
        second = 0 if kind in _ONE_DATA_BYTE else self._data_byte()
        content.n_notes += kind == NOTE_ON and second > 0
        content.events.append(Event(tick, self.track, 16 * self.port + (status & 0x0F), kind, first, second))
        if content.n_notes > self.limits.n_notes:
            self._fail(f"more than {self.limits.n_notes:,} notes")
        if len(content.events) > self.limits.n_events:
            self._fail(f"more than {self.limits.n_events:,} events")

    def _system(self, status: int, tick: int, tempos: list[tuple[int, int]]) -> bool:
        """Read a meta event or skip a system-exclusive one; return whether the track ends here."""
        if status not in (0xF0, 0xF7, 0xFF):
            self._fail(f"status {status:#04x} has no place in a file", back=1)
        kind = self._byte("a kind of meta event") if status == 0xFF else -1
        length = self._variable_length()
        start = self.position
        if start + length > self.end:
            self._fail(f"an event of {length:,} bytes where the track has {self.end - start:,} left")
        self.position += length
        if kind == _META_TEMPO:
            tempos.append((tick, self._tempo(start, length)))
        elif kind == _META_PORT and length == 1:
            self.port = self.data[start] & 0x7F
        return kind == _META_END

    def _tempo(self, start: int, length: int) -> int:
        if length != 3:
            self._fail(f"a tempo of {length} bytes: expected 3", back=length)
        tempo = int.from_bytes(self.data[start : start + 3], "big")
        low, high = self.limits.min_bpm, self.limits.max_bpm
        if not 60e6 / high <= tempo <= 60e6 / low:
            what = f"tempo is {tempo} microseconds per beat"
            self._fail(f"{what}: expected {low:g} to {high:g} beats a minute", back=length)
        return tempo

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
