"""Poisson regression of a group of units on the principal components of others.

Steps of a regression; which groups there are is the business of `baselines_regression`:

1. the counts of the visible units are smoothed over bins, their training PSTH is subtracted and
   each is divided by its standard deviation over training entries;
2. the leading principal components of the visible units are taken over training entries (a unit
   that is visible to others and hidden itself is taken out of a shared PCA, see `baselines_pca`);
3. a ridge-penalised Poisson regression on the scores, with the unit's smoothed training PSTH as
   offset, is fitted on training trials (all units in one batch, see `baselines_poisson`).

Smoothing width, number of components and penalty are chosen for each group by the log-likelihood
of validation trials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.models.baselines import BaselineData, Counts, IntArray
from mtm_core.models.baselines_pca import Components, fit_components, without_group, without_unit
from mtm_core.models.baselines_poisson import Design, fit_poisson
from mtm_core.models.baselines_rates import pooled_log_likelihood, psth, smoothing_matrix

Float32 = NDArray[np.float32]

WIDTHS_S = (0.01, 0.02, 0.04, 0.08)
"""Gaussian smoothing widths in seconds among which validation trials choose."""
N_COMPONENTS = (5, 10, 20, 40, 80)
"""Numbers of components among which validation trials choose."""
PENALTIES = (1e4, 1000.0, 300.0, 100.0, 30.0)
"""Ridge penalties among which validation trials choose, the strongest first."""
FIRST_N_COMPONENTS, FIRST_PENALTIES = (10, 40), (1000.0, 300.0)
"""With these the smoothing width is chosen first."""
INTERCEPT_PENALTY = 1e-3
"""Keeps a unit without training spikes finite."""


class SearchStoppedError(Exception):
    """A search was asked to stop; it never leaves `mtm_core.models`."""


@dataclass(frozen=True)
class Choice:
    """What validation trials chose for a group of units."""

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
class Group:
    """Units predicted from the same sources.

    `targets` are predicted from `sources`; a target that is a source is taken out of its own.
    """

    targets: IntArray
    sources: IntArray
    is_within: bool

    def sample(self, n_units: int, rng: np.random.Generator) -> Group:
        """Return the group with at most `n_units` of its targets."""
        n_kept = min(len(self.targets), n_units)
        kept = np.sort(rng.choice(self.targets, n_kept, replace=False))
        return Group(kept, self.sources, self.is_within)


@dataclass(frozen=True, eq=False)
class Projection:
    """From features of all units to the design of a group's regressions."""

    group: Group
    loadings: Float32
    mix: Float32 | None
    own_mix: Float32 | None

    @classmethod
    def fit(cls, group: Group, components: Components, n_components: int) -> Projection:
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
class Entries:
    """Features, counts and offsets of some trials, one row per trial and bin."""

    features: Float32
    counts: Float32
    offset: Float32

    @classmethod
    def of(cls, data: BaselineData, trials: IntArray, width_s: float) -> Entries:
        """Take them from a recording, smoothed with a width in seconds."""
        counts = data.counts[trials]
        features = SmoothedCounts.fit(data, width_s).apply(counts)
        flat = counts.reshape(-1, data.n_units).astype(np.float32)
        return cls(features, flat, np.tile(log_psth(data), (len(trials), 1)))


@dataclass(frozen=True, eq=False)
class Regression:
    """A group's fitted regressions.

    `ceiling` is the largest log gain that each unit reached in training; a prediction beyond it
    is taken back to it, since an exponential of an extrapolation can ruin a whole score.
    """

    width_s: float
    projection: Projection
    beta: Float32
    ceiling: Float32

    @classmethod
    def fit(cls, choice: Choice, projection: Projection, train: Entries) -> Regression:
        """Fit on training entries."""
        t = projection.group.targets
        design = projection.design(train.features)
        penalty = _penalty(design.n_features, choice.penalty)
        beta = fit_poisson(design, train.counts[:, t], train.offset[:, t], penalty)
        return cls(choice.width_s, projection, beta, design.predict(beta).max(axis=0))

    def log_gain(self, design: Design) -> Float32:
        """Return what the regression adds to the offset, shape (n_samples, n_units)."""
        return np.minimum(design.predict(self.beta), self.ceiling)


