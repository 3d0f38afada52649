"""A small convolutional classifier on piano rolls, to judge whether generated melodies look real.

>>> rng = np.random.default_rng(0)
>>> rolls = np.zeros((40, 2, 24, 24), dtype=np.uint8)
>>> rolls[::2, :, :, 3] = 1
>>> classify = train_judge(rolls, np.arange(40) % 2, rng, n_epochs=20)
>>> classify(rolls[:4]).tolist()
[0, 1, 0, 1]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["train_judge"]

_CHANNELS = (8, 16, 32)
_BATCH = 32


def _network(n_classes: int) -> nn.Sequential:
    """Return three convolutions with strides, means and maxima over what is left, and a linear layer."""
    layers: list[nn.Module] = []
    for before, after in zip((2, *_CHANNELS[:-1]), _CHANNELS, strict=True):
        layers += [
            nn.Conv2d(before, after, 5, stride=(3 if before == 2 else 2, 2), padding=2),
            nn.GroupNorm(4, after),
            nn.GELU(),
        ]
    return nn.Sequential(*layers, _MeanAndMax(), nn.Dropout(0.3), nn.Linear(2 * _CHANNELS[-1], n_classes))


class _MeanAndMax(nn.Module):
    """From (batch, channels, steps, pitches) to (batch, 2 channels)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)


def train_judge(
    rolls: NDArray[np.uint8], classes: NDArray[np.int64], rng: np.random.Generator, *, n_epochs: int = 20
) -> Callable[[Any], NDArray[np.int64]]:
    """Train the classifier.

    Parameters
    ----------
    rolls
        Onsets and sustained notes, shape (n, 2, n_steps, n_pitches), 0 or 1.
    classes
        From 0, shape (n,).
    rng
        Seeds the weights, the dropout and the order; the same one gives the same classifier on the same machine.
    n_epochs
        Passes over the rolls, each roll moved by up to three semitones at random.

    Returns
    -------
    callable
        From rolls to classes.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        network = _network(int(classes.max()) + 1)
        _fit(network, torch.from_numpy(rolls), torch.from_numpy(classes), rng, n_epochs)
    network.eval()
    return lambda rows: _classes(network, torch.from_numpy(rows))


def _fit(network: nn.Module, x: Tensor, y: Tensor, rng: np.random.Generator, n_epochs: int) -> None:
    n_batches = -(-len(x) // _BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=n_epochs * n_batches)
    network.train()
    for _ in range(n_epochs):
        for rows in np.array_split(rng.permutation(len(x)), n_batches):
            moved = torch.roll(x[rows], int(rng.integers(-3, 4)), dims=3)
            loss = F.cross_entropy(network(moved.float()), y[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()


@torch.no_grad()
def _classes(network: nn.Module, x: Tensor) -> NDArray[np.int64]:
    found: NDArray[np.int64] = torch.cat([network(part.float()).argmax(dim=1) for part in torch.split(x, 256)]).numpy()
    return found
