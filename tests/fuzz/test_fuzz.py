"""A short run over every reader; ``python -m tests.fuzz`` runs for as long as one likes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_edits import EDITS, Edit, damaged
from fuzz_targets import TARGETS, BadRefusalError, HangError, Target, outcome
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symgen.errors import FileFormatError

EXAMPLES = {"midi": 300, "chords": 200, "rules": 200, "checkpoint": 8, "musicxml": 12, "abc": 40, "kern": 40}
ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_damaged_is_read_or_refused(name: str) -> None:
    target = TARGETS[name]
    seeds = target.seeds()

    @settings(max_examples=EXAMPLES[name], deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.sampled_from(seeds), EDITS)
    def run(seed: bytes, edits: list[Edit]) -> None:
        assert outcome(target, damaged(seed, edits, target.words)) in {"read", "refused"}

    run()


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_whole_is_read(name: str) -> None:
    target = TARGETS[name]
    for seed in target.seeds():
        in_frames = seed[12:14] == b"\xe7\x28"  # a MIDI file without beats can be rendered, but stands on no grid
        assert outcome(target, seed) == ("refused" if in_frames else "read")


def test_soundfonts_are_tried_in_a_process_of_their_own(tmp_path: Path) -> None:
    words = ["soundfont", "--cases", "40", "--seed", "1", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "soundfont: 40 cases" in done.stdout


def test_atheris_tries_a_reader_too(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="no atheris here")
    words = ["rules", "--engine", "atheris", "--cases", "200", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tried = re.match(r"rules: (\d+) cases: .* 0 crashed", done.stdout)
    assert tried is not None, done.stdout
    assert int(tried[1]) >= 200


class TestTheFuzzerItself:
    """It must see what it is there to see."""

    @pytest.mark.parametrize(("error", "seen"), [
        (KeyError("x"), KeyError),
        (FileFormatError("two\nlines"), BadRefusalError),
        (FileFormatError(""), BadRefusalError),
        (FileFormatError("x" * 5000), BadRefusalError),
    ])  # fmt: skip
    def test_what_is_no_refusal_gets_out(self, error: Exception, seen: type[Exception]) -> None:
        def read(data: bytes) -> None:
            raise error

        with pytest.raises(seen):
            outcome(Target("x", read, lambda: [b""]), b"")

    def test_a_hang_gets_out_of_every_except(self) -> None:
        def read(data: bytes) -> None:
            while True:
                try:
                    while True:
                        pass
                except Exception:  # as libraries do
                    pass

        with pytest.raises(HangError):
            outcome(Target("x", read, lambda: [b""], patience_seconds=1), b"")

    def test_every_kind_of_damage_does_what_it_says(self) -> None:
        data = b"abcdefgh"
        results = {
            "put": b"abcdXYgh",
            "insert": b"abcdXYefgh",
            "delete": b"abcdgh",
            "repeat": b"abcdefefefefgh",
            "flip": b"abcdafgh",
            "cut": b"abcd",
            "swap": b"abcdghef",
            "word": b"abcdWefgh",
        }
        found = {kind: damaged(data, [Edit(kind, 0.5, 2, b"XY")], [b"V", b"U", b"W"]) for kind in results}
        results["word"] = b"abcdWefgh"
        assert found == results
