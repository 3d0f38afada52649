"""Shards: pieces packed into arrays on disk, to be read again in milliseconds.

A built corpus is a folder with ``index.json`` (version, grid, counts, what was skipped and why) and the
file of pieces that it names. Notes, tracks, tempos, metres, keys and chords of all pieces are rows of one long integer
table each, with an array of row offsets per table; nothing is pickled. Left out are markers, recipes and
the grouping of additive metres. ``VERSION`` rises with any change of this layout.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.errors import CorpusError
from symgen.files import write_whole
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, TempoChange, Track
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter
from theory.pitch import Spelling
from theory.scale import SCALES, scale_named, scale_semitones

__all__ = ["VERSION", "Piece", "content_digest", "load_shard", "read_index", "save_shard"]

VERSION = 2
_MODES = tuple(SCALES)
_NO_FIFTHS = 99  # stands for "no root" and "no bass of its own"
_NO_SCALE = 9999
_TABLES = ("notes", "tracks", "tempos", "meters", "keys", "chords")
_MILLI_BPM = 1000
_INDEX_ENTRIES = {"corpus", "steps_per_quarter", "digest", "n_duplicates", "skipped", "pieces"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a corpus.

    Parameters
    ----------
    name
        Where it comes from: file, and number within the file.
    corpus, style
        From the manifest.
    split
        ``train``, ``valid`` or ``test``.
    score
        The music; its first track is the melody.
    """

    name: str
    corpus: str
    style: str
    split: str
    score: Score


def content_digest(score: Score) -> str:
    """Return a digest of the notes that transposition, tempo and names do not change."""
    rows = [
        (k, note.onset_steps, note.duration_steps, note.pitch)
        for k, track in enumerate(score.tracks)
        for note in track.notes
    ]
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    if len(table):
        table[:, 3] -= table[0, 3]
        table[:, 1] -= table[:, 1].min()
    return hashlib.sha256(f"{score.steps_per_quarter}:".encode() + table.tobytes()).hexdigest()


