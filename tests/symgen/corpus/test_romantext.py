"""The reader of RomanText: literally, against music21 on small texts, and what it refuses."""

from fractions import Fraction

import pytest

from symgen.corpus.romantext import parse_romantext, read_romantext
from symgen.errors import CorpusError
from theory.errors import ParseError
from theory.meter import Meter

TEXT = """\
Composer: Nobody
Note: prose: m3 is odd
and goes on without a name

Time Signature: 3/4
m0 b3 C: V
m1 I b2.5 V65 b3 I
m2 vi G: ii b2 V7 b3 I ||
m2var1 I
Form: B
m4 a: i b3 V
m5-6 = m1-2
m7a V :||
m7b i
m8 = m7b
Time Signature: 6/8
m9 b1 bb: Ger65 b1.66 V b2.33.5 NC
"""


def rows(text):
    return [(a.measure, a.beat, str(a.key), a.numeral) for a in parse_romantext(text)]


def test_a_text_is_read_literally():
    third = Fraction(1, 3)
    assert rows(TEXT) == [
        (0, 3, "C major", "V"),
        *((1, 1, "C major", "I"), (1, Fraction(5, 2), "C major", "V65"), (1, 3, "C major", "I")),
        *((2, 1, "C major", "vi"), (2, 1, "G major", "ii"), (2, 2, "G major", "V7"), (2, 3, "G major", "I")),
        *((4, 1, "A minor", "i"), (4, 3, "A minor", "V")),
        *((5, 1, "A minor", "I"), (5, Fraction(5, 2), "A minor", "V65"), (5, 3, "A minor", "I")),
        *((6, 1, "A minor", "vi"), (6, 1, "G major", "ii"), (6, 2, "G major", "V7"), (6, 3, "G major", "I")),
        *((7, 1, "G major", "V"), (7, 1, "G major", "i"), (8, 1, "G major", "i")),
        *((9, 1, "Bb minor", "Ger65"), (9, 1 + 2 * third, "Bb minor", "V"), (9, 2 + third / 2 * 3, "Bb minor", "N.C.")),
    ]


def test_pivots_phrases_endings_metres_and_lines():
    read = parse_romantext(TEXT)
    assert [(a.measure, a.numeral) for a in read if a.is_pivot] == [(2, "ii"), (6, "ii")]
    assert [(a.measure, a.numeral) for a in read if a.closes_phrase] == [(2, "I"), (6, "I"), (7, "V")]
    assert [a.ending for a in read if a.measure == 7] == ["a", "b"]
    assert [(a.meter, a.beats_per_bar) for a in (read[0], read[-1])] == [(Meter(3, 4), 3), (Meter(6, 8), 2)]
    assert [a.line for a in read if a.measure in (5, 6)] == [12] * 7
    assert read[2].bars == Fraction(1, 2)
    assert read[-3].chord.bass_pitch_class == 6
    assert read[-1].chord.is_none


@pytest.mark.parametrize(
    ("written", "beats"),
    [
        *(("6/8", 2), ("9/8", 3), ("12/8", 4), ("3/8", 1), ("slow 3/8", 3), ("Slow 3/4", 3), ("3/2", 3)),
        *(("6/4", 2), ("2/2", 2), ("C", 4), ("Cut", 2), ("5/8", 5), ("4/4?", 4), ("fast 3/8", 1)),
    ],
)
def test_beats_of_a_bar(written, beats):
    (read,) = parse_romantext(f"Time Signature: {written}\nm1 C: I")
    assert read.beats_per_bar == beats


@pytest.mark.parametrize(
    ("beat", "value"),
    [
        *(("b1.25", "5/4"), ("b1.33", "4/3"), ("b2.66", "8/3"), ("b2.67", "8/3"), ("b1.66.5", "11/6"), ("b1.2", "6/5")),
        *(
            ("b1.17", "7/6"),
            ("b3.83", "23/6"),
            ("b1.125", "9/8"),
            ("b1.667", "5/3"),
            ("b1.5.5", "7/4"),
            ("b.5", "3/2"),
            ("b2:", "2"),
        ),
    ],
)
def test_beats_and_their_parts(beat, value):
    assert parse_romantext(f"m1 C: {beat} I")[0].beat == Fraction(value)


