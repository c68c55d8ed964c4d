"""Rivals for forward prediction: the unit's own trailing mean, its shrinkage, and a regression.

All three see the bins before the horizon only, and the training PSTH. With ``w`` weights that fall
off exponentially into the past, the trailing gain of a unit is ``spikes / expected``: its weighted
spikes in the past bins of the trial over those that the PSTH expects.

- `TrailingMean`: PSTH times the gain (a past without spikes is given half a spike).
- `ShrunkTrailingMean`: PSTH times ``(k + spikes) / (k + expected)``, the posterior mean of a gain
  with a gamma prior of mean 1.
- `PastRegression`: ridge-penalised Poisson regression per unit, the shrunk trailing mean as
  offset, on the principal components of the past activity of all units and on the unit's own log
  gain. Training trials teach it at several origins, not only at the one that is scored.

Time constants, ``k``, components, penalty and origins are chosen on validation trials.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mtm_core.models.baselines import BaselineData, IntArray, Plan
from mtm_core.models.baselines_poisson import Design, fit_poisson
from mtm_core.models.baselines_rates import pooled_log_likelihood, psth
from mtm_core.models.group_regression import SearchStoppedError
from mtm_core.one_blas_thread import on_one_blas_thread

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

TAUS_S = (0.02, 0.05, 0.1, 0.2, 0.5, np.inf)
"""Time constants of the trailing mean."""
PSEUDO_SPIKES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 1e6)
"""Strengths ``k`` of the pull towards the PSTH; with the last it is the PSTH."""
PAST_TAUS_S = (0.02, 0.04, 0.08)
"""Time constants of the past activity in the regression."""
N_COMPONENTS = (5, 10, 20)
"""Numbers of components in the regression."""
PENALTIES = (1e4, 300.0, 100.0, 30.0, 10.0, 3.0)
"""Ridge penalties in the regression, the strongest first."""
N_ORIGINS = (3, 6, 9)
"""Numbers of origins at which training trials teach."""


def first_hidden_bin(plan: Plan) -> int:
    """Return the first bin that a plan scores."""
    return int(np.flatnonzero(plan.is_scored.any(axis=1))[0])


def trailing_weights(n_past: int, tau: float) -> Float64:
    """Return weights of the past bins, the latest last and the largest sum 1.

    Examples
    --------
    >>> trailing_weights(2, np.inf).tolist()
    [1.0, 1.0]
    """
    return np.exp((np.arange(n_past) - n_past + 1) / tau)


def trailing_sums(
    data: BaselineData, trials: IntArray, origin: int, tau_s: float
) -> tuple[Float64, Float64]:
    """Return weighted spikes (n_trials, n_units) before a bin, and the PSTH's (n_units,)."""
    weight = trailing_weights(origin, tau_s / data.bin_size_s)
    spikes = np.einsum("b,tbu->tu", weight, data.counts[trials, :origin].astype(np.float32))
    return spikes, weight @ psth(data)[:origin]


