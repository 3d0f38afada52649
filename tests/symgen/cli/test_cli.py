"""The command line as a user types it: what it makes, and one clear line when it can't."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import symgen
from symgen.cli import main
from symgen.io import load


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *words):
    code = main(list(words))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_generate_render_and_plot(capsys, here):
    code, out, err = run(
        capsys, "generate", "--key", "A minor", "--chords", "Am F | C G", "--bars", "2", "--seed", "7", "-o", "a.mid"
    )
    assert (code, err) == (0, "")
    assert out.startswith("a.mid  seed 7  A minor  Am F | C G")
    assert run(capsys, "render", "a.mid", "-o", "a.flac")[0] == 0
    assert run(capsys, "plot", "a.mid")[:2] == (0, "a.png\n")
    assert (here / "a.flac").read_bytes()[:4] == b"fLaC"
    assert (here / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert sorted(path.name for path in here.iterdir()) == ["a.flac", "a.mid", "a.png"]


def test_the_same_command_gives_the_same_bytes(capsys, here):
    request = ["generate", "--chords", "Am F | C G", "--key", "Am", "--bars", "4"]
    for name, seed in (("a.mid", "7"), ("b.mid", "7"), ("c.mid", "8")):
        assert run(capsys, *request, "--seed", seed, "-o", name)[0] == 0
    a, b, c = ((here / f"{name}.mid").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_json_tells_what_was_made(capsys):
    code, out, _ = run(capsys, "generate", "-n", "2", "--bars", "1", "--seed", "3", "-o", "x.mid", "--json")
    songs = json.loads(out)["songs"]
    assert code == 0
    assert [song["file"] for song in songs] == ["x-1.mid", "x-2.mid"]
    assert [(song["seed"], song["bars"], song["bpm"]) for song in songs] == [(3, 1, 110.0), (3, 1, 110.0)]
    assert [song["rank"] for song in songs] == [1, 2]
    assert songs[0]["log_probability"] >= songs[1]["log_probability"]
    assert load(songs[0]["file"], steps_per_quarter=4).n_notes == songs[0]["notes"]
    code, out, _ = run(capsys, "render", "x-1.mid", "--json")
    assert code == 0
    assert json.loads(out)["file"] == "x-1.wav"


def test_the_name_says_the_seed_where_none_is_given(capsys, here):
    run(capsys, "generate", "--bars", "1", "--seed", "11")
    assert (here / "song-11.mid").exists()


def test_musicxml_is_written_on_request(capsys, here):
    assert run(capsys, "generate", "--bars", "1", "--seed", "1", "-o", "a.musicxml")[0] == 0
    assert b"score-partwise" in (here / "a.musicxml").read_bytes()


BAD = [
    (["generate", "--key", "H"], "generate: key 'H' at column 1: expected a tonic and a mode"),
    (["generate", "--chords", "Am Xx"], "generate: chord 'Xx' at column 4: expected a chord symbol"),
    (["generate", "--bars", "0"], "generate: bars 0: expected a whole number from 1 to 512"),
    (["generate", "--bars", "x"], "generate: Invalid value for '--bars'"),
    (["generate", "--meter", "4/3"], "generate: metre '4/3' at column 1: expected beats over a note value"),
    (["generate", "--bpm", "1"], "generate: bpm 1: expected 4 to 1000"),
    (["generate", "--style", "polka"], "generate: style 'polka': expected one of folk, lead-sheet, chorale"),
    (["generate", "--range", "C5-C4"], "generate: range 'C5-C4' at column 1: expected two pitches"),
    (["generate", "--lock", "C5"], "generate: lock 'C5' at column 1: expected a place and a pitch"),
    (["generate", "-o", "a.txt"], "generate: output 'a.txt': expected a name ending in .mid"),
    (["generate", "-o", "nowhere/a.mid"], "generate: nowhere/a.mid: no folder 'nowhere'"),
    (["generate", "--checkpoint", "nowhere"], "checkpoint 'nowhere': neither a folder nor in this installation"),
    (["generate", "--nonsense"], "generate: No such option: --nonsense"),
    (["render", "no.mid"], "render: no.mid: no such file: expected a MIDI file"),
    (["render", "text.mid"], "render: text.mid: expected a MIDI file"),
    (["render", "text.mid", "-o", "a.xyz"], "render: a.xyz: expected a name that ends in"),
    (["render", "text.mid", "-o", "text.mid"], "output and input are the same file"),
    (["plot", "text.mid"], "plot: text.mid:"),
    (["corpus", "build", "nothing"], "corpus: corpus 'nothing': expected one of bach-chorales"),
    (["corpus", "info", "essen", "-o", "nowhere"], "corpus: nowhere: no built corpus there"),
    (["train"], "train: Missing option '--out'"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_bad_input_is_one_line_and_leaves_nothing(capsys, here, words, message):
    (here / "text.mid").write_text("no music at all")
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in here.iterdir()] == ["text.mid"]


def test_an_impossible_request_names_the_rules_and_the_place(capsys):
    code, _, err = run(capsys, "generate", "--key", "C", "--lock", "bar 1 beat 1 = C#5")
    assert code == 2
    assert "bar 1 beat 1: in key contradicts lock bar 1 beat 1 = C#5" in err


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a folder that no one may write to, root included")
def test_an_output_that_cannot_be_written_is_one_line(capsys):
    target = "/proc/song.mid"
    code, _, err = run(capsys, "generate", "--bars", "1", "-o", target)
    assert code == 2
    assert err.count("\n") == 1
    assert target in err


def test_debug_shows_the_traceback(capsys):
    code, _, err = run(capsys, "--debug", "generate", "--key", "H")
    assert code == 2
    assert "Traceback" in err


def test_help_and_version(capsys):
    assert run(capsys, "--version") == (0, f"symgen {symgen.__version__}\n", "")
    for words in ([], ["--help"], ["generate", "--help"], ["corpus"], ["corpus", "build", "-h"]):
        assert "Usage: symgen" in run(capsys, *words)[1]


def test_styles_and_corpora_are_listed(capsys):
    assert run(capsys, "styles")[1].split() == ["folk", "lead-sheet", "chorale"]
    assert "ryans-mammoth" in run(capsys, "corpus", "list")[1]
    rows = json.loads(run(capsys, "corpus", "list", "--json")[1])["corpora"]
    assert {"name", "licence", "get", "weights", "here"} <= rows[0].keys()


def test_a_folder_of_music_is_built_and_described(capsys, here):
    (here / "mine").mkdir()
    for seed in range(3):
        symgen.generate(seed=seed, bars=4).save(here / "mine" / f"{seed}.mid")
    code, out, _ = run(capsys, "corpus", "build", "mine", "-o", "built", "--json", "--processes", "1")
    assert (code, json.loads(out)["pieces"]) == (0, 3)
    code, out, _ = run(capsys, "corpus", "info", "mine", "-o", "built")
    assert code == 0
    assert "pieces: 3" in out


def test_training_from_the_command_line_says_what_it_lacks(capsys, here, monkeypatch):
    monkeypatch.setattr("symgen.corpus.build.platformdirs.user_cache_dir", lambda name: str(here / "cache"))
    (here / "mine").mkdir()
    symgen.generate(seed=1, bars=4).save(here / "mine" / "1.mid")
    code, _, err = run(capsys, "train", "-o", "model", "--corpus", "mine", "--updates", "1")
    assert code == 2
    assert "train: training data: no usable melody" in err
    for words, message in (
        (["--updates", "0"], "--updates"),
        (["--seed", "-1"], "--seed"),
        (["--threads", "0"], "--threads"),
    ):
        code, _, err = run(capsys, "train", "-o", "model", *words)
        assert (code, message in err, err.count("\n")) == (2, True, 1)


def test_the_installed_command_runs():
    done = subprocess.run([sys.executable, "-m", "symgen.cli", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"symgen {symgen.__version__}\n"
