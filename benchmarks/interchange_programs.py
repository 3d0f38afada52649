"""What sequencers and notation programs read in MIDI files: MuseScore, LMMS and midish, from Debian, without a screen.

Each imports files as its user would and writes them in its own format, from which the facts are taken.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.interchange_facts import Facts, changes, metres, n_bars

__all__ = ["installed", "lmms", "midish", "musescore", "musescore_by_musicxml"]

_MUSESCORE, _LMMS, _MIDISH = "mscore3", "lmms", "midish"
_MUSICXML_GRID = 12
_LMMS_PER_QUARTER = 48
_LMMS_SECONDS = 90.0
_LMMS_AT_ONCE = 8
_AUTOSAVE_MINUTES = 7_158_279
"""LMMS saves for itself after so many minutes, in milliseconds modulo 2**32: 10.4 seconds, the least it takes."""

_LMMS_SETTINGS = """<?xml version="1.0"?>
<!DOCTYPE lmms-config-file>
<lmms configversion="2" version="1.2.2">
  <app openlastproject="0" configured="1" nanostart="0"/>
  <mixer audiodev="Dummy (no sound output)" mididev="Dummy (no MIDI support)"/>
  <paths workingdir="{folder}/lmms/" defaultsf2="{soundfont}"/>
  <ui enableautosave="1" saveinterval="{minutes}" enablerunningautosave="1"/>
