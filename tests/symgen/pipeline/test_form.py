"""Form: bars that take up others do, and a song without form has none."""

from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgen.errors import InfeasibleError, RequestError
from symgen.pipeline.form import FORMS, bar_sources, read_form
from symgen.pipeline.generate import generate, generate_many
from symgen.pipeline.harmony import compose_progression
from theory.key import Key
from theory.rules import Cadence, Lock
from theory.rules.text import parse_rule


def bar_notes(score, bar):
    start, end = score.bars.starts[bar], score.bars.starts[bar + 1]
    notes = score.track("Melody").notes
    return [(n.onset_steps - start, n.pitch) for n in notes if start <= n.onset_steps < end]


def test_sources_are_earlier_bars_or_the_bar_itself():
    for form in FORMS:
        for n_bars in range(1, 40):
            sources = bar_sources(n_bars, form)
            assert len(sources) == n_bars
            assert all(source <= bar and sources[source] == source for bar, source in enumerate(sources))
    assert bar_sources(16, "period")[8:] == (8, 9, 10, 11, 8, 9, 14, 15)


def test_an_unknown_form_is_refused():
    with pytest.raises(RequestError, match="form 'sonata': expected one of period, free"):
        generate(form="sonata")


def repeats(form):
    """Share of songs whose fifth bar is the first again, and whose sixth is the second."""
    songs = [generate(key="C", chords="C F | G C | Am Dm | G C", bars=8, seed=seed, form=form) for seed in range(30)]
    return sum(bar_notes(song, bar) == bar_notes(song, bar - 4) for song in songs for bar in (4, 5)) / 60


def test_a_period_takes_up_its_opening_and_a_free_song_does_not():
    assert repeats("period") > 0.6
    assert repeats("free") < 0.1


def test_composed_chords_return_with_the_bars():
    for seed in range(20):
        score = generate(key="G", bars=8, seed=seed)
        chord_at = [[c.chord for c in score.chords if c.onset_steps <= start][-1] for start in score.bars.starts[:-1]]
        assert chord_at[4:6] == chord_at[0:2]


def sections_of(score, form):
    """Return the notes and chords of each section, its start at 0."""
    starts, found = score.bars.starts, []
    for section in form.sections:
        low, high = starts[section.first], starts[section.end]
        notes = [n for n in score.tracks[0].notes if low <= n.onset_steps < high]
        chords = [[c.chord for c in score.chords if c.onset_steps <= step][-1] for step in range(low, high, 6)]
        found.append((tuple((int(n.onset_steps - low), n.duration_steps, n.pitch) for n in notes), chords))
    return found


FORM_TEXTS = ["A A' B A", "A B A", "A A B A", "A A' A''", "A B A B", "A2 B1 A2", "A B A' C A"]
CHORDS = [None, None, "C F | G C", "Am Dm | G7 C", "C | Am | F | G"]
RULES = [
    "range C4 A5",
    "largest-leap 7",
    "leap-recovery 5",
    "repeated-notes 3",
    "no-rests",
    "density 1 6",
    "climax-once",
]
RULES += ["in-key", "chord-tones-on-strong-beats", "note-length 1/4", "cadence 2 imperfect", "start-on degrees=1,3,5"]


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(FORM_TEXTS),
    st.sampled_from(CHORDS),
    st.sampled_from(["4/4", "3/4", "6/8"]),
    st.lists(st.sampled_from(RULES), max_size=3, unique=True),
    st.integers(0, 999),
)
def test_letters_come_back_primes_vary_and_every_rule_is_kept(text, chords, meter, rules, seed):
    form = read_form(text, phrase_bars=None if "2" in text else 2)
    asked = {"key": "C", "chords": chords, "meter": meter, "rules": rules, "locks": ["bar 1 beat 2 = E4"], "seed": seed}
    try:
        take = generate_many(1, form=text, phrase_bars=None if "2" in text else 2, **asked)[0]
    except InfeasibleError:
        with pytest.raises(InfeasibleError):  # never for the form's sake
            generate(form="free", bars=form.n_bars, **asked)
        return
    score, said = take.score, "; ".join(take.said)
    laws = [*map(parse_rule, rules), Lock.parse("bar 1 beat 2 = E4")]
    assert score.audit(laws) == []
    assert score.bars.n_bars == form.n_bars
    assert [marker.text for marker in score.markers] == [section.name for section in form.sections]
    parts = sections_of(score, form)
    for number, section in enumerate(form.sections):
        if section.like is not None and f"{section.bars} var" not in said:
            assert parts[number] == parts[section.like], (section, said)
        if section.varies is not None and "no variation was found" not in said:
            assert parts[number][0] != parts[section.varies][0]
    if not take.said:
        kinds = {True: ("authentic", "imperfect"), False: ("half", "open")}
        own = {rule.bar for rule in laws if isinstance(rule, Cadence)}
        for number, section in enumerate(form.sections):
            if section.end not in own:
                closes = [Cadence(section.end, kind) for kind in kinds[form.closes(number)]]
                assert any(score.audit([cadence]) == [] for cadence in closes)


def test_a_variation_opens_like_what_it_varies_and_keeps_most_of_its_rhythm():
    form, opens, rhythm, pitches = read_form("A A' B A"), 0, [], []
    for seed in range(6):
        score = generate(key="C", chords="C F | C G | Am F | G C", form="A A' B A", seed=seed)
        a, varied, b, last = (notes for notes, _ in sections_of(score, form))
        half = 2 * score.bars.starts[1]
        assert a == last
        opens += [n for n in a if n[0] < half] == [n for n in varied if n[0] < half]
        late = [{n[0] for n in part if n[0] >= half} for part in (a, varied, b)]
        rhythm.append([len(late[0] & other) / max(len(late[0] | other), 1) for other in late[1:]])
        pitches.append(a != varied)
    assert opens >= 5
    assert all(pitches)
    assert mean(row[0] for row in rhythm) > max(mean(row[1] for row in rhythm), 0.6)


def test_composed_chords_come_back_with_their_letters():
    for seed in range(12):
        for style in ("pop", "folk", "lead-sheet"):
            form = read_form("A B A' A", phrase_bars=(4, 3, 2)[seed % 3])
            rng = np.random.default_rng(seed)
            bars = compose_progression(Key.parse("G"), form.n_bars, rng, style=style, form=form).bars
            parts = [bars[section.first : section.end] for section in form.sections]
            assert parts[3] == parts[0]
            assert bars[-1][0].chord.root == Key.parse("G").tonic
            assert parts[1][-1][-1].chord.root != Key.parse("G").tonic


def test_given_chords_that_differ_make_a_variation_and_it_is_said():
    chords = "C | G | F | C | C | F | Dm | C"
    take = generate_many(1, key="C", chords=chords, form="A A", seed=3)[0]
    assert take.said[0] == "bars 5 to 8 vary bars 1 to 4 (A): the chords or the key differ"
    assert dict(take.score.recipe)["form said"] == "; ".join(take.said)
    assert dict(take.score.recipe)["form"] == "A A"


def test_phrase_bars_are_for_letters():
    assert generate(form="A B", phrase_bars=1, seed=1).bars.n_bars == 2
    assert generate(form="A B", bars=6, seed=1).bars.n_bars == 6
    with pytest.raises(RequestError, match="phrase bars 4: form 'period' has no letters"):
        generate(phrase_bars=4)
