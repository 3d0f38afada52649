"""Textures: how a row of chords is played on a keyboard or a guitar.

Every texture plays the pitches of one voicing of the chord (:mod:`theory.voicing`: close position, at most four notes
within an octave, so that one hand holds them; from chord to chord it moves as little as it can), and ends each note
where the chord ends.

>>> from theory.chord import Chord
>>> from theory.meter import Meter
>>> bars = BarMap.build([(0, Meter())], steps_per_quarter=4, end_steps=16)
>>> notes = texture_notes("alberti", [ChordChange(0, Chord.parse("C"))], bars)
>>> [note.pitch for note in notes]
[55, 64, 60, 64, 55, 64, 60, 64]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from symgen.band.frame import (
    SIGNS,
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
from symgen.errors import RequestError
from symgen.grid import BarMap
from symgen.score import ChordChange, Note
from theory.voicing import MAX_NOTES, voicings

__all__ = ["HIGHEST", "TEXTURES", "texture_notes"]

HIGHEST = 69
"""The highest pitch of a voicing where nothing asks for another; arpeggios go on to its lowest note an octave up."""

_COMPASS = 19
_VELOCITY = 60
_SOFTER = 0.65  # of the velocities that the signs say
_Voicing = tuple[int, ...]
_Played = tuple[int, int, Sequence[int], int]  # start, end, pitches, velocity before the metre's weight
_Player = Callable[[Span, _Voicing, BarMap], Iterator[_Played]]


def texture_notes(
    texture: str, chords: Sequence[ChordChange], bars: BarMap, *, highest: int = HIGHEST
) -> tuple[Note, ...]:
    """Return the notes that play chords.

    Parameters
    ----------
    texture
        One of :data:`TEXTURES`.
    chords
        Ascending; where none sounds there is silence.
    bars
        The bars of the piece.
    highest
        The highest pitch of a voicing; the lowest lies so far below that every chord has a place between.

    Raises
    ------
    RequestError
        If there is no such texture.
    """
    if texture not in TEXTURES:
        msg = f"texture {texture!r}: expected one of {', '.join(TEXTURES)}"
        raise RequestError(msg)
    voiced = voicings([change.chord for change in chords], low=highest - _COMPASS, high=highest)
    spans, play = spans_of(chords, bars), TEXTURES[texture]
    if texture == "pads":
        return tidy(_pads(spans, voiced))
    levels = bars.levels()
    return tidy(
        Note(start, end - start, pitch, weighed(velocity, int(levels[start])))
        for span in spans
        for start, end, pitches, velocity in play(span, voiced[span.number], bars)
        for pitch in pitches
    )


def _pads(spans: Sequence[Span], voiced: Sequence[_Voicing]) -> Iterator[Note]:
    """Yield each pitch held as long as chord after chord has it."""
    held: dict[int, int] = {}
    end = 0
    for span in spans:
        now = set(voiced[span.number])
        for pitch in sorted(held):
            if span.start > end or pitch not in now:
                yield Note(held[pitch], end - held[pitch], pitch, _VELOCITY)
                del held[pitch]
        held |= {pitch: span.start for pitch in sorted(now) if pitch not in held}
        end = span.end
    for pitch, start in sorted(held.items()):
        yield Note(start, end - start, pitch, _VELOCITY)


def _sustain(span: Span, voicing: _Voicing, bars: BarMap) -> Iterator[_Played]:
    yield span.start, span.end, voicing, _VELOCITY


def _pulse(span: Span, voicing: _Voicing, bars: BarMap) -> Iterator[_Played]:
    for start, end in pairwise(edges_within(span, bar_beats(bars, span.bar))):
        yield start, end, voicing, _VELOCITY


def _after(span: Span, voicing: _Voicing, bars: BarMap) -> Iterator[_Played]:
    """Strike the beats on which no group of the metre starts, which are the bass's."""
    low = edges_within(span, group_steps(bars, span.bar))[:-1]
    beats = list(pairwise(edges_within(span, bar_beats(bars, span.bar))))
    free = [(start, end) for start, end in beats if start not in low]
    for start, end in free if len(beats) > 1 and free else beats:
        yield start, end, voicing, _VELOCITY


