"""Random moments and rules over a few pitches around middle C, and a judge that is the audit alone."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
from hypothesis import strategies as st

from symgen.alphabet import LineAlphabet
from theory.audit import LineNote, audit_line
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter
from theory.rules import (
    AllOf,
    AnyOf,
    Cadence,
    ChordTonesOnStrongBeats,
    ClimaxOnce,
    Contains,
    Contour,
    Density,
    EndOn,
    Event,
    InBars,
    InChordScale,
    InKey,
    LargestLeap,
    LeapRecovery,
    Lock,
    Moment,
    Motif,
    NoAvoidNotes,
    NonChordTones,
    NoQuotes,
    NoRests,
    Not,
    NoteLength,
    NoTritoneOutline,
    PassThrough,
    Range,
    RepeatedNotes,
    Rhythm,
    Rule,
    RuleWithMemory,
    SameBars,
    StartOn,
    Tessitura,
)
from theory.rules.figures import FIGURES

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


@dataclass(frozen=True)
class Grumpy(RuleWithMemory):
    """A user's own rule with a memory: it hates every third thing of a kind that its seed names."""

    seed: int = 0

    def start(self, moments: Sequence[Moment]) -> int:
        return self.seed % 3

    def after(self, memory: int, event: Event, moment: Moment) -> tuple[int, int]:
        minds = hash((self.seed, event, moment.level)) % 2 == 0
        return (memory + minds) % 3, int(minds and memory == 2)

    def at_end(self, memory: int, last: int | None, moment: Moment) -> int:
        return int(memory == 1 and last is not None)


def place(step: int) -> tuple[int, Fraction]:
    """Return bar and beat of a step."""
    return 1 + step // COUNTS_IN_BAR, Fraction(1 + step % COUNTS_IN_BAR)


def _moment(step: int, level: int, key: Key | None, chord: Chord | None) -> Moment:
    bar, beat = place(step)
    return Moment(bar, beat, level, key, chord, Meter(COUNTS_IN_BAR, 4), Fraction(1))


def moments(n_steps: int) -> st.SearchStrategy[list[Moment]]:
    """Draw a moment for each step; key and chord may change anywhere and be unknown."""
    levels = st.integers(0, 3)
    keys = st.none() | st.sampled_from(["C", "A minor", "Eb", "F# dorian"]).map(Key.parse)
    chords = st.none() | st.sampled_from(["C", "Am", "E7", "Bdim", "Db", "N.C.", "F#sus4"]).map(Chord.parse)
    drawn = st.lists(st.tuples(levels, keys, chords), min_size=n_steps, max_size=n_steps)
    return drawn.map(lambda rows: [_moment(step, *row) for step, row in enumerate(rows)])


