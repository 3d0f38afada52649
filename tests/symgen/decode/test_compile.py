"""The lattice of a request charges every line exactly what the audit finds in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from decode_strategies import flat, potentials
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Line, lattice_lines, log_sum, potentials_lines, potentials_weight, suffix_weight
from rule_strategies import Reattack, moments, price, rule_lists

from symgen.alphabet import HOLD, REST, LineAlphabet
from symgen.decode.compile import compile_line
from symgen.decode.infer import count_lines, log_backward, log_probability, sample_lines
from symgen.grid import BarMap
from symgen.moments import moments_of
from symgen.potentials import LineArcs, LinePotentials
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter
from theory.rules import ChordTonesOnStrongBeats, EndOn, InKey, LargestLeap, Lock, Moment, Range, Rule

SIZES = [(2, 3), (2, 4), (3, 3), (2, 5), (3, 4)]  # pitches, steps


def expected_lines(potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule]) -> dict[Line, float]:
    """Return each line's weight less its price."""
    weights = potentials_lines(potentials)
    return {
        line: weight - price(potentials.alphabet, line, moments, rules) if weight > -math.inf else weight
        for line, weight in weights.items()
    }


@settings(max_examples=50)
@given(st.data())
def test_every_line_is_charged_what_the_audit_finds(data: st.DataObject) -> None:
    n_pitches, n_steps = data.draw(st.sampled_from(SIZES))
    given_potentials = data.draw(potentials(pitches=(n_pitches,) * 2, steps=(n_steps,) * 2, p_zero=0.05))
    given_moments = data.draw(moments(n_steps))
    rules = data.draw(rule_lists(given_potentials.alphabet, n_steps, max_size=3))
    lattice = compile_line(given_potentials, given_moments, rules)
    lines = expected_lines(given_potentials, given_moments, rules)
    assert lattice_lines(lattice) == pytest.approx(lines, abs=1e-9)
    assert count_lines(lattice) == sum(weight > -math.inf for weight in lines.values())
    assert log_backward(lattice)[0, 0] == pytest.approx(log_sum(lines.values()), abs=1e-9)


