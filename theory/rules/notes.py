"""Rules on single notes: key, chord, scale, range, rests.

>>> from fractions import Fraction
>>> from theory.chord import Chord
>>> from theory.key import Key
>>> moment = Moment(bar=3, beat=Fraction(1), level=0, key=Key.parse("A minor"), chord=Chord.parse("E7"))
>>> [InKey().permits_note(pitch, moment, is_onset=True) for pitch in (66, 67, 68)]  # F#, G, G#
[False, True, True]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from theory.chordscale import avoid_notes, chord_scale
from theory.errors import ParseError, TheoryError
from theory.instruments import INSTRUMENTS, instrument_named
from theory.pitch import parse_pitch, pitch_name
from theory.rules.base import Moment, Rule

__all__ = ["ChordTonesOnStrongBeats", "InChordScale", "InKey", "NoAvoidNotes", "NoRests", "Range", "Tessitura"]


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
class InChordScale(Rule):
    """Every note belongs to the scale of its chord; where no chord sounds, to the key.

    The scale is the one the chord names (``Dm7[dorian]``), the key's where the chord lies within the key, else
    the usual one for its quality; see :func:`theory.chordscale.chord_scale`.
    """

    def sees(self, moment: Moment) -> Hashable:
        """Return key and chord."""
        return moment.key, moment.chord

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether the pitch class is in the scale; without a key anything may."""
        if moment.key is None:
            return True
        if moment.chord is None or moment.chord.is_none:
            return pitch % 12 in moment.key.pitch_classes
        return pitch % 12 in chord_scale(moment.chord, moment.key)

    def words(self) -> str:
        """Return ``in the scale of the chord``."""
        return "in the scale of the chord"


@dataclass(frozen=True)
class NoAvoidNotes(Rule):
    """No note that clashes with its chord when it is held: on no strong beat, or nowhere.

    See :func:`theory.chordscale.avoid_notes`; such notes may pass on weak beats.

    Parameters
    ----------
    anywhere
        Whether weak beats are judged as well.
    """

    anywhere: bool = False

    def sees(self, moment: Moment) -> Hashable:
        """Return key and chord where they are judged."""
        return (moment.key, moment.chord) if self.anywhere or moment.is_strong else None

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        """Whether the note does not clash; without a key or a chord nothing does."""
        if not (self.anywhere or moment.is_strong) or moment.key is None:
            return True
        if moment.chord is None or moment.chord.is_none:
            return True
        return pitch % 12 not in avoid_notes(moment.chord, moment.key)

    def words(self) -> str:
        """Return such as ``no avoid notes on strong beats``."""
        return f"no avoid notes{'' if self.anywhere else ' on strong beats'}"


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
        """Read a range such as ``C4-G5``, ``60..79`` or the name of an instrument.

        Raises
        ------
        ParseError
            If the text is not two pitches, the lower one first, and no instrument.
        """
        if text.strip().lower() in INSTRUMENTS:
            return cls(*cls.of(text))
        parts = re.split(r"\s*(?:\.\.|(?<=[\d\s])-|\s+to\s+)\s*", text.strip())
        try:
            low, high = (parse_pitch(part) for part in parts)
            return cls(low, high)
        except ValueError as error:
            raise ParseError("range", text, "two pitches, the lower first, such as C4-G5, or an instrument") from error

    @classmethod
    def of(cls, instrument: str) -> tuple[int, int]:
        """Return the lowest and the highest pitch of an instrument or a voice; see :mod:`theory.instruments`."""
        return instrument_named(instrument).range

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
class Tessitura(Range):
    """Where the line should lie most of the time: a range that costs a little at every step outside it."""

    cost: float = field(default=0.25, kw_only=True)

    @classmethod
    def of(cls, instrument: str) -> tuple[int, int]:
        """Return where an instrument or a voice is at home."""
        return instrument_named(instrument).tessitura

    def words(self) -> str:
        """Return such as ``tessitura C4..G5``."""
        return f"tessitura {pitch_name(self.low)}..{pitch_name(self.high)}"


_BEAT_LEVEL = 2
_RESTS: dict[str, Callable[[Moment], bool]] = {
    "nowhere": lambda moment: False,
    "off strong beats": lambda moment: not moment.is_strong,
    "off beats": lambda moment: moment.level > _BEAT_LEVEL,
    "bar ends": lambda moment: moment.quarters_into_bar >= moment.meter.bar_quarters / 2,
}
"""Where rests may be: names and what they permit."""


@dataclass(frozen=True)
class NoRests(Rule):
    """Silence only where it is allowed.

    Parameters
    ----------
    but
        ``nowhere``; ``off strong beats``; ``off beats``, between the beats only; or ``bar ends``, in the second half of
        a bar only.
    """

    but: str = "nowhere"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.but not in _RESTS:
            raise ParseError("place of rests", self.but, f"one of {', '.join(_RESTS)}")

    def sees(self, moment: Moment) -> Hashable:
        """Return whether a rest may be here."""
        return _RESTS[self.but](moment)

    def permits_rest(self, moment: Moment) -> bool:
        """Whether a rest may be here."""
        return _RESTS[self.but](moment)

    def words(self) -> str:
        """Return such as ``rests only off beats``."""
        return "no rests" if self.but == "nowhere" else f"rests only {'at ' * (self.but == 'bar ends')}{self.but}"
