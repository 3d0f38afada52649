"""Music in ticks, as MIDI files and the objects of other libraries hold it, put on the grid.

Every reader of such music fills a :class:`TickScore`; what to do with odd tempos, signatures and names
is decided here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symgen.errors import FileFormatError, GridError
from symgen.grid import ticks_to_steps
from symgen.io.limits import limits_in_force
from symgen.io.words import (
    KEY_SIGN,
    METER_SIGN,
    chord_or_none,
    key_signature,
    plain_key,
    recipe_of,
    simplest_bpm,
    unprotected,
)
from symgen.score import ChordChange, KeyChange, Marker, MeterChange, Note, Score, TempoChange, Track
from theory.errors import TheoryError
from theory.key import Key
from theory.meter import Meter

__all__ = ["TickScore", "TickTrack"]

_T = TypeVar("_T")
_U = TypeVar("_U")


@dataclass(frozen=True, slots=True)
class TickTrack:
    """A part; the columns of ``notes`` are onset and duration in ticks, pitch and velocity."""

    name: str
    program: int
    is_drum: bool
    notes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TickScore:
    """Music in ticks.

    Parameters
    ----------
    ticks_per_quarter
        The resolution.
    tracks
        The parts.
    tempos
        Ticks, and microseconds a quarter note.
    meters
        Ticks, numerators and denominators.
    keys
        Ticks, sharps of the signature (negative for flats), and whether it is minor.
    markers
        Ticks and texts: chord symbols and names of sections.
    texts
        Ticks and texts; those of ours give the recipe, and the keys and metres that signatures cannot say.
    end_ticks
        Where the music ends at the earliest.
    """

    ticks_per_quarter: int
    tracks: Sequence[TickTrack] = ()
    tempos: Sequence[tuple[int, int]] = ()
    meters: Sequence[tuple[int, int, int]] = ()
    keys: Sequence[tuple[int, int, bool]] = ()
    markers: Sequence[tuple[int, str]] = ()
    texts: Sequence[tuple[int, str]] = ()
    end_ticks: int = 0

    def to_score(self, *, steps_per_quarter: int, name: str) -> Score:
        """Return the music on the grid, ending on a bar line.

        Parameters
        ----------
        steps_per_quarter
            The grid.
        name
            What to call the source in errors.

        Raises
        ------
        FileFormatError
            If a tempo, a metre, a note or the length is impossible.
        GridError
            If a bar is no whole number of steps.
        """
        grid = _Grid(steps_per_quarter, self.ticks_per_quarter)
        self._check(name)
        tempos = grid.latest((tick, _bpm(value, tick, name)) for tick, value in self.tempos)
        meters = grid.latest(self._exact_meters(name))
        named = [(grid.step(tick), text, chord_or_none(text)) for tick, text in sorted(self.markers, key=_tick)]
        score = Score(
            steps_per_quarter,
            tuple(_track(track, grid, i) for i, track in enumerate(self.tracks)),
            tempos=tuple(TempoChange(step, bpm) for step, bpm in ({0: 120.0} | tempos).items()),
            meters=tuple(MeterChange(step, meter) for step, meter in ({0: Meter()} | meters).items()),
            keys=tuple(KeyChange(step, key) for step, key in grid.latest(self._exact_keys()).items()),
            chords=tuple(ChordChange(*pair) for pair in {step: chord for step, _, chord in named if chord}.items()),
            markers=tuple(Marker(step, unprotected(text)) for step, text, chord in named if chord is None),
            end_steps=grid.step(self.end_ticks),
            recipe=next((recipe for _, text in self.texts if (recipe := recipe_of(text)) is not None), ()),
        )
        try:
            return replace(score, end_steps=score.bars.end_steps)
        except TheoryError as error:
            msg = f"{name}: {error}"
            raise GridError(msg) from error

    def _check(self, name: str) -> None:
        """Refuse music of impossible length, and notes that only a damaged file can hold."""
        end = self.end_ticks
        for track in self.tracks:
            onsets, durations, pitches, _ = track.notes.T
            if np.any(onsets < 0) or np.any(durations < 0) or np.any((pitches < 0) | (pitches > 127)):
                _fail(name, f"track {track.name!r}: a note before the start or outside the pitches 0 to 127")
            end = max(end, int((onsets + durations).max(initial=0)))
        last_changes = (row[0] for rows in (self.tempos, self.meters, self.keys, self.markers) for row in rows)
        quarters = max(end, *last_changes, 0) // self.ticks_per_quarter
        most = limits_in_force().n_quarters
        if quarters > most:
            _fail(name, f"{quarters:,} quarter notes long: expected at most {most:,} (--max-quarters)")

    def _exact_keys(self) -> Iterator[tuple[int, Key]]:
        """Yield the key of every signature that is one, as a text says while it holds if the two agree."""
        signs = {tick: (sharps, is_minor) for tick, sharps, is_minor in self.keys if abs(sharps) <= 7}
        for tick, text, (sharps, is_minor), is_new in _held(signs, self._said(KEY_SIGN), (0, False)):
            exact = _or_none(Key.parse, text)
            agrees = exact is not None and _sounds_like(exact, sharps, is_minor)
            if is_new or agrees:
                yield tick, exact if exact is not None and agrees else plain_key(sharps, is_minor)

    def _exact_meters(self, name: str) -> Iterator[tuple[int, Meter]]:
        """Yield the metre of every signature, as a text says while it holds if the two agree."""
        signs = {tick: (numerator, denominator) for tick, numerator, denominator in self.meters}
        for tick, text, (numerator, denominator), is_new in _held(signs, self._said(METER_SIGN), (4, 4)):
            meter = _or_none(Meter.parse, f"{numerator}/{denominator}")
            if meter is None:
                _fail(name, f"tick {tick}: time signature {numerator}/{denominator}: expected one such as 4/4 or 6/8")
            exact = _or_none(Meter.parse, text)
            agrees = exact is not None and (exact.numerator, exact.denominator) == (numerator, denominator)
            if is_new or agrees:
                yield tick, exact if exact is not None and agrees else meter

    def _said(self, sign: str) -> dict[int, str]:
        return {tick: text.removeprefix(sign) for tick, text in self.texts if text.startswith(sign)}


def _held(
    signs: Mapping[int, tuple[int, _U]], said: Mapping[int, str], first: tuple[int, _U]
) -> Iterator[tuple[int, str, tuple[int, _U], bool]]:
    """Yield each tick with a sign or a text, its text, the sign that holds there, and whether it stands there."""
    held = first
    for tick in sorted(signs.keys() | said.keys()):
        held = signs.get(tick, held)
        yield tick, said.get(tick, ""), held, tick in signs


@dataclass(frozen=True, slots=True)
class _Grid:
    """From ticks to steps."""

    steps_per_quarter: int
    ticks_per_quarter: int

    def steps(self, ticks: ArrayLike) -> NDArray[np.int64]:
        return ticks_to_steps(ticks, steps_per_quarter=self.steps_per_quarter, ticks_per_quarter=self.ticks_per_quarter)

    def step(self, tick: int) -> int:
        return int(self.steps(tick))

    def latest(self, changes: Iterable[tuple[int, _T]]) -> dict[int, _T]:
        """Return the last value of each step, by step."""
        found = {self.step(tick): value for tick, value in sorted(changes, key=_tick)}
        return dict(sorted(found.items()))


def _sounds_like(key: Key, sharps: int, is_minor: bool) -> bool:
    """Whether a key has this signature, or the one that sounds the same."""
    found, found_minor = key_signature(key)
    return (found - sharps) % 12 == 0 and found_minor == is_minor


def _tick(change: tuple[int, object]) -> int:
    return change[0]


def _fail(name: str, what: str) -> NoReturn:
    msg = f"{name}: {what}"
    raise FileFormatError(msg)


def _or_none(parse: Callable[[str], _T], text: str) -> _T | None:
    try:
        return parse(text)
    except TheoryError:
        return None


def _bpm(quarter_microseconds: int, tick: int, name: str) -> float:
    if not 60_000 <= quarter_microseconds <= 15_000_000:
        found = f"tick {tick}: tempo of {quarter_microseconds} microseconds a quarter note"
        _fail(name, f"{found}: expected 60,000 to 15,000,000 (1000 to 4 quarter notes a minute)")
    return simplest_bpm(quarter_microseconds)


def _track(track: TickTrack, grid: _Grid, index: int) -> Track:
    """Put a part on the grid; of two notes with one onset and pitch the longer stays."""
    onsets, ends = grid.steps(track.notes[:, 0]), grid.steps(track.notes[:, 0] + track.notes[:, 1])
    durations = np.maximum(ends - onsets, 1)
    pitches, velocities = track.notes[:, 2], np.clip(track.notes[:, 3], 1, 127)
    order = np.lexsort((-durations, pitches, onsets))
    same = (np.diff(onsets[order], prepend=-1) == 0) & (np.diff(pitches[order], prepend=-1) == 0)
    columns = (column[order][~same].tolist() for column in (onsets, durations, pitches, velocities))
    notes = tuple(Note(*row) for row in zip(*columns, strict=True))
    return Track(track.name or f"Track {index + 1}", notes, track.program, track.is_drum)
