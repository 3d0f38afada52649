"""Potentials and their temperature."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import potentials_lines

from symgen.alphabet import LineAlphabet
from symgen.errors import RequestError
from symgen.potentials import LineArcs, LinePotentials


def random_potentials(seed: int) -> LinePotentials:
    rng = np.random.default_rng(seed)
    step = rng.standard_normal((4, 4))
    step[1, 2] = -np.inf
    return LinePotentials(
        LineAlphabet(60, 61), step, LineArcs(rng.standard_normal((2, 2)), rng.standard_normal(2), 0.5, -1.0, 2.0)
    )


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_temperature_divides_every_log_weight(temperature: float) -> None:
    potentials = random_potentials(1)
    expected = {line: weight / temperature for line, weight in potentials_lines(potentials).items()}
    assert potentials_lines(potentials.at_temperature(temperature)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_temperatures_that_mean_nothing(temperature: float) -> None:
    with pytest.raises(RequestError, match="expected a number above 0, such as 1"):
        random_potentials(1).at_temperature(temperature)


def test_flat_arcs_prefer_nothing() -> None:
    flat = LineArcs.flat(3)
    assert not flat.onset.any()
    assert not flat.first.any()
    assert (flat.rest_to_onset, flat.note_to_rest, flat.rest_to_rest) == (0.0, 0.0, 0.0)


def test_a_part_keeps_the_rows_of_its_steps() -> None:
    alphabet, rng = LineAlphabet(60, 62), np.random.default_rng(0)
    whole = LinePotentials(
        alphabet, rng.normal(size=(6, 5)), LineArcs.flat(3), leave=rng.normal(size=(6, 4)), closed=np.arange(6) % 2 == 1
    )
    part = whole.part(slice(2, 5))
    assert part.step.tolist() == whole.step[2:5].tolist()
    assert part.leave is not None
    assert part.closed is not None
    assert whole.leave is not None
    assert part.leave.tolist() == whole.leave[2:5].tolist()
    assert part.closed.tolist() == [False, True, False]
    cooled = whole.at_temperature(2.0)
    assert cooled.leave is not None
    assert np.allclose(cooled.leave, whole.leave / 2)
    assert cooled.closed is whole.closed
