"""Form: which bars of a song take up which bars before them.

Real tunes say things twice: of eight bars of the corpora's folk tunes and chorales about a quarter repeat
an earlier bar note for note, of lead sheets a tenth. Latents drawn bar by bar hardly ever repeat one, so the
repeat is planned. A form is one of :data:`FORMS`, in which a bar that takes up another has its latent and its
chance, and so its notes wherever the rules and the way back into new bars allow; or it is written in letters,
a phrase each: the same letter comes back note for note, a prime varies it.

>>> bar_sources(8, "period")
(0, 1, 2, 3, 0, 1, 6, 7)
>>> bar_sources(3, "period"), bar_sources(6, "free")
((0, 1, 2), (0, 1, 2, 3, 4, 5))
>>> form = read_form("A A' B A", phrase_bars=2)
>>> [(section.name, section.first, section.like, section.varies) for section in form.sections]
[('A', 0, None, None), ("A'", 2, None, 0), ('B', 4, None, None), ('A', 6, 0, None)]
>>> form.sources()
(0, 1, 0, 3, 4, 5, 0, 1)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType

from symgen.errors import RequestError

__all__ = ["FORMS", "PHRASE_BARS", "Form", "Section", "bar_sources", "read_form", "settled"]

# Place in each eight bars -> how many bars back the bar is taken from.
FORMS = MappingProxyType({"period": MappingProxyType({4: 4, 5: 4}), "free": MappingProxyType[int, int]({})})
"""``period``: bars 5 and 6 of every eight take up bars 1 and 2; ``free``: no bar takes up another."""

PHRASE_BARS = 4
"""Bars of a letter where nothing says otherwise."""

_PERIOD_BARS = 8
_MAX_LETTER_BARS = 512
_PRIMES = "'′’"
_WORD = re.compile(rf"([A-Z])([{_PRIMES}]*)(\d*)([{_PRIMES}]*)[\s,|-]*")


@dataclass(frozen=True, slots=True)
class Section:
    """A phrase of a form.

    Parameters
    ----------
    letter, primes
        Its name: ``A''`` has two primes.
    first, n_bars
        Where it starts, counted from 0, and how long it is.
    like
        Number of the section it repeats note for note; none if it has notes of its own.
    varies
        Number of the section it varies.
    """

    letter: str
    primes: int
    first: int
    n_bars: int
    like: int | None = None
    varies: int | None = None

    @property
    def name(self) -> str:
        """The letter with its primes."""
        return self.letter + "'" * self.primes

    @property
    def end(self) -> int:
        """The bar after its last one."""
        return self.first + self.n_bars

    @property
    def bars(self) -> str:
        """Its bars as people count them, such as ``bars 5 to 8``."""
        return f"bar {self.end}" if self.n_bars == 1 else f"bars {self.first + 1} to {self.end}"

    @property
    def opening_bars(self) -> int:
        """How many bars of what it varies a variation opens with."""
        return self.n_bars // 2


@dataclass(frozen=True, slots=True)
class Form:
    """The phrases of a song, one after the other."""

    sections: tuple[Section, ...]

    @property
    def n_bars(self) -> int:
        """Bars of the song."""
        return self.sections[-1].end

    def sources(self) -> tuple[int, ...]:
        """Return for each bar the bar whose idea it takes up: of a variation, only the opening is taken up."""
        sources = list(range(self.n_bars))
        for section in self.sections:
            source = section.like if section.like is not None else section.varies
            if source is not None:
                n_bars = section.n_bars if section.like is not None else section.opening_bars
                for bar in range(n_bars):
                    sources[section.first + bar] = sources[self.sections[source].first + bar]
        return tuple(sources)

    def repeated_bars(self) -> dict[int, int]:
        """Return for each bar that comes back note for note the bar it is of, both counted from 0."""
        return {
            section.first + bar: self.sections[section.like].first + bar
            for section in self.sections
            if section.like is not None
            for bar in range(section.n_bars)
        }

    def closes(self, number: int) -> bool:
        """Whether a section ends as the song does: the last one, and all that have its notes."""
        last = len(self.sections) - 1
        home = {last, self.sections[last].like}
        return number in home or self.sections[number].like in home - {None}

    def varied(self, number: int) -> Form:
        """Return the form in which a section varies what it should have repeated, and so do its repeats."""
        source = self.sections[number].like
        assert source is not None
        sections = list(self.sections)
        sections[number] = replace(sections[number], like=None, varies=source)
        return Form(tuple(sections))

    def __str__(self) -> str:
        """Return the form as it is written, with bars where sections differ in length."""
        alike = len({section.n_bars for section in self.sections}) == 1
        return " ".join(section.name + ("" if alike else str(section.n_bars)) for section in self.sections)


def bar_sources(n_bars: int, form: str) -> tuple[int, ...]:
    """Return for each bar the bar it takes up, counted from 0: itself where it is new.

    Raises
    ------
    RequestError
        If the form is unknown.
    """
    if form not in FORMS:
        raise _unknown(form)
    back = FORMS[form]
    return tuple(bar - back.get(bar % _PERIOD_BARS, 0) for bar in range(n_bars))


def read_form(text: str, *, bars: int | None = None, phrase_bars: int | None = None) -> Form:
    """Read a form in letters.

    Parameters
    ----------
    text
        Such as ``A A' B A``, or with bars ``A8 B4 A8``; bars that one of a letter's sections has, all of them have.
    bars
        Length of the song; shared out among the letters without bars of their own where these are not given.
    phrase_bars
        Bars of each of those; :data:`PHRASE_BARS`, or their share of ``bars``, if left out.

    Raises
    ------
    RequestError
        If the text is no form, or the bars don't come out.
    """
    words = _words(text)
    lengths = _lengths(text, words, bars, phrase_bars)
    sections: list[Section] = []
    for letter, primes, _ in words:
        first = sections[-1].end if sections else 0
        named = [i for i, s in enumerate(sections) if (s.letter, s.primes) == (letter, primes)]
        plain = [i for i, s in enumerate(sections) if s.letter == letter and not s.primes]
        if primes and not plain:
            msg = f"form {text!r}: {letter}{chr(39) * primes} varies {letter}: expected {letter} before it"
            raise RequestError(msg)
        like = named[0] if named else None
        varies = plain[0] if primes and not named else None
        sections.append(Section(letter, primes, first, lengths[letter], like, varies))
    return Form(tuple(sections))


def settled(form: Form, conditions: Sequence[object]) -> tuple[Form, tuple[str, ...]]:
    """Return a form in which no bars come back whose chords differ, and what that changed, in words.

    Parameters
    ----------
    form
        As it was asked for.
    conditions
        What holds in each bar: bars come back only where these are equal.
    """
    said = []
    for number, section in enumerate(form.sections):
        if section.like is None:
            continue
        own = conditions[section.first : section.end]
        same = [i for i in (section.like, *_named(form, section)) if i < number and _same(form, conditions, i, own)]
        if same:
            sections = list(form.sections)
            sections[number] = replace(section, like=same[0])
            form = Form(tuple(sections))
        else:
            base = form.sections[section.like]
            form = form.varied(number)
            said.append(f"{section.bars} vary {base.bars} ({section.name}): the chords or the key differ")
    return form, tuple(said)


def _named(form: Form, section: Section) -> list[int]:
    """Return the sections of a name that have notes of their own."""
    return [i for i, other in enumerate(form.sections) if other.name == section.name and other.like is None]


def _same(form: Form, conditions: Sequence[object], number: int, own: Sequence[object]) -> bool:
    there = form.sections[number]
    return list(conditions[there.first : there.end]) == list(own)


def _words(text: str) -> list[tuple[str, int, int | None]]:
    """Return the letter, the number of primes and the bars of each section."""
    words, place = [], 0
    stripped = text.strip()
    while place < len(stripped):
        match = _WORD.match(stripped, place)
        if match is None:
            raise _unknown(text)
        primes = len(match[2]) + len(match[4])
        words.append((match[1], primes, int(match[3]) if match[3] else None))
        place = match.end()
    if not words:
        raise _unknown(text)
    return words


def _lengths(
    text: str, words: Sequence[tuple[str, int, int | None]], bars: int | None, phrase_bars: int | None
) -> dict[str, int]:
    """Return the bars of each letter."""
    lengths: dict[str, int] = {}
    for letter, group in groupby(sorted(words, key=lambda word: word[0]), key=lambda word: word[0]):
        given = {count for _, _, count in group if count is not None}
        if len(given) > 1 or not all(1 <= count <= _MAX_LETTER_BARS for count in given):
            counts = " and ".join(map(str, sorted(given)))
            msg = (
                f"form {text!r}: {letter} has {counts} bars: expected one length for a letter, 1 to {_MAX_LETTER_BARS}"
            )
            raise RequestError(msg)
        if given:
            lengths[letter] = given.pop()
    n_open = sum(letter not in lengths for letter, _, _ in words)
    counted = sum(lengths.get(letter, 0) for letter, _, _ in words)
    share = phrase_bars if phrase_bars is not None else PHRASE_BARS
    if bars is not None and phrase_bars is None and n_open:
        share = max((bars - counted) // n_open, 1)
    total = counted + share * n_open
    if bars is not None and bars != total:
        msg = f"form {text!r}: {total} bars with {share} a letter: expected the {bars} bars that are asked for"
        raise RequestError(msg)
    return {letter: lengths.get(letter, share) for letter, _, _ in words}


def _unknown(form: str) -> RequestError:
    known = ", ".join(FORMS)
    return RequestError(f'form {form!r}: expected one of {known}, or letters such as "A A\' B A" or A8 B4 A8')
