"""Rules for several voices: each broken and kept by music written out, and the audit of both."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.chord import Chord
from theory.errors import ParseError, TheoryError
from theory.key import Key
from theory.pitch import parse_pitch
from theory.rules.base import LineNote, Moment
from theory.rules.sonority import (
    BassNote,
    ChordTones,
    CompleteChords,
    NoCrossing,
    NoDoubledLeadingTone,
    NoDoubledThird,
    Spacing,
)
from theory.rules.voiceleading import (
    ConsonantStrongBeats,
    DissonancesByStep,
    LargestVoiceLeap,
    LeadingToneResolves,
    NoAwkwardLeaps,
    NoHiddenFifthsOctaves,
    NoOverlap,
    NoParallelFifths,
    NoParallelOctaves,
    SeventhResolves,
)
from theory.rules.voices import Group, VoiceLock, VoiceRanges, VoiceRule, locks_of
from theory.rules.voicesets import CHORALE, STRICT_COUNTERPOINT, VOICE_RULES
from theory.voiceaudit import audit_voices, audit_voicings, voicings_of

STRONG, WEAK = 0, 2


def moments_of(chords: str, key: str | None = "C", levels: tuple[int, ...] = ()) -> list[Moment]:
    """Return a beat for each chord (``-`` is an unknown one); strong and weak beats in turn unless said."""
    names = chords.split()
    levels = levels or tuple(WEAK if beat % 2 else STRONG for beat in range(len(names)))
    parsed = [None if name == "-" else Chord.parse(name) for name in names]
    home = Key.parse(key) if key else None
    return [
        Moment(1, Fraction(beat + 1), level, home, chord)
        for beat, (level, chord) in enumerate(zip(levels, parsed, strict=True))
    ]


def voicings(text: str) -> list[list[int | None]]:
    """Read voicings such as ``C5 E4 | B4 .``, each from the top down; a dot is silence."""
    return [[None if name == "." else parse_pitch(name) for name in part.split()] for part in text.split("|")]


# rule, chords, music that breaks it, the beats of the violations, music that keeps it
CASES = [
    (NoParallelFifths(), "- -", "G4 C4 | A4 D4", [2], "G4 C4 | A4 C4"),
    (NoParallelFifths(), "- -", "G4 E4 C4 | A4 E4 D4", [2], "G4 E4 C4 | G4 E4 C4"),
    (NoParallelFifths(), "- - -", "G4 C4 | D5 G3 | G4 C4", [2, 3], "G4 C4 | . D4 | A4 D4"),
    (NoParallelOctaves(), "- -", "C5 C4 | D5 D4", [2], "C5 C4 | C5 C4"),
    (NoHiddenFifthsOctaves(), "- -", "F4 C4 A3 | A4 D4 D4", [2], "G4 C4 B3 | A4 C4 D4"),
    (NoHiddenFifthsOctaves(), "- -", "G4 C4 B3 | C5 C4 C4", [2], "G4 E4 C4 | A4 A4 D4"),
    (NoCrossing(), "-", "C4 D4", [1], "C4 C4"),
    (NoCrossing(), "-", "C4 . D4", [1], "C4 . B3"),
    (NoOverlap(), "- -", "C5 C4 | C6 D5", [2], "C5 C4 | C6 C5"),
    (NoOverlap(), "- -", "C5 G4 | F4 C4", [2], "C5 G4 | G4 C4"),
    (Spacing(), "-", "C6 B4 C3", [1], "B5 B4 C3"),
    (Spacing(4), "-", "C5 G4 C4", [1], "C5 G#4 C4"),
    (LeadingToneResolves(), "G C", "B4 D4 | G4 E4", [2], "B4 D4 | C5 C4"),
    (LeadingToneResolves(), "G Am", "B4 G3 | G4 A3", [2], "D5 B3 | C5 A3"),
    (LeadingToneResolves(), "G C", "D5 B4 G3 | C5 E4 C4", [2], "D5 B4 G3 | C5 G4 C4"),
    (LeadingToneResolves(inner_may_fall=False), "G C", "D5 B4 G3 | C5 G4 C4", [2], "D5 B4 G3 | C5 C5 C4"),
    (LeadingToneResolves(), "G7 C", "B4 D4 | B4 E4", [2], "D5 F4 | C5 E4"),
    (LeadingToneResolves(), "G/B C", "D5 B3 | C5 G3", [2], "D5 B3 | C5 C4"),
    (SeventhResolves(), "G7 C", "F4 B3 | G4 C4", [2], "F4 B3 | E4 C4"),
    (SeventhResolves(), "Dm7 G7", "C5 D4 | D5 B3", [2], "C5 D4 | B4 G3"),
    (NoDoubledLeadingTone(), "G", "B4 G4 B3", [1], "B4 G4 G3"),
    (NoDoubledThird(), "F", "A4 F4 A3", [1], "A4 F4 F3"),
    (CompleteChords(), "G7", "F4 D4 G3", [1], "F4 B3 G3"),
    (CompleteChords(may_omit_fifth=False), "C", "E4 C4 C3", [1], "E4 C4 G3"),
    (CompleteChords(), "Cm7b5", "Bb4 Eb4 C3", [1], "Bb4 Gb4 Eb4 C3"),
    (CompleteChords(), "G9", "A4 F4 D4 G3", [1], "A4 F4 B3 G3"),
    (ChordTones(), "F", "A4 G3", [1], "A4 F3"),
    (ChordTones((0,)), "F", "A4 G3", [1], "G4 F3"),
    (BassNote(), "C/E", "C5 C4", [1], "C5 E4"),
    (VoiceRanges(), "-", "B5 C5 C4 C3", [1], "A5 C5 C4 C3"),
    (VoiceRanges.of("violin", "cello"), "-", "F#3 C3", [1], "G3 C3"),
    (LargestVoiceLeap(), "- -", "C5 C4 C3 | C5 G#4 C3", [2], "C5 C4 C3 | C6 G4 C4"),
    (LargestVoiceLeap(), "- -", "C5 C4 C3 | C#6 C4 C3", [2], "C5 C4 C3 | C4 F3 C2"),
    (NoAwkwardLeaps(), "- -", "F4 C3 | B4 C3", [2], "F4 C3 | A4 C4"),
    (NoAwkwardLeaps(), "- -", "C4 C3 | Bb4 C3", [2], "C4 C3 | C5 C3"),
    (NoAwkwardLeaps(), "- -", "C4 C3 | C#5 C3", [2], "C4 C3 | A4 C3"),
    (NoAwkwardLeaps(), "- -", "Ab4 | B4", [2], "B4 | D5"),
    (ConsonantStrongBeats(), "- -", "D4 C4 | E4 C4", [1], "E4 C4 | D4 C4"),
    (ConsonantStrongBeats(), "- - -", "E4 C4 | G4 C4 | F4 G3", [3], "E4 C4 | F4 A3 | F4 C4"),
    (ConsonantStrongBeats(), "- - -", "E4 C4 | F4 C4 | F4 C4", [3], "E4 C4 | . C4 | E4 C4"),
    (ConsonantStrongBeats(suspensions=False), "- - -", "E4 C4 | F4 A3 | F4 C4", [3], "F4 A3 | F4 G3 | F4 D4"),
    (ConsonantStrongBeats(), "-", "C5 F4 C4", [1], "C5 G4 C4"),
    (DissonancesByStep(), "- -", "C4 C4 | F4 C4", [2], "E4 C4 | F4 C4"),
    (DissonancesByStep(), "- -", "F4 C4 | A4 C4", [2], "F4 C4 | E4 C4"),
    (DissonancesByStep(), "- - -", "F4 A3 | F4 C4 | F4 C4", [2], "F4 A3 | F4 A3 | F4 C4"),
    (DissonancesByStep(), "- - - -", "G4 E4 | F4 A3 | F4 C4 | F4 F3", [4], "G4 E4 | F4 A3 | F4 C4 | E4 A3"),
    (VoiceLock(0, 1, Fraction(2), 72), "- -", "C5 E4 | D5 F4", [2], "B4 E4 | C5 F4"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "chords", "broken", "beats", "kept"), CASES, ids=lambda case: str(case)[:40])
def test_rules_on_music_written_out(rule, chords, broken, beats, kept):
    moments = moments_of(chords)
    found = audit_voicings(voicings(broken), moments, [rule])
    assert sorted({violation.moment.beat for violation in found}) == beats
    assert {violation.rule for violation in found} == {rule}
    assert audit_voicings(voicings(kept), moments, [rule]) == []


def test_what_asks_for_no_resolution():
    """B over Cmaj9 leads nowhere, though D is there too; the seventh of G7 may be taken over by another voice."""
    assert audit_voicings(voicings("B4 D4 | G4 E4"), moments_of("Cmaj9 C"), [LeadingToneResolves()]) == []
    assert audit_voicings(voicings("F5 B3 | B4 F3"), moments_of("G7 G7/F"), [SeventhResolves()]) == []


def test_every_rule_has_a_case():
    assert {type(case[0]) for case in CASES} == set(VOICE_RULES)


def test_nothing_is_known_nothing_is_broken():
    """Where neither chord nor key is known, rules that read them are silent."""
    moments = moments_of("- -", key=None)
    music = voicings("B4 B4 F#4 | C4 G4 F4")
    blind = [rule() for rule in VOICE_RULES if rule.__module__ == "theory.rules.sonority"]
    readers = [rule for rule in blind if rule.sees(moments[0]) is None and not isinstance(rule, NoCrossing | Spacing)]
    assert len(readers) == 5
    assert audit_voicings(music, moments, [*readers, LeadingToneResolves(), SeventhResolves()]) == []


@pytest.mark.parametrize("rule", VOICE_RULES)
def test_rules_as_the_table_needs_them(rule):
    made = rule()
    assert made.is_law
    assert made.cost == math.inf
    assert (rule.__doc__ or "").splitlines()[0].endswith(".")
    assert made.words() not in {"", "anything"}
    assert made == rule(**{field.name: getattr(made, field.name) for field in fields(made)})
    assert hash(made) == hash(rule())
    with pytest.raises(TheoryError):
        rule(cost=0)


def test_sets():
    assert len({type(rule) for rule in CHORALE if rule.is_law}) == sum(rule.is_law for rule in CHORALE)
    assert {type(rule) for rule in (*CHORALE, *STRICT_COUNTERPOINT)} | {VoiceLock} == set(VOICE_RULES)


PITCHES = st.integers(48, 76)
LEVELS = st.sampled_from([STRONG, WEAK])
CHORDS = st.sampled_from(["C", "G7", "F", "Bdim7", "Am", "C/E", "E7", "-", "N.C."])


@pytest.mark.parametrize("rule", [*VOICE_RULES], ids=lambda rule: rule.__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_arrays_are_judged_elementwise(rule, data):
    rule = rule()
    chords = " ".join(data.draw(st.tuples(CHORDS, CHORDS)))
    was, now = moments_of(chords, data.draw(st.sampled_from(["C", "A minor"])), data.draw(st.tuples(LEVELS, LEVELS)))
    n_voices = data.draw(st.integers(1, 4))
    rows = st.lists(st.tuples(*[PITCHES] * n_voices), min_size=1, max_size=4)
    before, after = data.draw(rows), data.draw(rows)
    for group in rule.groups(n_voices):
        first = [np.array(column)[:, None] for column in zip(*before, strict=True)]
        second = [np.array(column)[None, :] for column in zip(*after, strict=True)]
        first, second = [first[v] for v in group.voices], [second[v] for v in group.voices]
        shape = len(before), len(after)
        pairs = [([b[v] for v in group.voices], [a[v] for v in group.voices]) for b in before for a in after]
        moved = np.broadcast_to(rule.permits_motion(first, second, was, now, group), shape).ravel().tolist()
        assert moved == [rule.permits_motion(b, a, was, now, group) for b, a in pairs]
        for ask in (rule.permits_voicing, rule.permits_entry):
            assert np.broadcast_to(ask(second, now, group), shape).ravel().tolist() == [
                ask(a, now, group) for _, a in pairs
            ]


@given(st.lists(st.tuples(PITCHES, PITCHES, PITCHES), min_size=2, max_size=2), CHORDS, CHORDS, LEVELS, LEVELS)
def test_rules_see_no_more_than_they_say(music, chord, other, level, next_level):
    """Moments that look alike to a rule are judged alike."""
    moments = moments_of(f"{chord} {other}", "C", (level, next_level))
    elsewhere = [m._replace(bar=7, beat=Fraction(5, 2)) for m in moments_of(f"{other} {other}", "D", (WEAK, level))]
    for rule in (made() for made in VOICE_RULES):
        mixed = [m if rule.sees(m) != rule.sees(e) else e for m, e in zip(moments, elsewhere, strict=True)]
        assert len(audit_voicings(music, moments, [rule])) == len(audit_voicings(music, mixed, [rule]))


@dataclass(frozen=True)
class Counting(VoiceRule):
    """A rule of one's own that forbids everything, to see what is asked."""

    def groups(self, n_voices):
        return (Group((0,), n_voices), Group((0, 1), n_voices))

    def permits_voicing(self, pitches, moment, group):
        return False

    def permits_motion(self, before, after, moment_before, moment, group):
        return False

    def permits_entry(self, pitches, moment, group):
        return False


