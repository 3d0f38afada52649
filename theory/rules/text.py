"""Rules as text, and as tables of plain values.

A rule is its name and its values, in their order or by name; then ``cost=`` makes it a preference, and ``in bars``
confines it. Rules join with ``and``, ``or``, ``not`` and parentheses; ``not`` binds closest, then ``and``.

>>> print(parse_rule("largest-leap 7 in bars 3-4"))
largest leap 7 semitones, in bars 3 to 4
>>> print(parse_rule("not (repeated-notes 2 or range C4 G5) cost=2"))
not ((at most 2 times the same note in a row, or range C4..G5)) (preferred, 2 nats)
>>> rule_text(parse_rule('motif bar=2 notes="E4:1 D4:1" transposed=yes'))
'motif bar=2 notes="E4:1 D4:1" transposed=yes'
>>> rule_from({"any": ["end-on degrees=1", {"rule": "range", "low": "C4", "high": 72, "bars": "5-8"}]}) == parse_rule(
...     "end-on degrees=1 or range C4 C5 in bars 5-8")
True
>>> print(parse_rule("tessitura instrument=violin"))
tessitura C4..C6 (preferred, 0.25 nats)
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any, get_type_hints

from theory.errors import ParseError, TheoryError
from theory.pitch import Spelling, parse_pitch, pitch_name
from theory.rules.base import Rule
from theory.rules.compose import AllOf, AnyOf, InBars, Not
from theory.rules.notes import Range

__all__ = ["kind_named", "parse_rule", "rule_from", "rule_name", "rule_text", "values_text"]

_TOKEN = re.compile(r'[^\s()="]+="[^"]*"|"[^"]*"|[()]|[^\s()"]+')
_BARS = re.compile(r"(\d+)(?:\s*(?:-|to)\s*(\d+))?")
_WORDS = frozenset({"and", "or", "not", "in", "from", "(", ")"})
_YES = {"yes": True, "true": True, "no": False, "false": False}
_PITCHES = frozenset({"low", "high", "pitch"})

_Kinds = Mapping[str, type[Rule]]


def rule_name(kind: type[Rule]) -> str:
    """Return the name of a kind of rule, such as ``largest-leap``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()


def parse_rule(text: str, kinds: Sequence[type[Rule]] | None = None) -> Rule:
    """Read a rule.

    Parameters
    ----------
    text
        As the module describes.
    kinds
        The kinds of rule there are; those of :data:`theory.rules.RULES` if left out.

    Raises
    ------
    ParseError
        Naming the part that could not be read, its column, and what was expected there.
    """
    reader = _Reader(text, _by_name(kinds))
    try:
        rule = reader.read_any()
    except RecursionError:
        raise ParseError("rule", f"{text[:20]} ...", "fewer parentheses") from None
    if reader.now is not None:
        raise reader.error("and, or, in bars 3-4, cost=2, or the end")
    return rule


def rule_from(value: object, kinds: Sequence[type[Rule]] | None = None) -> Rule:
    """Return the rule that a text or a table says, as tables stand in a TOML or JSON file.

    Parameters
    ----------
    value
        A text for :func:`parse_rule`; or a table with ``rule`` (a name) and its values; or one with ``all`` or
        ``any`` (a list of such) or ``not`` (one such). Each table may have ``bars`` and ``cost``.
    kinds
        As for :func:`parse_rule`.

    Raises
    ------
    ParseError
        If it says no rule.
    """
    if isinstance(value, str):
        return parse_rule(value, kinds)
    if not isinstance(value, Mapping):
        raise ParseError("rule", str(value), "a text, or a table with rule, all, any or not")
    table = dict(value)
    bars, cost = table.pop("bars", None), table.pop("cost", None)
    rule = _from_table(table, kinds)
    if cost is not None:
        rule = _priced(rule, _read_value("cost", float, cost))
    return rule if bars is None else _confined(rule, str(bars))


