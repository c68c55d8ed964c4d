from __future__ import annotations

import numpy as np
import pytest

from mtm_core.data.raw_checks import check_seconds, clean_events, clean_signal, clean_spikes
from mtm_core.errors import DataError

NAN = np.nan


def clean(times, clusters, n_clusters=3):
    return clean_spikes(
        np.asarray(times), np.asarray(clusters), n_clusters=n_clusters, where="probe00"
    )


def test_spikes_in_order_are_returned_without_a_copy():
    times, clusters = np.array([0.1, 0.1, 0.5]), np.array([2, 0, 1], dtype=np.int32)
    found, owners, notes = clean(times, clusters)
    assert found is times
    assert owners is clusters
    assert notes == ()


def test_spikes_out_of_order_are_sorted_and_ties_keep_their_order():
    times, clusters, notes = clean([0.5, 0.1, 0.1], [0, 1, 2])
    assert times.tolist() == [0.1, 0.1, 0.5]
    assert clusters.tolist() == [1, 2, 0]
    assert notes == ("probe00: spikes put in order of time.",)


@pytest.mark.parametrize("bad", [NAN, np.inf, -np.inf])
def test_spikes_without_a_time_are_left_out_and_said(bad):
    times, clusters, notes = clean([0.1, bad, 0.5], [0, 1, 2])
    assert times.tolist() == [0.1, 0.5]
    assert clusters.tolist() == [0, 2]
    assert notes == ("probe00: 1 of 3 spikes left out: no time.",)


def test_no_spikes_are_fine():
    times, _, notes = clean(np.zeros(0), np.zeros(0, dtype=int))
    assert len(times) == 0
    assert notes == ()


@pytest.mark.parametrize(
    ("times", "clusters", "said"),
    [
        ([0.1, 0.2], [0], "2 spike times but 1 cluster numbers"),
        ([[0.1]], [[0]], "1 spike times"),
        ([0.1], [3], "cluster 3, but there are 3"),
        ([0.1], [-1], "cluster -1"),
        ([0.1], [0.0], "whole numbers"),
        (["a"], [0], "must be numbers"),
        ([0.1, 9e8], [0, 0], "look like samples"),
        ([NAN, 9e8], [0, 0], "10,417 days"),
        (np.arange(1000), np.zeros(1000, int), "are all whole numbers"),
        (np.arange(1000.0), np.zeros(1000, int), "are all whole numbers"),
    ],
)
def test_spikes_that_cannot_be_trusted_are_refused(times, clusters, said):
    with pytest.raises(DataError) as caught:
        clean(times, clusters)
    assert said in str(caught.value)


def test_times_without_any_number_are_no_samples():
    check_seconds(np.full(5, NAN), "here")
    check_seconds(np.zeros(0), "here")


def test_extra_times_of_a_signal_are_dropped_from_the_front():
    signal, notes = clean_signal(np.arange(5.0), np.array([1.0, 2.0, 3.0]), "camera")
    assert signal.times_s.tolist() == [2.0, 3.0, 4.0]
    assert notes == ("camera: the first 2 times dropped, as they have no value.",)


def test_samples_of_a_signal_are_sorted_and_those_without_a_time_left_out():
    signal, notes = clean_signal(np.array([2.0, NAN, 1.0]), np.array([20.0, 0.0, NAN]), "wheel")
    assert signal.times_s.tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(signal.values, [NAN, 20.0])
    assert len(notes) == 2


@pytest.mark.parametrize(
    ("times", "values", "said"),
    [
        (np.arange(2.0), np.arange(3.0), "2 times for 3 values"),
        (np.zeros(0), np.zeros(0), "0 times"),
        (np.full(3, NAN), np.arange(3.0), "not seconds"),
        (np.arange(3.0) * 1e6, np.arange(3.0), "not seconds"),
    ],
)
def test_a_signal_that_cannot_be_one_is_none_and_says_why(times, values, said):
    signal, notes = clean_signal(times, values, "wheel")
    assert signal is None
    assert said in notes[-1]


def test_events_are_sorted_and_counted():
    times, notes = clean_events(np.array([[2.0], [NAN], [1.0]]), "licks")
    assert times.tolist() == [1.0, 2.0]
    assert notes == ("licks: 1 events left out: no time.",)
