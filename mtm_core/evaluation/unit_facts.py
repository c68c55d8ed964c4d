"""What is known of every scored unit under a mask: its score, and what may explain it.

All numbers are of the scored entries of the trials that have an answer, unless they say otherwise.
They describe a picture after the fact: no model and no order of rows is chosen by them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.conditions import available_conditions, trial_conditions
from mtm_core.data.session import Session
from mtm_core.evaluation import metrics
from mtm_core.evaluation.mask_scores import UnitGains
from mtm_core.evaluation.metrics import UnitValues
from mtm_core.evaluation.scores import common_conditions
from mtm_core.masking.spec import ResolvedMask
from mtm_core.models.baselines import CONDITIONS
from mtm_core.models.baselines_rates import PSTH_WIDTH_S, smoothing_matrix

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
_AnyFloats = NDArray[np.floating]

MOST_TWIN_TRIALS = 60
"""Training trials, evenly spread, in which coincident spikes are looked for."""
_UNITS_AT_ONCE = 100
_PARTS = 3
"""The session is compared with itself in so many parts: its first and its last."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Answered:
    """A model's answer to a mask, in the trials that have one.

    Parameters
    ----------
    session : Session
        The recording, in the units and bins of the model.
    train : ndarray of int64
        Training trials.
    trials : ndarray of int64, shape (n_trials,)
        Trials with an answer, sorted.
    rate_hz : ndarray, shape (n_trials, n_bins, n_units)
        The model's rates in them, spikes/s.
    mask : ResolvedMask
        What was hidden and what is scored.
    gains : UnitGains
        The parts of its score, in the order of `trials`.
    """

    session: Session
    train: Rows
    trials: Rows
    rate_hz: NDArray[np.floating]
    mask: ResolvedMask
    gains: UnitGains

    @property
    def units(self) -> Rows:
        """Scored units, shape (n_scored,)."""
        return self.gains.units

    @property
    def weight(self) -> NDArray[np.bool_]:
        """Scored entries, shape (n_bins, n_scored)."""
        return np.asarray(self.mask.is_scored[:, self.units])

    def scored_counts(self, trials: Rows) -> NDArray[np.uint8]:
        """Return counts of the scored units, 0 where not scored: (n_trials, n_bins, n_scored)."""
        counts = self.session.counts[trials].take(self.units, axis=2)
        return np.asarray(counts * self.weight, dtype=np.uint8)

    def scored_spikes(self, trials: Rows) -> Floats:
        """Return the scored spikes of trials and units, (n_trials, n_scored)."""
        return np.asarray(self.scored_counts(trials).sum(axis=1), dtype=np.float64)


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitFacts:
    """Numbers of every scored unit; all arrays have the shape (n_scored,).

    Parameters
    ----------
    units : ndarray of int64
        Columns of the session's counts.
    bps : UnitValues
        Bits per spike beyond the training PSTH of the trial's condition.
    psth_bps : UnitValues
        What that PSTH gains over the unit's mean rate.
    n_spikes, n_train_spikes : ndarray of int64
        Spikes in the scored entries, and in the same bins of training trials.
    train_hz, shown_hz, model_hz : ndarray
        Rates of those: in training trials, in the trials shown, and as the model has it.
    change_z : ndarray
        Rate in the trials shown minus that in training trials, in standard errors over trials.
    early_hz, late_hz, drift_z : ndarray
        Rates in the first and the last third of training and shown trials, and their difference
        in standard errors.
    fano : UnitValues
        Variance over mean of the spikes of a trial, around the mean of the trial's condition.
    r2, psth_r2 : UnitValues
        Single trials, and averages by condition, of counts and rates smoothed with 30 ms, as
        `mtm_core.evaluation.scores` has them.
    crowd : UnitValues
        How closely the unit's spikes per trial go with what the visible units share most: the
        size of the correlation with their first principal component (each unit scaled to variance
        1, all around the mean of the trial's condition).
    twin : ndarray of int64
        The visible unit whose spikes most often fall into the same bin, in training trials; -1
        where there is none.
    twin_r : ndarray
        The correlation of the two, bin by bin, around their mean in that bin over trials.
    top_trial, top_gain : ndarray
        The trial that moves the score most, and by how much it does, in bits per spike.
    n_visible : int
        Units that the model sees in every bin.
    n_trials, n_train : int
        Trials shown, and training trials.
    """

    units: Rows
    bps: UnitValues
    psth_bps: UnitValues
    n_spikes: Rows
    n_train_spikes: Rows
    train_hz: Floats
    shown_hz: Floats
    model_hz: Floats
    change_z: Floats
    early_hz: Floats
    late_hz: Floats
    drift_z: Floats
    fano: UnitValues
    r2: UnitValues
    psth_r2: UnitValues
    crowd: UnitValues
    twin: Rows
    twin_r: Floats
    top_trial: Rows
    top_gain: Floats
    n_visible: int
    n_trials: int
    n_train: int

    def place(self, unit: int) -> int | None:
        """Return where a unit, given by its column, stands in the arrays; None if nowhere."""
        found = np.flatnonzero(self.units == unit)
        return int(found[0]) if len(found) else None

    @property
    def is_counted(self) -> NDArray[np.bool_]:
        """Units with enough scored spikes for their score to mean something."""
        return np.asarray(self.bps.is_valid & (self.n_spikes >= metrics.MIN_SPIKES))


