"""The band of a piece: what its players are asked, and their tracks.

>>> chosen("rock", bass="walking", drums="none").texture
'comp-rock'
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from symgen.band.bass import BASSES, bass_notes
from symgen.band.counter import Repeat, counter_notes
from symgen.band.drums import Part, drum_notes, parts_of
from symgen.band.frame import bar_beats, swung
from symgen.band.grooves import KITS
from symgen.band.styles import STYLES, Style, style_named
from symgen.band.textures import HIGHEST, TEXTURES, texture_notes
from symgen.errors import RequestError
from symgen.grid import BarMap
from symgen.pipeline.regrid import at_grid
from symgen.score import ChordChange, Note, Score, Track
from theory.swing import Swing

__all__ = [
    "BAND",
    "NONE",
    "STRAIGHT",
    "Choices",
    "band_tracks",
    "chosen",
    "named_of",
    "on_band_grid",
    "song_choices",
    "with_band",
]

BAND = ("Counter-melody", "Chords", "Bass", "Drums")
"""The names of the band's tracks, in their order."""

NONE, STRAIGHT = "none", "straight"
"""What asks for no player, and for no swing."""

_LOW_CEILING = 65  # under which close chords get muddy
_ARPEGGIOS_LOWER = 5
_PLAIN = "lead-sheet"
_GRID = 12  # steps a quarter that every pattern needs; 24 where thirty-second notes are counted
_FINE_GRID = 120  # for swings that are not 2:1


@dataclass(frozen=True, slots=True)
class Choices:
    """What each player does.

    Parameters
    ----------
    name
        Of the style.
    style
        For the instruments.
    texture, bass, drums
        Empty for none.
    counter
        Whether there is a second line.
    swing
        None is straight.
    """

    name: str
    style: Style
    texture: str
    bass: str
    drums: str
    counter: bool
    swing: Swing | None

    def __str__(self) -> str:
        """Return such as ``pop: texture comp-pop, bass pump, drums pop``."""
        players = {"texture": self.texture, "bass": self.bass, "drums": self.drums}
        words = [f"{player} {what or NONE}" for player, what in players.items()]
        words += ["counter-melody"] * self.counter + ([f"swing {self.swing}"] if self.swing else [])
        return f"{self.name}: {', '.join(words)}"


def chosen(
    style: str,
    *,
    texture: str | None = None,
    bass: str | None = None,
    drums: str | None = None,
    counter: bool = False,
    swing: Swing | str | None = None,
) -> Choices:
    """Return the choices of a style with some of them made otherwise.

    Raises
    ------
    RequestError
        If one of the names is unknown; it lists those there are.
    """
    usual = style_named(style)
    return Choices(
        style,
        usual,
        named_of("texture", texture, TEXTURES, usual.texture),
        named_of("bass", bass, BASSES, usual.bass),
        named_of("drums", drums, KITS, usual.drums),
        counter,
        _swing(swing, usual.swing),
    )


def song_choices(
    song_style: str,
    *,
    band: str | None = None,
    texture: str | None = None,
    bass: str | None = None,
    drums: str | None = None,
    counter: bool = False,
    swing: Swing | str | None = None,
) -> Choices | None:
    """Return what a song asks of a band; ``None`` where it asks for nothing.

    Parameters
    ----------
    song_style
        Of the song: where no band is named, its style chooses what is not named either.
    band
        A style of the band, with its drums and its swing. Without one there are drums and swing only where they are
        named.
    texture, bass, drums, counter, swing
        As for :func:`chosen`.
    """
    if not counter and all(each is None for each in (band, texture, bass, drums, swing)):
        return None
    if band is None:
        drums, swing = drums or NONE, swing or STRAIGHT
    style = band if band is not None else song_style if song_style in STYLES else _PLAIN
    return chosen(style, texture=texture, bass=bass, drums=drums, counter=counter, swing=swing)


def with_band(song: Score, choices: Choices, seed: int) -> tuple[Score, tuple[str, ...]]:
    """Return a song, whose first track is the melody, with a band; and what is to be said of it.

    Here the melody swings with the band.
    """
    known = on_band_grid(song, choices.swing)
    melody = known.tracks[0]
    band, said = band_tracks(known, melody.notes, choices, seed)
    heard = replace(melody, notes=_felt(melody.notes, known.bars, choices.swing))
    return known.with_tracks([heard, *band]), said


def named_of(what: str, name: str | None, known: Iterable[str], usual: str = "") -> str:
    """Return a name that is known, the usual one if none is given, and nothing for none.

    Raises
    ------
    RequestError
        If it is unknown.
    """
    names = list(known)
    if name is not None and name not in [*names, NONE]:
        msg = f"{what} {name!r}: expected one of {', '.join(names)}, or {NONE}"
        raise RequestError(msg)
    return usual if name is None else "" if name == NONE else name


def _swing(swing: Swing | str | None, usual: Swing | None) -> Swing | None:
    if swing is None or isinstance(swing, Swing):
        return swing or usual
    return None if swing in {STRAIGHT, NONE} else Swing.parse(swing)


