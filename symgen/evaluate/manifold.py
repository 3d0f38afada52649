"""Quality and variety in a feature space, by nearest neighbours.

A ball around each piece reaches to its k-th nearest neighbour in its own set. *Precision*: share of generated pieces
inside some ball of the reference. *Recall*: share of the reference inside some ball of the generated. *Density*: how
many balls of the reference a generated piece lies in, over k. *Coverage*: share of the reference's balls that hold a
generated piece.

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> real = rng.normal(size=(300, 4))
>>> good = manifold(rng.normal(size=(300, 4)), real)
>>> collapsed = manifold(real[:1] + 0.01 * rng.normal(size=(300, 4)), real)
>>> good.precision > 0.8 < good.recall, collapsed.recall < 0.05 > collapsed.coverage
(True, True)

References
----------
Kynkäänniemi et al., "Improved precision and recall metric for assessing generative models", NeurIPS 2019; Naeem et al.,
"Reliable fidelity and diversity metrics for generative models", ICML 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgen.evaluate.distances import pairwise_distances, within

__all__ = ["Diversity", "Manifold", "Neighbours", "diversity", "manifold", "nearest", "neighbours"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Manifold:
    """Four shares, all the better the higher; a set held against another of the same law gives what can be had.

    Parameters
    ----------
    precision, recall, coverage
        0 to 1.
    density
        From 0; 1 where the two sets are of one law.
    """

    precision: float
    recall: float
    density: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Medians of distances to the nearest piece of the training set.

    Parameters
    ----------
    generated, held_out
        Of the two sets. Generated pieces that lie much nearer than held-out ones are learnt by heart.
    share_nearer
        Share of generated pieces that lie nearer than the nearest twentieth of the held-out ones do.
    """

    generated: float
    held_out: float
    share_nearer: float


@dataclass(frozen=True, slots=True)
class Diversity:
    """Distances of all pairs within a set: the mean, and the least over all pairs."""

    mean: float
    least: float


def _radii(rows: Array, k: int) -> Array:
    """Return the distance from each row to its k-th nearest other row."""
    distances = pairwise_distances(rows, rows)
    np.fill_diagonal(distances, -1.0)  # the row itself comes first, whatever else is at no distance
    radii: Array = np.partition(distances, k, axis=1)[:, k]
    return radii


def manifold(generated: Array, reference: Array, *, k: int = 5) -> Manifold:
    """Return precision, recall, density and coverage.

    Parameters
    ----------
    generated, reference
        Shapes (n, d) and (m, d), on axes of like scale; more than k rows each.
    k
        Which neighbour the balls reach to.

    Raises
    ------
    ValueError
        If a set has k rows or fewer.
    """
    if min(len(generated), len(reference)) <= k:
        msg = f"sets of {len(generated)} and {len(reference)} pieces: expected more than k = {k} each"
        raise ValueError(msg)
    across = pairwise_distances(generated, reference)
    in_real = across <= _radii(reference, k)[None, :]
    in_made = across <= _radii(generated, k)[:, None]
    return Manifold(
        float(in_real.any(axis=1).mean()),
        float(in_made.any(axis=0).mean()),
        float(in_real.sum(axis=1).mean() / k),
        float(in_real.any(axis=0).mean()),
    )


def nearest(rows: Array, others: Array) -> Array:
    """Return the distance of each row to the nearest of the others, shape (n,)."""
    least: Array = pairwise_distances(rows, others).min(axis=1)
    return least


def neighbours(generated: Array, held_out: Array, train: Array) -> Neighbours:
    """Return how near generated and held-out pieces come to the training set; shapes (n, d), (m, d), (l, d)."""
    made, real = nearest(generated, train), nearest(held_out, train)
    return Neighbours(float(np.median(made)), float(np.median(real)), float((made < np.quantile(real, 0.05)).mean()))


def diversity(rows: Array) -> Diversity:
    """Return how far the pieces of a set, two or more, lie from each other."""
    distances = within(rows)
    return Diversity(float(distances.mean()), float(distances.min()))
