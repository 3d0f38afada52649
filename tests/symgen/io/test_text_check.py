"""Time signatures that would keep a library busy for hours, refused with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from symgen.errors import FileFormatError
from symgen.io import load
from symgen.io.text_check import check_text


@pytest.mark.parametrize(("name", "text", "line"), [
    ("a.abc", "X:1\nM:6M:6M:6M:6M:6/8\nK:C\nCDE|", 2),
    ("a.abc", "X:1\nM:4/4\nK:C\nCDE|[M:256/4]C|", 4),
    ("a.abc", "X:1\nM:4/99999\nK:C\nCDE|", 2),
    ("a.krn", "**kern\n*M4/4\n=1\n*M99999/4\n4c\n*-\n", 4),
    ("a.musicxml", "<?xml version='1.0'?>\n<score-partwise><time><beats>99999</beats></time></score-partwise>", 2),
    ("a.musicxml", "<?xml version='1.0'?>\n<time>\n<beats>4</beats><beat-type>1e9</beat-type></time>", 3),
])  # fmt: skip
def test_what_can_be_no_metre(name: str, text: str, line: int, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError, match=rf"{name}: line {line}: time signature '.*': expected one such as 4/4"):
        load(tmp_path / name)


@pytest.mark.parametrize("notes", ["C99999", "C/12345", "w999999999:l|", "[CE]100000", "(3:2:99999CDE"])
def test_what_can_be_no_length(notes: str, tmp_path: Path) -> None:
    (tmp_path / "a.abc").write_text(f"X:1\nM:4/4\nK:C\nCDEF|\n{notes}|\n", encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"a\.abc: line 5: length \d+: expected one of at most three digits"):
        load(tmp_path / "a.abc")


@pytest.mark.parametrize(("kind", "text"), [
    ("abc", 'X:123456\nT:Opus 123456\nK:C\n"from 123456"C123 % 123456\nw:123456\n'),
    *(("abc", f"X:1\nM:{meter}\nK:C\nC") for meter in (
        "4/4", "C", "C|", "none", "", "2+3+2/8", "(2+3)/8", "12/8 % slow", "255/4", " 6/8 ", "3 / 4", "free", "FREI4/4",
    )),
    ("abc", "X:1\nK:C\n[M:3/4]C [M:C|]D"),
    ("humdrum", "*M4/4\t*M4/4\n*MM120\n*M3+2/8\t*M?"),
    ("musicxml", '<beats>3+2</beats><beat-type>8</beat-type><beats x="1"> 4 </beats><beat-unit>quarter</beat-unit>'),
])  # fmt: skip
def test_what_may_be_one(kind: str, text: str) -> None:
    check_text(text, kind, "song")
