"""Readers: from the files of a corpus to scores.

A reader first lists *sources* (a file, or one work inside a file: small, so that they can be sent to
other processes) and then reads one source into scores. The first track of a score is its melody.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symgen.corpus.manifest import CorpusEntry, corpus_path
from symgen.errors import CorpusError
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, Track
from theory.errors import TheoryError
from theory.harte import parse_harte
from theory.key import Key
from theory.meter import Meter

__all__ = ["MUSIC_SUFFIXES", "Source", "files_digest", "list_sources", "read_source"]

MUSIC_SUFFIXES = frozenset({".mid", ".midi", ".xml", ".mxl", ".musicxml", ".abc", ".krn"})
"""Files that a folder of music is searched for."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a corpus, or a part of one.

    Parameters
    ----------
    reader
        Which function reads it.
    path
        The file.
    part
        What inside the file, where one file holds many pieces.
    split
        The split the corpus itself assigns, or empty.
    """

    reader: str
    path: Path
    part: str = ""
    split: str = ""

    @property
    def name(self) -> str:
        """A short name: the file, and the part in it."""
        return f"{self.path.name}#{self.part}" if self.part else self.path.name


def list_sources(entry: CorpusEntry) -> list[Source]:
    """Return the sources of a corpus, in a fixed order.

    Raises
    ------
    CorpusError
        If the corpus is not there, or is empty.
    """
    found = list(_LISTERS[entry.reader](entry))
    if not found:
        msg = f"corpus {entry.name!r}: no readable files in {entry.source}"
        raise CorpusError(msg)
    return found


def files_digest(sources: list[Source]) -> str:
    """Return a digest of the files of a corpus that their names and places do not change."""
    paths = {source.path for source in sources}
    digests = sorted(hashlib.sha256(path.read_bytes()).digest() for path in paths if os.access(path, os.R_OK))
    return hashlib.sha256(b"".join(digests)).hexdigest()[:16]


def read_source(source: Source, *, steps_per_quarter: int) -> list[Score | Exception]:
    """Return the scores of a source; in the place of a piece that can't be read stands what was wrong."""
    return _READERS[source.reader](source, steps_per_quarter)


def _list_folder(entry: CorpusEntry) -> Iterator[Source]:
    for path in sorted(corpus_path(entry).rglob("*")):
        if path.suffix.lower() in MUSIC_SUFFIXES and path.is_file():
            yield Source("file", path)


def _list_music21(entry: CorpusEntry) -> Iterator[Source]:
    from music21 import corpus

    for path in sorted(corpus.getComposer(entry.source)):
        if Path(path).suffix.lower() in MUSIC_SUFFIXES:
            yield Source("music21", Path(path))


def _list_music21_chorales(entry: CorpusEntry) -> Iterator[Source]:
    """List the works of the composer that the catalogue counts among the chorales."""
    from music21 import corpus

    names = {str(name).rpartition("/")[2] for name in corpus.chorales.Iterator(returnType="filename")}
    for path in sorted(corpus.getComposer(entry.source)):
        if Path(path).stem in names:
            yield Source("music21", Path(path))


def _list_pop909(entry: CorpusEntry) -> Iterator[Source]:
    for folder in sorted(corpus_path(entry).iterdir()):
        if folder.is_dir() and folder.name.isdecimal():
            yield Source("pop909", folder / f"{folder.name}.mid")


def _list_jsb(entry: CorpusEntry) -> Iterator[Source]:
    path = corpus_path(entry)
    for split, pieces in json.loads(path.read_text(encoding="utf-8")).items():
        for number in range(len(pieces)):
            yield Source("jsb", path, f"{split}/{number}", split)


def _read_file(source: Source, steps_per_quarter: int) -> list[Score | Exception]:
    """Read MIDI through the fast reader, and everything else through music21 (a file may hold many tunes)."""
    if source.path.suffix.lower() in {".mid", ".midi"}:
        from symgen import io

        return [io.load(source.path, steps_per_quarter=steps_per_quarter)]
    return _read_music21(source, steps_per_quarter)


def _read_music21(source: Source, steps_per_quarter: int) -> list[Score | Exception]:
    from music21 import converter, stream

    from symgen.io.adapters import from_music21

    read: list[Score | Exception] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # music21 warns of oddities it has already mended
        parsed = converter.parse(source.path, forceSource=True)
        works = list(parsed.scores) if isinstance(parsed, stream.Opus) else [parsed]
        for work in works:
            try:
                read.append(from_music21(work, steps_per_quarter=steps_per_quarter))
            except Exception as error:  # one bad tune must not cost the book it is in
                read.append(error)
    return read


