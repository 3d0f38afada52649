"""The counter-melody: its laws by audit and by plain loops, its draw beside an enumeration, and where it is silent."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from score_strategies import CHORDS

from symgen.band.counter import Place, Repeat, Tastes, compass_beside, counter_notes, counter_trellis, places_beside
from symgen.decode.trellis import log_backward, log_total, log_weight_of, sample_paths
from symgen.grid import BarMap
from symgen.moments import audit
from symgen.pipeline.harmony import chord_changes
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, Track
from theory.chord import Chord
from theory.chordscale import chord_scale
from theory.key import Key
from theory.meter import STRONG_LEVEL, Meter
from theory.progression import Progression
from theory.rules import ChordTonesOnStrongBeats
from theory.rules.voiceleading import NoParallelFifths, NoParallelOctaves

GRID = 12
METERS = ["4/4", "3/4", "6/8", "5/4", "7/8"]


def bar_map(meter, n_bars):
    metre = Meter.parse(meter)
    return BarMap.build([(0, metre)], steps_per_quarter=GRID, end_steps=n_bars * metre.bar_steps(GRID))


@st.composite
def melodies(draw, end):
    """Notes and rests on eighths, one after the other."""
    notes, step = [], 0
    while step < end:
        length = 6 * draw(st.sampled_from([1, 1, 2, 2, 3, 4, 8]))
        if draw(st.integers(0, 4)):
            notes.append(Note(step, min(length, end - step), draw(st.integers(58, 84))))
        step += length
    return notes


@given(st.data(), st.sampled_from(METERS), st.sampled_from([None, "C", "G minor"]), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_every_line_keeps_the_laws(data, meter, key, seed):
    bars = bar_map(meter, 3)
    melody = data.draw(melodies(bars.end_steps))
    symbols = data.draw(st.lists(st.sampled_from(CHORDS), min_size=1, max_size=4))
    changes = [ChordChange(18 * i, Chord.parse(s)) for i, s in enumerate(symbols) if 18 * i < bars.end_steps]
    keys = (KeyChange(0, Key.parse(key)),) if key else ()
    line = counter_notes(melody, changes, bars, keys=keys, rng=np.random.default_rng(seed))
    low, high, is_below = compass_beside(melody)
    for one, other in pairwise(line):
        assert one.end_steps <= other.onset_steps
        if one.end_steps == other.onset_steps:
            assert abs(one.pitch - other.pitch) not in {6, 10, 11}
            assert abs(one.pitch - other.pitch) <= 12
    sounding = {step: n.pitch for n in melody for step in range(n.onset_steps, n.end_steps)}
    chord_at = {}
    for change in changes:
        chord_at |= {step: change.chord for step in range(change.onset_steps, bars.end_steps)}
    for number, note in enumerate(line):
        assert low <= note.pitch <= high
        for step in range(note.onset_steps, note.end_steps):
            assert not chord_at[step].is_none
            if step in sounding:
                assert note.pitch < sounding[step] if is_below else note.pitch > sounding[step]
        if note.pitch % 12 not in chord_at[note.onset_steps].pitch_classes:
            assert keys
            assert note.pitch % 12 in chord_scale(chord_at[note.onset_steps], keys[0].key)
        if note.pitch % 12 not in chord_at[note.end_steps - 1].pitch_classes:  # no chord has come that has it
            follower = line[number + 1]
            assert follower.onset_steps == note.end_steps
            assert 1 <= abs(follower.pitch - note.pitch) <= 2
        for change in changes:  # what is held into a chord belongs to it
            if note.onset_steps < change.onset_steps < note.end_steps:
                assert note.pitch % 12 in change.chord.pitch_classes
    if line:
        tracks = (Track("Melody", tuple(melody)), Track("Counter-melody", line))
        score = Score(
            *(GRID, tracks),
            meters=(MeterChange(0, Meter.parse(meter)),),
            keys=keys,
            chords=tuple(changes),
            end_steps=bars.end_steps,
        )
        assert audit(score, [ChordTonesOnStrongBeats()], track="Counter-melody") == []
        assert audit(score, [NoParallelFifths(), NoParallelOctaves()]) == []


C, G7 = Chord.parse("C"), Chord.parse("G7")
SCALE = Key.parse("C").pitch_classes
SMALL = [
    Place(0, 12, C, True, 0, SCALE, -1, 72, True, (72, 72)),
    Place(12, 18, C, False, 2, SCALE, 72, 74, True, (71, 74)),
    Place(18, 24, C, False, 3, SCALE, 74, 74, False, (74, 74)),
    Place(24, 36, G7, True, 1, SCALE, 74, -1, False, None),
    Place(36, 48, G7, False, 2, SCALE, -1, 67, True, (67, 67)),
]
LOW, HIGH = 62, 67


def log_weight(line, places, tastes, *, low, is_below):
    """Return the log weight of what a line does in each place, by the module's words: the slow twin.

    ``line`` has None for silence, or a pitch and whether it begins there.
    """
    total, before = 0.0, None
    for number, (what, place) in enumerate(zip(line, places, strict=True)):
        was = line[number - 1] if number else None
        if what is None:
            total -= tastes.silence * (place.end - place.start) / GRID
            if was is not None:
                total -= tastes.entry
                if was[0] % 12 not in before.chord.pitch_classes:
                    return -np.inf
            before = place
            continue
        pitch, begins = what
        foreign = pitch % 12 not in place.chord.pitch_classes
        is_bound = place.is_new_chord or place.level <= STRONG_LEVEL
        if foreign and (is_bound or pitch % 12 not in place.scale or number + 1 == len(places)):
            return -np.inf
        total -= tastes.foreign * foreign
        if place.span is not None:
            edge = place.span[0] - pitch if is_below else pitch - place.span[1]
            if edge <= 0:
                return -np.inf
            total -= tastes.near * (edge < 3)
        if place.now != -1:
            interval = abs(place.now - pitch) % 12
            total -= {1: tastes.harsh, 11: tastes.harsh, 0: tastes.perfect, 7: tastes.perfect}.get(interval, 0.0)
            total -= tastes.mild * (interval in (2, 6, 10))
        if not begins:
            if was is None or was[0] != pitch:
                return -np.inf
            total -= tastes.held_into_chord * place.is_new_chord + tastes.held_into_bar * (place.level == 0)
            before = place
            continue
        total -= tastes.off_beat * (place.level > 2) + tastes.strong * (place.level <= 1)
        total -= tastes.together if place.begins else tastes.alone if place.now == -1 else tastes.over_held
        if was is None:
            total -= tastes.entry if number else 0.0
        else:
            size = abs(was[0] - pitch)
            left = was[0] % 12 not in before.chord.pitch_classes
            if size > 12 or size in (6, 10, 11) or (left and not 1 <= size <= 2):
                return -np.inf
            total -= tastes.semitone * max(size - 2, 0) + tastes.repeated * (size == 0)
            melody = place.now - place.before
            if -1 not in (place.before, place.now) and melody:
                old, new = abs(place.before - was[0]) % 12, abs(place.now - pitch) % 12
                own = pitch - was[0]
                if own and old == new and new in (0, 7):
                    return -np.inf
                total -= tastes.hidden * (own * melody > 0 and new in (0, 7) and old != new)
                total -= tastes.similar * (own * melody > 0) + tastes.contrary * (own * melody < 0)
        before = place
    return total


def doings():
    """All that a line may do in a place, in the order of the candidates."""
    pitches = range(LOW, HIGH + 1)
    return [None, *((p, True) for p in pitches), *((p, False) for p in pitches)]


@pytest.mark.parametrize("is_below", [True, False])
def test_the_trellis_weighs_every_line_as_its_slow_twin_does(is_below):
    tastes = replace(Tastes(), foreign=0.11, near=0.23, hidden=0.37)
    places = SMALL if is_below else [replace(p, span=p.span and (p.span[0] - 12, p.span[1] - 12)) for p in SMALL]
    n_compared = n_lawful = 0
    for part in (places[:3], places[1:4], places[2:]):
        trellis = counter_trellis(part, LOW, HIGH, tastes, GRID, is_below=is_below)
        for path in product(range(2 * (HIGH - LOW + 1) + 1), repeat=len(part)):
            line = [doings()[i] for i in path]
            wanted = log_weight(line, part, tastes, low=LOW, is_below=is_below)
            if path[0] > HIGH - LOW + 1:
                wanted = -np.inf  # nothing is held into the first place
            found = log_weight_of(trellis, np.array(path))
            assert found == pytest.approx(wanted, abs=1e-9), line
            n_compared, n_lawful = n_compared + 1, n_lawful + (wanted > -np.inf)
    assert n_compared == 3 * 13**3
    assert n_lawful > 100


def test_lines_are_drawn_as_often_as_they_weigh():
    places = SMALL[2:]
    trellis = counter_trellis(places, LOW, HIGH, Tastes(), GRID, is_below=True)
    table = log_backward(trellis)
    paths = sample_paths(trellis, table, np.random.default_rng(0), 20_000)
    found, counts = np.unique(paths, axis=0, return_counts=True)
    law = np.array([np.exp(log_weight_of(trellis, path) - log_total(trellis, table)) for path in found])
    assert law.sum() == pytest.approx(1, abs=0.02)  # all but the rarest came up
    assert 0.5 * np.abs(counts / counts.sum() - law).sum() < 0.03


def song(melody, chords="C | F | G7 | C", meter="4/4", **other):
    bars = bar_map(meter, 4)
    changes = chord_changes(Progression.parse(chords), bars)
    keys = (KeyChange(0, Key.parse("C")),)
    return bars, counter_notes(melody, changes, bars, keys=keys, rng=np.random.default_rng(5), **other)


LONG = [Note(48 * bar, 48, pitch) for bar, pitch in enumerate([76, 77, 74, 72])]
BUSY = [Note(6 * i, 6, 72 + (i % 5)) for i in range(32)]


def test_it_moves_where_the_melody_rests_or_holds():
    n_long = [len(counter_of(LONG, seed)) for seed in range(40)]
    n_busy = [len(counter_of(BUSY, seed)) for seed in range(40)]
    assert np.mean(n_long) > 1.1 * np.mean(n_busy)
    assert np.mean(n_busy) < len(BUSY) / 3  # and is the slower one


def counter_of(melody, seed):
    bars = bar_map("4/4", 4)
    changes = chord_changes(Progression.parse("C | F | G7 | C"), bars)
    keys = (KeyChange(0, Key.parse("C")),)
    return counter_notes(melody, changes, bars, keys=keys, rng=np.random.default_rng(seed))


def doing(line, start, n_steps):
    """Return what sounds at each step of a stretch, and where notes begin after its start."""
    sounding = {step: n.pitch for n in line for step in range(n.onset_steps, n.end_steps)}
    begun = {n.onset_steps - start for n in line if start < n.onset_steps < start + n_steps}
    return [sounding.get(start + step) for step in range(n_steps)], begun


@given(st.data(), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_what_comes_back_is_played_again(data, seed):
    bars, size = bar_map("4/4", 6), 96
    tune = data.draw(melodies(size))
    other = data.draw(melodies(size))
    melody = [replace(n, onset_steps=n.onset_steps + at) for part, at in ((tune, 0), (other, 96), (tune, 192))
              for n in part]  # fmt: skip
    changes = [ChordChange(at + 48 * i, chord) for at in (0, 96, 192) for i, chord in enumerate((C, G7))]
    keys, rng = (KeyChange(0, Key.parse("C")),), np.random.default_rng(seed)
    line = counter_notes(melody, changes, bars, keys=keys, rng=rng, repeats=[Repeat(0, 192, size)])
    most = size - 24  # a note foreign to its chord may go on after the one stretch, and not at the end of the piece
    assert doing(line, 0, most) == doing(line, 192, most)
    tracks = (Track("Melody", tuple(melody)), Track("Counter-melody", line))
    score = Score(GRID, tracks, keys=keys, chords=tuple(changes), end_steps=bars.end_steps)
    assert score.audit([ChordTonesOnStrongBeats()], track="Counter-melody") == []
    if line and melody:
        assert audit(score, [NoParallelFifths(), NoParallelOctaves()]) == []


def test_a_stretch_that_can_not_come_back_is_free_and_the_others_are_not():
    bars = bar_map("4/4", 8)
    melody = [Note(48 * bar, 48, pitch) for bar, pitch in enumerate([76, 74, 76, 74, 76, 74, 76, 74])]
    chords = [ChordChange(0, C), ChordChange(96, Chord.parse("F#")), ChordChange(192, C)]
    rng, repeats = np.random.default_rng(1), [Repeat(0, 96, 96), Repeat(0, 192, 96), Repeat(0, 288, 96)]
    line = counter_notes(melody, chords, bars, rng=rng, repeats=repeats)
    parts = [doing(line, start, 96) for start in (0, 96, 192, 288)]
    assert set(parts[0][0]) != {None}
    assert parts[0] == parts[2] == parts[3]
    assert parts[1] != parts[0]  # other chords: what the first stretch does there is against the laws


def test_contrary_motion_is_liked():
    def share(tastes):
        moves = []
        for seed in range(30):
            bars = bar_map("4/4", 4)
            changes = [ChordChange(0, C)]
            melody = [Note(24 * i, 24, [72, 76, 79, 76, 72, 76, 79, 76][i]) for i in range(8)]
            line = counter_notes(melody, changes, bars, rng=np.random.default_rng(seed), tastes=tastes)
            own = {n.onset_steps: n.pitch for n in line}
            for one, other in pairwise(melody):
                step = other.onset_steps
                held = [n.pitch for n in line if n.onset_steps < step <= n.end_steps]
                if step in own and held and held[0] != own[step]:
                    moves.append((own[step] - held[0]) * (other.pitch - one.pitch) < 0)
        return sum(moves), np.mean(moves)

    n_liked, liked = share(replace(Tastes(), contrary=-2.0))
    n_neutral, neutral = share(replace(Tastes(), contrary=0.0))
    assert n_liked > 2 * n_neutral > 0
    assert liked > neutral + 0.1


def test_silence_where_there_is_no_chord_and_no_room():
    _, line = song(LONG, "C | N.C. | N.C. | C")
    assert line
    assert all(not 48 <= step < 144 for n in line for step in range(n.onset_steps, n.end_steps))
    assert song(LONG, "N.C.")[1] == ()
    bars = bar_map("4/4", 1)
    assert counter_notes(LONG[:1], [], bars, rng=np.random.default_rng(0)) == ()
    assert counter_notes([Note(0, 48, 120)] * 1, [ChordChange(0, C)], bars, rng=np.random.default_rng(0))
    low = [Note(0, 48, 2)]
    assert compass_beside(low) == (0, 19, False)
    assert places_beside([], [ChordChange(0, C)], bars, ())  # without a melody it has all the room


def test_the_same_chance_gives_the_same_line():
    assert song(LONG)[1] == song(LONG)[1]
    assert len({counter_of(LONG, seed) for seed in range(5)}) > 1


def test_it_lies_beside_the_melody():
    assert compass_beside([Note(0, 4, 76)]) == (59, 78, True)
    assert compass_beside([Note(0, 4, 60)]) == (58, 77, False)
