"""``symgen rules``."""

from __future__ import annotations

from typing import Annotated

import typer

from symgen.cli.console import tell
from theory.rules import RULES, Rule
from theory.rules.sets import RULE_SETS
from theory.rules.text import kind_named, rule_name, rule_text, values_text
from theory.rules.voicesets import VOICE_RULE_SETS, VOICE_RULES

__all__ = ["KINDS", "rules"]

KINDS: tuple[type[Rule], ...] = (*RULES, *VOICE_RULES)
"""Those on a line, then those for several voices."""
_JSON = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def rules(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A rule or a set, to hear all about it.")] = None,
    as_json: _JSON = False,
) -> None:
    """List the rules there are, and the sets of them."""
    if name is None:
        rows = [_row(kind) for kind in KINDS]
        lines = ["On a line:", *(_line(row) for row in rows[: len(RULES)])]
        lines += ["", "For several voices:", *(_line(row) for row in rows[len(RULES) :]), "", "Sets:"]
        lines += [f"  {name}: {'; '.join(map(rule_text, held))}" for name, held in RULE_SETS.items()]
        lines += [f"  {name}, for voices: {'; '.join(map(rule_text, held))}" for name, held in VOICE_RULE_SETS.items()]
        tell("\n".join(lines), {"rules": rows, "sets": _sets()}, as_json=as_json)
    elif name in RULE_SETS or name in VOICE_RULE_SETS:
        found = _sets()
        texts = [*found.get(name, []), *found.get(f"{name} for voices", [])]
        tell("\n".join(texts), {"set": name, "rules": texts}, as_json=as_json)
    else:
        kind = kind_named(name, KINDS)
        text = "\n".join(line.removeprefix("    ") for line in (kind.__doc__ or "").strip().splitlines())
        tell(f"{rule_name(kind)}  {values_text(kind)}\n\n{text}", _row(kind), as_json=as_json)


def _row(kind: type[Rule]) -> dict[str, str]:
    summary = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    return {"name": rule_name(kind), "values": values_text(kind), "says": summary}


def _line(row: dict[str, str]) -> str:
    return f"  {row['name']} {row['values']}".rstrip() + f"\n      {row['says']}"


def _sets() -> dict[str, list[str]]:
    """Return all sets as texts; those for voices, where a style has one, with the rules on a line."""
    found = {name: [rule_text(rule) for rule in held] for name, held in RULE_SETS.items()}
    for name, held in VOICE_RULE_SETS.items():
        found[f"{name} for voices"] = [rule_text(rule) for rule in held]
    return found
