"""From a folder of music to a model to a song: the whole way, with a model small enough for seconds."""

import json
from dataclasses import replace

import pytest

import symgen
from symgen.errors import CheckpointError, CorpusError
from symgen.model.checkpoint import load_checkpoint
from symgen.model.train import TrainConfig
from symgen.model.vae import VaeConfig
from symgen.pipeline import training
from symgen.pipeline.corpora import build_named, describe, entry_of
from symgen.pipeline.training import load_pieces, train_line_vae

TINY = VaeConfig(
    rhythm_width=16,
    pitch_width=16,
    rhythm_latent=4,
    pitch_latent=4,
    harmony_latent=2,
    form_latent=2,
    history_layers=1,
    n_heads=2,
    prior_width=16,
    prior_layers=1,
    prior_components=2,
)
SHORT = TrainConfig(n_updates=4, batch_slots=512, window_bars=(4,), evaluate_every=2, save_every=2)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep built corpora out of the user's cache."""
    monkeypatch.setattr("symgen.corpus.build.platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache"))


@pytest.fixture
def music(tmp_path):
    folder = tmp_path / "music"
    folder.mkdir()
    for seed in range(80):  # one in twenty falls into each held-out split
        symgen.generate(seed=seed, bars=5).save(folder / f"{seed}.mid")
    return folder


def test_a_folder_becomes_a_model_that_makes_songs(music, tmp_path):
    told = []
    out = tmp_path / "model"
    figures = train_line_vae(
        [str(music)], out, model_config=TINY, train_config=SHORT, progress=lambda state: told.append(state.update)
    )
    assert told == [1, 2, 3, 4]
    assert figures["negative_elbo"] > 0
    config = json.loads((out / "config.json").read_text())
    assert config["training"]["validation"] == figures
    assert config["training"]["corpora"] == [str(music)]
    card = (out / "MODEL_CARD.md").read_text()
    assert f"| validation | {figures['negative_elbo']:.4f} | {figures['causal_bound']:.4f} |" in card
    assert "the folder" in card
    assert load_checkpoint(out).styles == ()
    score = symgen.generate(key="C", bars=2, seed=1, checkpoint=out)
    assert symgen.audit(score, symgen.default_rules(score.chords, score.keys[0].key)) == []
    assert dict(score.recipe)["checkpoint"] == config["sha256"][:16]


def test_a_model_is_tuned_to_a_folder(music, tmp_path):
    first, tuned = tmp_path / "first", tmp_path / "tuned"
    train_line_vae([str(music)], first, model_config=TINY, train_config=SHORT)
    train_line_vae([str(music)], tuned, train_config=SHORT, fine_tune=first)
    one, other = load_checkpoint(first), load_checkpoint(tuned)
    assert other.model.config == TINY
    assert other.training["began_with"]["digest"] == one.digest
    card = (tuned / "MODEL_CARD.md").read_text()
    assert f"began with the weights {one.digest[:16]}" in card
    assert "symgen train -o FOLDER --fine-tune FOLDER --config FILE --corpus" in card


def test_a_run_refuses_other_music(music, tmp_path):
    train_line_vae([str(music)], tmp_path / "model", model_config=TINY, train_config=SHORT)
    symgen.generate(seed=99, bars=8).save(music / "more.mid")
    with pytest.raises(CheckpointError, match="other data"):
        train_line_vae([str(music)], tmp_path / "model", model_config=TINY, train_config=SHORT)


def test_a_model_that_was_written_again_is_loaded_again(music, tmp_path):
    digests = set()
    for seed in (0, 1):
        out = tmp_path / "model"
        (out / "run" / "state.safetensors").unlink(missing_ok=True)
        train_line_vae([str(music)], out, model_config=TINY, train_config=replace(SHORT, seed=seed))
        digests.add(dict(symgen.generate(bars=1, seed=1, checkpoint=out).recipe)["checkpoint"])
    assert len(digests) == 2


def test_folders_of_one_name_are_kept_apart_and_new_files_are_noticed(music, tmp_path):
    other = tmp_path / "elsewhere" / "music"
    other.mkdir(parents=True)
    symgen.generate(seed=77, bars=8).save(other / "one.mid")
    assert entry_of(str(music)).name != entry_of(str(other)).name
    assert (len(load_pieces([str(music)])), len(load_pieces([str(other)]))) == (80, 1)
    symgen.generate(seed=78, bars=8).save(other / "two.mid")
    assert len(load_pieces([str(other)])) == 2


def test_a_built_corpus_is_described(music, tmp_path):
    build_named(str(music), tmp_path / "built", n_processes=1)
    facts = describe(str(music), tmp_path / "built")
    assert facts["pieces"] == facts["train"] + facts["valid"] + facts["test"] == 80
    assert facts["weights"] == "opt-in"


def test_too_little_music_is_told_before_any_training(tmp_path, monkeypatch):
    folder = tmp_path / "little"
    folder.mkdir()
    symgen.generate(seed=1, bars=8).save(folder / "one.mid")
    monkeypatch.setattr(training, "train", lambda *_, **__: pytest.fail("training began"))
    with pytest.raises(CorpusError, match=r"no usable melody in the (train|valid) split"):
        train_line_vae([str(folder)], tmp_path / "model", model_config=TINY, train_config=SHORT)
