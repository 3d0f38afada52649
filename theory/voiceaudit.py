"""The audit of several voices: which rules finished music breaks together, and where.

As in :mod:`theory.audit`, the rules' own predicates are asked in plain loops, one group of voices and one or two
moments at a time.

>>> from fractions import Fraction
>>> from theory.rules.voiceleading import NoParallelFifths
>>> moments = [Moment(1, Fraction(beat), 2) for beat in (1, 2)]
>>> for violation in audit_voicings([(67, 60), (69, 62)], moments, [NoParallelFifths()]):
...     print(violation)
bar 1 beat 2: G4 C4 to A4 D4 in all voices breaks no parallel fifths
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from theory.audit import LineNote, Violation
from theory.errors import TheoryError
from theory.pitch import pitch_name
from theory.rules.base import Moment
from theory.rules.voices import Group, VoiceRule

__all__ = ["Voicing", "audit_voices", "audit_voicings", "voicings_of"]

Voicing = Sequence[int | None]
"""The pitch of each voice, the highest voice first; ``None`` is silence."""


def audit_voices(
    voices: Sequence[Sequence[LineNote]], moments: Sequence[Moment], rules: Sequence[VoiceRule]
) -> list[Violation]:
    """Return every violation between the voices of a piece.

    Parameters
    ----------
    voices
        The notes of each voice, the highest voice first; no two notes of a voice overlap.
    moments
        One for each step of the piece.
    rules
        What to judge by.

    Returns
    -------
    list of Violation
        As from :func:`audit_voicings`; two notes that sound for three steps are judged three times.
    """
    return audit_voicings(voicings_of(voices, len(moments)), moments, rules)


def voicings_of(voices: Sequence[Sequence[LineNote]], n_steps: int) -> list[list[int | None]]:
    """Return what sounds at each step.

    Raises
    ------
    TheoryError
        If two notes of one voice overlap.
    """
    table: list[list[int | None]] = [[None] * len(voices) for _ in range(n_steps)]
    for voice, notes in enumerate(voices):
        for note in notes:
            for step in range(note.onset, note.end):
                if table[step][voice] is not None:
                    msg = f"voice {voice + 1}, step {step}: {pitch_name(note.pitch)} overlaps another note of its voice"
                    raise TheoryError(msg)
                table[step][voice] = note.pitch
    return table


def audit_voicings(
    voicings: Sequence[Voicing], moments: Sequence[Moment], rules: Sequence[VoiceRule]
) -> list[Violation]:
    """Return every violation in a row of voicings.

    Parameters
    ----------
    voicings
        One for each moment, all of the same number of voices.
    moments
        Where they sound.
    rules
        What to judge by.

    Returns
    -------
    list of Violation
        By rule, then by place. A group of voices is judged at every moment, and at every two moments in a row,
        where all of it sounds.
    """
    if len(voicings) != len(moments) or len({len(voicing) for voicing in voicings}) > 1:
        msg = f"{len(voicings)} voicings for {len(moments)} moments: expected one each, of equal length"
        raise TheoryError(msg)
    found: list[Violation] = []
    for rule in rules:
        for step, moment in enumerate(moments):
            before = voicings[step - 1] if step else None
            for group in rule.groups(len(voicings[step])):
                words = _breaches(rule, group, before, voicings[step], moments[step - 1], moment)
                found += [Violation(rule, moment, f"{what} in {group}") for what in words]
        if moments and not rule.has_place(moments):
            found.append(Violation(rule, moments[-1], "a piece without that place"))
    return found


def _breaches(
    rule: VoiceRule, group: Group, before: Voicing | None, after: Voicing, moment_before: Moment, moment: Moment
) -> Iterator[str]:
    """Yield in words what a group does wrong at a moment; ``moment_before`` means nothing without ``before``."""
    now = _sounding(after, group)
    if now is None:
        return
    if not rule.permits_voicing(now, moment, group):
        yield _names(now)
    was = None if before is None else _sounding(before, group)
    if was is None:
        if not rule.permits_entry(now, moment, group):
            yield f"{_names(now)} out of silence"
    elif not rule.permits_motion(was, now, moment_before, moment, group):
        yield f"{_names(was)} to {_names(now)}"


def _sounding(voicing: Voicing, group: Group) -> list[int] | None:
    """Return the pitches of a group; ``None`` if one of it is silent."""
    pitches = [pitch for voice in group.voices if (pitch := voicing[voice]) is not None]
    return pitches if len(pitches) == len(group.voices) else None


def _names(pitches: Sequence[int]) -> str:
    return " ".join(pitch_name(pitch) for pitch in pitches)
