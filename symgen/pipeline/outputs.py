"""What one hears and sees of music: audio and pictures, of scores and of files alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from symgen.errors import RequestError

if TYPE_CHECKING:
    from symgen.render.audio import Rendered
    from symgen.score import Score

__all__ = ["plot", "render"]


def render(
    music: Score | str | Path | bytes,
    path: str | Path,
    *,
    soundfont: str | Path | None = None,
    soundfont_for: Mapping[str, str | Path] | None = None,
    sample_rate: int = 44100,
    bit_depth: str | None = None,
    normalize: str | None = None,
    loudness: float | None = None,
    ceiling: float | None = None,
    gain: float = 0.0,
    fade_in: float = 0.0,
    fade_out: float = 0.0,
    effects: Sequence[str] = (),
    tail_max: float = 10.0,
    stems: bool = False,
    manifest: bool = False,
    progress: Callable[[float, float], None] | None = None,
) -> Rendered:
    """Render music to an audio file with FluidSynth.

    Parameters
    ----------
    music
        A score, or a MIDI file by its path or bytes.
    path
        Of the audio file; its ending says the format (``.wav``, ``.flac``, ``.ogg``, ``.mp3``).
    soundfont
        A path or name; found where it usually lies if left out.
    soundfont_for
        Other soundfonts for some parts, by the names of their tracks.
    sample_rate
        Frames a second.
    bit_depth
        ``16``, ``24`` or ``float`` for WAV; 16 if left out.
    normalize
        ``peak`` (the loudest sample at -1 dBFS), ``loudness`` or ``none``; ``peak`` if left out.
    loudness
        In LUFS, for ``loudness``: -14 if left out.
    ceiling
        Of the true peak in dBTP, kept by a limiter: -1 where a loudness or a gain above 0 is asked for.
    gain
        Added to the level, in dB.
    fade_in, fade_out
        In seconds.
    effects
        Such as ``highpass 80`` or ``reverb wet=0.3``; see :mod:`symgen.render.effects`.
    tail_max
        How many seconds notes may ring out after the last one has ended.
    stems
        Whether each part is also written alone, as ``NAME-stem1-Bass.wav``.
    manifest
        Whether what it was made from is written beside it, as ``NAME.wav.render.json``.
    progress
        Called with the seconds done and their total.

    Returns
    -------
    Rendered
        The samples, and what they were made with.

    Raises
    ------
    RenderError
        If the result is silent, or a value is out of range.
    MissingDependencyError
        If FluidSynth, a soundfont or the library of effects is missing; the message says how to get it.
    """
    from symgen.pipeline.rendering import Rendering, chosen_finish, render_file

    if isinstance(music, str | Path) and Path(music).resolve() == Path(path).resolve():
        msg = f"{path}: output and input are the same file; name another output"
        raise RequestError(msg)
    finish = chosen_finish(
        normalize=normalize,
        loudness_lufs=loudness,
        ceiling_dbtp=ceiling,
        gain_db=gain,
        fade_in_seconds=fade_in,
        fade_out_seconds=fade_out,
        effects=effects,
    )
    how = Rendering(
        soundfont,
        soundfont_for or {},
        sample_rate,
        bit_depth,
        tail_max_seconds=tail_max,
        finish=finish,
        has_stems=stems,
        has_manifest=manifest,
    )
    return render_file(_midi(music), Path(path), how, progress)[0]


def _midi(music: Score | str | Path | bytes) -> str | Path | bytes:
    if isinstance(music, str | Path | bytes):
        return music
    from symgen.io.midi import write_midi

    return write_midi(music)


def plot(music: Score | str | Path, path: str | Path, *, title: str = "") -> Path:
    """Draw the piano roll of music.

    Parameters
    ----------
    music
        A score, or a file by its path.
    path
        Of the picture; its ending says the format (``.png``, ``.svg``, ``.pdf``).
    title
        Above the picture; the key if left out.
    """
    from symgen import io
    from symgen.render.plot import plot_score
    from symgen.score import Score

    score = music if isinstance(music, Score) else io.load(music)
    if not score.n_notes:
        name = "the score" if isinstance(music, Score) else str(music)
        msg = f"{name}: no notes to draw"
        raise RequestError(msg)
    return plot_score(score, path, title=title)
