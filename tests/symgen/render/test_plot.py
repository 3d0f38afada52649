import subprocess
import sys
from fractions import Fraction

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from symgen.errors import OutputError, RenderError
from symgen.render.plot import (
    _chords_in,
    _colour,
    _fitting_bars,
    _outline,
    _rows,
    _shade,
    _signs,
    _systems,
    plot_score,
    plot_spectrogram,
)
from symgen.score import ChordChange, KeyChange, Marker, MeterChange, Note, Score, TempoChange, Track
from theory.chord import Chord
from theory.key import Key
from theory.meter import Meter


def song(n_bars=3, **changes):
    melody = Track("Melody", tuple(Note(4 * i, 4, 60 + i % 12, 20 + i % 100) for i in range(4 * n_bars)))
    bass = Track("Bass", tuple(Note(16 * i, 16, 40) for i in range(n_bars)), program=33)
    drums = Track("Drums", tuple(Note(8 * i, 1, 36 + 2 * (i % 2)) for i in range(2 * n_bars)), is_drum=True)
    chords = tuple(ChordChange(16 * i, Chord.parse(name)) for i, name in enumerate(["Am7", "Bb/D", "F#m7b5"]))
    parts = {"tracks": (melody, bass, drums), "chords": chords, "keys": (KeyChange(0, Key.parse("A minor")),)}
    return Score(4, **(parts | {"markers": (Marker(0, "Verse"),)} | changes))


