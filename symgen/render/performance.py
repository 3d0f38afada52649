"""What a synthesiser is to do and when: a MIDI file turned into timed messages for parts.

A *part* is one channel of the synthesiser. A file's channels are its parts, port after port, with one
exception: where several tracks share a channel and ask for different programs (files with more than
16 instruments do), each gets a part of its own, because on one part the last program would win.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symgen.errors import FileFormatError
from symgen.io.limits import Limits
from symgen.io.smf import CONTROL, DRUM_CHANNEL, NOTE_OFF, NOTE_ON, PROGRAM, TRACK_NAME, Event, Meta, Smf

__all__ = ["MAX_PARTS", "Message", "Performance", "perform"]

MAX_PARTS = 256
"""As many channels as FluidSynth has."""

_BANK_CONTROLS = (0, 32)
_JOINT = " + "
_PEDALS = (64, 66)
_MODE_CONTROLS = frozenset({122, 124, 125, 126, 127})  # local control, omni, mono: they act across channels

_Routes = Mapping[tuple[int, int], tuple[int, ...]]
"""(track, channel) -> the parts its events go to."""


class Message(NamedTuple):
    """One thing for a part to do: a status without its channel, and its two data bytes."""

    kind: int
    part: int
    first: int
    second: int


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """Messages in playing order.

    Parameters
    ----------
    seconds
        When each message is due; shape (n_messages,), ascending.
    messages
        Every note-on has one note-off; pedals are up at the end.
    n_parts
        Parts are numbered from 0 to below this.
    drum_parts
        Those that play drum kits.
    n_notes
        Notes started.
    warnings
        What was odd and mended.
    part_names
        What each part that has notes is called: by its tracks, or by its channel where they play on others too.
    """

    seconds: NDArray[np.float64]
    messages: tuple[Message, ...]
    n_parts: int
    drum_parts: frozenset[int]
    n_notes: int
    warnings: tuple[str, ...]
    part_names: Mapping[int, str] = field(default_factory=dict)

    @property
    def duration_seconds(self) -> float:
        """When the last message is due."""
        return float(self.seconds[-1])

    def parts_named(self, wanted: str) -> set[int]:
        """Return the parts of a name, in any case: all that the name of one of their tracks is enough for."""
        folded = wanted.strip().casefold()
        found = {part for part, name in self.part_names.items() if folded in _said(name)}
        return found | (set(self.part_names) & self.drum_parts if folded == "drums" else set())


def perform(smf: Smf, name: str, limits: Limits) -> Performance:
    """Turn a file into messages.

    Mode messages that would act across channels are left out. Notes that overlap on one key sound
    until the last of them ends, and notes without an end stop with their track.

    Parameters
    ----------
    smf
        The file's events.
    name
        What to call the file in errors.
    limits
        What the file may ask for.

    Raises
    ------
    FileFormatError
        If there is no note to play, or too much.
    """
    n_notes = sum(event.kind == NOTE_ON and event.second > 0 for event in smf.events)
    if n_notes == 0:
        msg = f"{name}: no notes in it: nothing to render"
        raise FileFormatError(msg)
    routes, drum_parts = _routes(smf.events)
    n_parts = 1 + max(part for parts in routes.values() for part in parts)
    if n_parts > MAX_PARTS:
        msg = f"{name}: more than {MAX_PARTS} parts: expected fewer ports, or fewer programs on shared channels"
        raise FileFormatError(msg)
    timed, n_hanging = _messages(smf, routes)
    seconds = smf.seconds([tick for tick, _ in timed])
    if seconds[-1] > limits.seconds:
        msg = f"{name}: lasts {seconds[-1] / 3600:,.1f} hours: expected at most {limits.seconds / 3600:g}"
        raise FileFormatError(msg)
    warnings = smf.warnings + ((f"{n_hanging} notes never ended: stopped with their track",) if n_hanging else ())
    names = _part_names(smf, routes, drum_parts)
    return Performance(seconds, tuple(m for _, m in timed), n_parts, drum_parts, n_notes, warnings, names)


def _part_names(smf: Smf, routes: _Routes, drum_parts: frozenset[int]) -> dict[int, str]:
    """Return the names of the parts that have notes."""
    playing = {(event.track, event.channel) for event in smf.events if event.kind == NOTE_ON and event.second > 0}
    tracks: dict[int, set[int]] = defaultdict(set)
    channels = {}
    for track, channel in sorted(playing):
        for part in routes[track, channel]:
            tracks[part].add(track)
            channels[part] = channel
    n_parts = Counter(track for players in tracks.values() for track in players)
    called = _track_names(smf.metas)
    names = {}
    for part, players in sorted(tracks.items()):
        own = dict.fromkeys(called.get(track, "") for track in sorted(players) if n_parts[track] == 1)
        by_channel = "drums" if part in drum_parts else f"channel {channels[part] + 1}"
        names[part] = _JOINT.join(name for name in own if name) or by_channel
    return names


def _track_names(metas: Iterable[Meta]) -> dict[int, str]:
    names: dict[int, str] = {}
    for meta in metas:
        if meta.kind == TRACK_NAME and meta.track not in names:
            try:
                text = meta.payload.decode("utf-8")
            except UnicodeDecodeError:
                text = meta.payload.decode("latin-1")
            names[meta.track] = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return names


def _said(name: str) -> set[str]:
    """Return the name of a part and of each of its tracks, as they are compared."""
    return {name.casefold(), *name.casefold().split(_JOINT)}


def _messages(smf: Smf, routes: _Routes) -> tuple[list[tuple[int, Message]], int]:
    """Return (tick, message) in playing order, and how many notes had to be ended."""
    timed: list[tuple[int, Message]] = []
    open_notes: dict[tuple[int, int], list[int]] = defaultdict(list)  # (part, key) -> tracks of sounding notes
    for tick, track, channel, kind, first, second in smf.events:
        for part in routes[track, channel]:
            is_start = kind == NOTE_ON and second > 0
            if is_start:
                open_notes[part, first].append(track)
            elif kind in (NOTE_ON, NOTE_OFF):
                if not _ends_note(open_notes[part, first]):
                    continue
                kind = NOTE_OFF
            elif kind == CONTROL and first in _MODE_CONTROLS:
                continue
            timed.append((tick, Message(kind, part, first, second)))
    endings = [
        (smf.track_ends[max(tracks, key=smf.track_ends.__getitem__)], *key)
        for key, tracks in open_notes.items()
        if tracks
    ]
    timed += [(tick, Message(NOTE_OFF, part, key, 0)) for tick, part, key in endings]
    timed.sort(key=lambda item: item[0])
    last = timed[-1][0]
    timed += [(last, Message(CONTROL, part, pedal, 0)) for part, pedal in sorted(_pedals_down(timed))]
    return timed, len(endings)


def _ends_note(tracks: list[int]) -> bool:
    """Take the first of the notes sounding on one key away; return whether it was the last."""
    if tracks:
        tracks.pop(0)
        return not tracks
    return False


def _pedals_down(timed: Iterable[tuple[int, Message]]) -> set[tuple[int, int]]:
    """Return the (part, pedal) that are down at the end."""
    values = {(m.part, m.first): m.second for _, m in timed if m.kind == CONTROL and m.first in _PEDALS}
    return {key for key, value in values.items() if value >= 64}


def _routes(events: Iterable[Event]) -> tuple[dict[tuple[int, int], tuple[int, ...]], frozenset[int]]:
    """Return which parts each track plays on each channel, and the parts that are drums."""
    programs = _opening_programs(events)
    ports = sorted({channel // 16 for _, channel in programs})
    n_parts = 16 * len(ports)
    routes: dict[tuple[int, int], tuple[int, ...]] = {}
    drum_parts = set()
    for channel in sorted({channel for _, channel in programs}):
        players = {track: program for (track, ch), program in programs.items() if ch == channel and program is not None}
        shared = 16 * ports.index(channel // 16) + channel % 16
        own = [track for track, program in players.items() if program] if len(_wanted(players)) > 1 else []
        parts = {track: n_parts + i for i, track in enumerate(own)}
        n_parts += len(own)
        everyone = (shared, *parts.values())
        tracks = [track for track, ch in programs if ch == channel]
        for track in tracks:
            alone = (parts.get(track, shared),)
            routes[track, channel] = alone if track in players else everyone
        drum_parts |= set(everyone) if channel % 16 == DRUM_CHANNEL else set()
    return routes, frozenset(drum_parts)


def _wanted(players: Mapping[int, tuple[int, ...]]) -> set[tuple[int, ...]]:
    return {program for program in players.values() if program}


def _opening_programs(events: Iterable[Event]) -> dict[tuple[int, int], tuple[int, ...] | None]:
    """Return, by (track, channel), the banks and program a track chooses before its first note.

    The tuple is empty where it chooses none, and ``None`` stands for a track without notes there.
    """
    chosen: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    opened: dict[tuple[int, int], tuple[int, ...] | None] = {}
    for _, track, channel, kind, first, second in events:
        place = track, channel
        if opened.get(place) is not None:
            continue
        opened.setdefault(place, None)
        if kind == PROGRAM:
            chosen[place][PROGRAM] = first
        elif kind == CONTROL and first in _BANK_CONTROLS:
            chosen[place][first] = second
        elif kind == NOTE_ON and second > 0:
            has = chosen[place]
            opened[place] = (has.get(0, 0), has.get(32, 0), has[PROGRAM]) if PROGRAM in has else ()
    return opened
