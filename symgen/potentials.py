"""Log potentials of a line: what a model prefers, before any law.

A model gives every step a row of log weights over the symbols of a line, and, where it has learned
them, weights for moving from the last pitch to the next. Only differences matter; nothing is
normalised. ``-inf`` is exact zero.

With ``x[t]`` the symbol of step ``t`` and ``p`` the pitch of the last onset before ``t``, a line has log weight
``sum_t step[t, x[t]] + arc(p, sounding, x[t])``, where ``arc`` is

==================  =======================================
move                weight
==================  =======================================
first onset of q    ``first[q]``
onset of q after p  ``onset[p, q]``, plus ``rest_to_onset`` if p rang no more
note to rest        ``note_to_rest``
rest to rest        ``rest_to_rest``
hold                0
==================  =======================================

Rests before the first note are moves from rest to rest.

Three more things a model may say. ``leave[t, p]`` is added to an onset at step ``t`` that comes after the pitch ``p``,
whatever it is: with it a model's pitches can be normalised given the one before. And steps may be *closed*: nothing
starts or ends there, and what goes on there weighs its step alone (where silence cannot go on, it cannot there either).
``silent[t]`` is added to a step before which nothing sounds: with it a step can be normalised there too, where it
cannot be a hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import LineAlphabet
from symgen.errors import RequestError

__all__ = ["LineArcs", "LinePotentials"]

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LineArcs:
    """Log weights of the moves of a line; pitches are counted from the alphabet's lowest.

    Parameters
    ----------
    onset
        ``onset[p, q]``: from pitch p to an onset of q; shape (n_pitches, n_pitches).
    first
        ``first[q]``: the first onset of the line; shape (n_pitches,).
    rest_to_onset, note_to_rest, rest_to_rest
        See the module's table.
    """

    onset: _Array
    first: _Array
    rest_to_onset: float = 0.0
    note_to_rest: float = 0.0
    rest_to_rest: float = 0.0

    @classmethod
    def flat(cls, n_pitches: int) -> LineArcs:
        """Return arcs that prefer nothing."""
        return cls(np.zeros((n_pitches, n_pitches)), np.zeros(n_pitches))


@dataclass(frozen=True, slots=True)
class LinePotentials:
    """Log potentials of a line.

    Parameters
    ----------
    alphabet
        What the columns of ``step`` stand for.
    step
        ``step[t, a]``: log weight of symbol a at step t; shape (n_steps, n_symbols), float64.
    arcs
        Weights of the moves.
    leave
        ``leave[t, p]``: log weight of any onset at step t after pitch p, in the last column of the first one; finite;
        shape (n_steps, n_pitches + 1). None stands for zeros.
    closed
        Whether each step is closed, shape (n_steps,). None stands for nowhere.
    silent
        ``silent[t]``: log weight of step t if nothing sounds before it, finite; shape (n_steps,). None stands for
        zeros.
    """

    alphabet: LineAlphabet
    step: _Array
    arcs: LineArcs
    leave: _Array | None = None
    closed: NDArray[np.bool_] | None = None
    silent: _Array | None = None

    def __post_init__(self) -> None:
        assert self.step.shape[1] == self.alphabet.n_symbols
        assert self.arcs.onset.shape == (self.alphabet.n_pitches, self.alphabet.n_pitches)
        assert self.leave is None or self.leave.shape == (self.n_steps, self.alphabet.n_pitches + 1)
        assert self.leave is None or np.isfinite(self.leave).all()
        assert self.closed is None or self.closed.shape == (self.n_steps,)
        assert self.silent is None or (self.silent.shape == (self.n_steps,) and np.isfinite(self.silent).all())

    @property
    def n_steps(self) -> int:
        """How many steps the line has."""
        return len(self.step)

    def part(self, steps: slice) -> LinePotentials:
        """Return those of some steps."""
        return replace(
            self,
            step=self.step[steps],
            leave=None if self.leave is None else self.leave[steps],
            closed=None if self.closed is None else self.closed[steps],
            silent=None if self.silent is None else self.silent[steps],
        )

    def at_temperature(self, temperature: float) -> LinePotentials:
        """Return the potentials of the law raised to the power ``1 / temperature``.

        Parameters
        ----------
        temperature
            Above 0: 1 is the model's own law, less is more cautious, more is more adventurous.

        Raises
        ------
        RequestError
            If it is not a number above 0.
        """
        if not temperature > 0 or not np.isfinite(temperature):
            msg = f"temperature {temperature}: expected a number above 0, such as 1"
            raise RequestError(msg)
        arcs = self.arcs
        cooled = LineArcs(
            arcs.onset / temperature,
            arcs.first / temperature,
            arcs.rest_to_onset / temperature,
            arcs.note_to_rest / temperature,
            arcs.rest_to_rest / temperature,
        )
        leave = None if self.leave is None else self.leave / temperature
        silent = None if self.silent is None else self.silent / temperature
        return replace(self, step=self.step / temperature, arcs=cooled, leave=leave, silent=silent)
