"""Drawing a melody in sections: the same letter has the same notes, a prime varies them, a cadence closes each.

The law, section by section in the order of their first places. A letter is drawn from the model's law given the
rules, all that is drawn before it, and that it *can* come back wherever the form wants it: lines are drawn from
the lattice until the notes of the letter leave some line at its other places too, which the lattice tells
exactly. Then these notes are locked in all of its places. So its notes are weighed once, however often they come
back. (Ties weigh them once for each place, which makes what comes back three times as cautious as at a third of
the temperature; they are asked only where no draw will do, whether there is a way at all.) A variation opens with
the notes of what it varies, and goes on in the law of the lattice with a bonus for its rhythm and a smaller one for
staying near its pitches, given that it is no copy.

Where another decoder is asked for, it draws the first line, whose letters are tried first, and in the end, given all
letters that come back or are varied, everything else; the chain sees to the rest.

At every moment a line is at hand that keeps all the rules, so no form makes a request impossible. What the rules
don't leave room for is left out and said: a cadence becomes a preference, a repeat a variation, a variation a
freer one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from symgen.alphabet import HOLD, N_SPECIAL
from symgen.decode.draw import draw_line, try_line
from symgen.decode.infer import lines_at, log_backward, log_probability
from symgen.decode.memory import TooMuchToRememberError
from symgen.decode.plan import LinePlan, is_possible, plan_line
from symgen.decode.steered import Steered
from symgen.decode.ties import Tie, TiedSums
from symgen.errors import InfeasibleError, RequestError
from symgen.pipeline.draws import narrowed, with_potentials
from symgen.pipeline.form import Form, Section
from symgen.potentials import LinePotentials
from theory.rules import Cadence, Moment, Rule

__all__ = ["FormedLine", "draw_forms", "with_cadences"]

_Line = NDArray[np.int64]
_Open = NDArray[np.bool_]
Steer = Callable[[LinePlan], Steered | None]

_CADENCES = {True: ("authentic", "imperfect"), False: ("half", "open")}
"""Kinds tried as laws, by whether the section ends as the song does."""

_CADENCE_COST = 3.0
_N_AT_ONCE, _N_TRIES, _N_HARD_TRIES = 16, 64, 6
_SAME_RHYTHM, _PER_SEMITONE, _SAME_PITCH = 3.0, 0.15, 0.5
"""Nats: for doing at a step what the varied line does, by distance from its pitch, and for its very pitch."""


@dataclass(frozen=True, slots=True)
class FormedLine:
    """A line drawn in sections.

    Parameters
    ----------
    line
        Symbols, shape (n_steps,).
    form
        As it came out: repeats that could not be are variations.
    rules
        What was asked, with the cadences.
    said
        What could not be as the form has it, in words.
    log_probability
        Of the line under the lattice of those rules, the form left aside; in nats.
    steered
        What the last draw from another decoder says of itself; none if the chain has drawn all.
    """

    line: _Line
    form: Form
    rules: tuple[Rule, ...]
    said: tuple[str, ...]
    log_probability: float
    steered: Steered | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A lawful line, of which some sections are settled: ``is_open[t, a]`` is whether symbol a may still come at t."""

    line: _Line
    is_open: _Open


def draw_forms(
    potentials: Sequence[LinePotentials],
    moments: Sequence[Moment],
    rules: Sequence[Rule],
    form: Form,
    starts: NDArray[np.int64],
    rng: np.random.Generator,
    steer: Sequence[Steer] | None = None,
) -> Iterator[FormedLine]:
    """Draw lines in sections, one for each of several potentials.

    Parameters
    ----------
    potentials
        Of takes of one request: the same symbols are impossible in all.
    moments, rules
        The request; see the module for the law.
    form
        Its sections.
    starts
        First step of each bar, and the end; shape (n_bars + 1,).
    rng
        Source of chance.
    steer
        For each of the potentials what draws a line from another decoder under a plan, if that can be: the first line,
        and in the end all that is neither repeated nor varied.

    Raises
    ------
    InfeasibleError
        If the rules leave no line, whatever the form.
    """
    plan, said = with_cadences(potentials[0], moments, rules, form)
    for number, one in enumerate(potentials):
        own = None if steer is None else steer[number]
        made = _drawn_once(with_potentials(plan, one), list(rules), said, form, starts, rng, own)
        lost = _lost(form, made.form)
        if lost:  # notes that come back count for more than a cadence as a law
            eased_plan, words = with_cadences(one, moments, rules, form, eased=frozenset(lost))
            eased = _drawn_once(eased_plan, list(rules), words, form, starts, rng, own)
            made = eased if len(_lost(form, eased.form)) < len(lost) else made
        yield made


