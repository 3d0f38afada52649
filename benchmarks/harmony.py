"""Counts of chord successions from real analyses: ``python -m benchmarks.harmony --corpora DIR [--write]``.

Prints the held-out figures of ``docs/harmony.md`` and some composed progressions; with ``--write`` it also writes
``theory/harmony_tables.py`` anew. ``DIR`` holds the folders When-in-Rome, POP909, OpenEWLD and Nottingham. Only counts
are kept.
"""

from __future__ import annotations

import argparse
import bisect
import os
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symgen.corpus.manifest import ROOT_VARIABLE, entry_named
from symgen.corpus.readers import list_sources, read_source
from symgen.corpus.romantext import Analysed, read_romantext
from symgen.errors import CorpusError
from symgen.pipeline.harmony import compose_progression
from symgen.score import Score
from theory.chord import Chord
from theory.errors import TheoryError
from theory.function import degree_chords, succession_weights
from theory.harmony import PHRASE_SLOTS, ProgressionGraph, plain, read_graph
from theory.key import Key
from theory.roman import parse_roman

TABLES_PATH = Path(__file__).parent.parent / "theory" / "harmony_tables.py"
MODES = ("major", "minor")
MIN_CHORD, MIN_SUCCESSION = 8, 3  # seen less often, a chord has no place in a graph, a succession is not legal
FEW_CHORDS, MIN_OF_FEW = 1000, 2  # where a mode has no more chords than that, both need to be seen only so often
MIN_SHARES = {
    "pop": (0.002, 0.006)
}  # nor rarer than this among the chords, or after its chord: a machine labelled them
USUAL_SHARES = (0.001, 0.005)
MIN_PAIR, MIN_PAIR_GAIN, MAX_PAIRS = 20, 2.5, 80  # occurrences, nats saved by each chord that follows, rows in a table
SIXTHS = {"It": "Ab7", "Ger": "Ab7", "Fr": "D7b5/Ab"}  # augmented sixths, as lead sheets spell them


@dataclass(frozen=True, slots=True)
class Heard:
    """A chord that starts so many bars after the piece does, in a local key; ``chord`` is as the graphs write it."""

    bars: Fraction
    mode: str
    tonic: int
    chord: Chord


@dataclass(frozen=True, slots=True)
class Piece:
    """Chords of a piece; the successions of :func:`runs` stop where the key changes or no chord sounds."""

    name: str
    chords: tuple[Heard, ...]


@dataclass(slots=True)
class Counts:
    """What one style and mode counts up to."""

    chords: Counter[str] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    triples: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    changes: defaultdict[tuple[str, int], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))


# --- reading ---------------------------------------------------------------------------------------------------------


def read_classical(folder: Path) -> list[Piece]:
    return _read_analyses(path for path in folder.rglob("*analysis*.txt") if "Early_Choral" not in path.parts)


def read_chorales(folder: Path) -> list[Piece]:
    return _read_analyses(path for path in folder.rglob("*analysis*.txt") if "Chorales" in path.parts)


def _read_analyses(paths: Iterable[Path]) -> list[Piece]:
    """Read one analysis of each piece: a folder may hold several analysts'."""
    chosen: dict[Path, Path] = {}
    for path in sorted(paths, key=lambda path: (path.name != "analysis.txt", path)):
        chosen.setdefault(path.parent, path)
    return [Piece("/".join(path.parts[-4:]), tuple(_heard(read_romantext(path)))) for path in chosen.values()]


def _heard(analysis: list[Analysed]) -> Iterator[Heard]:
    """Yield chords without their omissions and additions; a numeral that can't be read breaks the run."""
    for analysed in analysis:
        numeral = re.sub(r"\[[^\]]*\]", "", analysed.numeral)
        home = Key.parse("C minor" if analysed.key.is_minor else "C")
        try:
            sixth = re.match("It|Ger|Fr", numeral)
            chord = Chord.parse(SIXTHS[sixth[0]]) if sixth else parse_roman(numeral, home)
            chord = plain(chord, home)
        except TheoryError:
            chord = Chord(None)
        bars = analysed.measure - 1 + analysed.bars
        yield Heard(bars, "minor" if home.is_minor else "major", analysed.key.tonic.pitch_class, chord)


def read_corpus(name: str) -> list[Piece]:
    """Read the chords of a corpus of the manifest."""
    pieces = []
    for source in list_sources(entry_named(name)):
        try:
            scores = read_source(source, steps_per_quarter=12)
        except (CorpusError, ValueError):
            continue
        found = [score for score in scores if isinstance(score, Score) and score.chords]
        pieces += [Piece(f"{source.name}#{i}", tuple(_heard_in_score(score))) for i, score in enumerate(found)]
    return pieces


