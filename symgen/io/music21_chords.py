"""Chord symbols as music21 and MusicXML hold them: a root, a kind, changes of degrees, a bass.

Figures are not parsed: the parts say it all, at a fraction of the time.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from symgen.io.optional import require
from theory.chord import NO_CHORD, Chord, scale_text, split_scale
from theory.errors import TheoryError
from theory.pitch import Spelling

__all__ = ["from_symbol", "music21_name", "spelling_of", "to_symbol"]

_MAJOR_SCALE = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11}
# Semitones above the root -> the degree and its alteration that add them, and the degree that removes them.
_ADDED = {1: (9, -1), 2: (9, 0), 3: (9, 1), 4: (3, 0), 5: (11, 0), 6: (11, 1), 7: (5, 0), 8: (13, -1), 9: (13, 0)}
_ADDED |= {10: (7, 0), 11: (7, 1)}
_DEGREE = {0: 1, 1: 9, 2: 9, 3: 3, 4: 3, 5: 11, 6: 5, 7: 5, 8: 5, 9: 13, 10: 7, 11: 7}
_COMMON_KINDS = ("major", "minor", "dominant-seventh", "minor-seventh", "major-seventh")
_SPARE_KINDS = frozenset({"Neapolitan", "Italian", "French", "German", "Tristan", "pedal"})


def spelling_of(pitch: Any) -> Spelling:
    """Return the spelling of a music21 pitch."""
    return Spelling.from_letter(pitch.step, round(pitch.alter))


def music21_name(spelling: Spelling) -> str:
    """Return a note name as music21 writes it, with ``-`` for a flat.

    >>> music21_name(Spelling.parse("Bb"))
    'B-'
    """
    return str(spelling).replace("b", "-")


def from_symbol(symbol: Any) -> Chord | None:
    """Read a chord symbol from its root, kind, degrees and bass; ``None`` if that says nothing."""
    music21 = require("music21")
    harmony = music21.harmony
    if "NoChord" in symbol.classSet:
        return NO_CHORD
    kind = harmony.CHORD_ALIASES.get(symbol.chordKind, symbol.chordKind)
    try:
        root = symbol.root()
    except music21.chord.ChordException:  # a symbol that music21 could not read has no notes to find it in
        return None
    if root is None or kind not in harmony.CHORD_TYPES:
        return None
    semitones = set(_kind_semitones(kind))
    for change in symbol.chordStepModifications:
        _modify(semitones, change)
    bass = symbol.bass()
    return Chord(spelling_of(root), tuple(semitones), None if bass is None else spelling_of(bass), _scale(symbol))


def _scale(symbol: Any) -> str | None:
    """Return the scale that the printed text of a symbol names in brackets, if it does."""
    try:
        return split_scale(f"C{symbol.chordKindStr or ''}")[1]
    except TheoryError:
        return None


@cache
def _kind_semitones(kind: str) -> frozenset[int]:
    """Return the semitones above the root of one of music21's chord kinds."""
    degrees = str(require("music21").harmony.CHORD_TYPES[kind][0]).split(",")
    return frozenset(_degree_semitones(degree) for degree in degrees)


def _degree_semitones(degree: str) -> int:
    """Return the semitones above the root of a degree such as ``-7`` or ``#11``, as music21 writes them."""
    number = (int(degree.lstrip("#-")) - 1) % 7 + 1
    return (_MAJOR_SCALE[number] + degree.count("#") - degree.count("-")) % 12


def _modify(semitones: set[int], change: Any) -> None:
    """Add, alter or remove a degree, in place.

    As MusicXML has it, an addition is measured from the dominant chord, whose seventh is minor, and all
    else from the degree that the chord has. An altered fifth takes the fifth's place even where it is
    called an addition, as in ``m7b5``.
    """
    number = (change.degree - 1) % 7 + 1
    plain = _MAJOR_SCALE[number] - (number == 7)
    alteration = change.interval.semitones if change.interval is not None else 0
    is_addition = change.modType == "add" and not (number == 5 and alteration)
    member = None if is_addition else _member(semitones, number, plain)
    if member is not None:
        semitones.discard(member)
    if change.modType != "subtract":
        base = plain if member is None or change.modType == "add" else member
        semitones.add((base + alteration) % 12)


def _member(semitones: set[int], number: int, plain: int) -> int | None:
    """Return how a chord has a degree: plain, raised or lowered."""
    likely = (plain, plain + 1, plain - 1) if number in (4, 7) else (plain, plain - 1, plain + 1)
    return next((s for s in likely if s in semitones and (s > 0 or number == 1)), None)


def to_symbol(chord: Chord) -> Any:
    """Return a chord as a symbol; :func:`from_symbol` gives it back."""
    harmony = require("music21").harmony
    if chord.root is None:
        return harmony.NoChord()
    kind, added, removed = _kind(chord.semitones)
    bass = music21_name(chord.bass) if chord.bass else None
    text = chord.suffix + scale_text(chord)
    symbol = harmony.ChordSymbol(root=music21_name(chord.root), bass=bass, kind=kind, kindStr=text)
    changes = [("subtract", _DEGREE[s], 0) for s in removed] + [("add", *_ADDED[s]) for s in added]
    for change in changes:
        symbol.addChordStepModification(harmony.ChordStepModification(*change), updatePitches=False)
    return symbol


@cache
def _kind(semitones: tuple[int, ...]) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    """Return the nearest kind of MusicXML, and what is to be added to it and removed from it."""
    wanted = set(semitones)
    kinds = [kind for kind in require("music21").harmony.CHORD_TYPES if kind not in _SPARE_KINDS]
    kinds.sort(key=lambda kind: kind not in _COMMON_KINDS)
    nearest = min(kinds, key=lambda kind: len(_kind_semitones(kind) ^ wanted))
    has = _kind_semitones(nearest)
    return nearest, tuple(sorted(wanted - has)), tuple(sorted(has - wanted))
