"""Progressions: laid out over the bars of a piece, or composed when none is given.

A composed progression is a line on a lattice of its own: half bars (or bars) are the steps, the chords of a style's
graph (:mod:`theory.harmony`) are the symbols, and the line is drawn from what the corpus does, given the laws of the
form: how phrases open and close, and how the key changes.

>>> song = compose_progression(Key.parse("G"), 8, np.random.default_rng(1), style="folk")
>>> str(song.bars[0][0].chord), str(song.bars[-1][0].chord)
('G', 'G')
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD, Automaton
from symgen.decode.infer import log_backward
from symgen.decode.lattice import Lattice
from symgen.errors import RequestError, ScoreError
from symgen.grid import BarMap
from symgen.score import ChordChange
from theory.chord import Chord
from theory.function import Function, degree_chords, function_of, succession_weights
from theory.harmony import PHRASE_SLOTS, STYLES, in_key, plain, progression_graph
from theory.key import Key
from theory.pitch import Spelling
from theory.progression import ChordSpan, Progression

__all__ = ["chord_changes", "compose_progression"]

_PHRASE_BARS = PHRASE_SLOTS // 2
_MIN_START = 0.02  # a chord that fewer pieces begin with, or one from outside of the key, begins none of ours
_TABLE_MODES = frozenset({"major", "minor", "harmonic minor", "melodic minor"})
_MODAL_CHANGES = (0.9, 0.2)  # chances at a bar line and within the bar, where no corpus says
_C = Spelling(0)
_Test = Callable[[Chord, Key], bool]


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """A graph as an automaton: state 0 is the start, the others know the last chord, some of them the last two.

    ``chords`` are written in C, the tonic of ``home``; ``chord_of[state]`` is an index into them, -1 for the start.
    The state of the bare chord ``i`` is ``i + 1``.
    """

    home: Key
    chords: tuple[Chord, ...]
    automaton: Automaton
    chord_of: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """Half bars in one key, numbered from the start of the piece."""

    slots: range
    key: Key
    model: _Model


@dataclass(frozen=True, slots=True)
class _Form:
    """What is asked of the whole piece; the last bar is one slot, however many the others have."""

    n_bars: int
    slots_per_bar: int
    style: str
    chromatic: bool

    @property
    def n_slots(self) -> int:
        return (self.n_bars - 1) * self.slots_per_bar + 1

    def kinds(self, slots: range) -> NDArray[np.int64]:
        """Return the place in its phrase of each slot, in half bars."""
        return np.array(slots) * (2 // self.slots_per_bar) % PHRASE_SLOTS


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
    key takes its chords if it lawfully can, and is new otherwise. The time is linear in the bars.
    """
    _check(n_bars, style, modulations, chords_per_bar)
    form = _Form(n_bars, chords_per_bar, style, chromatic)
    stretches = _stretches(form, key, modulations)
    drawn: list[Chord] = []
    entry = 0
    for stretch, (lattice, table, entries) in zip(stretches, _tables(form, stretches), strict=True):
        copied = _copied_bars(form, stretch, range(n_bars) if sources is None else sources)
        symbols, state = _walk(lattice, table, rng, state=entry, copied=copied, slots_per_bar=chords_per_bar)
        entry = int(entries[state])
        chords = {symbol: in_key(stretch.model.chords[symbol], stretch.key) for symbol in set(symbols)}
        drawn += [chords[symbol] for symbol in symbols]
    bars = [drawn[start : start + chords_per_bar] for start in range(0, len(drawn), chords_per_bar)]
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


def _stretches(form: _Form, key: Key, modulations: Sequence[tuple[int, Key]]) -> list[_Stretch]:
    starts = [0, *((bar - 1) * form.slots_per_bar for bar, _ in modulations)]
    keys = [key, *(new for _, new in modulations)]
    return [
        _Stretch(range(start, end), there, _model_of(form.style, there))
        for start, end, there in zip(starts, [*starts[1:], form.n_slots], keys, strict=True)
    ]


