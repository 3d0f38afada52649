"""What a trained line VAE offers the rest of the project: arrays in, arrays out, chance passed in.

Everything runs on one thread: the sizes are small, and sums must not depend on how many cores there
are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symgen.alphabet import LineAlphabet
from symgen.model.vae import LineVae
from symgen.potentials import LineArcs, LinePotentials

__all__ = ["encode_line", "line_potentials", "refill_latents", "sample_latents"]


def encode_line(model: LineVae, line: NDArray[np.int64], features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the posterior mean of each bar's latent, shape (bars, latent).

    Parameters
    ----------
    model
        Trained.
    line
        Symbols, shape (bars, bar_steps); a note held into it counts as silence until the first onset.
    features
        Conditions, shape (bars, bar_steps, N_FEATURES).
    """
    with _deterministic():
        mean, _ = model.encode(torch.from_numpy(line)[None], torch.from_numpy(features)[None])
    latents: NDArray[np.float32] = mean[0].numpy()
    return latents


def refill_latents(
    model: LineVae,
    latents: NDArray[np.float32],
    features: NDArray[np.float32],
    fresh: Sequence[int],
    rng: np.random.Generator,
    *,
    temperature: float = 1.0,
) -> NDArray[np.float32]:
    """Draw the latents of some bars anew, each from the prior given the bars before it; the others stay.

    Parameters
    ----------
    model
        Trained.
    latents
        Shape (bars, latent); those of fresh bars do not matter.
    features
        Conditions, shape (bars, bar_steps, N_FEATURES).
    fresh
        Bars to draw, counted from 0, ascending.
    rng, temperature
        As for :func:`sample_latents`.
    """
    filled, conditions = torch.from_numpy(latents.copy())[None], torch.from_numpy(features)[None]
    with _deterministic():
        for bar in fresh:
            filled[0, bar] = _next_bar(model, filled, conditions, bar, rng, temperature)
    drawn: NDArray[np.float32] = filled[0].numpy()
    return drawn


def sample_latents(
    model: LineVae,
    features: NDArray[np.float32],
    rng: np.random.Generator,
    *,
    sources: Sequence[int] | None = None,
    temperature: float = 1.0,
) -> NDArray[np.float32]:
    """Draw a latent vector for each bar from the learned prior, one after the other.

    Parameters
    ----------
    model
        Trained.
    features
        Conditions, shape (bars, bar_steps, N_FEATURES).
    rng
        Source of chance.
    sources
        For each bar the bar whose latent it has, itself where it has one of its own; all their own if left out.
        A new bar is drawn given what stands before it, repeats included.
    temperature
        Above 0: mixture weights are raised to the power ``1 / temperature`` and standard deviations
        multiplied by its square root.

    Returns
    -------
    ndarray of shape (bars, latent)
    """
    n_bars, size = len(features), model.config.latent
    conditions = torch.from_numpy(features)[None]
    latents = torch.zeros(1, n_bars, size)
    with _deterministic():
        for bar, source in enumerate(range(n_bars) if sources is None else sources):
            if source != bar:
                latents[0, bar] = latents[0, source]
                continue
            latents[0, bar] = _next_bar(model, latents, conditions, bar, rng, temperature)
    drawn: NDArray[np.float32] = latents[0].numpy()
    return drawn


def line_potentials(
    model: LineVae, latents: NDArray[np.float32], features: NDArray[np.float32], *, shift: int
) -> LinePotentials:
    """Return what the model prefers at every step, given its latents.

    Parameters
    ----------
    model
        Trained.
    latents
        Shape (bars, latent).
    features
        Conditions, shape (bars, bar_steps, N_FEATURES).
    shift
        Semitones that brought the key's tonic to C; the potentials speak of real pitches again.
    """
    with _deterministic():
        step = model.decode(torch.from_numpy(latents)[None], torch.from_numpy(features)[None])[0]
        onset = model.transitions.onset()
    transitions = model.transitions
    arcs = LineArcs(
        onset.numpy().astype(np.float64),
        transitions.first.detach().numpy().astype(np.float64),
        transitions.rest_to_onset.item(),
        transitions.note_to_rest.item(),
        transitions.rest_to_rest.item(),
    )
    alphabet = LineAlphabet(model.config.low - shift, model.config.high - shift)
    return LinePotentials(alphabet, step.numpy().astype(np.float64), arcs)


def _next_bar(
    model: LineVae, latents: Tensor, conditions: Tensor, bar: int, rng: np.random.Generator, temperature: float
) -> Tensor:
    """Draw the latent of a bar given those before it; the tensors have a leading axis of one."""
    first = max(0, bar + 1 - model.config.max_bars)
    given = model.prior_given(latents[:, first:bar], conditions[:, first : bar + 1])[:, -1]
    return _draw(*model.prior_head.parameters_of(given), rng, temperature)


def _draw(log_weight: Tensor, mean: Tensor, log_std: Tensor, rng: np.random.Generator, temperature: float) -> Tensor:
    """Draw from a mixture given as tensors with a leading axis of one."""
    weight = np.asarray((log_weight[0] / temperature).softmax(dim=0).double())
    component = int(rng.choice(len(weight), p=weight / weight.sum()))
    noise = torch.from_numpy(rng.standard_normal(mean.shape[-1]).astype(np.float32))
    drawn: Tensor = mean[0, component] + noise * log_std[0, component].exp() * temperature**0.5
    return drawn


@contextmanager
def _deterministic() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(n_threads)
