"""The styles of the band: who plays what, and how.

>>> style = STYLES["jazz"]
>>> style.texture, style.bass, style.drums, str(style.swing)
('comp-jazz', 'walking', 'jazz', '2:1 eighths')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from symgen.errors import RequestError
from theory.meter import Meter
from theory.swing import Swing

__all__ = ["STYLES", "Style", "style_named", "usual_style"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a style is accompanied.

    Parameters
    ----------
    texture
        One of :data:`symgen.band.textures.TEXTURES`.
    bass
        One of :data:`symgen.band.bass.BASSES`.
    drums
        One of :data:`symgen.band.grooves.KITS`; empty for none.
    chords_program, bass_program, counter_program
        General MIDI programs.
    swing
        None is straight.
    """

    texture: str
    bass: str
    drums: str
    chords_program: int
    bass_program: int
    counter_program: int = 48
    swing: Swing | None = None


_SWING = Swing(Fraction(2))

STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "pop": Style("comp-pop", "pump", "pop", 0, 33),
        "rock": Style("comp-rock", "eighths", "rock", 27, 34),
        "funk": Style("comp-funk", "octave", "funk", 4, 36, 61),
        "ballad": Style("arpeggio-updown", "held", "ballad", 0, 33),
        "shuffle": Style("comp-jazz", "boogie", "shuffle", 16, 33, 65, _SWING),
        "folk": Style("strum", "root-fifth", "folk", 24, 32, 42),
        "lead-sheet": Style("pulse", "root-fifth", "lead-sheet", 0, 32, 71),
        "jazz": Style("comp-jazz", "walking", "jazz", 0, 32, 66, _SWING),
        "bossa": Style("comp-bossa", "bossa", "bossa", 24, 32, 71),
        "waltz": Style("after", "waltz", "waltz", 0, 32, 71),
        "march": Style("after", "root-fifth", "march", 61, 58, 60),
        "chorale": Style("sustain", "held", "", 19, 43, 60),
    }
)
"""By name."""


def style_named(name: str) -> Style:
    """Return a style.

    Raises
    ------
    RequestError
        If there is none of the name.
    """
    if name not in STYLES:
        msg = f"style {name!r} of the band: expected one of {', '.join(STYLES)}"
        raise RequestError(msg)
    return STYLES[name]


def usual_style(meter: Meter) -> str:
    """Return the style of a piece that says none: a waltz in three quarters, else pop.

    >>> usual_style(Meter(3, 4)), usual_style(Meter(7, 8))
    ('waltz', 'pop')
    """
    return "waltz" if (meter.numerator, meter.denominator) == (3, 4) else "pop"
