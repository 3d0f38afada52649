"""Corpora from files to shards: what is read, skipped, dropped and split."""

from dataclasses import replace

import numpy as np
import pytest

from symgen.corpus.annotate import annotate, beat_chroma, key_from_notes, keys_by_place
from symgen.corpus.build import build_corpus, split_of
from symgen.corpus.manifest import ROOT_VARIABLE, corpus_path, entry_named, load_manifest
from symgen.corpus.readers import list_sources, read_source
from symgen.corpus.shards import load_shard, read_index
from symgen.errors import CorpusError
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, Track
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter

SCALE = [60, 62, 64, 65, 67, 69, 71, 72]


def tune(seed, n_bars=4):
    rng = np.random.default_rng(seed)
    pitches = [int(rng.choice(SCALE)) for _ in range(4 * n_bars - 1)] + [60]
    notes = tuple(Note(12 * i, 12, p) for i, p in enumerate(pitches))
    return Score(12, (Track("Melody", notes),), keys=(KeyChange(0, Key.parse("C")),))


@pytest.fixture
def folder(tmp_path):
    """A folder of music with a duplicate, a transposed duplicate, rubbish, and a text that is no music."""
    music = tmp_path / "music"
    (music / "deep").mkdir(parents=True)
    for seed in range(4):
        tune(seed).save(music / f"tune{seed}.mid")
    tune(0).save(music / "deep" / "again.mid")
    up = tuple(replace(n, pitch=n.pitch + 2) for n in tune(1).tracks[0].notes)
    replace(tune(1), tracks=(Track("Melody", up),)).save(music / "transposed.mid")
    (music / "broken.mid").write_bytes(b"MThd rubbish")
    (music / "silent.mid").write_bytes(
        (music / "tune0.mid").read_bytes()[:14] + b"MTrk\x00\x00\x00\x04\x00\xff\x2f\x00"
    )
    (music / "notes.txt").write_text("not music")
    return music


def entry_for(folder):
    return replace(entry_named("open-ewld"), name="mine", reader="folder", source=str(folder), style="folk")


@pytest.mark.parametrize("n_processes", [1, 2])
def test_build_reads_what_it_can_and_says_what_it_could_not(folder, tmp_path, n_processes):
    told = []
    report = build_corpus(
        entry_for(folder), tmp_path / "out", n_processes=n_processes, progress=lambda *state: told.append(state)
    )
    assert report.n_pieces == 4
    assert report.n_duplicates == 2
    assert sorted(name for name, _ in report.skipped) == ["broken.mid", "silent.mid"]
    assert told[-1] == (8, 8)
    index = read_index(tmp_path / "out")
    assert len(index["skipped"]) == 2
    pieces = load_shard(tmp_path / "out")
    assert {piece.style for piece in pieces} == {"folk"}
    assert all(piece.score.chords and piece.score.keys for piece in pieces)


def test_build_gives_the_same_bytes_whatever_the_processes(folder, tmp_path):
    for n in (1, 2):
        build_corpus(entry_for(folder), tmp_path / str(n), n_processes=n)
    files = [{path.name: path.read_bytes() for path in (tmp_path / n).iterdir()} for n in "12"]
    assert files[0] == files[1]
    assert len(files[0]) == 2


def test_a_folder_with_nothing_readable_is_an_error(tmp_path):
    (tmp_path / "music").mkdir()
    with pytest.raises(CorpusError, match="no readable files"):
        build_corpus(entry_for(tmp_path / "music"), tmp_path / "out")
    (tmp_path / "music" / "a.mid").write_bytes(b"nothing")
    with pytest.raises(CorpusError, match="none of its 1 sources could be read"):
        build_corpus(entry_for(tmp_path / "music"), tmp_path / "out", n_processes=1)
    assert not (tmp_path / "out").exists()


def test_splits_are_fixed_by_the_digest():
    digests = [f"{(2 * i + 1) * 2**32 // 2000:08x}" for i in range(1000)]
    counts = {split: sum(split_of(d) == split for d in digests) for split in ("train", "valid", "test")}
    assert counts == {"train": 900, "valid": 50, "test": 50}


