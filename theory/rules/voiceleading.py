"""Rules of voice leading: how several voices may move from one moment to the next.

>>> from fractions import Fraction
>>> c_major = Moment(1, Fraction(1), 0, Key.parse("C"), Chord.parse("C"))
>>> rule = NoParallelFifths()
>>> rule.groups(3)
(Group(voices=(0, 1), n_voices=3), Group(voices=(0, 2), n_voices=3), Group(voices=(1, 2), n_voices=3))
>>> rule.permits_motion((67, 60), (69, 62), c_major, c_major, Group((0, 1), 3))
False
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from theory import motion
from theory.chord import Chord
from theory.key import Key
from theory.motion import Pitches, Truth
from theory.rules.base import Moment
from theory.rules.voices import BlindRule, Group, VoiceRule, each_voice, every_pair, negated, neighbours

__all__ = [
    "ConsonantStrongBeats",
    "DissonancesByStep",
    "LargestVoiceLeap",
    "LeadingToneResolves",
    "NoAwkwardLeaps",
    "NoHiddenFifthsOctaves",
    "NoOverlap",
    "NoParallelFifths",
    "NoParallelOctaves",
    "SeventhResolves",
]


@dataclass(frozen=True)
class NoOverlap(BlindRule):
    """No voice moves past the pitch its neighbour has just had."""

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return the pairs of neighbours."""
        return neighbours(n_voices)

    def permits_motion(
        self, before: Sequence[Pitches], after: Sequence[Pitches], moment_before: Moment, moment: Moment, group: Group
    ) -> Truth:
        """Whether each stays on its side of where the other was."""
        return negated(motion.overlap((before[0], before[1]), (after[0], after[1])))

    def words(self) -> str:
        """Return ``no overlap``."""
        return "no overlap"


@dataclass(frozen=True)
class NoParallelFifths(BlindRule):
    """No two voices move from a perfect fifth to a perfect fifth."""

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return every pair."""
        return every_pair(n_voices)

    def permits_motion(
        self, before: Sequence[Pitches], after: Sequence[Pitches], moment_before: Moment, moment: Moment, group: Group
    ) -> Truth:
        """Whether there is a fifth but once, or no motion."""
        return negated(motion.parallel_fifths((before[0], before[1]), (after[0], after[1])))

    def words(self) -> str:
        """Return ``no parallel fifths``."""
        return "no parallel fifths"


@dataclass(frozen=True)
class NoParallelOctaves(BlindRule):
    """No two voices move from a unison or octave to a unison or octave."""

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return every pair."""
        return every_pair(n_voices)

    def permits_motion(
        self, before: Sequence[Pitches], after: Sequence[Pitches], moment_before: Moment, moment: Moment, group: Group
    ) -> Truth:
        """Whether there is an octave but once, or no motion."""
        return negated(motion.parallel_octaves((before[0], before[1]), (after[0], after[1])))

    def words(self) -> str:
        """Return ``no parallel octaves``."""
        return "no parallel octaves"


@dataclass(frozen=True)
class NoHiddenFifthsOctaves(BlindRule):
    """The outer voices do not move alike into a fifth or an octave while the highest voice leaps."""

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return the outer voices."""
        return (Group((0, n_voices - 1), n_voices),) if n_voices > 1 else ()

    def permits_motion(
        self, before: Sequence[Pitches], after: Sequence[Pitches], moment_before: Moment, moment: Moment, group: Group
    ) -> Truth:
        """Whether the interval is reached in another way, or the highest voice steps."""
        was, now = (before[0], before[1]), (after[0], after[1])
        hidden = motion.hidden_fifths(was, now) | motion.hidden_octaves(was, now)
        return negated(hidden & motion.is_leap(before[0], after[0]))

    def words(self) -> str:
        """Return ``no hidden fifths or octaves``."""
        return "no hidden fifths or octaves"


@dataclass(frozen=True)
class LargestVoiceLeap(BlindRule):
    """No voice moves further than this at once.

    Parameters
    ----------
    semitones
        The largest distance permitted to the highest and the lowest voice.
    inner_semitones
        The largest distance permitted to the voices between.
    """

    semitones: int = 12
    inner_semitones: int = 7

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return each voice."""
        return each_voice(n_voices)

    def permits_motion(
        self, before: Sequence[Pitches], after: Sequence[Pitches], moment_before: Moment, moment: Moment, group: Group
    ) -> Truth:
        """Whether the two pitches are near enough."""
        largest = self.semitones if group.is_outer else self.inner_semitones
        return negated(motion.is_leap(before[0], after[0], largest))

    def words(self) -> str:
        """Return such as ``largest voice leap 12 semitones, 7 in inner voices``."""
        return f"largest voice leap {self.semitones} semitones, {self.inner_semitones} in inner voices"


