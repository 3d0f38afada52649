"""Several draws of one request at once, and how likely each is.

Takes of one request differ in the weights of their steps (each has latents of its own) and in chance, not in what
is compiled: rules, moves, kinds of step. So a plan is made once, and the sums of all takes are one recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import N_SPECIAL
from symgen.decode.draw import draw_line
from symgen.decode.grids import leaving_rows, silent_rows
from symgen.decode.infer import has_line, lines_at_batch, log_backward_batch, log_weight_of
from symgen.decode.plan import LinePlan, plan_line
from symgen.decode.ties import TiedSums
from symgen.potentials import LineArcs, LinePotentials

__all__ = ["draw_lines", "narrowed", "with_potentials"]

Chance = Callable[[np.random.Generator], NDArray[np.float64]]

_MAX_ENTRIES = 1 << 22
"""Entries of the table of backward sums that are held at once."""


def with_potentials(plan: LinePlan, potentials: LinePotentials) -> LinePlan:
    """Return the plan of the same request with other weights of its steps.

    Parameters
    ----------
    plan
        Of the request.
    potentials
        Of the same alphabet; nothing new is compiled where their moves are those of the plan, and the same symbols
        are impossible.
    """
    old, lattice = plan.potentials, plan.lattice
    shut = np.isneginf(potentials.step)
    alike = (_same_arcs(old.arcs, potentials.arcs), np.array_equal(shut, np.isneginf(old.step)))
    if not all(alike) or not np.array_equal(_closed(old), _closed(potentials)):
        return plan_line(potentials, plan.moments, plan.rules)
    log_symbol = lattice.log_symbol + np.where(shut, 0.0, potentials.step) - np.where(shut, 0.0, old.step)
    log_state = lattice.log_state
    if old.leave is not None or potentials.leave is not None:
        more = _leave(potentials) - _leave(old)
        log_symbol[:, N_SPECIAL:] += more[:, :-1]
        log_state = log_state + leaving_rows(lattice.automaton, more)
    if old.silent is not None or potentials.silent is not None:
        log_state = log_state + silent_rows(lattice.automaton, _silent(potentials) - _silent(old))
    lattice = lattice.reweighed(log_symbol, log_state)
    sums = None if plan.sums is None else TiedSums.of(lattice, plan.ties)
    return replace(plan, potentials=potentials, lattice=lattice, sums=sums)


def _leave(potentials: LinePotentials) -> NDArray[np.float64]:
    shape = (potentials.n_steps, potentials.alphabet.n_pitches + 1)
    return np.zeros(shape) if potentials.leave is None else potentials.leave


def _silent(potentials: LinePotentials) -> NDArray[np.float64]:
    return np.zeros(potentials.n_steps) if potentials.silent is None else potentials.silent


def _closed(potentials: LinePotentials) -> NDArray[np.bool_]:
    return np.zeros(potentials.n_steps, dtype=np.bool_) if potentials.closed is None else potentials.closed


def narrowed(plan: LinePlan, is_open: NDArray[np.bool_], bonus: NDArray[np.float64] | None = None) -> LinePlan:
    """Return a plan in which only some symbols may come at each step, and some weigh more.

    Parameters
    ----------
    plan
        Of the request.
    is_open
        ``is_open[t, a]``: whether symbol a may come at step t; shape (n_steps, n_symbols).
    bonus
        Nats, of the same shape.
    """
    more = np.zeros(1) if bonus is None else bonus
    step = np.where(is_open, plan.potentials.step + more, -np.inf)
    lattice = plan.lattice.reweighed(np.where(is_open, plan.lattice.log_symbol + more, -np.inf))
    sums = TiedSums.of(lattice, plan.ties) if plan.ties and has_line(lattice) else None
    return replace(plan, potentials=replace(plan.potentials, step=step), lattice=lattice, sums=sums)


def draw_lines(
    plans: Sequence[LinePlan], rng: np.random.Generator, chance: Chance | None = None
) -> list[tuple[NDArray[np.int64], float]]:
    """Draw a line from each of several plans of one request, each with its log-probability in nats.

    Parameters
    ----------
    plans
        As :func:`with_potentials` gives them.
    rng
        Source of chance.
    chance
        Returns a number for each step of one draw, as for :func:`symgen.decode.draw.draw_line`.

    Raises
    ------
    InfeasibleError
        If a plan leaves no line.

    Notes
    -----
    The probability is that of the line under the lattice and its ties. Where lines are also accepted by rules that no
    lattice can hold, it lacks the price of those and the share of the lines that they accept.
    """
    drawn: list[tuple[NDArray[np.int64], float]] = []
    entries = (plans[0].lattice.n_steps + 1) * plans[0].lattice.automaton.n_states
    size = max(1, _MAX_ENTRIES // entries)
    for start in range(0, len(plans), size):
        some = plans[start : start + size]
        together = _may_go_together(some)
        drawn += _together(some, rng, chance) if together else [_alone(plan, rng, chance) for plan in some]
    return drawn


def _may_go_together(plans: Sequence[LinePlan]) -> bool:
    first = plans[0].lattice.automaton
    return all(plan.lattice.automaton is first and not plan.judged and not plan.ties for plan in plans)


def _together(
    plans: Sequence[LinePlan], rng: np.random.Generator, chance: Chance | None
) -> list[tuple[NDArray[np.int64], float]]:
    lattices = [plan.lattice for plan in plans]
    tables = log_backward_batch(lattices)
    for plan, table in zip(plans, tables, strict=True):
        laws = (rule for rule in plan.rules if rule.is_law)
        if np.isneginf(table[0, 0]) or not all(law.has_place(plan.moments) for law in laws):
            draw_line(plan, rng)  # raises the reason
    own = chance or (lambda source: source.random(lattices[0].n_steps))
    uniform = np.stack([own(rng) for _ in plans])
    lines = lines_at_batch(lattices, tables, uniform[:, :, None])[:, 0]
    totals = tables[:, 0, 0].tolist()
    return [(line, log_weight_of(lattice, line) - z) for lattice, line, z in zip(lattices, lines, totals, strict=True)]


def _alone(plan: LinePlan, rng: np.random.Generator, chance: Chance | None) -> tuple[NDArray[np.int64], float]:
    line = draw_line(plan, rng, chance)
    return line, log_weight_of(plan.lattice, line) - plan.log_total


def _same_arcs(one: LineArcs, other: LineArcs) -> bool:
    numbers = ("rest_to_onset", "note_to_rest", "rest_to_rest")
    return (
        np.array_equal(one.onset, other.onset)
        and np.array_equal(one.first, other.first)
        and all(getattr(one, name) == getattr(other, name) for name in numbers)
    )
