"""Takes: what is given stays, what is new keeps the rules, and its law is that of the whole lattice given the rest."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgen.alphabet import N_SPECIAL
from symgen.decode.compile import compile_line
from symgen.decode.infer import best_line, log_backward, log_probability
from symgen.decode.region import region_of
from symgen.errors import InfeasibleError, RequestError, ScoreError
from symgen.io import load
from symgen.io.midi import write_midi
from symgen.pipeline import redraw
from symgen.pipeline.generate import generate
from symgen.pipeline.ideas import posterior_latents, potentials_of, read_idea, redrawn_latents
from symgen.pipeline.regrid import at_grid
from symgen.pipeline.rules import chosen_rules
from symgen.pipeline.takes import continue_, infill, vary
from symgen.score import MeterChange, Note, Score, TempoChange, Track
from theory.key import Key
from theory.meter import Meter
from theory.rules import EndOn, InKey, LargestLeap, Range
from theory.rules.text import parse_rule

SONG = generate(key="A minor", chords="Am F | C G", bars=8, seed=7)


def outside(score, first, last):
    """Return the notes of the melody that start outside some bars."""
    start, end = score.bars.starts[first - 1], score.bars.starts[last]
    return [n for n in score.tracks[0].notes if not start <= n.onset_steps < end]


def inside(score, first, last):
    start, end = score.bars.starts[first - 1], score.bars.starts[last]
    return [n for n in score.tracks[0].notes if start <= n.onset_steps < end]


def leaps(score, first, last):
    """Return the moves into, inside and out of some bars, in semitones."""
    start, end = score.bars.starts[first - 1], score.bars.starts[last]
    notes = score.tracks[0].notes
    moves = [(a, b) for a, b in pairwise(notes) if b.onset_steps >= start and a.onset_steps < end]
    return [abs(b.pitch - a.pitch) for a, b in moves]


def melody(*rows, end=64, grid=4, **more):
    """Return a score of one track from (onset, duration, pitch), on the model's grid if it is coarser."""
    score = Score(grid, (Track("Melody", tuple(Note(*row) for row in rows)),), end_steps=end, **more)
    return score if 12 % grid else at_grid(score, 12)


QUARTERS = melody(*((4 * i, 4, 60 + (i % 3) * 2) for i in range(16)))


@settings(max_examples=12)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["4/4", "3/4", "6/8", "5/4", "7/8"]),
    st.sampled_from(["C", "F# minor", "Bb:dorian"]),
    st.tuples(st.integers(1, 6), st.integers(1, 6)).map(sorted),
)
def test_everything_but_the_bars_stays_and_they_keep_the_rules(seed, meter, key, bars):
    song = generate(key=key, meter=meter, bars=6, seed=seed, form="free")
    first, last = bars
    take = infill(song, (first, last), seed=seed)
    assert replace(take.score, tracks=()) == replace(song, tracks=())
    assert take.score.tracks[1:] == song.tracks[1:]
    assert outside(take.score, first, last) == outside(song, first, last)
    # A song keeps its rules, so the whole of the new one does.
    assert take.score.audit(chosen_rules(None, (), song.chords, song.keys[-1].key)) == []


def test_the_bytes_of_other_tracks_stay():
    old, new = write_midi(SONG), write_midi(infill(SONG, (3, 4), seed=1).score)
    chords = old[old.rindex(b"MTrk", 0, old.rindex(b"MTrk")) :]  # the last two tracks
    assert b"Chords" in chords
    assert new.endswith(chords)


def test_the_seed_decides_and_other_seeds_give_other_notes():
    lines = [tuple(inside(infill(SONG, (3, 6), seed=seed).score, 3, 6)) for seed in (1, 1, 2, 3)]
    assert lines[0] == lines[1]
    assert len(set(lines)) == 3