def _arpeggio(order: Callable[[int], Sequence[int]], *, is_wide: bool = True) -> _Player:
    """Return a texture of one note after the other; ``order`` says which, of so many.

    A wide one has the lowest note of a triad an octave up as its fourth, so that up and down are six notes.
    """

    def play(span: Span, voicing: _Voicing, bars: BarMap) -> Iterator[_Played]:
        notes = (*voicing, voicing[0] + 12) if is_wide and len(voicing) < MAX_NOTES else voicing
        turns = order(len(notes))
        for number, (start, end) in enumerate(pairwise(edges_within(span, divisions(bars, span.bar)))):
            yield start, end, [notes[turns[number % len(turns)]]], _VELOCITY

    return play


def _broken(span: Span, voicing: _Voicing, bars: BarMap) -> Iterator[_Played]:
    """Play the lowest note on each beat and the others after it."""
    beats = set(edges_within(span, bar_beats(bars, span.bar)))
    for start, end in pairwise(edges_within(span, divisions(bars, span.bar))):
        yield start, end, voicing[:1] if start in beats else voicing[1:] or voicing, _VELOCITY


def _patterned(by_meter: Mapping[str, str], otherwise: _Player) -> _Player:
    """Return a texture that strikes whole chords in patterns; metres without any are played otherwise.

    Patterns stand apart by ``/``, and take turns from bar to bar. A chord that comes within a bar, or has no stroke
    of the pattern, is struck where it starts.
    """

    def play(span: Span, voicing: _Voicing, bars: BarMap) -> Iterator[_Played]:
        patterns = by_meter.get(table_name(bars.meters[span.bar]))
        if patterns is None:
            yield from otherwise(span, voicing, bars)
            return
        turns = patterns.split("/")
        hits = bar_strokes(strokes(turns[span.bar % len(turns)]), bars, span.bar)
        inside = [hit for hit in hits if span.start <= hit[0] < span.end]
        is_late = not inside or (span.start > bars.starts[span.bar] and inside[0][0] > span.start)
        if is_late:
            inside = [(span.start, inside[0][0] if inside else span.end, "x"), *inside]
        for start, end, sign in inside:
            yield start, min(end, span.end), voicing, round(SIGNS[sign] * _SOFTER)

    return play


def _up_and_down(n: int) -> Sequence[int]:
    return [*range(n), *range(n - 2, 0, -1)]


def _alberti(n: int) -> Sequence[int]:
    return [0, n - 1, n // 2, n - 1]


TEXTURES: Mapping[str, _Player] = MappingProxyType(
    {
        "sustain": _sustain,
        "pads": _sustain,
        "pulse": _pulse,
        "after": _after,
        "broken": _broken,
        "arpeggio-up": _arpeggio(lambda n: range(n)),
        "arpeggio-down": _arpeggio(lambda n: range(n - 1, -1, -1)),
        "arpeggio-updown": _arpeggio(_up_and_down),
        "alberti": _arpeggio(_alberti, is_wide=False),
        "strum": _patterned(
            {"4/4": "X=xx=xxx", "3/4": "X=x=xx", "2/4": "X=xx", "6/8": "X=xX=x", "12/8": "X=xX=xX=xX=x"}
            | {"5/4": "X=x=xxX=xx", "7/8": "X=X=X=x"},
            _pulse,
        ),
        "comp-pop": _patterned(
            {"4/4": "X=====x=x===x===", "3/4": "X===x=x=x===", "6/8": "X=x=x=", "12/8": "X==x==x==x=x"}
            | {"5/4": "X==x==X===", "7/8": "X=x=X=x", "2/4": "X==x"},
            _pulse,
        ),
        "comp-rock": _patterned(
            {"4/4": "X-x-x-x-X-x-x-x-", "3/4": "X-x-x-x-x-x-", "12/8": "X-xX-xX-xX-x"}
            | {"5/4": "X==xx-X=x- / X==xx-X==x", "7/8": "X-x-X-x / X-x-X=="},
            _pulse,
        ),
        "comp-funk": _patterned({"4/4": "---x--X- -x--x-X- / X--x--x- -x--x---"}, _after),
        "comp-jazz": _patterned(
            {"4/4": "X==x---- / --x---X= / X---x--x / -x---X--", "3/4": "X==x-- / -x--X-"}
            | {"5/4": "X==x--X=-- / X==x--x--x", "12/8": "X====x------ / ---x==--x---"},
            _pulse,
        ),
        "comp-bossa": _patterned({"4/4": "X==x==x===x==x=="}, _pulse),
    }
)
"""By name."""
