"""One reader under atheris: all code of this project that it reaches is watched, and inputs grow towards more."""

from __future__ import annotations

import contextlib
import io
import sys

from fuzz_targets import TARGETS, outcome_in_any_time

__all__ = ["serve"]


def serve() -> None:
    """Fuzz the reader that the third word of the command line names; the words after it are libFuzzer's."""
    import atheris

    name, *words = sys.argv[3:]
    target = TARGETS[name]
    with atheris.instrument_imports(include=["symgen", "theory"]):
        for seed in target.seeds():  # what is imported late is imported now
            with contextlib.redirect_stdout(io.StringIO()):
                outcome_in_any_time(target, seed)

    def attempt(data: bytes) -> None:
        outcome_in_any_time(target, data)

    atheris.Setup([sys.argv[0], *words], attempt)
    atheris.Fuzz()
