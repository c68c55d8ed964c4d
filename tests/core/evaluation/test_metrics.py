from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import poisson
from sklearn.metrics import d2_tweedie_score, r2_score

from mtm_core.evaluation import metrics

# Two trials of three bins and two units. NLB_BPS was recorded from
# ``scipy.stats.poisson.logpmf`` by the formula of the Neural Latents Benchmark (nlb_tools,
# ``bits_per_spike(rates, spikes)``: null = each unit's mean over trials and bins).
NLB_SPIKES = np.array([[[0, 2], [1, 0], [0, 1]], [[3, 0], [0, 0], [1, 1]]])
NLB_RATES = np.array([[[0.2, 1.5], [0.9, 0.3], [0.4, 0.8]], [[1.8, 0.4], [0.3, 0.2], [1.1, 0.9]]])
NLB_BPS = 0.796560667034558


def benchmark_bps(rates: np.ndarray, spikes: np.ndarray) -> float:
    """The benchmark's formula, entry by entry in plain loops."""
    null = spikes.reshape(-1, spikes.shape[-1]).mean(axis=0)
    nll_model = nll_null = 0.0
    for index in np.ndindex(spikes.shape):
        constant = gammaln(spikes[index] + 1)
        nll_model += rates[index] - spikes[index] * np.log(rates[index]) + constant
        nll_null += null[index[-1]] - spikes[index] * np.log(null[index[-1]]) + constant
    return (nll_null - nll_model) / spikes.sum() / np.log(2)


def gain_over_test_mean(spikes: np.ndarray, log_rate: np.ndarray) -> np.ndarray:
    null = np.broadcast_to(metrics.scored_mean_log_rate(spikes), spikes.shape)
    return metrics.log_likelihood(spikes, log_rate) - metrics.log_likelihood(spikes, null)


def test_pooled_bps_is_the_neural_latents_benchmark_formula():
    gain = gain_over_test_mean(NLB_SPIKES, np.log(NLB_RATES))
    found = metrics.pooled_bps(gain, NLB_SPIKES.sum(axis=1))
    assert benchmark_bps(NLB_RATES, NLB_SPIKES) == pytest.approx(NLB_BPS, abs=1e-12)
    assert found == pytest.approx(NLB_BPS, abs=1e-12)


def test_the_benchmark_formula_holds_on_larger_random_vectors():
    rng = np.random.default_rng(3)
    rates = rng.gamma(2.0, 0.3, (7, 5, 4))
    spikes = rng.poisson(rates) + (np.arange(4) == 0)
    gain = gain_over_test_mean(spikes, np.log(rates))
    found = metrics.pooled_bps(gain, spikes.sum(axis=1))
    assert found == pytest.approx(benchmark_bps(rates, spikes), abs=1e-12)


def test_log_likelihood_is_that_of_scipy_up_to_the_constant_of_the_counts():
    found = metrics.log_likelihood(NLB_SPIKES, np.log(NLB_RATES))
    full = poisson.logpmf(NLB_SPIKES, NLB_RATES) + gammaln(NLB_SPIKES + 1)
    np.testing.assert_allclose(found, full.sum(axis=1), rtol=1e-12)


def test_published_unit_bps_averages_units_without_regard_to_their_spikes():
    gain = gain_over_test_mean(NLB_SPIKES, np.log(NLB_RATES))
    units = metrics.unit_bps(gain, NLB_SPIKES.sum(axis=1))
    alone = [benchmark_bps(NLB_RATES[..., [u]], NLB_SPIKES[..., [u]]) for u in range(2)]
    np.testing.assert_allclose(units.values, alone, rtol=1e-12)
    assert metrics.mean_over_units(units, np.ones(2, bool)) == pytest.approx(np.mean(alone))


def test_a_null_scores_exactly_zero_over_itself():
    null = np.broadcast_to(metrics.scored_mean_log_rate(NLB_SPIKES), NLB_SPIKES.shape)
    assert metrics.pooled_bps(gain_over_test_mean(NLB_SPIKES, null), NLB_SPIKES.sum(axis=1)) == 0


