"""From two folders of music to a table: generated pieces held against real ones.

Every measure is defined in ``docs/evaluation.md`` and computed by :mod:`symgen.evaluate`; here stands which pieces go
into which one, and in what order.

>>> from symgen.score import Note, Track
>>> rng = np.random.default_rng(0)
>>> def tune() -> Score:
...     notes = tuple(Note(2 * i, 2, int(p)) for i, p in enumerate(rng.integers(60, 72, 16)))
...     return Score(4, (Track("Melody", notes),), end_steps=32)
>>> found = evaluate([tune() for _ in range(12)], [tune() for _ in range(12)], Settings(n_epochs=0))
>>> [table.title for table in found.tables]  # doctest: +ELLIPSIS
['Sets of melodies', 'Statistics', 'Form', 'Neighbours in feature space', 'Real or generated']
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.corpus.readers import MUSIC_SUFFIXES, Source, read_source
from symgen.corpus.shards import load_shard
from symgen.errors import CorpusError, RequestError, SymgenError
from symgen.evaluate.classify import Accuracy, real_or_generated, train_network
from symgen.evaluate.copies import RunIndex, copy_threshold, longest_shared_run, moves_of
from symgen.evaluate.distances import compare_sets
from symgen.evaluate.excerpt import first_bars, in_c, only_track
from symgen.evaluate.features import FEATURES, feature_rows
from symgen.evaluate.form import form_of
from symgen.evaluate.manifold import diversity, manifold, neighbours
from symgen.evaluate.melody import Melody, melody_of
from symgen.evaluate.statistics import statistics_of
from symgen.evaluate.tracks import track_measures
from symgen.evaluate.vectors import roll_of, rows_of, standardised
from symgen.score import Score
from theory.errors import TheoryError

__all__ = ["Evaluation", "Settings", "Table", "evaluate", "load_folder"]

MIN_PIECES = 10
_GRID = 12
_MAX_QUARTERS = 64  # of what the small network sees
_MAX_COMPARED = 2000  # training pieces that neighbours are looked for among

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How sets are held against each other.

    Parameters
    ----------
    n_bars
        Compare the first bars only, of pieces that have so many; whole pieces if left out.
    move_to_c
        Whether pieces with a key are moved so that their tonic is C.
    all_tracks
        Whether statistics are of all tracks, and tracks that both sets have are compared; else of the melody alone.
    track
        Name of the melody's track; the first with notes that is no drums if left out.
    k
        Which neighbour the balls of the feature space reach to.
    n_folds
        Of the classifiers.
    n_epochs
        How many epochs the small convolutional network is trained; 0 leaves it out.
    seed
        Of the folds and the classifiers.
    """

    n_bars: int | None = None
    move_to_c: bool = True
    all_tracks: bool = False
    track: str | None = None
    k: int = 5
    n_folds: int = 5
    n_epochs: int = 20
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Figures under one title: rows by name, each with as many values as there are columns."""

    title: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[float, ...]]

    def lines(self) -> list[str]:
        """Return the table in Markdown."""
        head = [f"| {' | '.join((self.title, *self.columns))} |", f"|---|{'--:|' * len(self.columns)}"]
        return head + [f"| {name} | {' | '.join(map(_shown, values))} |" for name, values in self.rows.items()]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found.

    Parameters
    ----------
    settings
        How.
    n_generated, n_reference, n_train
        Pieces that went in.
    tables
        In the order of the documentation.
    notes
        What was left out, in words.
    """

    settings: Settings
    n_generated: int
    n_reference: int
    n_train: int
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = field(default=())

    def markdown(self) -> str:
        """Return everything as Markdown tables under one line that says what was compared."""
        train = f", {self.n_train} training pieces" if self.n_train else ""
        head = f"{self.n_generated} generated pieces, {self.n_reference} of the reference{train}; {self._manner()}."
        parts = [[head], *([f"Note: {note}."] for note in self.notes), *(table.lines() for table in self.tables)]
        return "\n\n".join("\n".join(part) for part in parts) + "\n"

    def _manner(self) -> str:
        span = f"the first {self.settings.n_bars} bars" if self.settings.n_bars else "whole pieces"
        key = "moved to C" if self.settings.move_to_c else "in their own keys"
        parts = "all tracks" if self.settings.all_tracks else "the melody alone"
        return f"{span}, {key}, {parts}, seed {self.settings.seed}"

    def facts(self) -> dict[str, Any]:
        """Return everything for JSON; ``None`` stands for what is not defined or not finite."""
        tables = {
            table.title: {
                name: dict(zip(table.columns, map(_finite, values), strict=True)) for name, values in table.rows.items()
            }
            for table in self.tables
        }
        pieces = {"generated": self.n_generated, "reference": self.n_reference, "train": self.n_train}
        return {"settings": asdict(self.settings), "pieces": pieces, "notes": list(self.notes), "tables": tables}


