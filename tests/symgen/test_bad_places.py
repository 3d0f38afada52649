"""A full disk and a read-only one, mounted for the purpose: each command ends in one line, and nothing is lost."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_corpus import TINY_TRAINING, write_tunes

ROOT = Path(__file__).parent.parent.parent
_NAMESPACE = ["unshare", "--map-root-user", "--mount"]
_REASONS = {True: "No space left on device", False: "Read-only file system"}


def can_mount() -> bool:
    """Whether a process may have mounts of its own here."""
    try:
        return (
            subprocess.run([*_NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0
        )
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not can_mount(), reason="no mounts of one's own here")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sys.path.append(str(Path(__file__).with_name("render")))
    from tiny_soundfont import soundfont_bytes

    here = tmp_path_factory.mktemp("places")
    write_tunes(here / "music", random.Random(0))
    (here / "in.mid").write_bytes((here / "music" / "0.mid").read_bytes())
    (here / "tiny.toml").write_text(TINY_TRAINING, encoding="utf-8")
    (here / "tiny.sf2").write_bytes(soundfont_bytes({(0, 0): 440.0}))
    return here


def commands(out: Path) -> list[list[str]]:
    song = ["generate", "--decoder", "chain", "--bars", "1", "--seed", "1"]
    render = ["render", "in.mid", "--soundfont", "tiny.sf2"]
    return [
        [*song, "-o", f"{out}/a.mid"],
        [*song, "-o", f"{out}/b.mid", "--recipe", "--stems"],
        [*song, "-o", f"{out}/a.musicxml"],
        ["vary", "in.mid", "--seed", "1", "-o", f"{out}/a.mid"],
        ["humanize", "in.mid", "--seed", "1", "-o", f"{out}/a.mid"],
        ["check", "in.mid", "--fix", "-o", f"{out}/a.mid"],
        [*render, "-o", f"{out}/a.wav"],
        [*render, "-o", f"{out}/a.flac"],
        [*render, "-o", f"{out}/b.wav", "--stems"],
        ["plot", "in.mid", "-o", f"{out}/a.png"],
        ["plot", "in.mid", "-o", f"{out}/b.svg"],
        ["corpus", "build", "music", "--processes", "1", "--out", f"{out}/corpus"],
        ["train", "--corpus", "music", "--config", "tiny.toml", "--updates", "1", "-o", f"{out}/model"],
        ["train", "--corpus", "music", "--config", "tiny.toml", "--updates", "1", "-o", f"{out}/new"],
    ]


@pytest.mark.parametrize("is_full", [True, False], ids=["full", "read-only"])
def test_each_command_ends_in_one_line_and_leaves_nothing(is_full: bool, here: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    request = json.dumps({"folder": str(out), "full": is_full, "commands": commands(out)})
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(here / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*_NAMESPACE, sys.executable, "-W", "ignore", str(Path(__file__).with_name("bad_places.py"))],
        input=request, capture_output=True, text=True, env=environment, cwd=here, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(commands(out))
    for one in told:
        assert one["code"] == 2, one
        assert one["said"].count("\n") == 1, one
        assert one["said"].startswith(f"symgen {one['words'][0]}: {out}/"), one
        assert one["said"].endswith(f": {_REASONS[is_full]}\n"), one
        assert one["same"], one
