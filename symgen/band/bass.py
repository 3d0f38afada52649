"""Bass lines over a row of chords: patterns of chord tones, and a walking bass that is drawn.

A pattern's cells are ``1`` the bass note of the chord (its root, or what stands after the slash), ``3`` the third,
``5`` the fifth, ``8`` the bass note an octave off, ``=`` lets ring, ``-`` is silent. A chord over a foreign bass has
only ``1`` and ``8``.

>>> from theory.meter import Meter
>>> bars = BarMap.build([(0, Meter())], steps_per_quarter=4, end_steps=16)
>>> [(n.onset_steps, n.pitch) for n in bass_notes("bossa", [ChordChange(0, Chord.parse("C"))], bars)]
[(0, 36), (6, 43), (8, 43), (14, 36)]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from types import MappingProxyType

import numpy as np

from symgen.band.frame import (
    Span,
    bar_beats,
    bar_strokes,
    divisions,
    edges_within,
    group_steps,
    spans_of,
    strokes,
    table_name,
    tidy,
    weighed,
)
from symgen.band.walking import walking_pitches
from symgen.errors import RequestError
from symgen.grid import BarMap
from symgen.score import ChordChange, KeyChange, Note
from theory.chord import Chord
from theory.voicing import bass_pitch

__all__ = ["BASSES", "bass_notes"]

_VELOCITY = 76
_LOWEST, _HIGHEST = 31, 43  # of the notes that chords stand on
_HIGHEST_FIFTH, _HIGHEST_EIGHT = 45, 52
_DEGREES = "1358"

BASSES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "held": {},
        "root-fifth": {},
        "eighths": {},
        "octave": {},
        "boogie": {},
        "waltz": {},
        "pump": {"4/4": "1=====1=1=======", "3/4": "1=======1===", "6/8": "1====1", "12/8": "1====11====="}
        | {"5/4": "1==1=51=5=", "7/8": "1==15=1", "2/4": "1==1"},
        "bossa": {"4/4": "1=====5=5=====1="},
        "walking": {},
    }
)
"""By name; those with patterns play root and fifth on the groups of the metres that have none."""


@dataclass(frozen=True, slots=True)
class _Tones:
    """The pitches that the signs of a pattern stand for."""

    one: int
    three: int
    five: int
    eight: int

    def of(self, sign: str) -> int:
        return (self.one, self.three, self.five, self.eight)[_DEGREES.index(sign)]


def bass_notes(
    kind: str,
    chords: Sequence[ChordChange],
    bars: BarMap,
    *,
    keys: Sequence[KeyChange] = (),
    rng: np.random.Generator | None = None,
) -> tuple[Note, ...]:
    """Return a bass line.

    Parameters
    ----------
    kind
        One of :data:`BASSES`.
    chords
        Ascending; where none sounds the bass is silent.
    bars
        The bars of the piece.
    keys
        Whose scales a walking bass may pass through; without them it keeps to the chords.
    rng
        Source of chance of the walking bass; a fixed one if left out.

    Raises
    ------
    RequestError
        If there is no such bass.
    """
    if kind not in BASSES:
        msg = f"bass {kind!r}: expected one of {', '.join(BASSES)}"
        raise RequestError(msg)
    spans, levels = spans_of(chords, bars), bars.levels()
    if kind == "walking":
        played = _walked(spans, bars, keys, np.random.default_rng(0) if rng is None else rng)
    else:
        played = _patterned(kind, spans, bars)
    return tidy(Note(a, b - a, pitch, weighed(_VELOCITY, int(levels[a]))) for a, b, pitch in played)


def _walked(
    spans: Sequence[Span], bars: BarMap, keys: Sequence[KeyChange], rng: np.random.Generator
) -> Iterator[tuple[int, int, int]]:
    edges = [edges_within(span, bar_beats(bars, span.bar)) for span in spans]
    beats = [(span, pair) for span, row in zip(spans, edges, strict=True) for pair in pairwise(row)]
    pitches = walking_pitches([(span, start) for span, (start, _) in beats], bars, keys, rng)
    for (_, (start, end)), pitch in zip(beats, pitches, strict=True):
        yield start, end, pitch


def _patterned(kind: str, spans: Sequence[Span], bars: BarMap) -> Iterator[tuple[int, int, int]]:
    one: int | None = None
    for _, group in groupby(spans, key=lambda span: span.number):
        for turn, span in enumerate(group):
            if turn == 0:
                one = bass_pitch(span.chord, one, low=_LOWEST, high=_HIGHEST)
            assert one is not None  # spans have chords
            tones = _tones(one, span.chord)
            for start, end, sign in _signs(kind, span, bars, turn):
                yield start, end, tones.of(sign)


def _tones(one: int, chord: Chord) -> _Tones:
    eight = one + 12 if one + 12 <= _HIGHEST_EIGHT else one - 12
    if chord.bass is not None or chord.root is None:
        return _Tones(one, one, one, eight)
    third, fifth = _first_of((4, 3, 5, 2), chord), _first_of((7, 6, 8), chord)
    five = one + fifth if one + fifth <= _HIGHEST_FIFTH or one + fifth - 12 < _LOWEST else one + fifth - 12
    return _Tones(one, one + third, five, eight)


def _first_of(wanted: Sequence[int], chord: Chord) -> int:
    """Return the first of some semitones above the root that a chord has, or 0."""
    return next((semitones for semitones in wanted if semitones in chord.semitones), 0)


def _signs(kind: str, span: Span, bars: BarMap, turn: int) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and sign of each note of a span; ``turn`` counts the bars for which the chord has gone on."""
    pattern = BASSES[kind].get(table_name(bars.meters[span.bar]))
    if pattern is not None:
        hits = [h for h in bar_strokes(strokes(pattern, _DEGREES), bars, span.bar) if span.start < h[0] < span.end]
        first = hits[0][0] if hits else span.end
        yield from ((start, min(end, span.end), sign) for start, end, sign in [(span.start, first, "1"), *hits])
        return
    places, signs = _PLAIN.get(kind, (group_steps, "15"))
    edges = edges_within(span, places(bars, span.bar))
    for number, (start, end) in enumerate(pairwise(edges)):
        yield start, end, signs[(number + (turn if kind == "waltz" else 0)) % len(signs)]


def _nowhere(bars: BarMap, bar: int) -> list[int]:
    return []


_PLAIN = MappingProxyType(
    {
        "held": (_nowhere, "1"),
        "waltz": (_nowhere, "15"),
        "root-fifth": (group_steps, "15"),
        "eighths": (divisions, "1"),
        "octave": (divisions, "18"),
        "boogie": (bar_beats, "1358"),
    }
)
"""Where the notes start, and which they are in turn."""
