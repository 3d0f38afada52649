"""The counter-melody: a second line beside a melody, drawn exactly from a simple prior under laws.

It may begin a note on every beat, where a chord comes, and on the divisions on which the melody begins none: so it is
the slower one, and moves where the melody rests or holds. In each of these *places* it is silent, begins a note, or
holds one; the law of the whole line is a trellis (:mod:`symgen.decode.trellis`), and the line one draw from it.

The laws: it stays on its side of the melody, below a high one and above a low one, and within its compass; where a
chord comes and on strong beats it has a note of the chord, elsewhere one of the chord's scale; what is foreign to the
chord goes on by step; no parallel fifths or octaves with the melody; no leap of a tritone, a seventh or beyond an
octave; silence where no chord sounds. Silence is always lawful, so there is always a line. The prior is
:class:`Tastes`.

>>> from theory.meter import Meter
>>> bars = BarMap.build([(0, Meter())], steps_per_quarter=4, end_steps=16)
>>> melody, chords = [Note(0, 4, 76), Note(4, 12, 79)], [ChordChange(0, Chord.parse("C"))]
>>> line = counter_notes(melody, chords, bars, rng=np.random.default_rng(0))
>>> all(note.pitch < 79 and note.pitch % 12 in (0, 4, 7) for note in line if note.onset_steps % 8 == 0)
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symgen.band.frame import bar_beats, divisions, spans_of, weighed
from symgen.decode.trellis import Factor, Trellis, log_backward, log_total, sample_paths
from symgen.grid import BarMap
from symgen.moments import line_of
from symgen.score import ChordChange, KeyChange, Note, chord_at_steps
from theory import motion
from theory.chord import Chord
from theory.chordscale import chord_scale
from theory.meter import STRONG_LEVEL

__all__ = ["Place", "Repeat", "Tastes", "compass_beside", "counter_notes", "counter_trellis", "places_beside"]

SILENT = -1

_VELOCITY = 62
_HIGH_MELODY = 66  # one that lies on average above this has its counter-melody below it
_LOWEST, _HIGHEST = 50, 84
_BEYOND, _INTO = 17, 2  # semitones from the melody's mean pitch: away from it, and past it towards the melody
_OCTAVE, _BEAT_LEVEL = 12, 2
_FEWEST = 4  # places of two stretches that are not halved any more
_THIRDS_AND_SIXTHS, _HARSH, _MILD = (3, 4, 8, 9), (1, 11), (2, 6, 10)

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tastes:
    """The prior: what costs how much, in nats.

    Parameters
    ----------
    silence
        A quarter note of silence.
    entry
        Beginning after silence, and as much for ending in it.
    alone, over_held, together
        Beginning a note where the melody is silent, where it holds one, and where it begins one.
    off_beat, strong
        Beginning a note between the beats, and on a strong one.
    held_into_chord, held_into_bar
        Holding a note while the chord changes, and over a bar line.
    foreign
        A note foreign to the chord.
    repeated
        A note of the pitch before it.
    semitone
        Each semitone of a move beyond a step.
    near
        A second to the melody, whatever the octave's place.
    mild, harsh, perfect
        A whole tone, tritone or minor seventh against the melody; a semitone or major seventh; a fifth or octave.
    hidden
        Both moving alike into a fifth or an octave.
    similar, contrary
        Moving as the melody does, and against it.
    """

    silence: float = 0.9
    entry: float = 1.8
    alone: float = 0.2
    over_held: float = 1.0
    together: float = 2.4
    off_beat: float = 2.0
    strong: float = -1.0
    held_into_chord: float = 1.2
    held_into_bar: float = 1.8
    foreign: float = 1.2
    repeated: float = 3.0
    semitone: float = 0.7
    near: float = 2.0
    mild: float = 1.0
    harsh: float = 4.0
    perfect: float = 0.5
    hidden: float = 1.5
    similar: float = 0.6
    contrary: float = -1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the line may begin a note.

    Parameters
    ----------
    start, end
        Steps, up to the next place.
    chord
        What sounds; none or ``N.C.`` is silence.
    is_new_chord
        Whether it comes here.
    level
        Of the place in its bar, 0 on the bar line; see :meth:`theory.meter.Meter.levels`.
    scale
        Pitch classes a weak place may have.
    before, now
        The melody's pitch at the step before and at this one, -1 in silence.
    begins
        Whether the melody begins a note here.
    span
        The melody's lowest and highest pitch up to the end of the place; ``None`` if it is silent throughout.
    """

    start: int
    end: int
    chord: Chord | None
    is_new_chord: bool
    level: int
    scale: frozenset[int]
    before: int
    now: int
    begins: bool
    span: tuple[int, int] | None


