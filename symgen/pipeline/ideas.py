"""What the melody in a piece is to the model: a line on its grid, with conditions, moments and latents.

An :class:`Idea` is a piece made ready: its melody found, rounded to the model's grid and spelled in the model's
alphabet, its key and chords known, and what was found or rounded said in words. The piece itself stays as it was.

>>> from symgen.score import Score, Track
>>> melody = Track("Melody", (Note(0, 13, 60), Note(13, 11, 64)))
>>> idea = read_idea(Score(12, (melody,), end_steps=48), key="C", chords="C")
>>> [(note.onset_steps, note.duration_steps, note.pitch) for note in idea.alphabet.decode(idea.line)]
[(0, 12, 60), (12, 12, 64)]
>>> idea.said
('2 of 2 notes rounded to the nearest of 6 places in a quarter',)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import LineAlphabet
from symgen.conditions import PHRASE_BARS, Conditions, tonic_shift
from symgen.errors import RequestError
from symgen.grid import TICKS_PER_QUARTER, BarMap
from symgen.moments import line_of, moments_of
from symgen.pipeline.check import with_context
from symgen.pipeline.generate import load_model
from symgen.pipeline.regrid import at_coarse_grid
from symgen.pipeline.request import MAX_BARS
from symgen.potentials import LinePotentials
from symgen.score import ChordChange, KeyChange, Note, Score
from symgen.slots import SlotGrid
from theory.key import Key
from theory.pitch import pitch_name
from theory.progression import Progression
from theory.rules import Moment

if TYPE_CHECKING:
    from symgen.model.checkpoint import Checkpoint

__all__ = [
    "Idea",
    "posterior_latents",
    "potentials_of",
    "read_idea",
    "redrawn_latents",
    "with_bars",
    "with_harmony",
]

_T = TypeVar("_T")
_Latents = NDArray[np.float32]
_ENCODER_BARS, _DECODER_BARS = 3, 3
"""Bars on either side that convolutions look at, and more than that; the prior's are in its config."""


@dataclass(frozen=True, slots=True)
class Idea:
    """A melody in its piece, as the model sees it.

    Parameters
    ----------
    checkpoint
        The model.
    score
        The piece, on a grid that is a multiple of the model's and loses nothing of it.
    track
        Number of the melody's track.
    bars
        The bars on the model's grid.
    line
        Symbols of the melody, shape (n_steps,).
    sources
        The note of the piece behind each note of the line, by the step of its onset.
    keys, chords
        In force, on the model's grid; where they come from is in ``said``.
    style
        What the model is told.
    slots
        The steps at which the model's notes start and end, and the end of the last bar.
    moments
        Of every step.
    features
        Conditions of every step, shape (n_steps, N_FEATURES).
    said
        What was found, chosen or rounded, in words.
    """

    checkpoint: Checkpoint
    score: Score
    track: int
    bars: BarMap
    line: NDArray[np.int64]
    sources: dict[int, Note]
    keys: tuple[KeyChange, ...]
    chords: tuple[ChordChange, ...]
    style: str
    slots: NDArray[np.int64]
    moments: tuple[Moment, ...]
    features: NDArray[np.float32]
    said: tuple[str, ...]

    @property
    def key(self) -> Key:
        """The first key, which everything is relative to."""
        return self.keys[0].key

    @property
    def alphabet(self) -> LineAlphabet:
        """Pitches that the model's melodies have in this key."""
        return _alphabet(self.checkpoint, self.key)

    @property
    def ratio(self) -> int:
        """Steps of the piece in one of the model's."""
        return self.score.steps_per_quarter // self.bars.steps_per_quarter

    def slot_of(self, step: int) -> int:
        """Return the slot nearest to a step of the piece."""
        return _nearest_slot(self.slots, step, self.ratio)


def _alphabet(checkpoint: Checkpoint, key: Key) -> LineAlphabet:
    config, shift = checkpoint.model.config, tonic_shift(key)
    return LineAlphabet(config.low - shift, config.high - shift)


