"""Streams of music21: bars, pickups, repeats, ties and chord symbols, in tunes small enough to read."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest

from symgen.errors import GridError
from symgen.io.adapters import from_music21
from symgen.io.optional import require
from symgen.score import Score
from theory.chord import NO_CHORD
from theory.pitch import pitch_name

music21 = require("music21")


def parse(text: str, format: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return music21.converter.parse(text, format=format)


def abc(body: str, *, meter: str = "4/4", key: str = "C", steps_per_quarter: int = 2) -> Score:
    tune = f"X:1\nT:T\nM:{meter}\nL:1/8\nK:{key}\n{body}\n"
    return from_music21(parse(tune, "abc"), steps_per_quarter=steps_per_quarter)


def bars(score: Score) -> list[str]:
    """Each bar's notes as ``name@step+duration``."""
    found = [""] * score.bars.n_bars
    for note in score.tracks[0].notes:
        bar = int(score.bars.bar_of(note.onset_steps))
        place = note.onset_steps - int(score.bars.starts[bar])
        found[bar] += f" {pitch_name(note.pitch)}@{place}+{note.duration_steps}"
    return [text.strip() for text in found]


class TestBars:
    def test_a_full_first_bar(self) -> None:
        score = abc("CDEF GABc|c8|")
        assert bars(score) == ["C4@0+1 D4@1+1 E4@2+1 F4@3+1 G4@4+1 A4@5+1 B4@6+1 C5@7+1", "C5@0+8"]
        assert score.end_steps == 16

    def test_a_pickup_ends_on_the_second_bar_line(self) -> None:
        score = abc('G2|"C"c8|"G"d8|e6|', key="G mix")
        assert bars(score) == ["G4@6+2", "C5@0+8", "D5@0+8", "E5@0+6"]
        assert [(c.onset_steps, str(c.key)) for c in score.keys] == [(0, "G mixolydian")]
        assert [c.onset_steps for c in score.chords] == [8, 16]
        assert score.end_steps == 32

    def test_a_pickup_that_comes_again_with_the_repeat(self) -> None:
        assert bars(abc("G2|c8|d6:|")) == ["G4@6+2", "C5@0+8", "D5@0+6 G4@6+2", "C5@0+8", "D5@0+6"]

    def test_a_bar_split_by_a_repeat_is_no_pickup(self) -> None:
        assert bars(abc("c6:|d2|e8|")) == ["C5@0+6 C5@6+6", "D5@4+2", "E5@0+8"]

    def test_a_whole_bar_off_the_bar_line_starts_afresh(self) -> None:
        score = abc("c8|d6|e8|f8|")
        assert bars(score) == ["C5@0+8", "D5@0+6", "E5@0+8", "F5@0+8"]
        assert score.bars.starts.tolist() == [0, 8, 14, 22, 30]
        assert {str(meter) for meter in score.bars.meters} == {"4/4"}

    def test_two_halves_of_a_bar_are_one(self) -> None:
        assert bars(abc("c8|d6|e2|f8|")) == ["C5@0+8", "D5@0+6 E5@6+2", "F5@0+8"]

    def test_a_change_of_metre_and_key(self) -> None:
        score = abc("c8|\nM:3/4\nK:D\nf6|f6|")
        assert [(c.onset_steps, str(c.meter)) for c in score.meters] == [(0, "4/4"), (8, "3/4")]
        assert [(c.onset_steps, str(c.key)) for c in score.keys] == [(0, "C major"), (8, "D major")]
        assert bars(score)[1:] == ["F#5@0+6", "F#5@0+6"]

    def test_after_a_jump_the_old_metre_holds_again(self) -> None:
        measures = [music21.stream.Measure(number=i) for i in range(3)]
        for measure, meter, length in zip(measures, ("4/4", "3/4", None), (4, 3, 3), strict=True):
            measure.append([music21.meter.TimeSignature(meter)] * bool(meter))
            measure.append(music21.note.Note("C4", quarterLength=length))
        measures[0].append(music21.harmony.ChordSymbol(root="C", kind="major"))
        measures[1].rightBarline = music21.bar.Repeat(direction="end")
        score = from_music21(music21.stream.Part(measures), steps_per_quarter=1)
        changes = [(c.onset_steps, str(c.meter)) for c in score.meters]
        assert changes == [(0, "4/4"), (4, "3/4"), (7, "4/4"), (11, "3/4")]
        assert score.bars.starts.tolist() == [0, 4, 7, 11, 14, 17]

    def test_without_a_metre_there_is_no_pickup(self) -> None:
        assert abc("c2|d8|", meter="none").tracks[0].notes[0].onset_steps == 0

    def test_additive_metres_keep_their_groups(self) -> None:
        part = music21.stream.Part()
        part.append(music21.meter.TimeSignature("3+2+2/8"))
        part.repeatAppend(music21.note.Note("C4", quarterLength=0.5), 14)
        score = from_music21(part.makeMeasures(), steps_per_quarter=2)
        assert [str(c.meter) for c in score.meters] == ["3+2+2/8"]
        assert score.bars.n_bars == 2

    def test_a_metre_off_the_grid_is_an_error(self) -> None:
        with pytest.raises(GridError, match="a bar of 3/8"):
            abc("ccc|ccc|", meter="3/8", steps_per_quarter=1)


