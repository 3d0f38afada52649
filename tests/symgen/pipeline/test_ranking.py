"""Takes: the likeliest first, none nearly the same, drawn at once."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgen.errors import RequestError
from symgen.pipeline.generate import generate, generate_many
from symgen.pipeline.ranking import NEAR_COPY, Drawn, distance, ranked
from symgen.pipeline.takes import continue_, continue_many, infill, infill_many, vary, vary_many

NOTES = st.sets(st.tuples(st.integers(0, 5), st.integers(60, 62)))
SONG = generate(key="A minor", chords="Am F | C G", bars=4, seed=7)


@given(NOTES, NOTES, NOTES)
def test_the_distance_is_a_metric_from_0_to_1(a, b, c):
    assert 0 <= distance(a, b) == distance(b, a) <= 1
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-12


def test_a_near_copy_is_a_note_in_nine():
    notes = [(step, 60 + step) for step in range(10)]
    assert distance(notes, [*notes[:9], (9, 80)]) < NEAR_COPY
    assert distance(notes, [*notes[:8], (8, 80), (9, 80)]) > NEAR_COPY


def test_near_copies_of_likelier_ones_are_dropped_and_drawn_again():
    asked = []

    def draw(k):
        asked.append(k)
        value = len(asked)
        return [Drawn(value, -value, frozenset({(0, 60), (value // 2, 61)})) for _ in range(k)]

    found = ranked(draw, 3)
    assert [one.what for one in found] == [1, 2, 4]
    assert asked == [3, 2, 1, 1]
    assert [one.what for one in ranked(lambda k: [Drawn("same", 0.0, frozenset({(0, 60)}))] * k, 5)] == ["same"]


@given(st.lists(st.tuples(st.floats(-9, 0), NOTES), min_size=1, max_size=8))
def test_what_is_left_is_in_order_and_apart_and_everything_else_is_near_to_something_likelier(rows):
    drawn = [Drawn(i, weight, frozenset(notes)) for i, (weight, notes) in enumerate(rows)]
    kept = ranked(lambda k: drawn[:k], len(drawn))
    assert [one.log_probability for one in kept] == sorted((one.log_probability for one in kept), reverse=True)
    for i, one in enumerate(kept):
        assert all(distance(one.notes, other.notes) >= NEAR_COPY for other in kept[:i])
    for one in drawn:
        near = [k for k in kept if distance(one.notes, k.notes) < NEAR_COPY]
        assert max(k.log_probability for k in near) >= one.log_probability


def song(seed, **asked):
    return generate(chords="C F G C", bars=2, seed=seed, **asked)


MANY = [
    (lambda n, seed: generate_many(n, chords="C F G C", bars=2, seed=seed), song),
    (lambda n, seed: generate_many(n, chords="C F G C", form="A A'", bars=2, seed=seed), partial(song, form="A A'")),
    (lambda n, seed: infill_many(SONG, (2, 3), n, seed=seed), lambda seed: infill(SONG, (2, 3), seed=seed).score),
    (lambda n, seed: continue_many(SONG, 2, n, seed=seed), lambda seed: continue_(SONG, 2, seed=seed).score),
    (lambda n, seed: vary_many(SONG, 0.6, n, seed=seed), lambda seed: vary(SONG, 0.6, seed=seed).score),
]


@pytest.mark.parametrize(("many", "one"), MANY)
def test_takes_are_ranked_and_follow_from_the_seed(many, one):
    takes = many(4, 3)
    assert [take.rank for take in takes] == list(range(1, len(takes) + 1))
    likely = [take.log_probability for take in takes]
    assert likely == sorted(likely, reverse=True)
    assert all(-1e4 < value <= 0 for value in likely)
    assert len({take.score.tracks[0].notes for take in takes}) == len(takes)
    assert [take.score for take in many(4, 3)] == [take.score for take in takes]
    assert many(1, 3)[0].score == one(3)
    assert all(f"{take.rank} of 4" in str(dict(take.score.recipe)) for take in takes)


def test_all_takes_keep_the_rules():
    rules = ["range C4 G5", "largest-leap 5", "leap-recovery 3", "no-rests"]
    for take in generate_many(5, key="G", bars=4, rules=rules, seed=3):
        assert take.score.audit([*map(parsed, rules)]) == []
    song = generate(key="G", bars=4, rules=rules, seed=3)
    for take in vary_many(song, 0.7, 5, rules=rules, seed=1):
        assert take.score.audit([*map(parsed, rules)]) == []


def parsed(text):
    from theory.rules.text import parse_rule

    return parse_rule(text)


def test_nothing_to_vary_is_one_take():
    takes = vary_many(SONG, 0, 5, seed=1)
    assert [(take.score, take.log_probability) for take in takes] == [(SONG, 0.0)]


@pytest.mark.parametrize("n", [0, -1, 257, 2.5])
def test_the_number_of_takes_is_checked_first(n):
    for make in (lambda: generate_many(n), lambda: infill_many(SONG, (1, 1), n), lambda: vary_many(SONG, 0.5, n)):
        with pytest.raises(RequestError, match=f"number of takes: {n}: expected a whole number from 1 to 256"):
            make()
