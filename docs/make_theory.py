"""Write docs/theory.md and its pictures from the table of rules: ``python docs/make_theory.py``.

For each rule two bars are drawn by the exact decoder, once with the rule as a law and once with its opposite, and
the audit says where the second breaks it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from symgen.alphabet import HOLD, N_SPECIAL, REST, LineAlphabet
from symgen.decode.draw import draw_line
from symgen.decode.plan import plan_line
from symgen.grid import BarMap
from symgen.moments import moments_of
from symgen.pipeline.harmony import chord_changes
from symgen.potentials import LineArcs, LinePotentials
from theory.audit import audit_line
from theory.key import Key
from theory.meter import Meter
from theory.progression import Progression
from theory.rules import RULES, LineNote, Not, Rule
from theory.rules.sets import RULE_SETS
from theory.rules.text import parse_rule, rule_name, rule_text, values_text
from theory.rules.voicesets import VOICE_RULES

HERE = Path(__file__).parent
IMAGES = HERE / "images" / "rules"
STEPS_PER_QUARTER, CHORDS = 4, "C | G7"
SAID = {
    "range": "range E4 D5", "tessitura": "tessitura E4 C5 cost=inf", "largest-leap": "largest-leap 4",
    "repeated-notes": "repeated-notes 1", "density": "density 3 5", "note-length": "note-length 1/2 1",
    "rhythm": "rhythm x-x-xxx-", "cadence": "cadence 2 half", "contour": "contour rising",
    "pass-through": "pass-through 2 1 B4 1", "climax-once": "climax-once from_bar=2", "lock": "lock 2 1 D5",
    "motif": 'motif 2 notes="G4:1 F4:1/2 E4:1/2" transposed=yes', "same-bars": "same-bars 2 1",
    "no-quotes": 'no-quotes melodies="C4 D4 E4 F4" n=3', "contains": 'contains "C4 E4 G4"',
}  # fmt: skip
"""What a rule is said with, where its usual values would show little in two bars."""
FREE = {"in-key", "in-chord-scale"}  # rules that music in the key could not break
OPENING = """# Rules

A rule says of a line what it may do. As a **law** it is kept by every line that is drawn; with a price it is a
**preference**, paid in nats for each violation. `symgen rules` lists them, `symgen check` judges any music by them.

```sh
symgen generate --rule "largest-leap 7 in bars 5-8" --rule "not repeated-notes 2" --rule-set jazz -o song.mid
symgen generate --rules my.toml -o song.mid
```

Rules join with `and`, `or`, `not` and parentheses, hold `in bars 3-4`, and cost what `cost=2` says. The pictures below
are two bars over C and G7, drawn by the decoder itself: on the left with the opposite of the rule as a law, on the
right with the rule. What breaks it is red.

