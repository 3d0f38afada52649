"""Rules on the line as a whole: how it starts, rises, culminates and closes.

>>> from theory.key import Key
>>> moments = [Moment(1, Fraction(1 + i), 0, Key.parse("G")) for i in range(3)]
>>> notes = [LineNote(i, i + 1, pitch) for i, pitch in enumerate((67, 71, 69))]
>>> list(EndOn(degrees=(1, 3)).breaches(notes, moments)), list(ClimaxOnce().breaches(notes, moments))
([(2, 'A4 as the last note')], [])
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType

from theory.errors import ParseError, TheoryError
from theory.pitch import pitch_name
from theory.rules.base import Event, LineNote, Moment, Rule, RuleWithMemory, Watch

__all__ = ["Cadence", "ClimaxOnce", "Contour", "EndOn", "PassThrough", "StartOn"]


@dataclass(frozen=True)
class _Ending(Rule):
    """Pitch classes, named as such or as degrees of the key in force.

    Parameters
    ----------
    pitch_classes
        Each 0 to 11.
    degrees
        Of the key's scale, from 1; where no key is known they permit every note. The first if nothing is named.
    """

    pitch_classes: frozenset[int] = frozenset()
    degrees: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "pitch_classes", frozenset(self.pitch_classes))
        object.__setattr__(self, "degrees", tuple(self.degrees) or (() if self.pitch_classes else (1,)))
        if not self.pitch_classes <= frozenset(range(12)) or bool(self.pitch_classes) == bool(self.degrees):
            named = (
                self.words() if self.pitch_classes <= frozenset(range(12)) else f"end on {sorted(self.pitch_classes)}"
            )
            msg = f"{named}: expected pitch classes from 0 to 11, or else degrees"
            raise TheoryError(msg)
        if any(not 1 <= degree <= 12 for degree in self.degrees):
            msg = f"degrees {self.degrees}: expected numbers from 1"
            raise TheoryError(msg)

    def _has(self, pitch: int, moment: Moment) -> bool:
        if not self.degrees:
            return pitch % 12 in self.pitch_classes
        return moment.key is None or pitch % 12 in _degree_classes(self.degrees, moment)

    def _names(self) -> str:
        if not self.pitch_classes:
            return f"degree {' or '.join(map(str, self.degrees))}"
        return " or ".join(pitch_name(60 + pc)[:-1] for pc in sorted(self.pitch_classes))


def _degree_classes(degrees: Sequence[int], moment: Moment) -> set[int]:
    """Return the pitch classes of degrees of the key, where there is one; a scale lacks what it has no degree for."""
    if moment.key is None:
        return set()
    scale, tonic = moment.key.semitones, moment.key.tonic.pitch_class
    return {(tonic + scale[degree - 1]) % 12 for degree in degrees if degree <= len(scale)}


@dataclass(frozen=True)
class StartOn(_Ending, RuleWithMemory):
    """The first note of the line is one of some pitch classes, or of some degrees of the key where it starts."""

    @property
    def watches(self) -> Watch:
        """Pitches."""
        return "pitch"

    def sees(self, moment: Moment) -> Hashable:
        """Return the key where degrees are asked for."""
        return moment.key if self.degrees else None

    def after(self, memory: None, event: Event, moment: Moment) -> tuple[None, int]:
        """Judge the first note."""
        is_first = event.is_onset and event.previous is None and event.pitch is not None
        return None, int(is_first and not self._has(event.pitch or 0, moment))

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield the first note if it is another, and the want of one."""
        if moments and not notes:
            yield len(moments) - 1, "a line without notes"
        for note in notes[:1]:
            if not self._has(note.pitch, moments[note.onset]):
                yield note.onset, f"{pitch_name(note.pitch)} as the first note"

    def permits_no_notes(self) -> bool:
        """Without a note there is no first one."""
        return False

    def words(self) -> str:
        """Return such as ``start on degree 1 or 5``."""
        return f"start on {self._names()}"


@dataclass(frozen=True)
class EndOn(_Ending):
    """The last note of the line is one of some pitch classes, or of some degrees of the key at the end."""

    def sees(self, moment: Moment) -> Hashable:
        """Return the key where degrees are asked for."""
        return moment.key if self.degrees else None

    def permits_last(self, pitch: int, moment: Moment) -> bool:
        """Whether the last pitch is one of those named."""
        return self._has(pitch, moment)

    def permits_no_notes(self) -> bool:
        """Without a note there is no last one."""
        return False

    def words(self) -> str:
        """Return such as ``end on C``."""
        return f"end on {self._names()}"


_CADENCES = MappingProxyType({"authentic": (1,), "imperfect": (3, 5), "half": (2, 5, 7), "open": (2, 3, 5, 7)})
"""Melodic cadences: the degrees of the key on which each comes to rest."""


