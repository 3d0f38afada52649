"""From corpora to a checkpoint."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from symgen.conditions import STYLES
from symgen.corpus.build import build_corpus, default_folder
from symgen.corpus.manifest import CorpusEntry
from symgen.corpus.readers import files_digest, list_sources
from symgen.corpus.shards import Piece, load_shard, read_index
from symgen.errors import CorpusError
from symgen.model.checkpoint import checkpoint_folder, load_checkpoint, save_checkpoint
from symgen.model.data import LineRun, line_runs
from symgen.model.runs import hours_of, torch_version
from symgen.model.train import FINE_TUNING, Progress, TrainConfig, evaluate, train
from symgen.model.vae import LineVae, VaeConfig
from symgen.model.workers import workers
from symgen.pipeline.card import model_card
from symgen.pipeline.corpora import entry_of
from symgen.pipeline.heard import heard_by, write_heard
from symgen.score import Note

__all__ = ["CORPUS_GRID", "SHIPPED_CORPORA", "load_pieces", "melodies_heard", "runs_of", "train_line_vae"]

SHIPPED_CORPORA = ("open-ewld", "ryans-mammoth", "oneills-1850", "airds-airs", "bach-chorales")
"""What the checkpoint in the package was trained on: music and encodings free for any use."""

CORPUS_GRID = 12
"""Steps a quarter of the corpora that models are trained on."""


def load_pieces(
    names: Sequence[str],
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Piece]:
    """Return the pieces of corpora, building the ones that are not built yet.

    Parameters
    ----------
    names
        As in the manifest, or folders of music.
    progress
        Called with the corpus, the sources done and their total while one is built.
    """
    pieces: list[Piece] = []
    if not workers().is_first:
        workers().wait()  # until the first process has built what is not built yet
    for name in names:
        entry = entry_of(name)
        folder = default_folder(entry, CORPUS_GRID)
        if not _is_up_to_date(entry, folder):
            _build(entry, folder, progress)
        pieces += load_shard(folder)
    if workers().is_first:
        workers().wait()
    return pieces


def train_line_vae(
    names: Sequence[str],
    out: Path,
    *,
    model_config: VaeConfig | None = None,
    train_config: TrainConfig | None = None,
    fine_tune: str | Path | None = None,
    corpus_progress: Callable[[str, int, int], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> dict[str, float]:
    """Train a line VAE on corpora and write its checkpoint.

    Parameters
    ----------
    names
        The corpora.
    out
        Folder of the checkpoint; the run's state is kept in its folder ``run`` and resumed from there.
    model_config, train_config
        Sizes and settings; the defaults are those of the shipped checkpoint.
    fine_tune
        Folder of a checkpoint, or the name of a bundled one, whose weights the training begins with; its sizes are
        taken, and its styles stay known.
    corpus_progress, progress
        Called while corpora are built and after every update.

    Returns
    -------
    dict
        The figures of the last validation, in nats a slot.

    Raises
    ------
    CorpusError
        If the corpora hold no usable melody in the training or the validation split.
    """
    begun = None if fine_tune is None else load_checkpoint(checkpoint_folder(fine_tune))
    model_config = begun.model.config if begun else model_config or VaeConfig()
    train_config = train_config or (FINE_TUNING if begun else TrainConfig())
    pieces = load_pieces(names, progress=corpus_progress)
    runs = {split: runs_of(pieces, split, model_config) for split in ("train", "valid", "test")}
    for split in ("train", "valid"):
        if not runs[split]:
            msg = f"training data: no usable melody in the {split} split of {', '.join(names)}"
            raise CorpusError(msg)
    model, figures = train(
        model_config,
        train_config,
        runs["train"],
        runs["valid"],
        out / "run",
        begin_with=begun.model if begun else None,
        progress=progress,
    )
    trained = {
        "corpora": list(names),
        "began_with": {"digest": begun.digest, **begun.training} if begun else None,
        "hours": round(hours_of(out / "run"), 2),
        "machine": f"{train_config.n_threads} thread(s) of {platform.machine()}, torch {torch_version()}",
        "pieces": sum(piece.split == "train" for piece in pieces),
        "bars": sum(run.n_bars for run in runs["train"]),
        "settings": asdict(train_config),
        "config": {
            "model": {} if begun else changes(model_config.as_dict(), VaeConfig().as_dict()),
            "vae": changes(asdict(train_config), asdict(FINE_TUNING if begun else TrainConfig())),
        },
        "validation": figures,
        "test": _test_figures(model, runs["test"], train_config),
    }
    heard = {piece.style for piece in pieces} | set(begun.styles if begun else ())
    styles = tuple(style for style in STYLES if style in heard)
    if workers().is_first:
        before = None if fine_tune is None else heard_by(fine_tune)
        write_heard(out, melodies_heard(pieces), CORPUS_GRID, before)
        save_checkpoint(out, model, styles=styles, training=trained, card=model_card(out.name, trained, styles))
    return figures


def _test_figures(model: LineVae, runs: Sequence[LineRun], config: TrainConfig) -> dict[str, float]:
    """Return the figures on the test pieces; none where they are too short or too few for a window."""
    try:
        return evaluate(model, runs, config)
    except CorpusError:
        return {}


def changes(values: Mapping[str, object], usual: Mapping[str, object]) -> dict[str, object]:
    """Return the values that are not the usual ones, but for what the command has options for."""
    return {k: v for k, v in values.items() if v != usual[k] and k not in {"seed", "n_threads"}}


def melodies_heard(pieces: Sequence[Piece]) -> list[tuple[Note, ...]]:
    """Return the melodies of the training pieces, on the grid of the corpora."""
    return [piece.score.tracks[0].notes for piece in pieces if piece.split == "train"]


def runs_of(pieces: Sequence[Piece], split: str, config: VaeConfig) -> list[LineRun]:
    """Return the melodies of a split as a model of some sizes sees them."""
    chosen = ((piece.score, piece.style) for piece in pieces if piece.split == split)
    return list(line_runs(chosen, config.alphabet, config.grid))


def _is_up_to_date(entry: CorpusEntry, folder: Path) -> bool:
    """Whether a corpus is built from the files it has now; what is built stays usable when the files are gone."""
    try:
        index = read_index(folder)
    except CorpusError:
        return False
    try:
        return bool(index["digest"] == files_digest(list_sources(entry)))
    except CorpusError:
        return True


def _build(entry: CorpusEntry, folder: Path, progress: Callable[[str, int, int], None] | None) -> None:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(entry.name, done, total)

    build_corpus(entry, folder, steps_per_quarter=CORPUS_GRID, progress=tell)
