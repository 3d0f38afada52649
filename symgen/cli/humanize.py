"""``symgen humanize``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symgen.cli.console import tell

__all__ = ["humanize"]


def humanize(
    source: Annotated[Path, typer.Argument(metavar="IN.mid", help="MIDI file.", show_default=False)],
    groove: Annotated[
        str,
        typer.Option(
            "--groove",
            "-g",
            help="straight, swing, light-swing, shuffle-16, laid-back, driving, or a swing such as '66% 16ths'.",
        ),
    ] = "straight",
    amount: Annotated[float, typer.Option("--amount", "-a", help="How much of the groove, 0 to 1.")] = 1.0,
    timing: Annotated[float, typer.Option("--timing", help="How far notes stray, 0 to 1: at 1 some 18 ms.")] = 0.3,
    velocity: Annotated[
        float, typer.Option("--velocity", help="How much louder strong beats and high notes are, 0 to 1.")
    ] = 0.5,
    strum: Annotated[float, typer.Option("--strum", help="How slowly chords are struck, 0 to 1: at 1 60 ms.")] = 0.0,
    seed: Annotated[int | None, typer.Option("--seed", help="Same seed, same file.  [default: random]")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="MIDI file.  [default: IN-humanize.mid]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Play a MIDI file: swing, small delays, strummed chords, accents; nothing asked for changes no byte."""
    from symgen.pipeline.feel import Feel
    from symgen.pipeline.humanize import humanize_file
    from symgen.pipeline.request import checked_seed

    target = out or source.with_name(f"{source.stem}-humanize.mid")
    chosen = checked_seed(seed)
    feel = Feel(groove, amount, timing, velocity, strum)
    n_notes = humanize_file(source, target, feel=feel, seed=chosen)
    facts = {"file": str(target), "seed": chosen, "groove": groove, "notes": n_notes}
    tell(f"{target}  seed {chosen}  {n_notes} notes", facts, as_json=as_json)