def _heard_in_score(score: Score) -> Iterator[Heard]:
    bars, relative = score.bars, _is_relative_minor(score)
    for change in score.chords:
        key = next((k.key for k in reversed(score.keys) if k.onset_steps <= change.onset_steps), None)
        bar = bisect.bisect_right(bars.starts.tolist(), change.onset_steps) - 1
        if key is None or bar >= len(bars.meters):
            continue
        if relative:
            key = Key(type(key.tonic)(key.tonic.fifths + 3), "minor")
        steps = change.onset_steps - int(bars.starts[bar])
        place = bar + Fraction(steps) / (bars.meters[bar].bar_quarters * score.steps_per_quarter)
        chord = plain(change.chord, key)
        yield Heard(place, "minor" if key.is_minor else "major", key.tonic.pitch_class, chord)


def _is_relative_minor(score: Score) -> bool:
    """Whether a score that says major ends on the relative minor: key signatures are often all that was encoded."""
    key, last = (score.keys[-1].key if score.keys else None), score.chords[-1].chord
    if key is None or key.is_minor or last.root is None:
        return False
    return last.root.fifths == key.tonic.fifths + 3 and 3 in last.semitones


READERS: dict[str, Callable[[Path], list[Piece]]] = {
    "pop": lambda _: read_corpus("pop909"),
    "lead-sheet": lambda _: read_corpus("open-ewld"),
    "folk": lambda _: read_corpus("nottingham"),
    "classical": lambda root: read_classical(root / "When-in-Rome"),
    "chorale": lambda root: read_chorales(root / "When-in-Rome"),
}
SOURCES = {
    "pop": "POP909 (chords and keys; encodings MIT)",
    "lead-sheet": "OpenEWLD (encodings MIT)",
    "folk": "Nottingham Music Database (conversions GPL-3.0)",
    "classical": "When in Rome, all but early choral music (CC BY-SA 4.0)",
    "chorale": "When in Rome, Bach's chorales (CC BY-SA 4.0)",
}


# --- counting --------------------------------------------------------------------------------------------------------


def runs(piece: Piece) -> Iterator[tuple[str, list[Heard]]]:
    """Yield the mode and the chords of each stretch in one key, a chord that is only repeated left out."""
    run: list[Heard] = []
    for heard in piece.chords:
        same_key = run and (run[-1].mode, run[-1].tonic) == (heard.mode, heard.tonic)
        if heard.chord.is_none or not same_key:
            if run:
                yield run[0].mode, run
            run = [] if heard.chord.is_none else [heard]
        elif heard.chord != run[-1].chord:
            run.append(heard)
    if run:
        yield run[0].mode, run


def count(pieces: Iterable[Piece]) -> dict[str, Counts]:
    """Count chords, starts, successions and changes by mode."""
    counts = {mode: Counts() for mode in MODES}
    for piece in pieces:
        for number, (mode, run) in enumerate(runs(piece)):
            names = [str(heard.chord) for heard in run]
            mine = counts[mode]
            mine.chords.update(names)
            mine.starts.update(names[:1] if number == 0 else [])
            mine.pairs.update(pairwise(names))
            mine.triples.update(zip(names, names[1:], names[2:], strict=False))
            _count_changes(mine, run)
    return counts


def _count_changes(counts: Counts, run: list[Heard]) -> None:
    """Count, for each half bar after the first chord, whether the chord before gave way by then."""
    for heard, after in pairwise(run):
        first, last = int(heard.bars * 2) + 1, int(after.bars * 2)
        if after.bars <= heard.bars or last - first > 4 * PHRASE_SLOTS:
            continue
        for slot in range(first, last + 1):
            cell = counts.changes[str(heard.chord), slot % PHRASE_SLOTS]
            cell[0] += slot == last
            cell[1] += 1


def table(counts: Counts, style: str) -> str:
    """Write counts as a table that :func:`theory.harmony.read_graph` reads."""
    chord_share, succession_share = MIN_SHARES.get(style, USUAL_SHARES)
    min_chord, min_succession = (MIN_OF_FEW,) * 2 if _is_small(counts) else (MIN_CHORD, MIN_SUCCESSION)
    least = max(min_chord, chord_share * counts.chords.total())
    names = [name for name, n in counts.chords.most_common() if n >= least]
    follow = _followers(counts, names, succession_share, min_succession)
    while len(follow) < len(names):  # a chord that leads nowhere, or that nothing leads to, goes; then others may
        names = list(follow)
        follow = _followers(counts, names, succession_share, min_succession)
    lines = []
    for name in names:
        changes = " | ".join(_changes(counts, name, half) for half in (0, 1))
        lines.append(f"{name} | {counts.starts[name]} | {changes} | {_cells(follow[name])}")
    lines += [f"{before} {last} | {_cells(row)}" for (before, last), row in _kept_pairs(counts, names, follow)]
    slots = [[sum(counts.changes[name, slot][i] for name in names) for i in (0, 1)] for slot in range(PHRASE_SLOTS)]
    lines.append(" ".join(f"{changed}/{could}" for changed, could in slots))
    return "\n".join(lines)


