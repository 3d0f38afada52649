"""A long run: ``python -m tests.fuzz [TARGET ...] --seconds 600``; each crash is kept as a file with its traceback.

Sound inputs are damaged at random, or with ``--engine atheris`` (``pip install symgen[fuzz]``; Linux and macOS) by a
fuzzer that follows what the code reaches. Each case must be read or refused in one line. A reader in native code runs
in a process of its own, whose end counts as a crash. The exit code is 1 if any case crashed.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing as mp
import random
import re
import resource
import subprocess
import sys
import time
import traceback
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from fuzz_edits import damaged, random_edits  # noqa: E402
from fuzz_targets import TARGETS, Target, outcome  # noqa: E402

MEMORY_BYTES = 6 * 2**30


class Log:
    """Counts, and the crashes that differ in where they happened."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target = target
        self.folder = folder / target.name
        self.counts = {"read": 0, "refused": 0, "crashed": 0}
        self.seen: set[str] = set()

    def add(self, what: str, data: bytes, trace: str = "") -> None:
        self.counts[what] += 1
        places = [line for line in trace.splitlines() if line.lstrip().startswith("File ")]
        name = hashlib.sha256("\n".join([*places[-3:], trace[-60:] if not places else ""]).encode()).hexdigest()[:10]
        if what != "crashed" or name in self.seen:
            return
        self.seen.add(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.bin").write_bytes(data)
        (self.folder / f"{name}.txt").write_text(trace, encoding="utf-8")
        print(f"{self.target.name}: crash {name}: {trace.strip().splitlines()[-1][:150]}", flush=True)

    def __str__(self) -> str:
        counts = ", ".join(f"{n:,} {what}" for what, n in self.counts.items())
        return f"{self.target.name}: {sum(self.counts.values()):,} cases: {counts}, in {len(self.seen)} places"


def tried(target: Target, data: bytes) -> tuple[str, str]:
    """Return what came of a case, and the traceback of a crash."""
    try:
        return outcome(target, data), ""
    except KeyboardInterrupt:
        raise
    except BaseException:  # that is what is looked for
        return "crashed", traceback.format_exc()


def serve(name: str, pipe: Connection) -> None:
    """In the other process of a native reader."""
    while True:
        pipe.send(tried(TARGETS[name], pipe.recv_bytes()))


class Apart:
    """A native reader in a process of its own, started again whenever it has died."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.process: mp.Process | None = None

    def __call__(self, data: bytes) -> tuple[str, str]:
        if self.process is None or not self.process.is_alive():
            self.pipe, theirs = mp.Pipe()
            self.process = mp.Process(target=serve, args=(self.target.name, theirs), daemon=True)
            self.process.start()
            theirs.close()
        self.pipe.send_bytes(data)
        try:
            if self.pipe.poll(2 * self.target.patience_seconds):
                found: tuple[str, str] = self.pipe.recv()
                return found
            self.process.kill()
            reason = "hung in native code"
        except EOFError:
            reason = "died"
        self.process.join()
        return "crashed", f"process {reason}: exit code {self.process.exitcode}"


def run(target: Target, seconds: float, n_cases: int, seed: int, folder: Path) -> Log:
    """Try damaged inputs until the time or the cases are over."""
    log, chance, seeds = Log(target, folder), random.Random(f"{seed} {target.name}"), list(target.seeds())
    attempt = Apart(target) if target.native else lambda data: tried(target, data)
    end = time.monotonic() + seconds
    while sum(log.counts.values()) < n_cases and time.monotonic() < end:
        data = damaged(chance.choice(seeds), random_edits(chance), target.words)
        what, trace = attempt(data)
        log.add(what, data, trace)
        if what == "read" and len(seeds) < 300 and len(data) < 20_000 and chance.random() < 0.02:
            seeds.append(data)  # what is odd and yet read leads further
    return log


def run_atheris(target: Target, seconds: float, n_cases: int, seed: int, folder: Path) -> Log:
    """Let atheris choose the inputs, in a process of its own that ends at the first crash."""
    own = folder / f"{target.name}-atheris"
    corpus = own / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for index, data in enumerate(target.seeds()):
        (corpus / f"seed-{index}").write_bytes(data)
    words = [f"-max_total_time={min(seconds, 1e6):.0f}", f"-runs={min(n_cases, 2**31 - 1)}", f"-seed={seed + 1}"]
    words += [f"-timeout={target.patience_seconds}", f"-rss_limit_mb={MEMORY_BYTES >> 20}", "-max_len=20000"]
    words += [f"-artifact_prefix={own}/", str(corpus)]
    code = "import sys; sys.path[:0] = sys.argv[1:3]; from fuzz_atheris import serve; serve()"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(HERE), str(HERE.parent), target.name, *words],
        cwd=HERE.parent.parent, capture_output=True, check=False,
    )  # fmt: skip
    said = done.stderr.decode(errors="replace")
    log = Log(target, folder)
    log.counts["tried by atheris"] = max(map(int, re.findall(r"^(?:#|Done )(\d+)", said, re.M)), default=0)
    if done.returncode:
        artifacts = [path for path in own.iterdir() if path.is_file()]
        log.add("crashed", artifacts[0].read_bytes() if artifacts else b"", said[-5000:])
    return log


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all if left out")
    parser.add_argument("--seconds", type=float, default=1e9, help="for each target")
    parser.add_argument("--cases", type=int, default=10**12, help="for each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("fuzz-out"), help="folder of the crashes")
    parser.add_argument("--engine", choices=["random", "atheris"], default="random")
    asked = parser.parse_args()
    unknown = set(asked.targets) - set(TARGETS)
    if unknown or (asked.seconds == 1e9 and asked.cases == 10**12):
        parser.error(f"no target {', '.join(unknown)}" if unknown else "expected --seconds or --cases")
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    n_crashes = 0
    for name in asked.targets or TARGETS:
        engine = run_atheris if asked.engine == "atheris" else run
        log = engine(TARGETS[name], asked.seconds, asked.cases, asked.seed, asked.out)
        print(log, flush=True)
        n_crashes += log.counts["crashed"]
    return 1 if n_crashes else 0


if __name__ == "__main__":
    sys.exit(main())
