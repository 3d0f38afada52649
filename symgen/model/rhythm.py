"""The chain of the rhythm: at each slot silence, a note going on, or a new one; summed exactly and in parallel.

The state is whether a note sounds. A line weighs the sum of its slots' weights and of its moves: from a note into
silence, from silence into silence, from silence into a note. The sum over all rhythms is a product of 2 by 2
matrices, which may be taken in any order: pairs of neighbours first, so that the depth is the logarithm of the length.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from symgen.alphabet import HOLD, REST

__all__ = ["N_KINDS", "ONSET", "RhythmChain", "kinds_of"]

ONSET, N_KINDS = 2, 3


def kinds_of(line: Tensor) -> Tensor:
    """Return what happens at each slot, :data:`REST`, :data:`HOLD` or :data:`ONSET`; same shape as the line."""
    return line.clamp_max(ONSET)


class RhythmChain(nn.Module):
    """Learned weights of the moves; those of the slots are given."""

    def __init__(self) -> None:
        super().__init__()
        self.note_to_rest = nn.Parameter(torch.zeros(()))
        self.rest_to_rest = nn.Parameter(torch.zeros(()))
        self.rest_to_onset = nn.Parameter(torch.zeros(()))

    def log_likelihood(self, weights: Tensor, kinds: Tensor) -> Tensor:
        """Return the log-probability of rhythms, shape (batch,).

        Parameters
        ----------
        weights
            Log weight of each kind at each slot, shape (batch, slots, 3).
        kinds
            What happens at each slot, shape (batch, slots); no hold without a note before it.
        """
        return self._log_weight(weights, kinds) - self.log_partition(weights)

    def log_partition(self, weights: Tensor) -> Tensor:
        """Return the log of the summed weight of all rhythms, shape (batch,)."""
        to_rest_from_note = weights[..., REST] + self.note_to_rest
        to_rest_from_rest = weights[..., REST] + self.rest_to_rest
        to_note_from_note = torch.logaddexp(weights[..., HOLD], weights[..., ONSET])
        to_note_from_rest = weights[..., ONSET] + self.rest_to_onset
        from_rest = torch.stack([to_rest_from_rest, to_note_from_rest], dim=-1)
        from_note = torch.stack([to_rest_from_note, to_note_from_note], dim=-1)
        moves = torch.stack([from_rest, from_note], dim=-2)  # (batch, slots, from, to); 0 is silence
        while moves.shape[1] > 1:
            left_over = moves[:, -1:] if moves.shape[1] % 2 else moves[:, :0]
            pairs = torch.unflatten(moves[:, : moves.shape[1] // 2 * 2], 1, (-1, 2))
            joined = torch.logsumexp(pairs[:, :, 0, :, :, None] + pairs[:, :, 1, None, :, :], dim=-2)
            moves = torch.cat([joined, left_over], dim=1)
        return torch.logsumexp(moves[:, 0, 0], dim=-1)

    def _log_weight(self, weights: Tensor, kinds: Tensor) -> Tensor:
        rested = torch.cat([torch.ones_like(kinds[:, :1], dtype=torch.bool), kinds[:, :-1] == REST], dim=1)
        rest_move = torch.where(rested, self.rest_to_rest, self.note_to_rest) * (kinds == REST)
        onset_move = self.rest_to_onset * (rested & (kinds == ONSET))
        return (weights.gather(2, kinds[..., None])[..., 0] + rest_move + onset_move).sum(dim=1)
