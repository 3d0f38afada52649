"""Voicings of a row of chords against the enumeration of all of them, priced by the audit."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import log_sum, probabilities
from voice_strategies import Moody, moments, price, voice_rules

from symgen.decode import trellis as tr
from symgen.decode.chorale import (
    SATB,
    VoicePotentials,
    compile_chorale,
    explain_chorale,
    harmonise,
    locks_of,
)
from symgen.errors import InfeasibleError, RequestError
from theory.chord import Chord
from theory.key import Key
from theory.rules.base import Moment
from theory.rules.sonority import BassNote, ChordTones
from theory.rules.voices import VoiceLock, VoiceRanges
from theory.rules.voicesets import CHORALE
from theory.voiceaudit import audit_voicings

RANGES = {2: ((62, 69), (55, 62)), 3: ((64, 69), (60, 65), (55, 60))}
SLOTS = {2: 3, 3: 2}


def potentials_of(seed: int, n_slots: int, n_voices: int) -> VoicePotentials:
    """Return potentials of whatever kind, some of them ``-inf``."""
    rng = np.random.default_rng(seed)
    pitch, step = rng.normal(size=(n_slots, n_voices, 128)), rng.normal(size=(n_voices, 128, 128))
    pitch[rng.random(pitch.shape) < 0.1] = -np.inf
    step[rng.random(step.shape) < 0.05] = -np.inf
    return VoicePotentials(pitch, step)


def all_rows(moments, rules, ranges):
    """Yield every row of voicings from chord tones and locked pitches, whatever the laws."""
    locks = [rule for rule in rules if isinstance(rule, VoiceLock)]
    slots = []
    for moment in moments:
        voices = []
        for voice, (low, high) in enumerate(ranges):
            locked = {lock.pitch for lock in locks if lock.voice == voice and lock.is_here(moment)}
            voices.append(
                [p for p in range(128) if (low <= p <= high and p % 12 in moment.chord.pitch_classes) or p in locked]
            )
        slots.append(list(product(*voices)))
    return product(*slots)


def weight(row, moments, rules, potentials) -> float:
    """Return the log weight of a row: what the potentials give, less what the audit charges."""
    total = -price(row, moments, rules)
    for slot, voicing in enumerate(row):
        for voice, pitch in enumerate(voicing):
            total += potentials.log_pitch[slot, voice, pitch]
            if slot:
                total += potentials.log_step[voice, row[slot - 1][voice], pitch]
    return float(total)


@st.composite
def requests(draw, costs=(math.inf, 0.5, 2.0), max_size=5):
    n_voices = draw(st.sampled_from([2, 3]))
    n_slots, ranges = SLOTS[n_voices], RANGES[n_voices]
    places = draw(moments(n_slots))
    rules = draw(voice_rules(n_slots, n_voices, (55, 70), costs, max_size))
    return places, rules, draw(st.integers(0, 99)), ranges


@settings(max_examples=60)
@given(requests())
def test_everything_agrees_with_enumeration(request_):
    places, rules, seed, ranges = request_
    potentials = potentials_of(seed, len(places), len(ranges))
    chorale = compile_chorale(places, rules, potentials=potentials, ranges=ranges)
    rows = {row: weight(row, places, rules, potentials) for row in all_rows(places, rules, ranges)}
    possible = {row: w for row, w in rows.items() if w > -math.inf}
    table = tr.log_backward(chorale.trellis)
    assert tr.count_paths(chorale.trellis) == len(possible)
    assert tr.log_total(chorale.trellis, table) == pytest.approx(log_sum(possible.values()), abs=1e-9)
    assert (tr.first_impossible_slot(chorale.trellis) is None) == bool(possible)
    if not possible:
        return
    law = probabilities(rows)
    best = tuple(map(tuple, chorale.best().tolist()))
    assert rows[best] == pytest.approx(max(possible.values()), abs=1e-9)
    posterior = chorale.pitch_marginals()
    expected = np.zeros_like(posterior)
    for row, p in law.items():
        for slot, voicing in enumerate(row):
            expected[slot, range(len(voicing)), voicing] += p
    np.testing.assert_allclose(posterior, expected, atol=1e-12)
    for row in [best, *list(rows)[:: max(1, len(rows) // 20)]]:
        log_p = chorale.log_probability(np.array(row))
        assert math.exp(log_p) == pytest.approx(law.get(row, 0.0), abs=1e-12)
        assert (log_p == -math.inf) == (row not in law)
    for row in chorale.sample(np.random.default_rng(0), 5).tolist():
        assert tuple(map(tuple, row)) in law


def broken_rows(rows, places, rule) -> np.ndarray:
    """Return which rows break a law, shape (rows,)."""
    return np.array([bool(audit_voicings(row, places, [rule])) for row in rows], dtype=np.bool_)


def is_possible(rows, places, laws) -> bool:
    broken = np.zeros(len(rows), dtype=np.bool_)
    for law in laws:
        broken |= broken_rows(rows, places, law)
    return not broken.all()


@settings(max_examples=40)
@given(requests(costs=(math.inf,), max_size=6))
def test_blame_is_irreducible_and_the_first_step_is_first(request_):
    places, rules, _, ranges = request_
    rules = list({str(rule): rule for rule in rules}.values())
    rows = list(all_rows(places, rules, ranges))
    assume(rows)
    broken = {str(rule): broken_rows(rows, places, rule) for rule in rules}
    assume(rules and np.any(list(broken.values()), axis=0).all())
    with pytest.raises(InfeasibleError) as caught:
        harmonise(places, rules, np.random.default_rng(0), ranges=ranges)
    blame, blamed = caught.value.blame, [rule for rule in rules if str(rule) in caught.value.blame]
    assert len(blame) == len(blamed) > 0
    assert np.any([broken[name] for name in blame], axis=0).all()
    for name in blame:
        others = [broken[other] for other in blame if other != name]
        assert not others or not np.any(others, axis=0).all()
    assert caught.value.where == str(places[first_impossible(rows, places, blamed)])


def first_impossible(rows, places, laws) -> int:
    """Return the first slot that nothing from the start on can reach; the last if a law names a place beyond them."""
    if not all(law.has_place(places) for law in laws):
        return len(places) - 1
    for n in range(1, len(places) + 1):
        starts = list(dict.fromkeys(row[:n] for row in rows))
        if not is_possible(starts, places[:n], [law for law in laws if law.has_place(places[:n])]):
            return n - 1
    raise AssertionError


def slots_of(chords: str, key: str = "C") -> list[Moment]:
    """Return a beat for each chord, in bars of four."""
    return [
        Moment(1 + i // 4, Fraction(1 + i % 4), 0 if i % 4 == 0 else 2, Key.parse(key), Chord.parse(name))
        for i, name in enumerate(chords.split())
    ]


def test_a_melody_is_harmonised():
    places = slots_of("C F Dm/F G7 C G/B C F C/G G7 C C")
    melody = [72, 72, 74, 74, 76, 74, 72, 69, 67, 71, 72, 72]
    rules = [*CHORALE, *locks_of(0, melody, places)]
    rows = harmonise(places, rules, np.random.default_rng(3), 8)
    assert rows.shape == (8, 12, 4)
    laws = [rule for rule in rules if rule.is_law]
    for row in rows.tolist():
        assert [voicing[0] for voicing in row] == melody
        assert audit_voicings(row, places, laws) == []
    assert (harmonise(places, rules, np.random.default_rng(3), 8) == rows).all()


def test_a_non_chord_tone_must_be_allowed():
    """D over a C chord: blamed on the chord tones, or free to pass."""
    places = slots_of("C C F")
    locks = locks_of(0, [72, 74, 72], places)
    with pytest.raises(InfeasibleError) as caught:
        harmonise(places, [ChordTones(), BassNote(), *locks], np.random.default_rng(0))
    assert caught.value.where == "bar 1 beat 2"
    assert caught.value.blame == ("chord tones", "lock voice 1 bar 1 beat 2 = D5")
    assert "over C" in str(caught.value)
    rows = harmonise(places, [ChordTones((0,)), BassNote(), *locks], np.random.default_rng(0))
    assert rows[0, :, 0].tolist() == [72, 74, 72]


def test_blame_across_slots():
    """The soprano is locked to the roots of the last two of many slots, which the bass has anyway."""
    places = slots_of("C F G C F G C G")
    rules = [*CHORALE, *locks_of(0, [None] * 6 + [72, 67], places), *locks_of(1, [None] * 7 + [62], places)]
    error = explain_chorale(places, rules)
    assert error.where == "bar 2 beat 4"
    assert error.blame == (
        "the chord's bass note in the lowest voice", "no parallel octaves",
        "lock voice 1 bar 2 beat 3 = C5", "lock voice 1 bar 2 beat 4 = G4",
    )  # fmt: skip


def test_small_movement_is_preferred():
    potentials = VoicePotentials.smooth(2, 2, nats_per_semitone=1.0)
    assert potentials.log_step[0, 60, 64] == -4.0
    assert potentials.log_step[1, 60, 56] == -2.0
    places = slots_of("C C")
    chorale = compile_chorale(places, [VoiceLock(0, 1, Fraction(1), 67)], ranges=RANGES[2])
    assert (chorale.best()[0] == chorale.best()[1]).all()


def test_rules_of_ones_own_and_built_in_ones_share_tables():
    """A rule on three voices together makes a wider table beside those of pairs."""
    places = slots_of("C G")
    rules = [Moody(7, 3, cost=1.0), *CHORALE[7:13]]
    chorale = compile_chorale(places, rules, ranges=RANGES[3])
    potentials = VoicePotentials.smooth(2, 3)
    for row in all_rows(places, rules, RANGES[3]):
        path = chorale.path_of(np.array(row))
        found = -math.inf if path is None else tr.log_weight_of(chorale.trellis, path)
        assert found == pytest.approx(weight(row, places, rules, potentials), abs=1e-9)


def test_bad_requests():
    rng = np.random.default_rng(0)
    with pytest.raises(RequestError, match=r"bar 1 beat 2: expected a chord.*N\.C\."):
        harmonise(slots_of("C N.C."), [], rng)
    with pytest.raises(RequestError, match="expected a chord"):
        harmonise([Moment(1, Fraction(1), 0)], [], rng)
    with pytest.raises(RequestError, match="0 slots"):
        harmonise([], [], rng)
    with pytest.raises(RequestError, match="9 voices"):
        harmonise(slots_of("C"), [], rng, ranges=((60, 61),) * 9)
    with pytest.raises(RequestError, match="narrow the ranges"):
        harmonise(slots_of("C13"), [], rng, ranges=((0, 127),) * 4)
    with pytest.raises(RequestError, match=r"\(2, 4\)"):
        harmonise(slots_of("C"), [], rng, potentials=VoicePotentials.smooth(2))


def test_potentials_that_allow_nothing():
    potentials = VoicePotentials.smooth(2)
    potentials.log_pitch[1] = -np.inf
    with pytest.raises(InfeasibleError, match="the potentials allow no voicing") as caught:
        harmonise(slots_of("C C"), CHORALE, np.random.default_rng(0), potentials=potentials)
    assert caught.value.blame == ()
    assert caught.value.where == "bar 1 beat 2"


def test_places_that_are_not_there():
    lock = VoiceLock(0, 5, Fraction(1), 60)
    with pytest.raises(InfeasibleError) as caught:
        harmonise(slots_of("C F"), [*CHORALE, lock], np.random.default_rng(0))
    assert caught.value.blame == (str(lock),)


def test_ranges_of_the_choir():
    assert VoiceRanges().ranges == SATB
    chorale = compile_chorale(slots_of("C7"), [])
    low, high = chorale.candidates[0].min(axis=0), chorale.candidates[0].max(axis=0)
    assert all(lo <= a and b <= hi for (lo, hi), a, b in zip(SATB, low, high, strict=True))
