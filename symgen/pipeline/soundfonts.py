"""The soundfonts on this machine: which there are, what they are, and putting one where it is found."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symgen.errors import RequestError
from symgen.files import written_beside
from symgen.render.catalogue import FontFacts, Known, describe, digest_of, known_soundfont
from symgen.render.soundfont import all_soundfonts, check_soundfont, find_soundfont, is_compressed, own_folder

__all__ = ["FontEntry", "FontReport", "add_soundfont", "list_soundfonts", "tell_of_soundfont"]

_UNKNOWN = "not known: see where it came from"


@dataclass(frozen=True, slots=True)
class FontEntry:
    """A soundfont file.

    Parameters
    ----------
    path
        Where it is.
    n_bytes
        Its size.
    digest
        SHA-256.
    known
        What is known of files with this digest.
    """

    path: Path
    n_bytes: int
    digest: str
    known: Known | None

    @classmethod
    def of(cls, path: Path) -> FontEntry:
        """Read a file."""
        digest = digest_of(path)
        return cls(path, path.stat().st_size, digest, known_soundfont(digest))

    @property
    def licence(self) -> str:
        """Its licence, if it is known."""
        return self.known.licence if self.known else _UNKNOWN

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.path.stem,
            "file": str(self.path),
            "bytes": self.n_bytes,
            "sha256": self.digest,
            "title": self.known.title if self.known else None,
            "licence": self.known.licence if self.known else None,
        }


@dataclass(frozen=True, slots=True)
class FontReport:
    """A soundfont file and what it says of itself."""

    entry: FontEntry
    facts: FontFacts
    is_compressed: bool


def list_soundfonts() -> list[FontEntry]:
    """Return the soundfonts that a render finds by name, in the order of its search; the first is the usual one."""
    return [FontEntry.of(path) for path in all_soundfonts()]


def tell_of_soundfont(name_or_path: str) -> FontReport:
    """Return what there is to know of a soundfont.

    Raises
    ------
    MissingDependencyError, FileFormatError
        If there is none of that name, or it is damaged.
    """
    path = find_soundfont(name_or_path)
    return FontReport(FontEntry.of(path), describe(path), is_compressed(path))


def add_soundfont(source: Path, name: str | None = None, *, replaces: bool = False) -> FontEntry:
    """Copy a soundfont into the user's folder, once FluidSynth has loaded it.

    Parameters
    ----------
    source
        The file.
    name
        What it is called there, without ending; as the file if left out.
    replaces
        Whether another file of that name goes.

    Raises
    ------
    MissingDependencyError, FileFormatError, RenderError
        If there is no such file, or it is no soundfont that can be played.
    RequestError
        If another file has that name, or the name is none for a file.
    OutputError
        If it cannot be written.
    """
    from symgen.render.play import kept

    check_soundfont(source)
    name = source.stem if name is None else name
    if not name or Path(name).name != name or name.startswith("."):
        msg = f"name {name!r}: expected one for a file, without a folder"
        raise RequestError(msg)
    kept(source).close()
    suffix = ".sf3" if is_compressed(source) else ".sf2"
    place = own_folder() / f"{name}{suffix}"
    if place.exists() and digest_of(place) == digest_of(source):
        return FontEntry.of(place)
    if place.exists() and not replaces:
        msg = f"{place}: another soundfont has this name: expected another one with --name, or --replace"
        raise RequestError(msg)
    place.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(place) as beside:
        shutil.copyfile(source, beside)
    return FontEntry.of(place)
