"""Bytes of MIDI files: the events and the words in them, and what is said of damage."""

import io

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from midi_files import END, NOTE, meta, midi_bytes, note, raw_midi, riff, tempo, track, vlq

from symgen.errors import FileFormatError
from symgen.io.smf import Limits, Meta, read_chunks, read_smf


def read(data, **limits):
    return read_smf(data, "song.mid", Limits(**limits))


def refusal(data):
    """What is said against a file; empty if it is read."""
    try:
        read(data)
    except FileFormatError as error:
        return str(error)
    return ""


messages = st.one_of(
    st.builds(mido.Message, st.just("note_on"), channel=st.integers(0, 15), note=st.integers(0, 127)),
    st.builds(mido.Message, st.just("note_off"), channel=st.integers(0, 15), velocity=st.integers(0, 127)),
    st.builds(mido.Message, st.just("control_change"), control=st.integers(0, 127), value=st.integers(0, 127)),
    st.builds(mido.Message, st.just("program_change"), program=st.integers(0, 127)),
    st.builds(mido.Message, st.just("pitchwheel"), pitch=st.integers(-8192, 8191)),
    st.builds(mido.Message, st.just("aftertouch"), value=st.integers(0, 127)),
    st.builds(mido.Message, st.just("polytouch"), note=st.integers(0, 127), value=st.integers(0, 127)),
    st.builds(mido.Message, st.just("sysex"), data=st.lists(st.integers(0, 127), max_size=5)),
    st.builds(mido.MetaMessage, st.just("set_tempo"), tempo=st.integers(60_000, 15_000_000)),
    st.builds(mido.MetaMessage, st.just("marker"), text=st.text("abc", max_size=5)),
    st.builds(mido.MetaMessage, st.just("text"), text=st.text("abc", max_size=200)),
    st.builds(mido.MetaMessage, st.just("track_name"), name=st.text("abc", max_size=5)),
    st.builds(mido.MetaMessage, st.just("lyrics"), text=st.text("abc", max_size=5)),
    st.builds(mido.MetaMessage, st.just("time_signature"), numerator=st.integers(1, 255)),
    st.builds(mido.MetaMessage, st.just("key_signature"), key=st.sampled_from(["C", "Am", "F#", "Ebm"])),
)
KINDS = {"text": 0x01, "track_name": 0x03, "marker": 0x06, "set_tempo": 0x51}
KINDS |= {"time_signature": 0x58, "key_signature": 0x59}
tracks = st.lists(st.lists(st.tuples(st.integers(0, 3000), messages), max_size=12), min_size=1, max_size=3)


@given(tracks, st.integers(1, 960))
def test_events_and_times_agree_with_mido(contents, ticks):
    # At most one tempo at a tick, and all in the first track, where every reader takes them alike.
    seen = set()
    kept = [
        [
            (tick, message)
            for tick, message in content
            if message.type != "set_tempo" or (index == 0 and not (tick in seen or seen.add(tick)))
        ]
        for index, content in enumerate(contents)
    ]
    data = midi_bytes(*(track(*content) for content in kept), ticks=ticks)
    smf = read(data)
    file = mido.MidiFile(file=io.BytesIO(data))
    expected, metas = [], []
    for index, mido_track in enumerate(file.tracks):
        tick = 0
        for message in mido_track:
            tick += message.time
            if not message.is_meta and message.type != "sysex":
                expected.append((tick, index, message.bytes()))
            elif message.type in KINDS:
                length = len(vlq(len(message.bin()) - 3))
                metas.append(Meta(tick, index, KINDS[message.type], bytes(message.bin()[2 + length :])))
    expected.sort(key=lambda item: item[0])
    metas.sort(key=lambda item: item[0])
    assert list(smf.metas) == metas
    assert smf.ticks_per_quarter == ticks
    found = [(e.tick, e.track, [e.kind | e.channel, e.first, e.second]) for e in smf.events]
    assert [(t, i, b[: len(x)]) for (t, i, b), (_, _, x) in zip(found, expected, strict=True)] == expected
    if len(kept) == 1:  # mido adds up times only as it plays
        clock, times = 0.0, []
        for message in file:
            clock += message.time
            if not message.is_meta and message.type != "sysex":
                times.append(clock)
        np.testing.assert_allclose(smf.seconds([e.tick for e in smf.events]), times, rtol=1e-9, atol=1e-9)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_in_one_line(junk):
    for data in (junk, raw_midi(junk), raw_midi(NOTE + junk)):
        assert refusal(data).startswith("song.mid: ") or not refusal(data)
        assert "\n" not in refusal(data)


