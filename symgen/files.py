"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from symgen.errors import OutputError

__all__ = ["check_place", "write_whole", "written_beside"]


def check_place(path: Path) -> None:
    """Refuse a path where no file can be.

    Raises
    ------
    OutputError
        If it is a folder, or lies in none.
    """
    if path.is_dir() or not path.parent.is_dir():
        missing = f"no folder {str(path.parent)!r}: expected one that exists"
        what = "is a folder: expected a file" if path.is_dir() else missing
        msg = f"{path}: {what}"
        raise OutputError(msg)


@contextlib.contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``path`` once the block has ended well.

    Parameters
    ----------
    path
        Where the file is to be; an old one stays until the new one is whole.

    Raises
    ------
    OutputError
        If the folder is missing or the file cannot be written, in one line.
    """
    check_place(path)
    beside = path.with_name(f".{path.stem}.{uuid4().hex}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    except OSError as error:
        msg = f"{path}: could not be written: {error.strerror or error}"
        raise OutputError(msg) from error
    finally:
        beside.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it appears whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written, in one line.
    """
    with written_beside(path) as beside:
        beside.write_bytes(data)
