"""Form: by hand on a tune with returns, and beside loops over pairs of bars."""

import math

import numpy as np
import pytest
from hypothesis import given
from measure_strategies import melodies, melody

from symgen.evaluate.form import (
    form_of,
    lag_profile,
    phrase_repetition,
    repeated_bars,
    repeated_rhythms,
    self_similarity,
    transposed_bars,
)

A = ((0, 4, 60), (4, 4, 62))
UP = ((0, 4, 65), (4, 4, 67))
SAME_RHYTHM = ((0, 4, 60), (4, 4, 59))
OTHER = ((0, 2, 60), (4, 4, 62))


def piece(*bars):
    rows = [(8 * k + onset, duration, pitch) for k, bar in enumerate(bars) for onset, duration, pitch in bar]
    return melody(*rows, n_bars=len(bars), bar_steps=8)


def test_by_hand():
    tune = piece(A, UP, (), SAME_RHYTHM, A, OTHER, ())
    # five bars have notes: A is new, UP has A's rhythm and shape, SAME_RHYTHM the rhythm, A all of it, OTHER nothing
    assert repeated_bars(tune) == 1 / 5
    assert transposed_bars(tune) == 2 / 5
    assert repeated_rhythms(tune) == 3 / 5
    similar = self_similarity(tune)
    assert similar[0].tolist() == [1, 0, 0, 0.5, 1, 1, 0]
    assert (similar[2, 6], similar[2, 2]) == (1, 1)
    assert lag_profile(tune, [5, 6, 7])[:2].tolist() == [(similar[0, 5] + similar[1, 6]) / 2, similar[0, 6]]
    assert math.isnan(lag_profile(tune, [7])[0])


def test_a_phrase_returns_whole():
    assert phrase_repetition(piece(A, UP, A, UP), 2) == 1
    assert phrase_repetition(piece(A, UP, OTHER, A, UP), 2) == 4 / 5
    assert phrase_repetition(piece(A, UP, OTHER, UP, A), 2) == 0
    # the second run starts inside the first: no phrase of two bars has come back
    assert phrase_repetition(piece(A, A, A, OTHER), 2) == 0
    assert phrase_repetition(piece(A, A, A, A), 2) == 1
    assert phrase_repetition(piece((), (), (), ()), 2) == 0
    assert math.isnan(phrase_repetition(piece(A, A, A), 2))


def test_silence_has_no_form():
    tune = piece((), ())
    assert math.isnan(repeated_bars(tune))
    assert self_similarity(tune).tolist() == [[1, 1], [1, 1]]


def slow_shares(tune):
    """For each bar with notes, hold it against every earlier one, note by note."""
    bars = [tune.notes_of_bar(k) for k in range(tune.n_bars)]
    found = {"exact": [], "shape": [], "rhythm": []}
    for k, bar in enumerate(bars):
        if not len(bar):
            continue
        earlier = [other for other in bars[:k] if other.shape == bar.shape]
        alike = [other for other in earlier if (other[:, :2] == bar[:, :2]).all()]
        found["rhythm"].append(bool(alike))
        found["shape"].append(any(len(set((other[:, 2] - bar[:, 2]).tolist())) == 1 for other in alike))
        found["exact"].append(any((other[:, 2] == bar[:, 2]).all() for other in alike))
    return {name: np.mean(values) if values else math.nan for name, values in found.items()}


@given(melodies(n_pitches=2))
def test_beside_loops(tune):
    slow = slow_shares(tune)
    fast = {"exact": repeated_bars(tune), "shape": transposed_bars(tune), "rhythm": repeated_rhythms(tune)}
    assert fast == pytest.approx(slow, nan_ok=True)


def slow_phrases(tune, n):
    bars = [tune.notes_of_bar(k).tolist() for k in range(tune.n_bars)]
    marked = set()
    for i in range(tune.n_bars - n + 1):
        # the first place of all that has the same bars is what a return is a return of
        first = next(j for j in range(i + 1) if bars[j : j + n] == bars[i : i + n])
        if i >= first + n and any(bars[i : i + n]):
            marked |= set(range(first, first + n)) | set(range(i, i + n))
    return len(marked) / tune.n_bars


@given(melodies(n_pitches=1))
def test_phrases_beside_loops(tune):
    if tune.n_bars >= 4:
        assert phrase_repetition(tune, 2) == pytest.approx(slow_phrases(tune, 2))


@given(melodies())
def test_similarity_is_symmetric_and_one_on_the_diagonal(tune):
    similar = self_similarity(tune)
    assert (similar == similar.T).all()
    assert (np.diag(similar) == 1).all()
    assert ((similar >= 0) & (similar <= 1)).all()


def test_names_of_all():
    assert len(form_of(piece(A, UP, OTHER))) == 10
