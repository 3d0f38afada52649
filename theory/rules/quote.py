"""Rules that quote: locked notes and passages, motifs, repeated bars.

>>> motif = Motif(bar=1, notes="E4:1 D4:1/2 C4:1/2", transposed=True)
>>> moments = [Moment(1, 1 + Fraction(i, 2), 0, quarters=Fraction(1, 2)) for i in range(8)]
>>> list(motif.breaches([LineNote(0, 2, 67), LineNote(2, 3, 65), LineNote(3, 4, 63)], moments))
[]
>>> list(motif.breaches([LineNote(0, 2, 67), LineNote(2, 3, 65), LineNote(3, 4, 64)], moments))
[(3, 'E4 is not in the motif')]
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import NamedTuple

from theory.errors import ParseError, TheoryError
from theory.meter import Meter
from theory.pitch import parse_pitch, pitch_name
from theory.rules.base import Event, LineNote, Moment, Rule, RuleWithMemory, Watch, events_of

__all__ = ["Lock", "Motif", "SameBars"]

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
        object.__setattr__(self, "beat", Fraction(self.beat))
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


class _Quoted(NamedTuple):
    """A note of a motif: where it starts and ends in quarter notes, and its pitch; ``None`` is a rest."""

    start: Fraction
    end: Fraction
    pitch: int | None


_NOTE = re.compile(r"(\S+):(\d+(?:\.\d+|/[1-9]\d*)?)")


@cache
def _read_motif(text: str) -> tuple[_Quoted, ...]:
    """Read ``E4:1 D4:1/2 rest:1/2``: pitches with lengths in quarter notes."""
    found: list[_Quoted] = []
    now = Fraction(0)
    for token in re.finditer(r"\S+", text):
        match = _NOTE.fullmatch(token[0])
        if match is None or not Fraction(match[2]) > 0:
            expected = "pitches with lengths in quarter notes, such as E4:1 D4:1/2 rest:1/2"
            raise ParseError("note of a motif", token[0], expected, token.start() + 1)
        try:
            pitch = None if match[1].lower() in {"r", "rest"} else parse_pitch(match[1])
        except ParseError as error:
            raise error.shifted(token.start()) from None
        found.append(_Quoted(now, now + Fraction(match[2]), pitch))
        now = found[-1].end
    if not any(note.pitch is not None for note in found):
        raise ParseError("motif", text, "at least one note, such as E4:1")
    return tuple(found)


class _Place(NamedTuple):
    """A place in a motif: quarter notes from its start, negative before it, and the note there.

    ``first`` is the pitch of the first note that sounds, if it starts here.
    """

    offset: Fraction
    note: _Quoted | None
    first: int | None
    is_end: bool
    is_outside: bool


@lru_cache(maxsize=1 << 14)  # asked at every step of every line, and fractions are slow
def _place_in(motif: str, bar: int, beat: Fraction, to_bar: int, to_beat: Fraction, meter: Meter) -> _Place:
    """Return the place in a motif that starts at a bar and a beat; all bars between are of one metre."""
    notes = _read_motif(motif)
    offset = (to_bar - bar) * meter.bar_quarters + (to_beat - beat) * Fraction(4, meter.denominator)
    note = next((note for note in notes if note.start <= offset < note.end), None)
    opening = next(note for note in notes if note.pitch is not None)
    first = opening.pitch if offset == opening.start else None
    return _Place(offset, note, first, offset == notes[-1].end, not 0 <= offset <= notes[-1].end)


@dataclass(frozen=True)
class Motif(RuleWithMemory):
    """A passage that is given: note for note, or in any transposition.

    Parameters
    ----------
    bar, beat
        Where it starts, both counted from 1. It may go on into bars of the same metre.
    notes
        Pitches and their lengths in quarter notes, such as ``E4:1 D4:1/2 rest:1/2``.
    transposed
        Whether any transposition will do; if not, the passage is locked as it stands.
    """

    bar: int = 1
    beat: Fraction = Fraction(1)
    notes: str = "C4:1"
    transposed: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "beat", Fraction(self.beat))
        _read_motif(self.notes)
        if self.bar < 1 or self.beat < 1:
            msg = f"{self}: expected a bar and a beat from 1"
            raise TheoryError(msg)

    @property
    def remembers(self) -> bool:
        """How far it is transposed, if it may be."""
        return self.transposed

    @property
    def watches(self) -> Watch:
        """Pitches."""
        return "pitch"

    def _place(self, moment: Moment) -> _Place:
        return _place_in(self.notes, self.bar, self.beat, moment.bar, moment.beat, moment.meter)

    def _offset(self, moment: Moment) -> Fraction:
        """Return the quarter notes from the start of the motif to a step; negative before it."""
        return self._place(moment).offset

    def sees(self, moment: Moment) -> Hashable:
        """Return the place in the motif; ``None`` outside it."""
        place = self._place(moment)
        return None if place.is_outside else place.offset

    def has_place(self, moments: Sequence[Moment]) -> bool:
        """Whether the piece holds all of it, each of its notes starting and ending where steps do."""
        starts = {self._offset(moment) for moment in moments}
        ends = {self._offset(moment) + moment.quarters for moment in moments}
        motif = _read_motif(self.notes)
        return all(note.start in starts for note in motif) and motif[-1].end in ends

    def _is_quoted(self, event: Event, place: _Place, shift: int) -> bool:
        """Whether an event is what the motif has at a place, transposed by ``shift``."""
        note = place.note
        if note is None:  # after the end the last note must not be held on
            return not place.is_end or event.is_onset or event.pitch is None or not self._ends_sounding()
        if note.pitch is None or event.pitch is None:
            return note.pitch is None and event.pitch is None
        return event.pitch == note.pitch + shift and event.is_onset == (place.offset == note.start)

    def _ends_sounding(self) -> bool:
        return _read_motif(self.notes)[-1].pitch is not None

    def start(self, moments: Sequence[Moment]) -> str | None:
        """Return nothing, or that there is no place for the motif, which is all there is to say then."""
        return None if self.has_place(moments) else "nowhere"

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether the motif, as it stands, has this note here."""
        return self.transposed or self._is_quoted(Event(pitch, is_onset, None), self._place(moment), 0)

    def permits_rest(self, moment: Moment) -> bool:
        """Whether the motif, as it stands, is silent here."""
        return self.transposed or self._is_quoted(Event(None, False, None), self._place(moment), 0)

    def after(self, memory: int | str | None, event: Event, moment: Moment) -> tuple[int | str | None, int]:
        """Remember how far the motif is transposed; a motif that is broken is broken once."""
        if not self.transposed:
            return super().after(memory, event, moment)
        place = self._place(moment)
        if memory == "nowhere" or place.is_outside:
            return memory if memory == "nowhere" else None, 0
        if isinstance(memory, str):
            return (None if place.is_end else memory), 0
        if memory is None and event.pitch is not None and place.first is not None:
            memory = event.pitch - place.first
        if not self._is_quoted(event, place, memory or 0):
            return (None if place.is_end else "broken"), 1
        return (None if place.is_end else memory), 0

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield each wrong step of a locked passage; where a transposed motif is first broken."""
        if not self.transposed:
            yield from Rule.breaches(self, notes, moments)
            return
        motif = [note for note in _read_motif(self.notes) if note.pitch is not None]
        place = {self._offset(moment): step for step, moment in enumerate(moments)}
        if not self.has_place(moments):
            return
        start, end = place[Fraction(0)], 1 + max(step for at, step in place.items() if at < motif[-1].end)
        expected = {place[note.start]: note for note in motif}
        sung = {note.onset: note for note in notes if note.onset < end and note.end > start}
        shift = next((note.pitch - (expected[step].pitch or 0) for step, note in sung.items() if step in expected), 0)
        wanted = {
            step: (shift + (note.pitch or 0), max(s for at, s in place.items() if at < note.end) + 1)
            for step, note in expected.items()
        }
        heard = {step: (note.pitch, note.end) for step, note in sung.items()}
        if wanted != heard:
            wrong = min(step for step in wanted.keys() | heard.keys() if wanted.get(step) != heard.get(step))
            name = pitch_name(heard[wrong][0]) if wrong in heard else "silence"
            yield max(wrong, start), f"{name} is not in the motif"

    def words(self) -> str:
        """Return such as ``motif E4:1 D4:1 at bar 2 beat 1``."""
        return f"motif {self.notes} at bar {self.bar} beat {self.beat}{' in any transposition' * self.transposed}"


@dataclass(frozen=True)
class SameBars(RuleWithMemory):
    """Bars that come back note for note, with no note held into either passage.

    Parameters
    ----------
    bar
        The first bar of the repeat, counted from 1.
    like
        The first bar of what is repeated, before it.
    n_bars
        How many bars come back.
    """

    bar: int = 5
    like: int = 1
    n_bars: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.like < 1 or self.n_bars < 1 or self.bar < self.like + self.n_bars:
            msg = f"{self}: expected a bar from 1, as many bars from it on, and the repeat after them"
            raise TheoryError(msg)

    def passages(self, moments: Sequence[Moment]) -> tuple[range, range]:
        """Return the steps of what is repeated and those of the repeat."""
        steps = []
        for first in (self.like, self.bar):
            inside = [i for i, moment in enumerate(moments) if first <= moment.bar < first + self.n_bars]
            steps.append(range(inside[0], inside[-1] + 1) if inside else range(0))
        return steps[0], steps[1]

    def has_place(self, moments: Sequence[Moment]) -> bool:
        """Whether both passages are there, whole and of one length."""
        like, again = self.passages(moments)
        return bool(like) and len(like) == len(again) and moments[again[-1]].bar == self.bar + self.n_bars - 1

    def start(self, moments: Sequence[Moment]) -> tuple[Hashable, ...]:
        """Return what has been sung of the passage, and what is still to come back."""
        return ()

    def sees(self, moment: Moment) -> Hashable:
        """Return which passage it is, and where it starts."""
        for first in (self.like, self.bar):
            if first <= moment.bar < first + self.n_bars:
                return first, moment.bar == first and moment.is_bar_start
        return moment.bar < self.bar

    def after(self, memory: tuple[Event, ...], event: Event, moment: Moment) -> tuple[tuple[Event, ...], int]:
        """Write down the passage; compare the repeat with it, step by step."""
        seen = self.sees(moment)
        held_in = event.pitch is not None and not event.is_onset
        plain = Event(event.pitch, event.is_onset, None)
        if seen == (self.like, True) or seen == (self.like, False):
            return (*memory, plain), int(seen == (self.like, True) and held_in)
        if not isinstance(seen, tuple):
            return (memory if seen else ()), 0
        broken = bool(memory) and memory[0] != plain
        return memory[1:], int(broken or (bool(seen[1]) and held_in))

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield each step that differs, and notes held into a passage."""
        like, again = self.passages(moments)
        heard = [(event.pitch, event.is_onset) for event in events_of(notes, len(moments))]
        if like and heard[like[0]][0] is not None and not heard[like[0]][1]:
            yield like[0], "a note held into the passage"
        for before, now in zip(like, again, strict=False):
            held_in = now == again[0] and heard[now][0] is not None and not heard[now][1]
            if heard[before] != heard[now] or held_in:
                pitch = heard[now][0]
                yield now, "silence" if pitch is None else pitch_name(pitch)

    def words(self) -> str:
        """Return such as ``bars 5 to 6 like bars 1 to 2``."""
        if self.n_bars == 1:
            return f"bar {self.bar} like bar {self.like}"
        return f"bars {self.bar} to {self.bar + self.n_bars - 1} like bars {self.like} to {self.like + self.n_bars - 1}"
