"""Baselines that see no other unit: mean rate, PSTH by bin, PSTH by condition, drift.

Rules, the same wherever these rates serve as a null model:

- A unit without a training spike is given half a spike over all training entries, so that its
  rate is never 0 and no score is infinite.
- The PSTH is the training mean per bin, smoothed with a Gaussian of 30 ms and shrunk towards the
  unit's mean rate as if by 20 further trials at that rate.
- The PSTH of a condition is smoothed with 60 ms and shrunk towards the PSTH of all trials as if
  by 20 further trials. A trial whose condition is unknown or was never trained takes the PSTH of
  all trials.

The constants were chosen on validation trials of the development sessions: a weaker PSTH would
flatter every gain over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mtm_core.models.baselines import (
    ALL_TASKS,
    BaselineData,
    Counts,
    FloatArray,
    IntArray,
    Plan,
)

PSTH_WIDTH_S = 0.03
"""Gaussian width of the PSTH over all trials."""
CONDITION_WIDTH_S = 0.06
"""Gaussian width of the PSTH of one condition."""
PSEUDO_TRIALS = 20.0
"""Trials' worth of trust in what a PSTH is shrunk towards."""
DRIFT_WIDTHS = (3.0, 5.0, 8.0, 12.0, 20.0, 40.0)
"""Neighbourhoods in trials among which validation trials choose."""
DRIFT_PSEUDO_SPIKES = (0.5, 1.0, 2.0, 4.0, 16.0, 1e6)
"""Strengths of the pull towards no drift (the last: none) that validation trials choose from."""


def smoothing_matrix(n_bins: int, width: float) -> NDArray[np.float64]:
    """Return Gaussian weights that average over bins; each row sums to 1.

    Parameters
    ----------
    n_bins : int
        Number of bins.
    width : float
        Standard deviation in bins; 0 leaves bins as they are, infinity averages all.

    Returns
    -------
    ndarray, shape (n_bins, n_bins)
        ``smoothed = weights @ values``; at the edges the weights are renormalised.

    Examples
    --------
    >>> smoothing_matrix(2, np.inf).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    if width == 0:
        return np.eye(n_bins)
    lag = np.subtract.outer(np.arange(n_bins), np.arange(n_bins))
    weights = np.exp(-0.5 * np.square(lag / width))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def mean_count(counts: Counts) -> NDArray[np.float64]:
    """Return each unit's mean count per bin; a silent unit is given half a spike in all.

    Parameters
    ----------
    counts : ndarray, shape (n_trials, n_bins, n_units)
        Training counts.

    Returns
    -------
    ndarray, shape (n_units,)
        Never 0.
    """
    n_trials, n_bins = counts.shape[:2]
    spikes = counts.sum(axis=(0, 1), dtype=np.float64)
    return np.asarray(np.maximum(spikes, 0.5) / (n_trials * n_bins))


def _shrunk_mean(counts: Counts, width: float, towards: FloatArray) -> NDArray[np.float64]:
    """Smooth the trial mean over bins and shrink it, shape (n_bins, n_units)."""
    total = counts.sum(axis=0, dtype=np.float64)
    smooth = smoothing_matrix(len(total), width) @ total
    rate: NDArray[np.float64] = (smooth + PSEUDO_TRIALS * towards) / (len(counts) + PSEUDO_TRIALS)
    return rate


def psth(data: BaselineData) -> NDArray[np.float64]:
    """Return the training PSTH in spikes per bin, shape (n_bins, n_units); never 0."""
    counts = data.counts[data.train]
    return _shrunk_mean(counts, PSTH_WIDTH_S / data.bin_size_s, mean_count(counts))


def condition_psth(data: BaselineData) -> dict[int, NDArray[np.float64]]:
    """Return the training PSTH of each condition that has training trials."""
    base = psth(data)
    width = CONDITION_WIDTH_S / data.bin_size_s
    label = data.condition[data.train]
    known = [int(c) for c in np.unique(label) if c >= 0]
    return {c: _shrunk_mean(data.counts[data.train[label == c]], width, base) for c in known}


def trial_psth(data: BaselineData, trials: IntArray) -> NDArray[np.float64]:
    """Return the PSTH of each trial's condition, shape (n_trials, n_bins, n_units)."""
    by_condition = condition_psth(data)
    base = psth(data)
    return np.stack([by_condition.get(int(data.condition[t]), base) for t in trials])


