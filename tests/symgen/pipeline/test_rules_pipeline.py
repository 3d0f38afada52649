"""Which rules hold: those by default, a set, a file of them, and what changes them; and music judged by them."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest
from midi_files import midi_bytes, note, track

import symgen
from symgen.errors import FileFormatError, RequestError, ScoreError
from symgen.moments import line_of, line_track
from symgen.pipeline.check import check
from symgen.pipeline.rules import (
    RuleFile,
    chosen_rules,
    default_rules,
    read_rules,
    rule_set,
    rules_beside,
    with_changes,
)
from symgen.score import ChordChange, Note, Track
from theory.chord import Chord
from theory.key import Key
from theory.rules import (
    AnyOf,
    ChordTonesOnStrongBeats,
    EndOn,
    InBars,
    InKey,
    LargestLeap,
    Lock,
    NoteLength,
    Range,
    RepeatedNotes,
    Rule,
    Tessitura,
)
from theory.rules.sets import RULE_SETS

A_MINOR = Key.parse("A minor")


def chords(*names: str) -> list[ChordChange]:
    return [ChordChange(4 * i, Chord.parse(name)) for i, name in enumerate(names)]


def written(folder: Path, text: str, name: str = "rules.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("names", "last"), [
    (["Am", "F"], {9}),  # F has the tonic of A minor
    (["Am", "E7"], {4, 8, 11, 2}),  # E7 has not: one of its notes
    (["E7", "N.C."], {4, 8, 11, 2}),  # no chord says nothing: the one before it does
    (["N.C."], {9}),
    ([], {9}),
])  # fmt: skip
def test_the_last_note_fits_the_last_chord(names: list[str], last: set[int]) -> None:
    assert default_rules(chords(*names), A_MINOR)[-1] == EndOn(frozenset(last))


def test_chosen_rules() -> None:
    default = default_rules(chords("Am"), A_MINOR)
    assert chosen_rules(None, (), chords("Am"), A_MINOR) == default
    assert chosen_rules("jazz", (), chords("Am"), A_MINOR) == [*RULE_SETS["jazz"], default[-1]]
    assert chosen_rules([], (), chords("Am"), A_MINOR) == []
    assert chosen_rules(["in-key", Range()], ["largest-leap 5"], chords("Am"), A_MINOR) == [
        InKey(), Range(), LargestLeap(5),
    ]  # fmt: skip


def test_changes_take_the_place_of_their_kind() -> None:
    rules = [InKey(), LargestLeap(12), Range()]
    assert with_changes(rules, [LargestLeap(5)]) == [InKey(), Range(), LargestLeap(5)]
    assert with_changes(rules, [LargestLeap(5), LargestLeap(2, cost=1.0)])[2:] == [
        LargestLeap(5), LargestLeap(2, cost=1.0),
    ]  # fmt: skip
    both = AnyOf((InKey(), Range()))
    assert with_changes([*rules, both], [AnyOf((Range(), InKey()))]) == [*rules, both, AnyOf((Range(), InKey()))]
    # A tessitura is no range, and a rule in some bars changes nothing elsewhere.
    assert with_changes(rules, [Tessitura()]) == [*rules, Tessitura()]
    assert with_changes(rules, [InBars(LargestLeap(5), 1, 2)]) == [*rules, InBars(LargestLeap(5), 1, 2)]


def test_sets_by_name() -> None:
    assert rule_set("pop") is RULE_SETS["pop"]
    with pytest.raises(RequestError, match=r"rule set 'jaz': expected one of pop, .*; did you mean 'jazz'\?$"):
        rule_set("jaz")


def test_a_file_in_toml(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        set = "folk"
        rules = ["largest-leap 5", { rule = "range", low = "C4", high = "C5", bars = 2 },
                 { any = ["end-on C", "repeated-notes 2"], cost = 1.5 }]
    """,
    )
    rules = (
        LargestLeap(5),
        InBars(Range(60, 72), 2, 2),
        AnyOf((EndOn(frozenset({0})), RepeatedNotes(2)), cost=1.5),
    )
    assert read_rules(path) == RuleFile(rules, "folk")
    assert read_rules(str(path)).rules == rules


@pytest.mark.parametrize(("text", "base"), [('set = "none"', ""), ("", None), ("rules = []", None)])
def test_the_set_a_file_changes(tmp_path: Path, text: str, base: str | None) -> None:
    assert read_rules(written(tmp_path, text)) == RuleFile((), base)


def test_a_set_named_beside_a_file(tmp_path: Path) -> None:
    folk, none, plain = (
        written(tmp_path, f"{text}rules = ['largest-leap 5']", f"{i}.toml")
        for i, text in enumerate(["set = 'folk'\n", "set = 'none'\n", ""])
    )
    assert rules_beside(None, None) == RuleFile(())
    assert rules_beside(None, "jazz") == RuleFile((), "jazz")
    assert rules_beside(plain, "jazz") == RuleFile((LargestLeap(5),), "jazz")
    assert rules_beside(folk, "folk") == rules_beside(folk, None) == RuleFile((LargestLeap(5),), "folk")
    for path, said in ((folk, "folk"), (none, "none")):
        with pytest.raises(RequestError, match=f"rule set 'jazz': .*toml names '{said}'; expected one of them"):
            rules_beside(path, "jazz")


