"""From a request to a song: conditions, latents, potentials, laws, one exact draw, an arrangement."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symgen.conditions import STYLES, Conditions, tonic_shift
from symgen.decode.compile import compile_line
from symgen.decode.explain import explain_infeasible
from symgen.decode.infer import log_backward, sample_lines
from symgen.errors import RequestError
from symgen.grid import BarMap, check_steps_per_quarter
from symgen.pipeline.arrange import arrange, arrangement_of
from symgen.pipeline.harmony import chord_changes, compose_progression
from symgen.pipeline.moments import moments_of
from symgen.potentials import LinePotentials
from symgen.score import ChordChange, KeyChange, MeterChange, Note, Score, TempoChange
from theory.key import Key
from theory.meter import Meter
from theory.progression import Progression
from theory.rules import ChordTonesOnStrongBeats, EndOn, InKey, LargestLeap, Lock, Moment, Range, Rule

if TYPE_CHECKING:
    from symgen.model.checkpoint import Checkpoint

__all__ = ["MAX_BARS", "default_rules", "generate", "generate_many", "load_model", "sample_melody", "styles"]

MAX_BARS = 512
"""The longest song made in one go."""

MAX_SEED = 2**63 - 1


def generate(
    *,
    key: Key | str = "C",
    chords: Progression | str | None = None,
    bars: int | None = None,
    meter: Meter | str = "4/4",
    bpm: float = 110.0,
    style: str = "folk",
    rules: Sequence[Rule] | None = None,
    changed_rules: Sequence[Rule] = (),
    locks: Sequence[Lock | str] = (),
    seed: int | None = None,
    temperature: float = 1.0,
    checkpoint: str | Path | None = None,
) -> Score:
    """Make a song: a melody from the model under the rules, with chords and bass.

    Parameters
    ----------
    key
        Such as ``"A minor"``.
    chords
        Such as ``"Am F | C G"``, repeated to the end; composed in the key if left out.
    bars
        Length; 8, or that of the chords where they are longer, if left out.
    meter
        Such as ``"6/8"``.
    bpm
        Quarter notes a minute, 4 to 1000.
    style
        One of :func:`symgen.styles`.
    rules
        What holds for the melody; :func:`default_rules` if left out.
    changed_rules
        Rules that take the place of those of their kind, or are added.
    locks
        Notes that must be there, such as ``"bar 1 beat 1 = C5"``.
    seed
        Whatever is random follows from it; chosen and recorded if left out.
    temperature
        1 is the model's own law; less is more cautious. It holds for the latents and for the notes alike.
    checkpoint
        Folder of a model; the bundled one if left out.

    Returns
    -------
    Score
        Tracks Melody, Chords and Bass, with key, chords and tempo; ends on a bar line. Its recipe holds
        the seed.

    Raises
    ------
    InfeasibleError
        If no melody keeps the laws and the locks; it says where and which ones clash.
    ParseError
        If a text can't be read.
    RequestError
        If a number is out of range, or the style is unknown.

    Examples
    --------
    >>> score = generate(key="A minor", chords="Am F | C G", bars=4, seed=7)
    >>> [track.name for track in score.tracks], score.bars.n_bars
    (['Melody', 'Chords', 'Bass'], 4)
    """
    plan = _Plan.of(key, chords, bars, meter, bpm, style, temperature, seed)
    model = load_model(checkpoint)
    rng = np.random.default_rng(plan.seed)
    progression = plan.progression or compose_progression(plan.key, plan.n_bars, rng)
    bar_map = _bar_map(plan, model.model.config.steps_per_quarter)
    changes = chord_changes(progression, bar_map)
    conditions = Conditions(bar_map, plan.key, changes, plan.style)
    moments = moments_of(bar_map, plan.key, changes)
    asked = default_rules(changes, plan.key) if rules is None else rules
    chosen = [*_with_changes(asked, changed_rules), *_locks(locks, bar_map)]
    melody = sample_melody(model, conditions, moments, chosen, rng, temperature=temperature)
    return Score(
        bar_map.steps_per_quarter,
        arrange(melody, changes, bar_map, arrangement_of(plan.style)),
        (TempoChange(0, plan.bpm),),
        (MeterChange(0, plan.meter),),
        (KeyChange(0, plan.key),),
        changes,
        end_steps=bar_map.end_steps,
        recipe=_recipe(plan, progression, chosen, model.digest),
    )


def generate_many(n: int, *, seed: int | None = None, **request: object) -> list[Score]:
    """Make several songs; the first has the seed itself, the others follow from it.

    Parameters
    ----------
    n
        How many, at least 1.
    seed
        Of the first.
    **request
        As for :func:`generate`.
    """
    if n < 1:
        msg = f"number of songs: {n}: expected at least 1"
        raise RequestError(msg)
    first = _checked_seed(seed)
    return [generate(seed=(first + i) % (MAX_SEED + 1), **request) for i in range(n)]  # type: ignore[arg-type]


def default_rules(chords: Sequence[ChordChange], key: Key) -> list[Rule]:
    """Return what holds for a melody when nothing else is said.

    In key, chord tones on strong beats, a singable range, no leap beyond an octave, and a last note in
    the last chord: its tonic where the chord has it.
    """
    rules: list[Rule] = [InKey(), ChordTonesOnStrongBeats(), Range(57, 81), LargestLeap(12)]
    last = next((change.chord for change in reversed(chords) if not change.chord.is_none), None)
    if last is not None:
        tonic = key.tonic.pitch_class
        rules.append(EndOn(frozenset({tonic}) if tonic in last.pitch_classes else last.pitch_classes))
    return rules


def sample_melody(
    checkpoint: Checkpoint,
    conditions: Conditions,
    moments: Sequence[Moment],
    rules: Sequence[Rule],
    rng: np.random.Generator,
    *,
    temperature: float = 1.0,
) -> tuple[Note, ...]:
    """Draw a melody from the model conditioned on the rules.

    Raises
    ------
    InfeasibleError
        If there is none.
    """
    from symgen.model.sample import line_potentials, sample_latents

    features = _by_bar(conditions)
    latents = sample_latents(checkpoint.model, features, rng, temperature=temperature)
    potentials = line_potentials(checkpoint.model, latents, features, shift=tonic_shift(conditions.key))
    return draw_line(potentials.at_temperature(temperature), moments, rules, rng)


def draw_line(
    potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule], rng: np.random.Generator
) -> tuple[Note, ...]:
    """Draw one line from potentials conditioned on rules.

    Raises
    ------
    InfeasibleError
        If there is none.
    """
    lattice = compile_line(potentials, moments, rules)
    table = log_backward(lattice)
    if np.isneginf(table[0, 0]):
        raise explain_infeasible(potentials, moments, rules)
    line = sample_lines(lattice, table, rng)[0]
    return potentials.alphabet.decode(line)


@lru_cache(maxsize=4)
def _load(folder: Path) -> Checkpoint:
    from symgen.model.checkpoint import load_checkpoint

    return load_checkpoint(folder)


def load_model(checkpoint: str | Path | None = None) -> Checkpoint:
    """Return a checkpoint, kept in memory once loaded; the bundled one if none is named.

    Raises
    ------
    CheckpointError
        If it is absent or damaged.
    """
    from symgen.model.checkpoint import bundled_checkpoint

    return _load(bundled_checkpoint() if checkpoint is None else Path(checkpoint).resolve())


@dataclass(frozen=True, slots=True)
class _Plan:
    """A request whose every part has been read and checked."""

    key: Key
    progression: Progression | None
    n_bars: int
    meter: Meter
    bpm: float
    style: str
    temperature: float
    seed: int

    @classmethod
    def of(
        cls,
        key: Key | str,
        chords: Progression | str | None,
        bars: int | None,
        meter: Meter | str,
        bpm: float,
        style: str,
        temperature: float,
        seed: int | None,
    ) -> _Plan:
        """Read the texts and check the numbers."""
        progression = Progression.parse(chords) if isinstance(chords, str) else chords
        n_bars = bars if bars is not None else max(8, progression.n_bars if progression else 0)
        _check("bars", n_bars, 1, MAX_BARS)
        _check("bpm", bpm, 4, 1000)
        if not 0.01 <= temperature <= 100:
            msg = f"temperature {temperature:g}: expected 0.01 to 100"
            raise RequestError(msg)
        if style not in STYLES:
            msg = f"style {style!r}: expected one of {', '.join(STYLES)}"
            raise RequestError(msg)
        return cls(
            Key.parse(key) if isinstance(key, str) else key,
            progression,
            n_bars,
            Meter.parse(meter) if isinstance(meter, str) else meter,
            float(bpm),
            style,
            float(temperature),
            _checked_seed(seed),
        )


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        msg = f"{name} {value:g}: expected {low:g} to {high:g}"
        raise RequestError(msg)


def _checked_seed(seed: int | None) -> int:
    """Return the seed, or one that is easy to type where none was given."""
    if seed is None:
        return secrets.randbelow(1_000_000)
    _check("seed", seed, 0, MAX_SEED)
    return seed


def _bar_map(plan: _Plan, steps_per_quarter: int) -> BarMap:
    check_steps_per_quarter(steps_per_quarter)
    end = plan.meter.bar_steps(steps_per_quarter) * plan.n_bars
    return BarMap.build([(0, plan.meter)], steps_per_quarter=steps_per_quarter, end_steps=end)


def _with_changes(rules: Sequence[Rule], changed: Sequence[Rule]) -> list[Rule]:
    """Replace the rules of a kind by those that change it."""
    kinds = {type(rule) for rule in changed}
    return [*(rule for rule in rules if type(rule) not in kinds), *changed]


def _locks(locks: Sequence[Lock | str], bars: BarMap) -> list[Rule]:
    """Read the locks and check that each names a step of the piece."""
    read = [Lock.parse(lock) if isinstance(lock, str) else lock for lock in locks]
    for lock in read:
        bars.step_at(lock.bar, lock.beat)
    return list(read)


def _by_bar(conditions: Conditions) -> NDArray[np.float32]:
    """Return the conditions with an axis of bars, which are all of one length."""
    rows = conditions.features()
    return rows.reshape(conditions.bars.n_bars, -1, rows.shape[1])


def _recipe(plan: _Plan, progression: Progression, rules: Sequence[Rule], digest: str) -> tuple[tuple[str, str], ...]:
    """Return all that made the song, as words and values."""
    entries: dict[str, object] = {
        "seed": plan.seed,
        "key": plan.key,
        "chords": progression,
        "bars": plan.n_bars,
        "meter": plan.meter,
        "bpm": f"{plan.bpm:g}",
        "style": plan.style,
        "temperature": f"{plan.temperature:g}",
        "rules": "; ".join(str(rule) for rule in rules),
        "checkpoint": digest[:16],
    }
    return tuple((name, str(value)) for name, value in entries.items())


def styles(checkpoint: str | Path | None = None) -> tuple[str, ...]:
    """Return the styles a checkpoint was trained on; the bundled one if none is named."""
    return load_model(checkpoint).styles
