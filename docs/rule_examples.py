"""For each rule two bars of music that break it and two that keep it, both drawn by the exact decoders.

The music that breaks a rule has the opposite of it as a law, and the rule itself as a preference, so that it is
broken as seldom as may be. The music that keeps it has the rule as a law, and is drawn near the first: what differs
is what the rule asks for. The audit says where the first breaks it, and that the second does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from operator import or_
from typing import ClassVar, NamedTuple

import numpy as np
from engraving import Drawn, coloured, with_rests
from numpy.typing import NDArray

from symgen.alphabet import HOLD, N_SPECIAL, REST, LineAlphabet
from symgen.decode.chorale import SATB, VoicePotentials, harmonise
from symgen.decode.draw import draw_line
from symgen.decode.plan import plan_line
from symgen.grid import BarMap
from symgen.moments import moments_of
from symgen.pipeline.harmony import chord_changes
from symgen.potentials import LineArcs, LinePotentials
from theory.audit import Violation, audit_line
from theory.key import Key
from theory.meter import Meter
from theory.motion import Pitches, Truth
from theory.progression import Progression
from theory.rules import LineNote, Moment, Not, Rule
from theory.rules.text import parse_rule, rule_name
from theory.rules.voices import Group, VoiceLock, VoiceRanges, VoiceRule, negated
from theory.rules.voicesets import CHORALE, STRICT_COUNTERPOINT, VOICE_RULES
from theory.voiceaudit import audit_voicings

__all__ = ["JOINED", "LINE", "N_BARS", "VOICES", "Example", "LineRow", "Music", "VoiceRow", "example_of"]

N_BARS, STEPS_PER_QUARTER, STEPS_PER_BAR = 2, 2, 8
_USUAL = ("in-key", "chord-tones-on-strong-beats", "range C4 G5", "largest-leap 7", "repeated-notes 1",
          "end-on degrees=1", "no-rests", "note-length 1/2 2")  # fmt: skip
"""The laws that make two bars sound like a melody."""
_SELDOM, _NEAR = 5.0, 4.0
"""Nats: the price of each breach in music that breaks a rule, and the gain of a step that is as in that music."""


_WHITE_KEYS = "Dm13 | %"
"""A chord of all the notes of C major, for voices that keep the key and no chord."""
_TWO_VOICES = ((60, 76), (48, 64))
"""The ranges of voices in counterpoint."""


class LineRow(NamedTuple):
    """How a rule on a line is shown.

    Parameters
    ----------
    rule
        As text.
    without
        Names of usual laws that do not hold here.
    breach
        Laws that come to the opposite of the rule, where that remembers too much for a lattice: what is drawn by
        rejection depends on how the decoder goes about it.
    wrong_with
        Laws of the music that breaks the rule only.
    chords
        Of the two bars.
    marks
        What is red: the notes where the rule is broken, all of such a bar, the highest of all, or none.
    seed
        Of the draws, beside the text.
    """

    rule: str
    without: tuple[str, ...] = ()
    breach: tuple[str, ...] = ()
    wrong_with: tuple[str, ...] = ()
    chords: str = "C F | G C"
    marks: str = "notes"
    seed: int = 0


class VoiceRow(NamedTuple):
    """How a rule for several voices is shown.

    Parameters
    ----------
    rule
        As text.
    bar, beat
        Where it is broken.
    without
        Kinds of rule of the set that do not hold here.
    wrong_with
        Rules, as text, of the music that breaks the rule only.
    chords
        Of the two bars; empty for two voices in counterpoint.
    seed
        Of the draws, beside the text.
    """

    rule: str
    bar: int
    beat: int
    without: tuple[str, ...] = ()
    wrong_with: tuple[str, ...] = ()
    chords: str = "C F | G7 C"
    seed: int = 0


class Music(NamedTuple):
    """Two bars as they are drawn.

    Parameters
    ----------
    staves
        The voices of each staff.
    chords
        Steps and chord symbols.
    """

    staves: tuple[tuple[tuple[Drawn, ...], ...], ...]
    chords: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A rule with music that breaks it and music that keeps it.

    Parameters
    ----------
    rule
        The rule.
    wrong, right
        The music.
    violation
        What the audit says of the first; nothing of the second.
    """

    rule: Rule
    wrong: Music
    right: Music
    violation: Violation


