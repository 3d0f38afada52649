"""Units of time: each conversion against plain arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgen.errors import GridError
from symgen.grid import BarMap, TempoMap, check_steps_per_quarter, steps_to_ticks, ticks_to_steps
from theory.meter import Meter

GRIDS = st.sampled_from([1, 2, 3, 4, 6, 8, 12, 16, 24, 48, 480])


@given(st.integers(0, 10**6), GRIDS, st.sampled_from([480, 960]))
def test_steps_to_ticks_and_back_is_the_identity(step, grid, ticks_per_quarter):
    ticks = steps_to_ticks(step, steps_per_quarter=grid, ticks_per_quarter=ticks_per_quarter)
    assert Fraction(ticks, ticks_per_quarter) == Fraction(step, grid)
    assert ticks_to_steps(ticks, steps_per_quarter=grid, ticks_per_quarter=ticks_per_quarter) == step


@given(st.integers(0, 10**6), GRIDS, st.integers(1, 2000))
def test_ticks_move_by_at_most_half_a_step(tick, grid, ticks_per_quarter):
    step = int(ticks_to_steps(tick, steps_per_quarter=grid, ticks_per_quarter=ticks_per_quarter))
    assert abs(Fraction(step, grid) - Fraction(tick, ticks_per_quarter)) <= Fraction(1, 2 * grid)


def test_a_step_between_ticks_is_refused():
    with pytest.raises(GridError, match="no whole tick"):
        steps_to_ticks(1, steps_per_quarter=7)


@pytest.mark.parametrize("grid", [0, -4, 7, 481])
def test_grids_that_do_not_divide_the_quarter_are_refused(grid):
    with pytest.raises(GridError, match="expected a divisor of 480"):
        check_steps_per_quarter(grid)


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(20, 300)), max_size=4), st.integers(0, 200))
def test_tempo_map_adds_up_the_time_of_each_step(changes, step):
    starts, bpm = [0], [120.0]
    for gap, tempo in changes:
        starts.append(starts[-1] + gap)
        bpm.append(tempo)
    seconds = 0.0
    for s in range(step):
        tempo = next(b for start, b in zip(reversed(starts), reversed(bpm), strict=True) if start <= s)
        seconds += 60 / tempo / 4
    assert TempoMap(tuple(starts), tuple(bpm), 4).seconds(step) == pytest.approx(seconds)


def test_bars_cover_the_music_and_cut_short_where_the_metre_changes():
    bars = BarMap.build([(0, Meter(4, 4)), (20, Meter(6, 8))], steps_per_quarter=4, end_steps=33)
    assert bars.starts.tolist() == [0, 16, 20, 32, 44]
    assert [str(meter) for meter in bars.meters] == ["4/4", "4/4", "6/8", "6/8"]
    assert bars.levels().tolist()[16:24] == [0, 4, 3, 4, 0, 4, 3, 4]
    assert bars.bar_of([0, 15, 16, 19, 20, 43, 99]).tolist() == [0, 0, 1, 1, 2, 3, 3]


def test_places_are_told_and_found_as_people_count():
    bars = BarMap.build([(0, Meter(6, 8))], steps_per_quarter=4, end_steps=24)
    assert bars.place(14) == "bar 2 beat 2"
    assert bars.step_at(2, Fraction(2)) == 14
    assert bars.step_at(1, Fraction(3, 2)) == 1
    for bar, beat, message in [
        (3, 1, "bar from 1 to 2"),
        (1, 7, "beat from 1"),
        (1, Fraction(4, 3), "between two steps"),
    ]:
        with pytest.raises(GridError, match=message):
            bars.step_at(bar, beat)


def test_no_music_has_no_bars():
    bars = BarMap.build([(0, Meter())], steps_per_quarter=4, end_steps=0)
    assert bars.n_bars == 0
    assert bars.levels().shape == (0,)
    assert np.diff(bars.starts).tolist() == []
