"""Chord symbols: a spelled root, the intervals above it, and a bass.

The grammar of a lead-sheet symbol is ``root [quality] [extension] [alterations] [/bass]``. It is read
left to right; parentheses, commas and spaces inside the symbol only separate, and so does a slash before a
number or ``maj7`` (``C6/9``, ``C7/13``, ``Cm/maj7``). A scale to play on the chord may be named in brackets
after it: ``Dm7[dorian]``, ``G7[{0,1,4,7,10}]``.

>>> chord = Chord.parse("F#m7b5/A")
>>> chord, sorted(chord.pitch_classes), chord.bass_pitch_class
(Chord('F#m7b5/A'), [0, 4, 6, 9], 9)
>>> Chord.parse("CM7") == Chord.parse("C△7") == Chord.parse("Cmaj7")
True
>>> Chord.parse("D-7[Dorian]"), Chord.parse("D-7[Dorian]").scale, Chord.parse("Am[harmonic minor]")
(Chord('Dm7[dorian]'), 'dorian', Chord('Am[harmonic-minor]'))
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType

from theory.errors import ParseError
from theory.pitch import Spelling, spell
from theory.scale import scale_named

__all__ = ["NO_CHORD", "QUALITIES", "Chord", "scale_text", "split_scale"]

QUALITIES = MappingProxyType(
    {
        "": (0, 4, 7),
        "m": (0, 3, 7),
        "dim": (0, 3, 6),
        "aug": (0, 4, 8),
        "5": (0, 7),
        "(b5)": (0, 4, 6),
        "sus2": (0, 2, 7),
        "sus4": (0, 5, 7),
        "6": (0, 4, 7, 9),
        "m6": (0, 3, 7, 9),
        "7": (0, 4, 7, 10),
        "maj7": (0, 4, 7, 11),
        "m7": (0, 3, 7, 10),
        "mmaj7": (0, 3, 7, 11),
        "dim7": (0, 3, 6, 9),
        "m7b5": (0, 3, 6, 10),
        "dimmaj7": (0, 3, 6, 11),
        "aug7": (0, 4, 8, 10),
        "augmaj7": (0, 4, 8, 11),
        "7b5": (0, 4, 6, 10),
        "7sus4": (0, 5, 7, 10),
        "9": (0, 2, 4, 7, 10),
        "maj9": (0, 2, 4, 7, 11),
        "m9": (0, 2, 3, 7, 10),
        "6/9": (0, 2, 4, 7, 9),
        "m6/9": (0, 2, 3, 7, 9),
        "7b9": (0, 1, 4, 7, 10),
        "7#9": (0, 3, 4, 7, 10),
        "9sus4": (0, 2, 5, 7, 10),
        "11": (0, 2, 4, 5, 7, 10),
        "m11": (0, 2, 3, 5, 7, 10),
        "13": (0, 2, 4, 5, 7, 9, 10),
        "m13": (0, 2, 3, 5, 7, 9, 10),
        "maj7#11": (0, 4, 6, 7, 11),
        "maj7b5": (0, 4, 6, 11),
        "maj7sus4": (0, 5, 7, 11),
        "mmaj9": (0, 2, 3, 7, 11),
        "maj13": (0, 2, 4, 5, 7, 9, 11),
        "7sus2": (0, 2, 7, 10),
        "13sus4": (0, 2, 5, 7, 9, 10),
        "7#11": (0, 4, 6, 7, 10),
        "7b13": (0, 4, 7, 8, 10),
        "7alt": (0, 1, 3, 4, 6, 8, 10),
        "add9": (0, 2, 4, 7),
        "madd9": (0, 2, 3, 7),
        "add11": (0, 4, 5, 7),
    }
)
"""Semitones above the root of each quality, by the suffix this project prints."""

_SUFFIXES = {frozenset(semitones): suffix for suffix, semitones in QUALITIES.items()}

# Degree of a chord member -> semitones above the root, before any alteration. An added seventh is
# major, as an added sixth is; the seventh of an extension comes from the quality.
_DEGREES = {2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11, 9: 2, 10: 3, 11: 5, 13: 9}

_BASES = (  # longest first: spelling of the quality -> (third, fifth, seventh of an extension)
    (("maj", "Maj", "major", "ma", "M", "△", "Δ", "^"), (4, 7, 11)),
    (("minmaj", "mmaj", "mMaj", "mM", "mΔ", "m△", "-Δ", "-△", "-M", "-^", "minMaj", "-maj"), (3, 7, 11)),
    (("min", "minor", "mi", "m", "-"), (3, 7, 10)),
    (("dim", "o", "°"), (3, 6, 9)),
    (("ø", "Ø", "h"), (3, 6, 10)),
    (("aug", "+"), (4, 8, 10)),
    (("dom",), (4, 7, 10)),
)
_BASE_OF = {name: base for names, base in _BASES for name in names}
_BASE_NAMES = sorted(_BASE_OF, key=len, reverse=True)

_ROOT = re.compile(r"[A-G](?:##|bb|[#♯b♭]?)")
_EXTENSION = re.compile(r"6\s*/?\s*9|13|11|9|7|6|5|2|4")
_MODIFIER = re.compile(
    r"(?P<sus>sus(?P<sus_degree>2\s*sus\s*4|24|2|4)?)"
    r"|(?P<alt>alt)"
    r"|(?P<omit>(?:omit|no))(?P<omitted>[1357])"
    r"|(?P<add>add)(?P<add_sign>[#♯b♭]?)(?P<added>13|11|9|7|6|5|4|3|2)"
    r"|(?P<major>maj|Maj|ma(?=7)|M|△|Δ|\^|[#♯+](?=7))(?P<major_degree>13|11|9|7)?"
    r"|(?P<sign>[#♯b♭+\-])(?P<altered>13|11|10|9|6|5|4)"
    r"|(?<=[79])(?P<augmented>\+)(?!\d)"
    r"|(?P<plain>13|11|9|7|6|5)"
)
_MAJOR_SEVENTH = r"(?:maj|Maj|ma|M|△|Δ|\^)\s*7"
_FILLER = re.compile(rf"(?:[\s(),]|/(?=\s*{_MAJOR_SEVENTH})|(?<=\d)/(?=[#♯b♭+\-]?(?:13|11|9|7|6|5)))+")
_NO_BASS = re.compile(rf"\s*(?:9|{_MAJOR_SEVENTH})|(?<=\d/)[#♯b♭+\-]?(?:13|11|9|7|6|5)")
_SCALE = re.compile(r"\s*\[([^\[\]|]*)\]\s*")
_NO_CHORD_TEXTS = frozenset({"N.C.", "NC", "N", "n.c.", "N.C"})
_EXPECTED = "a chord symbol such as C, Am, F#m7b5, Bb/D, G7(b9) or N.C."


@dataclass(frozen=True, slots=True, repr=False)
class Chord:
    """A chord: a root, the notes above it, and the bass.

    Parameters
    ----------
    root
        The spelled root; ``None`` means that no chord sounds (``N.C.``).
    semitones
        Pitch classes above the root, ascending; 0 is the root itself.
    bass
        The spelled bass note; ``None`` means the root.
    scale
        The name of the scale to play on the root, as :func:`theory.scale.scale_named` has it; ``None`` leaves
        it to the key. It is no part of the chord's notes.
    """

    root: Spelling | None
    semitones: tuple[int, ...] = (0, 4, 7)
    bass: Spelling | None = None
    scale: str | None = None

    def __post_init__(self) -> None:
        ordered = tuple(sorted({s % 12 for s in self.semitones})) if self.root else ()
        object.__setattr__(self, "semitones", ordered)
        if self.root is None or (self.bass is not None and self.bass.pitch_class == self.root.pitch_class):
            object.__setattr__(self, "bass", None)
        scale = scale_named(self.scale) if self.scale is not None and self.root else None
        object.__setattr__(self, "scale", scale)

    @classmethod
    def parse(cls, text: str) -> Chord:
        """Read a lead-sheet symbol.

        Parameters
        ----------
        text
            Such as ``Cmaj7``, ``F#m7b5``, ``Bb/D``, ``G7(b9)``, ``Dm7[dorian]`` or ``N.C.``.

        Raises
        ------
        ParseError
            Naming the part that could not be read and its column.
        """
        written, scale = split_scale(text)
        symbol = written.strip()
        if symbol in _NO_CHORD_TEXTS and scale is None:
            return NO_CHORD
        match = _ROOT.match(symbol)
        if match is None:
            raise ParseError("chord", text, _EXPECTED)
        offset = text.index(symbol) + match.end()
        suffix, slash, bass_text = _split_bass(symbol[match.end() :])
        semitones = _read_suffix(suffix, offset)
        bass = _read_bass(bass_text, offset + len(suffix) + 1) if slash else None
        return cls(Spelling.parse(match[0]), tuple(semitones), bass, scale)

    @property
    def is_none(self) -> bool:
        """Whether no chord sounds."""
        return self.root is None

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The pitch classes of the chord, its bass included; empty for no chord."""
        return _pitch_classes(self)

    @property
    def bass_pitch_class(self) -> int | None:
        """The pitch class of the lowest note; ``None`` for no chord."""
        lowest = self.bass or self.root
        return None if lowest is None else lowest.pitch_class

    @property
    def suffix(self) -> str:
        """What is printed after the root: a row of :data:`QUALITIES`, or such a row with additions."""
        return _suffix_of(frozenset(self.semitones))

    def transposed(self, semitones: int, near: int = 0) -> Chord:
        """Return the chord moved by ``semitones``, spelled near a place on the line of fifths."""
        if self.root is None:
            return self
        root = spell(self.root.pitch_class + semitones, near)
        bass = spell(self.bass.pitch_class + semitones, near) if self.bass else None
        return Chord(root, self.semitones, bass, self.scale)

    def __str__(self) -> str:
        """Return the lead-sheet symbol; reading it again gives an equal chord."""
        if self.root is None:
            return "N.C."
        return f"{self.root}{self.suffix}" + (f"/{self.bass}" if self.bass else "") + scale_text(self)

    def __repr__(self) -> str:
        """Return a short form for debugging."""
        return f"Chord({str(self)!r})"


