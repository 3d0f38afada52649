"""``symgen doctor``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from symgen.cli.console import progress_bar

if TYPE_CHECKING:
    from symgen.pipeline.doctor import Check

__all__ = ["doctor"]

ILL = 1


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Say what is installed, what is missing and what mends it; exit code 1 where generate or render would fail."""
    from symgen.pipeline.doctor import diagnose

    checks: list[Check] = []
    with progress_bar(hidden=as_json) as show:
        for check in diagnose():
            checks.append(check)
            show("looking", len(checks), max(40, len(checks)))
    is_well = all(check.is_well for check in checks if check.is_needed)
    if as_json:
        typer.echo(json.dumps({"well": is_well, "checks": [asdict(check) for check in checks]}, ensure_ascii=False))
    else:
        Console(highlight=False).print(_table(checks))
        typer.echo("generate and render work here" if is_well else "generate or render would fail here")
    if not is_well:
        raise typer.Exit(ILL)


def _table(checks: list[Check]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("what", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("mend it with", overflow="fold")
    for check in checks:
        state = "ok" if check.is_well else "wrong" if check.is_needed else "optional"
        style = {"ok": "", "wrong": "bold red", "optional": "dim"}[state]
        table.add_row(*(text.replace("[", r"\[") for text in (check.name, state, check.found, check.mend)), style=style)
    return table
