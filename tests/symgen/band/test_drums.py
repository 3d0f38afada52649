"""Drums: the table is well made, every metre is played, sections and the end are marked, and chance is an argument."""

from fractions import Fraction

import numpy as np
import pytest

from symgen.band.drums import Part, built_fill, built_groove, drum_notes, grooves_of, parts_of
from symgen.band.fills import FILLS
from symgen.band.frame import strokes, swung
from symgen.band.grooves import GROOVES, INSTRUMENTS, KITS, read_bar
from symgen.errors import RequestError
from symgen.grid import BarMap
from symgen.score import Note
from theory.meter import Meter
from theory.swing import Swing

METERS = ["4/4", "3/4", "6/8", "5/4", "7/8", "12/8", "2/4", "9/8", "2+2+3/8", "3+2/4", "1/4", "11/16", "2/2"]
GRID, HALF = 12, Fraction(2, 5)  # where the second half of 5/4 begins
PARTS = (Part(0, 0), Part(4, 0), Part(6, 1))
CRASH, KICK = INSTRUMENTS["crash"], INSTRUMENTS["kick"]


def bar_map(meter, n_bars, grid=GRID):
    metre = Meter.parse(meter)
    return BarMap.build([(0, metre)], steps_per_quarter=grid, end_steps=n_bars * metre.bar_steps(grid))


def played(style, meter, n_bars=9, parts=PARTS, seed=0, **other):
    bars = bar_map(meter, n_bars)
    return bars, drum_notes(style, bars, parts, np.random.default_rng(seed), **other)


@pytest.mark.parametrize("table", [GROOVES, FILLS], ids=["grooves", "fills"])
def test_every_cell_of_the_table_is_a_step_of_the_grid(table):
    for style, by_meter in table.items():
        assert style in KITS
        for name, rows in by_meter.items():
            meter = Meter.parse(name)
            assert str(meter) == name
            for text in rows:
                assert read_bar(text)
                for row in read_bar(text).values():
                    for stroke in row:
                        assert (stroke.place * meter.bar_steps(GRID)).denominator == 1, (style, name, text)


def test_the_rows_of_a_bar_of_the_table_are_equally_long():
    for table in (GROOVES, FILLS):
        for by_meter in table.values():
            for rows in by_meter.values():
                for text in rows:
                    lengths = {len("".join(line.split()[1:])) for line in text.strip().splitlines()}
                    assert len(lengths) == 1, text


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("style", KITS)
def test_every_style_is_played_in_every_metre(style, meter):
    bars, notes = played(style, meter)
    assert {note.pitch for note in notes} <= set(INSTRUMENTS.values())
    assert all(1 <= note.velocity <= 127 and note.end_steps <= bars.end_steps for note in notes)
    onsets = {note.onset_steps for note in notes}
    for bar in range(bars.n_bars):
        assert int(bars.starts[bar]) in onsets, f"bar {bar + 1} has no stroke on its first beat"
    beats = {int(bars.starts[0]) + round(float(place) * GRID) for place in Meter.parse(meter).beat_starts}
    assert beats <= onsets  # the time goes on through the bar


@pytest.mark.parametrize("meter", ["2+2+3/8", "5/8", "11/16"])
def test_a_groove_that_is_built_counts_as_the_metre_does(meter):
    metre = Meter.parse(meter)
    groove = built_groove(KITS["rock"], metre)
    groups = {place / metre.bar_quarters for place in metre.group_starts}
    assert {stroke.place for row in (groove["kick"], groove["snare"]) for stroke in row} <= groups
    assert groove["kick"][0].place == 0
    assert len(groove["hat"]) >= len(groups)


def test_a_fill_that_is_built_leaves_the_first_half_and_gets_louder():
    metre = Meter.parse("5/4")
    groove, fill = built_groove(KITS["pop"], metre), built_fill(built_groove(KITS["pop"], metre), metre)
    early = {(name, s.place) for name, row in fill.items() for s in row if s.place < HALF}
    assert early == {(name, s.place) for name, row in groove.items() for s in row if s.place < HALF}
    late = [(s.place, s.sign) for row in fill.values() for s in row if s.place >= HALF]
    assert [sign for _, sign in sorted(late)] == sorted((sign for _, sign in late), key="xX".index)


def bars_of(notes, pitches, bars):
    return {int(bars.bar_of(note.onset_steps)) for note in notes if note.pitch in pitches}


def test_fills_stand_before_new_sections_and_crashes_on_them():
    toms = {INSTRUMENTS[name] for name in ("high-tom", "mid-tom", "low-tom", "floor-tom")}
    bars, notes = played("pop", "4/4", 13, (Part(0, 0), Part(4, 0), Part(8, 1)))
    assert bars_of(notes, toms, bars) == {3, 7}
    assert bars_of(notes, {CRASH}, bars) == {8, 12}  # bar 5 has the same groove: a short fill and no crash
    first_tom = {bar: min(n.onset_steps for n in notes if n.pitch in toms and bars.bar_of(n.onset_steps) == bar)
                 for bar in (3, 7)}  # fmt: skip
    assert first_tom[3] - bars.starts[3] >= 3 * GRID  # the last beat
    snares = [n.onset_steps - int(bars.starts[7]) for n in notes
              if n.pitch == INSTRUMENTS["snare"] and bars.bar_of(n.onset_steps) == 7]  # fmt: skip
    assert min(s for s in snares if s > GRID) < 3 * GRID  # half a bar


