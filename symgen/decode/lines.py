"""Lines that move independently: each drawn exactly given the others, in sweeps.

The law of all lines together gives them the weight of their potentials and own rules, times ``exp(-cost)`` for each
violation of a rule for several voices. One line given the others is a lattice: what sounds beside it at a step, and
at the step before, turns each predicate on a group of voices into a table over its own pitches. So a line is drawn
from its exact conditional law, and a sweep over all of them leaves the joint law as it is (a blocked Gibbs sampler).

Voice 0 is the highest. A group of voices is judged where all of it sounds, as in :mod:`theory.voiceaudit`.

References
----------
S. Geman and D. Geman, "Stochastic relaxation, Gibbs distributions, and the Bayesian restoration of images", IEEE
Transactions on Pattern Analysis and Machine Intelligence 6, 1984.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, N_SPECIAL, REST, LineAlphabet
from symgen.decode.automaton import DEAD, Automaton
from symgen.decode.blame import irreducible, quarrel
from symgen.decode.compile import compile_line
from symgen.decode.infer import forward_support, has_line, log_backward, sample_lines
from symgen.decode.lattice import Lattice
from symgen.errors import InfeasibleError, RequestError
from symgen.potentials import LinePotentials
from theory.rules.base import Moment, Rule
from theory.rules.voices import Group, VoiceRule

__all__ = ["Part", "draw_lines", "line_beside", "sounding_pitches", "sweep"]

_Array = NDArray[np.float64]
_Line = NDArray[np.int64]

SILENT = -1


@dataclass(frozen=True, slots=True)
class Part:
    """One of several lines.

    Parameters
    ----------
    potentials
        What is preferred; its alphabet is the line's range.
    rules
        Rules on this line alone.
    """

    potentials: LinePotentials
    rules: tuple[Rule, ...] = ()

    @property
    def alphabet(self) -> LineAlphabet:
        """The symbols of the line."""
        return self.potentials.alphabet


def draw_lines(
    parts: Sequence[Part],
    moments: Sequence[Moment],
    rules: Sequence[VoiceRule],
    rng: np.random.Generator,
    *,
    n_sweeps: int = 4,
    n_tries: int = 8,
) -> list[_Line]:
    """Draw lines: each beside those before it, and then in sweeps beside all others.

    Parameters
    ----------
    parts
        The lines, the highest voice first.
    moments
        One for each step.
    rules
        What must hold between the lines, and what is preferred.
    rng
        Source of chance.
    n_sweeps
        How often all lines are drawn anew; the more, the nearer to the joint law.
    n_tries
        How often to begin again when a line finds no place beside those drawn before it.

    Returns
    -------
    list of ndarray of shape (n_steps,)
        Symbols of each line. Every one of them keeps every law, after any number of sweeps.

    Raises
    ------
    InfeasibleError
        If a line found no place in any try; by itself or, as the message says, beside the lines drawn last.
    RequestError
        If there are no parts, or numbers are out of range.
    """
    if not parts or n_sweeps < 0 or n_tries < 1:
        msg = f"lines: {len(parts)} parts, {n_sweeps} sweeps, {n_tries} tries: expected at least 1, 0 and 1"
        raise RequestError(msg)
    for left in reversed(range(n_tries)):
        lines = [np.full(len(moments), REST, dtype=np.int64) for _ in parts]
        try:
            for voice in range(len(parts)):
                lines[voice] = _draw(parts, voice, lines, moments, rules, rng)
            break
        except InfeasibleError:
            if not left or voice == 0:  # what is impossible beside nothing stays impossible
                raise
    for _ in range(n_sweeps):
        lines = sweep(parts, lines, moments, rules, rng)
    return lines


def sweep(
    parts: Sequence[Part],
    lines: Sequence[_Line],
    moments: Sequence[Moment],
    rules: Sequence[VoiceRule],
    rng: np.random.Generator,
) -> list[_Line]:
    """Return the lines after each has been drawn anew, in order, beside all others.

    Parameters
    ----------
    parts, moments, rules, rng
        As for :func:`draw_lines`.
    lines
        Symbols of each line; together they keep every law.
    """
    drawn = list(lines)
    for voice in range(len(parts)):
        drawn[voice] = _draw(parts, voice, drawn, moments, rules, rng)
    return drawn


def _draw(
    parts: Sequence[Part],
    voice: int,
    lines: Sequence[_Line],
    moments: Sequence[Moment],
    rules: Sequence[VoiceRule],
    rng: np.random.Generator,
) -> _Line:
    lattice = line_beside(parts, voice, lines, moments, rules)
    if not has_line(lattice):
        raise _explain(parts, voice, lines, moments, rules)
    line: _Line = sample_lines(lattice, log_backward(lattice), rng)[0]
    return line


def line_beside(
    parts: Sequence[Part],
    voice: int,
    lines: Sequence[_Line],
    moments: Sequence[Moment],
    rules: Sequence[VoiceRule],
) -> Lattice:
    """Return the lattice of one line given the others.

    Parameters
    ----------
    parts, moments, rules
        As for :func:`draw_lines`.
    voice
        Which line.
    lines
        Symbols of all lines; those of ``voice`` itself are not looked at.

    Notes
    -----
    The weights of its lines differ from the joint weights by what the other lines weigh by themselves.
    """
    alone = compile_line(parts[voice].potentials, moments, parts[voice].rules)
    beside = [sounding_pitches(part.alphabet, line) for part, line in zip(parts, lines, strict=True)]
    prices = _Prices(parts[voice].alphabet, voice, np.stack(beside, axis=1), moments)
    for rule in rules:
        prices.add(rule)
    missing = sum(rule.cost for rule in rules if not rule.has_place(moments))
    return _with_prices(replace(alone, log_final=alone.log_final - missing), prices)


def sounding_pitches(alphabet: LineAlphabet, line: _Line) -> _Line:
    """Return the MIDI pitch that sounds at each step of a line, -1 in silence."""
    pitch = np.where(line >= N_SPECIAL, line - N_SPECIAL + alphabet.low, SILENT)
    said = np.where(line != HOLD, np.arange(len(line)), 0)
    last: _Line = pitch[np.maximum.accumulate(said)]  # a hold goes on with what the last other symbol said
    return last


class _Prices:
    """What the rules ask of one line beside others, by what it did before and what it does.

    Parameters
    ----------
    alphabet
        Of the line.
    voice
        Which of the voices it is.
    beside
        What the others sound, shape (n_steps, voices), -1 in silence.
    moments
        One for each step.

    Attributes
    ----------
    sounding
        For each step and pitch that sounds there, shape (n_steps, n_pitches).
    entering
        For each step and pitch that starts there out of silence, same shape.
    moving
        For each step, from the pitch at the step before to the pitch there, shape (n_steps, n_pitches, n_pitches).
    """

    def __init__(self, alphabet: LineAlphabet, voice: int, beside: _Line, moments: Sequence[Moment]) -> None:
        n_steps, n = len(moments), alphabet.n_pitches
        self._own = np.arange(alphabet.low, alphabet.high + 1)
        self._voice, self._beside, self._moments = voice, beside, moments
        self.sounding, self.entering = np.zeros((n_steps, n)), np.zeros((n_steps, n))
        self.moving = np.zeros((n_steps, n, n))

    def add(self, rule: VoiceRule) -> None:
        """Add what a rule asks."""
        seen = [rule.sees(moment) for moment in self._moments]
        for group in rule.groups(self._beside.shape[1]):
            if self._voice in group.voices:
                self._add_group(rule, group, seen)

    def _add_group(self, rule: VoiceRule, group: Group, seen: Sequence[Hashable]) -> None:
        rows = self._beside[:, list(group.voices)]
        others = np.array(group.voices) != self._voice
        heard = (rows[:, others] != SILENT).all(axis=1)
        found: dict[Hashable, tuple[_Array | float, ...]] = {}
        for step in np.flatnonzero(heard).tolist():
            after = rows[step][others].tolist()
            before = rows[step - 1][others].tolist() if step and heard[step - 1] else None
            key = (tuple(after), None if before is None else (tuple(before), seen[step - 1]), seen[step])
            if key not in found:
                found[key] = self._asked(rule, group, before, after, step)
            sounding, entering, moving = found[key]
            self.sounding[step] += sounding
            self.entering[step] += entering
            self.moving[step] += moving

    def _asked(
        self, rule: VoiceRule, group: Group, before: list[int] | None, after: list[int], step: int
    ) -> tuple[_Array | float, ...]:
        """Return the prices at a step for each pitch sounding, entering, and moving from pitch to pitch."""
        moment = self._moments[step]
        now = self._with_own(group, after, self._own)
        sounding = self._price(rule, rule.permits_voicing, [now], (moment, group))
        entering = self._price(rule, rule.permits_entry, [now], (moment, group))
        if before is None:
            return sounding, entering, entering
        was = self._with_own(group, before, self._own[:, None])
        moving = self._price(rule, rule.permits_motion, [was, now], (self._moments[step - 1], moment, group))
        return sounding, entering, moving

    def _with_own(self, group: Group, others: list[int], own: _Line) -> list[int | _Line]:
        """Return the pitches of the group, this line's own all at once."""
        place = group.voices.index(self._voice)
        return [*others[:place], own, *others[place:]]

    def _price(
        self, rule: VoiceRule, ask: Any, voicings: list[list[int | _Line]], context: tuple[Any, ...]
    ) -> _Array | float:
        """Return the price of each answer."""
        answer = ask(*voicings, *context) if rule.elementwise else _ask_one_by_one(ask, voicings, context)
        if answer is True:
            return 0.0
        return np.where(answer, 0.0, rule.cost)


