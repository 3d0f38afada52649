"""Music that is there, and an ensemble's model: some tracks drawn beside the others, in all bars or in some.

The model sees the tracks that stay; what stays comes back note for note. Lines are drawn exactly under their laws, in
the bars asked for; see :mod:`symgen.pipeline.ensemble`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from symgen.conditions import tonic_shift
from symgen.errors import RequestError
from symgen.grid import TICKS_PER_QUARTER, BarMap
from symgen.moments import moments_of
from symgen.pipeline.accompany import melody_number
from symgen.pipeline.check import with_context
from symgen.pipeline.ensemble import DEFAULT, load_ensemble_model
from symgen.pipeline.ensemble_draw import Frame, Played, check_bars, drawn_parts, originals_of, rules_of, track_of
from symgen.pipeline.heard import heard_by
from symgen.pipeline.ranking import Drawn, Take, checked_number, ranked
from symgen.pipeline.redraw import signed
from symgen.pipeline.regrid import at_grid
from symgen.pipeline.request import MAX_BARS, checked_seed, checked_temperature
from symgen.pipeline.rules import chosen_rules
from symgen.score import ChordChange, KeyChange, Note, Score, Track
from theory.key import Key
from theory.progression import Progression
from theory.rules import Rule

if TYPE_CHECKING:
    from symgen.model.checkpoint import EnsembleCheckpoint

__all__ = ["redraw_tracks", "redraw_tracks_many"]


def redraw_tracks(
    music: Score | str | Path,
    *,
    tracks: Sequence[str] | None = None,
    bars: tuple[int, int] | None = None,
    track: str | None = None,
    key: Key | str | None = None,
    chords: Progression | str | None = None,
    chord_syntax: str | None = None,
    style: str | None = None,
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    seed: int | None = None,
    temperature: float = 1.0,
    checkpoint: str | Path | None = None,
) -> Take:
    """Draw some tracks anew beside those that stay.

    Parameters
    ----------
    music
        A score, or a file by its path; of one metre, without a pickup.
    tracks
        Which of the ensemble's tracks are drawn; all but the melody if left out.
    bars
        First and last bar that are drawn, counted from 1; all if left out.
    track
        Which track is the melody; found if left out.
    key, chords, chord_syntax
        Those that hold; if left out those the music holds, and where it holds none those that are found in it.
    style
        One of the checkpoint's.
    rules, changed_rules
        Of the melody where it is drawn, as for :func:`symgen.generate`.
    seed, temperature, checkpoint
        As for :func:`symgen.pipeline.ensemble.play`.

    Returns
    -------
    Take
        The melody, the ensemble's other tracks, and the drums; what else there was is left out, and the take says so.

    Raises
    ------
    RequestError
        If there is no melody, or a value is out of range.
    """
    return redraw_tracks_many(
        music, 1, tracks=tracks, bars=bars, track=track, key=key, chords=chords, chord_syntax=chord_syntax,
        style=style, rules=rules, changed_rules=changed_rules, seed=seed, temperature=temperature,
        checkpoint=checkpoint,
    )[0]  # fmt: skip


def redraw_tracks_many(
    music: Score | str | Path,
    n: int,
    *,
    tracks: Sequence[str] | None = None,
    bars: tuple[int, int] | None = None,
    track: str | None = None,
    key: Key | str | None = None,
    chords: Progression | str | None = None,
    chord_syntax: str | None = None,
    style: str | None = None,
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    seed: int | None = None,
    temperature: float = 1.0,
    checkpoint: str | Path | None = None,
) -> list[Take]:
    """Make several takes of :func:`redraw_tracks` at once, the likeliest first, none nearly the same.

    Parameters
    ----------
    n
        How many, 1 to 256.
    music, tracks, bars, track, key, chords, chord_syntax, style, rules, changed_rules, seed, temperature, checkpoint
        As there.
    """
    from symgen.model.ensemble.data import encode_tracks, parts_of
    from symgen.model.ensemble.sample import cell_weights, sample_ensemble_noise

    checked_number(n)
    checked_temperature(temperature)
    seed, model = checked_seed(seed), load_ensemble_model(checkpoint)
    config = model.decoder.config
    score, said = _read(music, track, key, chords, chord_syntax, config.tracks[0])
    numbers = _numbers(config.tracks, tracks)
    parts = parts_of(_with_all(score, config.tracks), config)
    assert parts is not None
    frame = replace(
        _frame(model, score, style, rules, changed_rules, temperature), heard=heard_by(checkpoint or DEFAULT)
    )
    first, end = _passage(frame.bars, bars)
    if _is_silent(parts, numbers):
        msg = f"{_name(music)}: no notes in the tracks that stay: expected at least a melody"
        raise RequestError(msg)
    coarse = [[_rounded(note, score.steps_per_quarter, config.steps_per_quarter) for note in part] for part in parts]
    n_steps = frame.bars.end_steps
    codes = encode_tracks(coarse, config, n_steps=n_steps, shift=tonic_shift(frame.key))
    rng = np.random.default_rng(seed)
    is_given = [number not in numbers for number in range(config.n_tracks)]

    def draw(more: int) -> list[Drawn[Played]]:
        noise = sample_ensemble_noise(config, more, range(frame.bars.n_bars), rng)
        weights = cell_weights(model.decoder, noise, frame.features(), codes=codes, is_given=is_given)
        return drawn_parts(frame, weights, numbers, rng)

    def draw_originals(more: int) -> list[Drawn[Played]]:
        return originals_of(frame, draw, more)

    made = []
    for rank, one in enumerate(ranked(draw_originals, n), start=1):
        fresh = {config.tracks[k]: one.what.tracks[k] for k in numbers}
        what = f"ensemble {', '.join(fresh)} seed {seed}" + (f" take {rank} of {n}" if n > 1 else "")
        made.append(signed(_finished(score, frame, parts, fresh, (first, end)), what))
    left_out = [t.name for t in score.tracks if t.notes and not t.is_drum and t.name not in config.tracks]
    words = (*said, f"drawn: {', '.join(config.tracks[k] for k in numbers)}")
    words += (f"left out: {', '.join(left_out)}",) if left_out else ()
    return [Take(score_made, seed, words, rank=rank) for rank, score_made in enumerate(made, start=1)]


def _name(music: Score | str | Path) -> str:
    return "the score" if isinstance(music, Score) else str(music)


def _read(
    music: Score | str | Path,
    track: str | None,
    key: Key | str | None,
    chords: Progression | str | None,
    chord_syntax: str | None,
    melody: str,
) -> tuple[Score, tuple[str, ...]]:
    """Return the music with keys and chords, its melody under the ensemble's name, and what is to be said of it."""
    from symgen import io

    score = music if isinstance(music, Score) else io.load(music, steps_per_quarter=TICKS_PER_QUARTER)
    number = melody_number(score, track, _name(music))
    if score.bars.n_bars > MAX_BARS:
        msg = f"{_name(music)}: {score.bars.n_bars} bars: expected at most {MAX_BARS}"
        raise RequestError(msg)
    known, where = with_context(score, key=key, chords=chords, chord_syntax=chord_syntax)
    said = (where, f"melody: {score.tracks[number].name}" if len(score.tracks) > 1 else "")
    tracks = [replace(t, name=melody) if i == number else t for i, t in enumerate(known.tracks)]
    kept = [t for i, t in enumerate(tracks) if i == number or t.name != melody]
    return replace(known, tracks=tuple(kept)), tuple(word for word in said if word)


