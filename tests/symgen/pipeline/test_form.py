"""Form: bars that take up others do, and a song without form has none."""

import pytest

from symgen.errors import RequestError
from symgen.pipeline.form import FORMS, bar_sources
from symgen.pipeline.generate import generate


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
