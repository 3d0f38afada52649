"""Timing: contenders take turns on the same cases, and what counts is their ratio within a turn.

Machines differ and are shared, so seconds mean little. In a *turn* every contender does the same case, in
an order that is reversed from turn to turn; a contender's ratio is the median over all turns of its
time divided by the baseline's in that same turn.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

__all__ = ["Measurement", "Row", "Samples", "Table", "child", "compare", "make_rows", "timed"]

_LAUNCHER = Path(__file__).with_name("launcher.py")
_Case = TypeVar("_Case")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one call took.

    Parameters
    ----------
    processor_seconds
        Time of all processor cores together.
    wall_seconds
        Time that passed.
    peak_bytes
        Most memory held at once; known of processes of their own.
    """

    processor_seconds: float
    wall_seconds: float
    peak_bytes: int | None = None

    def shared_by(self, n: int) -> Measurement:
        """Return what one of ``n`` equal parts took."""
        return Measurement(self.processor_seconds / n, self.wall_seconds / n, self.peak_bytes)


@dataclass(frozen=True, slots=True)
class Samples:
    """A contender's measurements, one for each turn, or the reason why it did not run."""

    measurements: tuple[Measurement, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A contender in a table.

    Parameters
    ----------
    name
        What ran.
    processor_seconds, wall_seconds, peak_bytes
        Medians over the turns; ``None`` where unknown.
    processor_ratio, wall_ratio, peak_ratio
        Medians over the turns of the ratio to the baseline.
    failure
        Why it did not run; empty if it did.
    """

    name: str
    processor_seconds: float | None = None
    wall_seconds: float | None = None
    peak_bytes: float | None = None
    processor_ratio: float | None = None
    wall_ratio: float | None = None
    peak_ratio: float | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows against one baseline.

    Parameters
    ----------
    title
        What was measured, on what.
    baseline
        The row whose ratios are 1.
    rows
        The contenders, the baseline among them.
    notes
        What a reader must know.
    """

    title: str
    baseline: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def timed(function: Callable[[_Case], object]) -> Callable[[_Case], Measurement]:
    """Return a function that does the same and says what it took; the result is dropped after the clock stops."""

    def measure(case: _Case) -> Measurement:
        wall, processor = time.perf_counter(), time.process_time()
        result = function(case)
        taken = Measurement(time.process_time() - processor, time.perf_counter() - wall)
        del result
        return taken

    return measure


def child(arguments: Sequence[str]) -> Measurement:
    """Run a command to its end in a process of its own.

    Raises
    ------
    RuntimeError
        If it fails; with the last line it complained in.
    """
    launched = subprocess.run(
        [sys.executable, "-I", "-S", str(_LAUNCHER), *arguments], capture_output=True, text=True, check=False
    )
    if launched.returncode:
        complaint = launched.stderr.strip().splitlines()
        msg = complaint[-1] if complaint else f"exit code {launched.returncode}"
        raise RuntimeError(msg)
    return Measurement(**json.loads(launched.stdout.splitlines()[-1]))


def compare(
    contenders: Mapping[str, Callable[[_Case], Measurement]], cases: Sequence[_Case], *, n_rounds: int
) -> dict[str, Samples]:
    """Let contenders take turns.

    Parameters
    ----------
    contenders
        By name; each does a case and says what it took.
    cases
        What they do, one turn each in every round.
    n_rounds
        How many times.

    Notes
    -----
    Each contender does the first case once beforehand, unmeasured: to load what it needs, and to be
    left out if it cannot.
    """
    failures = {name: _failure(measure, cases[0]) for name, measure in contenders.items()}
    running = [name for name, failure in failures.items() if not failure]
    taken: dict[str, list[Measurement]] = {name: [] for name in running}
    for turn, case in enumerate(list(cases) * n_rounds):
        for name in running if turn % 2 == 0 else reversed(running):
            taken[name].append(contenders[name](case))
    return {name: Samples(tuple(taken.get(name, ())), failure) for name, failure in failures.items()}


def _failure(measure: Callable[[_Case], Measurement], case: _Case) -> str:
    try:
        measure(case)
    except Exception as error:  # a peer may break on any new version of anything: report it, go on
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return ""


def make_rows(samples: Mapping[str, Samples], baseline: str) -> tuple[Row, ...]:
    """Return a row for each contender; ratios only where the baseline ran."""
    base = samples[baseline].measurements
    return tuple(_row(name, mine, base) for name, mine in samples.items())


def _row(name: str, mine: Samples, base: Sequence[Measurement]) -> Row:
    if mine.failure:
        return Row(name, failure=mine.failure)
    columns = ("processor_seconds", "wall_seconds", "peak_bytes")
    processor, wall, peak = (_median([getattr(m, column) for m in mine.measurements]) for column in columns)
    turns = list(zip(mine.measurements, base, strict=bool(base)))
    processor_ratio, wall_ratio, peak_ratio = (
        _median([_ratio(getattr(m, column), getattr(b, column)) for m, b in turns]) for column in columns
    )
    return Row(name, processor, wall, peak, processor_ratio, wall_ratio, peak_ratio)


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _ratio(mine: float | None, other: float | None) -> float | None:
    return mine / other if mine is not None and other else None
