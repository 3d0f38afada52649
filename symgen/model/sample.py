"""What a trained line VAE offers the rest of the project: arrays in, arrays out, chance passed in.

Everything runs on one thread: the sizes are small, and sums must not depend on how many cores there
are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symgen.alphabet import N_SPECIAL, LineAlphabet
from symgen.model.attributes import preferred
from symgen.model.harmony import UNKNOWN, chord_labels
from symgen.model.inference import on_one_thread
from symgen.model.prior import FactorMixture
from symgen.model.rhythm import ONSET
from symgen.model.vae import LineVae, summary
from symgen.model.window import Window
from symgen.potentials import LineArcs, LinePotentials

_CANDIDATES = 16
"""Latents drawn for each bar where sliders choose among them."""

__all__ = ["encode_line", "line_potentials", "refill_latents", "sample_latents"]


def encode_line(model: LineVae, line: NDArray[np.int64], features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the posterior mean of each bar's latents, shape (bars, latents).

    Parameters
    ----------
    model
        Trained.
    line
        Symbols, shape (bars, bar_steps); a note held into it counts as silence until the first onset.
    features
        Conditions, shape (bars, bar_steps, N_FEATURES).
    """
    slots = model.config.grid.slots(line.shape[1])
    symbols = _without_leading_holds(line[:, slots])
    with on_one_thread():
        mean, _ = model.encode(Window.of(torch.from_numpy(symbols)[None]), _rows(model, features))
    latents: NDArray[np.float32] = mean[0].numpy()
    return latents


def _without_leading_holds(line: NDArray[np.int64]) -> NDArray[np.int64]:
    flat = line.reshape(-1).copy()
    onsets = np.flatnonzero(flat >= N_SPECIAL)
    flat[: onsets[0] if len(onsets) else len(flat)] = 0
    return flat.reshape(line.shape)


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
        Shape (bars, latents); those of fresh bars do not matter.
    features
        Conditions, shape (bars, bar_steps, N_FEATURES).
    fresh
        Bars to draw, counted from 0, ascending.
    rng, temperature
        As for :func:`sample_latents`.
    """
    filled, rows = torch.from_numpy(latents.copy())[None], _rows(model, features)
    kept = [bar for bar in range(len(latents)) if bar not in set(fresh)]
    with on_one_thread():
        form = model.encode_form(filled[:, kept])[0] if kept else _form(model, rng)
        _fill(model, filled, rows, form, fresh, rng, temperature, _known_harmony(model, rows))
    drawn: NDArray[np.float32] = filled[0].numpy()
    return drawn


def sample_latents(
    model: LineVae,
    features: NDArray[np.float32],
    rng: np.random.Generator,
    *,
    sources: Sequence[int] | None = None,
    temperature: float = 1.0,
    sliders: Mapping[str, float] | None = None,
) -> NDArray[np.float32]:
    """Draw the latents of each bar from the learned prior, one bar after the other.

    Parameters
    ----------
    model
        Trained.
    features
        Conditions, shape (bars, bar_steps, N_FEATURES).
    rng
        Source of chance.
    sources
        For each bar the bar whose latents it has, itself where it has some of its own; all their own if left out.
        A new bar is drawn given what stands before it, repeats included.
    temperature
        Above 0: mixture weights are raised to the power ``1 / temperature`` and standard deviations
        multiplied by its square root.
    sliders
        More or less of the attributes of :data:`symgen.model.attributes.ATTRIBUTES`, -1 to 1: of several latents drawn
        for a bar one is chosen, those with more of what is wanted rather than others.

    Returns
    -------
    ndarray of shape (bars, latents)

    Notes
    -----
    The latent of the harmony of a bar whose chords are known is the one they are encoded as.
    """
    latents = torch.zeros(1, len(features), sum(model.sizes))
    rows, sources = _rows(model, features), range(len(features)) if sources is None else sources
    with on_one_thread():
        form, known = _form(model, rng), _known_harmony(model, rows)
        for bar, source in enumerate(sources):
            if source != bar:
                latents[0, bar] = latents[0, source]
            else:
                _fill(model, latents, rows, form, [bar], rng, temperature, known, sliders)
    drawn: NDArray[np.float32] = latents[0].numpy()
    return drawn


def line_potentials(
    model: LineVae, latents: NDArray[np.float32], features: NDArray[np.float32], *, shift: int
) -> LinePotentials:
    """Return what the model's chain prefers at every step, given its latents.

    Parameters
    ----------
    model
        Trained.
    latents
        Shape (bars, latents).
    features
        Conditions, shape (bars, bar_steps, N_FEATURES).
    shift
        Semitones that brought the key's tonic to C; the potentials speak of real pitches again.

    Notes
    -----
    Steps that are no slots are closed. Each pitch is normalised given the one before it by what its leaving weighs, so
    that the lattice has the law ``p(rhythm) p(pitches | rhythm)`` up to the constant of the rhythm.
    """
    bars, bar_steps = features.shape[:2]
    slots = model.config.grid.slots(bar_steps)
    rows = _rows(model, features)
    with on_one_thread():
        kinds, pitches = _chain_weights(model, torch.from_numpy(latents)[None], rows)
        moves = torch.cat([model.moves(), model.first[None]])
        leave = -torch.logsumexp(pitches[:, None, :] + moves, dim=-1)
        first = moves[-1] + model.rhythm_chain.rest_to_onset
    chain, n_pitches = model.rhythm_chain, pitches.shape[-1]
    open_steps = (bar_steps * np.arange(bars)[:, None] + slots).reshape(-1)
    step = np.zeros((bars * bar_steps, N_SPECIAL + n_pitches))
    step[open_steps, :N_SPECIAL] = kinds[:, :N_SPECIAL].numpy()
    step[open_steps, N_SPECIAL:] = (kinds[:, ONSET:] + pitches).numpy()
    following = np.searchsorted(open_steps, np.arange(len(step))).clip(max=len(open_steps) - 1)
    arcs = LineArcs(
        moves[:-1].numpy().astype(np.float64),
        first.numpy().astype(np.float64),
        chain.rest_to_onset.item(),
        chain.note_to_rest.item(),
        chain.rest_to_rest.item(),
    )
    return LinePotentials(
        LineAlphabet(model.config.low - shift, model.config.high - shift),
        step,
        arcs,
        leave=leave.numpy().astype(np.float64)[following],
        closed=~np.isin(np.arange(len(step)), open_steps),
    )


def _chain_weights(model: LineVae, latents: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weights of the kinds and of the pitches at each slot, shapes (slots, 3) and (slots, n_pitches)."""
    _, rhythm, pitch = model.parts(latents)
    hidden = model.rhythm_hidden(rhythm, rows)
    n_bars, bar_slots = rows.shape[1:3]
    bar = torch.arange(n_bars).repeat_interleave(bar_slots)[None]
    heard = model.pitch_hidden_at(pitch, bar, rows.flatten(1, 2), model.expected_index(hidden))
    return model.kind_weights(hidden).flatten(1, 2)[0], model.pitch_weights(model.pitch_norm(heard))[0]


