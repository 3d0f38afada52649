"""Many MIDI files to audio files, in several processes at once.

A process takes one file after the other and keeps its soundfonts loaded. Where one dies, by a crash in native code or
for want of memory, that costs the file it was working on; another takes its place.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import BinaryIO

from symgen.errors import SymgenError
from symgen.io.limits import Limits, limits_in_force, limits_set
from symgen.pipeline.rendering import RenderedFile, Rendering, render_file

__all__ = ["render_files", "serve"]

_Job = tuple[Path, Path]
_REPORT_SECONDS = 0.1
_PATIENCE_SECONDS = 5.0
_CODE = "from symgen.pipeline.render_many import serve; serve()"


def render_files(
    jobs: Sequence[tuple[Path, Path]],
    how: Rendering,
    *,
    n_processes: int | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> Iterator[RenderedFile]:
    """Render files; yield what came of each, in their order, whatever the number of processes.

    Parameters
    ----------
    jobs
        From where to where; no two to the same place.
    how
        The same for all.
    n_processes
        How many files at once; as many as there are cores if left out.
    progress
        Called with the files done, in parts of files too, and their number.

    Yields
    ------
    RenderedFile
        Its ``error`` says why there is no output; the other files are not touched by that.
    """
    n_processes = min(n_processes or os.cpu_count() or 1, len(jobs))
    report = _Report(len(jobs), progress)
    if n_processes > 1:
        yield from _in_processes(jobs, how, n_processes, report)
        return
    with _soundfonts_held(how) if len(jobs) > 1 else contextlib.nullcontext():
        for index, job in enumerate(jobs):
            made = _attempt(job, how, report.of(index))
            report.tell(index, 1.0)
            yield made


@dataclass(slots=True)
class _Report:
    """How far each file is; told by several threads."""

    n_files: int
    progress: Callable[[float, float], None] | None
    shares: dict[int, float] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def tell(self, index: int, share: float) -> None:
        with self.lock:
            self.shares[index] = share
            if self.progress:
                self.progress(sum(self.shares.values()), self.n_files)

    def of(self, index: int) -> Callable[[float, float], None]:
        """Return what a render of one file is told to call."""
        return lambda done, total: self.tell(index, _share(done, total))


@contextlib.contextmanager
def _soundfonts_held(how: Rendering) -> Iterator[None]:
    """Keep the soundfonts loaded from one file to the next; what is wrong with one, each file says."""
    from symgen.render.play import kept
    from symgen.render.soundfont import find_soundfont

    with contextlib.ExitStack() as held:
        with contextlib.suppress(SymgenError):
            for font in dict.fromkeys(find_soundfont(name) for name in (how.soundfont, *how.soundfont_for.values())):
                held.enter_context(kept(font))
        yield


def _share(done: float, total: float) -> float:
    return done / total if total else 1.0


def _attempt(job: _Job, how: Rendering, progress: Callable[[float, float], None]) -> RenderedFile:
    """Render a file, or say in one line why not."""
    source, target = job
    try:
        return render_file(source, target, how, progress)[1]
    except SymgenError as error:
        text = str(error)
    except OSError as error:
        text = f"{error.filename or source}: {error.strerror or error}"
    except MemoryError:
        text = f"{source}: not enough memory"
    return RenderedFile(str(source), str(target), error=" ".join(text.split()))


class _Worker:
    """A process of our own making that renders one file after the other; what goes through its pipes is pickled."""

    def __init__(self, how: Rendering, limits: Limits) -> None:
        # The same packages as here, wherever they lie; the folder of the user is none of them.
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
        words = [sys.executable, "-P", "-c", _CODE]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._send((how, limits))

    def _send(self, what: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # where it has died, what it says next is nothing
            pickle.dump(what, self._process.stdin)
            self._process.stdin.flush()

    @property
    def is_alive(self) -> bool:
        """Whether it can take another file."""
        return self._process.poll() is None

    def render(self, job: _Job, tell: Callable[[float], None]) -> RenderedFile:
        """Have a file rendered; where the process dies, that is the file's error."""
        assert self._process.stdout is not None
        self._send(job)
        try:
            while isinstance(said := pickle.load(self._process.stdout), float):
                tell(said)
        except (EOFError, OSError, pickle.UnpicklingError):
            code = self._process.wait()
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            return RenderedFile(str(job[0]), str(job[1]), error=f"{job[0]}: its process ended by {how}")
        assert isinstance(said, RenderedFile)
        return said

    def dismiss(self) -> None:
        """Tell the process that nothing more comes."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def stop(self) -> None:
        """Wait for the process to end; where it is still at work, that takes a few seconds."""
        assert self._process.stdout is not None
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            self._process.wait()
        self._process.stdout.close()


def _in_processes(jobs: Sequence[_Job], how: Rendering, n_processes: int, report: _Report) -> Iterator[RenderedFile]:
    """Let one thread for each process wait for what it says."""
    limits = limits_in_force()  # a thread has a context of its own
    idle: SimpleQueue[_Worker] = SimpleQueue()
    started: list[_Worker] = []

    def run(index: int) -> RenderedFile:
        try:
            worker = idle.get_nowait()
        except Empty:
            worker = _Worker(how, limits)
            started.append(worker)
        made = worker.render(jobs[index], lambda share: report.tell(index, share))
        report.tell(index, 1.0)
        if worker.is_alive:
            idle.put(worker)
        return made

    threads = ThreadPoolExecutor(n_processes)
    try:
        for future in [threads.submit(run, index) for index in range(len(jobs))]:
            yield future.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in started:
            worker.dismiss()
        for worker in started:
            worker.stop()
        threads.shutdown()


def serve() -> None:
    """In a process: render what standard input asks for until it ends, and say on standard output what was made."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    with contextlib.suppress(KeyboardInterrupt, EOFError, BrokenPipeError):
        how, limits = pickle.load(sys.stdin.buffer)
        with limits_set(limits):
            _serve(sys.stdin.buffer, answers, how)


def _serve(questions: BinaryIO, answers: BinaryIO, how: Rendering) -> None:
    last = 0.0

    def say(what: object) -> None:
        pickle.dump(what, answers)
        answers.flush()

    def tell(done: float, total: float) -> None:
        nonlocal last
        if time.monotonic() - last > _REPORT_SECONDS:
            last = time.monotonic()
            say(float(_share(done, total)))

    with _soundfonts_held(how):
        while True:
            say(_attempt(pickle.load(questions), how, tell))
