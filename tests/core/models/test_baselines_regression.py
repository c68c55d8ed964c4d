from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import PoissonRegressor

from mtm_core.models import baselines_pca, group_regression
from mtm_core.models.baselines_rates import Psth, psth
from mtm_core.models.baselines_regression import PoissonRegression
from mtm_core.models.group_regression import SmoothedCounts
from tests.core.models.baseline_data import Bench, log_likelihood, make_bench, with_counts

TASKS = ("co_smoothing", "intra_region", "inter_region")


@pytest.fixture(scope="module")
def bench() -> Bench:
    return make_bench(n_trials=90, n_units=30)


@pytest.fixture(scope="module")
def regression(bench) -> PoissonRegression:
    return PoissonRegression(bench.data)


def gain(bench: Bench, task: str, log_rate: np.ndarray) -> float:
    """Bits per spike over the PSTH."""
    plan = bench.plan(task)
    counts = bench.data.counts[bench.test][:, plan.is_scored]
    flat = Psth(bench.data).predict(plan, bench.test)[:, plan.is_scored]
    own = log_likelihood(counts, log_rate[:, plan.is_scored])
    return (own - log_likelihood(counts, flat)) / counts.sum() / np.log(2)


@pytest.mark.parametrize(("task", "least"), [("co_smoothing", 0.1), ("intra_region", 0.1)])
def test_it_reads_units_from_each_other(bench, regression, task, least):
    log_rate = regression.predict(bench.plan(task), bench.test)
    assert log_rate.dtype == np.float32
    assert np.isfinite(log_rate).all()
    assert gain(bench, task, log_rate) > least


def test_it_does_no_harm_where_little_can_be_read(bench, regression):
    log_rate = regression.predict(bench.plan("inter_region"), bench.test)
    assert gain(bench, "inter_region", log_rate) > -0.02


@pytest.mark.parametrize("task", TASKS)
def test_what_a_task_hides_never_enters_the_prediction(bench, regression, task):
    """Change counts of test trials that are hidden from a unit: its prediction must not move."""
    plan, unit = bench.plan(task), 3
    region = bench.data.region
    hidden = {
        "co_smoothing": np.arange(30) == unit,
        "intra_region": (np.arange(30) == unit) | (region != region[unit]),
        "inter_region": region == region[unit],
    }[task]
    before = regression.predict(plan, bench.test)[:, :, unit]
    counts = bench.data.counts.copy()
    rng = np.random.default_rng(0)
    noise = rng.poisson(3, (len(bench.test), counts.shape[1], hidden.sum()))
    counts[np.ix_(bench.test, np.arange(counts.shape[1]), hidden)] += noise.astype(np.uint8)
    changed = PoissonRegression(with_counts(bench.data, counts))
    changed._fitted.update(regression._fitted)
    after = changed.predict(plan, bench.test)[:, :, unit]
    np.testing.assert_allclose(after, before, atol=2e-4)


def test_visible_units_do_enter_it(bench, regression):
    plan = bench.plan("co_smoothing")
    before = regression.predict(plan, bench.test)[:, :, 3]
    counts = bench.data.counts.copy()
    counts[bench.test, :, 4:] = 0
    changed = PoissonRegression(with_counts(bench.data, counts))
    changed._fitted.update(regression._fitted)
    assert np.abs(changed.predict(plan, bench.test)[:, :, 3] - before).max() > 0.01


@pytest.mark.parametrize("task", ["co_smoothing", "inter_region"])
def test_it_agrees_with_scikit_learn_on_a_sample_of_units(bench, monkeypatch, task):
    """The whole chain against a separate PCA and a separate regression for each unit."""
    monkeypatch.setattr(baselines_pca, "MARGIN", 30)
    monkeypatch.setattr(group_regression, "WIDTHS_S", (0.02,))
    for name in ("N_COMPONENTS", "FIRST_N_COMPONENTS"):
        monkeypatch.setattr(group_regression, name, (4,))
    for name in ("PENALTIES", "FIRST_PENALTIES"):
        monkeypatch.setattr(group_regression, name, (20.0,))
    data, train = bench.data, bench.data.train
    plan = bench.plan(task)
    found = PoissonRegression(data).predict(plan, train)
    smoothed = SmoothedCounts.fit(data, 0.02).apply(data.counts[train])
    offset = np.tile(np.log(psth(data)), (len(train), 1))
    for unit in (0, 11, 29):
        same = data.region == data.region[unit]
        visible = ~same if task == "inter_region" else np.arange(30) != unit
        scores = PCA(4).fit_transform(smoothed[:, visible])
        exposure = np.exp(offset[:, unit])
        judge = PoissonRegressor(alpha=20.0 / exposure.sum(), tol=1e-9, max_iter=1000)
        counts = data.counts[train][:, :, unit].ravel()
        judge.fit(scores, counts / exposure, sample_weight=exposure)
        expected = offset[:, unit] + np.log(judge.predict(scores))
        np.testing.assert_allclose(found[:, :, unit].ravel(), expected, atol=1e-2)


def test_no_prediction_exceeds_what_the_unit_reached_in_training(bench, regression):
    plan = bench.plan("co_smoothing")
    counts = bench.data.counts.copy()
    counts[bench.test] = 200
    wild = PoissonRegression(with_counts(bench.data, counts))
    regression.predict(plan, bench.test)
    wild._fitted.update(regression._fitted)
    ceiling = next(iter(regression._fitted.values()))[0].ceiling
    log_gain = wild.predict(plan, bench.test) - np.log(psth(bench.data))
    assert (log_gain <= ceiling + 1e-4).all()


def test_a_plan_without_regions_leaves_the_psth(bench, regression):
    nothing = SimpleNamespace(
        name="inter_region", groups=(), is_scored=np.zeros((10, 30), dtype=bool)
    )
    found = regression.predict(nothing, bench.test)
    np.testing.assert_allclose(found[0], np.log(psth(bench.data)), rtol=1e-5)


def test_a_region_of_two_units_can_be_regressed():
    small = make_bench(n_units=12, regions=("CA1", "CA1", "CA1", "CA1", "CA1", "DG"))
    plan = SimpleNamespace(
        name="intra_region", groups=("DG",), is_scored=np.zeros((10, 12), dtype=bool)
    )
    assert np.isfinite(PoissonRegression(small.data).predict(plan, small.test)).all()
