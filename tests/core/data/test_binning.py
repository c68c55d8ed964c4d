from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.binning import as_counts, rebin
from mtm_core.data.session import Behavior
from mtm_core.errors import DataError
from tests.core.sessions import make_session


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, bool])
def test_whole_numbers_become_counts(dtype):
    counts = as_counts(np.array([[0, 1]], dtype=dtype))
    assert counts.dtype == np.uint8
    assert counts.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (np.nan, "nan at .0, 1. is not a number"),
        (np.inf, "inf at .0, 1. is not a number"),
        (-1, "-1.0 at .0, 1. is negative"),
        (256, "256.0 at .0, 1. is above 255"),
        (0.5, "0.5 at .0, 1. is not a whole number"),
    ],
)
def test_what_is_no_count_is_refused_with_its_place(value, why):
    with pytest.raises(DataError, match=f"spikes cannot be used: {why}"):
        as_counts(np.array([[0.0, value]]), "spikes")


def test_text_is_no_count():
    with pytest.raises(DataError, match="must be numbers"):
        as_counts(np.array(["1"]))


@pytest.mark.parametrize("factor", [2, 3, 6])
def test_joined_bins_hold_the_same_spikes(factor):
    session = make_session(n_bins=6, bin_size_s=0.01)
    joined = rebin(session, factor)
    assert joined.n_bins == 6 // factor
    assert joined.bin_size_s == pytest.approx(0.01 * factor)
    assert np.array_equal(joined.counts.sum(axis=1), session.counts.sum(axis=1, dtype=int))
    assert joined.counts[2, 0].tolist() == session.counts[2, :factor].sum(axis=0).tolist()
    assert f"joined {factor} by {factor}" in joined.provenance.notes[-1]
    assert session.n_bins == 6


def test_joined_bins_average_the_signals():
    session = make_session(n_trials=2, n_bins=4)
    values = np.array([[1, 3, 5, 7], [0, 0, 0, 0]], dtype=np.float32)
    wheel = Behavior(values=values, is_valid=np.array([True, False]))
    joined = rebin(replace(session, behaviors={"wheel": wheel}), 2).behaviors["wheel"]
    assert joined.values.tolist() == [[2.0, 6.0], [0.0, 0.0]]
    assert joined.is_valid.tolist() == [True, False]


def test_a_factor_of_one_changes_nothing():
    session = make_session()
    assert rebin(session, 1) is session


@pytest.mark.parametrize("factor", [0, -2, 4, 20])
def test_bins_that_would_be_left_over_are_refused_with_the_valid_factors(factor):
    with pytest.raises(DataError, match=f"10 bins cannot be joined by {factor}.*1, 2, 5, 10"):
        rebin(make_session(n_bins=10), factor)


def test_sums_that_no_longer_fit_are_refused():
    session = make_session(n_bins=4)
    full = replace(session, counts=np.full_like(session.counts, 200))
    with pytest.raises(DataError, match=r"joined 2 by 2 cannot be used: 400 .* above 255"):
        rebin(full, 2)
