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

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.errors import RequestError
from symgen.grid import BarMap
from symgen.pipeline.arrange import arrange, arrangement_of
from symgen.pipeline.ideas import Idea, posterior_latents, potentials_of, read_idea, redrawn_latents, with_bars
from symgen.pipeline.onward import chords_onward
from symgen.pipeline.ranking import Drawn, Take, checked_number, ranked
from symgen.pipeline.redraw import Free, drawn_lines, emptied, free_steps, new_lines, rules_of, signed, with_melody
from symgen.pipeline.request import MAX_BARS, checked_seed, checked_temperature
from symgen.pipeline.steer import checked_decoder
from symgen.potentials import LinePotentials
from symgen.score import Score
from theory.progression import Progression
from theory.rules import Lock, Rule

__all__ = ["Take", "continue_", "continue_many", "infill", "infill_many", "vary", "vary_many"]

_Line = NDArray[np.int64]

_BONUS = 0.7
"""Nats by which each symbol of a melody that is varied by half is favoured."""


def infill(
    music: Score | str | Path | Idea,
    bars: tuple[int, int],
    *,
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    locks: Sequence[Lock | str] = (),
    seed: int | None = None,
    temperature: float = 1.0,
    decoder: str = "causal",
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
    decoder
        ``"causal"`` or, exact and faster, ``"chain"``, as for :func:`symgen.generate`. Where the metre changes among
        the bars that matter, and where rules are judged one by one, it is the chain.
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
    asked: dict[str, Any] = {
        "rules": rules,
        "changed_rules": changed_rules,
        "locks": locks,
        "seed": seed,
        "temperature": temperature,
        "decoder": decoder,
    }
    return infill_many(music, bars, 1, **asked, **reading)[0]


def infill_many(
    music: Score | str | Path | Idea,
    bars: tuple[int, int],
    n: int,
    *,
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    locks: Sequence[Lock | str] = (),
    seed: int | None = None,
    temperature: float = 1.0,
    decoder: str = "causal",
    **reading: Any,
) -> list[Take]:
    """Make several takes of :func:`infill` at once, the likeliest first, no two nearly the same.

    Parameters
    ----------
    music, bars, rules, changed_rules, locks, seed, temperature, decoder, **reading
        As for :func:`infill`.
    n
        How many, 1 to 256; fewer come where the rest are near-copies. See :mod:`symgen.pipeline.ranking`.
    """
    checked_number(n)
    idea, seed = read_idea(music, **reading), checked_seed(seed)
    checked_temperature(temperature)
    checked_decoder(decoder)
    first, end = _checked_bars(idea, bars)
    free, rng = free_steps(idea, first, end), np.random.default_rng(seed)
    idea = emptied(idea, free)
    chosen, said = rules_of(idea, rules, changed_rules, locks)

    def draw(k: int) -> list[Drawn[_Line]]:
        lines = new_lines(idea, free, range(first, end), chosen, rng, temperature, k, decoder)
        return _as_drawn(idea, free, lines)

    what = f"infill bars {first + 1}-{end} seed {seed}"
    return _ranked(draw, n, seed, (*idea.said, *said), what, lambda line: with_melody(idea, idea.score, line, free))


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
    decoder: str = "causal",
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
    rules, changed_rules, locks, seed, temperature, decoder
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
    asked: dict[str, Any] = {
        "rules": rules,
        "changed_rules": changed_rules,
        "locks": locks,
        "seed": seed,
        "temperature": temperature,
        "decoder": decoder,
    }
    return continue_many(music, bars, 1, chords=chords, chord_syntax=chord_syntax, **asked, **reading)[0]


def continue_many(
    music: Score | str | Path | Idea,
    bars: int,
    n: int,
    *,
    chords: Progression | str | None = None,
    chord_syntax: str | None = None,
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    locks: Sequence[Lock | str] = (),
    seed: int | None = None,
    temperature: float = 1.0,
    decoder: str = "causal",
    **reading: Any,
) -> list[Take]:
    """Make several takes of :func:`continue_` at once, over the same chords, the likeliest first, none nearly the same.

    Parameters
    ----------
    music, bars, chords, chord_syntax, rules, changed_rules, locks, seed, temperature, decoder, **reading
        As for :func:`continue_`.
    n
        How many, 1 to 256; fewer come where the rest are near-copies. See :mod:`symgen.pipeline.ranking`.
    """
    checked_number(n)
    idea, seed = read_idea(music, **reading), checked_seed(seed)
    checked_temperature(temperature)
    checked_decoder(decoder)
    n_before = idea.bars.n_bars
    if bars < 1 or n_before + bars > MAX_BARS:
        msg = f"{bars} more bars after {n_before}: expected at least 1, and at most {MAX_BARS} in all"
        raise RequestError(msg)
    rng = np.random.default_rng(seed)
    onward, chords_said = chords_onward(idea, bars, chords, chord_syntax, rng)
    longer = with_bars(idea, n_before + bars, onward)
    chosen, said = rules_of(longer, rules, changed_rules, locks)
    free = Free(idea.bars.end_steps, longer.bars.end_steps, longer.bars.end_steps)

    def draw(k: int) -> list[Drawn[_Line]]:
        fresh = range(n_before, n_before + bars)
        return _as_drawn(longer, free, new_lines(longer, free, fresh, chosen, rng, temperature, k, decoder))

    words = tuple(word for word in (*idea.said, chords_said, *said) if word)
    room = _lengthened(longer, free.start)
    what = f"continue bars {bars} seed {seed}"
    return _ranked(draw, n, seed, words, what, lambda line: with_melody(longer, room, line, free))


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
    asked: dict[str, Any] = {
        "rules": rules,
        "changed_rules": changed_rules,
        "locks": locks,
        "seed": seed,
        "temperature": temperature,
    }
    return vary_many(music, amount, 1, **asked, **reading)[0]


def vary_many(
    music: Score | str | Path | Idea,
    amount: float,
    n: int,
    *,
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    locks: Sequence[Lock | str] = (),
    seed: int | None = None,
    temperature: float = 1.0,
    **reading: Any,
) -> list[Take]:
    """Make several takes of :func:`vary` at once, the likeliest first, no two nearly the same.

    Parameters
    ----------
    music, amount, rules, changed_rules, locks, seed, temperature, **reading
        As for :func:`vary`; by the amount 0 there is but one take, the piece itself.
    n
        How many, 1 to 256; fewer come where the rest are near-copies. See :mod:`symgen.pipeline.ranking`.
    """
    checked_number(n)
    if not 0 <= amount <= 1:
        msg = f"amount {amount}: expected 0 to 1"
        raise RequestError(msg)
    idea, seed = read_idea(music, **reading), checked_seed(seed)
    checked_temperature(temperature)
    chosen, said = rules_of(idea, rules, changed_rules, locks)
    said = (*idea.said, *said)
    if amount == 0:
        return [Take(idea.score, seed, said, 0.0)]
    rng, free = np.random.default_rng(seed), Free(0, len(idea.line), len(idea.line))
    own = posterior_latents(idea, idea.line, range(idea.bars.n_bars))

    def draw(k: int) -> list[Drawn[_Line]]:
        potentials = [_varied_potentials(idea, own, amount, rng, temperature) for _ in range(k)]
        return _as_drawn(idea, free, drawn_lines(idea, idea.line, free, potentials, chosen, rng))

    what = f"vary amount {amount:g} seed {seed}"
    return _ranked(draw, n, seed, said, what, lambda line: with_melody(idea, idea.score, line, free, is_own=True))


def _varied_potentials(
    idea: Idea, own: NDArray[np.float32], amount: float, rng: np.random.Generator, temperature: float
) -> LinePotentials:
    """Return what the model prefers on the way from a melody's own latents to some drawn from the prior."""
    every = range(idea.bars.n_bars)
    latents = _arc(own, redrawn_latents(idea, own, every, rng, temperature), amount)
    potentials = potentials_of(idea, latents, 0, len(every)).at_temperature(temperature)
    slots = idea.slots[:-1]
    potentials.step[slots, idea.line[slots]] += _BONUS * (1 - amount) / amount
    return potentials


def _as_drawn(idea: Idea, free: Free, lines: Sequence[tuple[_Line, float]]) -> list[Drawn[_Line]]:
    """Return lines with the notes that are new in them."""
    return [
        Drawn(
            line,
            log_chance,
            frozenset((n.onset_steps, n.pitch) for n in idea.alphabet.decode(line) if free.start <= n.onset_steps),
        )
        for line, log_chance in lines
    ]


def _ranked(
    draw: Callable[[int], Sequence[Drawn[_Line]]],
    n: int,
    seed: int,
    said: tuple[str, ...],
    what: str,
    score_of: Callable[[_Line], Score],
) -> list[Take]:
    """Return the takes of what is drawn, the likeliest first."""
    takes = []
    for rank, one in enumerate(ranked(draw, n), start=1):
        place = f" take {rank} of {n}" if n > 1 else ""
        takes.append(Take(signed(score_of(one.what), what + place), seed, said, one.log_probability, rank))
    return takes


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
