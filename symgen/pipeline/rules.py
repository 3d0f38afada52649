"""Which rules hold: those of a song by default, those of a set, those of a file, and what is changed in them."""

from __future__ import annotations

import difflib
import importlib.util
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from symgen.errors import FileFormatError, RequestError
from symgen.score import ChordChange
from theory.errors import TheoryError
from theory.key import Key
from theory.rules import (
    RULES,
    ChordTonesOnStrongBeats,
    EndOn,
    InKey,
    LargestLeap,
    Range,
    Rule,
    RuleWithMemory,
)
from theory.rules.sets import RULE_SETS
from theory.rules.text import parse_rule, rule_from

__all__ = ["RuleFile", "chosen_rules", "default_rules", "read_rules", "rule_set", "rules_beside", "with_changes"]


def default_rules(chords: Sequence[ChordChange], key: Key) -> list[Rule]:
    """Return what holds for a melody when nothing else is said.

    In key, chord tones on strong beats, a singable range, no leap beyond an octave, and a last note: the
    tonic where the last chord has it, else a note of that chord, or of the key where no chord sounds.
    """
    return [InKey(), ChordTonesOnStrongBeats(), Range(60, 81), LargestLeap(12), _last_note(chords, key)]


def _last_note(chords: Sequence[ChordChange], key: Key) -> Rule:
    last = next((change.chord for change in reversed(chords) if not change.chord.is_none), None)
    fitting = key.pitch_classes if last is None else last.pitch_classes
    tonic = key.tonic.pitch_class
    return EndOn(frozenset({tonic}) if tonic in fitting else fitting)


def rule_set(name: str) -> tuple[Rule, ...]:
    """Return the rules of a style.

    Raises
    ------
    RequestError
        If there is no set of that name.
    """
    if name not in RULE_SETS:
        near = difflib.get_close_matches(name, RULE_SETS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        msg = f"rule set {name!r}: expected one of {', '.join(RULE_SETS)}{hint}"
        raise RequestError(msg)
    return RULE_SETS[name]


def chosen_rules(
    rules: Sequence[Rule | str] | str | None, changed: Sequence[Rule | str], chords: Sequence[ChordChange], key: Key
) -> list[Rule]:
    """Return the rules of a request.

    Parameters
    ----------
    rules
        All of them, as rules or texts; or the name of a set, which says nothing of the last note, so that of the
        default rules is added; ``None`` for the default rules.
    changed
        Rules that take the place of those of their kind, or are added.
    chords, key
        Of the piece.
    """
    if rules is None:
        found = default_rules(chords, key)
    elif isinstance(rules, str):
        found = [*rule_set(rules), _last_note(chords, key)]
    else:
        found = _read(rules)
    return with_changes(found, _read(changed))


def with_changes(rules: Sequence[Rule], changed: Sequence[Rule]) -> list[Rule]:
    """Replace the rules of a kind by those that change it; rules made of others are only added."""
    kinds = {type(rule) for rule in changed if type(rule) in RULES}
    return [*(rule for rule in rules if type(rule) not in kinds), *changed]


def _read(rules: Iterable[Rule | str]) -> list[Rule]:
    return [parse_rule(rule) if isinstance(rule, str) else rule for rule in rules]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What a file of rules says.

    Parameters
    ----------
    rules
        In their order.
    base
        The set they change; empty if they stand for themselves, ``None`` if they change whatever holds.
    """

    rules: tuple[Rule, ...]
    base: str | None = None


def rules_beside(path: str | Path | None, name: str | None) -> RuleFile:
    """Return what a file of rules says, changing the set that is named beside it; either may be left out.

    Raises
    ------
    FileFormatError
        If the file can't be read.
    RequestError
        If the file itself names another set.
    """
    file = RuleFile(()) if path is None else read_rules(path)
    if name is None:
        return file
    if file.base not in (None, name):
        msg = f"rule set {name!r}: {path} names {file.base or 'none'!r}; expected one of them"
        raise RequestError(msg)
    return replace(file, base=name)


def read_rules(path: str | Path) -> RuleFile:
    """Read a file of rules: TOML, or Python for rules of one's own.

    A TOML file has ``rules``, a list of texts or tables (see :mod:`theory.rules.text`), and may have ``set``, the name
    of the set they change, or ``"none"`` if nothing else shall hold. A Python file has ``RULES``, a list of rules
    and texts; the rules it defines may be called by name in its texts. It is run: read it first if it is not yours.

    Raises
    ------
    FileFormatError
        If it can't be read; it names the entry.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"{path}: expected text in UTF-8: {error}"
        raise FileFormatError(msg) from error
    return _from_python(path) if path.suffix == ".py" else _from_toml(path, text)


def _from_toml(path: Path, text: str) -> RuleFile:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{path}: expected TOML: {error}"
        raise FileFormatError(msg) from error
    entries, base = table.pop("rules", []), table.pop("set", None)
    if table or not isinstance(entries, list) or not (base is None or isinstance(base, str)):
        msg = f"{path}: expected rules = [...] and perhaps set = a name, found {', '.join(table) or 'something else'}"
        raise FileFormatError(msg)
    if base is not None and base != "none":
        rule_set(base)
    return RuleFile(_entries(path, entries, RULES), "" if base == "none" else base)


def _entries(path: Path, entries: Sequence[object], kinds: Sequence[type[Rule]]) -> tuple[Rule, ...]:
    rules = []
    for number, entry in enumerate(entries, start=1):
        try:
            rules.append(entry if isinstance(entry, Rule) else rule_from(entry, kinds))
        except TheoryError as error:
            msg = f"{path}: rule {number}: {error}"
            raise FileFormatError(msg) from error
    return tuple(rules)


def _from_python(path: Path) -> RuleFile:
    module = _run(path)
    own = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Rule)]
    kinds = [*RULES, *(kind for kind in own if kind not in (*RULES, Rule, RuleWithMemory))]
    entries = getattr(module, "RULES", None)
    if not isinstance(entries, list | tuple):
        msg = f"{path}: expected a list named RULES"
        raise FileFormatError(msg)
    return RuleFile(_entries(path, entries, kinds))


def _run(path: Path) -> ModuleType:
    name = f"symgen_rules_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        msg = f"{path}: expected a Python file"
        raise FileFormatError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look themselves up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever its author has done
        msg = f"{path}: {type(error).__name__}: {error}"
        raise FileFormatError(msg) from error
    return module
