"""From a configuration to a model: where architectures are registered."""

from __future__ import annotations

from torch import Tensor

from mtm_core.config import ModelConfig
from mtm_core.models.ndt1 import Ndt1


def build_model(config: ModelConfig, psth: Tensor, n_trials: int = 1) -> Ndt1:
    """Build an untrained model for one session.

    Parameters
    ----------
    config : ModelConfig
        The architecture and its sizes.
    psth : Tensor, shape (n_bins, n_units), float32
        Mean count per bin over the *training* trials. It scales the input and starts the output
        bias. When a state is loaded afterwards, any non-negative values of that shape will do.
    n_trials : int
        Number of training trials; the fewer, the more the PSTH is shrunk towards the mean.

    Returns
    -------
    Ndt1
        In training mode; weights drawn from torch's global generator. A model with
        ``read_in="components"`` is to be given its components by `models.warm_start` next.
    """
    return Ndt1(config, psth, n_trials)
