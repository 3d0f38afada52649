"""``symgen rules`` and ``symgen check``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from symgen.cli.console import tell
from symgen.errors import RequestError
from theory.audit import Violation
from theory.rules import RULES, Rule
from theory.rules.sets import RULE_SETS
from theory.rules.text import kind_named, parse_rule, rule_name, rule_text, values_text
from theory.rules.voicesets import VOICE_RULE_SETS, VOICE_RULES

__all__ = ["check", "rules"]

FOUND_VIOLATIONS = 1
_KINDS: tuple[type[Rule], ...] = (*RULES, *VOICE_RULES)
_JSON = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def rules(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A rule or a set, to hear all about it.")] = None,
    as_json: _JSON = False,
) -> None:
    """List the rules there are, and the sets of them."""
    if name is None:
        rows = [_row(kind) for kind in _KINDS]
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
        kind = kind_named(name, _KINDS)
        text = "\n".join(line.removeprefix("    ") for line in (kind.__doc__ or "").strip().splitlines())
        tell(f"{rule_name(kind)}  {values_text(kind)}\n\n{text}", _row(kind), as_json=as_json)


def check(
    source: Annotated[Path, typer.Argument(metavar="IN.mid", help="MIDI or score file.", show_default=False)],
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", "-r", help="A rule such as 'largest-leap 7'; may be repeated.  See `symgen rules`."),
    ] = None,
    rules_file: Annotated[Path | None, typer.Option("--rules", help="A file of rules: TOML or Python.")] = None,
    rule_set: Annotated[
        str | None, typer.Option("--rule-set", help="A set of rules.  [default: what songs keep by default]")
    ] = None,
    voices: Annotated[
        bool, typer.Option("--voices", help="The set is that for several voices: chorale, strict-counterpoint.")
    ] = False,
    track: Annotated[str | None, typer.Option("--track", help="Which is the line.  [default: the first]")] = None,
    key: Annotated[str | None, typer.Option("--key", "-k", help="Its key.  [default: the file's, or found]")] = None,
    chords: Annotated[
        str | None, typer.Option("--chords", "-c", help="Its chords.  [default: the file's, or found]")
    ] = None,
    as_json: _JSON = False,
) -> None:
    """Judge any music by rules; exit code 1 where one is broken."""
    from symgen.pipeline.check import check as judge

    asked = _asked(rule or [], rules_file, rule_set, voices=voices)
    found = judge(source, asked, track=track, key=key, chords=chords)
    facts = {
        "file": str(source),
        "track": found.track,
        "context": found.context,
        "rules": [rule_text(one) for one in found.rules],
        "violations": [
            {"bar": v.moment.bar, "beat": float(v.moment.beat), "what": v.what, "rule": rule_text(v.rule)}
            for v in found.violations
        ],
    }
    runs = _runs(found.violations)
    lines = [str(run[0]) + (f" ({len(run)} steps)" if len(run) > 1 else "") for run in runs]
    n, context = len(found.violations), f" ({found.context})" if found.context else ""
    lines.append(f"{source}: {n} violation{'' if n == 1 else 's'} of {len(found.rules)} rules{context}")
    tell("\n".join(lines), facts, as_json=as_json)
    if n:
        raise typer.Exit(FOUND_VIOLATIONS)


def _asked(texts: list[str], path: Path | None, name: str | None, *, voices: bool) -> list[Rule] | None:
    """Return the rules asked for; ``None`` for the default ones."""
    from symgen.pipeline.rules import rule_set, rules_beside, with_changes

    if voices and name not in VOICE_RULE_SETS:
        msg = f"rule set {name!r} for voices: expected one of {', '.join(VOICE_RULE_SETS)}"
        raise RequestError(msg)
    file = rules_beside(path, name)
    base = VOICE_RULE_SETS[name] if voices and name else rule_set(file.base) if file.base else ()
    chosen = with_changes(with_changes(base, file.rules), [parse_rule(text, _KINDS) for text in texts])
    return chosen if texts or path or name else None


def _runs(violations: Sequence[Violation]) -> list[list[Violation]]:
    """Return the violations, those of one rule by one thing at steps in a row together."""
    runs: list[list[Violation]] = []
    for now in violations:
        before = runs[-1][-1] if runs else None
        if before is not None and before.rule is now.rule and before.what == now.what and _is_next(before, now):
            runs[-1].append(now)
        else:
            runs.append([now])
    return runs


def _is_next(before: Violation, now: Violation) -> bool:
    one, other = before.moment, now.moment
    within = one.bar == other.bar and one.quarters_into_bar + one.quarters == other.quarters_into_bar
    return within or (one.is_bar_end and other.is_bar_start and other.bar == one.bar + 1)


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