LINE = (
    LineRow("in-key"),
    LineRow("in-chord-scale", without=("in-key",), wrong_with=("in-key",), chords="C D7 | G C"),
    LineRow("chord-tones-on-strong-beats"),
    LineRow("no-avoid-notes", without=("chord-tones-on-strong-beats",)),
    LineRow("non-chord-tones"),
    LineRow("range E4 D5"),
    LineRow("tessitura E4 C5"),
    LineRow("largest-leap 4"),
    LineRow("leap-recovery"),
    LineRow("no-tritone-outline"),
    LineRow("repeated-notes 2"),
    LineRow("density 3 5", marks="bar"),
    LineRow("note-length 1/2 1"),
    LineRow("rhythm x-x-xxx-"),
    LineRow('no-rests "bar ends"'),
    LineRow("start-on degrees=1"),
    LineRow("end-on degrees=1"),
    LineRow("cadence 2 authentic", without=("end-on",)),
    LineRow("contour rising", marks="none"),
    LineRow("pass-through 2 1 B4 1"),
    LineRow("climax-once", marks="highest"),
    LineRow("lock 2 1 D5"),
    LineRow('motif 2 notes="G4:1 F4:1/2 E4:1/2" transposed=yes'),
    LineRow("same-bars 2 1", breach=("lock 1 1 E4", "lock 2 1 C5"), chords="C | C"),
    LineRow('no-quotes melodies="C4 D4 E4 F4" n=3'),
    LineRow('contains "C4 E4 G4"', marks="none"),
)
"""Every rule on a line."""

JOINED = (
    LineRow("largest-leap 4 in bars 2-2"),
    LineRow("largest-leap 4 or end-on degrees=5", without=("end-on",)),
    LineRow("not repeated-notes 1", without=("repeated-notes",), marks="none"),
)
"""Rules made of rules."""

VOICES = (
    VoiceRow("voice-ranges", 2, 1),
    VoiceRow("chord-tones", 2, 1, wrong_with=("voice-lock 1 2 1 A4",)),
    VoiceRow("bass-note", 1, 3),
    VoiceRow("complete-chords", 1, 3),
    VoiceRow("no-doubled-leading-tone", 2, 1),
    VoiceRow("no-doubled-third", 1, 3),
    VoiceRow("no-crossing", 1, 3, without=("no-overlap",)),
    VoiceRow("spacing", 1, 3),
    VoiceRow("no-overlap", 1, 3),
    VoiceRow("no-parallel-fifths", 1, 3),
    VoiceRow("no-parallel-octaves", 1, 3),
    VoiceRow("no-hidden-fifths-octaves", 1, 3),
    VoiceRow("leading-tone-resolves", 2, 3),
    VoiceRow("seventh-resolves", 2, 3),
    VoiceRow("largest-voice-leap 7 4", 1, 3),
    VoiceRow("no-awkward-leaps", 2, 1),
    VoiceRow("consonant-strong-beats", 1, 3, chords=""),
    VoiceRow("dissonances-by-step", 1, 3, chords=""),
    VoiceRow("voice-lock 0 2 1 D5", 2, 1),
)
"""Every rule for several voices."""


_CLOSE = tuple(VoiceLock(voice, 2, Fraction(beat), 72 - 12 * voice) for voice in (0, 1) for beat in (3, 4))
"""Two voices end on the tonic."""


def example_of(row: LineRow | VoiceRow) -> Example:
    """Draw the music of a row, and have it judged."""
    return _line_example(row) if isinstance(row, LineRow) else _voice_example(row)


def _moments(chords: str, meter: Meter = Meter()) -> list[Moment]:  # noqa: B008
    bars = BarMap.build([(0, meter)], steps_per_quarter=STEPS_PER_QUARTER, end_steps=N_BARS * STEPS_PER_BAR)
    return moments_of(bars, Key.parse("C"), chord_changes(Progression.parse(chords), bars))


def _symbols(moments: Sequence[Moment]) -> tuple[tuple[int, str], ...]:
    """Return the steps where a chord starts or a bar does, and the chords."""
    now = [moment.chord for moment in moments]
    changes = [step for step in range(len(now)) if step == 0 or now[step] != now[step - 1]]
    return tuple((step, str(now[step])) for step in changes)


# A line


def _line_example(row: LineRow) -> Example:
    rule = parse_rule(row.rule)
    law, moments = replace(rule, cost=math.inf), _moments(row.chords)
    usual = [parse_rule(text) for text in _USUAL if text.split()[0] not in (*row.without, row.rule.split()[0])]
    opposite = list(map(parse_rule, row.breach)) or [Not(law), replace(law, cost=_SELDOM)]
    weights = _weights(_rng(row))
    wrong = _drawn(weights, moments, [*usual, *opposite, *map(parse_rule, row.wrong_with)], row)
    right = _drawn(_near(weights, wrong), moments, [*usual, law], row)
    lines = [_notes(weights, line) for line in (wrong, right)]
    found, after = (audit_line(notes, moments, [rule]) for notes in lines)
    assert found, f"{row.rule}: the music that should break it keeps it"
    assert not after, f"{row.rule}: the music that should keep it: {after[0]}"
    steps = {step for violation in found for step in _marked(row.marks, lines[0], moments, violation.moment)}
    first, second = (_as_music(notes, moments, red) for notes, red in zip(lines, (steps, set[int]()), strict=True))
    return Example(rule, first, second, found[0])


