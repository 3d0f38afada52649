"""Parts: their names, their soundfonts, and their sound alone."""

import mido
import numpy as np
import pytest
from measurements import SOUNDFONT, hz, strongest_hz
from midi_files import control, midi_bytes, note, program, track
from tiny_soundfont import soundfont_bytes

from symgen.errors import MissingDependencyError, RenderError, RequestError
from symgen.io.limits import Limits
from symgen.io.smf import read_smf
from symgen.render import Finish, Rendered, render
from symgen.render.effects import parse_effect
from symgen.render.performance import perform

RATE = 22050


def named(name, *timed):
    return track((0, mido.MetaMessage("track_name", name=name)), *timed)


def band():
    """A melody with a pedal and a bend's worth of controllers, a bass, and drums, overlapping everywhere."""
    melody = [program(48), control(0, 91, 100), control(200, 64, 127), control(1500, 64, 0)]
    melody += [e for i in range(12) for e in note(i * 160, 300, 60 + 2 * i % 14)]
    bass = [program(33, channel=1), *(e for i in range(8) for e in note(i * 240, 230, 36 + i % 5, channel=1))]
    drums = [e for i in range(16) for e in note(i * 120, 60, (36, 42, 38, 42)[i % 4], channel=9)]
    return midi_bytes(named("Melody", *melody), named("Bass", *bass), named("Kit", *drums))


def parts_of(data):
    return perform(read_smf(data, "x", Limits()), "x", Limits())


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("fonts") / "tiny.sf2"
    path.write_bytes(soundfont_bytes({(0, p): 882 for p in (0, 33, 48)} | {(128, 0): 220.5}))
    return path


class TestNames:
    def test_tracks_name_their_parts(self):
        assert list(parts_of(band()).part_names.values()) == ["Melody", "Bass", "Kit"]

    def test_tracks_of_one_part_name_it_together(self):
        both = midi_bytes(named("Right", *note(0, 480, 72)), named("Left", *note(0, 480, 48)))
        names = parts_of(both)
        assert list(names.part_names.values()) == ["Right + Left"]
        assert names.parts_named("left") == names.parts_named("RIGHT") == names.parts_named("Right + Left") == {0}

    def test_a_track_of_many_parts_names_none(self):
        one = midi_bytes(
            named("Song", *note(0, 480, 72), *note(0, 480, 48, channel=3), *note(0, 480, 36, channel=9)), kind=0
        )
        found = parts_of(one)
        assert list(found.part_names.values()) == ["channel 1", "channel 4", "drums"]
        assert found.parts_named("Drums") == {9}
        assert found.parts_named("Song") == set()

    def test_drums_are_found_under_their_own_name_too(self):
        found = parts_of(band())
        assert found.parts_named("drums") == found.parts_named("kit") == {9}

    def test_names_in_another_coding_are_read(self):
        raw = named("x", *note(0, 480, 60))
        data = midi_bytes(raw).replace(b"\x03\x01x", b"\x03\x01\xe4")
        assert list(parts_of(data).part_names.values()) == ["ä"]


