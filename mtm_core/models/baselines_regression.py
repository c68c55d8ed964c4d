"""PCA of the smoothed visible units, then a Poisson regression for each hidden unit.

The rival to beat on co-smoothing, intra- and inter-region prediction. For every hidden unit:

1. the counts of the visible units are smoothed over bins, their training PSTH is subtracted and
   each is divided by its standard deviation over training entries;
2. the leading principal components of the visible units are taken over training entries (for
   co-smoothing the hidden unit is taken out of a shared PCA, see `baselines_pca`);
3. a ridge-penalised Poisson regression on the scores, with the unit's smoothed training PSTH as
   offset, is fitted on training trials (all units in one batch, see `baselines_poisson`).

Smoothing width, number of components and penalty are chosen once per task by the log-likelihood of
validation trials on a sample of the units; then all units are fitted on training trials.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mtm_core.models.baselines import BaselineData, Counts, IntArray, Plan
from mtm_core.models.baselines_pca import Components, fit_components, without_group, without_unit
from mtm_core.models.baselines_poisson import Design, fit_poisson
from mtm_core.models.baselines_rates import pooled_log_likelihood, psth, smoothing_matrix
from mtm_core.seeding import numpy_generator

Float32 = NDArray[np.float32]

WIDTHS_S = (0.01, 0.02, 0.04, 0.08)
"""Gaussian smoothing widths in seconds among which validation trials choose."""
N_COMPONENTS = (10, 20, 40, 80)
"""Numbers of components among which validation trials choose."""
PENALTIES = (1000.0, 300.0, 100.0, 30.0)
"""Ridge penalties among which validation trials choose, the strongest first."""
FIRST_N_COMPONENTS, FIRST_PENALTIES = (30,), (200.0,)
"""With these the smoothing width is chosen first."""
INTERCEPT_PENALTY = 1e-3
"""Keeps a unit without training spikes finite."""
UNITS_THAT_CHOOSE = 160
"""Size of the sample of units on which the choice is made."""


@dataclass(frozen=True)
class Choice:
    """What validation trials chose for a task."""

    width_s: float
    n_components: int
    penalty: float


@dataclass(frozen=True, eq=False)
class SmoothedCounts:
    """Smoothed counts without their training PSTH, in units of their standard deviation."""

    weights: Float32
    mean: Float32
    scale: Float32

    @classmethod
    def fit(cls, data: BaselineData, width_s: float) -> SmoothedCounts:
        """Learn mean and scale from training trials."""
        weights = smoothing_matrix(data.n_bins, width_s / data.bin_size_s).astype(np.float32)
        smooth = np.matmul(weights, data.counts[data.train].astype(np.float32))
        mean = smooth.mean(axis=0)
        scale = (smooth - mean).std(axis=(0, 1))
        return cls(weights, mean, np.where(scale > 0, scale, 1).astype(np.float32))

    def apply(self, counts: Counts) -> Float32:
        """Return features (n_trials * n_bins, n_units) of counts (n_trials, n_bins, n_units)."""
        smooth = np.matmul(self.weights, counts.astype(np.float32))
        return np.asarray((smooth - self.mean) / self.scale).reshape(-1, counts.shape[2])


@dataclass(frozen=True, eq=False)
class _Group:
    """Units predicted from the same sources.

    `targets` are predicted from `sources`; a target that is a source is taken out of its own.
    """

    targets: IntArray
    sources: IntArray
    is_within: bool

    def sample(self, n_units: int, rng: np.random.Generator) -> _Group:
        """Return the group with at most `n_units` of its targets."""
        n_kept = min(len(self.targets), n_units)
        kept = np.sort(rng.choice(self.targets, n_kept, replace=False))
        return _Group(kept, self.sources, self.is_within)


def _groups(data: BaselineData, plan: Plan) -> Iterator[_Group]:
    every = np.arange(data.n_units)
    if plan.name == "co_smoothing":
        yield _Group(every, every, is_within=True)
        return
    for name in plan.groups:
        members = np.flatnonzero(data.region == name)
        is_within = plan.name == "intra_region"
        others = np.flatnonzero(data.region != name)
        yield _Group(members, members if is_within else others, is_within)


@dataclass(frozen=True, eq=False)
class _Projection:
    """From features of all units to the design of a group's regressions."""

    group: _Group
    loadings: Float32
    mix: Float32 | None
    own_mix: Float32 | None

    @classmethod
    def fit(cls, group: _Group, components: Components, n_components: int) -> _Projection:
        """Take what is hidden out of the components.

        `components` are those of the group's sources, or of all units if targets are no sources.
        """
        if not group.is_within:
            is_hidden = np.ones(len(components.loadings), dtype=bool)
            is_hidden[group.sources] = False
            loadings = without_group(components, is_hidden, n_components)
            return cls(group, loadings[group.sources], None, None)
        components = components.first(n_components)
        rows = np.searchsorted(group.sources, group.targets)
        n_wanted = min(n_components, max(len(group.sources) - 1, 1))
        mix, own_mix = without_unit(components, rows, n_wanted)
        return cls(group, components.loadings.astype(np.float32), *_with_intercept(mix, own_mix))

    def design(self, features: Float32) -> Design:
        """Return the design at samples whose features are given."""
        scores = features[:, self.group.sources] @ self.loadings
        ones = np.ones((len(scores), 1), dtype=np.float32)
        shared = np.concatenate([ones, scores], axis=1)
        own = features[:, self.group.targets] if self.group.is_within else None
        return Design(shared=shared, own=own, mix=self.mix, own_mix=self.own_mix)


