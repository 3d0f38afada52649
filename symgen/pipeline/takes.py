"""What a musician does with an idea: new bars inside it, a way on from its end, variations of it.

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
from symgen.grid import BarMap
from symgen.pipeline.arrange import arrange, arrangement_of, shaped
from symgen.pipeline.ideas import Idea, posterior_latents, potentials_of, read_idea, redrawn_latents, with_bars
from symgen.pipeline.judged import judged_inside
from symgen.pipeline.onward import chords_onward
from symgen.pipeline.request import MAX_BARS, checked_locks, checked_seed, checked_temperature
from symgen.pipeline.rules import chosen_rules
from symgen.potentials import LinePotentials
from symgen.score import Note, Score
from theory.pitch import pitch_name
from theory.progression import Progression
from theory.rules import Lock, Range, Rule

__all__ = ["Take", "continue_", "infill", "vary"]

_Line = NDArray[np.int64]
_N_DRAWS = 16
_BONUS = 0.7
"""Nats by which each symbol of a melody that is varied by half is favoured."""


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
    free, rng = _free_steps(idea, first, end), np.random.default_rng(seed)
    line = _new_notes(idea, free, range(first, end), chosen, rng, temperature)
    score = _with_melody(idea, idea.score, line, free)
    said = (*idea.said, *said)
    return Take(_signed(score, f"infill bars {first + 1}-{end} seed {seed}"), seed, said)


def continue_(
    music: Score | str | Path | Idea,
    bars: int = 8,
    *,
    chords: Progression | str | None = None,
    chord_syntax: str | None = None,
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    locks: Sequence[Lock | str] = (),
    seed: int | None = None,
    temperature: float = 1.0,
    **reading: Any,
) -> Take:
    """Go on after the end of a piece, in its key, metre, tempo and style.

    Parameters
    ----------
    music
        A score, a file by its path, or an idea.
    bars
        How many bars are added.
    chords, chord_syntax
        Of the new bars, repeated to the end. If left out, those of the piece come again from its first bar; where it
        has none and only a melody they could be found in, they are composed. The take says which.
    rules, changed_rules, locks, seed, temperature
        As for :func:`infill`.
    **reading
        As for :func:`infill`, without the chords.

    Raises
    ------
    InfeasibleError
        If no melody there keeps the laws.
    RequestError
        If the piece gets too long, a number is out of range, or the piece none the model can take up.

    Notes
    -----
    The end is that of the bar in which the last note ends. Tracks named Chords and Bass go on too, as our own songs
    have them; others fall silent.
    """
    idea, seed = read_idea(music, **reading), checked_seed(seed)
    checked_temperature(temperature)
    n_before = idea.bars.n_bars
    if bars < 1 or n_before + bars > MAX_BARS:
        msg = f"{bars} more bars after {n_before}: expected at least 1, and at most {MAX_BARS} in all"
        raise RequestError(msg)
    rng = np.random.default_rng(seed)
    onward, chords_said = chords_onward(idea, bars, chords, chord_syntax, rng)
    longer = with_bars(idea, n_before + bars, onward)
    chosen, said = _chosen(longer, rules, changed_rules, locks)
    fresh = range(n_before, n_before + bars)
    free = _Free(idea.bars.end_steps, longer.bars.end_steps, longer.bars.end_steps)
    line = _new_notes(longer, free, fresh, chosen, rng, temperature)
    score = _with_melody(longer, _lengthened(longer, free.start), line, free)
    words = tuple(word for word in (*idea.said, chords_said, *said) if word)
    return Take(_signed(score, f"continue bars {bars} seed {seed}"), seed, words)


def _lengthened(idea: Idea, start: int) -> Score:
    """Return the piece with room for the bars from a step on, with their chords and its own accompaniment."""
    score, first = idea.score, start * idea.ratio
    later = tuple(replace(c, onset_steps=c.onset_steps * idea.ratio) for c in idea.chords)
    bars = BarMap(idea.bars.starts * idea.ratio, idea.bars.meters, score.steps_per_quarter)
    band = {track.name: track for track in arrange((), later, bars, arrangement_of(idea.style))[1:]}
    tracks = list(score.tracks)
    if set(band) <= {track.name for track in tracks}:
        for number, track in enumerate(tracks):
            more = [note for note in band[track.name].notes if note.onset_steps >= first] if track.name in band else []
            tracks[number] = replace(track, notes=(*track.notes, *more))
    return replace(
        score,
        tracks=tuple(tracks),
        meters=tuple(change for change in score.meters if change.onset_steps < first),
        chords=(*(c for c in score.chords if c.onset_steps < first), *(c for c in later if c.onset_steps >= first))
        if score.chords
        else (),
        end_steps=bars.end_steps,
    )


def vary(
    music: Score | str | Path | Idea,
    amount: float,
    *,
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    locks: Sequence[Lock | str] = (),
    seed: int | None = None,
    temperature: float = 1.0,
    **reading: Any,
) -> Take:
    """Vary the melody of a piece; everything else stays.

    Parameters
    ----------
    music
        A score, a file by its path, or an idea.
    amount
        From 0, the piece as it is, whatever the rules, to 1, a fresh melody over the same chords.
    rules, changed_rules, locks, seed, temperature
        As for :func:`infill`.
    **reading
        As for :func:`infill`.

    Raises
    ------
    InfeasibleError
        If no melody keeps the laws.
    RequestError
        If a number is out of range, or the piece none the model can take up.

    Notes
    -----
    The latents lie on the arc from those of the melody to some drawn from the prior, and each symbol of the melody has
    a bonus that falls from infinity to nothing. With one seed, chance is the same for every amount. Notes that come
    out as they were stay as they were played. Of a melody of several voices only the highest is left.
    """
    if not 0 <= amount <= 1:
        msg = f"amount {amount}: expected 0 to 1"
        raise RequestError(msg)
    idea, seed = read_idea(music, **reading), checked_seed(seed)
    checked_temperature(temperature)
    chosen, said = _chosen(idea, rules, changed_rules, locks)
    said = (*idea.said, *said)
    if amount == 0:
        return Take(idea.score, seed, said)
    rng, every = np.random.default_rng(seed), range(idea.bars.n_bars)
    own = posterior_latents(idea, idea.line, every)
    latents = _arc(own, redrawn_latents(idea, own, every, rng, temperature), amount)
    potentials = potentials_of(idea, latents, 0, len(every)).at_temperature(temperature)
    potentials.step[np.arange(len(idea.line)), idea.line] += _BONUS * (1 - amount) / amount
    free = _Free(0, len(idea.line), len(idea.line))
    score = _with_melody(idea, idea.score, _drawn(idea, idea.line, free, potentials, chosen, rng), free, is_own=True)
    return Take(_signed(score, f"vary amount {amount:g} seed {seed}"), seed, said)


def _arc(one: NDArray[np.float32], other: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Return what lies on the way from one array of latents to another, no nearer to the middle of them all."""
    angle = share * np.pi / 2
    mixed: NDArray[np.float32] = (np.cos(angle) * one + np.sin(angle) * other).astype(np.float32)
    return mixed


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


