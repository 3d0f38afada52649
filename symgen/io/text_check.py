"""A look at MusicXML, ABC and kern before the library that reads them does.

That library can be sent into hours of work by one number of a time signature. What no music has is refused
here, with its line.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from symgen.errors import FileFormatError

__all__ = ["check_text"]

_METERS = MappingProxyType(
    {
        "abc": re.compile(r"^M:([^\n%\]]*)|\[M:([^\]\n]*)", re.MULTILINE),
        "humdrum": re.compile(r"\*M(?!M)([^\t\n]*)"),
        "musicxml": re.compile(r"<beats?(?:-type)?\b[^>]*>([^<]*)<"),
    }
)
_POSSIBLE = re.compile(r"[a-z?|\s]*[\d+*()\s|]*(?:/[\s\d]*)?[a-z\s]*", re.IGNORECASE)
_LONGEST_TEXT, _MAX_COUNT = 40, 255
_WORDS_OF_ABC = re.compile(r'^[A-Za-z+]:.*|%.*|"[^"\n]*"', re.MULTILINE)
_LONG_NUMBER = re.compile(r"\d{4,}")


def check_text(text: str, kind: str, name: str) -> None:
    r"""Refuse a text with a time signature, or in ABC a length of a note, that cannot be one.

    Parameters
    ----------
    text
        The file.
    kind
        ``musicxml``, ``abc`` or ``humdrum``.
    name
        What to call the file in errors.

    Raises
    ------
    FileFormatError
        Naming the line.

    Examples
    --------
    >>> check_text("X:1\nM:99999/4\nK:C\nC", "abc", "tune.abc")
    Traceback (most recent call last):
    symgen.errors.FileFormatError: tune.abc: line 2: time signature '99999/4': expected one such as 4/4 or 6/8
    """
    for match in _METERS[kind].finditer(text):
        found = next((group for group in match.groups() if group is not None), "").strip()
        if not _may_be_meter(found):
            line = text.count("\n", 0, match.start()) + 1
            what = f"time signature {found[:_LONGEST_TEXT]!r}"
            msg = f"{name}: line {line}: {what}: expected one such as 4/4 or 6/8"
            raise FileFormatError(msg)
    if kind == "abc":
        _check_lengths(text, name)


def _check_lengths(text: str, name: str) -> None:
    """Refuse notes whose lengths no bar can hold; numbers in words are not looked at."""
    notes = _WORDS_OF_ABC.sub(lambda match: " " * len(match[0]), text)
    match = _LONG_NUMBER.search(notes)
    if match is not None:
        line = text.count("\n", 0, match.start()) + 1
        msg = f"{name}: line {line}: length {match[0][:_LONGEST_TEXT]}: expected one of at most three digits"
        raise FileFormatError(msg)


def _may_be_meter(text: str) -> bool:
    """Whether it is short, made of what metres are made of, and counts to a possible number only."""
    if len(text) > _LONGEST_TEXT or not _POSSIBLE.fullmatch(text):
        return False
    return all(len(number) <= 3 and int(number) <= _MAX_COUNT for number in re.findall(r"\d+", text))
