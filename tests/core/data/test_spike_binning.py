from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtm_core.data.raw import ProbeSpikes
from mtm_core.data.spike_binning import bin_edges, count_spikes, has_spikes
from mtm_core.errors import DataError

N_UNITS = 3
# Spikes and windows on one grid of 1/8 s, and off it: edges and ties are hit all the time.
TIME = st.one_of(
    st.integers(0, 80).map(lambda k: k / 8),
    st.floats(-1.0, 11.0, allow_nan=False),
    st.integers(0, 500).map(lambda k: k * 0.02),
)
SPIKES = st.lists(st.tuples(TIME, st.integers(0, N_UNITS - 1)), max_size=60)
STARTS = st.lists(TIME, min_size=1, max_size=6)


def probe_of(spikes, first_unit=0, dtype=np.uint32):
    ordered = sorted(spikes)
    return ProbeSpikes(
        probe="probe00",
        times_s=np.array([time for time, _ in ordered], dtype=np.float64),
        clusters=np.array([cluster for _, cluster in ordered], dtype=dtype),
        first_unit=first_unit,
    )


def counted_one_by_one(spikes, starts, n_bins, bin_size):
    """Count in the plainest way there is: ask every bin about every spike."""
    counts = np.zeros((len(starts), n_bins, N_UNITS), dtype=int)
    for window, start in enumerate(starts):
        for k in range(n_bins):
            low, high = start + bin_size * k, start + bin_size * (k + 1)
            for time, unit in spikes:
                if low <= time < high:
                    counts[window, k, unit] += 1
    return counts


@given(SPIKES, STARTS, st.integers(1, 7), st.sampled_from([0.02, 0.1, 0.125, 1.0]))
def test_counts_equal_those_of_a_naive_counter(spikes, starts, n_bins, bin_size):
    edges = bin_edges(np.array(starts), n_bins, bin_size)
    counts = count_spikes([probe_of(spikes)], edges, np.arange(N_UNITS), N_UNITS)
    assert counts.dtype == np.uint8
    assert np.array_equal(counts, counted_one_by_one(spikes, starts, n_bins, bin_size))


@given(SPIKES, SPIKES, STARTS)
def test_probes_are_counted_side_by_side(left, right, starts):
    edges = bin_edges(np.array(starts), 4, 0.125)
    probes = [probe_of(left), probe_of(right, first_unit=N_UNITS)]
    counts = count_spikes(probes, edges, np.arange(2 * N_UNITS), 2 * N_UNITS)
    assert np.array_equal(counts[:, :, :N_UNITS], counted_one_by_one(left, starts, 4, 0.125))
    assert np.array_equal(counts[:, :, N_UNITS:], counted_one_by_one(right, starts, 4, 0.125))


@given(SPIKES, STARTS, st.permutations(range(N_UNITS)), st.integers(0, N_UNITS))
def test_units_go_to_their_columns_and_others_nowhere(spikes, starts, order, n_kept):
    column = np.array([place if place < n_kept else -1 for place in order])
    edges = bin_edges(np.array(starts), 3, 0.25)
    counts = count_spikes([probe_of(spikes)], edges, column, n_kept)
    every = counted_one_by_one(spikes, starts, 3, 0.25)
    for unit, place in enumerate(column):
        if place >= 0:
            assert np.array_equal(counts[:, :, place], every[:, :, unit])


def test_a_spike_on_an_edge_belongs_to_the_bin_that_it_opens():
    spikes = [(1.0, 0), (1.5, 0), (2.0, 0)]
    counts = count_spikes([probe_of(spikes)], bin_edges(np.array([1.0]), 2, 0.5), np.arange(1), 1)
    assert counts[0, :, 0].tolist() == [1, 1]  # the spike at 2.0 comes after the last bin


def test_overlapping_windows_count_a_spike_twice_and_empty_ones_nothing():
    edges = bin_edges(np.array([0.0, 0.5, 100.0, -50.0]), 2, 0.5)
    counts = count_spikes([probe_of([(0.75, 0)])], edges, np.arange(1), 1)
    assert counts[:, :, 0].tolist() == [[0, 1], [1, 0], [0, 0], [0, 0]]


def test_edges_are_exact_far_from_zero_and_do_not_add_up_errors():
    edges = bin_edges(np.array([5000.1]), 100, 0.02)[0]
    assert edges.tolist() == [5000.1 + 0.02 * k for k in range(101)]


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64, np.uint16])
def test_clusters_of_every_integer_type_are_counted(dtype):
    probe = probe_of([(0.1, 2), (0.2, 2)], dtype=dtype)
    counts = count_spikes([probe], bin_edges(np.array([0.0]), 1, 1.0), np.arange(3), 3)
    assert counts.tolist() == [[[0, 0, 2]]]
    assert has_spikes([probe], 4).tolist() == [False, False, True, False]


def test_255_spikes_fit_in_a_bin_and_one_more_does_not():
    edges = bin_edges(np.array([0.0]), 1, 1.0)
    full = [(0.5, 0)] * 255
    assert count_spikes([probe_of(full)], edges, np.arange(1), 1).tolist() == [[[255]]]
    with pytest.raises(
        DataError, match=r"holds 256 spikes of one unit.*smaller --prepare.bin_size"
    ):
        count_spikes([probe_of([*full, (0.6, 0)])], edges, np.arange(1), 1)


def test_too_many_spikes_of_a_unit_that_is_left_out_do_not_matter():
    edges = bin_edges(np.array([0.0]), 1, 1.0)
    spikes = [(0.5, 0)] * 300 + [(0.5, 1)]
    assert count_spikes([probe_of(spikes)], edges, np.array([-1, 0]), 1).tolist() == [[[1]]]


@pytest.mark.parametrize("cluster", [-1, 3])
def test_a_cluster_outside_the_unit_table_is_named(cluster):
    probe = probe_of([(0.5, cluster)], dtype=np.int64)
    with pytest.raises(DataError, match=f"probe00 belongs to cluster {cluster}, .* 0 to 2 only"):
        count_spikes([probe], bin_edges(np.array([0.0]), 1, 1.0), np.arange(3), 3)
    with pytest.raises(DataError, match="not of the same sorting"):
        has_spikes([probe], 3)


def test_a_probe_without_spikes_is_fine():
    probe = probe_of([])
    assert not has_spikes([probe], 2).any()
    edges = bin_edges(np.array([0.0]), 1, 1.0)
    assert count_spikes([probe], edges, np.arange(2), 2).tolist() == [[[0, 0]]]