def _with_intercept(mix: Float32, own_mix: Float32) -> tuple[Float32, Float32]:
    """Let the first shared column through as the first feature."""
    padded = np.pad(mix, ((0, 0), (1, 0), (1, 0)))
    padded[:, 0, 0] = 1
    return padded, np.pad(own_mix, ((0, 0), (1, 0)))


def _penalty(n_features: int, strength: float) -> Float32:
    penalty = np.full(n_features, strength, dtype=np.float32)
    penalty[0] = INTERCEPT_PENALTY
    return penalty


@dataclass(frozen=True, eq=False)
class _Entries:
    """Features, counts and offsets of some trials, one row per trial and bin."""

    features: Float32
    counts: Float32
    offset: Float32

    @classmethod
    def of(
        cls, data: BaselineData, trials: IntArray, smoothed: SmoothedCounts, log_psth: Float32
    ) -> _Entries:
        counts = data.counts[trials]
        flat = counts.reshape(-1, data.n_units).astype(np.float32)
        return cls(smoothed.apply(counts), flat, np.tile(log_psth, (len(trials), 1)))


@dataclass(frozen=True, eq=False)
class _Fitted:
    """A task's choice, and the coefficients of each of its groups."""

    choice: Choice
    smoothed: SmoothedCounts
    parts: tuple[tuple[_Projection, Float32], ...]


@dataclass(frozen=True, eq=False)
class PoissonRegression:
    """PCA and Poisson regression for co-smoothing, intra-region and inter-region prediction.

    Fitted on first use for each task, and kept.

    Parameters
    ----------
    data : BaselineData
        The recording and its training and validation trials.
    """

    data: BaselineData
    name: ClassVar[str] = "poisson_regression"
    tasks: ClassVar[tuple[str, ...]] = ("co_smoothing", "intra_region", "inter_region")
    _fitted: dict[tuple[str, tuple[str | None, ...]], _Fitted] = field(default_factory=dict)

    def predict(self, plan: Plan, trials: IntArray) -> Float32:
        """Return `log_rate` (see `Predictor.predict`)."""
        fitted = self._fit(plan)
        log_psth = self._log_psth()
        features = fitted.smoothed.apply(self.data.counts[trials])
        log_rate = np.tile(log_psth, (len(trials), 1))
        for projection, beta in fitted.parts:
            log_rate[:, projection.group.targets] += projection.design(features).predict(beta)
        return log_rate.reshape(len(trials), self.data.n_bins, self.data.n_units)

    def choice(self, plan: Plan) -> Choice:
        """Return what validation trials chose for a task."""
        return self._fit(plan).choice

    def _log_psth(self) -> Float32:
        return np.log(psth(self.data)).astype(np.float32)

    def _fit(self, plan: Plan) -> _Fitted:
        key = (plan.name, tuple(plan.groups))
        if key not in self._fitted:
            choice = choose(self.data, plan, self._log_psth())
            self._fitted[key] = self._fit_all(plan, choice)
        return self._fitted[key]

    def _fit_all(self, plan: Plan, choice: Choice) -> _Fitted:
        smoothed = SmoothedCounts.fit(self.data, choice.width_s)
        entries = _Entries.of(self.data, self.data.train, smoothed, self._log_psth())
        parts = []
        for group, components in _with_components(
            list(_groups(self.data, plan)), entries.features, choice.n_components
        ):
            projection = _Projection.fit(group, components, choice.n_components)
            design = projection.design(entries.features)
            penalty = _penalty(design.n_features, choice.penalty)
            t = group.targets
            beta = fit_poisson(design, entries.counts[:, t], entries.offset[:, t], penalty)
            parts.append((projection, beta))
        return _Fitted(choice, smoothed, tuple(parts))


