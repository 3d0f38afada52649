"""From a request to a song: conditions, latents, potentials, laws, one exact draw, an arrangement.

>>> takes = generate_many(3, key="C", bars=2, seed=1)
>>> [take.rank for take in takes], takes[0].log_probability >= takes[1].log_probability
([1, 2, 3], True)
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import LineAlphabet
from symgen.conditions import Conditions, tonic_shift
from symgen.decode.draw import check_plain_laws
from symgen.decode.plan import LinePlan, plan_line
from symgen.decode.steered import Steered
from symgen.errors import RequestError
from symgen.grid import BarMap
from symgen.moments import moments_of
from symgen.pipeline.arrange import arrange, arrangement_of
from symgen.pipeline.band import Choices, song_choices, with_band
from symgen.pipeline.draws import draw_lines, with_potentials
from symgen.pipeline.form import FORMS, Form, bar_sources, read_form, settled
from symgen.pipeline.harmony import chord_changes, compose_progression
from symgen.pipeline.heard import heard_by, is_near_copy, originals
from symgen.pipeline.ranking import Drawn, Take, checked_number, ranked
from symgen.pipeline.request import Request, checked_locks, read_request
from symgen.pipeline.rules import chosen_rules, default_rules
from symgen.pipeline.sections import draw_forms
from symgen.pipeline.steer import DECODERS, Meant, can_be_steered, checked_decoder, decoder_said, steered_lines
from symgen.potentials import LinePotentials
from symgen.score import ChordChange, KeyChange, Marker, MeterChange, Note, Score, TempoChange
from symgen.sliders import checked_sliders
from theory.key import Key
from theory.meter import Meter
from theory.pitch import pitch_name
from theory.progression import Progression
from theory.rules import Lock, Moment, Range, Rule
from theory.swing import Swing

if TYPE_CHECKING:
    from symgen.model.checkpoint import Checkpoint

__all__ = ["default_rules", "generate", "generate_many", "load_model", "potentials_of", "styles"]


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
    phrase_bars: int | None = None,
    decoder: str = DECODERS[0],
    sliders: Mapping[str, float] | None = None,
    band: str | None = None,
    texture: str | None = None,
    bass: str | None = None,
    drums: str | None = None,
    counter: bool = False,
    swing: Swing | str | None = None,
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
        Which bars take up which: one of :data:`symgen.pipeline.form.FORMS`, or phrases as letters, such as
        ``"A A' B A"``: the same letter comes back note for note, a prime varies it, a cadence closes each. What the
        rules leave no room for is left out, and the song's recipe says so under ``form said``.
    phrase_bars
        Bars of a letter; if left out the song's bars are shared out, or there are 4 to each.
    decoder
        ``"causal"``: every note is drawn given all notes before it, by particles that the lattice of the rules steers;
        ``"chain"``: exactly from the chain, and faster. What forms in letters vary or could not take up otherwise, and
        rules that no lattice can hold, take the chain; the song's recipe says which it was, and for the causal one its
        effective share of the particles.
    sliders
        More (to 1) or less (to -1) of the attributes of :data:`symgen.sliders.ATTRIBUTES`, such as
        ``{"density": 0.5}``. They choose what a bar is to be like; the rules hold all the same.
    band
        A style of :data:`symgen.band.styles.STYLES`: who accompanies, drums and swing included.
    texture, bass, drums
        Otherwise than the band has them, or without a band than the style has them: see :func:`symgen.accompany`.
    counter
        Whether a second line is drawn beside the melody; see :mod:`symgen.band.counter`.
    swing
        Such as ``"2:1"``, or ``"straight"``; melody and band swing, after the rules have been kept.
    checkpoint
        Folder of a model, or the name of a bundled one; the default if left out.

    Returns
    -------
    Score
        Tracks Melody, Chords and Bass, with key, chords and tempo; ends on a bar line. Its recipe holds
        the seed. With a band the tracks of :data:`symgen.pipeline.band.BAND`, those it has, and the Melody.

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
    asked = {name: value for name, value in locals().items() if name != "seed"}
    return generate_many(1, seed=seed, **asked)[0].score


_DEFAULTS: dict[str, Any] = {
    name: parameter.default for name, parameter in inspect.signature(generate).parameters.items() if name != "seed"
}


def generate_many(n: int, *, seed: int | None = None, **asked: Any) -> list[Take]:
    """Make several songs of one request at once: one set of chords, the likeliest melody first, no near-copies.

    Parameters
    ----------
    n
        How many, 1 to 256; fewer come where the rest are near-copies. See :mod:`symgen.pipeline.ranking` for the
        measures.
    seed
        Of all of them.
    **asked
        As for :func:`generate`.

    Returns
    -------
    list of Take
        Each with its score, its ``log_probability`` in nats and its rank.
    """
    checked_number(n)
    return _takes(n, **({"seed": seed} | _DEFAULTS | asked))


@dataclass(frozen=True, slots=True)
class _Song:
    """What is settled before any note is drawn."""

    model: Checkpoint
    request: Request
    form: Form | None
    said: tuple[str, ...]
    choices: Choices | None
    bars: BarMap
    keys: tuple[KeyChange, ...]
    progression: Progression
    chords: tuple[ChordChange, ...]
    rules: list[Rule]
    moments: list[Moment]

    @property
    def sources(self) -> tuple[int, ...]:
        """For each bar the bar it takes up."""
        if self.form is None:
            return bar_sources(self.request.n_bars, self.request.form)
        return self.form.sources()


@dataclass(frozen=True, slots=True)
class _Melody:
    """Notes, and what is to be said of them."""

    notes: tuple[Note, ...]
    form: Form | None
    said: tuple[str, ...]
    steered: Steered | None = None


def potentials_of(*, seed: int | None = None, **asked: Any) -> tuple[LinePotentials, list[Moment], list[Rule]]:
    """Return what the chain decoder prefers given one draw of the latents of a request, its moments and its rules.

    Parameters
    ----------
    seed, **asked
        As for :func:`generate`.
    """
    everything = {"seed": seed} | _DEFAULTS | asked
    wanted = checked_sliders(everything.pop("sliders"))
    del everything["decoder"]
    song, rng = _begun(**everything)
    return _potentials(song, _meant(song, rng, wanted)), song.moments, song.rules


def _takes(
    n: int, *, decoder: str, sliders: Mapping[str, float] | None, checkpoint: str | Path | None, **asked: Any
) -> list[Take]:
    checked_decoder(decoder)
    wanted = checked_sliders(sliders)
    song, rng = _begun(checkpoint=checkpoint, **asked)
    heard = heard_by(checkpoint)

    def is_copy(one: Drawn[_Melody]) -> bool:
        return heard is not None and is_near_copy(one.what.notes, song.bars.steps_per_quarter, heard)

    def draw(more: int) -> list[Drawn[_Melody]]:
        return originals(lambda k: _draw(song, k, rng, decoder, wanted), is_copy, more)

    return [
        Take(_score(song, one.what, rank, n, wanted), song.request.seed, one.what.said, one.log_probability, rank)
        for rank, one in enumerate(ranked(draw, n), start=1)
    ]


def _begun(
    *,
    rules: Sequence[Rule | str] | str | None,
    changed_rules: Sequence[Rule | str],
    locks: Sequence[Lock | str],
    form: str,
    phrase_bars: int | None,
    bars: int | None,
    band: str | None,
    texture: str | None,
    bass: str | None,
    drums: str | None,
    counter: bool,
    swing: Swing | str | None,
    checkpoint: str | Path | None,
    **asked: Any,
) -> tuple[_Song, np.random.Generator]:
    """Return all of a song but its melody, and the source of chance for that."""
    model = load_model(checkpoint)
    letters = _letters(form, bars, phrase_bars)
    text, bars = (form, bars) if letters is None else (str(letters), letters.n_bars)
    request = read_request(bars=bars, form=text, styles=model.styles, **asked)
    players = {"texture": texture, "bass": bass, "drums": drums}
    choices = song_choices(request.style, band=band, counter=counter, swing=swing, **players)
    rng = np.random.default_rng(request.seed)
    return _prepared(model, request, letters, choices, (rules, changed_rules, locks), rng), rng


def _letters(form: str, bars: int | None, phrase_bars: int | None) -> Form | None:
    """Return a form in letters; none where it is one of those with a name."""
    if form not in FORMS:
        return read_form(form, bars=bars, phrase_bars=phrase_bars)
    if phrase_bars is not None:
        msg = f'phrase bars {phrase_bars}: form {form!r} has no letters; expected a form such as "A A\' B A"'
        raise RequestError(msg)
    return None


def _prepared(
    model: Checkpoint,
    request: Request,
    form: Form | None,
    choices: Choices | None,
    asked: tuple[Sequence[Rule | str] | str | None, Sequence[Rule | str], Sequence[Lock | str]],
    rng: np.random.Generator,
) -> _Song:
    bars = request.bar_map(model.model.config.steps_per_quarter)
    keys = request.key_changes(bars)
    progression = request.progression or _composed(request, form, rng)
    changes = chord_changes(progression, bars)
    rules, changed_rules, locks = asked
    chosen = checked_locks(locks, chosen_rules(rules, changed_rules, changes, keys[-1].key), bars)
    moments = moments_of(bars, keys, changes)
    said: tuple[str, ...] = ()
    if form is not None:
        form, said = settled(form, [[(m.key, m.chord) for m in part] for part in _parts(moments, bars.n_bars)])
    return _Song(model, request, form, said, choices, bars, keys, progression, changes, chosen, moments)


def _parts(moments: Sequence[Moment], n_bars: int) -> list[Sequence[Moment]]:
    """Return the moments of each bar; all bars are of one length."""
    size = len(moments) // n_bars
    return [moments[start : start + size] for start in range(0, len(moments), size)]


def _draw(
    song: _Song, n: int, rng: np.random.Generator, decoder: str, sliders: Mapping[str, float]
) -> list[Drawn[_Melody]]:
    """Draw so many melodies."""
    meant = [_meant(song, rng, sliders) for _ in range(n)]
    potentials = [_potentials(song, one) for one in meant]
    _check_span(song.rules, potentials[0].alphabet, song.request.key)
    check_plain_laws(potentials[0], song.moments, song.rules)
    if song.form is None:
        drawn = _free_lines(song, potentials, meant if decoder == "causal" else None, rng)
    else:
        drawn = _formed_lines(song, potentials, meant if decoder == "causal" else None, rng)
    return [Drawn(m, log_chance, frozenset((x.onset_steps, x.pitch) for x in m.notes)) for m, log_chance in drawn]


def _free_lines(
    song: _Song, potentials: Sequence[LinePotentials], meant: Sequence[Meant] | None, rng: np.random.Generator
) -> Iterator[tuple[_Melody, float]]:
    plan = plan_line(potentials[0], song.moments, song.rules)
    plans, decode = [plan, *(with_potentials(plan, other) for other in potentials[1:])], plan.potentials.alphabet.decode
    if meant is not None and can_be_steered(plans):
        for made in steered_lines(plans, meant, rng):
            yield _Melody(decode(made.line), None, (), made), made.log_probability
        return
    shape, taken = (song.bars.n_bars, len(song.moments) // song.bars.n_bars), list(song.sources)
    # Bars that take up another have its chance.
    for line, log_chance in draw_lines(plans, rng, lambda chance: chance.random(shape)[taken].reshape(-1)):
        yield _Melody(decode(line), None, ()), log_chance


def _formed_lines(
    song: _Song, potentials: Sequence[LinePotentials], meant: Sequence[Meant] | None, rng: np.random.Generator
) -> Iterator[tuple[_Melody, float]]:
    assert song.form is not None
    steer = None if meant is None else [partial(_steered, one, rng) for one in meant]
    for made in draw_forms(potentials, song.moments, song.rules, song.form, song.bars.starts, rng, steer):
        notes = potentials[0].alphabet.decode(made.line)
        yield _Melody(notes, made.form, (*song.said, *made.said), made.steered), made.log_probability


def _steered(meant: Meant, rng: np.random.Generator, plan: LinePlan) -> Steered | None:
    """Draw a line from the causal decoder under a plan, where that can be."""
    return steered_lines([plan], [meant], rng)[0] if can_be_steered([plan]) else None


def _score(song: _Song, melody: _Melody, rank: int, n: int, sliders: Mapping[str, float]) -> Score:
    request, bars = song.request, song.bars
    recipe = request.recipe(song.progression, song.rules, song.model.digest)
    recipe += (("form said", "; ".join(melody.said)),) if melody.said else ()
    recipe += decoder_said(melody.steered)
    recipe += (("sliders", " ".join(f"{k}={v:g}" for k, v in sliders.items())),) if sliders else ()
    recipe += (("band", str(song.choices)),) if song.choices else ()
    recipe += (("take", f"{rank} of {n}"),) if n > 1 else ()
    sections = _sections(song.progression, bars)
    score = Score(
        bars.steps_per_quarter,
        arrange(melody.notes, song.chords, bars, arrangement_of(request.style)),
        (TempoChange(0, request.bpm),),
        (MeterChange(0, request.meter),),
        song.keys,
        song.chords,
        sections or _letter_markers(melody.form, bars),
        end_steps=bars.end_steps,
        recipe=recipe,
    )
    return with_band(score, song.choices, request.seed)[0] if song.choices else score


def _letter_markers(form: Form | None, bars: BarMap) -> tuple[Marker, ...]:
    """Return the letters of a form where they start."""
    sections = () if form is None else form.sections
    return tuple(Marker(int(bars.starts[section.first]), section.name) for section in sections)


def _composed(request: Request, form: Form | None, rng: np.random.Generator) -> Progression:
    return compose_progression(
        request.key,
        request.n_bars,
        rng,
        style=request.chord_style,
        sources=bar_sources(request.n_bars, request.form) if form is None else None,
        modulations=request.modulations,
        form=form,
    )


def _sections(progression: Progression, bars: BarMap) -> tuple[Marker, ...]:
    """Return the names of the progression's sections where they start, each time it is played."""
    return tuple(
        Marker(int(bars.starts[bar]), name)
        for start in range(0, bars.n_bars, progression.n_bars)
        for bar, name in ((start + first, name) for first, name in progression.sections)
        if bar < bars.n_bars
    )


