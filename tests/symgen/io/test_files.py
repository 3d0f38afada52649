"""Loading and saving by name: kinds of files, whole or not at all, and one-line errors."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from score_strategies import plain_keys, scores

from symgen.errors import FileFormatError, GridError, OutputError, SymgenError
from symgen.io import load, save
from symgen.io.files import SUFFIXES
from symgen.io.midi import write_midi
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, Track
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter

ABC = 'X:1\nT:T\nM:4/4\nL:1/4\nK:Am\n"Am"ABcd|e4|"E7"^g4|\n'
KERN = "**kern\n*M4/4\n*G:\n=1\n4g\n4a\n4b\n4cc\n=2\n1dd\n==\n*-\n"


def song() -> Score:
    return Score(
        12,
        (Track("Melody", (Note(0, 20, 69), Note(24, 60, 72)), 40), Track("Bass", (Note(0, 84, 45),), 33)),
        keys=(KeyChange(0, Key.parse("A minor")),),
        meters=(MeterChange(0, Meter(7, 8)),),
        chords=(ChordChange(0, Chord.parse("Am")), ChordChange(42, Chord.parse("F#m7b5/C"))),
        end_steps=84,
    )


class TestKinds:
    @pytest.mark.parametrize("suffix", [".mid", ".midi", ".MID", ".musicxml"])
    def test_a_song_comes_back(self, suffix: str, tmp_path: Path) -> None:
        path = save(song(), tmp_path / f"song{suffix}")
        assert load(path, steps_per_quarter=12) == song()
        assert list(tmp_path.iterdir()) == [path]

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(score=scores(keys=plain_keys(), max_tracks=2).filter(lambda score: score.tracks))
    def test_musicxml_keeps_bars_and_pitches(self, score: Score, tmp_path: Path) -> None:
        """Velocities and a few names do not survive, and two notes of a part may sound in one."""
        save(score, tmp_path / "song.musicxml")
        back = load(tmp_path / "song.musicxml", steps_per_quarter=score.steps_per_quarter)
        assert back.bars.starts.tolist() == score.bars.starts.tolist()
        assert [c.chord for c in back.chords] == [c.chord for c in without_repeats(score.chords)]
        for track, expected in zip(back.tracks, score.tracks, strict=True):
            found = {(n.onset_steps, n.duration_steps, n.pitch) for n in track.notes}
            assert found == {(n.onset_steps, n.duration_steps, n.pitch) for n in expected.notes}

    def test_musicxml_is_the_same_every_time(self, tmp_path: Path) -> None:
        one, two = save(song(), tmp_path / "one.musicxml"), save(song(), tmp_path / "two.musicxml")
        assert one.read_bytes() == two.read_bytes()

    def test_abc_and_kern(self, tmp_path: Path) -> None:
        for name, text in (("tune.abc", ABC), ("tune.krn", KERN)):
            (tmp_path / name).write_text(text, encoding="utf-8")
        tune = load(tmp_path / "tune.abc", steps_per_quarter=4)
        assert [n.pitch for n in tune.tracks[0].notes] == [69, 71, 72, 74, 76, 80]
        assert [str(c.chord) for c in tune.chords] == ["Am", "E7"]
        kern = load(tmp_path / "tune.krn", steps_per_quarter=4)
        assert [n.pitch for n in kern.tracks[0].notes] == [67, 69, 71, 72, 74]
        assert str(kern.keys[0].key) == "G major"

    def test_compressed_musicxml(self, tmp_path: Path) -> None:
        inside = save(song(), tmp_path / "score.musicxml").read_text(encoding="utf-8")
        container = '<container><rootfiles><rootfile full-path="score.xml"/></rootfiles></container>'
        with zipfile.ZipFile(tmp_path / "song.mxl", "w") as archive:
            archive.writestr("META-INF/container.xml", container)
            archive.writestr("score.xml", inside)
        assert load(tmp_path / "song.mxl") == song()

    def test_content_counts_more_than_the_ending(self, tmp_path: Path) -> None:
        for name, data in (("a.abc", write_midi(song())), ("b", write_midi(song())), ("c.txt", ABC.encode())):
            (tmp_path / name).write_bytes(data)
            assert load(tmp_path / name).n_notes > 0

    def test_scores_save_themselves(self, tmp_path: Path) -> None:
        assert load(song().save(tmp_path / "song.mid")) == song()


def without_repeats(changes: tuple[ChordChange, ...]) -> list[ChordChange]:
    return [c for i, c in enumerate(changes) if i == 0 or c.chord != changes[i - 1].chord]


def complains(path: Path, expected: str) -> None:
    with pytest.raises(FileFormatError, match=re.escape(expected)) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


class TestReadingErrors:
    @pytest.mark.parametrize(("name", "data", "expected"), [
        ("empty.mid", b"", "an empty file"),
        ("blank.abc", b" \n", "an empty file"),
        ("song.pdf", b"%PDF-1.7", "unknown kind of file: expected one that ends in .mid"),
        ("song.mid", b"MThd", "expected 6, and tracks after it"),
        ("song.mid", b"not music", "expected a MIDI file"),
        ("song.musicxml", b"<?xml version='1.0'?><a", "not readable as MusicXML"),
        ("song.xml", b"<?xml version='1.0'?><rss></rss>", "MusicXML"),
        ("song.mxl", b"PK\x03\x04 not really", "damaged"),
        ("song.abc", b"nothing of the kind", "ABC"),
        ("song.krn", b"nothing of the kind", "kern"),
    ])  # fmt: skip
    def test_what_was_found_and_what_expected(self, name: str, data: bytes, expected: str, tmp_path: Path) -> None:
        (tmp_path / name).write_bytes(data)
        complains(tmp_path / name, expected)

    def test_missing_folder_and_special_files(self, tmp_path: Path) -> None:
        complains(tmp_path / "none.mid", "no such file")
        complains(tmp_path, "a folder")
        os.mkfifo(tmp_path / "pipe.mid")
        complains(tmp_path / "pipe.mid", "no regular file")

    def test_several_tunes(self, tmp_path: Path) -> None:
        (tmp_path / "two.abc").write_text(f"{ABC}\n{ABC.replace('X:1', 'X:2')}", encoding="utf-8")
        complains(tmp_path / "two.abc", "2 pieces in one file: expected one")

    def test_a_chord_symbol_without_notes_is_left_out(self, tmp_path: Path) -> None:
        """Where music21 makes an object of it that cannot even be asked for its root."""
        (tmp_path / "tune.abc").write_text(ABC.replace('"E7"', '/B""G7'), encoding="utf-8")
        assert str(load(tmp_path / "tune.abc").chords[0].chord) == "Am"

    def test_an_archive_that_unpacks_to_too_much(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "bomb.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("score.xml", bytes(65 * 2**20))
        complains(tmp_path / "bomb.mxl", "unpacks to 68,157,440 bytes")

    def test_a_grid_that_does_not_fit(self, tmp_path: Path) -> None:
        path = save(song(), tmp_path / "song.mid")
        with pytest.raises(GridError, match=r"song\.mid: a bar of 7/8 is 7/2 steps"):
            load(path, steps_per_quarter=1)
        with pytest.raises(GridError, match="steps per quarter: 7"):
            load(path, steps_per_quarter=7)


class TestWritingErrors:
    @pytest.mark.parametrize(("name", "expected"), [
        ("song.wav", "expected a name that ends in .mid, .midi, .musicxml"),
        ("song", "expected a name that ends in .mid, .midi, .musicxml"),
        ("none/song.mid", "expected one that exists"),
        ("folder.mid", "exists already"),
        ("there.mid", "exists already"),
    ])  # fmt: skip
    def test_what_was_expected(self, name: str, expected: str, tmp_path: Path) -> None:
        (tmp_path / "folder.mid").mkdir()
        (tmp_path / "there.mid").write_bytes(b"precious")
        with pytest.raises(SymgenError, match=re.escape(expected)):
            save(song(), tmp_path / name, overwrite=False)
        assert (tmp_path / "there.mid").read_bytes() == b"precious"
        assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.mid", "there.mid"]

    def test_a_failure_leaves_only_the_old_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "song.mid"
        path.write_bytes(b"old")

        def full(self: Path, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(OutputError, match=r"song\.mid: could not be written: No space left on device"):
            save(song(), path)
        monkeypatch.undo()
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_an_old_file_is_replaced_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "song.mid"
        path.write_bytes(b"x" * 100_000)
        assert load(save(song(), path)) == song()


def test_the_endings_are_those_of_the_readme() -> None:
    assert SUFFIXES == (".mid", ".midi", ".musicxml", ".xml", ".mxl", ".abc", ".krn")
