"""Roman-numeral analysis: the chords of a piece, named in the keys that hold where they stand.

Places are numbered from 0 in any one unit, such as beats: ``chords[i]`` holds at place ``i``, and a key from the
place where it begins until the next one.

>>> chords = [Chord.parse(symbol) for symbol in "C Am F/A D7 G/B D7 G".split()]
>>> keys = [(0, Key.parse("C")), (3, Key.parse("G"))]
>>> analyse(chords, keys)
['I', 'vi', 'IV6', 'V7', 'I6', 'V7', 'I']
>>> print(romantext(chords, keys, 4))
m1 C: I b2 vi b3 IV6 b4 G: V7
m2 I6 b2 V7 b3 I
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from theory.chord import Chord
from theory.errors import TheoryError
from theory.key import Key
from theory.pitch import Spelling
from theory.roman import roman_of

__all__ = ["analyse", "inverted", "romantext"]

_FIFTHS = (0, -5, 2, -3, 4, -1, -6, 1, -4, 3, -2, 5)  # from the root to the usual spelling of each chord tone

KeysByPlace = Sequence[tuple[int, Key]]


def analyse(chords: Sequence[Chord], keys: KeysByPlace) -> list[str]:
    """Return the Roman numeral of each chord in the key that holds there.

    Parameters
    ----------
    chords
        One for each place.
    keys
        Where each key begins and which it is, in order, the first at 0: what
        :func:`theory.profiles.key_segments` gives for windows of one place each.

    Returns
    -------
    list of str
        As :func:`theory.roman.roman_of` prints them: :func:`theory.roman.parse_roman` reads each as an equal chord
        in its key.

    Raises
    ------
    TheoryError
        If the keys are out of order, or none begins at 0.
    """
    return [roman_of(chord, key) for chord, key in zip(chords, _keys_at(keys, len(chords)), strict=True)]


def inverted(chords: Sequence[Chord], basses: Sequence[int]) -> list[Chord]:
    """Return the chords over the basses that sound, where those are notes of the chord.

    Parameters
    ----------
    chords
        One for each place, such as :func:`theory.recognition.recognise_chords` finds; their own basses are dropped.
    basses
        The lowest pitch class of each place, -1 where nothing sounds. A bass foreign to the chord is taken to be a
        passing one and leaves the chord on its root.

    Raises
    ------
    TheoryError
        If there are not as many basses as chords.

    Examples
    --------
    >>> inverted([Chord.parse("C"), Chord.parse("G7"), Chord.parse("C")], [4, 5, 2])
    [Chord('C/E'), Chord('G7/F'), Chord('C')]
    """
    if len(chords) != len(basses):
        msg = f"{len(basses)} basses for {len(chords)} chords: expected as many"
        raise TheoryError(msg)
    return [_over(chord, bass) for chord, bass in zip(chords, basses, strict=True)]


def romantext(chords: Sequence[Chord], keys: KeysByPlace, beats_per_bar: int, *, pickup: int = 0) -> str:
    """Return the analysis in RomanText, a line for each bar in which something changes.

    Parameters
    ----------
    chords
        One for each beat.
    keys
        As in :func:`analyse`, by beats.
    beats_per_bar
        How many beats each bar has.
    pickup
        How many beats stand before the first bar line; their bar has the number 0.

    Raises
    ------
    TheoryError
        As :func:`analyse`, or if there are no beats in a bar, or the pickup is no part of one.

    References
    ----------
    Tymoczko, Gotham, Cuthbert and Ariza, "The RomanText format", ISMIR 2019.
    """
    if not 0 <= pickup < beats_per_bar:
        msg = f"a pickup of {pickup} beats: expected 0 to below the {beats_per_bar} of a bar"
        raise TheoryError(msg)
    held = _keys_at(keys, len(chords))
    lines: dict[int, list[str]] = {}
    for place, (chord, key) in enumerate(zip(chords, held, strict=True)):
        bar, beat = divmod(place + beats_per_bar - pickup, beats_per_bar)
        is_new_key = place == 0 or key != held[place - 1]
        if is_new_key or chord != chords[place - 1]:
            words = [f"b{beat + 1}"] * (beat > 0) + [_key_word(key)] * is_new_key + [roman_of(chord, key)]
            lines.setdefault(bar, []).extend(words)
    return "\n".join(f"m{bar} {' '.join(words)}" for bar, words in lines.items())


def _keys_at(keys: KeysByPlace, n_places: int) -> list[Key]:
    """Return the key of each place."""
    starts = [start for start, _ in keys]
    if starts != sorted(set(starts)) or (n_places and starts[:1] != [0]):
        msg = f"keys that begin at {starts}: expected places in order, the first of them 0"
        raise TheoryError(msg)
    return [keys[bisect_right(starts, place) - 1][1] for place in range(n_places)]


def _over(chord: Chord, bass: int) -> Chord:
    """Return a chord over a bass, spelled as a member of it."""
    if chord.root is None:
        return chord
    upright = replace(chord, bass=None)
    if bass not in upright.pitch_classes:
        return upright
    semitones = (bass - chord.root.pitch_class) % 12
    fifths = _FIFTHS[semitones]
    if semitones == 8 and 7 not in chord.semitones and 4 in chord.semitones:
        fifths = 8  # an augmented fifth, not a minor sixth
    elif semitones == 9 and {3, 6} <= {*chord.semitones}:
        fifths = -9  # a diminished seventh, not a sixth
    return replace(chord, bass=Spelling(chord.root.fifths + fifths))


def _key_word(key: Key) -> str:
    """Return a key as RomanText has it: small letters are minor; other modes go by their third."""
    tonic = str(key.tonic)
    return f"{tonic[0].lower() if key.is_minor else tonic[0]}{tonic[1:]}:"
