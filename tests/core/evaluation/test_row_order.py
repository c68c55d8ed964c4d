from __future__ import annotations

import numpy as np
import pytest

from mtm_core.errors import MissingFieldError, UnknownNameError
from mtm_core.evaluation.row_order import RegionBand, keep_rows, order_rows, region_bands

BIN_S = 0.01


def _peaked(peaks, n_bins=20, n_trials=4, height=20):
    counts = np.ones((n_trials, n_bins, len(peaks)), dtype=np.uint8)
    for unit, peak in enumerate(peaks):
        counts[:, peak, unit] = height
    return counts


def test_regions_stand_in_atlas_order_and_unknown_ones_last_by_name():
    region = np.array(["zz", "DG", "aa", "CA1", "DG"])
    order = order_rows(
        _peaked([3] * 5),
        region,
        bin_size_s=BIN_S,
        region_rank={"CA1": 1.0, "DG": 2.0},
        within="given",
    )
    assert [band.region for band in order.bands] == ["CA1", "DG", "aa", "zz"]
    assert order.rows.tolist() == [3, 1, 4, 2, 0]


def test_without_depth_units_stand_by_the_time_of_their_training_peak():
    region = np.array(["CA1"] * 4)
    order = order_rows(_peaked([15, 2, 9, 5]), region, bin_size_s=BIN_S)
    assert order.rows.tolist() == [1, 3, 2, 0]
    assert "training" in order.words


def test_with_depth_the_most_superficial_unit_is_on_top():
    region = np.array(["CA1"] * 3)
    order = order_rows(
        _peaked([1, 2, 3]), region, bin_size_s=BIN_S, depth_um=np.array([100.0, 900.0, 500.0])
    )
    assert order.rows.tolist() == [1, 2, 0]
    assert "depth" in order.words


def test_silent_units_stand_last_in_their_region():
    counts = _peaked([15, 2, 9])
    counts[:, :, 1] = 0
    order = order_rows(counts, np.array(["CA1"] * 3), bin_size_s=BIN_S, within="peak")
    assert order.rows.tolist() == [2, 0, 1]


def test_rate_order_puts_the_fastest_first():
    counts = np.zeros((3, 5, 3), dtype=np.uint8)
    counts += np.array([1, 3, 2], dtype=np.uint8)
    order = order_rows(counts, np.array(["CA1"] * 3), bin_size_s=BIN_S, within="rate")
    assert order.rows.tolist() == [1, 2, 0]


def test_similarity_puts_alike_units_side_by_side():
    rng = np.random.default_rng(2)
    phase = np.repeat([0.0, 2.0, 4.0], 5)
    shuffled = rng.permutation(15)
    rate = 3 + 2.5 * np.sin(np.arange(40)[:, None] / 4 + phase[shuffled])
    counts = rng.poisson(rate, (200, 40, 15)).astype(np.uint8)
    order = order_rows(counts, np.array(["CA1"] * 15), bin_size_s=BIN_S, within="similarity")
    changes = np.count_nonzero(np.diff(phase[shuffled][order.rows]))
    assert changes == 2


@pytest.mark.parametrize("within", ["auto", "peak", "similarity", "bps", "rate", "given"])
def test_every_unit_has_exactly_one_row(within):
    counts = np.random.default_rng(3).poisson(1.0, (6, 10, 9)).astype(np.uint8)
    region = np.array(["CA1", "DG", "VISp"] * 3)
    order = order_rows(counts, region, bin_size_s=BIN_S, within=within)
    assert sorted(order.rows.tolist()) == list(range(9))
    assert [band.n_units for band in order.bands] == [3, 3, 3]


def test_regions_of_one_or_two_units_can_be_ordered_by_similarity():
    counts = _peaked([1, 2, 3])
    region = np.array(["CA1", "DG", "DG"])
    order = order_rows(counts, region, bin_size_s=BIN_S, within="similarity")
    assert sorted(order.rows.tolist()) == [0, 1, 2]


