"""Drums: a groove for each bar, a fill before each new section, a crash on it, and a last stroke.

The grooves are those of :mod:`symgen.band.grooves`. In a metre that the table lacks, a groove is built: the low drum
and its answer take turns on the beats, taken in twos and threes within each group of the metre; the time goes on in
between. So 2+2+3/8 and 5/4 sound as they are counted.

>>> from theory.meter import Meter
>>> bar = built_groove(KITS["rock"], Meter.parse("2+2+3/8"))
>>> [str(stroke.place) for stroke in bar["kick"]], [str(stroke.place) for stroke in bar["snare"]]
(['0'], ['4/7'])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from symgen.band.fills import FILLS
from symgen.band.frame import SIGNS, Stroke, bar_strokes, table_name, tidy, weighed
from symgen.band.grooves import GROOVES, INSTRUMENTS, KITS, Kit, read_bar
from symgen.errors import RequestError
from symgen.grid import BarMap
from symgen.score import Note
from theory.meter import Meter

__all__ = ["Part", "built_fill", "built_groove", "drum_notes", "grooves_of", "parts_of"]

_Bar = Mapping[str, Sequence[Stroke]]

_SECTION_BARS = 8
_NUMBERING = " 0123456789'′’"
_PLAYED = 0.5  # how often a ? is
_SPREAD = 4  # velocities stray so much either way
_DOWN_THE_KIT = ("snare", "high-tom", "mid-tom", "floor-tom")


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the piece: the bar it starts in, from 0, and which of the grooves it has."""

    first: int
    groove: int


def drum_notes(
    style: str, bars: BarMap, parts: Sequence[Part], rng: np.random.Generator, *, end: int | None = None
) -> tuple[Note, ...]:
    """Return the drums of a piece.

    Parameters
    ----------
    style
        One of :data:`symgen.band.grooves.KITS`.
    bars
        The bars of the piece.
    parts
        The sections, ascending; the drums start with the first of them. The bar before each of the others has a fill:
        a whole one before another groove and every eight bars, else one on the last beat, or none in quiet styles.
    end
        The step of the last stroke; no stroke follows it. The start of the last bar if left out.
    rng
        Source of chance: which of the strokes marked ``?`` are played, which fill, and small differences in loudness.

    Raises
    ------
    RequestError
        If the style has no drums.
    """
    if style not in KITS:
        msg = f"drums {style!r}: expected one of {', '.join(KITS)}"
        raise RequestError(msg)
    notes: list[Note] = []
    for bar in range(parts[0].first if parts else bars.n_bars, bars.n_bars):
        rows = _rows(style, bars, bar, parts, rng)
        notes += _notes(rows, bars, bar, rng)
    if bars.n_bars < 2 or not notes:
        return tidy(notes)
    end = int(bars.starts[-2]) if end is None else end
    velocity = weighed(SIGNS[KITS[style].crash], 0)
    last = [Note(end, bars.end_steps - end, INSTRUMENTS[name], velocity) for name in ("kick", "crash")]
    return tidy([*(note for note in notes if note.onset_steps < end), *last])


def parts_of(marked: Sequence[tuple[int, str]], first: int, n_bars: int) -> list[Part]:
    """Return the sections of a piece.

    >>> [(part.first, part.groove) for part in parts_of([(0, "A"), (4, "A'"), (8, "B"), (12, "A")], 0, 16)]
    [(0, 0), (4, 0), (8, 1), (12, 0)]

    Parameters
    ----------
    marked
        Bars that have a marker, and its text: texts that are the same but for primes and numbers have the same
        groove. Where none lies after the first bar a section has 8 bars, and grooves take turns.
    first
        The first bar that is no pickup.
    n_bars
        How many bars the piece has.
    """
    inside = {max(bar, first): text.rstrip(_NUMBERING).lower() for bar, text in marked if bar < n_bars}
    if all(bar == first for bar in inside):
        return [Part(bar, number) for number, bar in enumerate(range(first, n_bars, _SECTION_BARS))]
    named = {first: "", **dict(sorted(inside.items()))}
    names = list(dict.fromkeys(named.values()))
    return [Part(bar, names.index(name)) for bar, name in named.items()]


def grooves_of(style: str, meter: Meter) -> list[_Bar]:
    """Return the grooves of a style in a metre: those of the table, or the one that is built."""
    rows = GROOVES[style].get(table_name(meter), ())
    return [read_bar(text) for text in rows] or [built_groove(KITS[style], meter)]


def built_groove(kit: Kit, meter: Meter) -> dict[str, tuple[Stroke, ...]]:
    """Return a groove made of the weights of a metre.

    Parameters
    ----------
    kit
        Which instruments.
    meter
        Any.
    """
    beats = [place / meter.bar_quarters for place in meter.beat_starts]
    low, back = _turns(meter)
    time = _between(meter) if kit.is_busy else beats
    cell = min((b - a for a, b in zip(time, [*time[1:], Fraction(1)], strict=True)), default=Fraction(1))
    signs = {place: "x" if place in beats else "o" for place in time}
    return {
        kit.time: tuple(Stroke(place, cell, signs[place]) for place in time),
        kit.back: tuple(Stroke(place, cell, "X") for place in back),
        kit.low: tuple(Stroke(place, cell, "x" if place else "X") for place in low),
    }


