"""Hypothesis strategies for several voices: rules that bite on little music, and what the audit charges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from theory.chord import Chord
from theory.key import Key
from theory.rules.base import Moment
from theory.rules.sonority import BassNote, CompleteChords, NoCrossing, NoDoubledThird, Spacing
from theory.rules.voiceleading import (
    ConsonantStrongBeats,
    DissonancesByStep,
    LargestVoiceLeap,
    LeadingToneResolves,
    NoHiddenFifthsOctaves,
    NoOverlap,
    NoParallelFifths,
    NoParallelOctaves,
    SeventhResolves,
)
from theory.rules.voices import Group, VoiceLock, VoiceRule
from theory.voiceaudit import Voicing, audit_voicings

COSTS = (math.inf, 0.5, 2.0)


@dataclass(frozen=True)
class Moody(VoiceRule):
    """A user's own rule, plain Python on plain numbers, that judges all there is to judge by no reason but its seed."""

    seed: int = 0
    size: int = 2

    def groups(self, n_voices: int) -> tuple[Group, ...]:
        return (Group(tuple(range(min(self.size, n_voices))), n_voices), Group((n_voices - 1,), n_voices))

    def words(self) -> str:
        return f"mood {self.seed} of {self.size}"

    def _coin(self, *words: object) -> bool:
        return hash((self.seed, *words)) % 5 != 0

    def permits_voicing(self, pitches, moment, group) -> bool:
        return self._coin(*pitches, moment.beat) and self._coin(*group.voices)

    def permits_motion(self, before, after, moment_before, moment, group) -> bool:
        return self._coin(*before, *after, moment_before.beat) or after[0] > before[0]

    def permits_entry(self, pitches, moment, group) -> bool:
        return self._coin(*pitches, moment.level, group.voices)


def place(slot: int) -> tuple[int, Fraction]:
    """Return bar and beat of a slot."""
    return 1 + slot // 2, Fraction(1 + slot % 2)


def moments(n_slots: int, chords: Sequence[str] = ("C", "G7", "F", "Am/C", "Bdim")) -> st.SearchStrategy[list[Moment]]:
    """Draw a moment for each slot."""
    key = st.none() | st.sampled_from(["C", "A minor"]).map(Key.parse)
    row = st.tuples(st.integers(0, 2), key, st.sampled_from(chords).map(Chord.parse))
    rows = st.lists(row, min_size=n_slots, max_size=n_slots)
    return rows.map(lambda drawn: [Moment(*place(slot), *rest) for slot, rest in enumerate(drawn)])


def voice_rules(
    n_slots: int, n_voices: int, pitches: tuple[int, int], costs: Sequence[float] = COSTS, max_size: int = 5
) -> st.SearchStrategy[list[VoiceRule]]:
    """Draw rules."""
    cost = st.sampled_from(costs)
    plain = [
        *(NoParallelFifths, NoParallelOctaves, NoHiddenFifthsOctaves, NoCrossing, NoOverlap, LeadingToneResolves),
        *(SeventhResolves, NoDoubledThird, CompleteChords, BassNote, ConsonantStrongBeats, DissonancesByStep),
    ]
    lock = st.builds(
        lambda voice, slot, pitch, cost: VoiceLock(voice, *place(slot), pitch, cost=cost),
        st.integers(0, n_voices - 1), st.integers(0, n_slots), st.integers(*pitches), cost,
    )  # fmt: skip
    rule = (
        st.builds(lambda rule, cost: rule(cost=cost), st.sampled_from(plain), cost)
        | st.builds(Spacing, st.integers(0, 6), cost=cost)
        | st.builds(LargestVoiceLeap, st.integers(0, 6), st.integers(0, 3), cost=cost)
        | st.builds(Moody, st.integers(0, 99), st.integers(1, 3), cost=cost)
        | lock
    )
    return st.lists(rule, max_size=max_size)


def price(voicings: Sequence[Voicing], moments: Sequence[Moment], rules: Sequence[VoiceRule]) -> float:
    """Return what the audit charges: the costs of the violations, infinite where a law is broken."""
    return math.fsum(violation.rule.cost for violation in audit_voicings(voicings, moments, rules))
