"""Rendering: a three-minute MIDI file to WAV, beside the fluidsynth program on the same file and soundfont."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.harness import Measurement, Table, child, compare, make_rows
from benchmarks.music import busy_score
from symgen.render.library import load_library
from symgen.render.soundfont import find_soundfont

__all__ = ["add_options", "tables"]

SAMPLE_RATE = 44100
PROGRAM, OURS = "fluidsynth program", "symgen.render"
_OURS = "import sys, symgen; symgen.render(sys.argv[1], sys.argv[2], soundfont=sys.argv[3], sample_rate={rate})"
_LOADING = "import symgen.pipeline.outputs, symgen.render.audio, symgen.io.midi, soundfile"


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
        lengths = [_length(folder / file) for file in ("program.wav", "ours.wav")]
    notes = (
        f"soundfont {soundfont.name}, {SAMPLE_RATE} frames a second, 16 bits, effects on, up to 1024 voices",
        f"program: {_program_version()}, {lengths[0]} of sound; symgen: library {load_library().version}, {lengths[1]}",
        "each in a process of its own; symgen holds the samples in memory to set their level, the program streams",
    )
    return [Table("Render a MIDI file to WAV", PROGRAM, make_rows(samples, PROGRAM), notes)]


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
    }


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
