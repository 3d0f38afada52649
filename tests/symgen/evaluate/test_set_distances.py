"""Sets by their distances: kernels beside the plain sum and scipy's, and what must come out of sets that are known."""

import numpy as np
import pytest
from scipy import stats

from symgen.evaluate.distances import compare_sets, density, pairwise_distances, within


def slow_comparison(generated, reference):
    """Yang and Lerch's recipe, word by word, with scipy's kernels."""
    inside = [np.linalg.norm(a - b) for i, a in enumerate(reference) for b in reference[:i]]
    across = [np.linalg.norm(a - b) for a in generated for b in reference]
    grid = np.linspace(min(inside + across) - 3, max(inside + across) + 3, 3000)
    p, q = stats.gaussian_kde(inside)(grid), stats.gaussian_kde(across)(grid)
    overlap = np.minimum(p, q).sum() * (grid[1] - grid[0])
    return overlap, stats.entropy(p, q), np.mean(inside), np.mean(across)


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("shift", [0.0, 0.7, 2.0])
def test_beside_the_recipe_word_by_word(width, shift):
    rng = np.random.default_rng(width)
    generated, reference = rng.normal(shift, 1.2, (25, width)), rng.normal(0, 1, (30, width))
    found = compare_sets(generated, reference)
    overlap, divergence, inside, across = slow_comparison(generated, reference)
    assert found.overlap == pytest.approx(overlap, abs=2e-3)
    assert found.divergence == pytest.approx(divergence, rel=0.02, abs=1e-3)
    assert (found.within_reference, found.across) == pytest.approx((inside, across))
    inside_generated = [np.linalg.norm(a - b) for i, a in enumerate(generated) for b in generated[:i]]
    assert found.within_generated == pytest.approx(np.mean(inside_generated))


def test_density_beside_the_plain_sum():
    values, grid = np.random.default_rng(0).normal(size=40), np.linspace(-6, 6, 1200)
    plain = [np.mean(np.exp(-0.5 * ((x - values) / 0.3) ** 2)) / (0.3 * np.sqrt(2 * np.pi)) for x in grid]
    assert density(values, grid, 0.3) == pytest.approx(plain, abs=1e-3)
    assert density(values, grid, 0.3).sum() * (grid[1] - grid[0]) == pytest.approx(1, abs=1e-6)


def test_distances_beside_loops():
    rng = np.random.default_rng(1)
    for width in (1, 5):
        a, b = rng.normal(size=(4, width)), rng.normal(size=(3, width))
        plain = [[np.sqrt(sum((x - y) ** 2)) for y in b] for x in a]
        assert pairwise_distances(a, b) == pytest.approx(np.array(plain))
        assert sorted(within(a)) == pytest.approx(
            sorted(np.linalg.norm(a[i] - a[j]) for i in range(4) for j in range(i))
        )


def test_sets_without_spread():
    same = compare_sets(np.full((5, 1), 3.0), np.full((5, 1), 3.0))
    assert (same.overlap, same.divergence) == pytest.approx((1, 0), abs=1e-9)
    other = compare_sets(np.full((5, 1), 3.0), np.full((5, 1), 4.0))
    assert other.overlap == pytest.approx(0, abs=1e-9)


def test_a_collapsed_set_shows_in_its_own_distances():
    rng = np.random.default_rng(2)
    found = compare_sets(1e-6 * rng.normal(size=(20, 4)), rng.normal(size=(20, 4)))
    assert found.within_generated < 1e-4 < found.within_reference


@pytest.mark.parametrize("bad", [np.zeros((1, 2)), np.array([[0.0, 1.0], [np.nan, 0.0]])])
def test_bad_sets_are_refused(bad):
    with pytest.raises(ValueError, match="expected at least two, all finite"):
        compare_sets(np.ones((3, 2)), bad)
