"""Grooves: our own table, by style and metre, in the notation of :mod:`symgen.band.frame`.

Each line is an instrument and one bar; a bar may have any number of cells (16 are sixteenths in 4/4, 12 in 6/8).
Styles that swing are written straight. Where a style has no row for a metre, :mod:`symgen.band.drums` builds a groove
from the metre's weights and the style's instruments in :data:`KITS`.

>>> sorted(GROOVES["waltz"]), read_bar(GROOVES["waltz"]["3/4"][0])["kick"][0].sign
(['3/4', '6/8'], 'X')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from symgen.band.frame import Stroke, strokes
from symgen.errors import RequestError

__all__ = ["GROOVES", "INSTRUMENTS", "KITS", "Kit", "read_bar"]

INSTRUMENTS = MappingProxyType(
    {"kick": 36, "rim": 37, "snare": 38, "clap": 39, "hat": 42, "pedal": 44, "open": 46, "ride": 51, "crash": 49}
    | {"high-tom": 50, "mid-tom": 47, "low-tom": 45, "floor-tom": 43, "bell": 53, "tambourine": 54, "cowbell": 56}
    | {"shaker": 70, "clave": 75}
)
"""General MIDI keys of channel 10."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What a style plays in a metre that the table lacks.

    Parameters
    ----------
    time
        The instrument that goes on throughout.
    back
        The one that answers on the weak beats.
    low
        The one on the strong beats.
    is_busy
        Whether the time goes on between the beats.
    crash
        How the cymbal is struck where a section starts, and at the end: a sign of a pattern.
    """

    time: str
    back: str
    low: str = "kick"
    is_busy: bool = True
    crash: str = "X"


KITS: Mapping[str, Kit] = MappingProxyType(
    {
        "pop": Kit("hat", "snare"),
        "rock": Kit("hat", "snare"),
        "funk": Kit("hat", "snare"),
        "ballad": Kit("hat", "rim", crash="x"),
        "shuffle": Kit("hat", "snare"),
        "folk": Kit("shaker", "tambourine", crash="o"),
        "lead-sheet": Kit("hat", "rim", crash="x"),
        "jazz": Kit("ride", "pedal", is_busy=False, crash="x"),
        "bossa": Kit("shaker", "rim", crash="o"),
        "waltz": Kit("ride", "pedal", is_busy=False, crash="x"),
        "march": Kit("snare", "pedal"),
    }
)
"""By style; the styles with drums are these."""

_POP = (
    """
    hat    x-x-x-x- x-x-x-x-
    snare  ----X--? ----X---
    kick   X-----x- x-x---?-
    """,
    """
    ride   x-x-x-x- x-x-x-x-
    snare  ----X--o -?--X---
    kick   X--x--x- --x-----
    """,
)
_ROCK = (
    """
    hat    X-x-X-x- X-x-X-x-
    snare  ----X--- ----X--?
    kick   X-x----- X-x---?-
    """,
    """
    ride   X-x-X-x- X-x-X-x-
    snare  ----X--- ----X---
    kick   X---?-x- X-x-----
    """,
)
_FUNK = (
    """
    hat    xoxoxoxo xoxoxoxo
    snare  ----X--o -o--X--?
    kick   X-x---?- --x--x--
    """,
    """
    hat    x-x-x-x- x-x-x---
    open   -------- ------x-
    snare  ----X-?o -o-oX---
    kick   X--x--x- -?x-----
    """,
)
_BALLAD = (
    """
    hat    x---x--- x---x---
    rim    ----x--- ----x---
    kick   X------- x-----?-
    """,
    """
    ride   x-o-x-o- x-o-x-o-
    snare  ----x--- ----x---
    kick   X------x x-------
    """,
)
_SHUFFLE = (
    """
    ride   XxXx XxXx
    snare  --X- --X?
    kick   X--x X--?
    """,
    """
    hat    XxXx XxXx
    snare  --X? ?-X-
    kick   X--x -xx-
    """,
)
_FOLK = (
    """
    shaker      x-o-x-o- x-o-x-o-
    tambourine  ----x--- ----x---
    kick        X------- x-------
    """,
    """
    shaker      xoxoxoxo xoxoxoxo
    tambourine  ----x--- ----x-o-
    kick        X-----o- x-------
    """,
)
_LEAD_SHEET = (
    """
    hat    x-o-x-o- x-o-x-o-
    rim    ----x--- ----x---
    kick   X------- x-----?-
    """,
    """
    ride   x-o-x-o- x-o-x-o-
    rim    ----x--- ----x---
    kick   X-----o- x-------
    """,
)
_JAZZ = (
    """
    ride   x---X-x- x---X-x-
    pedal  ----x--- ----x---
    kick   o---o--- o---o---
    snare  ------?- ------?-
    """,
    """
    ride   x---X-x- x---X-x-
    pedal  ----x--- ----x---
    kick   o---o--- o---o---
    snare  --?----- --o---?-
    """,
)
_BOSSA = (
    """
    shaker  xoxoxoxo xoxoxoxo
    rim     x--x--x- --x--x--
    kick    x--xx--x x--xx--x
    """,
    """
    ride    x-x-x-x- x-x-x-x-
    rim     --x--x-- x--x--x-
    kick    x--xx--x x--xx--x
    """,
)
_MARCH = (
    """
    snare  X-xxX-xx X-xxX-xx
    kick   X---x--- X---x---
    """,
    """
    snare  x-xoX-x- x-xoXoxo
    kick   X---x--- X---x---
    """,
)

GROOVES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "pop": {
            "4/4": _POP,
            "3/4": (
                """
                hat    x-x- x-x- x-x-
                snare  ---- X--- X--?
                kick   X--- --x- ----
                """,
            ),
            "6/8": (
                """
                hat    x-x-x- x-x-x-
                snare  ------ X----?
                kick   X----- ----x-
                """,
            ),
            "12/8": (
                """
                hat    xxx xxx xxx xxx
                snare  --- X-- --? X--
                kick   X-- --x X-- ---
                """,
            ),
            "5/4": (
                """
                hat    x-x- x-x- x-x- x-x- x-x-
                snare  ---- X--? ---- ---- X---
                kick   X--- --x- ---- X-x- ----
                """,
            ),
            "7/8": (
                """
                hat    x- x- x- x- x- x- x-
                snare  -- -- X- -- -- ?- X-
                kick   X- -x -- -- X- -- --
                """,
            ),
        },
        "rock": {
            "4/4": _ROCK,
            "6/8": (
                """
                hat    X-x-x- X-x-x-
                snare  ------ X-----
                kick   X---x- ----x-
                """,
            ),
            "5/4": (
                """
                hat    X-x- X-x- X-x- X-x- X-x-
                snare  ---- X--- ---- ---- X---
                kick   X-x- ---- X--- X-x- ----
                """,
            ),
            "7/8": (
                """
                hat    x- x- x- x- x- x- x-
                snare  -- -- X- -- -- -- X-
                kick   X- -- -- x- X- x- --
                """,
            ),
        },
        "funk": {"4/4": _FUNK},
        "ballad": {
            "4/4": _BALLAD,
            "3/4": (
                """
                hat    x-o- x-o- x-o-
                rim    ---- ---- x---
                kick   X--- ---- ----
                """,
            ),
            "6/8": (
                """
                hat    x-o-o- x-o-o-
                rim    ------ x-----
                kick   X----- ----?-
                """,
            ),
            "12/8": (
                """
                hat    xoo xoo xoo xoo
                rim    --- x-- --- x--
                kick   X-- --? x-- ---
                """,
            ),
        },
        "shuffle": {
            "4/4": _SHUFFLE,
            "12/8": (
                """
                ride   X-x X-x X-x X-x
                snare  --- X-- --- X-?
                kick   X-- --x X-- --?
                """,
            ),
        },
        "folk": {
            "4/4": _FOLK,
            "2/4": (
                """
                shaker      x-o- x-o-
                tambourine  ---- x---
                kick        X--- ----
                """,
            ),
            "3/4": (
                """
                shaker      x- xo xo
                tambourine  -- x- x-
                kick        X- -- --
                """,
            ),
            "6/8": (
                """
                shaker      xoo xoo
                tambourine  --- x--
                kick        X-- ---
                """,
            ),
        },
        "lead-sheet": {"4/4": _LEAD_SHEET},
        "jazz": {
            "4/4": _JAZZ,
            "3/4": (
                """
                ride   x- Xx X-
                pedal  -- x- --
                kick   o- -- --
                snare  -- -? -?
                """,
            ),
            "5/4": (
                """
                ride   x- Xx x- Xx x-
                pedal  -- x- -- x- --
                kick   o- -- -o o- --
                snare  -- -? -- -- -?
                """,
            ),
        },
        "bossa": {"4/4": _BOSSA},
        "waltz": {
            "3/4": (
                """
                ride   x- x- x-
                pedal  -- x- x-
                kick   X- -- --
                """,
                """
                ride   x- x? x-
                rim    -- x- x-
                kick   X- -- --
                """,
            ),
            "6/8": (
                """
                ride   x-- x--
                pedal  -xx -xx
                kick   X-- o--
                """,
            ),
        },
        "march": {
            "4/4": _MARCH,
            "2/4": (
                """
                snare  X-xx X-xo
                kick   X--- x---
                """,
            ),
            "6/8": (
                """
                snare  X-o x-x
                kick   X-- x--
                """,
            ),
        },
    }
)
"""Style, metre, and the grooves, which take turns from section to section."""


@cache
def read_bar(text: str) -> Mapping[str, tuple[Stroke, ...]]:
    """Read a bar of the table: for each instrument its strokes.

    Raises
    ------
    RequestError
        If a line is no instrument and a pattern.
    """
    rows: dict[str, tuple[Stroke, ...]] = {}
    for line in text.strip().splitlines():
        name, _, pattern = line.strip().partition(" ")
        if name not in INSTRUMENTS or name in rows:
            msg = f"groove line {line.strip()!r}: expected one of {', '.join(INSTRUMENTS)} and a pattern, each once"
            raise RequestError(msg)
        rows[name] = strokes(pattern)
    return MappingProxyType(rows)
