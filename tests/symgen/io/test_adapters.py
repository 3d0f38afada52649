"""Scores through the objects of other libraries and back."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from score_strategies import plain_keys, scores

from symgen.errors import FileFormatError, MissingDependencyError, ScoreError
from symgen.io import adapters
from symgen.io.midi import read_midi, write_midi
from symgen.io.optional import require
from symgen.score import ChordChange, KeyChange, Marker, Note, Score, TempoChange, Track
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter

music21 = require("music21")


def distinct(changes: tuple[Any, ...]) -> tuple[Any, ...]:
    """Without the changes to what holds already."""
    values = [replace(change, onset_steps=0) for change in changes]
    return tuple(c for i, c in enumerate(changes) if i == 0 or values[i] != values[i - 1])


def without_silent_end(score: Score) -> Score:
    """As a library keeps a score that knows no end: up to the bar line after the last thing in it."""
    events: tuple[Any, ...] = (*score.tempos, *score.meters, *score.keys, *score.chords, *score.markers)
    last = max((change.onset_steps for change in events), default=0)
    trimmed = replace(score, end_steps=0)
    return replace(trimmed, end_steps=replace(trimmed, end_steps=max(last, trimmed.end_steps)).bars.end_steps)


def plain_meters(score: Score) -> Score:
    changes = (replace(c, meter=Meter(c.meter.numerator, c.meter.denominator)) for c in score.meters)
    return replace(score, meters=tuple(changes))


class TestSymusic:
    @settings(max_examples=50, deadline=None)
    @given(scores(keys=plain_keys()))
    def test_a_score_comes_back(self, score: Score) -> None:
        back = adapters.from_symusic(adapters.to_symusic(score), steps_per_quarter=score.steps_per_quarter)
        assert same_bars(back, plain_meters(score))

    @settings(max_examples=30, deadline=None)
    @given(scores())
    def test_its_notes_are_those_of_our_file(self, score: Score) -> None:
        import symusic

        ours: Any = symusic.Score.from_midi(write_midi(score))
        theirs = [t for t in adapters.to_symusic(score).tracks if len(t.notes)]
        found = [sorted((n.time, n.duration, n.pitch, n.velocity) for n in t.notes) for t in theirs]
        assert found == [sorted((n.time, n.duration, n.pitch, n.velocity) for n in t.notes) for t in ours.tracks]

    def test_one_in_quarter_notes_is_put_into_ticks(self) -> None:
        score = Score(12, (Track("T", (Note(3, 4, 60),)),))
        midi = adapters.to_symusic(score).to("quarter")
        assert adapters.from_symusic(midi, steps_per_quarter=12).tracks == score.tracks


def same_bars(back: Score, score: Score) -> bool:
    """Whether a score came back, but for silent bars at its end."""
    expected = without_silent_end(score)
    return replace(back, end_steps=0) == replace(expected, end_steps=0) and back.end_steps <= score.end_steps


class TestPrettyMidi:
    @settings(max_examples=40, deadline=None)
    @given(scores())
    def test_a_score_comes_back(self, score: Score) -> None:
        score = replace(score, tempos=distinct(score.tempos))
        back = adapters.from_pretty_midi(adapters.to_pretty_midi(score), steps_per_quarter=score.steps_per_quarter)
        assert same_bars(back, score)
        assert back.recipe == score.recipe

    @settings(max_examples=30, deadline=None)
    @given(scores())
    def test_every_time_is_a_whole_tick(self, score: Score) -> None:
        midi = adapters.to_pretty_midi(score)
        ratio = 480 // score.steps_per_quarter
        by_place = {i: t for i, t in enumerate(score.tracks) if t.notes}
        for index, track in by_place.items():
            found = {midi.time_to_tick(note.start) for note in midi.instruments[index].notes}
            assert found == {note.onset_steps * ratio for note in track.notes}

    def test_its_own_file_reads_back(self) -> None:
        score = Score(
            12, (Track("Melody", (Note(0, 48, 60),), 5),), keys=(KeyChange(0, Key.parse("F#")),), end_steps=48
        )
        buffer = io.BytesIO()
        adapters.to_pretty_midi(score).write(buffer)
        assert read_midi(buffer.getvalue(), steps_per_quarter=12) == score

    def test_texts_of_a_foreign_object_are_no_markers(self) -> None:
        import pretty_midi

        midi = pretty_midi.PrettyMIDI(initial_tempo=90)
        part = pretty_midi.Instrument(3, name="Keys")
        part.notes.append(pretty_midi.Note(100, 60, 0.0, 60 / 90))
        midi.instruments.append(part)
        midi.text_events.append(pretty_midi.Text("Am", 0.0))
        midi.key_signature_changes.append(pretty_midi.KeySignature(13, 0.0))
        score = adapters.from_pretty_midi(midi, steps_per_quarter=4)
        assert score.tracks == (Track("Keys", (Note(0, 4, 60, 100),), 3),)
        assert (score.chords, score.markers) == ((), ())
        assert [str(change.key) for change in score.keys] == ["C# minor"]
        assert score.tempos == (TempoChange(0, 90.0),)

    def test_an_impossible_tempo_is_named(self) -> None:
        import pretty_midi

        midi = pretty_midi.PrettyMIDI(initial_tempo=2000)
        with pytest.raises(FileFormatError, match=r"^PrettyMIDI: tick 0: tempo of 30000 microseconds"):
            adapters.from_pretty_midi(midi, steps_per_quarter=4)


def as_music21_keeps(score: Score) -> Score:
    changed = replace(
        score,
        tempos=distinct(score.tempos),
        keys=distinct(score.keys),
        chords=distinct(score.chords),
        markers=tuple(marker for marker in score.markers if marker.text),
    )
    return replace(changed, meters=distinct(score.meters))


def has_known_modes(score: Score) -> bool:
    modes = {"major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian"}
    return all(change.key.mode in modes and abs(change.key.tonic.fifths) < 10 for change in score.keys)


class TestMusic21:
    @settings(max_examples=40, deadline=None)
    @given(scores(max_tracks=2).filter(lambda s: s.tracks and has_known_modes(s)))
    def test_a_score_comes_back(self, score: Score) -> None:
        back = adapters.from_music21(adapters.to_music21(score), steps_per_quarter=score.steps_per_quarter)
        assert back == as_music21_keeps(score)

    def test_a_bar_that_is_cut_short_stays_short(self) -> None:
        from symgen.score import MeterChange

        meters = (MeterChange(0, Meter(4, 4)), MeterChange(10, Meter(3, 4)), MeterChange(22, Meter(3, 4)))
        score = Score(4, (Track("T", (Note(0, 22, 60), Note(22, 12, 62))),), meters=meters, end_steps=34)
        back = adapters.from_music21(adapters.to_music21(score), steps_per_quarter=4)
        assert back.tracks == score.tracks
        assert back.bars.starts.tolist() == score.bars.starts.tolist() == [0, 10, 22, 34]

    def test_chords_voices_and_ties(self) -> None:
        notes = (Note(0, 8, 60), Note(0, 8, 64), Note(4, 20, 67), Note(12, 8, 60))
        stream = adapters.to_music21(Score(4, (Track("T", notes),)))
        first = stream.parts[0].measure(1)
        assert len(first.voices) == 2
        assert [n.tie.type for n in stream.recurse().notes if n.tie] == ["start", "start", "stop", "stop"]
        assert stream.isWellFormedNotation()

    def test_an_opus_is_refused(self) -> None:
        with pytest.raises(ScoreError, match=r"an Opus of 0 pieces: expected one of them"):
            adapters.from_music21(music21.stream.Opus(), steps_per_quarter=4)


class TestChordSymbols:
    @pytest.mark.parametrize("suffix", [
        "", "m", "dim", "aug", "5", "(b5)", "sus2", "sus4", "6", "m6", "7", "maj7", "m7", "mmaj7", "dim7", "m7b5",
        "dimmaj7", "aug7", "augmaj7", "7b5", "7sus4", "9", "maj9", "m9", "6/9", "m6/9", "7b9", "7#9", "9sus4", "11",
        "m11", "13", "m13", "maj7#11", "add9", "madd9", "add11", "7alt", "13b9", "maj7(omit3)", "5(omit5)",
    ])  # fmt: skip
    @pytest.mark.parametrize("root", ["C", "F#", "Bb"])
    def test_every_quality_comes_back(self, root: str, suffix: str) -> None:
        from symgen.io.music21_chords import from_symbol, to_symbol

        for text in (f"{root}{suffix}", f"{root}{suffix}/E", f"{root}{suffix}[half-whole]"):
            chord = Chord.parse(text)
            assert from_symbol(to_symbol(chord)) == chord


class TestLoading:
    def test_importing_loads_no_library(self) -> None:
        heavy = "{'music21', 'symusic', 'mido', 'pretty_midi'}"
        modules = "sys, symgen.io, symgen.io.adapters, symgen.io.midi"
        code = f"import {modules}; sys.exit(', '.join({heavy} & set(sys.modules)) or None)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize(("library", "name"), [
        ("symusic", "to_symusic"), ("pretty_midi", "to_pretty_midi"), ("music21", "to_music21"),
    ])  # fmt: skip
    def test_a_missing_library_is_named(self, library: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(MissingDependencyError, match=f"^{library} is not installed.*pip install {library}"):
            getattr(adapters, name)(Score(4, (Track("T", (Note(0, 1, 60),)),)))

    def test_scores_offer_the_adapters(self) -> None:
        score = Score(
            4, (Track("T", (Note(0, 4, 60),)),), markers=(Marker(0, "A"),), chords=(ChordChange(0, Chord.parse("C")),)
        )
        assert score.to_symusic().note_num() == 1
        assert len(score.to_pretty_midi().instruments[0].notes) == 1
        assert len(score.to_music21().parts) == 1