def _drawn_once(
    plan: LinePlan,
    rules: list[Rule],
    said: tuple[str, ...],
    form: Form,
    starts: NDArray[np.int64],
    rng: np.random.Generator,
    steer: Steer | None,
) -> FormedLine:
    closed = plan
    plan, draft = _first_draft(plan, rules, form, starts, rng)
    if plan.rules != closed.rules:
        said = ("no cadences at the ends of phrases: no line with them was found under the rules",)
    drawing = _Drawing(plan, starts, rng)
    draft, _ = _steered(plan, draft, draft.is_open, steer)
    open_before = draft.is_open
    for number in range(len(form.sections)):
        if form.sections[number].like is None:
            form, draft, more = drawing.settle(form, number, draft)
            said = (*said, *more)
    draft, made = _steered(plan, draft, drawing.with_singles_open(form, draft, open_before), steer)
    log_chance = log_probability(plan.lattice, log_backward(plan.lattice), draft.line)
    return FormedLine(draft.line, form, plan.rules, said, log_chance, made)


def _steered(plan: LinePlan, draft: _Draft, is_open: _Open, steer: Steer | None) -> tuple[_Draft, Steered | None]:
    """Return a draft with a line from another decoder at what is open, if there is one."""
    if steer is None:
        return draft, None
    made = steer(replace(narrowed(plan, is_open), potentials=plan.potentials))
    return (draft, None) if made is None else (replace(draft, line=made.line), made)


def _lost(asked: Form, made: Form) -> list[int]:
    """Return, for each section that did not come back, which one it was."""
    pairs = zip(asked.sections, made.sections, strict=True)
    return [before.like for before, after in pairs if before.like is not None and after.like is None]


def with_cadences(
    potentials: LinePotentials,
    moments: Sequence[Moment],
    rules: Sequence[Rule],
    form: Form,
    *,
    eased: frozenset[int] = frozenset(),
) -> tuple[LinePlan, tuple[str, ...]]:
    """Plan a request with a cadence at the end of each section; say which ones are mere preferences.

    A cadence is a law where the rules leave room for it, one kind of it in all places of a letter. Where the rules ask
    for one of their own, that stands alone. ``eased`` are sections whose cadences are to be preferences.
    """
    wanted = _wanted_cadences(rules, form)
    if not eased:
        usual = [*rules, *(cadence for options in wanted.values() for cadence in options[0])]
        plan = plan_line(potentials, moments, usual)
        if plan.is_possible and not any(rule.is_law for rule in plan.judged):
            return plan, ()
    closed, said = list(rules), []
    for number, options in wanted.items():
        tried = iter(() if number in eased else options)
        found = next((some for some in tried if _is_surely_possible(potentials, moments, [*closed, *some])), None)
        if found is None:
            found = [replace(cadence, cost=_CADENCE_COST) for cadence in options[0]]
            bars = ", ".join(str(cadence.bar) for cadence in found)
            where = f"bar{'s' * (len(found) > 1)} {bars}"
            said.append(f"{where}: a cadence is preferred only: the rules leave no room for it as a law")
        closed += found
    return plan_line(potentials, moments, closed), tuple(said)


def _wanted_cadences(rules: Sequence[Rule], form: Form) -> dict[int, list[list[Cadence]]]:
    """Return for each section with notes of its own the cadences of all its places, by kind."""
    own = {rule.bar for rule in rules if isinstance(rule, Cadence)}
    wanted = {}
    for number, section in enumerate(form.sections):
        places = [s for i, s in enumerate(form.sections) if number in (i, s.like) and s.end not in own]
        if section.like is None and places:
            kinds = _CADENCES[form.closes(number)]
            wanted[number] = [[Cadence(place.end, kind) for place in places] for kind in kinds]
    return wanted


def _is_surely_possible(potentials: LinePotentials, moments: Sequence[Moment], rules: Sequence[Rule]) -> bool:
    try:
        return is_possible(potentials, moments, [rule for rule in rules if rule.is_law])
    except TooMuchToRememberError:
        return False


def _first_draft(
    plan: LinePlan, rules: list[Rule], form: Form, starts: NDArray[np.int64], rng: np.random.Generator
) -> tuple[LinePlan, _Draft]:
    """Return a plan that a line is found for, with the cadences if it can be, and the line.

    No note is held into a section, if that can be.
    """
    is_open = np.ones(plan.potentials.step.shape, dtype=np.bool_)
    is_open[[int(starts[section.first]) for section in form.sections], HOLD] = False
    line = _line_of(narrowed(plan, is_open), rng)
    if line is not None:
        return plan, _Draft(line, is_open)
    bare = plan_line(plan.potentials, plan.moments, rules)
    line = _line_of(narrowed(bare, is_open), rng)
    if line is not None:
        return bare, _Draft(line, is_open)
    try:
        return plan, _Draft(draw_line(plan, rng), np.ones_like(is_open))
    except (InfeasibleError, RequestError):
        return bare, _Draft(draw_line(bare, rng), np.ones_like(is_open))


