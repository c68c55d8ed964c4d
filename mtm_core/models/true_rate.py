"""The ceiling of a simulated session: the rates that made its spikes, scored like a prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.data.simulated_truth import GroundTruth, true_counts_rate
from mtm_core.models.baselines import ALL_TASKS, IntArray, Plan

_LEAST = 1e-9
"""Expected spikes in a bin of a cluster that never fires: its logarithm must be finite."""


class TrueRate:
    """Predicts each entry by its true rate (see `simulated_truth.true_rate_hz`).

    It is no rival: it knows the latents at each moment and what every region has sent until then,
    also where a task hides them. What it leaves unexplained is the chance of the Poisson draw, so
    no model can be expected to exceed its score, with one small reservation: a model that sees
    later spikes of regions that the unit sends to learns a little of the unit's spikes themselves,
    not of their rate only (one unit is a small part of what a region sends).

    Parameters
    ----------
    truth : GroundTruth
        What made the recording.
    session : Session
        The recording as it is scored.

    Raises
    ------
    DataError
        If the two do not belong together.
    """

    name = "true_rate_ceiling"
    tasks = ALL_TASKS

    def __init__(self, truth: GroundTruth, session: Session) -> None:
        self._log_rate = np.log(np.maximum(true_counts_rate(truth, session), _LEAST))

    def predict(self, plan: Plan, trials: IntArray) -> NDArray[np.float32]:
        """Return the true `log_rate`, shape (n_trials, n_bins, n_units), whatever the plan."""
        del plan
        return self._log_rate[trials]
