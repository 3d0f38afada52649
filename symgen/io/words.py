"""How a score's words stand in a MIDI file: tempos, keys, metres, names of sections, the recipe.

>>> protected("A"), unprotected("[A]"), protected("Verse")
('[A]', 'A', 'Verse')
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from theory.chord import Chord
from theory.errors import TheoryError
from theory.key import Key

__all__ = [
    "CHORD_SIGN",
    "CONDUCTOR",
    "KEY_SIGN",
    "METER_SIGN",
    "NAME_GAP",
    "chord_or_none",
    "key_signature",
    "microseconds",
    "plain_key",
    "protected",
    "recipe_of",
    "recipe_text",
    "simplest_bpm",
    "unprotected",
]

# Text events that start with @ are information about a file: notation programs do not print them as lyrics.
KEY_SIGN, METER_SIGN = "@symgen:key ", "@symgen:meter "
CHORD_SIGN = "%"
CONDUCTOR = "Conductor"
"""The name of the first track of a file, which has no notes."""
NAME_GAP = ", "
"""What stands between the names of the parts that a single track holds."""
_RECIPE_SIGN = "@symgen"


def microseconds(bpm: float) -> int:
    """Return the length of a quarter note as MIDI counts it."""
    return round(60e6 / bpm)


def simplest_bpm(quarter_microseconds: int) -> float:
    """Return the tempo with the fewest decimals that is written as this length of a quarter note.

    >>> simplest_bpm(618557), simplest_bpm(600000)
    (97.0, 100.0)
    """
    exact = 60e6 / quarter_microseconds
    rounded = (round(exact, digits) for digits in range(8))
    return next((bpm for bpm in rounded if bpm > 0 and microseconds(bpm) == quarter_microseconds), exact)


def key_signature(key: Key) -> tuple[int, bool]:
    """Return the sharps (negative for flats) of a key's signature, at most seven, and whether it is minor.

    Keys with more sharps or flats are written as the key that sounds the same.

    >>> key_signature(Key.parse("D dorian")), key_signature(Key.parse("G# major"))
    ((0, True), (-4, False))
    """
    sharps = key.signature
    while abs(sharps) > 7:
        sharps -= 12 if sharps > 0 else -12
    return sharps, key.is_minor


def plain_key(sharps: int, is_minor: bool) -> Key:
    """Return the major or minor key of a signature."""
    return Key.from_signature(sharps, "minor" if is_minor else "major")


def chord_or_none(text: str) -> Chord | None:
    """Return the chord a text is the symbol of, if it is one."""
    try:
        return Chord.parse(text)
    except TheoryError:
        return None


def protected(text: str) -> str:
    """Put the name of a section into brackets where it is empty or could be read as a chord, as ``A`` could."""
    is_unclear = not text or chord_or_none(text) is not None or _is_bracketed(text)
    return f"[{text}]" if is_unclear else text


def unprotected(text: str) -> str:
    """Return the name that :func:`protected` was given."""
    inside = text[1:-1]
    return inside if _is_bracketed(text) and protected(inside) == text else text


def _is_bracketed(text: str) -> bool:
    return len(text) > 1 and text[0] == "[" and text[-1] == "]"


def recipe_text(recipe: Iterable[tuple[str, str]]) -> str:
    """Return a recipe as one line of ``key=value`` words, quoted as a shell would."""
    return f"{_RECIPE_SIGN} {shlex.join(f'{key}={value}' for key, value in recipe)}".rstrip()


def recipe_of(text: str) -> tuple[tuple[str, str], ...] | None:
    """Return the recipe of a line, or ``None`` if it is no recipe of ours."""
    if text != _RECIPE_SIGN and not text.startswith(f"{_RECIPE_SIGN} "):
        return None
    try:
        words = shlex.split(text)[1:]
    except ValueError:  # an open quote: somebody has edited it
        return ()
    pairs = (word.partition("=") for word in words)
    return tuple((key, value) for key, equals, value in pairs if equals)
