"""Two predictions of the same trials under the same mask: what one tells more than the other.

The change is a difference of log-likelihoods per spike, so that the null cancels. Intervals are
percentiles over samples of *trials*, the same samples for both predictions: units of one recording
share their trials and are not independent samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation import metrics
from mtm_core.evaluation.mask_scores import (
    FEWEST_TRIALS,
    SEED,
    PredictorScore,
    Rivals,
    ScoredTrials,
    UnitGains,
    gains_over_psth,
    score_gains,
    trial_samples,
)
from mtm_core.models.answers import Reconstruction

LEVEL = 0.95
_CHANCE = (1 - LEVEL) / 2
_UNITS_AT_ONCE = 256


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitChanges:
    """The change of each scored unit.

    Parameters
    ----------
    units : ndarray of int64, shape (n_scored,)
        Columns of the session.
    bps, other_bps : ndarray, shape (n_scored,)
        Bits per spike beyond the PSTH of either; 0 where there is none.
    change, low, high : ndarray, shape (n_scored,)
        First minus second in bits per spike, and its 95 % interval; 0 where there is none.
    is_valid, has_interval : ndarray of bool, shape (n_scored,)
        Units with a scored spike; units with at least 30 of them, in enough trials.
    n_spikes : ndarray of int64, shape (n_scored,)
        Scored spikes.
    """

    units: NDArray[np.int64]
    bps: NDArray[np.float64]
    other_bps: NDArray[np.float64]
    change: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    is_valid: NDArray[np.bool_]
    has_interval: NDArray[np.bool_]
    n_spikes: NDArray[np.int64]

    @property
    def n_judged(self) -> int:
        """Units with an interval."""
        return int(self.has_interval.sum())

    @property
    def n_above(self) -> int:
        """Units whose interval lies above 0."""
        return int((self.has_interval & (self.low > 0)).sum())

    @property
    def n_below(self) -> int:
        """Units whose interval lies below 0."""
        return int((self.has_interval & (self.high < 0)).sum())


@dataclass(frozen=True, kw_only=True)
class ChangeScore:
    """The change in short; pooled over units, null and pooling as for `PredictorScore`.

    Parameters
    ----------
    name, other : str
        The two predictions.
    bps, other_bps : float or None
        Bits per spike beyond the PSTH of either.
    change : float or None
        First minus second; None where there is no spike.
    interval : (float, float) or None
        Its 95 % interval over samples of trials; None with too few trials.
    n_units, n_spikes, n_trials : int
        What was scored.
    n_judged, n_above, n_below : int
        Units with at least 30 scored spikes, and those of them whose own interval lies above
        and below 0.
    """

    name: str
    other: str
    bps: float | None
    other_bps: float | None
    change: float | None
    interval: tuple[float, float] | None
    n_units: int
    n_spikes: int
    n_trials: int
    n_judged: int
    n_above: int
    n_below: int


@dataclass(frozen=True, eq=False, kw_only=True)
class PairedChange:
    """The change, pooled and unit by unit, and the score of the second prediction alone."""

    score: ChangeScore
    units: UnitChanges
    other: PredictorScore


def paired_change(
    trials: ScoredTrials,
    rivals: Rivals,
    one: tuple[str, Reconstruction],
    other: tuple[str, Reconstruction],
    *,
    seed: int = SEED,
) -> PairedChange | None:
    """Compare two predictions on the trials that both have answered.

    Parameters
    ----------
    trials : ScoredTrials
        Session and trials.
    rivals : Rivals
        The null models.
    one, other : (str, Reconstruction)
        Names and answers; the mask of the first says what is scored.
    seed : int
        Of the samples of trials.

    Returns
    -------
    PairedChange or None
        None before both have answered some trial.
    """
    (name, first), (other_name, second) = one, other
    rows = np.intersect1d(first.trials[first.is_done], second.trials[second.is_done])
    if not len(rows):
        return None
    own, rival = (
        gains_over_psth(trials, first.mask, rivals, answer, rows) for answer in (first, second)
    )
    weights = trial_samples(trials.session.session_id, len(rows), seed)
    units = _unit_changes(own, rival, weights)
    gain, spikes = own.gain - rival.gain, own.spikes
    has_interval = len(rows) >= FEWEST_TRIALS
    score = ChangeScore(
        name=name,
        other=other_name,
        bps=metrics.pooled_bps(own.gain, spikes),
        other_bps=metrics.pooled_bps(rival.gain, spikes),
        change=metrics.pooled_bps(gain, spikes),
        interval=metrics.pooled_interval(gain, spikes, weights, LEVEL) if has_interval else None,
        n_units=spikes.shape[1],
        n_spikes=int(spikes.sum()),
        n_trials=len(rows),
        n_judged=units.n_judged,
        n_above=units.n_above,
        n_below=units.n_below,
    )
    alone = score_gains(other_name, rival, trials.session.session_id, seed=seed)
    return PairedChange(score=score, units=units, other=alone)


def _unit_changes(own: UnitGains, rival: UnitGains, weights: NDArray[np.float64]) -> UnitChanges:
    spikes, gain = own.spikes, own.gain - rival.gain
    change = metrics.unit_bps(gain, spikes)
    total = spikes.sum(axis=0)
    has_interval = (total >= metrics.MIN_SPIKES) & (len(spikes) >= FEWEST_TRIALS)
    low, high = np.zeros((2, len(total)))
    judged = np.flatnonzero(has_interval)
    for start in range(0, len(judged), _UNITS_AT_ONCE):
        part = judged[start : start + _UNITS_AT_ONCE]
        low[part], high[part] = metrics.unit_intervals(
            gain[:, part], spikes[:, part], weights, LEVEL
        )
    return UnitChanges(
        units=own.units,
        bps=metrics.unit_bps(own.gain, spikes).values,
        other_bps=metrics.unit_bps(rival.gain, spikes).values,
        change=change.values,
        low=low,
        high=high,
        is_valid=change.is_valid,
        has_interval=has_interval,
        n_spikes=total.astype(np.int64),
    )


def change_words(score: ChangeScore) -> str:
    """Say in one sentence which tells more, and how sure that is."""
    what = f"{score.n_units} unit{_s(score.n_units)}, {score.n_trials} trial{_s(score.n_trials)}"
    if score.change is None:
        return f"No spike is scored ({what}), so that nothing can be compared."
    amount = f"{_signed(score.change)} bits/spike"
    if score.interval is None:
        return (
            f"{score.name} minus {score.other}: {amount} ({what}); too few trials for an "
            "interval, so that this may be chance."
        )
    low, high = score.interval
    change = f"{amount}, 95 % interval {_signed(low)} to {_signed(high)} ({what})"
    if low > 0:
        return f"{score.name} tells more than {score.other}: {change}."
    if high < 0:
        return f"{score.name} tells less than {score.other}: {change}."
    return f"{score.name} and {score.other} are not shown to differ: {change}."


def unit_words(score: ChangeScore) -> str:
    """Say for how many units the change is more than chance, and how many chance would make."""
    if not score.n_judged:
        return f"No unit has an interval of its own: each has under {metrics.MIN_SPIKES} spikes."
    by_chance = _CHANCE * score.n_judged
    return (
        f"Unit by unit: of {score.n_judged} with at least {metrics.MIN_SPIKES} scored spikes "
        f"{score.n_above} gain and {score.n_below} lose (interval clear of 0); chance alone would "
        f"make about {by_chance:.0f} of each."
    )


CAUTION = (
    "Intervals are over trials of this recording, the same trials for both; units share their "
    "trials and are no independent samples. Another training seed, day or animal may differ by "
    "more."
)
"""What every change should be read with."""


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def _s(number: int) -> str:
    return "" if number == 1 else "s"