def test_what_the_audit_asks():
    music = voicings("C5 . | D5 E4 | D5 F4 | . F4")
    found = audit_voicings(music, moments_of("- - - -"), [Counting()])
    assert [f"{v.moment.beat} {v.what}" for v in found] == [
        "1 C5 in voice 1",
        "1 C5 out of silence in voice 1",
        "2 D5 in voice 1",
        "2 C5 to D5 in voice 1",
        "2 D5 E4 in all voices",
        "2 D5 E4 out of silence in all voices",
        "3 D5 in voice 1",
        "3 D5 to D5 in voice 1",
        "3 D5 F4 in all voices",
        "3 D5 E4 to D5 F4 in all voices",
    ]


def test_voices_become_voicings():
    upper, lower = [LineNote(0, 2, 72), LineNote(3, 4, 74)], [LineNote(0, 4, 65)]
    assert voicings_of([upper, lower], 4) == [[72, 65], [72, 65], [None, 65], [74, 65]]
    assert audit_voices([upper, lower], moments_of("- - - -"), [NoCrossing()]) == []
    assert len(audit_voices([lower, upper], moments_of("- - - -"), [NoCrossing()])) == 3
    with pytest.raises(TheoryError, match="voice 1, step 1"):
        voicings_of([[LineNote(0, 2, 60), LineNote(1, 3, 62)]], 4)


