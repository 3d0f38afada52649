"""The rules at the command line: listed, given to songs, and music judged by them."""

import json

import pytest
from midi_files import midi_bytes, note, track

from symgen.cli import main
from symgen.io import load
from theory.key import Key
from theory.rules import RULES
from theory.rules.sets import RULE_SETS
from theory.rules.text import rule_name
from theory.rules.voicesets import VOICE_RULE_SETS, VOICE_RULES

GRID = 12


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *words):
    code = main(list(words))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def song(capsys, *words, bars="2"):
    """Make a song and return it with its recipe."""
    code, out, err = run(capsys, "generate", "--bars", bars, "--seed", "4", "-o", "a.mid", "--json", *words)
    assert (code, err) == (0, "")
    return load("a.mid", steps_per_quarter=GRID), json.loads(out)["songs"][0]


def found(capsys, *words):
    """Judge a.mid and return exit code and facts."""
    code, out, err = run(capsys, "check", "a.mid", "--json", *words)
    assert err == ""
    return code, json.loads(out)


def test_every_rule_and_set_is_listed(capsys):
    code, out, _ = run(capsys, "rules")
    assert code == 0
    for kind in (*RULES, *VOICE_RULES):
        assert f"\n  {rule_name(kind)}" in out
    for name in RULE_SETS:
        assert f"\n  {name}: " in out
    for name in VOICE_RULE_SETS:
        assert f"\n  {name}, for voices: " in out
    facts = json.loads(run(capsys, "rules", "--json")[1])
    assert [row["name"] for row in facts["rules"]] == [rule_name(kind) for kind in (*RULES, *VOICE_RULES)]
    assert {row["says"] == "" or "\n" in row["says"] for row in facts["rules"]} == {False}
    assert set(facts["sets"]) == {*RULE_SETS, *(f"{name} for voices" for name in VOICE_RULE_SETS)}


@pytest.mark.parametrize("kind", [*RULES, *VOICE_RULES], ids=rule_name)
def test_every_rule_is_told_about(capsys, kind):
    code, out, err = run(capsys, "rules", rule_name(kind))
    assert (code, err) == (0, "")
    assert out.startswith(rule_name(kind))
    assert json.loads(run(capsys, "rules", rule_name(kind), "--json")[1])["name"] == rule_name(kind)


def test_a_set_is_told_about(capsys):
    assert run(capsys, "rules", "folk")[:2] == (0, "".join(f"{text}\n" for text in _texts(capsys, "folk")))
    both = _texts(capsys, "chorale")  # on a line and for voices
    assert "in-key" in both
    assert any(text.startswith("voice-ranges") for text in both)


def _texts(capsys, name):
    return json.loads(run(capsys, "rules", name, "--json")[1])["rules"]


def test_a_rule_that_there_is_not(capsys):
    code, out, err = run(capsys, "rules", "largest-lep")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("symgen rules: rule 'largest-lep'") or "rule 'largest-lep' at column 1: expected" in err
    assert "did you mean 'largest-leap'" in err


def test_rules_of_a_song(capsys, here):
    (here / "mine.toml").write_text('rules = ["range C4 C5", "largest-leap 9", "in-key"]')
    _, recipe = song(capsys, "--rules", "mine.toml", "--rule", "largest-leap 4", "--rule", "no-rests")
    rules = recipe["rules"].split("; ")
    assert "largest-leap semitones=4" in rules
    assert not any(text.startswith("largest-leap semitones=9") for text in rules)
    assert "chord-tones-on-strong-beats" in rules  # the others of the default ones stay
    code, facts = found(capsys, *(word for text in rules for word in ("--rule", text)))
    assert (code, facts["violations"], facts["rules"]) == (0, [], rules)
    assert found(capsys, "--rules", "mine.toml", "--rule", "largest-leap 4")[0] == 0


def test_a_set_for_a_song(capsys):
    _, recipe = song(capsys, "--rule-set", "folk")
    assert recipe["rules"].startswith("in-key; chord-tones-on-strong-beats; range low=D4 high=B5; ")
    assert recipe["rules"].split("; ")[-1].startswith("end-on")
    assert found(capsys, "--rule-set", "folk")[0] == 0


