"""Training losses."""

from __future__ import annotations

from typing import Literal

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
        n_scored = weight.sum(dim=(1, 2), keepdim=True).clamp(min=1)
        weight = weight / (n_scored * len(weight))
    return ((log_rate.exp() - batch.targets * log_rate) * weight).sum()
