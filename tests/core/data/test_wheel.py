from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from mtm_core.data.raw import Signal
from mtm_core.data.signal_binning import sample_signal
from mtm_core.data.spike_binning import bin_edges
from mtm_core.data.wheel import wheel_velocity

TICK = 2 * np.pi / 4096


def encoder(position, times):
    """Return what an encoder writes: a sample at each tick, none while the wheel rests."""
    ticks = np.round(position / TICK)
    is_new = np.concatenate([[True], np.diff(ticks) != 0])
    return Signal(times_s=times[is_new], values=ticks[is_new] * TICK)


def test_a_steady_turn_has_a_steady_velocity_with_its_sign():
    times = np.arange(0, 4, 0.01)
    velocity = wheel_velocity(Signal(times_s=times, values=-3 * times))
    middle = (velocity.times_s > 1) & (velocity.times_s < 3)
    np.testing.assert_allclose(velocity.values[middle], -3, rtol=1e-9)
    np.testing.assert_allclose(np.diff(velocity.times_s), 0.001, rtol=1e-6)


def test_slow_movement_passes_without_delay_and_fast_shaking_does_not():
    times = np.arange(0, 6, 0.0007)
    slow, fast = np.sin(2 * np.pi * 3 * times), 0.3 * np.sin(2 * np.pi * 60 * times)
    velocity = wheel_velocity(Signal(times_s=times, values=slow + fast))
    middle = (velocity.times_s > 1) & (velocity.times_s < 5)
    # A step back in time of half a millisecond is what a difference of neighbours costs.
    true = 6 * np.pi * np.cos(2 * np.pi * 3 * (velocity.times_s - 0.0005))
    np.testing.assert_allclose(velocity.values[middle], true[middle], atol=0.02 * 6 * np.pi)


def test_it_is_what_the_recipe_of_ibl_gives():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.001, 0.03, 500))
    position = np.cumsum(rng.normal(0, 0.02, 500))
    velocity = wheel_velocity(Signal(times_s=times, values=position))
    grid = np.arange(times[0], times[-1], 1 / 1000)
    sos = butter(N=8, Wn=20 / 1000 * 2, btype="lowpass", output="sos")
    expected = np.insert(np.diff(sosfiltfilt(sos, np.interp(grid, times, position))), 0, 0) * 1000
    np.testing.assert_allclose(
        velocity.values[:-1], expected[: len(velocity.values) - 1], atol=1e-6
    )


def test_rest_is_a_gap_of_the_encoder_but_no_loss():
    times = np.arange(0, 20, 0.001)
    position = np.clip(times - 2, 0, 1) + np.clip(times - 15, 0, 1)  # rests from 3 to 15 s
    signal = encoder(position, times)
    assert np.diff(signal.times_s).max() > 10
    velocity = wheel_velocity(signal)
    assert np.isfinite(velocity.values).all()
    resting = (velocity.times_s > 4) & (velocity.times_s < 14)
    assert np.abs(velocity.values[resting]).max() < 0.001


def test_lost_samples_leave_a_hole_that_makes_trials_invalid_and_no_others():
    times = np.arange(0, 20, 0.01)
    is_kept = (times < 8) | (times > 10)
    signal = Signal(times_s=times[is_kept], values=2 * times[is_kept])
    velocity = wheel_velocity(signal)
    behavior = sample_signal(velocity, bin_edges(np.array([2.0, 7.0, 9.0, 12.0]), 100, 0.02))
    assert behavior.is_valid.tolist() == [True, False, False, True]
    np.testing.assert_allclose(behavior.values[[0, 3]], 2.0, rtol=1e-4)


def test_a_hole_is_seen_with_bins_wider_than_itself():
    times = np.arange(0, 20, 0.01)
    is_kept = (times < 9) | (times > 9.6)
    velocity = wheel_velocity(Signal(times_s=times[is_kept], values=2 * times[is_kept]))
    behavior = sample_signal(velocity, bin_edges(np.array([1.0, 7.0, 12.0]), 4, 1.0))
    assert behavior.is_valid.tolist() == [True, False, True]


def test_the_input_is_left_as_it_was():
    position = Signal(times_s=np.arange(0, 1, 0.01), values=np.zeros(100))
    before = position.values.copy()
    wheel_velocity(position)
    assert np.array_equal(position.values, before)


@pytest.mark.parametrize(
    ("times", "values"),
    [([], []), ([1.0], [0.0]), ([1.0, 1.01], [0.0, 0.1]), ([1.0, 5.0], [np.nan, np.nan])],
)
def test_too_few_samples_give_no_velocity(times, values):
    velocity = wheel_velocity(Signal(times_s=np.array(times), values=np.array(values)))
    assert len(velocity.times_s) == len(velocity.values) == 0


def test_samples_of_the_same_time_and_missing_ones_are_passed_over():
    times = np.repeat(np.arange(0, 4, 0.01), 2)
    values = 2 * times
    values[100] = np.nan
    velocity = wheel_velocity(Signal(times_s=times, values=values))
    assert velocity.values[2000] == pytest.approx(2.0, rel=1e-6)
