"""``symgen generate`` and ``symgen styles``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symgen.cli.console import tell
from symgen.cli.ensemble import is_ensemble
from symgen.cli.options import BandStyle, Bass, Counter, Drums, Model, Swing, Texture
from symgen.errors import RequestError
from symgen.sliders import read_sliders
from theory.rules import LargestLeap, Range, Rule
from theory.rules.text import parse_rule

if TYPE_CHECKING:
    from symgen.pipeline.ranking import Take

__all__ = ["base_rules", "changed_rules", "generate", "styles"]


def generate(
    key: Annotated[str, typer.Option("--key", "-k", help='Key, such as C, "A minor", Eb:dorian.')] = "C",
    chords: Annotated[
        str | None,
        typer.Option("--chords", "-c", help='Chords, such as "Am F | C G"; composed in the key if left out.'),
    ] = None,
    chord_syntax: Annotated[
        str | None, typer.Option("--chord-syntax", help="lead-sheet, harte, roman, nashville.  [default: found]")
    ] = None,
    chord_style: Annotated[
        str | None,
        typer.Option(
            "--chord-style", help="Whose chords are composed: pop, lead-sheet, jazz, folk, classical, chorale."
        ),
    ] = None,
    modulate: Annotated[
        list[str] | None, typer.Option("--modulate", help="A change of key, such as 'bar 5 to G'; may be repeated.")
    ] = None,
    bars: Annotated[int | None, typer.Option("--bars", "-b", help="Length in bars.  [default: 8]")] = None,
    meter: Annotated[str, typer.Option("--meter", "--time", "-m", help="Metre, such as 3/4, 6/8, 2+2+3/8.")] = "4/4",
    bpm: Annotated[float, typer.Option("--bpm", help="Quarter notes a minute.")] = 110.0,
    style: Annotated[
        str | None, typer.Option("--style", "-s", help="See `symgen styles`.  [default: the first of them]")
    ] = None,
    lock: Annotated[
        list[str] | None,
        typer.Option("--lock", help='A note that must be there, such as "bar 1 beat 1 = C5"; may be repeated.'),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            "--rule", "-r", help="A rule, such as 'leap-recovery 5 in bars 1-4'; may be repeated.  See `symgen rules`."
        ),
    ] = None,
    rules_file: Annotated[Path | None, typer.Option("--rules", help="A file of rules: TOML or Python.")] = None,
    rule_set: Annotated[
        str | None, typer.Option("--rule-set", help="pop, jazz, folk, chorale, strict-counterpoint.")
    ] = None,
    note_range: Annotated[
        str | None, typer.Option("--range", help="Lowest and highest melody note, or an instrument.  [default: C4-A5]")
    ] = None,
    max_leap: Annotated[
        int | None, typer.Option("--max-leap", help="Largest melodic leap in semitones.  [default: 12]")
    ] = None,
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature",
            "-t",
            help="1 is the model's own law, less is more cautious; a gan has no law: it scales its preferences.",
        ),
    ] = 1.0,
    form: Annotated[
        str,
        typer.Option(
            "--form",
            help='Phrases as letters, such as "A A\' B A" or "A8 B4 A8": a letter comes back note for note, a prime '
            "varies it, a cadence closes each; period: bars 5 and 6 of every 8 take up bars 1 and 2; or free.",
        ),
    ] = "period",
    phrase_bars: Annotated[
        int | None,
        typer.Option(
            "--phrase-bars", min=1, help="Bars of a letter of the form.  [default: 4, or their share of --bars]"
        ),
    ] = None,
    slider: Annotated[
        list[str] | None,
        typer.Option(
            "--slider",
            help="More or less of density, syncopation, range, leaps or repetition, -1 to 1, such as density=0.5; "
            "may be repeated.",
        ),
    ] = None,
    decoder: Annotated[
        str, typer.Option("--decoder", help="causal: each note given all before it; chain: exact, and faster.")
    ] = "causal",
    model: Model = "vae",
    to_seed: Annotated[
        int | None,
        typer.Option("--to-seed", help="With --model gan: -n songs on the way from the noise of --seed to this one's."),
    ] = None,
    band: BandStyle = None,
    texture: Texture = None,
    bass: Bass = None,
    drums: Drums = None,
    counter: Counter = False,
    swing: Swing = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Same seed, same file.  [default: random]")] = None,
    n: Annotated[
        int, typer.Option("-n", "--number", help="How many takes: the likeliest is number 1, near-copies are dropped.")
    ] = 1,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="MIDI file.  [default: song-SEED.mid]")] = None,
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="Folder of another model.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Make a song: melody, chords and bass, inside the key and the chords you name; with a band if you ask for one."""
    from symgen.pipeline.request import read_modulation

    asked: dict[str, Any] = {
        "key": key,
        "chords": chords,
        "bars": bars,
        "meter": meter,
        "bpm": bpm,
        "style": style,
        "chord_syntax": chord_syntax,
        "chord_style": chord_style,
        "modulations": [read_modulation(text) for text in modulate or []],
        "rules": base_rules(rules_file, rule_set),
        "changed_rules": changed_rules(rules_file, rule or [], note_range, max_leap),
        "locks": lock or [],
        "temperature": temperature,
        "form": form,
        "checkpoint": checkpoint,
    }
    of_line = {
        "decoder": decoder,
        "sliders": read_sliders(slider or []),
        "phrase_bars": phrase_bars,
        "band": band,
        "texture": texture,
        "bass": bass,
        "drums": drums,
        "counter": counter,
        "swing": swing,
    }
    if is_ensemble(model):
        from symgen.cli.ensemble import played

        takes = played(n, seed, to_seed, asked, of_line)
    else:
        takes = _generated(n, seed, to_seed, asked | of_line)
    names = [_name(out, take, n) for take in takes]
    made = [_save(take, name) for take, name in zip(takes, names, strict=True)]
    if len(made) < n:
        typer.echo(f"symgen generate: {n} takes asked for, {len(made)} made: the others were near-copies", err=True)
    lines = [f"{song['file']}  seed {song['seed']}  {song['key']}  {song['chords']}" for song in made]
    lines = [f"{line}  {'; '.join(take.said)}".rstrip() for line, take in zip(lines, takes, strict=True)]
    tell("\n".join(lines), {"songs": made}, as_json=as_json)


