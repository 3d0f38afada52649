"""What a MIDI file says of itself, and whether a program has read the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from symgen.io.importcheck import bar_lines, meter_of
from symgen.io.limits import Limits
from symgen.io.raw import RawFile
from symgen.io.smf import KEY_SIGNATURE, TEMPO, TIME_SIGNATURE, TRACK_NAME

__all__ = ["FIELDS", "Facts", "agreements", "changes", "facts_of_file", "metres", "n_bars"]

FIELDS = ("tempo", "metre", "key", "names", "notes", "bars")

_TEMPO_TOLERANCE = 1e-4
"""Of a tempo: programs hold it as whole microseconds, as a 32-bit fraction, or with a few decimals."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a program reads; ``None`` for what it does not tell.

    Parameters
    ----------
    tempo
        Quarter notes a minute, one for each change.
    metre
        Numerator and denominator, for each change.
    key
        Sharps (negative for flats) and, where it is known, whether it is minor, for each change.
    names
        Of the parts with notes, sorted.
    notes
        How many.
    bars
        How many, up to the last note's end or the end of the file: one number, or both.
    """

    tempo: tuple[float, ...] | None = None
    metre: tuple[tuple[int, int], ...] | None = None
    key: tuple[tuple[int, int | None], ...] | None = None
    names: tuple[str, ...] | None = None
    notes: int | None = None
    bars: tuple[int, ...] | None = None


def changes(values: Iterable[_T]) -> tuple[_T, ...]:
    """Return values without those that repeat the one before.

    >>> changes([1, 1, 2, 1])
    (1, 2, 1)
    """
    found: list[_T] = []
    for value in values:
        if not found or found[-1] != value:
            found.append(value)
    return tuple(found)


def metres(found: Iterable[tuple[float, int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the metres of changes with their times; common time where there is none."""
    return changes([(top, bottom) for _, top, bottom in found] or [(4, 4)])


def n_bars(found: Iterable[tuple[float, int, int]], end: float, per_quarter: float = 1.0) -> int:
    """Return the bars up to a time.

    Parameters
    ----------
    found
        Metres with their times.
    end
        The time.
    per_quarter
        Units of time in a quarter note.

    Examples
    --------
    >>> n_bars([(0, 3, 4), (6, 4, 4)], 11)
    4
    """
    by_time = {0.0: 4.0} | {at / per_quarter: 4 * top / bottom for at, top, bottom in found}
    starts = [*sorted(by_time), math.inf]
    n = 0
    for start, stop in pairwise(starts):
        length = max(0.0, min(stop, end / per_quarter) - start)
        n += math.ceil(length / by_time[start] - 1e-2)  # coarse clocks round a little past the bar line
    return n


def facts_of_file(data: bytes, name: str) -> Facts:
    """Return what the file itself says."""
    file = RawFile.read(data, name, Limits())
    lines = bar_lines(file)

    def said(kind: int) -> list[Any]:
        by_tick = {raw.tick: raw for track in file.tracks for raw in track if raw.meta_kind == kind}
        return [by_tick[tick] for tick in sorted(by_tick)]

    tempos = [60e6 / int.from_bytes(raw.payload, "big") for raw in said(TEMPO)]
    keys = [(int.from_bytes(raw.payload[:1], "big", signed=True), raw.payload[1]) for raw in said(KEY_SIGNATURE)]
    last = max((note.end for note in file.notes), default=0)
    bars = {lines.place(lines.following(tick))[0] - 1 for tick in (last, max(file.ends))}
    meters = [meter for raw in said(TIME_SIGNATURE) if (meter := meter_of(raw))]
    return Facts(
        changes(tempos or [120.0]),
        changes(meters or [(4, 4)]),
        changes(keys),
        _names(file),
        len(file.notes),
        tuple(sorted(bars)),
    )


def _names(file: RawFile) -> tuple[str, ...] | None:
    """Return the names of the parts; one track that holds several has no room for them."""
    if file.format_number == 0 and len({note.channel for note in file.notes}) > 1:
        return None
    names = []
    for index in sorted({note.track for note in file.notes}):
        own = [raw.payload.decode("utf-8", "replace") for raw in file.tracks[index] if raw.meta_kind == TRACK_NAME]
        names += own[:1]
    return tuple(sorted(names))


def agreements(file: Facts, read: Facts, *, tempo_unit: float = 0.0) -> dict[str, bool | None]:
    """Return for each field whether a program read what the file says; ``None`` where one of them does not tell.

    Parameters
    ----------
    file, read
        What the file says, and what the program has read.
    tempo_unit
        What the program rounds tempos to.

    Notes
    -----
    Keys agree where they sound alike: some programs hold a pitch class. A file without a key may be read as C.
    """
    tempo = None if read.tempo is None or file.tempo is None else _same_tempos(file.tempo, read.tempo, tempo_unit)
    return {"tempo": tempo} | {name: _agrees(name, getattr(file, name), getattr(read, name)) for name in FIELDS[1:]}


def _same_tempos(file: Sequence[float], read: Sequence[float], unit: float) -> bool:
    """Whether tempos agree; changes that rounding makes equal are one."""
    if unit:
        file, read = (changes(round(bpm / unit) for bpm in tempos) for tempos in (file, read))
        return len(file) == len(read) and all(abs(a - b) <= 1 for a, b in zip(file, read, strict=True))
    near = (abs(a - b) <= _TEMPO_TOLERANCE * a for a, b in zip(file, read, strict=False))
    return len(file) == len(read) and all(near)


def _agrees(name: str, file: Any, read: Any) -> bool | None:
    if read is None or file is None:
        return None
    if name == "key":
        return _same_keys(file, read)
    if name == "names":
        return len(file) == len(read) and all(_is_named(one, read) for one in file)
    if name == "bars":
        return bool(set(file) & set(read))
    return bool(file == read)


def _same_keys(file: Any, read: Any) -> bool:
    """Whether signatures agree, and the modes where a program tells them."""
    tells_mode = all(is_minor is not None for _, is_minor in read)
    ours, theirs = ([(sharps % 12, is_minor if tells_mode else None) for sharps, is_minor in k] for k in (file, read))
    return changes(ours or [(0, 0 if tells_mode else None)]) == changes(theirs or [(0, 0 if tells_mode else None)])


def _is_named(name: str, read: Sequence[str]) -> bool:
    """Whether a part bears a name; MuseScore puts the instrument's before it."""
    return any(one == name or one.endswith(f", {name}") for one in read)