@lru_cache(maxsize=1 << 12)  # asked for every note under every rule
def _pitch_classes(chord: Chord) -> frozenset[int]:
    if chord.root is None:
        return frozenset()
    bass = {chord.bass.pitch_class} if chord.bass else set()
    return frozenset((chord.root.pitch_class + s) % 12 for s in chord.semitones) | bass


def split_scale(text: str) -> tuple[str, str | None]:
    """Split the scale in brackets off the end of a symbol of any syntax; return its name, or ``None``.

    Raises
    ------
    ParseError
        If the brackets hold no scale.
    """
    cut = text.rfind("[")
    match = _SCALE.fullmatch(text, cut) if cut > 0 else None
    if match is None:
        return text, None
    try:
        return text[:cut], scale_named(match[1])
    except ParseError as error:
        raise error.shifted(match.start(1)) from None


def scale_text(chord: Chord) -> str:
    """Return the scale of a chord in brackets, as one word, or nothing."""
    return f"[{chord.scale.replace(' ', '-')}]" if chord.scale else ""


def _split_bass(rest: str) -> tuple[str, str, str]:
    """Split at the slash of a bass note, which the slashes of ``6/9`` and ``m/maj7`` are not."""
    cut = rest.rfind("/")
    if cut < 0 or _NO_BASS.match(rest, cut + 1):
        return rest, "", ""
    return rest[:cut], "/", rest[cut + 1 :]


