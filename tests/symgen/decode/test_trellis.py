"""The trellis against the enumeration of its paths."""

from __future__ import annotations

import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import log_sum, probabilities

from symgen.decode import trellis as tr
from symgen.decode.trellis import Factor, Trellis

Path = tuple[int, ...]


def random_trellis(rng: np.random.Generator, sizes: list[int], scale: float = 1.0, p_zero: float = 0.25) -> Trellis:
    """Return a trellis with up to three factors between slots, whatever their features."""

    def weights(*shape: int) -> np.ndarray:
        return np.where(rng.random(shape) < p_zero, -np.inf, scale * rng.normal(size=shape))

    def factor(before: int, after: int) -> Factor:
        n, m = rng.integers(1, 4, size=2)
        return Factor(rng.integers(0, n, before), rng.integers(0, m, after), weights(n, m))

    rows = [[factor(n, m) for _ in range(rng.integers(0, 4))] for n, m in pairwise(sizes)]
    return Trellis(tuple(weights(n) for n in sizes), tuple(map(tuple, rows)))


def all_paths(trellis: Trellis) -> dict[Path, float]:
    """Return the log weight of every path, added up entry by entry."""
    found = {}
    for path in product(*(range(len(row)) for row in trellis.log_slot)):
        total = math.fsum(0.0 for _ in path)
        for slot, i in enumerate(path):
            total += trellis.log_slot[slot][i]
            if slot:
                for factor in trellis.factors[slot - 1]:
                    total += factor.table[factor.before[path[slot - 1]], factor.after[i]]
        found[path] = float(total)
    return found


TRELLISES = st.builds(
    lambda seed, sizes, scale: random_trellis(np.random.default_rng(seed), sizes, scale),
    st.integers(0, 2**31), st.lists(st.integers(0, 4), min_size=1, max_size=4), st.sampled_from([1.0, 100.0, 1000.0]),
)  # fmt: skip


@settings(max_examples=150)
@given(TRELLISES)
def test_questions_about_all_paths(trellis):
    paths = all_paths(trellis)
    possible = {path: weight for path, weight in paths.items() if weight > -math.inf}
    table = tr.log_backward(trellis)
    assert tr.count_paths(trellis) == len(possible)
    assert (tr.first_impossible_slot(trellis) is None) == bool(possible)
    assert tr.log_total(trellis, table) == pytest.approx(log_sum(paths.values()), abs=1e-9)
    for path, weight in paths.items():
        assert tr.log_weight_of(trellis, np.array(path)) == pytest.approx(weight, abs=1e-9)


@settings(max_examples=100)
@given(TRELLISES)
def test_first_impossible_slot(trellis):
    impossible = tr.first_impossible_slot(trellis)
    for n_slots in range(1, trellis.n_slots + 1):
        part = Trellis(trellis.log_slot[:n_slots], trellis.factors[: n_slots - 1])
        passes = any(weight > -math.inf for weight in all_paths(part).values())
        assert passes == (impossible is None or n_slots <= impossible)


@settings(max_examples=100)
@given(TRELLISES)
def test_posteriors_entropy_and_best(trellis):
    paths = all_paths(trellis)
    assume(max(paths.values(), default=-math.inf) > -math.inf)
    law, table = probabilities(paths), tr.log_backward(trellis)
    for slot, row in enumerate(tr.marginals(trellis, table)):
        expected = [sum(p for path, p in law.items() if path[slot] == i) for i in range(len(row))]
        np.testing.assert_allclose(row, expected, atol=1e-12)
    expected = -math.fsum(p * math.log(p) for p in law.values() if p > 0)
    assert tr.entropy(trellis, table) == pytest.approx(expected, abs=1e-9)
    path, weight = tr.best_path(trellis)
    assert weight == pytest.approx(max(paths.values()), abs=1e-9)
    assert paths[tuple(path.tolist())] == pytest.approx(weight, abs=1e-9)


def test_of_equals_the_first_is_best():
    trellis = Trellis((np.zeros(2), np.zeros(3), np.zeros(2)), ((), ()))
    assert tr.best_path(trellis)[0].tolist() == [0, 0, 0]


