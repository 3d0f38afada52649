"""Progressions: laid out over the bars of a piece, or composed when none is given.

A composed progression is a line on a lattice of its own (:mod:`symgen.pipeline.chordchain`): half bars (or bars) are
the steps, the chords of a style's graph (:mod:`theory.harmony`) are the symbols, and the line is drawn from what the
corpus does, given the laws of the form: how phrases open and close, and how the key changes.

>>> song = compose_progression(Key.parse("G"), 8, np.random.default_rng(1), style="folk")
>>> str(song.bars[0][0].chord), str(song.bars[-1][0].chord)
('G', 'G')
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from symgen.errors import RequestError, ScoreError
from symgen.grid import BarMap
from symgen.pipeline.chordchain import (
    CLOSED_STYLES,
    CLOSING,
    OPEN,
    ChordChain,
    ChordModel,
    Stretch,
    Walk,
    is_diatonic,
    is_rest,
    is_tonic,
    laws_of,
    mask,
    model_of,
)
from symgen.pipeline.form import Form
from symgen.score import ChordChange
from theory.chord import Chord
from theory.harmony import PHRASE_SLOTS, STYLES
from theory.key import Key
from theory.progression import ChordSpan, Progression

__all__ = ["chord_changes", "compose_progression"]

_PHRASE_BARS = PHRASE_SLOTS // 2
_N_WALKS = 32
"""Progressions drawn where letters must come back."""

_Test = Callable[[Chord, Key], bool]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is asked of the whole piece; the last bar is one slot, however many the others have.

    ``phrases`` are the bars after each phrase but the last, and whether it ends as the piece does.
    """

    n_bars: int
    slots_per_bar: int
    style: str
    chromatic: bool
    starts: tuple[int, ...]
    phrases: tuple[tuple[int, bool], ...]
    is_lettered: bool

    @classmethod
    def of(cls, n_bars: int, slots_per_bar: int, style: str, form: Form | None, *, chromatic: bool) -> _Frame:
        if form is None:
            ends = range(_PHRASE_BARS, n_bars - 1, _PHRASE_BARS)
            phrases = tuple((end, end // _PHRASE_BARS % 2 == 0) for end in ends)
            starts = tuple(range(0, n_bars, _PHRASE_BARS))
        else:
            phrases = tuple((section.end, form.closes(i)) for i, section in enumerate(form.sections[:-1]))
            starts = tuple(section.first for section in form.sections)
        return cls(n_bars, slots_per_bar, style, chromatic, starts, phrases, form is not None)

    @property
    def n_slots(self) -> int:
        return (self.n_bars - 1) * self.slots_per_bar + 1

    def slots(self, bar: int) -> range:
        """Return the slots of a bar."""
        return range(bar * self.slots_per_bar, min((bar + 1) * self.slots_per_bar, self.n_slots))

    def kinds(self, slots: range) -> NDArray[np.int64]:
        """Return the place in its phrase of each slot, in half bars."""
        bars = np.array(slots) // self.slots_per_bar
        phrase = np.searchsorted(self.starts, bars, side="right") - 1
        first = np.array(self.starts)[phrase] * self.slots_per_bar
        places: NDArray[np.int64] = (np.array(slots) - first) * (2 // self.slots_per_bar) % PHRASE_SLOTS
        return places

    def closing(self, style: str, *, phrases: bool) -> dict[int, _Test]:
        """Return what must stand where the piece and its phrases end."""
        size = self.slots_per_bar
        tests: dict[int, _Test] = {self.n_slots - 1: is_rest}
        if self.n_slots > 2:
            tests[self.n_slots - 2] = CLOSING[style]
        for end, is_closed in self.phrases if phrases else ():
            if not is_closed:
                tests.setdefault(end * size - 1, OPEN[style])
            elif self.is_lettered or style in CLOSED_STYLES:
                tests.setdefault((end - 1) * size, is_rest)
                tests.setdefault((end - 1) * size - 1, CLOSING[style])
        return tests


def compose_progression(
    key: Key,
    n_bars: int,
    rng: np.random.Generator,
    *,
    style: str = "pop",
    sources: Sequence[int] | None = None,
    modulations: Sequence[tuple[int, Key]] = (),
    chords_per_bar: int = 2,
    chromatic: bool = True,
    form: Form | None = None,
) -> Progression:
    """Compose a progression as a style has them.

    Parameters
    ----------
    key
        The key at the start. Modes other than major and minor have the triads on their degrees.
    n_bars
        At least 1.
    rng
        Source of chance.
    style
        One of :data:`theory.harmony.STYLES`.
    sources
        For each bar the bar whose chords it has, itself where it is new; all new if left out.
    form
        Letters of phrases, in place of ``sources`` and of phrases of four bars: each ends open, but the last one, and
        those with the same letter, as the piece does; the same letter has the same chords.
    modulations
        Bars, counted from 1, ascending and after the first, and the keys that hold from them.
    chords_per_bar
        At most so many, 1 or 2.
    chromatic
        Whether chords with notes from outside of the key may appear: secondary dominants, mixture.

    Raises
    ------
    RequestError
        If one of these is out of range.

    Notes
    -----
    The laws: a piece begins with a chord of the key that pieces begin with, in folk, classical and chorale style with a
    tonic. Of two phrases of four bars the first ends open (on the dominant; in lead sheets on any dominant seventh, in
    pop on anything but a tonic), the second on the tonic (in lead sheets and pop: as it likes), unless the piece ends a
    bar later. The last bar is the tonic, in root position, and comes from the dominant, in pop also from IV or VII.
    Before a modulation stands a chord that both keys have, or the new dominant; only where no such chord leads on, the
    new key begins as a piece does.

    The draw is exact, given these laws, where no bar repeats another. A bar that repeats an earlier one of the same
    key takes its chords if it lawfully can, and is new otherwise. Under a form several progressions are drawn so that
    the copies are taken, and one of them is chosen by how likely its copies were where they stand: the more are drawn
    the nearer this comes to the law given that the letters come back. The time is linear in the bars.
    """
    _check(n_bars, style, modulations, chords_per_bar)
    frame = _Frame.of(n_bars, chords_per_bar, style, form, chromatic=chromatic)
    spans = _spans(frame, key, modulations)
    chain = _chain(frame, spans, phrases=True)
    if not chain.is_possible:  # phrases too short for the closes that are asked of them
        chain = _chain(frame, spans, phrases=False)
    assert chain.is_possible
    if form is None:
        walk = chain.walk(rng, _copies(frame, spans, {} if sources is None else dict(enumerate(sources))))
    else:
        walk = _lettered_walk(frame, spans, chain, form, rng)
    bars = [[walk.chords[slot] for slot in frame.slots(bar)] for bar in range(n_bars)]
    return Progression(tuple(tuple(ChordSpan(chord) for chord in _without_repeats(bar)) for bar in bars))


def chord_changes(progression: Progression, bars: BarMap) -> tuple[ChordChange, ...]:
    """Return the chords of a piece, repeating the progression to its end.

    Raises
    ------
    ScoreError
        If a chord would start between two steps.
    """
    changes: list[ChordChange] = []
    for bar, meter in enumerate(bars.meters):
        for quarters, chord in progression.bar_layout(bar, meter):
            steps = quarters * bars.steps_per_quarter
            if steps.denominator != 1:
                msg = f"bar {bar + 1}: chord {chord} starts between two steps of {bars.steps_per_quarter} a quarter"
                raise ScoreError(msg)
            if not changes or changes[-1].chord != chord:
                changes.append(ChordChange(int(bars.starts[bar]) + int(steps), chord))
    return tuple(changes)


def _check(n_bars: int, style: str, modulations: Sequence[tuple[int, Key]], chords_per_bar: int) -> None:
    if n_bars < 1:
        msg = f"bars {n_bars}: expected at least 1"
        raise RequestError(msg)
    if style not in STYLES:
        msg = f"style {style!r} of the chords: expected one of {', '.join(STYLES)}"
        raise RequestError(msg)
    if chords_per_bar not in {1, 2}:
        msg = f"chords in a bar {chords_per_bar}: expected 1 or 2"
        raise RequestError(msg)
    starts = [bar for bar, _ in modulations]
    if any(b <= a for a, b in pairwise([1, *starts, n_bars + 1])):
        msg = f"modulations at bars {', '.join(map(str, starts))}: expected ascending bars from 2 to {n_bars}"
        raise RequestError(msg)


def _spans(frame: _Frame, key: Key, modulations: Sequence[tuple[int, Key]]) -> list[tuple[range, Key]]:
    """Return the slots of each key."""
    starts = [0, *((bar - 1) * frame.slots_per_bar for bar, _ in modulations)]
    keys = [key, *(new for _, new in modulations)]
    return [(range(a, b), there) for a, b, there in zip(starts, [*starts[1:], frame.n_slots], keys, strict=True)]


def _chain(frame: _Frame, spans: Sequence[tuple[range, Key]], *, phrases: bool) -> ChordChain:
    stretches = []
    for slots, key in spans:
        model = model_of(frame.style, key)
        allowed = _laws(frame, slots, key, model, phrases=phrases)
        stretches.append(Stretch(key, model, np.where(allowed, 0.0, -np.inf), frame.kinds(slots)))
    return ChordChain.of(stretches)


def _laws(frame: _Frame, slots: range, key: Key, model: ChordModel, *, phrases: bool) -> NDArray[np.bool_]:
    """Return which chords may stand where, shape (slots, chords). What leads to a new key is not bound to close."""
    style = laws_of(frame.style, key)
    allowed = np.ones((len(slots), len(model.chords)), dtype=np.bool_)
    if not frame.chromatic:
        allowed &= mask(model, is_diatonic)
    if slots.start == 0 and style in CLOSED_STYLES:
        allowed[0] &= mask(model, is_tonic)
    leads_over = slots.stop < frame.n_slots
    for slot, test in frame.closing(style, phrases=phrases).items():
        if slot in slots and not (leads_over and slot >= slots.stop - frame.slots_per_bar):
            allowed[slot - slots.start] &= mask(model, test)
    return allowed


def _copies(
    frame: _Frame, spans: Sequence[tuple[range, Key]], sources: Mapping[int, int]
) -> dict[int, tuple[int, ...]]:
    """Return, for the first slot of each bar that repeats another of its key, the slots it repeats."""
    copies: dict[int, tuple[int, ...]] = {}
    for bar, source in sources.items():
        here, there = frame.slots(bar), frame.slots(source)
        first = next(slots.start for slots, _ in spans if here.start in slots)
        if first <= there.start < here.start:
            copies[here.start] = tuple(there)[: len(here)]
    return copies


def _lettered_walk(
    frame: _Frame, spans: Sequence[tuple[range, Key]], chain: ChordChain, form: Form, rng: np.random.Generator
) -> Walk:
    """Draw progressions until some have all the copies of a form, or at least those of its letters; choose one."""
    closes = [end - 1 for end, is_closed in frame.phrases if is_closed] if frame.slots_per_bar == 2 else []
    # The last bar has one chord, so the bars that are to be like it have.
    single = {2 * bar + 1: (2 * bar,) for bar in closes}
    again = _copies(frame, spans, form.repeated_bars())
    varied = _copies(frame, spans, _varied_bars(form))
    for copies in (single | varied | again, single | again):
        walks = [walk for walk in (chain.walk(rng, copies) for _ in range(_N_WALKS)) if not walk.missed]
        if walks:
            weight = np.exp([walk.log_forced - max(w.log_forced for w in walks) for walk in walks])
            return walks[int(rng.choice(len(walks), p=weight / weight.sum()))]
    return chain.walk(rng, varied | again)


def _varied_bars(form: Form) -> dict[int, int]:
    """Return for each bar of a variation the bar whose chords it has: not where one ends open and the other closed."""
    bars: dict[int, int] = {}
    for number, section in enumerate(form.sections):
        if section.varies is not None:
            base = form.sections[section.varies]
            alike = form.closes(number) == form.closes(section.varies)
            n_bars = section.n_bars if alike else max(section.opening_bars, section.n_bars - 2)
            bars |= {section.first + bar: base.first + bar for bar in range(n_bars)}
    return bars


def _without_repeats(chords: Sequence[Chord]) -> list[Chord]:
    return [chord for index, chord in enumerate(chords) if index == 0 or chord != chords[index - 1]]
