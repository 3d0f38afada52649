"""``symgen soundfont list | add | info``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symgen.cli.console import tell

if TYPE_CHECKING:
    from symgen.pipeline.soundfonts import FontEntry

__all__ = ["app"]

app = typer.Typer(
    help="The soundfonts that renders are played with: which there are, adding one.", no_args_is_help=True
)

_JSON = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


@app.command("list")
def list_fonts(as_json: _JSON = False) -> None:
    """List the soundfonts there are, the one that plays where none is named first, with digest and licence."""
    from symgen.pipeline.soundfonts import list_soundfonts

    found = list_soundfonts()
    lines = [_line(entry) for entry in found] or ["none: put one into soundfonts/, or symgen soundfont add FILE"]
    tell("\n".join(lines), {"soundfonts": [entry.as_dict() for entry in found]}, as_json=as_json)


@app.command()
def add(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="SF2 or SF3 file.", show_default=False)],
    name: Annotated[str | None, typer.Option("--name", help="What to call it.  [default: as the file]")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace another one of that name.")] = False,
    as_json: _JSON = False,
) -> None:
    """Check a soundfont, load it once and copy it into your folder, where renders find it first."""
    from symgen.pipeline.soundfonts import add_soundfont

    entry = add_soundfont(source, name, replaces=replace)
    tell(_line(entry), entry.as_dict(), as_json=as_json)


@app.command()
def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of the list, or a file.", show_default=False)],
    presets: Annotated[bool, typer.Option("--presets", help="List the instruments.")] = False,
    as_json: _JSON = False,
) -> None:
    """Tell what a soundfont is: digest, licence, what it says of itself, its instruments."""
    from symgen.pipeline.soundfonts import tell_of_soundfont

    report = tell_of_soundfont(name)
    entry, facts = report.entry, report.facts
    said = {
        "file": str(entry.path),
        "sha256": entry.digest,
        "size": f"{entry.n_bytes / 1e6:.1f} MB, {'compressed (SF3)' if report.is_compressed else 'SF2'}",
        "title": entry.known.title if entry.known else "",
        "licence": entry.licence,
        "licence from": entry.known.source if entry.known else "",
        "name": facts.name,
        "version": facts.version,
        "copyright": facts.copyright,
        "author": facts.author,
        "comment": facts.comment[:200],
        "instruments": f"{len(facts.presets) - facts.n_drum_kits}, and {facts.n_drum_kits} drum kits",
    }
    lines = [f"{label}: {value}" for label, value in said.items() if value]
    lines += [f"{bank:>3}:{program:<3} {text}" for bank, program, text in facts.presets if presets]
    tell("\n".join(lines), entry.as_dict() | asdict(facts), as_json=as_json)


def _line(entry: FontEntry) -> str:
    return f"{entry.path.stem:24} {entry.n_bytes / 1e6:6.1f} MB  {entry.digest[:12]}  {entry.licence}  {entry.path}"