def test_without_a_spike_there_is_no_score():
    silent = np.zeros((3, 2), dtype=int)
    assert metrics.pooled_bps(np.zeros((3, 2)), silent) is None
    assert not metrics.unit_bps(np.zeros((3, 2)), silent).is_valid.any()
    weights = metrics.bootstrap_weights(3, 5, np.random.default_rng(0))
    assert metrics.pooled_interval(np.zeros((3, 2)), silent, weights) is None


def test_a_silent_unit_lowers_the_pooled_score_by_the_spikes_expected_of_it():
    spikes = np.stack([NLB_SPIKES[..., 0], np.zeros((2, 3), int)], axis=-1)
    log_rate = np.log(np.stack([NLB_RATES[..., 0], np.full((2, 3), 0.1)], axis=-1))
    gain = gain_over_test_mean(spikes, log_rate)
    alone = metrics.pooled_bps(gain[:, :1], spikes[..., :1].sum(axis=1))
    both = metrics.pooled_bps(gain, spikes.sum(axis=1))
    assert both == pytest.approx(alone - 0.6 / (spikes.sum() * np.log(2)), abs=1e-6)


def test_rare_units_are_left_out_of_means_and_medians():
    units = metrics.UnitValues(np.array([0.1, 0.5, 9.0]), np.array([True, True, True]))
    is_counted = np.array([True, True, False])
    assert metrics.mean_over_units(units, is_counted) == pytest.approx(0.3)
    assert metrics.median_over_units(units, is_counted) == pytest.approx(0.3)
    nobody = np.zeros(3, dtype=bool)
    assert metrics.mean_over_units(units, nobody) is None
    assert metrics.median_over_units(units, nobody) is None


def test_d2_agrees_with_scikit_learn_for_one_unit():
    spikes, rates = NLB_SPIKES[..., :1], NLB_RATES[..., :1]
    null = np.broadcast_to(metrics.scored_mean_log_rate(spikes), spikes.shape)
    found = metrics.poisson_d2(
        metrics.log_likelihood(spikes, np.log(rates)),
        metrics.log_likelihood(spikes, null),
        metrics.best_log_likelihood(spikes),
    )
    assert found == pytest.approx(d2_tweedie_score(spikes.ravel(), rates.ravel(), power=1))


def test_d2_of_each_unit_agrees_with_scikit_learn():
    rng = np.random.default_rng(5)
    rates = rng.gamma(2.0, 0.4, (9, 6, 4))
    spikes = rng.poisson(rates)
    spikes[..., 3] = 1  # its mean leaves nothing to explain
    null = np.broadcast_to(metrics.scored_mean_log_rate(spikes), spikes.shape)
    found = metrics.unit_d2(
        metrics.log_likelihood(spikes, np.log(rates)),
        metrics.log_likelihood(spikes, null),
        metrics.best_log_likelihood(spikes),
    )
    expected = [
        d2_tweedie_score(spikes[..., u].ravel(), rates[..., u].ravel(), power=1) for u in range(3)
    ]
    assert found.is_valid.tolist() == [True, True, True, False]
    assert found.values[:3] == pytest.approx(expected, abs=1e-12)
    assert found.values[3] == 0


def test_the_interval_of_a_unit_mean_is_that_of_means_over_plainly_drawn_trials():
    rng = np.random.default_rng(2)
    spikes = rng.poisson(1.0, (6, 4))
    spikes[:, 2] = [3, 0, 0, 0, 0, 0]  # absent from some samples
    gain = rng.normal(size=(6, 4))
    weights = metrics.bootstrap_weights(6, 50, rng)
    is_counted = np.array([True, True, True, False])
    means = []
    for row in weights:
        trials = np.repeat(np.arange(6), row.astype(int))
        units = metrics.unit_bps(gain[trials], spikes[trials])
        means.append(metrics.mean_over_units(units, is_counted))
    found = metrics.unit_mean_interval(gain, spikes, weights, is_counted)
    assert found == pytest.approx(np.quantile(means, [0.025, 0.975]))
    assert metrics.unit_mean_interval(gain, spikes, weights, np.zeros(4, bool)) is None


