"""Rules on stretches of notes, whatever their lengths: figures that must be there, melodies not to be copied.

>>> rule = NoQuotes(melodies=("C4 D4 E4 F4",), n=3)
>>> notes = [LineNote(i, i + 1, pitch) for i, pitch in enumerate([67, 69, 71, 67])]
>>> list(rule.breaches(notes, []))
[(2, 'G4 A4 B4')]
>>> list(Contains(figure="B4 G4").breaches(notes, []))
[]
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from theory.errors import ParseError, TheoryError
from theory.pitch import parse_pitch, pitch_name
from theory.rules.base import Event, LineNote, Moment, RuleWithMemory, Watch

__all__ = ["Contains", "NoQuotes"]


@cache
def _melody(text: str) -> tuple[int, ...]:
    """Read the pitches of a melody, such as ``C4 D4 E4``."""
    pitches = []
    for token in re.finditer(r"\S+", text):
        try:
            pitches.append(parse_pitch(token[0]))
        except ParseError as error:
            raise error.shifted(token.start()) from None
    return tuple(pitches)


def _letters(pitches: Sequence[int], by: str) -> tuple[int, ...]:
    return tuple(pitches) if by == "pitch" else tuple(b - a for a, b in pairwise(pitches))


@cache
def _beginnings(melodies: tuple[str, ...], n: int, by: str) -> frozenset[tuple[int, ...]]:
    """Return every beginning of every stretch of ``n`` notes, whole ones included."""
    found: set[tuple[int, ...]] = set()
    for melody in melodies:
        pitches = _melody(melody)
        for start in range(len(pitches) - n + 1):
            letters = _letters(pitches[start : start + n], by)
            found.update(letters[:length] for length in range(len(letters) + 1))
    return frozenset(found)


def _extended(memory: tuple[int, ...], letter: int, known: frozenset[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the longest end of what was sung that begins something known."""
    sung = (*memory, letter)
    return next((sung[i:] for i in range(len(sung)) if sung[i:] in known), ())


def _check_by(by: str) -> None:
    if by not in ("interval", "pitch"):
        raise ParseError("way to compare", by, "interval (in any transposition) or pitch")


@dataclass(frozen=True)
class NoQuotes(RuleWithMemory):
    """No stretch of so many notes stands in one of some melodies: nothing is copied.

    Parameters
    ----------
    melodies
        Pitches as text, such as ``C4 D4 E4 C4``.
    n
        The shortest stretch that counts, in notes.
    by
        ``interval`` finds it in any transposition, ``pitch`` only as it stands.
    """

    melodies: tuple[str, ...] = ()
    n: int = 6
    by: str = "interval"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "melodies", tuple(self.melodies))
        _check_by(self.by)
        if self.n < 2:
            msg = f"quotes of {self.n} notes: expected at least 2"
            raise TheoryError(msg)
        _beginnings(self.melodies, self.n, self.by)

    @property
    def watches(self) -> Watch:
        """Intervals or pitches."""
        return "interval" if self.by == "interval" else "pitch"

    def sees(self, moment: Moment) -> Hashable:
        """Return nothing: a quote is one anywhere."""
        return None

    def start(self, moments: Sequence[Moment]) -> tuple[int, ...]:
        """Return what has been sung, as far as it begins a quote."""
        return ()

    def after(self, memory: tuple[int, ...], event: Event, moment: Moment) -> tuple[tuple[int, ...], int]:
        """Add a note, and judge whether it completes a quote."""
        letter = event.interval if self.by == "interval" else event.pitch if event.is_onset else None
        if letter is None:
            return memory, 0
        known = _beginnings(self.melodies, self.n, self.by)
        sung = _extended(memory, letter, known)
        if len(sung) < len(_letters(range(self.n), self.by)):
            return sung, 0
        return next((sung[i:] for i in range(1, len(sung) + 1) if sung[i:] in known), ()), 1

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield the last note of each quote."""
        forbidden = {
            _letters(pitches[i : i + self.n], self.by)
            for pitches in map(_melody, self.melodies)
            for i in range(len(pitches) - self.n + 1)
        }
        for end in range(self.n, len(notes) + 1):
            stretch = notes[end - self.n : end]
            if _letters([note.pitch for note in stretch], self.by) in forbidden:
                yield stretch[-1].onset, " ".join(pitch_name(note.pitch) for note in stretch)

    def words(self) -> str:
        """Return such as ``no 6 notes of 12 melodies``."""
        count = len(self.melodies)
        return f"no {self.n} notes of {count} melod{'y' if count == 1 else 'ies'}, by {self.by}"


@dataclass(frozen=True)
class Contains(RuleWithMemory):
    """The line has some figure in it, at least once.

    Parameters
    ----------
    figure
        Pitches as text, such as ``C4 E4 G4``; at least two of them.
    by
        ``interval`` is content with any transposition, ``pitch`` asks for the notes as they stand.
    """

    figure: str = "C4 E4 G4"
    by: str = "interval"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_by(self.by)
        if len(_melody(self.figure)) < 2:
            raise ParseError("figure", self.figure, "at least two pitches, such as C4 E4 G4")

    @property
    def watches(self) -> Watch:
        """Intervals or pitches."""
        return "interval" if self.by == "interval" else "pitch"

    def sees(self, moment: Moment) -> Hashable:
        """Return nothing: anywhere will do."""
        return None

    def start(self, moments: Sequence[Moment]) -> tuple[int, ...] | None:
        """Return what has been sung of the figure; ``None`` once it is there."""
        return ()

    def after(self, memory: tuple[int, ...] | None, event: Event, moment: Moment) -> tuple[tuple[int, ...] | None, int]:
        """Add a note."""
        letter = event.interval if self.by == "interval" else event.pitch if event.is_onset else None
        if memory is None or letter is None:
            return memory, 0
        figure = _letters(_melody(self.figure), self.by)
        sung = _extended(memory, letter, frozenset(figure[:i] for i in range(len(figure) + 1)))
        return (None if sung == figure else sung), 0

    def at_end(self, memory: tuple[int, ...] | None, last: int | None, moment: Moment) -> int:
        """Judge whether it was there."""
        return int(memory is not None)

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield the last step if no stretch of the line is the figure."""
        figure, pitches = _melody(self.figure), [note.pitch for note in notes]
        stretches = (pitches[i : i + len(figure)] for i in range(len(pitches) - len(figure) + 1))
        if not any(_letters(stretch, self.by) == _letters(figure, self.by) for stretch in stretches):
            yield len(moments) - 1, "a line without the figure"

    def words(self) -> str:
        """Return such as ``has C4 E4 G4, by interval``."""
        return f"has {self.figure}, by {self.by}"
