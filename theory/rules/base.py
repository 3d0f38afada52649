"""What a rule is: predicates on a line, and the place and the event they are asked about.

A :class:`Rule` says of single moments and single steps of a line what it permits. Most rules are a
predicate or two; a :class:`RuleWithMemory` reads the line from left to right, one event at a time, and
remembers what it needs. No rule knows anything of automata: the decoder compiles these very predicates
into its lattice, and :mod:`theory.audit` asks them about finished music.

>>> class OnlyWhiteKeys(Rule):
...     def permits_note(self, pitch, moment, *, is_onset):
...         return pitch % 12 in {0, 2, 4, 5, 7, 9, 11}
>>> rule = OnlyWhiteKeys(cost=2.0)
>>> list(rule.breaches([LineNote(0, 2, 61)], [Moment(1, Fraction(beat), 0) for beat in (1, 2)]))
[(0, 'C#4'), (1, 'C#4')]
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from theory.chord import Chord
from theory.errors import TheoryError
from theory.key import Key
from theory.meter import STRONG_LEVEL, Meter
from theory.pitch import pitch_name

__all__ = ["Event", "LineNote", "Moment", "Rule", "RuleWithMemory", "Watch", "events_of"]

Watch = Literal["rhythm", "interval", "pitch", "all"]
"""What of an event a rule looks at; see :attr:`Rule.watches`."""

_FOUR_FOUR = Meter()


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
    meter
        The metre of the bar.
    quarters
        Length of the step in quarter notes.
    """

    bar: int
    beat: Fraction
    level: int
    key: Key | None = None
    chord: Chord | None = None
    meter: Meter = _FOUR_FOUR
    quarters: Fraction = Fraction(1, 4)

    @property
    def is_strong(self) -> bool:
        """Whether this is a strong beat."""
        return self.level <= STRONG_LEVEL

    @property
    def is_bar_start(self) -> bool:
        """Whether a bar starts here."""
        return self.beat == 1

    @property
    def is_bar_end(self) -> bool:
        """Whether this is the last step of its bar."""
        return _ends_bar(self.beat, self.quarters, self.meter)

    @property
    def quarters_into_bar(self) -> Fraction:
        """Quarter notes since the bar line."""
        return (self.beat - 1) * Fraction(4, self.meter.denominator)

    def __str__(self) -> str:
        """Return the place as people say it."""
        return f"bar {self.bar} beat {float(self.beat):.4g}"


@lru_cache(maxsize=1 << 12)  # asked at every step under every rule on bars, and fractions are slow
def _ends_bar(beat: Fraction, quarters: Fraction, meter: Meter) -> bool:
    return (beat - 1) * Fraction(4, meter.denominator) + quarters >= meter.bar_quarters


class LineNote(NamedTuple):
    """A note of one voice, in steps.

    Parameters
    ----------
    onset
        First step.
    end
        The step after its last.
    pitch
        MIDI pitch.
    """

    onset: int
    end: int
    pitch: int


