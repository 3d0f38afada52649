"""The model's two decoders and three factors: what each says, and what it cannot know."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from symgen.alphabet import HOLD, N_SPECIAL, REST
from symgen.conditions import N_FEATURES
from symgen.decode.compile import compile_line
from symgen.decode.infer import log_backward, log_probability
from symgen.grid import BarMap
from symgen.model.harmony import chord_columns
from symgen.model.sample import encode_line, line_potentials, sample_latents
from symgen.model.vae import LineVae, VaeConfig
from symgen.model.window import Window
from symgen.moments import Moment, moments_of
from theory.key import Key
from theory.meter import Meter

TINY = VaeConfig(
    low=60,
    high=66,
    rhythm_width=16,
    pitch_width=16,
    rhythm_latent=3,
    pitch_latent=3,
    harmony_latent=2,
    form_latent=2,
    history_layers=1,
    n_heads=2,
    prior_width=16,
    prior_layers=1,
    prior_components=2,
    max_bars=4,
    dropout=0.0,
)
N_BARS, BAR_STEPS = 3, 24


@pytest.fixture(scope="module")
def model() -> LineVae:
    torch.manual_seed(1)
    made = LineVae(TINY).eval().requires_grad_(False)
    for parameter in made.parameters():  # what starts at zero would hide mistakes
        parameter += 0.3 * torch.randn_like(parameter)
    return made


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(N_BARS, BAR_STEPS, N_FEATURES)).astype(np.float32)


def random_line(seed: int) -> np.ndarray:
    """Return a line on the slots of the grid of steps, shape (bars, bar_steps)."""
    rng, slots = np.random.default_rng(seed), TINY.grid.slots(BAR_STEPS)
    line, sounds = np.zeros((N_BARS, BAR_STEPS), dtype=np.int64), False
    for place in np.ndindex(*line.shape):
        if place[1] in slots:
            line[place] = rng.choice([REST, HOLD if sounds else REST, rng.integers(N_SPECIAL, N_SPECIAL + 7)])
        else:
            line[place] = HOLD if sounds else REST
        sounds = line[place] != REST
    return line


def moments() -> list[Moment]:
    bars = BarMap.build([(0, Meter.parse("2/4"))], steps_per_quarter=12, end_steps=N_BARS * BAR_STEPS)
    return moments_of(bars, Key.parse("C"), ())


def at_slots(line: np.ndarray) -> Tensor:
    return torch.from_numpy(line[None][:, :, TINY.grid.slots(BAR_STEPS)])


def rows(features: np.ndarray) -> Tensor:
    return torch.from_numpy(features[None][:, :, TINY.grid.slots(BAR_STEPS)])


@pytest.mark.parametrize("seed", range(5))
def test_the_lattice_has_the_law_the_chain_was_trained_for(model: LineVae, features: np.ndarray, seed: int) -> None:
    """Log-probabilities from the lattice are those of rhythm and pitches that training made likely."""
    line, latents = random_line(seed), sample_latents(model, features, np.random.default_rng(seed))
    lattice = compile_line(line_potentials(model, latents, features, shift=0), moments(), [])
    found = log_probability(lattice, log_backward(lattice), line.reshape(-1))
    window = Window.of(at_slots(line))
    _, rhythm, pitch = model.parts(torch.from_numpy(latents)[None])
    hidden = model.rhythm_hidden(rhythm, rows(features))
    expected = model.rhythm_chain.log_likelihood(model.kind_weights(hidden).flatten(1, 2), window.kinds)
    heard = model.pitch_hidden(pitch, rows(features), window, model.expected_index(hidden))
    expected = expected + model._pitch_log_likelihood(heard, window)
    assert found == pytest.approx(expected.item(), abs=1e-3)


def test_nothing_starts_or_ends_between_slots(model: LineVae, features: np.ndarray) -> None:
    potentials = line_potentials(model, sample_latents(model, features, np.random.default_rng(0)), features, shift=2)
    assert potentials.closed is not None
    assert np.flatnonzero(~potentials.closed[:24]).tolist() == TINY.grid.slots(24).tolist()
    assert (potentials.alphabet.low, potentials.alphabet.high) == (58, 64)


def test_the_latents_of_a_factor_know_nothing_of_the_others(model: LineVae, features: np.ndarray) -> None:
    n_harmony, n_rhythm, _ = model.sizes
    line = random_line(3)
    other_pitches = np.where(line >= N_SPECIAL, (line - N_SPECIAL + 3) % 7 + N_SPECIAL, line)
    same = encode_line(model, line, features)
    moved = encode_line(model, other_pitches, features)
    assert np.array_equal(same[:, : n_harmony + n_rhythm], moved[:, : n_harmony + n_rhythm])
    assert not np.allclose(same[:, n_harmony + n_rhythm :], moved[:, n_harmony + n_rhythm :])
    # The same pitches in another rhythm, under conditions that stay the same within a bar, as chords may.
    steady = np.repeat(features[:, :1], BAR_STEPS, axis=1)
    slots = TINY.grid.slots(BAR_STEPS)
    one, other = (np.zeros((N_BARS, BAR_STEPS), dtype=np.int64) for _ in range(2))
    for bar in range(N_BARS):
        for number, pitch in enumerate((2, 4, 3)):
            one[bar, slots[number]] = other[bar, slots[2 * number + 1]] = N_SPECIAL + pitch + bar
    rhythm, pitch = slice(n_harmony, n_harmony + n_rhythm), slice(n_harmony + n_rhythm, None)
    a, b = encode_line(model, one, steady), encode_line(model, other, steady)
    assert np.allclose(a[:, pitch], b[:, pitch], atol=1e-6)
    assert not np.allclose(a[:, rhythm], b[:, rhythm])


def test_a_hold_that_opens_a_line_is_silence_to_the_encoder(model: LineVae, features: np.ndarray) -> None:
    line = random_line(4)
    line[0, :6] = REST
    line[0, 6] = N_SPECIAL
    held = line.copy()
    held[0, :6] = HOLD
    assert np.array_equal(encode_line(model, line, features), encode_line(model, held, features))


def test_known_chords_give_the_latents_of_the_harmony(model: LineVae, features: np.ndarray) -> None:
    known = features.copy()
    known[..., chord_columns().stop - 2] = 1  # whether a chord is known; after it, whether it is silence
    a, b = (sample_latents(model, known, np.random.default_rng(seed)) for seed in (1, 2))
    assert np.array_equal(a[:, :2], b[:, :2])
    assert np.allclose(a[:, :2], encode_line(model, random_line(0), known)[:, :2], atol=1e-6)
    assert not np.allclose(a[:, 2:], b[:, 2:])


def test_bars_that_take_up_another_have_its_latents(model: LineVae, features: np.ndarray) -> None:
    drawn = sample_latents(model, features, np.random.default_rng(0), sources=(0, 1, 0))
    assert np.array_equal(drawn[0], drawn[2])
    assert not np.allclose(drawn[0], drawn[1])
