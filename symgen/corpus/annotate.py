"""What a file leaves out: the key found from the notes, the chords recognised from them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from symgen.roll import note_arrays
from symgen.score import ChordChange, KeyChange, Score
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter
from theory.profiles import find_key, key_segments
from theory.recognition import recognise_chords

__all__ = ["annotate", "beat_chroma", "key_from_notes", "keys_by_place", "recognised_chords"]

_MODE_FAMILY = {"major", "minor"}
_STRENGTHS = np.array([1.0, 0.5, 0.0])  # of a beat on level 0, 1, and 2: where chords are likely to change


def annotate(score: Score) -> Score:
    """Return the score with a key and with chords, found from the notes where it names none.

    Parameters
    ----------
    score
        With at least one note.

    Notes
    -----
    A key signature that was written stays; where it says only ``major`` but the notes lie clearly in
    its relative minor, as in many files that name no mode, the found mode wins.
    """
    if not score.keys:
        score = replace(score, keys=(KeyChange(0, key_from_notes(score)),))
    else:
        score = replace(score, keys=_with_found_mode(score))
    if not score.chords:
        score = replace(score, chords=recognised_chords(score))
    return score


def key_from_notes(score: Score) -> Key:
    """Return the key that fits the durations of the pitch classes best."""
    return find_key(_pitch_class_weights(score))


def keys_by_place(score: Score, *, profile: str = "albrecht-shanahan") -> tuple[KeyChange, ...]:
    """Return the keys that fit the notes, by place; a key begins at a bar line.

    Parameters
    ----------
    score
        With at least one note.
    profile
        A name in :data:`theory.profiles.PROFILES`.
    """
    chroma, _, starts, _ = beat_chroma(score)
    bar_starts = score.bars.starts[:-1]
    bar_of_beat = np.searchsorted(bar_starts, starts, side="right") - 1
    weights = np.zeros((len(bar_starts), 12))
    np.add.at(weights, bar_of_beat, chroma)
    return tuple(KeyChange(int(bar_starts[bar]), key) for bar, key in key_segments(weights, profile=profile))


def recognised_chords(score: Score) -> tuple[ChordChange, ...]:
    """Return chords recognised beat by beat; a chord that goes on is one change."""
    chroma, bass, starts, strong = beat_chroma(score)
    texture = len(score.tracks) > 1 or _is_polyphonic(score)
    key = score.keys[0].key if score.keys else None
    found = recognise_chords(chroma, bass=bass if texture else None, key=key, strong=strong, melody_only=not texture)
    changes: list[ChordChange] = []
    for step, chord in zip(starts.tolist(), found, strict=True):
        if not changes or changes[-1].chord != chord:
            changes.append(ChordChange(step, _spelled(chord, key)))
    return tuple(changes)


def beat_chroma(
    score: Score,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return what sounds in each beat.

    Returns
    -------
    chroma : ndarray of shape (n_beats, 12)
        How long each pitch class sounds, in quarter notes.
    bass : ndarray of shape (n_beats,)
        Pitch class of the lowest note, -1 in silence.
    starts : ndarray of shape (n_beats,)
        First step of each beat.
    strong : ndarray of shape (n_beats,)
        How strong each beat is: 1 on the downbeat, 0.5 on the other strong beats, 0 elsewhere.
    """
    bars = score.bars
    starts, strong = _beats(score)
    edges = np.append(starts, bars.end_steps)
    notes = note_arrays(score)
    ends = notes.onset_steps + notes.duration_steps
    # One row for each beat that each note touches: the note's number, repeated, and the beat's.
    first = np.searchsorted(starts, notes.onset_steps, side="right") - 1
    n_beats = np.searchsorted(starts, ends, side="left") - first
    note = np.repeat(np.arange(len(ends)), n_beats)
    beat = first[note] + np.arange(len(note)) - np.repeat(np.cumsum(n_beats) - n_beats, n_beats)
    sounding = np.minimum(ends[note], edges[beat + 1]) - np.maximum(notes.onset_steps[note], edges[beat])
    chroma = np.zeros((len(starts), 12))
    np.add.at(chroma, (beat, notes.pitch[note] % 12), sounding)
    lowest = np.full(len(starts), 128)
    np.minimum.at(lowest, beat, notes.pitch[note])
    bass = np.where(lowest == 128, -1, lowest % 12)
    return chroma / score.steps_per_quarter, bass, starts, strong


def _beats(score: Score) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the first step of every beat of the score, and how strong it is."""
    bars = score.bars
    in_bar = {meter: _beats_of_bar(meter, score.steps_per_quarter) for meter in set(bars.meters)}
    starts, strong = [], []
    for start, end, meter in zip(bars.starts[:-1], bars.starts[1:], bars.meters, strict=True):
        offsets, strengths = in_bar[meter]
        inside = start + offsets < end
        starts.append(start + offsets[inside])
        strong.append(strengths[inside])
    return np.concatenate(starts), np.concatenate(strong)


def _beats_of_bar(meter: Meter, steps_per_quarter: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    offsets = np.array([int(quarters * steps_per_quarter) for quarters in meter.beat_starts])
    return offsets, _STRENGTHS[np.minimum(meter.levels(steps_per_quarter)[offsets], 2)]


def _pitch_class_weights(score: Score) -> NDArray[np.float64]:
    notes = note_arrays(score)
    return np.bincount(notes.pitch % 12, weights=notes.duration_steps, minlength=12).astype(np.float64)


def _is_polyphonic(score: Score) -> bool:
    """Whether notes of the first track overlap often enough to make chords."""
    notes = score.tracks[0].notes
    overlaps = sum(a.end_steps > b.onset_steps for a, b in pairwise(notes))
    return overlaps > len(notes) // 10


def _with_found_mode(score: Score) -> tuple[KeyChange, ...]:
    first = score.keys[0]
    if len(score.keys) > 1 or first.key.mode != "major":
        return score.keys
    found = key_from_notes(score)
    relative = found.mode in _MODE_FAMILY and found.pitch_classes == first.key.pitch_classes
    last_pitch = max(score.tracks[0].notes, key=lambda note: note.onset_steps).pitch
    if relative and found.mode == "minor" and last_pitch % 12 == found.tonic.pitch_class:
        return (KeyChange(first.onset_steps, Key(found.tonic, "minor")),)
    return score.keys


def _spelled(chord: Chord, key: Key | None) -> Chord:
    if chord.root is None or key is None:
        return chord
    return chord.transposed(0, near=key.signature + 2)
