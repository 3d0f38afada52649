"""An independent ear on renders: ``python -m benchmarks.ear [--soundfont NAME]``.

Scales and chords are rendered and listened to by librosa, which knows nothing of the MIDI: where notes start, and at
which pitch. Loudness is measured by ffmpeg's ``ebur128``. Both are other people's programs.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from symgen.io.midi import write_midi
from symgen.render import Finish, Rendered, render, write_audio
from symgen.score import Note, Score, TempoChange, Track

__all__ = [
    "CHORDS",
    "INSTRUMENTS",
    "SCALE",
    "Heard",
    "chord_score",
    "ffmpeg_levels",
    "hear_chords",
    "hear_scale",
    "scale_score",
]

SAMPLE_RATE = 22050
INSTRUMENTS = {"piano": 0, "vibraphone": 11, "guitar": 24, "trumpet": 56, "flute": 73}
"""Those that start at once; a string section swells for longer than the 20 ms in question."""

SCALE = (60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 60)
CHORDS = ((60, 64, 67), (57, 60, 64), (53, 57, 60, 65), (55, 59, 62, 65), (48, 64, 67, 70), (50, 62, 65, 69))
TARGETS = (-23.0, -16.0, -14.0, -9.0)

_STEPS = 4  # a quarter note
_SECONDS = 0.5  # a quarter note at 120 a minute
_HOP_ONSETS, _HOP_PITCH, _HOP_CHORDS = 64, 256, 512
_BINS = 3  # of the constant-Q transform, in a semitone
_LOWEST, _N_SEMITONES = 36, 72
_FAINT_DB, _CLEAR_DB = -30.0, -20.0
_PARTIALS = tuple(12 * np.log2(np.arange(1, 13)))  # in semitones above the fundamental


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What the ear made of a scale.

    Parameters
    ----------
    onset_errors_seconds
        For each note, how much later than asked for the nearest onset was heard.
    pitch_errors_semitones
        For each note, how much higher it was heard.
    n_onsets
        How many onsets were heard in all.
    """

    onset_errors_seconds: NDArray[np.float64]
    pitch_errors_semitones: NDArray[np.float64]
    n_onsets: int


def scale_score(program: int, pitches: Sequence[int] = SCALE) -> Score:
    """Return a scale in quarter notes after a rest, at 120 a minute."""
    notes = tuple(Note((i + 1) * _STEPS, _STEPS - 1, pitch, 100) for i, pitch in enumerate(pitches))
    return Score(
        _STEPS, (Track("Scale", notes, program),), (TempoChange(0, 120.0),), end_steps=(len(pitches) + 1) * _STEPS
    )


def chord_score(program: int, chords: Sequence[Sequence[int]] = CHORDS) -> Score:
    """Return chords in half notes at 120 a minute."""
    notes = tuple(Note(2 * i * _STEPS, 2 * _STEPS - 1, p, 90) for i, chord in enumerate(chords) for p in chord)
    return Score(
        _STEPS, (Track("Chords", notes, program),), (TempoChange(0, 120.0),), end_steps=2 * len(chords) * _STEPS
    )


def hear_scale(sound: Rendered, pitches: Sequence[int] = SCALE) -> Heard:
    """Listen to the sound of :func:`scale_score`."""
    import librosa

    mono, rate = sound.samples.mean(axis=1), sound.sample_rate
    asked = _SECONDS * (1 + np.arange(len(pitches)))
    strength = librosa.onset.onset_strength(y=mono, sr=rate, hop_length=_HOP_ONSETS, n_fft=512)
    onsets = librosa.onset.onset_detect(onset_envelope=strength, sr=rate, hop_length=_HOP_ONSETS, units="time")
    nearest = [onsets[np.abs(onsets - time).argmin()] - time if len(onsets) else np.inf for time in asked]
    f0 = librosa.yin(mono, fmin=30, fmax=2200, sr=rate, frame_length=2048, hop_length=_HOP_PITCH)
    times = librosa.times_like(f0, sr=rate, hop_length=_HOP_PITCH)
    found = [np.median(librosa.hz_to_midi(f0[(times > time + 0.1) & (times < time + 0.35)])) for time in asked]
    return Heard(np.array(nearest), np.array(found) - np.array(pitches), len(onsets))


