"""MIDI files to audio files: the mix, the stems, and a manifest of what they were made from."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgen.errors import RequestError
from symgen.files import write_whole
from symgen.render.encode import FORMATS, check_format, check_output, encoded, write_digested
from symgen.render.finish import Finish

if TYPE_CHECKING:
    from symgen.render.audio import Rendered

__all__ = [
    "NORMALIZE",
    "RenderedFile",
    "Rendering",
    "chosen_finish",
    "places",
    "render_file",
    "render_stream",
    "rendered",
]

NORMALIZE = ("peak", "loudness", "none")
"""What a level is set by."""

_LOUDNESS_LUFS, _PEAK_DBFS = -14.0, -1.0


@dataclass(frozen=True, slots=True)
class Rendering:
    """How files are rendered.

    Parameters
    ----------
    soundfont
        A path or name; the first found if left out.
    soundfont_for
        Others for parts, by name.
    sample_rate
        Frames a second.
    bit_depth
        ``16``, ``24`` or ``float``; 16 if left out.
    reverb, chorus
        Whether FluidSynth's effects are on.
    tail_max_seconds
        How long notes may ring out.
    finish
        Effects, fades and level.
    has_stems
        Whether each part is also written alone, as ``NAME-stem1-Bass.wav``.
    has_manifest
        Whether what it was made from is written beside it, as ``NAME.wav.render.json``.
    """

    soundfont: str | Path | None = None
    soundfont_for: Mapping[str, str | Path] = field(default_factory=dict)
    sample_rate: int = 44100
    bit_depth: str | None = None
    reverb: bool = True
    chorus: bool = True
    tail_max_seconds: float = 10.0
    finish: Finish = field(default_factory=Finish)
    has_stems: bool = False
    has_manifest: bool = False

    def __post_init__(self) -> None:
        if self.has_stems:
            from symgen.render.audio import check_stems

            check_stems(self.finish)


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """What was made of one file, in plain values.

    Parameters
    ----------
    source, file
        The input and the output.
    error
        Why there is no output; else empty.
    seconds, n_notes, peak_dbfs, loudness_lufs
        Of the mix; its loudness only where one was asked for.
    soundfonts
        All that played.
    fluidsynth, library_source
        The version of the library, and where it came from.
    stems, manifest
        Files beside the mix; the manifest is empty where none was asked for.
    warnings
        What was odd.
    """

    source: str
    file: str
    error: str = ""
    seconds: float = 0.0
    n_notes: int = 0
    peak_dbfs: float = 0.0
    loudness_lufs: float | None = None
    soundfonts: tuple[str, ...] = ()
    fluidsynth: str = ""
    library_source: str = "system"
    stems: tuple[str, ...] = ()
    manifest: str = ""
    warnings: tuple[str, ...] = ()


def chosen_finish(
    *,
    normalize: str | None = None,
    loudness_lufs: float | None = None,
    ceiling_dbtp: float | None = None,
    gain_db: float = 0.0,
    fade_in_seconds: float = 0.0,
    fade_out_seconds: float = 0.0,
    effects: Sequence[str] = (),
) -> Finish:
    """Return the finish that a user's words ask for.

    Parameters
    ----------
    normalize
        One of :data:`NORMALIZE`; if left out, loudness where one is given and else peak.
    loudness_lufs, ceiling_dbtp, gain_db, fade_in_seconds, fade_out_seconds
        See :class:`symgen.render.finish.Finish`; -14 LUFS where the loudness is left out.
    effects
        See :mod:`symgen.render.effects`.

    Raises
    ------
    RequestError
        If these contradict each other.
    RenderError
        If a value is out of range.
    """
    from symgen.render.effects import parse_effect

    by = normalize or ("peak" if loudness_lufs is None else "loudness")
    if by not in NORMALIZE:
        msg = f"normalize {by!r}: expected one of {', '.join(NORMALIZE)}"
        raise RequestError(msg)
    if by != "loudness" and loudness_lufs is not None:
        msg = f"normalize {by} with a loudness of {loudness_lufs:g} LUFS: expected one of the two"
        raise RequestError(msg)
    wanted = (_LOUDNESS_LUFS if loudness_lufs is None else loudness_lufs) if by == "loudness" else None
    peak = _PEAK_DBFS if by == "peak" else None
    chain = tuple(parse_effect(text) for text in effects)
    return Finish(peak, wanted, ceiling_dbtp, gain_db, fade_in_seconds, fade_out_seconds, chain)


def places(sources: Sequence[Path], out: Path | None, suffix: str = ".wav") -> list[Path]:
    """Return where the sound of each file goes.

    Parameters
    ----------
    sources
        The files.
    out
        A file for a single one, or a folder; beside each file if left out.
    suffix
        Of the files in a folder.

    Raises
    ------
    RequestError
        If two would go to the same place, or one onto what it is made from.
    RenderError, OutputError
        If a place is none for an audio file.
    """
    if suffix not in FORMATS:
        msg = f"format {suffix.removeprefix('.')!r}: expected one of {', '.join(s[1:] for s in FORMATS)}"
        raise RequestError(msg)
    if out is None:
        found = [source.with_suffix(suffix) for source in sources]
    elif out.is_dir():
        found = [out / source.with_suffix(suffix).name for source in sources]
    elif len(sources) == 1:
        found = [out]
    else:
        msg = f"{out}: {'a file' if out.exists() else 'no such folder'}: expected one for {len(sources)} files"
        raise RequestError(msg)
    inputs, times = {source.resolve() for source in sources}, Counter(found)
    for place, source in zip(found, sources, strict=True):
        if place.resolve() in inputs:
            msg = f"{place}: output and input are the same file; name another output"
            raise RequestError(msg)
        if times[place] > 1:
            msg = f"{source}: another file would go to {place} too; render them into folders of their own"
            raise RequestError(msg)
    return found


def rendered(
    source: str | Path | bytes, how: Rendering, progress: Callable[[float, float], None] | None = None
) -> Rendered:
    """Return the sound of a MIDI file, its path or its bytes."""
    from symgen.render import audio

    return audio.render(
        source,
        soundfont=how.soundfont,
        soundfont_for=how.soundfont_for,
        sample_rate=how.sample_rate,
        reverb=how.reverb,
        chorus=how.chorus,
        tail_max_seconds=how.tail_max_seconds,
        finish=how.finish,
        progress=progress,
    )


def render_file(
    source: str | Path | bytes,
    target: Path,
    how: Rendering,
    progress: Callable[[float, float], None] | None = None,
) -> tuple[Rendered, RenderedFile]:
    """Render a MIDI file, its path or its bytes, to audio files.

    Raises
    ------
    SymgenError
        If it cannot be done; files that were there stay.
    """
    check_output(target, how.bit_depth)
    sound = rendered(source, how, progress)
    digests = {target: write_digested(sound, target, bit_depth=how.bit_depth)}
    parts = {}
    if how.has_stems:
        for number, stem in enumerate(sound.stems(), start=1):
            place = _stem_place(target, number, stem.name)
            digests[place], parts[place] = write_digested(stem, place, bit_depth=how.bit_depth), stem.name
    made = _file_of(sound, source, target, tuple(map(str, parts)), how)
    if how.has_manifest:
        facts = _manifest(sound, made, source, how, digests, parts)
        write_whole(Path(made.manifest), (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode())
    return sound, made


def render_stream(
    source: Path, suffix: str, how: Rendering, progress: Callable[[float, float], None] | None = None
) -> tuple[RenderedFile, Iterator[bytes]]:
    """Render a MIDI file, and return what was made and the bytes of its audio file, piece by piece.

    Parameters
    ----------
    source
        The MIDI file.
    suffix
        Which format: one of :data:`symgen.render.encode.FORMATS`.
    how, progress
        As for :func:`render_file`; without stems and manifest.
    """
    check_format(suffix, how.bit_depth, "standard output")
    sound = rendered(source, how, progress)
    pieces = encoded(sound.samples, sound.sample_rate, suffix, how.bit_depth)
    return _file_of(sound, source, Path("-"), (), how), pieces


def _stem_place(target: Path, number: int, name: str) -> Path:
    words = re.sub(r"[^\w-]+", "_", name).strip("_")[:40]
    return target.with_stem("-".join(filter(None, (target.stem, f"stem{number}", words))))


def _file_of(
    sound: Rendered, source: str | Path | bytes, target: Path, stems: tuple[str, ...], how: Rendering
) -> RenderedFile:
    fonts = tuple(dict.fromkeys(str(font) for _, font in sound.part_fonts))
    return RenderedFile(
        "" if isinstance(source, bytes) else str(source),
        str(target),
        seconds=round(sound.duration_seconds, 3),
        n_notes=sound.n_notes,
        peak_dbfs=round(20 * math.log10(sound.peak), 2),
        loudness_lufs=None if sound.loudness_lufs is None else round(sound.loudness_lufs, 2),
        soundfonts=fonts,
        fluidsynth=sound.library_version,
        library_source=sound.library_source,
        stems=stems,
        manifest=f"{target}.render.json" if how.has_manifest else "",
        warnings=sound.warnings,
    )


def _manifest(
    sound: Rendered,
    made: RenderedFile,
    source: str | Path | bytes,
    how: Rendering,
    digests: Mapping[Path, str],
    parts: Mapping[Path, str],
) -> dict[str, Any]:
    """Return what a render was made from and with; nothing in it depends on where or when."""
    from symgen.render.catalogue import digest_of, known_soundfont

    fonts = {font: digest_of(Path(font)) for font in made.soundfonts}
    finish = asdict(how.finish) | {"effects": [effect.text for effect in how.finish.effects]}
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    return {
        "file": Path(made.file).name,
        "sha256": digests[Path(made.file)],
        "source": Path(made.source).name,
        "source_sha256": hashlib.sha256(data).hexdigest(),
        "symgen": metadata.version("symgen"),
        "fluidsynth": made.fluidsynth,
        "soundfonts": [
            {"file": Path(font).name, "sha256": digest, "licence": known.licence if known else None}
            for font, digest in fonts.items()
            for known in [known_soundfont(digest)]
        ],
        "parts": [{"name": name, "soundfont": font.name} for name, font in sound.part_fonts],
        "settings": {
            "sample_rate": how.sample_rate,
            "bit_depth": how.bit_depth,
            "reverb": how.reverb,
            "chorus": how.chorus,
            "tail_max_seconds": how.tail_max_seconds,
            **finish,
        },
        "seconds": made.seconds,
        "notes": made.n_notes,
        "peak_dbfs": made.peak_dbfs,
        "loudness_lufs": made.loudness_lufs,
        "stems": [{"file": place.name, "part": name, "sha256": digests[place]} for place, name in parts.items()],
        "warnings": list(made.warnings),
    }
