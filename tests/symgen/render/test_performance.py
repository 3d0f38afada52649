import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from midi_files import END, NOTE, bend, control, midi_bytes, note, one_track, program, raw_midi, track

from symgen.errors import FileFormatError
from symgen.io.smf import CONTROL, NOTE_OFF, NOTE_ON, PITCH_BEND, PROGRAM, Limits, read_smf
from symgen.render.performance import MAX_PARTS, perform


def performance_of(data, **limits):
    limits = Limits(**limits)
    return perform(read_smf(data, "song.mid", limits), "song.mid", limits)


def messages(data, *kinds):
    performed = performance_of(data)
    pairs = zip(performed.seconds.tolist(), performed.messages, strict=True)
    return [(round(time * 960), *message[1:]) for time, message in pairs if message.kind in kinds]


def parts_by_program(data):
    """Which program each part has when a note starts on it: (part, key) -> program."""
    programs, found = {}, {}
    for message in performance_of(data).messages:
        if message.kind == PROGRAM:
            programs[message.part] = message.first
        elif message.kind == NOTE_ON:
            found[message.part, message.first] = programs.get(message.part)
    return found


notes = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10), st.integers(60, 62), st.integers(0, 2)), min_size=1)


@given(notes)
def test_a_key_sounds_exactly_while_some_note_on_it_lasts(drawn):
    timed = [event for start, length, pitch, channel in drawn for event in note(start, length, pitch, channel=channel)]
    performed = performance_of(one_track(*timed, end=60))
    held, ticks = {}, (performed.seconds * 960).round().astype(int).tolist()
    sounding = {key: [False] * 60 for key in {(channel, pitch) for _, _, pitch, channel in drawn}}
    state = dict.fromkeys(sounding, False)
    by_tick = {}
    for tick, message in zip(ticks, performed.messages, strict=True):
        by_tick.setdefault(tick, []).append(message)
    for tick in range(60):
        for message in by_tick.get(tick, ()):
            state[message.part, message.first] = message.kind == NOTE_ON
        for key, is_on in state.items():
            sounding[key][tick] = is_on
    for channel, pitch in sounding:
        held[channel, pitch] = [
            any(s <= tick < s + n for s, n, p, c in drawn if (c, p) == (channel, pitch) and n) for tick in range(60)
        ]
    # Notes of no length that start where another one begins or ends may be closed by either's end.
    if all(length for _, length, _, _ in drawn):
        assert sounding == held
    assert not any(state.values())


def test_overlapping_notes_on_one_key_end_with_the_last():
    data = one_track(*note(0, 480, 60), *note(240, 480, 60))
    assert messages(data, NOTE_ON) == [(0, 0, 60, 100), (240, 0, 60, 100)]
    assert messages(data, NOTE_OFF) == [(720, 0, 60, 0)]


def test_note_on_without_velocity_is_an_end_and_ends_without_a_note_are_left_out():
    data = raw_midi(b"\0\x80\x3c\0" + b"\0\x90\x3c\x64" + b"\x60\x90\x3c\0" + b"\0\x80\x3c\0" + END)
    assert [m.kind for m in performance_of(data).messages] == [NOTE_ON, NOTE_OFF]


def test_a_note_without_an_end_stops_with_its_track():
    data = midi_bytes(track(*note(0, 480, 60)[:1], end=1920), track(*note(0, 100, 64), end=960))
    assert messages(data, NOTE_OFF) == [(100, 0, 64, 0), (1920, 0, 60, 0)]
    assert performance_of(data).warnings == ("1 notes never ended: stopped with their track",)


def test_an_end_of_track_long_after_the_notes_does_not_last():
    assert performance_of(one_track(*note(0, 480, 60), end=10**7)).duration_seconds == 0.5


def test_pedals_are_up_at_the_end():
    data = one_track(*note(0, 480, 60), control(10, 64, 127), control(10, 66, 127), control(20, 66, 0))
    assert messages(data, CONTROL)[-1] == (480, 0, 64, 0)
    assert [m for m in messages(data, CONTROL) if m[0] == 480] == [(480, 0, 64, 0)]


