"""The line VAE: a latent vector for every bar, a learned prior over them, and the chain decoder.

``q(z | line, conditions)`` is a diagonal Gaussian for each bar, read off by convolutions over the steps.
``p(z | conditions)`` goes bar by bar: a causal transformer over the bars before gives a mixture of
Gaussians for the next one, so that the model can repeat, vary and answer what it has said.
``p(line | z, conditions)`` is the chain of :mod:`symgen.model.chain`, whose step weights come from
convolutions over the latents and the conditions.

The model hears everything relative to the tonic.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from symgen.alphabet import N_SPECIAL, REST, LineAlphabet
from symgen.conditions import FEATURE_GROUPS, N_FEATURES
from symgen.model.chain import ChainTransitions, carry_forward
from symgen.model.layers import BarPooling, CausalBars, ConvStack, MixtureHead, gaussian_log_prob

__all__ = ["LineVae", "Loss", "VaeConfig"]


@dataclass(frozen=True, slots=True)
class VaeConfig:
    """Sizes of a line VAE."""

    low: int = 46  # lowest pitch relative to the tonic's C
    high: int = 91  # highest, included
    steps_per_quarter: int = 4
    channels: int = 128
    latent: int = 32  # numbers of a bar's latent vector
    encoder_dilations: tuple[int, ...] = (1, 2, 4, 8)
    decoder_dilations: tuple[int, ...] = (1, 2, 4, 8, 16)
    pooling_heads: int = 8
    prior_width: int = 128
    prior_layers: int = 4
    prior_heads: int = 4
    prior_components: int = 10
    max_bars: int = 16  # bars the prior looks back over
    dropout: float = 0.1

    @property
    def alphabet(self) -> LineAlphabet:
        """Pitches relative to the tonic's C, and what the columns of the step weights stand for."""
        return LineAlphabet(self.low, self.high)

    def as_dict(self) -> dict[str, object]:
        """Return the sizes by name, for a configuration file."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Loss:
    """Terms of the evidence bound, in nats a step, averaged over the batch.

    Parameters
    ----------
    reconstruction
        Negative log-likelihood of the line given its latents.
    kl
        Cost of the latents: ``log q(z | line) - log p(z)`` at one draw.
    """

    reconstruction: Tensor
    kl: Tensor


class LineVae(nn.Module):
    """The model of this module.

    Parameters
    ----------
    config
        Its sizes.
    """

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.config = config
        width, latent = config.channels, config.latent
        self.symbol = nn.Embedding(config.alphabet.n_symbols, width)
        self.sounding = nn.Embedding(config.alphabet.n_pitches + 1, width)
        self.encoder_features = nn.Linear(N_FEATURES, width)
        self.encoder = ConvStack(width, config.encoder_dilations, config.dropout)
        self.pooling = BarPooling(width, config.pooling_heads)
        self.posterior = nn.Linear(config.pooling_heads * width, 2 * latent)
        self.decoder_features = nn.Linear(N_FEATURES, width)
        self.decoder_latent = nn.Linear(latent, width)
        self.decoder = ConvStack(width, config.decoder_dilations, config.dropout)
        self.step_weights = nn.Linear(width, config.alphabet.n_symbols)
        self.transitions = ChainTransitions(config.alphabet.n_pitches)
        self.prior_latent = nn.Linear(latent, config.prior_width)
        self.prior_features = nn.Linear(2 * N_FEATURES, config.prior_width)
        self.prior = CausalBars(
            config.prior_width, config.prior_layers, config.prior_heads, config.max_bars, config.dropout
        )
        self.prior_head = MixtureHead(config.prior_width, latent, config.prior_components)

    def encode(self, line: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log standard deviation of each bar's latent, shapes (batch, bars, latent).

        Parameters
        ----------
        line
            Symbols, shape (batch, bars, bar_steps).
        features
            Shape (batch, bars, bar_steps, N_FEATURES).
        """
        _, bars, bar_steps = line.shape
        embedded = self.symbol(line) + self.sounding(_sounding(line)) + self.encoder_features(features)
        steps = self.encoder(embedded.flatten(1, 2).transpose(1, 2)).transpose(1, 2)
        mean, log_std = self.posterior(self.pooling(steps.unflatten(1, (bars, bar_steps)))).chunk(2, dim=-1)
        return mean, (log_std - 2).clamp(-5, 1)

    def decode(self, latents: Tensor, features: Tensor) -> Tensor:
        """Return the log weight of each symbol at each step, shape (batch, steps, symbols)."""
        steps = self.decoder_features(features) + self.decoder_latent(latents).unsqueeze(2)
        hidden = self.decoder(steps.flatten(1, 2).transpose(1, 2)).transpose(1, 2)
        weights: Tensor = self.step_weights(torch.nn.functional.gelu(hidden))
        return weights

    def prior_given(self, latents: Tensor, features: Tensor) -> Tensor:
        """Return what the prior's mixture of each bar is given: the bars before it, and its own conditions.

        Parameters
        ----------
        latents
            Of all bars, or of all but the last; shape (batch, bars or bars - 1, latent).
        features
            Conditions of the bars, shape (batch, bars, bar_steps, N_FEATURES).
        """
        summary = torch.cat([features.mean(dim=2), features[:, :, 0]], dim=-1)
        n_bars = features.shape[1]
        before = nn.functional.pad(self.prior_latent(latents), (0, 0, 1, 0))[:, :n_bars]
        out: Tensor = self.prior(before + self.prior_features(summary))
        return out

    def losses(self, line: Tensor, features: Tensor) -> Loss:
        """Return the terms of the evidence bound for a batch of windows.

        Parameters
        ----------
        line
            Shape (batch, bars, bar_steps).
        features
            Shape (batch, bars, bar_steps, N_FEATURES).
        """
        mean, log_std = self.encode(line, features)
        latents = mean + log_std.exp() * torch.randn_like(mean)
        log_posterior = gaussian_log_prob(latents, mean, log_std).sum(dim=1)
        log_prior = self.prior_head.log_prob(self.prior_given(latents, features), latents).sum(dim=1)
        steps = line.flatten(1)
        weights = self.decode(latents, features)
        log_likelihood = self.transitions.log_weight(weights, steps) - self.transitions.log_partition(weights)
        n_steps = steps.shape[1]
        return Loss(-log_likelihood.mean() / n_steps, (log_posterior - log_prior).mean() / n_steps)


def _sounding(line: Tensor) -> Tensor:
    """Return the pitch that sounds at each step of a line counted from 1, or 0; same shape as the line."""
    flat = line.flatten(1)
    last = carry_forward(flat - N_SPECIAL, flat >= N_SPECIAL)
    return torch.where(flat != REST, last + 1, 0).view_as(line)


def condition_dropout(features: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return features in which some windows know no chords and some no style.

    Parameters
    ----------
    features
        Shape (batch, bars, bar_steps, N_FEATURES).
    share
        Chance of each to be dropped.
    generator
        Source of chance.
    """
    ends = torch.tensor(list(FEATURE_GROUPS.values())).cumsum(0)
    names = list(FEATURE_GROUPS)
    spans = {name: slice(int(end) - FEATURE_GROUPS[name], int(end)) for name, end in zip(names, ends, strict=True)}
    dropped = features.clone()
    for group in (("chord", "chord root", "chord bass", "chord known"), ("style",)):
        chosen = torch.rand(len(features), generator=generator) < share
        for name in group:
            dropped[chosen, ..., spans[name]] = 0
    return dropped
