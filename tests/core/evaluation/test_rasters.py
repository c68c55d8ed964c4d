from __future__ import annotations

import numpy as np
import pytest

from mtm_core.evaluation.rasters import (
    PeakScale,
    ZScore,
    difference_in_errors,
    gain_in_errors,
    poisson_error_hz,
    smooth,
    trial_mean_hz,
)
from mtm_core.models.baselines_rates import smoothing_matrix

BIN_S = 0.01


def test_smoothing_keeps_a_constant_rate_up_to_the_edges():
    flat = np.full((12, 3), 7.0)
    np.testing.assert_allclose(smooth(flat, 2.0), flat)


@pytest.mark.parametrize(("n_bins", "sigma"), [(40, 0.0), (40, 1.5), (40, 30.0), (300, 4.0)])
def test_smoothing_and_its_error_equal_their_matrix_form(n_bins, sigma):
    values = np.random.default_rng(4).gamma(1.0, 5.0, (n_bins, 3))
    weights = smoothing_matrix(n_bins, sigma)
    np.testing.assert_allclose(smooth(values, sigma), weights @ values, atol=1e-6)
    variance = weights**2 @ values / (60 * BIN_S)
    np.testing.assert_allclose(
        poisson_error_hz(values + 5, 60, BIN_S, sigma) ** 2,
        variance + (weights**2).sum(axis=1, keepdims=True) * 5 / (60 * BIN_S),
        rtol=1e-6,
    )


def test_no_smoothing_leaves_the_map_as_it_is():
    values = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(smooth(values, 0.0), values)


def test_smoothing_spreads_a_spike_along_time_and_not_to_other_units():
    counts = np.zeros((1, 9, 2))
    counts[0, 4, 1] = 1.0
    smoothed = smooth(counts, 1.0)
    assert smoothed[0, 3, 1] > smoothed[0, 2, 1] > 0
    assert smoothed[0, :, 0].sum() == 0


def test_trial_mean_does_not_overflow_uint8():
    counts = np.full((300, 2, 1), 200, dtype=np.uint8)
    np.testing.assert_allclose(trial_mean_hz(counts, BIN_S), 20_000.0)


@pytest.mark.parametrize("sigma", [0.0, 1.5])
def test_the_difference_of_poisson_spikes_from_their_own_rate_is_standard_normal(sigma):
    rng = np.random.default_rng(0)
    rate_hz = rng.uniform(5, 40, (40, 200))
    counts = rng.poisson(rate_hz * BIN_S, (60, 40, 200))
    difference = difference_in_errors(trial_mean_hz(counts, BIN_S), rate_hz, 60, BIN_S, sigma)
    assert abs(difference.mean()) < 0.05
    assert difference.std() == pytest.approx(1.0, abs=0.04)


def test_the_difference_is_positive_where_the_model_missed_spikes():
    true_hz, model_hz = np.full((5, 1), 20.0), np.full((5, 1), 10.0)
    assert (difference_in_errors(true_hz, model_hz, 50, BIN_S, 1.0) > 0).all()


def test_one_spike_of_a_silent_unit_is_no_discovery():
    counts = np.zeros((60, 40, 1))
    counts[3, 20, 0] = 1
    rate_hz = np.full((40, 1), 1e-6)
    for sigma in (0.0, 2.0):
        difference = difference_in_errors(trial_mean_hz(counts, BIN_S), rate_hz, 60, BIN_S, sigma)
        assert np.abs(difference).max() < 1.5


def test_the_expected_error_of_an_average_shrinks_with_trials_and_smoothing():
    rate_hz = np.full((20, 1), 5.0)
    one = poisson_error_hz(rate_hz, 50, BIN_S)
    assert one[10, 0] == pytest.approx(np.sqrt(5.0 / (50 * BIN_S)))
    assert poisson_error_hz(rate_hz, 200, BIN_S)[10, 0] == pytest.approx(one[10, 0] / 2)
    assert poisson_error_hz(rate_hz, 50, BIN_S, 2.0)[10, 0] < one[10, 0] / 2


def test_z_scores_of_true_and_model_use_the_same_training_mean_and_spread():
    time = np.arange(40)[:, None]
    train_hz = 20 + 10 * np.sin(time / 5) * np.array([1.0, 2.0])
    z_score = ZScore.from_training(train_hz, 10_000, BIN_S, 0.0)
    scored = z_score.apply(train_hz)
    np.testing.assert_allclose(scored.mean(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(scored.std(axis=0), 1.0)
    np.testing.assert_allclose(z_score.apply(train_hz + z_score.sd_hz) - scored, 1.0)


def test_a_silent_unit_has_a_finite_z_score():
    z_score = ZScore.from_training(np.zeros((10, 1)), 50, BIN_S, 1.0)
    assert np.isfinite(z_score.apply(np.zeros((10, 1)))).all()
    assert z_score.sd_hz[0] > 0


def test_the_peak_of_the_training_map_is_one():
    train_hz = np.random.default_rng(5).gamma(2.0, 5.0, (20, 4))
    scale = PeakScale.from_training(train_hz, 10_000, BIN_S, 0.0)
    np.testing.assert_allclose(scale.apply(train_hz).max(axis=0), 1.0)
    np.testing.assert_allclose(scale.apply(2 * train_hz), 2 * scale.apply(train_hz))


def test_a_silent_unit_stays_dark_under_its_peak():
    scale = PeakScale.from_training(np.zeros((10, 1)), 50, BIN_S, 1.0)
    assert scale.peak_hz[0] > 0
    assert scale.apply(np.zeros((10, 1))).max() == 0


def test_a_prediction_of_single_trials_beats_its_shuffle_where_it_knows_something():
    rng = np.random.default_rng(6)
    log_rate = np.full((80, 12, 3), np.log(0.5))
    log_rate[:, 4:8, 1] += rng.normal(0, 1.0, (80, 1))
    counts = rng.poisson(np.exp(log_rate)).astype(np.uint8)
    gain = gain_in_errors(counts, log_rate, np.roll(log_rate, 1, axis=0), 0.0, units_at_once=2)
    assert gain[4:8, 1].min() > 2
    assert np.all(gain[:, [0, 2]] == 0)
    assert np.all(gain[:4, 1] == 0)


def test_the_gain_is_signed_and_the_smoothing_is_that_of_each_trial():
    rng = np.random.default_rng(7)
    own, other = rng.normal(-1, 0.3, (2, 30, 9, 2))
    counts = rng.poisson(np.exp(own)).astype(np.uint8)
    there, back = gain_in_errors(counts, own, other, 1.0), gain_in_errors(counts, other, own, 1.0)
    np.testing.assert_allclose(there, -back)
    per_trial = counts * (own - other) - (np.exp(own) - np.exp(other))
    smoothed = smooth(per_trial, 1.0)
    wanted = smoothed.mean(axis=0) / (smoothed.std(axis=0, ddof=1) / np.sqrt(30))
    np.testing.assert_allclose(there, wanted)


def test_one_trial_has_no_standard_error():
    one = np.zeros((1, 4, 2))
    assert not gain_in_errors(one.astype(np.uint8), one, one + 1, 0.0).any()
