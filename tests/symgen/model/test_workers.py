"""Two processes train one model: the same weights in both, the mean of the gradients, one that writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from symgen.model.workers import Workers

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
PROGRAM = """
import sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from ensemble_music import TINY, song
from symgen.model.ensemble.data import ensemble_runs
from symgen.model.ensemble.train import EnsembleTraining, train_ensemble_vae
from symgen.model.workers import workers
out = Path(sys.argv[1])
runs = list(ensemble_runs([(song(shift), "pop") for shift in range(4)], TINY))
config = EnsembleTraining(n_updates=3, batch_bars=16, window_bars=(4,), evaluate_every=3, save_every=3)
model, figures = train_ensemble_vae(TINY, config, runs, runs, out / "run")
kept = {name: value.contiguous() for name, value in model.state_dict().items() if not name.startswith("decoder.noise")}
save_file(kept, out / f"{workers().rank}.safetensors")
assert bool(figures) == workers().is_first
"""

STOPPING = """
import sys
from pathlib import Path
import numpy as np
from symgen.conditions import N_FEATURES
from symgen.model import train as module
from symgen.model.data import LineRun
from symgen.model.workers import workers
from test_train import PATIENT, TINY
out = Path(sys.argv[1])
rng = np.random.default_rng(0)
features = rng.normal(size=(6, 8, N_FEATURES)).astype(np.float16)
runs = [LineRun(rng.integers(2, 8, (6, 8)).astype(np.int16), features) for _ in range(8)]
n_updates, update = [0], module._update
def counted(*arguments):
    n_updates[0] += 1
    return update(*arguments)
module._update = counted
module.train(TINY, PATIENT, runs[:4], runs[4:], out / "run")
(out / f"{workers().rank}.txt").write_text(str(n_updates[0]))
"""
KEPT = ["events.out.tfevents.0.symgen", "history.jsonl", "state.safetensors"]


def test_alone_nothing_changes() -> None:
    alone, second = Workers(), Workers(1, 2)
    assert alone.seeds(5, 7) == [5, 7]
    assert second.seeds(5, 7) == [5, 7, 1]
    assert alone.number(5, 7) == 5_000_022
    assert second.number(5, 7) != alone.number(5, 7)
    model = torch.nn.Linear(2, 1)
    model(torch.ones(1, 2)).sum().backward()
    before = model.weight.grad.clone()  # type: ignore[union-attr]
    alone.share_gradients(model)
    assert torch.equal(model.weight.grad, before)  # type: ignore[arg-type]


def run_twice(text: str, folder: Path) -> None:
    """Run a program in two processes that know of each other."""
    program = folder / "program.py"
    program.write_text(text)
    path = os.pathsep.join([str(ROOT), str(HERE), str(HERE / "ensemble")])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", program, folder],
        capture_output=True, text=True, env=environment, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no processes")
def test_two_processes_end_with_the_same_weights(tmp_path: Path) -> None:
    run_twice(PROGRAM, tmp_path)
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == KEPT
    assert (tmp_path / "run" / "history.jsonl").read_text().count("\n") == 1


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no processes")
def test_two_processes_stop_together(tmp_path: Path) -> None:
    run_twice(STOPPING, tmp_path)
    n_rows = (tmp_path / "run" / "history.jsonl").read_text().count("\n")
    assert [(tmp_path / f"{rank}.txt").read_text() for rank in (0, 1)] == [str(2 * n_rows)] * 2
    assert n_rows < 100
