"""Effects: their words, and what the library makes of them."""

import builtins
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgen.errors import MissingDependencyError, RenderError
from symgen.render.effects import KINDS, Effect, apply_effects, parse_effect

RATE = 44100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected one of highpass, lowpass"),
        ("flanger 1", "effect 'flanger 1': expected one of highpass"),
        ("highpass", "hz missing: expected highpass HZ"),
        ("highpass x", "'x': expected a number"),
        ("highpass 5", "hz 5: expected 10 to 20000"),
        ("highpass 80 90", "'90': expected highpass HZ"),
        ("bell 1000 3 hz=50", r"'hz=50': expected bell HZ DB \[q=1\]"),
        ("compressor loud=3", "'loud=3': expected compressor DB"),
        ("reverb nan", "size nan: expected 0 to 1"),
    ],
)
def test_words_that_are_no_effect_are_refused(text, words):
    with pytest.raises(RenderError, match=words) as caught:
        parse_effect(text)
    assert "\n" not in str(caught.value)


@given(st.data())
def test_the_text_of_an_effect_reads_back(data):
    name = data.draw(st.sampled_from(sorted(KINDS)))
    wanted = KINDS[name].numbers
    quarters = [st.integers(math.ceil(number.low * 4), math.floor(number.high * 4)) for number in wanted]
    effect = Effect(name, tuple(data.draw(one) / 4 for one in quarters))
    assert parse_effect(effect.text) == effect


def test_without_the_library_the_error_says_the_command(monkeypatch):
    real = builtins.__import__

    def missing(name, *arguments, **options):
        if name == "pedalboard":
            raise ImportError
        return real(name, *arguments, **options)

    monkeypatch.setitem(__import__("sys").modules, "pedalboard", None)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingDependencyError, match=r'pedalboard is not installed.*pip install "symgen\[effects\]"'):
        apply_effects(np.zeros((10, 2), dtype=np.float32), RATE, [parse_effect("highpass 80")])


class TestSound:
    @pytest.fixture(autouse=True)
    def library(self):
        pytest.importorskip("pedalboard")

    @staticmethod
    def noise(seed=0, seconds=1.0):
        return np.random.default_rng(seed).normal(0, 0.1, (round(seconds * RATE), 2)).astype(np.float32)

    @staticmethod
    def response_db(*effects):
        """The gain at whole hertz."""
        impulse = np.zeros((RATE, 2), dtype=np.float32)
        impulse[0] = 1
        done = apply_effects(impulse, RATE, [parse_effect(text) for text in effects])
        return 20 * np.log10(np.abs(np.fft.rfft(done[:, 0])) + 1e-9)

    def test_filters_do_what_their_numbers_say(self):
        assert self.response_db("highpass 1000")[1000] == pytest.approx(-3, abs=0.1)
        assert self.response_db("highpass 1000")[100] < -18
        assert self.response_db("lowpass 1000")[10000] < -18
        bell = self.response_db("bell 1000 6 2")
        assert bell[1000] == pytest.approx(6, abs=0.1)
        assert abs(bell[100]) < 0.2
        assert self.response_db("low-shelf 200 -6")[20] == pytest.approx(-6, abs=0.2)
        assert self.response_db("high-shelf 5000 4")[18000] == pytest.approx(4, abs=0.3)
        assert self.response_db("bell 1000 6", "bell 1000 -6")[1000] == pytest.approx(0, abs=0.1)

    def test_a_compressor_makes_what_is_loud_quieter(self):
        wave = np.sin(np.arange(2 * RATE) / 20).astype(np.float32)[:, None].repeat(2, axis=1)
        loud = apply_effects(wave * 0.5, RATE, [parse_effect("compressor -20 4")])
        quiet = apply_effects(wave * 0.01, RATE, [parse_effect("compressor -20 4")])
        assert np.abs(loud[RATE:]).max() < 0.3
        np.testing.assert_allclose(quiet, wave * 0.01, atol=1e-4)

    def test_a_reverb_rings(self):
        click = np.zeros((RATE, 2), dtype=np.float32)
        click[0] = 1
        assert np.abs(apply_effects(click, RATE, [parse_effect("reverb 0.8 0.5")])[RATE // 2 :]).max() > 1e-4

    @pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.is_linear])
    def test_linear_ones_are(self, name):
        numbers = ["500", "3"][: sum(number.default is None for number in KINDS[name].numbers)]
        effect = parse_effect(" ".join([name, *numbers]))
        one, other = self.noise(1), self.noise(2)
        both = apply_effects(one + other, RATE, [effect])
        apart = apply_effects(one, RATE, [effect]) + apply_effects(other, RATE, [effect])
        np.testing.assert_allclose(apart, both, atol=1e-5)

    def test_the_same_sound_gives_the_same_bytes(self):
        chain = [parse_effect(text) for text in ("highpass 60", "compressor -24 3", "reverb")]
        assert len({apply_effects(self.noise(), RATE, chain).tobytes() for _ in range(3)}) == 1

    def test_a_frequency_the_rate_has_not_is_refused(self):
        with pytest.raises(RenderError, match="effect at 6000 Hz: expected below half the sample rate of 8000"):
            apply_effects(self.noise(), 8000, [parse_effect("lowpass 6000")])