def in_a_minor(*chords: str) -> list[Moment]:
    key = Key.parse("A minor")
    return [
        Moment(1 + step // 4, Fraction(1 + step % 4), (0, 2, 1, 2)[step % 4], key, Chord.parse(chord))
        for step, chord in enumerate(chords)
    ]


def test_a_preference_is_paid_at_each_step_a_wrong_note_sounds() -> None:
    """The price of a held wrong note grows with its length, as the audit counts it."""
    given_moments = in_a_minor("Am", "Am", "Am")
    lattice = compile_line(flat(60, 61, 3), given_moments, [InKey(cost=0.5)])
    lines = lattice_lines(lattice)
    assert lines[3, 1, 1] == -1.5  # C sharp, held for three steps
    assert lines[3, 1, 2] == -1.0
    assert lines[2, 1, 1] == 0.0


def test_a_note_held_into_a_chord_it_is_foreign_to_breaks_the_law() -> None:
    given_moments = in_a_minor("E7", "E7", "Am", "Am")
    lattice = compile_line(flat(68, 69, 4), given_moments, [InKey(), ChordTonesOnStrongBeats()])
    lines = lattice_lines(lattice)
    g_sharp, a, hold, rest = 2, 3, 1, 0
    assert lines[g_sharp, hold, a, hold] == 0.0
    assert lines[g_sharp, hold, hold, hold] == -np.inf
    assert lines[a, hold, a, hold] == -np.inf  # on the strong beat E7 has no A
    assert lines[rest, a, hold, hold] == 0.0


def test_laws_hold_in_every_draw() -> None:
    """Six bars of default rules: nothing drawn breaks any of them, and everything is charged alike."""
    given_moments = in_a_minor(*["Am", "Am", "E7", "E7", "F", "Dm", "E7", "E7"] * 2, *["Am"] * 8)
    rules = [
        InKey(),
        ChordTonesOnStrongBeats(),
        Range(57, 72),
        LargestLeap(5),
        EndOn(frozenset({9})),
        Reattack(cost=1.0),
    ]
    rng = np.random.default_rng(2)
    alphabet = LineAlphabet(50, 80)
    step = rng.standard_normal((len(given_moments), alphabet.n_symbols))
    given_potentials = LinePotentials(alphabet, step, LineArcs.flat(alphabet.n_pitches))
    lattice = compile_line(given_potentials, given_moments, rules)
    for line in sample_lines(lattice, log_backward(lattice), rng, 50).tolist():
        assert price(alphabet, line, given_moments, [rule for rule in rules if rule.is_law]) == 0.0
        paid = price(alphabet, line, given_moments, rules)
        weight = potentials_weight(given_potentials, line)
        assert suffix_weight(lattice, 0, 0, line) == pytest.approx(weight - paid, abs=1e-9)


def test_silence_has_no_last_note_and_breaks_a_rule_about_it() -> None:
    moments = in_a_minor("Am", "Am", "Am")
    law = lattice_lines(compile_line(flat(60, 61, 3), moments, [EndOn(frozenset({9}))]))
    assert max(law.values()) == -np.inf
    wish = lattice_lines(compile_line(flat(60, 61, 3), moments, [EndOn(frozenset({9}), cost=2.0)]))
    assert wish[0, 0, 0] == -2.0


def test_a_lock_outside_the_piece_cannot_be_met() -> None:
    moments = in_a_minor("Am", "Am", "Am")
    lines = lattice_lines(compile_line(flat(60, 61, 3), moments, [Lock(9, Fraction(1), 60)]))
    assert max(lines.values()) == -np.inf


def test_a_last_note_is_judged_also_where_it_rings_no_more() -> None:
    lines = lattice_lines(compile_line(flat(60, 61, 3), in_a_minor("Am", "Am", "Am"), [EndOn(frozenset({0}))]))
    assert lines[3, 2, 0] == 0.0
    assert lines[2, 3, 0] == -np.inf


def test_rules_are_told_apart_by_what_they_do() -> None:
    """A plain subclass inherits an equality that knows of its cost alone: nothing may be kept by it."""

    class Avoid(Rule):
        def __init__(self, interval: int) -> None:
            super().__init__()
            object.__setattr__(self, "interval", interval)

        def permits_move(self, previous: int, following: int) -> bool:
            return bool(abs(following - previous) != vars(self)["interval"])

    given_moments = in_a_minor("Am", "Am")
    assert Avoid(1) == Avoid(2)
    seconds, thirds = (lattice_lines(compile_line(flat(60, 62, 2), given_moments, [Avoid(n)])) for n in (1, 2))
    assert (seconds[2, 3], seconds[2, 4]) == (-np.inf, 0.0)
    assert (thirds[2, 3], thirds[2, 4]) == (0.0, -np.inf)


def test_rules_need_not_be_hashable() -> None:
    @dataclass(frozen=True)
    class OneOf(Rule):
        pitches: list[int] = field(default_factory=list)

        def permits_note(self, pitch: int, moment: Moment, *, is_onset: bool) -> bool:
            return pitch in self.pitches

    assert count_lines(compile_line(flat(60, 69, 1), in_a_minor("Am"), [OneOf([61, 64])])) == 3


def test_one_moment_for_each_step() -> None:
    with pytest.raises(ValueError, match="moments: 2: expected one for each of the 3 steps"):
        compile_line(flat(60, 61, 3), in_a_minor("Am", "Am"), [])


def test_a_step_at_which_nothing_sounds_weighs_what_the_potentials_say() -> None:
    rng = np.random.default_rng(2)
    alphabet, n_steps = LineAlphabet(60, 61), 4
    step = rng.normal(size=(n_steps, alphabet.n_symbols))
    silent = rng.normal(size=n_steps)
    moments = moments_of(BarMap.build([(0, Meter(4, 4))], steps_per_quarter=1, end_steps=4), None, ())
    potentials = LinePotentials(alphabet, step, LineArcs.flat(2), silent=silent)
    lattice = compile_line(potentials, moments, ())
    weights = {}
    for line in product(range(alphabet.n_symbols), repeat=n_steps):
        sounds, total, lawful = False, 0.0, True
        for t, symbol in enumerate(line):
            lawful &= symbol != HOLD or sounds
            total += step[t, symbol] + (0.0 if sounds or t == 0 else silent[t])
            sounds = symbol != REST
        if lawful:
            weights[line] = total
    log_total = np.logaddexp.reduce(list(weights.values()))
    table = log_backward(lattice)
    for line, weight in weights.items():
        assert log_probability(lattice, table, np.array(line)) == pytest.approx(weight - log_total, abs=1e-9)
