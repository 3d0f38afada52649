"""The alphabet of a line: the way there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgen.alphabet import HOLD, N_SPECIAL, REST, LineAlphabet
from symgen.errors import ScoreError
from symgen.score import Note

ALPHABET = LineAlphabet(60, 66)


@st.composite
def lines(draw, n_steps=12):
    """Symbols of a line in which every hold has a note before it."""
    line, sounding = [], False
    for _ in range(n_steps):
        choices = [REST, *range(N_SPECIAL, ALPHABET.n_symbols), *([HOLD] * 4 if sounding else [])]
        line.append(draw(st.sampled_from(choices)))
        sounding = line[-1] != REST
    return np.array(line)


@given(lines())
def test_decode_then_encode_is_the_identity(line):
    assert (ALPHABET.encode(ALPHABET.decode(line), len(line)) == line).all()


def test_decode_reads_holds_after_nothing_as_rests():
    assert ALPHABET.decode(np.array([HOLD, REST, HOLD, 2, HOLD])) == (Note(3, 2, 60),)


def test_encode_keeps_the_highest_of_notes_that_start_together():
    chord = (Note(0, 4, 60), Note(0, 2, 64), Note(0, 3, 62))
    assert ALPHABET.encode(chord, 5).tolist() == [ALPHABET.symbol(64), HOLD, REST, REST, REST]


def test_encode_cuts_a_note_where_the_next_starts():
    line = ALPHABET.encode((Note(0, 6, 60), Note(2, 1, 61)), 6)
    assert line.tolist() == [2, HOLD, 3, REST, REST, REST]


def test_encode_leaves_out_what_starts_after_the_end():
    assert ALPHABET.encode((Note(0, 9, 60), Note(9, 1, 61)), 3).tolist() == [2, HOLD, HOLD]


def test_pitches_outside_the_range_are_refused():
    with pytest.raises(ScoreError, match="pitch 70: expected 60 to 66"):
        ALPHABET.encode((Note(0, 1, 70),), 2)
    with pytest.raises(ScoreError, match="expected 0 <= low <= high <= 127"):
        LineAlphabet(70, 60)
