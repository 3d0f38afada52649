"""Checkpoints: a folder with ``model.safetensors``, ``config.json`` and a model card.

Nothing is ever unpickled. ``config.json`` names the format, its version, the model's sizes, the digest
of the weights and what the model was trained on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from symgen.errors import CheckpointError
from symgen.model.vae import LineVae, VaeConfig

__all__ = ["FORMAT", "VERSION", "Checkpoint", "bundled_checkpoint", "load_checkpoint", "save_checkpoint", "write_whole"]

FORMAT, VERSION = "symgen line vae", 1
_WEIGHTS, _CONFIG = "model.safetensors", "config.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A trained model and what is known of it.

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


def bundled_checkpoint(name: str = "line-light") -> Path:
    """Return the folder of a checkpoint that ships with the package.

    Raises
    ------
    CheckpointError
        If there is none of that name.
    """
    folder = Path(str(resources.files("symgen.checkpoints"))) / name
    if not (folder / _CONFIG).is_file():
        msg = f"checkpoint {name!r}: not in this installation; train one with `symgen train` and pass its folder"
        raise CheckpointError(msg)
    return folder


def save_checkpoint(folder: Path, model: LineVae, *, styles: tuple[str, ...], training: dict[str, Any]) -> str:
    """Write a checkpoint, the configuration last; return the digest of its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = save({name: tensor.contiguous() for name, tensor in model.state_dict().items()})
    digest = hashlib.sha256(weights).hexdigest()
    config = {
        "format": FORMAT,
        "version": VERSION,
        "model": model.config.as_dict(),
        "sha256": digest,
        "styles": list(styles),
        "training": training,
    }
    write_whole(folder / _WEIGHTS, weights)
    write_whole(folder / _CONFIG, (json.dumps(config, indent=2) + "\n").encode())
    return digest


def load_checkpoint(folder: Path) -> Checkpoint:
    """Return the checkpoint in a folder.

    Raises
    ------
    CheckpointError
        If the folder holds none, or one that is foreign, damaged or of another version.
    """
    config = _read_config(folder)
    sizes = _vae_config(folder, config["model"])
    try:
        data = (folder / _WEIGHTS).read_bytes()
    except OSError as error:
        msg = f"{folder / _WEIGHTS}: {error.strerror}: expected the weights of the checkpoint"
        raise CheckpointError(msg) from None
    digest = hashlib.sha256(data).hexdigest()
    if digest != config["sha256"]:
        msg = f"{folder / _WEIGHTS}: damaged: its SHA-256 is {digest[:12]}, expected {str(config['sha256'])[:12]}"
        raise CheckpointError(msg)
    model = LineVae(sizes)
    try:
        model.load_state_dict(load(data))
    except (SafetensorError, RuntimeError) as error:
        first_line = str(error).strip().splitlines()[0]
        msg = f"{folder / _WEIGHTS}: does not fit its configuration: {first_line}"
        raise CheckpointError(msg) from None
    model.eval().requires_grad_(False)
    return Checkpoint(model, digest, tuple(config["styles"]), config["training"])


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it appears whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / _CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: {error.strerror}: expected the configuration of a checkpoint"
        raise CheckpointError(msg) from None
    except ValueError as error:
        msg = f"{path}: not the configuration of a checkpoint: {error}"
        raise CheckpointError(msg) from None
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        msg = f"{path}: expected a checkpoint with the format {FORMAT!r}"
        raise CheckpointError(msg)
    if config.get("version") != VERSION:
        msg = f"{path}: version {config.get('version')}: expected {VERSION}"
        raise CheckpointError(msg)
    missing = {"model", "sha256", "styles", "training"} - config.keys()
    if missing:
        msg = f"{path}: expected an entry {sorted(missing)[0]!r}"
        raise CheckpointError(msg)
    return config


def _vae_config(folder: Path, sizes: Any) -> VaeConfig:
    """Check every size before anything is allocated."""
    known = {field.name: field for field in fields(VaeConfig)}
    if not isinstance(sizes, dict) or set(sizes) != set(known):
        msg = f"{folder / _CONFIG}: model: expected exactly the entries {', '.join(known)}"
        raise CheckpointError(msg)
    default = VaeConfig()
    values: dict[str, Any] = {}
    for name, value in sizes.items():
        kind = type(getattr(default, name))
        values[name] = tuple(value) if kind is tuple and isinstance(value, list) else value
        numbers = values[name] if kind is tuple else (values[name],)
        if not all(isinstance(n, int | float) and 0 <= n <= 4096 for n in numbers):
            msg = f"{folder / _CONFIG}: model: {name}: {value!r}: expected a number from 0 to 4096"
            raise CheckpointError(msg)
    return VaeConfig(**values)
