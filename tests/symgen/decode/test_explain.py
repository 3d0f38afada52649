"""Why a request is impossible, against brute force over every line and every set of laws."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from decode_strategies import flat, potentials
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from oracle import Line, potentials_lines
from rule_strategies import moments, place, price, rule_lists

from symgen.decode.compile import compile_line
from symgen.decode.explain import (
    explain_infeasible,
    first_impossible_step,
    irreducible_blame,
    sole_obstacles,
)
from symgen.decode.infer import has_line
from symgen.potentials import LineArcs, LinePotentials
from theory.key import Key
from theory.rules import EndOn, InKey, LargestLeap, LineNote, Lock, Moment, Range, Rule
from theory.rules.base import events_of

# About two in three requests drawn can be met, and are thrown away.
THOROUGH = settings(
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],  # to make a failing one smaller takes minutes
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
Request = tuple[LinePotentials, list[Moment], list[Rule]]


@st.composite
def impossible_requests(draw: st.DrawFn) -> Request:
    n_pitches, n_steps = draw(st.sampled_from([(2, 3), (3, 3), (2, 4)]))
    given_potentials = draw(potentials(pitches=(n_pitches,) * 2, steps=(n_steps,) * 2, p_zero=0.1))
    given_moments = draw(moments(n_steps))
    laws = draw(rule_lists(given_potentials.alphabet, n_steps, costs=[math.inf], min_size=3, max_size=6))
    assume(not has_line(compile_line(given_potentials, given_moments, laws)))
    return given_potentials, given_moments, laws


def test_what_only_the_places_of_the_models_notes_forbid_is_said_so() -> None:
    closed = np.array([False, True, False, True])
    request, given_moments = replace(flat(60, 61, 4), closed=closed), [Moment(*place(step), 0) for step in range(4)]
    lock = Lock(*place(1), 60)
    error = explain_infeasible(request, given_moments, [InKey(), lock])
    assert str(error).startswith(f"{given_moments[1]}: {lock} cannot be met")
    assert str(error).endswith(
        "the model's notes start and end at some places of a beat only, and none of these will do"
    )
    assert error.blame == (str(lock),)
    opened = replace(request, closed=None)
    twice = [lock, Lock(*place(1), 61)]
    assert "places of a beat" not in str(explain_infeasible(opened, given_moments, twice))
    there = [Lock(*place(2), 60), Lock(*place(2), 61)]
    assert "places of a beat" not in str(explain_infeasible(request, given_moments, there))


def lines_kept(request: Request, laws: Iterable[Rule]) -> set[Line]:
    """Return the lines of weight above zero in which the audit finds nothing."""
    given_potentials, given_moments, _ = request
    alphabet, laws = given_potentials.alphabet, list(laws)
    weights = potentials_lines(given_potentials)
    return {line for line in weights if weights[line] > -math.inf and not price(alphabet, line, given_moments, laws)}


def first_step_by_force(request: Request) -> int:
    given_potentials, given_moments, laws = request
    n_steps = len(given_moments)
    for n in range(1, n_steps + 1):
        beginnings = potentials_lines(given_potentials.part(slice(n)))
        possible = (line for line, weight in beginnings.items() if weight > -math.inf)
        if not any(is_kept_so_far(given_potentials, given_moments, laws, line) for line in possible):
            return n - 1
    return n_steps - 1


def is_kept_so_far(potentials: LinePotentials, moments: list[Moment], laws: Iterable[Rule], line: Line) -> bool:
    """Whether the laws, asked event by event, have nothing against a beginning."""
    notes = potentials.alphabet.decode(np.array(line))
    heard = [LineNote(note.onset_steps, note.end_steps, note.pitch) for note in notes]
    for law in laws:
        memory = law.start(moments)
        for event, moment in zip(events_of(heard, len(line)), moments, strict=False):
            memory, broken = law.after(memory, event, moment)
            if broken:
                return False
    return True


@THOROUGH
@given(impossible_requests())
def test_the_blame_cannot_be_made_smaller(request: Request) -> None:
    blame = irreducible_blame(*request)
    keeps = [lines_kept(request, [law]) for law in blame]
    everything = lines_kept(request, [])
    assert not everything.intersection(*keeps)
    for i in range(len(blame)):
        assert everything.intersection(*keeps[:i], *keeps[i + 1 :])


@THOROUGH
@given(impossible_requests())
def test_the_sole_obstacles_are_those_that_can_be_spared(request: Request) -> None:
    _, _, laws = request
    obstacles = sole_obstacles(*request, irreducible_blame(*request))
    # The same rule given twice is one.
    spared = {str(law) for law in laws if lines_kept(request, [one for one in laws if str(one) != str(law)])}
    assert {str(law) for law in obstacles} == spared
    assert len(obstacles) == len(spared)


@THOROUGH
@given(impossible_requests())
def test_the_first_impossible_step(request: Request) -> None:
    assert first_impossible_step(*request) == first_step_by_force(request)


@THOROUGH
@given(impossible_requests(), st.data())
def test_the_place_named_is_where_the_blamed_clash(request: Request, data: st.DataObject) -> None:
    given_potentials, given_moments, laws = request
    preferences = data.draw(rule_lists(given_potentials.alphabet, len(given_moments), costs=[1.0], max_size=2))
    error = explain_infeasible(given_potentials, given_moments, [*preferences, *laws])
    blame = irreducible_blame(*request)
    assert error.blame == tuple(str(law) for law in blame)
    where = given_moments[first_step_by_force((given_potentials, given_moments, list(blame)))]
    assert error.where == str(where)
    assert str(error).startswith(f"{where}: ")


def in_c(n_steps: int) -> list[Moment]:
    return [Moment(*place(step), 2, Key.parse("C")) for step in range(n_steps)]


def explained(n_steps: int, laws: Sequence[Rule]) -> str:
    return str(explain_infeasible(flat(48, 84, n_steps), in_c(n_steps), laws))


REMEDIES = {
    "bar 1 beat 3: range D3..A#4 contradicts lock bar 1 beat 3 = E5": "; possible without lock bar 1 beat 3 = E5",
    "bar 1 beat 3: lock bar 1 beat 2 = E4 contradicts largest leap 7 semitones with lock bar 1 beat 3 = E5": (
        "; no single rule stands alone in the way"
    ),
    "bar 1 beat 3: largest leap 7 semitones contradicts lock bar 1 beat 2 = E4 with lock bar 1 beat 3 = E5": (
        "; possible without any one of them"
    ),
    "bar 1 beat 1: lock bar 1 beat 1 = F#6 cannot be met": "",
}
C_SHARP, E, E_HIGH = (Lock(1, Fraction(beat), pitch) for beat, pitch in [(2, 61), (2, 64), (3, 76)])


@pytest.mark.parametrize(("laws", "message"), [
    ([InKey(), C_SHARP], "bar 1 beat 2: in key contradicts lock bar 1 beat 2 = C#4"),
    ([C_SHARP, LargestLeap(5), E],
     "bar 1 beat 2: lock bar 1 beat 2 = C#4 contradicts lock bar 1 beat 2 = E4"),
    ([Range(50, 70), LargestLeap(7), E, E_HIGH],
     "bar 1 beat 3: range D3..A#4 contradicts lock bar 1 beat 3 = E5"),
    ([LargestLeap(7), E, E_HIGH],
     "bar 1 beat 3: largest leap 7 semitones contradicts lock bar 1 beat 2 = E4 with lock bar 1 beat 3 = E5"),
    ([Lock(1, Fraction(1), 90)], "bar 1 beat 1: lock bar 1 beat 1 = F#6 cannot be met"),
    # A law given twice is blamed once.
    ([InKey(), C_SHARP, InKey(), C_SHARP], "bar 1 beat 2: in key contradicts lock bar 1 beat 2 = C#4"),
    ([InKey()] * 2 + [C_SHARP] * 2, "bar 1 beat 2: in key contradicts lock bar 1 beat 2 = C#4"),
    # Two quarrels: the one of the laws named first is told, and told where it is.
    ([E, LargestLeap(7), E_HIGH, Lock(1, Fraction(1), 61), InKey()],
     "bar 1 beat 3: lock bar 1 beat 2 = E4 contradicts largest leap 7 semitones with lock bar 1 beat 3 = E5"),
    # A clash that only the end of the line knows of.
    ([EndOn(frozenset({0})), LargestLeap(30), E_HIGH],
     "bar 1 beat 3: end on C contradicts lock bar 1 beat 3 = E5"),
])  # fmt: skip
def test_in_words(laws: list[Rule], message: str) -> None:
    told, _, remedy = explained(3, laws).partition(" (C major)")
    assert told == message
    assert remedy == REMEDIES.get(message, "; possible without either")


def test_only_laws_are_blamed() -> None:
    error = explain_infeasible(flat(60, 72, 3), in_c(3), [LargestLeap(1, cost=5.0), InKey(), InKey(cost=1.0), C_SHARP])
    assert error.blame == ("in key", "lock bar 1 beat 2 = C#4")


def test_moves_the_model_rules_out_are_impossible() -> None:
    arcs = replace(LineArcs.flat(2), onset=np.array([[0.0, -np.inf], [0.0, 0.0]]))
    request = replace(flat(60, 61, 3), arcs=arcs), in_c(3), [Lock(1, Fraction(1), 60), Lock(1, Fraction(3), 61)]
    assert first_impossible_step(*request) == 2
    assert irreducible_blame(*request) == tuple(request[2])


def test_where_the_model_itself_allows_nothing_no_law_is_blamed() -> None:
    nothing = replace(flat(60, 61, 3), step=np.array([[0.0] * 4, [-np.inf] * 4, [0.0] * 4]))
    error = explain_infeasible(nothing, in_c(3), [InKey(), C_SHARP])
    assert str(error) == "bar 1 beat 2: the model allows nothing here (C major)"
    assert (error.where, error.blame) == ("bar 1 beat 2", ())