def test_audit_wants_a_voicing_for_each_moment():
    with pytest.raises(TheoryError):
        audit_voicings([[60]], moments_of("- -"), [])
    with pytest.raises(TheoryError):
        audit_voicings([[60], [60, 55]], moments_of("- -"), [])
    assert audit_voicings([], [], [NoCrossing()]) == []


def test_places_that_are_not_there():
    lock = VoiceLock(0, 9, Fraction(1), 60)
    found = audit_voicings([[60, 48]], moments_of("-"), [lock])
    assert [v.what for v in found] == ["a piece without that place"]


def test_locks_read_and_write():
    lock = VoiceLock.parse(" voice 2 bar 3 beat 1.5 = F#4")
    assert lock == VoiceLock(1, 3, Fraction(3, 2), 66)
    assert VoiceLock.parse(str(lock)) == lock
    assert VoiceLock.parse(str(VoiceLock(0, 1, Fraction(4, 3), 60))).beat == Fraction(4, 3)
    for text in (
        "voice 0 bar 1 beat 1 = C4",
        "bar 1 beat 1 = C4",
        "voice 1 bar 1 beat 1 = H4",
        "voice 1 bar 0 beat 1 = C4",
    ):
        with pytest.raises(ParseError):
            VoiceLock.parse(text)
    with pytest.raises(TheoryError):
        VoiceLock(0, 1, Fraction(1), 128)


def test_given_voices_become_locks():
    moments = moments_of("C F C")
    assert locks_of(2, [60, None, 64], moments) == (
        VoiceLock(2, 1, Fraction(1), 60),
        VoiceLock(2, 1, Fraction(3), 64),
    )


def test_ranges_are_checked():
    with pytest.raises(ParseError, match="kazoo"):
        VoiceRanges.of("violin", "kazoo")
    with pytest.raises(TheoryError):
        VoiceRanges(((60, 50),))
    at_home = VoiceRanges.of("soprano", "bass", at_home=True, cost=0.5)
    assert (at_home.ranges, at_home.cost) == (((64, 77), (45, 57)), 0.5)
    assert [group.voices for group in VoiceRanges.of("oboe").groups(3)] == [(0,)]


def test_names_of_groups():
    assert str(Group((0, 3), 4)) == "soprano and bass"
    assert str(Group((1,), 3)) == "voice 2"
    assert str(Group((0, 1), 2)) == "all voices"
    assert Group((0, 2), 3).is_outer
    assert not Group((0, 1), 3).is_outer
