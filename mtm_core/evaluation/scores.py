"""All scores of one task, for any prediction of it: the model's, its shuffle control's, a rival's.

`Truth` holds what the predictions of a task are compared with: scored counts, null models and the
samples of trials for intervals. `Truth.score` judges one prediction. Rules:

- ``train_mean``: each unit's mean rate over training trials; ``test_mean``: over the scored
  entries; ``psth``: each unit's training PSTH in the trial's condition (see
  `mtm_core.models.baselines_rates` for smoothing and for units that are silent in training).
- *pooled*: gains summed over units and trials, divided by all scored spikes; units that are silent
  in the scored entries count. *Unit mean* and *median*: over units with at least
  `metrics.MIN_SPIKES` scored spikes. *Unit mean, published rule*: over units with any spike.
- Intervals: 95 %, percentiles over samples of trials drawn with replacement; null models stay as
  they are. Differences of two predictions use the same samples for both.
- PSTH R2 and single-trial R2 are computed on counts and rates smoothed over the scored bins with a
  Gaussian of 30 ms; the median over units with enough spikes is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation import metrics
from mtm_core.models.baselines import BaselineData, IntArray, Plan
from mtm_core.models.baselines_rates import (
    PSTH_WIDTH_S,
    mean_count,
    smoothing_matrix,
    trial_psth,
)

NullName = Literal["train_mean", "test_mean", "psth"]
NULLS: tuple[NullName, ...] = get_args(NullName)
"""Names of the null models."""
PSTH: NullName = "psth"
MIN_TRIALS = 3
"""Scored trials that a condition needs to have a PSTH to compare with."""

Interval = tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class NullScores:
    """Bits per spike over one null model."""

    bps_pooled: float | None
    bps_unit_mean: float | None
    bps_unit_median: float | None
    bps_unit_mean_published: float | None
    interval: Interval
    d2: float | None
    d2_unit_mean: float | None


@dataclass(frozen=True, kw_only=True)
class GroupScores:
    """Scores of a set of units: all those of a task, or those of one region.

    Parameters
    ----------
    bps_pooled, bps_unit_mean, bps_unit_median : float or None
        Bits per spike over the null named in `null`.
    interval : (float, float) or None
        Of `bps_pooled`.
    bps_beyond_psth, interval_beyond_psth
        The same, pooled, over the null ``psth``.
    d2, d2_unit_mean : float or None
        Poisson deviance explained, over the null named in `null`: of all units together, and the
        mean over units with enough spikes.
    psth_r2, single_trial_r2 : float or None
        Median over units with enough spikes.
    n_units, n_spikes : int
        Scored units and spikes.
    n_units_left_out : int
        Units with too few scored spikes for means and medians over units.
    n_units_silent : int
        Units without any scored spike (among those left out).
    null : str
        One of `NULLS`.
    """

    bps_pooled: float | None
    bps_unit_mean: float | None
    bps_unit_median: float | None
    interval: Interval
    bps_beyond_psth: float | None
    interval_beyond_psth: Interval
    d2: float | None
    d2_unit_mean: float | None
    psth_r2: float | None
    single_trial_r2: float | None
    n_units: int
    n_spikes: int
    n_units_left_out: int
    n_units_silent: int
    null: NullName


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitScores:
    """Scores of each unit of a task; each says for which units there is one."""

    unit_id: NDArray[np.str_]
    region: NDArray[np.str_]
    n_spikes: NDArray[np.int64]
    bps: metrics.UnitValues
    bps_beyond_psth: metrics.UnitValues
    d2: metrics.UnitValues


@dataclass(frozen=True, eq=False, kw_only=True)
class TaskScores:
    """What one prediction of a task is worth.

    Parameters
    ----------
    overall : GroupScores
        Over all scored units.
    by_null : mapping of str to NullScores
        Bits per spike over each null.
    per_region : mapping of str to GroupScores
        The same scores over the units of each region.
    units : UnitScores
        Unit by unit.
    log_likelihood : ndarray, shape (n_trials, n_units)
        For comparisons with other predictions of the same truth.
    """

    overall: GroupScores
    by_null: Mapping[str, NullScores]
    per_region: Mapping[str, GroupScores]
    units: UnitScores
    log_likelihood: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A prediction's scores in short: gains over the main null and over the training PSTH.

    Intervals are over samples of trials; means are over units with enough spikes.
    """

    bps_pooled: float | None
    interval: Interval
    bps_unit_mean: float | None
    interval_unit_mean: Interval
    bps_beyond_psth: float | None
    interval_beyond_psth: Interval
    d2: float | None


