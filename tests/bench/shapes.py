"""Sessions and models of the shapes that the benches measure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mtm_core.config import TrainConfig
from mtm_core.config_io import load_preset
from mtm_core.data.session import Session
from mtm_core.models.checkpoint import Checkpoint
from tests.core.checkpoints import make_checkpoint
from tests.core.sessions import make_session

REGIONS = ("CA1", "CA3", "DG", "LP", "MOs", "PL", "SUB", "VISp", "VISam", "ACAd")
MEAN_RATE_HZ = 3.0


def ibl_session(n_trials: int, n_bins: int, n_units: int) -> Session:
    """Make a session of 20 ms bins whose units' rates spread as those of real ones do."""
    session = make_session(
        n_trials=n_trials, n_bins=n_bins, n_units=n_units, regions=REGIONS, bin_size_s=0.02
    )
    rng = np.random.default_rng(0)
    share = rng.lognormal(0.0, 1.0, n_units)
    mean_count = MEAN_RATE_HZ * 0.02 * share / share.mean()
    counts = rng.poisson(mean_count, session.counts.shape)
    return replace(session, counts=np.minimum(counts, 255).astype(np.uint8))


def paper_checkpoint(session: Session) -> Checkpoint:
    """Make an untrained model of the paper's size: what weights hold does not change the time."""
    checkpoint = make_checkpoint(session, load_preset("paper-ndt1-mtm"), noise=0.01)
    checkpoint.model.trunk.output_gain.data.fill_(1.0)  # the plain twin has none
    return checkpoint


def linear_config() -> TrainConfig:
    """Return the preset `quick` with a matrix for a read-in: layers always run."""
    config = load_preset("quick")
    return replace(config, model=replace(config.model, read_in="linear", unit_dropout=0.3))
