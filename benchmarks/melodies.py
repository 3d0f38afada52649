"""Statistics of generated melodies beside held-out ones: ``python -m benchmarks.melodies``.

Not a speed: it prints the table of ``docs/models.md``. It needs the corpora of the shipped model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import symgen
from symgen.alphabet import N_SPECIAL, LineAlphabet
from symgen.model.data import line_runs
from symgen.pipeline.training import SHIPPED_CORPORA, load_pieces

CASES = (("folk", "2/4"), ("folk", "6/8"), ("folk", "4/4"), ("lead-sheet", "4/4"), ("chorale", "4/4"))
N_BARS, N_SONGS, STEPS_PER_QUARTER = 8, 40, 4
ALPHABET = LineAlphabet(40, 100)

Line = NDArray[np.integer]  # symbols, shape (bars, bar_steps)


def share_repeated(bars: Sequence[tuple[int, ...]]) -> float:
    """Return the share of bars, the first left out, that are equal to an earlier one."""
    return float(np.mean([bars[i] in bars[:i] for i in range(1, len(bars))]))


def statistics(lines: Sequence[Line]) -> list[float]:
    """Return notes in a bar of sixteen steps, shares of steps and leaps, shares of bars and rhythms repeated."""
    moves = np.concatenate([np.abs(np.diff(line[line >= N_SPECIAL].astype(int))) for line in lines])
    density = np.mean([(line >= N_SPECIAL).sum() / line.size * 16 for line in lines])
    rhythms = [np.minimum(line, N_SPECIAL) for line in lines]
    return [
        float(density),
        float(np.mean((moves > 0) & (moves <= 2))),
        float(np.mean(moves > 7)),
        float(np.mean([share_repeated([tuple(bar) for bar in line.tolist()]) for line in lines])),
        float(np.mean([share_repeated([tuple(bar) for bar in line.tolist()]) for line in rhythms])),
    ]


def generated(style: str, meter: str, form: str) -> list[Line]:
    songs = [symgen.generate(key="C", style=style, meter=meter, bars=N_BARS, seed=s, form=form) for s in range(N_SONGS)]
    return [ALPHABET.encode(song.tracks[0].notes, song.end_steps).reshape(N_BARS, -1) for song in songs]


def main() -> None:
    pieces = [piece for piece in load_pieces(SHIPPED_CORPORA) if piece.split != "train"]
    for style, meter in CASES:
        chosen = [(p.score, style) for p in pieces if p.style == style and str(p.score.meters[0].meter) == meter]
        runs = [run for run in line_runs(chosen, ALPHABET, STEPS_PER_QUARTER) if run.n_bars >= N_BARS]
        real = [run.line[:N_BARS] for run in runs]
        rows = {"real": real} | {form: generated(style, meter, form) for form in ("period", "free")}
        for name, lines in rows.items():
            print(f"{style:10} {meter:4} {name:7} {len(lines):4} ", "  ".join(f"{v:6.3f}" for v in statistics(lines)))


if __name__ == "__main__":
    main()
