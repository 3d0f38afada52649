"""Other programs open a song with its tempo, metre, key, names and notes; MuseScore where it is installed."""

import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import mido
import pretty_midi
import pytest
import symusic

from symgen.pipeline.generate import generate

REQUESTS = [
    {"key": "A minor", "chords": "Am F | C G", "bars": 4, "bpm": 97, "seed": 7},
    {"key": "D", "meter": "6/8", "bars": 5, "bpm": 120, "seed": 1},
    {"key": "Eb", "meter": "7/8", "bars": 3, "bpm": 61.5, "seed": 2},
]
NAMES = ["Melody", "Chords", "Bass"]


@pytest.fixture(params=REQUESTS, ids=lambda request: request.get("meter", "4/4"))
def song(request, tmp_path):
    score = generate(**request.param)
    return score, score.save(tmp_path / "song.mid")


def facts(score):
    meter = score.meters[0].meter
    return score.tempos[0].bpm, (meter.numerator, meter.denominator), [len(track.notes) for track in score.tracks]


def test_mido(song):
    score, path = song
    bpm, meter, counts = facts(score)
    file = mido.MidiFile(path)
    assert (file.type, file.ticks_per_beat) == (1, 480)
    head = {message.type: message for message in file.tracks[0]}
    assert mido.tempo2bpm(head["set_tempo"].tempo) == pytest.approx(bpm, abs=1e-3)
    assert (head["time_signature"].numerator, head["time_signature"].denominator) == meter
    assert head["key_signature"].key == {"A minor": "Am", "D major": "D", "Eb major": "Eb"}[str(score.keys[0].key)]
    assert [track.name for track in file.tracks[1:]] == NAMES
    assert [sum(m.type == "note_on" and m.velocity > 0 for m in t) for t in file.tracks[1:]] == counts
    bar_line = score.bars.end_steps * 480 // score.steps_per_quarter
    assert {sum(message.time for message in track) for track in file.tracks} == {bar_line}


def test_pretty_midi(song):
    score, path = song
    bpm, meter, counts = facts(score)
    midi = pretty_midi.PrettyMIDI(str(path))
    assert midi.get_tempo_changes()[1][0] == pytest.approx(bpm, abs=1e-3)
    assert [(s.numerator, s.denominator) for s in midi.time_signature_changes] == [meter]
    assert [pretty_midi.key_number_to_key_name(s.key_number) for s in midi.key_signature_changes] == [
        {"A minor": "A minor", "D major": "D Major", "Eb major": "Eb Major"}[str(score.keys[0].key)]
    ]
    assert [i.name for i in midi.instruments] == NAMES
    assert [len(i.notes) for i in midi.instruments] == counts


def test_symusic(song):
    score, path = song
    bpm, meter, counts = facts(score)
    midi = symusic.Score(str(path))
    assert midi.tempos[0].qpm == pytest.approx(bpm, abs=1e-3)
    assert [(s.numerator, s.denominator) for s in midi.time_signatures] == [meter]
    assert [(s.key, bool(s.tonality)) for s in midi.key_signatures] == [
        (score.keys[0].key.signature, score.keys[0].key.is_minor)
    ]
    assert [track.name for track in midi.tracks] == NAMES
    assert [len(track.notes) for track in midi.tracks] == counts


def test_music21(song):
    from music21 import converter, note

    score, path = song
    bpm, meter, counts = facts(score)
    stream = converter.parse(path)
    assert stream.recurse().getElementsByClass("MetronomeMark")[0].number == pytest.approx(bpm, abs=0.5)
    signature = stream.recurse().getElementsByClass("TimeSignature")[0]
    assert (signature.numerator, signature.denominator) == meter
    assert stream.recurse().getElementsByClass("Key")[0].sharps == score.keys[0].key.signature
    assert [part.partName for part in stream.parts] == NAMES
    starts = [
        sum(len(n.pitches) for n in part.recurse().notes if n.tie is None or n.tie.type == "start")
        for part in stream.parts
    ]
    assert starts == counts
    assert isinstance(stream.parts[2].recurse().notes[0], note.Note)


@pytest.mark.skipif(shutil.which("mscore3") is None, reason="MuseScore 3 is not installed")
def test_musescore(song, tmp_path):
    score, path = song
    bpm, meter, counts = facts(score)
    root = _in_musescore(path, tmp_path / "read.musicxml")
    assert [part.text.split(", ")[-1] for part in root.iter("part-name")] == NAMES
    assert float(next(root.iter("sound")).get("tempo")) == pytest.approx(bpm, abs=0.51)  # it rounds tempos
    assert {(int(t.find("beats").text), int(t.find("beat-type").text)) for t in root.iter("time")} == {meter}
    for part, count in zip(root.iter("part"), counts, strict=True):
        assert len(part.findall("measure")) == score.bars.n_bars
        notes = [n for n in part.iter("note") if n.find("pitch") is not None]
        assert sum(n.find("tie[@type='stop']") is None for n in notes) == count
    assert root.find(".//note/lyric") is None


@pytest.mark.skipif(shutil.which("mscore3") is None, reason="MuseScore 3 is not installed")
def test_musescore_by_musicxml(song, tmp_path):
    """Of a MIDI file it takes the key from tracks with notes alone, and else guesses; here it reads it."""
    score, _ = song
    written = tmp_path / "song.musicxml"
    score.save(written)
    root = _in_musescore(written, tmp_path / "read.musicxml")
    assert {int(key.find("fifths").text) for key in root.iter("key")} == {score.keys[0].key.signature}


def _in_musescore(path, out):
    """Open a file in MuseScore and return what it writes of it."""
    quiet = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run(["mscore3", str(path), "-o", str(out)], env=quiet, check=True, capture_output=True, timeout=120)
    return ElementTree.parse(out).getroot()
