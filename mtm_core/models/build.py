"""From settings to a model: where architectures are registered."""

from __future__ import annotations

from torch import nn

from mtm_core.config_model import ModelConfig, Ndt1Config
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.session_part import SessionFacts
from mtm_core.models.spike_model import SpikeModel
from mtm_core.models.trunk import TimeTrunk


def build_model(
    config: ModelConfig, facts: SessionFacts, trunk: nn.Module | None = None
) -> SpikeModel:
    """Build an untrained model for one session.

    Parameters
    ----------
    config : ModelConfig
        The architecture and its sizes.
    facts : SessionFacts
        Sizes and statistics of the session.
    trunk : nn.Module or None
        That of another model of the same settings, to share it; None makes a new one.

    Returns
    -------
    SpikeModel
        In training mode; weights drawn from torch's global generator. A model with
        ``read_in="components"`` is to be given its components by `models.warm_start` next.
    """
    if isinstance(config, Ndt1Config) and (trunk is None or isinstance(trunk, TimeTrunk)):
        return Ndt1(config, facts, trunk)
    msg = f"no model is registered for {type(config).__name__} with {type(trunk).__name__}"
    raise TypeError(msg)
