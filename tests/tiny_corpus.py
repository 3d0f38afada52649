"""A corpus and a model that are small enough for seconds: tunes of four bars, and settings for ``symgen train``."""

from __future__ import annotations

import random
from pathlib import Path

from symgen.score import Note, Score, Track

TINY_TRAINING = """
[model]
rhythm_width = 16
pitch_width = 16
rhythm_latent = 4
pitch_latent = 4
harmony_latent = 2
form_latent = 2
history_layers = 1
n_heads = 2
prior_width = 16
prior_layers = 1
prior_components = 2
[vae]
batch_slots = 256
window_bars = [4]
evaluate_every = 1
save_every = 1
"""


def write_tunes(folder: Path, chance: random.Random, n: int = 60) -> None:
    """Write tunes as MIDI files; one in twenty falls into each held-out split."""
    folder.mkdir()
    for i in range(n):
        notes = tuple(Note(4 * j, 4, chance.randint(60, 72)) for j in range(16))
        Score(4, (Track("Melody", notes),), end_steps=64).save(folder / f"{i}.mid")
