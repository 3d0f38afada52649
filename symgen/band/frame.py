"""What every player of the band reads: patterns, the stretches of the chords, and the weight of each place.

A *pattern* is a row of cells that share a bar evenly, as on a drum machine: ``-`` nothing, ``x`` a stroke, ``X`` an
accent, ``o`` a soft one (a ghost note), ``?`` a soft one that is played half of the time. Spaces and ``|`` only help
the eye.

>>> [(str(s.place), str(s.length), s.sign) for s in strokes("X-x= o-?-")]
[('0', '1/8', 'X'), ('1/4', '1/4', 'x'), ('1/2', '1/8', 'o'), ('3/4', '1/8', '?')]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from types import MappingProxyType

from symgen.errors import RequestError
from symgen.grid import BarMap
from symgen.score import ChordChange, Note
from theory.chord import Chord
from theory.meter import Meter
from theory.swing import Swing

__all__ = [
    "SIGNS",
    "Span",
    "Stroke",
    "bar_beats",
    "bar_strokes",
    "divisions",
    "edges_within",
    "group_steps",
    "spans_of",
    "strokes",
    "swung",
    "table_name",
    "tidy",
    "weighed",
]

SIGNS = MappingProxyType({"X": 108, "x": 88, "o": 46, "?": 42})
"""The velocity that each sign of a pattern stands for, before the metre's weight."""

_ALSO = MappingProxyType({"2/2": "4/4", "4/8": "2/4"})
_BY_LEVEL = (6, 4, 2, -2, -4)  # added to a velocity; deeper levels like the last


@dataclass(frozen=True, slots=True)
class Stroke:
    """A stroke of a pattern.

    Parameters
    ----------
    place
        Where in the bar, as a share of it from 0 to below 1.
    length
        Of its cell and those that let it ring, as a share of the bar.
    sign
        One of :data:`SIGNS`, or of those that a player knows.
    """

    place: Fraction
    length: Fraction
    sign: str


@cache
def strokes(pattern: str, signs: str = "".join(SIGNS)) -> tuple[Stroke, ...]:
    """Read a pattern.

    Parameters
    ----------
    pattern
        As the module says.
    signs
        Those that stand for strokes.

    Raises
    ------
    RequestError
        If it has no cells, or a sign that means nothing.
    """
    cells = pattern.replace(" ", "").replace("|", "")
    if not cells or set(cells) - set(signs) - {"-", "="}:
        msg = f"pattern {pattern!r}: expected cells of -, = and {', '.join(signs)}, such as {signs[0]}=-{signs[1]}"
        raise RequestError(msg)
    cell = Fraction(1, len(cells))
    rung = [len(cells[i + 1 :]) - len(cells[i + 1 :].lstrip("=")) for i in range(len(cells))]
    return tuple(Stroke(i * cell, (1 + rung[i]) * cell, sign) for i, sign in enumerate(cells) if sign in signs)


@dataclass(frozen=True, slots=True)
class Span:
    """A chord within one bar.

    Parameters
    ----------
    start, end
        Steps.
    bar
        Counted from 0.
    chord
        Not ``N.C.``.
    following
        The chord of the next span, if it follows at once.
    number
        Which of the chord changes it is part of.
    """

    start: int
    end: int
    bar: int
    chord: Chord
    following: Chord | None
    number: int


def spans_of(chords: Sequence[ChordChange], bars: BarMap) -> list[Span]:
    """Cut the chords at the bar lines; stretches of no chord are left out."""
    edges = [min(change.onset_steps, bars.end_steps) for change in chords] + [bars.end_steps]
    spans = [
        Span(max(start, int(bars.starts[bar])), min(end, int(bars.starts[bar + 1])), bar, change.chord, None, number)
        for number, (change, (start, end)) in enumerate(zip(chords, pairwise(edges), strict=True))
        if start < end and not change.chord.is_none
        for bar in range(int(bars.bar_of(start)), int(bars.bar_of(end - 1)) + 1)
    ]
    after = [*spans[1:], None][: len(spans)]
    return [
        replace(span, following=later.chord) if later is not None and later.start == span.end else span
        for span, later in zip(spans, after, strict=True)
    ]


