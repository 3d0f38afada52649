"""Fills: what the drums play in the last bar of a section, in the notation of :mod:`symgen.band.grooves`.

Where the table has none for a style and metre, :mod:`symgen.band.drums` builds one from the groove.

>>> sorted(FILLS["waltz"])
['3/4']
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["FILLS"]

_TOMS = (
    """
    snare      -------- XxXx----
    high-tom   -------- ----Xx--
    floor-tom  -------- ------Xx
    hat        x-x-x-x- --------
    kick       X-----x- x---x---
    """,
    """
    snare      ----X--- Xoxx----
    mid-tom    -------- ----X-x-
    floor-tom  -------- -------X
    hat        x-x-x-x- --------
    kick       X-----x- x-----x-
    """,
)

FILLS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "pop": {
            "4/4": _TOMS,
            "3/4": (
                """
                hat        x-x- ---- ----
                snare      ---- XxXx ----
                low-tom    ---- ---- XxXx
                kick       X--- x--- x---
                """,
            ),
            "6/8": (
                """
                hat        x-x-x- ------
                snare      ------ XxXx--
                floor-tom  ------ ----Xx
                kick       X----- x-----
                """,
            ),
            "5/4": (
                """
                hat        x-x- x-x- x-x- ---- ----
                snare      ---- X--? ---- XxXx ----
                mid-tom    ---- ---- ---- ---- Xx--
                floor-tom  ---- ---- ---- ---- --Xx
                kick       X--- --x- ---- X--- x---
                """,
            ),
            "7/8": (
                """
                hat        x- x- x- x- -- -- --
                snare      -- -- X- -- Xx x- --
                floor-tom  -- -- -- -- -- -x Xx
                kick       X- -x -- -- X- -- x-
                """,
            ),
        },
        "rock": {
            "4/4": _TOMS,
            "6/8": (
                """
                hat        X-x-x- ------
                snare      ------ XxXx--
                floor-tom  ------ ----Xx
                kick       X---x- X-----
                """,
            ),
        },
        "funk": {
            "4/4": (
                """
                hat        x-x-x-x- x-x-----
                snare      ----X--o -o--XxoX
                low-tom    -------- --x-----
                kick       X-x---x- --x-----
                """,
            )
        },
        "ballad": {
            "4/4": (
                """
                hat        x---x--- x-------
                rim        ----x--- --------
                mid-tom    -------- ----x---
                floor-tom  -------- ------x-
                kick       X------- x-------
                """,
            ),
            "6/8": (
                """
                hat        x-o-o- x-----
                rim        ------ ------
                mid-tom    ------ --x---
                floor-tom  ------ ----x-
                kick       X----- ------
                """,
            ),
        },
        "folk": {
            "4/4": (
                """
                shaker      x-o-x-o- x-o-xxxx
                tambourine  ----x--- --x-x-X-
                kick        X------- x-------
                """,
            )
        },
        "lead-sheet": {
            "4/4": (
                """
                hat    x-o-x-o- x-o-----
                rim    ----x--- --------
                snare  -------- ----x-oo
                kick   X------- x-------
                """,
            )
        },
        "waltz": {
            "3/4": (
                """
                ride   x- x- --
                pedal  -- x- x-
                snare  -- -o xx
                kick   X- -- --
                """,
            )
        },
        "shuffle": {
            "4/4": (
                """
                ride       XxXx ----
                snare      --X- XxX-
                floor-tom  ---- ---X
                kick       X--x X---
                """,
            )
        },
        "jazz": {
            "4/4": (
                """
                ride   x---X-x- x-------
                pedal  ----x--- ----x---
                snare  -------- --x-o-x-
                kick   o---o--- o-----x-
                """,
                """
                ride      x---X-x- --------
                pedal     ----x--- ----x---
                snare     -------- x-o---x-
                high-tom  -------- ----x---
                kick      o---o--- --------
                """,
            )
        },
        "bossa": {
            "4/4": (
                """
                shaker   xoxoxoxo xoxo----
                rim      x--x--x- --------
                snare    -------- --x-xx-x
                kick     x--xx--x x--xx--x
                """,
            )
        },
        "march": {
            "4/4": (
                """
                snare  X-xxX-xx XooooooX
                kick   X---x--- X---x---
                """,
            )
        },
    }
)
"""Style, metre, and the last bars of sections, of which one is chosen by chance."""
