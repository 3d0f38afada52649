"""Files that nobody should have made: each is refused in one line, or mended with a warning.

All of them go, as a user would send them, through the command line of one other process, which may not
take more memory or time for any of them than the bounds here say.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from midi_files import END, NOTE, meta, raw_midi, riff, vlq

MAX_SECONDS = 60  # for one file, on a machine however slow: what hangs would take forever
MAX_BYTES = 600 * 2**20  # of memory for one file, beyond what the program itself takes

GOOD = raw_midi(NOTE + END)
ON, OFF = b"\0\x90\x3c\x64", b"\x60\x80\x3c\0"


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("song.mid", data)
    return buffer.getvalue()


def tempo(microseconds: int) -> bytes:
    return meta(0x51, microseconds.to_bytes(3, "big"))


def header(length: int = 6, rest: bytes = b"\0\1\0\1\1\xe0") -> bytes:
    return b"MThd" + length.to_bytes(4, "big") + rest


def flood(n_notes: int, delta: bytes) -> bytes:
    """Notes by running status, seven bytes each."""
    return raw_midi(b"\0\x90\x3c\0" + (b"\0\x3c\x64" + delta + b"\x3c\0") * n_notes + END)


MAX_FOR_OTHERS = 100_000
OTHERS = ("check", "humanize", "render")
"""Commands that refuse a bad file as ``plot`` does; ``render`` takes what stands in frames of film."""

TEMPOS = b"".join(meta(0x51, (500_000 + i % 9).to_bytes(3, "big"), b"\x0a") for i in range(100_000))

# Refused: the file, and what its one line must say after its name.
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "an empty file"),
    "text": (b"Dear Sir or Madam", "expected a MIDI file, found one that starts with b'Dear Sir'"),
    "wave": (b"RIFF\x24\0\0\0WAVEfmt " + bytes(24), "found another RIFF file, such as WAV"),
    "rmid-without-data": (b"RIFF\x24\0\0\0RMIDinfo" + bytes(24), "expected a MIDI file"),
    "gzip": (gzip.compress(GOOD), "found a gzip file"),
    "zip": (zipped(GOOD), "MusicXML"),
    "macbinary": (bytes(128) + GOOD, "128 bytes of MacBinary before one: cut them off"),
    "only-header": (header(), "no track in it: expected at least one"),
    "header-cut": (GOOD[:10], "byte 0x4: a header of 6 bytes in a file of 10"),
    "header-short": (header(5) + GOOD[14:], "byte 0x4: a header of 5 bytes"),
    "header-2-to-31": (header(2**31) + GOOD[14:], "byte 0x4: a header of 2147483648 bytes"),
    "no-tracks": (header(6, b"\0\1\0\0\1\xe0"), "no track in it"),
    "format-2": (raw_midi(NOTE + END, kind=2), "byte 0x8: format 2: expected 0 or 1"),
    "format-3": (raw_midi(NOTE + END, kind=3), "byte 0x8: format 3: expected 0 or 1"),
    "ppq-0": (raw_midi(NOTE + END, ticks=0), "byte 0xC: no ticks in a quarter note"),
    "smpte": (raw_midi(NOTE + END, ticks=0xE728), "byte 0xC: SMPTE time, which has no beats"),
    "smpte-0-ticks": (raw_midi(NOTE + END, ticks=0xE700), "byte 0xC: no ticks in a quarter note or frame"),
    "tempo-0": (raw_midi(tempo(0) + NOTE + END), "track 1, byte 0x1a: a tempo of 0 microseconds a quarter note"),
    "tempo-1": (raw_midi(tempo(1) + NOTE + END), "track 1, byte 0x1a: a tempo of 1 microseconds a quarter note"),
    "tempo-slow": (raw_midi(tempo(2**24 - 1) + NOTE + END), "a tempo of 16,777,215 microseconds a quarter note"),
    "tempo-length": (raw_midi(meta(0x51, b"\1\2") + NOTE + END), "byte 0x1a: a tempo of 2 bytes: expected 3"),
    "meter-0": (raw_midi(meta(0x58, b"\0\2\x18\x08") + NOTE + END), "tick 0: time signature 0/4: expected one such"),
    "meter-huge": (raw_midi(meta(0x58, b"\4\xff\x18\x08") + NOTE + END), "track 1, tick 0: time signature 4/2^255"),
    "meter-length": (raw_midi(meta(0x58, b"\4") + NOTE + END), "a time signature of 1 bytes: expected 4"),
    "meta-long": (raw_midi(b"\0\xff\x01\x7fabc"), "byte 0x1a: an event of 127 bytes where the track has 3 left"),
    "sysex-long": (raw_midi(b"\0\xf0\x8f\xff\xff\x7fabc"), "an event of 33,554,431 bytes where the track has 3 left"),
    "track-cut": (GOOD[:-6], "track 1, byte 0xe: cut off: expected 13 bytes, found 7"),
    "track-past-end": (header() + b"MTrk\x7f\xff\xff\xff" + NOTE, "track 1, byte 0xe: cut off: expected 2,147,483,647"),
    "track-short": (header() + b"MTrk\0\0\0\5" + NOTE + END, "track 1, byte 0x1b: the track ends where"),
    "running-nothing": (raw_midi(b"\0\x3c\x64" + END), "track 1, byte 0x17: data byte 0x3c without a status"),
    "data-over-127": (raw_midi(b"\0\x90\x3c\x80" + END), "track 1, byte 0x19: data byte 0x80: expected 0 to 127"),
    "pitch-over-127": (raw_midi(b"\0\x90\xff\x40" + END), "track 1, byte 0x18: data byte 0xff: expected 0 to 127"),
    "number-of-5": (raw_midi(b"\x81\x81\x81\x81\0" + NOTE), "byte 0x16: a time or length of more than 4 bytes"),
    "huge-delta": (raw_midi(ON + b"\xff\xff\xff\x7f\x80\x3c\0" + END), "559,240 quarter notes long: expected at most"),
    "tick-overflow": (raw_midi(ON + b"\xff\xff\xff\x7f\xb0\7\1" * 20_000 + OFF + END), "quarter notes long"),
    **{
        f"status-{status:02x}": (raw_midi(b"\0" + bytes([status]) + END), f"status {status:#04x} has no place")
        for status in (0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF8, 0xF9, 0xFD, 0xFE)
    },
    "million-notes": (flood(1_000_000, b"\1"), "more than 200,000 notes: the limit is --max-notes"),
    "no-notes": (raw_midi(tempo(500_000) + END), "no notes"),
    "many-tracks": (raw_midi(*[NOTE + END] * 257), "more than 256 tracks: the limit is --max-tracks"),
    "many-events": (raw_midi(b"\0\xb0\7\1" + b"\0\7\1" * 2_000_000 + END), "more than 2,000,000 events"),
    "many-bytes": (GOOD + bytes(16 * 2**20), "bytes: expected a music file of at most 16,777,216 (--max-bytes)"),
    # 44 bytes that would be days of sound and some 50 GB of WAV
    "bomb": (raw_midi(tempo(15_000_000) + ON + b"\x8b\x80\x80\0\x80\x3c\0" + END, ticks=1000), "(--max-duration)"),
    "bomb-1": (raw_midi(tempo(15_000_000) + NOTE[:4] + vlq(90_000) + b"\x80\x3c\0" + END, ticks=1), "lasts 375.0 h"),
}  # fmt: skip

# What other commands take: frames of film and odd metres sound as they are; check tells what else it finds, and of a
# piece that is too long that it cannot be judged.
_TOO_LONG = ("huge-delta", "tick-overflow", "bomb", "bomb-1")
TAKEN = {("render", name) for name in ("smpte", "meter-0", "meter-huge", "meter-length")}
TAKEN |= {("check", name) for name in ("no-notes", "meter-0", "meter-huge", "meter-length", *_TOO_LONG)}
TAKEN |= {("humanize", "no-notes")}

# Read, with these warnings and as many notes.
MENDED: dict[str, tuple[bytes, list[str], int]] = {
    "good": (GOOD, [], 1),
    "rmid": (riff(GOOD), [], 1),
    "header-long": (header(8, b"\0\1\0\1\1\xe0ab") + GOOD[14:], ["a header of 8 bytes: all after the first 6"], 1),
    "65535-tracks": (raw_midi(NOTE + END, n_tracks=65535), ["65535 tracks declared, 1 found"], 1),
    "more-tracks": (raw_midi(NOTE + END, NOTE + END, n_tracks=1), ["1 tracks declared, 2 found"], 2),
    "format-0": (raw_midi(NOTE + END, NOTE + END, kind=0), ["format 0 with 2 tracks: played together"], 2),
    "ppq-1": (raw_midi(b"\0\x90\x3c\x64\1\x80\x3c\0" + END, ticks=1), [], 1),
    "key-signature": (raw_midi(meta(0x59, b"\x7f\7") + NOTE + END), ["track 1, byte 0x1a: no key signature"], 1),
    "latin-1": (raw_midi(meta(3, b"\xc9tude \x1b[2J") + NOTE + END), [], 1),
    "no-end": (raw_midi(NOTE), ["track 1 has no end-of-track event"], 1),
    "unknown-chunk": (GOOD[:14] + b"XFIH\0\0\0\2ab" + GOOD[14:], [], 1),
    "garbage": (GOOD + b"\0garbage", ["8 bytes after the last track were left out"], 1),
    "never-off": (raw_midi(ON + b"\x60" + END[1:]), ["1 notes never ended: stopped with their track"], 1),
    "off-without-on": (raw_midi(b"\0\x80\x3c\0" + NOTE + END), [], 1),
    "zero-length": (raw_midi(ON + b"\0\x80\x3c\0" + END), [], 1),
    "overlap": (raw_midi(ON + b"\x81\x70\x90\x3c\x20" + b"\x81\x70\x80\x3c\0" * 2 + END), [], 2),
    "10000-on-one-tick": (raw_midi(ON * 10_000 + OFF + b"\0\x80\x3c\0" * 9_999 + END), [], 1),
    "100000-tempos": (raw_midi(TEMPOS + NOTE + END), [], 1),
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str
    others: dict[str, tuple[int, str]] = field(default_factory=dict)


def run_all(folder: Path) -> None:
    """In the other process: send each file of a folder through the command line, and print what came of it."""
    from symgen.cli import main

    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # a hang ends this process, and the missing outcome tells
    main(["plot", str(folder / "warm-up.mid"), "-o", str(folder / "warm-up.png")])
    for path in sorted(folder.glob("*.in")):
        resource.setrlimit(resource.RLIMIT_AS, (virtual_bytes() + MAX_BYTES, resource.RLIM_INFINITY))
        signal.alarm(MAX_SECONDS)
        out, err = io.StringIO(), io.StringIO()
        start = time.perf_counter()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["plot", str(path.rename(path.with_suffix(".mid"))), "-o", str(path.with_suffix(".svg"))])
        seconds = time.perf_counter() - start
        signal.alarm(0)
        said = {"name": path.stem, "code": code, "out": out.getvalue(), "err": err.getvalue(), "seconds": seconds}
        if code == 2 and path.with_suffix(".mid").stat().st_size <= MAX_FOR_OTHERS:
            said["others"] = {word: run_other(word, path.with_suffix(".mid")) for word in OTHERS}
        print(json.dumps(said), flush=True)


def run_other(word: str, path: Path) -> tuple[int, str]:
    from symgen.cli import main

    signal.alarm(MAX_SECONDS)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        suffix = ".wav" if word == "render" else ".fixed.mid"
        target = path.with_suffix(suffix)
        code = main([word, str(path), *([] if word == "check" else ["-o", str(target)])])
    signal.alarm(0)
    if code == 0:
        target.unlink(missing_ok=True)
    return code, err.getvalue()


def virtual_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "warm-up.mid").write_bytes(GOOD)
    for name, (data, *_) in {**REFUSED, **MENDED}.items():
        (folder / f"{name}.in").write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> dict[str, Outcome]:
    here = Path(__file__).parent
    code = f"import sys; sys.path[:0] = [{str(here)!r}, {str(here.parent.parent)!r}]\n"
    code += f"import test_bad_midi, pathlib; test_bad_midi.run_all(pathlib.Path({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found = {line["name"]: Outcome(line["code"], line["out"], line["err"], line.get("others", {})) for line in lines}
    assert done.returncode == 0, f"ended with {done.returncode} after {list(found)[-1:]}: {done.stderr[-300:]}"
    return found


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_in_one_line(name: str, outcomes: dict[str, Outcome], folder: Path) -> None:
    found, expected = outcomes[name], REFUSED[name][1]
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(f"symgen plot: {folder / name}.mid: ")
    assert expected in found.err
    assert found.err.count("\n") == 1
    assert not (folder / f"{name}.svg").exists()


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("word", OTHERS)
def test_other_commands_refuse_it_too(word: str, name: str, outcomes: dict[str, Outcome], folder: Path) -> None:
    if len(REFUSED[name][0]) > MAX_FOR_OTHERS:
        pytest.skip("large: the limits are those of plot")
    code, err = outcomes[name].others[word]
    if (word, name) in TAKEN:
        assert (code in (0, 1), err) == (True, "")
        return
    assert code == 2
    assert err.startswith(f"symgen {word}: {folder / name}.mid: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", MENDED)
def test_an_odd_file_is_mended_with_a_warning(name: str, outcomes: dict[str, Outcome], folder: Path) -> None:
    from symgen.io import load

    warnings: list[str] = []
    score = load(folder / f"{name}.mid", warned=warnings.append)
    assert score.n_notes == MENDED[name][2]
    for found, expected in zip(warnings, MENDED[name][1], strict=True):
        assert found.startswith(expected)
    assert outcomes[name].code == 0, outcomes[name].err
    assert (folder / f"{name}.svg").exists()


def test_nothing_else_is_left_behind(outcomes: dict[str, Outcome], folder: Path) -> None:
    names = {"warm-up.mid", "warm-up.png"} | {f"{name}.mid" for name in outcomes} | {f"{name}.svg" for name in MENDED}
    assert {path.name for path in folder.iterdir()} == names


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero here")
def test_what_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from symgen.cli import main

    os.mkfifo(tmp_path / "pipe.mid")
    (tmp_path / "folder.mid").mkdir()
    for path, expected in (
        (tmp_path / "pipe.mid", "no regular file"),
        (tmp_path / "folder.mid", "a folder: expected a music file"),
        (Path("/dev/zero"), "no regular file"),
        (tmp_path / "none.mid", "no such file"),
    ):
        assert main(["plot", str(path), "-o", str(tmp_path / "out.png")]) == 2
        assert f"{path}: {expected}" in capsys.readouterr().err
        assert not (tmp_path / "out.png").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes of POSIX")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    from symgen.cli import main

    path = tmp_path / "song.mid"
    path.write_bytes(GOOD)
    path.chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    said = tmp_path / "said"
    said.touch(0o666)
    said.chmod(0o666)
    child = os.fork()
    if not child:  # the superuser may read everything: be somebody else
        code = 99
        with contextlib.suppress(BaseException), said.open("w") as file, contextlib.redirect_stderr(file):
            if os.geteuid() == 0:
                os.setgroups([])
                os.setuid(65534)
            code = main(["plot", str(path)])
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    message = said.read_text()
    assert message.count("\n") == 1
    assert f"{path}' is not readable" in message or message.endswith("could not be read: Permission denied\n")


def test_controls_in_names_are_no_commands_to_a_terminal(folder: Path, outcomes: dict[str, Outcome]) -> None:
    assert "\x1b" not in outcomes["latin-1"].out + outcomes["latin-1"].err
