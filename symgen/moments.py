"""What rules see of a piece: its moments and its lines."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from symgen.errors import ScoreError
from symgen.grid import BarMap
from symgen.score import ChordChange, KeyChange, Note, Score, Track, chord_at_steps
from theory.audit import LineNote, Violation, audit_line
from theory.key import Key
from theory.rules import Moment, Rule
from theory.rules.voices import VoiceRule
from theory.voiceaudit import audit_voices

__all__ = ["audit", "line_of", "line_track", "moments_of"]


def moments_of(bars: BarMap, key: Key | Sequence[KeyChange] | None, chords: Sequence[ChordChange]) -> list[Moment]:
    """Return the moment of every step of the bars.

    Parameters
    ----------
    bars
        The bars.
    key
        One key, or key changes; ``None`` where it is unknown.
    chords
        Chord changes, ascending; empty where they are unknown.
    """
    keys = [KeyChange(0, key)] if isinstance(key, Key) else list(key or ())
    key_steps = [change.onset_steps for change in keys]
    chord_of = chord_at_steps(chords, bars.end_steps)
    levels = bars.levels().tolist()
    bar_of = bars.bar_of(np.arange(bars.end_steps)).tolist()
    moments, step_quarters = [], Fraction(1, bars.steps_per_quarter)
    for step, bar in enumerate(bar_of):
        meter = bars.meters[bar]
        counts = Fraction((step - int(bars.starts[bar])) * meter.denominator, 4 * bars.steps_per_quarter)
        latest = int(np.searchsorted(key_steps, step, side="right")) - 1
        key_here = keys[latest].key if latest >= 0 else None
        moments.append(Moment(bar + 1, 1 + counts, levels[step], key_here, chord_of[step], meter, step_quarters))
    return moments


def audit(score: Score, rules: Sequence[Rule], *, track: str | None = None) -> list[Violation]:
    """Return every violation of rules in a score.

    Rules on a line judge one track, taken as one voice (see :func:`line_of`); rules for several voices judge all
    tracks but the drums together, the one that lies highest first.

    Parameters
    ----------
    score
        Any music; keys and chords are those it holds.
    rules
        What to judge by.
    track
        Name of the track; see :func:`line_track` for which it is if left out.

    Raises
    ------
    ScoreError
        If there is no such track, or none at all.
    """
    part = line_track(score, track)
    moments = moments_of(score.bars, score.keys, score.chords)
    for_voices = [rule for rule in rules if isinstance(rule, VoiceRule)]
    found = audit_line(line_of(part.notes), moments, [rule for rule in rules if not isinstance(rule, VoiceRule)])
    if not for_voices:
        return found
    sung = [track for track in score.tracks if track.notes and not track.is_drum]
    sung.sort(key=lambda track: -sum(note.pitch for note in track.notes) / len(track.notes))
    return found + audit_voices([line_of(track.notes) for track in sung], moments, for_voices)


def line_track(score: Score, name: str | None = None) -> Track:
    """Return the track of a name; if left out, the first that has notes and is no drums, else the first.

    Raises
    ------
    ScoreError
        If there is no such track, or none at all.
    """
    if name is not None:
        return score.track(name)
    if not score.tracks:
        msg = "audit: expected a score with at least one track"
        raise ScoreError(msg)
    return next((track for track in score.tracks if track.notes and not track.is_drum), score.tracks[0])


def line_of(notes: Sequence[Note]) -> list[LineNote]:
    """Return notes as one voice: of notes that start together the highest, each cut where the next one starts."""
    if not notes:
        return []
    highest: dict[int, Note] = {}
    for note in sorted(notes, key=lambda n: (n.onset_steps, n.pitch)):
        highest[note.onset_steps] = note
    edges = [*list(highest)[1:], max(note.end_steps for note in notes)]
    return [
        LineNote(note.onset_steps, min(note.end_steps, edge), note.pitch)
        for note, edge in zip(highest.values(), edges, strict=True)
    ]