@dataclass(frozen=True)
class Cadence(RuleWithMemory):
    """The line comes to rest in a bar: on a strong beat of it a note of the cadence starts, and no other note after.

    The note may be held or fall silent to the end of the bar. Where no key is known any note will do.

    Parameters
    ----------
    bar
        Counted from 1.
    kind
        ``authentic`` rests on the tonic, ``imperfect`` on the third or fifth, ``half`` on a tone of the dominant,
        ``open`` on any but the tonic.
    by_step
        Whether it is reached by step, as a tonic is from the second degree or the leading tone.
    """

    bar: int = 4
    kind: str = "authentic"
    by_step: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in _CADENCES:
            raise ParseError("cadence", self.kind, f"one of {', '.join(_CADENCES)}")
        if self.bar < 1:
            msg = f"cadence at bar {self.bar}: expected a bar from 1"
            raise TheoryError(msg)

    def has_place(self, moments: Sequence[Moment]) -> bool:
        """Whether there is such a bar."""
        return any(moment.bar == self.bar for moment in moments)

    @property
    def watches(self) -> Watch:
        """Pitches, and how they are reached."""
        return "all" if self.by_step else "pitch"

    def sees(self, moment: Moment) -> Hashable:
        """Return, within the bar, what decides."""
        if moment.bar != self.bar:
            return None
        return moment.is_strong, moment.is_bar_start, moment.is_bar_end, moment.key

    def start(self, moments: Sequence[Moment]) -> bool:
        """Return whether the line has come to rest."""
        return False

    def after(self, memory: bool, event: Event, moment: Moment) -> tuple[bool, int]:
        """Remember whether the last note that started in the bar is one to rest on."""
        if moment.bar != self.bar:
            return False, 0
        rests = memory and not moment.is_bar_start
        if event.is_onset and event.pitch is not None:
            rests = self._rests_on(event.pitch, event.previous, moment)
        return (False, int(not rests)) if moment.is_bar_end else (rests, 0)

    def at_end(self, memory: bool, last: int | None, moment: Moment) -> int:
        """Judge a last bar that is not whole."""
        return int(moment.bar == self.bar and not moment.is_bar_end and not memory)

    def _rests_on(self, pitch: int, previous: int | None, moment: Moment) -> bool:
        fits = moment.key is None or pitch % 12 in _degree_classes(_CADENCES[self.kind], moment)
        near = previous is not None and 1 <= abs(pitch - previous) <= 2
        return moment.is_strong and fits and (near or not self.by_step)

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield the end of the bar where the line does not rest."""
        steps = [step for step, moment in enumerate(moments) if moment.bar == self.bar]
        if not steps:
            return
        before = [note for note in notes if note.onset < steps[0]]
        inside = [note for note in notes if note.onset in steps]
        if not inside:
            yield steps[-1], "no note starts in the bar"
            return
        last, previous = inside[-1], [*before, *inside][-2:-1]
        if not self._rests_on(last.pitch, previous[0].pitch if previous else None, moments[last.onset]):
            yield steps[-1], f"{pitch_name(last.pitch)} at {moments[last.onset]}"

    def words(self) -> str:
        """Return such as ``authentic cadence at bar 4``."""
        return f"{self.kind} cadence at bar {self.bar}{' reached by step' * self.by_step}"


@dataclass(frozen=True)
class ClimaxOnce(RuleWithMemory):
    """The highest pitch of the line is struck once.

    Parameters
    ----------
    from_bar, to_bar
        The bars in which it must be; 0 leaves that end open.
    """

    from_bar: int = 0
    to_bar: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.from_bar < 0 or self.to_bar < 0 or 0 < self.to_bar < self.from_bar:
            msg = f"climax in bars {self.from_bar} to {self.to_bar}: expected two bars from 1, or 0 for any"
            raise TheoryError(msg)

    @property
    def watches(self) -> Watch:
        """Pitches."""
        return "pitch"

    def _is_inside(self, moment: Moment) -> bool:
        return moment.bar >= self.from_bar and (not self.to_bar or moment.bar <= self.to_bar)

    def sees(self, moment: Moment) -> Hashable:
        """Return whether the climax may be here."""
        return self._is_inside(moment)

    def after(
        self, memory: tuple[int, bool] | None, event: Event, moment: Moment
    ) -> tuple[tuple[int, bool] | None, int]:
        """Remember the highest pitch so far, and whether it stands where it may and alone."""
        if not event.is_onset or event.pitch is None:
            return memory, 0
        if memory is None or event.pitch > memory[0]:
            return (event.pitch, self._is_inside(moment)), 0
        return (memory[0], memory[1] and event.pitch < memory[0]), 0

    def at_end(self, memory: tuple[int, bool] | None, last: int | None, moment: Moment) -> int:
        """Judge the highest pitch."""
        return int(memory is not None and not memory[1])

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield the last step if the highest pitch comes twice or elsewhere."""
        top = max((note.pitch for note in notes), default=0)
        highest = [note for note in notes if note.pitch == top]
        if len(highest) > 1 or not all(self._is_inside(moments[note.onset]) for note in highest):
            yield len(moments) - 1, f"the highest note {pitch_name(top)}, {len(highest)} times"

    def words(self) -> str:
        """Return such as ``climax once, in bars 5 to 7``."""
        places = {
            (True, True): f", in bars {self.from_bar} to {self.to_bar}",
            (True, False): f", from bar {self.from_bar}",
        }
        places |= {(False, True): f", up to bar {self.to_bar}", (False, False): ""}
        return f"climax once{places[self.from_bar > 0, self.to_bar > 0]}"


