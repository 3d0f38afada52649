"""The fast road to rolls against the slow one, through scores and their notes."""

from __future__ import annotations

import io
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgen.corpus.ingest import midi_to_roll
from symgen.errors import FileFormatError, GridError
from symgen.io import load, save
from symgen.io.midi import write_midi
from symgen.roll import Roll, score_to_roll
from symgen.score import MeterChange, Note, Score, Track
from theory.meter import Meter


def assert_as_slow(path: Path, steps_per_quarter: int) -> Roll:
    """The slow roll, without its empty tracks, is the fast one and then silence."""
    score = load(path, steps_per_quarter=steps_per_quarter)
    slow = score_to_roll(score.with_tracks(track for track in score.tracks if track.notes))
    fast = midi_to_roll(path, steps_per_quarter=steps_per_quarter)
    n_steps = fast.onset.shape[1]
    last = max((note.end_steps for track in score.tracks for note in track.notes), default=0)
    assert last <= n_steps < last + steps_per_quarter
    assert n_steps % steps_per_quarter == 0
    np.testing.assert_array_equal(fast.onset, slow.onset[:, :n_steps])
    np.testing.assert_array_equal(fast.sustain, slow.sustain[:, :n_steps])
    assert not slow.sustain[:, n_steps:].any()
    assert fast.onset.dtype == np.uint8
    assert fast.steps_per_quarter == steps_per_quarter
    return fast


