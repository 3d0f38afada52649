"""The small requests of the guarantee: see ``python -m benchmarks.guarantee``."""

from benchmarks.guarantee import outcome_of, small_case


def test_small_requests_agree_with_enumeration():
    assert [what for seed in range(60) if (what := small_case(seed))] == []


def test_a_random_request_is_met_or_refused_for_a_reason():
    outcome, what = outcome_of(0)
    assert outcome in {"music", "refused"}, what
