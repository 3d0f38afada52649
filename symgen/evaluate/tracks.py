"""MuseGAN's measures of multi-track music, derived from the paper.

EB: share of empty bars. UPC: pitch classes a bar uses, on average over all bars. QN: share of notes that last at least
a 32nd note (three of the 96 steps of MuseGAN's bar). DP: share of drum notes on a sixteenth or an eighth, the patterns
of rock in 4/4. TD: tonal distance of two tracks, the distance of their chroma in Harte's tonal space. Notes are those
of the score: a note across a bar line is one note.

>>> import numpy as np
>>> round(float(tonal_distance(np.eye(12)[0], np.eye(12)[7])), 3)  # C and G: a fifth apart
1.737
>>> float(tonal_distance(np.eye(12)[0], np.eye(12)[0]))
0.0

References
----------
Dong et al., "MuseGAN: multi-track sequential generative adversarial networks", AAAI 2018; Harte, Sandler and Gasser,
"Detecting harmonic change in musical audio", AMCMM 2006.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from symgen.score import Score, Track

__all__ = [
    "drum_pattern_rate",
    "empty_bars",
    "qualified_notes",
    "tonal_centroid",
    "tonal_distance",
    "track_measures",
    "track_tonal_distance",
    "used_pitch_classes",
]

_SHORTEST_QUARTERS = Fraction(1, 8)  # a 32nd note
_SIXTEENTH_QUARTERS = Fraction(1, 4)
_STEPS = np.arange(12)
# Circles of fifths, minor thirds and major thirds, with their radii: six coordinates of each pitch class.
_CIRCLES = ((7 * np.pi / 6, 1.0), (3 * np.pi / 2, 1.0), (2 * np.pi / 3, 0.5))
_BASIS = np.stack([r * f(angle * _STEPS) for angle, r in _CIRCLES for f in (np.sin, np.cos)])


def _bars_touched(track: Track, score: Score) -> list[set[int]]:
    """Return the pitch classes that sound in each bar."""
    bars = score.bars
    classes: list[set[int]] = [set() for _ in range(bars.n_bars)]
    for note in track.notes:
        first, last = bars.bar_of([note.onset_steps, note.end_steps - 1]).tolist()
        for bar in range(first, last + 1):
            classes[bar].add(note.pitch % 12)
    return classes


def empty_bars(track: Track, score: Score) -> float:
    """Return the share of the score's bars in which a track is silent; NaN of no bars."""
    bars = _bars_touched(track, score)
    return float(np.mean([not classes for classes in bars])) if bars else float("nan")


def used_pitch_classes(track: Track, score: Score) -> float:
    """Return how many pitch classes sound in a bar, 0 to 12, on average over all bars, empty ones too."""
    bars = _bars_touched(track, score)
    return float(np.mean([len(classes) for classes in bars])) if bars else float("nan")


def qualified_notes(track: Track, steps_per_quarter: int) -> float:
    """Return the share of notes that last a 32nd note or longer; NaN of no notes."""
    least = _SHORTEST_QUARTERS * steps_per_quarter
    return float(np.mean([n.duration_steps >= least for n in track.notes])) if track.notes else float("nan")


def drum_pattern_rate(track: Track, steps_per_quarter: int) -> float:
    """Return the share of notes that start on a sixteenth note of the quarter; NaN of no notes."""
    unit = _SIXTEENTH_QUARTERS * steps_per_quarter
    return float(np.mean([n.onset_steps % unit == 0 for n in track.notes])) if track.notes else float("nan")


def tonal_centroid(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the place of chroma (..., 12), of any positive sum, in tonal space, shape (..., 6)."""
    shares = chroma / chroma.sum(axis=-1, keepdims=True)
    place: NDArray[np.float64] = shares @ _BASIS.T
    return place


def tonal_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Euclidean distance in tonal space of chroma (..., 12); 0 for the same."""
    distance: NDArray[np.float64] = np.linalg.norm(tonal_centroid(one) - tonal_centroid(other), axis=-1)
    return distance


def _quarter_chroma(track: Track, score: Score) -> NDArray[np.float64]:
    """Return how long each pitch class sounds in every quarter note, shape (n_quarters, 12)."""
    n_steps = -(-score.bars.end_steps // score.steps_per_quarter) * score.steps_per_quarter
    chroma = np.zeros((n_steps, 12))
    for note in track.notes:
        chroma[note.onset_steps : note.end_steps, note.pitch % 12] += 1
    return np.asarray(chroma.reshape(-1, score.steps_per_quarter, 12).sum(axis=1))


def track_tonal_distance(one: Track, other: Track, score: Score) -> float:
    """Return the mean tonal distance of two tracks over the quarter notes in which both sound; NaN if there are none.

    The paper leaves the span open; a quarter note is what its authors' code takes.
    """
    a, b = _quarter_chroma(one, score), _quarter_chroma(other, score)
    both = (a.sum(axis=1) > 0) & (b.sum(axis=1) > 0)
    return float(tonal_distance(a[both], b[both]).mean()) if both.any() else float("nan")


def track_measures(score: Score) -> dict[str, float]:
    """Return every measure of every track, and the tonal distance of every pair, by name."""
    found: dict[str, float] = {}
    for track in score.tracks:
        found[f"empty bars, {track.name}"] = empty_bars(track, score)
        if track.is_drum:
            found[f"drum patterns, {track.name}"] = drum_pattern_rate(track, score.steps_per_quarter)
            continue
        found[f"pitch classes a bar, {track.name}"] = used_pitch_classes(track, score)
        found[f"qualified notes, {track.name}"] = qualified_notes(track, score.steps_per_quarter)
    pitched = [track for track in score.tracks if not track.is_drum]
    for one, other in combinations(pitched, 2):
        found[f"tonal distance, {one.name} to {other.name}"] = track_tonal_distance(one, other, score)
    return found
