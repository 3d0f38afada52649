"""``symgen train``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symgen.cli.console import progress_bar, tell

if TYPE_CHECKING:
    from symgen.model.train import Progress

__all__ = ["train"]


def train(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the checkpoint; a run that was stopped goes on.")],
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", help="Corpus to train on; may be repeated.  [default: those of the shipped model]"),
    ] = None,
    fine_tune: Annotated[
        str | None,
        typer.Option("--fine-tune", help="Begin with a checkpoint: a folder, or line-main or line-pop."),
    ] = None,
    updates: Annotated[
        int | None, typer.Option("--updates", min=1, help="How long.  [default: as the shipped model]")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same weights on the same machine.")] = 0,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Cores to use; other numbers, other weights.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train the line VAE; the default settings and corpora make the shipped checkpoint."""
    from symgen.model.train import FINE_TUNING, TrainConfig
    from symgen.pipeline.training import SHIPPED_CORPORA, train_line_vae

    config = replace(FINE_TUNING if fine_tune else TrainConfig(), seed=seed, n_threads=threads)
    if updates is not None:
        config = replace(config, n_updates=updates)
    with progress_bar(hidden=as_json) as show:

        def tell_progress(state: Progress) -> None:
            terms = f"{state.reconstruction:.3f} + {state.kl:.3f} nats a slot, held out {state.validation:.3f}"
            show(f"training · {terms}", state.update, state.n_updates)

        figures = train_line_vae(
            corpus or SHIPPED_CORPORA,
            out,
            train_config=config,
            fine_tune=fine_tune,
            corpus_progress=lambda name, done, total: show(f"reading {name}", done, total),
            progress=tell_progress,
        )
    text = f"{out}  " + "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
    tell(text, {"folder": str(out), **figures}, as_json=as_json)
