"""Roman numerals: chords named by their degree in a key.

The grammar is RomanText's, read left to right:
``[accidental] numeral [quality] [figured bass] [sus] [changes] [/ numeral of the local key]``.

- Case is quality: ``V`` is major, ``v`` minor; ``o`` diminished, ``ø`` (or ``/o``) half-diminished, ``+``
  augmented. Thirds and fifths follow it; sevenths and above are the scale's own, save that a small numeral
  never has a major seventh. ``d`` before the figures asks for a dominant seventh, ``M`` or ``maj`` for a
  major one.
- The first accidental moves the root from its place in the key. In minor the root of ``vi``, ``vii``,
  ``viio`` and ``viiø`` is the raised degree, that of ``VI`` and ``VII`` the lowered one; ``#vii`` and ``bVI``
  only remind of it. This is what RomanText files mean (music21's ``Minor67Default.CAUTIONARY``), and what
  ``Minor67Default.QUALITY`` means wherever there is no accidental.
- Figures are a bass with accidentals relative to the scale: ``6 64 7 65 43 42 2 9``, also ``6/5`` and ``54``.
- ``N`` is ``bII6``, ``Cad64`` the tonic's six-four; ``It6 Ger65 Fr43 Sw43`` have the raised fourth degree
  for a root (``Fr`` the second), as a stack of thirds puts it.
- Changes are ``[no3] [add9] [b9]``, degrees above the root as the scale has them; parentheses do as well, and
  ``add9`` and ``no3`` may stand bare. ``[bassb7]`` is ours: a bass that no figure can say, as an interval
  above the root. The scale of a chord may stand in brackets at the end: ``ii7[dorian]``.

>>> [str(parse_roman(numeral, Key.parse("C"))) for numeral in "V7/V bVI iiø65 Cad64 N6".split()]
['D7', 'Ab', 'Dm7b5/F', 'C/G', 'Db/F']
>>> roman_of(Chord.parse("G#dim7"), Key.parse("A minor"))
'viio7'

References
----------
Tymoczko, Gotham, Cuthbert and Ariza, "The RomanText format", ISMIR 2019.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType

from theory.chord import NO_CHORD, Chord, scale_text, split_scale
from theory.errors import ParseError
from theory.key import Key
from theory.pitch import Spelling
from theory.scale import SCALES

__all__ = ["parse_roman", "roman_of"]

_EXPECTED = "a Roman numeral such as I, V65, viio7, bVI, iiø43, V7/vi, Ger65, N6 or Cad64"
_EXPECTED_REST = "figures such as 6, 64, 7, 65, 43 or 42, then [no3], [add9], [b9], sus4 or / and a numeral there"

_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")
_SIGNS = "#♯b♭-"
_APPLIED = re.compile(rf"/(?=[{_SIGNS}]*[IViNGFSC]|[{_SIGNS}]*v)")
_HEAD = re.compile(
    rf"(?P<front>[{_SIGNS}]*)"
    r"(?P<name>It|Ger|Fr|Sw|Cad6/?4(?=$|[/\[(an])|N|VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)"
    r"(?P<sign>/o|[oø°ºØ0+])?"
    r"(?P<seventh>maj|M|Δ|d)?"
    rf"(?P<figures>[{_SIGNS}]*(?:1[13]|[2-79])(?:/?[{_SIGNS}]*(?:1[13]|[2-79]))*)?"
    r"(?P<sus>sus[24]?)?"
)
_FIGURE = re.compile(rf"([{_SIGNS}]*)(1[13]|[2-79])")
_BARE = rf"(?:no[1-9]|add[{_SIGNS}]*(?:1[0-5]|[1-9]))"
_ITEM = rf"(?:{_BARE}|bass[{_SIGNS}]*[1-7]|[{_SIGNS}]+(?:1[0-5]|[1-9]))"
_CHANGE = re.compile(rf"\[{_ITEM}+\]|\({_ITEM}+\)|{_BARE}")
_CHANGED_END = re.compile(rf".*\[(?:no|add|bass|[{_SIGNS}]*\d)[^\[\]]*\]\s*", re.DOTALL)
_CHANGE_PART = re.compile(rf"(no|add|bass|)([{_SIGNS}]*)(\d+)")

_MAJOR = SCALES["major"]
_DEGREE_FIFTHS = (0, 2, 4, -1, 1, 3, 5)  # from the tonic to each degree of the major scale

_QUALITIES = MappingProxyType(
    {"upper": {3: 4, 5: 7}, "lower": {3: 3, 5: 7}, "+": {3: 4, 5: 8}, "o": {3: 3, 5: 6, 7: 9}, "ø": {3: 3, 5: 6, 7: 10}}
)
"""Semitones above the root that a quality fixes, by step; the other steps are the scale's."""