def test_the_manifest_is_complete():
    entries = load_manifest()
    assert len({entry.name for entry in entries}) == len(entries)
    assert {entry.weights for entry in entries} <= {"free", "restricted", "opt-in"}
    with pytest.raises(CorpusError, match="did you mean 'ryans-mammoth'"):
        entry_named("ryans-mamoth")


def test_an_absent_corpus_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    with pytest.raises(CorpusError, match="music-x-lab/POP909-Dataset"):
        corpus_path(entry_named("pop909"))


@pytest.mark.parametrize(
    ("name", "parts", "key", "style"),
    [("ryans-mammoth", 1, None, "folk"), ("bach-chorales", 4, "major minor", "chorale")],
)
def test_embedded_corpora_are_read(name, parts, key, style):
    entry = entry_named(name)
    source = list_sources(entry)[3]
    score = read_source(source, steps_per_quarter=12)[0]
    assert isinstance(score, Score)
    assert len(score.tracks) == parts
    assert score.keys
    assert score.n_notes > 30
    assert score.bars.end_steps - score.end_steps < score.bars.starts[1]


def test_pop909_follows_its_beats(monkeypatch, tmp_path):
    """Notes that follow a tempo that wavers come out on the beats that were annotated."""
    beats = np.cumsum([0.4, *(0.5 + 0.05 * np.sin(np.arange(16)))])
    song = tmp_path / "POP909" / "001"
    song.mkdir(parents=True)
    rows = [f"{t} {float(i % 2 == 0)} {float(i % 4 == 1)}" for i, t in enumerate(beats)]
    (song / "beat_midi.txt").write_text("\n".join(rows))
    (song / "beat_audio.txt").write_text("\n".join(f"{t} 1" for t in beats))
    (song / "chord_midi.txt").write_text(
        f"0 {beats[1]} N\n{beats[1]} {beats[5]} C:maj\n{beats[5]} {beats[9]} A:min7/b3"
    )
    (song / "key_audio.txt").write_text(f"0 {beats[5]} C:maj\n{beats[5]} 9 A:min")
    millis = np.rint(beats * 1000).astype(int)  # at 500 ticks a quarter and 120 a minute a tick is a millisecond
    notes = tuple(Note(int(t), 100, 60 + i) for i, t in enumerate(millis))
    write_at_milliseconds(song / "001.mid", {"MELODY": notes, "PIANO": notes})
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    score = read_source(list_sources(entry_named("pop909"))[0], steps_per_quarter=4)[0]
    assert isinstance(score, Score)
    # The first downbeat is beat 1, so beat 0 ends the bar before; the label before it starts a little earlier still.
    assert [n.onset_steps for n in score.track("MELODY").notes] == [12 + 4 * i for i in range(17)]
    assert [(c.onset_steps, str(c.chord)) for c in score.chords] == [(9, "N.C."), (16, "C"), (32, "Am7/C")]
    assert score.keys == (KeyChange(0, Key.parse("C")), KeyChange(32, Key.parse("A minor")))


def write_at_milliseconds(path, tracks):
    import mido

    file = mido.MidiFile(ticks_per_beat=500)
    for name, notes in tracks.items():
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        events = sorted([(n.onset_steps, 1, n.pitch) for n in notes] + [(n.end_steps, 0, n.pitch) for n in notes])
        now = 0
        for tick, is_on, pitch in events:
            track.append(mido.Message("note_on", note=pitch, velocity=80 * is_on, time=tick - now))
            now = tick
        file.tracks.append(track)
    file.save(path)


def test_annotation_keeps_what_is_there_and_adds_what_is_not():
    bare = replace(tune(3), keys=())
    found = annotate(bare)
    assert found.keys[0].key.pitch_classes == Key.parse("C").pitch_classes
    assert found.chords
    named = replace(bare, keys=(KeyChange(0, Key.parse("D:dorian")),), chords=(ChordChange(0, Chord.parse("Dm7")),))
    assert annotate(named) == named


def test_drums_are_kept_but_neither_lead_nor_have_a_harmony(folder, tmp_path):
    drums = Track("Drums", tuple(Note(6 * i, 3, 42) for i in range(32)), is_drum=True)
    replace(tune(9), tracks=(drums, *tune(9).tracks)).save(folder / "drums.mid")
    build_corpus(entry_for(folder), tmp_path / "out", n_processes=1)
    piece = next(piece for piece in load_shard(tmp_path / "out") if piece.name == "drums.mid")
    assert [track.is_drum for track in piece.score.tracks] == [False, True]
    assert piece.score.chords == annotate(tune(9)).chords


