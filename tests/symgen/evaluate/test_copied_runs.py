"""Shared runs: beside trying every pair of places, and what moves are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from measure_strategies import melodies, melody

from symgen.evaluate import copies
from symgen.evaluate.copies import RunIndex, copy_threshold, is_copy, longest_shared_run, moves_of
from symgen.evaluate.melody import Melody


def slow_longest(piece, corpus, but=None):
    """Try every pair of places and go on while the moves agree."""
    best = 0
    for k, other in enumerate(corpus):
        for i in range(len(piece) if k != but else 0):
            for j in range(len(other)):
                n = 0
                while i + n < len(piece) and j + n < len(other) and piece[i + n] == other[j + n]:
                    n += 1
                best = max(best, n)
    return best


PIECES = st.lists(st.lists(st.integers(1, 3), max_size=14), min_size=1, max_size=5)


@given(PIECES, st.lists(st.integers(1, 3), max_size=14), st.integers(1, 4))
def test_beside_every_pair_of_places(corpus, piece, seed):
    index = RunIndex.build([np.array(moves, dtype=np.int64) for moves in corpus], seed=seed)
    run = index.longest(np.array(piece, dtype=np.int64))
    slow = slow_longest(piece, corpus)
    assert run.length == (slow if slow >= seed else 0)
    if run.length:
        there = corpus[run.piece][run.start_there : run.start_there + run.length]
        assert there == piece[run.start : run.start + run.length]


@given(PIECES, st.data())
def test_a_piece_of_the_corpus_beside_the_others(corpus, data):
    k = data.draw(st.integers(0, len(corpus) - 1))
    index = RunIndex.build([np.array(moves, dtype=np.int64) for moves in corpus], seed=2)
    run = index.longest(np.array(corpus[k], dtype=np.int64), but=k)
    slow = slow_longest(corpus[k], corpus, but=k)
    assert run.length == (slow if slow >= 2 else 0)
    assert run.piece != k


@given(PIECES, st.lists(st.integers(1, 3), max_size=14))
def test_hashes_only_save_time(corpus, piece):
    # With hashes that agree on almost everything the answer stays the same.
    exact = RunIndex.build([np.array(moves, dtype=np.int64) for moves in corpus], seed=3)
    length = exact.longest(np.array(piece, dtype=np.int64)).length
    with pytest.MonkeyPatch.context() as patch:
        plain = copies._hashes
        patch.setattr(copies, "_hashes", lambda moves, n: plain(moves, n) % np.uint64(2))
        poor = RunIndex.build([np.array(moves, dtype=np.int64) for moves in corpus], seed=3)
        assert poor.longest(np.array(piece, dtype=np.int64)).length == length


def tune(n, seed):
    rng = np.random.default_rng(seed)
    onset = np.cumsum(rng.integers(1, 5, n))
    return Melody(onset, np.ones(n, dtype=np.int64), rng.integers(55, 80, n), np.array([0, int(onset[-1]) + 1]), 4)


def test_a_quotation_is_found_in_any_key_and_on_any_grid():
    corpus = [tune(60, seed) for seed in range(20)]
    index = RunIndex.build([moves_of(melody) for melody in corpus])
    source = corpus[13]
    finer = Melody(
        np.concatenate([[0, 5], 12 + 3 * (source.onset_steps[20:41] - source.onset_steps[20])]),
        np.ones(23, dtype=np.int64),
        np.concatenate([[60, 61], source.pitch[20:41] - 5]),
        np.array([0, 400]),
        12,
    )
    run = longest_shared_run(finer, index)
    assert (run.length, run.piece, run.start, run.start_there) == (20, 13, 2, 20)


def test_rhythm_counts_and_so_does_every_interval():
    plain = melody(*((2 * k, 2, 60 + k) for k in range(12)), bar_steps=24)
    slower = melody(*((4 * k, 2, 60 + k) for k in range(12)), bar_steps=48)
    upside = melody(*((2 * k, 2, 60 - k) for k in range(12)), bar_steps=24)
    index = RunIndex.build([moves_of(plain)], seed=3)
    assert [longest_shared_run(m, index).length for m in (plain, slower, upside)] == [11, 0, 0]


@given(melodies(min_notes=2))
def test_moves_are_one_to_one(tune):
    moves = moves_of(tune)
    assert (moves > 0).all()
    interval, ticks = moves % 256 - 128, moves // 256
    assert (interval == np.diff(tune.pitch)).all()
    assert (ticks == np.diff(tune.onset_steps) * 120).all()


def test_the_threshold_lets_the_share_pass():
    assert copy_threshold([5, 6, 7, 8], quantile=0.75) == 8
    assert copy_threshold([5, 5, 5, 5, 30], quantile=0.75) == 5
    run = copies.SharedRun(9)
    assert (is_copy(run, 8), is_copy(run, 9)) == (True, False)
    with pytest.raises(ValueError, match="at least one"):
        copy_threshold([])


def test_edges():
    empty = np.zeros(0, dtype=np.int64)
    assert RunIndex.build([]).longest(np.arange(20)).length == 0
    assert RunIndex.build([empty, np.arange(1, 9)]).longest(empty).length == 0
    assert RunIndex.build([empty, np.arange(1, 9)]).longest(np.arange(1, 9)).piece == 1
    with pytest.raises(ValueError, match="at least 1 move"):
        RunIndex.build([empty], seed=0)
