"""Trial-averaged maps and what makes two of them comparable: numbers only, no drawing.

A *map* has shape ``(n_bins, n_units)``. Figures and the viewer share these functions, so that a
picture on screen and the same picture in a paper hold the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

Floats = NDArray[np.floating]
DIFFERENCE_LIMIT = 4.0
"""Colours of a difference map end at this many expected Poisson errors, in every picture."""
DIFFERENCE_UNIT = "expected Poisson errors"
"""The unit of `difference_in_errors`."""
GAIN_UNIT = "standard errors"
"""The unit of `gain_in_errors`."""


def smooth(values: Floats, sigma_bins: float) -> NDArray[np.float64]:
    """Smooth along time.

    Parameters
    ----------
    values : ndarray, shape (..., n_bins, n_units)
        One map, or one per trial.
    sigma_bins : float
        Standard deviation of the Gaussian, in bins; 0 is none. At the edges its weights are
        renormalised, so that a constant rate stays one.
    """
    if sigma_bins <= 0:
        return np.array(values, dtype=np.float64)
    kernel = _gaussian(sigma_bins)
    return _weighted_sum(values, kernel) / _weighted_sum(np.ones((values.shape[-2], 1)), kernel)


def _gaussian(sigma_bins: float) -> NDArray[np.float64]:
    """Weights of neighbouring bins; beyond six standard deviations there are none."""
    if sigma_bins <= 0:
        return np.ones(1)
    reach = int(np.ceil(6 * sigma_bins))
    lags = np.arange(-reach, reach + 1)
    return np.asarray(np.exp(-0.5 * np.square(lags / sigma_bins)), dtype=np.float64)


def _weighted_sum(values: Floats, kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up neighbouring bins; outside the window there is nothing to add."""
    summed = convolve1d(np.asarray(values, dtype=np.float64), kernel, axis=-2, mode="constant")
    return np.asarray(summed, dtype=np.float64)


def trial_mean_hz(counts: NDArray[np.generic], bin_size_s: float) -> NDArray[np.float64]:
    """Average trials.

    Parameters
    ----------
    counts : ndarray, shape (n_trials, n_bins, n_units)
        Spikes, or expected spikes, per bin.
    bin_size_s : float
        Duration of a bin.

    Returns
    -------
    ndarray, shape (n_bins, n_units)
        Spikes per second.

    Examples
    --------
    >>> trial_mean_hz(np.array([[[1]], [[3]]], dtype=np.uint8), 0.01)
    array([[200.]])
    """
    mean: NDArray[np.float64] = counts.mean(axis=0, dtype=np.float64) / bin_size_s
    return mean


def poisson_error_hz(
    rate_hz: Floats, n_trials: int, bin_size_s: float, sigma_bins: float = 0.0
) -> NDArray[np.float64]:
    """Tell how far a smoothed trial average strays from its rate when spikes are Poisson.

    Parameters
    ----------
    rate_hz : ndarray, shape (n_bins, n_units)
        The expected rate, before smoothing.
    n_trials : int
        Trials in the average.
    bin_size_s : float
        Duration of a bin.
    sigma_bins : float
        The smoothing that the average has had.

    Returns
    -------
    ndarray, shape (n_bins, n_units)
        Standard error in spikes/s. It is never below the error of one expected spike in all
        trials under the smoothing window: below that a single spike would look like a discovery.
    """
    kernel = _gaussian(sigma_bins)
    every = np.ones((len(rate_hz), 1))
    scale = _weighted_sum(every, kernel) ** 2
    total = _weighted_sum(every, kernel**2) / scale
    exposure_s = n_trials * bin_size_s
    variance = np.maximum(_weighted_sum(rate_hz, kernel**2) / scale, total**2 / exposure_s)
    error: NDArray[np.float64] = np.sqrt(variance / exposure_s)
    return error


def difference_in_errors(
    true_hz: Floats, model_hz: Floats, n_trials: int, bin_size_s: float, sigma_bins: float
) -> NDArray[np.float64]:
    """Compare two maps in units of the expected Poisson error, with the same smoothing on both.

    Parameters
    ----------
    true_hz, model_hz : ndarray, shape (n_bins, n_units)
        Unsmoothed maps.
    n_trials : int
        Trials in the averages.
    bin_size_s : float
        Duration of a bin.
    sigma_bins : float
        The smoothing applied to both.

    Returns
    -------
    ndarray, shape (n_bins, n_units)
        True minus model, over the error of an average that the model describes: about
        standard normal where the model is right, positive where spikes were missed.
    """
    error = poisson_error_hz(model_hz, n_trials, bin_size_s, sigma_bins)
    difference: NDArray[np.float64] = smooth(true_hz - model_hz, sigma_bins) / error
    return difference


