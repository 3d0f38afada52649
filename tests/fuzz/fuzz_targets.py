"""What is fuzzed: every reader of what others have made.

A target takes any bytes, and either reads them or refuses them as this project refuses things: by an
error of its own, whose message is one line of reasonable length.
"""

from __future__ import annotations

import contextlib
import functools
import io
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from symgen.errors import SymgenError
from theory.errors import TheoryError

MAX_MESSAGE = 2000


class HangError(BaseException):
    """One case took far too long; no ``except Exception`` of a library may hide it."""


class BadRefusalError(Exception):
    """A refusal that is no single line."""


@dataclass(frozen=True)
class Target:
    """One reader, sound inputs to damage, and words that matter to it."""

    name: str
    read: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    words: tuple[bytes, ...] = ()
    native: bool = False  # may end the process: run it in one of its own
    patience_seconds: int = 60
    tags: frozenset[str] = field(default=frozenset())


def outcome(target: Target, data: bytes) -> str:
    """Return ``read`` or ``refused``; raise whatever else comes of it."""
    with _patience(target.patience_seconds):
        return outcome_in_any_time(target, data)


def outcome_in_any_time(target: Target, data: bytes) -> str:
    """Do the same, where somebody else watches the time."""
    try:
        target.read(data)
    except (SymgenError, TheoryError) as error:
        message = str(error)
        if not message or len(message) > MAX_MESSAGE or (len(message.splitlines()) > 1 and target.name != "rules"):
            raise BadRefusalError(message[:3000]) from error
        return "refused"
    return "read"


@contextlib.contextmanager
def _patience(seconds: int) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@functools.cache
def _folder() -> Path:
    holder = tempfile.TemporaryDirectory(prefix="symgen-fuzz-")
    _HOLDERS.append(holder)
    return Path(holder.name)


_HOLDERS: list[tempfile.TemporaryDirectory[str]] = []  # deleted when the process ends


def _song() -> Any:
    from symgen.score import ChordChange, KeyChange, Marker, MeterChange, Note, Score, TempoChange, Track
    from theory.chord import Chord
    from theory.key import Key
    from theory.meter import Meter

    notes = tuple(Note(4 * i, 4, 60 + (5 * i) % 13, 60 + i) for i in range(12))
    chords = (Note(0, 16, 48), Note(0, 16, 52), Note(0, 16, 55), Note(24, 24, 50))
    return Score(
        4,
        (
            Track("Melody", notes, 40),
            Track("Chords", chords),
            Track("Drums", (Note(0, 1, 36), Note(8, 1, 38)), 0, True),
        ),
        tempos=(TempoChange(0, 90.0), TempoChange(16, 131.5)),
        meters=(MeterChange(0, Meter(4, 4)), MeterChange(32, Meter(3, 4))),
        keys=(KeyChange(0, Key.parse("Eb minor")),),
        chords=(ChordChange(0, Chord.parse("Cm7")), ChordChange(16, Chord.parse("F#m7b5/C"))),
        markers=(Marker(0, "Verse"),),
        recipe=(("seed", "7"),),
    )


def _midi_seeds() -> list[bytes]:
    from midi_files import END, NOTE, bend, control, meta, midi_bytes, note, program, raw_midi, riff, tempo, track

    from symgen.io.midi import write_midi

    rich = midi_bytes(
        track(tempo(0, 100), tempo(960, 50)),
        track(program(5), control(0, 7, 90), bend(240, 1000), *note(0, 480, 60), *note(480, 240, 64), end=1920),
        track(program(0, channel=9), *note(0, 120, 36, channel=9), *note(480, 120, 38, channel=9)),
    )
    odd = raw_midi(
        meta(0x21, b"\1") + meta(0x59, b"\2\1") + meta(0x58, b"\6\3\x18\x08") + NOTE + b"\0\xf0\2\1\xf7" + END
    )
    smpte = raw_midi(NOTE + END, ticks=0xE728)
    return [write_midi(_song()), rich, odd, riff(rich), smpte, raw_midi(NOTE + NOTE + END, kind=0)]


def _read_midi(data: bytes) -> None:
    """Both roads: onto the grid, and to the synthesiser's door."""
    from symgen.io.limits import Limits
    from symgen.io.midi import read_midi
    from symgen.io.smf import read_smf
    from symgen.render.performance import perform

    refusals = []
    try:
        read_midi(data, steps_per_quarter=12, name="song.mid", warned=lambda line: None)
    except SymgenError as error:
        refusals.append(error)
    perform(read_smf(data, "song.mid", Limits()), "song.mid", Limits())
    if refusals:
        raise refusals[0]


def _read_file(suffix: str) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        from symgen.io import load
        from symgen.io.limits import Limits

        path = _folder() / f"song{suffix}"
        path.write_bytes(data)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return load(path, limits=Limits(seconds=100_000))

    return read


