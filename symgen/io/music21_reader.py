"""A :class:`~symgen.score.Score` from a music21 stream.

A part is laid out measure by measure: the order in which its measures sound is found once, on an empty
copy of them, so that repeats cost no copying of notes. All times are quarter notes (as music21 counts
them) until the last moment, when each goes to the nearest step.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from symgen.errors import GridError, ScoreError
from symgen.grid import check_steps_per_quarter
from symgen.io.music21_chords import from_symbol, spelling_of
from symgen.io.optional import require
from symgen.io.repeats import Ending, Signs
from symgen.score import ChordChange, KeyChange, Marker, MeterChange, Note, Score, TempoChange, Track
from theory.chord import Chord
from theory.errors import TheoryError
from theory.key import Key
from theory.meter import Meter
from theory.scale import scale_named

__all__ = ["from_music21"]

_CHANGE_TYPES = (TempoChange, MeterChange, KeyChange, ChordChange)


@dataclass(slots=True)
class _Measure:
    """What stands in one measure: where it starts, and its elements with their offsets inside it."""

    start: Any  # quarter notes; music21 counts in floats and Fractions
    elements: list[tuple[Any, Any]] = field(default_factory=list)
    source: Any = None


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the source: its measures, and what plays it."""

    source: Any
    measures: list[_Measure]
    instrument: Any

    @classmethod
    def of(cls, part: Any, above: Any) -> _Part:
        measures = _measures_of(part, above)
        elements = (element for measure in measures for _, element in measure.elements)
        return cls(part, measures, next((e for e in elements if "Instrument" in e.classSet), None))

    @property
    def transposition(self) -> int:
        """Semitones from what is written to what sounds; formats that do not say write what sounds."""
        interval = getattr(self.instrument, "transposition", None)
        is_written = getattr(self.source, "atSoundingPitch", True) is False
        return round(interval.semitones) if interval is not None and is_written else 0

    def name(self, index: int) -> str:
        """Return its name, or else its id, or else its number."""
        named = getattr(self.source, "partName", None) or self.source.id
        return named if isinstance(named, str) and named else f"Part {index + 1}"


def from_music21(stream: Any, *, steps_per_quarter: int) -> Score:
    """Return a score with the notes, changes and chord symbols of a music21 stream.

    Parts become tracks, named as they are; the voices of a part are flattened into one, and a note
    that two of them share is kept once. Repeats and endings are written out, tied notes joined, and
    parts for transposing instruments sound as they should. If the first measure is a pickup, it ends
    on the second bar line: the music then starts late in a full first bar, and all bar lines are true.
    A whole measure that starts off the bar line (after a bar of odd length) starts a new bar with a
    change to the same metre.

    Parameters
    ----------
    stream
        A ``music21.stream.Score``, ``Part`` or any other stream but an ``Opus``.
    steps_per_quarter
        The grid.

    Raises
    ------
    ScoreError
        If the stream is an ``Opus`` of several pieces.
    GridError
        If a bar is no whole number of steps.

    Notes
    -----
    Lost: grace notes, spelling of notes, articulation, dynamics without a velocity, lyrics, and tempos
    outside 4 to 1000. Times off the grid go to the nearest step and no note gets shorter than one. A
    D.C. or D.S. that music21 cannot make sense of is not followed. A key signature without a
    mode is taken as major; a chord symbol that cannot be read is skipped.
    """
    check_steps_per_quarter(steps_per_quarter)
    if "Opus" in stream.classSet:
        msg = f"an Opus of {len(stream.scores)} pieces: expected one of them, such as opus.scores[0]"
        raise ScoreError(msg)
    streams = list(stream.parts) if "Score" in stream.classSet and stream.parts else [stream]
    parts = [_Part.of(part, None if part is stream else stream) for part in streams]
    layout = _Layout.of(parts, steps_per_quarter)
    tracks = tuple(_track(part, layout, index) for index, part in enumerate(parts))
    return _assemble(tracks, _changes(parts, layout), layout)


