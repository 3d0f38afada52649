"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from symgen.errors import OutputError

_STALE_SECONDS = 60.0  # a file that is being written is younger, and its writer may run on another machine

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
    _clear_up(path)
    beside = path.with_name(f".{path.stem}.{os.getpid()}-{uuid4().hex}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    except OSError as error:
        msg = f"{path}: could not be written: {error.strerror or error}"
        raise OutputError(msg) from error
    finally:
        beside.unlink(missing_ok=True)


def _clear_up(path: Path) -> None:
    """Take away what writers of the same file have left behind when they were killed."""
    left = re.compile(rf"\.{re.escape(path.stem)}\.(\d+)-[0-9a-f]{{32}}{re.escape(path.suffix)}")
    for other in path.parent.glob(f".*{glob.escape(path.suffix)}"):
        match = left.fullmatch(other.name)
        with contextlib.suppress(OSError):
            if match and time.time() - other.stat().st_mtime > _STALE_SECONDS and not _runs(int(match[1])):
                other.unlink()


def _runs(process: int) -> bool:
    """Whether a process may still be running; where one cannot ask, it may."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it appears whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written, in one line.
    """
    with written_beside(path) as beside:
        beside.write_bytes(data)