_SAME_SIGN = MappingProxyType({"°": "o", "º": "o", "0": "o", "/o": "ø", "Ø": "ø"})

_LONGHAND = MappingProxyType(
    {(): (5, 3), (5,): (5, 3), (3,): (5, 3), (6,): (6, 3), (7,): (7, 5, 3), (9,): (9, 7, 5, 3)}
    | {(9, 7): (9, 7, 5, 3), (11,): (11, 9, 7, 5, 3), (13,): (13, 11, 9, 7, 5, 3)}
    | {(6, 5): (6, 5, 3), (4, 3): (6, 4, 3), (4, 2): (6, 4, 2), (2,): (6, 4, 2)}
)
"""The numbers that usual short figures stand for."""

_ROOT_NUMBERS = MappingProxyType(
    {(6, 3): 6, (6, 4): 4, (6, 5, 3): 6, (6, 4, 3): 4, (6, 4, 2): 2}
    | {(7, 6, 5, 3): 6, (6, 5, 4, 3): 4, (6, 4, 3, 2): 2}
)
"""Which number above the bass is the root; with any other figures the bass is."""

_SIXTHS = MappingProxyType(  # name -> degree, usual figures, the steps raised above the minor scale
    {"It": (4, "6", (1,)), "Ger": (4, "65", (1,)), "Fr": (2, "43", (3,)), "Sw": (2, "43", (1, 3))}
)

_FIGURES = MappingProxyType(  # how many notes -> step of the bass -> figures
    {
        3: {1: "", 3: "6", 5: "64"},
        4: {1: "7", 3: "65", 5: "43", 7: "42"},
        5: {1: "9", 3: "7653", 5: "6543", 7: "6432"},
    }
)
_ROWS = (  # what is printed: case, quality, number of notes, suspension; the plainer first
    *((True, "", 3, ""), (False, "", 3, ""), (False, "o", 3, ""), (True, "+", 3, "")),
    *((True, "", 4, ""), (False, "", 4, ""), (False, "o", 4, ""), (False, "ø", 4, "")),
    *((True, "M", 4, ""), (True, "d", 4, ""), (False, "M", 4, ""), (True, "+", 4, ""), (True, "+M", 4, "")),
    *((True, "", 5, ""), (False, "", 5, ""), (True, "M", 5, ""), (True, "d", 5, "")),
    *((True, "", 3, "sus4"), (True, "", 3, "sus2"), (True, "", 4, "sus4"), (True, "d", 4, "sus4")),
)
_CHANGED_ROWS = tuple(row for row in _ROWS if row[2] < 5 and not row[3])
_STEP_OF = MappingProxyType({0: 1, 3: 3, 4: 3, 6: 5, 7: 5, 8: 5, 9: 7, 10: 7, 11: 7})
_TARGETS = MappingProxyType({False: ("V", "ii", "vi", "IV", "iii"), True: ("V", "iv", "III", "VI", "VII", "ii")})
_PRINTED_SIXTHS = ("It6", "Ger65", "Fr43", *("It53", "It64", "Ger7", "Ger43", "Ger42", "Fr7", "Fr65", "Fr42"))


