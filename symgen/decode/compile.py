"""From rules and potentials to a lattice.

Each predicate of a rule has its place: notes that start are symbols, notes that sound are states (a
hold does not say its pitch, the state does), moves are arcs, the last note is the end. A law costs
``inf``, so it becomes ``-inf`` there; a preference is subtracted. Pitches that no law lets start anywhere
get no state. Rules with a memory multiply the states (:mod:`symgen.decode.memory`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, N_SPECIAL, REST, LineAlphabet
from symgen.decode.automaton import DEAD, Automaton, line_automaton
from symgen.decode.grids import leaving_rows, silent_rows, with_closed_steps
from symgen.decode.lattice import Lattice
from symgen.decode.memory import MAX_MOVES_OF_A_STEP, join_memories
from symgen.errors import RequestError
from symgen.potentials import LinePotentials
from theory.rules import Moment, Rule
from theory.rules.voices import VoiceRule

__all__ = ["compile_line"]

_Array = NDArray[np.float64]


def compile_line(
    potentials: LinePotentials,
    moments: Sequence[Moment],
    rules: Sequence[Rule],
    *,
    max_moves: int = MAX_MOVES_OF_A_STEP,
) -> Lattice:
    """Return the lattice of the lines a model may sing under rules.

    Parameters
    ----------
    potentials
        What the model prefers, of ``n_steps`` steps.
    moments
        One for each step.
    rules
        What must hold, and what is preferred.
    max_moves
        The most moves at one step that memories may make.

    Raises
    ------
    RequestError
        If the rules together remember too much, or one is for several voices.
    ValueError
        If there is not one moment for each step.
    """
    if len(moments) != potentials.n_steps:
        msg = f"moments: {len(moments)}: expected one for each of the {potentials.n_steps} steps"
        raise ValueError(msg)
    for rule in rules:
        if isinstance(rule, VoiceRule):
            msg = f"{rule}: a rule for several voices: expected rules on one line"
            raise RequestError(msg)
    alphabet = potentials.alphabet
    costs = _step_costs(alphabet, moments, [rule for rule in rules if not rule.remembers])
    log_symbol = potentials.step.copy()
    log_symbol[:, REST] -= costs.rest
    kept = np.flatnonzero(~np.isneginf(log_symbol[:, N_SPECIAL:] - costs.onset).all(axis=0))
    automaton = line_automaton(potentials.arcs, _move_cost(alphabet, rules, kept), kept=kept)
    remembering = [rule for rule in rules if rule.remembers]
    automaton, kind = _with_memories(automaton, alphabet, moments, remembering, max_moves)
    if potentials.closed is not None and potentials.closed.any():
        automaton, kind = with_closed_steps(automaton, kind, potentials.closed, potentials.arcs.rest_to_rest)
    log_state = np.zeros((len(kind), automaton.n_states))
    if potentials.leave is not None:
        log_symbol[:, N_SPECIAL:] += potentials.leave[:, :-1]
        log_state = leaving_rows(automaton, potentials.leave)
    if potentials.silent is not None:
        log_state = log_state + silent_rows(automaton, potentials.silent)
    log_final = automaton.log_final + _final_row(automaton, alphabet, moments, rules)
    return _with_costs(replace(automaton, log_final=log_final), log_symbol, log_state, kind, costs)


@dataclass(frozen=True, slots=True)
class _StepCosts:
    """What steps are charged, whatever went before.

    Parameters
    ----------
    onset, held
        For a pitch that starts and for one that goes on; shape (n_steps, n_pitches).
    rest
        For silence; shape (n_steps,).
    """

    onset: _Array
    held: _Array
    rest: _Array


def _step_costs(alphabet: LineAlphabet, moments: Sequence[Moment], rules: Sequence[Rule]) -> _StepCosts:
    onset, held = (np.zeros((len(moments), alphabet.n_pitches)) for _ in range(2))
    rest = np.zeros(len(moments))
    for rule in rules:
        onset += _per_moment(moments, rule, lambda r, m: _note_cost(r, m, alphabet, is_onset=True))
        held += _per_moment(moments, rule, lambda r, m: _note_cost(r, m, alphabet, is_onset=False))
        rest += _per_moment(moments, rule, lambda r, m: np.array([0.0 if r.permits_rest(m) else r.cost]))[:, 0]
    return _StepCosts(onset, held, rest)


def _with_memories(
    automaton: Automaton, alphabet: LineAlphabet, moments: Sequence[Moment], rules: Sequence[Rule], max_moves: int
) -> tuple[Automaton, NDArray[np.int64]]:
    """Return the product of the line with the rules that remember, and the kind of each step."""
    if not rules:
        return automaton, np.zeros(len(moments), dtype=np.int64)
    n_kept = (automaton.n_states - 1) // 2
    pitches = automaton.label[1 : n_kept + 1, 0].tolist()
    by_symbol = {N_SPECIAL + pitch: alphabet.low + pitch for pitch in pitches}
    joined = join_memories(automaton.next_state[0], by_symbol, moments, rules, max_moves)
    log_weight = np.broadcast_to(automaton.log_weight[0, joined.line_state], joined.next_state.shape).copy()
    log_weight[joined.next_state == DEAD] = -np.inf
    log_final = np.zeros(len(joined.line_state))
    for rule, violations, final in zip(rules, joined.violations, joined.final, strict=True):
        if len(violations):
            log_weight -= rule.cost * violations
        log_final -= _priced(rule.cost, final)
    product = Automaton(joined.next_state, log_weight, log_final, automaton.label[joined.line_state])
    return product, joined.kind


def _priced(cost: float, violations: NDArray[np.integer[Any]]) -> _Array:
    """Return the price of violations; none cost nothing, also where one is infinite."""
    return np.where(violations > 0, cost * np.maximum(violations, 1), 0.0)


def _with_costs(
    automaton: Automaton, log_symbol: _Array, log_state: _Array, kind: NDArray[np.int64], costs: _StepCosts
) -> Lattice:
    """Return the lattice in which what sounds is charged."""
    # Where nothing may be held, that is said of the hold itself; then only what starts there can arrive.
    no_hold: NDArray[np.bool_] = np.asarray(np.isposinf(costs.held).all(axis=1))
    no_onset: NDArray[np.bool_] = np.asarray(np.isposinf(costs.onset).all(axis=1))
    log_symbol[no_hold, HOLD] = -np.inf
    log_symbol[no_onset, N_SPECIAL:] = -np.inf
    sounding = np.where(no_hold[:, None], costs.onset, costs.held)
    alike = no_hold | no_onset | (costs.held == costs.onset).all(axis=1)
    if alike.all():
        # The usual case: starting and holding are judged alike, so arriving in a sounding state may carry the mask.
        log_state += _state_rows(automaton, -sounding)
        return Lattice.build(automaton, log_symbol, kind=kind, log_state=log_state)
    log_symbol[:, N_SPECIAL:] -= costs.onset
    return _with_holds_apart(automaton, log_symbol, log_state, kind, -np.where(no_hold[:, None], 0.0, costs.held))


def _with_holds_apart(
    automaton: Automaton, log_symbol: _Array, log_state: _Array, kind: NDArray[np.int64], held: _Array
) -> Lattice:
    """Build the lattice where holding a pitch is judged unlike starting it: each distinct row is a kind of step."""
    rows, row = np.unique(held, axis=0, return_inverse=True)
    pairs, kind = np.unique(np.stack([kind, row.reshape(-1)], axis=1), axis=0, return_inverse=True)
    next_state, log_weight = automaton.next_state[pairs[:, 0]], automaton.log_weight[pairs[:, 0]]
    log_weight[:, :, HOLD] += _state_rows(automaton, rows)[pairs[:, 1]]
    next_state[np.isneginf(log_weight)] = DEAD
    by_kind = replace(automaton, next_state=next_state, log_weight=log_weight)
    return Lattice.build(by_kind, log_symbol, kind=kind.reshape(-1).astype(np.int64), log_state=log_state)


def _state_rows(automaton: Automaton, per_pitch: _Array) -> _Array:
    """Spread rows over pitches to the states in which the pitch sounds; other states get 0."""
    pitch, sounds = automaton.label[:, 0], automaton.label[:, 1] == 1
    return np.where(sounds, per_pitch[:, np.maximum(pitch, 0)], 0.0)


def _final_row(
    automaton: Automaton, alphabet: LineAlphabet, moments: Sequence[Moment], rules: Sequence[Rule]
) -> _Array:
    """Return what it costs to end in each state, as far as the last pitch and the whole piece decide it."""
    judged = [rule for rule in rules if not rule.remembers]
    pitches = range(alphabet.low, alphabet.high + 1)
    per_pitch = [-sum(r.cost for r in judged if not r.permits_last(p, moments[-1])) for p in pitches]
    no_notes = -sum(rule.cost for rule in judged if not rule.permits_no_notes())
    no_place = -sum(rule.cost for rule in rules if not rule.has_place(moments))
    row = np.array([*per_pitch, no_notes], dtype=np.float64) + no_place
    return row[automaton.label[:, 0]]  # -1, no note yet, finds the last entry


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


def _move_cost(alphabet: LineAlphabet, rules: Sequence[Rule], kept: NDArray[np.int64]) -> _Array:
    """Return what each move between kept pitches is charged, as a log weight; shape (kept, kept)."""
    pitches = (alphabet.low + kept).tolist()
    judging = [rule for rule in rules if not rule.remembers and type(rule).permits_move is not Rule.permits_move]
    table = [[-sum(r.cost for r in judging if not r.permits_move(p, q)) for q in pitches] for p in pitches]
    return np.array(table, dtype=np.float64).reshape(len(pitches), len(pitches))
