"""Generated ensembles beside held-out ones: ``python -m benchmarks.ensembles --checkpoint band-pop [--number 300]``.

The reference are passages of 8 bars of held-out songs, as the ensemble hears them: four tracks on a grid of sixteenths.
Each generated song has the chords, key and metre of one of them, in turn. ``--no-rules`` leaves all rules off, so that
only the model decides whether the chords are kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from symgen.corpus.shards import Piece
from symgen.errors import SymgenError
from symgen.evaluate.statistics import chord_agreement
from symgen.files import write_whole
from symgen.model.ensemble.config import POP, EnsembleConfig
from symgen.model.ensemble.data import SILENT, STRUCK, encode_tracks, parts_of
from symgen.pipeline.ensemble import load_ensemble_model
from symgen.pipeline.ensemble_takes import redraw_tracks
from symgen.pipeline.evaluate import Evaluation, Settings, evaluate, load_folder
from symgen.pipeline.training import load_pieces
from symgen.roll import Roll, roll_to_score
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, Track

N_BARS = 8


def passages(pieces: Sequence[Piece], config: EnsembleConfig, *, per_piece: int) -> Iterator[Score]:
    """Yield passages of eight bars with all tracks, spread over each piece, of one key and metre, with chords."""
    for piece in pieces:
        parts = parts_of(piece.score, config)
        if parts is None:
            continue
        score = _quantised(piece.score, parts, config)
        starts = range(4, score.bars.n_bars - N_BARS, N_BARS)
        chosen = [s for s in starts if _is_whole(score, s)]
        for start in chosen[:: max(len(chosen) // per_piece, 1)][:per_piece]:
            yield _cut(score, start)


def _quantised(score: Score, parts: Sequence[Sequence[Note]], config: EnsembleConfig) -> Score:
    """Return a score of the ensemble's tracks on its grid, each note at the nearest step, as the model learns it."""
    per, own = score.steps_per_quarter, config.steps_per_quarter

    def moved(step: int) -> int:
        return round(step * own / per)

    end = moved(score.end_steps)
    coarse = [
        [Note(moved(n.onset_steps), max(moved(n.end_steps) - moved(n.onset_steps), 1), n.pitch) for n in part]
        for part in parts
    ]
    codes = encode_tracks(coarse, config, n_steps=end, shift=0)
    tracks = np.pad(codes.transpose(1, 0, 2), ((0, 0), (0, 0), (config.low, 127 - config.high)))
    roll = Roll(np.where(tracks == STRUCK, 80, 0).astype(np.uint8), tracks != SILENT, own)
    like = Score(
        own,
        tuple(Track(name, ()) for name in config.tracks),
        meters=tuple(replace(c, onset_steps=moved(c.onset_steps)) for c in score.meters),
        keys=tuple(KeyChange(step, key) for step, key in {moved(c.onset_steps): c.key for c in score.keys}.items()),
        chords=tuple(
            ChordChange(step, chord) for step, chord in {moved(c.onset_steps): c.chord for c in score.chords}.items()
        ),
        end_steps=end,
    )
    return roll_to_score(roll, like)


def _is_whole(score: Score, bar: int) -> bool:
    start, end = int(score.bars.starts[bar]), int(score.bars.starts[bar + N_BARS])
    changes = [c.onset_steps for c in score.keys] + [c.onset_steps for c in score.meters]
    is_still = not any(start < step < end for step in changes)
    melody = [n for n in score.tracks[0].notes if start <= n.onset_steps < end]
    return is_still and len(melody) >= 3 and any(c.onset_steps <= start for c in score.chords)


def _cut(score: Score, bar: int) -> Score:
    start, end = int(score.bars.starts[bar]), int(score.bars.starts[bar + N_BARS])
    tracks = tuple(replace(t, notes=tuple(_moved(t.notes, start, end))) for t in score.tracks)
    key = max((c for c in score.keys if c.onset_steps <= start), key=lambda c: c.onset_steps).key
    meter = score.bars.meters[bar]
    chords = {max(c.onset_steps - start, 0): c.chord for c in score.chords if c.onset_steps < end}
    changes = tuple(ChordChange(step, chord) for step, chord in sorted(chords.items()))
    return Score(
        score.steps_per_quarter, tracks, meters=(MeterChange(0, meter),), keys=(KeyChange(0, key),), chords=changes,
        end_steps=end - start,
    )  # fmt: skip


def _moved(notes: Sequence[Note], start: int, end: int) -> Iterator[Note]:
    for note in notes:
        if start <= note.onset_steps < end:
            length = min(note.end_steps, end) - note.onset_steps
            yield replace(note, onset_steps=note.onset_steps - start, duration_steps=length)


def songs_like(
    passages_: Sequence[Score], n: int, checkpoint: str, config: EnsembleConfig, *, free: bool, seed: int
) -> Iterator[Score]:
    """Yield songs with the chords, key and metre of passages."""
    for number in range(n):
        like = passages_[number % len(passages_)]
        try:
            yield redraw_tracks(
                like, tracks=config.tracks, seed=seed + number, checkpoint=checkpoint, rules=[] if free else None
            ).score
        except SymgenError as error:
            print(f"song {number}: {error}", file=sys.stderr)


def agreement(scores: Sequence[Score]) -> float:
    """Return the share of sounding time in which notes are of the chord, over all tracks, on average over pieces."""
    return float(np.nanmean([chord_agreement(score) for score in scores]))


def measured(
    checkpoint: str,
    n: int,
    *,
    free: bool,
    epochs: int = 20,
    seed: int = 0,
    names: Sequence[str] = ("pop909",),
    folder: Path | None = None,
) -> tuple[Evaluation, dict[str, float]]:
    """Return the evaluation of a checkpoint, or of the pieces in a folder, and how well chords are kept."""
    config = POP if folder else load_ensemble_model(checkpoint).decoder.config
    pieces = load_pieces(names)
    held_out = list(passages([p for p in pieces if p.split != "train"], config, per_piece=8))
    train = list(passages([p for p in pieces if p.split == "train"], config, per_piece=2))
    made = list(songs_like(held_out, n, checkpoint, config, free=free, seed=seed)) if folder is None else []
    made = load_folder(folder)[0] if folder else made
    settings = Settings(n_bars=N_BARS, all_tracks=True, n_epochs=epochs, seed=seed)
    found = evaluate(made, held_out, settings, train=train)
    return found, {"chords kept, generated": agreement(made), "chords kept, held out": agreement(held_out)}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ensembles", description=__doc__)
    parser.add_argument("--checkpoint", default="band-pop")
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--no-rules", action="store_true")
    parser.add_argument("--epochs", type=int, default=20, help="of the convolutional classifier; 0 leaves it out")
    parser.add_argument("--corpora", nargs="+", default=["pop909"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="measure the pieces in a folder instead of a checkpoint's")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    found, chords = measured(
        options.checkpoint, options.number, free=options.no_rules, epochs=options.epochs, seed=options.seed,
        names=options.corpora, folder=options.folder,
    )  # fmt: skip
    print(found.markdown())
    print("\n".join(f"{name}: {value:.3f}" for name, value in chords.items()))
    if options.json:
        facts = {**found.facts(), "chords": chords}
        write_whole(options.json, json.dumps(facts, ensure_ascii=False, indent=1).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
