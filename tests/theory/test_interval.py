"""Intervals: names, sizes and inversions, with music21 as the oracle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import spellings

from theory.errors import ParseError
from theory.interval import Interval
from theory.pitch import Spelling

intervals = st.builds(Interval, st.integers(-25, 25), st.integers(-20, 20))

_SEMITONES = (
    "d1:-1 P1:0 A1:1 d2:0 m2:1 M2:2 A2:3 d3:2 m3:3 M3:4 A3:5 d4:4 P4:5 A4:6 AA4:7 d5:6 P5:7 A5:8 d6:7 m6:8 M6:9 "
    "A6:10 dd7:8 d7:9 m7:10 M7:11 A7:12 d8:11 P8:12 A8:13 m9:13 M9:14 M10:16 P11:17 A11:18 P12:19 M13:21 P15:24"
)
SIZES = {name: int(size) for name, size in (entry.split(":") for entry in _SEMITONES.split())}


@pytest.mark.parametrize(("name", "semitones"), SIZES.items())
def test_sizes_by_heart(name: str, semitones: int) -> None:
    interval = Interval.parse(name)
    assert (str(interval), interval.semitones) == (name, semitones)
    assert interval.number == int(name.lstrip("PMmAd"))
    assert (-interval).semitones == -semitones


@pytest.mark.parametrize("name", SIZES)
def test_music21_has_the_same_size_and_inversion(name: str) -> None:
    import music21.interval

    theirs = music21.interval.Interval(name)
    ours = Interval.parse(name)
    assert ours.semitones == theirs.semitones
    if ours.number > 1 and name != "P15":  # its inversion of a double octave is a unison, its d1 has none
        assert str(ours.inverted) == theirs.complement.name


@given(spellings, spellings)
def test_music21_names_the_same_interval_between_two_notes(low: Spelling, high: Spelling) -> None:
    import music21.interval
    import music21.pitch

    def pitch(note: Spelling, octave: int) -> music21.pitch.Pitch:
        return music21.pitch.Pitch(f"{str(note).replace('b', '-')}{octave}")

    ours = Interval.between(low, high)
    is_higher = "CDEFGAB".index(high.letter) >= "CDEFGAB".index(low.letter)
    theirs = music21.interval.Interval(pitch(low, 4), pitch(high, 4 if is_higher else 5))
    assert ours.semitones == theirs.semitones
    assert abs(ours.fifths) > 25 or ours.number == 1 or str(ours) == theirs.name


@given(intervals)
def test_an_interval_reads_back(interval: Interval) -> None:
    assert Interval.parse(str(interval)) == interval


@given(spellings, spellings)
def test_the_interval_between_leads_from_one_to_the_other(low: Spelling, high: Spelling) -> None:
    interval = Interval.between(low, high)
    assert interval.above(low) == high
    assert (low.pitch_class + interval.semitones) % 12 == high.pitch_class
    assert 1 <= interval.number <= 7


@given(intervals, intervals)
def test_intervals_add_as_their_sizes_do(first: Interval, second: Interval) -> None:
    assert (first + second).semitones == first.semitones + second.semitones
    assert (first + second).steps == first.steps + second.steps
    assert first + second - second == first


@given(intervals)
def test_an_inversion_completes_the_octave(interval: Interval) -> None:
    simple = interval.simple
    octave = Interval.parse("-P8" if simple.steps < 0 else "P8")
    assert simple + interval.inverted == octave
    assert simple.number <= 8
    assert (simple.semitones - interval.semitones) % 12 == 0
    assert simple.steps * interval.steps >= 0


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        ("m3", "simple", "m3"),
        ("P15", "simple", "P8"),
        ("A11", "simple", "A4"),
        ("-M10", "simple", "-M3"),
        ("M10", "inverted", "m6"),
        ("-P5", "inverted", "-P4"),
        ("P8", "inverted", "P1"),
        ("A8", "inverted", "d1"),
    ],
)
def test_simple_and_inverted_by_heart(name: str, change: str, found: str) -> None:
    assert str(getattr(Interval.parse(name), change)) == found


@pytest.mark.parametrize(("name", "is_compound"), [("P8", False), ("m9", True), ("-m9", True), ("M7", False)])
def test_compound_is_more_than_an_octave(name: str, is_compound: bool) -> None:
    assert Interval.parse(name).is_compound == is_compound


@pytest.mark.parametrize("text", ["", "P", "5", "P3", "M5", "m4", "m0", "P0", "dA5", "Ad5", "x3", "P5 up", "MM3"])
def test_what_is_no_interval_is_named(text: str) -> None:
    with pytest.raises(ParseError, match=r"^interval .* expected a quality") as caught:
        Interval.parse(text)
    assert caught.value.token == text
