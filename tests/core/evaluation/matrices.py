"""Matrices for tests: made from sums that can be checked by hand."""

from __future__ import annotations

import numpy as np

from mtm_core.evaluation import metrics
from mtm_core.evaluation.region_matrix_cells import read_cells, read_columns
from mtm_core.evaluation.region_matrix_plan import MatrixPlan, MatrixSettings
from mtm_core.evaluation.region_matrix_report import CAUTION_WORDS, SCORE_WORDS, MatrixReport
from mtm_core.evaluation.region_matrix_tally import Gains, Tally
from mtm_core.masking.region_level import LEVEL_WORDS

REGIONS = ("VISp", "CA1", "LGd")
UNTRAINED = "not trained for this: it is a mask of region-subset, the model knows neuron"


def make_plan(regions=REGIONS, n_draws=2, n_matched=5, **settings) -> MatrixPlan:
    n = len(regions)
    return MatrixPlan(
        settings=MatrixSettings(n_draws=n_draws, min_units=n_matched, **settings),
        labels=np.repeat(np.array(regions), n_matched),
        regions=tuple(regions),
        sizes={name: n_matched + 3 * place for place, name in enumerate(regions)},
        chosen=np.arange(n * n_matched).reshape(n, 1, n_matched).repeat(n_draws, axis=1),
        left_out={"root": "not a named region"},
    )


def make_tally(plan: MatrixPlan, n_trials=6, seed=0, *, is_done=True) -> Tally:
    """Make sums whose cells differ; the column's place is its advantage."""
    rng = np.random.default_rng(seed)
    n, n_draws = plan.n_regions, plan.settings.n_draws

    def gains(level: float) -> Gains:
        place = np.arange(n)[None, :, None, None]
        cell = rng.normal(level + place, 1.0, (n, n, n_draws, n_trials)) * is_done
        cell[np.arange(n), np.arange(n)] = 0
        return Gains(
            cell=cell,
            is_cell_done=np.full((n, n_draws), is_done),
            ceiling=rng.normal(8 + level, 1.0, (n, n_draws, n_trials)) * is_done,
            is_ceiling_done=np.full(n, is_done),
        )

    return Tally(
        model=gains(2.0),
        regression=gains(1.0),
        floor=rng.normal(-1.0, 0.5, (n, n_draws, n_trials)),
        spikes=rng.integers(20, 40, (n, n_draws, n_trials)).astype(np.float64),
    )


def make_report(
    regions=REGIONS, *, is_done=True, reason=None, seed=0, null="psth_by_condition"
) -> MatrixReport:
    plan = make_plan(regions)
    tally = make_tally(plan, seed=seed, is_done=is_done)
    weights = metrics.bootstrap_weights(6, 200, np.random.default_rng(0))
    reasons = {(a, b): reason for a in regions for b in regions}
    return MatrixReport(
        header={**HEADER, "null": null},
        n_done=12 if is_done else 0,
        n_steps=12,
        columns=read_columns(plan, tally, weights, null),
        cells=read_cells(plan, tally, weights, reasons, null),
    )


HEADER = {
    "caution": CAUTION_WORDS,
    "score": SCORE_WORDS,
    "session": "simulated-0",
    "session_hash": "0" * 64,
    "is_simulated": True,
    "checkpoint": "model.safetensors",
    "preset": "quick",
    "schemes": ["neuron"],
    "train_seed": 0,
    "train_step": 3,
    "prompt": "inter_region",
    "level": "given",
    "level_words": LEVEL_WORDS["given"],
    "n_matched": 5,
    "n_draws": 2,
    "min_units": 5,
    "left_out": {"root": "not a named region"},
    "split": "test",
    "split_kind": "random",
    "split_seed": 0,
    "n_trials": 6,
    "with_regression": True,
    "seed": 0,
    "sources": ["model", "regression"],
    "versions": {},
}
