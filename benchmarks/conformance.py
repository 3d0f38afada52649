"""Every Roman numeral of When-in-Rome, read here and by music21: ``python -m benchmarks.conformance --corpora DIR``.

Not a speed: it prints the tables of ``docs/analysis.md``. It ends with 1 if a file could not be read or a
difference has no reason in :data:`REASONS`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from symgen.corpus.romantext import Analysed, read_romantext
from symgen.errors import CorpusError
from theory.chord import NO_CHORD, Chord
from theory.errors import TheoryError
from theory.key import Key
from theory.roman import parse_roman

FOLDER = "When-in-Rome"

REASONS = (
    (r"M(7|65|43|42|2)", "notes bass", "music21 passes over M and takes the seventh of the scale"),
    (r"V[/\d]*\[b9\]", "notes", "music21 drops a bracketed alteration of a step that the chord has not"),
    (
        r"\[no\d\]",
        "bass",
        "music21 lifts a note that sounds like the omitted bass an octave, though it sounds in its place",
    ),
    (r"V7b9", "notes", "music21 reads two notes above the root, not a ninth chord with a flat ninth"),
    (r"i4#3", "notes", "music21 counts figures above the root where it asks which notes have an accidental"),
    (
        r"viio62",
        "notes root bass",
        "music21 leaves the root of a seventh degree in minor unraised where the figures are unusual",
    ),
    (r"viio64b32", "notes", "music21 raises the third of the chord along with its root"),
)
"""A pattern in the numeral, what then differs of the chord, and why; the first one that fits holds."""

Reading = tuple[frozenset[int], str, int | None]  # pitch classes, the spelled root, the bass


@dataclass(frozen=True, slots=True)
class Unread:
    """A numeral that is none, and where it stands."""

    path: Path
    line: int
    numeral: str
    why: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A numeral in a key that the two read as different chords, and how often it is written."""

    numeral: str
    key: Key
    count: int
    ours: Reading
    theirs: Reading | str

    @property
    def reason(self) -> str | None:
        """Why, if that is known."""
        if isinstance(self.theirs, str):
            return None
        parts = zip(("notes", "root", "bass"), self.ours, self.theirs, strict=True)
        differ = {name for name, here, there in parts if here != there}
        return next(
            (why for pattern, may, why in REASONS if re.search(pattern, self.numeral) and differ <= {*may.split()}),
            None,
        )


def read_files(root: Path) -> tuple[dict[Path, list[Analysed]], dict[Path, str]]:
    """Return the analyses by file, and what was wrong with the files that could not be read."""
    found: dict[Path, list[Analysed]] = {}
    failed: dict[Path, str] = {}
    for path in sorted(root.rglob("analysis*.txt")):
        try:
            found[path.relative_to(root)] = read_romantext(path)
        except CorpusError as error:
            failed[path.relative_to(root)] = str(error)
    return found, failed


def ours(numeral: str, key: Key) -> Chord | str:
    """Return the chord, or why there is none."""
    try:
        return NO_CHORD if numeral == "N.C." else parse_roman(numeral, key)
    except TheoryError as error:
        return str(error)


def theirs(numeral: str, key: Key) -> Reading | str:
    """Return what music21 reads, with the default that its reader of RomanText has for minor keys."""
    from music21.roman import Minor67Default, RomanNumeral

    cautionary = Minor67Default.CAUTIONARY
    try:
        read = RomanNumeral(numeral, _music21_key(key), sixthMinor=cautionary, seventhMinor=cautionary)
        return frozenset(read.pitchClasses), read.root().name.replace("-", "b"), read.bass().pitchClass
    except Exception as error:  # music21 has many kinds
        return f"{type(error).__name__}: {error}"


@cache
def _music21_key(key: Key) -> Any:
    from music21.key import Key as Music21Key

    return Music21Key(str(key.tonic).replace("b", "-"), key.mode)


def compare(numerals: Counter[tuple[str, Key]]) -> list[Difference]:
    """Return where the two differ, the most frequent first; what is no numeral is left out."""
    found = []
    for (numeral, key), count in numerals.items():
        chord = ours(numeral, key)
        if isinstance(chord, str) or chord.root is None:
            continue
        reading = (chord.pitch_classes, str(chord.root), chord.bass_pitch_class)
        other = theirs(numeral, key)
        if reading != other:
            found.append(Difference(numeral, key, count, reading, other))
    return sorted(found, key=lambda difference: (-difference.count, difference.numeral))


def unread(files: dict[Path, list[Analysed]]) -> list[Unread]:
    """Return the numerals that are none, each once for a line."""
    found = {}
    for path, analysis in files.items():
        for entry in analysis:
            chord = ours(entry.numeral, entry.key)
            if isinstance(chord, str):
                found[path, entry.line, entry.numeral] = Unread(path, entry.line, entry.numeral, chord)
    return list(found.values())


def lines(files: dict[Path, list[Analysed]], failed: dict[Path, str]) -> Iterable[str]:
    """Yield the report; see :func:`main` for what it judges."""
    numerals = Counter((entry.numeral, entry.key) for analysis in files.values() for entry in analysis)
    wrong = unread(files)
    texts = {entry.numeral for entry in wrong}
    n_read = sum(count for (numeral, _), count in numerals.items() if numeral not in texts)
    yield from ("| | |", "|---|--:|", f"| files | {len(files) + len(failed)} |", f"| read | {len(files)} |")
    yield f"| numerals written | {numerals.total():,} |"
    yield f"| of them read | {n_read:,} |"
    yield f"| different numerals | {len({numeral for numeral, _ in numerals}):,} |"
    yield f"| different numerals in their keys | {len(numerals):,} |"
    differences = compare(numerals)
    yield f"| read otherwise by music21 | {len(differences)} |"
    yield f"| times they are written | {sum(d.count for d in differences)} |"
    yield from ("", "| differ | written | such as | why |", "|--:|--:|---|---|")
    for reason in dict.fromkeys(d.reason for d in differences):
        group = [d for d in differences if d.reason == reason]
        such = ", ".join(f"`{d.numeral}` in {d.key}" for d in group[:2])
        yield f"| {len(group)} | {sum(d.count for d in group)} | {such} | {reason or 'UNEXPLAINED'} |"
    yield from ("", "| no numeral | where |", "|---|---|")
    for text in sorted(texts):
        yield f"| `{text}` | {'; '.join(places([entry for entry in wrong if entry.numeral == text]))} |"
    yield from (f"{path}: {why}" for path, why in failed.items())
    yield from (f"UNEXPLAINED {d}" for d in differences if d.reason is None)


def places(entries: Sequence[Unread]) -> Iterable[str]:
    """Yield each file with its lines."""
    for path in dict.fromkeys(entry.path for entry in entries):
        numbers = ", ".join(str(entry.line) for entry in entries if entry.path == path)
        yield f"{path.as_posix()}: {numbers}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conformance", description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True, help=f"folder that holds {FOLDER}")
    root = parser.parse_args(arguments).corpora / FOLDER
    files, failed = read_files(root)
    if not files:
        parser.error(f"{root}: expected files named analysis*.txt below it")
    report = list(lines(files, failed))
    print("\n".join(report))
    return 1 if failed or any("UNEXPLAINED" in line for line in report) else 0


if __name__ == "__main__":
    sys.exit(main())
