"""A plain thresholded DCGAN of piano rolls, as a yardstick: ``python -m benchmarks.dcgan --minutes 30 --out FOLDER``.

What MuseGAN's first generators are at heart: noise to a roll of four tracks by transposed convolutions, a critic by
convolutions, the non-saturating loss, no conditions, 8 bars of 4/4 in sixteenths, and notes wherever the sigmoid is
above one half. Trained on the passages that the ensembles learn from; its songs are written as MIDI files, in C, to be
measured by ``symgen evaluate`` and :mod:`benchmarks.ensembles`.

References
----------
Dong et al., "MuseGAN: multi-track sequential generative adversarial networks", AAAI 2018; Radford, Metz and Chintala,
"Unsupervised representation learning with deep convolutional generative adversarial networks", ICLR 2016.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symgen.model.ensemble.config import POP
from symgen.model.ensemble.data import SILENT, RollSampler
from symgen.pipeline.train_ensemble import ensemble_runs_of
from symgen.pipeline.training import load_pieces
from symgen.score import Note, Score, Track

N_BARS, BAR_STEPS, LATENTS = 8, 16, 128


class Generator(nn.Module):
    """From noise to logits of rolls, shape (batch, tracks, steps, pitches)."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.start = nn.Linear(LATENTS, 4 * width * 8 * 4)
        self.width = width
        self.up = nn.Sequential(
            nn.BatchNorm2d(4 * width), nn.ReLU(),
            nn.ConvTranspose2d(4 * width, 2 * width, 4, stride=2, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1), nn.BatchNorm2d(width // 2), nn.ReLU(),
            nn.ConvTranspose2d(width // 2, POP.n_tracks, 4, stride=2, padding=1),
        )  # fmt: skip

    def forward(self, z: Tensor) -> Tensor:
        """Return rolls of noise of shape (batch, LATENTS)."""
        rolls: Tensor = self.up(self.start(z).view(len(z), 4 * self.width, 8, 4))
        return rolls


class Critic(nn.Module):
    """From rolls to one number each."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        sizes = (POP.n_tracks, width, 2 * width, 4 * width, 8 * width)
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.down = nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * width * 8 * 4, 1))

    def forward(self, rolls: Tensor) -> Tensor:
        """Return numbers of rolls."""
        numbers: Tensor = self.down(rolls)[:, 0]
        return numbers


def trained(minutes: float, names: Sequence[str], seed: int) -> tuple[Generator, int]:
    """Return a generator after so many minutes of processor time, and how many updates it had."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    pieces = load_pieces(names)
    sampler = RollSampler(ensemble_runs_of(pieces, "train", POP), n_bars=(N_BARS,), batch_bars=32 * N_BARS)
    generator, critic = Generator(), Critic()
    optimisers = [torch.optim.Adam(model.parameters(), 2e-4, betas=(0.5, 0.999)) for model in (generator, critic)]
    begun, update = time.process_time(), 0
    while time.process_time() - begun < 60 * minutes:
        codes, _ = sampler.draw(np.random.default_rng([seed, update]))
        update += 1
        if codes.shape[2] != BAR_STEPS:
            continue
        real = torch.from_numpy((codes != SILENT).astype(np.float32)).flatten(1, 2).transpose(1, 2)
        made = generator(torch.randn(len(real), LATENTS)).sigmoid()
        loss = F.softplus(-critic(real)).mean() + F.softplus(critic(made.detach())).mean()
        _step(optimisers[1], loss)
        _step(optimisers[0], F.softplus(-critic(made)).mean())
    return generator.eval(), update


def _step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    optimiser.step()


def songs(generator: Generator, n: int, seed: int) -> list[Score]:
    """Return songs: what is above one half sounds, and unbroken runs are notes."""
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        rolls = (generator(torch.randn(n, LATENTS, generator=noise)) > 0).numpy()
    return [_score(roll) for roll in rolls]


def _score(roll: np.ndarray) -> Score:
    tracks = []
    for name, track in zip(POP.tracks, roll, strict=True):
        edges = np.diff(np.pad(track.astype(np.int8), ((1, 1), (0, 0))), axis=0)
        starts, ends = np.argwhere(edges.T == 1), np.argwhere(edges.T == -1)
        notes = [Note(int(a), int(b - a), int(p) + POP.low) for (p, a), (_, b) in zip(starts, ends, strict=True)]
        tracks.append(Track(name, tuple(sorted(notes, key=lambda n: (n.onset_steps, n.pitch)))))
    return Score(POP.steps_per_quarter, tuple(tracks), end_steps=N_BARS * BAR_STEPS)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dcgan", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--corpora", nargs="+", default=["pop909"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    generator, n_updates = trained(options.minutes, options.corpora, options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    for number, score in enumerate(songs(generator, options.number, options.seed)):
        score.save(options.out / f"dcgan-{number:04d}.mid")
    print(f"{n_updates} updates in {options.minutes:g} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