@pytest.mark.parametrize(("text", "what"), [
    ("rules = [", "expected TOML: "),
    ("rules = 'in-key'", r"expected rules = \[...\] and perhaps set = a name, found something else"),
    ("rule = ['in-key']", r"expected rules = \[...\] and perhaps set = a name, found rule"),
    ("set = 3", "expected rules = "),
    ("rules = ['in-key', 'largest-lep 7']", "rule 2: rule 'largest-lep' at column 1: .*did you mean 'largest-leap'"),
    ("rules = [{ rule = 'range', low = 'H4' }]", "rule 1: low 'H4' at column 1: expected a whole number, or a pitch"),
    ("rules = [{ rule = 'range', low = 80, high = 60 }]", "rule 1: rule 'range' at column 1: expected .*low <= high"),
    ("rules = [{ rule = 'in-key', bars = '4-2' }]", "rule 1: bars '4-2' at column 1: expected a bar or two"),
    ("rules = [{ any = [] }]", "rule 1: rule 'any-of' at column 1: expected .*at least two rules"),
    ("rules = [['in-key']]", "rule 1: rule .* expected a text, or a table"),
    ("rules = [7]", "rule 1: rule '7' at column 1: expected a text, or a table"),
])  # fmt: skip
def test_files_that_say_no_rules(tmp_path: Path, text: str, what: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(FileFormatError, match=what) as caught:
        read_rules(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_file_that_names_no_set_there_is(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="did you mean 'folk'"):
        read_rules(written(tmp_path, "set = 'folks'"))


def test_files_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_bytes(b"rules = ['\xff']")
    with pytest.raises(FileFormatError, match="expected text in UTF-8"):
        read_rules(tmp_path / "rules.toml")
    with pytest.raises(FileNotFoundError):
        read_rules(tmp_path / "nothing.toml")


OWN = """
from dataclasses import dataclass
from theory.rules import LargestLeap, Rule

@dataclass(frozen=True)
class WhiteKeys(Rule):
    but: int = -1
    def permits_note(self, pitch, moment, *, is_onset):
        return pitch % 12 in (0, 2, 4, 5, 7, 9, 11, self.but)

RULES = [LargestLeap(5), "white-keys but=6 cost=2", "white-keys or in-key", WhiteKeys()]
"""


def test_a_file_in_python_may_have_rules_of_its_own(tmp_path: Path) -> None:
    leap, white, either, plain = read_rules(written(tmp_path, OWN, "own.py")).rules
    assert leap == LargestLeap(5)
    assert (white.but, white.cost, plain.but) == (6, 2.0, -1)
    assert isinstance(either, AnyOf)
    assert isinstance(either.rules[0], type(plain))
    score = symgen.generate(key="D", bars=2, seed=1, changed_rules=[plain])
    assert "white-keys" in dict(score.recipe)["rules"]
    assert all(note.pitch % 12 in (0, 2, 4, 5, 7, 9, 11) for note in score.tracks[0].notes)


@pytest.mark.parametrize(("text", "what"), [
    ("RULES = [", "SyntaxError"),
    ("1 / 0", "ZeroDivisionError: division by zero"),
    ("rules = []", "expected a list named RULES"),
    ("RULES = 'in-key'", "expected a list named RULES"),
    ("RULES = ['in-kye']", "rule 1: rule 'in-kye'"),
    ("RULES = [print]", "rule 1: rule .* expected a text, or a table"),
])  # fmt: skip
def test_python_files_that_say_no_rules(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(FileFormatError, match=what) as caught:
        read_rules(written(tmp_path, text, "own.py"))
    assert str(caught.value).startswith(str(tmp_path / "own.py"))
    assert "\n" not in str(caught.value)


@dataclass(frozen=True)
class Above(Rule):
    """A rule of one's own that has to be told something."""

    pitch: int

    def permits_note(self, pitch, moment, *, is_onset):
        return pitch > self.pitch


def test_a_song_under_a_rule_of_ones_own() -> None:
    score = symgen.generate(bars=2, seed=3, changed_rules=[Above(64)])
    assert "above pitch=E4" in dict(score.recipe)["rules"]
    assert score.tracks[0].notes
    assert all(note.pitch > 64 for note in score.tracks[0].notes)


# Songs asked for in other ways.


def test_songs_change_key_where_they_are_told() -> None:
    score = symgen.generate(key="C", modulations=[(3, "E"), (5, Key.parse("C"))], bars=6, seed=2)
    bar = score.bars.starts
    assert [(change.onset_steps, str(change.key)) for change in score.keys] == [
        (0, "C major"), (bar[2], "E major"), (bar[4], "C major"),
    ]  # fmt: skip
    assert score.audit([InKey()]) == []
    assert dict(score.recipe)["modulations"] == "3: E major, 5: C major"
    # The last chord is one of the last key, and so is the last note.
    assert score.audit(default_rules(score.chords, Key.parse("C"))) == []


@pytest.mark.parametrize("bars", [[(1, "G")], [(3, "G"), (3, "D")], [(5, "G"), (3, "D")], [(7, "G")], [(0, "G")]])
def test_changes_of_key_are_at_bars_of_the_song_in_their_order(bars: list[tuple[int, str]]) -> None:
    with pytest.raises(RequestError, match="expected ascending bars from 2 to 6"):
        symgen.generate(modulations=bars, bars=6, seed=2)


def test_sections_become_markers_each_time_they_are_played() -> None:
    score = symgen.generate(chords="[Verse] C | Am [Chorus] F | G", bars=6, seed=2)
    starts = score.bars.starts
    assert [(m.onset_steps, m.text) for m in score.markers] == [
        (starts[0], "Verse"), (starts[2], "Chorus"), (starts[4], "Verse"),
    ]  # fmt: skip


def test_rules_given_in_any_way_hold() -> None:
    chosen = ["range A4 C5", NoteLength(Fraction(1)), "in-key"]
    score = symgen.generate(rules=chosen, locks=["bar 2 beat 1 = B4"], bars=2, seed=5)
    assert score.tracks[0].notes
    assert score.audit([Range(69, 72), NoteLength(Fraction(1)), InKey(), Lock(2, Fraction(1), 71)]) == []


# Judging music.


def scale(*pitches: int, drums: bool = False, name: str = "") -> Track:
    notes = tuple(Note(12 * i, 12 * i + 12, pitch) for i, pitch in enumerate(pitches))
    return Track(name, notes, is_drum=drums)


def score_of(*tracks: Track) -> symgen.Score:
    return symgen.Score(12, tracks, end_steps=48)


def test_the_line_is_the_first_track_that_can_be_one() -> None:
    drums, tune, bass = scale(36, 38, drums=True), scale(60, 62), scale(48, 50, name="bass")
    assert line_track(score_of(drums, Track("", ()), tune, bass)) is tune
    assert line_track(score_of(drums, tune, bass), "bass") is bass
    assert line_track(score_of(drums)) is drums
    with pytest.raises(ScoreError, match="expected one of '', 'bass'"):
        line_track(score_of(tune, bass), "lead")
    with pytest.raises(ScoreError, match="at least one track"):
        line_track(score_of())
    # Tracks of one name: the one that is a line is judged.
    found = check(score_of(drums, tune), [Range(60, 72)], key="C", chords="C")
    assert (found.track, found.violations) == ("", ())


def test_a_track_without_notes_is_a_silent_line() -> None:
    assert line_of(()) == []
    score = score_of(Track("lead", ()), scale(60))
    assert [str(v.what) for v in score.audit([EndOn()], track="lead")] == ["a line without notes"]


@pytest.mark.parametrize(("tracks", "asked", "what"), [
    ([], None, "the score: no notes to judge"),
    ([Track("lead", ())], None, "the score: no notes to judge"),
    ([scale(36, drums=True, name="kit")], None, "track 'kit': nothing but drums to judge"),
    ([scale(60), Track("lead", ())], "lead", "track 'lead': no notes to judge"),
])  # fmt: skip
def test_where_there_is_nothing_to_judge(tracks: list[Track], asked: str | None, what: str) -> None:
    with pytest.raises(RequestError, match=what):
        check(score_of(*tracks), [InKey()], track=asked)


def test_key_and_chords_are_those_named_those_held_or_those_found() -> None:
    tune = scale(60, 64, 67, 60)
    assert check(score_of(tune)).context == "key found in the notes, chords found in the notes"
    assert check(score_of(tune), key="C").context == "chords found in the notes"
    assert check(score_of(tune), key="C", chords="C").context == ""
    song = symgen.generate(bars=1, seed=1)
    assert check(song).context == "key of the file, chords of the file"
    assert check(song).violations == ()
    # What is named wins: over F sharp nothing fits.
    assert check(song, [ChordTonesOnStrongBeats()], chords="F#").violations
    assert check(score_of(tune), [InKey()], key="Db", chords="N.C.").violations[0].moment.key == Key.parse("Db")
    assert check(score_of(tune), [InKey()], key="C", chords="I V", chord_syntax="roman").violations == ()


def test_the_default_rules_are_those_of_the_last_key() -> None:
    song = symgen.generate(key="C", modulations=[(2, "D")], bars=2, seed=1, chords="C | D")
    assert EndOn(frozenset({2})) in check(song).rules
    assert check(song).violations == ()


def test_files_are_judged_as_scores_are(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(midi_bytes(track(*note(0, 480, 60), *note(480, 480, 61))))
    found = check(path, [InKey()], key="C", chords="C")
    assert {(v.moment.bar, float(v.moment.beat) // 1, v.what) for v in found.violations} == {(1, 2.0, "C#4")}
    assert len(found.violations) == 12  # at each step it sounds
    assert replace(found, violations=()).rules == (InKey(),)
