"""What rules cost: how unlikely the line model would have been to keep them of itself.

``python -m benchmarks.price --number 200`` asks for songs in the style, metre and key of held-out pieces. For the
latents of each, the chance that the chain decoder keeps the rules without being made to is the ratio of two sums over
all lines, those that keep them and all there are; minus its logarithm is the price, in nats. Preferences count as the
weights they are. Sets of random rules that no song can keep are drawn anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.quality import excerpt_of, random_rules, request_like
from symgen.decode.compile import compile_line
from symgen.decode.infer import log_backward
from symgen.decode.plan import plan_line
from symgen.errors import InfeasibleError, RequestError
from symgen.pipeline.generate import load_model, potentials_of
from symgen.pipeline.training import SHIPPED_CORPORA, load_pieces
from theory.rules import Rule


def prices(asked: dict[str, Any], rule_sets: Sequence[Sequence[Rule] | None]) -> list[float]:
    """Return the price of each set of rules, for one draw of the latents; the usual rules where it is none.

    NaN where no lattice can hold them.
    """
    found = []
    for rules in rule_sets:
        potentials, moments, chosen = potentials_of(rules=rules, **asked)  # the same latents each time
        free = float(log_backward(compile_line(potentials, moments, []))[0, 0])
        plan = plan_line(potentials, moments, chosen)
        kept = plan.sums.log_total if plan.sums is not None else float(log_backward(plan.lattice)[0, 0])
        found.append(float("nan") if plan.judged else free - kept)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.price", description=__doc__)
    parser.add_argument("--number", type=int, default=200, help="songs (default: 200)")
    parser.add_argument("--bars", type=int, default=8)
    parser.add_argument("--form", action="append", help="as for generate (default: period)")
    parser.add_argument("--temperature", type=float, default=1.0)
    options = parser.parse_args(arguments)
    held_out = [p for p in load_pieces(SHIPPED_CORPORA) if p.split != "train" and excerpt_of(p.score, options.bars)]
    order = np.random.default_rng(0).permutation(len(held_out))
    usual: dict[str, list[float]] = {}
    ours: list[float] = []
    load_model()
    for number in range(options.number):
        asked = request_like(held_out[order[number % len(order)]], options, seed=number)
        rng = np.random.default_rng([13, number])
        for _ in range(50):
            random = random_rules(rng, options.bars)
            try:
                of_style, of_random = prices(asked, [None, random])
            except (InfeasibleError, RequestError):
                continue
            usual.setdefault(str(asked["style"]), []).append(of_style)
            ours.append(of_random if np.isfinite(of_random) else float("nan"))
            break
    print("| rules | songs | median, nats a song | mean | 90% below |\n|---|--:|--:|--:|--:|")
    for name, values in [*((f"usual ones, {style}", rows) for style, rows in usual.items()), ("random ones", ours)]:
        known = np.array(values)[np.isfinite(values)]
        told = " | ".join(f"{value:.1f}" for value in (np.median(known), known.mean(), np.quantile(known, 0.9)))
        print(f"| {name} | {len(known)} | {told} |")
    print(
        f"\nNo lattice holds {int(np.isnan(ours).sum())} of the random sets, or no song keeps them: not in the table."
    )


if __name__ == "__main__":
    main()
