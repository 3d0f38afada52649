"""docs/band.md has the tables that its script writes, and names what there is."""

import re
import sys
from pathlib import Path

import pytest

from symgen.band.bass import BASSES
from symgen.band.textures import TEXTURES

DOCS = Path(__file__).parent.parent / "docs"
WRITTEN = (DOCS / "band.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script():
    """Return the module that makes the tables; it is no part of the packages."""
    sys.path.insert(0, str(DOCS))
    try:
        yield __import__("make_band")
    finally:
        sys.path.remove(str(DOCS))
        sys.modules.pop("make_band", None)


def test_the_tables_are_up_to_date(script):
    assert script.written(WRITTEN) == WRITTEN


def test_every_texture_and_bass_is_told_of():
    told = set(re.findall(r"`([a-z-]+)`", WRITTEN))
    short = {f"-{name.rpartition('-')[2]}" for name in TEXTURES}
    for name in [*TEXTURES, *BASSES]:
        assert name in told or (f"-{name.rpartition('-')[2]}" in told & short), name


def test_pictures_and_pages_that_are_linked_are_there():
    for page in (DOCS / "band.md", DOCS / "gallery" / "README.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), link