def _numbers(names: Sequence[str], asked: Sequence[str] | None) -> list[int]:
    if asked is None:
        return list(range(1, len(names)))
    unknown = [name for name in asked if name not in names]
    if unknown or not asked:
        msg = f"tracks {', '.join(asked) or 'none'}: expected some of {', '.join(names)}"
        raise RequestError(msg)
    return [k for k, name in enumerate(names) if name in asked]


def _is_silent(parts: Sequence[Sequence[Note]], numbers: Sequence[int]) -> bool:
    """Whether nothing sounds in what stays, so that there is nothing to play beside."""
    return not any(part for k, part in enumerate(parts) if k not in numbers) and 0 not in numbers


def _with_all(score: Score, names: Sequence[str]) -> Score:
    """Return a score in which every track of the ensemble is there, silent where it was not."""
    there = {track.name for track in score.tracks}
    return score.with_tracks([*score.tracks, *(Track(name, ()) for name in names if name not in there)])


def _frame(
    model: EnsembleCheckpoint,
    score: Score,
    style: str | None,
    rules: Sequence[Rule | str] | str | None,
    changed_rules: Sequence[Rule | str],
    temperature: float,
) -> Frame:
    config, styles = model.decoder.config, model.styles
    if style is not None and style not in styles:
        msg = f"style {style!r}: expected one of {', '.join(styles)}"
        raise RequestError(msg)
    per, own = score.steps_per_quarter, config.steps_per_quarter

    def moved(step: int) -> int:
        return round(step * own / per)

    bars = BarMap.build(
        [(moved(c.onset_steps), c.meter) for c in score.meters], steps_per_quarter=own, end_steps=moved(score.end_steps)
    )
    check_bars(bars, config)
    keys = tuple(KeyChange(step, key) for step, key in {moved(c.onset_steps): c.key for c in score.keys}.items())
    chords = tuple(
        ChordChange(step, chord)
        for step, chord in {moved(c.onset_steps): c.chord for c in score.chords}.items()
        if step < bars.end_steps
    )
    melody = chosen_rules(rules, changed_rules, chords, keys[-1].key)
    are_laws = rules is None or isinstance(rules, str) or len(rules) > 0
    others = rules_of(config, are_laws=are_laws)
    return Frame(
        model, bars, keys[0].key, keys, chords, style or (styles[0] if styles else ""), (tuple(melody), *others),
        moments_of(bars, keys, chords), are_laws, temperature,
    )  # fmt: skip


