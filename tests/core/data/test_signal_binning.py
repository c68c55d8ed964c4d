from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from mtm_core.data.raw import Signal
from mtm_core.data.signal_binning import count_events, sample_signal
from mtm_core.data.spike_binning import bin_edges

BIN = 0.02


def ramp(times, slope=1.0):
    times = np.asarray(times, dtype=np.float64)
    return Signal(times_s=times, values=slope * times)


def edges_from(*starts, n_bins=10):
    return bin_edges(np.array(starts, dtype=np.float64), n_bins, BIN)


@pytest.mark.parametrize(("sample_at", "first"), [("centre", 1.01), ("right_edge", 1.02)])
def test_a_signal_is_sampled_where_in_the_bin_it_was_asked_for(sample_at, first):
    behavior = sample_signal(ramp(np.arange(0, 2, 0.007)), edges_from(1.0), sample_at)
    assert behavior.is_valid.tolist() == [True]
    assert behavior.values.dtype == np.float32
    np.testing.assert_allclose(behavior.values[0], first + BIN * np.arange(10), atol=1e-6)


@pytest.mark.parametrize(
    ("first", "last", "is_valid"),
    [
        (0.0, 2.0, True),
        (1.019, 1.181, True),  # a little less than a bin is missing at both ends
        (1.025, 1.3, False),
        (0.5, 1.175, False),
        (1.3, 2.0, False),
        (0.0, 0.9, False),
    ],
)
def test_a_trial_is_valid_if_samples_reach_to_a_bin_from_its_edges(first, last, is_valid):
    signal = ramp(np.linspace(first, last, 400))
    behavior = sample_signal(signal, edges_from(1.0))
    assert behavior.is_valid.tolist() == [is_valid]
    assert is_valid or not behavior.values.any()


def test_a_missing_sample_in_the_window_makes_that_trial_invalid_only():
    signal = ramp(np.arange(0, 5, 0.01))
    signal.values[120] = np.nan  # 1.2 s
    behavior = sample_signal(signal, edges_from(0.5, 1.1, 2.0))
    assert behavior.is_valid.tolist() == [True, False, True]
    assert np.isfinite(behavior.values).all()


def test_a_missing_sample_beside_the_window_matters_if_it_would_be_used():
    times = np.arange(0, 5, 0.01) + 0.003
    signal = ramp(times)
    signal.values[np.searchsorted(times, 1.2)] = np.nan  # the last edge lies just before it
    edges = edges_from(1.0)
    assert sample_signal(signal, edges, "centre").is_valid.tolist() == [True]
    assert sample_signal(signal, edges, "right_edge").is_valid.tolist() == [False]


def test_a_hole_between_samples_makes_a_trial_invalid():
    times = np.arange(0, 5, 0.01)
    signal = ramp(times[(times < 1.05) | (times > 1.15)])
    behavior = sample_signal(signal, edges_from(0.5, 1.0, 2.0))
    assert behavior.is_valid.tolist() == [True, False, True]


def test_a_signal_slower_than_the_bins_is_valid_where_its_own_steps_cover_the_window():
    signal = ramp(np.arange(0, 5, 0.05))
    behavior = sample_signal(signal, edges_from(1.013, 4.9))
    assert behavior.is_valid.tolist() == [True, False]
    np.testing.assert_allclose(behavior.values[0], 1.023 + BIN * np.arange(10), atol=1e-6)


@pytest.mark.parametrize("n_samples", [0, 1])
def test_a_signal_without_samples_is_valid_nowhere(n_samples):
    behavior = sample_signal(ramp(np.ones(n_samples)), edges_from(0.0, 1.3))
    assert behavior.values.shape == (2, 10)
    assert not behavior.is_valid.any()


def test_events_are_counted_in_their_bins():
    behavior = count_events(np.array([0.0, 0.02, 0.03, 0.2, 1.0]), edges_from(0.0, 0.1, 5.0))
    assert behavior.values[0].tolist() == [1, 2, 0, 0, 0, 0, 0, 0, 0, 0]
    assert behavior.values[1].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert behavior.values.dtype == np.float32
    assert behavior.is_valid.all()


class TestRealWhiskers:
    """Real whisker motion energy of one IBL session; see tests/data/ibl_nyu11/README.md."""

    FILE = Path(__file__).parents[2] / "data" / "ibl_nyu11" / "whisker_motion_energy.h5"

    def read(self, side):
        """Return the camera's frames as one signal, the frames per trial, and stimulus times."""
        with h5py.File(self.FILE) as file:
            frames = file[side][:].astype(np.float64)
            rate, first = (
                file[side].attrs[name]
                for name in ("sample_rate_hz", "start_relative_to_stim_on_s")
            )
            stim_on = file["stim_on_s"][:]
        times = stim_on[:, None] + first + np.arange(frames.shape[1]) / rate
        is_known = np.isfinite(stim_on)
        signal = Signal(times_s=times[is_known].ravel(), values=frames[is_known].ravel())
        return signal, frames, stim_on, rate

    def bins(self, side, start, n_bins, sample_at="centre"):
        signal, _, stim_on, _ = self.read(side)
        return sample_signal(signal, bin_edges(stim_on[:40] + start, n_bins, BIN), sample_at)

    @pytest.mark.parametrize("side", ["left", "right"])
    @pytest.mark.parametrize("sample_at", ["centre", "right_edge"])
    def test_a_bin_lies_between_the_two_frames_around_it_in_proportion(self, side, sample_at):
        _, frames, _, rate = self.read(side)
        behavior = self.bins(side, -0.9, 25, sample_at)
        assert behavior.is_valid.all()
        offset = {"centre": 0.5, "right_edge": 1.0}[sample_at]
        for trial in (0, 17, 39):
            for k in range(25):
                place = (0.1 + (k + offset) * BIN) * rate  # in frames since the first one
                before = int(place + 1e-9)
                share = place - before
                by_hand = (1 - share) * frames[trial, before] + share * frames[trial, before + 1]
                assert behavior.values[trial, k] == pytest.approx(by_hand, rel=1e-4, abs=1e-4)

    def test_both_cameras_show_the_same_whiskers_at_the_same_time(self):
        # Frames come at 60 and at 150 Hz, and nothing but their times can bring them together.
        left, right = (self.bins(side, -0.9, 25).values for side in ("left", "right"))

        def likeness(shift):
            a = left[:, 2 + shift : 23 + shift] - left.mean()
            b = right[:, 2:23] - right.mean()
            return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))

        by_shift = {shift: likeness(shift) for shift in range(-2, 3)}
        assert max(by_shift, key=by_shift.__getitem__) == 0
        assert by_shift[0] > 0.5

    def test_the_default_window_reaches_beyond_what_was_cut_out_and_is_valid_nowhere(self):
        for side in ("left", "right"):
            assert not self.bins(side, -0.5, 100).is_valid.any()

    def test_frames_of_one_trial_do_not_leak_into_the_hole_before_the_next(self):
        # Left frames end 0.65 s after the stimulus: a window up to 0.66 s is within a bin of that.
        assert self.bins("left", -0.5, 58).is_valid.all()
        assert not self.bins("left", -0.5, 60).is_valid.any()

    def test_trials_without_a_stimulus_have_no_frames(self):
        _, frames, stim_on, _ = self.read("left")
        assert np.isnan(stim_on).tolist() == [False] * 40 + [True] * 3
        assert np.isnan(frames[40:]).all()
