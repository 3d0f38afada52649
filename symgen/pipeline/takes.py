"""What a musician does with an idea: new bars inside it, a way on from its end.

Everything that is not to be new is a *condition*: the new notes are drawn from the law of the model's lattice given
the notes around them, under rules that judge only what is new (:mod:`symgen.pipeline.judged`). The latents of bars
that stay are those the encoder gives them; the latents of new bars are drawn from the prior given the bars before.

>>> from symgen.pipeline.generate import generate
>>> song = generate(key="A minor", chords="Am F | C G", bars=4, seed=7)
>>> take = infill(song, (2, 3), seed=1)
>>> bar = song.bars.starts
>>> old, new = ({n for n in s.tracks[0].notes if not bar[1] <= n.onset_steps < bar[3]} for s in (song, take.score))
>>> old == new, song.tracks[1:] == take.score.tracks[1:]
(True, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, N_SPECIAL, REST
from symgen.decode.draw import check_plain_laws, draw_line
from symgen.decode.plan import LinePlan, plan_line
from symgen.errors import RequestError
from symgen.pipeline.arrange import shaped
from symgen.pipeline.ideas import Idea, posterior_latents, potentials_of, read_idea, redrawn_latents
from symgen.pipeline.judged import judged_inside
from symgen.pipeline.request import checked_locks, checked_seed, checked_temperature
from symgen.pipeline.rules import chosen_rules
from symgen.potentials import LinePotentials
from symgen.score import Note, Score
from theory.pitch import pitch_name
from theory.rules import Lock, Range, Rule

__all__ = ["Take", "infill"]

_Line = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Take:
    """A piece made from another.

    Parameters
    ----------
    score
        The piece.
    seed
        What decided the new notes.
    said
        Where key and chords come from, what was chosen and what rounded, in words.
    """

    score: Score
    seed: int
    said: tuple[str, ...]


def infill(
    music: Score | str | Path | Idea,
    bars: tuple[int, int],
    *,
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    locks: Sequence[Lock | str] = (),
    seed: int | None = None,
    temperature: float = 1.0,
    **reading: Any,
) -> Take:
    """Draw a new melody in some bars; all other notes stay as they are.

    Parameters
    ----------
    music
        A score, a file by its path, or what :func:`symgen.pipeline.ideas.read_idea` has made of one.
    bars
        The first and the last bar that get a new melody, counted from 1.
    rules, changed_rules, locks
        What holds for the new notes and the moves into and out of them, as for :func:`symgen.generate`. The default
        range is widened to that of the melody.
    seed
        Whatever is random follows from it; chosen if left out.
    temperature
        1 is the model's own law; less is more cautious.
    **reading
        How a piece is read: ``track``, ``key``, ``chords``, ``chord_syntax``, ``style`` and ``checkpoint`` of
        :func:`symgen.pipeline.ideas.read_idea`.

    Raises
    ------
    InfeasibleError
        If no melody there keeps the laws.
    RequestError
        If a bar is not there, a number out of range, or the piece none the model can take up.

    Notes
    -----
    A note belongs to the bar in which it starts, by the model's grid. One held into the bars stays as long as it is;
    new notes may ring over the end of the bars as far as an old one did.
    """
    idea, seed = read_idea(music, **reading), checked_seed(seed)
    checked_temperature(temperature)
    first, end = _checked_bars(idea, bars)
    chosen, said = _chosen(idea, rules, changed_rules, locks)
    rng = np.random.default_rng(seed)
    free = _free_steps(idea, first, end)
    emptied = idea.line.copy()
    emptied[free.start : free.end] = REST  # what goes must not be heard in what comes
    fresh = range(first, end)
    latents = redrawn_latents(idea, posterior_latents(idea, emptied, fresh), fresh, rng, temperature)
    potentials = potentials_of(idea, latents, first, min(end + 1, idea.bars.n_bars)).at_temperature(temperature)
    line = _drawn(idea, idea.line, free, potentials, chosen, rng)
    score = _with_melody(idea, idea.score, line, free)
    said = (*idea.said, *said)
    return Take(_signed(score, f"infill bars {first + 1}-{end} seed {seed}"), seed, said)


def _checked_bars(idea: Idea, bars: tuple[int, int]) -> tuple[int, int]:
    """Return the first bar counted from 0, and the one after the last."""
    first, last = bars
    if not 1 <= first <= last <= idea.bars.n_bars:
        msg = f"bars {first} to {last}: expected bars from 1 to {idea.bars.n_bars}, in their order"
        raise RequestError(msg)
    return first - 1, last


def _chosen(
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
class _Free:
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


def _free_steps(idea: Idea, first: int, end: int) -> _Free:
    """Return the steps of some bars, less what is held into them, and with what is held out of them."""
    start, border = int(idea.bars.starts[first]), int(idea.bars.starts[end])
    begun, over = _held_from(idea.line, start), _held_from(idea.line, border)
    if begun >= border:
        msg = f"bars {first + 1} to {end}: a note held from before fills them: nothing to draw"
        raise RequestError(msg)
    return _Free(begun, border, over)


def _held_from(line: _Line, step: int) -> int:
    """Return the first step from ``step`` on that is no hold."""
    going_on = np.flatnonzero(line[step:] != HOLD)
    return step + int(going_on[0]) if len(going_on) else len(line)


def _drawn(
    idea: Idea, line: _Line, free: _Free, potentials: LinePotentials, rules: Sequence[Rule], rng: np.random.Generator
) -> _Line:
    """Return the line with its free steps drawn from the law of the lattice given all others."""
    part, plan = _plan(idea, line, free, potentials, rules)
    drawn = line.copy()
    drawn[part] = draw_line(plan, rng)
    return drawn


def _plan(
    idea: Idea, line: _Line, free: _Free, potentials: LinePotentials, rules: Sequence[Rule]
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
    given = replace(potentials, step=_given(idea, line, free, potentials.step)[part])
    check_plain_laws(given, idea.moments[part], inside)
    return part, plan_line(given, idea.moments[part], inside)


def _given(idea: Idea, line: _Line, free: _Free, step: NDArray[np.float64]) -> NDArray[np.float64]:
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


def _kept(idea: Idea, free: _Free) -> list[Note]:
    """Return the notes of the melody's track that start before the free steps and sound in them."""
    start = free.start * idea.ratio
    notes = idea.score.tracks[idea.track].notes
    return [n for n in notes if not _is_inside(idea, n, free) and n.onset_steps < start < n.end_steps]


def _is_inside(idea: Idea, note: Note, free: _Free) -> bool:
    """Whether a note starts, by the model's grid, where the line is drawn."""
    return free.start <= (2 * note.onset_steps + idea.ratio) // (2 * idea.ratio) < free.border


def _with_melody(idea: Idea, score: Score, line: _Line, free: _Free) -> Score:
    """Return a score whose melody has the notes of the line at the free steps, and its own elsewhere."""
    track = score.tracks[idea.track]
    drawn = [note for note in idea.alphabet.decode(line) if free.start <= note.onset_steps < free.border]
    notes = [note for note in track.notes if not _is_inside(idea, note, free)]
    notes += [_on_grid(note, idea.ratio) for note in _voiced(idea, drawn)]
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


def _signed(score: Score, what: str) -> Score:
    """Return a score whose recipe says what was done to it."""
    recipe = dict(score.recipe)
    recipe["then"] = f"{recipe['then']}; {what}" if "then" in recipe else what
    return replace(score, recipe=tuple(recipe.items()))