def _new_notes(
    idea: Idea, free: _Free, fresh: range, rules: Sequence[Rule], rng: np.random.Generator, temperature: float
) -> _Line:
    """Return the line with new notes at the free steps: fresh bars have new latents, then all is drawn given the rest.

    Silence is no answer to who asks for notes. So it is drawn anew, latents and all, which is the law given that some
    note starts; after some draws silence is taken for all there is.
    """
    emptied = idea.line.copy()
    emptied[free.start : free.end] = REST  # what goes must not be heard in what comes
    given, last = posterior_latents(idea, emptied, fresh), min(fresh.stop + 1, idea.bars.n_bars)
    for _ in range(_N_DRAWS):
        latents = redrawn_latents(idea, given, fresh, rng, temperature)
        potentials = potentials_of(idea, latents, fresh.start, last).at_temperature(temperature)
        line = _drawn(idea, idea.line, free, potentials, rules, rng)
        if (line[free.start : free.border] >= N_SPECIAL).any():
            break
    return line


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


def _with_melody(idea: Idea, score: Score, line: _Line, free: _Free, *, is_own: bool = False) -> Score:
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


def _signed(score: Score, what: str) -> Score:
    """Return a score whose recipe says what was done to it."""
    recipe = dict(score.recipe)
    recipe["then"] = f"{recipe['then']}; {what}" if "then" in recipe else what
    return replace(score, recipe=tuple(recipe.items()))
