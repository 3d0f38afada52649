"""The accompaniment: chord tones where the chords say, silence where there is none, whole bars."""

import pytest

from symgen.grid import BarMap
from symgen.pipeline.arrange import Arrangement, arrange, arrangement_of
from symgen.pipeline.harmony import chord_changes
from symgen.score import Note
from theory.chord import Chord
from theory.meter import Meter
from theory.progression import Progression

PATTERNS = ["sustain", "pulse", "after"]


def bar_map(meter, n_bars=4):
    metre = Meter.parse(meter)
    return BarMap.build([(0, metre)], steps_per_quarter=4, end_steps=n_bars * metre.bar_steps(4))


def arranged(chords, meter="4/4", pattern="pulse", n_bars=4):
    bars = bar_map(meter, n_bars)
    changes = chord_changes(Progression.parse(chords), bars)
    melody = (Note(0, 4, 72), Note(4, 4, 74))
    return bars, changes, arrange(melody, changes, bars, Arrangement(40, 0, 32, pattern))


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "7/8", "2/4", "5/4"])
def test_accompaniment_plays_chord_tones_and_nothing_else(pattern, meter):
    bars, changes, (_, chords, bass) = arranged("C Am | F#m7b5/A | N.C. | G13 Bb/D", meter, pattern)
    for track in (chords, bass):
        assert track.notes
        for note in track.notes:
            chord = [c for c in changes if c.onset_steps <= note.onset_steps][-1].chord
            assert note.pitch % 12 in chord.pitch_classes
            following = [c.onset_steps for c in changes if c.onset_steps > note.onset_steps]
            assert note.end_steps <= min([*following, bars.end_steps])
    for change in changes:
        starting = [n for n in bass.notes if n.onset_steps == change.onset_steps]
        assert [n.pitch % 12 for n in starting] == ([] if change.chord.is_none else [change.chord.bass_pitch_class])


def test_the_bass_leaves_the_other_beats_to_the_chords():
    _, _, (_, chords, bass) = arranged("C", pattern="after", n_bars=1)
    assert sorted({n.onset_steps for n in chords.notes}) == [4, 12]
    assert [(n.onset_steps, n.pitch % 12) for n in bass.notes] == [(0, 0), (8, 7)]


def test_a_held_chord_is_struck_once_in_a_bar():
    _, _, (_, chords, _) = arranged("C | % | Am", pattern="sustain", n_bars=3)
    assert sorted({(n.onset_steps, n.duration_steps) for n in chords.notes}) == [(0, 16), (16, 16), (32, 16)]


def test_the_melody_is_kept_and_the_strong_beats_are_louder():
    _, _, (melody, _, _) = arranged("C")
    assert [(n.onset_steps, n.duration_steps, n.pitch) for n in melody.notes] == [(0, 4, 72), (4, 4, 74)]
    assert melody.notes[0].velocity > melody.notes[1].velocity


def test_every_style_has_an_arrangement_and_an_unknown_one_too():
    assert {arrangement_of(style).pattern for style in ("folk", "lead-sheet", "chorale", "")} == set(PATTERNS)


def test_chords_repeat_to_the_end_and_one_that_goes_on_is_one_change():
    changes = chord_changes(Progression.parse("C | G C"), bar_map("4/4"))
    assert [(c.onset_steps, str(c.chord)) for c in changes] == [(0, "C"), (16, "G"), (24, "C"), (48, "G"), (56, "C")]
    assert chord_changes(Progression.parse("N.C."), bar_map("4/4"))[0].chord == Chord.parse("N.C.")
