"""What a causal decoder remembers: the notes so far, looked back at by attention.

Notes go through a causal transformer; whoever asks, a slot that wants to know whether a note starts or a note that
wants its pitch, looks at the notes before it. What a note is worth to who looks depends on how many bars back it
lies, on whether it has the same place in its bar, and on how many notes have come since: repetition lives there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["BARS_BACK", "NOTES_BACK", "Block", "LookBack", "NoteHistory", "Places", "attend"]

BARS_BACK, NOTES_BACK = 18, 32
"""Distances that are told apart."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things stand.

    Parameters
    ----------
    bar, slot
        Bar, and slot in the bar; shape (batch, n).
    note
        How many notes start before it, or before and with it for a note itself; shape (batch, n).
    """

    bar: Tensor
    slot: Tensor
    note: Tensor


class _PlaceBias(nn.Module):
    """What attention adds for distance, shape (batch, heads, queries, notes)."""

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        self.bars = nn.Parameter(torch.zeros(2 * BARS_BACK, n_heads))
        self.notes = nn.Parameter(torch.zeros(NOTES_BACK, n_heads))

    def forward(self, query: Places, key: Places) -> Tensor:
        bars_back = (query.bar[:, :, None] - key.bar[:, None, :]).clamp(0, BARS_BACK - 1)
        is_same = (query.slot[:, :, None] == key.slot[:, None, :]).long()
        notes_back = (query.note[:, :, None] - key.note[:, None, :]).clamp(0, NOTES_BACK - 1)
        bias: Tensor = self.bars[2 * bars_back + is_same] + self.notes[notes_back]
        return bias.permute(0, 3, 1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, n_heads: int) -> Tensor:
    """Return attention of several heads; query (batch, q, width), key and value (batch, k, width)."""
    q, k, v = (torch.unflatten(part, -1, (n_heads, -1)).transpose(1, 2) for part in (query, key, value))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).flatten(2)


class Block(nn.Module):
    """Attention to notes and a two-layer network, each after a norm and around which the signal can pass."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_query, self.to_key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.network = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))
        self.dropout = nn.Dropout(dropout)
        self.bias = _PlaceBias(n_heads)

    def forward(self, x: Tensor, key_value: Tensor, bias: Tensor) -> Tensor:
        """Return what queries x (batch, q, width) make of keys and values (batch, k, 2 * width)."""
        key, value = key_value.chunk(2, dim=-1)
        mixed = attend(self.to_query(self.norm1(x)), key, value, bias, self.n_heads)
        x = x + self.dropout(self.out(mixed))
        out: Tensor = x + self.dropout(self.network(self.norm2(x)))
        return out


class NoteHistory(nn.Module):
    """The causal transformer over notes. A note sees itself, those before it, and one that stands for the start.

    Parameters
    ----------
    width, n_layers, n_heads
        Its size.
    dropout
        Share of activations dropped in training.
    """

    def __init__(self, width: int, n_layers: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Block(width, n_heads, dropout) for _ in range(n_layers))
        self.start = nn.Parameter(torch.randn(width) * 0.02)
        self.norm = nn.LayerNorm(width)

    @property
    def blocks(self) -> list[Block]:
        """The layers."""
        return [layer for layer in self.layers if isinstance(layer, Block)]

    def forward(self, notes: Tensor, places: Places) -> tuple[Tensor, Places]:
        """Return states of the start and of each note, shape (batch, 1 + notes, width), and their places.

        Parameters
        ----------
        notes
            Shape (batch, notes, width).
        places
            Of the notes; the start lies a bar before the first, and no note starts with it.
        """
        x = torch.cat([self.start.expand(len(notes), 1, -1), notes], dim=1)
        at = with_start(places)
        later = (at.note[:, None, :] > at.note[:, :, None])[:, None]
        for layer in self.blocks:
            bias = layer.bias(at, at).masked_fill(later, float("-inf"))
            x = layer(x, layer.to_key_value(layer.norm1(x)), bias)
        return self.norm(x), at


def with_start(places: Places) -> Places:
    """Return places of notes with that of the start before them."""
    return Places(
        F.pad(places.bar, (1, 0), value=-1), F.pad(places.slot, (1, 0), value=-1), F.pad(places.note, (1, 0), value=0)
    )


class LookBack(nn.Module):
    """Who asks looks at the notes before it.

    Parameters
    ----------
    width, n_heads, dropout
        As for :class:`NoteHistory`.
    """

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.block = Block(width, n_heads, dropout)
        self.norm = nn.LayerNorm(width)

    def forward(self, queries: Tensor, at: Places, states: Tensor, of: Places) -> Tensor:
        """Return what each found, shape (batch, queries, width).

        Parameters
        ----------
        queries, at
            Who asks, shape (batch, queries, width), and where; ``at.note`` notes lie before.
        states, of
            The start's and the notes' states and places.
        """
        unseen = (of.note[:, None, :] > at.note[:, :, None])[:, None]
        bias = self.block.bias(at, of).masked_fill(unseen, float("-inf"))
        found: Tensor = self.norm(self.block(queries, self.block.to_key_value(states), bias))
        return found