def test_range_and_leap_have_options_of_their_own(capsys):
    _, recipe = song(capsys, "--range", "C4-C5", "--max-leap", "4")
    assert "range low=C4 high=C5" in recipe["rules"]
    assert "largest-leap semitones=4" in recipe["rules"]


def test_changes_of_key(capsys):
    score, recipe = song(capsys, "--modulate", "bar 2 to Eb", "--modulate", "3: C minor", bars="4")
    assert [str(change.key) for change in score.keys] == ["C major", "Eb major", "C minor"]
    assert recipe["modulations"] == "2: Eb major, 3: C minor"
    assert score.keys[1].onset_steps == score.bars.starts[1]


def test_chords_in_a_syntax_and_sections(capsys):
    score, recipe = song(capsys, "--chord-syntax", "nashville", "-c", "[A] 1 | 5 [B] 6m | 4", "-k", "G", bars="4")
    assert [str(change.chord) for change in score.chords] == ["G", "D", "Em", "C"]
    assert [marker.text for marker in score.markers] == ["A", "B"]
    assert score.keys[0].key == Key.parse("G")
    assert recipe["chords"]


def test_chords_of_a_style(capsys):
    jazz, folk = (song(capsys, "--chord-style", name)[1]["chords"] for name in ("jazz", "folk"))
    assert jazz != folk


REFUSED = [
    (["generate", "--rule", "largest-lep 7"], "did you mean 'largest-leap'"),
    (["generate", "--rule-set", "jaz"], "rule set 'jaz': expected one of"),
    (["generate", "--rules", "no.toml"], "no.toml: No such file or directory"),
    (["generate", "--rules", "."], ".: Is a directory"),
    (["generate", "--rules", "bad.toml"], "bad.toml: rule 1: rule 'in-kye' at column 1"),
    (["generate", "--rules", "bad.py"], "bad.py: NameError: name 'x' is not defined"),
    (["generate", "--rules", "folk.toml", "--rule-set", "jazz"], "folk.toml names 'folk'; expected one of them"),
    (["generate", "--rules", "none.toml", "--rule-set", "jazz"], "none.toml names 'none'; expected one of them"),
    (["check", "a.mid", "--rules", "folk.toml", "--rule-set", "jazz"], "folk.toml names 'folk'"),
    (["generate", "--modulate", "5 G"], "modulation '5 G' at column 1: expected a bar and a key"),
    (["generate", "--modulate", "bar 5 to H"], "key 'H' at column 10"),
    (["generate", "--modulate", "bar 9 to G"], "modulations at bars 9: expected ascending bars from 2 to 8"),
    (["generate", "--chord-syntax", "tab", "-c", "C"], "'tab'"),
    (["generate", "--chord-style", "polka"], "style of the chords 'polka': expected one of"),
    (["generate", "--rule", "voice-ranges"], "rule 'voice-ranges' at column 1: expected the name of a rule"),
    (["generate", "--rule", "in-key and"], "rule '' at column 11: expected the name of a rule"),
    (["generate", "--rule", "lock 1 1 C#5"], "in key contradicts lock bar 1 beat 1 = C#5"),
    (["check", "no.mid"], "no.mid: no such file"),
    (["check", "empty.mid"], "empty.mid: "),
    (["check", "silent.mid", "--rule", "no-rests"], "silent.mid: no notes to judge"),
    (["check", "drums.mid", "--rule", "no-rests"], "nothing but drums to judge"),
    (["check", "a.mid", "--track", "lead"], "track 'lead': expected one of "),
    (["check", "a.mid", "--rule", "rhythm xy"], "rhythm 'y'"),
    (["check", "a.mid", "--rule-set", "pop", "--voices"], "rule set 'pop' for voices: expected one of chorale"),
    (["check", "a.mid", "--voices"], "for voices: expected one of chorale"),
    (["check", "a.mid", "--key", "H"], "key 'H'"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED, ids=[" ".join(words) for words, _ in REFUSED])
def test_what_cannot_be_is_one_line(capsys, here, words, message):
    (here / "bad.toml").write_text("rules = ['in-kye']")
    (here / "bad.py").write_text("x + 1")
    (here / "folk.toml").write_text("set = 'folk'")
    (here / "none.toml").write_text("set = 'none'")
    (here / "empty.mid").write_bytes(b"")
    (here / "silent.mid").write_bytes(midi_bytes(track(end=480)))
    (here / "drums.mid").write_bytes(midi_bytes(track(*note(0, 480, 36, channel=9))))
    (here / "a.mid").write_bytes(midi_bytes(track(*note(0, 480, 60))))
    before = sorted(here.iterdir())
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(here.iterdir()) == before


def tune(*pitches):
    return track(*(message for i, pitch in enumerate(pitches) for message in note(480 * i, 480, pitch)))


def test_check_tells_where_a_rule_is_broken(capsys, here):
    (here / "a.mid").write_bytes(midi_bytes(tune(60, 73, 62, 61)))
    words = ("--rule", "largest-leap 12", "--rule", "in-key", "--key", "C", "--chords", "C")
    code, out, err = run(capsys, "check", "a.mid", *words)
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "bar 1 beat 2: C4 to C#5 breaks largest leap 12 semitones",
        "bar 1 beat 2: C#5 breaks in key (12 steps)",
        "bar 1 beat 4: C#4 breaks in key (12 steps)",
        "a.mid: 25 violations of 2 rules",
    ]
    code, facts = found(capsys, *words)
    assert code == 1
    assert (facts["file"], facts["context"], len(facts["violations"])) == ("a.mid", "", 25)
    assert facts["violations"][0] == {
        "bar": 1, "beat": 2.0, "what": "C4 to C#5", "rule": "largest-leap",
    }  # fmt: skip


