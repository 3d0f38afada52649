"""Ingest: MIDI files to piano rolls at 12 steps a quarter note, beside other libraries.

A turn is a few files in a row, as in bulk reading; times are for one file.
"""

from __future__ import annotations

import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.harness import Measurement, Table, compare, make_rows, timed
from benchmarks.music import busy_score
from symgen.corpus.ingest import midi_to_roll
from symgen.corpus.manifest import corpus_path, entry_named
from symgen.corpus.readers import list_sources
from symgen.errors import CorpusError

__all__ = ["add_options", "tables"]

STEPS_PER_QUARTER = 12
FILES_A_TURN = 6
OURS = "symgen midi_to_roll"


@dataclass(frozen=True, slots=True)
class File:
    """A file, and the frames a second that make ``STEPS_PER_QUARTER`` at its first tempo."""

    path: Path
    frames_per_second: float


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--files", type=int, default=60, help="MIDI files to read (default: 60)")


def tables(options: Namespace) -> list[Table]:
    with TemporaryDirectory() as folder:
        paths, what = _files(options.files, Path(folder))
        warnings.simplefilter("ignore")  # the peers warn of the numpy they run on
        files = [_file(path) for path in paths]
        turns = [files[i : i + FILES_A_TURN] for i in range(0, len(files), FILES_A_TURN)]
        samples = compare({name: _for_each(f) for name, f in _CONTENDERS.items()}, turns, n_rounds=1)
    notes = (
        f"times for one file; {FILES_A_TURN} files in a row are a turn",
        "one roll for each track: symgen, pypianoroll; all tracks in one: pretty_midi, muspy",
    )
    return [Table(f"Ingest: {what}, {STEPS_PER_QUARTER} steps a quarter", OURS, make_rows(samples, OURS), notes)]


def _files(n: int, folder: Path) -> tuple[list[Path], str]:
    """Return files spread over the corpus, or files of ours of about the same size."""
    try:
        corpus_path(entry_named("pop909"))
    except CorpusError:
        return _generated(n, folder), f"{n} generated files (POP909 is not here)"
    paths = [source.path for source in list_sources(entry_named("pop909"))]
    chosen = [paths[i] for i in np.linspace(0, len(paths) - 1, min(n, len(paths))).astype(int)]
    return chosen, f"{len(chosen)} files of POP909"


def _generated(n: int, folder: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    return [busy_score(rng).save(folder / f"{i}.mid") for i in range(n)]


def _file(path: Path) -> File:
    import symusic

    tempos: Any = symusic.Score(path).tempos  # type: ignore[attr-defined]  # its stubs leave it out
    bpm = tempos[0].qpm if len(tempos) else 120.0
    return File(path, STEPS_PER_QUARTER * bpm / 60)


def _for_each(function: Callable[[File], object]) -> Callable[[Sequence[File]], Measurement]:
    """Return a function that does a turn's files and says what one took."""

    def do(files: Sequence[File]) -> None:
        for file in files:
            function(file)

    measure = timed(do)
    return lambda files: measure(files).shared_by(len(files))


def _symusic(file: File) -> object:
    import symusic

    return symusic.Score(file.path)


def _ours(file: File) -> object:
    return midi_to_roll(file.path, steps_per_quarter=STEPS_PER_QUARTER)


def _pretty_midi(file: File) -> object:
    import pretty_midi

    return pretty_midi.PrettyMIDI(str(file.path)).get_piano_roll(fs=file.frames_per_second)


def _pypianoroll(file: File) -> object:
    import pypianoroll

    return pypianoroll.read(file.path, resolution=STEPS_PER_QUARTER)


def _muspy(file: File) -> object:
    import muspy

    music = muspy.read_midi(file.path)
    music.adjust_resolution(STEPS_PER_QUARTER)
    return muspy.to_pianoroll_representation(music)


_CONTENDERS: dict[str, Callable[[File], object]] = {
    "symusic, reading alone": _symusic,
    OURS: _ours,
    "pretty_midi get_piano_roll": _pretty_midi,
    "pypianoroll read": _pypianoroll,
    "muspy to_pianoroll_representation": _muspy,
}
