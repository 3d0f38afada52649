"""Draw the picture of the README again: ``python docs/make_images.py``."""

from pathlib import Path

import symgen

CHORDS = "Am F | C G | Am F | C G | F G | Am F | Dm E | Am"  # those of `make demo`


def main() -> None:
    """Draw the song of ``make demo``."""
    score = symgen.generate(key="A minor", chords=CHORDS, style="lead-sheet", bpm=104, seed=7)
    symgen.plot(score, Path(__file__).parent / "images" / "song.png")


if __name__ == "__main__":
    main()
