"""What imports badly is found in its place, and is gone in the mended copy, which plays the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_files import END, NOTE, control, meta, midi_bytes, note, program, raw_midi, tempo, track, vlq

from symgen.io.importcheck import Finding, findings
from symgen.io.importfix import mended
from symgen.io.midi import write_midi
from symgen.io.raw import RawFile
from symgen.io.smf import DRUM_CHANNEL
from symgen.io.writing import MidiOptions

NAME = meta(3, b"Melody")
TEMPO, METER = meta(0x51, (500_000).to_bytes(3, "big")), meta(0x58, b"\4\2\x18\x08")
FOUR_BARS = vlq(4 * 1920 - 480) + END[1:]
SIGNS = TEMPO + METER + vlq(4 * 1920) + END[1:]
ON, OFF = b"\0\x90\x3c\x64", b"\x83\x60\x80\x3c\0"


def file_of(*tracks: bytes, conductor: bytes = SIGNS, **header: int) -> bytes:
    return raw_midi(conductor, *tracks, **header)


def played(channel: int = 0, *, pitch: int = 0x3C, name: bytes = NAME, before: bytes = b"") -> bytes:
    notes = bytes(b | channel if b in (0x80, 0x90) else pitch if b == 0x3C else b for b in NOTE)
    return name + before + notes + FOUR_BARS


def found_in(data: bytes) -> tuple[Finding, ...]:
    return findings(RawFile.read(data, "song.mid"))


# Each file, and what its one wrong thing (or its hint) says.
WRONG: dict[str, tuple[bytes, str]] = {
    "odd resolution": (file_of(played(), ticks=97), "file: 97 ticks a quarter note: expected 480 or 960"),
    "meter elsewhere": (
        file_of(NAME + METER + played(name=b""), conductor=TEMPO + vlq(4 * 1920) + END[1:]),
        "track 2, bar 1: 1 time signature outside the first track: expected all of them in track 1",
    ),
    "no tempo": (file_of(played(), conductor=METER + vlq(4 * 1920) + END[1:]), "track 1, bar 1: no tempo"),
    "no meter": (file_of(played(), conductor=TEMPO + vlq(4 * 1920) + END[1:]), "track 1, bar 1: no time signature"),
    "tempo again": (file_of(played(), conductor=TEMPO + SIGNS), "1 tempo that changes nothing"),
    "two keys at once": (
        file_of(played(), conductor=meta(0x59, b"\0\0") + meta(0x59, b"\1\0") + SIGNS),
        "track 1, bar 1: a second key signature at one tick: expected one",
    ),
    "short meter": (
        file_of(played(), conductor=TEMPO + meta(0x58, b"\4\2") + vlq(4 * 1920) + END[1:]),
        "time signature of 4 2: expected four bytes such as 4 2 24 8",
    ),
    "latin-1": (file_of(played(name=meta(3, b"\xc9tude"))), "track 2, bar 1: text 'Étude' that is no UTF-8"),
    "no name": (file_of(played(name=b"")), "track 2: notes without a track name: expected a name, such as Melody"),
    "two channels": (
        file_of(NAME + NOTE + b"\0\x99\x24\x64\x83\x60\x89\x24\0" + vlq(4 * 1920 - 960) + END[1:]),
        "track 2: notes on channels 1, 10, drums among them: expected one part on one channel",
    ),
    "other program": (
        file_of(played(before=b"\0\xc0\5"), played(before=b"\0\xc0\6", pitch=50)),
        "track 3: channel 1 with program 7: expected a channel of its own: track 2 plays there with program 6",
    ),
    "shared channel": (
        file_of(played(), played(pitch=50)),
        "track 3: channel 1, as track 2: expected a channel of its own: some programs make one part of both",
    ),
    "late program": (
        file_of(NAME + NOTE + b"\0\xc0\5" + FOUR_BARS),
        "track 2, bar 1 + 480 ticks: the first program change after the first note: expected it at tick 0",
    ),
    "never off": (file_of(NAME + ON + vlq(4 * 1920) + END[1:]), "track 2, bar 1: 1 note without an end"),
    "no length": (file_of(NAME + ON + b"\0\x80\x3c\0" + vlq(4 * 1920) + END[1:]), "1 note of no length"),
    "overlap": (
        file_of(NAME + ON + b"\x60" + ON[1:] + OFF + OFF + vlq(4 * 1920 - 96 - 960) + END[1:]),
        "1 note started while the same pitch sounds on the channel: expected the earlier note ended first",
    ),
    "end after start": (
        file_of(NAME + ON + b"\x60" + ON[1:] + b"\0\x80\x3c\0" + b"\x60\x80\x3c\0" + vlq(4 * 1920 - 192) + END[1:]),
        "1 note started before the end of the last one of their pitch at the same tick",
    ),
    "short track": (file_of(NAME + NOTE + END), "track 2, bar 1 + 480 ticks: end of track at tick 480: expected tick"),
}  # fmt: skip
HINTS: dict[str, tuple[bytes, str]] = {
    "no thirds": (file_of(played(), ticks=1024), "file: hint: 1024 ticks a quarter note"),
    "copyright": (file_of(played(before=meta(2, b"(c) me"))), "track 2: hint: a copyright text"),
    "stray end": (file_of(played(before=b"\0\x80\x3c\0")), "track 2, bar 1: hint: 1 end of notes that do not sound"),
    "silence": (file_of(NAME + vlq(1920) + NOTE[1:] + vlq(3 * 1920 - 480) + END[1:]), "1 bar of silence before"),
    "marker elsewhere": (file_of(played(before=meta(6, b"Verse"))), "track 2, bar 1: hint: 1 marker outside"),
}  # fmt: skip


def test_a_sound_file_has_nothing() -> None:
    assert found_in(file_of(played())) == ()
    assert found_in(file_of(played(), played(1), played(9), played(9, pitch=50))) == ()  # drums have but one channel


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_and_mended(name: str) -> None:
    data, said = WRONG[name]
    wrong = [str(one) for one in found_in(data) if one.is_wrong]
    # In the odd resolution the same ticks are other bars.
    assert any(said in one for one in wrong), wrong
    assert name == "odd resolution" or len(wrong) == 1, wrong
    assert not [str(one) for one in found_in(mended(RawFile.read(data, name))) if one.is_wrong]


@pytest.mark.parametrize("name", HINTS)
def test_hints(name: str) -> None:
    data, said = HINTS[name]
    assert any(said in str(one) and not one.is_wrong for one in found_in(data)), [str(one) for one in found_in(data)]


def test_a_part_on_a_shared_channel_keeps_its_sound() -> None:
    """What one track says to the channel has been heard in the other."""
    data = midi_bytes(
        track(tempo(0, 120), (0, mido.MetaMessage("time_signature")), end=1920),
        track(
            (0, mido.MetaMessage("track_name", name="A")), program(5), control(240, 7, 40), *note(0, 480, 60), end=1920
        ),
        track((0, mido.MetaMessage("track_name", name="B")), *note(0, 480, 67), control(480, 7, 90), end=1920),
    )
    file = RawFile.read(mended(RawFile.read(data, "song.mid")), "copy.mid")
    assert [{n.channel for n in file.notes if n.track == part} for part in (1, 2)] == [{0}, {1}]
    for part, channel in ((1, 0), (2, 1)):
        said = [(raw.tick, raw.data) for raw in file.tracks[part] if raw.data[0] >> 4 in (0xB, 0xC)]
        assert said == [(0, bytes([0xC0 | channel, 5])), (240, bytes([0xB0 | channel, 7, 40])),
                        (480, bytes([0xB0 | channel, 7, 90]))]  # fmt: skip


def test_more_parts_than_channels_share() -> None:
    parts = [played(i % 16 if i % 16 != DRUM_CHANNEL else 0) for i in range(20)]
    left = found_in(mended(RawFile.read(file_of(*parts), "song.mid")))
    assert not [str(one) for one in left if one.is_wrong]


TICKS, LENGTHS, CHANNELS = st.integers(0, 900), st.integers(0, 500), st.sampled_from([0, 1, 9])
EVENTS = st.one_of(
    st.builds(lambda at, n, pitch, c: note(at, n, pitch, channel=c), TICKS, LENGTHS, st.integers(60, 62), CHANNELS),
    st.builds(lambda at, bpm: [tempo(at, bpm)], TICKS, st.sampled_from([90, 120])),
    st.builds(lambda at, n, c: [program(n, channel=c, tick=at)], TICKS, st.integers(0, 2), CHANNELS),
    st.builds(lambda at, c: [control(at, 7, 50, channel=c)], TICKS, CHANNELS),
    st.builds(lambda at, top: [(at, mido.MetaMessage("time_signature", numerator=top))], TICKS, st.integers(2, 4)),
    st.builds(lambda at, key: [(at, mido.MetaMessage("key_signature", key=key))], TICKS, st.sampled_from(["C", "Gm"])),
    st.builds(lambda at, text: [(at, mido.MetaMessage("marker", text=text))], TICKS, st.text("aé", max_size=3)),
    st.builds(lambda text: [(0, mido.MetaMessage("track_name", name=text))], st.text("ab ", max_size=2)),
)
FILES = st.builds(
    lambda tracks, ticks, one: midi_bytes(
        *[track(*(timed for event in events for timed in event)) for events in (tracks[:1] if one else tracks)],
        kind=0 if one else 1, ticks=ticks,
    ),
    st.lists(st.lists(EVENTS, max_size=9), min_size=1, max_size=4), st.sampled_from([480, 96, 101]), st.booleans(),
)  # fmt: skip


def starts(file: RawFile) -> Counter[tuple[Any, ...]]:
    """The onsets as a listener tells them: those of a channel that coincide are one."""
    places = {(round(n.onset / file.ticks_per_quarter, 2), n.pitch, n.channel == DRUM_CHANNEL) for n in file.notes}
    return Counter(places)


@settings(max_examples=150, deadline=None)
@given(FILES)
def test_a_mended_copy_is_clean_mended_again_the_same_and_plays_the_same(data: bytes) -> None:
    file = RawFile.read(data, "song.mid")
    copy = mended(file)
    back = RawFile.read(copy, "copy.mid")
    assert not [str(one) for one in findings(back) if one.is_wrong]
    assert mended(back) == copy
    if file.ticks_per_quarter == 480:
        assert starts(back) == starts(file)


@pytest.mark.parametrize(
    "options", [MidiOptions(), MidiOptions(960), MidiOptions(format_number=0), MidiOptions(programs=False)]
)
def test_what_is_written_here_imports_cleanly(options: MidiOptions) -> None:
    from symgen.score import Note, Score, Track

    parts = tuple(Track(f"Part {i}", (Note(i, 3, 60),), i % 12) for i in range(20))
    score = Score(4, (*parts, Track("Drums", (Note(0, 1, 36),), 0, True)))
    assert not [str(one) for one in found_in(write_midi(score, options)) if one.is_wrong]
