"""Blocks the models are built of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["CausalBars", "gaussian_log_prob"]


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


def gaussian_log_prob(value: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Return the log density of a diagonal Gaussian, summed over the last axis."""
    scaled = (value - mean) * torch.exp(-log_std)
    log_2pi = 1.8378770664093453
    return (-0.5 * (scaled**2 + log_2pi) - log_std).sum(dim=-1)
