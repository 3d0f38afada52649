"""Scales as rows of a table: the semitones of each degree above the tonic.

>>> SCALES["dorian"]
(0, 2, 3, 5, 7, 9, 10)
>>> scale_named("aeolian") == scale_named("minor")
True
"""

from __future__ import annotations

import difflib
from types import MappingProxyType

from theory.errors import ParseError

__all__ = ["MODE_FIFTHS", "SCALES", "scale_named", "scale_semitones"]

SCALES = MappingProxyType(
    {
        "major": (0, 2, 4, 5, 7, 9, 11),
        "minor": (0, 2, 3, 5, 7, 8, 10),
        "dorian": (0, 2, 3, 5, 7, 9, 10),
        "phrygian": (0, 1, 3, 5, 7, 8, 10),
        "lydian": (0, 2, 4, 6, 7, 9, 11),
        "mixolydian": (0, 2, 4, 5, 7, 9, 10),
        "locrian": (0, 1, 3, 5, 6, 8, 10),
        "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
        "melodic minor": (0, 2, 3, 5, 7, 9, 11),
        "major pentatonic": (0, 2, 4, 7, 9),
        "minor pentatonic": (0, 3, 5, 7, 10),
        "blues": (0, 3, 5, 6, 7, 10),
        "whole tone": (0, 2, 4, 6, 8, 10),
        "octatonic": (0, 2, 3, 5, 6, 8, 9, 11),
        "chromatic": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    }
)
"""Semitones above the tonic, one row per scale."""

MODE_FIFTHS = MappingProxyType(
    {
        "major": 0,
        "minor": -3,
        "dorian": -2,
        "phrygian": -4,
        "lydian": 1,
        "mixolydian": -1,
        "locrian": -5,
        "harmonic minor": -3,
        "melodic minor": -3,
        "major pentatonic": 0,
        "minor pentatonic": -3,
        "blues": -3,
    }
)
"""Sharps that the key signature of each mode has more than that of its tonic's major key."""

_ALIASES = MappingProxyType(
    {
        "maj": "major",
        "ionian": "major",
        "min": "minor",
        "m": "minor",
        "aeolian": "minor",
        "natural minor": "minor",
        "pentatonic": "major pentatonic",
        "dor": "dorian",
        "phr": "phrygian",
        "lyd": "lydian",
        "mix": "mixolydian",
        "mixo": "mixolydian",
        "loc": "locrian",
        "diminished": "octatonic",
    }
)


def scale_named(text: str) -> str:
    """Return the table's name for a scale, given that name or an alias.

    Raises
    ------
    ParseError
        If no scale has that name; the error suggests a near one.
    """
    name = " ".join(text.lower().replace("_", " ").replace("-", " ").split())
    name = _ALIASES.get(name, name)
    if name not in SCALES:
        near = difflib.get_close_matches(name, [*SCALES, *_ALIASES], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParseError("scale", text, f"one of {', '.join(SCALES)}{hint}")
    return name


def scale_semitones(name: str) -> tuple[int, ...]:
    """Return the semitones above the tonic of a scale, by name or alias."""
    return SCALES[scale_named(name)]
