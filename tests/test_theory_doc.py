"""docs/theory.md is what its script writes, and has pictures of each rule broken and kept that are up to date.

The pictures are not drawn again: each says in its description which notes it shows.
"""

import re
import sys
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from symgen.pipeline.rules import read_rules
from theory.rules import RULES, Range
from theory.rules.text import parse_rule, rule_from, rule_name
from theory.rules.voicesets import VOICE_RULES

DOCS = Path(__file__).parent.parent / "docs"
WRITTEN = (DOCS / "theory.md").read_text(encoding="utf-8")
_MODULES = ("engraving", "rule_examples", "make_theory")


@pytest.fixture(scope="module")
def docs():
    """Return the three modules that make the page; they are no part of the packages."""
    sys.path.insert(0, str(DOCS))
    try:
        yield [__import__(name) for name in _MODULES]
    finally:
        sys.path.remove(str(DOCS))
        for name in _MODULES:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def rows(docs):
    _, examples, _ = docs
    return [*examples.LINE, *examples.JOINED, *examples.VOICES]


@pytest.fixture(scope="module")
def drawn(docs, rows):
    _, examples, _ = docs
    return {row: examples.example_of(row) for row in rows}


def test_the_text_is_what_the_script_writes(docs):
    assert docs[2].text() == WRITTEN


def test_making_the_text_needs_no_drawing_library(docs):
    assert "verovio" not in sys.modules


@pytest.mark.parametrize("kind", [*RULES, *VOICE_RULES])
def test_every_rule_has_a_section_with_its_pictures(kind):
    name = rule_name(kind)
    title, _, rest = WRITTEN.partition(f"\n### {name}\n")
    section = rest.partition("\n##")[0]
    assert title != WRITTEN, "run docs/make_theory.py after a row in docs/rule_examples.py"
    assert f"images/rules/{name}-broken.svg" in section
    assert f"images/rules/{name}-kept.svg" in section


def test_the_pictures_show_the_music_that_is_drawn_now(docs, drawn):
    _, _, make = docs
    for row, example in drawn.items():
        for path, music in zip(make.paths(row), (example.wrong, example.right), strict=True):
            picture = ElementTree.parse(path).getroot()
            assert picture.findtext("{http://www.w3.org/2000/svg}desc") == make.description(music), row.rule


def test_there_are_no_other_pictures(docs, rows):
    _, _, make = docs
    assert {path for row in rows for path in make.paths(row)} == set((DOCS / "images" / "rules").iterdir())


def test_broken_rules_are_red_unless_all_the_music_breaks_them_and_kept_ones_never(drawn):
    for row, example in drawn.items():
        wrong, right = (
            [note.is_red for staff in music.staves for voice in staff for note in voice]
            for music in (example.wrong, example.right)
        )
        assert any(wrong) == (getattr(row, "marks", "notes") != "none"), row.rule
        assert not any(right), row.rule


def test_what_is_red_is_named_by_the_violation(docs, drawn):
    _, examples, _ = docs
    row = next(row for row in examples.VOICES if row.rule == "no-parallel-fifths")
    voices = [voice for staff in drawn[row].wrong.staves for voice in staff]
    red = {(number, place) for number, voice in enumerate(voices) for place, note in enumerate(voice) if note.is_red}
    assert {place for _, place in red} == {0, 1}
    first, second = sorted({number for number, _ in red})
    for place in (0, 1):
        assert (voices[first][place].pitch - voices[second][place].pitch) % 12 == 7


def test_the_opposite_of_a_voice_rule_is_kept_where_some_group_breaks_it(docs):
    _, examples, _ = docs
    rule = parse_rule("no-parallel-fifths", VOICE_RULES)
    moments = examples._slots("C F | G7 C")
    opposite = examples.BrokenAt(rule=rule, bar=1, beat=Fraction(3))
    (everyone,) = opposite.groups(3)
    parallel, plain = ((72, 67, 60), (74, 69, 62)), ((72, 67, 60), (72, 69, 65))
    assert opposite.permits_motion(*parallel, *moments[:2], everyone)
    assert not opposite.permits_motion(*plain, *moments[:2], everyone)
    assert opposite.permits_motion(*plain, *moments[1:3], everyone)


def test_the_files_of_rules_that_the_page_shows_can_be_read(tmp_path):
    (block,) = re.findall(r"```toml\n(.*?)```", WRITTEN, re.DOTALL)
    path = tmp_path / "my.toml"
    path.write_text(block, encoding="utf-8")
    found = read_rules(path)
    assert found.base == "folk"
    assert len(found.rules) == 4


def test_the_rules_that_the_page_names_can_be_read():
    options = re.findall(r'--rule "([^"]*)"', WRITTEN)
    assert len(options) >= 3
    for text in [*options, *re.findall(r"^\| breaks `(.*)` \| keeps it \|$", WRITTEN, re.MULTILINE)]:
        rule_from(text, [*RULES, *VOICE_RULES])


def test_every_value_of_a_rule_is_listed(docs):
    _, _, make = docs
    assert make.plain("``x``, see :data:`Y`") == "`x`, see `Y`"
    assert list(make.values(Range)) == [
        "- `low=G3`: MIDI pitches, both included.",
        "- `high=C6`: MIDI pitches, both included.",
        "",
    ]


@pytest.mark.parametrize(("onset", "end"), list(combinations(range(9), 2)))
def test_lengths_are_cut_into_such_as_can_be_written(docs, onset, end):
    parts = docs[0].notatable(onset, end)
    assert parts[0][0] == onset
    assert parts[-1][1] == end
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    assert all(e - o in {1, 2, 3, 4, 6, 8} for o, e in parts)
    # Off the beat, nothing hides the middle of the bar.
    assert not any(o % 2 and o < 4 < e for o, e in parts)


def test_notation_has_accidentals_once_a_bar_ties_rests_and_colours(docs):
    engraving, _, _ = docs
    notes = [(0, 1, 66), (1, 2, 65), (2, 3, 66), (3, 4, 66), (6, 10, 66), (10, 16, 66)]
    voice = engraving.coloured(engraving.with_rests([engraving.Drawn(*note) for note in notes], 16), {10})
    mei = ElementTree.fromstring(engraving.mei_of([[voice]], [(0, "C"), (12, "G")], 2))
    space = "{http://www.music-encoding.org/ns/mei}"
    found = [(n.get("accid"), n.get("tie"), n.get("dur"), n.get("color")) for n in mei.iter(f"{space}note")]
    assert found == [
        ("s", None, "8", None),
        ("n", None, "8", None),
        ("s", None, "8", None),
        (None, None, "8", None),
        (None, "i", "4", None),
        (None, "t", "4", None),
        ("s", None, "2", engraving.RED),
    ]
    assert [rest.get("dur") for rest in mei.iter(f"{space}rest")] == ["4"]
    assert [len(beam) for beam in mei.iter(f"{space}beam")] == [4]
    harms = [[(h.text, h.get("tstamp")) for h in m.iter(f"{space}harm")] for m in mei.iter(f"{space}measure")]
    assert harms == [[("C", "1.0")], [("G", "3.0")]]
