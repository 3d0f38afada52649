"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from symgen.errors import RenderError

__all__ = ["check_place", "written_beside"]


def check_place(path: Path) -> None:
    """Refuse a path where no file can be.

    Raises
    ------
    RenderError
        If it is a folder, or lies in none.
    """
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder: expected a file" if path.is_dir() else f"there is no folder {path.parent}: make it first"
        msg = f"{path}: {what}"
        raise RenderError(msg)


@contextlib.contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``path`` once the block has ended well.

    Parameters
    ----------
    path
        Where the file is to be; an old one stays until the new one is whole.

    Raises
    ------
    RenderError
        If the folder is missing or the file cannot be written, in one line.
    """
    check_place(path)
    beside = path.with_name(f".{path.stem}.{uuid4().hex}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    except OSError as error:
        msg = f"{path}: could not be written ({error.strerror or error})"
        raise RenderError(msg) from error
    finally:
        beside.unlink(missing_ok=True)
