import hashlib
import os
import struct
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from measurements import SOUNDFONT, between, hz, loudness, share_at, strongest_hz
from midi_files import bend, control, midi_bytes, note, one_track, program, tempo, track
from tiny_soundfont import soundfont_bytes

from symgen.errors import FileFormatError, OutputError, RenderError
from symgen.io.smf import read_smf
from symgen.render import Finish, Limits, Rendered, render, write_audio
from symgen.render.encode import check_output
from symgen.render.library import load_library
from symgen.render.performance import perform
from symgen.render.synth import BLOCK, Synth

RATE = 22050
SCALE = (60, 62, 64, 65, 67, 69, 71, 72)
OCARINA = 79  # almost a sine


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("fonts") / "tiny.sf2"
    path.write_bytes(soundfont_bytes({(0, 0): 441, (8, 0): 882, (0, 1): 0, (0, 2): 882, (128, 0): 220.5}))
    return path


def play(*timed, soundfont=SOUNDFONT, **options):
    return render(one_track(*timed), soundfont=soundfont, sample_rate=RATE, **options)


def play_dry(*timed, soundfont, **options):
    return play(*timed, soundfont=soundfont, reverb=False, chorus=False, **options)


def heard_hz(rendered, start=0.1, stop=0.9):
    return strongest_hz(between(rendered, start, stop), rendered.sample_rate)


def test_a_scale_has_the_right_pitch_at_the_right_time():
    result = play(program(OCARINA), *(event for i, pitch in enumerate(SCALE) for event in note(i * 480, 480, pitch)))
    found = [heard_hz(result, i / 2 + 0.1, i / 2 + 0.45) for i in range(len(SCALE))]
    np.testing.assert_allclose(found, [hz(pitch) for pitch in SCALE], rtol=0.01)
    assert result.n_notes == len(SCALE)
    assert result.soundfont == SOUNDFONT
    assert result.samples.dtype == np.float32
    assert result.samples.shape[1] == 2
    assert not result.samples.flags.writeable


def test_notes_start_within_a_block_of_their_time(tiny):
    starts = [100, 777, 1500, 2048]
    result = play_dry(*(event for s in starts for event in note(s, 200, 69)), soundfont=tiny)
    loud = np.abs(result.samples[:, 0]) > 0.05
    onsets = np.flatnonzero(loud & (np.convolve(loud, np.ones(1000))[: len(loud)] == 1)) / RATE
    np.testing.assert_allclose(onsets, np.array(starts) / 960, atol=0.004)


def test_tempo_changes_move_what_follows(tiny):
    result = play_dry(tempo(0, 60), tempo(480, 240), *note(960, 480, 69), soundfont=tiny)
    assert loudness(between(result, 0, 1.24)) == 0
    assert loudness(between(result, 1.26, 1.45)) > 0.1


@pytest.mark.parametrize(("value", "side"), [(0, 0), (127, 1)])
def test_panning_is_kept(tiny, value, side):
    result = play_dry(control(0, 10, value), *note(0, 960, 69), soundfont=tiny)
    sides = [loudness(result.samples[:, channel]) for channel in (0, 1)]
    assert sides[side] > 20 * sides[1 - side]


def test_controllers_of_one_channel_leave_the_others_alone(tiny):
    muted = [control(0, 7, 0), *note(0, 960, 69)]
    result = play_dry(*muted, *note(0, 960, 57, channel=1), soundfont=tiny, finish=Finish(peak_dbfs=None))
    alone = play_dry(*note(0, 960, 57, channel=1), soundfont=tiny, finish=Finish(peak_dbfs=None))
    np.testing.assert_allclose(result.samples, alone.samples, atol=1e-4 * alone.peak)


def test_volume_and_expression_change_while_a_note_sounds(tiny):
    result = play_dry(*note(0, 1920, 69), control(960, 11, 40), soundfont=tiny)
    ratio = loudness(between(result, 1.2, 1.9)) / loudness(between(result, 0.2, 0.9))
    assert ratio == pytest.approx((40 / 127) ** 2, rel=0.05)  # 40 log10: the default curve of soundfonts


def test_pitch_bends(tiny):
    result = play_dry(*note(0, 1920, 69), bend(960, 8191), soundfont=tiny)
    assert heard_hz(result, 0.1, 0.9) == pytest.approx(441, rel=0.002)
    assert heard_hz(result, 1.1, 1.9) == pytest.approx(441 * 2 ** (2 / 12), rel=0.002)