def _spread(data: BaselineData, gain: Float64 | Float32) -> Float32:
    """Return the log of PSTH times a gain per trial and unit."""
    return np.log(psth(data)[None] * gain[:, None, :]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class TrailingMean:
    """PSTH times the unit's trailing gain in the trial."""

    data: BaselineData
    name: ClassVar[str] = "psth_trailing"
    tasks: ClassVar[tuple[str, ...]] = ("forward_prediction",)

    def predict(self, plan: Plan, trials: IntArray) -> Float32:
        """Return `log_rate` (see `Predictor.predict`)."""
        origin = first_hidden_bin(plan)
        val = self.data.val
        scores = [self._quality(plan, self.gain(val, origin, t), val) for t in TAUS_S]
        return _spread(self.data, self.gain(trials, origin, TAUS_S[int(np.argmax(scores))]))

    def gain(self, trials: IntArray, origin: int, tau_s: float) -> Float64:
        """Return the factor on the PSTH, shape (n_trials, n_units)."""
        spikes, expected = trailing_sums(self.data, trials, origin, tau_s)
        return np.asarray(np.maximum(spikes, 0.5) / expected)

    def _quality(self, plan: Plan, gain: Float64, trials: IntArray) -> float:
        return _horizon_quality(self.data, plan, gain, trials)


def _horizon_quality(data: BaselineData, plan: Plan, gain: Float64, trials: IntArray) -> float:
    """Return the log-likelihood of the spikes beyond the horizon, summed over its bins."""
    origin = first_hidden_bin(plan)
    truth = data.counts[trials, origin:].sum(axis=1)
    return pooled_log_likelihood(truth, np.log(gain * psth(data)[origin:].sum(axis=0)))


@dataclass(frozen=True, eq=False)
class ShrunkTrailingMean:
    """PSTH times the posterior mean of the unit's gain in the trial."""

    data: BaselineData
    name: ClassVar[str] = "psth_trailing_shrunk"
    tasks: ClassVar[tuple[str, ...]] = ("forward_prediction",)

    def predict(self, plan: Plan, trials: IntArray) -> Float32:
        """Return `log_rate` (see `Predictor.predict`)."""
        tau_s, pseudo = self.choose(plan)
        return _spread(self.data, self.gain(trials, first_hidden_bin(plan), tau_s, pseudo))

    def choose(self, plan: Plan) -> tuple[float, float]:
        """Choose the time constant and the pull on validation trials."""
        val, origin = self.data.val, first_hidden_bin(plan)

        def quality(choice: tuple[float, float]) -> float:
            gain = self.gain(val, origin, *choice)
            return _horizon_quality(self.data, plan, gain, val)

        return max(itertools.product(TAUS_S, PSEUDO_SPIKES), key=quality)

    def gain(self, trials: IntArray, origin: int, tau_s: float, pseudo: float) -> Float64:
        """Return the factor on the PSTH, shape (n_trials, n_units)."""
        spikes, expected = trailing_sums(self.data, trials, origin, tau_s)
        return np.asarray((pseudo + spikes) / (pseudo + expected))


@dataclass(frozen=True, eq=False)
class _Past:
    """Samples of the regression: one per trial and origin, bins of the horizon summed."""

    activity: Float32
    log_gain: Float32
    counts: Float32
    offset: Float32


@dataclass(frozen=True)
class PastChoice:
    """What validation trials chose for the regression from the past."""

    tau_s: float
    n_origins: int
    n_components: int
    penalty: float


@dataclass(frozen=True, eq=False)
class _PastModel:
    """A fitted regression: how activity becomes scores, and the coefficients.

    No prediction exceeds `ceiling`, the largest log factor that each unit reached in training.
    """

    choice: PastChoice
    scale: Float32
    loadings: Float32
    beta: Float32
    ceiling: Float32

    def log_factor(self, past: _Past) -> Float32:
        """Return what the regression adds to the offset, shape (n_samples, n_units)."""
        design = _past_design(past, self.scale, self.loadings)
        return np.minimum(design.first(self.beta.shape[1]).predict(self.beta), self.ceiling)


def _past_design(past: _Past, scale: Float32, loadings: Float32) -> Design:
    """Return intercept, own log gain, and scores, as features in this order."""
    scores = (past.activity / scale) @ loadings
    shared = np.concatenate([np.ones((len(scores), 1), dtype=np.float32), scores], axis=1)
    n_shared = shared.shape[1]
    order = np.zeros((n_shared, n_shared + 1), dtype=np.float32)
    order[0, 0] = 1
    order[np.arange(1, n_shared), np.arange(2, n_shared + 1)] = 1
    own_mix = np.zeros(n_shared + 1, dtype=np.float32)
    own_mix[1] = 1
    n_units = past.counts.shape[1]
    return Design(
        shared=shared,
        own=past.log_gain,
        mix=np.broadcast_to(order, (n_units, *order.shape)),
        own_mix=np.broadcast_to(own_mix, (n_units, len(own_mix))),
    )


@dataclass(frozen=True, eq=False)
class PastRegression:
    """Poisson regression on the components of past activity, over the shrunk trailing mean."""

    data: BaselineData
    name: ClassVar[str] = "past_regression"
    tasks: ClassVar[tuple[str, ...]] = ("forward_prediction",)
    _fitted: dict[int, _PastModel] = field(default_factory=dict)

    @on_one_blas_thread
    def predict(self, plan: Plan, trials: IntArray) -> Float32:
        """Return `log_rate` (see `Predictor.predict`)."""
        model = self.model(plan)
        origin = first_hidden_bin(plan)
        past = self._past(plan, trials, (origin,), model.choice.tau_s)
        log_gain = model.log_factor(past) + past.log_gain
        return _spread(self.data, np.exp(log_gain))

    @on_one_blas_thread
    def model(self, plan: Plan, should_stop: Callable[[], bool] = lambda: False) -> _PastModel:
        """Return the regression fitted for a plan's horizon.

        Raises
        ------
        SearchStoppedError
            If asked to stop.
        """
        origin = first_hidden_bin(plan)
        if origin not in self._fitted:
            found = self._candidates(plan, should_stop)
            best, _ = max(found, key=lambda candidate: candidate[1])
            self._fitted[origin] = best
        return self._fitted[origin]

    def _candidates(
        self, plan: Plan, should_stop: Callable[[], bool]
    ) -> list[tuple[_PastModel, float]]:
        """Fit every choice; return models with their validation log-likelihood."""
        origin = first_hidden_bin(plan)
        n_ahead = self.data.n_bins - origin
        candidates = []
        for tau_s, n_origins in itertools.product(PAST_TAUS_S, N_ORIGINS):
            origins = tuple(o for i in range(n_origins) if (o := origin - i * n_ahead) >= 5)
            train = self._past(plan, self.data.train, origins, tau_s)
            val = self._past(plan, self.data.val, (origin,), tau_s)
            for candidate in _fit_path(train, val, tau_s, n_origins):
                if should_stop():
                    raise SearchStoppedError
                candidates.append(candidate)
        return candidates

    def _past(self, plan: Plan, trials: IntArray, origins: tuple[int, ...], tau_s: float) -> _Past:
        shrunk = ShrunkTrailingMean(self.data)
        own_tau_s, pseudo = shrunk.choose(plan)
        rate = psth(self.data)
        n_ahead = self.data.n_bins - first_hidden_bin(plan)
        parts: list[tuple[Float64, ...]] = []
        for origin in origins:
            spikes, expected = trailing_sums(self.data, trials, origin, tau_s)
            log_gain = np.log(shrunk.gain(trials, origin, own_tau_s, pseudo))
            ahead = slice(origin, origin + n_ahead)
            counts = self.data.counts[trials, ahead].sum(axis=1)
            offset = log_gain + np.log(rate[ahead].sum(axis=0))
            parts.append((spikes - expected, log_gain, counts, offset))
        return _Past(*(np.concatenate(p).astype(np.float32) for p in zip(*parts, strict=True)))


def _fit_path(
    train: _Past, val: _Past, tau_s: float, n_origins: int
) -> Iterator[tuple[_PastModel, float]]:
    """Fit each number of components and penalty; each fit starts at the one before."""
    scale = np.maximum(train.activity.std(axis=0), 1e-3)
    loadings = _leading(train.activity / scale, max(N_COMPONENTS))
    design = _past_design(train, scale, loadings)
    for k in N_COMPONENTS:
        part = design.first(min(k + 2, design.n_features))
        beta: Float32 | None = None
        for strength in PENALTIES:
            penalty = np.full(part.n_features, strength, dtype=np.float32)
            penalty[0] = 1.0
            beta = fit_poisson(
                part, train.counts, train.offset, penalty, start=beta, tolerance=0.05
            )
            choice = PastChoice(tau_s, n_origins, k, strength)
            ceiling = part.predict(beta).max(axis=0)
            model = _PastModel(choice, scale, loadings, beta, ceiling)
            log_rate = model.log_factor(val) + val.offset
            yield model, pooled_log_likelihood(val.counts, log_rate)


def _leading(samples: Float32, n_components: int) -> Float32:
    """Return the leading principal directions, shape (n_units, n_components)."""
    centred = samples - samples.mean(axis=0)
    if len(centred) < centred.shape[1]:
        variance, vectors = np.linalg.eigh(centred @ centred.T)
        kept = vectors[:, ::-1][:, :n_components]
        length = np.sqrt(np.maximum(variance[::-1][:n_components], 1e-6))
        return np.asarray(centred.T @ kept / length).astype(np.float32)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return np.ascontiguousarray(vectors[:, ::-1][:, :n_components])
