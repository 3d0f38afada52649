"""The chain of chords: a style's graph as an automaton over half bars, stretch by stretch of one key, summed and drawn.

The states know the last chord, some of them the last two; a slot (half a bar, or a bar) is a step, its place in a
phrase of four bars the kind of step. What a slot weighs besides is up to who asks: laws of form where chords are
composed (:mod:`symgen.pipeline.harmony`), how they fit a melody where it is harmonised anew
(:mod:`symgen.pipeline.reharmonize`). Between two keys a chord leads over that both have, or the dominant of the new.

>>> key = Key.parse("G")
>>> model = model_of("folk", key)
>>> stretch = Stretch(key, model, np.where(mask(model, is_rest), 0.0, -np.inf)[None].repeat(2, axis=0), np.arange(2))
>>> walk = ChordChain.of([stretch]).walk(np.random.default_rng(1))
>>> [str(chord) for chord in walk.chords]
['G', 'G']
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD, Automaton
from symgen.decode.infer import log_backward
from symgen.decode.lattice import Lattice
from theory.chord import Chord
from theory.function import Function, degree_chords, function_of, succession_weights
from theory.harmony import PHRASE_SLOTS, STYLES, in_key, plain, progression_graph
from theory.key import Key
from theory.pitch import Spelling

__all__ = [
    "CLOSED_STYLES",
    "CLOSING",
    "OPEN",
    "ChordChain",
    "ChordModel",
    "Stretch",
    "Walk",
    "is_diatonic",
    "is_rest",
    "is_tonic",
    "laws_of",
    "mask",
    "model_of",
    "notes_of",
]

_MIN_START = 0.02  # a chord that fewer pieces begin with, or one from outside of the key, begins none of ours
_TABLE_MODES = frozenset({"major", "minor", "harmonic minor", "melodic minor"})
_MODAL_CHANGES = (0.9, 0.2)  # chances at a bar line and within the bar, where no corpus says
_C = Spelling(0)
_Test = Callable[[Chord, Key], bool]


@dataclass(frozen=True, slots=True, eq=False)
class ChordModel:
    """A graph as an automaton: state 0 is the start, the others know the last chord, some of them the last two.

    ``chords`` are written in C, the tonic of ``home``; ``chord_of[state]`` is an index into them, -1 for the start.
    The state of the bare chord ``i`` is ``i + 1``.
    """

    home: Key
    chords: tuple[Chord, ...]
    automaton: Automaton
    chord_of: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Slots in one key.

    Parameters
    ----------
    key
        Of all of them.
    model
        As :func:`model_of` gives it.
    log_symbol
        What each chord weighs at each slot besides the chain, ``-inf`` where it may not stand; (slots, chords).
    kinds
        Place of each slot in a phrase of four bars, in half bars, shape (slots,).
    """

    key: Key
    model: ChordModel
    log_symbol: NDArray[np.float64]
    kinds: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Walk:
    """Chords drawn, slot by slot.

    Parameters
    ----------
    chords
        In their keys.
    symbols
        Their indices in the models of their stretches.
    log_probability
        Of all of them.
    log_forced
        Of those that were copied, each given what was before it.
    missed
        Whether some should have been copied and could not.
    """

    chords: tuple[Chord, ...]
    symbols: tuple[int, ...]
    log_probability: float
    log_forced: float
    missed: bool


