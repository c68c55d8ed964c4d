"""What a model knows about one session: its units' statistics, and what maps them in and out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mtm_core.config_model import ModelConfig
from mtm_core.models.history import PastCorrection, UnitHistory
from mtm_core.models.unit_features import UnitFacts

PRIOR_SPIKES = 20.0
"""Strength of the shrinkage of a PSTH towards the mean rate, in expected spikes."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SessionFacts:
    """What a fresh model is told about a session.

    Parameters
    ----------
    psth : Tensor, shape (n_bins, n_units), float32
        Mean count per bin over the *training* trials. It scales the input and starts the output
        bias. When a state is loaded afterwards, any non-negative values of that shape will do.
    n_trials : int
        Number of training trials; the fewer, the more the PSTH is shrunk towards the mean.
    region : tuple of str
        Region of each unit; empty if unknown.
    units : UnitFacts or None
        What else is known of its units, for architectures that read them by it; None where
        nothing is, or where a state is loaded afterwards.
    """

    psth: Tensor
    n_trials: int = 1
    region: tuple[str, ...] = ()
    units: UnitFacts | None = None

    @property
    def n_bins(self) -> int:
        """Number of bins of a trial."""
        return int(self.psth.shape[0])

    @property
    def n_units(self) -> int:
        """Number of units."""
        return int(self.psth.shape[1])


class SessionPart(nn.Module):
    """Statistics of a session's units; architectures add the layers that are the session's own.

    Parameters
    ----------
    config : ModelConfig
        How counts are scaled and where the output starts.
    facts : SessionFacts
        The session.
    keep_psth : bool
        Centre the input on the PSTH, bin by bin, rather than on the mean.
    """

    mean: Tensor
    scale: Tensor
    offset: Tensor

    def __init__(
        self, config: ModelConfig, facts: SessionFacts, *, keep_psth: bool = False
    ) -> None:
        super().__init__()
        mean = facts.psth.mean(dim=0)
        flat = mean.expand_as(facts.psth)
        shrunk = shrunk_psth(facts.psth, facts.n_trials)
        centre = {"mean": flat, "psth": shrunk}[config.output_bias]
        self.register_buffer("offset", (centre + 1e-5).log())
        if not config.standardise:
            flat, scale = torch.zeros_like(flat), torch.ones_like(mean)
        else:
            scale = (mean + 1e-3).rsqrt()
        self.register_buffer("mean", shrunk if keep_psth else flat.clone())
        self.register_buffer("scale", scale)
        self.history: PastCorrection | None = None
        if config.unit_history:
            self.history = UnitHistory(facts.n_bins, facts.n_units)

    def standardise(self, counts: Tensor, units: Tensor | None = None) -> Tensor:
        """Return counts (..., n_bins, n_units) minus their mean, in units of their spread.

        Of chosen units only, if some are given: (..., n_bins, n_chosen).
        """
        if units is None:
            return (counts - self.mean) * self.scale
        return (counts[..., units] - self.mean[:, units]) * self.scale[units]

    def add_history(self, log_rate: Tensor, inputs: Tensor, is_hidden: Tensor) -> None:
        """Scale later predictions by each unit's own visible past, in place."""
        if self.history is not None:
            self.history.correct(log_rate, inputs, is_hidden, self.offset.exp())


def shrunk_psth(
    psth: Tensor, n_trials: int, sigma_bins: float = 2.0, prior_spikes: float = PRIOR_SPIKES
) -> Tensor:
    """Smooth a PSTH over bins and shrink it towards each unit's mean.

    Around each bin, ``s`` spikes were seen where the mean rate expected ``e``; the estimate is the
    mean times ``(s + k) / (e + k)``, the posterior mean under a gamma prior worth ``k`` spikes.

    Parameters
    ----------
    psth : Tensor, shape (n_bins, n_units)
        Mean count per bin.
    n_trials : int
        Number of trials that it is the mean of.
    sigma_bins : float
        Standard deviation of the Gaussian window.
    prior_spikes : float
        The prior's strength k.

    Returns
    -------
    Tensor, same shape
    """
    bins = torch.arange(len(psth), dtype=psth.dtype, device=psth.device)
    window = torch.exp(-0.5 * ((bins[:, None] - bins) / sigma_bins) ** 2)
    mean = psth.mean(dim=0)
    seen = n_trials * (window @ psth)
    expected = n_trials * window.sum(dim=1, keepdim=True) * mean
    return mean * (seen + prior_spikes) / (expected + prior_spikes)