@cache  # a strategy is slow to build
def rules(
    alphabet: LineAlphabet, n_steps: int, costs: tuple[float, ...] = (math.inf, 0.25, 3.0)
) -> st.SearchStrategy[Rule]:
    """Draw a rule that bites on a few pitches and steps, of any kind there is; some are made of others."""
    plain = _plain_rules(alphabet, n_steps, costs)
    cost, bar = st.sampled_from(costs), st.integers(1, 1 + n_steps // COUNTS_IN_BAR)
    return st.recursive(
        plain,
        lambda parts: (
            st.builds(lambda some, cost: AllOf(tuple(some), cost=cost), st.lists(parts, min_size=2, max_size=2), cost)
            | st.builds(lambda some, cost: AnyOf(tuple(some), cost=cost), st.lists(parts, min_size=2, max_size=3), cost)
            | st.builds(lambda part, cost: Not(part, cost=cost), parts, cost)
            | st.builds(lambda r, a, b, cost: InBars(r, min(a, b), max(a, b), cost=cost), parts, bar, bar, cost)
        ),
        max_leaves=3,
    )


def _plain_rules(alphabet: LineAlphabet, n_steps: int, costs: Sequence[float]) -> st.SearchStrategy[Rule]:
    cost, few = st.sampled_from(costs), st.integers(1, 3)
    pitch = st.integers(alphabet.low, alphabet.high)
    bar, beat = st.integers(1, 1 + n_steps // COUNTS_IN_BAR), st.integers(1, COUNTS_IN_BAR)
    two_pitches = st.tuples(pitch, pitch).map(sorted)
    two_bars = st.tuples(st.integers(0, 2), st.integers(0, 2)).filter(lambda bars: not 0 < bars[1] < bars[0])
    classes = st.frozensets(pitch.map(lambda p: p % 12), min_size=1)
    degrees = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple)
    named = st.one_of(classes.map(lambda found: (found, ())), degrees.map(lambda found: (frozenset(), found)))
    length = st.sampled_from([Fraction(0), Fraction(1), Fraction(3, 2), Fraction(2), Fraction(3)])
    lengths = st.tuples(length, length).map(sorted).filter(lambda pair: pair[1] > 0)
    note = st.tuples(st.sampled_from([*map(str, range(alphabet.low, alphabet.high + 1)), "rest"]), st.integers(1, 2))
    motif = st.lists(note, min_size=1, max_size=3).filter(lambda notes: any(name != "rest" for name, _ in notes))
    tune = st.lists(pitch.map(str), min_size=2, max_size=5).map(" ".join)
    by = st.sampled_from(["interval", "pitch"])
    same = st.sampled_from([(2, 1, 1), (3, 1, 1), (3, 2, 1)])
    return st.one_of(
        *(st.builds(kind, cost=cost) for kind in (InKey, InChordScale, ChordTonesOnStrongBeats)),
        *(st.builds(kind, cost=cost) for kind in (NoTritoneOutline, Reattack)),
        st.builds(NoAvoidNotes, st.booleans(), cost=cost),
        st.builds(Moody, st.integers(0, 99), cost=cost),
        st.builds(Grumpy, st.integers(0, 99), cost=cost),
        st.builds(lambda pair, cost: Range(*pair, cost=cost), two_pitches, cost),
        st.builds(lambda pair, cost: Tessitura(*pair, cost=cost), two_pitches, cost),
        st.builds(LargestLeap, st.integers(0, 3), cost=cost),
        st.builds(LeapRecovery, few, few, cost=cost),
        st.builds(RepeatedNotes, few, cost=cost),
        st.builds(NonChordTones, st.lists(st.sampled_from(FIGURES), unique=True).map(tuple), cost=cost),
        st.builds(lambda a, b, cost: Density(min(a, b), max(a, b), cost=cost), st.integers(0, 3), few, cost),
        st.builds(lambda pair, cost: NoteLength(*pair, cost=cost), lengths, cost),
        st.builds(NoteLength, length, cost=cost),
        st.builds(Rhythm, st.text("x-.?~", min_size=1, max_size=3), cost=cost),
        st.builds(NoRests, st.sampled_from(["nowhere", "off strong beats", "off beats", "bar ends"]), cost=cost),
        st.builds(lambda pair, cost: StartOn(*pair, cost=cost), named, cost),
        st.builds(lambda pair, cost: EndOn(*pair, cost=cost), named, cost),
        st.builds(Cadence, bar, st.sampled_from(["authentic", "imperfect", "half", "open"]), st.booleans(), cost=cost),
        st.builds(Contour, st.sampled_from(["rising", "falling", "arch", "valley"]), cost=cost),
        st.builds(lambda pair, cost: ClimaxOnce(*pair, cost=cost), two_bars, cost),
        st.builds(PassThrough, bar, beat, pitch, st.integers(0, 2), cost=cost),
        st.builds(Lock, bar, beat, st.none() | pitch, cost=cost),
        st.builds(
            lambda bar, beat, notes, moved, cost: Motif(
                bar, Fraction(beat), " ".join(f"{name}:{length}" for name, length in notes), moved, cost=cost
            ),
            bar, beat, motif, st.booleans(), cost,
        ),
        st.builds(lambda three, cost: SameBars(*three, cost=cost), same, cost),
        st.builds(lambda tunes, n, by, cost: NoQuotes(tuple(tunes), n, by, cost=cost),
                  st.lists(tune, max_size=2), st.integers(2, 4), by, cost),
        st.builds(Contains, tune, by, cost=cost),
    )  # fmt: skip


def rule_lists(
    alphabet: LineAlphabet,
    n_steps: int,
    costs: Sequence[float] = (math.inf, 0.25, 3.0),
    min_size: int = 0,
    max_size: int = 5,
) -> st.SearchStrategy[list[Rule]]:
    """Draw some rules."""
    return st.lists(rules(alphabet, n_steps, tuple(costs)), min_size=min_size, max_size=max_size)


def price(alphabet: LineAlphabet, line: Sequence[int], moments: Sequence[Moment], rules: Sequence[Rule]) -> float:
    """Return what the audit charges a line: the costs of its violations, infinite where a law is broken."""
    notes = alphabet.decode(np.array(line))
    heard = [LineNote(note.onset_steps, note.end_steps, note.pitch) for note in notes]
    return math.fsum(violation.rule.cost for violation in audit_line(heard, moments, rules))
