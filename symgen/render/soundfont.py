"""Soundfonts: found in a fixed order, and looked at before native code reads them.

The order is: a path or name the caller gives; the folder ``soundfonts/`` in the current directory;
the user's data folders; the system's folders; the small General MIDI soundfont that the
``pretty_midi`` package carries, which is always there. Within a folder well-known General MIDI
soundfonts come first, then the others by name.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import BinaryIO

from symgen.errors import FileFormatError, MissingDependencyError

__all__ = ["all_soundfonts", "check_soundfont", "find_soundfont", "is_compressed", "own_folder", "soundfont_folders"]

_PARTS = (b"INFO", b"sdta", b"pdta")
_SUFFIXES = (".sf2", ".sf3")
_KNOWN = ("default-gm", "fluidr3_gm", "musescore_general", "generaluser", "timgm6mb")
_SYSTEM_FOLDERS = (
    "/usr/local/share/soundfonts",
    "/usr/local/share/sounds/sf2",
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/opt/homebrew/share/soundfonts",
)
_ADVICE = "name an SF2 or SF3 file, or put one into soundfonts/"


def find_soundfont(name_or_path: str | Path | None = None) -> Path:
    """Return the soundfont to play with.

    Parameters
    ----------
    name_or_path
        A file; or a name such as ``FluidR3_GM``, looked up in the folders, with or without its
        ending; or ``None`` for the first soundfont in the order above.

    Raises
    ------
    MissingDependencyError
        If there is none of that name, or none at all.
    FileFormatError
        If the file is no SF2 or SF3, or was cut off.
    """
    path = _first() if name_or_path is None else _named(name_or_path)
    check_soundfont(path)
    return path


def soundfont_folders() -> tuple[Path, ...]:
    """Return the folders that are searched, in order, whether they exist or not."""
    system = () if sys.platform == "win32" else tuple(Path(folder) for folder in _SYSTEM_FOLDERS)
    return (Path("soundfonts"), *_user_folders(), *system, *_package_folders())


def own_folder() -> Path:
    """Return the folder of the user for soundfonts of this program, whether it exists or not."""
    return _user_folders()[0]


def all_soundfonts() -> list[Path]:
    """Return every soundfont that has a name, in the order of the search."""
    return [path for folder in soundfont_folders() for path in _in_folder(folder)]


def check_soundfont(path: Path) -> None:
    """Refuse what is no SF2 or SF3 file, or a part of one, without loading it.

    Raises
    ------
    MissingDependencyError
        If there is no such file.
    FileFormatError
        If it does not start as a soundfont does, or is shorter than it says.
    """
    if not path.is_file():
        kind = "not a file" if path.exists() else "no such file"
        msg = f"soundfont {path}: {kind}; {_ADVICE}"
        raise MissingDependencyError(msg)
    try:
        with path.open("rb") as file:
            head = file.read(12)
            parts = _parts(file)
    except OSError as error:
        msg = f"soundfont {path}: could not be read ({error.strerror})"
        raise FileFormatError(msg) from error
    if head[:4] != b"RIFF" or head[8:12] != b"sfbk":
        found = "a DLS file" if head[8:12] == b"DLS " else f"one that starts with {head!r}" if head else "an empty one"
        msg = f"soundfont {path}: expected an SF2 or SF3 file, found {found}; {_ADVICE}"
        raise FileFormatError(msg)
    said, there = 8 + int.from_bytes(head[4:8], "little"), path.stat().st_size
    if there < said:
        msg = f"soundfont {path}: cut off after {there:,} of {said:,} bytes; download it again"
        raise FileFormatError(msg)
    if parts != _PARTS:
        msg = f"soundfont {path}: damaged: expected the parts INFO, sdta and pdta; download it again"
        raise FileFormatError(msg)


def is_compressed(path: Path) -> bool:
    """Whether a soundfont's samples are compressed, as those of SF3 files are: its version is 3."""
    with path.open("rb") as file:
        head = file.read(256)
    place = head.find(b"ifil")
    return place >= 0 and head[place + 8 : place + 9] == b"\x03"


def _parts(file: BinaryIO) -> tuple[bytes, ...]:
    """Return the kinds of the lists a soundfont is made of, from where its first one starts."""
    kinds = []
    for _ in _PARTS:
        head = file.read(12)
        if head[:1] == b"\0":  # after a part of odd length, which the writers of SF3 files do not pad
            head = head[1:] + file.read(1)
        kinds.append(head[8:] if head[:4] == b"LIST" else b"")
        file.seek(max(0, int.from_bytes(head[4:8], "little") - 4), os.SEEK_CUR)
    return tuple(kinds)


def _named(name_or_path: str | Path) -> Path:
    path = Path(name_or_path).expanduser()
    if path.exists() or len(path.parts) > 1:
        return path
    wanted = path.name.casefold()
    for found in all_soundfonts():
        if wanted in (found.name.casefold(), found.stem.casefold()):
            return found
    names = ", ".join(found.stem for found in all_soundfonts()) or "none"
    msg = (
        f"soundfont {str(name_or_path)!r}: no such file, and no soundfont of that name (there are: {names}); {_ADVICE}"
    )
    raise MissingDependencyError(msg)


def _first() -> Path:
    for found in all_soundfonts():
        return found
    msg = f"no soundfont was found; {_ADVICE}, or `pip install pretty_midi`, which carries a small one"
    raise MissingDependencyError(msg)


def _in_folder(folder: Path) -> list[Path]:
    """Return the soundfonts of a folder: well-known ones first, then by name."""
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file()]
    except OSError:
        return []
    return sorted(found, key=lambda path: (_rank(path), path.name.casefold(), path.name))


def _rank(path: Path) -> int:
    stem = path.stem.casefold()
    return next((rank for rank, known in enumerate(_KNOWN) if stem.startswith(known)), len(_KNOWN))


def _user_folders() -> tuple[Path, ...]:
    home = Path.home()
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = home / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    banks = (home / "Library" / "Audio" / "Sounds" / "Banks",) if sys.platform == "darwin" else ()
    return (data / "symgen" / "soundfonts", data / "soundfonts", data / "sounds" / "sf2", *banks)


def _package_folders() -> tuple[Path, ...]:
    """Return the folder of the installed pretty_midi, found without importing it."""
    spec = importlib.util.find_spec("pretty_midi")
    return tuple(Path(place) for place in (spec.submodule_search_locations or ())) if spec else ()
