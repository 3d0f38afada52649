"""Tracks of chords against enumeration: every row of strikes, every way to hold them, and what each should weigh."""

from __future__ import annotations

from itertools import chain, combinations, product
from math import exp, log, log1p

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgen.decode.poly import PitchSets, Shape
from symgen.decode.texture import DrawnTexture, Texture, draw_textures, fits
from symgen.errors import InfeasibleError
from symgen.score import Note

SHAPES = [
    Shape(max_notes=2, span=3),
    Shape(max_notes=3, span=2, hands=2),
    Shape(),
    Shape(max_notes=2, hand_notes=1, hands=2),
]


def subsets(items):
    items = list(items)
    return chain.from_iterable(combinations(items, n) for n in range(len(items) + 1))


def strike_rows(texture: Texture):
    """Every lawful row of strikes with its log weight, by plain loops."""
    n_steps, n_pitches = texture.log_strike.shape
    locks = {(n.onset_steps, n.pitch - texture.low): n for n in texture.locked}
    for row in product([frozenset(s) for s in subsets(range(n_pitches))], repeat=n_steps):
        log_weight, last, lawful = 0.0, -texture.min_steps, True
        for step, struck in enumerate(row):
            going_on = {p for (t, p), n in locks.items() if t < step < n.end_steps and (step, p) not in locks}
            starting = {p for t, p in locks if t == step}
            if starting - struck or struck & going_on:
                lawful = False
            if struck:
                held_long = all(
                    step + ahead < n_steps and texture.permitted[step + ahead, p]
                    for p in struck - starting
                    for ahead in range(texture.min_steps)
                )
                allowed = all(texture.permitted[step, p] for p in struck | going_on)
                lawful &= held_long and allowed and fits(sorted(struck | going_on), texture.shape)
                lawful &= step - last >= texture.min_steps and len(struck) >= texture.shape.min_notes
                last = step
                log_weight += sum(texture.log_strike[step, p] for p in struck)
        if lawful:
            yield row, log_weight


def log_of_holds(texture: Texture, row, notes) -> float:
    """The log-probability of how long the notes of a row are held, step by step, by enumeration of subsets."""
    ends = {(n.onset_steps, n.pitch - texture.low): n.end_steps for n in notes}
    locked = {(n.onset_steps, n.pitch - texture.low) for n in texture.locked}
    total, sounding = 0.0, {}
    for step, struck in enumerate(row):
        going = {p: t for p, t in sounding.items() if p not in struck and not ((t, p) in locked and step >= ends[t, p])}
        must = {p for p, t in going.items() if (t, p) in locked or step - t < texture.min_steps}
        may = [p for p in going if p not in must and texture.permitted[step, p]]
        kept = tuple(p for p in may if ends[going[p], p] > step)
        ways = [s for s in subsets(may) if fits([*struck, *must, *s], texture.shape)]
        weights = {s: sum(texture.log_hold[step, p] for p in s) for s in ways}
        total += weights[kept] - log(sum(exp(w) for w in weights.values()))
        sounding = {p: going[p] for p in (*must, *kept)} | dict.fromkeys(struck, step)
    return total


def row_of(texture: Texture, drawn: DrawnTexture):
    row = [set() for _ in range(texture.n_steps)]
    for note in drawn.notes:
        row[note.onset_steps].add(note.pitch - texture.low)
    return tuple(frozenset(s) for s in row)


