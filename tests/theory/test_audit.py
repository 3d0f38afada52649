"""The audit, on cases written out."""

from __future__ import annotations

from fractions import Fraction

import pytest

from theory.audit import LineNote, audit_line
from theory.chord import Chord
from theory.key import Key
from theory.rules import ChordTonesOnStrongBeats, EndOn, InKey, LargestLeap, Lock, Moment, Range, Rule

# Two bars of 3/4 in C, one step a beat.
MOMENTS = [
    Moment(1 + step // 3, Fraction(1 + step % 3), 0 if step % 3 == 0 else 2, Key.parse("C"), Chord.parse(chord))
    for step, chord in enumerate(["C", "C", "C", "G7", "G7", "G7"])
]
C4, CS4, E4, FS4, G4, B4, E5 = 60, 61, 64, 66, 67, 71, 76


def found(notes: list[tuple[int, int, int]], *rules: Rule) -> list[str]:
    return [str(violation) for violation in audit_line([LineNote(*note) for note in notes], MOMENTS, rules)]


@pytest.mark.parametrize(("notes", "rule", "expected"), [
    ([(0, 1, C4), (1, 2, CS4), (2, 3, E4)], InKey(), ["bar 1 beat 2: C#4 breaks in key"]),
    # A held note is judged at every step it sounds.
    ([(1, 4, FS4)], InKey(),
     ["bar 1 beat 2: F#4 breaks in key", "bar 1 beat 3: F#4 breaks in key", "bar 2 beat 1: F#4 breaks in key"]),
    # C belongs to the first chord and is held into the second, on a strong beat.
    ([(0, 5, C4)], ChordTonesOnStrongBeats(), ["bar 2 beat 1: C4 breaks chord tones on strong beats"]),
    ([(0, 3, C4), (3, 6, B4)], ChordTonesOnStrongBeats(), []),
    ([(0, 1, C4), (1, 2, B4)], Range(60, 70), ["bar 1 beat 2: B4 breaks range C4..A#4"]),
    # A leap is found where its second note starts, rests between or not; a held note makes no move.
    ([(0, 1, C4), (1, 2, E5)], LargestLeap(12), ["bar 1 beat 2: C4 to E5 breaks largest leap 12 semitones"]),
    ([(0, 1, C4), (4, 6, E5)], LargestLeap(12), ["bar 2 beat 2: C4 to E5 breaks largest leap 12 semitones"]),
    ([(0, 1, C4), (1, 4, G4), (4, 6, E5)], LargestLeap(12), []),
    # The last note is the last to start; it need not ring to the end.
    ([(0, 1, C4), (1, 2, E4)], EndOn(frozenset({0})), ["bar 2 beat 3: E4 as the last note breaks end on C"]),
    ([(0, 1, E4), (1, 2, C4)], EndOn(frozenset({0})), []),
    ([], EndOn(frozenset({0})), ["bar 2 beat 3: a line without notes breaks end on C"]),
    ([], Lock(9, Fraction(1), 60), ["bar 2 beat 3: a piece without that place breaks lock bar 9 beat 1 = C4"]),
    # A lock wants a note that starts there.
    ([(1, 3, E4)], Lock(1, Fraction(2), E4), []),
    ([(0, 3, E4)], Lock(1, Fraction(2), E4), ["bar 1 beat 2: E4 breaks lock bar 1 beat 2 = E4"]),
    ([(1, 3, G4)], Lock(1, Fraction(2), E4), ["bar 1 beat 2: G4 breaks lock bar 1 beat 2 = E4"]),
    ([(2, 3, E4)], Lock(1, Fraction(2), E4), ["bar 1 beat 2: silence breaks lock bar 1 beat 2 = E4"]),
    ([(2, 3, E4)], Lock(1, Fraction(2), None), []),
    ([(1, 3, E4)], Lock(1, Fraction(2), None), ["bar 1 beat 2: E4 breaks lock bar 1 beat 2 = rest"]),
    ([(0, 6, FS4)], Rule(), []),
])  # fmt: skip
def test_one_rule(notes: list[tuple[int, int, int]], rule: Rule, expected: list[str]) -> None:
    assert found(notes, rule) == expected


def test_violations_come_by_rule_then_by_place() -> None:
    notes = [(0, 1, FS4), (1, 2, C4), (2, 3, CS4), (3, 4, E5)]
    assert found(notes, Range(60, 72), InKey(cost=1.0)) == [
        "bar 2 beat 1: E5 breaks range C4..C5",
        "bar 1 beat 1: F#4 breaks in key (preferred, 1 nats)",
        "bar 1 beat 3: C#4 breaks in key (preferred, 1 nats)",
    ]


def test_notes_silences_and_moves_of_one_rule_come_by_place() -> None:
    class Nothing(Rule):
        def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
            return not is_onset

        def permits_rest(self, moment: Moment) -> bool:
            return False

        def permits_move(self, previous: int, following: int) -> bool:
            return False

    assert [text.split(" breaks ")[0] for text in found([(0, 2, C4), (3, 6, E4)], Nothing())] == [
        "bar 1 beat 1: C4",
        "bar 1 beat 3: silence",
        "bar 2 beat 1: E4",
        "bar 2 beat 1: C4 to E4",
    ]


def test_a_rule_given_twice_is_broken_twice() -> None:
    assert found([(0, 1, FS4)], InKey(), InKey()) == ["bar 1 beat 1: F#4 breaks in key"] * 2


def test_a_rule_that_forbids_silence() -> None:
    class NoRestOnDownbeats(Rule):
        def permits_rest(self, moment: Moment) -> bool:
            return moment.level != 0

        def __str__(self) -> str:
            return "no rest on downbeats"

    assert found([(0, 2, C4)], NoRestOnDownbeats()) == ["bar 2 beat 1: silence breaks no rest on downbeats"]
    assert found([], NoRestOnDownbeats()) == [
        "bar 1 beat 1: silence breaks no rest on downbeats",
        "bar 2 beat 1: silence breaks no rest on downbeats",
    ]


def test_the_violation_holds_its_rule_and_place() -> None:
    rule = InKey(cost=2.0)
    (violation,) = audit_line([LineNote(2, 3, CS4)], MOMENTS, [rule])
    assert violation.rule is rule
    assert violation.moment is MOMENTS[2]


def test_no_rules_and_no_music() -> None:
    assert audit_line([LineNote(0, 6, FS4)], MOMENTS, []) == []
    assert audit_line([], [], [InKey(), EndOn()]) == []
