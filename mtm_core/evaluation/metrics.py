"""Scores of predicted rates against spike counts: numpy arrays in, numbers out.

All arrays hold scored entries only, with the axes ``(n_trials, n_bins, n_units)``; sums over bins
have the axes ``(n_trials, n_units)``. A number that cannot be computed (no spike, no variance) is
None, never NaN, and lists of per-unit numbers come with ``is_valid``.

Log-likelihoods leave out ``-log(count!)``, which is the same for every prediction.

References
----------
Poisson D2 is the share of deviance explained, 1 - (NLL_model - NLL_best) / (NLL_null - NLL_best)
with rates equal to the counts as the best (the saturated model), as BrainWideBench scores it
(arXiv 2609.22064). Pei et al. 2021, "Neural Latents Benchmark '21" (bits per spike, pooled over
units, with the mean over the scored entries as null); Zhang et al. 2024, arXiv 2407.14668 (the
same null, averaged over units).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Counts = NDArray[np.integer[Any]] | Floats
Bools = NDArray[np.bool_]

MIN_SPIKES = 30
"""Scored spikes that a unit needs to enter a mean or median over units."""
SMALLEST_RATE = 1e-9
"""Rate in spikes per bin that the benchmark's formula puts in place of 0 (test_mean null)."""


class UnitValues(NamedTuple):
    """A number per unit, and which of them there are.

    `values` holds 0 where `is_valid` is False; both have the shape (n_units,).
    """

    values: NDArray[np.float64]
    is_valid: Bools


def log_likelihood(counts: Counts, log_rate: Floats) -> NDArray[np.float64]:
    """Return the Poisson log-likelihood of counts, summed over bins.

    Parameters
    ----------
    counts, log_rate : ndarray, shape (n_trials, n_bins, n_units)
        Spikes, and the log of the spikes expected per bin.

    Returns
    -------
    ndarray, shape (n_trials, n_units)
        In nats.

    Examples
    --------
    >>> log_likelihood(np.array([[[2]]]), np.zeros((1, 1, 1))).tolist()
    [[-1.0]]
    """
    log_rate = log_rate.astype(np.float64)
    return np.asarray((counts * log_rate - np.exp(log_rate)).sum(axis=1))


def best_log_likelihood(counts: Counts) -> NDArray[np.float64]:
    """Return the log-likelihood of rates equal to the counts: the most there is to reach."""
    counts = counts.astype(np.float64)
    log_counts = np.log(np.where(counts > 0, counts, 1))
    return np.asarray((counts * log_counts - counts).sum(axis=1))


def scored_mean_log_rate(counts: Counts) -> NDArray[np.float64]:
    """Return the log of each unit's mean over the scored entries: the ``test_mean`` null.

    Returns
    -------
    ndarray, shape (n_units,)
        A silent unit has `SMALLEST_RATE`.
    """
    return np.asarray(np.log(np.maximum(counts.mean(axis=(0, 1)), SMALLEST_RATE)))


def pooled_bps(gain: Floats, spikes: Counts) -> float | None:
    """Return bits per spike pooled over units and trials.

    Units that are silent in the scored entries count: the spikes wrongly expected of them lower
    the gain.

    Parameters
    ----------
    gain : ndarray, shape (n_trials, n_units)
        Log-likelihood of the prediction minus that of the null, in nats.
    spikes : ndarray, shape (n_trials, n_units)
        Scored spikes.

    Returns
    -------
    float or None
        None if there is no spike.

    Examples
    --------
    >>> pooled_bps(np.log(2) * np.ones((1, 2)), np.array([[1, 3]]))
    0.5
    """
    total = float(spikes.sum())
    return float(gain.sum() / (total * np.log(2))) if total else None


def unit_bps(gain: Floats, spikes: Counts) -> UnitValues:
    """Return bits per spike of each unit; a unit without a scored spike has none."""
    total = spikes.sum(axis=0)
    has_spikes = total > 0
    values = gain.sum(axis=0) / (np.where(has_spikes, total, 1) * np.log(2))
    return UnitValues(np.where(has_spikes, values, 0.0), has_spikes)


def mean_over_units(units: UnitValues, is_counted: Bools) -> float | None:
    """Return the unweighted mean over the valid units among those that are counted."""
    chosen = units.values[units.is_valid & is_counted]
    return float(chosen.mean()) if len(chosen) else None


def median_over_units(units: UnitValues, is_counted: Bools) -> float | None:
    """Return the median over the valid units among those that are counted."""
    chosen = units.values[units.is_valid & is_counted]
    return float(np.median(chosen)) if len(chosen) else None


def poisson_d2(model: Floats, null: Floats, best: Floats) -> float | None:
    """Return the share of the null's Poisson deviance that the model explains.

    Parameters
    ----------
    model, null, best : ndarray of the same shape
        Log-likelihoods of the model, the null, and rates equal to the counts.

    Returns
    -------
    float or None
        1 for a perfect prediction, 0 for one as good as the null; None if the null is perfect.
    """
    deviance_of_null = float(best.sum() - null.sum())
    if not deviance_of_null > 0:
        return None
    return 1 - float(best.sum() - model.sum()) / deviance_of_null


