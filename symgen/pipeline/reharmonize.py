"""Other chords under a melody that stays: drawn exactly from the chain of chords times how they fit the notes.

The steps of the lattice are half bars (bars where a half falls between two beats), the last one under the last note,
its symbols the chords of a style (:mod:`symgen.pipeline.chordchain`), and the weight of a progression is what the
corpus gives it times ``exp(-cost)`` for every note of the melody over its chord (:mod:`symgen.pipeline.fit`), given
that it closes. The sum over all progressions is one backward recursion, and each chord is drawn with its exact chance.

>>> from symgen.score import Note, Track
>>> tune = [(0, 60), (4, 64), (8, 67), (12, 64), (16, 65), (20, 69), (24, 67), (28, 62), (32, 60)]
>>> score = Score(4, (Track("Melody", tuple(Note(step, 4, pitch) for step, pitch in tune)),), end_steps=48)
>>> take = reharmonize(score, key="C", chords_style="folk", seed=3)
>>> take.score.tracks[0] == score.tracks[0], str(take.score.chords[-1].chord)
(True, 'C')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symgen.errors import RequestError
from symgen.grid import TICKS_PER_QUARTER, BarMap
from symgen.moments import line_of
from symgen.pipeline.arrange import arrange, arrangement_of
from symgen.pipeline.check import with_context
from symgen.pipeline.chordchain import CLOSING, ChordChain, Stretch, Walk, is_rest, laws_of, mask, model_of, notes_of
from symgen.pipeline.fit import costs
from symgen.pipeline.ranking import Drawn, Take, checked_number, ranked
from symgen.pipeline.redraw import signed
from symgen.pipeline.request import MAX_BARS, checked_seed
from symgen.score import ChordChange, KeyChange, Score, Track, chord_at_steps
from theory.cadence import cadence_of
from theory.chord import Chord
from theory.harmony import PHRASE_SLOTS, STYLES, in_key, plain
from theory.key import Key
from theory.meter import STRONG_LEVEL
from theory.progression import Progression

__all__ = ["reharmonize", "reharmonize_many"]

_Notes = tuple[int | None, tuple[int, ...], int | None]

_BONUS = 1.5
"""Nats by which each chord that was there is favoured by the amount one half."""

_PHRASE_BARS = PHRASE_SLOTS // 2
_ACCOMPANIMENT = ("Chords", "Bass")


@dataclass(frozen=True, slots=True)
class _Slot:
    """Steps that have one chord; ``kind`` is its place in a phrase of four bars, in half bars."""

    start: int
    end: int
    bar: int
    kind: int
    key: Key
    old: Chord | None
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class _Bound:
    """Whether the chords that were there count at all, and whether cadences among them stay."""

    to_chords: bool
    to_cadences: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece made ready, and what was found in it, in words."""

    score: Score
    known: Score
    track: int
    slots: tuple[_Slot, ...]
    style: str
    said: tuple[str, ...]


def reharmonize(
    music: Score | str | Path,
    *,
    chords_style: str = "pop",
    amount: float = 1.0,
    keep_cadences: bool = False,
    chords_per_bar: int = 2,
    track: str | None = None,
    key: Key | str | None = None,
    chords: Progression | str | None = None,
    chord_syntax: str | None = None,
    seed: int | None = None,
) -> Take:
    """Put other chords under a melody; the melody stays as it is.

    Parameters
    ----------
    music
        A score, or a file by its path.
    chords_style
        Whose progressions: one of :data:`theory.harmony.STYLES`.
    amount
        From 0, the chords as they are, to 1, chords drawn as if there had been none. Between, each chord that was there
        has a bonus, which falls from infinity to nothing.
    keep_cadences
        Whether the last two chords of each four bars, and of the piece, stay where they make a cadence.
    chords_per_bar
        At most so many, 1 or 2.
    track
        Name of the melody's track; the first one with pitched notes if left out.
    key, chords, chord_syntax
        Those that hold so far; if left out those the music holds, and where it holds none those that are found in it.
    seed
        Whatever is random follows from it; chosen if left out.

    Returns
    -------
    Take
        The piece with new chords, and tracks named Chords and Bass that play them; drums stay, other tracks, which
        play the old chords, do not. ``log_probability`` is that of the chords given the melody.

    Raises
    ------
    RequestError
        If there is no melody, or a value is out of range.

    Notes
    -----
    The laws: the piece closes on the tonic in root position, from the dominant (in pop also from IV or VII); a note
    that starts on a strong beat is a tone of its chord, or left by step. Where they leave no chords, they are given up
    in this order, and the take says so: the chord before the last, the last one, the notes on strong beats.
    """
    return reharmonize_many(
        music,
        1,
        chords_style=chords_style,
        amount=amount,
        keep_cadences=keep_cadences,
        chords_per_bar=chords_per_bar,
        track=track,
        key=key,
        chords=chords,
        chord_syntax=chord_syntax,
        seed=seed,
    )[0]


