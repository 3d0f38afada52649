"""A VAE over the tracks of an ensemble: what its latents say and what tracks are given, the decoder spells out.

Latents stand on four levels: of the whole, of each track in it, of each bar, of each track in a bar. Those of a track
are read off that track alone, so that one can be exchanged while the others stay. Under a standard normal prior.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symgen.conditions import N_FEATURES
from symgen.model.ensemble.config import EnsembleConfig
from symgen.model.ensemble.network import EnsembleDecoder, Given, Residual
from symgen.model.ensemble.rolls import log_likelihood, roll_of_codes

__all__ = ["EnsembleVae", "Posterior", "given_tracks"]

_ROW, _READ = 32, 96  # channels of a track's step, and of a bar as it is read


@dataclass(frozen=True, slots=True)
class Posterior:
    """Diagonal Gaussians of the latents.

    Parameters
    ----------
    phrase, log_std_phrase
        Shape (batch, latents_of_phrase).
    bars, log_std_bars
        Shape (batch, bars, latents_of_bar).
    """

    phrase: Tensor
    log_std_phrase: Tensor
    bars: Tensor
    log_std_bars: Tensor

    def draw(self, noise: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Return latents of the whole and of the bars."""
        eps = [torch.randn(mean.shape, generator=noise) for mean in (self.phrase, self.bars)]
        return self.phrase + eps[0] * self.log_std_phrase.exp(), self.bars + eps[1] * self.log_std_bars.exp()

    def cost(self) -> Tensor:
        """Return the divergence from the prior of each window in nats, shape (batch,)."""
        return _cost(self.phrase, self.log_std_phrase).sum(dim=-1) + _cost(self.bars, self.log_std_bars).sum(dim=(1, 2))


def _cost(mean: Tensor, log_std: Tensor) -> Tensor:
    return 0.5 * (mean**2 + (2 * log_std).exp() - 1) - log_std


class _BarReader(nn.Module):
    """Reads bars: a step's channels, four steps a quarter, the quarters of a bar, the bars around it."""

    def __init__(self, n_in: int, config: EnsembleConfig, n_out: int) -> None:
        super().__init__()
        self.per, self.quarters = config.steps_per_quarter, config.max_bar_quarters
        self.quarter = nn.Linear(n_in * self.per, _READ)
        self.bar = nn.Linear(_READ * self.quarters, _READ)
        self.around = Residual(_READ, (1, 2))
        self.out = nn.Linear(_READ, n_out)

    def forward(self, steps: Tensor) -> Tensor:
        """Return a row for each bar: steps of shape (batch, bars, bar_steps, channels)."""
        padded = F.pad(steps, (0, 0, 0, self.per * self.quarters - steps.shape[2]))
        quarters = F.gelu(self.quarter(torch.unflatten(padded, 2, (self.quarters, self.per)).flatten(3)))
        out: Tensor = self.out(self.around(F.gelu(self.bar(quarters.flatten(2)))))
        return out


class EnsembleVae(nn.Module):
    """The model of this module.

    Parameters
    ----------
    config
        Its sizes.
    """

    def __init__(self, config: EnsembleConfig) -> None:
        super().__init__()
        self.config = config
        self.rows = nn.ModuleList(nn.Linear(2 * config.n_pitches, _ROW) for _ in config.tracks)
        self.seen = nn.Linear(N_FEATURES, _ROW)
        self.whole = _BarReader((config.n_tracks + 1) * _ROW, config, 2 * (config.bar + config.phrase))
        own = 2 * (config.track_bar + config.track_phrase)
        self.own = nn.ModuleList(_BarReader(2 * _ROW, config, own) for _ in config.tracks)
        self.decoder = EnsembleDecoder(config)

    def encode(self, codes: Tensor, features: Tensor) -> Posterior:
        """Return the posterior of windows.

        Parameters
        ----------
        codes
            Of cells, shape (batch, bars, bar_steps, tracks, pitches).
        features
            Conditions, shape (batch, bars, bar_steps, N_FEATURES).
        """
        config = self.config
        struck, sounding = roll_of_codes(codes)
        rolls = torch.cat([struck, sounding], dim=-1)
        rows = [F.gelu(read(rolls[..., k, :])) for k, read in enumerate(self.rows)]
        seen = self.seen(features)
        bars, phrases = [], []
        of_all = self.whole(torch.cat([*rows, seen], dim=-1))
        bars.append(of_all[..., : 2 * config.bar].unflatten(-1, (2, -1)))
        phrases.append(of_all[..., 2 * config.bar :].mean(dim=1).unflatten(-1, (2, -1)))
        for row, reader in zip(rows, self.own, strict=True):
            found = reader(torch.cat([row, seen], dim=-1))
            bars.append(found[..., : 2 * config.track_bar].unflatten(-1, (2, -1)))
            phrases.append(found[..., 2 * config.track_bar :].mean(dim=1).unflatten(-1, (2, -1)))
        bar, phrase = torch.cat(bars, dim=-1), torch.cat(phrases, dim=-1)
        log_std = ((raw - 1).clamp(-5, 0.5) for raw in (phrase[..., 1, :], bar[..., 1, :]))
        return Posterior(phrase[..., 0, :], next(log_std), bar[..., 0, :], next(log_std))

    def losses(
        self, codes: Tensor, features: Tensor, is_given: Tensor, noise: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return, for each window, the negative log-likelihood of each track that is not given, and the latents' cost.

        Parameters
        ----------
        codes, features
            As for :meth:`encode`.
        is_given
            Which tracks are given, shape (batch, tracks).
        noise
            Source of chance for the latents.

        Returns
        -------
        tracks : Tensor of shape (batch, tracks)
            In nats a step; 0 for given tracks.
        cost : Tensor of shape (batch,)
            In nats a step.
        """
        posterior = self.encode(codes, features)
        phrase, bars = posterior.draw(noise)
        flat = codes.flatten(1, 2)
        cells = self.decoder(phrase, bars, features, given_tracks(flat, is_given))
        log_chance = log_likelihood(cells, flat, self.config).mean(dim=1)
        return -log_chance * (1 - is_given), posterior.cost() / flat.shape[1]


def given_tracks(codes: Tensor, is_given: Tensor) -> Given:
    """Return tracks as they are given: codes of shape (batch, steps, tracks, pitches), is_given (batch, tracks)."""
    struck, sounding = roll_of_codes(codes)
    shown = is_given[:, None, :, None]
    return Given(struck * shown, sounding * shown, is_given)
