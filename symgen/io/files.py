"""Files by their content and their ending.

What a file is, is decided by its first bytes, and by its ending where those say nothing.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from symgen.errors import FileFormatError, GridError, MissingDependencyError, ScoreError
from symgen.files import write_whole
from symgen.grid import check_steps_per_quarter
from symgen.io.isolated import load_isolated
from symgen.io.limits import Limits, limits_in_force
from symgen.io.midi_reader import read_midi
from symgen.io.midi_writer import split_by_programs, write_midi
from symgen.io.music21_reader import from_music21
from symgen.io.optional import require
from symgen.io.text_check import check_text
from symgen.io.writing import Writing, writing_in_force
from symgen.score import Score

__all__ = ["SUFFIXES", "load", "read_bytes", "save"]

_FORMATS = MappingProxyType(
    {".mid": "midi", ".midi": "midi", ".musicxml": "musicxml", ".xml": "musicxml", ".mxl": "musicxml"}
    | {".abc": "abc", ".krn": "humdrum"}
)
SUFFIXES = tuple(_FORMATS)
"""The endings that can be read."""

_MAGIC = {b"MThd": "midi", b"RIFF": "midi", b"PK\x03\x04": "musicxml", b"<?xml": "musicxml", b"<score-": "musicxml"}
_WRITABLE = (".mid", ".midi", ".musicxml")
_WORDS = {"musicxml": "MusicXML", "abc": "ABC", "humdrum": "kern"}


def load(
    path: str | Path,
    *,
    steps_per_quarter: int = 12,
    limits: Limits | None = None,
    warned: Callable[[str], None] | None = None,
) -> Score:
    """Read a music file.

    Parameters
    ----------
    path
        A MIDI, MusicXML (``.musicxml``, ``.xml``, ``.mxl``), ABC or kern file.
    steps_per_quarter
        The grid; times go to its nearest step.
    limits
        What the file may ask for; those in force (:func:`symgen.io.limits.limits_in_force`) if left out.
    warned
        Called with each thing that was odd in a MIDI file and has been mended.

    Raises
    ------
    FileFormatError
        If there is no such file, or it cannot be read; one line that says what was expected.
    GridError
        If the music's bars do not fit the grid.

    Notes
    -----
    What each format loses is said in :func:`symgen.io.midi_reader.read_midi` and
    :func:`symgen.io.music21_reader.from_music21`.
    """
    check_steps_per_quarter(steps_per_quarter)
    path, limits = Path(path), limits or limits_in_force()
    data = read_bytes(path, limits)
    kind = _kind(path, data)
    if kind == "midi":
        return read_midi(data, steps_per_quarter=steps_per_quarter, name=str(path), limits=limits, warned=warned)
    if limits.load_seconds is not None:
        return load_isolated(path, steps_per_quarter=steps_per_quarter, limits=limits)
    stream = _parse(path, data, kind, limits)
    if "Opus" in stream.classSet:
        if len(stream.scores) != 1:
            _fail(path, f"{len(stream.scores)} pieces in one file: expected one; split it first")
        stream = stream.scores[0]
    if float(stream.duration.quarterLength) > limits.n_quarters:
        n_quarters = f"{float(stream.duration.quarterLength):,.0f} quarter notes long"
        _fail(path, f"{n_quarters}: expected at most {limits.n_quarters:,} (--max-quarters)")
    try:
        score = from_music21(stream, steps_per_quarter=steps_per_quarter)
    except (GridError, ScoreError) as error:
        msg = f"{path}: {error}"
        raise type(error)(msg) from error
    except MissingDependencyError:
        raise
    except Exception as error:  # what a damaged file leads music21's own methods to
        _fail(path, f"not readable as {_WORDS[kind]}: {_reason(error)}", error)
    _check_limits(path, score, limits)
    return score


def _check_limits(path: Path, score: Score, limits: Limits) -> None:
    """Refuse more than is allowed, as for MIDI files."""
    if score.n_notes > limits.n_notes:
        _fail(path, f"more than {limits.n_notes:,} notes: the limit is --max-notes")
    if len(score.tracks) > limits.n_tracks:
        _fail(path, f"more than {limits.n_tracks:,} tracks: the limit is --max-tracks")
    if score.duration_seconds > limits.seconds:
        hours = f"lasts {score.duration_seconds / 3600:,.1f} hours"
        _fail(path, f"{hours}: expected at most {limits.seconds / 3600:g} (--max-duration)")


def save(score: Score, path: str | Path, *, overwrite: bool = True) -> Path:
    """Write a score to a file, whole or not at all.

    Parameters
    ----------
    score
        The music.
    path
        Where; the ending says the format: ``.mid``, ``.midi`` or ``.musicxml``.
    overwrite
        Whether a file that is there may be replaced.

    Notes
    -----
    How, and what is written beside it, is that in force (:func:`symgen.io.writing.writing_as`).

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    FileFormatError
        If the ending is none of these, or the file is there and may not be replaced.
    OutputError
        If it cannot be written.
    """
    path, writing = Path(path), writing_in_force()
    if path.suffix.lower() not in _WRITABLE:
        _fail(path, f"expected a name that ends in {', '.join(_WRITABLE)}")
    if path.exists() and not overwrite:
        _fail(path, "exists already: expected a new name, or leave to overwrite it")
    made = [(one, place, _bytes(one, place, writing)) for one, place in _files(writing.signed(score), path, writing)]
    for one, place, data in made:
        write_whole(place, data)
        writing.wrote(one, place, data)
    return path


def _bytes(score: Score, path: Path, writing: Writing) -> bytes:
    return _musicxml(score) if path.suffix.lower() == ".musicxml" else write_midi(score, writing.midi)


def _files(score: Score, path: Path, writing: Writing) -> Iterator[tuple[Score, Path]]:
    """Yield what is written for a score: itself, in several where it needs to be split, and its stems."""
    is_midi = path.suffix.lower() != ".musicxml"
    pieces = split_by_programs(score) if writing.split and is_midi else [score]
    for number, piece in enumerate(pieces, start=1):
        place = path if number == 1 else path.with_stem(f"{path.stem}-part{number}")
        yield _noted(piece, "part", f"{number} of {len(pieces)}") if len(pieces) > 1 else piece, place
    for number, track in enumerate(score.tracks if writing.stems else (), start=1):
        name = re.sub(r"[^\w-]+", "_", track.name).strip("_")[:40]
        place = path.with_stem("-".join(filter(None, (path.stem, f"stem{number}", name))))
        yield _noted(score.with_tracks([track]), "stem", str(number)), place


def _noted(score: Score, key: str, value: str) -> Score:
    return replace(score, recipe=(*score.recipe, (key, value)))


def _fail(path: Path, what: str, cause: Exception | None = None) -> NoReturn:
    msg = f"{path}: {what}"
    raise FileFormatError(msg) from cause


def read_bytes(path: Path, limits: Limits) -> bytes:
    """Return what is in a file, refusing what is none (devices never end) and what is too long.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    try:
        if not path.exists():
            _fail(path, "no such file")
        if not path.is_file():
            _fail(path, f"{'a folder' if path.is_dir() else 'no regular file'}: expected a music file")
        if (n_bytes := path.stat().st_size) > limits.n_bytes:
            _fail(path, f"{n_bytes:,} bytes: expected a music file of at most {limits.n_bytes:,} (--max-bytes)")
        return path.read_bytes()
    except OSError as error:
        _fail(path, f"could not be read: {error.strerror or error}", error)


