"""The direction of imports, read from the sources, and what importing the packages must not load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# From the bottom up; a module may import from rows below its own, and from its own part of a row.
ROWS = [
    {"theory"},
    {"symgen.errors"},
    {"symgen.files"},
    {"symgen.grid", "symgen.slots", "symgen.sliders"},
    {"symgen.score"},
    {"symgen.roll", "symgen.alphabet", "symgen.io", "symgen.moments"},
    {"symgen.conditions", "symgen.potentials"},
    {"symgen.corpora", "symgen.checkpoints"},
    {"symgen.corpus", "symgen.model", "symgen.decode", "symgen.render", "symgen.evaluate"},
    {"symgen.band"},  # its walking bass and its counter-melody are drawn by the decoder's trellis
    {"symgen.pipeline"},
    {"symgen"},
    {"symgen.cli"},
]
# A score knows how to save and to audit itself: these imports stand inside methods and run when they are called.
LATE = {("symgen.score", "symgen.io"), ("symgen.score", "symgen.moments")}


def part_of(module: str) -> str:
    """Return the part that a module belongs to: the package for theory, the second word within symgen."""
    words = module.split(".")
    return words[0] if words[0] == "theory" else ".".join(words[:2])


def row_of(part: str) -> int:
    return next(i for i, row in enumerate(ROWS) if part in row)


def modules():
    for package in ("theory", "symgen"):
        for path in sorted((ROOT / package).rglob("*.py")):
            words = path.relative_to(ROOT).with_suffix("").parts
            yield path, ".".join(words[:-1] if words[-1] == "__init__" else words)


def imports_of(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            # ``from symgen import io`` names a part of the package, not the package.
            if node.module == "symgen":
                yield from (f"symgen.{alias.name}" for alias in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_every_module_has_a_row():
    for _, module in modules():
        row_of(part_of(module))


def test_imports_point_down():
    wrong = []
    for path, module in modules():
        mine = part_of(module)
        for imported in imports_of(path):
            if imported.split(".")[0] not in {"theory", "symgen"} or module == "symgen":
                continue
            theirs = part_of(imported)
            if theirs == mine or (mine, theirs) in LATE:
                continue
            if row_of(theirs) >= row_of(mine):
                wrong.append(f"{module} imports {imported}")
    assert wrong == []


@pytest.mark.parametrize("package", ["torch", "safetensors"])
def test_only_the_model_imports_torch(package):
    for path, module in modules():
        if not module.startswith("symgen.model"):
            assert all(name.split(".")[0] != package for name in imports_of(path)), module


def test_importing_the_packages_loads_nothing_heavy():
    heavy = ["torch", "music21", "matplotlib", "fluidsynth", "symusic", "pretty_midi", "mido", "scipy", "typer"]
    code = f"import sys, symgen, theory; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
