from __future__ import annotations

import numpy as np
import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data.preparation import prepare
from mtm_core.evaluation.report import Report, evaluate
from mtm_core.models.baselines import ALL_TASKS
from mtm_core.models.true_rate import TrueRate
from tests.core.checkpoints import make_checkpoint
from tests.core.data.simulations import simulated


@pytest.fixture(scope="module")
def session():
    return prepare(simulated().raw, load_preparation())


@pytest.fixture(scope="module")
def report(session) -> Report:
    checkpoint = make_checkpoint(session, noise=0.05)
    truth = simulated().truth
    return evaluate(checkpoint, session, baselines=True, shuffle=False, truth=truth)


def test_no_baseline_reaches_the_ceiling(report):
    values = report.to_dict()
    ceiling = values["true_rate_ceiling"]
    assert set(ceiling) == set(ALL_TASKS)
    for task in ALL_TASKS:
        assert ceiling[task]["bps_pooled"] > 0.2
        assert ceiling[task]["bps_beyond_psth"] > 0.05
        for by_task in values["baselines"].values():
            if task in by_task:
                assert by_task[task]["bps_pooled"] < ceiling[task]["bps_pooled"]


def test_the_ceiling_is_no_rival(report):
    values = report.to_dict()
    assert "true_rate_ceiling" not in values["baselines"]
    for scores in values["tasks"].values():
        assert "true_rate_ceiling" not in scores["minus_baselines"]


def test_without_truth_the_report_has_no_ceiling(session):
    checkpoint = make_checkpoint(session, noise=0.05)
    found = evaluate(checkpoint, session, ["forward_prediction"], shuffle=False)
    assert "true_rate_ceiling" not in found.to_dict()


def test_its_log_rate_is_that_of_the_truth_and_finite(session):
    ceiling = TrueRate(simulated().truth, session)
    rows = np.array([4, 0])
    log_rate = ceiling.predict(None, rows)
    assert log_rate.shape == (2, session.n_bins, session.n_units)
    assert np.isfinite(log_rate).all()
    total = np.exp(ceiling.predict(None, np.arange(session.n_trials))).sum(dtype=float)
    assert session.counts.sum() == pytest.approx(total, abs=4 * np.sqrt(total))
