"""Many MIDI files to audio files, in several processes at once.

A process takes one file after the other and keeps its soundfonts loaded. Where one dies, by a crash in native code or
for want of memory, that costs the file it was working on; another takes its place.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from symgen.errors import SymgenError
from symgen.io.limits import Limits, limits_in_force, limits_set
from symgen.pipeline.rendering import RenderedFile, Rendering, render_file

__all__ = ["render_files"]

_Job = tuple[Path, Path]
_REPORT_SECONDS = 0.1
_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 5.0
_PRELOADED = ["symgen.pipeline.render_many", "symgen.render.audio"]


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
    for index, job in enumerate(jobs):
        made = _attempt(job, how, lambda done, total, at=index: report.tell(at, _share(done, total)))
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


@dataclass(slots=True)
class _Worker:
    """A process, and the parent's end of the pipe to it."""

    process: BaseProcess
    pipe: Connection

    @classmethod
    def start(cls, context: BaseContext, how: Rendering) -> _Worker:
        """Start a process that renders what comes through the pipe."""
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, how, limits_in_force()), daemon=True)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        return cls(process, ours)

    def render(self, job: _Job, tell: Callable[[float], None]) -> RenderedFile:
        """Have a file rendered; a process that dies has an error of its own."""
        try:
            self.pipe.send(job)
            while isinstance(said := self._hear(), float):
                tell(said)
        except (EOFError, OSError):
            self.process.join(_PATIENCE_SECONDS)
            code = self.process.exitcode or 0
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            return RenderedFile(str(job[0]), str(job[1]), error=f"{job[0]}: its process ended by {how}")
        assert isinstance(said, RenderedFile)
        return said

    def _hear(self) -> object:
        """Return what the process says next; the end of the pipe alone may stay open in its siblings."""
        while not self.pipe.poll(_LOOK_SECONDS):
            if not self.process.is_alive() and not self.pipe.poll():
                raise EOFError
        return self.pipe.recv()

    def stop(self) -> None:
        """End the process: at once where it has nothing to do, else in a few seconds."""
        with contextlib.suppress(OSError):
            self.pipe.send(None)
        self.process.join(_PATIENCE_SECONDS)
        if self.process.exitcode is None:
            self.process.terminate()


def _in_processes(jobs: Sequence[_Job], how: Rendering, n_processes: int, report: _Report) -> Iterator[RenderedFile]:
    """Let one thread for each process wait for what it says."""
    context = _context()
    idle: SimpleQueue[_Worker] = SimpleQueue()
    limits = limits_in_force()

    def run(index: int) -> RenderedFile:
        with limits_set(limits):  # a thread has a context of its own
            worker = _Worker.start(context, how) if idle.empty() else idle.get()
        made = worker.render(jobs[index], lambda share: report.tell(index, share))
        report.tell(index, 1.0)
        if worker.process.is_alive():
            idle.put(worker)
        return made

    with ThreadPoolExecutor(n_processes) as threads:
        futures = [threads.submit(run, index) for index in range(len(jobs))]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()
            while not idle.empty():
                idle.get().stop()


def _context() -> BaseContext:
    """Return the way to start processes: from a small server that has loaded what they need, where there is one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _serve(pipe: Connection, how: Rendering, limits: Limits) -> None:
    """In a process: render what comes through the pipe until nothing more does."""
    from symgen.render.play import kept

    held: dict[str, object] = {}
    last = 0.0

    def tell(done: float, total: float) -> None:
        nonlocal last
        if time.monotonic() - last > _REPORT_SECONDS:
            last = time.monotonic()
            pipe.send(float(_share(done, total)))

    with contextlib.suppress(KeyboardInterrupt, EOFError, BrokenPipeError), limits_set(limits):
        while (job := pipe.recv()) is not None:
            made = _attempt(job, how, tell)
            pipe.send(made)
            held |= {font: kept(Path(font)) for font in made.soundfonts if font not in held}
