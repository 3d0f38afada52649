"""The table of all rules for several voices, and sets of them.

>>> print(*CHORALE[:3], sep="; ")
voice ranges C4..A5, G3..D5, C3..A4, E2..D4; chord tones; the chord's bass note in the lowest voice
"""

from __future__ import annotations

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

__all__ = ["CHORALE", "STRICT_COUNTERPOINT", "VOICE_RULES"]

VOICE_RULES: tuple[type[VoiceRule], ...] = (
    *(VoiceRanges, ChordTones, BassNote, CompleteChords, NoDoubledLeadingTone, NoDoubledThird),
    *(NoCrossing, Spacing, NoOverlap, NoParallelFifths, NoParallelOctaves, NoHiddenFifthsOctaves),
    *(LeadingToneResolves, SeventhResolves, LargestVoiceLeap, NoAwkwardLeaps),
    *(ConsonantStrongBeats, DissonancesByStep, VoiceLock),
)
"""Every rule for several voices."""


CHORALE: tuple[VoiceRule, ...] = (
    *(VoiceRanges(), ChordTones(), BassNote(), CompleteChords(), NoDoubledLeadingTone(), NoDoubledThird(cost=2.0)),
    *(NoCrossing(), Spacing(), NoOverlap(), NoParallelFifths(), NoParallelOctaves(), NoHiddenFifthsOctaves()),
    *(LeadingToneResolves(), SeventhResolves(), LargestVoiceLeap(), NoAwkwardLeaps(cost=4.0)),
)
"""Four-part writing as schoolbooks teach it; two of the rules are preferences."""


STRICT_COUNTERPOINT: tuple[VoiceRule, ...] = (
    *(NoCrossing(), NoOverlap(), NoParallelFifths(), NoParallelOctaves(), NoHiddenFifthsOctaves()),
    *(ConsonantStrongBeats(), DissonancesByStep(), LargestVoiceLeap(12, 12), NoAwkwardLeaps()),
)
"""Lines against lines after Fux; ranges come with the lines."""