def _passage(bars: BarMap, asked: tuple[int, int] | None) -> tuple[int, int]:
    """Return the first step that is drawn and the end."""
    first, last = asked or (1, bars.n_bars)
    if not 1 <= first <= last <= bars.n_bars:
        msg = f"bars {first} to {last}: expected bars from 1 to {bars.n_bars}"
        raise RequestError(msg)
    return int(bars.starts[first - 1]), int(bars.starts[last])


def _rounded(note: Note, per: int, own: int) -> Note:
    onset = round(note.onset_steps * own / per)
    return replace(note, onset_steps=onset, duration_steps=max(round(note.end_steps * own / per) - onset, 1))


def _finished(
    score: Score,
    frame: Frame,
    parts: Sequence[Sequence[Note]],
    fresh: dict[str, tuple[Note, ...]],
    passage: tuple[int, int],
) -> Score:
    """Return the music with new notes in the passage; what sounds into it is cut at its start."""
    names, own = frame.config.tracks, frame.bars.steps_per_quarter
    fine = at_grid(score, math.lcm(score.steps_per_quarter, own))
    times, finer = fine.steps_per_quarter // own, fine.steps_per_quarter // score.steps_per_quarter
    start, end = passage[0] * times, passage[1] * times
    by_name = {track.name: track for track in fine.tracks}
    tracks = []
    for number, name in enumerate(names):
        if name in fresh:
            made = track_of(name, fresh[name], frame.bars, frame.style)
            new, old = _scaled(made.notes, times), _scaled(parts[number], finer)
            tracks.append(replace(by_name.get(name, made), notes=_spliced(old, new, start, end)))
        elif name in by_name:
            tracks.append(by_name[name])
    drums = [track for track in fine.tracks if track.is_drum]
    return replace(fine, tracks=(*tracks, *drums))


def _scaled(notes: Sequence[Note], times: int) -> list[Note]:
    return [replace(n, onset_steps=n.onset_steps * times, duration_steps=n.duration_steps * times) for n in notes]


def _spliced(old: Sequence[Note], new: Sequence[Note], start: int, end: int) -> tuple[Note, ...]:
    """Return the old notes outside of a passage and the new ones in it, none of which reach over its edges."""
    kept = [_until(note, start) for note in old if note.onset_steps < start]
    kept += [_until(note, end) for note in new if start <= note.onset_steps < end]
    kept += [note for note in old if note.onset_steps >= end]
    return tuple(sorted(kept, key=lambda note: (note.onset_steps, note.pitch)))


def _until(note: Note, end: int) -> Note:
    return replace(note, duration_steps=min(note.end_steps, end) - note.onset_steps)
