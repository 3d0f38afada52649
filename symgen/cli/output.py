"""``symgen render`` and ``symgen plot``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symgen.cli.console import progress_bar, tell
from symgen.errors import OutputError, RequestError

if TYPE_CHECKING:
    from symgen.pipeline.rendering import RenderedFile, Rendering

__all__ = ["plot", "render"]

FAILED = 2
_STANDARD_OUTPUT = Path("-")
_LEVEL, _SOUND = "Level", "Sound"


def _option(panel: str, *names: str, words: str) -> Any:
    return typer.Option(*names, help=words, rich_help_panel=panel)


def render(
    sources: Annotated[list[Path], typer.Argument(metavar="IN.mid...", help="MIDI files.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Audio file (.wav, .flac, .ogg, .mp3), a folder that is there, or - for standard output.  "
            "[default: IN.wav]",
        ),
    ] = None,
    kind: Annotated[str, typer.Option("--format", help="wav, flac, ogg or mp3, where --out names no file.")] = "wav",
    soundfont: Annotated[
        str | None,
        _option(
            _SOUND, "--soundfont", words="SF2 or SF3 file, or a name of `symgen soundfont list`.  [default: first]"
        ),
    ] = None,
    soundfont_for: Annotated[
        list[str] | None,
        _option(_SOUND, "--soundfont-for", words="Another one for a track, as 'Bass=FluidR3_GM'; may be repeated."),
    ] = None,
    sample_rate: Annotated[int, typer.Option("--sample-rate", help="Frames a second, 8000 to 96000.")] = 44100,
    bit_depth: Annotated[
        str | None, typer.Option("--bit-depth", help="16, 24 (WAV, FLAC) or float (WAV).  [default: 16]")
    ] = None,
    reverb: Annotated[bool, _option(_SOUND, "--reverb/--no-reverb", words="FluidSynth's reverb.")] = True,
    chorus: Annotated[bool, _option(_SOUND, "--chorus/--no-chorus", words="FluidSynth's chorus.")] = True,
    tail_max: Annotated[
        float, _option(_SOUND, "--tail-max", words="How many seconds notes may ring out at the end, 0 to 60.")
    ] = 10.0,
    effect: Annotated[
        list[str] | None,
        _option(
            _SOUND,
            "--effect",
            words="highpass HZ, lowpass HZ, low-shelf HZ DB, high-shelf HZ DB, bell HZ DB [q], compressor DB [ratio], "
            "reverb [size] [wet]; may be repeated, in that order. Needs symgen[effects].",
        ),
    ] = None,
    normalize: Annotated[
        str | None,
        _option(_LEVEL, "--normalize", words="peak (-1 dBFS), loudness (-14 LUFS) or none.  [default: peak]"),
    ] = None,
    loudness: Annotated[
        float | None, _option(_LEVEL, "--loudness", words="Normalize to this many LUFS, -60 to -5.")
    ] = None,
    ceiling: Annotated[
        float | None,
        _option(
            _LEVEL,
            "--ceiling",
            words="True peak in dBTP that a limiter keeps, -20 to 0.  [default: -1 with --loudness or --gain]",
        ),
    ] = None,
    gain: Annotated[float, _option(_LEVEL, "--gain", words="Add so many dB, -60 to 30.")] = 0.0,
    fade_in: Annotated[float, _option(_LEVEL, "--fade-in", words="Seconds.")] = 0.0,
    fade_out: Annotated[float, _option(_LEVEL, "--fade-out", words="Seconds.")] = 0.0,
    stems: Annotated[
        bool, typer.Option("--stems", help="Also write each part as OUT-stem1-NAME; their sum is the mix.")
    ] = False,
    manifest: Annotated[
        bool, typer.Option("--manifest", help="Also write what it was made from, as OUT.render.json.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Files at once.  [default: as many as there are cores]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Render MIDI files to audio with FluidSynth."""
    from symgen.pipeline.rendering import Rendering, chosen_finish, places

    finish = chosen_finish(
        normalize=normalize,
        loudness_lufs=loudness,
        ceiling_dbtp=ceiling,
        gain_db=gain,
        fade_in_seconds=fade_in,
        fade_out_seconds=fade_out,
        effects=effect or (),
    )
    how = Rendering(
        soundfont,
        dict(_pair(text) for text in soundfont_for or ()),
        sample_rate,
        bit_depth,
        reverb,
        chorus,
        tail_max,
        finish,
        stems,
        manifest,
    )
    suffix = f".{kind.lower().removeprefix('.')}"
    if out == _STANDARD_OUTPUT:
        _to_standard_output(sources, suffix, how)
        return
    targets = places(sources, out, suffix)
    made = _made(list(zip(sources, targets, strict=True)), how, jobs, hidden=as_json)
    _warn(made)
    facts = [_facts(one) for one in made]
    text = "\n".join(_line(one) for one in made if not one.error)
    if text or as_json:
        tell(text, facts[0] if len(facts) == 1 else {"files": facts}, as_json=as_json)
    if any(one.error for one in made):
        raise typer.Exit(FAILED)


