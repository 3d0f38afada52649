"""The learned prior over latents: bar by bar, factor by factor, with bars that may come back.

For each bar come the latent of its harmony, that of its rhythm given it, that of its pitches given both. Each is
distributed as a mixture: some Gaussians anywhere, and one around the same latent of every bar before, so that the
model can say again what it has said. Attention over the bars before says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symgen.model.layers import CausalBars, gaussian_log_prob

__all__ = ["FactorMixture", "LatentPrior"]

_KEY = 48


@dataclass(frozen=True, slots=True)
class FactorMixture:
    """The mixture of one factor's latent, for each bar.

    Parameters
    ----------
    log_weight
        Shape (..., components).
    mean, log_std
        Shape (..., components, size).
    """

    log_weight: Tensor
    mean: Tensor
    log_std: Tensor

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log density of values of shape (..., size)."""
        component = gaussian_log_prob(value.unsqueeze(-2), self.mean, self.log_std)
        return torch.logsumexp(self.log_weight + component, dim=-1)


class _FactorHead(nn.Module):
    """The mixture of one factor given the bars before and the bar's factors before it."""

    def __init__(self, width: int, n_given: int, n_latents: int, size: int, n_components: int, max_bars: int) -> None:
        super().__init__()
        self.size, self.n_components, self.max_bars = size, n_components, max_bars
        self.hidden = nn.Linear(width + n_given, width)
        self.fresh = nn.Linear(width, n_components * (2 * size + 1))
        self.query, self.key = nn.Linear(width, _KEY), nn.Linear(width + n_latents, _KEY)
        self.lag = nn.Parameter(torch.zeros(max_bars))
        self.copy_log_std = nn.Parameter(torch.full((size,), -1.0))

    def forward(self, context: Tensor, given: Tensor, latents: Tensor, own: Tensor) -> FactorMixture:
        """Return the mixtures of all bars.

        Parameters
        ----------
        context
            What the bars before leave, shape (batch, bars, width).
        given
            The bar's latents of the factors before, shape (batch, bars, n_given).
        latents
            All latents of each bar, shape (batch, bars, n_latents); only those of earlier bars are looked at.
        own
            This factor's of each bar, shape (batch, bars, size); likewise.
        """
        hidden = F.gelu(self.hidden(torch.cat([context, given], dim=-1)))
        raw = self.fresh(hidden).unflatten(-1, (self.n_components, 2 * self.size + 1))
        mean, log_std = raw[..., 1 : 1 + self.size], raw[..., 1 + self.size :].clamp(-5, 2)
        key = self.key(torch.cat([context, latents], dim=-1))
        n_bars = context.shape[1]
        place = torch.arange(n_bars, device=context.device)
        back = place[:, None] - place[None, :]
        score = self.query(hidden) @ key.transpose(1, 2) / _KEY**0.5 + self.lag[back.clamp(0, self.max_bars - 1)]
        score = score.masked_fill((back < 1) | (back >= self.max_bars), float("-inf"))
        log_weight = torch.cat([raw[..., 0], score], dim=-1).log_softmax(dim=-1)
        copies = own[:, None].expand(-1, n_bars, -1, -1)
        return FactorMixture(
            log_weight,
            torch.cat([mean, copies], dim=2),
            torch.cat([log_std, self.copy_log_std.clamp(-5, 1).expand_as(copies)], dim=2),
        )


class LatentPrior(nn.Module):
    """The prior of this module.

    Parameters
    ----------
    sizes
        Of the factors' latents, in the order in which they are drawn.
    n_conditions
        Numbers that describe a bar.
    n_form
        Of the latent of the whole.
    width, n_layers, n_heads, n_components
        Of the transformer and of the mixtures.
    max_bars
        How far back it looks.
    dropout
        Share of activations dropped in training.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        n_conditions: int,
        n_form: int,
        *,
        width: int,
        n_layers: int,
        n_heads: int,
        n_components: int,
        max_bars: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.sizes, self.max_bars = tuple(sizes), max_bars
        total = sum(sizes)
        self.before = nn.Linear(total, width)
        self.conditions = nn.Sequential(nn.Linear(n_conditions, width), nn.GELU(), nn.Linear(width, width))
        self.form = nn.Linear(n_form, width)
        self.bars = CausalBars(width, n_layers, n_heads, max_bars, dropout)
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleList(
            _FactorHead(width, sum(sizes[:k]), total, size, n_components, max_bars) for k, size in enumerate(sizes)
        )

    def context(self, latents: Tensor, conditions: Tensor, form: Tensor) -> Tensor:
        """Return what each bar's mixtures are given of the bars before it, shape (batch, bars, width).

        Parameters
        ----------
        latents
            Of all bars; the last bar's do not matter; shape (batch, bars, sum of sizes).
        conditions
            Shape (batch, bars, n_conditions).
        form
            Latent of the whole, shape (batch, n_form).
        """
        before = F.pad(self.before(latents), (0, 0, 1, 0))[:, :-1]
        hidden = before + self.conditions(conditions) + self.form(form)[:, None]
        out: Tensor = self.norm(self.bars(hidden))
        return out

    def mixture(self, factor: int, context: Tensor, latents: Tensor) -> FactorMixture:
        """Return the mixtures of a factor; of a bar's own latents only the factors before it are looked at."""
        start = sum(self.sizes[:factor])
        own = latents[..., start : start + self.sizes[factor]]
        found: FactorMixture = self.heads[factor](context, latents[..., :start], latents, own)
        return found

    def log_prob(self, latents: Tensor, conditions: Tensor, form: Tensor) -> Tensor:
        """Return the log density of each bar's latents given the bars before, factor by factor.

        Returns
        -------
        Tensor of shape (batch, bars, factors)
        """
        context = self.context(latents, conditions, form)
        parts = torch.split(latents, list(self.sizes), dim=-1)
        densities = [self.mixture(k, context, latents).log_prob(part) for k, part in enumerate(parts)]
        return torch.stack(densities, dim=-1)
