"""``render``, ``soundfont`` and ``doctor`` as a user types them."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from symgen.cli import main
from symgen.pipeline import doctor
from symgen.score import Note, Score, Track

ROOT = Path(__file__).parents[3]
FONT = ["--soundfont", "TimGM6mb", "--sample-rate", "8000"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("symgen.render.soundfont._SYSTEM_FOLDERS", ())  # some are large
    for i in range(2):
        tracks = tuple(
            Track(name, tuple(Note(2 * k, 2, pitch + i + k % 5) for k in range(8)))
            for name, pitch in (("Melody", 60), ("Bass", 40))
        )
        Score(4, tracks, end_steps=16).save(f"{'ab'[i]}.mid")
    return tmp_path


def run(capsys, *words):
    code = main(list(words))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def own_process(*words, **options):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    code = "import sys; from symgen.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run([sys.executable, "-c", code, *words], env=environment, check=False, **options)


def test_one_file_with_all_that_can_be_asked_for(capsys, here):
    words = ["render", "a.mid", *FONT, "--loudness", "-18", "--ceiling", "-2", "--fade-in", "0.1", "--fade-out", "0.2"]
    words += ["--stems", "--manifest", "--tail-max", "1", "--no-reverb", "--no-chorus", "--format", "flac"]
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert out.startswith("a.flac  ")
    assert " -18.0 LUFS  2 stems  TimGM6mb.sf2  FluidSynth " in out
    made = {path.name for path in here.iterdir()} - {"a.mid", "b.mid"}
    assert made == {"a.flac", "a-stem1-Melody.flac", "a-stem2-Bass.flac", "a.flac.render.json"}


def test_several_files_into_a_folder(capsys, here):
    (here / "out").mkdir()
    (here / "c.mid").write_text("no music")
    code, out, err = run(capsys, "render", "a.mid", "c.mid", "b.mid", "-o", "out", "-j", "2", *FONT)
    assert code == 2
    assert [line.split("  ")[0] for line in out.splitlines()] == ["out/a.wav", "out/b.wav"]
    assert [line for line in err.splitlines() if "c.mid" in line] == [
        "symgen render: c.mid: expected a MIDI file, found one that starts with b'no music'"
    ]
    assert sorted(path.name for path in (here / "out").iterdir()) == ["a.wav", "b.wav"]


def test_json_of_several_files(capsys):
    code, out, _ = run(capsys, "render", "a.mid", "b.mid", "none.mid", "--json", "-j", "1", *FONT)
    files = json.loads(out)["files"]
    assert code == 2
    assert [one["file"] for one in files] == ["a.wav", "b.wav", "none.wav"]
    assert files[0]["notes"] == 16
    assert files[0]["soundfont"].endswith("TimGM6mb.sf2")
    assert files[2]["error"] == "none.mid: no such file: expected a MIDI file"


def test_a_soundfont_for_a_track(capsys):
    code, out, _ = run(capsys, "render", "a.mid", *FONT, "--soundfont-for", "bass=TimGM6mb", "--json")
    assert code == 0
    assert len(json.loads(out)["soundfonts"]) == 1


def test_standard_output(capsys, here):
    assert run(capsys, "render", "a.mid", *FONT)[0] == 0
    done = own_process("render", "a.mid", "-o", "-", *FONT, capture_output=True)
    assert done.returncode == 0
    assert done.stdout == (here / "a.wav").read_bytes()
    assert b"TimGM6mb.sf2" in done.stderr
    assert [path.name for path in here.glob("*") if path.suffix == ".wav"] == ["a.wav"]
    flac = own_process("render", "a.mid", "-o", "-", "--format", "flac", *FONT, capture_output=True).stdout
    assert soundfile.info(io.BytesIO(flac)).format == "FLAC"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_standard_output_on_a_full_disk():
    with Path("/dev/full").open("wb") as full:
        done = own_process("render", "a.mid", "-o", "-", *FONT, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == b"symgen render: standard output: could not be written: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
@pytest.mark.parametrize("name", ["x.wav", "x.flac"])
def test_a_full_disk(here, name):
    code = "import resource, signal, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    code += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nfrom symgen.cli import main\n"
    code += f"sys.exit(main(['render', 'a.mid', '-o', '{name}', *{FONT}]))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"symgen render: {name}: could not be written: File too large\n"
    assert sorted(path.name for path in here.iterdir()) == ["a.mid", "b.mid"]


BAD = [
    (["a.mid", "--soundfont", "Grand"], "soundfont 'Grand': no such file"),
    (["a.mid", "--soundfont", "x/y.sf2"], "soundfont x/y.sf2: no such file"),
    (["a.mid", "--soundfont-for", "Bass"], "soundfont-for 'Bass': expected a part and a soundfont"),
    (["a.mid", "--soundfont-for", "Horn=TimGM6mb"], "no such part: expected one of Melody, Bass"),
    (["a.mid", "-o", "none/x.wav"], "no folder 'none'"),
    (["a.mid", "-o", "a.mid"], "output and input are the same file"),
    (["a.mid", "-o", "x.aiff"], "expected a name that ends in .wav"),
    (["a.mid", "b.mid", "-o", "x.wav"], "x.wav: no such folder: expected one for 2 files"),
    (["a.mid", "b.mid", "-o", "-"], "2 files to standard output"),
    (["a.mid", "-o", "-", "--stems"], "stems and manifests to standard output"),
    (["a.mid", "--format", "au"], "format 'au': expected one of wav"),
    (["a.mid", "--bit-depth", "12"], "bit depth 12: expected 16 or 24 or float"),
    (["a.mid", "--loudness", "0"], "loudness 0 LUFS: expected -60 to -5"),
    (["a.mid", "--loudness", "-14", "--normalize", "peak"], "expected one of the two"),
    (["a.mid", "--ceiling", "3"], "ceiling 3 dBTP: expected -20 to 0"),
    (["a.mid", "--gain", "99"], "gain 99 dB: expected -60 to 30"),
    (["a.mid", "--fade-out", "-1"], "fade-out of -1 seconds: expected 0 to 600"),
    (["a.mid", "--tail-max", "90"], "tail of 90 seconds: expected 0 to 60"),
    (["a.mid", "--sample-rate", "1"], "sample rate 1: expected 8000 to 96000"),
    (["a.mid", "--effect", "flanger"], "effect 'flanger': expected one of highpass"),
    (["a.mid", "--stems", "--effect", "compressor -20"], "stems with the effect compressor"),
    (["a.mid", "--jobs", "0"], "Invalid value for '--jobs'"),
    (["a.mid", "--max-notes", "3"], "--max-notes"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_bad_input_is_one_line_and_leaves_nothing(capsys, here, words, message):
    code, out, err = run(capsys, "render", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in here.iterdir()) == ["a.mid", "b.mid"]


def test_silence_is_an_error(capsys, here):
    from midi_files import control, note, one_track

    (here / "a.mid").write_bytes(one_track(control(0, 7, 0), *note(0, 960, 60)))
    code, _, err = run(capsys, "render", "a.mid", *FONT)
    assert code == 2
    assert "the render is silent though there are notes" in err
    assert not (here / "a.wav").exists()


def test_the_wheels_library_is_said_once(capsys, monkeypatch):
    from dataclasses import replace

    from symgen.render import audio

    library = replace(audio.load_library(), source="wheel")
    monkeypatch.setattr(audio, "load_library", lambda: library)
    code, _, err = run(capsys, "render", "a.mid", "b.mid", "-j", "1", *FONT)
    assert code == 0
    assert err == f"symgen render: FluidSynth {library.version} of the pygame-ce wheel plays: the system has none\n"


class TestSoundfonts:
    def small(self, here):
        from symgen.render.soundfont import find_soundfont

        return find_soundfont("TimGM6mb")

    def test_add_list_and_info(self, capsys, here):
        code, out, _ = run(capsys, "soundfont", "add", str(self.small(here)), "--name", "Mine")
        assert code == 0
        assert out.split()[0] == "Mine"
        assert "82475b91a76d  GPL-2.0" in out
        assert (here / "data" / "symgen" / "soundfonts" / "Mine.sf2").is_file()
        code, out, _ = run(capsys, "soundfont", "list", "--json")
        rows = json.loads(out)["soundfonts"]
        assert rows[0]["name"] == "Mine"
        assert rows[0]["licence"] == "GPL-2.0"
        code, out, _ = run(capsys, "soundfont", "info", "mine", "--presets")
        assert code == 0
        assert "title: TimGM6mb, of pretty_midi" in out
        assert "instruments: 128, and 8 drum kits" in out
        assert "  0:0   Piano 1" in out
        assert run(capsys, "render", "a.mid", "--soundfont", "Mine", "--sample-rate", "8000")[0] == 0

    def test_the_same_file_twice_is_no_change_and_another_is_refused(self, capsys, here):
        add = ["soundfont", "add", str(self.small(here)), "--name", "Mine"]
        assert run(capsys, *add)[0] == 0
        assert run(capsys, *add)[0] == 0
        other = here / "other.sf2"
        other.write_bytes(self.small(here).read_bytes().replace(b"TimGM6mb", b"TimGM6mc"))
        code, _, err = run(capsys, "soundfont", "add", "other.sf2", "--name", "Mine")
        assert code == 2
        assert "another soundfont has this name" in err
        code, out, _ = run(capsys, "soundfont", "add", "other.sf2", "--name", "Mine", "--replace")
        assert code == 0
        assert "not known: see where it came from" in out

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["add", "a.mid"], "expected an SF2 or SF3 file"),
            (["add", "none.sf2"], "no such file"),
            (["add", "bad.sf2"], "cannot load it"),
            (["add", "bad.sf2", "--name", "../x"], "name '../x': expected one for a file"),
            (["info", "Grand"], "soundfont 'Grand': no such file"),
        ],
    )
    def test_bad_input(self, capsys, here, words, message):
        (here / "bad.sf2").write_bytes(self.small(here).read_bytes().replace(b"phdr", b"phdx"))
        code, out, err = run(capsys, "soundfont", *words)
        assert (code, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1
        assert not (here / "data" / "symgen").exists()


class TestDoctor:
    def test_a_table(self, capsys):
        code, out, _ = run(capsys, "doctor")
        assert code == 0
        assert out.splitlines()[0].split() == ["what", "state", "found", "mend", "it", "with"]
        assert out.endswith("generate and render work here\n")
        assert "a bar of" in out

    def test_what_is_ill(self, capsys, monkeypatch):
        ill = doctor.Check("libfluidsynth", False, "not [found]", "install [it]")
        optional = doctor.Check("pedalboard", False, "not installed", "pip", is_needed=False)
        monkeypatch.setattr(doctor, "diagnose", lambda: iter([ill, optional]))
        code, out, _ = run(capsys, "doctor")
        assert code == 1
        assert out.splitlines()[1].split() == ["libfluidsynth", "wrong", "not", "[found]", "install", "[it]"]
        assert out.endswith("generate or render would fail here\n")
        code, out, _ = run(capsys, "doctor", "--json")
        assert code == 1
        assert json.loads(out)["well"] is False
        assert json.loads(out)["checks"][1]["is_needed"] is False
        monkeypatch.setattr(doctor, "diagnose", lambda: iter([optional]))
        assert run(capsys, "doctor")[0] == 0
