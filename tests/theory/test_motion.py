"""Motion: music21's answers on white keys, definitions written out again, arrays against numbers."""

from __future__ import annotations

import inspect
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from music21.note import Note
from music21.voiceLeading import VoiceLeadingQuartet

from theory import motion
from theory.chord import Chord
from theory.key import Key

UPPER = (60, 62, 64, 65, 67, 71, 72, 79)
LOWER = (48, 53, 55, 57, 59, 62, 64)
PITCH = st.integers(40, 90)
PAIR = st.tuples(PITCH, PITCH)

ORACLES = {
    motion.parallel_fifths: VoiceLeadingQuartet.parallelFifth,
    motion.parallel_octaves: lambda q: q.parallelOctave() or q.parallelUnison(),
    motion.hidden_fifths: VoiceLeadingQuartet.hiddenFifth,
    motion.hidden_octaves: VoiceLeadingQuartet.hiddenOctave,
    motion.overlap: VoiceLeadingQuartet.voiceOverlap,
    motion.similar_motion: VoiceLeadingQuartet.similarMotion,
    motion.contrary_motion: VoiceLeadingQuartet.contraryMotion,
    motion.oblique_motion: VoiceLeadingQuartet.obliqueMotion,
    motion.parallel_motion: VoiceLeadingQuartet.parallelMotion,
}


def is_deliberate(predicate, before, after) -> bool:
    """Return whether the answer differs from music21's for one of these reasons.

    - A unison before an octave, and an octave before a unison, are parallel octaves here: what is lost is the
      independence of the voices, whatever the register. music21 keeps the two apart and finds a hidden octave.
    - A tritone is a fourth and a fifth here, as pitches have no spelling. music21 spells F to B as a fourth: the same
      motion from a fifth is then not parallel, and into a fifth not parallel but hidden.
    """
    sizes = [abs(upper - lower) for upper, lower in (before, after)]
    if predicate in {motion.parallel_octaves, motion.hidden_octaves}:
        return sizes in ([0, 12], [12, 0])
    has_tritone = 6 in {size % 12 for size in sizes}
    return predicate in {motion.parallel_motion, motion.hidden_fifths} and has_tritone


def test_music21_agrees():
    notes = {pitch: Note(pitch) for pitch in (*UPPER, *LOWER)}
    differing = set()
    for a, b, c, d in product(UPPER, UPPER, LOWER, LOWER):
        quartet, before, after = VoiceLeadingQuartet(notes[a], notes[b], notes[c], notes[d]), (a, c), (b, d)
        assert (motion.crossing(before) or motion.crossing(after)) == quartet.voiceCrossing()
        for predicate, oracle in ORACLES.items():
            if predicate(before, after) != oracle(quartet):
                differing.add(predicate)
                assert is_deliberate(predicate, before, after), (predicate.__name__, before, after)
    assert motion.parallel_fifths not in differing


@given(PAIR, PAIR)
def test_parallels_written_out(before, after):
    moved = before[0] != after[0] and before[1] != after[1]
    both = {abs(before[0] - before[1]) % 12, abs(after[0] - after[1]) % 12}
    assert motion.parallel_fifths(before, after) == (moved and both == {7})
    assert motion.parallel_octaves(before, after) == (moved and both == {0})


@given(PAIR, PAIR)
def test_every_motion_is_of_one_kind(before, after):
    kinds = {
        "contrary": motion.contrary_motion(before, after),
        "oblique": motion.oblique_motion(before, after),
        "none": before == after,
        "parallel": motion.parallel_motion(before, after),
        "similar": motion.similar_motion(before, after) and not motion.parallel_motion(before, after),
    }
    assert [kind for kind, holds in kinds.items() if holds] == [motion.motion_kind(before, after)]


@given(PAIR, PAIR, st.integers(-12, 12))
def test_motion_does_not_know_the_key(before, after, semitones):
    moved = [tuple(pitch + semitones for pitch in pair) for pair in (before, after)]
    for predicate in ORACLES:
        assert predicate(before, after) == predicate(*moved)


TWO_PAIRS = [*ORACLES]
ONE_PAIR = [motion.crossing, motion.wider_than, motion.dissonant]
MELODIC = [motion.is_step, motion.is_leap, motion.melodic_tritone, motion.melodic_seventh]
THREE = [motion.recovered_leap, motion.outlines_tritone]
IN_C_MINOR = [motion.augmented_second, motion.leading_tone_resolves]


