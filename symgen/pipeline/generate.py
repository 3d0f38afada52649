"""From a request to a song: conditions, latents, potentials, laws, one exact draw, an arrangement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import LineAlphabet
from symgen.conditions import Conditions, tonic_shift
from symgen.decode.draw import check_plain_laws, draw_line
from symgen.decode.plan import plan_line
from symgen.errors import RequestError
from symgen.grid import BarMap
from symgen.moments import moments_of
from symgen.pipeline.arrange import arrange, arrangement_of
from symgen.pipeline.form import bar_sources
from symgen.pipeline.harmony import chord_changes, compose_progression
from symgen.pipeline.request import MAX_SEED, Request, checked_locks, checked_seed, read_request
from symgen.pipeline.rules import chosen_rules, default_rules
from symgen.potentials import LinePotentials
from symgen.score import Marker, MeterChange, Note, Score, TempoChange
from theory.key import Key
from theory.meter import Meter
from theory.pitch import pitch_name
from theory.progression import Progression
from theory.rules import Lock, Moment, Range, Rule

if TYPE_CHECKING:
    from symgen.model.checkpoint import Checkpoint

__all__ = ["default_rules", "generate", "generate_many", "load_model", "sample_melody", "styles"]


def generate(
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
) -> Score:
    """Make a song: a melody from the model under the rules, with chords and bass.

    Parameters
    ----------
    key
        Such as ``"A minor"``.
    chords
        Such as ``"Am F | C G"`` or ``"[Verse] ||: I V6 | vi IV :||"``, repeated to the end; composed in the key if
        left out.
    bars
        Length; 8, or that of the chords where they are longer, if left out.
    meter
        Such as ``"6/8"``.
    bpm
        Quarter notes a minute, 4 to 1000.
    style
        One of :func:`symgen.styles`, the first if left out; empty for no style in particular.
    chord_syntax
        One of :data:`theory.symbols.SYNTAXES`; found from the chords if left out.
    chord_style
        Whose progressions are composed: one of :data:`theory.harmony.STYLES`; the song's style, else pop, if left out.
    modulations
        Bars, counted from 1, and the keys that hold from them, such as ``[(5, "G")]``.
    rules
        What holds for the melody: rules, or texts such as ``"largest-leap 7"``; or the name of a set in
        :data:`theory.rules.sets.RULE_SETS`; :func:`default_rules` if left out.
    changed_rules
        Rules or texts that take the place of those of their kind, or are added.
    locks
        Notes that must be there, such as ``"bar 1 beat 1 = C5"``.
    seed
        Whatever is random follows from it; chosen and recorded if left out.
    temperature
        1 is the model's own law; less is more cautious. It holds for the latents and for the notes alike.
    form
        Which bars take up which: one of :data:`symgen.pipeline.form.FORMS`.
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
    model = load_model(checkpoint)
    request = read_request(
        key=key,
        chords=chords,
        bars=bars,
        meter=meter,
        bpm=bpm,
        style=style,
        temperature=temperature,
        seed=seed,
        form=form,
        styles=model.styles,
        chord_syntax=chord_syntax,
        chord_style=chord_style,
        modulations=modulations,
    )
    rng = np.random.default_rng(request.seed)
    sources = bar_sources(request.n_bars, request.form)
    bar_map = request.bar_map(model.model.config.steps_per_quarter)
    keys = request.key_changes(bar_map)
    progression = request.progression or _composed(request, rng, sources)
    changes = chord_changes(progression, bar_map)
    conditions = Conditions(bar_map, request.key, changes, request.style, keys=keys)
    chosen = checked_locks(locks, chosen_rules(rules, changed_rules, changes, keys[-1].key), bar_map)
    moments = moments_of(bar_map, keys, changes)
    melody = sample_melody(model, conditions, moments, chosen, rng, sources=sources, temperature=request.temperature)
    return Score(
        bar_map.steps_per_quarter,
        arrange(melody, changes, bar_map, arrangement_of(request.style)),
        (TempoChange(0, request.bpm),),
        (MeterChange(0, request.meter),),
        keys,
        changes,
        _sections(progression, bar_map),
        end_steps=bar_map.end_steps,
        recipe=request.recipe(progression, chosen, model.digest),
    )