def test_the_sustain_pedal_holds_and_lets_go(tiny):
    pedal = [control(0, 64, 127), control(1440, 64, 0)]
    result = play_dry(*pedal, *note(0, 480, 69), *note(1900, 20, 57), soundfont=tiny)
    assert loudness(between(result, 1.0, 1.4)) == pytest.approx(loudness(between(result, 0.1, 0.4)), rel=0.05)
    assert loudness(between(result, 1.6, 1.9)) < 1e-3


def test_programs_and_banks_choose_the_sound(tiny):
    assert heard_hz(play_dry(program(0), *note(0, 960, 69), soundfont=tiny)) == pytest.approx(441, rel=0.002)
    assert heard_hz(play_dry(program(2), *note(0, 960, 69), soundfont=tiny)) == pytest.approx(882, rel=0.002)
    in_bank = play_dry(control(0, 0, 8), program(0), *note(0, 960, 69), soundfont=tiny)
    assert heard_hz(in_bank) == pytest.approx(882, rel=0.002)
    assert in_bank.warnings == ()


def test_channel_10_plays_drums(tiny):
    assert heard_hz(play_dry(*note(0, 960, 69, channel=9), soundfont=tiny)) == pytest.approx(220.5, rel=0.002)


def test_a_preset_the_soundfont_lacks_is_warned_of(tiny):
    result = play_dry(program(5), *note(0, 960, 69), *note(0, 960, 69, channel=1), soundfont=tiny)
    assert any("prog=5" in warning for warning in result.warnings)


