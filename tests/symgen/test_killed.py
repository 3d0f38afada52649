"""Kill -9 before every file operation of a command: nothing finished is lost, and the next run makes it good."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_corpus import TINY_TRAINING, write_tunes

import symgen
from symgen.corpus.shards import load_shard
from symgen.errors import OutputError
from symgen.files import write_whole, written_beside
from symgen.score import Note, Score, Track

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks and signals of POSIX")

ROOT = Path(__file__).parent.parent.parent


def killed_everywhere(
    words: list[str], folder: Path, here: Path, *, every: int = 1
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """What was there before, and what each kill left; the last run is the one that was not killed."""
    request = here / "request.json"
    asked = {"folder": str(folder), "words": words, "here": str(here), "every": every}
    request.write_text(json.dumps(asked), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(here / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(Path(__file__).with_name("killed.py")), str(request)],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    killed: list[dict[str, Any]] = told["killed"]
    assert killed[-1]["code"] == 0, done.stderr
    assert all(run["again"] == 0 for run in killed), done.stderr
    return told["before"], killed


def score(pitch: int = 60) -> Score:
    return Score(4, (Track("Melody", tuple(Note(2 * i, 2, pitch + i % 5) for i in range(32))),), end_steps=64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


class TestEveryOperation:
    @pytest.mark.parametrize("is_there", [False, True])
    def test_generate(self, is_there: bool, folder: Path, tmp_path: Path) -> None:
        if is_there:
            score().save(folder / "a.mid")
        words = ["generate", "--bars", "1", "--seed", "3", "-n", "2", "-o", str(folder / "a.mid")]
        before, killed = killed_everywhere(words, folder, tmp_path)
        self.check_files(before, killed, n_files=2)

    def test_humanize_and_plot(self, folder: Path, tmp_path: Path) -> None:
        score().save(tmp_path / "in.mid")
        (folder / "a.mid").write_bytes(b"precious")
        for words in (["humanize", "in.mid", "--seed", "1"], ["plot", "in.mid"]):
            out = folder / ("a.mid" if words[0] == "humanize" else "a.png")
            before, killed = killed_everywhere([*words, "-o", str(out)], folder, tmp_path)
            self.check_files(before, killed, n_files=1)

    def test_render(self, folder: Path, tmp_path: Path) -> None:
        score().save(tmp_path / "in.mid")
        (folder / "a.wav").write_bytes(b"precious")
        before, killed = killed_everywhere(["render", "in.mid", "-o", str(folder / "a.wav")], folder, tmp_path)
        self.check_files(before, killed, n_files=1)

    @staticmethod
    def check_files(before: dict[str, str], killed: list[dict[str, Any]], *, n_files: int) -> None:
        """Each file is what it was or what it becomes, and in the end all are what they become."""
        final = killed[-1]["left"]
        assert len(final.keys() - before.keys()) + sum(before[n] != final[n] for n in before) >= n_files
        assert len(killed) >= 2 * n_files
        for run in killed:
            for name in before.keys() | run["left"].keys():
                assert run["left"].get(name) in {before.get(name), final.get(name)}
            assert before.keys() <= run["left"].keys()
            assert run["then"] == final

    def test_corpus_build(self, folder: Path, tmp_path: Path) -> None:
        music = tmp_path / "music"
        music.mkdir()
        for i in range(3):
            score(50 + i).with_tracks([Track("M", score(50 + i).tracks[0].notes[: 20 + i])]).save(music / f"{i}.mid")
        words = ["corpus", "build", str(music), "--processes", "1", "--out", str(folder)]
        _, first = killed_everywhere(words, folder, tmp_path)
        self.restore(folder, first[-1]["left"])
        score(70).save(music / "more.mid")
        before, killed = killed_everywhere(words, folder, tmp_path)
        final = killed[-1]["left"]
        names = []
        for run in killed:
            self.restore(folder, run["left"])
            names.append(len(load_shard(folder)))  # the old corpus or the new one, never a damaged one
            assert run["then"] == final
        assert names[0] == 3
        assert set(names) == {3, 4}
        assert names == sorted(names)
        assert before != final

    def test_train(self, folder: Path, tmp_path: Path) -> None:
        """A run that was killed goes on and comes to the same weights; ``SYMGEN_KILLS`` kills at every operation.

        That an old checkpoint stays until the new one is whole is tested with the checkpoints.
        """
        write_tunes(tmp_path / "music", random.Random(0))
        (tmp_path / "tiny.toml").write_text(TINY_TRAINING, encoding="utf-8")
        words = [
            "train",
            "--corpus",
            str(tmp_path / "music"),
            "--config",
            str(tmp_path / "tiny.toml"),
            "-o",
            str(folder),
        ]
        every = 1 if "SYMGEN_KILLS" in os.environ else 6  # a second or two for each kill
        _, killed = killed_everywhere([*words, "--updates", "2"], folder, tmp_path, every=every)
        final = self.weights(killed[-1]["left"])
        assert len(killed) > 3
        for run in killed:
            assert self.weights(run["then"]) == final
            assert self.weights(run["left"]) in (None, final)

    @staticmethod
    def weights(left: dict[str, str]) -> tuple[str, str] | None:
        """What makes a checkpoint; none where it is not whole."""
        found = (left.get("config.json"), left.get("model.safetensors") or left.get("model.next.safetensors"))
        return None if None in found else ("", str(found[1]))

    @staticmethod
    def restore(folder: Path, left: dict[str, str]) -> None:
        shutil.rmtree(folder)
        for name, data in left.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(bytes.fromhex(data))


@pytest.mark.parametrize("seed", range(int(os.environ.get("SYMGEN_KILLS", "2"))))
def test_generate_killed_at_a_random_moment(seed: int, tmp_path: Path) -> None:
    """As a user's machine fails: by the clock; ``SYMGEN_KILLS=200`` for a long run."""
    score().save(tmp_path / "a-1.mid")
    old = (tmp_path / "a-1.mid").read_bytes()
    words = ["-m", "symgen.cli", "generate", "--bars", "1", "--seed", "3", "-n", "3", "-o", "a.mid"]
    process = subprocess.Popen(
        [sys.executable, *words], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
    )
    time.sleep(random.Random(seed).uniform(0.5, 4.0))
    process.send_signal(signal.SIGKILL)
    process.wait()
    for path in tmp_path.glob("*.mid"):
        assert path.read_bytes() == old or symgen.load(path, steps_per_quarter=12).n_notes > 0
    assert (tmp_path / "a-1.mid").exists()


