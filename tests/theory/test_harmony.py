"""Graphs of progressions: what the tables hold, how they are read, and how chords are written in them."""

import numpy as np
import pytest

from theory.chord import NO_CHORD, Chord
from theory.errors import TheoryError
from theory.harmony import PHRASE_SLOTS, STYLES, in_key, plain, progression_graph, read_graph
from theory.harmony_tables import TABLES
from theory.key import Key

GRAPHS = [(style, mode) for style in STYLES for mode in ("major", "minor")]
TONICS = "C G D A E B F# F Bb Eb Ab Db Am Em Bm F#m C#m G#m Dm Gm Cm Fm Bbm Ebm"
KEYS = [Key.parse(name) for name in TONICS.split()]
SMALL = """
C | 5 | 6/10 | 1/10 | G 6 F 2
G | 1 | 9/10 | 2/10 | C 9 F 1
F | 0 | 8/10 | 0/10 | C 1 G 3
C G | F 2 C 2
1/2 1/4 1/2 1/4 1/2 1/4 1/2 1/4
"""


def test_a_table_is_read_literally():
    graph = read_graph(SMALL)
    assert [str(chord) for chord in graph.chords] == ["C", "G", "F"]
    assert graph.starts.tolist() == [5, 1, 0]
    assert graph.successions.tolist() == [[0, 6, 2], [9, 0, 1], [1, 3, 0]]
    assert graph.pairs.tolist() == [[0, 1]]
    assert graph.pair_successions.tolist() == [[2, 0, 2]]
    assert graph.bar_changes.tolist() == [[6, 10], [9, 10], [8, 10]]
    assert graph.middle_changes.tolist() == [[1, 10], [2, 10], [0, 10]]
    assert graph.slot_changes.tolist() == [[1, 2], [1, 4]] * 4


def test_chances_of_successions_by_hand():
    chances = np.exp(read_graph(SMALL).log_successions(smoothing=2.0))
    assert chances[:3] == pytest.approx(np.array([[0, 0.75, 0.25], [0.9, 0, 0.1], [0.25, 0.75, 0]]))
    assert chances[3] == pytest.approx([(2 + 1.8) / 6, 0, (2 + 0.2) / 6])


def test_chances_of_changes_by_hand():
    chances = read_graph(SMALL).change_chances()
    assert chances.shape == (PHRASE_SLOTS, 3)
    # F never gave way in the middle (0/10, joined by ten of the mean's 1/10), where one in four does.
    own, mean, place = 1.5 / (20 - 1 + 0.5), 3.5 / 27.5, 1.5 / 3.5
    odds = place * own / mean
    assert chances[1, 2] == pytest.approx(odds / (1 + odds))
    assert (chances[0] == chances[2]).all()
    assert chances[0, 1] > chances[0, 0] > chances[1, 0]


@pytest.mark.parametrize(("style", "mode"), GRAPHS)
def test_every_graph_leads_on_and_home(style, mode):
    graph = progression_graph(style, mode)
    legal = graph.successions > 0
    assert legal.any(axis=1).all()
    assert legal.any(axis=0).all()
    assert not np.diagonal(legal).any()
    assert graph.successions[legal].min() >= 2
    log_chances = graph.log_successions()
    assert np.exp(log_chances).sum(axis=1) == pytest.approx(1)
    assert (np.isneginf(log_chances[: len(legal)]) == ~legal).all()
    chances = graph.change_chances()
    assert ((chances > 0) & (chances < 1)).all()
    tonic = "C" if mode == "major" else "Cm"
    chords = [str(chord) for chord in graph.chords]
    assert legal[chords.index("G7"), chords.index(tonic)] or legal[chords.index("G"), chords.index(tonic)]


@pytest.mark.parametrize("name", TABLES)
def test_pairs_follow_what_one_chord_may(name):
    graph = read_graph(TABLES[name])
    for (before, last), row in zip(graph.pairs.tolist(), graph.pair_successions, strict=True):
        assert graph.successions[before, last] > 0
        assert (graph.successions[last][row > 0] > 0).all()


@pytest.mark.parametrize("name", TABLES)
def test_chords_move_to_every_key_and_back(name):
    graph = read_graph(TABLES[name])
    mode = name.partition("/")[2]
    for key in KEYS:
        if key.mode == mode:
            moved = [in_key(chord, key) for chord in graph.chords]
            assert [plain(chord, key) for chord in moved] == list(graph.chords)


@pytest.mark.parametrize("key", KEYS)
def test_chords_of_the_key_are_spelled_as_its_scale(key):
    symbols = "Cm Ddim Eb Fm Gm Ab Bb Bb7 Fm7/Ab" if key.is_minor else "C Dm Em F G Am Bdim G7 Dm7/F"
    for symbol in symbols.split():
        chord = in_key(Chord.parse(symbol), key)
        scale = {key.spell((key.tonic.pitch_class + step) % 12) for step in key.semitones}
        assert chord.root in scale
        assert chord.bass is None or chord.bass in scale


@pytest.mark.parametrize(
    ("chord", "key", "expected"),
    [
        *(("Am9", "G", "Dm7"), ("D7#9", "G", "G7"), ("D7alt", "G", "G7"), ("C/D", "G", "G7sus4"), ("Em/F#", "G", "Am")),
        *(("G5", "G", "C"), ("A5", "G", "Dm"), ("Esus2", "Em", "Cm"), ("G6/9", "G", "C6"), ("B+", "Em", "Gaug")),
        *(("G/B", "G", "C/E"), ("D#dim7", "G", "G#dim7"), ("C#m7b5/G", "G", "F#m7b5/C"), ("Eb7", "G", "Ab7")),
        *(("Ab7", "G", "Db7"), ("Gmaj7/F#", "G", "Cmaj7/B")),
    ],
)
def test_chords_are_written_without_what_the_graphs_do_not_count(chord, key, expected):
    assert str(plain(Chord.parse(chord), Key.parse(key))) == expected


def test_no_chord_stays_none_and_unknown_styles_are_refused():
    assert plain(NO_CHORD, Key.parse("C")) == in_key(NO_CHORD, Key.parse("G")) == NO_CHORD
    with pytest.raises(TheoryError, match="polka"):
        progression_graph("polka", "major")
    with pytest.raises(TheoryError, match="dorian"):
        progression_graph("pop", "dorian")
