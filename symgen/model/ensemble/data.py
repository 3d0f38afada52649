"""Training windows of an ensemble: whole bars of all tracks, with what is known about them, relative to the tonic.

What a cell of a roll does is a *code*: silent, held, or struck. A grid of sixteenths holds most of the music; what
falls between its steps is moved to the nearest one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgen.conditions import PHRASE_BARS, Conditions, tonic_shift
from symgen.errors import CorpusError
from symgen.grid import BarMap
from symgen.model.ensemble.config import EnsembleConfig
from symgen.score import ChordChange, Note, Score

__all__ = ["HELD", "SILENT", "STRUCK", "EnsembleRun", "RollSampler", "encode_tracks", "ensemble_runs", "parts_of"]

SILENT, HELD, STRUCK = 0, 1, 2

_MIN_BARS = 4
_HEARD = 0.5  # share of a window's bars in which something is struck
_HIGHEST_BASS = 50  # D3: the lowest note of the left hand up to here is the bass's
_ACCOMPANIMENT, _BASS = "PIANO", "Bass"
_ROLES = {"Melody": ("MELODY", "Melody"), "Counter-melody": ("BRIDGE", "Counter-melody")}


@dataclass(frozen=True, slots=True)
class EnsembleRun:
    """A run of full bars of one metre and key.

    Parameters
    ----------
    codes
        Of each cell, relative to the tonic, shape (bars, bar_steps, tracks, pitches), uint8.
    features
        Conditions of every step, shape (bars, bar_steps, N_FEATURES), float16.
    """

    codes: NDArray[np.uint8]
    features: NDArray[np.float16]

    @property
    def n_bars(self) -> int:
        """Bars in the run."""
        return len(self.codes)


def parts_of(score: Score, config: EnsembleConfig) -> list[tuple[Note, ...]] | None:
    """Return the notes of each track of an ensemble; none if the score has not those tracks.

    The bass of a piano is, of the notes struck together, the lowest, where it is at most D3 and nothing that sounds is
    lower.
    """
    by_name = {track.name: track.notes for track in score.tracks if not track.is_drum}
    if _ACCOMPANIMENT in by_name:
        bass, chords = _split_bass(by_name[_ACCOMPANIMENT])
        by_name |= {_BASS: bass, "Chords": chords}
    found = [next((by_name[n] for n in (*_ROLES.get(name, ()), name) if n in by_name), None) for name in config.tracks]
    parts = [notes for notes in found if notes is not None]
    return parts if len(parts) == config.n_tracks else None


def _split_bass(notes: Sequence[Note]) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
    bass: list[Note] = []
    others: list[Note] = []
    sounding: list[Note] = []
    onset = -1
    for note in sorted(notes, key=lambda n: (n.onset_steps, n.pitch)):
        if note.onset_steps != onset:
            onset = note.onset_steps
            sounding = [n for n in sounding if n.end_steps > onset]
        is_lowest = all(n.pitch > note.pitch for n in sounding)
        sounding.append(note)
        (bass if is_lowest and note.pitch <= _HIGHEST_BASS else others).append(note)
    return tuple(bass), tuple(others)


def ensemble_runs(pieces: Iterable[tuple[Score, str]], config: EnsembleConfig) -> Iterator[EnsembleRun]:
    """Cut pieces into runs.

    Parameters
    ----------
    pieces
        Scores with their styles; those without the ensemble's tracks are passed over.
    config
        The ensemble.

    Raises
    ------
    CorpusError
        If the grid of a piece is not a multiple of the ensemble's.
    """
    for score, style in pieces:
        if score.steps_per_quarter % config.steps_per_quarter:
            grid = f"{score.steps_per_quarter} steps a quarter"
            msg = f"training data at {grid}: expected a multiple of {config.steps_per_quarter}"
            raise CorpusError(msg)
        parts = parts_of(score, config)
        if parts is not None:
            yield from _runs_of(score, parts, style, config)


def _runs_of(
    score: Score, parts: Sequence[Sequence[Note]], style: str, config: EnsembleConfig
) -> Iterator[EnsembleRun]:
    ratio = score.steps_per_quarter // config.steps_per_quarter
    bars = score.bars
    keys = [max((c for c in score.keys if c.onset_steps <= s), key=lambda c: c.onset_steps).key for s in bars.starts]
    lengths = np.diff(bars.starts)
    full = [n == m.bar_steps(score.steps_per_quarter) for n, m in zip(lengths, bars.meters, strict=True)]
    like = list(zip(bars.meters, keys, full, strict=False))
    first = 0
    for bar in range(1, bars.n_bars + 1):
        if bar < bars.n_bars and like[bar] == like[first]:
            continue
        bar_steps, off = divmod(int(lengths[first]), ratio)
        if full[first] and bar - first >= _MIN_BARS and not off and bar_steps <= config.max_bar_steps:
            start, n_steps = int(bars.starts[first]), (bar - first) * bar_steps
            shift = tonic_shift(keys[first])
            codes = encode_tracks(
                [_moved(notes, start, ratio, n_steps) for notes in parts], config, n_steps=n_steps, shift=shift
            )
            edges = BarMap.build(
                [(0, bars.meters[first])], steps_per_quarter=config.steps_per_quarter, end_steps=n_steps
            )
            chords = _moved_chords(score.chords, start, ratio, n_steps)
            conditions = Conditions(
                edges, keys[first], chords, style, first_bar=first % PHRASE_BARS, is_end=bar == bars.n_bars
            )
            shape = (bar - first, bar_steps)
            features = conditions.features().astype(np.float16)
            yield EnsembleRun(codes.reshape(*shape, *codes.shape[1:]), features.reshape(*shape, -1))
        first = bar


def _moved(notes: Sequence[Note], start: int, ratio: int, n_steps: int) -> list[Note]:
    """Return notes that start in a passage, on the coarser grid, counted from its beginning."""
    moved = []
    for note in notes:
        onset = round((note.onset_steps - start) / ratio)
        if note.onset_steps >= start and onset < n_steps:
            end = max(round((note.end_steps - start) / ratio), onset + 1)
            moved.append(Note(onset, min(end, n_steps) - onset, note.pitch, note.velocity))
    return moved


def _moved_chords(chords: Sequence[ChordChange], start: int, ratio: int, n_steps: int) -> tuple[ChordChange, ...]:
    found: dict[int, ChordChange] = {}
    for change in chords:
        step = max(round((change.onset_steps - start) / ratio), 0)
        if step < n_steps:
            found[step] = ChordChange(step, change.chord)
    return tuple(found[step] for step in sorted(found))


def encode_tracks(
    parts: Sequence[Sequence[Note]], config: EnsembleConfig, *, n_steps: int, shift: int
) -> NDArray[np.uint8]:
    """Return the codes of notes on the ensemble's grid, shape (n_steps, tracks, pitches).

    Of a line, of notes struck together the highest stays, and each is cut where the next is struck; notes outside the
    ensemble's range are left out.

    Parameters
    ----------
    parts
        The notes of each track.
    config
        The ensemble.
    n_steps
        Length.
    shift
        Semitones that bring the tonic to C.
    """
    codes = np.zeros((n_steps, config.n_tracks, config.n_pitches), dtype=np.uint8)
    for number, (notes, chordal) in enumerate(zip(parts, config.chordal, strict=True)):
        for note in sorted(notes, key=lambda n: (n.onset_steps, n.pitch)):
            place = note.pitch + shift - config.low
            if 0 <= place < config.n_pitches and note.onset_steps < n_steps:
                track = codes[:, number]
                if not chordal:
                    track[note.onset_steps :] = SILENT
                track[note.onset_steps : note.end_steps, place] = HELD
                track[note.onset_steps, place] = STRUCK
                after = track[note.end_steps :, place]
                after[: _run_of_holds(after)] = SILENT  # a longer note of this pitch that was cut
    return codes


def _run_of_holds(codes: NDArray[np.uint8]) -> int:
    other = codes != HELD
    return int(np.argmax(other)) if other.any() else len(codes)


class RollSampler:
    """Draws batches of windows of one length of bar.

    Parameters
    ----------
    runs
        What to draw from.
    n_bars
        Lengths of window, each drawn equally often.
    batch_bars
        Size of a batch in bars.

    Raises
    ------
    CorpusError
        If the runs have no window of some length.
    """

    def __init__(self, runs: Sequence[EnsembleRun], *, n_bars: Sequence[int], batch_bars: int) -> None:
        self.runs, self.n_bars, self.batch_bars = runs, tuple(n_bars), batch_bars
        self.places: dict[int, dict[int, list[tuple[int, int]]]] = {}
        heard_bars = [(run.codes == STRUCK).any(axis=(1, 2, 3)) for run in runs]
        for n in self.n_bars:
            by_length = self.places.setdefault(n, {})
            for index, run in enumerate(runs):
                starts = [s for s in range(run.n_bars - n + 1) if s % 2 == 0 or s == run.n_bars - n]
                heard = [s for s in starts if heard_bars[index][s : s + n].mean() > _HEARD]
                by_length.setdefault(run.codes.shape[1], []).extend((index, s) for s in heard)
            self.places[n] = {length: found for length, found in by_length.items() if found}
            if not self.places[n]:
                msg = f"training data: no passage of {n} bars in one metre and key with the tracks of the ensemble"
                raise CorpusError(msg)

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return codes, shape (batch, bars, bar_steps, tracks, pitches), and features."""
        n = self.n_bars[int(rng.integers(len(self.n_bars)))]
        tables = self.places[n]
        weights = np.array([len(found) for found in tables.values()], dtype=np.float64)
        length = list(tables)[int(rng.choice(len(tables), p=weights / weights.sum()))]
        return self._stacked(tables[length], rng.integers(len(tables[length]), size=self.batch_bars // n), n)

    def every(self, n: int, limit: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
        """Yield up to ``limit`` batches of windows of ``n`` bars in a fixed order, each window at most once."""
        order, size = np.random.default_rng(0), self.batch_bars // n
        for found in self.places[n].values():
            shuffled = order.permutation(len(found))
            for start in range(0, min(len(found), limit * size), size):
                yield self._stacked(found, shuffled[start : start + size], n)

    def _stacked(
        self, places: Sequence[tuple[int, int]], chosen: NDArray[np.int64], n: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        rows = [(self.runs[places[i][0]], places[i][1]) for i in chosen.tolist()]
        codes = np.stack([_opened(run.codes, start, n) for run, start in rows])
        return codes, np.stack([run.features[start : start + n] for run, start in rows]).astype(np.float32)


def _opened(codes: NDArray[np.uint8], start: int, n: int) -> NDArray[np.uint8]:
    """Return bars that can stand alone: what is held into them is struck."""
    window = codes[start : start + n].copy()
    first = window[0, 0]
    first[first == HELD] = STRUCK
    return window
