"""What a MIDI file says outside its notes, read in Python.

The header and the chunks are checked here before any native code sees the file. Of each track only
what stands before its first note is read: names, programs, texts; the first track of a format 1 file
has no notes as a rule, so that it is read to its end.

References
----------
MIDI Manufacturers Association, "Standard MIDI Files 1.0", RP-001, 1996.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from symgen.errors import FileFormatError

__all__ = ["Opening", "read_openings"]

TEXT, TRACK_NAME, END_OF_TRACK, TIME_SIGNATURE = 0x01, 0x03, 0x2F, 0x58

_MAX_BYTES = 16 * 2**20
_MAX_TRACKS = 256
_MAX_METER_POWER = 5  # beyond it the native reader's shift wraps around
_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_FOREIGN = {
    b"RIFF": "a RIFF file such as WAV",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"<?xml": "an XML file",
}


@dataclass(slots=True)
class Opening:
    """A track up to its first note.

    Parameters
    ----------
    name
        The first name event; empty if there is none.
    program
        The last program before the first note.
    is_drum
        Whether a program is set or a note played on channel 10.
    has_notes
        Whether a note follows; if not, the track was read to its end.
    end_ticks
        Where it ends, or its first note starts.
    texts
        Text events with their ticks.
    """

    name: str = ""
    program: int = 0
    is_drum: bool = False
    has_notes: bool = False
    end_ticks: int = 0
    texts: tuple[tuple[int, str], ...] = ()


def read_openings(data: bytes, name: str) -> tuple[bytes, list[Opening]]:
    """Check a MIDI file's structure and read the openings of its tracks.

    Parameters
    ----------
    data
        The whole file.
    name
        What to call it in errors.

    Returns
    -------
    data
        The file without a RIFF wrapper around it.
    openings
        One for every track.

    Raises
    ------
    FileFormatError
        If the file is foreign, cut off, or of a kind that has no beats; the error says what was expected.
    """
    data = _unwrapped(data, name)
    header_bytes = _check_header(data, name)
    openings: list[Opening] = []
    for start, end in _track_chunks(data, 8 + header_bytes, name):
        openings.append(_opening(data[start:end], f"{name}: track {len(openings) + 1}"))
        if len(openings) > _MAX_TRACKS:
            _fail(name, f"more than {_MAX_TRACKS} tracks")
    if not openings:
        _fail(name, "no tracks: expected at least one")
    return data, openings


def _fail(name: str, what: str) -> NoReturn:
    msg = f"{name}: {what}"
    raise FileFormatError(msg)


def _unwrapped(data: bytes, name: str) -> bytes:
    """Return the MIDI file inside, refusing what is none."""
    if len(data) > _MAX_BYTES:
        _fail(name, f"{len(data):,} bytes: expected a MIDI file of at most {_MAX_BYTES:,}")
    if data[:4] == b"RIFF" and data[8:16] == b"RMIDdata":
        data = data[20:]
    if data[:4] != b"MThd":
        found = next((what for magic, what in _FOREIGN.items() if data.startswith(magic)), f"{data[:8]!r}")
        _fail(name, f"expected a MIDI file, found {found if data else 'an empty file'}")
    return data


def _check_header(data: bytes, name: str) -> int:
    """Check the header chunk and return its length."""
    length = int.from_bytes(data[4:8], "big")
    if length < 6 or len(data) < 8 + length:
        _fail(name, f"header of {length} bytes in a file of {len(data)}: expected 6 and tracks after it")
    file_format, _, division = (int.from_bytes(data[i : i + 2], "big") for i in (8, 10, 12))
    if file_format > 1:
        _fail(name, f"format {file_format}: expected 0 or 1 (format 2 holds separate pieces)")
    if division == 0 or division & 0x8000:
        kind = "0 ticks a quarter note" if division == 0 else "SMPTE time, which has no beats"
        _fail(name, f"{kind}: expected ticks a quarter note, such as 480")
    return length


def _track_chunks(data: bytes, position: int, name: str) -> Iterator[tuple[int, int]]:
    """Yield where each track starts and ends, skipping other chunks and what is too short for one."""
    while position + 8 <= len(data):
        kind = data[position : position + 4]
        start = position + 8
        end = start + int.from_bytes(data[position + 4 : start], "big")
        if kind == b"MTrk":
            if end > len(data):
                _fail(
                    name, f"byte {position:#x}: track of {end - start:,} bytes, found {len(data) - start:,}: cut off?"
                )
            yield start, end
        position = end


def _opening(track: bytes, name: str) -> Opening:
    opening = Opening()
    texts: list[tuple[int, str]] = []
    for tick, status, payload in _events(track, name):
        opening.end_ticks = tick
        if status >= 0x80:
            if status & 0xF0 == 0xC0:
                opening.program = payload[0] & 0x7F
            opening.is_drum |= status & 0x0F == 9
            if status & 0xF0 == 0x90 and payload[1] > 0:
                opening.has_notes = True
                break
        elif status == TEXT:
            texts.append((tick, decode(payload)))
        elif status == TRACK_NAME and not opening.name:
            opening.name = decode(payload)
        elif status == TIME_SIGNATURE and len(payload) > 1 and payload[1] > _MAX_METER_POWER:
            _fail(name, f"tick {tick}: time signature {payload[0]}/2^{payload[1]}: expected one such as 4/4 or 6/8")
        elif status == END_OF_TRACK:
            break
    opening.texts = tuple(texts)
    return opening


def decode(payload: bytes) -> str:
    """Return the text of an event: UTF-8, or Latin-1 where it is not UTF-8."""
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        return payload.decode("latin-1")


def _events(track: bytes, name: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield tick, kind and payload of each event: the status of a channel event, the type of a meta event."""
    position = tick = running = 0
    try:
        while position < len(track):
            delta, position = _variable_length(track, position)
            tick += delta
            status = track[position]
            if status >= 0xF0:
                running = 0
                kind = track[position + 1] if status == 0xFF else 0x7F
                size, position = _variable_length(track, position + (2 if status == 0xFF else 1))
                if position + size > len(track):
                    _fail(name, f"byte {position:#x} of the track: an event of {size:,} bytes runs past its end")
                yield tick, kind & 0x7F, track[position : position + size]
            else:
                running, position = (status, position + 1) if status & 0x80 else (running, position)
                if not running:
                    _fail(name, f"byte {position:#x} of the track: a data byte without a status before it")
                size = _DATA_BYTES[running & 0xF0]
                yield tick, running, track[position : position + size].ljust(2, b"\0")
            position += size
    except IndexError:
        _fail(name, "cut off in the middle of an event")


def _variable_length(track: bytes, position: int) -> tuple[int, int]:
    """Return the number of variable length at a place, and the place after it."""
    value = 0
    for place in range(position, position + 4):
        value = value << 7 | track[place] & 0x7F
        if track[place] < 0x80:
            return value, place + 1
    raise IndexError
