"""Scores for tests, made by hypothesis."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from symgen.score import ChordChange, KeyChange, Marker, MeterChange, Note, Score, TempoChange, Track
from theory.chord import NO_CHORD, Chord
from theory.key import Key
from theory.meter import Meter
from theory.pitch import Spelling
from theory.scale import SCALES

METERS = ["4/4", "3/4", "2/2", "6/8", "9/8", "12/8", "5/4", "7/8", "1/4", "4/2", "5/16"]
METERS += ["2+3/4", "3+2+2/8", "2+2+2+3/8"]
CHORDS = ["C", "Am", "F#m7b5", "Bb/D", "G7(b9)", "Ebmaj7", "Dsus4", "A7/C#", "B13", "Cmaj7(omit3)", "Gaug7", "N.C."]
CHORDS += ["Dm7[dorian]", "G7/B[{0,1,3,4,7,10}]"]
UNCLEAR_TEXTS = ["A", "[A]", "[x]", "Am", "Bridge", "", "[]"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(UNCLEAR_TEXTS)
TEMPOS = st.integers(40, 10_000).map(lambda tenths: tenths / 10)


def plain_keys() -> st.SearchStrategy[Key]:
    """Major and minor keys with up to seven sharps or flats."""
    return st.builds(Key.from_signature, st.integers(-7, 7), st.sampled_from(["major", "minor"]))


def all_keys() -> st.SearchStrategy[Key]:
    return st.builds(Key, st.builds(Spelling, st.integers(-8, 12)), st.sampled_from([*SCALES, "{0,2,3,7,8}"]))


@st.composite
def notes_of_pitch(draw: st.DrawFn, pitch: int, end: int) -> list[Note]:
    """Notes of one pitch that do not overlap."""
    edges = sorted(draw(st.sets(st.integers(0, end), max_size=6)))
    velocities = draw(st.lists(st.integers(1, 127), min_size=len(edges), max_size=len(edges)))
    touching = draw(st.booleans())
    pairs = list(pairwise(edges))[:: 1 if touching else 2]
    return [Note(a, b - a, pitch, v) for (a, b), v in zip(pairs, velocities, strict=False)]


@st.composite
def tracks_of(draw: st.DrawFn, end: int, *, is_drum: bool = False) -> Track:
    pitches = draw(st.sets(st.integers(0, 127), max_size=3))
    notes = [note for pitch in sorted(pitches) for note in draw(notes_of_pitch(pitch, end))]
    name = draw(TEXTS.filter(bool))
    return Track(name, tuple(notes), draw(st.integers(0, 127)), is_drum)


@st.composite
def meter_changes(draw: st.DrawFn, steps_per_quarter: int) -> tuple[tuple[MeterChange, ...], int]:
    """Metres of whole bars on the grid, and where the last bar ends."""
    fitting = [m for m in map(Meter.parse, METERS) if (m.bar_quarters * steps_per_quarter).denominator == 1]
    changes, step = [], 0
    for meter in draw(st.lists(st.sampled_from(fitting), min_size=1, max_size=3)):
        changes.append(MeterChange(step, meter))
        step += draw(st.integers(1, 3)) * meter.bar_steps(steps_per_quarter)
    return tuple(changes), step


@st.composite
def steps_and(draw: st.DrawFn, values: st.SearchStrategy[Any], end: int, *, from_zero: bool = False) -> list[Any]:
    """Ascending steps before the end, each with a value."""
    steps = draw(st.sets(st.integers(0, end - 1), max_size=3))
    return [(step, draw(values)) for step in sorted(steps | ({0} if from_zero else set()))]


@st.composite
def scores(draw: st.DrawFn, *, keys: st.SearchStrategy[Key] | None = None, max_tracks: int = 4) -> Score:
    """Scores on their grid: any metre, changes of everything, several tracks and at most one of drums."""
    steps_per_quarter = draw(st.sampled_from([4, 12, 24]))
    meters, end = draw(meter_changes(steps_per_quarter))
    tracks = draw(st.lists(tracks_of(end), max_size=max_tracks))
    if draw(st.booleans()):
        tracks.insert(draw(st.integers(0, len(tracks))), draw(tracks_of(end, is_drum=True)))
    chords = st.sampled_from(CHORDS).map(lambda text: NO_CHORD if text == "N.C." else Chord.parse(text))
    return Score(
        steps_per_quarter,
        tuple(tracks),
        tempos=tuple(TempoChange(*pair) for pair in draw(steps_and(TEMPOS, end, from_zero=True))),
        meters=meters,
        keys=tuple(KeyChange(*pair) for pair in draw(steps_and(all_keys() if keys is None else keys, end))),
        chords=tuple(ChordChange(*pair) for pair in draw(steps_and(chords, end))),
        markers=tuple(Marker(*pair) for pair in draw(steps_and(TEXTS, end))),
        end_steps=end,
        recipe=tuple(draw(st.dictionaries(st.text("abc", min_size=1), TEXTS, max_size=2)).items()),
    )
