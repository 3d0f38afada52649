"""Drawing the tracks of an ensemble: what holds for each, and from weights of cells to notes.

Lines are drawn exactly under their rules by the lattice; the chords by :mod:`symgen.decode.texture`, under the chord
that holds, what hands can do and the shortest note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, LineAlphabet
from symgen.band.styles import STYLES as BANDS
from symgen.conditions import Conditions, tonic_shift
from symgen.decode.plan import plan_line
from symgen.decode.poly import Shape
from symgen.decode.texture import Texture, draw_textures
from symgen.errors import InfeasibleError, RequestError
from symgen.grid import BarMap
from symgen.pipeline.arrange import shaped
from symgen.pipeline.draws import draw_lines, with_potentials
from symgen.pipeline.heard import MELODIC_LINES, is_near_copy, originals
from symgen.pipeline.ranking import Drawn
from symgen.potentials import LineArcs, LinePotentials
from symgen.score import ChordChange, KeyChange, Note, Track
from theory.key import Key
from theory.rules import ChordTonesOnStrongBeats, InKey, LargestLeap, Moment, Range, Rule

if TYPE_CHECKING:
    from symgen.model.checkpoint import EnsembleCheckpoint
    from symgen.model.ensemble.config import EnsembleConfig
    from symgen.model.ensemble.sample import Weights

__all__ = ["HAND", "Frame", "Played", "check_bars", "drawn_parts", "is_copy", "originals_of", "rules_of", "track_of"]

HAND = Shape(max_notes=6, span=14, hands=2)
"""What a pianist does: at most six notes, each hand within a ninth."""

_RANGES = {"Counter-melody": (55, 84), "Bass": (28, 55), "Chords": (45, 81)}
_VOICES = {"Soprano": (60, 81), "Alto": (53, 74), "Tenor": (48, 69), "Bass": (40, 62)}
_CHOIR, _LEAD = 52, 65  # programs
_VELOCITIES = {"Counter-melody": 66, "Chords": 60, "Bass": 76}
_SHORTEST = 1  # steps of the chords' shortest note: a sixteenth


@dataclass(frozen=True, slots=True)
class Frame:
    """What is settled before any note is drawn.

    Parameters
    ----------
    model
        The checkpoint.
    bars, key, keys, chords, style
        Of the piece, on the model's grid.
    rules
        Of each track that is a line; none of a chordal one.
    are_laws
        Whether the chords bind the chordal tracks.
    temperature
        Of all weights.
    heard
        What its lines may not copy; see :mod:`symgen.pipeline.heard`.
    """

    model: EnsembleCheckpoint
    bars: BarMap
    key: Key
    keys: tuple[KeyChange, ...]
    chords: tuple[ChordChange, ...]
    style: str
    rules: tuple[tuple[Rule, ...], ...]
    moments: list[Moment]
    are_laws: bool
    temperature: float
    heard: NDArray[np.uint32] | None = None

    @property
    def config(self) -> EnsembleConfig:
        """The ensemble."""
        return self.model.decoder.config

    def features(self) -> NDArray[np.float32]:
        """Return the conditions, shape (bars, bar_steps, N_FEATURES)."""
        rows = Conditions(self.bars, self.key, self.chords, self.style, keys=self.keys).features()
        return rows.reshape(self.bars.n_bars, -1, rows.shape[1])


@dataclass(frozen=True, slots=True)
class Played:
    """The notes of each track, on the model's grid."""

    tracks: tuple[tuple[Note, ...], ...]


def rules_of(config: EnsembleConfig, *, are_laws: bool) -> list[tuple[Rule, ...]]:
    """Return the laws of each track that is not the melody, as lines have them."""
    if not are_laws:
        return [()] * (config.n_tracks - 1)
    ranges = [_range_of(config, track) for track in config.tracks[1:]]
    return [(InKey(), ChordTonesOnStrongBeats(), Range(*span), LargestLeap(12)) for span in ranges]


def _range_of(config: EnsembleConfig, track: str) -> tuple[int, int]:
    return (_VOICES if "Tenor" in config.tracks else _RANGES).get(track, (36, 84))


def check_bars(bars: BarMap, config: EnsembleConfig) -> None:
    """Refuse bars that are longer than the model's, or not all of one length.

    Raises
    ------
    RequestError
        If they are.
    """
    longest = int(np.diff(bars.starts).max())
    if longest > config.max_bar_steps:
        meter = bars.meters[int(np.diff(bars.starts).argmax())]
        msg = f"metre {meter}: expected bars of at most {config.max_bar_quarters} quarter notes"
        raise RequestError(msg)
    if longest != int(np.diff(bars.starts).min()):
        msg = "bars of several lengths: expected one metre throughout, without a pickup"
        raise RequestError(msg)