@dataclass(frozen=True)
class NoAwkwardLeaps(VoiceRule):
    """No voice leaps a tritone, a seventh, more than an octave, or the augmented second of the minor key."""

    elementwise: ClassVar[bool] = True

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return each voice."""
        return each_voice(n_voices)

    def sees(self, moment: Moment) -> Hashable:
        """Return the key."""
        return moment.key

    def permits_motion(
        self, before: Sequence[Pitches], after: Sequence[Pitches], moment_before: Moment, moment: Moment, group: Group
    ) -> Truth:
        """Whether the leap can be sung."""
        was, now = before[0], after[0]
        awkward = motion.melodic_tritone(was, now) | motion.melodic_seventh(was, now) | motion.is_leap(was, now, 12)
        if moment.key is not None:
            awkward = awkward | motion.augmented_second(was, now, moment.key)
        return negated(awkward)

    def words(self) -> str:
        """Return ``no awkward leaps``."""
        return "no awkward leaps"


@dataclass(frozen=True)
class LeadingToneResolves(VoiceRule):
    """The leading tone of a dominant rises to the tonic when a chord with the tonic follows.

    A dominant here is a chord with the leading tone and the second degree: V, vii and what is built on them. The
    lowest voice is bound only where the chord on the tonic follows: from V6 to vi it falls.

    Parameters
    ----------
    inner_may_fall
        Whether an inner voice may also fall a major third, to the fifth of the tonic, as Bach's often do.
    """

    elementwise: ClassVar[bool] = True
    inner_may_fall: bool = True

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return each voice."""
        return each_voice(n_voices)

    def sees(self, moment: Moment) -> Hashable:
        """Return key and chord."""
        return moment.key, moment.chord

    def permits_motion(
        self, before: Sequence[Pitches], after: Sequence[Pitches], moment_before: Moment, moment: Moment, group: Group
    ) -> Truth:
        """Whether nothing resolves here, or the voice has another note, or it resolves."""
        key = moment_before.key
        if key is None or not _dominant_resolves(key, moment_before.chord, moment.chord, in_bass=group.has_bass):
            return True
        resolves = motion.leading_tone_resolves(before[0], after[0], key)
        if self.inner_may_fall and not group.is_outer:
            return resolves | (after[0] == before[0] - 4)
        return resolves

    def words(self) -> str:
        """Return ``the leading tone resolves``."""
        return "the leading tone resolves"


def _dominant_resolves(key: Key, before: Chord | None, after: Chord | None, *, in_bass: bool) -> bool:
    if before is None or after is None or after.root is None:
        return False
    tonic = key.tonic.pitch_class
    is_dominant = {motion.leading_tone(key), (tonic + 2) % 12} <= before.pitch_classes
    resolves = after.root.pitch_class == tonic if in_bass else tonic in after.pitch_classes
    return is_dominant and tonic not in before.pitch_classes and resolves


