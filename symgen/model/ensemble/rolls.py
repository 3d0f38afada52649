"""From weights of cells to rolls and to likelihoods.

A roll is two tensors, *struck* and *sounding*, shape (batch, steps, tracks, pitches): a pitch sounds from where it is
struck for as long as it is held.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from symgen.model.ensemble.config import EnsembleConfig
from symgen.model.ensemble.data import HELD, SILENT, STRUCK
from symgen.model.ensemble.network import Cells

__all__ = ["drawn_roll", "line_symbols", "log_likelihood", "roll_of_codes"]


def roll_of_codes(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the roll of codes of cells, shape (batch, steps, tracks, pitches)."""
    return (codes == STRUCK).float(), (codes != SILENT).float()


def line_symbols(codes: Tensor) -> Tensor:
    """Return what a line does at each step: 0 rest, 1 hold, 2 + i strike pitch i.

    Parameters
    ----------
    codes
        Of cells of lines, shape (..., pitches).
    """
    struck = codes == STRUCK
    symbols = torch.where((codes == HELD).any(dim=-1), 1, 0)
    return torch.where(struck.any(dim=-1), struck.int().argmax(dim=-1) + 2, symbols)


def log_likelihood(cells: Cells, codes: Tensor, config: EnsembleConfig) -> Tensor:
    """Return the log-probability of each step of each track, in nats, shape (batch, steps, tracks).

    Steps are independent given the latents. In a line a step is one of rest, hold and the pitches; in a chordal track
    each pitch that sounded the step before is silent, held or struck, and each other one is silent or struck.
    """
    rows = []
    before = F.pad(codes, (0, 0, 0, 0, 1, 0))[:, :-1] != SILENT
    for number, chordal in enumerate(config.chordal):
        code, struck = codes[:, :, number], cells.struck[:, :, number]
        if chordal:
            hold = cells.held[:, :, number].masked_fill(~before[:, :, number], -1e9)
            logits = torch.stack([torch.zeros_like(struck), hold, struck], dim=-1)
            chosen = logits.log_softmax(dim=-1).gather(-1, code[..., None].long()).squeeze(-1)
            rows.append(chosen.sum(dim=-1))
        else:
            logits = torch.cat([cells.rest[:, :, number, None], cells.hold[:, :, number, None], struck], dim=-1)
            silent = ~before[:, :, number].any(dim=-1)
            logits = torch.cat(
                [logits[..., :1], logits[..., 1:2].masked_fill(silent[..., None], -1e9), logits[..., 2:]], -1
            )
            rows.append(logits.log_softmax(dim=-1).gather(-1, line_symbols(code)[..., None].long()).squeeze(-1))
    return torch.stack(rows, dim=2)


def drawn_roll(cells: Cells, config: EnsembleConfig, noise: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Draw a roll, each step given the one before, through which gradients pass straight.

    The law is that of :func:`log_likelihood`: nothing is held where nothing sounds. What is drawn is discrete: the
    values are 0 and 1, and the gradients those of the probabilities (straight-through).

    Parameters
    ----------
    cells
        The weights.
    config
        Which tracks are lines.
    noise
        Source of chance; none for the most likely choice of each cell.
    """
    rows = [_choices(cells, number, noise, chordal=chordal) for number, chordal in enumerate(config.chordal)]
    # Struck and held where something sounds, and struck where nothing does.
    strikes, gates, fresh = (torch.stack([row[i] for row in rows], dim=2) for i in range(3))
    is_line = torch.tensor([not chordal for chordal in config.chordal])[:, None]
    struck, sounding = [fresh[:, 0]], [fresh[:, 0]]
    for step in range(1, strikes.shape[1]):
        before = sounding[-1]
        going = torch.where(is_line, before.sum(dim=-1, keepdim=True).clamp(max=1.0), before)
        struck.append(going * strikes[:, step] + (1 - going) * fresh[:, step])
        sounding.append((struck[-1] + gates[:, step] * before).clamp(max=1.0))
    return torch.stack(struck, dim=1), torch.stack(sounding, dim=1)


def _choices(
    cells: Cells, number: int, noise: torch.Generator | None, *, chordal: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what a track strikes and holds if something sounds before each step, and what it strikes if nothing does.

    The same chance decides both.
    """
    on = cells.struck[:, :, number]
    if chordal:
        logits = torch.stack([torch.zeros_like(on), cells.held[:, :, number], on], dim=-1)
    else:
        logits = torch.cat([cells.rest[:, :, number, None], cells.hold[:, :, number, None], on], dim=-1)
    logits = logits if noise is None else logits + _gumbel(logits.shape, noise)
    choice = _straight(logits)
    without = _straight(torch.cat([logits[..., :1], logits[..., 2:]], dim=-1))
    if chordal:
        return choice[..., 2], choice[..., 1], without[..., 1]
    return choice[..., 2:], choice[..., 1:2].expand_as(on), without[..., 1:]


def _gumbel(shape: Sequence[int], noise: torch.Generator) -> Tensor:
    uniform = torch.rand(shape, generator=noise).clamp_min(1e-9)
    return -(-uniform.log()).clamp_min(1e-9).log()


def _straight(logits: Tensor) -> Tensor:
    """Return a one-hot choice along the last axis whose gradient is that of the softmax."""
    soft = logits.softmax(dim=-1)
    hard = F.one_hot(soft.argmax(dim=-1), soft.shape[-1]).to(soft.dtype)
    return hard + (soft - soft.detach())