def built_fill(groove: _Bar, meter: Meter) -> dict[str, Sequence[Stroke]]:
    """Return a groove whose last part, from the last strong beat on or half the bar, goes down the kit, ever louder."""
    places = _between(meter)
    start = max((p for p in (b / meter.bar_quarters for b in meter.beat_starts) if p <= Fraction(1, 2)), default=0)
    rolled = [place for place in places if place >= start]
    rows: dict[str, Sequence[Stroke]] = {name: tuple(s for s in row if s.place < start) for name, row in groove.items()}
    for number, place in enumerate(rolled):
        name = _DOWN_THE_KIT[number * len(_DOWN_THE_KIT) // len(rolled)]
        sign = "X" if 2 * number >= len(rolled) else "x"
        rows[name] = (*rows.get(name, ()), Stroke(place, Fraction(1, len(places)), sign))
    return rows


def _turns(meter: Meter) -> tuple[list[Fraction], list[Fraction]]:
    """Return where the low drum and where its answer falls, as shares of the bar."""
    beats, groups = meter.beat_starts, meter.group_starts
    edges = [i for i, beat in enumerate(beats) if beat in groups] if len(groups) < len(beats) else [0]
    low, back = [], []
    for start, end in pairwise([*edges, len(beats)]):
        for first, size in _twos_and_threes(start, end):
            low.append(beats[first] / meter.bar_quarters)
            back += [beats[first + size - 1] / meter.bar_quarters] if size > 1 else []
    return low, back


def _twos_and_threes(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where each part starts and its size: twos, with one three before them where the number is odd."""
    while start < end:
        left = end - start
        size = 3 if left % 2 and left >= 3 else min(2, left)
        yield start, size
        start += size


def _between(meter: Meter) -> list[Fraction]:
    """Return the places of the eighths, or of the counts where they are shorter, as shares of the bar."""
    length = min(Fraction(1, 2), Fraction(4, meter.denominator))
    return [length * i / meter.bar_quarters for i in range(int(meter.bar_quarters / length))]


def _rows(style: str, bars: BarMap, bar: int, parts: Sequence[Part], rng: np.random.Generator) -> _Bar:
    """Return what is played in a bar."""
    meter, part = bars.meters[bar], next(part for part in reversed(parts) if part.first <= bar)
    starts = [later.first for later in parts[1:]]
    grooves, crash = grooves_of(style, meter), (Stroke(Fraction(0), Fraction(1), KITS[style].crash),)
    groove = grooves[part.groove % len(grooves)]
    if part.groove % 2 and len(grooves) == 1:  # another section sounds another way
        groove = _on_the_ride(groove)
    if bar in starts and _is_new(parts, bar):
        groove = {**groove, "crash": crash}
    if bar + 1 not in starts:
        return groove
    fills = FILLS.get(style, {}).get(table_name(meter), ())
    fill: _Bar = read_bar(fills[int(rng.integers(len(fills)))]) if fills else built_fill(groove, meter)
    fill = fill if "hat" in groove else _on_the_ride(fill)
    if _is_new(parts, bar + 1):
        return fill
    return _with_end_of(fill, groove, meter) if KITS[style].crash == "X" else groove


def _on_the_ride(rows: _Bar) -> _Bar:
    """Return a bar in which the ride does what the hi-hat did."""
    return {"ride" if name == "hat" else name: row for name, row in rows.items()}


def _is_new(parts: Sequence[Part], bar: int) -> bool:
    """Whether the section that starts in a bar has another groove than the one before it, or eight bars are over."""
    number = next(i for i, part in enumerate(parts) if part.first == bar)
    return parts[number].groove != parts[number - 1].groove or (bar - parts[0].first) % _SECTION_BARS == 0


def _with_end_of(fill: _Bar, groove: _Bar, meter: Meter) -> dict[str, Sequence[Stroke]]:
    """Return a groove with the last beat of a fill."""
    start = meter.beat_starts[-1] / meter.bar_quarters
    before = {name: [stroke for stroke in row if stroke.place < start] for name, row in groove.items()}
    after = {name: [stroke for stroke in row if stroke.place >= start] for name, row in fill.items()}
    return {name: [*before.get(name, []), *after.get(name, [])] for name in {**before, **after}}


def _notes(rows: _Bar, bars: BarMap, bar: int, rng: np.random.Generator) -> list[Note]:
    first, levels = int(bars.starts[bar]), bars.meters[bar].levels(bars.steps_per_quarter)
    notes = []
    for name, row in rows.items():
        for start, end, sign in bar_strokes(row, bars, bar):
            stray, is_played = int(rng.integers(-_SPREAD, _SPREAD + 1)), rng.random() < _PLAYED
            if sign != "?" or is_played:
                velocity = weighed(SIGNS[sign] + stray, int(levels[start - first]))
                notes.append(Note(start, end - start, INSTRUMENTS[name], velocity))
    return notes
