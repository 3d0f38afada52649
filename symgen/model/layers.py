"""Blocks the models are built of. Sequences have the shape (batch, channels, steps) unless said otherwise."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["BarPooling", "CausalBars", "ConvStack", "MixtureHead"]


class _ResidualConv(nn.Module):
    """A dilated convolution around which the signal can pass."""

    def __init__(self, channels: int, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv = nn.Conv1d(channels, channels, width, padding=dilation * (width // 2), dilation=dilation)
        self.mix = nn.Conv1d(channels, channels, 1)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.mix.weight)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.mix(self.dropout(F.gelu(self.conv(F.gelu(self.norm(x))))))
        return x + mixed


class ConvStack(nn.Module):
    """Residual convolutions of growing dilation: every step sees its neighbourhood, near and far.

    Parameters
    ----------
    channels
        In and out.
    dilations
        One layer for each.
    dropout
        Share of activations dropped in training.
    """

    def __init__(self, channels: int, dilations: tuple[int, ...], dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(_ResidualConv(channels, 5, d, dropout) for d in dilations))

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        out: Tensor = self.layers(x)
        return out


class BarPooling(nn.Module):
    """Sum a bar's steps into one vector, several times over with learned weights.

    Parameters
    ----------
    channels
        Of the steps.
    n_heads
        How many sums are taken; they are joined.
    """

    def __init__(self, channels: int, n_heads: int) -> None:
        super().__init__()
        self.scores = nn.Linear(channels, n_heads)

    def forward(self, steps: Tensor) -> Tensor:
        """Pool steps of shape (batch, bars, bar_steps, channels) to (batch, bars, n_heads * channels)."""
        weights = self.scores(steps).softmax(dim=2)  # (batch, bars, bar_steps, heads)
        pooled = torch.einsum("bnsh,bnsc->bnhc", weights, steps)
        return pooled.flatten(2)


class _BiasedAttention(nn.Module):
    """Attention of several heads whose scores get a bias: torch's own layer loses such a bias in inference."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads, self.dropout = n_heads, dropout
        self.in_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        heads = self.in_proj(x).unflatten(-1, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = heads.unbind(0)  # (batch, heads, bars, width / heads) each
        share = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=share)
        out: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return out


class _TransformerBlock(nn.Module):
    """Attention and a two-layer network, each after a norm and around which the signal can pass."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = _BiasedAttention(width, n_heads, dropout)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.norm1(x), bias))
        hidden = self.dropout(F.gelu(self.linear1(self.norm2(x))))
        out: Tensor = x + self.dropout(self.linear2(hidden))
        return out


class CausalBars(nn.Module):
    """A transformer over bars in which every bar sees itself and the bars before it.

    Parameters
    ----------
    width
        Of the bars' vectors.
    n_layers, n_heads
        Its depth, and heads of attention.
    max_bars
        The longest history; a learned bias says what each distance back is worth.
    dropout
        Share of activations dropped in training.
    """

    def __init__(self, width: int, n_layers: int, n_heads: int, max_bars: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.max_bars = max_bars
        self.layers = nn.ModuleList(_TransformerBlock(width, n_heads, dropout) for _ in range(n_layers))
        self.distance = nn.Parameter(torch.zeros(n_heads, max_bars))

    def forward(self, bars: Tensor) -> Tensor:
        """Return vectors of the same shape (batch, bars, width)."""
        place = torch.arange(bars.shape[1], device=bars.device)
        back = place[:, None] - place[None, :]
        bias = self.distance[:, back.clamp(0, self.max_bars - 1)].masked_fill(back < 0, float("-inf"))
        for layer in self.layers:
            bars = layer(bars, bias)
        return bars


class MixtureHead(nn.Module):
    """A mixture of diagonal Gaussians, given a vector.

    Parameters
    ----------
    width
        Of the given vector.
    size
        Of the vector that is distributed.
    n_components
        Gaussians in the mixture.
    """

    def __init__(self, width: int, size: int, n_components: int) -> None:
        super().__init__()
        self.size, self.n_components = size, n_components
        self.out = nn.Linear(width, n_components * (2 * size + 1))

    def parameters_of(self, given: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log weights (..., k), means (..., k, size) and log standard deviations (..., k, size)."""
        raw = self.out(given).unflatten(-1, (self.n_components, 2 * self.size + 1))
        mean, log_std = raw[..., 1 : 1 + self.size], raw[..., 1 + self.size :]
        return raw[..., 0].log_softmax(dim=-1), mean, log_std.clamp(-5, 2)

    def log_prob(self, given: Tensor, value: Tensor) -> Tensor:
        """Return the log density of ``value``, shape (...), under the mixture given (...)."""
        log_weight, mean, log_std = self.parameters_of(given)
        component = gaussian_log_prob(value.unsqueeze(-2), mean, log_std)
        return torch.logsumexp(log_weight + component, dim=-1)


def gaussian_log_prob(value: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Return the log density of a diagonal Gaussian, summed over the last axis."""
    scaled = (value - mean) * torch.exp(-log_std)
    log_2pi = 1.8378770664093453
    return (-0.5 * (scaled**2 + log_2pi) - log_std).sum(dim=-1)
