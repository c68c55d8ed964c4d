from __future__ import annotations

import numpy as np
import pytest

from mtm_core.models.baselines_all import BASELINE_NAMES, fit_baselines
from mtm_core.models.baselines_forward import (
    PastRegression,
    ShrunkTrailingMean,
    TrailingMean,
    first_hidden_bin,
    trailing_sums,
    trailing_weights,
)
from mtm_core.models.baselines_rates import Psth, psth
from tests.core.models.baseline_data import Bench, log_likelihood, make_bench, with_counts


@pytest.fixture(scope="module")
def bench() -> Bench:
    return make_bench(n_trials=90, n_bins=20, n_units=30)


@pytest.fixture(scope="module")
def plan(bench):
    return bench.plan("forward_prediction")


def score(bench: Bench, plan, log_rate: np.ndarray) -> float:
    return log_likelihood(
        bench.data.counts[bench.test][:, plan.is_scored], log_rate[:, plan.is_scored]
    )


def test_trailing_weights_fall_off_into_the_past():
    np.testing.assert_allclose(trailing_weights(3, 1.0), [np.exp(-2), np.exp(-1), 1])


def test_trailing_sums_are_those_of_the_bins_before_the_origin(bench):
    spikes, expected = trailing_sums(bench.data, bench.test, 6, np.inf)
    np.testing.assert_allclose(spikes, bench.data.counts[bench.test, :6].sum(axis=1))
    np.testing.assert_allclose(expected, psth(bench.data)[:6].sum(axis=0))


@pytest.mark.parametrize("make", [TrailingMean, ShrunkTrailingMean, PastRegression])
def test_nothing_beyond_the_origin_enters_a_prediction(bench, plan, make):
    origin = first_hidden_bin(plan)
    assert origin == 18
    counts = bench.data.counts.copy()
    counts[bench.test, origin:] += 7
    before = make(bench.data).predict(plan, bench.test)
    after = make(with_counts(bench.data, counts)).predict(plan, bench.test)
    np.testing.assert_array_equal(after, before)
    assert np.isfinite(before).all()
    assert before.dtype == np.float32


@pytest.mark.parametrize("make", [TrailingMean, ShrunkTrailingMean, PastRegression])
def test_the_past_of_the_trial_does_enter(bench, plan, make):
    counts = bench.data.counts.copy()
    counts[bench.test, 10:18] += 2
    before = make(bench.data).predict(plan, bench.test)
    after = make(with_counts(bench.data, counts)).predict(plan, bench.test)
    assert np.abs(after - before)[:, plan.is_scored].max() > 0.01


def test_each_rival_is_stronger_than_the_one_before():
    bench = make_bench(n_trials=300, n_bins=20, n_units=45, mean_count=0.15)
    plan = bench.plan("forward_prediction")
    rivals = (TrailingMean, ShrunkTrailingMean, PastRegression)
    scores = [score(bench, plan, make(bench.data).predict(plan, bench.test)) for make in rivals]
    flat = score(bench, plan, Psth(bench.data).predict(plan, bench.test))
    assert scores[0] < scores[1] < scores[2]
    assert scores[1] > flat


def test_shrinkage_ends_at_the_psth(bench):
    shrunk = ShrunkTrailingMean(bench.data)
    np.testing.assert_allclose(shrunk.gain(bench.test, 18, 0.1, 1e9), 1, rtol=1e-6)


def test_a_silent_past_is_given_half_a_spike(bench):
    counts = bench.data.counts.copy()
    counts[bench.test] = 0
    data = with_counts(bench.data, counts)
    expected = 0.5 / psth(data)[:18].sum(axis=0)
    found = TrailingMean(data).gain(bench.test, 18, np.inf)
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape))


def test_more_units_than_samples_are_fine():
    bench = make_bench(n_trials=24, n_bins=12, n_units=160)
    plan = bench.plan("forward_prediction")
    assert np.isfinite(PastRegression(bench.data).predict(plan, bench.test)).all()


def test_the_list_of_baselines_names_each(bench):
    found = fit_baselines(bench.data)
    assert tuple(baseline.name for baseline in found) == BASELINE_NAMES
    assert len(set(BASELINE_NAMES)) == len(BASELINE_NAMES)
