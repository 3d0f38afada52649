"""The order of measures: written out by hand, and against music21 where its own expansion is sound."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgen.io.optional import require
from symgen.io.repeats import Ending, Signs

music21 = require("music21")


def order(text: str) -> str:
    """Play measures written as letters: ``|:`` and ``:|`` repeat, ``[1`` to ``]`` are endings.

    A third pass is written ``:|3``.
    """
    starts: set[int] = set()
    ends: dict[int, int] = {}
    endings: list[Ending] = []
    letters: list[str] = []
    opened: tuple[int, set[int]] = (0, set())
    for token in text.split():
        if token == "|:":
            starts.add(len(letters))
        elif token.startswith(":|"):
            ends[len(letters) - 1] = int(token[2:] or 2)
        elif token.startswith("["):
            opened = (len(letters), {int(digit) for digit in token[1:].split(",")})
        elif token == "]":
            endings.append(Ending(opened[0], len(letters) - 1, opened[1]))
        else:
            letters.append(token)
    return "".join(letters[i] for i in Signs(starts, ends, tuple(endings)).order(len(letters)))


@pytest.mark.parametrize(("written", "played"), [
    ("a b c", "abc"),
    ("a b :| c", "ababc"),
    ("a |: b c :| d", "abcbcd"),
    ("a b :| c d :|", "ababcdcd"),
    ("|: a b :|3 c", "abababc"),
    ("|: a :| |: b :|", "aabb"),
    ("|: a [1 b :| ] [2 c ] d", "abacd"),
    ("|: a [1 b :| ] [2 c :| ] d", "abacd"),
    ("|: a [1,2 b :| ] [3 c ] d", "ababacd"),
    ("|: a [1 b :| ] [2 c :| ] [3 d ] e", "abacade"),
    ("a [1 b :| ] [2 c ] |: d [1 e :| ] [2 f ]", "abacdedf"),
    ("a [1 b :| ] [2 c ] d [1 e :| ] [2 f ]", "abacdedf"),
    ("|: a |: b :| c", "abbc"),
])  # fmt: skip
def test_well_formed_signs(written: str, played: str) -> None:
    assert order(written) == played


@pytest.mark.parametrize(("written", "played", "why"), [
    ("|: a [1 b ] c :| [2 d ] e", "abcade", "the bracket stops before the repeat sign"),
    ("|: a [1 b :| ] [3 c ] d", "abacd", "a number is skipped"),
    ("|: a [1 b :| ] [1 c ] d", "abacd", "a number comes twice"),
    ("|: a :| [1 b ] [2 c ]", "aabc", "endings without a repeat"),
    ("|: a [2 b :| c ] d", "abacd", "a lone bracket over the repeat sign"),
    ("a |: b c", "abc", "a start without an end"),
    ("a :| b |: c", "aabc", "a start at the end"),
    ("a [1 b :| ] c", "abac", "only a first ending"),
    ("|: a :|99 b", "a" * 8 + "b", "too many times"),
])  # fmt: skip
def test_what_is_clear_of_bad_signs_is_kept(written: str, played: str, why: str) -> None:
    assert order(written) == played, why


@st.composite
def signs(draw: st.DrawFn, n_measures: int) -> Signs:
    """Any signs at all, sane or not."""
    measures = st.integers(0, n_measures - 1)
    spans = st.tuples(measures, measures, st.sets(st.integers(1, 4), min_size=1, max_size=3))
    endings = [Ending(min(a, b), max(a, b), numbers) for a, b, numbers in draw(st.lists(spans, max_size=4))]
    ends = draw(st.dictionaries(measures, st.integers(1, 5), max_size=4))
    return Signs(draw(st.sets(measures, max_size=4)), ends, tuple(endings))


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), signs(n))))
def test_every_order_ends_and_no_measure_is_lost_without_endings(case: tuple[int, Signs]) -> None:
    n_measures, any_signs = case
    played = any_signs.order(n_measures)
    assert set(played) <= set(range(n_measures))
    if not any_signs.endings:
        assert set(played) == set(range(n_measures))
        assert played[-1] == n_measures - 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(2, 3)), min_size=1, max_size=3))
def test_music21_agrees_on_sections(sections: list[tuple[int, int, int]]) -> None:
    """Sections of a body, some with two endings, each opened and closed by a sign."""
    part: Any = music21.stream.Part()
    starts, ends, endings = set(), {}, []
    for n_body, n_ending, times in sections:
        first = len(part)
        n_measures = n_body + 2 * n_ending
        measures = [music21.stream.Measure(number=first + i) for i in range(n_measures)]
        part.append(measures)
        starts.add(first)
        measures[0].leftBarline = music21.bar.Repeat(direction="start")
        last = first + n_body + n_ending - 1
        ends[last] = 2 if n_ending else times
        part[last].rightBarline = music21.bar.Repeat(direction="end", times=ends[last])
        if n_ending:
            endings += [Ending(last - n_ending + 1, last, {1}), Ending(last + 1, last + n_ending, {2})]
    signs_of_all = Signs(starts, ends, tuple(endings))
    for ending in endings:
        spanned = list(part.getElementsByClass("Measure"))[ending.first : ending.last + 1]
        part.insert(0, music21.spanner.RepeatBracket(spanned, number=next(iter(ending.numbers))))
    expanded = [m.number for m in music21.repeat.Expander(part).process().getElementsByClass("Measure")]
    n_measures = len(part.getElementsByClass("Measure"))
    assert signs_of_all.order(n_measures) == expanded
