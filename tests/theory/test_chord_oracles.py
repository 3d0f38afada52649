"""Chord symbols against pychord and music21, and Harte symbols against mir_eval.

A reading is (pitch classes, root, bass). Wherever an oracle reads a symbol, it reads what we read, save
for the differences listed here, each with the reason why ours stands; a difference that is gone fails
too.
"""

from functools import cache
from itertools import product

import pytest
from chord_suffixes import ROOTS, SEMITONES, glues

from theory.chord import Chord
from theory.harte import parse_harte

Reading = tuple[frozenset[int], int | None, int | None]

_SLASH = "it takes the 9 of 6/9 for a bass note"
_INVERSION = "it counts inversions by a number after a slash"
_FLAT_BASS = "it takes the flat of b9 for the bass note B"
_STRAY_ELEVENTH = "its table adds an eleventh that the symbol does not name"
_UNALTERED = "it leaves out the alteration"
_NO_THIRD = "it leaves out the third and the fifth of the triad"
_FIFTH = "it reads a sign and a bare 5 after the root as a power chord on an altered root"
_FLAT_ROOT = "a minus after the root is its sign for a flat root"
_NO_SEVENTH_NAMED = "it implies the seventh of a ninth chord that names none"

DIFFERENCES = {
    "pychord": {"6/9": _SLASH, "m6/9": _SLASH, "7b9b13": _STRAY_ELEVENTH}
    | dict.fromkeys(["7/9", "7/13", "7/6", "m7/11"], _INVERSION),
    # C7+ is a chord with an augmented fifth to music21 and to us; in German and Brazilian books it is a major seventh.
    "music21": dict.fromkeys(["-", "-5", "-6", "-7", "-7b5", "-9", "-11", "-13", "-M7"], _FLAT_ROOT)
    | dict.fromkeys(["11b9", "13b9", "13#9", "13#11", "13b9#11"], _UNALTERED)
    | dict.fromkeys(["2", "4", "69", "69#11"], _NO_THIRD)
    | {"+5": _FIFTH, "ob9": _NO_SEVENTH_NAMED, "7/b9": _FLAT_BASS},
}

_COMMON = ["", "m", "dim", "aug", "sus4", "6", "m6", "7", "maj7", "m7", "m7b5", "dim7", "9", "7b9", "add9", "mM7"]
_NAMED_CHORDS = {"N6", "It+6", "It", "Fr+6", "Fr", "Gr+6", "Ger", "pedal", "power", "tristan", "dom7dim5"}
"""What music21 calls by name: no symbols that stand on lead sheets."""


def ours(symbol: str) -> Reading:
    chord = Chord.parse(symbol)
    assert chord.root is not None
    return chord.pitch_classes, chord.root.pitch_class, chord.bass_pitch_class


def pychord_reads(root: str, suffix: str, bass: str = "") -> Reading | None:
    import pychord

    try:
        chord = pychord.Chord(root + suffix + (f"/{bass}" if bass else ""))
        notes = [note % 12 for note in chord.components(visible=False)]
    except ValueError:
        return None
    return frozenset(notes), pychord.utils.note_to_val(chord.root), notes[0]


def music21_reads(root: str, suffix: str, bass: str = "") -> Reading | None:
    import music21.harmony

    figure = root.replace("b", "-") + suffix + (f"/{bass.replace('b', '-')}" if bass else "")
    try:
        symbol = music21.harmony.ChordSymbol(figure)
    except (ValueError, music21.exceptions21.Music21Exception):
        return None
    return frozenset(symbol.pitchClasses), symbol.root().pitchClass, symbol.bass().pitchClass


@cache
def pychord_suffixes() -> tuple[str, ...]:
    from pychord.constants.qualities import DEFAULT_QUALITIES

    return tuple(name for name, _ in DEFAULT_QUALITIES)


@cache
def music21_suffixes() -> tuple[str, ...]:
    from music21.harmony import CHORD_TYPES

    names = {name for _, spellings in CHORD_TYPES.values() for name in spellings}
    return tuple(sorted(names - _NAMED_CHORDS))


