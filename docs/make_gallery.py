"""Make the songs of the gallery again, with their pictures and its page: ``python docs/make_gallery.py``.

Each song is one command, and its file carries the recipe: ``symgen reproduce docs/gallery/pop.mid`` makes the same
bytes with the same checkpoint. The measures are those of :mod:`symgen.evaluate`; beside them stand those of real tunes,
from the collection that comes with music21.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import music21
import numpy as np
from PIL import Image

import symgen
from symgen.cli import main as command
from symgen.evaluate.excerpt import first_bars
from symgen.evaluate.form import form_of, melody_of
from symgen.evaluate.statistics import statistics_of
from symgen.score import Score

FOLDER = Path(__file__).parent / "gallery"
FORM = '--form "A A\' B A" --counter'
SONGS = {
    "pop": "--key D --bpm 100 --style lead-sheet --chord-style pop --band pop --seed 4",
    "ballad": '--key "D minor" --meter 6/8 --bpm 76 --style folk --chord-style folk --band ballad --seed 5',
    "waltz": "--key F --meter 3/4 --bpm 138 --style folk --chord-style folk --band waltz --seed 1",
    "five": '--key "E minor" --meter 5/4 --bpm 126 --style lead-sheet --chord-style pop --band pop --seed 1',
    "swing": "--key Bb --bpm 150 --style lead-sheet --chord-style jazz --band jazz --seed 2",
    "gan": '--model gan --key "A minor" --bpm 92 --chords "Am F | C G | Am F | E Am" --bars 16 --seed 2',
}
HEARD = ("pop", "gan")  # rendered too
TITLES = {
    "pop": "Pop, 4/4",
    "ballad": "Ballad, 6/8: arpeggios",
    "waltz": "Waltz, 3/4",
    "five": "Five in a bar: 5/4",
    "swing": "Swing, 4/4: walking bass, triplet eighths",
    "gan": "All four tracks by the GAN, 4/4",
}
N_REAL, N_BARS = 60, 16
N_COUNTS = 3  # columns of whole numbers
COLOURS = 128

COLUMNS = (
    *("bars", "notes", "melody's notes", "scale consistency", "time on chord tones", "bars repeated"),
    *("rhythms repeated", "4-bar phrases repeated"),
)
PAGE = """# Gallery

Six songs, each made by one command, as it came: nothing was edited. Of the first five the melody is the line VAE's
under the rules, drawn in the form `A A' B A`; chords are composed; the band ([band.md](../band.md)) is drums from a
table, bass, a texture of chords, and a counter-melody that is drawn exactly under rules of its own. The sixth is the
GAN's: melody, counter-melody, piano and bass from one noise, over chords that were given
([which to use when](../models.md#which-one-to-use)). `python docs/make_gallery.py` makes all of this page again. The
seeds were chosen among six for each song.

## In figures

{head}
{rows}

Measures of `symgen.evaluate`: of all pitched tracks MusPy's scale consistency and the time on tones of the chord; of
the melody the bars, rhythms and phrases that come back note for note. The last row is the median of {n_real} real tunes
from Ryan's Mammoth Collection, their first {n_bars} bars; these are melodies without chords, and of a kind that repeats
more. In `A A' B A` half of the bars are in a phrase that comes back, by law.

Every note of the counter-melody keeps its laws, and so do chords and bass: `tests/symgen/band` holds the audit to that.

{songs}"""

SONG = """## {title}

![{title}]({name}.png)

[{name}.mid]({name}.mid){heard}, made by

```sh
symgen generate {words} -o {name}.mid
```

Chords: {chords}.
"""


def main() -> int:
    """Make songs, pictures and the page."""
    FOLDER.mkdir(exist_ok=True)
    rows, songs = [], []
    for name, own in SONGS.items():
        words, path = own if "--model" in own else f"{own} {FORM}", FOLDER / f"{name}.mid"
        if code := command(["generate", *shlex.split(words), "-o", str(path)]):
            return code
        score = symgen.load(path)
        picture(score, name)
        heard = f" ([listen]({name}.ogg))" if name in HEARD else ""
        if heard:
            symgen.render(path, path.with_suffix(".ogg"))
        rows.append(f"| {TITLES[name]} | {' | '.join(cells(measures(score)))} |")
        chords = dict(score.recipe)["chords"].replace("|", "\\|")
        songs.append(
            SONG.format(title=TITLES[name], name=name, heard=heard, words=words, chords=chords.replace("\\|", "·"))
        )
    rows.append(f"| real tunes | {' | '.join(cells(real()))} |")
    head = f"| | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}"
    page = PAGE.format(head=head, rows="\n".join(rows), songs="\n".join(songs), n_real=N_REAL, n_bars=N_BARS)
    (FOLDER / "README.md").write_text(page, encoding="utf-8")
    return 0


def picture(score: Score, name: str) -> None:
    """Draw a song, in few colours so that the file is small."""
    path = FOLDER / f"{name}.png"
    symgen.plot(score, path, title=TITLES[name])
    Image.open(path).convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE).save(path, optimize=True)


def measures(score: Score) -> list[float]:
    """Return the figures of a row of the table."""
    whole, melody = statistics_of(score), melody_of(score)
    form = form_of(melody)
    n_melody = sum(len(melody.notes_of_bar(bar)) for bar in range(melody.n_bars))
    return [
        *(score.bars.n_bars, score.n_notes, n_melody, whole["scale consistency"], whole["time on chord tones"]),
        *(form["bars repeated"], form["rhythms repeated"], form["phrases of 4 bars repeated"]),
    ]


def cells(figures: list[float]) -> list[str]:
    """Return figures as text; what there is none of is a dash."""
    whole = [f"{figure:.0f}" for figure in figures[:N_COUNTS]]
    return [*whole, *("–" if np.isnan(figure) else f"{figure:.2f}" for figure in figures[N_COUNTS:])]


def real() -> list[float]:
    """Return the medians of real tunes."""
    paths = sorted((Path(music21.__file__).parent / "corpus" / "ryansMammoth").glob("*.abc"))
    found = []
    for path in paths[:: len(paths) // (2 * N_REAL)]:
        tune = first_bars(symgen.load(path, steps_per_quarter=480), N_BARS)
        if tune is not None and len(found) < N_REAL:
            found.append(measures(tune))
    assert len(found) == N_REAL
    return [float(median) for median in np.median(found, axis=0)]


if __name__ == "__main__":
    sys.exit(main())
