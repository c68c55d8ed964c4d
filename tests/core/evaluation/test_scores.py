from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import d2_tweedie_score

from mtm_core.evaluation import metrics
from mtm_core.evaluation.scores import MIN_TRIALS, NULLS, Truth
from mtm_core.masking.tasks import plan_task
from mtm_core.models.baselines import BaselineData
from mtm_core.models.baselines_rates import ConditionPsth, MeanRate
from tests.core.models.baseline_data import Bench, make_bench


@pytest.fixture(scope="module")
def bench() -> Bench:
    return make_bench(n_trials=100, mean_count=0.8)


def make_truth(bench: Bench, task: str = "co_smoothing", **how) -> Truth:
    return Truth(
        bench.data,
        plan_task(task, bench.session),
        bench.test,
        unit_id=bench.session.unit_id,
        rng=np.random.default_rng(0),
        n_samples=how.pop("n_samples", 100),
        **how,
    )


def random_prediction(bench: Bench, seed: int = 0) -> np.ndarray:
    shape = (len(bench.test), bench.session.n_bins, bench.session.n_units)
    return np.random.default_rng(seed).normal(-0.5, 0.4, shape).astype(np.float32)


@pytest.mark.parametrize("task", ["co_smoothing", "forward_prediction"])
@pytest.mark.parametrize(("null", "baseline"), [("train_mean", MeanRate), ("psth", ConditionPsth)])
def test_a_null_model_scores_exactly_zero_over_itself(bench, task, null, baseline):
    truth = make_truth(bench, task, null=null)
    found = truth.score(baseline(bench.data).predict(None, bench.test))
    overall = found.overall
    assert overall.bps_pooled == 0
    assert overall.interval == (0, 0)
    assert overall.d2 == 0
    assert overall.null == null
    assert (found.units.bps.values == 0).all()
    assert found.by_null[null].bps_pooled == 0
    assert (overall.bps_beyond_psth == 0) == (null == "psth")


def test_every_null_is_reported_and_the_main_one_is_named(bench):
    found = make_truth(bench, null="test_mean").score(random_prediction(bench))
    assert tuple(found.by_null) == NULLS
    assert found.overall.null == "test_mean"
    assert found.overall.bps_pooled == pytest.approx(found.by_null["test_mean"].bps_pooled)
    assert found.overall.bps_beyond_psth == pytest.approx(found.by_null["psth"].bps_pooled)
    assert found.by_null["test_mean"].bps_pooled < found.by_null["train_mean"].bps_pooled


def test_the_test_mean_null_gives_the_benchmarks_number(bench):
    log_rate = random_prediction(bench)
    found = make_truth(bench).score(log_rate).by_null["test_mean"]
    spikes = bench.data.counts[bench.test].astype(float)
    null = spikes.mean(axis=(0, 1))
    gain = (spikes * (log_rate - np.log(null)) - np.exp(log_rate) + null).sum(axis=(0, 1))
    pooled = gain.sum() / spikes.sum() / np.log(2)
    by_unit = gain / spikes.sum(axis=(0, 1)) / np.log(2)
    assert found.bps_pooled == pytest.approx(pooled, rel=1e-5)
    assert found.bps_unit_mean_published == pytest.approx(by_unit.mean(), rel=1e-5)


def test_only_scored_entries_count(bench):
    truth = make_truth(bench, "forward_prediction")
    log_rate = random_prediction(bench)
    changed = log_rate.copy()
    changed[:, :9] = 5
    assert truth.score(changed).overall == truth.score(log_rate).overall
    assert truth.score(log_rate).overall.n_spikes == bench.data.counts[bench.test, 9].sum()


def test_regions_add_up(bench):
    found = make_truth(bench, "inter_region").score(random_prediction(bench))
    assert set(found.per_region) == {"CA1", "DG", "VISp"}
    parts = found.per_region.values()
    for name in ("n_units", "n_spikes", "n_units_left_out", "n_units_silent"):
        assert sum(getattr(p, name) for p in parts) == getattr(found.overall, name)
    weighted = sum(p.bps_pooled * p.n_spikes for p in parts) / found.overall.n_spikes
    assert weighted == pytest.approx(found.overall.bps_pooled)


