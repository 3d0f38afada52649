"""How a file was made, kept in the file: what is needed to make the same bytes again.

A recipe is part of a score (``Score.recipe``) and stands in the first track of a MIDI file as one text event. To what
the music's maker wrote there (seed, key, rules ...) a command adds its version, its words, its inputs with their
digests and the digest of the model.

>>> recipe = Recipe.of({"version": "1.0", "command": "vary 'my song.mid' --seed 3", "inputs": "'my song.mid=ab12'"})
>>> recipe.words, recipe.inputs
(('vary', 'my song.mid', '--seed', '3'), (('my song.mid', 'ab12'),))
"""

from __future__ import annotations

import hashlib
import json
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

from symgen.errors import RequestError
from symgen.files import write_whole
from symgen.io.barlines import BarLines
from symgen.io.files import read_bytes
from symgen.io.importcheck import bar_lines
from symgen.io.limits import limits_in_force
from symgen.io.raw import Raw, RawFile, meta, midi_file
from symgen.io.smf import TEXT, TRACK_NAME
from symgen.io.words import recipe_of, recipe_text
from symgen.io.writing import writing_in_force
from symgen.score import Score

__all__ = [
    "Recipe",
    "Signer",
    "byte_differences",
    "changed_since",
    "digest_of",
    "read_recipe",
    "write_recipe",
    "write_signed",
]

