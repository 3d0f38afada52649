"""A chain of audio effects, in words; pedalboard does the work.

An effect is its name and its numbers, in their order or by name:

>>> parse_effect("highpass 80").text
'highpass hz=80'
>>> parse_effect("bell hz=3000 db=-2.5").text
'bell hz=3000 db=-2.5 q=1'
>>> parse_effect("reverb 2")
Traceback (most recent call last):
symgen.errors.RenderError: effect 'reverb 2': size 2: expected 0 to 1
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from symgen.errors import MissingDependencyError, RenderError

__all__ = ["KINDS", "Effect", "Kind", "Number", "apply_effects", "parse_effect"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number that an effect takes: its name, what pedalboard calls it, what it may be, and what it is if left out."""

    name: str
    keyword: str
    low: float
    high: float
    default: float | None = None  # None: must be given


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of effect.

    Parameters
    ----------
    plugin
        Its class in pedalboard.
    numbers
        What it takes, in order.
    is_linear
        Whether the effect of a sum is the sum of the effects.
    rings
        Whether it sounds on after its input.
    """

    plugin: str
    numbers: tuple[Number, ...]
    is_linear: bool = True
    rings: bool = False


_HZ = Number("hz", "cutoff_frequency_hz", 10, 20_000)
_DB, _Q = Number("db", "gain_db", -24, 24), Number("q", "q", 0.1, 10, 1.0)
_SHELF_Q = Number("q", "q", 0.1, 10, 2**-0.5)

KINDS = {
    "highpass": Kind("HighpassFilter", (_HZ,)),
    "lowpass": Kind("LowpassFilter", (_HZ,)),
    "low-shelf": Kind("LowShelfFilter", (_HZ, _DB, _SHELF_Q)),
    "high-shelf": Kind("HighShelfFilter", (_HZ, _DB, _SHELF_Q)),
    "bell": Kind("PeakFilter", (_HZ, _DB, _Q)),
    "compressor": Kind(
        "Compressor",
        (
            Number("db", "threshold_db", -60, 0),
            Number("ratio", "ratio", 1, 20, 3.0),
            Number("attack-ms", "attack_ms", 0.1, 500, 10.0),
            Number("release-ms", "release_ms", 1, 5000, 150.0),
        ),
        is_linear=False,
    ),
    "reverb": Kind(
        "Reverb",
        (
            Number("size", "room_size", 0, 1, 0.4),
            Number("wet", "wet_level", 0, 1, 0.2),
            Number("damping", "damping", 0, 1, 0.5),
            Number("width", "width", 0, 1, 1.0),
        ),
        rings=True,
    ),
}
"""The effects there are, by name."""

_BUFFER_FRAMES = 8192  # fixed: a plug-in may work buffer by buffer


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect and its numbers, one for each that its kind takes."""

    name: str
    numbers: tuple[float, ...]

    @property
    def kind(self) -> Kind:
        """Its row in :data:`KINDS`."""
        return KINDS[self.name]

    @property
    def text(self) -> str:
        """The words that :func:`parse_effect` reads as this effect."""
        pairs = zip(self.kind.numbers, self.numbers, strict=True)
        return " ".join([self.name, *(f"{number.name}={_exact(value)}" for number, value in pairs)])


def _exact(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def parse_effect(text: str) -> Effect:
    """Read an effect from its name and numbers.

    Raises
    ------
    RenderError
        If there is no such effect or number, or one is missing or out of range.
    """
    name, *words = text.replace(",", " ").split() or [""]
    if name not in KINDS:
        _refuse(text, f"expected one of {', '.join(KINDS)}")
    kind = KINDS[name]
    given: dict[str, float] = {}
    for place, word in enumerate(words):
        key, _, value = word.rpartition("=")
        number = next((n for i, n in enumerate(kind.numbers) if (n.name == key if key else i == place)), None)
        if number is None or number.name in given:
            _refuse(text, f"{word!r}: expected {_usage(name)}")
        given[number.name] = _value(text, number, value)
    missing = [n.name for n in kind.numbers if n.name not in given and n.default is None]
    if missing:
        _refuse(text, f"{' and '.join(missing)} missing: expected {_usage(name)}")
    return Effect(name, tuple(given.get(n.name, n.default or 0.0) for n in kind.numbers))


def _value(text: str, number: Number, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        _refuse(text, f"{word!r}: expected a number")
    if not number.low <= value <= number.high:
        _refuse(text, f"{number.name} {value:g}: expected {number.low:g} to {number.high:g}")
    return value


def _usage(name: str) -> str:
    said = (n.name.upper() if n.default is None else f"[{n.name}={n.default:.3g}]" for n in KINDS[name].numbers)
    return " ".join([name, *said])


def _refuse(text: str, what: str) -> NoReturn:
    msg = f"effect {text!r}: {what}"
    raise RenderError(msg)


def apply_effects(samples: NDArray[np.float32], sample_rate: int, effects: Sequence[Effect]) -> NDArray[np.float32]:
    """Return samples that went through effects, one after the other.

    Parameters
    ----------
    samples
        Shape (n_frames, 2).
    sample_rate
        Frames a second.
    effects
        Where there are none, the samples come back as they are.

    Raises
    ------
    MissingDependencyError
        If pedalboard is not installed.
    """
    if not effects:
        return samples
    highest = max((n for e in effects for n, k in zip(e.numbers, e.kind.numbers, strict=True) if k is _HZ), default=0.0)
    if highest >= sample_rate / 2:
        msg = f"effect at {highest:g} Hz: expected below half the sample rate of {sample_rate}"
        raise RenderError(msg)
    board = load_pedalboard().Pedalboard([_plugin(effect) for effect in effects])
    done = board.process(np.ascontiguousarray(samples.T), sample_rate, buffer_size=_BUFFER_FRAMES, reset=True)
    result: NDArray[np.float32] = np.ascontiguousarray(done.T, dtype=np.float32)
    return result


def load_pedalboard() -> Any:
    """Return the library of effects, loaded on the first use.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        return importlib.import_module("pedalboard")
    except ImportError as error:
        msg = 'pedalboard is not installed: effects need it; `pip install "symgen[effects]"` (its licence is GPL-3)'
        raise MissingDependencyError(msg) from error


def _plugin(effect: Effect) -> Any:
    options = {n.keyword: value for n, value in zip(effect.kind.numbers, effect.numbers, strict=True)}
    if effect.name == "reverb":
        options["dry_level"] = 1 - options["wet_level"]
    return getattr(load_pedalboard(), effect.kind.plugin)(**options)
