"""Keys: a spelled tonic and a scale.

>>> Key.parse("A minor"), Key.parse("Am") == Key.parse("a minor")
(Key('A minor'), True)
>>> Key.parse("Eb:dorian").signature
-5
>>> sorted(Key.parse("G").pitch_classes)
[0, 2, 4, 6, 7, 9, 11]
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from theory.errors import ParseError
from theory.pitch import Spelling, spell
from theory.scale import MODE_FIFTHS, SCALES, scale_named

__all__ = ["Key"]

_KEY = re.compile(r"\s*([A-Ga-g](?:##|bb|[#♯b♭]?))\s*[:\s]?\s*(.*?)\s*")
_EXPECTED = "a tonic and a mode, such as C, Am, F# minor or Eb:dorian"


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A tonic with a scale.

    Parameters
    ----------
    tonic
        The spelled first degree.
    mode
        A name in :data:`theory.scale.SCALES`.
    """

    tonic: Spelling
    mode: str = "major"

    def __post_init__(self) -> None:
        if self.mode not in SCALES:
            raise ParseError("mode", self.mode, f"one of {', '.join(SCALES)}")

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read a key such as ``C``, ``Am``, ``F# minor``, ``Bb major`` or ``Eb:dorian``.

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
        return cls(Spelling(sharps - MODE_FIFTHS[mode]), mode)

    @classmethod
    def from_pitch_class(cls, pitch_class: int, mode: str = "major") -> Key:
        """Return the key on a pitch class, spelled with the fewest sharps or flats."""
        return cls(spell(pitch_class, near=-MODE_FIFTHS.get(mode, 0)), mode)

    @property
    def semitones(self) -> tuple[int, ...]:
        """Semitones of each degree above the tonic."""
        return SCALES[self.mode]

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The pitch classes of the scale."""
        return frozenset((self.tonic.pitch_class + s) % 12 for s in self.semitones)

    @property
    def signature(self) -> int:
        """Sharps in the key signature; negative for flats. Symmetric scales have their tonic's."""
        return self.tonic.fifths + MODE_FIFTHS.get(self.mode, 0)

    @property
    def is_minor(self) -> bool:
        """Whether the third above the tonic is minor."""
        return 3 in self.semitones and 4 not in self.semitones

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
