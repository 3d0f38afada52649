"""Statistics of whole pieces, as MusPy has them: pitches, polyphony, scales, entropies, rests and grooves.

A piece is seen as :class:`Notes`, drums apart. Half-open times: a note that ends on a beat does not touch the next
one, and a piece is as long as its whole bars, so that no beat or bar is counted that is not there (both differ from
MusPy 0.5, which counts one more and lets notes touch what they end on; beyond that the figures agree).

>>> import numpy as np
>>> notes = Notes(np.array([0, 4, 4]), np.array([4, 4, 4]), np.array([60, 64, 67]), n_steps=16)
>>> n_pitches(notes), pitch_range(notes), polyphony(notes), polyphony_rate(notes)
(3, 7, 1.5, 0.25)
>>> empty_beat_rate(notes, 4), scale_consistency(notes), round(pitch_class_entropy(notes), 3)
(0.5, 1.0, 1.585)

References
----------
Dong et al., "MusPy: A toolkit for symbolic music generation", ISMIR 2020; Wu and Yang, "The Jazz Transformer on the
front line", ISMIR 2020 (grooves, pitch-class entropy); Mogren, "C-RNN-GAN", 2016 (scale consistency).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from symgen.score import Score, chord_at_steps

__all__ = [
    "Notes",
    "chord_agreement",
    "empty_bar_rate",
    "empty_beat_rate",
    "groove_consistency",
    "n_pitch_classes",
    "n_pitches",
    "notes_of",
    "pitch_class_entropy",
    "pitch_entropy",
    "pitch_range",
    "polyphony",
    "polyphony_rate",
    "scale_consistency",
    "statistics_of",
]

_MAJOR = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], dtype=bool)
_N_PITCHES = 128


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes of one or several tracks together.

    Parameters
    ----------
    onset_steps, duration_steps, pitch
        Shape (n_notes,) each, in any order.
    n_steps
        Length of the piece; no note ends later.
    """

    onset_steps: NDArray[np.int64]
    duration_steps: NDArray[np.int64]
    pitch: NDArray[np.int64]
    n_steps: int

    @property
    def end_steps(self) -> NDArray[np.int64]:
        """The step after each note's last."""
        return self.onset_steps + self.duration_steps


def notes_of(score: Score, *, drums: bool = False) -> Notes:
    """Return the notes of all tracks that are no drums, or with ``drums`` those of the drums."""
    rows = [
        (note.onset_steps, note.duration_steps, note.pitch)
        for track in score.tracks
        if track.is_drum == drums
        for note in track.notes
    ]
    onset, duration, pitch = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Notes(onset, duration, pitch, score.bars.end_steps)


def n_pitches(notes: Notes) -> int:
    """Return how many pitches there are."""
    return len(np.unique(notes.pitch))


def n_pitch_classes(notes: Notes) -> int:
    """Return how many pitch classes there are, 0 to 12."""
    return len(np.unique(notes.pitch % 12))


def pitch_range(notes: Notes) -> int:
    """Return the semitones from the lowest pitch to the highest; 0 of no notes."""
    return int(np.ptp(notes.pitch)) if len(notes.pitch) else 0


def _sounding(notes: Notes) -> NDArray[np.int64]:
    """Return how many different pitches sound at each step, shape (n_steps,)."""
    edges = np.zeros((notes.n_steps + 1, _N_PITCHES), dtype=np.int64)
    np.add.at(edges, (notes.onset_steps, notes.pitch), 1)
    np.add.at(edges, (notes.end_steps, notes.pitch), -1)
    counts: NDArray[np.int64] = (np.cumsum(edges[:-1], axis=0) > 0).sum(axis=1)
    return counts


def polyphony(notes: Notes) -> float:
    """Return how many pitches sound on average at the steps where any does; NaN of silence."""
    counts = _sounding(notes)
    return float(counts.sum() / (counts > 0).sum()) if counts.any() else float("nan")


def polyphony_rate(notes: Notes, threshold: int = 2) -> float:
    """Return the share of all steps at which at least ``threshold`` pitches sound; NaN of no steps.

    MusPy asks for *more* pitches than its threshold: its 1 is our 2.
    """
    return float((_sounding(notes) >= threshold).mean()) if notes.n_steps else float("nan")


