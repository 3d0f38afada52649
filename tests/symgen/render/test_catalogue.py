"""What a soundfont is: by its digest, and by what it says of itself."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measurements import SOUNDFONT
from tiny_soundfont import soundfont_bytes

from symgen.errors import FileFormatError, SymgenError
from symgen.render.catalogue import KNOWN, describe, digest_of, known_soundfont

TINY = soundfont_bytes({(0, 0): 441, (8, 5): 882, (128, 0): 220.5})


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fonts") / "tiny.sf2"


def test_the_one_that_is_always_there_is_known():
    known = known_soundfont(digest_of(SOUNDFONT))
    assert known is not None
    assert known.licence == "GPL-2.0"
    facts = describe(SOUNDFONT)
    assert facts.name == "TimGM6mb"
    assert (len(facts.presets), facts.n_drum_kits) == (136, 8)
    assert facts.presets[0] == (0, 0, "Piano 1")


def test_every_digest_is_one_and_every_row_is_filled():
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in KNOWN)
    assert all(known.title and known.licence and known.source for known in KNOWN.values())
    assert known_soundfont("0" * 64) is None


def test_what_a_file_says_of_itself(path):
    path.write_bytes(TINY)
    facts = describe(path)
    assert (facts.name, facts.version, facts.copyright) == ("tiny", "2.1", "")
    assert facts.presets == ((0, 0, "preset"), (8, 5, "preset"), (128, 0, "preset"))
    assert digest_of(path) == hashlib.sha256(TINY).hexdigest()


def test_control_characters_are_no_text(path):
    path.write_bytes(TINY.replace(b"tiny", b"a\x1b\xe9b"))
    assert describe(path).name == "a éb"


def test_what_is_none_is_refused(path, tmp_path):
    path.write_bytes(TINY[:-50])
    with pytest.raises(FileFormatError, match="cut off after"):
        describe(path)
    with pytest.raises(FileFormatError, match="could not be read"):
        digest_of(tmp_path)


@given(st.integers(0, len(TINY) - 1), st.binary(min_size=1, max_size=12))
def test_damage_is_told_or_refused_and_never_takes_long(path, place, put):
    path.write_bytes(TINY[:place] + put + TINY[place + len(put) :])
    try:
        facts = describe(path)
    except SymgenError:
        return
    assert len(facts.presets) <= 65536


def test_zeros_without_end_are_left(path):
    """Each would be skipped as the padding of the one before."""
    body = b"sfbk" + b"".join(
        b"LIST" + len(part).to_bytes(4, "little") + part for part in (b"INFO" + bytes(1_000_000), b"sdta", b"pdta")
    )
    path.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    assert describe(path).presets == ()
