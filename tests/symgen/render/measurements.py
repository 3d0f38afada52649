"""The soundfont and the measurements for the tests of rendering."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

import numpy as np


def package_soundfont() -> Path:
    """The one soundfont every installation has, so that numbers in tests mean something."""
    spec = importlib.util.find_spec("pretty_midi")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "TimGM6mb.sf2")


SOUNDFONT = package_soundfont()


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
