"""Rules of melody: what they are, the table of all there are, and sets of them for styles."""

from theory.rules.base import Event, LineNote, Moment, Rule, RuleWithMemory
from theory.rules.compose import AllOf, AnyOf, InBars, Not
from theory.rules.figures import NonChordTones
from theory.rules.melody import LargestLeap, LeapRecovery, NoTritoneOutline, RepeatedNotes
from theory.rules.ngrams import Contains, NoQuotes
from theory.rules.notes import ChordTonesOnStrongBeats, InChordScale, InKey, NoAvoidNotes, NoRests, Range, Tessitura
from theory.rules.quote import Lock, Motif, SameBars
from theory.rules.rhythm import Density, NoteLength, Rhythm
from theory.rules.shape import Cadence, ClimaxOnce, Contour, EndOn, PassThrough, StartOn

__all__ = [
    "RULES",
    "AllOf",
    "AnyOf",
    "Cadence",
    "ChordTonesOnStrongBeats",
    "ClimaxOnce",
    "Contains",
    "Contour",
    "Density",
    "EndOn",
    "Event",
    "InBars",
    "InChordScale",
    "InKey",
    "LargestLeap",
    "LeapRecovery",
    "LineNote",
    "Lock",
    "Moment",
    "Motif",
    "NoAvoidNotes",
    "NoQuotes",
    "NoRests",
    "NoTritoneOutline",
    "NonChordTones",
    "Not",
    "NoteLength",
    "PassThrough",
    "Range",
    "RepeatedNotes",
    "Rhythm",
    "Rule",
    "RuleWithMemory",
    "SameBars",
    "StartOn",
    "Tessitura",
]

RULES: tuple[type[Rule], ...] = (
    *(InKey, InChordScale, ChordTonesOnStrongBeats, NoAvoidNotes, NonChordTones),
    *(Range, Tessitura),
    *(LargestLeap, LeapRecovery, NoTritoneOutline, RepeatedNotes),
    *(Density, NoteLength, Rhythm, NoRests),
    *(StartOn, EndOn, Cadence, Contour, PassThrough, ClimaxOnce),
    *(Lock, Motif, SameBars, NoQuotes, Contains),
)
"""Every rule on a line there is; :mod:`theory.rules.compose` makes more of them."""
