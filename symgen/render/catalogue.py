"""What a soundfont is: known by its digest, or told by its own INFO and preset list.

References
----------
E-mu Systems, "SoundFont Technical Specification", version 2.04, 2006.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from symgen.errors import FileFormatError
from symgen.render.soundfont import check_soundfont

__all__ = ["KNOWN", "FontFacts", "Known", "describe", "digest_of", "known_soundfont"]


@dataclass(frozen=True, slots=True)
class Known:
    """A soundfont that this table knows: its title, its licence, and where that is written."""

    title: str
    licence: str
    source: str


_TIM = ("GPL-2.0", "Debian package timgm6mb-soundfont, copyright file")
_MUSESCORE = "MIT (parts public domain or CC0)"

KNOWN = {
    "82475b91a76de15cb28a104707d3247ba932e228bada3f47bba63c6b31aaf7a1": Known("TimGM6mb, of pretty_midi", *_TIM),
    "c5378b62028c920cb11e4803327983fee2f2cdff5dc89c708e39da417e51c854": Known("TimGM6mb, of Debian", *_TIM),
    "74594e8f4250680adf590507a306655a299935343583256f3b722c48a1bc1cb0": Known(
        "FluidR3_GM", "MIT", "Debian package fluid-soundfont-gm, copyright file"
    ),
    "aadb5597fb95ea5f7d336999e3c68ad32aa6357027aed7d4d9ff0ac75f2988e6": Known(
        "FluidR3_GS", "MIT", "Debian package fluid-soundfont-gs, copyright file"
    ),
    "916aaca6b0eb9f9083eb42399614acb2ff4ec72ce28dffff1814592a9696b479": Known(
        "MuseScore_General, SF3, small", _MUSESCORE, "Debian package musescore-general-soundfont-small, copyright file"
    ),
    "f9a37b36655f23e167c66ec91bef6097c8e99be29286219a54062919eb41aeae": Known(
        "MuseScore_General, SF3", _MUSESCORE, "Debian package musescore-general-soundfont, copyright file"
    ),
    "59287cbb0f424ec76d1bc269eee40dfe0b02252588d72eb016b5d2382e710a8f": Known(
        "MuseScore_General, SF2", _MUSESCORE, "Debian package musescore-general-soundfont-lossless, copyright file"
    ),
}
"""Soundfonts by the SHA-256 of the file, as Debian 12 and pretty_midi 0.2.11 ship them."""

_PRESET_BYTES, _DRUM_BANK = 38, 128
_LONGEST_TEXT = 65536  # the format's own limit
_MOST_PRESETS = 65536
_MOST_CHUNKS = 200  # a whole file has some 20


@dataclass(frozen=True, slots=True)
class FontFacts:
    """What a soundfont says of itself.

    Parameters
    ----------
    name, version, copyright, author, comment
        As the file has them; empty where it says nothing.
    presets
        Bank, program and name of each, in that order; bank 128 is drum kits.
    """

    name: str
    version: str
    copyright: str
    author: str
    comment: str
    presets: tuple[tuple[int, int, str], ...]

    @property
    def n_drum_kits(self) -> int:
        """How many presets are drum kits."""
        return sum(bank == _DRUM_BANK for bank, _, _ in self.presets)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file of any length.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        msg = f"{path}: could not be read: {error.strerror or error}"
        raise FileFormatError(msg) from error


def known_soundfont(digest: str) -> Known | None:
    """Return what is known of the soundfont with a SHA-256."""
    return KNOWN.get(digest)


def describe(path: Path) -> FontFacts:
    """Return what a soundfont says of itself.

    Raises
    ------
    FileFormatError, MissingDependencyError
        If it is no soundfont, or there is no such file.
    """
    check_soundfont(path)
    texts: dict[bytes, bytes] = {}
    presets: list[tuple[int, int, str]] = []
    with path.open("rb") as file:
        for kind, size in _chunks(file, path):
            if kind == b"phdr":
                presets = _presets(file.read(min(size, _MOST_PRESETS * _PRESET_BYTES)))
            elif size <= _LONGEST_TEXT and kind not in texts:
                texts[kind] = file.read(size)
    version = struct.unpack("<HH", texts[b"ifil"][:4]) if len(texts.get(b"ifil", b"")) >= 4 else ()
    words = {kind: _text(data) for kind, data in texts.items() if kind != b"ifil"}
    return FontFacts(
        words.get(b"INAM", ""),
        ".".join(map(str, version)),
        words.get(b"ICOP", ""),
        words.get(b"IENG", ""),
        words.get(b"ICMT", ""),
        tuple(sorted(presets)),
    )


def _chunks(file: BinaryIO, path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield the kind and size of each chunk inside the lists; the file stands at its start."""
    n_bytes = path.stat().st_size
    place = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        head = file.read(9)
        if head[:1] == b"\0":  # after a part of odd length
            place, head = place + 1, head[1:] + b"\0"
        kind, size = head[:4], int.from_bytes(head[4:8], "little")
        if place + 8 > n_bytes or not kind.isalnum():
            return
        if kind == b"LIST":
            place += 12
            continue
        file.seek(place + 8)
        yield kind, min(size, n_bytes - place - 8)
        place += 8 + size


def _presets(data: bytes) -> list[tuple[int, int, str]]:
    """Return the presets of a list of them, whose last row only ends it."""
    rows = (data[i : i + _PRESET_BYTES] for i in range(0, len(data) - 2 * _PRESET_BYTES + 1, _PRESET_BYTES))
    found = (struct.unpack_from("<20sHH", row) for row in rows)
    return [(bank, program, _text(name)) for name, program, bank in found]


def _text(data: bytes) -> str:
    text = data.partition(b"\0")[0].decode("latin-1")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
