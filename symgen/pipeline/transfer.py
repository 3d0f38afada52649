"""A melody with the rhythm of one piece, the pitches of another and the harmony of a third.

The latents of a bar stand for its rhythm and for its pitches apart, so that they can come from different pieces; what
they say is then heard in the metre of the first piece, and in the keys and over the chords of the last.

>>> from symgen.pipeline.generate import generate
>>> a, b = (generate(key=key, bars=2, seed=seed, decoder="chain") for key, seed in (("C", 1), ("E", 2)))
>>> take = transfer(a, b)
>>> [n.onset_steps for n in take.score.tracks[0].notes] == [n.onset_steps for n in a.tracks[0].notes]
True
>>> str(take.score.keys[0].key)
'E major'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from symgen.pipeline.between import moved_to, song_of
from symgen.pipeline.ideas import Idea, posterior_latents, potentials_of, read_idea, with_bars, with_harmony
from symgen.pipeline.ranking import Take
from symgen.pipeline.redraw import Free, drawn_line, rules_of
from symgen.score import ChordChange, KeyChange, Score
from theory.rules import Lock, Rule

__all__ = ["transfer"]

_TEMPERATURE = 0.05
"""Of the notes: close to the likeliest line that the latents mean, whatever the rules are."""


def transfer(
    rhythm: Score | str | Path | Idea,
    pitches: Score | str | Path | Idea,
    harmony: Score | str | Path | Idea | None = None,
    *,
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    locks: Sequence[Lock | str] = (),
    seed: int = 0,
    **reading: Any,
) -> Take:
    """Make a melody of the rhythm of one piece, the pitches of another and the harmony of a third.

    Parameters
    ----------
    rhythm, pitches, harmony
        Scores, files by their paths, or ideas. The harmony is that of the piece of the pitches if left out.
    rules, changed_rules, locks
        What holds for it, as for :func:`symgen.generate`; the default range is widened to that of the pitches' melody.
    seed
        Notes are drawn at a low temperature; equals are decided by it.
    **reading
        How the pieces are read: ``track``, ``style`` and ``checkpoint`` of :func:`symgen.pipeline.ideas.read_idea`.

    Returns
    -------
    Take
        With metre, tempo and track of the rhythm's piece, keys and chords of the harmony's, as many bars as the
        shortest has; with chords and bass if the rhythm's piece has such tracks.

    Raises
    ------
    InfeasibleError
        If no melody keeps the laws.
    RequestError
        If a piece is none the model can take up.

    Notes
    -----
    A bar plays as many of the other's pitches, from that bar's first note on, as its rhythm has notes: where it
    has more than the other's bar, those of the bars after it follow.
    """
    one, other = read_idea(rhythm, **reading), read_idea(pitches, **reading)
    third = other if harmony is None else read_idea(harmony, **reading)
    n_bars = min(idea.bars.n_bars for idea in (one, other, third))
    one, other, third = (with_bars(idea, n_bars) for idea in (one, other, third))
    host = _host(one, third)
    latents = posterior_latents(one, one.line, range(n_bars))
    first = sum(one.checkpoint.model.sizes[:2])
    latents[:, first:] = posterior_latents(other, other.line, range(n_bars))[:, first:]
    heard = replace(host, line=moved_to(other, host).line)  # whose range the rules are to leave room for
    chosen, said = rules_of(heard, rules, changed_rules, locks)
    potentials = potentials_of(host, latents, 0, n_bars).at_temperature(_TEMPERATURE)
    free = Free(0, len(host.line), len(host.line))
    line = drawn_line(host, host.line, free, potentials, chosen, np.random.default_rng(seed))
    score = song_of(one, host, line, (("transfer", f"rhythm, pitches and harmony of {n_bars} bars, seed {seed}"),))
    parts = (("rhythm", one), ("pitches", other), *(() if third is other else (("harmony", third),)))
    return Take(score, seed, (*(f"{name}: {word}" for name, idea in parts for word in idea.said), *said))


def _host(one: Idea, third: Idea) -> Idea:
    """Return the bars of one idea with the keys and chords of another, at the beats nearest to their place."""

    def place(step: int) -> int:
        bar = min(int(np.searchsorted(third.bars.starts, step, side="right")) - 1, one.bars.n_bars - 1)
        begin, end = third.bars.starts[bar : bar + 2].tolist()
        first, last = one.bars.starts[bar : bar + 2].tolist()
        beats = [first + float(beat) * one.bars.steps_per_quarter for beat in one.bars.meters[bar].beat_starts]
        wanted = first + (step - begin) / (end - begin) * (last - first)
        return int(min((beat for beat in beats if beat < last), key=lambda beat: abs(beat - wanted)))

    chords = {place(change.onset_steps): change.chord for change in third.chords}
    keys = {place(change.onset_steps): change.key for change in third.keys}
    return with_harmony(
        one,
        tuple(KeyChange(step, key) for step, key in sorted(keys.items())),
        tuple(ChordChange(step, chord) for step, chord in sorted(chords.items()) if step < one.bars.end_steps),
    )
