"""Non-chord tones and the figures that excuse them.

>>> from fractions import Fraction
>>> from theory.chord import Chord
>>> moments = [Moment(1, Fraction(1 + i), (0, 2, 1, 2)[i], chord=Chord.parse("C")) for i in range(4)]
>>> def line(*pitches):
...     return [LineNote(i, i + 1, pitch) for i, pitch in enumerate(pitches)]
>>> list(NonChordTones().breaches(line(60, 62, 64, 62), moments))  # D passes, but nothing follows the last one
[(3, 'D4 as the last note')]
>>> list(NonChordTones().breaches(line(60, 62, 67, 67), moments))
[(2, 'D4 left by leap')]
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from theory.errors import ParseError
from theory.pitch import pitch_name
from theory.rules.base import Event, LineNote, Moment, RuleWithMemory

__all__ = ["FIGURES", "NonChordTones"]

FIGURES = ("passing", "neighbour", "appoggiatura", "suspension", "anticipation", "escape")
"""The figures in which a note foreign to the chord may stand.

passing: reached by step, left by step onwards. neighbour: reached by step, left by step back. appoggiatura: on a
strong beat, reached by leap (or as the first note), left by step; against the leap where there was one.
suspension: a chord tone held into a chord it is foreign to, left by step down. anticipation: repeated as a tone
of the chord that has come. escape: reached by step, left by leap the other way.
"""

_STEP = 2
_UP, _DOWN = (1, 2), (-1, -2)
_REPEATED = "same"


@dataclass(frozen=True)
class NonChordTones(RuleWithMemory):
    """A note foreign to its chord stands in a figure that explains it, and is resolved as that figure is.

    A note is foreign when its pitch class is not in the chord sounding as it starts, or not in one that comes
    while it is held. Where no chord sounds nothing is foreign.

    Parameters
    ----------
    figures
        Names in :data:`FIGURES`.

    References
    ----------
    Aldwell and Schachter, "Harmony and Voice Leading", chapters 21 and 22.
    """

    figures: tuple[str, ...] = ("passing", "neighbour", "appoggiatura", "suspension", "anticipation")

    def __post_init__(self) -> None:
        super().__post_init__()
        for figure in self.figures:
            if figure not in FIGURES:
                raise ParseError("figure", figure, f"one of {', '.join(FIGURES)}")

    def sees(self, moment: Moment) -> Hashable:
        """Return the chord, and whether the beat is strong."""
        return moment.chord, moment.is_strong

    def after(self, memory: Hashable, event: Event, moment: Moment) -> tuple[Hashable, int]:
        """Remember by which intervals a foreign note may be left; judge it as the next note starts."""
        if event.pitch is None:
            return memory, 0
        is_foreign = _is_foreign(event.pitch, moment)
        if not event.is_onset:
            # A chord tone that has become foreign, or one that is foreign already and stays what it was.
            is_held_over = is_foreign and memory is None
            return (self._exits_of_suspension(), 0) if is_held_over else (memory, 0)
        broken = isinstance(memory, tuple) and not _leaves_by(memory, event, moment)
        return self._exits(event.interval, moment) if is_foreign else None, int(broken)

    def at_end(self, memory: Hashable, last: int | None, moment: Moment) -> int:
        """Judge a foreign note at the end, which nothing leaves."""
        return int(memory is not None)

    def _exits_of_suspension(self) -> tuple[int | str, ...]:
        anticipated = (_REPEATED,) if "anticipation" in self.figures else ()
        return (*(_DOWN if "suspension" in self.figures else ()), *anticipated)

    def _exits(self, interval: int | None, moment: Moment) -> tuple[int | str, ...]:
        """Return the intervals by which a foreign note may be left that was reached by ``interval``."""
        found: set[int | str] = set()
        if "anticipation" in self.figures:
            found.add(_REPEATED)
        if interval is not None and 0 < abs(interval) <= _STEP:
            onwards = _UP if interval > 0 else _DOWN
            found.update(onwards if "passing" in self.figures else ())
            found.update({-interval} if "neighbour" in self.figures else ())
            found.update({"leap down" if interval > 0 else "leap up"} if "escape" in self.figures else ())
        elif "appoggiatura" in self.figures and moment.is_strong:
            down, up = interval is None or interval > 0, interval is None or interval < 0
            found.update(_DOWN if down else (), _UP if up else ())
        return tuple(sorted(found, key=str))

    def breaches(self, notes: Sequence[LineNote], moments: Sequence[Moment]) -> Iterator[tuple[int, str]]:
        """Yield each note that follows a foreign one as no figure does, and a foreign last note."""
        for index, note in enumerate(notes):
            foreign = [step for step in range(note.onset, note.end) if _is_foreign(note.pitch, moments[step])]
            if not foreign:
                continue
            if index + 1 == len(notes):
                yield len(moments) - 1, f"{pitch_name(note.pitch)} as the last note"
                continue
            before, after = (notes[index - 1] if index else None), notes[index + 1]
            is_held_over = foreign[0] > note.onset
            if not any(
                _is_figure(figure, before, note, after, is_held_over=is_held_over, moments=moments)
                for figure in self.figures
            ):
                by = abs(after.pitch - note.pitch)
                how = "repeated" if by == 0 else "left by step" if by <= _STEP else "left by leap"
                yield after.onset, f"{pitch_name(note.pitch)} {how}"

    def words(self) -> str:
        """Return such as ``foreign notes only as passing, neighbour``."""
        return f"foreign notes only as {', '.join(self.figures)}" if self.figures else "no foreign notes"


def _is_foreign(pitch: int, moment: Moment) -> bool:
    return moment.chord is not None and not moment.chord.is_none and pitch % 12 not in moment.chord.pitch_classes


def _leaves_by(exits: tuple[int | str, ...], event: Event, moment: Moment) -> bool:
    """Whether the note that starts leaves the one before it in one of the ways named."""
    assert event.pitch is not None
    interval = event.interval
    if interval is None:
        return True
    if interval == 0:
        return _REPEATED in exits and not _is_foreign(event.pitch, moment)
    if abs(interval) > _STEP:
        return ("leap up" if interval > 0 else "leap down") in exits
    return interval in exits


def _is_figure(
    figure: str,
    before: LineNote | None,
    note: LineNote,
    after: LineNote,
    *,
    is_held_over: bool,
    moments: Sequence[Moment],
) -> bool:
    """Whether a foreign note, the one before it and the one after it make a figure, as its definition says."""
    came, goes = (None if before is None else note.pitch - before.pitch), after.pitch - note.pitch
    by_step = came is not None and 1 <= abs(came) <= _STEP
    if figure == "anticipation":
        return goes == 0 and not _is_foreign(after.pitch, moments[after.onset])
    if is_held_over:
        return figure == "suspension" and goes in _DOWN
    if figure == "appoggiatura":
        against = came is None or (came != 0 and came * goes < 0)
        return moments[note.onset].is_strong and not by_step and against and 1 <= abs(goes) <= _STEP
    if came is None or not by_step:
        return False
    if figure == "passing":
        return came * goes > 0 and abs(goes) <= _STEP
    if figure == "neighbour":
        return goes == -came
    return figure == "escape" and came * goes < 0 and abs(goes) > _STEP
