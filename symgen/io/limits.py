"""What a file may ask for before it is refused in words, while that is still cheap.

>>> with limits_set(Limits(n_notes=500)):
...     limits_in_force().n_notes
500
>>> limits_in_force().n_notes
200000
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, fields

from symgen.errors import RequestError

__all__ = ["Limits", "limits_in_force", "limits_set"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask for; every refusal names the option that raises its limit.

    Parameters
    ----------
    n_bytes
        Size of the file, unpacked.
    n_tracks, n_notes, n_events
        What is in it; events are notes, controllers, tempos, texts and the like.
    seconds
        How long it sounds.
    n_quarters
        How long it is, in quarter notes.
    min_bpm, max_bpm
        Tempos, in quarter notes a minute.
    load_seconds
        How long the reading of a text format (MusicXML, ABC, kern) may take. If set, the file is read in a
        process of its own, whose end or crash costs this file only; if ``None``, in this one, without a bound.
    """

    n_bytes: int = 16 * 2**20
    n_tracks: int = 256
    n_notes: int = 200_000
    n_events: int = 2_000_000
    seconds: float = 7200.0
    n_quarters: int = 100_000
    min_bpm: float = 4.0
    max_bpm: float = 1000.0
    load_seconds: float | None = None

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if value is not None and not value > 0:
                msg = f"limit {name}: {value!r}: expected a number above 0"
                raise RequestError(msg)


_IN_FORCE: ContextVar[Limits | None] = ContextVar("limits", default=None)


def limits_in_force() -> Limits:
    """Return the limits that hold here: those of the innermost :func:`limits_set`, else the usual ones."""
    return _IN_FORCE.get() or Limits()


@contextlib.contextmanager
def limits_set(limits: Limits) -> Iterator[None]:
    """Let other limits hold for all that is read inside the block."""
    token = _IN_FORCE.set(limits)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)
