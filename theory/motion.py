"""Motion: what two voices, or one, do from one moment to the next.

A *pair* is ``(upper, lower)``, the voice written higher first. ``before`` and ``after`` are what sounds at two
moments in a row. Intervals are counted in semitones; a fifth or an octave stands for its compounds too.

Every predicate works on whole numbers and answers ``True`` or ``False``; given integer arrays that broadcast
against each other it answers elementwise. So one definition serves the audit, note by note, and the decoder,
table by table.

>>> parallel_fifths((67, 60), (69, 62))  # G4 over C4 to A4 over D4
True
>>> parallel_fifths((67, 60), (np.array([69, 67, 65]), 62)).tolist()  # only A4 makes a fifth with D4
[True, False, False]
>>> motion_kind((67, 60), (69, 59)), motion_kind((67, 60), (67, 62))
('contrary', 'oblique')

References
----------
.. [1] Fux, Gradus ad Parnassum, 1725.
.. [2] Aldwell, Schachter and Cadwallader, Harmony and Voice Leading, 4th ed., 2011.
.. [3] Piston, Harmony, 5th ed., 1987.
.. [4] Huron, "Tone and Voice: A Derivation of the Rules of Voice-Leading from Perceptual Principles",
   Music Perception 19(1), 2001.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from theory.chord import Chord
from theory.key import Key

__all__ = [
    "Pair",
    "Pitches",
    "Truth",
    "augmented_second",
    "chord_seventh",
    "chord_third",
    "contrary_motion",
    "crossing",
    "dissonant",
    "doubled",
    "hidden_fifths",
    "hidden_octaves",
    "is_leap",
    "is_step",
    "leading_tone",
    "leading_tone_resolves",
    "melodic_seventh",
    "melodic_tritone",
    "motion_kind",
    "oblique_motion",
    "outlines_tritone",
    "overlap",
    "parallel_fifths",
    "parallel_motion",
    "parallel_octaves",
    "recovered_leap",
    "seventh_resolves",
    "similar_motion",
    "suspension",
    "wider_than",
]

Pitches: TypeAlias = int | NDArray[np.int64]
"""A MIDI pitch, or an array of them."""
Truth: TypeAlias = bool | NDArray[np.bool_]
"""The answer of a predicate: of the shape of what it was asked about."""
Pair: TypeAlias = tuple[Pitches, Pitches]
"""``(upper, lower)``."""

_FIFTH, _TRITONE, _OCTAVE = 7, 6, 12
_LARGEST_STEP = 2
# Diatonic size of each interval below the octave, doubled; the tritone is a fourth and a fifth, so it lies between.
_HALF_SIZES = np.array([0, 2, 2, 4, 4, 6, 7, 8, 10, 10, 12, 12])
_DISSONANT = np.array([False, True, True, False, False, False, True, False, False, False, True, True])


def _size(interval: Pitches) -> Pitches:
    return abs(interval) if isinstance(interval, int) else np.abs(interval)


def _interval(pair: Pair) -> Pitches:
    return _size(pair[0] - pair[1])


def _both_move(before: Pair, after: Pair) -> Truth:
    return (before[0] != after[0]) & (before[1] != after[1])


def similar_motion(before: Pair, after: Pair) -> Truth:
    """Whether both voices move in the same direction; parallel motion is a kind of it.

    >>> similar_motion((67, 60), (72, 62))
    True
    """
    return (after[0] - before[0]) * (after[1] - before[1]) > 0


def contrary_motion(before: Pair, after: Pair) -> Truth:
    """Whether the voices move in opposite directions.

    >>> contrary_motion((67, 60), (65, 62))
    True
    """
    return (after[0] - before[0]) * (after[1] - before[1]) < 0


def oblique_motion(before: Pair, after: Pair) -> Truth:
    """Whether one voice moves and the other stays.

    >>> oblique_motion((67, 60), (67, 62)), oblique_motion((67, 60), (67, 60))
    (True, False)
    """
    return (before[0] == after[0]) != (before[1] == after[1])


def parallel_motion(before: Pair, after: Pair) -> Truth:
    """Whether both voices move in the same direction and keep the size of their interval, major or minor.

    Notes
    -----
    Sizes are read from semitones: three and four are a third. The tritone, which only spelling can tell apart,
    counts as a fourth beside a fourth and as a fifth beside a fifth.

    >>> parallel_motion((64, 60), (65, 62)), parallel_motion((64, 60), (69, 62))  # third to third, third to fifth
    (True, False)
    """
    first, second = before[0] - before[1], after[0] - after[1]
    same_octave = _size(first - second) <= 1
    near = abs(_HALF_SIZES[first % _OCTAVE] - _HALF_SIZES[second % _OCTAVE]) <= 1
    return _plain(similar_motion(before, after) & same_octave & near)


def _plain(answer: Truth | np.bool_) -> Truth:
    """Turn numpy's own truth into Python's; leave arrays alone."""
    return bool(answer) if isinstance(answer, np.bool_) else answer


def motion_kind(before: tuple[int, int], after: tuple[int, int]) -> str:
    """Return ``parallel``, ``similar``, ``contrary``, ``oblique`` or ``none``.

    >>> motion_kind((64, 60), (65, 62))
    'parallel'
    """
    if parallel_motion(before, after):
        return "parallel"
    if similar_motion(before, after):
        return "similar"
    if contrary_motion(before, after):
        return "contrary"
    return "oblique" if oblique_motion(before, after) else "none"


def parallel_fifths(before: Pair, after: Pair) -> Truth:
    """Whether a perfect fifth follows a perfect fifth and both voices have moved.

    Fifths by contrary motion (a fifth, then a twelfth) are counted: the ear follows the fifths (Piston, ch. 2).

    >>> parallel_fifths((67, 60), (69, 62)), parallel_fifths((67, 60), (74, 55)), parallel_fifths((67, 60), (67, 60))
    (True, True, False)
    """
    fifths = (_interval(before) % _OCTAVE == _FIFTH) & (_interval(after) % _OCTAVE == _FIFTH)
    return fifths & _both_move(before, after)


def parallel_octaves(before: Pair, after: Pair) -> Truth:
    """Whether a unison or octave follows a unison or octave and both voices have moved, in whatever direction.

    >>> parallel_octaves((72, 60), (74, 62)), parallel_octaves((60, 60), (62, 62)), parallel_octaves((72, 60), (67, 55))
    (True, True, True)
    """
    octaves = (_interval(before) % _OCTAVE == 0) & (_interval(after) % _OCTAVE == 0)
    return octaves & _both_move(before, after)


def hidden_fifths(before: Pair, after: Pair) -> Truth:
    """Whether both voices move in the same direction into a perfect fifth from another interval.

    Also called direct fifths (Aldwell and Schachter, ch. 5). A diminished fifth before it counts as another interval.

    >>> hidden_fifths((64, 60), (69, 62))  # E4 over C4 to A4 over D4
    True
    """
    arrives = (_interval(before) % _OCTAVE != _FIFTH) & (_interval(after) % _OCTAVE == _FIFTH)
    return arrives & similar_motion(before, after)


def hidden_octaves(before: Pair, after: Pair) -> Truth:
    """Whether both voices move in the same direction into a unison or octave from another interval.

    >>> hidden_octaves((67, 59), (72, 60))  # G4 over B3 to C5 over C4
    True
    """
    arrives = (_interval(before) % _OCTAVE != 0) & (_interval(after) % _OCTAVE == 0)
    return arrives & similar_motion(before, after)


def crossing(pair: Pair) -> Truth:
    """Whether the upper voice sounds below the lower one.

    >>> crossing((60, 64)), crossing((64, 64))
    (True, False)
    """
    return pair[0] < pair[1]


def overlap(before: Pair, after: Pair) -> Truth:
    """Whether a voice moves past where its neighbour has just been (Huron 2001, the pitch proximity principle).

    >>> overlap((64, 60), (72, 65))  # the lower voice arrives above the E4 that the upper one has left
    True
    """
    return (after[0] < before[1]) | (after[1] > before[0])


def wider_than(pair: Pair, semitones: int = _OCTAVE) -> Truth:
    """Whether the two voices lie more than so many semitones apart.

    >>> wider_than((76, 62)), wider_than((74, 62))
    (True, False)
    """
    return _interval(pair) > semitones


def dissonant(pair: Pair, *, with_bass: bool = True) -> Truth:
    """Whether the interval is a second, a seventh, a tritone or, over the lowest voice, a fourth (Fux).

    >>> dissonant((65, 60)), dissonant((65, 60), with_bass=False), dissonant((64, 60))
    (True, False, False)
    """
    simple = _interval(pair) % _OCTAVE
    clash = _DISSONANT[simple]
    return _plain(clash | (simple == 5) if with_bass else clash)


def is_step(before: Pitches, after: Pitches) -> Truth:
    """Whether a voice moves by one or two semitones.

    >>> is_step(60, 62), is_step(60, 60), is_step(60, 63)
    (True, False, False)
    """
    return (_size(after - before) <= _LARGEST_STEP) & (before != after)


def is_leap(before: Pitches, after: Pitches, largest_step: int = _LARGEST_STEP) -> Truth:
    """Whether a voice moves further than a step.

    >>> is_leap(60, 63), is_leap(60, 62)
    (True, False)
    """
    return _size(after - before) > largest_step


def recovered_leap(first: Pitches, second: Pitches, third: Pitches, largest: int = _FIFTH) -> Truth:
    """Whether a leap beyond ``largest`` semitones, if there is one, is followed by a step back inside it (Fux).

    >>> recovered_leap(60, 69, 67), recovered_leap(60, 69, 71), recovered_leap(60, 64, 67)
    (True, False, True)
    """
    turns = (second - first) * (third - second) < 0
    return (_size(second - first) <= largest) | (turns & is_step(second, third))


def melodic_tritone(before: Pitches, after: Pitches) -> Truth:
    """Whether a voice leaps six semitones.

    >>> melodic_tritone(65, 71)
    True
    """
    return _size(after - before) == _TRITONE


def melodic_seventh(before: Pitches, after: Pitches) -> Truth:
    """Whether a voice leaps a minor or major seventh.

    >>> melodic_seventh(60, 70), melodic_seventh(60, 72)
    (True, False)
    """
    size = _size(after - before)
    return (size == 10) | (size == 11)


def outlines_tritone(first: Pitches, second: Pitches, third: Pitches) -> Truth:
    """Whether two moves in one direction span six semitones.

    >>> outlines_tritone(65, 67, 71), outlines_tritone(65, 71, 65)
    (True, False)
    """
    return melodic_tritone(first, third) & ((second - first) * (third - second) > 0)


def augmented_second(before: Pitches, after: Pitches, key: Key) -> Truth:
    """Whether a voice moves between the flat sixth degree and the leading tone next to it.

    >>> augmented_second(68, 71, Key.parse("C minor")), augmented_second(68, 71, Key.parse("A minor"))
    (True, False)
    """
    tonic = key.tonic.pitch_class
    lower_is_sixth = (np.minimum(before, after) - tonic) % _OCTAVE == 8
    return _plain((_size(after - before) == 3) & lower_is_sixth)


def leading_tone(key: Key) -> int:
    """Return the pitch class a semitone below the tonic, in the scale or raised to it.

    >>> leading_tone(Key.parse("A minor"))  # G sharp
    8
    """
    return (key.tonic.pitch_class - 1) % _OCTAVE


def leading_tone_resolves(before: Pitches, after: Pitches, key: Key) -> Truth:
    """Whether the voice, if it has the leading tone, rises a semitone to the tonic.

    >>> c_major = Key.parse("C")
    >>> leading_tone_resolves(71, 72, c_major), leading_tone_resolves(71, 67, c_major)
    (True, False)
    """
    return (before % _OCTAVE != leading_tone(key)) | (after == before + 1)


def chord_seventh(chord: Chord) -> int | None:
    """Return the pitch class of a chord's seventh; ``None`` if it has none.

    Nine semitones above the root are the seventh of a diminished seventh chord, and else a sixth.

    >>> chord_seventh(Chord.parse("G7")), chord_seventh(Chord.parse("Bdim7")), chord_seventh(Chord.parse("C6"))
    (5, 8, None)
    """
    if chord.root is None:
        return None
    candidates = (10, 11, 9) if {3, 6} <= set(chord.semitones) else (10, 11)
    found = next((s for s in candidates if s in chord.semitones), None)
    return None if found is None else (chord.root.pitch_class + found) % _OCTAVE


def chord_third(chord: Chord) -> int | None:
    """Return the pitch class of a chord's third; ``None`` if it has none.

    >>> chord_third(Chord.parse("G7")), chord_third(Chord.parse("C5"))
    (11, None)
    """
    if chord.root is None:
        return None
    found = next((s for s in (4, 3) if s in chord.semitones), None)
    return None if found is None else (chord.root.pitch_class + found) % _OCTAVE


def seventh_resolves(before: Pitches, after: Pitches, seventh: int) -> Truth:
    """Whether the voice, if it has the seventh, falls a step or holds it (Aldwell and Schachter, ch. 12).

    >>> seventh_resolves(65, 64, 5), seventh_resolves(65, 67, 5), seventh_resolves(67, 72, 5)
    (True, False, True)
    """
    fall = before - after
    return (before % _OCTAVE != seventh) | ((fall >= 0) & (fall <= _LARGEST_STEP))


def suspension(voice: tuple[int, int, int], against: tuple[int, int, int], *, is_upper: bool = True) -> bool:
    """Whether a voice is suspended: prepared as a consonance, held into a dissonance, resolved down by step (Fux).

    Parameters
    ----------
    voice, against
        Pitches at the preparation, the dissonance and the resolution; ``against`` may move at the resolution too.
    is_upper
        Whether ``voice`` is the upper of the two.

    >>> suspension((65, 65, 64), (62, 60, 60))  # 3 - 4 - 3 over the bass D C C
    True
    >>> suspension((65, 65, 67), (62, 60, 60))  # resolved upwards
    False
    """
    prepared, held, resolved = ((v, a) if is_upper else (a, v) for v, a in zip(voice, against, strict=True))
    is_held = voice[0] == voice[1] and against[0] != against[1]
    falls = bool(is_step(voice[1], voice[2])) and voice[2] < voice[1]
    return is_held and falls and bool(not dissonant(prepared) and dissonant(held) and not dissonant(resolved))


def doubled(pair: Pair, pitch_class: int) -> Truth:
    """Whether both voices sound one and the same given pitch class.

    >>> doubled((71, 59), 11), doubled((71, 60), 11)
    (True, False)
    """
    return (pair[0] % _OCTAVE == pitch_class) & (pair[1] % _OCTAVE == pitch_class)