@dataclass(frozen=True, eq=False)
class ZScore:
    """A unit's mean and spread over time in the training trials; applied to true and model alike.

    Parameters
    ----------
    mean_hz, sd_hz : ndarray, shape (n_units,)
        Mean over bins of the smoothed training map, and its standard deviation.
    """

    mean_hz: NDArray[np.float64]
    sd_hz: NDArray[np.float64]

    @classmethod
    def from_training(
        cls, train_hz: Floats, n_trials: int, bin_size_s: float, sigma_bins: float
    ) -> ZScore:
        """Measure the true training map.

        Parameters
        ----------
        train_hz : ndarray, shape (n_bins, n_units)
            Unsmoothed trial average of the true training counts.
        n_trials : int
            Training trials.
        bin_size_s : float
            Duration of a bin.
        sigma_bins : float
            The smoothing of the maps to be scored.

        Notes
        -----
        The spread is never below the Poisson error of the training map itself, so that a unit
        without modulation stays grey in place of showing its noise at full contrast.
        """
        smoothed = smooth(train_hz, sigma_bins)
        mean_hz = smoothed.mean(axis=0)
        flat = np.broadcast_to(mean_hz, train_hz.shape)
        error = poisson_error_hz(flat, n_trials, bin_size_s, sigma_bins).mean(axis=0)
        return cls(mean_hz, np.maximum(smoothed.std(axis=0), error))

    def apply(self, map_hz: Floats) -> NDArray[np.float64]:
        """Score a smoothed map, shape (n_bins, n_units)."""
        scored: NDArray[np.float64] = (map_hz - self.mean_hz) / self.sd_hz
        return scored


@dataclass(frozen=True, eq=False, kw_only=True)
class PeakScale:
    """A unit's highest rate in the smoothed training map; applied to true and model alike.

    Parameters
    ----------
    peak_hz : ndarray, shape (n_units,)
        Never below the Poisson error of the training map, so that a silent unit stays dark.
    """

    peak_hz: NDArray[np.float64]

    @classmethod
    def from_training(
        cls, train_hz: Floats, n_trials: int, bin_size_s: float, sigma_bins: float
    ) -> PeakScale:
        """Measure the true training map; see `ZScore.from_training`."""
        smoothed = smooth(train_hz, sigma_bins)
        error = poisson_error_hz(train_hz, n_trials, bin_size_s, sigma_bins).max(axis=0)
        return cls(peak_hz=np.maximum(smoothed.max(axis=0), error))

    def apply(self, map_hz: Floats) -> NDArray[np.float64]:
        """Return a smoothed map, (n_bins, n_units), as shares of the peaks."""
        share: NDArray[np.float64] = map_hz / self.peak_hz
        return share


def gain_in_errors(
    counts: NDArray[np.generic],
    log_rate: Floats,
    other_log_rate: Floats,
    sigma_bins: float,
    units_at_once: int = 64,
) -> NDArray[np.float64]:
    """Say where one prediction of single trials beats another, in standard errors over trials.

    Averages cannot tell a prediction from its shuffle control: both average the same trials. The
    Poisson log-likelihood of each trial's own spikes can.

    Parameters
    ----------
    counts : ndarray, shape (n_trials, n_bins, n_units)
        Spikes.
    log_rate, other_log_rate : ndarray, same shape
        Natural log of expected spikes per bin by either prediction.
    sigma_bins : float
        Smoothing of each trial's gain along time.
    units_at_once : int
        Units in a piece of work, so that memory stays bounded.

    Returns
    -------
    ndarray, shape (n_bins, n_units)
        Mean gain over trials by its standard error; 0 where it is the same in every trial.
    """
    n_trials, n_bins, n_units = counts.shape
    gain = np.zeros((n_bins, n_units))
    if n_trials < 2:
        return gain
    for start in range(0, n_units, units_at_once):
        part = slice(start, start + units_at_once)
        own, other = (rate[..., part].astype(np.float64) for rate in (log_rate, other_log_rate))
        spikes = counts[..., part].astype(np.float64)
        per_trial = spikes * (own - other) - (np.exp(own) - np.exp(other))
        smoothed = smooth(per_trial, sigma_bins)
        error = smoothed.std(axis=0, ddof=1) / np.sqrt(n_trials)
        mean = smoothed.mean(axis=0)
        gain[:, part] = np.divide(mean, error, out=np.zeros_like(mean), where=error > 0)
    return gain