class TestNotes:
    def test_ties_join_over_the_bar_line(self) -> None:
        assert bars(abc("c6 d2-|d4 e4|f8|")) == ["C5@0+6 D5@6+6", "E5@4+4", "F5@0+8"]

    def test_a_tie_into_a_repeat_joins_only_where_it_is_played(self) -> None:
        assert bars(abc("|:c8-|c4 d4-:|d8|")) == ["C5@0+12", "D5@4+4", "C5@0+12", "D5@4+12", ""]

    def test_grace_notes_are_dropped_and_chords_kept(self) -> None:
        assert bars(abc("{g}c4 [ce]4|")) == ["C5@0+4 C5@4+4 E5@4+4"]

    def test_times_off_the_grid(self) -> None:
        assert bars(abc("(3ccc c/c/c/c/ c4|", steps_per_quarter=2))[0].count("+1") >= 4
        exact = abc("(3ccc c6|", steps_per_quarter=6).tracks[0].notes
        assert [note.onset_steps for note in exact] == [0, 2, 4, 6]

    def test_voices_of_a_part_are_one_track(self) -> None:
        measure = music21.stream.Measure(number=1)
        measure.append(music21.meter.TimeSignature("2/4"))
        for name in ("C4", "E4"):
            voice = music21.stream.Voice()
            voice.append([music21.note.Note(name, quarterLength=1), music21.note.Note("G4", quarterLength=1)])
            measure.insert(0, voice)
        part = music21.stream.Part([measure])
        part.partName = "Hand"
        score = from_music21(music21.stream.Score([part]), steps_per_quarter=2)
        assert bars(score) == ["C4@0+2 E4@0+2 G4@2+2"]
        assert score.tracks[0].name == "Hand"

    def test_a_transposing_part_sounds(self) -> None:
        part = music21.stream.Part()
        part.append([music21.instrument.Clarinet(), music21.key.Key("D"), music21.meter.TimeSignature("4/4")])
        part.append(music21.note.Note("D4", quarterLength=4))
        measured = part.makeMeasures()
        assert [pitch_name(n.pitch) for n in from_music21(measured, steps_per_quarter=1).tracks[0].notes] == ["D4"]
        measured.atSoundingPitch = False
        score = from_music21(measured, steps_per_quarter=1)
        assert [pitch_name(n.pitch) for n in score.tracks[0].notes] == ["C4"]
        assert [str(c.key) for c in score.keys] == ["C major"]

    def test_a_stream_without_measures(self) -> None:
        flat = music21.stream.Stream([music21.tempo.MetronomeMark(number=80), music21.note.Note("C4", quarterLength=3)])
        score = from_music21(flat, steps_per_quarter=4)
        assert (score.tempos[0].bpm, score.n_notes, score.end_steps) == (80, 1, 16)

    def test_drums_by_their_channel(self) -> None:
        part = music21.stream.Part([music21.instrument.UnpitchedPercussion()])
        part[0].midiChannel = 9
        part.append(music21.note.Note(36))
        assert from_music21(part, steps_per_quarter=4).tracks[0].is_drum

    @pytest.mark.parametrize("work", ["bach/bwv66.6", "bach/bwv227.1", "palestrina/Agnus_01"])
    def test_music21s_own_way_agrees(self, work: str) -> None:
        """The slow way: strip ties, flatten, and look at every note."""
        stream: Any = music21.corpus.parse(work)
        score = from_music21(stream, steps_per_quarter=24)
        start = score.tracks[0].notes[0].onset_steps - 24 * stream.parts[0].flatten().notes[0].offset
        for part, track in zip(stream.parts, score.tracks, strict=True):
            slow = [
                (24 * note.offset + start, 24 * note.quarterLength, pitch.midi)
                for note in part.stripTies().flatten().notes
                for pitch in note.pitches
                if note.quarterLength > 0
            ]
            assert [(n.onset_steps, n.duration_steps, n.pitch) for n in track.notes] == sorted(slow)


