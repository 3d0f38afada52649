"""Statistics of pieces: by hand, and beside MusPy's where both say the same."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from score_strategies import scores

from symgen.evaluate.statistics import (
    Notes,
    chord_agreement,
    empty_bar_rate,
    empty_beat_rate,
    groove_consistency,
    n_pitch_classes,
    n_pitches,
    notes_of,
    pitch_class_entropy,
    pitch_entropy,
    pitch_range,
    polyphony,
    polyphony_rate,
    scale_consistency,
    statistics_of,
)
from symgen.score import ChordChange, MeterChange, Note, Score, Track
from theory.chord import Chord
from theory.meter import Meter


def notes(*rows, n_steps):
    onset, duration, pitch = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Notes(onset, duration, pitch, n_steps)


def test_by_hand():
    piece = notes((0, 4, 60), (2, 2, 60), (2, 6, 64), (3, 1, 67), (12, 4, 61), n_steps=32)
    assert (n_pitches(piece), n_pitch_classes(piece), pitch_range(piece)) == (4, 4, 7)
    # pitches at once: 1 1 2 3 1 1 1 1, silence, 1 1 1 1, silence
    assert polyphony(piece) == pytest.approx(15 / 12)
    assert (polyphony_rate(piece), polyphony_rate(piece, 3)) == (2 / 32, 1 / 32)
    assert scale_consistency(piece) == 4 / 5
    assert pitch_entropy(piece) == pytest.approx(-(0.4 * math.log2(0.4) + 3 * 0.2 * math.log2(0.2)))
    assert empty_beat_rate(piece, 4) == 5 / 8
    assert empty_bar_rate(piece, np.array([0, 16, 32])) == 1 / 2
    # onsets at 0 2 3 12 of the first bar, none in the second
    assert groove_consistency(piece, np.array([0, 16, 32])) == pytest.approx(1 - 4 / 16)


def test_pitch_classes_fold_octaves():
    piece = notes((0, 1, 60), (1, 1, 72), (2, 1, 67), n_steps=4)
    assert (n_pitches(piece), n_pitch_classes(piece)) == (3, 2)
    assert pitch_class_entropy(piece) < pitch_entropy(piece)


def test_bars_of_other_lengths_are_no_neighbours():
    piece = notes((0, 1, 60), (12, 1, 60), (24, 1, 60), n_steps=40)
    assert groove_consistency(piece, np.array([0, 12, 24, 40])) == 1
    assert math.isnan(groove_consistency(piece, np.array([0, 12, 40])))


def test_nothing_is_not_a_number():
    empty = notes(n_steps=0)
    for measure in (polyphony, polyphony_rate, scale_consistency, pitch_entropy, pitch_class_entropy):
        assert math.isnan(measure(empty))
    assert (n_pitches(empty), pitch_range(empty)) == (0, 0)
    assert math.isnan(empty_beat_rate(empty, 4))
    assert math.isnan(empty_bar_rate(empty, np.array([0])))


def test_time_on_chord_tones():
    line = Track("Melody", (Note(0, 4, 60), Note(4, 4, 62), Note(14, 4, 67), Note(24, 4, 60)))
    changes = (
        ChordChange(2, Chord.parse("C")),
        ChordChange(16, Chord.parse("Dm")),
        ChordChange(20, Chord.parse("N.C.")),
    )
    # C from step 2 to 4 is in, D is out, G is in for two steps under C and out for two under Dm; the rest has no chord
    assert chord_agreement(Score(4, (line,), chords=changes, end_steps=32)) == (2 + 2) / (2 + 4 + 4)
    assert math.isnan(chord_agreement(Score(4, (line,), end_steps=32)))
    kit = Track("Kit", (Note(0, 16, 61),), is_drum=True)
    assert chord_agreement(Score(4, (kit, line), chords=changes, end_steps=32)) == 0.4


def test_drums_count_for_rests_alone():
    kit, lead = Track("Kit", (Note(16, 4, 36),), is_drum=True), Track("Lead", (Note(0, 4, 60),))
    found = statistics_of(Score(4, (kit, lead), end_steps=32))
    assert (found["pitches used"], found["empty bars"], found["empty beats"]) == (1, 0, 6 / 8)


def as_muspy(score, *, half_open):
    """Return the score as MusPy's, at twice the grid where ends are to lie inside what they end."""
    import muspy

    scale = 2 if half_open else 1
    tracks = [
        muspy.Track(
            is_drum=track.is_drum,
            notes=[
                muspy.Note(scale * n.onset_steps, n.pitch, scale * n.duration_steps - half_open) for n in track.notes
            ],
        )
        for track in score.tracks
    ]
    return muspy.Music(resolution=scale * score.steps_per_quarter, tracks=tracks)