def reharmonize_many(
    music: Score | str | Path,
    n: int,
    *,
    chords_style: str = "pop",
    amount: float = 1.0,
    keep_cadences: bool = False,
    chords_per_bar: int = 2,
    track: str | None = None,
    key: Key | str | None = None,
    chords: Progression | str | None = None,
    chord_syntax: str | None = None,
    seed: int | None = None,
) -> list[Take]:
    """Make several takes of :func:`reharmonize` at once, the likeliest first, no two nearly the same.

    Parameters
    ----------
    music, chords_style, amount, keep_cadences, chords_per_bar, track, key, chords, chord_syntax, seed
        As for :func:`reharmonize`.
    n
        How many, 1 to 256; fewer come where the rest are near-copies: here, of their half bars with their chords.
    """
    checked_number(n)
    _check(chords_style, amount, chords_per_bar)
    seed = checked_seed(seed)
    bound = _Bound(amount < 1 or keep_cadences, keep_cadences)
    piece = _read(music, track, (key, chords, chord_syntax), chords_style, chords_per_bar, bound)
    if amount == 0:
        return [Take(piece.score, seed, piece.said, 0.0)]
    chain, given_up = _chain(piece, amount)
    rng = np.random.default_rng(seed)

    def draw(k: int) -> list[Drawn[Walk]]:
        walks = [chain.walk(rng) for _ in range(k)]
        return [Drawn(walk, walk.log_probability, frozenset(enumerate(walk.symbols))) for walk in walks]

    made = []
    for rank, one in enumerate(ranked(draw, n), start=1):
        score, left_out = _with_chords(piece, one.what, is_key_named=key is not None)
        place = f" take {rank} of {n}" if n > 1 else ""
        what = f"reharmonize {chords_style} amount {amount:g} seed {seed}{place}"
        said = (*piece.said, *given_up, *left_out)
        made.append(Take(signed(score, what), seed, said, one.log_probability, rank))
    return made


def _check(style: str, amount: float, chords_per_bar: int) -> None:
    if style not in STYLES:
        msg = f"style {style!r} of the chords: expected one of {', '.join(STYLES)}"
        raise RequestError(msg)
    if not 0 <= amount <= 1:
        msg = f"amount {amount}: expected 0 to 1"
        raise RequestError(msg)
    if chords_per_bar not in {1, 2}:
        msg = f"chords in a bar {chords_per_bar}: expected 1 or 2"
        raise RequestError(msg)


def _read(
    music: Score | str | Path,
    track: str | None,
    context: tuple[Key | str | None, Progression | str | None, str | None],
    style: str,
    chords_per_bar: int,
    bound: _Bound,
) -> _Piece:
    from symgen import io

    name = "the score" if isinstance(music, Score) else str(music)
    score = music if isinstance(music, Score) else io.load(music, steps_per_quarter=TICKS_PER_QUARTER)
    number = _melody_track(score, track, name)
    known, where = _known(score, *context, needs_chords=bound.to_chords)
    bars = score.bars
    last = int(bars.bar_of(score.tracks[number].notes[-1].onset_steps))
    if last >= MAX_BARS:
        msg = f"{name}: {last + 1} bars: expected at most {MAX_BARS}"
        raise RequestError(msg)
    slots = _slots(known, number, bars, last, chords_per_bar)
    if bound.to_cadences:
        slots = _with_kept_cadences(slots)
    said = [*([where] if where else []), *([] if len(score.tracks) == 1 else [f"melody: {score.tracks[number].name}"])]
    return _Piece(score, known, number, tuple(slots), style, tuple(said))


