"""Files of sound: where they go, what is told of them, several at once."""

import hashlib
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

import symgen
from symgen.errors import OutputError, RenderError, RequestError
from symgen.io.limits import Limits, limits_set
from symgen.pipeline import render_many
from symgen.pipeline.render_many import render_files
from symgen.pipeline.rendering import Rendering, chosen_finish, places, render_file
from symgen.score import Note, Score, Track

RATE = 8000


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def score(pitch=60):
    parts = (("Melody", pitch, 73), ("Bass", pitch - 24, 33))
    tracks = tuple(Track(n, tuple(Note(2 * i, 2, p + i % 5) for i in range(8)), program) for n, p, program in parts)
    return Score(4, tracks, end_steps=16)


def how(**options):
    return Rendering("TimGM6mb", sample_rate=RATE, **options)


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class TestFinish:
    def test_what_normalizes(self):
        assert chosen_finish().peak_dbfs == -1
        assert chosen_finish(loudness_lufs=-16).loudness_lufs == -16
        assert chosen_finish(normalize="loudness").loudness_lufs == -14
        plain = chosen_finish(normalize="none")
        assert (plain.peak_dbfs, plain.loudness_lufs) == (None, None)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"normalize": "rms"}, "normalize 'rms': expected one of peak, loudness, none"),
            ({"normalize": "peak", "loudness_lufs": -14.0}, "normalize peak with a loudness of -14 LUFS"),
            ({"loudness_lufs": -1.0}, "loudness -1 LUFS: expected -60 to -5"),
            ({"effects": ["echo"]}, "effect 'echo': expected one of"),
        ],
    )
    def test_contradictions_are_refused(self, options, words):
        with pytest.raises((RequestError, RenderError), match=words):
            chosen_finish(**options)

    def test_stems_of_a_compressor_are_refused_before_anything_is_rendered(self):
        with pytest.raises(RenderError, match="stems with the effect compressor"):
            how(finish=chosen_finish(effects=["compressor -20"]), has_stems=True)


class TestPlaces:
    def test_beside_the_files_in_a_folder_or_as_named(self, here):
        songs = [Path("a.mid"), Path("b.x.mid")]
        (here / "out").mkdir()
        assert places(songs, None) == [Path("a.wav"), Path("b.x.wav")]
        assert places(songs, Path("out"), ".flac") == [Path("out/a.flac"), Path("out/b.x.flac")]
        assert places(songs[:1], Path("c.mp3")) == [Path("c.mp3")]

    @pytest.mark.parametrize(
        ("sources", "out", "suffix", "words"),
        [
            (["a.mid"], None, ".aiff", "format 'aiff': expected one of wav, flac, ogg, mp3"),
            (["a.mid", "b.mid"], "none", ".wav", "none: no such folder: expected one for 2 files"),
            (["a.mid", "x/a.mid"], "out", ".wav", "a.mid: another file would go to out/a.wav too"),
            (["a.wav"], None, ".wav", "a.wav: output and input are the same file"),
            (["a.mid", "b.wav"], ".", ".wav", "b.wav: output and input are the same file"),
        ],
    )
    def test_places_that_cannot_be(self, here, sources, out, suffix, words):
        (here / "out").mkdir()
        with pytest.raises(RequestError, match=words):
            places([Path(source) for source in sources], Path(out) if out else None, suffix)


class TestOneFile:
    def test_a_manifest_says_what_a_render_was_made_from(self):
        score().save("a.mid")
        finish = chosen_finish(loudness_lufs=-20, fade_out_seconds=0.1)
        sound, made = render_file(Path("a.mid"), Path("a.flac"), how(finish=finish, has_stems=True, has_manifest=True))
        facts = json.loads(Path("a.flac.render.json").read_text(encoding="utf-8"))
        assert made.manifest == "a.flac.render.json"
        assert facts["sha256"] == digest("a.flac")
        assert facts["source_sha256"] == digest("a.mid")
        assert facts["fluidsynth"] == sound.library_version
        assert [(stem["file"], stem["part"]) for stem in facts["stems"]] == [
            ("a-stem1-Melody.flac", "Melody"),
            ("a-stem2-Bass.flac", "Bass"),
        ]
        assert [stem["sha256"] for stem in facts["stems"]] == [digest(path) for path in made.stems]
        assert facts["soundfonts"][0]["licence"] == "GPL-2.0"
        assert len(facts["soundfonts"][0]["sha256"]) == 64
        assert facts["settings"]["loudness_lufs"] == -20
        assert facts["loudness_lufs"] == pytest.approx(-20, abs=0.1)
        assert facts["symgen"] == symgen.__version__
        before = {path.name: path.read_bytes() for path in Path().iterdir()}
        render_file(Path("a.mid"), Path("a.flac"), how(finish=finish, has_stems=True, has_manifest=True))
        assert {path.name: path.read_bytes() for path in Path().iterdir()} == before

    def test_stems_add_up_in_the_files_too(self):
        symgen.render(score(), "a.wav", soundfont="TimGM6mb", sample_rate=RATE, bit_depth="float", stems=True)
        parts = sum(soundfile.read(f"a-stem{n}.wav")[0] for n in ("1-Melody", "2-Bass"))
        np.testing.assert_allclose(parts, soundfile.read("a.wav")[0], atol=2e-6)

    def test_the_function_can_be_called_whatever_was_imported(self):
        import symgen.render

        for name in ("a.wav", "b.wav"):
            assert symgen.render(score(), name, soundfont="TimGM6mb", sample_rate=RATE).n_notes == 16
        assert digest("a.wav") == digest("b.wav")

    def test_nothing_is_left_where_it_fails(self, monkeypatch):
        with pytest.raises(RenderError, match=r"fade-in of 500 seconds"):
            symgen.render(score(), "a.wav", soundfont="TimGM6mb", sample_rate=RATE, fade_in=500)
        with pytest.raises(OutputError, match="no folder"):
            symgen.render(score(), "none/a.wav", soundfont="TimGM6mb", sample_rate=RATE)
        assert list(Path().iterdir()) == []

    def test_the_settings_come_to_the_sound(self):
        long = symgen.render(score(), "a.wav", soundfont="TimGM6mb", sample_rate=RATE, tail_max=5)
        short = symgen.render(score(), "b.wav", soundfont="TimGM6mb", sample_rate=RATE, tail_max=0)
        assert long.duration_seconds > short.duration_seconds
        plain = symgen.render(score(), "a.wav", soundfont="TimGM6mb", sample_rate=RATE, normalize="none")
        louder = symgen.render(score(), "b.wav", soundfont="TimGM6mb", sample_rate=RATE, normalize="none", gain=-6)
        assert louder.peak == pytest.approx(plain.peak * 10 ** (-6 / 20), rel=1e-4)


