"""Semirings: one recursion over the lattice, several questions.

=======  ============  ==========================================
name     elements      the recursion then answers
=======  ============  ==========================================
BOOL     truth         is there any line?
COUNT    whole numbers how many lines are there? (exact)
MAX      log weights   how much does the best line weigh?
LOG      log weights   how much do all lines weigh together?
=======  ============  ==========================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BOOL", "COUNT", "LOG", "MAX", "Semiring", "logsumexp"]

_Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Semiring:
    """Addition over alternatives, multiplication along a line.

    Parameters
    ----------
    name
        For people.
    zero
        Neutral for addition: no line.
    from_log
        Turns log weights into elements; ``-inf`` becomes ``zero``.
    times
        Multiplies elementwise.
    sum_last
        Adds over the last axis.
    """

    name: str
    zero: Any
    from_log: Callable[[_Array], _Array]
    times: Callable[[_Array, _Array], _Array]
    sum_last: Callable[[_Array], _Array]


def logsumexp(log_values: _Array) -> _Array:
    """Return ``log(sum(exp(x)))`` over the last axis; ``-inf`` where all is ``-inf``."""
    peak = log_values.max(axis=-1, keepdims=True, initial=-np.inf)
    safe = np.where(np.isneginf(peak), 0.0, peak)
    with np.errstate(divide="ignore"):
        total: _Array = np.log(np.exp(log_values - safe).sum(axis=-1)) + safe[..., 0]
    return total


def _finite(log_values: _Array) -> _Array:
    return np.asarray(~np.isneginf(log_values))


def _ones_where_finite(log_values: _Array) -> _Array:
    counted: _Array = _finite(log_values).astype(object) * 1
    return counted


BOOL = Semiring("BOOL", False, _finite, np.logical_and, lambda x: np.asarray(x.any(axis=-1)))
COUNT = Semiring("COUNT", 0, _ones_where_finite, np.multiply, lambda x: x.sum(axis=-1))
MAX = Semiring("MAX", -np.inf, lambda x: x, np.add, lambda x: x.max(axis=-1, initial=-np.inf))
LOG = Semiring("LOG", -np.inf, lambda x: x, np.add, logsumexp)
