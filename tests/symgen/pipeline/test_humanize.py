"""Played music: what may move and what must not, of scores and of files."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_files import END, NOTE, bend, control, meta, midi_bytes, note, program, raw_midi, tempo, track
from score_strategies import scores

import symgen
from symgen.cli import main
from symgen.errors import RequestError
from symgen.io.limits import Limits
from symgen.io.midi import read_midi, write_midi
from symgen.io.raw import RawFile
from symgen.io.smf import CONTROL, NOTE_OFF, NOTE_ON, PROGRAM, Smf, read_smf
from symgen.pipeline.feel import GROOVES, Feel, read_groove
from symgen.pipeline.humanize import humanize, humanize_midi
from symgen.score import MeterChange, Note, Score, TempoChange, Track
from theory.meter import Meter

STRENGTHS = st.sampled_from([0.0, 0.3, 1.0])
FEELS = st.builds(Feel, st.sampled_from([*GROOVES, "3:1 16ths", "1:3"]), STRENGTHS, STRENGTHS, STRENGTHS, STRENGTHS)
SEEDS = st.integers(0, 99)


def kwargs(feel: Feel) -> dict[str, Any]:
    return {name: getattr(feel, name) for name in ("groove", "amount", "timing", "velocity", "strum")}


def is_ordered(before: list[int], after: list[int]) -> bool:
    """Whether what started earlier still does."""
    pairs = sorted(zip(before, after, strict=True))
    last_of_each = [max(a for b, a in pairs if b == place) for place in sorted({b for b, _ in pairs})]
    first_of_each = [min(a for b, a in pairs if b == place) for place in sorted({b for b, _ in pairs})]
    return all(last < first for last, first in zip(last_of_each, first_of_each[1:], strict=False))


class TestScores:
    @given(scores(), SEEDS)
    def test_nothing_asked_is_the_very_score(self, score: Score, seed: int) -> None:
        for groove in GROOVES:
            amount = 1.0 if groove == "straight" else 0.0
            assert humanize(score, groove=groove, amount=amount, timing=0, velocity=0, strum=0, seed=seed) is score

    @settings(max_examples=80, deadline=None)
    @given(scores(), FEELS, SEEDS)
    def test_order_overlaps_and_everything_else(self, score: Score, feel: Feel, seed: int) -> None:
        played = humanize(score, seed=seed, **kwargs(feel))
        ratio = played.steps_per_quarter // score.steps_per_quarter
        assert played.bars.end_steps == score.bars.end_steps * ratio
        assert [t.name for t in played.tracks] == [t.name for t in score.tracks]
        assert [c.onset_steps for c in played.tempos] == [c.onset_steps * ratio for c in score.tempos]
        assert [c.chord for c in played.chords] == [c.chord for c in score.chords]
        before: list[int] = []
        after: list[int] = []
        for old, new in zip(score.tracks, played.tracks, strict=True):
            for pitch in {n.pitch for n in old.notes}:
                olds, news = ([n for n in t.notes if n.pitch == pitch] for t in (old, new))
                before += [n.onset_steps for n in olds]
                after += [n.onset_steps for n in news]
                for first, second, first_old, second_old in zip(news, news[1:], olds, olds[1:], strict=False):
                    if first_old.end_steps <= second_old.onset_steps:
                        assert first.end_steps <= second.onset_steps
        assert len(before) == score.n_notes
        assert is_ordered(before, after)

    @given(scores(), SEEDS)
    def test_the_same_seed_is_the_same_music(self, score: Score, seed: int) -> None:
        assert humanize(score, seed=seed) == humanize(score, seed=seed)

    @given(scores(), SEEDS)
    def test_each_strength_does_its_own_thing_only(self, score: Score, seed: int) -> None:
        loud = humanize(score, timing=0, velocity=1.0, seed=seed)
        ratio = loud.steps_per_quarter // score.steps_per_quarter
        for old, new in zip(score.tracks, loud.tracks, strict=True):
            places = [(n.onset_steps * ratio, n.end_steps * ratio, n.pitch) for n in old.notes]
            assert sorted(places) == sorted((n.onset_steps, n.end_steps, n.pitch) for n in new.notes)
        moved = humanize(score, timing=1.0, velocity=0, seed=seed)
        for old, new in zip(score.tracks, moved.tracks, strict=True):
            assert Counter((n.pitch, n.velocity) for n in old.notes) == Counter(
                (n.pitch, n.velocity) for n in new.notes
            )


def eighths(n: int = 16, *, pitch: int = 60, bpm: float = 120.0) -> Score:
    notes = tuple(Note(2 * i, 2, pitch, 64) for i in range(n))
    return Score(4, (Track("T", notes),), tempos=(TempoChange(0, bpm),))


class TestSwing:
    @pytest.mark.parametrize(("groove", "amount", "second"), [
        ("swing", 1.0, 320), ("light-swing", 1.0, 288), ("75%", 1.0, 360), ("swing", 0.5, 288), ("1:3", 1.0, 120),
    ])  # fmt: skip
    def test_the_second_eighth(self, groove: str, amount: float, second: int) -> None:
        played = humanize(eighths(4), groove=groove, amount=amount, timing=0, velocity=0)
        assert [n.onset_steps for n in played.tracks[0].notes] == [0, second, 480, 480 + second]
        assert [n.end_steps for n in played.tracks[0].notes] == [second, 480, 480 + second, 960]

    def test_pairs_are_counted_in_the_metre(self) -> None:
        meters = (MeterChange(0, Meter(3, 4)), MeterChange(12, Meter(6, 8)))
        score = Score(4, (Track("T", tuple(Note(2 * i, 2, 60) for i in range(12))),), meters=meters)
        played = humanize(score, groove="swing", timing=0, velocity=0)
        # In 3/4 the pairs are the beats; of the three eighths of a beat in 6/8 the third has no partner.
        expected = [0, 320, 480, 800, 960, 1280, 1440, 1760, 1920, 2160, 2480, 2640]
        assert [n.onset_steps for n in played.tracks[0].notes] == expected

    def test_a_metre_that_cuts_a_pair_keeps_its_place(self) -> None:
        meters = (MeterChange(0, Meter(4, 4)), MeterChange(3, Meter(4, 4)))
        score = Score(4, (Track("T", (Note(0, 1, 60), Note(2, 1, 61), Note(3, 1, 62))),), meters=meters)
        played = humanize(score, groove="75%", timing=0, velocity=0)
        first, second, third = (n.onset_steps for n in played.tracks[0].notes)
        assert first < second < third
        assert second <= 360


class TestTiming:
    def test_about_so_far_and_late_as_often_as_early(self) -> None:
        for bpm in (60.0, 180.0):
            score = eighths(2000, bpm=bpm)
            played = humanize(score, timing=1.0, velocity=0, seed=1)
            seconds = played.tempo_map.seconds(np.array([n.onset_steps for n in played.tracks[0].notes]))
            late = seconds - score.tempo_map.seconds(np.arange(0, 4000, 2))
            assert 0.014 < late.std() < 0.020
            assert abs(late.mean()) < 0.004
            assert np.abs(late).max() < 0.05
            assert np.corrcoef(late[:-1], late[1:])[0, 1] > 0.4  # players drift
            weak = humanize(score, timing=0.25, velocity=0, seed=1)
            some = weak.tempo_map.seconds(np.array([n.onset_steps for n in weak.tracks[0].notes]))
            expected = 0.25 * late[1:] if abs(late[0]) < 1 else late
            assert np.abs(some[1:] - score.tempo_map.seconds(np.arange(2, 4000, 2)) - expected).max() < 0.003

    def test_laid_back_is_late_but_for_the_drums(self) -> None:
        notes = tuple(Note(4 * i, 1, 40) for i in range(8))
        score = Score(4, (Track("Bass", notes), Track("Drums", notes, is_drum=True)))
        bass, drums = humanize(score, groove="laid-back", timing=0, velocity=0).tracks
        assert {n.onset_steps % 480 for n in drums.notes} == {0}
        assert {n.onset_steps % 480 for n in bass.notes} == {round(0.022 * 960)}

    def test_chords_are_struck_upwards_on_beats_and_downwards_between(self) -> None:
        chords = tuple(Note(start, 4, pitch) for start in (0, 6) for pitch in (60, 64, 67, 72))
        score = Score(4, (Track("Guitar", (*chords, Note(12, 4, 60), Note(12, 4, 64))),))
        played = humanize(score, timing=0, velocity=0, strum=1.0).tracks[0].notes
        by_pitch: dict[int, list[int]] = defaultdict(list)
        for n in played:
            by_pitch[n.pitch].append(n.onset_steps)
        struck = round(0.06 * 960)
        assert [by_pitch[p][0] for p in (60, 64, 67, 72)] == [0, 19, 38, struck]
        assert [by_pitch[p][1] - 720 for p in (60, 64, 67, 72)] == [struck, 38, 19, 0]
        assert by_pitch[60][2] == by_pitch[64][2] == 1440  # two notes are no chord


class TestVelocity:
    def test_strong_beats_and_high_notes_are_louder(self) -> None:
        flat = humanize(eighths(800), timing=0, velocity=1.0, seed=0).tracks[0].notes
        loud = np.array([n.velocity for n in flat]).reshape(-1, 8).mean(axis=0)
        assert loud[0] > loud[4] > loud[2] > loud[1]
        hill = tuple(Note(4 * i, 4, 60 + (24 if i == 8 else 0), 64) for i in range(17))
        line, drums = (
            np.array([n.velocity for n in humanize(piece, timing=0, velocity=1.0, seed=3).tracks[0].notes])
            for piece in (Score(4, (Track("T", hill, is_drum=is_drum),)) for is_drum in (False, True))
        )
        higher = line - drums  # the metre and chance are the same
        assert higher[8] >= 8
        assert (np.delete(higher, 8) <= 0).all()

    @given(st.integers(1, 127))
    def test_velocities_stay_what_they_can_be(self, velocity: int) -> None:
        score = Score(4, (Track("T", tuple(Note(i, 1, 60, velocity) for i in range(16))),))
        assert all(1 <= n.velocity <= 127 for n in humanize(score, timing=0, velocity=1.0).tracks[0].notes)


def file_notes(smf: Smf) -> list[tuple[int, int, int, int, int]]:
    """Onset, end, pitch, velocity, channel by the tests' own reading: first in, first out."""
    sounding: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    found: list[list[int]] = []
    for tick, part, channel, kind, first, second in smf.events:
        if kind == NOTE_ON and second:
            sounding[part, channel, first].append(len(found))
            found.append([tick, smf.track_ends[part], first, second, channel])
        elif kind in (NOTE_ON, NOTE_OFF) and sounding[part, channel, first]:
            found[sounding[part, channel, first].pop(0)][1] = tick
    return [tuple(row) for row in found]  # type: ignore[misc]