# Measures and their order


def _measures_of(part: Any, above: Any) -> list[_Measure]:
    """Return the measures of a part, with the loose elements of the part and the score put into them."""
    found = [m for m in part if "Measure" in m.classSet]
    measures = [_Measure(part.elementOffset(m), list(_walk(m, 0)), m) for m in found] or [_Measure(0)]
    starts = [measure.start for measure in measures]
    for container in (part, above):
        for offset, element in _walk(container, 0) if container is not None else ():
            home = max(bisect_right(starts, offset) - 1, 0)
            measures[home].elements.append((offset - starts[home], element))
    return measures


def _walk(container: Any, base: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the elements of a container and of the voices in it, with their offsets."""
    for element in container.elements:
        offset = base + container.elementOffset(element)
        classes = element.classSet
        if "Stream" not in classes:
            yield offset, element
        elif "Measure" not in classes and "Part" not in classes:
            yield from _walk(element, offset)


def _order_of(parts: Sequence[_Part]) -> list[int]:
    """Return the measures in the order they sound: that of the first part whose repeats say something."""
    n_measures = len(parts[0].measures)
    plain = list(range(n_measures))
    if any(len(part.measures) != n_measures for part in parts):
        return list(range(max(len(part.measures) for part in parts)))
    for part in parts:
        order = _expanded_order([measure.source for measure in part.measures if measure.source is not None])
        if order and order != plain:
            return order
    return plain


def _expanded_order(measures: list[Any]) -> list[int]:
    """Return the order in which measures sound; D.C. and D.S. are followed where music21 can follow them."""
    marks = [(i, e) for i, m in enumerate(measures) for e in m.elements if "RepeatMark" in e.classSet]
    if not marks:
        return []
    bars = [(i, e) for i, e in marks if "Repeat" in e.classSet]
    signs = Signs(
        starts={i for i, e in bars if e.direction == "start"},
        ends={i: e.times or 2 for i, e in bars if e.direction == "end"},
        endings=tuple(_endings(measures)),
    )
    jumps = [(i, e) for i, e in marks if "RepeatExpressionCommand" in e.classSet]
    return (jumps and _order_with_jumps(measures)) or signs.order(len(measures))


def _endings(measures: list[Any]) -> Iterator[Ending]:
    index_of = {id(measure): i for i, measure in enumerate(measures)}
    brackets = {id(b): b for measure in measures for b in measure.getSpannerSites("RepeatBracket")}
    for bracket in brackets.values():
        inside = [index_of[id(m)] for m in bracket.getSpannedElements() if id(m) in index_of]
        if inside and bracket.numberRange:
            yield Ending(min(inside), max(inside), frozenset(bracket.numberRange))


def _order_with_jumps(measures: list[Any]) -> list[int]:
    """Let music21 expand a copy of the measures that holds nothing but their signs."""
    music21 = require("music21")
    skeleton = music21.stream.Part()
    copies = []
    for index, measure in enumerate(measures):
        copy = music21.stream.Measure(number=index)
        copy.leftBarline, copy.rightBarline = _bar_line(measure.leftBarline), _bar_line(measure.rightBarline)
        for sign in measure.elements:
            if "RepeatExpression" in sign.classSet:
                copy.append(type(sign)())
        copies.append(copy)
        skeleton.append(copy)
    for ending in _endings(measures):
        inside = copies[ending.first : ending.last + 1]
        skeleton.insert(0, music21.spanner.RepeatBracket(inside, number=sorted(ending.numbers)))
    try:
        order = [m.number for m in music21.repeat.Expander(skeleton).process().getElementsByClass("Measure")]
    except (music21.exceptions21.Music21Exception, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return []  # nonsense in the source shows in many ways there; the jumps are then not followed
    return order if all(index < len(measures) for index in order) else []


def _bar_line(line: Any) -> Any:
    if line is None or "Repeat" not in line.classSet:
        return None
    return require("music21").bar.Repeat(direction=line.direction, times=line.times)


# The time line


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where each sounding measure goes: its index in the source, and its start in quarter notes."""

    order: list[int]
    starts: list[Any]
    lengths: list[Any]
    is_jump: list[bool]  # whether a measure does not follow its predecessor in the source
    end: Any
    steps_per_quarter: int

    @classmethod
    def of(cls, parts: Sequence[_Part], steps_per_quarter: int) -> _Layout:
        order = _order_of(parts)
        reference = max((part.measures for part in parts), key=len)
        lengths = [b.start - a.start for a, b in pairwise(reference)]
        lengths.append(max(_content_length(part.measures[-1]) for part in parts))
        starts: list[Any] = []
        now: Any = _pickup_shift(reference, lengths)
        for index in order:
            starts.append(now)
            now += lengths[index]
        is_jump = [i == 0 or index != order[i - 1] + 1 for i, index in enumerate(order)]
        return cls(order, starts, [lengths[index] for index in order], is_jump, now, steps_per_quarter)

    def step(self, quarters: Any) -> int:
        """Return the nearest step; halves go to the later one."""
        step: int = math.floor(quarters * self.steps_per_quarter + 0.5)
        return step


def _content_length(measure: _Measure) -> Any:
    ends = [offset + element.duration.quarterLength for offset, element in measure.elements if _sounds(element)]
    return max(ends, default=0)


def _pickup_shift(measures: list[_Measure], lengths: list[Any]) -> Any:
    """Return how much of the first bar a pickup leaves silent, in quarter notes."""
    meter = next((_meter(e) for _, e in measures[0].elements if "TimeSignature" in e.classSet), None)
    if meter is None or len(measures) < 2:
        return 0
    missing = meter.bar_quarters - Fraction(lengths[0])
    is_cut_short = getattr(measures[0].source, "paddingRight", 0) > 0
    completes_it = len(measures) > 2 and missing == Fraction(lengths[1])  # one bar written as two
    return missing if lengths[0] > 0 and missing > 0 and not (completes_it or is_cut_short) else 0


# Notes


def _sounds(element: Any) -> bool:
    classes = element.classSet
    return "GeneralNote" in classes and "Harmony" not in classes


def _track(part: _Part, layout: _Layout, index: int) -> Track:
    measures, transposition = part.measures, part.transposition
    sounding = []
    for start, source in zip(layout.starts, layout.order, strict=True):
        for offset, element in measures[source].elements if source < len(measures) else ():
            if _sounds(element):
                sounding += _notes_of(element, start + offset, transposition)
    program = getattr(part.instrument, "midiProgram", None)
    unpitched = "UnpitchedPercussion" in getattr(part.instrument, "classSet", ())
    is_drum = unpitched or getattr(part.instrument, "midiChannel", None) == 9
    notes = _quantised(_join_ties(sounding), layout)
    return Track(part.name(index), tuple(notes), program or 0, is_drum)


@dataclass(slots=True)
class _Sounding:
    """A note before it goes to the grid; times in quarter notes."""

    onset: Any
    end: Any
    pitch: int
    velocity: int
    tie: str | None


def _notes_of(element: Any, onset: Any, transposition: int) -> list[_Sounding]:
    """Return the notes of a note or a chord; none for a rest or a grace note."""
    length = element.duration.quarterLength
    if length <= 0:
        return []
    heads = [element] if hasattr(element, "pitch") or "Unpitched" in element.classSet else getattr(element, "notes", ())
    found = []
    for head in heads:
        pitch = _pitch(head, transposition)
        if pitch is not None:
            velocity = head.volume.velocity if head.hasVolumeInformation() else None
            tie = head.tie.type if head.tie is not None else None
            velocity = 80 if velocity is None else min(max(velocity, 1), 127)
            found.append(_Sounding(onset, onset + length, pitch, velocity, tie))
    return found


def _pitch(head: Any, transposition: int) -> int | None:
    """Return the MIDI pitch of a note head; ``None`` where it has none or lies outside the range."""
    if "Unpitched" in head.classSet:
        pitch = getattr(head.storedInstrument, "percMapPitch", None)
    else:
        pitch = round(head.pitch.ps) + transposition
    return pitch if pitch is not None and 0 <= pitch <= 127 else None


def _join_ties(sounding: list[_Sounding]) -> list[_Sounding]:
    """Join each note that is tied to with the note of its pitch that ends where it starts."""
    joined: list[_Sounding] = []
    open_ties: dict[tuple[int, int], _Sounding] = {}
    for note in sorted(sounding, key=lambda s: s.onset):
        head = open_ties.pop((note.pitch, _instant(note.onset)), None) if note.tie in {"stop", "continue"} else None
        if head is None:
            head = note
            joined.append(note)
        else:
            head.end = note.end
        if note.tie in {"start", "continue"}:
            open_ties[note.pitch, _instant(note.end)] = head
    return joined


def _instant(quarters: Any) -> int:
    """Return a time as a whole number, the same for sums that differ only by rounding."""
    return round(float(quarters) * 10080)


def _quantised(sounding: Iterable[_Sounding], layout: _Layout) -> list[Note]:
    """Put notes on the grid; of two with one onset and pitch the longer stays."""
    longest: dict[tuple[int, int], Note] = {}
    for note in sounding:
        onset = layout.step(note.onset)
        new = Note(onset, max(layout.step(note.end) - onset, 1), note.pitch, note.velocity)
        old = longest.get((onset, note.pitch))
        if old is None or old.duration_steps < new.duration_steps:
            longest[onset, note.pitch] = new
    return list(longest.values())


# Changes

_Change = TempoChange | MeterChange | KeyChange | ChordChange | Marker


def _changes(parts: Sequence[_Part], layout: _Layout) -> list[_Change]:
    """Return all changes in the order they sound; where parts disagree, the first has its way."""
    found: dict[tuple[type, int, str], _Change] = {}
    for part in parts:
        for change in _changes_of(part.measures, part.transposition, layout):
            found.setdefault((type(change), change.onset_steps, getattr(change, "text", "")), change)
    return sorted(found.values(), key=lambda change: change.onset_steps)


def _changes_of(measures: list[_Measure], transposition: int, layout: _Layout) -> Iterator[_Change]:
    """Yield the changes of one part; after a jump, first what held where it lands."""
    read = [[(offset, c) for offset, e in m.elements if (c := _read(e, transposition))] for m in measures]
    for values in read:
        values.sort(key=lambda pair: pair[0])
    held = _held_at_starts(read)
    for start, source, jumped in zip(layout.starts, layout.order, layout.is_jump, strict=True):
        here = read[source] if source < len(read) else []
        at_start = {type(value) for offset, value in here if offset == 0}
        restated = held[source].items() if jumped and source < len(held) else ()
        values = [(0, value) for kind, value in restated if kind not in at_start] + here
        for offset, value in values:
            # What holds from the very start also holds in the silence before a pickup.
            opens = offset == 0 and start == layout.starts[0] and not isinstance(value, Chord | str)
            yield _placed(value, 0 if opens else layout.step(start + offset))


def _held_at_starts(read: list[list[tuple[Any, Any]]]) -> list[dict[type, Any]]:
    """Return for each measure the last value of every kind before it."""
    held: list[dict[type, Any]] = [{}]
    for values in read:
        held.append({**held[-1], **{type(v): v for _, v in values if not isinstance(v, str)}})
    return held


def _placed(value: Any, step: int) -> _Change:
    if isinstance(value, float):
        return TempoChange(step, value)
    if isinstance(value, Meter):
        return MeterChange(step, value)
    if isinstance(value, Key):
        return KeyChange(step, value)
    return ChordChange(step, value) if isinstance(value, Chord) else Marker(step, value)


def _read(element: Any, transposition: int) -> float | Meter | Key | Chord | str | None:
    """Return what an element means for the whole score; ``None`` for notes and all that is not read."""
    classes = element.classSet
    if "Harmony" in classes:
        chord = from_symbol(element)
        return chord.transposed(transposition, chord.root.fifths) if chord and chord.root and transposition else chord
    if "TimeSignature" in classes:
        return _meter(element)
    if "KeySignature" in classes:
        key = _key(element)
        return key.transposed(transposition) if key and transposition else key
    if "MetronomeMark" in classes:
        bpm = element.getQuarterBPM()
        return round(float(bpm), 6) if bpm is not None and 4 <= bpm <= 1000 else None  # it comes from a product
    return element.content if "RehearsalMark" in classes and element.content else None


def _meter(signature: Any) -> Meter | None:
    """Read a time signature; ``None`` for one that is none of ours, such as senza misura."""
    try:
        terms = [tuple(map(int, term.split("/"))) for term in signature.ratioString.split("+")]
        counts = [numerator * signature.denominator // denominator for numerator, denominator in terms]
        meter = Meter(signature.numerator, signature.denominator)
        return Meter(sum(counts), signature.denominator, tuple(counts)) if len(counts) > 1 else meter
    except (TheoryError, TypeError, ValueError, AttributeError):
        return None


def _key(signature: Any) -> Key | None:
    """Read a key, or a bare signature as a major key."""
    if "Key" in signature.classSet:
        try:
            return Key(spelling_of(signature.tonic), scale_named(signature.mode))
        except TheoryError:
            pass
    return None if signature.sharps is None else Key.from_signature(signature.sharps)


# The whole


def _assemble(tracks: tuple[Track, ...], changes: list[_Change], layout: _Layout) -> Score:
    by_kind: dict[type, list[Any]] = {kind: [c for c in changes if isinstance(c, kind)] for kind in _CHANGE_TYPES}
    meters = _from_zero(_real(by_kind[MeterChange]), MeterChange(0, Meter()))
    try:
        score = Score(
            layout.steps_per_quarter,
            tracks,
            tempos=tuple(_from_zero(_real(by_kind[TempoChange]), TempoChange(0, 120.0))),
            meters=tuple(_true_to_bar_lines(meters, layout) if by_kind[MeterChange] else meters),
            keys=tuple(_real(by_kind[KeyChange])),
            chords=tuple(_real(by_kind[ChordChange])),
            markers=tuple(c for c in changes if isinstance(c, Marker)),
            end_steps=layout.step(layout.end),
        )
        return replace(score, end_steps=score.bars.end_steps)
    except TheoryError as error:
        raise GridError(str(error)) from error


def _real(changes: list[Any]) -> list[Any]:
    """Drop the changes that change nothing."""
    values = [replace(change, onset_steps=0) for change in changes]
    return [c for i, c in enumerate(changes) if i == 0 or values[i] != values[i - 1]]


def _from_zero(changes: list[Any], default: Any) -> list[Any]:
    return changes if changes and changes[0].onset_steps == 0 else [default, *changes]


def _true_to_bar_lines(meters: list[MeterChange], layout: _Layout) -> list[MeterChange]:
    """Start a bar afresh wherever a whole measure starts off the bar line."""
    change_at = {change.onset_steps: change for change in meters}
    current = change_at[0]
    done = [current]
    for start, length in zip(layout.starts, layout.lengths, strict=True):
        step = layout.step(start)
        bar = current.meter.bar_quarters * layout.steps_per_quarter
        if step in change_at and step > 0:
            current = change_at[step]
        elif (step - current.onset_steps) % bar and layout.step(start + length) - step == bar:
            current = MeterChange(step, current.meter)
        if current is not done[-1]:
            done.append(current)
    inside = [change for change in meters if change not in done]
    return sorted([*done, *inside], key=lambda change: change.onset_steps)