def unit_facts(answer: Answered) -> UnitFacts:
    """Look at every scored unit.

    Parameters
    ----------
    answer : Answered
        At least one trial, at least one scored unit.
    """
    gains, session = answer.gains, answer.session
    spikes, train = answer.scored_spikes(answer.trials), answer.scored_spikes(answer.train)
    n_bins = np.maximum(1, answer.weight.sum(axis=0))
    to_hz = 1 / (n_bins * session.bin_size_s)
    known = _Known(answer)
    twin, twin_r = _twins(answer)
    r2, psth_r2 = _r2(answer)
    top_trial, top_gain = _top_trials(answer)
    parts = _ends(answer)
    expected = (answer.rate_hz.take(answer.units, axis=2) * answer.weight).sum(axis=(0, 1))
    return UnitFacts(
        units=answer.units,
        bps=metrics.unit_bps(gains.gain, gains.spikes),
        psth_bps=metrics.unit_bps(gains.over_mean - gains.gain, gains.spikes),
        n_spikes=spikes.sum(axis=0).astype(np.int64),
        n_train_spikes=train.sum(axis=0).astype(np.int64),
        train_hz=_mean(train) * to_hz,
        shown_hz=_mean(spikes) * to_hz,
        model_hz=np.asarray(expected / (n_bins * max(1, len(spikes))), dtype=np.float64),
        change_z=_difference_z(spikes, train),
        early_hz=_mean(parts[0]) * to_hz,
        late_hz=_mean(parts[1]) * to_hz,
        drift_z=_difference_z(parts[1], parts[0]),
        fano=known.fano(spikes),
        r2=r2,
        psth_r2=psth_r2,
        crowd=known.crowd(spikes),
        twin=twin,
        twin_r=twin_r,
        top_trial=top_trial,
        top_gain=top_gain,
        n_visible=int(_visible(answer.mask).sum()),
        n_trials=len(answer.trials),
        n_train=len(answer.train),
    )


class _Known:
    """Trials around the mean of their condition."""

    def __init__(self, answer: Answered) -> None:
        self._answer = answer
        fields = tuple(name for name in CONDITIONS if name in available_conditions(answer.session))
        conditions = trial_conditions(answer.session, fields)
        label = np.where(conditions.is_valid, conditions.label, -1)[answer.trials]
        self.label = label

    def fano(self, spikes: Floats) -> UnitValues:
        mean, left, n_free = spikes.mean(axis=0), self._left(spikes), self._n_free()
        is_valid = (mean > 0) & (n_free > 0)
        variance = np.square(left).sum(axis=0) / max(1, n_free)
        return UnitValues(
            np.where(is_valid, variance / np.where(is_valid, mean, 1), 0.0), is_valid
        )

    def crowd(self, spikes: Floats) -> UnitValues:
        seen = np.flatnonzero(_visible(self._answer.mask))
        counts = self._answer.session.counts[self._answer.trials].take(seen, axis=2)
        left = _standard(self._left(counts.sum(axis=1, dtype=np.float64)))
        sizes, axes = np.linalg.eigh(left @ left.T)
        found = _correlation(self._left(spikes), np.sqrt(max(0.0, sizes[-1])) * axes[:, -1:])
        return UnitValues(np.abs(found.values), found.is_valid)

    def _left(self, values: Floats) -> Floats:
        left = values.copy()
        for label in np.unique(self.label):
            left[self.label == label] -= values[self.label == label].mean(axis=0)
        return left

    def _n_free(self) -> int:
        return len(self.label) - len(np.unique(self.label))


def _visible(mask: ResolvedMask) -> NDArray[np.bool_]:
    """Tell which units the model sees in every bin, shape (n_units,)."""
    return np.asarray(~mask.is_hidden.any(axis=0))


def _mean(spikes: Floats) -> Floats:
    """Average over trials; of none at all it is 0."""
    return np.asarray(spikes.sum(axis=0) / max(1, len(spikes)))


