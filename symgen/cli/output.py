"""``symgen render`` and ``symgen plot``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symgen.cli.console import progress_bar, tell

__all__ = ["plot", "render"]


def render(
    source: Annotated[Path, typer.Argument(metavar="IN.mid", help="MIDI file.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Audio file: .wav, .flac, .ogg, .mp3.  [default: IN.wav]")
    ] = None,
    soundfont: Annotated[
        str | None, typer.Option("--soundfont", help="SF2 or SF3 file, or a name.  [default: the first found]")
    ] = None,
    sample_rate: Annotated[int, typer.Option("--sample-rate", help="Frames a second.")] = 44100,
    bit_depth: Annotated[str | None, typer.Option("--bit-depth", help="16, 24 or float (WAV).  [default: 16]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Render a MIDI file to audio with FluidSynth."""
    from symgen.pipeline.outputs import render as render_file

    target = out or source.with_suffix(".wav")
    with progress_bar(hidden=as_json) as show:
        made = render_file(
            source,
            target,
            soundfont=soundfont,
            sample_rate=sample_rate,
            bit_depth=bit_depth,
            progress=lambda done, total: show("rendering", round(done), round(total)),
        )
    facts = {
        "file": str(target),
        "seconds": round(made.duration_seconds, 3),
        "soundfont": str(made.soundfont),
        "fluidsynth": made.library_version,
        "notes": made.n_notes,
        "warnings": list(made.warnings),
    }
    for warning in made.warnings:
        typer.echo(f"symgen render: {source}: {warning}", err=True)
    text = f"{target}  {made.duration_seconds:.1f} s  {made.soundfont.name}  FluidSynth {made.library_version}"
    tell(text, facts, as_json=as_json)


def plot(
    source: Annotated[Path, typer.Argument(metavar="IN.mid", help="MIDI or score file.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Picture: .png, .svg, .pdf.  [default: IN.png]")
    ] = None,
    title: Annotated[str, typer.Option("--title", help="Above the picture.  [default: the key]")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Draw the piano roll of a MIDI file."""
    from symgen.pipeline.outputs import plot as plot_file

    target = out or source.with_suffix(".png")
    plot_file(source, target, title=title)
    tell(str(target), {"file": str(target)}, as_json=as_json)
