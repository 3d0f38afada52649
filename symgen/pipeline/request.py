"""A request for a song: every text read, every number checked, before anything is made."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from symgen.errors import RequestError
from symgen.grid import BarMap, check_steps_per_quarter
from symgen.score import KeyChange
from theory.errors import ParseError
from theory.harmony import STYLES as CHORD_STYLES
from theory.key import Key
from theory.meter import Meter
from theory.progression import Progression
from theory.rules import Lock, Rule
from theory.rules.text import rule_text

__all__ = [
    "MAX_BARS",
    "MAX_SEED",
    "Request",
    "checked_locks",
    "checked_seed",
    "checked_temperature",
    "read_modulation",
    "read_request",
]

MAX_BARS = 512
"""The longest song made in one go."""

MAX_SEED = 2**63 - 1
_MIN_TEMPERATURE, _MAX_TEMPERATURE = 0.01, 100.0


@dataclass(frozen=True, slots=True)
class Request:
    """What a song shall be; ``progression`` is ``None`` where it is to be composed.

    ``modulations`` are bars, counted from 1, with the keys that hold from them.
    """

    key: Key
    progression: Progression | None
    n_bars: int
    meter: Meter
    bpm: float
    style: str
    temperature: float
    seed: int
    form: str
    modulations: tuple[tuple[int, Key], ...] = ()
    chord_style: str = ""

    def bar_map(self, steps_per_quarter: int) -> BarMap:
        """Return the bars of the song on a grid.

        Raises
        ------
        RequestError
            If a beat of the metre falls between two steps.
        """
        check_steps_per_quarter(steps_per_quarter)
        places = (*self.meter.beat_starts, *self.meter.group_starts, self.meter.bar_quarters)
        if any((place * steps_per_quarter).denominator != 1 for place in places):
            grid = f"the model's grid of {steps_per_quarter} a quarter"
            msg = f"metre {self.meter}: its beats fall between the steps of {grid}"
            raise RequestError(msg)
        end = self.meter.bar_steps(steps_per_quarter) * self.n_bars
        return BarMap.build([(0, self.meter)], steps_per_quarter=steps_per_quarter, end_steps=end)

    def recipe(self, progression: Progression, rules: Sequence[Rule], digest: str) -> tuple[tuple[str, str], ...]:
        """Return all that decides the song, as words and values.

        Parameters
        ----------
        progression
            The chords, given or composed.
        rules
            What held for the melody.
        digest
            Of the model's weights.
        """
        entries: dict[str, object] = {
            "seed": self.seed,
            "key": self.key,
            "chords": progression,
            "bars": self.n_bars,
            "meter": self.meter,
            "bpm": _number(self.bpm),
            "style": self.style,
            "temperature": _number(self.temperature),
            "form": self.form,
            "rules": "; ".join(rule_text(rule) for rule in rules),
            "checkpoint": digest[:16],
        }
        if self.modulations:
            entries["modulations"] = ", ".join(f"{bar}: {key}" for bar, key in self.modulations)
        return tuple((name, str(value)) for name, value in entries.items())

    def key_changes(self, bars: BarMap) -> tuple[KeyChange, ...]:
        """Return the keys of the song, by step.

        Raises
        ------
        RequestError
            If a modulation is at no bar of the song, or they do not ascend.
        """
        starts = [1, *(bar for bar, _ in self.modulations), self.n_bars + 1]
        if any(after <= before for before, after in pairwise(starts)):
            named = ", ".join(str(bar) for bar, _ in self.modulations)
            msg = f"modulations at bars {named}: expected ascending bars from 2 to {self.n_bars}"
            raise RequestError(msg)
        later = (KeyChange(int(bars.starts[bar - 1]), key) for bar, key in self.modulations)
        return (KeyChange(0, self.key), *later)


def read_request(
    *,
    key: Key | str,
    chords: Progression | str | None,
    bars: int | None,
    meter: Meter | str,
    bpm: float,
    style: str | None,
    temperature: float,
    seed: int | None,
    form: str,
    styles: Sequence[str],
    chord_syntax: str | None = None,
    chord_style: str | None = None,
    modulations: Sequence[tuple[int, Key | str]] = (),
) -> Request:
    """Read and check a request; see :func:`symgen.generate` for what each part means.

    Parameters
    ----------
    styles
        What the model knows; the first is the default, and an empty style is always known.

    Raises
    ------
    ParseError
        If a text can't be read.
    RequestError
        If a number is out of range or the style unknown.
    """
    home = Key.parse(key) if isinstance(key, str) else key
    if isinstance(chords, str):
        chords = Progression.parse(chords, key=home, syntax=chord_syntax)
    n_bars = bars if bars is not None else max(8, chords.n_bars if chords else 0)
    _check_whole("bars", n_bars, 1, MAX_BARS)
    _check("bpm", bpm, 4, 1000)
    checked_temperature(temperature)
    if style is None:
        style = styles[0] if styles else ""
    if style and style not in styles:
        known = f"one of {', '.join(styles)}" if styles else "none, for this model knows no style"
        msg = f"style {style!r}: expected {known}"
        raise RequestError(msg)
    return Request(
        home,
        chords,
        n_bars,
        Meter.parse(meter) if isinstance(meter, str) else meter,
        float(bpm),
        style,
        float(temperature),
        checked_seed(seed),
        form,
        tuple((bar, Key.parse(to) if isinstance(to, str) else to) for bar, to in modulations),
        _checked_chord_style(chord_style, style),
    )


def _checked_chord_style(chord_style: str | None, style: str) -> str:
    """Return the style of the chords: the one named, else the song's where chords come in it, else pop."""
    if chord_style is None:
        return style if style in CHORD_STYLES else "pop"
    if chord_style not in CHORD_STYLES:
        msg = f"style of the chords {chord_style!r}: expected one of {', '.join(CHORD_STYLES)}"
        raise RequestError(msg)
    return chord_style


