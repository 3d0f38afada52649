"""Several tracks at once from the model of an ensemble: a GAN's generator, or a VAE's decoder.

The model gives every cell of the roll a weight. Each line is drawn exactly under its rules by the lattice, as melodies
are; the chords by :mod:`symgen.decode.texture`, under the chord that holds, what hands can do and the shortest note. A
GAN's weights are preferences, not probabilities: a temperature scales them, and no more can be said of it.

>>> take = play(key="A minor", chords="Am F | C G", bars=4, seed=1)
>>> [track.name for track in take.score.tracks]
['Melody', 'Counter-melody', 'Chords', 'Bass']
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from symgen.moments import moments_of
from symgen.pipeline.arrange import shaped
from symgen.pipeline.draws import draw_lines, with_potentials
from symgen.pipeline.form import FORMS, bar_sources
from symgen.pipeline.harmony import chord_changes, compose_progression
from symgen.pipeline.ranking import Drawn, Take, checked_number, ranked
from symgen.pipeline.request import Request, checked_locks, checked_seed, read_request
from symgen.pipeline.rules import chosen_rules
from symgen.potentials import LineArcs, LinePotentials
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, TempoChange, Track
from theory.key import Key
from theory.meter import Meter
from theory.progression import Progression
from theory.rules import ChordTonesOnStrongBeats, Density, InKey, LargestLeap, Lock, Moment, Range, Rule

if TYPE_CHECKING:
    from symgen.model.checkpoint import EnsembleCheckpoint
    from symgen.model.ensemble.config import EnsembleConfig
    from symgen.model.ensemble.sample import Weights

__all__ = [
    "DEFAULT",
    "HAND",
    "HEARD",
    "Frame",
    "Played",
    "check_bars",
    "drawn_parts",
    "load_ensemble_model",
    "play",
    "play_between",
    "play_many",
    "rules_of",
    "track_of",
]

DEFAULT = "band-pop"
"""The bundled checkpoint."""

HAND = Shape(max_notes=6, span=14, hands=2)
"""What a pianist does: at most six notes, each hand within a ninth."""

HEARD = Density(1, 24)
"""Of a melody under the default rules: a note in every bar."""

_RANGES = {"Counter-melody": (55, 84), "Bass": (28, 55), "Chords": (45, 81)}
_VOICES = {"Soprano": (60, 81), "Alto": (53, 74), "Tenor": (48, 69), "Bass": (40, 62)}
_CHOIR, _LEAD = 52, 65  # programs
_VELOCITIES = {"Counter-melody": 66, "Chords": 60, "Bass": 76}
_TRIED = 4  # songs of which the one is taken whose melody rests the least
_SHORTEST = 1  # steps of the chords' shortest note: a sixteenth
_Line = NDArray[np.int64]


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

    @property
    def config(self) -> EnsembleConfig:
        """The ensemble."""
        return self.model.decoder.config

    def features(self) -> NDArray[np.float32]:
        """Return the conditions, shape (bars, bar_steps, N_FEATURES)."""
        rows = Conditions(self.bars, self.key, self.chords, self.style, keys=self.keys).features()
        return rows.reshape(self.bars.n_bars, -1, rows.shape[1])


def play(
    *,
    key: Key | str = "C",
    chords: Progression | str | None = None,
    bars: int | None = None,
    meter: Meter | str = "4/4",
    bpm: float = 110.0,
    style: str | None = None,
    chord_syntax: str | None = None,
    chord_style: str | None = None,
    modulations: Sequence[tuple[int, Key | str]] = (),
    rules: Sequence[Rule | str] | str | None = None,
    changed_rules: Sequence[Rule | str] = (),
    locks: Sequence[Lock | str] = (),
    seed: int | None = None,
    temperature: float = 1.0,
    form: str = "period",
    checkpoint: str | Path | None = None,
) -> Take:
    """Make a song of all tracks of an ensemble at once.

    Parameters
    ----------
    key, chords, bars, meter, bpm, chord_syntax, chord_style, modulations, seed
        As for :func:`symgen.generate`.
    style
        One of the checkpoint's.
    rules, changed_rules, locks
        Of the melody, as for :func:`symgen.generate`; the default ones want a note in every bar too. The other lines
        are in key, with chord tones on strong beats, in their ranges, without leaps beyond an octave, and the chords
        play chord tones alone; no rules at all (``[]``) free them too. Under rules the noise is the best of four: the
        one under which the melody rests the least.
    temperature
        Divides the weights: less is more cautious. Those of a GAN are preferences, not log-probabilities.
    form
        ``"period"``: bars 5 and 6 of every eight have the latents and the chance of bars 1 and 2; or ``"free"``.
    checkpoint
        Folder of a model of an ensemble, or the name of a bundled one.

    Raises
    ------
    InfeasibleError
        If no line keeps the laws and the locks.
    RequestError
        If a value is out of range.
    """
    asked = {name: value for name, value in locals().items() if name != "seed"}
    return play_many(1, seed=seed, **asked)[0]


_DEFAULTS: dict[str, Any] = {
    name: parameter.default for name, parameter in inspect.signature(play).parameters.items() if name != "seed"
}


def play_between(n: int, *, to_seed: int, seed: int | None = None, **asked: Any) -> list[Take]:
    """Make songs on the way from the noise of one seed to that of another, over the same chords.

    Parameters
    ----------
    n
        How many, 2 to 256; the first has the noise of ``seed``, the last that of ``to_seed``.
    seed, to_seed
        Chords that are composed, and whatever else is random, follow from the first.
    **asked
        As for :func:`play`.

    Raises
    ------
    RequestError
        If n is less than 2.
    """
    from symgen.model.ensemble.sample import between, cell_weights, sample_ensemble_noise

    if checked_number(n) < 2:
        msg = f"number of takes: {n}: expected 2 or more on the way from one seed to another"
        raise RequestError(msg)
    ready = _ready(seed, asked)
    first, last = (
        sample_ensemble_noise(ready.frame.config, 1, ready.sources, np.random.default_rng(one))
        for one in (ready.request.seed, checked_seed(to_seed))
    )
    takes = []
    for number in range(n):
        noise = between(first, last, number / (n - 1))
        weights = cell_weights(ready.frame.model.decoder, noise, ready.frame.features())
        rng = np.random.default_rng(ready.request.seed)  # the same chance for all
        one = drawn_parts(ready.frame, weights, range(ready.frame.config.n_tracks), rng)[0]
        words = (("to seed", str(to_seed)), ("step", f"{number + 1} of {n}"))
        takes.append(Take(ready.score(one.what, words), ready.request.seed, (), one.log_probability, number + 1))
    return takes


def play_many(n: int, *, seed: int | None = None, **asked: Any) -> list[Take]:
    """Make several songs of one request at once, over the same chords, the likeliest first, none nearly the same.

    Parameters
    ----------
    n
        How many, 1 to 256; fewer come where the rest are near-copies.
    seed
        Of all of them.
    **asked
        As for :func:`play`.
    """
    checked_number(n)
    ready = _ready(seed, asked)
    takes = []
    for rank, one in enumerate(ranked(lambda more: _drawn(ready.frame, ready.sources, more, ready.rng), n), start=1):
        score = ready.score(one.what, (("take", f"{rank} of {n}"),) if n > 1 else ())
        takes.append(Take(score, ready.request.seed, (), one.log_probability, rank))
    return takes


@dataclass(frozen=True, slots=True)
class _Ready:
    """A request that is read, its chords composed."""

    request: Request
    progression: Progression
    frame: Frame
    sources: tuple[int, ...]
    rng: np.random.Generator

    def score(self, played: Played, words: tuple[tuple[str, str], ...]) -> Score:
        """Return a song with its recipe."""
        model = self.frame.model
        recipe = self.request.recipe(self.progression, self.frame.rules[0], model.digest)
        recipe += (("model", "gan" if model.is_gan else "ensemble vae"), *words)
        return _scored(self.frame, played, self.request.bpm, recipe)


def _ready(seed: int | None, asked: dict[str, Any]) -> _Ready:
    asked = _DEFAULTS | asked
    model = load_ensemble_model(asked.pop("checkpoint"))
    if asked["form"] not in FORMS:
        msg = f"form {asked['form']!r}: expected {' or '.join(FORMS)}; letters are for the line model"
        raise RequestError(msg)
    of_melody = (asked.pop("rules"), asked.pop("changed_rules"), asked.pop("locks"))
    request = read_request(seed=seed, styles=model.styles, **asked)
    rng = np.random.default_rng(request.seed)
    sources = bar_sources(request.n_bars, request.form)
    progression = request.progression or compose_progression(
        request.key, request.n_bars, rng, style=request.chord_style, sources=sources, modulations=request.modulations
    )
    return _Ready(request, progression, _framed(model, request, progression, of_melody), sources, rng)


@lru_cache(maxsize=4)
def _load(folder: Path, written: int) -> EnsembleCheckpoint:
    from symgen.model.checkpoint import load_ensemble

    return load_ensemble(folder)


def load_ensemble_model(checkpoint: str | Path | None = None) -> EnsembleCheckpoint:
    """Return the model of an ensemble, kept in memory once loaded.

    Raises
    ------
    CheckpointError
        If it is absent or damaged.
    """
    from symgen.model.checkpoint import checkpoint_folder

    folder = checkpoint_folder(checkpoint or DEFAULT)
    config = folder / "config.json"
    return _load(folder, config.stat().st_mtime_ns if config.is_file() else 0)


_OfMelody = tuple[Sequence[Rule | str] | str | None, Sequence[Rule | str], Sequence[Lock | str]]


def _framed(model: EnsembleCheckpoint, request: Request, progression: Progression, of_melody: _OfMelody) -> Frame:
    config = model.decoder.config
    bars = request.bar_map(config.steps_per_quarter)
    check_bars(bars, config)
    keys, changes = request.key_changes(bars), chord_changes(progression, bars)
    rules, changed, locks = of_melody
    if rules is None:  # the laws are kept with more ease by silence: a song's melody is to be heard
        changed = [*changed, *([] if any(_is_density(rule) for rule in changed) else [HEARD])]
    melody = checked_locks(locks, chosen_rules(rules, changed, changes, keys[-1].key), bars)
    are_laws = rules is None or isinstance(rules, str) or len(rules) > 0
    others = rules_of(config, are_laws=are_laws)
    return Frame(
        model, bars, request.key, keys, changes, request.style, (tuple(melody), *others),
        moments_of(bars, keys, changes), are_laws, request.temperature,
    )  # fmt: skip


def _is_density(rule: Rule | str) -> bool:
    return isinstance(rule, Density) or (isinstance(rule, str) and rule.startswith("density"))


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


@dataclass(frozen=True, slots=True)
class Played:
    """The notes of each track, on the model's grid."""

    tracks: tuple[tuple[Note, ...], ...]


