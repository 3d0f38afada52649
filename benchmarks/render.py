"""Rendering: a three-minute MIDI file to WAV, beside the fluidsynth program on the same file and soundfont."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.harness import Measurement, Row, Table, child, compare, make_rows
from benchmarks.music import busy_score
from symgen.render.library import load_library
from symgen.render.soundfont import find_soundfont

__all__ = ["add_options", "tables"]

SAMPLE_RATE = 44100
N_FILES, N_PROCESSES = 4, 2
PROGRAM, OURS, COMMAND = "fluidsynth program", "symgen.render", "symgen render, the command"
ONE_BY_ONE = f"{N_FILES} files, one after the other (-j 1)"
_OURS = "import sys, symgen; symgen.render(sys.argv[1], sys.argv[2], soundfont=sys.argv[3], sample_rate={rate})"
_LOADING = (
    "import symgen.pipeline.rendering, symgen.render.audio, symgen.render.library as library; library.load_library()"
)


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--soundfont", help="SF2 or SF3 file (default: the first found)")
    parser.add_argument("--midi", type=Path, help="MIDI file to render (default: one is made)")


def tables(options: Namespace) -> list[Table]:
    soundfont = find_soundfont(options.soundfont).resolve()
    with TemporaryDirectory() as name:
        folder = Path(name)
        midi = options.midi or busy_score(np.random.default_rng(0)).save(folder / "song.mid")
        contenders = _contenders(midi, soundfont, folder)
        samples = compare(contenders, [None], n_rounds=options.rounds)
        many = compare(_many(midi, soundfont, folder), [None], n_rounds=options.rounds)
        lengths = [_length(folder / file) for file in ("program.wav", "ours.wav")]
    notes = (
        f"soundfont {soundfont.name}, {SAMPLE_RATE} frames a second, 16 bits, effects on, up to 1024 voices",
        f"program: {_program_version()}, {lengths[0]} of sound; symgen: library {load_library().version}, {lengths[1]}",
        "each in a process of its own; symgen holds the samples in memory to set their level, the program streams",
    )
    busy = f"soundfont {soundfont.name}; {os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes running on average"
    return [
        Table("Render a MIDI file to WAV", PROGRAM, make_rows(samples, PROGRAM), notes),
        Table(f"Render {N_FILES} MIDI files to WAV", ONE_BY_ONE, _by_the_clock(make_rows(many, ONE_BY_ONE)), (busy,)),
    ]


def _contenders(midi: Path, soundfont: Path, folder: Path) -> dict[str, Callable[[None], Measurement]]:
    settings = ["synth.polyphony=1024", "synth.lock-memory=0", "synth.reverb.active=1", "synth.chorus.active=1"]
    program = ["fluidsynth", "-n", "-i", "-q", *(word for setting in settings for word in ("-o", setting))]
    program += ["-r", str(SAMPLE_RATE), "-O", "s16", "-T", "wav", "-F", str(folder / "program.wav")]
    python = [sys.executable, "-c"]
    ours = [_OURS.format(rate=SAMPLE_RATE), str(midi), str(folder / "ours.wav"), str(soundfont)]
    return {
        PROGRAM: _command([*program, str(soundfont), str(midi)]),
        OURS: _command([*python, *ours]),
        "of that, Python and its imports": _command([*python, _LOADING]),
        COMMAND: _command([*_words(soundfont), str(midi), "-o", str(folder / "command.wav")]),
    }


def _many(midi: Path, soundfont: Path, folder: Path) -> dict[str, Callable[[None], Measurement]]:
    songs = [str(shutil.copy(midi, folder / f"song{i}.mid")) for i in range(N_FILES)]
    words = [*_words(soundfont), *songs]
    return {
        ONE_BY_ONE: _command([*words, "-j", "1"]),
        f"{N_FILES} files, {N_PROCESSES} at once (-j {N_PROCESSES})": _command([*words, "-j", str(N_PROCESSES)]),
    }


def _by_the_clock(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Keep what is known of rows whose processes are not all children: wall time alone."""
    return tuple(
        replace(row, processor_seconds=None, processor_ratio=None, peak_bytes=None, peak_ratio=None) for row in rows
    )


def _words(soundfont: Path) -> list[str]:
    return [sys.executable, "-m", "symgen.cli", "render", "--soundfont", str(soundfont)]


def _command(words: list[str]) -> Callable[[None], Measurement]:
    return lambda _: child(words)


def _length(path: Path) -> str:
    import soundfile

    return f"{soundfile.info(path).duration:.1f} s" if path.exists() else "nothing"


def _program_version() -> str:
    if shutil.which("fluidsynth") is None:
        return "not installed (its package is called fluidsynth)"
    import subprocess

    said = subprocess.run(["fluidsynth", "--version"], capture_output=True, text=True, check=False).stdout
    return said.splitlines()[0] if said else "of unknown version"
