"""Whether other programs read in our files what they say: ``python -m benchmarks.interchange --corpora DIR``.

Songs of our own, and real music (POP909, Nottingham, music21's corpora), go through ``symgen check``; what imports
badly goes on as the copy that ``check --fix`` writes. Then every program reads every file, and what each says of
tempo, metre, key, names of parts, numbers of notes and of bars is held against the file. The tables are those of
``docs/interchange.md``, which ``--write`` writes. Programs that are not installed are left out: MuseScore, LMMS and
midish come from Debian (``apt-get install --no-install-recommends musescore3 lmms midish``). What is found is kept in
the folder of ``--keep``, and a run that was stopped goes on from there; ``--programs`` reads with some only.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.interchange_facts import FIELDS, Facts, agreements, facts_of_file
from benchmarks.interchange_programs import installed, lmms, midish, musescore, musescore_by_musicxml
from benchmarks.interchange_readers import READERS, quiet
from symgen.corpus.manifest import corpus_path, entry_named
from symgen.corpus.readers import Source, list_sources, read_source
from symgen.errors import SymgenError
from symgen.files import write_whole
from symgen.io import load
from symgen.score import Score

KEYS = (
    "C",
    "A minor",
    "F#",
    "Gb",
    "Eb minor",
    "B",
    "Db",
    "Ab",
    "C# minor",
    "E",
    "G minor",
    "Bb",
    "D:dorian",
    "G:mixolydian",
)
METERS = ("4/4", "4/4", "3/4", "6/8", "2/4", "5/4", "7/8", "12/8", "9/8", "2+2+3/8", "3/8", "2/2", "3/2")
CHORD_NAMES = ("markers", "markers", "lyrics", "text", "xf", "markers,xf", "none")
RESOLUTIONS = (480, 480, 960, 240, 192, 96)
_BEGIN, _END = "<!-- begin of what benchmarks.interchange writes -->", "<!-- end -->"
DOCUMENT = Path(__file__).parent.parent / "docs" / "interchange.md"
GRID = 12
MUSESCORE = "MuseScore"
_BY_MUSICXML = f"{MUSESCORE} by MusicXML"
PROGRAMS: dict[str, Callable[[Sequence[Path], Path], list[Facts | str]]] = {
    MUSESCORE: musescore,
    _BY_MUSICXML: musescore_by_musicxml,
    "LMMS": lmms,
    "midish": midish,
}
TEMPO_UNITS = {MUSESCORE: 1.0}
"""What programs round tempos to."""


@dataclass(frozen=True, slots=True)
class Case:
    """A file that programs are to read.

    Parameters
    ----------
    path
        Where it is.
    facts
        What it says.
    n_wrong
        How many things ``symgen check`` has found before the copy was made.
    n_left
        And after; nothing but a mended copy has fewer.
    """

    path: Path
    facts: Facts
    n_wrong: int
    n_left: int


def words_of_song(chance: random.Random, seed: int) -> list[str]:
    """Return a request for ``symgen generate`` drawn at random."""
    n_bars, key = chance.choice((2, 3, 4, 4, 8, 8, 12, 16)), chance.choice(KEYS)
    words = ["generate", "--decoder", "chain", "--key", key, "--bars", str(n_bars), "--seed", str(seed)]
    words += ["--meter", chance.choice(METERS), "--bpm", str(round(chance.uniform(40, 240), chance.choice((0, 1, 2))))]
    words += ["--style", chance.choice(("folk", "lead-sheet", "chorale")), "--chord-names", chance.choice(CHORD_NAMES)]
    words += ["--ppq", str(chance.choice(RESOLUTIONS)), "--format", chance.choice("11110")]
    words += ["--no-programs"] if chance.random() < 0.2 else []
    words += ["--modulate", f"bar {n_bars // 2 + 1} to {chance.choice(KEYS[:12])}"] if chance.random() < 0.2 else []
    return words


def songs(folder: Path, n: int) -> Iterator[Path]:
    """Make songs; what cannot be asked for is drawn again."""
    chance, seed, made = random.Random("interchange"), 0, 0
    while made < n:
        seed += 1
        path = folder / f"song-{seed:03}.mid"
        if command(*words_of_song(chance, seed), "-o", str(path)) == 0:
            made += 1
            yield path


def pieces(folder: Path, n: int) -> Iterator[Path]:
    """Yield real files; those that are no MIDI are read and written here."""
    chance = random.Random("pieces")
    shares = {"pop909": 0.35, "nottingham": 0.35, "bach-chorales": 0.15, "ryans-mammoth": 0.1, "airds-airs": 0.05}
    for name, share in shares.items():
        try:
            entry = entry_named(name)
            # Nottingham's tunes are there as MIDI files, too.
            tunes = [] if entry.is_embedded else sorted((corpus_path(entry).parent / "MIDI").glob("*.mid"))
            sources: list[Source | Path] = [*tunes] if tunes else [*list_sources(entry)]
        except SymgenError as error:
            print(f"{name}: {error}", flush=True)
            continue
        wanted = round(share * n)
        chosen = chance.sample(sources, wanted) if wanted <= len(sources) else chance.choices(sources, k=wanted)
        for number, source in enumerate(chosen):
            path = folder / f"{name}-{number:03}.mid"
            _put(source, path, chance)
            yield path


def _put(source: Source | Path, target: Path, chance: random.Random) -> None:
    """Write the MIDI file of a source: its own, or one made of the notes of a tune in it."""
    path = source if isinstance(source, Path) else source.path
    if path.suffix == ".mid":
        target.write_bytes(path.read_bytes())
    elif isinstance(source, Source) and path.suffix == ".abc":
        tunes = [one for one in read_source(source, steps_per_quarter=GRID) if isinstance(one, Score)]
        chance.choice(tunes).save(target)
    else:
        load(path, steps_per_quarter=GRID).save(target)


def command(*words: str) -> int:
    """Run a command of ours, what it prints left out; return its exit code."""
    from symgen.cli import main

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return main(list(words))


def checked(path: Path) -> Case:
    """Send a file through ``symgen check``; one that imports badly is replaced by its mended copy."""
    from symgen.pipeline.check import check_import, mend

    found = check_import(path)
    assert found is not None
    n_wrong = n_left = sum(one.is_wrong for one in found)
    if n_wrong:
        _, left = mend(path, path)
        n_left = sum(one.is_wrong for one in left)
    return Case(path, facts_of_file(path.read_bytes(), str(path)), n_wrong, n_left)


def read_by(program: str, cases: Sequence[Case], folder: Path) -> list[Facts | str]:
    """Return what a program reads in each file, or why it does not; what was found before is taken from the folder."""
    kept = folder / f"{program}.json"
    if kept.is_file():
        return [facts_from(record) for record in json.loads(kept.read_text(encoding="utf-8"))]
    paths = [case.path for case in cases]
    found = PROGRAMS[program](paths, folder) if program in PROGRAMS else [quiet(READERS[program], p) for p in paths]
    write_whole(kept, json.dumps([one if isinstance(one, str) else asdict(one) for one in found]).encode())
    return found


def facts_from(record: Any) -> Facts | str:
    """Return facts as JSON has held them."""
    return record if isinstance(record, str) else Facts(**{name: _tuples(value) for name, value in record.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def table(cases: Sequence[Case], read: dict[str, list[Facts | str]]) -> Iterator[str]:
    """Yield the lines of a table: for each program and field, in how many files it reads what they say."""
    yield f"| | read | {' | '.join(FIELDS)} |"
    yield f"|---|{'--:|' * (len(FIELDS) + 1)}"
    for name, found in read.items():
        unit = TEMPO_UNITS.get(name, 0.0)
        pairs = [(case.facts, one) for case, one in zip(cases, found, strict=True) if isinstance(one, Facts)]
        rows = [agreements(*pair, tempo_unit=unit) for pair in pairs]
        cells = [f"{len(rows)}/{len(cases)}"]
        for field in FIELDS:
            told = [row[field] for row in rows if row[field] is not None]
            cells.append(f"{sum(map(bool, told))}/{len(told)}" if told else "–")
        yield f"| {name} | {' | '.join(cells)} |"


def differences(cases: Sequence[Case], read: dict[str, list[Facts | str]]) -> Iterator[str]:
    """Yield each disagreement in a line."""
    for name, found in read.items():
        for case, one in zip(cases, found, strict=True):
            if isinstance(one, str):
                yield f"{name}: {case.path.name}: {one}"
                continue
            for field, agrees in agreements(case.facts, one, tempo_unit=TEMPO_UNITS.get(name, 0.0)).items():
                said, read_as = getattr(case.facts, field), getattr(one, field)
                if agrees is False:
                    yield f"{name}: {case.path.name}: {field}: {said} read as {read_as}"


def report(title: str, cases: Sequence[Case], folder: Path, programs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lines of a section, and the disagreements."""
    read: dict[str, list[Facts | str]] = {}
    for name in programs:
        if name == _BY_MUSICXML and folder.name != songs.__name__:  # only those stand on a grid
            continue
        found = read_by(name, cases, folder)
        reasons = Counter(one for one in found if isinstance(one, str))
        n_read = len(cases) - reasons.total()
        print(f"  {name}: {n_read} of {len(cases)} read {dict(reasons.most_common(3)) or ''}", flush=True)
        if n_read:
            read[name] = found
    wrong, left = sum(case.n_wrong > 0 for case in cases), sum(case.n_left > 0 for case in cases)
    said = f"`symgen check` finds something that imports badly in {wrong} of {len(cases)} files"
    said += f", and in {left} of their mended copies." if wrong else "."
    return [f"## {title}", "", said, "", *table(cases, read), ""], list(differences(cases, read))


