"""Scales as rows of a table: the semitones of each degree above the tonic.

A scale of one's own is written as its semitones in braces, the tonic (0) among them: ``{0,2,3,7,8}``. Where
the table has the same notes, its name is the name of the scale.

>>> SCALES["dorian"]
(0, 2, 3, 5, 7, 9, 10)
>>> scale_named("aeolian") == scale_named("minor") == scale_named("{0 2 3 5 7 8 10}")
True
>>> scale_named("{8, 0, 2, 3, 6}"), scale_semitones("{8, 0, 2, 3, 6}")
('{0,2,3,6,8}', (0, 2, 3, 6, 8))

References
----------
Levine, "The Jazz Theory Book", 1995 (modes of melodic minor, diminished and bebop scales); Baker, "How to
Play Bebop", 1987 (bebop scales); Persichetti, "Twentieth-Century Harmony", 1961 (the rest).
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from types import MappingProxyType

from theory.errors import ParseError

__all__ = ["MODE_FIFTHS", "SCALES", "is_scale", "scale_named", "scale_semitones", "signature_fifths"]

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
        # Stored corpora count rows from the top: new ones stand below.
        "half whole": (0, 1, 3, 4, 6, 7, 9, 10),
        "bebop dominant": (0, 2, 4, 5, 7, 9, 10, 11),
        "bebop major": (0, 2, 4, 5, 7, 8, 9, 11),
        "bebop dorian": (0, 2, 3, 4, 5, 7, 9, 10),
        "bebop melodic minor": (0, 2, 3, 5, 7, 8, 9, 11),
        "bebop harmonic minor": (0, 2, 3, 5, 7, 8, 10, 11),
        "dorian b2": (0, 1, 3, 5, 7, 9, 10),
        "lydian augmented": (0, 2, 4, 6, 8, 9, 11),
        "lydian dominant": (0, 2, 4, 6, 7, 9, 10),
        "mixolydian b6": (0, 2, 4, 5, 7, 8, 10),
        "locrian #2": (0, 2, 3, 5, 6, 8, 10),
        "altered": (0, 1, 3, 4, 6, 8, 10),
        "locrian #6": (0, 1, 3, 5, 6, 9, 10),
        "ionian #5": (0, 2, 4, 5, 8, 9, 11),
        "dorian #4": (0, 2, 3, 6, 7, 9, 10),
        "phrygian dominant": (0, 1, 4, 5, 7, 8, 10),
        "lydian #2": (0, 3, 4, 6, 7, 9, 11),
        "altered diminished": (0, 1, 3, 4, 6, 8, 9),
        "harmonic major": (0, 2, 4, 5, 7, 8, 11),
        "double harmonic": (0, 1, 4, 5, 7, 8, 11),
        "hungarian minor": (0, 2, 3, 6, 7, 8, 11),
        "neapolitan minor": (0, 1, 3, 5, 7, 8, 11),
        "neapolitan major": (0, 1, 3, 5, 7, 9, 11),
        "major blues": (0, 2, 3, 4, 7, 9),
        "augmented": (0, 3, 4, 7, 8, 11),
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
        "bebop dominant": -1,
        "bebop major": 0,
        "bebop dorian": -2,
        "bebop melodic minor": -3,
        "bebop harmonic minor": -3,
        "dorian b2": -4,
        "lydian augmented": 1,
        "lydian dominant": 1,
        "mixolydian b6": -1,
        "locrian #2": -5,
        "altered": -5,
        "locrian #6": -5,
        "ionian #5": 0,
        "dorian #4": -2,
        "phrygian dominant": -4,
        "lydian #2": 1,
        "altered diminished": -5,
        "harmonic major": 0,
        "double harmonic": 0,
        "hungarian minor": -3,
        "neapolitan minor": -3,
        "neapolitan major": -3,
        "major blues": 0,
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
        "whole half": "octatonic",
        "half whole octatonic": "half whole",
        "whole half octatonic": "octatonic",
        "half whole diminished": "half whole",
        "whole half diminished": "octatonic",
        "dominant diminished": "half whole",
        "bebop": "bebop dominant",
        "bebop mixolydian": "bebop dominant",
        "bebop minor": "bebop dorian",
        "phrygian #6": "dorian b2",
        "lydian #5": "lydian augmented",
        "lydian b7": "lydian dominant",
        "mixolydian #4": "lydian dominant",
        "mixolydian #11": "lydian dominant",
        "acoustic": "lydian dominant",
        "overtone": "lydian dominant",
        "mixolydian b13": "mixolydian b6",
        "aeolian dominant": "mixolydian b6",
        "aeolian b5": "locrian #2",
        "half diminished": "locrian #2",
        "super locrian": "altered",
        "superlocrian": "altered",
        "alt": "altered",
        "diminished whole tone": "altered",
        "ionian augmented": "ionian #5",
        "ukrainian dorian": "dorian #4",
        "romanian minor": "dorian #4",
        "mixolydian b9 b13": "phrygian dominant",
        "spanish phrygian": "phrygian dominant",
        "freygish": "phrygian dominant",
        "hijaz": "phrygian dominant",
        "ultralocrian": "altered diminished",
        "ultra locrian": "altered diminished",
        "byzantine": "double harmonic",
        "hungarian major": "{0,3,4,6,7,9,10}",
        "hirajoshi": "{0,2,3,7,8}",
        "in": "{0,1,5,7,8}",
        "in sen": "{0,1,5,7,10}",
        "iwato": "{0,1,5,6,10}",
        "kumoi": "{0,2,3,7,9}",
        "prometheus": "{0,2,4,6,9,10}",
        "enigmatic": "{0,1,4,6,8,10,11}",
    }
)

_OWN = re.compile(r"\{([\d\s,]*)\}")
_NAME_OF = MappingProxyType({semitones: name for name, semitones in SCALES.items()})


def scale_named(text: str) -> str:
    """Return the name of a scale, given that name, an alias or its semitones in braces.

    Raises
    ------
    ParseError
        If no scale has that name; the error suggests a near one.

    Examples
    --------
    >>> scale_named("Super-Locrian"), scale_named("{0,7}"), scale_named("hirajoshi")
    ('altered', '{0,7}', '{0,2,3,7,8}')
    """
    if text.strip().startswith("{"):
        return _own_scale(text)
    name = " ".join(text.lower().replace("_", " ").replace("-", " ").replace("♭", "b").replace("♯", "#").split())
    name = _ALIASES.get(name, name)
    if name not in SCALES and name not in _ALIASES.values():
        near = difflib.get_close_matches(name, [*SCALES, *_ALIASES], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParseError("scale", text, f"one of {', '.join(SCALES)}{hint}")
    return name


def _own_scale(text: str) -> str:
    """Return the one way to write a set of semitones, or the table's name of it."""
    match = _OWN.fullmatch(text.strip())
    numbers = tuple(sorted({int(number) for number in re.findall(r"\d+", match[1])})) if match else ()
    if not numbers or numbers[0] != 0 or numbers[-1] > 11:
        raise ParseError("scale", text, "semitones from 0, the tonic, to 11 in braces, such as {0,2,3,7,8}")
    return _NAME_OF.get(numbers) or f"{{{','.join(map(str, numbers))}}}"


def is_scale(name: str) -> bool:
    """Whether this is the one name of a scale: a row of the table, or semitones that no row has."""
    if name in SCALES:
        return True
    try:
        return name.startswith("{") and _own_scale(name) == name
    except ParseError:
        return False


@cache
def scale_semitones(name: str) -> tuple[int, ...]:
    """Return the semitones above the tonic of a scale, by name or alias."""
    named = scale_named(name)
    return SCALES.get(named) or tuple(map(int, named[1:-1].split(",")))


@cache
def signature_fifths(name: str) -> int:
    """Return how many sharps the key signature of a scale has more than that of its tonic's major key.

    Scales that :data:`MODE_FIFTHS` does not list take the signature of the church mode that has most of
    their notes; of equal ones the nearest to major. Symmetric scales have their tonic's.
    """
    named = scale_named(name)
    if named in SCALES:
        return MODE_FIFTHS.get(named, 0)
    notes = set(scale_semitones(named))
    return min(range(-5, 2), key=lambda fifths: (len(notes - _signature_notes(fifths)), abs(fifths)))


def _signature_notes(fifths: int) -> set[int]:
    return {7 * place % 12 for place in range(fifths - 1, fifths + 6)}
