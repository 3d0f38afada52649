"""Rules: how they are read and said, and what each permits."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.chord import NO_CHORD, Chord
from theory.errors import ParseError, TheoryError
from theory.key import Key
from theory.pitch import parse_pitch
from theory.rules import (
    RULES,
    ChordTonesOnStrongBeats,
    EndOn,
    InKey,
    LargestLeap,
    Lock,
    Moment,
    Range,
    Rule,
    Tessitura,
)

A_MINOR = Key.parse("A minor")
DEFAULTS = [kind() for kind in RULES]


def moment(level: int = 0, chord: Chord | str | None = None, key: Key | None = A_MINOR) -> Moment:
    return Moment(1, Fraction(1), level, key, Chord.parse(chord) if isinstance(chord, str) else chord)


def sung(rule: Rule, at: Moment, names: str, *, is_onset: bool = True) -> str:
    """Return those of the pitches that a rule permits."""
    return " ".join(name for name in names.split() if rule.permits_note(parse_pitch(name), at, is_onset=is_onset))


def test_in_key() -> None:
    assert sung(InKey(), moment(), "A4 Bb4 B4 C5 F#4 G4 G#4") == "A4 B4 C5 G4"
    assert sung(InKey(), moment(chord="E7"), "F#4 G4 G#4") == "G4 G#4"  # the chord brings its own notes
    assert sung(InKey(), moment(chord="Am"), "F#4 G4 G#4") == "G4"
    assert sung(InKey(), moment(chord="E7", key=None), "F#4 G4 G#4") == "F#4 G4 G#4"
    assert sung(InKey(), moment(chord=NO_CHORD), "F#4 G4 G#4") == "G4"


@pytest.mark.parametrize("is_onset", [True, False])
def test_chord_tones_on_strong_beats(is_onset: bool) -> None:
    rule, names = ChordTonesOnStrongBeats(), "C4 D4 E4 A4 B4"
    assert sung(rule, moment(0, "Am"), names, is_onset=is_onset) == "C4 E4 A4"
    assert sung(rule, moment(1, "Am"), names, is_onset=is_onset) == "C4 E4 A4"
    assert sung(rule, moment(2, "Am"), names, is_onset=is_onset) == names
    assert sung(rule, moment(0, None), names, is_onset=is_onset) == names
    assert sung(rule, moment(0, NO_CHORD), names, is_onset=is_onset) == names
    assert sung(rule, moment(0, "C/D"), names, is_onset=is_onset) == "C4 D4 E4"  # the bass belongs to the chord


def test_range() -> None:
    assert sung(Range.parse("C4-E4"), moment(), "B3 C4 D4 E4 F4") == "C4 D4 E4"


def test_largest_leap() -> None:
    rule = LargestLeap(5)
    assert [q for q in range(50, 70) if rule.permits_move(60, q)] == list(range(55, 66))
    assert LargestLeap(0).permits_move(60, 60)


def test_end_on() -> None:
    rule = EndOn(frozenset({9, 0}))
    assert [p for p in range(57, 70) if rule.permits_last(p, moment())] == [57, 60, 69]


def test_lock() -> None:
    lock, silence = Lock(2, Fraction(5, 2), 60), Lock(2, Fraction(5, 2), None)
    here, elsewhere = (Moment(2, Fraction(beat), 3) for beat in ("5/2", "2"))
    assert lock.permits_note(60, here, is_onset=True)
    assert not lock.permits_note(60, here, is_onset=False)
    assert not lock.permits_note(62, here, is_onset=True)
    assert not lock.permits_rest(here)
    assert silence.permits_rest(here)
    assert not silence.permits_note(60, here, is_onset=True)
    for rule in (lock, silence):
        assert rule.permits_rest(elsewhere)
        assert rule.permits_note(71, elsewhere, is_onset=False)
        assert rule.permits_note(71, Moment(3, Fraction(5, 2), 3), is_onset=False)


@pytest.mark.parametrize("rule", [Rule(), *DEFAULTS], ids=str)
def test_a_rule_permits_what_is_none_of_its_business(rule: Rule) -> None:
    nowhere = Moment(9, Fraction(1), 2)  # a weak beat of no key and no chord
    permits = {
        "notes": sung(rule, nowhere, "C4 F#4 A4") == "C4 F#4 A4",
        "rests": rule.permits_rest(nowhere),
        "moves": rule.permits_move(60, 79),
        "ends": rule.permits_last(61, nowhere),
    }
    judges = {
        "largest leap 12 semitones": ["moves"],
        "end on degree 1": [],  # without a key every degree is as good
        "rhythm x-x-x-x-": ["rests"],
        "no rests": ["rests"],
    }
    assert [name for name, permitted in permits.items() if not permitted] == judges.get(str(rule), [])


@pytest.mark.parametrize("rule", DEFAULTS, ids=str)
def test_what_a_rule_sees_decides_what_it_permits(rule: Rule) -> None:
    """Moments that look the same to a rule are judged the same: the decoder asks only once."""
    moments = [
        Moment(bar, Fraction(beat), level, key, chord)
        for bar in (1, 2)
        for beat, level in ((1, 0), (2, 2), (3, 1))
        for key in (None, A_MINOR)
        for chord in (None, NO_CHORD, Chord.parse("E7"), Chord.parse("Am"))
    ]
    verdicts: dict[object, set[object]] = {}
    for at in moments:
        notes = tuple(rule.permits_note(p, at, is_onset=onset) for p in range(48, 72) for onset in (True, False))
        verdicts.setdefault(rule.sees(at), set()).add((notes, rule.permits_rest(at)))
    assert all(len(found) == 1 for found in verdicts.values())


@pytest.mark.parametrize(("rule", "words"), [
    (Rule(), "anything"),
    (InKey(), "in key"),
    (ChordTonesOnStrongBeats(cost=2.0), "chord tones on strong beats (preferred, 2 nats)"),
    (Range(60, 79), "range C4..G5"),
    (LargestLeap(5), "largest leap 5 semitones"),
    (LargestLeap(1), "largest leap 1 semitone"),
    (EndOn(frozenset({9})), "end on A"),
    (EndOn(frozenset({4, 0, 7})), "end on C or E or G"),
    (Lock(1, Fraction(1), 72), "lock bar 1 beat 1 = C5"),
    (Lock(4, Fraction(5, 2), None), "lock bar 4 beat 2.5 = rest"),
    (Lock(1, Fraction(4, 3), 61), "lock bar 1 beat 4/3 = C#4"),
    (Lock(1, Fraction(97, 8), 61), "lock bar 1 beat 12.125 = C#4"),
])  # fmt: skip
def test_rules_in_words(rule: Rule, words: str) -> None:
    assert str(rule) == words


@pytest.mark.parametrize("text", ["C4-G5", "C4 - G5", "C4..G5", "60..79", "60-79", "C4 to G5", " C4 .. G5 "])
def test_ranges_that_read_alike(text: str) -> None:
    assert Range.parse(text) == Range(60, 79)


@given(st.integers(0, 127), st.integers(0, 127))
def test_ranges_read_back(one: int, other: int) -> None:
    rule = Range(min(one, other), max(one, other))
    assert Range.parse(str(rule).removeprefix("range ")) == rule


@given(st.integers(1, 999), st.fractions(1, 64, max_denominator=48), st.none() | st.integers(0, 127))
def test_locks_read_back(bar: int, beat: Fraction, pitch: int | None) -> None:
    lock = Lock(bar, beat, pitch)
    assert Lock.parse(str(lock).removeprefix("lock ")) == lock


@pytest.mark.parametrize("text", ["", "C4", "G5-C4", "C4-G5-A5", "C4-", "H4-G5", "C4 G5", "C4-G12", "1..128"])
def test_texts_that_are_no_range(text: str) -> None:
    with pytest.raises(ParseError, match="expected two pitches, the lower first, such as C4-G5"):
        Range.parse(text)


@pytest.mark.parametrize("text", [
    "", "C5", "bar 1 = C5", "bar 1 beat 1 C5", "beat 1 bar 1 = C5", "bar 0 beat 1 = C5", "bar 1 beat 0 = C5",
    "bar 1 beat 1/2 = C5", "bar 1 beat 1/0 = C5", "bar 1 beat -1 = C5", "bar 1 beat 1 = C5 E5",
])  # fmt: skip
def test_texts_that_are_no_lock(text: str) -> None:
    with pytest.raises(ParseError, match="expected a place and a pitch, such as bar 1 beat 1 = C5") as caught:
        Lock.parse(text)
    assert caught.value.token == text


@pytest.mark.parametrize("name", ["H5", "C", "200", "C12"])
def test_a_wrong_pitch_of_a_lock_is_pointed_at(name: str) -> None:
    with pytest.raises(ParseError) as caught:
        Lock.parse(f"bar 2 beat 3 = {name}")
    assert (caught.value.what, caught.value.token, caught.value.column) == ("pitch", name, 16)


@pytest.mark.parametrize("rule", [Rule, *RULES])
def test_costs(rule: type[Rule]) -> None:
    assert rule().is_law != (rule is Tessitura)
    assert not rule(cost=3.0).is_law
    for cost in (0.0, -1.0, math.nan):
        with pytest.raises(TheoryError, match="expected a number above 0"):
            rule(cost=cost)


@pytest.mark.parametrize(("build", "what"), [
    (lambda: Range(70, 60), "range 70..60: expected 0 <= low <= high <= 127"),
    (lambda: Range(0, 128), "range 0..128"),
    (lambda: LargestLeap(-1), "largest leap -1: expected a number of semitones from 0"),
    (lambda: EndOn(frozenset({0}), (1,)), "end on C: expected pitch classes from 0 to 11, or else degrees"),
    (lambda: EndOn(frozenset({60})), "end on .60.: expected pitch classes from 0 to 11, or else degrees"),
    (lambda: Lock(0, Fraction(1), 60), "lock bar 0 beat 1 = C4: expected a bar and a beat from 1"),
    (lambda: Lock(1, Fraction(1, 2), 60), "lock bar 1 beat 0.5 = C4: expected a bar and a beat from 1"),
    (lambda: Lock(1, Fraction(1), 128), "a pitch from 0 to 127"),
])  # fmt: skip
def test_values_out_of_range(build: object, what: str) -> None:
    with pytest.raises(TheoryError, match=what):
        build()  # type: ignore[operator]


def test_rules_are_values() -> None:
    assert Range(60, 72) == Range(60, 72) != Range(60, 71)
    assert len({InKey(), InKey(), ChordTonesOnStrongBeats(), InKey(cost=1.0)}) == 3
    with pytest.raises(FrozenInstanceError):
        Range(60, 72).low = 0  # type: ignore[misc]


def test_moments_in_words() -> None:
    assert str(Moment(3, Fraction(5, 2), 3)) == "bar 3 beat 2.5"
    assert [moment(level).is_strong for level in range(4)] == [True, True, False, False]