@dataclass(frozen=True)
class SeventhResolves(VoiceRule):
    """The seventh of a chord falls a step, or is held, when another chord follows."""

    elementwise: ClassVar[bool] = True

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return each voice."""
        return each_voice(n_voices)

    def sees(self, moment: Moment) -> Hashable:
        """Return the chord."""
        return moment.chord

    def permits_motion(
        self, before: Sequence[Pitches], after: Sequence[Pitches], moment_before: Moment, moment: Moment, group: Group
    ) -> Truth:
        """Whether the chord stays, or the voice has another note, or it resolves."""
        was, now = moment_before.chord, moment.chord
        if was is None or now is None or (was.root, was.semitones) == (now.root, now.semitones):
            return True
        seventh = motion.chord_seventh(was)
        return True if seventh is None else motion.seventh_resolves(before[0], after[0], seventh)

    def words(self) -> str:
        """Return ``sevenths resolve``."""
        return "sevenths resolve"


@dataclass(frozen=True)
class ConsonantStrongBeats(VoiceRule):
    """On strong beats every two voices are consonant, or one of them is suspended from a consonance.

    Parameters
    ----------
    suspensions
        Whether suspensions are permitted.
    """

    elementwise: ClassVar[bool] = True
    suspensions: bool = True

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return every pair."""
        return every_pair(n_voices)

    def sees(self, moment: Moment) -> Hashable:
        """Return whether the beat is strong."""
        return moment.is_strong

    def permits_motion(
        self, before: Sequence[Pitches], after: Sequence[Pitches], moment_before: Moment, moment: Moment, group: Group
    ) -> Truth:
        """Whether the beat is weak, the two are consonant, or one is held over from a consonance."""
        consonant = self.permits_entry(after, moment, group)
        if not self.suspensions or consonant is True:
            return consonant
        is_held = (before[0] == after[0]) != (before[1] == after[1])
        return consonant | (is_held & negated(motion.dissonant((before[0], before[1]), with_bass=group.has_bass)))

    def permits_entry(self, pitches: Sequence[Pitches], moment: Moment, group: Group) -> Truth:
        """Whether the beat is weak or the two are consonant."""
        if not moment.is_strong:
            return True
        return negated(motion.dissonant((pitches[0], pitches[1]), with_bass=group.has_bass))

    def words(self) -> str:
        """Return ``consonant strong beats``."""
        return "consonant strong beats" if self.suspensions else "consonant strong beats without suspensions"


@dataclass(frozen=True)
class DissonancesByStep(VoiceRule):
    """Dissonances are entered and left by step; a strong one may be struck by a leap against a held voice.

    The strong one is the suspension: the held voice falls by step out of it, whatever the other does.
    """

    elementwise: ClassVar[bool] = True

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        """Return every pair."""
        return every_pair(n_voices)

    def sees(self, moment: Moment) -> Hashable:
        """Return whether the beat is strong."""
        return moment.is_strong

    def permits_motion(
        self, before: Sequence[Pitches], after: Sequence[Pitches], moment_before: Moment, moment: Moment, group: Group
    ) -> Truth:
        """Whether each dissonance is come by and left as it should be."""
        leap_free = negated(motion.is_leap(before[0], after[0]) | motion.is_leap(before[1], after[1]))
        entered = left = leap_free
        if moment.is_strong:
            entered = leap_free | (before[0] == after[0]) | (before[1] == after[1])
        if moment_before.is_strong:
            left = leap_free | _falls_a_step(before[0], after[0]) | _falls_a_step(before[1], after[1])
        was_sweet = negated(motion.dissonant((before[0], before[1]), with_bass=group.has_bass))
        is_sweet = negated(motion.dissonant((after[0], after[1]), with_bass=group.has_bass))
        return (is_sweet | entered) & (was_sweet | left)

    def words(self) -> str:
        """Return ``dissonances by step``."""
        return "dissonances by step"


def _falls_a_step(before: Pitches, after: Pitches) -> Truth:
    return motion.is_step(before, after) & (after < before)