_SHAPES = ("rising", "falling", "arch", "valley")


@dataclass(frozen=True)
class Contour(RuleWithMemory):
    """The notes with which the bars begin make a shape.

    What counts is the first note to start in each bar; a bar in which none does counts for nothing.

    Parameters
    ----------
    shape
        ``rising``: none of them is lower than the one before, and the last is higher than the first. ``falling``:
        the same downwards. ``arch``: first rising, then falling. ``valley``: first falling, then rising.
    """

    shape: str = "arch"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shape not in _SHAPES:
            raise ParseError("contour", self.shape, f"one of {', '.join(_SHAPES)}")

    @property
    def watches(self) -> Watch:
        """Pitches."""
        return "pitch"

    def has_place(self, moments: Sequence[Moment]) -> bool:
        """Whether there are bars enough for the shape: one more than it has legs."""
        return len({moment.bar for moment in moments}) > len(self._directions())

    def sees(self, moment: Moment) -> Hashable:
        """Return whether a bar starts."""
        return moment.is_bar_start

    def start(self, moments: Sequence[Moment]) -> tuple[int | None, int, bool]:
        """Return the last first note, how many legs of the shape have begun, and whether this bar has its note."""
        return None, 0, False

    def after(
        self, memory: tuple[int | None, int, bool], event: Event, moment: Moment
    ) -> tuple[tuple[int | None, int, bool], int]:
        """Compare the first note of each bar with that of the bar before."""
        before, legs, has_note = memory
        has_note = has_note and not moment.is_bar_start
        if has_note or not event.is_onset or event.pitch is None:
            return (before, legs, has_note), 0
        turn = 0 if before is None else _sign(event.pitch - before)
        legs, broken = self._walk(legs, turn)
        return (event.pitch, legs, True), int(broken)

    def _walk(self, legs: int, turn: int) -> tuple[int, bool]:
        """Return how many legs have begun after a turn (1 up, -1 down, 0 neither), and whether it breaks the shape."""
        directions = self._directions()
        if turn == 0 or (legs and turn == directions[legs - 1]):
            return legs, False
        if legs < len(directions) and turn == directions[legs]:
            return legs + 1, False
        return legs, True

    def _directions(self) -> tuple[int, ...]:
        return {"rising": (1,), "falling": (-1,), "arch": (1, -1), "valley": (-1, 1)}[self.shape]

    def at_end(self, memory: tuple[int | None, int, bool], last: int | None, moment: Moment) -> int:
        """Every leg of the shape must have been walked."""
        return int(memory[1] < len(self._directions()))

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield each first note that breaks the shape, and the end of a line that has not completed it."""
        firsts: dict[int, LineNote] = {}
        for note in notes:
            firsts.setdefault(moments[note.onset].bar, note)
        directions, legs = list(self._directions()), 0
        for before, after in pairwise(firsts.values()):
            turn = _sign(after.pitch - before.pitch)
            if turn in directions[legs : legs + 1]:
                legs += 1
            elif turn and turn not in directions[max(legs - 1, 0) : legs]:
                yield after.onset, f"{pitch_name(before.pitch)} to {pitch_name(after.pitch)}"
        if moments and legs < len(directions):
            yield len(moments) - 1, "the shape is not complete"

    def words(self) -> str:
        """Return such as ``contour arch``."""
        return f"contour {self.shape}"


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


@dataclass(frozen=True)
class PassThrough(Rule):
    """A point of the contour: what sounds at a place lies near a pitch.

    Parameters
    ----------
    bar, beat
        Where, both counted from 1.
    pitch
        MIDI pitch.
    within
        How many semitones away it may be.
    """

    bar: int = 1
    beat: Fraction = Fraction(1)
    pitch: int = 60
    within: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "beat", Fraction(self.beat))
        if self.bar < 1 or self.beat < 1 or not 0 <= self.pitch <= 127 or self.within < 0:
            msg = f"{self}: expected a bar and a beat from 1, a pitch from 0 to 127, a distance from 0"
            raise TheoryError(msg)

    def _is_here(self, moment: Moment) -> bool:
        return moment.bar == self.bar and moment.beat == self.beat

    def has_place(self, moments: Sequence[Moment]) -> bool:
        """Whether the place is one of the moments."""
        return any(self._is_here(moment) for moment in moments)

    def sees(self, moment: Moment) -> Hashable:
        """Return whether this is the place."""
        return self._is_here(moment)

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether this is another place, or the pitch is near."""
        return not self._is_here(moment) or abs(pitch - self.pitch) <= self.within

    def permits_rest(self, moment: Moment) -> bool:
        """Whether this is another place."""
        return not self._is_here(moment)

    def words(self) -> str:
        """Return such as ``through C5 (2 semitones either way) at bar 3 beat 1``."""
        return (
            f"through {pitch_name(self.pitch)} ({self.within} semitones either way) at bar {self.bar} beat {self.beat}"
        )
