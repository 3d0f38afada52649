"""``symgen infill``, ``continue``, ``vary``, ``reharmonize``, ``interpolate``, ``transfer``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symgen.cli.console import tell
from symgen.cli.ensemble import is_ensemble, redrawn
from symgen.cli.options import Chords, Drawn, Json, Key, Model, Out, Seed, Syntax, Track
from symgen.cli.song import base_rules, changed_rules
from symgen.errors import RequestError

if TYPE_CHECKING:
    from symgen.pipeline.ranking import Take

__all__ = ["beside", "continue_", "infill", "interpolate", "reharmonize", "save_takes", "transfer", "vary"]

_Source = Annotated[Path, typer.Argument(metavar="IN.mid", help="MIDI or score file.", show_default=False)]
_Style = Annotated[
    str | None, typer.Option("--style", "-s", help="See `symgen styles`.  [default: that of the file, if it says so]")
]
_Rule = Annotated[
    list[str] | None,
    typer.Option("--rule", "-r", help="A rule for the new notes; may be repeated.  See `symgen rules`."),
]
_RulesFile = Annotated[Path | None, typer.Option("--rules", help="A file of rules: TOML or Python.")]
_RuleSet = Annotated[str | None, typer.Option("--rule-set", help="pop, jazz, folk, chorale, strict-counterpoint.")]
_Lock = Annotated[
    list[str] | None,
    typer.Option("--lock", help='A note that must be there, such as "bar 3 beat 1 = C5"; may be repeated.'),
]
_Temperature = Annotated[
    float, typer.Option("--temperature", "-t", help="1 is the model's own law, less is more cautious.")
]
_Decoder = Annotated[
    str, typer.Option("--decoder", help="causal: each note given all before it; chain: exact, and faster.")
]
_Number = Annotated[
    int, typer.Option("-n", "--number", help="How many takes: the likeliest is number 1, near-copies are dropped.")
]
_Checkpoint = Annotated[Path | None, typer.Option("--checkpoint", help="Folder of another model.")]


def infill(
    source: _Source,
    bars: Annotated[str, typer.Option("--bars", "-b", help="The bars that get a new melody, such as 3-4.")],
    track: Track = None,
    key: Key = None,
    chords: Chords = None,
    chord_syntax: Syntax = None,
    style: _Style = None,
    rule: _Rule = None,
    rules_file: _RulesFile = None,
    rule_set: _RuleSet = None,
    lock: _Lock = None,
    temperature: _Temperature = 1.0,
    decoder: _Decoder = "causal",
    model: Model = "vae",
    draw: Drawn = None,
    seed: Seed = None,
    n: _Number = 1,
    out: Out = None,
    checkpoint: _Checkpoint = None,
    as_json: Json = False,
) -> None:
    """Draw a new melody in some bars of a piece; everything else stays as it is."""
    passage = _bars(bars)
    asked = _asked(rule, rules_file, rule_set, lock, temperature)
    if is_ensemble(model):
        of_music = {"track": track, "key": key, "chords": chords, "chord_syntax": chord_syntax, "style": style}
        only = {"decoder": decoder, "lock": asked.pop("locks")}
        of_model = {"tracks": draw or ["Melody"], "bars": passage, "seed": seed, "checkpoint": checkpoint}
        takes = redrawn(source, n, only, **of_music, **of_model, **asked)
        save_takes(takes, n, out or beside(source, "infill"), as_json=as_json)
        return
    from symgen.pipeline.ideas import read_idea
    from symgen.pipeline.takes import infill_many

    if draw:
        msg = "--draw: for --model gan"
        raise RequestError(msg)
    idea = read_idea(
        source, track=track, key=key, chords=chords, chord_syntax=chord_syntax, style=style, checkpoint=checkpoint
    )
    save_takes(
        infill_many(idea, passage, n, seed=seed, decoder=decoder, **asked),
        n,
        out or beside(source, "infill"),
        as_json=as_json,
    )


def continue_(
    source: _Source,
    bars: Annotated[int, typer.Option("--bars", "-b", help="How many bars are added.")] = 8,
    chords: Annotated[
        str | None,
        typer.Option("--chords", "-c", help="Chords of the new bars.  [default: those of the file again, or composed]"),
    ] = None,
    track: Track = None,
    key: Key = None,
    chord_syntax: Syntax = None,
    style: _Style = None,
    rule: _Rule = None,
    rules_file: _RulesFile = None,
    rule_set: _RuleSet = None,
    lock: _Lock = None,
    temperature: _Temperature = 1.0,
    decoder: _Decoder = "causal",
    seed: Seed = None,
    n: _Number = 1,
    out: Out = None,
    checkpoint: _Checkpoint = None,
    as_json: Json = False,
) -> None:
    """Go on after the end of a piece: melody, and the Chords and Bass tracks of our own songs."""
    from symgen.pipeline.ideas import read_idea
    from symgen.pipeline.takes import continue_many

    asked = _asked(rule, rules_file, rule_set, lock, temperature)
    asked |= {"chords": chords, "chord_syntax": chord_syntax}
    idea = read_idea(source, track=track, key=key, style=style, checkpoint=checkpoint)
    save_takes(
        continue_many(idea, bars, n, seed=seed, decoder=decoder, **asked),
        n,
        out or beside(source, "continue"),
        as_json=as_json,
    )


def vary(
    source: _Source,
    amount: Annotated[
        float, typer.Option("--amount", "-a", help="From 0, the melody as it is, to 1, another one over its chords.")
    ] = 0.5,
    track: Track = None,
    key: Key = None,
    chords: Chords = None,
    chord_syntax: Syntax = None,
    style: _Style = None,
    rule: _Rule = None,
    rules_file: _RulesFile = None,
    rule_set: _RuleSet = None,
    lock: _Lock = None,
    temperature: _Temperature = 1.0,
    seed: Seed = None,
    n: _Number = 1,
    out: Out = None,
    checkpoint: _Checkpoint = None,
    as_json: Json = False,
) -> None:
    """Vary the melody of a piece; everything else stays as it is."""
    from symgen.pipeline.ideas import read_idea
    from symgen.pipeline.takes import vary_many

    asked = _asked(rule, rules_file, rule_set, lock, temperature)
    idea = read_idea(
        source, track=track, key=key, chords=chords, chord_syntax=chord_syntax, style=style, checkpoint=checkpoint
    )
    save_takes(vary_many(idea, amount, n, seed=seed, **asked), n, out or beside(source, "vary"), as_json=as_json)


def reharmonize(
    source: _Source,
    chords_style: Annotated[
        str,
        typer.Option(
            "--chords-style", "--chord-style", help="Whose chords: pop, lead-sheet, jazz, folk, classical, chorale."
        ),
    ] = "pop",
    amount: Annotated[
        float, typer.Option("--amount", "-a", help="From 0, the chords as they are, to 1, all of them drawn anew.")
    ] = 1.0,
    keep_cadences: Annotated[
        bool,
        typer.Option("--keep-cadences", help="The last two chords of each 4 bars stay where they make a cadence."),
    ] = False,
    chords_per_bar: Annotated[int, typer.Option("--chords-per-bar", help="At most so many, 1 or 2.")] = 2,
    track: Track = None,
    key: Key = None,
    chords: Chords = None,
    chord_syntax: Syntax = None,
    seed: Seed = None,
    n: _Number = 1,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Put other chords under a melody, which stays as it is: chords as a style has them that fit its notes."""
    from symgen.pipeline.reharmonize import reharmonize_many

    takes = reharmonize_many(
        source,
        n,
        chords_style=chords_style,
        amount=amount,
        keep_cadences=keep_cadences,
        chords_per_bar=chords_per_bar,
        track=track,
        key=key,
        chords=chords,
        chord_syntax=chord_syntax,
        seed=seed,
    )
    save_takes(takes, n, out or beside(source, "reharmonize"), as_json=as_json)