def _known(
    score: Score, key: Key | str | None, chords: Progression | str | None, syntax: str | None, *, needs_chords: bool
) -> tuple[Score, str]:
    """Return the score with its keys, and chords if they are needed, and where they come from, in words."""
    if needs_chords or not (score.keys or key is not None):
        return with_context(score, key=key, chords=chords, chord_syntax=syntax)
    if key is None:
        return score, "key of the file"
    return replace(score, keys=(KeyChange(0, Key.parse(key) if isinstance(key, str) else key),)), ""


def _melody_track(score: Score, name: str | None, where: str) -> int:
    pitched = [i for i, track in enumerate(score.tracks) if track.notes and not track.is_drum]
    if name is not None:
        number = score.tracks.index(score.track(name))
        if number in pitched:
            return number
    if name is not None or not pitched:
        what = f"track {name!r} has no pitched notes" if name is not None else "no pitched notes"
        msg = f"{where}: {what}: expected a melody"
        raise RequestError(msg)
    return pitched[0]


def _slots(known: Score, track: int, bars: BarMap, last: int, chords_per_bar: int) -> list[_Slot]:
    """Return the slots up to the bar in which the last note starts; a pickup has none."""
    onset = known.tracks[track].notes[0].onset_steps
    first = int(bars.bar_of(onset))
    # A bar that is silent in its first half is a pickup, and phrases are counted from the bar after it.
    if first < last and onset - int(bars.starts[first]) >= (bars.starts[first + 1] - bars.starts[first]) / 2:
        first += 1
    old = chord_at_steps(known.chords, bars.end_steps)
    slots = []
    end_onset = known.tracks[track].notes[-1].onset_steps
    for bar in range(first, last + 1):
        edges = _edges(bars, bar, chords_per_bar)
        if bar == last and end_onset < edges[1]:  # the last chord stands under the last note, and after it
            edges = [edges[0], edges[-1]]
        for half, (start, end) in enumerate(pairwise(edges)):
            keys = [change.key for change in known.keys if change.onset_steps <= start] or [known.keys[0].key]
            slots.append(_Slot(start, end, bar, ((bar - first) * 2 + half) % PHRASE_SLOTS, keys[-1], old[start]))
    return slots


def _edges(bars: BarMap, bar: int, n: int) -> list[int]:
    """Return where the slots of a bar start, and its end: halves only where both have whole beats."""
    start, end = int(bars.starts[bar]), int(bars.starts[bar + 1])
    beats = [start + place * bars.steps_per_quarter for place in bars.meters[bar].beat_starts]
    middle = (start + end) / 2
    return [start, int(middle), end] if n == 2 and middle in beats else [start, end]


def _with_kept_cadences(slots: Sequence[_Slot]) -> list[_Slot]:
    """Return the slots, those kept that hold the last two chords of a phrase which make a cadence."""
    ends = [i for i, slot in enumerate(slots) if i + 1 == len(slots) or _is_phrase_start(slots, i + 1)]
    kept: set[int] = set()
    for end in ends:
        last, before = slots[end], end
        while before > 0 and slots[before].old == last.old:
            before -= 1
        pair = slots[before].old, last.old
        if pair[0] is not None and pair[1] is not None and cadence_of(pair[0], pair[1], last.key) is not None:
            kept |= set(range(before, end + 1))
    return [replace(slot, is_kept=i in kept) for i, slot in enumerate(slots)]


def _is_phrase_start(slots: Sequence[_Slot], number: int) -> bool:
    return slots[number].kind == 0


def _chain(piece: _Piece, amount: float) -> tuple[ChordChain, tuple[str, ...]]:
    """Return the chain of the first laws that leave some chords, and what was given up, in words."""
    unclosed = "the end does not close on the tonic: no chords of the style do so under this melody"
    unprepared = "the last chord is not prepared by the dominant: no chords of the style do so under this melody"
    foreign = "a note on a strong beat is foreign to its chord and left by leap: no chords of the style have them all"
    broken = "chords that are kept lead where no chord of the style leads"
    for is_kept_bound in (True, False):
        for strict in (True, False):
            for n_closing, words in ((2, ()), (1, (unprepared,)), (0, (unclosed,))):
                chain = _chain_under(piece, amount, n_closing, strict=strict, is_kept_bound=is_kept_bound)
                if chain.is_possible:
                    return chain, (*words, *(() if strict else (foreign,)), *(() if is_kept_bound else (broken,)))
    msg = f"style {piece.style}: no progression of {len(piece.slots)} half bars; expected a longer melody"
    raise RequestError(msg)


