"""A track of chords: when it strikes, which pitches, and how long each of them is held.

The law has two stages, each exact.

*Strikes.* A row of strikes weighs the product of its pitches' weights. Which sets a hand can strike is decided over the
pitches (:mod:`symgen.decode.poly`); at which steps there may be a strike, when every note is to last some steps, over
time: with the sums over all sets of a step as its weight, one backward sum holds all rows there are.

*Holds.* Step by step, given all strikes: of the notes that sound some subset goes on, by the product of their weights
against silence, among the subsets that fit in the hand together with what is struck. What the law permits no longer
falls silent.

So what is struck knows nothing of how long earlier notes would like to be held: they give way to it.

>>> flat = np.zeros((4, 12))
>>> texture = Texture(flat, flat, flat == 0, Shape(max_notes=2, span=4), low=60, min_steps=2)
>>> len(draw_textures(texture, np.random.default_rng(1), 3))
3
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from symgen.decode.poly import PitchSets, Shape
from symgen.errors import InfeasibleError
from symgen.score import Note

__all__ = ["DrawnTexture", "Texture", "draw_textures", "fits"]

_Array = NDArray[np.float64]
_Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Texture:
    """What is preferred, and what is law.

    Parameters
    ----------
    log_strike, log_hold
        Log weight of striking a pitch and of holding it, against silence; shape (n_steps, n_pitches).
    permitted
        Whether a pitch may sound, same shape.
    shape
        What a hand can do; holds of what is struck together and of what sounds together, its smallest number of what is
        struck.
    low
        MIDI number of the first pitch.
    min_steps
        Length of the shortest note, and so the smallest distance of strikes.
    locked
        Notes that must be there.
    """

    log_strike: _Array
    log_hold: _Array
    permitted: _Mask
    shape: Shape
    low: int
    min_steps: int = 1
    locked: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        assert self.log_strike.shape == self.log_hold.shape == self.permitted.shape
        assert self.min_steps >= 1

    @property
    def n_steps(self) -> int:
        """How many steps there are."""
        return len(self.log_strike)


@dataclass(frozen=True, slots=True)
class DrawnTexture:
    """Notes, and the log-probability of their strikes and holds in nats."""

    notes: tuple[Note, ...]
    log_probability: float


def draw_textures(texture: Texture, rng: np.random.Generator, n: int = 1) -> list[DrawnTexture]:
    """Draw tracks of chords.

    Parameters
    ----------
    texture
        The request.
    rng
        Source of chance.
    n
        How many.

    Raises
    ------
    InfeasibleError
        If no row of strikes keeps the laws; it names the first impossible step.

    Notes
    -----
    Sums take time in proportion to steps, pitches and states of the hand; all draws share them.
    """
    sets = _Sets.of(texture)
    log_backward = _sums_over_time(texture, sets)
    if np.isneginf(log_backward[0, -1]):
        step = _first_impossible(texture, sets)
        msg = f"step {step}: no chord can be struck there that keeps the laws and the locks"
        raise InfeasibleError(msg, where=f"step {step}")
    strikes = _drawn_steps(texture, sets, log_backward, rng, n)
    rolls = sets.sample(rng, n)
    return [_held(texture, sets, strikes[i], rolls[i], log_backward[0, -1], rng) for i in range(n)]


@dataclass(frozen=True, slots=True)
class _Sets:
    """The sets that may be struck at each step.

    Parameters
    ----------
    parts
        Steps at which as many locked notes go on, and their sets; the locked notes are in all of them.
    log_totals
        What all sets of a step weigh together, shape (n_steps,).
    log_in
        Weights of the pitches, shape (n_steps, n_pitches).
    going_on
        Whether a locked note goes on, same shape.
    """

    parts: tuple[tuple[NDArray[np.intp], PitchSets], ...]
    log_totals: _Array
    log_in: _Array
    going_on: _Mask

    @classmethod
    def of(cls, texture: Texture) -> _Sets:
        starting, going_on = np.zeros_like(texture.permitted), np.zeros_like(texture.permitted)
        for note in texture.locked:
            starting[note.onset_steps, note.pitch - texture.low] = True
            going_on[note.onset_steps + 1 : note.end_steps, note.pitch - texture.low] = True
        going_on &= ~starting
        lasting = _lasting(texture.permitted, texture.min_steps)
        log_in = np.where(going_on, 0.0, np.where(lasting | starting, texture.log_strike, -np.inf))
        log_in[~texture.permitted] = -np.inf
        n_going_on, shape = going_on.sum(axis=1), texture.shape
        parts, log_totals = [], np.full(texture.n_steps, -np.inf)
        for n in np.unique(n_going_on):
            most = None if shape.max_notes is None else max(shape.max_notes, int(n))
            if most is not None and most < n + 1:
                continue
            steps = np.flatnonzero(n_going_on == n)
            own = replace(shape, min_notes=min(int(n) + max(shape.min_notes, 1), most or 128), max_notes=most)
            required = (starting | going_on)[steps]
            permitted = ~np.isneginf(log_in[steps])
            built = PitchSets.build(log_in[steps], own, low=texture.low, permitted=permitted, required=required)
            log_totals[steps] = built.log_totals()
            parts.append((steps, built))
        return cls(tuple(parts), log_totals, log_in, going_on)

    def sample(self, rng: np.random.Generator, n: int) -> _Mask:
        """Draw a set for each step, n times; what goes on is not among it. Shape (n, n_steps, n_pitches)."""
        rolls = np.zeros((n, *self.log_in.shape), dtype=np.bool_)
        for steps, sets in self.parts:
            can = ~np.isneginf(self.log_totals[steps])
            if can.all():
                rolls[:, steps] = sets.sample(rng, n)
            else:
                rolls[:, steps[can]] = _only(sets, np.flatnonzero(can)).sample(rng, n)
        return rolls & ~self.going_on


def _only(sets: PitchSets, kept: NDArray[np.intp]) -> PitchSets:
    """Return the sets of some steps, in their order."""
    place = {int(step): i for i, step in enumerate(kept)}
    groups = []
    for steps, lattices, classes in sets.groups:
        pairs = [(place[int(s)], lattice) for s, lattice in zip(steps, lattices, strict=True) if int(s) in place]
        if pairs:
            groups.append((np.array([i for i, _ in pairs], dtype=np.intp), tuple(x for _, x in pairs), classes))
    return PitchSets(tuple(groups), len(kept), sets.n_pitches, sets.low)


def _lasting(permitted: _Mask, min_steps: int) -> _Mask:
    """Whether a pitch may sound for the shortest note's length from each step on."""
    lasting = permitted.copy()
    for ahead in range(1, min_steps):
        lasting[:-ahead] &= permitted[ahead:]
        lasting[-ahead:] = False
    return lasting


