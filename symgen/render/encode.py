"""Samples into audio files: WAV with headers of our own, the other formats by libsndfile.

The same samples give the same bytes in every format. What a library would put in of its own (the time of day in a
float WAV, a random number in an Ogg stream) is left out or made constant.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symgen.errors import RenderError
from symgen.files import check_place, written_beside

if TYPE_CHECKING:
    from symgen.render.audio import Rendered, Stem

__all__ = ["BIT_DEPTHS", "FORMATS", "check_format", "check_output", "encoded", "write_audio", "write_digested"]

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3"}
"""The endings of audio files that can be written."""

BIT_DEPTHS = {"16": ".wav .flac", "24": ".wav .flac", "float": ".wav"}
"""Which formats take a depth."""

_CHUNK_FRAMES = 65536  # libsndfile's Vorbis encoder overflows its stack on long arrays
_LONGEST_WAV = 2**32 - 100
_PCM, _FLOAT = 1, 3  # the codes of the two kinds of WAV


def write_audio(rendered: Rendered | Stem, path: str | Path, *, bit_depth: str | None = None) -> Path:
    """Write a render, or a part of one, to a file; its ending says the format.

    Parameters
    ----------
    rendered
        What to write; samples beyond full scale are clipped, but in ``float``.
    path
        Ending in ``.wav``, ``.flac``, ``.ogg`` (Vorbis) or ``.mp3``.
    bit_depth
        ``16`` (the default) or ``24`` for WAV and FLAC, or ``float`` (32 bits) for WAV.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    RenderError
        If the format or the depth is none of these.
    OutputError
        If the file cannot be written.
    """
    write_digested(rendered, path, bit_depth=bit_depth)
    return Path(path)


def write_digested(rendered: Rendered | Stem, path: str | Path, *, bit_depth: str | None = None) -> str:
    """Write as :func:`write_audio` does; return the SHA-256 of the file."""
    path, digest = check_output(path, bit_depth), hashlib.sha256()
    with written_beside(path) as beside, beside.open("wb") as file:
        for data in encoded(rendered.samples, rendered.sample_rate, path.suffix, bit_depth):
            file.write(data)
            digest.update(data)
    return digest.hexdigest()


def check_output(path: str | Path, bit_depth: str | None = None) -> Path:
    """Return the path, refusing what :func:`write_audio` would refuse, before anything is rendered.

    Raises
    ------
    RenderError
        If there is no such format or depth (the error names those there are).
    OutputError
        If there is no folder for the file.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        msg = f"{path}: expected a name that ends in {', '.join(FORMATS)}"
        raise RenderError(msg)
    check_format(path.suffix.lower(), bit_depth, str(path))
    check_place(path)
    return path


def check_format(suffix: str, bit_depth: str | None, name: str) -> None:
    """Refuse a format that there is not, or a depth that it does not take.

    Raises
    ------
    RenderError
        In the name of what was to be written.
    """
    if suffix not in FORMATS:
        msg = f"{name}: format {suffix[1:]!r}: expected one of {', '.join(other[1:] for other in FORMATS)}"
        raise RenderError(msg)
    if bit_depth is not None and suffix not in BIT_DEPTHS.get(bit_depth, "").split():
        depths = [depth for depth, suffixes in BIT_DEPTHS.items() if suffix in suffixes.split()]
        msg = f"{name}: bit depth {bit_depth}: expected {' or '.join(depths) or 'none'} for {FORMATS[suffix]}"
        raise RenderError(msg)


def encoded(
    samples: NDArray[np.float32], sample_rate: int, suffix: str, bit_depth: str | None = None
) -> Iterator[bytes]:
    """Yield the bytes of an audio file, piece by piece.

    Parameters
    ----------
    samples
        Shape (n_frames, n_channels), full scale at 1.
    sample_rate
        Frames a second.
    suffix
        One of :data:`FORMATS`.
    bit_depth
        As :func:`write_audio` takes it.

    Raises
    ------
    RenderError
        If the format cannot hold so much, or not at that rate.
    """
    suffix = suffix.lower()
    if suffix == ".wav":
        yield from _wav(samples, sample_rate, bit_depth or "16")
    else:
        yield _by_libsndfile(samples, sample_rate, suffix, bit_depth or "16")


def _wav(samples: NDArray[np.float32], rate: int, bit_depth: str) -> Iterator[bytes]:
    bits = 32 if bit_depth == "float" else int(bit_depth)
    n_frames, n_channels = samples.shape
    frame_bytes = n_channels * bits // 8
    n_bytes = n_frames * frame_bytes
    if n_bytes > _LONGEST_WAV:
        msg = f"{n_bytes:,} bytes of samples: expected below 4 GiB for WAV; write .flac"
        raise RenderError(msg)
    shape = (n_channels, rate, rate * frame_bytes, frame_bytes, bits)
    if bit_depth == "float":
        form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, _FLOAT, *shape, 0) + struct.pack("<4sII", b"fact", 4, n_frames)
    else:
        form = struct.pack("<4sIHHIIHH", b"fmt ", 16, _PCM, *shape)
    head = form + struct.pack("<4sI", b"data", n_bytes)
    yield struct.pack("<4sI4s", b"RIFF", 4 + len(head) + n_bytes, b"WAVE") + head
    for chunk in _chunks(samples):
        yield _pcm(chunk, bits) if bit_depth != "float" else chunk.astype("<f4", copy=False).tobytes()


def _pcm(samples: NDArray[np.float32], bits: int) -> bytes:
    whole = _to_whole(samples, bits)
    if bits == 16:
        return whole.astype("<i2", copy=False).tobytes()
    return whole.astype("<i4", copy=False).view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()


def _by_libsndfile(samples: NDArray[np.float32], rate: int, suffix: str, bit_depth: str) -> bytes:
    import soundfile

    is_pcm = suffix in BIT_DEPTHS["16"].split()
    subtype = f"PCM_{bit_depth}" if is_pcm else None
    buffer = io.BytesIO()  # in memory, where no write fails: libsndfile would not say why
    try:
        with soundfile.SoundFile(buffer, "w", rate, samples.shape[1], subtype=subtype, format=FORMATS[suffix]) as file:
            for chunk in _chunks(samples):
                file.write(_to_whole(chunk, int(bit_depth)) if is_pcm else chunk)
    except soundfile.LibsndfileError as error:
        msg = f"{FORMATS[suffix]} at {rate} frames a second: {error.error_string}"
        raise RenderError(msg) from error
    if suffix != ".ogg":
        return buffer.getvalue()
    from symgen.render.ogg import with_serial

    return with_serial(buffer.getvalue(), 0)


def _chunks(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(samples), _CHUNK_FRAMES):
        yield samples[start : start + _CHUNK_FRAMES]


def _to_whole(samples: NDArray[np.float32], bits: int) -> NDArray[np.int16] | NDArray[np.int32]:
    """Return the nearest whole values of a depth, clipped; those of 24 bits lie in the upper bits of 32."""
    top = 2 ** (bits - 1) - 1
    whole: NDArray[np.float64] = np.clip(np.rint(samples.astype(np.float64) * top), -top - 1, top)
    return whole.astype(np.int16) if bits == 16 else (whole * 256).astype(np.int32)
