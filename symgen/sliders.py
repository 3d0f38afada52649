"""Sliders: what a musician can ask a model for more or less of, and how it is written.

>>> read_sliders(["density=0.5", "leaps=-1"])
{'density': 0.5, 'leaps': -1.0}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from symgen.errors import RequestError

__all__ = ["ATTRIBUTES", "checked_sliders", "read_sliders"]

ATTRIBUTES = MappingProxyType(
    {
        "density": "notes in a bar",
        "syncopation": "share of the notes that start off the beats",
        "range": "semitones from the lowest to the highest note",
        "leaps": "mean semitones from note to note",
        "repetition": "share of the notes that repeat the pitch before them",
    }
)
"""What each means, bar by bar."""


def checked_sliders(sliders: Mapping[str, float] | None) -> dict[str, float]:
    """Return sliders, without those at rest.

    Raises
    ------
    RequestError
        If there is no such slider, or a value is not from -1 to 1.
    """
    for name, value in (sliders or {}).items():
        if name not in ATTRIBUTES:
            msg = f"slider {name!r}: expected one of {', '.join(ATTRIBUTES)}"
            raise RequestError(msg)
        if not -1 <= value <= 1:
            msg = f"slider {name} {value:g}: expected -1 (as little as there is) to 1 (as much)"
            raise RequestError(msg)
    return {name: float(value) for name, value in (sliders or {}).items() if value}


def read_sliders(texts: Sequence[str]) -> dict[str, float]:
    """Return sliders written as ``name=value``.

    Raises
    ------
    RequestError
        If one is not.
    """
    sliders: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isnan(number):
            msg = f"slider {text!r}: expected a name and a number, such as density=0.5"
            raise RequestError(msg)
        sliders[name.strip()] = number
    return checked_sliders(sliders)
