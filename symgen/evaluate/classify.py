"""Classifiers for judging: telling generated from real, reading a thing from a latent.

Networks of no or one hidden layer, trained by Adam on softmax cross-entropy with a penalty on the weights, judged on
folds they did not see. Rows of one *group* (windows of one piece) are never on both sides.

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> x = rng.normal(size=(200, 5))
>>> readable = probe(x, (x[:, 0] > 0).astype(int), seed=1)
>>> blind = probe(x, rng.integers(0, 2, 200), seed=1)
>>> readable.accuracy > 0.9, blind.low < 0.5 < blind.high
(True, True)

References
----------
Kingma and Ba, "Adam", ICLR 2015; Wilson, "Probable inference", JASA 22, 1927 (the interval).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Accuracy", "cross_validated", "folds_of", "probe", "real_or_generated", "train_network", "wilson"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Predictor = Callable[[Any], Labels]
_Z = 1.959963984540054  # 95%


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often a classifier is right on rows it was not trained on.

    Parameters
    ----------
    accuracy
        Share of rows.
    low, high
        95% interval; the rows are taken as independent, so windows of one piece make it too narrow.
    chance
        What always saying the commonest class of the training folds gives.
    n
        Rows judged.
    """

    accuracy: float
    low: float
    high: float
    chance: float
    n: int


def wilson(n_right: int, n: int) -> tuple[float, float]:
    """Return the 95% interval of a share."""
    share, spread = n_right / n, _Z**2 / n
    middle = share + spread / 2
    half = np.sqrt(spread * (share * (1 - share) + spread / 4))
    return float((middle - half) / (1 + spread)), float((middle + half) / (1 + spread))


def folds_of(groups: NDArray[Any], n_folds: int, rng: np.random.Generator) -> Labels:
    """Return the fold of every row; rows of one group share theirs.

    Parameters
    ----------
    groups
        Whatever names the group of each row, shape (n,).
    n_folds
        From 2 up to the number of groups.
    rng
        Deals the groups out.

    Raises
    ------
    ValueError
        If there are fewer groups than folds, or fewer than two folds.
    """
    names, group = np.unique(groups, return_inverse=True)
    if not 2 <= n_folds <= len(names):
        msg = f"{n_folds} folds of {len(names)} groups: expected 2 to as many folds as groups"
        raise ValueError(msg)
    fold: Labels = (rng.permutation(len(names)) % n_folds)[group]
    return fold


def train_network(
    x: Array, y: Labels, rng: np.random.Generator, *, n_hidden: int = 0, penalty: float = 1e-3, n_updates: int = 1000
) -> Predictor:
    """Train a classifier.

    Parameters
    ----------
    x
        Shape (n, d); axes are standardised within.
    y
        Classes from 0, shape (n,).
    rng
        First weights and the order of the batches.
    n_hidden
        Units of a hidden layer of rectifiers; 0 for none, which is logistic regression.
    penalty
        Half the weights' sum of squares counts so much.
    n_updates
        Batches of up to 64 rows, at a rate that falls to zero.

    Returns
    -------
    callable
        From rows to classes.
    """
    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    widths = [x.shape[1], *([n_hidden] if n_hidden else []), int(y.max()) + 1]
    # Without a hidden layer the loss has one minimum, and nothing is gained by starting elsewhere than at 0.
    scale = float(n_hidden > 0)
    weights = [rng.normal(0, scale * np.sqrt(2 / a), (a, b)) for a, b in pairwise(widths)]
    parameters = [*weights, *(np.zeros(width) for width in widths[1:])]
    _descend(parameters, (x - mean) / spread, y, rng, penalty, n_updates)
    return lambda rows: np.argmax(_forward(parameters, (rows - mean) / spread)[-1], axis=1)


def _forward(parameters: list[Array], x: Array) -> list[Array]:
    """Return the values of every layer, the input first, the logits last; weights come before biases."""
    n_layers = len(parameters) // 2
    values = [x]
    for k in range(n_layers):
        out = values[-1] @ parameters[k] + parameters[n_layers + k]
        values.append(np.maximum(out, 0) if k < n_layers - 1 else out)
    return values


def loss_gradients(parameters: list[Array], x: Array, y: Labels, penalty: float) -> tuple[float, list[Array]]:
    """Return the mean cross-entropy in nats with the penalty, and its gradient by each parameter."""
    n_layers = len(parameters) // 2
    values = _forward(parameters, x)
    logits = values[-1] - values[-1].max(axis=1, keepdims=True)
    log_shares = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    weights = parameters[:n_layers]
    loss = -log_shares[np.arange(len(y)), y].mean() + penalty / 2 * sum(float((w**2).sum()) for w in weights)
    error = np.exp(log_shares)
    error[np.arange(len(y)), y] -= 1
    error /= len(y)
    by_weights: list[Array] = []
    by_biases: list[Array] = []
    for k in reversed(range(n_layers)):
        by_weights.insert(0, values[k].T @ error + penalty * weights[k])
        by_biases.insert(0, error.sum(axis=0))
        error = (error @ weights[k].T) * (values[k] > 0)
    return float(loss), by_weights + by_biases


