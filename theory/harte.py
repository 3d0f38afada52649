"""Harte's chord syntax, in which transcriptions are annotated: ``root:shorthand(degrees)/bass``.

Degrees count the major scale on the root: ``7`` is a major seventh, ``b7`` a minor one, and a star takes a
degree of the shorthand away. The bass is a degree too. The scale of a chord may follow in brackets.

>>> parse_harte("A:min(9)"), parse_harte("C:maj7/3"), parse_harte("C/5"), parse_harte("D:min7[dorian]")
(Chord('Amadd9'), Chord('Cmaj7/E'), Chord('C/G'), Chord('Dm7[dorian]'))
>>> [harte_of(Chord.parse(symbol)) for symbol in "C Am7 F#m7b5/A G7b9 Bb/C C5 N.C.".split()]
['C:maj', 'A:min7', 'F#:hdim7/b3', 'G:7(b9)', 'Bb:maj/2', 'C:5', 'N']

References
----------
Harte, Sandler, Abdallah and Gomez, "Symbolic representation of musical chords", ISMIR 2005.
"""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType

from theory.chord import NO_CHORD, QUALITIES, Chord, scale_text, split_scale
from theory.errors import ParseError
from theory.pitch import Spelling, spell

__all__ = ["harte_of", "parse_harte"]

_SHORTHANDS = MappingProxyType(
    {"maj": "", "min": "m", "dim": "dim", "aug": "aug", "maj7": "maj7", "min7": "m7", "7": "7", "dim7": "dim7"}
    | {"hdim7": "m7b5", "minmaj7": "mmaj7", "maj6": "6", "min6": "m6", "9": "9", "maj9": "maj9", "min9": "m9"}
    | {"sus4": "sus4", "sus2": "sus2", "5": "5", "11": "11", "13": "13"}
    | {"min11": "m11", "maj13": "maj13", "min13": "m13"}
)
_ROWS = MappingProxyType({name: frozenset(QUALITIES[suffix]) for name, suffix in _SHORTHANDS.items()})
_PRINTED_ROWS = MappingProxyType(_ROWS | {"1": frozenset({0})})
_DEGREE = r"([#b]*)(1[0-3]|[1-9])"
_SYMBOL = re.compile(rf"([A-G][#b]*)(?::(?=[a-z0-9(])([a-z0-9]*)(?:\(([^)]*)\))?)?(?:/{_DEGREE})?")
_ONE_DEGREE = re.compile(rf"(\*?){_DEGREE}")
# The number of fifths from the root to the plain (major or perfect) interval of each degree modulo 7.
_DEGREE_FIFTHS = {1: 0, 2: 2, 3: 4, 4: -1, 5: 1, 6: 3, 0: 5}
_ADDED = ("1", "b9", "9", "b3", "3", "11", "#11", "5", "b13", "13", "b7", "7")
_TAKEN = ("1", "b9", "9", "b3", "3", "11", "b5", "5", "#5", "13", "b7", "7")


def parse_harte(text: str) -> Chord:
    """Read a symbol in Harte's syntax, such as ``C:maj7/3``, ``A:min(9)`` or ``N``.

    ``X``, a chord that its transcriber could not name, is read as no chord. Degrees go up to 13.

    Raises
    ------
    ParseError
        If the text does not follow the syntax.
    """
    written, scale = split_scale(text)
    symbol = written.strip()
    if symbol in {"N", "X"} and scale is None:
        return NO_CHORD
    match = _SYMBOL.fullmatch(symbol)
    if match is None:
        raise ParseError("Harte chord", text, "root:shorthand(degrees)/bass, such as C:maj7/3")
    root = _root(match[1], text)
    semitones = _semitones(match[2], match[3], text)
    bass = _bass(root, match[4], int(match[5])) if match[5] else None
    return Chord(root, tuple(semitones), bass, scale)


def harte_of(chord: Chord) -> str:
    """Return the symbol of a chord in Harte's syntax; :func:`parse_harte` reads it as an equal one."""
    if chord.root is None:
        return "N"
    bass = f"/{_bass_degree(chord.root, chord.bass)}" if chord.bass else ""
    return f"{chord.root}:{_quality(frozenset(chord.semitones))}{bass}{scale_text(chord)}"


def _root(name: str, text: str) -> Spelling:
    try:
        return Spelling.parse(name)
    except ParseError:
        raise ParseError("root", name, "a letter with two signs at most", 1 + text.index(name)) from None


def _semitones(shorthand: str | None, degrees: str | None, text: str) -> set[int]:
    """Return what stands between the root and the bass, as semitones above the root."""
    notes = _shorthand_semitones(shorthand, text)
    for degree in filter(None, (part.strip() for part in (degrees or "").split(","))):
        match = _ONE_DEGREE.fullmatch(degree)
        if match is None:
            raise ParseError("Harte degree", degree, "a degree such as 9, b7 or *5", 1 + text.find(degree))
        semitone = _interval(match[2], int(match[3])) % 12
        notes = notes - {semitone} if match[1] else notes | {semitone}
    return notes


def _shorthand_semitones(shorthand: str | None, text: str) -> set[int]:
    if shorthand is None:
        return {0, 4, 7}
    if shorthand in {"", "1"}:
        return {0}
    if shorthand not in _ROWS:
        raise ParseError("Harte shorthand", shorthand, f"one of {', '.join(_ROWS)}", 1 + text.find(":") + 1)
    return set(_ROWS[shorthand])


def _interval(accidentals: str, degree: int) -> int:
    """Semitones above the root of a Harte degree, where a plain 7 is a major seventh."""
    return 7 * _DEGREE_FIFTHS[degree % 7] % 12 + accidentals.count("#") - accidentals.count("b")


def _bass(root: Spelling, accidentals: str, degree: int) -> Spelling:
    fifths = _DEGREE_FIFTHS[degree % 7] + 7 * (accidentals.count("#") - accidentals.count("b"))
    bass = Spelling(root.fifths + fifths)
    return bass if abs(bass.alteration) <= 2 else spell(bass.pitch_class, near=root.fifths)


def _bass_degree(root: Spelling, bass: Spelling) -> str:
    """Write the bass as a degree from 1 to 7 above the root."""
    fifths = bass.fifths - root.fifths
    alteration = (fifths + 1) // 7
    degree = next(d for d, plain in _DEGREE_FIFTHS.items() if plain == fifths - 7 * alteration) or 7
    return ("#" * alteration if alteration > 0 else "b" * -alteration) + str(degree)


@cache
def _quality(semitones: frozenset[int]) -> str:
    """Name a set of semitones: a shorthand, or the one with the fewest degrees, a taken one counting as two added."""

    def with_degrees(name: str) -> tuple[int, int, int, str]:
        row = _PRINTED_ROWS[name]
        taken, added = row - semitones, semitones - row
        degrees = [f"*{_TAKEN[s]}" for s in sorted(taken)] + [_ADDED[s] for s in sorted(added)]
        text = name + (f"({','.join(degrees)})" if degrees else "")
        return 2 * len(taken) + len(added), len(taken), -len(row), text

    return min(map(with_degrees, _PRINTED_ROWS))[-1]