def read_idea(
    music: Score | str | Path | Idea,
    *,
    track: str | None = None,
    key: Key | str | None = None,
    chords: Progression | str | None = None,
    chord_syntax: str | None = None,
    style: str | None = None,
    checkpoint: str | Path | None = None,
) -> Idea:
    """Make a piece ready for the model.

    Parameters
    ----------
    music
        A score, or a file by its path; an idea is returned as it is.
    track
        Name of the melody's track; the first one with pitched notes if left out.
    key, chords, chord_syntax
        Those that hold; if left out those the music holds, and where it holds none those that are found in it.
    style
        One of :func:`symgen.styles`, or empty; if left out the one the piece was made in, if it says so.
    checkpoint
        Folder of a model; the bundled one if left out.

    Raises
    ------
    FileFormatError
        If the file can't be read.
    ScoreError
        If there is no such track.
    RequestError
        If there is no melody, or it does not fit the model; the error says where.
    """
    if isinstance(music, Idea):
        return music
    from symgen import io

    name = "the score" if isinstance(music, Score) else str(music)
    model = load_model(checkpoint)
    score = music if isinstance(music, Score) else io.load(music, steps_per_quarter=TICKS_PER_QUARTER)
    number = _melody_track(score, track, name)
    score = at_coarse_grid(score, model.model.config.steps_per_quarter)
    known, context = with_context(score, key=key, chords=chords, chord_syntax=chord_syntax)
    bars = _model_bars(score, model.model.config.steps_per_quarter, name)
    slots = _slots(bars, model.model.config.grid)
    notes, n_rounded = _on_model_grid(score, number, bars, slots)
    said = [
        *([context] if context else []),
        *([] if track or len(score.tracks) == 1 else [f"melody: track {score.tracks[number].name}"]),
        *(_rounding_said(n_rounded, len(notes), model.model.config.grid) if n_rounded else []),
    ]
    ratio = score.steps_per_quarter // bars.steps_per_quarter
    keys = _coarser([(change.onset_steps, change.key) for change in known.keys], ratio)
    changes = _coarser([(change.onset_steps, change.chord) for change in known.chords], ratio)
    return _idea(
        model,
        score,
        number,
        bars,
        notes,
        tuple(KeyChange(step, found) for step, found in keys.items()),
        tuple(ChordChange(step, chord) for step, chord in changes.items() if step < bars.end_steps),
        _known_style(style, score, model.styles),
        tuple(said),
    )


def _rounding_said(n_rounded: int, n_notes: int, grid: SlotGrid) -> list[str]:
    return [f"{n_rounded} of {n_notes} notes rounded to the nearest of {len(grid.places)} places in a quarter"]


def _slots(bars: BarMap, grid: SlotGrid) -> NDArray[np.int64]:
    """Return the slots of all bars, and the end of the last one."""
    of_bars = [start + grid.slots(end - start) for start, end in pairwise(bars.starts.tolist())]
    slots = np.concatenate([*of_bars, bars.starts[-1:]])
    slots.setflags(write=False)
    return slots


def _nearest_slot(slots: NDArray[np.int64], step: int, ratio: int) -> int:
    """Return the slot nearest to a step of a grid so many times finer; of two as near the later one."""
    place = int(np.searchsorted(slots, step / ratio, side="right"))
    around: list[int] = slots[max(place - 1, 0) : place + 1].tolist()
    return min(reversed(around), key=lambda slot: abs(slot * ratio - step))


def _idea(
    model: Checkpoint,
    score: Score,
    track: int,
    bars: BarMap,
    notes: dict[int, tuple[Note, Note]],
    keys: tuple[KeyChange, ...],
    chords: tuple[ChordChange, ...],
    style: str,
    said: tuple[str, ...],
) -> Idea:
    key = keys[0].key
    line = _encoded([on_grid for on_grid, _ in notes.values()], _alphabet(model, key), bars)
    return Idea(
        model,
        score,
        track,
        bars,
        line,
        {step: source for step, (_, source) in notes.items()},
        keys,
        chords,
        style,
        _slots(bars, model.model.config.grid),
        tuple(moments_of(bars, keys, chords)),
        _features(bars, keys, chords, style, min(notes, default=0)),
        said,
    )


def _features(
    bars: BarMap, keys: tuple[KeyChange, ...], chords: tuple[ChordChange, ...], style: str, first_onset: int
) -> NDArray[np.float32]:
    # Phrases are counted from the first full bar: a bar that is silent in its first half is a pickup.
    pickup = int(bars.n_bars > 1 and first_onset >= int(bars.starts[1]) / 2)
    first_bar = -pickup % PHRASE_BARS
    return Conditions(bars, keys[0].key, chords, style, first_bar=first_bar, keys=keys).features()


def _melody_track(score: Score, name: str | None, where: str) -> int:
    pitched = [i for i, track in enumerate(score.tracks) if track.notes and not track.is_drum]
    if not pitched:
        what = "only drums" if score.n_notes else "no notes"
        msg = f"{where}: {what}: expected a melody"
        raise RequestError(msg)
    if name is None:
        return pitched[0]
    chosen = score.track(name)
    if chosen.is_drum or not chosen.notes:
        msg = f"{where}: track {name!r} has {'drums' if chosen.is_drum else 'no notes'}: expected a melody"
        raise RequestError(msg)
    return score.tracks.index(chosen)


