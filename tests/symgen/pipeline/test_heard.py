"""Near copies of what a model has heard: found in any key, drawn anew, refused where nothing else is drawn."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from symgen.errors import CheckpointError, RequestError
from symgen.model.checkpoint import save_checkpoint
from symgen.model.ensemble.config import POP, EnsembleConfig
from symgen.model.ensemble.network import EnsembleDecoder
from symgen.model.vae import LineVae, VaeConfig
from symgen.pipeline.ensemble import play, play_many
from symgen.pipeline.generate import generate, generate_many
from symgen.pipeline.heard import RUN_MOVES, _loaded, heard_runs, is_near_copy, originals, runs_of, write_heard
from symgen.score import Note

TINY = VaeConfig(
    steps_per_quarter=4, places=(0, 1, 2, 3), rhythm_width=16, pitch_width=16, rhythm_latent=4, pitch_latent=4,
    harmony_latent=2, form_latent=2, history_layers=1, n_heads=2, prior_width=16, prior_layers=1, prior_components=2,
)  # fmt: skip
ASKED = {"key": "C", "chords": "C | F | G | C", "bars": 8, "seed": 2, "form": "free"}


def tune(n: int = 30, *, seed: int = 0, start: int = 0, up: int = 0) -> list[Note]:
    rng = np.random.default_rng(seed)
    onsets, pitches = np.cumsum(rng.integers(1, 4, 30)) + start, rng.integers(60, 72, 30) + up
    return [Note(int(t), 1, int(p)) for t, p in zip(onsets[:n], pitches[:n], strict=True)]


def test_a_run_is_known_in_any_key_and_at_any_place_and_only_whole():
    heard = runs_of(tune(), 4)
    assert len(heard) == 30 - RUN_MOVES
    assert is_near_copy(tune(13, start=5, up=3), 4, heard)
    assert not is_near_copy(tune(12), 4, heard)
    assert not is_near_copy(tune(seed=1), 4, heard)
    changed = [*tune()[:8], *tune(seed=1)[8:]]
    assert not is_near_copy(changed, 4, heard)


def test_one_note_struck_over_and_over_is_nobodys():
    drum = [Note(2 * i, 2, 60) for i in range(40)]
    assert len(runs_of(drum, 4)) == 0


@pytest.fixture
def untrained(tmp_path):
    torch.manual_seed(1)
    sizes = POP.as_dict() | {"width": 8, "track_width": 8, "embedding": 4, "phrase": 2, "bar": 2}
    save_checkpoint(tmp_path / "model", EnsembleDecoder(EnsembleConfig(**sizes)), styles=("pop",), training={})
    return tmp_path / "model"


def test_a_near_copy_is_drawn_anew(untrained, tmp_path):
    first = play(**ASKED, checkpoint=untrained).score.track("Melody").notes
    assert len(runs_of(first, 4)) > 0
    wary = shutil.copytree(untrained, tmp_path / "wary")
    write_heard(wary, [first], 4)
    again = play(**ASKED, checkpoint=wary).score.track("Melody").notes
    assert again != first
    assert not is_near_copy(again, 4, heard_runs(wary))
    assert len(play_many(3, **ASKED, checkpoint=wary)) == 3


def test_the_line_model_draws_near_copies_anew_too(tmp_path):
    torch.manual_seed(1)
    save_checkpoint(tmp_path / "model", LineVae(TINY), styles=("folk",), training={})
    asked = ASKED | {"style": "folk", "checkpoint": tmp_path / "model", "rules": [], "decoder": "chain"}
    first = generate(**asked).tracks[0].notes
    assert len(runs_of(first, 4)) > 0
    write_heard(tmp_path / "model", [first], 4)
    again = generate(**asked).tracks[0].notes
    assert again != first
    assert not is_near_copy(again, 4, heard_runs(tmp_path / "model"))
    assert len(generate_many(3, **asked)) == 3


def test_runs_are_kept_whole_and_joined_with_others(tmp_path):
    write_heard(tmp_path, [tune()], 4)
    assert heard_runs(tmp_path).tolist() == runs_of(tune(), 4).tolist()
    write_heard(tmp_path, [tune(seed=1)], 4, heard_runs(tmp_path), None)
    assert set(heard_runs(tmp_path)) == {*runs_of(tune(), 4), *runs_of(tune(seed=1), 4)}
    write_heard(tmp_path, [], 4)
    assert len(heard_runs(tmp_path)) == 0


def test_if_all_are_near_copies_it_is_said():
    drawn = []

    def draw(n):
        drawn.append(n)
        return []

    with pytest.raises(RequestError, match="thirteen notes of one that the model has heard"):
        originals(draw, lambda _: True, 2)
    assert len(drawn) == 8


def test_without_a_file_nothing_is_a_copy_and_a_damaged_one_is_told(untrained):
    assert heard_runs(untrained) is None
    (untrained / "heard.npz").write_bytes(b"PK broken")
    with pytest.raises(CheckpointError, match="damaged"):
        play(**ASKED, checkpoint=untrained)
    np.savez(untrained / "heard.npz", gaps=np.zeros((2, 2)))
    with pytest.raises(CheckpointError, match="float64 of 2 axes"):
        heard_runs(untrained)


def test_however_its_file_is_damaged_it_is_told_so(tmp_path):
    write_heard(tmp_path, [tune()], 4)
    path, rng = tmp_path / "heard.npz", np.random.default_rng(0)
    whole, told = path.read_bytes(), 0
    for place in range(300):
        data = bytearray(whole)
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
        path.write_bytes(bytes(data[: None if place % 3 else int(rng.integers(len(data)))]))
        _loaded.cache_clear()
        try:
            heard_runs(tmp_path)
        except CheckpointError:
            told += 1
    assert told > 200
