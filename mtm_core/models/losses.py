"""Training losses."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from mtm_core.masking.masked_batch import MaskedBatch


def poisson_loss(
    log_rate: Tensor, batch: MaskedBatch, reduction: Literal["mean", "sum"] = "mean"
) -> Tensor:
    """Poisson negative log-likelihood of the scored counts, without its constant term.

    Parameters
    ----------
    log_rate : Tensor, shape (n_trials, n_bins, n_units)
        Natural log of expected spikes per bin.
    batch : MaskedBatch
        Holds the true counts and what is scored.
    reduction : {"mean", "sum"}
        ``mean`` averages over each trial's scored entries and then over trials, so that a
        scheme's weight does not follow how many entries it scores; ``sum`` adds everything up,
        as the paper's code does.

    Returns
    -------
    Tensor, scalar
        Nats per scored entry (``mean``) or nats (``sum``).
    """
    weight = batch.is_scored.to(log_rate.dtype)
    if reduction == "mean":
        n_scored = batch.is_scored.sum(dim=(1, 2)).clamp(min=1)
        weight *= (1 / (n_scored * len(weight)))[:, None, None]
    loss: Tensor = _WeightedPoisson.apply(log_rate, batch.targets, weight)  # type: ignore[no-untyped-call]
    return loss


class _WeightedPoisson(torch.autograd.Function):
    """Sum of ``weight * (exp(log_rate) - target * log_rate)``, with its gradient made on the way.

    Half the passes over memory of the same expression under autograd; the loss is a good part of
    a training step of a narrow model.
    """

    @staticmethod
    def forward(ctx: Any, log_rate: Tensor, target: Tensor, weight: Tensor) -> Tensor:  # noqa: ANN401
        rate = log_rate.exp()
        loss = (weight * rate).sum() - (weight * target).mul_(log_rate).sum()
        gradient = rate.sub_(target).mul_(weight)
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        (gradient,) = ctx.saved_tensors
        return gradient * outer[0], None, None