def test_a_region_scores_as_if_it_were_alone(bench):
    log_rate = random_prediction(bench)
    found = make_truth(bench, "inter_region").score(log_rate).per_region["DG"]
    alone = plan_task("inter_region", bench.session, target_regions=["DG"])
    truth = Truth(
        bench.data,
        alone,
        bench.test,
        unit_id=bench.session.unit_id,
        rng=np.random.default_rng(0),
        n_samples=100,
    )
    expected = truth.score(log_rate).overall
    for name, value in vars(expected).items():
        assert getattr(found, name) == (value if name == "null" else pytest.approx(value))


def test_rare_and_silent_units_are_counted(bench):
    counts = bench.data.counts.copy()
    counts[:, :, 0] = 0
    counts[np.ix_(bench.test, np.arange(10), [1])] = 0
    counts[bench.test[0], 0, 1] = metrics.MIN_SPIKES - 1
    data = BaselineData(
        counts=counts,
        region=bench.data.region,
        condition=bench.data.condition,
        train=bench.data.train,
        val=bench.data.val,
        bin_size_s=0.01,
    )
    changed = Bench(bench.session, data, bench.test)
    found = make_truth(changed).score(random_prediction(bench))
    rare = (counts[bench.test].sum(axis=(0, 1)) < metrics.MIN_SPIKES).sum()
    assert found.overall.n_units_left_out == rare >= 2
    assert found.overall.n_units_silent == 1
    assert not found.units.bps.is_valid[0]
    assert found.units.n_spikes[1] == metrics.MIN_SPIKES - 1


def test_a_perfect_prediction_of_the_average_has_a_psth_r2_of_one(bench):
    truth = make_truth(bench)
    label = bench.data.condition[bench.test]
    counts = bench.data.counts[bench.test].astype(float)
    rate = np.stack([counts[label == c].mean(axis=0) for c in label])
    common = [c for c in np.unique(label) if (label == c).sum() >= MIN_TRIALS]
    assert len(common) >= 2
    found = truth.score(np.log(np.maximum(rate, 1e-6)).astype(np.float32))
    assert found.overall.psth_r2 == pytest.approx(1, abs=1e-3)
    assert 0 < found.overall.single_trial_r2 < 1


def test_without_conditions_all_trials_make_one_psth(bench):
    data = SimpleNamespace(**vars(bench.data))
    data.condition = np.full_like(bench.data.condition, -1)
    found = make_truth(Bench(bench.session, data, bench.test)).score(random_prediction(bench))
    assert found.overall.psth_r2 is not None


def test_a_difference_is_paired_by_trial(bench):
    truth = make_truth(bench, n_samples=400)
    better, worse = (
        truth.score(log_rate)
        for log_rate in (
            MeanRate(bench.data).predict(None, bench.test),
            random_prediction(bench),
        )
    )
    difference, interval = truth.difference(better, worse)
    assert difference == pytest.approx(better.overall.bps_pooled - worse.overall.bps_pooled)
    assert interval[0] < difference < interval[1]
    assert truth.difference(better, better) == (0, (0, 0))
    shifted, narrow = truth.difference(worse, better)
    assert shifted == pytest.approx(-difference)
    assert narrow == pytest.approx((-interval[1], -interval[0]))


def test_nothing_is_changed(bench):
    log_rate = random_prediction(bench)
    before, counts = log_rate.copy(), bench.data.counts.copy()
    make_truth(bench).score(log_rate)
    np.testing.assert_array_equal(log_rate, before)
    np.testing.assert_array_equal(bench.data.counts, counts)


def test_d2_is_reported_per_unit_pooled_and_over_every_null(bench):
    prediction = random_prediction(bench)
    truth = make_truth(bench, null="test_mean")
    found = truth.score(prediction)
    scored = np.exp(prediction[truth._entries].astype(np.float64))
    first = d2_tweedie_score(truth.counts[..., 0].ravel(), scored[..., 0].ravel(), power=1)
    assert found.units.d2.values[0] == pytest.approx(first, abs=1e-6)
    assert found.overall.d2 == pytest.approx(found.by_null["test_mean"].d2)
    assert found.overall.d2_unit_mean == pytest.approx(found.by_null["test_mean"].d2_unit_mean)
    is_counted = truth.spikes.sum(axis=0) >= metrics.MIN_SPIKES
    assert found.overall.d2_unit_mean == pytest.approx(found.units.d2.values[is_counted].mean())
    assert found.by_null["train_mean"].d2 >= found.by_null["test_mean"].d2