def _model_bars(score: Score, steps_per_quarter: int, name: str) -> BarMap:
    """Return the bars of a piece on the model's grid, up to the one in which the last note ends."""
    ratio = score.steps_per_quarter // steps_per_quarter
    whole = score.bars
    last = max(_nearest(note.end_steps, ratio) for track in score.tracks for note in track.notes)
    n_bars = max(int(np.searchsorted(whole.starts, last * ratio, side="left")), 1)
    if n_bars > MAX_BARS:
        msg = f"{name}: {n_bars} bars: expected at most {MAX_BARS}"
        raise RequestError(msg)
    for bar, meter in enumerate(whole.meters[:n_bars]):
        places = (*meter.beat_starts, *meter.group_starts)
        off = any((place * steps_per_quarter).denominator != 1 for place in places)
        if off or whole.starts[bar] % ratio or whole.starts[bar + 1] % ratio:
            grid = f"the model's {steps_per_quarter} steps a quarter"
            msg = f"{name}: bar {bar + 1}, {meter}: its beats fall between {grid}"
            raise RequestError(msg)
    starts = whole.starts[: n_bars + 1] // ratio
    starts.setflags(write=False)
    return BarMap(starts, whole.meters[:n_bars], steps_per_quarter)


def _nearest(step: int, ratio: int) -> int:
    """Return the nearest step of a coarser grid; halves go to the later one."""
    return (2 * step + ratio) // (2 * ratio)


def _on_model_grid(
    score: Score, track: int, bars: BarMap, slots: NDArray[np.int64]
) -> tuple[dict[int, tuple[Note, Note]], int]:
    """Return the melody at the model's slots by onset, each note with its source, and how many were rounded.

    Of notes that come to start together the highest is kept.
    """
    ratio = score.steps_per_quarter // bars.steps_per_quarter
    by_place = {(note.onset_steps, note.pitch): note for note in score.tracks[track].notes}
    found: dict[int, tuple[Note, Note]] = {}
    n_rounded = 0
    for voice in line_of(score.tracks[track].notes):
        onset = _nearest_slot(slots, voice.onset, ratio)
        following = int(slots[min(int(np.searchsorted(slots, onset, side="right")), len(slots) - 1)])
        end = max(_nearest_slot(slots, voice.end, ratio), following)
        length = max(end - onset, 1)
        n_rounded += (voice.onset, voice.end) != (onset * ratio, end * ratio)
        if onset < bars.end_steps and (onset not in found or found[onset][0].pitch < voice.pitch):
            found[onset] = Note(onset, length, voice.pitch), by_place[voice.onset, voice.pitch]
    return dict(sorted(found.items())), n_rounded


def _encoded(notes: Sequence[Note], alphabet: LineAlphabet, bars: BarMap) -> NDArray[np.int64]:
    for note in notes:
        if not alphabet.low <= note.pitch <= alphabet.high:
            span = f"{pitch_name(alphabet.low)} to {pitch_name(alphabet.high)}"
            place = bars.place(note.onset_steps)
            msg = f"{place}: melody note {pitch_name(note.pitch)}: the model's melodies in this key lie within {span}"
            raise RequestError(msg)
    return alphabet.encode(notes, bars.end_steps)


def _coarser(changes: Sequence[tuple[int, _T]], ratio: int) -> dict[int, _T]:
    """Return the last value of each step of the coarser grid."""
    return {_nearest(step, ratio): value for step, value in changes}


def _known_style(style: str | None, score: Score, styles: Sequence[str]) -> str:
    if style is None:
        said = dict(score.recipe).get("style", "")
        return said if said in styles else ""
    if style and style not in styles:
        msg = f"style {style!r}: expected one of {', '.join(styles)}"
        raise RequestError(msg)
    return style


def with_bars(idea: Idea, n_bars: int, chords: Sequence[ChordChange] | None = None) -> Idea:
    """Return an idea with fewer bars, or with more, which are silent and in the metre of the last one.

    Parameters
    ----------
    idea
        The idea.
    n_bars
        How many it shall have.
    chords
        On the model's grid; those of the idea if left out.
    """
    missing = n_bars - idea.bars.n_bars
    length = idea.bars.meters[-1].bar_steps(idea.bars.steps_per_quarter)
    more = idea.bars.end_steps + length * np.arange(1, max(missing, 0) + 1)
    starts = np.concatenate([idea.bars.starts, more])[: n_bars + 1]
    starts.setflags(write=False)
    meters = (*idea.bars.meters, *[idea.bars.meters[-1]] * max(missing, 0))[:n_bars]
    bars = BarMap(starts, meters, idea.bars.steps_per_quarter)
    changes = tuple(c for c in (idea.chords if chords is None else chords) if c.onset_steps < bars.end_steps)
    keys = tuple(c for c in idea.keys if c.onset_steps < bars.end_steps)
    notes = {n.onset_steps: n for n in idea.alphabet.decode(idea.line) if n.onset_steps < bars.end_steps}
    return replace(
        idea,
        bars=bars,
        line=idea.alphabet.encode(notes.values(), bars.end_steps),
        sources={step: note for step, note in idea.sources.items() if step in notes},
        keys=keys,
        chords=changes,
        slots=_slots(bars, idea.checkpoint.model.config.grid),
        moments=tuple(moments_of(bars, keys, changes)),
        features=_features(bars, keys, changes, idea.style, min(notes, default=0)),
    )


