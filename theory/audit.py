"""The audit: which rules finished music breaks, and where.

It asks the rules' own predicates note by note, in plain loops: the decoder's automata, masks and
tables play no part in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from theory.pitch import pitch_name
from theory.rules import Moment, Rule

__all__ = ["LineNote", "Violation", "audit_line"]


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


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of one rule.

    Parameters
    ----------
    rule
        The rule that is broken.
    moment
        Where.
    what
        What sounds there, in words.
    """

    rule: Rule
    moment: Moment
    what: str

    def __str__(self) -> str:
        """Return a line such as ``bar 3 beat 1: C#5 breaks in key``."""
        return f"{self.moment}: {self.what} breaks {self.rule}"


def audit_line(notes: Sequence[LineNote], moments: Sequence[Moment], rules: Sequence[Rule]) -> list[Violation]:
    """Return every violation in one voice.

    Parameters
    ----------
    notes
        In order, none overlapping another.
    moments
        One for each step of the piece.
    rules
        What to judge by.

    Returns
    -------
    list of Violation
        By rule, then by place. A note is judged at every step it sounds, so a held one may be found more
        than once; the decoder charges a preference just as often.
    """
    found: list[Violation] = []
    for rule in rules:
        by_place = sorted(_breaches(notes, moments, rule), key=itemgetter(0))
        found += [Violation(rule, moments[step], what) for step, what in by_place]
    return found


def _breaches(notes: Sequence[LineNote], moments: Sequence[Moment], rule: Rule) -> Iterator[tuple[int, str]]:
    """Yield the step of each violation and what sounds there."""
    for note in notes:
        for step in range(note.onset, note.end):
            if not rule.permits_note(note.pitch, moments[step], is_onset=step == note.onset):
                yield step, pitch_name(note.pitch)
    sounding = {step for note in notes for step in range(note.onset, note.end)}
    for step, moment in enumerate(moments):
        if step not in sounding and not rule.permits_rest(moment):
            yield step, "silence"
    for before, after in pairwise(notes):
        if not rule.permits_move(before.pitch, after.pitch):
            yield after.onset, f"{pitch_name(before.pitch)} to {pitch_name(after.pitch)}"
    last = len(moments) - 1
    if notes and moments and not rule.permits_last(notes[-1].pitch, moments[-1]):
        yield last, f"{pitch_name(notes[-1].pitch)} as the last note"
    if moments and not notes and not rule.permits_no_notes():
        yield last, "a line without notes"
    if moments and not rule.has_place(moments):
        yield last, "a piece without that place"