def bar_beats(bars: BarMap, bar: int) -> list[int]:
    """Return the steps of the beats of a bar; a bar that was cut short has fewer."""
    return _within(bars, bar, bars.meters[bar].beat_starts)


def bar_strokes(row: Iterable[Stroke], bars: BarMap, bar: int) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and sign of each stroke of a bar, to the nearest step; none past the end of the bar."""
    first, end = int(bars.starts[bar]), int(bars.starts[bar + 1])
    size = bars.meters[bar].bar_quarters * bars.steps_per_quarter
    for stroke in row:
        start = first + round(stroke.place * size)
        if start < end:
            yield start, min(max(first + round((stroke.place + stroke.length) * size), start + 1), end), stroke.sign


def table_name(meter: Meter) -> str:
    """Return the name that a metre has in the tables: for some that of one in other note values.

    >>> table_name(Meter(2, 2)), table_name(Meter(4, 8)), table_name(Meter(6, 8))
    ('4/4', '2/4', '6/8')
    """
    return _ALSO.get(str(meter), str(meter))


def edges_within(span: Span, places: Iterable[int]) -> list[int]:
    """Return the start of a span, the places within it, and its end."""
    return [span.start, *(place for place in places if span.start < place < span.end), span.end]


def group_steps(bars: BarMap, bar: int) -> list[int]:
    """Return the steps at which the groups of a bar's metre start."""
    return _within(bars, bar, bars.meters[bar].group_starts)


def divisions(bars: BarMap, bar: int) -> list[int]:
    """Return the steps of the eighths of a bar, or of the sixteenths where those are counted."""
    meter = bars.meters[bar]
    length = min(Fraction(1, 2), Fraction(4, meter.denominator))
    return _within(bars, bar, [length * i for i in range(int(meter.bar_quarters / length))])


def _within(bars: BarMap, bar: int, places: Iterable[Fraction]) -> list[int]:
    first, end = int(bars.starts[bar]), int(bars.starts[bar + 1])
    steps = (first + round(place * bars.steps_per_quarter) for place in places)
    return sorted({step for step in steps if step < end})


def weighed(velocity: int, level: int) -> int:
    """Return a velocity with the weight of its place in the bar, 1 to 127."""
    return min(max(velocity + _BY_LEVEL[min(level, len(_BY_LEVEL) - 1)], 1), 127)


def swung(notes: Iterable[Note], bars: BarMap, swing: Swing) -> tuple[Note, ...]:
    """Return notes with their starts and ends where a swing puts them, to the nearest step.

    Bars in a compound metre, whose beats have three parts already, stay as they are.
    """

    @cache
    def late(meter: Meter, steps: int) -> int:
        place = Fraction(steps, bars.steps_per_quarter)
        if meter.is_compound or place >= meter.bar_quarters:
            return steps
        return round(swing.swung(place, meter) * bars.steps_per_quarter)

    def moved(step: int) -> int:
        bar = int(bars.bar_of(step))
        start = int(bars.starts[bar])
        return start + late(bars.meters[bar], step - start)

    places = ((note, moved(note.onset_steps), moved(note.end_steps)) for note in notes)
    return tidy(replace(note, onset_steps=a, duration_steps=max(b - a, 1)) for note, a, b in places)


def tidy(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Return notes of which none reaches into the next one of its pitch; of equals the loudest stays."""
    return tuple(sorted(_cut(sorted(notes, key=lambda n: (n.pitch, n.onset_steps, -n.velocity)))))


def _cut(notes: Sequence[Note]) -> Iterator[Note]:
    before: Note | None = None
    for note in notes:
        if before is not None and (before.pitch, before.onset_steps) == (note.pitch, note.onset_steps):
            continue
        if before is not None:
            yield _cut_at(before, note)
        before = note
    if before is not None:
        yield before


def _cut_at(note: Note, following: Note) -> Note:
    if note.pitch != following.pitch or note.end_steps <= following.onset_steps:
        return note
    return replace(note, duration_steps=following.onset_steps - note.onset_steps)
