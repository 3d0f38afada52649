"""Rules on sonorities: what several voices may sound together.

>>> from fractions import Fraction
>>> from theory.key import Key
>>> g7 = Moment(1, Fraction(1), 0, Key.parse("C"), Chord.parse("G7"))
>>> rule, everyone = CompleteChords(), Group((0, 1, 2, 3), 4)
>>> rule.permits_voicing([71, 65, 62, 55], g7, everyone), rule.permits_voicing([71, 62, 62, 55], g7, everyone)
(True, False)
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import ClassVar

from theory import motion
from theory.chord import Chord
from theory.motion import Pitches, Truth
from theory.rules.base import Moment
from theory.rules.voices import BlindRule, Group, VoiceRule, each_voice, every_pair, negated, neighbours

__all__ = [
    "BassNote",
    "ChordTones",
    "CompleteChords",
    "NoCrossing",
    "NoDoubledLeadingTone",
    "NoDoubledThird",
    "Spacing",
]


@dataclass(frozen=True)
class ChordTones(VoiceRule):
    """Every voice sounds notes of the chord.

    Parameters
    ----------
    free
        Voices that need not, such as a given melody with passing notes; 0 is the highest.
    """

    elementwise: ClassVar[bool] = True
    free: tuple[int, ...] = ()

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return each voice that is not free."""
        return tuple(group for group in each_voice(n_voices) if group.voices[0] not in self.free)

    def sees(self, moment: Moment) -> Hashable:
        """Return the chord."""
        return moment.chord

    def permits_voicing(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether no chord is known or sounds, or the note is one of it."""
        if moment.chord is None or moment.chord.is_none:
            return True
        return reduce(or_, (pitches[0] % 12 == note for note in sorted(moment.chord.pitch_classes)))

    def words(self) -> str:
        """Return such as ``chord tones``."""
        names = " and ".join(f"voice {voice + 1}" for voice in self.free)
        return f"chord tones except in {names}" if self.free else "chord tones"


@dataclass(frozen=True)
class BassNote(VoiceRule):
    """The lowest voice sounds the chord's bass note."""

    elementwise: ClassVar[bool] = True

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return the lowest voice."""
        return each_voice(n_voices)[-1:]

    def sees(self, moment: Moment) -> Hashable:
        """Return the chord."""
        return moment.chord

    def permits_voicing(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether no chord is known or sounds, or this is its bass."""
        bass = None if moment.chord is None else moment.chord.bass_pitch_class
        return True if bass is None else pitches[0] % 12 == bass

    def words(self) -> str:
        """Return ``the chord's bass note in the lowest voice``."""
        return "the chord's bass note in the lowest voice"


@dataclass(frozen=True)
class CompleteChords(VoiceRule):
    """Every note of the chord sounds in some voice.

    Of a chord with more notes than voices, the fifth, the root, the ninth, the sixth and the fourth are spared
    in this order.

    Parameters
    ----------
    may_omit_fifth
        Whether the perfect fifth above a root with a third may be missing.
    """

    elementwise: ClassVar[bool] = True
    may_omit_fifth: bool = True

    def sees(self, moment: Moment) -> Hashable:
        """Return the chord."""
        return moment.chord

    def permits_voicing(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether every note needed is there."""
        needed = self.needed(moment.chord, len(pitches))
        return reduce(and_, (reduce(or_, (p % 12 == note for p in pitches)) for note in needed), True)

    def needed(self, chord: Chord | None, n_voices: int) -> list[int]:
        """Return the pitch classes that must sound in so many voices, ascending above the root."""
        if chord is None or chord.root is None:
            return []
        notes = list(chord.semitones)
        has_third = not {3, 4}.isdisjoint(notes)
        if self.may_omit_fifth and has_third and 7 in notes:
            notes.remove(7)
        for spared in (7, 0, 2, 9, 5, *reversed(chord.semitones)):
            if len(notes) > n_voices and spared in notes:
                notes.remove(spared)
        return [(chord.root.pitch_class + note) % 12 for note in notes]

    def words(self) -> str:
        """Return ``complete chords``."""
        return "complete chords" if self.may_omit_fifth else "complete chords with their fifths"


@dataclass(frozen=True)
class NoDoubledLeadingTone(VoiceRule):
    """No two voices sound the leading tone together."""

    elementwise: ClassVar[bool] = True

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return every pair."""
        return every_pair(n_voices)

    def sees(self, moment: Moment) -> Hashable:
        """Return the key."""
        return moment.key

    def permits_voicing(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether not both have the leading tone."""
        if moment.key is None:
            return True
        return negated(motion.doubled((pitches[0], pitches[1]), motion.leading_tone(moment.key)))

    def words(self) -> str:
        """Return ``no doubled leading tone``."""
        return "no doubled leading tone"


@dataclass(frozen=True)
class NoDoubledThird(VoiceRule):
    """No two voices sound the chord's third together; best as a preference."""

    elementwise: ClassVar[bool] = True

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return every pair."""
        return every_pair(n_voices)

    def sees(self, moment: Moment) -> Hashable:
        """Return the chord."""
        return moment.chord

    def permits_voicing(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether not both have the third."""
        third = None if moment.chord is None else motion.chord_third(moment.chord)
        return True if third is None else negated(motion.doubled((pitches[0], pitches[1]), third))

    def words(self) -> str:
        """Return ``no doubled third``."""
        return "no doubled third"


@dataclass(frozen=True)
class NoCrossing(BlindRule):
    """No voice sounds above a higher one."""

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return every pair: a voice between two may be silent."""
        return every_pair(n_voices)

    def permits_voicing(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether the upper voice is not below the lower one."""
        return negated(motion.crossing((pitches[0], pitches[1])))

    def words(self) -> str:
        """Return ``no crossing``."""
        return "no crossing"


@dataclass(frozen=True)
class Spacing(BlindRule):
    """Neighbouring voices lie no further apart than this; the lowest voice is free.

    Parameters
    ----------
    semitones
        The largest distance permitted.
    """

    semitones: int = 12

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return the pairs of neighbours without the lowest voice."""
        return neighbours(n_voices)[:-1]

    def permits_voicing(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether the two are near enough."""
        return negated(motion.wider_than((pitches[0], pitches[1]), self.semitones))

    def words(self) -> str:
        """Return such as ``spacing 12 semitones``."""
        return f"spacing {self.semitones} semitone{'' if self.semitones == 1 else 's'}"
