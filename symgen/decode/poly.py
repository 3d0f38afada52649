"""Sets of pitches that sound together, exactly: one step of a polyphonic roll, or all of its steps at once.

The weight of a set is the sum of its pitches' log weights. Which sets are allowed is decided from the lowest
pitch up, each pitch being out or in, by an automaton that remembers no more than it must: how many there are,
how far the hand is open, which chord tones are still wanted. So pitches take the place of steps, and a
:class:`~symgen.decode.lattice.Lattice` over them answers every question about the sets of one step; the steps of a
roll are a batch.

Axes are (steps, pitches); pitch ``i`` counts from the lowest.

>>> import numpy as np
>>> triads = PitchSets.build(np.zeros((1, 12)), Shape(min_notes=3, max_notes=3, span=7), classes=[{0, 4, 7}], low=60)
>>> triads.counts(), triads.best()[0].nonzero()[1].tolist()
([1], [0, 4, 7])
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD, Automaton
from symgen.decode.infer import count_lines
from symgen.decode.lattice import Lattice
from symgen.decode.linear import Batch
from symgen.errors import InfeasibleError, RequestError

__all__ = ["IN", "OUT", "PitchSets", "Shape"]

_Array = NDArray[np.float64]
_Mask = NDArray[np.bool_]

_MAX_STATES = 10_000
_CHUNK_ENTRIES = 1 << 22
"""Numbers in one table of backward sums; longer rolls are taken in pieces."""

OUT, IN = 0, 1
"""Symbols: a pitch is silent or sounds."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a hand, or two, can do; and how many notes there may be.

    Parameters
    ----------
    min_notes, max_notes
        How many notes; no upper limit if None.
    span
        Largest distance in semitones between the lowest and the highest note of a hand; None for no limit.
    hand_notes
        How many notes a hand may take; None for no limit.
    hands
        1 or 2; of two hands all notes of the one lie below all notes of the other.
    spacing
        Smallest distance in semitones between neighbouring notes, at least 1.

    Raises
    ------
    RequestError
        If a number is out of range.
    """

    min_notes: int = 0
    max_notes: int | None = None
    span: int | None = None
    hand_notes: int | None = None
    hands: int = 1
    spacing: int = 1

    def __post_init__(self) -> None:
        _at_least(self.min_notes, 0, "min_notes")
        _at_least(self.max_notes, self.min_notes, "max_notes")
        _at_least(self.span, 0, "span")
        _at_least(self.hand_notes, 1, "hand_notes")
        _at_least(self.spacing, 1, "spacing")
        if self.hands not in (1, 2):
            msg = f"hands {self.hands}: expected 1 or 2"
            raise RequestError(msg)


def _at_least(value: int | None, least: int, name: str) -> None:
    if value is not None and value < least:
        msg = f"{name} {value}: expected at least {least}"
        raise RequestError(msg)


@dataclass(frozen=True, slots=True)
class PitchSets:
    """The allowed sets of pitches of each step, and what they weigh.

    Parameters
    ----------
    groups
        Steps that want the same pitch classes: their numbers, one lattice over pitches for each, and the classes.
    n_steps, n_pitches
        Sizes.
    low
        MIDI number of the lowest pitch.
    """

    groups: tuple[tuple[NDArray[np.intp], tuple[Lattice, ...], tuple[int, ...]], ...]
    n_steps: int
    n_pitches: int
    low: int

    @classmethod
    def build(
        cls,
        log_in: _Array,
        shape: Shape,
        *,
        low: int,
        permitted: _Mask | None = None,
        required: _Mask | None = None,
        classes: Sequence[Collection[int]] | None = None,
    ) -> PitchSets:
        """Return the sets of a roll.

        Parameters
        ----------
        log_in
            Log weight of each pitch where it sounds, against 0 where it does not; shape (n_steps, n_pitches).
        shape
            What hands can do.
        low
            MIDI number of the first pitch.
        permitted, required
            Which pitches may sound and which must; same shape as ``log_in``.
        classes
            For each step the pitch classes, 0 to 11, that must sound at least once.

        Raises
        ------
        RequestError
            If a shape or a pitch class is wrong, or the conditions ask for too much to be remembered.
        ValueError
            If a weight is NaN or plus infinity.
        """
        n_steps, n_pitches = log_in.shape
        permitted = _mask("permitted", permitted, log_in.shape, default=True)
        required = _mask("required", required, log_in.shape, default=False)
        wanted = _wanted([()] * n_steps if classes is None else classes, n_steps)
        log_out = np.where(required, -np.inf, 0.0)
        log_symbol = np.stack([log_out, np.where(permitted, log_in, -np.inf)], axis=2)
        groups = []
        for these in dict.fromkeys(wanted):
            steps = np.array([step for step, each in enumerate(wanted) if each == these], dtype=np.intp)
            kind = np.array([_bit(low + i, these).bit_length() for i in range(n_pitches)], dtype=np.int64)
            automaton = _shape_automaton(shape, len(these))
            lattices = tuple(Lattice.build(automaton, log_symbol[step], kind=kind) for step in steps)
            groups.append((steps, lattices, these))
        return cls(tuple(groups), n_steps, n_pitches, low)

    def log_totals(self) -> _Array:
        """Return what all sets of each step weigh together, ``-inf`` if there is none; shape (n_steps,)."""
        totals = np.empty(self.n_steps)
        for steps, batch in self._batches():
            totals[steps] = batch.log_backward()[0, :, 0]
        return totals

    def counts(self) -> list[int]:
        """Return how many sets each step allows."""
        counts = [0] * self.n_steps
        for steps, lattices, _ in self.groups:
            for step, lattice in zip(steps.tolist(), lattices, strict=True):
                counts[step] = count_lines(lattice)
        return counts

    def marginals(self) -> _Array:
        """Return the chance that each pitch sounds, shape (n_steps, n_pitches).

        Raises
        ------
        InfeasibleError
            If a step allows no set.
        """
        chance = np.empty((self.n_steps, self.n_pitches))
        for steps, batch in self._batches():
            table = batch.log_backward()
            self._check(steps, table[0, :, 0])
            chance[steps] = batch.marginals(table)[0][:, :, IN].T
        return chance

    def best(self) -> tuple[_Mask, _Array]:
        """Return the heaviest set of each step, shape (n_steps, n_pitches), and its log weight.

        Of equals the one without the lowest pitch in which they differ.

        Raises
        ------
        InfeasibleError
            If a step allows no set.
        """
        roll = np.empty((self.n_steps, self.n_pitches), dtype=np.bool_)
        log_weights = np.empty(self.n_steps)
        for steps, batch in self._batches():
            lines, log_weights[steps] = batch.heaviest()
            self._check(steps, log_weights[steps])
            roll[steps] = lines == IN
        return roll, log_weights

    def sample(self, rng: np.random.Generator, n: int = 1) -> _Mask:
        """Draw a set for each step, n times over; shape (n, n_steps, n_pitches).

        Raises
        ------
        InfeasibleError
            If a step allows no set.
        """
        uniform = rng.random((self.n_pitches, self.n_steps, n))
        rolls = np.empty((n, self.n_steps, self.n_pitches), dtype=np.bool_)
        for steps, batch in self._batches():
            table = batch.log_backward()
            self._check(steps, table[0, :, 0])
            rolls[:, steps] = batch.lines_at(table, uniform[:, steps]).swapaxes(0, 1) == IN
        return rolls

    def _batches(self) -> Iterator[tuple[NDArray[np.intp], Batch]]:
        for steps, lattices, _ in self.groups:
            size = max(1, _CHUNK_ENTRIES // ((self.n_pitches + 1) * lattices[0].automaton.n_states))
            for start in range(0, len(steps), size):
                yield steps[start : start + size], Batch.of(lattices[start : start + size])

    def _check(self, steps: NDArray[np.intp], log_totals: _Array) -> None:
        """Raise an error about the first of these steps that allows no set."""
        if not np.isneginf(log_totals).any():
            return
        step = int(steps[np.isneginf(log_totals)].min())
        lattice, classes = next(
            (lattices[int(np.flatnonzero(steps == step)[0])], these)
            for steps, lattices, these in self.groups
            if step in steps
        )
        may_sound, may_be_silent = (~np.isneginf(lattice.log_symbol[:, symbol]) for symbol in (IN, OUT))
        must = [self.low + int(i) for i in np.flatnonzero(~may_be_silent)]
        msg = (
            f"step {step}: no set of pitches is allowed: of {int(may_sound.sum())} permitted ones, "
            f"required {must}, pitch classes {list(classes)}, in the shape asked for"
        )
        raise InfeasibleError(msg, where=f"step {step}")


def _mask(name: str, mask: _Mask | None, shape: tuple[int, ...], *, default: bool) -> _Mask:
    if mask is None:
        return np.full(shape, default)
    if mask.shape != shape:
        msg = f"{name}: shape {mask.shape}: expected {shape}"
        raise RequestError(msg)
    return mask


def _wanted(classes: Sequence[Collection[int]], n_steps: int) -> list[tuple[int, ...]]:
    if len(classes) != n_steps:
        msg = f"classes: {len(classes)} steps: expected {n_steps}"
        raise RequestError(msg)
    for step, wanted in enumerate(classes):
        for pitch_class in wanted:
            if not 0 <= pitch_class <= 11:
                msg = f"step {step}: pitch class {pitch_class}: expected 0 to 11"
                raise RequestError(msg)
    return [tuple(sorted(set(wanted))) for wanted in classes]


def _bit(pitch: int, classes: tuple[int, ...]) -> int:
    return 1 << classes.index(pitch % 12) if pitch % 12 in classes else 0


@dataclass(frozen=True, slots=True)
class _Below:
    """What is remembered of the pitches below one: the state of the automaton.

    Parameters
    ----------
    notes
        How many sound, counted no further than matters.
    wanted
        Pitch classes that must still come, as bits.
    since
        Semitones from the last note up to this pitch, counted no further than the spacing; 0 if there is none.
    hand
        The hand in use.
    opened, taken
        Semitones from that hand's lowest note up to this pitch, 0 if it has none, and its notes; counted no further
        than its limits, and not at all where it has none.
    """

    notes: int
    wanted: int
    since: int
    hand: int
    opened: int
    taken: int


def _without(below: _Below, shape: Shape) -> _Below:
    """Return what is remembered one pitch higher if this one is silent."""
    since = min(below.since + 1, shape.spacing) if below.since else 0
    opened = min(below.opened + 1, shape.span + 1) if below.opened and shape.span is not None else 0
    return replace(below, since=since, opened=opened)


def _with(below: _Below, shape: Shape, bit: int) -> _Below | None:
    """Return what is remembered one pitch higher if this one sounds; ``None`` if it may not.

    ``bit`` is that of the pitch's class, 0 if the class is not asked for. The lower hand takes every note it can
    reach: if it took fewer, the upper hand would have more to do.
    """
    if 0 < below.since < shape.spacing or below.notes == shape.max_notes:
        return None
    can_reach = shape.span is None or below.opened <= shape.span
    can_take = shape.hand_notes is None or below.taken < shape.hand_notes
    hand, opened, taken = below.hand, below.opened, below.taken
    if not (can_reach and can_take):
        hand, opened, taken = hand + 1, 0, 0
    if hand == shape.hands:
        return None
    return _Below(
        notes=min(below.notes + 1, shape.min_notes if shape.max_notes is None else shape.max_notes),
        wanted=below.wanted & ~bit,
        since=0 if shape.spacing == 1 else 1,
        hand=hand,
        opened=0 if shape.span is None else min(opened + 1, shape.span + 1),
        taken=0 if shape.hand_notes is None else taken + 1,
    )


@lru_cache(maxsize=64)
def _shape_automaton(shape: Shape, n_classes: int) -> Automaton:
    """Return the automaton of the allowed sets; a kind of pitch for each class asked for, kind 0 for all others."""
    start = _Below(notes=0, wanted=(1 << n_classes) - 1, since=0, hand=0, opened=0, taken=0)
    number = {start: 0}
    rows: list[list[list[int]]] = []  # of each state, for each kind: where OUT and IN lead
    waiting = deque([start])
    bits = [0, *(1 << i for i in range(n_classes))]
    while waiting:
        below = waiting.popleft()
        rows.append([])
        for bit in bits:
            leads_to = _without(below, shape), _with(below, shape, bit)
            for after in leads_to:
                if after is not None and after not in number:
                    number[after] = len(number)
                    waiting.append(after)
            rows[-1].append([DEAD if after is None else number[after] for after in leads_to])
        if len(number) > _MAX_STATES:
            msg = f"{shape} with {n_classes} pitch classes: too much to remember, expected at most {_MAX_STATES} states"
            raise RequestError(msg)
    next_state = np.array(rows, dtype=np.int32).swapaxes(0, 1)
    is_end = np.array([not below.wanted and below.notes >= shape.min_notes for below in number])
    log_weight = np.where(next_state == DEAD, -np.inf, 0.0)
    label = np.arange(len(number), dtype=np.int32)[:, None]
    return Automaton(next_state, log_weight, np.where(is_end, 0.0, -np.inf), label)
