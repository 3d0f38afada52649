"""Key finding and chord recognition on POP909's labels: ``python -m benchmarks.analysis --corpora DIR``.

Not a speed: it prints the tables of ``docs/analysis.md``, ours beside music21's on the same songs. Needs mir_eval.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
from numpy.typing import NDArray

from symgen.corpus.annotate import beat_chroma, key_from_notes, keys_by_place, recognised_chords
from symgen.corpus.manifest import ROOT_VARIABLE, entry_named
from symgen.corpus.readers import list_sources, read_source
from symgen.io.optional import require
from symgen.roll import note_arrays
from symgen.score import ChordChange, KeyChange, Score
from theory.harte import harte_of
from theory.key import Key
from theory.profiles import PROFILES, find_key

STEPS_PER_QUARTER = 4
MUSIC21_PROFILES = ("krumhansl", "aarden", "bellman", "temperley", "simple")
FLOATING_WINDOWS = (4, 16)  # bars; music21's own default is 4
CHORD_METRICS = ("root", "majmin", "sevenths")
_KINDS = {
    **{"major": "maj", "minor": "min", "diminished": "dim", "augmented": "aug", "suspended-second": "sus2"},
    **{"suspended-fourth": "sus4", "dominant-seventh": "7", "major-seventh": "maj7", "minor-seventh": "min7"},
    **{"diminished-seventh": "dim7", "half-diminished-seventh": "hdim7", "minor-major-seventh": "minmaj7"},
    **{"major-sixth": "maj6", "minor-sixth": "min6", "dominant-ninth": "9", "major-ninth": "maj9"},
    **{"minor-ninth": "min9", "power": "5"},
}  # music21's kinds of chords in Harte's words

Labels = list[str]  # one for each step
KeyFinder = Callable[[Score], Labels]
ChordFinder = Callable[[Score], Labels]


@dataclass(frozen=True, slots=True)
class Song:
    """A song without its labels, and the labels of every step; ``None`` before the first chord."""

    score: Score
    keys: Labels
    chords: list[str | None]


def load_songs() -> list[Song]:
    """Return every other song from the second; what was tuned or counted was so on the first half."""
    scores = [read_source(s, steps_per_quarter=STEPS_PER_QUARTER)[0] for s in list_sources(entry_named("pop909"))]
    return [_song(score) for score in scores[1::2] if isinstance(score, Score)]


def _song(score: Score) -> Song:
    n_steps = score.end_steps
    chords: list[str | None] = [None] * n_steps
    for change in score.chords:
        chords[change.onset_steps :] = [harte_of(change.chord)] * (n_steps - change.onset_steps)
    plain = replace(score, keys=(), chords=(), end_steps=n_steps)
    return Song(plain, _key_labels(score.keys, n_steps), chords)


def _key_labels(changes: Iterable[KeyChange], n_steps: int) -> Labels:
    labels = [""] * n_steps
    for change in changes:
        labels[change.onset_steps :] = [_key_text(change.key)] * (n_steps - change.onset_steps)
    return labels


def _key_text(key: Key) -> str:
    """Return a key as mir_eval spells it: flats for all but F#."""
    names = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
    return f"{names[key.tonic.pitch_class]} {'minor' if key.is_minor else 'major'}"


def main_key(song: Song) -> str:
    """Return the label that holds longest."""
    return Counter(song.keys).most_common(1)[0][0]


def our_key(score: Score, profile: str) -> Labels:
    notes = note_arrays(score)
    weights = np.bincount(notes.pitch % 12, weights=notes.duration_steps, minlength=12)
    return [_key_text(find_key(weights, profile=profile))] * score.end_steps


def our_keys(score: Score, profile: str) -> Labels:
    return _key_labels(keys_by_place(score, profile=profile), score.end_steps)


def music21_key(score: Score, profile: str) -> Labels:
    """Analyse all notes; music21 asks for no more than their pitches and lengths."""
    notes = note_arrays(score)
    weights = np.bincount(notes.pitch % 12, weights=notes.duration_steps, minlength=12) / score.steps_per_quarter
    found = _music21_stream(weights).analyze(f"key.{profile}")
    return [_music21_key_text(found)] * score.end_steps