def test_d2_is_absent_where_the_null_leaves_nothing_to_explain():
    ones = np.ones((1, 2, 1))
    best = metrics.best_log_likelihood(ones)
    assert metrics.poisson_d2(best, best, best) is None


def test_r2_agrees_with_scikit_learn_and_is_absent_without_variance():
    rng = np.random.default_rng(0)
    truth, prediction = rng.normal(size=(4, 5, 3)), rng.normal(size=(4, 5, 3))
    truth[..., 2] = 1.0
    found = metrics.unit_r2(truth, prediction)
    for unit in range(2):
        expected = r2_score(truth[..., unit].ravel(), prediction[..., unit].ravel())
        assert found.values[unit] == pytest.approx(expected)
    assert found.is_valid.tolist() == [True, True, False]


def test_condition_means_leave_out_trials_without_a_condition():
    values = np.arange(4.0).reshape(4, 1, 1)
    found = metrics.condition_means(values, np.array([1, 0, 1, -1]))
    assert found.ravel().tolist() == [1.0, 1.0]
    assert metrics.condition_means(values, np.full(4, -1)).shape == (0, 1, 1)


def test_bootstrap_weights_count_draws_of_trials():
    weights = metrics.bootstrap_weights(6, 50, np.random.default_rng(1))
    assert weights.shape == (50, 6)
    assert (weights.sum(axis=1) == 6).all()
    assert weights.std() > 0


def test_the_interval_is_that_of_resampling_trial_by_trial():
    rng = np.random.default_rng(2)
    gain, spikes = rng.normal(0.3, 1, (9, 4)), rng.poisson(3, (9, 4))
    weights = metrics.bootstrap_weights(9, 400, rng)
    samples = []
    for row in weights.astype(int):
        trials = np.repeat(np.arange(9), row)
        samples.append(metrics.pooled_bps(gain[trials], spikes[trials]))
    expected = np.quantile(samples, [0.025, 0.975])
    np.testing.assert_allclose(metrics.pooled_interval(gain, spikes, weights), expected)


def test_the_interval_is_a_point_when_all_trials_are_alike():
    weights = metrics.bootstrap_weights(5, 20, np.random.default_rng(0))
    low, high = metrics.pooled_interval(np.full((5, 1), np.log(2)), np.full((5, 1), 2), weights)
    assert low == pytest.approx(0.5)
    assert high == pytest.approx(0.5)


def test_inputs_are_left_as_they_are():
    counts, log_rate = NLB_SPIKES.copy(), np.log(NLB_RATES)
    before = log_rate.copy()
    metrics.log_likelihood(counts, log_rate)
    metrics.best_log_likelihood(counts)
    metrics.scored_mean_log_rate(counts)
    metrics.unit_r2(counts.astype(float), log_rate)
    np.testing.assert_array_equal(counts, NLB_SPIKES)
    np.testing.assert_array_equal(log_rate, before)


def test_the_difference_of_two_scores_has_an_interval_over_the_same_trials():
    rng = np.random.default_rng(0)
    spikes = [rng.poisson(5, (40, 3)), rng.poisson(2, (40, 2))]
    common = rng.normal(size=(40, 1))
    gains = [np.abs(s) * (0.3 + common) for s in spikes]
    weights = metrics.bootstrap_weights(40, 500, rng)
    both = metrics.ratio_difference_interval((gains[0], spikes[0]), (gains[1], spikes[1]), weights)
    scores = [metrics.pooled_bps(g, s) for g, s in zip(gains, spikes, strict=True)]
    assert both[0] < scores[0] - scores[1] < both[1]
    alone = metrics.pooled_interval(gains[0], spikes[0], weights)
    assert both[1] - both[0] < alone[1] - alone[0]  # what trials share cancels
    same = metrics.ratio_difference_interval((gains[0], spikes[0]), (gains[0], spikes[0]), weights)
    assert same == (0.0, 0.0)
    silent = (np.zeros((40, 1)), np.zeros((40, 1)))
    assert metrics.ratio_difference_interval((gains[0], spikes[0]), silent, weights) is None
