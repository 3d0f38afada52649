"""Scores through the objects of more libraries and back, and the one door for all of them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from score_strategies import plain_keys, scores

import symgen
from symgen.errors import FileFormatError, MissingDependencyError, RequestError
from symgen.io import interop
from symgen.io.midi import read_midi, write_midi
from symgen.io.optional import require
from symgen.score import Marker, Note, Score, TempoChange, Track

FEW = settings(max_examples=40, deadline=None)


def available(name: str) -> None:
    """Skip where a library is missing; importing it here may warn of its own oddities."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(name)


def as_kept(score: Score) -> Score:
    """Without what the objects know nothing of: groups of counts, and silence at the end."""
    from theory.meter import Meter

    meters = tuple(replace(c, meter=Meter(c.meter.numerator, c.meter.denominator)) for c in score.meters)
    score = replace(score, meters=meters, end_steps=0)
    return replace(score, markers=tuple(marker for marker in score.markers if marker.text))


def from_the_door(score: Score, library: str) -> Score:
    back = Score.of(score.to(library), steps_per_quarter=score.steps_per_quarter)
    return replace(back, end_steps=0)


@FEW
@given(scores())
def test_mido_and_bytes_give_all_that_a_file_gives(score: Score) -> None:
    expected = read_midi(write_midi(score), steps_per_quarter=score.steps_per_quarter)
    for library in ("mido", "bytes"):
        back = Score.of(score.to(library), steps_per_quarter=score.steps_per_quarter)
        assert back == expected
        assert back.recipe == score.recipe


@FEW
@given(scores(keys=plain_keys()))
def test_miditoolkit(score: Score) -> None:
    available("miditoolkit")
    kept = replace(score, markers=tuple(m for m in score.markers if m.text))
    assert replace(from_the_door(kept, "miditoolkit"), tempos=score.tempos) == as_kept(score)
    found = [t.tempo for t in kept.to("miditoolkit").tempo_changes]
    assert found == [t.bpm for t in score.tempos]


def test_miditoolkit_writes_and_reads_our_music(tmp_path: Path) -> None:
    available("miditoolkit")
    import miditoolkit

    score = Score(4, (Track("Melody", (Note(0, 4, 60), Note(6, 2, 64)), 40),), markers=(Marker(4, "Verse"),))
    score.to("miditoolkit").dump(str(tmp_path / "song.mid"))
    assert symgen.load(tmp_path / "song.mid", steps_per_quarter=4).tracks == score.tracks
    again = Score.of(miditoolkit.MidiFile(str(tmp_path / "song.mid")), steps_per_quarter=4)
    assert (again.tracks, again.markers) == (score.tracks, score.markers)
    damaged = score.to("miditoolkit")
    damaged.key_signature_changes = [require("miditoolkit.midi.containers").KeySignature("C", 0)]
    damaged.key_signature_changes[0].key_name = "H"
    with pytest.raises(FileFormatError, match=r"^miditoolkit\.MidiFile: key 'H"):
        Score.of(damaged)


@FEW
@given(scores(keys=plain_keys()))
def test_muspy(score: Score) -> None:
    available("muspy")
    kept = replace(score, markers=tuple(m for m in score.markers if m.text))
    assert replace(from_the_door(kept, "muspy"), tempos=score.tempos) == as_kept(score)
    music = kept.to("muspy")
    assert [t.qpm for t in music.tempos] == [t.bpm for t in score.tempos]


@FEW
@given(scores())
def test_a_roll_sounds_the_same(score: Score) -> None:
    """Cell by cell; where two notes overlap or touch it does not know which is which."""
    available("pypianoroll")
    multitrack = score.to("pypianoroll")
    if score.tracks:  # its own check needs one
        multitrack.validate()
    back = Score.of(multitrack, steps_per_quarter=score.steps_per_quarter)
    assert [(t.name, t.program, t.is_drum) for t in back.tracks] == [
        (t.name, t.program, t.is_drum) for t in score.tracks
    ]
    if score.tracks:
        again = back.to("pypianoroll")
        for old, new in zip(multitrack.tracks, again.tracks, strict=True):
            n_steps = min(len(old.pianoroll), len(new.pianoroll))
            assert np.array_equal(old.pianoroll[:n_steps], new.pianoroll[:n_steps])
            assert not old.pianoroll[n_steps:].any()
    assert [t.onset_steps for t in back.tempos if t.onset_steps] == [
        t.onset_steps for t, before in zip(score.tempos[1:], score.tempos, strict=False) if t.bpm != before.bpm
    ]
    assert np.flatnonzero(multitrack.downbeat).tolist() == score.bars.starts[:-1].tolist()