def _tables(form: _Form, stretches: list[_Stretch]) -> list[tuple[Lattice, NDArray[np.float64], NDArray[np.int64]]]:
    """Return for each stretch its lattice, the backward sums, and which state each state enters the next one in."""
    found: list[tuple[Lattice, NDArray[np.float64], NDArray[np.int64]]] = []
    for number in range(len(stretches) - 1, -1, -1):
        here = stretches[number]
        direct = np.zeros(len(here.model.chord_of), dtype=np.int64)
        entries = direct if number == len(stretches) - 1 else _pivots(here, stretches[number + 1])
        beyond = None if number == len(stretches) - 1 else found[0][1][0]
        lattice = _lattice(form, here, entries, beyond)
        table = log_backward(lattice)
        if np.isneginf(table[0, 0]) and beyond is not None:  # no chord leads over: the new key begins anew
            entries = direct
            lattice = _lattice(form, here, entries, beyond)
            table = log_backward(lattice)
        assert not np.isneginf(table[0, 0])
        found.insert(0, (lattice, table, entries))
    return found


def _lattice(form: _Form, stretch: _Stretch, entries: NDArray[np.int64], beyond: NDArray[np.float64] | None) -> Lattice:
    """Return the lattice of a stretch; ``beyond`` weighs what follows each state of the next one."""
    log_final = None if beyond is None else np.where(entries < 0, -np.inf, beyond[entries])
    allowed = _laws(form, stretch)
    log_symbol = np.where(allowed, 0.0, -np.inf)
    return Lattice.build(stretch.model.automaton, log_symbol, kind=form.kinds(stretch.slots), log_final=log_final)


def _laws(form: _Form, stretch: _Stretch) -> NDArray[np.bool_]:
    """Return which chords may stand where, shape (slots, chords). What leads to a new key is not bound to close."""
    model, size = stretch.model, form.slots_per_bar
    style = STYLES[form.style] if stretch.key.mode in _TABLE_MODES or len(stretch.key.semitones) != 7 else "pop"
    allowed = np.ones((len(stretch.slots), len(model.chords)), dtype=np.bool_)
    if not form.chromatic:
        allowed &= _mask(model, _is_diatonic)
    if stretch.slots.start == 0 and style in _CLOSED_STYLES:
        allowed[0] &= _mask(model, _is_tonic)
    closing: dict[int, _Test] = {form.n_slots - 1: _is_rest}
    if form.n_slots > 2:
        closing[form.n_slots - 2] = _CLOSING[style]
    for end in range(_PHRASE_BARS, form.n_bars - 1, _PHRASE_BARS):
        is_open = end // _PHRASE_BARS % 2 == 1
        if is_open:
            closing.setdefault(end * size - 1, _OPEN[style])
        elif style in _CLOSED_STYLES:
            closing.setdefault((end - 1) * size, _is_rest)
            closing.setdefault((end - 1) * size - 1, _CLOSING[style])
    leads_over = stretch.slots.stop < form.n_slots
    for slot, test in closing.items():
        if slot in stretch.slots and not (leads_over and slot >= stretch.slots.stop - size):
            allowed[slot - stretch.slots.start] &= _mask(model, test)
    return allowed


@cache
def _mask(model: _Model, test: _Test) -> NDArray[np.bool_]:
    """Return for which chords of a model a test holds."""
    return np.array([test(chord, model.home) for chord in model.chords])


def _is_diatonic(chord: Chord, key: Key) -> bool:
    """Whether a chord has only notes of the key, in minor on V and vii also the leading tone."""
    assert chord.root is not None
    raised = {(key.tonic.pitch_class + 11) % 12} if key.is_minor and _above(chord, key) in {7, 11} else set()
    return chord.pitch_classes <= key.pitch_classes | raised


def _is_tonic(chord: Chord, key: Key) -> bool:
    return function_of(chord, key) is Function.TONIC and _above(chord, key) == 0


def _is_rest(chord: Chord, key: Key) -> bool:
    """Whether a chord is the tonic of its mode in root position; a sixth or a major seventh may stand on it."""
    third = 3 if key.is_minor else 4
    is_plain = {0, third, 7} <= set(chord.semitones) <= {0, third, 7, 9, 11}
    return _above(chord, key) == 0 and chord.bass is None and is_plain


def _is_dominant(chord: Chord, key: Key) -> bool:
    """Whether a chord is V or V7 in root position."""
    return _above(chord, key) == 7 and chord.bass is None and {0, 4, 7} <= set(chord.semitones) <= {0, 4, 7, 10}