class TestWords:
    @pytest.mark.parametrize(("symbol", "expected"), [
        ("Am", "Am"), ("F#m7b5", "F#m7b5"), ("Bbmaj7", "Bbmaj7"), ("C/E", "C/E"), ("G7b9", "G7b9"),
        ("D7sus4", "D7sus4"), ("Eb6", "Eb6"), ("Bdim7", "Bdim7"), ("Caug", "Caug"), ("A9", "A9"),
        ("E7#9", "E7#9"), ("C7b5", "C7b5"),
    ])  # fmt: skip
    def test_chord_symbols_of_abc(self, symbol: str, expected: str) -> None:
        assert [str(c.chord) for c in abc(f'"{symbol}"c8|').chords] == [expected]

    def test_no_chord_and_annotations(self) -> None:
        score = abc('"N.C."c2"^slow"d2"C"e4|"C"c8|')
        assert score.chords[0].chord == NO_CHORD
        assert [c.onset_steps for c in score.chords] == [0, 4], "a chord that goes on is not named again"

    @pytest.mark.parametrize(("kind", "degree", "expected"), [
        ("suspended-fourth", (7, 0, "add"), "Bb7sus4"), ("dominant", (5, -1, "alter"), "Bb7b5"),
        ("dominant", (9, -1, "add"), "Bb7b9"), ("major-seventh", (7, -1, "alter"), "Bb7"),
        ("minor", (3, 1, "alter"), "Bb"), ("minor-seventh", (5, -1, "add"), "Bbm7b5"),
        ("major", (3, 0, "subtract"), "Bb5"), ("minor", (3, 0, "subtract"), "Bb5"),
        ("major", (11, 1, "add"), "Bb(add#11)"), ("major", (7, 1, "add"), "Bbmaj7"),
    ])  # fmt: skip
    def test_degrees_of_musicxml(self, kind: str, degree: tuple[int, int, str], expected: str) -> None:
        score = from_music21(parse(harmony(kind, degree), "musicxml"), steps_per_quarter=1)
        assert [str(c.chord) for c in score.chords] == [expected]

    def test_tempos_count_quarter_notes(self) -> None:
        tune = "X:1\nT:T\nM:6/8\nL:1/8\nQ:3/8=60\nK:D dor\nd6|"
        score = from_music21(parse(tune, "abc"), steps_per_quarter=2)
        assert [(c.onset_steps, c.bpm) for c in score.tempos] == [(0, 90.0)]
        assert str(score.keys[0].key) == "D dorian"

    def test_a_bare_signature_is_major(self) -> None:
        part = music21.stream.Part([music21.key.KeySignature(-3), music21.note.Note("C4")])
        assert [str(c.key) for c in from_music21(part, steps_per_quarter=1).keys] == ["Eb major"]

    def test_rehearsal_marks_are_sections(self) -> None:
        part = music21.stream.Part()
        part.insert(0, music21.expressions.RehearsalMark("Verse"))
        part.insert(0, music21.note.Note("C4", quarterLength=math.pi))
        assert [m.text for m in from_music21(part, steps_per_quarter=1).markers] == ["Verse"]


def harmony(kind: str, degree: tuple[int, int, str]) -> str:
    value, alter, what = degree
    changed = (
        f"<degree><degree-value>{value}</degree-value><degree-alter>{alter}</degree-alter>"
        f"<degree-type>{what}</degree-type></degree>"
    )
    root = "<root><root-step>B</root-step><root-alter>-1</root-alter></root>"
    note = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration><type>whole</type></note>"
    attributes = (
        "<attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    )
    measure = f"{attributes}<harmony>{root}<kind>{kind}</kind>{changed}</harmony>{note}"
    parts = '<part-list><score-part id="P1"><part-name>Lead</part-name></score-part></part-list>'
    body = f'{parts}<part id="P1"><measure number="1">{measure}</measure></part>'
    return f'<?xml version="1.0"?><score-partwise version="3.1">{body}</score-partwise>'