@dataclass(frozen=True, slots=True)
class _Set:
    """Excerpts, and their melodies, one for each."""

    scores: list[Score]
    melodies: list[Melody]


def evaluate(
    generated: Sequence[Score],
    reference: Sequence[Score],
    settings: Settings | None = None,
    *,
    train: Sequence[Score] = (),
    progress: Progress | None = None,
) -> Evaluation:
    """Hold generated pieces against real ones.

    Parameters
    ----------
    generated
        At least ten pieces.
    reference
        At least ten real pieces, which no model was trained on.
    settings
        The defaults if left out.
    train
        What the model was trained on; without it nothing is said of copies.
    progress
        Called with what is being measured, how many tables are done and of how many.

    Raises
    ------
    RequestError
        If a set has fewer than ten pieces that can be compared, or a setting is out of range.
    ScoreError
        If a piece has no track of the name asked for.
    """
    settings = _checked(settings or Settings())
    made, notes_made = _prepared(generated, settings, "generated")
    real, notes_real = _prepared(reference, settings, "reference")
    steps: dict[str, Callable[[], list[Table]]] = {
        "sets": lambda: [_sets(made, real)],
        "statistics": lambda: [_means("Statistics", [list(map(statistics_of, s.scores)) for s in (made, real)])],
        "form": lambda: [_means("Form", [[form_of(m) for m in s.melodies] for s in (made, real)])],
        "tracks": lambda: _tracks(made, real) if settings.all_tracks else [],
        "copies": lambda: [_copies(generated, reference, train, settings)] if train else [],
        "neighbours": lambda: _neighbours(made, real, train, settings),
        "classifiers": lambda: [_classifiers(made, real, settings)],
    }
    tables: list[Table] = []
    for number, (name, step) in enumerate(steps.items()):
        if progress is not None:
            progress(name, number, len(steps))
        tables += step()
    return Evaluation(settings, len(made.scores), len(real.scores), len(train), tuple(tables), notes_made + notes_real)


def load_folder(
    folder: Path, *, splits: Sequence[str] = ("valid", "test"), progress: Progress | None = None
) -> tuple[list[Score], list[str]]:
    """Read a folder of music, or one that ``symgen corpus build`` has made.

    Parameters
    ----------
    folder
        Searched with the folders in it, in the order of the names.
    splits
        Which pieces of a built corpus to take.
    progress
        Called with the folder's name, the files done and their total.

    Returns
    -------
    scores, skipped
        What was read, and a line for each file that could not be.

    Raises
    ------
    CorpusError
        If there is no such folder, or nothing readable in it.
    """
    if not folder.is_dir():
        msg = f"{folder}: no such folder: expected one with music or a built corpus"
        raise CorpusError(msg)
    scores: list[Score] = []
    skipped: list[str] = []
    if (folder / "index.json").is_file():
        scores = [piece.score for piece in load_shard(folder) if piece.split in splits]
    else:
        files = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in MUSIC_SUFFIXES and p.is_file()]
        for number, path in enumerate(files):
            if progress is not None:
                progress(folder.name, number, len(files))
            _read_into(scores, skipped, path)
    if not scores:
        msg = f"{folder}: no readable music in it{': ' + skipped[0] if skipped else ''}"
        raise CorpusError(msg)
    return scores, skipped


