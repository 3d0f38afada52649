"""The options of every command that writes music, and the recipe that each file carries."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_origin

import typer
from typer.models import ArgumentInfo, OptionInfo

import symgen
from symgen.io.writing import CHORD_NAMES, MidiOptions, Writing, writing_as

__all__ = ["SPELLED", "written"]

_PANEL = "How the file is written"
_NOT_SAID = frozenset({"out", "as_json", "stems", "recipe"})  # what does not change the bytes of a file
SPELLED: ContextVar[Mapping[str, str]] = ContextVar("spelled", default=MappingProxyType({}))
"""For paths that a file is made again from: how its recipe has them."""


def _option(name: str, words: str) -> Any:
    return typer.Option(name, help=words, rich_help_panel=_PANEL)


_OPTIONS: dict[str, tuple[Any, Any]] = {
    "ppq": (Annotated[int, _option("--ppq", "Ticks a quarter note: 480, 960 ...")], 480),
    "midi_format": (Annotated[int, _option("--format", "MIDI format: 1, a track a part, or 0, one track.")], 1),
    "programs": (
        Annotated[bool, _option("--programs/--no-programs", "Whether each part sets its instrument.")],
        True,
    ),
    "chord_names": (
        Annotated[str, _option("--chord-names", f"Chords as some of {', '.join(CHORD_NAMES)}; or none.")],
        "markers",
    ),
    "stems": (Annotated[bool, _option("--stems", "Also write each part as a file, with tempos and metres.")], False),
    "split": (Annotated[bool, _option("--split", "Write several files where one has too few channels.")], False),
    "recipe": (Annotated[bool, _option("--recipe", "Also write how it was made, as FILE.recipe.json.")], False),
}


def written(name: str, command: Callable[..., None], *, makes_midi: bool = True) -> Callable[..., None]:
    """Give a command the options, and its files their recipe.

    Parameters
    ----------
    name
        What the command is called.
    command
        One that saves scores, or writes changed MIDI files.
    makes_midi
        Whether it makes the files; those that it only changes stay as they are written.
    """
    own = inspect.signature(command, eval_str=True).parameters
    added = {
        key: inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for key, (annotation, default) in _OPTIONS.items()
        if makes_midi or key == "recipe"
    }
    every = {key: p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for key, p in own.items()} | added

    @functools.wraps(command)
    def run(**values: Any) -> None:
        values = _with_seed(values)
        with writing_as(_writing((name, *_words(every, values)), values)):
            command(**{key: value for key, value in values.items() if key in own})

    signature = inspect.Signature(list(every.values()))
    run.__signature__ = signature  # type: ignore[attr-defined]  # typer reads the options from it
    run.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    return run


def _with_seed(values: dict[str, Any]) -> dict[str, Any]:
    """Choose the seed here where none is given: the recipe needs it."""
    from symgen.pipeline.request import checked_seed

    return values | {"seed": checked_seed(values["seed"])} if "seed" in values else values


def _writing(words: tuple[str, ...], values: Mapping[str, Any]) -> Writing:
    from symgen.pipeline.recipe import Signer, digest_of

    paths = [v for k, v in values.items() if isinstance(v, Path) and k not in ("out", "checkpoint") and v.is_file()]
    spelled = SPELLED.get()
    inputs = tuple((spelled.get(str(path), str(path)), digest_of(path)) for path in paths)
    has_model = "checkpoint" in values and values.get("model") != "band"
    signer = Signer(
        symgen.__version__,
        words,
        inputs,
        values.get("checkpoint"),
        has_model,
        is_beside=values["recipe"],
        is_ensemble=values.get("model") == "gan",
    )
    if "ppq" not in values:
        return Writing(signed=signer.sign, wrote=signer.write_beside)
    names = values["chord_names"].split(",") if values["chord_names"] not in ("none", "") else []
    midi = MidiOptions(values["ppq"], values["midi_format"], values["programs"], tuple(n.strip() for n in names))
    return Writing(midi, values["stems"], values["split"], signer.sign, signer.write_beside)


def _words(parameters: Mapping[str, inspect.Parameter], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the words that give a command these values; defaults, and what changes no byte, are left out."""
    spelled = SPELLED.get()
    options: list[str] = []
    for key, parameter in parameters.items():
        value = values[key]
        info = _info(parameter)
        if isinstance(info, ArgumentInfo):
            if value is not None:
                yield spelled.get(str(value), str(value))
        elif key not in _NOT_SAID and value is not None and value != parameter.default and value != []:
            options += _option_words(key, info, value, spelled)
    yield from options


def _option_words(key: str, info: OptionInfo, value: Any, spelled: Mapping[str, str]) -> Iterator[str]:
    # In an annotation the first name stands in the place of a default.
    names = [text for text in (info.default, *(info.param_decls or ())) if isinstance(text, str)]
    long = next((text for text in names if text.startswith("--")), "--" + key.replace("_", "-"))
    on, _, off = long.partition("/")
    if isinstance(value, bool):
        yield on if value else off
        return
    for one in value if isinstance(value, list) else [value]:
        yield from (on, spelled.get(str(one), str(one)))


def _info(parameter: inspect.Parameter) -> Any:
    """Return what typer was told of a parameter."""
    if get_origin(parameter.annotation) is Annotated:
        return next(a for a in get_args(parameter.annotation) if isinstance(a, ArgumentInfo | OptionInfo))
    return OptionInfo()
