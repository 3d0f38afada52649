"""What a notebook shows of a score: well-formed, complete, harmless, and without a network."""

from __future__ import annotations

import json
import queue
import re
import shutil
import subprocess
import threading
import xml.etree.ElementTree as ET
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
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


BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Presses the button, looks once the line has moved, presses again; what it saw is sent back.
SCRIPT = """<script>
const box = document.querySelectorAll(".symgen-score")[1], button = box.querySelector("button"), seen = [];
const line = box.querySelector(".now"), x = () => Number(line.getAttribute("x1") || 0);
const n = () => Number(box.dataset.played || 0);
const look = () => seen.push([n(), button.textContent, line.getAttribute("visibility"), x()]);
const done = () => { look(); button.click(); look(); fetch("/seen", {method: "POST", body: JSON.stringify(seen)}); };
window.onerror = (message) => { seen.push(message); done(); };
look(); button.click();
const timer = setInterval(() => { if (x() > 100) { clearInterval(timer); done(); } }, 50);
</script>"""


class Page(BaseHTTPRequestHandler):
    """Serves one page, and takes what its script has seen."""

    html = ""
    seen: queue.Queue[list[Any]] = queue.Queue()

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.html.encode() if self.path == "/" else b"")

    def do_POST(self) -> None:
        self.seen.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_a_browser_plays_it_without_a_network(tmp_path: Path) -> None:
    """Two scores on one page, so that each has its own button and line."""
    notes = tuple(Note(4 * i, 4, 60 + i) for i in range(8))
    score = Score(4, (Track("Melody", notes), Track("Drums", notes, is_drum=True)), tempos=(TempoChange(0, 60.0),))
    Page.html = f"<!doctype html><meta charset=utf-8><body>{score._repr_html_()}{score._repr_html_()}{SCRIPT}"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    words = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--autoplay-policy=no-user-gesture-required",
        "--mute-audio",
    ]
    words += [f"--user-data-dir={tmp_path}", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    words += ["--remote-debugging-port=0", f"http://127.0.0.1:{server.server_port}/"]
    browser = subprocess.Popen([str(BROWSER), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        before, playing, after = Page.seen.get(timeout=120)
    finally:
        browser.terminate()
        browser.wait()
        server.shutdown()
        server.server_close()
    assert before == [0, "▶ play", "hidden", 0]
    # At 100 of 900 points of 8 seconds, notes up to half a second ahead have been started in both parts.
    assert 2 <= playing[0] <= 8
    assert playing[1:3] == ["■ stop", "visible"]
    assert after[1:3] == ["▶ play", "hidden"]