def cases_of(make: Callable[[Path, int], Iterator[Path]], folder: Path, n: int) -> list[Case]:
    """Return files and what they say; those that are in the folder already are taken from there."""
    kept = folder / "cases.json"
    if kept.is_file():
        rows = json.loads(kept.read_text(encoding="utf-8"))
        return [Case(folder / name, facts_of_file((folder / name).read_bytes(), name), *found) for name, *found in rows]
    cases = [checked(path) for path in make(folder, n)]
    write_whole(kept, json.dumps([[case.path.name, case.n_wrong, case.n_left] for case in cases]).encode())
    return cases


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interchange", description=__doc__)
    parser.add_argument("--corpora", type=Path, help="folder that holds POP909 and Nottingham")
    parser.add_argument("-n", type=int, default=200, help="files of each kind (default: 200)")
    parser.add_argument("--keep", type=Path, help="folder for the files and all that the programs write")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {DOCUMENT.name}")
    every = (*READERS, *PROGRAMS)
    parser.add_argument("--programs", default=",".join(every), help="those to read with, by commas (default: all)")
    options = parser.parse_args(arguments)
    if options.corpora:
        os.environ["SYMGEN_CORPORA"] = str(options.corpora)
    lines: list[str] = []
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for title, make in (("Songs of our own", songs), ("Real music", pieces)):
            own = folder / make.__name__
            own.mkdir(parents=True, exist_ok=True)
            start = time.perf_counter()
            cases = cases_of(make, own, options.n)
            print(f"{title}: {len(cases)} files in {time.perf_counter() - start:.0f} s", flush=True)
            found, wrong = report(title, cases, own, options.programs.split(","))
            (own / "differences.txt").write_text("\n".join(wrong), encoding="utf-8")
            lines += found
    print("\n".join(lines))
    if options.write:
        before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(_BEGIN)
        text = "\n".join([f"{before}{_BEGIN}", "", _versions(), "", *lines, _END]) + rest.partition(_END)[2]
        DOCUMENT.write_text(text, encoding="utf-8")
    return 0


def _versions() -> str:
    """Return what was run: the day, and the version of every program."""
    libraries = [f"{name} {metadata.version(name)}" for name in READERS]
    programs = [f"{name} {installed(name)}" for name in ("musescore3", "lmms", "midish")]
    said = [datetime.now(UTC).date().isoformat(), f"symgen {metadata.version('symgen')}", *libraries, *programs]
    return f"{', '.join(said)} (the last three as packaged by Debian)."


if __name__ == "__main__":
    sys.exit(main())