def _is_any_dominant(chord: Chord, key: Key) -> bool:
    """Whether a chord is a dominant, of the key or of one of its degrees."""
    return function_of(chord, key) is Function.DOMINANT or {0, 4, 10} <= set(chord.semitones)


def _is_unrest(chord: Chord, key: Key) -> bool:
    return function_of(chord, key) is not Function.TONIC


def _leads_home(chord: Chord, key: Key) -> bool:
    """Whether a chord is one that pop goes home from: V, IV or VII, in root position."""
    has_fifth = 7 in chord.semitones and chord.bass is None
    return has_fifth and _above(chord, key) in {5, 7, 10}


_OPEN: MappingProxyType[str, _Test] = MappingProxyType(
    {"pop": _is_unrest, "lead-sheet": _is_any_dominant, "folk": _is_dominant}
    | {"classical": _is_dominant, "chorale": _is_dominant}
)
_CLOSING: MappingProxyType[str, _Test] = MappingProxyType(
    {"pop": _leads_home, "lead-sheet": _is_dominant, "folk": _is_dominant}
    | {"classical": _is_dominant, "chorale": _is_dominant}
)
_CLOSED_STYLES = frozenset({"folk", "classical", "chorale"})


def _above(chord: Chord, key: Key) -> int:
    """Return how far the root lies above the tonic, in semitones."""
    assert chord.root is not None
    return (chord.root.pitch_class - key.tonic.pitch_class) % 12


def _pivots(here: _Stretch, there: _Stretch) -> NDArray[np.int64]:
    """Return for each state the state of the next stretch that has its chord; -1 where it can't lead over.

    A chord leads over that is diatonic in both keys, or the dominant of the new one.
    """
    new_states = {_notes(chord): index + 1 for index, chord in enumerate(there.model.chords)}
    entries = np.full(len(here.model.chord_of), -1, dtype=np.int64)
    for state, index in enumerate(here.model.chord_of.tolist()):
        if index < 0:
            continue
        chord = in_key(here.model.chords[index], here.key)
        is_common = _is_diatonic(chord, here.key) and _is_diatonic(chord, there.key)
        if is_common or _is_dominant(chord, there.key):
            entries[state] = new_states.get(_notes(plain(chord, there.key)), -1)
    return entries


def _notes(chord: Chord) -> tuple[int | None, tuple[int, ...], int | None]:
    """Return what makes a chord, however it is spelled."""
    return (None if chord.root is None else chord.root.pitch_class, chord.semitones, chord.bass_pitch_class)