def scale_consistency(notes: Notes) -> float:
    """Return the largest share of notes that any major or natural minor scale holds; NaN of no notes.

    Every natural minor scale has the notes of a major one, so twelve scales are all.
    """
    if not len(notes.pitch):
        return float("nan")
    counts = np.bincount(notes.pitch % 12, minlength=12)
    return float(max(counts[np.roll(_MAJOR, root)].sum() for root in range(12)) / len(notes.pitch))


def _entropy(classes: NDArray[np.int64]) -> float:
    """Return the entropy of classes in bits; NaN of none."""
    if not len(classes):
        return float("nan")
    _, counts = np.unique(classes, return_counts=True)
    shares = counts / counts.sum()
    return float(-np.sum(shares * np.log2(shares))) + 0.0


def pitch_entropy(notes: Notes) -> float:
    """Return the entropy of the notes' pitches, in bits."""
    return _entropy(notes.pitch)


def pitch_class_entropy(notes: Notes) -> float:
    """Return the entropy of the notes' pitch classes, in bits: 0 to log2(12), about 3.58."""
    return _entropy(notes.pitch % 12)


def _empty_rate(notes: Notes, edges: NDArray[np.int64]) -> float:
    """Return the share of spans, from each edge to the next, in which nothing sounds."""
    sounding = np.concatenate([[0], np.cumsum(_sounding(notes) > 0)])
    per_span = np.diff(sounding[np.minimum(edges, notes.n_steps)])
    return float((per_span == 0).mean()) if len(per_span) else float("nan")


def empty_beat_rate(notes: Notes, beat_steps: int) -> float:
    """Return the share of beats in which nothing sounds; the last may be cut short. NaN of no beats."""
    n_beats = -(-notes.n_steps // beat_steps)
    return _empty_rate(notes, np.arange(n_beats + 1) * beat_steps)


def empty_bar_rate(notes: Notes, bar_starts: NDArray[np.int64]) -> float:
    """Return the share of bars in which nothing sounds; ``bar_starts`` holds the end of the last too."""
    return _empty_rate(notes, np.asarray(bar_starts))


def groove_consistency(notes: Notes, bar_starts: NDArray[np.int64]) -> float:
    """Return 1 less the share of places at which the onsets of neighbouring bars differ; NaN of no two such bars.

    Bars of different lengths are no neighbours: their places can't be held against each other.
    """
    is_onset = np.zeros(int(bar_starts[-1]) if len(bar_starts) else 0, dtype=bool)
    is_onset[notes.onset_steps] = True
    bars = [is_onset[a:b] for a, b in pairwise(bar_starts)]
    pairs = [(a, b) for a, b in pairwise(bars) if len(a) == len(b)]
    return float(1 - np.mean([np.mean(a != b) for a, b in pairs])) if pairs else float("nan")


def chord_agreement(score: Score) -> float:
    """Return the share of the time in which notes sound, drums apart, that their pitch classes are in the chord.

    Each note counts by itself; time without a chord, or before the first one, does not count. NaN if that is all.
    """
    chords = chord_at_steps(score.chords, score.bars.end_steps)
    named = [frozenset() if chord is None else chord.pitch_classes for chord in chords]
    n_inside = n_all = 0
    for note in (note for track in score.tracks if not track.is_drum for note in track.notes):
        under = [classes for classes in named[note.onset_steps : note.end_steps] if classes]
        n_all += len(under)
        n_inside += sum(note.pitch % 12 in classes for classes in under)
    return n_inside / n_all if n_all else float("nan")


def statistics_of(score: Score) -> dict[str, float]:
    """Return all of these of a piece by name; beats are quarter notes, drums count for rests and grooves alone."""
    notes, bars = notes_of(score), score.bars
    drums = notes_of(score, drums=True)
    onset, duration, pitch = (
        np.concatenate([getattr(notes, f), getattr(drums, f)]) for f in ("onset_steps", "duration_steps", "pitch")
    )
    everything = Notes(onset, duration, pitch, notes.n_steps)
    return {
        "pitches used": n_pitches(notes),
        "pitch classes used": n_pitch_classes(notes),
        "pitch range": pitch_range(notes),
        "polyphony": polyphony(notes),
        "polyphony rate": polyphony_rate(notes),
        "scale consistency": scale_consistency(notes),
        "pitch entropy": pitch_entropy(notes),
        "pitch-class entropy": pitch_class_entropy(notes),
        "empty beats": empty_beat_rate(everything, score.steps_per_quarter),
        "empty bars": empty_bar_rate(everything, bars.starts),
        "groove consistency": groove_consistency(everything, bars.starts),
        "time on chord tones": chord_agreement(score),
    }
