"""Draw the pictures of the documentation again: ``python docs/make_images.py``."""

from pathlib import Path

import symgen
from symgen.io.midi import write_midi
from symgen.render.audio import render
from symgen.render.plot import plot_spectrogram

IMAGES = Path(__file__).parent / "images"
CHORDS = "Am F | C G | Am F | C G | F G | Am F | Dm E | Am"  # those of `make demo`


def main() -> None:
    """Draw the song of ``make demo``: its piano roll and the spectrogram of its render."""
    score = symgen.generate(key="A minor", chords=CHORDS, style="lead-sheet", bpm=104, seed=7)
    symgen.plot(score, IMAGES / "song.png")
    rendered = render(write_midi(score))
    plot_spectrogram(rendered.samples, rendered.sample_rate, IMAGES / "spectrogram.png")


if __name__ == "__main__":
    main()
