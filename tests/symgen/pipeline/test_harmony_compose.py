"""Composed progressions: their laws in every style, their exact law by enumeration, repeats, changes of key."""

from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest

from symgen.errors import RequestError
from symgen.pipeline.harmony import compose_progression
from theory.cadence import is_half, is_perfect_authentic
from theory.function import Function, applied_to, degree_chords, function_of, succession_weights
from theory.harmony import STYLES, in_key, plain, progression_graph
from theory.key import Key

C, A_MINOR = Key.parse("C"), Key.parse("A minor")
STRICT = ("folk", "classical", "chorale")
EVERY = [(style, key) for style in STYLES for key in (Key.parse("Eb"), Key.parse("F# minor"))]


def rng(seed=0):
    return np.random.default_rng(seed)


def chords_of(bars):
    """Return the chords in order, one that goes on over a bar line once."""
    chords = [span.chord for bar in bars for span in bar]
    return [chord for i, chord in enumerate(chords) if i == 0 or chord != chords[i - 1]]


def is_legal(before, after, key, style):
    graph = progression_graph(style, "minor" if key.is_minor else "major")
    a, b = (graph.chords.index(plain(chord, key)) for chord in (before, after))
    return graph.successions[a, b] > 0


@pytest.mark.parametrize(("style", "key"), EVERY)
@pytest.mark.parametrize("n_bars", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("chords_per_bar", [1, 2])
def test_pieces_open_move_and_close_as_the_style_does(style, key, n_bars, chords_per_bar):
    for seed in range(6):
        bars = compose_progression(key, n_bars, rng(seed), style=style, chords_per_bar=chords_per_bar).bars
        chords = chords_of(bars)
        assert len(bars) == n_bars
        assert all(1 <= len(bar) <= chords_per_bar for bar in bars)
        assert all(a.chord != b.chord for bar in bars for a, b in pairwise(bar))
        assert all(is_legal(a, b, key, style) for a, b in pairwise(chords))
        assert chords[-1].root == key.tonic
        assert chords[-1].bass is None
        assert (3 if key.is_minor else 4) in chords[-1].semitones
        assert bars[0][0].chord.pitch_classes <= key.pitch_classes | {(key.tonic.pitch_class + 11) % 12}
        if style in STRICT:
            assert chords[0].root == key.tonic
        if n_bars >= 3:
            before = chords[-2]
            assert is_perfect_authentic(before, chords[-1], key) or style == "pop"
            assert (before.root.pitch_class - key.tonic.pitch_class) % 12 in ({5, 7, 10} if style == "pop" else {7})


@pytest.mark.parametrize(("style", "key"), EVERY)
def test_phrases_end_open_then_closed(style, key):
    for seed in range(8):
        bars = compose_progression(key, 16, rng(seed), style=style).bars
        for end in (4, 12):
            last = bars[end - 1][-1].chord
            if style in STRICT:
                assert last.root == degree_chords(key)[4].root
                assert last.bass is None
                assert 4 in last.semitones
            elif style == "pop":
                assert function_of(last, key) is not Function.TONIC
            else:
                assert function_of(last, key) is Function.DOMINANT or {4, 10} <= set(last.semitones)
        if style in STRICT:
            assert is_perfect_authentic(bars[6][-1].chord, bars[7][0].chord, key)


def test_half_cadences_come_out_as_such():
    found = [compose_progression(C, 8, rng(seed), style="folk").bars for seed in range(20)]
    arrivals = [chords_of(bars[:4]) for bars in found]
    assert sum(is_half(*chords[-2:], C) for chords in arrivals) > 10


def test_a_phrase_that_ends_a_bar_before_the_piece_is_not_bound():
    lasts = {
        str(compose_progression(C, 5, rng(seed), style="folk", chords_per_bar=1).bars[3][0].chord) for seed in range(40)
    }
    assert lasts <= {"G", "G7"}  # the bar before the last is the dominant of the close, and no more is asked of it


@pytest.mark.parametrize(("style", "key"), [("folk", C), ("lead-sheet", A_MINOR), ("chorale", C)])
def test_the_draw_is_exact(style, key):
    """The shares of what stands in bars 1 and 2 of three are those of all lines, weighed one by one."""
    graph = progression_graph(style, key.mode)
    first = graph.successions / graph.successions.sum(axis=1, keepdims=True)
    log_pairs = np.exp(graph.log_successions())
    pairs = {tuple(pair): len(first) + i for i, pair in enumerate(graph.pairs.tolist())}
    change = graph.change_chances()
    names = [str(in_key(chord, key)) for chord in graph.chords]
    rests = ("C", "C6", "Cmaj7") if key == C else ("Am", "Am6", "Am7", "Ammaj7")
    law = Counter()
    n = len(names)
    for a, b, c in product(range(n), range(n), range(n)):
        start = graph.starts[a] if graph.starts[a] >= 0.02 * graph.starts.sum() else 0
        is_tonic = graph.chords[a].root.pitch_class == 0 and graph.chords[a].bass_pitch_class != 7
        diatonic = in_key(graph.chords[a], key).pitch_classes <= key.pitch_classes | (
            {(key.tonic.pitch_class + 11) % 12} if names[a][0] in "EG" and key.is_minor else set()
        )
        if not start or not diatonic or (style in STRICT and not is_tonic):
            continue
        if names[b] not in ({"G", "G7"} if key == C else {"E", "E7"}) or names[c] not in rests[:3]:
            continue
        weight = float(start)
        weight *= 1 - change[2, a] if a == b else change[2, a] * first[a, b]
        row = log_pairs[pairs[a, b]] if (a, b) in pairs else first[b]
        weight *= 1 - change[4, b] if b == c else change[4, b] * row[c]
        law[names[a], names[b]] += weight
    drawn = Counter()
    draws, chance = 1500, rng(5)
    for _ in range(draws):
        bars = compose_progression(key, 3, chance, style=style, chords_per_bar=1).bars
        drawn[str(bars[0][0].chord), str(bars[1][0].chord)] += 1
    assert set(drawn) <= {pair for pair, weight in law.items() if weight > 0}
    total = sum(law.values())
    assert max(abs(drawn[pair] / draws - weight / total) for pair, weight in law.items()) < 0.045


@pytest.mark.parametrize("style", ["pop", "lead-sheet", "chorale"])
def test_secondary_dominants_and_mixture_are_as_frequent_as_in_the_corpus(style):
    graph = progression_graph(style, "major")
    share = graph.successions.sum(axis=0) / graph.successions.sum()
    bars = [bar for seed in range(3) for bar in compose_progression(C, 400, rng(seed), style=style).bars]
    chords = chords_of(bars)
    for test in (lambda c: applied_to(c, C) is not None, lambda c: c.root.fifths < -1):
        expected = sum(weight for chord, weight in zip(graph.chords, share, strict=True) if test(chord))
        found = np.mean([test(chord) for chord in chords])
        assert expected / 2 <= found <= expected * 2


def test_applied_dominants_are_resolved():
    for style in STYLES:
        graph = progression_graph(style, "major")
        for name in ("D7", "A7", "E7"):
            index = [str(chord) for chord in graph.chords].index(name) if name in map(str, graph.chords) else None
            if index is not None:
                goal = applied_to(graph.chords[index], C)
                row = graph.successions[index]
                to_goal = sum(int(n) for chord, n in zip(graph.chords, row, strict=True) if chord.root == goal)
                assert to_goal / row.sum() > 0.3, (style, name)


@pytest.mark.parametrize(("style", "key"), EVERY)
def test_without_chromatic_chords_all_notes_are_of_the_key(style, key):
    raised = {(key.tonic.pitch_class + 11) % 12} if key.is_minor else set()
    for seed in range(5):
        for chord in chords_of(compose_progression(key, 16, rng(seed), style=style, chromatic=False).bars):
            assert chord.pitch_classes <= key.pitch_classes | raised


def test_bars_that_repeat_others_have_their_chords_where_they_lawfully_can():
    sources = [0, 1, 2, 3, 0, 1, 6, 7, 0, 1, 2, 3, 0, 1, 14, 15]
    kept = total = 0
    for seed in range(20):
        for style in ("pop", "folk", "lead-sheet"):
            bars = compose_progression(C, 16, rng(seed), style=style, sources=sources).bars
            assert all(is_legal(a, b, C, style) for a, b in pairwise(chords_of(bars)))
            assert bars[-1][0].chord.root == C.tonic
            kept += sum(bars[bar] == bars[source] for bar, source in enumerate(sources) if bar != source)
            total += sum(bar != source for bar, source in enumerate(sources))
    assert kept / total > 0.85


def test_a_repeat_that_would_break_the_close_is_new():
    for seed in range(10):
        bars = compose_progression(C, 8, rng(seed), style="folk", sources=[0, 1, 2, 3, 0, 1, 2, 3]).bars
        assert bars[7][0].chord.root == C.tonic
        assert bars[3][-1].chord.root != C.tonic


def test_modulations_are_prepared_and_close_in_the_new_key():
    for old, new in product((C, A_MINOR), [Key.parse(name) for name in ("G", "F", "E minor", "Eb", "C minor", "F#")]):
        for style in ("pop", "folk", "lead-sheet", "classical", "chorale"):
            for seed in range(3):
                bars = compose_progression(old, 16, rng(seed), style=style, modulations=[(9, new)]).bars
                assert all(is_legal(a, b, old, style) for a, b in pairwise(chords_of(bars[:8])))
                assert all(is_legal(a, b, new, style) for a, b in pairwise(chords_of(bars[8:])))
                assert bars[-1][0].chord.root == new.tonic
                pivot = bars[7][-1].chord
                new_dominant = degree_chords(new)[4].root.pitch_class
                both = old.pitch_classes & new.pitch_classes
                raised = {(key.tonic.pitch_class + 11) % 12 for key in (old, new) if key.is_minor}
                if new.tonic != Key.parse("F#").tonic and str(new) not in {"Eb major", "C minor"}:
                    leads = pivot.pitch_classes <= both | raised or pivot.root.pitch_class == new_dominant
                    assert leads, (old, new, style, str(pivot))
                    assert pivot == bars[8][0].chord or is_legal(pivot, bars[8][0].chord, new, style)


def test_several_modulations_and_repeats_stay_within_their_key():
    keys = [Key.parse("D"), Key.parse("B minor"), Key.parse("D")]
    sources = [bar - 4 if bar % 8 in (4, 5) else bar for bar in range(24)]
    bars = compose_progression(
        keys[0], 24, rng(3), style="folk", sources=sources, modulations=[(9, keys[1]), (17, keys[2])]
    ).bars
    for part, key in zip((bars[:8], bars[8:16], bars[16:]), keys, strict=True):
        assert all(is_legal(a, b, key, "folk") for a, b in pairwise(chords_of(part)))
    assert bars[4] == bars[0]
    assert bars[-1][0].chord.root == keys[2].tonic


@pytest.mark.parametrize("name", ["Eb:dorian", "G:mixolydian", "E:phrygian", "F:lydian"])
@pytest.mark.parametrize("n_bars", [1, 2, 3, 8])
def test_church_modes_have_the_triads_on_their_degrees(name, n_bars):
    key = Key.parse(name)
    triads = degree_chords(key)
    weights = succession_weights(key)
    for seed in range(10):
        chords = chords_of(compose_progression(key, n_bars, rng(seed), style="folk").bars)
        degrees = [triads.index(chord) for chord in chords]
        assert degrees[0] == degrees[-1] == 0
        assert all(weights[a, b] > 0 for a, b in pairwise(degrees))


@pytest.mark.parametrize("name", ["C:blues", "D:harmonic minor", "A:minor pentatonic", "F:major pentatonic"])
def test_other_scales_borrow_the_chords_of_major_or_minor(name):
    key = Key.parse(name)
    chords = chords_of(compose_progression(key, 8, rng(1), style="folk").bars)
    assert chords[-1].root == key.tonic
    assert (3 if key.is_minor else 4) in chords[-1].semitones


def test_the_same_chance_draws_the_same_and_other_chance_another():
    draws = [str(compose_progression(C, 16, rng(seed))) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"style": "polka"}, "polka"),
        ({"n_bars": 0}, "bars 0"),
        ({"chords_per_bar": 3}, "chords in a bar 3"),
        ({"modulations": [(1, C)]}, "bars from 2 to 8"),
        ({"modulations": [(9, C)]}, "bars from 2 to 8"),
        ({"modulations": [(5, C), (5, C)]}, "ascending"),
    ],
)
def test_what_cannot_be_asked_is_refused(wrong, message):
    asked = {"n_bars": 8} | wrong
    with pytest.raises(RequestError, match=message):
        compose_progression(C, rng=rng(), **asked)
