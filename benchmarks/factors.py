"""What the latents of the line VAE hold: reconstruction, swaps and probes, on held-out pieces.

``python -m benchmarks.factors [CHECKPOINT] [--pairs 200] [--json out.json]`` reads the test split of the corpora that
the checkpoint was trained on, and prints a table. Every figure is of pieces that the model has never heard.

reconstruction
    Share of the steps of a window that the likeliest line of the chain, given the posterior means, has as they were.
swaps
    The rhythm's latents of one window with the pitches' of another, over the other's chords: share of onsets that are
    the first one's (F1), and of notes whose pitch is the one the other has at this place of its bar's sequence. Where
    the bar has more notes now than it had, the sequence goes on with the pitches of the bars after it; these notes are
    also counted apart.
transposed chords
    The chords moved by some semitones, the latents kept: share of onsets that stay, and of notes that sound otherwise;
    by the model alone, and as ``symgen transfer`` gives it, under the default rules.
probes
    A linear classifier is asked for rhythm from the pitches' latents (is a slot of the bar an onset), and for pitches
    from the rhythm's (the pitch class of the bar's first note), against always naming the most frequent answer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import symgen
from symgen.alphabet import HOLD, N_SPECIAL, REST
from symgen.corpus.shards import Piece
from symgen.decode.compile import compile_line
from symgen.decode.infer import best_line
from symgen.errors import SymgenError
from symgen.evaluate.excerpt import first_bars, only_track
from symgen.grid import BarMap
from symgen.model.checkpoint import Checkpoint, checkpoint_folder, load_checkpoint
from symgen.model.data import LineRun, stack, windows
from symgen.model.harmony import chord_columns
from symgen.model.sample import encode_line, line_potentials
from symgen.moments import moments_of
from symgen.pipeline.training import load_pieces, runs_of
from symgen.score import Score
from theory.key import Key
from theory.meter import Meter

_Line = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Example:
    """A window on the grid of steps: symbols (bars, bar_steps) and conditions (bars, bar_steps, N_FEATURES)."""

    line: _Line
    features: NDArray[np.float32]
    slots: _Line


def examples(checkpoint: Checkpoint, runs: Sequence[LineRun], n_bars: int, n: int, seed: int) -> list[Example]:
    """Return random windows of held-out runs, of bars that are a whole number of quarters."""
    grid, rng = checkpoint.model.config.grid, np.random.default_rng(seed)
    steps_of = {len(grid.slots(steps)): steps for steps in range(1, 16 * grid.steps_per_quarter)}
    places = [(slots, *place) for slots, found in windows(runs, n_bars).items() for place in found]
    chosen = rng.permutation(len(places))[:n]
    return [_example(runs[places[i][1]], places[i][2], n_bars, steps_of[places[i][0]], grid) for i in chosen.tolist()]


def _example(run: LineRun, start: int, n_bars: int, bar_steps: int, grid: Any) -> Example:
    slots = grid.slots(bar_steps)
    batch = stack([run], [start], n_bars)
    line, features = np.empty((n_bars, bar_steps), dtype=np.int64), np.zeros((n_bars, bar_steps, run.features.shape[2]))
    sounds = False
    for bar, step in np.ndindex(*line.shape):
        place = int(np.searchsorted(slots, step))
        if place < len(slots) and slots[place] == step:
            line[bar, step] = batch.line[0, bar, place]
        else:
            line[bar, step] = HOLD if sounds else REST
        sounds = line[bar, step] != REST
    features[:, slots] = batch.features[0]
    return Example(line, features.astype(np.float32), slots)


def likeliest(checkpoint: Checkpoint, latents: NDArray[np.float32], features: NDArray[np.float32]) -> _Line:
    """Return the likeliest line of the chain, shape (bars, bar_steps)."""
    potentials = line_potentials(checkpoint.model, latents, features, shift=0)
    bars = BarMap.build([(0, Meter.parse("1/4"))], steps_per_quarter=1, end_steps=potentials.n_steps)
    line, _ = best_line(compile_line(potentials, moments_of(bars, Key.parse("C"), ()), []))
    return line.reshape(features.shape[:2])


def reconstruction(checkpoint: Checkpoint, runs: Sequence[LineRun], n_bars: int, n: int) -> dict[str, float]:
    same = slots = total = n_slots = whole = 0
    made = examples(checkpoint, runs, n_bars, n, seed=1)
    for one in made:
        again = likeliest(checkpoint, encode_line(checkpoint.model, one.line, one.features), one.features)
        right = again == one.line
        same, total = same + int(right.sum()), total + right.size
        slots, n_slots = slots + int(right[:, one.slots].sum()), n_slots + right[:, one.slots].size
        whole += bool(right.all())
    return {"steps": same / total, "slots": slots / n_slots, "whole windows": whole / len(made), "windows": len(made)}


def _pitches_from(line: _Line) -> list[list[int]]:
    """Return, for each bar, the pitches from its first note on, into the bars after it."""
    bars, _ = np.nonzero(line >= N_SPECIAL)
    pitches = (line[line >= N_SPECIAL] - N_SPECIAL).tolist()
    return [pitches[int((bars < bar).sum()) :] for bar in range(len(line))]


def _f1(found: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    both = int((found & wanted).sum())
    return 2 * both / max(int(found.sum() + wanted.sum()), 1)


def swaps(checkpoint: Checkpoint, runs: Sequence[LineRun], n: int) -> dict[str, float]:
    n_harmony, n_rhythm, _ = checkpoint.model.sizes
    onsets: list[float] = []
    right, total = [0, 0], [0, 0]  # of the bar's own pitches, and of those after them
    made = examples(checkpoint, runs, 8, 4 * n, seed=2)
    by_size: dict[tuple[int, ...], list[Example]] = {}
    for one in made:
        by_size.setdefault(one.line.shape, []).append(one)
    pairs = [pair for same in by_size.values() for pair in zip(same[::2], same[1::2], strict=False)][:n]
    for donor, host in pairs:
        latents = encode_line(checkpoint.model, host.line, host.features)
        latents[:, n_harmony : n_harmony + n_rhythm] = encode_line(checkpoint.model, donor.line, donor.features)[
            :, n_harmony : n_harmony + n_rhythm
        ]
        line = likeliest(checkpoint, latents, host.features)
        onsets.append(_f1(line >= N_SPECIAL, donor.line >= N_SPECIAL))
        for bar, own, wanted in zip(line, host.line, _pitches_from(host.line), strict=True):
            played = (bar[bar >= N_SPECIAL] - N_SPECIAL).tolist()
            for place, (found, known) in enumerate(zip(played, wanted[:16], strict=False)):
                is_more = int(place >= (own >= N_SPECIAL).sum())
                right[is_more] += found == known
                total[is_more] += 1
    return {
        "onsets of the donor (F1)": float(np.mean(onsets)),
        "pitches of the host": sum(right) / sum(total),
        "of that, the pitches its bars have": right[0] / max(total[0], 1),
        "and those that new notes go on with": right[1] / max(total[1], 1),
        "new notes, of all": total[1] / sum(total),
        "pairs": len(pairs),
    }


def transposed_chords(checkpoint: Checkpoint, runs: Sequence[LineRun], n: int) -> Iterator[tuple[_Line, _Line]]:
    """Yield the likeliest lines of windows over their chords, and over these moved."""
    columns = chord_columns()
    for number, one in enumerate(example for example in examples(checkpoint, runs, 8, 6 * n, seed=3)):
        chords = one.features[..., columns]
        if not chords[..., 36].any():
            continue
        shift = 1 + number % 11
        features = one.features.copy()
        for start in (0, 12, 24):
            group = slice(columns.start + start, columns.start + start + 12)
            features[..., group] = np.roll(one.features[..., group], shift, axis=-1)
        latents = encode_line(checkpoint.model, one.line, one.features)
        yield likeliest(checkpoint, latents, one.features), likeliest(checkpoint, latents, features)


def transposed_under_rules(pieces: Sequence[Piece], checkpoint: str) -> Iterator[tuple[_Line, _Line]]:
    """Yield what ``symgen transfer`` makes of pieces' rhythms and pitches over their chords, and over these moved."""
    songs = [first_bars(only_track(piece.score), 8) for piece in pieces if piece.split == "test"]
    for number, song in enumerate(song for song in songs if song is not None and song.n_notes > 2 and song.chords):
        shift = 1 + number % 11
        chords = tuple(replace(change, chord=change.chord.transposed(shift)) for change in song.chords)
        try:
            before, after = (
                symgen.transfer(song, song, harmony, checkpoint=checkpoint).score
                for harmony in (song, replace(song, chords=chords))
            )
        except SymgenError:  # a metre that the model has no place for, say
            continue
        yield _onsets_of(before), _onsets_of(after)