def _with_components(
    groups: list[_Group], features: Float32, n_components: int
) -> Iterator[tuple[_Group, Components]]:
    """Yield each group with the components that its projections are made from.

    Groups whose targets are no sources share the components of all units.
    """
    shared = None if groups[0].is_within else fit_components(features, n_components)
    for group in groups:
        yield group, shared or fit_components(features[:, group.sources], n_components)


def choose(data: BaselineData, plan: Plan, log_psth: Float32) -> Choice:
    """Choose by the log-likelihood of validation trials.

    First the width, with numbers of components and a penalty from the middle of their ranges, then
    both of them with that width.
    """
    rng = numpy_generator(0, "units that choose", plan.name)
    groups = list(_groups(data, plan))
    share = min(1.0, UNITS_THAT_CHOOSE / max(1, sum(len(g.targets) for g in groups)))
    groups = [g.sample(max(5, round(share * len(g.targets))), rng) for g in groups]
    search = _Search(data, plan, groups, log_psth)
    first = [search.scores(w, FIRST_N_COMPONENTS, FIRST_PENALTIES) for w in WIDTHS_S]
    width_s = _best(first).width_s
    return _best([search.scores(width_s, N_COMPONENTS, PENALTIES)])


def _best(scores: list[dict[Choice, float]]) -> Choice:
    joined = {choice: score for part in scores for choice, score in part.items()}
    return max(joined, key=lambda choice: joined[choice])


@dataclass(frozen=True, eq=False)
class _Search:
    """Validation scores of many settings."""

    data: BaselineData
    plan: Plan
    groups: list[_Group]
    log_psth: Float32

    def scores(
        self, width_s: float, n_components: tuple[int, ...], penalties: tuple[float, ...]
    ) -> dict[Choice, float]:
        """Return the validation log-likelihood of each setting, summed over the groups."""
        data = self.data
        smoothed = SmoothedCounts.fit(data, width_s)
        train = _Entries.of(data, data.train, smoothed, self.log_psth)
        val = _Entries.of(data, data.val, smoothed, self.log_psth)
        scores: dict[Choice, float] = {}
        with_components = _with_components(self.groups, train.features, max(n_components))
        for (group, components), k in itertools.product(with_components, n_components):
            projection = _Projection.fit(group, components, k)
            for penalty, score in _path(projection, train, val, penalties):
                choice = Choice(width_s, k, penalty)
                scores[choice] = scores.get(choice, 0.0) + score
        return scores


def _path(
    projection: _Projection, train: _Entries, val: _Entries, penalties: tuple[float, ...]
) -> Iterator[tuple[float, float]]:
    """Yield the validation log-likelihood of each penalty; each fit starts at the one before."""
    t = projection.group.targets
    counts, offset = train.counts[:, t], train.offset[:, t]
    design, design_val = projection.design(train.features), projection.design(val.features)
    beta: Float32 | None = None
    for strength in penalties:
        penalty = _penalty(design.n_features, strength)
        beta = fit_poisson(design, counts, offset, penalty, start=beta, tolerance=0.3)
        log_rate = design_val.predict(beta) + val.offset[:, t]
        yield strength, pooled_log_likelihood(val.counts[:, t], log_rate)
