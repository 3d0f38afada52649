"""Transfer: the rhythm of one piece, the pitches of another, the harmony of a third."""

import pytest

from symgen.errors import InfeasibleError
from symgen.pipeline.generate import generate
from symgen.pipeline.transfer import transfer
from theory.rules import ChordTonesOnStrongBeats, InKey

RHYTHM = generate(key="C", chords="C | F | G7 | C", bars=4, seed=11, decoder="chain", bpm=91)
PITCHES = generate(key="G", chords="G | C | D7 | G", bars=5, seed=4, decoder="chain")
HARMONY = generate(key="F minor", meter="3/4", chords="Fm | Db Eb | C7 | Fm", bars=4, seed=2, decoder="chain")


def onsets(score):
    return [n.onset_steps for n in score.tracks[0].notes]


def degrees(score):
    tonic = score.keys[0].key.tonic.pitch_class
    return [(n.pitch - tonic) % 12 for n in score.tracks[0].notes]


def in_bar(score, bar):
    start, end = score.bars.starts[bar : bar + 2]
    return [n for n in score.tracks[0].notes if start <= n.onset_steps < end]


def test_onsets_are_the_one_pieces_and_pitches_the_others():
    take = transfer(RHYTHM, PITCHES, rules=["range C2 C7"])
    assert onsets(take.score) == onsets(RHYTHM)
    wanted, made = degrees(PITCHES), degrees(take.score)
    right = total = 0
    for bar in range(4):
        before = sum(len(in_bar(PITCHES, b)) for b in range(bar))
        begun = sum(len(in_bar(take.score, b)) for b in range(bar))
        n = len(in_bar(take.score, bar))
        pairs = list(zip(made[begun : begun + n], wanted[before : before + n], strict=False))
        right, total = right + sum(a == b for a, b in pairs), total + len(pairs)
    assert right / total > 0.7
    assert (take.score.bars.n_bars, take.score.tempos) == (4, RHYTHM.tempos)
    assert [str(c.chord) for c in take.score.chords] == ["G", "C", "D7", "G"]


def test_keys_and_chords_are_the_thirds_in_the_metre_of_the_first():
    take = transfer(RHYTHM, PITCHES, HARMONY)
    assert str(take.score.keys[0].key) == "F minor"
    assert take.score.meters == RHYTHM.meters
    assert [(c.onset_steps, str(c.chord)) for c in take.score.chords] == [
        *[(0, "Fm"), (48, "Db"), (84, "Eb"), (96, "C7"), (144, "Fm")]
    ]
    assert take.score.audit([InKey(), ChordTonesOnStrongBeats()]) == []
    assert [track.name for track in take.score.tracks] == ["Melody", "Chords", "Bass"]
    assert transfer(RHYTHM, PITCHES, HARMONY) == take


def test_what_the_laws_forbid_is_said():
    with pytest.raises(InfeasibleError):
        transfer(RHYTHM, PITCHES, rules=["range C9 C9", "no-rests nowhere"])