def _drawn(frame: Frame, sources: Sequence[int], n: int, rng: np.random.Generator) -> list[Drawn[Played]]:
    """Draw so many songs."""
    from symgen.model.ensemble.sample import cell_weights, sample_ensemble_noise

    n_tried = n * _TRIED if frame.are_laws else n
    noise = sample_ensemble_noise(frame.config, n_tried, sources, rng)
    weights = cell_weights(frame.model.decoder, noise, frame.features())
    if n_tried > n:
        weights = [max(weights[i : i + _TRIED], key=partial(_sings, frame)) for i in range(0, n_tried, _TRIED)]
    return drawn_parts(frame, weights, range(frame.config.n_tracks), rng)


def _sings(frame: Frame, weights: Weights) -> float:
    """Return how many notes the melody is likely to strike in the bar in which it strikes the fewest."""
    rest, hold, struck = weights.rest[:, 0], weights.hold[:, 0], weights.struck[:, 0]
    log_struck = np.logaddexp.reduce(struck, axis=1)
    chance = np.exp(log_struck - np.logaddexp(log_struck, np.logaddexp(rest, hold)))
    return float(np.add.reduceat(chance, frame.bars.starts[:-1]).min())


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


def _scored(frame: Frame, played: Played, bpm: float, recipe: tuple[tuple[str, str], ...]) -> Score:
    tracks = [
        track_of(name, notes, frame.bars, frame.style)
        for name, notes in zip(frame.config.tracks, played.tracks, strict=True)
    ]
    return Score(
        frame.bars.steps_per_quarter,
        tuple(tracks),
        (TempoChange(0, bpm),),
        (MeterChange(0, frame.bars.meters[0]),),
        frame.keys,
        frame.chords,
        end_steps=frame.bars.end_steps,
        recipe=recipe,
    )


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
