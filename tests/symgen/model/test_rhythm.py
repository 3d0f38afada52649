"""The chain of the rhythm against enumeration."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracle import is_line, log_sum
from torch import Tensor

from symgen.model.rhythm import RhythmChain, kinds_of

REST, HOLD, ONSET = 0, 1, 2


def random_chain(seed: int, n_slots: int) -> tuple[RhythmChain, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    chain = RhythmChain().double()
    for parameter in chain.parameters():
        parameter.data = torch.randn((), generator=generator, dtype=torch.float64)
    return chain, 2 * torch.randn(1, n_slots, 3, generator=generator, dtype=torch.float64)


def weight(chain: RhythmChain, weights: Tensor, kinds: tuple[int, ...]) -> float:
    """Add up the weights of one rhythm by hand."""
    total, sounds = 0.0, False
    for slot, kind in enumerate(kinds):
        total += weights[0, slot, kind].item()
        if kind == REST:
            total += (chain.note_to_rest if sounds else chain.rest_to_rest).item()
        if kind == ONSET and not sounds:
            total += chain.rest_to_onset.item()
        sounds = kind != REST
    return total


@given(st.integers(0, 2**31 - 1), st.integers(1, 6))
def test_the_sum_over_all_rhythms_and_the_chance_of_each(seed: int, n_slots: int) -> None:
    chain, weights = random_chain(seed, n_slots)
    rhythms = [kinds for kinds in product(range(3), repeat=n_slots) if is_line(kinds)]
    total = log_sum(weight(chain, weights, kinds) for kinds in rhythms)
    assert chain.log_partition(weights).item() == pytest.approx(total, abs=1e-9)
    found = [chain.log_likelihood(weights, torch.tensor([kinds])).item() for kinds in rhythms]
    assert found == pytest.approx([weight(chain, weights, kinds) - total for kinds in rhythms], abs=1e-9)
    assert math.fsum(map(math.exp, found)) == pytest.approx(1.0)


def test_what_happens_at_each_slot() -> None:
    assert kinds_of(torch.tensor([0, 1, 2, 7])).tolist() == [REST, HOLD, ONSET, ONSET]
