"""A small run of the guarantee: see ``python -m benchmarks.guarantee``."""

import pytest

from benchmarks.guarantee import outcome_of, small_case


@pytest.mark.parametrize("seed", range(0, 24, 2))
def test_random_requests_are_met_or_refused_for_a_reason(seed):
    outcome, what = outcome_of(seed)
    assert outcome in {"music", "refused"}, what


def test_small_requests_agree_with_enumeration():
    assert [what for seed in range(60) if (what := small_case(seed))] == []
