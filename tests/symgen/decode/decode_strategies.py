"""Random automata, lattices and potentials, small enough to enumerate."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from symgen.alphabet import LineAlphabet
from symgen.decode.automaton import DEAD, Automaton
from symgen.decode.lattice import Lattice
from symgen.potentials import LineArcs, LinePotentials

SEEDS = st.integers(0, 2**32 - 1)


def weights(
    rng: np.random.Generator, shape: tuple[int, ...], *, scale: float, p_zero: float, coarse: bool = False
) -> NDArray[np.float64]:
    """Draw log weights, some of them ``-inf``; coarse ones are whole numbers, so that sums are exact and tie."""
    drawn = rng.integers(-2, 3, shape).astype(np.float64) if coarse else rng.standard_normal(shape)
    drawn *= scale
    drawn[rng.random(shape) < p_zero] = -np.inf
    return drawn


def automaton_of(next_state: ArrayLike, log_weight: ArrayLike, log_final: ArrayLike) -> Automaton:
    """Return an automaton whose states are labelled with their numbers."""
    final = np.asarray(log_final, dtype=np.float64)
    label = np.arange(len(final), dtype=np.int32)[:, None]
    return Automaton(np.asarray(next_state, dtype=np.int32), np.asarray(log_weight, dtype=np.float64), final, label)


def random_automaton(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    *,
    scale: float = 1.0,
    p_dead: float = 0.3,
    coarse: bool = False,
) -> Automaton:
    """Draw an automaton of so many kinds, states and symbols."""
    log_weight = weights(rng, shape, scale=scale, p_zero=p_dead, coarse=coarse)
    next_state = np.where(np.isneginf(log_weight), DEAD, rng.integers(0, shape[1], shape))
    log_final = weights(rng, (shape[1],), scale=scale, p_zero=p_dead, coarse=coarse)
    return automaton_of(next_state, log_weight, log_final)


def random_lattice(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    n_steps: int,
    *,
    scale: float = 1.0,
    p_dead: float = 0.3,
    p_zero: float = 0.15,
    coarse: bool = False,
) -> Lattice:
    """Draw a lattice in which everything varies with time."""
    n_kinds, n_states, n_symbols = shape
    automaton = random_automaton(rng, shape, scale=scale, p_dead=p_dead, coarse=coarse)
    return Lattice.build(
        automaton,
        weights(rng, (n_steps, n_symbols), scale=scale, p_zero=p_zero, coarse=coarse),
        kind=rng.integers(0, n_kinds, n_steps),
        log_state=weights(rng, (n_steps, n_states), scale=scale, p_zero=p_zero, coarse=coarse),
        log_final=weights(rng, (n_states,), scale=scale, p_zero=p_zero, coarse=coarse),
    )


@st.composite
def automata(draw: st.DrawFn, *, n_symbols: int = 2) -> Automaton:
    shape = draw(st.integers(1, 3)), draw(st.integers(1, 4)), n_symbols
    return random_automaton(np.random.default_rng(draw(SEEDS)), shape, p_dead=draw(st.sampled_from([0.0, 0.3, 0.6])))


@st.composite
def lattices(draw: st.DrawFn, *, scale: float = 1.0, coarse: bool = False) -> Lattice:
    shape = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    n_steps = draw(st.integers(1, 4))
    p_dead, p_zero = draw(st.sampled_from([0.0, 0.2, 0.5])), draw(st.sampled_from([0.0, 0.2]))
    rng = np.random.default_rng(draw(SEEDS))
    return random_lattice(rng, shape, n_steps, scale=scale, p_dead=p_dead, p_zero=p_zero, coarse=coarse)


@st.composite
def potentials(
    draw: st.DrawFn, *, pitches: tuple[int, int] = (1, 3), steps: tuple[int, int] = (1, 4), p_zero: float = 0.1
) -> LinePotentials:
    """Draw potentials over a few pitches from about middle C up."""
    n, n_steps = draw(st.integers(*pitches)), draw(st.integers(*steps))
    low = draw(st.integers(57, 62))
    rng = np.random.default_rng(draw(SEEDS))
    scalars = weights(rng, (3,), scale=1.0, p_zero=p_zero).tolist()
    arcs = LineArcs(
        weights(rng, (n, n), scale=1.0, p_zero=p_zero), weights(rng, (n,), scale=1.0, p_zero=p_zero), *scalars
    )
    return LinePotentials(
        LineAlphabet(low, low + n - 1),
        weights(rng, (n_steps, n + 2), scale=1.0, p_zero=p_zero),
        arcs,
        leave=rng.normal(size=(n_steps, n + 1)) if draw(st.booleans()) else None,
        closed=rng.random(n_steps) < 0.4 if draw(st.booleans()) else None,
    )


def flat(low: int, high: int, n_steps: int) -> LinePotentials:
    """Return potentials that prefer nothing."""
    alphabet = LineAlphabet(low, high)
    return LinePotentials(alphabet, np.zeros((n_steps, alphabet.n_symbols)), LineArcs.flat(alphabet.n_pitches))