def unit_d2(model: Floats, null: Floats, best: Floats) -> UnitValues:
    """Return each unit's share of the null's Poisson deviance that the model explains.

    Parameters
    ----------
    model, null, best : ndarray, shape (n_trials, n_units)
        As for `poisson_d2`.

    Returns
    -------
    UnitValues
        A unit whose null leaves nothing to explain has none.

    Examples
    --------
    >>> unit_d2(np.array([[-1.0, -2.0]]), np.array([[-2.0, -2.0]]), np.zeros((1, 2))).values
    array([0.5, 0. ])
    """
    deviance_of_null = (best - null).sum(axis=0)
    is_valid = deviance_of_null > 0
    left = (best - model).sum(axis=0) / np.where(is_valid, deviance_of_null, 1)
    return UnitValues(np.where(is_valid, 1 - left, 0.0), is_valid)


def unit_r2(truth: Floats, prediction: Floats) -> UnitValues:
    """Return each unit's coefficient of determination over all leading axes.

    Parameters
    ----------
    truth, prediction : ndarray, shape (..., n_units)
        For example counts of single trials, or trial averages by condition.

    Returns
    -------
    UnitValues
        A unit whose truth does not vary has none.
    """
    axes = tuple(range(truth.ndim - 1))
    total = np.square(truth - truth.mean(axis=axes)).sum(axis=axes)
    left = np.square(truth - prediction).sum(axis=axes)
    varies = total > 0
    return UnitValues(np.where(varies, 1 - left / np.where(varies, total, 1), 0.0), varies)


def condition_means(values: Floats, condition: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Return trial averages by condition, shape (n_conditions, n_bins, n_units).

    Trials whose condition is negative belong to none.
    """
    labels = [label for label in np.unique(condition) if label >= 0]
    means = [values[condition == label].mean(axis=0) for label in labels]
    return np.array(means).reshape(-1, *values.shape[1:])


def bootstrap_weights(
    n_trials: int, n_samples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw trials with replacement: how often each is in each sample.

    Returns
    -------
    ndarray, shape (n_samples, n_trials)
        Each row sums to `n_trials`. The same weights for two predictions make a paired comparison.
    """
    share = np.full(n_trials, 1 / n_trials)
    return rng.multinomial(n_trials, share, size=n_samples).astype(np.float64)


def pooled_interval(
    gain: Floats, spikes: Counts, weights: Floats, level: float = 0.95
) -> tuple[float, float] | None:
    """Return the percentile interval of pooled bits per spike over samples of trials.

    Parameters
    ----------
    gain, spikes : ndarray, shape (n_trials, n_units)
        As for `pooled_bps`; for a difference of two models, the difference of their
        log-likelihoods.
    weights : ndarray, shape (n_samples, n_trials)
        See `bootstrap_weights`.
    level : float
        Share of the samples inside.

    Returns
    -------
    (float, float) or None
        None if no sample holds a spike.
    """
    totals = weights @ spikes.sum(axis=1)
    gains = weights @ gain.sum(axis=1)
    kept = totals > 0
    return _percentiles(gains[kept] / (totals[kept] * np.log(2)), level)


def ratio_difference_interval(
    one: tuple[Floats, Counts], other: tuple[Floats, Counts], weights: Floats, level: float = 0.95
) -> tuple[float, float] | None:
    """Return the percentile interval of the difference of two pooled scores of other units.

    Parameters
    ----------
    one, other : (ndarray, ndarray)
        Gain and spikes of the two, each as for `pooled_bps`; their trials are the same.
    weights : ndarray, shape (n_samples, n_trials)
        See `bootstrap_weights`: both scores are taken on the same samples of trials.
    level : float
        Share of the samples inside.

    Returns
    -------
    (float, float) or None
        None if no sample holds a spike of both.
    """
    gains = [weights @ gain.sum(axis=1) for gain, _ in (one, other)]
    totals = [weights @ spikes.sum(axis=1) for _, spikes in (one, other)]
    kept = (totals[0] > 0) & (totals[1] > 0)
    first, second = (
        gain[kept] / (total[kept] * np.log(2)) for gain, total in zip(gains, totals, strict=True)
    )
    return _percentiles(first - second, level)


def unit_mean_interval(
    gain: Floats, spikes: Counts, weights: Floats, is_counted: Bools, level: float = 0.95
) -> tuple[float, float] | None:
    """Return the percentile interval of the mean bits per spike over units.

    Arguments are those of `pooled_interval`, and the units that are counted; in a sample of
    trials that holds no spike of a unit, that unit is left out of the mean.
    """
    totals = weights @ spikes[:, is_counted]
    gains = weights @ gain[:, is_counted]
    has_spikes = totals > 0
    bps = np.where(has_spikes, gains / (np.where(has_spikes, totals, 1) * np.log(2)), 0.0)
    n_units = has_spikes.sum(axis=1)
    kept = n_units > 0
    return _percentiles(bps.sum(axis=1)[kept] / n_units[kept], level)


def unit_intervals(
    gain: Floats, spikes: Counts, weights: Floats, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the percentile interval of each unit's bits per spike, over samples of trials.

    Arguments are those of `pooled_interval`. In a sample of trials that holds no spike of a unit
    its bits per spike count as 0: give units with many spikes.

    Returns
    -------
    low, high : ndarray, shape (n_units,)
    """
    totals, gains = weights @ spikes, weights @ gain
    has_spikes = totals > 0
    bps = np.where(has_spikes, gains / (np.where(has_spikes, totals, 1) * np.log(2)), 0.0)
    low, high = np.quantile(bps, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _percentiles(samples: NDArray[np.float64], level: float) -> tuple[float, float] | None:
    if not len(samples):
        return None
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
