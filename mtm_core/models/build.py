"""From settings to a model: where architectures are registered."""

from __future__ import annotations

from torch import nn

from mtm_core.config_model import LfadsConfig, ModelConfig, Ndt1Config, Ndt2Config
from mtm_core.models.lfads import Lfads
from mtm_core.models.lfads_trunk import LfadsTrunk
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.ndt2 import Ndt2
from mtm_core.models.session_part import SessionFacts
from mtm_core.models.spike_model import SpikeModel
from mtm_core.models.token_trunk import TokenTrunk
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
    if isinstance(config, Ndt1Config) and isinstance(trunk, TimeTrunk | None):
        return Ndt1(config, facts, trunk)
    if isinstance(config, Ndt2Config) and isinstance(trunk, TokenTrunk | None):
        return Ndt2(config, facts, trunk)
    if isinstance(config, LfadsConfig) and isinstance(trunk, LfadsTrunk | None):
        return Lfads(config, facts, trunk)
    msg = f"no model is registered for {type(config).__name__} with {type(trunk).__name__}"
    raise TypeError(msg)
