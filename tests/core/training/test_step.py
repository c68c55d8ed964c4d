"""Steps computed in parts, by choice or because a device has no memory left."""

from __future__ import annotations

import pytest
import torch

from mtm_core.errors import MemoryLimitError, TrainingError
from mtm_core.models.backend import probe_backend
from mtm_core.models.losses import poisson_loss
from mtm_core.training import step as step_module
from mtm_core.training import validation
from mtm_core.training.distributed import Team
from mtm_core.training.events import RunFinished, RunStarted, StepDone, Warned, from_json, to_json
from mtm_core.training.loop import train
from mtm_core.training.randomness import mask_generator
from mtm_core.training.run_folder import RunFolder
from mtm_core.training.setup import prepare
from tests.core.sessions import make_session
from tests.core.training.runs import (
    assert_same_bits,
    of_kind,
    run_all,
    saved_tensors,
    tiny_config,
    tiny_session,
)

STILL = {"model__dropout": "0", "model__embedding_dropout": "0", "model__unit_dropout": "0"}


def assert_nearly_same(first, second):
    one, other = saved_tensors(first), saved_tensors(second)
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.allclose(tensor, other[name], rtol=1e-4, atol=2e-6), name


@pytest.mark.parametrize("loss", ["mean", "sum"])
@pytest.mark.parametrize("accumulate", ["2", "3", "8", "100"])
def test_parts_of_a_batch_add_up_to_the_whole(tmp_path, loss, accumulate):
    same = {**STILL, "optim__loss": loss, "optim__steps": "3"}
    whole = run_all(tiny_config(**same), tmp_path / "whole")
    parts = run_all(tiny_config(**same, optim__accumulate=accumulate), tmp_path / "parts")
    assert_nearly_same(tmp_path / "whole", tmp_path / "parts")
    for one, other in zip(of_kind(whole, StepDone), of_kind(parts, StepDone), strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-5)
        assert one.grad_norm == pytest.approx(other.grad_norm, rel=1e-4)


@pytest.mark.parametrize("loss", ["mean", "sum"])
def test_what_is_added_to_the_loss_comes_in_parts_too(loss, monkeypatch):
    """The loss of a batch with a penalty per scored entry is the sum of that of its parts."""
    bench = prepare(
        tiny_config(**STILL, optim__loss=loss), [tiny_session()], probe_backend("cpu", 1)
    )

    def output(batch, _share):
        total = batch.inputs.sum() + batch.is_hidden.sum()  # of any parts the sum
        return bench.model(batch), total / batch.is_scored.sum().clamp(min=1)

    monkeypatch.setattr(bench.model, "training_output", output)
    session, counts = bench.take_batch(0)
    bench.lookahead.close()
    batch = session.sampler.draw(counts.float(), mask_generator(0, 0))
    found = [step_module.add_gradients(bench, 0, batch, n) for n in (1, 2, 5)]
    assert float(found[1]) == pytest.approx(float(found[0]), rel=1e-5)
    assert float(found[2]) == pytest.approx(float(found[0]), rel=1e-5)


def test_a_run_in_parts_resumes_to_the_same_bits(tmp_path):
    config = tiny_config(optim__accumulate="2")
    run_all(config, tmp_path / "whole")
    events = train(config, [tiny_session()], tmp_path / "stopped")
    next(event for event in events if isinstance(event, StepDone) and event.step == 4)
    events.close()
    run_all(config, tmp_path / "stopped", resume=True)
    assert_same_bits(tmp_path / "whole", tmp_path / "stopped")


class SmallDevice:
    """Memory for so many trials at a time, from some step on."""

    def __init__(self, monkeypatch, n_trials, healthy_calls=0):
        self.n_trials, self.healthy_calls, self.refused = n_trials, healthy_calls, []
        plain = step_module.poisson_loss

        def loss(log_rate, batch, reduction):
            self.healthy_calls -= 1
            if len(batch.inputs) > self.n_trials and self.healthy_calls < 0:
                self.refused.append(len(batch.inputs))
                raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
            return plain(log_rate, batch, reduction)

        monkeypatch.setattr(step_module, "poisson_loss", loss)


def test_out_of_memory_halves_the_batch_says_so_and_goes_on(tmp_path, monkeypatch):
    config = tiny_config(**STILL)
    run_all(config, tmp_path / "whole")
    device = SmallDevice(monkeypatch, 2, healthy_calls=2)
    events = run_all(config, tmp_path / "small")
    assert device.refused == [8, 4]
    assert [warned.text for warned in of_kind(events, Warned)] == [
        "The device ran out of memory at step 3: from here on a batch of 8 trials is computed in "
        f"{n} parts, whose gradients add up."
        for n in (2, 4)
    ]
    assert of_kind(events, RunFinished)
    assert list(RunFolder(tmp_path / "small").events.read()) == events
    assert_nearly_same(tmp_path / "whole", tmp_path / "small")


def test_a_resumed_run_remembers_how_little_memory_there_is(tmp_path, monkeypatch):
    device = SmallDevice(monkeypatch, 4)
    events = train(tiny_config(), [tiny_session()], tmp_path / "run")
    next(event for event in events if isinstance(event, StepDone) and event.step == 2)
    events.close()
    device.refused.clear()
    events = run_all(tiny_config(), tmp_path / "run", resume=True)
    assert device.refused == []
    assert not of_kind(events, Warned)


def test_no_memory_for_a_single_trial_ends_the_run_with_a_sentence(tmp_path, monkeypatch):
    SmallDevice(monkeypatch, 0, healthy_calls=3)
    with pytest.raises(
        MemoryLimitError, match="not enough memory for one trial at a time at step 4"
    ):
        run_all(tiny_config(), tmp_path / "run")
    assert RunFolder(tmp_path / "run").states.load().progress.step == 3


