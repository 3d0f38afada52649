"""Commands whose results have no place: on a full disk, and in a folder that may not be written to.

Run by test_bad_places.py as a program in a mount namespace of its own; prints a line of JSON for each command.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path


def mount(folder: Path, *, is_full: bool) -> None:
    """Put a small disk there with some old files; then fill it, or let nobody write to it any more."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "none", str(folder)], check=True)
    (folder / "model").mkdir()
    for name in ("a.mid", "a.wav", "a.png", "model/MODEL_CARD.md"):
        (folder / name).write_bytes(b"precious")
    if not is_full:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        return
    with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def contents(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): hash(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def main() -> None:
    asked = json.loads(sys.stdin.read())
    folder = Path(asked["folder"])
    mount(folder, is_full=asked["full"])
    from symgen.cli import main as symgen

    before = contents(folder)
    for words in asked["commands"]:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
            code = symgen(words)
        same = contents(folder) == before
        print(json.dumps({"words": words, "code": code, "said": said.getvalue(), "same": same}), flush=True)


if __name__ == "__main__":
    main()
