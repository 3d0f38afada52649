"""Levels, the limiter and fades, on sounds whose measures are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from symgen.errors import RenderError
from symgen.render import Finish
from symgen.render.finish import faded, levelled, loudness_lufs, peak_of, true_peaks

RATE = 48000


def sine(hz, seconds=3.0, amplitude=0.5, phase=0.0, rate=RATE):
    wave = amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate + phase)
    return np.stack([wave, wave], axis=1).astype(np.float32)


def db(value):
    return 20 * np.log10(value)


def after(samples, finish, rate=RATE):
    result = samples.copy()
    done = levelled(result, rate, finish)
    done.apply(result)
    return result, done


class TestMeasures:
    def test_a_sine_of_997_hz_in_both_channels_has_its_level_as_loudness(self):
        # BS.1770-4: 0 dBFS in one channel is -3.01 LUFS, so in both 0
        assert loudness_lufs(sine(997, amplitude=0.1), RATE) == pytest.approx(-20, abs=0.05)

    def test_a_sine_between_its_samples(self):
        # a quarter of the sample rate, all samples at 0.707 of the peak
        samples = sine(RATE / 4, amplitude=1, phase=np.pi / 4)
        assert peak_of(samples) == pytest.approx(2**-0.5, rel=1e-6)
        assert db(true_peaks(samples)[1000:-1000].max()) == pytest.approx(0, abs=0.1)

    def test_the_length_and_the_chunks_change_nothing(self, monkeypatch):
        samples = np.random.default_rng(0).normal(0, 0.2, (5000, 2)).astype(np.float32)
        whole = true_peaks(samples)
        assert whole.shape == (5000,)
        assert np.all(whole >= np.abs(samples).max(axis=1) - 1e-7)
        monkeypatch.setattr("symgen.render.finish._CHUNK_FRAMES", 777)
        np.testing.assert_allclose(true_peaks(samples), whole, atol=1e-6)
        assert true_peaks(samples[:0]).shape == (0,)


class TestLevel:
    def test_the_peak_is_the_default(self):
        result, done = after(sine(440), Finish())
        assert db(peak_of(result)) == pytest.approx(-1, abs=1e-4)
        assert np.ndim(done.gain) == 0
        assert done.loudness_lufs is None

    def test_none_leaves_the_level_and_a_gain_changes_it(self):
        assert after(sine(440), Finish(None))[0].tobytes() == sine(440).tobytes()
        assert db(peak_of(after(sine(440), Finish(None, gain_db=-6))[0])) == pytest.approx(db(0.5) - 6, abs=1e-3)

    def test_a_gain_above_0_meets_the_limiter(self):
        result, _ = after(sine(440), Finish(gain_db=6))
        assert db(true_peaks(result).max()) == pytest.approx(-1, abs=0.02)

    @pytest.mark.parametrize("target", [-30, -14])
    def test_loudness_without_a_limit_is_one_factor(self, target):
        result, done = after(sine(997), Finish(loudness_lufs=target, ceiling_dbtp=0))
        assert np.ndim(done.gain) == 0
        assert loudness_lufs(result, RATE) == pytest.approx(target, abs=0.1)
        assert done.loudness_lufs == pytest.approx(target, abs=0.1)

    def test_loudness_under_a_ceiling(self):
        rng = np.random.default_rng(1)
        spikes = sine(300, 5, 0.05)
        spikes[rng.integers(0, len(spikes), 60)] += 0.8
        result, done = after(spikes, Finish(loudness_lufs=-16))
        assert np.ndim(done.gain) == 1
        assert loudness_lufs(result, RATE) == pytest.approx(-16, abs=0.2)
        assert db(true_peaks(result).max()) <= -0.99
        assert done.warning == ""

    def test_what_cannot_be_had_is_said(self):
        loud = np.sign(sine(5, 3)) * 0.5
        loud[: RATE * 2] *= 0.001
        result, done = after(loud.astype(np.float32), Finish(loudness_lufs=-5, ceiling_dbtp=-12))
        assert "cannot be had under a true peak of -12 dBTP" in done.warning
        assert db(true_peaks(result).max()) <= -11.99

    def test_too_short_or_too_quiet_is_refused(self):
        with pytest.raises(RenderError, match=r"sound of 0.30 seconds: expected more than 0.4"):
            after(sine(440, 0.3), Finish(loudness_lufs=-14))
        with pytest.raises(RenderError, match="too quiet nearly throughout"):
            after(sine(0.1), Finish(loudness_lufs=-14))  # nobody hears it


@settings(max_examples=25, deadline=None)
@given(
    arrays.arrays(np.float32, st.tuples(st.integers(50, 3000), st.just(2)), elements=st.floats(-1, 1, width=16)),
    st.floats(0, 24),
    st.floats(-12, 0),
)
def test_no_true_peak_is_above_the_ceiling_and_nothing_is_made_louder(samples, gain, ceiling):
    samples[0, 0] = 1.0  # not silent
    result, done = after(samples, Finish(None, gain_db=gain, ceiling_dbtp=ceiling), 8000)
    assert db(max(true_peaks(result).max(), 1e-9)) <= ceiling + 0.01
    assert np.all(np.asarray(done.gain) <= 10 ** (gain / 20) * (1 + 1e-6))
    assert np.all(np.asarray(done.gain) > 0)


def test_the_limiter_leaves_what_is_far_from_a_peak_alone():
    samples = sine(440, 4, 0.1)
    samples[2 * RATE] = 1.0
    result, done = after(samples, Finish(None, ceiling_dbtp=-6))
    before, behind = slice(0, 2 * RATE - RATE // 150), slice(2 * RATE + RATE // 4, None)
    np.testing.assert_allclose(result[before], samples[before], rtol=1e-6)
    np.testing.assert_allclose(result[behind], samples[behind], rtol=1e-6)
    steps = np.abs(np.diff(db(np.asarray(done.gain))))
    assert steps.max() < 0.2  # dB a frame: no click


class TestFades:
    def test_they_start_and_end_in_silence_and_leave_the_middle(self):
        samples = np.ones((RATE, 2), dtype=np.float32)
        result = faded(samples.copy(), RATE, Finish(fade_in_seconds=0.25, fade_out_seconds=0.5))
        assert result[0, 0] == 0
        assert abs(result[-1, 0]) < 1e-6
        assert np.all(result[RATE // 4 : RATE // 2] == 1)
        assert result[RATE // 8, 0] == pytest.approx(0.5, abs=1e-3)
        assert np.all(np.diff(result[: RATE // 4, 0]) >= 0)
        assert np.all(np.diff(result[RATE // 2 :, 0]) <= 0)

    def test_a_fade_longer_than_the_sound_is_refused(self):
        with pytest.raises(RenderError, match=r"fade-out of 2 seconds: expected at most the 1\.0 of sound"):
            faded(np.ones((RATE, 2), dtype=np.float32), RATE, Finish(fade_out_seconds=2))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"peak_dbfs": 3.0}, "peak 3 dBFS: expected -100 to 0"),
        ({"peak_dbfs": float("nan")}, "peak nan dBFS"),
        ({"loudness_lufs": 0.0}, "loudness 0 LUFS: expected -60 to -5"),
        ({"ceiling_dbtp": 1.0}, "ceiling 1 dBTP: expected -20 to 0"),
        ({"gain_db": 60.0}, "gain 60 dB: expected -60 to 30"),
        ({"fade_in_seconds": -1.0}, "fade-in of -1 seconds: expected 0 to 600"),
    ],
)
def test_values_out_of_range_are_refused(options, words):
    with pytest.raises(RenderError, match=words):
        Finish(**options)
