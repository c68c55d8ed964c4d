from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtm_core.data import coverage
from mtm_core.data.coverage import meets_stretch, silent_stretches
from mtm_core.data.raw import ProbeSpikes
from mtm_core.errors import DataError

INF = np.inf
TENTHS = st.lists(st.integers(0, 100), max_size=15).map(lambda ks: sorted(k / 8 for k in ks))


def probe_of(times):
    times = np.array(times, dtype=np.float64)
    return ProbeSpikes(probe="probe00", times_s=times, clusters=np.zeros(len(times), dtype=int))


def test_a_second_is_not_too_long_but_more_is():
    assert silent_stretches([probe_of([0.0, 1.0, 2.5])]).tolist() == [
        [-INF, 0.0],
        [1.0, 2.5],
        [2.5, INF],
    ]


@given(TENTHS, TENTHS)
def test_the_union_of_all_probes_is_what_is_silent(left, right):
    together = silent_stretches([probe_of(sorted(left + right))])
    assert np.array_equal(silent_stretches([probe_of(left), probe_of(right)]), together)


def test_a_recording_without_spikes_is_one_silence():
    assert silent_stretches([probe_of([])]).tolist() == [[-INF, INF]]
    assert silent_stretches([]).tolist() == [[-INF, INF]]


@given(TENTHS, st.lists(st.tuples(st.integers(-8, 110), st.integers(1, 16)), max_size=6))
def test_windows_are_met_as_a_comparison_with_every_stretch_says(times, windows):
    stretches = silent_stretches([probe_of(times)])
    start = np.array([a / 8 for a, _ in windows])
    end = np.array([(a + length) / 8 for a, length in windows])
    expected = [
        any(low < e and s < high for low, high in stretches.tolist())
        for s, e in zip(start, end, strict=True)
    ]
    assert meets_stretch(stretches, start, end).tolist() == expected


def test_no_stretch_meets_no_window():
    assert meets_stretch(np.zeros((0, 2)), np.array([0.0]), np.array([1.0])).tolist() == [False]


def test_gaps_are_found_across_the_pieces_in_which_spikes_are_read(monkeypatch):
    times = [0.0, 0.5, 1.0, 3.0, 3.5, 6.0, 6.1]
    whole = silent_stretches([probe_of(times)])
    for size in (1, 2, 3):
        monkeypatch.setattr(coverage, "_CHUNK", size)
        assert np.array_equal(silent_stretches([probe_of(times)]), whole)


@pytest.mark.parametrize(
    "times", [[1.0, 0.5], [0.0, np.nan, 1.0], [np.nan, 1.0], [0.0, np.inf], [0.0, np.nan]]
)
def test_times_that_do_not_rise_are_refused(times):
    with pytest.raises(DataError, match="spike times of probe00 are not rising"):
        silent_stretches([probe_of(times)])
