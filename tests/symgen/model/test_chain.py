"""The chain's differentiable sums against the decoder's lattice and against enumeration."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Line, is_line, log_sum, potentials_lines, potentials_weight, probabilities, symbol_marginals
from torch import Tensor

from symgen.alphabet import LineAlphabet
from symgen.decode.automaton import line_automaton
from symgen.decode.infer import log_backward, log_weight_of, marginals
from symgen.decode.lattice import Lattice
from symgen.model.chain import ChainTransitions
from symgen.potentials import LineArcs, LinePotentials

SIZES = st.tuples(st.integers(1, 3), st.integers(1, 4))  # pitches, steps
SEEDS = st.integers(0, 2**31 - 1)


def random_chain(n_pitches: int, n_steps: int, seed: int, *, scale: float = 1.5) -> tuple[ChainTransitions, Tensor]:
    """Return transitions and two rows of step weights, all random."""
    generator = torch.Generator().manual_seed(seed)
    chain = ChainTransitions(n_pitches).double()
    for parameter in chain.parameters():
        parameter.data = scale * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    step = scale * torch.randn(2, n_steps, n_pitches + 2, generator=generator, dtype=torch.float64)
    return chain, step.requires_grad_()


def as_potentials(chain: ChainTransitions, step: Tensor) -> LinePotentials:
    """Return what the chain means, in arrays."""
    arcs = LineArcs(
        chain.onset().detach().numpy(),
        chain.first.detach().numpy(),
        *(weight.item() for weight in (chain.rest_to_onset, chain.note_to_rest, chain.rest_to_rest)),
    )
    return LinePotentials(LineAlphabet(60, 59 + chain.n_pitches), step.detach().numpy(), arcs)


def lines_of(potentials: LinePotentials) -> dict[Line, float]:
    return {line: weight for line, weight in potentials_lines(potentials).items() if is_line(line)}


def test_weights_from_pitch_to_pitch() -> None:
    chain, _ = random_chain(14, 1, seed=4)
    onset = chain.onset()
    for p in range(14):
        for q in range(14):
            assert onset[p, q] == chain.interval[q - p + 13] + chain.degree[p % 12, q % 12]


@settings(max_examples=25)
@given(SIZES, SEEDS)
def test_the_sum_over_all_lines(size: tuple[int, int], seed: int) -> None:
    chain, step = random_chain(*size, seed)
    total = chain.log_partition(step)
    for row, of_row in zip(step, total.tolist(), strict=True):
        potentials = as_potentials(chain, row)
        lattice = Lattice.build(line_automaton(potentials.arcs), potentials.step)
        assert of_row == pytest.approx(log_backward(lattice)[0, 0], abs=1e-9)
        assert of_row == pytest.approx(log_sum(lines_of(potentials).values()), abs=1e-9)


@settings(max_examples=25)
@given(SIZES, SEEDS)
def test_the_weight_of_each_line(size: tuple[int, int], seed: int) -> None:
    chain, step = random_chain(*size, seed)
    potentials = as_potentials(chain, step[0])
    lattice = Lattice.build(line_automaton(potentials.arcs), potentials.step)
    lines = lines_of(potentials)
    weighed = chain.log_weight(step[:1].expand(len(lines), -1, -1), torch.tensor(list(lines)))
    np.testing.assert_allclose(weighed.detach().numpy(), list(lines.values()), atol=1e-9)
    for line, weight in lines.items():
        assert log_weight_of(lattice, np.array(line)) == pytest.approx(weight, abs=1e-9)


@settings(max_examples=25)
@given(SIZES, SEEDS)
def test_gradients_of_the_sum_are_posteriors(size: tuple[int, int], seed: int) -> None:
    chain, step = random_chain(*size, seed)
    (gradient,) = torch.autograd.grad(chain.log_partition(step).sum(), step)
    np.testing.assert_allclose(gradient.sum(dim=2).numpy(), 1.0, atol=1e-9)
    for row, of_row in zip(step, gradient.numpy(), strict=True):
        potentials = as_potentials(chain, row)
        lattice = Lattice.build(line_automaton(potentials.arcs), potentials.step)
        np.testing.assert_allclose(of_row, marginals(lattice, log_backward(lattice)).symbol, atol=1e-9)
        enumerated = symbol_marginals(probabilities(lines_of(potentials)), step.shape[2])
        np.testing.assert_allclose(of_row, enumerated, atol=1e-9)


@settings(max_examples=15)
@given(SIZES, SEEDS)
def test_gradients_of_the_transitions_are_expected_counts(size: tuple[int, int], seed: int) -> None:
    """The gradient of the log of a sum is the mean, under the law, of the gradients of its terms."""
    chain, step = random_chain(*size, seed)
    law = probabilities(lines_of(as_potentials(chain, step[0])))
    weighed = chain.log_weight(step[:1].expand(len(law), -1, -1), torch.tensor(list(law)))
    mean = (torch.tensor(list(law.values()), dtype=torch.float64) * weighed).sum()
    parameters = list(chain.parameters())
    expected = torch.autograd.grad(mean, parameters)
    found = torch.autograd.grad(chain.log_partition(step[:1]).sum(), parameters)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-9)


def test_rests_at_the_start_and_notes_after_rests() -> None:
    """The moves of one line, added up by hand: r r C - r D."""
    chain, step = random_chain(3, 6, seed=9)
    line = (0, 0, 2, 1, 0, 4)
    by_hand = sum(step[0, t, symbol].item() for t, symbol in enumerate(line))
    by_hand += 2 * chain.rest_to_rest.item() + chain.first[0].item() + chain.note_to_rest.item()
    by_hand += chain.onset()[0, 2].item() + chain.rest_to_onset.item()
    assert chain.log_weight(step[:1], torch.tensor([line])).item() == pytest.approx(by_hand, abs=1e-12)
    assert potentials_weight(as_potentials(chain, step[0]), line) == pytest.approx(by_hand, abs=1e-12)


def test_training_precision_stays_near_the_exact_sum() -> None:
    """A long window in float32, as in training: finite gradients, posteriors that add up, the exact sum nearby."""
    chain, step = random_chain(40, 256, seed=3, scale=3.0)
    potentials = as_potentials(chain, step[0])
    exact = log_backward(Lattice.build(line_automaton(potentials.arcs), potentials.step))[0, 0]
    single, parameters = step.detach().float().requires_grad_(), list(chain.float().parameters())
    total = chain.log_partition(single)
    of_step, *of_parameters = torch.autograd.grad(total.sum(), [single, *parameters])
    assert total[0].item() == pytest.approx(exact, rel=1e-5)
    np.testing.assert_allclose(of_step.sum(dim=2).numpy(), 1.0, atol=1e-3)
    assert all(torch.isfinite(gradient).all() for gradient in of_parameters)