def interpolate(
    first: Annotated[Path, typer.Argument(metavar="A.mid", help="Where it starts.", show_default=False)],
    second: Annotated[Path, typer.Argument(metavar="B.mid", help="Where it ends.", show_default=False)],
    steps: Annotated[int, typer.Option("--steps", help="How many pieces, the ends among them.")] = 7,
    track: Track = None,
    style: _Style = None,
    rule: _Rule = None,
    rules_file: _RulesFile = None,
    rule_set: _RuleSet = None,
    lock: _Lock = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder that is there, or a name to number.  [default: A-to-B]")
    ] = None,
    checkpoint: _Checkpoint = None,
    as_json: Json = False,
) -> None:
    """Go from one melody to another, in the key of the first; the ends are what the model makes of the two."""
    from symgen.pipeline.between import interpolate as between

    stem = Path(f"{first.stem}-to-{second.stem}.mid")
    out = out / stem if out is not None and out.is_dir() else out or stem
    path = out if out.suffix else out.with_name(f"{out.name}.mid")
    names = [_name(path, number, steps) for number in range(1, max(steps, 1) + 1)]
    asked = _asked(rule, rules_file, rule_set, lock, 1.0)
    del asked["temperature"]
    made = between(first, second, steps, track=track, style=style, checkpoint=checkpoint, **asked)
    for name, take in zip(names, made, strict=True):
        take.score.save(name)
    facts = [{"file": str(p), "notes": t.score.n_notes, "said": list(t.said)} for p, t in zip(names, made, strict=True)]
    lines = [f"{name}  {'; '.join(take.said)}" for name, take in zip(names, made, strict=True)]
    tell("\n".join(lines), {"takes": facts}, as_json=as_json)


