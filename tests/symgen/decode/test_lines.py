"""Lines beside lines: each conditional law against enumeration, the joint law under sweeps, draws under the audit."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import is_line, log_sum, potentials_weight, sequences
from rule_strategies import Reattack
from voice_strategies import Moody, moments, price, voice_rules

from symgen.alphabet import HOLD, REST, LineAlphabet
from symgen.decode.infer import has_line, log_weight_of
from symgen.decode.lines import Part, draw_lines, line_beside, sounding_pitches, sweep
from symgen.errors import InfeasibleError, RequestError
from symgen.potentials import LineArcs, LinePotentials
from theory.audit import audit_line
from theory.chord import Chord
from theory.key import Key
from theory.rules import InKey, LargestLeap, Lock, NoRests, RepeatedNotes
from theory.rules.base import LineNote, Moment
from theory.rules.sonority import NoCrossing
from theory.rules.voiceleading import (
    LargestVoiceLeap,
    LeadingToneResolves,
    NoOverlap,
    NoParallelFifths,
    NoParallelOctaves,
)
from theory.rules.voices import VoiceLock
from theory.rules.voicesets import STRICT_COUNTERPOINT
from theory.voiceaudit import audit_voices


def notes_of(alphabet: LineAlphabet, line) -> list[LineNote]:
    return [LineNote(n.onset_steps, n.end_steps, n.pitch) for n in alphabet.decode(np.asarray(line))]


def part_of(seed: int, low: int, high: int, n_steps: int, rules=(), scale: float = 1.0) -> Part:
    """Return a part with potentials of whatever kind."""
    rng, alphabet = np.random.default_rng(seed), LineAlphabet(low, high)
    n = alphabet.n_pitches
    arcs = LineArcs(scale * rng.normal(size=(n, n)), rng.normal(size=n), *rng.normal(size=3))
    return Part(LinePotentials(alphabet, scale * rng.normal(size=(n_steps, alphabet.n_symbols)), arcs), tuple(rules))


def own_weight(part: Part, line, places) -> float:
    """Return what a line weighs by itself."""
    paid = sum(violation.rule.cost for violation in audit_line(notes_of(part.alphabet, line), places, part.rules))
    return potentials_weight(part.potentials, line) - paid


def voicing_rows(parts, lines, silent: int | None = None) -> list[list[int | None]]:
    """Return what sounds at each step, read off the notes; one voice may be muted."""
    rows: list[list[int | None]] = [[None] * len(parts) for _ in lines[0]]
    for voice, (part, line) in enumerate(zip(parts, lines, strict=True)):
        for note in notes_of(part.alphabet, line):
            for step in range(note.onset, note.end):
                rows[step][voice] = None if voice == silent else note.pitch
    return rows


@settings(max_examples=60)
@given(st.data())
def test_one_line_beside_others(data):
    """The weight of each line is its own, less what its presence adds to what the audit charges."""
    n_steps, n_voices = data.draw(st.sampled_from([(3, 2), (2, 3)]))
    places = data.draw(moments(n_steps))
    ranges = ((63, 65), (60, 62), (59, 60))[:n_voices]
    own = st.sampled_from([[], [LargestLeap(1)], [LargestLeap(1, cost=1.0)], [Reattack(cost=1.0)], [RepeatedNotes(1)]])
    parts = [part_of(i, *pair, n_steps, data.draw(own)) for i, pair in enumerate(ranges)]
    rules = data.draw(voice_rules(n_steps, n_voices, (59, 65)))
    voice = data.draw(st.integers(0, n_voices - 1))
    lines = [
        np.array(data.draw(st.lists(st.integers(0, p.alphabet.n_symbols - 1), min_size=n_steps, max_size=n_steps)))
        for p in parts
    ]
    assume(all(is_line(line.tolist()) for line in lines))
    muted = price(voicing_rows(parts, lines, silent=voice), places, rules)
    missing = sum(rule.cost for rule in rules if not rule.has_place(places))
    alone = muted - missing if math.isfinite(missing) else 0.0
    assume(math.isfinite(alone))
    lattice = line_beside(parts, voice, lines, places, rules)
    seen = False
    for line in sequences(parts[voice].alphabet.n_symbols, n_steps):
        if not is_line(line):
            continue
        together = [*lines[:voice], np.array(line), *lines[voice + 1 :]]
        paid = price(voicing_rows(parts, together), places, rules)
        expected = own_weight(parts[voice], line, places) - paid + alone
        assert log_weight_of(lattice, np.array(line)) == pytest.approx(expected, abs=1e-9), line
        seen |= expected > -math.inf
    assert has_line(lattice) == seen


def tiny_duet():
    """Return two parts of two pitches and three steps, under laws and preferences, in weights of every pair."""
    places = [Moment(1, Fraction(i + 1), i % 2, Key.parse("C")) for i in range(3)]
    parts = [part_of(1, 64, 65, 3), part_of(2, 57, 58, 3)]
    rules = [NoParallelFifths(), NoParallelOctaves(), Moody(3, cost=1.0), LargestVoiceLeap(0, cost=0.7), Moody(4)]
    lines = [[line for line in sequences(4, 3) if is_line(line)] for _ in parts]
    joint = {}
    for pair in product(*lines):
        total = sum(own_weight(part, line, places) for part, line in zip(parts, pair, strict=True))
        joint[pair] = total - price(voicing_rows(parts, pair), places, rules)
    return parts, places, rules, joint


def test_a_sweep_leaves_the_joint_law_as_it_is():
    """The exact transition of each draw, applied to the exact joint law, gives the same law again."""
    parts, places, rules, joint = tiny_duet()
    total = log_sum(joint.values())
    law = {pair: math.exp(weight - total) for pair, weight in joint.items() if weight > -math.inf}
    assert 20 < len(law) < len(joint)
    for voice in (0, 1):
        after = dict.fromkeys(law, 0.0)
        for other in {pair[1 - voice] for pair in law}:
            mass = sum(p for pair, p in law.items() if pair[1 - voice] == other)
            beside = [np.array(other)] * 2
            lattice = line_beside(parts, voice, beside, places, rules)
            weights = {line: log_weight_of(lattice, np.array(line)) for line in sequences(4, 3)}
            norm = log_sum(weights.values())
            for line, weight in weights.items():
                if weight > -math.inf:
                    pair = (line, other) if voice == 0 else (other, line)
                    after[pair] += mass * math.exp(weight - norm)
        assert after == pytest.approx(law, abs=1e-12)


def test_sweeps_visit_lines_as_often_as_they_should():
    parts, places, rules, joint = tiny_duet()
    total = log_sum(joint.values())
    rng, n = np.random.default_rng(0), 400
    lines = draw_lines(parts, places, rules, rng)
    expected, visits = np.zeros((2, 3, 4)), np.zeros((2, 3, 4))
    voice, step = np.indices((2, 3))
    for pair, weight in joint.items():
        expected[voice, step, np.array(pair)] += math.exp(weight - total)
    for _ in range(n):
        lines = sweep(parts, lines, places, rules, rng)
        visits[voice, step, np.stack(lines)] += 1
        assert joint[tuple(tuple(line.tolist()) for line in lines)] > -math.inf
    np.testing.assert_allclose(visits / n, expected, atol=0.09)


def counterpoint(n_steps: int):
    places = [
        Moment(1 + i // 8, 1 + Fraction(i % 8, 2), (0, 3, 2, 3, 1, 3, 2, 3)[i % 8], Key.parse("C"))
        for i in range(n_steps)
    ]
    parts = [part_of(i, *pair, n_steps, [InKey()]) for i, pair in enumerate([(64, 79), (57, 72), (45, 62)])]
    return parts, places


@pytest.mark.parametrize("n_sweeps", [0, 2])
@pytest.mark.parametrize("seed", range(3))
def test_every_draw_passes_the_audit(seed, n_sweeps):
    parts, places = counterpoint(24)
    lines = draw_lines(parts, places, STRICT_COUNTERPOINT, np.random.default_rng(seed), n_sweeps=n_sweeps)
    voices = [notes_of(part.alphabet, line) for part, line in zip(parts, lines, strict=True)]
    assert all(len(notes) > 3 for notes in voices)
    assert audit_voices(voices, places, STRICT_COUNTERPOINT) == []
    assert all(audit_line(notes, places, [InKey()]) == [] for notes in voices)
    again = draw_lines(parts, places, STRICT_COUNTERPOINT, np.random.default_rng(seed), n_sweeps=n_sweeps)
    assert all((a == b).all() for a, b in zip(lines, again, strict=True))


def test_rules_with_a_memory_and_pitches_without_a_state():
    """Locks prune states, and a rule with a memory multiplies them: the lines beside are still priced right."""
    places = [Moment(1, Fraction(i + 1), 0, Key.parse("C")) for i in range(4)]
    given_line = np.array([2 + 7, 2 + 9, HOLD, 2 + 5])  # G, A, A, F over an alphabet from C
    lower = Part(
        LinePotentials(LineAlphabet(48, 60), np.zeros((4, 15)), LineArcs.flat(13)),
        (InKey(), NoRests(), RepeatedNotes(), LargestLeap(4)),
    )
    upper = Part(LinePotentials(LineAlphabet(60, 72), np.zeros((4, 15)), LineArcs.flat(13)))
    rules = [NoParallelFifths(), NoOverlap(), NoCrossing()]
    lattice = line_beside([upper, lower], 1, [given_line, given_line], places, rules)
    for line, legal in [((2, HOLD, HOLD, HOLD), True), ((2, 4, HOLD, HOLD), False), ((2, 2, 4, HOLD), True)]:
        assert (log_weight_of(lattice, np.array(line)) > -math.inf) == legal, line


def test_the_moment_before_counts():
    """B must rise where C follows G, and need not where C follows C; holds are judged apart on strong beats."""
    chords, levels = [Chord.parse(name) for name in ("G", "C", "C")], (0, 0, 2)
    places = [Moment(1, Fraction(i + 1), levels[i], Key.parse("C"), chord) for i, chord in enumerate(chords)]
    part = Part(LinePotentials(LineAlphabet(67, 72), np.zeros((3, 8)), LineArcs.flat(6)), (Reattack(),))
    lattice = line_beside([part], 0, [np.zeros(3, dtype=np.int64)], places, [LeadingToneResolves()])
    g, b, c = 2, 6, 7
    legal = {(b, c, HOLD): True, (b, g, HOLD): False, (REST, b, g): True, (REST, b, HOLD): True, (b, HOLD, c): False}
    assert {line: log_weight_of(lattice, np.array(line)) > -math.inf for line in legal} == legal


def test_what_sounds():
    alphabet = LineAlphabet(60, 64)
    assert sounding_pitches(alphabet, np.array([REST, 2, HOLD, HOLD, REST, REST, 6, 3])).tolist() == [
        -1, 60, 60, 60, -1, -1, 64, 61,
    ]  # fmt: skip


def test_lines_that_find_no_place():
    """The upper voice must sound C4 where the lower one must sound D4."""
    places = [Moment(1, Fraction(i + 1), 0, Key.parse("C")) for i in range(2)]
    parts = [
        part_of(0, 60, 65, 2, [Lock(1, Fraction(2), 60)]),
        part_of(1, 55, 62, 2, [Lock(1, Fraction(2), 62), InKey()]),
    ]
    with pytest.raises(InfeasibleError) as caught:
        draw_lines(parts, places, [NoParallelFifths(), NoCrossing()], np.random.default_rng(0))
    assert caught.value.where == "bar 1 beat 2"
    assert set(caught.value.blame) == {str(parts[1].rules[0]), "no crossing"}
    assert "voice 2 beside the others drawn" in str(caught.value)
    # The other way round it is another voice's turn, and another law's fault.
    with pytest.raises(InfeasibleError) as caught:
        draw_lines(parts[:1], places, [VoiceLock(0, 1, Fraction(2), 61)], np.random.default_rng(0))
    assert len(caught.value.blame) == 2
    assert "beside" not in str(caught.value)


def test_tries_begin_again():
    """The first line knows nothing of the second's lock: only some first tries leave it room."""
    places = [Moment(1, Fraction(1), 0)]
    upper, lower = part_of(3, 60, 64, 1, [NoRests()]), part_of(1, 62, 62, 1, [NoRests()])
    drawn = [draw_lines([upper, lower], places, [NoCrossing()], np.random.default_rng(s), n_sweeps=0) for s in range(9)]
    assert {sounding_pitches(upper.alphabet, lines[0])[0] for lines in drawn} <= {62, 63, 64}
    failures = 0
    for seed in range(9):
        try:
            draw_lines([upper, lower], places, [NoCrossing()], np.random.default_rng(seed), n_tries=1)
        except InfeasibleError:
            failures += 1
    assert 0 < failures < 9


def test_places_that_are_not_there():
    places = [Moment(1, Fraction(1), 0)]
    with pytest.raises(InfeasibleError, match="lock voice 1 bar 9"):
        draw_lines([part_of(0, 60, 62, 1)], places, [VoiceLock(0, 9, Fraction(1), 60)], np.random.default_rng(0))


def test_bad_requests():
    rng = np.random.default_rng(0)
    for parts, numbers in [
        ([], {}),
        ([part_of(0, 60, 62, 1)], {"n_sweeps": -1}),
        ([part_of(0, 60, 62, 1)], {"n_tries": 0}),
    ]:
        with pytest.raises(RequestError):
            draw_lines(parts, [Moment(1, Fraction(1), 0)], [], rng, **numbers)
