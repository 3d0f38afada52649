"""Bytes of audio files: the same each time, and what other programs read in them."""

import contextlib
import io

import numpy as np
import pytest
import soundfile

from symgen.errors import OutputError, RenderError
from symgen.render.encode import encoded, write_digested
from symgen.render.ogg import with_serial

RATE = 22050


def sound(n=30_000, seed=0):
    wave = np.sin(np.arange(n) / 20) * 0.5 + np.random.default_rng(seed).normal(0, 0.01, n)
    return np.stack([wave, -wave], axis=1).astype(np.float32)


def data_of(samples, suffix, depth=None):
    return b"".join(encoded(samples, RATE, suffix, depth))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_the_same_samples_give_the_same_bytes(suffix):
    assert data_of(sound(), suffix) == data_of(sound(), suffix)
    assert data_of(sound(), suffix) != data_of(sound(seed=1), suffix)


@pytest.mark.parametrize("depth", ["16", "24"])
def test_wav_is_what_libsndfile_writes(depth):
    buffer = io.BytesIO()
    whole = np.clip(np.rint(sound().astype(np.float64) * (2 ** (int(depth) - 1) - 1)), -(2**31), 2**31)
    whole = whole.astype(np.int16) if depth == "16" else (whole * 256).astype(np.int32)
    soundfile.write(buffer, whole, RATE, subtype=f"PCM_{depth}", format="WAV")
    ours, theirs = data_of(sound(), ".wav", depth), buffer.getvalue()
    assert ours[-whole.size * int(depth) // 8 :] == theirs[-whole.size * int(depth) // 8 :]
    assert len(ours) == 44 + whole.size * int(depth) // 8


@pytest.mark.parametrize("serial", [0, 1, 0xDEADBEEF])
def test_an_ogg_stream_with_another_serial_number_is_whole(serial):
    """libvorbis checks the sum of every page, and skips those where it is wrong."""
    changed = with_serial(data_of(sound(), ".ogg"), serial)
    assert changed[14:18] == serial.to_bytes(4, "little")
    before = soundfile.read(io.BytesIO(data_of(sound(), ".ogg")))[0]
    np.testing.assert_array_equal(soundfile.read(io.BytesIO(changed))[0], before)
    assert len(before) == 30_000
    assert with_serial(changed, 0) == data_of(sound(), ".ogg")


def test_a_wrong_sum_would_be_noticed():
    data = bytearray(data_of(sound(), ".ogg"))
    page = data.index(b"OggS", len(data) // 2)
    data[page + 14] ^= 1  # the serial without its sum
    with contextlib.suppress(soundfile.LibsndfileError):
        assert len(soundfile.read(io.BytesIO(bytes(data)))[0]) != 30_000


def test_one_bit_in_a_sum_is_computed_as_the_standard_says():
    """The slow twin: the checksum of a whole page, bit by bit."""

    def checksum(page):
        register = 0
        for byte in page:
            register ^= byte << 24
            for _ in range(8):
                register = (register << 1 ^ (0x04C11DB7 if register >> 31 else 0)) & 0xFFFFFFFF
        return register

    data = with_serial(data_of(sound(3000), ".ogg"), 0x12345678)
    starts = [i for i in range(len(data)) if data[i : i + 4] == b"OggS"]
    assert len(starts) >= 3
    for start, stop in zip(starts, [*starts[1:], len(data)], strict=True):
        page = bytearray(data[start:stop])
        said = int.from_bytes(page[22:26], "little")
        page[22:26] = bytes(4)
        assert checksum(page) == said


def test_the_digest_is_that_of_the_file(tmp_path):
    import hashlib

    from symgen.render import Stem

    digest = write_digested(Stem("x", sound(), RATE), tmp_path / "a.flac")
    assert digest == hashlib.sha256((tmp_path / "a.flac").read_bytes()).hexdigest()


def test_a_wav_of_4_gib_is_refused_before_a_byte_is_written():
    long = np.broadcast_to(np.zeros((1, 2), dtype=np.float32), (2**31, 2))
    with pytest.raises(RenderError, match=r"bytes of samples: expected below 4 GiB for WAV; write \.flac"):
        next(iter(encoded(long, RATE, ".wav")))


def test_a_folder_that_is_none_is_refused(tmp_path):
    from symgen.render import Stem, write_audio

    with pytest.raises(OutputError, match="no folder"):
        write_audio(Stem("x", sound(), RATE), tmp_path / "none" / "a.wav")
