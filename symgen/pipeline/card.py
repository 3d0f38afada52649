"""The model card: what a checkpoint was trained on, how, and what it measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from symgen.pipeline.corpora import entry_of

__all__ = ["ensemble_card", "model_card"]


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
            *_begun_line(training),
            f"- {settings['n_updates']} updates of about {settings['batch_slots']} slots, seed {settings['seed']}",
            f"- {training['hours']} hours on {training['machine']}",
            "- command: `symgen train -o FOLDER" + _options(training) + "`",
            *_config_lines(training),
            "",
            *_warnings(training),
            *_corpora_table(training),
            "Held-out pieces, windows of the shortest length trained on, nats a slot. A bound is the negative evidence",
            "bound with that decoder; the lines given their latents and the latents add up to it.",
            "",
            "| split | bound, chain | bound, causal | line by the chain | line by the causal decoder | latents |",
            "|---|---|---|---|---|---|",
            *(_figures_row(split, training[split]) for split in ("validation", "test") if training[split]),
            "",
        ]
    )


def ensemble_card(name: str, training: dict[str, Any], styles: Sequence[str]) -> str:
    """Return the card of a model of an ensemble as Markdown; the parameters are those of :func:`model_card`."""
    is_gan = "gan" in training["settings"]
    figures = training["validation"]["vae"]
    what = (
        "The generator of a GAN over the tracks of an ensemble. Its weights are preferences, not probabilities."
        if is_gan
        else "A VAE over the tracks of an ensemble."
    )
    command = f"symgen train {'gan' if is_gan else 'ensemble'} -o FOLDER --ensemble {training['ensemble']}"
    return "\n".join(
        [
            f"# {name}",
            "",
            what,
            "It is meant to be sampled by symgen's decoder under rules; on its own it promises nothing.",
            "",
            f"- styles: {', '.join(styles) or 'none'}",
            f"- trained on {training['pieces']} pieces, {training['bars']} bars of all tracks, relative to the tonic",
            *_trained_lines(training),
            f"- on {training['machine']}",
            f"- command: `{command}`",
            "",
            *_warnings(training),
            *_corpora_table(training),
            "The VAE on held-out pieces, nats a step of its grid, no track given:",
            "",
            "| " + " | ".join(figures) + " |",
            "|" + "---|" * len(figures),
            "| " + " | ".join(f"{value:.3f}" for value in figures.values()) + " |",
            "",
        ]
    )


def _trained_lines(training: dict[str, Any]) -> list[str]:
    """Say how long each model of an ensemble was trained."""
    names = {"vae": "VAE", "gan": "GAN, beginning with the VAE's decoder"}
    return [
        f"- {names[what]}: {s['n_updates']} updates, seed {s['seed']}, {training['hours'][what]} hours"
        for what, s in training["settings"].items()
    ]


def _corpora_table(training: dict[str, Any]) -> list[str]:
    entries = [entry_of(corpus) for corpus in training["corpora"]]
    rows = [f"| {e.name} | {e.title} | {e.licence} | {e.music} | {e.weights} |" for e in entries]
    return ["| corpus | what | licence | music | weights trained on it |", "|---|---|---|---|---|", *rows, ""]


def _begun_line(training: dict[str, Any]) -> list[str]:
    begun = training.get("began_with")
    return [f"- began with the weights {begun['digest'][:16]}, trained on {_named(begun['corpora'])}"] if begun else []


def _named(corpora: Sequence[str]) -> str:
    return ", ".join(entry_of(corpus).name for corpus in corpora)


def _config_lines(training: dict[str, Any]) -> list[str]:
    """Return the file of the option ``--config``, if one is needed."""
    return [
        f"- its FILE: `{name} = {{{', '.join(f'{key} = {json.dumps(value)}' for key, value in table.items())}}}`"
        for name, table in training.get("config", {}).items()
        if table
    ]


def _options(training: dict[str, Any]) -> str:
    begun = " --fine-tune FOLDER" if training.get("began_with") else ""
    begun += " --config FILE" if any(training.get("config", {}).values()) else ""
    return begun + "".join(f" --corpus {corpus}" for corpus in training["corpora"])


def _warnings(training: dict[str, Any]) -> list[str]:
    kept = [entry_of(corpus) for corpus in training["corpora"]]
    return [
        line
        for entry in kept
        if entry.weights == "restricted"
        for line in (f"{entry.title}: {entry.music}. What this model makes is to be checked for copies of them.", "")
    ]


def _figures_row(split: str, figures: dict[str, float]) -> str:
    values = [figures["chain_bound"], figures["causal_bound"]]
    values += [figures[f"{by}_rhythm"] + figures[f"{by}_pitch"] for by in ("chain", "causal")]
    values.append(sum(value for name, value in figures.items() if name.startswith("kl_")))
    return f"| {split} | " + " | ".join(f"{value:.4f}" for value in values) + " |"