_MODULATION = re.compile(r"\s*(?:bar\s+)?(\d+)\s*(?::|to\b)\s*(.+)", re.IGNORECASE)


def read_modulation(text: str) -> tuple[int, Key]:
    """Read a change of key such as ``bar 5 to G`` or ``5: E minor``.

    Raises
    ------
    ParseError
        If the text is none.
    """
    match = _MODULATION.fullmatch(text)
    if match is None:
        what = "modulation"
        raise ParseError(what, text, "a bar and a key, such as bar 5 to G")
    try:
        return int(match[1]), Key.parse(match[2])
    except ParseError as error:
        raise error.shifted(match.start(2)) from None


def checked_seed(seed: int | None) -> int:
    """Return the seed, or one that is easy to type where none was given.

    Raises
    ------
    RequestError
        If it is no whole number from 0 to 2**63 - 1.
    """
    if seed is None:
        return secrets.randbelow(1_000_000)
    _check_whole("seed", seed, 0, MAX_SEED)
    return seed


def checked_temperature(temperature: float) -> float:
    """Return the temperature.

    Raises
    ------
    RequestError
        If it is out of range.
    """
    _check("temperature", temperature, _MIN_TEMPERATURE, _MAX_TEMPERATURE)
    return temperature


def checked_locks(locks: Sequence[Lock | str], rules: Sequence[Rule], bars: BarMap) -> list[Rule]:
    """Return the rules and the locks, each lock among them naming a step of the piece.

    Raises
    ------
    GridError
        If a lock names a place that is not there.
    ParseError
        If a lock can't be read.
    """
    read = [Lock.parse(lock) if isinstance(lock, str) else lock for lock in locks]
    for rule in (*rules, *read):
        if isinstance(rule, Lock):
            bars.step_at(rule.bar, rule.beat)
    return [*rules, *read]


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        msg = f"{name} {_number(value)}: expected {low:g} to {high:g}"
        raise RequestError(msg)


def _check_whole(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int) or not low <= value <= high:
        msg = f"{name} {value}: expected a whole number from {low} to {high}"
        raise RequestError(msg)


def _number(value: float) -> str:
    """Return a number as short as it reads back exactly."""
    return str(int(value)) if float(value).is_integer() else repr(value)