def transfer(
    rhythm: Annotated[Path, typer.Option("--rhythm", help="Whose rhythm, metre and tempo.", show_default=False)],
    pitches: Annotated[Path, typer.Option("--pitches", help="Whose pitches.", show_default=False)],
    harmony: Annotated[
        Path | None, typer.Option("--harmony", help="Whose keys and chords.  [default: that of the pitches]")
    ] = None,
    track: Track = None,
    style: _Style = None,
    rule: _Rule = None,
    rules_file: _RulesFile = None,
    rule_set: _RuleSet = None,
    lock: _Lock = None,
    out: Out = None,
    checkpoint: _Checkpoint = None,
    as_json: Json = False,
) -> None:
    """Make a melody of the rhythm of one piece, the pitches of another and the harmony of a third."""
    from symgen.pipeline.transfer import transfer as transferred

    asked = _asked(rule, rules_file, rule_set, lock, 1.0)
    del asked["temperature"]
    take = transferred(rhythm, pitches, harmony, track=track, style=style, checkpoint=checkpoint, **asked)
    save_takes([take], 1, out or beside(rhythm, f"with-{pitches.stem}"), as_json=as_json)


def _asked(
    rule: list[str] | None, path: Path | None, name: str | None, lock: list[str] | None, temperature: float
) -> dict[str, Any]:
    """Return what all takes are asked."""
    return {
        "rules": base_rules(path, name),
        "changed_rules": changed_rules(path, rule or []),
        "locks": lock or [],
        "temperature": temperature,
    }


def _bars(text: str) -> tuple[int, int]:
    """Read bars such as ``3-4`` or ``3``."""
    match = re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*", text)
    if match is None:
        msg = f"bars {text!r}: expected one bar or two, such as 3 or 3-4"
        raise RequestError(msg)
    return int(match[1]), int(match[2] or match[1])


def beside(source: Path, what: str) -> Path:
    """Return the name of what is made from a file, where none is given."""
    return source.with_name(f"{source.stem}-{what}.mid")


def save_takes(takes: Sequence[Take], n: int, out: Path, *, as_json: bool) -> None:
    """Save takes of which n were asked for, their ranks in their names, and tell about them."""
    names, made, lines = [_name(out, take.rank, n) for take in takes], [], []
    for path, take in zip(names, takes, strict=True):
        take.score.save(path)
        facts = {"file": str(path), "seed": take.seed, "notes": take.score.n_notes, "said": list(take.said)}
        made.append(facts | {"rank": take.rank, "log_probability": take.log_probability})
        lines.append(f"{path}  seed {take.seed}  {'; '.join(take.said)}".rstrip())
    if len(takes) < n:
        typer.echo(f"symgen: {n} takes asked for, {len(takes)} made: the others were near-copies", err=True)
    tell("\n".join(lines), {"takes": made}, as_json=as_json)


def _name(out: Path, number: int, n: int) -> Path:
    """Return where a take goes; several are numbered."""
    if out.suffix.lower() not in {".mid", ".midi", ".musicxml"}:
        msg = f"output {str(out)!r}: expected a name ending in .mid, .midi or .musicxml"
        raise RequestError(msg)
    return out if n == 1 else out.with_stem(f"{out.stem}-{number}")
