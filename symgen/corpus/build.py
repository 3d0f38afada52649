"""From the files of a corpus to its shard: read, annotate, drop duplicates, split, pack.

A source that can't be read is skipped; its reason is counted in the index and printed by
``symgen corpus info``. The result does not depend on the number of processes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import platformdirs

from symgen.corpus.annotate import annotate
from symgen.corpus.manifest import CorpusEntry
from symgen.corpus.readers import Source, files_digest, list_sources, read_source
from symgen.corpus.shards import Piece, content_digest, save_shard
from symgen.errors import CorpusError
from symgen.io.isolated import TimeLimitError, time_limit
from symgen.score import Score

__all__ = ["BuildReport", "build_corpus", "default_folder", "split_of"]

_MAX_SECONDS = 300  # for one source; the largest work of music21's corpus takes a tenth of it
_VALID_SHARE, _TEST_SHARE = 0.05, 0.05


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What came of a build.

    Parameters
    ----------
    folder
        Where the shard lies.
    n_pieces, n_duplicates
        Pieces kept, and dropped because their notes were there already.
    skipped
        Name and reason of every source or piece that was left out.
    """

    folder: Path
    n_pieces: int
    n_duplicates: int
    skipped: tuple[tuple[str, str], ...]

    @property
    def reasons(self) -> Counter[str]:
        """How often each reason came up, the commonest first."""
        return Counter(reason for _, reason in self.skipped)


def default_folder(entry: CorpusEntry, steps_per_quarter: int) -> Path:
    """Return where a corpus is built when no folder is named: in the user's cache."""
    return Path(platformdirs.user_cache_dir("symgen")) / "corpora" / f"{entry.name}-{steps_per_quarter}"


def split_of(digest: str) -> str:
    """Return the split of a piece: a fixed function of its notes."""
    share = int(digest[:8], 16) / 16**8
    if share < _TEST_SHARE:
        return "test"
    return "valid" if share < _TEST_SHARE + _VALID_SHARE else "train"


def build_corpus(
    entry: CorpusEntry,
    folder: Path,
    *,
    steps_per_quarter: int = 12,
    n_processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> BuildReport:
    """Build the shard of a corpus.

    Parameters
    ----------
    entry
        The corpus.
    folder
        Where to write; an older shard there is replaced at the very end.
    steps_per_quarter
        The grid.
    n_processes
        How many sources to read at once; all cores if left out.
    progress
        Called with the number of sources done and their total.

    Raises
    ------
    CorpusError
        If the corpus is not there or nothing in it could be read.
    """
    sources = list_sources(entry)
    read = partial(_read_all, steps_per_quarter=steps_per_quarter)
    pieces: list[Piece] = []
    skipped: list[tuple[str, str]] = []
    seen: set[str] = set()
    n_duplicates = 0
    for done, (source, outcomes) in enumerate(_map(read, sources, n_processes), start=1):
        for name, outcome in outcomes:
            if isinstance(outcome, str):
                skipped.append((name, outcome))
                continue
            digest = content_digest(outcome)
            if digest in seen:
                n_duplicates += 1
                continue
            seen.add(digest)
            split = source.split or split_of(digest)
            pieces.append(Piece(name, entry.name, entry.style, split, outcome))
        if progress is not None:
            progress(done, len(sources))
    if not pieces:
        msg = f"corpus {entry.name!r}: none of its {len(sources)} sources could be read; the first: {skipped[0]}"
        raise CorpusError(msg)
    report = BuildReport(folder, len(pieces), n_duplicates, tuple(skipped))
    index = {
        "corpus": entry.name,
        "steps_per_quarter": steps_per_quarter,
        "digest": files_digest(sources),
        "n_duplicates": n_duplicates,
        "skipped": [list(row) for row in skipped],
    }
    save_shard(folder, pieces, index)
    return report


_Outcome = list[tuple[str, Score | str]]


def _map(
    read: Callable[[Source], _Outcome], sources: list[Source], n_processes: int | None
) -> Iterator[tuple[Source, _Outcome]]:
    """Read all sources in their order, in several processes where that helps."""
    n_processes = n_processes or os.cpu_count() or 1
    if n_processes == 1 or len(sources) == 1:
        yield from ((source, read(source)) for source in sources)
        return
    done = 0
    try:
        with ProcessPoolExecutor(n_processes) as pool:
            chunk = max(1, min(8, len(sources) // (4 * n_processes)))
            for source, outcome in zip(sources, pool.map(read, sources, chunksize=chunk), strict=True):
                yield source, outcome
                done += 1
    except BrokenProcessPool:
        # A native parser took its process down: go on one by one, each in a process of its own.
        for source in sources[done:]:
            yield source, _read_apart(read, source)


def _read_apart(read: Callable[[Source], _Outcome], source: Source) -> _Outcome:
    try:
        with ProcessPoolExecutor(1) as pool:
            return pool.submit(read, source).result()
    except BrokenProcessPool:
        return [(source.name, "crash: the parser took its process down")]


def _read_all(source: Source, *, steps_per_quarter: int) -> _Outcome:
    """Read one source; the outcome of each piece is its score, or why there is none."""
    try:
        with time_limit(_MAX_SECONDS):
            scores = read_source(source, steps_per_quarter=steps_per_quarter)
    except TimeLimitError:
        return [(source.name, f"hang: not read within {_MAX_SECONDS} seconds")]
    except Exception as error:  # a corpus holds whatever people wrote: no file may stop the build
        return [(source.name, _reason(error))]
    names = [source.name] if len(scores) == 1 else [f"{source.name}#{i + 1}" for i in range(len(scores))]
    return [(name, _finish(score)) for name, score in zip(names, scores, strict=True)]


def _finish(score: Score | Exception) -> Score | str:
    """Add what the file does not say, the key and the chords; or say why the piece is left out."""
    if isinstance(score, Exception):
        return _reason(score)
    pitched = tuple(track for track in score.tracks if track.notes and not track.is_drum)
    if not pitched:
        return "no notes: nothing but rests and drums"
    drums = tuple(track for track in score.tracks if track.notes and track.is_drum)
    try:
        return replace(annotate(replace(score, tracks=pitched)), tracks=pitched + drums)
    except Exception as error:  # as above
        return _reason(error)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:200]