def _is_small(counts: Counts) -> bool:
    return counts.chords.total() <= FEW_CHORDS


def _followers(counts: Counts, names: list[str], least_share: float, min_count: int) -> dict[str, Counter[str]]:
    """Return what legally follows each chord, for those that lead on and are led to."""
    rows = {}
    for name in names:
        row = Counter({after: counts.pairs[name, after] for after in names if counts.pairs[name, after]})
        least = max(min_count, least_share * row.total())
        rows[name] = Counter({after: n for after, n in row.items() if n >= least})
    reached = {after for row in rows.values() for after in row}
    return {name: row for name, row in rows.items() if row and name in reached}


def _kept_pairs(
    counts: Counts, names: list[str], follow: dict[str, Counter[str]]
) -> list[tuple[tuple[str, str], Counter[str]]]:
    """Return the pairs of chords that foretell the next one best, against the last of them alone."""
    rows: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (a, b, c), n in counts.triples.items():
        if b in follow.get(a, ()) and c in follow[b]:
            rows[a, b][c] = n
    gains = {pair: _gain(row, follow[pair[1]]) for pair, row in rows.items() if row.total() >= MIN_PAIR}
    best = sorted(
        (pair for pair in gains if gains[pair] >= MIN_PAIR_GAIN * len(rows[pair])), key=lambda pair: -gains[pair]
    )[:MAX_PAIRS]
    return [(pair, Counter({c: n for c, n in rows[pair].items() if n > 1})) for pair in best]


def _gain(row: Counter[str], alone: Counter[str]) -> float:
    """Return the nats that a pair's own row saves."""
    n, total = row.total(), alone.total()
    return sum(k * float(np.log((k / n) / (alone[c] / total))) for c, k in row.items())


def _changes(counts: Counts, name: str, half: int) -> str:
    cells = [counts.changes[name, slot] for slot in range(half, PHRASE_SLOTS, 2)]
    return f"{sum(cell[0] for cell in cells)}/{sum(cell[1] for cell in cells)}"


def _cells(row: Counter[str]) -> str:
    return " ".join(f"{name} {n}" for name, n in row.most_common())


# --- writing ---------------------------------------------------------------------------------------------------------

HEAD = '''"""Counts of chord successions by style and mode: generated by ``python -m benchmarks.harmony --write``.

Sources (only counts of them are here):

{sources}

A table is written in C (C minor), as :func:`theory.harmony.plain` writes chords. A row of five cells is a chord: how
many pieces begin with it; how often it gave way at a bar line, of how often it could have; the same for the middle of
a bar; and what follows it, each with its count, where that is at least {least} ({few} where a mode has few
chords in all). A row of two cells is a pair of chords
and what follows the pair. The last row has, for each half bar of a phrase of four bars, how often a chord gave way
there, of how often it could have.
"""
# ruff: noqa: E501  (a row of a table is a line)

from __future__ import annotations

from types import MappingProxyType

TABLES = MappingProxyType(
    {{
'''


def module_text(tables: dict[str, str]) -> str:
    """Return the module that holds the tables."""
    sources = "\n".join(f"- {style}: {source}" for style, source in SOURCES.items())
    text = HEAD.format(sources=sources, least=MIN_SUCCESSION, few=MIN_OF_FEW)
    for name, rows in tables.items():
        text += f'        "{name}": """\n{rows}\n""",\n'
    return text + "    }\n)\n"


def write_tables(pieces: dict[str, list[Piece]]) -> None:
    """Count all pieces and write the module anew."""
    counted = {style: count(found) for style, found in pieces.items()}
    tables = {f"{style}/{mode}": table(counts[mode], style) for style, counts in counted.items() for mode in MODES}
    TABLES_PATH.write_text(module_text(tables), encoding="utf-8")


# --- judging ---------------------------------------------------------------------------------------------------------


def is_held_out(piece: Piece) -> bool:
    """Whether a piece is one of the tenth that is kept out of the counts, by its name."""
    return zlib.crc32(piece.name.encode()) % 10 == 0


