"""Lines drawn by many particles: the last resort, where rules remember too much for a lattice.

The lattice holds what it can; each particle remembers what the other rules need of its own past. At every step a
particle weighs its moves by the lattice's look-ahead and by what those rules charge for them, moves, and from time to
time the particles are drawn anew by their weights, so that those that got stuck give way to others. No particle ever
breaks a law. Their law is the exact one only in the limit of many, which is why every other road is tried first.

References
----------
Del Moral, Doucet and Jasra, "Sequential Monte Carlo samplers", Journal of the Royal Statistical Society B 68, 2006.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD
from symgen.decode.infer import log_backward
from symgen.decode.judge import event_of
from symgen.decode.lattice import Lattice
from symgen.decode.tieparts import Tie
from theory.rules import Moment, Rule

__all__ = ["draw_by_particles"]

_Array = NDArray[np.float64]
_Ints = NDArray[np.int64]
_FEW = 0.5
"""The share of the particles that must count before they are drawn anew."""


def draw_by_particles(
    lattice: Lattice,
    low: int,
    moments: Sequence[Moment],
    rules: Sequence[Rule],
    rng: np.random.Generator,
    n: int,
    ties: Sequence[Tie] = (),
) -> _Ints | None:
    """Return a line that keeps the laws of the lattice and those among the rules; none if every particle got stuck.

    Parameters
    ----------
    lattice
        The law of the line under all the other rules; some line must be possible.
    low
        MIDI pitch of the lowest pitch of its alphabet.
    moments
        One for each step.
    rules
        What is judged besides; each must have its place.
    rng
        Source of chance.
    n
        How many particles.
    ties
        Segments whose symbols are those of others, and into which no note is held. The lattice does not look ahead to
        them.

    Returns
    -------
    ndarray of shape (n_steps,)
        Symbols.

    Notes
    -----
    Time grows with the particles times the symbols times the rules.
    """
    ahead = log_backward(lattice)
    judges = [_Judge(rule, low, lattice.automaton.n_symbols) for rule in rules]
    state = np.zeros(n, dtype=np.int64)
    memory = [tuple(rule.start(moments) for rule in rules)] * n
    lines, log_weight = np.zeros((n, lattice.n_steps), dtype=np.int64), np.zeros(n)
    source = {tie.target_start + i: tie.source_start + i for tie in ties for i in range(tie.n_steps)}
    apart = {start for tie in ties for start in (tie.source_start, tie.target_start)}
    for step, moment in enumerate(moments):
        log_move, target = _moves(lattice, ahead, step, state)
        label = lattice.automaton.label[state]
        at_end = step == lattice.n_steps - 1
        answers = [
            [judge.after(part, tuple(seen), moment, at_end=at_end) for judge, part in zip(judges, parts, strict=True)]
            for parts, seen in zip(memory, label.tolist(), strict=True)
        ]
        log_move -= np.array([sum((answer.cost for answer in of_one), np.zeros(1)) for of_one in answers])
        if step in apart:
            log_move[:, HOLD] = -np.inf
        if step in source:
            log_move = _only(log_move, lines[:, source[step]])
        symbol, log_share = _choose(log_move, rng)
        log_weight += log_share
        if np.isneginf(log_weight).all():
            return None
        lines[:, step], state = symbol, target[np.arange(n), symbol].astype(np.int64)
        memory = [tuple(a.memory[s] for a in of_one) for of_one, s in zip(answers, symbol.tolist(), strict=True)]
        chosen = _survivors(log_weight, rng, last=at_end)
        if chosen is not None:
            lines, state, log_weight = lines[chosen], state[chosen], np.zeros(n)
            memory = [memory[i] for i in chosen.tolist()]
    line: _Ints = lines[0]
    return line


def _moves(lattice: Lattice, ahead: _Array, step: int, state: _Ints) -> tuple[_Array, NDArray[np.int32]]:
    """Return the log chance of each symbol from each state under the lattice, and where it leads."""
    kind, automaton = lattice.kind[step], lattice.automaton
    target = automaton.next_state[kind, state]
    onward = np.append(ahead[step + 1] + lattice.log_state[step], -np.inf)  # DEAD, -1, finds the last entry
    log_move = automaton.log_weight[kind, state] + lattice.log_symbol[step] + onward[target]
    return log_move - ahead[step, state, None], target


def _only(log_move: _Array, symbol: _Ints) -> _Array:
    """Close all but one symbol of each row."""
    kept = np.full_like(log_move, -np.inf)
    every = np.arange(len(symbol))
    kept[every, symbol] = log_move[every, symbol]
    return kept


def _choose(log_move: _Array, rng: np.random.Generator) -> tuple[_Ints, _Array]:
    """Draw a symbol from each row, and return what is left of the row's chance; ``-inf`` where nothing is."""
    peak = log_move.max(axis=1, keepdims=True)
    stuck = np.isneginf(peak)
    heights = np.cumsum(np.exp(log_move - np.where(stuck, 0.0, peak)), axis=1)
    symbol = (heights <= rng.random((len(heights), 1)) * heights[:, -1:]).sum(axis=1)
    with np.errstate(divide="ignore"):
        log_share = np.log(heights[:, -1]) + peak[:, 0]
    return np.where(stuck[:, 0], 0, symbol), log_share


def _survivors(log_weight: _Array, rng: np.random.Generator, *, last: bool) -> _Ints | None:
    """Return which go on, evenly spaced in their weights, where some are stuck or few count; one at the end."""
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    if last:
        return rng.choice(len(weight), size=len(weight), p=weight)
    if weight.all() and 1 / np.square(weight).sum() >= _FEW * len(weight):
        return None
    marks = (np.arange(len(weight)) + rng.random()) / len(weight)
    return np.minimum(np.searchsorted(np.cumsum(weight), marks), int(np.flatnonzero(weight)[-1]))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a rule charges for each symbol, and its memory after each."""

    cost: _Array
    memory: list[Hashable]


@dataclass(frozen=True, slots=True)
class _Judge:
    """A rule asked about each symbol that may come next; what it has answered is kept."""

    rule: Rule
    low: int
    n_symbols: int
    _known: dict[Hashable, _Answer] = field(default_factory=dict)

    def after(self, memory: Hashable, label: tuple[int, ...], moment: Moment, *, at_end: bool) -> _Answer:
        """Return the answer for a memory, and a label of the line: its last pitch, and whether that sounds."""
        key = (memory, label[:2], self.rule.sees(moment), at_end)
        if key not in self._known:
            self._known[key] = self._asked(memory, label, moment, at_end=at_end)
        return self._known[key]

    def _asked(self, memory: Hashable, label: tuple[int, ...], moment: Moment, *, at_end: bool) -> _Answer:
        cost, memories = np.zeros(self.n_symbols), []
        last = None if label[0] < 0 else self.low + label[0]
        for symbol in range(self.n_symbols):
            if symbol == HOLD and not label[1]:  # no line does that, and no rule need make sense of it
                memories.append(memory)
                continue
            event = event_of(symbol, last, self.low)
            after, broken = self.rule.after(memory, event, moment)
            if at_end:
                broken += self.rule.at_end(after, event.previous if event.pitch is None else event.pitch, moment)
            memories.append(after)
            cost[symbol] = self.rule.cost * broken if broken else 0.0
        return _Answer(cost, memories)