def picture(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def near(pixels, colour):
    """How many pixels have a colour such as #0072B2, or one close to it."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(pixels - wanted).max(axis=2) < 12).sum())


def test_every_track_shows_in_its_colour(tmp_path):
    loud = [Track(f"T{i}", (Note(0, 12, 50 + 3 * i, 127),)) for i in range(8)]
    pixels = picture(plot_score(Score(4, tuple(loud)), tmp_path / "a.png"))
    counts = [near(pixels, _colour(i)) for i in range(8)]
    assert min(counts) > 3000
    assert near(pixels, "#123456") == 0


def test_velocity_is_shade():
    shades = np.array([_shade("#0072B2", velocity) for velocity in (1, 40, 80, 127)])
    assert (np.diff(shades.sum(axis=1)) < 0).all()
    np.testing.assert_allclose(shades[-1], [0, 0x72 / 255, 0xB2 / 255], atol=1e-9)
    assert shades.max() < 1


def test_colours_stay_apart():
    colours = [_colour(i) for i in range(16)]
    assert len(set(colours)) == 16


def test_longer_pieces_take_more_lines(tmp_path):
    heights = [picture(plot_score(song(n), tmp_path / "a.png")).shape[0] for n in (8, 9, 17)]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=2)
    assert heights[1] > 1.5 * heights[0]
    assert picture(plot_score(song(17), tmp_path / "a.png", bars_per_system=32)).shape[0] == heights[0]


@given(st.integers(1, 5000), st.integers(1, 16), st.floats(1, 5))
def test_very_long_pieces_still_fit_a_picture(n_bars, asked, inches):
    used = _fitting_bars(n_bars, asked, inches)
    n_pixels = -(-n_bars // used) * inches * 150
    assert n_pixels < 2**15
    assert used == asked or -(-n_bars // (used // 2)) * inches * 150 > 2**14


@given(st.lists(st.sampled_from(["4/4", "3/4", "7/8", "5/4"]), min_size=1, max_size=5), st.integers(1, 9))
def test_lines_cover_every_bar_once(meters, bars_per_system):
    changes, step = [], 0
    for index, text in enumerate(meters):
        meter = Meter.parse(text)
        changes.append(MeterChange(step, meter))
        step += (index + 1) * meter.bar_steps(4)
    bars = Score(4, meters=tuple(changes), end_steps=step).bars
    systems = _systems(bars, bars_per_system)
    assert [s.first_bar for s in systems] == list(range(0, bars.n_bars, bars_per_system))
    assert [s.start for s in systems[1:]] == [s.end for s in systems[:-1]]
    assert (systems[0].start, systems[-1].end) == (0, step)
    assert len({s.shown_end - s.start for s in systems}) == 1
    assert all(s.shown_end >= s.end for s in systems)


def test_a_notes_bar_covers_its_steps_and_its_row():
    score = song()
    rows = _rows(score)
    (system,) = _systems(score.bars, 8)
    outline = _outline(Note(4, 8, 64), rows, score.tracks[0], system, 0.5, 0.2)
    np.testing.assert_allclose([outline[:, 0].min(), outline[:, 0].max()], [4, 12], atol=1e-9)
    row = rows.n_drum_rows + 64 - rows.low
    np.testing.assert_allclose([outline[:, 1].min(), outline[:, 1].max()], [row - 0.42, row + 0.42], atol=1e-9)
    short = _outline(Note(4, 1, 64), rows, score.tracks[0], system, 5.0, 0.2)
    assert (short[:, 0].min(), short[:, 0].max()) == (4, 5)


def test_drums_have_rows_of_their_own_under_the_pitches():
    rows = _rows(song())
    assert rows.drums == (36, 38)
    assert [rows.of(Note(0, 1, pitch), is_drum=True) for pitch in rows.drums] == [0, 1]
    assert rows.of(Note(0, 1, rows.low), is_drum=False) == 3
    assert rows.low <= 40 <= 71 <= rows.high
    assert _rows(Score(4, (song().tracks[2],))).n_rows == 2


def test_chords_stand_at_their_place_and_go_on_over_a_line():
    score = song(4, chords=(ChordChange(4, Chord.parse("C#m7b5")), ChordChange(40, Chord.parse("Bb/Eb"))))
    first, second = _systems(score.bars, 2)
    assert _chords_in(score, first) == [(4, "C♯m7♭5", False)]
    assert _chords_in(score, second) == [(32, "C♯m7♭5", True), (40, "B♭/E♭", False)]


def test_signs():
    assert [_signs(text) for text in ("Bb7b9", "Bbb minor", "F#", "Ab dorian", "sub", "Bbdim")] == [
        "B♭7♭9",
        "B♭♭ minor",
        "F♯",
        "A♭ dorian",
        "sub",
        "B♭dim",
    ]


@pytest.mark.parametrize(
    "score",
    [
        Score(4, end_steps=32),
        Score(4, (Track("", (Note(0, 1, 0), Note(1, 1, 127))),)),
        Score(4, (Track("Drums", (Note(0, 1, 99),), is_drum=True),)),
        song(
            2, tracks=(Track("_hidden $x$ \n 日本", (Note(0, 1, 60),)), Track("y" * 500, ())), markers=(Marker(3, "$"),)
        ),
        song(3, tempos=(TempoChange(0, 90.5),), meters=(MeterChange(0, Meter(7, 8)), MeterChange(14, Meter(3, 4)))),
        song(40, tracks=tuple(Track(str(i), (Note(i, 1, 60),)) for i in range(40))),
        song(1, chords=(ChordChange(0, Chord.parse("N.C.")), ChordChange(1, Chord.parse("F#m7b5/A")))),
    ],
)
def test_odd_scores_are_drawn(tmp_path, score):
    assert picture(plot_score(score, tmp_path / "a.png", title="A $title$")).std() > 1


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_pictures_of_the_same_score_have_the_same_bytes(tmp_path, suffix):
    first = plot_score(song(), tmp_path / f"a{suffix}").read_bytes()
    assert plot_score(song(), tmp_path / f"a{suffix}").read_bytes() == first
    assert len(first) > 5000
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


def test_what_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(RenderError, match=r"a\.gif: expected a name that ends in \.png, \.svg, \.pdf"):
        plot_score(song(), tmp_path / "a.gif")
    with pytest.raises(RenderError, match="a score without bars"):
        plot_score(Score(4), tmp_path / "a.png")
    with pytest.raises(RenderError, match="0 bars on a line"):
        plot_score(song(), tmp_path / "a.png", bars_per_system=0)
    with pytest.raises(OutputError, match="no folder"):
        plot_score(song(), tmp_path / "none" / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_no_global_state_is_touched(tmp_path):
    before = dict(matplotlib.rcParams)
    plot_score(song(), tmp_path / "a.svg")
    assert dict(matplotlib.rcParams) == before
    code = "import sys; from symgen.render import plot_score; from symgen.score import Score; "
    code += (
        f"plot_score(Score(4, end_steps=16), {str(tmp_path / 'b.png')!r}); print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_spectrogram_is_bright_at_the_tone(tmp_path):
    rate = 22050
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate).astype(np.float32)
    pixels = picture(plot_spectrogram(tone, rate, tmp_path / "a.png"))
    bright = np.flatnonzero((pixels[:, 600:1200].sum(axis=2) > 600).all(axis=1))
    bright = bright[(bright > 60) & (bright < 660)]
    share = Fraction(int(4.5 * 150 - bright.mean()), int(4.2 * 150))
    expected = np.log(440 / 27.5) / np.log(rate / 2.1 / 27.5)
    assert float(share) == pytest.approx(expected, abs=0.02)
    with pytest.raises(RenderError, match="100 frames: expected sound"):
        plot_spectrogram(tone[:100], rate, tmp_path / "b.png")
