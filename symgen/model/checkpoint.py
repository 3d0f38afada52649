"""Checkpoints: a folder with ``model.safetensors``, ``config.json`` and a model card.

Nothing is ever unpickled. ``config.json`` names the format, its version, the model's sizes, the digest
of the weights and what the model was trained on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from symgen.errors import CheckpointError
from symgen.files import write_whole
from symgen.model.ensemble.config import EnsembleConfig
from symgen.model.ensemble.network import EnsembleDecoder
from symgen.model.ensemble.vae import EnsembleVae
from symgen.model.vae import LineVae, VaeConfig

__all__ = [
    "FORMAT",
    "VERSION",
    "Checkpoint",
    "EnsembleCheckpoint",
    "bundled_checkpoint",
    "checkpoint_folder",
    "load_checkpoint",
    "load_ensemble",
    "save_checkpoint",
]

FORMAT = "symgen line vae"
VERSION = 2


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of checkpoint: the version of its layout, the default sizes, and what builds a model of some sizes."""

    version: int
    sizes: Any
    build: Callable[[Any], nn.Module]


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        FORMAT: _Kind(VERSION, VaeConfig(), LineVae),
        "symgen ensemble vae": _Kind(1, EnsembleConfig(), EnsembleVae),
        "symgen ensemble gan": _Kind(1, EnsembleConfig(), EnsembleDecoder),
    }
)
_LINES, _ENSEMBLES = (FORMAT,), ("symgen ensemble gan", "symgen ensemble vae")
_WEIGHTS, _CONFIG, _CARD = "model.safetensors", "config.json", "MODEL_CARD.md"
_NEXT = "model.next.safetensors"  # weights that are to be those of the folder
_ENTRIES: dict[str, type] = {"model": dict, "sha256": str, "styles": list, "training": dict}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A trained line model and what is known of it.

    Parameters
    ----------
    model
        Ready for inference.
    digest
        SHA-256 of its weights.
    styles
        Styles it was trained on.
    training
        What it was trained with: corpora, seed, steps, figures.
    """

    model: LineVae
    digest: str
    styles: tuple[str, ...]
    training: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EnsembleCheckpoint:
    """A trained model of an ensemble and what is known of it, as for :class:`Checkpoint`.

    Parameters
    ----------
    decoder
        A VAE's, or the generator of a GAN.
    digest, styles, training
        As there.
    is_gan
        Which of the two it is.
    """

    decoder: EnsembleDecoder
    digest: str
    styles: tuple[str, ...]
    training: dict[str, Any]
    is_gan: bool


def bundled_checkpoint(name: str = "line-main") -> Path:
    """Return the folder of a checkpoint that ships with the package.

    Raises
    ------
    CheckpointError
        If there is none of that name.
    """
    folder = Path(str(resources.files("symgen.checkpoints"))) / name
    if not (folder / _CONFIG).is_file():
        held = ", ".join(sorted(path.name for path in folder.parent.iterdir() if (path / _CONFIG).is_file()))
        msg = f"checkpoint {name!r}: neither a folder nor in this installation, which has {held or 'none'}"
        raise CheckpointError(msg)
    return folder


def checkpoint_folder(name: str | Path | None = None) -> Path:
    """Return the folder of a checkpoint: the one named, or the bundled one of that name, or the bundled one.

    Raises
    ------
    CheckpointError
        If there is none.
    """
    if name is None:
        return bundled_checkpoint()
    folder = Path(name)
    is_name = not folder.exists() and folder.name == str(name)
    return bundled_checkpoint(str(name)) if is_name else folder.resolve()


def save_checkpoint(
    folder: Path, model: Any, *, styles: tuple[str, ...], training: dict[str, Any], card: str = ""
) -> str:
    """Write a checkpoint; return the digest of its weights.

    Whenever it is interrupted, the folder holds the old checkpoint or the new one: the configuration, which names the
    weights by their digest, is what changes hands.

    Parameters
    ----------
    folder
        Made if it is not there.
    model
        Of one of the kinds; its weights and sizes are kept.
    styles
        What it was trained on.
    training
        What it was trained with: plain values for the configuration.
    card
        The model card, Markdown for people.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = save({name: tensor.half().contiguous() for name, tensor in model.state_dict().items()})
    digest = hashlib.sha256(weights).hexdigest()
    name = next(name for name, kind in _KINDS.items() if type(model) is kind.build)
    config = {
        "format": name,
        "version": _KINDS[name].version,
        "model": model.config.as_dict(),
        "sha256": digest,
        "styles": list(styles),
        "training": training,
    }
    write_whole(folder / _NEXT, weights)
    write_whole(folder / _CARD, (card or f"# {folder.name}\n").encode())
    write_whole(folder / _CONFIG, (json.dumps(config, indent=2) + "\n").encode())
    (folder / _NEXT).replace(folder / _WEIGHTS)
    return digest


def load_checkpoint(folder: Path) -> Checkpoint:
    """Return the line model in a folder.

    Raises
    ------
    CheckpointError
        If the folder holds none, or one that is foreign, damaged or of another version.
    """
    return Checkpoint(*_loaded(folder, _LINES))


def load_ensemble(folder: Path) -> EnsembleCheckpoint:
    """Return the model of an ensemble in a folder.

    Raises
    ------
    CheckpointError
        If the folder holds none, or one that is foreign, damaged or of another version.
    """
    model, digest, styles, training = _loaded(folder, _ENSEMBLES)
    is_gan = isinstance(model, EnsembleDecoder)
    return EnsembleCheckpoint(model if is_gan else model.decoder, digest, styles, training, is_gan)


