from __future__ import annotations

import pytest
import torch

from mtm_core.config import OptimConfig
from mtm_core.models.family import Family, part_key
from mtm_core.models.session_part import SessionFacts
from mtm_core.training.optim import WeightAverage, clip_gradients, learning_rate, make_optimizer
from tests.core.checkpoints import SMALL_MODEL


@pytest.fixture
def model():
    with torch.random.fork_rng():
        return Family(SMALL_MODEL, {"": SessionFacts(psth=torch.full((4, 5), 0.3))})


@pytest.mark.parametrize("n_steps", [1, 2, 7, 100])
@pytest.mark.parametrize("warmup", [0.0, 0.15, 0.9])
def test_the_learning_rate_rises_to_its_peak_and_falls(n_steps, warmup):
    config = OptimConfig(lr=2.0, warmup_fraction=warmup)
    rates = [learning_rate(step, n_steps, config) for step in range(n_steps)]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert max(rates) <= 2.0


@pytest.mark.parametrize("step", [0, 1, 7, 14, 15, 16, 60, 99])
def test_the_learning_rate_is_that_of_torchs_one_cycle(step):
    config = OptimConfig(lr=0.3, warmup_fraction=0.15)
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    # torch lets the rise end one step earlier: pct_start * total_steps - 1.
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=0.3,
        total_steps=100,
        pct_start=(0.15 * 99 + 1) / 100,
        div_factor=10,
        final_div_factor=1e4,
        cycle_momentum=False,
    )
    for _ in range(step):
        optimizer.step()
        schedule.step()
    assert learning_rate(step, 100, config) == pytest.approx(optimizer.param_groups[0]["lr"])


def test_gradients_are_scaled_to_the_norm_and_no_further(model):
    parameters = list(model.parameters())
    for parameter in parameters[:2]:
        parameter.grad = torch.ones_like(parameter)
    expected = sum(p.numel() for p in parameters[:2]) ** 0.5
    assert float(clip_gradients(parameters, None)) == pytest.approx(expected)
    assert float(clip_gradients(parameters, 0.5)) == pytest.approx(expected)
    assert float(clip_gradients(parameters, 1.0)) == pytest.approx(0.5, rel=1e-4)
    assert float(clip_gradients(parameters, None)) == pytest.approx(0.5, rel=1e-4)


def test_only_matrices_decay(model):
    optimizer = make_optimizer(model, OptimConfig(lr=0.5, weight_decay=0.1))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    after = dict(model.named_parameters())
    part = f"parts.{part_key('')}"
    read_in, bias = f"{part}.read_in.counts_in.weight", f"{part}.read_out.linear.bias"
    assert torch.allclose(after[read_in], 0.95 * before[read_in])
    assert torch.equal(after[bias], before[bias])
    assert torch.equal(after["trunk.position"], before["trunk.position"])


def test_the_average_forgets_the_start_and_then_follows_slowly(model):
    average = WeightAverage(model, 0.5)
    start = model.member().part.read_in.counts_in.weight.detach().clone()
    follower = average.model.member().part.read_in.counts_in.weight
    with torch.no_grad():
        model.member().part.read_in.counts_in.weight.add_(1.0)
    average.update(1)  # decay 1 / 10
    assert torch.allclose(follower, start + 0.9)
    average.update(10_000)  # decay 0.5
    assert torch.allclose(follower, start + 0.95)
    assert not follower.requires_grad
    assert model.member().part.read_in.counts_in.weight.requires_grad


def test_without_a_decay_the_model_is_its_own_average(model):
    average = WeightAverage(model, None)
    average.update(1)
    assert average.model is model
    assert model.member().part.read_in.counts_in.weight.requires_grad
