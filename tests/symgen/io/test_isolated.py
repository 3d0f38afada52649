"""Text formats read in a process of their own: the same scores and refusals, and what it survives."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from score_strategies import scores

from symgen.cli import main
from symgen.errors import FileFormatError, GridError
from symgen.io import load
from symgen.io.isolated import TimeLimitError, score_from_plain, score_to_plain, time_limit
from symgen.io.limits import Limits, limits_in_force, limits_set
from symgen.score import Score

ABC = 'X:1\nT:T\nM:4/4\nL:1/4\nK:Am\n"Am"ABcd|e4|"E7"^g4|\n'
APART = Limits(load_seconds=60)


@given(scores())
def test_a_score_made_plain_comes_back(score: Score) -> None:
    import json

    back = score_from_plain(json.loads(json.dumps(score_to_plain(score))))
    assert back == score
    assert back.recipe == score.recipe


def test_the_same_score_and_the_same_refusals(tmp_path: Path) -> None:
    tune, damaged = tmp_path / "tune.abc", tmp_path / "bad.musicxml"
    tune.write_text(ABC, encoding="utf-8")
    damaged.write_text("<?xml version='1.0'?><a", encoding="utf-8")
    assert load(tune, limits=APART) == load(tune)
    odd = tmp_path / "odd.abc"
    odd.write_text(ABC.replace("4/4", "7/8"), encoding="utf-8")
    for path, grid, n_notes in ((damaged, 12, 99), (odd, 1, 99), (tune, 12, 3)):
        refusals = []
        for limits in (Limits(n_notes=n_notes), replace(APART, n_notes=n_notes)):
            with pytest.raises((FileFormatError, GridError)) as caught:
                load(path, steps_per_quarter=grid, limits=limits)
            refusals.append((caught.type, " ".join(str(caught.value).split())))
        assert refusals[0] == refusals[1]


def test_one_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    tune = tmp_path / "tune.abc"
    tune.write_text(ABC, encoding="utf-8")
    with pytest.raises(
        FileFormatError, match=r"tune\.abc: not read within 0\.01 seconds: the limit is --max-load-time"
    ):
        load(tune, limits=Limits(load_seconds=0.01))


def test_a_reader_that_breaks_down_costs_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that ends its process at import, in the place of the real one."""
    tune = tmp_path / "tune.abc"
    tune.write_text(ABC, encoding="utf-8")
    (tmp_path / "music21.py").write_text("import os; os.kill(os.getpid(), 11)", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        FileFormatError, match=r"tune\.abc: could not be read: its reader broke down \(ended by signal 11"
    ):
        load(tune, limits=APART)


def test_a_block_may_take_so_long_and_no_longer() -> None:
    def hang() -> None:
        while True:
            try:
                while True:
                    pass
            except Exception:  # as libraries do
                pass

    with time_limit(1), pytest.raises(TimeLimitError):
        hang()
    with time_limit(1):
        pass
    time.sleep(1.2)  # nothing rings later


def test_limits_hold_inside_their_block_only() -> None:
    with limits_set(Limits(n_notes=3)):
        assert limits_in_force().n_notes == 3
    assert limits_in_force() == Limits()


@pytest.mark.parametrize(("option", "value", "refusal"), [
    ("--max-bytes", "20", "bytes: expected a music file of at most 20 (--max-bytes)"),
    ("--max-notes", "1", "more than 1 notes: the limit is --max-notes"),
    ("--max-tracks", "1", "more than 1 tracks: the limit is --max-tracks"),
    ("--max-events", "2", "more than 2 events: the limit is --max-events"),
    ("--max-quarters", "3", "quarter notes long: expected at most 3 (--max-quarters)"),
    ("--max-duration", "1", "expected at most 0.000277778 (--max-duration)"),
    ("--max-notes", "0", "limit n_notes: 0: expected a number above 0"),
])  # fmt: skip
def test_limits_are_options(
    option: str, value: str, refusal: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from midi_files import midi_bytes, note, track

    song = tmp_path / "song.mid"
    song.write_bytes(midi_bytes(track(*note(0, 480, 60)), track(*note(0, 2400, 62))))
    assert main(["plot", str(song), option, value, "-o", str(tmp_path / "out.png")]) == 2
    assert refusal in capsys.readouterr().err
    assert main(["plot", str(song), option, "5000000", "-o", str(tmp_path / "out.png")]) == 0


def test_the_reader_of_text_formats_is_not_loaded_here(tmp_path: Path) -> None:
    (tmp_path / "tune.abc").write_text(ABC, encoding="utf-8")
    code = "import sys; from symgen.cli import main; main(['plot', 'tune.abc']); print('music21' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tune.png", "False"]
