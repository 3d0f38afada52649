"""Statistics of melodies: how far they reach, how they move, what they repeat, how they sit in the metre.

A melody is a sequence of notes of one voice in order (:class:`theory.rules.LineNote`: first step, the step after
the last, MIDI pitch), none overlapping another; step 0 is a bar line. An *interval* goes from a note to the next,
in semitones, negative downward; rests in between do not part them. Shares are between 0 and 1.

>>> ode = [LineNote(4 * i, 4 * i + 4, p) for i, p in enumerate([64, 64, 65, 67, 67, 65, 64, 62, 60, 60, 62, 64])]
>>> pitch_range(ode), intervals(ode)[:4], round(mean_interval(ode), 2), contour(ode)
(7, [0, 1, 2, 0], 1.27, 'concave')
>>> share_of_steps(ode), share_of_leaps(ode), scale_consistency(ode)
(0.7272727272727273, 0.0, 1.0)
>>> off_beat = [LineNote(0, 4, 60), LineNote(6, 12, 62), LineNote(12, 16, 64)]
>>> syncopation(off_beat[1:2], Meter.parse("4/4").levels(4))  # the eighth after beat 2 is held over beat 3
2.0
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from theory.errors import TheoryError
from theory.meter import Meter
from theory.rules import LineNote
from theory.scale import SCALES

__all__ = [
    "contour",
    "groove_similarity",
    "intervals",
    "mean_interval",
    "melody_statistics",
    "note_density",
    "pitch_class_entropy",
    "pitch_range",
    "repeated_bars",
    "repeated_patterns",
    "rhythm_histogram",
    "rhythm_variability",
    "scale_consistency",
    "share_of_leaps",
    "share_of_repeats",
    "share_of_steps",
    "syncopation",
]

_STEP = 2  # semitones of the largest step
_MAJOR_SCALES = tuple(frozenset((tonic + s) % 12 for s in SCALES["major"]) for tonic in range(12))
_SHAPES = {
    (1, -1): "convex", (-1, 1): "concave", (1, 1): "ascending", (-1, -1): "descending", (0, 0): "horizontal",
    (0, 1): "horizontal-ascending", (0, -1): "horizontal-descending",
    (1, 0): "ascending-horizontal", (-1, 0): "descending-horizontal",
}  # fmt: skip


def pitch_range(notes: Sequence[LineNote]) -> int:
    """Return the semitones from the lowest note to the highest.

    Raises
    ------
    TheoryError
        If there are no notes; so do all functions here, where there are too few notes for what they ask.
    """
    _need(notes, 1, "range")
    pitches = [note.pitch for note in notes]
    return max(pitches) - min(pitches)


def intervals(notes: Sequence[LineNote]) -> list[int]:
    """Return the interval from each note to the next, in semitones."""
    return [after.pitch - before.pitch for before, after in pairwise(notes)]


def mean_interval(notes: Sequence[LineNote]) -> float:
    """Return the mean size of the intervals in semitones, repeated notes with it."""
    _need(notes, 2, "interval")
    return sum(map(abs, intervals(notes))) / (len(notes) - 1)


def share_of_repeats(notes: Sequence[LineNote]) -> float:
    """Return the share of intervals that repeat the note."""
    return _share_of_intervals(notes, 0, 0)


def share_of_steps(notes: Sequence[LineNote]) -> float:
    """Return the share of intervals that are steps: one or two semitones.

    References
    ----------
    Vos and Troost, "Ascending and descending melodic intervals: statistical findings and their perceptual
    relevance", Music Perception 6, 1989: most intervals are small, in every style they counted.
    """
    return _share_of_intervals(notes, 1, _STEP)


def share_of_leaps(notes: Sequence[LineNote], *, larger_than: int = _STEP) -> float:
    """Return the share of intervals larger than so many semitones: 2 counts thirds, 7 what exceeds a fifth."""
    return _share_of_intervals(notes, larger_than + 1, math.inf)


def _share_of_intervals(notes: Sequence[LineNote], smallest: float, largest: float) -> float:
    _need(notes, 2, "interval")
    return sum(smallest <= abs(interval) <= largest for interval in intervals(notes)) / (len(notes) - 1)


def contour(notes: Sequence[LineNote]) -> str:
    """Return the shape of a phrase: from its first pitch to the mean of those between and on to its last.

    Returns
    -------
    str
        ``convex`` (an arch), ``concave``, ``ascending``, ``descending``, ``horizontal``, or a pair such as
        ``horizontal-ascending`` or ``ascending-horizontal``.

    References
    ----------
    Huron, "The melodic arch in Western folksongs", Computing in Musicology 10, 1996. There the mean is of the
    pitches as they are; so it is here, not rounded.
    """
    _need(notes, 3, "contour")
    first, *between, last = (note.pitch for note in notes)
    middle = Fraction(sum(between), len(between))
    return _SHAPES[_sign(middle - first), _sign(last - middle)]


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


def note_density(notes: Sequence[LineNote], n_steps: int) -> float:
    """Return the notes that start in each step of a stretch of ``n_steps`` steps, on average."""
    if n_steps < 1:
        msg = f"a stretch of {n_steps} steps has no density: expected 1 or more"
        raise TheoryError(msg)
    return len(notes) / n_steps


def rhythm_histogram(notes: Sequence[LineNote]) -> dict[int, float]:
    """Return the share of each length in steps, the short ones first.

    Examples
    --------
    >>> rhythm_histogram([LineNote(0, 4, 60), LineNote(4, 6, 62), LineNote(6, 8, 64), LineNote(8, 12, 60)])
    {2: 0.5, 4: 0.5}
    """
    _need(notes, 1, "rhythm")
    counts = Counter(note.end - note.onset for note in notes)
    return {length: counts[length] / len(notes) for length in sorted(counts)}


def rhythm_variability(notes: Sequence[LineNote]) -> float:
    """Return the normalised pairwise variability index: how much the times between onsets differ from next to next.

    Returns
    -------
    float
        0 for even notes, up to 200; long and short in the ratio 3 to 1 make 100. Counted from onset to onset, so
        the last note's length is left out.

    References
    ----------
    Grabe and Low, "Durational variability in speech and the rhythm class hypothesis", Laboratory Phonology 7, 2002;
    of music: Patel and Daniele, "An empirical comparison of rhythm in language and music", Cognition 87, 2003.
    """
    _need(notes, 3, "rhythm variability")
    gaps = [after.onset - before.onset for before, after in pairwise(notes)]
    contrasts = [abs(a - b) / ((a + b) / 2) for a, b in pairwise(gaps)]
    return 100 * sum(contrasts) / len(contrasts)


def syncopation(notes: Sequence[LineNote], levels: NDArray[np.int64] | Sequence[int]) -> float:
    """Return how much the notes are held against the metre, on average for a note.

    A note that lasts, or is followed by silence, over a place stronger than the one it starts on is syncopated by
    the difference of their levels; the others by nothing.

    Parameters
    ----------
    notes
        At least one. A note reaches to the next onset, the last one to its end.
    levels
        The metrical level of each step of a bar, 0 the strongest, as :meth:`theory.meter.Meter.levels` gives.

    References
    ----------
    Longuet-Higgins and Lee, "The rhythmic interpretation of monophonic music", Music Perception 1, 1984; tested on
    listeners by Fitch and Rosenfeld, "Perception and production of syncopated rhythms", Music Perception 25, 2007.
    They sum over a pattern; this is the mean, so that long melodies compare with short ones.
    """
    _need(notes, 1, "syncopation")
    ends = [*(note.onset for note in notes[1:]), notes[-1].end]
    total = 0
    for note, end in zip(notes, ends, strict=True):
        passed = (int(levels[step % len(levels)]) for step in range(note.onset + 1, end))
        own = int(levels[note.onset % len(levels)])
        total += max(0, own - min(passed, default=own))
    return total / len(notes)


def pitch_class_entropy(notes: Sequence[LineNote]) -> float:
    """Return the Shannon entropy of the pitch classes in bits, each note counted once: 0 to log2(12).

    References
    ----------
    Shannon, "A mathematical theory of communication", Bell System Technical Journal 27, 1948.
    """
    _need(notes, 1, "entropy")
    counts = Counter(note.pitch % 12 for note in notes)
    return sum(count / len(notes) * math.log2(len(notes) / count) for count in counts.values())


def scale_consistency(notes: Sequence[LineNote]) -> float:
    """Return the largest share of notes that lie in one major scale, or in the minor one of the same notes.

    References
    ----------
    Mogren, "C-RNN-GAN: continuous recurrent neural networks with adversarial training", 2016.
    """
    _need(notes, 1, "scale")
    return max(sum(note.pitch % 12 in scale for note in notes) for scale in _MAJOR_SCALES) / len(notes)


def repeated_bars(notes: Sequence[LineNote], bar_steps: int, n_bars: int, *, rhythm_only: bool = False) -> float:
    """Return the share of bars, the first left out, that are equal to an earlier one.

    Parameters
    ----------
    notes
        The melody.
    bar_steps
        Steps in a bar.
    n_bars
        Bars in all, at least 2; empty bars are equal to one another.
    rhythm_only
        Whether pitches are left aside.

    Notes
    -----
    Bars are equal if the same steps have the same onsets and the same held notes.
    """
    return _share_repeated(_bars(notes, bar_steps, n_bars, rhythm_only=rhythm_only))


def groove_similarity(notes: Sequence[LineNote], bar_steps: int, n_bars: int) -> float:
    """Return how alike the onsets of neighbouring bars are: the mean share of steps on which they agree.

    References
    ----------
    Wu and Yang, "The Jazz Transformer on the front line", ISMIR 2020; there over all pairs of bars.
    """
    _need_bars(n_bars)
    onsets = {note.onset for note in notes}
    rows = [[bar * bar_steps + step in onsets for step in range(bar_steps)] for bar in range(n_bars)]
    agreed = [sum(a == b for a, b in zip(first, second, strict=True)) / bar_steps for first, second in pairwise(rows)]
    return sum(agreed) / len(agreed)


def repeated_patterns(notes: Sequence[LineNote], *, length: int = 4) -> float:
    """Return the share of runs of ``length`` intervals that occurred before, transposed or not; rhythm aside.

    The first run is left out, since nothing is before it; runs overlap.
    """
    _need(notes, length + 2, f"repeated pattern of {length} intervals")
    moves = intervals(notes)
    return _share_repeated([tuple(moves[i : i + length]) for i in range(len(moves) - length + 1)])


def melody_statistics(notes: Sequence[LineNote], meter: Meter, steps_per_quarter: int) -> dict[str, float]:
    """Return the numbers above by name, for a melody of at least 6 notes that reaches into a second bar.

    Lengths are in quarter notes, and the melody's bars are those that its notes reach into.
    """
    _need(notes, 6, "statistics")
    bar_steps = meter.bar_steps(steps_per_quarter)
    n_bars = -(-notes[-1].end // bar_steps)
    lengths = rhythm_histogram(notes)
    return {
        "range": float(pitch_range(notes)),
        "mean pitch": sum(note.pitch for note in notes) / len(notes),
        "mean interval": mean_interval(notes),
        "repeated notes": share_of_repeats(notes),
        "steps": share_of_steps(notes),
        "leaps": share_of_leaps(notes),
        "notes a quarter": note_density(notes, n_bars * bar_steps) * steps_per_quarter,
        "mean length": sum(length * share for length, share in lengths.items()) / steps_per_quarter,
        "rhythm variability": rhythm_variability(notes),
        "syncopation": syncopation(notes, meter.levels(steps_per_quarter)),
        "pitch-class entropy": pitch_class_entropy(notes),
        "scale consistency": scale_consistency(notes),
        "repeated bars": repeated_bars(notes, bar_steps, n_bars),
        "repeated rhythms": repeated_bars(notes, bar_steps, n_bars, rhythm_only=True),
        "repeated patterns": repeated_patterns(notes),
        "groove similarity": groove_similarity(notes, bar_steps, n_bars),
    }


def _bars(notes: Sequence[LineNote], bar_steps: int, n_bars: int, *, rhythm_only: bool) -> list[Hashable]:
    """Return what each bar holds: step in the bar, whether a note starts or goes on there, and its pitch."""
    _need_bars(n_bars)
    bars: list[list[tuple[int, bool, int]]] = [[] for _ in range(n_bars)]
    for note in notes:
        for step in range(note.onset, min(note.end, n_bars * bar_steps)):
            bar, place = divmod(step, bar_steps)
            bars[bar].append((place, step == note.onset, 0 if rhythm_only else note.pitch))
    return [tuple(bar) for bar in bars]


def _share_repeated(items: Iterable[Hashable]) -> float:
    """Return the share of items, the first left out, that are equal to an earlier one."""
    seen: set[Hashable] = set()
    known = []
    for item in items:
        known.append(item in seen)
        seen.add(item)
    return sum(known[1:]) / (len(known) - 1)


def _need(notes: Sequence[LineNote], count: int, what: str) -> None:
    if len(notes) < count:
        msg = f"a melody of {len(notes)} notes has no {what}: expected {count} or more"
        raise TheoryError(msg)


def _need_bars(n_bars: int) -> None:
    if n_bars < 2:
        msg = f"bars to compare: expected 2 or more, not {n_bars}"
        raise TheoryError(msg)
