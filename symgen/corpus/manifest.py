"""The manifest of corpora: what each is, how to get it, and what may be done with it."""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from symgen.errors import CorpusError

__all__ = ["ROOT_VARIABLE", "CorpusEntry", "corpus_path", "corpus_roots", "entry_named", "load_manifest"]

ROOT_VARIABLE = "SYMGEN_CORPORA"
"""Environment variable that names a folder of corpora."""


@dataclass(frozen=True, slots=True)
class CorpusEntry:
    """One row of ``corpora/manifest.toml``; its head explains the fields."""

    name: str
    title: str
    reader: str
    source: str
    style: str
    get: str
    licence: str
    music: str
    weights: str
    split: str
    digest: str = ""

    @property
    def is_embedded(self) -> bool:
        """Whether every installation has it, inside music21."""
        return self.reader.startswith("music21")


@cache
def load_manifest() -> tuple[CorpusEntry, ...]:
    """Return all rows of the manifest, in its order."""
    text = resources.files("symgen.corpora").joinpath("manifest.toml").read_text(encoding="utf-8")
    return tuple(CorpusEntry(**row) for row in tomllib.loads(text)["corpus"])


def entry_named(name: str) -> CorpusEntry:
    """Return the row of a corpus.

    Raises
    ------
    CorpusError
        If the manifest has no such corpus; the error suggests a near name.
    """
    entries = {entry.name: entry for entry in load_manifest()}
    if name not in entries:
        near = difflib.get_close_matches(name, entries, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        msg = f"corpus {name!r}: expected one of {', '.join(entries)}{hint}"
        raise CorpusError(msg)
    return entries[name]


def corpus_roots() -> list[Path]:
    """Return the folders in which corpora are looked for: the environment's, then ``./corpora``."""
    named = [Path(part) for part in os.environ.get(ROOT_VARIABLE, "").split(os.pathsep) if part]
    return [*named, Path("corpora")]


def corpus_path(entry: CorpusEntry) -> Path:
    """Return where a corpus that is not embedded lies.

    Raises
    ------
    CorpusError
        If it is in none of the roots; the error says how to get it.
    """
    for root in corpus_roots():
        if (root / entry.source).exists():
            return root / entry.source
    looked = ", ".join(str(root) for root in corpus_roots())
    msg = f"corpus {entry.name!r} not found in {looked}: get it from {entry.get} and set {ROOT_VARIABLE} to its parent"
    raise CorpusError(msg)