def test_tempo_changes_in_any_track_hold_for_all():
    data = midi_bytes(track(*note(960, 10, 60)), track(tempo(480, 60), tempo(0, 240)))
    assert read(data).seconds([0, 480, 960, 1440]).tolist() == [0, 0.25, 1.25, 2.25]


def test_smpte_time_counts_frames_whatever_the_tempo():
    content = b"\0\xff\x51\3\x01\x00\x00" + NOTE + END
    smf = read(raw_midi(content, ticks=(256 - 25) << 8 | 40))
    assert smf.seconds([1000, 480]).tolist() == [1.0, 0.48]
    assert smf.ticks_per_quarter == 0
    assert read(raw_midi(content, ticks=(256 - 29) << 8 | 10)).seconds(300_000) == pytest.approx(1001)


def test_smpte_time_is_refused_where_beats_are_needed():
    data = raw_midi(NOTE + END, ticks=(256 - 25) << 8 | 40)
    for reader in (read_smf, read_chunks):
        with pytest.raises(FileFormatError, match=r"song.mid: byte 0xC: SMPTE time, which has no beats"):
            reader(data, "song.mid", Limits(), needs_beats=True)
        reader(raw_midi(NOTE + END), "song.mid", Limits(), needs_beats=True)


def test_running_status_is_followed_and_ends_at_meta_events():
    smf = read(raw_midi(b"\0\x91\x3c\x64" + b"\x0a\x3c\0" + END))
    assert [tuple(e) for e in smf.events] == [(0, 0, 1, 0x90, 60, 100), (10, 0, 1, 0x90, 60, 0)]
    with pytest.raises(FileFormatError, match=r"track 1, byte 0x1f: data byte 0x3c without a status"):
        read(raw_midi(b"\0\x91\x3c\x64" + b"\0\xff\1\0" + b"\0\x3c\0" + END))


def test_ports_give_channels_beyond_16():
    smf = read(raw_midi(b"\0\xff\x21\1\2" + b"\0\x93\x3c\x64" + END))
    assert smf.events[0].channel == 35


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty one"),
        (b"hello there", "starts with b'hello th'"),
        (b"RIFF\0\0\0\0WAVEfmt ", "RIFF file, such as WAV"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"<?xml version='1.0'?>", "an XML file"),
        (bytes(128) + raw_midi(NOTE + END), "MacBinary"),
        (b"MThd", "a header of 0 bytes"),
        (raw_midi(NOTE + END)[:10], "a header of 6 bytes in a file of 10: expected 6, and tracks after it"),
        (b"MThd\0\0\0\6\0\1\0\1\1\xe0", "no track in it"),
        (b"MThd\x80\0\0\0\0\1\0\1\1\xe0", "a header of 2147483648 bytes"),
        (raw_midi(NOTE + END, kind=2), "format 2: expected 0 or 1"),
        (raw_midi(NOTE + END, kind=3), "format 3"),
        (raw_midi(NOTE + END, ticks=0), "no ticks in a quarter note"),
        (raw_midi(NOTE + END, ticks=0xE700), "no ticks in a quarter note or frame"),
        (raw_midi(NOTE + END, ticks=0x8101), "127 frames a second: expected 24, 25, 29 or 30"),
        (raw_midi(b"\0\xff\x51\3\0\0\0" + END), "track 1, byte 0x1a: a tempo of 0 microseconds a quarter note"),
        (raw_midi(b"\0\xff\x51\3\0\0\1" + END), "of 1 microseconds a quarter note: expected 60,000 to 15,000,000"),
        (raw_midi(b"\0\xff\x51\3\xf4\x24\0" + END), "expected 60,000 to 15,000,000 (1000 to 4 quarter notes a minute)"),
        (raw_midi(b"\0\xff\x51\2\0\1" + END), "a tempo of 2 bytes: expected 3"),
        (raw_midi(b"\0\xff\x01\x7fabc"), "an event of 127 bytes where the track has 3 left"),
        (raw_midi(b"\0\xf0\x81\x00abc"), "an event of 128 bytes"),
        (raw_midi(NOTE + END)[:-6], "track 1, byte 0xe: cut off: expected 13 bytes, found 7"),
        (raw_midi(END, NOTE[:-1]), "track 2, byte 0x2a: the track ends where a data byte was expected"),
        (raw_midi(b"\0\x3c\x64"), "track 1, byte 0x17: data byte 0x3c without a status before it"),
        (raw_midi(b"\0\x90\x3c\x80"), "data byte 0x80: expected 0 to 127"),
        (raw_midi(b"\x81\x81\x81\x81\0" + NOTE), "byte 0x16: a time or length of more than 4 bytes"),
        *[(raw_midi(b"\0" + bytes([status]) + END), f"status {status:#04x} has no place") for status in (0xF4, 0xF8)],
    ],
)
def test_damage_is_named_with_its_place(data, words):
    with pytest.raises(FileFormatError) as caught:
        read(data)
    assert str(caught.value).startswith("song.mid: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "warning"),
    [
        (raw_midi(NOTE), "track 1 has no end-of-track event"),
        (raw_midi(NOTE + END, n_tracks=65535), "65535 tracks declared, 1 found"),
        (raw_midi(NOTE + END, NOTE + END, n_tracks=1), "1 tracks declared, 2 found"),
        (raw_midi(NOTE + END, NOTE + END, kind=0), "format 0 with 2 tracks: played together"),
        (raw_midi(NOTE + END) + b"\0" * 9, "9 bytes after the last track were left out"),
    ],
)
def test_oddities_are_mended_with_a_warning(data, warning):
    smf = read(data)
    assert smf.warnings == (warning,)
    assert smf.events[0].first == 60