def midi_bytes(tracks: list[list[tuple[int, mido.Message]]], *, ticks_per_quarter: int, file_type: int = 1) -> bytes:
    """A file from messages and their ticks."""
    file = mido.MidiFile(type=file_type, ticks_per_beat=ticks_per_quarter)
    for events in tracks:
        track, now = mido.MidiTrack(), 0
        for tick, message in sorted(events, key=lambda event: event[0]):
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def note_events(channel: int, notes: list[tuple[int, int, int, int]]) -> list[tuple[int, mido.Message]]:
    events = []
    for start, length, pitch, velocity in notes:
        events.append((start, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events.append((start + length, mido.Message("note_off", channel=channel, note=pitch)))
    return events


NOTES = st.builds(Note, st.integers(0, 60), st.integers(1, 30), st.integers(0, 127), st.integers(1, 127))
TRACKS = st.builds(Track, st.sampled_from(["Melody", "Bass"]), st.lists(NOTES, max_size=8), st.integers(0, 3))
# Few pitches and ticks, so that notes repeat, overlap, touch and coincide, and most lie off the grid.
RAW_NOTES = st.tuples(st.integers(0, 300), st.integers(0, 200), st.integers(60, 62), st.integers(1, 127))
RAW_TRACKS = st.tuples(st.integers(0, 2), st.lists(RAW_NOTES, max_size=12))


@given(st.lists(TRACKS, max_size=4), st.sampled_from([1, 4, 12, 24]), st.sampled_from(["4/4", "3/4", "5/4"]))
def test_written_scores(
    tmp_path_factory: pytest.TempPathFactory, tracks: list[Track], steps_per_quarter: int, meter: str
) -> None:
    score = Score(steps_per_quarter, tuple(tracks), meters=(MeterChange(0, Meter.parse(meter)),))
    path = save(score, tmp_path_factory.getbasetemp() / "score.mid")
    roll = assert_as_slow(path, steps_per_quarter)
    assert len(roll.onset) <= len(tracks)


@given(st.lists(RAW_TRACKS, max_size=3), st.sampled_from([96, 100, 480]), st.sampled_from([4, 12]))
def test_any_notes_in_ticks(
    tmp_path_factory: pytest.TempPathFactory,
    tracks: list[tuple[int, list[tuple[int, int, int, int]]]],
    ticks_per_quarter: int,
    steps_per_quarter: int,
) -> None:
    path = tmp_path_factory.getbasetemp() / "raw.mid"
    events = [note_events(channel, notes) for channel, notes in tracks]
    path.write_bytes(midi_bytes([[], *events], ticks_per_quarter=ticks_per_quarter))
    assert_as_slow(path, steps_per_quarter)


def test_cells_are_where_they_belong(tmp_path: Path) -> None:
    melody = Track("Melody", (Note(0, 2, 60, 90), Note(2, 1, 60, 70), Note(3, 3, 64, 80)))
    bass = Track("Bass", (Note(1, 4, 36, 100),), program=32)
    roll = midi_to_roll(save(Score(4, (melody, bass)), tmp_path / "song.mid"), steps_per_quarter=4)
    assert roll.onset.shape == (2, 8, 128)
    onsets = {tuple(int(i) for i in place): int(roll.onset[tuple(place)]) for place in np.argwhere(roll.onset)}
    assert onsets == {(0, 0, 60): 90, (0, 2, 60): 70, (0, 3, 64): 80, (1, 1, 36): 100}
    sounding = {tuple(place) for place in np.argwhere(roll.sustain).tolist()}
    assert sounding == {(0, 0, 60), (0, 1, 60), (0, 2, 60), (0, 3, 64), (0, 4, 64), (0, 5, 64)} | {
        (1, step, 36) for step in range(1, 5)
    }


@pytest.mark.parametrize(("ends", "velocity"), [((480, 960), 100), ((960, 960), 50)])
def test_of_two_notes_in_one_place_the_longer_or_the_first_stays(
    tmp_path: Path, ends: tuple[int, int], velocity: int
) -> None:
    path = tmp_path / "twice.mid"
    events = [(0, mido.Message("note_on", note=60, velocity=v)) for v in (50, 100)]
    events += [(end, mido.Message("note_off", note=60)) for end in ends]
    path.write_bytes(midi_bytes([events], ticks_per_quarter=480, file_type=0))
    roll = assert_as_slow(path, 4)
    assert roll.sustain.sum() == 8
    assert roll.onset[0, 0, 60] == velocity


def test_a_note_never_gets_shorter_than_a_step(tmp_path: Path) -> None:
    path = tmp_path / "short.mid"
    path.write_bytes(midi_bytes([note_events(0, [(0, 1, 60, 80), (239, 2, 62, 80)])], ticks_per_quarter=480))
    roll = assert_as_slow(path, 4)
    assert np.argwhere(roll.sustain).tolist() == [[0, 0, 60], [0, 2, 62]]


def test_channels_of_one_track_are_tracks_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "channels.mid"
    events = note_events(0, [(0, 480, 60, 80)]) + note_events(3, [(480, 480, 60, 90)])
    path.write_bytes(midi_bytes([events], ticks_per_quarter=480, file_type=0))
    assert assert_as_slow(path, 12).onset.shape == (2, 24, 128)


def test_a_file_without_notes_gives_an_empty_roll(tmp_path: Path) -> None:
    path = save(Score(12, (Track("Melody"),), end_steps=48), tmp_path / "empty.mid")
    assert midi_to_roll(path).onset.shape == (0, 0, 128)


def test_a_file_in_a_riff_wrapper(tmp_path: Path) -> None:
    data = write_midi(Score(12, (Track("Melody", (Note(0, 12, 60),)),)))
    path = tmp_path / "wrapped.mid"
    path.write_bytes(
        b"RIFF" + (len(data) + 12).to_bytes(4, "little") + b"RMIDdata" + len(data).to_bytes(4, "little") + data
    )
    assert midi_to_roll(path).sustain.sum() == 12


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "expected a MIDI file, found an empty one"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "found another RIFF file, such as WAV"),
        (b"no music at all", "expected a MIDI file"),
        (b"MThd\0\0\0\6\0\2\0\1\1\xe0", "format 2"),
        (b"MThd\0\0\0\6\0\0\0\1\xe8\x28", "SMPTE"),
        (b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\1\0\0\x90", "cut off"),
    ],
)
def test_what_is_no_midi_file_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=words) as caught:
        midi_to_roll(path)
    assert str(caught.value).startswith(str(path))


def test_absent_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no such file"):
        midi_to_roll(tmp_path / "absent.mid")
    with pytest.raises(FileFormatError, match="no regular file"):
        midi_to_roll(tmp_path)


def test_impossible_lengths_are_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "long.mid"
    far = 100_001 * 24
    path.write_bytes(midi_bytes([note_events(0, [(far, 24, 60, 80)])], ticks_per_quarter=24))
    with pytest.raises(FileFormatError, match="100,002 quarter notes long"):
        midi_to_roll(path)
    many = [note_events(0, [(90_000 * 24, 24, 60, 80)]) for _ in range(16)]
    path.write_bytes(midi_bytes(many, ticks_per_quarter=24))
    with pytest.raises(FileFormatError, match="16 tracks of 1,080,012 steps"):
        midi_to_roll(path)


def test_too_large_files_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.mid"
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(FileFormatError, match="1,073,741,824 bytes"):
        midi_to_roll(path)


def test_the_grid_is_checked(tmp_path: Path) -> None:
    with pytest.raises(GridError, match="steps per quarter: 7"):
        midi_to_roll(tmp_path / "absent.mid", steps_per_quarter=7)
