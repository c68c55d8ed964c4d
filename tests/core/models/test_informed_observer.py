from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mtm_core.config import DataConfig
from mtm_core.config_io import load_preparation
from mtm_core.data.preparation import prepare
from mtm_core.data.splits import split_trials
from mtm_core.evaluation.tasks import score_baseline, set_exam
from mtm_core.masking.tasks import plan_task
from mtm_core.models.baselines import ALL_TASKS
from mtm_core.models.baselines_all import fit_baselines
from mtm_core.models.informed_observer import InformedObserver
from mtm_core.models.true_rate import TrueRate
from tests.core.data.simulations import simulated


@pytest.fixture(scope="module")
def session():
    return prepare(simulated().raw, load_preparation())


@pytest.fixture(scope="module")
def split(session):
    return split_trials(session, DataConfig())


@pytest.fixture(scope="module")
def observer(session, split):
    return InformedObserver(simulated().truth, session, split.train)


def test_it_is_below_the_true_rates_and_above_what_was_fitted(session, split, observer):
    exam = set_exam(session, train=split.train, val=split.val, trials=split.test, n_samples=10)
    ceiling = score_baseline(exam, TrueRate(simulated().truth, session))
    own = score_baseline(exam, observer)
    rivals = [score_baseline(exam, baseline) for baseline in fit_baselines(exam.data)]
    for task in ALL_TASKS:
        best = max(r[task].overall.bps_pooled for r in rivals if task in r)
        assert best < own[task].overall.bps_pooled < ceiling[task].overall.bps_pooled


@pytest.mark.parametrize("task", ALL_TASKS)
def test_it_does_not_see_what_a_task_hides(task, session, split, observer):
    """A unit's own spikes, changed, change nothing that is said of it."""
    plan = plan_task(task, session)
    rows = split.test[:2]
    bins, units = np.nonzero(plan.is_scored)
    bin_, unit = bins[-1], units[-1]
    counts = session.counts.copy()
    counts[rows[0], bin_, unit] += 3
    other = InformedObserver(
        simulated().truth, dataclasses.replace(session, counts=counts), split.train
    )
    before, after = observer.predict(plan, rows), other.predict(plan, rows)
    assert np.isfinite(before).all()
    assert np.array_equal(before[:, bin_, unit], after[:, bin_, unit])
    if task != "forward_prediction":  # there nobody sees the changed bin
        assert not np.array_equal(before, after)


def test_it_says_how_often_it_infers(session, split):
    observer = InformedObserver(simulated().truth, session, split.train)
    told: list[int] = []
    observer.on_turn = told.append
    plan = plan_task("intra_region", session)
    observer.predict(plan, split.test[:1])
    assert sum(told) == observer.n_turns([plan]) > len(plan.groups)