class Event(NamedTuple):
    """What a line does at a step.

    Parameters
    ----------
    pitch
        What sounds; ``None`` is silence.
    is_onset
        Whether it starts here.
    previous
        The last note that started before this step, sounding or not; ``None`` if there is none.
    """

    pitch: int | None
    is_onset: bool
    previous: int | None

    @property
    def interval(self) -> int | None:
        """Semitones from the note before to the one that starts here; ``None`` if none starts or none was before."""
        if not self.is_onset or self.pitch is None or self.previous is None:
            return None
        return self.pitch - self.previous


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

    @property
    def remembers(self) -> bool:
        """Whether the rule reads the line with a memory; if not, its ``permits_`` predicates say all."""
        return False

    @property
    def watches(self) -> Watch:
        """What of an event the rule looks at, besides its memory: the less, the faster it compiles.

        ``rhythm``: whether a note starts, goes on or none sounds, and whether one was before; ``interval``: that,
        and from the last note to the one that starts; ``pitch``: that of ``rhythm``, and which note sounds;
        ``all``: everything. A rule that asks for the last pitch when the line ends needs ``all``.
        """
        mine, plain = type(self), Rule
        judged = (mine.permits_move, mine.permits_last, mine.after, mine.at_end)
        return "pitch" if judged == (plain.permits_move, plain.permits_last, plain.after, plain.at_end) else "all"

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

    def start(self, moments: Sequence[Moment]) -> Any:
        """Return the memory before the first step of these moments; a hashable value."""
        return None

    def after(self, memory: Any, event: Event, moment: Moment) -> tuple[Any, int]:
        """Return the memory after an event, and how many violations the event is."""
        broken = 0
        if event.pitch is None:
            broken += not self.permits_rest(moment)
        else:
            broken += not self.permits_note(event.pitch, moment, is_onset=event.is_onset)
        if event.interval is not None and event.previous is not None and event.pitch is not None:
            broken += not self.permits_move(event.previous, event.pitch)
        return memory, broken

    def at_end(self, memory: Any, last: int | None, moment: Moment) -> int:
        """Return how many violations it is to end: ``last`` is the last note's pitch, ``moment`` the last step."""
        return int(not (self.permits_no_notes() if last is None else self.permits_last(last, moment)))

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield the step of each violation and what is wrong there.

        Parameters
        ----------
        notes
            In order, none overlapping another.
        moments
            One for each step of the piece.
        """
        for note in notes:
            for step in range(note.onset, note.end):
                if not self.permits_note(note.pitch, moments[step], is_onset=step == note.onset):
                    yield step, pitch_name(note.pitch)
        sounding = {step for note in notes for step in range(note.onset, note.end)}
        for step, moment in enumerate(moments):
            if step not in sounding and not self.permits_rest(moment):
                yield step, "silence"
        for before, after in pairwise(notes):
            if not self.permits_move(before.pitch, after.pitch):
                yield after.onset, f"{pitch_name(before.pitch)} to {pitch_name(after.pitch)}"
        last = len(moments) - 1
        if notes and moments and not self.permits_last(notes[-1].pitch, moments[-1]):
            yield last, f"{pitch_name(notes[-1].pitch)} as the last note"
        if moments and not notes and not self.permits_no_notes():
            yield last, "a line without notes"

    def words(self) -> str:
        """Return what the rule asks, in the user's words."""
        return "anything"

    def __str__(self) -> str:
        """Return the rule in the user's words, and its price where it is only a preference."""
        return self.words() if self.is_law else f"{self.words()} (preferred, {self.cost:g} nats)"


@dataclass(frozen=True)
class RuleWithMemory(Rule):
    """A rule that reads the line from left to right: :meth:`start`, :meth:`after` each event, :meth:`at_end`.

    The fewer different memories there are, the faster it is: a rule should forget what no longer matters.
    :meth:`breaches` runs it over finished music; the rules of this package each say there once more, in
    plain words about whole notes, what they forbid, and the tests hold both to the same answer.
    """

    @property
    def remembers(self) -> bool:
        """A memory it has."""
        return True

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield the step of each violation and what happens there."""
        memory, last = self.start(moments), None
        for step, event in enumerate(events_of(notes, len(moments))):
            memory, broken = self.after(memory, event, moments[step])
            last = event.previous if event.pitch is None else event.pitch
            for _ in range(broken):
                yield step, "silence" if event.pitch is None else pitch_name(event.pitch)
        for _ in range(self.at_end(memory, last, moments[-1]) if moments else 0):
            yield len(moments) - 1, "the end"


def events_of(notes: Sequence[LineNote], n_steps: int) -> Iterator[Event]:
    """Yield what a line does at each step.

    Parameters
    ----------
    notes
        In order, none overlapping another.
    n_steps
        Length of the piece.
    """
    waiting = iter(notes)
    note, following = None, next(waiting, None)
    for step in range(n_steps):
        previous = None if note is None else note.pitch
        is_onset = following is not None and following.onset == step
        if is_onset:
            note, following = following, next(waiting, None)
        sounds = note is not None and step < note.end
        yield Event(note.pitch if note is not None and sounds else None, is_onset, previous)
