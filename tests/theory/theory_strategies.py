"""Hypothesis strategies for theory values that have a written form."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from hypothesis import strategies as st

from theory.chord import NO_CHORD, Chord
from theory.errors import ParseError
from theory.key import Key
from theory.meter import Meter
from theory.pitch import Spelling
from theory.progression import ChordSpan, Progression
from theory.scale import SCALES, scale_named

_Read = TypeVar("_Read")

# From F double flat to B double sharp: every name with at most two signs.
spellings = st.builds(Spelling, st.integers(-15, 19))
own_scales = st.frozensets(st.integers(1, 11)).map(
    lambda above: scale_named("{" + ",".join(map(str, sorted({0, *above}))) + "}")
)
keys = st.builds(Key, spellings, st.sampled_from(sorted(SCALES)) | own_scales)

semitone_sets = st.frozensets(st.integers(0, 11)).map(lambda semitones: tuple(sorted(semitones)))
sounding_chords = st.builds(Chord, spellings, semitone_sets, st.none() | spellings)
chords = st.just(NO_CHORD) | sounding_chords
scaled_chords = st.builds(replace, chords, scale=st.none() | st.sampled_from(sorted(SCALES)) | own_scales)


_groups = st.lists(st.integers(1, 9), min_size=1, max_size=7).map(tuple)
_denominators = st.sampled_from([1, 2, 4, 8, 16, 32])
meters = st.builds(Meter, st.integers(1, 64), _denominators) | st.builds(
    lambda groups, denominator: Meter(sum(groups), denominator, groups), _groups, _denominators
)

counts = st.none() | st.builds(Fraction, st.integers(1, 4000), st.sampled_from([1, 2, 3, 4, 7, 10, 1000]))
bars = st.lists(st.builds(ChordSpan, scaled_chords, counts), min_size=1, max_size=4).map(tuple)
_words = st.text(st.characters(exclude_categories=["Cs", "Z", "C"], exclude_characters="[]|"), min_size=1, max_size=5)
section_names = st.sampled_from(["A", "B", "m", "Verse", "Verse 2", "C:2", "%", "x3"]) | st.builds(
    " ".join, st.lists(_words, min_size=1, max_size=2)
).filter(lambda name: not _is_scale_name(name))


def _is_scale_name(name: str) -> bool:
    return not isinstance(read_or_error(scale_named, name), ParseError)


@st.composite
def progressions(draw: st.DrawFn) -> Progression:
    written = tuple(draw(st.lists(bars, min_size=1, max_size=5)))
    starts = sorted(draw(st.sets(st.integers(0, len(written) - 1))))
    return Progression(written, tuple((start, draw(section_names)) for start in starts))


def read_or_error(read: Callable[[str], _Read], text: str) -> _Read | ParseError:
    """Return what a text reads as, or why it does not."""
    try:
        return read(text)
    except ParseError as error:
        return error
