"""Precision, recall, density and coverage beside loops; neighbours and diversity by hand."""

import numpy as np
import pytest

from symgen.evaluate.manifold import diversity, manifold, nearest, neighbours


def slow_manifold(made, real, k):
    def radius(rows, i):
        return sorted(np.linalg.norm(rows[i] - other) for j, other in enumerate(rows) if j != i)[k - 1]

    real_radii = [radius(real, i) for i in range(len(real))]
    made_radii = [radius(made, i) for i in range(len(made))]
    inside = [[np.linalg.norm(x - y) <= r for y, r in zip(real, real_radii, strict=True)] for x in made]
    precision = np.mean([any(row) for row in inside])
    recall = np.mean([any(np.linalg.norm(x - y) <= r for x, r in zip(made, made_radii, strict=True)) for y in real])
    density = np.mean([sum(row) for row in inside]) / k
    coverage = np.mean([any(row[i] for row in inside) for i in range(len(real))])
    return precision, recall, density, coverage


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("k", [1, 3])
def test_beside_loops(seed, k):
    rng = np.random.default_rng(seed)
    made, real = rng.normal(0.5 * seed, 1, (15, 2)), rng.normal(size=(20, 2))
    found = manifold(made, real, k=k)
    assert (found.precision, found.recall, found.density, found.coverage) == pytest.approx(slow_manifold(made, real, k))


def test_twins_have_balls_without_extent():
    real = np.array([[0.0], [0.0], [5.0], [6.0]])
    found = manifold(np.array([[0.0], [0.1], [5.5]]), real, k=1)
    assert (found.precision, found.coverage) == (2 / 3, 1)


def test_too_few_pieces():
    with pytest.raises(ValueError, match="more than k = 5"):
        manifold(np.zeros((5, 1)), np.zeros((9, 1)))


def test_copies_lie_nearer_than_held_out_pieces():
    rng = np.random.default_rng(0)
    train, held_out = rng.normal(size=(100, 5)), rng.normal(size=(60, 5))
    copied = neighbours(train[:30] + 1e-3, held_out, train)
    fresh = neighbours(rng.normal(size=(60, 5)), held_out, train)
    assert copied.generated < 0.01 < copied.held_out
    assert (copied.share_nearer, fresh.share_nearer < 0.2) == (1, True)
    assert copied.held_out == pytest.approx(np.median(nearest(held_out, train)))


def test_diversity_by_hand():
    found = diversity(np.array([[0.0], [1.0], [4.0]]))
    assert (found.mean, found.least) == pytest.approx((8 / 3, 1))
