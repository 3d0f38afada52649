"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    *("Chords", "Drawn", "Json", "Key", "Model", "Out", "Seed", "Syntax", "Track"),
    *("BandStyle", "Bass", "Counter", "Drums", "Swing", "Texture"),
]

Track = Annotated[
    str | None, typer.Option("--track", help="Which is the melody.  [default: the first one that is no drums]")
]
Key = Annotated[str | None, typer.Option("--key", "-k", help="Its key.  [default: the file's, or found]")]
Chords = Annotated[str | None, typer.Option("--chords", "-c", help="Its chords.  [default: the file's, or found]")]
Syntax = Annotated[
    str | None, typer.Option("--chord-syntax", help="lead-sheet, harte, roman, nashville.  [default: found]")
]
Seed = Annotated[int | None, typer.Option("--seed", help="Same seed, same file.  [default: random]")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="MIDI file.  [default: beside the input]")]
Model = Annotated[
    str, typer.Option("--model", help="vae: the melody's; gan: melody, counter-melody, chords and bass together.")
]
Drawn = Annotated[
    list[str] | None,
    typer.Option("--draw", help="With --model gan: a track that is drawn anew, such as Bass; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")]
BandStyle = Annotated[
    str | None, typer.Option("--band", help="Who accompanies, such as pop, jazz, waltz; see `symgen styles --band`.")
]
Texture = Annotated[
    str | None, typer.Option("--texture", help="How chords are played, such as arpeggio-up, alberti, strum; or none.")
]
Bass = Annotated[
    str | None, typer.Option("--bass", help="Such as held, root-fifth, pump, walking; or none.  [default: the style's]")
]
Drums = Annotated[str | None, typer.Option("--drums", help="The style of the drums; or none.")]
Counter = Annotated[bool, typer.Option("--counter", help="Add a second line beside the melody.")]
Swing = Annotated[str | None, typer.Option("--swing", help="Such as 2:1, '60% 16ths'; or straight.")]
