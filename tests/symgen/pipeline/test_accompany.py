"""A band beside a melody: what is given stays, every player has its own chance, and bad input is refused in a line."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgen.band.counter import Repeat
from symgen.band.drums import Part
from symgen.errors import RequestError, ScoreError
from symgen.io import load
from symgen.pipeline.accompany import accompany, arpeggiate, melody_number
from symgen.pipeline.band import BAND, chosen, on_band_grid, repeats_of, song_choices
from symgen.pipeline.generate import generate, generate_many
from symgen.pipeline.regrid import at_grid
from symgen.score import KeyChange, Marker, MeterChange, Note, Score, TempoChange, Track
from theory.errors import ParseError
from theory.key import Key
from theory.meter import Meter
from theory.rules import ChordTonesOnStrongBeats
from theory.rules.voiceleading import NoParallelFifths, NoParallelOctaves
from theory.swing import Swing

METERS = ["4/4", "3/4", "6/8", "5/4", "7/8", "12/8", "2/4", "2+2+3/8", "3/16", "7/32"]
ASKED = {"key": "C", "chords": "C Am | F | N.C. | G7 C"}


def tune(meter="4/4", grid=12, n_bars=4, name="Melody", **other):
    """Notes of the C major scale on the beats of a metre."""
    metre = Meter.parse(meter)
    size, scale = metre.bar_steps(grid), (72, 74, 76, 77, 79, 76, 74, 71)
    places = [b * size + int(place * grid) for b in range(n_bars) for place in metre.beat_starts]
    notes = [Note(a, b - a, scale[i % 8], 70 + i % 9)
             for i, (a, b) in enumerate(zip(places, [*places[1:], n_bars * size], strict=True))]  # fmt: skip
    track = Track(name, tuple(notes), 40)
    return Score(grid, (track,), meters=(MeterChange(0, metre),), end_steps=n_bars * size, **other)


def names(score):
    return [track.name for track in score.tracks]


@pytest.mark.parametrize("meter", METERS)
def test_a_band_plays_in_every_metre_and_the_melody_stays(meter):
    score = tune(meter, grid=24)
    take = accompany(score, **ASKED, counter=True, seed=3)
    assert names(take.score) == ["Melody", *BAND]
    assert at_grid(score, take.score.steps_per_quarter).tracks[0] == take.score.tracks[0]
    assert take.score.bars.n_bars == 4
    assert take.score.end_steps == at_grid(score, take.score.steps_per_quarter).end_steps
    for track in take.score.tracks:
        assert track.is_drum == (track.name == "Drums")
        assert track.notes or track.name == "Counter-melody"
    voices = take.score.with_tracks([take.score.tracks[i] for i in (0, 1)])
    assert voices.audit([NoParallelFifths(), NoParallelOctaves()]) == []
    for name in ("Counter-melody", "Chords", "Bass"):
        if take.score.track(name).notes:
            assert take.score.audit([ChordTonesOnStrongBeats()], track=name) == []


def test_the_melody_of_a_file_stays_to_the_byte(tmp_path):
    score = replace(tune(n_bars=2), tempos=(TempoChange(0, 91.5),), keys=(KeyChange(0, Key.parse("C")),))
    odd = Note(101, 7, 63, 33)
    score = at_grid(score, 480).with_tracks([replace(score.tracks[0], notes=(odd, Note(480, 480, 72)))])
    score.save(tmp_path / "a.mid")
    take = accompany(tmp_path / "a.mid", chords="C | G", seed=1, style="jazz")
    take.score.save(tmp_path / "b.mid")
    old, new = (load(tmp_path / name, steps_per_quarter=480) for name in ("a.mid", "b.mid"))
    assert new.tracks[0] == old.tracks[0]
    assert (new.tempos, new.meters, new.keys) == (old.tempos, old.meters, old.keys)
    assert names(new) == ["Melody", *BAND[1:]]


@given(st.integers(0, 10**6), st.sampled_from(["pop", "jazz", "funk", "waltz"]))
@settings(max_examples=10, deadline=None)
def test_every_player_has_a_chance_of_its_own(seed, style):
    score = tune(n_bars=8)
    whole = accompany(score, **ASKED, style=style, counter=True, seed=seed).score
    assert accompany(score, **ASKED, style=style, counter=True, seed=seed).score == whole
    asked = {"texture": "Chords", "bass": "Bass", "drums": "Drums"}
    for player, name in asked.items():
        less = accompany(score, **ASKED, style=style, counter=True, seed=seed, **{player: "none"}).score
        assert names(less) == [n for n in names(whole) if n != name]
        assert list(less.tracks) == [track for track in whole.tracks if track.name != name]
    without = accompany(score, **ASKED, style=style, seed=seed).score
    assert without.tracks[1:] == whole.tracks[2:]


def test_the_seed_changes_what_is_drawn_and_nothing_else():
    one, other = (accompany(tune(n_bars=8), **ASKED, style="jazz", counter=True, seed=s).score for s in (1, 2))
    same = {name: one.track(name) == other.track(name) for name in names(one)}
    assert same == {"Melody": True, "Counter-melody": False, "Chords": True, "Bass": False, "Drums": False}


def test_the_band_swings_and_the_melody_does_not():
    take = accompany(tune(), **ASKED, style="jazz", seed=1)
    beats = {n.onset_steps % 12 for n in take.score.track("Drums").notes}
    assert beats == {0, 8}
    assert "the band swings 2:1 eighths; the melody stays as it is" in take.said
    straight = accompany(tune(), **ASKED, style="jazz", swing="straight", seed=1)
    assert {n.onset_steps % 12 for n in straight.score.track("Drums").notes} == {0, 6}
    fine = accompany(tune(), **ASKED, style="pop", swing="60%", seed=1).score
    grid = fine.steps_per_quarter
    assert {n.onset_steps % grid * 10 // grid for n in fine.track("Drums").notes} >= {0, 6}
    assert accompany(tune("6/8"), **ASKED, style="jazz", seed=1, drums="rock").score.track("Drums").notes


def test_chords_keys_and_markers_of_the_file_are_taken_and_it_is_said():
    score = generate(key="D", chords="D G | A7 D", bars=4, seed=2, decoder="chain")
    take = accompany(score, seed=1)
    assert take.said[0] == "key of the file, chords of the file"
    assert [str(c.chord) for c in take.score.chords] == ["D", "G", "A7", "D", "G", "A7", "D"]
    assert any("as the file says" in word for word in take.said)
    found = accompany(tune(), seed=1)
    assert found.said[0] == "key found in the notes, chords found in the notes"
    assert found.score.keys == ()
    assert found.score.chords
    given_key = accompany(tune(), key="C", seed=1)
    assert str(given_key.score.keys[0].key) == "C major"
    assert accompany(tune("3/4"), seed=1).said[-1] == "style waltz, the usual one in 3/4"


def test_a_band_is_taken_up_again_by_its_name():
    first = accompany(tune(), **ASKED, style="bossa", seed=1).score
    assert dict(first.recipe)["band"] == "bossa: texture comp-bossa, bass bossa, drums bossa"
    again = accompany(first, seed=1)
    assert again.said[-1] == "style bossa, as the file says"
    assert again.score.tracks == first.tracks


def test_sections_of_the_form_have_their_own_groove():
    markers = tuple(Marker(48 * bar, name) for bar, name in [(0, "A"), (2, "B"), (4, "A")])
    take = accompany(replace(tune(n_bars=6), markers=markers), **ASKED, style="pop", seed=1)
    bars = take.score.bars
    ride = {int(bars.bar_of(n.onset_steps)) for n in take.score.track("Drums").notes if n.pitch == 51}
    assert ride == {2, 3}


def test_a_section_that_comes_back_has_its_counter_melody_again():
    markers = tuple(Marker(96 * i, name) for i, name in enumerate("ABA"))
    one, other = tune(n_bars=2).tracks[0].notes, tuple(Note(24 * i, 24, 79 - i) for i in range(4))
    notes = [replace(n, onset_steps=n.onset_steps + 96 * i) for i, part in enumerate((one, other, one)) for n in part]
    score = Score(12, (Track("Melody", tuple(notes)),), markers=markers, end_steps=288)
    for seed in range(5):
        take = accompany(score, chords="C | F", key="C", style="ballad", counter=True, seed=seed)
        line = take.score.track("Counter-melody").notes
        first, last = ({(n.onset_steps - at, n.pitch) for n in line if at < n.onset_steps < at + 96} for at in (0, 192))
        assert first == last
    assert line
    bars, parts = score.bars, [Part(0, 0), Part(2, 1), Part(4, 0)]
    assert repeats_of(bars, notes, take.score.chords, parts) == [Repeat(0, 192, 96)]
    assert repeats_of(bars, notes[:-1], take.score.chords, parts) == []
    assert repeats_of(bars, notes, take.score.chords[:-1], parts) == []


def test_other_tracks_go_or_stay():
    strings, old = Track("Strings", (Note(0, 48, 55),), 48), Track("Bass", (Note(0, 48, 40),), 33)
    score = tune().with_tracks([strings, *tune().tracks, old])
    take = accompany(score, **ASKED, seed=1)
    assert names(take.score) == ["Melody", "Chords", "Bass", "Drums"]
    assert "left out: Strings; the band plays instead" in take.said
    kept = accompany(score, **ASKED, seed=1, keep=True)
    assert names(kept.score) == ["Melody", "Strings", "Chords", "Bass", "Drums"]
    assert kept.score.track("Bass") == take.score.track("Bass")
    assert not any("left out" in word for word in kept.said)


def test_the_melody_is_the_one_that_is_named_or_says_so():
    score = tune(name="Lead vocal").with_tracks([Track("Pad", (Note(0, 48, 55),)), *tune(name="Lead vocal").tracks])
    assert melody_number(score, None, "x") == 1
    assert melody_number(score, "Pad", "x") == 0
    assert names(accompany(score, **ASKED, track="Pad", seed=1).score)[0] == "Pad"
    with pytest.raises(ScoreError, match="track 'Tuba': expected one of 'Pad', 'Lead vocal'"):
        accompany(score, track="Tuba")


def test_the_band_waits_for_the_pickup_and_rests_with_the_melody():
    notes = (Note(36, 12, 67), *(Note(48 + 24 * i, 24, 72) for i in range(5)), Note(168, 24, 71))
    score = Score(12, (Track("Melody", notes),), end_steps=192)
    take = accompany(score, key="C", seed=1, style="pop")
    for name in ("Chords", "Bass", "Drums"):
        assert min(n.onset_steps for n in take.score.track(name).notes) == 48
        assert {n.end_steps for n in take.score.track(name).notes if n.onset_steps >= 168} == {192}
        assert {n.onset_steps for n in take.score.track(name).notes if n.onset_steps >= 168} == {168}
    written = accompany(score, key="C", chords="C", seed=1, style="pop").score
    assert min(n.onset_steps for n in written.track("Bass").notes) == 0


def test_bad_input_is_refused():
    drums = Score(4, (Track("Kit", (Note(0, 1, 36),), is_drum=True),))
    far = Score(4, (Track("Far", (Note(0, 4, 60), Note(16 * 9999, 4, 60))),))
    for act in (accompany, arpeggiate):
        for score in (Score(4), drums):
            with pytest.raises(RequestError, match="the score: no pitched notes: expected a melody"):
                act(score)
        with pytest.raises(RequestError, match="10000 bars: expected at most 512"):
            act(far)
    with pytest.raises(RequestError, match="track 'Kit' has no pitched notes"):
        accompany(drums, track="Kit")
    for name, message in [
        ("style", "style 'x' of the band"),
        ("texture", "texture 'x'"),
        ("bass", "bass 'x'"),
        ("drums", "drums 'x'"),
    ]:
        with pytest.raises(RequestError, match=f"{message}: expected one of .*"):
            accompany(tune(), **{name: "x"})
    with pytest.raises(ParseError, match="swing 'x'"):
        accompany(tune(), swing="x")
    with pytest.raises(RequestError, match="seed -1"):
        accompany(tune(), seed=-1)


def test_chords_alone_are_played_in_a_texture():
    take = arpeggiate("Am F | C G", texture="alberti", meter="3/4", bpm=72, bars=3, program=24)
    score = take.score
    assert (names(score), score.bars.n_bars, score.tempos[0].bpm, score.tracks[0].program) == (["Chords"], 3, 72, 24)
    assert [str(c.chord) for c in score.chords] == ["Am", "F", "C", "G", "Am", "F"]
    assert score.audit([ChordTonesOnStrongBeats()]) == []
    assert arpeggiate("I vi | IV V", key="D", texture="strum").score.tracks[0].notes
    for bad, message in [({"bars": 0}, "bars 0"), ({"bars": 513}, "bars 513"), ({"texture": "none"}, "texture 'none'")]:
        with pytest.raises(RequestError, match=message):
            arpeggiate("C", **bad)


def test_the_chords_of_a_piece_are_played_beside_it():
    score = generate(key="D", chords="D G | A7 D", bars=2, seed=2, decoder="chain")
    take = arpeggiate(score, texture="arpeggio-up")
    assert names(take.score) == ["Melody", "Bass", "Chords"]
    assert take.score.track("Melody") == at_grid(score, take.score.steps_per_quarter).track("Melody")
    assert take.score.track("Chords").notes[:2] != score.track("Chords").notes[:2]
    assert take.said == ("key of the file, chords of the file",)


def test_a_song_without_a_band_is_as_it_was_and_with_one_has_its_melody():
    asked = {"key": "G", "bars": 4, "seed": 5, "decoder": "chain"}
    plain, full = generate(**asked), generate(**asked, band="rock", counter=True)
    assert names(plain) == ["Melody", "Chords", "Bass"]
    assert "band" not in dict(plain.recipe)
    assert names(full) == ["Melody", *BAND]
    assert full.track("Melody") == at_grid(plain, full.steps_per_quarter).track("Melody")
    assert dict(full.recipe)["band"] == "rock: texture comp-rock, bass eighths, drums rock, counter-melody"
    assert names(generate(**asked, texture="alberti")) == ["Melody", "Chords", "Bass"]
    assert names(generate(**asked, drums="pop")) == ["Melody", "Chords", "Bass", "Drums"]
    assert [names(take.score) for take in generate_many(2, **asked, band="folk", bass="none")] == [
        *[["Melody", "Chords", "Drums"]] * 2
    ]


def test_in_a_song_the_melody_swings_with_the_band():
    asked = {"key": "G", "bars": 2, "seed": 5, "decoder": "chain", "rules": ["range C4 C6", "rhythm x-x-x-x-x-x-x-x-"]}
    song = generate(**asked, band="jazz")
    places = {n.onset_steps % song.steps_per_quarter * 12 // song.steps_per_quarter for n in song.tracks[0].notes}
    assert places == {0, 8}


def test_choices_read_as_words_and_grids_are_fine_enough():
    assert song_choices("folk") is None
    assert str(song_choices("", drums="pop")) == "lead-sheet: texture pulse, bass root-fifth, drums pop"
    assert str(chosen("jazz", drums="none")) == "jazz: texture comp-jazz, bass walking, drums none, swing 2:1 eighths"
    assert on_band_grid(tune(grid=4)).steps_per_quarter == 12
    assert on_band_grid(tune("7/32", grid=8)).steps_per_quarter == 24
    assert on_band_grid(tune(grid=4), Swing.parse("3:2")).steps_per_quarter == 120
