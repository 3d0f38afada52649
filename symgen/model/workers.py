"""Several processes that train one model: each computes on batches of its own, and all take the mean of the gradients.

``torchrun --nproc-per-node 2 -m symgen.cli train ...`` starts them. Every process holds the same weights throughout;
the first one validates, tells and writes. Alone, a process does what it would do without all this.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from functools import cache

import torch
from torch import distributed, nn

__all__ = ["Workers", "workers"]

_APART = 1 << 40
"""Between the streams of chance of two processes."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Which of how many processes this is.

    Parameters
    ----------
    rank
        Its number, from 0.
    size
        How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and tells."""
        return self.rank == 0

    def seeds(self, seed: int, update: int) -> list[int]:
        """Return the seeds of an update's batch: those of a process alone, or its own among several."""
        return [seed, update] if self.size == 1 else [seed, update, self.rank]

    def number(self, seed: int, update: int) -> int:
        """Return the seed of all other chance of an update."""
        return seed * 1_000_003 + update + self.rank * _APART

    def share_gradients(self, model: nn.Module) -> None:
        """Give every process the mean of all gradients of a model."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.size
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()

    def told(self, number: int) -> int:
        """Return the number that the first process says; all must ask together."""
        if self.size == 1:
            return number
        said = torch.tensor([number])
        distributed.broadcast(said, src=0)
        return int(said)

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            distributed.barrier()


@cache
def workers() -> Workers:
    """Return this process among those that torchrun has started; alone, where it has not."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Workers()
    distributed.init_process_group("gloo")
    atexit.register(distributed.destroy_process_group)
    return Workers(distributed.get_rank(), size)