def _from_table(table: dict[str, object], kinds: Sequence[type[Rule]] | None) -> Rule:
    for name, join in (("all", AllOf), ("any", AnyOf)):
        if isinstance(table.get(name), list):
            parts = table.pop(name)
            assert isinstance(parts, list)
            _check_empty(table)
            rules = tuple(rule_from(part, kinds) for part in parts)
            return rules[0] if len(rules) == 1 else _build(join, {"rules": rules})
    if "not" in table:
        part = table.pop("not")
        _check_empty(table)
        return Not(rule_from(part, kinds))
    kind = _kind_named(str(table.pop("rule", "")), _by_name(kinds), 1)
    values: dict[str, Any] = {}
    for name, value in table.items():
        values |= _values(kind, name, value)
    return _build(kind, values)


def _values(kind: type[Rule], name: str, value: object, column: int = 1) -> dict[str, Any]:
    """Return what a value says: that of a field; of a range, where an instrument is named, both its ends."""
    if name == "instrument" and issubclass(kind, Range):
        low, high = kind.of(str(value))
        return {"low": low, "high": high}
    return {name: _read_value(name, _type_of(kind, name, column), value, column)}


def _check_empty(table: Mapping[str, object]) -> None:
    for name in table:
        raise ParseError("entry of a rule", name, "only bars and cost beside all, any or not")


def kind_named(name: str, kinds: Sequence[type[Rule]] | None = None) -> type[Rule]:
    """Return the kind of rule of a name.

    Raises
    ------
    ParseError
        If there is none; the error suggests a near one.
    """
    return _kind_named(name, _by_name(kinds), 1)


def values_text(kind: type[Rule]) -> str:
    """Return the values a kind of rule has, with what they are if nothing is said.

    >>> from theory.rules import Cadence
    >>> values_text(Cadence)
    'bar=4 kind=authentic by_step=no'
    """
    names = [field.name for field in fields(kind) if field.name != "cost" and field.init]
    found = " ".join(f"{name}={_value_text(name, _usual(kind, name))}" for name in names)
    cost = _usual(kind, "cost")
    return found if cost == math.inf else f"{found} cost={cost}"


def rule_text(rule: Rule) -> str:
    """Return the text that reads back as an equal rule; only values that are not the usual ones are named."""
    if isinstance(rule, AllOf | AnyOf):
        word = " and " if isinstance(rule, AllOf) else " or "
        text = f"({word.join(_inner_text(part) for part in rule.rules)})"
    elif isinstance(rule, Not):
        text = f"not {_inner_text(rule.rule)}"
    elif isinstance(rule, InBars):
        text = f"{_inner_text(rule.rule)} in bars {rule.first}-{rule.last}"
    else:
        text = " ".join([rule_name(type(rule)), *_value_texts(rule)])
    is_made = isinstance(rule, AllOf | AnyOf | Not | InBars)
    return text if rule.cost == (math.inf if is_made else _usual(type(rule), "cost")) else f"{text} cost={rule.cost!r}"


def _inner_text(rule: Rule) -> str:
    text = rule_text(rule)
    return f"({text})" if isinstance(rule, Not | InBars) or " cost=" in text else text


def _value_texts(rule: Rule) -> list[str]:
    found = []
    for field in fields(rule):
        value = getattr(rule, field.name)
        if field.name != "cost" and value != _usual(type(rule), field.name):
            found.append(f"{field.name}={_value_text(field.name, value)}")
    return found


def _usual(kind: type[Rule], name: str) -> object:
    """Return the value a field of a kind of rule has when nothing is said; ``MISSING`` if something must be."""
    try:
        return getattr(kind(), name)  # a rule may make more of nothing than its field's default says
    except TypeError:  # a rule of one's own that must be told something
        return next(field.default for field in fields(kind) if field.name == name)


def _value_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if name in _PITCHES and isinstance(value, int):
        return pitch_name(value)
    if isinstance(value, frozenset):
        return ",".join(str(number) for number in sorted(value))
    if isinstance(value, tuple):
        value = tuple(
            f"{pitch_name(part[0])}-{pitch_name(part[1])}" if isinstance(part, tuple) else part for part in value
        )
        text = ";".join(map(str, value)) if any(" " in str(part) for part in value) else ",".join(map(str, value))
        return f'"{text}"' if not text or re.search(r"[\s()]", text) else text
    text = str(value)
    return f'"{text}"' if not text or re.search(r'[\s()"]', text) else text


def _by_name(kinds: Sequence[type[Rule]] | None) -> _Kinds:
    if kinds is None:
        from theory.rules import RULES

        kinds = RULES
    return {rule_name(kind): kind for kind in kinds}