"""


def potentials() -> tuple[LinePotentials, BarMap]:
    """Return weights that prefer eighths and quarters on the beat, and small steps."""
    bars = BarMap.build([(0, Meter())], steps_per_quarter=STEPS_PER_QUARTER, end_steps=8 * STEPS_PER_QUARTER)
    alphabet = LineAlphabet(60, 79)
    step = np.random.default_rng(4).normal(0, 0.6, (bars.end_steps, alphabet.n_symbols))
    step[:, HOLD] += 4.0
    step[:, REST] -= 3.0
    step[::2, HOLD] -= 3.0
    step[1::2, N_SPECIAL:] -= 6.0
    pitch = np.arange(alphabet.n_pitches)
    arcs = LineArcs(-0.35 * np.abs(pitch[:, None] - pitch), np.zeros(alphabet.n_pitches))
    return LinePotentials(alphabet, step, arcs), bars


def example(kind: type[Rule]) -> Rule:
    """Return the rule as it is shown."""
    name = rule_name(kind)
    return parse_rule(SAID.get(name, name))


def music(rule: Rule, others: list[Rule], seed: int) -> list[LineNote]:
    """Draw two bars that keep a rule."""
    weights, bars = potentials()
    moments = moments_of(bars, Key.parse("C"), chord_changes(Progression.parse(CHORDS), bars))
    line = draw_line(plan_line(weights, moments, [*others, rule]), np.random.default_rng(seed))
    return [LineNote(n.onset_steps, n.end_steps, n.pitch) for n in weights.alphabet.decode(line)]


def breaches(rule: Rule, notes: list[LineNote]) -> list[tuple[str, int]]:
    """Return each violation in words, with its step."""
    _, bars = potentials()
    moments = moments_of(bars, Key.parse("C"), chord_changes(Progression.parse(CHORDS), bars))
    found = audit_line(notes, moments, [rule])
    return [(str(v), moments.index(v.moment)) for v in found]


def pair(kind: type[Rule]) -> tuple[list[LineNote], list[LineNote], list[tuple[str, int]]]:
    """Return music that breaks a rule, music that keeps it, and what is wrong with the first."""
    rule = example(kind)
    others = [] if rule_name(kind) in FREE else [parse_rule("in-key")]
    wrong, right = music(Not(rule), others, 2), music(rule, others, 2)
    found = breaches(rule, wrong)
    assert found, rule
    assert not breaches(rule, right), rule
    return wrong, right, found


def picture(notes: list[LineNote], red: set[int], path: Path) -> None:
    """Draw notes as a small piano roll; those that sound at a red step are red."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "symgen", "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(4.6, 1.5))
    for quarter in range(9):
        axes.axvline(quarter * STEPS_PER_QUARTER, color="#444" if quarter % 4 == 0 else "#ddd", lw=0.8)
    for note in notes:
        is_red = any(note.onset <= step < note.end for step in red)
        width, colour = note.end - note.onset - 0.25, "#c62828" if is_red else "#1f77b4"
        axes.barh(note.pitch, width, left=note.onset + 0.1, height=0.9, color=colour)
    axes.set(xlim=(0, 32), ylim=(58.5, 80.5), xticks=[0, 16], yticks=[60, 64, 67, 72, 76, 79])
    axes.set_xticklabels(["C", "G7"])
    axes.set_yticklabels(["C4", "E4", "G4", "C5", "E5", "G5"])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def section(kind: type[Rule]) -> str:
    """Return the text about a rule on a line."""
    name, (_, _, found) = rule_name(kind), pair(kind)
    summary = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    values = f"`{f'{name} {values_text(kind)}'.strip()}`"
    images = f"| ![breaks {name}](images/rules/{name}-broken.svg) | ![keeps {name}](images/rules/{name}-kept.svg) |"
    shown = f"`{rule_text(example(kind))}`"
    return f"## {name}\n\n{summary} {values}\n\n| breaks {shown} | keeps it |\n|---|---|\n{images}\n\n{found[0][0]}\n\n"


def text() -> str:
    """Return docs/theory.md."""
    voices = "".join(
        f"- `{rule_name(kind)} {values_text(kind)}".rstrip()
        + "`"
        + f": {' '.join((kind.__doc__ or '').split(chr(10) * 2)[0].split())}\n"
        for kind in VOICE_RULES
    )
    sets = "".join(
        f"- **{name}**: {'; '.join(f'`{rule_text(r)}`' for r in held)}\n" for name, held in RULE_SETS.items()
    )
    lines = "".join(section(kind) for kind in RULES)
    return f"{OPENING}{lines}## Rules for several voices\n\n{voices}\n## Sets\n\n{sets}"


def main() -> None:
    """Write the text and the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for kind in RULES:
        wrong, right, found = pair(kind)
        picture(wrong, {step for _, step in found}, IMAGES / f"{rule_name(kind)}-broken.svg")
        picture(right, set(), IMAGES / f"{rule_name(kind)}-kept.svg")
    (HERE / "theory.md").write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
