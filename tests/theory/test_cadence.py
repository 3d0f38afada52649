"""Cadences: each by example in several keys, and no two at once where they exclude each other."""

import itertools

import pytest

from theory.cadence import (
    cadence_of,
    is_authentic,
    is_deceptive,
    is_half,
    is_perfect_authentic,
    is_phrygian_half,
    is_plagal,
)
from theory.chord import Chord
from theory.key import Key

MAJOR = {
    "perfect authentic": "G>C G7>C G7>C6 G>Cm",
    "imperfect authentic": "G7/B>C G7>C/E Bdim/D>C Bdim7>C Bm7b5>C/E",
    "half": "C>G F>G Dm/F>G D7>G F>G7 C/E>G Fm/Ab>G",
    "plagal": "F>C Fm>C F/A>C Fmaj7>C",
    "deceptive": "G>Am G7>Am G7>Ab",
    "": "G7>F C>F Am>Dm F>C/E G>G7 Gm>C C>G/B Gmaj7>C Bb>C G7>C/G G7>C7 D7>Am G/B>Am G7>A Dm>C C>Csus4 G7>Ab7/C",
}
MINOR = {
    "perfect authentic": "E>Am E7>Am E>A",
    "imperfect authentic": "G#dim7>Am E7/G#>Am E7>Am/C",
    "phrygian half": "Dm/F>E Dm7/F>E",
    "half": "Am>E Dm>E F>E Dm/F>E7 B7>E Bm7b5/D>E D/F#>E",
    "plagal": "Dm>Am D>A",
    "deceptive": "E7>F E>F#m",
    "": "Em>Am G>Am Am>Em F>Am E7>Dm",
}
CASES = [
    (key, name, *pair.split(">"))
    for key, rows in (("C", MAJOR), ("A minor", MINOR))
    for name, row in rows.items()
    for pair in row.split()
]


@pytest.mark.parametrize(("key", "name", "before", "last"), CASES)
def test_cadences_in_every_key(key, name, before, last):
    home = Key.parse(key)
    for shift in range(12):
        moved = Key(Chord(home.tonic).transposed(shift).root, home.mode)
        found = cadence_of(Chord.parse(before).transposed(shift), Chord.parse(last).transposed(shift), moved)
        assert (found or "") == name


def test_the_soprano_tells_perfect_from_imperfect():
    key = Key.parse("C")
    pair = Chord.parse("G7"), Chord.parse("C")
    assert is_perfect_authentic(*pair, key, soprano=1)
    assert not is_perfect_authentic(*pair, key, soprano=3)
    assert cadence_of(*pair, key, soprano=5) == "imperfect authentic"
    assert cadence_of(*pair, key, soprano=1) == "perfect authentic"


def test_a_phrygian_half_cadence_is_of_minor_and_a_half_cadence():
    pair = Chord.parse("Dm/F"), Chord.parse("E")
    assert is_phrygian_half(*pair, Key.parse("A minor"))
    assert is_half(*pair, Key.parse("A minor"))
    assert not is_phrygian_half(*pair, Key.parse("A"))


def test_what_excludes_each_other():
    key = Key.parse("C")
    symbols = "C C/E Dm Em F Fm G G7 G7/B Am Ab Bdim D7 N.C."
    chords = [Chord.parse(symbol) for symbol in symbols.split()]
    for before, last in itertools.product(chords, chords):
        tests = (is_authentic, is_half, is_plagal, is_deceptive)
        assert sum(test(before, last, key) for test in tests) <= 1
        assert not is_perfect_authentic(before, last, key) or is_authentic(before, last, key)
