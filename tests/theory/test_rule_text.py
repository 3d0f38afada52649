"""Rules as text and as tables: they read back, and what can't be read is named."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from rule_strategies import Grumpy, Moody, Reattack, rules

from symgen.alphabet import LineAlphabet
from theory.errors import ParseError
from theory.rules import (
    RULES,
    AllOf,
    AnyOf,
    Contains,
    EndOn,
    InBars,
    InKey,
    LargestLeap,
    Lock,
    Motif,
    NoQuotes,
    NoRests,
    Not,
    NoteLength,
    Range,
    RepeatedNotes,
    Rule,
    Tessitura,
)
from theory.rules.sets import RULE_SETS
from theory.rules.text import parse_rule, rule_from, rule_name, rule_text
from theory.rules.voices import VoiceRanges
from theory.rules.voicesets import VOICE_RULE_SETS, VOICE_RULES

KINDS = (*RULES, Reattack, Moody, Grumpy)


@given(rules(LineAlphabet(58, 62), 9, (math.inf, 0.25, 3.0)))
def test_the_text_of_a_rule_reads_back(rule: Rule) -> None:
    assert parse_rule(rule_text(rule), KINDS) == rule


@pytest.mark.parametrize("name", RULE_SETS)
def test_sets_read_back(name: str) -> None:
    assert [parse_rule(rule_text(rule)) for rule in RULE_SETS[name]] == list(RULE_SETS[name])


@pytest.mark.parametrize("name", VOICE_RULE_SETS)
def test_sets_for_voices_read_back(name: str) -> None:
    rules = list(VOICE_RULE_SETS[name])
    assert [parse_rule(rule_text(rule), VOICE_RULES) for rule in rules] == rules


def test_ranges_of_voices() -> None:
    two = VoiceRanges(((60, 81), (53, 74)))
    assert rule_text(two) == "voice-ranges ranges=C4-A5,F3-D5"
    assert parse_rule("voice-ranges C4-A5,F3-74", VOICE_RULES) == two
    assert rule_from({"rule": "voice-ranges", "ranges": [["C4", 81], "F3-D5"]}, VOICE_RULES) == two


@pytest.mark.parametrize("kind", [*RULES, *VOICE_RULES])
def test_every_rule_is_known_by_its_name(kind: type[Rule]) -> None:
    kinds = (*RULES, *VOICE_RULES)
    assert parse_rule(rule_name(kind), kinds) == kind()
    assert parse_rule(f"{rule_name(kind)} cost=2.5", kinds) == kind(cost=2.5)


@pytest.mark.parametrize(("text", "rule"), [
    ("largest-leap 7", LargestLeap(7)),
    ("Largest_Leap semitones=7", LargestLeap(7)),
    ("range C4 G5", Range(60, 79)),
    ("range low=60 high=79 cost=1/2".replace("1/2", "0.5"), Range(60, 79, cost=0.5)),
    ("range high=72 60", Range(60, 72)),  # what has no name is the first value not said yet
    ("tessitura", Tessitura()),
    ("tessitura cost=inf", Tessitura(cost=math.inf)),
    ("end-on C,E,G", EndOn(frozenset({0, 4, 7}))),
    ("end-on degrees=1,3", EndOn(degrees=(1, 3))),
    ('no-rests "bar ends"', NoRests("bar ends")),
    ("note-length 1/3 longest=4", NoteLength(Fraction(1, 3), Fraction(4))),
    ("note-length 0.5 none", NoteLength(Fraction(1, 2))),
    ("lock 1 2.5 C#5", Lock(1, Fraction(5, 2), 73)),
    ("lock bar=4 pitch=rest", Lock(4)),
    ('motif 2 notes="E4:1 D4:1" transposed=yes', Motif(2, notes="E4:1 D4:1", transposed=True)),
    ('no-quotes melodies="C4 D4 E4;G4 G4 E4" n=3', NoQuotes(("C4 D4 E4", "G4 G4 E4"), 3)),
    ('contains "C4 E4" by=pitch', Contains("C4 E4", "pitch")),
    ("not in-key", Not(InKey())),
    ("not in-key cost=2", Not(InKey(), cost=2.0)),
    ("in-key or largest-leap 4", AnyOf((InKey(), LargestLeap(4)))),
    ("in-key and largest-leap 4 or range", AnyOf((AllOf((InKey(), LargestLeap(4))), Range()))),
    ("in-key and (largest-leap 4 or range)", AllOf((InKey(), AnyOf((LargestLeap(4), Range()))))),
    ("in-key in bars 2-3", InBars(InKey(), 2, 3)),
    ("in-key in bar 2", InBars(InKey(), 2, 2)),
    ("in-key from bar 2 to bar 3", InBars(InKey(), 2, 3)),
    ("in-key cost=2 in bars 2-3", InBars(InKey(cost=2.0), 2, 3, cost=2.0)),
    ("not in-key in bars 2-3", Not(InBars(InKey(), 2, 3))),
    ("(not in-key) in bars 2-3", InBars(Not(InKey()), 2, 3)),
])  # fmt: skip
def test_texts(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule


@pytest.mark.parametrize(("text", "token", "column", "expected"), [
    ("", "", 1, "the name of a rule"),
    ("largest-lep 7", "largest-lep", 1, "did you mean 'largest-leap'"),
    ("largest-leap x", "x", 14, "a whole number"),
    ("largest-leap 7 8", "8", 16, "no more values"),
    ("range 60 low=62", "low", 10, "each value once"),
    ("range low=60 low=62", "low", 14, "each value once"),
    ("tessitura instrument=violin low=60", "low", 29, "each value once"),
    ("range 60 instrument=violin", "instrument", 10, "each value once"),
    ("largest-leap size=8", "size", 14, "one of semitones, cost"),
    ("largest-leap -1", "largest-leap", 1, "from 0"),
    ("range C4 H5", "H5", 10, "a whole number, or a pitch"),
    ("in-key and", "", 11, "the name of a rule"),
    ("(in-key", "", 8, "closing parenthesis"),
    ("in-key)", ")", 7, "or the end"),
    ("in-key in bars 4-3", "4-3", 1, "a bar or two"),
    ("voice-ranges ranges=C4", "C4", 14, "ranges such as C4-A5"),
    ("voice-ranges C4-A5,F3", "C4-A5,F3", 14, "ranges such as C4-A5"),
    ("voice-ranges C4-H5", "C4-H5", 14, "ranges such as C4-A5"),
    ("in-key cost=-1", "-1.0", 1, "above 0"),
    ("in-key cost=much", "much", 8, "a number"),
    ("rhythm xyz", "y", 2, "an onset"),
    ('motif notes="C4:1 D4"', "D4", 6, "pitches with lengths"),
    ('motif notes="C4:1 H4:1"', "H4", 6, "a name with an octave"),
    ('contains "C4 E4 H4"', "H4", 7, "a name with an octave"),
])  # fmt: skip
def test_what_is_no_rule(text: str, token: str, column: int, expected: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_rule(text, (*RULES, *VOICE_RULES))
    assert (caught.value.token, caught.value.column) == (token, column)
    assert expected in caught.value.expected


def test_tables_as_they_stand_in_a_file() -> None:
    table = tomllib.loads("""
        rules = [
          "in-key",
          { rule = "range", low = "C4", high = 79 },
          { rule = "note-length", shortest = 0.5, bars = "5-8", cost = 2 },
          { any = ["end-on C", { not = "repeated-notes 2" }], cost = 1.5 },
          { all = ["in-key", "largest-leap 4"] },
          { rule = "end-on", pitch_classes = ["C", 4] },
          { rule = "no-quotes", melodies = ["C4 D4 E4", "G4 E4 C4"], n = 3 },
        ]
    """)
    assert [rule_from(entry) for entry in table["rules"]] == [
        InKey(),
        Range(60, 79),
        InBars(NoteLength(Fraction(1, 2), cost=2.0), 5, 8, cost=2.0),
        AnyOf((EndOn(frozenset({0})), Not(RepeatedNotes(2))), cost=1.5),
        AllOf((InKey(), LargestLeap(4))),
        EndOn(frozenset({0, 4})),
        NoQuotes(("C4 D4 E4", "G4 E4 C4"), 3),
    ]


@pytest.mark.parametrize(("value", "token"), [
    (7, "7"),
    ({}, ""),
    ({"rule": "range", "lowest": 4}, "lowest"),
    ({"rule": "range", "low": True}, "True"),
    ({"any": ["in-key"], "rule": "range"}, "rule"),
    ({"rule": "in-key", "bars": "x"}, "x"),
    ({"rule": "in-key", "cost": 0}, "0.0"),
])  # fmt: skip
def test_tables_that_are_no_rule(value: object, token: str) -> None:
    with pytest.raises(ParseError) as caught:
        rule_from(value)
    assert caught.value.token == token


def test_rules_of_ones_own_are_read_by_their_name() -> None:
    @dataclass(frozen=True)
    class WhiteKeys(Rule):
        shade: str = "white"

    assert parse_rule("white-keys shade=ivory or in-key", [*RULES, WhiteKeys]) == AnyOf((WhiteKeys("ivory"), InKey()))


def test_rules_of_ones_own_may_have_to_be_told_something() -> None:
    @dataclass(frozen=True)
    class Away(Rule):
        pitch: int
        by: int = 2

    assert rule_text(Away(60, cost=2.0)) == "away pitch=C4 cost=2.0"
    assert parse_rule("away C4 cost=2", [Away]) == Away(60, cost=2.0)
    assert rule_text(Not(Away(61, 2))) == "not away pitch=C#4"


def test_parentheses_without_end_are_no_rule() -> None:
    for sign in ("(", "not "):
        with pytest.raises(ParseError, match="expected fewer parentheses") as caught:
            parse_rule(sign * 10_000 + "in-key")
        assert len(str(caught.value)) < 100
