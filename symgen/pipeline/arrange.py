"""From a melody and its chords to a song of three tracks: Melody, Chords and Bass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType

from symgen.grid import BarMap
from symgen.score import ChordChange, Note, Track
from theory.voicing import bass_pitch, voicings

__all__ = ["Arrangement", "arrange", "arrangement_of", "shaped"]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a style is accompanied.

    Parameters
    ----------
    melody, chords, bass
        General MIDI programs.
    pattern
        ``sustain`` (chords held), ``pulse`` (struck on each beat) or ``after`` (struck on the beats the bass
        leaves free).
    """

    melody: int
    chords: int
    bass: int
    pattern: str


_ARRANGEMENTS = MappingProxyType(
    {
        "folk": Arrangement(melody=40, chords=24, bass=32, pattern="after"),
        "lead-sheet": Arrangement(melody=65, chords=0, bass=32, pattern="pulse"),
        "chorale": Arrangement(melody=73, chords=19, bass=43, pattern="sustain"),
    }
)
_VELOCITY_BY_LEVEL = (96, 90, 84, 78)  # the deeper the level, the softer; deeper ones like the last
_CHORD_VELOCITY, _BASS_VELOCITY = 60, 76


def arrangement_of(style: str) -> Arrangement:
    """Return the accompaniment of a style; an unknown style has that of a lead sheet."""
    return _ARRANGEMENTS.get(style, _ARRANGEMENTS["lead-sheet"])


def arrange(
    melody: Sequence[Note], chords: Sequence[ChordChange], bars: BarMap, arrangement: Arrangement
) -> tuple[Track, Track, Track]:
    """Return the tracks Melody, Chords and Bass.

    Parameters
    ----------
    melody
        Kept note for note; only velocities are shaped.
    chords
        Ascending; where none sounds the accompaniment is silent.
    bars
        The bars of the piece.
    arrangement
        How to accompany.
    """
    spans = _spans(chords, bars)
    return (
        Track("Melody", shaped(melody, bars), arrangement.melody),
        Track("Chords", tuple(_chord_notes(spans, bars, arrangement.pattern)), arrangement.chords),
        Track("Bass", tuple(_bass_notes(spans, bars, arrangement.pattern)), arrangement.bass),
    )


def shaped(notes: Sequence[Note], bars: BarMap) -> tuple[Note, ...]:
    """Return the notes with velocities that follow the metre."""
    levels = bars.levels()
    return tuple(
        Note(n.onset_steps, n.duration_steps, n.pitch, _VELOCITY_BY_LEVEL[min(int(levels[n.onset_steps]), 3)])
        for n in notes
    )


@dataclass(frozen=True, slots=True)
class _Span:
    """A chord within one bar, with its voicing and bass."""

    start: int
    end: int
    bar: int
    voicing: tuple[int, ...]
    bass: int | None
    fifth: int | None


def _spans(chords: Sequence[ChordChange], bars: BarMap) -> list[_Span]:
    """Cut the chords at the bar lines and voice them."""
    voiced = voicings([change.chord for change in chords])
    ends = [change.onset_steps for change in chords[1:]] + [bars.end_steps]
    spans: list[_Span] = []
    bass: int | None = None
    for change, voicing, end in zip(chords, voiced, ends, strict=True):
        bass = bass_pitch(change.chord, bass) if not change.chord.is_none else bass
        low = None if change.chord.is_none else bass
        fifth = _fifth_below_or_above(low, change) if low is not None else None
        for bar in range(int(bars.bar_of(change.onset_steps)), int(bars.bar_of(end - 1)) + 1):
            start = max(change.onset_steps, int(bars.starts[bar]))
            stop = min(end, int(bars.starts[bar + 1]))
            spans.append(_Span(start, stop, bar, voicing, low, fifth))
    return spans


def _fifth_below_or_above(bass: int, change: ChordChange) -> int:
    """Return the chord's perfect fifth near the bass, or the bass again where the chord has none."""
    chord = change.chord
    if chord.root is None or 7 not in chord.semitones or chord.bass is not None:
        return bass
    return bass + 7 if bass + 7 <= 50 else bass - 5


def _chord_notes(spans: Sequence[_Span], bars: BarMap, pattern: str) -> list[Note]:
    notes = []
    for span in spans:
        for start, end in _strikes(span, bars, pattern):
            notes += [Note(start, end - start, pitch, _CHORD_VELOCITY) for pitch in span.voicing]
    return notes


def _strikes(span: _Span, bars: BarMap, pattern: str) -> list[tuple[int, int]]:
    """Return when a chord is struck and released within its span."""
    beats = _beats_within(span, bars)
    if pattern == "sustain" or len(beats) < 2:
        return [(span.start, span.end)]
    edges = [*beats, span.end]
    struck = list(pairwise(edges))
    if pattern == "after":
        bass_starts = set(_bass_starts(span, bars))
        return [(a, b) for a, b in struck if a not in bass_starts] or struck
    return struck


def _bass_notes(spans: Sequence[_Span], bars: BarMap, pattern: str) -> list[Note]:
    notes = []
    for span in spans:
        if span.bass is None or span.fifth is None:
            continue
        starts = [span.start] if pattern == "sustain" else _bass_starts(span, bars)
        edges = [*starts, span.end]
        for number, (start, end) in enumerate(pairwise(edges)):
            pitch = span.fifth if number % 2 else span.bass
            notes.append(Note(start, end - start, pitch, _BASS_VELOCITY))
    return notes


def _bass_starts(span: _Span, bars: BarMap) -> list[int]:
    """Return the chord's start and the strong beats after it."""
    meter = bars.meters[span.bar]
    groups = _steps_of(bars, span.bar, meter.group_starts)
    return [span.start, *(step for step in groups if span.start < step < span.end)]


def _beats_within(span: _Span, bars: BarMap) -> list[int]:
    meter = bars.meters[span.bar]
    beats = _steps_of(bars, span.bar, meter.beat_starts)
    return [span.start, *(step for step in beats if span.start < step < span.end)]


def _steps_of(bars: BarMap, bar: int, places: Sequence[Fraction]) -> list[int]:
    first = int(bars.starts[bar])
    return [first + int(place * bars.steps_per_quarter) for place in places]