</lmms>
"""


def installed(package: str) -> str:
    """Return the version of a package of Debian, or that there is none."""
    with contextlib.suppress(OSError):
        words = ["dpkg-query", "-W", "-f", "${Version}", package]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else "not installed"
    return "not known"


def musescore(paths: Sequence[Path], folder: Path) -> list[Facts | str]:
    """Return what MuseScore makes of files, by its MusicXML, or why there is none; a PDF of each is made, too."""
    if not shutil.which(_MUSESCORE):
        return [f"no {_MUSESCORE}"] * len(paths)
    jobs = [{"in": str(p), "out": [str(folder / f"{p.stem}.musicxml"), str(folder / f"{p.stem}.pdf")]} for p in paths]
    job = folder / "job.json"
    job.write_text(json.dumps(jobs), encoding="utf-8")
    with contextlib.suppress(subprocess.TimeoutExpired):
        words, seconds = [_MUSESCORE, "-j", str(job)], 120 + 60 * len(paths)
        subprocess.run(words, capture_output=True, timeout=seconds, env=_without_screen(), check=False)
    n_done = next((i for i, p in enumerate(paths) if not (folder / f"{p.stem}.pdf").exists()), len(paths))
    found = [_written_by_musescore(path, folder) for path in paths[: n_done + 1]]
    # One that it cannot read ends the job.
    return found + (musescore(paths[n_done + 1 :], folder) if n_done + 1 < len(paths) else [])


def musescore_by_musicxml(paths: Sequence[Path], folder: Path) -> list[Facts | str]:
    """Return what MuseScore makes of the MusicXML that we write of the music in files."""
    from symgen.io import load

    own = folder / "musicxml"
    own.mkdir(exist_ok=True)
    written = [own / f"{path.stem}.xml" for path in paths]
    for path, target in zip(paths, written, strict=True):
        beside = target.with_suffix(".musicxml")
        load(path, steps_per_quarter=_MUSICXML_GRID).save(beside)
        beside.replace(target)  # the name that MuseScore is to write
    return musescore(written, own)


def _without_screen() -> dict[str, str]:
    return os.environ | {"QT_QPA_PLATFORM": "offscreen"}


def _written_by_musescore(path: Path, folder: Path) -> Facts | str:
    xml, pdf = folder / f"{path.stem}.musicxml", folder / f"{path.stem}.pdf"
    if not xml.exists() or not pdf.exists() or not pdf.read_bytes().startswith(b"%PDF"):
        return "no MusicXML or PDF"
    root = ET.fromstring(xml.read_bytes())
    parts = root.findall("part")
    if not parts:
        return "no part"
    # An instrument that transposes has another key on paper.
    keyed = next((part for part in parts if part.find(".//transpose") is None), None)
    tempos = [float(one.get("tempo", 0)) for one in parts[0].iter("sound") if one.get("tempo")]
    meters = [(int(t.findtext("beats", "0")), int(t.findtext("beat-type", "0"))) for t in parts[0].iter("time")]
    keys = None if keyed is None else changes((int(one.findtext("fifths", "0")), None) for one in keyed.iter("key"))
    notes = [n for n in root.iter("note") if n.find("pitch") is not None or n.find("unpitched") is not None]
    n_notes = sum(not any(tie.get("type") == "stop" for tie in n.findall("tie")) for n in notes)
    names = sorted(" ".join((one.text or "").split()) for one in root.iter("part-name"))
    bars = len(parts[0].findall("measure"))
    return Facts(changes(tempos or [120.0]), changes(meters), keys, tuple(names), n_notes, (bars,))


def lmms(paths: Sequence[Path], folder: Path) -> list[Facts | str]:
    """Return what LMMS makes of files, by the project that it saves for itself after it has imported one."""
    if not shutil.which(_LMMS):
        return [f"no {_LMMS}"] * len(paths)
    with ThreadPoolExecutor(_LMMS_AT_ONCE) as several:  # it sleeps until it is time to save
        return list(several.map(_imported_by_lmms, paths))


def _imported_by_lmms(path: Path) -> Facts | str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lmms" / "projects").mkdir(parents=True)
        settings = folder / ".lmmsrc.xml"
        found = _LMMS_SETTINGS.format(folder=folder, soundfont=_soundfont(), minutes=_AUTOSAVE_MINUTES)
        settings.write_text(found, encoding="utf-8")
        words = [_LMMS, "--allowroot", "-c", str(settings), "--import", str(path.absolute())]
        environment = _without_screen() | {"HOME": name}
        with subprocess.Popen(
            words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        ) as process:
            try:
                return _saved_by_lmms(process, folder / "lmms" / "recover.mmp")
            finally:
                process.kill()


def _soundfont() -> Path:
    """Return a soundfont, without which it asks for one: that of pretty_midi."""
    found = importlib.util.find_spec("pretty_midi")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "TimGM6mb.sf2"


def _saved_by_lmms(process: subprocess.Popen[bytes], project: Path) -> Facts | str:
    end = time.monotonic() + _LMMS_SECONDS
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.2)
        if project.exists():
            with contextlib.suppress(ET.ParseError):  # it is still writing
                return _facts_of_project(ET.fromstring(project.read_bytes()))
    return "no project" if process.poll() is None else f"ended with {process.returncode}"


def _facts_of_project(root: ET.Element) -> Facts:
    curves = {
        one.get("name"): [(float(t.get("pos", 0)), float(t.get("value", 0))) for t in one.iter("time")]
        for one in root.iter("automationpattern")
    }
    tops, bottoms = dict(curves.get("Numerator", [])), dict(curves.get("Denominator", []))
    meters = [(at, int(tops[at]), int(bottoms.get(at, 4))) for at in sorted(tops)]
    tempos = [value for _, value in sorted(curves.get("Tempo", []))]
    played = [track for track in root.iter("track") if track.find(".//note") is not None]
    patterns = [pattern for track in played for pattern in track.findall("pattern")]
    ends = [
        int(pattern.get("pos", 0)) + int(note.get("pos", 0)) + max(int(note.get("len", 0)), 0)
        for pattern in patterns
        for note in pattern.iter("note")
    ]
    names = tuple(sorted(track.get("name", "") for track in played))
    last = max(ends, default=0)  # to a 48th of a quarter note, rounded down
    bars = {n_bars(meters, end, _LMMS_PER_QUARTER) for end in (last, last + 1)}
    return Facts(changes(tempos or [120.0]), metres(meters), None, names, len(ends), tuple(sorted(bars)))


def midish(paths: Sequence[Path], folder: Path) -> list[Facts | str]:
    """Return what midish makes of files, by the song that it saves."""
    return [_saved_by_midish(path, folder) if shutil.which(_MIDISH) else f"no {_MIDISH}" for path in paths]


def _saved_by_midish(path: Path, folder: Path) -> Facts | str:
    song = folder / "midish.sng"
    song.unlink(missing_ok=True)
    words = f'import "{path.absolute()}"\nsave "{song.absolute()}"\nexit\n'
    done = subprocess.run([_MIDISH, "-b"], input=words.encode(), capture_output=True, timeout=120, check=False)
    if not song.exists():
        return done.stderr.decode(errors="replace").strip()[:200] or "no song"
    return _facts_of_song(song.read_text(encoding="latin-1"))


def _facts_of_song(text: str) -> Facts:
    found = re.search(r"tics_per_unit (\d+)", text)
    per_quarter = int(found[1]) / 4 if found else 24.0
    tempos, meters, ends, n_notes = [], [], [0], 0
    for now, words in _timed_lines(text):
        if words[0] == "tempo":  # 24ths of a microsecond a tick
            tempos.append(24 * 60e6 / (int(words[1]) * per_quarter))
        elif words[0] == "timesig":
            top, ticks_per_beat = int(words[1]), int(words[2])
            meters.append((float(now), top, round(4 * per_quarter / ticks_per_beat)))
        elif words[0] == "non":
            n_notes += 1
        elif words[0] == "noff":
            ends.append(now)
    bars = n_bars(meters, max(ends), per_quarter)
    return Facts(changes(tempos or [120.0]), metres(meters), None, None, n_notes, (bars,))


def _timed_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the words of each line of a song with their tick; a line with a number goes on by as many."""
    now = 0
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if words[-1] == "{":
            now = 0
        elif len(words) == 1 and words[0].isdigit():
            now += int(words[0])
        else:
            yield now, words
