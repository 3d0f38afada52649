"""The score: music on a grid of whole steps, frozen.

A :class:`Score` holds everything a MIDI file of ours says: tracks of notes, tempo, metre and key
changes, chords and markers. All times are steps of ``steps_per_quarter``; ``end_steps`` is where the
music ends, on a bar line in everything this project makes.

>>> score = Score(4, (Track("Melody", (Note(0, 4, 60), Note(4, 4, 64))),), end_steps=16)
>>> score.bars.n_bars, score.duration_seconds
(1, 2.0)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from symgen.errors import ScoreError
from symgen.grid import BarMap, TempoMap, check_steps_per_quarter
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter

if TYPE_CHECKING:
    from pathlib import Path

    from theory.audit import Violation
    from theory.rules import Rule

__all__ = [
    "ChordChange",
    "KeyChange",
    "Marker",
    "MeterChange",
    "Note",
    "Score",
    "TempoChange",
    "Track",
    "chord_at_steps",
]


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """A note.

    Parameters
    ----------
    onset_steps
        Where it starts, from 0.
    duration_steps
        How long it lasts, at least 1.
    pitch
        MIDI number, 0 to 127.
    velocity
        1 to 127.
    """

    onset_steps: int
    duration_steps: int
    pitch: int
    velocity: int = 80

    def __post_init__(self) -> None:
        inside = self.onset_steps >= 0 and self.duration_steps >= 1
        if not (inside and 0 <= self.pitch <= 127 and 1 <= self.velocity <= 127):
            msg = f"{self}: expected an onset from 0, a duration from 1, a pitch 0 to 127 and a velocity 1 to 127"
            raise ScoreError(msg)

    @property
    def end_steps(self) -> int:
        """The step after the note's last one."""
        return self.onset_steps + self.duration_steps


@dataclass(frozen=True, slots=True)
class Track:
    """A named part.

    Parameters
    ----------
    name
        The role, such as ``Melody``.
    notes
        Sorted at birth by onset, then duration, then pitch.
    program
        General MIDI program, 0 to 127.
    is_drum
        Whether it is for channel 10.
    """

    name: str
    notes: tuple[Note, ...] = ()
    program: int = 0
    is_drum: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.program <= 127:
            msg = f"track {self.name!r}: program {self.program}: expected 0 to 127"
            raise ScoreError(msg)
        object.__setattr__(self, "notes", tuple(sorted(self.notes)))


@dataclass(frozen=True, slots=True)
class TempoChange:
    """A tempo in quarter notes a minute, from a step on."""

    onset_steps: int
    bpm: float