class TestSeveralFiles:
    def songs(self, n=3):
        for i in range(n):
            score(50 + i).save(f"{i}.mid")
        return [(Path(f"{i}.mid"), Path(f"{i}.wav")) for i in range(n)]

    def test_as_many_processes_as_one_likes_give_the_same(self):
        jobs = self.songs()
        jobs.insert(1, (Path("none.mid"), Path("none.wav")))
        told = []
        found = {}
        for n in (1, 2):
            made = list(render_files(jobs, how(), n_processes=n, progress=lambda *pair: told.append(pair)))
            assert [one.file for one in made] == ["0.wav", "none.wav", "1.wav", "2.wav"]
            assert [one.error for one in made] == ["", "none.mid: no such file: expected a MIDI file", "", ""]
            assert told[-1] == (4, 4)
            found[n] = [digest(one.file) for one in made if not one.error], made
            told.clear()
        assert found[1] == found[2]
        assert len(set(found[1][0])) == 3

    def test_the_limits_in_force_hold_in_the_processes(self):
        with limits_set(Limits(n_notes=3)):
            made = list(render_files(self.songs(2), how(), n_processes=2))
        assert all("--max-notes" in one.error for one in made)

    @pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
    @pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
    def test_a_process_that_dies_costs_its_file_alone(self, monkeypatch, name):
        code = "import os, signal, symgen.pipeline.render_many as many; real = many.render_file\n"
        code += "def dies(source, *rest):\n"
        code += f"    if source.name == '1.mid': os.kill(os.getpid(), signal.{name})\n"
        code += "    return real(source, *rest)\n"
        monkeypatch.setattr(render_many, "_CODE", code + "many.render_file = dies; many.serve()")
        made = list(render_files(self.songs(4), how(), n_processes=2))
        number = getattr(signal, name).value
        assert [one.error for one in made] == ["", f"1.mid: its process ended by signal {number}", "", ""]
        assert sorted(path.name for path in Path().glob("*.wav")) == ["0.wav", "2.wav", "3.wav"]

    def test_processes_that_cannot_start_are_errors_too(self, monkeypatch):
        monkeypatch.setattr(render_many, "_CODE", "raise SystemExit(7)")
        made = list(render_files(self.songs(3), how(), n_processes=2))
        assert [one.error for one in made] == [f"{i}.mid: its process ended by exit code 7" for i in range(3)]

    def test_who_stops_listening_ends_the_processes(self):
        found = render_files(self.songs(4), how(), n_processes=2)
        assert next(found).error == ""
        found.close()  # returns once they have ended

    @pytest.mark.parametrize("n_processes", [1, 2])
    def test_what_is_odd_is_one_line(self, monkeypatch, n_processes):
        def fails(source, target, settings, progress=None):
            if source == Path("0.mid"):
                raise MemoryError
            raise OSError(28, "No space left on device", str(target))

        monkeypatch.setattr(render_many, "render_file", fails)
        code = "import symgen.pipeline.render_many as many\n"
        code += "def fails(source, target, *rest):\n"
        code += (
            "    raise MemoryError if source.name == '0.mid' else OSError(28, 'No space left on device', str(target))\n"
        )
        monkeypatch.setattr(render_many, "_CODE", code + "many.render_file = fails; many.serve()")
        made = list(render_files(self.songs(2), how(), n_processes=n_processes))
        assert [one.error for one in made] == ["0.mid: not enough memory", "1.wav: No space left on device"]

    def test_what_a_library_prints_is_no_answer(self, monkeypatch):
        code = "import os, symgen.pipeline.render_many as many; real = many.render_file\n"
        code += "def prints(*words):\n    print('loud'); os.write(1, b'LOUD'); return real(*words)\n"
        monkeypatch.setattr(render_many, "_CODE", code + "many.render_file = prints; many.serve()")
        assert [one.error for one in render_files(self.songs(2), how(), n_processes=2)] == ["", ""]
