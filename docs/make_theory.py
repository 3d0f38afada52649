"""Write docs/theory.md and its pictures from the tables of rules: ``python docs/make_theory.py``.

The text needs symgen alone, the pictures also what ``pip install symgen[docs]`` brings. Each picture holds, as its
description, the notes it shows, so that a picture that is out of date can be told without drawing it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from engraving import svg_of
from rule_examples import JOINED, LINE, N_BARS, VOICES, Example, LineRow, Music, VoiceRow, example_of

from theory.pitch import pitch_name
from theory.rules import Rule
from theory.rules.sets import RULE_SETS
from theory.rules.text import rule_name, rule_text, values_text
from theory.rules.voicesets import VOICE_RULE_SETS

HERE = Path(__file__).parent
IMAGES = HERE / "images" / "rules"

OPENING = """# Rules

A rule says of music what it may do. As a **law** it is kept by every line that is drawn; with a price it is a
**preference**, paid in nats for each breach. The same rules judge finished music, whoever wrote it.

`python docs/make_theory.py` writes this page from the tables of rules. Each rule is shown by two pictures of two bars
in C major. Both are drawn by the exact decoder, among other laws that make them sound like music. On the left the
opposite of the rule is a law, and what breaks the rule is red. On the right the rule is a law, and the weights prefer
what stands on the left. Below stands the first thing that the audit says of the music on the left; of that on the right
it says nothing.

## How rules are asked for

```sh
symgen rules                       # all rules and sets
symgen rules leap-recovery         # all about one rule
symgen generate --rule "largest-leap 7 in bars 5-8" --rule "not repeated-notes 2" -o song.mid
symgen generate --rule-set jazz --rules my.toml -o song.mid
symgen check song.mid --rule-set folk --rule "range D4 B5"
```

A rule is its name and its values, in their order or by name. A value that is not said is
as its rule lists it below. A price is said by `cost=`: `largest-leap 7 cost=2` is a preference of 2 nats, `tessitura
C4 G5 cost=inf` a law. Rules join by `not`, `and`, `or` and parentheses, of which `not` binds closest; `in bars 5-8`
confines a rule to some bars, as if these were the whole piece.

A file of rules is TOML: texts, or tables for what is long.

```toml
set = "folk"       # the set that is changed; "none" if nothing else shall hold
rules = [
  "leap-recovery 5",
  "contour arch in bars 1-4",
  { rule = "density", fewest = 2, most = 8, cost = 1.5 },
  { any = ["end-on degrees=1", { rule = "range", low = "C4", high = "C5", bars = "7-8" }] },
]
```

In Python rules are objects or the same texts. A rule of one's own is a subclass of `theory.rules.Rule` with one method.

```python
from theory.rules import InBars, LargestLeap, Not, RepeatedNotes

rules = [InBars(LargestLeap(7), 5, 8), Not(RepeatedNotes(2)), "cadence 8 authentic"]
score = symgen.generate(bars=8, changed_rules=rules, seed=7)
score.audit(rules[:2])  # []
```
"""
LINE_TITLE = """## Rules on a line

They judge one voice, along with the key, the chords and the metre that it goes with.
"""
JOINED_TITLE = """## Rules made of rules

As a part of another, a rule is asked only whether the music keeps it.
"""
VOICES_TITLE = """## Rules for several voices

They judge voices by pairs, by neighbours, each alone or all together, where all of these sound. `symgen check --voices`
and `Score.audit` judge by them; in decoding they are the laws of `symgen.decode.chorale` and `symgen.decode.lines`.
"""
SETS_TITLE = """## Sets of rules