def _read_jsb(source: Source, steps_per_quarter: int) -> list[Score | Exception]:
    """Read four voices of sixteenths; the file does not tell a held note from a repeated one."""
    if steps_per_quarter % 4:
        msg = f"grid: {steps_per_quarter} steps a quarter: expected a multiple of 4 for music in sixteenths"
        raise CorpusError(msg)
    split, number = source.part.split("/")
    voices = np.array(json.loads(source.path.read_text(encoding="utf-8"))[split][int(number)])
    steps = steps_per_quarter // 4
    tracks = []
    for name, column in zip(("Soprano", "Alto", "Tenor", "Bass"), voices.T, strict=True):
        starts = np.flatnonzero(np.diff(column, prepend=-1))
        ends = np.append(starts[1:], len(column))
        spans = zip(starts.tolist(), ends.tolist(), strict=True)
        notes = [Note(a * steps, (b - a) * steps, int(column[a])) for a, b in spans if column[a] > 0]
        tracks.append(Track(name, tuple(notes)))
    return [Score(steps_per_quarter, tuple(tracks), end_steps=len(voices) * steps)]


def _read_pop909(source: Source, steps_per_quarter: int) -> list[Score | Exception]:
    """Read one song: its notes follow the annotated beats, which the file's own tempo does not.

    Bars start at the annotated downbeats; the metre is the most common number of beats between them.
    """
    import symusic

    folder = source.path.parent
    beats = np.loadtxt(folder / "beat_midi.txt", ndmin=2)
    downbeats = np.flatnonzero(beats[:, 2])
    beats_per_bar = int(np.bincount(np.diff(downbeats)).argmax())
    first_downbeat = int(downbeats[0])
    lead = -first_downbeat % beats_per_bar
    beat_numbers = (np.arange(len(beats)) + lead).astype(np.float64)

    def step_of(seconds: Any) -> Any:
        """Interpolate between beats; before the first and after the last the nearest beat's length goes on."""
        times = beats[:, 0]
        inside = np.interp(seconds, times, beat_numbers)
        before = beat_numbers[0] + (seconds - times[0]) / (times[1] - times[0])
        after = beat_numbers[-1] + (seconds - times[-1]) / (times[-1] - times[-2])
        found = np.where(seconds < times[0], before, np.where(seconds > times[-1], after, inside))
        return np.maximum(np.rint(found * steps_per_quarter), 0).astype(np.int64)

    midi: Any = symusic.Score(str(source.path), ttype="second")
    tracks = [_pop909_track(track, step_of) for track in midi.tracks]
    chords = _pop909_chords(folder / "chord_midi.txt", step_of)
    keys = _pop909_keys(folder / "key_audio.txt", step_of)
    meters = (MeterChange(0, Meter(beats_per_bar, 4)),)
    return [Score(steps_per_quarter, tuple(tracks), meters=meters, chords=chords, keys=keys)]


def _pop909_track(track: Any, step_of: Callable[[Any], Any]) -> Track:
    arrays = track.notes.numpy()
    onsets = step_of(arrays["time"])
    ends = np.maximum(step_of(arrays["time"] + arrays["duration"]), onsets + 1)
    columns = (onsets, ends - onsets, arrays["pitch"], np.clip(arrays["velocity"], 1, 127))
    notes = [Note(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return Track(track.name.strip() or "Track", tuple(notes), track.program)


def _pop909_chords(path: Path, step_of: Callable[[Any], Any]) -> tuple[ChordChange, ...]:
    changes: dict[int, ChordChange] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        start, _, label = line.split()
        try:
            chord = parse_harte(label)
        except TheoryError:
            continue  # a handful of labels break the syntax; the chord before goes on
        step = int(step_of(np.float64(start)))
        changes[step] = ChordChange(step, chord)
    return tuple(changes[step] for step in sorted(changes))


def _pop909_keys(path: Path, step_of: Callable[[Any], Any]) -> tuple[KeyChange, ...]:
    """Read the keys, timed against the audio, whose seconds are the file's; the first holds from the start."""
    changes: dict[int, KeyChange] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        start, _, label = line.split()
        tonic, _, mode = label.partition(":")
        step = int(step_of(np.float64(start))) if changes else 0
        changes[step] = KeyChange(step, Key.parse(f"{tonic}:{mode}"))
    return tuple(changes[step] for step in sorted(changes))


_LISTERS: dict[str, Callable[[CorpusEntry], Iterator[Source]]] = {
    "folder": _list_folder,
    "music21": _list_music21,
    "music21-chorales": _list_music21_chorales,
    "pop909": _list_pop909,
    "jsb": _list_jsb,
}
_READERS: dict[str, Callable[[Source, int], list[Score | Exception]]] = {
    "file": _read_file,
    "music21": _read_music21,
    "pop909": _read_pop909,
    "jsb": _read_jsb,
}