def _musicxml_seeds() -> list[bytes]:
    from symgen.io.music21_writer import write_musicxml

    return [write_musicxml(_song())]


ABC = b"""X:1
T:A tune
M:6/8
L:1/8
Q:3/8=100
K:Ador
V:1
|:"Am"A2B c>de|{g}[Ace]2 (3abc z|1 "G7/B"d'3- d'2e:|2 ^f_g=a !trill!B,2 A,/|]
w:la la -
M:3/4
[K:Bb] "Bb"B2 d2 f2|"F7"e2 c2 A2|[V:2] B,6|]
"""
KERN = b"""!!!OTL: a tune
**kern\t**kern\t**text
*clefF4\t*clefG2\t*
*M4/4\t*M4/4\t*
*k[b-]\t*k[b-]\t*
*d:\t*d:\t*
=1\t=1\t=1
4D\t8dL\tla
.\t8eJ\t.
4F\t[4f\tla
*\t*^\t*
2A\t2f]\t2a\tla
=2\t=2\t=2\t=2
*\t*v\t*v\t*
1D;\t1d;\tlo
==\t==\t==
*-\t*-\t*-
"""


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def _read_chords(data: bytes) -> None:
    """A progression as every syntax, and its first word as a chord, a key, a metre, a swing and a pitch."""
    from theory.interval import Interval
    from theory.key import Key
    from theory.meter import Meter
    from theory.pitch import Spelling, parse_pitch
    from theory.progression import Progression
    from theory.swing import Swing
    from theory.symbols import SYNTAXES, parse_chord

    text, key = _text(data), Key.parse("Bb")
    word = (text.split() or [""])[0]
    readers: list[Callable[[], object]] = [
        lambda: Progression.parse(text, key=key),
        lambda: parse_chord(word, key=key),
        *(functools.partial(Progression.parse, text, key=key, syntax=syntax) for syntax in SYNTAXES),
        *(functools.partial(reader, text) for reader in (Key.parse, Meter.parse, Swing.parse, Spelling.parse)),
        *(functools.partial(reader, text) for reader in (parse_pitch, Interval.parse)),
    ]
    refusals = []
    for reader in readers:
        try:
            str(reader())
        except TheoryError as error:
            refusals.append(error)
    for refusal in refusals:
        if len(str(refusal).splitlines()) != 1 or len(str(refusal)) > MAX_MESSAGE:
            raise refusal
    if refusals and len(refusals) == len(readers):
        raise refusals[0]


CHORD_SEEDS = [
    b"[Verse] |: Am7 F#m7b5/C | Bb13(#11) % | Gsus4:2 N.C. :| x3 C(omit3) D5[half-whole]",
    b"Db:maj7(9)/3 | A:min7 | G:7(b9,#11) N | E:(1,b3,5)",
    b"I V65/V | viio7 bVI+ | iv6 It+6 Ger65 | Cad64 V7 I :| x2 | N6 #ivo7",
    b"1 5/7 | 6m 4maj7 | 2m7b5 b7",
    b"F# minor", b"Eb:dorian", b"2+2+3/8", b"66% 16ths", b"swing 3:2 sixteenths", b"C#5", b"A4",
]  # fmt: skip
CHORD_WORDS = (
    b"|",
    b"|:",
    b":|",
    b"x999999999",
    b"%",
    b"[",
    b"]",
    b"(",
    b")",
    b"b" * 50,
    b"#" * 9,
    b"/",
    b"\xe2\x99\xad",
)
CHORD_WORDS += (
    b"N.C.",
    b"sus",
    b"maj7",
    b"^",
    b"\xc3\xb8",
    b"\xd9\xa3",
    b"9" * 30,
    b"\n",
    b"\0",
    b"o7",
    b"+6",
    b":",
    b",",
)


def _read_rules(data: bytes) -> None:
    """As a file of rules, and as a rule."""
    from symgen.pipeline.rules import read_rules
    from theory.rules.text import parse_rule, rule_text

    path = _folder() / "rules.toml"
    path.write_bytes(data)
    refusals = []
    for reader in (lambda: read_rules(path), lambda: rule_text(parse_rule(_text(data)))):
        try:
            reader()
        except (SymgenError, TheoryError) as error:
            refusals.append(error)
    if len(refusals) == 2:
        raise refusals[0]