def _rng(row: LineRow | VoiceRow) -> np.random.Generator:
    """Return the same source of chance for each draw of a row, whatever other rows there are."""
    return np.random.default_rng([row.seed, *row.rule.encode()])


def _weights(rng: np.random.Generator) -> LinePotentials:
    """Return weights that prefer quarter notes and a few eighths, and small steps."""
    alphabet = LineAlphabet(57, 81)
    step = rng.normal(0, 0.7, (N_BARS * STEPS_PER_BAR, alphabet.n_symbols))
    step[1::2, HOLD] += 3.5
    step[4::8, HOLD] -= 4.0
    step[:, REST] -= 4.0
    pitch = np.arange(alphabet.n_pitches)
    arcs = -0.3 * np.abs(pitch[:, None] - pitch) - 1.0 * np.eye(alphabet.n_pitches)
    step[:, N_SPECIAL:] -= 0.03 * (pitch - 12.0) ** 2
    return LinePotentials(alphabet, step, LineArcs(arcs, np.zeros(alphabet.n_pitches)))


def _near(weights: LinePotentials, line: NDArray[np.int64]) -> LinePotentials:
    """Return weights that also prefer what a line does."""
    step = weights.step.copy()
    step[np.arange(len(line)), line] += _NEAR
    return replace(weights, step=step)


def _drawn(weights: LinePotentials, moments: list[Moment], rules: list[Rule], row: LineRow) -> NDArray[np.int64]:
    return draw_line(plan_line(weights, moments, rules), _rng(row))


def _notes(weights: LinePotentials, line: NDArray[np.int64]) -> list[LineNote]:
    return [LineNote(n.onset_steps, n.end_steps, n.pitch) for n in weights.alphabet.decode(line)]


def _marked(marks: str, notes: Sequence[LineNote], moments: Sequence[Moment], moment: Moment) -> Iterator[int]:
    """Yield the steps whose notes are red for a violation."""
    if marks == "notes":
        yield moments.index(moment)
    elif marks == "highest":
        highest = max(note.pitch for note in notes)
        yield from (note.onset for note in notes if note.pitch == highest)
    elif marks == "bar":
        yield from (step for step, other in enumerate(moments) if other.bar == moment.bar)


def _as_music(notes: Sequence[LineNote], moments: Sequence[Moment], red: set[int]) -> Music:
    voice = coloured(with_rests([Drawn(*note) for note in notes], N_BARS * STEPS_PER_BAR), red)
    return Music(((tuple(voice),),), _symbols(moments))


# Several voices


_ANYTHING = VoiceRule()


@dataclass(frozen=True)
class BrokenAt(VoiceRule):
    """The opposite of a rule for several voices at one place: some group of voices breaks it there.

    Parameters
    ----------
    rule
        What is broken.
    bar, beat
        Where, not at the beginning of the piece.
    """

    elementwise: ClassVar[bool] = True
    rule: VoiceRule = _ANYTHING
    bar: int = 1
    beat: Fraction = Fraction(1)

    def permits_motion(
        self, before: Sequence[Pitches], after: Sequence[Pitches], moment_before: Moment, moment: Moment, group: Group
    ) -> Truth:
        """Whether this is another place, or some group breaks the rule."""
        if (moment.bar, moment.beat) != (self.bar, self.beat):
            return True
        groups = self.rule.groups(group.n_voices)
        return reduce(or_, (_is_broken(self.rule, before, after, moment_before, moment, one) for one in groups))


def _is_broken(
    rule: VoiceRule,
    before: Sequence[Pitches],
    after: Sequence[Pitches],
    moment_before: Moment,
    moment: Moment,
    group: Group,
) -> Truth:
    """Whether a group breaks a rule at a moment or on the way to it; elementwise for arrays."""
    was, now = ([pitches[voice] for voice in group.voices] for pitches in (before, after))
    voicing = rule.permits_voicing(now, moment, group)
    motion = rule.permits_motion(was, now, moment_before, moment, group)
    return negated(voicing) | negated(motion)


