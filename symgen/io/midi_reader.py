"""A score from a MIDI file: its events become notes in parts, and its words what they say."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path

import numpy as np

from symgen.errors import FileFormatError
from symgen.grid import check_steps_per_quarter
from symgen.io.limits import Limits, limits_in_force, limits_set
from symgen.io.smf import (
    DRUM_CHANNEL,
    KEY_SIGNATURE,
    MARKER,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    TEMPO,
    TEXT,
    TIME_SIGNATURE,
    TRACK_NAME,
    Meta,
    Smf,
    read_smf,
)
from symgen.io.ticks import TickScore, TickTrack
from symgen.io.words import CHORD_SIGN, CONDUCTOR, NAME_GAP, chord_or_none, recipe_of
from symgen.score import Score

__all__ = ["read_midi"]

_MAX_METER_POWER = 5  # thirty-seconds; the power may be as large as 255, too large to write out in an error

_Part = tuple[int, int, int]
"""(track, channel, program): the notes of a part."""

_Row = tuple[int, int, int, int]
"""(onset in ticks, duration in ticks, pitch, velocity)."""


def read_midi(
    source: bytes | Path,
    *,
    steps_per_quarter: int,
    name: str = "",
    limits: Limits | None = None,
    warned: Callable[[str], None] | None = None,
) -> Score:
    """Return the score of a MIDI file.

    Parameters
    ----------
    source
        The file, or its bytes.
    steps_per_quarter
        The grid; times go to its nearest step.
    name
        What to call the file in errors; its own name by default.
    limits
        What the file may ask for; those in force if left out.
    warned
        Called with each thing that was odd and has been mended.

    Raises
    ------
    FileFormatError
        If it is no MIDI file, damaged, or says something impossible; the error names it and what was expected.
    GridError
        If a bar of one of its metres is no whole number of steps.

    Notes
    -----
    Each channel and program of a track is a part. A note ends with the first end of its pitch that no
    earlier note has taken, and at the end of its track if there is none. Lost: controllers, pitch bends,
    lyrics and other texts, tracks without notes (but for those of our own files), and key signatures that
    are none. Two notes of one pitch and onset in a part become the longer one, and no note gets shorter
    than a step. A marker that reads as a chord symbol is a chord, and a text that is one after a ``%``.
    The score ends on a bar line.
    """
    check_steps_per_quarter(steps_per_quarter)
    data = source.read_bytes() if isinstance(source, Path) else bytes(source)
    name = name or (source.name if isinstance(source, Path) else "MIDI data")
    limits = limits or limits_in_force()
    smf = read_smf(data, name, limits, needs_beats=True)
    with limits_set(limits):
        score = _tick_score(smf, name).to_score(steps_per_quarter=steps_per_quarter, name=name)
    if score.duration_seconds > limits.seconds:
        hours = f"lasts {score.duration_seconds / 3600:,.1f} hours"
        msg = f"{name}: {hours}: expected at most {limits.seconds / 3600:g} (--max-duration)"
        raise FileFormatError(msg)
    for warning in smf.warnings + _warnings(smf) if warned else ():
        warned(warning)  # type: ignore[misc]  # there is something to call where there is something to say
    return score


def _warnings(smf: Smf) -> tuple[str, ...]:
    """Return what a score cannot keep as the file has it."""
    sounding: Counter[tuple[int, int, int]] = Counter()
    n_notes = 0
    for _, track, channel, kind, first, second in smf.events:
        if kind == NOTE_ON and second > 0:
            sounding[track, channel, first] += 1
            n_notes += 1
        elif kind in (NOTE_ON, NOTE_OFF) and sounding[track, channel, first]:
            sounding[track, channel, first] -= 1
    n_hanging = sounding.total()
    hanging = (f"{n_hanging:,} notes never ended: stopped with their track",) if n_hanging else ()
    return hanging + (() if n_notes else ("no notes in it",))


def _tick_score(smf: Smf, name: str) -> TickScore:
    texts = _texts(smf, TEXT)
    parts = _parts(smf)
    is_ours = any(recipe_of(text) is not None for _, text in texts)
    silent = set(range(len(smf.track_ends))) - {track for track, _, _ in parts}
    if is_ours:  # silent tracks are parts, but for the conductor
        parts |= {part: [] for part in _silent_parts(smf, silent - {0})}
    return TickScore(
        ticks_per_quarter=smf.ticks_per_quarter,
        tracks=_tick_tracks(smf, parts, is_ours=is_ours),
        tempos=[(meta.tick, int.from_bytes(meta.payload, "big")) for meta in _metas(smf, TEMPO)],
        meters=[(meta.tick, *_meter(meta, name)) for meta in _metas(smf, TIME_SIGNATURE)],
        keys=[(meta.tick, *_key(meta)) for meta in _metas(smf, KEY_SIGNATURE)],
        markers=[*_chord_texts(texts), *_texts(smf, MARKER)],
        texts=texts,
        end_ticks=max((smf.track_ends[track] for track in silent), default=0),
    )


def _parts(smf: Smf) -> dict[_Part, list[_Row]]:
    """Return the notes of every part, each part's in the order of their ends."""
    parts: dict[_Part, list[_Row]] = defaultdict(list)
    programs: dict[tuple[int, int], int] = defaultdict(int)  # (track, channel) -> program
    sounding: dict[tuple[int, int, int], deque[tuple[int, int, int]]] = defaultdict(deque)  # (onset, velocity, program)
    for tick, track, channel, kind, first, second in smf.events:
        if kind == PROGRAM:
            programs[track, channel] = first
        elif kind == NOTE_ON and second > 0:
            sounding[track, channel, first].append((tick, second, programs[track, channel]))
        elif kind in (NOTE_ON, NOTE_OFF) and sounding[track, channel, first]:
            onset, velocity, program = sounding[track, channel, first].popleft()
            parts[track, channel, program].append((onset, tick - onset, first, velocity))
    for (track, channel, pitch), starts in sounding.items():
        for onset, velocity, program in starts:
            parts[track, channel, program].append((onset, smf.track_ends[track] - onset, pitch, velocity))
    return dict(parts)


