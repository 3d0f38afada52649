"""From latents to weights of cells, as numbers for the decoder of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from symgen.model.ensemble.config import EnsembleConfig
from symgen.model.ensemble.data import SILENT, STRUCK
from symgen.model.ensemble.network import EnsembleDecoder, Given
from symgen.model.inference import on_one_thread

__all__ = ["EnsembleNoise", "Weights", "between", "cell_weights", "sample_ensemble_noise"]

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EnsembleNoise:
    """What the latents of several pieces are made of: white noise.

    Parameters
    ----------
    phrase
        Shape (n, latents_of_phrase).
    bars
        Shape (n, bars, latents_of_bar).
    """

    phrase: NDArray[np.float32]
    bars: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """Log weights of the cells of one piece, each step's by itself.

    Parameters
    ----------
    struck, held
        Shape (steps, tracks, pitches).
    rest, hold
        Of lines, shape (steps, tracks).
    """

    struck: _Array
    held: _Array
    rest: _Array
    hold: _Array


def sample_ensemble_noise(
    config: EnsembleConfig, n: int, sources: Sequence[int], rng: np.random.Generator
) -> EnsembleNoise:
    """Draw noise for latents.

    Parameters
    ----------
    config
        The ensemble.
    n
        For so many pieces.
    sources
        For each bar the bar whose noise it has, itself where it has some of its own.
    rng
        Source of chance.
    """
    phrase = rng.standard_normal((n, config.latents_of_phrase), dtype=np.float32)
    bars = rng.standard_normal((n, len(sources), config.latents_of_bar), dtype=np.float32)
    return EnsembleNoise(phrase, bars[:, list(sources)])


def between(one: EnsembleNoise, other: EnsembleNoise, share: float) -> EnsembleNoise:
    """Return noise on the great arc from one to another; a share of 0 is the one, of 1 the other."""
    a, b = np.cos(share * np.pi / 2), np.sin(share * np.pi / 2)
    return EnsembleNoise(
        (a * one.phrase + b * other.phrase).astype(np.float32), (a * one.bars + b * other.bars).astype(np.float32)
    )


def cell_weights(
    decoder: EnsembleDecoder,
    noise: EnsembleNoise,
    features: NDArray[np.float32],
    *,
    codes: NDArray[np.uint8] | None = None,
    is_given: Sequence[bool] = (),
) -> list[Weights]:
    """Return the weights of the cells of each piece.

    Parameters
    ----------
    decoder
        A VAE's, or the generator of a GAN.
    noise
        Of the pieces.
    features
        Conditions of all of them, shape (bars, bar_steps, N_FEATURES).
    codes, is_given
        Tracks that are there, as :func:`symgen.model.ensemble.data.encode_tracks` gives them, and which of them count.
    """
    n = len(noise.phrase)
    with on_one_thread():
        given = None
        if codes is not None and any(is_given):
            shown = torch.tensor([float(one) for one in is_given]).expand(n, -1)
            roll = torch.from_numpy(codes).expand(n, -1, -1, -1)
            mask = shown[:, None, :, None]
            given = Given((roll == STRUCK) * mask, (roll != SILENT) * mask, shown)
        rows = torch.from_numpy(features).expand(n, -1, -1, -1)
        phrase, bars = decoder.noise(torch.from_numpy(noise.phrase), torch.from_numpy(noise.bars))
        cells = decoder(phrase, bars, rows, given)
        parts = [part.double().numpy() for part in (cells.struck, cells.held, cells.rest, cells.hold)]
    return [Weights(*(part[i] for part in parts)) for i in range(n)]