def _difference_z(one: Floats, other: Floats) -> Floats:
    """Difference of two means over trials in standard errors; 0 where it cannot be told."""
    if min(len(one), len(other)) < 2:
        return np.zeros(one.shape[1])
    variance = sum(part.var(axis=0, ddof=1) / len(part) for part in (one, other))
    is_known = variance > 0
    error = np.sqrt(np.where(is_known, variance, 1.0))
    return np.where(is_known, (one.mean(axis=0) - other.mean(axis=0)) / error, 0.0)


def _ends(answer: Answered) -> tuple[Floats, Floats]:
    """Return spikes per trial, (n_trials, n_scored), of the first and the last third."""
    trials = np.union1d(answer.train, answer.trials)
    n_part = max(1, len(trials) // _PARTS)
    first, last = (answer.scored_spikes(part) for part in (trials[:n_part], trials[-n_part:]))
    return first, last


def _r2(answer: Answered) -> tuple[UnitValues, UnitValues]:
    """Return R2 of single trials and of averages by condition, for each pattern of bins.

    Units are taken a few at a time, so that no copy of all rates is made.
    """
    label = common_conditions(_Known(answer).label)
    weight = answer.weight
    patterns, which = np.unique(weight, axis=1, return_inverse=True)
    which = np.ravel(which)
    found = [UnitValues(np.zeros(len(which)), np.zeros(len(which), dtype=bool)) for _ in range(2)]
    for pattern in range(patterns.shape[1]):
        bins, mine = np.flatnonzero(patterns[:, pattern]), np.flatnonzero(which == pattern)
        smoothing = smoothing_matrix(len(bins), PSTH_WIDTH_S / answer.session.bin_size_s)
        for some in np.array_split(mine, -(-len(mine) // _UNITS_AT_ONCE)):
            pair = [np.matmul(smoothing, part) for part in _pair(answer, some, bins)]
            averages = [metrics.condition_means(values, label) for values in pair]
            for target, (truth, guess) in zip(found, (pair, averages), strict=True):
                target.values[some], target.is_valid[some] = metrics.unit_r2(truth, guess)
    return found[0], found[1]


def _pair(answer: Answered, places: Rows, bins: Rows) -> tuple[Floats, Floats]:
    """Return counts and expected counts of some scored units, (n_trials, n_bins, n_places)."""
    units = answer.units[places]
    counts = answer.session.counts[answer.trials].take(units, axis=2)[:, bins]
    rate_hz = answer.rate_hz.take(units, axis=2)[:, bins]
    return counts.astype(np.float64), rate_hz.astype(np.float64) * answer.session.bin_size_s


def _twins(answer: Answered) -> tuple[Rows, Floats]:
    """Find for each scored unit the visible one that spikes most in the same bins."""
    seen = np.flatnonzero(_visible(answer.mask))
    train = answer.train
    some = train[np.unique(np.linspace(0, len(train) - 1, MOST_TWIN_TRIALS).astype(np.int64))]
    if not len(seen) or not len(some):
        return np.full(len(answer.units), -1), np.zeros(len(answer.units))
    counts = answer.session.counts[some].astype(np.float32)
    counts -= counts.mean(axis=0)  # units that answer to the same stimulus are no twins yet
    both = [counts.take(units, axis=2).reshape(-1, len(units)) for units in (answer.units, seen)]
    mine, theirs = (_standard(values) for values in both)
    together = mine.T @ theirs / len(mine)
    together[answer.units[:, None] == seen[None, :]] = -1.0
    best = together.argmax(axis=1)
    r = together[np.arange(len(best)), best].astype(np.float64)
    return np.where(r > 0, seen[best], -1), np.where(r > 0, r, 0.0)


def _standard(values: _AnyFloats) -> _AnyFloats:
    """Bring columns to mean 0 and variance 1; those that do not vary to 0."""
    spread = values.std(axis=0)
    scaled: _AnyFloats = (values - values.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    return scaled


def _correlation(one: Floats, other: Floats) -> UnitValues:
    """Correlate columns over trials."""
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    spread = np.sqrt(np.square(one).sum(axis=0) * np.square(other).sum(axis=0))
    is_valid = spread > 1e-9
    return UnitValues(
        np.where(is_valid, (one * other).sum(axis=0) / np.where(is_valid, spread, 1), 0.0),
        is_valid,
    )


def _top_trials(answer: Answered) -> tuple[Rows, Floats]:
    """Find the trial without which each unit's score would change most."""
    gains = answer.gains
    total, spikes = gains.gain.sum(axis=0), gains.spikes.sum(axis=0)
    left = spikes - gains.spikes
    whole = total / np.where(spikes > 0, spikes, 1)
    without = (total - gains.gain) / np.where(left > 0, left, 1)
    moved = np.where((spikes > 0) & (left > 0), (whole - without) / np.log(2), 0.0)
    top = np.abs(moved).argmax(axis=0)
    return answer.trials[top], moved[top, np.arange(len(top))]
