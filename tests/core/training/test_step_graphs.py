"""Captured steps on a CUDA GPU: the same training, repeated without Python."""

from __future__ import annotations

import pytest
import torch

from mtm_core.config_io import apply_overrides, load_preset
from mtm_core.models.backend import probe_backend
from mtm_core.training.events import CheckpointSaved, StepDone, Warned
from mtm_core.training.loop import train
from mtm_core.training.setup import prepare
from mtm_core.training.step import make_step
from tests.core.sessions import make_session
from tests.core.training.runs import (
    of_kind,
    run_all,
    run_until,
    saved_tensors,
    tiny_config,
    tiny_session,
)

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
KINDS = {
    "components": {},
    "linear": {"model__read_in": "linear", "model__unit_dropout": "0.3"},
    "unit_embedding": {"model__read_in": "unit_embedding"},
    "bf16": {"model__read_in": "linear", "run__precision": "bf16"},
    "sum": {"model__read_in": "linear", "optim__loss": "sum"},
    "ndt2": {"model__architecture": "ndt2"},
}
LENGTH = {"optim.steps": "6", "optim.batch_size": "8", "run.validate_every": "2"}


def on_gpu(**changes):
    return tiny_config(**{"run__device": "cuda", **changes})


def of_kind_named(kind, graphs):
    if kind != "lfads":
        return on_gpu(**KINDS[kind], run__cuda_graphs=graphs)
    changes = {**LENGTH, "run.device": "cuda", "run.cuda_graphs": graphs}
    return apply_overrides(load_preset("lfads-quick"), list(changes.items()))


def assert_close(first, second, atol):
    one, other = saved_tensors(first), saved_tensors(second)
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, other[name], rtol=1e-3, atol=atol, msg=name)


def test_without_a_gpu_nothing_is_captured():
    bench = prepare(tiny_config(), [tiny_session()], probe_backend("cpu", 1))
    assert bench.graphs is None


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("kind", [*KINDS, "lfads"])
def test_a_captured_step_is_the_step(tmp_path, kind):
    """Losses of both ways agree, dropout and masks included, and so do the weights."""
    both = {}
    for way in ("auto", "off"):
        events = run_all(of_kind_named(kind, way), tmp_path / way)
        both[way] = [(each.loss, each.grad_norm) for each in of_kind(events, StepDone)]
    for captured, plain in zip(both["auto"], both["off"], strict=True):
        assert captured == pytest.approx(plain, rel=1e-4)
    assert_close(tmp_path / "auto", tmp_path / "off", atol=1e-4)


@pytest.mark.gpu
@needs_cuda
def test_each_session_and_size_is_captured_once():
    sessions = [make_session(seed=seed, n_units=20 + 4 * seed) for seed in range(3)]
    config = on_gpu(model__read_in="linear", optim__steps="12")
    bench = prepare(config, sessions, probe_backend("cuda", 1))
    losses = [make_step(bench, step, 1).loss for step in range(12)]
    assert len(bench.graphs) == 3
    plain = prepare(
        on_gpu(model__read_in="linear", optim__steps="12", run__cuda_graphs="off"),
        sessions,
        probe_backend("cuda", 1),
    )
    assert losses == pytest.approx(
        [make_step(plain, step, 1).loss for step in range(12)], rel=1e-4
    )


@pytest.mark.gpu
@needs_cuda
def test_a_resumed_run_ends_where_the_whole_one_does(tmp_path):
    config = on_gpu(model__read_in="linear")
    run_all(config, tmp_path / "whole")
    run_until(config, tmp_path / "cut", 3, CheckpointSaved)
    run_all(config, tmp_path / "cut", resume=True)
    assert_close(tmp_path / "whole", tmp_path / "cut", atol=1e-6)


@pytest.mark.gpu
@needs_cuda
def test_where_memory_runs_out_the_batch_is_halved_and_that_is_said(tmp_path):
    """A real shortage: the process may take only what half a batch needs."""
    session = make_session(n_trials=200, n_bins=200, n_units=600)
    config = on_gpu(
        model__read_in="linear",
        model__width="64",
        model__mlp_width="2048",
        optim__batch_size="64",
        optim__steps="3",
    )
    used = peak_bytes(config, session, tmp_path / "free")
    halves = apply_overrides(config, [("optim.accumulate", "2")])
    half = peak_bytes(halves, session, tmp_path / "half")
    total = torch.cuda.get_device_properties(0).total_memory
    try:
        torch.cuda.set_per_process_memory_fraction((0.5 * used + 0.5 * half) / total)
        events = list(train(config, [session], tmp_path / "short"))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    (warned,) = of_kind(events, Warned)[:1]
    assert "ran out of memory" in warned.text
    assert len(of_kind(events, StepDone)) == 3


def peak_bytes(config, session, folder):
    """Return the most bytes that a run without captured steps reserved."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    plain = apply_overrides(config, [("run.cuda_graphs", "off")])
    for _ in train(plain, [session], folder):
        pass
    torch.cuda.empty_cache()
    return torch.cuda.max_memory_reserved()
