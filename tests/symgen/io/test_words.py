"""The words of a score in a file: each comes back as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from score_strategies import TEXTS, all_keys

from symgen.io.words import (
    chord_or_none,
    key_signature,
    microseconds,
    plain_key,
    protected,
    recipe_of,
    recipe_text,
    simplest_bpm,
    unprotected,
)
from theory.key import Key


@given(TEXTS)
def test_a_section_name_comes_back_and_is_no_chord(text: str) -> None:
    assert unprotected(protected(text)) == text
    assert chord_or_none(protected(text)) is None


def test_foreign_brackets_stay() -> None:
    assert [unprotected(text) for text in ("[Intro]", "[", "]", "Verse", "[A]")] == ["[Intro]", "[", "]", "Verse", "A"]


@given(st.integers(60_000, 15_000_000))
def test_every_tempo_of_a_file_is_written_as_it_was(quarter_microseconds: int) -> None:
    bpm = simplest_bpm(quarter_microseconds)
    assert microseconds(bpm) == quarter_microseconds
    assert 4 <= bpm <= 1000


@given(st.integers(40, 10_000))
def test_a_tempo_with_one_decimal_survives(tenths: int) -> None:
    assert simplest_bpm(microseconds(tenths / 10)) == tenths / 10


@given(all_keys())
def test_a_signature_sounds_like_its_key(key: Key) -> None:
    sharps, is_minor = key_signature(key)
    assert abs(sharps) <= 7
    assert (sharps - key.signature) % 12 == 0
    assert is_minor == key.is_minor
    if key.mode in {"major", "minor"}:
        assert plain_key(sharps, is_minor).pitch_classes == key.pitch_classes


@given(st.lists(st.tuples(st.text("abc_", min_size=1), TEXTS), max_size=3))
def test_a_recipe_comes_back(recipe: list[tuple[str, str]]) -> None:
    assert recipe_of(recipe_text(recipe)) == tuple(recipe)


def test_what_is_no_recipe() -> None:
    assert recipe_of("Copyright 1899") is None
    assert recipe_of("@symgenesis a=1") is None
    assert recipe_of("@symgen") == ()
    assert recipe_of("@symgen 'open=1") == ()
    assert recipe_of("@symgen seed=7 stray") == (("seed", "7"),)
