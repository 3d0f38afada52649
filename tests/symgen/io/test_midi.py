"""MIDI bytes: what they hold, what other libraries make of them, and that a score comes back."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from typing import Any

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_files import END, meta, raw_midi, riff, vlq
from score_strategies import scores

from symgen.errors import FileFormatError, GridError, ScoreError
from symgen.io.midi import read_midi, write_midi
from symgen.io.writing import MidiOptions
from symgen.score import ChordChange, KeyChange, Marker, MeterChange, Note, Score, TempoChange, Track
from theory.chord import NO_CHORD, Chord
from theory.key import Key
from theory.meter import Meter


def opened(data: bytes) -> Any:
    return mido.MidiFile(file=io.BytesIO(data), charset="utf-8")


def absolute(track: Any) -> list[tuple[int, Any]]:
    now, events = 0, []
    for message in track:
        now += message.time
        events.append((now, message))
    return events


def song() -> Score:
    return Score(
        12,
        (
            Track("Melody", (Note(0, 12, 72, 90), Note(12, 12, 72), Note(24, 36, 76))),
            Track("Bass", (Note(0, 36, 40), Note(36, 40, 43)), 33),
            Track("Drums", (Note(0, 3, 36, 110), Note(18, 3, 38)), is_drum=True),
        ),
        tempos=(TempoChange(0, 97.0), TempoChange(36, 120.0)),
        meters=(MeterChange(0, Meter(3, 4)), MeterChange(36, Meter(6, 8))),
        keys=(KeyChange(0, Key.parse("Eb")), KeyChange(36, Key.parse("C minor"))),
        chords=(ChordChange(0, Chord.parse("Eb")), ChordChange(36, Chord.parse("Cm7/G")), ChordChange(54, NO_CHORD)),
        markers=(Marker(0, "Verse"), Marker(36, "B")),
        end_steps=108,
        recipe=(("seed", "7"), ("key", "Eb major")),
    )


class TestRoundTrip:
    @settings(max_examples=100, deadline=None)
    @given(scores())
    def test_a_score_on_the_grid_comes_back(self, score: Score) -> None:
        data = write_midi(score)
        kit = [track.program for track in score.tracks if track.is_drum]
        assert len(kit) <= 1
        back = read_midi(data, steps_per_quarter=score.steps_per_quarter)
        assert back == score
        assert back.recipe == score.recipe
        assert write_midi(back) == data

    @settings(max_examples=30, deadline=None)
    @given(scores(), st.sampled_from([960, 1920]))
    def test_the_resolution_changes_nothing(self, score: Score, resolution: int) -> None:
        data = write_midi(score, MidiOptions(ticks_per_quarter=resolution))
        assert read_midi(data, steps_per_quarter=score.steps_per_quarter) == score

    def test_a_resolution_off_the_grid_is_refused(self) -> None:
        with pytest.raises(GridError, match="no whole tick"):
            write_midi(song(), MidiOptions(ticks_per_quarter=100))

    def test_an_empty_score(self) -> None:
        assert read_midi(write_midi(Score(4)), steps_per_quarter=4) == Score(4)

    def test_the_end_moves_to_the_bar_line(self) -> None:
        score = Score(4, (Track("T", (Note(0, 3, 60),)),), end_steps=17)
        assert read_midi(write_midi(score), steps_per_quarter=4).end_steps == 32

    @given(st.floats(4, 1000))
    def test_a_tempo_is_kept_to_the_microsecond(self, bpm: float) -> None:
        data = write_midi(Score(4, tempos=(TempoChange(0, bpm),), end_steps=16))
        back = read_midi(data, steps_per_quarter=4).tempos[0].bpm
        assert abs(60e6 / back - 60e6 / bpm) <= 1

    def test_equal_scores_give_equal_bytes(self) -> None:
        assert write_midi(song()) == write_midi(song())


class TestLayout:
    def test_the_first_track_says_it_all_at_its_ticks(self) -> None:
        conductor = absolute(opened(write_midi(song())).tracks[0])
        by_type = {kind: [(t, m) for t, m in conductor if m.type == kind] for kind in {m.type for _, m in conductor}}
        assert [(t, m.tempo) for t, m in by_type["set_tempo"]] == [(0, 618557), (1440, 500000)]
        assert [(t, m.numerator, m.denominator) for t, m in by_type["time_signature"]] == [(0, 3, 4), (1440, 6, 8)]
        assert [(t, m.key) for t, m in by_type["key_signature"]] == [(0, "Eb"), (1440, "Cm")]
        assert [(t, m.text) for t, m in by_type["marker"]] == [
            (0, "Verse"), (0, "Eb"), (1440, "[B]"), (1440, "Cm7/G"), (2160, "N.C."),
        ]  # fmt: skip
        assert [(t, m.text) for t, m in by_type["text"]] == [(0, "@symgen seed=7 'key=Eb major'")]

    def test_what_sounds_the_same_is_signed_once(self) -> None:
        """A key or a metre under the signature of the one before is told by a text, and comes back."""
        keys = ("D:dorian", "A minor", "A minor", "C", "Eb")
        meters = ("2+2+3/8", "7/8", "3+2+2/8", "7/8")
        score = Score(
            4, (Track("M", (Note(0, 4, 60),)),), end_steps=140,
            keys=tuple(KeyChange(28 * i, Key.parse(key)) for i, key in enumerate(keys)),
            meters=tuple(MeterChange(14 * i, Meter.parse(meter)) for i, meter in enumerate(meters)),
        )  # fmt: skip
        data = write_midi(score)
        assert read_midi(data, steps_per_quarter=4) == score
        conductor = opened(data).tracks[0]
        assert [m.key for m in conductor if m.type == "key_signature"] == ["Am", "C", "Eb"]
        assert sum(m.type == "time_signature" for m in conductor) == 1

    def test_time_signatures_have_four_bytes(self) -> None:
        assert b"\xff\x58\x04\x03\x02\x18\x08" in write_midi(song())

    def test_every_track_ends_on_the_bar_line(self) -> None:
        file = opened(write_midi(song()))
        ends = {(absolute(track)[-1][0], absolute(track)[-1][1].type) for track in file.tracks}
        assert ends == {(108 * 40, "end_of_track")}
        assert file.type == 1
        assert file.ticks_per_beat == 480

    def test_parts_have_names_channels_and_programs(self) -> None:
        conductor, *tracks = opened(write_midi(song())).tracks
        assert [t.name for t in (conductor, *tracks)] == ["Conductor", "Melody", "Bass", "Drums"]
        channels = [{m.channel for m in t if not m.is_meta} for t in tracks]
        assert channels == [{0}, {1}, {9}]
        assert [next(m.program for m in t if m.type == "program_change") for t in tracks] == [0, 33, 0]

    @settings(max_examples=60, deadline=None)
    @given(scores(max_tracks=20))
    def test_notes_never_overlap_on_a_channel(self, score: Score) -> None:
        """Even where more than fifteen tracks share channels."""
        for_channel: dict[tuple[int, int], list[tuple[int, bool]]] = {}
        try:
            data = write_midi(score)
        except ScoreError:
            assert len({t.program for t in score.tracks if not t.is_drum}) > 15
            return
        programs: dict[int, set[int]] = {}
        for track in opened(data).tracks[1:]:
            for tick, m in absolute(track):
                if m.type == "program_change":
                    programs.setdefault(m.channel, set()).add(m.program)
                if m.type in ("note_on", "note_off"):
                    for_channel.setdefault((m.channel, m.note), []).append((tick, m.type == "note_on"))
        assert all(len(found) == 1 for found in programs.values())
        for events in for_channel.values():
            events.sort()  # at one tick: off before on
            assert [is_on for _, is_on in events] == [True, False] * (len(events) // 2)

    def test_offs_stand_before_ons_in_the_file(self) -> None:
        events = [m.type for t, m in absolute(opened(write_midi(song())).tracks[1]) if t == 480]
        assert events == ["note_off", "note_on"]

    def test_an_overlap_is_cut_where_the_later_note_starts(self) -> None:
        score = Score(4, (Track("T", (Note(0, 8, 60), Note(4, 2, 60), Note(4, 8, 60, 99))),))
        notes = read_midi(write_midi(score), steps_per_quarter=4).tracks[0].notes
        assert notes == (Note(0, 4, 60), Note(4, 8, 60, 99))

    def test_sixteen_programs_are_refused_and_sixteen_tracks_of_fifteen_share(self) -> None:
        tracks = [Track(f"T{i}", (Note(i, 1, 60),), i % 15) for i in range(20)]
        data = write_midi(Score(4, tuple(tracks)))
        assert [t.program for t in read_midi(data, steps_per_quarter=4).tracks] == [i % 15 for i in range(20)]
        with pytest.raises(ScoreError, match="16 different programs: expected at most 15"):
            write_midi(Score(4, tuple(Track("T", (Note(0, 1, 60),), i) for i in range(16))))

    def test_programs_and_chords_can_be_left_out(self) -> None:
        file = opened(write_midi(song(), MidiOptions(programs=False, chord_names=())))
        assert not [m for t in file.tracks for m in t if m.type == "program_change"]
        assert [m.text for m in file.tracks[0] if m.type == "marker"] == ["Verse", "[B]"]


class TestOtherLibraries:
    """What they make of our file."""

    def test_mido(self) -> None:
        file = opened(write_midi(song()))
        assert math.isclose(file.length, song().duration_seconds, rel_tol=1e-6)
        assert sum(m.type == "note_on" for t in file.tracks for m in t) == song().n_notes

    def test_symusic(self) -> None:
        import symusic

        midi: Any = symusic.Score.from_midi(write_midi(song()))
        assert midi.ticks_per_quarter == 480
        assert [t.name for t in midi.tracks] == ["Melody", "Bass", "Drums"]
        assert [t.is_drum for t in midi.tracks] == [False, False, True]
        assert midi.note_num() == song().n_notes
        assert [round(t.qpm, 3) for t in midi.tempos] == [97.0, 120.0]
        assert [(t.numerator, t.denominator) for t in midi.time_signatures] == [(3, 4), (6, 8)]
        assert [(k.key, k.tonality) for k in midi.key_signatures] == [(-3, 0), (-3, 1)]

    def test_pretty_midi(self) -> None:
        import pretty_midi

        midi = pretty_midi.PrettyMIDI(io.BytesIO(write_midi(song())))
        assert [i.name for i in midi.instruments] == ["Melody", "Bass", "Drums"]
        assert [i.program for i in midi.instruments] == [0, 33, 0]
        assert sum(len(i.notes) for i in midi.instruments) == song().n_notes
        assert midi.get_tempo_changes()[1] == pytest.approx([97, 120], abs=1e-3)
        assert [(t.numerator, t.denominator) for t in midi.time_signature_changes] == [(3, 4), (6, 8)]
        assert [pretty_midi.key_number_to_key_name(k.key_number) for k in midi.key_signature_changes] == [
            "Eb Major",
            "C minor",
        ]

    def test_music21(self) -> None:
        import music21

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stream: Any = music21.converter.parseData(write_midi(song()), format="midi")
        assert [p.partName for p in stream.parts] == ["Melody", "Bass", "Drums"]
        assert len(stream.flatten().notes) >= song().n_notes  # notes over a bar line are split and tied
        flat = stream.parts[0].flatten()
        assert [t.ratioString for t in flat.getElementsByClass("TimeSignature")] == ["3/4", "6/8"]
        assert [str(k) for k in flat.getElementsByClass("KeySignature")] == ["E- major", "c minor"]
        numbers = [round(m.number, 2) for m in stream.recurse().getElementsByClass("MetronomeMark")]
        assert numbers[:2] == [97, 120]


NOTE = b"\x00\x90\x3c\x50\x60\x80\x3c\x00"  # a fifth of a quarter note


class TestForeignFiles:
    def read(self, data: bytes) -> Score:
        return read_midi(data, steps_per_quarter=4)

    def test_the_smallest_file(self) -> None:
        score = self.read(raw_midi(NOTE + END))
        assert score.tracks == (Track("Track 1", (Note(0, 1, 60, 80),)),)
        assert score.end_steps == 16

    def test_times_go_to_the_nearest_step_and_no_note_vanishes(self) -> None:
        events = b"".join(
            vlq(delta) + message
            for delta, message in [
                (59, b"\x90\x3c\x50"),
                (2, b"\x80\x3c\x00"),
                (119, b"\x90\x3c\x50"),
                (60, b"\x80\x3c\x00"),
            ]
        )
        assert self.read(raw_midi(events + END)).tracks[0].notes == (Note(0, 1, 60), Note(2, 1, 60))

    def test_a_name_that_is_not_utf8(self) -> None:
        score = self.read(raw_midi(meta(0x03, b"\xc9tude") + NOTE + END))
        assert score.tracks[0].name == "Étude"

    def test_a_riff_wrapper_is_taken_off(self) -> None:
        midi = raw_midi(NOTE + END)
        assert self.read(riff(midi)) == self.read(midi)

    def test_channels_of_one_track_are_parts(self) -> None:
        score = self.read(raw_midi(NOTE + b"\x00\x99\x24\x50\x60\x89\x24\x00" + END, kind=0))
        assert [(t.is_drum, len(t.notes)) for t in score.tracks] == [(False, 1), (True, 1)]

    def test_unknown_chunks_and_bad_key_signatures_are_skipped(self) -> None:
        plain = raw_midi(meta(0x59, b"\x20\x05") + meta(0x59, b"\x01") + NOTE + END)
        data = plain[:14] + b"XFIH\x00\x00\x00\x02ab" + plain[14:]
        assert self.read(data).keys == ()

    def test_tempo_before_the_first_one_is_120(self) -> None:
        score = self.read(raw_midi(meta(0x51, (600_000).to_bytes(3, "big"), vlq(480)) + NOTE + END))
        assert [(t.onset_steps, t.bpm) for t in score.tempos] == [(0, 120.0), (4, 100.0)]

    def test_markers_that_are_chords(self) -> None:
        texts = (b"Chorus", b"F#m7b5", b"\xc9tude", b"")
        score = self.read(raw_midi(b"".join(meta(0x06, text) for text in texts) + NOTE + END))
        assert score.markers == (Marker(0, "Chorus"), Marker(0, "Étude"))
        assert score.chords == (ChordChange(0, Chord.parse("F#m7b5")),)


# What is wrong with the bytes themselves, test_smf.py shows.
BAD = {
    "smpte": (raw_midi(NOTE + END, ticks=0xE728), "SMPTE"),
    "meter 0": (raw_midi(meta(0x58, b"\x00\x02\x18\x08") + NOTE + END), "tick 0: time signature 0/4"),
    "huge meter": (
        raw_midi(NOTE + meta(0x58, b"\x04\x40\x18\x08") + END),
        "track 1, tick 96: time signature 4/2^64: expected one such as 4/4 or 6/8",
    ),
    "half a meter": (raw_midi(END, meta(0x58, b"\x04") + END), "track 2, tick 0: a time signature of 1 bytes"),
    "tempo 0": (raw_midi(meta(0x51, bytes(3)) + NOTE + END), "track 1, byte 0x1a: a tempo of 0 microseconds"),
    "cut off": (raw_midi(NOTE + END)[:-6], "track 1, byte 0xe: cut off"),
    "bomb": (raw_midi(b"\xff\xff\xff\x7f" + NOTE[1:] + END, ticks=1), "quarter notes long"),
    "big": (b"MThd" + bytes(17 * 2**20), "expected a MIDI file of at most"),
}


class TestBadFiles:
    @pytest.mark.parametrize("name", BAD)
    def test_one_line_that_names_the_file(self, name: str) -> None:
        data, expected = BAD[name]
        with pytest.raises(FileFormatError) as caught:
            read_midi(data, steps_per_quarter=4, name="song.mid")
        message = str(caught.value)
        assert message.startswith("song.mid: ")
        assert expected in message
        assert "\n" not in message

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_damage_is_read_or_refused_but_never_worse(self, data: st.DataObject) -> None:
        damaged = bytearray(write_midi(song()))
        for _ in range(data.draw(st.integers(1, 4))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(0, len(damaged)))
        with contextlib.suppress(FileFormatError, GridError):
            read_midi(bytes(damaged[:cut] if data.draw(st.booleans()) else damaged), steps_per_quarter=4)

    def test_a_metre_off_the_grid_is_named(self) -> None:
        data = raw_midi(meta(0x58, b"\x05\x05\x18\x08") + NOTE + END)
        with pytest.raises(GridError, match="MIDI data: a bar of 5/32"):
            read_midi(data, steps_per_quarter=4)
