"""The decoder that the VAE and the GAN of an ensemble share: from latents and conditions to weights of every cell.

A trunk over quarters turns the latents of the whole and of each bar into what all tracks have in common; each track
has a branch over steps. A branch does not name pitches one by one: at each step it gives weights to what is known of
a pitch there - which one it is, whether the chord has it, as its root or its bass, whether the scale has it - and the
weight of a cell is their sum. So what is learned of one chord holds for all, and any metre is a number of steps.

Weights of cells, shape (batch, steps, tracks, pitches):

*struck*
    Of striking the pitch. In a line against ``rest`` and ``hold``, where the pitches of a step exclude each other; in a
    chordal track against silence, each pitch by itself.
*held*
    In a chordal track of holding what sounds, each pitch by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symgen.conditions import FEATURE_COLUMNS, N_FEATURES
from symgen.model.ensemble.config import EnsembleConfig
from symgen.model.ensemble.noise import NoiseChain

__all__ = ["Cells", "EnsembleDecoder", "Given", "Residual", "chord_of_cells"]

_KINDS = 5  # what is known of a pitch at a step: itself, chord tone, root, bass, scale
_GIVEN = 32  # channels for each track that is given


@dataclass(frozen=True, slots=True)
class Cells:
    """Weights of an ensemble's roll.

    Parameters
    ----------
    struck, held
        Shape (batch, steps, tracks, pitches).
    rest, hold
        Of a line's step to be silent or to go on, shape (batch, steps, tracks).
    """

    struck: Tensor
    held: Tensor
    rest: Tensor
    hold: Tensor


@dataclass(frozen=True, slots=True)
class Given:
    """Tracks that are there already.

    Parameters
    ----------
    struck, sounding
        Their rolls, shape (batch, steps, tracks, pitches); zeros for the others.
    is_given
        Shape (batch, tracks), 0 or 1.
    """

    struck: Tensor
    sounding: Tensor
    is_given: Tensor

    @classmethod
    def none(cls, n: int, n_steps: int, config: EnsembleConfig) -> Given:
        """Return no tracks."""
        roll = torch.zeros(n, n_steps, config.n_tracks, config.n_pitches)
        return cls(roll, roll, torch.zeros(n, config.n_tracks))


class Residual(nn.Module):
    """Residual convolutions of growing dilation over (batch, places, channels)."""

    def __init__(self, width: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in dilations)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, 3, padding=d, dilation=d) for d in dilations)
        self.mixes = nn.ModuleList(nn.Linear(width, width) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """Return places of the same shape."""
        for norm, convolution, mix in zip(self.norms, self.convolutions, self.mixes, strict=True):
            x = x + mix(F.gelu(convolution(norm(x).transpose(1, 2)).transpose(1, 2)))
        return x


def chord_of_cells(features: Tensor, low: int, n_pitches: int) -> Tensor:
    """Return what the conditions say of each pitch: chord tone, root, bass, scale.

    Parameters
    ----------
    features
        Shape (..., N_FEATURES).
    low, n_pitches
        The pitches, relative to the tonic's C.

    Returns
    -------
    Tensor of shape (..., n_pitches, 4)
    """
    classes = (low + torch.arange(n_pitches)) % 12
    groups = ("chord", "chord root", "chord bass", "scale")
    return torch.stack([features[..., FEATURE_COLUMNS[group]][..., classes] for group in groups], dim=-1)


class _Branch(nn.Module):
    """One track: its steps, and their weights for what is known of a pitch."""

    def __init__(self, config: EnsembleConfig, *, chordal: bool) -> None:
        super().__init__()
        width, size = config.track_width, config.embedding
        n_own = config.track_phrase + config.track_bar
        self.told = nn.Linear(config.width + n_own + N_FEATURES, width)
        self.rows = nn.Linear(config.n_tracks * _GIVEN, width)
        self.steps = Residual(width, (1, 2, 4))
        self.norm = nn.LayerNorm(width)
        self.chordal = chordal
        self.outputs = 2 if chordal else 1  # struck, held
        self.weights = nn.Linear(width, self.outputs * _KINDS * size)
        self.pitch = nn.Parameter(torch.randn(_KINDS, config.n_pitches, size) * size**-0.5)
        self.level = nn.Parameter(torch.full((self.outputs,), -3.0 if chordal else 0.0))
        self.special = nn.Linear(width, 2)  # of a line: rest and hold

    def forward(self, common: Tensor, given: Tensor, cells: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return weights of striking, of holding, and of rest and hold.

        Parameters
        ----------
        common
            Trunk, own latents and conditions at each step, shape (batch, steps, channels).
        given
            What the given tracks do, shape (batch, steps, tracks * channels).
        cells
            What is known of each pitch, shape (batch, steps, pitches, kinds).
        """
        x = self.norm(self.steps(self.told(common) + self.rows(given)))
        weights = self.weights(x).unflatten(-1, (self.outputs * _KINDS, -1))
        # By pitch for each output and kind, then summed where the kind holds.
        by_kind = torch.einsum("btoke,kpe->btopk", weights.unflatten(2, (self.outputs, _KINDS)), self.pitch)
        rolls = (by_kind * cells[:, :, None]).sum(dim=-1) + self.level[:, None]
        held = rolls[:, :, 1] if self.chordal else torch.zeros_like(rolls[:, :, 0])
        return rolls[:, :, 0], held, self.special(x)


