"""Predicting any units from any others: the regression of `group_regression`, without a task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mtm_core.models.baselines import BaselineData, IntArray
from mtm_core.models.group_regression import (
    Choice,
    Entries,
    Group,
    Projection,
    Regression,
    Search,
    SearchStoppedError,
    with_components,
)
from mtm_core.one_blas_thread import on_one_blas_thread
from mtm_core.seeding import numpy_generator

UNITS_THAT_CHOOSE = 40
"""Size of the sample of units on which the settings are chosen."""


@on_one_blas_thread
def choose_settings(
    data: BaselineData,
    sources: IntArray,
    targets: IntArray,
    should_stop: Callable[[], bool] = lambda: False,
    n_units: int = UNITS_THAT_CHOOSE,
) -> Choice | None:
    """Choose width, components and penalty for predicting some units from others.

    Parameters
    ----------
    data : BaselineData
        The recording; validation trials choose.
    sources, targets : ndarray of int64
        Units that are seen, and units that are predicted; none is both.
    should_stop : callable
        Asked again and again.
    n_units : int
        Most targets on which the choice is made.

    Returns
    -------
    Choice or None
        One for all targets, made on a sample of them; None if asked to stop.
    """
    rng = numpy_generator(0, "units that choose", "sources")
    few = Group(targets, sources, is_within=False).sample(n_units, rng)
    try:
        return Search(data, [few], should_stop).choose()[0]
    except SearchStoppedError:
        return None


@on_one_blas_thread
def predict_from(
    data: BaselineData, sources: IntArray, targets: IntArray, choice: Choice, trials: IntArray
) -> NDArray[np.float32]:
    """Predict some units from the components of others.

    Parameters
    ----------
    data : BaselineData
        The recording; training trials are fitted.
    sources, targets : ndarray of int64
        Units that are seen, and units that are predicted; none is both.
    choice : Choice
        See `choose_settings`.
    trials : ndarray of int64
        Rows to predict.

    Returns
    -------
    ndarray of float32, shape (n_trials, n_bins, n_targets)
        Log-rate.
    """
    group = Group(targets, sources, is_within=False)
    train = Entries.of(data, data.train, choice.width_s)
    ((_, components),) = with_components([group], train.features, choice.n_components)
    projection = Projection.fit(group, components, choice.n_components)
    fitted = Regression.fit(choice, projection, train)
    shown = Entries.of(data, trials, choice.width_s)
    log_rate = shown.offset[:, targets] + fitted.log_gain(projection.design(shown.features))
    return log_rate.reshape(len(trials), data.n_bins, len(targets))