@cache
def readings(oracle: str) -> dict[tuple[str, str, str], Reading]:
    """Return what an oracle reads, by root, suffix and bass, of all we ask it."""
    if oracle == "pychord":
        suffixes = sorted({*SEMITONES, *pychord_suffixes()})
        asked = [*product(ROOTS, suffixes, [""]), *product(["C", "F#", "Bb"], suffixes, ["E", "Ab"])]
        read = pychord_reads
    else:  # slow: every suffix on one root, the common ones on all
        asked = [*product(["C"], sorted({*SEMITONES, *music21_suffixes()}), [""])]
        asked += [*product(ROOTS[1:], _COMMON, [""]), *product(["D"], _COMMON, ["F#", "Bb"])]
        read = music21_reads
    answers = {question: read(*question) for question in asked if not (len(question[0]) == 1 and glues(question[1]))}
    return {question: answer for question, answer in answers.items() if answer is not None}


def symbol_of(question: tuple[str, str, str]) -> str:
    root, suffix, bass = question
    return root + suffix + (f"/{bass}" if bass else "")


@pytest.mark.parametrize("oracle", DIFFERENCES)
def test_an_oracle_reads_what_we_read(oracle: str) -> None:
    found = {}
    for question, theirs in readings(oracle).items():
        if question[1] not in DIFFERENCES[oracle] and ours(symbol_of(question)) != theirs:
            found[symbol_of(question)] = (ours(symbol_of(question)), theirs)
    assert not found


@pytest.mark.parametrize("oracle", DIFFERENCES)
def test_the_differences_are_still_there(oracle: str) -> None:
    differing = {question[1] for question, theirs in readings(oracle).items() if ours(symbol_of(question)) != theirs}
    assert differing == set(DIFFERENCES[oracle])


def test_at_least_two_thousand_symbols_have_been_compared() -> None:
    compared = {symbol_of(question) for oracle in DIFFERENCES for question in readings(oracle)}
    assert len(compared) >= 2000


_SHORTHANDS = (
    *("maj", "min", "dim", "aug", "maj7", "min7", "7", "dim7", "hdim7", "minmaj7", "maj6", "min6", "9", "maj9"),
    *("min9", "sus2", "sus4", "1", "5", "11", "min11", "13", "maj13", "min13"),
)
_DEGREES = ["", "(9)", "(b9)", "(#11)", "(b13)", "(*5)", "(*3)", "(b7,9)", "(*5,#5)", "(11,13)"]
_BASSES = ["", "/3", "/b3", "/5", "/b7", "/7", "/2", "/#4", "/6", "/9"]


def harte_symbols() -> list[str]:
    some = [f"{root}:{name}{bass}" for root, name, bass in product(["C", "F#", "Bb", "Cb"], _SHORTHANDS, _BASSES)]
    some += [f"{root}:{name}{degrees}" for root, name, degrees in product(["D", "Ab"], _SHORTHANDS, _DEGREES)]
    some += [f"{root}:{degrees}" for root, degrees in product(ROOTS, ["(3,5)", "(b3,b5,bb7)", "(1,5,9)"])]
    return [*some, *ROOTS, *(f"{root}/5" for root in ROOTS)]


def test_mir_eval_reads_the_same_harte_symbols() -> None:
    import mir_eval.chord

    for symbol in harte_symbols():
        root, bitmap, bass = mir_eval.chord.encode(symbol, reduce_extended_chords=True)
        chord = parse_harte(symbol)
        assert chord.root is not None
        assert chord.pitch_classes == {(root + above) % 12 for above in range(12) if bitmap[above] > 0}, symbol
        assert (chord.root.pitch_class, chord.bass_pitch_class) == (root, (root + bass) % 12), symbol
        assert Chord.parse(str(chord)) == chord


def test_no_chord_is_no_chord_to_mir_eval() -> None:
    import mir_eval.chord

    root, bitmap, _ = mir_eval.chord.encode("N")
    assert root == -1
    assert not bitmap.any()
    assert parse_harte("N").is_none
    # X, a chord without a name, has every note to mir_eval; we keep no such chord and read N.C.
    assert mir_eval.chord.encode("X")[1].all()
    assert parse_harte("X").is_none
