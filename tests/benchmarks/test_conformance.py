"""The conformance report: what it counts, what it lists, and when it fails."""

from pathlib import Path

import pytest

from benchmarks import conformance

_HEAD = "Composer: A\nTime Signature: 4/4\n\n"


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    folder = tmp_path / conformance.FOLDER / "Someone" / "A piece"
    folder.mkdir(parents=True)
    (folder / "analysis.txt").write_text(_HEAD + "m1 C: I b3 V65/V\nm2 V7 b3 I\n", encoding="utf-8")
    (folder / "analysis_B.txt").write_text(_HEAD + "m1 a: i b3 VM7 b4 VM7\nm2 I6+ b3 i\nm3 I6+\n", encoding="utf-8")
    (folder / "other.txt").write_text("not an analysis", encoding="utf-8")
    return tmp_path


def test_it_counts_and_gives_reasons(corpora: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance.main(["--corpora", str(corpora)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[2:10] == [
        "| files | 2 |",
        "| read | 2 |",
        "| numerals written | 10 |",
        "| of them read | 8 |",
        "| different numerals | 6 |",
        "| different numerals in their keys | 6 |",
        "| read otherwise by music21 | 1 |",
        "| times they are written | 2 |",
    ]
    assert "| 1 | 2 | `VM7` in A minor | music21 passes over M and takes the seventh of the scale |" in printed
    assert printed[-1] == "| `I6+` | Someone/A piece/analysis_B.txt: 5, 6 |"


def test_a_file_that_cannot_be_read_fails(corpora: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = corpora / conformance.FOLDER / "analysis_C.txt"
    bad.write_text("m1 C: I b2 quux\n", encoding="utf-8")
    assert conformance.main(["--corpora", str(corpora)]) == 1
    assert "analysis_C.txt" in capsys.readouterr().out.splitlines()[-1]


def test_a_difference_without_a_reason_fails(corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "REASONS", ((r"VM7", "root", "no: the notes differ"), (r"I$", "notes", "another")))
    assert conformance.main(["--corpora", str(corpora)]) == 1


def test_an_empty_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        conformance.main(["--corpora", str(tmp_path)])
    assert "expected files named analysis*.txt" in capsys.readouterr().err
