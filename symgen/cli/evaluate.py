"""``symgen evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from symgen.cli.console import progress_bar

__all__ = ["evaluate"]

_FOLDER_HELP = "a folder of MIDI, MusicXML, ABC or kern files, or a built corpus"


def evaluate(
    generated: Annotated[
        Path, typer.Argument(metavar="GENERATED", help="Generated pieces: a folder of music.", show_default=False)
    ],
    against: Annotated[
        Path,
        typer.Option("--against", help=f"Real pieces: {_FOLDER_HELP} (its valid and test pieces).", show_default=False),
    ],
    train: Annotated[
        list[Path] | None,
        typer.Option("--train", help=f"What the model was trained on: {_FOLDER_HELP} (its train pieces). Repeatable."),
    ] = None,
    bars: Annotated[
        int | None, typer.Option("--bars", min=1, help="Compare the first bars only.  [default: whole pieces]")
    ] = None,
    track: Annotated[
        str | None, typer.Option("--track", help="Name of the melody's track.  [default: the first with notes]")
    ] = None,
    all_tracks: Annotated[
        bool, typer.Option("--all-tracks", help="Statistics of all tracks, and MuseGAN's measures of each.")
    ] = False,
    own_keys: Annotated[
        bool, typer.Option("--own-keys", help="Leave pieces in their keys; else they go to C.")
    ] = False,
    neighbour: Annotated[
        int, typer.Option("--neighbour", min=1, help="How many neighbours the balls of the feature space reach to.")
    ] = 5,
    folds: Annotated[int, typer.Option("--folds", min=2, help="Folds of the classifiers.")] = 5,
    epochs: Annotated[
        int, typer.Option("--epochs", min=0, help="Training of the convolutional classifier; 0 leaves it out.")
    ] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of folds and classifiers.")] = 0,
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="OUT.json", help="Write the figures to a file too.")
    ] = None,
) -> None:
    """Hold a folder of generated pieces against real ones: tables in Markdown on standard output."""
    from symgen.files import check_place, write_whole
    from symgen.pipeline.evaluate import Settings, load_folder
    from symgen.pipeline.evaluate import evaluate as evaluate_sets

    if json_path is not None:
        check_place(json_path)
    settings = Settings(bars, not own_keys, all_tracks, track, neighbour, folds, epochs, seed)
    with progress_bar() as show:
        made, skipped = load_folder(generated, splits=("train", "valid", "test"), progress=show)
        real, more = load_folder(against, progress=show)
        heard = [score for folder in train or [] for score in load_folder(folder, splits=("train",), progress=show)[0]]
        found = evaluate_sets(made, real, settings, train=heard, progress=lambda _, *done: show("measuring", *done))
    for line in skipped + more:
        typer.echo(f"symgen evaluate: left out: {line}", err=True)
    if json_path is not None:
        write_whole(json_path, (json.dumps(found.facts(), ensure_ascii=False, indent=1) + "\n").encode())
    typer.echo(found.markdown(), nl=False)
