"""Gaussian beliefs about latent variables: drawing from them, and how far one is from another."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

LOWEST_LOG_VARIANCE, HIGHEST_LOG_VARIANCE = -10.0, 4.0


class Gaussian(NamedTuple):
    """Independent normal variables.

    Parameters
    ----------
    mean, log_variance : Tensor
        Of the same shape, or shapes that go together.
    """

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def of(cls, both: Tensor) -> Gaussian:
        """Split (..., 2 * n_dims) into mean and log-variance, kept where its exponential is."""
        mean, log_variance = both.chunk(2, dim=-1)
        return cls(mean, log_variance.clamp(LOWEST_LOG_VARIANCE, HIGHEST_LOG_VARIANCE))

    def draw(self, *, is_random: bool) -> Tensor:
        """Draw from it by torch's global generator, or return the mean."""
        if not is_random:
            return self.mean
        noise = torch.randn_like(self.mean)
        return self.mean + noise * (0.5 * self.log_variance).exp()

    def divergence_from(self, prior: Gaussian) -> Tensor:
        """Return the Kullback-Leibler divergence from a prior, in nats, summed over dimensions.

        Examples
        --------
        >>> standard = Gaussian(torch.zeros(3), torch.zeros(3))
        >>> standard.divergence_from(standard), Gaussian(torch.ones(3), torch.zeros(3))[0].sum()
        (tensor(0.), tensor(3.))
        >>> Gaussian(torch.ones(3), torch.zeros(3)).divergence_from(standard)
        tensor(1.5000)
        """
        gap = prior.log_variance - self.log_variance
        spread = (self.mean - prior.mean) ** 2 * (-prior.log_variance).exp()
        return 0.5 * (gap + (-gap).exp() + spread - 1).sum(dim=-1)
