"""Notes and parts of MIDI files: symusic as the oracle, and what is mended."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from typing import Any

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from midi_files import END, meta, midi_bytes, note, program, raw_midi, tempo, track

from symgen.io.adapters import from_symusic
from symgen.io.midi import read_midi, write_midi
from symgen.io.writing import MidiOptions
from symgen.score import Marker, Note, Score, Track

C4_ON, C4_OFF = b"\x90\x3c\x50", b"\x80\x3c\x00"


def read(data: bytes) -> Score:
    return read_midi(data, steps_per_quarter=4)


def notes_of(data: bytes) -> list[list[tuple[int, int, int, int]]]:
    tracks = read(data).tracks
    return [[(n.onset_steps, n.duration_steps, n.pitch, n.velocity) for n in part.notes] for part in tracks]


# Few pitches and ticks, so that notes repeat, overlap, touch, coincide and have no length.
STARTS, LENGTHS, PITCHES, VELOCITIES = (st.integers(*ends) for ends in ((0, 300), (0, 200), (60, 62), (1, 127)))
NOTES = st.builds(
    lambda start, length, pitch, channel, velocity: note(start, length, pitch, channel=channel, velocity=velocity),
    STARTS, LENGTHS, PITCHES, st.sampled_from([0, 3, 9]), VELOCITIES,
)  # fmt: skip
WORDS = st.one_of(
    st.builds(tempo, STARTS, st.integers(20, 300)),
    st.builds(program, st.integers(0, 3), channel=st.sampled_from([0, 3, 9]), tick=STARTS),
    st.tuples(STARTS, st.builds(mido.MetaMessage, st.just("marker"), text=st.sampled_from(["Am", "Verse", "N.C."]))),
    st.tuples(STARTS, st.builds(mido.MetaMessage, st.just("key_signature"), key=st.sampled_from(["Eb", "F#m"]))),
    st.tuples(STARTS, st.builds(mido.MetaMessage, st.just("time_signature"), numerator=st.integers(1, 7))),
    st.tuples(STARTS, st.builds(mido.Message, st.just("control_change"), control=st.just(64), value=st.just(127))),
)
CONTENTS = st.tuples(st.lists(NOTES, max_size=10), st.lists(WORDS, max_size=5))


def timed(content: tuple[list[list[Any]], list[Any]]) -> list[Any]:
    found, words = content
    return [*words, *(event for pair in found for event in pair)]


@given(st.lists(CONTENTS, min_size=1, max_size=3), st.sampled_from([96, 100, 480]))
def test_symusic_reads_the_same(contents: list[Any], ticks: int) -> None:
    """All but the names of tracks, and parts without notes, of which it makes some."""
    import symusic

    data = midi_bytes(*(track(*timed(content)) for content in contents), ticks=ticks)
    expected = from_symusic(symusic.Score.from_midi(data), steps_per_quarter=4)
    found = read(data)
    sounding = [Track("", t.notes, t.program, t.is_drum) for t in expected.tracks if t.notes]
    assert [Track("", t.notes, t.program, t.is_drum) for t in found.tracks] == sounding
    assert (found.tempos, found.meters, found.keys) == (expected.tempos, expected.meters, expected.keys)
    assert (found.chords, found.markers) == (expected.chords, expected.markers)


@given(st.lists(NOTES, min_size=1, max_size=10), st.data())
def test_a_note_never_off_ends_with_its_track(pairs: list[Any], data: st.DataObject) -> None:
    """As if its end stood there: the ends left out are the last of their pitch and channel."""
    end = 600
    offs = sorted((off for _, off in pairs), key=lambda event: event[0])
    kept = offs[: data.draw(st.integers(0, len(offs)))]
    ons = [on for on, _ in pairs]
    late = [(end, off[1]) for off in offs[len(kept) :]]
    cut, whole = (midi_bytes(track(*ons, *ends, end=end)) for ends in (kept, [*kept, *late]))
    assert read(cut).tracks == read(whole).tracks


def test_overlapping_notes_of_a_pitch_end_in_the_order_they_started() -> None:
    events = b"\0\x90\x3c\x10" + b"\x60\x90\x3c\x20" + b"\x60" + C4_OFF + b"\x60" + C4_OFF
    assert notes_of(raw_midi(events + END, ticks=96)) == [[(0, 8, 60, 16), (4, 8, 60, 32)]]


def test_an_end_without_a_note_is_left_out() -> None:
    events = b"\0" + C4_OFF + b"\x60" + C4_ON + b"\x60" + C4_OFF + b"\0" + C4_OFF
    assert notes_of(raw_midi(events + END, ticks=96)) == [[(4, 4, 60, 80)]]
    assert notes_of(raw_midi(b"\0" + C4_OFF + END)) == []


def test_an_end_in_another_track_or_channel_ends_nothing() -> None:
    data = raw_midi(b"\0" + C4_ON + b"\x60\x81\x3c\x00" + b"\x60" + END[1:], b"\x60" + C4_OFF + END, ticks=96)
    assert notes_of(data) == [[(0, 8, 60, 80)]]


def test_a_note_belongs_to_the_program_it_started_with() -> None:
    timed = [program(7), *note(0, 480, 60), program(9, tick=240), *note(480, 480, 62)]
    parts = read(midi_bytes(track(*timed))).tracks
    assert [(part.program, part.notes) for part in parts] == [(7, (Note(0, 4, 60, 100),)), (9, (Note(4, 4, 62, 100),))]


@pytest.mark.parametrize(("name", "expected"), [(b"Alto", "Alto"), (b"\xc9tude", "Étude"), ("Étude".encode(), "Étude")])
def test_parts_bear_the_first_name_of_their_track(name: bytes, expected: str) -> None:
    both = b"\0" + C4_ON + b"\x60" + C4_OFF + b"\0\x93\x3c\x50\x60\x83\x3c\x00"
    data = raw_midi(meta(0x03, b"") + both + meta(0x03, name) + meta(0x03, b"later") + END, b"\0" + C4_ON + END)
    assert [part.name for part in read(data).tracks] == [expected, expected, "Track 3"]


def test_the_second_port_has_drums_on_its_tenth_channel() -> None:
    data = raw_midi(meta(0x21, b"\x01") + b"\0\x99\x3c\x50\x60\x89\x3c\x00" + b"\0" + C4_ON + b"\x60" + C4_OFF + END)
    assert [part.is_drum for part in read(data).tracks] == [False, True]


def test_silent_bars_count_where_a_track_is_silent() -> None:
    data = midi_bytes(track(end=4 * 480 * 3), track(*note(0, 480, 60), end=480 * 100))
    assert read(data).end_steps == 48


class TestOurOwnFiles:
    SONG = Score(
        4,
        (Track("Melody", (Note(0, 4, 72),), 5), Track("Empty", (), 9), Track("Drums", (Note(4, 1, 36),), is_drum=True)),
        markers=(Marker(0, "Verse"),),
        end_steps=16,
        recipe=(("seed", "7"),),
    )

    def test_tracks_without_notes_stay(self) -> None:
        assert read(write_midi(self.SONG)) == self.SONG

    def test_tracks_put_into_one_keep_their_notes(self) -> None:
        """As other programs save a file in format 0."""
        file = mido.MidiFile(file=io.BytesIO(write_midi(self.SONG)))
        back = read(midi_bytes(mido.merge_tracks(file.tracks), kind=0))
        assert [(part.program, part.is_drum, part.notes) for part in back.tracks] == [
            (part.program, part.is_drum, part.notes) for part in self.SONG.tracks if part.notes
        ]
        for part in (self.SONG.tracks[0], Track("A, B", (Note(0, 4, 72),))):
            alone = self.SONG.with_tracks([part])
            file = mido.MidiFile(file=io.BytesIO(write_midi(alone)))
            back = read(midi_bytes(mido.merge_tracks(file.tracks), kind=0))
            assert (back.tracks, back.markers, back.recipe) == (alone.tracks, alone.markers, alone.recipe)

    def test_one_track_bears_the_names_of_all(self) -> None:
        note, drum = Note(0, 4, 72), Track("Drums", (Note(4, 1, 36),), is_drum=True)
        named = self.SONG.with_tracks([drum, Track("Melody", (note,), 5), Track("Bass", (note,), 6)])
        data = write_midi(named, MidiOptions(format_number=0))
        (track,) = mido.MidiFile(file=io.BytesIO(data)).tracks
        assert track.name == "Melody, Bass, Drums"
        assert sorted(part.name for part in read(data).tracks) == ["Bass", "Drums", "Melody"]
        assert {(part.name, part.program) for part in read(data).tracks} >= {("Melody", 5), ("Bass", 6)}
        shared = named.with_tracks([drum, replace(drum, name="Congas", notes=(Note(0, 1, 62),)), named.tracks[1]])
        names = [part.name for part in read(write_midi(shared, MidiOptions(format_number=0))).tracks]
        assert names == ["Track 1", "Track 2"]  # two of them share a channel: whose notes are whose is lost


def test_no_native_code_sees_the_bytes() -> None:
    code = "import sys; from symgen.io.midi import read_midi; read_midi(sys.stdin.buffer.read(), steps_per_quarter=4)"
    code += "; print([name for name in ('symusic', 'pretty_midi', 'mido', 'music21') if name in sys.modules])"
    data = raw_midi(b"\0" + C4_ON + b"\x60" + C4_OFF + END)
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
