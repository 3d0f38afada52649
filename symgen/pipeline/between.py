"""From one melody to another: pieces whose latents lie on the way between those of two.

>>> from symgen.pipeline.generate import generate
>>> a, b = (generate(key=key, bars=2, seed=seed) for key, seed in (("C", 1), ("E", 2)))
>>> made = interpolate(a, b, 3)
>>> [str(take.score.keys[0].key) for take in made], [take.score.bars.n_bars for take in made]
(['C major', 'C major', 'C major'], [2, 2, 2])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.errors import RequestError
from symgen.moments import moments_of
from symgen.pipeline.arrange import arrange, arrangement_of, shaped
from symgen.pipeline.ideas import Idea, posterior_latents, potentials_of, read_idea, with_bars
from symgen.pipeline.redraw import Free, drawn_line, rules_of
from symgen.pipeline.takes import Take
from symgen.score import MeterChange, Score, TempoChange, Track
from theory.key import Key
from theory.rules import Lock, Rule

__all__ = ["interpolate", "moved_to", "slerp", "song_of"]

_MAX_STEPS = 1000
_TEMPERATURE = 0.05
"""Of the notes: a reconstruction is the likeliest line, and this is close to it whatever the rules are."""

_Latents = NDArray[np.float32]


def interpolate(
    first: Score | str | Path | Idea,
    second: Score | str | Path | Idea,
    steps: int = 7,
    *,
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    locks: Sequence[Lock | str] = (),
    seed: int = 0,
    **reading: Any,
) -> list[Take]:
    """Go from one melody to another in steps.

    Parameters
    ----------
    first, second
        Scores, files by their paths, or ideas; of one metre.
    steps
        How many pieces, the ends among them: those are what the model makes of the two melodies.
    rules, changed_rules, locks
        What holds for all of them, as for :func:`symgen.generate`; the default range is widened to that of the melody.
    seed
        Notes are drawn at a low temperature; equals are decided by it.
    **reading
        How the pieces are read: ``track``, ``style`` and ``checkpoint`` of :func:`symgen.pipeline.ideas.read_idea`.

    Returns
    -------
    list of Take
        Each with key, tempo and metre of the first piece and, from the middle on, the chords and mode of the second,
        moved to the first one's tonic. As long as the shorter one; with chords and bass if the first has such tracks.

    Raises
    ------
    InfeasibleError
        If some step has no melody that keeps the laws.
    RequestError
        If the metres differ, a number is out of range, or a piece is none the model can take up.
    """
    if not 2 <= steps <= _MAX_STEPS:
        msg = f"steps {steps}: expected 2 to {_MAX_STEPS}"
        raise RequestError(msg)
    one, other = read_idea(first, **reading), read_idea(second, **reading)
    ends = _aligned(one, moved_to(other, one))
    from_one, from_other = (posterior_latents(idea, idea.line, range(idea.bars.n_bars)) for idea in ends)
    said = _said(one, other, ends[0].bars.n_bars)
    made = []
    for number in range(steps):
        share = number / (steps - 1)
        host = ends[0] if share < 0.5 else ends[1]
        chosen, rules_said = rules_of(host, rules, changed_rules, locks)
        line = _line(host, slerp(from_one, from_other, share), chosen, np.random.default_rng(seed))
        score = song_of(one, host, line, (("interpolate", f"{number + 1} of {steps}"),))
        made.append(Take(score, seed, (f"share {share:.3g}", *(said if number == 0 else ()), *rules_said)))
    return made


def slerp(one: _Latents, other: _Latents, share: float) -> _Latents:
    """Return each bar's latent on the arc from one to the other, shape (bars, latent).

    The direction turns evenly and the length changes evenly; latents that point the same way, or where one is zero, are
    mixed along the straight line.
    """
    lengths = [np.linalg.norm(z, axis=1, keepdims=True) for z in (one, other)]
    units = [z / np.where(n > 0, n, 1) for z, n in zip((one, other), lengths, strict=True)]
    angle = np.arccos(np.clip((units[0] * units[1]).sum(axis=1, keepdims=True), -1, 1))
    bent = (np.sin(angle) > 1e-3) & (lengths[0] > 0) & (lengths[1] > 0)
    sine = np.where(bent, np.sin(angle), 1)
    direction = (np.sin((1 - share) * angle) * units[0] + np.sin(share * angle) * units[1]) / sine
    arc = direction * ((1 - share) * lengths[0] + share * lengths[1])
    mixed: _Latents = np.where(bent, arc, (1 - share) * one + share * other).astype(np.float32)
    return mixed


def moved_to(idea: Idea, home: Idea) -> Idea:
    """Return an idea moved by at most six semitones to the tonic of another; conditions stay as they were."""
    semitones = (home.key.tonic.pitch_class - idea.key.tonic.pitch_class + 5) % 12 - 5
    moved = [replace(change, key=change.key.transposed(semitones)) for change in idea.keys]
    keys = (replace(moved[0], key=Key(home.key.tonic, idea.key.mode)), *moved[1:])
    near = keys[0].key.signature + 2
    chords = tuple(replace(change, chord=change.chord.transposed(semitones, near)) for change in idea.chords)
    notes = [replace(note, pitch=note.pitch + semitones) for note in idea.alphabet.decode(idea.line)]
    empty = replace(idea, keys=keys, chords=chords, moments=tuple(moments_of(idea.bars, keys, chords)))
    low, high = empty.alphabet.low, empty.alphabet.high
    # Near the edges of the model's range a note may leave it by the move: it goes to the octave that is inside.
    inside = [replace(n, pitch=n.pitch + 12 * ((n.pitch < low) - (n.pitch > high))) for n in notes]
    return replace(empty, line=empty.alphabet.encode(inside, idea.bars.end_steps))


def _aligned(one: Idea, other: Idea) -> tuple[Idea, Idea]:
    """Return both cut to the length of the shorter one."""
    n_bars = min(one.bars.n_bars, other.bars.n_bars)
    pairs = zip(one.bars.meters[:n_bars], other.bars.meters[:n_bars], strict=True)
    for bar, (here, there) in enumerate(pairs):
        if here != there or one.bars.starts[bar + 1] != other.bars.starts[bar + 1]:
            msg = f"bar {bar + 1}: {here} in one piece and {there} in the other: expected bars of one length"
            raise RequestError(msg)
    return with_bars(one, n_bars), with_bars(other, n_bars)


def _said(one: Idea, other: Idea, n_bars: int) -> tuple[str, ...]:
    longest = max(one.bars.n_bars, other.bars.n_bars)
    cut = (f"{n_bars} bars of {longest}",) if longest > n_bars else ()
    parts = (("first", one), ("second", other))
    return (*(f"{name}: {word}" for name, idea in parts for word in idea.said), *cut)


def _line(host: Idea, latents: _Latents, rules: Sequence[Rule], rng: np.random.Generator) -> NDArray[np.int64]:
    potentials = potentials_of(host, latents, 0, host.bars.n_bars).at_temperature(_TEMPERATURE)
    n_steps = len(host.line)
    return drawn_line(host, host.line, Free(0, n_steps, n_steps), potentials, rules, rng)


def song_of(one: Idea, host: Idea, line: NDArray[np.int64], recipe: tuple[tuple[str, str], ...]) -> Score:
    """Return a piece with a melody, and the accompaniment if the first piece has one.

    Parameters
    ----------
    one
        Whose tempo and track it has.
    host
        Whose bars, keys and chords it has.
    line
        Symbols of the melody in the host's alphabet, shape (n_steps,).
    recipe
        What is said of how it was made.
    """
    bars, ratio = host.bars, one.ratio
    melody = one.score.tracks[one.track]
    notes = host.alphabet.decode(line)
    tracks: tuple[Track, ...] = (Track(melody.name, shaped(notes, bars), melody.program),)
    if {"Chords", "Bass"} <= {track.name for track in one.score.tracks}:
        tracks += arrange((), host.chords, bars, arrangement_of(one.style))[1:]
    starts = [0, *(bar for bar in range(1, bars.n_bars) if bars.meters[bar] != bars.meters[bar - 1])]
    tempos = {round(change.onset_steps / ratio): change.bpm for change in one.score.tempos}
    return Score(
        bars.steps_per_quarter,
        tracks,
        tuple(TempoChange(step, bpm) for step, bpm in tempos.items() if step < bars.end_steps),
        tuple(MeterChange(int(bars.starts[bar]), bars.meters[bar]) for bar in starts),
        host.keys,
        host.chords,
        end_steps=bars.end_steps,
        recipe=(*recipe, ("style", one.style)),
    )
