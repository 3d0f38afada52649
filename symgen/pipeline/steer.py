"""Melodies from the causal decoder under rules: particles that the chain's lattice steers, where it can.

The lattice must hold all the rules by itself. Where bars are tied, or rules are left to be judged afterwards, the chain
draws alone, and the song's recipe says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symgen.decode.plan import LinePlan, plan_line
from symgen.decode.steered import Steered, draw_steered
from symgen.errors import RequestError
from symgen.pipeline.draws import with_potentials

if TYPE_CHECKING:
    from symgen.model.vae import LineVae
    from symgen.potentials import LinePotentials

__all__ = ["DECODERS", "PARTICLES", "Meant", "can_be_steered", "checked_decoder", "decoder_said", "steered_lines"]

DECODERS = ("causal", "chain")
"""Which of a model's decoders draws the notes; the first is the default."""

PARTICLES = 8
"""Lines that grow side by side for each melody."""

_MAX_ENTRIES = 1 << 23
"""Entries of the tables of backward sums that are held at once."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What a melody is to be, before its notes.

    Parameters
    ----------
    model
        Trained.
    latents
        Shape (bars, latents).
    features
        Conditions, shape (bars, bar_steps, N_FEATURES).
    temperature
        Of the decoder's law.
    before
        Symbols at the slots that are given before the first step that is decoded, shape (slots,).
    """

    model: LineVae
    latents: NDArray[np.float32]
    features: NDArray[np.float32]
    temperature: float = 1.0
    before: NDArray[np.int64] | None = None


def checked_decoder(decoder: str) -> str:
    """Return a decoder's name.

    Raises
    ------
    RequestError
        If it is none.
    """
    if decoder not in DECODERS:
        msg = f"decoder {decoder!r}: expected one of {', '.join(DECODERS)}"
        raise RequestError(msg)
    return decoder


def can_be_steered(plans: Sequence[LinePlan]) -> bool:
    """Whether the lattices of some plans hold all there is to keep, and some line."""
    first = plans[0].lattice.automaton
    return all(p.lattice.automaton is first and not p.judged and not p.ties and p.is_possible for p in plans)


def steered_lines(
    plans: Sequence[LinePlan],
    meant: Sequence[Meant],
    rng: np.random.Generator,
    unruled: Sequence[LinePotentials] | None = None,
) -> list[Steered]:
    """Draw a line from the causal decoder for each of several plans of one request.

    Parameters
    ----------
    plans
        As :func:`symgen.pipeline.draws.with_potentials` gives them.
    meant
        What is behind each; of one model and one temperature.
    rng
        Source of chance.
    unruled
        The potentials of each plan where nothing is given or forbidden; the plan's own if left out.
    """
    from symgen.model.causal import GrowingLines

    chains = [plan.potentials for plan in plans] if unruled is None else unruled
    alone = plan_line(chains[0], plans[0].moments, ())
    free = [alone, *(with_potentials(alone, chain) for chain in chains[1:])]
    entries = plans[0].lattice.n_steps * (plans[0].lattice.automaton.n_states + alone.lattice.automaton.n_states)
    size = max(1, _MAX_ENTRIES // entries)
    drawn: list[Steered] = []
    for start in range(0, len(plans), size):
        some = slice(start, start + size)
        growing = GrowingLines(
            meant[0].model,
            [one.latents for one in meant[some]],
            [one.features for one in meant[some]],
            1,
            temperature=meant[0].temperature,
        )
        if meant[0].before is not None:
            growing.follow(meant[0].before)
        growing.spread(PARTICLES)
        lattices, of_free = [p.lattice for p in plans[some]], [p.lattice for p in free[some]]
        drawn += draw_steered(lattices, of_free, _closed(plans[0]), growing, rng, PARTICLES)
    return drawn


def _closed(plan: LinePlan) -> NDArray[np.bool_]:
    closed = plan.potentials.closed
    return np.zeros(plan.potentials.n_steps, dtype=np.bool_) if closed is None else closed


def decoder_said(steered: Steered | None) -> tuple[tuple[str, str], ...]:
    """Return what the recipe says of how notes were drawn."""
    if steered is None:
        return (("decoder", "chain"),)
    return (
        ("decoder", "causal"),
        ("particles", str(PARTICLES)),
        ("effective share", f"{steered.effective_share:.2f}"),
        ("rules cost", f"{-steered.log_kept:.1f} nats"),
    )
