"""Statistics of melodies: numbers known by heart, and laws that hold for any melody."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory import melody
from theory.errors import TheoryError
from theory.meter import Meter
from theory.rules import LineNote


def tune(text: str) -> list[LineNote]:
    """Return notes written as pitch:length, or -:length for a rest."""
    notes, step = [], 0
    for word in text.split():
        pitch, length = word.split(":")
        if pitch != "-":
            notes.append(LineNote(step, step + int(length), int(pitch)))
        step += int(length)
    return notes


@st.composite
def melodies(draw: st.DrawFn, min_size: int = 6) -> list[LineNote]:
    notes, step = [], draw(st.integers(0, 5))
    for gap, length, pitch in draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(55, 80)), min_size=min_size, max_size=25)
    ):
        notes.append(LineNote(step + gap, step + gap + length, pitch))
        step += gap + length
    return notes


# Frère Jacques, two bars twice each, in eighths; then a bar and its answer off the beat.
_FRERE = tune("60:2 62:2 64:2 60:2 60:2 62:2 64:2 60:2 64:2 65:2 67:4 64:2 65:2 67:4")
_EIGHTHS = Meter.parse("4/4").levels(2)


def test_the_numbers_of_frere_jacques() -> None:
    assert melody.pitch_range(_FRERE) == 7
    assert melody.intervals(_FRERE) == [2, 2, -4, 0, 2, 2, -4, 4, 1, 2, -3, 1, 2]
    assert melody.mean_interval(_FRERE) == pytest.approx(29 / 13)
    assert melody.share_of_repeats(_FRERE) == pytest.approx(1 / 13)
    assert melody.share_of_steps(_FRERE) == pytest.approx(8 / 13)
    assert melody.share_of_leaps(_FRERE) == pytest.approx(4 / 13)
    assert melody.share_of_leaps(_FRERE, larger_than=3) == pytest.approx(3 / 13)
    assert melody.note_density(_FRERE, 32) == 14 / 32
    assert melody.rhythm_histogram(_FRERE) == {2: 12 / 14, 4: 2 / 14}
    assert melody.scale_consistency(_FRERE) == 1.0
    assert melody.repeated_bars(_FRERE, 8, 4) == pytest.approx(2 / 3)
    assert melody.repeated_bars(_FRERE, 4, 8) == pytest.approx(4 / 7)
    assert melody.groove_similarity(_FRERE, 8, 4) == pytest.approx((1 + 7 / 8 + 1) / 3)
    assert melody.syncopation(_FRERE, _EIGHTHS) == 0
    # runs of two: 22 2-4 -40 02 | 22 2-4 | -44 41 12 2-3 -31 | 12
    assert melody.repeated_patterns(_FRERE, length=2) == pytest.approx(3 / 11)


def test_entropy_of_even_pitch_classes_is_the_logarithm_of_their_number() -> None:
    assert melody.pitch_class_entropy(tune("60:1 72:1 61:3 73:1 62:1 74:1 63:9 51:1")) == pytest.approx(2.0)
    assert melody.pitch_class_entropy(tune("60:1 72:2 48:1")) == 0.0
    assert melody.pitch_class_entropy(tune("60:1 60:1 60:1 61:1")) == pytest.approx(0.811278, abs=1e-6)


@pytest.mark.parametrize(
    ("pitches", "shape"),
    [
        ("60 64 62", "convex"),
        ("60 57 62 60", "concave"),
        ("60 62 64", "ascending"),
        ("67 66 60", "descending"),
        ("60 60 60", "horizontal"),
        ("60 58 62 60", "horizontal"),
        ("60 60 62", "horizontal-ascending"),
        ("60 60 58", "horizontal-descending"),
        ("60 62 62", "ascending-horizontal"),
        ("60 58 58", "descending-horizontal"),
        ("60 60 61 61", "ascending"),  # the mean between is half a semitone up, not rounded
    ],
)
def test_the_nine_shapes(pitches: str, shape: str) -> None:
    assert melody.contour(tune(" ".join(f"{pitch}:1" for pitch in pitches.split()))) == shape


@pytest.mark.parametrize(
    ("notes", "total"),
    [
        ("60:4 60:4", 0),
        ("60:1 60:2 60:1 60:4", 1),  # over beat 2, from an eighth: levels 3 and 2
        ("60:3 60:2 60:3", 3),  # over the middle of the bar, levels 3 and 1, and then over beat 4
        ("60:2 60:4 60:2", 1),  # a quarter's worth, from beat 2
        ("60:7 60:2", 3),  # an anticipated downbeat
        ("60:1 60:1 -:2 60:1", 1),  # silence counts as sound: from the second eighth over beat 2
        ("60:7 60:1", 0),  # the last note ends before the downbeat
        ("60:8 60:7 60:9", 3),
    ],
)
def test_syncopation_known_by_heart(notes: str, total: int) -> None:
    read = tune(notes)
    assert melody.syncopation(read, _EIGHTHS) == total / len(read)


def test_uneven_rhythm_varies_and_even_rhythm_does_not() -> None:
    assert melody.rhythm_variability(tune("60:4 60:4 60:4 60:9")) == 0
    assert melody.rhythm_variability(tune("60:3 60:1 60:3 60:1 60:8")) == pytest.approx(100)
    assert melody.rhythm_variability(tune("60:1 -:2 60:1 60:4")) == pytest.approx(100)  # from onset to onset
    assert melody.rhythm_variability(tune("60:1 60:2 60:2 60:1")) == pytest.approx((200 / 3 + 0) / 2)


def test_bars_are_compared_with_what_goes_on_in_them() -> None:
    held = tune("60:8 60:4 -:4 60:4 -:4")
    assert melody.repeated_bars(held, 8, 3) == 0.5  # the second bar and the third
    tied = tune("60:12 -:4 60:4 -:4")
    assert melody.repeated_bars(tied, 8, 3) == 0.0  # one goes on where the other starts
    other = tune("60:4 -:4 62:4 -:4")
    assert melody.repeated_bars(other, 8, 2) == 0.0
    assert melody.repeated_bars(other, 8, 2, rhythm_only=True) == 1.0
    assert melody.repeated_bars([], 8, 3) == 1.0
    assert melody.repeated_bars(tune("60:24"), 8, 2) == 0.0  # what lies behind the last bar is not looked at


def test_transposed_patterns_are_repeated_and_inverted_ones_are_not() -> None:
    assert melody.repeated_patterns(tune("60:1 62:1 64:9 67:1 69:2 71:1"), length=2) == pytest.approx(1 / 3)
    assert melody.repeated_patterns(tune("60:1 62:1 64:9 71:1 69:2 67:1"), length=2) == 0.0


@given(melodies(), st.integers(-20, 20))
def test_transposing_changes_the_pitch_alone(notes: list[LineNote], semitones: int) -> None:
    meter = Meter.parse("3/4")
    if notes[-1].end <= 12:
        notes = [*notes, LineNote(notes[-1].end, 25, 60)]
    moved = [note._replace(pitch=note.pitch + semitones) for note in notes]
    before = melody.melody_statistics(notes, meter, 4)
    after = melody.melody_statistics(moved, meter, 4)
    assert after.pop("mean pitch") == pytest.approx(before.pop("mean pitch") + semitones)
    assert after == pytest.approx(before)
    assert all(math.isfinite(value) and value >= 0 for value in before.values())
    shares = ("repeated notes", "steps", "leaps")
    assert sum(before[name] for name in shares) == pytest.approx(1.0)
    assert melody.contour(moved) == melody.contour(notes)


@given(melodies())
def test_the_slow_twins_agree(notes: list[LineNote]) -> None:
    pitches = np.array([note.pitch for note in notes])
    moves = np.abs(np.diff(pitches))
    assert melody.pitch_range(notes) == np.ptp(pitches)
    assert melody.mean_interval(notes) == pytest.approx(moves.mean())
    assert melody.share_of_steps(notes) == pytest.approx(np.isin(moves, [1, 2]).mean())
    assert melody.share_of_leaps(notes, larger_than=5) == pytest.approx((moves > 5).mean())
    share = np.bincount(pitches % 12, minlength=12) / len(notes)
    entropy = -sum(p * math.log2(p) for p in share if p)
    assert melody.pitch_class_entropy(notes) == pytest.approx(entropy)
    scales = [{(tonic + s) % 12 for s in (0, 2, 4, 5, 7, 9, 11)} for tonic in range(12)]
    assert melody.scale_consistency(notes) == pytest.approx(max(share[list(scale)].sum() for scale in scales))
    assert sum(melody.rhythm_histogram(notes).values()) == pytest.approx(1.0)
    assert list(melody.rhythm_histogram(notes)) == sorted({note.end - note.onset for note in notes})


@given(melodies(), st.integers(3, 9))
def test_repeated_bars_are_those_of_a_grid_of_symbols(notes: list[LineNote], bar_steps: int) -> None:
    n_bars = max(2, -(-notes[-1].end // bar_steps))
    grid = [(0, 0)] * (n_bars * bar_steps)
    for note in notes:
        grid[note.onset : note.end] = [(1, note.pitch)] + [(2, note.pitch)] * (note.end - note.onset - 1)
    bars = [grid[i * bar_steps : (i + 1) * bar_steps] for i in range(n_bars)]
    rhythms = [[kind for kind, _ in bar] for bar in bars]
    for items, rhythm_only in ((bars, False), (rhythms, True)):
        expected = np.mean([items[i] in items[:i] for i in range(1, n_bars)])
        assert melody.repeated_bars(notes, bar_steps, n_bars, rhythm_only=rhythm_only) == pytest.approx(expected)
    onsets = np.array([[kind == 1 for kind in bar] for bar in rhythms])
    expected = np.mean(onsets[1:] == onsets[:-1])
    assert melody.groove_similarity(notes, bar_steps, n_bars) == pytest.approx(expected)


def test_the_summary_names_each_number() -> None:
    found = melody.melody_statistics(_FRERE, Meter.parse("4/4"), 2)
    assert found["range"] == 7.0
    assert found["notes a quarter"] == pytest.approx(14 / 16)
    assert found["mean length"] == pytest.approx((12 + 4) / 14)
    assert found["repeated bars"] == found["repeated rhythms"] == pytest.approx(2 / 3)
    assert found["mean pitch"] == pytest.approx(884 / 14)
    assert found["leaps"] == pytest.approx(4 / 13)
    assert found["repeated patterns"] == melody.repeated_patterns(_FRERE, length=4)


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (lambda: melody.pitch_range([]), "a melody of 0 notes has no range: expected 1 or more"),
        (lambda: melody.mean_interval(_FRERE[:1]), "a melody of 1 notes has no interval: expected 2 or more"),
        (lambda: melody.share_of_steps(_FRERE[:1]), "has no interval: expected 2 or more"),
        (lambda: melody.contour(_FRERE[:2]), "a melody of 2 notes has no contour: expected 3 or more"),
        (lambda: melody.rhythm_variability(_FRERE[:2]), "has no rhythm variability: expected 3 or more"),
        (lambda: melody.syncopation([], _EIGHTHS), "has no syncopation"),
        (lambda: melody.repeated_patterns(_FRERE[:5]), "no repeated pattern of 4 intervals: expected 6 or more"),
        (lambda: melody.note_density(_FRERE, 0), "a stretch of 0 steps has no density: expected 1 or more"),
        (lambda: melody.repeated_bars(_FRERE, 8, 1), "bars to compare: expected 2 or more, not 1"),
        (lambda: melody.groove_similarity(_FRERE, 8, 1), "bars to compare: expected 2 or more, not 1"),
        (lambda: melody.melody_statistics(_FRERE[:5], Meter(), 2), "has no statistics: expected 6 or more"),
    ],
)
def test_what_cannot_be_measured_is_named(measure: Callable[[], Any], message: str) -> None:
    with pytest.raises(TheoryError, match=message):
        measure()