def test_what_may_surround_tracks_is_skipped():
    plain = raw_midi(NOTE + END)
    longer_head = b"MThd\0\0\0\x08" + plain[8:14] + b"\0\0" + plain[14:]
    foreign = plain[:14] + b"XFIH\0\0\0\2ab" + plain[14:]
    for data in (longer_head, foreign, riff(plain)):
        assert read(data).events == read(plain).events
        assert read(data).warnings == (
            ("a header of 8 bytes: all after the first 6 were left out",) if data == longer_head else ()
        )


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"n_bytes": 30}, "bytes: expected a MIDI file of at most 30"),
        ({"n_tracks": 1}, "more than 1 tracks"),
        ({"n_notes": 1}, "more than 1 notes"),
        ({"n_events": 3}, "more than 3 events"),
    ],
)
def test_limits_are_named(limits, words):
    data = raw_midi(NOTE + END, NOTE + END)
    assert len(read(data).events) == 4
    with pytest.raises(FileFormatError, match=words):
        read(data, **limits)


def test_words_and_tempos_count_as_events():
    data = raw_midi(meta(0x06, b"A") * 3 + END)
    assert len(read(data).metas) == 3
    with pytest.raises(FileFormatError, match="more than 2 events"):
        read(data, n_events=2)


def test_words_are_bytes_that_nobody_decodes():
    smf = read(raw_midi(b"\0\xff\3\2\xff\xfe" + NOTE + END, meta(0x05, b"la", b"\x10") + END))
    assert smf.warnings == ()
    assert smf.metas == (Meta(0, 0, 0x03, b"\xff\xfe"),)


@pytest.mark.parametrize("payload", [b"", b"\x08\0", b"\xf8\0", b"\0\2", b"\1\0\0"])
def test_a_key_signature_that_is_none_is_left_out(payload):
    good = meta(0x59, b"\x07\1") + meta(0x59, b"\xf9\0")
    smf = read(raw_midi(good + meta(0x59, payload) + NOTE + END))
    assert smf.warnings == ("track 1, byte 0x26: no key signature: left out",)
    assert [m.payload for m in smf.metas] == [b"\x07\1", b"\xf9\0"]


def test_the_structure_can_be_read_alone():
    """Also where the events are damaged: where the tracks stand, and what is odd about them."""
    plain = raw_midi(NOTE + END, b"\x80", n_tracks=3)
    for data in (plain, riff(plain)):
        chunks = read_chunks(data, "song.mid", Limits())
        assert [chunks.data[start:end] for start, end in chunks.tracks] == [NOTE + END, b"\x80"]
        assert chunks.warnings == ["3 tracks declared, 2 found"]
        assert chunks.division == 480


def test_numbers_of_variable_length():
    for value in (0, 127, 128, 16383, 16384, 2**28 - 1):
        assert read(raw_midi(vlq(value) + NOTE[1:] + END)).events[0].tick == value