STARTS = st.builds(lambda n, off: 60 * n + off, st.integers(0, 40), st.sampled_from([0, 0, 0, 1, 2, 9]))
PITCHES = st.integers(60, 63)
FILE_NOTES = st.builds(
    lambda start, length, pitch, channel, loud: note(start, length, pitch, channel=channel, velocity=loud),
    STARTS, st.sampled_from([1, 30, 60, 240, 900]), PITCHES, st.sampled_from([0, 9]), st.integers(1, 127),
)  # fmt: skip
OTHERS = st.one_of(
    st.builds(program, st.integers(0, 9), channel=st.sampled_from([0, 9]), tick=STARTS),
    st.builds(control, STARTS, st.sampled_from([0, 7, 64]), st.integers(0, 127), channel=st.sampled_from([0, 9])),
    st.builds(bend, STARTS, st.integers(-8192, 8191)),
    st.builds(tempo, STARTS, st.integers(30, 300)),
)
CONTENTS = st.lists(st.tuples(st.lists(FILE_NOTES, max_size=8), st.lists(OTHERS, max_size=5)), min_size=1, max_size=3)


def file_of(contents: list[Any]) -> bytes:
    tracks = [[*others, *(event for pair in notes for event in pair)] for notes, others in contents]
    return midi_bytes(*(track(*timed, end=3840) for timed in tracks))


