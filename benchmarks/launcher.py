"""Run a command and print what it took, as JSON.

A program of its own, and a small one: where processes are forked, the peak memory of a child counts
from its parent's, so the parent must be smaller than anything that is measured. POSIX only.
"""

import json
import os
import subprocess
import sys
import time

_BYTES = 1 if sys.platform == "darwin" else 1024  # what systems count peak memory in


def main(arguments: list[str]) -> int:
    """Run the command, print its times and peak memory, and return its exit code."""
    start = time.perf_counter()
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    taken = {
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "wall_seconds": time.perf_counter() - start,
        "peak_bytes": usage.ru_maxrss * _BYTES,
    }
    process.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps(taken))
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