def generate_many(n: int, *, seed: int | None = None, **request: Any) -> Iterator[Score]:
    """Make several songs, one after the other; the first has the seed itself, the others the numbers after it.

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
    first = checked_seed(seed)
    return (generate(seed=(first + i) % (MAX_SEED + 1), **request) for i in range(n))


def _composed(request: Request, rng: np.random.Generator, sources: Sequence[int]) -> Progression:
    return compose_progression(
        request.key,
        request.n_bars,
        rng,
        style=request.chord_style,
        sources=sources,
        modulations=request.modulations,
    )


def _sections(progression: Progression, bars: BarMap) -> tuple[Marker, ...]:
    """Return the names of the progression's sections where they start, each time it is played."""
    return tuple(
        Marker(int(bars.starts[bar]), name)
        for start in range(0, bars.n_bars, progression.n_bars)
        for bar, name in ((start + first, name) for first, name in progression.sections)
        if bar < bars.n_bars
    )


def sample_melody(
    checkpoint: Checkpoint,
    conditions: Conditions,
    moments: Sequence[Moment],
    rules: Sequence[Rule],
    rng: np.random.Generator,
    *,
    sources: Sequence[int] | None = None,
    temperature: float = 1.0,
) -> tuple[Note, ...]:
    """Draw a melody from the model conditioned on the rules.

    The latents are drawn from the prior, then the notes from the chain they give, conditioned on the rules.

    Parameters
    ----------
    checkpoint
        The model.
    conditions, moments
        What is known of the piece; moments are what the rules see of it.
    rules
        What must hold, and what is preferred.
    rng
        Source of chance.
    sources
        For each bar the bar whose latent and chance it has; see :mod:`symgen.pipeline.form`.
    temperature
        1 is the model's own law.

    Raises
    ------
    InfeasibleError
        If there is none.
    RequestError
        If a range or a lock lies wholly outside the pitches the model knows.
    """
    from symgen.model.sample import line_potentials, sample_latents

    features = _by_bar(conditions)
    sources = range(len(features)) if sources is None else sources
    latents = sample_latents(checkpoint.model, features, rng, sources=sources, temperature=temperature)
    potentials = line_potentials(checkpoint.model, latents, features, shift=tonic_shift(conditions.key))
    _check_span(rules, potentials.alphabet, conditions.key)
    potentials = _with_repeats(potentials, moments, sources)
    potentials = potentials.at_temperature(temperature)
    check_plain_laws(potentials, moments, rules)
    plan = plan_line(potentials, moments, rules)
    shape, taken = features.shape[:2], list(sources)
    # Bars that take up another have its chance.
    line = draw_line(plan, rng, lambda chance: chance.random(shape)[taken].reshape(-1))
    return potentials.alphabet.decode(line)


def _with_repeats(potentials: LinePotentials, moments: Sequence[Moment], sources: Sequence[int]) -> LinePotentials:
    """Give bars that take up another its weights, where their chords are the same."""
    by_bar = potentials.step.reshape(len(sources), -1, potentials.step.shape[1]).copy()
    bar_steps = by_bar.shape[1]
    chords = [[m.chord for m in moments[i * bar_steps : (i + 1) * bar_steps]] for i in range(len(sources))]
    for bar, source in enumerate(sources):
        if chords[bar] == chords[source]:
            by_bar[bar] = by_bar[source]
    return replace(potentials, step=by_bar.reshape(potentials.step.shape))


@lru_cache(maxsize=4)
def _load(folder: Path, written: int) -> Checkpoint:
    """Load a checkpoint once for each time it was written."""
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

    folder = bundled_checkpoint() if checkpoint is None else Path(checkpoint).resolve()
    config = folder / "config.json"
    return _load(folder, config.stat().st_mtime_ns if config.is_file() else 0)


def _check_span(rules: Sequence[Rule], alphabet: LineAlphabet, key: Key) -> None:
    """Refuse what no melody of this model can reach, whatever the other rules say."""
    span = Range(alphabet.low, alphabet.high)
    for rule in rules:
        outside = isinstance(rule, Lock) and rule.pitch is not None and not span.low <= rule.pitch <= span.high
        apart = isinstance(rule, Range) and rule.is_law and (rule.low > span.high or rule.high < span.low)
        if outside or apart:
            names = f"{pitch_name(span.low)} to {pitch_name(span.high)}"
            msg = f"{rule}: the model's melodies in {key} lie within {names}"
            raise RequestError(msg)


def _by_bar(conditions: Conditions) -> NDArray[np.float32]:
    """Return the conditions with an axis of bars, which are all of one length."""
    rows = conditions.features()
    return rows.reshape(conditions.bars.n_bars, -1, rows.shape[1])


def styles(checkpoint: str | Path | None = None) -> tuple[str, ...]:
    """Return the styles a checkpoint was trained on; the bundled one if none is named."""
    return load_model(checkpoint).styles
