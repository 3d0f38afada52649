"""Facts of files: by hand, as the libraries read them, and as the programs write them."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from benchmarks.interchange_facts import FIELDS, Facts, agreements, facts_of_file
from benchmarks.interchange_programs import _facts_of_project, _facts_of_song, _written_by_musescore
from benchmarks.interchange_readers import READERS, quiet
from symgen.io.midi_writer import write_midi
from symgen.io.writing import MidiOptions
from symgen.score import KeyChange, MeterChange, Note, Score, TempoChange, Track
from theory.key import Key
from theory.meter import Meter

SONG = Score(
    4,
    (Track("Melody", (Note(0, 4, 60), Note(12, 8, 62)), 5), Track("Drums", (Note(4, 1, 36),), 0, True)),
    (TempoChange(0, 98.0), TempoChange(12, 131.5)),
    (MeterChange(0, Meter(3, 4)), MeterChange(12, Meter(4, 4))),
    (KeyChange(0, Key.parse("Eb minor")), KeyChange(12, Key.parse("G"))),
    end_steps=28,
)
FACTS = Facts((98.0, 131.5), ((3, 4), (4, 4)), ((-6, 1), (1, 0)), ("Drums", "Melody"), 3, (2,))


def agree(file: Facts, read: Facts, **options: float) -> str:
    """The fields in which they do."""
    return " ".join(name for name, same in agreements(file, read, **options).items() if same)


def test_what_a_file_says():
    found = facts_of_file(write_midi(SONG), "song.mid")
    assert found.tempo == pytest.approx(FACTS.tempo, abs=1e-3)
    assert replace(found, tempo=FACTS.tempo) == FACTS
    single = facts_of_file(write_midi(SONG, MidiOptions(format_number=0)), "song.mid")
    assert replace(single, tempo=FACTS.tempo, names=FACTS.names) == FACTS
    assert single.names is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # music21 leaves files open
@pytest.mark.parametrize("name", READERS)
def test_libraries_read_the_same(name, tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(write_midi(SONG))
    found = quiet(READERS[name], path)
    assert isinstance(found, Facts), found
    assert agree(facts_of_file(path.read_bytes(), "song.mid"), found) == " ".join(FIELDS), found
    path.write_bytes(b"text")
    assert isinstance(quiet(READERS[name], path), str)


@pytest.mark.parametrize(("change", "field"), [
    ({"tempo": (98.1, 131.5)}, "tempo"), ({"tempo": (98.0,)}, "tempo"), ({"metre": ((3, 4),)}, "metre"),
    ({"key": ((-6, 0), (1, 0))}, "key"), ({"key": ((-6, None),)}, "key"), ({"names": ("Melody",)}, "names"),
    ({"names": ("Drums", "Piano")}, "names"), ({"notes": 4}, "notes"), ({"bars": (3,)}, "bars"),
])  # fmt: skip
def test_each_field_can_disagree(change, field):
    assert agree(FACTS, FACTS) == " ".join(FIELDS)
    assert agree(FACTS, replace(FACTS, **change)).split() == [name for name in FIELDS if name != field]


def test_what_counts_as_agreement():
    assert "tempo" in agree(FACTS, replace(FACTS, tempo=(98.0, 132.0)), tempo_unit=1.0)
    assert "tempo" not in agree(FACTS, replace(FACTS, tempo=(98.0, 134.0)), tempo_unit=1.0)
    assert "key" in agree(FACTS, replace(FACTS, key=((6, 1), (1, 0))))  # Eb minor as D# minor
    assert "key" in agree(FACTS, replace(FACTS, key=((-6, None), (1, None))))
    assert "key" in agree(replace(FACTS, key=()), replace(FACTS, key=((0, 0),)))
    assert "names" in agree(FACTS, replace(FACTS, names=("Drums", "Piano, Melody")))
    assert agreements(FACTS, replace(FACTS, key=None))["key"] is None


def test_a_project_of_lmms():
    curve = '<automationpattern name="{}"><time pos="0" value="{}"/><time pos="144" value="{}"/></automationpattern>'
    track = '<track name="{}"><pattern pos="{}"><note pos="0" len="{}"/></pattern></track>'
    curves = curve.format("Tempo", 98, 131.5) + curve.format("Numerator", 3, 4) + curve.format("Denominator", 4, 4)
    tracks = track.format("Melody", 144, 96) + track.format("Drums", 48, 12) + '<track name="Empty"/>'
    found = _facts_of_project(ET.fromstring(f"<p>{curves}{tracks}</p>"))
    assert found == replace(FACTS, key=None, notes=2)


def test_a_song_of_midish():
    found = _facts_of_song(
        "{\n tics_per_unit 1920\n meta {\n  tempo 30612\n  timesig 3 480\n  1440\n  tempo 22814\n  timesig 4 480\n }\n"
        " songtrk a {\n  track {\n   non {0 0} 60 80\n   480\n   noff {0 0} 60 0\n   960\n   non {0 0} 62 80\n"
        "   960\n   noff {0 0} 62 0\n  }\n }\n}\n"
    )
    assert agree(FACTS, found) == "tempo metre bars"
    assert (found.notes, found.key, found.names) == (2, None, None)


def test_what_musescore_writes(tmp_path):
    from symgen.io.music21_writer import write_musicxml

    path = tmp_path / "song.mid"
    assert _written_by_musescore(path, tmp_path) == "no MusicXML or PDF"
    (tmp_path / "song.musicxml").write_bytes(write_musicxml(SONG))
    (tmp_path / "song.pdf").write_bytes(b"%PDF-1.4")
    found = _written_by_musescore(path, tmp_path)
    assert isinstance(found, Facts)
    assert agree(FACTS, found) == " ".join(FIELDS)