_LIBRARIES = ("numpy", "torch", "mido", "music21")
_ENDING = ".recipe.json"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a file says of how it was made.

    Parameters
    ----------
    version
        Of symgen.
    words
        Of the command, without where the result went.
    inputs
        Path and SHA-256 of each file that was read.
    checkpoint
        The start of the digest of the model's weights; empty where none was used.
    place
        Which of the files of the command it is: ``file``, ``part`` and ``stem`` where they were written.
    """

    version: str
    words: tuple[str, ...]
    inputs: tuple[tuple[str, str], ...] = ()
    checkpoint: str = ""
    place: tuple[str, str, str] = ("", "", "")

    @classmethod
    def of(cls, entries: Mapping[str, str], name: str = "the recipe") -> Recipe:
        """Return the recipe of a score's words.

        Raises
        ------
        RequestError
            If they don't say which command made it.
        """
        if "command" not in entries:
            msg = f"{name}: its recipe has no command: expected a file that a command of symgen wrote"
            raise RequestError(msg)
        try:
            words, inputs = (shlex.split(entries.get(key, "")) for key in ("command", "inputs"))
        except ValueError as error:
            msg = f"{name}: its recipe is damaged ({error}): expected words quoted as a shell does"
            raise RequestError(msg) from error
        pairs = tuple((path, digest) for path, _, digest in (text.rpartition("=") for text in inputs))
        place = (entries.get("file", ""), entries.get("part", ""), entries.get("stem", ""))
        return cls(entries.get("version", ""), tuple(words), pairs, entries.get("checkpoint", ""), place)


@dataclass(slots=True)
class Signer:
    """Adds the recipe to each score that one run of a command saves, and writes it beside the file if asked to.

    Parameters
    ----------
    version
        Of symgen.
    words
        Of the command.
    inputs
        The files it reads.
    checkpoint
        Of the model that it loads, as it was asked for; not asked where ``has_model`` is false.
    has_model, is_ensemble
        Whether the command uses a model, and whether it is that of an ensemble.
    is_beside
        Whether the whole recipe is written beside each file.
    """

    version: str
    words: tuple[str, ...]
    inputs: tuple[tuple[str, str], ...] = ()
    checkpoint: str | Path | None = None
    has_model: bool = False
    is_beside: bool = False
    is_ensemble: bool = False
    n_signed: int = field(default=0, init=False)

    def sign(self, score: Score) -> Score:
        """Return a score with its recipe."""
        self.n_signed += 1
        entries = {k: v for k, v in score.recipe if k not in ("inputs", "file", "part", "stem")}
        if self.inputs:
            entries.pop("checkpoint", None)  # that of what was read
            entries["inputs"] = shlex.join(f"{path}={digest}" for path, digest in self.inputs)
        if self.has_model:
            entries["checkpoint"] = _model_digest(self.checkpoint, is_ensemble=self.is_ensemble)
        entries |= {"version": self.version, "command": shlex.join(self.words)}
        if self.n_signed > 1:
            entries["file"] = str(self.n_signed)
        return replace(score, recipe=tuple(entries.items()))

    def write_beside(self, score: Score, path: Path, data: bytes) -> None:
        """Write the whole recipe beside a file, if that was asked for."""
        if self.is_beside:
            write_recipe(score, path, data)


def write_signed(path: Path, data: bytes) -> bytes:
    """Write a MIDI file that was made from another, with the recipe of what is written here for its own.

    Returns
    -------
    bytes
        What stands in the file: the very bytes where nothing here has a recipe.

    Raises
    ------
    FileFormatError
        If it is no MIDI file.
    OutputError
        If it cannot be written.
    """
    writing = writing_in_force()
    file = RawFile.read(data, str(path))
    texts = [raw for raw in file.tracks[0] if raw.meta_kind == TEXT]
    found = [(raw, recipe_of(raw.payload.decode("utf-8", "replace"))) for raw in texts]
    old = [(raw, entries) for raw, entries in found if entries is not None]
    before = Score(1, recipe=old[0][1] if old else ())
    score = writing.signed(before)
    if score.recipe != before.recipe:
        kept = [raw for raw in file.tracks[0] if not any(raw is one for one, _ in old)]
        first = [raw for raw in kept[:1] if raw.meta_kind == TRACK_NAME and raw.tick == 0]
        signed = [*first, meta(0, TEXT, recipe_text(score.recipe).encode()), *kept[len(first) :]]
        data = midi_file(file.ticks_per_quarter, [signed, *file.tracks[1:]], file.ends, file.format_number)
    write_whole(path, data)
    writing.wrote(score, path, data)
    return data


def write_recipe(score: Score, path: Path, data: bytes) -> Path:
    """Write the whole recipe of a file beside it; return where."""
    entries = dict(score.recipe)
    recipe = Recipe.of(entries, str(path))
    facts = {
        "file": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "version": recipe.version,
        "words": list(recipe.words),
        "inputs": [{"path": place, "sha256": digest} for place, digest in recipe.inputs],
        "checkpoint": recipe.checkpoint,
        "made with": _environment(),
        "recipe": entries,
    }
    beside = path.with_name(path.name + _ENDING)
    write_whole(beside, (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode())
    return beside


def read_recipe(path: Path) -> Recipe:
    """Return the recipe of a MIDI file, or that in a JSON file.

    Raises
    ------
    FileFormatError
        If the file cannot be read.
    RequestError
        If there is no recipe in it.
    """
    data = read_bytes(path, limits_in_force())
    if path.suffix.lower() == ".json":
        return Recipe.of(_json_entries(data, path), str(path))
    if path.suffix.lower() == ".musicxml":
        beside = path.with_name(path.name + _ENDING)
        return Recipe.of(_json_entries(read_bytes(beside, limits_in_force()), beside), str(beside))
    texts = (raw.payload for raw in RawFile.read(data, str(path)).tracks[0] if raw.meta_kind == TEXT)
    found = (recipe_of(text.decode("utf-8", errors="replace")) for text in texts)
    entries = next((entries for entries in found if entries is not None), None)
    if entries is None:
        msg = f"{path}: no recipe in it: expected a MIDI file that symgen wrote"
        raise RequestError(msg)
    return Recipe.of(dict(entries), str(path))


def _json_entries(data: bytes, path: Path) -> dict[str, str]:
    try:
        entries = json.loads(data)["recipe"]
        return {str(key): str(value) for key, value in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: no recipe: expected a file that --recipe wrote"
        raise RequestError(msg) from error


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(read_bytes(path, limits_in_force())).hexdigest()


def changed_since(recipe: Recipe, version: str, found: Sequence[Path | None], checkpoint: str | None) -> list[str]:
    """Return what is no longer as it was when a file was made, in words.

    Parameters
    ----------
    recipe
        Of the file.
    version
        Of symgen, now.
    found
        Where its inputs are now; ``None`` for those that are gone.
    checkpoint
        Of the model, as it is asked for.
    """
    said = []
    if recipe.version != version:
        said.append(f"version: made with {recipe.version or 'one that is not said'}, this is {version}")
    is_ensemble = ("--model", "gan") in pairwise(recipe.words)
    if recipe.checkpoint and (now := _model_digest(checkpoint, is_ensemble=is_ensemble)) != recipe.checkpoint:
        said.append(f"checkpoint: made with {recipe.checkpoint}, this is {now}")
    for (name, digest), path in zip(recipe.inputs, found, strict=True):
        if path is None:
            said.append(f"input {name}: no such file")
        elif (now := digest_of(path)) != digest:
            said.append(f"input {name}: had SHA-256 {digest[:12]}, {path} has {now[:12]}")
    return said


def byte_differences(given: bytes, made: bytes) -> list[str]:
    """Return how two MIDI files differ, in words: nothing for equal bytes, else the first place in every track."""
    if given == made:
        return []
    if not given.startswith(b"MThd"):
        return [f"{len(given):,} bytes, made again {len(made):,}"]
    one, other = RawFile.read(given, "the file"), RawFile.read(made, "the new one")
    said = []
    for name in ("format_number", "ticks_per_quarter"):
        before, now = getattr(one, name), getattr(other, name)
        said += [f"{name.replace('_', ' ')}: {before}, made again {now}"] if before != now else []
    if len(one.tracks) != len(other.tracks):
        said.append(f"{len(one.tracks)} tracks, made again {len(other.tracks)}")
    lines = bar_lines(one)
    for index, (before, now) in enumerate(zip(one.tracks, other.tracks, strict=False), start=1):
        said += _first_difference(f"track {index}", before, now, lines)
    return said or ["the same events in other bytes"]


def _first_difference(where: str, before: Sequence[Raw], now: Sequence[Raw], lines: BarLines) -> list[str]:
    for one, other in zip_longest(before, now):
        if one != other:
            place = f"bar {lines.place((one or other).tick)[0]}"
            return [f"{where}, {place}: {_shown(one)}, made again {_shown(other)}"]
    return []


def _shown(raw: Raw | None) -> str:
    if raw is None:
        return "nothing"
    if 0 < raw.meta_kind < 16:
        return repr(raw.payload.decode("utf-8", errors="replace")[:200])
    return f"tick {raw.tick}: {raw.data[:16].hex(' ')}"


def _model_digest(checkpoint: str | Path | None, *, is_ensemble: bool) -> str:
    from symgen.pipeline.ensemble import load_ensemble_model
    from symgen.pipeline.generate import load_model

    return load_ensemble_model(checkpoint).digest[:16] if is_ensemble else load_model(checkpoint).digest[:16]


def _environment() -> dict[str, Any]:
    found: dict[str, Any] = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