def _meant(song: _Song, rng: np.random.Generator, sliders: Mapping[str, float]) -> Meant:
    """Return latents drawn from the model's prior."""
    from symgen.model.sample import sample_latents

    request, model = song.request, song.model.model
    features = _by_bar(Conditions(song.bars, request.key, song.chords, request.style, keys=song.keys))
    latents = sample_latents(
        model, features, rng, sources=song.sources, temperature=request.temperature, sliders=sliders
    )
    return Meant(model, latents, features, request.temperature)


def _potentials(song: _Song, meant: Meant) -> LinePotentials:
    """Return what the model's chain prefers, given the latents."""
    from symgen.model.sample import line_potentials

    shift = tonic_shift(song.request.key)
    potentials = line_potentials(meant.model, meant.latents, meant.features, shift=shift)
    return _with_repeats(potentials, song.moments, song.sources).at_temperature(meant.temperature)


def _with_repeats(potentials: LinePotentials, moments: Sequence[Moment], sources: Sequence[int]) -> LinePotentials:
    """Give bars that take up another its weights, where their chords are the same."""
    assert potentials.leave is not None
    step, leave = (rows.reshape(len(sources), -1, rows.shape[1]).copy() for rows in (potentials.step, potentials.leave))
    bar_steps = step.shape[1]
    chords = [[m.chord for m in moments[i * bar_steps : (i + 1) * bar_steps]] for i in range(len(sources))]
    for bar, source in enumerate(sources):
        if chords[bar] == chords[source]:
            step[bar], leave[bar] = step[source], leave[source]
    return replace(potentials, step=step.reshape(potentials.step.shape), leave=leave.reshape(potentials.leave.shape))


@lru_cache(maxsize=4)
def _load(folder: Path, written: int) -> Checkpoint:
    """Load a checkpoint once for each time it was written."""
    from symgen.model.checkpoint import load_checkpoint

    return load_checkpoint(folder)


def load_model(checkpoint: str | Path | None = None) -> Checkpoint:
    """Return a checkpoint, kept in memory once loaded: that of a folder, a bundled one by name, or the default.

    Raises
    ------
    CheckpointError
        If it is absent or damaged.
    """
    from symgen.model.checkpoint import checkpoint_folder

    folder = checkpoint_folder(checkpoint)
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
