"""The state of a training run: written whole, so that a killed run goes on as if it had not been.

A state is one safetensors file: weights and optimisers by name, and in its metadata what run it is, how far it came,
and its last figures. Beside it stands the history: a JSON line for each validation, and the same for TensorBoard.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from symgen.errors import CheckpointError
from symgen.files import write_whole

__all__ = ["follow", "hours_of", "log_row", "rate_share", "restore_run", "store_run", "torch_version"]

_STATE, _HISTORY = "state.safetensors", "history.jsonl"
_EVENTS = "events.out.tfevents.0.symgen"  # TensorBoard goes by the name


def store_run(
    folder: Path,
    run: str,
    update: int,
    figures: Mapping[str, float],
    models: Mapping[str, nn.Module],
    optimisers: Mapping[str, torch.optim.Optimizer],
) -> None:
    """Write the state of a run.

    Parameters
    ----------
    folder
        Where it is kept.
    run
        Digest of settings and data: a state is only read by the run it belongs to.
    update, figures
        How far it is, and what it last measured.
    models, optimisers
        By name.
    """
    tensors = {f"{name}.{key}": value for name, model in models.items() for key, value in model.state_dict().items()}
    for name, optimiser in optimisers.items():
        for number, moments in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}.{number}.{key}": value for key, value in moments.items()}
    metadata = {"run": run, "update": str(update), "figures": json.dumps(dict(figures))}
    contiguous = {name: value.contiguous() for name, value in tensors.items()}
    write_whole(folder / _STATE, save(contiguous, metadata=metadata))


def restore_run(
    folder: Path,
    run: str,
    models: Mapping[str, nn.Module],
    optimisers: Mapping[str, torch.optim.Optimizer],
) -> tuple[int, dict[str, float]]:
    """Load the state of a run, if there is one; return the updates it has behind it and its last figures.

    Raises
    ------
    CheckpointError
        If the state is damaged, or of another run.
    """
    path = folder / _STATE
    if not path.is_file():
        return 0, {}
    try:
        data = path.read_bytes()
        metadata = _metadata(data)
        update, figures = int(metadata["update"]), json.loads(metadata["figures"])
        if metadata["run"] == run:
            _load(load(data), models, optimisers)
            return update, figures
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        msg = f"{path}: damaged ({type(error).__name__}); delete it to start anew"
        raise CheckpointError(msg) from None
    msg = f"{path}: belongs to a run with other settings or other data; name another folder or delete it"
    raise CheckpointError(msg)


def follow(averaged: nn.Module, model: nn.Module, decay: float) -> None:
    """Move averaged weights towards those of a model, by ``1 - decay`` of the way."""
    with torch.no_grad():
        for kept, new in zip(averaged.parameters(), model.parameters(), strict=True):
            kept.lerp_(new, 1 - decay)


def rate_share(update: int, warmup_updates: int, n_updates: int) -> float:
    """Return the share of the full learning rate: a short rise, then half a cosine down to 2%."""
    if update < warmup_updates:
        return (update + 1) / warmup_updates
    rest = (update - warmup_updates) / max(n_updates - warmup_updates, 1)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * rest))


def log_row(folder: Path, row: Mapping[str, float]) -> None:
    """Add a line to the history, which is written whole like all else."""
    path = folder / _HISTORY
    before = path.read_bytes() if path.is_file() else b""
    history = before + json.dumps(dict(row)).encode() + b"\n"
    write_whole(path, history)
    write_whole(folder / _EVENTS, _events([json.loads(line) for line in history.splitlines()]))


def _events(rows: Sequence[Mapping[str, float]]) -> bytes:
    """Return a history as TensorBoard's events: a scalar for each figure of each row."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary
    from tensorboardX.record_writer import RecordWriter

    with tempfile.TemporaryDirectory() as folder:  # the writer knows files alone
        path = Path(folder) / "events"
        writer = RecordWriter(str(path))
        writer.write(Event(wall_time=rows[0]["time"], file_version="brain.Event:2").SerializeToString())
        for row in rows:
            figures = {name: value for name, value in row.items() if name not in {"update", "began", "time"}}
            values = [Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
            event = Event(wall_time=row["time"], step=int(row["update"]), summary=Summary(value=values))
            writer.write(event.SerializeToString())
        writer.close()
        return path.read_bytes()


def hours_of(folder: Path) -> float:
    """Return how long a run took by its history, without pauses and what they undid; 0 where it has none."""
    path = folder / _HISTORY
    if not path.is_file():
        return 0.0
    rows = [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]
    ends = {row["began"]: row["time"] for row in rows if "began" in row}  # of each time it was begun, the last row
    return float(sum(end - begin for begin, end in ends.items())) / 3600


def torch_version() -> str:
    """Return the version of torch."""
    return str(torch.__version__)


def _load(
    tensors: dict[str, Tensor], models: Mapping[str, nn.Module], optimisers: Mapping[str, torch.optim.Optimizer]
) -> None:
    for name, model in models.items():
        model.load_state_dict(_under(tensors, f"{name}."))
    for name, optimiser in optimisers.items():
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in _under(tensors, f"{name}.").items():
            number, _, moment = key.partition(".")
            moments.setdefault(int(number), {})[moment] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})


def _metadata(data: bytes) -> dict[str, Any]:
    """Read the text entries at the head of a safetensors file: eight bytes of length, then JSON."""
    length = int.from_bytes(data[:8], "little")
    found: dict[str, Any] = json.loads(data[8 : 8 + length])["__metadata__"]
    return found


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