def _rows(model: LineVae, features: NDArray[np.float32]) -> Tensor:
    """Return the conditions at the slots, shape (1, bars, bar_slots, N_FEATURES)."""
    return torch.from_numpy(features[:, model.config.grid.slots(features.shape[1])])[None]


def _form(model: LineVae, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal((1, model.config.form_latent)).astype(np.float32))


def _fill(
    model: LineVae,
    latents: Tensor,
    rows: Tensor,
    form: Tensor,
    bars: Sequence[int],
    rng: np.random.Generator,
    temperature: float,
    known: Tensor | None,
    sliders: Mapping[str, float] | None = None,
) -> None:
    """Write the latents of some bars, each drawn given those before it; those of known harmony as they are."""
    n = _CANDIDATES if sliders else 1
    for bar in bars:
        first = max(0, bar + 1 - model.prior.max_bars)
        window = latents[:, first : bar + 1].repeat(n, 1, 1)
        context = model.prior.context(window[:1], summary(rows[:, first : bar + 1]), form).expand(n, -1, -1)
        for factor, part in enumerate(torch.split(window, list(model.sizes), dim=-1)):
            if factor == 0 and known is not None:
                part[:, -1] = known[bar]
            else:
                part[:, -1] = _draw(model.prior.mixture(factor, context, window), rng, temperature)
        one = 0
        if sliders:
            weight = np.asarray(preferred(model, window[:, -1], rows[0, bar], sliders).softmax(dim=0))
            one = int(rng.choice(n, p=weight))
        latents[0, bar] = window[one, -1]


def _known_harmony(model: LineVae, rows: Tensor) -> Tensor | None:
    """Return the latents of the harmony of known chords, shape (bars, size); none where one is unknown."""
    if (chord_labels(rows) == UNKNOWN).any():
        return None
    mean, _ = model.encode_harmony(rows)
    return mean[0]


def _draw(mixture: FactorMixture, rng: np.random.Generator, temperature: float) -> Tensor:
    """Draw from the mixtures of the last bar, shape (candidates, size)."""
    weight = np.asarray((mixture.log_weight[:, -1] / temperature).softmax(dim=-1).double())
    component = [int(rng.choice(len(row), p=row / row.sum())) for row in weight]
    every = torch.arange(len(weight))
    mean, log_std = mixture.mean[every, -1, component], mixture.log_std[every, -1, component]
    noise = torch.from_numpy(rng.standard_normal(mean.shape).astype(np.float32))
    drawn: Tensor = mean + noise * log_std.exp() * temperature**0.5
    return drawn
