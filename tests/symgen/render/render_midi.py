"""MIDI bytes and measurements for the tests of rendering."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterable
from pathlib import Path

import mido
import numpy as np

TICKS = 480
"""A quarter note; at mido's default of 120 a minute, 960 ticks are a second."""


def package_soundfont() -> Path:
    """The one soundfont every installation has, so that numbers in tests mean something."""
    spec = importlib.util.find_spec("pretty_midi")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "TimGM6mb.sf2")


SOUNDFONT = package_soundfont()


def track(*timed, end=None):
    """A track of (tick, message) in any order of ticks."""
    result, now = mido.MidiTrack(), 0
    for tick, message in sorted(timed, key=lambda item: item[0]):
        result.append(message.copy(time=tick - now))
        now = tick
    result.append(mido.MetaMessage("end_of_track", time=(end or now) - now))
    return result


def note(start, length, pitch, *, channel=0, velocity=100):
    return [
        (start, mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)),
        (start + length, mido.Message("note_off", note=pitch, velocity=0, channel=channel)),
    ]


def program(number, *, channel=0, tick=0):
    return (tick, mido.Message("program_change", program=number, channel=channel))


def control(tick, number, value, *, channel=0):
    return (tick, mido.Message("control_change", control=number, value=value, channel=channel))


def bend(tick, value, *, channel=0):
    return (tick, mido.Message("pitchwheel", pitch=value, channel=channel))


def tempo(tick, bpm):
    return (tick, mido.MetaMessage("set_tempo", tempo=round(60e6 / bpm)))


def midi_bytes(*tracks, kind=1, ticks=TICKS):
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    file.tracks.extend(tracks)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def one_track(*timed, end=None):
    return midi_bytes(track(*timed, end=end), kind=0)


def raw_midi(*chunks: bytes, kind=1, ticks=TICKS, n_tracks=None):
    """A file of track contents given byte by byte."""
    head = b"".join(n.to_bytes(2, "big") for n in (kind, len(chunks) if n_tracks is None else n_tracks, ticks))
    return b"MThd\0\0\0\6" + head + b"".join(b"MTrk" + len(c).to_bytes(4, "big") + c for c in chunks)


END = b"\0\xff\x2f\0"
NOTE = b"\0\x90\x3c\x64\x83\x60\x80\x3c\0"  # middle C for a quarter note


def hz(pitch):
    return 440 * 2 ** ((pitch - 69) / 12)


def between(rendered, start, stop):
    """The frames between two times in seconds."""
    return rendered.samples[round(start * rendered.sample_rate) : round(stop * rendered.sample_rate)]


def loudness(samples):
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def share_at(samples, sample_rate, pitches: Iterable[int]):
    """For each pitch, how strong its fundamental is, next to the strongest of them."""
    mono = samples.mean(axis=1) * np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(mono, 4 * len(mono)))
    places = np.array([hz(pitch) * 4 * len(mono) / sample_rate for pitch in pitches])
    found = np.array([spectrum[round(place * 0.993) : round(place * 1.007)].max() for place in places])
    return found / found.max()


def strongest_hz(samples, sample_rate):
    """The frequency of the strongest partial."""
    mono = samples.mean(axis=1) * np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(mono, 8 * len(mono)))
    return float(spectrum.argmax()) * sample_rate / (8 * len(mono))