def hear_chords(sound: Rendered, chords: Sequence[Sequence[int]] = CHORDS) -> tuple[list[float], list[float]]:
    """Listen to the sound of :func:`chord_score`.

    Returns
    -------
    errors, strangers
        For each note of each chord how far, in semitones, the nearest peak of the spectrum is that is not faint (30 dB
        below the strongest); infinite where none is within a semitone and a half. And the clear peaks (20 dB) from half
        an octave below a chord to an octave above it that are neither one of its notes nor a partial of one.
    """
    import librosa

    mono, rate = sound.samples.mean(axis=1), sound.sample_rate
    low = librosa.midi_to_hz(_LOWEST)
    transform = librosa.cqt(
        mono, sr=rate, fmin=low, n_bins=_N_SEMITONES * _BINS, bins_per_octave=12 * _BINS, hop_length=_HOP_CHORDS
    )
    times = librosa.times_like(transform, sr=rate, hop_length=_HOP_CHORDS)
    errors, strangers = [], []
    for number, chord in enumerate(chords):
        start = 2 * _SECONDS * number
        level = 20 * np.log10(np.abs(transform[:, (times > start + 0.15) & (times < start + 0.8)]).mean(axis=1) + 1e-9)
        peaks = _peaks(level, _FAINT_DB)
        for pitch in chord:
            distance = float(np.abs(peaks - pitch).min(initial=np.inf))
            errors.append(distance if distance <= 1.5 else float("inf"))
        explained = np.add.outer(chord, _PARTIALS).ravel()
        near = [peak for peak in _peaks(level, _CLEAR_DB) if min(chord) - 6 <= peak <= max(chord) + 12]
        strangers += [float(peak) for peak in near if np.abs(explained - peak).min() > 1]
    return errors, strangers


def _peaks(level: NDArray[np.float64], faintest_db: float) -> NDArray[np.float64]:
    """Return the pitches of the local maxima that are not fainter than this below the largest."""
    inside = level[1:-1]
    is_peak = (inside >= level[:-2]) & (inside > level[2:]) & (inside > level.max() + faintest_db)
    found: NDArray[np.float64] = _LOWEST + (np.flatnonzero(is_peak) + 1) / _BINS
    return found


def ffmpeg_levels(path: Path) -> tuple[float, float]:
    """Return the integrated loudness in LUFS and the true peak in dBTP that ffmpeg measures.

    Raises
    ------
    FileNotFoundError
        If there is no ffmpeg.
    """
    words = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stderr
    summary = said[said.rindex("Summary:") :]
    loudness, peak = (re.search(rf"{name}:\s+(-?[\d.]+)", summary) for name in ("I", "Peak"))
    assert loudness is not None
    assert peak is not None
    return float(loudness[1]), float(peak[1])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ear", description=__doc__)
    parser.add_argument("--soundfont", help="SF2 or SF3 file, or a name (default: the first found)")
    options = parser.parse_args(arguments)
    out = io.StringIO()
    sounds = {name: _sounds(program, options.soundfont) for name, program in INSTRUMENTS.items()}
    first = next(iter(sounds.values()))[0]
    print(f"- FluidSynth {first.library_version}, {first.soundfont.name}", file=out)
    print(
        "\n| instrument | onsets, worst ms | pitch, worst semitones | chords, worst semitones | strangers |", file=out
    )
    print("| :-- | --: | --: | --: | --: |", file=out)
    for name, (scale, chords) in sounds.items():
        heard, (errors, strangers) = hear_scale(scale), hear_chords(chords)
        onset, pitch = np.abs(heard.onset_errors_seconds).max(), np.abs(heard.pitch_errors_semitones).max()
        print(f"| {name} | {1000 * onset:.1f} | {pitch:.2f} | {max(errors):.2f} | {len(strangers)} |", file=out)
    print(*_loudness_rows(options.soundfont), sep="\n", file=out)
    print(out.getvalue())
    return 0


def _sounds(program: int, soundfont: str | None) -> tuple[Rendered, Rendered]:
    """Return the sound of the scale and of the chords."""
    scale, chords = (
        render(write_midi(score), soundfont=soundfont, sample_rate=SAMPLE_RATE)
        for score in (scale_score(program), chord_score(program))
    )
    return scale, chords


def _loudness_rows(soundfont: str | None) -> list[str]:
    if shutil.which("ffmpeg") is None:
        return ["", "No ffmpeg here: no loudness."]
    from benchmarks.music import busy_score

    rows = ["", "| asked for, LUFS | ffmpeg: LUFS | ffmpeg: true peak, dBTP |", "| --: | --: | --: |"]
    music = write_midi(busy_score(np.random.default_rng(0), n_quarters=60))
    with TemporaryDirectory() as name:
        for target in TARGETS:
            sound = render(music, soundfont=soundfont, finish=Finish(loudness_lufs=target))
            loudness, peak = ffmpeg_levels(write_audio(sound, Path(name, "song.wav")))
            rows.append(f"| {target:g} | {loudness:.1f} | {peak:.1f} |")
    return rows


if __name__ == "__main__":
    sys.exit(main())