def music21_keys(score: Score, window: int) -> Labels:
    """Analyse bar by bar, smoothed over a window of bars; silent bars, which it skips, go on with the key before."""
    bars = score.bars.starts[:-1]
    analyser = _music21_analyser(score)
    analyser.windowSize = window
    analyser._interpretationMeasureDict = {}  # it smooths in place: a window must not see another's
    sounding = [bar for bar, found in enumerate(analyser.rawKeyByMeasure) if found is not None]
    labels = [""] * score.end_steps
    for found, bar in zip(analyser.smoothInterpretationByMeasure(), sounding, strict=True):
        start = int(bars[bar]) if bar != sounding[0] else 0
        labels[start:] = [_music21_key_text(found)] * (len(labels) - start)
    return labels


@cache
def _music21_analyser(score: Score) -> Any:
    """Return music21's floating key analyser with its keys by bar, which take seconds and serve every window."""
    music21 = require("music21")
    chroma, _, starts, _ = beat_chroma(score)
    bar_of_beat = np.searchsorted(score.bars.starts[:-1], starts, side="right") - 1
    part = music21.stream.Part()
    for bar in range(len(score.bars.starts) - 1):
        part.append(_music21_stream(chroma[bar_of_beat == bar].sum(axis=0), music21.stream.Measure(number=bar + 1)))
    analyser = music21.analysis.floatingKey.KeyAnalyzer(part)
    measures = part.getElementsByClass(music21.stream.Measure)
    analyser.rawKeyByMeasure = [bar.analyze("key") if bar.recurse().notes else None for bar in measures]
    return analyser


def _music21_stream(weights: NDArray[np.float64], into: Any = None) -> Any:
    """Return a stream with a note for each pitch class that is as long as its weight in quarter notes."""
    music21 = require("music21")
    into = music21.stream.Stream() if into is None else into
    for pitch_class in np.flatnonzero(weights).tolist():
        into.insert(0, music21.note.Note(60 + pitch_class, quarterLength=float(weights[pitch_class])))
    return into


def _music21_key_text(found: Any) -> str:
    return _key_text(Key.from_pitch_class(found.tonic.pitchClass, found.mode))


def our_chords(score: Score, *, with_key: bool, melody_only: bool = False) -> Labels:
    heard = replace(score, tracks=score.tracks[:1], end_steps=score.end_steps) if melody_only else score
    if with_key:
        heard = replace(heard, keys=(KeyChange(0, key_from_notes(heard)),))
    return _chord_labels(recognised_chords(heard), score.end_steps)


def _chord_labels(changes: Iterable[ChordChange], n_steps: int) -> Labels:
    labels = ["N"] * n_steps
    for change in changes:
        labels[change.onset_steps :] = [harte_of(change.chord)] * (n_steps - change.onset_steps)
    return labels


def music21_chords(score: Score, *, whole_beat: bool) -> Labels:
    """Name each beat's notes: all that sound within it, or those at its start, as ``chordify`` slices them."""
    _, _, starts, _ = beat_chroma(score)
    notes = note_arrays(score)
    note_ends = notes.onset_steps + notes.duration_steps
    labels: Labels = []
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), score.bars.end_steps], strict=True):
        inside = (notes.onset_steps < (end if whole_beat else start + 1)) & (note_ends > start)
        labels += [_music21_chord(_closed(notes.pitch[inside].tolist()))] * (end - start)
    return labels[: score.end_steps]


def _closed(pitches: Sequence[int]) -> tuple[int, ...]:
    """Return the lowest note near middle C and the others close above it: music21 names more chords so."""
    lowest = min(pitches, default=0)
    return tuple(sorted({60 + lowest % 12 + (pitch - lowest) % 12 for pitch in pitches}))


@cache
def _music21_chord(pitches: tuple[int, ...]) -> str:
    """Return music21's root and kind; where it knows no kind, a triad by the third above its root."""
    music21 = require("music21")
    if not pitches:
        return "N"
    read = music21.chord.Chord(pitches)
    root = read.root()
    _, kind = music21.harmony.chordSymbolFigureFromChord(read, True)
    is_minor = {(pitch - root.midi) % 12 for pitch in pitches} & {3, 4} == {3}
    return f"{root.name.replace('-', 'b')}:{_KINDS.get(kind, 'min' if is_minor else 'maj')}"