def _kind_named(name: str, kinds: _Kinds, column: int) -> type[Rule]:
    plain = name.lower().replace("_", "-").replace(" ", "-")
    if plain not in kinds:
        near = difflib.get_close_matches(plain, kinds, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParseError("rule", name, f"the name of a rule, one of {', '.join(kinds)}{hint}", column)
    return kinds[plain]


def _types(kind: type[Rule]) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _type_of(kind: type[Rule], name: str, column: int) -> Any:
    types = {field: types for field, types in sorted(_types(kind).items(), key=lambda pair: pair[0] == "cost")}
    if name not in types:
        expected = f"one of {', '.join(types)}, which {rule_name(kind)} has"
        raise ParseError("value of a rule", name, expected, column)
    return types[name]


def _read_value(name: str, kind: Any, value: object, column: int = 1) -> Any:
    """Turn a text, a number or a list into what a field holds."""
    found = _READERS.get(str(kind)) or _READERS.get(getattr(kind, "__name__", ""))
    if found is None:  # a rule of one's own may hold what it likes: it gets what is written
        return value
    read, expected = found
    try:
        return read(name, value)
    except (ValueError, TypeError, KeyError, ZeroDivisionError):
        raise ParseError(name, str(value), expected, column) from None


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    if name in _PITCHES and isinstance(value, str):
        return parse_pitch(value)
    return int(str(value)) if isinstance(value, str) else int(value)  # type: ignore[call-overload]


def _whole_or_none(name: str, value: object) -> int | None:
    return None if str(value).lower() in {"none", "rest"} else _whole(name, value)


def _fraction(name: str, value: object) -> Fraction:
    return Fraction(str(value)).limit_denominator(10_000)


def _fraction_or_none(name: str, value: object) -> Fraction | None:
    return None if str(value).lower() == "none" else _fraction(name, value)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool):
        raise ValueError
    return float(value)  # type: ignore[arg-type]


def _yes_or_no(name: str, value: object) -> bool:
    return value if isinstance(value, bool) else _YES[str(value).lower()]


def _text(name: str, value: object) -> str:
    return str(value)


def _parts(value: object) -> list[object]:
    if isinstance(value, str):
        sign = ";" if ";" in value else ","
        return [part.strip() for part in value.split(sign) if part.strip()]
    return list(value) if isinstance(value, Sequence | frozenset | set) else [value]


def _texts(name: str, value: object) -> tuple[str, ...]:
    return tuple(str(part) for part in _parts(value))


def _wholes(name: str, value: object) -> tuple[int, ...]:
    return tuple(_whole(name, part) for part in _parts(value))


def _ranges(name: str, value: object) -> tuple[tuple[int, int], ...]:
    found = []
    for part in _parts(value):
        low, high = part if isinstance(part, Sequence) and not isinstance(part, str) else str(part).split("-")
        found.append((_whole("low", low), _whole("high", high)))
    return tuple(found)


def _classes(name: str, value: object) -> frozenset[int]:
    return frozenset(
        Spelling.parse(part).pitch_class if isinstance(part, str) and part[:1].isalpha() else _whole(name, part)
        for part in _parts(value)
    )


_READERS: dict[str, tuple[Callable[[str, object], Any], str]] = {
    "int": (_whole, "a whole number, or a pitch such as C4"),
    "int | None": (_whole_or_none, "a pitch such as C4, or rest"),
    "Fraction": (_fraction, "a number or a fraction such as 1/2"),
    "fractions.Fraction | None": (_fraction_or_none, "a number, a fraction such as 1/2, or none"),
    "float": (_number, "a number"),
    "bool": (_yes_or_no, "yes or no"),
    "str": (_text, "a text"),
    "tuple[str, ...]": (_texts, "texts, between semicolons"),
    "tuple[int, ...]": (_wholes, "whole numbers, between commas"),
    "tuple[tuple[int, int], ...]": (_ranges, "ranges such as C4-A5, between commas"),
    "frozenset[int]": (_classes, "note names or pitch classes, between commas"),
}
"""How a value of each type is read, and what is expected of it."""


