"""A MIDI file to sound: samples, and files of them.

The file is read in Python (:mod:`symgen.io.smf`), turned into messages
(:mod:`symgen.render.performance`) and played by FluidSynth in blocks of 64 frames
(:mod:`symgen.render.synth`), so the same file, soundfont and library version give the same samples.
Other versions of the library sound a little different by design.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symgen.errors import FileFormatError, RenderError
from symgen.files import check_place, written_beside
from symgen.io.limits import Limits, limits_in_force
from symgen.io.smf import read_smf
from symgen.render.library import load_library
from symgen.render.performance import Message, Performance, perform
from symgen.render.soundfont import find_soundfont
from symgen.render.synth import BLOCK, SAMPLE_RATES, Synth

__all__ = ["FORMATS", "Rendered", "render", "write_audio"]

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3"}
"""The endings of audio files that can be written."""

Progress = Callable[[float, float], None]
"""Called with the seconds rendered so far and the seconds there will be before the tail."""

_SILENCE = 1e-4  # -80 dB
_FAINTEST = 1e-5  # -100 dBFS
_QUIET_SECONDS = 0.25
_FADE_SECONDS = 0.05
_REPORT_BLOCKS = 512  # at most so many in one call, so that progress and Ctrl-C are heard
_TAIL_BLOCKS = 16
_CHUNK_FRAMES = 65536  # libsndfile's Vorbis encoder overflows its stack on long arrays
_LONGEST_WAV = 2**32 - 100
_BIT_DEPTHS = {"16": ".wav .flac", "24": ".wav .flac", "float": ".wav"}


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """Sound, and what it was made with.

    Parameters
    ----------
    samples
        Float32, shape (n_frames, 2): left and right, full scale at 1; read-only.
    sample_rate
        Frames a second.
    soundfont
        The file it was played with.
    library_version
        FluidSynth's.
    n_notes
        Notes played.
    warnings
        What was odd in the file and mended, and what the library complained about.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    soundfont: Path
    library_version: str
    n_notes: int
    warnings: tuple[str, ...] = ()

    @property
    def duration_seconds(self) -> float:
        """How long it lasts, with its tail."""
        return len(self.samples) / self.sample_rate

    @property
    def peak(self) -> float:
        """The largest magnitude of any sample."""
        return _peak(self.samples)


