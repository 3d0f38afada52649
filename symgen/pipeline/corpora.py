"""Corpora by name or by folder: listing, building, describing."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from symgen.corpus.build import BuildReport, build_corpus, default_folder
from symgen.corpus.manifest import CorpusEntry, corpus_path, entry_named, load_manifest
from symgen.corpus.shards import read_index
from symgen.errors import CorpusError

__all__ = ["build_named", "corpus_rows", "describe", "entry_of"]


def corpus_rows() -> list[dict[str, str]]:
    """Return the manifest with one more column, ``here``: ``embedded``, ``found`` or ``absent``."""
    return [{**asdict(entry), "here": _whereabouts(entry)} for entry in load_manifest()]


def entry_of(name: str) -> CorpusEntry:
    """Return the manifest's row of a name, or a row for a folder of the user's own music.

    Raises
    ------
    CorpusError
        If it is neither.
    """
    if not Path(name).is_dir():
        return entry_named(name)
    folder = Path(name).resolve()
    # The name carries a digest of the whole path: many a folder is called "midi".
    place = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    short = (re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-") or "folder") + f"-{place}"
    return CorpusEntry(
        short, f"the folder {folder}", "folder", str(folder), "", "yours", "yours", "yours", "opt-in", "digest"
    )


def build_named(
    name: str,
    folder: Path | None = None,
    *,
    steps_per_quarter: int = 12,
    n_processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> BuildReport:
    """Build a corpus; see :func:`symgen.corpus.build.build_corpus`.

    Parameters
    ----------
    name
        In the manifest, or a folder of music.
    folder
        Where to write; in the user's cache if left out.
    steps_per_quarter
        The grid.
    n_processes, progress
        Passed on.
    """
    entry = entry_of(name)
    target = folder or default_folder(entry, steps_per_quarter)
    return build_corpus(entry, target, steps_per_quarter=steps_per_quarter, n_processes=n_processes, progress=progress)


def describe(name: str, folder: Path | None = None, *, steps_per_quarter: int = 12) -> dict[str, Any]:
    """Return what is known of a corpus that has been built.

    Raises
    ------
    CorpusError
        If it has not.
    """
    entry = entry_of(name)
    index = read_index(folder or default_folder(entry, steps_per_quarter))
    splits = Counter(row[3] for row in index["pieces"])
    return {
        "name": entry.name,
        "title": entry.title,
        "licence": entry.licence,
        "music": entry.music,
        "weights": entry.weights,
        "steps_per_quarter": index["steps_per_quarter"],
        "digest": index["digest"],
        "files_as_in_manifest": index["digest"] == entry.digest,
        "pieces": len(index["pieces"]),
        **{split: splits[split] for split in ("train", "valid", "test")},
        "duplicates": index["n_duplicates"],
        "skipped": index["skipped"],
    }


def _whereabouts(entry: CorpusEntry) -> str:
    if entry.is_embedded:
        return "embedded"
    try:
        corpus_path(entry)
    except CorpusError:
        return "absent"
    return "found"
