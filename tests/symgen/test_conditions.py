"""What a model is told: the same for a piece and its transpositions."""

import numpy as np
import pytest

from symgen.conditions import FEATURE_GROUPS, N_FEATURES, Conditions, tonic_shift
from symgen.grid import BarMap
from symgen.score import ChordChange, KeyChange, chord_at_steps
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter

ENDS = np.cumsum(list(FEATURE_GROUPS.values()))
COLUMNS = {n: slice(e - w, e) for (n, w), e in zip(FEATURE_GROUPS.items(), ENDS, strict=True)}


def conditions(key="C", chords="C F G C", meter="4/4", steps_per_quarter=4, **more):
    metre = Meter.parse(meter)
    symbols = chords.split()
    bar = metre.bar_steps(steps_per_quarter)
    bars = BarMap.build([(0, metre)], steps_per_quarter=steps_per_quarter, end_steps=bar * len(symbols))
    changes = tuple(ChordChange(i * bar, Chord.parse(s)) for i, s in enumerate(symbols) if s != "?")
    return Conditions(bars, Key.parse(key), changes, **more)


@pytest.mark.parametrize("semitones", range(12))
def test_a_transposed_piece_reads_the_same(semitones):
    home = conditions("A minor", "Am Dm/F E7 Am")
    key = home.key.transposed(semitones)
    moved = Conditions(
        home.bars, key, tuple(ChordChange(c.onset_steps, c.chord.transposed(semitones)) for c in home.chords)
    )
    assert (home.features() == moved.features()).all()
    assert (key.tonic.pitch_class + tonic_shift(key)) % 12 == 0
    assert -6 <= tonic_shift(key) <= 5


@pytest.mark.parametrize(
    ("meter", "grid"), [("4/4", 4), ("3/4", 12), ("6/8", 4), ("7/8", 4), ("5/4", 12), ("12/8", 24)]
)
def test_every_step_has_one_level_one_beat_and_one_place(meter, grid):
    rows = conditions(meter=meter, steps_per_quarter=grid).features()
    assert rows.shape[1] == N_FEATURES
    for group in ("level", "beat", "place in quarter", "phrase"):
        assert (rows[:, COLUMNS[group]].sum(axis=1) == 1).all(), group


def test_chords_are_told_relative_to_the_tonic():
    rows = conditions("D", "A7/C# N.C.").features()
    first, second = rows[0], rows[16]
    assert np.flatnonzero(first[COLUMNS["chord"]]).tolist() == [2, 5, 7, 11]  # A C# E G above D
    assert np.flatnonzero(first[COLUMNS["chord root"]]).tolist() == [7]
    assert np.flatnonzero(first[COLUMNS["chord bass"]]).tolist() == [11]
    assert first[COLUMNS["chord known"]].tolist() == [1, 0]
    assert second[COLUMNS["chord known"]].tolist() == [1, 1]
    assert not second[COLUMNS["chord"]].any()


def test_unknown_chords_and_style_are_zeros():
    rows = conditions(chords="? ?", style="").features()
    for group in ("chord", "chord known", "style"):
        assert not rows[:, COLUMNS[group]].any()
    assert conditions(style="folk").features()[:, COLUMNS["style"]][:, 0].all()


def test_only_the_last_bar_of_the_piece_is_told_to_be_the_last():
    last = COLUMNS["last bar"]
    assert conditions().features()[:, last].reshape(4, 16).any(axis=1).tolist() == [False, False, False, True]
    assert not conditions(is_end=False).features()[:, last].any()


def test_chord_at_steps_fills_from_each_change():
    c, g = Chord.parse("C"), Chord.parse("G")
    assert chord_at_steps((ChordChange(1, c), ChordChange(3, g)), 5) == [None, c, c, g, g]
    assert chord_at_steps((), 2) == [None, None]


def test_a_change_of_key_changes_the_scale_and_nothing_else():
    bars = BarMap.build([(0, Meter())], steps_per_quarter=4, end_steps=32)
    home = Conditions(bars, Key.parse("C"))
    away = Conditions(bars, Key.parse("C"), keys=(KeyChange(0, Key.parse("C")), KeyChange(16, Key.parse("G"))))
    differing = np.argwhere(home.features() != away.features())
    start = sum(list(FEATURE_GROUPS.values())[: list(FEATURE_GROUPS).index("scale")])
    assert {int(step) for step, _ in differing} == set(range(16, 32))
    assert {int(column) - start for _, column in differing} == {5, 6}  # F goes, F sharp comes
