"""``symgen train``."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from symgen.cli.console import progress_bar, tell
from symgen.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from symgen.model.train import Progress

__all__ = ["train"]

_MODELS = ("vae", "ensemble", "gan")
_Settings = TypeVar("_Settings")


def train(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the checkpoint; a run that was stopped goes on.")],
    model: Annotated[
        str,
        typer.Argument(help="vae: melodies; ensemble: a VAE of several tracks; gan: that and a GAN begun with it."),
    ] = "vae",
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", help="Corpus to train on; may be repeated.  [default: those of the shipped model]"),
    ] = None,
    ensemble: Annotated[
        str,
        typer.Option("--ensemble", help="Of ensemble and gan: pop (melody, counter-melody, chords, bass) or chorale."),
    ] = "pop",
    config: Annotated[
        Path | None, typer.Option("--config", help="TOML file with tables model, vae and gan: sizes and settings.")
    ] = None,
    fine_tune: Annotated[
        str | None,
        typer.Option(
            "--fine-tune", help="Of vae: begin with a checkpoint: a folder, line-main, line-light or line-pop."
        ),
    ] = None,
    updates: Annotated[
        int | None, typer.Option("--updates", min=1, help="How long.  [default: as the shipped model]")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same weights on the same machine.")] = 0,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Cores to use; other numbers, other weights.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train a model; the default settings and corpora make the shipped checkpoints.

    Started by torchrun (torchrun --nproc-per-node 2 -m symgen.cli train ...), several processes train one model.
    """
    if model not in _MODELS:
        msg = f"model {model!r}: expected one of {', '.join(_MODELS)}"
        raise RequestError(msg)
    tables = _read_config(config)
    common: dict[str, Any] = {"seed": seed, "n_threads": threads}
    if updates is not None:
        common["n_updates"] = updates
    is_first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun starts
    with progress_bar(hidden=as_json or not is_first) as show:
        if model == "vae":
            figures = _train_line(out, corpus, fine_tune, tables, common, show)
        else:
            figures = _train_ensemble(out, model, corpus, ensemble, tables, common, show)
    text = f"{out}  " + "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
    if is_first:
        tell(text, {"folder": str(out), **figures}, as_json=as_json)


def _train_line(
    out: Path,
    corpus: list[str] | None,
    fine_tune: str | None,
    tables: Mapping[str, Mapping[str, Any]],
    common: Mapping[str, Any],
    show: Callable[[str, int, int], None],
) -> dict[str, float]:
    from symgen.model.train import FINE_TUNING, TrainConfig
    from symgen.model.vae import VaeConfig
    from symgen.pipeline.training import SHIPPED_CORPORA, train_line_vae

    settings = _with(FINE_TUNING if fine_tune else TrainConfig(), tables.get("vae", {}), "vae")
    sizes = _with(VaeConfig(), tables["model"], "model") if "model" in tables else None

    def tell_progress(state: Progress) -> None:
        terms = f"{state.reconstruction:.3f} + {state.kl:.3f} nats a slot, held out {state.validation:.3f}"
        show(f"training · {terms}", state.update, state.n_updates)

    return train_line_vae(
        corpus or SHIPPED_CORPORA,
        out,
        model_config=sizes,
        train_config=replace(settings, **common),
        fine_tune=fine_tune,
        corpus_progress=lambda name, done, total: show(f"reading {name}", done, total),
        progress=tell_progress,
    )


def _train_ensemble(
    out: Path,
    model: str,
    corpus: list[str] | None,
    ensemble: str,
    tables: Mapping[str, Mapping[str, Any]],
    common: Mapping[str, Any],
    show: Callable[[str, int, int], None],
) -> dict[str, float]:
    from symgen.model.ensemble.train import EnsembleTraining, GanTraining
    from symgen.pipeline.train_ensemble import ENSEMBLES, train_ensemble

    if ensemble not in ENSEMBLES:
        msg = f"ensemble {ensemble!r}: expected one of {', '.join(ENSEMBLES)}"
        raise RequestError(msg)
    of_vae = {name: value for name, value in common.items() if name != "n_updates" or model == "ensemble"}
    vae = replace(_with(EnsembleTraining(), tables.get("vae", {}), "vae"), **of_vae)
    gan = replace(_with(GanTraining(), tables.get("gan", {}), "gan"), **common) if model == "gan" else None

    def tell_progress(what: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        terms = "  ".join(f"{name} {value:.3f}" for name, value in list(figures.items())[:3])
        show(f"training {what} · {terms}", done, total)

    return train_ensemble(
        out,
        ensemble=ensemble,
        names=corpus or (),
        model_config=_with(ENSEMBLES[ensemble][0], tables["model"], "model") if "model" in tables else None,
        vae=vae,
        gan=gan,
        corpus_progress=lambda name, done, total: show(f"reading {name}", done, total),
        progress=tell_progress,
    )


def _read_config(path: Path | None) -> dict[str, dict[str, Any]]:
    """Read the tables of a TOML file; their names are checked here, their entries where they are used."""
    import tomllib

    if path is None:
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{path}: {error}"
        raise RequestError(msg) from None
    wrong = [
        name for name, table in tables.items() if name not in {"model", "vae", "gan"} or not isinstance(table, dict)
    ]
    if wrong:
        msg = f"{path}: {wrong[0]!r}: expected tables model, vae and gan"
        raise RequestError(msg)
    return tables


def _with(settings: _Settings, table: Mapping[str, Any], name: str) -> _Settings:
    """Return settings with the entries of a table, each of the type that it has by default."""
    known = {field.name: getattr(settings, field.name) for field in fields(settings)}  # type: ignore[arg-type]
    changed: dict[str, Any] = {}
    for entry, value in table.items():
        if entry not in known:
            msg = f"config: [{name}] {entry}: expected one of {', '.join(known)}"
            raise RequestError(msg)
        own = tuple(value) if isinstance(value, list) else value
        own = float(own) if isinstance(known[entry], float) and type(own) is int else own
        if type(own) is not type(known[entry]):
            msg = f"config: [{name}] {entry}: {value!r}: expected a value such as {known[entry]!r}"
            raise RequestError(msg)
        changed[entry] = own
    return replace(settings, **changed)  # type: ignore[type-var]
