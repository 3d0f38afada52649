"""Songs: the laws are kept, the seed decides, and what can't be is explained."""

import subprocess
import sys
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import symgen
from symgen.errors import GridError, InfeasibleError, RequestError, ScoreError
from symgen.io.midi import write_midi
from symgen.moments import audit
from symgen.pipeline.generate import generate, generate_many
from symgen.pipeline.rules import default_rules
from symgen.score import Score
from theory.chord import Chord
from theory.errors import ParseError
from theory.key import Key
from theory.meter import STRONG_LEVEL, Meter
from theory.pitch import spell
from theory.rules import ChordTonesOnStrongBeats, EndOn, InKey, LargestLeap, Lock, Range

METERS = ["4/4", "3/4", "2/4", "6/8", "5/4", "7/8", "9/8", "12/8", "2/2", "3+2+2/8"]
SUFFIXES = ["", "m", "7", "m7", "maj7", "dim", "sus4", "6", "m7b5", "9"]
EXAMPLE = {"key": "A minor", "chords": "Am F | C G", "bars": 8}


def random_request(rng):
    """Return a key, diatonic or arbitrary chords in one to four bars, a metre, a style and a length."""
    mode = str(rng.choice(["major", "minor", "dorian", "mixolydian", "harmonic minor", "lydian"]))
    key = Key.from_pitch_class(int(rng.integers(12)), mode)
    chords = [f"{spell(int(rng.integers(12)))}{rng.choice(SUFFIXES)}" for _ in range(int(rng.integers(1, 5)))]
    return {
        "key": key,
        "chords": None if rng.random() < 0.3 else " | ".join(chords) + " |",
        "meter": str(rng.choice(METERS)),
        "style": str(rng.choice(["folk", "lead-sheet", "chorale"])),
        "bars": int(rng.integers(1, 5)),
    }


@pytest.mark.parametrize("block", range(10))
def test_a_thousand_songs_keep_the_laws(block):
    for seed in range(100 * block, 100 * block + 100):
        request = random_request(np.random.default_rng(seed))
        decoder = "chain" if seed % 20 else "causal"
        score = generate(seed=seed, decoder=decoder, **request)
        rules = default_rules(score.chords, request["key"])
        assert dict(score.recipe)["decoder"] == decoder
        assert audit(score, rules) == [], (seed, request)
        plainly_kept(score, request["key"])
        assert score.end_steps == score.bars.end_steps
        assert score.bars.n_bars == request["bars"]


def plainly_kept(score, key):
    """Judge key and strong beats once more, without rules, moments or audits."""
    bars = score.bars
    for note in score.track("Melody").notes:
        for step in range(note.onset_steps, note.end_steps):
            chord = [c.chord for c in score.chords if c.onset_steps <= step][-1]
            bar = max(b for b in range(bars.n_bars) if bars.starts[b] <= step)
            is_strong = bars.meters[bar].levels(12)[step - bars.starts[bar]] <= STRONG_LEVEL
            assert note.pitch % 12 in (chord.pitch_classes if is_strong else key.pitch_classes | chord.pitch_classes)


def test_the_scale_is_music21s_where_the_chords_are_in_the_key():
    from music21 import key as m21

    for seed in range(20):
        score = generate(seed=seed, **EXAMPLE)
        scale = {pitch.pitchClass for pitch in m21.Key("a").pitches}
        assert {note.pitch % 12 for note in score.track("Melody").notes} <= scale


def test_the_same_seed_gives_the_same_bytes_and_another_another_song():
    a, b, c = (generate(seed=seed, **EXAMPLE) for seed in (7, 7, 8))
    assert write_midi(a) == write_midi(b)
    assert a.track("Melody").notes != c.track("Melody").notes


def test_the_same_bytes_come_from_another_process_and_number_of_threads():
    code = (
        "import sys, hashlib, torch; torch.set_num_threads(int(sys.argv[1]));"
        "from symgen.pipeline.generate import generate; from symgen.io.midi import write_midi;"
        "print(hashlib.sha256(write_midi(generate(key='A minor', chords='Am F | C G', bars=8, seed=7))).hexdigest())"
    )
    digests = {
        subprocess.run([sys.executable, "-c", code, n], capture_output=True, text=True, check=True).stdout
        for n in ("1", "2")
    }
    assert len(digests) == 1


def test_a_seed_is_chosen_and_recorded_where_none_is_given():
    score = generate(bars=1)
    again = generate(bars=1, seed=int(dict(score.recipe)["seed"]))
    assert write_midi(score) == write_midi(again)


def test_the_song_has_its_parts_and_ends_on_the_tonic():
    score = generate(key="D", chords="D G | A7 D", meter="3/4", bars=4, bpm=90, seed=1)
    assert [track.name for track in score.tracks] == ["Melody", "Chords", "Bass"]
    assert all(track.notes for track in score.tracks)
    assert (score.tempos[0].bpm, score.meters[0].meter, score.keys[0].key) == (90, Meter(3, 4), Key.parse("D"))
    assert [str(c.chord) for c in score.chords] == ["D", "G", "A7", "D", "G", "A7", "D"]  # the D goes on
    assert score.track("Melody").notes[-1].pitch % 12 == 2


def test_without_chords_a_progression_is_composed_in_the_key():
    for seed in range(10):
        score = generate(key="F", seed=seed)
        chords = [c.chord for c in score.chords]
        assert chords[-1] == Chord.parse("F")
        assert len(chords) >= 3
        assert sum(c.pitch_classes <= Key.parse("F").pitch_classes for c in chords) >= len(chords) / 2


