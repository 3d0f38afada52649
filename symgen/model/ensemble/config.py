"""What an ensemble is made of, and the sizes of its models.

>>> POP.n_tracks, POP.n_pitches, POP.latents_of_bar
(4, 64, 64)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["CHORALE", "POP", "EnsembleConfig"]


@dataclass(frozen=True, slots=True)
class EnsembleConfig:
    """Tracks, grid and sizes of the decoder that VAE and GAN share.

    Parameters
    ----------
    tracks
        Names, the highest first.
    chordal
        Whether each track may strike several notes at once; the others are lines.
    low, high
        Pitches relative to the tonic's C, both included.
    steps_per_quarter
        The grid.
    max_bar_quarters
        The longest bar.
    phrase, track_phrase, bar, track_bar
        Sizes of the latents: of the whole and of each track in it, of each bar and of each track in that.
    width, track_width
        Channels of the trunk, over quarters, and of each track's branch, over steps.
    embedding
        Numbers that stand for a pitch.
    """

    tracks: tuple[str, ...] = ("Melody", "Counter-melody", "Chords", "Bass")
    chordal: tuple[bool, ...] = (False, False, True, False)
    low: int = 28
    high: int = 91
    steps_per_quarter: int = 4
    max_bar_quarters: int = 6
    phrase: int = 24
    track_phrase: int = 8
    bar: int = 16
    track_bar: int = 12
    width: int = 128
    track_width: int = 64
    embedding: int = 24

    def __post_init__(self) -> None:
        assert len(self.tracks) == len(self.chordal)

    @property
    def n_tracks(self) -> int:
        """How many tracks there are."""
        return len(self.tracks)

    @property
    def n_pitches(self) -> int:
        """How many pitches there are."""
        return self.high - self.low + 1

    @property
    def latents_of_phrase(self) -> int:
        """Size of the latents of the whole, those of its tracks included."""
        return self.phrase + self.n_tracks * self.track_phrase

    @property
    def latents_of_bar(self) -> int:
        """Size of the latents of a bar, those of its tracks included."""
        return self.bar + self.n_tracks * self.track_bar

    @property
    def max_bar_steps(self) -> int:
        """Steps of the longest bar."""
        return self.steps_per_quarter * self.max_bar_quarters

    def as_dict(self) -> dict[str, object]:
        """Return the values by name, for a configuration file."""
        return asdict(self)


POP = EnsembleConfig()
"""Melody, counter-melody, piano and bass."""

CHORALE = EnsembleConfig(tracks=("Soprano", "Alto", "Tenor", "Bass"), chordal=(False, False, False, False), low=30)
"""Four voices."""
