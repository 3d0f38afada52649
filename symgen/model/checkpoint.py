"""Checkpoints: a folder with ``model.safetensors``, ``config.json`` and a model card.

Nothing is ever unpickled. ``config.json`` names the format, its version, the model's sizes, the digest
of the weights and what the model was trained on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from symgen.errors import CheckpointError
from symgen.files import write_whole
from symgen.model.vae import LineVae, VaeConfig

__all__ = [
    "FORMAT",
    "VERSION",
    "Checkpoint",
    "bundled_checkpoint",
    "checkpoint_folder",
    "load_checkpoint",
    "save_checkpoint",
]

FORMAT = "symgen line vae"
VERSION = 2
_WEIGHTS, _CONFIG, _CARD = "model.safetensors", "config.json", "MODEL_CARD.md"
_ENTRIES: dict[str, type] = {"model": dict, "sha256": str, "styles": list, "training": dict}


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
    folder: Path, model: LineVae, *, styles: tuple[str, ...], training: dict[str, Any], card: str = ""
) -> str:
    """Write a checkpoint, the configuration last; return the digest of its weights.

    Parameters
    ----------
    folder
        Made if it is not there.
    model
        Whose weights and sizes are kept.
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
    config = {
        "format": FORMAT,
        "version": VERSION,
        "model": model.config.as_dict(),
        "sha256": digest,
        "styles": list(styles),
        "training": training,
    }
    write_whole(folder / _WEIGHTS, weights)
    write_whole(folder / _CARD, (card or f"# {folder.name}\n").encode())
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
    sizes = _sizes(folder, config["model"])
    try:
        data = (folder / _WEIGHTS).read_bytes()
    except OSError as error:
        msg = f"{folder / _WEIGHTS}: {error.strerror}: expected the weights of the checkpoint"
        raise CheckpointError(msg) from None
    digest = hashlib.sha256(data).hexdigest()
    if digest != config["sha256"]:
        msg = f"{folder / _WEIGHTS}: damaged: its SHA-256 is {digest[:12]}, expected {str(config['sha256'])[:12]}"
        raise CheckpointError(msg)
    try:
        model = LineVae(sizes)
        model.load_state_dict({name: tensor.float() for name, tensor in load(data).items()})
    except (SafetensorError, RuntimeError, ValueError, AssertionError) as error:
        first_line = str(error).strip().partition("\n")[0]
        msg = f"{folder / _WEIGHTS}: does not fit its configuration: {first_line}"
        raise CheckpointError(msg) from None
    model.eval().requires_grad_(False)
    return Checkpoint(model, digest, tuple(config["styles"]), config["training"])


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
    for entry, kind in _ENTRIES.items():
        if not isinstance(config.get(entry), kind):
            msg = f"{path}: {entry}: {config.get(entry)!r}: expected a JSON {kind.__name__}"
            raise CheckpointError(msg)
    if not all(isinstance(style, str) for style in config["styles"]):
        msg = f"{path}: styles: {config['styles']!r}: expected names"
        raise CheckpointError(msg)
    return config


def _sizes(folder: Path, sizes: dict[str, Any]) -> VaeConfig:
    """Check every size before anything is allocated."""
    known = VaeConfig().as_dict()
    if sizes.keys() != known.keys():
        msg = f"{folder / _CONFIG}: model: expected exactly the entries {', '.join(known)}"
        raise CheckpointError(msg)
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in sizes.items()}
    for name, default in known.items():
        if not _is_size_like(values[name], default):
            msg = f"{folder / _CONFIG}: model: {name}: {values[name]!r}: expected one such as {default!r}, up to 4096"
            raise CheckpointError(msg)
    return VaeConfig(**values)


def _is_size_like(value: Any, default: Any) -> bool:
    """Whether a value has the type of a default, and is small enough to allocate."""
    if isinstance(default, tuple):
        return isinstance(value, tuple) and 0 < len(value) <= 64 and all(_is_size_like(v, 1) for v in value)
    if isinstance(default, float):
        return isinstance(value, int | float) and 0 <= value < 1
    return type(value) is int and 0 <= value <= 4096