def _pair(text: str) -> tuple[str, str]:
    part, equals, soundfont = text.partition("=")
    if not (part.strip() and equals and soundfont.strip()):
        msg = f"soundfont-for {text!r}: expected a part and a soundfont, as 'Bass=FluidR3_GM'"
        raise RequestError(msg)
    return part.strip(), soundfont.strip()


def _made(jobs: Sequence[tuple[Path, Path]], how: Rendering, n: int | None, *, hidden: bool) -> list[RenderedFile]:
    """Render the files, showing how far it is; of a single one every error goes to the caller."""
    with progress_bar(hidden=hidden) as show:
        if len(jobs) == 1:
            from symgen.pipeline.rendering import render_file

            return [render_file(*jobs[0], how, lambda done, total: show("rendering", round(done), round(total)))[1]]
        from symgen.pipeline.render_many import render_files

        return list(render_files(jobs, how, n_processes=n, progress=lambda *part: show("rendering", *part)))


def _to_standard_output(sources: Sequence[Path], suffix: str, how: Rendering) -> None:
    from symgen.pipeline.rendering import render_stream

    if len(sources) > 1 or how.has_stems or how.has_manifest:
        what = f"{len(sources)} files" if len(sources) > 1 else "stems and manifests"
        msg = f"{what} to standard output: expected a folder or a file for --out"
        raise RequestError(msg)
    if sys.stdout.isatty():
        msg = "standard output is a terminal: expected a file or a program, as in `symgen render song.mid -o - | aplay`"
        raise RequestError(msg)
    with progress_bar() as show:
        made, pieces = render_stream(
            sources[0], suffix, how, lambda done, total: show("rendering", round(done), round(total))
        )
    try:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except OSError as error:
        _give_up_standard_output()
        msg = f"standard output: could not be written: {error.strerror or error}"
        raise OutputError(msg) from error
    _warn([made])
    typer.echo(_line(made), err=True)


def _give_up_standard_output() -> None:
    """Let what is left in its buffer go nowhere, or Python would complain of it once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _warn(made: Sequence[RenderedFile]) -> None:
    """Say what was odd and what went wrong; once, that no library of the system plays."""
    of_wheel = next((one for one in made if one.library_source == "wheel"), None)
    if of_wheel is not None:
        typer.echo(
            f"symgen render: FluidSynth {of_wheel.fluidsynth} of the pygame-ce wheel plays: the system has none",
            err=True,
        )
    for one in made:
        for text in one.warnings:
            typer.echo(f"symgen render: {one.source}: {text}", err=True)
        if one.error:
            typer.echo(f"symgen render: {one.error}", err=True)


def _facts(made: RenderedFile) -> dict[str, Any]:
    if made.error:
        return {"file": made.file, "source": made.source, "error": made.error}
    facts = asdict(made)
    del facts["error"]
    return facts | {"notes": facts.pop("n_notes"), "soundfont": made.soundfonts[0]}


def _line(made: RenderedFile) -> str:
    fonts = ", ".join(Path(font).name for font in made.soundfonts)
    level = "" if made.loudness_lufs is None else f"  {made.loudness_lufs:.1f} LUFS"
    stems = f"  {len(made.stems)} stems" if made.stems else ""
    return f"{made.file}  {made.seconds:.1f} s{level}{stems}  {fonts}  FluidSynth {made.fluidsynth}"


def plot(
    source: Annotated[Path, typer.Argument(metavar="IN.mid", help="MIDI or score file.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Picture: .png, .svg, .pdf.  [default: IN.png]")
    ] = None,
    title: Annotated[str, typer.Option("--title", help="Above the picture.  [default: the key]")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Draw the piano roll of a MIDI file."""
    from symgen.pipeline.outputs import plot as plot_file

    target = out or source.with_suffix(".png")
    plot_file(source, target, title=title)
    tell(str(target), {"file": str(target)}, as_json=as_json)
