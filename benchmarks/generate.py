"""Generation: songs, takes and infills with everything loaded, ensembles, and the command from a cold shell."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import symgen
from benchmarks.harness import Measurement, Row, Table, child, compare, make_rows, timed
from symgen.errors import SymgenError
from symgen.model.checkpoint import checkpoint_folder, load_checkpoint
from symgen.pipeline.ensemble import load_ensemble_model, play_many
from symgen.pipeline.generate import generate_many, load_model
from symgen.pipeline.takes import infill

__all__ = ["add_options", "tables"]

SONG: dict[str, Any] = {"key": "A minor", "chords": "Am F | C G | Am F | E Am", "bars": 8}
TORCH = 'python -c "import torch"'
WHOLE = "a song, causal decoder"


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--checkpoint", help="folder of a model (default: the bundled one)")


def tables(options: Namespace) -> list[Table]:
    import torch

    torch.set_num_threads(1)
    warm = [_warm(options.checkpoint, options.rounds)]
    try:
        load_ensemble_model()
        warm.append(_ensembles(options.rounds))
    except SymgenError as error:
        print(f"ensembles: {error}", file=sys.stderr)
    return [*warm, _cold(options.checkpoint, options.rounds)]


def _warm(checkpoint: str | None, n_rounds: int) -> Table:
    """Time songs of 8 bars, many takes at once, new bars in a song, and loading; a seed is a turn."""
    model = load_model(checkpoint)
    song = symgen.generate(**SONG, seed=0, decoder="chain", checkpoint=checkpoint)

    def made(n: int, decoder: str) -> Callable[[int], object]:
        return lambda seed: generate_many(n, **SONG, seed=seed, decoder=decoder, checkpoint=checkpoint)

    def filled(decoder: str) -> Callable[[int], object]:
        return lambda seed: infill(song, (3, 4), seed=seed, decoder=decoder, checkpoint=checkpoint)

    contenders: dict[str, Callable[[int], object]] = {
        WHOLE: made(1, "causal"),
        "a song, chain": made(1, "chain"),
        "64 takes, chain": made(64, "chain"),
        "2 new bars, causal decoder": filled("causal"),
        "2 new bars, chain": filled("chain"),
        "loading the checkpoint": lambda _: load_checkpoint(checkpoint_folder(checkpoint)),
    }
    samples = compare({name: timed(run) for name, run in contenders.items()}, range(n_rounds), n_rounds=1)
    note = f"checkpoint {checkpoint or 'bundled'}, SHA-256 {model.digest[:12]}; 8 bars of 4/4 in A minor, chords given"
    return Table("Generate, model loaded", WHOLE, make_rows(samples, WHOLE), (note,))


def _ensembles(n_rounds: int) -> Table:
    """Time songs of four tracks under their rules."""
    one = "a song of four tracks"

    def played(n: int) -> Callable[[int], object]:
        return lambda seed: play_many(n, **SONG, seed=seed)

    contenders = {one: timed(played(1)), "32 at once": timed(played(32))}
    samples = compare(contenders, range(n_rounds), n_rounds=1)
    note = f"checkpoint band-pop, SHA-256 {load_ensemble_model().digest[:12]}"
    return Table("Ensembles, model loaded, 8 bars", one, make_rows(samples, one), (note,))


def _cold(checkpoint: str | None, n_rounds: int) -> Table:
    named = ["--checkpoint", checkpoint] if checkpoint else []
    with TemporaryDirectory() as folder:
        song = str(Path(folder) / "song.mid")
        commands = {
            "symgen generate": ["-m", "symgen.cli", "generate", "--seed", "7", "-o", song, *named],
            "symgen --version": ["-m", "symgen.cli", "--version"],
            TORCH: ["-c", "import torch"],
            'python -c "pass"': ["-c", "pass"],
        }
        samples = compare({name: _command(words) for name, words in commands.items()}, [None], n_rounds=n_rounds)
    rows: tuple[Row, ...] = make_rows(samples, TORCH)
    return Table("Generate from a cold shell: the default request", TORCH, rows, ("each in a process of its own",))


def _command(words: list[str]) -> Callable[[None], Measurement]:
    return lambda _: child([sys.executable, *words])