def test_draws_follow_the_law():
    """Chance is laid out evenly, so frequencies are near the law beyond what luck allows."""
    trellis = random_trellis(np.random.default_rng(5), [3, 4, 3], p_zero=0.2)
    law = probabilities(all_paths(trellis))
    n = 20_000
    drawn = tr.sample_paths(trellis, tr.log_backward(trellis), np.random.default_rng(1), n)
    paths, counts = np.unique(drawn, axis=0, return_counts=True)
    counted = {tuple(path): count for path, count in zip(paths.tolist(), counts.tolist(), strict=True)}
    assert set(counted) <= set(law)
    chi_square = sum((counted.get(path, 0) - n * p) ** 2 / (n * p) for path, p in law.items())
    freedom = len(law) - 1
    assert chi_square < freedom + 5 * math.sqrt(2 * freedom)


def test_candidates_of_weight_zero_are_never_drawn():
    trellis = Trellis((np.array([-np.inf, 0.0, -np.inf]), np.array([0.0, -np.inf])), ((),))
    table = tr.log_backward(trellis)
    edges = np.array([[0.0, np.nextafter(1.0, 0.0)]] * 2)
    assert tr.paths_at(trellis, table, edges).tolist() == [[1, 0], [1, 0]]


def test_what_is_very_unlikely_stays_possible():
    only = Factor(np.array([0, 1]), np.array([0, 1]), np.array([[-5000.0, -np.inf], [-np.inf, -np.inf]]))
    trellis = Trellis((np.array([-3000.0, 0.0]), np.zeros(2)), ((only,),))
    table = tr.log_backward(trellis)
    assert tr.log_total(trellis, table) == -8000.0
    assert tr.sample_paths(trellis, table, np.random.default_rng(0))[0].tolist() == [0, 0]


@pytest.mark.parametrize("cells", [1, 7])
def test_blocks_do_not_matter(monkeypatch, cells):
    trellis = random_trellis(np.random.default_rng(3), [9, 20, 9, 5])
    plain = tr.log_backward(trellis), tr.count_paths(trellis), tr.best_path(trellis)[0].tolist()
    monkeypatch.setattr(tr, "_BLOCK_CELLS", cells)
    table = tr.log_backward(trellis)
    for row, expected in zip(table, plain[0], strict=True):
        np.testing.assert_allclose(row, expected, rtol=1e-12)
    assert (tr.count_paths(trellis), tr.best_path(trellis)[0].tolist()) == plain[1:]
    assert tr.first_impossible_slot(trellis) is None


def test_counts_are_exact_beyond_floats():
    """Seventy slots of eight candidates, all moves open but from each to itself: 8 * 7^69."""
    numbers = np.arange(8)
    differ = Factor(numbers, numbers, np.where(np.eye(8) == 1, -np.inf, 0.0))
    trellis = Trellis((np.zeros(8),) * 70, ((differ,),) * 69)
    assert tr.count_paths(trellis) == 8 * 7**69


@pytest.mark.parametrize("only", range(40))
def test_one_start_of_many_leads_on(only):
    """Each of forty candidates leads to its namesake alone."""
    numbers = np.arange(40)
    same = Factor(numbers, numbers, np.where(np.eye(40) == 1, 0.0, -np.inf))
    trellis = Trellis((np.zeros(40), np.where(numbers == only, 0.0, -np.inf)), ((same,),))
    assert tr.first_impossible_slot(trellis) is None
    assert tr.best_path(trellis)[0].tolist() == [only, only]


def test_thousands_of_candidates():
    """Two slots of 3,000: the moves are never all in memory, and the sums are those of the features."""
    rng = np.random.default_rng(2)
    before, after = rng.integers(0, 5, 3000), rng.integers(0, 4, 3000)
    table = np.where(rng.random((5, 4)) < 0.3, -np.inf, rng.normal(size=(5, 4)))
    trellis = Trellis((np.zeros(3000), np.zeros(3000)), ((Factor(before, after, table),),))
    pairs = np.bincount(before, minlength=5)[:, None] * np.bincount(after, minlength=4)
    assert tr.count_paths(trellis) == int(pairs[table > -np.inf].sum())
    expected = math.log((pairs * np.exp(table)).sum())
    assert tr.log_total(trellis, tr.log_backward(trellis)) == pytest.approx(expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_are_checked(bad):
    with pytest.raises(ValueError, match="below infinity"):
        Trellis((np.array([bad]),), ())
    with pytest.raises(ValueError, match="below infinity"):
        Factor(np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([[bad]]))


def test_impossible_trellises_are_not_asked_for_a_path():
    trellis = Trellis((np.array([-np.inf]), np.zeros(1)), ((),))
    assert tr.count_paths(trellis) == 0
    with pytest.raises(AssertionError):
        tr.best_path(trellis)
    with pytest.raises(AssertionError):
        tr.sample_paths(trellis, tr.log_backward(trellis), np.random.default_rng(0))
