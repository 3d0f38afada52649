"""Training an ensemble's VAE, and from its decoder the generator of its GAN: deterministic for a seed, resumable.

The GAN's game, after Huang et al. (2024): each critic compares a real window with a generated one under the same
conditions (relativistic), and its slope is held down at real and at generated windows alike (R1 and R2), every
``penalty_every`` updates. Rolls are discrete on both sides; gradients go straight through. Both sides are transposed
and rotated by whole bars alike before the critics see them.

References
----------
N. Huang, A. Gokaslan, V. Kuleshov and J. Tompkin, "The GAN is dead; long live the GAN! A modern GAN baseline", NeurIPS
2024. T. Karras et al., "Training generative adversarial networks with limited data", NeurIPS 2020. H.-W. Dong and
Y.-H. Yang, "Convolutional generative adversarial networks with binary neurons for polyphonic music generation", ISMIR
2018.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from symgen.conditions import FEATURE_COLUMNS
from symgen.errors import RequestError
from symgen.model.ensemble.config import EnsembleConfig
from symgen.model.ensemble.critics import CRITICS, Critics
from symgen.model.ensemble.data import EnsembleRun, RollSampler
from symgen.model.ensemble.network import EnsembleDecoder
from symgen.model.ensemble.rolls import drawn_roll, roll_of_codes
from symgen.model.ensemble.vae import EnsembleVae, given_tracks
from symgen.model.runs import follow, log_row, rate_share, restore_run, store_run
from symgen.model.workers import workers

__all__ = ["EnsembleTraining", "GanTraining", "drawn_noise", "train_ensemble_gan", "train_ensemble_vae"]


@dataclass(frozen=True, slots=True)
class EnsembleTraining:
    """Settings of the VAE's training."""

    n_updates: int = 2400
    batch_bars: int = 128
    window_bars: tuple[int, ...] = (4, 8)
    learning_rate: float = 1.5e-3
    warmup_updates: int = 100
    kl_weight: float = 0.25  # weight of the latents' cost once warm
    kl_warmup_updates: int = 500
    given_share: float = 0.4  # of windows in which some tracks are given
    ema_decay: float = 0.998
    gradient_norm: float = 1.0
    evaluate_every: int = 250
    save_every: int = 250
    seed: int = 0
    n_threads: int = 1  # sums depend on it: another number, other weights

    def __post_init__(self) -> None:
        _check(self.n_updates, self.n_threads, self.seed)


@dataclass(frozen=True, slots=True)
class GanTraining:
    """Settings of the GAN's training."""

    n_updates: int = 500
    batch_bars: int = 128
    window_bars: tuple[int, ...] = (4, 8)
    learning_rate: float = 8e-5  # of the generator
    critic_rate: float = 3e-4  # two time scales
    critics_alone: int = 100  # updates before the generator moves
    critic_width: int = 48
    penalty: float = 0.01  # R1 and R2
    penalty_every: int = 8
    given_share: float = 0.4
    ema_decay: float = 0.995
    evaluate_every: int = 50
    save_every: int = 50
    seed: int = 0
    n_threads: int = 1

    def __post_init__(self) -> None:
        _check(self.n_updates, self.n_threads, self.seed)


def _check(n_updates: int, n_threads: int, seed: int) -> None:
    if n_updates < 1 or n_threads < 1 or not 0 <= seed < 2**40:
        msg = f"updates {n_updates}, threads {n_threads}, seed {seed}: expected at least 1, 1 and 0"
        raise RequestError(msg)


_Progress = Callable[[int, int, Mapping[str, float]], None]


