"""Commands killed at each of their file operations, in processes forked from one that has loaded everything.

Run by test_killed.py as a program: its argument is a file of JSON, what it prints is JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

_EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "shutil.rmtree"}


def is_writing(event: str, arguments: tuple[Any, ...], root: str) -> bool:
    """Whether something is about to change in the folder of the test."""
    if event == "open":
        path, mode, flags = arguments
        writes = (isinstance(mode, str) and set(mode) & set("wax+")) or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return bool(writes) and str(path).startswith(root)
    return event in _EVENTS and any(str(a).startswith(root) for a in arguments if isinstance(a, str | os.PathLike))


def run(words: list[str], root: str, kill_at: int) -> int:
    """Run a command in a fork that ends by SIGKILL just before its operation of a number; return its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if is_writing(event, arguments, root):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    from symgen.cli import main

    sys.addaudithook(watch)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        code = main(words)
    if code:
        print(err.getvalue(), file=sys.stderr, flush=True)
    os._exit(code)


def contents(folder: Path) -> dict[str, str]:
    """What a user sees in a folder: names, and the bytes as hexadecimal digits."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes().hex() for path in paths}


def restore(folder: Path, before: dict[str, str]) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    for name, data in before.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes.fromhex(data))


def main() -> None:
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder, words = Path(asked["folder"]), asked["words"]
    os.chdir(asked["here"])
    run([*words, "--help"], "\0", 0)  # whether the command is there at all
    __import__("symgen.model.train"), __import__("symgen.pipeline.training"), __import__("symgen.render.audio")
    before = contents(folder)
    killed, number = [], 1 - asked["every"]
    while True:
        number += asked["every"]
        code = run(words, str(folder), number)
        left = contents(folder)
        after_again = code if code == 0 else run(words, str(folder), 0)
        killed.append({"code": code, "left": left, "again": after_again, "then": contents(folder)})
        restore(folder, before)
        if code != -signal.SIGKILL:
            break
    print(json.dumps({"before": before, "killed": killed}))


if __name__ == "__main__":
    main()