def _read_into(scores: list[Score], skipped: list[str], path: Path) -> None:
    try:
        read = read_source(Source("file", path), steps_per_quarter=_GRID)
    except (SymgenError, TheoryError) as error:
        read = [error]
    scores += [score for score in read if isinstance(score, Score)]
    skipped += [f"{path.name}: {error}" for error in read if isinstance(error, Exception)]


def _checked(settings: Settings) -> Settings:
    low = {"n_bars": 1, "k": 1, "n_folds": 2, "n_epochs": 0, "seed": 0}
    for name, least in low.items():
        value = getattr(settings, name)
        if value is not None and value < least:
            msg = f"{name} {value}: expected {least} or more"
            raise RequestError(msg)
    return settings


def _excerpt(score: Score, settings: Settings) -> Score | None:
    chosen = score if settings.all_tracks else only_track(score, settings.track)
    moved = in_c(chosen) if settings.move_to_c else chosen
    return moved if settings.n_bars is None else first_bars(moved, settings.n_bars)


def _sounding(scores: Sequence[Score]) -> list[Score]:
    return [score for score in scores if any(track.notes and not track.is_drum for track in score.tracks)]


def _prepared(scores: Sequence[Score], settings: Settings, name: str) -> tuple[_Set, tuple[str, ...]]:
    """Return the pieces that can be compared, and what was left out."""
    sounding = _sounding(scores)
    excerpts = [part for score in sounding if (part := _excerpt(score, settings)) is not None]
    pairs = [(part, melody_of(part, settings.track)) for part in excerpts]
    pairs = [(part, melody) for part, melody in pairs if melody.n_notes >= 3]
    short, silent = len(sounding) - len(excerpts), len(scores) - len(sounding) + len(excerpts) - len(pairs)
    least = max(MIN_PIECES, settings.k + 1, settings.n_folds)
    said: tuple[str, ...] = (f"{short} pieces of the {name} set are too short and left out",) if short else ()
    said += (f"{silent} pieces of the {name} set have fewer than three notes and are left out",) if silent else ()
    if len(pairs) < least:
        rest = f" ({'; '.join(said)})" if said else ""
        msg = f"{name} set: {len(pairs)} pieces to compare: expected at least {least}{rest}"
        raise RequestError(msg)
    return _Set([part for part, _ in pairs], [melody for _, melody in pairs]), said


def _sets(made: _Set, real: _Set) -> Table:
    rows_made, rows_real = feature_rows(made.melodies), feature_rows(real.melodies)
    rows = {}
    for name in FEATURES:
        c = compare_sets(rows_made[name], rows_real[name])
        rows[name] = (c.overlap, c.divergence, c.within_generated, c.within_reference, c.across)
    overlaps, divergences = zip(*((row[0], row[1]) for row in rows.values()), strict=True)
    rows["mean"] = (float(np.mean(overlaps)), float(np.mean(divergences)), math.nan, math.nan, math.nan)
    columns = ("overlapping area", "KL (nats)", "within generated", "within reference", "across")
    return Table("Sets of melodies", columns, rows)


def _means(title: str, sets: Sequence[Sequence[Mapping[str, float]]]) -> Table:
    """Return the means of both sets over the pieces for which each figure is defined, and the spread of the second."""
    made, real = (
        {name: np.array([row[name] for row in rows if name in row]) for name in _names(rows)} for rows in sets
    )
    rows = {
        name: _compared(made[name], real[name])
        for name in made
        if name in real and not (np.isnan(made[name]).all() or np.isnan(real[name]).all())
    }
    return Table(title, ("generated", "reference", "deviation there", "off by"), rows)