def _kind(path: Path, data: bytes) -> str:
    """Return what a file is: by its first bytes, else by its ending."""
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        _fail(path, "an empty file: expected music")
    named = _FORMATS.get(path.suffix.lower())
    found = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic) or text.startswith(magic)), named)
    if found is None and text.startswith((b"X:", b"**kern")):
        found = "abc" if text.startswith(b"X:") else "humdrum"
    if found is None:
        _fail(path, f"unknown kind of file: expected one that ends in {', '.join(SUFFIXES)}")
    return found


def _parse(path: Path, data: bytes, kind: str, limits: Limits) -> Any:
    """Return the music21 stream of a file."""
    text = ""
    if data.startswith(b"PK"):
        _check_archive(path, limits)
    else:
        text = _text(data)
        check_text(text, kind, str(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # music21 warns of oddities it has already mended
            converter = require("music21").converter
            if kind == "musicxml":
                stream = converter.parse(path, format=kind, forceSource=True)
            else:  # from a path, these leave the file open when they fail
                stream = converter.parseData(text, format=kind)
    except MissingDependencyError:
        raise
    except Exception as error:  # its parsers raise whatever the damage leads to
        _fail(path, f"not readable as {_WORDS[kind]}: {_reason(error)}", error)
    if not stream.recurse().notesAndRests:
        _fail(path, f"no notes in it: expected {_WORDS[kind]}")
    return stream


def _text(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return data.decode(encoding, errors="replace")


def _reason(error: Exception) -> str:
    """Return the first line of what a library says, not too long."""
    line = (str(error).splitlines() or [""])[0].strip()[:300]
    return line or type(error).__name__


def _check_archive(path: Path, limits: Limits) -> None:
    """Refuse an archive that would unpack to too much."""
    try:
        with zipfile.ZipFile(path) as archive:
            n_bytes = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        _fail(path, f"damaged: {error}", error)
    if n_bytes > limits.n_bytes:
        _fail(path, f"unpacks to {n_bytes:,} bytes: expected at most {limits.n_bytes:,} (--max-bytes)")


def _musicxml(score: Score) -> bytes:
    from symgen.io.music21_writer import write_musicxml

    return write_musicxml(score)
