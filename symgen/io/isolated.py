"""A file read in a process of its own, whose end or crash costs that file only.

Text formats are read by a large library that nobody has hardened: a few bytes may keep it busy for hours or
take all memory. What it makes of a file comes back as a score or as the one line of its refusal.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, astuple
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from symgen import errors
from symgen.errors import FileFormatError, SymgenError
from symgen.io.limits import Limits
from symgen.score import ChordChange, KeyChange, Marker, MeterChange, Note, Score, TempoChange, Track
from theory.chord import NO_CHORD, Chord
from theory.key import Key
from theory.meter import Meter

__all__ = ["TimeLimitError", "load_isolated", "score_from_plain", "score_to_plain", "time_limit"]

_MEMORY_BYTES = 3 * 2**30
_CODE = "import sys; from symgen.io.isolated import serve; sys.exit(serve())"


def load_isolated(path: Path, *, steps_per_quarter: int, limits: Limits) -> Score:
    """Read a file in another process, which may take ``limits.load_seconds`` and 3 GiB.

    Raises
    ------
    FileFormatError
        If the file is refused, or the process takes too long, too much memory, or crashes.
    """
    asked = asdict(limits) | {"load_seconds": None}
    request = json.dumps([str(path.absolute()), str(path), steps_per_quarter, asked]).encode()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(_places())}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _CODE],
            input=request,
            capture_output=True,
            timeout=limits.load_seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        _fail(path, f"not read within {limits.load_seconds:g} seconds: the limit is --max-load-time")
    if done.returncode == 0:
        return score_from_plain(json.loads(done.stdout))
    lines = done.stderr.decode(errors="replace").splitlines() or [""]
    kind, _, message = lines[-1].partition(": ")
    known = getattr(errors, kind, None)
    if isinstance(known, type) and issubclass(known, SymgenError):
        raise known(message)
    reason = f"ended by signal {-done.returncode}" if done.returncode < 0 else lines[-1][:200]
    _fail(path, f"could not be read: its reader broke down ({reason})")


def _places() -> list[str]:
    """Return where the packages of this process lie, this one among them; the folder of the user is none of them."""
    own, places = str(Path(errors.__file__).parent.parent), [entry for entry in sys.path if entry]
    return places if own in places else [own, *places]


class TimeLimitError(BaseException):
    """Time is up; no ``except Exception`` of a library hides it."""


@contextlib.contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Let a block take so many seconds at most, where the system can say when they are over.

    Raises
    ------
    TimeLimitError
        When the time is up.

    Notes
    -----
    For worker processes: only a main thread can be interrupted, and only on POSIX; elsewhere nothing is done.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> NoReturn:
        raise TimeLimitError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def serve() -> int:
    """In the other process: read what standard input asks for, and write the score to standard output."""
    from symgen.io.files import load

    _bound_memory()
    place, name, steps_per_quarter, limits = json.loads(sys.stdin.buffer.read())
    output, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no score
    try:
        score = load(place, steps_per_quarter=steps_per_quarter, limits=Limits(**limits))
    except SymgenError as error:
        message = " ".join(str(error).replace(place, name).split())
        print(f"\n{type(error).__name__}: {message}", file=sys.stderr)
        return 1
    except (MemoryError, RecursionError) as error:
        what = "too much memory" if isinstance(error, MemoryError) else "nested too deeply"
        print(f"\nFileFormatError: {name}: could not be read: {what}", file=sys.stderr)
        return 1
    json.dump(score_to_plain(score), output)
    output.flush()
    return 0


def score_to_plain(score: Score) -> dict[str, Any]:
    """Return a score as numbers, texts and lists of them."""
    return {
        "steps_per_quarter": score.steps_per_quarter,
        "tracks": [[t.name, t.program, t.is_drum, [astuple(note) for note in t.notes]] for t in score.tracks],
        "tempos": [[change.onset_steps, change.bpm] for change in score.tempos],
        "meters": [[change.onset_steps, str(change.meter)] for change in score.meters],
        "keys": [[change.onset_steps, str(change.key)] for change in score.keys],
        "chords": [[change.onset_steps, str(change.chord)] for change in score.chords],
        "markers": [[marker.onset_steps, marker.text] for marker in score.markers],
        "end_steps": score.end_steps,
        "recipe": score.recipe,
    }


def score_from_plain(plain: dict[str, Any]) -> Score:
    """Return the score that :func:`score_to_plain` has made plain."""
    return Score(
        plain["steps_per_quarter"],
        tuple(Track(n, tuple(Note(*row) for row in rows), p, drum) for n, p, drum, rows in plain["tracks"]),
        tempos=tuple(TempoChange(*pair) for pair in plain["tempos"]),
        meters=tuple(MeterChange(step, Meter.parse(text)) for step, text in plain["meters"]),
        keys=tuple(KeyChange(step, Key.parse(text)) for step, text in plain["keys"]),
        chords=tuple(ChordChange(step, _chord(text)) for step, text in plain["chords"]),
        markers=tuple(Marker(*pair) for pair in plain["markers"]),
        end_steps=plain["end_steps"],
        recipe=tuple((word, value) for word, value in plain["recipe"]),
    )


def _chord(text: str) -> Chord:
    return NO_CHORD if text == str(NO_CHORD) else Chord.parse(text)


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def _fail(path: Path, what: str) -> NoReturn:
    msg = f"{path}: {what}"
    raise FileFormatError(msg)
