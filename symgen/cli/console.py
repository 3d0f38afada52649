"""What the commands print: results on standard output, progress on standard error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["progress_bar", "tell"]


def tell(text: str, facts: dict[str, Any], *, as_json: bool) -> None:
    """Print a result: a text for people, or its facts as one JSON object for scripts."""
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else text)


@contextmanager
def progress_bar(*, hidden: bool = False) -> Iterator[Callable[[str, float, float], None]]:
    """Show progress bars on standard error, where that is a terminal: one for each description.

    Yields
    ------
    callable
        Takes a description, how much is done and the total.
    """
    console = Console(stderr=True)
    hidden = hidden or not console.is_terminal
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=hidden) as bars:
        tasks: dict[str, Any] = {}

        def show(description: str, done: float, total: float) -> None:
            label = description.split(" · ")[0]
            if label not in tasks:
                tasks[label] = bars.add_task(description, total=total)
            bars.update(tasks[label], completed=done, total=total, description=description)

        yield show
