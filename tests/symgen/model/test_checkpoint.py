"""Checkpoints that nobody should load, and folders in which a writer was killed."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save
from torch import Tensor

import symgen.model.checkpoint as module
from symgen.errors import CheckpointError
from symgen.model.checkpoint import load_checkpoint, save_checkpoint
from symgen.model.vae import LineVae, VaeConfig

TINY = VaeConfig(
    rhythm_width=16, pitch_width=16, rhythm_latent=4, pitch_latent=4, harmony_latent=2, form_latent=2,
    history_layers=1, n_heads=2, prior_width=16, prior_layers=1, prior_components=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    torch.manual_seed(0)
    save_checkpoint(folder, LineVae(TINY), styles=("folk",), training={"seed": 0})
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "model"))


def with_weights(folder: Path, data: bytes) -> None:
    """Put weights there with their digest, so that it is not the digest that refuses them."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(data)


def with_tensors(change: Callable[[dict[str, Tensor]], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        change(tensors)
        with_weights(folder, save(tensors))

    return apply


def with_config(**entries: Any) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config["model"] |= {key: value for key, value in entries.items() if key in config["model"]}
        config |= {key: value for key, value in entries.items() if key not in config["model"]}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")

    return apply


def first(tensors: dict[str, Tensor]) -> str:
    return min(name for name, tensor in tensors.items() if tensor.ndim == 2)


class Bomb:
    """What a pickle does to those who open it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("opened",))


def pickled(folder: Path) -> None:
    torch.save(Bomb(), folder / "model.safetensors")
    with_weights(folder, (folder / "model.safetensors").read_bytes())


def only_pickle(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))


def cut(folder: Path) -> None:
    with_weights(folder, (folder / "model.safetensors").read_bytes()[:-100])


def flipped(folder: Path) -> None:
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)


def long_header(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    with_weights(folder, (2**62).to_bytes(8, "little") + data[8:])


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no folder": (shutil.rmtree, "No such file or directory: expected the configuration"),
    "no config": (lambda f: (f / "config.json").unlink(), "No such file or directory: expected the configuration"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "expected the weights of the checkpoint"),
    "text": (lambda f: (f / "config.json").write_text("hello"), "not the configuration of a checkpoint"),
    "binary": (lambda f: (f / "config.json").write_bytes(b"\xff\xfe"), "not the configuration of a checkpoint"),
    "a list": (lambda f: (f / "config.json").write_text("[]"), "expected a checkpoint with the format"),
    "foreign": (with_config(format="llama"), "expected a checkpoint with the format"),
    "other version": (with_config(version=1), "version 1: expected 2"),
    "no styles": (with_config(styles=None), "styles: None: expected a JSON list"),
    "styles": (with_config(styles=[1]), "styles: [1]: expected names"),
    "huge": (with_config(rhythm_width=2**40), "rhythm_width: 1099511627776: expected one such as"),
    "negative": (with_config(rhythm_width=-1), "rhythm_width: -1: expected one such as"),
    "of another type": (with_config(rhythm_width="16"), "rhythm_width: '16': expected one such as"),
    "odd sizes": (with_config(n_heads=3), "does not fit its configuration"),
    "other sizes": (with_config(prior_width=32), "shape"),
    "large sizes": (with_config(rhythm_width=4096, pitch_width=4096, prior_width=4096, history_layers=64), "no tensor"),
    "flipped": (flipped, "model.safetensors: damaged: its SHA-256 is "),
    "truncated": (cut, "does not fit its configuration"),
    "long header": (long_header, "does not fit its configuration"),
    "a pickle": (pickled, "does not fit its configuration"),
    "only a pickle": (only_pickle, "model.safetensors: No such file or directory"),
    "NaN": (with_tensors(lambda t: t[first(t)].fill_(float("nan"))), "numbers that are not finite: expected finite"),
    "infinite": (with_tensors(lambda t: t[first(t)][0].fill_(-float("inf"))), "numbers that are not finite"),
    "whole numbers": (with_tensors(lambda t: t.update({first(t): t[first(t)].int()})), "numbers of torch.int32"),
    "turned": (with_tensors(lambda t: t.update({first(t): t[first(t)][:, :-1].contiguous()})), "shape"),
    "one less": (with_tensors(lambda t: t.pop(first(t))), "no tensor "),
    "one more": (with_tensors(lambda t: t.update(extra=torch.zeros(2))), "unknown tensor extra"),
    "none": (with_tensors(dict.clear), "no tensor "),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_checkpoint_is_refused_in_one_line(
    name: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    damage, said = REFUSED[name]
    damage(folder)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    message = str(caught.value)
    assert said in message
    assert message.startswith(str(folder))
    assert len(message.splitlines()) == 1
    assert not Path("opened").exists()


def test_nothing_is_allocated_for_sizes_that_do_not_fit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_config(rhythm_width=4096, history_layers=4)(folder)
    made = []
    plain = torch.nn.Linear.__init__

    def watched(self: Any, *sizes: Any, **named: Any) -> None:
        plain(self, *sizes, **named)
        made.append(self.weight.device.type)

    monkeypatch.setattr(torch.nn.Linear, "__init__", watched)
    with pytest.raises(CheckpointError, match="no tensor"):
        load_checkpoint(folder)
    assert set(made) == {"meta"}


class TestWriting:
    def test_it_comes_back(self, folder: Path) -> None:
        found = load_checkpoint(folder)
        assert (found.styles, found.training) == (("folk",), {"seed": 0})
        assert found.model.config == TINY
        assert sorted(path.name for path in folder.iterdir()) == ["MODEL_CARD.md", "config.json", "model.safetensors"]

    @pytest.mark.parametrize("moment", range(4))
    def test_one_that_is_interrupted_leaves_the_old_or_the_new(
        self, moment: int, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = load_checkpoint(folder).digest
        torch.manual_seed(1)
        model, written = LineVae(TINY), [0]
        plain = module.write_whole

        class StopError(Exception):
            pass

        def interrupted(path: Path, data: bytes) -> None:
            if written[0] == moment:
                raise StopError
            written[0] += 1
            plain(path, data)

        monkeypatch.setattr(module, "write_whole", interrupted)
        if moment == 3:  # all files are there, but for the last name
            monkeypatch.setattr(Path, "replace", _only_beside(Path.replace, StopError))
        with pytest.raises(StopError):
            save_checkpoint(folder, model, styles=(), training={})
        monkeypatch.undo()
        found = load_checkpoint(folder)
        assert (found.digest == old) == (moment < 3)
        assert save_checkpoint(folder, model, styles=(), training={}) == load_checkpoint(folder).digest != old
        assert not list(folder.glob("*.next.*"))


def _only_beside(plain: Callable[[Path, Path], Path], error: type[Exception]) -> Callable[[Path, Path], Path]:
    def replace(self: Path, target: Path) -> Path:
        if self.name == "model.next.safetensors":
            raise error
        return plain(self, target)

    return replace
