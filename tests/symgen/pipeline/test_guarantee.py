"""The small requests of the guarantee: see ``python -m benchmarks.guarantee``."""

import pytest

import symgen
from benchmarks.guarantee import outcome_of, small_case
from symgen.errors import InfeasibleError


def test_small_requests_agree_with_enumeration():
    assert [what for seed in range(60) if (what := small_case(seed))] == []


@pytest.mark.parametrize("seed", [0, 8, 65])  # 8 has bars that come back; 65 a rhythm for which the grid has no places
def test_a_random_request_is_met_or_refused_for_a_reason(seed):
    outcome, what = outcome_of(seed)
    assert outcome in {"music", "refused"}, what


def test_a_rhythm_without_a_place_on_the_models_grid_is_refused_as_such():
    with pytest.raises(InfeasibleError, match=r"rhythm xxx-, in bar 2 cannot be met.* places of a beat only") as caught:
        symgen.generate(bars=2, meter="7/8", rules=["rhythm xxx- in bars 2"], seed=1, decoder="chain")
    assert caught.value.blame == ("rhythm xxx-, in bar 2",)