def render(
    source: str | Path | bytes,
    *,
    soundfont: str | Path | None = None,
    sample_rate: int = 44100,
    peak_dbfs: float | None = -1.0,
    reverb: bool = True,
    chorus: bool = True,
    tail_max_seconds: float = 10.0,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Rendered:
    """Render a MIDI file to samples.

    Parameters
    ----------
    source
        A path, or the bytes of the file.
    soundfont
        A path or name; see :func:`symgen.render.soundfont.find_soundfont`.
    sample_rate
        8000 to 96000 frames a second.
    peak_dbfs
        Scale so that the loudest sample has this level, at most 0; ``None`` leaves the level alone.
    reverb, chorus
        Whether FluidSynth's effects are on.
    tail_max_seconds
        How long notes may ring out after the last message. The sound ends where no voice is active and
        250 ms lie 80 dB below the loudest sample; there it fades over 50 ms.
    limits
        What the file may ask for; the default ones if left out.
    progress
        Called now and then; an exception in it stops the render.

    Raises
    ------
    FileFormatError
        If the file or the soundfont is damaged, or the file asks for too much or has no notes.
    MissingDependencyError
        If FluidSynth or a soundfont is missing.
    RenderError
        If the soundfont cannot be loaded, or the result is silent.

    Notes
    -----
    Messages act at the nearest of FluidSynth's blocks of 64 frames, at most 0.8 ms away. The samples are
    held in memory: 20 MB a minute.
    """
    _check_settings(sample_rate, peak_dbfs, tail_max_seconds)
    limits = limits or limits_in_force()
    name = "MIDI bytes" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _read(Path(source), limits)
    performance = perform(read_smf(data, name, limits), name, limits)
    font = find_soundfont(soundfont)
    library = load_library()
    with Synth(library, font, sample_rate, performance, reverb=reverb, chorus=chorus) as synth:
        samples = _play(synth, performance, sample_rate, tail_max_seconds, progress)
        warnings = performance.warnings + synth.warnings()
    _level(samples, peak_dbfs, font)
    samples.setflags(write=False)
    return Rendered(samples, sample_rate, font, library.version, performance.n_notes, warnings)


def write_audio(rendered: Rendered, path: str | Path, *, bit_depth: str | None = None) -> Path:
    """Write a render to a file; its ending says the format.

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
        If the format or the depth is none of these, or the file cannot be written.

    Notes
    -----
    The same samples give the same bytes in every format but OGG, whose encoder draws a serial number.
    """
    path = check_output(path, bit_depth)
    with written_beside(path) as beside:
        if bit_depth == "float":
            _write_float_wav(rendered, beside)
        else:
            _write_soundfile(rendered, beside, path.suffix.lower(), bit_depth or "16")
    return path


def check_output(path: str | Path, bit_depth: str | None = None) -> Path:
    """Return the path, refusing what :func:`write_audio` would refuse, before anything is rendered.

    Raises
    ------
    RenderError
        If there is no such format or depth (the error names those there are), or no folder for the file.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        msg = f"{path}: expected a name that ends in {', '.join(FORMATS)}"
        raise RenderError(msg)
    if bit_depth is not None and suffix not in _BIT_DEPTHS.get(bit_depth, "").split():
        depths = [depth for depth, suffixes in _BIT_DEPTHS.items() if suffix in suffixes.split()]
        msg = f"{path}: bit depth {bit_depth}: expected {' or '.join(depths) or 'none'} for {FORMATS[suffix]}"
        raise RenderError(msg)
    check_place(path)
    return path


def _write_float_wav(rendered: Rendered, path: Path) -> None:
    """Write WAV with a header of our own: libsndfile's carries the time of day."""
    data = rendered.samples.astype("<f4", copy=False)
    n_channels, frame_bytes = data.shape[1], data.shape[1] * 4
    if data.nbytes > _LONGEST_WAV:
        msg = f"{data.nbytes:,} bytes of samples: expected below 4 GiB for WAV; write .flac"
        raise RenderError(msg)
    rate = rendered.sample_rate
    form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 3, n_channels, rate, rate * frame_bytes, frame_bytes, 32, 0)
    fact = struct.pack("<4sII", b"fact", 4, len(data))
    head = form + fact + struct.pack("<4sI", b"data", data.nbytes)
    with path.open("wb") as file:
        file.write(struct.pack("<4sI4s", b"RIFF", 4 + len(head) + data.nbytes, b"WAVE") + head)
        np.ascontiguousarray(data).tofile(file)


def _write_soundfile(rendered: Rendered, path: Path, suffix: str, bit_depth: str) -> None:
    import soundfile

    is_pcm = suffix in _BIT_DEPTHS["16"].split()
    subtype = f"PCM_{bit_depth}" if is_pcm else None
    samples = rendered.samples
    try:
        with soundfile.SoundFile(
            path, "w", rendered.sample_rate, samples.shape[1], subtype=subtype, format=FORMATS[suffix]
        ) as file:
            for start in range(0, len(samples), _CHUNK_FRAMES):
                chunk = samples[start : start + _CHUNK_FRAMES]
                file.write(_to_whole(chunk, int(bit_depth)) if is_pcm else chunk)
    except soundfile.LibsndfileError as error:
        msg = f"{FORMATS[suffix]} at {rendered.sample_rate} frames a second: {error.error_string}"
        raise RenderError(msg) from error


def _to_whole(samples: NDArray[np.float32], bits: int) -> NDArray[np.int16] | NDArray[np.int32]:
    """Return the nearest whole values of a depth, clipped; those of 24 bits lie in the upper bits of 32."""
    top = 2 ** (bits - 1) - 1
    whole: NDArray[np.float64] = np.clip(np.rint(samples.astype(np.float64) * top), -top - 1, top)
    return whole.astype(np.int16) if bits == 16 else (whole * 256).astype(np.int32)


def _check_settings(sample_rate: int, peak_dbfs: float | None, tail_max_seconds: float) -> None:
    low, high = SAMPLE_RATES
    if not low <= sample_rate <= high:
        msg = f"sample rate {sample_rate}: expected {low} to {high} frames a second"
        raise RenderError(msg)
    if peak_dbfs is not None and not -100 <= peak_dbfs <= 0:
        msg = f"peak {peak_dbfs:g} dBFS: expected -100 to 0"
        raise RenderError(msg)
    if not 0 <= tail_max_seconds <= 60:
        msg = f"tail of {tail_max_seconds:g} seconds: expected 0 to 60"
        raise RenderError(msg)


