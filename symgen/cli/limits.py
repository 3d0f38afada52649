"""The options ``--max-...`` of every command that reads a music file."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from symgen.io.limits import Limits, limits_set

__all__ = ["limited"]

_USUAL = Limits(load_seconds=120.0)
_PANEL = "Limits of what is read"


def _option(name: str, words: str) -> Any:
    return typer.Option(name, help=words, rich_help_panel=_PANEL)


_OPTIONS: dict[str, Any] = {
    "n_bytes": Annotated[int, _option("--max-bytes", "Refuse a larger file.")],
    "n_tracks": Annotated[int, _option("--max-tracks", "Refuse a file of more tracks.")],
    "n_notes": Annotated[int, _option("--max-notes", "Refuse a file of more notes.")],
    "n_events": Annotated[int, _option("--max-events", "Refuse a file of more events.")],
    "seconds": Annotated[float, _option("--max-duration", "Refuse a piece that lasts more seconds.")],
    "n_quarters": Annotated[int, _option("--max-quarters", "Refuse a piece of more quarter notes.")],
    "load_seconds": Annotated[
        float, _option("--max-load-time", "Give up reading MusicXML, ABC or kern after seconds.")
    ],
}


def limited(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, and let them hold for all that it reads."""

    @functools.wraps(command)
    def run(**values: Any) -> None:
        limits = Limits(**{name: values.pop(name) for name in _OPTIONS})
        with limits_set(limits):
            command(**values)

    own = inspect.signature(command, eval_str=True).parameters.values()
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=getattr(_USUAL, name), annotation=annotation)
        for name, annotation in _OPTIONS.items()
    ]
    signature = inspect.Signature([p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + added)
    run.__signature__ = signature  # type: ignore[attr-defined]  # typer reads the options from it
    run.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    return run
