"""Rules: pure predicates on a note, on two notes in a row, and on the last note.

A :class:`Rule` says of single moments and single steps of a line what it permits; it knows nothing of
automata. The decoder compiles these predicates into its lattice, and :mod:`theory.audit` asks the very
same predicates about finished music. A rule of infinite ``cost`` is a law; a finite cost is a
preference, paid in nats at each violation.

>>> rule = InKey()
>>> moment = Moment(bar=3, beat=Fraction(1), level=0, key=Key.parse("A minor"))
>>> rule.permits_note(61, moment, is_onset=True), rule.permits_note(60, moment, is_onset=True)
(False, True)
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from theory.chord import Chord
from theory.errors import ParseError, TheoryError
from theory.key import Key
from theory.meter import STRONG_LEVEL
from theory.pitch import parse_pitch, pitch_name

__all__ = [
    "RULES",
    "ChordTonesOnStrongBeats",
    "EndOn",
    "InKey",
    "LargestLeap",
    "Lock",
    "Moment",
    "Range",
    "Rule",
]


class Moment(NamedTuple):
    """What a rule may know of a step.

    Parameters
    ----------
    bar
        Counted from 1.
    beat
        Counts of the metre from 1; a half beat later is 1.5.
    level
        Metrical level; see :mod:`theory.meter`.
    key, chord
        What is in force, where known.
    """

    bar: int
    beat: Fraction
    level: int
    key: Key | None = None
    chord: Chord | None = None

    @property
    def is_strong(self) -> bool:
        """Whether this is a strong beat."""
        return self.level <= STRONG_LEVEL

    def __str__(self) -> str:
        """Return the place as people say it."""
        return f"bar {self.bar} beat {float(self.beat):.4g}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What every rule has; on its own it permits everything.

    Parameters
    ----------
    cost
        Infinite for a law, else the price in nats of each violation that :mod:`theory.audit` finds; a wrong note
        is one at every step it sounds.
    """

    cost: float = math.inf

    def __post_init__(self) -> None:
        if not self.cost > 0:
            msg = f"{self}: cost {self.cost}: expected a number above 0 (infinite for a law)"
            raise TheoryError(msg)

    @property
    def is_law(self) -> bool:
        """Whether the rule may not be broken at any price."""
        return math.isinf(self.cost)

    def sees(self, moment: Moment) -> Hashable:
        """Return all of a moment that the rule looks at; equal answers may be cached."""
        return moment

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether ``pitch`` may sound at a moment, starting there or held."""
        return True

    def permits_rest(self, moment: Moment) -> bool:
        """Whether silence is permitted at a moment."""
        return True

    def permits_move(self, previous: int, following: int) -> bool:
        """Whether one pitch may be the next after another."""
        return True

    def permits_last(self, pitch: int, moment: Moment) -> bool:
        """Whether ``pitch`` may be the last note of the line; ``moment`` is the last step."""
        return True

    def permits_no_notes(self) -> bool:
        """Whether a line without any note is permitted."""
        return True

    def has_place(self, moments: Sequence[Moment]) -> bool:
        """Whether the places the rule names, if any, are in a piece of these moments; if not, it is broken."""
        return True

    def words(self) -> str:
        """Return what the rule asks, in the user's words."""
        return "anything"

    def __str__(self) -> str:
        """Return the rule in the user's words, and its price where it is only a preference."""
        return self.words() if self.is_law else f"{self.words()} (preferred, {self.cost:g} nats)"


@dataclass(frozen=True)
class InKey(Rule):
    """Every note belongs to the key.

    A note is in the key when its pitch class is in the key's scale, or in a chord sounding with it that
    itself leaves the scale: over E7 in A minor the leading tone G# is in the key, over Am it is not.
    """

    def sees(self, moment: Moment) -> Hashable:
        """Return key and chord."""
        return moment.key, moment.chord

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether the pitch class is in the scale, or in a chord from outside it."""
        if moment.key is None:
            return True
        chord_tones = moment.chord.pitch_classes if moment.chord else frozenset[int]()
        return pitch % 12 in moment.key.pitch_classes | chord_tones

    def words(self) -> str:
        """Return ``in key``."""
        return "in key"


@dataclass(frozen=True)
class ChordTonesOnStrongBeats(Rule):
    """What sounds on a strong beat, started or held, belongs to the chord; without a chord anything may."""

    def sees(self, moment: Moment) -> Hashable:
        """Return the chord where the beat is strong."""
        return moment.chord if moment.is_strong else None

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether the beat is weak, no chord sounds, or the pitch class is in the chord."""
        if not moment.is_strong or moment.chord is None or moment.chord.is_none:
            return True
        return pitch % 12 in moment.chord.pitch_classes

    def words(self) -> str:
        """Return ``chord tones on strong beats``."""
        return "chord tones on strong beats"


