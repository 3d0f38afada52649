"""What ``--model gan`` asks for: commands that an ensemble's model answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgen.errors import RequestError

if TYPE_CHECKING:
    from symgen.pipeline.ranking import Take

__all__ = ["is_ensemble", "played", "redrawn"]

_USUAL: Mapping[str, Any] = {"decoder": "causal", "sliders": {}, "counter": False}


def is_ensemble(model: str) -> bool:
    """Whether a model is that of an ensemble.

    Raises
    ------
    RequestError
        If there is none of the name.
    """
    if model not in ("vae", "gan"):
        msg = f"model {model!r}: expected vae or gan"
        raise RequestError(msg)
    return model == "gan"


def played(
    n: int, seed: int | None, to_seed: int | None, asked: Mapping[str, Any], of_line: Mapping[str, Any]
) -> list[Take]:
    """Make songs of an ensemble; what only the line model knows is refused."""
    from symgen.pipeline.ensemble import play_between, play_many

    refuse(of_line)
    if to_seed is not None:
        return play_between(n, seed=seed, to_seed=to_seed, **asked)
    return play_many(n, seed=seed, **asked)


def redrawn(source: Path, n: int, of_line: Mapping[str, Any], **asked: Any) -> list[Take]:
    """Draw tracks of a piece; what only the line model or the band knows is refused."""
    from symgen.pipeline.ensemble_takes import redraw_tracks_many

    refuse(of_line)
    return redraw_tracks_many(source, n, **asked)


def refuse(of_line: Mapping[str, Any]) -> None:
    """Refuse options that the ensemble's model has no use for.

    Raises
    ------
    RequestError
        If one is given.
    """
    for name, value in of_line.items():
        if value not in (None, [], _USUAL.get(name)):
            msg = f"--{name.replace('_', '-')}: not for --model gan"
            raise RequestError(msg)
