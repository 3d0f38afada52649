"""``symgen corpus list | build | info``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symgen.cli.console import progress_bar, tell

__all__ = ["app"]

app = typer.Typer(help="The music to train on: what there is, building it, what came of it.", no_args_is_help=True)

_NAME = Annotated[str, typer.Argument(metavar="NAME", help="See `symgen corpus list`.", show_default=False)]
_GRID = Annotated[int, typer.Option("--steps-per-quarter", help="The grid.")]
_OUT = Annotated[Path | None, typer.Option("--out", "-o", help="Folder.  [default: in the user's cache]")]
_JSON = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


@app.command("list")
def list_corpora(as_json: _JSON = False) -> None:
    """List the corpora that symgen can read, and whether they are here."""
    from symgen.pipeline.corpora import corpus_rows

    rows = corpus_rows()
    lines = [f"{row['name']:16} {row['here']:10} {row['weights']:10} {row['title']}" for row in rows]
    tell("\n".join(lines), {"corpora": rows}, as_json=as_json)


@app.command()
def build(
    name: _NAME,
    out: _OUT = None,
    steps_per_quarter: _GRID = 12,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="At once.  [default: all cores]")] = None,
    as_json: _JSON = False,
) -> None:
    """Read a corpus (its name, or a folder of MIDI, MusicXML, ABC files) and pack it for training."""
    from symgen.pipeline.corpora import build_named

    with progress_bar(hidden=as_json) as show:
        report = build_named(
            name,
            out,
            steps_per_quarter=steps_per_quarter,
            n_processes=processes,
            progress=lambda done, total: show(name, done, total),
        )
    facts = {
        "folder": str(report.folder),
        "pieces": report.n_pieces,
        "duplicates": report.n_duplicates,
        "skipped": [list(row) for row in report.skipped],
    }
    counts = f"{report.n_pieces} pieces, {report.n_duplicates} duplicates, {len(report.skipped)} skipped"
    lines = [f"{report.folder}  {counts}"]
    lines += [f"  skipped {count} x {reason}" for reason, count in report.reasons.most_common()]
    tell("\n".join(lines), facts, as_json=as_json)


@app.command()
def info(name: _NAME, out: _OUT = None, steps_per_quarter: _GRID = 12, as_json: _JSON = False) -> None:
    """Tell what a built corpus holds: pieces, splits, and what was skipped and why."""
    from symgen.pipeline.corpora import describe

    facts = describe(name, out, steps_per_quarter=steps_per_quarter)
    lines = [f"{label}: {value}" for label, value in facts.items() if label != "skipped"]
    lines += [f"skipped: {source}: {reason}" for source, reason in facts["skipped"]]
    tell("\n".join(lines), facts, as_json=as_json)
