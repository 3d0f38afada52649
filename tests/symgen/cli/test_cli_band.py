"""The band on the command line: files that come out, what is said of them, and one clear line when it can't be."""

import json
from pathlib import Path

import pytest

from symgen.cli import main
from symgen.io import load
from symgen.score import Marker, Note, Score, Track


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Run in an empty folder with a tune and some files that are none."""
    monkeypatch.chdir(tmp_path)
    notes = tuple(Note(12 * i, 12, pitch) for i, pitch in enumerate([72, 76, 79, 76, 74, 77, 76, 74] * 2))
    Score(12, (Track("Tune", notes),), markers=(Marker(0, "A"), Marker(96, "B")), end_steps=192).save("a.mid")
    Path("empty.mid").write_bytes(b"")
    Score(4, (Track("Kit", (Note(0, 1, 36),), is_drum=True),), end_steps=16).save("kit.mid")
    Score(4, (Track("Long", (Note(0, 4, 60), Note(16 * 9999, 4, 60))),)).save("long.mid")
    return tmp_path


def run(capsys, *words):
    code = main(list(words))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_accompany_writes_beside_the_input_tells_and_can_be_made_again(capsys):
    words = ["accompany", "a.mid", "--chords", "C Am | F G", "--counter", "--seed", "5"]
    code, out, err = run(capsys, *words, "--style", "rock")
    assert (code, err) == (0, "")
    assert out == "a-accompany.mid  seed 5  key found in the notes\n"
    made = load("a-accompany.mid", steps_per_quarter=480)
    assert [track.name for track in made.tracks] == ["Tune", "Counter-melody", "Chords", "Bass", "Drums"]
    assert made.tracks[0] == load("a.mid", steps_per_quarter=480).tracks[0]
    assert run(capsys, "reproduce", "a-accompany.mid")[0] == 0
    code, out, _ = run(capsys, *words, "--style", "jazz", "--drums", "none", "--bass", "held", "-o", "j.mid", "--json")
    assert code == 0
    assert json.loads(out)["takes"][0]["said"][-1] == "the band swings 2:1 eighths; the melody stays as it is"
    assert [track.name for track in load("j.mid").tracks] == ["Tune", "Counter-melody", "Chords", "Bass"]


def test_arpeggiate_plays_a_file_or_chords_alone(capsys):
    assert run(capsys, "arpeggiate", "a.mid", "--texture", "alberti", "--chords", "C")[:2] == (
        *(0, "a-arpeggiate.mid  seed 0  key found in the notes\n"),
    )
    assert [track.name for track in load("a-arpeggiate.mid").tracks] == ["Tune", "Chords"]
    code, out, _ = run(
        capsys, "arpeggiate", "--chords", "Am F | C G", "--meter", "6/8", "--bpm", "70", "--program", "24"
    )
    assert (code, out) == (0, "arpeggio.mid  seed 0\n")
    made = load("arpeggio.mid")
    assert (made.bars.n_bars, str(made.meters[0].meter), made.tracks[0].program) == (2, "6/8", 24)
    assert run(capsys, "reproduce", "arpeggio.mid")[0] == 0


def test_transfer_and_a_song_with_a_band(capsys):
    chain = ["--decoder", "chain", "--bars", "2"]
    code, _, err = run(capsys, "generate", *chain, "--seed", "3", "--band", "bossa", "--counter", "-o", "b.mid")
    assert (code, err) == (0, "")
    assert [track.name for track in load("b.mid").tracks] == ["Melody", "Counter-melody", "Chords", "Bass", "Drums"]
    assert run(capsys, "reproduce", "b.mid")[0] == 0
    code, out, err = run(capsys, "transfer", "--rhythm", "a.mid", "--pitches", "b.mid", "-o", "t.mid")
    assert (code, err) == (0, "")
    assert out.startswith("t.mid  seed 0  rhythm: key found in the notes")
    rhythm = [n.onset_steps for n in load("a.mid", steps_per_quarter=12).tracks[0].notes if n.onset_steps < 96]
    assert [n.onset_steps for n in load("t.mid", steps_per_quarter=12).tracks[0].notes] == rhythm


def test_the_names_that_the_band_knows_are_listed(capsys):
    code, out, _ = run(capsys, "styles", "--band")
    assert code == 0
    assert any(line.split() == ["jazz", "comp-jazz", "walking", "jazz", "2:1", "eighths"] for line in out.splitlines())
    known = json.loads(run(capsys, "styles", "--band", "--json")[1])
    assert known["styles"]["waltz"]["texture"] == "after"
    assert "alberti" in known["textures"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["accompany", "empty.mid"], "accompany: empty.mid: an empty file"),
        (["accompany", "kit.mid"], "accompany: kit.mid: no pitched notes: expected a melody"),
        (["accompany", "long.mid"], "accompany: long.mid: lasts 5.6 hours: expected at most 2"),
        (["accompany", "a.mid", "--style", "polka"], "style 'polka' of the band: expected one of pop"),
        (["accompany", "a.mid", "--texture", "x"], "texture 'x': expected one of sustain"),
        (["accompany", "a.mid", "--bass", "x"], "bass 'x': expected one of held"),
        (["accompany", "a.mid", "--drums", "x"], "drums 'x': expected one of pop"),
        (["accompany", "a.mid", "--swing", "x"], "swing 'x'"),
        (["accompany", "a.mid", "--track", "x"], "track 'x': expected one of 'Tune'"),
        (["accompany", "a.mid", "--chords", "H"], "chord 'H'"),
        (["accompany", "a.mid", "-o", "x.wav"], "expected a name ending in .mid"),
        (["arpeggiate"], "arpeggiate: expected a file, or --chords"),
        (["arpeggiate", "kit.mid"], "kit.mid: no pitched notes"),
        (["arpeggiate", "long.mid", "--max-duration", "90000"], "long.mid: 10000 bars: expected at most 512"),
        (["arpeggiate", "--chords", "C", "--texture", "none"], "texture 'none'"),
        (["arpeggiate", "--chords", "C", "--bars", "0"], "bars 0: expected 1 to 512"),
        (["arpeggiate", "--chords", "C", "--program", "128"], "program 128: expected 0 to 127"),
        (["transfer", "--rhythm", "kit.mid", "--pitches", "a.mid"], "kit.mid: only drums"),
        (["transfer", "--rhythm", "empty.mid", "--pitches", "a.mid"], "an empty file"),
        (["generate", "--band", "x"], "style 'x' of the band"),
        (["generate", "--drums", "x"], "drums 'x'"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(capsys, here, words, message):
    before = sorted(here.iterdir())
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(here.iterdir()) == before