def _ask_one_by_one(ask: Any, voicings: list[list[int | _Line]], context: tuple[Any, ...]) -> NDArray[np.bool_]:
    """Ask a predicate about every combination in arrays that broadcast against each other."""
    arrays = np.broadcast_arrays(*(pitches for voicing in voicings for pitches in voicing))
    size = len(voicings[0])
    answers = [
        bool(ask(*(pitches[i : i + size] for i in range(0, len(pitches), size)), *context))
        for pitches in zip(*(array.ravel().tolist() for array in arrays), strict=True)
    ]
    return np.array(answers, dtype=np.bool_).reshape(arrays[0].shape)


def _with_prices(lattice: Lattice, prices: _Prices) -> Lattice:
    """Return the lattice in which the line pays; steps with equal prices of moving are of one kind."""
    pitch, sounds = lattice.automaton.label[:, 0], lattice.automaton.label[:, 1] == 1
    log_state = lattice.log_state - np.where(sounds, prices.sounding[:, np.maximum(pitch, 0)], 0.0)
    number: dict[tuple[int, bytes, bytes], int] = {}
    steps: list[int] = []  # the first step of each kind
    kind = np.empty(lattice.n_steps, dtype=np.int64)
    for step, old in enumerate(lattice.kind.tolist()):
        key = (old, prices.moving[step].tobytes(), prices.entering[step].tobytes())
        if key not in number:
            number[key] = len(steps)
            steps.append(step)
        kind[step] = number[key]
    automaton = _with_kinds(lattice.automaton, lattice.kind[steps], prices.moving[steps], prices.entering[steps])
    return replace(lattice, automaton=automaton, kind=kind, log_state=log_state)