def test_twenty_parts_with_programs_of_their_own_all_sound(tiny):
    pitches = [50 + 2 * i for i in range(20)]
    tracks = [
        track(
            program((0, 2)[i // 15], channel=i % 15 + (i % 15 > 8)),
            *note(480 * i, 480, pitch, channel=i % 15 + (i % 15 > 8)),
        )
        for i, pitch in enumerate(pitches)
    ]
    result = render(midi_bytes(*tracks), soundfont=tiny, sample_rate=RATE, reverb=False, chorus=False)
    found = [heard_hz(result, i / 2 + 0.1, i / 2 + 0.4) for i in range(20)]
    expected = [441 * 2 ** ((pitch - 69) / 12) * (2 if i >= 15 else 1) for i, pitch in enumerate(pitches)]
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_forty_parts_sound_at_once(tiny):
    pitches = range(40, 80)
    ports = [[(0, mido.MetaMessage("midi_port", port=i // 15))] for i in range(40)]
    tracks = [track(*ports[i], *note(0, 3840, pitch, channel=i % 15 + (i % 15 > 8))) for i, pitch in enumerate(pitches)]
    result = render(midi_bytes(*tracks), soundfont=tiny, sample_rate=RATE, reverb=False, chorus=False)
    assert share_at(between(result, 0.1, 3.9), RATE, pitches).min() > 0.3


def test_the_tail_rings_out_and_is_faded():
    result = play(program(11), *note(0, 480, 60))  # a vibraphone rings on
    assert result.duration_seconds > 1
    assert loudness(between(result, 0.55, 0.75)) > 1e-3
    assert np.abs(result.samples[-1]).max() == 0
    assert np.abs(result.samples[-RATE // 10 : -RATE // 20]).max() < 1e-3
    assert loudness(result.samples[-RATE // 5 :]) > 0


def test_the_tail_is_cut_at_its_limit_without_a_click():
    pedal = control(0, 64, 127)
    cymbal = note(0, 96, 49, channel=9)
    whole = play(pedal, *cymbal, tail_max_seconds=10)
    cut = play(pedal, *cymbal, tail_max_seconds=0.5)
    assert cut.duration_seconds == pytest.approx(0.6, abs=0.01)
    assert whole.duration_seconds > 1.5
    assert np.abs(cut.samples[-20:]).max() < 0.02
    same = round(0.5 * RATE)
    np.testing.assert_allclose(cut.samples[:same] / cut.peak, whole.samples[:same] / whole.peak, atol=1e-6)


def test_no_tail_at_all_is_possible(tiny):
    assert play_dry(*note(0, 960, 69), soundfont=tiny, tail_max_seconds=0).duration_seconds == pytest.approx(
        1, abs=0.003
    )


def test_the_peak_is_where_it_was_asked_for():
    song = [*note(0, 480, 60), *note(240, 480, 64)]
    assert play(*song).peak == pytest.approx(10 ** (-1 / 20), rel=1e-6)
    assert play(*song, finish=Finish(peak_dbfs=-12)).peak == pytest.approx(10 ** (-12 / 20), rel=1e-6)
    untouched = play(*song, finish=Finish(peak_dbfs=None))
    assert untouched.peak < 0.5
    np.testing.assert_allclose(untouched.samples / untouched.peak, play(*song).samples / play(*song).peak, atol=1e-6)


def test_the_same_input_gives_the_same_bytes():
    song = [program(48), *(event for i, pitch in enumerate(SCALE) for event in note(i * 100, 480, pitch))]
    digests = {hashlib.sha256(play(*song).samples.tobytes()).hexdigest() for _ in range(3)}
    assert len(digests) == 1


def block_by_block(data, tail_blocks):
    """The slow twin: one block a call, with every message looked up anew."""
    limits = Limits()
    performance = perform(read_smf(data, "song.mid", limits), "song.mid", limits)
    blocks = [round(float(seconds) * RATE / BLOCK) for seconds in performance.seconds]
    samples = np.zeros(((blocks[-1] + tail_blocks) * BLOCK, 2), dtype=np.float32)
    with Synth(load_library(), SOUNDFONT, RATE, performance) as synth:
        for block in range(blocks[-1] + tail_blocks):
            for due, message in zip(blocks, performance.messages, strict=True):
                if due == block:
                    synth.play(message)
            synth.write(samples, block * BLOCK, (block + 1) * BLOCK)
    return samples


timed_notes = st.tuples(st.integers(0, 1500), st.integers(1, 900), st.integers(40, 80), st.integers(0, 15))


@settings(max_examples=15, deadline=None)
@given(st.lists(timed_notes, min_size=1, max_size=8), st.lists(st.integers(0, 127), max_size=4))
def test_long_runs_of_blocks_are_what_single_blocks_are(drawn, programs):
    timed = [program(number, channel=channel) for channel, number in enumerate(programs)]
    timed += [event for start, length, pitch, channel in drawn for event in note(start, length, pitch, channel=channel)]
    fast = render(one_track(*timed), soundfont=SOUNDFONT, sample_rate=RATE, finish=Finish(peak_dbfs=None))
    slow = block_by_block(one_track(*timed), tail_blocks=10)
    before_fade = min(len(slow), len(fast.samples) - RATE // 20 - 1)
    # FluidSynth adds up voices in another order once several of them have ended within one call, which
    # may change the last bit of a float here and there, and nothing else.
    np.testing.assert_allclose(fast.samples[:before_fade], slow[:before_fade], rtol=0, atol=1e-8)
    assert np.mean(fast.samples[:before_fade] != slow[:before_fade]) < 1e-3


def test_progress_rises_to_the_end_and_may_stop_the_render():
    calls = []
    song = one_track(*note(0, 480, 60), *note(9600, 480, 60))
    render(song, soundfont=SOUNDFONT, sample_rate=RATE, progress=lambda done, total: calls.append((done, total)))
    times = [done for done, _ in calls]
    assert times == sorted(times)
    assert len(times) > 5
    assert calls[-1][0] == calls[-1][1] == pytest.approx(10.5, abs=0.003)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(song, soundfont=SOUNDFONT, progress=stop)


def test_a_silent_render_is_an_error_that_names_the_soundfont(tiny):
    with pytest.raises(RenderError, match=r"tiny\.sf2: the render is silent though there are notes"):
        play_dry(program(1), *note(0, 960, 69), soundfont=tiny)


def test_a_note_of_no_length_does_no_harm(tiny):
    result = play_dry(*note(0, 0, 60), *note(0, 960, 69), soundfont=tiny)
    assert heard_hz(result) == pytest.approx(441, rel=0.002)


def test_ten_thousand_notes_at_once_are_played(tiny):
    many = [event for i in range(10_000) for event in note(0, 48, i % 128, channel=i // 128 % 9)]
    assert play_dry(*many, soundfont=tiny).n_notes == 10_000


def test_files_and_bytes_are_the_same_source(tmp_path, tiny):
    song = one_track(*note(0, 960, 69))
    path = tmp_path / "song.mid"
    path.write_bytes(song)
    options = {"soundfont": tiny, "sample_rate": RATE}
    expected = render(song, **options).samples
    assert np.array_equal(render(path, **options).samples, expected)
    assert np.array_equal(render(str(path), **options).samples, expected)


def test_sources_that_are_no_files_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match=r"none.mid: no such file: expected a MIDI file"):
        render(tmp_path / "none.mid")
    with pytest.raises(FileFormatError, match="not a file"):
        render(tmp_path)
    with pytest.raises(FileFormatError, match=r"^MIDI bytes: expected a MIDI file, found an empty one"):
        render(b"")
    if Path("/dev/zero").exists():
        with pytest.raises(FileFormatError, match="not a file"):
            render("/dev/zero")
    big = tmp_path / "big.mid"
    big.write_bytes(b"MThd" + bytes(100))
    with pytest.raises(FileFormatError, match="expected a MIDI file of at most 50"):
        render(big, limits=Limits(n_bytes=50))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sample_rate": 4000}, "sample rate 4000: expected 8000 to 96000"),
        ({"tail_max_seconds": -1}, "tail of -1 seconds: expected 0 to 60"),
    ],
)
def test_settings_out_of_range_are_refused(options, words):
    with pytest.raises(RenderError, match=words):
        render(one_track(*note(0, 960, 69)), **options)


def sound(samples=None, rate=RATE):
    if samples is None:
        wave = np.sin(np.arange(150_000) / 20) * 0.5
        samples = np.stack([wave, -wave], axis=1).astype(np.float32)
    return Rendered(np.asarray(samples, dtype=np.float32), rate, SOUNDFONT, "2.3.1", 1)


@pytest.mark.parametrize(
    ("name", "depth", "subtype", "error"),
    [
        ("a.wav", None, "PCM_16", 3.1e-5),
        ("a.WAV", "24", "PCM_24", 1e-7),
        ("a.wav", "float", "FLOAT", 0),
        ("a.flac", None, "PCM_16", 3.1e-5),
        ("a.flac", "24", "PCM_24", 1e-7),
        ("a.ogg", None, "VORBIS", 0.05),
        ("a.mp3", None, "MPEG_LAYER_III", 0.05),
    ],
)
def test_what_is_written_reads_back(tmp_path, name, depth, subtype, error):
    rendered = sound()
    path = write_audio(rendered, tmp_path / name, bit_depth=depth)
    with soundfile.SoundFile(path) as file:
        assert (file.samplerate, file.channels, file.subtype) == (RATE, 2, subtype)
        found = file.read(dtype="float64", always_2d=True)
    assert len(found) == pytest.approx(len(rendered.samples), abs=0 if error < 0.01 else 3000)
    inside = slice(2000, 140_000)
    shifts = [0] if error < 0.01 else range(-1200, 1201)
    worst = min(np.abs(found[2000 + s : 140_000 + s] - rendered.samples[inside]).max() for s in shifts)
    assert worst <= error
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("name", "depth"), [("a.wav", "16"), ("a.wav", "float"), ("a.flac", "24"), ("a.mp3", None)])
def test_files_of_the_same_samples_have_the_same_bytes(tmp_path, name, depth):
    first = write_audio(sound(), tmp_path / name, bit_depth=depth).read_bytes()
    assert write_audio(sound(), tmp_path / name, bit_depth=depth).read_bytes() == first


def test_samples_beyond_full_scale_are_clipped_and_never_wrap(tmp_path):
    path = write_audio(sound([[2.0, -2.0], [1.0, -1.0]]), tmp_path / "a.wav")
    assert soundfile.read(path, dtype="int16")[0].tolist() == [[32767, -32768], [32767, -32767]]
    path = write_audio(sound([[2.0, -2.0]]), tmp_path / "b.wav", bit_depth="float")
    assert soundfile.read(path, dtype="float32")[0].tolist() == [[2.0, -2.0]]


def test_the_float_header_adds_up(tmp_path):
    data = write_audio(sound(), tmp_path / "a.wav", bit_depth="float").read_bytes()
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    assert b"PEAK" not in data[:100]


@pytest.mark.parametrize(
    ("name", "depth", "words"),
    [
        ("a.aiff", None, r"a\.aiff: expected a name that ends in \.wav, \.flac, \.ogg, \.mp3"),
        ("a", None, "expected a name that ends in"),
        ("a.mp3", "24", "bit depth 24: expected none for MP3"),
        ("a.flac", "float", "bit depth float: expected 16 or 24 for FLAC"),
        ("a.wav", "8", "bit depth 8: expected 16 or 24 or float for WAV"),
        (".", None, "expected a name that ends in"),
        ("none/a.wav", None, "no folder .*none': expected one that exists"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, name, depth, words):
    with pytest.raises((RenderError, OutputError), match=words):
        write_audio(sound(), tmp_path / name, bit_depth=depth)
    with pytest.raises((RenderError, OutputError), match=words):
        check_output(tmp_path / name, depth)
    assert list(tmp_path.iterdir()) == []


def test_a_rate_a_format_lacks_is_refused_and_the_old_file_stays(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(b"old")
    with pytest.raises(RenderError, match="MP3 at 96000 frames a second"):
        write_audio(sound(rate=96000), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_error_in_one_line():
    if not Path("/dev/full").exists() or not os.access("/dev/full", os.W_OK):
        pytest.skip("no /dev/full here")
    with pytest.raises(OutputError, match=r"^/dev/x\.wav: could not be written|no folder"):
        write_audio(sound(), "/dev/full/x.wav")
