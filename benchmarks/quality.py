"""Generated lead sheets beside held-out melodies: ``python -m benchmarks.quality [--number 1000] [--write]``.

Each generated song takes the style, metre and key of a held-out piece, in turn, and is as long as the excerpts that are
compared. Sources stand side by side: every checkpoint with every decoder asked for, folders of songs that something
else made (``--requests`` writes down what to ask it for), and as what can be had at best the training pieces
themselves. The reference are the validation and test pieces of the corpora of the shipped model.

``--random-rules`` adds random rules to every request, of any kind and composed in any way, and counts violations.
``--write`` puts the summary and the tables into ``docs/models.md``, between the markers of this script.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import symgen
from benchmarks.guarantee import random_rule
from symgen.corpus.shards import Piece
from symgen.errors import InfeasibleError, RequestError, SymgenError
from symgen.evaluate.excerpt import first_bars, only_track
from symgen.files import write_whole
from symgen.pipeline.evaluate import Evaluation, Settings, Table, evaluate, load_folder
from symgen.pipeline.training import SHIPPED_CORPORA, load_pieces
from symgen.score import Score
from theory.errors import TheoryError
from theory.rules import Rule

DOCUMENT = Path(__file__).parent.parent / "docs" / "models.md"
_BEGIN, _END = "<!-- made by benchmarks.quality: begin -->", "<!-- made by benchmarks.quality: end -->"

_SUMMARY = (
    ("Sets of melodies", "mean", "overlapping area", "overlapping area, mean of nine features"),
    ("Sets of melodies", "mean", "KL (nats)", "KL in nats, mean of nine features"),
    ("Neighbours in feature space", "precision", "generated", "precision"),
    ("Neighbours in feature space", "recall", "generated", "recall"),
    ("Neighbours in feature space", "density", "generated", "density"),
    ("Neighbours in feature space", "coverage", "generated", "coverage"),
    ("Form", "bars repeated", "generated", "bars repeated"),
    ("Form", "rhythms repeated", "generated", "rhythms repeated"),
    ("Real or generated", "features, linear", "right", "told from real, linear"),
    ("Real or generated", "features, one hidden layer", "right", "told from real, one hidden layer"),
    ("Real or generated", "piano roll, convolutions", "right", "told from real, convolutions"),
    ("Copies", "longest shared run, median", "generated", "longest run shared with a training piece, median"),
    ("Copies", "longest shared run, longest", "generated", "longest run of all"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    pieces = load_pieces(options.corpora)
    chosen = [piece for piece in pieces if options.style in ("", piece.style)]
    held_out = [p for p in chosen if p.split != "train" and excerpt_of(p.score, options.bars) is not None]
    train = [piece.score for piece in pieces if piece.split == "train"]
    if options.requests:
        write_requests(options.requests, options, held_out)
        return 0
    settings = Settings(n_bars=options.bars, n_epochs=options.epochs, seed=options.seed)
    found = {}
    for name, make in sources(options, chosen, held_out).items():
        begun = time.perf_counter()
        # The training pieces stand in for what can be had; their runs shared with themselves would say nothing.
        heard = train if make is not _TRAINING else ()
        made = list(make(options, chosen, held_out))
        found[name] = evaluate(made, [p.score for p in held_out], settings, train=heard)
        print(f"{name}: {len(made)} pieces, {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    text = report(found, options)
    print(text)
    if options.json:
        facts = {name: evaluation.facts() for name, evaluation in found.items()}
        write_whole(options.json, json.dumps(facts, ensure_ascii=False, indent=1).encode())
    if options.write:
        write_between(DOCUMENT, text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--number", type=int, default=1000, help="songs from each source (default: 1000)")
    parser.add_argument("--bars", type=int, default=8, help="length of what is compared (default: 8)")
    parser.add_argument("--style", default="", help="only pieces of this style (default: all)")
    parser.add_argument("--checkpoint", action="append", help="folder or name; repeatable (default: the bundled one)")
    parser.add_argument("--decoder", action="append", help="causal or chain; repeatable (default: the usual one)")
    parser.add_argument("--folder", type=Path, action="append", help="of songs that something else made; repeatable")
    parser.add_argument("--requests", type=Path, help="write the requests into this file, and do nothing else")
    parser.add_argument("--random-rules", action="store_true", help="one to four random rules more for each song")
    parser.add_argument("--form", action="append", help="as for generate; several go in turn (default: period)")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--no-rules", action="store_true", help="the bare model, without any rule")
    parser.add_argument("--corpora", nargs="+", default=list(SHIPPED_CORPORA), help="names or folders")
    parser.add_argument("--epochs", type=int, default=20, help="of the convolutional classifier; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--write", action="store_true", help=f"write into {DOCUMENT.parent.name}/{DOCUMENT.name}")
    return parser


_Make = Callable[[argparse.Namespace, Sequence[Piece], Sequence[Piece]], Iterator[Score]]


def sources(options: argparse.Namespace, chosen: Sequence[Piece], held_out: Sequence[Piece]) -> dict[str, _Make]:
    """Return by name what makes the pieces of each column."""
    found: dict[str, _Make] = {}
    for checkpoint in options.checkpoint or [None]:
        for decoder in options.decoder or [None]:
            words = [checkpoint and Path(checkpoint).name, decoder, "without rules" if options.no_rules else None]
            name = ", ".join(str(word) for word in words if word) or "bundled model"
            found[name] = _generator(checkpoint, decoder)
    found |= {f"{path.name}/": _folder(path) for path in options.folder or []}
    found["training pieces"] = _TRAINING
    return found


def _generator(checkpoint: str | None, decoder: str | None) -> _Make:
    def make(options: argparse.Namespace, chosen: Sequence[Piece], held_out: Sequence[Piece]) -> Iterator[Score]:
        order = np.random.default_rng(options.seed).permutation(len(held_out))
        named: dict[str, Any] = {
            "checkpoint": checkpoint,
            "decoder": decoder,
            "rules": [] if options.no_rules else None,
        }
        asked = {name: value for name, value in named.items() if value is not None}
        n_refused, n_broken = 0, 0
        for number in range(options.number):
            like = held_out[order[number % len(order)]]
            request = request_like(like, options, seed=options.seed + number) | asked
            try:
                if options.random_rules:
                    song, refused, broken = under_random_rules(request)
                    n_refused, n_broken = n_refused + refused, n_broken + broken
                    yield song
                else:
                    yield symgen.generate(**request)
            except (SymgenError, TheoryError) as error:  # a metre or a key that the model has no place for
                print(f"{like.name}: {error}", file=sys.stderr)
        if options.random_rules:
            print(f"random rules: {n_refused} sets refused and drawn anew, {n_broken} violations", file=sys.stderr)

    return make


def request_like(piece: Piece, options: argparse.Namespace, *, seed: int) -> dict[str, Any]:
    """Return the request for a song in the style, metre and key of a piece."""
    excerpt = excerpt_of(piece.score, options.bars)
    assert excerpt is not None
    forms = options.form or ["period"]
    return {
        "key": excerpt.keys[0].key if excerpt.keys else "C",
        "meter": excerpt.meters[0].meter,
        "style": piece.style,
        "bars": options.bars,
        "form": forms[seed % len(forms)],
        "temperature": options.temperature,
        "seed": seed,
    }


def random_rules(rng: np.random.Generator, n_bars: int) -> list[Rule]:
    """Return one to four rules of any kind."""
    return [random_rule(rng, n_bars) for _ in range(int(rng.integers(1, 5)))]


def under_random_rules(request: dict[str, Any]) -> tuple[Score, int, int]:
    """Return a song under one to four random rules besides those of the request, refused sets, and violations."""
    rng = np.random.default_rng([13, request["seed"]])
    for n_refused in range(50):
        rules = random_rules(rng, request["bars"])
        try:
            song = symgen.generate(**request, changed_rules=rules)
        except (InfeasibleError, RequestError):
            continue
        laws = [rule for rule in rules if rule.is_law]
        return song, n_refused, len(song.audit(laws, track="Melody"))
    msg = f"seed {request['seed']}: fifty sets of random rules were refused"
    raise RequestError(msg)


def _folder(path: Path) -> _Make:
    """Return what reads the songs of a folder."""

    def make(options: argparse.Namespace, chosen: Sequence[Piece], held_out: Sequence[Piece]) -> Iterator[Score]:
        yield from load_folder(path)[0][: options.number]

    return make


def write_requests(path: Path, options: argparse.Namespace, held_out: Sequence[Piece]) -> None:
    """Write down the requests, a JSON line each."""
    order = np.random.default_rng(options.seed).permutation(len(held_out))
    pieces = (held_out[order[number % len(order)]] for number in range(options.number))
    requests = [request_like(piece, options, seed=options.seed + number) for number, piece in enumerate(pieces)]
    write_whole(path, "".join(json.dumps(request, default=str) + "\n" for request in requests).encode())


def _training_pieces(
    options: argparse.Namespace, chosen: Sequence[Piece], held_out: Sequence[Piece]
) -> Iterator[Score]:
    """Return training pieces by chance, as many as songs are made."""
    heard = [p.score for p in chosen if p.split == "train" and excerpt_of(p.score, options.bars) is not None]
    for number in np.random.default_rng(options.seed).permutation(len(heard))[: options.number]:
        yield heard[number]


_TRAINING = _training_pieces


def excerpt_of(score: Score, n_bars: int) -> Score | None:
    """Return the first bars of a melody, if they are of one metre and hold at least three notes."""
    part = first_bars(only_track(score), n_bars)
    is_plain = part is not None and part.n_notes >= 3 and len({change.meter for change in part.meters}) == 1
    return part if is_plain else None


def report(found: dict[str, Evaluation], options: argparse.Namespace) -> str:
    """Return the summary, the sources side by side, and then all tables of the first source."""
    facts = {name: evaluation.facts()["tables"] for name, evaluation in found.items()}
    rows = {
        label: tuple(_figure(tables, title, row, column) for tables in facts.values())
        for title, row, column, label in _SUMMARY
    }
    reference = next(iter(facts.values()))
    real = tuple(
        _figure(reference, title, row, "reference") if column == "generated" else float("nan")
        for title, row, column, _ in _SUMMARY
    )
    rows = {label: (*values, theirs) for (label, values), theirs in zip(rows.items(), real, strict=True)}
    summary = Table("", (*found, "held-out pieces"), rows)
    first = next(iter(found))
    command = f"python -m benchmarks.quality --number {options.number} --bars {options.bars}"
    head = f"Made by `{command}`; what each measure says stands in [evaluation.md](evaluation.md)."
    return "\n\n".join([head, "\n".join(summary.lines()), f"All figures of *{first}*:", found[first].markdown()])


def _figure(tables: dict[str, dict[str, dict[str, float | None]]], title: str, row: str, column: str) -> float:
    value = tables.get(title, {}).get(row, {}).get(column)
    return float("nan") if value is None else value


def write_between(path: Path, text: str) -> None:
    """Put a text between the markers of a document, which go to its end if they are not there yet."""
    document = path.read_text(encoding="utf-8")
    if _BEGIN not in document:
        document = f"{document.rstrip()}\n\n## Beside real music\n\n{_BEGIN}\n{_END}\n"
    before, rest = document.split(_BEGIN, 1)
    _, after = rest.split(_END, 1)
    write_whole(path, f"{before}{_BEGIN}\n\n{text.strip()}\n\n{_END}{after}".encode())


if __name__ == "__main__":
    sys.exit(main())