def _forced(texture: Texture) -> _Mask:
    """Whether a locked note starts at each step."""
    forced = np.zeros(texture.n_steps, dtype=np.bool_)
    forced[[note.onset_steps for note in texture.locked]] = True
    return forced


def _sums_over_time(texture: Texture, sets: _Sets) -> _Array:
    """Return what the rest of a row of strikes weighs, by step and steps since the last strike.

    The last column is for a distance that permits another one; shape (n_steps + 1, min_steps).
    """
    forced, gap = _forced(texture), texture.min_steps
    log_backward = np.zeros((texture.n_steps + 1, gap))
    for step in reversed(range(texture.n_steps)):
        after = log_backward[step + 1]
        without = np.full(gap, -np.inf) if forced[step] else np.append(after[1:], after[-1])
        log_backward[step] = without
        log_backward[step, -1] = np.logaddexp(without[-1], sets.log_totals[step] + after[0])
    return log_backward


def _first_impossible(texture: Texture, sets: _Sets) -> int:
    """Return the first step that no beginning of a row of strikes passes."""
    forced, gap = _forced(texture), texture.min_steps
    can = np.zeros(gap, dtype=np.bool_)
    can[-1] = True
    for step in range(texture.n_steps):
        after = np.zeros(gap, dtype=np.bool_)
        if not forced[step]:
            after[1:] |= can[:-1]
            after[-1] |= can[-1]
        if not np.isneginf(sets.log_totals[step]):
            after[0] |= can[-1]
        if not after.any():
            return step
        can = after
    return texture.n_steps - 1


