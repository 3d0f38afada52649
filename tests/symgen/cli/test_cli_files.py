"""Files at the command line: checked, mended, played, made again from the recipes they carry, written as asked."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mido
import pytest
import typer
from midi_files import END, NOTE, midi_bytes, note, raw_midi, track
from typer.models import OptionInfo

from symgen.cli import main
from symgen.cli.main import app
from symgen.cli.reproduce import _WRITERS
from symgen.cli.writing import _NOT_SAID, _info, _option_words
from symgen.io import load
from symgen.score import Note, Score, TempoChange, Track

SONG = ["generate", "--decoder", "chain", "--bars", "2", "--seed", "4"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(list(words))
    printed = capsys.readouterr()
    assert code != 2, printed.err
    return code, printed.out


def facts(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code, out = run(capsys, *words, "--json")
    return code, json.loads(out)


class TestCheck:
    def test_what_imports_badly_is_listed_and_mended(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        bad = raw_midi(NOTE + END)
        (here / "bad.mid").write_bytes(bad)
        code, out = run(capsys, "check", "bad.mid", "--import")
        assert code == 1
        assert "track 1: notes without a track name: expected a name, such as Melody\n" in out
        assert out.splitlines()[-1].startswith("bad.mid: 4 would import badly")
        code, told = facts(capsys, "check", "bad.mid", "--import")
        assert (code, told["import"]["wrong"]) == (1, 4)
        assert {"track": 1, "tick": 480, "bar": 1, "ticks_into_bar": 480}.items() <= told["import"]["findings"][
            -1
        ].items()
        code, out = run(capsys, "check", "bad.mid", "--fix")
        assert code == 0
        assert out.splitlines()[-1] == "bad-fixed.mid: imports cleanly"
        assert (here / "bad.mid").read_bytes() == bad
        assert facts(capsys, "check", "bad-fixed.mid", "--import")[1]["import"] == {"wrong": 0, "findings": []}
        assert facts(capsys, "check", "bad.mid", "--fix", "-o", "c.mid")[1]["fixed"]["file"] == "c.mid"

    def test_songs_of_our_own_are_clean(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for options in ([], ["--format", "0"], ["--ppq", "960", "--no-programs", "--chord-names", "lyrics,text,xf"]):
            assert main([*SONG, *options, "-o", "a.mid"]) == 0
            capsys.readouterr()
            code, told = facts(capsys, "check", "a.mid")
            assert (code, told["import"]["wrong"], told["violations"]) == (0, 0, [])

    def test_a_file_without_a_line_is_still_checked(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (here / "drums.mid").write_bytes(midi_bytes(track(*note(0, 480, 36, channel=9))))
        code, out = run(capsys, "check", "drums.mid")
        assert code == 1
        assert "rules not judged: track 'Track 1': nothing but drums to judge" in out

    def test_of_a_text_format_only_the_music_is_judged(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (here / "a.abc").write_text("X:1\nM:4/4\nL:1/4\nK:C\nCDEC|\n", encoding="utf-8")
        code, told = facts(capsys, "check", "a.abc")
        assert (code, told["violations"]) == (0, [])
        assert "import" not in told
        (here / "b.abc").write_text("X:1\nM:4/4\nK:C\nC99999|\n", encoding="utf-8")
        for words, said in (
            (["check", "a.abc", "--import"], "a.abc: expected a MIDI file, whose import can be checked"),
            (["check", "b.abc"], "b.abc: line 4: length 99999: expected one of at most three digits"),
        ):
            assert main(words) == 2
            assert capsys.readouterr().err == f"symgen check: {said}\n"


class TestRecipes:
    @pytest.mark.parametrize("words", [
        [],
        ["--format", "0", "--ppq", "960", "--chord-names", "xf"],
        ["-n", "2"],
        ["--stems", "--no-programs"],
        ["--rule", "largest-leap 5", "--chords", "C F | G7 C", "--bpm", "97.5", "--time", "3/4", "--max-leap", "9"],
    ])  # fmt: skip
    def test_every_file_is_made_again(self, words: list[str], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run(capsys, *SONG, *words, "-o", "a.mid", "--recipe")
        files = sorted(here.glob("*.mid"))
        assert len(files) == (4 if "--stems" in words else 2 if "-n" in words else 1)
        for path in files:
            beside = json.loads(path.with_name(f"{path.name}.recipe.json").read_text(encoding="utf-8"))
            assert beside["file"] == path.name
            assert facts(capsys, "reproduce", path.name)[0] == 0
            assert facts(capsys, "reproduce", f"{path.name}.recipe.json")[1]["same"]

    def test_what_is_made_of_a_file_is_made_again_from_it(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run(capsys, *SONG, "-o", "a.mid")
        (here / "foreign.mid").write_bytes(raw_midi(NOTE + END))
        for words in (
            ["vary", "a.mid", "--amount", "0.5", "--seed", "3"],
            ["humanize", "a.mid", "--groove", "swing", "--seed", "3"],
            ["humanize", "foreign.mid", "--timing", "1", "--seed", "3"],
            ["check", "foreign.mid", "--fix"],
        ):
            run(capsys, *words, "-o", "b.mid", "--recipe")
            code, told = facts(capsys, "reproduce", "b.mid")
            assert (code, told["same"], told["changed"], told["different"]) == (0, True, [], [])
            assert told["command"].startswith(f"symgen {words[0]} {words[1]}")
        (here / "foreign.mid").write_bytes(raw_midi(NOTE + NOTE + END))
        code, told = facts(capsys, "reproduce", "b.mid")
        assert (code, told["same"]) == (1, False)
        assert told["changed"][0].startswith("input foreign.mid: had SHA-256 ")
        (here / "foreign.mid").unlink()
        assert facts(capsys, "reproduce", "b.mid")[1]["changed"] == ["input foreign.mid: no such file"]

    def test_a_changed_file_is_told_from_its_recipe(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run(capsys, *SONG, "-o", "a.mid")
        song = load("a.mid", steps_per_quarter=12)
        first = song.tracks[0]
        moved = Track(first.name, (Note(0, 12, 84), *first.notes[1:]), first.program)
        song.with_tracks([moved, *song.tracks[1:]]).save("a.mid")
        code, out = run(capsys, "reproduce", "a.mid")
        assert code == 1
        assert out.startswith("track 2, bar 1: ")
        assert out.splitlines()[-1].startswith("a.mid: other bytes  (symgen generate")

    def test_nothing_played_differently_is_the_very_file(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run(capsys, *SONG, "-o", "a.mid")
        run(capsys, "humanize", "a.mid", "--timing", "0", "--velocity", "0", "-o", "b.mid")
        assert (here / "a.mid").read_bytes() == (here / "b.mid").read_bytes()

    def test_every_option_of_every_command_has_its_name(self) -> None:
        commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group
        for name in _WRITERS:
            known = {o for p in commands[name].params for o in (*p.opts, *p.secondary_opts)}
            callback = next(c.callback for c in app.registered_commands if c.name == name)
            for key, parameter in inspect.signature(callback).parameters.items():
                info = _info(parameter)
                if not isinstance(info, OptionInfo) or key in _NOT_SAID:
                    continue
                values = (True, False) if isinstance(parameter.default, bool) else ("x",)
                words = [next(_option_words(key, info, value, {})) for value in values if value != parameter.default]
                assert set(words) <= known, (name, key, words)

    @pytest.mark.parametrize(("data", "message"), [
        (raw_midi(NOTE + END), "a.mid: no recipe in it: expected a MIDI file that symgen wrote"),
        (b"text", "a.mid: expected a MIDI file"),
    ])  # fmt: skip
    def test_what_has_none(self, data: bytes, message: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (here / "a.mid").write_bytes(data)
        assert main(["reproduce", "a.mid"]) == 2
        assert message in capsys.readouterr().err


class TestWriting:
    def test_stems_repeat_the_first_track(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run(capsys, *SONG, "--stems", "--meter", "3/4", "-o", "a.mid")
        whole = mido.MidiFile("a.mid")
        stems = sorted(here.glob("a-stem*.mid"))
        assert [path.name for path in stems] == ["a-stem1-Melody.mid", "a-stem2-Chords.mid", "a-stem3-Bass.mid"]
        for number, path in enumerate(stems, start=1):
            stem = mido.MidiFile(path)
            signs = [m for m in stem.tracks[0] if m.type != "text"]
            assert signs == [m for m in whole.tracks[0] if m.type != "text"]
            played = [
                [(m.type, m.time, getattr(m, "note", 0)) for m in t] for t in (stem.tracks[1], whole.tracks[number])
            ]
            assert played[0] == played[1]

    def test_more_programs_than_channels_are_split(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        tracks = tuple(Track(f"Part {i}", (Note(0, 4, 60),), i) for i in range(18))
        score = Score(4, tracks, (TempoChange(0, 100.0),), end_steps=16)
        from symgen.errors import ScoreError
        from symgen.io.writing import Writing, writing_as

        with pytest.raises(ScoreError, match=r"18 different programs: expected at most 15.*--split"):
            score.save("a.mid")
        with writing_as(Writing(split=True)):
            score.save("a.mid")
        files = [mido.MidiFile(path) for path in sorted(here.glob("a*.mid"))]
        names = [t.name for file in files for t in file.tracks[1:]]
        assert sorted(names) == sorted(t.name for t in tracks)
        assert len(files) == 2


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_control_c_ends_it_in_one_line(here: Path) -> None:
    """While a file is written: nothing half done stays, and what was there is still there."""
    (here / "a.mid").write_bytes(b"precious")
    code = "import os, signal, sys\nfrom pathlib import Path\nfrom symgen.cli import main\nplain = Path.write_bytes\n"
    code += "def stopped(self, data):\n    plain(self, data[:50])\n    os.kill(os.getpid(), signal.SIGINT)\n"
    code += f"Path.write_bytes = stopped\nsys.exit(main({[*SONG, '-o', 'a.mid']}))"
    root = str(Path(__file__).parent.parent.parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": root}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "symgen generate: interrupted\n")
    assert [path.name for path in here.iterdir()] == ["a.mid"]
    assert (here / "a.mid").read_bytes() == b"precious"
