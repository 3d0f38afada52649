"""Renders heard by other people's programs: librosa for notes, ffmpeg for levels."""

import shutil

import numpy as np
import pytest
from measurements import SOUNDFONT
from midi_files import midi_bytes, note, program, track

from benchmarks import ear
from symgen.io.midi import write_midi
from symgen.render import Finish, render, write_audio

MELODY = [event for i in range(16) for event in note(i * 240, 200, 60 + 5 * i % 24, velocity=70 + 3 * i)]


class TestNotes:
    @pytest.fixture(autouse=True)
    def librosa(self):
        pytest.importorskip("librosa")

    def heard(self, score):
        return render(write_midi(score), soundfont=SOUNDFONT, sample_rate=ear.SAMPLE_RATE)

    @pytest.mark.parametrize("name", ear.INSTRUMENTS)
    def test_a_scale_is_heard_in_time_and_in_tune(self, name):
        heard = ear.hear_scale(self.heard(ear.scale_score(ear.INSTRUMENTS[name])))
        assert np.abs(heard.onset_errors_seconds).max() < 0.020
        assert np.abs(heard.pitch_errors_semitones).max() < 0.5
        assert heard.n_onsets >= len(ear.SCALE)

    @pytest.mark.parametrize("name", ear.INSTRUMENTS)
    def test_every_note_of_a_chord_is_heard_and_no_other(self, name):
        errors, strangers = ear.hear_chords(self.heard(ear.chord_score(ear.INSTRUMENTS[name])))
        assert max(errors) < 0.5
        assert strangers == []

    def test_the_ear_hears_what_is_wrong(self):
        sound = self.heard(ear.scale_score(0))
        sharp = [pitch + 1 for pitch in ear.SCALE]
        np.testing.assert_allclose(ear.hear_scale(sound, sharp).pitch_errors_semitones, -1, atol=0.2)
        late = sound.samples[round(0.05 * ear.SAMPLE_RATE) :]
        moved = type(sound)(late, ear.SAMPLE_RATE, SOUNDFONT, "", 0)
        assert np.abs(ear.hear_scale(moved).onset_errors_seconds).min() > 0.030
        chords = [(61, 64, 67), *ear.CHORDS[1:]]
        errors, strangers = ear.hear_chords(self.heard(ear.chord_score(0)), chords)
        assert max(errors) >= 0.9
        errors, strangers = ear.hear_chords(self.heard(ear.chord_score(0)), [(60, 67), *ear.CHORDS[1:]])
        assert strangers != []


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg here")
class TestLevels:
    @pytest.mark.parametrize("target", [-23, -14, -9])
    def test_the_loudness_is_what_was_asked_for(self, tmp_path, target):
        sound = render(
            midi_bytes(track(program(0), *MELODY)),
            soundfont=SOUNDFONT,
            finish=Finish(loudness_lufs=target, ceiling_dbtp=-1.5),
        )
        loudness, peak = ear.ffmpeg_levels(write_audio(sound, tmp_path / "a.wav", bit_depth="24"))
        assert loudness == pytest.approx(target, abs=0.5)
        assert peak <= -1.4
        assert sound.loudness_lufs == pytest.approx(loudness, abs=0.15)
        assert sound.warnings == ()
