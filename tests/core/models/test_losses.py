from __future__ import annotations

from typing import Literal

import pytest
import torch

from mtm_core.masking.masked_batch import MaskedBatch, mask_counts
from mtm_core.models.losses import poisson_loss


def make_batch() -> tuple[torch.Tensor, MaskedBatch]:
    generator = torch.Generator().manual_seed(0)
    counts = torch.poisson(torch.full((3, 4, 5), 0.8), generator=generator)
    is_scored = torch.rand(3, 4, 5, generator=generator) < 0.4
    is_scored[2] = False
    is_scored[2, 0, 0] = True
    index = torch.ones(3, dtype=torch.int64)
    log_rate = torch.randn(3, 4, 5, generator=generator, dtype=torch.float64)
    return log_rate, mask_counts(counts, is_scored, is_scored, index, index > 1)


def plain_loss(log_rate: torch.Tensor, batch: MaskedBatch, reduction: str) -> torch.Tensor:
    trials = []
    for trial in range(len(log_rate)):
        scored = batch.is_scored[trial]
        rates, counts = log_rate[trial][scored], batch.targets[trial][scored]
        terms = rates.exp() - counts * rates
        trials.append(terms.mean() if reduction == "mean" else terms.sum())
    stacked = torch.stack(trials)
    return stacked.mean() if reduction == "mean" else stacked.sum()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_loss_and_gradient_equal_the_plain_expression(reduction: Literal["mean", "sum"]) -> None:
    log_rate, batch = make_batch()
    fast, plain = (log_rate.clone().requires_grad_() for _ in range(2))
    loss = poisson_loss(fast, batch, reduction)
    expected = plain_loss(plain, batch, reduction)
    torch.testing.assert_close(loss, expected, check_dtype=False)
    torch.autograd.backward(3 * loss)
    torch.autograd.backward(3 * expected)
    torch.testing.assert_close(fast.grad, plain.grad)


def test_entries_that_are_not_scored_have_no_gradient() -> None:
    log_rate, batch = make_batch()
    log_rate.requires_grad_()
    torch.autograd.backward(poisson_loss(log_rate, batch))
    assert log_rate.grad is not None
    assert (log_rate.grad[~batch.is_scored] == 0).all()


def test_the_loss_is_least_at_the_true_rates() -> None:
    _, batch = make_batch()
    true = (batch.targets + 1e-6).log()
    assert poisson_loss(true, batch) < poisson_loss(true + 0.1, batch)
    assert poisson_loss(true, batch) < poisson_loss(true - 0.1, batch)


def test_a_batch_without_scored_entries_costs_nothing() -> None:
    log_rate, batch = make_batch()
    nothing = torch.zeros_like(batch.is_scored)
    empty = mask_counts(batch.targets, nothing, nothing, batch.prompt, batch.is_causal)
    assert poisson_loss(log_rate, empty) == 0