@dataclass(slots=True)
class Costs:
    """Nats of each legal held-out succession: by chord alone, first order, with pairs; and by the old table."""

    legal: int = 0
    total: int = 0
    alone: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    pairs: list[float] = field(default_factory=list)
    by_degree: list[tuple[float, float]] = field(default_factory=list)  # the old table, and ours, where both can say


def judge(pieces: list[Piece], style: str) -> Costs:
    """Count nine tenths of the pieces and weigh the successions of the last tenth."""
    counts = count(piece for piece in pieces if not is_held_out(piece))
    graphs = {mode: read_graph(table(counts[mode], style)) for mode in MODES if counts[mode].chords}
    costs = Costs()
    for piece in pieces:
        if is_held_out(piece):
            for mode, run in runs(piece):
                _weigh(costs, graphs[mode], [heard.chord for heard in run], mode)
    return costs


def _weigh(costs: Costs, graph: ProgressionGraph, run: list[Chord], mode: str) -> None:
    index = {chord: number for number, chord in enumerate(graph.chords)}
    log_next = graph.log_successions()
    pairs = {tuple(pair): len(index) + number for number, pair in enumerate(graph.pairs.tolist())}
    share = graph.successions.sum(axis=0) / graph.successions.sum()
    degrees = _by_degree(graph, mode)
    numbers = [index.get(chord) for chord in run]
    for place, (last, after) in enumerate(pairwise(numbers)):
        costs.total += 1
        if last is None or after is None or np.isneginf(log_next[last, after]):
            continue
        before = numbers[place - 1] if place else None
        cost = -float(log_next[pairs.get((before, last), last), after])
        costs.legal += 1
        costs.alone.append(-float(np.log(share[after] / (1 - share[last]))))
        costs.first.append(-float(log_next[last, after]))
        costs.pairs.append(cost)
        if np.isfinite(degrees[last, after]):
            costs.by_degree.append((-float(degrees[last, after]), cost))


def _by_degree(graph: ProgressionGraph, mode: str) -> NDArray[np.float64]:
    """Return the textbook table of degrees as log p(next | last): a degree's chords share its weight by frequency."""
    home = Key.parse("C" if mode == "major" else "C minor")
    roots = [chord.root.pitch_class for chord in degree_chords(home) if chord.root]
    degree = np.array(
        [roots.index(c.root.pitch_class) if c.root.pitch_class in roots else 7 for c in graph.chords if c.root]
    )
    weights = np.pad(succession_weights(home), (0, 1))
    share = graph.successions.sum(axis=0) * (degree < 7)
    total = np.bincount(degree, share, minlength=8)
    table = weights[degree][:, degree] * share / np.maximum(total[degree], 1)
    np.fill_diagonal(table, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_table: NDArray[np.float64] = np.log(table / table.sum(axis=1, keepdims=True))
    return log_table


def report(pieces: dict[str, list[Piece]]) -> None:
    """Print the figures and some progressions of each style."""
    print("| style | pieces | successions | legal | chord alone | first order | with pairs | by degree / ours there |")
    print("|---|---|---|---|---|---|---|---|")
    for style, found in pieces.items():
        costs = judge(found, style)
        old = np.array(costs.by_degree).mean(axis=0)
        print(
            f"| {style} | {len(found)} | {costs.total} | {costs.legal / costs.total:.1%} | {np.mean(costs.alone):.2f} |"
            f" {np.mean(costs.first):.2f} | {np.mean(costs.pairs):.2f} | {old[0]:.2f} / {old[1]:.2f} |"
        )


def show_progressions(styles: Iterable[str], n: int = 3) -> None:
    """Print composed progressions to be looked at."""
    for style in styles:
        for name in ("C", "A minor"):
            for seed in range(n):
                print(f"{style:10}", compose_progression(Key.parse(name), 8, np.random.default_rng(seed), style=style))


def main() -> None:
    """Read the corpora, print the figures, and write the tables if asked."""
    parser = argparse.ArgumentParser(description="Chord successions of real music: held-out figures and tables")
    parser.add_argument(
        "--corpora", type=Path, required=True, help="folder of When-in-Rome, POP909, OpenEWLD, Nottingham"
    )
    parser.add_argument("--write", action="store_true", help="write theory/harmony_tables.py anew")
    options = parser.parse_args()
    os.environ[ROOT_VARIABLE] = str(options.corpora)
    pieces = {style: read(options.corpora) for style, read in READERS.items()}
    report(pieces)
    if options.write:
        write_tables(pieces)
    show_progressions(READERS)


if __name__ == "__main__":
    main()