def _build(kind: type[Rule], values: Mapping[str, Any]) -> Rule:
    try:
        return kind(**values)
    except ParseError:
        raise
    except TheoryError as error:
        raise ParseError("rule", rule_name(kind), str(error)) from None


def _confined(rule: Rule, bars: str) -> Rule:
    match = _BARS.fullmatch(bars.strip())
    if match is None or not 0 < int(match[1]) <= int(match[2] or match[1]):
        raise ParseError("bars", bars, "a bar or two, such as 3 or 5-8")
    return InBars(rule, int(match[1]), int(match[2] or match[1]))


def _priced(rule: Rule, cost: float) -> Rule:
    try:
        return replace(rule, cost=cost)
    except TheoryError:
        raise ParseError("cost", str(cost), "a number above 0, or inf") from None


class _Reader:
    """A reader of rules, one token at a time."""

    def __init__(self, text: str, kinds: _Kinds) -> None:
        self.text, self.kinds = text, kinds
        self.tokens = [(match[0], match.start() + 1) for match in _TOKEN.finditer(text)]
        self.place = 0

    @property
    def now(self) -> str | None:
        """The token to be read next; ``None`` at the end."""
        return self.tokens[self.place][0] if self.place < len(self.tokens) else None

    @property
    def column(self) -> int:
        """Where it stands."""
        return self.tokens[self.place][1] if self.place < len(self.tokens) else len(self.text) + 1

    def error(self, expected: str) -> ParseError:
        """Return the error that something else was expected here."""
        return ParseError("rule", self.now or "", expected, self.column)

    def take(self) -> str:
        """Return the token and go on."""
        token = self.now or ""
        self.place += 1
        return token

    def skip(self, *words: str) -> bool:
        """Whether these words stand here; if so, go past them."""
        ahead = [token for token, _ in self.tokens[self.place : self.place + len(words)]]
        if ahead != list(words):
            return False
        self.place += len(words)
        return True

    def read_any(self) -> Rule:
        """Read rules joined by ``or``."""
        parts = [self.read_all()]
        while self.skip("or"):
            parts.append(self.read_all())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def read_all(self) -> Rule:
        """Read rules joined by ``and``."""
        parts = [self.read_one()]
        while self.skip("and"):
            parts.append(self.read_one())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def read_one(self) -> Rule:
        """Read one rule, with where it holds and what it costs."""
        if self.skip("not"):
            return Not(self.read_one())
        if self.skip("("):
            rule = self.read_any()
            if not self.skip(")"):
                raise self.error("a closing parenthesis")
        else:
            rule = self.read_plain()
        return self.with_cost(self.with_bars(self.with_cost(rule)))

    def with_cost(self, rule: Rule) -> Rule:
        """Read a price, if one stands here."""
        if self.now is None or not self.now.startswith("cost="):
            return rule
        column = self.column
        return _priced(rule, _read_value("cost", float, self.take().partition("=")[2], column))

    def with_bars(self, rule: Rule) -> Rule:
        """Read the bars a rule holds in, if some stand here."""
        if self.skip("in", "bars") or self.skip("in", "bar"):
            return _confined(rule, self.take())
        if self.skip("from", "bar"):
            first = self.take()
            if not self.skip("to", "bar"):
                raise self.error("to bar and a number")
            return _confined(rule, f"{first}-{self.take()}")
        return rule

    def read_plain(self) -> Rule:
        """Read a name and its values."""
        if self.now is None or self.now in _WORDS:
            known = ", ".join(self.kinds)
            raise self.error("the name of a rule, one of " + known)
        column = self.column
        kind = _kind_named(self.take(), self.kinds, column)
        names = [field.name for field in fields(kind) if field.name != "cost"]
        values: dict[str, Any] = {}
        while self.now is not None and self.now not in _WORDS and not self.now.startswith("cost="):
            at = self.column
            name, equals, text = self.take().partition("=")
            if not equals:
                unnamed = [field for field in names if field not in values]
                if not unnamed:
                    raise ParseError("value of a rule", name, f"no more values for {rule_name(kind)}", at)
                name, text = unnamed[0], name
            found = _values(kind, name, text.strip('"'), at)
            if found.keys() & values.keys():
                raise ParseError("value of a rule", name, "each value once", at)
            values |= found
        return _build(kind, values)
