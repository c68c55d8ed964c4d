from __future__ import annotations

import numpy as np
import pytest

from mtm_core.evaluation.colour_scale import (
    SCALES,
    Levels,
    from_unit_interval,
    pool,
    quantise,
    scale_ticks,
    shared_levels,
    to_unit_interval,
)


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


def test_the_logarithm_gives_low_rates_the_most_room_and_has_a_place_for_silence():
    places = to_unit_interval(np.array([0.0, 9.0, 99.0]), Levels(0.0, 99.0), "log")
    np.testing.assert_allclose(places, [0.0, 0.5, 1.0])


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("levels", [Levels(0.0, 40.0), Levels(5.0, 25.0)])
def test_a_place_on_the_bar_leads_back_to_its_value(scale, levels):
    values = np.linspace(levels.low, levels.high, 7)
    places = to_unit_interval(values, levels, scale)
    back = [from_unit_interval(float(place), levels, scale) for place in places]
    np.testing.assert_allclose(back, values)
    assert from_unit_interval(1.2, levels, scale) > levels.high
    assert from_unit_interval(-0.2, levels, scale) < levels.low


@pytest.mark.parametrize("scale", ["sqrt", "log"])
def test_a_bar_that_does_not_start_at_zero_has_no_tick_there(scale):
    texts = [text for _, text in scale_ticks(Levels(5.0, 40.0), scale)]
    assert "0" not in texts
    assert len(texts) >= 2


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


@pytest.mark.parametrize("high", [0.3, 1.0, 3.7, 12.0, 33.0, 250.0])
@pytest.mark.parametrize("scale", SCALES)
def test_ticks_are_round_values_inside_the_bar_in_rising_order(high, scale):
    levels = Levels(-high if scale == "zscore" else 0.0, high)
    ticks = scale_ticks(levels, scale)
    values = [float(text.replace("\N{MINUS SIGN}", "-")) for _, text in ticks]
    assert 3 <= len(ticks) <= 8
    assert values == sorted(set(values))
    assert all(len(text.strip("\N{MINUS SIGN}0.")) <= 2 for _, text in ticks)
    np.testing.assert_allclose(
        to_unit_interval(np.array(values), levels, scale), [place for place, _ in ticks]
    )
    assert "0" in [text for _, text in ticks]