def piece_that_fills_its_bars(seed):
    """A real sort of piece: melody, chords and bass, every step of the last bar sounding."""
    rng = np.random.default_rng(seed)
    onsets = np.flatnonzero(rng.random(96) < 0.4)
    melody = [Note(int(t), int(rng.integers(1, 5)), int(rng.integers(55, 80))) for t in onsets]
    chords = [
        Note(16 * bar, 16, p) for bar in (0, 2, 4, 5) for p in rng.choice(range(48, 60), 3, replace=False).tolist()
    ]
    kit = Track("Kit", (Note(3, 1, 36), Note(40, 2, 38)), is_drum=True)
    cut = [Note(n.onset_steps, min(n.duration_steps, 96 - n.onset_steps), n.pitch) for n in melody]
    return Score(4, (Track("Melody", tuple(cut)), Track("Chords", tuple(chords)), kit), end_steps=96)


@pytest.mark.parametrize("seed", range(5))
def test_beside_muspy(seed):
    muspy = pytest.importorskip("muspy")
    score = piece_that_fills_its_bars(seed)
    plain, inner = as_muspy(score, half_open=False), as_muspy(score, half_open=True)
    found, piece = statistics_of(score), notes_of(score)
    assert found["pitches used"] == muspy.n_pitches_used(plain)
    assert found["pitch classes used"] == muspy.n_pitch_classes_used(plain)
    assert found["pitch range"] == muspy.pitch_range(plain)
    assert found["polyphony"] == pytest.approx(muspy.polyphony(plain))
    assert found["polyphony rate"] == pytest.approx(muspy.polyphony_rate(plain, threshold=1))
    assert polyphony_rate(piece, 4) == pytest.approx(muspy.polyphony_rate(plain, threshold=3))
    assert found["scale consistency"] == pytest.approx(muspy.scale_consistency(plain))
    assert found["pitch entropy"] == pytest.approx(muspy.pitch_entropy(plain))
    assert found["pitch-class entropy"] == pytest.approx(muspy.pitch_class_entropy(plain))
    # MusPy lets a note touch the beat it ends on and counts one beat more: not so where ends lie inside.
    assert found["empty beats"] == pytest.approx(muspy.empty_beat_rate(inner))
    assert found["empty bars"] == pytest.approx(muspy.empty_measure_rate(inner, 32))
    # Twice the grid leaves every second place empty in all bars: half the differences.
    assert 1 - found["groove consistency"] == pytest.approx(2 * (1 - muspy.groove_consistency(inner, 32)))


def test_beside_muspy_on_bundled_music(tmp_path):
    muspy = pytest.importorskip("muspy")
    music21 = pytest.importorskip("music21")
    from symgen.io import load

    for name in ("bwv66.6", "bwv269"):
        path = tmp_path / f"{name}.mid"
        load(music21.corpus.getWork(f"bach/{name}"), steps_per_quarter=12).save(path)
        score = load(path, steps_per_quarter=12)
        plain, found = as_muspy(score, half_open=False), statistics_of(score)
        assert found["pitches used"] == muspy.n_pitches_used(plain)
        assert found["polyphony"] == pytest.approx(muspy.polyphony(plain))
        assert found["scale consistency"] == pytest.approx(muspy.scale_consistency(plain))
        assert found["pitch-class entropy"] == pytest.approx(muspy.pitch_class_entropy(plain))


@settings(max_examples=30)
@given(scores())
def test_shares_are_shares_whatever_the_piece(score):
    found = statistics_of(score)
    for name in ("polyphony rate", "scale consistency", "empty beats", "empty bars", "groove consistency"):
        assert math.isnan(found[name]) or 0 <= found[name] <= 1


@settings(max_examples=30)
@given(scores())
def test_empty_bars_beside_looking_at_every_step(score):
    piece, starts = notes_of(score), score.bars.starts
    silent = [
        not any(a < end and b > start for a, b in zip(piece.onset_steps, piece.end_steps, strict=True))
        for start, end in pairwise(starts)
    ]
    if silent:
        assert empty_bar_rate(piece, starts) == pytest.approx(np.mean(silent))


def test_a_metre_change_is_followed():
    meters = (MeterChange(0, Meter(3, 4)), MeterChange(12, Meter(4, 4)))
    score = Score(4, (Track("Lead", (Note(0, 12, 60),)),), meters=meters, end_steps=28)
    assert statistics_of(score)["empty bars"] == 0.5