def test_everything_a_channel_is_told_reaches_its_part():
    data = one_track(
        program(40, channel=3),
        control(0, 7, 90, channel=3),
        bend(5, 1000, channel=3),
        (6, mido.Message("aftertouch", channel=3, value=7)),
        (7, mido.Message("polytouch", channel=3, note=60, value=8)),
        *note(0, 10, 60, channel=3),
    )
    sent = {(m.kind, m.part, m.first, m.second) for m in performance_of(data).messages}
    assert sent >= {(0xC0, 3, 40, 0), (0xB0, 3, 7, 90), (0xD0, 3, 7, 0), (0xA0, 3, 60, 8)}
    assert (PITCH_BEND, 3, 9192 & 0x7F, 9192 >> 7) in sent


def test_messages_that_reach_across_channels_are_left_out():
    data = one_track(*note(0, 480, 60), *(control(0, number, 0) for number in (122, 123, 124, 125, 126, 127)))
    assert [m[2] for m in messages(data, CONTROL)] == [123]


def test_a_set_up_track_speaks_for_all():
    data = midi_bytes(
        track(program(7), control(0, 7, 50)), track(*note(0, 10, 60)), track(program(9, channel=1), *note(0, 9, 61))
    )
    assert parts_by_program(data) == {(0, 60): 7, (0, 61): 7}


def test_two_hands_on_one_channel_share_their_pedal():
    hands = [track(program(0), *note(0, 480, 60), control(0, 64, 127)), track(program(0), *note(0, 480, 48))]
    assert {m.part for m in performance_of(midi_bytes(*hands)).messages} == {0}


def test_different_programs_on_one_channel_get_parts_of_their_own():
    tracks = [track(program(number), control(0, 7, number), *note(0, 480, 60 + number)) for number in range(5)]
    data = midi_bytes(*tracks)
    found = parts_by_program(data)
    assert sorted((key - 60, number) for (_, key), number in found.items()) == [(n, n) for n in range(5)]
    assert len({part for part, _ in found}) == 5
    volumes = {m.part: m.second for m in performance_of(data).messages if m.kind == CONTROL}
    assert volumes == {part: key - 60 for part, key in found}


def test_a_set_up_track_reaches_every_part_of_its_channel():
    tracks = [track(control(0, 10, 3)), *(track(program(n), *note(0, 480, 60 + n)) for n in range(2))]
    performed = performance_of(midi_bytes(*tracks))
    assert {m.part for m in performed.messages if m.kind == NOTE_ON} <= {
        m.part for m in performed.messages if m.kind == CONTROL
    }


def test_drums_are_channel_10_of_every_port_and_its_parts():
    tracks = [track(program(n, channel=9), *note(0, 480, 36 + n, channel=9)) for n in (0, 25)]
    performed = performance_of(midi_bytes(*tracks))
    playing = {m.part for m in performed.messages if m.kind == NOTE_ON}
    assert len(playing) == 2
    assert playing <= performed.drum_parts
    second_port = raw_midi(NOTE + END, b"\0\xff\x21\1\5\0\x99\x24\x64\x60\x89\x24\0" + END)
    assert performance_of(second_port).drum_parts == {25}


def test_too_many_parts_are_refused():
    tracks = [track(program(n % 128), control(0, 0, n // 128), *note(0, 1, 60)) for n in range(MAX_PARTS - 15)]
    with pytest.raises(FileFormatError, match="more than 256 parts"):
        performance_of(midi_bytes(*tracks))


def test_a_small_file_that_lasts_for_days_is_refused():
    bomb = raw_midi(b"\0\xff\x51\3\x0f\xff\xff\0\x90\x3c\x64" + b"\xff\xff\xff\x7f\x80\x3c\0" + END, ticks=1)
    with pytest.raises(FileFormatError, match=r"song.mid: lasts 78,187.4 hours: expected at most 2"):
        performance_of(bomb)


def test_a_file_without_notes_is_refused():
    with pytest.raises(FileFormatError, match=r"song.mid: no notes in it"):
        performance_of(one_track(program(3)))
