"""How players move and weigh the notes of a page: swing, small delays, strummed chords, louder and softer.

Everything here is arithmetic on arrays of notes in ticks. Two things hold whatever is asked: notes that
start one after the other still do, and no note reaches into the next one of its pitch on its channel.

References
----------
Friberg, Bresin and Sundberg, "Overview of the KTH rule system for musical performance", Advances in
Cognitive Psychology 2, 2006: louder upwards and on strong beats. Hennig et al., "The nature and perception
of fluctuations in human musical rhythms", PLoS ONE 6, 2011: delays of 10 to 20 ms that drift.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from symgen.errors import RequestError
from symgen.io.retime import NEVER
from theory.errors import ParseError
from theory.meter import Meter
from theory.swing import Swing

__all__ = ["GROOVES", "Bars", "Feel", "Groove", "Notes", "felt", "read_groove"]

_Ticks = NDArray[np.int64]
_Floats = NDArray[np.float64]

_LEVEL_WEIGHTS = np.array([9.0, 6.0, 3.0, -3.0, -6.0])  # velocities, by metrical level
_CONTOUR_WEIGHT, _VELOCITY_NOISE = 10.0, 3.0
_CONTOUR_NOTES = 8  # on either side: the line a note is high or low in
_DRIFT_SECONDS, _NOISE_SECONDS, _DRIFT_KEEPS = 0.016, 0.008, 0.85
_MOST_DEVIATIONS = 2.5
_STRUM_SECONDS = 0.06  # from the first string to the last
_LEVELS_PER_QUARTER = 24


@dataclass(frozen=True, slots=True)
class Groove:
    """Where the notes of a style fall: a swing, and how late all but the drums come, in seconds."""

    swing: Swing
    late_seconds: float = 0.0


_STRAIGHT = Swing(Fraction(1))
GROOVES = MappingProxyType(
    {
        "straight": Groove(_STRAIGHT),
        "swing": Groove(Swing(Fraction(2))),
        "light-swing": Groove(Swing(Fraction(3, 2))),
        "shuffle-16": Groove(Swing(Fraction(3, 2), Fraction(1, 4))),
        "laid-back": Groove(_STRAIGHT, late_seconds=0.022),
        "driving": Groove(_STRAIGHT, late_seconds=-0.012),
    }
)
"""Grooves by name."""


def read_groove(text: str) -> Groove:
    """Return a groove by its name, or any swing such as ``66% 16ths``.

    >>> str(read_groove("60% sixteenths").swing)
    '3:2 sixteenths'

    Raises
    ------
    RequestError
        If it is neither.
    """
    if text in GROOVES:
        return GROOVES[text]
    try:
        return Groove(Swing.parse(text))
    except ParseError:
        msg = f"groove {text!r}: expected one of {', '.join(GROOVES)}, or a swing such as 2:1 or 66% 16ths"
        raise RequestError(msg) from None


@dataclass(frozen=True, slots=True)
class Feel:
    """How much of each is asked for, from 0, nothing at all, to 1.

    Parameters
    ----------
    groove
        What :func:`read_groove` reads.
    amount
        How much of the groove.
    timing
        How far single notes stray: at 1 about 18 ms either way.
    velocity
        How much louder are strong beats, high notes and chance ones: at 1 some 10 either way.
    strum
        How slowly chords are struck from note to note: at 1, 60 ms from the first to the last.
    """

    groove: str = "straight"
    amount: float = 1.0
    timing: float = 0.3
    velocity: float = 0.5
    strum: float = 0.0

    def __post_init__(self) -> None:
        read_groove(self.groove)
        for name in ("amount", "timing", "velocity", "strum"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                msg = f"{name}: {value:g}: expected 0 to 1"
                raise RequestError(msg)

    @property
    def does_nothing(self) -> bool:
        """Whether the notes stay exactly as they are."""
        moves = self.amount and read_groove(self.groove) != GROOVES["straight"]
        return not (moves or self.timing or self.velocity or self.strum)

    @property
    def swing(self) -> Swing:
        """The swing of the groove, as much of it as is asked for."""
        swing = read_groove(self.groove).swing
        amount = Fraction(self.amount).limit_denominator(1000)
        return Swing(1 + amount * (swing.ratio - 1), swing.division)


@dataclass(frozen=True, slots=True, eq=False)
class Notes:
    """Notes in ticks; every array has the shape (n_notes,), in any order.

    Parameters
    ----------
    onset, end
        Where each starts and ends; ``end >= onset``.
    pitch, velocity
        As MIDI numbers.
    lane
        Which part plays it.
    channel
        Notes of one channel and pitch must not overlap.
    is_drum
        Whether it is for the drums, which neither sing nor strum.
    earliest, latest
        Between which ticks each may start, whatever is asked.
    """

    onset: _Ticks
    end: _Ticks
    pitch: _Ticks
    velocity: _Ticks
    lane: _Ticks
    channel: _Ticks
    is_drum: NDArray[np.bool_]
    earliest: _Ticks
    latest: _Ticks


@dataclass(frozen=True, slots=True)
class Bars:
    """The metres, for places in bars.

    Parameters
    ----------
    starts
        The tick of each metre, ascending from 0.
    meters
        The metres.
    ticks_per_quarter
        The resolution.
    """

    starts: tuple[int, ...]
    meters: tuple[Meter, ...]
    ticks_per_quarter: int

    def level(self, tick: int) -> int:
        """Return the metrical level of the nearest place of a fine grid."""
        place, meter = self._place(tick)
        levels = meter.levels(_LEVELS_PER_QUARTER)
        return int(levels[round(place % meter.bar_quarters * _LEVELS_PER_QUARTER) % len(levels)])

    def swung(self, tick: int, swing: Swing) -> int:
        """Return where a straight tick falls, not beyond the metre it stands in."""
        place, meter = self._place(tick)
        index = bisect_right(self.starts, tick)
        moved = self.starts[index - 1] + round(swing.swung(place, meter) * self.ticks_per_quarter)
        return min(moved, max(self.starts[index], tick)) if index < len(self.starts) else moved

    def _place(self, tick: int) -> tuple[Fraction, Meter]:
        index = bisect_right(self.starts, tick) - 1
        return Fraction(tick - self.starts[index], self.ticks_per_quarter), self.meters[index]


def felt(
    notes: Notes, bars: Bars, seconds: Callable[[_Ticks], _Floats], feel: Feel, chance: np.random.Generator
) -> tuple[_Ticks, _Ticks, _Ticks, Callable[[int], int]]:
    """Return onsets, ends and velocities as played, and where any other tick has moved.

    Parameters
    ----------
    notes
        The notes of the whole piece.
    bars
        Its metres.
    seconds
        From ticks to seconds.
    feel
        What is asked for.
    chance
        Drawn from in the same way whatever is asked, so that one value does not disturb another.
    """
    n = len(notes.onset)
    wander = _wander(notes, chance)
    louder = np.clip(chance.standard_normal(n), -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
    warp = _warp(np.concatenate([notes.onset, notes.end]), bars, feel)
    straight, ends = _moved(notes.onset, warp), _moved(notes.end, warp)
    shift = feel.timing * wander + feel.strum * _STRUM_SECONDS * _strum(notes, bars)
    shift += np.where(notes.is_drum, 0.0, feel.amount * read_groove(feel.groove).late_seconds)
    shift, *bounds = _together(notes, shift, _moved(notes.earliest, warp), _moved(notes.latest, warp))
    ticks = np.rint(shift / _seconds_per_tick(straight, seconds)).astype(np.int64)
    onset = _between_neighbours(straight, straight + ticks, bounds)
    end = np.where(notes.end > notes.onset, np.maximum(ends + onset - straight, onset + 1), onset)
    weights = _metre(notes, bars) + _contour(notes) + _VELOCITY_NOISE * louder
    velocity = np.clip(np.rint(notes.velocity + feel.velocity * weights), 1, 127).astype(np.int64)
    return onset, _without_overlaps(notes, onset, end), velocity, warp


def _warp(ticks: _Ticks, bars: Bars, feel: Feel) -> Callable[[int], int]:
    """Return the map of the swing: different ticks of notes go to different ticks, in the same order."""
    if feel.swing.ratio == 1:
        return lambda tick: tick
    moved: dict[int, int] = {}
    latest = -1
    for tick in np.unique(ticks).tolist():
        latest = max(bars.swung(tick, feel.swing), latest + 1)
        moved[tick] = latest
    return lambda tick: moved[tick] if tick in moved else bars.swung(tick, feel.swing)


def _seconds_per_tick(ticks: _Ticks, seconds: Callable[[_Ticks], _Floats]) -> _Floats:
    return np.maximum(seconds(ticks + 1) - seconds(ticks), 1e-9)


def _wander(notes: Notes, chance: np.random.Generator) -> _Floats:
    """Return how late each note is, in seconds: a drift that each part keeps for a while, and chance."""
    n = len(notes.onset)
    steps, noise = chance.standard_normal(n), chance.standard_normal(n)
    late = np.zeros(n)
    drifts: dict[int, float] = {}
    fresh = np.sqrt(1 - _DRIFT_KEEPS**2)
    for i in np.lexsort((notes.pitch, notes.onset)).tolist():
        lane = int(notes.lane[i])
        drifts[lane] = _DRIFT_KEEPS * drifts.get(lane, 0.0) + fresh * steps[i]
        late[i] = _DRIFT_SECONDS * drifts[lane] + _NOISE_SECONDS * noise[i]
    most = _MOST_DEVIATIONS * np.hypot(_DRIFT_SECONDS, _NOISE_SECONDS)
    return np.clip(late, -most, most)


def _strum(notes: Notes, bars: Bars) -> _Floats:
    """Return when each note of a chord is struck, from 0 to 1: upwards on beats, downwards between them."""
    when = np.zeros(len(notes.onset))
    for group in _groups(notes.lane, notes.onset):
        if len(group) < 3 or notes.is_drum[group[0]]:
            continue
        order = group[np.argsort(notes.pitch[group], kind="stable")]
        upwards = bars.level(int(notes.onset[group[0]])) <= 2
        when[order if upwards else order[::-1]] = np.linspace(0, 1, len(group))
    return when


def _groups(*columns: _Ticks) -> list[_Ticks]:
    """Return the indices of the notes that agree in all columns."""
    order = np.lexsort(columns)
    if not len(order):
        return []
    differs = np.any([np.diff(column[order]) != 0 for column in columns], axis=0)
    return [np.asarray(part) for part in np.split(order, np.flatnonzero(differs) + 1)]


def _together(notes: Notes, shift: _Floats, earliest: _Ticks, latest: _Ticks) -> tuple[_Floats, _Ticks, _Ticks]:
    """Let notes that are doubled, with one onset, pitch and channel, move as one."""
    keys = np.stack([notes.onset, notes.pitch, notes.channel])
    _, first, index = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    index = index.reshape(-1)
    low, high = np.zeros(len(first), dtype=np.int64), np.full(len(first), NEVER)
    np.maximum.at(low, index, earliest)
    np.minimum.at(high, index, latest)
    return shift[first][index], low[index], high[index]


def _moved(ticks: _Ticks, warp: Callable[[int], int]) -> _Ticks:
    """Return where ticks have moved; what never comes does not move."""
    places, index = np.unique(ticks, return_inverse=True)
    moved = [tick if tick == NEVER else warp(tick) for tick in places.tolist()]
    return np.array(moved, dtype=np.int64)[index]


def _between_neighbours(straight: _Ticks, wanted: _Ticks, bounds: Sequence[_Ticks]) -> _Ticks:
    """Keep each note on its side of the middle between its own tick and the ticks before and after."""
    places = np.unique(straight)
    middle = (places[:-1] + places[1:]) // 2
    lowest = np.concatenate([[0], middle + 1])
    highest = np.concatenate([middle, [NEVER]])
    index = np.searchsorted(places, straight)
    low, high = np.maximum(lowest[index], bounds[0]), np.minimum(highest[index], bounds[1])
    # What stands too close together to move stays where it is.
    return np.asarray(np.where(low <= high, np.clip(wanted, low, high), straight))


def _without_overlaps(notes: Notes, onset: _Ticks, end: _Ticks) -> _Ticks:
    """End each note where the next one of its pitch starts, if it ended before that one on the page."""
    end = end.copy()
    for group in _groups(notes.channel, notes.pitch):
        order = group[np.argsort(notes.onset[group], kind="stable")]
        following = np.searchsorted(notes.onset[order], notes.onset[order], side="right")
        for i, j in zip(order.tolist(), following.tolist(), strict=True):
            if j < len(order) and notes.end[i] <= notes.onset[order[j]]:
                end[i] = min(end[i], onset[order[j : following[j]]].min())
    return end


def _metre(notes: Notes, bars: Bars) -> _Floats:
    found = {tick: bars.level(tick) for tick in np.unique(notes.onset).tolist()}
    levels = np.array([found[tick] for tick in notes.onset.tolist()], dtype=np.int64)
    return np.asarray(_LEVEL_WEIGHTS[np.minimum(levels, len(_LEVEL_WEIGHTS) - 1)])


def _contour(notes: Notes) -> _Floats:
    """Return how much louder each note is for standing out of its line upwards; drums have no line."""
    weights = np.zeros(len(notes.onset))
    for group in _groups(notes.lane):
        order = group[np.argsort(notes.onset[group], kind="stable")]
        if notes.is_drum[order[0]]:
            continue
        pitch = notes.pitch[order].astype(np.float64)
        sums = np.concatenate([[0.0], np.cumsum(pitch)])
        places = np.arange(len(order))
        first, last = np.maximum(places - _CONTOUR_NOTES, 0), np.minimum(places + _CONTOUR_NOTES + 1, len(order))
        weights[order] = _CONTOUR_WEIGHT * np.tanh((pitch - (sums[last] - sums[first]) / (last - first)) / 6)
    return weights
