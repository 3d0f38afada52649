"""Drawing a part of a melody anew: every other note is a condition of the law, and stays as it was.

>>> from symgen.pipeline.ideas import read_idea
>>> from symgen.score import Track
>>> song = Score(4, (Track("Melody", tuple(Note(4 * i, 4, 60 + i % 5) for i in range(12))),), end_steps=48)
>>> idea = read_idea(song, key="C", chords="C")
>>> free = free_steps(idea, 1, 2)
>>> line = new_notes(idea, free, range(1, 2), [], np.random.default_rng(1), 1.0)
>>> [place for place in range(3) if (line != idea.line)[48 * place : 48 * place + 48].any()]
[1]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, N_SPECIAL, REST
from symgen.decode.draw import check_plain_laws
from symgen.decode.plan import LinePlan, plan_line
from symgen.errors import RequestError
from symgen.pipeline.arrange import shaped
from symgen.pipeline.draws import draw_lines, with_potentials
from symgen.pipeline.ideas import Idea, posterior_latents, potentials_of, redrawn_latents
from symgen.pipeline.judged import judged_inside
from symgen.pipeline.request import checked_locks
from symgen.pipeline.rules import chosen_rules
from symgen.pipeline.steer import Meant, can_be_steered, steered_lines
from symgen.potentials import LinePotentials
from symgen.score import Note, Score
from theory.pitch import pitch_name
from theory.rules import Lock, Range, Rule

__all__ = [
    "Free",
    "drawn_line",
    "drawn_lines",
    "emptied",
    "free_steps",
    "new_lines",
    "new_notes",
    "plan_of",
    "rules_of",
    "signed",
    "with_melody",
]

_Line = NDArray[np.int64]
_N_DRAWS = 16


def rules_of(
    idea: Idea, rules: Sequence[Rule | str] | str | None, changed: Sequence[Rule | str], locks: Sequence[Lock | str]
) -> tuple[list[Rule], tuple[str, ...]]:
    """Return the rules of a request, and what is to be said of them."""
    chosen = chosen_rules(rules, changed, idea.chords, idea.keys[-1].key)
    said: tuple[str, ...] = ()
    pitches = idea.line[idea.line >= N_SPECIAL] - N_SPECIAL + idea.alphabet.low
    widened = [rule for rule in chosen if rule == Range(60, 81)] if rules is None and len(pitches) else []
    if widened and not 60 <= pitches.min() <= pitches.max() <= 81:
        low, high = int(min(pitches.min(), max(pitches.max() - 12, 60))), int(max(pitches.max(), pitches.min() + 12))
        chosen = [Range(low, high) if rule in widened else rule for rule in chosen]
        said = (f"range {pitch_name(low)} to {pitch_name(high)}, that of the melody",)
    return checked_locks(locks, chosen, idea.bars), said


@dataclass(frozen=True, slots=True)
class Free:
    """Steps of a line that are drawn.

    Parameters
    ----------
    start, end
        The first one and the one after the last.
    border
        From here on nothing new starts, and a note may only ring out.
    """

    start: int
    border: int
    end: int


def free_steps(idea: Idea, first: int, end: int) -> Free:
    """Return the steps of some bars, less what is held into them, and with what is held out of them."""
    start, border = int(idea.bars.starts[first]), int(idea.bars.starts[end])
    begun, over = _held_from(idea.line, start), _held_from(idea.line, border)
    if begun >= border:
        msg = f"bars {first + 1} to {end}: a note held from before fills them: nothing to draw"
        raise RequestError(msg)
    return Free(begun, border, over)


def _held_from(line: _Line, step: int) -> int:
    """Return the first step from ``step`` on that is no hold."""
    going_on = np.flatnonzero(line[step:] != HOLD)
    return step + int(going_on[0]) if len(going_on) else len(line)


def emptied(idea: Idea, free: Free) -> Idea:
    """Return an idea without the notes at its free steps: what goes must not be heard in what comes."""
    line = idea.line.copy()
    line[free.start : free.end] = REST
    sources = {step: note for step, note in idea.sources.items() if not free.start <= step < free.border}
    return replace(idea, line=line, sources=sources)


def new_notes(
    idea: Idea, free: Free, fresh: range, rules: Sequence[Rule], rng: np.random.Generator, temperature: float
) -> _Line:
    """Return the line with new notes at the free steps: fresh bars have new latents, then all is drawn given the rest.

    Silence is no answer to who asks for notes. So it is drawn anew, latents and all, which is the law given that some
    note starts; after some draws silence is taken for all there is.
    """
    return new_lines(idea, free, fresh, rules, rng, temperature, 1)[0][0]


def new_lines(
    idea: Idea,
    free: Free,
    fresh: range,
    rules: Sequence[Rule],
    rng: np.random.Generator,
    temperature: float,
    n: int,
    decoder: str = "chain",
) -> list[tuple[_Line, float]]:
    """Return several lines as :func:`new_notes` gives one, drawn at once, and the log-probability of each in nats.

    The causal decoder draws where it can: see :mod:`symgen.pipeline.steer`.
    """
    given, last = posterior_latents(idea, idea.line, fresh), min(fresh.stop + 1, idea.bars.n_bars)
    silent: list[tuple[_Line, float]] = []
    found: list[tuple[_Line, float]] = []
    for _ in range(_N_DRAWS):
        latents = [redrawn_latents(idea, given, fresh, rng, temperature) for _ in range(n - len(found))]
        potentials = [potentials_of(idea, z, fresh.start, last).at_temperature(temperature) for z in latents]
        meant = _Meant(tuple(latents), temperature) if decoder == "causal" else None
        lines = drawn_lines(idea, idea.line, free, potentials, rules, rng, meant)
        sounds = [bool((line[free.start : free.border] >= N_SPECIAL).any()) for line, _ in lines]
        found += [one for one, is_heard in zip(lines, sounds, strict=True) if is_heard]
        silent = [one for one, is_heard in zip(lines, sounds, strict=True) if not is_heard]
        if not silent:
            break
    return [*found, *silent]


def drawn_line(
    idea: Idea, line: _Line, free: Free, potentials: LinePotentials, rules: Sequence[Rule], rng: np.random.Generator
) -> _Line:
    """Return the line with its free steps drawn from the law of the lattice given all others."""
    return drawn_lines(idea, line, free, [potentials], rules, rng)[0][0]


def drawn_lines(
    idea: Idea,
    line: _Line,
    free: Free,
    potentials: Sequence[LinePotentials],
    rules: Sequence[Rule],
    rng: np.random.Generator,
    meant: _Meant | None = None,
) -> list[tuple[_Line, float]]:
    """Return a line as :func:`drawn_line` does for each potentials, and how likely its free steps were, in nats.

    Where latents are told too, the causal decoder draws if it can.
    """
    part, plan = plan_of(idea, line, free, potentials[0], rules)
    others = (_open_part(idea, line, free, one, part) for one in potentials[1:])
    plans = [plan, *(with_potentials(plan, other) for other in others)]
    told = None if meant is None else _told(idea, line, part, meant)
    if told is not None and can_be_steered(plans):
        steered = steered_lines(plans, told, rng, [one.part(part) for one in potentials])
        found = [(one.line, one.log_probability) for one in steered]
    else:
        found = draw_lines(plans, rng)
    made = []
    for steps, log_chance in found:
        drawn = line.copy()
        drawn[part] = steps
        made.append((drawn, log_chance))
    return made


@dataclass(frozen=True, slots=True)
class _Meant:
    """Latents of all bars for each of several lines, and the temperature they are decoded at."""

    latents: tuple[NDArray[np.float32], ...]
    temperature: float


def _told(idea: Idea, line: _Line, part: slice, meant: _Meant) -> list[Meant] | None:
    """Return what the causal decoder is to know; none where the metre changes on the way."""
    model, starts = idea.checkpoint.model, idea.bars.starts
    of_part = (int(np.searchsorted(starts, step, side="right")) - 1 for step in (part.start, part.stop - 1))
    first, last = of_part
    first = max(first - model.config.max_bars, 0) if part.start else 0
    bars = range(first, last + 1)
    lengths = {int(starts[bar + 1] - starts[bar]) for bar in bars}
    if len(lengths) > 1:
        return None
    slots = idea.slots[(idea.slots >= starts[first]) & (idea.slots < part.start)]
    before = _opened(line[slots])
    steps = slice(int(starts[first]), int(starts[last + 1]))
    features = idea.features[steps].reshape(len(bars), lengths.pop(), -1)
    return [Meant(model, one[first : last + 1], features, meant.temperature, before) for one in meant.latents]


def _opened(symbols: _Line) -> _Line:
    """Return symbols without the holds of a note that began before them."""
    going_on = np.flatnonzero(symbols != HOLD)
    opened = symbols.copy()
    opened[: going_on[0] if len(going_on) else len(opened)] = REST
    return opened


def plan_of(
    idea: Idea, line: _Line, free: Free, potentials: LinePotentials, rules: Sequence[Rule]
) -> tuple[slice, LinePlan]:
    """Return the law of the free steps, and which steps it is of.

    These are the free ones and the given notes on either side, or all of the line if a rule remembers more.

    Raises
    ------
    InfeasibleError
        If rules without a memory leave no line.
    """
    onsets = np.flatnonzero(line >= N_SPECIAL)
    before, after = onsets[onsets < free.start], onsets[onsets >= free.end]
    following = int(after[0]) if len(after) else None
    whole = any(rule.remembers for rule in rules)
    first = 0 if whole else int(before[-1]) if len(before) else free.start
    part = slice(first, len(line) if whole or following is None else following + 1)
    inside = judged_inside(rules, idea.moments, free.start, free.end, following, by_step=whole)
    given = _open_part(idea, line, free, potentials, part)
    check_plain_laws(given, idea.moments[part], inside)
    return part, plan_line(given, idea.moments[part], inside)


def _open_part(idea: Idea, line: _Line, free: Free, potentials: LinePotentials, part: slice) -> LinePotentials:
    """Return the potentials of some steps, which leave only the free ones a choice."""
    return replace(potentials, step=_given(idea, line, free, potentials.step)).part(part)


def _given(idea: Idea, line: _Line, free: Free, step: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return step weights that leave only free steps a choice."""
    fixed = np.full_like(step, -np.inf)
    fixed[np.arange(len(line)), line] = 0.0
    fixed[free.start : free.end] = step[free.start : free.end]
    fixed[free.border : free.end, N_SPECIAL:] = -np.inf
    for note in _kept(idea, free):  # one that rings on a little past the grid is not struck again under itself
        if idea.alphabet.low <= note.pitch <= idea.alphabet.high:
            last = min(-(-note.end_steps // idea.ratio), free.border)
            fixed[free.start : last, idea.alphabet.symbol(note.pitch)] = -np.inf
    return fixed


def _kept(idea: Idea, free: Free) -> list[Note]:
    """Return the notes of the melody's track that start before the free steps and sound in them."""
    start = free.start * idea.ratio
    notes = idea.score.tracks[idea.track].notes
    return [n for n in notes if not _is_inside(idea, n, free) and n.onset_steps < start < n.end_steps]


def _is_inside(idea: Idea, note: Note, free: Free) -> bool:
    """Whether a note starts, by the model's grid, where the line is drawn."""
    return free.start <= idea.slot_of(note.onset_steps) < free.border


def with_melody(idea: Idea, score: Score, line: _Line, free: Free, *, is_own: bool = False) -> Score:
    """Return a score whose melody has the notes of the line at the free steps, and its own elsewhere.

    Where ``is_own``, notes of the line that are those of the melody stay as they were played.
    """
    track = score.tracks[idea.track]
    drawn = [note for note in idea.alphabet.decode(line) if free.start <= note.onset_steps < free.border]
    notes = [note for note in track.notes if not _is_inside(idea, note, free)]
    same = set(idea.alphabet.decode(idea.line)) & set(drawn) if is_own else set()
    notes += [idea.sources[note.onset_steps] for note in same]
    notes += [_on_grid(note, idea.ratio) for note in _voiced(idea, [note for note in drawn if note not in same])]
    tracks = list(score.tracks)
    tracks[idea.track] = replace(track, notes=tuple(notes))
    return score.with_tracks(tracks)


def _on_grid(note: Note, ratio: int) -> Note:
    return replace(note, onset_steps=note.onset_steps * ratio, duration_steps=note.duration_steps * ratio)


def _voiced(idea: Idea, notes: Sequence[Note]) -> list[Note]:
    """Return notes as loud as the metre has them, all shifted to the loudness of the melody."""
    given = [Note(step, 1, source.pitch, source.velocity) for step, source in idea.sources.items()]
    usual = shaped(given, idea.bars)
    shift = round(float(np.mean([a.velocity - b.velocity for a, b in zip(given, usual, strict=True)]))) if given else 0
    return [replace(n, velocity=min(max(n.velocity + shift, 1), 127)) for n in shaped(notes, idea.bars)]


def signed(score: Score, what: str) -> Score:
    """Return a score whose recipe says what was done to it."""
    recipe = dict(score.recipe)
    recipe["then"] = f"{recipe['then']}; {what}" if "then" in recipe else what
    return replace(score, recipe=tuple(recipe.items()))