def _onsets_of(score: Score) -> _Line:
    """Return the symbol of each step of the melody at which a note starts, and rests elsewhere."""
    line = np.full(score.bars.end_steps, REST, dtype=np.int64)
    for note in score.tracks[0].notes:
        line[note.onset_steps] = N_SPECIAL + note.pitch
    return line


def moved(pairs: Iterator[tuple[_Line, _Line]], n: int) -> dict[str, float]:
    """Return how many onsets stay and how many of these notes move, in up to so many pairs of lines."""
    stays: list[float] = []
    n_moved = total = 0
    for before, after in islice(pairs, n):
        stays.append(_f1(after >= N_SPECIAL, before >= N_SPECIAL))
        both = (before >= N_SPECIAL) & (after >= N_SPECIAL)
        n_moved, total = n_moved + int((before != after)[both].sum()), total + int(both.sum())
    return {
        "onsets that stay (F1)": float(np.mean(stays)),
        "notes that move": n_moved / max(total, 1),
        "pieces": len(stays),
    }


def probes(checkpoint: Checkpoint, runs: Sequence[LineRun], n: int) -> dict[str, float]:
    """Return accuracies of linear probes and of always naming the most frequent answer."""
    n_harmony, n_rhythm, _ = checkpoint.model.sizes
    rhythm_latents, pitch_latents, is_onset, first_pitch, group = [], [], [], [], []
    for number, one in enumerate(
        e
        for e in examples(checkpoint, runs, 8, 3 * n, seed=4)
        if e.line.shape[1] == 4 * checkpoint.model.config.steps_per_quarter
    ):
        latents = encode_line(checkpoint.model, one.line, one.features)
        for bar in range(8):
            onset = one.line[bar, one.slots] >= N_SPECIAL
            if onset.any():
                rhythm_latents.append(latents[bar, n_harmony : n_harmony + n_rhythm])
                pitch_latents.append(latents[bar, n_harmony + n_rhythm :])
                is_onset.append(onset)
                first_pitch.append((one.line[bar][one.line[bar] >= N_SPECIAL][0] - N_SPECIAL) % 12)
                group.append(number)
    rhythm, pitch = np.array(rhythm_latents), np.array(pitch_latents)
    onsets, firsts, held_out = np.array(is_onset), np.array(first_pitch), np.array(group) % 4 == 0
    asked = [slot for slot in range(onsets.shape[1]) if 0.1 < onsets[:, slot].mean() < 0.9]
    found = {"bars": float(len(rhythm))}
    from_pitch = [_probe(pitch, onsets[:, s].astype(np.int64), held_out) for s in asked]
    from_rhythm = [_probe(rhythm, onsets[:, s].astype(np.int64), held_out) for s in asked]
    found["onsets: chance"] = float(np.mean([chance for _, chance in from_pitch]))
    found["onsets from the pitches' latents"] = float(np.mean([hit for hit, _ in from_pitch]))
    found["onsets from the rhythm's latents"] = float(np.mean([hit for hit, _ in from_rhythm]))
    hit, chance = _probe(rhythm, firsts, held_out)
    found |= {"first pitch class: chance": chance, "first pitch class from the rhythm's latents": hit}
    found["first pitch class from the pitches' latents"] = _probe(pitch, firsts, held_out)[0]
    return found


