"""What people write after the root of a chord, with the semitones it stands for.

One line per meaning: the semitones above the root, then every spelling of it. All of it is read on
every root and compared with the oracles that know it.
"""

_WRITTEN = """
0 4 7           : maj M major ma Maj
0 3 7           : m min mi - minor
0 3 6           : dim o ° mb5 m(b5)
0 4 8           : aug + (#5) +5
0 4 6           : (b5) -5
0 7             : 5 omit3 no3 (no3) (omit3) mno3
0 4             : omit5 no5
0 3             : mno5 m(omit5)
0 2 7           : sus2 5add9
0 5 7           : sus4 sus
0 2 5 7         : sus4add9 sus2sus4 sus24 sus4add2
0 4 7 9         : 6 maj6 M6 add13 add6
0 3 7 9         : m6 min6 -6 mi6
0 4 6 9         : 6b5 6-5
0 2 4 7 9       : 6/9 69 6add9 M69 M6/9 maj69
0 2 3 7 9       : m6/9 m69 min69 m6add9
0 4 7 10        : 7 dom7
0 4 7 11        : maj7 M7 Maj7 ma7 major7 Δ Δ7 △ △7 ^ ^7
0 3 7 10        : m7 min7 mi7 -7 minor7
0 3 7 11        : mmaj7 mMaj7 mM7 m(maj7) minmaj7 min(maj7) mi(maj7) m(M7) -M7 -(maj7) -Δ -Δ7 mΔ7 m#7 m(+7) m/maj7 m/M7
0 3 6 9         : dim7 o7 °7
0 3 6 10        : m7b5 ø ø7 h h7 m7(b5) min7b5 mi7b5 -7b5 -7(b5) m7-5 m7♭5 Ø
0 3 6 11        : dimmaj7 dimM7 oM7 dim(maj7)
0 4 8 10        : aug7 +7 7#5 7+5 7(#5) 7♯5 7+
0 4 8 11        : augmaj7 +M7 maj7+ maj7#5 M7#5 maj7(#5) M7+5 maj7+5
0 4 6 10        : 7b5 7-5 7(b5) 7♭5
0 4 6 11        : maj7b5 M7b5 maj7(b5)
0 3 8 10        : m7#5 m7+5
0 5 7 10        : 7sus4 7sus sus47 7(sus4)
0 2 7 10        : 7sus2 9no3 9omit3
0 5 7 11        : maj7sus4 M7sus4
0 7 10          : 7omit3 7no3
0 4 10          : 7omit5 7no5
0 7 11          : maj7omit3 maj7no3
0 4 11          : maj7no5
0 3 10          : m7no5
0 10            : 7no3no5
0 2 4 7         : add9 (add9) add2 majadd9 Madd9 2
0 2 3 7         : madd9 m(add9) minadd9 madd2 m2
0 1 4 7         : addb9 (addb9)
0 1 3 7         : maddb9
0 3 4 7         : add#9
0 2 3 6         : dimadd9
0 2 4 8         : +add9 augadd9
0 4 5 7         : add11 add4 4 majadd4 Madd4
0 3 5 7         : madd11 madd4 m4
0 4 6 7         : add#11
0 3 7 8         : mb6 m(b6)
0 3 8           : m#5 m(#5)
0 2 4 7 10      : 9 7/9
0 2 4 7 11      : maj9 M9 ma9 Maj9 Δ9 ^9 maj7add9
0 2 3 7 10      : m9 min9 mi9 -9
0 2 3 7 11      : mM9 mMaj9 m(maj9) m9(maj7)
0 2 5 7 10      : 9sus4 9sus
0 2 5 7 11      : maj9sus4
0 2 4 6 10      : 9b5 9-5
0 2 4 8 10      : 9#5 9+5 +9 aug9 9+
0 2 3 6 10      : m9b5 ø9 h9
0 2 3 6 9       : dim9
0 2 4 10        : 9no5
0 1 4 7 10      : 7b9 7/b9 7(b9) 7-9 7♭9
0 3 4 7 10      : 7#9 7(#9) 7+9 7♯9
0 1 3 7 10      : m7b9
0 1 5 7 10      : 7b9sus4 7sus4b9
0 1 4 6 10      : 7b9b5 7b5b9 7(b5,b9)
0 1 3 6 10      : m7b9b5 m7b5b9
0 1 4 8 10      : 7b9#5 7#5b9 +7b9
0 3 4 6 10      : 7#9b5 7b5#9
0 3 4 8 10      : 7#9#5 7#5#9 7(#9,#5) +7#9 aug7#9
0 1 3 4 7 10    : 7b9#9 7#9b9
0 4 6 7 10      : 7#11 7/#11 7(#11) 7+11
0 4 6 7 11      : maj7#11 M7#11 Δ7#11 maj7+11 M7+11
0 1 4 6 7 10    : 7b9#11 7(b9,#11)
0 3 4 6 7 10    : 7#9#11 7(#9)(#11)
0 2 4 6 7 10    : 9#11 9+11
0 2 4 6 7 11    : maj9#11
0 2 4 6 7 9     : 69#11 6/9#11
0 4 7 8 10      : 7b13 7(b13) 7-13
0 3 7 8 10      : m7b13
0 2 4 7 8 10    : 9b13
0 1 4 7 8 10    : 7b9b13 7(b9,b13) 7(b9)(b13)
0 3 4 7 8 10    : 7#9b13
0 1 3 4 6 8 10  : 7alt alt 7(alt)
0 4 5 7 10      : 7add11 7add4
0 3 5 7 10      : m7add11 m7/11 m7(add11) m7add4
0 4 5 7 11      : maj7add11 M7add11
0 3 5 7 11      : mmaj7add11 mM7add11
0 4 7 9 10      : 7add13 7/13 7/6 7add6
0 4 7 9 11      : maj7add13 M7add13
0 3 5 7 9       : m6add11
0 2 4 5 7 10    : 11
0 2 4 5 7 11    : maj11 M11
0 2 3 5 7 10    : m11 min11 -11
0 2 3 5 7 11    : mM11
0 2 3 5 6 10    : ø11
0 1 4 5 7 10    : 11b9
0 2 4 5 7 9 10  : 13
0 2 4 5 7 9 11  : maj13 M13 Maj13 Δ13
0 2 3 5 7 9 10  : m13 min13 -13
0 2 3 5 7 9 11  : mM13
0 2 5 7 9 10    : 13sus4 13sus
0 2 4 5 9 10    : 13no5
0 1 4 5 7 9 10  : 13b9 13-9
0 3 4 5 7 9 10  : 13#9 13+9
0 2 4 6 7 9 10  : 13#11 13+11
0 2 4 6 7 9 11  : maj13#11
0 1 4 6 7 9 10  : 13b9#11
"""


def _read(lines: str) -> dict[str, tuple[int, ...]]:
    meanings: dict[str, tuple[int, ...]] = {"": (0, 4, 7)}
    for line in lines.strip().splitlines():
        numbers, spellings = line.split(":")
        for spelling in spellings.split():
            assert spelling not in meanings, spelling
            meanings[spelling] = tuple(int(number) for number in numbers.split())
    return meanings


SEMITONES = _read(_WRITTEN)
"""Semitones above the root by suffix."""

ROOTS = tuple(letter + sign for letter in "CDEFGAB" for sign in ("", "#", "b"))
"""The roots that people write, and B sharp."""


def glues(suffix: str) -> bool:
    """Whether the suffix starts with a sign that a bare letter before it would take for its own."""
    return suffix[:1] in ("b", "#", "♭", "♯")