def test_no_memory_for_the_optimiser_ends_the_run_with_a_sentence(tmp_path, monkeypatch):
    def refuse(*_args, **_words):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(torch.optim.AdamW, "step", refuse)
    with pytest.raises(MemoryLimitError, match="not enough memory for this model at step 1"):
        run_all(tiny_config(), tmp_path / "run")
    assert RunFolder(tmp_path / "run").states.load().progress.step == 0


def test_validation_makes_do_with_little_memory(tmp_path, monkeypatch):
    events = run_all(tiny_config(), tmp_path / "whole")
    plain, sizes = validation._log_likelihood, []

    def watching(log_rate, batch):
        if len(batch.inputs) > 1 and len(sizes) < 4:
            sizes.append(len(batch.inputs))
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return plain(log_rate, batch)

    small = train(tiny_config(), [tiny_session()], tmp_path / "small")
    monkeypatch.setattr(validation, "_log_likelihood", watching)
    found = list(small)
    assert sizes
    assert found[-1].bps == pytest.approx(events[-1].bps, abs=1e-5)


def test_no_memory_to_score_a_trial_is_told(tmp_path, monkeypatch):
    events = train(tiny_config(), [tiny_session()], tmp_path / "run")

    def refuse(*_args):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(validation, "_log_likelihood", refuse)
    with pytest.raises(MemoryLimitError, match="to score one trial at a time"):
        list(events)


def test_other_errors_are_not_taken_for_a_lack_of_memory(tmp_path, monkeypatch):
    def broken(*_args):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(step_module, "poisson_loss", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        run_all(tiny_config(), tmp_path / "run")


def test_a_warning_is_a_line_of_the_events():
    warned = Warned(step=3, text="Something.")
    assert from_json(to_json(warned)) == warned


def test_weights_that_broke_are_not_saved(tmp_path, monkeypatch):
    """A step whose gradient is a number, and whose result is none, leaves the state before."""
    plain = torch.optim.AdamW.step
    calls = []

    def breaking(optimizer, *args, **words):
        calls.append(1)
        plain(optimizer, *args, **words)
        if len(calls) == 5:
            with torch.no_grad():
                optimizer.param_groups[0]["params"][0].fill_(float("nan"))

    monkeypatch.setattr(torch.optim.AdamW, "step", breaking)
    with pytest.raises(TrainingError, match="not a number at step 6, on trials"):
        run_all(tiny_config(run__validate_every="100"), tmp_path / "run")
    started = RunFolder(tmp_path / "run").states.load()
    assert started.progress.step == 3
    assert started.notes == ()
    monkeypatch.undo()
    events = run_all(tiny_config(run__validate_every="100"), tmp_path / "run", resume=True)
    assert of_kind(events, RunStarted)[0].step == 3


@pytest.mark.parametrize("loss", ["mean", "sum"])
def test_sessions_of_a_step_are_weighted_by_what_they_score(loss):
    changes = {**STILL, "optim__loss": loss, "model__read_in": "stitched"}
    config = tiny_config(**changes, optim__sessions_per_step="2", optim__clip_norm="none")
    sessions = [make_session(n_units=n, seed=i) for i, n in enumerate((24, 18, 30))]
    bench = prepare(config, sessions, probe_backend("cpu", 1))
    losses, weights = [], []
    for place in range(2):
        session, counts = bench.take_batch(0, place)
        batch = session.sampler.draw(counts.float(), mask_generator(0, 0, place))
        losses.append(poisson_loss(bench.model(batch), batch, loss))
        weights.append(float(batch.is_scored.sum()) if loss == "mean" else 1.0)
    assert weights[0] != weights[1] or loss == "sum"
    scale = sum(weights) if loss == "mean" else 1.0
    whole = (losses[0] * weights[0] + losses[1] * weights[1]) / scale
    gradient = torch.autograd.grad(whole, bench.parameters, allow_unused=True)
    norm = torch.stack([g.norm() for g in gradient if g is not None]).norm()
    made = step_module.make_step(bench, 0, 1)
    bench.lookahead.close()
    assert made.loss == pytest.approx(whole.item(), rel=1e-5)
    assert made.grad_norm == pytest.approx(norm.item(), rel=1e-4)


def test_the_batch_of_a_step_of_several_sessions_names_them_all():
    config = tiny_config(optim__sessions_per_step="2", model__read_in="stitched")
    sessions = [make_session(n_units=n, seed=i) for i, n in enumerate((24, 18))]
    said = prepare(config, sessions, probe_backend("cpu", 1)).describe_batch(0)
    assert said.count("trials ") == 2
    assert "of simulated-0" in said
    assert "of simulated-1" in said


class Fellow(Team):
    """One of several processes."""

    def __init__(self, rank, size):
        self.rank, self.size = rank, size


@pytest.mark.parametrize(
    ("n_sessions", "size", "n_parts", "wanted"),
    [
        (2, 2, 1, [[1, 0], [0, 1]]),  # a session each
        (4, 2, 1, [[1, 1, 0, 0], [0, 0, 1, 1]]),
        (1, 3, 3, [[1], [1], [1]]),
        (2, 4, 2, [[1, 0], [1, 0], [0, 1], [0, 1]]),
        (3, 2, 2, [[2, 1, 0], [0, 1, 2]]),
    ],
)
def test_every_process_has_equally_many_parts_of_few_sessions(n_sessions, size, n_parts, wanted):
    found = [
        [
            len(step_module._own_parts(place, n_sessions, n_parts, Fellow(rank, size)))
            for place in range(n_sessions)
        ]
        for rank in range(size)
    ]
    assert found == wanted
