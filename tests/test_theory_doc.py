"""docs/theory.md is what its script writes, and has a picture of each rule kept and broken."""

import importlib.util
from pathlib import Path

import pytest

from theory.rules import RULES
from theory.rules.text import rule_name
from theory.rules.voicesets import VOICE_RULES

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_theory", DOCS / "make_theory.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_text_is_what_the_script_writes(script):
    written = (DOCS / "theory.md").read_text(encoding="utf-8")
    assert written == script.text()
    assert all(f"- `{rule_name(kind)}" in written for kind in VOICE_RULES)


@pytest.mark.parametrize("kind", RULES)
def test_every_rule_has_its_pictures(kind):
    for name in ("broken", "kept"):
        assert (DOCS / "images" / "rules" / f"{rule_name(kind)}-{name}.svg").stat().st_size > 1000