def _voice_example(row: VoiceRow) -> Example:
    rule, moments = _voice_rule(row.rule), _slots(row.chords)
    held = [law for law in _set_of(row) if type(law) is not type(rule) and rule_name(type(law)) not in row.without]
    opposite = [BrokenAt(rule=rule, bar=row.bar, beat=Fraction(row.beat)), replace(rule, cost=_SELDOM)]
    ranges = [(low - 4, high + 4) for low, high in _ranges(row)]
    weights = _voice_weights(len(moments), len(ranges))
    laws = [*held, *opposite, *map(_voice_rule, row.wrong_with)]
    wrong = harmonise(moments, laws, _rng(row), potentials=weights, ranges=ranges)[0]
    near = _near_voices(weights, wrong)
    right = harmonise(moments, [*held, rule], _rng(row), potentials=near, ranges=ranges)[0]
    found, after = (audit_voicings(voicings.tolist(), moments, [rule]) for voicings in (wrong, right))
    assert found, f"{row.rule}: the music that should break it keeps it"
    assert not after, f"{row.rule}: the music that should keep it: {after[0]}"
    red = _red(rule, wrong, moments)
    return Example(rule, _voices_as_music(wrong, row, red), _voices_as_music(right, row, set()), found[0])


def _voice_rule(text: str) -> VoiceRule:
    rule = parse_rule(text, VOICE_RULES)
    assert isinstance(rule, VoiceRule)
    return rule


def _ranges(row: VoiceRow) -> tuple[tuple[int, int], ...]:
    return SATB if row.chords else _TWO_VOICES


def _set_of(row: VoiceRow) -> tuple[VoiceRule, ...]:
    """Return the laws that make the voices sound like music."""
    return CHORALE if row.chords else (*STRICT_COUNTERPOINT, VoiceRanges(_TWO_VOICES), *_CLOSE)


def _slots(chords: str) -> list[Moment]:
    """Return two moments a bar for chords; without them four, with all the notes of the key."""
    n_steps = 4 if chords else 2
    return [moment._replace(quarters=Fraction(n_steps, 2)) for moment in _moments(chords or _WHITE_KEYS)[::n_steps]]


def _voice_weights(n_slots: int, n_voices: int) -> VoicePotentials:
    """Return weights that prefer small movement to leaps and, between two voices, to none."""
    smooth = VoicePotentials.smooth(n_slots, n_voices)
    still = 3.0 if n_voices == len(_TWO_VOICES) else 0.0
    return replace(smooth, log_step=smooth.log_step - still * np.eye(smooth.log_step.shape[1]))


def _near_voices(weights: VoicePotentials, voicings: NDArray[np.int64]) -> VoicePotentials:
    """Return weights that also prefer some voicings."""
    log_pitch = weights.log_pitch.copy()
    slots, voices = np.indices(voicings.shape)
    log_pitch[slots, voices, voicings] += _NEAR
    return replace(weights, log_pitch=log_pitch)


def _red(rule: VoiceRule, voicings: NDArray[np.int64], moments: Sequence[Moment]) -> set[tuple[int, int]]:
    """Return slots and voices that break a rule; where the motion does, both ends of it."""
    red = set()
    for slot in range(1, len(moments)):
        was, now = voicings[slot - 1].tolist(), voicings[slot].tolist()
        for group in rule.groups(len(now)):
            if _is_broken(rule, was, now, moments[slot - 1], moments[slot], group):
                in_place = not rule.permits_voicing([now[voice] for voice in group.voices], moments[slot], group)
                red |= {(at, voice) for at in range(slot - (not in_place), slot + 1) for voice in group.voices}
    return red


def _voices_as_music(voicings: NDArray[np.int64], row: VoiceRow, red: set[tuple[int, int]]) -> Music:
    """Return voices on two staves; in counterpoint what is repeated is held."""
    n_slots, n_voices = voicings.shape
    n_steps = N_BARS * STEPS_PER_BAR // n_slots
    voices = []
    for voice in range(n_voices):
        drawn: list[Drawn] = []
        for slot, pitch in enumerate(voicings[:, voice].tolist()):
            is_red = (slot, voice) in red
            if not row.chords and drawn and drawn[-1].pitch == pitch:
                drawn[-1] = drawn[-1]._replace(end=(slot + 1) * n_steps, is_red=drawn[-1].is_red or is_red)
            else:
                drawn.append(Drawn(slot * n_steps, (slot + 1) * n_steps, pitch, is_red))
        voices.append(tuple(drawn))
    upper = n_voices // 2
    return Music((tuple(voices[:upper]), tuple(voices[upper:])), _symbols(_moments(row.chords)) if row.chords else ())