@given(st.lists(st.tuples(PITCH, PITCH, PITCH, PITCH), min_size=1, max_size=6))
def test_arrays_are_judged_elementwise(quartets):
    a, b, c, d = np.array(quartets).T
    key = Key.parse("C minor")
    cases = [(f, lambda f, a, b, c, d: f((a, c), (b, d))) for f in TWO_PAIRS]
    cases += [(f, lambda f, a, b, c, d: f((a, c))) for f in ONE_PAIR]
    cases += [(f, lambda f, a, b, c, d: f(a, b)) for f in MELODIC]
    cases += [(f, lambda f, a, b, c, d: f(a, b, c)) for f in THREE]
    cases += [(f, lambda f, a, b, c, d: f(a, b, key)) for f in IN_C_MINOR]
    cases += [(motion.seventh_resolves, lambda f, a, b, c, d: f(a, b, 5))]
    cases += [(motion.doubled, lambda f, a, b, c, d: f((a, c), 11))]
    for predicate, call in cases:
        single = [call(predicate, *quartet) for quartet in quartets]
        assert all(type(answer) is bool for answer in single), predicate
        assert call(predicate, a, b, c, d).tolist() == single, predicate


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("wider_than", ((73, 60),), ((72, 60),)),
        ("is_step", (60, 58), (60, 57)),
        ("is_leap", (60, 57), (60, 58)),
        ("recovered_leap", (60, 68, 66), (60, 68, 65)),
        ("recovered_leap", (68, 60, 61), (68, 60, 59)),
        ("recovered_leap", (60, 67, 72), (60, 68, 68)),
        ("melodic_tritone", (71, 65), (71, 64)),
        ("melodic_seventh", (60, 71), (60, 69)),
        ("outlines_tritone", (71, 69, 65), (71, 64, 65)),
        ("augmented_second", (71, 68, Key.parse("C minor")), (71, 68, Key.parse("E minor"))),
        ("augmented_second", (68, 71, Key.parse("C")), (68, 83, Key.parse("C"))),
        ("leading_tone_resolves", (68, 69, Key.parse("A minor")), (68, 67, Key.parse("A minor"))),
        ("leading_tone_resolves", (67, 60, Key.parse("A minor")), (68, 57, Key.parse("A minor"))),
        ("seventh_resolves", (65, 63, 5), (65, 62, 5)),
        ("seventh_resolves", (65, 65, 5), (65, 66, 5)),
        ("doubled", ((71, 71), 11), ((71, 70), 11)),
        ("suspension", ((72, 72, 71), (69, 62, 67)), ((72, 72, 69), (69, 62, 67))),
        ("suspension", ((67, 67, 65), (64, 62, 62)), ((67, 67, 65), (64, 64, 62))),
    ],
)
def test_examples(name, yes, no):
    predicate = getattr(motion, name)
    assert predicate(*yes) is True
    assert predicate(*no) is False


def test_suspension_in_the_bass():
    """The 2-3 suspension: the lower voice is held while the upper one moves, and falls."""
    assert motion.suspension((60, 60, 59), (64, 62, 62), is_upper=False)
    assert not motion.suspension((60, 60, 62), (64, 62, 65), is_upper=False)


@pytest.mark.parametrize("size", range(25))
def test_dissonance_is_what_fux_says(size):
    simple = size % 12
    assert motion.dissonant((60 + size, 60)) == (simple in {1, 2, 5, 6, 10, 11})
    assert motion.dissonant((60, 60 + size), with_bass=False) == (simple in {1, 2, 6, 10, 11})


def test_members_of_chords():
    sevenths = {"G7": 5, "Cmaj7": 11, "Bm7b5": 9, "Bdim7": 8, "C": None, "Am6": None, "C6/9": None, "N.C.": None}
    assert {name: motion.chord_seventh(Chord.parse(name)) for name in sevenths} == sevenths
    assert (
        motion.chord_seventh(Chord(Chord.parse("B").root, (0, 3, 6, 9, 10))) == 9
    )  # the ninth semitone is a sixth here
    thirds = {"G7": 11, "Am": 0, "Csus4": None, "N.C.": None}
    assert {name: motion.chord_third(Chord.parse(name)) for name in thirds} == thirds


def test_every_predicate_is_listed():
    functions = {name for name, f in inspect.getmembers(motion, inspect.isfunction) if f.__module__ == motion.__name__}
    assert {name for name in functions if not name.startswith("_")} <= set(motion.__all__)