RULE_SEEDS = [
    b'set = "jazz"\nrules = ["leap-recovery 5 in bars 1-4", "in-key", {rule = "range", low = 60, high = 81}]\n',
    b'rules = [\n  "largest-leap 12",\n  "chord-tones-on-strong-beats",\n  "end-on 1,3,5",\n]\n',
    b'rules = ["contour shape=arch", "lock bar=1 beat=2 pitch=C5",\n]\n',
    b"not (in-key or largest-leap 5) in bars 2-3",
    b"leap-recovery 5 in bars 1-4",
    b"range C4 A5",
]
RULE_WORDS = (
    b"rules",
    b"set",
    b"not ",
    b" or ",
    b" and ",
    b"(" * 40,
    b")",
    b"in bars ",
    b"cost ",
    b"1e999",
    b"nan",
    b"-1",
)
RULE_WORDS += (b"[" * 60, b"]", b"{", b"}", b'"""', b"9" * 40, b"[[x]]", b"\n", b"\xff", b"1979-05-27", b"0x", b"true")


def _soundfont_seeds() -> list[bytes]:
    import sys

    sys.path.append(str(Path(__file__).parent.parent / "symgen" / "render"))
    from tiny_soundfont import soundfont_bytes

    return [soundfont_bytes({(0, 0): 440.0, (0, 5): 220.0, (128, 0): 100.0})]


def _read_soundfont(data: bytes) -> None:
    from midi_files import midi_bytes, note, program, track

    from symgen.render.audio import render

    path = _folder() / "font.sf2"
    path.write_bytes(data)
    midi = midi_bytes(track(*note(0, 240, 60), program(5, tick=240), *note(240, 240, 67)))
    with contextlib.redirect_stderr(io.StringIO()):
        render(midi, soundfont=path, sample_rate=22050, tail_max_seconds=0)


@functools.cache
def _checkpoint_seeds() -> tuple[bytes, ...]:
    """The two files of the smallest checkpoint of this version, one after the other."""
    from symgen.model.checkpoint import save_checkpoint
    from symgen.model.vae import LineVae, VaeConfig

    folder = _folder() / "whole"
    save_checkpoint(folder, LineVae(VaeConfig()), styles=("a",), training={})
    files = ((folder / name).read_bytes() for name in ("config.json", "model.safetensors"))
    return (b"\0SPLIT\0".join(files),)


def _read_checkpoint(data: bytes) -> None:
    """With the digest of the weights as they are, so that it is not the digest alone that refuses."""
    import hashlib
    import re

    from symgen.model.checkpoint import load_checkpoint

    config, _, weights = data.partition(b"\0SPLIT\0")
    digest = hashlib.sha256(weights).hexdigest().encode()
    folder = _folder() / "checkpoint"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_bytes(re.sub(rb'"[0-9a-f]{64}"', b'"' + digest + b'"', config, count=1))
    (folder / "model.safetensors").write_bytes(weights)
    load_checkpoint(folder)


_XML_WORDS = (
    b"<note>",
    b"</note>",
    b"<duration>",
    b"9" * 20,
    b"-1",
    b"<chord/>",
    b"<backup>",
    b"</measure>",
    b"<!DOCTYPE x [",
)
_XML_WORDS += (
    b"&lt;",
    b"&#0;",
    b"<forward><duration>99999999</duration></forward>",
    b"<divisions>0</divisions>",
    b'"',
    b">",
)
_ABC_WORDS = (
    b"|:",
    b":|",
    b"[",
    b"]",
    b"(9",
    b"{",
    b"}",
    b"K:",
    b"M:0/4",
    b"L:1/0",
    b"999999999",
    b"/",
    b"V:9",
    b"Q:0",
    b'"',
)
_KERN_WORDS = (b"*^", b"*v", b"*-", b"\t", b"\n", b"4", b"0", b"%", b"[", b"]", b"q", b"*M0/4", b"*+", b"**kern", b"=")
TARGETS = {
    target.name: target
    for target in (
        Target(
            "midi",
            _read_midi,
            _midi_seeds,
            (b"MTrk", b"MThd", b"\xff\x2f\0", b"\xff\x51\3", b"\xff\xff\xff\x7f", b"\xf0"),
        ),
        Target("musicxml", _read_file(".musicxml"), _musicxml_seeds, _XML_WORDS),
        Target("abc", _read_file(".abc"), lambda: [ABC], _ABC_WORDS),
        Target("kern", _read_file(".krn"), lambda: [KERN], _KERN_WORDS),
        Target("chords", _read_chords, lambda: CHORD_SEEDS, CHORD_WORDS),
        Target("rules", _read_rules, lambda: RULE_SEEDS, RULE_WORDS),
        Target(
            "checkpoint",
            _read_checkpoint,
            _checkpoint_seeds,
            (b"F16", b"F32", b"BOOL", b"NaN", b"-1", b"null", b"[[", b"1e999"),
        ),
        Target("soundfont", _read_soundfont, _soundfont_seeds, (b"LIST", b"pdta", b"shdr", b"smpl"), native=True),
    )
}
