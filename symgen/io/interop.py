"""More roads to and from other libraries, in memory, and one door for all of them.

>>> from symgen.score import Note, Track
>>> score = Score(4, (Track("Melody", (Note(0, 4, 60), Note(6, 2, 64))),))
>>> notes = to_object(score, "note array")
>>> notes["onset_quarter"].tolist(), notes["pitch"].tolist()
([0.0, 1.5], [60, 64])
>>> from_object(notes, steps_per_quarter=4).n_notes
2
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.errors import FileFormatError, RequestError
from symgen.grid import TICKS_PER_QUARTER, check_steps_per_quarter
from symgen.io.adapters import (
    from_music21,
    from_pretty_midi,
    from_symusic,
    named_places,
    to_music21,
    to_pretty_midi,
    to_symusic,
)
from symgen.io.midi_reader import read_midi
from symgen.io.midi_writer import write_midi
from symgen.io.optional import require
from symgen.io.ticks import TickScore, TickTrack
from symgen.io.words import key_signature, microseconds, plain_key
from symgen.score import Score
from theory.errors import TheoryError
from theory.key import Key

__all__ = [
    "LIBRARIES",
    "from_miditoolkit",
    "from_mido",
    "from_muspy",
    "from_note_array",
    "from_object",
    "from_pypianoroll",
    "to_miditoolkit",
    "to_mido",
    "to_muspy",
    "to_note_array",
    "to_object",
    "to_pypianoroll",
]

_NOTE_FIELDS = [
    ("onset_quarter", "f8"), ("duration_quarter", "f8"), ("onset_sec", "f8"), ("duration_sec", "f8"),
    ("onset_tick", "i8"), ("duration_tick", "i8"),
    ("pitch", "i4"), ("velocity", "i4"), ("track", "i4"), ("program", "i4"), ("is_drum", "?"),
]  # fmt: skip
_UNITS = (("onset_tick", "duration_tick"), ("onset_quarter", "duration_quarter"), ("onset_sec", "duration_sec"))
_MAX_ROLL_CELLS = 2**28


def to_mido(score: Score) -> Any:
    """Return a ``mido.MidiFile``: the file of :func:`symgen.io.midi_writer.write_midi`, nothing lost beyond that.

    Raises
    ------
    MissingDependencyError
        If mido is not installed.
    """
    return require("mido").MidiFile(file=io.BytesIO(write_midi(score)), charset="utf-8")


def from_mido(midi: Any, *, steps_per_quarter: int) -> Score:
    """Return the score of a ``mido.MidiFile``; see :func:`symgen.io.midi_reader.read_midi`."""
    buffer = io.BytesIO()
    midi.save(file=buffer)
    return read_midi(buffer.getvalue(), steps_per_quarter=steps_per_quarter, name="mido.MidiFile")


def to_miditoolkit(score: Score) -> Any:
    """Return a ``miditoolkit.MidiFile`` at 480 ticks a quarter note.

    Raises
    ------
    MissingDependencyError
        If miditoolkit is not installed.

    Notes
    -----
    Lost: the recipe, modes other than major and minor, the grouping of a metre's counts, and silent bars at the end.
    """
    miditoolkit = require("miditoolkit")
    made = require("miditoolkit.midi.containers")
    ratio = TICKS_PER_QUARTER // score.steps_per_quarter
    midi = miditoolkit.MidiFile(ticks_per_beat=TICKS_PER_QUARTER)
    midi.tempo_changes = [made.TempoChange(tempo.bpm, tempo.onset_steps * ratio) for tempo in score.tempos]
    midi.time_signature_changes = [
        made.TimeSignature(c.meter.numerator, c.meter.denominator, c.onset_steps * ratio) for c in score.meters
    ]
    midi.key_signature_changes = [made.KeySignature(_key_name(c.key), c.onset_steps * ratio) for c in score.keys]
    midi.markers = [made.Marker(text, step * ratio) for step, text in named_places(score)]
    for track in score.tracks:
        notes = [made.Note(n.velocity, n.pitch, n.onset_steps * ratio, n.end_steps * ratio) for n in track.notes]
        midi.instruments.append(made.Instrument(track.program, track.is_drum, track.name, notes))
    midi.max_tick = score.end_steps * ratio
    return midi


def from_miditoolkit(midi: Any, *, steps_per_quarter: int) -> Score:
    """Return the score of a ``miditoolkit.MidiFile``.

    Raises
    ------
    FileFormatError
        If it holds an impossible tempo, metre, key or note.
    GridError
        If a bar is no whole number of steps.
    """
    check_steps_per_quarter(steps_per_quarter)
    ticks = TickScore(
        ticks_per_quarter=midi.ticks_per_beat,
        tracks=[
            TickTrack(
                i.name, i.program, i.is_drum, _rows((n.start, n.end - n.start, n.pitch, n.velocity) for n in i.notes)
            )
            for i in midi.instruments
        ],
        tempos=[(tempo.time, microseconds(tempo.tempo)) for tempo in midi.tempo_changes],
        meters=[(c.time, c.numerator, c.denominator) for c in midi.time_signature_changes],
        keys=[(c.time, *_signature(c.key_name, "miditoolkit.MidiFile")) for c in midi.key_signature_changes],
        markers=[(marker.time, marker.text) for marker in midi.markers],
    )
    return ticks.to_score(steps_per_quarter=steps_per_quarter, name="miditoolkit.MidiFile")


def to_muspy(score: Score) -> Any:
    """Return a ``muspy.Music`` whose time steps are those of the score; names and chords are its annotations.

    Raises
    ------
    MissingDependencyError
        If muspy is not installed.

    Notes
    -----
    Lost: the recipe, modes other than major and minor, the grouping of a metre's counts, and silent bars at the end.
    """
    muspy = require("muspy")
    signatures = [(c.onset_steps, *key_signature(c.key)) for c in score.keys]
    return muspy.Music(
        resolution=score.steps_per_quarter,
        tempos=[muspy.Tempo(tempo.onset_steps, tempo.bpm) for tempo in score.tempos],
        key_signatures=[_muspy_key(muspy, *signature) for signature in signatures],
        time_signatures=[
            muspy.TimeSignature(c.onset_steps, c.meter.numerator, c.meter.denominator) for c in score.meters
        ],
        annotations=[muspy.Annotation(step, text, "marker") for step, text in named_places(score)],
        tracks=[
            muspy.Track(
                program=track.program,
                is_drum=track.is_drum,
                name=track.name,
                notes=[muspy.Note(n.onset_steps, n.pitch, n.duration_steps, n.velocity) for n in track.notes],
            )
            for track in score.tracks
        ],
    )


def _muspy_key(muspy: Any, step: int, sharps: int, is_minor: bool) -> Any:
    tonic = plain_key(sharps, is_minor).tonic
    return muspy.KeySignature(step, tonic.pitch_class, "minor" if is_minor else "major", sharps, str(tonic))


def from_muspy(music: Any, *, steps_per_quarter: int) -> Score:
    """Return the score of a ``muspy.Music``; annotations of the group ``marker`` are section names and chords.

    Raises
    ------
    FileFormatError
        If it holds an impossible tempo, metre or note.
    GridError
        If a bar is no whole number of steps.
    """
    check_steps_per_quarter(steps_per_quarter)
    ticks = TickScore(
        ticks_per_quarter=music.resolution,
        tracks=[
            TickTrack(
                t.name or "", t.program, t.is_drum, _rows((n.time, n.duration, n.pitch, n.velocity) for n in t.notes)
            )
            for t in music.tracks
        ],
        tempos=[(tempo.time, microseconds(tempo.qpm)) for tempo in music.tempos],
        meters=[(c.time, c.numerator, c.denominator) for c in music.time_signatures],
        keys=[(k.time, k.fifths, k.mode == "minor") for k in music.key_signatures if k.fifths is not None],
        markers=[(a.time, a.annotation) for a in music.annotations if a.group == "marker"],
    )
    return ticks.to_score(steps_per_quarter=steps_per_quarter, name="muspy.Music")


def to_pypianoroll(score: Score) -> Any:
    """Return a ``pypianoroll.Multitrack`` with a column a step.

    Raises
    ------
    RequestError
        If the rolls would take more than a quarter of a gigabyte.
    MissingDependencyError
        If pypianoroll is not installed.

    Notes
    -----
    A roll knows no onsets: notes of one pitch and velocity that touch become one, and of two that overlap the later
    one is heard. Lost, too: keys, chords, names of sections, and metres but for their downbeats.
    """
    pypianoroll = require("pypianoroll")
    n_steps = score.bars.end_steps
    if len(score.tracks) * n_steps * 128 > _MAX_ROLL_CELLS:
        msg = f"{len(score.tracks)} rolls of {n_steps:,} steps: expected at most {_MAX_ROLL_CELLS:,} cells"
        raise RequestError(msg)
    downbeat = np.zeros(n_steps, dtype=np.bool_)
    downbeat[score.bars.starts[:-1]] = True
    edges = [change.onset_steps for change in score.tempos] + [n_steps]
    tempo = np.repeat([change.bpm for change in score.tempos], np.maximum(np.diff(np.minimum(edges, n_steps)), 0))
    return pypianoroll.Multitrack(
        resolution=score.steps_per_quarter,
        tempo=tempo,
        downbeat=downbeat,
        tracks=[
            pypianoroll.StandardTrack(track.name, track.program, track.is_drum, _roll(track.notes, n_steps))
            for track in score.tracks
        ],
    )


def _roll(notes: Iterable[Any], n_steps: int) -> NDArray[np.uint8]:
    roll = np.zeros((n_steps, 128), dtype=np.uint8)
    for note in notes:
        roll[note.onset_steps : note.end_steps, note.pitch] = note.velocity
    return roll


def from_pypianoroll(multitrack: Any, *, steps_per_quarter: int) -> Score:
    """Return the score of a ``pypianoroll.Multitrack``: every run of one velocity is a note.

    Raises
    ------
    FileFormatError
        If it holds an impossible tempo, or is too long.
    """
    check_steps_per_quarter(steps_per_quarter)
    tempo = np.array([] if multitrack.tempo is None else multitrack.tempo, dtype=np.float64).reshape(-1)
    changes = np.flatnonzero(np.diff(tempo, prepend=np.nan) != 0)
    ticks = TickScore(
        ticks_per_quarter=multitrack.resolution,
        tracks=[
            TickTrack(t.name or "", t.program, t.is_drum, _runs(np.asarray(t.pianoroll))) for t in multitrack.tracks
        ],
        tempos=[(int(step), microseconds(float(tempo[step]))) for step in changes],
        end_ticks=max((len(track.pianoroll) for track in multitrack.tracks), default=0),
    )
    return ticks.to_score(steps_per_quarter=steps_per_quarter, name="pypianoroll.Multitrack")


def _runs(roll: NDArray[Any]) -> NDArray[np.int64]:
    """Return (onset, duration, pitch, velocity) of every run; a roll of yes and no sounds at 80."""
    loud = np.where(roll, 80, 0) if roll.dtype == np.bool_ else np.minimum(roll, 127)
    padded = np.pad(loud.astype(np.int64), ((1, 1), (0, 0)))
    pitch, edge = np.nonzero((np.diff(padded, axis=0) != 0).T)
    before, after = padded[edge, pitch], padded[edge + 1, pitch]
    starts, ends = after > 0, before > 0
    onset = edge[starts]
    return np.stack([onset, edge[ends] - onset, pitch[starts], after[starts]], axis=1)


def to_note_array(score: Score) -> NDArray[Any]:
    """Return a structured array with a row a note, by onset, then pitch, as partitura and others have it.

    Its fields are ``onset_quarter``, ``duration_quarter``, ``onset_sec``, ``duration_sec``, ``onset_tick`` and
    ``duration_tick`` (480 a quarter note), ``pitch``, ``velocity``, ``track`` (from 0), ``program``, ``is_drum``.

    Notes
    -----
    Lost: all that is no note.
    """
    rows = [
        (n.onset_steps, n.end_steps, n.pitch, n.velocity, index, track.program, track.is_drum)
        for index, track in enumerate(score.tracks)
        for n in track.notes
    ]
    table = np.array(sorted(rows, key=lambda row: (row[0], row[2])), dtype=np.int64).reshape(-1, 7)
    onset, end = table[:, 0], table[:, 1]
    notes = np.zeros(len(rows), dtype=_NOTE_FIELDS)
    seconds = score.tempo_map.seconds(onset)
    ratio = TICKS_PER_QUARTER // score.steps_per_quarter
    notes["onset_quarter"], notes["duration_quarter"] = (v / score.steps_per_quarter for v in (onset, end - onset))
    notes["onset_sec"], notes["duration_sec"] = seconds, score.tempo_map.seconds(end) - seconds
    notes["onset_tick"], notes["duration_tick"] = onset * ratio, (end - onset) * ratio
    for name, column in zip(("pitch", "velocity", "track", "program", "is_drum"), table.T[2:], strict=True):
        notes[name] = column
    return notes


def from_note_array(notes: NDArray[Any], *, steps_per_quarter: int, bpm: float = 120.0) -> Score:
    """Return the score of a structured array of notes.

    Parameters
    ----------
    notes
        With ``pitch``, and onset and duration as ``..._tick`` (480 a quarter note), ``..._quarter`` or ``..._sec``;
        ``velocity`` (80 if left out), ``track``, ``program`` and ``is_drum`` may be there.
    steps_per_quarter
        The grid; times go to its nearest step.
    bpm
        The tempo of the score; seconds are counted by it.

    Raises
    ------
    FileFormatError
        If a field is missing, or a note is impossible.
    """
    check_steps_per_quarter(steps_per_quarter)
    names = notes.dtype.names or ()
    unit = next((pair for pair in _UNITS if set(pair) <= set(names)), None)
    if unit is None or "pitch" not in names:
        msg = f"note array with {', '.join(names) or 'no fields'}: expected pitch, onset_quarter and duration_quarter"
        raise FileFormatError(msg)
    ticks = 1.0 if unit == _UNITS[0] else TICKS_PER_QUARTER * (bpm / 60 if unit == _UNITS[2] else 1)
    onset, end = notes[unit[0]] * ticks, (notes[unit[0]] + notes[unit[1]]) * ticks
    if not (np.all(np.isfinite(onset)) and np.all(np.isfinite(end)) and np.all(np.abs(end) < 2**53)):
        msg = "note array: an onset or duration that is no number"
        raise FileFormatError(msg)
    starts, ends = (np.rint(values).astype(np.int64) for values in (onset, end))
    velocity = notes["velocity"] if "velocity" in names else np.full(len(notes), 80)
    rows = np.stack([starts, ends - starts, notes["pitch"], velocity], axis=1).astype(np.int64)
    parts = np.stack([_column(notes, name) for name in ("track", "program", "is_drum")], axis=1)
    kinds = np.unique(parts, axis=0)
    tracks = [TickTrack("", int(kind[1]), bool(kind[2]), rows[np.all(parts == kind, axis=1)]) for kind in kinds]
    score = TickScore(TICKS_PER_QUARTER, tracks, [(0, microseconds(bpm))])
    return score.to_score(steps_per_quarter=steps_per_quarter, name="note array")


def _column(notes: NDArray[Any], name: str) -> NDArray[np.int64]:
    there = name in (notes.dtype.names or ())
    return notes[name].astype(np.int64) if there else np.zeros(len(notes), dtype=np.int64)


def _rows(rows: Iterable[tuple[Any, ...]]) -> NDArray[np.int64]:
    return np.array(list(rows), dtype=np.int64).reshape(-1, 4)


def _key_name(key: Key) -> str:
    sharps, is_minor = key_signature(key)
    return f"{plain_key(sharps, is_minor).tonic}{'m' if is_minor else ''}"


def _signature(name: str, where: str) -> tuple[int, bool]:
    try:
        return key_signature(Key.parse(f"{name.removesuffix('m')} {'minor' if name.endswith('m') else 'major'}"))
    except TheoryError as error:
        msg = f"{where}: {error}"
        raise FileFormatError(msg) from error


def _to_bytes(score: Score) -> bytes:
    return write_midi(score)


def _from_bytes(data: bytes, *, steps_per_quarter: int) -> Score:
    return read_midi(data, steps_per_quarter=steps_per_quarter)


LIBRARIES: Mapping[str, tuple[str, Callable[[Score], Any], Callable[..., Score]]] = MappingProxyType(
    {
        "bytes": ("builtins", _to_bytes, _from_bytes),
        "note array": ("numpy", to_note_array, from_note_array),
        "pretty_midi": ("pretty_midi", to_pretty_midi, from_pretty_midi),
        "symusic": ("symusic", to_symusic, from_symusic),
        "mido": ("mido", to_mido, from_mido),
        "miditoolkit": ("miditoolkit", to_miditoolkit, from_miditoolkit),
        "music21": ("music21", to_music21, from_music21),
        "muspy": ("muspy", to_muspy, from_muspy),
        "pypianoroll": ("pypianoroll", to_pypianoroll, from_pypianoroll),
    }
)
"""What a score can be turned into and made of: the package, and the two functions."""


def to_object(score: Score, library: str) -> Any:
    """Return a score as an object of another library.

    Parameters
    ----------
    score
        The music.
    library
        One of :data:`LIBRARIES`.

    Raises
    ------
    RequestError
        If there is no such road.
    MissingDependencyError
        If the library is not installed.
    """
    if library not in LIBRARIES:
        msg = f"library {library!r}: expected one of {', '.join(LIBRARIES)}"
        raise RequestError(msg)
    return LIBRARIES[library][1](score)


def from_object(music: Any, *, steps_per_quarter: int = 12) -> Score:
    """Return the score of an object of any of :data:`LIBRARIES`.

    Raises
    ------
    RequestError
        If it is of none of them.
    FileFormatError
        If it holds something impossible.
    GridError
        If a bar is no whole number of steps.
    """
    kind = type(music)
    packages = {c.__module__.partition(".")[0] for c in kind.__mro__ if c is not object}
    for package, _, convert in LIBRARIES.values():
        if package in packages and (package != "builtins" or isinstance(music, bytes)):
            return convert(music, steps_per_quarter=steps_per_quarter)
    msg = f"{kind.__module__}.{kind.__qualname__}: expected music of one of {', '.join(LIBRARIES)}"
    raise RequestError(msg)