def _read_bass(text: str, offset: int) -> Spelling:
    name = text.strip().rstrip(")")
    if not _ROOT.fullmatch(name):
        column = offset + len(text) - len(text.lstrip()) + 1
        raise ParseError("bass note", name, "a note name after the slash, such as C/E", column)
    return Spelling.parse(name)


def _read_suffix(suffix: str, offset: int) -> set[int]:
    """Return the semitones above the root that the text after a root stands for."""
    position = len(suffix) - len(suffix.lstrip(" ("))
    name = next((n for n in _BASE_NAMES if _is_base(suffix, position, n)), "")
    third, fifth, seventh = _BASE_OF.get(name, (4, 7, 10))
    position += len(name)
    notes = {0, third, fifth}
    if name in {"ø", "Ø", "h"}:
        notes.add(seventh)
    opening = _FILLER.match(suffix, position)
    position = opening.end() if opening else position
    if third == 3 and (major := re.compile(r"(?:maj|Maj|ma|M|△|Δ|\^)(?=7|9|11|13|\)|$)").match(suffix, position)):
        seventh, position = 11, major.end()
        name = "minmaj"
    if name in {"△", "Δ", "^", "minmaj"} or name.endswith(("Δ", "△", "^")):
        notes.add(11)
    extension = _EXTENSION.match(suffix, position)
    if extension:
        _extend(notes, extension[0].replace(" ", ""), seventh)
        position = extension.end()
    _modify(notes, suffix, position, offset)
    return notes


