"""What this installation has, what it lacks, and the one command that mends it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata, resources
from pathlib import Path

from packaging.requirements import Requirement

from symgen.errors import MissingDependencyError, SymgenError

__all__ = ["Check", "diagnose"]

_OLDEST_PYTHON = (3, 11)
_FOR_DEVELOPERS = frozenset({"dev", "docs"})
_EXTRAS = {
    "bundled-fluidsynth": "FluidSynth without a system package",
    "effects": "render --effect",
    "bench": "the peers of the benchmarks",
}
_CHECKPOINT = "line-main"
_TICKS, _NOTE = 480, b"\0\x90\x3c\x64\x83\x60\x80\x3c\0\0\xff\x2f\0"  # middle C for a quarter note


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name
        Of the thing.
    is_well
        Whether it is as it should be.
    found
        What is there, or what is wrong.
    mend
        The command that mends it; empty where it is well.
    is_needed
        Whether ``generate`` or ``render`` would fail without it.
    """

    name: str
    is_well: bool
    found: str
    mend: str = ""
    is_needed: bool = True


def diagnose() -> Iterator[Check]:
    """Look at one thing after the other: Python, packages, FluidSynth, soundfonts, checkpoints, and both main jobs.

    Yields
    ------
    Check
        In that order; what can be left out comes after what is needed. The last two are a song made and rendered in
        memory, whatever the others say.
    """
    yield _python()
    yield from _packages()
    library = _tried("libfluidsynth", _library, "")
    yield library if library.is_well else replace(library, mend=_way_to_a_library())
    yield _tried("soundfont", _soundfont, "pip install pretty_midi")
    yield from _checkpoints()
    yield _tried("audio formats", _formats, "pip install --upgrade soundfile", is_needed=False)
    yield from _extras()
    yield _tried("render", _render, "mend what is wrong above")
    yield _tried("generate", _generate, "mend what is wrong above")


def _python() -> Check:
    is_well = sys.version_info >= _OLDEST_PYTHON
    oldest = ".".join(map(str, _OLDEST_PYTHON))
    return Check("Python", is_well, platform.python_version(), "" if is_well else f"install Python {oldest} or newer")


def _packages() -> Iterator[Check]:
    """Look at each package that symgen asks for, by what is recorded of it: nothing is imported."""
    try:
        yield Check("symgen", True, metadata.version("symgen"))
    except metadata.PackageNotFoundError:
        yield Check("symgen", False, "not installed as a package", "pip install -e .", is_needed=False)
        return
    for requirement in _requirements(""):
        yield _package(requirement, is_needed=True, install=f"pip install '{requirement.name}{requirement.specifier}'")


def _extras() -> Iterator[Check]:
    """Look at what is optional."""
    try:
        extras = metadata.metadata("symgen").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return
    for extra in extras:
        if extra in _FOR_DEVELOPERS:
            continue
        for requirement in _requirements(extra):
            what = f" (for {_EXTRAS[extra]})" if extra in _EXTRAS else ""
            yield _package(requirement, is_needed=False, install=f"pip install 'symgen[{extra}]'", purpose=what)


def _requirements(extra: str) -> list[Requirement]:
    """Return what symgen requires on this machine, for an extra or for none."""
    every = [Requirement(text) for text in metadata.requires("symgen") or []]
    always = [one for one in every if one.marker is None or one.marker.evaluate({"extra": ""})]
    if not extra:
        return always
    return [one for one in every if one not in always and one.marker and one.marker.evaluate({"extra": extra})]


def _package(requirement: Requirement, *, is_needed: bool, install: str, purpose: str = "") -> Check:
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return Check(requirement.name, False, f"not installed{purpose}", install, is_needed)
    if not requirement.specifier.contains(version, prereleases=True):
        return Check(requirement.name, False, f"{version}: expected {requirement.specifier}", install, is_needed)
    return Check(requirement.name, True, version + purpose, is_needed=is_needed)


def _tried(name: str, look: Callable[[], str], mend: str, *, is_needed: bool = True) -> Check:
    """Run a look at something; what it raises is what is wrong."""
    try:
        return Check(name, True, look(), is_needed=is_needed)
    except MissingDependencyError as error:
        what, _, advice = str(error).partition("; ")
        return Check(name, False, what, mend or advice, is_needed)
    except (SymgenError, OSError, ImportError, ValueError, KeyError) as error:
        return Check(name, False, " ".join(str(error).split()), mend, is_needed)


def _library() -> str:
    from symgen.render.library import load_library

    library = load_library()
    return f"{library.version}, of the {library.source}: {library.path}".replace("of the named", "as named")


def _way_to_a_library() -> str:
    """Return the one command that needs no rights, where there is one."""
    from symgen.render.library import ENVIRONMENT_VARIABLE

    if os.environ.get(ENVIRONMENT_VARIABLE):
        return f"unset {ENVIRONMENT_VARIABLE}"
    return "choco install fluidsynth" if sys.platform == "win32" else "pip install 'symgen[bundled-fluidsynth]'"


def _soundfont() -> str:
    from symgen.pipeline.soundfonts import FontEntry
    from symgen.render.soundfont import all_soundfonts, find_soundfont

    entry = FontEntry.of(find_soundfont())
    return f"{entry.path}, {entry.digest[:12]}, licence {entry.licence}; {len(all_soundfonts())} in all"


def _formats() -> str:
    import soundfile

    missing = {"FLAC", "OGG", "MP3"} - set(soundfile.available_formats())
    if missing:
        msg = f"libsndfile {soundfile.__libsndfile_version__} has no {', '.join(sorted(missing))}"
        raise MissingDependencyError(msg)
    return f"WAV, FLAC, OGG, MP3; libsndfile {soundfile.__libsndfile_version__}"


def _checkpoints() -> Iterator[Check]:
    """Hold the weights of each checkpoint that ships with symgen to the digest in its configuration."""
    folder = Path(str(resources.files("symgen.checkpoints")))
    names = {path.parent.name for path in folder.glob("*/config.json")} | {_CHECKPOINT}
    for name in sorted(names, key=lambda name: (name != _CHECKPOINT, name)):
        place = folder / name
        yield _tried(
            f"checkpoint {name}",
            lambda place=place: _digest(place),  # type: ignore[misc]
            "pip install --force-reinstall --no-deps symgen",
            is_needed=name == _CHECKPOINT,
        )


def _digest(folder: Path) -> str:
    wanted = str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["sha256"])
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if found != wanted:
        msg = f"damaged: its SHA-256 is {found[:12]}, expected {wanted[:12]}"
        raise ValueError(msg)
    return found[:12]


def _render() -> str:
    from symgen.render.audio import render

    head = b"MThd\0\0\0\6\0\0\0\1" + _TICKS.to_bytes(2, "big")
    sound = render(head + b"MTrk" + len(_NOTE).to_bytes(4, "big") + _NOTE, tail_max_seconds=0.5)
    return f"a note of {sound.duration_seconds:.1f} s"


def _generate() -> str:
    from symgen.pipeline.generate import generate

    song = generate(bars=1, seed=0)
    return f"a bar of {song.n_notes} notes"