def _drawn_steps(
    texture: Texture, sets: _Sets, log_backward: _Array, rng: np.random.Generator, n: int
) -> NDArray[np.bool_]:
    """Draw at which steps there is a strike, shape (n, n_steps)."""
    strikes = np.zeros((n, texture.n_steps), dtype=np.bool_)
    state = np.full(n, texture.min_steps - 1)
    uniform = rng.random((texture.n_steps, n))
    for step in range(texture.n_steps):
        log_strike = sets.log_totals[step] + log_backward[step + 1, 0] - log_backward[step, -1]
        struck = (state == texture.min_steps - 1) & (uniform[step] < np.exp(log_strike))
        strikes[:, step] = struck
        state = np.where(struck, 0, np.minimum(state + 1, texture.min_steps - 1))
    return strikes


def _held(
    texture: Texture, sets: _Sets, strikes: _Mask, roll: _Mask, log_total: float, rng: np.random.Generator
) -> DrawnTexture:
    """Draw how long the struck notes are held."""
    ends = {(note.onset_steps, note.pitch - texture.low): note.end_steps for note in texture.locked}
    sounding: dict[int, int] = {}  # pitch and its onset
    notes: list[Note] = []
    log_chance = -log_total
    uniform = rng.random(roll.shape)
    for step in range(texture.n_steps):
        struck = np.flatnonzero(roll[step]).tolist() if strikes[step] else []
        log_chance += float(sets.log_in[step, struck].sum())
        going = [p for p in sounding if p not in struck and step < ends.get((sounding[p], p), step + 1)]
        must = [p for p in going if (sounding[p], p) in ends or step - sounding[p] < texture.min_steps]
        may = [p for p in going if p not in must and texture.permitted[step, p]]
        kept, log_kept = _going_on(texture, step, struck + must, may, uniform[step])
        log_chance += log_kept
        for pitch in [p for p in sounding if p not in kept and p not in must]:
            notes.append(_note(texture, sounding.pop(pitch), step, pitch))
        sounding |= dict.fromkeys(struck, step)
    notes += [_note(texture, onset, texture.n_steps, pitch) for pitch, onset in sounding.items()]
    return DrawnTexture(tuple(sorted(notes, key=lambda m: (m.onset_steps, m.pitch))), log_chance)


def _note(texture: Texture, onset: int, end: int, pitch: int) -> Note:
    return Note(onset, end - onset, pitch + texture.low)


def _going_on(
    texture: Texture, step: int, beside: Sequence[int], may: Sequence[int], uniform: _Array
) -> tuple[set[int], float]:
    """Draw which notes go on beside what sounds anyway; return them and the log-probability."""
    if not may:
        return set(), 0.0
    weights = texture.log_hold[step, list(may)]
    log_none = -np.logaddexp(0.0, weights)  # that one falls silent
    if fits([*beside, *may], texture.shape):  # then every subset does
        stays = uniform[list(may)] < np.exp(weights + log_none)
        return {p for p, one in zip(may, stays, strict=True) if one}, float((log_none + weights * stays).sum())
    subsets = [kept for kept in _subsets(range(len(may))) if fits([*beside, *(may[i] for i in kept)], texture.shape)]
    log_weights = np.array([weights[list(kept)].sum() for kept in subsets])
    log_chances = log_weights - np.logaddexp.reduce(log_weights)
    chosen = int(np.searchsorted(np.exp(log_chances).cumsum(), uniform[may[0]]).clip(max=len(subsets) - 1))
    return {may[i] for i in subsets[chosen]}, float(log_chances[chosen])


def _subsets(places: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for size in range(len(places) + 1):
        yield from combinations(places, size)


def fits(pitches: Sequence[int], shape: Shape) -> bool:
    """Whether hands can hold pitches; the smallest number of notes is left aside.

    Each hand takes, from the lowest free note on, all it can reach.
    """
    if shape.max_notes is not None and len(pitches) > shape.max_notes:
        return False
    hands, lowest, taken, before = 0, -1, 0, -1
    for pitch in sorted(pitches):
        if before >= 0 and pitch - before < shape.spacing:
            return False
        can_reach = shape.span is None or pitch - lowest <= shape.span
        can_take = shape.hand_notes is None or taken < shape.hand_notes
        if hands == 0 or not (can_reach and can_take):
            hands, lowest, taken = hands + 1, pitch, 0
        taken, before = taken + 1, pitch
    return hands <= shape.hands