def drawn_noise(config: EnsembleConfig, n: int, n_bars: int, noise: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw what latents of the whole and of the bars are made of."""
    return (
        torch.randn(n, config.latents_of_phrase, generator=noise),
        torch.randn(n, n_bars, config.latents_of_bar, generator=noise),
    )


def train_ensemble_vae(
    model_config: EnsembleConfig,
    config: EnsembleTraining,
    runs: Sequence[EnsembleRun],
    validation_runs: Sequence[EnsembleRun],
    folder: Path,
    *,
    progress: _Progress | None = None,
) -> tuple[EnsembleVae, dict[str, float]]:
    """Train the VAE, going on from the state in ``folder`` where there is one.

    Returns
    -------
    model : EnsembleVae
        With the averaged weights, ready for inference.
    figures : dict
        The last validation, in nats a step: ``negative_elbo``, ``latents`` and each track.

    Raises
    ------
    CheckpointError
        If the folder holds the state of another run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _begin(config.seed, config.n_threads)
    model, averaged = EnsembleVae(model_config), EnsembleVae(model_config)
    averaged.load_state_dict(model.state_dict())
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    sampler = RollSampler(runs, n_bars=config.window_bars, batch_bars=config.batch_bars)
    held_out = RollSampler(validation_runs, n_bars=(max(config.window_bars),), batch_bars=config.batch_bars)
    run = json.dumps([model_config.as_dict(), asdict(config), _digest(runs)])
    models, optimisers = {"model": model, "averaged": averaged}, {"optimiser": optimiser}
    start, figures = restore_run(folder, run, models, optimisers)
    began = time.time()
    for update in range(start, config.n_updates):
        noise = _chance(config.seed, update)
        codes, features = _tensors(sampler.draw(np.random.default_rng(workers().seeds(config.seed, update))))
        features = with_unknown(features, noise)
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * rate_share(update, config.warmup_updates, config.n_updates)
        model.train()
        tracks, cost = model.losses(codes, features, _given(len(codes), model_config, config.given_share, noise), noise)
        kl_weight = config.kl_weight * min((update + 1) / config.kl_warmup_updates, 1.0)
        loss = (tracks.sum(dim=1) + kl_weight * cost).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        workers().share_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.gradient_norm)
        optimiser.step()
        follow(averaged, model, min(config.ema_decay, (update + 1) / (update + 10)))
        done = update + 1
        if not workers().is_first:
            continue
        if done % config.evaluate_every == 0 or done == config.n_updates:
            figures = _validated(averaged, held_out)
            log_row(folder, {"update": done, "began": began, "time": time.time(), "train": loss.item(), **figures})
        if done % config.save_every == 0 or done == config.n_updates:
            store_run(folder, run, done, figures, models, optimisers)
        if progress is not None:
            progress(done, config.n_updates, {"loss": loss.item(), **figures})
    workers().wait()
    averaged.eval().requires_grad_(False)
    fit_noise(averaged, sampler)
    return averaged, figures


@torch.no_grad()
def fit_noise(model: EnsembleVae, sampler: RollSampler, *, n_batches: int = 200) -> None:
    """Fit the chain of a decoder's noise to latents drawn from the posterior of training windows."""
    n_bars, noise = max(sampler.n_bars), torch.Generator().manual_seed(0)
    drawn = []
    for batch in sampler.every(n_bars, n_batches):
        codes, features = _tensors(batch)
        drawn.append(model.encode(codes, features).draw(noise))
    model.decoder.noise.fit(torch.cat([p for p, _ in drawn]), torch.cat([b for _, b in drawn]))


def _validated(model: EnsembleVae, held_out: RollSampler) -> dict[str, float]:
    """Return the terms of the evidence bound on held-out windows with no track given, in nats a step."""
    model.eval()
    noise = torch.Generator().manual_seed(0)
    names = model.config.tracks
    totals, n = np.zeros(len(names) + 1), 0
    with torch.no_grad():
        for batch in held_out.every(held_out.n_bars[0], 8):
            codes, features = _tensors(batch)
            tracks, cost = model.losses(codes, features, torch.zeros(len(codes), len(names)), noise)
            totals += np.array([*tracks.sum(dim=0).tolist(), cost.sum().item()])
            n += len(codes)
    found = dict(zip((*names, "latents"), (totals / n).tolist(), strict=True))
    return {"negative_elbo": sum(found.values()), **found}


