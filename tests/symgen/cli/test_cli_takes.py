"""Takes from the command line: files that come out, what is said of them, and one clear line when it can't be."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from symgen.cli import main
from symgen.io import load
from symgen.pipeline.generate import generate
from symgen.score import Note, Score, Track


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Run in an empty folder with a song and some files that are none."""
    monkeypatch.chdir(tmp_path)
    generate(key="A minor", chords="Am F | C G", bars=4, seed=7).save("a.mid")
    Path("empty.mid").write_bytes(b"")
    Score(4, (Track("Kit", (Note(0, 1, 36),), is_drum=True),), end_steps=16).save("kit.mid")
    Score(4, (Track("Low", (Note(0, 4, 20),)),), end_steps=16).save("low.mid")
    Score(4, (Track("Long", (Note(0, 4, 60), Note(16 * 512, 4, 60))),)).save("long.mid")
    return tmp_path


def run(capsys, *words):
    code = main(list(words))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_infill_writes_beside_the_input_and_tells_what_it_took(capsys):
    code, out, err = run(capsys, "infill", "a.mid", "--bars", "2-3", "--seed", "5")
    assert (code, err) == (0, "")
    assert out == "a-infill.mid  seed 5  key of the file, chords of the file; melody: track Melody\n"
    old, new = load("a.mid"), load("a-infill.mid")
    assert old.tracks[1:] == new.tracks[1:]
    assert old.tracks[0] != new.tracks[0]
    before = Path("a-infill.mid").read_bytes()
    assert run(capsys, "infill", "a.mid", "--bars", "2-3", "--seed", "5")[0] == 0
    assert Path("a-infill.mid").read_bytes() == before


def test_several_takes_are_numbered_and_told_as_json(capsys):
    words = ["infill", "a.mid", "--bars", "4", "-n", "2", "--seed", "8", "-o", "x.mid", "--json"]
    code, out, _ = run(capsys, *words, "--rule", "largest-leap 9", "--rule-set", "folk", "--lock", "bar 4 beat 1 = G4")
    takes = json.loads(out)["takes"]
    assert code == 0
    assert [(take["file"], take["seed"]) for take in takes] == [("x-1.mid", 8), ("x-2.mid", 8)]
    assert takes[0]["log_probability"] >= takes[1]["log_probability"]
    for take in takes:
        score = load(take["file"], steps_per_quarter=4)
        assert score.n_notes == take["notes"]
        assert 67 in {n.pitch for n in score.tracks[0].notes if n.onset_steps == 48}


def test_continue_and_vary_write_their_files(capsys):
    code, out, _ = run(capsys, "continue", "a.mid", "--bars", "2", "--seed", "1")
    assert code == 0
    assert out.startswith(
        "a-continue.mid  seed 1  key of the file, chords of the file; melody: track Melody; new chords"
    )
    assert load("a-continue.mid").bars.n_bars == 6
    assert run(capsys, "continue", "a.mid", "--bars", "1", "--chords", "Dm", "--seed", "1", "-o", "d.mid")[0] == 0
    assert str(load("d.mid").chords[-1].chord) == "Dm"
    assert run(capsys, "vary", "a.mid", "--amount", "0", "-o", "same.mid")[0] == 0
    assert replace(load("same.mid"), recipe=()) == replace(load("a.mid"), recipe=())
    assert run(capsys, "vary", "a.mid", "--amount", "0.5", "--seed", "2")[0] == 0
    assert load("a-vary.mid").tracks[0] != load("a.mid").tracks[0]


def test_interpolate_numbers_its_files(capsys, here):
    generate(key="D", bars=2, seed=3).save("b.mid")
    code, out, err = run(capsys, "interpolate", "a.mid", "b.mid", "--steps", "3")
    assert (code, err) == (0, "")
    assert out.startswith("a-to-b-1.mid  share 0; first: key of the file, chords of the file; ")
    assert out.splitlines()[1:] == ["a-to-b-2.mid  share 0.5", "a-to-b-3.mid  share 1"]
    assert [load(f"a-to-b-{i}.mid").bars.n_bars for i in (1, 2, 3)] == [2, 2, 2]
    (here / "folder").mkdir()
    for name in ("folder", "x", "y.mid"):
        assert run(capsys, "interpolate", "a.mid", "b.mid", "--steps", "2", "-o", name)[0] == 0
    assert all(Path(name).exists() for name in ("folder/a-to-b-1.mid", "x-2.mid", "y-1.mid"))


BAD = [
    (["interpolate", "a.mid", "kit.mid"], "interpolate: kit.mid: only drums: expected a melody"),
    (["interpolate", "a.mid", "a.mid", "--steps", "1"], "interpolate: steps 1: expected 2 to 1000"),
    (["continue", "a.mid", "--bars", "509"], "continue: 509 more bars after 4: expected at least 1, and at most 512"),
    (["continue", "a.mid", "--chords", "F Q"], "continue: chord 'Q' at column 3: expected a chord symbol"),
    (["continue", "kit.mid"], "continue: kit.mid: only drums: expected a melody"),
    (["vary", "a.mid", "--amount", "2"], "vary: amount 2.0: expected 0 to 1"),
    (["vary", "empty.mid"], "vary: empty.mid: an empty file: expected music"),
    (["infill", "a.mid"], "infill: Missing option '--bars'"),
    (["infill", "a.mid", "--bars", "x"], "infill: bars 'x': expected one bar or two, such as 3 or 3-4"),
    (["infill", "a.mid", "--bars", "5"], "infill: bars 5 to 5: expected bars from 1 to 4"),
    (
        ["infill", "a.mid", "--bars", "1", "-n", "0"],
        "infill: number of takes: 0: expected a whole number from 1 to 256",
    ),
    (["infill", "a.mid", "--bars", "1", "-o", "x.wav"], "infill: output 'x.wav': expected a name ending in .mid"),
    (["infill", "a.mid", "--bars", "1", "--track", "Lead"], "infill: track 'Lead': expected one of 'Melody'"),
    (["infill", "a.mid", "--bars", "1", "--key", "H"], "infill: key 'H'"),
    (
        ["infill", "a.mid", "--bars", "2", "--lock", "bar 2 beat 1 = C#5"],
        "infill: bar 2 beat 1: in key contradicts lock",
    ),
    (["infill", "none.mid", "--bars", "1"], "infill: none.mid: no such file"),
    (["infill", "empty.mid", "--bars", "1"], "infill: empty.mid: an empty file: expected music"),
    (["infill", "kit.mid", "--bars", "1"], "infill: kit.mid: only drums: expected a melody"),
    (["infill", "low.mid", "--bars", "1"], "infill: bar 1 beat 1: melody note G#0: the model's melodies in this key"),
    (["infill", "long.mid", "--bars", "1"], "infill: long.mid: 513 bars: expected at most 512"),
]


@pytest.mark.parametrize(("words", "message"), BAD)
def test_bad_input_is_one_clear_line(capsys, words, message):
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"symgen {message}")
    assert err.count("\n") == 1