@dataclass(frozen=True)
class Range(Rule):
    """All pitches lie between two.

    Parameters
    ----------
    low, high
        MIDI pitches, both included.
    """

    low: int = 55
    high: int = 84

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.low <= self.high <= 127:
            msg = f"range {self.low}..{self.high}: expected 0 <= low <= high <= 127"
            raise TheoryError(msg)

    @classmethod
    def parse(cls, text: str) -> Range:
        """Read a range such as ``C4-G5`` or ``60..79``.

        Raises
        ------
        ParseError
            If the text is not two pitches, the lower one first.
        """
        parts = re.split(r"\s*(?:\.\.|(?<=[\d\s])-|\s+to\s+)\s*", text.strip())
        try:
            low, high = (parse_pitch(part) for part in parts)
            return cls(low, high)
        except ValueError as error:
            raise ParseError("range", text, "two pitches, the lower first, such as C4-G5") from error

    def sees(self, moment: Moment) -> Hashable:
        """Return nothing: a range holds everywhere."""
        return None

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether the pitch lies in the range."""
        return self.low <= pitch <= self.high

    def words(self) -> str:
        """Return such as ``range C4..G5``."""
        return f"range {pitch_name(self.low)}..{pitch_name(self.high)}"


@dataclass(frozen=True)
class LargestLeap(Rule):
    """No note lies further from the one before it than this; rests between them do not matter.

    Parameters
    ----------
    semitones
        The largest distance permitted.
    """

    semitones: int = 12

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.semitones < 0:
            msg = f"largest leap {self.semitones}: expected a number of semitones from 0"
            raise TheoryError(msg)

    def sees(self, moment: Moment) -> Hashable:
        """Return nothing: a leap is judged by its two pitches."""
        return None

    def permits_move(self, previous: int, following: int) -> bool:
        """Whether the two pitches are near enough."""
        return abs(following - previous) <= self.semitones

    def words(self) -> str:
        """Return such as ``largest leap 12 semitones``."""
        return f"largest leap {self.semitones} semitone{'' if self.semitones == 1 else 's'}"


@dataclass(frozen=True)
class EndOn(Rule):
    """The last note of the line is one of some pitch classes.

    Parameters
    ----------
    pitch_classes
        Such as the tonic's alone; at least one, each 0 to 11.
    """

    pitch_classes: frozenset[int] = frozenset({0})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.pitch_classes or not self.pitch_classes <= frozenset(range(12)):
            msg = f"end on {sorted(self.pitch_classes)}: expected one or more pitch classes from 0 to 11"
            raise TheoryError(msg)

    def sees(self, moment: Moment) -> Hashable:
        """Return nothing: only the last note matters."""
        return None

    def permits_last(self, pitch: int, moment: Moment) -> bool:
        """Whether the last pitch is one of those named."""
        return pitch % 12 in self.pitch_classes

    def permits_no_notes(self) -> bool:
        """Without a note there is no last one."""
        return False

    def words(self) -> str:
        """Return such as ``end on C``."""
        names = " or ".join(pitch_name(60 + pc)[:-1] for pc in sorted(self.pitch_classes))
        return f"end on {names}"


_LOCK = re.compile(r"\s*bar\s+(\d+)\s+beat\s+(\d+(?:\.\d+|/[1-9]\d*)?)\s*=\s*(\S+)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Lock(Rule):
    """A note that must start at a place, or a silence that must be there.

    Parameters
    ----------
    bar, beat
        Where, both counted from 1.
    pitch
        MIDI pitch that starts there; ``None`` is a rest.
    """

    bar: int = 1
    beat: Fraction = Fraction(1)
    pitch: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bar < 1 or self.beat < 1 or not 0 <= (self.pitch or 0) <= 127:
            msg = f"{self}: expected a bar and a beat from 1, and a pitch from 0 to 127"
            raise TheoryError(msg)

    @classmethod
    def parse(cls, text: str) -> Lock:
        """Read a lock such as ``bar 1 beat 1 = C5`` or ``bar 4 beat 2.5 = rest``.

        Raises
        ------
        ParseError
            If the text is no lock.
        """
        match = _LOCK.fullmatch(text)
        if match is None or int(match[1]) < 1 or Fraction(match[2]) < 1:
            raise ParseError("lock", text, "a place and a pitch, such as bar 1 beat 1 = C5 (or = rest)")
        try:
            pitch = None if match[3].lower() == "rest" else parse_pitch(match[3])
        except ParseError as error:
            raise error.shifted(match.start(3)) from None
        return cls(int(match[1]), Fraction(match[2]), pitch)

    def _is_here(self, moment: Moment) -> bool:
        return moment.bar == self.bar and moment.beat == self.beat

    def has_place(self, moments: Sequence[Moment]) -> bool:
        """Whether the place is one of the moments."""
        return any(self._is_here(moment) for moment in moments)

    def sees(self, moment: Moment) -> Hashable:
        """Return whether this is the place."""
        return self._is_here(moment)

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether this is another place, or the note that must start here."""
        return not self._is_here(moment) or (is_onset and pitch == self.pitch)

    def permits_rest(self, moment: Moment) -> bool:
        """Whether this is another place, or must be silent."""
        return not self._is_here(moment) or self.pitch is None

    def words(self) -> str:
        """Return such as ``lock bar 1 beat 1 = C5``."""
        name = "rest" if self.pitch is None else pitch_name(self.pitch)
        decimals = f"{float(self.beat):.6g}"
        beat = decimals if Fraction(decimals) == self.beat else self.beat
        return f"lock bar {self.bar} beat {beat} = {name}"


RULES: tuple[type[Rule], ...] = (InKey, ChordTonesOnStrongBeats, Range, LargestLeap, EndOn, Lock)
"""Every rule there is."""
