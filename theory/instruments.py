"""Instruments and voices: how far they reach, and where they are at home.

Sounding pitches. Ranges are those of orchestration manuals for players who are not soloists; the tessitura
is the middle of the range, in which most of their music lies.

>>> instrument_named("Violin").range, instrument_named("soprano").tessitura
((55, 100), (64, 77))

References
----------
Adler, "The Study of Orchestration", 4th edition, Norton, 2016. Aldwell and Schachter, "Harmony and Voice
Leading", chapter 5, for the voices.
"""

from __future__ import annotations

import difflib
from types import MappingProxyType
from typing import NamedTuple

from theory.errors import ParseError
from theory.pitch import parse_pitch

__all__ = ["INSTRUMENTS", "Instrument", "instrument_named"]


class Instrument(NamedTuple):
    """How far an instrument reaches.

    Parameters
    ----------
    range, tessitura
        Lowest and highest MIDI pitch, both included: all it can play, and where it mostly does.
    """

    range: tuple[int, int]
    tessitura: tuple[int, int]


_ROWS = """
soprano        C4  A5  E4  F5
mezzo-soprano  A3  F5  C4  D5
alto           F3  D5  A3  A4
tenor          C3  A4  E3  F4
baritone       A2  F4  C3  D4
bass           E2  D4  A2  A3
voice          C4  A5  E4  F5
piano          A0  C8  C3  C6
guitar         E2  E5  A2  A4
bass guitar    E1  G3  E1  D3
violin         G3  E7  C4  C6
viola          C3  E6  G3  G5
cello          C2  A4  G2  D4
double bass    E1  G3  G1  D3
harp           C1  G7  C3  C6
flute          C4  C7  G4  G6
oboe           Bb3 F6  E4  C6
clarinet       D3  Bb6 F3  C6
bassoon        Bb1 Eb5 G2  G4
horn           F2  F5  C3  C5
trumpet        E3  C6  C4  G5
trombone       E2  Bb4 Bb2 F4
tuba           D1  F4  F1  Bb3
alto saxophone Db3 A5  F3  D5
tenor saxophone Ab2 E5 C3  A4
recorder       F4  G6  C5  C6
"""


def _read(row: str) -> tuple[str, Instrument]:
    *name, low, high, home_low, home_high = row.split()
    pitches = [parse_pitch(text) for text in (low, high, home_low, home_high)]
    return " ".join(name), Instrument((pitches[0], pitches[1]), (pitches[2], pitches[3]))


INSTRUMENTS = MappingProxyType(dict(_read(row) for row in _ROWS.strip().splitlines()))
"""Instruments by name."""


def instrument_named(name: str) -> Instrument:
    """Return an instrument by its name.

    Raises
    ------
    ParseError
        If there is none of that name; the error suggests a near one.
    """
    plain = " ".join(name.lower().split())
    if plain not in INSTRUMENTS:
        near = difflib.get_close_matches(plain, INSTRUMENTS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParseError("instrument", name, f"one of {', '.join(INSTRUMENTS)}{hint}")
    return INSTRUMENTS[plain]
