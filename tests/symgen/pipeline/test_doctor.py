"""What the doctor sees, and what it makes of a missing thing."""

import hashlib
import json
from importlib import metadata

import pytest

from symgen.pipeline import doctor
from symgen.pipeline.doctor import diagnose


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The song at the end takes seconds, and so do some soundfonts; the commands' tests have both."""
    monkeypatch.setattr(doctor, "_generate", lambda: "a bar")
    monkeypatch.setattr("symgen.render.soundfont._SYSTEM_FOLDERS", ())


def found():
    return {check.name: check for check in diagnose()}


def test_all_is_well_here():
    checks = found()
    assert [check for check in checks.values() if check.is_needed and not check.is_well] == []
    assert {"Python", "numpy", "torch", "libfluidsynth", "soundfont", "checkpoint line-main", "render"} <= set(checks)
    assert checks["numpy"].found == metadata.version("numpy")
    assert all(not check.mend for check in checks.values() if check.is_well)
    assert all(check.mend for check in checks.values() if not check.is_well)
    assert list(checks)[-2:] == ["render", "generate"]


def test_a_package_that_is_missing_or_too_old(monkeypatch):
    real = metadata.version

    def version(name):
        if name == "rich":
            raise metadata.PackageNotFoundError
        return "0.0.1" if name == "numpy" else real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    checks = found()
    assert not checks["rich"].is_well
    assert checks["rich"].mend == "pip install 'rich>=13'"
    assert checks["numpy"].found == "0.0.1: expected >=1.26"


def test_an_extra_is_optional(monkeypatch):
    real = metadata.version

    def version(name):
        if name == "pedalboard":
            raise metadata.PackageNotFoundError
        return real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    check = found()["pedalboard"]
    assert (check.is_well, check.is_needed) == (False, False)
    assert check.mend == "pip install 'symgen[effects]'"


def test_no_library_no_render(monkeypatch):
    from symgen.errors import MissingDependencyError

    def none():
        msg = "FluidSynth was not found; install it"
        raise MissingDependencyError(msg)

    monkeypatch.setattr("symgen.render.library.load_library", none)
    monkeypatch.setattr("symgen.render.audio.load_library", none)
    monkeypatch.delenv("SYMGEN_FLUIDSYNTH", raising=False)
    checks = found()
    assert checks["libfluidsynth"].found == "FluidSynth was not found"
    assert "symgen[bundled-fluidsynth]" in checks["libfluidsynth"].mend or "choco" in checks["libfluidsynth"].mend
    assert not checks["render"].is_well
    monkeypatch.setenv("SYMGEN_FLUIDSYNTH", "/nowhere")
    assert found()["libfluidsynth"].mend == "unset SYMGEN_FLUIDSYNTH"


def test_no_soundfont_no_render(monkeypatch):
    monkeypatch.setattr("symgen.render.soundfont.soundfont_folders", lambda: ())
    checks = found()
    assert not checks["soundfont"].is_well
    assert checks["soundfont"].mend == "pip install pretty_midi"
    assert not checks["render"].is_well


def test_a_checkpoint_whose_weights_changed(tmp_path, monkeypatch):
    for name, damage in (("line-main", b"x"), ("other", b"")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(b"weights" + damage)
        config = json.dumps({"sha256": hashlib.sha256(b"weights").hexdigest()})
        (tmp_path / name / "config.json").write_text(config)
    monkeypatch.setattr(doctor.resources, "files", lambda name: tmp_path)
    checks = found()
    assert checks["checkpoint line-main"].found.startswith("damaged: its SHA-256 is ")
    assert checks["checkpoint line-main"].is_needed
    assert checks["checkpoint other"].is_well
    assert not checks["checkpoint other"].is_needed


def test_a_checkpoint_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.resources, "files", lambda name: tmp_path)
    assert not found()["checkpoint line-main"].is_well