def _copied_bars(form: _Form, stretch: _Stretch, sources: Sequence[int]) -> dict[int, int]:
    """Return slot -> slot that it repeats, both counted within the stretch."""
    size, start = form.slots_per_bar, stretch.slots.start
    return {
        slot - start: sources[slot // size] * size + slot % size - start
        for slot in stretch.slots
        if start <= sources[slot // size] * size < slot // size * size
    }


def _walk(
    lattice: Lattice,
    table: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    state: int,
    copied: dict[int, int],
    slots_per_bar: int,
) -> tuple[list[int], int]:
    """Draw a line forward from a state, copying bars where that is lawful; return it and the last state."""
    symbols: list[int] = []
    while len(symbols) < lattice.n_steps:
        step = len(symbols)
        size = min(slots_per_bar - step % slots_per_bar, lattice.n_steps - step)
        starts_bar = step % slots_per_bar == 0
        wanted = [symbols[copied[slot]] for slot in range(step, step + size) if starts_bar and slot in copied]
        states = _follow(lattice, table, step, state, wanted) if wanted else []
        if not states:
            wanted, states = _draw(lattice, table, rng, step, state)
        symbols += wanted
        state = states[-1]
    return symbols, state


def _follow(lattice: Lattice, table: NDArray[np.float64], step: int, state: int, symbols: list[int]) -> list[int]:
    """Return the states that some symbols lead through; none where a law forbids them or what comes after."""
    states = []
    for slot, symbol in enumerate(symbols, step):
        state = int(lattice.automaton.next_state[lattice.kind[slot], state, symbol])
        if state == DEAD or np.isneginf(lattice.log_symbol[slot, symbol] + table[slot + 1, state]):
            return []
        states.append(state)
    return states


def _draw(
    lattice: Lattice, table: NDArray[np.float64], rng: np.random.Generator, step: int, state: int
) -> tuple[list[int], list[int]]:
    """Draw a symbol with its exact chance given the state and all laws to come."""
    kind = lattice.kind[step]
    targets = lattice.automaton.next_state[kind, state]
    log_weight = lattice.automaton.log_weight[kind, state] + lattice.log_symbol[step]
    log_weight = np.where(targets == DEAD, -np.inf, log_weight + table[step + 1, targets])
    weight = np.exp(log_weight - log_weight.max())
    total = np.cumsum(weight)
    symbol = int(np.searchsorted(total, rng.random() * total[-1], side="right"))
    return [symbol], [int(targets[symbol])]


def _without_repeats(chords: list[Chord]) -> list[Chord]:
    return [chord for index, chord in enumerate(chords) if index == 0 or chord != chords[index - 1]]


def _model_of(style: str, key: Key) -> _Model:
    """Return the model of a key: by the tables, or in the church modes by degrees."""
    if key.mode in _TABLE_MODES or len(key.semitones) != 7:
        return _table_model(STYLES[style], "minor" if key.is_minor else "major")
    return _degree_model(key.mode)


@cache
def _table_model(style: str, mode: str) -> _Model:
    graph = progression_graph(style, mode)
    n_chords, n_pairs = len(graph.chords), len(graph.pairs)
    chord_of = np.concatenate([[-1], np.arange(n_chords), graph.pairs[:, 1]])
    state_after = np.tile(1 + np.arange(n_chords), (n_chords, 1))  # by the last chord and the next
    state_after[graph.pairs[:, 0], graph.pairs[:, 1]] = 1 + n_chords + np.arange(n_pairs)
    home = Key(_C, mode)
    is_usual = graph.starts >= _MIN_START * graph.starts.sum()
    starts = np.where(is_usual & [_is_diatonic(chord, home) for chord in graph.chords], graph.starts, 0)
    automaton = _automaton(chord_of, state_after, starts, graph.log_successions(), graph.change_chances())
    return _Model(home, graph.chords, automaton, chord_of)


@cache
def _degree_model(mode: str) -> _Model:
    home = Key(_C, mode)
    weights = succession_weights(home)
    np.fill_diagonal(weights, 0.0)
    with np.errstate(divide="ignore"):
        log_successions = np.log(weights / weights.sum(axis=1, keepdims=True))
    chances = np.tile(np.array(_MODAL_CHANGES * _PHRASE_BARS)[:, None], (1, 7))
    state_after = np.tile(1 + np.arange(7), (7, 1))
    chord_of = np.arange(-1, 7)
    return _Model(
        home, degree_chords(home), _automaton(chord_of, state_after, np.eye(7)[0], log_successions, chances), chord_of
    )


def _automaton(
    chord_of: NDArray[np.int64],
    state_after: NDArray[np.int64],
    starts: NDArray[np.floating] | NDArray[np.int64],
    log_successions: NDArray[np.float64],
    chances: NDArray[np.float64],
) -> Automaton:
    """Return the automaton in which a chord stays, or gives way to the next; one kind of step for each place.

    ``state_after[last, next]`` is the state after a change, ``log_successions[state - 1]`` the log chance of it,
    ``chances[place, last]`` the chance that the last chord gives way there.
    """
    last = chord_of[1:]
    with np.errstate(divide="ignore"):
        log_start = np.log(starts / starts.sum())
        log_change, log_stay = np.log(chances[:, last]), np.log1p(-chances[:, last])
    log_weight = log_change[:, :, None] + log_successions
    log_weight[:, np.arange(len(last)), last] = log_stay
    log_weight = np.concatenate([np.broadcast_to(log_start, (len(chances), 1, len(log_start))), log_weight], axis=1)
    targets = state_after[last]
    targets[np.arange(len(last)), last] = 1 + np.arange(len(last))
    targets = np.concatenate([1 + np.arange(len(log_start))[None], targets])
    next_state = np.where(np.isneginf(log_weight), DEAD, targets).astype(np.int32)
    return Automaton(next_state, log_weight, np.zeros(len(chord_of)), chord_of.astype(np.int32)[:, None])
