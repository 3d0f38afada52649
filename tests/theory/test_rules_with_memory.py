"""Every kind of rule on bars of music written out, and both ways of judging a line held to the same answer.

A rule says twice what it forbids: of whole notes (``breaches``) and event by event (``start``, ``after``,
``at_end``). Here both are asked about what a musician would expect, and about long random lines.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence
from dataclasses import FrozenInstanceError, dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_strategies import Grumpy, Moody, rules

from symgen.alphabet import LineAlphabet
from symgen.grid import BarMap
from symgen.moments import moments_of
from symgen.score import ChordChange, KeyChange
from theory.audit import audit_line
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter
from theory.pitch import parse_pitch
from theory.rules import (
    RULES,
    AllOf,
    AnyOf,
    Cadence,
    ChordTonesOnStrongBeats,
    ClimaxOnce,
    Contains,
    Contour,
    Density,
    EndOn,
    Event,
    InBars,
    InChordScale,
    InKey,
    LargestLeap,
    LeapRecovery,
    LineNote,
    Lock,
    Moment,
    Motif,
    NoAvoidNotes,
    NonChordTones,
    NoQuotes,
    NoRests,
    Not,
    NoteLength,
    NoTritoneOutline,
    PassThrough,
    Range,
    RepeatedNotes,
    Rhythm,
    Rule,
    RuleWithMemory,
    SameBars,
    StartOn,
    Tessitura,
)
from theory.rules.base import events_of
from theory.rules.figures import FIGURES

PER_QUARTER = 2
"""Steps a quarter in the examples: an eighth is the shortest note."""


def events_charged(rule: Rule, notes: Sequence[LineNote], moments: Sequence[Moment]) -> int:
    """Return how many violations a rule finds event by event."""
    memory, total = rule.start(moments), 0 if rule.has_place(moments) else 1
    for event, moment in zip(events_of(notes, len(moments)), moments, strict=True):
        memory, broken = rule.after(memory, event, moment)
        total += broken
    return total + rule.at_end(memory, notes[-1].pitch if notes else None, moments[-1])


def line(text: str) -> tuple[list[LineNote], int]:
    """Read ``C4 D4:2 rest:1/2``, quarters where no length is said; bar lines are for the eye."""
    notes, now = [], 0
    for word in text.replace("|", " ").split():
        name, _, length = word.partition(":")
        end = now + int(Fraction(length or 1) * PER_QUARTER)
        if name != "rest":
            notes.append(LineNote(now, end, parse_pitch(name)))
        now = end
    return notes, now


def piece(n_steps: int, meter: str, keys: Sequence[str], chords: Sequence[str]) -> list[Moment]:
    """Return moments; of several keys and chords each holds for a bar, the last to the end."""
    read = Meter.parse(meter)
    bars = BarMap.build([(0, read)], steps_per_quarter=PER_QUARTER, end_steps=n_steps)
    bar = read.bar_steps(PER_QUARTER)
    key_changes = [KeyChange(i * bar, Key.parse(key)) for i, key in enumerate(keys)]
    chord_changes = [ChordChange(i * bar, Chord.parse(chord)) for i, chord in enumerate(chords)]
    return moments_of(bars, key_changes, chord_changes)[:n_steps]  # bars are whole, pieces need not be


def found(rule: Rule, text: str, meter: str = "4/4", key: str = "C", chords: str = "") -> list[str]:
    """Return where a rule is broken, as ``bar.beat``; the events are asked too, and must count the same."""
    notes, n_steps = line(text)
    moments = piece(n_steps, meter, key.split(", "), chords.split())
    places = [violation.moment for violation in audit_line(notes, moments, [rule])]
    assert events_charged(rule, notes, moments) == len(places)
    return [f"{at.bar}.{float(at.beat):g}" for at in places]


A_MINOR_OVER_E7 = {"key": "A minor", "chords": "E7 Am"}

EXAMPLES: list[tuple[Rule, str, dict[str, str], list[str]]] = [
    # In key: the leading tone of the minor key belongs to the dominant, and is wrong over the tonic, also held.
    (InKey(), "E4 G#4 B4 G#4 | A4 G#4 G4 A4", A_MINOR_OVER_E7, ["2.2", "2.2.5"]),
    (InKey(), "E4:3 G#4:2 A4:3", A_MINOR_OVER_E7, ["2.1", "2.1.5"]),
    (InKey(), "C4 F#4 G4 A4 | F#4 F4 G4:2", {"key": "C, G"}, ["1.2", "1.2.5", "2.2", "2.2.5"]),
    # The scale of the chord: over E7 in A minor G sharp and not G; without a chord, the key.
    (InChordScale(), "G#4:1/2 G4:1/2", A_MINOR_OVER_E7, ["1.1.5"]),
    (InChordScale(), "F4:1/2 F#4:1/2", {"chords": "G7"}, ["1.1.5"]),
    (InChordScale(), "F4:1/2 F#4:1/2", {"chords": "N.C."}, ["1.1.5"]),
    (InChordScale(), "A4:1/2 Ab4:1/2 B4:1/2", {"chords": "Fm"}, ["1.1", "1.2"]),
    # Chord tones on strong beats: 1 and 3 of 4/4; a note held over the bar line is judged by the new chord.
    (ChordTonesOnStrongBeats(), "D4 D4 D4 D4", {"chords": "C"}, ["1.1", "1.3"]),
    (ChordTonesOnStrongBeats(), "C4:5 B3:3", {"chords": "C G"}, ["2.1"]),
    (ChordTonesOnStrongBeats(), "D4:3/2 D4:3/2", {"meter": "6/8", "chords": "C"}, ["1.1", "1.4"]),
    # Avoid notes: the fourth over a major chord.
    (NoAvoidNotes(), "F4 F4 E4:2", {"chords": "C"}, ["1.1"]),
    (NoAvoidNotes(anywhere=True), "F4:1/2 E4:3/2 F4:1/2", {"chords": "C"}, ["1.1", "1.3"]),
    (NoAvoidNotes(), "F4:4", {"chords": "F"}, []),
    # Range and tessitura: every step outside.
    (Range(60, 72), "B3:1 C4 C5 C#5:1/2", {}, ["1.1", "1.1.5", "1.4"]),
    (Tessitura(60, 72), "B3:1 C4 C5 C#5:1/2", {}, ["1.1", "1.1.5", "1.4"]),
    # Largest leap: a rest between changes nothing.
    (LargestLeap(7), "C4 G4 C4 Ab4 | rest:2 C4:2", {}, ["1.4", "2.3"]),
    # Leap recovery: a sixth up wants a step down; a third is no leap; a last leap needs no recovery.
    (LeapRecovery(), "C4 A4 G4 E4 | C4 A4 B4:2", {}, ["2.3"]),
    (LeapRecovery(), "C4 A4 F4:2", {}, ["1.3"]),  # back, but not by step
    (LeapRecovery(), "C4 A4 A4:2", {}, ["1.3"]),  # a repeated note does not turn
    (LeapRecovery(), "A4 C4 D4 C5", {}, []),
    (LeapRecovery(), "C4 G4 D5 C5", {}, ["1.3"]),  # two fifths upwards
    (LeapRecovery(leap=4, within=12), "C4 A4 E4 C4", {}, ["1.4"]),
    (LeapRecovery(), "C4 A4 rest G4", {}, []),
    # No tritone outline: between turning points, first and last included; what lies within a run does not matter.
    (NoTritoneOutline(), "F4 G4 A4 B4 | A4:4", {}, ["1.4"]),
    (NoTritoneOutline(), "F4 G4 A4 B4 | C5:2 A4:2", {}, []),
    (NoTritoneOutline(), "C5 B4 A4 F4 | F4:2 G4:2", {}, []),
    (NoTritoneOutline(), "B4 A4 F4:2 | G4:4", {}, ["1.3"]),
    (NoTritoneOutline(), "A4 B4:1/2 B4:1/2 A4 G4 | F4:4", {}, ["2.1"]),
    (NoTritoneOutline(), "F4 B4:3", {}, ["1.2"]),
    (NoTritoneOutline(), "F3 B4 C4:2", {}, ["1.2"]),  # also an octave wider
    # Repeated notes.
    (RepeatedNotes(2), "C4 C4 C4 C4 | D4 D4 rest D4", {}, ["1.3", "1.4", "2.4"]),
    (RepeatedNotes(1), "C4:2 C5 C4", {}, []),
    (RepeatedNotes(1), "C4:2 C4:2", {}, ["1.3"]),
    # Density: judged at the end of each bar; a note held over is no new one.
    (Density(2, 3), "C4:4 | C4 D4 E4:2 | C4 D4 E4 F4", {}, ["1.4.5", "3.4.5"]),
    (Density(1, 3), "C4:6 D4:2", {}, []),
    (Density(1, 3), "C4:8", {}, ["2.4.5"]),
    (Density(2, 3), "C4:3/2 D4:3/2 | C4:3", {"meter": "6/8"}, ["2.6"]),
    (Density(1, 2), "C4:4 | D4 E4", {}, []),  # the last bar need not be whole
    (Density(1, 2), "C4:4 | D4 E4 F4", {}, ["2.3.5"]),
    (Density(2, 3), "C4 D4:3 | D4:2", {}, ["2.2.5"]),
    # Note lengths, in quarters; found where the note starts.
    (NoteLength(Fraction(1), Fraction(2)), "C4:1 D4:1/2 E4:2 F4:5/2", {}, ["1.2", "1.4.5"]),
    (NoteLength(Fraction(1)), "C4:4 | D4:5/2 rest:1 E4:1/2", {}, ["2.4.5"]),
    (NoteLength(longest=Fraction(1)), "C4:4 D4:1", {}, ["1.1"]),
    (NoteLength(Fraction(1, 2), Fraction(1, 2)), "C4:1/2 C4:1/2 rest:1 D4:1", {}, ["1.3"]),
    # A rhythm, the same in each bar: half of it given, half free.
    (Rhythm("x-.x ????"), "C4 rest:1/2 D4:1/2 C4:2 | C4 rest:1/2 D4:1/2 rest:2", {}, []),
    (Rhythm("x-.x ????"), "C4:3/2 D4:1/2 C4:2", {}, ["1.2"]),
    (Rhythm("x-.x ????"), "C4:1/2 D4:1/2 rest:1/2 D4:1/2 C4:2", {}, ["1.1.5"]),
    (Rhythm("xx"), "C4:2 D4:1 D4:1", {}, ["1.4"]),  # a sign holds for all of its part
    (Rhythm("xx"), "C4:2 D4:1 rest:1", {}, ["1.4", "1.4.5"]),
    (Rhythm("x-"), "C4:3/2 rest:3/2 | C4:3", {"meter": "6/8"}, ["1.4", "1.5", "1.6"]),
    (Rhythm("~x"), "rest:2 C4:4 D4:2", {}, []),
    (Rhythm("~x"), "C4:4", {}, ["1.1", "1.3"]),
    # Rests.
    (NoRests(), "C4 rest:1/2 D4:1/2", {}, ["1.2"]),
    (NoRests("off strong beats"), "rest:1 rest:1 rest:1 rest:1", {}, ["1.1", "1.3"]),
    (NoRests("off beats"), "rest:1 C4:3", {}, ["1.1"]),
    (NoRests("bar ends"), "C4:1 rest:1/2 D4:1/2 rest:2", {}, ["1.2"]),
    (NoRests("bar ends"), "C4:1 rest:2", {"meter": "6/8"}, ["1.3"]),
    # First and last note: degrees of the key that holds there.
    (StartOn(degrees=(1, 5)), "rest:1 G4:1", {}, []),
    (StartOn(degrees=(1, 5)), "rest:1 A4:1", {}, ["1.2"]),
    (StartOn(frozenset({0})), "rest:2", {}, ["1.2.5"]),
    (EndOn(degrees=(1,)), "G4:4 | C4:2 rest:2", {"key": "G, C"}, []),
    (EndOn(degrees=(1,)), "G4:4 | G4:2 rest:2", {"key": "G, C"}, ["2.4.5"]),
    (EndOn(degrees=(1,)), "rest:1", {}, ["1.1.5"]),
    (EndOn(degrees=(7,)), "G#4:1", {"key": "A minor"}, ["1.1.5"]),  # of the natural scale
    (EndOn(degrees=(1, 7)), "G4:1", {"key": "C major pentatonic"}, ["1.1.5"]),  # which has no seventh
    # Cadences: the last note to start in the bar, on a strong beat.
    (Cadence(1), "E4 D4 C4:2", {}, []),
    (Cadence(1), "E4 D4 C4 rest", {}, []),
    (Cadence(1), "E4 D4 C4 E4", {}, ["1.4.5"]),
    (Cadence(1), "E4 D4:2 C4", {}, ["1.4.5"]),  # on a weak beat
    (Cadence(2), "C4:8", {}, ["2.4.5"]),  # held in, not started
    (Cadence(1, "half"), "C4 E4 D4:2", {}, []),
    (Cadence(1, "half"), "C4 D4 E4:2", {}, ["1.4.5"]),
    (Cadence(1, "imperfect"), "C4 D4 E4:2", {}, []),
    (Cadence(1, "open"), "C4 E4 C4:2", {}, ["1.4.5"]),
    (Cadence(1, by_step=True), "C4 B3 C4:2", {}, []),
    (Cadence(1, by_step=True), "C4 E4 C4:2", {}, ["1.4.5"]),
    (Cadence(1, by_step=True), "C4 C4 C4:2", {}, ["1.4.5"]),  # a repeated note is no step
    (Cadence(2, by_step=True), "C4:2 D4:2 | C4:4", {}, []),  # reached over the bar line
    (Cadence(1), "G4 A4 G4:2", {"key": "G"}, []),
    (Cadence(1), "G4:3/2 C4:3/2", {"meter": "6/8"}, []),
    (Cadence(9), "C4:4", {}, ["1.4.5"]),
    # Contour: of the first notes of the bars.
    (Contour("rising"), "C4 G4 C5:2 | D4:4 | rest:1 E4:3", {}, []),
    (Contour("rising"), "C4:4 | E4:4 | D4:4", {}, ["3.1"]),
    (Contour("rising"), "C4:4 | C4:4 | C4:4", {}, ["3.4.5"]),
    (Contour("arch"), "C4:4 | E4:4 | D4:4", {}, []),
    (Contour("arch"), "C4:4 | E4:4 | E4:4", {}, ["3.4.5"]),
    (Contour("arch"), "C4:4 | E4:4 | D4:4 | E4:4", {}, ["4.1"]),
    (Contour("valley"), "E4:4 | C4:4 | D4:4", {}, []),
    (Contour("falling"), "E4:4 | E4:6 rest:2 | D4:4", {}, []),  # bar 3 has no first note
    # A point of the contour: what sounds there, also held.
    (PassThrough(1, Fraction(3), 72, 2), "D5:4", {}, []),
    (PassThrough(1, Fraction(3), 72, 2), "A4:4", {}, ["1.3"]),
    (PassThrough(1, Fraction(3), 72, 2), "D5:2 rest:2", {}, ["1.3"]),
    # The climax: struck once, where it shall be.
    (ClimaxOnce(), "C4 G4:2 E4", {}, []),
    (ClimaxOnce(), "C4 G4 G4 E4", {}, ["1.4.5"]),
    (ClimaxOnce(), "C4 G4 E4 G4", {}, ["1.4.5"]),
    (ClimaxOnce(), "G4 G4 A4 E4", {}, []),
    (ClimaxOnce(2, 2), "C4 A4:3 | B4:4 | C4:4", {}, []),
    (ClimaxOnce(2, 2), "C4 A4:3 | G4:4 | C4:4", {}, ["3.4.5"]),
    (ClimaxOnce(to_bar=1), "C4 A4:3 | B4:4", {}, ["2.4.5"]),
    # Locks.
    (Lock(1, Fraction(2), 62), "C4 D4:3", {}, []),
    (Lock(1, Fraction(2), 62), "D4:4", {}, ["1.2"]),  # must start there
    (Lock(1, Fraction(2), None), "D4:4", {}, ["1.2"]),
    (Lock(1, Fraction(2), None), "C4 rest:1/2 D4:5/2", {}, []),
    (Lock(7, Fraction(1), 60), "C4:4", {}, ["1.4.5"]),
    # Motifs: as they stand, step by step; transposed, the first thing that is wrong.
    (Motif(1, Fraction(2), "E4:1 D4:1"), "rest:1 E4 D4 C4", {}, []),
    (Motif(1, Fraction(2), "E4:1 D4:1"), "C4 E4 D4:2", {}, ["1.4"]),  # held on after the end
    (Motif(1, Fraction(2), "E4:1 D4:1"), "C4 E4:2 D4:1", {}, ["1.3", "1.3.5"]),
    (Motif(1, Fraction(2), "E4:1 D4:1", transposed=True), "C4 A4 G4 rest", {}, []),
    (Motif(1, Fraction(2), "E4:1 D4:1", transposed=True), "C4 A4 G#4 rest", {}, ["1.3"]),
    (Motif(1, Fraction(2), "E4:1 D4:1", transposed=True), "C4:4", {}, ["1.2"]),
    (Motif(1, Fraction(4), "C4:1 rest:1 E4:1", transposed=True), "G4:3 F4 | rest:1 A4 F4:2", {}, []),
    (Motif(1, Fraction(4), "C4:1 rest:1 E4:1", transposed=True), "G4:3 F4 | F4 A4 F4:2", {}, ["2.1"]),
    (Motif(1, Fraction(4), "rest:1 C4:1"), "G4:3 rest:1", {}, ["1.4.5"]),  # there is no bar 2
    # Bars that come back: step by step, and no note held into either.
    (SameBars(2, 1), "C4 D4 E4 F4 | C4 D4 E4:2", {}, ["2.4", "2.4.5"]),
    (SameBars(2, 1), "C4:8", {}, ["2.1"]),
    (SameBars(3, 2), "C4:5 E4:3 | G4 E4:3", {}, ["2.1", "3.1", "3.1.5"]),
    (SameBars(3, 1, 2), "C4:4 | D4:2 E4:2 | C4:4 | D4:2 E4:2", {}, []),
    (SameBars(3, 1, 2), "C4:4 | D4:2 E4:2 | C4:4 | D4:2", {}, ["4.2.5"]),
    # Quotes: by interval in any transposition; by pitch as they stand; rhythm and rests do not matter.
    (NoQuotes(("C4 D4 E4 C4",), 4), "G4 A4:1/2 B4:1/2 rest:1 G4", {}, ["1.4"]),
    (NoQuotes(("C4 D4 E4 C4",), 4, "pitch"), "G4 A4 B4 G4 | C4 D4 E4 C4", {}, ["2.4"]),
    (NoQuotes(("C4 D4 E4 C4",), 3), "G4 A4 B4 D5", {}, ["1.3"]),
    (NoQuotes(("C4 C4 C4",), 3), "D4 D4 D4 D4", {}, ["1.3", "1.4"]),  # stretches that overlap
    (NoQuotes(("C4 D4", "E4 F4 G4"), 3), "D4 E4 F4 G4", {}, ["1.4"]),  # the first is too short to be quoted
    (Contains("C4 E4 G4"), "D4 F4 A4:2", {}, ["1.4.5"]),  # a minor triad is another figure
    (Contains("C4 E4 G4"), "A4 D4 F#4 A4", {}, []),
    (Contains("C4 E4 G4", "pitch"), "D4 F#4 A4:2", {}, ["1.4.5"]),
    (Contains("C4 C4 E4"), "D4 D4 D4 F#4", {}, []),  # found although its beginning came twice
]  # fmt: skip


def example_name(value: object) -> str:
    return str(value)


@pytest.mark.parametrize(("rule", "text", "context", "expected"), EXAMPLES, ids=example_name)
def test_bars_that_break_a_rule_and_bars_that_keep_it(
    rule: Rule, text: str, context: dict[str, str], expected: list[str]
) -> None:
    assert found(rule, text, **context) == expected


ALL_FIGURES = NonChordTones(FIGURES)


@pytest.mark.parametrize(("text", "figure"), [
    ("E4:1/2 D4:1/2 C4:1", "passing"),
    ("E4:1/2 F4:1/2 G4:1", "passing"),
    ("G4:1/2 F4:1/2 E4:1", "passing"),
    ("C4:1/2 D4:1/2 C4:1", "neighbour"),
    ("C4:1/2 B3:1/2 C4:1", "neighbour"),
    ("C4 E4 A4 G4", "appoggiatura"),  # leapt to on beat 3, left by step down
    ("F4 E4:3", "appoggiatura"),  # from nowhere
    ("B3 C4:3", "appoggiatura"),
    ("G4 E4 B3 C4", "appoggiatura"),  # leapt down to, left by step up
    ("C5:1/2 B4:1/2 E5:1", "escape"),
    ("E4:1/2 F4:1/2 C4:1", "escape"),
    ("C4:3 G4:3 F4:1 E4:1", "passing"),  # see the chords: the seventh above G passes
])  # fmt: skip
def test_a_figure_excuses_its_note_and_no_other_does(text: str, figure: str) -> None:
    assert found(ALL_FIGURES, text, chords="C C") == []
    assert found(NonChordTones((figure,)), text, chords="C C") == []
    others = NonChordTones(tuple(name for name in FIGURES if name != figure))
    assert len(found(others, text, chords="C C")) == 1


@pytest.mark.parametrize(("text", "figures", "expected"), [
    # A suspension: C held into G, where it is foreign, and down to B; an upward step resolves none.
    ("C4:3 C5:2 B4:3", ("suspension",), []),
    ("C4:3 C5:2 D5:3", ("suspension",), ["2.2"]),
    ("C4:3 C5:2 B4:3", ("passing", "appoggiatura"), ["2.2"]),
    # An anticipation: D as the last eighth over C, struck again over G.
    ("C4:3 E4:1/2 D4:1/2 | D4:4", ("anticipation",), []),
    ("C4:3 E4:1/2 D4:1/2 | B3:4", ("anticipation",), ["2.1"]),
    # Struck again, but foreign to the chord that has come as well.
    ("C4:3 E4:1/2 A4:1/2 | A4 G4:3", ("anticipation",), ["2.1", "2.2"]),
    # Passing upwards by a semitone.
    ("C4:4 | B4:1/2 C#5:1/2 D5:3", ("passing",), []),
    # A note that nothing leaves; no figures at all; no chord.
    ("C4:3 D4:1", FIGURES, ["1.4.5"]),
    ("C4:2 D4:1 E4:1", (), ["1.4"]),
    ("C4:1 E4:1/2 F4:1/2 A4:2", ("passing", "neighbour"), ["1.3", "1.4.5"]),
])  # fmt: skip
def test_foreign_notes_are_resolved(text: str, figures: tuple[str, ...], expected: list[str]) -> None:
    assert found(NonChordTones(figures), text, chords="C G") == expected


def test_without_a_chord_nothing_is_foreign() -> None:
    for chords in ("", "N.C."):
        assert found(NonChordTones(()), "C4 C#4 F4 F#4", chords=chords) == []


COMPOSED: list[tuple[Rule, str, list[str]]] = [
    # All of some: one violation, where the first of them is broken.
    (AllOf((LargestLeap(4), InKey())), "C4 F4 C#4 G4", ["1.2"]),
    (AllOf((Range(60, 72), EndOn(frozenset({0})))), "C4 D4", ["1.2.5"]),
    (AllOf((Lock(9, Fraction(1), 60), InKey())), "C4 D4", ["1.2.5"]),
    # Any of some: kept if one is kept to the end.
    (AnyOf((LargestLeap(4), InKey())), "C4 A4 C4 D4", []),
    (AnyOf((LargestLeap(4), InKey())), "C4 A4 C#4 D4", ["1.3"]),
    (AnyOf((EndOn(frozenset({2})), Range(60, 60))), "C4 C4 C4 D4", []),
    (AnyOf((EndOn(frozenset({2})), Range(60, 60))), "C4 D4 C4 C4", ["1.4.5"]),
    # Not: broken at least once.
    (Not(LargestLeap(4)), "C4 D4 E4 F4", ["1.4.5"]),
    (Not(LargestLeap(4)), "C4 D4 E4 C5", []),
    (Not(Not(InKey())), "C4 C#4", ["1.2.5"]),
    (Not(Lock(9, Fraction(1), 60)), "C4", []),  # what has no place is broken
    # In some bars: as if they were the whole piece.
    (InBars(LargestLeap(4), 2, 2), "C4:3 A4 | C4:2 G4:2 | D4:4", ["2.3"]),
    (InBars(EndOn(frozenset({0})), 1, 1), "E4:2 C4:2 | D4:4", []),
    (InBars(EndOn(frozenset({0})), 1, 1), "C4:2 E4:2 | C4:4", ["1.4.5"]),
    (InBars(StartOn(frozenset({0})), 2, 2), "E4:4 | C4:4", []),
    (InBars(StartOn(frozenset({0})), 2, 2), "E4:5 C4:3", ["2.1"]),  # a note held in counts as starting
    (InBars(Density(2, 2), 2, 2), "E4:5 C4:3", []),
    (InBars(NoteLength(Fraction(2)), 2, 2), "E4:5 C4:3", ["2.1"]),  # of which a quarter lies in the bar
    (InBars(RepeatedNotes(1), 1, 1), "C4:2 D4:2 | D4 D4:3", []),
    (InBars(ClimaxOnce(), 1, 1), "C4:2 G4:2 | G4:4 C5:4", []),
    (InBars(InKey(), 2, 2), "C#4:4 | C4:2 C#4:1 D4:1 | C#4:4", ["2.3", "2.3.5"]),
    (InBars(NoRests(), 2, 3), "rest:4 | C4:4 | rest:1/2 C4:7/2 | rest:4", ["3.1"]),
    (InBars(InKey(), 2, 9), "C4:4 | C#4:1/2 C4:1", ["2.1", "2.2"]),  # there is no bar 9: one more, at the end
    (InBars(Cadence(2), 2, 2), "D4:4 | C4:4", []),
    (InBars(SameBars(3, 2), 2, 3), "D4:4 | C4:4 | C4:2 D4:2", ["3.3", "3.3.5", "3.4", "3.4.5"]),
    (InBars(InBars(InKey(), 2, 3), 1, 2), "C4:4 | C#4:1/2 C4:7/2 | C#4:4", ["2.1", "3.4.5"]),
    (Not(InBars(InKey(), 1, 1)), "C4:4 | C#4:4", ["2.4.5"]),
]


@pytest.mark.parametrize(("rule", "text", "expected"), COMPOSED, ids=example_name)
def test_rules_made_of_rules(rule: Rule, text: str, expected: list[str]) -> None:
    assert found(rule, text) == expected


def test_the_price_of_a_part_does_not_count_and_that_of_the_whole_does() -> None:
    assert AllOf((InKey(cost=2.0), Range())).is_law
    assert AnyOf((InKey(cost=2.0), Range()), cost=3.0).cost == 3.0
    for whole in (Not(InKey(cost=2.0)), InBars(InKey(cost=2.0), 1, 2)):
        assert (whole.cost, whole.rule.is_law) == (2.0, True)
    assert Not(InKey(cost=2.0), cost=5.0).cost == 5.0


@dataclass(frozen=True)
class Broken(RuleWithMemory):
    """A user's own rule whose memory happens to be a word that rules made of rules might use."""

    word: str = "broken"

    def after(self, memory: str | None, event: Event, moment: Moment) -> tuple[str | None, int]:
        return self.word if event.is_onset else memory, 0


