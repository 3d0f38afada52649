"""Training windows: what is cut where, and that nothing is lost inside a run."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from symgen.alphabet import HOLD, N_SPECIAL, LineAlphabet
from symgen.conditions import FEATURE_GROUPS
from symgen.errors import CorpusError
from symgen.model.data import BatchSampler, line_runs, opened
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, Track
from symgen.slots import LIGHT, MAIN
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter

ALPHABET = LineAlphabet(46, 91)


def score(notes, *, key="C", n_bars=8, meters=((0, "4/4"),), keys=None, chords=((0, "C"),)):
    return Score(
        12,
        (Track("Melody", tuple(notes)),),
        meters=tuple(MeterChange(s, Meter.parse(m)) for s, m in meters),
        keys=tuple(KeyChange(s, Key.parse(k)) for s, k in (keys or ((0, key),))),
        chords=tuple(ChordChange(s, Chord.parse(c)) for s, c in chords),
        end_steps=48 * n_bars,
    )


def quarters(n, pitch=60):
    return [Note(12 * i, 12, pitch + i % 5) for i in range(n)]


def runs_of(*scores, grid=LIGHT):
    return list(line_runs([(s, "folk") for s in scores], ALPHABET, grid))


def test_a_plain_piece_is_one_run_and_decodes_to_itself():
    piece = score(quarters(32))
    (run,) = runs_of(piece)
    assert run.line.shape == (8, 16)
    decoded = ALPHABET.decode(run.line.reshape(-1).astype(np.int64))
    assert [(n.onset_steps * 3, n.duration_steps * 3, n.pitch) for n in decoded] == [
        (n.onset_steps, n.duration_steps, n.pitch) for n in piece.tracks[0].notes
    ]


def test_a_transposed_piece_gives_the_same_run():
    piece = score(quarters(32), key="C", chords=((0, "C"), (96, "G7")))
    up = score([replace(n, pitch=n.pitch + 3) for n in quarters(32)], key="Eb", chords=((0, "Eb"), (96, "Bb7")))
    (a,), (b,) = runs_of(piece), runs_of(up)
    assert (a.line == b.line).all()
    assert (a.features == b.features).all()


def test_triplets_have_slots_on_the_main_grid():
    triplets = [Note(4 * i, 4, 60 + i % 3) for i in range(96)]
    (run,) = runs_of(score(triplets), grid=MAIN)
    slots = MAIN.slots(48)
    assert run.line.shape == (8, len(slots))
    onsets = [48 * bar + int(slots[slot]) for bar, slot in np.argwhere(run.line >= N_SPECIAL)]
    assert onsets == [note.onset_steps for note in triplets]
    thirty_seconds = [Note(48 * 4 + 2, 2, 62)]
    assert runs_of(score(quarters(16) + thirty_seconds, n_bars=8), grid=MAIN)[0].n_bars == 4


def test_runs_end_at_bars_off_the_grid_or_out_of_range():
    triplet = [Note(48 * 4 + 4, 8, 62)]
    assert [run.n_bars for run in runs_of(score(quarters(16) + triplet + quarters(0), n_bars=9))] == [4, 4]
    too_high = [Note(48 * 4, 12, 110)]
    assert [run.n_bars for run in runs_of(score(quarters(16) + too_high, n_bars=9))] == [4, 4]


def test_runs_end_where_metre_or_key_changes_and_short_ones_are_dropped():
    piece = score(quarters(40), n_bars=10, meters=((0, "4/4"), (48 * 4, "3/4"), (48 * 4 + 36 * 3, "4/4")))
    assert [run.bar_slots for run in runs_of(piece)] == [16, 16]
    piece = score(quarters(40), n_bars=10, keys=((0, "C"), (48 * 5, "G")))
    assert [run.n_bars for run in runs_of(piece)] == [5, 5]


def test_phrases_count_from_the_first_full_bar():
    start = list(FEATURE_GROUPS).index("phrase")
    first = sum(list(FEATURE_GROUPS.values())[:start])
    pickup = [Note(36, 12, 60), *[replace(n, onset_steps=n.onset_steps + 48) for n in quarters(28)]]
    for notes, expected in ((quarters(32), 0), (pickup, 7)):
        (run,) = runs_of(score(notes))
        assert int(np.argmax(run.features[0, 0, first : first + 8])) == expected


def test_a_window_that_opens_with_a_hold_starts_the_note_again():
    (run,) = runs_of(score([Note(0, 48 * 8, 64)]))
    window = opened(run.line, 3, 5)
    assert window[0, 0] == ALPHABET.symbol(64)
    assert (window.reshape(-1)[1:] == HOLD).all()
    assert run.line[3, 0] == HOLD


def test_batches_are_of_one_length_and_the_same_for_a_seed():
    runs = runs_of(score(quarters(64), n_bars=16), score(quarters(40), n_bars=10, meters=((0, "3/4"),)))
    sampler = BatchSampler(runs, n_bars=(4, 8), batch_slots=256)
    for seed in range(10):
        batch = sampler.draw(np.random.default_rng(seed))
        again = sampler.draw(np.random.default_rng(seed))
        assert batch.line.shape == batch.features.shape[:3]
        assert batch.line.size <= 256
        assert (batch.line == again.line).all()
        assert ((batch.line[:, 0, 0] >= N_SPECIAL) | (batch.line[:, 0, 0] == 0)).all()


def test_no_window_at_all_is_an_error():
    with pytest.raises(CorpusError, match="no melody of 16 bars"):
        BatchSampler(runs_of(score(quarters(32))), n_bars=(16,), batch_slots=64)


def test_a_bar_that_is_no_whole_number_of_steps_is_left_out():
    assert Meter.parse("5/32").bar_quarters * 4 == Fraction(5, 2)
    piece = Score(
        24,
        (Track("m", (Note(0, 300, 60),)),),
        meters=(MeterChange(0, Meter.parse("5/32")),),
        keys=(KeyChange(0, Key.parse("C")),),
    )
    assert runs_of(piece) == []