@dataclass(frozen=True, slots=True)
class _Numeral:
    """What stands before the changes: a degree of a key, how it is altered, and figures.

    ``fixed`` maps steps above the root to semitones; ``raised`` are the steps an augmented sixth raises.
    """

    key: Key
    degree: int
    front: int
    fixed: dict[int, int]
    figures: str
    raised: tuple[int, ...] = ()

    def scale_note(self, step: int, alteration: int = 0) -> Spelling:
        """Return the note a number of scale steps above the unaltered root; 1 is the root itself."""
        return _degree(self.key, self.degree + step - 1, alteration)


@dataclass(frozen=True, slots=True)
class _Change:
    """A step above the root (9 is 2) that is altered, left out, added or put into the bass."""

    kind: str
    sign: int
    step: int


def parse_roman(text: str, key: Key) -> Chord:
    """Read a Roman numeral in a key.

    Parameters
    ----------
    text
        Such as ``V65/ii``, ``bVII`` or ``V7[no3][add4]``; ``N.C.`` is no chord.
    key
        Its scale gives the degrees. Scales that have not seven notes lend the major or minor key on their
        tonic; harmonic and melodic minor are read as minor.

    Returns
    -------
    Chord
        With the root and the bass spelled as in the key.

    Raises
    ------
    ParseError
        Naming the part that could not be read and its column.

    Examples
    --------
    >>> parse_roman("viio43/ii", Key.parse("F")), parse_roman("Ger65", Key.parse("C minor")).bass_pitch_class
    (Chord('F#dim7/C'), 8)
    """
    written, scale = (text, None) if _CHANGED_END.fullmatch(text) else split_scale(text)
    symbol = written.strip()
    if symbol == "N.C." and scale is None:
        return NO_CHORD
    chord = _read(symbol, _home(key), len(text) - len(text.lstrip()))
    return replace(chord, scale=scale)


def roman_of(chord: Chord, key: Key) -> str:
    """Return a Roman numeral that :func:`parse_roman` reads as an equal chord.

    Chords of the key are named plainly, then augmented sixths, dominants of the other degrees and chords
    with an altered root are tried; whatever remains is a plain numeral with changes.

    Examples
    --------
    >>> [roman_of(Chord.parse(symbol), Key.parse("C")) for symbol in "Dm7/F D7 Fm Ab E7/B Gsus4 C/D".split()]
    ['ii65', 'V7/V', 'iv', 'bVI', 'V43/vi', 'Vsus4', 'I[bass2]']
    """
    if chord.root is None:
        return "N.C."
    return _print(replace(chord, scale=None), _home(key)) + scale_text(chord)


def _print(chord: Chord, home: Key) -> str:
    """Return the numeral of a chord without a scale."""
    plain = _first_equal(_plain(chord, home), chord, home)
    if plain and _belongs(chord, home):
        return plain
    return _first_equal(_chromatic(chord, home), chord, home) or plain or _changed(chord, home)


def _home(key: Key) -> Key:
    """Return the key whose degrees numerals count: seven notes, and one kind of minor."""
    if len(key.semitones) == 7 and key.mode not in {"harmonic minor", "melodic minor"}:
        return key
    return Key(key.tonic, "minor" if key.is_minor else "major")


def _degree(key: Key, degree: int, alteration: int = 0) -> Spelling:
    """Return a degree of a seven-note key, counted from 1 and on past 7, raised by ``alteration`` semitones."""
    index = (degree - 1) % 7
    alteration += key.semitones[index] - _MAJOR[index]
    return Spelling(key.tonic.fifths + _DEGREE_FIFTHS[index] + 7 * alteration)


def _above(root: Spelling, step: int, semitones: int) -> Spelling:
    """Return the note so many letters (1 is none) and semitones above a root."""
    return Spelling(root.fifths + _DEGREE_FIFTHS[step - 1] + 7 * (semitones - _MAJOR[step - 1]))


def _amount(signs: str) -> int:
    """Return how many semitones a run of accidentals raises."""
    return sum(1 if sign in "#♯" else -1 for sign in signs)


