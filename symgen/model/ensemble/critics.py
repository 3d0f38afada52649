"""Critics: of the whole roll, and of its three factors, rhythm, pitch and harmony.

Each gives a window one number; the more, the more like real music. All see the conditions. What each one sees of the
music:

*whole*
    The roll itself, struck and sounding, by convolutions over steps and pitches.
*rhythm*
    How many notes each track strikes at a step, and whether it sounds.
*pitch*
    Which pitches each track strikes and holds, as contour and register, without the conditions' chords.
*harmony*
    The pitch classes that sound in each track, against the chord.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symgen.conditions import N_FEATURES
from symgen.model.ensemble.config import EnsembleConfig

__all__ = ["CRITICS", "Critics"]

CRITICS = ("whole", "rhythm", "pitch", "harmony")
"""Their names, in the order of their numbers."""

_SLOPE = 0.2


class _OverTime(nn.Module):
    """From steps to one number: convolutions that halve or quarter the steps, then the mean over what is left."""

    def __init__(self, n_in: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(n_in, width, 3, padding=1)
        self.down = nn.ModuleList(
            nn.Conv1d(a, b, 4, stride=s, padding=1)
            for a, b, s in ((width, width, 2), (width, 2 * width, 2), (2 * width, 2 * width, 4))
        )
        self.last = nn.Conv1d(2 * width, 2 * width, 3, padding=1)
        self.out = nn.Linear(4 * width, 1)

    def forward(self, steps: Tensor) -> Tensor:
        """Return a number for each window: steps of shape (batch, steps, channels)."""
        x = F.leaky_relu(self.first(steps.transpose(1, 2)), _SLOPE)
        for down in self.down:
            x = F.leaky_relu(down(x), _SLOPE)
        x = F.leaky_relu(self.last(x), _SLOPE)
        out: Tensor = self.out(torch.cat([x.mean(dim=2), x.std(dim=2)], dim=1))[:, 0]
        return out


class _Whole(nn.Module):
    """The critic of the roll."""

    def __init__(self, config: EnsembleConfig, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(2 * config.n_tracks, width, (4, 12), stride=(4, 4), padding=(0, 4))
        self.told = nn.Linear(4 * N_FEATURES, width)
        self.second = nn.Conv2d(width, 2 * width, (4, 4), stride=(2, 4), padding=(1, 0))
        height = ((config.n_pitches + 8 - 12) // 4 + 1 - 4) // 4 + 1
        self.bars = nn.Conv1d(2 * width * height, 2 * width, 3, padding=1)
        self.around = nn.Conv1d(2 * width, 2 * width, 3, padding=2, dilation=2)
        self.out = nn.Linear(4 * width, 1)

    def forward(self, rolls: Tensor, steps: Tensor) -> Tensor:
        """Return a number for each window.

        Parameters
        ----------
        rolls
            Shape (batch, 2 * tracks, steps, pitches), the steps a multiple of 4.
        steps
            Conditions, shape (batch, steps, N_FEATURES).
        """
        told = self.told(torch.unflatten(steps, 1, (-1, 4)).flatten(2)).transpose(1, 2)[..., None]
        x = F.leaky_relu(self.first(rolls) + told, _SLOPE)
        x = F.leaky_relu(self.second(x), _SLOPE).transpose(2, 3).flatten(1, 2)
        x = F.leaky_relu(self.bars(x), _SLOPE)
        x = x + F.leaky_relu(self.around(x), _SLOPE)
        out: Tensor = self.out(torch.cat([x.mean(dim=2), x.std(dim=2)], dim=1))[:, 0]
        return out


class Critics(nn.Module):
    """The four critics.

    Parameters
    ----------
    config
        The ensemble.
    width
        Channels of their first layers.
    """

    _classes: Tensor

    def __init__(self, config: EnsembleConfig, width: int = 48) -> None:
        super().__init__()
        self.config = config
        tracks, pitches = config.n_tracks, config.n_pitches
        classes = F.one_hot((config.low + torch.arange(pitches)) % 12, 12).float()
        self.register_buffer("_classes", classes, persistent=False)
        self.whole = _Whole(config, width)
        self.rhythm = _OverTime(2 * tracks + N_FEATURES, width)
        self.lanes = nn.Linear(2 * tracks * pitches, width)
        self.pitch = _OverTime(width, width)
        self.harmony = _OverTime(12 * tracks + N_FEATURES, width)

    def forward(self, struck: Tensor, sounding: Tensor, features: Tensor) -> Tensor:
        """Return the numbers of the critics.

        Parameters
        ----------
        struck, sounding
            Rolls, shape (batch, steps, tracks, pitches).
        features
            Conditions, shape (batch, bars, bar_steps, N_FEATURES).

        Returns
        -------
        Tensor of shape (batch, 4)
        """
        steps = features.flatten(1, 2)
        over = -steps.shape[1] % 4
        if over:
            struck, sounding = (F.pad(roll, (0, 0, 0, 0, 0, over)) for roll in (struck, sounding))
            steps = F.pad(steps, (0, 0, 0, over))
        both = torch.cat([struck, sounding], dim=2)
        rhythm = torch.cat([struck.sum(dim=-1), sounding.sum(dim=-1).clamp(max=1)], dim=-1)
        chroma = (sounding @ self._classes).clamp(max=2).flatten(2)
        numbers = [
            self.whole(both.transpose(1, 2), steps),
            self.rhythm(torch.cat([rhythm, steps], dim=-1)),
            self.pitch(self.lanes(both.flatten(2))),
            self.harmony(torch.cat([chroma, steps], dim=-1)),
        ]
        return torch.stack(numbers, dim=1)
