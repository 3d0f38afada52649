"""Training: a tiny model learns in seconds, resumes exactly, and its checkpoint comes back whole."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tensorboardX.proto.event_pb2 import Event

from symgen.alphabet import LineAlphabet
from symgen.conditions import N_FEATURES
from symgen.errors import CheckpointError, RequestError
from symgen.model.checkpoint import load_checkpoint, save_checkpoint
from symgen.model.data import LineRun
from symgen.model.runs import hours_of, log_row
from symgen.model.sample import line_potentials, sample_latents
from symgen.model.train import TrainConfig, condition_dropout, train
from symgen.model.vae import LineVae, VaeConfig, summary

TINY = VaeConfig(
    low=58,
    high=69,
    steps_per_quarter=4,
    places=(0, 1, 2, 3),
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
    max_bars=8,
    dropout=0.0,
)
SHORT = TrainConfig(
    n_updates=12,
    batch_slots=256,
    window_bars=(4,),
    warmup_updates=2,
    kl_warmup_updates=4,
    evaluate_every=6,
    save_every=4,
)


@pytest.fixture(scope="module")
def runs():
    """Runs of bars that all repeat one of two figures."""
    rng = np.random.default_rng(0)
    alphabet = LineAlphabet(TINY.low, TINY.high)
    figures = [[60, 0, 62, 0, 64, 0, 62, 0], [64, 1, 1, 1, 60, 1, 0, 0]]
    bars = [[alphabet.symbol(s) if s > 1 else s for s in figure] for figure in figures]
    features = rng.normal(size=(6, 8, N_FEATURES)).astype(np.float16)
    return [LineRun(np.array([bars[i % 2]] * 6, dtype=np.int16), features) for i in range(8)]


def test_a_tiny_model_learns(runs, tmp_path):
    told = []
    config = replace(SHORT, n_updates=120, learning_rate=3e-3, kl_weight=0.1)
    _, figures = train(TINY, config, runs, runs, tmp_path, progress=told.append)
    assert told[-1].update == 120
    assert told[0].reconstruction > 1.0
    assert figures["chain_rhythm"] + figures["chain_pitch"] < 0.5
    assert figures["causal_rhythm"] + figures["causal_pitch"] < 0.5
    assert figures["negative_elbo"] == figures["chain_bound"]
    assert np.isfinite(list(figures.values())).all()


def test_a_stopped_run_goes_on_as_if_it_had_not_been(runs, tmp_path):
    whole, _ = train(TINY, SHORT, runs, runs, tmp_path / "whole")

    class StopError(Exception):
        pass

    def stop(state):
        if state.update == 7:
            raise StopError

    with pytest.raises(StopError):
        train(TINY, SHORT, runs, runs, tmp_path / "parts", progress=stop)
    resumed, _ = train(TINY, SHORT, runs, runs, tmp_path / "parts")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


PATIENT = replace(SHORT, n_updates=200, learning_rate=0.05, evaluate_every=2, patience=3)
"""So large a rate that the bound soon gets worse."""


def test_a_run_stops_when_the_held_out_bound_has_not_got_better_and_keeps_the_best(runs, tmp_path):
    told = []
    model, figures = train(TINY, PATIENT, runs[:4], runs[4:], tmp_path, progress=told.append)
    rows = [json.loads(row) for row in (tmp_path / "history.jsonl").read_text().splitlines()]
    bounds = [row["chain_bound"] + row["causal_bound"] for row in rows]
    best = int(np.argmin(bounds))
    assert len(rows) == best + 1 + PATIENT.patience  # and no more than that
    assert told[-1].update == 2 * len(rows) < PATIENT.n_updates
    assert figures["chain_bound"] + figures["causal_bound"] == bounds[best]
    again, _ = train(TINY, PATIENT, runs[:4], runs[4:], tmp_path, progress=told.append)  # it is over, and says the same
    assert told[-1].update == 2 * len(rows)
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_what_is_frozen_stays_as_it_begins(runs, tmp_path):
    frozen = ("rhythm_chain", "interval", "degree", "first")
    model, _ = train(TINY, replace(SHORT, frozen=frozen), runs, runs, tmp_path / "frozen")
    learned, _ = train(TINY, SHORT, runs, runs, tmp_path / "learned")
    assert not model.moves().any()
    assert not any(parameter.any() for parameter in model.rhythm_chain.parameters())
    assert learned.moves().any()
    assert learned.rhythm_chain.note_to_rest.any()
    with pytest.raises(RequestError, match="frozen: 'moves': no such part"):
        train(TINY, replace(SHORT, frozen=("moves",)), runs, runs, tmp_path / "wrong")


def test_what_need_not_be_exact_may_be_rounded(runs, tmp_path):
    rough, figures = train(TINY, replace(SHORT, precision="bfloat16"), runs, runs, tmp_path / "rough")
    exact, exact_figures = train(TINY, SHORT, runs, runs, tmp_path / "exact")
    assert not torch.equal(rough.pitch_weights.weight, exact.pitch_weights.weight)
    assert rough.pitch_weights.weight.dtype == torch.float32
    assert figures["chain_bound"] == pytest.approx(exact_figures["chain_bound"], rel=0.05)
    with pytest.raises(RequestError, match="precision 'float8': expected float32 or bfloat16"):
        replace(SHORT, precision="float8")


@pytest.mark.parametrize("device", ["abacus", "xpu"])
def test_a_device_that_is_not_here_is_refused(runs, tmp_path, device):
    with pytest.raises(RequestError, match=f"device '{device}': .*expected cpu, or an accelerator"):
        train(TINY, replace(SHORT, device=device), runs, runs, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_tensorboard_reads_the_history(runs, tmp_path):
    train(TINY, SHORT, runs, runs, tmp_path)
    rows = [json.loads(row) for row in (tmp_path / "history.jsonl").read_text().splitlines()]
    (path,) = tmp_path.glob("events.out.tfevents.*")
    data, events = path.read_bytes(), []
    while data:  # each record: its length, a sum, itself, a sum
        (length,) = struct.unpack("<Q", data[:8])
        events.append(Event.FromString(data[12 : 12 + length]))
        data = data[16 + length :]
    assert events[0].file_version == "brain.Event:2"
    assert [event.step for event in events[1:]] == [row["update"] for row in rows] == [6, 12]
    found = {value.tag: value.simple_value for value in events[-1].summary.value}
    assert found["chain_bound"] == pytest.approx(rows[-1]["chain_bound"])
    assert found.keys() == rows[-1].keys() - {"update", "began", "time"}


def test_another_seed_gives_other_weights(runs, tmp_path):
    a, _ = train(TINY, SHORT, runs, runs, tmp_path / "a")
    b, _ = train(TINY, replace(SHORT, seed=1), runs, runs, tmp_path / "b")
    assert not torch.equal(a.pitch_weights.weight, b.pitch_weights.weight)


def test_the_state_of_another_run_is_refused(runs, tmp_path):
    train(TINY, SHORT, runs, runs, tmp_path)
    with pytest.raises(CheckpointError, match="belongs to a run with other settings"):
        train(TINY, replace(SHORT, seed=5), runs, runs, tmp_path)
    with pytest.raises(CheckpointError, match="other settings or other data"):
        train(TINY, SHORT, runs[:4], runs, tmp_path)
    save_file({"a": torch.zeros(1)}, tmp_path / "state.safetensors")
    with pytest.raises(CheckpointError, match=r"damaged .KeyError."):
        train(TINY, SHORT, runs, runs, tmp_path)
    (tmp_path / "state.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00rubbish")
    with pytest.raises(CheckpointError, match=r"damaged .* delete it to start anew"):
        train(TINY, SHORT, runs, runs, tmp_path)


def contexts(model, latents, features):
    return model.prior.context(latents, summary(features), torch.zeros(len(latents), TINY.form_latent))


def test_the_prior_sees_no_later_bar():
    torch.manual_seed(0)
    model = LineVae(TINY).eval()
    torch.nn.init.normal_(model.prior.bars.distance)
    features, latents = torch.randn(2, 5, 8, N_FEATURES), torch.randn(2, 5, sum(model.sizes))
    changed = latents.clone()
    changed[:, 3] += 1
    with torch.no_grad():
        before, after = contexts(model, latents, features), contexts(model, changed, features)
        assert torch.allclose(before[:, :4], after[:, :4], atol=1e-6)  # bar 3 itself is given only the bars before it
        assert not torch.allclose(before[:, 4], after[:, 4])
        densities = model.prior.log_prob(changed, summary(features), torch.zeros(2, TINY.form_latent))
        again = model.prior.log_prob(latents, summary(features), torch.zeros(2, TINY.form_latent))
    assert torch.allclose(densities[:, :3], again[:, :3], atol=1e-5)
    assert not torch.allclose(densities[:, 3], again[:, 3])


def test_inference_agrees_with_training_mode_where_nothing_is_dropped():
    torch.manual_seed(0)
    model = LineVae(TINY)
    torch.nn.init.normal_(model.prior.bars.distance)
    features, latents = torch.randn(1, 5, 8, N_FEATURES), torch.randn(1, 5, sum(model.sizes))
    trained = contexts(model.train(), latents, features).detach()
    with torch.inference_mode():
        inferred = contexts(model.eval(), latents, features)
    assert torch.allclose(trained, inferred, atol=1e-5)


def test_a_run_may_begin_with_a_trained_model(runs, tmp_path):
    first, figures = train(TINY, replace(SHORT, n_updates=60), runs, runs, tmp_path / "first")
    barely = replace(SHORT, n_updates=1, learning_rate=1e-9, kl_warmup_updates=1)
    _, fresh = train(TINY, barely, runs, runs, tmp_path / "fresh")
    _, tuned = train(TINY, barely, runs, runs, tmp_path / "tuned", begin_with=first)
    assert tuned["negative_elbo"] == pytest.approx(figures["negative_elbo"], abs=1e-3)
    assert fresh["negative_elbo"] > tuned["negative_elbo"] + 0.1
    with pytest.raises(CheckpointError, match="other settings or other data"):
        train(TINY, barely, runs, runs, tmp_path / "tuned")
    assert 0 < hours_of(tmp_path / "first") < 1


def test_pauses_are_no_hours(tmp_path: Path) -> None:
    for update, began, end in [(1, 0.0, 1800.0), (2, 0.0, 3600.0), (3, 90_000.0, 91_800.0)]:
        log_row(tmp_path, {"update": update, "began": began, "time": end})
    assert hours_of(tmp_path) == 1.5
    assert hours_of(tmp_path / "none") == 0.0


def test_sampling_is_a_function_of_the_generator():
    torch.manual_seed(0)
    model = LineVae(TINY).eval()
    features = np.random.default_rng(0).normal(size=(20, 8, N_FEATURES)).astype(np.float32)
    a, b, c = (sample_latents(model, features, np.random.default_rng(s)) for s in (1, 1, 2))
    assert (a == b).all()
    assert not (a == c).all()
    potentials = line_potentials(model, a, features, shift=2)
    assert potentials.step.shape == (160, TINY.alphabet.n_symbols)
    assert (potentials.alphabet.low, potentials.alphabet.high) == (TINY.low - 2, TINY.high - 2)
    assert np.isfinite(potentials.step).all()
    assert not potentials.closed.any()


def test_condition_dropout_drops_whole_windows():
    features = torch.ones(400, 2, 4, N_FEATURES)
    dropped = condition_dropout(features, 0.25, torch.Generator().manual_seed(0))
    sums = dropped.sum(dim=(1, 2, 3))
    assert len(set(sums.tolist())) == 16  # any of chords, scale, style, and the place in the form
    assert 0.15 < float((dropped[:, 0, 0, -1] == 0).float().mean()) < 0.35
    assert (features == 1).all()


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    save_checkpoint(tmp_path, LineVae(TINY), styles=("folk",), training={"corpora": ["none"]})
    return tmp_path


def test_a_checkpoint_comes_back(checkpoint):
    loaded = load_checkpoint(checkpoint)
    torch.manual_seed(0)
    for name, value in LineVae(TINY).state_dict().items():
        assert torch.equal(value.half().float(), loaded.model.state_dict()[name])
    assert loaded.styles == ("folk",)
    assert not loaded.model.training


def edit(folder, **entries):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def test_damaged_checkpoints_are_refused(checkpoint):
    good = (checkpoint / "config.json").read_text()
    for entries, message in [
        ({"format": "other"}, "expected a checkpoint with the format"),
        ({"version": 99}, "version 99: expected 2"),
        ({"model": {"low": 1}}, "expected exactly the entries low"),
        (
            {"model": {**json.loads(good)["model"], "pitch_width": 10**9}},
            "pitch_width: 1000000000: expected one such as",
        ),
        ({"model": {**json.loads(good)["model"], "pitch_latent": 5}}, "does not fit its configuration"),
        ({"model": {**json.loads(good)["model"], "n_heads": 2.0}}, "n_heads: 2.0: expected one such as 4"),
        ({"model": {**json.loads(good)["model"], "prior_width": 12}}, "does not fit its configuration"),
        ({"model": {**json.loads(good)["model"], "places": 1}}, "places: 1: expected"),
        ({"model": {**json.loads(good)["model"], "dropout": 5}}, "dropout: 5: expected"),
        ({"styles": "folk"}, "styles: 'folk': expected a JSON list"),
        ({"styles": [5]}, "styles: .5.: expected names"),
        ({"training": []}, "training: ..: expected a JSON dict"),
        ({"sha256": "0" * 64}, "damaged: its SHA-256 is"),
    ]:
        edit(checkpoint, **entries)
        with pytest.raises(CheckpointError, match=message):
            load_checkpoint(checkpoint)
        (checkpoint / "config.json").write_text(good)
    (checkpoint / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="not the configuration"):
        load_checkpoint(checkpoint)
    (checkpoint / "config.json").unlink()
    with pytest.raises(CheckpointError, match="No such file"):
        load_checkpoint(checkpoint)


def test_truncated_weights_are_refused(checkpoint):
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(checkpoint)
    tensors = {"pitch_weights.weight": torch.zeros(2)}
    save_file(tensors, weights)
    assert load_file(weights).keys() == tensors.keys()
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(checkpoint)
