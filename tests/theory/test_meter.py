"""Metres: literal levels, round trips, and music21's beats."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import meters

from theory.errors import ParseError, TheoryError
from theory.meter import Meter

# Where music21 counts the beats in another way, and why ours stands.
_SIX_FOUR = "a quarter is a beat in every metre over 4: producers set the tempo in quarters"
_ADDITIVE = "metres over 8 that are not in threes are felt in groups of two and three, as they are danced"
_DIFFERENCES = {
    "6/4": _SIX_FOUR,
    "9/4": _SIX_FOUR,
    "12/4": _SIX_FOUR,
    "2+3/4": _SIX_FOUR,
    "2/8": _ADDITIVE,
    "4/8": _ADDITIVE,
    "5/8": _ADDITIVE,
    "7/8": _ADDITIVE,
    "8/8": _ADDITIVE,
    "10/8": _ADDITIVE,
    "11/8": _ADDITIVE,
}
_AGREED = (
    *("1/4", "2/4", "3/4", "4/4", "5/4", "7/4", "2/2", "3/2", "4/2", "3/8", "6/8", "9/8", "12/8", "15/8", "18/8"),
    *("3/16", "6/16", "9/16", "12/16", "2+2+3/8", "3+2/8", "3+3+2/8"),
)


def _music21_beats(text: str) -> tuple[tuple[Fraction, ...], Fraction, str]:
    import music21.meter

    signature = music21.meter.TimeSignature(text)
    starts = [Fraction(0)]
    for index in range(signature.beatCount - 1):
        starts.append(starts[-1] + Fraction(signature.beatSequence[index].duration.quarterLength))
    return tuple(starts), Fraction(signature.barDuration.quarterLength), signature.beatDivisionCountName


@pytest.mark.parametrize("text", _AGREED)
def test_music21_has_the_same_beats(text: str) -> None:
    meter = Meter.parse(text)
    starts, length, division = _music21_beats(text)
    assert meter.beat_starts == starts
    assert meter.bar_quarters == length
    if len(starts) > 1 and "+" not in text:  # music21 calls a single beat neither simple nor compound
        assert meter.is_compound == (division == "Compound")


@pytest.mark.parametrize("text", sorted(_DIFFERENCES))
def test_the_differences_are_still_there(text: str) -> None:
    starts, length, _ = _music21_beats(text)
    assert Meter.parse(text).bar_quarters == length
    assert Meter.parse(text).beat_starts != starts


def test_one_group_stands_in_parentheses_where_it_is_not_the_usual_one() -> None:
    assert str(Meter(4, 4, (4,))) == "(4)/4"
    assert Meter.parse("(4)/4").levels(1).tolist() == [0, 2, 2, 2]
    assert str(Meter(3, 4, (3,))) == "3/4"
    assert Meter.parse("(3)/4") == Meter(3, 4)


@given(meters)
def test_a_meter_reads_back(meter: Meter) -> None:
    assert Meter.parse(str(meter)) == meter


@pytest.mark.parametrize(
    ("text", "steps_per_quarter", "levels"),
    [
        ("4/4", 4, [0, 4, 3, 4, 2, 4, 3, 4, 1, 4, 3, 4, 2, 4, 3, 4]),
        ("3/4", 2, [0, 3, 2, 3, 2, 3]),
        ("2/2", 2, [0, 4, 3, 4, 1, 4, 3, 4]),
        ("6/8", 4, [0, 4, 3, 4, 3, 4, 1, 4, 3, 4, 3, 4]),
        ("9/8", 2, [0, 3, 3, 2, 3, 3, 2, 3, 3]),
        ("12/8", 2, [0, 3, 3, 2, 3, 3, 1, 3, 3, 2, 3, 3]),
        ("7/8", 2, [0, 3, 1, 3, 1, 3, 3]),
        ("3+2+2/8", 2, [0, 3, 3, 1, 3, 1, 3]),
        ("5/4", 1, [0, 2, 2, 1, 2]),
        ("4/4", 3, [0, 7, 7, 2, 7, 7, 1, 7, 7, 2, 7, 7]),
    ],
)
def test_levels_known_by_heart(text: str, steps_per_quarter: int, levels: list[int]) -> None:
    assert Meter.parse(text).levels(steps_per_quarter).tolist() == levels


@given(meters, st.sampled_from([8, 24]))
def test_levels_mark_downbeat_groups_and_beats(meter: Meter, steps_per_quarter: int) -> None:
    levels = meter.levels(steps_per_quarter)
    assert levels.shape == (meter.bar_steps(steps_per_quarter),)
    assert np.flatnonzero(levels == 0).tolist() == [0]
    marked = np.flatnonzero(levels <= 2)
    expected = {place * steps_per_quarter for place in meter.beat_starts + meter.group_starts}
    assert {Fraction(int(step)) for step in marked} == expected


@given(meters)
def test_groups_fill_the_bar(meter: Meter) -> None:
    assert sum(meter.groups) == meter.numerator
    ends = [*meter.group_starts[1:], meter.bar_quarters]
    lengths = [end - start for start, end in zip(meter.group_starts, ends, strict=True)]
    assert lengths == [group * Fraction(4, meter.denominator) for group in meter.groups]


@pytest.mark.parametrize(
    "text", ["", "4", "4/3", "0/4", "65/4", "4/64", "-3/4", "a/b", "2+/8", "3/4/4", "(2+2)/4", "(4/4", "(0)/4"]
)
def test_what_is_no_meter_is_named(text: str) -> None:
    with pytest.raises(ParseError, match=r"^metre .* at column 1: expected beats over a note value") as caught:
        Meter.parse(text)
    assert repr(text) in str(caught.value)


def test_groups_that_do_not_fill_the_bar_are_named() -> None:
    with pytest.raises(TheoryError, match=r"groups \(2, 3\) do not add up to the 4 counts"):
        Meter(4, 4, (2, 3))


def test_a_grid_too_coarse_for_the_bar_is_named() -> None:
    with pytest.raises(TheoryError, match=r"a bar of 3/8 is 3/2 steps at 1 steps a quarter: expected a whole number"):
        Meter.parse("3/8").bar_steps(1)