def key_scores(songs: Sequence[Song], find: KeyFinder, *, by_place: bool) -> tuple[float, float]:
    """Return the parts of exact keys and of MIREX points, for each song's main key or for all its steps."""
    exact = points = 0.0
    for song in songs:
        found = find(song.score)
        labels = song.keys if by_place else [main_key(song)] * len(found)
        for (label, found_key), count in Counter(zip(labels, found, strict=True)).items():
            share = count / len(found) / len(songs)  # every song counts the same
            exact += share * (label == found_key)
            points += share * mir_eval.key.weighted_score(label, found_key)
    return exact, points


def chord_scores(songs: Sequence[Song], find: ChordFinder) -> list[float]:
    """Return mir_eval's accuracies, by time."""
    pairs: Counter[tuple[str, str]] = Counter()
    for song in songs:
        pairs.update(
            (label, found) for label, found in zip(song.chords, find(song.score), strict=True) if label is not None
        )
    labels, found = zip(*pairs, strict=True)
    times = np.array(list(pairs.values()), dtype=np.float64)
    compared = [getattr(mir_eval.chord, metric)(list(labels), list(found)) for metric in CHORD_METRICS]
    return [float(mir_eval.chord.weighted_accuracy(comparison, times)) for comparison in compared]


def key_rows(songs: Sequence[Song], subset: Sequence[Song]) -> Iterator[str]:
    yield from ("| key of a song | exact | MIREX | all: exact | all: MIREX |", "|---|--:|--:|--:|--:|")
    whole = {f"ours, {name}": partial(our_key, profile=name) for name in PROFILES}
    whole |= {f"music21, {name}": partial(music21_key, profile=name) for name in MUSIC21_PROFILES}
    for name, find in whole.items():
        yield _row(name, *(key_scores(chosen, find, by_place=False) for chosen in (subset, songs)))
    yield from ("", "| keys by place | exact | MIREX | all: exact | all: MIREX |", "|---|--:|--:|--:|--:|")
    placed = {f"ours, one key, {name}": partial(our_key, profile=name) for name in PROFILES}
    placed |= {f"ours, {name}": partial(our_keys, profile=name) for name in PROFILES}
    placed |= {f"music21, window {window}": partial(music21_keys, window=window) for window in FLOATING_WINDOWS}
    for name, find in placed.items():
        is_slow = name.startswith("music21")
        groups = (subset,) if is_slow else (subset, songs)
        yield _row(name, *(key_scores(chosen, find, by_place=True) for chosen in groups))


def chord_rows(songs: Sequence[Song], subset: Sequence[Song]) -> Iterator[str]:
    metrics = " | ".join((*CHORD_METRICS, *(f"all: {metric}" for metric in CHORD_METRICS)))
    yield from (f"| chords | {metrics} |", "|---|" + "--:|" * 6)
    finders: dict[str, ChordFinder] = {
        "ours, found key": partial(our_chords, with_key=True),
        "ours, no key": partial(our_chords, with_key=False),
        "ours, melody alone": partial(our_chords, with_key=True, melody_only=True),
        "music21, whole beats": partial(music21_chords, whole_beat=True),
        "music21, starts of beats": partial(music21_chords, whole_beat=False),
    }
    for name, find in finders.items():
        is_slow = name.startswith("music21")
        yield _row(name, *(chord_scores(chosen, find) for chosen in ((subset,) if is_slow else (subset, songs))))


def _row(name: str, *groups: Sequence[float]) -> str:
    cells = [f"{100 * value:.1f}" for group in groups for value in group]
    return f"| {name} | {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.analysis", description=__doc__)
    parser.add_argument("--corpora", type=Path, help=f"folder that holds POP909 (default: ${ROOT_VARIABLE})")
    parser.add_argument("--songs", type=int, default=60, help="songs that music21 analyses too (default: 60)")
    options = parser.parse_args(arguments)
    if options.corpora:
        os.environ[ROOT_VARIABLE] = str(options.corpora)
    songs = load_songs()
    subset = songs[:: max(1, len(songs) // options.songs)][: options.songs]
    print(f"{len(subset)} songs, and all {len(songs)} of that half\n")
    for rows in (key_rows, chord_rows):
        for line in rows(songs, subset):
            print(line, flush=True)
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