def test_music_without_key_or_chords_is_judged_by_those_found(capsys, here):
    (here / "a.mid").write_bytes(midi_bytes(tune(60, 64, 67, 72, 67, 64, 62, 60)))
    code, facts = found(capsys, "--rule", "in-key")
    assert (code, facts["violations"]) == (0, [])
    assert facts["context"] == "key found in the notes, chords found in the notes"
    assert found(capsys, "--rule", "in-key", "--key", "Db", "--chords", "N.C.")[0] == 1


def test_a_held_wrong_note_is_told_once_also_over_the_bar_line(capsys, here):
    (here / "a.mid").write_bytes(midi_bytes(track(*note(480 * 3, 960, 61), *note(480 * 5, 480, 61))))
    _, out, _ = run(capsys, "check", "a.mid", "--rule", "in-key", "--key", "C", "-c", "N.C.")
    assert out.splitlines()[0] == "bar 1 beat 4: C#4 breaks in key (36 steps)"


def test_four_voices_are_judged_together(capsys, here):
    """The highest is the soprano, whatever the order of the tracks: here it moves in octaves with the bass."""
    soprano, alto, tenor, bass = (67, 69), (62, 62), (59, 57), (43, 45)
    (here / "a.mid").write_bytes(midi_bytes(*(tune(*voice) for voice in (bass, soprano, alto, tenor))))
    words = ("--voices", "--rule-set", "chorale", "--key", "C", "--chords", "N.C.")
    code, facts = found(capsys, *words)
    assert code == 1
    assert [v["rule"] for v in facts["violations"] if "cost" not in v["rule"]] == ["no-parallel-octaves"]
    (here / "a.mid").write_bytes(midi_bytes(*(tune(*voice) for voice in ((72, 72), (67, 67), (60, 60), (48, 48)))))
    code, facts = found(capsys, *words)
    assert (code, facts["violations"]) == (0, [])


def test_drums_are_no_voice_and_no_line(capsys, here):
    kit = track(*note(0, 480, 36, channel=9))
    (here / "a.mid").write_bytes(midi_bytes(kit, tune(72, 72), tune(67, 67), tune(60, 60), tune(48, 48)))
    assert found(capsys, "--voices", "--rule-set", "chorale", "--key", "C", "--chords", "N.C.")[0] == 0
    assert found(capsys, "--rule", "range C5 C5", "--key", "C", "--chords", "N.C.")[0] == 0
