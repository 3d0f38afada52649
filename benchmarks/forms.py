"""Forms under random rules: nothing is violated, nothing is refused for the form's sake, and how much form is left.

``python -m benchmarks.forms -n 200 --seed 0`` draws requests as :mod:`benchmarks.guarantee` does, each with a form in
letters. Music is judged by the audit; a request that is refused must be refused without a form too. Of the
repeats it counts those that came back note for note, and of the phrases those whose cadence is a law.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np

from benchmarks.guarantee import random_request
from symgen.errors import InfeasibleError, RequestError
from symgen.pipeline.form import Form, read_form
from symgen.pipeline.generate import generate, generate_many
from symgen.pipeline.request import checked_locks
from symgen.score import Score

FORMS = {2: ["A A", "A A'", "A B"], 3: ["A B A", "A A' B"], 4: ["A A' B A", "A B A B", "A A B A"]}
FORMS[8] = FORMS[4]


def outcome_of(seed: int) -> Counter[str]:
    """Count what became of a request: violations, refusals, repeats, cadences."""
    rng = np.random.default_rng(seed)
    request = random_request(rng)
    form = str(rng.choice(FORMS[request["bars"]]))
    counts: Counter[str] = Counter()
    start = time.perf_counter()
    try:
        take = generate_many(1, seed=seed, form=form, **request)[0]
    except (InfeasibleError, RequestError) as error:
        counts["refused" if is_refused_anyway(seed, request, error) else "refused for the form"] += 1
        return counts
    counts["milliseconds"] = round(1000 * (time.perf_counter() - start))
    counts["music"] = 1
    rules = checked_locks(request.get("locks", ()), request["rules"], take.score.bars)
    laws = [rule for rule in rules if rule.is_law]
    counts["violations"] = len(take.score.audit(laws, track="Melody"))  # which may be silent
    return counts + kept(take.score, take.said, read_form(form, bars=request["bars"]))


def is_refused_anyway(seed: int, request: dict[str, object], error: Exception) -> bool:
    """Whether the same request is refused without a form."""
    try:
        generate(seed=seed, form="free", decoder="chain", **request)  # type: ignore[arg-type]  # as random_request has it
    except type(error):
        return True
    return False


def kept(score: Score, said: tuple[str, ...], form: Form) -> Counter[str]:
    """Count the repeats of a form, those that came back, and those that were not claimed to and yet should have."""
    counts: Counter[str] = Counter()
    words = "; ".join(said)
    counts["phrases"] = len(form.sections)
    counts["phrases said to have no cadence as a law"] = sum(
        word.split(":")[0].count(",") + 1 for word in said if "cadence is preferred" in word
    )
    for section in form.sections:
        if section.like is not None:
            parts = [notes_of(score, form.sections[section.like].first, section.n_bars)]
            parts.append(notes_of(score, section.first, section.n_bars))
            counts["repeats"] += 1
            counts["came back"] += parts[0] == parts[1]
            counts["unsaid"] += parts[0] != parts[1] and f"{section.bars} var" not in words
    return counts


def notes_of(score: Score, first: int, n_bars: int) -> list[tuple[int, int, int]]:
    """Return onset, length and pitch of the melody's notes in some bars, from their start."""
    low, high = int(score.bars.starts[first]), int(score.bars.starts[first + n_bars])
    inside = [note for note in score.tracks[0].notes if low <= note.onset_steps < high]
    return [(note.onset_steps - low, note.duration_steps, note.pitch) for note in inside]


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    total: Counter[str] = Counter()
    times = []
    for seed in range(asked.seed, asked.seed + asked.n):
        counts = outcome_of(seed)
        times += [counts.pop("milliseconds")] if "milliseconds" in counts else []
        for name in ("violations", "unsaid", "refused for the form"):
            if counts[name]:
                print(f"seed {seed}: {name}", flush=True)
        total += counts
    for name, count in sorted(total.items()):
        print(f"{name}: {count}")
    print(f"seconds a song: median {np.median(times) / 1000:.2f}, 90% below {np.quantile(times, 0.9) / 1000:.2f}")


if __name__ == "__main__":
    main()
