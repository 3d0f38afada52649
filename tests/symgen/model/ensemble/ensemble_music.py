"""Small ensembles for the tests."""

from __future__ import annotations

from symgen.model.ensemble.config import EnsembleConfig
from symgen.score import ChordChange, KeyChange, Note, Score, Track
from theory.chord import Chord
from theory.key import Key

TINY = EnsembleConfig(
    tracks=("Melody", "Chords", "Bass"),
    chordal=(False, True, False),
    low=36,
    high=79,
    phrase=2,
    track_phrase=1,
    bar=2,
    track_bar=1,
    width=8,
    track_width=8,
    embedding=4,
)


def song(shift: int = 0, n_bars: int = 8) -> Score:
    """A song in C or a transposition of it: a melody, chords on the beats, a bass on the first."""
    melody = tuple(Note(16 * b + 4 * i, 4, 60 + shift + (b + 2 * i) % 12) for b in range(n_bars) for i in range(4))
    chords = tuple(Note(16 * b + 4 * i, 4, 48 + shift + p) for b in range(n_bars) for i in range(4) for p in (0, 4, 7))
    bass = tuple(Note(16 * b, 16, 36 + shift % 12) for b in range(n_bars))
    tracks = (Track("Melody", melody), Track("Chords", chords), Track("Bass", bass))
    key = Key.from_pitch_class(shift % 12, "major")
    changes = tuple(ChordChange(16 * b, Chord.parse(str(key.tonic))) for b in range(0, n_bars, 2))
    return Score(4, tracks, keys=(KeyChange(0, key),), chords=changes, end_steps=16 * n_bars)
