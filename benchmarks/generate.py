"""Generation: an 8-bar song with everything loaded, stage by stage, and the command from a cold shell."""

from __future__ import annotations

import importlib
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import symgen
from benchmarks.harness import Measurement, Row, Samples, Table, child, compare, make_rows, timed
from symgen.pipeline.generate import load_model

__all__ = ["add_options", "tables"]

WHOLE, REST = "symgen.generate", "the rest"
STAGES = {
    "harmony": ("symgen.pipeline.generate", "compose_progression"),
    "prior": ("symgen.model.sample", "sample_latents"),
    "decoder network": ("symgen.model.sample", "line_potentials"),
    "compile": ("symgen.pipeline.generate", "compile_line"),
    "lattice": ("symgen.pipeline.generate", "log_backward"),
    "sample": ("symgen.pipeline.generate", "lines_at"),
    "arrange": ("symgen.pipeline.generate", "arrange"),
}
"""Functions a song goes through: module and name, as the pipeline calls them."""

REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "the default request": {},
    "A minor, chords given": {"key": "A minor", "chords": "Am F | C G", "bars": 8},
}
TORCH = 'python -c "import torch"'


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--checkpoint", help="folder of a model (default: the bundled one)")


def tables(options: Namespace) -> list[Table]:
    import torch

    torch.set_num_threads(1)
    model = load_model(options.checkpoint)
    note = f"checkpoint {options.checkpoint or 'bundled'}, SHA-256 {model.digest[:12]}"
    return [*_warm(options.checkpoint, options.rounds * 4, note), _cold(options.checkpoint, options.rounds)]


def _warm(checkpoint: str | None, n_rounds: int, note: str) -> list[Table]:
    """Time the stages of each request inside the real calls; requests take turns."""
    for request in REQUESTS.values():
        symgen.generate(checkpoint=checkpoint, seed=0, **request)
    taken: dict[str, list[dict[str, Measurement]]] = {name: [] for name in REQUESTS}
    for seed in range(n_rounds):
        for name in list(REQUESTS)[:: 1 if seed % 2 == 0 else -1]:
            taken[name].append(_one_song(checkpoint, seed, REQUESTS[name]))
    return [_warm_table(name, songs, note) for name, songs in taken.items()]


def _warm_table(request: str, songs: list[dict[str, Measurement]], note: str) -> Table:
    names = [WHOLE, *(stage for stage in (*STAGES, REST) if all(stage in song for song in songs))]
    samples = {name: Samples(tuple(song[name] for song in songs)) for name in names}
    title = f"Generate, model loaded, 8 bars: {request}"
    return Table(title, WHOLE, make_rows(samples, WHOLE), (f"one turn for each of {len(songs)} seeds", note))


def _one_song(checkpoint: str | None, seed: int, request: Mapping[str, Any]) -> dict[str, Measurement]:
    def make(_: None) -> object:
        return symgen.generate(checkpoint=checkpoint, seed=seed, **request)

    with _stopwatches() as stages:
        whole = timed(make)(None)
    in_stages = [sum(getattr(m, c) for m in stages.values()) for c in ("processor_seconds", "wall_seconds")]
    rest = Measurement(whole.processor_seconds - in_stages[0], whole.wall_seconds - in_stages[1])
    return {WHOLE: whole, **stages, REST: rest}


@contextmanager
def _stopwatches() -> Iterator[dict[str, Measurement]]:
    """Put a stopwatch around each stage; what it takes is found under its name."""
    taken: dict[str, Measurement] = {}
    originals = {}
    for stage, (module_name, name) in STAGES.items():
        module = importlib.import_module(module_name)
        originals[module, name] = getattr(module, name)
        setattr(module, name, _watched(originals[module, name], stage, taken))
    try:
        yield taken
    finally:
        for (module, name), original in originals.items():
            setattr(module, name, original)


def _watched(function: Callable[..., Any], stage: str, taken: dict[str, Measurement]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        wall, processor = time.perf_counter(), time.process_time()
        result = function(*arguments, **named)
        before = taken.get(stage, Measurement(0.0, 0.0))
        taken[stage] = Measurement(
            before.processor_seconds + time.process_time() - processor,
            before.wall_seconds + time.perf_counter() - wall,
        )
        return result

    return call


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