def _descend(
    parameters: list[Array], x: Array, y: Labels, rng: np.random.Generator, penalty: float, n_updates: int
) -> None:
    """Change parameters in place by Adam, in batches, at a rate that falls in a straight line."""
    batch_size, rate, keep, keep_square = 64, 0.01, 0.9, 0.999
    means = [np.zeros_like(p) for p in parameters]
    squares = [np.zeros_like(p) for p in parameters]
    for step, rows in enumerate(islice(_batches(len(x), batch_size, rng), n_updates), start=1):
        _, gradients = loss_gradients(parameters, x[rows], y[rows], penalty)
        for p, m, s, g in zip(parameters, means, squares, gradients, strict=True):
            m += (1 - keep) * (g - m)
            s += (1 - keep_square) * (g**2 - s)
            scaled = (m / (1 - keep**step)) / (np.sqrt(s / (1 - keep_square**step)) + 1e-8)
            p -= rate * (1 - (step - 1) / n_updates) * scaled


def _batches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Deal rows out in batches, again and again, each time in another order."""
    while True:
        yield from np.array_split(rng.permutation(n), -(-n // batch_size))


def cross_validated(
    x: NDArray[Any],
    y: Labels,
    train: Callable[[NDArray[Any], Labels, np.random.Generator], Predictor],
    *,
    groups: NDArray[Any] | None = None,
    n_folds: int = 5,
    seed: int = 0,
) -> Accuracy:
    """Return how often classifiers are right on the folds that each has not seen.

    Parameters
    ----------
    x
        Rows, shape (n, ...).
    y
        Classes from 0, shape (n,).
    train
        From rows, classes and a generator to a classifier.
    groups
        Rows of one group stay together, shape (n,); each row on its own if left out.
    n_folds, seed
        How many folds, and how they are dealt.

    Raises
    ------
    ValueError
        As from :func:`folds_of`.
    """
    rng = np.random.default_rng(seed)
    fold = folds_of(np.arange(len(y)) if groups is None else groups, n_folds, rng)
    right, by_chance = np.zeros(len(y), dtype=bool), np.zeros(len(y), dtype=bool)
    for k in range(n_folds):
        seen, unseen = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        right[unseen] = train(x[seen], y[seen], rng)(x[unseen]) == y[unseen]
        by_chance[unseen] = y[unseen] == np.bincount(y[seen]).argmax()
    return Accuracy(float(right.mean()), *wilson(int(right.sum()), len(y)), float(by_chance.mean()), len(y))


def probe(
    x: Array,
    y: NDArray[Any],
    *,
    n_hidden: int = 0,
    groups: NDArray[Any] | None = None,
    n_folds: int = 5,
    seed: int = 0,
) -> Accuracy:
    """Return how well a label can be read from vectors such as latents, beside chance.

    Parameters
    ----------
    x
        Shape (n, d).
    y
        Labels of any kind, shape (n,).
    n_hidden
        0 for a linear probe, more for one with a hidden layer.
    groups, n_folds, seed
        As in :func:`cross_validated`.
    """
    _, classes = np.unique(y, return_inverse=True)

    def train(rows: Array, labels: Labels, rng: np.random.Generator) -> Predictor:
        return train_network(rows, labels, rng, n_hidden=n_hidden)

    return cross_validated(x, classes, train, groups=groups, n_folds=n_folds, seed=seed)


def real_or_generated(
    generated: NDArray[Any],
    real: NDArray[Any],
    train: Callable[[NDArray[Any], Labels, np.random.Generator], Predictor],
    *,
    n_folds: int = 5,
    seed: int = 0,
) -> Accuracy:
    """Return how often generated and real are told apart; one half is what can't be told.

    The larger set is thinned out by chance until both are of one size.

    Parameters
    ----------
    generated, real
        Shapes (n, ...) and (m, ...).
    train, n_folds, seed
        As in :func:`cross_validated`.
    """
    n, rng = min(len(generated), len(real)), np.random.default_rng(seed)
    kept = [rows[np.sort(rng.permutation(len(rows))[:n])] for rows in (generated, real)]
    return cross_validated(np.concatenate(kept), np.repeat([0, 1], n), train, n_folds=n_folds, seed=seed)