def _line_of(plan: LinePlan, rng: np.random.Generator) -> _Line | None:
    """Draw a line as :func:`symgen.decode.draw.try_line` does, in one sum where the lattice holds all the rules."""
    if plan.judged or plan.ties or not all(rule.has_place(plan.moments) for rule in plan.rules if rule.is_law):
        return try_line(plan, rng)
    table = log_backward(plan.lattice)
    if np.isneginf(table[0, 0]):
        return None
    line: _Line = lines_at(plan.lattice, table, rng.random((plan.lattice.n_steps, 1)))[0]
    return line


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What settles one section after the other."""

    plan: LinePlan
    starts: NDArray[np.int64]
    rng: np.random.Generator

    def settle(self, form: Form, number: int, draft: _Draft) -> tuple[Form, _Draft, tuple[str, ...]]:
        """Give a section with notes of its own, and all its repeats, the notes that they keep."""
        said: list[str] = []
        while True:
            repeats = [i for i, section in enumerate(form.sections) if section.like == number]
            found, note = self._found(form, number, repeats, draft)
            if found is not None or not repeats:
                said += note
                return form, found or self._fixed(draft, form, number, [], draft.line), tuple(said)
            base, last = form.sections[number], form.sections[repeats[-1]]
            said.append(f"{last.bars} vary {base.bars} ({last.name}): the rules let no notes of theirs come back there")
            form = form.varied(repeats[-1])

    def with_singles_open(self, form: Form, draft: _Draft, before: _Open) -> _Open:
        """Return what is open if the sections that are neither repeated nor varied are, as they were before."""
        is_open = draft.is_open.copy()
        for number, section in enumerate(form.sections):
            is_own = section.like is None and section.varies is None
            if is_own and not any(number in (other.like, other.varies) for other in form.sections):
                span = self._span(section)
                is_open[span.start : span.stop] = before[span.start : span.stop]
        return is_open

    def _found(
        self, form: Form, number: int, repeats: list[int], draft: _Draft
    ) -> tuple[_Draft | None, tuple[str, ...]]:
        section = form.sections[number]
        if section.varies is None:
            return self._among(form, number, repeats, draft, draft.is_open, None, first=draft.line), ()
        base = form.sections[section.varies]
        bonus = self._bonus(base, section, draft.line)
        opening = self._with_opening(base, section, draft)
        for is_open in (opening, draft.is_open):
            found = self._among(form, number, repeats, draft, is_open, bonus, first=None)
            if found is not None:
                freer = f"{section.bars} ({section.name}) do not open like {base.bars}: the rules leave no room for it"
                return found, () if is_open is opening else (freer,)
        same = f"{section.bars} ({section.name}): no variation was found under the rules"
        return None, () if repeats else (same,)

    def _among(
        self,
        form: Form,
        number: int,
        repeats: list[int],
        draft: _Draft,
        is_open: _Open,
        bonus: NDArray[np.float64] | None,
        *,
        first: _Line | None,
    ) -> _Draft | None:
        """Return the first of many draws whose notes can stand in all places of a section, and open its variations."""
        spare: _Draft | None = None
        for line in self._lines(self._candidates(form, number, repeats, is_open), bonus, first):
            if self._is_copy(form, number, line):
                continue
            fixed = self._fixed(replace(draft, line=line), form, number, repeats, line)
            opened = self._opened(fixed, form, number, line)
            found = self._completed(opened)
            if found is not None:
                return found
            if opened is not fixed and spare is None:
                spare = self._completed(fixed)
        if spare is not None:
            return spare
        return self._tied(form, number, repeats, draft, is_open, bonus) if len(repeats) == 1 else None

    def _completed(self, draft: _Draft) -> _Draft | None:
        """Return a draft with a line drawn given all that is settled in it, if there is one."""
        line = _line_of(narrowed(self.plan, draft.is_open), self.rng)
        return None if line is None else replace(draft, line=line)

    def _opened(self, draft: _Draft, form: Form, number: int, line: _Line) -> _Draft:
        """Return a draft in which the variations of a section open as it does."""
        variations = [section for section in form.sections if section.varies == number]
        if not variations:
            return draft
        is_open, start = draft.is_open.copy(), self._span(form.sections[number]).start
        for section in variations:
            first, end = int(self.starts[section.first]), int(self.starts[section.first + section.opening_bars])
            is_open[first:end] = False
            is_open[np.arange(first, end), line[start : start + end - first]] = True
        return replace(draft, is_open=is_open)

    def _lines(self, is_open: _Open, bonus: NDArray[np.float64] | None, first: _Line | None) -> Iterator[_Line]:
        """Yield a line, and draws from what is open; hardly any where each has to be accepted by other rules too."""
        if first is not None:
            yield first
        plan = narrowed(self.plan, is_open, bonus)
        if not plan.is_possible:
            return
        if plan.judged or plan.ties:
            for _ in range(_N_HARD_TRIES):
                line = try_line(plan, self.rng)
                if line is None:
                    return
                yield line
            return
        table = log_backward(plan.lattice)
        for _ in range(_N_TRIES // _N_AT_ONCE):
            yield from lines_at(plan.lattice, table, self.rng.random((plan.lattice.n_steps, _N_AT_ONCE)))

    def _tied(
        self,
        form: Form,
        number: int,
        repeats: list[int],
        draft: _Draft,
        is_open: _Open,
        bonus: NDArray[np.float64] | None,
    ) -> _Draft | None:
        """Return what the lattice draws where the section and its repeat are tied, if it can and there is a line."""
        spans = [self._span(form.sections[i]) for i in (number, *repeats)]
        tie = Tie(spans[0].start, spans[1].start, len(spans[0]))
        plan = narrowed(self.plan, self._candidates(form, number, repeats, is_open), bonus)
        try:
            plan = replace(plan, ties=(*plan.ties, tie), sums=TiedSums.of(plan.lattice, (*plan.ties, tie)))
        except RequestError:
            return None
        line = try_line(plan, self.rng)
        if line is None or self._is_copy(form, number, line):
            return None
        return self._fixed(replace(draft, line=line), form, number, repeats, line)

    def _candidates(self, form: Form, number: int, repeats: list[int], is_open: _Open) -> _Open:
        """Return what is open, less the symbols of a section that are closed at one of its repeats."""
        log_symbol = self.plan.lattice.log_symbol
        narrowed, source = is_open.copy(), self._span(form.sections[number])
        places = [self._span(form.sections[i]) for i in repeats]
        for place in places:
            here = slice(place.start, place.stop)
            narrowed[source.start : source.stop] &= is_open[here] & ~np.isneginf(log_symbol[here])
        if repeats:
            narrowed[[span.start for span in (source, *places)], HOLD] = False
        return narrowed

    def _fixed(self, draft: _Draft, form: Form, number: int, repeats: Sequence[int], line: _Line) -> _Draft:
        """Return a draft in which nothing but the notes of a line is open in a section and its repeats."""
        is_open, source = draft.is_open.copy(), self._span(form.sections[number])
        for i in (number, *repeats):
            span = self._span(form.sections[i])
            is_open[span.start : span.stop] = False
            is_open[np.arange(span.start, span.stop), line[source.start : source.stop]] = True
        return replace(draft, is_open=is_open)

    def _is_copy(self, form: Form, number: int, line: _Line) -> bool:
        """Whether a variation has the notes of another section of its letter that is settled."""
        section = form.sections[number]
        if section.varies is None:
            return False
        own = self._of(section, line)
        relatives = (other for other in form.sections[:number] if other.letter == section.letter)
        return any(np.array_equal(own, self._of(other, line)) for other in relatives)

    def _bonus(self, base: Section, section: Section, line: _Line) -> NDArray[np.float64]:
        """Return nats for doing in a section what another does, shape (n_steps, n_symbols)."""
        bonus = np.zeros_like(self.plan.potentials.step)
        span, given = self._span(section), self._of(base, line)
        symbols = np.arange(bonus.shape[1])
        for step, symbol in zip(span, given.tolist(), strict=True):
            if symbol < N_SPECIAL:
                bonus[step, symbol] = _SAME_RHYTHM
            else:
                bonus[step, N_SPECIAL:] = (_SAME_RHYTHM - _PER_SEMITONE * abs(symbols - symbol))[N_SPECIAL:]
                bonus[step, symbol] -= _SAME_PITCH
        return bonus

    def _with_opening(self, base: Section, section: Section, draft: _Draft) -> _Open:
        """Return what is open if a section opens like another, its first step struck anew."""
        is_open, span = draft.is_open.copy(), self._span(section)
        size = int(self.starts[section.first + section.opening_bars]) - span.start
        opening = self._of(base, draft.line)[:size]
        is_open[span.start : span.start + size] = False
        is_open[np.arange(span.start, span.start + size), opening] = True
        return is_open

    def _span(self, section: Section) -> range:
        first, end = self.starts[[section.first, section.end]].tolist()
        return range(first, end)

    def _of(self, section: Section, line: _Line) -> _Line:
        span = self._span(section)
        return line[span.start : span.stop]
