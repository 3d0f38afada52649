"""Tables in print and in a file, under a head that says what they were measured on."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib import metadata
from pathlib import Path

from benchmarks.harness import Row, Table

__all__ = ["head", "save_results", "table_lines"]

_LIBRARIES = ("numpy", "torch", "symusic", "pretty_midi", "pypianoroll", "muspy", "pyfluidsynth")
_LEFT, _RIGHT = ":--", "--:"


def head() -> dict[str, str]:
    """Return what the figures depend on: when, machine, load, versions."""
    versions = [f"{name} {_version(name)}" for name in _LIBRARIES]
    return {
        "date": datetime.now().astimezone().isoformat(timespec="minutes"),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "load": _load(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "versions": ", ".join([f"Python {platform.python_version()}", f"symgen {_version('symgen')}", *versions]),
    }


def table_lines(table: Table) -> list[str]:
    """Return a table as lines of Markdown, aligned for the terminal too."""
    of = f"of {table.baseline}"
    titles = ["", "processor ms", "wall ms", f"processor, {of}", f"wall, {of}"]
    has_memory = any(row.peak_bytes is not None for row in table.rows)
    titles += ["peak MiB", f"peak, {of}"] if has_memory else []
    cells = [_cells(row, has_memory) for row in table.rows if not row.failure]
    lines = [f"### {table.title}", "", *_aligned(titles, cells), ""]
    notes = [*(f"{row.name}: did not run: {row.failure}" for row in table.rows if row.failure), *table.notes]
    return [*lines, *(f"- {note}" for note in notes), *([""] if notes else [])]


def save_results(path: Path, facts: dict[str, str], tables: Iterable[Table]) -> None:
    """Write all figures as JSON, whole or not at all."""
    document = {"head": facts, "tables": [asdict(table) for table in tables]}
    beside = path.with_name(path.name + ".partial")
    beside.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(path)


def _cells(row: Row, has_memory: bool) -> list[str]:
    times = [_number(row.processor_seconds, 1e3), _number(row.wall_seconds, 1e3)]
    cells = [row.name, *times, _number(row.processor_ratio), _number(row.wall_ratio)]
    return [*cells, _number(row.peak_bytes, 2**-20), _number(row.peak_ratio)] if has_memory else cells


def _number(value: float | None, scale: float = 1.0) -> str:
    """Return a number to three digits, or a dash."""
    if value is None:
        return "–"
    scaled = value * scale
    digits = 3 if abs(scaled) < 1 else 2 if abs(scaled) < 10 else 1 if abs(scaled) < 100 else 0
    return f"{scaled:,.{digits}f}"


def _aligned(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(text) for text in (*column, _RIGHT)) for column in zip(titles, *cells, strict=True)]

    def line(texts: Sequence[str]) -> str:
        first, *others = zip(texts, widths, strict=True)
        return f"| {first[0]:<{first[1]}} | " + " | ".join(f"{text:>{width}}" for text, width in others) + " |"

    return [line(titles), line([_LEFT, *[_RIGHT] * (len(titles) - 1)]), *(line(row) for row in cells)]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """Return the processor's name; Linux tells it in a file only."""
    if sys.platform.startswith("linux"):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _load() -> str:
    if not hasattr(os, "getloadavg"):
        return "unknown"
    return f"{os.getloadavg()[0]:.2f} processes wanted a core in the last minute"