def _generated(n: int, seed: int | None, to_seed: int | None, asked: dict[str, Any]) -> list[Take]:
    from symgen.pipeline.generate import generate_many

    if to_seed is not None:
        msg = f"--to-seed {to_seed}: the noise of another song is for --model gan"
        raise RequestError(msg)
    return generate_many(n, seed=seed, **asked)


def base_rules(path: Path | None, name: str | None) -> list[Rule] | str | None:
    """Return the rules that stand for themselves, or the name of a set; ``None`` for the default ones."""
    from symgen.pipeline.rules import rules_beside

    base = rules_beside(path, name).base
    return [] if base == "" else base


def changed_rules(
    path: Path | None, texts: list[str], note_range: str | None = None, max_leap: int | None = None
) -> list[Rule]:
    """Return the rules that change those."""
    from symgen.pipeline.rules import read_rules, with_changes

    from_file = list(read_rules(path).rules) if path else []
    named: list[Rule] = [] if note_range is None else [Range.parse(note_range)]
    named += [] if max_leap is None else [LargestLeap(max_leap)]
    return with_changes(from_file, [*named, *(parse_rule(text) for text in texts)])


def styles(
    checkpoint: Annotated[Path | None, typer.Option("--checkpoint", help="Folder of another model.")] = None,
    band: Annotated[bool, typer.Option("--band", help="List those of the band, and what its players know.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the styles the model knows, or those of the band."""
    if band:
        from symgen.cli.band import band_styles

        band_styles(as_json=as_json)
        return
    from symgen.pipeline.generate import styles as known_styles

    known = known_styles(checkpoint)
    tell("\n".join(known), {"styles": list(known)}, as_json=as_json)


def _name(out: Path | None, take: Take, n: int) -> Path:
    """Return where a song goes; of several takes the name says the rank."""
    out = Path(f"song-{take.seed}.mid") if out is None else out
    if out.suffix.lower() not in {".mid", ".midi", ".musicxml"}:
        msg = f"output {str(out)!r}: expected a name ending in .mid, .midi or .musicxml"
        raise RequestError(msg)
    return out if n == 1 else out.with_stem(f"{out.stem}-{take.rank}")


def _save(take: Take, path: Path) -> dict[str, Any]:
    score = take.score
    score.save(path)
    recipe: dict[str, Any] = dict(score.recipe)
    recipe |= {name: int(recipe[name]) for name in ("seed", "bars")}
    recipe |= {name: float(recipe[name]) for name in ("bpm", "temperature")}
    measured = {"notes": score.n_notes, "seconds": round(score.duration_seconds, 3)}
    likely = {"rank": take.rank, "log_probability": take.log_probability}
    return {"file": str(path), **recipe, **measured, **likely}
