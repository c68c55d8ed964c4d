"""Scores of one mask, from the trials that are answered: the model and its rivals.

The rules are those of `mtm_core.evaluation.scores`; once all trials are exact the numbers are the
ones that an evaluation of the same mask gives. The window and `mtm-core replay` both ask here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.data.splits import Split
from mtm_core.evaluation import metrics
from mtm_core.masking.spec import ResolvedMask
from mtm_core.models.answers import Reconstruction
from mtm_core.models.baselines import BaselineData
from mtm_core.models.baselines_rates import Drift, mean_count, psth, trial_psth
from mtm_core.seeding import numpy_generator

Floats = NDArray[np.floating]
Rows = NDArray[np.int64]

CONTROL = "Shuffle control"
TEMPORAL = "Temporal baseline"
PSTH = "PSTH, all trials"
DRIFT = "Drift"
SEED = 0
"""Of the order of trials, the shuffle control and the samples for intervals."""
FEWEST_TRIALS = 10
"""With fewer trials there is no interval."""
N_SAMPLES = 1000


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoredTrials:
    """A session, the trials that null models learn from, and those that are scored.

    Parameters
    ----------
    session : Session
        The recording, in the units and bins of the model.
    train, val : ndarray of int64
        Rows that null models and rivals learn from, and that choose their settings.
    shown : ndarray of int64
        Rows that are scored, sorted.
    folds : tuple of Split
        Of a cross-fitted model: null models and rivals are fitted for each fold on its training
        trials, and serve for its test trials; `train` and `val` are not looked at.
    """

    session: Session
    train: Rows
    val: Rows
    shown: Rows
    folds: tuple[Split, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PredictorScore:
    """What one predictor reached on the scored entries.

    Parameters
    ----------
    name : str
        The predictor, for example ``"MtM"`` or ``"Shuffle control"``.
    bps_beyond_psth : float or None
        Pooled bits per spike over the training PSTH; None where there is no spike to score.
    interval : tuple of float or None
        Its 95 % bootstrap interval over trials.
    bps_pooled, bps_unit_mean : float or None
        Bits per spike over the training mean rate: pooled, and as a mean over units.
    n_units, n_spikes : int
        What was scored.
    """

    name: str
    bps_beyond_psth: float | None
    interval: tuple[float, float] | None
    bps_pooled: float | None
    bps_unit_mean: float | None
    n_units: int
    n_spikes: int


@dataclass(frozen=True, kw_only=True)
class SingleUnitScore:
    """What the model reached on one unit.

    Parameters
    ----------
    bps_beyond_psth : float or None
        Bits per spike over the unit's training PSTH; None where it has no scored spike.
    interval : tuple of float or None
        Its 95 % bootstrap interval over trials.
    n_spikes : int
        Scored spikes.
    """

    bps_beyond_psth: float | None
    interval: tuple[float, float] | None
    n_spikes: int


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitGains:
    """What each unit gained over its PSTH in each trial; trials in the session's order.

    Parameters
    ----------
    units : ndarray of int64, shape (n_scored,)
        Scored units.
    gain : ndarray, shape (n_trials, n_scored)
        Log-likelihood of the model minus that of the PSTH, in nats.
    spikes : ndarray, shape (n_trials, n_scored)
        Scored spikes.
    over_mean : ndarray, shape (n_trials, n_scored)
        Log-likelihood of the model minus that of the unit's mean rate, in nats.
    """

    units: Rows
    gain: NDArray[np.float64]
    spikes: NDArray[np.float64]
    over_mean: NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Rivals:
    """Predictions that need no network, as log rates per bin.

    Parameters
    ----------
    mean : ndarray, shape (n_units,) or (n_shown, n_units)
        Mean rate in training trials.
    condition_psth : ndarray, shape (n_shown, n_bins, n_units)
        Mean response in training trials of the same condition, for the scored trials in their
        order: the null of the headline.
    by_name : dict of str to ndarray, shape (n_shown or 1, n_bins, n_units)
        Others.
    """

    mean: NDArray[np.float32]
    condition_psth: NDArray[np.float32]
    by_name: dict[str, NDArray[np.float32]]


def fit_rivals(trials: ScoredTrials) -> Rivals:
    """Fit mean rates, PSTHs and drift on the training trials of a session."""
    if not trials.folds:
        return _fit(trials.session, trials.train, trials.val, trials.shown)
    n_shown, (_, *entry) = len(trials.shown), trials.session.counts.shape
    mean = np.zeros((n_shown, entry[-1]), dtype=np.float32)
    maps = {name: np.zeros((n_shown, *entry), dtype=np.float32) for name in ("", PSTH, DRIFT)}
    for fold in trials.folds:
        mine = np.isin(trials.shown, fold.test)
        if mine.any():
            own = _fit(trials.session, fold.train, fold.val, trials.shown[mine])
            mean[mine] = own.mean
            for name, log_rate in ({"": own.condition_psth} | own.by_name).items():
                maps[name][mine] = log_rate
    return Rivals(mean=mean, condition_psth=maps.pop(""), by_name=maps)


def _fit(session: Session, train: Rows, val: Rows, shown: Rows) -> Rivals:
    data = BaselineData.from_session(session, train, val)
    by_bin = psth(data)
    gain = Drift.fit(data).gain(shown)
    return Rivals(
        mean=_log(mean_count(data.counts[data.train])),
        condition_psth=_log(trial_psth(data, shown)),
        by_name={PSTH: _log(by_bin[None]), DRIFT: _log(by_bin * gain[:, None, :])},
    )


def score_answers(
    trials: ScoredTrials,
    answers: Sequence[tuple[str, Reconstruction | None]],
    rivals: Rivals,
    *,
    seed: int = SEED,
) -> tuple[tuple[PredictorScore, ...], UnitGains]:
    """Score the trials that are answered.

    Parameters
    ----------
    trials : ScoredTrials
        Session and trials.
    answers : sequence of (str, Reconstruction or None)
        Names and answers of models, the one in question first, whose mask says what is scored;
        None and those without a trial are left out.
    rivals : Rivals
        Null models and predictors without a network.
    seed : int
        Of the samples of trials for intervals.

    Returns
    -------
    tuple of PredictorScore
        In the order of the answers, then the rivals.
    UnitGains
        The parts of the first one's score, per trial and unit.
    """
    (name, model), *others = answers
    if model is None:
        msg = "the first answer says what is scored"
        raise ValueError(msg)
    judge, samples = _Judge(trials, model.mask, rivals), trials.session.session_id
    own = judge.judge(model)
    found = [(name, own)]
    for other, answer in others:
        if answer is not None and answer.n_done:
            found.append((other, judge.judge(answer)))
    done = model.trials[model.is_done]
    found += [(n, judge.judge_rival(done, rate)) for n, rate in rivals.by_name.items()]
    scores = tuple(score_gains(n, gains, samples, seed=seed) for n, gains in found)
    return scores, own


def score_gains(
    name: str, gains: UnitGains, samples: str, *, rows: Rows | None = None, seed: int = SEED
) -> PredictorScore:
    """Score all trials of a prediction, or some of them.

    Parameters
    ----------
    name : str
        What made the prediction, or which trials these are.
    gains : UnitGains
        Its gains in each trial.
    samples : str
        Name of the samples of trials behind the interval: the id of the session.
    rows : ndarray of int64, optional
        Rows of the gains, that is trials, to score; by default all.
    seed : int
        Of the samples.
    """
    every = slice(None) if rows is None else rows
    gain, over_mean = gains.gain[every], gains.over_mean[every]
    spikes = gains.spikes[every]
    is_counted = spikes.sum(axis=0) >= metrics.MIN_SPIKES
    per_unit = metrics.unit_bps(over_mean, spikes)
    return PredictorScore(
        name=name,
        bps_beyond_psth=metrics.pooled_bps(gain, spikes),
        interval=_interval(gain, spikes, samples, seed),
        bps_pooled=metrics.pooled_bps(over_mean, spikes),
        bps_unit_mean=metrics.mean_over_units(per_unit, is_counted),
        n_units=spikes.shape[1],
        n_spikes=int(spikes.sum()),
    )


def unit_score(gains: UnitGains, unit: int, seed: int = SEED) -> SingleUnitScore | None:
    """Score a single unit, given by its column; None where it was not scored."""
    column = np.flatnonzero(gains.units == unit)
    if not len(column):
        return None
    gain, spikes = gains.gain[:, column], gains.spikes[:, column]
    return SingleUnitScore(
        bps_beyond_psth=metrics.pooled_bps(gain, spikes),
        interval=_interval(gain, spikes, unit, seed),
        n_spikes=int(spikes.sum()),
    )


def gains_over_psth(
    trials: ScoredTrials, mask: ResolvedMask, rivals: Rivals, answer: Reconstruction, rows: Rows
) -> UnitGains:
    """Return what a prediction gains over the PSTH in some of its trials.

    Parameters
    ----------
    trials : ScoredTrials
        Session and trials.
    mask : ResolvedMask
        What is scored.
    rivals : Rivals
        The null models.
    answer : Reconstruction
        The prediction, with units in the session's order.
    rows : ndarray of int64
        Rows of the session that it has answered.
    """
    wanted = np.isin(answer.trials, rows) & answer.is_done
    return _Judge(trials, mask, rivals).judge(replace(answer, is_done=wanted))


@lru_cache(maxsize=8)
def trial_samples(name: str | int, n_trials: int, seed: int = SEED) -> NDArray[np.float64]:
    """Return the samples of trials behind every interval of a session (or of a unit).

    They are kept, since to draw them takes longer than all the rest of a score.

    Returns
    -------
    ndarray, shape (N_SAMPLES, n_trials)
        How often each trial is in each sample; read-only.
    """
    rng = numpy_generator(seed, "samples of trials", name)
    weights = metrics.bootstrap_weights(n_trials, N_SAMPLES, rng)
    weights.flags.writeable = False
    return weights


@dataclass(frozen=True, eq=False, kw_only=True)
class _Nulls:
    """What every prediction of some trials is compared with; likelihoods (n_trials, n_scored)."""

    counts: NDArray[np.uint8]
    spikes: NDArray[np.float64]
    psth: NDArray[np.float64]
    mean: NDArray[np.float64]


class _Judge:
    """Scores predictions on the entries that a mask scores."""

    def __init__(self, trials: ScoredTrials, mask: ResolvedMask, rivals: Rivals) -> None:
        self._session = trials.session
        self._shown = trials.shown
        self._rivals = rivals
        self.units = mask.scored_units
        self._weight = mask.is_scored[:, self.units]
        self._nulls: dict[bytes, _Nulls] = {}

    def judge(self, answer: Reconstruction) -> UnitGains:
        done = np.flatnonzero(answer.is_done)
        done = done[np.argsort(answer.trials[done])]
        return self._compare(answer.trials[done], self._scored(answer.log_rate, done))

    def judge_rival(self, trials: Rows, log_rate: NDArray[np.float32]) -> UnitGains:
        trials = np.sort(trials)
        places = np.zeros(1, dtype=np.int64) if len(log_rate) == 1 else self._places(trials)
        return self._compare(trials, self._scored(log_rate, places))

    def _compare(self, trials: Rows, log_rate: Floats) -> UnitGains:
        nulls = self._nulls_of(trials)
        own = self._likelihood(nulls.counts, log_rate)
        return UnitGains(
            units=self.units,
            gain=own - nulls.psth,
            spikes=nulls.spikes,
            over_mean=own - nulls.mean,
        )

    def _nulls_of(self, trials: Rows) -> _Nulls:
        """Return what trials are compared with; model and rivals mostly share their trials."""
        key = trials.tobytes()
        if key not in self._nulls:
            counts = self._session.counts[trials].take(self.units, axis=2) * self._weight
            psth = self._scored(self._rivals.condition_psth, self._places(trials))
            mean = np.atleast_2d(self._rivals.mean)[:, None, self.units]
            mean = mean if len(mean) == 1 else mean[self._places(trials)]
            self._nulls[key] = _Nulls(
                counts=counts,
                spikes=counts.sum(axis=1, dtype=np.float64),
                psth=self._likelihood(counts, psth),
                mean=self._likelihood(counts, mean),
            )
        return self._nulls[key]

    def _scored(self, values: NDArray[np.float32], rows: Rows) -> NDArray[np.float32]:
        """Take the scored units of some of the shown trials, first by what leaves the least."""
        n_trials, _, n_units = values.shape
        if len(rows) * n_units < n_trials * len(self.units):
            return values[rows].take(self.units, axis=2)
        return values.take(self.units, axis=2)[rows]

    def _likelihood(self, counts: NDArray[np.uint8], log_rate: Floats) -> NDArray[np.float64]:
        """Poisson log-likelihood of the scored entries, shape (n_trials, n_scored)."""
        bins = np.flatnonzero(self._weight.any(axis=1))
        if self._weight[bins].all():
            # Same bins for every unit: nothing has to be weighted away.
            shape = (1, self._weight.shape[0], 1)
            wide = np.broadcast_to(log_rate, np.broadcast_shapes(log_rate.shape, shape))
            return metrics.log_likelihood(counts[:, bins], wide[:, bins])
        expected = (np.exp(log_rate, dtype=np.float64) * self._weight).sum(axis=1)
        return np.asarray((counts * log_rate.astype(np.float64)).sum(axis=1) - expected)

    def _places(self, trials: Rows) -> Rows:
        """Return where trials stand among the shown ones, which are sorted."""
        return np.searchsorted(self._shown, trials).astype(np.int64)


def _interval(
    gain: Floats, spikes: Floats, name: str | int, seed: int
) -> tuple[float, float] | None:
    if len(gain) < FEWEST_TRIALS:
        return None
    return metrics.pooled_interval(gain, spikes, trial_samples(name, len(gain), seed))


def _log(rate: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.log(rate).astype(np.float32)