@pytest.mark.parametrize("word", ["broken", "done", "nowhere"])
def test_any_memory_is_a_memory(word: str) -> None:
    for rule in (AllOf((Broken(word), InKey())), AnyOf((Broken(word), Not(InKey()))), InBars(Broken(word), 1, 1)):
        assert found(rule, "C4 D4") == []
    assert found(Not(Broken(word)), "C4 D4") == ["1.2.5"]


def test_a_motif_starts_and_ends_on_steps() -> None:
    """Where it ended between two steps, no one could say whether the step they make is part of it."""
    for transposed in (False, True):
        rule = Motif(1, Fraction(1), "C4:1 D4:1/4", transposed)
        assert found(rule, "C4:1 D4:1/2 C4:1/2")[-1:] == ["1.2.5"]  # no place for it
    assert found(Motif(1, Fraction(1), "C4:1 D4:1/2"), "C4:1 D4:1/2 C4:1/2") == []


# Long random lines.

ALPHABET = LineAlphabet(58, 65)
N_STEPS = 24


@st.composite
def long_pieces(draw: st.DrawFn) -> list[Moment]:
    """Draw 24 steps in 3/4, 6/8 or 5/8 on a coarse or a fine grid, key and chords changing where they like."""
    meter, per_quarter = draw(st.sampled_from([("3/4", 1), ("3/4", 2), ("6/8", 2), ("6/8", 4), ("2+3/8", 2)]))
    start = draw(st.integers(0, 2))
    bars = BarMap.build([(0, Meter.parse(meter))], steps_per_quarter=per_quarter, end_steps=N_STEPS + start)
    places = st.lists(st.integers(0, N_STEPS - 1), max_size=4, unique=True).map(sorted)
    keys = [KeyChange(at, Key.parse(draw(st.sampled_from(["C", "A minor", "Eb", "D dorian"])))) for at in draw(places)]
    names = st.sampled_from(["C", "Am", "E7", "Bdim", "Db", "N.C.", "G7", "F#sus4"])
    chords = [ChordChange(at, Chord.parse(draw(names))) for at in draw(places)]
    # Some pieces begin within a bar, as pieces with an upbeat do once they are cut.
    return moments_of(bars, keys, chords)[start : start + N_STEPS]