def pooled_log_likelihood(counts: Counts | FloatArray, log_rate: FloatArray) -> float:
    """Return the Poisson log-likelihood without its constant: what choices are made by."""
    return float((counts * log_rate - np.exp(log_rate)).sum(dtype=np.float64))


def _as_log_rate(rate: FloatArray, n_trials: int) -> NDArray[np.float32]:
    shape = (n_trials, *rate.shape[-2:])
    return np.log(np.broadcast_to(rate, shape)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class MeanRate:
    """Each unit's mean rate in training trials."""

    data: BaselineData
    name: ClassVar[str] = "mean_rate"
    tasks: ClassVar[tuple[str, ...]] = ALL_TASKS

    def predict(self, plan: Plan, trials: IntArray) -> NDArray[np.float32]:
        """Return the log mean rate (see `Predictor.predict`); the plan does not matter."""
        rate = mean_count(self.data.counts[self.data.train])
        return _as_log_rate(np.tile(rate, (self.data.n_bins, 1)), len(trials))


@dataclass(frozen=True, eq=False)
class Psth:
    """Each unit's training PSTH, per bin."""

    data: BaselineData
    name: ClassVar[str] = "psth"
    tasks: ClassVar[tuple[str, ...]] = ALL_TASKS

    def predict(self, plan: Plan, trials: IntArray) -> NDArray[np.float32]:
        """Return the log PSTH (see `Predictor.predict`); the plan does not matter."""
        return _as_log_rate(psth(self.data), len(trials))


@dataclass(frozen=True, eq=False)
class ConditionPsth:
    """Each unit's training PSTH in the trial's condition, per bin."""

    data: BaselineData
    name: ClassVar[str] = "psth_condition"
    tasks: ClassVar[tuple[str, ...]] = ALL_TASKS

    def predict(self, plan: Plan, trials: IntArray) -> NDArray[np.float32]:
        """Return the log PSTH by condition (see `Predictor.predict`)."""
        return _as_log_rate(trial_psth(self.data, trials), len(trials))


@dataclass(frozen=True, eq=False)
class Drift:
    """PSTH times the unit's own rate in neighbouring training trials; no other unit is seen.

    The gain of a unit in a trial is ``(k + spikes) / (k + expected)``, spikes and PSTH-expected
    spikes summed over training trials with weights ``exp(-distance / width)``; the trial itself
    never counts. Width and ``k`` are chosen on validation trials.
    """

    data: BaselineData
    width: float
    pseudo_spikes: float
    name: ClassVar[str] = "drift"
    tasks: ClassVar[tuple[str, ...]] = ALL_TASKS

    @classmethod
    def fit(cls, data: BaselineData) -> Self:
        """Choose the neighbourhood and the pull towards no drift on validation trials."""
        choices = [cls(data, w, k) for w in DRIFT_WIDTHS for k in DRIFT_PSEUDO_SPIKES]
        truth = data.counts[data.val].sum(axis=1)
        expected = psth(data).sum(axis=0)

        def fit_quality(choice: Self) -> float:
            log_total = np.log(choice.gain(data.val) * expected)
            return pooled_log_likelihood(truth, log_total)

        return max(choices, key=fit_quality)

    def gain(self, trials: IntArray) -> NDArray[np.float64]:
        """Return the factor on the PSTH, shape (n_trials, n_units)."""
        train = self.data.train
        spikes = self.data.counts[train].sum(axis=1, dtype=np.float64)
        expected = psth(self.data).sum(axis=0)
        distance = np.abs(np.subtract.outer(trials, train))
        weight = np.exp(-distance / self.width) * (distance > 0)
        total = weight.sum(axis=1, keepdims=True) * expected
        gain: NDArray[np.float64] = (self.pseudo_spikes + weight @ spikes) / (
            self.pseudo_spikes + total
        )
        return gain

    def predict(self, plan: Plan, trials: IntArray) -> NDArray[np.float32]:
        """Return log PSTH plus log gain (see `Predictor.predict`); the plan does not matter."""
        rate = psth(self.data) * self.gain(trials)[:, None, :]
        return np.log(rate).astype(np.float32)
