"""How far masking ends up from the law: ``python -m benchmarks.law``.

On small random requests everything can be enumerated. The exact law of the lines that keep the rules is compared
with what three ways of drawing give, each worked out exactly: masks that look at one step only, masks that look
ahead for a lawful end but give it no weight, and the lattice.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import LineAlphabet
from symgen.decode.automaton import DEAD
from symgen.decode.compile import compile_line
from symgen.decode.infer import backward, log_backward
from symgen.decode.lattice import Lattice
from symgen.decode.semiring import BOOL
from symgen.potentials import LineArcs, LinePotentials
from theory.key import Key
from theory.meter import Meter
from theory.rules import Cadence, EndOn, LargestLeap, Lock, Moment, RepeatedNotes, Rule

N_STEPS, LOW, HIGH = 6, 60, 62
_Table = NDArray[np.float64]
_Law = dict[tuple[int, ...], float]


def random_lattice(rng: np.random.Generator) -> Lattice:
    """Return a lattice of three pitches over two bars of three quarters, under a few laws."""
    alphabet = LineAlphabet(LOW, HIGH)
    n = alphabet.n_pitches
    step = rng.normal(0, 1, (N_STEPS, alphabet.n_symbols))
    potentials = LinePotentials(alphabet, step, LineArcs(rng.normal(0, 1, (n, n)), np.zeros(n)))
    key, meter = Key.parse("C"), Meter(3, 4)
    moments = [
        Moment(1 + i // 3, Fraction(1 + i % 3), 2 * min(i % 3, 1), key, None, meter, Fraction(1))
        for i in range(N_STEPS)
    ]
    laws: list[Rule] = [
        LargestLeap(int(rng.integers(1, 3))),
        EndOn(frozenset({int(rng.integers(0, 3))})),
        RepeatedNotes(int(rng.integers(1, 3))),
        Cadence(2, "open"),
        Lock(1, Fraction(3), int(rng.integers(LOW, HIGH + 1))),
    ]
    chosen = rng.permutation(len(laws))[: int(rng.integers(2, 5))]
    return compile_line(potentials, moments, [laws[i] for i in chosen])


def law_of(lattice: Lattice, ahead: _Table) -> tuple[_Law, float]:
    """Return the chance of each finished line where a move has its weight times what ``ahead`` gives its target.

    ``ahead`` has a row for each step and one for the end, in logs; ``-inf`` forbids. Also the chance to get stuck.
    """
    automaton, finished, stuck = lattice.automaton, _Law(), 0.0
    waiting: list[tuple[tuple[int, ...], int, float]] = [((), 0, 1.0)]
    while waiting:
        line, state, chance = waiting.pop()
        step = len(line)
        if step == lattice.n_steps:
            if np.isneginf(lattice.log_final[state]):
                stuck += chance
            else:
                finished[line] = chance
            continue
        kind = lattice.kind[step]
        target = automaton.next_state[kind, state]
        onward = np.append(ahead[step + 1] + lattice.log_state[step], -np.inf)[target]
        log_move = automaton.log_weight[kind, state] + lattice.log_symbol[step] + onward
        if np.isneginf(log_move).all():
            stuck += chance
            continue
        share = np.exp(log_move - log_move.max())
        share /= share.sum()
        waiting += [
            ((*line, a), int(target[a]), chance * share[a]) for a in np.flatnonzero(share).tolist() if target[a] != DEAD
        ]
    return finished, stuck


def total_variation(one: _Law, other: _Law) -> float:
    """Return half the summed difference of two laws; what is stuck counts as no line at all."""
    return 0.5 * sum(abs(one.get(line, 0.0) - other.get(line, 0.0)) for line in one.keys() | other.keys())


def exact_law(lattice: Lattice) -> _Law:
    """Weigh every line, one move after the other."""
    automaton, weights = lattice.automaton, dict[tuple[int, ...], float]()
    waiting: list[tuple[tuple[int, ...], int, float]] = [((), 0, 0.0)]
    while waiting:
        line, state, total = waiting.pop()
        if len(line) == lattice.n_steps:
            weights[line] = total + float(lattice.log_final[state])
            continue
        step, kind = len(line), lattice.kind[len(line)]
        for a, target in enumerate(automaton.next_state[kind, state].tolist()):
            if target != DEAD:
                move = automaton.log_weight[kind, state, a] + lattice.log_symbol[step, a]
                move += lattice.log_state[step, target]
                if not np.isneginf(move):
                    waiting.append(((*line, a), target, total + float(move)))
    scaled = {line: float(np.exp(weight)) for line, weight in weights.items() if not np.isneginf(weight)}
    whole = sum(scaled.values())
    return {line: weight / whole for line, weight in scaled.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.law", description=__doc__)
    parser.add_argument("-n", type=int, default=200, help="requests (default: 200)")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    rows: list[list[float]] = []
    while len(rows) < options.n:
        lattice = random_lattice(rng)
        table = log_backward(lattice)
        if np.isneginf(table[0, 0]):
            continue
        exact = exact_law(lattice)
        support = np.where(backward(lattice, BOOL), 0.0, -np.inf)
        blind, stuck = law_of(lattice, np.zeros_like(support))
        kept = {line: chance / (1 - stuck) for line, chance in blind.items()} if stuck < 1 else {}
        row = [stuck, total_variation(kept, exact)]
        rows.append([*row, *(total_variation(law_of(lattice, ahead)[0], exact) for ahead in (support, table))])
    names = (
        "one-step masks: in a dead end",
        "one-step masks: the finished ones",
        "exact look-ahead of support",
        "lattice",
    )
    print("| total variation from the law | mean | worst |\n| :-- | --: | --: |")
    for name, column in zip(names, np.array(rows).T, strict=True):
        print(f"| {name} | {column.mean():.2g} | {column.max():.2g} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
