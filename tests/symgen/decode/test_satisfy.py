"""What the solver says of laws that no lattice can hold, against every line of small requests."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from decode_strategies import flat, potentials
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle import Line, potentials_lines
from rule_strategies import moments, place, price, rule_lists
from test_explain import in_c, is_kept_so_far

from symgen.decode import ask, satisfy
from symgen.decode import plan as plans
from symgen.decode.ask import Asker
from symgen.decode.clauses import clauses_of
from symgen.decode.draw import _some_lawful_line, draw_line
from symgen.decode.explain import explain_infeasible
from symgen.decode.memory import TooMuchToRememberError
from symgen.decode.plan import plan_line
from symgen.errors import InfeasibleError
from symgen.potentials import LinePotentials
from theory.meter import Meter
from theory.rules import ClimaxOnce, Lock, Moment, Not, NoteLength, Range, RepeatedNotes, Rule, SameBars

THOROUGH = settings(
    max_examples=60,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
    deadline=None,
)
Request = tuple[LinePotentials, list[Moment], list[Rule]]


@st.composite
def requests(draw: st.DrawFn) -> Request:
    n_pitches, n_steps = draw(st.sampled_from([(2, 3), (3, 3), (2, 4), (2, 5)]))
    given_potentials = draw(potentials(pitches=(n_pitches,) * 2, steps=(n_steps,) * 2, p_zero=0.1))
    given_moments = draw(moments(n_steps))
    laws = draw(rule_lists(given_potentials.alphabet, n_steps, costs=[math.inf], min_size=1, max_size=5))
    closed = np.array([False, *draw(st.lists(st.booleans(), min_size=n_steps - 1, max_size=n_steps - 1))])
    given_potentials = replace(given_potentials, closed=closed if draw(st.booleans()) else None)
    return given_potentials, given_moments, [law for law in laws if law.has_place(given_moments)]


def kept(request: Request, laws: Iterable[Rule]) -> set[Line]:
    """Return the lines of weight above zero in which the laws find nothing."""
    given_potentials, given_moments, _ = request
    lines, asked = potentials_lines(given_potentials), list(laws)
    return {
        line
        for line, weight in lines.items()
        if weight > -math.inf and not price(given_potentials.alphabet, line, given_moments, asked)
    }


@pytest.fixture(params=["easy", "rich", "by ends", "by ends, poor"])
def manner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go the way of requests that are easy to solve, or one of those that are not."""
    asked: Callable[..., bool | None] = satisfy._asked
    way = request.param

    def forgetful(solver: object, assumptions: list[int], n_conflicts: int) -> bool | None:
        """Know nothing by the first clauses; on the way by ends, only what is asked with an end, or at last."""
        n_asked[0] += 1
        with_end = len(assumptions) > n_laws[0]
        is_early = n_conflicts == 1 and (n_asked[0] == 1 or (way != "rich" and not with_end))
        return None if is_early else asked(solver, assumptions, 5000)

    def answer(riddle: satisfy.Riddle, some: list[Rule] | None = None, **named: np.ndarray) -> satisfy.Answer:
        n_asked[0], n_laws[0] = 0, len(riddle.laws if some is None else some)
        return whole(riddle, some, **named)

    n_asked, n_laws = [0], [0]
    whole = satisfy.Riddle.answer
    if way != "easy":
        monkeypatch.setattr(satisfy, "_FEW_CONFLICTS", 1)
        monkeypatch.setattr(satisfy, "_asked", forgetful)
        monkeypatch.setattr(satisfy.Riddle, "answer", answer)
    if "poor" in way:
        monkeypatch.setattr("symgen.decode.clauses._MAX_RICH_CLAUSES", 0)


@pytest.mark.usefixtures("manner")
@THOROUGH
@given(requests())
def test_there_is_an_answer_where_there_is_a_line_and_it_keeps_the_laws(request_drawn: Request) -> None:
    given_potentials, given_moments, laws = request_drawn
    answer = Asker(given_potentials, given_moments, laws).answer()
    lines = kept(request_drawn, laws)
    if answer.line is None:
        assert not lines
        named = [law for law in laws if not law.remembers or isinstance(law, SameBars)]
        assert not kept(request_drawn, [*named, *answer.blamed])
    else:
        assert tuple(answer.line.tolist()) in lines


@pytest.mark.usefixtures("manner")
@THOROUGH
@given(requests())
def test_the_first_step_that_no_beginning_passes(request_drawn: Request) -> None:
    given_potentials, given_moments, laws = request_drawn
    plain = [law for law in laws if not isinstance(law, SameBars)]
    n_steps = len(given_moments)
    expected = n_steps - 1
    for n in range(1, n_steps + 1):
        beginnings = [line for line, w in potentials_lines(given_potentials.part(slice(n))).items() if w > -math.inf]
        if not any(is_kept_so_far(given_potentials, given_moments, plain, line) for line in beginnings):
            expected = n - 1
            break
    assert Asker(given_potentials, given_moments, plain).first_impossible_step() == expected


