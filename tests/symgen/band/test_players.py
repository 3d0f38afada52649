"""Bass and textures: notes of the chord where the chord is, in range, in every metre; and the walking bass's law."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from score_strategies import CHORDS

from symgen.band.bass import BASSES, bass_notes
from symgen.band.frame import bar_beats, spans_of, strokes, tidy
from symgen.band.styles import STYLES, style_named, usual_style
from symgen.band.textures import TEXTURES, texture_notes
from symgen.band.walking import HIGHEST, LOWEST, walking_pitches
from symgen.errors import RequestError
from symgen.grid import BarMap
from symgen.pipeline.harmony import chord_changes
from symgen.score import ChordChange, KeyChange, Note
from theory.chord import Chord
from theory.chordscale import chord_scale
from theory.key import Key
from theory.meter import STRONG_LEVEL, Meter
from theory.progression import Progression

METERS = ["4/4", "3/4", "6/8", "5/4", "7/8", "12/8", "2/4", "2+2+3/8"]
GRID = 12
SONG = "C Am | F#m7b5/A | N.C. | G13 Bb/D | Dsus4 | Cmaj7(omit3)"


def bar_map(meter, n_bars=6):
    metre = Meter.parse(meter)
    return BarMap.build([(0, metre)], steps_per_quarter=GRID, end_steps=n_bars * metre.bar_steps(GRID))


def changes_in(meter, chords=SONG):
    bars = bar_map(meter)
    return bars, chord_changes(Progression.parse(chords), bars)


def chord_at(changes, step):
    return next(change.chord for change in reversed(changes) if change.onset_steps <= step)


def assert_inside(notes, changes, bars):
    """Hold notes to the chord they start in, which they do not outlast."""
    assert notes
    edges = [change.onset_steps for change in changes] + [bars.end_steps]
    for note in notes:
        assert note.pitch % 12 in chord_at(changes, note.onset_steps).pitch_classes
        assert note.end_steps <= next(edge for edge in edges if edge > note.onset_steps)


def assert_apart(notes):
    """Hold notes of one pitch to come one after the other."""
    for pitch in {note.pitch for note in notes}:
        row = [note for note in notes if note.pitch == pitch]
        assert all(a.end_steps <= b.onset_steps for a, b in pairwise(row))


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("texture", [name for name in TEXTURES if name != "pads"])
def test_textures_keep_to_the_chords(texture, meter):
    bars, changes = changes_in(meter)
    notes = texture_notes(texture, changes, bars)
    assert_inside(notes, changes, bars)
    assert_apart(notes)
    assert min(n.pitch for n in notes) >= 48
    assert max(n.pitch for n in notes) <= 74
    for change in changes:  # each chord is heard
        end = min([c.onset_steps for c in changes if c.onset_steps > change.onset_steps] + [bars.end_steps])
        heard = any(change.onset_steps <= n.onset_steps < end for n in notes)
        assert heard != change.chord.is_none


@pytest.mark.parametrize("highest", [65, 69, 72])
def test_a_texture_stays_under_its_ceiling_and_within_one_hand(highest):
    bars, changes = changes_in("4/4", "C | F | Bb | Eb | Ab7 | Dbmaj9")
    for texture in TEXTURES:
        notes = texture_notes(texture, changes, bars, highest=highest)
        assert max(n.pitch for n in notes) <= highest + 5 * texture.startswith("arpeggio")
        for bar in range(bars.n_bars):
            row = [n.pitch for n in notes if bars.bar_of(n.onset_steps) == bar]
            assert not row or max(row) - min(row) <= 12


def test_pads_hold_what_chords_share():
    bars, changes = changes_in("4/4", "C | Am | F | N.C. | F | F")
    notes = texture_notes("pads", changes, bars)
    assert_apart(notes)
    sounding = [{n.pitch % 12 for n in notes if n.onset_steps <= s < n.end_steps} for s in bars.starts[:-1].tolist()]
    assert sounding == [{0, 4, 7}, {9, 0, 4}, {5, 9, 0}, set(), {5, 9, 0}, {5, 9, 0}]
    held = [n for n in notes if n.pitch % 12 == 0]
    assert [(n.onset_steps, n.end_steps) for n in held] == [(0, bars.starts[3]), (bars.starts[4], bars.starts[6])]


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("kind", [name for name in BASSES if name != "walking"])
def test_basses_keep_to_the_chords_and_start_on_the_bass_note(kind, meter):
    bars, changes = changes_in(meter)
    notes = bass_notes(kind, changes, bars)
    assert_inside(notes, changes, bars)
    assert_apart(notes)
    assert min(n.pitch for n in notes) >= 28
    assert max(n.pitch for n in notes) <= 52
    assert len({n.onset_steps for n in notes}) == len(notes)
    for change in changes:
        starting = [n.pitch % 12 for n in notes if n.onset_steps == change.onset_steps]
        assert starting == ([] if change.chord.is_none else [change.chord.bass_pitch_class])


def test_bass_and_chords_do_not_cross():
    bars, changes = changes_in("4/4", "C | Fm | B7 | Eb | A | D")
    for style in STYLES.values():
        low = min(n.pitch for n in texture_notes(style.texture, changes, bars, highest=67))
        bass = bass_notes(style.bass, changes, bars, keys=[KeyChange(0, Key.parse("C"))])
        assert max(n.pitch for n in bass) <= low + 4


@given(
    st.lists(st.sampled_from(CHORDS), min_size=1, max_size=6),
    st.sampled_from(METERS),
    st.sampled_from([None, "C", "F# minor", "Eb:dorian"]),
    st.integers(0, 9),
    st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_the_walking_bass_keeps_its_laws(symbols, meter, key, shift, seed):
    bars = bar_map(meter, 4)
    places = sorted({b for bar in range(4) for b in bar_beats(bars, bar)})[shift % 3 :: 2]
    changes = [ChordChange(step, Chord.parse(symbol)) for step, symbol in zip(places, symbols, strict=False)]
    keys = [KeyChange(0, Key.parse(key))] if key else []
    notes = bass_notes("walking", changes, bars, keys=keys, rng=np.random.default_rng(seed))
    levels = bars.levels()
    for note in notes:
        chord = chord_at(changes, note.onset_steps)
        assert LOWEST <= note.pitch <= HIGHEST
        if note.onset_steps in {change.onset_steps for change in changes}:
            assert note.pitch % 12 == chord.bass_pitch_class
        elif levels[note.onset_steps] <= STRONG_LEVEL:
            assert note.pitch % 12 in chord.pitch_classes
    for one, other in pairwise(notes):
        assert abs(one.pitch - other.pitch) <= 12
        chord = chord_at(changes, one.onset_steps)
        if one.pitch % 12 not in chord.pitch_classes:
            assert 1 <= abs(one.pitch - other.pitch) <= 2


def weight_of(pitches, beats, levels, key):
    """Return the weight of a walking line, or 0 where it breaks a law: the slow twin, from the module's own words."""
    total = 0.0
    for i, (pitch, (span, step)) in enumerate(zip(pitches, beats, strict=True)):
        foreign = pitch % 12 not in span.chord.pitch_classes
        is_last = (i + 1 == len(beats) or beats[i + 1][0] is not span) and step > span.start
        target = span.following.bass_pitch_class if is_last and span.following is not None else None
        away = None if target is None else min((pitch - target) % 12, (target - pitch) % 12)
        if step == span.start:
            if pitch % 12 != span.chord.bass_pitch_class:
                return 0.0
        elif foreign:
            weak = levels[step] > STRONG_LEVEL
            if not (weak and (pitch % 12 in chord_scale(span.chord, key) or away == 1)):
                return 0.0
            total -= 0.6
        if away is not None and (away > 2 or away == 0):
            total -= 1.5
        if i + 1 < len(beats):
            size = abs(pitches[i + 1] - pitch)
            if size > 12 or (foreign and not 1 <= size <= 2):
                return 0.0
            total -= 0.25 * size + 2 * (size == 0)
    return float(np.exp(total))


