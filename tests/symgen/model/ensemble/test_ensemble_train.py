"""Training an ensemble: it learns, it goes on where it was stopped, and the game of the GAN is what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from ensemble_music import TINY, song

from symgen.conditions import N_FEATURES
from symgen.errors import CheckpointError, RequestError
from symgen.model.checkpoint import load_checkpoint, load_ensemble, save_checkpoint
from symgen.model.ensemble.critics import CRITICS, Critics
from symgen.model.ensemble.data import ensemble_runs
from symgen.model.ensemble.network import EnsembleDecoder
from symgen.model.ensemble.train import EnsembleTraining, GanTraining, train_ensemble_gan, train_ensemble_vae
from symgen.model.ensemble.vae import EnsembleVae

VAE = EnsembleTraining(
    n_updates=12, batch_bars=32, window_bars=(4,), warmup_updates=2, kl_warmup_updates=4, evaluate_every=6, save_every=4
)
GAN = GanTraining(
    n_updates=4,
    critics_alone=1,
    batch_bars=16,
    window_bars=(4,),
    critic_width=4,
    penalty_every=2,
    evaluate_every=2,
    save_every=2,
)


@pytest.fixture(scope="module")
def runs():
    return list(ensemble_runs([(song(shift), "pop") for shift in range(4)], TINY))


def weights_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_a_vae_learns(runs, tmp_path):
    _, figures = train_ensemble_vae(TINY, replace(VAE, n_updates=40, evaluate_every=40), runs, runs, tmp_path / "long")
    _, first = train_ensemble_vae(TINY, replace(VAE, n_updates=1, evaluate_every=1), runs, runs, tmp_path / "short")
    assert figures["negative_elbo"] < 0.9 * first["negative_elbo"]


def test_a_stopped_run_goes_on_as_if_it_had_not_been(runs, tmp_path):
    def halt(done, total, figures):
        if done == stop_at:
            raise KeyboardInterrupt

    stop_at = 7
    whole, _ = train_ensemble_vae(TINY, VAE, runs, runs, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train_ensemble_vae(TINY, VAE, runs, runs, tmp_path / "cut", progress=halt)
    again, _ = train_ensemble_vae(TINY, VAE, runs, runs, tmp_path / "cut")
    assert all(torch.equal(again.state_dict()[name], value) for name, value in weights_of(whole).items())
    stop_at = 3
    game, _ = train_ensemble_gan(whole, GAN, runs, tmp_path / "game")
    with pytest.raises(KeyboardInterrupt):
        train_ensemble_gan(whole, GAN, runs, tmp_path / "cut-game", progress=halt)
    resumed, _ = train_ensemble_gan(whole, GAN, runs, tmp_path / "cut-game")
    assert all(torch.equal(resumed.state_dict()[name], value) for name, value in weights_of(game).items())


def test_the_generator_moves_from_the_decoder_and_the_game_is_logged(runs, tmp_path):
    torch.manual_seed(0)
    vae = EnsembleVae(TINY)
    generator, figures = train_ensemble_gan(vae, GAN, runs, tmp_path)
    assert any(not torch.equal(value, vae.decoder.state_dict()[name]) for name, value in weights_of(generator).items())
    assert {f"{name}_right" for name in CRITICS} <= figures.keys()
    assert all(0 <= figures[f"{name}_right"] <= 1 for name in CRITICS)


def test_each_critic_sees_its_factor_alone():
    torch.manual_seed(0)
    critics = Critics(TINY, 8).requires_grad_(False)
    struck = torch.zeros(1, 64, 3, TINY.n_pitches)
    struck[0, ::4, 0, 30] = 1
    features = torch.zeros(1, 4, 16, N_FEATURES)
    numbers = critics(struck, struck, features)
    higher = struck.roll(1, dims=-1)
    octave = struck.roll(-12, dims=-1)
    assert critics(higher, higher, features)[0, 1] == pytest.approx(numbers[0, 1].item(), abs=1e-6)  # rhythm
    assert critics(octave, octave, features)[0, 3] == pytest.approx(numbers[0, 3].item(), abs=1e-6)  # harmony
    assert critics(higher, higher, features)[0, 3] != pytest.approx(numbers[0, 3].item(), abs=1e-6)
    assert critics(octave, octave, features)[0, 2] != pytest.approx(numbers[0, 2].item(), abs=1e-6)  # pitch
    told = features + 1
    assert critics(struck, struck, told)[0, 2] == numbers[0, 2]  # no conditions


def test_checkpoints_come_back_and_kinds_are_told_apart(tmp_path):
    torch.manual_seed(0)
    vae, generator = EnsembleVae(TINY), EnsembleDecoder(TINY)
    for name, model in (("vae", vae), ("gan", generator)):
        save_checkpoint(tmp_path / name, model, styles=("pop",), training={"seed": 0})
    assert not load_ensemble(tmp_path / "vae").is_gan
    found = load_ensemble(tmp_path / "gan")
    assert found.is_gan
    assert found.decoder.config == TINY
    with pytest.raises(CheckpointError, match="expected a checkpoint with the format 'symgen line vae'"):
        load_checkpoint(tmp_path / "gan")
    text = (tmp_path / "gan" / "config.json").read_text().replace('"Chords"', "7")
    (tmp_path / "gan" / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match="model: tracks"):
        load_ensemble(tmp_path / "gan")


def test_settings_are_checked():
    with pytest.raises(RequestError, match="updates 0"):
        GanTraining(n_updates=0)
