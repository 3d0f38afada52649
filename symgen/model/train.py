"""Training the factor VAE: one loop, deterministic for a seed, resumable after a kill.

Every update draws its chance from the seed and its own number, so that a run that was stopped and
resumed makes the same updates as one that was not. The state is written whole, beside the old one,
and then renamed.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from symgen.conditions import FEATURE_COLUMNS
from symgen.errors import RequestError
from symgen.model.data import Batch, BatchSampler, LineRun
from symgen.model.runs import follow, log_row, rate_share, restore_run, store_run
from symgen.model.vae import LineVae, Terms, VaeConfig
from symgen.model.workers import workers

__all__ = ["FINE_TUNING", "Progress", "TrainConfig", "evaluate", "train"]


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Settings of a training run."""

    n_updates: int = 5000
    batch_slots: int = 4608  # slots in a batch
    window_bars: tuple[int, ...] = (8, 16)
    learning_rate: float = 1.2e-3
    warmup_updates: int = 200
    kl_weight: float = 0.2  # weight of the latents' cost once warm
    kl_warmup_updates: int = 1000
    condition_dropout: float = 0.15  # chance of each condition to be left out
    ema_decay: float = 0.999  # of the averaged weights that are kept
    gradient_norm: float = 1.0
    evaluate_every: int = 500
    save_every: int = 250
    patience: int = 0  # validations without a better bound before the run stops; 0: it never does
    frozen: tuple[str, ...] = ()  # parts of the model that stay as they begin
    device: str = "cpu"  # as torch names it; only on the CPU are two runs alike to the last bit
    precision: str = "float32"  # or bfloat16, for what may be less exact: quicker on accelerators
    seed: int = 0
    n_threads: int = 1  # sums depend on it: another number, other weights

    def __post_init__(self) -> None:
        if self.n_updates < 1 or self.n_threads < 1 or self.patience < 0 or not 0 <= self.seed < 2**40:
            msg = (
                f"updates {self.n_updates}, threads {self.n_threads}, patience {self.patience}, seed {self.seed}: "
                "expected at least 1, 1, 0 and 0"
            )
            raise RequestError(msg)
        if self.precision not in _PRECISIONS:
            msg = f"precision {self.precision!r}: expected {' or '.join(_PRECISIONS)}"
            raise RequestError(msg)


_PRECISIONS = ("float32", "bfloat16")

FINE_TUNING = TrainConfig(
    n_updates=600, learning_rate=6e-4, warmup_updates=50, kl_warmup_updates=1, evaluate_every=50, patience=4
)
"""Settings for a training that begins with a trained model: what is little is soon known by heart."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a training run tells while it goes.

    Parameters
    ----------
    update, n_updates
        How far it is.
    reconstruction, kl
        Terms of the evidence bound on the last batch, nats a slot; the line's is the chain's.
    validation
        Negative evidence bound on held-out windows, nats a slot, when it was last measured.
    """

    update: int
    n_updates: int
    reconstruction: float
    kl: float
    validation: float


