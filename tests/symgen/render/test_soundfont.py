import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from measurements import SOUNDFONT
from midi_files import note, one_track
from tiny_soundfont import soundfont_bytes

from symgen.errors import FileFormatError, MissingDependencyError, RenderError
from symgen.render import find_soundfont, render
from symgen.render.soundfont import check_soundfont, is_compressed, soundfont_folders

TINY = soundfont_bytes({(0, 0): 441})


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty current directory and an empty home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(TINY)
    return path


def test_the_package_always_has_one():
    assert soundfont_folders()[-1] == SOUNDFONT.parent
    check_soundfont(SOUNDFONT)
    assert find_soundfont("TimGM6mb.SF2").name == "TimGM6mb.sf2"


def test_a_path_is_taken_as_it_is(elsewhere):
    assert find_soundfont(SOUNDFONT) == SOUNDFONT
    assert find_soundfont(str(put(elsewhere / "odd name.bin"))) == elsewhere / "odd name.bin"


def test_the_current_folder_comes_before_the_users_and_that_before_the_systems(elsewhere):
    assert find_soundfont() not in (elsewhere / "data", Path("soundfonts"))
    users = put(elsewhere / "data" / "soundfonts" / "a.sf2")
    assert find_soundfont() == users
    ours = put(elsewhere / "data" / "symgen" / "soundfonts" / "z.sf2")
    assert find_soundfont() == ours
    here = put(elsewhere / "soundfonts" / "m.sf3")
    assert find_soundfont().resolve() == here
    assert find_soundfont("z") == ours


def test_within_a_folder_the_order_is_fixed(elsewhere):
    names = ["b.sf2", "TimGM6mb.sf2", "A.SF3", "fluidr3_gm.sf2", "0.txt", "FluidR3_GM2.sf2"]
    for name in names:
        put(elsewhere / "soundfonts" / name)
    order = []
    while (found := find_soundfont()).parent == Path("soundfonts"):
        order.append(found.name)
        found.unlink()
    assert order == ["fluidr3_gm.sf2", "FluidR3_GM2.sf2", "TimGM6mb.sf2", "A.SF3", "b.sf2"]


def test_a_missing_one_says_what_to_do(elsewhere):
    with pytest.raises(MissingDependencyError, match=r"soundfont 'Grand': no such file.*TimGM6mb.*put one into soundf"):
        find_soundfont("Grand")
    with pytest.raises(MissingDependencyError, match=r"soundfont a/b.sf2: no such file; name an SF2"):
        find_soundfont("a/b.sf2")
    with pytest.raises(MissingDependencyError, match=r"not a file"):
        find_soundfont(elsewhere)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "found an empty one"),
        (b"version https://git-lfs", "found one that starts with b'version http'"),
        (b"RIFF\x20\0\0\0DLS " + bytes(40), "found a DLS file"),
        (TINY[:-100], f"cut off after {len(TINY) - 100:,} of {len(TINY):,} bytes; download it again"),
        (TINY[:12] + bytes(len(TINY) - 12), "damaged: expected the parts INFO, sdta and pdta"),
    ],
)
def test_damage_is_found_before_native_code_sees_it(tmp_path, data, words):
    path = tmp_path / "font.sf2"
    path.write_bytes(data)
    with pytest.raises(FileFormatError) as caught:
        find_soundfont(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("padding", [b"", b"\0"])
def test_a_part_of_odd_length_may_be_padded_or_not(tmp_path, padding):
    parts = [b"INFOabc", b"sdtax", b"pdta"]
    data = b"sfbk" + b"".join(b"LIST" + len(p).to_bytes(4, "little") + p + padding * (len(p) % 2) for p in parts)
    path = tmp_path / "font.sf3"
    path.write_bytes(b"RIFF" + len(data).to_bytes(4, "little") + data)
    check_soundfont(path)


def test_compression_is_told_from_the_version(tmp_path):
    path = tmp_path / "font.sf2"
    for version, expected in ((2, False), (3, True)):
        path.write_bytes(TINY.replace(b"ifil\4\0\0\0\2", b"ifil\4\0\0\0" + bytes([version])))
        assert is_compressed(path) is expected


def test_what_the_library_refuses_is_one_line(tmp_path):
    path = tmp_path / "font.sf2"
    path.write_bytes(TINY.replace(b"phdr", b"phdx"))
    with pytest.raises(
        RenderError, match=r"font.sf2: FluidSynth [\d.]+ cannot load it \(.+\); use another file"
    ) as caught:
        render(one_track(*note(0, 480, 60)), soundfont=path)
    assert "\n" not in str(caught.value)


def test_a_device_is_never_read():
    if Path(os.devnull).exists():
        with pytest.raises(MissingDependencyError, match="not a file"):
            find_soundfont(os.devnull)


def test_finding_one_imports_no_library(tmp_path):
    code = "import sys; from symgen.render import find_soundfont; find_soundfont(); print('pretty_midi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_copy_sounds_the_same_as_the_original(tmp_path):
    copy = Path(shutil.copy(SOUNDFONT, tmp_path / "other.sf2"))
    renders = [render(one_track(*note(0, 240, 60)), soundfont=path) for path in (SOUNDFONT, copy)]
    assert renders[0].samples.tobytes() == renders[1].samples.tobytes()
    assert renders[1].soundfont == copy