def band_tracks(
    score: Score, melody: Sequence[Note], choices: Choices, seed: int, *, is_written: bool = True
) -> tuple[list[Track], tuple[str, ...]]:
    """Return the tracks of the band, and what is to be said of them.

    Parameters
    ----------
    score
        On a grid that :func:`on_band_grid` returns; its chords, keys and markers are those that hold.
    melody
        The notes beside which it plays.
    choices
        What each player does.
    seed
        Each player draws from a stream of its own, so that leaving one out leaves the others as they are.
    is_written
        Whether someone wrote the chords; if they were found in the notes, those in a pickup count for nothing.
    """
    bars, end = score.bars, last_beat(score.bars, melody)
    first = first_bar(bars, melody, score.chords if is_written else ())
    chords = _from_step(score.chords, int(bars.starts[first]))
    changes = _with_change(chords, end)
    parts = parts_of([(int(bars.bar_of(m.onset_steps)), m.text) for m in score.markers], first, bars.n_bars)
    chance = [np.random.default_rng([seed, player]) for player in range(len(BAND))]
    style, tracks, said = choices.style, [], list[str]()
    if choices.counter:
        again = repeats_of(bars, melody, chords, parts)
        line = counter_notes(melody, chords, bars, keys=score.keys, rng=chance[0], repeats=again)
        tracks.append(Track(BAND[0], line, style.counter_program))
        said += [] if line else ["no room for a counter-melody"]
    if choices.texture:
        highest = _below(melody, choices.texture)
        played, held = (texture_notes(t, changes, bars, highest=highest) for t in (choices.texture, "sustain"))
        tracks.append(Track(BAND[1], _held_from(end, played, held), style.chords_program))
    if choices.bass:
        played, held = (bass_notes(b, changes, bars, keys=score.keys, rng=chance[2]) for b in (choices.bass, "held"))
        tracks.append(Track(BAND[2], _held_from(end, played, held), style.bass_program))
    if choices.drums:
        tracks.append(Track(BAND[3], drum_notes(choices.drums, bars, parts, chance[3], end=end), is_drum=True))
    return [replace(t, notes=_felt(t.notes, bars, choices.swing)) for t in tracks], tuple(said)


def last_beat(bars: BarMap, melody: Sequence[Note]) -> int:
    """Return the beat of the last bar in which the melody's last note starts, on which the band comes to rest."""
    last = max((note.onset_steps for note in melody), default=0)
    return max(step for step in bar_beats(bars, bars.n_bars - 1) if step <= max(last, int(bars.starts[-2])))


def repeats_of(
    bars: BarMap, melody: Sequence[Note], chords: Sequence[ChordChange], parts: Sequence[Part]
) -> list[Repeat]:
    """Return the sections that have the melody and the chords of an earlier one."""
    found: list[Repeat] = []
    sources: dict[object, int] = {}
    edges = [int(bars.starts[part.first]) for part in parts] + [bars.end_steps]
    for start, end in pairwise(edges):
        tune = [(n.onset_steps - start, n.duration_steps, n.pitch) for n in melody if start <= n.onset_steps < end]
        under = [(c.onset_steps - start, str(c.chord)) for c in _from_step(chords, start) if c.onset_steps < end]
        here = (end - start, tuple(tune), tuple(under))
        if tune and here in sources:
            found.append(Repeat(sources[here], start, end - start))
        sources.setdefault(here, start)
    return found


def _held_from(step: int, played: Sequence[Note], held: Sequence[Note]) -> tuple[Note, ...]:
    """Return what is played up to a step, and what is held from there on."""
    before = (replace(n, duration_steps=min(n.end_steps, step) - n.onset_steps) for n in played if n.onset_steps < step)
    return (*before, *(note for note in held if note.onset_steps >= step))


def _below(melody: Sequence[Note], texture: str) -> int:
    """Return the highest pitch of the chords: under three quarters of the melody, where that is not too low.

    Arpeggios, whose notes come one by one and go on to the octave, lie lower.
    """
    lower = _ARPEGGIOS_LOWER * texture.startswith("arpeggio")
    pitches = sorted(note.pitch for note in melody)
    ceiling = pitches[len(pitches) // 4] - 1 if pitches else HIGHEST
    return min(max(ceiling, _LOW_CEILING), HIGHEST) - lower


def _felt(notes: Sequence[Note], bars: BarMap, swing: Swing | None) -> tuple[Note, ...]:
    """Return notes with a swing, or as they are where there is none."""
    return tuple(notes) if swing is None else swung(notes, bars, swing)


def first_bar(bars: BarMap, melody: Sequence[Note], written: Sequence[ChordChange] = ()) -> int:
    """Return the first bar that is no pickup, from 0.

    A pickup is a first bar that is shorter than its metre; or silent in its first half and then not, and without one
    of the chords that are written.
    """
    if bars.n_bars < 2 or not melody:
        return 0
    first, end = int(bars.starts[0]), int(bars.starts[1])
    is_short = end - first < bars.meters[0].bar_steps(bars.steps_per_quarter) or end - first < (
        int(bars.starts[2]) - end if bars.n_bars > 2 else 0
    )
    onset = min(note.onset_steps for note in melody)
    is_late = (first + end) / 2 <= onset < end and all(change.onset_steps >= end for change in written)
    return int(is_short or is_late)


def on_band_grid(score: Score, swing: Swing | None = None) -> Score:
    """Return the same music on a grid that has the places of every pattern, and is fine enough for a swing."""
    shortest = max(change.meter.denominator for change in score.meters)
    grid = _FINE_GRID if swing is not None and swing.ratio not in (1, 2) else _GRID
    return at_grid(score, math.lcm(score.steps_per_quarter, 2 * grid if shortest > 16 else grid))


def _with_change(chords: Sequence[ChordChange], step: int) -> list[ChordChange]:
    """Return chords of which the one that sounds at a step starts anew there."""
    before = [change for change in chords if change.onset_steps < step]
    return [*before, *_from_step(chords, step)]


def _from_step(chords: Sequence[ChordChange], step: int) -> list[ChordChange]:
    """Return the chords from a step on."""
    before = [change for change in chords if change.onset_steps <= step]
    return [*(replace(c, onset_steps=step) for c in before[-1:]), *(c for c in chords if c.onset_steps > step)]