def _names(rows: Sequence[Mapping[str, float]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _compared(made: Array, real: Array) -> tuple[float, float, float, float]:
    """Return both means, the deviation within the second set, and by which share the first mean is off."""
    mine, theirs = float(np.nanmean(made)), float(np.nanmean(real))
    nowhere = math.copysign(math.inf, mine) if mine else 0.0
    off = mine / theirs - 1 if theirs else nowhere
    return mine, theirs, float(np.nanstd(real)), off


def _tracks(made: _Set, real: _Set) -> list[Table]:
    table = _means("Tracks", [[track_measures(score) for score in s.scores] for s in (made, real)])
    return [table] if table.rows else []


def _copies(
    generated: Sequence[Score], reference: Sequence[Score], train: Sequence[Score], settings: Settings
) -> Table:
    """Compare the longest runs shared with the training pieces: whole pieces, for a copy may stand anywhere."""
    index = RunIndex.build([moves_of(melody_of(score, settings.track)) for score in _sounding(train)])
    made, real = (
        np.array([longest_shared_run(melody_of(score, settings.track), index).length for score in _sounding(scores)])
        for scores in (generated, reference)
    )
    threshold = copy_threshold(real.tolist())
    rows = {
        f"longest shared run, {name}": (float(of(made)), float(of(real)))
        for name, of in (("median", np.median), ("mean", np.mean), ("longest", np.max))
    }
    rows["share of 12 moves or more"] = (float((made >= 12).mean()), float((real >= 12).mean()))
    rows[f"share above {threshold} moves, the threshold"] = (
        float((made > threshold).mean()),
        float((real > threshold).mean()),
    )
    return Table("Copies", ("generated", "reference"), rows)


def _neighbours(made: _Set, real: _Set, train: Sequence[Score], settings: Settings) -> list[Table]:
    raw_real = rows_of(real.melodies)
    x, y = standardised(rows_of(made.melodies), raw_real), standardised(raw_real, raw_real)
    found, own, theirs = manifold(x, y, k=settings.k), diversity(x), diversity(y)
    rows = {name: (value, math.nan) for name, value in asdict(found).items()}
    rows |= {"mean distance of pairs": (own.mean, theirs.mean), "least distance of pairs": (own.least, theirs.least)}
    if train:
        # A sample is enough for medians, and keeps the time in bounds; every n-th piece, so that no seed is needed.
        sample = train[:: -(-len(train) // _MAX_COMPARED)]
        seen, _ = _prepared(sample, settings, "training")
        near = neighbours(x, y, standardised(rows_of(seen.melodies), raw_real))
        rows["distance to the nearest training piece"] = (near.generated, near.held_out)
        rows["share nearer than all but 5% of the reference"] = (near.share_nearer, 0.05)
    return [Table("Neighbours in feature space", ("generated", "reference"), rows)]


def _classifiers(made: _Set, real: _Set, settings: Settings) -> Table:
    x, y = rows_of(made.melodies), rows_of(real.melodies)
    how = {"n_folds": settings.n_folds, "seed": settings.seed}
    rows = {
        "features, linear": real_or_generated(x, y, train_network, **how),
        "features, one hidden layer": real_or_generated(x, y, _hidden, **how),
    }
    if settings.n_epochs:
        rows["piano roll, convolutions"] = _judged(made, real, settings)
    columns = ("right", "low", "high", "chance", "pieces")
    values = {name: (a.accuracy, a.low, a.high, a.chance, float(a.n)) for name, a in rows.items()}
    return Table("Real or generated", columns, values)


def _hidden(x: Array, y: NDArray[np.int64], rng: np.random.Generator) -> Callable[[Any], NDArray[np.int64]]:
    return train_network(x, y, rng, n_hidden=32)


def _judged(made: _Set, real: _Set, settings: Settings) -> Accuracy:
    from symgen.model.judge import train_judge

    longest = max(int(m.bar_starts[-1]) / m.steps_per_quarter for s in (made, real) for m in s.melodies)
    n_quarters = min(math.ceil(longest), _MAX_QUARTERS)
    rolls = [np.stack([roll_of(melody, n_quarters) for melody in s.melodies]) for s in (made, real)]

    def train(x: Any, y: NDArray[np.int64], rng: np.random.Generator) -> Callable[[Any], NDArray[np.int64]]:
        return train_judge(x, y, rng, n_epochs=settings.n_epochs)

    return real_or_generated(rolls[0], rolls[1], train, n_folds=settings.n_folds, seed=settings.seed)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _shown(value: float) -> str:
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.0f}" if float(value).is_integer() and abs(value) >= 10 else f"{value:.3f}"
