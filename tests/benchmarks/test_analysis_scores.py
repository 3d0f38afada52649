"""The scores of key finding and chord recognition: by hand on songs of a few bars."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks import analysis
from symgen.score import ChordChange, KeyChange, Note, Score, Track
from theory.chord import Chord
from theory.key import Key

_TRIADS = {"C": (48, 64, 67), "F": (53, 65, 69), "G7": (55, 62, 65, 71), "Am": (57, 60, 64)}


def song(symbols: str) -> analysis.Song:
    """Return a song with a chord in each bar, struck whole."""
    notes, chords = [], []
    for bar, symbol in enumerate(symbols.split()):
        notes += [Note(16 * bar, 16, pitch) for pitch in _TRIADS[symbol]]
        chords.append(ChordChange(16 * bar, Chord.parse(symbol)))
    keys = (KeyChange(0, Key.parse("C")), KeyChange(48, Key.parse("Am")))
    return analysis._song(Score(4, (Track("a", tuple(notes)),), keys=keys, chords=tuple(chords)))


_SONG = song("C F G7 Am")


def test_a_song_is_parted_from_its_labels() -> None:
    assert not _SONG.score.keys
    assert not _SONG.score.chords
    assert _SONG.keys == ["C major"] * 48 + ["A minor"] * 16
    assert _SONG.chords == ["C:maj"] * 16 + ["F:maj"] * 16 + ["G:7"] * 16 + ["A:min"] * 16
    assert analysis.main_key(_SONG) == "C major"


@pytest.mark.parametrize(
    ("found", "whole", "by_place"),
    [
        ("C major", (1.0, 1.0), (0.75, 0.75 + 0.25 * 0.3)),
        ("A minor", (0.0, 0.3), (0.25, 0.25 + 0.75 * 0.3)),
        ("G major", (0.0, 0.5), (0.0, 0.75 * 0.5)),
        ("C minor", (0.0, 0.2), (0.0, 0.75 * 0.2)),
        ("F# major", (0.0, 0.0), (0.0, 0.0)),
    ],
)
def test_keys_are_scored_as_in_mirex(found: str, whole: tuple[float, float], by_place: tuple[float, float]) -> None:
    def find(score: Score) -> list[str]:
        return [found] * score.end_steps

    assert analysis.key_scores([_SONG], find, by_place=False) == pytest.approx(whole)
    assert analysis.key_scores([_SONG, _SONG], find, by_place=True) == pytest.approx(by_place)


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        ("C:maj F:maj G:7 A:min", [1, 1, 1]),
        ("C:maj F:maj G:maj A:min", [1, 1, 3 / 4]),
        ("C:min F:maj G:7 A:min", [1, 3 / 4, 3 / 4]),
        ("N N N N", [0, 0, 0]),
    ],
)
def test_chords_are_scored_by_time(labels: str, scores: list[float]) -> None:
    found = [label for label in labels.split() for _ in range(16)]
    assert analysis.chord_scores([_SONG], lambda _: found) == pytest.approx(scores)


def test_what_comes_before_the_first_label_is_left_out() -> None:
    late = replace(_SONG, chords=[None] * 16 + _SONG.chords[16:])
    found = ["N"] * 16 + ["F:maj"] * 16 + ["G:7"] * 16 + ["A:min"] * 16
    assert analysis.chord_scores([late], lambda _: found) == [1, 1, 1]


_FINDERS: dict[str, Callable[[Score], list[str]]] = {
    "ours": lambda score: analysis.our_chords(score, with_key=True),
    "whole beats": lambda score: analysis.music21_chords(score, whole_beat=True),
    "starts": lambda score: analysis.music21_chords(score, whole_beat=False),
}


@pytest.mark.parametrize("name", _FINDERS)
def test_both_tools_hear_plain_chords(name: str) -> None:
    assert analysis.chord_scores([_SONG], _FINDERS[name]) == [1, 1, 1]


def test_both_tools_hear_the_key() -> None:
    plain = song("C F G7 C F G7 C C")
    for find in (
        lambda score: analysis.our_key(score, "krumhansl-kessler"),
        lambda score: analysis.our_keys(score, "pop"),
        lambda score: analysis.music21_key(score, "krumhansl"),
        lambda score: analysis.music21_keys(score, 4),
    ):
        found = find(plain.score)
        assert len(found) == plain.score.end_steps
        assert found[-1] == "C major"