def test_the_walking_bass_is_drawn_from_its_law():
    metre, key = Meter(3, 4), Key.parse("C")
    bars = BarMap.build([(0, metre)], steps_per_quarter=GRID, end_steps=metre.bar_steps(GRID) + GRID)
    changes = [ChordChange(0, Chord.parse("C")), ChordChange(36, Chord.parse("G"))]
    beats = [
        (span, step) for span in spans_of(changes, bars) for step in (span.start, span.start + 12, span.start + 24)
    ]
    beats = beats[:4]
    levels, span = bars.levels(), range(LOWEST, HIGHEST + 1)
    low = [p for p in span if p % 12 == 0], span, span, [p for p in span if p % 12 == 7]
    weights = {line: weight_of(line, beats, levels, key) for line in product(*low)}
    total = sum(weights.values())
    lines = [tuple(walking_pitches(beats, bars, [KeyChange(0, key)], np.random.default_rng(s))) for s in range(2000)]
    assert all(weights[line] > 0 for line in lines)
    for beat in range(4):  # each beat's pitches as often as the law has them
        for pitch in span:
            share = sum(w for line, w in weights.items() if line[beat] == pitch) / total
            found = sum(line[beat] == pitch for line in lines) / len(lines)
            assert abs(found - share) < 4 * np.sqrt(max(share * (1 - share), 1e-4) / len(lines)) + 1e-3


def test_styles_name_what_there_is_and_what_is_unknown_is_refused():
    for style in STYLES.values():
        assert style.texture in TEXTURES
        assert style.bass in BASSES
        assert min(style.chords_program, style.bass_program, style.counter_program) >= 0
    assert (usual_style(Meter(3, 4)), usual_style(Meter(6, 8))) == ("waltz", "pop")
    bars, changes = changes_in("4/4")
    with pytest.raises(RequestError, match="texture 'x': expected one of sustain"):
        texture_notes("x", changes, bars)
    with pytest.raises(RequestError, match="bass 'x': expected one of held"):
        bass_notes("x", changes, bars)
    with pytest.raises(RequestError, match="style 'x' of the band: expected one of pop"):
        style_named("x")


def test_patterns_fit_their_metres():
    for by_meter in BASSES.values():
        for name, pattern in by_meter.items():
            cell = Meter.parse(name).bar_steps(GRID) / len(pattern)
            assert cell.is_integer()
            assert all(s.place * len(pattern) == int(s.place * len(pattern)) for s in strokes(pattern, "1358"))


def test_notes_of_one_pitch_are_cut_and_of_equals_the_loudest_stays():
    notes = [Note(0, 8, 60, 50), Note(4, 4, 60, 60), Note(4, 2, 60, 90), Note(2, 9, 62)]
    assert tidy(notes) == (Note(0, 4, 60, 50), Note(2, 9, 62), Note(4, 2, 60, 90))