def with_harmony(idea: Idea, keys: tuple[KeyChange, ...], chords: tuple[ChordChange, ...]) -> Idea:
    """Return the bars of an idea without its melody, in other keys and over other chords.

    Parameters
    ----------
    idea
        The idea.
    keys, chords
        On the model's grid, ascending, the first key at step 0.
    """
    first_onset = next(iter(sorted(idea.sources)), 0)
    return replace(
        idea,
        line=np.zeros_like(idea.line),
        sources={},
        keys=keys,
        chords=chords,
        moments=tuple(moments_of(idea.bars, keys, chords)),
        features=_features(idea.bars, keys, chords, idea.style, first_onset),
    )


def _stretches(bars: BarMap, first: int, end: int) -> list[range]:
    """Cut bars into runs of one metre and length, which the model takes together."""
    alike = [(bars.meters[bar], int(bars.starts[bar + 1] - bars.starts[bar])) for bar in range(first, end)]
    cuts = [first, *(first + i for i in range(1, end - first) if alike[i] != alike[i - 1]), end]
    return [range(a, b) for a, b in pairwise(cuts)]


def _by_bar(rows: NDArray[Any], bars: BarMap, run: range) -> NDArray[Any]:
    """Return the rows of a run of bars with an axis of bars."""
    part = rows[int(bars.starts[run.start]) : int(bars.starts[run.stop])]
    return part.reshape(len(run), -1, *part.shape[1:])


def posterior_latents(idea: Idea, line: NDArray[np.int64], near: range) -> _Latents:
    """Return the latents that a line has by the posterior mean, shape (n_bars, latent).

    Parameters
    ----------
    idea
        Its conditions are used.
    line
        Symbols, shape (n_steps,).
    near
        The bars that matter; latents far before and after these are left at zero.
    """
    from symgen.model.sample import encode_line

    model = idea.checkpoint.model
    latents = np.zeros((idea.bars.n_bars, sum(model.sizes)), dtype=np.float32)
    back = model.config.max_bars + _ENCODER_BARS
    for run in _stretches(idea.bars, max(near.start - back, 0), min(near.stop + _DECODER_BARS, idea.bars.n_bars)):
        symbols = np.ascontiguousarray(_by_bar(line, idea.bars, run).astype(np.int64))
        latents[run.start : run.stop] = encode_line(model, symbols, _by_bar(idea.features, idea.bars, run))
    return latents


def redrawn_latents(
    idea: Idea, latents: _Latents, fresh: range, rng: np.random.Generator, temperature: float
) -> _Latents:
    """Return latents in which those of some bars are drawn from the prior given the bars before."""
    from symgen.model.sample import refill_latents

    model, filled = idea.checkpoint.model, latents.copy()
    for run in _stretches(idea.bars, max(fresh.start - model.config.max_bars, 0), fresh.stop):
        inside = [bar - run.start for bar in run if bar in fresh]
        features = _by_bar(idea.features, idea.bars, run)
        part = refill_latents(model, filled[run.start : run.stop], features, inside, rng, temperature=temperature)
        filled[run.start : run.stop] = part
    return filled


def potentials_of(idea: Idea, latents: _Latents, first: int, end: int) -> LinePotentials:
    """Return what the model prefers in bars ``first`` to ``end``; other steps of the piece prefer nothing.

    Parameters
    ----------
    idea
        The piece.
    latents
        Of all its bars, shape (n_bars, latent).
    first, end
        Bars counted from 0: the first one and the one after the last.
    """
    from symgen.model.sample import line_potentials

    n_steps = len(idea.line)
    step, leave = np.zeros((n_steps, idea.alphabet.n_symbols)), np.zeros((n_steps, idea.alphabet.n_pitches + 1))
    closed = np.ones(n_steps, dtype=np.bool_)
    closed[idea.slots[:-1]] = False
    shift, found = tonic_shift(idea.key), None
    low, high = max(first - _DECODER_BARS, 0), min(end + _DECODER_BARS, idea.bars.n_bars)
    for run in _stretches(idea.bars, low, high):
        features = _by_bar(idea.features, idea.bars, run)
        found = line_potentials(idea.checkpoint.model, latents[run.start : run.stop], features, shift=shift)
        part = slice(int(idea.bars.starts[run.start]), int(idea.bars.starts[run.stop]))
        step[part], leave[part] = found.step, found.leave
    assert found is not None
    return replace(found, step=step, leave=leave, closed=closed)