def test_sections_of_one_name_have_one_groove():
    _, notes = played("pop", "4/4", 13, parts_of([(0, "A"), (4, "B"), (8, "A'")], 0, 13))
    ride = bars_of(notes, {INSTRUMENTS["ride"]}, bar_map("4/4", 13))
    assert ride == {4, 5, 6, 7}


def test_sections_are_marked_or_eight_bars_long():
    assert parts_of([], 1, 20) == [Part(1, 0), Part(9, 1), Part(17, 2)]
    assert parts_of([(0, "song")], 0, 9) == [Part(0, 0), Part(8, 1)]
    assert parts_of([(0, "Verse 1"), (4, "Chorus"), (8, "Verse 2"), (30, "x")], 0, 12) == [
        *(Part(0, 0), Part(4, 1), Part(8, 0))
    ]
    assert parts_of([(4, "B")], 0, 8) == [Part(0, 0), Part(4, 1)]


def test_the_last_stroke_is_where_it_is_asked_for():
    bars, notes = played("rock", "3/4", 4, (Part(0, 0),))
    assert {(n.pitch, n.end_steps) for n in notes if n.onset_steps >= bars.starts[3]} == {
        *((KICK, bars.end_steps), (CRASH, bars.end_steps))
    }
    end = int(bars.starts[3]) + 2 * GRID
    _, notes = played("rock", "3/4", 4, (Part(0, 0),), end=end)
    assert {n.pitch for n in notes if n.onset_steps >= end} == {KICK, CRASH}
    assert any(bars.starts[3] <= n.onset_steps < end for n in notes)


def test_drums_start_with_the_first_section_and_there_may_be_none():
    bars, notes = played("pop", "4/4", 3, (Part(1, 0),))
    assert min(note.onset_steps for note in notes) == bars.starts[1]
    assert played("pop", "4/4", 3, ())[1] == ()
    assert len(played("pop", "4/4", 1, (Part(0, 0),))[1]) > 2  # one bar is a groove, not one stroke


def test_the_same_seed_gives_the_same_strokes_and_another_does_not():
    assert played("funk", "4/4", seed=3)[1] == played("funk", "4/4", seed=3)[1]
    one, other = (played("funk", "4/4", seed=seed)[1] for seed in (3, 4))
    assert {(n.onset_steps, n.pitch) for n in one} != {(n.onset_steps, n.pitch) for n in other}


def test_bars_are_not_all_alike():
    bars, notes = played("pop", "4/4", 8, (Part(0, 0),))
    by_bar = [[(n.onset_steps - int(bars.starts[b]), n.pitch, n.velocity) for n in notes
               if bars.bar_of(n.onset_steps) == b] for b in range(7)]  # fmt: skip
    assert len({tuple(bar) for bar in by_bar}) == 7


def test_swing_delays_the_off_beats_of_simple_metres_alone():
    bars = bar_map("4/4", 1)
    ride = [n for n in drum_notes("jazz", bars, [Part(0, 0)], np.random.default_rng(0)) if n.pitch == 51]
    assert [n.onset_steps for n in ride] == [0, 12, 18, 24, 36, 42]
    assert [n.onset_steps for n in swung(ride, bars, Swing())] == [0, 12, 20, 24, 36, 44]
    compound = bar_map("6/8", 1)
    notes = (Note(0, 6, 42), Note(6, 6, 42), Note(12, 6, 42))
    assert swung(notes, compound, Swing()) == notes


def test_a_metre_in_other_note_values_has_the_groove_of_the_same_bar():
    played_in = {meter: played("rock", meter) for meter in ("4/4", "2/2")}
    alike = [
        [(n.onset_steps, n.pitch) for n in notes if n.onset_steps < bars.starts[3]]
        for bars, notes in played_in.values()
    ]
    assert alike[0] == alike[1]


def test_what_is_unknown_is_refused_in_one_line():
    with pytest.raises(RequestError, match="drums 'polka': expected one of pop, rock"):
        played("polka", "4/4")
    with pytest.raises(RequestError, match="pattern 'x-q': expected cells of"):
        strokes("x-q")
    with pytest.raises(RequestError, match="pattern '': expected"):
        strokes("")
    for text in ("gong x---", "kick x---\nkick x---"):
        with pytest.raises(RequestError, match="groove line"):
            read_bar(text)


def test_a_metre_of_the_table_may_be_written_in_groups():
    assert [set(groove) for groove in grooves_of("pop", Meter.parse("3+2/4"))] == [{"hat", "snare", "kick"}]