def test_runs_of_a_roll_are_notes() -> None:
    available("pypianoroll")
    import pypianoroll

    roll = np.zeros((8, 128), dtype=np.uint8)
    roll[0:2, 60], roll[2:4, 60], roll[5:8, 61], roll[0, 0], roll[7, 127] = 50, 60, 70, 1, 127
    binary = pypianoroll.BinaryTrack("B", 3, True, roll > 55)
    music = pypianoroll.Multitrack(resolution=4, tracks=[pypianoroll.StandardTrack("S", 1, False, roll), binary])
    standard, yes_or_no = Score.of(music, steps_per_quarter=4).tracks
    assert standard.notes == (
        Note(0, 1, 0, 1),
        Note(0, 2, 60, 50),
        Note(2, 2, 60, 60),
        Note(5, 3, 61, 70),
        Note(7, 1, 127, 127),
    )
    assert yes_or_no.notes == (Note(2, 2, 60, 80), Note(5, 3, 61, 80), Note(7, 1, 127, 80))
    with pytest.raises(RequestError, match="rolls of 4,000,000 steps"):
        Score(4, (Track("T"),), end_steps=4_000_000).to("pypianoroll")


class TestNoteArrays:
    @FEW
    @given(scores())
    def test_notes_come_back(self, score: Score) -> None:
        notes = score.to("note array")
        back = Score.of(notes, steps_per_quarter=score.steps_per_quarter)
        sounding = [t for t in score.tracks if t.notes]
        assert [(t.notes, t.program, t.is_drum) for t in back.tracks] == [
            (t.notes, t.program, t.is_drum) for t in sounding
        ]
        assert (np.diff(notes["onset_tick"]) >= 0).all()

    def test_every_unit(self) -> None:
        score = Score(4, (Track("T", (Note(0, 4, 60), Note(6, 2, 64, 9))),), tempos=(TempoChange(0, 90.0),))
        notes = score.to("note array")
        assert notes["onset_sec"].tolist() == [0.0, 1.0]
        assert notes["duration_sec"] == pytest.approx([2 / 3, 1 / 3])
        assert notes["onset_tick"].tolist() == [0, 720]
        for unit in ("tick", "quarter", "sec"):
            part = notes[[f"onset_{unit}", f"duration_{unit}", "pitch"]]
            back = interop.from_note_array(part, steps_per_quarter=4, bpm=90)
            assert back.tracks[0].notes == (Note(0, 4, 60, 80), Note(6, 2, 64, 80))
            assert back.tempos == (TempoChange(0, 90.0),)

    @pytest.mark.parametrize(("fields", "row", "refusal"), [
        ([("pitch", "i4")], (60,), "note array with pitch: expected pitch, onset_quarter"),
        ([("onset_quarter", "f8"), ("duration_quarter", "f8")], (0, 1), "expected pitch"),
        ([("onset_sec", "f8"), ("duration_sec", "f8"), ("pitch", "i4")], (np.nan, 1, 60), "that is no number"),
        ([("onset_sec", "f8"), ("duration_sec", "f8"), ("pitch", "i4")], (0, np.inf, 60), "that is no number"),
        ([("onset_sec", "f8"), ("duration_sec", "f8"), ("pitch", "i4")], (0, 1e12, 60), "quarter notes long"),
        ([("onset_sec", "f8"), ("duration_sec", "f8"), ("pitch", "i4")], (-1, 1, 60), "a note before the start"),
        ([("onset_sec", "f8"), ("duration_sec", "f8"), ("pitch", "i4")], (0, 1, 128), "outside the pitches"),
    ])  # fmt: skip
    def test_what_is_refused(self, fields: Any, row: Any, refusal: str) -> None:
        with pytest.raises(FileFormatError, match=refusal):
            Score.of(np.array([row], dtype=fields))


class TestTheDoor:
    @pytest.mark.parametrize("library", interop.LIBRARIES)
    def test_every_library_comes_back_by_its_type(self, library: str) -> None:
        package = interop.LIBRARIES[library][0]
        available(package)
        score = Score(4, (Track("Melody", (Note(0, 4, 60), Note(6, 2, 64)), 40),))
        back = Score.of(score.to(library), steps_per_quarter=4)
        assert back.tracks[0].notes == score.tracks[0].notes or library == "pypianoroll"

    @pytest.mark.parametrize("library", [n for n in interop.LIBRARIES if n not in {"bytes", "note array"}])
    def test_a_missing_library_is_named(self, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(MissingDependencyError, match=f"^{library} is not installed.*pip install {library}"):
            Score(4, (Track("T", (Note(0, 1, 60),)),)).to(library)

    @pytest.mark.parametrize("music", [3, "song.mid", None, [1], {}])
    def test_what_is_no_music(self, music: Any) -> None:
        with pytest.raises(RequestError, match="expected music of one of bytes, note array, pretty_midi"):
            Score.of(music)

    def test_a_library_that_nobody_knows(self) -> None:
        with pytest.raises(RequestError, match="library 'midifile': expected one of bytes"):
            Score(4).to("midifile")

    def test_importing_loads_no_library(self) -> None:
        heavy = "{'music21', 'symusic', 'mido', 'pretty_midi', 'miditoolkit', 'muspy', 'pypianoroll'}"
        code = "import sys, symgen.io.interop, symgen.io.notebook"
        code += f"; sys.exit(', '.join({heavy} & set(sys.modules)) or None)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