def drawn_parts(
    frame: Frame, weights: Sequence[Weights], numbers: Sequence[int], rng: np.random.Generator
) -> list[Drawn[Played]]:
    """Draw some tracks of several songs; the others are empty."""
    columns: list[list[tuple[tuple[Note, ...], float]]] = []
    for number in range(frame.config.n_tracks):
        if number not in numbers:
            columns.append([((), 0.0)] * len(weights))
        elif frame.config.chordal[number]:
            columns.append([_drawn_chords(frame, one, number, rng) for one in weights])
        else:
            columns.append(_drawn_lines(frame, weights, number, rng))
    made = []
    for row in zip(*columns, strict=True):
        played = Played(tuple(notes for notes, _ in row))
        heard = frozenset((n.onset_steps, n.pitch + 128 * k) for k, part in enumerate(played.tracks) for n in part)
        made.append(Drawn(played, sum(log_chance for _, log_chance in row), heard))
    return made


def _drawn_lines(
    frame: Frame, weights: Sequence[Weights], number: int, rng: np.random.Generator
) -> list[tuple[tuple[Note, ...], float]]:
    potentials = [_line_potentials(frame, one, number) for one in weights]
    plan = plan_line(potentials[0], frame.moments, frame.rules[number])
    plans = [plan, *(with_potentials(plan, other) for other in potentials[1:])]
    return [(potentials[0].alphabet.decode(line), log_chance) for line, log_chance in draw_lines(plans, rng)]


def _line_potentials(frame: Frame, weights: Weights, number: int) -> LinePotentials:
    shift = tonic_shift(frame.key)
    alphabet = LineAlphabet(frame.config.low - shift, frame.config.high - shift)
    rows = np.concatenate(
        [weights.rest[:, number, None], weights.hold[:, number, None], weights.struck[:, number]], axis=1
    )
    rows = rows - np.logaddexp.reduce(rows, axis=1, keepdims=True)
    # Where nothing sounds there is no hold, and the others share its chance.
    silent = -np.logaddexp.reduce(np.delete(rows, HOLD, axis=1), axis=1)
    arcs = LineArcs.flat(alphabet.n_pitches)
    return LinePotentials(alphabet, rows, arcs, silent=silent).at_temperature(frame.temperature)


def _drawn_chords(
    frame: Frame, weights: Weights, number: int, rng: np.random.Generator
) -> tuple[tuple[Note, ...], float]:
    low = frame.config.low - tonic_shift(frame.key)
    texture = Texture(
        weights.struck[:, number] / frame.temperature,
        weights.held[:, number] / frame.temperature,
        _permitted(frame, frame.config.tracks[number], low),
        HAND,
        low,
        _SHORTEST,
    )
    try:
        drawn = draw_textures(texture, rng)[0]
    except InfeasibleError as error:  # silence is always lawful where nothing is locked
        raise AssertionError from error
    return drawn.notes, drawn.log_probability


def _permitted(frame: Frame, track: str, low: int) -> NDArray[np.bool_]:
    """Return which pitches may sound at each step: chord tones in range, notes of the key where no chord holds."""
    pitches = low + np.arange(frame.config.n_pitches)
    permitted = np.ones((frame.bars.end_steps, len(pitches)), dtype=np.bool_)
    if not frame.are_laws:
        return permitted
    lowest, highest = _range_of(frame.config, track)
    in_range = (pitches >= lowest) & (pitches <= highest)
    of_classes: dict[frozenset[int], NDArray[np.bool_]] = {}
    for step, moment in enumerate(frame.moments):
        chord, key = moment.chord, moment.key
        classes = frozenset(chord.pitch_classes) if chord is not None and not chord.is_none else None
        if classes is None:
            classes = frozenset(key.pitch_classes) if key is not None and chord is None else frozenset()
        if classes not in of_classes:
            of_classes[classes] = np.isin(pitches % 12, sorted(classes)) & in_range
        permitted[step] = of_classes[classes]
    return permitted


def is_copy(frame: Frame, played: Played) -> bool:
    """Whether a melodic line of a song nearly copies what its model has heard."""
    lines = [part for part, chordal in zip(played.tracks, frame.config.chordal, strict=True) if not chordal]
    per = frame.bars.steps_per_quarter
    return frame.heard is not None and any(is_near_copy(part, per, frame.heard) for part in lines[:MELODIC_LINES])


def originals_of(frame: Frame, draw: Callable[[int], Sequence[Drawn[Played]]], n: int) -> list[Drawn[Played]]:
    """Draw until there are so many songs that nearly copy nothing the model has heard, or for some rounds.

    Raises
    ------
    RequestError
        If all that were drawn do.
    """
    return originals(draw, lambda one: is_copy(frame, one.what), n)


def track_of(name: str, notes: Sequence[Note], bars: BarMap, style: str) -> Track:
    """Return a track with the instrument and the loudness that its part has."""
    band = BANDS.get(style, BANDS["pop"])
    programs = {"Counter-melody": band.counter_program, "Chords": band.chords_program, "Bass": band.bass_program}
    accented = shaped(notes, bars)
    if name in _VELOCITIES:
        accented = tuple(
            replace(note, velocity=max(_VELOCITIES[name] + (note.velocity - 90) // 2, 1)) for note in accented
        )
    if style == "chorale":
        programs = dict.fromkeys(_VOICES, _CHOIR)
    return Track(name, accented, programs.get(name, _LEAD))
