"""Slow, obvious twins of the exact decoder: everything is enumerated and weighed one line at a time.

Nothing here shares code with what it judges; even the symbols are written out again.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from symgen.decode.automaton import Automaton
    from symgen.decode.lattice import Lattice
    from symgen.potentials import LinePotentials

REST, HOLD, FIRST_ONSET = 0, 1, 2

Line = tuple[int, ...]


def sequences(n_symbols: int, n_steps: int) -> Iterator[Line]:
    """Yield every sequence of symbols, in lexicographic order."""
    return product(range(n_symbols), repeat=n_steps)


def log_sum(log_weights: Iterable[float]) -> float:
    """Return ``log(sum(exp(w)))``, ``-inf`` for nothing."""
    weights = list(log_weights)
    peak = max(weights, default=-math.inf)
    if peak == -math.inf:
        return -math.inf
    return peak + math.log(math.fsum(math.exp(w - peak) for w in weights))


def walk(lattice: Lattice, step: int, state: int, symbols: Sequence[int]) -> tuple[int | None, float]:
    """Return where symbols lead from a state before a step, and what that weighs; ``None`` if nowhere."""
    automaton, total = lattice.automaton, 0.0
    for t, a in enumerate(symbols, start=step):
        kind = lattice.kind[t]
        target = int(automaton.next_state[kind, state, a])
        if target == -1:
            return None, -math.inf
        total += automaton.log_weight[kind, state, a]
        total += lattice.log_symbol[t, a]
        total += lattice.log_state[t, target]
        state = target
    return state, float(total)


def suffix_weight(lattice: Lattice, step: int, state: int, symbols: Sequence[int]) -> float:
    """Return the log weight of the symbols from a step to the end, given the state before that step."""
    end, total = walk(lattice, step, state, symbols)
    return -math.inf if end is None else total + float(lattice.log_final[end])


def lattice_lines(lattice: Lattice) -> dict[Line, float]:
    """Return the log weight of every sequence, the forbidden ones with ``-inf``."""
    lines = sequences(lattice.automaton.n_symbols, lattice.n_steps)
    return {line: suffix_weight(lattice, 0, 0, line) for line in lines}


def backward_table(lattice: Lattice) -> NDArray[np.float64]:
    """Return, before each step and for each state, the log of the summed weight of all that may follow."""
    table = np.empty((lattice.n_steps + 1, lattice.automaton.n_states))
    for step, state in np.ndindex(*table.shape):
        rest = sequences(lattice.automaton.n_symbols, lattice.n_steps - step)
        table[step, state] = log_sum(suffix_weight(lattice, step, state, symbols) for symbols in rest)
    return table


def reached_states(lattice: Lattice) -> NDArray[np.bool_]:
    """Return the states that some prefix of weight above zero leads to; at the end only those that may end."""
    reached = np.zeros((lattice.n_steps + 1, lattice.automaton.n_states), dtype=np.bool_)
    for length in range(lattice.n_steps + 1):
        for prefix in sequences(lattice.automaton.n_symbols, length):
            state, weight = walk(lattice, 0, 0, prefix)
            if length == lattice.n_steps and state is not None:
                weight += lattice.log_final[state]
            if state is not None and weight > -math.inf:
                reached[length, state] = True
    return reached


def probabilities(lines: Mapping[Line, float]) -> dict[Line, float]:
    """Return the law of the lines whose weight is above zero."""
    total = log_sum(lines.values())
    return {line: math.exp(weight - total) for line, weight in lines.items() if weight > -math.inf}


def heaviest_lines(lattice: Lattice, n: int) -> list[tuple[Line, float]]:
    """Return the n heaviest lines and their log weights; of equals, the ones with the lowest symbols."""
    possible = [(line, weight) for line, weight in lattice_lines(lattice).items() if weight > -math.inf]
    return sorted(possible, key=lambda pair: (-pair[1], pair[0]))[:n]


def entropy_of(law: Mapping[Line, float]) -> float:
    """Return the entropy of a law in nats."""
    return -math.fsum(p * math.log(p) for p in law.values() if p > 0)


def tied_lines(lattice: Lattice, ties: Iterable[tuple[int, int, int]]) -> dict[Line, float]:
    """Return the possible lines in which segments are equal, given as (start, start of the copy, length)."""
    ties = list(ties)
    return {
        line: weight
        for line, weight in lattice_lines(lattice).items()
        if weight > -math.inf and all(line[a : a + n] == line[b : b + n] for a, b, n in ties)
    }


def symbol_marginals(law: Mapping[Line, float], n_symbols: int) -> NDArray[np.float64]:
    """Return the probability of every symbol at every step, shape (n_steps, n_symbols)."""
    table = np.zeros((len(next(iter(law))), n_symbols))
    for line, probability in law.items():
        for step, symbol in enumerate(line):
            table[step, symbol] += probability
    return table


def state_marginals(lattice: Lattice, law: Mapping[Line, float]) -> NDArray[np.float64]:
    """Return the probability of every state before every step and at the end."""
    table = np.zeros((lattice.n_steps + 1, lattice.automaton.n_states))
    for line, probability in law.items():
        for step in range(lattice.n_steps + 1):
            state, _ = walk(lattice, 0, 0, line[:step])
            assert state is not None
            table[step, state] += probability
    return table


def states_after_any_walk(automaton: Automaton) -> set[int]:
    """Return the states that can be reached from state 0 over any kinds of step."""
    seen, waiting = {0}, [0]
    while waiting:
        targets = automaton.next_state[:, waiting.pop()].ravel().tolist()
        fresh = {target for target in targets if target != -1} - seen
        seen |= fresh
        waiting += sorted(fresh)
    return seen


def is_line(symbols: Sequence[int]) -> bool:
    """Whether every hold has a note to hold: none at the start, none after a rest."""
    return all(symbol != HOLD or (step > 0 and symbols[step - 1] != REST) for step, symbol in enumerate(symbols))


def potentials_weight(potentials: LinePotentials, line: Sequence[int]) -> float:
    """Return the log weight of a line, read straight from the table of moves; ``-inf`` if it is no line."""
    if not is_line(line):
        return -math.inf
    arcs, total = potentials.arcs, 0.0
    last: int | None = None  # pitch of the last onset, counted from the lowest
    rings = False
    for step, symbol in enumerate(line):
        total += potentials.step[step, symbol]
        if potentials.closed is not None and potentials.closed[step]:
            if symbol != (HOLD if rings else REST) or (symbol == REST and arcs.rest_to_rest == -math.inf):
                return -math.inf
            continue
        if symbol >= FIRST_ONSET:
            pitch = symbol - FIRST_ONSET
            if potentials.leave is not None:
                total += potentials.leave[step, -1 if last is None else last]
            if last is None:
                total += arcs.first[pitch]
            else:
                total += arcs.onset[last, pitch] + (0.0 if rings else arcs.rest_to_onset)
            last, rings = pitch, True
        elif symbol == REST:
            total += arcs.note_to_rest if rings else arcs.rest_to_rest
            rings = False
    return float(total)


def potentials_lines(potentials: LinePotentials) -> dict[Line, float]:
    """Return the log weight of every sequence of symbols, ``-inf`` for those that are no lines."""
    return {
        line: potentials_weight(potentials, line)
        for line in sequences(potentials.alphabet.n_symbols, potentials.n_steps)
    }


def fits_hands(pitches: Sequence[int], *, hands: int, span: int | None, hand_notes: int | None, spacing: int) -> bool:
    """Whether so many hands, one above the other, can take rising pitches: every way to part them is tried."""
    if any(high - low < spacing for low, high in pairwise(pitches)):
        return False

    def one_hand(part: Sequence[int]) -> bool:
        too_wide = span is not None and bool(part) and part[-1] - part[0] > span
        return not too_wide and (hand_notes is None or len(part) <= hand_notes)

    if hands == 1:
        return one_hand(pitches)
    return any(one_hand(pitches[:i]) and one_hand(pitches[i:]) for i in range(len(pitches) + 1))


def pitch_sets(
    log_in: NDArray[np.float64],
    *,
    low: int,
    n_notes: tuple[int, int | None],
    permitted: NDArray[np.bool_],
    required: NDArray[np.bool_],
    classes: Collection[int],
    hands: int,
    span: int | None,
    hand_notes: int | None,
    spacing: int,
) -> dict[Line, float]:
    """Return the log weight of every allowed set of a step's pitches, written as 0 (out) or 1 (in) for each pitch."""
    sets = {}
    for chosen in product((0, 1), repeat=len(log_in)):
        is_in = np.array(chosen, dtype=np.bool_)
        pitches = [low + i for i, bit in enumerate(chosen) if bit]
        weight = float(sum(log_in[i] for i, bit in enumerate(chosen) if bit))
        if (
            weight > -math.inf
            and not (is_in & ~permitted).any()
            and not (required & ~is_in).any()
            and n_notes[0] <= len(pitches) <= (math.inf if n_notes[1] is None else n_notes[1])
            and set(classes) <= {pitch % 12 for pitch in pitches}
            and fits_hands(pitches, hands=hands, span=span, hand_notes=hand_notes, spacing=spacing)
        ):
            sets[chosen] = weight
    return sets
