"""FluidSynth's library: found, loaded and bound, on the first use and never at import.

The search goes from what the user names to what the machine has to what a wheel carries:

1. the file named by the environment variable ``SYMGEN_FLUIDSYNTH``;
2. the system's library;
3. the library inside the ``pygame-ce`` wheel, where no system package can be installed.

The bindings are pyfluidsynth's. It looks for the library while it is being imported and fails
there, so this module runs a copy of its own, bound to the library found above; the ``fluidsynth`` that
other packages may have imported stays as it is.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import importlib.util
import io
import os
import re
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from symgen.errors import MissingDependencyError

__all__ = ["ENVIRONMENT_VARIABLE", "Library", "bundled_library", "load_library"]

ENVIRONMENT_VARIABLE = "SYMGEN_FLUIDSYNTH"
"""Names a library file to use instead of searching."""

_OLDEST = (2, 0, 0)
_SONAMES = {
    "linux": ("libfluidsynth.so.3", "libfluidsynth.so.2"),
    "darwin": ("libfluidsynth.3.dylib", "libfluidsynth.dylib"),
    "win32": ("libfluidsynth-3.dll", "fluidsynth-3.dll", "libfluidsynth-2.dll"),
}
_FOLDERS = {
    "darwin": ("/opt/homebrew/lib", "/usr/local/lib", "/opt/local/lib"),
    "win32": ("C:/tools/fluidsynth/bin",),
}
_BUNDLED = re.compile(r"libfluidsynth.*\.(so|dylib|dll)(\.\d+)*")
_LOG_LEVELS = 4  # panic, error, warning and information; debugging is off by default
_LOG_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """A loaded library.

    Parameters
    ----------
    api
        The pyfluidsynth module bound to the library; untyped.
    path
        What was loaded: a path, or a name the system's loader resolved.
    version
        Such as ``2.3.1``.
    source
        Where it came from: ``named`` by the user, the ``system`` or a ``wheel``.
    log
        What the library says, as (level, text), newest last; levels are 0 (panic) to 3 (information).
    log_callback
        Held here because C keeps no reference to it.
    """

    api: Any
    path: str
    version: str
    source: str
    log: deque[tuple[int, str]]
    log_callback: Any


@cache
def load_library() -> Library:
    """Return the library; found and loaded on the first call.

    Raises
    ------
    MissingDependencyError
        If there is none, or it is too old; the message says the command that mends it.
    """
    reasons = []
    for source, candidate in _candidates():
        try:
            library = ctypes.CDLL(candidate)
        except OSError as error:
            reasons.append(f"{candidate}: {error}")
            continue
        if hasattr(library, "fluid_version"):
            return _bind(candidate, source)
        reasons.append(f"{candidate}: not FluidSynth")
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    what = f"{ENVIRONMENT_VARIABLE} names no library that loads ({reasons[0]})" if named else "FluidSynth was not found"
    msg = f"{what}; {_remedy()}"
    raise MissingDependencyError(msg)


def bundled_library() -> Path | None:
    """Return the library file that an installed pygame wheel carries, if there is one."""
    from importlib import metadata

    for distribution in ("pygame-ce", "pygame"):
        try:
            files = metadata.files(distribution) or []
        except metadata.PackageNotFoundError:
            continue
        for file in files:
            if _BUNDLED.fullmatch(file.name):
                return Path(str(file.locate()))
    return None


def _candidates() -> Iterator[tuple[str, str]]:
    """Yield what to try to load and where it comes from, best first."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        yield "named", named
        return
    yield from (("system", candidate) for candidate in _system_candidates())
    bundled = bundled_library()
    if bundled:
        yield "wheel", str(bundled)


def _system_candidates() -> Iterator[str]:
    sonames = _SONAMES.get(sys.platform, _SONAMES["linux"])
    yield from sonames
    prefix = os.environ.get("HOMEBREW_PREFIX")
    folders = [*([f"{prefix}/lib"] if prefix else []), *_FOLDERS.get(sys.platform, ()), f"{sys.prefix}/lib"]
    yield from (str(Path(folder, name)) for folder in folders for name in sonames if Path(folder, name).exists())
    for name in ("fluidsynth", "libfluidsynth"):
        found = ctypes.util.find_library(name)
        if found:
            yield found


def _remedy() -> str:
    if sys.platform == "darwin":
        install = "`brew install fluid-synth`"
    elif sys.platform == "win32":
        install = "`choco install fluidsynth`"
    else:
        install = "`apt-get install libfluidsynth3` (or your system's package of that library)"
    wheel = (
        "" if sys.platform == "win32" else ', or without a system package `pip install "symgen[bundled-fluidsynth]"`'
    )
    return f"install it with {install}{wheel}"


def _bind(path: str, source: str) -> Library:
    """Bind pyfluidsynth's functions to a library that loads, and listen to what the library says."""
    api = _run_pyfluidsynth(path)
    version = _version(api)
    if version < _OLDEST:
        msg = f"FluidSynth {'.'.join(map(str, version))} at {path} is too old: expected 2.0 or newer; {_remedy()}"
        raise MissingDependencyError(msg)
    log: deque[tuple[int, str]] = deque(maxlen=1000)

    def listen(level: int, text: bytes | None, _data: int | None) -> None:
        words = (text or b"").decode("utf-8", "replace").split()  # of a damaged file, anything may be quoted
        log.append((level, "".join(c if c.isprintable() else "?" for c in " ".join(words))))

    callback = _LOG_CALLBACK(listen)
    set_log_function = api.cfunc(
        "fluid_set_log_function",
        ctypes.c_void_p,
        ("level", ctypes.c_int, 1),
        ("fun", _LOG_CALLBACK, 1),
        ("data", ctypes.c_void_p, 1),
    )
    for level in range(_LOG_LEVELS):
        set_log_function(level, callback, None)
    return Library(api, path, ".".join(map(str, version)), source, log, callback)


def _run_pyfluidsynth(path: str) -> Any:
    """Run pyfluidsynth's module once more, so that its search finds ``path``."""
    spec = importlib.util.find_spec("fluidsynth")
    if spec is None or spec.loader is None:
        msg = "pyfluidsynth is not installed: `pip install pyfluidsynth`"
        raise MissingDependencyError(msg)
    module = importlib.util.module_from_spec(spec)
    with _found_library(path), contextlib.redirect_stdout(io.StringIO()):  # it prints where CI is set
        spec.loader.exec_module(module)
    if not hasattr(module, "cfunc"):
        mend = "`pip uninstall fluidsynth pyfluidsynth`, then `pip install pyfluidsynth`"
        msg = f"another package named `fluidsynth` hides pyfluidsynth: {mend}"
        raise MissingDependencyError(msg)
    return module


@contextlib.contextmanager
def _found_library(path: str) -> Iterator[None]:
    """Make ``ctypes.util.find_library`` answer ``path`` inside the block."""
    original = ctypes.util.find_library
    ctypes.util.find_library = lambda name: path
    try:
        yield
    finally:
        ctypes.util.find_library = original


def _version(api: Any) -> tuple[int, int, int]:
    major, minor, micro = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    api.fluid_version(major, minor, micro)
    return major.value, minor.value, micro.value
