"""What a notebook shows of a score: well-formed, complete, harmless, and without a network."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

from hypothesis import given, settings
from score_strategies import scores

from symgen.io.notebook import roll_svg, score_html
from symgen.score import Marker, Note, Score, TempoChange, Track

SVG = "{http://www.w3.org/2000/svg}"


def played(page: str) -> list[list[float]]:
    """The notes that the page's player has."""
    found: list[list[float]] = json.loads(re.search(r'data-notes="([^"]*)"', page)[1])  # type: ignore[index]
    return found


@settings(max_examples=60, deadline=None)
@given(scores())
def test_every_note_is_seen_and_heard(score: Score) -> None:
    root = ET.fromstring(roll_svg(score))
    groups = root.findall(f"{SVG}g")
    assert [len(group.findall(f"{SVG}rect")) for group in groups] == [len(t.notes) for t in score.tracks]
    page = score_html(score)
    if score.n_notes:
        expected = sorted(
            (round(float(score.tempo_map.seconds(n.onset_steps)), 4), n.pitch) for t in score.tracks for n in t.notes
        )
        assert sorted((row[0], int(row[2])) for row in played(page)) == expected
    else:
        assert "<button" not in page


def test_pitches_go_up_and_time_goes_right() -> None:
    score = Score(4, (Track("T", (Note(0, 4, 60), Note(8, 8, 72, 127))),), tempos=(TempoChange(0, 60.0),))
    low, high = ET.fromstring(roll_svg(score)).find(f"{SVG}g").findall(f"{SVG}rect")  # type: ignore[union-attr]
    assert float(low.get("y", 0)) > float(high.get("y", 0))
    assert (float(low.get("x", 0)), float(high.get("x", 0))) == (0.0, 450.0)
    assert float(high.get("width", 0)) > 2 * float(low.get("width", 0))
    assert played(score_html(score)) == [[0.0, 1.0, 60, 80, 0], [2.0, 2.0, 72, 127, 0]]


def test_names_are_text_and_nothing_else() -> None:
    name = "</title><script>alert(1)</script>"
    score = Score(4, (Track(name, (Note(0, 1, 60),)),), markers=(Marker(0, name),))
    assert "<script" not in score_html(score)
    assert ET.fromstring(score_html(score)).tag == "div"


def test_no_network_and_the_same_page_each_time() -> None:
    score = Score(4, (Track("T", (Note(0, 1, 60),)),))
    page = score._repr_html_()
    assert page == score_html(score)
    assert set(re.findall(r"https?://[^\"' ]*", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(src|href|fetch|import)\b", page)


def test_long_music_is_cut_and_says_so() -> None:
    score = Score(4, (Track("T", tuple(Note(i, 1, 60 + i % 12) for i in range(9000))),))
    page = score_html(score)
    assert "9,000 notes · the first 6,000 shown" in page
    assert len(played(page)) == 6000
    assert len(page) < 1_500_000
    assert "shown" not in score_html(replace(score, tracks=()))
