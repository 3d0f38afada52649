"""What one hears and sees of music: audio and pictures, of scores and of files alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from symgen.errors import RequestError
from symgen.score import Score

if TYPE_CHECKING:
    from symgen.render.audio import Rendered

__all__ = ["plot", "render"]


def render(
    music: Score | str | Path | bytes,
    path: str | Path,
    *,
    soundfont: str | Path | None = None,
    sample_rate: int = 44100,
    bit_depth: str | None = None,
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
    sample_rate
        Frames a second.
    bit_depth
        ``16``, ``24`` or ``float`` for WAV; 16 if left out.
    progress
        Called with the seconds done and their total.

    Returns
    -------
    Rendered
        The samples, and what they were made with.

    Raises
    ------
    RenderError
        If the result is silent.
    MissingDependencyError
        If FluidSynth or a soundfont is missing; the message says how to get it.
    """
    from symgen.io.midi import write_midi
    from symgen.render import audio

    if isinstance(music, str | Path) and Path(music).resolve() == Path(path).resolve():
        msg = f"{path}: output and input are the same file; name another output"
        raise RequestError(msg)
    audio.check_output(path, bit_depth)
    source = write_midi(music) if isinstance(music, Score) else music
    rendered = audio.render(source, soundfont=soundfont, sample_rate=sample_rate, progress=progress)
    audio.write_audio(rendered, path, bit_depth=bit_depth)
    return rendered


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

    score = music if isinstance(music, Score) else io.load(music)
    if not score.n_notes:
        name = "the score" if isinstance(music, Score) else str(music)
        msg = f"{name}: no notes to draw"
        raise RequestError(msg)
    return plot_score(score, path, title=title)