def _loaded(folder: Path, formats: tuple[str, ...]) -> tuple[Any, str, tuple[str, ...], dict[str, Any]]:
    """Return model, digest of its weights, styles and what is known of its training."""
    config = _read_config(folder, formats)
    kind = _KINDS[config["format"]]
    sizes = _sizes(folder, config["model"], kind.sizes)
    data = _weights(folder, config["sha256"])
    try:
        tensors = _checked_tensors(load(data), kind, sizes)
        model = kind.build(sizes)
        model.load_state_dict(tensors, assign=True)
    except (SafetensorError, RuntimeError, ValueError, AssertionError) as error:
        first_line = str(error).strip().partition("\n")[0]
        msg = f"{folder / _WEIGHTS}: does not fit its configuration: {first_line}"
        raise CheckpointError(msg) from None
    model.eval().requires_grad_(False)
    return model, config["sha256"], tuple(config["styles"]), config["training"]


def _weights(folder: Path, digest: str) -> bytes:
    """Return the weights of a digest; a writer that was killed has left them under another name."""
    found = ""
    for path in (folder / _WEIGHTS, folder / _NEXT):
        try:
            data = path.read_bytes()
        except OSError as error:
            if path.name == _WEIGHTS and not (folder / _NEXT).exists():
                msg = f"{path}: {error.strerror}: expected the weights of the checkpoint"
                raise CheckpointError(msg) from None
            continue
        if (own := hashlib.sha256(data).hexdigest()) == digest:
            return data
        found = found or own
    msg = f"{folder / _WEIGHTS}: damaged: its SHA-256 is {found[:12]}, expected {digest[:12]}"
    raise CheckpointError(msg)


def _checked_tensors(tensors: Mapping[str, Tensor], kind: _Kind, sizes: Any) -> dict[str, Tensor]:
    """Return weights as 32-bit numbers, their names, shapes and values checked before a model is made.

    Raises
    ------
    ValueError
        Which says what was expected.
    """
    with torch.device("meta"):  # shapes without memory
        expected = {name: tuple(tensor.shape) for name, tensor in kind.build(sizes).state_dict().items()}
    for name in sorted(expected.keys() ^ tensors.keys()):
        msg = f"{'no' if name in expected else 'unknown'} tensor {name}"
        raise ValueError(msg)
    for name, tensor in tensors.items():
        if tuple(tensor.shape) != expected[name]:
            msg = f"{name}: shape {tuple(tensor.shape)}: expected {expected[name]}"
            raise ValueError(msg)
    found = {name: tensor.float() for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or not np.isfinite(found[name].numpy()).all():
            what = "numbers that are not finite" if tensor.is_floating_point() else f"numbers of {tensor.dtype}"
            msg = f"{name}: {what}: expected finite ones of 16 or 32 bits"
            raise ValueError(msg)
    return found


def _read_config(folder: Path, formats: tuple[str, ...]) -> dict[str, Any]:
    path = folder / _CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: {error.strerror}: expected the configuration of a checkpoint"
        raise CheckpointError(msg) from None
    except ValueError as error:
        msg = f"{path}: not the configuration of a checkpoint: {error}"
        raise CheckpointError(msg) from None
    if not isinstance(config, dict) or config.get("format") not in formats:
        msg = f"{path}: expected a checkpoint with the format {' or '.join(repr(name) for name in formats)}"
        raise CheckpointError(msg)
    version = _KINDS[config["format"]].version
    if config.get("version") != version:
        msg = f"{path}: version {config.get('version')}: expected {version}"
        raise CheckpointError(msg)
    for entry, kind in _ENTRIES.items():
        if not isinstance(config.get(entry), kind):
            msg = f"{path}: {entry}: {config.get(entry)!r}: expected a JSON {kind.__name__}"
            raise CheckpointError(msg)
    if not all(isinstance(style, str) for style in config["styles"]):
        msg = f"{path}: styles: {config['styles']!r}: expected names"
        raise CheckpointError(msg)
    return config


def _sizes(folder: Path, sizes: dict[str, Any], default_sizes: Any) -> Any:
    """Check every size before anything is allocated."""
    known = default_sizes.as_dict()
    if sizes.keys() != known.keys():
        msg = f"{folder / _CONFIG}: model: expected exactly the entries {', '.join(known)}"
        raise CheckpointError(msg)
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in sizes.items()}
    for name, default in known.items():
        if not _is_size_like(values[name], default):
            msg = f"{folder / _CONFIG}: model: {name}: {values[name]!r}: expected one such as {default!r}, up to 4096"
            raise CheckpointError(msg)
    try:
        return type(default_sizes)(**values)
    except AssertionError:
        msg = f"{folder / _CONFIG}: model: sizes that do not go together"
        raise CheckpointError(msg) from None


def _is_size_like(value: Any, default: Any) -> bool:
    """Whether a value has the type of a default, and is small enough to allocate."""
    if isinstance(default, tuple):
        return isinstance(value, tuple) and 0 < len(value) <= 64 and all(_is_size_like(v, default[0]) for v in value)
    if isinstance(default, str | bool):
        return type(value) is type(default) and len(str(value)) <= 64
    if isinstance(default, float):
        return isinstance(value, int | float) and 0 <= value < 1
    return type(value) is int and 0 <= value <= 4096