def test_no_training_trials_leave_the_order_of_the_file():
    counts = np.zeros((0, 10, 3), dtype=np.uint8)
    order = order_rows(counts, np.array(["CA1"] * 3), bin_size_s=BIN_S, within="peak")
    assert order.rows.tolist() == [0, 1, 2]


def test_an_unknown_order_names_the_nearest_one():
    with pytest.raises(UnknownNameError, match="'peak'"):
        order_rows(_peaked([1]), np.array(["CA1"]), bin_size_s=BIN_S, within="peek")


def test_depth_order_without_depths_says_what_to_choose():
    with pytest.raises(MissingFieldError, match="Choose peak"):
        order_rows(_peaked([1]), np.array(["CA1"]), bin_size_s=BIN_S, within="depth")


def test_bands_of_no_rows_are_none():
    assert region_bands(np.array([], dtype=str)) == ()


def test_a_region_that_comes_back_makes_a_second_band():
    bands = region_bands(np.array(["DG", "CA1", "CA1", "DG"]))
    assert bands == (RegionBand("DG", 0, 1), RegionBand("CA1", 1, 3), RegionBand("DG", 3, 4))


def test_bits_per_spike_put_units_with_a_repeated_time_course_first():
    rng = np.random.default_rng(4)
    tuned = 2 + 1.9 * np.sin(np.arange(20) / 3)
    rate = np.stack([np.full(20, 2.0), tuned, np.full(20, 6.0), 1 + tuned], axis=1)
    counts = rng.poisson(rate, (120, 20, 4)).astype(np.uint8)
    order = order_rows(counts, np.array(["CA1"] * 4), bin_size_s=BIN_S, within="bps")
    assert order.rows[:2].tolist() == [1, 3]


@pytest.mark.parametrize("n_trials", [0, 1])
def test_too_few_trials_for_halves_leave_no_unit_out(n_trials):
    counts = np.ones((n_trials, 10, 3), dtype=np.uint8)
    order = order_rows(counts, np.array(["CA1"] * 3), bin_size_s=BIN_S, within="bps")
    assert order.rows.tolist() == [0, 1, 2]


def test_units_can_be_ordered_across_regions():
    counts = _peaked([5, 1, 3, 7])
    region = np.array(["CA1", "DG", "CA1", "DG"])
    order = order_rows(counts, region, bin_size_s=BIN_S, within="peak", is_by_region=False)
    assert order.rows.tolist() == [1, 2, 0, 3]
    assert order.bands == ()
    assert order.words.startswith("units of all regions by time of peak")
    kept = keep_rows(order, np.array([True, False, True, True]), region)
    assert (kept.rows.tolist(), kept.bands) == ([2, 0, 3], ())


def test_similarity_across_regions_looks_at_all_units_at_once():
    counts = _peaked([2, 2, 7, 7])
    region = np.array(["CA1", "DG", "CA1", "DG"])
    order = order_rows(counts, region, bin_size_s=BIN_S, within="similarity", is_by_region=False)
    assert set(order.rows[:2].tolist()) == {0, 1}


def test_silent_units_can_be_ordered_by_similarity():
    counts = np.zeros((6, 10, 5), dtype=np.uint8)
    counts[:, 3, 0] = 4
    order = order_rows(counts, np.array(["CA1"] * 5), bin_size_s=BIN_S, within="similarity")
    assert sorted(order.rows.tolist()) == list(range(5))


def test_very_many_units_are_ordered_by_similarity_in_the_dendrogram_as_built(monkeypatch):
    monkeypatch.setattr("mtm_core.evaluation.row_order.MOST_LEAVES", 3)
    order = order_rows(
        _peaked([2, 7, 2, 7]), np.array(["CA1"] * 4), bin_size_s=BIN_S, within="similarity"
    )
    assert set(order.rows[:2].tolist()) in ({0, 2}, {1, 3})
