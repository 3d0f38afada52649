"""Chords as a model says them: a root and one of a few qualities at each eighth, as a chain of changes.

Features of a chord (see :data:`symgen.conditions.FEATURE_COLUMNS`) name its pitch classes, root and bass. The nearest
quality stands for what it is; a chord that goes on is no change.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symgen.conditions import FEATURE_COLUMNS

__all__ = ["NO_CHORD", "N_CHORDS", "QUALITIES", "UNKNOWN", "HarmonyChain", "chord_columns", "chord_labels"]

QUALITIES = ("", "m", "7", "maj7", "m7", "dim", "m7b5", "dim7", "aug", "sus4")
"""Suffixes of lead-sheet symbols, most usual first."""

_INTERVALS = (
    (0, 4, 7), (0, 3, 7), (0, 4, 7, 10), (0, 4, 7, 11), (0, 3, 7, 10),
    (0, 3, 6), (0, 3, 6, 10), (0, 3, 6, 9), (0, 4, 8), (0, 5, 7),
)  # fmt: skip
NO_CHORD = 12 * len(QUALITIES)
"""The label of silence; ``12 * quality + root`` are the others, roots counted from the tonic."""

N_CHORDS = NO_CHORD + 1
UNKNOWN = -1
"""The label where nothing is known."""


def chord_columns() -> slice:
    """Return the columns of the features that speak of chords."""
    return slice(FEATURE_COLUMNS["chord"].start, FEATURE_COLUMNS["chord known"].stop)


def chord_labels(features: Tensor) -> Tensor:
    """Return the label of the chord in each row of features, shape (...)."""
    chord = features[..., chord_columns()]
    chroma, root, known, silent = chord[..., :12], chord[..., 12:24].argmax(dim=-1), chord[..., 36], chord[..., 37]
    place = (root[..., None] + torch.arange(12, device=root.device)) % 12
    above_root = chroma.gather(-1, place)
    templates = torch.zeros(len(QUALITIES), 12, device=root.device)
    for row, intervals in zip(templates, _INTERVALS, strict=True):
        row[list(intervals)] = 1
    differences = (above_root[..., None, :] - templates).abs().sum(dim=-1)
    label = 12 * differences.argmin(dim=-1) + root
    label = torch.where(silent > 0, NO_CHORD, label)
    return torch.where(known > 0, label, UNKNOWN)


class HarmonyChain(nn.Module):
    """From a bar's latent to the chords at its eighths: whether one changes, and to which, given the last one.

    Parameters
    ----------
    latent
        Size of the bar's latent.
    n_places
        Numbers that describe the place of an eighth.
    width
        Of the layers between.
    """

    def __init__(self, latent: int, n_places: int, width: int) -> None:
        super().__init__()
        self.latent, self.place = nn.Linear(latent, width), nn.Linear(n_places, width)
        self.hidden = nn.Sequential(nn.GELU(), nn.Linear(width, width), nn.GELU())
        self.changes = nn.Linear(width, 1)
        self.chord = nn.Linear(width, N_CHORDS)
        self.moves = nn.Parameter(torch.zeros(N_CHORDS + 1, N_CHORDS))  # the last row: from no chord yet

    def forward(self, latents: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logit of a change and the log weights of chords at each eighth.

        Parameters
        ----------
        latents
            Shape (batch, bars, latent).
        places
            Shape (batch, bars, eighths, n_places).

        Returns
        -------
        changes
            Shape (batch, bars, eighths).
        chords
            Shape (batch, bars, eighths, N_CHORDS).
        """
        hidden = self.hidden(self.latent(latents)[:, :, None] + self.place(places))
        return self.changes(hidden)[..., 0], self.chord(hidden)

    def log_likelihood(self, latents: Tensor, places: Tensor, labels: Tensor) -> Tensor:
        """Return the log-probability of chords, shape (batch,); what is unknown counts nothing.

        Parameters
        ----------
        latents, places
            As for :meth:`forward`.
        labels
            Shape (batch, bars, eighths).
        """
        changes, chords = (part.flatten(1, 2) for part in self(latents, places))
        label = labels.flatten(1)
        before = torch.cat([torch.full_like(label[:, :1], UNKNOWN), label[:, :-1]], dim=1)
        has_change, known = label != before, label != UNKNOWN
        weights = chords + self.moves[torch.where(before == UNKNOWN, N_CHORDS, before)]
        # A change is to another chord: the one before it is left out.
        weights = weights.masked_fill(
            F.one_hot(before.clamp_min(0), N_CHORDS).bool() & (before != UNKNOWN)[..., None], -1e9
        )
        to = weights.log_softmax(dim=-1).gather(2, label.clamp_min(0)[..., None])[..., 0]
        is_first = before == UNKNOWN
        change = torch.where(is_first, 0.0, torch.where(has_change, F.logsigmoid(changes), F.logsigmoid(-changes)))
        return ((change + torch.where(has_change, to, 0.0)) * known).sum(dim=1)
