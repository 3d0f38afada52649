"""The chain decoder: a linear-chain conditional random field over the symbols of a line.

The chain's state is the pitch of the last onset and whether it still sounds, so that learned
transitions reach across holds and rests. Its log weights are those of :mod:`symgen.potentials`; here
they are tensors, and the sum over all lines is differentiable. Training needs no exact zeros, so
states that cannot be occupied yet carry a large negative number instead of ``-inf``, whose gradients
would not be finite.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from symgen.alphabet import HOLD, N_SPECIAL, REST

__all__ = ["ChainTransitions", "carry_forward"]

_UNREACHED = -1e4


class ChainTransitions(nn.Module):
    """Learned weights of the moves of a line.

    Parameters
    ----------
    n_pitches
        Pitches of the alphabet, whose tonic is the same for every line.

    Notes
    -----
    The weight of going from p to q is a table over intervals plus a table over scale degrees, so it
    means the same in every octave.
    """

    def __init__(self, n_pitches: int) -> None:
        super().__init__()
        self.n_pitches = n_pitches
        self.interval = nn.Parameter(torch.zeros(2 * n_pitches - 1))
        self.degree = nn.Parameter(torch.zeros(12, 12))
        self.first = nn.Parameter(torch.zeros(n_pitches))
        self.rest_to_onset = nn.Parameter(torch.zeros(()))
        self.note_to_rest = nn.Parameter(torch.zeros(()))
        self.rest_to_rest = nn.Parameter(torch.zeros(()))

    def onset(self) -> Tensor:
        """Return the weights from pitch to pitch, shape (n_pitches, n_pitches)."""
        pitch = torch.arange(self.n_pitches, device=self.interval.device)
        interval = self.interval[pitch[None, :] - pitch[:, None] + self.n_pitches - 1]
        return interval + self.degree[pitch[:, None] % 12, pitch[None, :] % 12]

    def log_partition(self, step: Tensor) -> Tensor:
        """Return the log of the summed weight of all lines.

        Parameters
        ----------
        step
            Log weight of each symbol at each step, shape (batch, n_steps, n_symbols).

        Returns
        -------
        Tensor of shape (batch,)

        Notes
        -----
        A step is one matrix product of scaled weights, so what reaches a pitch counts as no less than 1e-30 of
        the heaviest state before it. Where weights differ by so much, the decoder's lattice stays exact.
        """
        batch = step.shape[0]
        unreached = step.new_full((batch, self.n_pitches), _UNREACHED)
        sounding, resting, silent = unreached, unreached, step.new_zeros(batch, 1)
        moves = self.onset().exp()
        first = self.first[None]
        for row in step.unbind(dim=1):
            before = torch.logaddexp(sounding, resting + self.rest_to_onset)
            peak = before.amax(dim=1, keepdim=True).detach()
            arriving = ((before - peak).exp() @ moves).clamp_min(1e-30).log() + peak
            onset = torch.logaddexp(arriving, silent + first) + row[:, N_SPECIAL:]
            rest = row[:, REST : REST + 1]
            resting = torch.logaddexp(sounding + self.note_to_rest, resting + self.rest_to_rest) + rest
            sounding = torch.logaddexp(sounding + row[:, HOLD : HOLD + 1], onset)
            silent = silent + self.rest_to_rest + rest
        return torch.logsumexp(torch.cat([sounding, resting, silent], dim=1), dim=1)

    def log_weight(self, step: Tensor, line: Tensor) -> Tensor:
        """Return the log weight of one line for each row of the batch.

        Parameters
        ----------
        step
            Shape (batch, n_steps, n_symbols).
        line
            Symbols, shape (batch, n_steps); no hold without a note before it.
        """
        unary = step.gather(2, line[:, :, None]).squeeze(2).sum(dim=1)
        return unary + self._arc_weight(line)

    def _arc_weight(self, line: Tensor) -> Tensor:
        """Sum the weights of a line's moves."""
        is_onset, is_rest = line >= N_SPECIAL, line == REST
        pitch = (line - N_SPECIAL).clamp_min(0)
        last = carry_forward(pitch, is_onset)  # pitch of the last onset up to and with each step; -1 before any
        previous = torch.cat([torch.full_like(last[:, :1], -1), last[:, :-1]], dim=1)
        rested = torch.cat([torch.ones_like(is_rest[:, :1]), is_rest[:, :-1]], dim=1)
        had_note = previous >= 0
        onset_weight = torch.where(
            had_note,
            self.onset()[previous.clamp_min(0), pitch] + self.rest_to_onset * rested,
            self.first[pitch],
        )
        rest_weight = torch.where(rested, self.rest_to_rest, self.note_to_rest)
        return (onset_weight * is_onset + rest_weight * is_rest).sum(dim=1)


def carry_forward(values: Tensor, present: Tensor) -> Tensor:
    """Replace each absent value by the last present one before it, or -1."""
    steps = torch.arange(values.shape[1], device=values.device).expand_as(values)
    latest = torch.where(present, steps, -1).cummax(dim=1).values
    return torch.where(latest >= 0, values.gather(1, latest.clamp_min(0)), -1)
