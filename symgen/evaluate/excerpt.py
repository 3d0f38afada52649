"""Excerpts: pieces brought to one length and one key, so that sets of them can be held against each other.

>>> from symgen.score import Track
>>> pickup = [Note(12, 4, 67), Note(16, 8, 72), Note(30, 10, 71)]
>>> part = first_bars(Score(4, (Track("Melody", tuple(pickup)),), end_steps=48), 1)
>>> [(note.onset_steps, note.duration_steps, note.pitch) for note in part.tracks[0].notes], part.end_steps
([(0, 8, 72), (14, 2, 71)], 16)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from symgen.moments import line_track
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, TempoChange, Track

__all__ = ["first_bars", "in_c", "only_track"]

_Change = TypeVar("_Change", TempoChange, KeyChange, ChordChange)


def only_track(score: Score, track: str | None = None) -> Score:
    """Return a score with nothing but its melody.

    Parameters
    ----------
    score
        Any music.
    track
        Name of the melody's track; the first that has notes and is no drums if left out.

    Raises
    ------
    ScoreError
        If there is no such track, or none at all.
    """
    return score.with_tracks([line_track(score, track)])


def first_bars(score: Score, n_bars: int) -> Score | None:
    """Return the first bars of a piece as a piece of its own; ``None`` where it has fewer.

    A first bar that holds a pickup is left out: one that is shorter than the second, or in whose first half no track
    sounds. Notes are cut at the end; what began before the excerpt is left out.

    Parameters
    ----------
    score
        The whole.
    n_bars
        How many bars to keep, at least 1.
    """
    bars = score.bars
    first = int(_begins_with_pickup(score))
    if bars.n_bars < first + n_bars:
        return None
    start, end = int(bars.starts[first]), int(bars.starts[first + n_bars])
    meters = [MeterChange(int(bars.starts[b]) - start, bars.meters[b]) for b in range(first, first + n_bars)]
    return Score(
        score.steps_per_quarter,
        tuple(replace(track, notes=_notes_within(track, start, end)) for track in score.tracks),
        _moved(score.tempos, start, end),
        tuple(meters),
        _moved(score.keys, start, end),
        _moved(score.chords, start, end),
        end_steps=end - start,
    )


def in_c(score: Score) -> Score:
    """Return a piece moved so that the tonic of its first key is C, by at most six semitones.

    A piece whose key is unknown stays as it is; drums stay too, and so does which octave a note of the outermost
    octaves is in where it would leave the range of MIDI.
    """
    if not score.keys or score.keys[0].key.tonic.pitch_class == 0:
        return score
    shift = 6 - (score.keys[0].key.tonic.pitch_class + 6) % 12
    tracks = [track if track.is_drum else _transposed(track, shift) for track in score.tracks]
    keys = tuple(replace(change, key=change.key.transposed(shift)) for change in score.keys)
    chords = tuple(replace(change, chord=change.chord.transposed(shift)) for change in score.chords)
    return replace(score, tracks=tuple(tracks), keys=keys, chords=chords)


def _transposed(track: Track, shift: int) -> Track:
    def within(pitch: int) -> int:
        return pitch if 0 <= pitch <= 127 else pitch - 12 if pitch > 127 else pitch + 12

    return replace(track, notes=tuple(replace(note, pitch=within(note.pitch + shift)) for note in track.notes))


def _begins_with_pickup(score: Score) -> bool:
    starts = score.bars.starts
    if len(starts) < 3:
        return False
    onset = min((note.onset_steps for track in score.tracks for note in track.notes), default=0)
    return bool(starts[1] < starts[2] - starts[1] or starts[1] / 2 <= onset < starts[1])


def _notes_within(track: Track, start: int, end: int) -> tuple[Note, ...]:
    return tuple(
        replace(note, onset_steps=note.onset_steps - start, duration_steps=min(note.end_steps, end) - note.onset_steps)
        for note in track.notes
        if start <= note.onset_steps < end
    )


def _moved(changes: Iterable[_Change], start: int, end: int) -> tuple[_Change, ...]:
    """Return the changes in a span, the one in force at its start brought there."""
    moved: dict[int, _Change] = {}
    for change in changes:
        if change.onset_steps < end:
            step = max(change.onset_steps - start, 0)
            moved[step] = replace(change, onset_steps=step)
    return tuple(moved.values())
