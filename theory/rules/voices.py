"""Rules for several voices: what they are, and those that need no theory: ranges and locks.

Voice 0 is the highest, as in a score. A :class:`VoiceRule` names the groups of voices it judges (each voice
alone, every pair, neighbours, all of them), and judges a group only where all of it sounds. Its predicates
get the pitches of the group from the top down, at one moment or at two moments in a row.

>>> moment = Moment(1, Fraction(1), 0)
>>> rule = VoiceRanges.of("violin", "viola", "cello")
>>> rule.groups(3)[2], rule.permits_voicing((35,), moment, rule.groups(3)[2])
(Group(voices=(2,), n_voices=3), False)

The predicates of this package's own rules answer elementwise where pitches are arrays, and say so by
``elementwise``; a rule of one's own need not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from typing import ClassVar, NamedTuple

import numpy as np

from theory.errors import ParseError, TheoryError
from theory.instruments import instrument_named
from theory.motion import Pitches, Truth
from theory.pitch import parse_pitch, pitch_name
from theory.rules.base import Moment, Rule

__all__ = [
    "BlindRule",
    "Group",
    "VoiceLock",
    "VoiceRanges",
    "VoiceRule",
    "each_voice",
    "every_pair",
    "locks_of",
    "negated",
    "neighbours",
]

_SATB = ("soprano", "alto", "tenor", "bass")


class Group(NamedTuple):
    """Some of the voices of a piece.

    Parameters
    ----------
    voices
        Ascending; 0 is the highest voice.
    n_voices
        How many voices the piece has.
    """

    voices: tuple[int, ...]
    n_voices: int

    @property
    def has_bass(self) -> bool:
        """Whether the lowest voice of the piece is one of them."""
        return self.n_voices - 1 in self.voices

    @property
    def is_outer(self) -> bool:
        """Whether all of them are the highest or the lowest voice."""
        return set(self.voices) <= {0, self.n_voices - 1}

    def __str__(self) -> str:
        """Return the names of four voices, the numbers (from 1, the highest) of more or fewer."""
        if len(self.voices) == self.n_voices:
            return "all voices"
        if self.n_voices == len(_SATB):
            return " and ".join(_SATB[voice] for voice in self.voices)
        return " and ".join(f"voice {voice + 1}" for voice in self.voices)


def each_voice(n_voices: int) -> tuple[Group, ...]:
    """Return groups of one voice."""
    return tuple(Group((voice,), n_voices) for voice in range(n_voices))


def every_pair(n_voices: int) -> tuple[Group, ...]:
    """Return all groups of two voices."""
    return tuple(Group(pair, n_voices) for pair in combinations(range(n_voices), 2))


def neighbours(n_voices: int) -> tuple[Group, ...]:
    """Return the groups of two voices with none between them."""
    return tuple(Group(pair, n_voices) for pair in pairwise(range(n_voices)))


def negated(answer: Truth) -> Truth:
    """Return the opposite of an answer, elementwise for an array."""
    return not answer if isinstance(answer, bool) else np.logical_not(answer)


@dataclass(frozen=True)
class VoiceRule(Rule):
    """What every rule for several voices has; on its own it permits everything.

    A preference is paid once for each group and moment, or group and two moments in a row, that break it.
    """

    elementwise: ClassVar[bool] = False
    """Whether the predicates answer elementwise when pitches are arrays that broadcast."""

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return the groups the rule judges, each on its own: unless overridden, all voices as one."""
        return (Group(tuple(range(n_voices)), n_voices),)

    def permits_voicing(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether a group may sound these pitches, from the top down, at a moment."""
        return True

    def permits_motion(
        self,
        before: Sequence[Pitches],
        after: Sequence[Pitches],
        moment_before: Moment,
        moment: Moment,
        group: Group,
    ) -> Truth:
        """Whether a group may sound one thing and, at the next moment, the other."""
        return True

    def permits_entry(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether a group may sound these pitches where there is no moment before, or not all of it sounded then."""
        return True


@dataclass(frozen=True)
class BlindRule(VoiceRule):
    """A rule that looks at pitches alone."""

    elementwise: ClassVar[bool] = True

    def sees(self, moment: Moment) -> Hashable:
        """Return nothing: the rule holds everywhere."""
        return None


@dataclass(frozen=True)
class VoiceRanges(BlindRule):
    """Every voice stays in its range; voices beyond those named are free.

    Parameters
    ----------
    ranges
        Lowest and highest pitch of each voice, from the top down; four voices of a choir if left out.
    """

    ranges: tuple[tuple[int, int], ...] = tuple(instrument_named(name).range for name in _SATB)

    def __post_init__(self) -> None:
        super().__post_init__()
        for low, high in self.ranges:
            if not 0 <= low <= high <= 127:
                msg = f"voice range {low}..{high}: expected 0 <= low <= high <= 127"
                raise TheoryError(msg)

    @classmethod
    def of(cls, *names: str, at_home: bool = False, cost: float = math.inf) -> VoiceRanges:
        """Return the ranges of voices or instruments, from the top down.

        Parameters
        ----------
        names
            As in :data:`theory.instruments.INSTRUMENTS`.
        at_home
            Whether to take the tessitura, where most of their music lies, instead of the whole range.
        cost
            Of the rule.

        Raises
        ------
        ParseError
            If a name is unknown.
        """
        found = [instrument_named(name) for name in names]
        return cls(tuple(each.tessitura if at_home else each.range for each in found), cost=cost)

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return each voice that has a range."""
        return each_voice(n_voices)[: len(self.ranges)]

    def permits_voicing(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether the pitch lies in the voice's range."""
        low, high = self.ranges[group.voices[0]]
        return (low <= pitches[0]) & (pitches[0] <= high)

    def words(self) -> str:
        """Return such as ``voice ranges C4..A5, G3..D5``."""
        return f"voice ranges {', '.join(f'{pitch_name(low)}..{pitch_name(high)}' for low, high in self.ranges)}"


_LOCK = re.compile(
    r"\s*(?:lock\s+)?voice\s+(\d+)\s+bar\s+(\d+)\s+beat\s+(\d+(?:\.\d+|/[1-9]\d*)?)\s*=\s*(\S+)\s*", re.IGNORECASE
)


@dataclass(frozen=True)
class VoiceLock(VoiceRule):
    """A pitch that a voice must sound at a place, if it sounds there at all.

    Parameters
    ----------
    voice
        Counted from 0, the highest; people count from 1.
    bar, beat
        Where, both counted from 1.
    pitch
        MIDI pitch.
    """

    elementwise: ClassVar[bool] = True
    voice: int = 0
    bar: int = 1
    beat: Fraction = Fraction(1)
    pitch: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.voice < 0 or self.bar < 1 or self.beat < 1 or not 0 <= self.pitch <= 127:
            msg = f"{self}: expected a voice, a bar and a beat from 1, and a pitch from 0 to 127"
            raise TheoryError(msg)

    @classmethod
    def parse(cls, text: str) -> VoiceLock:
        """Read a lock such as ``voice 1 bar 2 beat 3 = C5``.

        Raises
        ------
        ParseError
            If the text is no lock.
        """
        match = _LOCK.fullmatch(text)
        if match is None or int(match[1]) < 1 or int(match[2]) < 1 or Fraction(match[3]) < 1:
            raise ParseError("lock", text, "a voice, a place and a pitch, such as voice 1 bar 1 beat 1 = C5")
        try:
            return cls(int(match[1]) - 1, int(match[2]), Fraction(match[3]), parse_pitch(match[4]))
        except ParseError as error:
            raise error.shifted(match.start(4)) from None

    def is_here(self, moment: Moment) -> bool:
        """Whether a moment is the place."""
        return moment.bar == self.bar and moment.beat == self.beat

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return the voice, if there are so many."""
        return each_voice(n_voices)[self.voice : self.voice + 1]

    def has_place(self, moments: Sequence[Moment]) -> bool:
        """Whether the place is one of the moments."""
        return any(self.is_here(moment) for moment in moments)

    def sees(self, moment: Moment) -> Hashable:
        """Return whether this is the place."""
        return self.is_here(moment)

    def permits_voicing(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether this is another place, or the pitch that must sound."""
        return pitches[0] == self.pitch if self.is_here(moment) else True

    def words(self) -> str:
        """Return such as ``lock voice 1 bar 2 beat 3 = C5``."""
        decimals = f"{float(self.beat):.6g}"
        beat = decimals if Fraction(decimals) == self.beat else self.beat
        return f"lock voice {self.voice + 1} bar {self.bar} beat {beat} = {pitch_name(self.pitch)}"


def locks_of(voice: int, pitches: Sequence[int | None], moments: Sequence[Moment]) -> tuple[VoiceLock, ...]:
    """Return locks that give a voice its pitch at each moment, where it is not ``None``.

    >>> moments = [Moment(1, Fraction(beat), 0) for beat in (1, 2)]
    >>> [str(lock) for lock in locks_of(0, [72, None], moments)]
    ['lock voice 1 bar 1 beat 1 = C5']
    """
    given = zip(pitches, moments, strict=True)
    return tuple(VoiceLock(voice, moment.bar, moment.beat, pitch) for pitch, moment in given if pitch is not None)