def _accidentals(amount: int) -> str:
    return "#" * amount if amount > 0 else "b" * -amount


def _read(symbol: str, key: Key, offset: int) -> Chord:
    """Read numerals between slashes that start ``offset`` characters into the user's text, the last one first."""
    starts = [0, *(match.end() for match in _APPLIED.finditer(symbol))]
    ends = [*(start - 1 for start in starts[1:]), len(symbol)]
    *targets, first = [(symbol[start:end], offset + start) for start, end in zip(starts, ends, strict=True)][::-1]
    for target, column in targets:
        key = _local_key(_read_one(target, column, key))
    return _read_one(first[0], first[1], key)


def _read_one(symbol: str, offset: int, key: Key) -> Chord:
    """Read a numeral in its local key."""
    head = _HEAD.match(symbol)
    if head is None:
        raise ParseError("Roman numeral", symbol, _EXPECTED, offset + 1)
    changes = _read_changes(symbol, head.end(), offset)
    numeral = _read_head(head, key, offset)
    notes, bass_step = _stack(numeral, offset + head.start("figures") + 1)
    bass_step = _suspend(notes, bass_step, head["sus"])
    return _apply(changes, numeral, notes, bass_step)


def _local_key(target: Chord) -> Key:
    """Return the key that a chord is the tonic of: minor where its third is minor."""
    assert target.root is not None
    return Key(target.root, "minor" if 3 in target.semitones and 4 not in target.semitones else "major")


def _read_changes(symbol: str, position: int, offset: int) -> list[_Change]:
    """Read the changes from a position to the end."""
    changes: list[_Change] = []
    while position < len(symbol):
        match = _CHANGE.match(symbol, position)
        if match is None:
            raise ParseError("Roman numeral", symbol[position:], _EXPECTED_REST, offset + position + 1)
        parts = _CHANGE_PART.findall(match[0])
        changes += [_Change(kind or "alter", _amount(sign), (int(step) - 1) % 7 + 1) for kind, sign, step in parts]
        position = match.end()
    return changes


def _read_head(head: re.Match[str], key: Key, offset: int) -> _Numeral:
    """Resolve the names and the quality of what stands before the changes."""
    name, front, figures = head["name"], head["front"], head["figures"] or ""
    if name.upper() not in _NUMERALS:
        _check_named(head, offset)
    if name in _SIXTHS:
        degree, usual, raised = _SIXTHS[name]
        # Ger6 is how many write Ger65.
        return _Numeral(Key(key.tonic, "minor"), degree, 0, {}, usual if figures in {"", "6"} else figures, raised)
    if name.startswith("Cad"):
        name, figures = "i" if key.mode == "minor" else "I", "64"
    elif name == "N":
        name, front, figures = "II", "b", figures or "6"
    sign = _SAME_SIGN.get(head["sign"] or "", head["sign"])
    fixed = dict(_QUALITIES[sign or ("upper" if name.isupper() else "lower")])
    if head["seventh"]:
        _check_seventh(head, offset)
        fixed |= {3: 4, 5: 7, 7: 10} if head["seventh"] == "d" else {7: 11}
    degree = _NUMERALS.index(name.upper()) + 1
    is_raised = key.mode == "minor" and degree in {6, 7} and fixed[3] == 3
    return _Numeral(key, degree, _root_shift(_amount(front), key, degree, raised=is_raised), fixed, figures)


def _check_named(head: re.Match[str], offset: int) -> None:
    """Refuse accidentals and qualities on chords that their name describes; ``Ger+6`` is only a way to write it."""
    name = head["name"]
    has_sign = head["sign"] and not (name in _SIXTHS and head["sign"] == "+")
    if head["front"] or has_sign or (name != "N" and (head["seventh"] or head["sus"])):
        raise ParseError("Roman numeral", head[0], f"{name} with no more than figures", offset + 1)


