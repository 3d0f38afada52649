"""Allowed sets of pitches against the enumeration of all sets."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass

import numpy as np
import pytest
from decode_strategies import SEEDS, weights
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracle import Line, log_sum, pitch_sets, probabilities

from symgen.decode import poly
from symgen.decode.poly import PitchSets, Shape
from symgen.errors import InfeasibleError, RequestError


@dataclass(frozen=True)
class Roll:
    """A roll to be drawn: log weights and conditions of each step."""

    log_in: NDArray[np.float64]
    permitted: NDArray[np.bool_]
    required: NDArray[np.bool_]
    classes: tuple[tuple[int, ...], ...]
    shape: Shape
    low: int

    def sets(self) -> PitchSets:
        return PitchSets.build(
            self.log_in,
            self.shape,
            low=self.low,
            permitted=self.permitted,
            required=self.required,
            classes=self.classes,
        )

    def enumerated(self) -> list[dict[Line, float]]:
        shape = asdict(self.shape)
        n_notes = shape.pop("min_notes"), shape.pop("max_notes")
        return [
            pitch_sets(
                self.log_in[step],
                low=self.low,
                n_notes=n_notes,
                permitted=self.permitted[step],
                required=self.required[step],
                classes=self.classes[step],
                **shape,
            )
            for step in range(len(self.log_in))
        ]


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    fewest = draw(st.integers(0, 2))
    return Shape(
        min_notes=fewest,
        max_notes=draw(st.none() | st.integers(max(fewest, 1), 5)),
        span=draw(st.none() | st.integers(1, 6)),
        hand_notes=draw(st.none() | st.integers(1, 3)),
        hands=draw(st.integers(1, 2)),
        spacing=draw(st.integers(1, 3)),
    )


@st.composite
def rolls(draw: st.DrawFn, *, coarse: bool = False, scale: float = 1.0) -> Roll:
    n_steps, n_pitches = draw(st.integers(1, 4)), draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(SEEDS))
    size = n_steps, n_pitches
    p_required = draw(st.sampled_from([0.0, 0.15]))
    low = draw(st.integers(55, 66))
    kinds = [(), (low % 12,), tuple({(low + 1) % 12, (low + 3) % 12})]
    return Roll(
        weights(rng, size, scale=scale, p_zero=0.05, coarse=coarse),
        rng.random(size) > draw(st.sampled_from([0.0, 0.2])),
        rng.random(size) < p_required,
        tuple(draw(st.sampled_from(kinds)) for _ in range(n_steps)),
        draw(shapes()),
        low,
    )


@pytest.mark.parametrize("scale", [1.0, 300.0])
@settings(max_examples=100)
@given(data=st.data())
def test_totals_counts_and_marginals(scale: float, data: st.DataObject) -> None:
    roll = data.draw(rolls(scale=scale))
    sets, expected = roll.sets(), roll.enumerated()
    assert sets.counts() == [len(each) for each in expected]
    np.testing.assert_allclose(sets.log_totals(), [log_sum(each.values()) for each in expected], rtol=1e-12, atol=1e-12)
    assume(all(expected))
    laws = [probabilities(each) for each in expected]
    marginals = [sum(p * np.array(chosen) for chosen, p in law.items()) for law in laws]
    np.testing.assert_allclose(sets.marginals(), marginals, atol=1e-9)


@settings(max_examples=100)
@given(rolls(coarse=True))
def test_heaviest_sets(roll: Roll) -> None:
    """Whole-number weights add exactly, so that ties are ties."""
    expected = roll.enumerated()
    assume(all(expected))
    best, log_weights = roll.sets().best()
    heaviest = [max(each.values()) for each in expected]
    assert log_weights.tolist() == heaviest
    first = [min(s for s, w in each.items() if w == top) for each, top in zip(expected, heaviest, strict=True)]
    assert [tuple(row) for row in best.astype(int).tolist()] == first


@settings(max_examples=60)
@given(rolls(), SEEDS)
def test_no_sample_is_forbidden(roll: Roll, seed: int) -> None:
    expected = roll.enumerated()
    assume(all(expected))
    drawn = roll.sets().sample(np.random.default_rng(seed), 8).astype(int)
    assert all(tuple(drawn[i, step].tolist()) in each for i in range(8) for step, each in enumerate(expected))


@pytest.mark.parametrize(
    ("shape", "classes"),
    [
        (Shape(), ()),
        (Shape(min_notes=1, max_notes=3, span=4), (0,)),
        (Shape(span=2, hands=2, hand_notes=2), ()),
        (Shape(spacing=2, min_notes=2), (2, 5)),
    ],
)
def test_samples_follow_the_law(shape: Shape, classes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    log_in = weights(rng, (2, 7), scale=1.0, p_zero=0.0)
    always = np.ones((2, 7), dtype=np.bool_)
    roll = Roll(log_in, always, ~always, (classes, classes), shape, 60)
    drawn = roll.sets().sample(rng, 20_000).astype(int)
    for step, each in enumerate(roll.enumerated()):
        law = probabilities(each)
        counts = Counter(map(tuple, drawn[:, step].tolist()))
        assert counts.keys() <= law.keys()
        often = [s for s in law if law[s] * 20_000 >= 10]
        expected = np.array([law[s] for s in often]) * 20_000
        chi_square = ((np.array([counts[s] for s in often]) - expected) ** 2 / expected).sum()
        assert chi_square < len(often) + 6 * np.sqrt(2 * len(often))


def test_long_rolls_are_taken_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    shape, log_in = Shape(max_notes=4, span=9, hands=2), rng.standard_normal((30, 20))
    classes = [(0, 4), (7,), ()] * 10
    whole = PitchSets.build(log_in, shape, low=60, classes=classes)
    answers = whole.log_totals(), whole.marginals(), *whole.best(), whole.sample(np.random.default_rng(2), 3)
    monkeypatch.setattr(poly, "_CHUNK_ENTRIES", 5_000)
    again = whole.log_totals(), whole.marginals(), *whole.best(), whole.sample(np.random.default_rng(2), 3)
    for left, right in zip(answers, again, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12)


def test_an_impossible_step_is_named() -> None:
    log_in = np.zeros((5, 13))
    required = np.zeros((5, 13), dtype=np.bool_)
    required[3, [0, 12]] = True
    sets = PitchSets.build(log_in, Shape(span=11), low=60, required=required)
    assert np.flatnonzero(np.isneginf(sets.log_totals())).tolist() == [3]
    assert [count > 0 for count in sets.counts()] == [True, True, True, False, True]
    for ask in (sets.marginals, sets.best, lambda: sets.sample(np.random.default_rng(0))):
        with pytest.raises(InfeasibleError, match=r"^step 3: no set .* 13 permitted .* \[60, 72\]") as caught:
            ask()
        assert caught.value.where == "step 3"


def test_a_piano_roll_at_once() -> None:
    """The chord, ten fingers and a cap, over the whole keyboard: what comes out keeps to it."""
    rng = np.random.default_rng(6)
    shape = Shape(min_notes=3, max_notes=6, span=12, hands=2, hand_notes=5, spacing=2)
    permitted = np.isin(np.arange(21, 109) % 12, [0, 2, 4, 5, 7, 9, 11])[None].repeat(24, axis=0)
    classes = [(0, 4, 7)] * 12 + [(7, 11)] * 12
    log_in = rng.standard_normal((24, 88)) - 1.0
    drawn = PitchSets.build(log_in, shape, low=21, permitted=permitted, classes=classes).sample(rng, 4)
    for roll in drawn:
        for row, wanted in zip(roll, classes, strict=True):
            pitches = np.flatnonzero(row) + 21
            assert 3 <= len(pitches) <= 6
            assert set(wanted) <= set((pitches % 12).tolist()) <= {0, 2, 4, 5, 7, 9, 11}
            reachable = pitches <= pitches[0] + 12
            assert np.ptp(pitches[reachable][:5]) <= 12
            assert (np.diff(pitches) >= 2).all()


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"min_notes": -1}, "min_notes -1: expected at least 0"),
        ({"min_notes": 3, "max_notes": 2}, "max_notes 2: expected at least 3"),
        ({"span": -1}, "span -1: expected at least 0"),
        ({"hand_notes": 0}, "hand_notes 0: expected at least 1"),
        ({"spacing": 0}, "spacing 0: expected at least 1"),
        ({"hands": 3}, "hands 3: expected 1 or 2"),
    ],
)
def test_shapes_out_of_range(shape: dict[str, int], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        Shape(**shape)


def test_conditions_that_do_not_fit() -> None:
    log_in = np.zeros((2, 5))
    with pytest.raises(RequestError, match="step 1: pitch class 12: expected 0 to 11"):
        PitchSets.build(log_in, Shape(), low=60, classes=[(), (12,)])
    with pytest.raises(RequestError, match=r"classes: 3 steps: expected 2"):
        PitchSets.build(log_in, Shape(), low=60, classes=[()] * 3)
    with pytest.raises(RequestError, match=r"required: shape \(2, 4\): expected \(2, 5\)"):
        PitchSets.build(log_in, Shape(), low=60, required=np.zeros((2, 4), dtype=np.bool_))
    with pytest.raises(RequestError, match="too much to remember"):
        PitchSets.build(log_in, Shape(max_notes=10, span=24), low=60, classes=[tuple(range(9))] * 2)
