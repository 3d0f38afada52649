"""A copy of a MIDI file that imports cleanly: all that :mod:`symgen.io.importcheck` calls wrong, mended.

Tempos, metres, keys and markers move to the first track, each once; every part gets a track, a name and, as far as
there are any, a channel of its own; notes get an end, a length and their pitch on their channel to themselves; all
tracks end on one bar line. Controllers, bends, lyrics, texts and system messages stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from symgen.io.importcheck import (
    SIGNS,
    TEXT_KINDS,
    bar_lines,
    end_tick,
    free_channels,
    good_resolution,
    is_plain_meter,
    meter_of,
    programs_of,
)
from symgen.io.raw import PORT, PlayedNote, Raw, RawFile, meta, midi_file
from symgen.io.smf import (
    CONTROL,
    DRUM_CHANNEL,
    KEY_SIGNATURE,
    MARKER,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    TEMPO,
    TIME_SIGNATURE,
    TRACK_NAME,
)

__all__ = ["mended"]

_DEFAULTS = {TEMPO: (500_000).to_bytes(3, "big"), TIME_SIGNATURE: bytes([4, 2, 24, 8])}
_BANKS = (0, 32)
_OWN_METAS = frozenset({PORT, TRACK_NAME})


@dataclass(slots=True)
class _Part:
    """What becomes a track; ``events`` are all but its notes."""

    track: int
    channel: int
    name: str
    events: list[Raw] = field(default_factory=list)
    notes: list[PlayedNote] = field(default_factory=list)


def mended(file: RawFile) -> bytes:
    """Return a copy of a file of format 1 that imports cleanly.

    Notes
    -----
    Lost: ends of notes that do not sound, time and key signatures that are none, notes that start with an equal one of
    their channel, and channel messages on a channel without notes in a track that has notes elsewhere. Where a pitch
    starts again while it sounds, the earlier note ends there. A change of metre inside a bar stays. With more than
    fifteen parts the last ones share channels as they did.
    """
    resolution = _resolution(file.ticks_per_quarter)
    file = _rescaled(file, resolution)
    parts = _parts(file)
    _give_channels(parts)
    _cut(parts)
    conductor = list(_conductor(file, parts))
    tracks = [conductor, *(list(_track_events(part)) for part in parts)]
    lines = bar_lines(replace(file, tracks=(tuple(conductor),)))
    played = tuple(note for part in parts for note in part.notes)
    end = end_tick(replace(file, tracks=tuple(map(tuple, tracks)), notes=played), lines)
    return midi_file(resolution, tracks, [end] * len(tracks))


def _resolution(ticks_per_quarter: int) -> int:
    if good_resolution(ticks_per_quarter):
        return ticks_per_quarter
    return 480 if ticks_per_quarter <= 480 else 960


def _rescaled(file: RawFile, resolution: int) -> RawFile:
    """Return a file in another resolution, every tick rounded, in texts the bytes of UTF-8."""
    old = file.ticks_per_quarter

    def moved(tick: int) -> int:
        return (2 * tick * resolution + old) // (2 * old)

    return replace(
        file,
        ticks_per_quarter=resolution,
        tracks=tuple(tuple(_in_utf8(raw._replace(tick=moved(raw.tick))) for raw in track) for track in file.tracks),
        ends=tuple(map(moved, file.ends)),
        notes=tuple(note._replace(onset=moved(note.onset), end=moved(note.end)) for note in file.notes),
    )


def _in_utf8(raw: Raw) -> Raw:
    if raw.meta_kind not in TEXT_KINDS:
        return raw
    try:
        raw.payload.decode("utf-8")
    except UnicodeDecodeError:
        return meta(raw.tick, raw.meta_kind, raw.payload.decode("latin-1").encode())
    return raw


# Parts


def _parts(file: RawFile) -> list[_Part]:
    """Return a part for every channel with notes of every track, and for every other track that says something."""
    parts: list[_Part] = []
    for index, track in enumerate(file.tracks):
        channels = sorted({note.channel for note in file.notes if note.track == index})
        set_up = next((raw.channel for raw in track if raw.channel >= 0), None)
        if not channels and (set_up is not None or (index and _name(track))):
            channels = [0 if set_up is None else set_up]
        for place, channel in enumerate(channels):
            name = _part_name(_name(track), channel, is_alone=len(channels) == 1, number=len(parts) + 1)
            part = _Part(index, channel, name, [], [n for n in file.notes if (n.track, n.channel) == (index, channel)])
            part.events += [raw for raw in track if _belongs(raw, channel, index, is_first=place == 0)]
            parts.append(part)
    return parts


def _name(track: Iterable[Raw]) -> str:
    names = (raw.payload.decode("utf-8").strip() for raw in track if raw.meta_kind == TRACK_NAME)
    return next((name for name in names if name), "")


def _part_name(name: str, channel: int, *, is_alone: bool, number: int) -> str:
    is_drum = channel % 16 == DRUM_CHANNEL
    if not name:
        return "Drums" if is_drum else f"Track {number}"
    return name if is_alone else f"{name} ({'drums' if is_drum else f'channel {channel + 1}'})"


def _belongs(raw: Raw, channel: int, index: int, *, is_first: bool) -> bool:
    """Whether an event of a track goes on with the part of a channel; what is on no channel goes with the first."""
    if raw.channel >= 0:
        return raw.channel == channel and raw.kind not in (NOTE_ON, NOTE_OFF)
    return is_first and index > 0 and raw.meta_kind not in SIGNS and raw.meta_kind not in _OWN_METAS


def _give_channels(parts: Sequence[_Part]) -> None:
    """Give parts on the channel of another a free one, as far as there are any: first those of other programs."""
    used = {part.channel for part in parts if part.notes or any(raw.channel >= 0 for raw in part.events)}
    for may_move in (_set_otherwise, _not_the_first):
        by_channel: dict[int, list[_Part]] = defaultdict(list)
        for part in parts:
            if part.notes:
                by_channel[part.channel].append(part)
        for channel, group in by_channel.items():
            moving = may_move(group)[: len(free_channels(channel, used))]
            if moving and may_move is _not_the_first:
                _share(group)
            for part in moving:
                _move(part, free_channels(channel, used)[0])
                used.add(part.channel)


def _set_otherwise(group: Sequence[_Part]) -> list[_Part]:
    """Return the parts that set their channel to other programs than the first that does."""
    found = [(part, programs) for part in group if (programs := programs_of(part.events).get(part.channel))]
    return [part for part, programs in found if programs != found[0][1]]


def _not_the_first(group: Sequence[_Part]) -> list[_Part]:
    return list(group[1:])


def _share(group: Sequence[_Part]) -> None:
    """Give each part what the others say to the channel: it has been heard in all of them."""
    said = sorted((raw for part in group for raw in part.events if raw.channel >= 0), key=lambda raw: raw.tick)
    for part in group:
        own = [raw for raw in part.events if raw.channel < 0]
        part.events = sorted([*own, *dict.fromkeys(said)], key=lambda raw: raw.tick)


def _move(part: _Part, channel: int) -> None:
    status = channel % 16
    part.channel = channel
    part.notes = [note._replace(channel=channel) for note in part.notes]
    part.events = [
        raw if raw.channel < 0 else Raw(raw.tick, bytes([raw.data[0] & 0xF0 | status]) + raw.data[1:], channel)
        for raw in part.events
    ]


def _cut(parts: Sequence[_Part]) -> None:
    """Give every note a length, and its pitch on its channel to itself; of equal starts the longest note stays."""
    by_key: dict[tuple[int, int], list[tuple[int, PlayedNote]]] = defaultdict(list)
    for number, part in enumerate(parts):
        for note in part.notes:
            by_key[note.channel, note.pitch].append((number, note))
        part.notes = []
    for entries in by_key.values():
        entries.sort(key=lambda entry: (entry[1].onset, -entry[1].end, entry[0]))
        distinct = [e for i, e in enumerate(entries) if i == 0 or e[1].onset > entries[i - 1][1].onset]
        limits = [note.onset for _, note in distinct[1:]] + [distinct[-1][1].end + 1]
        for (number, note), limit in zip(distinct, limits, strict=True):
            parts[number].notes.append(note._replace(end=min(max(note.end, note.onset + 1), limit)))


# Events


def _conductor(file: RawFile, parts: Sequence[_Part]) -> Iterator[Raw]:
    """Yield the events of the first track: its own texts, and the signs of all."""
    own = [raw for raw in file.tracks[0] if raw.channel < 0 and raw.meta_kind not in SIGNS and raw.meta_kind != PORT]
    signs = [raw for kind in (TEMPO, TIME_SIGNATURE, KEY_SIGNATURE) for raw in _signs(file, kind)]
    markers = [raw for track in file.tracks for raw in track if raw.meta_kind == MARKER]
    yield from sorted([*own, *signs, *markers], key=lambda raw: raw.tick)


def _signs(file: RawFile, kind: int) -> Iterator[Raw]:
    """Yield the last sign of each tick where it changes what holds, and the usual one where there is none at first."""
    said = sorted((raw for track in file.tracks for raw in track if raw.meta_kind == kind), key=lambda raw: raw.tick)
    by_tick = {raw.tick: payload for raw in said if (payload := _sign_payload(raw)) is not None}
    if kind in _DEFAULTS:
        by_tick = {0: _DEFAULTS[kind]} | by_tick
    held = None
    for tick, payload in by_tick.items():
        if kind == TIME_SIGNATURE and held is not None and payload[:2] == held[:2]:
            continue
        if payload != held:
            yield meta(tick, kind, payload)
        held = payload


def _sign_payload(raw: Raw) -> bytes | None:
    if raw.meta_kind == KEY_SIGNATURE:
        payload = raw.payload
        return payload if len(payload) == 2 and not 7 < payload[0] < 249 and payload[1] <= 1 else None
    if raw.meta_kind != TIME_SIGNATURE or is_plain_meter(raw):
        return raw.payload
    return None if meter_of(raw) is None else raw.payload[:2] + bytes([24, 8])


def _track_events(part: _Part) -> Iterator[Raw]:
    """Yield the events of a part: name, port, first sound; then by time, ends of notes first."""
    yield meta(0, TRACK_NAME, part.name.encode())
    if part.channel >= 16:
        yield meta(0, PORT, bytes([part.channel // 16]))
    first_note = min((note.onset for note in part.notes), default=0)
    set_up = _set_up(part.events, first_note)
    if not set_up and part.notes and programs_of(part.events):  # it begins with what a reset channel has
        yield Raw(0, bytes([PROGRAM | part.channel % 16, 0]), part.channel)
    yield from (raw._replace(tick=0) for raw in set_up)
    others = [(raw.tick, 1, raw) for raw in part.events if not any(raw is one for one in set_up)]
    status = part.channel % 16
    for note in part.notes:
        end = Raw(note.end, bytes([NOTE_OFF | status, note.pitch, note.off_velocity]), part.channel)
        start = Raw(note.onset, bytes([NOTE_ON | status, note.pitch, note.velocity]), part.channel)
        others += [(end.tick, 0, end), (start.tick, 2, start)]
    yield from (raw for _, _, raw in sorted(others, key=lambda entry: entry[:2]))


def _set_up(events: Sequence[Raw], first_note: int) -> list[Raw]:
    """Return the first program with its bank, where they come no later than the first note: they may come at once."""
    program = next((raw for raw in events if raw.kind == PROGRAM), None)
    if program is None or program.tick > first_note:
        return []
    place = next(i for i, raw in enumerate(events) if raw is program)
    banks = [raw for raw in events[:place] if raw.kind == CONTROL and raw.data[1] in _BANKS]
    return [*banks, program]
