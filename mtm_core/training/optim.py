"""Learning-rate schedule, optimiser and running average of the weights."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from mtm_core.config import OptimConfig
from mtm_core.models.family import Family

START_DIVISOR = 10.0
"""The first learning rate is the peak over this."""
END_DIVISOR = 1e4
"""The last learning rate is the first over this."""


def learning_rate(step: int, n_steps: int, config: OptimConfig) -> float:
    """Return the learning rate of a step: one cycle, both ways along a cosine.

    Parameters
    ----------
    step : int
        Number of the step, from 0.
    n_steps : int
        Steps of the whole run.
    config : OptimConfig
        Peak and share of the rise.

    References
    ----------
    Smith & Topin (2017), Super-convergence, arXiv 1708.07120.

    Examples
    --------
    >>> config = OptimConfig(lr=1.0, warmup_fraction=0.5)
    >>> [round(learning_rate(step, 5, config), 3) for step in range(5)]
    [0.1, 0.55, 1.0, 0.5, 0.0]
    """
    start = config.lr / START_DIVISOR
    peak_step = config.warmup_fraction * (n_steps - 1)
    if step < peak_step:
        return _cosine(start, config.lr, step / peak_step)
    share = (step - peak_step) / max(n_steps - 1 - peak_step, 1e-9)
    return _cosine(config.lr, start / END_DIVISOR, min(share, 1.0))


def make_optimizer(model: Family, config: OptimConfig) -> torch.optim.AdamW:
    """Make AdamW; the model says which of its parameters decay."""
    groups = model.parameter_groups(config.weight_decay)
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)


def clip_gradients(parameters: list[nn.Parameter], clip_norm: float | None) -> Tensor:
    """Scale gradients down to a norm, and return the norm that they had."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(list(torch._foreach_norm(gradients))))
    if clip_norm is not None:
        torch._foreach_mul_(gradients, (clip_norm / (norm + 1e-6)).clamp(max=1.0))
    return norm


class WeightAverage:
    """A copy of a model whose weights follow the trained ones slowly.

    The decay rises from 0 with the number of updates, so that the untrained weights are forgotten
    at once instead of after ``1 / (1 - decay)`` steps.

    Parameters
    ----------
    model : Family
        The model in training.
    decay : float or None
        Weight of the past; None means no averaging: `model` of this object is then the one in
        training itself.
    """

    def __init__(self, model: Family, decay: float | None) -> None:
        self._decay = decay
        self._source: list[Tensor] = list(model.parameters())
        self.model = model if decay is None else copy.deepcopy(model).eval()
        self._target: list[Tensor] = list(self.model.parameters())
        if decay is not None:
            self.model.requires_grad_(requires_grad=False)

    def restart(self, model: Family) -> None:
        """Take over the whole state of `model`, which was changed from outside."""
        if self._decay is not None:
            self.model.load_state_dict(model.state_dict())

    @torch.no_grad()
    def update(self, n_updates: int) -> None:
        """Take in the trained weights after their `n_updates`-th update."""
        if self._decay is not None:
            decay = min(self._decay, n_updates / (n_updates + 9.0))
            torch._foreach_lerp_(self._target, self._source, 1.0 - decay)


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * share)) / 2.0
