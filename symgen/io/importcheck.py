"""What in a MIDI file would import badly into a sequencer, found in its events.

Each finding says where, what, and what was expected. It is *wrong* where programs are known to stumble over it, and a
*hint* where they differ or guess. :func:`symgen.io.importfix.mended` writes a copy without what is wrong.

>>> from symgen.io.midi_writer import write_midi
>>> from symgen.score import Note, Score, Track
>>> findings(RawFile.read(write_midi(Score(4, (Track("T", (Note(0, 4, 60),)),))), "song.mid"))
()
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from symgen.io.barlines import BarLines
from symgen.io.raw import PlayedNote, Raw, RawFile
from symgen.io.smf import (
    DRUM_CHANNEL,
    KEY_SIGNATURE,
    MARKER,
    PROGRAM,
    TEMPO,
    TIME_SIGNATURE,
    TRACK_NAME,
)

__all__ = [
    "COPYRIGHT",
    "SIGNS",
    "TEXT_KINDS",
    "Finding",
    "bar_lines",
    "findings",
    "free_channels",
    "good_resolution",
    "is_plain_meter",
    "meter_of",
    "programs_of",
]

COPYRIGHT = 0x02
SIGNS = {TEMPO: "tempo", TIME_SIGNATURE: "time signature", KEY_SIGNATURE: "key signature", MARKER: "marker"}
"""What stands in the first track."""
TEXT_KINDS = range(0x01, 0x10)
_LOWEST_RESOLUTION, _HIGHEST_RESOLUTION = 24, 1920
_MAX_METER_POWER = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that imports badly.

    Parameters
    ----------
    what, expected
        In words.
    track
        Counted from 1; 0 for the file as a whole.
    tick
        Where; -1 for the file or the track as a whole.
    bar, ticks_into_bar
        The same place; bar 0 where there is no tick.
    is_wrong
        Whether programs stumble over it; else it is a hint.
    """

    what: str
    expected: str
    track: int = 0
    tick: int = -1
    bar: int = 0
    ticks_into_bar: int = 0
    is_wrong: bool = True

    def __str__(self) -> str:
        into = f" + {self.ticks_into_bar} ticks" if self.ticks_into_bar else ""
        places = [f"track {self.track}" if self.track else "", f"bar {self.bar}{into}" if self.bar else ""]
        where = ", ".join(place for place in places if place) or "file"
        hint = "" if self.is_wrong else "hint: "
        return f"{where}: {hint}{self.what}: expected {self.expected}"


def findings(file: RawFile) -> tuple[Finding, ...]:
    """Return all that would import badly: the file as a whole first, then by track and tick."""
    lines = bar_lines(file)
    found = [placed for check in _CHECKS for one in check(file, lines) if (placed := _placed(one, lines))]
    return tuple(sorted(found, key=lambda one: (one.track, one.tick)))


def bar_lines(file: RawFile) -> BarLines:
    """Return the bar lines of a file; time signatures that are none are left out."""
    read = ((raw.tick, meter_of(raw)) for _, raw in _metas(file, TIME_SIGNATURE))
    meters = [(tick, *meter) for tick, meter in read if meter]
    return BarLines.build(meters, ticks_per_quarter=file.ticks_per_quarter)


def meter_of(raw: Raw) -> tuple[int, int] | None:
    """Return numerator and denominator of a time signature; ``None`` where it is none."""
    payload = raw.payload
    if len(payload) < 2 or not payload[0] or payload[1] > _MAX_METER_POWER:
        return None
    return payload[0], 2 ** payload[1]


def is_plain_meter(raw: Raw) -> bool:
    """Whether a time signature has all four bytes, the last two with the usual meaning."""
    payload = raw.payload
    return meter_of(raw) is not None and len(payload) == 4 and payload[2] > 0 and payload[3] == 8


def good_resolution(ticks_per_quarter: int) -> bool:
    """Whether programs take so many ticks a quarter note: an even number, neither coarse nor huge."""
    return ticks_per_quarter % 2 == 0 and _LOWEST_RESOLUTION <= ticks_per_quarter <= _HIGHEST_RESOLUTION


def programs_of(events: Iterable[Raw]) -> dict[int, tuple[int, ...]]:
    """Return the programs that each channel is set to, in their order."""
    found: dict[int, list[int]] = defaultdict(list)
    for raw in events:
        if raw.kind == PROGRAM:
            found[raw.channel].append(raw.data[1])
    return {channel: tuple(programs) for channel, programs in found.items()}


def _placed(one: Finding, lines: BarLines) -> Finding:
    if one.tick < 0:
        return one
    bar, into = lines.place(one.tick)
    return Finding(one.what, one.expected, one.track, one.tick, bar, into, one.is_wrong)


def _metas(file: RawFile, *kinds: int) -> Iterator[tuple[int, Raw]]:
    """Yield the track and the event of all metas of some kinds."""
    for index, track in enumerate(file.tracks):
        yield from ((index, raw) for raw in track if raw.meta_kind in kinds)