`--rule-set` names one of these; what is said by `--rule` takes the place of the rule of its kind.
"""


def text() -> str:
    """Return docs/theory.md."""
    parts = [
        *(OPENING, LINE_TITLE, *map(section, LINE)),
        *(JOINED_TITLE, *map(joined_section, JOINED)),
        *(VOICES_TITLE, *map(section, VOICES)),
        *(SETS_TITLE, *sets()),
    ]
    return "\n".join(parts)


def section(row: LineRow | VoiceRow) -> str:
    """Return the text about a rule."""
    example = example_of(row)
    kind = type(example.rule)
    lines = [f"### {rule_name(kind)}", "", summary(kind), "", *values(kind), *shown(row, example), *sources(kind)]
    return "\n".join(lines)


def joined_section(row: LineRow | VoiceRow) -> str:
    """Return the text about a rule made of rules."""
    example = example_of(row)
    return "\n".join([f"### `{row.rule}`", "", *shown(row, example)])


def summary(kind: type[Rule]) -> str:
    """Return the first sentences of what a kind of rule says of itself."""
    return plain(" ".join((kind.__doc__ or "").split("\n\n")[0].split()))


def values(kind: type[Rule]) -> Iterator[str]:
    """Yield a list of the values of a kind of rule, with what they are if nothing is said and what they mean."""
    meanings = parameters(kind)
    for said in re.findall(r'(\w+)=("[^"]*"|\S+)', values_text(kind)):
        meaning = "Its price in nats for each breach." if said[0] == "cost" else meanings.get(said[0], "")
        yield f"- `{said[0]}={said[1]}`" + (f": {meaning}" if meaning else "")
    if values_text(kind):
        yield ""


def parameters(kind: type[Rule]) -> dict[str, str]:
    """Return what the docstrings of a kind of rule and of what it is made from say of each parameter."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        for names, meaning in re.findall(r"^(\w[\w, ]*)\n((?:    .*\n?)+)", part(base, "Parameters"), re.MULTILINE):
            found |= dict.fromkeys(names.split(", "), plain(" ".join(meaning.split())))
    return found


def plain(text: str) -> str:
    """Return a line of a docstring in Markdown."""
    return re.sub(r":\w+:`~?([^`]*)`", r"`\1`", text).replace("``", "`")


def part(kind: type, title: str) -> str:
    """Return a part of a docstring, without indentation; empty if there is none."""
    lines = [line.removeprefix("    ") for line in (kind.__doc__ or "").splitlines()]
    match = re.search(rf"^{title}\n-+\n(.*?)(?=\n\n\w[\w ]*\n-+\n|\Z)", "\n".join(lines), re.DOTALL | re.MULTILINE)
    return match[1] if match else ""


def sources(kind: type[Rule]) -> Iterator[str]:
    """Yield the works a kind of rule refers to."""
    if found := " ".join(part(kind, "References").split()):
        yield from (f"Source: {found}", "")


def shown(row: LineRow | VoiceRow, example: Example) -> Iterator[str]:
    """Yield the two pictures and what is wrong with the first."""
    wrong, right = (f"images/rules/{path.name}" for path in paths(row))
    said = rule_text(example.rule)
    yield f"| breaks `{said}` | keeps it |"
    yield "|---|---|"
    yield f"| ![two bars that break it]({wrong}) | ![two bars that keep it]({right}) |"
    yield from ("", f"*{example.violation}*", "")


def sets() -> Iterator[str]:
    """Yield the sets, a rule to a line."""
    for title, table in (("", RULE_SETS), (" for several voices", VOICE_RULE_SETS)):
        for name, held in table.items():
            yield "\n".join([f"### {name}{title}", "", *(f"- `{rule_text(rule)}`" for rule in held), ""])


def paths(row: LineRow | VoiceRow) -> tuple[Path, Path]:
    """Return where the pictures of a row are: of what breaks it, of what keeps it."""
    stem = re.sub(r"[^\w]+", "-", row.rule).strip("-") if row in JOINED else row.rule.split()[0]
    return IMAGES / f"{stem}-broken.svg", IMAGES / f"{stem}-kept.svg"


def description(music: Music) -> str:
    """Return the notes of some music with their lengths in eighth notes, voice by voice; what is red has a mark."""
    voices = [voice for staff in music.staves for voice in staff]
    names = [[(note, "rest" if note.pitch is None else pitch_name(note.pitch)) for note in voice] for voice in voices]
    return "; ".join(
        " ".join(f"{name}:{note.end - note.onset}{'!' if note.is_red else ''}" for note, name in voice)
        for voice in names
    )


def picture(music: Music) -> str:
    """Return the SVG of some music."""
    svg = svg_of(music.staves, music.chords, N_BARS)
    return re.sub(r"(<svg[^>]*>)", rf"\1<desc>{description(music)}</desc>", svg, count=1)


def write_pictures(rows: Sequence[LineRow | VoiceRow]) -> None:
    """Write all the pictures, and take away those that nothing shows any more."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    old = set(IMAGES.glob("*.svg"))
    for row in rows:
        example = example_of(row)
        for path, music in zip(paths(row), (example.wrong, example.right), strict=True):
            path.write_text(picture(music), encoding="utf-8")
            old.discard(path)
    for path in old:
        path.unlink()


def main() -> None:
    """Write the text and the pictures."""
    write_pictures((*LINE, *JOINED, *VOICES))
    (HERE / "theory.md").write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
