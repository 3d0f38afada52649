"""Growing lines a slot at a time says what the decoder says of whole lines."""

from __future__ import annotations

import numpy as np
import torch

from symgen.alphabet import N_SPECIAL, REST
from symgen.conditions import N_FEATURES
from symgen.model.causal import GrowingLines
from symgen.model.history import Places
from symgen.model.vae import LineVae, VaeConfig, kind_log_probs
from symgen.model.window import Window

SIZES = VaeConfig(
    low=60, high=66, rhythm_width=16, pitch_width=16, rhythm_latent=3, pitch_latent=3, harmony_latent=2, form_latent=2,
    history_layers=2, n_heads=2, prior_width=16, prior_layers=1, prior_components=2, max_bars=4, dropout=0.0,
)  # fmt: skip
N_BARS, BAR_SLOTS = 4, 24


def random_lines(n: int) -> np.ndarray:
    """Return lines of many notes at the slots, shape (n, bars, bar_slots)."""
    rng = np.random.default_rng(0)
    lines, sounds = np.zeros((n, N_BARS * BAR_SLOTS), dtype=np.int64), np.zeros(n, dtype=bool)
    for slot in range(lines.shape[1]):
        choice = rng.integers(0, 4, n)
        onset = rng.integers(N_SPECIAL, N_SPECIAL + 7, n)
        lines[:, slot] = np.where(choice == 0, REST, np.where((choice == 1) & sounds, 1, onset))
        sounds = lines[:, slot] != REST
    return lines.reshape(n, N_BARS, BAR_SLOTS)


def said_of_whole_lines(model: LineVae, lines: np.ndarray, latents: torch.Tensor, rows: torch.Tensor):
    """Return log-probabilities of kinds (lines, slots, 3) and of pitches (lines, notes, n_pitches), as in training."""
    window = Window.of(torch.from_numpy(lines))
    _, rhythm, pitch = model.parts(latents)
    hidden = model.rhythm_hidden(rhythm, rows)
    states, of = model.history(model.content_tokens(window, rows), window.note_places)
    found = model.slot_look(model._slot_queries(hidden.flatten(1, 2), window), window.slot_places, states, of)
    kinds = kind_log_probs(model.kind_logits(found), window.sounding)
    queries = model.pitch_hidden(pitch, rows, window, window.index) + model.note_place(window.note_places.slot)
    queries = queries + model.note_wait(window.waits) + model.note_before(window.before + 1)
    before = Places(window.note_places.bar, window.note_places.slot, window.note_places.note - 1)
    pitches = model.pitch_logits(model.note_look(queries, before, states, of)).log_softmax(dim=-1)
    return window, kinds.numpy(), pitches.numpy()


def test_slot_by_slot_the_same_is_said_as_of_whole_lines() -> None:
    torch.manual_seed(0)
    model = LineVae(SIZES).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter += 0.3 * torch.randn_like(parameter)
    n = 6
    lines, rng = random_lines(n), np.random.default_rng(1)
    features = rng.normal(size=(2, N_BARS, 48, N_FEATURES)).astype(np.float32)
    latents = rng.normal(size=(2, N_BARS, sum(model.sizes))).astype(np.float32)
    request = np.repeat([0, 1], 3)
    rows = torch.from_numpy(features[request][:, :, SIZES.grid.slots(48)])
    window, kinds, pitches = said_of_whole_lines(model, lines, torch.from_numpy(latents[request]), rows)
    growing = GrowingLines(model, list(latents), list(features), 3)
    flat, order, number = lines.reshape(n, -1), np.arange(n), np.zeros(n, dtype=np.int64)
    for slot in range(flat.shape[1]):
        assert np.allclose(growing.kinds(), kinds[order, slot], atol=1e-4)
        starts = np.flatnonzero(flat[order, slot] >= N_SPECIAL)
        if len(starts):
            assert np.allclose(growing.pitches(starts), pitches[order[starts], number[starts]], atol=1e-4)
        growing.take(flat[order, slot])
        number[starts] += 1
        if slot in (20, 50):  # lines of one request change places; one is kept twice
            chosen = np.array([2, 0, 0, 4, 5, 3])
            growing.keep(chosen)
            order, number = order[chosen], number[chosen]
    assert window.is_note.sum() > 64  # the memory had to grow


def test_a_lower_temperature_sharpens() -> None:
    torch.manual_seed(0)
    model = LineVae(SIZES).eval().requires_grad_(False)
    features = np.random.default_rng(1).normal(size=(1, 48, N_FEATURES)).astype(np.float32)
    latents = np.zeros((1, sum(model.sizes)), dtype=np.float32)
    warm, cold = (GrowingLines(model, [latents], [features], 1, temperature=t) for t in (1.0, 0.5))
    sharpened = 2 * warm.kinds()
    assert np.allclose(cold.kinds(), sharpened - np.logaddexp.reduce(sharpened, axis=1, keepdims=True), atol=1e-6)