class TestWhatIsLeftBehind:
    def leave(self, folder: Path, process: int, age: float) -> Path:
        left = folder / f".song.{process}-{'0' * 32}.mid"
        left.write_bytes(b"half")
        os.utime(left, (time.time() - age, time.time() - age))
        return left

    def test_the_next_writer_takes_it_away(self, tmp_path: Path) -> None:
        child = subprocess.Popen([sys.executable, "-c", ""])
        child.wait()
        young = self.leave(tmp_path, child.pid, 1)
        running = self.leave(tmp_path, os.getpid(), 100)
        young = young.rename(tmp_path / f".song.{child.pid}-{'1' * 32}.mid")
        os.utime(young)
        gone = self.leave(tmp_path, child.pid, 100)
        others = [tmp_path / ".song.mid", tmp_path / ".other.1-0.mid", tmp_path / f".song.{child.pid}-{'0' * 32}.wav"]
        for other in others:
            other.write_bytes(b"mine")
        write_whole(tmp_path / "song.mid", b"whole")
        assert not gone.exists()
        assert young.exists()
        assert running.exists()
        assert all(other.exists() for other in others)

    def test_what_is_written_bears_the_name_of_its_writer(self, tmp_path: Path) -> None:
        with written_beside(tmp_path / "song.mid") as beside:
            assert beside.name.startswith(f".song.{os.getpid()}-")
            beside.write_bytes(b"whole")
        assert [path.name for path in tmp_path.iterdir()] == ["song.mid"]


class TestPlaces:
    """A full disk, a folder that may not be written to, and the like: one line and nothing half done."""

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
    def test_a_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "song.mid").write_bytes(b"precious")
        monkeypatch.setattr("symgen.files.uuid4", lambda: type("Name", (), {"hex": "x"}))
        (tmp_path / f".song.{os.getpid()}-x.mid").symlink_to("/dev/full")
        with pytest.raises(OutputError, match=r"song\.mid: could not be written: No space left on device"):
            write_whole(tmp_path / "song.mid", b"x" * 100_000)
        assert (tmp_path / "song.mid").read_bytes() == b"precious"
        assert [path.name for path in tmp_path.iterdir()] == ["song.mid"]

    def test_a_limit_on_the_size_of_files(self, tmp_path: Path) -> None:
        """The next best thing to a full disk that works everywhere."""
        code = "import resource, signal, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        code += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nfrom symgen.cli import main\n"
        code += "sys.exit(main(['humanize', 'in.mid', '-o', 'out.mid']))"
        score().save(tmp_path / "in.mid")
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr == "symgen humanize: out.mid: could not be written: File too large\n"
        assert [path.name for path in tmp_path.iterdir()] == ["in.mid"]

    def test_folders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        from symgen.cli import main

        monkeypatch.chdir(tmp_path)
        score().save("in.mid")
        Path("folder.mid").mkdir()
        for command in ("humanize", "plot", "generate --seed 1 --bars 1"):
            suffix = ".png" if command == "plot" else ".mid"
            Path("folder.png").mkdir(exist_ok=True)
            source = [] if "generate" in command else ["in.mid"]
            for out, refusal in ((f"none/out{suffix}", "no folder 'none'"), (f"folder{suffix}", "is a folder")):
                assert main([*command.split(), *source, "-o", out]) == 2
                assert refusal in capsys.readouterr().err
        assert {path.name for path in tmp_path.iterdir()} == {"in.mid", "folder.mid", "folder.png"}

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
    def test_a_folder_that_may_not_be_written_to(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        with pytest.raises(OutputError, match=r"song\.mid: could not be written: Permission denied"):
            write_whole(tmp_path / "song.mid", b"x")
        tmp_path.chmod(0o700)
