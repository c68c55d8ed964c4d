from __future__ import annotations

import numpy as np
import pytest

from mtm_core.data.alf import read_alf
from tests.core.data.alf_folder import behavior_datasets, one_probe, write

POSITION, TIMES = "alf/_ibl_wheel.position.npy", "alf/_ibl_wheel.timestamps.npy"
LICKS = "alf/licks.times.npy"
CAMERA = {
    side: (f"alf/_ibl_{side}Camera.times.npy", f"alf/{side}Camera.ROIMotionEnergy.npy")
    for side in ("left", "right")
}


def _read(tmp_path, changed, without=()):
    raw = read_alf(write(tmp_path, {**one_probe(), **changed}, without=without))
    return raw, "\n".join(raw.origin.notes)


def test_the_wheel_is_read_with_its_sign(tmp_path):
    raw, _ = _read(tmp_path, {})
    wheel = raw.signals["wheel_position"]
    assert np.array_equal(wheel.times_s, one_probe()[TIMES])
    assert np.array_equal(wheel.values, one_probe()[POSITION])  # falling: clockwise


def test_times_of_a_few_samples_are_filled_in(tmp_path):
    n = len(one_probe()[POSITION])
    raw, _ = _read(tmp_path, {TIMES: np.array([[0, 10.0], [n - 1, 10.0 + (n - 1) / 4]])})
    assert np.allclose(raw.signals["wheel_position"].times_s, 10 + np.arange(n) / 4)


def test_a_stored_velocity_serves_where_there_is_no_position(tmp_path):
    velocity = {"alf/_ibl_wheel.velocity.npy": one_probe()[POSITION]}
    raw, _ = _read(tmp_path, velocity, without=[POSITION])
    assert list(raw.signals) == ["wheel_velocity", "whisker_motion_energy"]


@pytest.mark.parametrize("extra", [1, -1])
def test_a_wheel_of_unequal_lengths_is_not_used_and_it_is_said(tmp_path, extra):
    times = np.arange(len(one_probe()[POSITION]) + extra, dtype=float)
    raw, notes = _read(tmp_path, {TIMES: times})
    assert "wheel_position" not in raw.signals
    assert f"wheel.position cannot be used: {len(times)} times for" in notes


def test_a_wheel_without_times_is_not_used_and_it_is_said(tmp_path):
    raw, notes = _read(tmp_path, {}, without=[TIMES])
    assert "wheel_position" not in raw.signals
    assert "wheel.position cannot be used: wheel.timestamps is not there" in notes


def test_the_wheel_of_several_tasks_is_joined_with_a_gap(tmp_path):
    files = {}
    for task, start in (("task_00", 100.0), ("task_01", 0.0)):
        files[f"alf/{task}/_ibl_wheel.timestamps.npy"] = start + np.arange(4.0)
        files[f"alf/{task}/_ibl_wheel.position.npy"] = start + np.arange(4.0)
    raw, _ = _read(tmp_path, files, without=[POSITION, TIMES])
    wheel = raw.signals["wheel_position"]
    assert wheel.times_s.tolist() == [0, 1, 2, 3, 51.5, 100, 101, 102, 103]
    assert np.isnan(wheel.values).tolist() == [False] * 4 + [True] + [False] * 4


def test_of_overlapping_wheels_the_earlier_serves(tmp_path):
    files = behavior_datasets("alf/task_00") | behavior_datasets("alf/task_01")
    raw, notes = _read(tmp_path, files, without=[POSITION, TIMES])
    assert np.array_equal(raw.signals["wheel_position"].values, one_probe()[POSITION])
    assert "overlap in time" in notes


def test_the_left_camera_goes_before_the_right(tmp_path):
    raw, notes = _read(tmp_path, {})
    energy = raw.signals["whisker_motion_energy"]
    assert np.array_equal(energy.times_s, one_probe()[CAMERA["left"][0]])
    assert np.array_equal(energy.values, one_probe()[CAMERA["left"][1]])
    assert "Whisker motion energy is that of the left camera." in notes


def test_where_times_are_longer_the_first_are_dropped_and_it_is_said(tmp_path):
    times, values = CAMERA["left"]
    raw, notes = _read(tmp_path, {values: one_probe()[values][3:]})
    energy = raw.signals["whisker_motion_energy"]
    assert np.array_equal(energy.times_s, one_probe()[times][3:])
    assert np.array_equal(energy.values, one_probe()[values][3:])
    assert "leftCamera.ROIMotionEnergy: the first 3 times dropped" in notes


_UNUSABLE_LEFT = {
    "shorter": {CAMERA["left"][0]: one_probe()[CAMERA["left"][0]][3:]},
    "empty": {CAMERA["left"][1]: np.zeros(0)},
    "without times": {CAMERA["left"][0]: None},
    "without values": {CAMERA["left"][1]: None},
}


@pytest.mark.parametrize("changed", _UNUSABLE_LEFT.values(), ids=_UNUSABLE_LEFT)
def test_where_the_left_camera_cannot_be_used_the_right_serves(tmp_path, changed):
    without = [path for path, values in changed.items() if values is None]
    raw, notes = _read(tmp_path, changed, without)
    energy = raw.signals["whisker_motion_energy"]
    assert np.array_equal(energy.values, one_probe()[CAMERA["right"][1]])
    assert "leftCamera" in notes
    assert "cannot be used" in notes
    assert "that of the right camera" in notes


def test_a_session_without_cameras_has_no_motion_energy(tmp_path):
    raw, notes = _read(tmp_path, {}, without=[*CAMERA["left"], *CAMERA["right"]])
    assert list(raw.signals) == ["wheel_position"]
    assert "amera" not in notes


def test_absent_samples_stay_absent(tmp_path):
    values = one_probe()[CAMERA["left"][1]]
    values[5] = np.nan
    raw, _ = _read(tmp_path, {CAMERA["left"][1]: values})
    assert np.isnan(raw.signals["whisker_motion_energy"].values[5])


def test_licks_come_in_order_without_those_that_have_no_time(tmp_path):
    raw, notes = _read(tmp_path, {LICKS: np.array([3.0, np.nan, 1.0])})
    assert raw.events["licks"].tolist() == [1, 3]
    assert "1 events left out" in notes


def test_licks_of_several_tasks_are_put_together(tmp_path):
    licks = {f"alf/task_0{k}/licks.times.npy": np.array([2.0 - k, 9.0]) for k in (0, 1)}
    raw, _ = _read(tmp_path, licks, without=[LICKS])
    assert raw.events["licks"].tolist() == [1, 2, 9, 9]


def test_a_session_without_licks_has_none(tmp_path):
    assert _read(tmp_path, {}, without=[LICKS])[0].events == {}