def _is_base(suffix: str, position: int, name: str) -> bool:
    """Whether a quality's name stands here, and not the start of ``omit``, ``-5`` or ``m`` + ``add9``."""
    if not suffix.startswith(name, position) or suffix.startswith("omit", position):
        return False
    following = suffix[position + len(name) :]
    return not (name in {"+", "-"} and following.startswith("5")) and not (name == "ma" and following.startswith("dd"))


def _extend(notes: set[int], extension: str, seventh: int) -> None:
    """Add what a bare number after the quality stands for."""
    if extension in {"6/9", "69"}:
        notes |= {9, 2}
    elif extension == "6":
        notes.add(9)
    elif extension == "5":
        notes -= {3, 4}
    elif extension in {"2", "4"}:
        notes.add(_DEGREES[int(extension)])
    else:
        notes.add(seventh)
        notes.update({"9": (2,), "11": (2, 5), "13": (2, 5, 9)}.get(extension, ()))


def _modify(notes: set[int], suffix: str, position: int, offset: int) -> None:
    """Apply the alterations, additions and omissions that stand after the extension, in place."""
    while position < len(suffix):
        filler = _FILLER.match(suffix, position)
        if filler:
            position = filler.end()
            continue
        match = _MODIFIER.match(suffix, position)
        if match is None:
            expected = "b5, #5, b9, #9, #11, b13, maj7, add9, sus4, omit3 or alt there"
            raise ParseError("chord quality", suffix[position:], expected, offset + position + 1)
        _apply(notes, match)
        position = match.end()


def _apply(notes: set[int], match: re.Match[str]) -> None:
    group = match.groupdict()
    if group["sus"]:
        notes -= {3, 4}
        notes |= {"2": {2}, "24": {2, 5}}.get(re.sub(r"sus|\s", "", group["sus_degree"] or "4"), {5})
        if (group["sus_degree"] or "").startswith("2") and "4" in group["sus_degree"]:
            notes |= {2, 5}
    elif group["alt"]:
        notes -= {7}
        notes |= {10, 6, 8, 1, 3}
    elif group["omit"]:
        notes -= {"1": {0}, "3": {3, 4}, "5": {6, 7, 8}, "7": {9, 10, 11}}[group["omitted"]]
    elif group["add"]:
        notes.add((_DEGREES[int(group["added"])] + _sign(group["add_sign"])) % 12)
    elif group["major"]:
        notes -= {10}
        notes.add(11)
        notes |= {"9": {2}, "11": {2, 5}, "13": {2, 5, 9}}.get(group["major_degree"] or "", set())
    elif group["augmented"]:
        notes -= {7}
        notes.add(8)
    elif group["sign"]:
        degree = int(group["altered"])
        natural = _DEGREES[degree]
        notes -= {natural} if degree not in (4, 6, 10) else set()
        notes.add((natural + _sign(group["sign"])) % 12)
    else:
        degree = int(group["plain"])
        notes.add(10 if degree == 7 else _DEGREES[degree])


def _sign(text: str) -> int:
    if not text:
        return 0
    return 1 if text in "#♯+" else -1


_ADDED = MappingProxyType(
    {1: "addb9", 2: "add9", 3: "addb3", 4: "add3", 5: "add11", 6: "add#11"}
    | {7: "add5", 8: "addb13", 9: "add13", 10: "addb7", 11: "add7"}
)
_OMITTED = MappingProxyType({0: "omit1", 3: "omit3", 4: "omit3", 6: "omit5", 7: "omit5", 8: "omit5"})


@cache
def _suffix_of(semitones: frozenset[int]) -> str:
    """Name a set of semitones: a row of the table, or the nearest row with ``add`` and ``omit``."""
    if semitones in _SUFFIXES:
        return _SUFFIXES[semitones]
    # Nobody adds a seventh: 7(add13), not 6(addb7).
    return min(_suffixes_with_changes(semitones), key=lambda s: (s.count("("), s.endswith("7)"), len(s), s))


def _suffixes_with_changes(semitones: frozenset[int]) -> list[str]:
    found = []
    for row, suffix in [*_SUFFIXES.items(), (frozenset({0}), "5(omit5)")]:
        extra, missing = semitones - row, row - semitones
        if all(s in _OMITTED for s in missing):
            changes = [_OMITTED[s] for s in sorted(missing)] + [_ADDED[s] for s in sorted(extra - {0})]
            candidate = suffix + "".join(f"({change})" for change in changes)
            if _read_suffix(candidate, 0) == semitones:
                found.append(candidate)
    return found


NO_CHORD = Chord(None, ())
"""No chord sounds, written ``N.C.``"""