def _counted(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


# The checks: each yields what it finds


def _structure(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    for warning in file.warnings:
        yield Finding(warning, "a file as the standard has it")


def _header(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    is_good = good_resolution(file.ticks_per_quarter)
    if not is_good or file.ticks_per_quarter % 3:
        what, expected = f"{file.ticks_per_quarter} ticks a quarter note", "480 or 960, which have thirds and fifths"
        yield Finding(what, expected, is_wrong=not is_good)
    n_parts = len({note.channel for note in file.notes})
    if file.format_number == 0 and n_parts > 1:
        yield Finding(f"format 0 with {n_parts} parts", "format 1: some programs put them on one track", is_wrong=False)


def _signs_elsewhere(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    for index, track in enumerate(file.tracks[1:], start=1):
        for kind, word in SIGNS.items():
            ticks = [raw.tick for raw in track if raw.meta_kind == kind]
            if ticks:
                what = _counted(len(ticks), word) + " outside the first track"
                yield Finding(what, "all of them in track 1", index + 1, ticks[0], is_wrong=kind != MARKER)


def _signs_missing(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    for kind, usual in ((TEMPO, "one, such as 120"), (TIME_SIGNATURE, "one, such as 4/4")):
        if not any(raw.tick == 0 for _, raw in _metas(file, kind)):
            yield Finding(f"no {SIGNS[kind]}", usual, 1, 0)


def _signs_repeated(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    """Yield what is said again, or twice at one tick."""
    for kind in (TEMPO, TIME_SIGNATURE, KEY_SIGNATURE):
        said = sorted(_metas(file, kind), key=lambda pair: pair[1].tick)
        twice = [(now, before) for before, now in pairwise(said) if _same_sign(before[1], now[1])]
        if twice:
            (index, raw), _ = twice[0]
            what = f"{_counted(len(twice), SIGNS[kind])} that change{'s' if len(twice) == 1 else ''} nothing"
            yield Finding(what, "one at each real change", index + 1, raw.tick)
        for before, now in pairwise(said):
            if before[1].tick == now[1].tick and not _same_sign(before[1], now[1]):
                yield Finding(f"a second {SIGNS[kind]} at one tick", "one", now[0] + 1, now[1].tick)


def _same_sign(one: Raw, other: Raw) -> bool:
    if one.meta_kind == TIME_SIGNATURE:
        return meter_of(one) == meter_of(other)
    return one.payload == other.payload


def _meters(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    for index, raw in _metas(file, TIME_SIGNATURE):
        if not is_plain_meter(raw):
            numbers = " ".join(map(str, raw.payload)) or "no bytes"
            yield Finding(f"time signature of {numbers}", "four bytes such as 4 2 24 8", index + 1, raw.tick)
    for tick in lines.cut:
        what = "a change of metre inside a bar"
        yield Finding(what, "it on a bar line: programs count bars differently from here", 1, tick, is_wrong=False)


def _texts(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    for index, raw in _metas(file, *TEXT_KINDS):
        try:
            raw.payload.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.payload.decode("latin-1")[:40]
            yield Finding(f"text {text!r} that is no UTF-8", "UTF-8", index + 1, raw.tick)
        if raw.meta_kind == COPYRIGHT and raw.payload:
            yield Finding("a copyright text", "none: some programs show it as a marker", index + 1, is_wrong=False)


def _names(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    for index in sorted({note.track for note in file.notes}):
        if not any(raw.meta_kind == TRACK_NAME and raw.payload.strip() for raw in file.tracks[index]):
            yield Finding("notes without a track name", "a name, such as Melody", index + 1)


def _channels(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    by_track: dict[int, set[int]] = defaultdict(set)
    for note in file.notes:
        by_track[note.track].add(note.channel)
    for index, channels in by_track.items() if file.format_number else ():
        if len(channels) > 1:
            named = ", ".join(str(channel + 1) for channel in sorted(channels))
            drums = ", drums among them" if any(c % 16 == DRUM_CHANNEL for c in channels) else ""
            what = f"notes on channels {named}{drums}"
            yield Finding(what, "one part on one channel: some programs ignore channels", index + 1)
    yield from _shared(file, by_track)


def _shared(file: RawFile, by_track: Mapping[int, set[int]]) -> Iterator[Finding]:
    """Yield the tracks on the channel of one before them: with another program, or while there are free ones."""
    owners: dict[int, int] = {}
    programmed: dict[int, tuple[int, tuple[int, ...]]] = {}
    used = {raw.channel for track in file.tracks for raw in track}
    for index, channels in sorted(by_track.items()):
        programs = programs_of(file.tracks[index])
        for channel in sorted(channels):
            owner, held = owners.setdefault(channel, index), programs.get(channel, ())
            setter, set_to = programmed.setdefault(channel, (index, held)) if held else (owner, held)
            if held != set_to:
                what = f"channel {channel + 1} with program {held[0] + 1}"
                expected = f"a channel of its own: track {setter + 1} plays there with program {set_to[0] + 1}"
                yield Finding(what, expected, index + 1)
            elif owner != index and free_channels(channel, used):
                what = f"channel {channel + 1}, as track {owner + 1}"
                yield Finding(what, "a channel of its own: some programs make one part of both", index + 1)


def free_channels(channel: int, used: Container[int]) -> list[int]:
    """Return the channels of a channel's port that nothing uses; none for drums, which have but one."""
    port = 16 * (channel // 16)
    others = (c for c in range(port, port + 16) if c % 16 != DRUM_CHANNEL)
    return [] if channel % 16 == DRUM_CHANNEL else [c for c in others if c not in used]


def _programs(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    first_note: dict[tuple[int, int], PlayedNote] = {}
    for note in file.notes:
        first_note.setdefault((note.track, note.channel), note)
    for (index, channel), note in first_note.items():
        own = [(place, raw) for place, raw in enumerate(file.tracks[index]) if raw.channel == channel]
        first = next(((place, raw) for place, raw in own if raw.kind == PROGRAM), None)
        if first is None or (first[1].tick == 0 and first[0] < note.on_place):
            continue
        late = first[0] > note.on_place
        what = f"the first program change {'after the first note' if late else 'not at the start'}"
        yield Finding(what, "it at tick 0", index + 1, first[1].tick, is_wrong=late)


def _played(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    for index, of_track in groupby(file.notes, key=lambda note: note.track):
        notes = list(of_track)
        hanging = [note.onset for note in notes if note.off_place < 0]
        empty = [note.onset for note in notes if note.end == note.onset]
        if hanging:
            yield Finding(f"{_counted(len(hanging), 'note')} without an end", "an end for each", index + 1, hanging[0])
        if empty:
            yield Finding(f"{_counted(len(empty), 'note')} of no length", "at least one tick", index + 1, empty[0])
    for index, pairs in groupby(file.stray_ends, key=lambda pair: pair[0]):
        ticks = [tick for _, tick in pairs]
        what = f"{_counted(len(ticks), 'end')} of notes that do not sound"
        yield Finding(what, "a start before each end", index + 1, ticks[0], is_wrong=False)


def _overlaps(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    by_key: dict[tuple[int, int], list[PlayedNote]] = defaultdict(list)
    for note in file.notes:
        by_key[note.channel, note.pitch].append(note)
    over: dict[int, list[int]] = defaultdict(list)
    late: dict[int, list[int]] = defaultdict(list)
    for notes in by_key.values():
        notes.sort(key=lambda note: (note.onset, note.track, note.on_place))
        for before, now in pairwise(notes):
            if before.end > now.onset or before.onset == now.onset:
                over[now.track].append(now.onset)
            elif before.end == now.onset and before.track == now.track and before.off_place > now.on_place:
                late[now.track].append(now.onset)
    for index, ticks in over.items():
        what = f"{_counted(len(ticks), 'note')} started while the same pitch sounds on the channel"
        yield Finding(what, "the earlier note ended first", index + 1, min(ticks))
    for index, ticks in late.items():
        what = f"{_counted(len(ticks), 'note')} started before the end of the last one of their pitch at the same tick"
        yield Finding(what, "ends before starts", index + 1, min(ticks))


def _ends(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    target = end_tick(file, lines)
    for index, end in enumerate(file.ends):
        if end != target:
            bar, into = lines.place(target)
            where = f"the start of bar {bar}" + (f" + {into} ticks" if into else "")
            yield Finding(f"end of track at tick {end}", f"tick {target}, {where}", index + 1, end)


def end_tick(file: RawFile, lines: BarLines) -> int:
    """Return the bar line on which every track is to end: that after the last event, or the file's own later one."""
    last = max([note.end for note in file.notes] + [raw.tick for track in file.tracks for raw in track], default=0)
    longest = max(file.ends)
    return longest if last <= longest == lines.following(longest) else max(lines.following(last), 0)


def _start(file: RawFile, lines: BarLines) -> Iterator[Finding]:
    if file.notes:
        first = min(note.onset for note in file.notes)
        bar, _ = lines.place(first)
        if bar > 1:
            yield Finding(
                f"{_counted(bar - 1, 'bar')} of silence before the first note", "music in bar 1", is_wrong=False
            )


_Check = Callable[[RawFile, BarLines], Iterable[Finding]]
_CHECKS: Sequence[_Check] = (
    _structure,
    _header,
    _signs_elsewhere,
    _signs_missing,
    _signs_repeated,
    _meters,
    _texts,
    _names,
    _channels,
    _programs,
    _played,
    _overlaps,
    _ends,
    _start,
)