def test_several_songs_follow_from_one_seed():
    three = generate_many(3, seed=5, bars=2)
    assert [take.score for take in three] == [take.score for take in generate_many(3, seed=5, bars=2)]
    assert len({take.score.track("Melody").notes for take in three}) == 3
    assert len({take.score.chords for take in three}) == 1
    assert generate_many(1, seed=5, bars=2)[0].score == generate(seed=5, bars=2)


def test_locks_are_kept():
    locks = ["bar 2 beat 1 = E5", "bar 3 beat 2.5 = D4", "bar 4 beat 4 = rest"]
    for seed in range(10):
        score = generate(key="C", chords="C | C | G | C", bars=4, locks=locks, seed=seed)
        assert audit(score, [Lock.parse(lock) for lock in locks]) == []
        starts = {note.onset_steps: note.pitch for note in score.track("Melody").notes}
        assert starts[48] == 76
        assert starts[96 + 18] == 62
        assert not any(n.onset_steps <= 180 < n.end_steps for n in score.track("Melody").notes)


def test_rules_can_be_changed():
    score = generate(bars=4, seed=3, changed_rules=[Range(60, 67), LargestLeap(2)])
    pitches = [note.pitch for note in score.track("Melody").notes]
    assert set(pitches) <= set(range(60, 68))
    assert max(abs(a - b) for a, b in pairwise(pitches)) <= 2
    free = generate(bars=4, seed=3, rules=[])
    assert free.track("Melody").notes


@pytest.mark.parametrize(
    ("request_", "where", "blame"),
    [
        ({"key": "C", "locks": ["bar 1 beat 1 = C#5"]}, "bar 1 beat 1", {"in key", "lock bar 1 beat 1 = C#5"}),
        (
            {
                "key": "C",
                "chords": "C",
                "locks": ["bar 2 beat 1 = C4", "bar 2 beat 1.25 = C5"],
                "changed_rules": [LargestLeap(7)],
            },
            "bar 2 beat 1.25",
            {"largest leap 7 semitones", "lock bar 2 beat 1 = C4", "lock bar 2 beat 1.25 = C5"},
        ),
        (
            {"key": "C", "locks": ["bar 1 beat 2 = C3"]},
            "bar 1 beat 2",
            {"range C4..A5", "lock bar 1 beat 2 = C3"},
        ),
    ],
)
def test_what_cannot_be_is_explained(request_, where, blame):
    with pytest.raises(InfeasibleError) as caught:
        generate(seed=1, **request_)
    assert caught.value.where == where
    assert set(caught.value.blame) == blame
    assert all(words in str(caught.value) for words in blame)


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        ({"bars": 0}, RequestError, "bars 0: expected a whole number from 1 to 512"),
        ({"bpm": 0}, RequestError, "bpm 0: expected 4 to 1000"),
        ({"temperature": 0}, RequestError, "temperature 0: expected 0.01 to 100"),
        ({"temperature": float("nan")}, RequestError, "temperature nan"),
        ({"style": "polka"}, RequestError, "style 'polka': expected one of folk"),
        ({"seed": -1}, RequestError, "seed -1"),
        ({"bars": 2.5}, RequestError, "bars 2.5: expected a whole number"),
        ({"seed": 1.5}, RequestError, "seed 1.5: expected a whole number"),
        ({"meter": "1+1+1+1+4/32"}, RequestError, "metre .*: its beats fall between the steps"),
        ({"rules": [Lock(9, Fraction(1), 60)]}, GridError, "bar 9: expected a bar from 1 to 8"),
        ({"changed_rules": [Range(0, 24)]}, RequestError, "range C-1..C1: the model's melodies in C major lie within"),
        ({"locks": ["bar 1 beat 1 = C1"]}, RequestError, "lock bar 1 beat 1 = C1: the model's melodies"),
        ({"key": "H"}, ParseError, "key 'H'"),
        ({"chords": "Am Xx"}, ParseError, "chord 'Xx' at column 4"),
        ({"chords": ""}, ParseError, "progression"),
        ({"meter": "4/3"}, ParseError, "metre '4/3'"),
        ({"locks": ["bar 9 beat 1 = C5"]}, GridError, "bar 9: expected a bar from 1 to 8"),
        ({"locks": ["somewhere = C5"]}, ParseError, "lock 'somewhere = C5'"),
    ],
)
def test_bad_requests_say_what_was_expected(request_, error, message):
    with pytest.raises(error, match=message):
        generate(**request_)


def test_a_melody_has_notes_even_where_it_is_short():
    for seed in range(60):
        assert generate(bars=1, meter="2/4", seed=seed).track("Melody").notes
    assert generate(chords="N.C.", bars=1, seed=1).track("Melody").notes


def test_no_style_in_particular_is_a_style():
    assert dict(generate(bars=1, seed=1, style="").recipe)["style"] == ""
    assert dict(generate(bars=1, seed=1).recipe)["style"] == symgen.styles()[0]


def test_the_recipe_keeps_every_digit_and_says_what_is_only_preferred():
    recipe = dict(generate(bars=1, seed=1, bpm=97.1234567, rules=[InKey(cost=2.0)]).recipe)
    assert recipe["bpm"] == "97.1234567"
    assert recipe["rules"] == "in-key cost=2.0"


def test_an_audit_needs_a_track():
    with pytest.raises(ScoreError, match="expected a score with at least one track"):
        audit(Score(4), [])


def test_the_public_names_are_all_there():
    for name in symgen.__all__:
        assert getattr(symgen, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = symgen.nothing


def test_an_audit_finds_what_is_wrong():
    score = generate(key="C", chords="C", bars=2, seed=1)
    wrong = [InKey(), ChordTonesOnStrongBeats(), EndOn(frozenset({1})), Lock(1, Fraction(1), 61), LargestLeap(1)]
    kinds = {type(violation.rule) for violation in audit(score, wrong)}
    assert kinds == {EndOn, Lock, LargestLeap}
