from __future__ import annotations

import numpy as np
import pytest

from mtm_core.evaluation.rasters import (
    Levels,
    ZScore,
    difference_in_errors,
    poisson_error_hz,
    pool,
    quantise,
    shared_levels,
    smooth,
    smoothing_matrix,
    to_unit_interval,
    trial_mean_hz,
)

BIN_S = 0.01


def test_smoothing_keeps_a_constant_rate_up_to_the_edges():
    flat = np.full((12, 3), 7.0)
    np.testing.assert_allclose(smooth(flat, 2.0), flat)


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


def test_a_few_fast_units_do_not_rule_the_levels():
    slow = np.full((40, 99), 2.0)
    fast = np.full((40, 1), 500.0)
    assert shared_levels(np.hstack([slow, fast]), "linear", percentile=98.0).high < 10


def test_levels_of_rates_start_at_zero_and_of_z_scores_are_centred():
    values = np.linspace(-3, 3, 101)
    assert shared_levels(np.abs(values), "sqrt").low == 0.0
    levels = shared_levels(values, "zscore")
    assert levels.low == -levels.high


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.zeros((0, 0)), np.full((2, 2), np.nan)])
def test_levels_of_an_empty_or_silent_map_are_usable(values):
    levels = shared_levels(values, "linear")
    assert levels.high > levels.low


def test_a_map_with_one_bright_entry_still_shows_it():
    values = np.zeros((100, 100))
    values[0, 0] = 3.0
    assert shared_levels(values, "linear").high == 3.0


def test_the_root_scale_shows_a_quarter_of_the_rate_at_half_the_colour_bar():
    assert to_unit_interval(np.array([25.0]), Levels(0.0, 100.0), "sqrt")[0] == 0.5
    assert to_unit_interval(np.array([25.0]), Levels(0.0, 100.0), "linear")[0] == 0.25


@pytest.mark.parametrize(("value", "expected"), [(-9.0, 0), (0.0, 128), (9.0, 255)])
def test_colours_are_clipped_at_the_levels_and_centred(value, expected):
    assert quantise(np.array([[value]]), Levels(-4.0, 4.0), "zscore")[0, 0] == expected


def test_pooling_never_drops_a_spike():
    rng = np.random.default_rng(1)
    image = np.zeros((1003, 517), dtype=np.uint8)
    for row, column in rng.integers(0, (1003, 517), (200, 2)):
        image[:] = 0
        image[row, column] = 255
        pooled = pool(image, 100, 90)
        assert pooled.image[row // pooled.row_factor, column // pooled.column_factor] == 255
    assert pooled.image.shape[0] <= 100
    assert pooled.image.shape[1] <= 90


def test_pooling_of_signed_values_keeps_the_farthest_from_zero_with_its_sign():
    image = np.array([[128, 20, 140, 128]], dtype=np.uint8)
    assert pool(image, 1, 1, centre=128).image.tolist() == [[20]]


def test_pooling_says_in_words_what_shares_a_pixel():
    image = np.zeros((10, 10), dtype=np.uint8)
    assert pool(image, 10, 10).note() == ""
    assert pool(image, 5, 10).note() == "2 units share a pixel; the strongest is shown"
    assert pool(image, 5, 3).note() == "2 units x 4 bins share a pixel; the strongest is shown"


def test_pooling_an_image_that_fits_changes_nothing_and_never_edits_its_input():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    before = image.copy()
    np.testing.assert_array_equal(pool(image, 3, 4).image, image)
    pool(image, 1, 1)
    np.testing.assert_array_equal(image, before)


def test_rows_of_the_smoothing_matrix_sum_to_one():
    np.testing.assert_allclose(smoothing_matrix(40, 3.0).sum(axis=1), 1.0)
