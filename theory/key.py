"""Keys: a spelled tonic and a scale.

>>> Key.parse("A minor"), Key.parse("Am") == Key.parse("a minor")
(Key('A minor'), True)
>>> Key.parse("Eb:dorian").signature
-5
>>> sorted(Key.parse("G").pitch_classes)
[0, 2, 4, 6, 7, 9, 11]
>>> Key.parse("D {0 2 3 7 8}"), Key.parse("C").relative, [str(key) for key in Key.parse("C").neighbours]
(Key('D {0,2,3,7,8}'), Key('A minor'), ['A minor', 'F major', 'D minor', 'G major', 'E minor'])
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from theory.errors import ParseError
from theory.pitch import Spelling, spell
from theory.scale import SCALES, is_scale, scale_named, scale_semitones, signature_fifths

__all__ = ["Key"]

_KEY = re.compile(r"\s*([A-Ga-g](?:##|bb|[#♯b♭]?))\s*[:\s]?\s*(.*?)\s*")
_EXPECTED = "a tonic and a mode, such as C, Am, F# minor, Eb:dorian or D {0,2,3,7,8}"


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A tonic with a scale.

    Parameters
    ----------
    tonic
        The spelled first degree.
    mode
        A name in :data:`theory.scale.SCALES`, or semitones as :func:`theory.scale.scale_named` writes them.
    """

    tonic: Spelling
    mode: str = "major"

    def __post_init__(self) -> None:
        if not is_scale(self.mode):
            raise ParseError("mode", self.mode, f"one of {', '.join(SCALES)}")

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read a key such as ``C``, ``Am``, ``F# minor``, ``Bb major``, ``Eb:dorian`` or ``D {0,2,3,7,8}``.

        A bare lower-case letter is a minor key, as in much of the literature.

        Raises
        ------
        ParseError
            If the tonic or the mode is unknown.
        """
        match = _KEY.fullmatch(text)
        if match is None:
            raise ParseError("key", text, _EXPECTED)
        tonic, mode = match[1], match[2]
        if not mode:
            mode = "minor" if tonic[0].islower() else "major"
        elif mode == "M":
            mode = "major"
        try:
            return cls(Spelling.parse(tonic), scale_named(mode))
        except ParseError as error:
            raise ParseError("key", text, f"{_EXPECTED} ({error.what} {error.token!r} is unknown)") from error

    @classmethod
    def from_signature(cls, sharps: int, mode: str = "major") -> Key:
        """Return the key of a mode whose signature has ``sharps`` sharps (negative for flats)."""
        return cls(Spelling(sharps - signature_fifths(mode)), mode)

    @classmethod
    def from_pitch_class(cls, pitch_class: int, mode: str = "major") -> Key:
        """Return the key on a pitch class, spelled with the fewest sharps or flats."""
        return cls(spell(pitch_class, near=-signature_fifths(mode)), mode)

    @property
    def semitones(self) -> tuple[int, ...]:
        """Semitones of each degree above the tonic."""
        return scale_semitones(self.mode)

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The pitch classes of the scale."""
        return frozenset((self.tonic.pitch_class + s) % 12 for s in self.semitones)

    @property
    def signature(self) -> int:
        """Sharps in the key signature; negative for flats. Symmetric scales have their tonic's."""
        return self.tonic.fifths + signature_fifths(self.mode)

    @property
    def is_minor(self) -> bool:
        """Whether the third above the tonic is minor; the major third of the bebop dorian only passes."""
        return 3 in self.semitones and (4 not in self.semitones or self.mode == "bebop dorian")

    @property
    def relative(self) -> Key:
        """The minor key with the signature of a major-like key, the major key with that of a minor-like one.

        >>> Key.parse("E minor").relative, Key.parse("D dorian").relative
        (Key('G major'), Key('C major'))
        """
        return Key.from_signature(self.signature, "major" if self.is_minor else "minor")

    @property
    def parallel(self) -> Key:
        """The major or minor key on the same tonic.

        >>> Key.parse("E minor").parallel, Key.parse("Bb").parallel
        (Key('E major'), Key('Bb minor'))
        """
        return Key(self.tonic, "major" if self.is_minor else "minor")

    @property
    def dominant(self) -> Key:
        """The key of the same mode a fifth above."""
        return Key(Spelling(self.tonic.fifths + 1), self.mode)

    @property
    def subdominant(self) -> Key:
        """The key of the same mode a fifth below."""
        return Key(Spelling(self.tonic.fifths - 1), self.mode)

    @property
    def neighbours(self) -> tuple[Key, ...]:
        """The closely related keys: the relative, and the keys a fifth below and above with their relatives.

        Their signatures differ by one sharp or flat at most. Keys of other modes than major and minor are
        taken as the major or minor key of their signature.

        >>> [str(key) for key in Key.parse("A minor").neighbours]
        ['C major', 'D minor', 'F major', 'E minor', 'G major']
        """
        home = Key.from_signature(self.signature, "minor" if self.is_minor else "major")
        around = (home, home.subdominant, home.dominant)
        return tuple(key for near in around for key in (near, near.relative) if key != home)

    def distance(self, other: Key) -> int:
        """Return the steps between two keys' signatures on the circle of fifths, 0 to 6, whatever their spelling.

        >>> Key.parse("C").distance(Key.parse("A minor")), Key.parse("F#").distance(Key.parse("Db"))
        (0, 1)
        """
        steps = (self.signature - other.signature) % 12
        return min(steps, 12 - steps)

    def spell(self, pitch_class: int) -> Spelling:
        """Return the usual spelling of a pitch class in this key."""
        return spell(pitch_class, near=self.signature + 2)

    def transposed(self, semitones: int) -> Key:
        """Return this key moved by ``semitones``, spelled with the fewest accidentals."""
        return Key.from_pitch_class((self.tonic.pitch_class + semitones) % 12, self.mode)

    def __str__(self) -> str:
        """Return the name, such as ``A minor``."""
        return f"{self.tonic} {self.mode}"

    def __repr__(self) -> str:
        """Return a short form for debugging."""
        return f"Key({str(self)!r})"