def _check_seventh(head: re.Match[str], offset: int) -> None:
    """Refuse a quality of the seventh where the figures have none."""
    if tuple(int(number) for _, number in _FIGURE.findall(head["figures"] or "")) in {(), (5,), (3,), (6,), (6, 4)}:
        column = offset + head.start("seventh") + 1
        raise ParseError("Roman numeral", head["seventh"], "a figure with a seventh after it, such as 7 or 65", column)


def _root_shift(front: int, key: Key, degree: int, *, raised: bool) -> int:
    """Return how far the root lies above its degree of the key.

    On the sixth and seventh degree in minor the first accidental that agrees with the case is a reminder.
    """
    if key.mode != "minor" or degree not in {6, 7}:
        return front
    return front + 1 if front < 0 or (front == 0 and raised) else front


def _stack(numeral: _Numeral, column: int) -> tuple[dict[int, Spelling], int]:
    """Return the notes by their step above the root (9 is 2, 11 is 4, 13 is 6), and the step of the bass."""
    signs = {int(number): _amount(sign) for sign, number in _FIGURE.findall(numeral.figures)}
    numbers = tuple(sorted(signs, reverse=True))
    numbers = _LONGHAND.get(numbers, numbers)
    root_number = _ROOT_NUMBERS.get(numbers, 1)
    if signs.get(root_number):
        raise ParseError("figures", numeral.figures, "the accidental of the root before the numeral", column)
    notes = {1: numeral.scale_note(1, numeral.front)}
    for number in (1, *numbers):
        step = (number - root_number) % 7 + 1
        if step > 1:
            notes[step] = _member(numeral, notes[1], step, signs.get(number, 0))
    for step in numeral.raised:
        if step in notes:
            notes[step] = Spelling(notes[step].fifths + 7)
    return notes, (1 - root_number) % 7 + 1


def _member(numeral: _Numeral, root: Spelling, step: int, sign: int) -> Spelling:
    """Return the note a step above the root: altered as the figure says, else by quality, else the scale's."""
    if step in numeral.fixed and not sign:
        return _above(root, step, numeral.fixed[step])
    note = numeral.scale_note(step, sign + (numeral.front if step in {3, 5} else 0))
    is_minor = numeral.fixed.get(3) == 3
    if is_minor and step == 7 and not sign and (note.pitch_class - root.pitch_class) % 12 == 11:
        return _above(root, 7, 10)
    return note


def _suspend(notes: dict[int, Spelling], bass_step: int, sus: str | None) -> int:
    """Put a fourth or a second in place of the third, in the bass too; return the step of the bass."""
    if not sus:
        return bass_step
    step = 2 if sus == "sus2" else 4
    notes.pop(3, None)
    notes[step] = _above(notes[1], step, _MAJOR[step - 1])
    return step if bass_step == 3 else bass_step


def _apply(changes: list[_Change], numeral: _Numeral, notes: dict[int, Spelling], bass_step: int) -> Chord:
    """Make the chord: altered notes first, then what is left out, then what is added, then the bass."""
    root = notes[1]
    for change in _of_kind(changes, "alter"):
        note = notes.get(change.step, numeral.scale_note(change.step))
        notes[change.step] = Spelling(note.fifths + 7 * change.sign)
    written = bass = notes[bass_step]
    for change in _of_kind(changes, "no"):
        notes.pop(change.step, None)
    sounding = list(notes.values())
    sounding += [numeral.scale_note(change.step, change.sign) for change in _of_kind(changes, "add")]
    if bass_step not in notes and sounding:  # the written bass is left out: the next note above it is the lowest
        bass = min(sounding, key=lambda note: (note.pitch_class - written.pitch_class) % 12)
    for change in _of_kind(changes, "bass"):
        bass = _above(root, change.step, _MAJOR[change.step - 1] + change.sign)
    return Chord(root, tuple((note.pitch_class - root.pitch_class) % 12 for note in sounding), bass)


def _of_kind(changes: list[_Change], kind: str) -> Iterator[_Change]:
    return (change for change in changes if change.kind == kind)