def test_a_line_is_like_the_one_that_it_should_be_like() -> None:
    request, given_moments = flat(60, 72, 8), [Moment(*place(step), 0) for step in range(8)]
    like = np.array([2, 1, 7, 1, 5, 1, 9, 1])
    laws: list[Rule] = [RepeatedNotes(1), ClimaxOnce()]
    assert Asker(request, given_moments, laws).answer(like=like).line.tolist() == like.tolist()
    locked = Asker(request, given_moments, [*laws, Lock(*place(4), 61)]).answer(like=like).line
    assert locked[4] == 3
    assert (locked != like).sum() <= 2


IMPOSSIBLE: list[Rule] = [ClimaxOnce(), SameBars(bar=2, like=1), NoteLength(shortest=2), Range(60, 71), Lock(1, 1, 64)]


def two_bars() -> list[Moment]:
    return [Moment(1 + step // 4, Fraction(1 + step % 4), 0, None, None, Meter(4, 4), Fraction(1)) for step in range(8)]


@pytest.fixture
def _without_lattices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no lattice hold a law with a memory."""
    for name in ("MAX_MOVES_OF_A_STEP", "MAX_MOVES_IN_NEED"):
        monkeypatch.setattr(ask, name, 1)
        monkeypatch.setattr(plans, name, 1)


@pytest.mark.usefixtures("_without_lattices")
def test_what_no_lattice_can_hold_is_explained_all_the_same() -> None:
    bars = two_bars()
    error = explain_infeasible(flat(60, 72, 8), bars, IMPOSSIBLE)
    assert set(error.blame) == {str(IMPOSSIBLE[0]), str(IMPOSSIBLE[1]), str(IMPOSSIBLE[4])}
    assert set(error.possible_without) == set(error.blame)


@pytest.mark.usefixtures("_without_lattices")
def test_a_request_that_no_lattice_can_hold_is_met_or_refused() -> None:
    bars = two_bars()
    rng = np.random.default_rng(0)
    plan = plan_line(flat(60, 72, 8), bars, IMPOSSIBLE, max_moves=1)
    with pytest.raises(InfeasibleError):
        draw_line(plan, rng)
    laws = [IMPOSSIBLE[0], *IMPOSSIBLE[2:]]
    line = draw_line(plan_line(flat(60, 72, 8), bars, laws, max_moves=1), rng)
    assert not price(flat(60, 72, 8).alphabet, line.tolist(), bars, laws)


def test_too_many_clauses_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    given_moments = [Moment(*place(step), 0) for step in range(4)]
    monkeypatch.setattr("symgen.decode.clauses._MAX_CLAUSES", 50)
    monkeypatch.setattr("symgen.decode.clauses._MAX_RICH_CLAUSES", 50)
    with pytest.raises(TooMuchToRememberError):
        Asker(flat(60, 72, 4), given_moments, [ClimaxOnce()]).answer()
    monkeypatch.undo()
    monkeypatch.setattr(satisfy, "_asked", lambda *_: None)
    with pytest.raises(TooMuchToRememberError, match="remember too much"):
        Asker(flat(60, 72, 4), given_moments, [ClimaxOnce()]).answer()


def test_a_lattice_without_a_line_has_no_clauses() -> None:
    given_moments = [Moment(*place(step), 0) for step in range(2)]
    lattice = plan_line(flat(60, 61, 2), given_moments, [Lock(*place(0), 70)]).lattice
    assert clauses_of(lattice, (), [], given_moments, 60) is None
    assert Asker(flat(60, 61, 2), given_moments, [Lock(*place(0), 70), ClimaxOnce()]).answer().line is None


def test_a_law_given_twice_that_no_lattice_can_hold_is_left_to_be_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    given_moments = in_c(8)
    monkeypatch.setattr("symgen.decode.memory._MOVES_FOR_AN_ANSWER", 2**16)
    for _ in range(2):  # what is kept of the first names a law that equals the second
        laws = [ClimaxOnce(), ClimaxOnce()]
        plan = plan_line(flat(48, 84, 8), given_moments, laws)
        assert {id(law) for law in plan.judged} == {id(law) for law in laws}


def test_a_law_and_its_opposite_are_refused_where_the_solver_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    laws = [ClimaxOnce(), RepeatedNotes(2), Not(RepeatedNotes(2))]
    plan = plan_line(flat(60, 72, 8), two_bars(), laws, max_moves=1)
    monkeypatch.setattr(satisfy, "_asked", lambda *_: None)
    with pytest.raises(InfeasibleError) as caught:
        _some_lawful_line(plan, np.random.default_rng(0))
    assert caught.value.blame == tuple(map(str, laws[1:]))
    kept = plan_line(flat(60, 72, 8), two_bars(), laws[:2], max_moves=1)
    assert _some_lawful_line(kept, np.random.default_rng(0)) is None
