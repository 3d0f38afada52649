"""Rules on how notes follow each other: leaps and what comes after them, outlines, repeated notes.

>>> from fractions import Fraction
>>> rule = LeapRecovery()
>>> notes = [LineNote(i, i + 1, pitch) for i, pitch in enumerate((60, 69, 71, 69))]  # a sixth up, and on upwards
>>> moments = [Moment(1, Fraction(1 + i), 2) for i in range(4)]
>>> list(rule.breaches(notes, moments))
[(2, 'B4 after the leap C4 to A4')]
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from theory.errors import TheoryError
from theory.pitch import pitch_name
from theory.rules.base import Event, LineNote, Moment, Rule, RuleWithMemory, Watch

__all__ = ["LargestLeap", "LeapRecovery", "NoTritoneOutline", "RepeatedNotes"]


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

    @property
    def watches(self) -> Watch:
        """Intervals."""
        return "interval"

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
class LeapRecovery(RuleWithMemory):
    """A leap is followed by a move back into the gap it has opened, or ends the line.

    Parameters
    ----------
    leap
        Larger intervals than this many semitones are leaps: 4 lets thirds go.
    within
        The move back is at most this many semitones: 2 asks for a step, 12 only for a turn.

    References
    ----------
    Fux, "Gradus ad Parnassum", 1725; as a law of expectation, Meyer, "Explaining Music", 1973 (gap-fill). That most
    leaps of real tunes are recovered because they end far from the middle: von Hippel and Huron, "Why do skips
    precede reversals?", Music Perception 18, 2000.
    """

    leap: int = 4
    within: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.leap < 1 or self.within < 1:
            msg = f"leap recovery of {self.leap} within {self.within}: expected semitones from 1"
            raise TheoryError(msg)

    @property
    def watches(self) -> Watch:
        """Intervals."""
        return "interval"

    def sees(self, moment: Moment) -> Hashable:
        """Return nothing: intervals are all that counts."""
        return None

    def after(self, memory: int | None, event: Event, moment: Moment) -> tuple[int | None, int]:
        """Remember the direction of the last leap until the next note."""
        if event.interval is None:
            return memory, 0
        recovers = memory is None or 0 < -memory * event.interval <= self.within
        leapt = abs(event.interval) > self.leap
        return (1 if event.interval > 0 else -1) if leapt else None, int(not recovers)

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield each note that does not turn back after a leap."""
        for one, two, three in zip(notes, notes[1:], notes[2:], strict=False):
            leap, back = two.pitch - one.pitch, two.pitch - three.pitch
            is_recovered = 0 < back <= self.within if leap > 0 else 0 < -back <= self.within
            if abs(leap) > self.leap and not is_recovered:
                yield three.onset, f"{pitch_name(three.pitch)} after the leap {_move(one, two)}"

    def words(self) -> str:
        """Return such as ``leaps over 4 semitones turn back by at most 2``."""
        return f"leaps over {self.leap} semitones turn back by at most {self.within}"


@dataclass(frozen=True)
class NoTritoneOutline(RuleWithMemory):
    """The line does not outline a tritone: none lies between two of its turning points in a row.

    The first and the last note count as turning points.

    References
    ----------
    Jeppesen, "Counterpoint", 1939, on the melodic line.
    """

    @property
    def watches(self) -> Watch:
        """Intervals."""
        return "interval"

    def sees(self, moment: Moment) -> Hashable:
        """Return nothing: intervals are all that counts."""
        return None

    def start(self, moments: Sequence[Moment]) -> int:
        """Return the run so far: how far the line has come since it last turned, octaves aside."""
        return 0

    def after(self, memory: int, event: Event, moment: Moment) -> tuple[int, int]:
        """Add to the run, or judge it where the line turns."""
        interval = event.interval
        if event.is_onset and interval is None:
            return 0, 0
        if not interval:  # also a repeated note
            return memory, 0
        if memory * interval >= 0:
            return _within_octave(memory + interval), 0
        return _within_octave(interval), int(_is_tritone(memory))

    def at_end(self, memory: int, last: int | None, moment: Moment) -> int:
        """Judge the last run."""
        return int(_is_tritone(memory))

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield each turning point that lies a tritone from the one before it."""
        distinct = [next(same) for _, same in groupby(notes, key=lambda note: note.pitch)]
        inner = zip(distinct, distinct[1:], distinct[2:], strict=False)
        turns = [b for a, b, c in inner if (b.pitch - a.pitch) * (c.pitch - b.pitch) < 0]
        for before, after in pairwise([*distinct[:1], *turns, *distinct[1:][-1:]]):
            if _is_tritone(after.pitch - before.pitch):
                yield after.onset, f"{_move(before, after)}"

    def words(self) -> str:
        """Return ``no tritone outlined``."""
        return "no tritone outlined"


def _within_octave(semitones: int) -> int:
    """Return the same interval of at most an octave: up stays up, and an octave is no prime."""
    size = (abs(semitones) - 1) % 12 + 1
    return size if semitones > 0 else -size


def _is_tritone(semitones: int) -> bool:
    return semitones % 12 == 6


@dataclass(frozen=True)
class RepeatedNotes(RuleWithMemory):
    """A pitch is struck at most so many times in a row; rests between do not matter.

    Parameters
    ----------
    at_most
        At least 1: then no note is repeated at once.
    """

    at_most: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.at_most < 1:
            msg = f"repeated notes, at most {self.at_most}: expected a number from 1"
            raise TheoryError(msg)

    @property
    def watches(self) -> Watch:
        """Intervals."""
        return "interval"

    def sees(self, moment: Moment) -> Hashable:
        """Return nothing: intervals are all that counts."""
        return None

    def start(self, moments: Sequence[Moment]) -> int:
        """Return how often the last pitch has been struck."""
        return 1

    def after(self, memory: int, event: Event, moment: Moment) -> tuple[int, int]:
        """Count the strokes, up to the last that is permitted."""
        if event.interval is None:
            return memory, 0
        if event.interval != 0:
            return 1, 0
        return min(memory + 1, self.at_most), int(memory == self.at_most)

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield each stroke too many."""
        for pitch, strokes in groupby(notes, key=lambda note: note.pitch):
            for number, note in enumerate(strokes, start=1):
                if number > self.at_most:
                    yield note.onset, f"{pitch_name(pitch)} for time {number} in a row"

    def words(self) -> str:
        """Return such as ``at most 3 times the same note in a row``."""
        return f"at most {self.at_most} times the same note in a row"


def _move(before: LineNote, after: LineNote) -> str:
    return f"{pitch_name(before.pitch)} to {pitch_name(after.pitch)}"
