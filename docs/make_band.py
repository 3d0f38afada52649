"""Write the tables of ``docs/band.md`` again from the code: ``python docs/make_band.py``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from symgen.band.counter import Tastes
from symgen.band.fills import FILLS
from symgen.band.grooves import GROOVES, KITS
from symgen.band.styles import STYLES

PAGE = Path(__file__).parent / "band.md"

_TASTES = (
    ("to begin where the melody begins, holds, rests", ("together", "over_held", "alone")),
    ("to begin between the beats; on a strong beat", ("off_beat", "strong")),
    ("a quarter note of silence; to come in or to stop", ("silence", "entry")),
    ("to hold into a new chord; over a bar line", ("held_into_chord", "held_into_bar")),
    ("contrary motion; similar motion; both alike into a fifth or octave", ("contrary", "similar", "hidden")),
    (
        "against the melody: a semitone or major seventh; a tone, tritone or minor seventh; a fifth or octave",
        ("harsh", "mild", "perfect"),
    ),
    (
        "nearer than a third; a foreign note; a repeated note; each semitone beyond a step",
        ("near", "foreign", "repeated", "semitone"),
    ),
)


def styles_table() -> str:
    """Return who plays what in each style."""
    lines = ["| style | texture | bass | drums | swing |", "|---|---|---|---|---|"]
    for name, style in STYLES.items():
        lines.append(
            f"| `{name}` | {style.texture} | {style.bass} | {style.drums or 'none'} | {style.swing or 'straight'} |"
        )
    return "\n".join(lines)


def grooves_table() -> str:
    """Return how many grooves and fills the table has, by style and metre."""
    lines = ["| drums | grooves of the table | fills of the table |", "|---|---|---|"]
    lines += [f"| `{name}` | {_counted(GROOVES[name])} | {_counted(FILLS.get(name, {})) or '–'} |" for name in KITS]
    return "\n".join(lines)


def _counted(by_meter: dict[str, tuple[str, ...]]) -> str:
    return ", ".join(f"{meter}{f' ({len(rows)})' if len(rows) > 1 else ''}" for meter, rows in by_meter.items())


def tastes_table() -> str:
    """Return what the counter-melody likes."""
    costs = asdict(Tastes())
    assert sorted(costs) == sorted(name for _, names in _TASTES for name in names)
    lines = ["| what costs how much, in nats | |", "|---|---|"]
    lines += [f"| {words} | {'; '.join(f'{costs[name]:g}' for name in names)} |" for words, names in _TASTES]
    return "\n".join(lines)


TABLES: dict[str, Callable[[], str]] = {"styles": styles_table, "grooves": grooves_table, "tastes": tastes_table}


def written(page: str) -> str:
    """Return the page with its tables made again."""
    for name, table in TABLES.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        assert marks.search(page), name
        page = marks.sub(lambda match, table=table: match[1] + table() + match[2], page)
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