class EnsembleDecoder(nn.Module):
    """The network of this module.

    Parameters
    ----------
    config
        Its sizes.
    """

    def __init__(self, config: EnsembleConfig) -> None:
        super().__init__()
        self.config = config
        width, quarters = config.width, config.max_bar_quarters
        self.canvas = nn.Sequential(
            nn.Linear(config.latents_of_phrase + config.latents_of_bar, 2 * width), nn.GELU(),
            nn.Linear(2 * width, quarters * width),
        )  # fmt: skip
        self.seen = nn.Linear(N_FEATURES, width)
        self.quarters = Residual(width, (1, 2, 4, 8, 16))
        self.norm = nn.LayerNorm(width)
        self.given = nn.ModuleList(nn.Linear(2 * config.n_pitches + 1, _GIVEN) for _ in config.tracks)
        self.branches = nn.ModuleList(_Branch(config, chordal=chordal) for chordal in config.chordal)
        self.noise = NoiseChain(config)

    def forward(self, phrase: Tensor, bars: Tensor, features: Tensor, given: Given | None = None) -> Cells:
        """Return the weights of all cells.

        Parameters
        ----------
        phrase
            Latents of the whole, shape (batch, latents_of_phrase).
        bars
            Of each bar, shape (batch, bars, latents_of_bar).
        features
            Conditions, shape (batch, bars, bar_steps, N_FEATURES).
        given
            Tracks that are there; none if left out.
        """
        config = self.config
        n, n_bars, bar_steps, _ = features.shape
        steps = features.flatten(1, 2)
        given = given or Given.none(n, steps.shape[1], config)
        rows = self._rows_of(given)
        common = self._trunk(phrase, bars, features)
        known = chord_of_cells(steps, config.low, config.n_pitches)
        cells = torch.cat([torch.ones_like(known[..., :1]), known], dim=-1)
        own_phrase = torch.unflatten(phrase[:, config.phrase :], -1, (config.n_tracks, -1))
        own_bar = torch.unflatten(bars[:, :, config.bar :], -1, (config.n_tracks, -1))
        struck, held, special = [], [], []
        for number, branch in enumerate(self.branches):
            of_bar = own_bar[:, :, number].repeat_interleave(bar_steps, dim=1)
            of_phrase = own_phrase[:, None, number].expand(-1, n_bars * bar_steps, -1)
            one = branch(torch.cat([common, of_phrase, of_bar, steps], dim=-1), rows, cells)
            struck.append(one[0])
            held.append(one[1])
            special.append(one[2])
        both = torch.stack(special, dim=2)
        return Cells(torch.stack(struck, dim=2), torch.stack(held, dim=2), both[..., 0], both[..., 1])

    def _trunk(self, phrase: Tensor, bars: Tensor, features: Tensor) -> Tensor:
        """Return what all tracks share at each step, shape (batch, steps, width)."""
        config = self.config
        n_bars, bar_steps = features.shape[1:3]
        per = config.steps_per_quarter
        n_quarters = -(-bar_steps // per)
        latents = torch.cat([phrase[:, None].expand(-1, n_bars, -1), bars], dim=-1)
        canvas = self.canvas(latents).unflatten(-1, (config.max_bar_quarters, -1))[:, :, :n_quarters]
        seen = self.seen(features[:, :, ::per])
        trunk = self.norm(self.quarters((canvas + seen).flatten(1, 2))).unflatten(1, (n_bars, n_quarters))
        steps: Tensor = trunk.repeat_interleave(per, dim=2)[:, :, :bar_steps].flatten(1, 2)
        return steps

    def _rows_of(self, given: Given) -> Tensor:
        rows = []
        for number, read in enumerate(self.given):
            known = given.is_given[:, number, None, None].expand(-1, given.struck.shape[1], 1)
            rows.append(read(torch.cat([given.struck[:, :, number], given.sounding[:, :, number], known], dim=-1)))
        return torch.cat(rows, dim=-1)