def _probe(x: NDArray[np.float32], y: _Line, held_out: NDArray[np.bool_]) -> tuple[float, float]:
    """Return how often a ridge classifier and the most frequent answer are right on held-out rows."""
    mean, scale = x[~held_out].mean(axis=0), x[~held_out].std(axis=0) + 1e-6
    inputs = np.hstack([(x - mean) / scale, np.ones((len(x), 1))])
    classes = np.unique(y)
    targets = (y[:, None] == classes).astype(np.float64)
    train = inputs[~held_out]
    weights = np.linalg.solve(train.T @ train + 10 * np.eye(train.shape[1]), train.T @ targets[~held_out])
    said = classes[(inputs[held_out] @ weights).argmax(axis=1)]
    most = classes[targets[~held_out].sum(axis=0).argmax()]
    return float((said == y[held_out]).mean()), float((y[held_out] == most).mean())


def measured(name: str, n: int) -> dict[str, dict[str, float]]:
    """Return all figures of a checkpoint."""
    checkpoint = load_checkpoint(checkpoint_folder(name))
    pieces = load_pieces(checkpoint.training["corpora"])
    runs = runs_of(pieces, "test", checkpoint.model.config)
    return {
        "reconstruction, 2 bars": reconstruction(checkpoint, runs, 2, 2 * n),
        "reconstruction, 16 bars": reconstruction(checkpoint, runs, 16, n // 2),
        "rhythm swapped": swaps(checkpoint, runs, n),
        "chords transposed": moved(transposed_chords(checkpoint, runs, n), n),
        "chords transposed, default rules": moved(transposed_under_rules(pieces, name), n),
        "probes": probes(checkpoint, runs, n),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("checkpoint", nargs="?", default="line-main")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = measured(arguments.checkpoint, arguments.pairs)
    print("| what | figure | value |\n|---|---|---|")
    for what, figures in found.items():
        for name, value in figures.items():
            print(f"| {what} | {name} | {value:.4g} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