def _first_equal(figures: Iterator[str], chord: Chord, home: Key) -> str:
    """Return the first figure that reads as the chord, or nothing."""
    return next((figure for figure in figures if _read(figure, home, 0) == chord), "")


def _belongs(chord: Chord, home: Key) -> bool:
    """Whether a chord is of the key: its scale, in minor also the raised degrees and the major tonic."""
    lent = {9, 11} if home.mode == "minor" else set()
    if chord.root == home.tonic and not {9, 10, 11} & set(chord.semitones):
        lent |= {4}
    return chord.pitch_classes <= home.pitch_classes | {(home.tonic.pitch_class + above) % 12 for above in lent}


def _plain(chord: Chord, home: Key, rows: tuple[tuple[bool, str, int, str], ...] = _ROWS) -> Iterator[str]:
    """Yield each row of the table on the root of a chord, inverted by its bass where the row can say it."""
    assert chord.root is not None
    degree = _letters_above(home.tonic, chord.root) + 1
    shift = (chord.root.fifths - _degree(home, degree).fifths) // 7
    bass_step = _letters_above(chord.root, chord.bass) + 1 if chord.bass else 1
    for upper, sign, size, sus in rows:
        raised = not upper and home.mode == "minor" and degree in {6, 7}
        fronts = (f for f in (0, shift, shift - 1) if _root_shift(f, home, degree, raised=raised) == shift)
        numeral = _NUMERALS[degree - 1] if upper else _NUMERALS[degree - 1].lower()
        figures = _FIGURES[size].get(bass_step, _FIGURES[size][1])
        yield f"{_accidentals(next(fronts))}{numeral}{sign}{figures}{sus}"


def _letters_above(low: Spelling, high: Spelling) -> int:
    """Return how many letters a note lies above another, 0 to 6."""
    return ("CDEFGAB".index(high.letter) - "CDEFGAB".index(low.letter)) % 7


def _chromatic(chord: Chord, home: Key) -> Iterator[str]:
    """Yield augmented sixths, and dominants of the other degrees of the key."""
    yield from _PRINTED_SIXTHS
    for target in _TARGETS[home.is_minor]:
        local = _local_key(_read(target, home, 0))
        for figure in _plain(chord, local):
            if re.match(r"V(?!I)(?!\+|M)|vii[oø]", figure):
                yield f"{figure}/{target}"


def _changed(chord: Chord, home: Key) -> str:
    """Return the shortest plain numeral with changes that reads as the chord; triads always can."""
    found = []
    for figure in _plain(chord, home, _CHANGED_ROWS):
        row = set(_read(figure, home, 0).semitones)
        if row <= set(_STEP_OF):
            omitted = "".join(f"[no{_STEP_OF[above]}]" for above in sorted(row - set(chord.semitones)))
            added = "".join(_addition(chord, home, above) for above in sorted(set(chord.semitones) - row))
            texts = (figure + omitted + added + bass for bass in ("", _bass_change(chord)))
            found.append(_first_equal(texts, chord, home))
    return min(filter(None, found), key=lambda text: (text.count("["), len(text), text))


def _addition(chord: Chord, home: Key, semitones: int) -> str:
    """Write a note so far above the root as a degree of the scale with the fewest accidentals."""
    assert chord.root is not None
    degree = _letters_above(home.tonic, chord.root) + 1
    found = []
    for order, step in enumerate((9, 11, 13, 7, 3, 5, 8)):
        sign = (chord.root.pitch_class + semitones - _degree(home, degree + step - 1).pitch_class + 6) % 12 - 6
        found.append((abs(sign), order, f"[add{_accidentals(sign)}{step}]"))
    return min(found)[2]


def _bass_change(chord: Chord) -> str:
    assert chord.root is not None
    bass = chord.bass or chord.root
    step = _letters_above(chord.root, bass) + 1
    return f"[bass{_accidentals((bass.fifths - _above(chord.root, step, _MAJOR[step - 1]).fifths) // 7)}{step}]"