@st.composite
def long_lines(draw: st.DrawFn) -> list[LineNote]:
    """Draw a line that moves mostly by step, with rests, held and repeated notes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    p_rest = draw(st.sampled_from([0.0, 0.1, 0.4, 0.9]))
    longest = draw(st.sampled_from([1, 2, 3, 7]))
    notes, now, pitch = [], 0, int(rng.integers(ALPHABET.low, ALPHABET.high + 1))
    while now < N_STEPS:
        end = min(now + int(rng.integers(1, longest + 1)), N_STEPS)
        if rng.random() >= p_rest:
            notes.append(LineNote(now, end, pitch))
            pitch = int(np.clip(pitch + rng.choice([-7, -2, -1, 0, 1, 2, 6]), ALPHABET.low, ALPHABET.high))
        now = end
    return notes


@settings(max_examples=400)
@given(rules(ALPHABET, N_STEPS), long_lines(), long_pieces())
def test_whole_notes_and_events_are_judged_alike(rule: Rule, notes: list[LineNote], moments: list[Moment]) -> None:
    whole = len(list(rule.breaches(notes, moments))) + (not rule.has_place(moments))
    assert events_charged(rule, notes, moments) == whole


@pytest.mark.parametrize("kind", RULES)
@given(notes=long_lines(), moments=long_pieces())
@settings(max_examples=15)
def test_a_rule_with_nothing_said_is_judged_alike(
    kind: type[Rule], notes: list[LineNote], moments: list[Moment]
) -> None:
    rule = kind()
    whole = len(list(rule.breaches(notes, moments))) + (not rule.has_place(moments))
    assert events_charged(rule, notes, moments) == whole


# What a rule sees of moments, and watches of events, is all it goes by.


def watched(rule: Rule, event: Event) -> Hashable:
    """Return what a rule says it looks at, as its documentation has it."""
    rhythm = (event.pitch is None, event.is_onset, event.previous is None)
    return {
        "rhythm": rhythm,
        "interval": (rhythm, event.interval),
        "pitch": (rhythm, event.pitch),
        "all": event,
    }[rule.watches]


def memories_met(rule: Rule, notes: Sequence[LineNote], moments: Sequence[Moment]) -> list[object]:
    """Return the memory a rule has before each step."""
    found = [rule.start(moments)]
    for event, moment in zip(events_of(notes, len(moments)), moments, strict=True):
        found.append(rule.after(found[-1], event, moment)[0])
    return found[:-1]


def all_events() -> list[Event]:
    pitches = range(ALPHABET.low, ALPHABET.low + 4)
    found = [Event(None, False, None), *(Event(p, True, None) for p in pitches)]
    for previous in pitches:
        found += [Event(None, False, previous), Event(previous, False, previous)]
        found += [Event(p, True, previous) for p in pitches]
    return found


EVENTS = all_events()


@settings(max_examples=120)
@given(rules(ALPHABET, N_STEPS), long_lines(), long_pieces())
def test_what_a_rule_sees_and_watches_decides(rule: Rule, notes: list[LineNote], moments: list[Moment]) -> None:
    """At each step its answer is that of the first moment that looked the same, for an event that looked the same."""
    first: dict[Hashable, Moment] = {}
    stand_in: dict[Hashable, Event] = {}
    for event in EVENTS:
        stand_in.setdefault(watched(rule, event), event)
    for memory, moment in zip(memories_met(rule, notes, moments), moments, strict=True):
        alike = first.setdefault(rule.sees(moment), moment)
        for event in EVENTS[:: 1 + len(rule.watches) % 2]:
            assert rule.after(memory, event, moment) == rule.after(memory, stand_in[watched(rule, event)], alike)


@given(rules(ALPHABET, N_STEPS))
@settings(max_examples=100)
def test_rules_are_plain_values(rule: Rule) -> None:
    assert hash(rule) == hash(dataclasses.replace(rule))
    assert rule == dataclasses.replace(rule)
    with pytest.raises(FrozenInstanceError):
        rule.cost = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("kind", [*RULES, Rule, RuleWithMemory, AllOf, AnyOf, Not, InBars])
def test_every_kind_says_what_it_is(kind: type[Rule]) -> None:
    assert kind.__doc__
    first = kind.__doc__.split("\n\n")[0]
    assert first.endswith((".", ":")), first
    assert not first.startswith(f"{kind.__name__}(")  # what dataclasses write where nothing is said
    public = [name for name in vars(kind) if not name.startswith("_") and callable(getattr(kind, name))]
    assert all(getattr(kind, name).__doc__ for name in public)


def test_memories_are_told_apart() -> None:
    """Of two lines a rule remembers alike, it must say the same of what follows: so memories are values."""
    for kind in RULES:
        rule = kind()
        for memory in memories_met(rule, [LineNote(0, 2, 60), LineNote(3, 4, 62)], piece(8, "4/4", ["C"], ["C"])):
            assert hash(memory) == hash(memory)


def test_seeds_of_the_tests_own_rules_differ() -> None:
    for kind in (Moody, Grumpy):
        assert all(one != other for one, other in pairwise([kind(1), kind(2), kind(1, cost=1.0)]))