@dataclass(frozen=True, slots=True, eq=False)
class ChordChain:
    """Stretches with their sums.

    Parameters
    ----------
    stretches
        One after the other.
    lattices, tables
        Of each stretch, and its backward sums.
    entries
        Of each stretch, which state each state enters the next one in; -1 for none.
    """

    stretches: tuple[Stretch, ...]
    lattices: tuple[Lattice, ...]
    tables: tuple[NDArray[np.float64], ...]
    entries: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, stretches: Sequence[Stretch]) -> ChordChain:
        """Sum over stretches; where no chord leads over, the new key begins as a piece does."""
        lattices: list[Lattice] = []
        tables: list[NDArray[np.float64]] = []
        entries: list[NDArray[np.int64]] = []
        for number in range(len(stretches) - 1, -1, -1):
            here, is_last = stretches[number], number == len(stretches) - 1
            direct = np.zeros(len(here.model.chord_of), dtype=np.int64)
            beyond = None if is_last else tables[0][0]
            for entry in (direct,) if is_last else (_pivots(here, stretches[number + 1]), direct):
                lattice = _lattice(here, entry, beyond)
                table = log_backward(lattice)
                if not np.isneginf(table[0, 0]):
                    break
            lattices.insert(0, lattice)
            tables.insert(0, table)
            entries.insert(0, entry)
        return cls(tuple(stretches), tuple(lattices), tuple(tables), tuple(entries))

    @property
    def is_possible(self) -> bool:
        """Whether there are chords at all."""
        return not np.isneginf(self.tables[0][0, 0])

    def walk(self, rng: np.random.Generator, copies: Mapping[int, Sequence[int]] = MappingProxyType({})) -> Walk:
        """Draw chords, each with its exact chance given those before and all that is to come; there must be some.

        Parameters
        ----------
        rng
            Source of chance.
        copies
            Slot -> earlier slots of its stretch whose chords stand there and after it, wherever that is lawful.
        """
        symbols: list[int] = []
        chords: list[Chord] = []
        state, total, forced, missed = 0, 0.0, 0.0, False
        for stretch, lattice, table, entry in zip(
            self.stretches, self.lattices, self.tables, self.entries, strict=True
        ):
            first = len(symbols)
            while len(symbols) - first < lattice.n_steps:
                slot = len(symbols) - first
                wanted = [symbols[source] for source in copies.get(first + slot, ())]
                found = _follow(lattice, table, slot, state, wanted) if wanted else None
                missed = missed or (bool(wanted) and found is None)
                chosen, state, log_chance = found or _drawn(lattice, table, rng, slot, state)
                forced += log_chance if found else 0.0
                total += log_chance
                symbols += chosen
            chords += [in_key(stretch.model.chords[symbol], stretch.key) for symbol in symbols[first:]]
            state = int(entry[state])
        return Walk(tuple(chords), tuple(symbols), total, forced, missed)


def _lattice(stretch: Stretch, entries: NDArray[np.int64], beyond: NDArray[np.float64] | None) -> Lattice:
    """Return the lattice of a stretch; ``beyond`` weighs what follows each state of the next one."""
    log_final = None if beyond is None else np.where(entries < 0, -np.inf, beyond[entries])
    return Lattice.build(stretch.model.automaton, stretch.log_symbol, kind=stretch.kinds, log_final=log_final)


def _follow(
    lattice: Lattice, table: NDArray[np.float64], step: int, state: int, symbols: list[int]
) -> tuple[list[int], int, float] | None:
    """Return symbols, the state they lead to and their log chance; none where a law forbids them, now or later."""
    total = -float(table[step, state])
    for slot, symbol in enumerate(symbols, step):
        kind = lattice.kind[slot]
        total += float(lattice.automaton.log_weight[kind, state, symbol] + lattice.log_symbol[slot, symbol])
        state = int(lattice.automaton.next_state[kind, state, symbol])
        if state == DEAD or np.isneginf(lattice.log_symbol[slot, symbol] + table[slot + 1, state]):
            return None
    return symbols, state, total + float(table[step + len(symbols), state])


def _drawn(
    lattice: Lattice, table: NDArray[np.float64], rng: np.random.Generator, step: int, state: int
) -> tuple[list[int], int, float]:
    """Draw a symbol with its exact chance given the state and all that is to come."""
    kind = lattice.kind[step]
    targets = lattice.automaton.next_state[kind, state]
    log_weight = lattice.automaton.log_weight[kind, state] + lattice.log_symbol[step]
    log_weight = np.where(targets == DEAD, -np.inf, log_weight + table[step + 1, targets])
    weight = np.exp(log_weight - log_weight.max())
    total = np.cumsum(weight)
    symbol = int(np.searchsorted(total, rng.random() * total[-1], side="right"))
    return [symbol], int(targets[symbol]), float(np.log(weight[symbol] / total[-1]))


def laws_of(style: str, key: Key) -> str:
    """Return the name of the table whose laws of form a style has in a key: modes from elsewhere have those of pop."""
    return STYLES[style] if key.mode in _TABLE_MODES or len(key.semitones) != 7 else "pop"


@cache
def mask(model: ChordModel, test: _Test) -> NDArray[np.bool_]:
    """Return for which chords of a model a test holds, shape (chords,)."""
    return np.array([test(chord, model.home) for chord in model.chords])


