"""The small network: it learns what can be seen, says the same again, and leaves the generator of torch alone."""

import numpy as np
import torch

from symgen.evaluate.classify import real_or_generated
from symgen.model.judge import train_judge


def rolls(n, is_busy, rng):
    """Return rolls of one note after another: of two quarters each, or with the second half of each struck again."""
    made = np.zeros((n, 2, 48, 24), dtype=np.uint8)
    for k in range(n):
        for start in range(0, 48, 12):
            pitch = rng.integers(4, 20)
            made[k, 0, start, pitch] = 1
            made[k, 1, start : start + 12, pitch] = 1
            if is_busy:
                made[k, 0, start + 6, pitch] = 1
    return made


def test_it_tells_what_can_be_told_and_nothing_else():
    rng = np.random.default_rng(0)
    calm, also_calm, busy = rolls(40, False, rng), rolls(40, False, rng), rolls(40, True, rng)
    assert real_or_generated(calm, busy, train_judge, n_folds=2).accuracy > 0.9
    blind = real_or_generated(calm, also_calm, train_judge, n_folds=2)
    assert blind.low < 0.5 < blind.high


def test_the_seed_decides_and_the_global_generator_is_untouched():
    made = rolls(30, False, np.random.default_rng(1))
    classes = np.random.default_rng(2).integers(0, 2, 30)
    before = torch.get_rng_state()
    first, again = (train_judge(made, classes, np.random.default_rng(3), n_epochs=2)(made) for _ in range(2))
    assert (first == again).all()
    assert torch.equal(before, torch.get_rng_state())