def _silent_parts(smf: Smf, silent: set[int]) -> list[_Part]:
    """Return a part for each silent track, with the channel and the program that it sets last."""
    chosen = {track: (track, 0, 0) for track in silent}
    for _, track, channel, kind, first, _ in smf.events:
        if track in silent and kind == PROGRAM:
            chosen[track] = (track, channel, first)
    return list(chosen.values())


def _tick_tracks(smf: Smf, parts: dict[_Part, list[_Row]], *, is_ours: bool) -> list[TickTrack]:
    """Return the parts by track, then channel, then program, each with the name of its track."""
    found = [(meta.track, _decode(meta.payload)) for meta in _metas(smf, TRACK_NAME) if meta.payload]
    names = dict(reversed(found))  # the first of each track
    is_one = is_ours and len(smf.track_ends) == 1
    several = _names_in_one([name for _, name in found], len(parts)) if is_one else []
    tracks = []
    for place, ((track, channel, program), rows) in enumerate(sorted(parts.items())):
        # By onset only: rows stand in the order of their ends, which of equal notes puts the file's first one first.
        notes = np.array(sorted(rows, key=itemgetter(0)), dtype=np.int64).reshape(-1, 4)
        name = several[place] if len(several) == len(parts) else names.get(track, "") if not several else ""
        tracks.append(TickTrack(name, program, channel % 16 == DRUM_CHANNEL, notes))
    return tracks


def _names_in_one(names: list[str], n_parts: int) -> list[str]:
    """Return the names of the parts that one track of ours holds: all in one, or put there by another program."""
    own = [name for name in names if name != CONDUCTOR]
    return own[0].split(NAME_GAP) if len(own) == 1 < n_parts else own


def _metas(smf: Smf, kind: int) -> list[Meta]:
    return [meta for meta in smf.metas if meta.kind == kind]


def _texts(smf: Smf, kind: int) -> list[tuple[int, str]]:
    """Return the ticks and texts of one kind, but for empty ones."""
    return [(meta.tick, _decode(meta.payload)) for meta in _metas(smf, kind) if meta.payload]


def _chord_texts(texts: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the chord names among texts, such as ``%Bm7``."""
    named = [(tick, text.removeprefix(CHORD_SIGN)) for tick, text in texts if text.startswith(CHORD_SIGN)]
    return [(tick, text) for tick, text in named if chord_or_none(text) is not None]


def _decode(payload: bytes) -> str:
    """Return the text of an event: UTF-8, or Latin-1 where it is not UTF-8."""
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        return payload.decode("latin-1")


def _meter(meta: Meta, name: str) -> tuple[int, int]:
    """Return the numerator and the denominator of a time signature."""
    where = f"{name}: track {meta.track + 1}, tick {meta.tick}"
    if len(meta.payload) < 2:
        msg = f"{where}: a time signature of {len(meta.payload)} bytes: expected 4"
        raise FileFormatError(msg)
    numerator, power = meta.payload[:2]
    if power > _MAX_METER_POWER:
        msg = f"{where}: time signature {numerator}/2^{power}: expected one such as 4/4 or 6/8"
        raise FileFormatError(msg)
    return numerator, 2**power


def _key(meta: Meta) -> tuple[int, bool]:
    """Return the sharps (negative for flats) of a key signature, and whether it is minor."""
    return int.from_bytes(meta.payload[:1], "big", signed=True), meta.payload[1] != 0