def is_diatonic(chord: Chord, key: Key) -> bool:
    """Whether a chord has only notes of the key, in minor on V and vii also the leading tone."""
    assert chord.root is not None
    raised = {(key.tonic.pitch_class + 11) % 12} if key.is_minor and _above(chord, key) in {7, 11} else set()
    return chord.pitch_classes <= key.pitch_classes | raised


def is_tonic(chord: Chord, key: Key) -> bool:
    """Whether a chord is the tonic, in any inversion."""
    return function_of(chord, key) is Function.TONIC and _above(chord, key) == 0


def is_rest(chord: Chord, key: Key) -> bool:
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


OPEN: MappingProxyType[str, _Test] = MappingProxyType(
    {"pop": _is_unrest, "lead-sheet": _is_any_dominant, "folk": _is_dominant}
    | {"classical": _is_dominant, "chorale": _is_dominant}
)
CLOSING: MappingProxyType[str, _Test] = MappingProxyType(
    {"pop": _leads_home, "lead-sheet": _is_dominant, "folk": _is_dominant}
    | {"classical": _is_dominant, "chorale": _is_dominant}
)
CLOSED_STYLES = frozenset({"folk", "classical", "chorale"})


def _above(chord: Chord, key: Key) -> int:
    """Return how far the root lies above the tonic, in semitones."""
    assert chord.root is not None
    return (chord.root.pitch_class - key.tonic.pitch_class) % 12


def _pivots(here: Stretch, there: Stretch) -> NDArray[np.int64]:
    """Return for each state the state of the next stretch that has its chord; -1 where it can't lead over.

    A chord leads over that is diatonic in both keys, or the dominant of the new one.
    """
    new_states = {notes_of(chord): index + 1 for index, chord in enumerate(there.model.chords)}
    entries = np.full(len(here.model.chord_of), -1, dtype=np.int64)
    for state, index in enumerate(here.model.chord_of.tolist()):
        if index < 0:
            continue
        chord = in_key(here.model.chords[index], here.key)
        is_common = is_diatonic(chord, here.key) and is_diatonic(chord, there.key)
        if is_common or _is_dominant(chord, there.key):
            entries[state] = new_states.get(notes_of(plain(chord, there.key)), -1)
    return entries


def notes_of(chord: Chord) -> tuple[int | None, tuple[int, ...], int | None]:
    """Return what makes a chord, however it is spelled."""
    return (None if chord.root is None else chord.root.pitch_class, chord.semitones, chord.bass_pitch_class)


def model_of(style: str, key: Key) -> ChordModel:
    """Return the model of a key: by the tables, or in the church modes by degrees."""
    if key.mode in _TABLE_MODES or len(key.semitones) != 7:
        return _table_model(STYLES[style], "minor" if key.is_minor else "major")
    return _degree_model(key.mode)


@cache
def _table_model(style: str, mode: str) -> ChordModel:
    graph = progression_graph(style, mode)
    n_chords, n_pairs = len(graph.chords), len(graph.pairs)
    chord_of = np.concatenate([[-1], np.arange(n_chords), graph.pairs[:, 1]])
    state_after = np.tile(1 + np.arange(n_chords), (n_chords, 1))  # by the last chord and the next
    state_after[graph.pairs[:, 0], graph.pairs[:, 1]] = 1 + n_chords + np.arange(n_pairs)
    home = Key(_C, mode)
    is_usual = graph.starts >= _MIN_START * graph.starts.sum()
    starts = np.where(is_usual & [is_diatonic(chord, home) for chord in graph.chords], graph.starts, 0)
    automaton = _automaton(chord_of, state_after, starts, graph.log_successions(), graph.change_chances())
    return ChordModel(home, graph.chords, automaton, chord_of)


@cache
def _degree_model(mode: str) -> ChordModel:
    home = Key(_C, mode)
    weights = succession_weights(home)
    np.fill_diagonal(weights, 0.0)
    with np.errstate(divide="ignore"):
        log_successions = np.log(weights / weights.sum(axis=1, keepdims=True))
    chances = np.tile(np.array(_MODAL_CHANGES * (PHRASE_SLOTS // 2))[:, None], (1, 7))
    state_after = np.tile(1 + np.arange(7), (7, 1))
    chord_of = np.arange(-1, 7)
    return ChordModel(
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