def test_forgotten_letters_are_understood_and_prose_is_not_music():
    text = "m1 b: i\n2 V b3 i\n3 D: I\n12 Variations on a theme\nm28-29 = m 1-2\nm30-31 m1-2\n|| \n"
    assert rows(text)[0] == (1, 1, "B minor", "i")
    assert [row[0] for row in rows(text)] == [1, 2, 2, 3, 28, 29, 29, 30, 31, 31]


def test_a_copy_takes_measures_without_a_line_as_going_on():
    assert [row[0] for row in rows("m1 C: I\nm3 V\nm4-6 = m1-3\nm8-11 = m5-8")] == [1, 3, 4, 6, 9]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("m1 C: I\nm2 hello", "line 2: word 'hello'"),
        ("m1 C: I\nm5-8 = m1-3", "line 2: copy '= m1-3'"),
        ("m4 C: I\nm5-6 = m2-3", "line 2: copy"),
        ("m1 C: I\nm3-4 I", "line 2: measures"),
        ("m1 C: I\nm2-3 = m2-3", "line 2: copy"),
        ("Time Signature: 4/5\nm1 I", "line 1: metre"),
        ("m1 C: I\nm2b1 I", "line 2: line"),
        ("Composer: X", "at least one measure"),
    ],
)
def test_what_cannot_be_read_is_named(text, where):
    with pytest.raises(CorpusError, match=r".") as caught:
        parse_romantext(text, name="a.txt")
    assert where in str(caught.value)
    assert "a.txt" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistyped_numeral_is_found_when_its_chord_is_asked_for():
    (read,) = parse_romantext("m1 C: Ivar1")
    with pytest.raises(ParseError):
        _ = read.chord


def test_files_are_read_and_missing_ones_named(tmp_path):
    path = tmp_path / "analysis.txt"
    path.write_bytes("\ufeffm1 C: viiø7\r\nm2 I".encode())
    assert [a.numeral for a in read_romantext(path)] == ["viiø7", "I"]
    path.write_bytes(b"m1 C: \xff")
    for bad in (path, tmp_path / "none.txt"):
        with pytest.raises(CorpusError, match=bad.name):
            read_romantext(bad)


def test_music21_reads_the_same():
    """Keys, measures, figures and offsets; music21 fills empty measures with ties, and drops pivots into one chord."""
    from music21 import converter, roman

    lines = [line for line in TEXT.splitlines() if not line.startswith(("m7", "m8", "m9"))]
    text = "\n".join([*lines, "m9 b1 bb: iv b1.66 V b2.33 i"]).replace("m2 vi G:", "m2 vi b1.5 G:")
    text = text.replace("m4 a:", "m3 IV\nm4 a:").replace("Time Signature: 6/8", "m7 IV\nm8 V\nTime Signature: 6/8")
    part = converter.parse(text, format="romanText").parts[0]
    theirs = []
    for measure in part.getElementsByClass("Measure"):
        for figure in measure.getElementsByClass(roman.RomanNumeral):
            if figure.tie is None or figure.tie.type == "start":
                key = f"{figure.key.tonic.name.replace('-', 'b')} {figure.key.mode}"
                beat = figure.offset / (1.5 if measure.number == 9 else 1) + 1
                theirs.append((measure.number, key, figure.figure, Fraction(beat).limit_denominator(12)))
    ours = [(a.measure, str(a.key), a.numeral, a.beat) for a in parse_romantext(text)]
    # A pickup starts at offset 0 there.
    assert theirs[1:] == ours[1:]
    assert theirs[0][:3] == ours[0][:3]