def _chain_under(piece: _Piece, amount: float, n_closing: int, *, strict: bool, is_kept_bound: bool) -> ChordChain:
    stretches, first = [], 0
    notes = line_of(piece.score.tracks[piece.track].notes)
    is_strong = (piece.score.bars.levels() <= STRONG_LEVEL).tolist()
    for key, group in groupby(piece.slots, key=lambda slot: slot.key):
        slots, model = list(group), model_of(piece.style, key)
        spans = [(slot.start, slot.end) for slot in slots]
        grid = piece.score.steps_per_quarter
        chords = [in_key(chord, key) for chord in model.chords]
        weight = -costs(notes, is_strong, spans, chords, steps_per_quarter=grid, strict=strict)
        style = laws_of(piece.style, key)
        closing = {len(piece.slots) - 1: is_rest, len(piece.slots) - 2: CLOSING[style]}
        for place, test in list(closing.items())[:n_closing]:
            if first <= place < first + len(slots) and not piece.slots[place].is_kept:
                weight[place - first, ~mask(model, test)] = -np.inf
        _favour_the_old(weight, slots, key, model.chords, amount, is_kept_bound=is_kept_bound)
        stretches.append(Stretch(key, model, weight, np.array([slot.kind for slot in slots])))
        first += len(slots)
    return ChordChain.of(stretches)


def _favour_the_old(
    weight: NDArray[np.float64],
    slots: Sequence[_Slot],
    key: Key,
    chords: Sequence[Chord],
    amount: float,
    *,
    is_kept_bound: bool,
) -> None:
    """Add a bonus for each chord that was there; where one is kept, nothing else counts."""
    places = {notes_of(chord): place for place, chord in enumerate(chords)}
    for row, slot in zip(weight, slots, strict=True):
        old = _place_of(slot, key, places)
        if slot.is_kept:
            row[:] = -np.inf if old is not None and is_kept_bound else 0.0
            row[old if old is not None else slice(0)] = 0.0
        elif old is not None:
            row[old] += _BONUS * (1 - amount) / amount


def _place_of(slot: _Slot, key: Key, places: Mapping[_Notes, int]) -> int | None:
    """Return which chord of a model a slot had; none if it is not among them."""
    return None if slot.old is None or slot.old.is_none else places.get(notes_of(plain(slot.old, key)))


def _with_chords(piece: _Piece, walk: Walk, *, is_key_named: bool) -> tuple[Score, tuple[str, ...]]:
    """Return the piece with new chords and an accompaniment that plays them, and which tracks were left out."""
    score = piece.score
    changes = _changes(piece, walk)
    arrangement = arrangement_of(dict(score.recipe).get("style", piece.style))
    band = {track.name: track for track in arrange((), changes, score.bars, arrangement)[1:]}
    tracks: list[Track] = []
    left_out = []
    for number, track in enumerate(score.tracks):
        if number == piece.track or track.is_drum or not track.notes:
            tracks.append(track)
        elif track.name in band:
            tracks.append(replace(track, notes=band.pop(track.name).notes))
        else:
            left_out.append(track.name)
    words = (f"left out: {', '.join(left_out)}, with the chords as they were",) if left_out else ()
    keys = piece.known.keys if is_key_named else score.keys
    return replace(score, tracks=(*tracks, *band.values()), chords=changes, keys=keys), words


def _changes(piece: _Piece, walk: Walk) -> tuple[ChordChange, ...]:
    """Return the chords of a walk; a slot whose chord stays has all the changes that it had."""
    first = piece.slots[0].start
    changes = [change for change in piece.known.chords if change.onset_steps < first]
    for slot, chord in zip(piece.slots, walk.chords, strict=True):
        here = [ChordChange(slot.start, chord)]
        if slot.old is not None and (slot.is_kept or _is_same(slot.old, chord, slot.key)):
            here = [ChordChange(slot.start, slot.old)]
            here += [c for c in piece.known.chords if slot.start < c.onset_steps < slot.end]
        for change in here:
            if not changes or changes[-1].chord != change.chord:
                changes.append(change)
    return tuple(changes)


def _is_same(one: Chord, other: Chord, key: Key) -> bool:
    """Whether two chords are the same but for tensions and spelling."""
    return not one.is_none and notes_of(plain(one, key)) == notes_of(plain(other, key))