def _with_kinds(automaton: Automaton, old: NDArray[np.int64], moving: _Array, entering: _Array) -> Automaton:
    """Return an automaton with a kind for each pair of tables, made from an old kind each."""
    pitch, sounds = automaton.label[:, 0], automaton.label[:, 1] == 1
    next_state, log_weight = automaton.next_state[old], automaton.log_weight[old]
    log_weight[:, sounds, N_SPECIAL:] -= moving[:, pitch[sounds]]
    log_weight[:, sounds, HOLD] -= moving[:, pitch[sounds], pitch[sounds]]
    log_weight[:, ~sounds, N_SPECIAL:] -= entering[:, None]
    next_state[np.isneginf(log_weight)] = DEAD
    return replace(automaton, next_state=next_state, log_weight=log_weight)


def _explain(
    parts: Sequence[Part],
    voice: int,
    lines: Sequence[_Line],
    moments: Sequence[Moment],
    rules: Sequence[VoiceRule],
) -> InfeasibleError:
    """Return the error that says why a line has no place beside the others."""
    own: list[Rule] = [rule for rule in parts[voice].rules if rule.is_law]
    shared = [rule for rule in rules if rule.is_law]

    def lattice(laws: Sequence[Rule]) -> Lattice:
        kept = {id(law) for law in laws}
        mine = replace(parts[voice], rules=tuple(law for law in own if id(law) in kept))
        changed = [*parts[:voice], mine, *parts[voice + 1 :]]
        return line_beside(changed, voice, lines, moments, [law for law in shared if id(law) in kept])

    blame = irreducible([*own, *shared], lambda laws: not has_line(lattice(laws)))
    passed = forward_support(lattice(blame))[1:].any(axis=1)
    where = moments[len(moments) - 1 if passed.all() else int(np.argmin(passed))]
    words = tuple(str(rule) for rule in blame)
    beside = f"voice {voice + 1}" + (" beside the others drawn" if voice else "")
    return InfeasibleError(f"{where}: {beside}: {quarrel(words)}", str(where), words)
