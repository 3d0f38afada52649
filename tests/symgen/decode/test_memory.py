"""Products with rules that remember: what is kept of them is never given to a request that only looks the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from decode_strategies import flat
from oracle import Line, lattice_lines
from rule_strategies import price

from symgen.decode import memory
from symgen.decode.compile import compile_line
from symgen.decode.memory import TooMuchToRememberError, _kept_product
from symgen.errors import RequestError
from symgen.potentials import LineArcs, LinePotentials
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter
from theory.rules import (
    AllOf,
    AnyOf,
    Cadence,
    ClimaxOnce,
    Contour,
    Density,
    EndOn,
    Event,
    InBars,
    InKey,
    LargestLeap,
    LeapRecovery,
    Moment,
    Motif,
    NonChordTones,
    Not,
    NoteLength,
    RepeatedNotes,
    Rule,
    RuleWithMemory,
    SameBars,
    StartOn,
)

Request = tuple[LinePotentials, list[Moment], list[Rule]]


def in_c(n_steps: int, meter: str = "2/4", key: str = "C", chords: Sequence[str] = ()) -> list[Moment]:
    """Return bars of quarters."""
    read = Meter.parse(meter)
    counts = int(read.bar_quarters)
    return [
        Moment(
            1 + step // counts, Fraction(1 + step % counts), min(step % counts, 1) * 2, Key.parse(key),
            Chord.parse(chords[step]) if chords else None, read, Fraction(1),
        )
        for step in range(n_steps)
    ]  # fmt: skip


def asked(low: int, high: int, moments: list[Moment], *rules: Rule) -> Request:
    return flat(low, high, len(moments)), moments, list(rules)


def expected(request: Request) -> dict[Line, float]:
    """Return the price of every line by the audit, negated; of lines that a model rules out, minus infinity."""
    potentials, moments, rules = request
    plain = lattice_lines(compile_line(potentials, moments, []))
    return {line: weight - price(potentials.alphabet, line, moments, rules) for line, weight in plain.items()}


def without_a_second_up(request: Request) -> Request:
    """Return the same for a model that never goes from the lower to the upper pitch."""
    potentials, moments, rules = request
    onset = np.array([[0.0, -np.inf], [0.0, 0.0]])
    return replace(potentials, arcs=replace(LineArcs.flat(2), onset=onset)), moments, rules


TRIAD = ["C", "C", "G", "G"]
LOOK_ALIKE: list[tuple[str, Request, Request]] = [
    ("a value", asked(60, 62, in_c(4), LeapRecovery(1, 1)), asked(60, 62, in_c(4), LeapRecovery(1, 2))),
    ("a price", asked(60, 61, in_c(4), RepeatedNotes(1, cost=1.0)), asked(60, 61, in_c(4), RepeatedNotes(1, cost=2.0))),
    ("a law", asked(60, 61, in_c(4), RepeatedNotes(1)), asked(60, 61, in_c(4), RepeatedNotes(1, cost=2.0))),
    ("the pitches", asked(60, 61, in_c(3), StartOn(frozenset({0}))), asked(59, 60, in_c(3), StartOn(frozenset({0})))),
    ("their number", asked(60, 61, in_c(3), ClimaxOnce()), asked(60, 62, in_c(3), ClimaxOnce())),
    ("the length", asked(60, 61, in_c(4), Density(1, 2)), asked(60, 61, in_c(3), Density(1, 2))),
    ("the metre", asked(60, 61, in_c(4), Density(1, 1)), asked(60, 61, in_c(4, "3/4"), Density(1, 1))),
    ("the key", asked(60, 62, in_c(2), StartOn(degrees=(1,))), asked(60, 62, in_c(2, key="D"), StartOn(degrees=(1,)))),
    ("the key of a part", asked(60, 61, in_c(3), Not(InKey())), asked(60, 61, in_c(3, key="Db"), Not(InKey()))),
    (
        "the chords",
        asked(60, 62, in_c(4, chords=TRIAD), NonChordTones()),
        asked(60, 62, in_c(4, chords=["C", "G", "C", "G"]), NonChordTones()),
    ),
    ("the order of steps", asked(60, 61, in_c(4), Cadence(2)),
     asked(60, 61, [moment._replace(level=2 - moment.level) for moment in in_c(4)], Cadence(2))),
    (
        "the last step",
        asked(60, 62, in_c(2), AnyOf((EndOn(degrees=(1,)), LargestLeap(0)))),
        asked(60, 62, [*in_c(1), *in_c(2, key="D")[1:]], AnyOf((EndOn(degrees=(1,)), LargestLeap(0)))),
    ),
    (
        "whether there is a place",
        asked(60, 61, in_c(3), Motif(2, notes="C4:1", transposed=True, cost=1.0)),
        asked(60, 61, in_c(3), Motif(2, notes="C4:2", transposed=True, cost=1.0)),
    ),
    ("where it holds", asked(60, 61, in_c(4), InBars(RepeatedNotes(1), 1, 1)),
     asked(60, 61, in_c(4), InBars(RepeatedNotes(1), 2, 2))),
    ("moves", asked(60, 61, in_c(4), RepeatedNotes(1)),
     without_a_second_up(asked(60, 61, in_c(4), RepeatedNotes(1)))),
    ("the order of the rules", asked(60, 61, in_c(4), RepeatedNotes(1, cost=1.0), Contour("rising", cost=0.5)),
     asked(60, 61, in_c(4), Contour("rising", cost=0.5), RepeatedNotes(1, cost=1.0))),
    ("the length of a step", asked(60, 61, in_c(4), NoteLength(Fraction(1))),
     asked(60, 61, [moment._replace(quarters=Fraction(1, 2)) for moment in in_c(4)], NoteLength(Fraction(1)))),
    ("the bars that come back", asked(60, 61, in_c(6), SameBars(2, 1, cost=1.0)),
     asked(60, 61, in_c(6), SameBars(3, 1, cost=1.0))),
]  # fmt: skip


@pytest.mark.parametrize(("what", "one", "other"), LOOK_ALIKE, ids=[what for what, _, _ in LOOK_ALIKE])
def test_requests_that_differ_in_one_thing_are_told_apart(what: str, one: Request, other: Request) -> None:
    """The second is asked while the first is kept, then the other way round; then each again."""
    for first, second in ((one, other), (other, one)):
        _kept_product.cache_clear()
        for request in (first, second, first):
            assert lattice_lines(compile_line(*request)) == pytest.approx(expected(request))
        assert _kept_product.cache_info().misses <= 2  # an equal request is found again
        assert _kept_product.cache_info().hits >= 1


class Shy(RuleWithMemory):
    """A user's own rule, no dataclass: its equality knows of its cost alone."""

    def __init__(self, of: int, cost: float = 1.0) -> None:
        super().__init__(cost=cost)
        object.__setattr__(self, "of", of)

    def after(self, memory: int | None, event: Event, moment: Moment) -> tuple[int | None, int]:
        return event.pitch, int(event.is_onset and event.pitch == vars(self)["of"] and memory is not None)


