"""How trained models are run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["on_one_thread"]


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Run without gradients on one thread: sizes are small, and sums must not depend on how many cores there are."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(n_threads)