class Repeat(NamedTuple):
    """A stretch that takes up another: where that one starts, where this one does, and how long both are, in steps."""

    source: int
    start: int
    n_steps: int

    def halves(self) -> tuple[Repeat, Repeat]:
        """Return the two halves of the stretch."""
        half = self.n_steps // 2
        return self._replace(n_steps=half), Repeat(self.source + half, self.start + half, self.n_steps - half)


def counter_notes(
    melody: Sequence[Note],
    chords: Sequence[ChordChange],
    bars: BarMap,
    *,
    keys: Sequence[KeyChange] = (),
    rng: np.random.Generator,
    repeats: Sequence[Repeat] = (),
    tastes: Tastes | None = None,
) -> tuple[Note, ...]:
    """Return a second line beside a melody; empty where there is no room for any.

    Parameters
    ----------
    melody
        Its notes; of those that start together the highest counts.
    chords
        Ascending; where none sounds the line is silent.
    bars
        The bars of the piece.
    keys
        Whose scales the line may pass through; without them it keeps to the chords.
    rng
        Source of chance.
    repeats
        Stretches to be played as others are. A line is drawn; what it does in the first of each two is then asked of
        both, and the rest is drawn anew given that. Parts of a stretch for which the laws leave no such line are free.
    tastes
        The prior; :class:`Tastes` as it stands if left out.
    """
    places = places_beside(melody, chords, bars, keys)
    if not places:
        return ()
    low, high, is_below = compass_beside(melody)
    trellis = counter_trellis(places, low, high, tastes or Tastes(), bars.steps_per_quarter, is_below=is_below)
    path = _with_repeats(trellis, [place.start for place in places], repeats, rng)
    levels, n = bars.levels(), high - low + 1
    notes: list[Note] = []
    for place, candidate in zip(places, path, strict=True):
        if candidate > n:
            last = notes.pop()
            notes.append(Note(last.onset_steps, place.end - last.onset_steps, last.pitch, last.velocity))
        elif candidate:
            velocity = weighed(_VELOCITY, int(levels[place.start]))
            notes.append(Note(place.start, place.end - place.start, low + candidate - 1, velocity))
    return tuple(notes)


