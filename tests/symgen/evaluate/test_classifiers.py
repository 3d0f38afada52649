"""Classifiers: gradients beside differences, folds that keep groups together, intervals, what can and can't be told."""

from itertools import pairwise

import numpy as np
import pytest

from symgen.evaluate.classify import (
    cross_validated,
    folds_of,
    loss_gradients,
    probe,
    real_or_generated,
    train_network,
    wilson,
)


@pytest.mark.parametrize("n_hidden", [0, 4])
def test_gradients_beside_differences(n_hidden):
    rng = np.random.default_rng(0)
    widths = [3, *([n_hidden] if n_hidden else []), 3]
    shapes = [*pairwise(widths), *((w,) for w in widths[1:])]
    parameters = [rng.normal(size=shape) for shape in shapes]
    x, y = rng.normal(size=(9, 3)), rng.integers(0, 3, 9)
    _, gradients = loss_gradients(parameters, x, y, 0.1)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        for place in np.ndindex(parameter.shape):
            parameter[place] += 1e-6
            above = loss_gradients(parameters, x, y, 0.1)[0]
            parameter[place] -= 2e-6
            below = loss_gradients(parameters, x, y, 0.1)[0]
            parameter[place] += 1e-6
            assert gradient[place] == pytest.approx((above - below) / 2e-6, abs=1e-6)


def test_folds_keep_groups_together_and_are_even():
    groups = np.repeat(np.arange(30), 3)
    fold = folds_of(groups, 5, np.random.default_rng(0))
    assert all(len(set(fold[groups == g])) == 1 for g in range(30))
    assert np.bincount(fold).tolist() == [18] * 5
    with pytest.raises(ValueError, match="as many folds as groups"):
        folds_of(np.zeros(10), 2, np.random.default_rng(0))


def test_groups_stop_a_classifier_from_knowing_the_piece():
    # The label is a coin for each group, and the rows of a group are all but the same: only a leak could read it.
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(60), 6)
    x = rng.normal(size=(60, 20))[groups] + 0.01 * rng.normal(size=(360, 20))
    y = rng.integers(0, 2, 60)[groups]
    assert probe(x, y, n_hidden=16, n_folds=3).accuracy > 0.9
    assert probe(x, y, n_hidden=16, n_folds=3, groups=groups).accuracy < 0.7


def test_wilson_interval_of_known_cases():
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_a_bent_border_needs_a_hidden_layer():
    x = np.random.default_rng(2).normal(size=(300, 2))
    y = np.where(x[:, 0] * x[:, 1] > 0, "same sign", "other")
    assert probe(x, y, n_folds=2).accuracy < 0.65
    assert probe(x, y, n_hidden=16, n_folds=2).accuracy > 0.85


def test_chance_is_the_commonest_class():
    rng = np.random.default_rng(3)
    y = np.repeat([0, 1, 2], [70, 20, 10])
    found = probe(rng.normal(size=(100, 3)), y)
    assert (found.chance, found.n) == (0.7, 100)
    assert found.low < found.accuracy < found.high


def test_one_law_can_not_be_told_apart_and_two_can():
    rng = np.random.default_rng(4)
    one, same, other = rng.normal(size=(300, 6)), rng.normal(size=(200, 6)), rng.normal(1, 1, (200, 6))
    blind = real_or_generated(same, one, train_network)
    assert blind.n == 400
    assert blind.low < 0.5 < blind.high
    assert real_or_generated(other, one, train_network).accuracy > 0.8


def test_the_seed_decides_everything():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(80, 4)), rng.integers(0, 2, 80)

    def briefly(rows, labels, rng):
        return train_network(rows, labels, rng, n_updates=60, n_hidden=4)

    again = [cross_validated(x, y, briefly, n_folds=2, seed=s).accuracy for s in (1, 1, 2, 3, 4)]
    assert again[0] == again[1]
    assert len(set(again)) > 1


def test_only_the_unseen_fold_is_judged():
    # Classifiers that know just the rows they have seen are never right on the others.
    x, y = np.arange(40.0)[:, None], np.arange(40) % 2

    def by_heart(rows, labels, rng):
        known = dict(zip(rows[:, 0].tolist(), labels.tolist(), strict=True))
        return lambda asked: np.array([known.get(value, -1) for value in asked[:, 0].tolist()])

    assert cross_validated(x, y, by_heart).accuracy == 0