def _read(path: Path, limits: Limits) -> bytes:
    """Return the bytes of a file, refusing what is none (devices never end) and what is too long."""
    if not path.is_file():
        msg = f"{path}: {'not a file' if path.exists() else 'no such file'}: expected a MIDI file"
        raise FileFormatError(msg)
    try:
        with path.open("rb") as file:
            return file.read(limits.n_bytes + 1)
    except OSError as error:
        msg = f"{path}: could not be read ({error.strerror})"
        raise FileFormatError(msg) from error


def _play(
    synth: Synth, performance: Performance, sample_rate: int, tail_max_seconds: float, progress: Progress | None
) -> NDArray[np.float32]:
    """Return what the performance sounds like, with its tail, at the synthesiser's own level."""
    blocks = np.rint(performance.seconds * (sample_rate / BLOCK)).astype(np.int64)
    end = int(blocks[-1]) * BLOCK
    tail_frames = -(-int(tail_max_seconds * sample_rate) // BLOCK) * BLOCK
    samples = np.zeros((end + tail_frames, 2), dtype=np.float32)
    done = 0
    for block, messages in _by_block(blocks, performance.messages):
        for stop in _stops(done, block):
            synth.write(samples, done * BLOCK, stop * BLOCK)
            done = stop
            if progress:
                progress(done * BLOCK / sample_rate, end / sample_rate)
        for message in messages:
            synth.play(message)
    return _trim(samples, _ring_out(synth, samples, end, sample_rate), end, sample_rate)


def _by_block(blocks: NDArray[np.int64], messages: tuple[Message, ...]) -> Iterator[tuple[int, list[Message]]]:
    pairs = zip(blocks.tolist(), messages, strict=True)
    for block, group in groupby(pairs, key=lambda pair: pair[0]):
        yield block, [message for _, message in group]


def _stops(start: int, stop: int) -> Iterator[int]:
    """Cut a run of blocks so that no call is long."""
    yield from range(start + _REPORT_BLOCKS, stop, _REPORT_BLOCKS)
    if stop > start:
        yield stop


def _ring_out(synth: Synth, samples: NDArray[np.float32], end: int, sample_rate: int) -> int:
    """Render the tail; return the frame after it: where all has been quiet for a while, or the last one."""
    threshold = _SILENCE * _peak(samples[:end])
    position = last_loud = end
    while position < len(samples):
        stop = min(position + _TAIL_BLOCKS * BLOCK, len(samples))
        synth.write(samples, position, stop)
        peak = _peak(samples[position:stop])
        threshold = max(threshold, _SILENCE * peak)
        position = stop
        if peak >= threshold or synth.n_voices:
            last_loud = stop
        elif position - last_loud >= _QUIET_SECONDS * sample_rate:
            break
    return position


def _trim(samples: NDArray[np.float32], stop: int, end: int, sample_rate: int) -> NDArray[np.float32]:
    """Cut off the quiet after the last loud frame but for a fade."""
    fade = int(_FADE_SECONDS * sample_rate)
    threshold = _SILENCE * _peak(samples[:stop])
    loud = np.flatnonzero(np.abs(samples[end:stop]).max(axis=1, initial=0.0) >= threshold)
    last = end + (int(loud[-1]) + 1 if len(loud) else 0)
    kept = samples[: min(stop, last + fade)]
    n_faded = min(fade, len(kept))
    kept[len(kept) - n_faded :] *= np.linspace(1, 0, n_faded, dtype=np.float32)[:, None]
    return kept


def _peak(samples: NDArray[np.float32]) -> float:
    return float(max(samples.max(initial=0.0), -samples.min(initial=0.0)))


def _level(samples: NDArray[np.float32], peak_dbfs: float | None, soundfont: Path) -> None:
    """Scale the samples in place; refuse silence."""
    peak = _peak(samples)
    if not np.isfinite(peak):
        msg = f"soundfont {soundfont}: the render is not finite; the soundfont is probably damaged: use another file"
        raise RenderError(msg)
    if peak < _FAINTEST:
        what = f"soundfont {soundfont}: the render is silent though there are notes"
        msg = f"{what}: it has no sound for these programs and keys (or the file's own volume is 0)"
        raise RenderError(msg)
    if peak_dbfs is not None:
        samples *= np.float32(10 ** (peak_dbfs / 20) / peak)