def train_ensemble_gan(
    vae: EnsembleVae,
    config: GanTraining,
    runs: Sequence[EnsembleRun],
    folder: Path,
    *,
    progress: _Progress | None = None,
) -> tuple[EnsembleDecoder, dict[str, float]]:
    """Train a generator, beginning with the decoder of a VAE; goes on from the state in ``folder``.

    Returns
    -------
    generator : EnsembleDecoder
        With the averaged weights, ready for inference.
    figures : dict
        Means over the last ``evaluate_every`` updates: by how much each critic prefers real windows, and the losses.

    Raises
    ------
    CheckpointError
        If the folder holds the state of another run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _begin(config.seed, config.n_threads)
    generator, averaged = EnsembleDecoder(vae.config), EnsembleDecoder(vae.config)
    for model in (generator, averaged):
        model.load_state_dict(vae.decoder.state_dict())
    critics = Critics(vae.config, config.critic_width)
    players = {
        "generator_optimiser": torch.optim.Adam(generator.parameters(), config.learning_rate, betas=(0.5, 0.99)),
        "critic_optimiser": torch.optim.Adam(critics.parameters(), config.critic_rate, betas=(0.5, 0.99)),
    }
    sampler = RollSampler(runs, n_bars=config.window_bars, batch_bars=config.batch_bars)
    run = json.dumps([vae.config.as_dict(), asdict(config), _digest(runs)])
    models = {"generator": generator, "averaged": averaged, "critics": critics}
    start, figures = restore_run(folder, run, models, players)
    began, rows = time.time(), []
    for update in range(start, config.n_updates):
        rows.append(_play(generator, critics, players, sampler, config, update))
        follow(averaged, generator, min(config.ema_decay, (update + 1) / (update + 10)))
        done = update + 1
        if not workers().is_first:
            continue
        if done % config.evaluate_every == 0 or done == config.n_updates:
            figures = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
            rows = []
            log_row(folder, {"update": done, "began": began, "time": time.time(), **figures})
        if done % config.save_every == 0 or done == config.n_updates:
            store_run(folder, run, done, figures, models, players)
        if progress is not None:
            progress(done, config.n_updates, figures)
    workers().wait()
    averaged.eval().requires_grad_(False)
    return averaged, figures


def _play(
    generator: EnsembleDecoder,
    critics: Critics,
    players: Mapping[str, torch.optim.Optimizer],
    sampler: RollSampler,
    config: GanTraining,
    update: int,
) -> dict[str, float]:
    """Let the critics move, then the generator; return what is worth logging."""
    noise = _chance(config.seed, update)
    codes, features = _tensors(sampler.draw(np.random.default_rng(workers().seeds(config.seed, update))))
    features = with_unknown(features, noise)
    is_given = _given(len(codes), generator.config, config.given_share, noise)
    real = roll_of_codes(codes.flatten(1, 2))
    phrase, bars = generator.noise(*drawn_noise(generator.config, features.shape[0], features.shape[1], noise))
    cells = generator(phrase, bars, features, given_tracks(codes.flatten(1, 2), is_given))
    shown = is_given[:, None, :, None]
    made = tuple(
        r * shown + f * (1 - shown) for r, f in zip(real, drawn_roll(cells, generator.config, noise), strict=True)
    )
    move = _Augmentation.drawn(features.shape, noise)
    real_seen, told = move.of(real), move.of_features(features)
    made_seen = move.of(made)

    frozen = tuple(roll.detach() for roll in made_seen)
    is_penalised = update % config.penalty_every == 0
    if is_penalised:
        real_seen, frozen = (tuple(roll.requires_grad_() for roll in rolls) for rolls in (real_seen, frozen))
    on_real, on_made = critics(*real_seen, told), critics(*frozen, told)
    loss = F.softplus(on_made - on_real).mean(dim=0).sum()
    total = loss
    if is_penalised:
        slopes = _slope(on_real, real_seen) + _slope(on_made, frozen)
        total = loss + config.penalty_every * config.penalty / 2 * slopes
    _step(players["critic_optimiser"], critics, total)

    critics.requires_grad_(False)
    with torch.no_grad():
        on_real = critics(*(roll.detach() for roll in real_seen), told)
    on_made = critics(*made_seen, told)
    generator_loss = F.softplus(on_real - on_made).mean(dim=0).sum()
    if update >= config.critics_alone:
        _step(players["generator_optimiser"], generator, generator_loss)
    critics.requires_grad_(True)
    right = (on_real > on_made.detach()).float().mean(dim=0)
    return {
        "critic_loss": loss.item(),
        "generator_loss": generator_loss.item(),
        **{f"{name}_right": right[i].item() for i, name in enumerate(CRITICS)},
    }


def _slope(numbers: Tensor, rolls: tuple[Tensor, ...]) -> Tensor:
    """Return the mean squared gradient of the critics' numbers at rolls."""
    gradients = torch.autograd.grad(numbers.sum(), rolls, create_graph=True)
    return torch.stack([(g**2).sum(dim=(1, 2, 3)) for g in gradients]).sum(dim=0).mean()