def test_what_stood_there_leaves_no_trace():
    rest = [(n.onset_steps // 3, n.duration_steps // 3, n.pitch) for n in outside(QUARTERS, 2, 2)]
    busy = [(step, 1, 60 + step * 7 % 20) for step in range(16, 32)]
    for seed in range(5):
        bare, full = melody(*rest, end=64), melody(*rest, *busy, end=64)
        one, other = (infill(music, (2, 2), key="C", chords="C", seed=seed).score for music in (bare, full))
        assert one == other
        assert inside(one, 2, 2)


def test_latents_of_bars_that_stay_stay():
    idea = read_idea(SONG)
    own = posterior_latents(idea, idea.line, range(8))
    new = redrawn_latents(idea, own, range(2, 4), np.random.default_rng(0), 1.0)
    changed = (new != own).any(axis=1)
    assert changed.tolist() == [False, False, True, True, False, False, False, False]


@pytest.mark.parametrize("rule", [None, "leap-recovery 5"])
def test_the_law_is_that_of_the_whole_lattice_given_the_rest(rule):
    idea = read_idea(QUARTERS, key="C", chords="C")
    rules = [InKey(), LargestLeap(9), Range(55, 76), EndOn(frozenset({0}))]
    rules += [parse_rule(rule)] if rule else []
    rules += [replace(Range(62, 71), cost=0.7), replace(LargestLeap(2), cost=0.4)]
    free = redraw.free_steps(idea, 1, 3)
    latents = posterior_latents(idea, idea.line, range(4))
    potentials = potentials_of(idea, latents, 0, 4)
    whole = compile_line(potentials, idea.moments, rules)
    region = region_of(whole, idea.line, free.start, free.end)
    twin = log_backward(region.lattice)
    part, plan = redraw.plan_of(idea, idea.line, free, potentials, rules)
    table = log_backward(plan.lattice)
    for seed in range(5):
        line = redraw.drawn_line(idea, idea.line, free, potentials, rules, np.random.default_rng(seed))
        found = log_probability(plan.lattice, table, line[part])
        assert found == pytest.approx(log_probability(region.lattice, twin, line[free.start : free.end]), abs=1e-8)


def test_given_notes_may_break_the_rules():
    wild = melody(*((4 * i, 4, 61 if i % 2 else 84) for i in range(16)))
    for rules in (None, "folk", ["in-key", "largest-leap 12", "leap-recovery 5", "range C4 C5", "start-on degrees=1"]):
        take = infill(wild, (2, 3), key="C", chords="C", rules=rules, seed=1)
        assert outside(take.score, 2, 3) == outside(wild, 2, 3)
        assert {n.pitch % 12 for n in inside(take.score, 2, 3)} <= {0, 2, 4, 5, 7, 9, 11}


@pytest.mark.parametrize("more", [[], ["leap-recovery 2"]])
def test_moves_across_the_borders_keep_the_largest_leap(more):
    for seed in range(4):
        score = infill(QUARTERS, (2, 3), key="C", chords="C", rules=["largest-leap 3", *more], seed=seed).score
        assert inside(score, 2, 3)
        assert max(leaps(score, 2, 3)) <= 3
    far = melody((0, 4, 60), (48, 4, 79), end=64)
    with pytest.raises(InfeasibleError, match="largest leap 3"):
        infill(far, (2, 2), key="C", chords="C", rules=["largest-leap 3", "density most=2", *more], seed=0)
    # A leap between given notes is not asked about.
    leaping = melody((0, 4, 60), (4, 4, 79), (8, 8, 67), (32, 16, 67), (48, 4, 60), (52, 4, 79), end=64)
    score = infill(leaping, (2, 2), key="C", chords="C", rules=["largest-leap 3", *more], seed=0).score
    assert max(leaps(score, 2, 2), default=0) <= 3


def test_a_note_held_into_the_bars_stays_and_one_held_out_gives_way():
    held = melody((0, 20, 60), (20, 16, 64), (36, 4, 67), (40, 24, 65), end=64)
    for seed in range(6):
        score = infill(held, (2, 2), key="C", chords="C", seed=seed).score
        notes = score.tracks[0].notes
        assert notes[0] == held.tracks[0].notes[0]
        assert held.tracks[0].notes[2] in notes
        new = [n for n in notes if n not in held.tracks[0].notes]
        assert all(60 <= n.onset_steps < 96 and n.end_steps <= 108 for n in new)
    idea = read_idea(held, key="C", chords="C")
    free = redraw.free_steps(idea, 1, 2)
    assert (free.start, free.border, free.end) == (60, 96, 108)
    potentials = potentials_of(idea, posterior_latents(idea, idea.line, range(4)), 0, 4)
    part, plan = redraw.plan_of(idea, idea.line, free, potentials, [])
    possible = ~np.isneginf(plan.potentials.step)
    assert (part.start, part.stop) == (0, 109)
    assert possible[60:96].all()
    assert possible[96:108, :N_SPECIAL].all()
    assert not possible[96:108, N_SPECIAL:].any()
    assert (possible[:60].sum(axis=1) == 1).all()


def test_a_note_that_rings_on_off_the_grid_is_not_struck_again_under_itself():
    rows = [(0, 480 * 4 + 20, 60), (480 * 8, 480, 60)]
    played = melody(*rows, end=7680, grid=480)
    for seed in range(4):
        score = infill(played, (2, 2), key="C", chords="C", rules=["range C4 C4"], seed=seed).score
        new = inside(score, 2, 2)
        assert new
        assert min(at_grid(score, 480).tracks[0].notes[1:]).onset_steps >= 480 * 4 + 20


def test_the_end_is_judged_where_it_is_new_only():
    rules = ["end-on degrees=5"]
    for seed in range(3):
        score = infill(QUARTERS, (4, 4), key="C", chords="C", rules=rules, seed=seed).score
        assert score.tracks[0].notes[-1].pitch % 12 == 7
        for elsewhere in (rules, ["end-on degrees=5 and in-key"]):
            assert infill(QUARTERS, (2, 2), key="C", chords="C", rules=elsewhere, seed=seed).score.tracks[0].notes


def test_a_bar_can_come_back():
    take = infill(QUARTERS, (3, 3), key="C", chords="C", rules=["same-bars bar=3 like=1"], seed=5)
    first, third = (inside(take.score, bar, bar) for bar in (1, 3))
    assert [(n.onset_steps % 48, n.duration_steps, n.pitch) for n in first] == [
        (n.onset_steps % 48, n.duration_steps, n.pitch) for n in third
    ]


def test_played_notes_stay_to_the_tick(tmp_path):
    rng = np.random.default_rng(3)
    rows = [(480 * i + int(rng.integers(0, 50)), 400 + int(rng.integers(0, 60)), 60 + i % 5) for i in range(16)]
    played = melody(*rows, end=7680, grid=480, tempos=(TempoChange(0, 97.3), TempoChange(2000, 101.0)))
    path = played.save(tmp_path / "played.mid")
    take = infill(path, (2, 3), seed=1)
    again = load(take.score.save(tmp_path / "new.mid"), steps_per_quarter=480)
    assert at_grid(take.score, 480).tempos == played.tempos
    new = set(inside(again, 2, 3))
    assert [n for n in again.tracks[0].notes if n not in new] == outside(played, 2, 3)
    assert new
    assert all(n.onset_steps % 480 in (0, 120, 160, 240, 320, 360) for n in new)
    assert "16 of 16 notes rounded to the nearest of 6 places in a quarter" in take.said


def test_the_piece_returns_on_the_coarsest_grid_that_holds_it(tmp_path):
    assert read_idea(SONG.save(tmp_path / "a.mid")).score == SONG
    assert read_idea(melody((0, 2, 60), end=12, grid=3), key="C", chords="C").score.steps_per_quarter == 12


def test_other_voices_of_the_track_stay_outside_and_go_inside():
    chords = melody(*((8 * i, 8, pitch) for i in range(8) for pitch in (48, 60, 64)))
    score = infill(chords, (2, 2), key="C", chords="C", seed=1).score
    assert outside(score, 2, 2) == outside(chords, 2, 2)
    assert all(a.end_steps <= b.onset_steps for a, b in pairwise(inside(score, 2, 2)))


def test_metres_may_change_and_pickups_stand_first():
    meters = (MeterChange(0, Meter(1, 4)), MeterChange(4, Meter(3, 4)), MeterChange(28, Meter(6, 8)))
    tune = melody(*((4 * i, 4, 60 + i % 5) for i in range(13)), end=52, meters=meters)
    for bars in ((1, 1), (2, 2), (2, 5), (1, 5)):
        take = infill(tune, bars, key="C", chords="C", seed=2)
        assert outside(take.score, *bars) == outside(tune, *bars)
        assert take.score.meters == tune.meters
        assert inside(take.score, *bars)


def test_new_notes_are_as_loud_as_the_melody():
    soft = melody(*((4 * i, 4, 60 + i % 5, 50) for i in range(16)))
    new = inside(infill(soft, (2, 3), key="C", chords="C", seed=1).score, 2, 3)
    assert abs(np.mean([n.velocity for n in new]) - 50) < 10
    assert len({n.velocity for n in new}) > 1


def test_a_low_melody_stays_low_and_the_range_is_said():
    low = melody(*((4 * i, 4, 50 + i % 8) for i in range(16)))
    take = infill(low, (2, 3), key="C", chords="C", seed=1)
    assert "range D3 to D4, that of the melody" in take.said
    assert all(50 <= n.pitch <= 62 for n in inside(take.score, 2, 3))
    asked = infill(low, (2, 3), key="C", chords="C", seed=1, changed_rules=["range G2 B3"])
    assert not any("range" in said for said in asked.said)


def test_the_recipe_tells_what_was_done():
    twice = infill(infill(SONG, (1, 1), seed=3).score, (2, 3), seed=4)
    assert dict(twice.score.recipe)["then"] == "infill bars 1-1 seed 3; infill bars 2-3 seed 4"
    assert twice.seed == 4


def test_key_and_chords_are_found_and_said():
    assert infill(SONG, (1, 1), seed=0).said[0] == "key of the file, chords of the file"
    found = read_idea(QUARTERS)
    assert found.said[0] == "key found in the notes, chords found in the notes"
    assert read_idea(QUARTERS, key="G").key == Key.parse("G")
    assert read_idea(SONG).style == "folk"
    assert read_idea(QUARTERS).style == ""


DRUMS = Score(4, (Track("Kit", (Note(0, 1, 36),), is_drum=True),), end_steps=16)


@pytest.mark.parametrize(
    ("music", "bars", "more", "words"),
    [
        (Score(4, end_steps=16), (1, 1), {}, "the score: no notes: expected a melody"),
        (DRUMS, (1, 1), {}, "the score: only drums: expected a melody"),
        (SONG, (0, 1), {}, "bars 0 to 1: expected bars from 1 to 8"),
        (SONG, (3, 2), {}, "bars 3 to 2: expected bars"),
        (SONG, (8, 9), {}, "bars 8 to 9: expected bars"),
        (SONG, (1, 1), {"temperature": 0.0}, "temperature 0"),
        (SONG, (1, 1), {"seed": -1}, "seed -1"),
        (SONG, (1, 1), {"style": "polka"}, "style 'polka': expected one of"),
        (melody((0, 4, 20), end=16), (1, 1), {"key": "C"}, "bar 1 beat 1: melody note G#0: the model's melodies"),
        (melody((0, 4, 60), (16 * 512, 4, 60)), (1, 1), {}, "the score: 513 bars: expected at most 512"),
        (melody((0, 64, 60)), (2, 3), {}, "bars 2 to 3: a note held from before fills them"),
        (melody((0, 3, 60), end=7, grid=8, meters=(MeterChange(0, Meter(7, 32)),)), (1, 1), {}, "between the model's"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(music, bars, more, words):
    with pytest.raises((RequestError, ScoreError)) as error:
        infill(music, bars, **more)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def before(score, step):
    """Return what stands in a score before a step."""
    tracks = [[n for n in track.notes if n.onset_steps < step] for track in score.tracks]
    lists = (score.tempos, score.meters, score.keys, score.chords, score.markers)
    return tracks, [[c for c in changes if c.onset_steps < step] for changes in lists]


@settings(max_examples=5)
@given(st.integers(0, 10**6), st.sampled_from(["4/4", "6/8"]), st.integers(1, 5))
def test_a_piece_goes_on_as_it_was_and_keeps_the_rules(seed, meter, n_bars):
    song = generate(key="G", meter=meter, bars=3, seed=seed, bpm=91)
    take = continue_(song, n_bars, seed=seed)
    assert before(take.score, song.end_steps) == before(song, song.end_steps)
    assert take.score.bars.n_bars == 3 + n_bars
    assert take.score.end_steps == take.score.bars.end_steps
    assert (take.score.tempos, take.score.meters, take.score.keys) == (song.tempos, song.meters, song.keys)
    assert [track.name for track in take.score.tracks] == ["Melody", "Chords", "Bass"]
    assert all(track.notes[-1].onset_steps >= song.end_steps for track in take.score.tracks)
    last = take.score.chords[-1].chord
    rules = [InKey(), LargestLeap(12), Range(60, 81), EndOn(frozenset(last.pitch_classes))]
    later = [v for v in take.score.audit(rules) if v.moment.bar > 3]
    assert later == []


def test_silence_is_drawn_anew_but_may_be_all_there_is():
    song = generate(key="G", bars=3, seed=0)
    assert inside(continue_(song, 1, seed=0).score, 4, 4)  # the first draw of this seed is silent
    silent = infill(QUARTERS, (2, 2), key="C", chords="C", rules=["range C9 C9"], seed=0)
    assert inside(silent.score, 2, 2) == []


def test_chords_come_again_are_named_or_composed():
    song = generate(key="C", chords="C | F | G | C", bars=4, seed=1)
    again = continue_(song, 6, seed=1)
    assert "new chords: those of the piece again" in again.said
    assert [(c.onset_steps // 48 + 1, str(c.chord)) for c in again.score.chords] == [
        *[(1, "C"), (2, "F"), (3, "G"), (4, "C"), (6, "F"), (7, "G"), (8, "C"), (10, "F")]
    ]
    named = continue_(song, 3, chords="Am | Dm G", seed=1)
    assert [(c.onset_steps, str(c.chord)) for c in named.score.chords[4:]] == [
        *[(192, "Am"), (240, "Dm"), (264, "G"), (288, "Am")]
    ]
    bass = [n.pitch % 12 for n in named.score.track("Bass").notes if n.onset_steps in (192, 240, 264, 288)]
    assert bass == [9, 2, 7, 9]
    composed = continue_(QUARTERS, 4, seed=1)
    assert composed.said[-1].startswith("new chords, composed: ")
    assert composed.score.chords == ()
    assert len(composed.score.tracks) == 1


def test_it_goes_on_after_the_last_note_in_the_last_metre():
    meters = (MeterChange(0, Meter(3, 4)), MeterChange(12, Meter(4, 4)), MeterChange(60, Meter(2, 4)))
    tune = melody((0, 12, 60), (12, 14, 64), end=76, meters=meters)
    take = continue_(tune, 2, key="C", seed=1)
    assert before(take.score, 84) == before(tune, 84)
    assert take.score.meters == tune.meters[:2]
    assert take.score.end_steps == 180
    assert min(n.onset_steps for n in take.score.tracks[0].notes[2:]) >= 84


def test_nothing_varied_is_the_same_piece_and_all_of_it_another():
    assert write_midi(vary(SONG, 0, seed=3).score) == write_midi(SONG)
    takes_of = [vary(SONG, 1, seed=seed).score for seed in (1, 1, 2)]
    assert takes_of[0] == takes_of[1]
    assert takes_of[0] != takes_of[2]
    for take in takes_of:
        assert replace(take, tracks=()) == replace(SONG, tracks=())
        assert take.tracks[1:] == SONG.tracks[1:]
        assert take.audit(chosen_rules(None, (), SONG.chords, SONG.keys[-1].key)) == []


def test_the_more_is_varied_the_less_stays():
    ideas = [read_idea(SONG), read_idea(generate(key="D", meter="6/8", seed=3))]
    kept = []
    for amount in (0.1, 0.3, 1.0):
        new = [(idea, read_idea(vary(idea, amount, seed=seed).score)) for idea in ideas for seed in range(3)]
        kept.append(np.mean([np.mean((one.line == other.line)[one.slots[:-1]]) for one, other in new]))
    assert kept[0] > 0.9
    assert all(a > b + 0.02 for a, b in pairwise(kept))
    assert kept[-1] < 0.7


def test_notes_that_stay_stay_as_they_were_played():
    rows = [(480 * i + 13, 455, 60 + i % 3 * 2, 40 + i) for i in range(16)]
    played = melody(*rows, end=7680, grid=480)
    new = vary(played, 0.2, key="C", chords="C", seed=1).score
    same = set(at_grid(new, 480).tracks[0].notes) & set(played.tracks[0].notes)
    assert len(same) > 8


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: vary(SONG, 1.5), "amount 1.5: expected 0 to 1"),
        (lambda: vary(SONG, float("nan")), "amount nan: expected 0 to 1"),
        (lambda: continue_(SONG, 0), "0 more bars after 8: expected at least 1, and at most 512 in all"),
        (lambda: continue_(SONG, 505), "505 more bars after 8"),
        (lambda: continue_(DRUMS, 1), "only drums"),
    ],
)
def test_amounts_and_lengths_have_limits(made, words):
    with pytest.raises(RequestError) as error:
        made()
    assert words in str(error.value)


def test_latents_of_a_line_lead_back_to_it():
    idea = read_idea(QUARTERS, key="C", chords="C")
    potentials = potentials_of(idea, posterior_latents(idea, idea.line, range(4)), 0, 4)
    guessed, _ = best_line(compile_line(potentials, idea.moments, []))
    assert np.mean(guessed == idea.line) > 0.85
    assert (idea.line >= N_SPECIAL).sum() == len(QUARTERS.tracks[0].notes)
