"""Scores of what is on screen, from the trials that have arrived: the model and its rivals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.conditions import available_conditions, trial_conditions
from mtm_core.masking.spec import ResolvedMask
from mtm_core.models.answers import Reconstruction
from mtm_core.models.baselines import BaselineData
from mtm_core.models.baselines_rates import Drift, condition_psth, mean_count, psth
from mtm_core.seeding import numpy_generator
from mtm_viewer.presenters.psth import UnitScore
from mtm_viewer.presenters.scores import ScoreLine
from mtm_viewer.presenters.workspace import Workspace

Floats = NDArray[np.floating]

CONTROL = "Shuffle control"
FEWEST_TRIALS = 10
"""With fewer trials there is no interval."""
N_RESAMPLES = 1000
NULL_FIELDS = ("contrast_side", "feedback")
"""Fields whose conditions the PSTH by condition and the shuffle control go by."""
_EXPLANATIONS = {
    "MtM": "The model on screen, given the visible entries of each trial.",
    "Temporal baseline": "A model trained by hiding time bins only, under the same mask.",
    CONTROL: "The same model, given the visible activity of another trial of the same condition: "
    "what remains is not read from this trial's neurons.",
    "PSTH by condition": "Each unit's mean response in training trials of the same stimulus side "
    "and outcome. It sees no neuron.",
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

    units: NDArray[np.int64]
    gain: NDArray[np.float64]
    spikes: NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Rivals:
    """Predictions that need no network, as log rates per bin.

    Parameters
    ----------
    mean : ndarray, shape (n_units,)
        Mean rate in training trials.
    psth : ndarray, shape (n_bins, n_units)
        Mean response in training trials: the null of the headline.
    by_name : dict of str to ndarray, shape (n_shown, n_bins, n_units)
        Others, for the shown trials in the workspace's order.
    """

    mean: NDArray[np.float64]
    psth: NDArray[np.float64]
    by_name: dict[str, NDArray[np.float32]]


def fit_rivals(workspace: Workspace) -> Rivals:
    """Fit mean rates, PSTHs and drift on the training trials of a session."""
    session = workspace.session
    fields = tuple(f for f in NULL_FIELDS if f in available_conditions(session))
    conditions = trial_conditions(session, fields)
    data = BaselineData(
        counts=session.counts,
        region=session.region,
        condition=np.where(conditions.is_valid, conditions.label, -1),
        train=workspace.train,
        val=workspace.val,
        bin_size_s=session.bin_size_s,
    )
    by_bin = psth(data)
    others = {}
    if fields:
        by_condition = condition_psth(data)
        rates = [by_condition.get(int(data.condition[t]), by_bin) for t in workspace.test]
        others["PSTH by condition"] = np.log(np.stack(rates)).astype(np.float32)
    gain = Drift.fit(data).gain(workspace.test)
    others["Drift"] = np.log(by_bin * gain[:, None, :]).astype(np.float32)
    return Rivals(
        mean=np.log(mean_count(session.counts[workspace.train])),
        psth=np.log(by_bin),
        by_name=others,
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
    name = "MtM" if workspace.model is None else workspace.model.kind
    judge = _Judge(workspace, model.mask, rivals)
    gains = judge.gains(model)
    lines = [judge.line(name, model.trials[model.is_done], model.log_rate[model.is_done])]
    for other, answer in others.items():
        if answer is not None and answer.n_done:
            done = answer.is_done
            lines.append(judge.line(other, answer.trials[done], answer.log_rate[done]))
    place = {int(trial): row for row, trial in enumerate(workspace.test)}
    shown = model.trials[model.is_done]
    rows = np.array([place[int(trial)] for trial in shown], dtype=np.int64)
    lines += [judge.line(rival, shown, rates[rows]) for rival, rates in rivals.by_name.items()]
    return tuple(lines), gains


def unit_score(gains: UnitGains | None, unit: int) -> UnitScore | None:
    """Score a single unit; None where it was not scored."""
    if gains is None:
        return None
    column = np.flatnonzero(gains.units == unit)
    if not len(column):
        return None
    gain, spikes = gains.gain[:, column[0]], gains.spikes[:, column[0]]
    n_spikes = int(spikes.sum())
    return UnitScore(
        bps_beyond_psth=bits_per_spike(gain, spikes),
        interval=bootstrap_interval(gain, spikes, numpy_generator(0, "unit interval", unit)),
        n_spikes=n_spikes,
    )


def bits_per_spike(gain: Floats, spikes: NDArray[np.integer]) -> float | None:
    """Divide a gain in nats by the spikes, in bits; None without a spike.

    Examples
    --------
    >>> bits_per_spike(np.array([np.log(2), np.log(2)]), np.array([1, 3]))
    0.5
    """
    n_spikes = int(spikes.sum())
    return float(gain.sum() / (n_spikes * np.log(2))) if n_spikes else None


def bootstrap_interval(
    gain: Floats, spikes: NDArray[np.integer], rng: np.random.Generator
) -> tuple[float, float] | None:
    """Return the 95 % interval of pooled bits per spike over resampled trials.

    Parameters
    ----------
    gain, spikes : ndarray, shape (n_trials,)
        Of each trial, summed over units.
    rng : numpy.random.Generator
        Draws the trials.
    """
    n_trials = len(gain)
    if n_trials < FEWEST_TRIALS or not spikes.any():
        return None
    weights = rng.multinomial(n_trials, np.full(n_trials, 1 / n_trials), size=N_RESAMPLES)
    drawn = weights @ spikes
    values = (weights @ gain)[drawn > 0] / (drawn[drawn > 0] * np.log(2))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


class _Judge:
    """Scores predictions on the entries that a mask scores."""

    def __init__(self, workspace: Workspace, mask: ResolvedMask, rivals: Rivals) -> None:
        self.session = workspace.session
        self.units = mask.scored_units
        self.weight = mask.is_scored[:, self.units].astype(np.float64)
        self.psth = rivals.psth[:, self.units]
        self.mean = np.broadcast_to(rivals.mean[self.units], self.psth.shape)

    def gains(self, answer: Reconstruction) -> UnitGains:
        trials, log_rate = answer.trials[answer.is_done], answer.log_rate[answer.is_done]
        counts = self._counts(trials)
        gain = self._likelihood(counts, log_rate[..., self.units]) - self._likelihood(
            counts, self.psth[None]
        )
        return UnitGains(units=self.units, gain=gain, spikes=self._spikes(counts))

    def line(self, name: str, trials: NDArray[np.int64], log_rate: Floats) -> ScoreLine:
        counts = self._counts(trials)
        spikes = self._spikes(counts)
        own = self._likelihood(counts, log_rate[..., self.units])
        over_psth = (own - self._likelihood(counts, self.psth[None])).sum(axis=1)
        over_mean = own - self._likelihood(counts, self.mean[None])
        rng = numpy_generator(0, "interval", self.session.session_id)
        return ScoreLine(
            name=name,
            bps_beyond_psth=bits_per_spike(over_psth, spikes),
            interval=bootstrap_interval(over_psth, spikes.sum(axis=1), rng),
            bps_pooled=bits_per_spike(over_mean, spikes),
            bps_unit_mean=_unit_mean(over_mean, spikes),
            n_units=len(self.units),
            n_spikes=int(spikes.sum()),
            explanation=_EXPLANATIONS.get(name, "A model under the same mask."),
        )

    def _counts(self, trials: NDArray[np.int64]) -> NDArray[np.float64]:
        counts: NDArray[np.float64] = self.session.counts[trials][..., self.units] * self.weight
        return counts

    def _spikes(self, counts: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.asarray(counts.sum(axis=1), dtype=np.int64)

    def _likelihood(self, counts: NDArray[np.float64], log_rate: Floats) -> NDArray[np.float64]:
        """Poisson log-likelihood of scored entries without its constant, (n_trials, n_scored)."""
        expected = (np.exp(log_rate) * self.weight).sum(axis=1)
        value = np.einsum("ntu,ntu->nu", counts, np.broadcast_to(log_rate, counts.shape))
        return np.asarray(value - expected, dtype=np.float64)


def _unit_mean(gain: NDArray[np.float64], spikes: NDArray[np.int64]) -> float | None:
    total = spikes.sum(axis=0)
    if not total.any():
        return None
    bits = gain.sum(axis=0)[total > 0] / (total[total > 0] * np.log(2))
    return float(bits.mean())
