"""Voices that move together: a voicing is the symbol, and everything about it is exact.

A chord is given for each *slot* (a beat, or as long as a chord lasts). Its candidates are the voicings from the
chord's notes in the ranges of the voices; laws on a voicing thin them out, laws and preferences on motion weigh
the moves from slot to slot, and the whole is a :class:`~symgen.decode.trellis.Trellis`. A given voice, such as a
melody to be harmonised, is a row of locks (:func:`theory.rules.voices.locks_of`).

Voice 0 is the highest. Voicings are arrays of MIDI pitches, shape (slots, voices).

>>> from fractions import Fraction
>>> from theory.chord import Chord
>>> from theory.key import Key
>>> from theory.rules.voicesets import CHORALE
>>> c_major, chords = Key.parse("C"), ["C", "F", "G7", "C"]
>>> moments = [Moment(1, Fraction(i + 1), 2, c_major, Chord.parse(c)) for i, c in enumerate(chords)]
>>> chorale = compile_chorale(moments, [*CHORALE, *locks_of(0, [72, 72, 71, 72], moments)])
>>> chorale.best()[:, 0].tolist(), chorale.best()[:, -1].tolist()
([72, 72, 71, 72], [48, 53, 55, 60])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from symgen.decode import trellis as tr
from symgen.decode.blame import irreducible, quarrel
from symgen.decode.trellis import Factor, Trellis
from symgen.errors import InfeasibleError, RequestError
from theory.instruments import instrument_named
from theory.rules.base import Moment
from theory.rules.voices import Group, VoiceLock, VoiceRule, locks_of

__all__ = ["SATB", "Chorale", "VoicePotentials", "compile_chorale", "explain_chorale", "harmonise", "locks_of"]

SATB = tuple(instrument_named(name).range for name in ("soprano", "alto", "tenor", "bass"))
"""Lowest and highest pitch of each voice of a choir, from the top down."""

MAX_VOICES = 8
MAX_CANDIDATES = 20_000
"""Voicings of one slot that are left after the laws; beyond it a request is refused."""
_MAX_PRODUCT = 4_000_000
_N_PITCHES = 128

_Array = NDArray[np.float64]
_Index = NDArray[np.int64]
_Pitches = tuple[tuple[_Index, ...], ...]  # [slot][voice] -> the pitches a voice may have there


@dataclass(frozen=True, slots=True)
class VoicePotentials:
    """What is preferred before any rule.

    Parameters
    ----------
    log_pitch
        ``log_pitch[t, v, p]``: voice v sounds pitch p in slot t; shape (slots, voices, 128).
    log_step
        ``log_step[v, p, q]``: voice v moves from p to q; shape (voices, 128, 128).
    """

    log_pitch: _Array
    log_step: _Array

    def __post_init__(self) -> None:
        n_voices = self.log_pitch.shape[1]
        assert self.log_pitch.shape[2:] == (_N_PITCHES,)
        assert self.log_step.shape == (n_voices, _N_PITCHES, _N_PITCHES)

    @classmethod
    def smooth(cls, n_slots: int, n_voices: int = 4, nats_per_semitone: float = 0.3) -> VoicePotentials:
        """Return potentials that prefer small movement; the lowest voice pays half as much for its leaps."""
        pitch = np.arange(_N_PITCHES)
        distance = np.abs(pitch[:, None] - pitch)
        price = np.full(n_voices, nats_per_semitone)
        price[-1] /= 2
        return cls(np.zeros((n_slots, n_voices, _N_PITCHES)), -price[:, None, None] * distance)

    @property
    def n_voices(self) -> int:
        """How many voices there are."""
        return int(self.log_pitch.shape[1])

    def part(self, slots: slice) -> VoicePotentials:
        """Return the potentials of some slots."""
        return VoicePotentials(self.log_pitch[slots], self.log_step)


@dataclass(frozen=True, slots=True)
class Chorale:
    """The law of all voicings of a row of chords.

    Parameters
    ----------
    candidates
        Voicings of each slot, shape (candidates, voices) each, in lexicographic order.
    trellis
        Their weights.
    """

    candidates: tuple[_Index, ...]
    trellis: Trellis

    def voicings(self, paths: _Index) -> _Index:
        """Return the pitches of paths: shape (..., slots) to (..., slots, voices)."""
        return np.stack([row[paths[..., slot]] for slot, row in enumerate(self.candidates)], axis=-2)

    def path_of(self, voicings: _Index) -> _Index | None:
        """Return the candidates that a row of voicings takes, shape (slots,); ``None`` if it is not among them."""
        found = [
            np.flatnonzero((row == voicing).all(axis=1)) for row, voicing in zip(self.candidates, voicings, strict=True)
        ]
        return np.concatenate(found) if all(len(place) for place in found) else None

    def sample(self, rng: np.random.Generator, n: int = 1) -> _Index:
        """Draw n rows of voicings, shape (n, slots, voices)."""
        return self.voicings(tr.sample_paths(self.trellis, tr.log_backward(self.trellis), rng, n))

    def best(self) -> _Index:
        """Return the heaviest row of voicings, shape (slots, voices)."""
        return self.voicings(tr.best_path(self.trellis)[0])

    def log_probability(self, voicings: _Index) -> float:
        """Return the log-probability of a row of voicings; ``-inf`` if it is impossible."""
        path = self.path_of(voicings)
        if path is None:
            return -np.inf
        return tr.log_weight_of(self.trellis, path) - tr.log_total(self.trellis, tr.log_backward(self.trellis))

    def pitch_marginals(self) -> _Array:
        """Return the posterior of each pitch, shape (slots, voices, 128)."""
        posterior = tr.marginals(self.trellis, tr.log_backward(self.trellis))
        table = np.zeros((len(posterior), self.candidates[0].shape[1], _N_PITCHES))
        for slot, (row, share) in enumerate(zip(self.candidates, posterior, strict=True)):
            for voice, pitches in enumerate(row.T):
                table[slot, voice] = np.bincount(pitches, weights=share, minlength=_N_PITCHES)
        return table


def harmonise(
    moments: Sequence[Moment],
    rules: Sequence[VoiceRule],
    rng: np.random.Generator,
    n: int = 1,
    *,
    potentials: VoicePotentials | None = None,
    ranges: Sequence[tuple[int, int]] = SATB,
) -> _Index:
    """Draw voicings for a row of chords.

    Parameters
    ----------
    moments
        One for each slot, with its chord, and its key where rules ask for one.
    rules
        What must hold, and what is preferred.
    rng
        Source of chance.
    n
        How many rows to draw.
    potentials
        What is preferred besides; small movement if left out.
    ranges
        Lowest and highest pitch of each voice, from the top down.

    Returns
    -------
    ndarray of shape (n, slots, voices)
        MIDI pitches.

    Raises
    ------
    RequestError
        If a slot has no chord, or too many voicings.
    InfeasibleError
        If nothing keeps all laws.
    """
    chorale = compile_chorale(moments, rules, potentials=potentials, ranges=ranges)
    if tr.first_impossible_slot(chorale.trellis) is not None:
        raise explain_chorale(moments, rules, potentials=potentials, ranges=ranges)
    return chorale.sample(rng, n)


def compile_chorale(
    moments: Sequence[Moment],
    rules: Sequence[VoiceRule],
    *,
    potentials: VoicePotentials | None = None,
    ranges: Sequence[tuple[int, int]] = SATB,
) -> Chorale:
    """Return the law of the voicings of a row of chords; see :func:`harmonise` for the parameters."""
    potentials = _checked(moments, potentials, ranges)
    return _compile(moments, _alphabet(moments, rules, ranges), rules, potentials, is_start=True)


def _checked(
    moments: Sequence[Moment], potentials: VoicePotentials | None, ranges: Sequence[tuple[int, int]]
) -> VoicePotentials:
    """Return the potentials, or the usual ones, of a request that has what it needs."""
    if not 1 <= len(ranges) <= MAX_VOICES or not moments:
        msg = f"chorale: {len(ranges)} voices, {len(moments)} slots: expected 1 to {MAX_VOICES} voices, a slot or more"
        raise RequestError(msg)
    silent = next((m for m in moments if m.chord is None or m.chord.is_none), None)
    if silent is not None:
        msg = f"chorale: {silent}: expected a chord in every slot, found {silent.chord or 'none'}"
        raise RequestError(msg)
    if potentials is None:
        return VoicePotentials.smooth(len(moments), len(ranges))
    if potentials.log_pitch.shape[:2] != (len(moments), len(ranges)):
        found, expected = potentials.log_pitch.shape[:2], (len(moments), len(ranges))
        msg = f"chorale: potentials of {found} slots and voices: expected {expected}"
        raise RequestError(msg)
    return potentials


def _alphabet(moments: Sequence[Moment], rules: Sequence[VoiceRule], ranges: Sequence[tuple[int, int]]) -> _Pitches:
    """Return what each voice may sound in each slot: the notes of the chord in its range, and what it is locked to."""
    locks = [rule for rule in rules if isinstance(rule, VoiceLock)]
    table = []
    for moment in moments:
        here = [lock for lock in locks if lock.is_here(moment)]
        notes = set() if moment.chord is None else moment.chord.pitch_classes
        row = []
        for voice, (low, high) in enumerate(ranges):
            tones = {pitch for pitch in range(low, high + 1) if pitch % 12 in notes}
            row.append(np.array(sorted(tones | {lock.pitch for lock in here if lock.voice == voice}), dtype=np.int64))
        table.append(tuple(row))
    return tuple(table)


def _compile(
    moments: Sequence[Moment],
    alphabet: _Pitches,
    rules: Sequence[VoiceRule],
    potentials: VoicePotentials,
    *,
    is_start: bool,
) -> Chorale:
    """Compile some slots of a request; ``is_start`` says whether the first of them begins the piece."""
    laws = [rule for rule in rules if rule.is_law]
    # What all rules see of a slot, and what its voices may sound: slots that agree in it share their tables.
    seen = [
        (*(rule.sees(moment) for rule in rules), *(options.tobytes() for options in row))
        for moment, row in zip(moments, alphabet, strict=True)
    ]
    by_seen = {key: (moment, row) for key, moment, row in zip(seen, moments, alphabet, strict=True)}
    voicings = {key: _candidates(moment, row, laws) for key, (moment, row) in by_seen.items()}
    candidates = tuple(voicings[key] for key in seen)
    log_slot = [_log_slot(m, c, rules, p) for m, c, p in zip(moments, candidates, potentials.log_pitch, strict=True)]
    if is_start:
        log_slot[0] += _entry_weight(moments[0], candidates[0], rules)
    log_slot[-1] -= sum(rule.cost for rule in rules if not rule.has_place(moments))
    factors = _Factors(rules, potentials)
    between = {
        (before, after): factors.between(voicings[before], voicings[after], by_seen[before][0], by_seen[after][0])
        for before, after in dict.fromkeys(pairwise(seen))
    }
    moves = [between[pair] for pair in pairwise(seen)]
    return Chorale(candidates, Trellis(tuple(log_slot), tuple(moves)))


def _candidates(moment: Moment, pitches: Sequence[_Index], laws: Sequence[VoiceRule]) -> _Index:
    """Return the voicings of a slot that keep the laws, built voice by voice from the top."""
    n_voices = len(pitches)
    judged = [(law, group) for law in _overriding(laws, "permits_voicing") for group in law.groups(n_voices)]
    found = np.zeros((1, 0), dtype=np.int64)
    for voice, options in enumerate(pitches):
        _check_number(len(found) * len(options), _MAX_PRODUCT, moment)
        found = np.hstack([np.repeat(found, len(options), axis=0), np.tile(options, len(found))[:, None]])
        for law, group in judged:
            if group.voices[-1] == voice:
                found = found[_ask_voicing(law, "permits_voicing", found, moment, group)]
    _check_number(len(found), MAX_CANDIDATES, moment)
    return found


def _check_number(number: int, limit: int, moment: Moment) -> None:
    if number > limit:
        msg = f"chorale: {moment}: {number} voicings, expected at most {limit}: narrow the ranges or add a law"
        raise RequestError(msg)


def _overriding(rules: Sequence[VoiceRule], predicate: str) -> list[VoiceRule]:
    """Return the rules that have something to say in a predicate."""
    return [rule for rule in rules if getattr(type(rule), predicate) is not getattr(VoiceRule, predicate)]


def _ask_voicing(rule: VoiceRule, predicate: str, voicings: _Index, moment: Moment, group: Group) -> NDArray[np.bool_]:
    """Ask a predicate on one moment about many voicings."""
    ask = getattr(rule, predicate)
    columns = [voicings[:, voice] for voice in group.voices]
    if rule.elementwise:
        return np.broadcast_to(np.asarray(ask(columns, moment, group), dtype=np.bool_), len(voicings))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return np.array([ask(row, moment, group) for row in rows], dtype=np.bool_)


def _log_slot(moment: Moment, voicings: _Index, rules: Sequence[VoiceRule], log_pitch: _Array) -> _Array:
    """Return the weights of the voicings of a slot; laws are kept already."""
    weight: _Array = log_pitch[np.arange(voicings.shape[1]), voicings].sum(axis=1)
    for rule in _overriding(rules, "permits_voicing"):
        if not rule.is_law:
            weight += _charge(rule, "permits_voicing", moment, voicings)
    return weight


def _entry_weight(moment: Moment, voicings: _Index, rules: Sequence[VoiceRule]) -> _Array:
    weight = np.zeros(len(voicings))
    for rule in _overriding(rules, "permits_entry"):
        weight += _charge(rule, "permits_entry", moment, voicings)
    return weight


def _charge(rule: VoiceRule, predicate: str, moment: Moment, voicings: _Index) -> _Array:
    """Return minus what a rule asks for each voicing."""
    total = np.zeros(len(voicings))
    for group in rule.groups(voicings.shape[1]):
        total -= np.where(_ask_voicing(rule, predicate, voicings, moment, group), 0.0, rule.cost)
    return total


class _Factors:
    """What moves are charged, gathered into one table for each group of voices that some rule judges together."""

    def __init__(self, rules: Sequence[VoiceRule], potentials: VoicePotentials) -> None:
        n_voices = potentials.n_voices
        self._log_step = potentials.log_step
        judged = [(rule, group) for rule in _overriding(rules, "permits_motion") for group in rule.groups(n_voices)]
        wide = sorted({group.voices for _, group in judged if len(group.voices) > 1}, key=lambda g: (len(g), g))
        # What judges a single voice joins the first table that sees it: fewer tables are fewer sums in each move.
        home = {voice: next((g for g in wide if voice in g), (voice,)) for voice in range(n_voices)}
        self._tables = list(dict.fromkeys([*wide, *home.values()]))
        self._voices_at = {g: [voice for voice in home if home[voice] == g] for g in self._tables}
        self._rules_at: dict[tuple[int, ...], list[tuple[VoiceRule, Group]]] = {g: [] for g in self._tables}
        for rule, group in judged:
            place = group.voices if len(group.voices) > 1 else home[group.voices[0]]
            self._rules_at[place].append((rule, group))

    def between(self, before: _Index, after: _Index, moment_before: Moment, moment: Moment) -> tuple[Factor, ...]:
        """Return the factors of the moves between the voicings of two slots."""
        return tuple(self._factor(voices, before, after, moment_before, moment) for voices in self._tables)

    def _factor(
        self, voices: tuple[int, ...], before: _Index, after: _Index, moment_before: Moment, moment: Moment
    ) -> Factor:
        was, feature_before = _distinct(before, voices)
        now, feature_after = _distinct(after, voices)
        table = np.zeros((len(was), len(now)))
        for voice in self._voices_at[voices]:
            column = voices.index(voice)
            table += self._log_step[voice][np.ix_(was[:, column], now[:, column])]
        for rule, group in self._rules_at[voices]:
            columns = [voices.index(voice) for voice in group.voices]
            permitted = _ask_motion(rule, was[:, columns], now[:, columns], moment_before, moment, group)
            if permitted is not True:
                table[~permitted] -= rule.cost
        return Factor(feature_before, feature_after, table)


def _distinct(voicings: _Index, voices: tuple[int, ...]) -> tuple[_Index, _Index]:
    """Return the distinct pitches of some voices, shape (features, voices), and the feature of each voicing."""
    code = reduce(
        lambda total, voice: total * _N_PITCHES + voicings[:, voice], voices, np.zeros(len(voicings), np.int64)
    )
    _, first, feature = np.unique(code, return_index=True, return_inverse=True)
    return voicings[first][:, list(voices)], feature.astype(np.int64)


def _ask_motion(
    rule: VoiceRule, was: _Index, now: _Index, moment_before: Moment, moment: Moment, group: Group
) -> NDArray[np.bool_] | bool:
    """Ask about all motions between two lists of pitches; ``True`` if all are permitted without a look at them."""
    shape = len(was), len(now)
    if not rule.elementwise:
        pairs = ((before, after) for before in was.tolist() for after in now.tolist())
        answers = [bool(rule.permits_motion(b, a, moment_before, moment, group)) for b, a in pairs]
        return np.array(answers, dtype=np.bool_).reshape(shape)
    before = [column[:, None] for column in was.T]
    after = [column[None, :] for column in now.T]
    answer = rule.permits_motion(before, after, moment_before, moment, group)
    return True if answer is True else np.broadcast_to(np.asarray(answer, dtype=np.bool_), shape)


def explain_chorale(
    moments: Sequence[Moment],
    rules: Sequence[VoiceRule],
    *,
    potentials: VoicePotentials | None = None,
    ranges: Sequence[tuple[int, int]] = SATB,
) -> InfeasibleError:
    """Return the error that says why no voicings keep the laws among the rules; see :func:`harmonise`.

    Notes
    -----
    The blame is irreducible: without any one law in it, the others leave at least one row of voicings. It is
    looked for in the fewest slots that are impossible by themselves, ending with the first impossible one.
    """
    request = _Request(tuple(moments), _alphabet(moments, rules, ranges), _checked(moments, potentials, ranges))
    laws = [rule for rule in rules if rule.is_law]
    blame = request.irreducible(request.suspects(laws), slice(0, len(moments)))
    slot = request.first_impossible(blame, slice(0, len(moments)))
    where = moments[len(moments) - 1 if slot is None else slot]
    words = tuple(str(rule) for rule in blame)
    sentence = quarrel(words, "the potentials allow no voicing")
    return InfeasibleError(f"{where}: {sentence} (over {where.chord})", str(where), words)


@dataclass(frozen=True, slots=True)
class _Request:
    """What stays the same while laws are tried out."""

    moments: tuple[Moment, ...]
    alphabet: _Pitches
    potentials: VoicePotentials

    def first_impossible(self, laws: Sequence[VoiceRule], part: slice) -> int | None:
        """Return the first impossible slot of a part, counted from its start."""
        moments, is_start = self.moments[part], part.start == 0
        chorale = _compile(moments, self.alphabet[part], laws, self.potentials.part(part), is_start=is_start)
        return tr.first_impossible_slot(chorale.trellis)

    def irreducible(self, laws: Sequence[VoiceRule], part: slice) -> list[VoiceRule]:
        """Return laws that a part cannot keep together, none of which can be spared."""
        return irreducible(laws, lambda rest: self.first_impossible(rest, part) is not None)

    def suspects(self, laws: Sequence[VoiceRule]) -> list[VoiceRule]:
        """Return laws that are impossible together, as few as can be found by a look at a few slots."""
        missing = [law for law in laws if not law.has_place(self.moments)]
        if missing:
            return missing[:1]
        slot = self.first_impossible(laws, slice(0, len(self.moments)))
        assert slot is not None
        for part in self._parts_up_to(slot):
            here = [law for law in laws if law.has_place(self.moments[part])]
            if self.first_impossible(here, part) is not None:
                return self.irreducible(here, part)
        return list(laws)

    def _parts_up_to(self, slot: int) -> Iterator[slice]:
        for start in range(slot, -1, -1):
            yield slice(start, slot + 1)
