"""``--model gan`` from the command line, and training of ensembles."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from symgen.cli import main
from symgen.io import load
from symgen.model.checkpoint import load_ensemble, save_checkpoint
from symgen.model.ensemble.config import POP, EnsembleConfig
from symgen.model.ensemble.network import EnsembleDecoder
from symgen.pipeline.generate import generate
from symgen.score import Note, Score, Track


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    torch.manual_seed(1)
    sizes = POP.as_dict() | {"width": 8, "track_width": 8, "embedding": 4, "phrase": 2, "bar": 2}
    folder = tmp_path_factory.mktemp("model")
    save_checkpoint(folder, EnsembleDecoder(EnsembleConfig(**sizes)), styles=("pop",), training={})
    return str(folder)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generate(key="A minor", chords="Am F | C G", bars=4, seed=7, decoder="chain").save("a.mid")
    return tmp_path


def run(capsys, *words):
    code = main([str(word) for word in words])
    caught = capsys.readouterr()
    return code, caught.out, caught.err


def test_generate_accompany_and_infill(capsys, untrained):
    gan = ("--model", "gan", "--checkpoint", untrained, "--seed", "1")
    assert run(capsys, "generate", *gan, "--bars", "2", "-o", "song.mid")[0] == 0
    assert [track.name for track in load("song.mid").tracks] == list(POP.tracks)
    assert run(capsys, "reproduce", "song.mid")[0] == 0
    assert run(capsys, "generate", *gan, "--bars", "2", "--to-seed", "2", "-n", "3", "-o", "way.mid")[0] == 0
    assert [Path(f"way-{i}.mid").is_file() for i in (1, 2, 3)] == [True] * 3
    code, out, _ = run(capsys, "accompany", "a.mid", *gan, "-o", "band.mid")
    assert code == 0
    assert "drawn: Counter-melody, Chords, Bass" in out
    assert load("band.mid").track("Melody").notes == load("a.mid").track("Melody").notes
    code, out, _ = run(capsys, "infill", "band.mid", "--bars", "2-3", "--draw", "Bass", *gan, "-o", "other.mid")
    assert code == 0
    before, after = load("band.mid"), load("other.mid")
    assert all(before.track(n).notes == after.track(n).notes for n in ("Melody", "Counter-melody", "Chords"))


BAD = [
    (["generate", "--model", "lstm"], "generate: model 'lstm': expected vae or gan"),
    (["generate", "--model", "gan", "--drums", "pop"], "generate: --drums: not for --model gan"),
    (["generate", "--model", "gan", "--form", "A B", "--checkpoint", "{m}"], "form 'A B': expected period or free"),
    (["generate", "--to-seed", "3"], "generate: --to-seed 3: the noise of another song is for --model gan"),
    (["accompany", "a.mid", "-n", "2"], "accompany: -n: for --model gan"),
    (["accompany", "a.mid", "--model", "vae"], "accompany: model 'vae': expected band or gan"),
    (["accompany", "a.mid", "--model", "gan", "--keep", "--checkpoint", "{m}"], "accompany: --keep: not for"),
    (["infill", "a.mid", "--bars", "1", "--draw", "Bass"], "infill: --draw: for --model gan"),
    (["train", "transformer", "-o", "x"], "train: model 'transformer': expected one of vae, ensemble, gan"),
    (["train", "gan", "-o", "x", "--ensemble", "rock"], "train: ensemble 'rock': expected one of pop, chorale"),
    (["train", "gan", "-o", "x", "--config", "a.toml"], "a.toml: 'extra': expected tables model, vae and gan"),
    (["train", "gan", "-o", "x", "--config", "b.toml"], "config: [vae] n_updates: 'ten': expected a value such as"),
    (["train", "gan", "-o", "x", "--config", "c.toml"], "config: [gan] speed: expected one of n_updates"),
    (["train", "gan", "-o", "x", "--config", "d.toml"], "d.toml: "),
]


@pytest.mark.parametrize(
    ("words", "expected"), BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_bad_input_is_one_line(capsys, untrained, here, words, expected):
    Path("a.toml").write_text("[extra]\n")
    Path("b.toml").write_text("[vae]\nn_updates = 'ten'\n")
    Path("c.toml").write_text("[gan]\nspeed = 3\n")
    Path("d.toml").write_text("[gan\n")
    there = set(here.iterdir())
    code, out, err = run(capsys, *(word.replace("{m}", untrained) for word in words))
    assert (code, out) == (2, "")
    assert expected in err
    assert err.count("\n") == 1
    assert set(here.iterdir()) == there


def test_an_ensemble_is_trained_on_a_folder(capsys, here):
    music = here / "music"
    music.mkdir()
    for number in range(30):
        notes = [
            tuple(Note(16 * b + 4 * i, 4, p + (number + b * i) % 12) for b in range(5) for i in range(4))
            for p in (60, 67, 48, 36)
        ]
        tracks = tuple(Track(name, part) for name, part in zip(POP.tracks, notes, strict=True))
        Score(4, tracks, end_steps=80).save(music / f"{number}.mid")
    sizes = "\n".join(f"{n} = 8" for n in ("width", "track_width", "embedding"))
    common = "batch_bars = 16\nwindow_bars = [4]\nevaluate_every = 2\n"
    Path("tiny.toml").write_text(
        f"[model]\n{sizes}\n[vae]\nn_updates = 4\n{common}"
        f"[gan]\nn_updates = 4\ncritics_alone = 1\ncritic_width = 4\n{common}"
    )
    code, _, err = run(capsys, "train", "gan", "-o", "tiny", "--corpus", "music", "--config", "tiny.toml", "--json")
    assert (code, err) == (0, "")
    assert load_ensemble(here / "tiny").is_gan
    assert "began" not in (here / "tiny" / "MODEL_CARD.md").read_text()
    assert "GAN, beginning with the VAE's decoder: 4 updates" in (here / "tiny" / "MODEL_CARD.md").read_text()
    assert run(capsys, "generate", "--model", "gan", "--checkpoint", "tiny", "--bars", "2", "-o", "x.mid")[0] == 0
