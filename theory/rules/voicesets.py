"""The table of all rules for several voices, and sets of them.

>>> print(*CHORALE[2:5], sep="; ")
chord tones; the chord's bass note in the lowest voice; complete chords
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from theory.rules.sonority import (
    BassNote,
    ChordTones,
    CompleteChords,
    NoCrossing,
    NoDoubledLeadingTone,
    NoDoubledThird,
    Spacing,
)
from theory.rules.voiceleading import (
    ConsonantStrongBeats,
    DissonancesByStep,
    LargestVoiceLeap,
    LeadingToneResolves,
    NoAwkwardLeaps,
    NoHiddenFifthsOctaves,
    NoOverlap,
    NoParallelFifths,
    NoParallelOctaves,
    SeventhResolves,
)
from theory.rules.voices import VoiceLock, VoiceRanges, VoiceRule

__all__ = ["CHORALE", "STRICT_COUNTERPOINT", "VOICE_RULES", "VOICE_RULE_SETS"]

VOICE_RULES: tuple[type[VoiceRule], ...] = (
    *(VoiceRanges, ChordTones, BassNote, CompleteChords, NoDoubledLeadingTone, NoDoubledThird),
    *(NoCrossing, Spacing, NoOverlap, NoParallelFifths, NoParallelOctaves, NoHiddenFifthsOctaves),
    *(LeadingToneResolves, SeventhResolves, LargestVoiceLeap, NoAwkwardLeaps),
    *(ConsonantStrongBeats, DissonancesByStep, VoiceLock),
)
"""Every rule for several voices."""


CHORALE: tuple[VoiceRule, ...] = (
    *(VoiceRanges(), VoiceRanges.of("soprano", "alto", "tenor", "bass", at_home=True, cost=0.2)),
    *(ChordTones(), BassNote(), CompleteChords(), NoDoubledLeadingTone(), NoDoubledThird(cost=2.0)),
    *(NoCrossing(), Spacing(), NoOverlap(), NoParallelFifths(), NoParallelOctaves(), NoHiddenFifthsOctaves()),
    *(LeadingToneResolves(), SeventhResolves(), LargestVoiceLeap(), NoAwkwardLeaps(cost=4.0)),
)
"""Four-part writing as schoolbooks teach it; three of the rules are preferences."""


STRICT_COUNTERPOINT: tuple[VoiceRule, ...] = (
    *(NoCrossing(), NoOverlap(), NoParallelFifths(), NoParallelOctaves(), NoHiddenFifthsOctaves()),
    *(ConsonantStrongBeats(), DissonancesByStep(), LargestVoiceLeap(12, 12), NoAwkwardLeaps()),
)
"""Lines against lines after Fux; ranges come with the lines."""

VOICE_RULE_SETS: Mapping[str, tuple[VoiceRule, ...]] = MappingProxyType(
    {"chorale": CHORALE, "strict-counterpoint": STRICT_COUNTERPOINT}
)
"""Rules for several voices, by the style's name."""