def programs_of_notes(smf: Smf) -> list[tuple[int, int, int, int]]:
    """The program and bank that each note sounds with, in the order of the file's tracks."""
    now: dict[tuple[int, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    found = []
    for _, part, channel, kind, first, second in smf.events:
        bank, number = now[part, channel]
        if kind == PROGRAM:
            now[part, channel] = bank, first
        elif kind == CONTROL and first == 0:
            now[part, channel] = second, number
        elif kind == NOTE_ON and second:
            found.append((part, first, *now[part, channel]))
    return sorted(found)


class TestFiles:
    @given(CONTENTS, SEEDS)
    def test_nothing_asked_is_the_same_bytes(self, contents: list[Any], seed: int) -> None:
        data = file_of(contents) + b"odd"
        for feel in (Feel("swing", 0, 0, 0, 0), Feel("straight", 1, 0, 0, 0)):
            assert humanize_midi(data, feel=feel, seed=seed)[0] == data

    @settings(max_examples=150, deadline=None)
    @given(CONTENTS, FEELS, SEEDS)
    def test_what_must_not_change(self, contents: list[Any], feel: Feel, seed: int) -> None:
        data = file_of(contents)
        made, n_notes = humanize_midi(data, feel=feel, seed=seed)
        old, new = read_smf(data, "old", Limits()), read_smf(made, "new", Limits())
        assert new.warnings == ()
        assert (new.metas, new.track_ends) == (old.metas, old.track_ends)
        assert Counter((e.track, e.channel, e.kind, e.first) for e in new.events) == Counter(
            (e.track, e.channel, e.kind, e.first) for e in old.events
        )
        assert programs_of_notes(new) == programs_of_notes(old)
        by_key = [sorted(file_notes(smf), key=lambda n: (n[4], n[2], n[0], n[1])) for smf in (old, new)]
        assert len(by_key[0]) == n_notes
        assert is_ordered([n[0] for n in by_key[0]], [n[0] for n in by_key[1]])
        assert overlaps(by_key[1]) <= overlaps(by_key[0])

    def test_controllers_swing_along_and_texts_stay(self) -> None:
        timed = [*note(240, 240, 60), control(240, 7, 9), bend(120, 5)]
        data = midi_bytes(track(*timed, (240, symgen_marker()), end=1920))
        smf = read_smf(humanize_midi(data, feel=Feel("swing", 1, 0, 0, 0))[0], "new", Limits())
        assert [(e.tick, e.kind) for e in smf.events] == [(160, 0xE0), (320, NOTE_ON), (320, CONTROL), (480, NOTE_OFF)]
        assert [m.tick for m in smf.metas] == [240]

    def test_running_status_ports_sysex_and_formats(self) -> None:
        body = b"\0\xf0\2\1\xf7" + meta(0x21, b"\2") + b"\0\x93\x3c\x64\x83\x60\x3c\0\0\x3e\x50\x83\x60\x3e\0" + END
        for kind, n_tracks, expected in ((0, 1, 0), (0, 2, 1), (1, 2, 1)):
            data = raw_midi(*[body] * n_tracks, kind=kind)
            made = humanize_midi(data, feel=Feel("straight", 1, 0, 1, 0), seed=1)[0]
            smf = read_smf(made, "new", Limits())
            assert made[8:12] == bytes([0, expected, 0, n_tracks])
            assert [(e.tick, e.channel, e.first) for e in smf.events if e.kind == NOTE_ON and e.second][::n_tracks] == [
                (0, 35, 60), (480, 35, 62)
            ]  # fmt: skip
            assert made.count(b"\xf0\2\1\xf7") == n_tracks

    def test_ends_stand_before_starts_and_nothing_after_the_end(self) -> None:
        again = b"\0\x90\x3c\x64\x83\x60\x90\x3c\x64\0\x80\x3c\0\x83\x5d\x90\x3e\x64\3\x80\x3c\0\0\x80\x3e\0"
        made = humanize_midi(raw_midi(again + END), feel=Feel("laid-back", 1, 0, 0, 0))[0]
        smf = read_smf(made, "new", Limits())
        late = round(0.022 * 960)
        assert [(e.tick, e.kind, e.first) for e in smf.events] == [
            (late, NOTE_ON, 60), (480 + late, NOTE_OFF, 60), (480 + late, NOTE_ON, 60), (959, NOTE_ON, 62),
            (960, NOTE_OFF, 60), (960, NOTE_OFF, 62),
        ]  # fmt: skip
        assert smf.track_ends == (960,)

    def test_a_written_score_is_played_as_the_score(self) -> None:
        score = eighths(16)
        made = humanize_midi(write_midi(score), feel=Feel("swing", 1, 0, 0, 0))[0]
        assert read_midi(made, steps_per_quarter=480) == humanize(score, groove="swing", timing=0, velocity=0)


def symgen_marker() -> Any:
    import mido

    return mido.MetaMessage("marker", text="A")


def overlaps(notes: list[tuple[int, int, int, int, int]]) -> int:
    """How many notes sound into the next start of their pitch and channel."""
    by_key: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for onset, end, pitch, _, channel in notes:
        by_key[channel, pitch].append((onset, end))
    count = 0
    for pairs in by_key.values():
        starts = sorted({onset for onset, _ in pairs})
        for onset, end in pairs:
            later = [start for start in starts if start > onset]
            count += bool(later and end > later[0])
    return count


class TestCommand:
    def test_it_plays_a_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        source, out = tmp_path / "in.mid", tmp_path / "out.mid"
        source.write_bytes(write_midi(eighths()))
        words = ["--groove", "swing", "--timing", "0.3", "--velocity", "0.5", "--seed", "3"]
        assert main(["humanize", str(source), *words, "-o", str(out)]) == 0
        assert capsys.readouterr().out == f"{out}  seed 3  16 notes\n"
        first = out.read_bytes()
        played, _ = humanize_midi(source.read_bytes(), feel=Feel("swing", 1, 0.3, 0.5, 0), seed=3)
        plain, signed = (RawFile.read(data, "song.mid") for data in (played, first))
        assert signed.tracks[1:] == plain.tracks[1:]  # the recipe stands in the first
        assert signed.ends == plain.ends
        assert main(["humanize", str(source), *words, "-o", str(out), "--json"]) == 0
        assert out.read_bytes() == first
        assert main(["humanize", str(source), *words[:-1], "4", "-o", str(out)]) == 0
        assert out.read_bytes() != first
        zero = ["--timing", "0", "--velocity", "0"]
        assert main(["humanize", str(source), *zero, "-o", str(out)]) == 0
        assert out.read_bytes() == source.read_bytes()

    @pytest.mark.parametrize(("words", "refusal"), [
        (["--groove", "polka"], "groove 'polka': expected one of straight, swing"),
        (["--timing", "1.5"], "timing: 1.5: expected 0 to 1"),
        (["--velocity", "-1"], "velocity: -1: expected 0 to 1"),
        (["-o", "in.mid"], "output and input are the same file"),
        (["-o", "none/out.mid"], "no folder 'none'"),
        (["-o", "out.wav"], "expected a name ending in .mid or .midi"),
        (["--max-notes", "3"], "more than 3 notes: the limit is --max-notes"),
    ])  # fmt: skip
    def test_what_it_refuses(
        self, words: list[str], refusal: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.chdir(tmp_path)
        (tmp_path / "in.mid").write_bytes(write_midi(eighths()))
        assert main(["humanize", "in.mid", *words]) == 2
        assert refusal in capsys.readouterr().err
        assert [path.name for path in tmp_path.iterdir()] == ["in.mid"]
        assert (tmp_path / "in.mid").read_bytes() == write_midi(eighths())


def test_grooves() -> None:
    assert read_groove("swing").swing.ratio == 2
    assert read_groove("66% 16ths").swing.division == Fraction(1, 4)
    with pytest.raises(RequestError):
        read_groove("")
    assert symgen.humanize is humanize


def test_no_notes_and_smpte() -> None:
    empty = raw_midi(END)
    assert humanize_midi(empty, feel=Feel()) == (empty, 0)
    with pytest.raises(symgen.SymgenError, match="SMPTE time"):
        humanize_midi(raw_midi(NOTE + END, ticks=0xE728), feel=Feel())
