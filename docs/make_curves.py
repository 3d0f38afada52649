"""Draw the histories of trainings of a GAN: ``python docs/make_curves.py RUN [RUN ...]`` writes docs/images/gan.png.

A RUN is the folder ``run/gan`` of a checkpoint that ``symgen train gan`` has written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure

OUT = Path(__file__).parent / "images" / "gan.png"
CRITICS = ("whole", "rhythm", "pitch", "harmony")


def main(folders: list[str]) -> None:
    """Draw the picture."""
    runs = [[json.loads(row) for row in (Path(f) / "history.jsonl").read_text().splitlines()] for f in folders]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    right, losses = figure.subplots(1, 2)
    colours = dict(zip(CRITICS, ("#0072B2", "#D55E00", "#009E73", "#CC79A7"), strict=True))
    for number, run in enumerate(runs):
        updates = [row["update"] for row in run]
        for name in CRITICS:
            label = name if number == 0 else None
            right.plot(
                updates, [row[f"{name}_right"] for row in run], color=colours[name], lw=1, alpha=0.7, label=label
            )
        for loss, colour in (("critic_loss", "#444444"), ("generator_loss", "#E69F00")):
            label = loss.replace("_", " ") if number == 0 else None
            losses.plot(updates, [row[loss] for row in run], color=colour, lw=1, alpha=0.7, label=label)
    right.set(xlabel="updates", ylabel="real preferred to generated", ylim=(0.4, 1))
    right.axhline(0.5, color="#999999", lw=0.8, ls=":")
    losses.set(xlabel="updates", ylabel="nats, all critics")
    for axes in (right, losses):
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(OUT, dpi=110)
    print(f"{OUT}: {len(runs)} runs")


if __name__ == "__main__":
    main(sys.argv[1:])