def log_psth(data: BaselineData) -> Float32:
    """Return the log of the training PSTH: the offset of every regression."""
    return np.log(psth(data)).astype(np.float32)


def with_components(
    groups: list[Group], features: Float32, n_components: int
) -> Iterator[tuple[Group, Components]]:
    """Yield each group with the components that its projections are made from.

    Groups whose targets are no sources share the components of all units.
    """
    is_shared = any(not group.is_within for group in groups)
    shared = fit_components(features, n_components) if is_shared else None
    for group in groups:
        yield group, shared or fit_components(features[:, group.sources], n_components)


@dataclass(frozen=True, eq=False)
class Search:
    """The choice of width, components and penalty of each group, by validation trials.

    First the width, with settings from the middle of the ranges, then the others.

    Parameters
    ----------
    data : BaselineData
        The recording.
    groups : list of Group
        Who is predicted from whom.
    should_stop : callable
        Asked after every fit; where it says True, `choose` raises `SearchStoppedError`.
    """

    data: BaselineData
    groups: list[Group]
    should_stop: Callable[[], bool] = lambda: False

    def choose(self) -> list[Choice]:
        """Return the best choice of each group.

        Raises
        ------
        SearchStoppedError
            If asked to stop.
        """
        every = range(len(self.groups))
        first = [self._score(w, every, FIRST_N_COMPONENTS, FIRST_PENALTIES) for w in WIDTHS_S]
        scores = [{c: s for part in first for c, s in part[g].items()} for g in every]
        widths = [_best(score).width_s for score in scores]
        for width_s in dict.fromkeys(widths):
            same = [g for g in every if widths[g] == width_s]
            for g, more in self._score(width_s, same, N_COMPONENTS, PENALTIES).items():
                scores[g] |= more
        return [_best(score) for score in scores]

    def _score(
        self,
        width_s: float,
        numbers: Iterable[int],
        n_components: tuple[int, ...],
        penalties: tuple[float, ...],
    ) -> dict[int, dict[Choice, float]]:
        """Return the validation log-likelihood of each setting, for some of the groups."""
        train = Entries.of(self.data, self.data.train, width_s)
        val = Entries.of(self.data, self.data.val, width_s)
        numbers = list(numbers)
        groups = [self.groups[g] for g in numbers]
        fitted = with_components(groups, train.features, max(n_components))
        scores: dict[int, dict[Choice, float]] = {}
        for g, (group, components) in zip(numbers, fitted, strict=True):
            scores[g] = {}
            for k in _distinct(n_components, len(group.sources)):
                projection = Projection.fit(group, components, k)
                for penalty, score in _path(projection, train, val, penalties):
                    scores[g][Choice(width_s, k, penalty)] = score
                    if self.should_stop():
                        raise SearchStoppedError
        return scores


def _best(scores: dict[Choice, float]) -> Choice:
    return max(scores, key=lambda choice: scores[choice])


def _distinct(n_components: tuple[int, ...], n_sources: int) -> list[int]:
    """Leave out numbers of components that a group of few sources cannot tell apart."""
    return list(dict.fromkeys(min(k, max(n_sources - 1, 1)) for k in n_components))


def _path(
    projection: Projection, train: Entries, val: Entries, penalties: tuple[float, ...]
) -> Iterator[tuple[float, float]]:
    """Yield the validation log-likelihood of each penalty; each fit starts at the one before."""
    t = projection.group.targets
    counts, offset = train.counts[:, t], train.offset[:, t]
    design, design_val = projection.design(train.features), projection.design(val.features)
    beta: Float32 | None = None
    for strength in penalties:
        penalty = _penalty(design.n_features, strength)
        beta = fit_poisson(design, counts, offset, penalty, start=beta, tolerance=0.3)
        ceiling = design.predict(beta).max(axis=0)
        log_rate = np.minimum(design_val.predict(beta), ceiling) + val.offset[:, t]
        yield strength, pooled_log_likelihood(val.counts[:, t], log_rate)