@dataclass(frozen=True, slots=True)
class MeterChange:
    """A metre, from a step on."""

    onset_steps: int
    meter: Meter


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key, from a step on."""

    onset_steps: int
    key: Key


@dataclass(frozen=True, slots=True)
class ChordChange:
    """A chord (or ``N.C.``), from a step until the next one."""

    onset_steps: int
    chord: Chord


@dataclass(frozen=True, slots=True)
class Marker:
    """A text at a step, such as the name of a section."""

    onset_steps: int
    text: str


_Change = TempoChange | MeterChange | KeyChange | ChordChange | Marker


@dataclass(frozen=True, slots=True)
class Score:
    """Music on a grid.

    Parameters
    ----------
    steps_per_quarter
        The grid: a divisor of 480.
    tracks
        The parts.
    tempos, meters
        Changes, ascending; both start at step 0 (120 quarter notes a minute and 4/4 if left out).
    keys, chords, markers
        Changes, ascending; may be empty, which means unknown.
    end_steps
        Where the music ends; raised at birth to the end of the last note.
    recipe
        How the music was made: words and values for the text event of a file.
    """

    steps_per_quarter: int
    tracks: tuple[Track, ...] = ()
    tempos: tuple[TempoChange, ...] = (TempoChange(0, 120.0),)
    meters: tuple[MeterChange, ...] = (MeterChange(0, Meter()),)
    keys: tuple[KeyChange, ...] = ()
    chords: tuple[ChordChange, ...] = ()
    markers: tuple[Marker, ...] = ()
    end_steps: int = 0
    recipe: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        check_steps_per_quarter(self.steps_per_quarter)
        for name in ("tracks", "tempos", "meters", "keys", "chords", "markers"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name in ("tempos", "meters", "keys", "chords", "markers"):
            _check_changes(name, getattr(self, name), needs_start=name in {"tempos", "meters"})
        last = max((note.end_steps for track in self.tracks for note in track.notes), default=0)
        object.__setattr__(self, "end_steps", max(self.end_steps, last))

    @property
    def bars(self) -> BarMap:
        """The bars, whole, covering the music."""
        changes = [(change.onset_steps, change.meter) for change in self.meters]
        return BarMap.build(changes, steps_per_quarter=self.steps_per_quarter, end_steps=self.end_steps)

    @property
    def tempo_map(self) -> TempoMap:
        """When each step sounds."""
        steps = tuple(change.onset_steps for change in self.tempos)
        return TempoMap(steps, tuple(change.bpm for change in self.tempos), self.steps_per_quarter)

    @property
    def duration_seconds(self) -> float:
        """When the music ends, in seconds."""
        return float(self.tempo_map.seconds(self.end_steps))

    @property
    def n_notes(self) -> int:
        """Notes in all tracks."""
        return sum(len(track.notes) for track in self.tracks)

    def track(self, name: str) -> Track:
        """Return the track of a name.

        Raises
        ------
        ScoreError
            If there is none; the error lists the names there are.
        """
        for track in self.tracks:
            if track.name == name:
                return track
        msg = f"track {name!r}: expected one of {', '.join(repr(t.name) for t in self.tracks) or 'no tracks at all'}"
        raise ScoreError(msg)

    def audit(self, rules: Sequence[Rule], *, track: str | None = None) -> list[Violation]:
        """Return every violation of rules in one track; see :func:`symgen.moments.audit`."""
        from symgen.moments import audit

        return audit(self, rules, track=track)

    def save(self, path: str | Path, *, overwrite: bool = True) -> Path:
        """Write the score to a file; see :func:`symgen.io.save`."""
        from symgen import io

        return io.save(self, path, overwrite=overwrite)

    def to_pretty_midi(self) -> Any:
        """Return a ``pretty_midi.PrettyMIDI``; see :func:`symgen.io.adapters.to_pretty_midi`."""
        from symgen.io.adapters import to_pretty_midi

        return to_pretty_midi(self)

    def to_symusic(self) -> Any:
        """Return a ``symusic.Score`` in ticks; see :func:`symgen.io.adapters.to_symusic`."""
        from symgen.io.adapters import to_symusic

        return to_symusic(self)

    def to_music21(self) -> Any:
        """Return a ``music21.stream.Score``; see :func:`symgen.io.adapters.to_music21`."""
        from symgen.io.adapters import to_music21

        return to_music21(self)

    def to(self, library: str) -> Any:
        """Return the score as an object of ``mido``, ``muspy`` and others; see :func:`symgen.io.interop.to_object`."""
        from symgen.io.interop import to_object

        return to_object(self, library)

    @staticmethod
    def of(music: Any, *, steps_per_quarter: int = 12) -> Score:
        """Return the score of an object of another library; see :func:`symgen.io.interop.from_object`."""
        from symgen.io.interop import from_object

        return from_object(music, steps_per_quarter=steps_per_quarter)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a picture to look at and a button to listen; see :mod:`symgen.io.notebook`."""
        from symgen.io.notebook import score_html

        return score_html(self)

    def with_tracks(self, tracks: Iterable[Track]) -> Score:
        """Return the score with other tracks."""
        return replace(self, tracks=tuple(tracks))


def chord_at_steps(chords: Sequence[ChordChange], n_steps: int) -> list[Chord | None]:
    """Return the chord of every step; ``None`` before the first change."""
    found: list[Chord | None] = [None] * n_steps
    edges = [change.onset_steps for change in chords] + [n_steps]
    for change, start, end in zip(chords, edges[:-1], edges[1:], strict=True):
        found[start:end] = [change.chord] * max(end - start, 0)
    return found[:n_steps]


def _check_changes(name: str, changes: tuple[_Change, ...], *, needs_start: bool) -> None:
    steps = [change.onset_steps for change in changes]
    if needs_start and (not steps or steps[0] != 0):
        msg = f"{name}: expected the first one at step 0, found {steps[0] if steps else 'none'}"
        raise ScoreError(msg)
    if steps != sorted(steps) or (steps and steps[0] < 0):
        msg = f"{name}: expected ascending steps from 0, found {steps}"
        raise ScoreError(msg)
    if name != "markers" and len(set(steps)) < len(steps):
        msg = f"{name}: two of them at one step: {steps}"
        raise ScoreError(msg)
    for change in changes:
        if isinstance(change, TempoChange) and not 4 <= change.bpm <= 1000:
            msg = f"tempo {change.bpm:g}: expected 4 to 1000 quarter notes a minute"
            raise ScoreError(msg)
