"""Scores of what is on screen, from the trials that have arrived: the model and its rivals.

The rules are those of `mtm_core.evaluation.scores`; once all trials are exact the numbers are the
ones that an evaluation of the same mask gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation import metrics
from mtm_core.masking.spec import ResolvedMask
from mtm_core.models.answers import Reconstruction
from mtm_core.models.baselines import BaselineData
from mtm_core.models.baselines_rates import Drift, mean_count, psth, trial_psth
from mtm_core.seeding import numpy_generator
from mtm_viewer.presenters.psth import UnitScore
from mtm_viewer.presenters.scores import ScoreLine
from mtm_viewer.presenters.workspace import Workspace

Floats = NDArray[np.floating]
Rows = NDArray[np.int64]

CONTROL = "Shuffle control"
TEMPORAL = "Temporal baseline"
FEWEST_TRIALS = 10
"""With fewer trials there is no interval."""
N_SAMPLES = 1000
_EXPLANATIONS = {
    "MtM": "The model on screen, given the visible entries of each trial.",
    TEMPORAL: "A model trained by hiding time bins only, under the same mask.",
    CONTROL: "The same model, given the visible activity of another trial of the same condition: "
    "what remains is not read from this trial's neurons.",
    "PSTH, all trials": "Each unit's mean response over all training trials, whatever the "
    "condition. It sees no neuron.",
    "Drift": "PSTH times the unit's own rate in neighbouring training trials. It sees no other "
    "unit.",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitGains:
    """What each unit gained over its PSTH in each trial.

    Parameters
    ----------
    units : ndarray of int64, shape (n_scored,)
        Scored units.
    gain : ndarray, shape (n_trials, n_scored)
        Log-likelihood of the model minus that of the PSTH, in nats.
    spikes : ndarray, shape (n_trials, n_scored)
        Scored spikes.
    """

    units: Rows
    gain: NDArray[np.float64]
    spikes: NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Rivals:
    """Predictions that need no network, as log rates per bin.

    Parameters
    ----------
    mean : ndarray, shape (n_units,)
        Mean rate in training trials.
    condition_psth : ndarray, shape (n_shown, n_bins, n_units)
        Mean response in training trials of the same condition, for the shown trials in the
        workspace's order: the null of the headline.
    by_name : dict of str to ndarray, shape (n_shown or 1, n_bins, n_units)
        Others.
    """

    mean: NDArray[np.float32]
    condition_psth: NDArray[np.float32]
    by_name: dict[str, NDArray[np.float32]]


def fit_rivals(workspace: Workspace) -> Rivals:
    """Fit mean rates, PSTHs and drift on the training trials of a session."""
    data = BaselineData.from_session(workspace.session, workspace.train, workspace.val)
    by_bin = psth(data)
    gain = Drift.fit(data).gain(workspace.test)
    return Rivals(
        mean=_log(mean_count(data.counts[data.train])),
        condition_psth=_log(trial_psth(data, workspace.test)),
        by_name={
            "PSTH, all trials": _log(by_bin[None]),
            "Drift": _log(by_bin * gain[:, None, :]),
        },
    )


def score_answers(
    workspace: Workspace,
    model: Reconstruction,
    others: dict[str, Reconstruction | None],
    rivals: Rivals,
) -> tuple[tuple[ScoreLine, ...], UnitGains]:
    """Score the trials that are done.

    Parameters
    ----------
    workspace : Workspace
        Session and trials.
    model : Reconstruction
        Of the model on screen.
    others : dict of str to Reconstruction or None
        Further answers by name; None and those without a trial are left out.
    rivals : Rivals
        Null models and predictors without a network.

    Returns
    -------
    tuple of ScoreLine
        The model first.
    UnitGains
        The parts of the model's score, per trial and unit.
    """
    judge = _Judge(workspace, model.mask, rivals)
    name = "MtM" if workspace.model is None else workspace.model.kind
    verdict = judge.judge(model)
    lines = [verdict.line(name)]
    for other, answer in others.items():
        if answer is not None and answer.n_done:
            lines.append(judge.judge(answer).line(other))
    trials = model.trials[model.is_done]
    for rival, log_rate in rivals.by_name.items():
        lines.append(judge.judge_rival(trials, log_rate).line(rival))
    return tuple(lines), UnitGains(
        units=judge.units, gain=verdict.over_psth, spikes=verdict.spikes
    )


def unit_score(gains: UnitGains | None, unit: int) -> UnitScore | None:
    """Score a single unit; None where it was not scored."""
    column = np.zeros(0) if gains is None else np.flatnonzero(gains.units == unit)
    if gains is None or not len(column):
        return None
    gain, spikes = gains.gain[:, column], gains.spikes[:, column]
    return UnitScore(
        bps_beyond_psth=metrics.pooled_bps(gain, spikes),
        interval=_interval(gain, spikes, unit),
        n_spikes=int(spikes.sum()),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Verdict:
    """Gains of one prediction, shape (n_trials, n_scored), trials in the session's order."""

    over_psth: NDArray[np.float64]
    over_mean: NDArray[np.float64]
    spikes: NDArray[np.float64]
    session_id: str

    def line(self, name: str) -> ScoreLine:
        is_counted = self.spikes.sum(axis=0) >= metrics.MIN_SPIKES
        per_unit = metrics.unit_bps(self.over_mean, self.spikes)
        return ScoreLine(
            name=name,
            bps_beyond_psth=metrics.pooled_bps(self.over_psth, self.spikes),
            interval=_interval(self.over_psth, self.spikes, self.session_id),
            bps_pooled=metrics.pooled_bps(self.over_mean, self.spikes),
            bps_unit_mean=metrics.mean_over_units(per_unit, is_counted),
            n_units=self.spikes.shape[1],
            n_spikes=int(self.spikes.sum()),
            explanation=_EXPLANATIONS.get(name, "A model under the same mask."),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Nulls:
    """What every prediction of some trials is compared with; likelihoods (n_trials, n_scored)."""

    counts: NDArray[np.uint8]
    spikes: NDArray[np.float64]
    psth: NDArray[np.float64]
    mean: NDArray[np.float64]


class _Judge:
    """Scores predictions on the entries that a mask scores."""

    def __init__(self, workspace: Workspace, mask: ResolvedMask, rivals: Rivals) -> None:
        self._session = workspace.session
        self._shown = workspace.test
        self._rivals = rivals
        self.units = mask.scored_units
        self._weight = mask.is_scored[:, self.units]
        self._nulls: dict[bytes, _Nulls] = {}

    def judge(self, answer: Reconstruction) -> _Verdict:
        done = np.flatnonzero(answer.is_done)
        done = done[np.argsort(answer.trials[done])]
        return self._compare(answer.trials[done], self._scored(answer.log_rate, done))

    def judge_rival(self, trials: Rows, log_rate: NDArray[np.float32]) -> _Verdict:
        trials = np.sort(trials)
        places = np.zeros(1, dtype=np.int64) if len(log_rate) == 1 else self._places(trials)
        return self._compare(trials, self._scored(log_rate, places))

    def _compare(self, trials: Rows, log_rate: Floats) -> _Verdict:
        nulls = self._nulls_of(trials)
        own = self._likelihood(nulls.counts, log_rate)
        return _Verdict(
            over_psth=own - nulls.psth,
            over_mean=own - nulls.mean,
            spikes=nulls.spikes,
            session_id=self._session.session_id,
        )

    def _nulls_of(self, trials: Rows) -> _Nulls:
        """Return what trials are compared with; model and rivals mostly share their trials."""
        key = trials.tobytes()
        if key not in self._nulls:
            counts = self._session.counts[trials].take(self.units, axis=2) * self._weight
            psth = self._scored(self._rivals.condition_psth, self._places(trials))
            mean = self._rivals.mean[None, None, self.units]
            self._nulls[key] = _Nulls(
                counts=counts,
                spikes=counts.sum(axis=1, dtype=np.float64),
                psth=self._likelihood(counts, psth),
                mean=self._likelihood(counts, mean),
            )
        return self._nulls[key]

    def _scored(self, values: NDArray[np.float32], rows: Rows) -> NDArray[np.float32]:
        """Take the scored units of some of the shown trials; units first, which copies less."""
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


def _interval(gain: Floats, spikes: Floats, name: str | int) -> tuple[float, float] | None:
    if len(gain) < FEWEST_TRIALS:
        return None
    return metrics.pooled_interval(gain, spikes, _samples(name, len(gain)))


@lru_cache(maxsize=8)
def _samples(name: str | int, n_trials: int) -> NDArray[np.float64]:
    """Draw samples of trials, the same for every prediction of a session (or of a unit).

    They are kept, since to draw them takes longer than all the rest of a score.
    """
    rng = numpy_generator(0, "samples of trials", name)
    weights = metrics.bootstrap_weights(n_trials, N_SAMPLES, rng)
    weights.flags.writeable = False
    return weights


def _log(rate: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.log(rate).astype(np.float32)
