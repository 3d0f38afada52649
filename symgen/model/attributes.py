"""What a bar's latents mean for a listener: how many notes, how many off the beat, how wide, leaping, repetitive.

The attributes are read off what the chain would play, without playing it: the chances of onsets at the slots, and the
likeliest pitches of the bar one after the other. They need no data, so any model can be asked for more or less of one.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from symgen.model.vae import LineVae
from symgen.sliders import ATTRIBUTES

__all__ = ["attributes", "preferred"]

_STRENGTH = 4.0
"""Nats for a bar that is one standard deviation above the others, at a slider of one."""


def attributes(model: LineVae, latents: Tensor, rows: Tensor) -> Tensor:
    """Return the attributes of candidates for one bar, shape (candidates, 5), ordered as in :mod:`symgen.sliders`.

    Parameters
    ----------
    model
        Trained.
    latents
        Of the candidates, shape (candidates, latents).
    rows
        Conditions at the bar's slots, shape (bar_slots, N_FEATURES).
    """
    n, n_slots = len(latents), len(rows)
    _, rhythm, pitch = model.parts(latents[:, None])
    told = rows.expand(n, 1, -1, -1)
    chance = model.onset_guess(model.rhythm_hidden(rhythm, told))[:, 0, :, 0].sigmoid()
    density = chance.sum(dim=1)
    off_beat = torch.arange(n_slots) % len(model.config.places) != 0
    syncopation = chance[:, off_beat].sum(dim=1) / density.clamp_min(0.1)
    pitches = _likeliest_pitches(model, pitch, rows)
    there = torch.arange(pitches.shape[1]) < density.round().clamp(2, pitches.shape[1])[:, None]
    moves = (pitches[:, 1:] - pitches[:, :-1]).abs() * there[:, 1:]
    n_moves = there[:, 1:].sum(dim=1)
    highest = pitches.masked_fill(~there, -1).amax(dim=1)
    lowest = pitches.masked_fill(~there, 999).amin(dim=1)
    repeated = ((moves == 0) & there[:, 1:]).sum(dim=1) / n_moves
    return torch.stack([density, syncopation, highest - lowest, moves.sum(dim=1) / n_moves, repeated], dim=1)


def _likeliest_pitches(model: LineVae, latents: Tensor, rows: Tensor) -> Tensor:
    """Return the likeliest pitch for each number of note, alone, shape (candidates, numbers)."""
    numbers = torch.arange(8, dtype=torch.float32).expand(len(latents), -1)
    bar = torch.zeros(numbers.shape, dtype=torch.long)
    told = rows[0].expand(len(latents), numbers.shape[1], -1)
    hidden = model.pitch_hidden_at(latents, bar, told, numbers)
    pitches: Tensor = model.pitch_weights(model.pitch_norm(hidden)).argmax(dim=-1)
    return pitches


def preferred(model: LineVae, latents: Tensor, rows: Tensor, sliders: Mapping[str, float]) -> Tensor:
    """Return log weights of candidates for one bar, shape (candidates,): more of what the sliders ask for weighs more.

    Parameters
    ----------
    model, latents, rows
        As for :func:`attributes`.
    sliders
        For attributes by name, from -1, as little as there is, to 1, as much.
    """
    found = attributes(model, latents, rows).double()
    spread = found.std(dim=0)
    scaled = (found - found.mean(dim=0)) / torch.where(spread > 1e-6, spread, 1.0)
    wanted = torch.tensor([sliders.get(name, 0.0) for name in ATTRIBUTES], dtype=torch.float64)
    weights: Tensor = _STRENGTH * scaled @ wanted
    return weights