def train(
    model_config: VaeConfig,
    config: TrainConfig,
    runs: Sequence[LineRun],
    validation_runs: Sequence[LineRun],
    folder: Path,
    *,
    begin_with: LineVae | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[LineVae, dict[str, float]]:
    """Train a model, going on from the state in ``folder`` where there is one.

    Parameters
    ----------
    model_config, config
        Sizes and settings; a state of other ones is refused.
    runs, validation_runs
        Data to learn from, and to measure with.
    folder
        Where the state and the history are kept.
    begin_with
        A trained model of these sizes, whose weights a new run begins with; random ones if left out.
    progress
        Called after every update.

    Returns
    -------
    model : LineVae
        With the averaged weights, ready for inference.
    figures : dict
        The last validation.

    Raises
    ------
    CheckpointError
        If the folder holds the state of another run.
    RequestError
        If there is no such device here, or no part of the model of a name that is to be frozen.
    """
    device = _device(config.device)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(config.n_threads)
    torch.manual_seed(config.seed)
    model, averaged = LineVae(model_config), LineVae(model_config)
    if begin_with is not None:
        model.load_state_dict(begin_with.state_dict())
    _freeze(model, config.frozen)
    averaged.load_state_dict(model.state_dict())
    best = LineVae(model_config) if config.patience else averaged
    for one in (model, averaged, best):
        one.to(device)
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    sampler = BatchSampler(runs, n_bars=config.window_bars, batch_slots=config.batch_slots)
    BatchSampler(validation_runs, n_bars=(min(config.window_bars),), batch_slots=config.batch_slots)  # or an error now
    begun = [] if begin_with is None else [_digest_of_weights(begin_with)]
    run_digest = json.dumps([model_config.as_dict(), asdict(config), _digest(runs), *begun])
    models, optimisers = {"model": model, "averaged": averaged}, {"optimiser": optimiser}
    if config.patience:
        models["best"] = best
    start, figures = restore_run(folder, run_digest, models, optimisers)
    began = time.time()
    for update in range(start, config.n_updates):
        if _has_waited(figures, config):
            break
        loss = _update(model, averaged, optimiser, sampler, config, update)
        done = update + 1
        if not workers().is_first:
            if config.patience and done % config.evaluate_every == 0:
                figures = {_WAITED: float(workers().told(0))}
            continue
        if done % config.evaluate_every == 0 or done == config.n_updates:
            found = evaluate(averaged, validation_runs, config)
            figures = _with_best(found, figures, averaged, best) if config.patience else found
            if config.patience and done % config.evaluate_every == 0:
                workers().told(int(figures[_WAITED]))
            log_row(
                folder,
                {
                    "update": done,
                    "began": began,
                    "time": time.time(),
                    "train_reconstruction": loss[0],
                    "train_kl": loss[1],
                    **figures,
                },
            )
        if done % config.save_every == 0 or done == config.n_updates or _has_waited(figures, config):
            store_run(folder, run_digest, done, figures, models, optimisers)
        if progress is not None:
            progress(Progress(done, config.n_updates, *loss, figures.get("negative_elbo", math.nan)))
    workers().wait()
    if config.patience and workers().is_first:
        figures = evaluate(best, validation_runs, config)
    best.cpu().eval().requires_grad_(False)
    return best, figures


_BEST, _WAITED = "best_bound", "validations_since_best"


def _with_best(
    figures: Mapping[str, float], before: Mapping[str, float], averaged: LineVae, best: LineVae
) -> dict[str, float]:
    """Keep the weights if none were better by the bounds of both decoders; return the figures with that in them."""
    bound, least = figures["chain_bound"] + figures["causal_bound"], before.get(_BEST, math.inf)
    if bound >= least:
        return {**figures, _BEST: least, _WAITED: before.get(_WAITED, 0) + 1}
    best.load_state_dict(averaged.state_dict())
    return {**figures, _BEST: bound, _WAITED: 0}


def _has_waited(figures: Mapping[str, float], config: TrainConfig) -> bool:
    """Whether the bound has not got better for so long that the run is over."""
    return 0 < config.patience <= figures.get(_WAITED, 0)


def _device(name: str) -> torch.device:
    """Return a device that is here."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # as torch was built, and what it found
        msg = f"device {name!r}: {str(error).splitlines()[0]}: expected cpu, or an accelerator that torch finds here"
        raise RequestError(msg) from None
    return device


def _freeze(model: LineVae, names: Sequence[str]) -> None:
    """Let parts of a model not learn: parameters, or all of those of a module."""
    for name in names:
        found = [p for own, p in model.named_parameters() if own == name or own.startswith(f"{name}.")]
        if not found:
            msg = f"frozen: {name!r}: no such part of the model"
            raise RequestError(msg)
        for parameter in found:
            parameter.requires_grad = False


def evaluate(model: LineVae, runs: Sequence[LineRun], config: TrainConfig, *, n_batches: int = 12) -> dict[str, float]:
    """Return the terms of the evidence bounds on held-out windows, in nats a slot.

    Always the same windows and the same draws, so that figures can be compared.
    """
    sampler = BatchSampler(runs, n_bars=(min(config.window_bars),), batch_slots=config.batch_slots)
    model.eval()
    device = model.first.device
    names = [field.name for field in fields(Terms)]
    totals, n_slots = np.zeros(len(names)), 0
    state = torch.get_rng_state()
    torch.manual_seed(0)
    with torch.no_grad():
        for batch in sampler.every(n_batches):
            terms = model.losses(*(tensor.to(device) for tensor in _tensors(batch)))
            totals += np.array([float(getattr(terms, name)) for name in names]) * batch.line.size
            n_slots += batch.line.size
    torch.set_rng_state(state)
    found = dict(zip(names, (totals / n_slots).tolist(), strict=True))
    latents = sum(value for name, value in found.items() if name.startswith("kl_"))
    bounds = {f"{by}_bound": found[f"{by}_rhythm"] + found[f"{by}_pitch"] + latents for by in ("chain", "causal")}
    return {"negative_elbo": bounds["chain_bound"], **bounds, **found}


def _update(
    model: LineVae,
    averaged: LineVae,
    optimiser: torch.optim.Optimizer,
    sampler: BatchSampler,
    config: TrainConfig,
    update: int,
) -> tuple[float, float]:
    """Make one update; return reconstruction by the chain and cost of the latents in nats a slot."""
    mine = workers()
    torch.manual_seed(mine.number(config.seed, update))
    chance = torch.Generator().manual_seed(mine.number(config.seed, update))
    line, features = _tensors(sampler.draw(np.random.default_rng(mine.seeds(config.seed, update))))
    features = condition_dropout(features, config.condition_dropout, chance)
    for group in optimiser.param_groups:
        group["lr"] = config.learning_rate * rate_share(update, config.warmup_updates, config.n_updates)
    model.train()
    device = model.first.device
    with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bfloat16"):
        terms = model.losses(line.to(device), features.to(device))
    kl_weight = config.kl_weight * min((update + 1) / config.kl_warmup_updates, 1.0)
    chain, causal = terms.chain_rhythm + terms.chain_pitch, terms.causal_rhythm + terms.causal_pitch
    total = chain + causal + terms.harmony + terms.count + 2 * kl_weight * terms.kl  # a bound for each decoder
    optimiser.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    mine.share_gradients(model)
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.gradient_norm)
    optimiser.step()
    follow(averaged, model, min(config.ema_decay, (update + 1) / (update + 10)))
    return chain.item(), terms.kl.item()


_DROPPED = (("chord", "chord root", "chord bass", "chord known"), ("scale",), ("style",), ("phrase", "last bar"))


def condition_dropout(features: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return features in which some windows know no chords, some no scale, some no style, some not where they stand.

    Parameters
    ----------
    features
        Shape (batch, bars, bar_slots, N_FEATURES).
    share
        Chance of each to be dropped.
    generator
        Source of chance.
    """
    dropped = features.clone()
    for group in _DROPPED:
        chosen = torch.rand(len(features), generator=generator) < share
        for name in group:
            dropped[chosen, ..., FEATURE_COLUMNS[name]] = 0
    return dropped


def _tensors(batch: Batch) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(batch.line.astype(np.int64)), torch.from_numpy(batch.features.astype(np.float32))


def _digest(runs: Sequence[LineRun]) -> str:
    """Return a digest of what there is to learn from."""
    digest = hashlib.sha256()
    for run in runs:
        digest.update(run.line.tobytes() + run.features.tobytes())
    return digest.hexdigest()


def _digest_of_weights(model: LineVae) -> str:
    return hashlib.sha256(save({name: value.contiguous() for name, value in model.state_dict().items()})).hexdigest()