def save_shard(folder: Path, pieces: Sequence[Piece], index: dict[str, Any]) -> None:
    """Write pieces and an index, so that at every moment the old corpus or the new one is there, whole.

    The pieces get a name of their own, the index that names them takes the place of the old one, and only
    then do the old pieces go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[tuple[int, ...]]] = {name: [] for name in _TABLES}
    offsets: dict[str, list[int]] = {name: [0] for name in _TABLES}
    names = []
    for piece in pieces:
        for name, rows in _rows_of(piece.score).items():
            tables[name] += rows
            offsets[name].append(len(tables[name]))
        track_names = [track.name for track in piece.score.tracks]
        names.append([piece.name, piece.corpus, piece.style, piece.split, piece.score.end_steps, track_names])
    arrays = {name: np.array(rows, dtype=np.int32) for name, rows in tables.items()}
    arrays |= {f"{name}_offsets": np.array(rows, dtype=np.int64) for name, rows in offsets.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    file = f"pieces-{hashlib.sha256(buffer.getvalue()).hexdigest()[:16]}.npz"
    write_whole(folder / file, buffer.getvalue())
    index = {"version": VERSION, **index, "file": file, "pieces": names}
    write_whole(folder / "index.json", json.dumps(index, ensure_ascii=False, indent=0).encode())
    for old in folder.glob("pieces*.npz"):
        if old.name != file:
            old.unlink(missing_ok=True)


def read_index(folder: Path) -> dict[str, Any]:
    """Return the index of a built corpus.

    Raises
    ------
    CorpusError
        If there is none, or another version of this package wrote it.
    """
    path = folder / "index.json"
    try:
        index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"{folder}: no built corpus there; run `symgen corpus build` first"
        raise CorpusError(msg) from None
    except (OSError, ValueError) as error:
        msg = f"{path}: not an index of a built corpus ({error}); build it again"
        raise CorpusError(msg) from None
    version = index.get("version") if isinstance(index, dict) else None
    if version != VERSION or not index.keys() >= _INDEX_ENTRIES:
        msg = f"{path}: version {version}: expected a whole index of version {VERSION}; build the corpus again"
        raise CorpusError(msg)
    return index


def load_shard(folder: Path) -> list[Piece]:
    """Return the pieces of a built corpus.

    Raises
    ------
    CorpusError
        If the folder holds no built corpus of this version, or a damaged one.
    """
    index = read_index(folder)
    try:
        with (folder / _pieces_name(index)).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return [_piece_from(arrays, i, row, index["steps_per_quarter"]) for i, row in enumerate(index["pieces"])]
    except (OSError, KeyError, ValueError, IndexError, zipfile.BadZipFile) as error:
        msg = f"{folder}: damaged ({error}); build the corpus again"
        raise CorpusError(msg) from None


def _pieces_name(index: dict[str, Any]) -> str:
    """Return the name of the file with the pieces, which may not lead out of the folder."""
    name = index.get("file", "pieces.npz")
    if not isinstance(name, str) or not re.fullmatch(r"pieces[-0-9a-f]*\.npz", name):
        msg = f"file {name!r}"
        raise ValueError(msg)
    return name


def _rows_of(score: Score) -> dict[str, list[tuple[int, ...]]]:
    return {
        "notes": [
            (k, n.onset_steps, n.duration_steps, n.pitch, n.velocity)
            for k, track in enumerate(score.tracks)
            for n in track.notes
        ],
        "tracks": [(track.program, int(track.is_drum)) for track in score.tracks],
        "tempos": [(c.onset_steps, round(c.bpm * _MILLI_BPM)) for c in score.tempos],
        "meters": [(c.onset_steps, c.meter.numerator, c.meter.denominator) for c in score.meters],
        "keys": [(c.onset_steps, c.key.tonic.fifths, _mode_number(c.key.mode)) for c in score.keys],
        "chords": [(c.onset_steps, *_chord_row(c.chord)) for c in score.chords],
    }


def _mode_number(mode: str) -> int:
    """Return the row of a scale, or the negative bits of a scale that no row has."""
    return _MODES.index(mode) if mode in _MODES else -sum(1 << s for s in scale_semitones(mode))


def _mode_of(number: int) -> str:
    if number >= 0:
        return _MODES[number]
    return scale_named("{" + ",".join(str(s) for s in range(12) if -number >> s & 1) + "}")


def _chord_row(chord: Chord) -> tuple[int, int, int, int]:
    mask = sum(1 << s for s in chord.semitones)
    root = chord.root.fifths if chord.root else _NO_FIFTHS
    bass = chord.bass.fifths if chord.bass else _NO_FIFTHS
    return root, mask, bass, _mode_number(chord.scale) if chord.scale else _NO_SCALE


def _chord_from(root: int, mask: int, bass: int, scale: int = _NO_SCALE) -> Chord:  # older corpora know no scales
    if root == _NO_FIFTHS:
        return Chord(None, ())
    semitones = tuple(s for s in range(12) if mask >> s & 1)
    named = None if scale == _NO_SCALE else _mode_of(scale)
    return Chord(Spelling(root), semitones, None if bass == _NO_FIFTHS else Spelling(bass), named)


def _piece_from(arrays: dict[str, NDArray[Any]], i: int, row: list[Any], steps_per_quarter: int) -> Piece:
    def rows(name: str) -> list[list[int]]:
        start, end = arrays[f"{name}_offsets"][i : i + 2]
        found: list[list[int]] = arrays[name][start:end].tolist()
        return found

    name, corpus, style, split, end_steps, track_names = row
    notes: list[list[Note]] = [[] for _ in track_names]
    for k, *fields in rows("notes"):
        notes[k].append(Note(*fields))
    tracks = tuple(
        Track(track_name, tuple(notes[k]), program, bool(is_drum))
        for k, (track_name, (program, is_drum)) in enumerate(zip(track_names, rows("tracks"), strict=True))
    )
    score = Score(
        steps_per_quarter,
        tracks,
        tuple(TempoChange(step, milli / _MILLI_BPM) for step, milli in rows("tempos")),
        tuple(MeterChange(step, Meter(num, den)) for step, num, den in rows("meters")),
        tuple(KeyChange(step, Key(Spelling(fifths), _mode_of(mode))) for step, fifths, mode in rows("keys")),
        tuple(ChordChange(step, _chord_from(*fields)) for step, *fields in rows("chords")),
        end_steps=end_steps,
    )
    return Piece(name, corpus, style, split, score)