@st.composite
def textures(draw, *, locks: bool = False):
    n_steps, n_pitches = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    permitted = rng.random((n_steps, n_pitches)) < 0.8
    shape, min_steps = draw(st.sampled_from(SHAPES)), draw(st.integers(1, 3))
    locked = ()
    if locks:
        step = int(rng.integers(n_steps))
        length = int(rng.integers(1, n_steps - step + 1))
        locked = (Note(step, length, 60 + int(rng.integers(n_pitches))),)
    return Texture(
        rng.normal(0, 1.5, (n_steps, n_pitches)), rng.normal(0, 1.5, (n_steps, n_pitches)), permitted, shape, 60,
        min_steps, locked,
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(textures(), st.integers(0, 99))
def test_the_probability_is_that_of_the_enumeration(texture, seed):
    rows = dict(strike_rows(texture))
    log_total = np.logaddexp.reduce(list(rows.values()))
    for drawn in draw_textures(texture, np.random.default_rng(seed), 3):
        row = row_of(texture, drawn)
        assert row in rows
        expected = rows[row] - log_total + log_of_holds(texture, row, drawn.notes)
        assert drawn.log_probability == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(textures(locks=True), st.integers(0, 99))
def test_locked_notes_are_there_or_it_is_said_to_be_impossible(texture, seed):
    lock = texture.locked[0]
    rows = dict(strike_rows(texture))
    if not rows:
        with pytest.raises(InfeasibleError, match="no chord can be struck"):
            draw_textures(texture, np.random.default_rng(seed))
        return
    for drawn in draw_textures(texture, np.random.default_rng(seed), 3):
        assert row_of(texture, drawn) in rows
        assert (lock.onset_steps, lock.end_steps, lock.pitch) in {
            (n.onset_steps, n.end_steps, n.pitch) for n in drawn.notes
        }


def test_strikes_come_as_often_as_they_should():
    rng = np.random.default_rng(5)
    texture = Texture(
        rng.normal(0, 1, (3, 2)), np.zeros((3, 2)), np.ones((3, 2), dtype=bool), Shape(max_notes=2), 60, 2
    )
    rows = dict(strike_rows(texture))
    log_total = np.logaddexp.reduce(list(rows.values()))
    n = 4000
    drawn = [row_of(texture, one) for one in draw_textures(texture, rng, n)]
    expected = np.array([n * exp(w - log_total) for w in rows.values()])
    found = np.array([drawn.count(row) for row in rows])
    assert found.sum() == n
    statistic = float(((found - expected) ** 2 / expected).sum())
    assert statistic < len(rows) + 4 * (2 * len(rows)) ** 0.5  # some four deviations above its mean


@settings(max_examples=80, deadline=None)
@given(st.sets(st.integers(0, 9)), st.sampled_from(SHAPES))
def test_what_fits_a_hand_is_what_the_sets_of_pitches_allow(pitches, shape):
    required = np.isin(np.arange(10), sorted(pitches))[None]
    allowed = PitchSets.build(np.zeros((1, 10)), shape, low=60, permitted=required, required=required)
    assert fits(sorted(pitches), shape) == (allowed.counts() == [1])


def test_notes_last_and_keep_to_what_is_permitted():
    rng = np.random.default_rng(3)
    permitted = np.zeros((32, 24), dtype=bool)
    for step in range(32):
        permitted[step] = np.isin(np.arange(24) % 12, (0, 4, 7) if step < 16 else (2, 7, 11))
    shape = Shape(max_notes=4, span=12, hands=2)
    texture = Texture(rng.normal(-1, 1, (32, 24)), rng.normal(2, 1, (32, 24)), permitted, shape, 48, 3)
    for drawn in draw_textures(texture, rng, 20):
        assert drawn.notes
        for note in drawn.notes:
            assert note.duration_steps >= 3
            assert permitted[note.onset_steps : note.end_steps, note.pitch - 48].all()
        for step in range(32):
            assert fits([n.pitch for n in drawn.notes if n.onset_steps <= step < n.end_steps], shape)


def test_certainty_has_probability_one():
    texture = Texture(np.full((2, 1), 40.0), np.full((2, 1), 40.0), np.ones((2, 1), dtype=bool), Shape(), 60, 2)
    drawn = draw_textures(texture, np.random.default_rng(0))[0]
    assert [(n.onset_steps, n.duration_steps) for n in drawn.notes] == [(0, 2)]
    assert drawn.log_probability == pytest.approx(-log1p(exp(-40)))
