"""``symgen reproduce``."""

from __future__ import annotations

import contextlib
import io
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import symgen
from symgen.cli.console import tell
from symgen.cli.writing import SPELLED
from symgen.errors import RequestError

if TYPE_CHECKING:
    from symgen.pipeline.recipe import Recipe

__all__ = ["reproduce"]

DIFFERS = 1
_WRITERS = (
    *("generate", "infill", "continue", "vary", "reharmonize", "interpolate"),
    *("transfer", "accompany", "arpeggiate", "humanize", "check"),
)


def reproduce(
    source: Annotated[
        Path, typer.Argument(metavar="SONG.mid", help="A file that symgen wrote, or its recipe.", show_default=False)
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Keep what was made again here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Make a file again from its recipe: the same bytes, or what differs and exit code 1."""
    from symgen.files import write_whole
    from symgen.pipeline.recipe import byte_differences, changed_since, read_recipe

    recipe, song = read_recipe(source), _song_of(source)
    if not recipe.words or recipe.words[0] not in _WRITERS:
        msg = f"{source}: made by {' '.join(recipe.words[:1]) or 'no command'}: expected one of {', '.join(_WRITERS)}"
        raise RequestError(msg)
    found = [_input(name, song) for name, _ in recipe.inputs]
    changed = changed_since(recipe, symgen.__version__, found, _checkpoint(recipe))
    data = None if None in found else _made_again(recipe, dict(zip(recipe.inputs, found, strict=True)), song)
    different = [] if data is None else byte_differences(song.read_bytes(), data)
    is_same = data is not None and not different
    if out is not None and data is not None:
        write_whole(out, data)
    command = shlex.join(("symgen", *recipe.words))
    facts = {"file": str(song), "command": command, "same": is_same, "changed": changed, "different": different}
    lines = [*changed, *different, f"{song}: {'the same bytes' if is_same else 'other bytes'}  ({command})"]
    tell("\n".join(lines), facts, as_json=as_json)
    if not is_same:
        raise typer.Exit(DIFFERS)


def _song_of(source: Path) -> Path:
    """Return the file that a recipe is of."""
    if source.suffix.lower() != ".json":
        return source
    song = source.with_name(source.name.removesuffix(".recipe.json"))
    if not song.is_file() or song == source:
        msg = f"{source}: expected the file it is the recipe of beside it"
        raise RequestError(msg)
    return song


def _input(name: str, song: Path) -> Path | None:
    """Return where an input is: as the recipe has it, or beside the file."""
    places = (Path(name), song.parent / name, song.parent / Path(name).name)
    return next((place for place in places if place.is_file()), None)


def _checkpoint(recipe: Recipe) -> str | None:
    words = recipe.words
    return next((words[i + 1] for i in range(len(words) - 1) if words[i] == "--checkpoint"), None)


def _made_again(recipe: Recipe, found: dict[tuple[str, str], Path | None], song: Path) -> bytes:
    """Run the command in a folder of its own, and return the file that has the same place among its results."""
    from symgen.cli.main import app
    from symgen.pipeline.recipe import read_recipe

    now = {name: str(path) for (name, _), path in found.items()}
    words = [recipe.words[0], *(now.get(word, word) for word in recipe.words[1:])]
    stems = ["--stems"] if recipe.place[2] else []
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"again{song.suffix.lower()}"
        token = SPELLED.set({path: name for name, path in now.items()})
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                beside = ["--recipe", "--json"]
                app([*words, *stems, *beside, "-o", str(target)], prog_name="symgen", standalone_mode=False)
        finally:
            SPELLED.reset(token)
        made = [p for p in Path(folder).iterdir() if p.suffix == target.suffix]
        chosen = next((p for p in made if read_recipe(p).place == recipe.place), None)
        if chosen is None:
            msg = f"{song}: the command makes {len(made)} files, none in its place"
            raise RequestError(msg)
        return chosen.read_bytes()