@dataclass(frozen=True, eq=False)
class _Prediction:
    """What the scores of any set of units are made from; axes end with the units."""

    likelihood: NDArray[np.float64]
    psth_r2: metrics.UnitValues
    single_trial_r2: metrics.UnitValues


class Truth:
    """What the predictions of one task are compared with.

    Parameters
    ----------
    data : BaselineData
        Counts, conditions and training trials.
    plan : Plan
        The task; its scored entries must be some bins of some units (those of every task are).
    trials : ndarray of int64
        Rows to score.
    unit_id : ndarray of str, shape (n_units,)
        Ids of the session's units.
    null : str
        The null of the main scores.
    n_samples : int
        Samples of trials for the intervals.
    rng : numpy.random.Generator
        Draws them.
    folds : sequence of (BaselineData, ndarray of int64)
        Of a cross-fitted model: the recording with the training trials of each fold, and which
        of `trials` its nulls are for, by their places.
    """

    def __init__(
        self,
        data: BaselineData,
        plan: Plan,
        trials: IntArray,
        *,
        unit_id: NDArray[np.str_],
        rng: np.random.Generator,
        null: NullName = "train_mean",
        n_samples: int = 1000,
        folds: Sequence[tuple[BaselineData, IntArray]] = (),
    ) -> None:
        self.bins = np.flatnonzero(plan.is_scored.any(axis=1))
        self.rows = np.flatnonzero(plan.is_scored.any(axis=0))
        self._entries = np.ix_(np.arange(len(trials)), self.bins, self.rows)
        self.counts = data.counts[np.ix_(trials, self.bins, self.rows)].astype(np.int64)
        self.spikes = self.counts.sum(axis=1)
        self.unit_id, self.region = unit_id[self.rows], data.region[self.rows]
        self.null = null
        self.condition = common_conditions(data.condition[trials])
        self.weights = metrics.bootstrap_weights(len(trials), n_samples, rng)
        self._smoothing = smoothing_matrix(len(self.bins), PSTH_WIDTH_S / data.bin_size_s)
        self._best = metrics.best_log_likelihood(self.counts)
        self._nulls = self._null_likelihoods(data, trials, folds)

    def score(self, log_rate: NDArray[np.float32]) -> TaskScores:
        """Judge a prediction, given for the whole session: (n_trials, n_bins, n_units)."""
        scored = log_rate[self._entries]
        rate, counts = (np.matmul(self._smoothing, a) for a in (np.exp(scored), self.counts))
        averages = (metrics.condition_means(a, self.condition) for a in (counts, rate))
        found = _Prediction(
            metrics.log_likelihood(self.counts, scored),
            metrics.unit_r2(*averages),
            metrics.unit_r2(counts, rate),
        )
        every = np.ones(len(self.rows), dtype=bool)
        regions = [str(name) for name in np.unique(self.region)]
        return TaskScores(
            overall=self._group(found, every),
            by_null={name: self._over_null(found, name) for name in NULLS},
            per_region={name: self._group(found, self.region == name) for name in regions},
            units=self._units(found),
            log_likelihood=found.likelihood,
        )

    def likelihood(self, log_rate: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the log-likelihood of a prediction of the whole session, as `TaskScores` has it.

        Shape (n_trials, n_units), of the scored units.
        """
        return metrics.log_likelihood(self.counts, log_rate[self._entries])

    def null_likelihood(self, name: NullName) -> NDArray[np.float64]:
        """Return the same of a null model."""
        return self._nulls[name]

    def judge(self, likelihood: NDArray[np.float64]) -> Judgement:
        """Judge a prediction in short, by its log-likelihood: a fraction of the work of `score`.

        Bits per spike are linear in it, so that the mean over several is judged by their mean.
        """
        gain, beyond = (likelihood - self._nulls[name] for name in (self.null, PSTH))
        is_counted = self.spikes.sum(axis=0) >= metrics.MIN_SPIKES
        bps = metrics.unit_bps(gain, self.spikes)
        return Judgement(
            bps_pooled=metrics.pooled_bps(gain, self.spikes),
            interval=metrics.pooled_interval(gain, self.spikes, self.weights),
            bps_unit_mean=metrics.mean_over_units(bps, is_counted),
            interval_unit_mean=metrics.unit_mean_interval(
                gain, self.spikes, self.weights, is_counted
            ),
            bps_beyond_psth=metrics.pooled_bps(beyond, self.spikes),
            interval_beyond_psth=metrics.pooled_interval(beyond, self.spikes, self.weights),
            d2=metrics.poisson_d2(likelihood, self._nulls[self.null], self._best),
        )

    def difference(self, one: TaskScores, other: TaskScores) -> tuple[float | None, Interval]:
        """Return pooled bits per spike of one prediction minus another's, and its interval."""
        gain = one.log_likelihood - other.log_likelihood
        pooled = metrics.pooled_bps(gain, self.spikes)
        return pooled, metrics.pooled_interval(gain, self.spikes, self.weights)

    def _null_likelihoods(
        self,
        data: BaselineData,
        trials: IntArray,
        folds: Sequence[tuple[BaselineData, IntArray]],
    ) -> dict[NullName, NDArray[np.float64]]:
        # As exact as predictions are (float32), so that a null scores 0 over itself.
        rates: dict[NullName, NDArray[np.float64]] = {
            "test_mean": np.broadcast_to(
                metrics.scored_mean_log_rate(self.counts), self.counts.shape
            ),
            "train_mean": np.zeros(self.counts.shape),
            "psth": np.zeros(self.counts.shape),
        }
        for known, places in folds or [(data, np.arange(len(trials)))]:
            entries = np.ix_(np.arange(len(places)), self.bins, self.rows)
            mean = mean_count(known.counts[known.train])
            rates["train_mean"][places] = np.log(mean)[self.rows]
            rates["psth"][places] = np.log(trial_psth(known, trials[places])[entries])
        return {
            name: metrics.log_likelihood(self.counts, rate.astype(np.float32))
            for name, rate in rates.items()
        }

    def _group(self, found: _Prediction, units: NDArray[np.bool_]) -> GroupScores:
        spikes, likelihood = self.spikes[:, units], found.likelihood[:, units]
        null, psth, best = (
            a[:, units] for a in (self._nulls[self.null], self._nulls["psth"], self._best)
        )
        total = self.spikes.sum(axis=0)
        is_counted = units & (total >= metrics.MIN_SPIKES)
        units_alone = self._units(found)
        return GroupScores(
            bps_pooled=metrics.pooled_bps(likelihood - null, spikes),
            bps_unit_mean=metrics.mean_over_units(units_alone.bps, is_counted),
            bps_unit_median=metrics.median_over_units(units_alone.bps, is_counted),
            interval=metrics.pooled_interval(likelihood - null, spikes, self.weights),
            bps_beyond_psth=metrics.pooled_bps(likelihood - psth, spikes),
            interval_beyond_psth=metrics.pooled_interval(likelihood - psth, spikes, self.weights),
            d2=metrics.poisson_d2(likelihood, null, best),
            d2_unit_mean=metrics.mean_over_units(units_alone.d2, is_counted),
            psth_r2=metrics.median_over_units(found.psth_r2, is_counted),
            single_trial_r2=metrics.median_over_units(found.single_trial_r2, is_counted),
            n_units=int(units.sum()),
            n_spikes=int(spikes.sum()),
            n_units_left_out=int((units & ~is_counted).sum()),
            n_units_silent=int((units & (total == 0)).sum()),
            null=self.null,
        )

    def _over_null(self, found: _Prediction, name: NullName) -> NullScores:
        gain = found.likelihood - self._nulls[name]
        is_counted = self.spikes.sum(axis=0) >= metrics.MIN_SPIKES
        bps = metrics.unit_bps(gain, self.spikes)
        return NullScores(
            bps_pooled=metrics.pooled_bps(gain, self.spikes),
            bps_unit_mean=metrics.mean_over_units(bps, is_counted),
            bps_unit_median=metrics.median_over_units(bps, is_counted),
            bps_unit_mean_published=metrics.mean_over_units(bps, bps.is_valid),
            interval=metrics.pooled_interval(gain, self.spikes, self.weights),
            d2=metrics.poisson_d2(found.likelihood, self._nulls[name], self._best),
            d2_unit_mean=metrics.mean_over_units(
                metrics.unit_d2(found.likelihood, self._nulls[name], self._best), is_counted
            ),
        )

    def _units(self, found: _Prediction) -> UnitScores:
        return UnitScores(
            unit_id=self.unit_id,
            region=self.region,
            n_spikes=self.spikes.sum(axis=0),
            bps=metrics.unit_bps(found.likelihood - self._nulls[self.null], self.spikes),
            bps_beyond_psth=metrics.unit_bps(found.likelihood - self._nulls["psth"], self.spikes),
            d2=metrics.unit_d2(found.likelihood, self._nulls[self.null], self._best),
        )


def common_conditions(condition: IntArray) -> IntArray:
    """Mark conditions of too few trials as none; without any, all trials are one condition."""
    labels, counts = np.unique(condition, return_counts=True)
    common = labels[(counts >= MIN_TRIALS) & (labels >= 0)]
    if len(common) == 0:
        return np.zeros_like(condition)
    return np.where(np.isin(condition, common), condition, -1)
