"""``symgen check``: how a file imports into other programs, and whether its music keeps rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symgen.cli.console import tell
from symgen.cli.rules import KINDS
from symgen.errors import FileFormatError, GridError, RequestError, ScoreError
from theory.audit import Violation
from theory.rules import Rule
from theory.rules.text import parse_rule, rule_text
from theory.rules.voicesets import VOICE_RULE_SETS

if TYPE_CHECKING:
    from symgen.io.importcheck import Finding
    from symgen.pipeline.check import Judgement

__all__ = ["check"]

FOUND_SOMETHING = 1


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
    only_import: Annotated[bool, typer.Option("--import", help="Only how the file imports; no rules.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Write a copy that imports cleanly.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The copy.  [default: IN-fixed.mid]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Report what in a file imports badly elsewhere, and judge its music by rules; exit code 1 for what is wrong.

    Where rules, a track, a key or chords are named, only the rules are judged; by default both, the rules being those
    that songs keep by default.
    """
    from symgen.pipeline.check import check_import, mend

    asked = _asked(rule or [], rules_file, rule_set, voices=voices)
    is_about_rules = asked is not None or voices or any(v is not None for v in (track, key, chords))
    if fix:
        target = out or source.with_name(f"{source.stem}-fixed.mid")
        found, left = mend(source, target)
        _tell_import(source, found, as_json=as_json, copy=target, left=left)
        raise typer.Exit(FOUND_SOMETHING if _n_wrong(left) else 0)
    if out is not None:
        msg = f"output {str(out)!r}: expected --fix with it"
        raise RequestError(msg)
    report = None if is_about_rules and not only_import else check_import(source)
    if only_import and report is None:
        msg = f"{source}: expected a MIDI file, whose import can be checked"
        raise RequestError(msg)
    needed = is_about_rules or report is None  # of a file that is no MIDI there is nothing else to tell
    judged, reason = (None, "") if only_import else _judged(source, asked, track, key, chords, needed=needed)
    facts: dict[str, Any] = {"file": str(source)}
    lines: list[str] = []
    if report is not None:
        facts["import"] = {"wrong": _n_wrong(report), "findings": [asdict(one) for one in report]}
        lines += [*map(str, report), _summary(source, report)]
    if judged is not None:
        facts |= _facts(judged)
        lines += _violation_lines(source, judged)
    elif reason:
        lines.append(f"rules not judged: {reason}")
    tell("\n".join(lines), facts, as_json=as_json)
    if _n_wrong(report or ()) or (judged is not None and judged.violations):
        raise typer.Exit(FOUND_SOMETHING)


def _n_wrong(found: Sequence[Finding]) -> int:
    return sum(one.is_wrong for one in found)


def _summary(source: Path, found: Sequence[Finding]) -> str:
    wrong = _n_wrong(found)
    hints = len(found) - wrong
    said = f", {hints} hint{'' if hints == 1 else 's'}" if hints else ""
    return f"{source}: {'imports cleanly' if not wrong else f'{wrong} would import badly'}{said}"


def _tell_import(source: Path, found: Sequence[Finding], *, as_json: bool, copy: Path, left: Sequence[Finding]) -> None:
    """Print what was found, and what is left in the copy."""
    facts = {
        "file": str(source),
        "import": {"wrong": _n_wrong(found), "findings": [asdict(one) for one in found]},
        "fixed": {"file": str(copy), "wrong": _n_wrong(left), "findings": [asdict(one) for one in left]},
    }
    lines = [*map(str, found), _summary(source, found), *(f"left: {one}" for one in left), _summary(copy, left)]
    tell("\n".join(lines), facts, as_json=as_json)


def _judged(
    source: Path,
    asked: list[Rule] | None,
    track: str | None,
    key: str | None,
    chords: str | None,
    *,
    needed: bool,
) -> tuple[Judgement | None, str]:
    """Judge the music; where nobody asked for rules, music that cannot be judged is no error: return why."""
    from symgen.pipeline.check import check as judge

    try:
        return judge(source, asked, track=track, key=key, chords=chords), ""
    except (FileFormatError, GridError, RequestError, ScoreError) as error:
        if needed:
            raise
        return None, str(error)


def _facts(found: Judgement) -> dict[str, Any]:
    return {
        "track": found.track,
        "context": found.context,
        "rules": [rule_text(one) for one in found.rules],
        "violations": [
            {"bar": v.moment.bar, "beat": float(v.moment.beat), "what": v.what, "rule": rule_text(v.rule)}
            for v in found.violations
        ],
    }


def _violation_lines(source: Path, found: Judgement) -> list[str]:
    runs = _runs(found.violations)
    lines = [str(run[0]) + (f" ({len(run)} steps)" if len(run) > 1 else "") for run in runs]
    n, context = len(found.violations), f" ({found.context})" if found.context else ""
    return [*lines, f"{source}: {n} violation{'' if n == 1 else 's'} of {len(found.rules)} rules{context}"]


def _asked(texts: list[str], path: Path | None, name: str | None, *, voices: bool) -> list[Rule] | None:
    """Return the rules asked for; ``None`` for the default ones."""
    from symgen.pipeline.rules import rule_set, rules_beside, with_changes

    if voices and name not in VOICE_RULE_SETS:
        msg = f"rule set {name!r} for voices: expected one of {', '.join(VOICE_RULE_SETS)}"
        raise RequestError(msg)
    file = rules_beside(path, name)
    base = VOICE_RULE_SETS[name] if voices and name else rule_set(file.base) if file.base else ()
    chosen = with_changes(with_changes(base, file.rules), [parse_rule(text, KINDS) for text in texts])
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
