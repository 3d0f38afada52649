"""The model card: what a checkpoint was trained on, how, and what it measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgen.pipeline.corpora import entry_of

__all__ = ["model_card"]


def model_card(name: str, training: dict[str, Any], styles: Sequence[str]) -> str:
    """Return the card of a line VAE as Markdown.

    Parameters
    ----------
    name
        Of the checkpoint.
    training
        As in its configuration: corpora, counts, settings, figures.
    styles
        What it knows.
    """
    entries = [entry_of(corpus) for corpus in training["corpora"]]
    rows = [f"| {e.name} | {e.title} | {e.licence} | {e.music} | {e.weights} |" for e in entries]
    settings = training["settings"]
    return "\n".join(
        [
            f"# {name}",
            "",
            "A line VAE: a melody's notes given key, metre, chords and style. It is meant to be sampled by symgen's",
            "exact decoder under rules; on its own it promises nothing.",
            "",
            f"- styles: {', '.join(styles) or 'none'}",
            f"- trained on {training['pieces']} pieces, {training['bars']} bars of melody, relative to the tonic",
            f"- {settings['n_updates']} updates of about {settings['batch_steps']} steps, seed {settings['seed']}",
            f"- threads of the CPU used: {settings['n_threads']}",
            "- command: `symgen train -o FOLDER" + _corpus_options(training) + "`",
            "",
            "| corpus | what | licence | music | weights trained on it |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Held-out pieces, windows of the shortest length trained on, nats a step:",
            "",
            "| split | negative evidence bound | line given latents | latents |",
            "|---|---|---|---|",
            *(_figures_row(split, training[split]) for split in ("validation", "test") if training[split]),
            "",
        ]
    )


def _corpus_options(training: dict[str, Any]) -> str:
    return "".join(f" --corpus {corpus}" for corpus in training["corpora"])


def _figures_row(split: str, figures: dict[str, float]) -> str:
    values = (figures[name] for name in ("negative_elbo", "reconstruction", "kl"))
    return f"| {split} | " + " | ".join(f"{value:.4f}" for value in values) + " |"
