"""One door to the four ways of writing chords.

``lead-sheet`` (``Cmaj7/E``), ``harte`` (``C:maj7/3``), ``roman`` (``I65``) and ``nashville`` (``1maj7/3``); the last
two need a key. Every chord can be printed in each of them and reads back as an equal one.

The syntax of a text is found from all of its symbols together: ``C G`` is a lead sheet's, ``C G:min`` is Harte's.
Where two syntaxes read the whole text alike, the first of :data:`SYNTAXES` is taken.

>>> detect_syntax("Am F C/E".split()), detect_syntax("I V6 vi".split()), detect_syntax("1 5/7 6-".split())
('lead-sheet', 'roman', 'nashville')
>>> parse_chord("C:maj7/3"), parse_chord("V7/V", key=Key.parse("C")), parse_chord("6-7", key=Key.parse("C"))
(Chord('Cmaj7/E'), Chord('D7'), Chord('Am7'))
>>> [print_chord(Chord.parse("Dm7/F[dorian]"), syntax, Key.parse("C")) for syntax in SYNTAXES]
['Dm7/F[dorian]', 'D:min7/b3[dorian]', 'ii65[dorian]', '2-7/4[dorian]']
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from theory.chord import NO_CHORD, Chord
from theory.errors import ParseError
from theory.harte import harte_of, parse_harte
from theory.key import Key
from theory.nashville import nashville_of, parse_nashville
from theory.roman import parse_roman, roman_of

__all__ = ["SYNTAXES", "detect_syntax", "parse_chord", "print_chord"]

SYNTAXES = ("lead-sheet", "harte", "roman", "nashville")
"""The names of the syntaxes; of those that read a text alike the first is meant."""

_IN_A_KEY = frozenset({"roman", "nashville"})
_SILENCE = frozenset({"N.C.", "NC", "n.c.", "N.C"})  # no chord in every syntax; a bare N is Roman's Neapolitan
_ANY_KEY = Key.parse("C")  # what a syntax can read does not hang on the key
_HOW_TO_FORCE = f"name the chord syntax: {', '.join(SYNTAXES)}"


def parse_chord(text: str, *, syntax: str | None = None, key: Key | None = None) -> Chord:
    """Read a chord in a syntax, or in the one syntax that can read it.

    Parameters
    ----------
    text
        One symbol; ``N.C.`` is no chord in every syntax.
    syntax
        One of :data:`SYNTAXES`; ``None`` to find it from the text.
    key
        Needed for Roman numerals and Nashville numbers.

    Raises
    ------
    ParseError
        If the text cannot be read, reads differently in two syntaxes, or needs a key.
    """
    if text.strip() in _SILENCE:
        return NO_CHORD
    syntax = detect_syntax([text]) if syntax is None else _checked(syntax)
    if syntax in _IN_A_KEY and key is None:
        raise ParseError("chord", text, f"a key as well, for {syntax} symbols count its degrees")
    return _read(text, syntax, key or _ANY_KEY)


def print_chord(chord: Chord, syntax: str = "lead-sheet", key: Key | None = None) -> str:
    """Return the symbol of a chord in a syntax; :func:`parse_chord` reads it as an equal chord.

    Raises
    ------
    ParseError
        If there is no such syntax, or it needs a key.
    """
    if _checked(syntax) in _IN_A_KEY and key is None:
        raise ParseError("chord", str(chord), f"a key as well, for {syntax} symbols count its degrees")
    if syntax == "harte":
        return harte_of(chord)
    if syntax == "roman":
        return roman_of(chord, key or _ANY_KEY)
    return nashville_of(chord, key or _ANY_KEY) if syntax == "nashville" else str(chord)


def detect_syntax(tokens: Sequence[str], columns: Sequence[int] | None = None) -> str:
    """Return the syntax that reads all symbols of a text.

    Parameters
    ----------
    tokens
        The chord symbols of a whole progression, without bar lines and counts.
    columns
        Where each stands in the text, counted from 1, for the error; as if a space stood between them if omitted.

    Returns
    -------
    str
        One of :data:`SYNTAXES`; ``lead-sheet`` if there is nothing to tell it from.

    Raises
    ------
    ParseError
        Naming the first symbol that does not fit to the others, or that reads differently in two syntaxes.
    """
    starts = columns if columns is not None else [*accumulate((len(token) + 1 for token in tokens), initial=1)]
    placed = [(token, start) for token, start in zip(tokens, starts, strict=False) if token.strip() not in _SILENCE]
    readings = {syntax: [_try(token, syntax) for token, _ in placed] for syntax in SYNTAXES}
    fitting = [syntax for syntax in SYNTAXES if all(isinstance(read, Chord) for read in readings[syntax])]
    if not fitting:
        raise _misfit(placed, readings)
    for (token, start), *read in zip(placed, *(readings[syntax] for syntax in fitting), strict=True):
        if any(other != read[0] for other in read):
            expected = f"one syntax, and {' and '.join(fitting)} read it differently; {_HOW_TO_FORCE}"
            raise ParseError("chord", token, expected, start)
    return fitting[0]


def _checked(syntax: str) -> str:
    if syntax not in SYNTAXES:
        raise ParseError("chord syntax", syntax, f"one of {', '.join(SYNTAXES)}")
    return syntax


def _read(text: str, syntax: str, key: Key) -> Chord:
    if syntax == "harte":
        return parse_harte(text)
    if syntax == "roman":
        return parse_roman(text, key)
    return parse_nashville(text, key) if syntax == "nashville" else Chord.parse(text)


def _try(token: str, syntax: str) -> Chord | ParseError:
    try:
        return _read(token, syntax, _ANY_KEY)
    except ParseError as error:
        return error


def _misfit(placed: Sequence[tuple[str, int]], readings: dict[str, list[Chord | ParseError]]) -> ParseError:
    """Return the error of the first symbol that the likeliest syntax, the one that reads most of them, cannot read."""

    def n_read(syntax: str) -> int:
        return sum(isinstance(read, Chord) for read in readings[syntax])

    likeliest = max(SYNTAXES, key=n_read)
    index, error = next((i, read) for i, read in enumerate(readings[likeliest]) if isinstance(read, ParseError))
    token, start = placed[index]
    others = [syntax for syntax in SYNTAXES if isinstance(readings[syntax][index], Chord)]
    if not others:
        return error.shifted(start - 1)
    expected = f"{likeliest} symbols throughout, and this is one of {' or '.join(others)}; write all in one syntax"
    return ParseError("chord", token, f"{expected}, or {_HOW_TO_FORCE}", start)
