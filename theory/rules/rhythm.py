"""Rules on when notes start and how long they last.

>>> rule = Rhythm("x-x. x---")  # eighths in a bar of 4/4: what follows a bar line or a space goes on in the same bar
>>> [rule.permits_note(60, Moment(1, beat, 0), is_onset=True) for beat in (Fraction(1), Fraction(3, 2), Fraction(2))]
[True, False, True]
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory.errors import ParseError, TheoryError
from theory.rules.base import Event, LineNote, Moment, Rule, RuleWithMemory, Watch

__all__ = ["Density", "NoteLength", "Rhythm"]


@dataclass(frozen=True)
class Density(RuleWithMemory):
    """So many notes start in each bar.

    Parameters
    ----------
    fewest, most
        Both included.
    """

    fewest: int = 0
    most: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.fewest <= self.most:
            msg = f"density {self.fewest} to {self.most}: expected 0 <= fewest <= most"
            raise TheoryError(msg)

    @property
    def watches(self) -> Watch:
        """Rhythm."""
        return "rhythm"

    def sees(self, moment: Moment) -> Hashable:
        """Return whether a bar starts or ends."""
        return moment.is_bar_start, moment.is_bar_end

    def start(self, moments: Sequence[Moment]) -> int:
        """Return the notes of the bar so far."""
        return 0

    def after(self, memory: int, event: Event, moment: Moment) -> tuple[int, int]:
        """Count the onsets; judge at the end of the bar."""
        count = (0 if moment.is_bar_start else memory) + event.is_onset
        if moment.is_bar_end:
            return 0, int(not self.fewest <= count <= self.most)
        return min(count, self.most + 1), 0

    def at_end(self, memory: int, last: int | None, moment: Moment) -> int:
        """Judge a last bar that is not whole."""
        return int(not moment.is_bar_end and not self.fewest <= memory <= self.most)

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield the last step of each bar with too few or too many notes."""
        for bar in sorted({moment.bar for moment in moments}):
            steps = [step for step, moment in enumerate(moments) if moment.bar == bar]
            count = sum(note.onset in steps for note in notes)
            if not self.fewest <= count <= self.most:
                yield steps[-1], f"{count} note{'' if count == 1 else 's'} in the bar"

    def words(self) -> str:
        """Return such as ``2 to 6 notes a bar``."""
        return f"{self.fewest} to {self.most} notes a bar"


@dataclass(frozen=True)
class NoteLength(RuleWithMemory):
    """Every note lasts at least so long and at most so long.

    Parameters
    ----------
    shortest, longest
        In quarter notes, both included; 0.5 is an eighth, 1/3 an eighth of a triplet. No longest one is no limit.
    """

    shortest: Fraction = Fraction(0)
    longest: Fraction | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "shortest", Fraction(self.shortest))
        object.__setattr__(self, "longest", None if self.longest is None else Fraction(self.longest))
        if self.shortest < 0 or (self.longest is not None and self.longest < max(self.shortest, _TINY)):
            msg = f"note length {self.shortest} to {self.longest} quarters: expected 0 <= shortest <= longest"
            raise TheoryError(msg)

    @property
    def watches(self) -> Watch:
        """Rhythm."""
        return "rhythm"

    def sees(self, moment: Moment) -> Hashable:
        """Return the length of the step."""
        return moment.quarters

    def after(self, memory: Fraction | None, event: Event, moment: Moment) -> tuple[Fraction | None, int]:
        """Remember how long the note has sounded, as far as that matters; ``None`` while none does."""
        if event.pitch is not None and not event.is_onset:
            before = Fraction(0) if memory is None else memory
            held = self._as_far_as_it_matters(before + moment.quarters)
            return held, int(self._is_too_long(held) and not self._is_too_long(before))
        broken = int(memory is not None and memory < self.shortest)
        if not event.is_onset:
            return None, broken
        return self._as_far_as_it_matters(moment.quarters), broken + self._is_too_long(moment.quarters)

    def _as_far_as_it_matters(self, held: Fraction) -> Fraction:
        """Return the length, or one that stands for all that are judged alike."""
        if self.longest is None:
            return min(held, self.shortest)
        return self.longest + 1 if self._is_too_long(held) else held

    def _is_too_long(self, held: Fraction) -> bool:
        return self.longest is not None and held > self.longest

    def at_end(self, memory: Fraction | None, last: int | None, moment: Moment) -> int:
        """Judge the note that sounds at the end."""
        return int(memory is not None and memory < self.shortest)

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield the onset of each note that is too short or too long."""
        for note in notes:
            length = sum((moments[step].quarters for step in range(note.onset, note.end)), Fraction(0))
            if length < self.shortest or self._is_too_long(length):
                yield note.onset, f"a note of {length} quarter notes"

    def words(self) -> str:
        """Return such as ``notes of 1/2 to 4 quarter notes``."""
        if self.longest is None:
            return f"notes of at least {self.shortest} quarter notes"
        if not self.shortest:
            return f"notes of at most {self.longest} quarter notes"
        return f"notes of {self.shortest} to {self.longest} quarter notes"


_TINY = Fraction(1, 1000)
_SIGNS = {"x": "an onset", "-": "a held note", ".": "silence", "?": "anything", "~": "no onset"}


@dataclass(frozen=True)
class Rhythm(Rule):
    """The rhythm of every bar is given.

    Parameters
    ----------
    pattern
        A sign for each of some equal parts of the bar: ``x`` a note starts, ``-`` it is held, ``.`` silence, ``~``
        either of these two, ``?`` anything. Spaces are for the eye. A sign holds for all of its part: after an ``x``
        the note is held to the part's end.
    """

    pattern: str = "x-x-x-x-"

    def __post_init__(self) -> None:
        super().__post_init__()
        signs = self.pattern.replace(" ", "")
        wrong = next((sign for sign in signs if sign not in _SIGNS), None)
        if not signs or wrong is not None:
            expected = ", ".join(f"{sign} {meaning}" for sign, meaning in _SIGNS.items())
            raise ParseError("rhythm", wrong or "", expected, 1 + (self.pattern.find(wrong) if wrong else 0))

    @property
    def watches(self) -> Watch:
        """Rhythm."""
        return "rhythm"

    def _sign(self, moment: Moment) -> tuple[str, bool]:
        """Return the sign of the part a step lies in, and whether the part starts with it."""
        signs = self.pattern.replace(" ", "")
        place = moment.quarters_into_bar * len(signs) / moment.meter.bar_quarters
        part = int(place)
        before = int((moment.quarters_into_bar - moment.quarters) * len(signs) // moment.meter.bar_quarters)
        return signs[part], place == part or before < part

    def sees(self, moment: Moment) -> Hashable:
        """Return the sign in force."""
        return self._sign(moment)

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether the sign lets a note start, or go on."""
        sign, is_first = self._sign(moment)
        if sign == "x":
            return is_onset == is_first
        return sign == "?" or (sign in "-~" and not is_onset)

    def permits_rest(self, moment: Moment) -> bool:
        """Whether the sign lets it be silent."""
        return self._sign(moment)[0] in ".~?"

    def words(self) -> str:
        """Return such as ``rhythm x-x. x---``."""
        return f"rhythm {self.pattern}"
