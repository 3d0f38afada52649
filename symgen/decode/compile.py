"""From rules and potentials to a lattice.

Each predicate of a rule has its place: notes that start are symbols, notes that sound are states (a
hold does not say its pitch, the state does), moves are arcs, the last note is the end. A law costs
``inf``, so it becomes ``-inf`` there; a preference is subtracted.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, N_SPECIAL, REST, LineAlphabet
from symgen.decode.automaton import Automaton, line_automaton
from symgen.decode.lattice import Lattice
from symgen.potentials import LinePotentials
from theory.rules import Moment, Rule

__all__ = ["compile_line"]

_Array = NDArray[np.float64]


def compile_line(potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule]) -> Lattice:
    """Return the lattice of the lines a model may sing under rules.

    Parameters
    ----------
    potentials
        What the model prefers, of ``n_steps`` steps.
    moments
        One for each step.
    rules
        What must hold, and what is preferred.

    Raises
    ------
    ValueError
        If there is not one moment for each step.
    """
    if len(moments) != potentials.n_steps:
        msg = f"moments: {len(moments)}: expected one for each of the {potentials.n_steps} steps"
        raise ValueError(msg)
    alphabet = potentials.alphabet
    automaton = line_automaton(potentials.arcs, _move_cost(alphabet, rules))
    onset, held, rest = (np.zeros((len(moments), n)) for n in (alphabet.n_pitches, alphabet.n_pitches, 1))
    for rule in rules:
        onset -= _per_moment(moments, rule, lambda r, m: _note_cost(r, m, alphabet, is_onset=True))
        held -= _per_moment(moments, rule, lambda r, m: _note_cost(r, m, alphabet, is_onset=False))
        rest -= _per_moment(moments, rule, lambda r, m: np.array([0.0 if r.permits_rest(m) else r.cost]))
    log_symbol = potentials.step.copy()
    log_symbol[:, REST] += rest[:, 0]
    log_symbol[:, N_SPECIAL:] += onset
    log_final = _final_row(automaton, -_last_cost(alphabet, moments[-1], rules))
    log_final[automaton.label[:, 0] < 0] -= sum(rule.cost for rule in rules if not rule.permits_no_notes())
    log_final -= sum(rule.cost for rule in rules if not rule.has_place(moments))
    if (held == onset).all():
        # The usual case: starting and holding are judged alike, so arriving in a sounding state may carry the mask.
        log_symbol[:, N_SPECIAL:] = potentials.step[:, N_SPECIAL:]
        return Lattice.build(automaton, log_symbol, log_state=_state_rows(automaton, onset), log_final=log_final)
    return _with_holds_apart(automaton, log_symbol, held, log_final)


def _with_holds_apart(automaton: Automaton, log_symbol: _Array, held: _Array, log_final: _Array) -> Lattice:
    """Build the lattice where holding a pitch is judged unlike starting it: each distinct row is a kind of step."""
    rows, kind = np.unique(held, axis=0, return_inverse=True)
    next_state = np.repeat(automaton.next_state, len(rows), axis=0)
    log_weight = np.repeat(automaton.log_weight, len(rows), axis=0)
    log_weight[:, :, HOLD] += _state_rows(automaton, rows)
    next_state[np.isneginf(log_weight)] = -1
    by_kind = Automaton(next_state, log_weight, automaton.log_final, automaton.label)
    return Lattice.build(by_kind, log_symbol, kind=kind.reshape(-1).astype(np.int64), log_final=log_final)


def _state_rows(automaton: Automaton, per_pitch: _Array) -> _Array:
    """Spread rows over pitches to the states in which the pitch sounds; other states get 0."""
    pitch, sounds = automaton.label[:, 0], automaton.label[:, 1] == 1
    return np.where(sounds, per_pitch[:, np.maximum(pitch, 0)], 0.0)


def _final_row(automaton: Automaton, per_pitch: _Array) -> _Array:
    """Spread a row over pitches to the states that remember the pitch, sounding or not; no note is no last note."""
    pitch = automaton.label[:, 0]
    return np.where(pitch >= 0, per_pitch[np.maximum(pitch, 0)], 0.0)


def _per_moment(moments: Sequence[Moment], rule: Rule, cost: Callable[[Rule, Moment], _Array]) -> _Array:
    """Evaluate a cost once for each thing the rule can see, and lay the rows out over the steps."""
    number: dict[Hashable, int] = {}
    rows: list[_Array] = []
    index = np.empty(len(moments), dtype=np.int64)
    for step, moment in enumerate(moments):
        seen = rule.sees(moment)
        if seen not in number:
            number[seen] = len(rows)
            rows.append(cost(rule, moment))
        index[step] = number[seen]
    return np.stack(rows)[index]


def _note_cost(rule: Rule, moment: Moment, alphabet: LineAlphabet, *, is_onset: bool) -> _Array:
    pitches = range(alphabet.low, alphabet.high + 1)
    return np.array([0.0 if rule.permits_note(p, moment, is_onset=is_onset) else rule.cost for p in pitches])


def _last_cost(alphabet: LineAlphabet, last: Moment, rules: Sequence[Rule]) -> _Array:
    pitches = range(alphabet.low, alphabet.high + 1)
    return np.array([sum(r.cost for r in rules if not r.permits_last(p, last)) for p in pitches], dtype=np.float64)


def _move_cost(alphabet: LineAlphabet, rules: Sequence[Rule]) -> _Array:
    """Return what each move from pitch to pitch is charged, as a log weight."""
    pitches = range(alphabet.low, alphabet.high + 1)
    judging = [rule for rule in rules if type(rule).permits_move is not Rule.permits_move]
    table = [[-sum(r.cost for r in judging if not r.permits_move(p, q)) for q in pitches] for p in pitches]
    return np.array(table, dtype=np.float64)
