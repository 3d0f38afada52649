"""The scale that goes with a chord in a key, and the notes of it to avoid.

A chord that names its scale has it. A chord of the key has the key's scale; in minor the raised seventh and
sixth degree belong to the key as well. Any other chord has the usual scale of its quality: of those in the row
of its third, fifth and seventh that hold all its notes, the one with the fewest notes foreign to the key.

>>> C = Key.parse("C")
>>> [named_scale(Chord.parse(symbol), C) for symbol in "Dm7 Bb7 A7 E7 Db7 F#dim7 Abmaj7 G7alt Dm7[phrygian]".split()]
... # doctest: +NORMALIZE_WHITESPACE
['D dorian', 'Bb lydian dominant', 'A mixolydian b6', 'E phrygian dominant', 'Db lydian dominant',
 'F# octatonic', 'Ab lydian', 'G altered', 'D phrygian']
>>> sorted(avoid_notes(Chord.parse("Cmaj7"), C)), sorted(avoid_notes(Chord.parse("Em7"), C))
([5], [0, 5])

References
----------
Nettles and Graf, "The Chord Scale Theory and Jazz Harmony", 1997; Levine, "The Jazz Theory Book", 1995, ch. 3.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType

from theory.chord import Chord
from theory.key import Key
from theory.pitch import Spelling
from theory.scale import SCALES, scale_semitones

__all__ = ["avoid_notes", "chord_scale", "named_scale"]

_USUAL = MappingProxyType(
    {
        "dominant": ("mixolydian", "lydian dominant", "mixolydian b6", "phrygian dominant", "half whole", "altered"),
        "augmented dominant": ("whole tone", "altered"),
        "augmented": ("whole tone",),
        "augmented major": ("lydian augmented",),
        "major": ("major", "lydian", "harmonic major", "lydian augmented"),
        "half diminished": ("locrian", "locrian #2"),
        "diminished": ("octatonic", "locrian", "altered diminished"),
        "minor major": ("melodic minor", "harmonic minor", "hungarian minor"),
        "minor": ("dorian", "minor", "phrygian", "melodic minor"),
        "suspended": ("mixolydian", "dorian", "major", "minor", "lydian", "phrygian", "locrian"),
    }
)
"""The scales that go with each kind of chord, the more usual first."""


@lru_cache(maxsize=1 << 12)
def chord_scale(chord: Chord, key: Key) -> frozenset[int]:
    """Return the pitch classes of the scale that goes with a chord in a key.

    Parameters
    ----------
    chord
        If it names a scale, that is the answer, whether it holds the chord's notes or not.
    key
        The key around it.

    Returns
    -------
    frozenset[int]
        Pitch classes, 0 to 11. Without a name they hold those of the chord. Where no chord sounds they are the key's.

    Examples
    --------
    >>> sorted(chord_scale(Chord.parse("Dm7[dorian]"), Key.parse("Bb")))
    [0, 2, 4, 5, 7, 9, 11]
    >>> sorted(chord_scale(Chord.parse("E7"), Key.parse("A minor")))  # the raised leading tone, not the G of the key
    [0, 2, 4, 5, 8, 9, 11]
    """
    if chord.root is None:
        return key.pitch_classes
    if chord.scale is not None:
        return _on(chord.root, chord.scale)
    for scale in _scales_of(key):
        if chord.pitch_classes <= scale:
            return scale
    return _adapted(_on(chord.root, _usual(chord, key)), chord.pitch_classes, chord.root)


def named_scale(chord: Chord, key: Key) -> str:
    """Return the name of :func:`chord_scale` on the chord's root, or its semitones where it has none.

    The root counts as a note of the scale here, even where the chord leaves it out.

    >>> named_scale(Chord.parse("G7"), Key.parse("C")), named_scale(Chord.parse("C7#9#11"), Key.parse("F"))
    ('G mixolydian', 'C half whole')
    """
    tonic = chord.root or key.tonic
    above = sorted({(note - tonic.pitch_class) % 12 for note in chord_scale(chord, key)} | {0})
    name = next((name for name, row in SCALES.items() if row == tuple(above)), None)
    return f"{tonic} {name or '{' + ','.join(map(str, above)) + '}'}"


def avoid_notes(chord: Chord, key: Key) -> frozenset[int]:
    """Return the notes of a chord's scale that clash with the chord when they are held.

    These are the notes a semitone above a note of the chord, for the minor ninth between the two hides the note
    below. The chords that dissonance belongs to are excepted: on a dominant seventh only the note above its third is
    avoided (its b9 and b13 are tensions), and on a suspended one none.

    Returns
    -------
    frozenset[int]
        Pitch classes of :func:`chord_scale`, none of the chord; empty where no chord sounds.

    Notes
    -----
    Whether the sixth of a dorian chord is avoided, for it makes the tritone of the dominant to come, is disputed
    between the references; it is allowed here, as Levine has it.

    References
    ----------
    Nettles and Graf 1997, ch. 2, for the rule and the dominants; Levine 1995, ch. 3, for suspended chords.

    Examples
    --------
    >>> [sorted(avoid_notes(Chord.parse(symbol), Key.parse("C"))) for symbol in ("Dm7", "G7", "G7sus4", "Fmaj7")]
    [[], [0], [], []]
    """
    if chord.root is None:
        return frozenset()
    members = chord.pitch_classes
    hidden = {(chord.root.pitch_class + above) % 12 for above in _hidden(set(chord.semitones))}
    if chord.bass is not None:
        hidden.add(chord.bass.pitch_class)
    return frozenset(note for note in chord_scale(chord, key) - members if (note - 1) % 12 in members & hidden)


def _hidden(semitones: set[int]) -> set[int]:
    """Return the members of a chord that a note a semitone above them would hide."""
    kind = _kind(semitones)
    if 10 in semitones and kind in {"dominant", "augmented dominant", "suspended"}:
        return {4} & semitones
    return semitones


def _on(root: Spelling, scale: str) -> frozenset[int]:
    return frozenset((root.pitch_class + above) % 12 for above in scale_semitones(scale))


def _scales_of(key: Key) -> list[frozenset[int]]:
    """Return the scale of a key and, in minor, its harmonic and its melodic form."""
    forms = ("harmonic minor", "melodic minor") if key.mode in {"minor", "harmonic minor", "melodic minor"} else ()
    return [key.pitch_classes, *(_on(key.tonic, form) for form in forms)]


def _kind(semitones: set[int]) -> str:
    """Return the row of the usual scales for the semitones above a root."""
    if 4 in semitones:
        fifth = "augmented" if 8 in semitones and 7 not in semitones else ""
        seventh = "dominant" if 10 in semitones else "major" if 11 in semitones else ""
        return f"{fifth} {seventh}".strip() or "major"
    if 3 not in semitones:
        return "suspended"
    if 6 in semitones and 7 not in semitones:
        return "half diminished" if 10 in semitones else "diminished"
    return "minor major" if 11 in semitones else "minor"


def _usual(chord: Chord, key: Key) -> str:
    """Return the scale of a chord's kind that holds most of the chord, and of these the one nearest to the key.

    A dominant whose root is foreign to the key, as a tritone substitute's is, resolves by a semitone: of its scales
    only the two most usual compete.
    """
    assert chord.root is not None
    root, kind = chord.root, _kind(set(chord.semitones))
    missing = {name: len(chord.pitch_classes - _on(root, name)) for name in _USUAL[kind]}
    fitting = [name for name in _USUAL[kind] if missing[name] == min(missing.values())]
    if kind == "dominant" and root.pitch_class not in key.pitch_classes:
        fitting = fitting[:2]
    return min(fitting, key=lambda name: len(_on(root, name) - key.pitch_classes))


def _adapted(scale: frozenset[int], members: frozenset[int], root: Spelling) -> frozenset[int]:
    """Put the chord's notes into a scale, each in place of a neighbour that is none of them."""
    notes = set(scale)
    for missing in sorted(members - scale, key=lambda note: (note - root.pitch_class) % 12):
        neighbours = [note for step in (1, -1) if (note := (missing + step) % 12) in notes - members]
        notes -= set(neighbours[:1])
        notes.add(missing)
    return frozenset(notes)
