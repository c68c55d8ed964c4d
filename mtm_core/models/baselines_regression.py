"""PCA of the smoothed visible units, then a Poisson regression for each hidden unit.

The rival to beat on co-smoothing, intra- and inter-region prediction; `group_regression` says how
units are regressed. Smoothing width, number of components and penalty are chosen for the session
(co-smoothing) or for each region (intra- and inter-region) by the log-likelihood of validation
trials on a sample of the units; then all units are fitted on training trials.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mtm_core.models.baselines import BaselineData, IntArray, Plan
from mtm_core.models.group_regression import (
    Entries,
    Group,
    Projection,
    Regression,
    Search,
    SmoothedCounts,
    log_psth,
    with_components,
)
from mtm_core.one_blas_thread import on_one_blas_thread
from mtm_core.seeding import numpy_generator

Float32 = NDArray[np.float32]

UNITS_THAT_CHOOSE, FEWEST_THAT_CHOOSE = 160, 10
"""Size of the sample of units on which the choice is made: in all, and of each region."""


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
    _fitted: dict[tuple[str, tuple[str | None, ...]], tuple[Regression, ...]] = field(
        default_factory=dict
    )

    @on_one_blas_thread
    def predict(self, plan: Plan, trials: IntArray) -> Float32:
        """Return `log_rate` (see `Predictor.predict`)."""
        data = self.data
        key = (plan.name, tuple(plan.groups))
        if key not in self._fitted:
            self._fitted[key] = tuple(self._fit(plan))
        log_rate = np.tile(log_psth(data), (len(trials), 1))
        widths = {part.width_s for part in self._fitted[key]}
        features = {w: SmoothedCounts.fit(data, w).apply(data.counts[trials]) for w in widths}
        for part in self._fitted[key]:
            design = part.projection.design(features[part.width_s])
            log_rate[:, part.projection.group.targets] += part.log_gain(design)
        return log_rate.reshape(len(trials), data.n_bins, data.n_units)

    def _fit(self, plan: Plan) -> Iterator[Regression]:
        """Yield the regressions of each group, those of one smoothing width after another."""
        groups = list(_groups(self.data, plan))
        choices = Search(self.data, _samples(groups, plan)).choose()
        for width_s in sorted({choice.width_s for choice in choices}):
            chosen = [g for g, choice in enumerate(choices) if choice.width_s == width_s]
            train = Entries.of(self.data, self.data.train, width_s)
            most = max(choices[g].n_components for g in chosen)
            pairs = with_components([groups[g] for g in chosen], train.features, most)
            for g, (group, components) in zip(chosen, pairs, strict=True):
                projection = Projection.fit(group, components, choices[g].n_components)
                yield Regression.fit(choices[g], projection, train)


def _groups(data: BaselineData, plan: Plan) -> Iterator[Group]:
    every = np.arange(data.n_units)
    if plan.name == "co_smoothing":
        yield Group(every, every, is_within=True)
        return
    for name in plan.groups:
        members = np.flatnonzero(data.region == name)
        is_within = plan.name == "intra_region"
        others = np.flatnonzero(data.region != name)
        yield Group(members, members if is_within else others, is_within)


def _samples(groups: list[Group], plan: Plan) -> list[Group]:
    """Return the groups with the units that choose: few of many, but enough of each."""
    rng = numpy_generator(0, "units that choose", plan.name)
    share = min(1.0, UNITS_THAT_CHOOSE / max(1, sum(len(g.targets) for g in groups)))
    return [g.sample(max(FEWEST_THAT_CHOOSE, round(share * len(g.targets))), rng) for g in groups]
