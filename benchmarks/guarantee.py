"""The guarantee: random requests are met without a violation, or refused for a reason that holds.

``python -m benchmarks.guarantee -n 10000 --seed 0`` draws requests of key, metre, chords, two to eight rules of every
kind, some of them composed or priced, and some locks. Music is judged by the audit. A refusal must blame laws that
are impossible together and possible without any one of them; each is checked anew. Then small requests of their own
are enumerated: what is refused has no line, and the first impossible step is the first that no beginning passes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from symgen.alphabet import LineAlphabet
from symgen.conditions import tonic_shift
from symgen.decode.ask import Asker
from symgen.decode.explain import first_impossible_step, irreducible_blame
from symgen.decode.memory import TooMuchToRememberError
from symgen.decode.plan import is_possible
from symgen.errors import InfeasibleError, RequestError
from symgen.grid import BarMap
from symgen.moments import audit, moments_of
from symgen.pipeline.generate import generate, load_model
from symgen.pipeline.harmony import chord_changes
from symgen.pipeline.request import checked_locks, read_request
from symgen.pipeline.rules import chosen_rules
from symgen.potentials import LineArcs, LinePotentials
from theory.key import Key
from theory.meter import Meter
from theory.pitch import spell
from theory.progression import Progression
from theory.rules import AllOf, AnyOf, InBars, LineNote, Moment, Not, Rule, SameBars
from theory.rules.base import events_of
from theory.rules.text import parse_rule, rule_text

METERS = ("4/4", "4/4", "4/4", "3/4", "2/4", "6/8", "9/8", "12/8", "5/4", "7/8", "2/2", "3+2+2/8")
MODES = ("major", "minor", "dorian", "mixolydian", "lydian", "phrygian", "harmonic minor", "major pentatonic")
SUFFIXES = ("", "", "", "m", "m", "7", "m7", "maj7", "dim", "sus4", "6", "m7b5", "9")
BARS = (2, 2, 3, 4, 4, 8)
SLOW_SECONDS = 5.0
CAUSAL = 20
"""One request in so many takes the causal decoder, a second slower; rules and refusals are the same for both."""

Chance = np.random.Generator


def _one_of(rng: Chance, *values: object) -> str:
    return str(values[int(rng.integers(len(values)))])


def _values(rng: Chance, n_bars: int) -> dict[str, Callable[[], str]]:
    """Return, for each rule, what draws a text of it with values a musician might ask for."""

    def whole(low: int, high: int) -> int:
        return int(rng.integers(low, high + 1))

    def bar() -> int:
        return whole(1, n_bars)

    return {
        "in-key": lambda: "in-key",
        "in-chord-scale": lambda: "in-chord-scale",
        "chord-tones-on-strong-beats": lambda: "chord-tones-on-strong-beats",
        "no-avoid-notes": lambda: f"no-avoid-notes {_one_of(rng, 'yes', 'no')}",
        "non-chord-tones": lambda: f"non-chord-tones {_one_of(rng, 'passing,neighbour', 'passing,suspension,escape')}",
        "range": lambda: f"range {whole(55, 65)} {whole(72, 84)}",
        "tessitura": lambda: f"tessitura {whole(60, 66)} {whole(70, 78)}",
        "largest-leap": lambda: f"largest-leap {whole(2, 12)}",
        "leap-recovery": lambda: f"leap-recovery {whole(3, 7)} {whole(2, 7)}",
        "no-tritone-outline": lambda: "no-tritone-outline",
        "repeated-notes": lambda: f"repeated-notes {whole(1, 4)}",
        "density": lambda: f"density {whole(0, 2)} {whole(3, 9)}",
        "note-length": lambda: f"note-length {_one_of(rng, '0', '1/4', '1/2', '1')} {_one_of(rng, '2', '4', 'none')}",
        "rhythm": lambda: f"rhythm {_one_of(rng, 'x-x-', 'x???', 'x~x~', '?x??', 'xxx-')} in bars {bar()}",
        "no-rests": lambda: f'no-rests "{_one_of(rng, "nowhere", "off beats", "bar ends", "off strong beats")}"',
        "start-on": lambda: f"start-on degrees={_one_of(rng, '1', '1,3,5', '5')}",
        "end-on": lambda: f"end-on degrees={_one_of(rng, '1', '1,3,5', '2')}",
        "cadence": lambda: f"cadence {bar()} {_one_of(rng, 'authentic', 'imperfect', 'half', 'open')}",
        "contour": lambda: f"contour {_one_of(rng, 'rising', 'falling', 'arch', 'valley')}",
        "pass-through": lambda: f"pass-through {bar()} 1 {whole(60, 79)} {whole(1, 4)}",
        "climax-once": lambda: f"climax-once from_bar={bar()}",
        "motif": lambda: f'motif {bar()} notes="{_one_of(rng, "G4:1 E4:1", "C5:1/2 B4:1/2 A4:1")}" transposed=yes',
        "same-bars": lambda: f"same-bars {n_bars} 1 1",
        "no-quotes": lambda: f'no-quotes melodies="C4 D4 E4 C4 E4 F4 G4;G4 A4 G4 F4 E4 C4" n={whole(3, 5)}',
        "contains": lambda: f'contains "{_one_of(rng, "C4 E4 G4", "G4 E4", "C4 D4 E4")}"',
    }


def random_rule(rng: Chance, n_bars: int) -> Rule:
    """Return a rule of any kind, now and then composed, confined or priced."""
    draw = _values(rng, n_bars)
    if n_bars == 1:
        del draw["same-bars"]
    rule = parse_rule(draw[_one_of(rng, *draw)]())
    made = rng.random()
    if isinstance(rule, SameBars):  # a law on its own; as a part of another rule it remembers whole bars
        return rule
    draw.pop("same-bars", None)
    if made < 0.06:
        rule = AnyOf((rule, parse_rule(draw[_one_of(rng, *draw)]())))
    elif made < 0.1:
        rule = Not(rule)
    elif made < 0.12:
        rule = AllOf((rule, parse_rule(draw[_one_of(rng, *draw)]())))
    elif made < 0.2 and n_bars > 1:
        first = int(rng.integers(1, n_bars))
        rule = InBars(rule, first, int(rng.integers(first, n_bars + 1)))
    return replace(rule, cost=float(rng.uniform(0.5, 4))) if rng.random() < 0.15 else rule


def random_request(rng: Chance, bars: Sequence[int] = BARS) -> dict[str, Any]:
    """Return the arguments of a request, all but its seed; ``bars`` are the lengths to choose from."""
    n_bars = int(rng.choice(bars))
    key = Key.from_pitch_class(int(rng.integers(12)), _one_of(rng, *MODES))
    chords = [f"{spell(int(rng.integers(12)))}{_one_of(rng, *SUFFIXES)}" for _ in range(int(rng.integers(1, 5)))]
    diatonic = [str(key.spell(pc)) for pc in sorted(key.pitch_classes)]
    if rng.random() < 0.5:
        chords = [_one_of(rng, *diatonic) for _ in chords]
    locks = [
        f"bar {int(rng.integers(1, n_bars + 1))} beat {int(rng.integers(1, 3))} = {int(rng.integers(60, 80))}"
        for _ in range(int(rng.choice([0, 0, 1, 2])))
    ]
    return {
        "key": key,
        "chords": " | ".join(chords) + " |",
        "meter": _one_of(rng, *METERS),
        "bars": n_bars,
        "style": _one_of(rng, "folk", "lead-sheet", "chorale"),
        "rules": [random_rule(rng, n_bars) for _ in range(int(rng.integers(2, 9)))],
        "locks": locks,
    }


def outcome_of(seed: int, bars: Sequence[int] = BARS, causal: int = CAUSAL) -> tuple[str, str]:
    """Return what became of a request, and where it went wrong, if it did."""
    request = random_request(np.random.default_rng([7, seed]), bars)
    rules = request["rules"]
    try:
        score = generate(seed=seed, decoder="chain" if seed % causal else "causal", **request)
    except InfeasibleError as error:
        wrong = what_is_wrong_with(error, request)
        return ("refused", "") if not wrong else ("refused wrongly", wrong)
    except TooMuchToRememberError as error:
        return "too much to remember", str(error)
    except RequestError as error:
        kind = "too intertwined" if "keeps this too" in str(error) else "other refusal"
        return kind, str(error)
    laws = [rule for rule in rules if rule.is_law]
    found = audit(score, laws, track="Melody")  # also a silent one, in whose place the chords would be judged
    return ("violation", str(found[0])) if found else ("music", "")


def what_is_wrong_with(error: InfeasibleError, request: dict[str, Any]) -> str:
    """Check a blame anew: impossible together, possible without any one.

    Potentials are flat, with the pitches of the model, and the places where its notes may start and end.
    """
    potentials, moments, rules = _as_decoded(request)
    by_words = {str(rule): rule for rule in rules if rule.is_law}
    blamed = [by_words[words] for words in error.blame]
    asker = Asker(potentials, moments, blamed)
    try:
        if asker.is_possible(blamed):
            return f"possible all the same: {error}"
        for place in range(len(blamed)):
            if not asker.is_possible(blamed[:place] + blamed[place + 1 :]):
                return f"{blamed[place]} can be spared: {error}"
    except TooMuchToRememberError:
        return f"cannot be checked: {error}"
    return ""


def _as_decoded(request: dict[str, Any]) -> tuple[LinePotentials, list[Moment], list[Rule]]:
    model = load_model()
    read = read_request(
        key=request["key"], chords=request["chords"], bars=request["bars"], meter=request["meter"], bpm=110.0,
        style=request["style"], temperature=1.0, seed=0, form="period", styles=model.styles,
    )  # fmt: skip
    assert read.progression is not None
    bars = read.bar_map(model.model.config.steps_per_quarter)
    chords = chord_changes(read.progression, bars)
    rules, locks = request["rules"], request["locks"]
    config, shift = model.model.config, tonic_shift(read.key)
    alphabet = LineAlphabet(config.low - shift, config.high - shift)
    n_steps, bar_steps = bars.end_steps, bars.end_steps // bars.n_bars
    is_slot = np.isin(np.arange(n_steps) % bar_steps, config.grid.slots(bar_steps))
    step, arcs = np.zeros((n_steps, alphabet.n_symbols)), LineArcs.flat(alphabet.n_pitches)
    flat = LinePotentials(alphabet, step, arcs, closed=~is_slot)
    chosen = checked_locks(locks, chosen_rules(rules, (), chords, read.key), bars)
    return flat, moments_of(bars, read.key, chords), chosen


def small_case(seed: int) -> str:
    """Return what is wrong with the decoder on a request small enough to enumerate; empty if nothing is."""
    rng = np.random.default_rng([11, seed])
    meter = _one_of(rng, "2/4", "3/4")
    request = {**random_request(rng), "meter": meter, "bars": 2, "rules": [random_rule(rng, 2) for _ in range(5)]}
    bars_of = {"2/4": 2, "3/4": 3}[meter]
    chords = Progression.parse(str(request["chords"]))
    alphabet = LineAlphabet(64, 65)
    n_steps = 2 * bars_of
    bars = BarMap.build([(0, Meter.parse(meter))], steps_per_quarter=1, end_steps=n_steps)
    key = request["key"]
    moments = moments_of(bars, key, chord_changes(chords, bars))
    laws = [rule for rule in request["rules"] if rule.is_law]
    flat = LinePotentials(alphabet, np.zeros((n_steps, alphabet.n_symbols)), LineArcs.flat(alphabet.n_pitches))
    lines = [line for line in product(range(alphabet.n_symbols), repeat=n_steps) if _is_line(line)]
    kept = [line for line in lines if _keeps(alphabet, line, moments, laws)]
    if is_possible(flat, moments, laws) != bool(kept):
        return f"possible: {not kept} against {len(kept)} lines: {[rule_text(law) for law in laws]}"
    if kept or any(type(law).__name__ == "SameBars" for law in laws):
        return ""
    blame = irreducible_blame(flat, moments, laws)
    step = first_impossible_step(flat, moments, blame)
    for length in range(1, n_steps + 1):
        beginnings = {line[:length] for line in lines}
        if not any(_begins(alphabet, beginning, moments, blame) for beginning in beginnings):
            return "" if step == length - 1 else f"step {step}, expected {length - 1}: {[rule_text(b) for b in blame]}"
    return "" if step == n_steps - 1 else f"step {step}, expected the last: {[rule_text(b) for b in blame]}"


def _is_line(line: Sequence[int]) -> bool:
    return all(symbol != 1 or (i > 0 and line[i - 1] != 0) for i, symbol in enumerate(line))


def _notes(alphabet: LineAlphabet, line: Sequence[int]) -> list[LineNote]:
    return [LineNote(n.onset_steps, n.end_steps, n.pitch) for n in alphabet.decode(np.array(line))]


def _keeps(alphabet: LineAlphabet, line: Sequence[int], moments: Sequence[Moment], laws: Sequence[Rule]) -> bool:
    notes = _notes(alphabet, line)
    return all(law.has_place(moments) and next(law.breaches(notes, moments), None) is None for law in laws)


def _begins(alphabet: LineAlphabet, line: Sequence[int], moments: Sequence[Moment], laws: Sequence[Rule]) -> bool:
    for law in laws:
        memory = law.start(moments)
        for event, moment in zip(events_of(_notes(alphabet, line), len(line)), moments, strict=False):
            memory, broken = law.after(memory, event, moment)
            if broken:
                return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guarantee", description=__doc__)
    parser.add_argument("-n", type=int, default=10_000, help="requests (default: 10000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first; the others follow (default: 0)")
    parser.add_argument("--small", type=int, default=500, help="requests to enumerate (default: 500)")
    parser.add_argument(
        "--bars", default=",".join(map(str, BARS)), help="lengths to choose from (default: %(default)s)"
    )
    parser.add_argument("--causal", type=int, default=CAUSAL, help="one in so many is causal (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="a JSON file for the counts, written every 20 requests")
    options = parser.parse_args(arguments)
    bars = [int(bar) for bar in options.bars.split(",")]
    outcomes: Counter[str] = Counter()
    seconds: list[float] = []
    told: list[str] = []
    load_model()
    wrong = [f"small case {seed}: {what}" for seed in range(options.small) if (what := small_case(seed))]
    for done, seed in enumerate(range(options.seed, options.seed + options.n), start=1):
        start = time.process_time()
        outcome, what = outcome_of(seed, bars, options.causal)
        seconds.append(time.process_time() - start)
        outcomes[outcome] += 1
        if what:
            told.append(f"seed {seed}: {outcome}: {what}")
        if seconds[-1] > SLOW_SECONDS:
            told.append(f"seed {seed}: {outcome} in {seconds[-1]:.1f} seconds")
        if done % 20 == 0 or done == options.n:
            _report(options.out, outcomes, seconds, [*wrong, *told])
    print("\n".join([*wrong, *told]))
    print(json.dumps(dict(outcomes)), f"small cases wrong: {len(wrong)} of {options.small}")
    if seconds:
        figures = np.mean(seconds), *np.quantile(seconds, [0.5, 0.95, 0.99, 1.0])
        print("seconds a request: mean {:.3f}, median {:.3f}, 95% {:.3f}, 99% {:.3f}, most {:.2f}".format(*figures))
    return int(bool(wrong) or any(outcomes[bad] for bad in ("violation", "refused wrongly")))


def _report(path: Path | None, outcomes: Counter[str], seconds: Sequence[float], told: Sequence[str]) -> None:
    if path is not None:
        facts = {"outcomes": dict(outcomes), "seconds": [round(one, 3) for one in seconds], "told": list(told)}
        path.write_text(json.dumps(facts, indent=1), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
