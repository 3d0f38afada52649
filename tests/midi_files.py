"""MIDI files for tests: from mido's messages at their ticks, or byte by byte."""

from __future__ import annotations

import io
from typing import Any

import mido

TICKS = 480
"""A quarter note; at mido's default of 120 a minute, 960 ticks are a second."""

END = b"\0\xff\x2f\0"
NOTE = b"\0\x90\x3c\x64\x83\x60\x80\x3c\0"  # middle C for a quarter note

Timed = tuple[int, Any]
"""A tick and a message."""


def track(*timed: Timed, end: int | None = None) -> Any:
    """A track of (tick, message) in any order of ticks."""
    result, now = mido.MidiTrack(), 0
    for tick, message in sorted(timed, key=lambda item: item[0]):
        result.append(message.copy(time=tick - now))
        now = tick
    result.append(mido.MetaMessage("end_of_track", time=(end or now) - now))
    return result


def note(start: int, length: int, pitch: int, *, channel: int = 0, velocity: int = 100) -> list[Timed]:
    return [
        (start, mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)),
        (start + length, mido.Message("note_off", note=pitch, velocity=0, channel=channel)),
    ]


def program(number: int, *, channel: int = 0, tick: int = 0) -> Timed:
    return (tick, mido.Message("program_change", program=number, channel=channel))


def control(tick: int, number: int, value: int, *, channel: int = 0) -> Timed:
    return (tick, mido.Message("control_change", control=number, value=value, channel=channel))


def bend(tick: int, value: int, *, channel: int = 0) -> Timed:
    return (tick, mido.Message("pitchwheel", pitch=value, channel=channel))


def tempo(tick: int, bpm: float) -> Timed:
    return (tick, mido.MetaMessage("set_tempo", tempo=round(60e6 / bpm)))


def midi_bytes(*tracks: Any, kind: int = 1, ticks: int = TICKS) -> bytes:
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks, charset="utf-8")
    file.tracks.extend(tracks)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def one_track(*timed: Timed, end: int | None = None) -> bytes:
    return midi_bytes(track(*timed, end=end), kind=0)


def raw_midi(*chunks: bytes, kind: int = 1, ticks: int = TICKS, n_tracks: int | None = None) -> bytes:
    """A file of track contents given byte by byte."""
    head = b"".join(n.to_bytes(2, "big") for n in (kind, len(chunks) if n_tracks is None else n_tracks, ticks))
    return b"MThd\0\0\0\6" + head + b"".join(b"MTrk" + len(c).to_bytes(4, "big") + c for c in chunks)


def meta(kind: int, payload: bytes, delta: bytes = b"\0") -> bytes:
    """A meta event."""
    return delta + bytes([0xFF, kind]) + vlq(len(payload)) + payload


def vlq(value: int) -> bytes:
    """A number of variable length."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def riff(data: bytes) -> bytes:
    """A MIDI file in its RIFF wrapper."""
    return b"RIFF" + (len(data) + 12).to_bytes(4, "little") + b"RMIDdata" + len(data).to_bytes(4, "little") + data
