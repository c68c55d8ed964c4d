"""The list of all baselines."""

from __future__ import annotations

from mtm_core.models.baselines import BaselineData, Predictor
from mtm_core.models.baselines_forward import PastRegression, ShrunkTrailingMean, TrailingMean
from mtm_core.models.baselines_rates import ConditionPsth, Drift, MeanRate, Psth
from mtm_core.models.baselines_regression import PoissonRegression

BASELINE_NAMES = (
    MeanRate.name,
    Psth.name,
    ConditionPsth.name,
    Drift.name,
    PoissonRegression.name,
    TrailingMean.name,
    ShrunkTrailingMean.name,
    PastRegression.name,
)
"""Keys of the baselines in reports, from the simplest to the strongest."""


def fit_baselines(data: BaselineData) -> tuple[Predictor, ...]:
    """Return all baselines; the costly ones are fitted when first asked."""
    return (
        MeanRate(data),
        Psth(data),
        ConditionPsth(data),
        Drift.fit(data),
        PoissonRegression(data),
        TrailingMean(data),
        ShrunkTrailingMean(data),
        PastRegression(data),
    )
