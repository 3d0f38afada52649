"""Swing: places known by heart, its inverse, and the metres it does not touch."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theory_strategies import meters

from theory.errors import ParseError, TheoryError
from theory.meter import Meter
from theory.swing import Swing

_EIGHTH, _SIXTEENTH = Fraction(1, 2), Fraction(1, 4)
swings = st.builds(
    Swing, st.fractions(min_value="1/4", max_value=5, max_denominator=20), st.sampled_from([_EIGHTH, _SIXTEENTH])
)
places = st.fractions(min_value=0, max_value=40, max_denominator=48)


@pytest.mark.parametrize(
    ("swing", "meter", "straight", "swung"),
    [
        ("2:1", "4/4", "0 1/4 1/2 3/4 1 3/2 7/2 9/2", "0 1/3 2/3 5/6 1 5/3 11/3 14/3"),
        ("3:1 sixteenths", "4/4", "0 1/4 1/2 3/4 1 15/4", "0 3/8 1/2 7/8 1 31/8"),
        ("2:1 eighths", "2/2", "1/2 3/2 5/2", "2/3 5/3 8/3"),
        ("2:1 eighths", "7/8", "1/2 3/2 5/2 3 13/4 4 9/2", "2/3 5/3 8/3 3 13/4 25/6 9/2"),
        ("2:1 eighths", "6/8", "1/2 1 3/2 2 5/2", "2/3 1 3/2 13/6 5/2"),
        ("2:1 sixteenths", "6/8", "1/4 1/2 3/4 1 5/4", "1/3 1/2 5/6 1 4/3"),
        ("2:1 eighths", "7/16", "1/4 1/2 3/4 1", "1/4 1/2 3/4 1"),
        ("50%", "4/4", "1/3 1/2 7/8", "1/3 1/2 7/8"),
        ("1:3", "3/4", "1/2 3/2 5/2 7/2", "1/4 5/4 9/4 13/4"),
    ],
)
def test_places_known_by_heart(swing: str, meter: str, straight: str, swung: str) -> None:
    read = Swing.parse(swing)
    for place, expected in zip(straight.split(), swung.split(), strict=True):
        assert read.swung(Fraction(place), Meter.parse(meter)) == Fraction(expected)
        assert read.straight(Fraction(expected), Meter.parse(meter)) == Fraction(place)


@given(swings, meters, places, places)
def test_it_keeps_order_beats_and_bars_and_has_an_inverse(
    swing: Swing, meter: Meter, place: Fraction, other: Fraction
) -> None:
    swung = swing.swung(place, meter)
    assert swing.straight(swung, meter) == place
    assert swing.swung(swing.straight(place, meter), meter) == place
    assert (swung < swing.swung(other, meter)) == (place < other)
    for beat in meter.beat_starts:
        assert swing.swung(beat + meter.bar_quarters, meter) == beat + meter.bar_quarters
    assert swing.swung(place + 3 * meter.bar_quarters, meter) == swung + 3 * meter.bar_quarters


@given(swings)
def test_a_swing_reads_back(swing: Swing) -> None:
    assert Swing.parse(str(swing)) == swing


@pytest.mark.parametrize(
    ("text", "ratio", "division"),
    [
        ("swing", "2", "1/2"),
        ("swing sixteenths", "2", "1/4"),
        ("16ths", "2", "1/4"),
        (" swing 3:2 8ths ", "3/2", "1/2"),
        ("75%", "3", "1/2"),
        ("62.5 % 16ths", "5/3", "1/4"),
    ],
)
def test_the_ways_to_write_it(text: str, ratio: str, division: str) -> None:
    assert Swing.parse(text) == Swing(Fraction(ratio), Fraction(division))


@pytest.mark.parametrize("text", ["", "  ", "swung", "2:", "0:1", "1:0", "0%", "100%", "2:1 halves", "2:1 eighths x"])
def test_what_is_no_swing_is_named(text: str) -> None:
    with pytest.raises(ParseError, match=r"^swing .* at column 1: expected a ratio or percentage and a note value"):
        Swing.parse(text)


@pytest.mark.parametrize(("ratio", "division"), [(0, "1/2"), (-1, "1/2"), (2, "1/3")])
def test_a_swing_without_sense_is_named(ratio: int, division: str) -> None:
    with pytest.raises(TheoryError, match="expected a ratio above 0 of eighths or sixteenths"):
        Swing(Fraction(ratio), Fraction(division))
