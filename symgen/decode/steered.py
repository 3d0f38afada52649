"""Lines drawn from a causal model under rules: particles that the chain's lattice steers.

A causal model says what comes next given everything so far, and nothing about what may come of it. The lattice of the
rules knows that: with a chain for the model it sums over all that may follow. So each particle takes its next symbol by
the causal model times the lattice's *twist*: how likely the chain holds it that the rules are kept from there on. What
the chain misjudges is made up by weights, and from time to time the particles are drawn anew by them. No particle
ever breaks a law, none runs into a dead end, and with many particles the law is the causal model's own given the rules.

References
----------
Guarniero, Johansen and Lee, "The iterated auxiliary particle filter", Journal of the American Statistical Association
112, 2017; Whiteley and Lee, "Twisted particle filters", Annals of Statistics 42, 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, N_SPECIAL, REST
from symgen.decode.infer import log_backward_batch
from symgen.decode.lattice import Lattice

__all__ = ["CausalModel", "Steered", "draw_steered"]

_Array = NDArray[np.float64]
_Ints = NDArray[np.int64]
_FEW = 0.5
"""The share of the particles that must count before they are drawn anew."""
_ONSET = 2


class CausalModel(Protocol):
    """A model of lines that grow by a symbol at a time, many side by side."""

    def kinds(self) -> _Array:
        """Return log-probabilities of rest, hold and onset at the next open step, shape (lines, 3)."""

    def pitches(self, lines: _Ints) -> _Array:
        """Return log-probabilities of pitches, if a note starts there, for some lines, shape (lines, n_pitches)."""

    def take(self, symbols: _Ints) -> None:
        """Go on to the open step after it, with what came there, shape (lines,)."""

    def keep(self, lines: _Ints) -> None:
        """Go on with these lines in place of all, shape (lines,); a line may come several times."""


@dataclass(frozen=True, slots=True)
class Steered:
    """A line drawn by steered particles.

    Parameters
    ----------
    line
        Symbols, shape (n_steps,).
    log_probability
        Of the line in the causal model's law given the rules, in nats: what the model gives it less what preferences
        charge for it, over the same of all lines as the particles estimate it.
    log_kept
        Estimate of the log-probability that a line of the causal model keeps the rules: what they cost. Each line
        counts for as much as preferences leave of it.
    effective_share
        Effective sample size over the number of particles, 0 to 1: the mean over the open steps.
    """

    line: _Ints
    log_probability: float
    log_kept: float
    effective_share: float


def draw_steered(
    lattices: Sequence[Lattice],
    free: Sequence[Lattice],
    closed: NDArray[np.bool_],
    model: CausalModel,
    rng: np.random.Generator,
    n: int,
) -> list[Steered]:
    """Draw a line from the causal model's law given the rules, for each of several requests side by side.

    Parameters
    ----------
    lattices
        Of the rules, with a chain for the model; of one automaton and the same kinds, each with a line.
    free
        Of the same chains without rules, over all pitches; likewise.
    closed
        The steps at which what is there goes on, shape (n_steps,).
    model
        Of ``len(lattices) * n`` lines: n for each request, one request after the other.
    rng
        Source of chance.
    n
        Particles for each request.

    Notes
    -----
    What happens at a step is drawn before the pitch, with the chain's pitches for the causal ones; the difference goes
    into the weight, so that pitches are asked for only where a note starts.
    """
    particles = _Particles.start(lattices, free, n)
    shares = []
    for step in range(lattices[0].n_steps):
        if closed[step]:
            particles.go_on(step)
            continue
        symbols = particles.extended(step, model, rng)
        model.take(symbols)
        shares.append(particles.effective_share)
        chosen = particles.survivors(rng)
        if chosen is not None:
            particles.keep(chosen)
            model.keep(chosen)
    return particles.finished(rng, float(np.mean(shares)) if shares else 1.0)


@dataclass(slots=True)
class _Side:
    """Lattices of several requests as arrays, and which of them each particle is in.

    Parameters
    ----------
    lattices
        Of one automaton.
    request
        Of each particle.
    log_symbol, arriving, final
        Stacked over the requests; ``arriving[r, t, s]`` is the weight of being in s after step t and of all that may
        follow, with an entry for no state at the end.
    """

    lattices: Sequence[Lattice]
    request: _Ints
    log_symbol: _Array
    arriving: _Array
    ahead: _Array

    @classmethod
    def of(cls, lattices: Sequence[Lattice], n: int) -> _Side:
        ahead = log_backward_batch(lattices)
        arriving = ahead[:, 1:] + np.stack([lattice.log_state for lattice in lattices])
        dead = np.full((*arriving.shape[:2], 1), -np.inf)
        request = np.repeat(np.arange(len(lattices)), n)
        return cls(
            lattices,
            request,
            np.stack([lattice.log_symbol for lattice in lattices]),
            np.concatenate([arriving, dead], axis=2),
            ahead,
        )

    def move(self, step: int, state: _Ints, symbol: _Ints) -> tuple[_Array, _Ints]:
        """Return the weight of one symbol of each particle and all after it, and where it leads."""
        automaton, kind = self.lattices[0].automaton, self.lattices[0].kind[step]
        target = automaton.next_state[kind, state, symbol].astype(np.int64)
        weight = automaton.log_weight[kind, state, symbol] + self.log_symbol[self.request, step, symbol]
        return weight + self.arriving[self.request, step, target], target

    def moves(self, step: int, state: _Ints) -> tuple[_Array, _Ints]:
        """Return the weight of each symbol and all after it, and where it leads; shape (particles, symbols)."""
        automaton, kind = self.lattices[0].automaton, self.lattices[0].kind[step]
        target = automaton.next_state[kind, state].astype(np.int64)
        move = automaton.log_weight[kind, state] + self.log_symbol[self.request, step]
        return move + self.arriving[self.request[:, None], step, target], target


@dataclass(slots=True)
class _Particles:
    rules: _Side
    free: _Side
    alone: _Ints  # state of the free lattices for each state of the others
    n: int
    state: _Ints
    lines: _Ints
    log_weight: _Array
    log_line: _Array  # of each line so far: what the model gives and the rules leave, and the twist ahead of it
    log_kept: _Array

    @classmethod
    def start(cls, lattices: Sequence[Lattice], free: Sequence[Lattice], n: int) -> _Particles:
        n_all, label = len(lattices) * n, lattices[0].automaton.label
        n_pitches = (free[0].automaton.n_states - 1) // 2
        alone = np.where(label[:, 0] < 0, 0, 1 + label[:, 0] + np.where(label[:, 1] == 1, 0, n_pitches))
        rules, unruled = _Side.of(lattices, n), _Side.of(free, n)
        assert not np.isneginf(rules.ahead[:, 0, 0]).any()
        twist = rules.ahead[rules.request, 0, 0] - unruled.ahead[rules.request, 0, 0]
        return cls(
            rules,
            unruled,
            alone.astype(np.int64),
            n,
            np.zeros(n_all, dtype=np.int64),
            np.zeros((n_all, lattices[0].n_steps), dtype=np.int64),
            twist,
            twist.copy(),
            np.zeros(len(lattices)),
        )

    def twisted(self, step: int) -> tuple[_Array, _Array, _Ints]:
        """Return how the twist changes with each symbol, the chain's free weights, and where symbols lead."""
        ruled, target = self.rules.moves(step, self.state)
        unruled, _ = self.free.moves(step, self.alone[self.state])
        possible = ~np.isneginf(ruled)
        change = np.where(possible, ruled - np.where(possible, unruled, 0.0), -np.inf) - self._twist(step)[:, None]
        return change, unruled, target

    def _twist(self, step: int) -> _Array:
        """Return how likely the chain holds it that each particle keeps the rules from a step on."""
        alone, request = self.alone[self.state], self.rules.request
        twist: _Array = self.rules.ahead[request, step, self.state] - self.free.ahead[request, step, alone]
        return twist

    def go_on(self, step: int) -> None:
        """Take the one symbol that a closed step leaves."""
        symbol = np.where(self.rules.lattices[0].automaton.label[self.state, 1] == 1, HOLD, REST)
        ruled, target = self.rules.move(step, self.state, symbol)
        unruled, _ = self.free.move(step, self.alone[self.state], symbol)
        change = ruled - unruled - self._twist(step)
        self.log_weight += change
        self.log_line += change
        self.lines[:, step], self.state = symbol, target

    def extended(self, step: int, model: CausalModel, rng: np.random.Generator) -> _Ints:
        """Draw the next symbol of every particle, and weigh it."""
        change, unruled, target = self.twisted(step)
        every = np.arange(len(self.state))
        log_kind = model.kinds()
        onset = _log_sum(unruled[:, N_SPECIAL:] + change[:, N_SPECIAL:]) - _log_sum(unruled[:, N_SPECIAL:])
        hope = np.concatenate([change[:, :N_SPECIAL], onset[:, None]], axis=1)  # of rest, hold and onset
        log_share = log_kind + hope
        kind, log_total = _chosen(log_share, rng)
        weight, symbol = log_total.copy(), kind.copy()
        log_model = log_kind[every, kind]
        starts = np.flatnonzero(kind == _ONSET)
        if len(starts):
            log_pitch = model.pitches(starts)
            pitch, log_sum = _chosen(log_pitch + change[starts, N_SPECIAL:], rng)
            symbol[starts] = N_SPECIAL + pitch
            weight[starts] += log_sum - onset[starts]
            log_model[starts] += log_pitch[np.arange(len(starts)), pitch]
        self.log_line += log_model + change[every, symbol]
        self.lines[:, step], self.state = symbol, target[every, symbol]
        self.log_weight += weight
        return symbol

    @property
    def _shares(self) -> _Array:
        """Return the share of each particle in its request, shape (requests, n)."""
        by_request = self.log_weight.reshape(-1, self.n)
        shares: _Array = np.exp(by_request - by_request.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return shares

    @property
    def effective_share(self) -> float:
        """The mean over the requests of effective sample size over particles."""
        return float(np.mean(1 / np.square(self._shares).sum(axis=1))) / self.n

    def survivors(self, rng: np.random.Generator) -> _Ints | None:
        """Return which particles go on, evenly spaced in their weights, where few count in some request."""
        shares = self._shares
        few = 1 / np.square(shares).sum(axis=1) < _FEW * self.n
        if not few.any():
            return None
        marks = (np.arange(self.n) + rng.random((len(shares), 1))) / self.n
        chosen = np.arange(shares.size).reshape(shares.shape)
        for request in np.flatnonzero(few).tolist():
            heights = np.cumsum(shares[request])
            found = np.searchsorted(heights / heights[-1], marks[request], side="right").clip(max=self.n - 1)
            chosen[request] = request * self.n + _in_place(found)
            self.log_kept[request] += self._log_mean(request)
            self.log_weight[request * self.n : (request + 1) * self.n] = 0.0
        return chosen.reshape(-1)

    def _log_mean(self, request: int) -> float:
        own = self.log_weight[request * self.n : (request + 1) * self.n]
        return float(np.logaddexp.reduce(own)) - float(np.log(self.n))

    def keep(self, chosen: _Ints) -> None:
        """Go on with some particles; weights are as :meth:`survivors` left them."""
        self.state, self.lines, self.log_line = self.state[chosen], self.lines[chosen], self.log_line[chosen]

    def finished(self, rng: np.random.Generator, effective_share: float) -> list[Steered]:
        """Return one particle of each request, drawn by its weight."""
        shares, made = self._shares, []
        for request, own in enumerate(shares):
            one = request * self.n + int(rng.choice(self.n, p=own))
            log_kept = self.log_kept[request] + self._log_mean(request)
            log_line = self.log_line[one]
            made.append(Steered(self.lines[one], float(log_line - log_kept), float(log_kept), effective_share))
        return made


def _in_place(chosen: _Ints) -> _Ints:
    """Return the same numbers in an order in which each that is there stands in its own place, if it may."""
    placed = np.full(len(chosen), -1)
    stay = np.unique(chosen)
    placed[stay] = stay
    count = np.bincount(chosen, minlength=len(chosen))
    count[stay] -= 1
    placed[placed < 0] = np.repeat(np.arange(len(chosen)), count)
    return placed


def _log_sum(rows: _Array) -> _Array:
    """Return the log of the sums of rows; ``-inf`` where nothing is left."""
    peak = rows.max(axis=1)
    safe = np.where(np.isneginf(peak), 0.0, peak)
    with np.errstate(divide="ignore"):
        found: _Array = np.log(np.exp(rows - safe[:, None]).sum(axis=1)) + safe
    return found


def _chosen(log_weight: _Array, rng: np.random.Generator) -> tuple[_Ints, _Array]:
    """Draw a column of each row, and return the log of its sum."""
    peak = log_weight.max(axis=1, keepdims=True)
    heights = np.cumsum(np.exp(log_weight - np.where(np.isneginf(peak), 0.0, peak)), axis=1)
    column = (heights <= rng.random((len(heights), 1)) * heights[:, -1:]).sum(axis=1)
    with np.errstate(divide="ignore"):
        return column.clip(max=log_weight.shape[1] - 1), np.log(heights[:, -1]) + peak[:, 0]