def test_a_folder_that_looks_like_a_file_and_a_dead_link_are_passed_over(folder, tmp_path):
    (folder / "album.mid").mkdir()
    (folder / "dead.mid").symlink_to(folder / "nowhere.mid")
    assert build_corpus(entry_for(folder), tmp_path / "out", n_processes=1).n_pieces == 4


def test_sixteenths_need_a_grid_of_sixteenths(tmp_path, monkeypatch):
    (tmp_path / "JSB-Chorales").mkdir()
    (tmp_path / "JSB-Chorales" / "Jsb16thSeparated.json").write_text('{"train": [[[60, 55, 52, 48]]]}')
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    source = list_sources(entry_named("jsb-chorales"))[0]
    with pytest.raises(CorpusError, match="expected a multiple of 4"):
        read_source(source, steps_per_quarter=6)
    score = read_source(source, steps_per_quarter=12)[0]
    assert isinstance(score, Score)
    assert score.tracks[0].notes == (Note(0, 3, 60),)


def test_beat_chroma_is_what_a_plain_loop_counts():
    score = Score(
        4,
        (Track("a", (Note(0, 6, 60), Note(6, 10, 67))), Track("b", (Note(2, 12, 52),))),
        meters=(MeterChange(0, Meter(3, 4)),),
    )
    chroma, bass, starts, strong = beat_chroma(score)
    assert starts.tolist() == [0, 4, 8, 12, 16, 20]
    assert strong.tolist() == [1, 0, 0] * 2
    expected = np.zeros((6, 12))
    lowest = [-1] * 6
    for beat in range(6):
        sounding = set()
        for track in score.tracks:
            for note in track.notes:
                steps = [s for s in range(4 * beat, 4 * beat + 4) if note.onset_steps <= s < note.end_steps]
                expected[beat, note.pitch % 12] += len(steps) / 4
                sounding |= {note.pitch} if steps else set()
        lowest[beat] = min(sounding) % 12 if sounding else -1
    assert chroma == pytest.approx(expected)
    assert bass.tolist() == lowest


@pytest.mark.parametrize(
    ("meter", "strengths"),
    [("4/4", [1, 0, 0.5, 0]), ("6/8", [1, 0.5]), ("12/8", [1, 0, 0.5, 0]), ("2+2+3/8", [1, 0.5, 0.5]), ("2/4", [1, 0])],
)
def test_beats_are_as_strong_as_the_metre_has_them(meter: str, strengths: list[float]):
    parsed = Meter.parse(meter)
    score = Score(4, (Track("a", (Note(0, 1, 60),)),), meters=(MeterChange(0, parsed),), end_steps=parsed.bar_steps(4))
    assert beat_chroma(score)[3].tolist() == strengths


def test_keys_by_place_begin_at_bar_lines():
    scale = (0, 4, 7, 5, 9, 0, 7, 11, 2, 7, 4, 0)
    tune = [60 + p for p in scale] * 3 + [66 + p for p in scale] * 3
    notes = tuple(Note(8 + 4 * i, 4, pitch) for i, pitch in enumerate(tune))
    score = Score(4, (Track("a", notes),), meters=(MeterChange(0, Meter(2, 4)), MeterChange(8, Meter(3, 4))))
    assert keys_by_place(score) == (KeyChange(0, Key.parse("C")), KeyChange(8 + 4 * 36, Key.parse("F#")))
    assert key_from_notes(score) in {Key.parse("C"), Key.parse("F#")}


def test_downbeats_belong_to_the_bar_they_open():
    chords = [tonic for tonic in (60, 66) for _ in range(12)]
    notes = tuple(Note(12 * bar, 4, tonic + above) for bar, tonic in enumerate(chords) for above in (0, 4, 5, 7, 11))
    score = Score(
        4,
        (Track("a", tuple(sorted(notes, key=lambda n: (n.onset_steps, n.pitch)))),),
        meters=(MeterChange(0, Meter(3, 4)),),
    )
    assert keys_by_place(score) == (KeyChange(0, Key.parse("C")), KeyChange(144, Key.parse("F#")))