@pytest.mark.parametrize("wrapped", [
    lambda rule: rule,
    lambda rule: AllOf((rule, InKey()), cost=1.0),
    lambda rule: AnyOf((LargestLeap(0), Not(Not(rule))), cost=1.0),
    lambda rule: InBars(rule, 1, 2),
])  # fmt: skip
def test_rules_of_ones_own_that_are_equal_need_not_judge_alike(wrapped: Callable[[Rule], Rule]) -> None:
    shy = [wrapped(Shy(60)), wrapped(Shy(62))]
    assert shy[0] == shy[1]
    _kept_product.cache_clear()
    prices = []
    for rule in shy:
        request = asked(60, 62, in_c(4), rule)
        prices.append(lattice_lines(compile_line(*request)))
        assert prices[-1] == pytest.approx(expected(request))
    assert prices[0] != prices[1]
    assert _kept_product.cache_info().currsize == 0


@dataclass(frozen=True)
class Harsh(RuleWithMemory):
    """A user's own rule that finds a great many violations at once."""

    n: int = 200

    def after(self, memory: None, event: Event, moment: Moment) -> tuple[None, int]:
        return None, self.n * event.is_onset

    def at_end(self, memory: None, last: int | None, moment: Moment) -> int:
        return self.n if last is None else 0


@pytest.mark.parametrize("n", [127, 128, 200, 255, 256, 70_000])
def test_any_number_of_violations_is_charged(n: int) -> None:
    lines = lattice_lines(compile_line(*asked(60, 60, in_c(2), Harsh(n, cost=0.5))))
    assert lines == {(0, 0): -0.5 * n, (0, 2): -0.5 * n, (2, 0): -0.5 * n, (2, 1): -0.5 * n, (2, 2): -1.0 * n} | {
        line: -np.inf for line in lines if line[0] == 1 or line == (0, 1)
    }


def test_a_rule_that_has_too_much_to_say_is_not_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(60, 64, in_c(8, "4/4"), Density(0, 7))
    monkeypatch.setattr(memory, "_MOVES_FOR_AN_ANSWER", 2**15)
    memory._kept_table.cache_clear()
    for _ in range(2):  # kept, and said again
        with pytest.raises(TooMuchToRememberError, match="0 to 7 notes a bar: the rules together remember too much"):
            compile_line(*request)
    memory._kept_table.cache_clear()


def test_too_much_to_remember_is_one_line_that_names_who_remembers_most() -> None:
    rules: list[Rule] = [Density(0, 8), SameBars(2, 1), RepeatedNotes(2)]
    request = asked(60, 64, in_c(8, "4/4"), *rules)
    with pytest.raises(TooMuchToRememberError) as caught:
        compile_line(*request, max_moves=2000)
    assert isinstance(caught.value, RequestError)
    assert caught.value.rules[0] is rules[1]
    assert str(caught.value).endswith("remember too much: leave one out, or narrow the range")
    assert "\n" not in str(caught.value)
    assert compile_line(*asked(60, 64, in_c(8, "4/4"), rules[0]), max_moves=2000).n_steps == 8
