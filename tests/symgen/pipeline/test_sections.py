"""Forms in letters: the law of a letter by enumeration, every rule kept, and what can't come back truly can't."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgen.alphabet import LineAlphabet
from symgen.errors import InfeasibleError, RequestError
from symgen.pipeline.draws import narrowed, with_potentials
from symgen.pipeline.form import read_form, settled
from symgen.pipeline.sections import draw_forms, with_cadences
from symgen.potentials import LineArcs, LinePotentials
from tests.oracle import HOLD, potentials_lines
from tests.rule_strategies import moments, price, rule_lists
from tests.symgen.decode.decode_strategies import potentials
from theory.key import Key
from theory.rules import Cadence, EndOn, LargestLeap, Lock, Moment, Range, SameBars

C = Key.parse("C")


def moments_of_bars(n_bars, size=2):
    """Return moments of short bars in C that start strong."""
    from fractions import Fraction

    from theory.meter import Meter

    return [
        Moment(bar + 1, Fraction(beat + 1), 0 if beat == 0 else 2, C, None, Meter(size, 4), Fraction(1))
        for bar in range(n_bars)
        for beat in range(size)
    ]


def random_potentials(seed, n_steps, low=60, high=62):
    rng = np.random.default_rng(seed)
    alphabet = LineAlphabet(low, high)
    n = alphabet.n_pitches
    arcs = LineArcs(rng.normal(size=(n, n)), rng.normal(size=n), *rng.normal(size=3))
    return LinePotentials(alphabet, rng.normal(size=(n_steps, n + 2)), arcs, leave=rng.normal(size=(n_steps, n + 1)))


@pytest.mark.parametrize(
    "rules",
    [
        [Cadence(1, "open", cost=0.5), Cadence(2, "open", cost=0.5), Cadence(3, "open", cost=0.5)],
        [*(Cadence(bar, "open", cost=0.5) for bar in (1, 2, 3)), EndOn(frozenset({2}))],
        [*(Cadence(bar, "open", cost=0.5) for bar in (1, 2, 3)), LargestLeap(1), Lock(3, 1, 61)],
    ],
)
def test_a_letter_has_the_law_of_the_lattice_given_that_it_can_come_back(rules):
    """A B A: the shares of A, and of B given A, are those of all lines weighed one by one."""
    pot, form, when = random_potentials(3, 6), read_form("A B A", phrase_bars=1), moments_of_bars(3)
    lines = {
        line: log_weight - price(pot.alphabet, line, when, rules)
        for line, log_weight in potentials_lines(pot).items()
        if log_weight > -math.inf and line[2] != HOLD and line[4] != HOLD
    }
    weight = {line: math.exp(log_weight) for line, log_weight in lines.items() if log_weight > -math.inf}
    first, whole = Counter(), Counter()
    for line, w in weight.items():
        first[line[:2]] += w
        if line[:2] == line[4:]:
            whole[line[:2]] += w
    possible = sum(first[a] for a in whole)
    law = {line: first[line[:2]] / possible * w / whole[line[:2]] for line, w in weight.items() if line[:2] == line[4:]}
    draws = 200
    made = draw_forms([pot] * draws, when, rules, form, np.array([0, 2, 4, 6]), np.random.default_rng(1))
    drawn = Counter(tuple(one.line.tolist()) for one in made)
    assert set(drawn) <= set(law)
    distance = sum(abs(drawn[line] / draws - p) for line, p in law.items()) / 2
    # What chance alone leaves of the total variation, about sqrt(2 p / (pi n)) a line, and some more.
    assert distance < 1.6 * sum(math.sqrt(p / (2 * math.pi * draws)) for p in law.values())


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(["A A", "A A'", "A B"]), st.integers(0, 99))
def test_laws_are_kept_and_what_does_not_come_back_cannot(data, text, seed):
    pot = data.draw(potentials(pitches=(1, 2), steps=(6, 6)))
    when = data.draw(moments(6))
    rules = data.draw(rule_lists(pot.alphabet, 6, max_size=3))
    form, starts = read_form(text, phrase_bars=1), np.array([0, 3, 6])
    lawful = [
        line
        for line, log_weight in potentials_lines(pot).items()
        if log_weight > -math.inf and price(pot.alphabet, line, when, rules) < math.inf
    ]
    try:
        made = next(draw_forms([pot], when, rules, form, starts, np.random.default_rng(seed)))
    except InfeasibleError:
        assert not lawful
        return
    line = tuple(made.line.tolist())
    assert line in lawful
    assert price(pot.alphabet, line, when, [rule for rule in made.rules if rule.is_law]) < math.inf
    again = [one for one in lawful if one[:3] == one[3:] and HOLD not in (one[0], one[3])]
    if text == "A A":
        came_back = made.form.sections[1].like == 0
        assert came_back == bool(again)
        assert came_back == (line[:3] == line[3:] and HOLD not in (line[0], line[3])) or not came_back
        assert came_back or any("vary" in word for word in made.said)
    if text == "A A'" and not made.said:
        assert line[:3] != line[3:]


def test_a_law_is_left_where_it_is_and_the_form_gives_way():
    pot, when = random_potentials(1, 8, 60, 67), moments_of_bars(4)
    form, starts = read_form("A B A B", phrase_bars=1), np.arange(0, 10, 2)
    rules = [Lock(1, 1, 60), Lock(3, 1, 62)]
    made = next(draw_forms([pot], when, rules, form, starts, np.random.default_rng(0)))
    assert [made.line[0] - 2 + 60, made.line[4] - 2 + 60] == [60, 62]
    assert made.form.sections[2].varies == 0
    assert made.form.sections[3].like == 1
    assert any("bar 3" in word and "bar 1" in word for word in made.said)
    assert made.line[2:4].tolist() == made.line[6:8].tolist()


def test_cadences_are_laws_of_one_kind_for_a_letter_and_give_way_to_those_of_the_user():
    pot, when = random_potentials(1, 8, 60, 67), moments_of_bars(4)
    form = read_form("A B A B", phrase_bars=1)
    kinds = lambda rules, **eased: {  # noqa: E731
        rule.bar: (rule.kind, rule.is_law)
        for rule in with_cadences(pot, when, rules, form, **eased)[0].rules
        if isinstance(rule, Cadence)
    }
    home, away = ("authentic", True), ("half", True)
    assert kinds([]) == {1: away, 2: home, 3: away, 4: home}
    assert kinds([Cadence(3, "imperfect", cost=2.0)]) == {1: away, 2: home, 3: ("imperfect", False), 4: home}
    assert kinds([Lock(2, 1, 64)]) == {1: away, 3: away, 2: ("imperfect", True), 4: ("imperfect", True)}
    eased = kinds([Lock(2, 1, 62)])
    assert eased[2] == eased[4] == ("authentic", False)
    assert kinds([], eased=frozenset({0}))[1] == ("half", False)


def test_impossible_requests_are_refused_for_the_users_reasons_alone():
    pot, when = random_potentials(1, 4), moments_of_bars(2)
    form, starts = read_form("A A", phrase_bars=1), np.array([0, 2, 4])
    with pytest.raises(InfeasibleError) as caught:
        next(draw_forms([pot], when, [Range(60, 60), Lock(2, 1, 62)], form, starts, np.random.default_rng(0)))
    assert not any("cadence" in word or "rest" in word for word in caught.value.blame)


def test_a_law_of_repeats_beside_the_form_is_kept():
    pot, when = random_potentials(5, 8), moments_of_bars(4)
    rules = [SameBars(4, 3), *(Cadence(bar, "open", cost=0.5) for bar in range(1, 5))]
    form, starts = read_form("A A' B C", phrase_bars=1), np.arange(0, 10, 2)
    for made in draw_forms([pot] * 10, when, rules, form, starts, np.random.default_rng(2)):
        assert made.line[4:6].tolist() == made.line[6:8].tolist()


def test_log_probabilities_are_those_of_the_lattice():
    pot, form, when = random_potentials(3, 4), read_form("A B", phrase_bars=1), moments_of_bars(2)
    rules = [Cadence(1, "open", cost=0.5), Cadence(2, "open", cost=0.5)]
    made = next(draw_forms([pot], when, rules, form, np.array([0, 2, 4]), np.random.default_rng(4)))
    log_weights = {
        line: log_weight - price(pot.alphabet, line, when, rules)
        for line, log_weight in potentials_lines(pot).items()
        if log_weight > -math.inf
    }
    total = math.log(math.fsum(math.exp(w) for w in log_weights.values()))
    assert made.log_probability == pytest.approx(log_weights[tuple(made.line.tolist())] - total)


def test_plans_with_other_potentials_are_those_compiled_anew():
    when, rules = moments_of_bars(3), [LargestLeap(1), Cadence(2, "open")]
    plan, _ = with_cadences(random_potentials(1, 6), when, rules, read_form("A B A", phrase_bars=1))
    other = random_potentials(2, 6)
    for one in (other, LinePotentials(other.alphabet, other.step, plan.potentials.arcs, leave=other.leave)):
        moved = with_potentials(plan, one)
        anew = with_cadences(one, when, rules, read_form("A B A", phrase_bars=1))[0]
        assert np.allclose(moved.lattice.log_symbol, anew.lattice.log_symbol)
        assert np.allclose(moved.lattice.log_state, anew.lattice.log_state)
        is_open = np.ones(one.step.shape, dtype=bool)
        is_open[2, :3] = False
        assert np.isneginf(narrowed(moved, is_open).lattice.log_symbol[2, :3]).all()


@pytest.mark.parametrize(
    ("text", "asked", "message"),
    [
        ("A' A", {}, "A' varies A: expected A before it"),
        ("A8 A4", {}, "A has 4 and 8 bars"),
        ("A0", {}, "A has 0 bars"),
        ("A B", {"bars": 7, "phrase_bars": 4}, "8 bars with 4 a letter: expected the 7 bars"),
        ("A B A", {"bars": 16}, "expected the 16 bars"),
        ("a b", {}, "expected one of period, free, or letters"),
        ("", {}, "expected one of period, free, or letters"),
        ("A ? B", {}, "expected one of period, free, or letters"),
    ],
)
def test_what_is_no_form_is_refused(text, asked, message):
    with pytest.raises(RequestError, match=message):
        read_form(text, **asked)


def test_bars_are_shared_out_and_counted():
    assert [s.n_bars for s in read_form("A A' B A", bars=32).sections] == [8, 8, 8, 8]
    assert [s.n_bars for s in read_form("A8 B A", bars=20).sections] == [8, 4, 8]
    assert [s.n_bars for s in read_form("AABA").sections] == [4] * 4
    assert [(s.name, s.n_bars) for s in read_form("A′8 B2".replace("A′", "A A′")).sections] == [
        ("A", 8),
        ("A'", 8),
        ("B", 2),
    ]
    assert str(read_form("A8 B4 A8")) == "A8 B4 A8"
    assert str(read_form("A A’ B", phrase_bars=2)) == "A A' B"


def test_sections_come_back_only_under_the_same_chords():
    form = read_form("A A A A B", phrase_bars=1)
    made, said = settled(form, ["x", "y", "x", "y", "x"])
    assert [(s.like, s.varies) for s in made.sections] == [(None, None), (None, 0), (0, None), (1, None), (None, None)]
    assert len(said) == 1
    assert said[0].startswith("bar 2 ")
