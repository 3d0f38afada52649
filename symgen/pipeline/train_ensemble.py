"""From corpora to the models of an ensemble: its VAE, and the GAN whose generator begins as the VAE's decoder."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from symgen.conditions import STYLES
from symgen.corpus.shards import Piece
from symgen.errors import CorpusError
from symgen.model.checkpoint import save_checkpoint
from symgen.model.ensemble.config import CHORALE, POP, EnsembleConfig
from symgen.model.ensemble.data import EnsembleRun, ensemble_runs, parts_of
from symgen.model.ensemble.network import EnsembleDecoder
from symgen.model.ensemble.train import EnsembleTraining, GanTraining, train_ensemble_gan, train_ensemble_vae
from symgen.model.ensemble.vae import EnsembleVae
from symgen.model.runs import hours_of, torch_version
from symgen.model.workers import workers
from symgen.pipeline.card import ensemble_card
from symgen.pipeline.heard import MELODIC_LINES, write_heard
from symgen.pipeline.training import CORPUS_GRID, load_pieces
from symgen.score import Note

__all__ = ["ENSEMBLES", "ensemble_runs_of", "train_ensemble"]

ENSEMBLES: Mapping[str, tuple[EnsembleConfig, tuple[str, ...]]] = {
    "pop": (POP, ("pop909",)),
    "chorale": (CHORALE, ("bach-chorales",)),
}
"""The ensembles, each with the corpora it is trained on."""

_CorpusProgress = Callable[[str, int, int], None]
_Progress = Callable[[str, int, int, Mapping[str, float]], None]


def train_ensemble(
    out: Path,
    *,
    ensemble: str = "pop",
    names: Sequence[str] = (),
    model_config: EnsembleConfig | None = None,
    vae: EnsembleTraining | None = None,
    gan: GanTraining | None = None,
    corpus_progress: _CorpusProgress | None = None,
    progress: _Progress | None = None,
) -> dict[str, float]:
    """Train the VAE of an ensemble, and its GAN if settings for one are given; write the checkpoint of the last.

    Parameters
    ----------
    out
        Folder of the checkpoint; the states of the runs are kept in its folder ``run`` and resumed from there.
    ensemble
        One of :data:`ENSEMBLES`.
    names
        The corpora; those of the ensemble if left out.
    model_config
        Sizes, if others than the ensemble's.
    vae, gan
        Settings; without the latter only the VAE is trained.
    corpus_progress, progress
        Called while corpora are built, and after every update with what is trained and what it measured.

    Returns
    -------
    dict
        The last figures of the last training.

    Raises
    ------
    CorpusError
        If the corpora have no passages with the tracks of the ensemble.
    """
    usual_config, usual_names = ENSEMBLES[ensemble]
    config, names, vae = model_config or usual_config, names or usual_names, vae or EnsembleTraining()
    pieces = load_pieces(names, progress=corpus_progress)
    runs = {split: ensemble_runs_of(pieces, split, config) for split in ("train", "valid")}
    for split in ("train", "valid"):
        if not runs[split]:
            msg = (
                f"training data: no passages with {', '.join(config.tracks)} in the {split} split of {', '.join(names)}"
            )
            raise CorpusError(msg)
    folder = out / "run"
    model, figures = train_ensemble_vae(
        config, vae, runs["train"], runs["valid"], folder / "vae", progress=_told(progress, "vae")
    )
    trained: dict[str, Any] = {
        "ensemble": ensemble,
        "corpora": list(names),
        "hours": {"vae": round(hours_of(folder / "vae"), 2)},
        "machine": f"{vae.n_threads} thread(s) of {platform.machine()}, torch {torch_version()}",
        "pieces": sum(piece.split == "train" for piece in pieces),
        "bars": sum(run.n_bars for run in runs["train"]),
        "settings": {"vae": asdict(vae)},
        "validation": {"vae": figures},
    }
    if workers().is_first:
        write_heard(out, _lines_heard(pieces, config), CORPUS_GRID)
    styles = tuple(style for style in STYLES if style in {piece.style for piece in pieces})
    if gan is None:
        _save(out, model, trained, styles)
        return figures
    generator, figures = train_ensemble_gan(model, gan, runs["train"], folder / "gan", progress=_told(progress, "gan"))
    trained["hours"]["gan"] = round(hours_of(folder / "gan"), 2)
    trained["settings"]["gan"], trained["validation"]["gan"] = asdict(gan), figures
    _save(out, generator, trained, styles)
    return figures


def _save(out: Path, model: EnsembleVae | EnsembleDecoder, trained: dict[str, Any], styles: tuple[str, ...]) -> None:
    if workers().is_first:
        save_checkpoint(out, model, styles=styles, training=trained, card=ensemble_card(out.name, trained, styles))


def _lines_heard(pieces: Sequence[Piece], config: EnsembleConfig) -> Iterator[list[Note]]:
    """Yield the melodic lines of training pieces as the ensemble hears them, on the grid of the corpus."""
    for piece in pieces:
        parts = parts_of(piece.score, config) if piece.split == "train" else None
        lines = [part for part, chordal in zip(parts or (), config.chordal, strict=False) if not chordal]
        for line in lines[:MELODIC_LINES]:
            yield _on_grid(line, CORPUS_GRID // config.steps_per_quarter)


def _on_grid(line: Sequence[Note], ratio: int) -> list[Note]:
    """Return the highest of the notes struck together, each at the nearest step of the ensemble's grid."""
    highest: dict[int, Note] = {}
    for note in sorted(line, key=lambda n: n.pitch):
        onset = round(note.onset_steps / ratio) * ratio
        highest[onset] = replace(note, onset_steps=onset)
    return list(highest.values())


def ensemble_runs_of(pieces: Sequence[Piece], split: str, config: EnsembleConfig) -> list[EnsembleRun]:
    """Return the passages of a split as an ensemble sees them."""
    return list(ensemble_runs(((piece.score, piece.style) for piece in pieces if piece.split == split), config))


def _told(progress: _Progress | None, what: str) -> Callable[[int, int, Mapping[str, float]], None] | None:
    if progress is None:
        return None
    return lambda done, total, figures: progress(what, done, total, figures)
