"""Likelihoods add up to one, what is drawn is a roll, and gradients go through it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from ensemble_music import TINY

from symgen.model.ensemble.data import HELD, SILENT, STRUCK
from symgen.model.ensemble.network import Cells
from symgen.model.ensemble.rolls import drawn_roll, line_symbols, log_likelihood

SMALL = replace(TINY, tracks=("Melody", "Chords"), chordal=(False, True), low=60, high=61)


def random_cells(n: int, steps: int, seed: int = 0, *, requires_grad: bool = False) -> Cells:
    noise = torch.Generator().manual_seed(seed)
    rolls = [torch.randn(n, steps, 2, 2, generator=noise) for _ in range(2)]
    lines = [torch.randn(n, steps, 2, generator=noise) for _ in range(2)]
    return Cells(*(x.requires_grad_(requires_grad) for x in (*rolls, *lines)))


def lawful(track, *, chordal: bool) -> bool:
    """Whether codes of a track, (steps, pitches), are a roll."""
    for step, row in enumerate(track):
        before = track[step - 1] if step else [SILENT] * len(row)
        if any(code == HELD and before[p] == SILENT for p, code in enumerate(row)):
            return False
        if not chordal and sum(code != SILENT for code in row) > 1:
            return False
    return True


@pytest.mark.parametrize("number", [0, 1])
def test_all_rolls_of_a_track_have_probability_one(number):
    steps, chordal = 3, SMALL.chordal[number]
    every = [np.array(c).reshape(steps, 2) for c in product((SILENT, HELD, STRUCK), repeat=2 * steps)]
    rolls = [track for track in every if lawful(track, chordal=chordal)]
    codes = torch.zeros(len(rolls), steps, 2, 2, dtype=torch.uint8)
    codes[:, :, number] = torch.from_numpy(np.stack(rolls).astype(np.uint8))
    cells = random_cells(1, steps)
    cells = Cells(*(x.expand(len(rolls), *x.shape[1:]) for x in (cells.struck, cells.held, cells.rest, cells.hold)))
    log_chance = log_likelihood(cells, codes, SMALL)[:, :, number].sum(dim=1)
    assert log_chance.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_what_is_drawn_is_discrete_and_sounds_only_where_it_was_struck():
    struck, sounding = drawn_roll(random_cells(40, 8), SMALL, torch.Generator().manual_seed(1))
    assert set(struck.unique().tolist()) == {0.0, 1.0}
    assert set(sounding.unique().tolist()) == {0.0, 1.0}
    assert (sounding >= struck).all()
    assert (sounding[:, :, 0].sum(dim=-1) <= 1).all()
    before = torch.nn.functional.pad(sounding, (0, 0, 0, 0, 1, 0))[:, :-1]
    assert (sounding <= before + struck).all()


def test_gradients_go_straight_through():
    cells = random_cells(4, 6, requires_grad=True)
    _, sounding = drawn_roll(cells, SMALL, torch.Generator().manual_seed(1))
    sounding[:, :, 0].sum().backward()
    for part in (cells.struck, cells.rest, cells.hold):
        assert part.grad is not None
        assert part.grad[:, :, 0].abs().sum() > 0
    assert cells.struck.grad[:, :, 1].abs().sum() == 0


def test_symbols_of_a_line():
    codes = torch.tensor([[SILENT, STRUCK], [SILENT, HELD], [STRUCK, SILENT], [SILENT, SILENT]])
    assert line_symbols(codes).tolist() == [3, 1, 2, 0]