class TestStems:
    @pytest.mark.parametrize(
        "finish",
        [
            Finish(),
            Finish(loudness_lufs=-9, fade_in_seconds=0.2, fade_out_seconds=0.3),
            Finish(None, gain_db=20, ceiling_dbtp=-6),
        ],
    )
    def test_their_sum_is_the_mix(self, finish):
        mix = render(band(), soundfont=SOUNDFONT, sample_rate=RATE, finish=finish)
        stems = list(mix.stems())
        assert [stem.name for stem in stems] == ["Melody", "Bass", "Kit"]
        assert {stem.samples.shape for stem in stems} == {mix.samples.shape}
        total = np.sum([stem.samples for stem in stems], axis=0, dtype=np.float64)
        np.testing.assert_allclose(total, mix.samples, atol=2e-6)
        assert all(np.abs(stem.samples).max() > 0.01 for stem in stems)
        assert not stems[0].samples.flags.writeable

    def test_each_has_its_part_alone(self, tiny):
        mix = render(band(), soundfont=tiny, sample_rate=RATE, reverb=False, chorus=False)
        heard = {stem.name: strongest_hz(stem.samples[: RATE // 10], RATE) for stem in mix.stems()}
        assert heard["Melody"] == pytest.approx(2 * hz(60) * 441 / 440, rel=0.02)
        assert heard["Bass"] == pytest.approx(2 * hz(36) * 441 / 440, rel=0.05)

    def test_little_memory_takes_them_one_by_one(self, monkeypatch):
        mix = render(band(), soundfont=SOUNDFONT, sample_rate=RATE)
        together = [stem.samples.tobytes() for stem in mix.stems()]
        monkeypatch.setattr("symgen.render.audio._STEM_BYTES", 1)
        assert [stem.samples.tobytes() for stem in mix.stems()] == together

    def test_the_same_mix_comes_with_and_without_them(self):
        first = render(band(), soundfont=SOUNDFONT, sample_rate=RATE)
        list(first.stems())
        assert render(band(), soundfont=SOUNDFONT, sample_rate=RATE).samples.tobytes() == first.samples.tobytes()

    def test_with_linear_effects(self):
        pytest.importorskip("pedalboard")
        finish = Finish(effects=(parse_effect("highpass 100"), parse_effect("reverb 0.6 0.4")))
        mix = render(band(), soundfont=SOUNDFONT, sample_rate=RATE, finish=finish)
        total = np.sum([stem.samples for stem in mix.stems()], axis=0, dtype=np.float64)
        np.testing.assert_allclose(total, mix.samples, atol=1e-5)
        assert mix.duration_seconds > render(band(), soundfont=SOUNDFONT, sample_rate=RATE).duration_seconds

    def test_with_a_compressor_they_are_refused(self):
        pytest.importorskip("pedalboard")
        mix = render(band(), soundfont=SOUNDFONT, finish=Finish(effects=(parse_effect("compressor -20"),)))
        with pytest.raises(RenderError, match="stems with the effect compressor: their sum would not be the mix"):
            next(mix.stems())

    def test_of_what_was_not_rendered_there_are_none(self):
        bare = Rendered(np.zeros((1, 2), dtype=np.float32), RATE, SOUNDFONT, "", 1)
        with pytest.raises(RenderError, match="no stems"):
            next(bare.stems())


class TestSoundfonts:
    def test_a_part_has_one_of_its_own(self, tiny):
        mix = render(band(), soundfont=SOUNDFONT, soundfont_for={"bass": tiny}, sample_rate=RATE)
        assert dict(mix.part_fonts) == {"Melody": SOUNDFONT, "Bass": tiny, "Kit": SOUNDFONT}
        assert mix.soundfont == SOUNDFONT
        stems = {stem.name: stem.samples for stem in mix.stems()}
        np.testing.assert_allclose(sum(stems.values()), mix.samples, atol=2e-6)
        plain = {stem.name: stem.samples for stem in render(band(), soundfont=SOUNDFONT, sample_rate=RATE).stems()}
        assert strongest_hz(stems["Bass"][:4000], RATE) == pytest.approx(2 * hz(36) * 441 / 440, rel=0.05)
        n = min(len(plain["Kit"]), len(stems["Kit"]))
        alike = np.corrcoef(plain["Kit"][:n].ravel(), stems["Kit"][:n].ravel())[0, 1]
        assert alike > 0.95
        assert strongest_hz(plain["Bass"][:4000], RATE) == pytest.approx(hz(36), rel=0.05)

    def test_the_same_one_named_twice_changes_nothing(self):
        named_too = render(band(), soundfont=SOUNDFONT, soundfont_for={"Bass": SOUNDFONT}, sample_rate=RATE)
        assert named_too.samples.tobytes() == render(band(), soundfont=SOUNDFONT, sample_rate=RATE).samples.tobytes()

    def test_no_such_part_and_no_such_soundfont(self):
        with pytest.raises(RequestError, match="soundfont for 'Horn': no such part: expected one of Melody, Bass, Kit"):
            render(band(), soundfont=SOUNDFONT, soundfont_for={"Horn": SOUNDFONT})
        with pytest.raises(MissingDependencyError, match="soundfont 'Grand': no such file"):
            render(band(), soundfont=SOUNDFONT, soundfont_for={"Bass": "Grand"})

    def test_progress_rises_over_all(self, tiny):
        told = []
        render(
            band(),
            soundfont=SOUNDFONT,
            soundfont_for={"Bass": tiny},
            sample_rate=RATE,
            progress=lambda done, total: told.append(done / total),
        )
        assert told == sorted(told)
        assert told[-1] == pytest.approx(1)
