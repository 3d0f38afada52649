"""Random moments and rules over a few pitches around middle C, and a judge that is the audit alone."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from symgen.alphabet import LineAlphabet
from theory.audit import LineNote, audit_line
from theory.chord import Chord
from theory.key import Key
from theory.rules import ChordTonesOnStrongBeats, EndOn, InKey, LargestLeap, Lock, Moment, Range, Rule

COUNTS_IN_BAR = 3


@dataclass(frozen=True)
class Reattack(Rule):
    """A user's own rule: on strong beats notes start and are not held, and no pitch comes twice in a row."""

    def sees(self, moment: Moment) -> Hashable:
        return moment.is_strong

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        return is_onset or not moment.is_strong

    def permits_move(self, previous: int, following: int) -> bool:
        return previous != following


@dataclass(frozen=True)
class Moody(Rule):
    """A user's own rule that judges everything there is to judge, by no reason but its seed."""

    seed: int = 0

    def _coin(self, *words: object) -> bool:
        return hash((self.seed, *words)) % 4 != 0

    def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
        return self._coin(pitch, moment.bar, moment.beat, is_onset)

    def permits_rest(self, moment: Moment) -> bool:
        return self._coin(moment.bar, moment.level)

    def permits_move(self, previous: int, following: int) -> bool:
        return self._coin(previous, following)

    def permits_last(self, pitch: int, moment: Moment) -> bool:
        return self._coin(pitch, moment.bar)


def place(step: int) -> tuple[int, Fraction]:
    """Return bar and beat of a step."""
    return 1 + step // COUNTS_IN_BAR, Fraction(1 + step % COUNTS_IN_BAR)


def _moment(step: int, level: int, key: Key | None, chord: Chord | None) -> Moment:
    bar, beat = place(step)
    return Moment(bar, beat, level, key, chord)


def moments(n_steps: int) -> st.SearchStrategy[list[Moment]]:
    """Draw a moment for each step; key and chord may change anywhere and be unknown."""
    levels = st.integers(0, 3)
    keys = st.none() | st.sampled_from(["C", "A minor", "Eb", "F# dorian"]).map(Key.parse)
    chords = st.none() | st.sampled_from(["C", "Am", "E7", "Bdim", "Db", "N.C.", "F#sus4"]).map(Chord.parse)
    drawn = st.lists(st.tuples(levels, keys, chords), min_size=n_steps, max_size=n_steps)
    return drawn.map(lambda rows: [_moment(step, *row) for step, row in enumerate(rows)])


def rule_lists(
    alphabet: LineAlphabet,
    n_steps: int,
    costs: Sequence[float] = (math.inf, 0.25, 3.0),
    min_size: int = 0,
    max_size: int = 5,
) -> st.SearchStrategy[list[Rule]]:
    """Draw rules that bite on a few pitches and steps."""
    cost = st.sampled_from(costs)
    pitch = st.integers(alphabet.low, alphabet.high)
    locks = st.builds(
        lambda step, pitch, cost: Lock(*place(step), pitch, cost=cost),
        st.integers(0, n_steps - 1), st.none() | pitch, cost,
    )  # fmt: skip
    ranges = st.builds(lambda a, b, cost: Range(min(a, b), max(a, b), cost=cost), pitch, pitch, cost)
    ends = st.builds(
        lambda pitches, cost: EndOn(frozenset(p % 12 for p in pitches), cost=cost), st.sets(pitch, min_size=1), cost
    )
    return st.lists(
        st.builds(InKey, cost=cost)
        | st.builds(ChordTonesOnStrongBeats, cost=cost)
        | st.builds(LargestLeap, st.integers(0, 3), cost=cost)
        | st.builds(Reattack, cost=cost)
        | st.builds(Moody, st.integers(0, 99), cost=cost)
        | locks | ranges | ends,
        min_size=min_size, max_size=max_size,
    )  # fmt: skip


def price(alphabet: LineAlphabet, line: Sequence[int], moments: Sequence[Moment], rules: Sequence[Rule]) -> float:
    """Return what the audit charges a line: the costs of its violations, infinite where a law is broken."""
    notes = alphabet.decode(np.array(line))
    heard = [LineNote(note.onset_steps, note.end_steps, note.pitch) for note in notes]
    return math.fsum(violation.rule.cost for violation in audit_line(heard, moments, rules))
