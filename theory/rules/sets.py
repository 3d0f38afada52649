"""Sets of rules for styles: data, to be printed, copied and changed.

The line itself ends where the chords say (see the pipeline's default rules), so no set says how it ends. What is
a matter of taste has a price instead of being a law.

>>> [rule_text(rule) for rule in RULE_SETS["folk"]][:3]
['in-key', 'chord-tones-on-strong-beats', 'range low=D4 high=B5']
"""

from __future__ import annotations

from fractions import Fraction
from types import MappingProxyType

from theory.rules.base import Rule
from theory.rules.figures import NonChordTones
from theory.rules.melody import LargestLeap, LeapRecovery, NoTritoneOutline, RepeatedNotes
from theory.rules.notes import (
    ChordTonesOnStrongBeats,
    InChordScale,
    InKey,
    NoAvoidNotes,
    NoRests,
    Range,
    Tessitura,
)
from theory.rules.rhythm import Density, NoteLength
from theory.rules.shape import ClimaxOnce
from theory.rules.text import rule_text

__all__ = ["RULE_SETS", "rule_text"]

RULE_SETS = MappingProxyType[str, tuple[Rule, ...]](
    {
        "pop": (
            *(InKey(), ChordTonesOnStrongBeats(), Range(57, 79), Tessitura(60, 76, cost=0.2)),
            *(LargestLeap(12), LeapRecovery(7, 12, cost=2.0), RepeatedNotes(6), Density(0, 10)),
        ),
        "jazz": (
            *(InChordScale(), NoAvoidNotes(), Range(55, 84), LargestLeap(12)),
            *(RepeatedNotes(3), LeapRecovery(7, 12, cost=1.0)),
        ),
        "folk": (
            *(InKey(), ChordTonesOnStrongBeats(), Range(62, 83), LargestLeap(12)),
            *(RepeatedNotes(4), NoRests("bar ends"), LeapRecovery(8, 12)),
        ),
        "chorale": (
            *(InKey(), NonChordTones(("passing", "neighbour", "suspension", "anticipation")), Range(60, 79)),
            *(LargestLeap(12), LeapRecovery(4, 5), NoTritoneOutline(), RepeatedNotes(3)),
            *(NoRests("bar ends"), NoteLength(Fraction(1, 2), Fraction(4))),
        ),
        "strict-counterpoint": (
            *(InKey(), NonChordTones(("passing", "neighbour", "suspension")), Range(60, 77), LargestLeap(8)),
            *(LeapRecovery(4, 2), NoTritoneOutline(), RepeatedNotes(1), ClimaxOnce(), NoRests()),
            NoteLength(Fraction(1, 2), Fraction(4)),
        ),
    }
)
"""Rules for a melody in a style, by the style's name."""
