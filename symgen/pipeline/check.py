"""Judging music by rules, its key and chords as it holds them or as they are found; and files by how they import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from symgen.corpus.annotate import annotate
from symgen.errors import RequestError
from symgen.io.importcheck import Finding, findings
from symgen.io.importfix import mended
from symgen.io.limits import limits_in_force
from symgen.io.raw import RawFile
from symgen.moments import audit, line_track
from symgen.pipeline.harmony import chord_changes
from symgen.pipeline.recipe import write_signed
from symgen.pipeline.rules import default_rules
from symgen.score import KeyChange, Score
from theory.audit import Violation
from theory.key import Key
from theory.progression import Progression
from theory.rules import Rule

__all__ = ["Judgement", "check", "check_import", "mend", "with_context"]

_STEPS_PER_QUARTER = 12


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found in a piece.

    Parameters
    ----------
    violations
        By rule, then by place.
    rules
        What it was judged by.
    track
        Name of the track that was taken as the line.
    context
        Where key and chords come from, in words.
    """

    violations: tuple[Violation, ...]
    rules: tuple[Rule, ...]
    track: str
    context: str


def check(
    music: Score | str | Path,
    rules: Sequence[Rule] | None = None,
    *,
    track: str | None = None,
    key: Key | str | None = None,
    chords: Progression | str | None = None,
    chord_syntax: str | None = None,
) -> Judgement:
    """Judge music by rules, whoever made it.

    Parameters
    ----------
    music
        A score, or a file by its path.
    rules
        What to judge by; the default rules for its key and chords if left out. Rules on a line judge one track, rules
        for several voices all tracks together, the highest first.
    track
        Name of the track that is the line; if left out the first that has notes and is no drums. Of notes that sound
        together the highest counts.
    key, chords, chord_syntax
        Those that hold; if left out those the music holds, and where it holds none those that are found in it.

    Raises
    ------
    FileFormatError
        If the file can't be read.
    ScoreError
        If there is no such track, or none at all.
    RequestError
        If there is nothing to judge.
    """
    from symgen import io

    score = music if isinstance(music, Score) else io.load(music, steps_per_quarter=_STEPS_PER_QUARTER)
    if not score.n_notes:
        msg = f"{'the score' if isinstance(music, Score) else music}: no notes to judge"
        raise RequestError(msg)
    line = line_track(score, track)
    if not line.notes or (track is None and line.is_drum):
        msg = f"track {line.name!r}: {'no notes' if not line.notes else 'nothing but drums'} to judge"
        raise RequestError(msg)
    score, context = with_context(score, key=key, chords=chords, chord_syntax=chord_syntax)
    asked = default_rules(score.chords, score.keys[-1].key) if rules is None else rules
    return Judgement(tuple(audit(score, asked, track=track)), tuple(asked), line.name, context)


def check_import(path: str | Path) -> tuple[Finding, ...] | None:
    """Return what in a MIDI file would import badly into other programs; ``None`` for a file of another kind.

    Raises
    ------
    FileFormatError
        If the file can't be read.
    """
    from symgen.io.files import read_bytes

    path = Path(path)
    data = read_bytes(path, limits_in_force())
    is_midi = data[:4] in (b"MThd", b"RIFF") or path.suffix.lower() in (".mid", ".midi")
    return findings(RawFile.read(data, str(path))) if is_midi else None


def mend(path: str | Path, target: str | Path) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Write a copy of a MIDI file that imports cleanly.

    Returns
    -------
    tuple of Finding
        What was found in the file.
    tuple of Finding
        What is left in the copy.

    Raises
    ------
    FileFormatError
        If the file is no MIDI file.
    """
    from symgen.io.files import read_bytes

    path, target = Path(path), Path(target)
    file = RawFile.read(read_bytes(path, limits_in_force()), str(path))
    data = write_signed(target, mended(file))
    return findings(file), findings(RawFile.read(data, str(target)))


def with_context(
    score: Score, *, key: Key | str | None, chords: Progression | str | None, chord_syntax: str | None = None
) -> tuple[Score, str]:
    """Return a score that has keys and chords, and where they come from, in words."""
    said = []
    if key is not None:
        named = Key.parse(key) if isinstance(key, str) else key
        score = replace(score, keys=(KeyChange(0, named),))
    else:
        said.append("key of the file" if score.keys else "key found in the notes")
    if chords is not None:
        home = score.keys[0].key if score.keys else None
        read = Progression.parse(chords, key=home, syntax=chord_syntax) if isinstance(chords, str) else chords
        score = replace(score, chords=chord_changes(read, score.bars))
    else:
        said.append("chords of the file" if score.chords else "chords found in the notes")
    if not (score.keys and score.chords):
        found = annotate(score)
        score = replace(score, keys=score.keys or found.keys, chords=score.chords or found.chords)
    return score, ", ".join(said)
