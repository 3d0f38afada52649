"""``symgen accompany``, ``symgen arpeggiate``, and what the band knows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from symgen.cli.console import tell
from symgen.cli.ensemble import redrawn
from symgen.cli.options import (
    Bass,
    Chords,
    Counter,
    Drawn,
    Drums,
    Json,
    Key,
    Out,
    Seed,
    Swing,
    Syntax,
    Texture,
    Track,
)  # fmt: skip
from symgen.cli.takes import beside, save_takes
from symgen.errors import RequestError

__all__ = ["accompany", "arpeggiate", "band_styles"]


def accompany(
    source: Annotated[Path, typer.Argument(metavar="IN.mid", help="MIDI or score file.", show_default=False)],
    style: Annotated[
        str | None,
        typer.Option("--style", "-s", help="Such as pop, jazz, waltz; see `symgen styles --band`.  [default: fitting]"),
    ] = None,
    texture: Texture = None,
    bass: Bass = None,
    drums: Drums = None,
    counter: Counter = False,
    swing: Swing = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the other tracks, which are left out else.")] = False,
    model: Annotated[
        str, typer.Option("--model", help="band: tables and rules; gan: counter-melody, chords and bass by the model.")
    ] = "band",
    draw: Drawn = None,
    temperature: Annotated[
        float, typer.Option("--temperature", "-t", help="With --model gan: scales its preferences; less is cautious.")
    ] = 1.0,
    n: Annotated[int, typer.Option("-n", "--number", help="With --model gan: how many takes.")] = 1,
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="With --model gan: another model.")] = None,
    track: Track = None,
    key: Key = None,
    chords: Chords = None,
    chord_syntax: Syntax = None,
    seed: Seed = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Put a band beside the melody of a piece, which stays as it is: drums, bass, chords and a second line."""
    of_music: dict[str, Any] = {
        "chords": chords,
        "chord_syntax": chord_syntax,
        "key": key,
        "track": track,
        "style": style,
    }
    of_band: dict[str, Any] = {"texture": texture, "bass": bass, "drums": drums, "counter": counter, "swing": swing}
    if model == "gan":
        of_model = {"tracks": draw, "temperature": temperature, "checkpoint": checkpoint, "seed": seed}
        takes = redrawn(source, n, of_band | {"keep": keep or None}, **of_music, **of_model)
    elif model == "band":
        from symgen.pipeline.accompany import accompany as accompanied

        _refuse_of_model(draw=draw, temperature=temperature, n=n, checkpoint=checkpoint)
        takes = [accompanied(source, keep=keep, seed=seed, **of_music, **of_band)]
    else:
        msg = f"model {model!r}: expected band or gan"
        raise RequestError(msg)
    save_takes(takes, n, out or beside(source, "accompany"), as_json=as_json)


def _refuse_of_model(**given: Any) -> None:
    usual = {"draw": None, "temperature": 1.0, "n": 1, "checkpoint": None}
    for name, value in given.items():
        if value != usual[name]:
            msg = f"{'-n' if name == 'n' else '--' + name}: for --model gan"
            raise RequestError(msg)


def arpeggiate(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[IN.mid]", help="MIDI or score file; or chords alone.", show_default=False),
    ] = None,
    texture: Annotated[
        str, typer.Option("--texture", help="How chords are played; see `symgen styles --band`.")
    ] = "arpeggio-updown",
    chords: Annotated[str | None, typer.Option("--chords", "-c", help="Such as 'Am F | C G'.")] = None,
    chord_syntax: Syntax = None,
    key: Annotated[str | None, typer.Option("--key", "-k", help="Key of the chords.")] = None,
    meter: Annotated[str, typer.Option("--meter", "--time", "-m", help="Metre of chords alone.")] = "4/4",
    bpm: Annotated[float, typer.Option("--bpm", help="Quarter notes a minute, of chords alone.")] = 110.0,
    bars: Annotated[int | None, typer.Option("--bars", "-b", help="Of chords alone.  [default: theirs]")] = None,
    program: Annotated[int, typer.Option("--program", help="General MIDI program, 0 to 127.")] = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Play the chords of a piece, or chords alone, in a texture: arpeggios, Alberti basses, strums, comping."""
    from symgen.pipeline.accompany import arpeggiate as arpeggiated

    if source is None and chords is None:
        msg = "expected a file, or --chords"
        raise RequestError(msg)
    asked: dict[str, Any] = {"texture": texture, "chord_syntax": chord_syntax, "key": key, "program": program}
    if source is None:
        asked |= {"meter": meter, "bpm": bpm, "bars": bars}
        take = arpeggiated(chords or "", **asked)
    else:
        take = arpeggiated(source, chords=chords, **asked)
    name = Path("arpeggio.mid") if source is None else beside(source, "arpeggiate")
    save_takes([take], 1, out or name, as_json=as_json)


def band_styles(*, as_json: bool) -> None:
    """Tell the styles of the band, and the names its options know."""
    from symgen.band.bass import BASSES
    from symgen.band.grooves import KITS
    from symgen.band.styles import STYLES
    from symgen.band.textures import TEXTURES

    rows = {
        name: {"texture": s.texture, "bass": s.bass, "drums": s.drums, "swing": str(s.swing or "straight")}
        for name, s in STYLES.items()
    }
    names = {"textures": list(TEXTURES), "basses": list(BASSES), "drums": list(KITS)}
    table = [("style", "texture", "bass", "drums", "swing"), *((name, *row.values()) for name, row in rows.items())]
    lines = ["  ".join(f"{cell or 'none':<15}" for cell in row).rstrip() for row in table]
    lines += ["", *(f"{what}: {', '.join(known)}" for what, known in names.items())]
    tell("\n".join(lines), {"styles": rows, **names}, as_json=as_json)