def _step(optimiser: torch.optim.Optimizer, model: nn.Module, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    workers().share_gradients(model)
    optimiser.step()


@dataclass(frozen=True, slots=True)
class _Augmentation:
    """A transposition and a rotation by whole bars, the same for real and generated windows of a batch."""

    semitones: int
    bars: int
    bar_steps: int

    @classmethod
    def drawn(cls, shape: Sequence[int], noise: torch.Generator) -> _Augmentation:
        semitones = int(torch.randint(-5, 7, (), generator=noise))
        return cls(semitones, int(torch.randint(shape[1], (), generator=noise)), shape[2])

    def of(self, rolls: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Move rolls; what leaves the range is lost on both sides alike."""
        return tuple(_shifted(roll.roll(self.bars * self.bar_steps, dims=1), self.semitones) for roll in rolls)

    def of_features(self, features: Tensor) -> Tensor:
        """Move conditions."""
        moved = features.clone()
        for name in ("chord", "chord root", "chord bass", "scale"):
            columns = FEATURE_COLUMNS[name]
            moved[..., columns] = features[..., columns].roll(self.semitones, dims=-1)
        return moved.roll(self.bars, dims=1)


def _shifted(roll: Tensor, semitones: int) -> Tensor:
    if semitones >= 0:
        return F.pad(roll, (semitones, 0))[..., : roll.shape[-1]]
    return F.pad(roll, (0, -semitones))[..., -semitones:]


_UNKNOWN = (("chord", "chord root", "chord bass", "chord known"), ("style",))


def with_unknown(features: Tensor, noise: torch.Generator, share: float = 0.1) -> Tensor:
    """Return conditions of which some windows know no chords, some no style."""
    known = features.clone()
    for groups in _UNKNOWN:
        chosen = torch.rand(len(features), generator=noise) < share
        for name in groups:
            known[chosen, ..., FEATURE_COLUMNS[name]] = 0
    return known


def _given(n: int, config: EnsembleConfig, share: float, noise: torch.Generator) -> Tensor:
    """Return which tracks are given, shape (n, tracks): in a share of windows some, never all."""
    one_each = F.one_hot(torch.randint(config.n_tracks, (n,), generator=noise), config.n_tracks).float()
    some = (torch.rand(n, config.n_tracks, generator=noise) < 0.5).float() * (1 - one_each)
    return some * (torch.rand(n, 1, generator=noise) < share)


def _begin(seed: int, n_threads: int) -> None:
    torch.set_num_threads(n_threads)
    torch.manual_seed(seed)


def _chance(seed: int, update: int) -> torch.Generator:
    return torch.Generator().manual_seed(workers().number(seed, update))


def _tensors(batch: tuple[NDArray[np.uint8], NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(batch[0]), torch.from_numpy(batch[1])


def _digest(runs: Sequence[EnsembleRun]) -> str:
    """Return a digest of what there is to learn from."""
    digest = hashlib.sha256()
    for run in runs:
        digest.update(run.codes.tobytes() + run.features.tobytes())
    return digest.hexdigest()
