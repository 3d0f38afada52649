"""Both ways to FluidSynth, each in a process of its own because the library is loaded once."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from measurements import SOUNDFONT
from midi_files import note, one_track

from symgen.errors import MissingDependencyError
from symgen.render.library import ENVIRONMENT_VARIABLE, bundled_library, load_library

RENDER = """
import hashlib, sys
from pathlib import Path
from symgen.render import render
result = render(Path(sys.argv[1]), soundfont=sys.argv[2])
print(result.library_version, hashlib.sha256(result.samples.tobytes()).hexdigest(), result.peak > 0.5)
"""
WITHOUT_SYSTEM = "from symgen.render import library; library._system_candidates = lambda: iter(())\n"
WITHOUT_ANY = WITHOUT_SYSTEM + "library.bundled_library = lambda: None\n"


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(one_track(*note(0, 240, 60), *note(240, 240, 67)))
    return path


def run(code, *arguments, **environment):
    settings = {key: value for key, value in os.environ.items() if key != ENVIRONMENT_VARIABLE} | environment
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=settings, check=False)


@pytest.fixture
def bundled():
    path = bundled_library()
    if path is None:
        pytest.skip("no pygame wheel is installed: pip install 'symgen[bundled-fluidsynth]'")
    return path


def test_the_library_is_there_and_new_enough():
    library = load_library()
    assert int(library.version.split(".")[0]) >= 2
    assert library is load_library()


def test_renders_are_the_same_in_every_process(song):
    named = {key: value for key, value in os.environ.items() if key == ENVIRONMENT_VARIABLE}
    first, second = (run(RENDER, song, SOUNDFONT, **named) for _ in range(2))
    assert first.stderr == ""
    assert first.stdout == second.stdout
    version, digest, is_loud = first.stdout.split()
    assert version == load_library().version
    assert is_loud == "True"
    from symgen.render import render

    assert digest == hashlib.sha256(render(song, soundfont=SOUNDFONT).samples.tobytes()).hexdigest()


def test_the_wheels_library_by_name(song, bundled):
    done = run(RENDER, song, SOUNDFONT, **{ENVIRONMENT_VARIABLE: str(bundled)})
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("True\n")


def test_the_wheels_library_is_found_where_the_system_has_none(song, bundled):
    where = "\nprint(library.load_library().path)"
    done = run(WITHOUT_SYSTEM + RENDER + where, song, SOUNDFONT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(bundled)


def test_other_packages_keep_the_bindings_they_have(bundled):
    # pretty_midi imports pyfluidsynth too; ours must not be bound to its library, nor it to ours. It is helped to a
    # library here, for its own search looks at the system's alone.
    code = "import ctypes.util, sys; search = ctypes.util.find_library\n"
    code += "ctypes.util.find_library = lambda _: sys.argv[1]\n"
    code += "import fluidsynth as before; ctypes.util.find_library = search\n"
    code += "from symgen.render.library import load_library; ours = load_library()\n"
    code += "print(sys.modules['fluidsynth'] is before, ours.api is before, ours.path == ours.api.lib)"
    done = run(code, bundled, **{ENVIRONMENT_VARIABLE: str(bundled)})
    assert done.stdout.splitlines()[-1] == "True False True", done.stderr  # where CI is set it prints before that


def test_without_any_library_the_error_says_the_commands(song):
    done = run(WITHOUT_ANY + RENDER, song, SOUNDFONT)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("symgen.errors.MissingDependencyError: FluidSynth was not found; install it with `")
    assert '`pip install "symgen[bundled-fluidsynth]"`' in last


def test_a_named_library_that_does_not_load_is_named(tmp_path):
    path = tmp_path / "libfluidsynth.so"
    path.write_text("nothing")
    done = run("from symgen.render.library import load_library; load_library()", **{ENVIRONMENT_VARIABLE: str(path)})
    assert f"SYMGEN_FLUIDSYNTH names no library that loads ({path}" in done.stderr.splitlines()[-1]


def test_a_library_that_is_not_fluidsynth_is_refused():
    code = "import symgen.render.library as l, ctypes.util; import os; os.environ['SYMGEN_FLUIDSYNTH'] = "
    code += "ctypes.util.find_library('m'); l.load_library()"
    if sys.platform == "linux":
        done = run(code)
        assert "names no library that loads" in done.stderr.splitlines()[-1]
        assert "not FluidSynth" in done.stderr.splitlines()[-1]


def test_nothing_is_loaded_before_it_is_used():
    heavy = ["torch", "music21", "matplotlib", "symusic", "pretty_midi", "fluidsynth", "soundfile", "mido"]
    code = f"import sys, symgen.render; print([name for name in {heavy} if name in sys.modules])"
    assert run(code).stdout == "[]\n"


def test_the_error_is_an_import_error_too():
    assert issubclass(MissingDependencyError, ImportError)
    assert Path(SOUNDFONT).exists()