def _with_repeats(
    trellis: Trellis, starts: Sequence[int], repeats: Sequence[Repeat], rng: np.random.Generator
) -> list[int]:
    """Draw a path in which stretches do what others do: all together, and what can't be is tried in halves."""
    path: list[int] = sample_paths(trellis, log_backward(trellis), rng)[0].tolist()
    pinned: dict[int, set[int]] = {}
    groups = [tuple(repeats)] if repeats else []
    while groups:
        group = groups.pop(0)
        copies = _copies(path, starts, group, len(trellis.log_slot[0]) // 2)
        wanted = pinned | copies
        asked = _pinned(trellis, wanted)
        table = log_backward(asked)
        if log_total(asked, table) > -np.inf:
            pinned, path = wanted, sample_paths(asked, table, rng)[0].tolist()
        elif len(group) > 1:
            groups[:0] = [group[: len(group) // 2], group[len(group) // 2 :]]
        elif len(copies) > _FEWEST:
            groups[:0] = [(half,) for half in group[0].halves()]
    return path


def _copies(path: Sequence[int], starts: Sequence[int], group: Sequence[Repeat], n: int) -> dict[int, set[int]]:
    """Return, for the slots of both stretches, the candidates that do what the path does in the first.

    Where a stretch starts a note may be begun or held, whichever it is in the other.
    """
    slot_at = {start: slot for slot, start in enumerate(starts)}
    wanted: dict[int, set[int]] = {}
    for repeat in group:
        for start, slot in slot_at.items():
            copy = slot_at.get(start - repeat.source + repeat.start)
            if repeat.source <= start < repeat.source + repeat.n_steps and copy is not None:
                pitch = (path[slot] - 1) % n + 1
                either = {pitch, pitch + n} if path[slot] else {0}
                wanted |= {slot: {path[slot]}, copy: either if start == repeat.source else {path[slot]}}
    return wanted


def _pinned(trellis: Trellis, wanted: Mapping[int, set[int]]) -> Trellis:
    """Return the trellis in which some slots have no other candidates than these."""
    rows = list(trellis.log_slot)
    for slot, candidates in wanted.items():
        keep = np.isin(np.arange(len(rows[slot])), sorted(candidates))
        rows[slot] = np.where(keep, rows[slot], -np.inf)
    return Trellis(tuple(rows), trellis.factors)


def compass_beside(melody: Sequence[Note]) -> tuple[int, int, bool]:
    """Return the lowest and the highest pitch of the line, and whether it lies below the melody."""
    mean = round(sum(note.pitch for note in melody) / len(melody)) if melody else _HIGH_MELODY
    if mean >= _HIGH_MELODY:
        low = max(_LOWEST, mean - _BEYOND)
        return low, max(mean + _INTO, low), True
    return mean - _INTO, min(mean + _BEYOND, _HIGHEST), False


def places_beside(
    melody: Sequence[Note], chords: Sequence[ChordChange], bars: BarMap, keys: Sequence[KeyChange]
) -> list[Place]:
    """Return the places of a line, from the first chord on."""
    end = bars.end_steps
    sounding, begins = np.full(end + 1, SILENT), np.zeros(end + 1, dtype=np.bool_)
    for note in line_of(melody):
        sounding[note.onset : min(note.end, end)] = note.pitch
        begins[min(note.onset, end)] = True
    spans, chord_of, levels = spans_of(chords, bars), chord_at_steps(chords, end), bars.levels()
    new = {change.onset_steps for change in chords if change.onset_steps < end}
    first = min((span.start for span in spans), default=end)
    steps = {step for step in new if step >= first}
    for bar in range(bars.n_bars):
        steps |= {step for step in bar_beats(bars, bar) if step >= first}
        steps |= {step for step in divisions(bars, bar) if step >= first and not begins[step]}
    places = []
    for start, stop in pairwise([*sorted(steps), end]):
        heard = sounding[start:stop]
        heard = heard[heard != SILENT]
        chord = chord_of[start]
        places.append(
            Place(
                start,
                stop,
                chord,
                start in new,
                int(levels[start]),
                _scale(chord, keys, start),
                int(sounding[start - 1]) if start else SILENT,
                int(sounding[start]),
                bool(begins[start]),
                (int(heard.min()), int(heard.max())) if len(heard) else None,
            )
        )
    return places


def _scale(chord: Chord | None, keys: Sequence[KeyChange], step: int) -> frozenset[int]:
    if chord is None or chord.is_none:
        return frozenset()
    key = next((change.key for change in reversed(keys) if change.onset_steps <= step), None)
    return chord.pitch_classes if key is None else chord_scale(chord, key) | chord.pitch_classes


def counter_trellis(
    places: Sequence[Place], low: int, high: int, tastes: Tastes, steps_per_quarter: int, *, is_below: bool
) -> Trellis:
    """Return the law of the line.

    Parameters
    ----------
    places
        At least one.
    low, high
        The compass.
    tastes
        The prior.
    steps_per_quarter
        The grid.
    is_below
        Whether the line lies below the melody.

    Returns
    -------
    Trellis
        A slot for each place. Of n pitches candidate 0 is silence, 1 to n begin a note, the lowest first, and n + 1 to
        2 n hold it.
    """
    pitches = np.arange(low, high + 1)
    rows, foreign = [], []
    for number, place in enumerate(places):
        away = ~np.isin(pitches % _OCTAVE, sorted(_chord_tones(place)))
        sound = _sounding(place, pitches, away, tastes, is_below=is_below)
        if number + 1 == len(places):
            sound = np.where(away, -np.inf, sound)
        silence = tastes.silence * (place.end - place.start) / steps_per_quarter
        held = -_held(place, tastes) if number else -np.inf
        rows.append(np.concatenate([[-silence], sound - _begun(place, tastes), sound + held]))
        foreign.append(np.concatenate([[False], away, away]))
    own, n = _own_moves(pitches, tastes), 2 * len(pitches) + 1
    against: dict[tuple[int, int], Factor] = {}
    factors = []
    for away, place in zip(foreign, places[1:], strict=False):
        row = [Factor(np.arange(n) + n * away, np.arange(n), own)]
        if SILENT not in (place.before, place.now) and place.before != place.now:
            pair = (place.before, place.now)
            if pair not in against:
                against[pair] = Factor(np.arange(n), np.arange(n), _against_melody(pitches, *pair, tastes))
            row.append(against[pair])
        factors.append(tuple(row))
    return Trellis(tuple(rows), tuple(factors))


def _begun(place: Place, tastes: Tastes) -> float:
    """Return what it costs to begin a note in a place."""
    beside = tastes.together if place.begins else tastes.alone if place.now == SILENT else tastes.over_held
    return beside + tastes.off_beat * (place.level > _BEAT_LEVEL) + tastes.strong * (place.level <= STRONG_LEVEL)


def _held(place: Place, tastes: Tastes) -> float:
    """Return what it costs to hold a note into a place."""
    return tastes.held_into_chord * place.is_new_chord + tastes.held_into_bar * (place.level == 0)


def _chord_tones(place: Place) -> frozenset[int]:
    return frozenset() if place.chord is None or place.chord.is_none else place.chord.pitch_classes


def _sounding(
    place: Place, pitches: NDArray[np.int64], away: NDArray[np.bool_], tastes: Tastes, *, is_below: bool
) -> _Array:
    """Return the weight of sounding each pitch in a place; ``away`` says which are foreign to its chord."""
    is_bound = place.level <= STRONG_LEVEL or place.is_new_chord
    allowed = ~away if is_bound else np.isin(pitches % _OCTAVE, sorted(place.scale))
    row = np.where(allowed, -tastes.foreign * away, -np.inf)
    if place.span is not None:
        edge = place.span[0] - pitches if is_below else pitches - place.span[1]
        row = np.where(edge > 0, row, -np.inf) - tastes.near * (edge < min(_THIRDS_AND_SIXTHS))
    if place.now != SILENT:
        interval = np.abs(place.now - pitches) % _OCTAVE
        row -= tastes.harsh * np.isin(interval, _HARSH) + tastes.mild * np.isin(interval, _MILD)
        row -= tastes.perfect * np.isin(interval, (0, 7))
    return row


def _own_moves(pitches: NDArray[np.int64], tastes: Tastes) -> _Array:
    """Return the weights of moves of the line by itself: from what is not foreign to its chord, and from what is."""
    n = len(pitches)
    size = np.abs(pitches[:, None] - pitches)
    onward = -tastes.semitone * np.maximum(size - 2, 0) - tastes.repeated * (size == 0)
    onward[(size > _OCTAVE) | np.isin(size, (6, 10, 11))] = -np.inf
    same = np.where(np.eye(n, dtype=np.bool_), 0.0, -np.inf)
    silence = np.concatenate([[0.0], np.full(n, -tastes.entry), np.full(n, -np.inf)])
    free = np.concatenate([np.full((n, 1), -tastes.entry), onward, same], axis=1)
    by_step = np.where((size > 2) | (size == 0), -np.inf, onward)
    bound = np.concatenate([np.full((n, 1), -np.inf), by_step, same], axis=1)
    return np.concatenate([silence[None], free, free, silence[None], bound, bound])


def _against_melody(pitches: NDArray[np.int64], before: int, now: int, tastes: Tastes) -> _Array:
    """Return the weights of moves beside a melody that moves from one pitch to another."""
    was, is_ = (before, pitches[:, None]), (now, pitches[None, :])
    forbidden = np.asarray(motion.parallel_fifths(was, is_) | motion.parallel_octaves(was, is_))
    hidden = np.asarray(motion.hidden_fifths(was, is_) | motion.hidden_octaves(was, is_))
    part = np.where(forbidden, -np.inf, -tastes.hidden * hidden)
    part -= tastes.similar * np.asarray(motion.similar_motion(was, is_))
    part -= tastes.contrary * np.asarray(motion.contrary_motion(was, is_))
    n = len(pitches)
    table = np.zeros((2 * n + 1, 2 * n + 1))
    table[1 : n + 1, 1 : n + 1] = table[n + 1 :, 1 : n + 1] = part
    return table
