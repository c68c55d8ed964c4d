"""A unit's own visible past within the trial, as a correction of its later log-rate."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

DECAYS = (1.0, 0.85)
"""Weight kept per bin of age: the whole past, and the last few bins."""
START_GAIN, START_STRENGTH = 0.3, 2.0
"""Gain and prior strength k of a fresh model."""


class PastCorrection(nn.Module, ABC):
    """Shrunken log-ratio of spikes seen to spikes expected, weighted by a gain per unit.

    For a unit with ``s`` visible spikes in earlier bins where its PSTH expected ``e``, the
    correction is ``gain * log((s + k) / (e + k))``: the posterior mean of a gamma-distributed
    trial gain with prior strength ``k``. It is 0 for a unit without a visible earlier bin, so a
    unit that is hidden for the whole trial is predicted from other units alone.

    Parameters
    ----------
    n_bins : int
        Length of a trial.
    """

    kernel: Tensor

    def __init__(self, n_bins: int) -> None:
        super().__init__()
        age = torch.arange(n_bins)[:, None] - torch.arange(n_bins) - 1
        past = (age >= 0).float()
        kernels = [past * decay ** age.clamp(min=0) for decay in DECAYS]
        self.register_buffer("kernel", torch.stack(kernels), persistent=False)

    @abstractmethod
    def weights(self) -> tuple[Tensor, Tensor]:
        """Return gains (n_kernels, n_units) and logs of prior strengths (n_kernels,)."""

    def correct(
        self, log_rate: Tensor, inputs: Tensor, is_hidden: Tensor, expected: Tensor
    ) -> None:
        """Add the correction to `log_rate` in place: a copy would cost a training step dear.

        In training on a CPU, trials in which every unit is hidden or visible as a whole are left
        alone: nothing scored there has a visible past. A GPU is faster at correcting all than at
        saying which.

        Parameters
        ----------
        log_rate : Tensor, shape (n_trials, n_bins, n_units)
            Corrected in place.
        inputs : Tensor, same shape
            Counts, 0 where hidden.
        is_hidden : Tensor of bool, same shape
        expected : Tensor, shape (n_bins, n_units)
            Expected spikes per bin.
        """
        if not self.training or log_rate.is_cuda:
            log_rate += self._correction(inputs, is_hidden, expected)
            return
        is_partial = (is_hidden[:, 1:] != is_hidden[:, :-1]).flatten(1).any(dim=1)
        rows = is_partial.nonzero()[:, 0]
        if len(rows):
            change = self._correction(inputs[rows], is_hidden[rows], expected)
            log_rate.index_add_(0, rows, change)

    def from_past(self, counts: Tensor, n_seen: int, bins: slice, expected: Tensor) -> Tensor:
        """Return the correction of some bins where only the first `n_seen` are visible.

        Parameters
        ----------
        counts : Tensor, shape (n_trials, n_bins, n_units)
        n_seen : int
        bins : slice
        expected : Tensor, shape (n_bins, n_units)

        Returns
        -------
        Tensor, shape (n_trials, n_chosen, n_units)
        """
        total = torch.zeros_like(counts[:, bins])
        for kernel, gain, log_strength in zip(self.kernel, *self.weights(), strict=True):
            past, strength = kernel[bins, :n_seen], log_strength.exp()
            spikes, chance = past @ counts[:, :n_seen], past @ expected[:n_seen]
            total += gain * ((spikes + strength) / (chance + strength)).log()
        return total

    def _correction(self, inputs: Tensor, is_hidden: Tensor, expected: Tensor) -> Tensor:
        visible = (~is_hidden).to(inputs.dtype)
        spikes, chance = inputs * visible, expected * visible
        total = torch.zeros_like(inputs)
        for kernel, gain, log_strength in zip(self.kernel, *self.weights(), strict=True):
            strength = log_strength.exp()
            ratio = (kernel @ spikes + strength) / (kernel @ chance + strength)
            total = total + gain * ratio.log()
        return total


class UnitHistory(PastCorrection):
    """A correction whose gain is learnt unit by unit.

    Parameters
    ----------
    n_bins, n_units : int
        Size of a trial.
    """

    def __init__(self, n_bins: int, n_units: int) -> None:
        super().__init__(n_bins)
        self.gain = nn.Parameter(torch.full((len(DECAYS), n_units), START_GAIN))
        strength = torch.full((len(DECAYS),), math.log(START_STRENGTH))
        self.log_strength = nn.Parameter(strength)

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return gains (n_kernels, n_units) and logs of prior strengths (n_kernels,)."""
        return self.gain, self.log_strength
